"""Estimate of how far the server's clock is ahead of the local one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

DRIFT: Final = 1e-4
"""Seconds per second by which two clocks may drift apart."""

GUARD: Final = 0.01
"""Safety margin in seconds around the reset of a rate limit window."""


@dataclass(slots=True)
class ClockOffset:
    """Bounds on the seconds by which the server's clock is ahead, narrowed by each answer.

    The ``date`` header has a resolution of one second, and was written at some time between
    the request and the answer. Several answers give tighter bounds than one. Until an answer has
    a date, both bounds are None.

    >>> skew = ClockOffset()
    >>> skew.update("Wed, 15 Apr 2026 12:20:00 GMT", 1_776_255_590.0, 1_776_255_590.25)
    >>> skew
    ClockOffset(least=9.75, most=11.0)
    """

    least: float | None = None
    most: float | None = None

    def update(self, date: str | None, began: float, now: float) -> None:
        """Narrow the bounds by the date of an answer, sent and received at these local times."""
        try:
            server_time = parsedate_to_datetime(date or "").timestamp()
        except (ValueError, TypeError, OverflowError):
            return
        least, most = server_time - now, server_time + 1 - began
        if self.least is not None and self.most is not None:
            narrower = max(least, self.least), min(most, self.most)
            if narrower[0] <= narrower[1]:  # otherwise a clock was set
                least, most = narrower
        self.least, self.most = least, most

    def age(self, seconds: float) -> None:
        """Widen the bounds for the time that has passed."""
        if self.least is not None and self.most is not None:
            self.least, self.most = self.least - DRIFT * seconds, self.most + DRIFT * seconds

    @property
    def candidates(self) -> Sequence[float]:
        """Candidate offsets: the lower bound first, then 0 for a correct local clock.

        The lower bound, less a margin, never takes a reset to be over too early.
        """
        return (0.0,) if self.least is None else (self.least - GUARD, 0.0)
