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
from email.utils import parsedate_to_datetime
from typing import Final

from engagement_pandas.text import html_facts

PERIODS: Final[Mapping[str, float]] = {"minute": 60.0, "second": 1.0}
"""Length in seconds of each period of the rate limit."""

DEFAULT_CONCURRENCY: Final = 4
"""Concurrent requests if no answer reports a rate limit."""

JITTER: Final = (0.03, 0.2)
"""Least and greatest seconds by which two requests may come closer together on their way."""

EARLY_SHARE: Final = (0.1, 0.5)
"""The share of a new window's limit that may be sent before the server has confirmed its start:
at first, and if the last window began as computed. Windows may also slide."""

DRIFT: Final = 1e-4
"""Seconds per second by which two clocks may drift apart."""

GUARD: Final = 0.01
"""Safety margin in seconds around the reset of a window."""

_SLACK: Final = 1.0  # the header "date" has a resolution of one second
_MOST: Final = 1000  # starts remembered; a higher limit per second is not enforced


@dataclass(frozen=True, slots=True, eq=False)
class Permit:
    """Permission for one request, held from its start to its answer.

    ``at`` is when it was granted, in seconds of the local clock.
    """

    at: float


@dataclass(slots=True)
class ClockOffset:
    """Bounds on the seconds by which the server's clock is ahead, narrowed by each answer.

    The ``date`` header has a resolution of one second, and was written at some time between
    the request and the answer. Several answers give tighter bounds than one.

    >>> offset = ClockOffset()
    >>> offset.update("Wed, 15 Apr 2026 12:20:00 GMT", 1_776_255_590.0, 1_776_255_590.25)
    >>> offset
    ClockOffset(least=9.75, most=11.0)
    """

    least: float = -math.inf
    most: float = math.inf

    def update(self, date: str | None, began: float, now: float) -> None:
        """Narrow the bounds by the date of an answer, sent and received at these local times."""
        try:
            server_time = parsedate_to_datetime(date or "").timestamp()
        except (ValueError, TypeError, OverflowError):
            return
        least, most = server_time - now, server_time + 1 - began
        if max(least, self.least) <= min(most, self.most):  # otherwise a clock was set
            least, most = max(least, self.least), min(most, self.most)
        self.least, self.most = least, most

    def age(self, seconds: float) -> None:
        """Widen the bounds for the time that has passed."""
        self.least -= DRIFT * seconds
        self.most += DRIFT * seconds

    @property
    def candidates(self) -> tuple[float, ...]:
        """Candidate offsets: the lower bound first, then 0 for a correct local clock.

        The lower bound, less a margin, never takes a reset to be over too early.
        """
        return (0.0,) if self.least == -math.inf else (self.least - GUARD, 0.0)


