"""One part of a plan, from the question to all of its answers."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

import msgspec

from engagement_pandas.collection import Collection
from engagement_pandas.losses import losses
from engagement_pandas.refusals import refused, settle
from engagement_pandas.request import EngagementRequest
from engagement_pandas.response import EngagementResponse
from engagement_pandas.wire.flight import Giving
from engagement_pandas.wire.message import Answer, Failure, Message
from engagement_pandas.wire.speaker import Speaker
from engagement_pandas.wire.transport import Transport, texts

log = logging.getLogger("engagement_pandas")


@dataclass(frozen=True, slots=True)
class Part:
    """What to ask, whom, as whom, and where to keep the answers.

    Attributes
    ----------
    number : int
        Its place in the plan.
    request : EngagementRequest
    base_url : str
    speaker : Speaker
    transport : Transport
    into : Collection, optional
    """

    number: int
    request: EngagementRequest
    base_url: str
    speaker: Speaker
    transport: Transport
    into: Collection | None = None

    async def settle(self) -> None:
        """Give answers that together settle the part; each refusal makes it smaller.

        Each is given as its number in the plan and an ``EngagementResponse``.

        Raises
        ------
        RefusedError
            Where an answer refuses all that was asked.
        """
        pending = [self.request]
        while pending:
            asked = pending.pop(0)
            answer = None if self.into is None else self.into.find(asked)
            if answer is None:
                answer = await self._ask(asked)
            response, left = settle(answer)
            if response is None:
                words = tuple(map(self.speaker.redact, texts(answer.content)))
                error = refused(asked.endpoint.facts.path, answer.status, words)
                error.add_note(f"asked as {self.speaker.credentials.account}")
                raise error
            if response is not answer:
                log.info("HTTP %s settles %r", answer.status, response.request)
            pending += left
            await Giving((self.number, response))

    async def _ask(self, asked: EngagementRequest) -> EngagementResponse:
        message = Message(
            self.base_url + asked.endpoint.facts.path,
            msgspec.json.encode(asked.to_json()),
            "application/json",
            await self.speaker.signer(),
            self.speaker.redact,
        )
        return await self.transport.ask(message, partial(self._noted, asked))

    def _noted(self, asked: EngagementRequest, answer: Answer) -> EngagementResponse | Failure:
        outcome = self._arrived(asked, answer)
        self.speaker.answered(answer.status)
        return outcome

    def _arrived(self, asked: EngagementRequest, answer: Answer) -> EngagementResponse | Failure:
        response = EngagementResponse(asked, answer.content, answer.status, answer.at)
        if response.status == HTTPStatus.OK and (why := losses(response)) is not None:
            return Failure(self.speaker.redact(f"HTTP 200, but no answer: {why}"), response.status)
        # Stored as it came, before its counts are read; what refuses everything is no answer.
        if self.into is not None and settle(response)[0] is not None:
            return self.into.keep(response, self.speaker.credentials.account)
        return response
