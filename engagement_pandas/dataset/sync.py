"""Bring a data set up to date: ask what is missing or not settled, and nothing else.

What to ask is worked out from what is stored, each time anew: there is no other state that
could differ from it. Answers go to disk as they come, before anything is made of them; a
run that died leaves them there, and the next one begins with them (of a run that went past
midnight UTC, some are asked again).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engagement_pandas.dataset.chunks import Moment
from engagement_pandas.dataset.dataset import Dataset
from engagement_pandas.dataset.gaps import Gap, Hours, batches
from engagement_pandas.dataset.raw_answers import Synced, answered, rebuild, store_answers, take_up
from engagement_pandas.errors import (
    AlreadySyncing,
    CredentialsError,
    DamagedDataset,
    DatasetError,
    EngagementError,
    RequestError,
    TransportError,
    Unauthorized,
    UserContextRequired,
)
from engagement_pandas.files import try_file_lock
from engagement_pandas.request.engagement_types import parse_engagement_types
from engagement_pandas.request.owners import PostOwners
from engagement_pandas.request.post_ids import parse_post_ids
from engagement_pandas.request.request import BY_HOUR, historical
from engagement_pandas.request.window import Window, to_utc
from engagement_pandas.response.archive import Archive
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.vocabulary import EARLIEST, SETTLE, Endpoint, OmissionReason

if TYPE_CHECKING:
    from engagement_pandas.client.client import EngagementClient
    from engagement_pandas.client.progress import Watch

RAW: Final = "raw"


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
        Where the answers are kept as they come, in a folder an hour, for this data set alone.
        By default in its own folder, where that is one of this machine.
    watch : callable, optional
        Told of each step, as ``EngagementClient.fetch`` has it.

    Returns
    -------
    Synced

    Warns
    -----
    UserWarning
        Where posts have no answer while others do. Where the tables were damaged: they are made
        again from the raw answers, and what was there is moved to ``damaged`` in the data set;
        counts from elsewhere, of ``append()``, are only there then.

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
    posts, owners = parse_post_ids(post_ids), PostOwners.of(post_ids)
    types = parse_engagement_types(engagement_types, Endpoint.HISTORICAL)
    begin = to_utc(since, "since")
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
        if not all(held.enter_context(try_file_lock(place)) for place in places):
            msg = f"another process brings {dataset.path} up to date; nothing was sent"
            raise AlreadySyncing(msg)
        now = client.now()
        try:
            dataset.verify()
        except DamagedDataset as error:
            rebuild(dataset, folder, now, error)
        done = take_up(dataset, folder, now)
        # One an hour: an answer of an hour ago is no answer to the same question now.
        archive = Archive(folder / f"{now:%Y-%m-%dT%H}")
        parts = (
            Hours(part, types, begin, now, settle) for part in batches(posts, types, begin, now)
        )
        ask = partial(_ask, client, owners, archive, watch)
        keep = partial(store_answers, dataset, archive, now)
        done += _ask_all(dataset, _todo(dataset, begin, parts), ask, keep, now)
        dataset.compact()
    return done


def _ask_all(
    dataset: Dataset,
    todo: Iterable[Gap],
    ask: Callable[[Gap], list[EngagementResponse]],
    keep: Callable[[list[EngagementResponse]], Synced],
    now: datetime,
) -> Synced:
    """Ask and store, piece by piece; one that fails does not keep the others from it."""
    done, silent = Synced(), set[tuple[str, str | None]]()
    failed: list[EngagementResponse] = []
    first: EngagementError | None = None
    for whole in todo:
        piece = whole.without(silent)
        if piece is None:
            continue
        try:
            responses = ask(piece)
        except _Failed as error:
            first = first or error.cause
            failed += error.responses
            silent |= {(post, None) for one in error.responses for post in one.request.post_ids}
            continue
        done += keep(responses)
        silent |= {
            (one.post_id, one.engagement_type)
            for one in dataset.silences()
            if one.whole and one.retrieved_at >= now
        }
    posts = {post for one in failed for post in one.request.post_ids}
    if first is not None and not done.answers and len(posts) > 1:
        raise first  # it is the service, or the app
    return done + keep(failed)


def _todo(dataset: Dataset, begin: datetime, parts: Iterable[Hours]) -> Iterator[Gap]:
    """Yield what is to be asked and stored at a time; what is stored may grow meanwhile."""
    for hours in parts:
        hours.read(dataset.readings(begin, hours.post_ids))
        hours.add_omissions(dataset.silences())
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


class _Failed(Exception):
    """No post of a gap was answered, for a reason that may not be that of others."""

    def __init__(self, cause: EngagementError, responses: list[EngagementResponse]) -> None:
        super().__init__(str(cause))
        self.cause, self.responses = cause, responses


def _ask(
    client: EngagementClient, owners: PostOwners, archive: Archive, watch: Watch | None, gap: Gap
) -> list[EngagementResponse]:
    """Return the answers of a gap."""
    asked = historical(
        gap.post_ids, engagement_types=gap.engagement_types, window=gap.window, by=BY_HOUR
    )
    begun = client.now()
    try:
        return list(client.collect(asked.replace(owners=owners), into=archive, watch=watch))
    except EngagementError as error:
        failed = [
            response
            for collection in archive.collections
            if not collection.complete
            for response in answered(collection)
            if response.failed and response.retrieved_at >= begun
        ]
        refused = isinstance(error, CredentialsError | Unauthorized)
        if refused and not failed and len(set(owners.values())) > 1:  # those of one of them
            reason = OmissionReason.UNAUTHORIZED
            failed = [EngagementResponse.uncounted(asked, client.now(), reason, str(error))]
        outage = isinstance(error, TransportError) and error.status != HTTPStatus.OK
        if not failed or outage:
            raise
        raise _Failed(error, failed) from error
