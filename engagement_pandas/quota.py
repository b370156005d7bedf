"""Pacing from the quota headers.

The API counts requests by the minute and by the second and says so in
``x-per-minute-limit``, ``-remaining`` and ``-reset`` (and the same with ``second``).
A header that is missing means nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

PERIODS: Final[Mapping[str, float]] = {"minute": 60.0, "second": 1.0}
"""Seconds in each period that the API counts in."""


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
            # The reset is told by the server's clock; only its distance counts here.
            wait = length if reset is None else reset - _server_time(headers, now)
            until = now + min(max(wait, 0.0), length)
            self._allowances[period] = Allowance(int(remaining), until)

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


def _server_time(headers: Mapping[str, str], now: float) -> float:
    try:
        return parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return now
