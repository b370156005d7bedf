"""Half-open spans of complete UTC hours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from numbers import Integral
from typing import Final

from engagement_pandas.errors import InvalidWindow
from engagement_pandas.text import pluralize
from engagement_pandas.vocabulary.limits import EARLIEST, MAX_WINDOW

_HOUR: Final = timedelta(hours=1)
_LATEST: Final = datetime(9999, 12, 31, 23, tzinfo=UTC)
_DAYS: Final = re.compile(r"([0-9]{1,5}) ?d")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, repr=False)
class Window:
    """A half-open span of complete UTC hours: ``start`` is included, ``end`` is not.

    Parameters
    ----------
    start, end : datetime
        Time-zone aware, on the hour. :meth:`covering` also accepts strings and any minute.

    Raises
    ------
    InvalidWindow
        If a bound is naive or not on the hour, or the window is empty, begins before
        2014-09-01, or ends in the future.

    Examples
    --------
    >>> Window.covering("2026-03-01", "2026-03-02T09:30:00Z")
    Window(2026-03-01 00:00 to 2026-03-02 10:00 UTC, 34 hours)
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            moment = to_utc(getattr(self, name), name)
            if _floor(moment) != moment:
                msg = (
                    f"{name} {moment.isoformat()} is not on the hour; "
                    "Window.covering() rounds outwards to complete hours"
                )
                raise InvalidWindow(msg)
            object.__setattr__(self, name, moment)
        if self.start >= self.end:
            msg = (
                f"the window from {_text(self.start)} to {_text(self.end)} UTC is empty; "
                "end is exclusive and must come after start"
            )
            raise InvalidWindow(msg)
        if self.start < EARLIEST:
            msg = (
                f"start {_text(self.start)} UTC is before {_text(EARLIEST)}, "
                "the first hour with counts; start there or later"
            )
            raise InvalidWindow(msg)
        now = _now()
        if self.end > now:
            msg = (
                f"end {_text(self.end)} is in the future (now is {_text(now)} UTC); "
                f"the last complete hour ended at {_text(_floor(now))}"
            )
            raise InvalidWindow(msg)

    @classmethod
    def covering(cls, start: str | date, end: str | date) -> Window:
        """Return the complete UTC hours that cover a span.

        Parameters
        ----------
        start, end : str or date or datetime
            ``"2026-03-01"`` (midnight UTC), ``"2026-03-01T09:30:00Z"``, any other
            UTC offset, a date or an aware datetime. ``start`` is rounded down and ``end``
            up to the hour, as the API does. ``end`` is exclusive, so a span of complete
            days ends at the midnight after its last day.

        Raises
        ------
        InvalidWindow
            As in :class:`Window`; also for text that is not a time.

        Examples
        --------
        >>> Window.covering("2026-03-01T09:59:00+02:00", "2026-03-01T12:00:00+02:00")
        Window(2026-03-01 07:00 to 2026-03-01 10:00 UTC, 3 hours)
        """
        first, last = to_utc(start, "start"), to_utc(end, "end")
        if first >= last:
            msg = f"the window from {first} to {last} is empty; end must come after start"
            raise InvalidWindow(msg)
        floored, ceiled = _floor(first), _floor(last)
        if ceiled != last or getattr(end, "nanosecond", False):
            if ceiled >= _LATEST:
                msg = f"end {end} is in the future"
                raise InvalidWindow(msg)
            ceiled += _HOUR
        return cls(floored, ceiled)

    @classmethod
    def last(cls, days: int = 28, *, now: datetime | None = None) -> Window:
        """Return the given number of days up to the last complete hour.

        Parameters
        ----------
        days : int
            24-hour days; 28 is the default of ``/historical`` if no window is given.
        now : datetime, optional
            Aware; the present by default.

        Examples
        --------
        >>> from datetime import datetime, UTC
        >>> Window.last(7, now=datetime(2026, 3, 8, 12, 40, tzinfo=UTC))
        Window(2026-03-01 12:00 to 2026-03-08 12:00 UTC, 168 hours)
        """
        end = _floor(to_utc(now, "now") if now is not None else _now())
        try:
            return cls(end - timedelta(days=days), end)
        except (TypeError, ValueError, OverflowError) as error:
            if isinstance(error, InvalidWindow):
                raise
            msg = f"{days!r} days are not a window; pass a positive number of days"
            raise InvalidWindow(msg) from error

    @classmethod
    def last_days(cls, days: int, *, now: datetime | None = None) -> Window:
        """Return the last complete UTC days; today, which is not over, is not among them.

        Parameters
        ----------
        days : int
            1 or more.
        now : datetime, optional
            Aware; the present by default.

        Raises
        ------
        InvalidWindow
            If ``days`` is not a positive whole number, or too large.

        Examples
        --------
        >>> from datetime import datetime, UTC
        >>> Window.last_days(7, now=datetime(2026, 3, 8, 12, 40, tzinfo=UTC))
        Window(2026-03-01 00:00 to 2026-03-08 00:00 UTC, 168 hours)
        """
        if isinstance(days, bool) or not isinstance(days, Integral):
            msg = f"{days!r} days are not a window; pass a positive whole number of days"
            raise InvalidWindow(msg)
        moment = to_utc(now, "now") if now is not None else _now()
        return cls.last(int(days), now=moment.replace(hour=0))

    @property
    def hours(self) -> int:
        """The number of hours in the window."""
        return (self.end - self.start) // _HOUR

    def split(self, longest: timedelta = MAX_WINDOW) -> tuple[Window, ...]:
        """Split into adjacent windows of at most ``longest``; no hour is lost or repeated.

        The split runs backwards from the end, so the shorter remainder is the earliest
        window, when the fewest posts existed.

        Examples
        --------
        >>> [w.hours for w in Window.covering("2026-01-01", "2026-02-01").split()]
        [72, 672]
        """
        if longest < _HOUR:
            msg = f"a window cannot be split into parts of {longest}; the minimum is one hour"
            raise InvalidWindow(msg)
        step = longest // _HOUR * _HOUR
        bounds = [self.end]
        while bounds[-1] > self.start:
            bounds.append(max(self.start, bounds[-1] - step))
        return tuple(Window(start, end) for start, end in pairwise(reversed(bounds)))

    def __str__(self) -> str:
        return f"{_text(self.start)} to {_text(self.end)} UTC"

    def __repr__(self) -> str:
        return f"Window({self}, {pluralize(self.hours, 'hour')})"


