"""Counts with an index by post, type and hour, for repeated filtering."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.frame.coercion import as_posts
from engagement_pandas.frame.contract import TEXT, check_counts, in_order
from engagement_pandas.metrics.age import made_at
from engagement_pandas.metrics.coverage import HOUR_US, hours
from engagement_pandas.metrics.time_zones import first_moment, zone_of

NAMING: Final = ("handle", "text")
"""Columns of a frame of posts that identify a post for a reader."""


@dataclass(frozen=True, slots=True, eq=False)
class IndexedCounts:
    """Counts with the post, type and hour of each row as numbers; made by :meth:`of`.

    ``counts`` are tidy counts of any grouping. ``posts`` has one row per post in the counts, oldest
    first: ``post_id``, ``handle`` and ``text`` (``str``, missing if unknown), ``created_at``
    (``datetime64[us, UTC]``). ``types`` has the types present, in the order of the vocabulary.
    """

    counts: pd.DataFrame
    posts: pd.DataFrame
    types: tuple[str, ...]
    _post: NDArray[np.int64]
    _type: NDArray[np.int64]
    _hour: NDArray[np.int64] | None

    @classmethod
    def of(cls, counts: pd.DataFrame, posts: pd.DataFrame | None = None) -> IndexedCounts:
        """Index tidy counts of any grouping.

        ``posts`` has ``post_id`` and optionally ``handle`` and ``text``.
        """
        check_counts(counts)
        posts = as_posts(posts)
        counts = counts.reset_index(drop=True)
        counts["engagement_type"] = counts["engagement_type"].cat.remove_unused_categories()
        types = counts["engagement_type"]
        present = in_order(types.unique())
        place = {name: number for number, name in enumerate(present)}
        codes = np.array([place.get(str(n), -1) for n in types.cat.categories], dtype=np.int64)
        post, ids = _by_age(counts)
        return cls(
            counts=counts,
            posts=_named(ids, posts),
            types=tuple(present),
            _post=post,
            _type=codes[types.cat.codes.to_numpy()] if len(counts) else codes[:0],
            _hour=hours(counts) if "day" in counts.columns else None,
        )

    def days(self, tz: str, last: int | None = None) -> tuple[date, date] | None:
        """Return the first and last local day with counts, or None if counts have no days.

        With ``last``, the first day is the one in which the last so many hours begin.
        """
        if self._hour is None or not len(self._hour):
            return None
        first, end = self._hour.min(), self._hour.max()
        if last is not None:
            counted = 1 if "hour" in self.counts.columns else 24
            first = max(first, end + counted - last)
        ends = np.array([first, end]) * HOUR_US
        local = pd.DatetimeIndex(ends.view("datetime64[us]"), tz="UTC").tz_convert(zone_of(tz))
        return local[0].date(), local[1].date()

    def picked(
        self,
        posts: Iterable[str],
        types: Iterable[str],
        *,
        first: date | None = None,
        last: date | None = None,
        tz: str = "UTC",
    ) -> pd.DataFrame:
        """Return the counts of some posts, types and local days.

        ``posts`` is ignored if the counts have no post IDs. ``first`` and ``last`` are both
        inclusive, in the time zone ``tz``; an hour belongs to the day in which it starts. The tidy
        counts have a new ``RangeIndex`` and only the categories that occur.
        """
        keep = np.ones(len(self.counts), dtype=np.bool_)
        of_type = np.isin(self.types, list(types))
        if not of_type.all():
            keep &= of_type[self._type]
        of_post = self.posts["post_id"].isin(list(posts)).to_numpy()
        if not of_post.all():
            keep &= of_post[self._post]
        if self._hour is not None:
            if first is not None:
                keep &= self._hour >= _midnight(first, tz)
            if last is not None:
                keep &= self._hour < _midnight(last + timedelta(days=1), tz)
        if keep.all():
            return self.counts.reset_index(drop=True)  # pandas 2 shares a shallow copy
        rows = self.counts[keep].reset_index(drop=True)
        rows["engagement_type"] = rows["engagement_type"].cat.remove_unused_categories()
        return rows


def _by_age(counts: pd.DataFrame) -> tuple[NDArray[np.int64], list[str]]:
    """Return the position of each row's post, and the posts, oldest first."""
    if "post_id" not in counts.columns:
        return np.zeros(len(counts), dtype=np.int64), []
    codes, names = pd.factorize(counts["post_id"])
    ids = [str(name) for name in names]
    order = sorted(range(len(ids)), key=lambda place: (int(ids[place]), ids[place]))
    rank = np.empty(len(ids), dtype=np.int64)
    rank[order] = np.arange(len(ids))
    return rank[codes], [ids[place] for place in order]


def _named(ids: list[str], posts: pd.DataFrame | None) -> pd.DataFrame:
    frame = pd.DataFrame({"post_id": pd.Series(ids, dtype=TEXT)})
    known = None if posts is None else posts.drop_duplicates("post_id").set_index("post_id")
    for name in NAMING:
        named = known is not None and name in known.columns
        texts = known[name].reindex(ids).array if named else [None] * len(ids)  # type: ignore[index]
        frame[name] = pd.Series(texts, dtype=TEXT)
    return frame.assign(created_at=made_at(frame["post_id"]))


def _midnight(day: date, tz: str) -> int:
    """Return the first hour that starts in a local day, in hours since 1970 (UTC)."""
    return math.ceil(first_moment(day, zone_of(tz)).timestamp() / 3600)
