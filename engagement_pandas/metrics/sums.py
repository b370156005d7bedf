"""Adding counts up, fast: what pandas' ``groupby`` does, for whole numbers only.

Counts are 64-bit integers and stay so; a sum of nothing but unknown numbers is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.frame import TEXT

_ROOM: Final = 4
"""So many times the rows, a table of all combinations is quicker than looking them up."""


def coded(counts: pd.DataFrame, names: Sequence[str]) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """Return numbers for the combinations of some columns' values that occur, in order.

    Parameters
    ----------
    counts : DataFrame
    names : sequence of str
        Columns; categories are in their own order. Without any, there is one combination.

    Returns
    -------
    codes : ndarray of int64
        For each row, the number of its combination.
    table : DataFrame
        The combinations, sorted, with the columns' dtypes; a value may be missing.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": ["y", "x", "y"], "b": [2, 1, 2]})
    >>> codes, table = coded(frame, ["a", "b"])
    >>> codes.tolist(), table.to_dict("list")
    ([1, 0, 1], {'a': ['x', 'y'], 'b': [1, 2]})
    """
    codes = np.zeros(len(counts), dtype=np.int64)
    levels: list[Any] = []
    for name in names:
        place, level = _factorized(counts[name])
        levels.append(level)
        codes *= len(level)
        codes += place
    size = int(np.prod([len(level) for level in levels], dtype=np.float64))
    if size <= _ROOM * len(codes) + 1:
        seen = np.bincount(codes, minlength=size) > 0 if names else np.ones(1, dtype=np.bool_)
        found = np.flatnonzero(seen)
        if len(found) < size:
            codes = (np.cumsum(seen) - 1)[codes]
    else:
        codes, found = pd.factorize(codes, sort=True)
    table = {}
    rest = found
    for name, level in zip(reversed(names), reversed(levels), strict=True):
        rest, place = np.divmod(rest, len(level))
        table[name] = level.take(place)
    columns = {name: table[name] for name in names}
    return codes, pd.DataFrame(columns, index=pd.RangeIndex(len(found)))


def added(numbers: pd.Series, places: NDArray[np.int64], size: int) -> pd.Series:
    """Add numbers up by place.

    Parameters
    ----------
    numbers : Series of Int64
    places : ndarray of int64
        For each number, where it goes, from 0 to ``size`` - 1.
    size : int

    Returns
    -------
    Series
        ``Int64``, of that size; ``<NA>`` where no number is known, which is no zero.

    Examples
    --------
    >>> numbers = pd.Series([1, 2, pd.NA], dtype="Int64")
    >>> added(numbers, np.array([0, 0, 2]), 3).to_list()
    [3, <NA>, <NA>]
    """
    sums = np.zeros(size, dtype=np.int64)
    # A copy: numpy adds 30 times as slowly with the dtype of an array that was pickled.
    np.add.at(sums, places, numbers.to_numpy(dtype="int64", na_value=0).astype(np.int64))
    known = np.zeros(size, dtype=np.bool_)
    known[places[numbers.notna().to_numpy()] if numbers.hasnans else places] = True
    total = pd.array(sums, dtype="Int64")
    total[~known] = pd.NA
    return pd.Series(total, name="count")


def _factorized(column: pd.Series) -> tuple[NDArray[np.int64], Any]:
    """Return each value's place among the distinct ones, and these, sorted, NA last."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        size = len(column.cat.categories)
        codes = column.cat.codes.to_numpy()
        missing = bool(len(codes)) and int(codes.min()) < 0
        every = np.arange(size + missing)
        every[size:] = -1
        kinds = pd.Categorical.from_codes(every, dtype=column.dtype)
        return np.where(codes < 0, size, codes).astype(np.int64), kinds
    if column.dtype == TEXT and len(column):
        # IDs that rise, as those of ``flatten`` do, need not be hashed.
        texts = column.array
        turns = np.append(True, np.asarray(texts[1:] != texts[:-1], dtype=np.bool_))
        if int(turns.sum()) * _ROOM < len(turns):
            level = pd.Index(column[turns])
            if level.is_monotonic_increasing and level.is_unique and not level.hasnans:
                return np.cumsum(turns) - 1, level
    place, level = pd.factorize(column, sort=True, use_na_sentinel=False)
    return place, pd.Index(level)
