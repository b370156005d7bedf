"""Check the counts passed to a metric or plot.

Columns, dtypes and rows are checked, not each ID. Further columns are allowed, so that counts
can be merged with other data about the posts and grouped by it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError, UnsupportedEngagementType
from engagement_pandas.frame.contract import (
    ALWAYS,
    COUNT_COLUMNS,
    check_rows,
    dtype_name,
    is_hashable,
)
from engagement_pandas.metrics.coverage import SUMMED
from engagement_pandas.request.engagement_types import name_key, type_of
from engagement_pandas.text import format_list
from engagement_pandas.vocabulary.count_sources import SOURCES
from engagement_pandas.vocabulary.dimensions import Dimension

_DIMENSIONS: Final = {dimension.column: str(dimension) for dimension in Dimension}
_MOST: Final = 2**63 - 1


def require_columns(counts: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Raise if counts lack a column, repeat a row, or could overflow a sum.

    Return the counts, with ``post_id`` as a category: each ID's text is processed only once.

    >>> import engagement_pandas as ep
    >>> require_columns(ep.flatten_json({"g": {"1": {"impressions": "5"}}}))["post_id"].dtype.name
    'category'
    """
    need_columns(counts, *names)
    check_one_source(counts)
    refuse_beyond(counts["count"])
    return counts if SUMMED in counts.columns else check_rows(counts, apart=())


def check_one_source(counts: pd.DataFrame) -> None:
    """Raise if counts are of several sources, since their types do not mean the same.

    >>> both = pd.Categorical(["x_lookup_organic", "x_lookup_public"])
    >>> check_one_source(pd.DataFrame({"source": both}))
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: the counts are of several sources: 'x_lookup_organic' ...
    """
    if "source" not in counts.columns or not len(counts):
        return
    codes = counts["source"].cat.codes.to_numpy()
    if (codes == codes[0]).all() and codes[0] >= 0:
        return
    names = [str(name) for name in counts["source"].dropna().unique()]
    if (codes < 0).any():
        names.append("")
    msg = (
        f"the counts are of several sources: {'; '.join(map(source_meaning, names))}. These do not "
        "mean the same and are not added or compared; keep one with counts[counts['source'] == …]"
    )
    raise FrameError(msg)


def source_meaning(name: str) -> str:
    """Return a source in words.

    >>> source_meaning("x_lookup_organic")
    "'x_lookup_organic' (organic metrics of a post; impressions: organic)"
    """
    if not name:
        return "no source (the Engagement API, or not known)"
    facts = SOURCES.get(name)
    return f"{name!r} ({facts.meaning}; impressions: {facts.impressions})" if facts else repr(name)


def refuse_beyond(numbers: pd.Series) -> None:
    """Raise if sums of these numbers might exceed 64 bits.

    >>> refuse_beyond(pd.Series([2**62, 2**62], dtype="Int64"))
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: the counts add up to more than 64 bits hold; ...
    """
    values = numbers.to_numpy(dtype="int64", na_value=0)
    if not len(values) or max(-int(values.min()), int(values.max())) < _MOST // len(values):
        return
    if sum(abs(int(value)) for value in values) > _MOST:
        msg = "the counts add up to more than 64 bits hold; check them, or take fewer"
        raise FrameError(msg)


def need_columns(counts: pd.DataFrame, *names: str) -> None:
    """Raise if counts lack a column, or a column has another dtype.

    ``engagement_type`` and ``count`` are always required.

    >>> need_columns(pd.DataFrame({"count": [5]}))
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: counts lack the column 'engagement_type'; ...
    """
    if not isinstance(counts, pd.DataFrame):
        msg = f"counts are a DataFrame, not a {type(counts).__name__}; see flatten()"
        raise FrameError(msg)
    if not counts.columns.is_unique:
        twice = format_list(counts.columns[counts.columns.duplicated()])
        msg = f"counts have the columns {twice} twice; drop one of each"
        raise FrameError(msg)
    for name in (*ALWAYS, *names):
        if name not in counts.columns:
            there = format_list(counts.columns)
            msg = f"counts lack the column {name!r}; {_cure(counts, name)}; there are {there}"
            raise FrameError(msg)
    for name in set(COUNT_COLUMNS).intersection(counts.columns):
        dtype, meant = dtype_name(counts[name].dtype), dtype_name(COUNT_COLUMNS[name])
        if dtype != meant:
            msg = (
                f"{name!r} is {dtype}, not {meant}; "
                "flatten(), read_parquet() and read_csv() return it so"
            )
            raise FrameError(msg)


