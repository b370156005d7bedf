"""Find the hours to request: those not yet read, or read too early to be final.

Hours are integers, in hours since 1970, UTC. A boolean array holds whether each hour of a
post and engagement type is done. The remaining hours are divided into windows, and posts with
the same window and types are requested together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import compress, pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engagement_pandas.dataset.omission_log import OmissionSpan
from engagement_pandas.request.post_ids import created_at
from engagement_pandas.request.window import Window
from engagement_pandas.vocabulary.endpoints import Endpoint
from engagement_pandas.vocabulary.engagement_types import EngagementType
from engagement_pandas.vocabulary.limits import MAX_WINDOW
from engagement_pandas.vocabulary.omission_reasons import OmissionReason

if TYPE_CHECKING:
    import pyarrow as pa

Integers = npt.NDArray[np.int64]

MOST_COUNTS: Final = 1_000_000
"""Maximum counts requested and stored at a time; limits memory and the loss in a crash."""

MOST_HOURS: Final = 2**27
"""Maximum hours of all posts and types processed together, at one byte each."""

_TOGETHER: Final = Endpoint.HISTORICAL.facts.posts_per_request
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)
_MICROS: Final = 3_600_000_000
_HOURS_A_DAY: Final = 24
_LONGEST: Final = MAX_WINDOW // _HOUR


@dataclass(frozen=True, slots=True)
class Gap:
    """Posts and types that lack the same hours."""

    post_ids: tuple[str, ...]
    engagement_types: tuple[EngagementType, ...]
    window: Window

    def parts(self) -> Iterator[Gap]:
        """Yield parts with as many posts as are requested and stored at a time."""
        rows = len(self.engagement_types) * self.window.hours
        size = max(MOST_COUNTS // rows // _TOGETHER, 1) * _TOGETHER
        for first in range(0, len(self.post_ids), size):
            yield replace(self, post_ids=self.post_ids[first : first + size])

    def without(self, omitted: Collection[tuple[str, str | None]]) -> Gap | None:
        """Return the gap without posts and types that just had no count; None if empty."""
        posts = tuple(post for post in self.post_ids if (post, None) not in omitted)
        types = tuple(
            engagement_type
            for engagement_type in self.engagement_types
            if not all((post, str(engagement_type)) in omitted for post in posts)
        )
        return replace(self, post_ids=posts, engagement_types=types) if posts and types else None


def created_before(post: str, now: datetime) -> datetime | None:
    """Return when a post was created; None if unknown.

    An ID with a future time is treated as unknown and requested, and the API reports it.
    """
    created = created_at(post)
    return created if created is not None and created <= now else None


def batches(
    post_ids: Sequence[str],
    engagement_types: Sequence[EngagementType],
    since: datetime,
    now: datetime,
) -> Iterator[Sequence[str]]:
    """Yield posts in batches whose hours fit into memory together.

    >>> since, now = datetime(2016, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    >>> posts = [str(number) for number in range(1_000)]
    >>> [len(block) for block in batches(posts, list(EngagementType)[:17], since, now)]
    [75, 75, 75, 75, 75, 75, 75, 75, 75, 75, 75, 75, 75, 25]
    """
    cells = len(engagement_types) * max((now - since) // _HOUR, 1)
    size = max(MOST_HOURS // cells // _TOGETHER, 1) * _TOGETHER
    for first in range(0, len(post_ids), size):
        yield post_ids[first : first + size]


class Hours:
    """Which hours of which posts and types need no request.

    Hours run from ``since`` to the last complete hour before ``now``, both aware. An hour that
    was read at least ``settle`` hours after its end is not read again.

    >>> from datetime import datetime, UTC
    >>> since, now = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, 6, 5, tzinfo=UTC)
    >>> hours = Hours(["7"], [EngagementType.REPLIES], since, now, settle=2)
    >>> [str(gap.window) for gap in hours.gaps()]
    ['2026-03-01 00:00 to 2026-03-01 06:00 UTC']
    """

    def __init__(
        self,
        post_ids: Sequence[str],
        engagement_types: Sequence[EngagementType],
        since: datetime,
        now: datetime,
        settle: int,
    ) -> None:
        self.post_ids = post_ids
        self._types = tuple(engagement_types)
        self._posts = {post: place for place, post in enumerate(post_ids)}
        self._type_numbers = {str(name): number for number, name in enumerate(self._types)}
        self._now, self._settle = now, settle
        self.start, self.end = hour_of(since), hour_of(now)
        width = max(self.end - self.start, 0)
        self._done = np.zeros((len(self._posts), len(self._types), width), bool)
        made = (created_before(post, now) or since for post in self._posts)
        self._created = [max(hour_of(moment), self.start) for moment in made]
        self.add_covered({})

    def read(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Record which hours were read, and when; see ``Dataset.readings``."""
        for batch in batches:
            post = _codes(batch, "post_id", self._posts)
            number = _codes(batch, "engagement_type", self._type_numbers)
            hour = _numbers(batch, "day") * _HOURS_A_DAY + _numbers(batch, "hour")
            late = self._late(hour, _numbers(batch, "retrieved_at"))
            within = (hour >= self.start) & (hour < self.end)
            final = (post >= 0) & (number >= 0) & within & late
            self._done[post[final], number[final], hour[final] - self.start] = True

    def add_covered(
        self, hours: Mapping[str, Mapping[str, Sequence[int]]], changed: Iterable[date] = ()
    ) -> None:
        """Record hours that are known to be final, except on days that have changed.

        ``hours`` is a result of :meth:`covered`; call before :meth:`read`.
        """
        for post, place in self._posts.items():
            for name, bounds in hours.get(post, {}).items():
                number = self._type_numbers.get(name)
                if number is not None:
                    for first, last in zip(bounds[::2], bounds[1::2], strict=True):
                        self._done[place, number, self._between(first, last)] = True
        for day in changed:
            first = first_hour(day)
            self._done[:, :, self._between(first, first + _HOURS_A_DAY)] = False
        for place, created in enumerate(self._created):
            self._done[place, :, self._between(self.start, created)] = True

    def covered(self, until: int) -> dict[str, dict[str, list[int]]]:
        """Return the final hours before ``until`` of each post and type.

        They are the bounds of half-open ranges: first and last, first and last, and so on.
        """
        done = self._done[:, :, self._between(self.start, until)].view(np.int8)
        return {
            post: {
                name: (np.flatnonzero(np.diff(row, prepend=0, append=0)) + self.start).tolist()
                for name, row in zip(self._type_numbers, done[place], strict=True)
            }
            for post, place in self._posts.items()
        }

    def _between(self, first: int, last: int) -> slice:
        """Return the places of a half-open range of hours."""
        return slice(max(first - self.start, 0), max(last - self.start, 0))

    def add_omissions(self, spans: Iterable[OmissionSpan]) -> None:
        """Record what had no count, and when that was reported; call after :meth:`read`.

        Hours that a response lacked are requested again, however late they were read, with an
        interval that doubles each time, as for posts.
        """
        for span in spans:
            post = self._posts.get(span.post_id)
            if post is None:
                continue
            rows = self._done[post]
            if span.engagement_type is not None:
                number = self._type_numbers.get(span.engagement_type, len(self._type_numbers))
                rows = rows[number : number + 1]
            wait = span.too_early(self._now) or hour_of(span.retrieved_at) >= self.end
            if span.all_hours:
                rows |= wait
                continue
            first = max(hour_of(span.start), self._created[post])
            last = min(hour_of(span.end), self.end)
            if first >= last:
                continue
            hours = rows[:, first - self.start : last - self.start]
            if span.reason is OmissionReason.NOT_ANSWERED:
                hours[:] = wait
            else:
                hour = np.arange(first, last, dtype=np.int64)
                moment = (span.retrieved_at - _EPOCH) // timedelta(microseconds=1)
                hours |= self._late(hour, moment)

    def _late(self, hour: Integers, moment: Any) -> npt.NDArray[np.bool_]:
        """Return whether hours were read late enough to be final, or in this run."""
        settled = moment >= (hour + 1 + self._settle) * _MICROS
        late: npt.NDArray[np.bool_] = settled | (moment >= self.end * _MICROS)
        return late

    def gaps(self) -> list[Gap]:
        """Return the hours to request, latest first, in windows of at most 28 days.

        A post created within a window is requested together with older posts: this takes no
        request of its own, and hours before its creation are not counts.
        """
        posts_by_run: dict[_Run, list[str]] = {}
        young: list[tuple[_Run, str]] = []
        for post, place in self._posts.items():
            for run in self._runs(~self._done[place]):
                if run.first == self._created[place] > self.start:
                    young.append((run, post))
                else:
                    posts_by_run.setdefault(run, []).append(post)
        for run, post in sorted(young, key=lambda item: item[0].first):
            older = [r for r in posts_by_run if r[1:] == run[1:] and r.first <= run.first]
            posts_by_run.setdefault(max(older, default=run), []).append(post)
        return [
            Gap(tuple(posts), run.types, Window(moment_of(run.first), moment_of(run.last)))
            for run, posts in sorted(posts_by_run.items(), key=lambda run: (-run[0].last, run[0]))
        ]

    def _runs(self, lacking: npt.NDArray[np.bool_]) -> Iterator[_Run]:
        """Yield runs of hours that the same types lack, each at most as long as a window."""
        if not lacking.any():
            return
        turns = np.flatnonzero((lacking[:, 1:] != lacking[:, :-1]).any(axis=0)) + 1
        width = lacking.shape[1]
        cuts = range(width, 0, -_LONGEST)
        bounds = sorted({0, *turns.tolist(), *cuts})
        for first, last in pairwise(bounds):
            types = tuple(compress(self._types, lacking[:, first]))
            if types:
                yield _Run(self.start + first, self.start + last, types)


