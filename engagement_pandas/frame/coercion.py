"""The one coercion: any frame that can be cast to the contract without loss.

Every metric, plot, explorer and export casts its counts with :func:`as_counts`. A frame that
satisfies the contract is returned as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError, InvalidPostId
from engagement_pandas.frame.categories import as_types, contract_of
from engagement_pandas.frame.contract import (
    COUNT_COLUMNS,
    TEXT,
    check_counts,
    dtype_name,
)
from engagement_pandas.frame.other_libraries import table_of, to_pandas
from engagement_pandas.request.engagement_types import meant_type
from engagement_pandas.request.post_ids import parse_post_id
from engagement_pandas.text import check_digits, truncated_repr

NO_COUNT: Final = frozenset(
    {"", "-", "\u2013", "\u2014", "n/a", "na", "nan", "<na>", "none", "null", "--"}
)
"""Texts, in lower case, that stand for an unknown count."""

_MOST: Final = 2**63 - 1
# In 1.000 the dot may separate thousands, so it is not read as 1.
_WHOLE: Final = re.compile(r"(?![+-]?[1-9][0-9]{0,2}\.000\Z)[+-]?[0-9]+(\.0*)?")
# 0,065 is a decimal number, whose comma does not separate thousands.
_GROUPED: Final = re.compile(
    r"[+-]?[1-9][0-9]{0,2}([, '\u00a0\u2009\u202f\u2019])[0-9]{3}(?:\1[0-9]{3})*(\.0*)?"
)
_ON_THE_HOUR: Final = re.compile(r"\s*([0-9]{1,2}):00(?::00)?\s*")
_FROM: Final = "ep.counts_from()"
_NANOSECONDS: Final = (datetime(1678, 1, 1, tzinfo=UTC), datetime(2262, 1, 1, tzinfo=UTC))
_NAMES: Final = {name: dtype_name(dtype) for name, dtype in COUNT_COLUMNS.items()}
"""Names of the dtypes; comparing them is faster than comparing dtypes."""


def as_counts(frame: Any) -> pd.DataFrame:
    """Return counts with the contract's dtypes; the same frame if it has them.

    Further columns are kept. Missing columns are not an error here.

    >>> frame = pd.DataFrame({"engagement_type": ["favorites"], "count": ["1,234"]})
    >>> as_counts(frame).dtypes.astype(str).to_dict()
    {'engagement_type': 'category', 'count': 'Int64'}
    """
    if not isinstance(frame, pd.DataFrame):
        frame = to_pandas(frame)
    columns = list(frame.columns)
    if not frame.columns.is_unique:
        return cast("pd.DataFrame", frame)  # refused by each check, with the names
    # One look at all dtypes: this is the cost of a frame that is tidy.
    wrong = [
        name
        for name, dtype in zip(columns, frame.dtypes.array, strict=True)
        if name in _CASTS and dtype_name(dtype) != _NAMES[name]
    ]
    if "post_id" in columns and "post_id" not in wrong and _is_linked(frame["post_id"]):
        wrong.append("post_id")
    named = "engagement_type" in columns and "engagement_type" not in wrong
    if named and _has_synonyms(frame["engagement_type"]):
        wrong.append("engagement_type")
    if wrong:
        attrs = frame.attrs
        frame = frame.assign(**{name: _CASTS[name](frame[name]) for name in wrong})
        frame.attrs = dict(attrs)
    if all(name in COUNT_COLUMNS for name in columns):
        order = [name for name in COUNT_COLUMNS if name in columns]
        frame = frame if order == columns else frame[order]
    return cast("pd.DataFrame", frame)


def tidy_counts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return counts in the contract's columns and dtypes, sorted and checked; others are dropped.

    >>> frame = pd.DataFrame({"count": ["7", "1"], "engagement_type": ["replies", "favorites"]})
    >>> tidy_counts(frame)["count"].to_list()
    [1, 7]
    """
    order = [name for name in COUNT_COLUMNS if name in frame.columns]
    counts = as_counts(frame[order]).sort_values(order[:-1], ignore_index=True)
    check_counts(counts)
    return counts


def contracted(frame: Any) -> tuple[pd.DataFrame, str]:
    """Return counts, cast if necessary, or omissions; and which of the two they are."""
    if not isinstance(frame, pd.DataFrame) or "reason" not in frame:
        frame = as_counts(frame)
    return frame, contract_of(frame)


def as_posts(posts: Any) -> pd.DataFrame | None:
    """Return a frame of posts with its IDs as text; None if there is none.

    >>> as_posts(pd.DataFrame({"post_id": [7]}))["post_id"].to_list()
    ['7']
    """
    if posts is None:
        return None
    posts = table_of(posts)
    if not isinstance(posts, pd.DataFrame):
        msg = f"posts must be a DataFrame with post_id and text, not a {type(posts).__name__}"
        raise FrameError(msg)
    if "post_id" not in posts.columns:
        columns = [str(name) for name in posts.columns]
        msg = f"posts have no column 'post_id', only {columns}; rename the column with the IDs"
        raise FrameError(msg)
    if posts["post_id"].isna().any():
        msg = "'post_id' of posts is missing in a row; drop that row"
        raise FrameError(msg)
    if posts["post_id"].dtype == TEXT and posts["post_id"].str.isdigit().all():
        return posts
    return posts.assign(post_id=to_ids(posts["post_id"]))