def _cure(counts: pd.DataFrame, name: str) -> str:
    """Return what to do about a column that counts lack."""
    if name in counts.index.names:
        return "it is in the index: give counts.reset_index()"
    if name not in _DIMENSIONS or name in map(str.lower, map(str, counts.columns)):
        return "ep.counts_from(frame, …) converts a table with other names"
    if name in {"day", "hour"} and "source" in counts.columns and len(counts):
        source = f"those of {str(counts['source'].iloc[0])!r}"
        if "day" in counts.columns:
            return f"{source} are by day"
        return f"{source} are totals, of which growth() compares several readings"
    return f"group by {_DIMENSIONS[name]!r} too"


def keys(counts: pd.DataFrame, by: str | Iterable[str] | None) -> list[str]:
    """Return the columns to group by, as a list.

    >>> import engagement_pandas as ep
    >>> keys(ep.flatten_json({"g": {"impressions": {"2026-03-01": "5"}}}), "day")
    ['day']
    """
    given = [] if by is None else [by] if isinstance(by, str) else by
    names = list(given) if isinstance(given, Iterable) else [given]
    for place, name in enumerate(names):
        if (
            not isinstance(name, str)
            or name == "count"
            or name not in counts.columns
            or name in names[:place]
        ):
            there = format_list(column for column in counts.columns if column != "count")
            msg = (
                f"by is {by!r}; name columns of the counts, each once: {there}; or of posts=…, a "
                "frame with post_id"
            )
            raise FrameError(msg)
        if not is_hashable(counts[name]):
            msg = f"by is {by!r}, and {name!r} holds lists or similar values; convert them to text"
            raise FrameError(msg)
    return names


def refuse_taken(names: Collection[str], results: Iterable[str]) -> None:
    """Raise if a column to group by is named like one that the metric adds.

    >>> refuse_taken(["rate"], ["rate", "low"])
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: the result has its own column 'rate', so it cannot be ...
    """
    taken = [name for name in results if name in names]
    if taken:
        name = taken[0]
        msg = (
            f"the result has its own column {name!r}, so it cannot be grouped by yours; rename "
            f"yours: frame.rename(columns={{{name!r}: 'my_{name}'}})"
        )
        raise FrameError(msg)


def known_type(counts: pd.DataFrame, name: str) -> str:
    """Return the engagement type for a name or label.

    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"impressions": "5"}})
    >>> known_type(counts, "impresions")
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: there is no engagement type 'impresions'; ...
    >>> known_type(counts, "Link clicks")
    'url_clicks'
    """
    present = [str(known) for known in counts["engagement_type"].cat.categories]
    if str(name) in present:
        return str(name)
    for known in present:
        if name_key(known) == name_key(name):
            return known
    try:
        return str(type_of(name))
    except UnsupportedEngagementType as error:
        msg = f"{error} (counts have {present})"
        raise FrameError(msg) from error


def filter_types(counts: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Return the rows of the given engagement types; the same frame if that is all rows.

    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"impressions": "5", "favorites": "2"}})
    >>> filter_types(counts, ["favorites"])["count"].to_list()
    [2]
    """
    wanted = is_of_types(counts, names)
    return counts if wanted.all() else counts[wanted]


def is_of_types(counts: pd.DataFrame, names: Iterable[str]) -> NDArray[np.bool_]:
    """Return which rows are of the given engagement types.

    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"impressions": "5", "favorites": "2"}})
    >>> is_of_types(counts, ["favorites"]).tolist()
    [False, True]
    """
    types = counts["engagement_type"].cat
    codes = types.codes.to_numpy()
    wanted = np.zeros(len(codes), dtype=np.bool_)
    for name in {known_type(counts, name) for name in names}.intersection(types.categories):
        wanted |= codes == types.categories.get_loc(name)
    return wanted


def one_type(counts: pd.DataFrame, name: str | None) -> pd.DataFrame:
    """Return the rows of one engagement type; the name is optional if there is only one.

    >>> import engagement_pandas as ep
    >>> len(one_type(ep.flatten_json({"g": {"impressions": "5"}}), None))
    1
    """
    present = [str(known) for known in counts["engagement_type"].unique()]
    if name is None:
        if len(present) > 1:
            msg = f"counts have the engagement types {present}; name one as engagement_type"
            raise FrameError(msg)
        return counts
    return filter_types(counts, [counted_type(counts, name)])


def counted_type(counts: pd.DataFrame, name: str) -> str:
    """Return the engagement type for a name; raise if only other types have rows.

    >>> import engagement_pandas as ep
    >>> counted_type(ep.flatten_json({"g": {"impressions": "5"}}), "favorites")
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: counts have no 'favorites', only ['impressions']; ...
    """
    name = known_type(counts, name)
    present = [str(known) for known in counts["engagement_type"].unique()]
    if name not in present and present:
        msg = f"counts have no {name!r}, only {present}; request it, or name one of those"
        raise FrameError(msg)
    return name
