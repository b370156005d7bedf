"""The answers to one question, asked once: a folder of files that are whole or not there."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import uuid4

from engagement_pandas.errors import ArchiveError, RequestError
from engagement_pandas.planning import Plan
from engagement_pandas.refusals import halves, settle
from engagement_pandas.replacing import flush_folder, make_folder, place, replacing
from engagement_pandas.request import EngagementRequest
from engagement_pandas.response import EngagementResponse
from engagement_pandas.stored import BROKEN, FORMAT, digest, load, packed
from engagement_pandas.validation import invalid
from engagement_pandas.vocabulary import OmissionReason
from engagement_pandas.wording import counted

QUESTION: Final = "question.json.gz"
COMPLETE: Final = "complete"
ENDING: Final = ".json.gz"
ASIDE: Final = ".set_aside.gz"
"""Instead of an answer: why there is none, and the last invalid body, if there was one."""

_KEY: Final = 32


class _QuestionLost(ArchiveError):
    """The file of the question is damaged or missing; the same question writes it anew."""


class Damage(NamedTuple):
    """A file that is not what it was, or not there.

    Attributes
    ----------
    path : Path
    why : str
    request : EngagementRequest or None
        What to ask again: ``reopen`` the collection and ``collect`` the same question. None
        where the question itself is lost.
    """

    path: Path
    why: str
    request: EngagementRequest | None


@dataclass(frozen=True)
class Collection:
    """The answers to one question, asked once.

    Iterating yields responses, for ``flatten`` and ``omissions``, one at a time. Of one that
    is not finished it yields what there is, and warns of what there is not.

    Parameters
    ----------
    path : Path
        Its folder.
    """

    path: Path

    @classmethod
    def begin(cls, path: Path, plan: Plan, account: str, now: datetime) -> Collection:
        """Make the folder with its question in it, both or neither; or find it made.

        A question that is lost is written anew: what was answered stays good.
        """
        question = packed(_question(plan, account, now), b"")
        make_folder(path.parent)
        if not path.exists():
            beside = path.with_name(f".{uuid4().hex}-{path.name}")
            try:
                beside.mkdir()
                place(beside / QUESTION, question)
                try:
                    beside.rename(path)
                except OSError:
                    if not (path / QUESTION).exists():  # another process was not quicker
                        raise
            finally:
                shutil.rmtree(beside, ignore_errors=True)
        flush_folder(path.parent)  # also where it was made just before a crash
        try:
            _ = cls(path).requests
        except _QuestionLost:
            with replacing(path / QUESTION) as beside:
                beside.write_bytes(question)
        return cls(path)

    @property
    def complete(self) -> bool:
        """Whether everything was answered."""
        return (self.path / COMPLETE).exists()

    @cached_property
    def _told(self) -> dict[str, Any]:
        try:
            return load(self.path / QUESTION)[0]
        except (FileNotFoundError, *BROKEN) as error:
            raise self._lost(error) from error

    @cached_property
    def requests(self) -> tuple[EngagementRequest, ...]:
        """The requests that the question was cut into."""
        return self._cut("parts")

    @cached_property
    def unposted(self) -> tuple[EngagementRequest, ...]:
        """What is not asked: posts, with a window that ends before they were made."""
        return self._cut("unposted") if "unposted" in self._told else ()

    def _cut(self, name: str) -> tuple[EngagementRequest, ...]:
        try:
            endpoint = self._told["endpoint"]
            return tuple(EngagementRequest.from_json(endpoint, p) for p in self._told[name])
        except (KeyError, TypeError, RequestError) as error:
            raise self._lost(error) from error

    def _lost(self, error: Exception) -> _QuestionLost:
        return _QuestionLost(
            f"{self.path / QUESTION} is damaged or missing ({error}); reopen() its collection "
            "and collect the same question again, or remove the folder"
        )

    @property
    def account(self) -> str:
        """Who asked."""
        return str(self._told["account"])

    @property
    def started(self) -> datetime:
        """When it was begun, aware UTC."""
        return datetime.fromisoformat(self._told["started"])

    @property
    def unanswered(self) -> tuple[EngagementRequest, ...]:
        """What is still to be asked: without an answer, set aside or damaged."""
        return tuple(asked for asked, answer, _ in self._walk() if answer is None or answer.failed)

    def __iter__(self) -> Iterator[EngagementResponse]:
        for part in self.unposted:
            yield EngagementResponse.unposted(part, self.started)
        left = 0
        for asked, answer, why in self._walk():
            if answer is not None:
                yield answer
            elif why is not None:
                msg = (
                    f"{self._file(asked)} is damaged ({why}); reopen() its collection and "
                    "collect the same question again: only what is damaged is asked"
                )
                raise ArchiveError(msg)
            else:
                left += 1
        if left:
            warnings.warn(
                f"{self.path} is not finished: {counted(left, 'request')} and what may follow "
                "from them have no answer yet; collect the same question again",
                UserWarning,
                stacklevel=2,
            )

    def find(self, asked: EngagementRequest) -> EngagementResponse | None:
        """Return what was answered to a request; None where it was not, or is damaged.

        Raises
        ------
        ArchiveError
            Where it may well be whole, but cannot be read here and now.
        """
        return self._read(asked)[0]

    def keep(self, response: EngagementResponse, account: str | None = None) -> EngagementResponse:
        """Store an answer to a request that was sent; return the one that is stored.

        ``account`` tells who sent it, if not the one who asked the question.

        Where another process stored one first, that is returned, so that all read the same.

        Raises
        ------
        ArchiveError
            Where it cannot be written; the request is asked again when you go on.
        """
        file = self._file(response.request)
        head = {
            "format": FORMAT,
            "endpoint": str(response.request.endpoint),
            "request": response.request.to_json(),
            "status": response.status,
            "retrieved_at": response.retrieved_at.isoformat(),
            "account": account or self.account,
        }
        written = packed(head, response.content)
        try:
            if place(file, written):
                self._aside(response.request).unlink(missing_ok=True)
                return response
            stored = self.find(response.request)
            if stored is None:
                with replacing(file) as beside:
                    beside.write_bytes(written)
        except OSError as error:
            msg = f"{file} cannot be written: {error}; free some room, and collect again"
            raise ArchiveError(msg) from error
        return stored or response

    def set_aside(
        self, failed: EngagementResponse, content: bytes = b"", *, halved: bool = False
    ) -> None:
        """Store why a request has no answer, instead of what was stored of it before.

        Parameters
        ----------
        failed : EngagementResponse
            As :meth:`EngagementResponse.uncounted` makes it.
        content : bytes
            The last invalid body.
        halved : bool
            Whether smaller requests were sent in its place; it is then no omission itself.

        Raises
        ------
        ArchiveError
            Where it cannot be written.
        """
        file = self._aside(failed.request)
        head = {
            "format": FORMAT,
            "request": failed.request.to_json(),
            "retrieved_at": failed.retrieved_at.isoformat(),
            "reason": failed.reason,
            "message": "; ".join(failed.envelope().errors),
            "halved": halved,
        }
        try:
            with replacing(file) as beside:
                beside.write_bytes(packed(head, content))
            self._file(failed.request).unlink(missing_ok=True)
        except OSError as error:
            msg = f"{file} cannot be written: {error}; free some room, and collect again"
            raise ArchiveError(msg) from error

    def halved(self, asked: EngagementRequest) -> bool:
        """Return whether smaller requests are sent in the place of one that is never answered."""
        return self._why_not(asked)[1]

    def finish(self) -> None:
        """Mark it as complete."""
        if self.complete:  # to read it again takes no room
            return
        try:
            place(self.path / COMPLETE, b"")
        except OSError as error:
            msg = f"{self.path / COMPLETE} cannot be written: {error}; collect again"
            raise ArchiveError(msg) from error

    def reopen(self) -> None:
        """Take the mark of completeness away: the same question goes on with this collection."""
        (self.path / COMPLETE).unlink(missing_ok=True)

    def verify(self) -> Iterator[Damage]:
        """Yield what is damaged, or missing though it is complete."""
        try:
            _ = self.requests
        except ArchiveError as error:
            yield Damage(self.path / QUESTION, str(error), None)
            return
        for asked, answer, why in self._walk():
            if why is not None:
                yield Damage(self._file(asked), why, asked)
            elif answer is not None and answer.failed:
                said = "; ".join(answer.envelope().errors)
                yield Damage(self._aside(asked), f"set aside as {answer.reason}: {said}", asked)

    def _walk(
        self,
    ) -> Iterator[tuple[EngagementRequest, EngagementResponse | None, str | None]]:
        """Yield each request that was or is to be sent, its answer, and why that is damaged.

        One that failed has a response with the reason.
        """
        absent = "missing" if self.complete else None
        pending = list(self.requests)[::-1]
        while pending:
            asked = pending.pop()
            try:
                stored, why = self._read(asked)
            except ArchiveError as error:
                stored, why = None, str(error)
            answer, left = (None, []) if stored is None else settle(stored)
            if stored is None and why is None:
                answer, halved = self._why_not(asked)
                left = halves(asked) if halved else []
            if not (answer is None and left):
                yield asked, answer, why if answer or why else absent
            pending += left[::-1]

    def _file(self, asked: EngagementRequest) -> Path:
        return self.path / (digest(asked.to_json())[:_KEY] + ENDING)

    def _aside(self, asked: EngagementRequest) -> Path:
        return self.path / (digest(asked.to_json())[:_KEY] + ASIDE)

    def _why_not(self, asked: EngagementRequest) -> tuple[EngagementResponse | None, bool]:
        """Return why a request has no answer, as far as that is known; and if it was halved."""
        try:
            head, _ = load(self._aside(asked))
            if head["halved"]:
                return None, True
            moment = datetime.fromisoformat(head["retrieved_at"])
            reason = OmissionReason(head["reason"])
            return EngagementResponse.uncounted(asked, moment, reason, head["message"]), False
        except (FileNotFoundError, ArchiveError, *BROKEN):  # it is sent again
            return None, False

    def _read(self, asked: EngagementRequest) -> tuple[EngagementResponse | None, str | None]:
        """Return the answer to a request, or None and why it is damaged, if it is there."""
        try:
            head, content = load(self._file(asked))
            if head["request"] != asked.to_json():
                return None, "it answers another request"
            moment = datetime.fromisoformat(head["retrieved_at"])
            answer = EngagementResponse(asked, content, head["status"], moment)
        except FileNotFoundError:
            return None, None
        except BROKEN as error:
            return None, f"{type(error).__name__}: {error}"
        if settle(answer)[0] is None:
            return None, "it refuses the whole request"
        lost = invalid(answer) if answer.status == HTTPStatus.OK else None
        return (None, f"it does not answer its request: {lost}") if lost else (answer, None)

    def __repr__(self) -> str:
        state = "complete" if self.complete else "not finished"
        return f"Collection({self.path}: {state})"


def _question(plan: Plan, account: str, now: datetime) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "endpoint": str(plan.request.endpoint),
        "request": plan.request.to_json(),
        "parts": [part.to_json() for part in plan.requests],
        "unposted": [part.to_json() for part in plan.unposted],
        "account": account,
        "started": now.astimezone(UTC).isoformat(),
    }
