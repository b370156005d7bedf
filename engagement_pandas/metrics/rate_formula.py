"""Match the counts of two engagement types, and sum them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.metrics.checks import is_of_types, known_type
from engagement_pandas.metrics.coverage import PAIRED, SIDE, SUMMED, hours
from engagement_pandas.metrics.group_sums import added, factorized
from engagement_pandas.metrics.intervals import dispersion, group_interval, z_of
from engagement_pandas.text import format_list

Places = NDArray[np.intp]

RATED: Final = ("rate", "low", "high", "above_one")
"""Columns of a rate, after those of the two sums."""


def pair_of(
    counts: pd.DataFrame, numerator: str, denominator: str, names: Iterable[str] = ()
) -> list[str]:
    """Return the two engagement types of a rate; ``names`` are the columns to group by.

    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"impressions": "5"}})
    >>> pair_of(counts, "impressions", "impressions")
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: 'impressions' over 'impressions' is 1; ...
    """
    if "engagement_type" in names:
        msg = f"by is {list(names)}; a rate divides two engagement types, so it has no single one"
        raise FrameError(msg)
    pair = [known_type(counts, numerator), known_type(counts, denominator)]
    if pair[0] == pair[1]:
        msg = f"{pair[0]!r} over {pair[0]!r} is 1; name two engagement types"
        raise FrameError(msg)
    return pair


def counted_pair(
    counts: pd.DataFrame, numerator: str, denominator: str, names: Iterable[str] = ()
) -> list[str]:
    """Return :func:`pair_of`; raise if the counts have rows, but of neither type.

    >>> import engagement_pandas as ep
    >>> counted_pair(ep.flatten_json({"g": {"favorites": "5"}}), "replies", "impressions")
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: counts have neither 'replies' nor 'impressions', only ...
    """
    pair = pair_of(counts, numerator, denominator, names)
    if len(counts) and not is_of_types(counts, pair).any():
        present = format_list(counts["engagement_type"].unique())
        msg = (
            f"counts have neither {pair[0]!r} nor {pair[1]!r}, only {present}; request them, or "
            "name two of those as numerator and denominator"
        )
        raise FrameError(msg)
    return pair


def cells_of(counts: pd.DataFrame, starts: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """Return a number for each row's post, day and hour, as far as counts have them.

    ``starts`` are as returned by :func:`~engagement_pandas.metrics.coverage.hours`, if already
    computed.

    >>> import engagement_pandas as ep
    >>> cells_of(ep.flatten_json({"g": {"1": {"impressions": "5", "favorites": "2"}}})).tolist()
    [0, 0]
    """
    cells = np.zeros(len(counts), dtype=np.int64)
    if "post_id" in counts.columns:
        cells += factorized(counts["post_id"])[0]
    if "day" in counts.columns and len(counts):
        at = hours(counts) if starts is None else starts
        first, last = int(at.min()), int(at.max())
        cells *= last - first + 1
        cells += at - first
    elif "hour" in counts.columns:
        cells *= 24
        cells += counts["hour"].to_numpy()
    return cells


@dataclass(frozen=True, slots=True)
class Pair:
    """The counts of two types, numerator first.

    ``sides`` are the rows of each type. ``known`` are those with a known count and a partner: a
    known count of the other type in the same cell, that is for the same post and hour.
    ``unknown`` are the rows of either type whose count is unknown.
    """

    sides: tuple[Places, Places]
    known: tuple[Places, Places]
    unknown: Places


def find_pairs(
    counts: pd.DataFrame, pairs: Sequence[Sequence[str]], cells: NDArray[np.int64]
) -> list[Pair]:
    """Match the counts of pairs of types.

    ``cells`` are as returned by :func:`cells_of`. They are not used for partial sums, which
    state their partners.
    """
    types = counts["engagement_type"].cat
    codes = types.codes.to_numpy()
    count = counts["count"].array
    sides: dict[str, tuple[Places, NDArray[np.bool_], NDArray[np.int64]]] = {}
    for name in dict.fromkeys(name for pair in pairs for name in pair):
        # An unknown type has the code -1, which no row has.
        rows = np.flatnonzero(codes == types.categories.get_indexer(pd.Index([name]))[0])
        known = ~count.take(rows).isna()
        sides[name] = rows, known, cells[rows]
    if SUMMED not in counts.columns:
        return [_paired(*sides[above], *sides[below]) for above, below in pairs]
    found = counts[SIDE].to_numpy() == PAIRED
    nothing = np.empty(0, dtype=np.intp)
    rows_of = [(sides[above][0], sides[below][0]) for above, below in pairs]
    return [Pair((a, b), (a[found[a]], b[found[b]]), nothing) for a, b in rows_of]


def _paired(  # noqa: PLR0913, PLR0917 - two sides of three
    first: Places,
    first_known: NDArray[np.bool_],
    first_cells: NDArray[np.int64],
    second: Places,
    second_known: NDArray[np.bool_],
    second_cells: NDArray[np.int64],
) -> Pair:
    unknown = np.concatenate([first[~first_known], second[~second_known]])
    # A frame straight from the API has both types in the same order.
    if first_known.all() and second_known.all() and np.array_equal(first_cells, second_cells):
        return Pair((first, second), (first, second), unknown)
    ours, theirs = first_cells[first_known], second_cells[second_known]
    first_paired = first[first_known][pd.Index(ours).isin(theirs)]
    second_paired = second[second_known][pd.Index(theirs).isin(ours)]
    return Pair((first, second), (first_paired, second_paired), unknown)


def pair_sums(
    counts: pd.DataFrame, pairs: Sequence[Pair], places: NDArray[np.int64], size: int
) -> tuple[list[pd.Series], NDArray[np.bool_]]:
    """Sum the counts of pairs of types by group, and return which groups have both.

    ``places`` has the index of each row's group, from 0 to ``size`` - 1. The two sums have the
    groups of the first pair, then those of the next. They are sums of the counts with a
    partner, or of all known counts if a group has no such pair.
    """
    count = counts["count"]

    def at(parts: Sequence[Places]) -> pd.Series:
        where = [places[rows] + place * size for place, rows in enumerate(parts)]
        return added(count.take(np.concatenate(parts)), np.concatenate(where), size * len(parts))

    both = [at([pair.known[side] for pair in pairs]) for side in (0, 1)]
    known = (both[0].notna() & both[1].notna()).to_numpy()
    if not known.all():
        every = [at([pair.sides[side] for pair in pairs]) for side in (0, 1)]
        both = [paired.where(known, total) for paired, total in zip(both, every, strict=True)]
    return both, known


@dataclass(frozen=True, slots=True)
class Bounds:
    """The ends of the intervals of rates, by group, and the dispersion of the counts."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    dispersion: float


