"""When a message is sent again: after which statuses, how often, and how long after."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from engagement_pandas.errors import QuotaExceeded, TransportError
from engagement_pandas.transport.message import Answer, Failure, Message

if TYPE_CHECKING:
    from engagement_pandas.transport.rate_limiter import Permit
    from engagement_pandas.transport.transport import Transport

MAX_ATTEMPTS: Final = 8
"""Attempts per request before :class:`TransportError`; about 90 s of waiting in all."""

MAX_BACKOFF: Final = 60.0
"""Seconds between attempts, at most: they are random, up to 2, 4, 8, … 60."""

RETRY_STATUSES: Final = frozenset({429, 500, 502, 503, 504, *range(520, 526), 527, 530})
"""Statuses that are retried; from 520 on, a proxy reports that it did not reach the API. 526 is
not among them: an invalid certificate stays invalid."""

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class MessageCall(Generic[T]):
    """A message that is sent until it has an answer, each attempt with a new signature.

    Attempts are made one after another; ``made`` is their number.
    """

    transport: Transport
    message: Message
    on_response: Callable[[Answer], T | Failure]
    attempts: int
    made: int = 0

    def attempt(self, permit: Permit) -> T | Failure:
        """Send the message once."""
        self.made += 1
        return self.transport.send(self.message, self.on_response, permit)

    def retry_delay(self, outcome: T | Failure) -> float | None:
        """Return the seconds until the next attempt, at random; None if there is none."""
        if isinstance(outcome, Failure) and outcome.retryable and self.made < self.attempts:
            return random.uniform(0, min(MAX_BACKOFF, 2.0**self.made))  # noqa: S311 - no secret
        return None

    def result(self, outcome: Future[T | Failure]) -> T:
        """Return the result of ``on_response`` to the answer; raise an error if there is none."""
        result = outcome.result()
        if not isinstance(result, Failure):
            return result
        spent = result.status == HTTPStatus.TOO_MANY_REQUESTS
        error = QuotaExceeded if spent else TransportError
        msg = f"no answer from {self.message.url} in {self.made} attempts; at last: {result.why}"
        raise error(msg, result.status, self.made) from result.cause
