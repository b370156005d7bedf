"""Stored answers to the requests of a collection: one file each, complete or absent."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from engagement_pandas.errors import ArchiveError
from engagement_pandas.files.atomic_write import atomic_write, probe, write_once
from engagement_pandas.request.cost import max_rows
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.response.archives.stored_file_format import (
    CORRUPTION_ERRORS,
    FORMAT,
    decode_record,
    digest,
    encode_record,
    load_head,
)
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.response.split_refused import apply_refusal
from engagement_pandas.response.validation import all_invalid
from engagement_pandas.text import format_bytes
from engagement_pandas.vocabulary.omission_reasons import OmissionReason

MANIFEST: Final = "question.json.gz"
ENDING: Final = ".json.gz"
ASIDE: Final = ".set_aside.gz"
"""File for a request without an answer: the reason, and the last invalid body, if any."""

PROBE: Final = 2**16
"""Bytes written and removed again to check that the folder is writable."""

Found = tuple[EngagementResponse | None, str | None]
"""An answer, or None and, if it is damaged, the reason."""

_BATCH: Final = 2**18
"""Bytes of answers that are validated together; larger ones have less to gain."""

_KEY: Final = 32
_ROW: Final = 10
"""Bytes of one hour's count in an answer: ``"07":"12",``."""


