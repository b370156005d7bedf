"""Sum the counts of several responses cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

import numpy as np

from engagement_pandas.errors import ResponseShapeError
from engagement_pandas.flattening.count_arrays import (
    ARRAYS,
    Codes,
    CountArrays,
    Mask,
    bucket_range,
    cells,
)
from engagement_pandas.flattening.time_buckets import Integers
from engagement_pandas.frame.contract import in_order
from engagement_pandas.text import json_path

_LOW: Final = np.int64(2**32 - 1)


def add(parts: Sequence[CountArrays], name: str) -> CountArrays:
    """Sum counts: one element per cell, sorted; missing only if it is missing in every part.

    There is at least one part, and their buckets have the same unit. ``name`` is that of the
    grouping, for the path in an error.
    """
    parts = _with_same_names(parts)
    parts = [part for part in parts if len(part)] or parts[:1]
    if not len(parts[0]):
        return parts[0]
    posts, types, buckets = parts[0].posts, parts[0].types, bucket_range(parts)
    numbers = [cells(part.post, part.type, part.bucket, len(types), buckets) for part in parts]
    runs = _concat_sorted_runs(parts, numbers)
    if runs is not None:
        return runs
    # Sort all counts by their cell. The first of each cell then stands for it.
    cell = np.concatenate(numbers)
    del numbers
    order = np.argsort(cell, kind="stable")
    cell = cell[order]
    first = np.flatnonzero(np.concatenate([[True], cell[1:] != cell[:-1]]))
    del cell
    post, engagement_type, bucket, count, missing = (
        np.concatenate([getattr(part, column) for part in parts]) for column in ARRAYS
    )
    chosen = order[first]
    post, engagement_type, bucket = post[chosen], engagement_type[chosen], bucket[chosen]
    # Sum each cell: a missing count adds nothing, and only all of them together are missing.
    count, missing = count[order], missing[order]
    count, overflow = _sums(np.where(missing, 0, count), first)
    missing = np.logical_and.reduceat(missing, first)
    if overflow.any():
        place = int(np.argmax(overflow))
        of_post = f" of post {posts[post[place]]}" if posts[post[place]] else ""
        msg = f"the {types[engagement_type[place]]}{of_post} add up to more than 64 bits hold"
        raise ResponseShapeError(msg, json_path(name))
    return CountArrays(posts, types, post, engagement_type, bucket, count, missing)


def _with_same_names(parts: Sequence[CountArrays]) -> list[CountArrays]:
    """Return parts whose codes are indices into the posts and types of all of them."""
    # Each part is sorted, and sorting runs is quicker than sorting a set.
    posts = tuple(dict.fromkeys(sorted(chain.from_iterable(part.posts for part in parts))))
    types = tuple(in_order(set().union(*(part.types for part in parts))))
    if all(part.posts == posts and part.types == types for part in parts):
        return list(parts)
    post_places, type_places = (
        dict(zip(names, range(len(names)), strict=True)) for names in (posts, types)
    )
    return [
        replace(
            part,
            posts=posts,
            types=types,
            post=_recoded(part.post, part.posts, post_places),
            type=_recoded(part.type, part.types, type_places),
        )
        for part in parts
    ]


def _recoded(codes: Codes, names: tuple[str, ...], places: Mapping[str, int]) -> Codes:
    """Recode names as indices into more names; both are in the same order."""
    if len(names) == len(places):
        return codes
    return np.fromiter(map(places.__getitem__, names), np.int32, len(names))[codes]


def _concat_sorted_runs(
    parts: Sequence[CountArrays], numbers: Sequence[Integers]
) -> CountArrays | None:
    """Concatenate parts with the same names in order; None if a cell may occur twice.

    A part is a few runs of adjacent cells, such as the hours of one post and type. If no two
    runs overlap, they are placed one after another, without sorting the cells within them.
    ``numbers`` are those of the cells of each part.
    """
    # Where each run begins, as an index into its part, for the first and the last cell of each.
    starts = [np.append(0, np.flatnonzero(np.diff(cell) != 1) + 1) for cell in numbers]
    first = np.concatenate([cell[start] for cell, start in zip(numbers, starts, strict=True)])
    ends = [np.append(start[1:], len(cell)) for cell, start in zip(numbers, starts, strict=True)]
    last = np.concatenate([cell[end - 1] for cell, end in zip(numbers, ends, strict=True)])
    order = np.argsort(first, kind="stable")
    if (first[order][1:] <= last[order][:-1]).any():
        return None
    if len(parts) == 1 and (first[1:] > first[:-1]).all():
        return parts[0]
    # Where each run goes: behind all that are before it in order.
    lengths = last - first + 1
    places = np.empty_like(lengths)
    places[order] = np.cumsum(lengths[order]) - lengths[order]
    # Copy each part to its place: concatenating all parts first takes twice as long.
    columns = [np.empty(sum(map(len, parts)), getattr(parts[0], name).dtype) for name in ARRAYS]
    done = 0
    for part, start in zip(parts, starts, strict=True):
        runs = slice(done, done + len(start))
        done += len(start)
        shift = np.repeat(places[runs] - start, lengths[runs])
        target = shift + np.arange(len(part))
        for column, name in zip(columns, ARRAYS, strict=True):
            column[target] = getattr(part, name)
    return CountArrays(parts[0].posts, parts[0].types, *columns)


def _sums(count: Integers, first: Integers) -> tuple[Integers, Mask]:
    """Return exact sums of runs, in any order of elements, and which exceed 64 bits.

    The two halves of each number are summed separately, so that no intermediate sum overflows.
    """
    low = np.add.reduceat(count & _LOW, first)
    high = np.add.reduceat(count >> 32, first) + (low >> 32)
    overflow = (high < -(2**31)) | (high >= 2**31)
    return np.where(overflow, 0, (high << 32) | (low & _LOW)), overflow
