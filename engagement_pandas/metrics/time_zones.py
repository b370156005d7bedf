"""Time zones, and the first moment of a local day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from engagement_pandas.errors import FrameError

_INSTANT: Final = timedelta(microseconds=1)


def zone_of(tz: str | tzinfo) -> tzinfo:
    """Return a time zone by its name.

    Examples
    --------
    >>> zone_of("Europe/Berlin")
    zoneinfo.ZoneInfo(key='Europe/Berlin')
    """
    try:
        named = tz if isinstance(tz, str) else getattr(tz, "zone", None)  # pytz has names
        return ZoneInfo(named) if named is not None else _aware(tz)
    except (KeyError, ValueError, TypeError, OSError) as error:
        msg = f"there is no time zone {tz!r}; write one such as 'Europe/Berlin', or 'UTC'"
        raise FrameError(msg) from error


def _aware(tz: str | tzinfo) -> tzinfo:
    if not isinstance(tz, tzinfo):
        raise TypeError(tz)
    return tz


def first_moment(day: date, zone: tzinfo) -> datetime:
    """Return the first moment of a local day, in UTC.

    Where a clock change takes midnight away, the day begins with the change; where it gives
    midnight twice, with the first of them. A day that a zone left out, as those that crossed
    the date line did, begins with the next one.

    Examples
    --------
    >>> first_moment(date(2016, 10, 22), ZoneInfo("Antarctica/Casey")).isoformat()
    '2016-10-21T16:00:00+00:00'
    """
    midnight = datetime.combine(day, time())
    late = midnight.replace(tzinfo=zone).astimezone(UTC)
    if late.astimezone(zone).replace(tzinfo=None) == midnight:
        return late
    # Read with the clocks of before and of after the change, it is after and before it.
    early = midnight.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = late.astimezone(zone).utcoffset()
    while late - early > _INSTANT:
        middle = early + (late - early) // 2
        if middle.astimezone(zone).utcoffset() == after:
            late = middle
        else:
            early = middle
    return late
