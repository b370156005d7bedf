"""Pacing from the quota headers.

The API counts requests by the minute and by the second and says so in
``x-per-minute-limit``, ``-remaining`` and ``-reset`` (and the same with ``second``).
A header that is missing means nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

PERIODS: Final[Mapping[str, float]] = {"minute": 60.0, "second": 1.0}
"""Seconds in each period that the API counts in."""

_SLACK: Final = 1.0  # the header "date" has whole seconds


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the last answer said of one period.

    Attributes
    ----------
    remaining : int
        Requests left.
    until : float
        When the period ends, in seconds of the local clock.
    """

    remaining: int
    until: float


class Quota:
    """How long to wait before the next request.

    Parameters
    ----------
    clock : callable
        Seconds since 1970, as ``time.time``.

    Examples
    --------
    >>> quota = Quota(clock=lambda: 1000.0)
    >>> quota.learn({"x-per-minute-remaining": "0", "x-per-minute-reset": "1030"})
    >>> quota.pause()
    30.0
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._allowances: dict[str, Allowance] = {}
        self.limits: dict[str, int] = {}
        """Requests a ``"minute"`` and a ``"second"``, where the API has said."""

    def learn(self, headers: Mapping[str, str]) -> None:
        """Read the headers of an answer; names in lower case or a case-blind mapping."""
        now = self._clock()
        for period, length in PERIODS.items():
            limit = _number(headers.get(f"x-per-{period}-limit"))
            remaining = _number(headers.get(f"x-per-{period}-remaining"))
            reset = _number(headers.get(f"x-per-{period}-reset"))
            if limit is not None:
                self.limits[period] = int(limit)
            if remaining is None:
                self._allowances.pop(period, None)
                continue
            wait = _distance(reset, length, (_server_time(headers), now))
            self._allowances[period] = Allowance(int(remaining), now + wait)

    def pause(self) -> float:
        """Return the seconds until the quota has room, 0 where it has, at most 60."""
        now = self._clock()
        spent = [a.until - now for a in self._allowances.values() if a.remaining <= 0]
        return max([0.0, *spent])


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _server_time(headers: Mapping[str, str]) -> float | None:
    try:
        return parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def _distance(reset: float | None, length: float, clocks: Sequence[float | None]) -> float:
    """Return the seconds until the reset: by the first clock that makes sense of it.

    The reset is told by the server's clock, and the local one may be wrong. Where it lies
    outside the period by either, or is not told, the whole period is waited for.
    """
    for now in clocks:
        if reset is not None and now is not None and -_SLACK <= reset - now <= length + _SLACK:
            return min(max(reset - now, 0.0), length)
    return length
