"""The tasks of a fetch: one for each part of a plan."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import msgspec

from engagement_pandas.auth.signer import Signer
from engagement_pandas.client.failures import Failures
from engagement_pandas.errors import (
    CredentialsError,
    EngagementError,
    LedgerError,
    RefusedError,
    TransportError,
)
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.response.archives.collection import Collection
from engagement_pandas.response.refused_error import refused
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.response.split_refused import apply_refusal, halves
from engagement_pandas.response.validation import invalid
from engagement_pandas.transport.error_bodies import error_messages
from engagement_pandas.transport.message import Answer, Failure, Message
from engagement_pandas.transport.retries import MessageCall
from engagement_pandas.transport.transport import Transport
from engagement_pandas.vocabulary.omission_reasons import OmissionReason

PIECES: Final = 32
"""Maximum number of smaller requests that replace one whose answer is never valid."""

PIECE_ATTEMPTS: Final = 2
"""Attempts for each of these."""

Settled = tuple[int, EngagementResponse]
"""An answer, and the number in the plan of the part that it settles."""

log = logging.getLogger("engagement_pandas")


class _Invalid(Exception):
    """Raised if every attempt gets an invalid answer; the cause is the error to report."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.content = content


@dataclass(slots=True, eq=False)
class RequestTask:
    """A part of a plan, its signer, its destination, and where to store the answers.

    ``number`` is its number in the plan. ``owner`` is the handle of the owner who signs, "" if
    there is one signer for all; ``signers`` returns the signer of a handle. All parts share
    ``failures``. A refusal makes the part smaller; a request whose answer is never valid is
    split in half. The first request of the app that has no stored answer fetches its bearer
    token before it is sent; ``fetches_token`` is true meanwhile.
    """

    number: int
    request: EngagementRequest
    base_url: str
    owner: str
    signers: Callable[[str], Signer]
    transport: Transport
    failures: Failures
    into: Collection | None = None
    call: MessageCall[Any] | None = None
    fetches_token: bool = False
    _pending: list[EngagementRequest] = field(init=False)  # the first is the current one
    _pieces: int = PIECES
    # The last invalid body of the current request; too large for a traceback with locals.
    _last_invalid: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        self._pending = [self.request]

    def advance(self, outcome: Future[Any] | None = None) -> Iterator[Settled]:
        """Yield answers that together settle the part, each with its number in the plan.

        Requests that remain without an answer, or belong to an owner whose tokens do not work,
        are added to the failures.
        """
        if outcome is not None:
            yield from self._attempted(partial(self._finish, outcome))
        while self._pending and self.call is None:
            yield from self._attempted(self._begin)
        if not self._pending:
            self.failures.done += 1

    def _attempted(self, step: Callable[[], EngagementResponse | None]) -> Iterator[Settled]:
        """Settle the current request by the answer that a step returns, or by its error."""
        request = self._pending[0]
        try:
            answer = step()
        except (CredentialsError, RefusedError, _Invalid) as error:
            answer = self._stored(request)  # another process may have stored one
            if answer is None:
                self._replace(self._failed(request, error))
        if answer is None:
            return
        response, left = apply_refusal(answer)
        assert response is not None  # noqa: S101 - neither stored nor returned by _finish
        if response is not answer:
            log.info("HTTP %s settles %r", answer.status, response.request)
        self._pending = [*self._pending[1:], *left]
        self.failures.answered += 1
        yield self.number, response
        if self.failures.ledger is not None:
            raise self.failures.ledger

    def _begin(self) -> EngagementResponse | None:
        """Return the stored answer of the current request, or prepare to send it."""
        request = self._pending[0]
        answer = self._stored(request)
        if answer is None:
            if self.into is not None and self.into.records.why_not(request)[1]:
                self._replace(halves(request))
            else:
                self.call = self._call(request)
        return answer

    def _finish(self, outcome: Future[Any]) -> EngagementResponse | None:
        """Return the answer to the current request, which has been sent; None to a token's."""
        request = self._pending[0]
        call, self.call = self.call, None
        assert call is not None  # noqa: S101 - this is its outcome
        if self.fetches_token:
            self.fetches_token = False
            self.signers(self.owner).keep_token(call.result(outcome))
            return None
        try:
            answer: EngagementResponse = call.result(outcome)
        except TransportError as error:
            if error.status != HTTPStatus.OK:
                raise
            raise _Invalid(self._last_invalid) from error
        if apply_refusal(answer)[0] is None:
            signer = self.signers(self.owner)
            messages = tuple(map(signer.redact, error_messages(answer.content)))
            refusal = refused(request.endpoint.facts.path, answer.status, messages)
            refusal.add_note(f"requested as {signer.credentials.account}")
            raise refusal
        return answer

    def _replace(self, smaller: list[EngagementRequest]) -> None:
        """Replace the current request by smaller ones, or by none."""
        self._pending[:1] = smaller
        self._pieces = max(0, self._pieces - len(smaller))

    def _stored(self, request: EngagementRequest) -> EngagementResponse | None:
        return None if self.into is None else self.into.find(request)

    def _call(self, request: EngagementRequest) -> MessageCall[Any]:
        if unusable := self.failures.owners.get(self.owner):
            raise unusable.with_traceback(None)
        signer = self.signers(self.owner)
        if signer.needs_token:
            self.fetches_token = True
            return signer.token_call()
        signer.allow()
        message = Message(
            self.base_url + request.endpoint.facts.path,
            msgspec.json.encode(request.to_json()),
            "application/json",
            signer.auth,
            signer.redact,
        )
        self._last_invalid = b""
        attempts = None if self._pieces == PIECES else PIECE_ATTEMPTS
        return self.transport.call(message, partial(self._on_response, request, signer), attempts)

    def _on_response(
        self, request: EngagementRequest, signer: Signer, answer: Answer
    ) -> EngagementResponse | Failure:
        """Store an answer and record it in the ledger, in the thread in which it arrived."""
        outcome = self._kept(request, signer, answer)
        try:
            signer.record(answer.status)
        except LedgerError as error:  # raised after the answer has been emitted
            self.failures.ledger = self.failures.ledger or error
        return outcome

    def _kept(
        self, request: EngagementRequest, signer: Signer, answer: Answer
    ) -> EngagementResponse | Failure:
        response = EngagementResponse(request, answer.content, answer.status, answer.at)
        if response.status == HTTPStatus.OK and (why := invalid(response)) is not None:
            redacted = signer.redact(answer.content.decode("latin-1"))
            self._last_invalid = redacted.encode("latin-1")
            return Failure(signer.redact(f"HTTP 200, but the answer is invalid: {why}"), 200)
        # Store it unchanged before its counts are read; a refusal of everything is not stored.
        if self.into is not None and apply_refusal(response)[0] is not None:
            return self.into.keep(response, signer.credentials.account, answer.gzipped)
        return response

    def _failed(
        self, request: EngagementRequest, error: EngagementError | _Invalid
    ) -> list[EngagementRequest]:
        """Report a request without an answer; return the smaller ones to send instead."""
        if isinstance(error, _Invalid):
            return self._failed_as_invalid(request, error)
        self.failures.set_unusable(self.owner, error)
        message = "; ".join([str(error), *getattr(error, "__notes__", ())])
        self._fail(request, OmissionReason.UNAUTHORIZED, message, error)
        return []

    def _failed_as_invalid(
        self, request: EngagementRequest, invalid: _Invalid
    ) -> list[EngagementRequest]:
        """Set aside a request whose answer is never valid, unless smaller ones replace it."""
        error, reason = invalid.__cause__, OmissionReason.INVALID_ANSWER
        assert isinstance(error, TransportError)  # noqa: S101 - raised by _finish
        self.failures.first = self.failures.first or error
        smaller = halves(request) if self._pieces else []
        if not smaller:
            self._fail(request, reason, str(error), error, invalid.content)
        elif self.into is not None:
            failed = EngagementResponse.uncounted(request, self.transport.now(), reason, str(error))
            self.into.records.set_aside(failed, halved=True)
        return smaller

    def _fail(
        self,
        request: EngagementRequest,
        reason: OmissionReason,
        message: str,
        error: EngagementError,
        content: bytes = b"",
    ) -> None:
        failed = EngagementResponse.uncounted(request, self.transport.now(), reason, message)
        if self.into is not None:
            self.into.records.set_aside(failed, content)
        self.failures.add(self.number, self.request.post_ids[0], self.owner, failed, error)