class Scope(NamedTuple):
    """What a sync keeps current: the arguments of :class:`Hours`, for any number of posts."""

    post_ids: Sequence[str]
    engagement_types: Sequence[EngagementType]
    since: datetime
    now: datetime
    settle: int

    def parts(self) -> Iterator[Hours]:
        """Yield the hours of posts in batches that fit into memory."""
        for posts in batches(*self[:4]):
            yield Hours(posts, *self[1:])


class _Run(NamedTuple):
    first: int
    last: int
    types: tuple[EngagementType, ...]


def hour_of(moment: datetime) -> int:
    """Return the hour of a moment, in hours since 1970."""
    return (moment - _EPOCH) // _HOUR


def first_hour(day: date) -> int:
    """Return the first hour of a UTC day, in hours since 1970."""
    return (day - _EPOCH.date()).days * _HOURS_A_DAY


def moment_of(hour: int) -> datetime:
    """Return the start of an hour, aware UTC."""
    return _EPOCH + hour * _HOUR


def _numbers(batch: pa.RecordBatch, name: str) -> Integers:
    """Return a column as integers: days or microseconds since 1970, or hours."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

    cells = batch.column(name)
    if pa.types.is_date(cells.type):
        cells = cells.cast(pa.int32())
    elif pa.types.is_timestamp(cells.type):
        cells = cells.cast(pa.int64())
    return cells.to_numpy(zero_copy_only=False).astype(np.int64)


def _codes(batch: pa.RecordBatch, name: str, known: Mapping[str, int]) -> Integers:
    """Return the index of each text among the known texts; -1 for others."""
    cells = batch.column(name).dictionary_encode()
    places = [known.get(str(text), -1) for text in cells.dictionary.to_pylist()]
    codes: Integers = np.array([*places, -1], np.int64)[cells.indices.to_numpy()]
    return codes
