"""Counts made fewer without changing what a metric says of them.

Each function takes counts or what it returned itself, so that partitions can be put
together a few at a time, in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.frame import COUNT_COLUMNS, TEXT
from engagement_pandas.metrics.columns import of_types, refuse_beyond
from engagement_pandas.metrics.pairs import cells_of, find_pairs
from engagement_pandas.metrics.spans import hours
from engagement_pandas.metrics.sums import added, coded

SIDE: Final = "side of the rate"
"""The column that says what is known of a count's partner."""

OPEN, PAIRED, ALONE = 0, 1, 2
"""A partner may yet turn up; there is one; there is none, or its count is not known."""

_UNKNOWN: Final = "unknown"
_NOWHERE: Final[dict[str, Any]] = {
    "post_id": "",
    "day": np.datetime64(0, "us"),
    "hour": np.int8(0),
}
"""The cell of counts that no longer have one."""


def added_up(counts: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Add counts up by some columns; unknown ones do not vanish in the sums.

    Parameters
    ----------
    counts : DataFrame
    names : sequence of str

    Returns
    -------
    DataFrame
        Sorted by ``names``, and ``count`` (``Int64``): for each combination the sum of what
        is known, if anything is, and a row with ``<NA>``, if anything is not.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"1": {"favorites": "5"}, "2": {"favorites": "2"}}})
    >>> added_up(counts, ["engagement_type"])
      engagement_type  count
    0       favorites      7
    """
    refuse_beyond(counts["count"])
    keys = counts[list(names)].assign(**{_UNKNOWN: counts["count"].isna().to_numpy()})
    codes, table = coded(keys, [*names, _UNKNOWN])
    table[_UNKNOWN] = added(counts["count"], codes, len(table)).array
    return table.rename(columns={_UNKNOWN: "count"})


def some_added_up(counts: pd.DataFrame, names: Sequence[str], types: Sequence[str]) -> pd.DataFrame:
    """Add the counts of some engagement types up, as :func:`added_up` does."""
    return added_up(of_types(counts, types), names)


def paired_up(counts: pd.DataFrame, names: Sequence[str], pair: Sequence[str]) -> pd.DataFrame:
    """Add up, by some columns, the counts of two types that have a partner, and the others.

    A partner is the other type's known count of the same post and hour. Counts whose partner
    is not here are kept one by one, for it may be in another partition. Of other types, the
    first and the last row are kept where ``names`` have the day: time is cut from the first
    hour to the last that there are any counts of.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts, or what this returns.
    names : sequence of str
    pair : sequence of two str

    Returns
    -------
    DataFrame
        The columns of a cell and ``names``, ``engagement_type``, ``count`` and ``SIDE``.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> both = {"impressions": "20", "favorites": "5"}
    >>> counts = ep.flatten_json({"g": {"1": both, "2": both, "3": {"favorites": "1"}}})
    >>> paired_up(counts, [], ["favorites", "impressions"]).drop(columns="engagement_type")
      post_id  count  side of the rate
    0              40                 1
    1              10                 1
    2       3       1                 0
    """
    if SIDE not in counts:
        counts = counts.assign(**{SIDE: np.int8(OPEN)})
    rows = of_types(counts, pair)
    cells = [name for name in _NOWHERE if name in rows.columns and name not in names]
    still = rows[SIDE].to_numpy() == OPEN
    left = rows[still]
    side = _sides(left, pair)
    settled = [rows[~still], left[side != OPEN].assign(**{SIDE: side[side != OPEN]})]
    if "day" in names:
        settled.append(_ends(counts[~counts["engagement_type"].isin(pair)]))
    sums = added_up(pd.concat(settled), [*names, "engagement_type", SIDE])
    for name in cells:
        sums[name] = pd.Series(_NOWHERE[name], sums.index, COUNT_COLUMNS[name])
    columns = [*cells, *names, "engagement_type", "count", SIDE]
    both: pd.DataFrame = pd.concat(
        [sums[columns], left.loc[side == OPEN, columns]], ignore_index=True
    )
    return both


def _ends(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the first and the last row in time."""
    at = hours(counts)
    ends = sorted({int(at.argmin()), int(at.argmax())}) if len(at) else []
    return counts.iloc[ends].assign(**{SIDE: np.int8(ALONE)})


def _sides(rows: pd.DataFrame, pair: Sequence[str]) -> NDArray[np.int8]:
    """Return what is known of each open count's partner now."""
    cells = cells_of(rows)
    (found,) = find_pairs(rows, [pair], cells)
    side = np.zeros(len(rows), dtype=np.int8)
    side[np.isin(cells, cells[found.unknown])] = ALONE
    for known in found.known:
        side[known] = PAIRED
    return side


def as_counts(rows: pd.DataFrame, names: Sequence[str], pair: Sequence[str]) -> pd.DataFrame:
    """Return what :func:`paired_up` added up as counts with just the partners that they had.

    The metrics look for partners in a post and an hour. Where some of these columns are not
    in ``names``, one of them is put in, to keep the sums apart that must not meet.
    """
    side = np.where(rows[SIDE] == PAIRED, np.int8(PAIRED), np.int8(ALONE))
    counts = added_up(rows.assign(**{SIDE: side}), [*names, "engagement_type", SIDE])
    kinds = counts["engagement_type"].cat
    first = kinds.codes.to_numpy() == kinds.categories.get_indexer(pd.Index([pair[0]]))[0]
    place = np.where(counts[SIDE] == PAIRED, 0, np.where(first, 1, 2))
    counts = counts.drop(columns=SIDE)
    if set(_NOWHERE).intersection(rows.columns) <= set(names):
        return counts
    spare = next(name for name in _NOWHERE if name not in names)
    return counts.assign(**{spare: _told_apart(spare, place)})


def _told_apart(name: str, place: NDArray[np.int64]) -> Any:
    """Return a column of a cell, with other values for other places."""
    if name == "post_id":
        return pd.array([str(number) for number in place], dtype=TEXT)
    if name == "day":
        return place.astype("datetime64[D]").astype("datetime64[us]")
    return place.astype(np.int8)
