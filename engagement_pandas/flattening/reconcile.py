"""Compare one response with its request: counts, false zeros and gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engagement_pandas.flattening import fast_path
from engagement_pandas.flattening.combine import add
from engagement_pandas.flattening.count_arrays import CountArrays, Mask
from engagement_pandas.flattening.time_buckets import Integers, buckets, time_dimensions
from engagement_pandas.frame.contract import in_order
from engagement_pandas.request.grouping import Grouping
from engagement_pandas.response.envelope import Envelope
from engagement_pandas.response.expected_shape import HourRange, days_since_1970
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.response.validation import validated
from engagement_pandas.vocabulary import ENGAGEMENT_TYPES, Dimension

SINCE: Final[Mapping[str, int]] = {
    str(kind): days_since_1970(facts.series_since) * 24
    for kind, facts in ENGAGEMENT_TYPES.items()
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
class ReconciledAnswer:
    """The counts of one grouping in one response of status 200.

    ``span`` has the requested hours; None for totals, and if ``/28hr`` does not state them.
    ``given`` are the counts in the response. ``counts`` are the same, with false zeros marked
    missing and absent cells added as missing. ``gaps`` are absent cells without a stated
    reason.
    """

    response: EngagementResponse
    envelope: Envelope
    grouping: Grouping
    span: HourRange | None
    given: CountArrays
    counts: CountArrays
    gaps: tuple[MissingCells, ...]

    @classmethod
    def read(cls, response: EngagementResponse, grouping: Grouping) -> ReconciledAnswer:
        """Read one grouping of a response of status 200."""
        request = response.request
        envelope, layout, valid = validated(response, grouping)
        given, span = fast_path.read_hourly_counts(valid, layout), layout.span
        del valid
        available = frozenset(request.post_ids) - envelope.unavailable - envelope.forbidden_posts()
        counts = given
        gaps: tuple[MissingCells, ...] = ()
        if given.posts == ("",) and not available:
            counts = _none(given)
        elif given.posts:
            types = tuple(str(kind) for kind in request.engagement_types)
            cells = buckets(span, grouping.dimensions)
            counts, filled = (given, None) if cells is None else _fill(given, types, cells)
            false = false_zeros(counts, envelope, available, grouping.dimensions, span)
            if false.any():
                false &= counts.count == 0
                counts = replace(counts, missing=counts.missing | false)
            gaps = _gaps(counts, filled, false) if cells is not None else _silent(counts, types)
        return cls(response, envelope, grouping, span, given, counts, gaps)

    @property
    def posts(self) -> frozenset[str]:
        """The posts with counts, alone or in sums."""
        if self.given.posts != ("",):
            return frozenset(self.given.posts)
        asked = frozenset(self.response.request.post_ids)
        return asked - self.envelope.unavailable - self.envelope.forbidden_posts()

    @property
    def types(self) -> tuple[str, ...]:
        """The types that were requested or are counted."""
        asked = (str(kind) for kind in self.response.request.engagement_types)
        return tuple(dict.fromkeys((*asked, *self.given.types)))

    @property
    def false_before(self) -> tuple[str, ...]:
        """The types with zeros from before X began to count them."""
        if not self.response.request.endpoint.facts.time_series:
            return ()
        day, hour = time_dimensions(self.grouping.dimensions)
        if self.span is not None:
            start = self.span.start
        elif day and len(self.given):
            start = int(self.given.bucket.min()) * (1 if hour else 24)
        else:
            return ()
        return tuple(kind for kind in self.types if start < SINCE.get(kind, start))


def _none(leaves: CountArrays) -> CountArrays:
    return CountArrays(
        leaves.posts,
        leaves.types,
        leaves.post[:0],
        leaves.type[:0],
        leaves.bucket[:0],
        leaves.count[:0],
        leaves.missing[:0],
    )


def _fill(
    leaves: CountArrays, asked: tuple[str, ...], cells: Integers
) -> tuple[CountArrays, Integers | None]:
    """Add requested cells that are absent; and return their indices, None if there are none."""
    expected = len(leaves.posts) * len(asked) * len(cells)
    if set(leaves.types) == set(asked):
        here = len(leaves)
    else:
        wanted = np.isin(leaves.types, asked)
        here = int(wanted[leaves.type].sum()) if leaves.types else 0
    if here == expected:
        return leaves, None
    every = in_order(asked)
    grid = np.indices((len(leaves.posts), len(every), len(cells)), np.int32).reshape(3, -1)
    whole = CountArrays(
        leaves.posts,
        tuple(every),
        grid[0],
        grid[1],
        cells[grid[2]],
        np.zeros(grid.shape[1], np.int64),
        np.ones(grid.shape[1], np.bool_),
    )
    filled = add([leaves, whole], "")
    return filled, np.flatnonzero(filled.missing)


def false_zeros(
    leaves: CountArrays,
    envelope: Envelope,
    available: frozenset[str] | None,
    dimensions: Sequence[Dimension],
    span: HourRange | None,
) -> Mask:
    """Return which zeros are no counts: the post is too old, or the type not yet counted.

    Without a span and without days, as for totals, hours are unknown and not checked.
    """
    false = unsupported(leaves, envelope, available)
    day, _ = time_dimensions(dimensions)
    for place, kind in enumerate(leaves.types):
        since = SINCE.get(kind)
        if since is None or (span is not None and span.start >= since):
            continue
        if day:
            first = since if all(time_dimensions(dimensions)) else since // 24
            false |= (leaves.type == place) & (leaves.bucket < first)
        elif (counted := None if span is None else buckets(span, dimensions, since)) is not None:
            false |= (leaves.type == place) & ~np.isin(leaves.bucket, counted)
    return false


def unsupported(leaves: CountArrays, envelope: Envelope, available: frozenset[str] | None) -> Mask:
    """Return where a post, or every post of a sum, is too old for the type."""
    false = np.zeros(len(leaves), np.bool_)
    for kind, posts in envelope.unsupported.items():
        if kind not in leaves.types:
            continue
        if leaves.posts == ("",):
            old = [available is not None and available <= posts]
        else:
            old = [post in posts for post in leaves.posts]
        if any(old):
            false |= (leaves.type == leaves.types.index(kind)) & np.array(old)[leaves.post]
    return false


def _gaps(leaves: CountArrays, filled: Integers | None, false: Mask) -> tuple[MissingCells, ...]:
    if filled is None:
        return ()
    unexplained = filled[~false[filled]]
    shape = (len(leaves.posts), len(leaves.types))
    pairs = leaves.post * shape[1] + leaves.type
    missing = np.bincount(pairs[unexplained], minlength=shape[0] * shape[1])
    cells = np.bincount(pairs, minlength=shape[0] * shape[1])
    return tuple(
        MissingCells(
            leaves.posts[pair // shape[1]],
            leaves.types[pair % shape[1]],
            int(missing[pair]),
            int(cells[pair]),
        )
        for pair in np.flatnonzero(missing)
    )


def _silent(leaves: CountArrays, asked: tuple[str, ...]) -> tuple[MissingCells, ...]:
    """Return the requested types for which a post has no cell, if the window is unknown."""
    here = np.zeros((len(leaves.posts), len(leaves.types)), np.bool_)
    here[leaves.post, leaves.type] = True
    place = {kind: code for code, kind in enumerate(leaves.types)}
    return tuple(
        MissingCells(post, kind, 0, 0)
        for row, post in enumerate(leaves.posts)
        for kind in asked
        if kind not in place or not here[row, place[kind]]
    )
