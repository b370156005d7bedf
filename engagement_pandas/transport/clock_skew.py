"""How far the server's clock is ahead of the local one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

DRIFT: Final = 1e-4
"""Seconds that two clocks may drift apart in each second."""

GUARD: Final = 0.01
"""Seconds to stay away from the moment at which a window of the quota turns."""


@dataclass(slots=True)
class ClockOffset:
    """Bounds of the seconds by which the server's clock is ahead, narrowed by each answer.

    The header ``date`` has whole seconds, and was written somewhere between the request and
    the answer. Many answers together tell more than one.

    Attributes
    ----------
    least, most : float or None
        None until an answer had a date.

    Examples
    --------
    >>> skew = ClockOffset()
    >>> skew.update("Wed, 15 Apr 2026 12:20:00 GMT", 1_776_255_590.0, 1_776_255_590.25)
    >>> skew
    ClockOffset(least=9.75, most=11.0)
    """

    least: float | None = None
    most: float | None = None

    def update(self, date: str | None, began: float, now: float) -> None:
        """Take in the date of an answer that began and arrived at these local times."""
        try:
            told = parsedate_to_datetime(date or "").timestamp()
        except (ValueError, TypeError, OverflowError):
            return
        least, most = told - now, told + 1 - began
        if self.least is not None and self.most is not None:
            narrower = max(least, self.least), min(most, self.most)
            if narrower[0] <= narrower[1]:  # or else a clock was set
                least, most = narrower
        self.least, self.most = least, most

    def age(self, seconds: float) -> None:
        """Let the bounds widen: that much time has passed."""
        if self.least is not None and self.most is not None:
            self.least, self.most = self.least - DRIFT * seconds, self.most + DRIFT * seconds

    @property
    def candidates(self) -> Sequence[float]:
        """The least that the server may be ahead; then not at all: the local clock may do.

        By the least, and a little less, no reset is taken to be over too early.
        """
        return (0.0,) if self.least is None else (self.least - GUARD, 0.0)
