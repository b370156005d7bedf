"""Tidy counts of any table: tall or wide, of any library, with any column names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta, tzinfo
from typing import Any, Final

import pandas as pd

from engagement_pandas.errors import FrameError, RequestError, UnsupportedEngagementType
from engagement_pandas.frame.coercion import as_counts, tidy_counts, to_ids
from engagement_pandas.frame.contract import ALWAYS, in_order
from engagement_pandas.frame.other_libraries import to_pandas
from engagement_pandas.frame.parse_numbers import to_hours, to_numbers
from engagement_pandas.frame.parse_times import to_times
from engagement_pandas.request.engagement_types import meant_type, type_of
from engagement_pandas.request.post_files.column_names import ANY_ID, key, roles_of
from engagement_pandas.request.post_files.entry import LONG
from engagement_pandas.sources.creation import check_buckets, check_retrieval
from engagement_pandas.text import format_list, truncated_repr

_TIMES: Final = ("day", "hour", "retrieved_at")
_IN_UTC: Final = "retrievedatutc"
"""Key of the heading that :func:`~engagement_pandas.write_excel` gives times of retrieval."""
_DAY: Final = timedelta(days=1)
_UTC: Final = frozenset({"UTC", "ETC/UTC", "GMT", "Z"})


def counts_from(  # noqa: PLR0913  each has a default
    frame: Any,
    *,
    post_id: str | None = None,
    engagement_type: str | None = None,
    count: str | None = None,
    types: Mapping[str, str] | None = None,
    day: str | None = None,
    hour: str | None = None,
    retrieved_at: str | None = None,
    tz: str | tzinfo = "UTC",
    source: str | None = None,
) -> pd.DataFrame:
    """Make tidy counts of any table, without losing anything.

    Parameters
    ----------
    frame : DataFrame, polars or narwhals frame, DuckDB relation, pyarrow Table
        Tall, with a row per count; or wide, with a column per engagement type.
    post_id, engagement_type, count, day, hour, retrieved_at : str, optional
        Names of columns, by default these names, in any spelling, such as ``Day``. ``post_id``
        holds IDs, or links to posts; by default, it is also found under names such as ``Post ID``,
        ``Tweet id`` or ``Post Link``.
        A column of times may be both ``day`` and ``hour``.
        The index is used too, where it has names.
    types : mapping of str to str, optional
        Of a wide table: the engagement type of each column of counts, such as ``{"Impressions":
        "impressions", "Shares": "retweets"}``. By default, the columns named like an engagement
        type.
    tz : str or tzinfo
        Time zone of ``day`` and ``hour``, if they have none of their own.
    source : str, optional
        Where the counts come from, in your words. Counts of different sources are not added or
        compared.

    Returns
    -------
    DataFrame
        Tidy counts, sorted, with a new ``RangeIndex``: ``post_id``, ``engagement_type``,
        ``retrieved_at``, ``source``, ``day`` and ``hour`` as far as present, and ``count``. Other
        columns are left out; merge them again by ``post_id``. ``attrs`` are kept.

    Raises
    ------
    FrameError
        With row, value and cure, if a cast would lose something: IDs that were floats or end
        alike, counts that are not whole numbers, days of a time zone other than UTC without
        their hours; if a key occurs twice, a column is missing, or a post was counted or
        retrieved before it was created.

    Notes
    -----
    Numbers may be text: ``1,234``, ``424.0``; ``-`` and empty texts are ``<NA>``. Counts that are
    divided further, such as by placement, are summed by you first, with ``groupby``.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "Link": ["https://x.com/bakery/status/2043975803238000001"],
    ...     "Impressions": ["1,234"], "Likes": [7], "Shares": [2], "Profile": ["bakery"],
    ... })
    >>> counts_from(table, types={"Impressions": "impressions", "Shares": "retweets"})
                   post_id engagement_type  count
    0  2043975803238000001     impressions   1234
    1  2043975803238000001        retweets      2
    """
    table = to_pandas(frame)
    if named := [n for n in table.index.names if n is not None and n not in table.columns]:
        table = table.reset_index(named)
    if not table.columns.is_unique:
        twice = format_list(table.columns[table.columns.duplicated()])
        msg = f"the table has the columns {twice} twice; rename or drop one of each"
        raise FrameError(msg)
    given = {
        "post_id": _post_column(table) if post_id is None else post_id,
        "engagement_type": engagement_type,
        "count": count,
        "day": day,
        "hour": hour,
        "retrieved_at": retrieved_at,
    }
    columns = {role: _column(table, role, name) for role, name in given.items()}
    columns = {role: name for role, name in columns.items() if name is not None}
    keys: dict[str, Any] = {
        role: _with_zone(table[name]) for role, name in columns.items() if role not in ALWAYS
    }
    keys |= _utc_times({role: keys[role] for role in _TIMES if role in keys}, tz)
    if "post_id" in keys:
        keys["post_id"] = to_ids(keys["post_id"])
        if post_id is None and key(columns["post_id"]) in ANY_ID:
            _check_long(keys["post_id"])
    if source is not None:
        keys["source"] = source
    elif "source" in table.columns and "source" not in columns.values():
        keys["source"] = table["source"]
    shared = as_counts(pd.DataFrame(keys, index=table.index))
    if types is None and set(ALWAYS) <= columns.keys():
        names = table[columns["engagement_type"]]
        rows = shared.assign(engagement_type=names, count=table[columns["count"]])
    else:
        if types is not None and not isinstance(types, Mapping):
            msg = f"types is {truncated_repr(types)}; write {{'Views': 'impressions', …}}"
            raise FrameError(msg)
        if set(ALWAYS) & columns.keys() and types is not None:
            msg = (
                "types names columns of a wide table, and engagement_type or count one of a tall "
                "table; give either"
            )
            raise FrameError(msg)
        wide = _types_of(table, types, {*columns.values(), *keys})
        parts = [
            shared.assign(engagement_type=type_name, count=to_numbers(table[name]))
            for name, type_name in wide.items()
        ]
        rows = pd.concat(parts, ignore_index=True)
    counts = tidy_counts(rows)
    check_retrieval(counts, _DAY)
    check_buckets(counts)
    counts.attrs = dict(table.attrs)
    return counts


def _post_column(table: pd.DataFrame) -> str | None:
    """Return the column with post IDs, by its usual names."""
    names = tuple(map(str, table.columns))
    try:
        place = roles_of(names).get("post_id")
    except RequestError as error:
        msg = f"{error}, or give post_id"
        raise FrameError(msg) from error
    return None if place is None else table.columns[place]


def _check_long(ids: pd.Series) -> None:
    """Raise if a column that is only called an ID may number the rows."""
    short = ids.str.len() < LONG
    if short.any():
        msg = (
            f"{ids.name!r} in row {ids.index[short][0]} is {ids[short].iloc[0]!r}, too short for a "
            f"post ID; give post_id={ids.name!r} if it is one, or the column with the posts"
        )
        raise FrameError(msg)


def _column(table: pd.DataFrame, role: str, name: str | None) -> str | None:
    """Return the name of a column if it is there; raise if a given one is not.

    Programs may change the case of names, or add a zone of times.
    """
    names = list(table.columns)
    if name is None and role not in names:
        spellings = {key(role), *([_IN_UTC] if role == "retrieved_at" else ())}
        found = [each for each in names if key(each) in spellings]
        if len(found) > 1:
            msg = f"{role} may be any of the columns {format_list(found)}; give {role}=…"
            raise FrameError(msg)
        return next(iter(found), None)
    name = role if name is None else name
    if name in names:  # a list, as names may be lists by mistake
        return name
    msg = f"{role} is {name!r}, and the table has the columns {format_list(names)}"
    raise FrameError(msg)


def _types_of(
    table: pd.DataFrame, types: Mapping[str, str] | None, used: set[Any]
) -> dict[Any, str]:
    """Return the engagement type of each column of counts."""
    found: dict[Any, str] = {}
    if types is None:
        for name in table.columns:
            try:
                found |= {} if name in used else {name: str(type_of(name))}
            except UnsupportedEngagementType:
                continue
    else:
        for name, type_name in types.items():
            _column(table, f"a key of types, for {type_name!r},", name)
            found[name] = meant_type(type_name)
    if not found:
        msg = (
            f"the table has the columns {format_list(table.columns)}, and none is called like an "
            "engagement type; give types={'Views': 'impressions', …} for a wide table, or "
            "engagement_type=… and count=… for a tall one"
        )
        raise FrameError(msg)
    type_names = list(found.values())
    twice = next((each for each in type_names if type_names.count(each) > 1), None)
    if twice:
        both = [name for name, type_name in found.items() if type_name == twice]
        msg = f"the columns {format_list(both)} are all {twice!r}; choose one with types={{…}}"
        raise FrameError(msg)
    columns = {type_name: name for name, type_name in found.items()}
    return {columns[type_name]: type_name for type_name in in_order(type_names)}


def _with_zone(column: pd.Series) -> pd.Series:
    """Return a column; times of retrieval whose heading states UTC are in UTC."""
    return _to_utc(to_times(column), "UTC") if key(column.name) == _IN_UTC else column


def _utc_times(times: Mapping[str, pd.Series], tz: str | tzinfo) -> dict[str, pd.Series]:
    """Return ``day`` and ``hour`` in UTC; ``retrieved_at`` is left as it is."""
    is_utc = str(tz).upper() in _UTC
    if "day" not in times:
        if "hour" in times and not is_utc:
            msg = f"the hours of {tz} are not those of UTC, and their days are missing; give day=…"
            raise FrameError(msg)
        return {}
    day, hour = times["day"], times.get("hour")
    moments = to_times(day)
    zoned = isinstance(moments.dtype, pd.DatetimeTZDtype)
    if hour is None:
        if not (zoned or is_utc):
            msg = (
                f"the days of {tz} begin at other hours than UTC days, and their hours are not "
                "there; give hour=… too, or leave the day out and give totals"
            )
            raise FrameError(msg)
        return {}
    if hour.name != day.name:
        if is_utc and not zoned:
            return {}
        tz = moments.dt.tz if zoned else tz
        moments = _with_hours(moments.dt.tz_localize(None) if zoned else moments, hour)
    utc = _to_utc(moments, tz)
    off = (utc != utc.dt.floor("h")) & utc.notna()
    if off.any():
        msg = (
            f"{day.name!r} in row {utc.index[off][0]} is {day[off].iloc[0]}, not a whole "
            "hour of UTC; sum such counts by whole hours of UTC, or take them by day"
        )
        raise FrameError(msg)
    plain = utc.dt.tz_localize(None)
    return {"day": plain.dt.normalize(), "hour": plain.dt.hour}


def _with_hours(days: pd.Series, hour: pd.Series) -> pd.Series:
    """Return the times of days and hours on the clock; raise if a day has a time of its own.

    Hour 5 of a day on which clocks change is not 5 hours after midnight.
    """
    late = (days != days.dt.normalize()) & days.notna()
    if late.any():
        msg = (
            f"{days.name!r} in row {days.index[late][0]} is {days[late].iloc[0]}, a time, and "
            f"{hour.name!r} is an hour too; give hour={days.name!r} if the time has it"
        )
        raise FrameError(msg)
    hours = pd.to_timedelta(to_hours(hour).astype("int64"), unit="h")
    return pd.Series(days + hours, name=days.name)


def _to_utc(moments: pd.Series, tz: str | tzinfo) -> pd.Series:
    """Return times in UTC; those without a zone are of ``tz``."""
    utc: pd.Series
    if isinstance(moments.dtype, pd.DatetimeTZDtype):
        utc = moments.dt.tz_convert("UTC")
        return utc
    try:
        if not isinstance(tz, str | tzinfo):
            raise TypeError(tz)  # noqa: TRY301 - pandas takes a number as seconds
        utc = moments.dt.tz_localize(tz, ambiguous="NaT", nonexistent="NaT").dt.tz_convert("UTC")
    except (ValueError, TypeError, KeyError) as error:
        msg = f"there is no time zone {tz!r}; write one such as 'Europe/Berlin', or 'UTC'"
        raise FrameError(msg) from error
    lost = utc.isna() & moments.notna()
    if lost.any():
        msg = (
            f"{moments.name!r} in row {utc.index[lost][0]} is {moments[lost].iloc[0]}, which {tz} "
            "has twice, or never; give times in UTC"
        )
        raise FrameError(msg)
    return utc
