"""What is still to be asked: hours that were not read, or not late enough to hold.

Hours are numbers, hours since 1970, UTC; a post's hours are a row of yes and no for each
engagement type. What is left over is cut into windows, and posts with the same window and
types are asked together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engagement_pandas.dataset.omission_log import OmissionSpan
from engagement_pandas.request.post_ids import created_at
from engagement_pandas.request.window import Window
from engagement_pandas.vocabulary import MAX_WINDOW, EngagementType, OmissionReason

if TYPE_CHECKING:
    import pyarrow as pa

Integers = npt.NDArray[np.int64]

MOST_COUNTS: Final = 1_000_000
"""In what is asked and stored at a time: bounds memory, and what a crash can undo."""

MOST_HOURS: Final = 2**27
"""Of all posts and types that are looked at together: a byte each."""

_TOGETHER: Final = 25
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

    def pieces(self) -> Iterator[Gap]:
        """Yield it in pieces of so many posts as are asked and stored at a time."""
        rows = len(self.engagement_types) * self.window.hours
        size = max(MOST_COUNTS // rows // _TOGETHER, 1) * _TOGETHER
        for first in range(0, len(self.post_ids), size):
            yield replace(self, post_ids=self.post_ids[first : first + size])

    def without(self, silent: Collection[tuple[str, str | None]]) -> Gap | None:
        """Leave out posts, and types of all posts, that gave no count just now."""
        posts = tuple(post for post in self.post_ids if (post, None) not in silent)
        types = tuple(
            kind
            for kind in self.engagement_types
            if not all((post, str(kind)) in silent for post in posts)
        )
        return replace(self, post_ids=posts, engagement_types=types) if posts and types else None


def created_before(post: str, now: datetime) -> datetime | None:
    """Return when a post was made; None where nobody knows.

    An ID of the future is nobody's, and asked: the API says so.
    """
    made = created_at(post)
    return made if made is not None and made <= now else None


def batches(
    post_ids: Sequence[str],
    engagement_types: Sequence[EngagementType],
    since: datetime,
    now: datetime,
) -> Iterator[Sequence[str]]:
    """Yield posts in blocks whose hours have room together.

    Examples
    --------
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
    """Which hours of which posts and types need no asking.

    Parameters
    ----------
    post_ids : sequence of str
    engagement_types : sequence of EngagementType
    since, now : datetime
        Aware; the hours from ``since`` up to the last whole one before ``now``.
    settle : int
        An hour that was read this many hours after its end, or later, is not read again.

    Examples
    --------
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
        self._kinds = {str(kind): place for place, kind in enumerate(self._types)}
        self._now, self._settle = now, settle
        self.start, self.end = _hour(since), _hour(now)
        width = max(self.end - self.start, 0)
        self._done = np.zeros((len(self._posts), len(self._types), width), bool)
        self._made = [self.start] * len(self._posts)
        for post, place in self._posts.items():
            made = created_before(post, now)
            if made is not None:
                self._made[place] = max(_hour(made), self.start)
                self._done[place, :, : self._made[place] - self.start] = True

    def read(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Take note of what was read, and when; see ``Dataset.readings``."""
        for batch in batches:
            post = _codes(batch, "post_id", self._posts)
            kind = _codes(batch, "engagement_type", self._kinds)
            hour = _numbers(batch, "day") * _HOURS_A_DAY + _numbers(batch, "hour")
            late = self._late(hour, _numbers(batch, "retrieved_at"))
            within = (hour >= self.start) & (hour < self.end)
            here = (post >= 0) & (kind >= 0) & within & late
            self._done[post[here], kind[here], hour[here] - self.start] = True

    def add_omissions(self, silences: Iterable[OmissionSpan]) -> None:
        """Take note of what had no count, and when that was heard; after :meth:`read`.

        Hours that an answer lacked are asked again, however late they were read: after twice
        as long each time, as posts are.
        """
        for silence in silences:
            post = self._posts.get(silence.post_id)
            kinds = slice(None)
            if silence.engagement_type is not None:
                kind = self._kinds.get(silence.engagement_type, len(self._kinds))
                kinds = slice(kind, kind + 1)
            if post is None:
                continue
            rows = self._done[post][kinds]
            rests = silence.too_early(self._now) or _hour(silence.retrieved_at) >= self.end
            if silence.whole:
                rows |= rests
                continue
            first = max(_hour(silence.start), self._made[post])
            last = min(_hour(silence.end), self.end)
            if first >= last:
                continue
            span = rows[:, first - self.start : last - self.start]
            if silence.reason is OmissionReason.NOT_ANSWERED:
                span[:] = rests
            else:
                hour = np.arange(first, last, dtype=np.int64)
                moment = (silence.retrieved_at - _EPOCH) // timedelta(microseconds=1)
                span |= self._late(hour, moment)

    def _late(self, hour: Integers, moment: Any) -> npt.NDArray[np.bool_]:
        """Tell whether hours were read late enough to hold, or just now."""
        holds = moment >= (hour + 1 + self._settle) * _MICROS
        late: npt.NDArray[np.bool_] = holds | (moment >= self.end * _MICROS)
        return late

    def gaps(self) -> list[Gap]:
        """Return what is still to be asked, the latest first, in windows of at most 28 days.

        A post that was made within a window is asked along with older ones: it takes no
        request of its own, and its hours before it was made are no counts.
        """
        alike: dict[_Run, list[str]] = {}
        young: list[tuple[_Run, str]] = []
        for post, place in self._posts.items():
            for run in self._runs(~self._done[place]):
                if run.first == self._made[place] > self.start:
                    young.append((run, post))
                else:
                    alike.setdefault(run, []).append(post)
        for run, post in sorted(young, key=lambda item: item[0].first):
            older = [r for r in alike if r[1:] == run[1:] and r.first <= run.first]
            alike.setdefault(max(older, default=run), []).append(post)
        return [
            Gap(tuple(posts), run.types, Window(_moment(run.first), _moment(run.last)))
            for run, posts in sorted(alike.items(), key=lambda item: (-item[0].last, item[0]))
        ]

    def _runs(self, lacking: npt.NDArray[np.bool_]) -> Iterator[_Run]:
        """Yield the runs of hours in which the same types lack, none longer than a window."""
        if not lacking.any():
            return
        turns = np.flatnonzero((lacking[:, 1:] != lacking[:, :-1]).any(axis=0)) + 1
        width = lacking.shape[1]
        cuts = range(width, 0, -_LONGEST)
        bounds = sorted({0, *turns.tolist(), *cuts})
        for first, last in pairwise(bounds):
            lacks = lacking[:, first]
            types = tuple(kind for kind, missing in zip(self._types, lacks, strict=True) if missing)
            if types:
                yield _Run(self.start + first, self.start + last, types)


class _Run(NamedTuple):
    first: int
    last: int
    types: tuple[EngagementType, ...]


def _hour(moment: datetime) -> int:
    return (moment - _EPOCH) // _HOUR


def _moment(hour: int) -> datetime:
    return _EPOCH + hour * _HOUR


def _numbers(batch: pa.RecordBatch, name: str) -> Integers:
    """Return a column as integers: days or microseconds since 1970, or hours."""
    import pyarrow as pa  # noqa: PLC0415  heavy, and only files need it

    cells = batch.column(name)
    if pa.types.is_date(cells.type):
        cells = cells.cast(pa.int32())
    elif pa.types.is_timestamp(cells.type):
        cells = cells.cast(pa.int64())
    return cells.to_numpy(zero_copy_only=False).astype(np.int64)


def _codes(batch: pa.RecordBatch, name: str, known: Mapping[str, int]) -> Integers:
    """Return the places of texts among known ones; -1 for others."""
    cells = batch.column(name).dictionary_encode()
    places = [known.get(str(text), -1) for text in cells.dictionary.to_pylist()]
    codes: Integers = np.array([*places, -1], np.int64)[cells.indices.to_numpy()]
    return codes
