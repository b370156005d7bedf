"""Compare one response with its request: counts, false zeros and gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np

from engagement_pandas.flattening.combine import add
from engagement_pandas.flattening.count_arrays import ARRAYS, CountArrays, Mask, cells, to_arrays
from engagement_pandas.flattening.time_buckets import Integers, buckets, time_dimensions
from engagement_pandas.frame.contract import in_order
from engagement_pandas.request.grouping import Grouping
from engagement_pandas.response.envelope import Envelope
from engagement_pandas.response.expected_shape import ExpectedShape, HourRange, days_since_1970
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.response.validation import validated
from engagement_pandas.vocabulary import ENGAGEMENT_TYPES, Dimension, Endpoint

SINCE: Final[Mapping[str, int]] = {
    str(name): days_since_1970(facts.series_since) * 24
    for name, facts in ENGAGEMENT_TYPES.items()
    if facts.series_since is not None
}
"""First counted hour of the types that the time series did not always count."""


@dataclass(frozen=True, slots=True)
class MissingCells:
    """Requested cells of one post and one type that are not in the response.

    ``post`` is empty if the grouping sums over posts; ``cells``, the number of requested
    cells, is 0 if the window is unknown.
    """

    post: str
    type: str
    missing: int
    cells: int


@dataclass(frozen=True, slots=True)
class AnswerSummary:
    """What one grouping in one response of status 200 counts, without the counts.

    ``span`` has the requested hours; None for totals, and if ``/28hr`` does not state them.
    ``posts`` have counts, alone or in sums. ``counted_types`` are in the response, and ``types``
    are those and the requested. ``false_before`` are types with zeros from before X began to
    count them. ``gaps`` are absent cells without a stated reason.
    """

    dimensions: tuple[Dimension, ...]
    envelope: Envelope
    span: HourRange | None
    posts: frozenset[str]
    counted_types: tuple[str, ...]
    types: tuple[str, ...]
    false_before: tuple[str, ...]
    gaps: tuple[MissingCells, ...]


def summarize(response: EngagementResponse, grouping: Grouping) -> AnswerSummary:
    """Return what a grouping counts; its counts are not read again if they have been."""
    known: AnswerSummary | None = response.kept(grouping.name)
    return known or reconcile(response, grouping)[0]


def reconcile(
    response: EngagementResponse, grouping: Grouping
) -> tuple[AnswerSummary, CountArrays]:
    """Read one grouping of a response of status 200, and compare it with the request.

    The counts are sorted, false zeros are marked missing, and absent cells are added as missing.
    The response keeps the summary.
    """
    request, dimensions = response.request, grouping.dimensions
    envelope, shape, valid = validated(response, grouping)
    given, is_sorted = to_arrays(valid, dimensions), valid.members.hourly
    if len(valid.meanings) > len(dimensions):  # hours of several days
        given, is_sorted = add([given], grouping.name), True
    del valid  # frees memory for the frame
    requested = tuple(map(str, request.engagement_types))
    available = frozenset(request.post_ids) - envelope.unavailable - envelope.forbidden_posts()
    posts = available if given.posts == ("",) else frozenset(given.posts)
    counts = given
    gaps: tuple[MissingCells, ...] = ()
    if not posts:
        counts = _none(given)
    else:
        wanted = buckets(shape.span, dimensions)
        absent: Mask | None = None
        if wanted is not None:
            counts, absent = _on_grid(given, requested, wanted, is_sorted=is_sorted)
        elif not is_sorted:
            counts = add([given], grouping.name)
        false = false_zeros(counts, envelope, available, dimensions, shape.span)
        if false.any():
            false &= counts.count == 0
            counts = replace(counts, missing=counts.missing | false)
        gaps = (
            _silent(counts, requested)
            if wanted is None
            else _gaps(counts, absent, false, len(requested))
        )
    types = tuple(dict.fromkeys((*requested, *given.types)))
    summary = AnswerSummary(
        dimensions,
        envelope,
        shape.span,
        posts,
        given.types,
        types,
        _false_before(request.endpoint, given, shape, types),
        gaps,
    )
    response.keep(grouping.name, summary)
    return summary, counts


def _false_before(
    endpoint: Endpoint, given: CountArrays, shape: ExpectedShape, types: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the types with zeros from before X began to count them."""
    day, hour = time_dimensions(shape.dimensions)
    if not endpoint.facts.time_series:
        return ()
    if shape.span is not None:
        start = shape.span.start
    elif day and len(given):
        start = int(given.bucket.min()) * (1 if hour else 24)
    else:
        return ()
    return tuple(name for name in types if start < SINCE.get(name, start))


def _none(arrays: CountArrays) -> CountArrays:
    nothing = {name: getattr(arrays, name)[:0] for name in ARRAYS}
    return replace(arrays, **nothing)


