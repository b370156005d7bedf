"""Days and times in any notation, as datetimes."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from typing import Any, Final, cast

import numpy as np
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.each_value import distinct, refuse

_FROM: Final = "ep.counts_from()"

_NANOSECONDS: Final = (datetime(1678, 1, 1, tzinfo=UTC), datetime(2262, 1, 1, tzinfo=UTC))


def to_days(days: pd.Series) -> pd.Series:
    """Return UTC days as ``datetime64[us]``.

    >>> to_days(pd.Series(["2026-03-01"])).to_list()
    [Timestamp('2026-03-01 00:00:00')]
    """
    moments = to_times(days)
    if isinstance(moments.dtype, pd.DatetimeTZDtype):
        if str(moments.dt.tz) not in {"UTC", "Etc/UTC", "UTC+00:00"}:
            msg = (
                f"'day' holds days of {moments.dt.tz}, as in row {moments.index[0]}, "
                f"{moments.iloc[0]}; the contract has UTC days: take {_FROM} with the hours, "
                f"as counts_from(frame, day={str(days.name)!r}, hour={str(days.name)!r})"
            )
            raise FrameError(msg)
        moments = moments.dt.tz_localize(None)
    return cast("pd.Series", moments.astype("datetime64[us]"))


def to_moments(moments: pd.Series) -> pd.Series:
    """Return moments with a time zone as ``datetime64[us, UTC]``.

    >>> to_moments(pd.Series(["2026-03-01T09:30:00+01:00"])).to_list()
    [Timestamp('2026-03-01 08:30:00+0000', tz='UTC')]
    """
    parsed = to_times(moments)
    if not isinstance(parsed.dtype, pd.DatetimeTZDtype):
        refuse(
            moments,
            np.ones(len(moments), dtype=bool),
            "a time without a time zone",
            f"name it: frame[{moments.name!r}].dt.tz_localize('UTC')",
        )
        parsed = parsed.dt.tz_localize("UTC")  # of no rows
    return cast("pd.Series", parsed.dt.tz_convert("UTC").astype("datetime64[us, UTC]"))


def to_times(values: pd.Series) -> pd.Series:
    """Return datetimes, also from texts and dates."""
    if isinstance(values.dtype, pd.ArrowDtype):
        values = values.astype(object)
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.dtype.categories.dtype)
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values
    cure = f"write days as 2026-03-01 and times as 2026-03-01T09:30:00Z, or see {_FROM}"
    if pd.api.types.is_numeric_dtype(values.dtype):
        refuse(values, np.ones(len(values), dtype=bool), "a number, not a time", cure)
    codes, level = distinct(values)
    level = [*map(_moment, level)]
    parsed = parse_iso(pd.Series([*level, None], dtype=object))
    refuse(values, (codes >= 0) & parsed.isna().to_numpy()[codes], "not a time", cure)
    zones = [_zone(value) for value in level]
    naive = np.array([*(zone is None for zone in zones), True])
    times = pd.Series(parsed.array.take(codes), values.index, name=values.name)
    if naive.all():
        return times.dt.tz_localize(None)
    words = "a time without a time zone, among others with one"
    refuse(values, (codes >= 0) & naive[codes], words, cure)
    return times if len(set(map(str, zones))) > 1 else times.dt.tz_convert(zones[0])


def parse_iso(values: pd.Series) -> pd.Series:
    """Return ISO 8601 texts and dates as ``datetime64[us, UTC]``, and others as ``NaT``.

    What has no time zone is read as UTC.

    >>> parse_iso(pd.Series(["0999-12-31", "2026-03-01T09:30:00+01:00", "1 March"])).to_list()
    [Timestamp('0999-12-31 00:00:00+0000', tz='UTC'),
     Timestamp('2026-03-01 08:30:00+0000', tz='UTC'), NaT]
    """
    moments: Any = pd.to_datetime(values, format="ISO8601", utc=True, errors="coerce")
    moments = moments.astype("datetime64[us, UTC]")
    # pandas 2 parses to nanoseconds, which span the years from 1678 to 2261.
    lost = values[moments.isna() & values.notna()].map(_distant)
    if lost.notna().any():
        moments.loc[lost.index] = pd.Series(lost, dtype=moments.dtype)
    return cast("pd.Series", moments)


def _moment(value: Any) -> Any:
    """Return a value that may be a time; months, weeks, years and numbers are none.

    >>> _moment("2026-09"), _moment(pd.Period("2026-09-01", "D"))
    ('', Timestamp('2026-09-01 00:00:00'))
    """
    if isinstance(value, pd.Period):
        return value.start_time if value.freqstr in {"D", "h"} else ""
    if isinstance(value, str):
        text = value.strip()
        return text if len(text) >= len("20260901") else ""
    return value if isinstance(value, date | np.datetime64) else ""


def _distant(value: Any) -> datetime | None:
    """Return a time in UTC if it is too far away for nanoseconds."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    aware = moment.replace(tzinfo=moment.tzinfo or UTC)
    return None if _NANOSECONDS[0] < aware < _NANOSECONDS[1] else aware


def _zone(value: Any) -> tzinfo | None:
    """Return the time zone of an ISO 8601 text or a datetime."""
    if isinstance(value, str) and not any(sign in value[8:] for sign in "Zz+-"):
        return None  # faster than parsing it
    return getattr(pd.Timestamp(value), "tzinfo", None)
