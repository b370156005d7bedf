"""Sum the counts of several responses cell by cell, and build the tidy frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from engagement_pandas.errors import ResponseShapeError
from engagement_pandas.flattening.count_arrays import Codes, CountArrays, Mask
from engagement_pandas.flattening.time_buckets import Integers, time_dimensions
from engagement_pandas.frame.contract import COUNT_COLUMNS, TEXT, empty_counts, in_order
from engagement_pandas.text import json_path
from engagement_pandas.vocabulary import Dimension

_DAY: Final = np.int64(86_400_000_000)  # microseconds
_LOW: Final = np.int64(2**32 - 1)
_COLUMNS: Final = ("post", "type", "bucket", "count", "missing")


def add(parts: Sequence[CountArrays], name: str) -> CountArrays:
    """Sum counts: one element per cell, sorted; missing only if it is missing in every part.

    There is at least one part, and their buckets have the same unit. ``name`` is that of the
    grouping, for the path in an error.
    """
    posts = tuple(sorted({post for part in parts for post in part.posts}))
    types = tuple(in_order({kind for part in parts for kind in part.types}))
    post_places, type_places = ({name: n for n, name in enumerate(all_)} for all_ in (posts, types))
    parts = [
        replace(
            part,
            posts=posts,
            types=types,
            post=_recoded(part.post, part.posts, post_places),
            type=_recoded(part.type, part.types, type_places),
        )
        for part in parts
    ]
    parts = [part for part in parts if len(part)] or parts[:1]
    if not len(parts[0]):
        return parts[0]
    laid = _concat_sorted_runs(parts)
    if laid is not None:
        return laid
    post, kind, bucket, count, missing = (
        np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS
    )
    cell = cells(post, kind, bucket, len(types), _buckets(parts))
    order = np.argsort(cell, kind="stable")
    cell = cell[order]
    begins = np.concatenate([[True], cell[1:] != cell[:-1]])
    del cell
    one_each = order[begins]
    post, kind, bucket = post[one_each], kind[one_each], bucket[one_each]
    count, missing = count[order], missing[order]
    first = np.flatnonzero(begins)
    count, beyond = _sums(np.where(missing, 0, count), first)
    missing = np.logical_and.reduceat(missing, first)
    if beyond.any():
        place = int(np.argmax(beyond))
        whose = posts[post[place]]
        spoken = types[kind[place]] + (f" of post {whose}" if whose else "")
        msg = f"the counts of {spoken} add up to more than 64 bits hold"
        raise ResponseShapeError(msg, json_path(name))
    return CountArrays(posts, types, post, kind, bucket, count, missing)


def _concat_sorted_runs(parts: Sequence[CountArrays]) -> CountArrays | None:
    """Concatenate parts with the same names in order; None if a cell occurs twice.

    A part is a few runs of adjacent cells, such as the hours of one post and type. If no two
    runs overlap, they are placed one after another, without sorting the cells within them.
    """
    posts, types = parts[0].posts, parts[0].types
    buckets = _buckets(parts)
    stretches = [_stretches(cells(p.post, p.type, p.bucket, len(types), buckets)) for p in parts]
    first, last = (np.concatenate([ends[place] for ends in stretches]) for place in (0, 1))
    order = np.argsort(first, kind="stable")
    if (first[order][1:] <= last[order][:-1]).any():
        return None
    if len(parts) == 1 and (first[1:] > first[:-1]).all():
        return parts[0]
    lengths = last - first + 1
    begin = np.empty_like(lengths)
    begin[order] = np.cumsum(lengths[order]) - lengths[order]
    # Copy each part to its place: concatenating all parts first takes twice as long.
    whole = [np.empty(sum(map(len, parts)), getattr(parts[0], name).dtype) for name in _COLUMNS]
    done = 0
    for part, (one, _) in zip(parts, stretches, strict=True):
        begins, many = begin[done : done + len(one)], lengths[done : done + len(one)]
        done += len(one)
        places = np.repeat(begins - (np.cumsum(many) - many), many) + np.arange(len(part))
        for column, name in zip(whole, _COLUMNS, strict=True):
            column[places] = getattr(part, name)
    return CountArrays(posts, types, *whole)


def _stretches(cell: Integers) -> tuple[Integers, Integers]:
    """Return the first and the last cell of each run of adjacent cells."""
    turns = np.flatnonzero(np.diff(cell) != 1)
    return cell[np.append(0, turns + 1)], cell[np.append(turns, len(cell) - 1)]


def _buckets(parts: Sequence[CountArrays]) -> tuple[int, int]:
    """Return the smallest and the largest bucket of all parts."""
    ends = [(int(part.bucket.min()), int(part.bucket.max())) for part in parts]
    return min(least for least, _ in ends), max(last for _, last in ends)


def cells(
    post: Codes,
    kind: Codes,
    bucket: Integers,
    types: int,
    buckets: tuple[int, int] | None = None,
) -> Integers:
    """Return one number per cell, in the order of the frame.

    ``types`` is the number of types. ``buckets`` are the smallest and largest possible bucket;
    by default of those present.
    """
    cell = post.astype(np.int64)
    if not len(cell):
        return cell
    least, last = buckets or (int(bucket.min()), int(bucket.max()))
    cell *= types
    cell += kind
    cell *= last - least + 1
    cell += bucket
    cell -= least
    return cell


def _recoded(codes: Codes, names: tuple[str, ...], places: Mapping[str, int]) -> Codes:
    """Recode names as indices into more names; both are in the same order."""
    if len(names) == len(places):
        return codes
    return np.array([places[name] for name in names], np.int32)[codes]


def _sums(count: Integers, first: Integers) -> tuple[Integers, Mask]:
    """Return exact sums of runs, in any order of elements, and which exceed 64 bits."""
    low = np.add.reduceat(count & _LOW, first)
    high = np.add.reduceat(count >> 32, first) + (low >> 32)
    beyond = (high < -(2**31)) | (high >= 2**31)
    return np.where(beyond, 0, (high << 32) | (low & _LOW)), beyond


def _repeat_names(names: tuple[str, ...], codes: Codes) -> Any:
    """Return the name of each code; twice as fast if all names have the same length, as IDs."""
    width = len(names[0])
    if not all(len(name) == width and name.isascii() for name in names):
        return pd.array(names, dtype=TEXT).take(codes)
    import pyarrow as pa  # noqa: PLC0415 - pandas has loaded it by now

    letters = np.frombuffer("".join(names).encode(), np.uint8).reshape(-1, width)
    letters = np.take(letters, codes, axis=0)
    ends = np.arange(0, width * (len(codes) + 1), width, dtype=np.int64)
    texts: Any = pa.LargeStringArray.from_buffers(
        len(codes), pa.py_buffer(ends.data), pa.py_buffer(letters.data)
    )
    return pd.array(texts, dtype=TEXT)


def to_tidy_frame(leaves: CountArrays, dimensions: Sequence[Dimension]) -> pd.DataFrame:
    """Convert sorted counts to a tidy frame, with the columns and dtypes of the contract."""
    keys = {dimension.column for dimension in dimensions}
    if not len(leaves):
        return empty_counts(tuple(keys))
    day, hour = time_dimensions(dimensions)
    kinds: Any = leaves.type.astype(np.int8 if len(leaves.types) < 2**7 else np.int32)
    begins = np.flatnonzero(kinds[1:] != kinds[:-1]) + 1
    present = np.unique(kinds[np.append(0, begins)])
    types = pd.Index([leaves.types[code] for code in present], dtype=TEXT)
    if len(present) < len(leaves.types):
        kinds = np.searchsorted(present, kinds).astype(kinds.dtype)
    columns: dict[str, object] = {}
    if Dimension.POST_ID in dimensions:
        columns["post_id"] = _repeat_names(leaves.posts, leaves.post)
    columns["engagement_type"] = pd.Categorical.from_codes(kinds, categories=types, validate=False)
    if day:
        days = leaves.bucket.astype(np.int32)  # half the memory, and faster division
        if hour:
            hours, days = days, days // 24
            hours -= days * 24
            columns["hour"] = hours.astype(np.int8)
        columns["day"] = (days * _DAY).view("datetime64[us]")
    elif hour:
        columns["hour"] = leaves.bucket.astype(np.int8)
    columns["count"] = pd.arrays.IntegerArray(leaves.count, leaves.missing)
    order = [name for name in COUNT_COLUMNS if name in columns]
    return pd.DataFrame({name: columns[name] for name in order}, copy=False)
