"""The tidy frame of counts, built from arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pandas as pd

from engagement_pandas.flattening.count_arrays import Codes, CountArrays
from engagement_pandas.flattening.snapshots import Times
from engagement_pandas.flattening.time_buckets import time_dimensions
from engagement_pandas.frame.contract import COUNT_COLUMNS, TEXT, empty_counts
from engagement_pandas.vocabulary.dimensions import Dimension

_DAY: Final = np.int64(86_400_000_000)  # microseconds


def to_tidy_frame(
    arrays: CountArrays, dimensions: Sequence[Dimension], times: Times | None = None
) -> pd.DataFrame:
    """Convert sorted counts to a tidy frame, with the columns and dtypes of the contract.

    With ``times`` of retrieval, the buckets are those of ``Times.number``.
    """
    names = {dimension.column for dimension in dimensions} | ({"retrieved_at"} if times else set())
    if not len(arrays):
        return empty_counts(tuple(names))
    columns: dict[str, object] = {}
    if Dimension.POST_ID in dimensions:
        columns["post_id"] = _repeat_names(arrays.posts, arrays.post)
    columns["engagement_type"] = _types(arrays)
    bucket = arrays.bucket
    if times:
        columns["retrieved_at"], bucket = times.split(bucket)
    day, hour = time_dimensions(dimensions)
    if day:
        days = bucket.astype(np.int32)  # half the memory, and faster division
        if hour:
            hours, days = days, days // 24
            hours -= days * 24
            columns["hour"] = hours.astype(np.int8)
        columns["day"] = (days * _DAY).view("datetime64[us]")
    elif hour:
        columns["hour"] = bucket.astype(np.int8)
    columns["count"] = pd.arrays.IntegerArray(arrays.count, arrays.missing)
    order = [name for name in COUNT_COLUMNS if name in columns]
    # Text as names would be inferred to be text again for each frame, at half the cost of it.
    counts = pd.DataFrame({place: columns[name] for place, name in enumerate(order)}, copy=False)
    counts.columns = _columns(tuple(order))
    return counts


def _repeat_names(names: tuple[str, ...], codes: Codes) -> Any:
    """Return the name of each code; twice as fast if all names have the same length, as IDs."""
    width = len(names[0])
    if {*map(len, names)} != {width} or not "".join(names).isascii():
        return pd.array(names, dtype=TEXT).take(codes)
    import pyarrow as pa  # noqa: PLC0415 - pandas has loaded it by now

    letters = np.frombuffer("".join(names).encode(), np.uint8).reshape(-1, width)
    letters = np.take(letters, codes, axis=0)
    ends = np.arange(0, width * (len(codes) + 1), width, dtype=np.int64)
    texts: Any = pa.LargeStringArray.from_buffers(
        len(codes), pa.py_buffer(ends.data), pa.py_buffer(letters.data)
    )
    return TEXT.__from_arrow__(texts)  # type: ignore[attr-defined]


@lru_cache
def _columns(names: tuple[str, ...]) -> pd.Index:
    return pd.Index(names)  # in pandas 2, names of columns are objects


@lru_cache(maxsize=256)
def _names(names: tuple[str, ...]) -> pd.Index:
    return pd.Index(names, dtype=TEXT)


@lru_cache(maxsize=256)
def _category(names: tuple[str, ...]) -> pd.CategoricalDtype:
    return pd.CategoricalDtype(_names(names))


def _types(arrays: CountArrays) -> pd.Categorical:
    """Return the type of each count, as a category of the types present."""
    codes: Any = arrays.type.astype(np.int8 if len(arrays.types) < 2**7 else np.int32)
    begins = np.flatnonzero(codes[1:] != codes[:-1]) + 1
    present = np.flatnonzero(np.bincount(codes[np.append(0, begins)]))
    if len(present) < len(arrays.types):
        codes = np.searchsorted(present, codes).astype(codes.dtype)
    dtype = _category(tuple(arrays.types[code] for code in present))
    return pd.Categorical.from_codes(codes, dtype=dtype, validate=False)