def to_window(window: object) -> Window:
    """Return a window; ``7`` and ``"7d"`` are the last seven complete UTC days.

    >>> to_window(7) == to_window("7d") == Window.last_days(7)
    True
    """
    if isinstance(window, Window):
        return window
    if isinstance(window, str) and (days := _DAYS.fullmatch(window)):
        return Window.last_days(int(days[1]))
    if isinstance(window, Integral) and not isinstance(window, bool):
        return Window.last_days(int(window))
    msg = (
        f"historical() needs a Window, not {window!r}; use Window.covering(start, end), or a "
        "number of complete UTC days, such as 7 or '7d'"
    )
    raise InvalidWindow(msg)


def to_utc(value: object, name: str) -> datetime:
    """Return an aware UTC datetime; a date becomes its midnight."""
    if type(value) is datetime and value.tzinfo is UTC:
        return value
    if isinstance(value, str):
        try:
            value = (
                date.fromisoformat(value)
                if _DATE.fullmatch(value)
                else datetime.fromisoformat(value)
            )
        except ValueError as error:
            msg = f"{name} {value!r} is not a time; write 2026-03-01 or 2026-03-01T09:30:00Z"
            raise InvalidWindow(msg) from error
    if not isinstance(value, date):
        msg = (
            f"{name} {value!r} is a {type(value).__name__}; "
            "pass a date, an aware datetime, or text such as 2026-03-01T09:30:00Z"
        )
        raise InvalidWindow(msg)
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if value.tzinfo is None or value.utcoffset() is None:
        msg = f"{name} {value} has no time zone; add one (Z, or tzinfo=UTC)"
        raise InvalidWindow(msg)
    try:
        utc = value.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        msg = f"{name} {value} cannot be converted to UTC"
        raise InvalidWindow(msg) from error
    return datetime(
        utc.year,
        utc.month,
        utc.day,
        utc.hour,
        utc.minute,
        utc.second,
        utc.microsecond,
        tzinfo=UTC,
    )


def _floor(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
