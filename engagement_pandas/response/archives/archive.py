"""Raw answers on disk: each is stored before it is parsed, and interrupted jobs can resume.

One folder per collection, one file per answer::

    raw/
        totals-20260415T122000Z-5f1d0a9c3b7e-1c9a/     one request, sent once: a snapshot
            question.json.gz                           the request, and how it was split
            3f0c….json.gz                              an answer: one line of metadata, then
            …                                          the body as it arrived; gzipped
            3f0c….set_aside.gz                         why there is none yet, and the body
            complete                                   everything is answered; or
            ended                                      too old to resume
        historical-5f1d0a9c3b7e/                       does not change with time

``zcat FILE | tail -n +2`` prints the body. A complete file is never overwritten. None of the
files has the account's secrets; a body is what the server sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from engagement_pandas.errors import ArchiveError
from engagement_pandas.files.atomic_write import sweep
from engagement_pandas.request.owners import OWNERS
from engagement_pandas.request.plan import Plan
from engagement_pandas.request.plan import plan as cut
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.response.archives.answer_files import MANIFEST
from engagement_pandas.response.archives.collection import Collection, CorruptFile
from engagement_pandas.response.archives.stored_file_format import digest
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.text import html_facts, pluralize, warn
from engagement_pandas.vocabulary.endpoints import Endpoint

_SHORT: Final = 12


class Archive:
    """A folder of raw answers.

    Parameters
    ----------
    folder : str or path
        Created with the first answer, if it does not exist.

    Raises
    ------
    ArchiveError
        If it is empty, or a file.

    Examples
    --------
    >>> import engagement_pandas as ep, tempfile
    >>> with tempfile.TemporaryDirectory() as folder, ep.demo_client("2026-04-15") as demo:
    ...     archive = Archive(folder)
    ...     request = ep.totals(demo.posts, engagement_types=["favorites"])
    ...     collection = demo.client.collect(request, into=archive)
    ...     counts = ep.flatten(archive)
    ...     archive.verify(), len(archive.collections)
    ((), 1)
    """

    def __init__(self, folder: str | Path) -> None:
        if not str(folder):
            msg = "the folder of an archive is empty; pass one, such as 'answers'"
            raise ArchiveError(msg)
        self.folder = Path(folder)
        if self.folder.is_file():
            msg = f"{self.folder} is a file; name a folder"
            raise ArchiveError(msg)

    @property
    def collections(self) -> tuple[Collection, ...]:
        """The collections, by folder name: those of each endpoint from the oldest on.

        Other folders are ignored.
        """
        if not self.folder.is_dir():
            return ()
        found = sorted(path for path in self.folder.iterdir() if path.is_dir())
        return tuple(Collection(path) for path in found if _ours(path))

    def __iter__(self) -> Iterator[EngagementResponse]:
        """Yield the answers of all collections, one at a time."""
        for collection in self.collections:
            yield from collection

    def collection(self, plan: Plan, account: str, now: datetime) -> Collection:
        """Return the collection for a plan: an unfinished one, or a new one.

        Parameters
        ----------
        plan : Plan
        account : str
            The requesting account; a collection of another account is not resumed.
        now : datetime
            Aware; the start of a new collection.

        Raises
        ------
        ArchiveError
            If the folder is not writable.
        """
        path = self._path(plan, account, now)
        try:
            collection = Collection.begin(path, plan, account, now)
            for old in self._unfinished(plan, account):
                if old != collection and not old.is_recent(now):
                    old.end()
                    self._report(old, now)
        except ArchiveError:
            raise
        except OSError as error:
            msg = (
                f"{self.folder} cannot store a collection: {error}; free some room, "
                "or name another folder"
            )
            raise ArchiveError(msg) from error
        return collection

    def begun(self, plan: Plan, account: str, now: datetime) -> Collection | None:
        """Return the collection that would be resumed; None if one would be created.

        Nothing is created. A collection whose stored request is lost would be created again.
        """
        found = Collection(self._path(plan, account, now))
        try:
            _ = found.requests
        except ArchiveError:
            return None
        return found

    def _path(self, plan: Plan, account: str, now: datetime) -> Path:
        endpoint, identity = plan.request.endpoint, _identity(plan, account)
        if endpoint is Endpoint.HISTORICAL:
            return self.folder / f"{endpoint}-{identity}"
        for snapshot in self._unfinished(plan, account):
            if snapshot.is_recent(now):
                return snapshot.path
        begun = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        return self.folder / f"{endpoint}-{begun}-{identity}-{uuid4().hex[:4]}"

    def _unfinished(self, plan: Plan, account: str) -> list[Collection]:
        """Return the snapshots of a request that are neither complete nor ended, latest first."""
        name = f"-{_identity(plan, account)}-"
        return [
            snapshot
            for snapshot in reversed(self.collections)
            if name in snapshot.path.name and not (snapshot.complete or snapshot.ended)
        ]

    def _report(self, old: Collection, now: datetime) -> None:
        try:
            lacking = f"{pluralize(len(old.unanswered), 'request')} without an answer"
        except ArchiveError:  # its stored request is lost
            lacking = "its stored request is lost"
        warn(
            f"{old.path} is not finished ({old.ages(now) or 'no answer yet'}; {lacking}) and too "
            "old to resume: a new snapshot is begun, and its answers stay readable",
        )

    def verify(self) -> tuple[CorruptFile, ...]:
        """Read every file; return the damaged or missing ones, and what to request again.

        Pending requests of an unfinished collection are not damage: resuming is sufficient,
        see :attr:`Collection.unanswered`.
        """
        sweep(self.folder)
        return tuple(damage for collection in self.collections for damage in collection.verify())

    def __repr__(self) -> str:
        return f"Archive({self.folder})"

    def _repr_html_(self) -> str:
        return html_facts(
            "Archive of raw answers",
            {
                "folder": str(self.folder),
                "what it holds": "print(archive), archive.collections",
                "its counts": "flatten(archive, retrieved_at=True)",
                "damage": "archive.verify()",
            },
        )

    def __str__(self) -> str:
        found = self.collections
        open_ = sum(not collection.complete for collection in found)
        unfinished = f", {open_} of them not finished" if open_ else ""
        return f"Archive({self.folder}: {pluralize(len(found), 'collection')}{unfinished})"


def _identity(plan: Plan, account: str) -> str:
    identity: list[Any] = [str(plan.request.endpoint), plan.request.to_json(), account]
    if plan.requests != cut(plan.request, now=plan.now).requests:
        # A plan split in another way has other answers.
        identity.append([part.to_json() for part in plan.requests])
    if account == OWNERS and plan.request.owner_only:
        # Other owners need other tokens and other requests, so this is another collection.
        identity.append([plan.request.owners.get(post) for post in plan.request.post_ids])
    return digest(identity)[:_SHORT]


def pending_requests(collection: Collection) -> tuple[EngagementRequest, ...]:
    """Return the parts of the plan that are not settled yet.

    What remains after a refusal belongs to the request that was refused.
    """
    left = {
        (post, request.window) for request in collection.unanswered for post in request.post_ids
    }
    return tuple(
        part
        for part in collection.requests
        if any((post, part.window) in left for post in part.post_ids)
    )


def _ours(path: Path) -> bool:
    """Return whether a folder is a collection, even with a lost request or another name."""
    if path.name.startswith("."):  # a temporary folder
        return False
    return path.name.partition("-")[0] in list(Endpoint) or (path / MANIFEST).exists()