@dataclass(slots=True)
class _Window:
    """One minute of the rate limit, from one reset to the next.

    It begins by the clock, as an estimate, and is confirmed by the first answer counted in it.
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
    confirmed: bool = False
    shared: bool = False  # whether another client has sent requests since it was confirmed
    early_share: float = 1.0  # the share of the limit that may be sent before it is confirmed
    carried: int = 0  # requests in flight when it began

    def room(self, waiting: int) -> int:
        """Return how many more requests may be sent while ``waiting`` are in flight."""
        sent = self.mine + waiting + self.others
        # Another client shares the limit: all requests in flight may still be counted.
        spent = max(sent, self.counted + waiting) if self.shared else sent
        if self.confirmed:
            return max(1, self.limit) - spent
        # Requests carried over may have been counted in the last window, so they do not use up
        # what may be sent early.
        early = max(1, int(self.limit * self.early_share)) + self.carried
        return min(self.limit, early) - spent

    def is_after(self, ends: float) -> bool:
        """Return whether an answer of a window with this end was counted before this one."""
        # The end of an unconfirmed window is an estimate: it is the same unless a minute differs.
        return ends < self.ends if self.confirmed else ends <= self.ends - PERIODS["minute"]

    def confirm(self, ends: float, until: float) -> None:
        """Set the end from an answer; the local time of a confirmed one can only move forward."""
        self.ends = ends
        self.until = min(until, self.until) if self.confirmed else until

    def update(self, limit: int | None, remaining: int, waiting: int) -> None:
        """Update from the server's numbers; answers may arrive out of order."""
        self.limit = max(remaining + 1, self.limit) if limit is None else limit
        self.counted = max(self.counted, self.limit - remaining)
        foreign = self.counted - self.mine - waiting
        if foreign > self.others:
            self.shared |= self.confirmed
            self.others = foreign
        self.confirmed = True


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
        self._clock_offset = ClockOffset()
        self._window: _Window | None = None
        self._resumes = 0.0  # local time at which a used-up second ends
        self._answers = 0
        self._restarts = False  # whether the last window was confirmed to restart by the clock
        self.limits: dict[str, int] = {}
        """Limits per ``"minute"`` and ``"second"``, as far as the API has reported them."""

    def __repr__(self) -> str:
        limits = ", ".join(f"{limit:,} per {period}" for period, limit in self.limits.items())
        return f"RateLimiter({limits or 'no limit reported yet'})"

    def _repr_html_(self) -> str:
        return html_facts(
            "Rate limit, as reported by the API",
            {
                **{f"per {period}": f"{limit:,}" for period, limit in self.limits.items()},
                "answers": f"{self._answers:,}",
                "seconds until the next request": "client.quota.pause()",
            },
        )

    def max_concurrency(self, most: int) -> int:
        """Return the number of requests that may be concurrent, at most ``most``.

        One until an answer reports a rate limit; :data:`DEFAULT_CONCURRENCY` if answers
        report none.
        """
        if self.limits or self._window is not None:
            return most
        # The first answer may be that to a token request, which reports no limit.
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
            permit = Permit(now)
            self._open.add(permit)
            self._starts.append(now)
            return permit

    def release(self, permit: Permit) -> None:
        """Release a permit without an answer: its request may have been counted or not."""
        with self._lock:
            self._close(permit)

    def update_from_headers(self, headers: Mapping[str, str], permit: Permit) -> None:
        """Update from the headers of an answer, and release the permit of its request.

        The names of the headers are in lower case, or compared without case.
        """
        with self._lock:
            now, began = self._clock(), permit.at
            self._answers += 1
            self._clock_offset.update(headers.get("date"), began, now)
            parsed = {period: _parsed(headers, period) for period in PERIODS}
            for period, (limit, _, _) in parsed.items():
                if limit is not None:
                    self.limits[period] = limit
            _, remaining, reset = parsed["second"]
            if remaining == 0 and self._shares_second(began):
                self._resumes = self._local(reset, "second", began, now) or now + 1
            limit, remaining, reset = parsed["minute"]
            if remaining is None:
                self._close(permit)
            else:
                self._update(limit, remaining, reset, permit, now)

    def _shares_second(self, began: float) -> bool:
        """Return whether other clients have used some of the second in which a request began."""
        mine = sum(abs(start - began) <= PERIODS["second"] for start in self._starts)
        return mine < self.limits.get("second", mine + 1)

    def _update(
        self,
        limit: int | None,
        remaining: int,
        reset: float | None,
        permit: Permit,
        now: float,
    ) -> None:
        """Update the window that an answer was counted in, which it may be the first to show."""
        self._roll(now)
        ends, until = self._reset_of(reset, permit, now)
        window = self._window
        if window is not None and window.is_after(ends):
            self._open.discard(permit)  # no part of the current window's count
            return
        if window is None or (window.confirmed and ends > window.ends):
            # The first answer, or the server began a window earlier than computed.
            last_limit = window.limit if window else remaining + 1
            window = self._window = _Window(limit or last_limit, ends, until)
        self._close(permit)
        computed = not window.confirmed and window.early_share < 1
        window.confirm(ends, until)
        window.update(limit, remaining, len(self._open))
        if computed:
            # Nothing foreign at the first answer: the count did restart at the computed time.
            self._restarts = window.others == 0

    def _reset_of(self, reset: float | None, permit: Permit, now: float) -> tuple[float, float]:
        """Return the end of the window that an answer was counted in: server and local time."""
        until = self._local(reset, "minute", permit.at, now)
        if until is not None and reset is not None:
            return reset, until
        # No valid reset: assume that the window lasts a full minute from its first answer.
        if self._window is None or not self._window.confirmed:
            return now + PERIODS["minute"], now + PERIODS["minute"]
        return self._window.ends, self._window.until

    def _close(self, permit: Permit) -> None:
        if permit in self._open:
            self._open.discard(permit)
            if self._window is not None:
                self._window.mine += 1

    def _roll(self, now: float) -> None:
        """Start a new window if the current one is over; drop it if the clock was set back."""
        window, length = self._window, PERIODS["minute"]
        if window is None or now < window.until - length - _SLACK:
            self._window = None
            self._resumes = min(self._resumes, now + 1)
            return
        if now >= window.until:
            passed = length * (1 + (now - window.until) // length)
            self._clock_offset.age(passed)
            # No answer yet. Requests in flight may have been counted in it.
            self._window = _Window(
                window.limit,
                window.ends + passed,
                window.until + passed,
                early_share=EARLY_SHARE[self._restarts],
                carried=len(self._open),
            )

    def _pause(self, now: float) -> float:
        self._roll(now)
        window = self._window
        wait = max(0.0, self._resumes - now, self._spacing(now))
        if window is not None and window.room(len(self._open)) <= 0:
            wait = max(wait, window.until - now)
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
        if self._window is not None:
            room = max(0, self._window.room(len(self._open)))
            # The next second begins after a wait, so the last of them needs time of its own.
            spare = (self._window.until - now) * limit / (room + limit) - 1
        length = PERIODS["second"] + min(max(spare, JITTER[0]), JITTER[1])
        wait = self._starts[-limit] + length - now
        return wait if wait <= length + _SLACK else 0.0  # the clock was set back

    def _local(self, reset: float | None, period: str, began: float, now: float) -> float | None:
        """Return the local time of a reset, by the first clock offset that makes it plausible.

        The server's clock gives the reset, and the local clock may be wrong. A reset lies at
        most one period after now, and before now only if it came while the answer was in
        flight.
        """
        for ahead in self._clock_offset.candidates:
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
