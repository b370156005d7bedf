"""Columns of posts as keys of counts: ``by="kind"`` with ``posts=``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final, cast

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_posts
from engagement_pandas.frame.contract import TEXT, is_hashable
from engagement_pandas.frame.other_libraries import table_of
from engagement_pandas.metrics.group_sums import factorized

_NULLABLE: Final = {"b": "boolean", "i": "Int64", "u": "UInt64"}
"""Dtypes that can have missing values, by numpy's kinds of those that cannot."""


def read_once(by: str | Iterable[str] | None) -> str | Iterable[str] | None:
    """Return the columns to group by; those of an iterator as a list.

    >>> read_once(name for name in ("kind", "handle"))
    ['kind', 'handle']
    """
    return list(by) if isinstance(by, Iterator) else by


def look_up(counts: pd.DataFrame, by: str | Iterable[str] | None, posts: Any) -> pd.DataFrame:
    """Return counts with the columns of ``by`` that only a frame of posts has.

    Counts of a post that is not in ``posts`` have no value. What neither has is an error of
    :func:`~engagement_pandas.metrics.checks.keys`.

    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"7": {"favorites": "5"}, "8": {"favorites": "2"}}})
    >>> posts = pd.DataFrame({"post_id": ["8", "7"], "kind": ["reply", "post"]})
    >>> look_up(counts, "kind", posts)["kind"].to_list()
    ['post', 'reply']
    """
    names = [by] if isinstance(by, str) else by if isinstance(by, Collection) else ()
    posts = table_of(posts)
    if not isinstance(posts, pd.DataFrame):
        return counts
    missing = [n for n in names if isinstance(n, str) and n not in counts.columns]
    wanted = list(dict.fromkeys(name for name in missing if name in posts))
    if not wanted:
        return counts
    for name, frame in (("the counts", counts), ("posts", posts)):
        if "post_id" not in frame.columns:
            msg = f"by is {by!r}, a column of posts, and {name} have no post_id; add it"
            raise FrameError(msg)
    for name in wanted:
        if not is_hashable(posts[name]):
            msg = f"{name!r} of posts holds lists or similar values; convert them to text"
            raise FrameError(msg)
    rows = cast("pd.DataFrame", as_posts(posts))
    table = rows[["post_id", *wanted]].drop_duplicates()
    twice = table["post_id"].duplicated()
    if twice.any():
        post, columns = table.loc[twice, "post_id"].iloc[0], " and ".join(map(repr, wanted))
        msg = f"post {post} has two values of {columns} in posts; keep one"
        raise FrameError(msg)
    places, level = factorized(counts["post_id"])
    every = pd.Index(level).astype(TEXT)
    if not every.isin(table["post_id"]).all():
        dtypes = {n: _NULLABLE[d.kind] for n, d in table.dtypes.items() if d.kind in _NULLABLE}
        table = table.astype(dtypes)
    values = table.set_index("post_id").reindex(every)
    found = {name: values[name].array.take(places) for name in wanted}
    looked_up = counts.assign(**found)
    looked_up.attrs = dict(counts.attrs)
    return looked_up
