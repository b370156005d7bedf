"""Compare responses with their requests: counts, false zeros and gaps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, compress, product
from typing import Final, NamedTuple

import numpy as np

from engagement_pandas.flattening.combine import add
from engagement_pandas.flattening.count_arrays import ARRAYS, CountArrays, Mask, cells, to_arrays
from engagement_pandas.flattening.time_buckets import Integers, buckets, time_dimensions
from engagement_pandas.frame.contract import in_order
from engagement_pandas.request.grouping import Grouping
from engagement_pandas.response.envelope import Envelope
from engagement_pandas.response.nested_counts.expected_shape import (
    ExpectedShape,
    HourRange,
    days_since_1970,
)
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.response.validation import Valid, validated, validated_as_one
from engagement_pandas.vocabulary.dimensions import Dimension
from engagement_pandas.vocabulary.endpoints import Endpoint
from engagement_pandas.vocabulary.engagement_types import ENGAGEMENT_TYPES

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


class AnswerSummary(NamedTuple):
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
    return known or compare_with_request(response, grouping)[0]


def compare_with_request(
    response: EngagementResponse, grouping: Grouping
) -> tuple[AnswerSummary, CountArrays]:
    """Read one grouping of a response of status 200, and compare it with the request.

    The counts are sorted, false zeros are marked missing, and absent cells are added as missing.
    The response keeps the summary.
    """
    envelope, shape, valid = validated(response, grouping)
    available = frozenset(response.request.post_ids) - envelope.unavailable
    available -= envelope.forbidden_posts()
    given, counts, gaps = _compared(valid, shape, envelope.unsupported, available)
    del valid  # frees memory for the frame
    posts = available if given.posts == ("",) else frozenset(given.posts)
    types = tuple(dict.fromkeys((*(shape.types or ()), *given.types)))
    false_before = _false_before(response.request.endpoint, given, shape, types)
    summary = AnswerSummary(
        grouping.dimensions, envelope, shape.span, posts, given.types, types, false_before, gaps
    )
    response.keep(grouping.name, summary)
    return summary, counts


def compare_as_one(
    responses: Sequence[EngagementResponse], grouping: Grouping
) -> tuple[list[AnswerSummary], CountArrays] | None:
    """Read and compare answers as if they were one; None if it is not certain that each is valid.

    Their requests differ only in their posts. One answer costs as much as many counts.
    """
    read = validated_as_one(responses, grouping)
    if read is None or buckets(read[1].span, grouping.dimensions) is None:
        return None
    answers, shape, valid = read
    unsupported: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    for envelope, posts in answers:
        for name, old in envelope.unsupported.items():
            unsupported[name] |= old & posts
    given, counts, found = _compared(valid, shape, unsupported, frozenset())
    del valid
    gaps: defaultdict[str, list[MissingCells]] = defaultdict(list)
    for gap in found:
        gaps[gap.post].append(gap)
    types = tuple(shape.types or ())
    false_before = _false_before(responses[0].request.endpoint, given, shape, types)
    types_of = _counted_types(given)
    summaries = []
    for response, (envelope, posts) in zip(responses, answers, strict=True):
        counted = given.types
        if types_of or not posts:
            counted = tuple(in_order(set().union(*(types_of[post] for post in posts))))
        own = tuple(chain.from_iterable(gaps[post] for post in sorted(posts))) if gaps else ()
        summary = AnswerSummary(
            grouping.dimensions, envelope, shape.span, posts, counted, types, false_before, own
        )
        response.keep(grouping.name, summary)
        summaries.append(summary)
    return summaries, counts


def _counted_types(given: CountArrays) -> Mapping[str, tuple[str, ...]]:
    """Return the types of which each post has counts; empty if each has all."""
    present = _present(given)
    if present.all():
        return {}
    rows = zip(given.posts, present.tolist(), strict=True)
    return {post: tuple(compress(given.types, row)) for post, row in rows}


def _present(arrays: CountArrays) -> Mask:
    """Return of which types, in columns, each post, in rows, has cells."""
    here = np.zeros((len(arrays.posts), len(arrays.types)), np.bool_)
    here[arrays.post, arrays.type] = True
    return here


def _compared(
    valid: Valid,
    shape: ExpectedShape,
    unsupported: Mapping[str, frozenset[str]],
    available: frozenset[str],
) -> tuple[CountArrays, CountArrays, tuple[MissingCells, ...]]:
    """Return the counts of a grouping as given and as requested, and the gaps between them.

    ``available`` are the posts of which counts without a post are sums.
    """
    dimensions, requested = shape.dimensions, tuple(shape.types or ())
    given, is_sorted = to_arrays(valid, dimensions), valid.members.hourly
    if len(valid.meanings) > len(dimensions):  # hours of several days
        given, is_sorted = add([given], shape.name), True
    if not (available if given.posts == ("",) else given.posts):
        return given, _none(given), ()
    wanted, counts, absent = buckets(shape.span, dimensions), given, None
    if wanted is not None:
        counts, absent = _on_grid(given, requested, wanted, is_sorted=is_sorted)
    elif not is_sorted:
        counts = add([given], shape.name)
    false = false_zeros(counts, unsupported, available, dimensions, shape.span)
    if false.any():
        false &= counts.count == 0
        counts = replace(counts, missing=counts.missing | false)
    if wanted is None:
        return given, counts, _silent(counts, requested)
    return given, counts, _gaps(counts, absent, false, len(requested))


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
    unsupported: Mapping[str, frozenset[str]],
    available: frozenset[str] | None,
    dimensions: Sequence[Dimension],
    span: HourRange | None,
) -> Mask:
    """Return which zeros are not counts: the post is too old, or the type not yet counted.

    Without a span and without days, as for totals, hours are unknown and not checked.
    """
    false = _too_old(arrays, unsupported, available)
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


def _too_old(
    arrays: CountArrays, unsupported: Mapping[str, frozenset[str]], available: frozenset[str] | None
) -> Mask:
    """Return where a post, or every post of a sum, is too old for the type."""
    false = np.zeros(len(arrays), np.bool_)
    for name, posts in unsupported.items():
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
    here = _present(arrays)
    place = {name: code for code, name in enumerate(arrays.types)}
    return tuple(
        MissingCells(post, name, 0, 0)
        for row, post in enumerate(arrays.posts)
        for name in requested
        if name not in place or not here[row, place[name]]
    )
