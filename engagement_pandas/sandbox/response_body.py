"""The nested JSON of a response, as irregular as that of the real service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import compress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engagement_pandas.sandbox import limits
from engagement_pandas.sandbox.stable_random import hash64, mixed, shuffled
from engagement_pandas.sandbox.synthetic_counts import HOUR_MS, bucketed, cumulated
from engagement_pandas.sandbox.validation import ParsedRequest
from engagement_pandas.sandbox.window import CountedWindow, milliseconds
from engagement_pandas.sandbox.world import Post

INTEGER_SHARE: Final = 1 / 64
"""Share of counts that are numbers rather than strings."""

# Axes of the counts during grouping, with separate axes for days and hours of the day.
_AXES: Final = {limits.POST: 0, limits.TYPE: 1, limits.DAY: 2, limits.HOUR: 3}
_TOTALS_AGES: Final = {
    **dict.fromkeys(limits.YOUNG_TYPES, limits.YOUNG),
    limits.VIDEO_VIEWS: limits.VIDEO_AGE,
}


@dataclass(frozen=True, slots=True)
class Grid:
    """Counts on four axes: post, type, day, hour of the day.

    ``keys`` has the keys of the response for each axis. ``listed`` is true for an hour in the
    window; its shape is (days, hours).
    """

    keys: tuple[list[str], list[str], list[str], list[str]]
    counts: NDArray[np.int64]
    listed: NDArray[np.bool_]


def totals_grid(request: ParsedRequest, posts: Sequence[Post], now: datetime) -> Grid:
    """Return counts since each post was made, with 0 if a post is too old for the type."""
    counts = cumulated(posts, request.types, milliseconds(now))
    for place, name in enumerate(request.types):
        if name in _TOTALS_AGES:
            counts[[now - post.created_at > _TOTALS_AGES[name] for post in posts], place] = 0
    keys = ([post.post_id for post in posts], list(request.types), [""], [""])
    return Grid(keys, counts[:, :, None, None], np.ones((1, 1), np.bool_))


def series_grid(
    request: ParsedRequest, posts: Sequence[Post], window: CountedWindow, now: datetime
) -> Grid:
    """Return hourly counts, including the service's placeholder zeros."""
    start_ms, end_ms = window.milliseconds
    hourly = bucketed(posts, request.types, start_ms, end_ms)
    first = start_ms // HOUR_MS
    hours = np.arange(first, first + hourly.shape[2])
    first_day = first // 24
    days = int(hours[-1]) // 24 - first_day + 1
    shape = (len(posts), len(request.types), days * 24)
    places = hours - first_day * 24
    counts = np.zeros(shape, np.int64)
    counts[:, :, places] = hourly
    listed = np.zeros(days * 24, np.bool_)
    listed[places] = True
    dates = [
        datetime(1970, 1, 1, tzinfo=UTC) + timedelta(int(first_day) + day) for day in range(days)
    ]
    for place, name in enumerate(request.types):
        if name == limits.VIDEO_VIEWS:
            counts[[now - post.created_at > limits.VIDEO_AGE for post in posts], place] = 0
        elif name in limits.LATE_TYPES:
            uncounted = np.repeat([date.date() < limits.LATE_TYPES_SINCE for date in dates], 24)
            counts[:, place, uncounted] = 0
    return Grid(
        (
            [post.post_id for post in posts],
            list(request.types),
            [date.date().isoformat() for date in dates],
            [f"{hour:02}" for hour in range(24)],
        ),
        counts.reshape(*shape[:2], days, 24),
        listed.reshape(days, 24),
    )


def grouped(grid: Grid, dimensions: Sequence[str], seed: int) -> dict[str, Any]:
    """Sum the counts by dimensions, and nest them in that order.

    ``seed`` determines the order of the keys, and which counts are integers. Zeros are included;
    hours outside the window are not.
    """
    axes = [_AXES[dimension] for dimension in dimensions]
    gone = tuple(axis for axis in range(4) if axis not in axes)
    # Posts and types come in any order; days and hours are sorted in every known response.
    places = [shuffled(range(len(grid.keys[axis])), seed, axis) for axis in (0, 1)]
    counts = grid.counts[places[0]][:, places[1]].sum(axis=gone, keepdims=True)
    keys = [[grid.keys[axis][place] for place in places[axis]] for axis in (0, 1)]
    keys += grid.keys[2:]
    listed = grid.listed.any(axis=tuple(axis - 2 for axis in gone if axis > 1), keepdims=True)
    order = (*axes, *gone)
    flat = np.ascontiguousarray(counts.transpose(order)).reshape(-1)
    leaves: list[str | int] = list(map(str, flat.tolist()))
    start = np.array([hash64(seed)], dtype=np.uint64)
    draws = mixed(start, np.arange(flat.size, dtype=np.uint64)) >> np.uint64(11)
    for place in np.flatnonzero(draws * 2.0**-53 < INTEGER_SHARE).tolist():
        leaves[place] = int(flat[place])
    shown = np.broadcast_to(listed, counts.shape).transpose(order).reshape(-1).tolist()
    return _nested([keys[axis] for axis in axes], leaves, shown)


def _nested(keys: list[list[str]], leaves: list[Any], shown: list[bool]) -> dict[str, Any]:
    """Nest the counts, innermost keys first, and leave out hidden ones."""
    for level in reversed(keys):
        size = len(level)
        branches = []
        alive = []
        for first in range(0, len(leaves), size):
            twigs, flags = leaves[first : first + size], shown[first : first + size]
            if all(flags):
                branches.append(dict(zip(level, twigs, strict=True)))
            else:
                branches.append(dict(compress(zip(level, twigs, strict=True), flags)))
            alive.append(any(flags))
        leaves, shown = branches, alive
    document: dict[str, Any] = leaves[0]
    return document
