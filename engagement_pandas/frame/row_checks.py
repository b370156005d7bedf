"""Check the rows of a tidy frame: no missing keys, valid days and hours, unique keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError

_DAY_US: Final = 86_400_000_000
_LAST_HOUR: Final = 23
_BLOCK: Final = 2**14
_MOST: Final = 2**62
_ROOM: Final = 4
"""Up to this multiple of the rows, a table of all numbers is faster than sorting them."""

_Places = tuple[NDArray[Any], int, int, int]
"""Values, the first value, the step between values, and the number of possible values."""


def check_filled(frame: pd.DataFrame, what: str, columns: Sequence[str]) -> None:
    """Raise if columns have missing values.

    >>> check_filled(pd.DataFrame({"day": [1]}), "counts", ["day"])
    """
    for name in columns:
        if frame[name].hasnans:
            row = int(np.flatnonzero(frame[name].isna())[0])
            msg = f"{name!r} is missing in row {row} of the {what}; drop that row or fill it in"
            raise FrameError(msg)


def check_times(counts: pd.DataFrame) -> None:
    """Raise if a day is not at midnight, or an hour is not from 0 to 23.

    >>> check_times(pd.DataFrame({"hour": pd.Series([24], dtype="int8")}))
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: the hour 24 is not from 0 to 23; ...
    """
    if "day" in counts.columns:
        day = counts["day"].to_numpy().astype("datetime64[us]", copy=False).view("int64")
        off = np.empty(len(day), dtype=np.bool_)
        for block in _blocks(len(day)):
            off[block] = day[block] // _DAY_US * _DAY_US != day[block]
        cure = "is it a time? ep.counts_from(frame, day=…, hour=…) takes one column as both"
        _refuse(counts["day"], off, f"is not at midnight UTC; {cure}")
    if "hour" in counts.columns:
        hour = counts["hour"].to_numpy()
        _refuse(
            counts["hour"],
            (hour < 0) | (hour > _LAST_HOUR),
            "is not from 0 to 23; use the counts of flatten()",
        )


def by_post(counts: pd.DataFrame) -> pd.DataFrame:
    """Return counts with their posts as a category, in the order of the IDs.

    Later steps then work with integer codes instead of texts. IDs that are already sorted, as
    from ``flatten``, need no hashing.

    >>> counts = by_post(pd.DataFrame({"post_id": ["2", "1", "2"]}))
    >>> counts["post_id"].cat.categories.to_list(), counts["post_id"].cat.codes.to_list()
    (['1', '2'], [1, 0, 1])
    """
    if "post_id" not in counts.columns:
        return counts
    texts = counts["post_id"].array
    turns = _turns(texts[:_BLOCK])
    if len(turns) * _ROOM < len(texts[:_BLOCK]):
        turns = _turns(texts)
        level = pd.Index(texts.take(turns))
        if level.is_monotonic_increasing and level.is_unique:
            places = np.arange(len(turns), dtype=np.int32)
            places = np.repeat(places, np.diff(turns, append=len(texts)))
            return counts.assign(post_id=pd.Categorical.from_codes(places, level, validate=False))
    codes, level = pd.factorize(counts["post_id"], sort=True)
    return counts.assign(post_id=pd.Categorical.from_codes(codes, level, validate=False))


def _turns(texts: Any) -> NDArray[np.intp]:
    """Return the rows whose text differs from that of the previous row."""
    return np.flatnonzero(np.append(True, np.asarray(texts[1:] != texts[:-1], dtype=np.bool_)))


def repeated(frame: pd.DataFrame, keys: Sequence[str]) -> NDArray[np.bool_] | None:
    """Return which rows of a frame from :func:`by_post` repeat an earlier key; None if none do.

    Keys are combined into one integer if 64 bits suffice. Keys that are sorted, as from
    ``flatten``, or few in number, need neither hashing nor sorting.
    """
    if len(frame) and keys and _apart([_places(frame[name]) for name in keys], len(frame)):
        return None
    twice = frame.duplicated(list(keys)).to_numpy()
    return twice if twice.any() else None


def _places(column: pd.Series) -> _Places:
    """Return a column's values as integers, and the number of possible values."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy(), -1, 1, len(column.cat.categories) + 1
    if column.name == "hour":
        return column.to_numpy(), 0, 1, _LAST_HOUR + 1
    if column.name == "day":
        days = column.to_numpy().view("int64")
        first = int(days.min())
        return days, first, _DAY_US, (int(days.max()) - first) // _DAY_US + 1
    codes, level = pd.factorize(column)
    return codes, -1, 1, len(level) + 1


def _apart(keys: Sequence[_Places], rows: int) -> bool:
    """Return whether all rows are known to have different integers."""
    size = prod(number for *_, number in keys)
    if size > _MOST:
        return False
    seen = np.zeros(size, dtype=np.bool_) if size <= _ROOM * rows else None
    last, rises = -2, True
    for block in _blocks(rows):
        number = _numbered(keys, block)
        if seen is not None:
            seen[number] = True
        elif rises := number[0] > last and bool((number[1:] > number[:-1]).all()):
            last = int(number[-1])
        else:
            break
    if seen is not None:
        return int(np.count_nonzero(seen)) == rows
    if not rises:
        number = np.sort(_numbered(keys, slice(0, rows)))
        rises = bool((number[1:] > number[:-1]).all())
    return rises


def _numbered(keys: Sequence[_Places], rows: slice) -> NDArray[np.int64]:
    """Combine the integers of each row into one."""
    number = np.zeros(rows.stop - rows.start, dtype=np.int64)
    for values, first, step, size in keys:
        number *= size
        number += values[rows] if step == 1 else values[rows] // step
        number -= first // step
    return number


def _blocks(rows: int) -> Iterator[slice]:
    """Yield slices of rows that fit into a processor's cache."""
    for first in range(0, rows, _BLOCK):
        yield slice(first, min(first + _BLOCK, rows))


def _refuse(values: pd.Series, wrong: NDArray[np.bool_], complaint: str) -> None:
    if wrong.any():
        msg = f"the {values.name} {values[wrong].iloc[0]} {complaint}"
        raise FrameError(msg)
