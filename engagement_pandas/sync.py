"""Bring a data set up to date: ask what is missing or not settled, and nothing else.

What to ask is worked out from what is stored, each time anew: there is no other state that
could differ from it. Answers go to disk as they come, before anything is made of them; a
run that died leaves them there, and the next one begins with them (of a run that went past
midnight UTC, some are asked again).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from engagement_pandas.archive import Archive
from engagement_pandas.dataset import Dataset
from engagement_pandas.errors import (
    AlreadySyncing,
    ArchiveError,
    DatasetError,
    FrameError,
    RequestError,
    ResponseShapeError,
    UserContextRequired,
)
from engagement_pandas.flattening import flatten, omissions
from engagement_pandas.frame import timestamps
from engagement_pandas.handles import Handles
from engagement_pandas.kinds import known_types
from engagement_pandas.lake.missing import Gap, Hours, blocks, made_by
from engagement_pandas.lake.pieces import Moment
from engagement_pandas.locking import alone
from engagement_pandas.posts import unique_ids
from engagement_pandas.request import BY_HOUR, historical
from engagement_pandas.vocabulary import EARLIEST, Endpoint
from engagement_pandas.window import SETTLE, Window, as_moment
from engagement_pandas.wording import counted

if TYPE_CHECKING:
    import pandas as pd

    from engagement_pandas.client import EngagementClient
    from engagement_pandas.collection import Collection
    from engagement_pandas.progress import Watch
    from engagement_pandas.response import EngagementResponse

RAW: Final = "raw"
ASIDE: Final = "set_aside"
"""In the folder of raw answers: collections that do not go into the data set."""

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Synced:
    """What a run has done.

    Attributes
    ----------
    answers : int
        Answers that came, refusals included.
    added : int
        Counts of hours that were not there, also of answers that an earlier run left behind.
    revised : int
        Counts that are other ones now; ``Dataset.revisions`` has them.
    """

    answers: int = 0
    added: int = 0
    revised: int = 0

    def __add__(self, other: Synced) -> Synced:
        return Synced(
            self.answers + other.answers, self.added + other.added, self.revised + other.revised
        )

    def __str__(self) -> str:
        if self == Synced():
            return "up to date: nothing to ask"
        return (
            f"{counted(self.answers, 'answer')}: {counted(self.added, 'new count')}, "
            f"{counted(self.revised, 'revision')}"
        )


def sync(  # noqa: PLR0913 - each is a fact of its own, and three have defaults
    client: EngagementClient,
    dataset: Dataset,
    post_ids: Any,
    *,
    engagement_types: Iterable[str],
    since: Moment,
    settle: int = SETTLE,
    raw: str | Path | None = None,
    watch: Watch | None = None,
) -> Synced:
    """Ask for the hours that a data set lacks, and for those that may change yet.

    Parameters
    ----------
    client : EngagementClient
        Of the owner of the posts; of accounts, where a frame tells the handles.
    dataset : Dataset
    post_ids : iterable of str or int, Series, or frame with ``post_id`` and perhaps ``handle``
        Posts that are no longer among them are no longer asked; what is there stays.
    engagement_types : iterable of str
        Of the 17 in ``SERIES_TYPES``. One that is added later is asked from ``since`` on.
    since : str or date or datetime
        From when on, UTC; of each post from the hour in which it was made.
    settle : int
        Hours. An hour is asked again in each run, until it was read this long after its end.
    raw : path, optional
        Where the answers are kept as they come, in a folder a day, for this data set alone.
        By default in its own folder, where that is one of this machine.
    watch : callable, optional
        Told of each step, as ``EngagementClient.fetch`` has it.

    Returns
    -------
    Synced

    Raises
    ------
    AlreadySyncing
        Where another process is at it; nothing was sent.
    UserContextRequired
        Where the owner of a post has not logged in; nothing was sent.
    RequestError
        Where the question is none.
    EngagementError
        As ``EngagementClient.collect``; what was answered is kept, and the next run goes on.

    Warns
    -----
    UserWarning
        Where an earlier run left an answer that is none. It is moved to ``set_aside`` in the
        folder of raw answers, and its hours are asked again.

    Notes
    -----
    The window ends at the last whole hour. A post that is unavailable or not owned is asked
    again when its silence has lasted twice as long as at the last time, and then from
    its beginning.

    Examples
    --------
    >>> import engagement_pandas as ep, tempfile
    >>> with tempfile.TemporaryDirectory() as folder, ep.demo_client("2026-04-15") as demo:
    ...     dataset = ep.Dataset(folder)
    ...     todo = {"engagement_types": ["replies"], "since": "2026-04-10"}
    ...     print(sync(demo.client, dataset, demo.posts["post_id"][:3], **todo))
    ...     print(sync(demo.client, dataset, demo.posts["post_id"][:3], **todo))
    1 answer: 360 new counts, 0 revisions
    up to date: nothing to ask
    """
    posts, owners = unique_ids(post_ids), Handles.of(post_ids)
    types = known_types(engagement_types, Endpoint.HISTORICAL)
    begin = as_moment(since, "since")
    if begin < EARLIEST:
        msg = f"since is {begin:%Y-%m-%d}; there are no counts before {EARLIEST:%Y-%m-%d}"
        raise RequestError(msg)
    if isinstance(settle, bool) or not isinstance(settle, int) or settle < 0:
        msg = f"settle is {settle!r}; give whole hours, such as {SETTLE}"
        raise RequestError(msg)
    asked = historical(posts, engagement_types=types, window=Window.last()).replace(owners=owners)
    if refusal := client.refusal(asked):
        raise UserContextRequired(refusal)
    folder = _raw_of(dataset, raw)
    with ExitStack() as held:
        places = [folder, Path(dataset.path, "sync")] if dataset.local else [folder]
        if not all(held.enter_context(alone(place)) for place in places):
            msg = f"another process brings {dataset.path} up to date; nothing was sent"
            raise AlreadySyncing(msg)
        now = client.now()
        done = _take_up(dataset, folder, now)
        archive = Archive(folder / f"{now:%Y-%m-%d}")
        silent = set[tuple[str, str | None]]()
        parts = (
            Hours(part, types, begin, now, settle) for part in blocks(posts, types, begin, now)
        )
        for whole in _todo(dataset, begin, parts):
            piece = whole.without(silent)
            if piece is not None:
                responses = _ask(client, piece, owners, archive, watch)
                done += _store(dataset, responses, now)
                silent |= {
                    (one.post_id, one.engagement_type)
                    for one in dataset.silences()
                    if one.whole and one.retrieved_at >= now
                }
        dataset.compact()
    return done


def _todo(dataset: Dataset, begin: datetime, parts: Iterable[Hours]) -> Iterator[Gap]:
    """Yield what is to be asked and stored at a time; what is stored may grow meanwhile."""
    for hours in parts:
        hours.read(dataset.readings(begin, hours.post_ids))
        hours.hear(dataset.silences())
        for gap in hours.gaps():
            yield from gap.pieces()


def _raw_of(dataset: Dataset, raw: str | Path | None) -> Path:
    if raw is None and not dataset.local:
        msg = f"{dataset.path} is no folder of this machine; say where raw answers are to be kept"
        raise DatasetError(msg)
    folder = Path(dataset.path) / RAW if raw is None else Path(raw)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if dataset.local:
            Path(dataset.path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{folder} cannot be made: {error}; name another folder for the raw answers"
        raise DatasetError(msg) from error
    return folder


def _ask(
    client: EngagementClient, gap: Gap, owners: Handles, archive: Archive, watch: Watch | None
) -> list[EngagementResponse]:
    asked = historical(
        gap.post_ids, engagement_types=gap.engagement_types, window=gap.window, by=BY_HOUR
    )
    return list(client.collect(asked.replace(owners=owners), into=archive, watch=watch))


def _store(dataset: Dataset, responses: list[EngagementResponse], now: datetime) -> Synced:
    if not responses:
        return Synced()
    counts = flatten(responses, retrieved_at=True)
    silences = omissions(responses, retrieved_at=True)
    done = dataset.append(_lived(counts, now), silences)
    return Synced(len(responses), done.added, done.revised)


def _lived(counts: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """Leave out the hours before a post was made: their zeros are no counts."""
    made = {post: made_by(post, now) or EARLIEST for post in counts["post_id"].unique()}
    begun = counts["post_id"].map(made).astype("datetime64[us, UTC]").dt.floor("h")
    return counts[timestamps(counts) >= begun]


def _take_up(dataset: Dataset, folder: Path, now: datetime) -> Synced:
    """Store what an earlier run was told and did not come to store.

    That is younger than anything stored: answers are stored in the order in which they come.
    An answer that is none would be met again in each run; so it is moved out of the way.
    """
    done, latest = Synced(), dataset.latest
    for day in sorted(path for path in folder.iterdir() if _DAY.fullmatch(path.name)):
        if latest is not None and day.name < f"{latest:%Y-%m-%d}":
            continue
        for collection in sorted(
            filter(_ours, Archive(day).collections), key=lambda one: one.started
        ):
            fresh = [
                response
                for response in _answered(collection)
                if latest is None or response.retrieved_at >= latest
            ]
            try:
                stored = _store(dataset, fresh, now)
            except (FrameError, RequestError, ResponseShapeError) as error:
                _set_aside(collection.path, folder, error)
            else:
                done += replace(stored, answers=0)
    return done


def _set_aside(path: Path, folder: Path, error: Exception) -> None:
    aside = folder / ASIDE / f"{path.parent.name}-{path.name}-{uuid4().hex[:8]}"
    aside.parent.mkdir(exist_ok=True)
    path.rename(aside)
    msg = f"{path} does not go into the data set: {error}; it is in {aside} now, and asked again"
    warnings.warn(msg, UserWarning, stacklevel=4)


def _ours(collection: Collection) -> bool:
    """Tell whether a collection is one that sync asks for."""
    try:
        asked = [(request.endpoint, request.groupings) for request in collection.requests]
    except ArchiveError:  # its question is lost
        return False
    return set(asked) <= {(Endpoint.HISTORICAL, (BY_HOUR,))}


def _answered(collection: Collection) -> Iterator[EngagementResponse]:
    """Yield what is whole of a collection; the rest is missing, and asked again."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it is not finished
        try:
            yield from collection
        except ArchiveError:
            return
