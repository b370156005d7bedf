"""Partitions: which stored answers are flattened together, so that nothing is added up twice.

What is cut is the list of requests, which each collection has in one file of its own; no
answer is opened for it. A partition is some of these requests, and its answers are read
where they are flattened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

from engagement_pandas.request.cost import max_rows
from engagement_pandas.request.grouping import Grouping
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.response.collection import Collection
from engagement_pandas.response.expected_shape import HourRange
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.vocabulary import Dimension

_ALWAYS = HourRange(-(2**62), 2**62)
"""Where the hours do not keep two answers apart."""

_DAY = 24


@dataclass(frozen=True)
class Share(Collection):
    """Some requests of a collection, with all that follows from them.

    Iterating yields their answers, one at a time. What has no answer yet is left out without
    a word: a worker's warnings are read by nobody, so there was one before.

    Parameters
    ----------
    path : Path
    asked : tuple of EngagementRequest
        Of those that the question was cut into.
    left_out : tuple of EngagementRequest
        Of those that were never sent.
    """

    asked: tuple[EngagementRequest, ...] = ()
    left_out: tuple[EngagementRequest, ...] = ()

    @cached_property
    def requests(self) -> tuple[EngagementRequest, ...]:
        """The requests in this share."""
        return self.asked

    @cached_property
    def unposted(self) -> tuple[EngagementRequest, ...]:
        """What is not asked, in this share."""
        return self.left_out

    def __iter__(self) -> Iterator[EngagementResponse]:
        for part in self.unposted:
            yield EngagementResponse.unposted(part, self.started)
        for asked, answer, why in self._walk():
            if answer is not None:
                yield answer
            elif why is not None:  # the collection has the words for it
                yield from Collection.__iter__(Share(self.path, (asked,)))


@dataclass(frozen=True)
class Partition:
    """Stored answers that are flattened together.

    Parameters
    ----------
    shares : tuple of Share
        In the order of the archive.
    """

    shares: tuple[Share, ...]

    def __iter__(self) -> Iterator[EngagementResponse]:
        for share in self.shares:
            yield from share


class Asked(NamedTuple):
    """A request, and the collection that its answer is in."""

    collection: Collection
    request: EngagementRequest


def asked_in(collections: Sequence[Collection]) -> list[Asked]:
    """Return the requests that the questions of some collections were cut into."""
    return [Asked(one, request) for one in collections for request in one.requests]


def partitions(
    collections: Sequence[Collection], families: Iterable[Sequence[Asked]], rows: int
) -> tuple[Partition, ...]:
    """Put families of requests into partitions: always the same, and in their order.

    Parameters
    ----------
    collections : sequence of Collection
        At least one; what they never sent goes into the first partition.
    families : iterable of sequence of Asked
        Those that must stay together, such as :func:`related` returns.
    rows : int
        At most so many counts in a partition; one family is never too many.
    """
    parts: list[list[Asked]] = [[]]
    filled = 0
    for family in families:
        size = sum(max_rows(one.request, ()) for one in family)
        if parts[-1] and filled + size > rows:
            parts.append([])
            filled = 0
        parts[-1] += family
        filled += size
    shares = [tuple(_shares(part)) for part in parts]
    shares[0] += tuple(
        Share(one.path.resolve(), (), never) for one in collections if (never := one.unposted)
    )
    return tuple(Partition(part) for part in shares)


def related(
    collections: Sequence[Collection], grouping: str | None, *, retrieved_at: bool
) -> list[list[Asked]]:
    """Group requests whose answers could count the same thing, or add up to the same count.

    A partition of whole families is what it would be were there no other. Only where a
    grouping sums over posts every answer adds up with every other, and so do partitions.

    Parameters
    ----------
    collections : sequence of Collection
    grouping : str, optional
        The name of the grouping that is taken.
    retrieved_at : bool
        Whether snapshots are kept apart: then only what began at the same moment, such as
        a copy of a collection, could count the same thing.
    """
    asked = asked_in(collections)
    spans = [_span(one.request, one.request.grouping(grouping)) for one in asked]
    home = list(range(len(asked)))

    def found(place: int) -> int:
        while home[place] != place:
            home[place] = home[home[place]]
            place = home[place]
        return place

    reach: dict[tuple[str, datetime | None], tuple[int, int]] = {}
    for place in sorted(range(len(asked)), key=lambda place: spans[place].start):
        snapshot = asked[place].collection.started if retrieved_at else None
        span = spans[place]
        for post in asked[place].request.post_ids:
            until, other = reach.get((post, snapshot), (span.start, place))
            if span.start < until:
                first, second = sorted((found(place), found(other)))
                home[second] = first
            reach[post, snapshot] = max((until, other), (span.end, place))
    families: dict[int, list[Asked]] = {}
    for place, one in enumerate(asked):
        families.setdefault(found(place), []).append(one)
    return list(families.values())


def _span(request: EngagementRequest, grouping: Grouping) -> HourRange:
    """Return the hours in which no other request for the same post may be, to be unrelated."""
    window, dimensions = request.window, grouping.dimensions
    if window is None:
        return _ALWAYS
    span = HourRange.covering(window.start, window.end)
    if Dimension.POST_ID not in dimensions:
        return span
    if Dimension.DAY not in dimensions:
        return _ALWAYS
    if Dimension.HOUR in dimensions:
        return span
    return replace(span, start=span.start // _DAY * _DAY, end=-(-span.end // _DAY) * _DAY)


def _shares(part: Sequence[Asked]) -> Iterator[Share]:
    for path, of_it in groupby(part, key=lambda one: one.collection.path):
        yield Share(path.resolve(), tuple(one.request for one in of_it))