@dataclass(frozen=True)
class AnswerFiles:
    """The files of a collection, in its folder ``path``."""

    path: Path

    def file(self, request: EngagementRequest) -> Path:
        """Return the file of the answer to a request."""
        return self._file(request.to_json())

    def _file(self, body: dict[str, Any], ending: str = ENDING) -> Path:
        return self.path / (digest(body)[:_KEY] + ending)

    def aside(self, request: EngagementRequest) -> Path:
        """Return the file with the reason why a request has no answer."""
        return self._file(request.to_json(), ASIDE)

    def moments(self) -> Iterator[datetime]:
        """Yield the retrieval time of each answer, except damaged ones."""
        for file in self.path.glob(f"[!.]*{ENDING}"):
            try:
                if file.name != MANIFEST:
                    yield datetime.fromisoformat(load_head(file)["retrieved_at"])
            except (FileNotFoundError, ArchiveError, *CORRUPTION_ERRORS):
                continue

    def read(self, request: EngagementRequest) -> Found:
        """Return the answer to a request, or None and, if it is damaged, the reason."""
        return self.read_first([request])[0]

    def read_first(self, requests: Iterable[EngagementRequest]) -> list[Found]:
        """Return the same as :meth:`read` for the first requests, as many as have small answers.

        There is at least one. Small answers are validated together, in a fraction of the time.
        """
        found: list[Found] = []
        size = 0
        for request in requests:
            try:
                answer, why = self._unchecked(request)
            except ArchiveError:
                if not found:
                    raise
                break
            found.append((answer, why))
            size += 0 if answer is None else len(answer.content)
            if size > _BATCH:
                break
        reasons = all_invalid([answer for answer, _ in found if answer is not None])
        if not reasons:
            return found
        return [
            (None, f"it does not answer its request: {reasons[answer.request]}")
            if answer is not None and answer.request in reasons
            else (answer, why)
            for answer, why in found
        ]

    def _unchecked(self, request: EngagementRequest) -> Found:
        """Return the same as :meth:`read`, without validating the counts."""
        body = request.to_json()
        try:
            head, content = decode_record(self._file(body))
            answer = _answer(request, body, head, content)
        except FileNotFoundError:
            return None, None
        except CORRUPTION_ERRORS as error:
            return None, f"{type(error).__name__}: {error}"
        if apply_refusal(answer)[0] is None:
            return None, "it refuses the complete request"
        return answer, None

    def glance(self, request: EngagementRequest) -> tuple[EngagementResponse | None, str | None]:
        """Return the same as :meth:`read`, but with status 200 only the head, without counts."""
        body = request.to_json()
        try:
            head = load_head(self._file(body))
            if head["status"] == HTTPStatus.OK:
                return _answer(request, body, head, b"{}"), None
        except FileNotFoundError:
            return None, None
        except CORRUPTION_ERRORS as error:
            return None, f"{type(error).__name__}: {error}"
        return self.read(request)

    def why_not(self, request: EngagementRequest) -> tuple[EngagementResponse | None, bool]:
        """Return why a request has no answer, if known, and whether it was split in half."""
        try:
            head, _ = decode_record(self.aside(request))
            if head["halved"]:
                return None, True
            moment = datetime.fromisoformat(head["retrieved_at"])
            reason = OmissionReason(head["reason"])
            return EngagementResponse.uncounted(request, moment, reason, head["message"]), False
        except (FileNotFoundError, ArchiveError, *CORRUPTION_ERRORS):  # it will be sent again
            return None, False

    def keep(
        self, response: EngagementResponse, account: str, gzipped: bytes
    ) -> EngagementResponse:
        """Store an answer and return the stored one, which another process may have written."""
        file = self.file(response.request)
        head = {
            "format": FORMAT,
            "endpoint": str(response.request.endpoint),
            "request": response.request.to_json(),
            "status": response.status,
            "retrieved_at": response.retrieved_at.isoformat(),
            "account": account,
        }
        written = encode_record(head, response.content, gzipped)
        stored = None
        try:
            if not write_once(file, written):
                stored = self.read(response.request)[0]
                if stored is None:
                    with atomic_write(file) as temporary:
                        temporary.write_bytes(written)
            self.aside(response.request).unlink(missing_ok=True)
        except OSError as error:
            raise _unwritten(file, error) from error
        return stored or response

    def set_aside(
        self, failed: EngagementResponse, content: bytes = b"", *, halved: bool = False
    ) -> None:
        """Store why a request has no answer, replacing any earlier reason.

        ``failed`` is created by :meth:`EngagementResponse.uncounted`; ``content`` is the last
        invalid body. ``halved`` states whether smaller requests were sent in its place; then it
        is not an omission itself.
        """
        file = self.aside(failed.request)
        head = {
            "format": FORMAT,
            "request": failed.request.to_json(),
            "retrieved_at": failed.retrieved_at.isoformat(),
            "reason": failed.reason,
            "message": "; ".join(failed.envelope().errors),
            "halved": halved,
        }
        try:
            with atomic_write(file) as temporary:
                temporary.write_bytes(encode_record(head, content))
            self.file(failed.request).unlink(missing_ok=True)
        except OSError as error:
            raise _unwritten(file, error) from error

    def check_room(self, left: Sequence[EngagementRequest], in_flight: int) -> None:
        """Check, before anything is sent, that the answers in flight can be stored.

        They need about their maximum uncompressed size. A test file is written too, since
        disk quotas and read-only folders do not show otherwise.
        """
        if not left:
            return
        rows = max(max_rows(request, ()) for request in left)
        size = min(len(left), in_flight) * rows * _ROW
        try:
            free = shutil.disk_usage(self.path).free
            probe(self.path, PROBE)
        except OSError as error:
            msg = f"{self.path} cannot store answers: {error}; free some room, and collect again"
            raise ArchiveError(msg) from error
        if free < size:
            msg = (
                f"{self.path} has {format_bytes(free)} free, and the answers that arrive may take "
                f"{format_bytes(size)}; free some room, and collect again"
            )
            raise ArchiveError(msg)


def _answer(
    request: EngagementRequest, body: dict[str, Any], head: dict[str, Any], content: bytes
) -> EngagementResponse:
    """Return a stored answer; ``body`` is the JSON of the request."""
    if head["request"] != body:
        msg = "it answers another request"
        raise ValueError(msg)
    moment = datetime.fromisoformat(head["retrieved_at"])
    return EngagementResponse(request, content, head["status"], moment)


def _unwritten(file: Path, error: OSError) -> ArchiveError:
    return ArchiveError(f"{file} cannot be written: {error}; free some room, and collect again")