def to_ids(ids: pd.Series) -> pd.Series:
    """Return post IDs as text, out of links and exact integers too.

    >>> to_ids(pd.Series([2043975803238000001])).to_list()
    ['2043975803238000001']
    """
    if pd.api.types.is_float_dtype(ids.dtype):
        wrong = ids.isna() if ids.isna().any() else pd.Series(data=True, index=ids.index)
        _refuse(
            ids,
            wrong.to_numpy(dtype=bool),
            "a float, which does not hold all digits of an ID",
            "read the IDs again as text, as in pd.read_csv(path, dtype={'post_id': str})",
        )
    texts = _each(ids, _post_id, TEXT)
    check_digits(texts.dropna().unique(), FrameError)
    return texts


def to_numbers(counts: pd.Series) -> pd.Series:
    """Return counts as ``Int64``: also whole floats, and texts such as ``1,234`` or ``-``.

    >>> to_numbers(pd.Series(["1,234", "424.0", "-"])).to_list()
    [1234, 424, <NA>]
    """
    if isinstance(counts.dtype, pd.CategoricalDtype):
        counts = counts.astype(counts.dtype.categories.dtype)
    if counts.dtype.kind not in "iuf":
        return _each(counts, _number, pd.Int64Dtype())
    missing = counts.isna().to_numpy(dtype=bool)
    cure = "give the counts themselves, which are whole numbers"
    if pd.api.types.is_float_dtype(counts.dtype):
        values = counts.to_numpy(dtype="float64", na_value=np.nan)
        with np.errstate(invalid="ignore"):
            invalid = ~missing & ~(np.isfinite(values) & (values == np.floor(values)))
        _refuse(counts, invalid, "not a whole number", cure)
        _refuse(
            counts, np.abs(values) > _exact(counts.dtype), "a float that may have lost digits", cure
        )
        integers = np.where(missing, 0, values).astype("int64")
    else:
        if pd.api.types.is_unsigned_integer_dtype(counts.dtype):
            most = counts.to_numpy(dtype="uint64", na_value=0)
            _refuse(counts, most > np.uint64(_MOST), "more than 64 bits hold", cure)
        integers = counts.to_numpy(dtype="int64", na_value=0)
        _refuse(counts, integers < -_MOST, "more than 64 bits hold", cure)
    return pd.Series(pd.arrays.IntegerArray(integers, missing), counts.index, name=counts.name)


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
        _refuse(
            moments,
            np.ones(len(moments), dtype=bool),
            "a time without a time zone",
            f"name it: frame[{moments.name!r}].dt.tz_localize('UTC')",
        )
        parsed = parsed.dt.tz_localize("UTC")  # of no rows
    return cast("pd.Series", parsed.dt.tz_convert("UTC").astype("datetime64[us, UTC]"))


def to_hours(hours: pd.Series) -> pd.Series:
    """Return hours as ``int8``; also times of the clock at whole hours.

    >>> to_hours(pd.Series(["07", "23:00"])).to_list()
    [7, 23]
    """
    is_number = pd.api.types.is_numeric_dtype(hours.dtype)
    numbers = to_numbers(hours if is_number else hours.astype(object).map(_clock_hour))
    cure = "an hour is a whole number from 0 to 23, UTC"
    _refuse(hours, numbers.isna().to_numpy(dtype=bool), "missing", cure)
    values = numbers.to_numpy(dtype="int64")
    _refuse(hours, (values < 0) | (values > 23), "not an hour", cure)  # noqa: PLR2004 - the last
    return pd.Series(values.astype("int8"), hours.index, name=hours.name)


def to_categories(names: pd.Series) -> pd.Series:
    """Return engagement types or sources as a category of those present, in order.

    >>> to_categories(pd.Series(["url_clicks", "impressions"])).cat.categories.to_list()
    ['impressions', 'url_clicks']
    """
    if isinstance(names.dtype, pd.CategoricalDtype):
        names = names.astype(names.dtype.categories.dtype)
    invalid = [not isinstance(name, str) and not pd.isna(name) for name in names.unique()]
    if any(invalid):
        wrong = names.map(lambda name: not isinstance(name, str) and not pd.isna(name))
        _refuse(names, wrong.to_numpy(dtype=bool), "not text", "give names such as 'impressions'")
    return as_types(names.astype(TEXT))


def to_engagement_types(names: pd.Series) -> pd.Series:
    """Return engagement types, by any of their names, as a category of those present, in order.

    >>> to_engagement_types(pd.Series(["Likes", "Impressions"])).to_list()
    ['favorites', 'impressions']
    """
    types = to_categories(names)
    if not _has_synonyms(types):
        return types
    meant = {name: meant_type(name) for name in types.cat.categories}
    return as_types(types.astype(TEXT).map(meant).astype(TEXT))


