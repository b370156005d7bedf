"""One POST, from signature to answer: rate limited, and retried with a new signature.

Retries happen here, above the signature: urllib3 would send the same OAuth nonce again.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

import msgspec

from engagement_pandas.errors import RequestError, ResponseShapeError
from engagement_pandas.response.body_size import MAX_BODY_BYTES
from engagement_pandas.response.json_decoding import DECODE_ERRORS, decode_top_level
from engagement_pandas.transport.bounded_session import BoundedSession, read_body
from engagement_pandas.transport.error_bodies import error_messages
from engagement_pandas.transport.exchange import exchange
from engagement_pandas.transport.message import Answer, Failure, Message
from engagement_pandas.transport.rate_limiter import Permit, RateLimiter
from engagement_pandas.transport.retries import MAX_ATTEMPTS, RETRY_STATUSES, MessageCall
from engagement_pandas.transport.scheduler import InlineExecutor, Scheduler, ThreadExecutor
from engagement_pandas.transport.timeouts import DEADLINE, TIMEOUT, checked_timeout

MAX_IN_FLIGHT: Final = 48
"""Concurrent requests: at 2 s per answer, enough for 20 a second, with some reserve."""

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
"""Redirect statuses; they are not followed, so that requests and tokens go nowhere else."""

STATUSES_WITH_JSON: Final = frozenset({200, 400, 403})
"""Statuses whose body decides what happens next; a truncated body is requested again."""

_SNIPPET: Final = 300


T = TypeVar("T")

log = logging.getLogger("engagement_pandas")


class _State(NamedTuple):
    process: int
    session: BoundedSession
    quota: RateLimiter


class Transport:
    """Sends messages, sequentially or concurrently, over one session.

    ``attempts`` is the maximum per message, the first included, and ``in_flight`` the number of
    concurrent messages. ``timeout`` is the seconds to connect, and between two bytes of the
    answer. ``clock`` and ``sleep`` are those of ``time``, or replacements for tests.
    """

    def __init__(
        self,
        *,
        attempts: int = MAX_ATTEMPTS,
        in_flight: int = MAX_IN_FLIGHT,
        timeout: tuple[float, float] = TIMEOUT,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        for name, number in {"attempts": attempts, "in_flight": in_flight}.items():
            if not isinstance(number, int) or number < 1:
                msg = f"{name} is {number!r}; give an integer of at least 1"
                raise RequestError(msg)
        self._attempts = attempts
        self.in_flight = in_flight
        self._timeout = checked_timeout(timeout)
        self._clock = clock
        self._sleep = sleep
        self._state: list[_State] = []
        _ = self._own

    @property
    def _own(self) -> _State:
        """The connections and the rate limiter of this process; a fork gets new ones.

        The inherited ones are kept but not touched: they are the connections of another
        process, and closing them takes locks that one of its threads may have held.
        """
        if not self._state or self._state[-1].process != os.getpid():
            session = BoundedSession(self.in_flight)
            session.headers.update({"Accept": "application/json", "Accept-Encoding": "gzip"})
            self._state.append(_State(os.getpid(), session, RateLimiter(self._clock)))
        return self._state[-1]

    @property
    def quota(self) -> RateLimiter:
        """The rate limit, as last reported to this process."""
        return self._own.quota

    def now(self) -> datetime:
        """Return the current time, aware UTC."""
        return datetime.fromtimestamp(self._clock(), UTC)

    def close(self) -> None:
        """Close the connections."""
        self._own.session.close()

    def scheduler(self, tasks: int, report: Callable[[str], None]) -> Scheduler:
        """Return a scheduler for that many tasks, within the rate limit.

        ``report`` is called as in :class:`Scheduler`; an exception from it ends the run.
        """
        most = min(self.in_flight, tasks)
        return Scheduler(self.quota, self._clock, self._executor(most), most, report)

    def _executor(self, most: int) -> ThreadExecutor:
        return ThreadExecutor(self._sleep) if most > 1 else InlineExecutor(self._sleep)

    def call(
        self,
        message: Message,
        on_response: Callable[[Answer], T | Failure],
        attempts: int | None = None,
    ) -> MessageCall[T]:
        """Return the call that sends a message until it has an answer, for the scheduler.

        ``on_response`` is called with the answer when it arrives, possibly in another thread,
        and even if the caller no longer waits for it. It returns a Failure if the answer does
        not fit the request. ``attempts`` is their maximum, if lower than the client's.
        """
        most = min(self._attempts, attempts or self._attempts)
        return MessageCall(self, message, on_response, most)

    def send(
        self, message: Message, on_response: Callable[[Answer], T | Failure], permit: Permit
    ) -> T | Failure:
        """Send a message once, and return the result of ``on_response``."""
        try:
            answer = self._attempt(message, permit)
        finally:
            self.quota.release(permit)  # no effect if its headers were already used
        outcome = answer if isinstance(answer, Failure) else on_response(answer)
        if isinstance(outcome, Failure):
            log.warning("%s: %s", message.url, outcome.why)
        return outcome

    def _attempt(self, message: Message, permit: Permit) -> Answer | Failure:
        answer = exchange(partial(self._post, message), message.redact)
        if isinstance(answer, Failure):
            return answer
        self.quota.update_from_headers(answer.headers, permit)
        if answer.status not in RETRY_STATUSES | REDIRECTS and not _cut_off(answer):
            log.debug("HTTP %s from %s, %d bytes", answer.status, message.url, len(answer.content))
            return answer
        if answer.status in RETRY_STATUSES:
            detail = "; ".join(error_messages(answer.content))
        elif answer.status in REDIRECTS:
            detail = f"redirects are not followed, and this is one to {_redirect_target(answer)}"
        else:
            detail = "the body is truncated, or not JSON"
        why = message.redact(f"HTTP {answer.status}: {detail}")
        return Failure(why, answer.status, retryable=answer.status not in REDIRECTS)

    def _post(self, message: Message) -> Answer:
        with self._own.session.post_once(
            message.url,
            message.content,
            {"Content-Type": message.content_type},
            message.signer(),
            self._timeout,
        ) as reply:
            content, gzipped = read_body(reply, self._clock, MAX_BODY_BYTES, DEADLINE)
            return Answer(reply.status_code, reply.headers, content, self.now(), gzipped)


def _cut_off(answer: Answer) -> bool:
    """Return whether a relevant body cannot be parsed; a page of HTML counts as a refusal."""
    if answer.status not in STATUSES_WITH_JSON:
        return False
    if answer.status != HTTPStatus.OK and "json" not in answer.headers.get("content-type", "json"):
        return False
    try:
        if answer.status == HTTPStatus.OK:
            decode_top_level(answer.content)
        else:  # a refusal may be any JSON value
            msgspec.json.decode(answer.content, type=msgspec.Raw)
    except DECODE_ERRORS:
        return True
    except ResponseShapeError as error:
        return isinstance(error.__cause__, DECODE_ERRORS)
    return False


def _redirect_target(answer: Answer) -> str:
    """Return the redirect target, without parts that may be secret."""
    try:
        parts = urlsplit(answer.headers.get("location", "nowhere"))
        return ascii(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:_SNIPPET])
    except ValueError:
        return "no URL"
