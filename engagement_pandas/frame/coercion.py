"""The one coercion: any frame that can be cast to the contract without loss.

Every metric, plot, explorer and export casts its counts with :func:`as_counts`. A frame that
satisfies the contract is returned as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.categories import as_types, contract_of
from engagement_pandas.frame.contract import (
    COUNT_COLUMNS,
    TEXT,
    check_counts,
    dtype_name,
)
from engagement_pandas.frame.each_value import read_each, refuse
from engagement_pandas.frame.other_libraries import table_of, to_pandas
from engagement_pandas.frame.parse_numbers import to_hours, to_numbers
from engagement_pandas.frame.parse_times import to_days, to_moments
from engagement_pandas.request.engagement_types import meant_type
from engagement_pandas.request.post_ids import parse_post_id
from engagement_pandas.text import check_digits

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
    dtypes = dict(zip(columns, frame.dtypes.array, strict=True))
    wrong = [n for n, dtype in dtypes.items() if n in _CASTS and dtype_name(dtype) != _NAMES[n]]
    if "post_id" in columns and "post_id" not in wrong and _is_linked(frame["post_id"]):
        wrong.append("post_id")
    named = "engagement_type" in columns and "engagement_type" not in wrong
    if named and _has_synonyms(dtypes["engagement_type"]):
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
        refuse(
            ids,
            wrong.to_numpy(dtype=bool),
            "a float, which does not hold all digits of an ID",
            "read the IDs again as text, as in pd.read_csv(path, dtype={'post_id': str})",
        )
    texts = read_each(ids, _post_id, TEXT)
    check_digits(texts.dropna().unique(), FrameError)
    return texts


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
        refuse(names, wrong.to_numpy(dtype=bool), "not text", "give names such as 'impressions'")
    return as_types(names.astype(TEXT))


def to_engagement_types(names: pd.Series) -> pd.Series:
    """Return engagement types, by any of their names, as a category of those present, in order.

    >>> to_engagement_types(pd.Series(["Likes", "Impressions"])).to_list()
    ['favorites', 'impressions']
    """
    types = to_categories(names)
    if not _has_synonyms(types.dtype):
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


def _has_synonyms(types: Any) -> bool:
    """Return whether a category of engagement types has other names than the contract's."""
    names = types.categories.tolist()
    return any(isinstance(name, str) and meant_type(name) != name for name in names)


def _post_id(value: Any) -> str:
    return parse_post_id(value)
