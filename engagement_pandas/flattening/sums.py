"""Sums: counts of several answers added up cell by cell, and made a tidy frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from engagement_pandas.errors import ResponseShapeError
from engagement_pandas.flattening.leaves import Codes, Leaves, Mask
from engagement_pandas.flattening.spans import Integers, timing
from engagement_pandas.frame import COUNT_COLUMNS, TEXT, empty_counts, in_order
from engagement_pandas.vocabulary import Dimension
from engagement_pandas.wording import spot

_DAY: Final = np.int64(86_400_000_000)  # microseconds
_LOW: Final = np.int64(2**32 - 1)


def add(parts: Sequence[Leaves], name: str) -> Leaves:
    """Add leaves up: one element a cell, sorted; missing only where every part is.

    Parameters
    ----------
    parts : sequence of Leaves
        At least one, with buckets of the same unit.
    name : str
        Of the grouping, for the path of an error.

    Raises
    ------
    ResponseShapeError
        Where a sum is beyond 64 bits.
    """
    if len(parts) == 1:
        (one,) = parts
        posts, types, post, kind = one.posts, one.types, one.post, one.type
        bucket, count, missing = one.bucket, one.count, one.missing
    else:
        posts = tuple(sorted({post for part in parts for post in part.posts}))
        types = tuple(in_order({kind for part in parts for kind in part.types}))
        post = _recoded([(part.post, part.posts) for part in parts], posts)
        kind = _recoded([(part.type, part.types) for part in parts], types)
        bucket, count, missing = (
            np.concatenate([getattr(part, field) for part in parts])
            for field in ("bucket", "count", "missing")
        )
    if not len(bucket):
        return Leaves(posts, types, post, kind, bucket, count, missing)
    cell = cells(post, kind, bucket, len(types))
    laid = _laid_out(cell)
    if laid is not None:
        del cell  # many counts leave little room
        return Leaves(
            posts, types, post[laid], kind[laid], bucket[laid], count[laid], missing[laid]
        )
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
        raise ResponseShapeError(msg, spot(name))
    return Leaves(posts, types, post, kind, bucket, count, missing)


def _laid_out(cell: Integers) -> Integers | slice | None:
    """Return what brings cells into order; None where one of them stands twice.

    An answer is a few stretches of neighbouring cells: hours of a post and a type, say. Where
    no two stretches overlap they are laid one behind the other, without sorting what is in them.
    """
    begin = np.concatenate([[0], np.flatnonzero(np.diff(cell) != 1) + 1])
    end = np.concatenate([begin[1:], [len(cell)]])
    first, last = cell[begin], cell[end - 1]
    order = np.argsort(first, kind="stable")
    if (first[order][1:] <= last[order][:-1]).any():
        return None
    if (first[1:] > first[:-1]).all():
        return slice(None)
    lengths = (end - begin)[order]
    places = np.repeat(begin[order] - (np.cumsum(lengths) - lengths), lengths)
    places += np.arange(len(cell))
    return places


def cells(post: Codes, kind: Codes, bucket: Integers, types: int) -> Integers:
    """Return one number a cell, in the order of the frame."""
    cell = post.astype(np.int64)
    if not len(cell):
        return cell
    least = int(bucket.min())
    cell *= types
    cell += kind
    cell *= int(bucket.max()) - least + 1
    cell += bucket
    cell -= least
    return cell


def _recoded(parts: Sequence[tuple[Codes, tuple[str, ...]]], union: tuple[str, ...]) -> Codes:
    """Put codes of many names together as codes of one union of them."""
    place = {name: code for code, name in enumerate(union)}
    return np.concatenate(
        [
            codes if names == union else np.array([place[n] for n in names], np.int32)[codes]
            for codes, names in parts
        ]
    )


def _sums(count: Integers, first: Integers) -> tuple[Integers, Mask]:
    """Exact sums of runs, whatever their order, and where 64 bits do not hold them."""
    low = np.add.reduceat(count & _LOW, first)
    high = np.add.reduceat(count >> 32, first) + (low >> 32)
    beyond = (high < -(2**31)) | (high >= 2**31)
    return np.where(beyond, 0, (high << 32) | (low & _LOW)), beyond


def _spread(names: tuple[str, ...], codes: Codes) -> Any:
    """Return the name of each code; in half the time where all names are as long, as IDs are."""
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


def tidy(leaves: Leaves, dimensions: Sequence[Dimension]) -> pd.DataFrame:
    """Return sorted leaves as a tidy frame.

    Returns
    -------
    DataFrame
        One row an element, with the columns and dtypes of the contract.
    """
    keys = {dimension.column for dimension in dimensions}
    if not len(leaves):
        return empty_counts(tuple(keys))
    day, hour = timing(dimensions)
    kinds: Any = leaves.type.astype(np.int8 if len(leaves.types) < 2**7 else np.int32)
    begins = np.flatnonzero(kinds[1:] != kinds[:-1]) + 1
    present = np.unique(kinds[np.append(0, begins)])
    types = pd.Index([leaves.types[code] for code in present], dtype=TEXT)
    if len(present) < len(leaves.types):
        kinds = np.searchsorted(present, kinds).astype(kinds.dtype)
    columns: dict[str, object] = {}
    if Dimension.POST_ID in dimensions:
        columns["post_id"] = _spread(leaves.posts, leaves.post)
    columns["engagement_type"] = pd.Categorical.from_codes(kinds, categories=types, validate=False)
    if day:
        days = leaves.bucket.astype(np.int32)  # half the room, and a quicker division
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
