"""Rate limiter: how many requests may be sent now, and when more may be sent.

The API counts requests per minute and per second and reports both in
``x-per-minute-limit``, ``-remaining`` and ``-reset`` (and the same with ``second``).
A missing header means nothing.

With several concurrent requests, an answer reports the state when its request was counted, not
the current state. So the state is computed: what the server had counted, plus what may have
been sent since.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from engagement_pandas.transport.clock_skew import ClockOffset

PERIODS: Final[Mapping[str, float]] = {"minute": 60.0, "second": 1.0}
"""Length in seconds of each period of the rate limit."""

DEFAULT_CONCURRENCY: Final = 4
"""Concurrent requests if no answer reports a rate limit."""

JITTER: Final = (0.03, 0.2)
"""Least and greatest seconds by which two requests may come closer together on their way."""

EARLY_SHARE: Final = (0.1, 0.5)
"""The share of a new window's limit that may be sent before the server has confirmed its start:
at first, and if the last window began as computed. Windows may also slide."""

_SLACK: Final = 1.0  # the header "date" has a resolution of one second
_MOST: Final = 1000  # starts remembered; a higher limit per second is not enforced


@dataclass(frozen=True, slots=True, eq=False)
class Permit:
    """Permission for one request, held from its start to its answer.

    ``at`` is when it was granted, in seconds of the local clock.
    """

    at: float


@dataclass(slots=True)
class _Minute:
    """One window of the rate limit, from one reset to the next.

    ``ends`` is the server's time of the reset, and identifies the window; ``until`` is its
    local time. ``counted`` is the server's count, ``mine`` the requests sent from here and
    completed, ``others`` what other clients had sent when the first answer arrived.
    """

    limit: int
    ends: float
    until: float
    counted: int = 0
    mine: int = 0
    others: int = 0
    heard: bool = False
    company: bool = False
    ahead: float = 1.0  # the share of the limit that may be sent before the first answer
    carried: int = 0  # requests in flight when it began

    def room(self, waiting: int) -> int:
        """Return how many more requests may be sent while ``waiting`` are in flight."""
        sent = self.mine + waiting + self.others
        # Another client shares the limit: all requests in flight may still be counted.
        spent = max(sent, self.counted + waiting) if self.company else sent
        if self.heard:
            return max(1, self.limit) - spent
        return min(self.limit, max(1, int(self.limit * self.ahead)) + self.carried) - spent

    def update(self, limit: int | None, remaining: int, waiting: int) -> None:
        """Update from the server's numbers; answers may arrive out of order."""
        self.limit = max(remaining + 1, self.limit) if limit is None else limit
        self.counted = max(self.counted, self.limit - remaining)
        foreign = self.counted - self.mine - waiting
        if foreign > self.others:
            self.company |= self.heard
            self.others = foreign
        self.heard = True


