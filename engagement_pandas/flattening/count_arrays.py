"""Counts as parallel arrays, converted from the members of a grouping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engagement_pandas.flattening.time_buckets import Integers, time_dimensions
from engagement_pandas.frame.contract import in_order
from engagement_pandas.response.nested_counts.members import ABSENT
from engagement_pandas.response.validation import Valid
from engagement_pandas.vocabulary.dimensions import Dimension

Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CountArrays:
    """Counts as parallel arrays, one element per count.

    ``posts`` and ``types`` are the names in the response, in the frame's order; ``("",)`` for
    posts if the grouping sums over them. ``post`` and ``type`` are indices into these. For
    ``bucket`` see ``time_buckets``. ``missing`` states whether there is no count.
    """

    posts: tuple[str, ...]
    types: tuple[str, ...]
    post: Codes
    type: Codes
    bucket: Integers
    count: Integers
    missing: Mask

    def __len__(self) -> int:
        return len(self.count)


ARRAYS: Final = ("post", "type", "bucket", "count", "missing")

_ORDERS: Final[Mapping[Dimension, Callable[[Iterable[str]], list[str]]]] = {
    Dimension.POST_ID: sorted,
    Dimension.ENGAGEMENT_TYPE: in_order,
}


def cells(
    post: Codes,
    engagement_type: Codes,
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
    cell += engagement_type
    cell *= last - least + 1
    cell += bucket
    cell -= least
    return cell


def bucket_range(parts: Sequence[CountArrays]) -> tuple[int, int]:
    """Return the smallest and the largest bucket of parts, of which none is empty."""
    ends = [(int(part.bucket.min()), int(part.bucket.max())) for part in parts]
    return min(least for least, _ in ends), max(last for _, last in ends)


def to_arrays(valid: Valid, dimensions: Sequence[Dimension]) -> CountArrays:
    """Convert members to arrays: in the frame's order if they are hourly, else in their own."""
    members, meanings = valid
    names: dict[Dimension, tuple[str, ...]] = {}
    keys: dict[Dimension, Codes] = {}
    lengths = np.asarray(members.lengths)
    for depth, (level, meaning) in enumerate(zip(members.levels, meanings, strict=False)):
        numbers = meaning.numbers
        if meaning.dimension in _ORDERS:
            ordered = tuple(_ORDERS[meaning.dimension](level))
            if ordered != tuple(level):
                places = dict(zip(ordered, range(len(ordered)), strict=True))
                numbers = [*map(places.__getitem__, level)]
            else:
                numbers = [*range(len(ordered))]
            names[meaning.dimension] = ordered
        known = np.array(numbers, np.int32)
        if depth < len(members.above):
            keys[meaning.dimension] = np.repeat(known[np.asarray(members.above[depth])], lengths)
        else:
            keys[meaning.dimension] = known[np.asarray(members.codes)]
    nothing = np.zeros(len(members.codes), np.int32)
    post, engagement_type, day, hour = (keys.pop(name, nothing) for name in Dimension)
    by_day, by_hour = time_dimensions(dimensions)
    count = np.frombuffer(members.counts or b"", np.int64)
    bucket = day.astype(np.int64) if by_day else np.zeros(len(day), np.int64)
    del day
    if members.hourly:
        post, engagement_type, bucket, count = _hours(
            post, engagement_type, bucket, count, len(names[Dimension.ENGAGEMENT_TYPE])
        )
    elif by_hour:
        bucket *= 24  # in place: two more arrays of this size would be the peak of memory
        bucket += hour
    return CountArrays(
        posts=names.get(Dimension.POST_ID, ("",)),
        types=names[Dimension.ENGAGEMENT_TYPE],
        post=post,
        type=engagement_type,
        bucket=bucket,
        count=count,
        missing=np.zeros(len(count), np.bool_),
    )


def _hours(
    post: Codes, engagement_type: Codes, day: Integers, count: Integers, types: int
) -> tuple[Codes, Codes, Integers, Integers]:
    """Expand days of 24 hours to hours, without those that the answer lacks.

    Sorting days is much less work than sorting hours. Counts by the hour of the day come with
    day 0 throughout, so they are not in order, but summed later.
    """
    order = np.argsort(cells(post, engagement_type, day, types), kind="stable")
    post, engagement_type, day = post[order], engagement_type[order], day[order]
    count = count.reshape(-1, 24)[order].ravel()
    present = count != ABSENT
    if present.all():
        bucket = np.add.outer(day * 24, np.arange(24)).ravel()
        return np.repeat(post, 24), np.repeat(engagement_type, 24), bucket, count
    places = np.flatnonzero(present)
    row = places // 24
    return post[row], engagement_type[row], day[row] * 24 + (places - row * 24), count[places]
