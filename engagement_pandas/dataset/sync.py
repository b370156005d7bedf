"""Update a data set: request only the hours that are missing or not yet final.

What to request is computed from the stored data each time. Which hours of earlier days are final
is kept in a file, with the files of counts that it was read from; so only days are read that
changed since. Responses are written to disk as they arrive, before they are processed. If a
run crashes, the next one starts with them (after a run past midnight UTC, some are requested
again).
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
from engagement_pandas.dataset.commit_conflicts import retry_on_conflict
from engagement_pandas.dataset.dataset import Dataset
from engagement_pandas.dataset.delta_table import KEPT_HOURS
from engagement_pandas.dataset.final_hours import FinalHours, refresh, verify_changed
from engagement_pandas.dataset.hours_to_request import Gap, Scope
from engagement_pandas.dataset.hours_until_final import HOURS_UNTIL_FINAL
from engagement_pandas.dataset.raw_answers import (
    Synced,
    answered,
    rebuild,
    recover_unstored,
    store_answers,
)
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
from engagement_pandas.files.lock import try_file_lock
from engagement_pandas.request.engagement_types import parse_engagement_types
from engagement_pandas.request.owners import PostOwners
from engagement_pandas.request.post_ids import parse_post_ids
from engagement_pandas.request.request import BY_HOUR, historical
from engagement_pandas.request.window import Window, to_utc
from engagement_pandas.response.archives.archive import Archive
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.vocabulary.endpoints import Endpoint
from engagement_pandas.vocabulary.limits import EARLIEST
from engagement_pandas.vocabulary.omission_reasons import OmissionReason

if TYPE_CHECKING:
    from engagement_pandas.client.client import EngagementClient
    from engagement_pandas.client.progress import Watch

RAW: Final = "raw"


def sync(  # noqa: PLR0913 - arguments are independent, and three have defaults
    client: EngagementClient,
    dataset: Dataset,
    post_ids: Any,
    *,
    engagement_types: Iterable[str],
    since: Moment,
    settle: int = HOURS_UNTIL_FINAL,
    raw: str | Path | None = None,
    watch: Watch | None = None,
) -> Synced:
    """Request the hours that a data set lacks, and those that may still change.

    Parameters
    ----------
    client : EngagementClient
        With the credentials of the owner of the posts; or with several accounts, if
        ``post_ids`` is a frame with a ``handle`` column.
    dataset : Dataset
    post_ids : iterable of str or int, Series, or frame with ``post_id`` and optionally ``handle``
        Posts that are no longer listed are no longer requested; their stored counts remain.
    engagement_types : iterable of str
        Of the 17 in ``SERIES_TYPES``. Types added later are requested from ``since`` on.
    since : str or date or datetime
        Start, UTC; for each post not before the hour of its creation.
    settle : int
        Hours. An hour is requested in each run until it was read this long after its end.
    raw : path, optional
        Folder for the raw responses, with one folder per hour, for this data set alone. By
        default in the data set's own folder, if that is local.
    watch : callable, optional
        Called at each step, as by ``EngagementClient.fetch``.

    Returns
    -------
    Synced

    Warns
    -----
    UserWarning
        If some posts have no response while others do. If the tables were damaged: they are
        rebuilt from the raw responses, and the damaged tables are moved to ``damaged`` in
        the data set, which then alone has counts from other sources, added by ``append()``.

    Notes
    -----
    The window ends at the last complete hour. A post that is unavailable or not owned is
    requested again, from its creation on, at intervals that double each time.

    Examples
    --------
    >>> import engagement_pandas as ep, tempfile
    >>> with tempfile.TemporaryDirectory() as folder, ep.demo_client("2026-04-15") as demo:
    ...     dataset = ep.Dataset(folder)
    ...     todo = {"engagement_types": ["replies"], "since": "2026-04-10"}
    ...     print(sync(demo.client, dataset, demo.posts["post_id"][:3], **todo))
    ...     print(sync(demo.client, dataset, demo.posts["post_id"][:3], **todo))
    1 response: 360 new counts, 0 revisions
    up to date: nothing to request
    """
    posts, owners = parse_post_ids(post_ids), PostOwners.of(post_ids)
    types = parse_engagement_types(engagement_types, Endpoint.HISTORICAL)
    begin = to_utc(since, "since")
    if begin < EARLIEST:
        msg = f"since is {begin:%Y-%m-%d}; there are no counts before {EARLIEST:%Y-%m-%d}"
        raise RequestError(msg)
    if isinstance(settle, bool) or not isinstance(settle, int) or settle < 0:
        msg = f"settle is {settle!r}; pass whole hours, such as {HOURS_UNTIL_FINAL}"
        raise RequestError(msg)
    request = historical(posts, engagement_types=types, window=Window.last()).replace(owners=owners)
    if refusal := client.refusal(request):
        raise UserContextRequired(refusal)
    folder = _raw_of(dataset, raw)
    with ExitStack() as held:
        lock = Path(dataset._home, "sync")  # noqa: SLF001 - of the same room
        places = [folder, lock] if dataset.local else [folder]
        if not all(held.enter_context(try_file_lock(place)) for place in places):
            msg = f"another process is syncing {dataset.path}; nothing was sent"
            raise AlreadySyncing(msg)
        now, tables = client.now(), dataset._tables  # noqa: SLF001 - of the same room
        known, states = FinalHours.of(tables), {}
        try:
            states = verify_changed(tables, known)
        except DamagedDataset as error:
            rebuild(dataset, folder, now, error)
        done = recover_unstored(dataset, folder, now)
        scope = Scope(posts, types, begin, now, settle)
        covered = refresh(tables, known, states, scope)
        # One per hour, since the same request may have another response an hour later.
        archive = Archive(folder / f"{now:%Y-%m-%dT%H}")
        request_gap = partial(_request_gap, client, owners, archive, watch)
        keep = partial(store_answers, dataset, archive, now)
        done += _request_all(dataset, _gaps(dataset, covered, scope), request_gap, keep, now)
        retry_on_conflict(tables.compact)
        tables.vacuum_daily(KEPT_HOURS)
    return done


def _request_all(
    dataset: Dataset,
    gaps: Iterable[Gap],
    request_gap: Callable[[Gap], list[EngagementResponse]],
    keep: Callable[[list[EngagementResponse]], Synced],
    now: datetime,
) -> Synced:
    """Request and store parts one by one; a failure of one does not stop the others."""
    done, omitted = Synced(), set[tuple[str, str | None]]()
    failed: list[EngagementResponse] = []
    first: EngagementError | None = None
    for complete in gaps:
        gap = complete.without(omitted)
        if gap is None:
            continue
        try:
            responses = request_gap(gap)
        except _Failed as error:
            first = first or error.cause
            failed += error.responses
            omitted |= {(post, None) for post in _posts(error.responses)}
            continue
        done += keep(responses)
        omitted |= {
            (span.post_id, span.engagement_type)
            for span in dataset.omission_spans()
            if span.all_hours and span.retrieved_at >= now
        }
    if first is not None and not done.answers and len(_posts(failed)) > 1:
        raise first  # the cause is the service or the app, not a post
    return done + keep(failed)


def _posts(responses: Iterable[EngagementResponse]) -> set[str]:
    return {post for response in responses for post in response.request.post_ids}


def _gaps(dataset: Dataset, covered: FinalHours, scope: Scope) -> Iterator[Gap]:
    """Yield gaps to request and store one at a time; stored data may grow meanwhile."""
    for hours in scope.parts():
        hours.add_covered(covered.hours)
        hours.read(dataset.readings(max(covered.end, scope.since), hours.post_ids))
        hours.add_omissions(dataset.omission_spans())
        for gap in hours.gaps():
            yield from gap.parts()


def _raw_of(dataset: Dataset, raw: str | Path | None) -> Path:
    if raw is None and not dataset.local:
        msg = f"{dataset.path} is not a local folder; pass a folder for the raw responses as raw"
        raise DatasetError(msg)
    home = Path(dataset._home)  # noqa: SLF001 - of the same room
    folder = home / RAW if raw is None else Path(raw)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if dataset.local:
            home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{folder} cannot be created: {error}; pass another folder for the raw responses"
        raise DatasetError(msg) from error
    return folder


class _Failed(Exception):
    """No post of a gap had a response, for a reason that may not affect other posts."""

    def __init__(self, cause: EngagementError, responses: list[EngagementResponse]) -> None:
        super().__init__(str(cause))
        self.cause, self.responses = cause, responses


def _request_gap(
    client: EngagementClient, owners: PostOwners, archive: Archive, watch: Watch | None, gap: Gap
) -> list[EngagementResponse]:
    """Return the responses for a gap."""
    request = historical(
        gap.post_ids, engagement_types=gap.engagement_types, window=gap.window, by=BY_HOUR
    )
    begun = client.now()
    try:
        return list(client.collect(request.replace(owners=owners), into=archive, watch=watch))
    except EngagementError as error:
        failed = [
            response
            for collection in archive.collections
            if not collection.complete
            for response in answered(collection)
            if response.failed and response.retrieved_at >= begun
        ]
        refused = isinstance(error, CredentialsError | Unauthorized)
        if refused and not failed and len(set(owners.values())) > 1:  # only one owner's tokens
            reason = OmissionReason.UNAUTHORIZED
            failed = [EngagementResponse.uncounted(request, client.now(), reason, str(error))]
        outage = isinstance(error, TransportError) and error.status != HTTPStatus.OK
        if not failed or outage:
            raise
        raise _Failed(error, failed) from error