class RateLimiter:
    """Computes the wait before the next request, and the number of concurrent requests.

    Several threads, and several fetches, may share one limiter. Its clock returns the seconds
    since 1970, as ``time.time``.

    >>> quota = RateLimiter(clock=lambda: 1000.0)
    >>> spent = {"x-per-minute-remaining": "0", "x-per-minute-reset": "1030"}
    >>> quota.update_from_headers(spent, quota.take())
    >>> quota.pause()
    30.0
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._open: set[Permit] = set()
        self._starts: deque[float] = deque(maxlen=_MOST)
        self._skew = ClockOffset()
        self._minute: _Minute | None = None
        self._resumes = 0.0  # local time at which a used-up second ends
        self._answers = 0
        self._turns = False  # whether the last window was confirmed to restart by the clock
        self.limits: dict[str, int] = {}
        """Limits per ``"minute"`` and ``"second"``, as far as the API has reported them."""

    def max_concurrency(self, most: int) -> int:
        """Return the number of requests that may be concurrent, at most ``most``.

        One until an answer reports a rate limit; :data:`DEFAULT_CONCURRENCY` if answers
        report none.
        """
        if self.limits or self._minute is not None:
            return most
        # The first answer may be that to a token request, which has no such headers.
        return 1 if self._answers <= 1 else min(DEFAULT_CONCURRENCY, most)

    def pause(self) -> float:
        """Return the seconds until a request may be sent: 0 if one may now, at most 60."""
        with self._lock:
            return self._pause(self._clock())

    def take(self) -> Permit | None:
        """Return a permit for one request, or None if none is available now.

        Return it with :meth:`update_from_headers` or :meth:`release`.
        """
        with self._lock:
            now = self._clock()
            if self._pause(now) > 0:
                return None
            place = Permit(now)
            self._open.add(place)
            self._starts.append(now)
            return place

    def release(self, place: Permit) -> None:
        """Release a permit without an answer: its request may have been counted or not."""
        with self._lock:
            self._close(place)

    def update_from_headers(self, headers: Mapping[str, str], place: Permit) -> None:
        """Update from the headers of an answer, and release the permit of its request.

        The names of the headers are in lower case, or compared without case.
        """
        with self._lock:
            now, began = self._clock(), place.at
            self._answers += 1
            self._skew.update(headers.get("date"), began, now)
            parsed = {period: _parsed(headers, period) for period in PERIODS}
            for period, (limit, _, _) in parsed.items():
                if limit is not None:
                    self.limits[period] = limit
            _, remaining, reset = parsed["second"]
            mine = sum(abs(start - began) <= PERIODS["second"] for start in self._starts)
            if remaining == 0 and mine < self.limits.get("second", mine + 1):  # other clients
                self._resumes = self._local(reset, "second", began, now) or now + 1
            limit, remaining, reset = parsed["minute"]
            if remaining is None:
                self._close(place)
            else:
                self._update(limit, remaining, reset, place, now)

    def _update(
        self,
        limit: int | None,
        remaining: int,
        reset: float | None,
        place: Permit,
        now: float,
    ) -> None:
        self._turn(now)
        known = self._minute
        until = self._local(reset, "minute", place.at, now)
        if until is None or reset is None:
            # No valid reset: assume that the window lasts a full minute from its first answer.
            fresh = known is None or not known.heard
            until = now + PERIODS["minute"] if fresh or known is None else known.until
            reset = until if fresh or known is None else known.ends
        if known is not None and (
            reset < known.ends if known.heard else reset <= known.ends - PERIODS["minute"]
        ):
            self._open.discard(place)  # counted in the previous window
            return
        if known is None or (known.heard and reset > known.ends):
            self._minute = known = _Minute(
                limit or (known.limit if known else remaining + 1), reset, until
            )
        self._close(place)
        known.ends = reset
        known.until = min(until, known.until) if known.heard else until
        turned = not known.heard and known.ahead < 1
        known.update(limit, remaining, len(self._open))
        if turned:
            self._turns = known.others == 0

    def _close(self, place: Permit) -> None:
        if place in self._open:
            self._open.discard(place)
            if self._minute is not None:
                self._minute.mine += 1

    def _turn(self, now: float) -> None:
        """Start a new window if the current one is over; drop it if the clock was set back."""
        minute, length = self._minute, PERIODS["minute"]
        if minute is None or now < minute.until - length - _SLACK:
            self._minute = None
            self._resumes = min(self._resumes, now + 1)
            return
        if now >= minute.until:
            passed = length * (1 + (now - minute.until) // length)
            self._skew.age(passed)
            # No answer yet. Requests in flight may have been counted in it.
            self._minute = _Minute(
                minute.limit,
                minute.ends + passed,
                minute.until + passed,
                ahead=EARLY_SHARE[self._turns],
                carried=len(self._open),
            )

    def _pause(self, now: float) -> float:
        self._turn(now)
        minute = self._minute
        wait = max(0.0, self._resumes - now, self._spacing(now))
        if minute is not None and minute.room(len(self._open)) <= 0:
            wait = max(wait, minute.until - now)
        return min(wait, PERIODS["minute"])

    def _spacing(self, now: float) -> float:
        """Return the seconds until another start keeps every second within the limit.

        This holds wherever the server's seconds begin, and if requests move closer together
        on their way.
        """
        limit = self.limits.get("second", 0)
        if not 0 < limit <= len(self._starts):
            return 0.0
        # As careful as the time left in the minute allows; this lengthens only the last minute
        # of a job, by a fifth at most.
        spare = JITTER[1]
        if self._minute is not None:
            room = max(1, self._minute.room(len(self._open)))
            spare = (self._minute.until - now) * limit / room - 1
        length = PERIODS["second"] + min(max(spare, JITTER[0]), JITTER[1])
        wait = self._starts[-limit] + length - now
        return wait if wait <= length + _SLACK else 0.0  # the clock was set back

    def _local(self, reset: float | None, period: str, began: float, now: float) -> float | None:
        """Return the local time of a reset, by the first clock offset that makes it plausible.

        The server's clock gives the reset, and the local clock may be wrong. A reset lies at
        most one period after now, and before now only if it came while the answer was in
        flight.
        """
        for ahead in self._skew.candidates:
            if reset is not None:
                until = reset - ahead
                if began - _SLACK <= until <= now + PERIODS[period] + _SLACK:
                    return until
        return None


def _parsed(headers: Mapping[str, str], period: str) -> tuple[int | None, int | None, float | None]:
    """Return limit, remaining and reset; None for each that is not valid."""
    limit, remaining, reset = (
        _number(headers.get(f"x-per-{period}-{what}")) for what in ("limit", "remaining", "reset")
    )
    return (
        None if limit is None else max(1, int(limit)),
        None if remaining is None else max(0, int(remaining)),
        reset,
    )


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None
