"""Reduce counts to partial sums that give a metric the same result.

Each function takes counts or its own result, so that partitions can be merged a few at a
time, in any order. In addition to the sums there are rows without a count: one for each post
(or other owner of counts) of each key and type, and one for the first and the last hour of
each type, or each hour of the day. A metric derives from them which counts to expect.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.frame.contract import COUNT_COLUMNS
from engagement_pandas.metrics.checks import filter_types, is_of_types, refuse_beyond
from engagement_pandas.metrics.coverage import ALONE, OPEN, PAIRED, SIDE, SUMMED, hours
from engagement_pandas.metrics.expected_counts import ExpectedCounts, owners, refuse_more
from engagement_pandas.metrics.group_sums import added, coded
from engagement_pandas.metrics.rate_formula import cells_of, find_pairs

_TYPE = "engagement_type"


def add_up(
    counts: pd.DataFrame, names: Sequence[str], types: Sequence[str] | None = None
) -> pd.DataFrame:
    """Sum counts by some columns; those of all engagement types, or of the given ones.

    The result has the columns of ``counts``, with those not in ``names`` from the first row of
    each sum, and ``SUMMED``.

    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"1": {"favorites": "5"}, "2": {"favorites": "2"}}})
    >>> add_up(counts, ["engagement_type"]).set_axis(["post", "type", "count", "of"], axis=1)
      post       type  count  of
    0    1  favorites      7   2
    1    1  favorites   <NA>   0
    2    2  favorites   <NA>   0
    """
    counts = _weighed(counts if types is None else filter_types(counts, types))
    return pd.concat([_sums(counts, names), _witnesses(counts, names)], ignore_index=True)


def paired_up(counts: pd.DataFrame, names: Sequence[str], pair: Sequence[str]) -> pd.DataFrame:
    """Sum, by some columns, the counts of two types that have a partner, and the others.

    A partner is a known count of the other type for the same post and hour. Counts whose
    partner is absent are kept as single rows, since it may be in another partition. ``counts``
    are tidy, or the result of this function, which is that of :func:`add_up` with ``SIDE``.

    >>> import engagement_pandas as ep
    >>> both = {"impressions": "20", "favorites": "5"}
    >>> counts = ep.flatten_json({"g": {"1": both, "2": both, "3": {"favorites": "1"}}})
    >>> sums = paired_up(counts, [], ["favorites", "impressions"])
    >>> sums.loc[sums["count"].notna(), ["post_id", "count", SIDE]].values.tolist()
    [['1', 40, 1], ['1', 10, 1], ['3', 1, 0]]
    """
    counts = _weighed(counts)
    if SIDE not in counts.columns:
        counts = counts.assign(**{SIDE: np.where(is_of_types(counts, pair), OPEN, ALONE)})
    is_open = counts[SIDE].to_numpy() == OPEN
    open_counts = counts[is_open]
    side = _sides(open_counts, pair)
    settled = pd.concat(
        [counts[~is_open], open_counts[side != OPEN].assign(**{SIDE: side[side != OPEN]})]
    )
    sums = _sums(settled, [*names, _TYPE, SIDE])
    witnesses = _witnesses(counts, names).assign(**{SIDE: ALONE})
    parts = [sums, open_counts[side == OPEN], witnesses]
    merged: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return merged


def _weighed(counts: pd.DataFrame) -> pd.DataFrame:
    """Add the number of known counts in each row, from hours in which the post existed."""
    if SUMMED in counts.columns:
        return counts
    known = counts["count"].notna().to_numpy()
    if "day" in counts.columns:
        known = known & ExpectedCounts.of(counts, []).alive(hours(counts))
    return counts.assign(**{SUMMED: known.astype(np.int64)})


def _sums(counts: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    refuse_beyond(counts["count"])
    codes, table = coded(counts, names)
    if not len(counts):
        return counts
    if ({*COUNT_COLUMNS} - {"count", *names}).isdisjoint(counts.columns):
        refuse_more(np.bincount(codes[counts["count"].notna().to_numpy()]), np.ones(1))
    of = np.zeros(len(table), dtype=np.int64)
    np.add.at(of, codes, counts[SUMMED].to_numpy())
    sums = counts.iloc[_firsts(codes, len(table))].reset_index(drop=True)
    sums[SUMMED] = of
    return sums.assign(count=added(counts["count"], codes, len(table)))


def _witnesses(counts: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return rows, without their counts, that show which counts to expect."""
    keys = [name for name in names if name not in {_TYPE, "day", "hour"}]
    together = list(dict.fromkeys([_TYPE, *keys, *owners(counts)]))
    codes, table = coded(counts, together)
    rows = [_firsts(codes, len(table))] if len(counts) else []
    if "day" in counts.columns:
        at = hours(counts)
        order = np.lexsort((at, counts[_TYPE].cat.codes.to_numpy()))
        types = counts[_TYPE].cat.codes.to_numpy()[order]
        turn = np.flatnonzero(np.append(True, types[1:] != types[:-1])) if len(order) else order
        rows += [order[turn], order[np.append(turn[1:], len(order)) - 1]] if len(order) else []
    elif "hour" in counts.columns and len(counts):
        codes, table = coded(counts, [_TYPE, "hour"])
        rows.append(_firsts(codes, len(table)))
    seen = counts.iloc[np.unique(np.concatenate(rows)) if rows else []]
    return seen.assign(count=pd.array([pd.NA] * len(seen), dtype="Int64")).assign(**{SUMMED: 0})


def _firsts(codes: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return the first row of each code."""
    first = np.empty(size, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return first


def _sides(rows: pd.DataFrame, pair: Sequence[str]) -> NDArray[np.int64]:
    """Return what is now known of the partner of each open count."""
    cells = cells_of(rows)
    (pair_rows,) = find_pairs(rows.drop(columns=SUMMED), [pair], cells)
    side = np.full(len(rows), OPEN)
    side[np.isin(cells, cells[pair_rows.unknown])] = ALONE
    for paired in pair_rows.known:
        side[paired] = PAIRED
    return side