def _on_grid(
    given: CountArrays, requested: tuple[str, ...], wanted: Integers, *, is_sorted: bool
) -> tuple[CountArrays, Mask | None]:
    """Lay counts out on the grid of requested cells, so that they are sorted and none is absent.

    ``wanted`` are the requested buckets. Also returned is which cells were absent; None if none
    was.
    """
    types = tuple(in_order(requested))
    shape = len(given.posts), len(types), len(wanted)
    size = shape[0] * shape[1] * shape[2]
    if given.types == types and len(given) == size and (is_sorted or _is_sorted(given)):
        return given, None
    grid = CountArrays(
        given.posts,
        types,
        np.repeat(np.arange(shape[0], dtype=np.int32), shape[1] * shape[2]),
        np.tile(np.repeat(np.arange(shape[1], dtype=np.int32), shape[2]), shape[0]),
        np.tile(wanted, shape[0] * shape[1]),
        np.zeros(size, np.int64),
        np.ones(size, np.bool_),
    )
    if not {*given.types} <= {*types}:  # the answer has more than was requested
        grid = add([given, grid], "")
    elif len(given):
        places = {name: place for place, name in enumerate(types)}
        type_places = np.array([places[name] for name in given.types], np.int64)
        cell = (given.post * np.int64(shape[1]) + type_places[given.type]) * shape[2]
        consecutive = wanted[-1] - wanted[0] + 1 == shape[2]
        cell += given.bucket - wanted[0] if consecutive else np.searchsorted(wanted, given.bucket)
        grid.count[cell] = given.count
        grid.missing[cell] = False
    return grid, grid.missing if grid.missing.any() else None


def _is_sorted(arrays: CountArrays) -> bool:
    """Return whether counts are in the order of the frame; they are of different cells."""
    cell = cells(arrays.post, arrays.type, arrays.bucket, len(arrays.types))
    return bool((cell[1:] > cell[:-1]).all())


def false_zeros(
    arrays: CountArrays,
    envelope: Envelope,
    available: frozenset[str] | None,
    dimensions: Sequence[Dimension],
    span: HourRange | None,
) -> Mask:
    """Return which zeros are no counts: the post is too old, or the type not yet counted.

    Without a span and without days, as for totals, hours are unknown and not checked.
    """
    false = unsupported(arrays, envelope, available)
    day, _ = time_dimensions(dimensions)
    for place, name in enumerate(arrays.types):
        since = SINCE.get(name)
        if since is None or (span is not None and span.start >= since):
            continue
        if day:
            first = since if all(time_dimensions(dimensions)) else since // 24
            false |= (arrays.type == place) & (arrays.bucket < first)
        elif (counted := None if span is None else buckets(span, dimensions, since)) is not None:
            false |= (arrays.type == place) & ~np.isin(arrays.bucket, counted)
    return false


def unsupported(arrays: CountArrays, envelope: Envelope, available: frozenset[str] | None) -> Mask:
    """Return where a post, or every post of a sum, is too old for the type."""
    false = np.zeros(len(arrays), np.bool_)
    for name, posts in envelope.unsupported.items():
        if name not in arrays.types:
            continue
        if arrays.posts == ("",):
            old = [available is not None and available <= posts]
        else:
            old = [post in posts for post in arrays.posts]
        if any(old):
            false |= (arrays.type == arrays.types.index(name)) & np.array(old)[arrays.post]
    return false


def _gaps(
    arrays: CountArrays, absent: Mask | None, false: Mask, requested: int
) -> tuple[MissingCells, ...]:
    """Return how many cells of each post and type are absent without a stated reason.

    ``requested`` is the number of requested types.
    """
    if absent is None:
        return ()
    size = len(arrays.posts) * len(arrays.types)
    unexplained = absent & ~false
    if len(arrays.types) == requested:  # a grid: as many cells for each post and type
        missing = unexplained.reshape(size, -1).sum(axis=1).tolist()
        cells = [len(arrays) // size] * size
    else:
        pairs = arrays.post * len(arrays.types) + arrays.type
        missing = np.bincount(pairs[unexplained], minlength=size).tolist()
        cells = np.bincount(pairs, minlength=size).tolist()
    names = product(arrays.posts, arrays.types)
    return tuple(
        MissingCells(post, name, number, of)
        for (post, name), number, of in zip(names, missing, cells, strict=True)
        if number
    )


def _silent(arrays: CountArrays, requested: tuple[str, ...]) -> tuple[MissingCells, ...]:
    """Return the requested types for which a post has no cell, if the window is unknown."""
    here = np.zeros((len(arrays.posts), len(arrays.types)), np.bool_)
    here[arrays.post, arrays.type] = True
    place = {name: code for code, name in enumerate(arrays.types)}
    return tuple(
        MissingCells(post, name, 0, 0)
        for row, post in enumerate(arrays.posts)
        for name in requested
        if name not in place or not here[row, place[name]]
    )
