"""Which counts to expect: those of every post, from the hour of its creation on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.contract import TEXT, further
from engagement_pandas.frame.other_libraries import table_of
from engagement_pandas.metrics.age import made_hour
from engagement_pandas.metrics.coverage import DAY_HOURS, SIDE, SUMMED, complete_days
from engagement_pandas.metrics.group_sums import coded
from engagement_pandas.request.post_ids import parse_post_id, parse_post_ids

_TYPE = "engagement_type"
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ExpectedCounts:
    """The posts of each group of series, and when each of them begins to have counts.

    ``groups`` has the values of the keys except the engagement type; each row is a group. A
    member is a post, or further keys if counts have no posts.

    - ``group``: the group of each member.
    - ``born``: its creation time in hours since 1970, UTC; minus infinity if unknown.
    - ``member``: the member of each row of the counts.
    - ``types``: how many engagement types each member should have in a series.
    - ``step``: hours in a bucket of the counts.
    - ``summed``: the number of counts in each row, if rows are partial sums.
    """

    groups: pd.DataFrame
    group: Places
    born: NDArray[np.float64]
    member: Places
    types: int
    step: int
    summed: Places | None = None

    @classmethod
    def of(cls, counts: pd.DataFrame, names: Sequence[str], posts: Any = None) -> ExpectedCounts:
        """Find the posts of each series; there is one for each value of the keys ``names``.

        ``posts`` are further posts for which counts are expected.
        """
        keys = [name for name in names if name != _TYPE]
        whose = owners(counts)
        together = [*keys, *(name for name in whose if name not in keys)]
        code, members = coded(counts, together)
        if posts is not None:
            members = _with(members, posts, keys)
        group, groups = coded(members, keys)
        born = np.full(len(members), -np.inf)
        if whose == ["post_id"]:
            code_of, names_of = pd.factorize(members["post_id"])
            born = np.nan_to_num(made_hour(pd.Index(names_of)), nan=-np.inf)[code_of]
        types = 1 if _TYPE in names else counts[_TYPE].nunique()
        step = DAY_HOURS if "day" in counts.columns and "hour" not in counts.columns else 1
        summed = counts[SUMMED].to_numpy() if SUMMED in counts.columns else None
        return cls(groups, group, born, code, types, step, summed)

    def of_keys(self, table: pd.DataFrame) -> Places:
        """Return the group of each row of a table of keys."""
        names = list(self.groups.columns)
        if not names or not len(table):
            return np.zeros(len(table), dtype=np.int64)
        all_, some = (
            pd.MultiIndex.from_frame(frame[names]) if len(names) > 1 else pd.Index(frame[names[0]])
            for frame in (self.groups, table)
        )
        return np.asarray(all_.get_indexer(some), dtype=np.int64)

    def alive(self, starts: Places) -> NDArray[Any]:
        """Return whether each row's post existed by then; for sums, the number of counts."""
        if self.summed is not None:
            return self.summed
        if not len(starts) or self.born.max() < starts.min() + self.step:
            return np.ones(len(starts), dtype=np.bool_)
        return starts > (self.born - self.step)[self.member]

    def full(self, counts: pd.DataFrame, starts: Places) -> NDArray[Any]:
        """Return :meth:`alive`, without the days of an account that were not over."""
        alive, over = self.alive(starts), complete_days(counts)
        return alive if over is None else alive & over

    def since(self) -> NDArray[np.float64]:
        """Return the creation time of the first post of each group."""
        first = np.full(len(self.groups), np.inf)
        np.minimum.at(first, self.group, self.born)
        return first

    def expected(self, bounds: Places) -> Places:
        """Return the number of counts expected between bounds, one row per group.

        ``bounds`` are hours since 1970, UTC, one more than there are buckets.
        """
        size = (len(self.groups), len(bounds) - 1)
        begun = np.clip(self.born, bounds[0], bounds[-1]) // self.step * self.step
        hour = np.maximum(begun.astype(np.int64), bounds[0])
        place = np.searchsorted(bounds, hour, side="right") - 1
        inside = place < size[1]
        group, place, hour = self.group[inside], place[inside], hour[inside]
        first, later = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
        np.add.at(first, (group, place), bounds[place + 1] - hour)
        np.add.at(later, (group, place), 1)
        there = np.cumsum(later, axis=1) - later
        return (first + there * np.diff(bounds)) * self.types // self.step


def tallied(places: Places, number: NDArray[Any], size: int) -> Places:
    """Return the total of each group, given the number in each row.

    >>> tallied(np.array([0, 2, 2]), np.array([1, 2, 3]), 3).tolist()
    [1, 0, 5]
    """
    some = number.astype(np.bool_, copy=False)
    if not some.all():
        places, number = places[some], number[some]
    if number.dtype == np.bool_:
        return np.bincount(places, minlength=size)
    return np.bincount(places, number, minlength=size).astype(np.int64)


def refuse_more(number: NDArray[Any], expected: NDArray[Any]) -> None:
    """Raise if there are more counts than possible, as when partitions share a row.

    >>> refuse_more(np.array([2]), np.array([1]))
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: counts hold rows twice, ...
    """
    if (number > expected).any():
        msg = "counts hold rows twice, which would count double; keep one of each"
        raise FrameError(msg)


def owners(counts: pd.DataFrame) -> list[str]:
    """Return the columns that identify the owner of counts: the post, or else other keys.

    >>> owners(pd.DataFrame({"engagement_type": ["favorites"], "count": [1], "handle": ["a"]}))
    ['handle']
    """
    if "post_id" in counts.columns:
        return ["post_id"]
    return [name for name in further(counts) if name not in (SUMMED, SIDE)]


def _with(members: pd.DataFrame, posts: Any, keys: list[str]) -> pd.DataFrame:
    """Return members and further posts, without duplicates."""
    posts = table_of(posts)
    if isinstance(posts, pd.DataFrame):
        frame = posts
    elif isinstance(posts, Iterable) and not isinstance(posts, str):
        given = list(posts)
        frame = pd.DataFrame(
            {"post_id": pd.Series(parse_post_ids(given) if given else [], dtype=TEXT)}
        )
    else:
        frame = pd.DataFrame()
    lost = [name for name in ("post_id", *keys) if name not in frame.columns]
    if lost or "post_id" not in members.columns:
        what = f"lack {lost}" if lost else "are given, and counts have no post_id"
        msg = f"posts {what}; give IDs, or a frame with post_id and the columns of by"
        raise FrameError(msg)
    columns = list(members.columns)
    more = frame[columns].assign(post_id=[parse_post_id(post) for post in frame["post_id"]])
    both: pd.DataFrame = pd.concat([members.astype(object), more.astype(object)])
    return both.drop_duplicates(ignore_index=True).astype(members.dtypes.to_dict())