def bounds_of(  # noqa: PLR0913, PLR0917 - arrays of one table
    counts: pd.DataFrame,
    pair: Pair,
    cells: NDArray[np.int64],
    places: NDArray[np.int64],
    size: int,
    confidence: float,
    *,
    single: bool = False,
) -> Bounds:
    """Return the interval of the rate of each group, from the counts with a partner.

    ``places`` has the index of each row's group, ``cells`` are as returned by :func:`cells_of`.
    ``single`` states that each group is of one post. Without posts, or in partial sums, groups
    of posts have no interval, since it is not known how posts differ.
    """
    known = "post_id" in counts.columns
    if not single and (not known or SUMMED in counts.columns):
        z_of(confidence)
        return Bounds(np.full(size, np.nan), np.full(size, np.nan), np.nan)
    # A frame straight from the API has both types in the same order.
    sides = [rows[np.argsort(cells[rows], kind="stable")] for rows in pair.known]
    number = [counts["count"].array[rows].to_numpy(dtype="float64") for rows in sides]
    post, posts = np.zeros(len(counts), dtype=np.int64), 1
    if known:
        post, level = factorized(counts["post_id"])
        posts = len(level)
    spread = np.nan
    if SUMMED not in counts.columns and "hour" in counts.columns and len(sides[0]):
        spread = dispersion(number[0], number[1], post[sides[0]])
    owner = [places[rows].astype(np.int64) for rows in sides]
    group = np.arange(size)
    if not single:
        owner = [at * posts + post[rows] for at, rows in zip(owner, sides, strict=True)]
        used = np.arange(size * posts)
        if size * posts > len(counts):  # most groups have few posts, as the hours of many weeks
            used, both = np.unique(np.concatenate(owner), return_inverse=True)
            owner = np.split(both, [len(owner[0])])
        group = used // posts
    sums = [
        np.bincount(at, values, minlength=len(group))
        for at, values in zip(owner, number, strict=True)
    ]
    seen = (sums[1] > 0) | (sums[0] != 0)  # as in the rate
    low, high = group_interval(
        sums[0][seen],
        sums[1][seen],
        group[seen],
        size,
        1.0 if np.isnan(spread) else spread,
        confidence,
    )
    return Bounds(low, high, spread)


def rated(
    names: list[str], sums: list[pd.Series], known: NDArray[np.bool_], bounds: Bounds
) -> dict[str, Any]:
    """Return the columns of two sums, their rate, its interval, and whether it exceeds 1.

    >>> sums = [pd.Series([5], dtype="Int64"), pd.Series([20], dtype="Int64")]
    >>> ends = Bounds(np.array([0.1]), np.array([0.5]), 1.0)
    >>> columns = rated(["favorites", "impressions"], sums, np.array([True]), ends)
    >>> columns["rate"].tolist(), columns["above_one"].tolist()
    ([0.25], [False])
    """
    count, exposure = (total.to_numpy(dtype="float64", na_value=np.nan) for total in sums)
    exposure = np.where(known & (exposure > 0), exposure, np.nan)
    rate = pd.array(count / exposure, dtype="Float64")
    ends = (np.where(np.isnan(exposure), np.nan, end) for end in (bounds.low, bounds.high))
    low, high = (pd.array(end, dtype="Float64") for end in ends)
    return {
        **{name: total.array for name, total in zip(names, sums, strict=True)},
        "rate": rate,
        "low": low,
        "high": high,
        "above_one": rate > 1,
    }
