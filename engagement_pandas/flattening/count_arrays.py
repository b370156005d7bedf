"""Read the counts of one grouping from nested JSON into flat arrays.

:func:`read_counts` is the general path, for any order of keys; ``fast_path`` is faster for
the largest shape. ``expected_shape`` and ``validation`` check the JSON before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engagement_pandas.flattening.time_buckets import Integers
from engagement_pandas.frame.contract import in_order
from engagement_pandas.response.expected_shape import ExpectedShape
from engagement_pandas.response.scanner import Level, read_members
from engagement_pandas.response.validation import Members
from engagement_pandas.vocabulary import Dimension

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


_ORDERS: Final[Mapping[Dimension, Callable[[Iterable[str]], list[str]]]] = {
    Dimension.POST_ID: sorted,
    Dimension.ENGAGEMENT_TYPE: in_order,
}


def read_counts(raw: bytes, layout: ExpectedShape) -> CountArrays:
    """Read counts from nested JSON.

    ``raw`` is the value of the grouping: well-formed JSON. Counts are in its order; hours of
    the day listed day by day appear once per day.
    """
    return of_members(Members.of(read_members(raw, layout.name), layout), layout)


def of_members(members: Members, layout: ExpectedShape) -> CountArrays:
    """Convert members validated against the layout to arrays, and consume them."""
    names: dict[Dimension, tuple[str, ...]] = {}
    codes: dict[Dimension, Codes] = {}
    count = np.zeros(0, np.int64)
    levels, left = members.levels, list(members.meanings)
    whole = len(levels) == len(left)  # otherwise there are only empty objects
    place: Codes | slice = slice(None)
    if whole:
        count = np.frombuffer(levels[-1].counts, np.int64)
    while left:
        dimension, numbers = left.pop()
        level = levels.pop() if len(levels) > len(left) else Level()
        if dimension in _ORDERS:
            names[dimension] = tuple(_ORDERS[dimension](level.names))
            order = {name: place for place, name in enumerate(names[dimension])}
            numbers = [order[name] for name in level.names]
        if whole:
            codes[dimension] = np.array(numbers, np.int32)[
                np.frombuffer(level.codes, np.int32)[place]
            ]
            place = np.frombuffer(level.parents, np.int32)[place]
    nothing = np.zeros(len(count), np.int32)
    post, kind, day, hour = (codes.pop(dimension, nothing) for dimension in Dimension)
    bucket = day.astype(np.int64)
    if Dimension.HOUR in layout.dimensions:
        if Dimension.DAY in layout.dimensions:
            bucket *= 24
            bucket += hour
        else:
            bucket = hour.astype(np.int64)
    del day, hour
    if len(members.outside):
        kept = np.delete(np.arange(len(count)), np.frombuffer(members.outside, np.int32))
        post, kind, bucket, count = post[kept], kind[kept], bucket[kept], count[kept]
    return CountArrays(
        posts=names.get(Dimension.POST_ID, ("",)),
        types=names[Dimension.ENGAGEMENT_TYPE],
        post=post,
        type=kind,
        bucket=bucket,
        count=count,
        missing=np.zeros(len(count), np.bool_),
    )
