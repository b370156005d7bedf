"""A collection: the answers to one request, in a folder of files written atomically."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import uuid4

from engagement_pandas.errors import ArchiveError, RequestError
from engagement_pandas.files.atomic_write import (
    atomic_write,
    fsync_dir,
    mkdir_durable,
    sweep,
    write_once,
)
from engagement_pandas.request.coverage_check import uncovered
from engagement_pandas.request.plan import Plan
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.response.archives.answer_files import MANIFEST, AnswerFiles, Found
from engagement_pandas.response.archives.snapshot_age import resume_limit, why_apart
from engagement_pandas.response.archives.stored_file_format import (
    CORRUPTION_ERRORS,
    FORMAT,
    LONGEST_MANIFEST,
    decode_record,
    encode_record,
)
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.response.split_refused import apply_refusal, halves
from engagement_pandas.text import html_facts, lasting, pluralize, warn

COMPLETE: Final = "complete"
ENDED: Final = "ended"
"""Marker of a snapshot that was not finished in time; another one was begun."""

_AHEAD: Final = 2**8
"""Requests whose answers are read in advance, if they are small."""

Read = Callable[[EngagementRequest], Found]


class _ManifestLost(ArchiveError):
    """The stored request is damaged or missing; collecting the same request writes it again."""


class CorruptFile(NamedTuple):
    """A file that is damaged or missing.

    Attributes
    ----------
    path : Path
    why : str
    request : EngagementRequest or None
        The request to repeat: ``reopen`` the collection and ``collect`` the same request. None
        if the stored request itself is lost.
    """

    path: Path
    why: str
    request: EngagementRequest | None


@dataclass(frozen=True)
class Collection:
    """The answers to one request, sent once.

    Iterating yields the responses, for ``flatten`` and ``omissions``, one at a time; small ones
    are read some in advance. An unfinished collection yields those that exist, and warns about
    the rest.

    Parameters
    ----------
    path : Path
        Its folder.
    """

    path: Path

    @classmethod
    def begin(cls, path: Path, plan: Plan, account: str, now: datetime) -> Collection:
        """Create the folder with its request atomically, or find it.

        A lost request is written again; stored answers remain valid.
        """
        manifest = encode_record(_manifest(plan, account, now), b"")
        mkdir_durable(path.parent)
        sweep(path.parent)
        sweep(path)
        if not path.exists():
            temporary = path.with_name(f".{uuid4().hex}-{path.name}")
            try:
                temporary.mkdir()
                write_once(temporary / MANIFEST, manifest)
                try:
                    temporary.rename(path)
                except OSError:
                    if not (path / MANIFEST).exists():  # otherwise another process created it
                        raise
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        fsync_dir(path.parent)  # needed for a folder created just before a crash, too
        try:
            _ = cls(path).requests
        except _ManifestLost:
            with atomic_write(path / MANIFEST) as temporary:
                temporary.write_bytes(manifest)
        return cls(path)

    @property
    def complete(self) -> bool:
        """Whether everything is answered."""
        return (self.path / COMPLETE).exists()

    @property
    def ended(self) -> bool:
        """Whether it was too old to resume, and another one was begun."""
        return (self.path / ENDED).exists()

    @property
    def records(self) -> AnswerFiles:
        """The files of its answers and of requests set aside."""
        return AnswerFiles(self.path)

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        try:
            return decode_record(self.path / MANIFEST, LONGEST_MANIFEST)[0]
        except (FileNotFoundError, *CORRUPTION_ERRORS) as error:
            raise self._lost(error) from error

    @cached_property
    def requests(self) -> tuple[EngagementRequest, ...]:
        """The parts that the request was split into."""
        return self._cut("parts")

    @cached_property
    def unposted(self) -> tuple[EngagementRequest, ...]:
        """What is not requested: posts, with a window that ends before they were created."""
        return self._cut("unposted") if "unposted" in self._manifest else ()

    def _cut(self, name: str) -> tuple[EngagementRequest, ...]:
        try:
            content, endpoint = self._manifest[name], self._manifest["endpoint"]
            parts = content if isinstance(content, list) else [content]
            return tuple(EngagementRequest.from_json(endpoint, part) for part in parts)
        except (KeyError, TypeError, RequestError) as error:
            raise self._lost(error) from error

    def _lost(self, error: Exception) -> _ManifestLost:
        return _ManifestLost(
            f"{self.path / MANIFEST} is damaged or missing ({error}); reopen() its collection "
            "and collect the same request again, or remove the folder"
        )

    @property
    def account(self) -> str:
        """The account that collected it."""
        return str(self._manifest["account"])

    @property
    def started(self) -> datetime:
        """When it was begun, aware UTC."""
        return datetime.fromisoformat(self._manifest["started"])

    @property
    def unanswered(self) -> tuple[EngagementRequest, ...]:
        """Requests still to be sent: without an answer, set aside or damaged."""
        return tuple(
            request for request, answer, _ in self._walk() if answer is None or answer.failed
        )

    def __iter__(self) -> Iterator[EngagementResponse]:
        for part in self.unposted:
            yield EngagementResponse.unposted(part, self.started)
        left = 0
        for request, answer, why in self._walk():
            if answer is not None:
                yield answer
            elif why is not None:
                msg = (
                    f"{self.records.file(request)} is damaged ({why}); reopen() its collection and "
                    "collect the same request again: only damaged answers are fetched"
                    f"{self._until()}"
                )
                raise ArchiveError(msg)
            else:
                left += 1
        if left:
            warn(
                f"{self.path} is not finished: {pluralize(left, 'request')} and what may follow "
                "from them have no answer yet; collect the same request again",
            )

    def find(self, request: EngagementRequest) -> EngagementResponse | None:
        """Return the answer to a request; None if it is missing or damaged."""
        return self.records.read(request)[0]

    def keep(
        self, response: EngagementResponse, account: str | None = None, gzipped: bytes = b""
    ) -> EngagementResponse:
        """Store an answer to a request and return the stored one.

        ``account`` is the account that sent it, if not the collection's. ``gzipped`` is the body
        as it arrived, if it was compressed. If another process stored one first, that is
        returned, so that all processes read the same.
        """
        return self.records.keep(response, account or self.account, gzipped)

    def finish(self) -> None:
        """Mark it as complete."""
        if self.complete:  # reading it again must not need disk space
            return
        answers = (answer for _, answer, _ in self._walk(self.records.glance) if answer)
        settled = [answer for answer, _ in map(apply_refusal, answers) if answer is not None]
        parts = [answer.request for answer in settled if not answer.failed]
        if why := uncovered(self._cut("request"), [*self.unposted, *parts]):
            msg = f"{self.path} is not complete: {why}; collect again"
            raise ArchiveError(msg)
        try:
            write_once(self.path / COMPLETE, b"")
        except OSError as error:
            msg = f"{self.path / COMPLETE} cannot be written: {error}; collect again"
            raise ArchiveError(msg) from error

    def reopen(self) -> None:
        """Remove the completeness marker, so that the same request resumes this collection.

        A snapshot resumes only within its time limit of its oldest answer: one from a week
        ago cannot be repaired with today's counts, so a new snapshot is begun.
        """
        for mark in (COMPLETE, ENDED):
            (self.path / mark).unlink(missing_ok=True)

    def end(self) -> None:
        """Mark it as incomplete and not to be resumed."""
        write_once(self.path / ENDED, b"")

    @property
    def read_over(self) -> tuple[datetime, datetime] | None:
        """Retrieval times of the first and the last answer, aware; None if there are none."""
        moments = sorted(self.records.moments())
        return (moments[0], moments[-1]) if moments else None

    @property
    def settled_until(self) -> datetime | None:
        """When the last answer or failure was retrieved, aware; None if there are none.

        Only the heads of the answers are read, so damaged counts are not noticed.
        """
        walked = self._walk(self.records.glance)
        return max((answer.retrieved_at for _, answer, _ in walked if answer), default=None)

    def is_recent(self, now: datetime) -> bool:
        """Return whether it can be resumed now, so that its answers are close in time."""
        bound = self._bound()
        if bound is None:
            return True
        moments = [*self.records.moments()]
        with suppress(ArchiveError):  # a lost request is written again, with another time
            moments.append(self.started)
        # abs(): if the clock was set back in the meantime, the age is unknown.
        return all(abs(now - moment) <= bound for moment in moments)

    def ages(self, now: datetime) -> str | None:
        """Return the time span and age of a snapshot's answers; None if there are none."""
        read, bound = self.read_over, self._bound()
        if read is None or bound is None:
            return None
        first, last = read
        return (
            f"{self._endpoint()} read over {lasting(last - first)} ({first:%Y-%m-%d %H:%M} to "
            f"{last:%Y-%m-%d %H:%M} UTC), {lasting(now - last)} ago"
        )

    def _until(self) -> str:
        bound = self._bound()
        return "" if bound is None else f", within {lasting(bound)} of its oldest answer"

    def _endpoint(self) -> str:
        """Return the endpoint; from the folder name if the stored request is lost."""
        try:
            return str(self._manifest["endpoint"])
        except (KeyError, ArchiveError):
            return self.path.name.partition("-")[0]

    def _bound(self) -> timedelta | None:
        """Return how long it can be resumed; None if the answers do not change with time."""
        return resume_limit(self._endpoint())

    def verify(self) -> Iterator[CorruptFile]:
        """Yield the files that are damaged, or missing from a complete collection.

        Also yields a snapshot whose answers were retrieved by jobs further apart than
        the limit, and an unfinished one older than that; see :meth:`ages`.
        """
        try:
            _ = self.requests
        except ArchiveError as error:
            yield CorruptFile(self.path / MANIFEST, str(error), None)
            return
        sweep(self.path)
        if why := self._apart():
            yield CorruptFile(self.path, why, None)
        for request, answer, why in self._walk():
            if why is not None:
                yield CorruptFile(self.records.file(request), why, request)
            elif answer is not None and answer.failed:
                errors = "; ".join(answer.envelope().errors)
                aside = self.records.aside(request)
                yield CorruptFile(aside, f"set aside as {answer.reason}: {errors}", request)

    def _apart(self) -> str | None:
        """Return why its answers do not form one snapshot, or None."""
        return why_apart(self.records.moments(), self._bound(), complete=self.complete)

    def _walk(
        self, read: Read | None = None
    ) -> Iterator[tuple[EngagementRequest, EngagementResponse | None, str | None]]:
        """Yield each request sent or to be sent, its answer, and why that is damaged.

        A failed request has a response with the reason.
        """
        absent = "missing" if self.complete else None
        pending = list(self.requests)[::-1]
        ahead: dict[int, Found] = {}
        while pending:
            request = pending.pop()
            try:
                if read is None and id(request) not in ahead:
                    # A part of a refused request is read alone, since the others are known.
                    batch = [request, *reversed(pending[-_AHEAD:])] if not ahead else [request]
                    found = self.records.read_first(batch)
                    ahead |= zip(map(id, batch), found, strict=False)
                stored, why = ahead.pop(id(request)) if read is None else read(request)
            except ArchiveError as error:
                stored, why = None, str(error)
            answer, left = (None, []) if stored is None else apply_refusal(stored)
            if stored is None and why is None:
                answer, halved = self.records.why_not(request)
                left = halves(request) if halved else []
            if not (answer is None and left):
                yield request, answer, why if answer or why else absent
            pending += left[::-1]

    def __repr__(self) -> str:
        return f"Collection({self.path})"

    def _repr_html_(self) -> str:
        return html_facts(
            "Collection of raw answers",
            {
                "folder": str(self.path),
                "whether it is finished": "print(collection), collection.unanswered",
                "its counts": "flatten(collection)",
                "what has no count": "omissions(collection)",
            },
        )

    def __str__(self) -> str:
        state = "complete" if self.complete else "not finished"
        return f"Collection({self.path}: {state})"


def _manifest(plan: Plan, account: str, now: datetime) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "endpoint": str(plan.request.endpoint),
        "request": plan.request.to_json(),
        "parts": [part.to_json() for part in plan.requests],
        "unposted": [part.to_json() for part in plan.unposted],
        "account": account,
        "started": now.astimezone(UTC).isoformat(),
    }
