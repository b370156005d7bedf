"""Divide stored responses into partitions, so that nothing is counted twice.

The list of requests is divided, which each collection stores in one file, so no response has
to be opened. A partition is a set of these requests, and its responses are read where they
are flattened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np

from engagement_pandas.request.cost import max_rows
from engagement_pandas.request.grouping import Grouping
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.response.archives.collection import Collection
from engagement_pandas.response.nested_counts.expected_shape import ALL_TIME, HourRange
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.vocabulary.dimensions import Dimension

ROWS_PER_PARTITION: Final = 1_000_000
"""Counts in a partition: about 50 MB as a frame, and three times that while flattening."""

_DAY = 24


@dataclass(frozen=True)
class Share(Collection):
    """Some requests of a collection, with the same interface.

    Iterating yields their responses, one at a time. Missing responses are skipped without a
    warning: warnings in workers go unread, so the caller has already warned. ``selected``
    and ``left_out`` are requests of the collection; the latter were never sent.
    """

    selected: tuple[EngagementRequest, ...] = ()
    left_out: tuple[EngagementRequest, ...] = ()

    @cached_property
    def requests(self) -> tuple[EngagementRequest, ...]:
        """The requests in this share."""
        return self.selected

    @cached_property
    def unposted(self) -> tuple[EngagementRequest, ...]:
        """The requests in this share that are never sent."""
        return self.left_out

    def __iter__(self) -> Iterator[EngagementResponse]:
        for part in self.unposted:
            yield EngagementResponse.unposted(part, self.started)
        for request, response, why in self._walk():
            if response is not None:
                yield response
            elif why is not None:  # let the collection raise its own error
                yield from Collection.__iter__(Share(self.path, (request,)))


@dataclass(frozen=True)
class Partition:
    """Stored responses that are flattened together, in the order of the archive."""

    shares: tuple[Share, ...]

    def __iter__(self) -> Iterator[EngagementResponse]:
        for share in self.shares:
            yield from share


class StoredRequest(NamedTuple):
    """A request, and the collection that holds its response."""

    collection: Collection
    request: EngagementRequest


def stored_requests(collections: Sequence[Collection]) -> list[StoredRequest]:
    """Return the requests of some collections."""
    return [
        StoredRequest(collection, request)
        for collection in collections
        for request in collection.requests
    ]


def partitions(
    collections: Sequence[Collection], families: Iterable[Sequence[StoredRequest]], rows: int
) -> tuple[Partition, ...]:
    """Divide families of requests into partitions: deterministic, and in their order.

    There is at least one collection; requests never sent go into the first partition. Requests
    of a family, such as from :func:`related`, must stay together. A partition has at most
    ``rows`` counts; exceeded only by a single family.
    """
    parts: list[list[StoredRequest]] = [[]]
    filled = 0
    for family in families:
        size = sum(max_rows(part.request, ()) for part in family)
        if parts[-1] and filled + size > rows:
            parts.append([])
            filled = 0
        parts[-1] += family
        filled += size
    shares = [tuple(_shares(part)) for part in parts]
    shares[0] += tuple(
        Share(collection.path.resolve(), (), never)
        for collection in collections
        if (never := collection.unposted)
    )
    return tuple(Partition(part) for part in shares)


def related(
    collections: Sequence[Collection], grouping: str | None, *, retrieved_at: bool
) -> list[list[StoredRequest]]:
    """Group requests whose responses could count the same thing, or be summed together.

    Partitions of complete families can be flattened independently. Only if a grouping sums over
    posts are all responses summed together, and so partitions must be as well. With
    ``retrieved_at``, snapshots are kept separate: then only collections that started at the
    same time, such as copies, could count the same thing.
    """
    from scipy.sparse import coo_array  # noqa: PLC0415 - takes as long to import as pandas
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    parts = stored_requests(collections)
    spans = [_span(part.request, part.request.grouping(grouping)) for part in parts]
    overlaps: list[tuple[int, int]] = []
    last: dict[tuple[str, datetime | None], tuple[int, int]] = {}
    for place in sorted(range(len(parts)), key=lambda place: spans[place].start):
        snapshot = parts[place].collection.started if retrieved_at else None
        span = spans[place]
        for post in parts[place].request.post_ids:
            until, other = last.get((post, snapshot), (span.start, place))
            if span.start < until:
                overlaps.append((place, other))
            last[post, snapshot] = max((until, other), (span.end, place))
    pairs = np.array(overlaps, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(overlaps)), tuple(pairs)), shape=(len(parts), len(parts)))
    families: dict[int, list[StoredRequest]] = {}
    for label, part in zip(connected_components(graph, directed=False)[1], parts, strict=True):
        families.setdefault(int(label), []).append(part)
    return list(families.values())


def _span(request: EngagementRequest, grouping: Grouping) -> HourRange:
    """Return the hours in which another request for the same post would be related."""
    window, dimensions = request.window, grouping.dimensions
    if window is None:
        return ALL_TIME
    span = HourRange.covering(window.start, window.end)
    if Dimension.POST_ID not in dimensions:
        return span
    if Dimension.DAY not in dimensions:
        return ALL_TIME
    if Dimension.HOUR in dimensions:
        return span
    return replace(span, start=span.start // _DAY * _DAY, end=-(-span.end // _DAY) * _DAY)


def _shares(part: Sequence[StoredRequest]) -> Iterator[Share]:
    for path, of_it in groupby(part, key=lambda item: item.collection.path):
        yield Share(path.resolve(), tuple(item.request for item in of_it))
