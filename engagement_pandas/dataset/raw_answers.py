"""Raw responses on their way into a data set: stored, resumed after a crash, or replayed."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engagement_pandas.dataset.dataset import Dataset
from engagement_pandas.dataset.hours_to_request import created_before
from engagement_pandas.errors import (
    ArchiveError,
    DamagedDataset,
    FrameError,
    RequestError,
    ResponseShapeError,
)
from engagement_pandas.flattening import flatten, omissions
from engagement_pandas.frame.contract import timestamps
from engagement_pandas.request.request import BY_HOUR
from engagement_pandas.response.archives.archive import Archive
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.text import pluralize, warn
from engagement_pandas.vocabulary.endpoints import Endpoint
from engagement_pandas.vocabulary.limits import EARLIEST
from engagement_pandas.vocabulary.omission_reasons import OmissionReason

if TYPE_CHECKING:
    import pandas as pd

    from engagement_pandas.response.archives.collection import Collection

_HOUR: Final = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2})?")


@dataclass(frozen=True, slots=True)
class Synced:
    """Result of a sync.

    Attributes
    ----------
    answers : int
        Responses received, errors included.
    added : int
        New counts, including those from responses that an earlier run left unprocessed.
    revised : int
        Counts that changed; see ``Dataset.revisions``.
    failed : tuple of str
        Posts without a response, since their owner's tokens are invalid or the responses
        are; ``Dataset.omissions`` has the reasons. They are requested again, at least once a
        day.
    """

    answers: int = 0
    added: int = 0
    revised: int = 0
    failed: tuple[str, ...] = ()

    def __add__(self, other: Synced) -> Synced:
        return Synced(
            self.answers + other.answers,
            self.added + other.added,
            self.revised + other.revised,
            tuple(dict.fromkeys((*self.failed, *other.failed))),
        )

    def __str__(self) -> str:
        if self == Synced():
            return "up to date: nothing to request"
        failed = f"; no response for {pluralize(len(self.failed), 'post')}" if self.failed else ""
        return (
            f"{pluralize(self.answers, 'response')}: {pluralize(self.added, 'new count')}, "
            f"{pluralize(self.revised, 'revision')}{failed}"
        )


def store_answers(
    dataset: Dataset, archive: Archive, now: datetime, responses: list[EngagementResponse]
) -> Synced:
    """Store responses; move aside any that is invalid, so that it is requested again."""
    try:
        return _append(dataset, responses, now)
    except (FrameError, RequestError, ResponseShapeError) as error:
        if len(responses) > 1:
            parts = (store_answers(dataset, archive, now, [response]) for response in responses)
            return sum(parts, Synced())
        (invalid,) = responses
        reason, message = OmissionReason.INVALID_ANSWER, str(error)
        failed = EngagementResponse.uncounted(
            invalid.request, invalid.retrieved_at, reason, message
        )
        for collection in archive.collections:
            if collection.find(invalid.request) is not None:
                collection.records.set_aside(failed, invalid.content)
        return _append(dataset, [failed], now)


def _append(dataset: Dataset, responses: list[EngagementResponse], now: datetime) -> Synced:
    if not responses:
        return Synced()
    counts = flatten(responses, retrieved_at=True)
    omitted = omissions(responses, retrieved_at=True)
    done = dataset.append(
        _since_creation(counts, now), _omissions_since_creation(omitted, now), run=now
    )
    failed = [post for r in responses if r.failed for post in r.request.post_ids]
    answers = sum(r.status > 0 and r.retrieved_at >= now for r in responses)
    return Synced(answers, done.added, done.revised, tuple(dict.fromkeys(failed)))


def _since_creation(counts: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """Drop the hours before a post was created: their zeros are not counts."""
    return counts[timestamps(counts) >= _creation_hours(counts["post_id"], now)]


def _omissions_since_creation(omitted: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """Drop the hours before a post was created: responses do not lack them."""
    created = _creation_hours(omitted["post_id"], now)
    lacking = omitted["reason"] == OmissionReason.NOT_ANSWERED
    started = omitted["start"].where(~lacking | (omitted["start"] >= created), created)
    return omitted.assign(start=started)[started < omitted["end"]]


def _creation_hours(posts: pd.Series, now: datetime) -> pd.Series:
    """Return the hour in which each post was created."""
    made = {post: created_before(post, now) or EARLIEST for post in posts.unique()}
    return posts.map(made).astype("datetime64[us, UTC]").dt.floor("h")


def recover_unstored(dataset: Dataset, folder: Path, now: datetime) -> Synced:
    """Store responses that an earlier run received but did not process.

    They are later than anything stored, since responses are stored in order of arrival.
    """
    done, latest = Synced(), dataset.latest
    for archive, collection in reversed([*_newest_first(folder, latest)]):
        fresh = [
            response
            for response in answered(collection)
            if latest is None or response.retrieved_at >= latest
        ]
        stored = store_answers(dataset, archive, now, fresh)
        done += replace(stored, answers=0, failed=())
    return done


def _newest_first(folder: Path, latest: datetime | None) -> Iterator[tuple[Archive, Collection]]:
    """Yield the collections that may have responses since ``latest``, with their archives.

    Collections follow one another, so those before one that is older are older too: a run
    reads a few, however many there are.
    """
    since = "" if latest is None else f"{latest:%Y-%m-%d}"
    hours = [name for name in os.listdir(folder) if name >= since and _HOUR.fullmatch(name)]  # noqa: PTH208 - there may be many
    for hour in sorted(hours, reverse=True):
        archive = Archive(folder / hour)
        ours = filter(_ours, archive.collections)
        for collection in sorted(ours, key=lambda one: one.started, reverse=True):
            if latest is not None:
                settled = collection.settled_until
                if settled is not None and settled < latest:
                    return
            yield archive, collection


def rebuild(dataset: Dataset, folder: Path, now: datetime, error: DamagedDataset) -> None:
    """Rebuild the tables from the raw responses."""
    with dataset.rebuilding() as rebuilt:
        recover_unstored(rebuilt, folder, now)
        if rebuilt.latest is None:
            raise error  # there are no raw responses
    msg = f"{error}; it was rebuilt, and the damaged tables are in {dataset.path}/damaged"
    warn(msg)


def _ours(collection: Collection) -> bool:
    """Return whether a collection has only requests of the kind that sync sends."""
    try:
        sent = {(request.endpoint, request.groupings) for request in collection.requests}
    except ArchiveError:  # its list of requests is lost
        return False
    return sent <= {(Endpoint.HISTORICAL, (BY_HOUR,))}


def answered(collection: Collection) -> Iterator[EngagementResponse]:
    """Yield the valid responses of a collection; the others are requested again."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # unfinished collections are expected
        try:
            yield from collection
        except ArchiveError:
            return