_CASTS: Final[Mapping[str, Callable[[pd.Series], pd.Series]]] = MappingProxyType(
    {
        "post_id": to_ids,
        "engagement_type": to_engagement_types,
        "retrieved_at": to_moments,
        "source": to_categories,
        "day": to_days,
        "hour": to_hours,
        "count": to_numbers,
    }
)


def _is_linked(ids: pd.Series) -> bool:
    """Return whether IDs are in links or another notation; the first one decides."""
    return len(ids) > 0 and not str(ids.iloc[0]).isdigit()


def _has_synonyms(types: pd.Series) -> bool:
    """Return whether engagement types, a category, have other names than the contract's."""
    names = types.cat.categories
    return any(isinstance(name, str) and meant_type(name) != name for name in names)


def _each(values: pd.Series, read: Callable[[Any], Any], dtype: Any) -> pd.Series:
    """Return each value as read; each distinct value is read once."""
    codes, level = _distinct(values)
    texts = []
    for place, value in enumerate(level):
        try:
            texts.append(read(value))
        except (FrameError, InvalidPostId) as error:
            row = values.index[int(np.flatnonzero(codes == place)[0])]
            msg = f"{values.name!r} in row {row}: {error}"
            raise FrameError(msg) from error
    read_values = pd.array([*texts, None], dtype=dtype)
    return pd.Series(read_values.take(codes), values.index, name=values.name)


def _distinct(values: pd.Series) -> tuple[NDArray[np.intp], Any]:
    """Return the place of each value among the distinct ones, -1 if missing; and these."""
    try:
        return pd.factorize(values.astype(object))
    except TypeError:  # lists and the like
        return np.arange(len(values)), values.to_numpy(dtype=object)


def _post_id(value: Any) -> str:
    return parse_post_id(value)


def _clock_hour(value: Any) -> Any:
    """Return the hour of a time such as 07:00, and other values as they are."""
    found = _ON_THE_HOUR.fullmatch(str(value)) if isinstance(value, str | time) else None
    return int(found[1]) if found else value


def _exact(dtype: Any) -> int:
    """Return the largest integer that no other integer is rounded to by a type of floats.

    >>> _exact(pd.Float32Dtype()), _exact(float) == 2**53 - 1
    (16777215, True)
    """
    plain: Any = getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype))
    return int(2 ** (np.finfo(plain).nmant + 1)) - 1


def _number(value: Any) -> int | None:
    """Return a count as an integer; None if it stands for an unknown one."""
    if isinstance(value, bool | np.bool_):
        msg = f"{value!r} is not a count"
        raise FrameError(msg)
    if isinstance(value, int | np.integer):
        number = int(value)
    elif isinstance(value, float | np.floating | Decimal):
        most: int = _MOST if isinstance(value, Decimal) else _exact(type(value))
        if not -most <= value <= most:
            msg = f"{value!r} is a number that 64 bits do not hold, or a float without all digits"
            raise FrameError(msg)
        if value != value // 1:
            msg = f"{value!r} is not a whole number; give the counts themselves"
            raise FrameError(msg)
        number = int(value)
    elif isinstance(value, str):
        text = value.strip().lower()
        if text in NO_COUNT:
            return None
        if not (_WHOLE.fullmatch(text) or _GROUPED.fullmatch(text)):
            msg = (
                f"{truncated_repr(value)} is not a whole number such as 1234 or '1,234'; give the "
                "counts themselves"
            )
            raise FrameError(msg)
        number = int(re.sub(r"[^0-9+-]", "", text.partition(".")[0]))
    else:
        msg = f"{truncated_repr(value)} is not a count"
        raise FrameError(msg)
    if not -_MOST <= number <= _MOST:
        msg = f"{number} is more than 64 bits hold"
        raise FrameError(msg)
    return number


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
        _refuse(values, np.ones(len(values), dtype=bool), "a number, not a time", cure)
    codes, distinct = _distinct(values)
    level = [*map(_moment, distinct)]
    parsed = parse_iso(pd.Series([*level, None], dtype=object))
    _refuse(values, (codes >= 0) & parsed.isna().to_numpy()[codes], "not a time", cure)
    zones = [_zone(value) for value in level]
    naive = np.array([*(zone is None for zone in zones), True])
    times = pd.Series(parsed.array.take(codes), values.index, name=values.name)
    if naive.all():
        return times.dt.tz_localize(None)
    words = "a time without a time zone, among others with one"
    _refuse(values, (codes >= 0) & naive[codes], words, cure)
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


def _refuse(values: pd.Series, wrong: NDArray[np.bool_], what: str, cure: str) -> None:
    """Raise for the first wrong value, with its row."""
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        found = values.iloc[place]
        value = truncated_repr(found.item() if isinstance(found, np.generic) else found)
        msg = f"{values.name!r} in row {values.index[place]} is {value}, {what}; {cure}"
        raise FrameError(msg)
