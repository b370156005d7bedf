"""The task that settles one part of a plan."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Final

import msgspec

from engagement_pandas.auth.signer import Signer
from engagement_pandas.client.failures import Failures
from engagement_pandas.errors import (
    CredentialsError,
    EngagementError,
    LedgerError,
    RefusedError,
    TransportError,
    Unauthorized,
)
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.response.collection import Collection
from engagement_pandas.response.refusal import apply_refusal, halves, refused
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.response.validation import invalid
from engagement_pandas.transport.message import Answer, Failure, Message
from engagement_pandas.transport.scheduler import Emit
from engagement_pandas.transport.transport import Transport, error_messages
from engagement_pandas.vocabulary import OmissionReason

PIECES: Final = 32
"""Maximum number of smaller requests that replace one whose answer is never valid."""

PIECE_ATTEMPTS: Final = 2
"""Attempts for each of these."""

log = logging.getLogger("engagement_pandas")


class _Invalid(Exception):
    """Raised if every attempt gets an invalid answer; the cause is the error to report."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.content = content


@dataclass(frozen=True, slots=True)
class RequestTask:
    """A part of a plan, its signer, its destination, and where to store the answers.

    ``number`` is its number in the plan. ``owner`` is the handle of the owner who signs, "" if
    there is one signer for all; ``speaker`` returns the signer of a handle. All parts share
    ``failures``.
    """

    number: int
    request: EngagementRequest
    base_url: str
    owner: str
    speaker: Callable[[str], Signer]
    transport: Transport
    failures: Failures
    into: Collection | None = None

    async def settle(self) -> None:
        """Emit answers that together settle the part; each refusal makes it smaller.

        Each is emitted with its number in the plan, as an ``EngagementResponse``. A request
        whose answer is never valid is split in half. Requests that remain without an answer,
        or belong to an owner whose tokens do not work, are added to the failures.
        """
        pending, pieces = [self.request], PIECES
        while pending:
            asked = pending.pop(0)
            answer = self._stored(asked)
            if answer is None and self.into is not None and self.into.records.why_not(asked)[1]:
                pending[:0], pieces = halves(asked), max(0, pieces - 2)
                continue
            if answer is None:
                try:
                    answer = await self._ask(asked, None if pieces == PIECES else PIECE_ATTEMPTS)
                except (CredentialsError, RefusedError, _Invalid) as error:
                    answer = self._stored(asked)  # another process may have stored one
                    if answer is None:
                        more = self._failed(asked, error, pieces)
                        pending[:0], pieces = more, max(0, pieces - len(more))
                        continue
            response, left = apply_refusal(answer)
            if response is not answer and response is not None:
                log.info("HTTP %s settles %r", answer.status, response.request)
            pending += left
            self.failures.answered += 1
            await Emit((self.number, response))
            if self.failures.ledger is not None:
                raise self.failures.ledger

    def _stored(self, asked: EngagementRequest) -> EngagementResponse | None:
        return None if self.into is None else self.into.find(asked)

    async def _ask(self, asked: EngagementRequest, most: int | None) -> EngagementResponse:
        if known := self.failures.owners.get(self.owner):
            raise known.with_traceback(None)
        speaker = self.speaker(self.owner)
        message = Message(
            self.base_url + asked.endpoint.facts.path,
            msgspec.json.encode(asked.to_json()),
            "application/json",
            await speaker.signer(),
            speaker.redact,
        )
        last: list[bytes] = []  # the last invalid body
        arrived = partial(self._noted, asked, speaker, last)
        try:
            answer = await self.transport.ask(message, arrived, most)
        except TransportError as error:
            if error.status != HTTPStatus.OK:
                raise
            raise _Invalid(b"".join(last)) from error
        if apply_refusal(answer)[0] is None:
            words = tuple(map(speaker.redact, error_messages(answer.content)))
            refusal = refused(asked.endpoint.facts.path, answer.status, words)
            refusal.add_note(f"asked as {speaker.credentials.account}")
            raise refusal
        return answer

    def _noted(
        self, asked: EngagementRequest, speaker: Signer, last: list[bytes], answer: Answer
    ) -> EngagementResponse | Failure:
        outcome = self._arrived(asked, speaker, last, answer)
        try:
            speaker.answered(answer.status)
        except LedgerError as error:  # raised after the answer has been emitted
            self.failures.ledger = self.failures.ledger or error
        return outcome

    def _arrived(
        self, asked: EngagementRequest, speaker: Signer, last: list[bytes], answer: Answer
    ) -> EngagementResponse | Failure:
        response = EngagementResponse(asked, answer.content, answer.status, answer.at)
        if response.status == HTTPStatus.OK and (why := invalid(response)) is not None:
            redacted = speaker.redact(answer.content.decode("latin-1")).encode("latin-1")
            last[:] = [redacted]
            return Failure(speaker.redact(f"HTTP 200, but no answer: {why}"), response.status)
        # Store it unchanged before its counts are read; a refusal of everything is not stored.
        if self.into is not None and apply_refusal(response)[0] is not None:
            return self.into.keep(response, speaker.credentials.account)
        return response

    def _failed(
        self, asked: EngagementRequest, error: EngagementError | _Invalid, pieces: int
    ) -> list[EngagementRequest]:
        """Report a request without an answer; return the smaller ones to send instead."""
        if not isinstance(error, _Invalid):
            self._fail_as_owner(asked, error)
            return []
        more = halves(asked) if pieces else []
        self._fail_as_invalid(asked, error, more)
        return more

    def _fail_as_owner(self, asked: EngagementRequest, error: EngagementError) -> None:
        """Report an owner whose tokens do not work; raise any other error."""
        suspended = getattr(error, "status", None) == HTTPStatus.FORBIDDEN
        unusable = suspended or isinstance(error, CredentialsError | Unauthorized)
        if not (unusable and self.failures.several):
            raise error
        self.failures.owners.setdefault(self.owner, error)
        message = "; ".join([str(error), *getattr(error, "__notes__", ())])
        self._fail(asked, OmissionReason.UNAUTHORIZED, message, error)

    def _fail_as_invalid(
        self, asked: EngagementRequest, invalid: _Invalid, more: list[EngagementRequest]
    ) -> None:
        """Set aside a request whose answer is never valid, unless smaller ones replace it."""
        error = invalid.__cause__
        assert isinstance(error, TransportError)  # noqa: S101 - raised by _ask
        self.failures.first = self.failures.first or error
        reason = OmissionReason.INVALID_ANSWER
        if not more:
            self._fail(asked, reason, str(error), error, invalid.content)
        elif self.into is not None:
            failed = EngagementResponse.uncounted(asked, self.transport.now(), reason, str(error))
            self.into.records.set_aside(failed, halved=True)

    def _fail(
        self,
        asked: EngagementRequest,
        reason: OmissionReason,
        message: str,
        error: EngagementError,
        content: bytes = b"",
    ) -> None:
        failed = EngagementResponse.uncounted(asked, self.transport.now(), reason, message)
        if self.into is not None:
            self.into.records.set_aside(failed, content)
        self.failures.add(self.number, self.request.post_ids[0], self.owner, failed, error)
