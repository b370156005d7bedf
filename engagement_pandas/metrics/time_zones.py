"""Time zones: local hours, and the start of a local day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.metrics.coverage import HOUR_US

_INSTANT: Final = timedelta(microseconds=1)


def zone_of(tz: str | tzinfo) -> tzinfo:
    """Return a time zone by its name.

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
    """Return the start of a local day, in UTC.

    If a clock change skips midnight, the day begins with the change; if it repeats midnight,
    with the first one. A day that a zone skipped when it crossed the date line begins with
    the next day.

    >>> first_moment(date(2016, 10, 22), ZoneInfo("Antarctica/Casey")).isoformat()
    '2016-10-21T16:00:00+00:00'
    """
    midnight = datetime.combine(day, time())
    late = midnight.replace(tzinfo=zone).astimezone(UTC)
    if late.astimezone(zone).replace(tzinfo=None) == midnight:
        return late
    # Midnight is after the change by the clock before it, and before it by the clock after.
    early = midnight.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = late.astimezone(zone).utcoffset()
    while late - early > _INSTANT:
        middle = early + (late - early) // 2
        if middle.astimezone(zone).utcoffset() == after:
            late = middle
        else:
            early = middle
    return late


def local_hours(
    moments: NDArray[np.float64], zone: tzinfo
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Convert hours since 1970, UTC, to hours of the local week, and to local hours since 1970.

    The week starts on Monday at midnight.
    """
    stamps = (moments * HOUR_US).round().astype("int64").view("datetime64[us]")
    local = pd.DatetimeIndex(stamps, tz="UTC").tz_convert(zone)
    cell = np.asarray(local.day_of_week * 24 + local.hour, dtype=np.int64)
    clock: NDArray[np.int64] = (
        local.tz_localize(None).as_unit("us").to_numpy().astype("int64") // HOUR_US
    )
    return cell, clock
