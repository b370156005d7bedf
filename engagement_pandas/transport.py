"""One POST, from a signature to an answer: paced, signed anew and sent again.

Retrying happens here, above the signature: urllib3 would send the same OAuth nonce again.
No exception of ``requests`` gets past this module.
"""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import requests
import tenacity
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, ProtocolError

from engagement_pandas.errors import QuotaExceeded, RequestError, TransportError
from engagement_pandas.quota import Quota
from engagement_pandas.response import UNREADABLE

ATTEMPTS: Final = 8
"""How often a request is sent before :class:`TransportError`; some 90 s of waiting in all."""

TIMEOUT: Final = (10.0, 120.0)
"""Seconds to connect, and between two bytes of the answer."""

BACKOFF: Final = tenacity.wait_random_exponential(multiplier=2, max=60)
"""Seconds between attempts: at random up to 2, 4, 8, … 60."""

TICK: Final = 1.0
"""Seconds between two words about a wait; no later than that it can be called off."""

RETRIED: Final = frozenset({429, 500, 502, 503, 504})
"""Statuses after which the same request is sent again."""

PASSING: Final = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
"""Failures of the connection after which the same request is sent again."""

READABLE: Final = frozenset({200, 400, 403})
"""Statuses whose body decides what happens next: one that is cut off is asked for again."""

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_DIRECT: Final[Any] = {"http": None, "https": None, "all": None}  # past any proxy
_SNIPPET: Final = 300

log = logging.getLogger("engagement_pandas")


@dataclass(frozen=True, slots=True)
class Message:
    """What to send, and how to sign it.

    Attributes
    ----------
    url : str
    content : bytes
    content_type : str
    signer : callable
        Called at each attempt, so that each has a signature of its own.
    redact : callable
        Takes secrets out of a text that may echo them.
    """

    url: str
    content: bytes
    content_type: str
    signer: Callable[[], AuthBase]
    redact: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What arrived: a status that is not worth another attempt, and its body.

    Attributes
    ----------
    status : int
    headers : mapping of str to str
    content : bytes
        Decompressed.
    at : datetime
        When, aware UTC.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)  # a server may echo what it was sent
    at: datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt without an answer; ``passing`` where another may have one."""

    why: str
    status: int | None = None
    cause: requests.RequestException | None = None
    passing: bool = True


class Transport:
    """Sends messages, one after another, over one session.

    Parameters
    ----------
    attempts : int
        How often a message is sent, the first time included.
    timeout : tuple of float
        Seconds to connect, and between two bytes of the answer.
    clock, sleep : callable
        ``time.time`` and ``time.sleep``, or a test's own.
    """

    def __init__(
        self,
        *,
        attempts: int = ATTEMPTS,
        timeout: tuple[float, float] = TIMEOUT,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not isinstance(attempts, int) or attempts < 1:
            msg = f"attempts is {attempts!r}; give a whole number, at least one"
            raise RequestError(msg)
        if not all(isinstance(seconds, int | float) and seconds > 0 for seconds in timeout):
            msg = f"timeout is {timeout!r}; give two numbers of seconds above 0"
            raise RequestError(msg)
        self._attempts = attempts
        self._timeout = timeout
        self._clock = clock
        self._sleep = sleep
        self._session = requests.Session()
        self._session.headers.update(
            {
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                "User-Agent": f"engagement_pandas/{version('engagement_pandas')}",
            }
        )
        self.quota = Quota(clock)

    def now(self) -> datetime:
        """Return the time of the clock, aware UTC."""
        return datetime.fromtimestamp(self._clock(), UTC)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def post(self, message: Message, say: Callable[[str], None]) -> Answer:
        """Send until there is an answer worth reading, no faster than the quota allows.

        Parameters
        ----------
        message : Message
        say : callable
            Told ``""`` before each attempt, and each second of a wait why and how long yet.
            What it raises comes out of here at once, and nothing more is sent.

        Raises
        ------
        TransportError
            Where no attempt found an answer; ``QuotaExceeded`` where the last met a 429.
        """

        def attempt() -> Answer | Failure:
            self._wait(self.quota.pause(), "for the quota", say)
            say("")
            return self._attempt(message)

        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._attempts),
            wait=BACKOFF,
            sleep=lambda seconds: self._wait(seconds, "to try again", say),
            retry=tenacity.retry_if_result(lambda it: isinstance(it, Failure) and it.passing),
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )
        outcome: Answer | Failure = retrying(attempt)
        if isinstance(outcome, Answer):
            return outcome
        made = retrying.statistics["attempt_number"]
        kind = QuotaExceeded if outcome.status == HTTPStatus.TOO_MANY_REQUESTS else TransportError
        msg = f"no answer from {message.url} in {made} attempts; at last: {outcome.why}"
        raise kind(msg, outcome.status, made) from outcome.cause

    def _attempt(self, message: Message) -> Answer | Failure:
        signer = message.signer()
        try:
            reply = self._session.post(
                message.url,
                data=message.content,
                headers={"Content-Type": message.content_type},
                auth=signer,
                timeout=self._timeout,
                allow_redirects=False,
                proxies=_DIRECT if _is_here(message.url) else None,
            )
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            # A copy: the original holds the signed request, and its traceback the headers.
            kind = next((k for k in PASSING if isinstance(error, k)), requests.RequestException)
            cause = kind(message.redact(str(error)))
            failure = Failure(f"{type(error).__name__}: {cause}", None, cause, _passing(error))
        else:
            self.quota.learn(reply.headers)
            answer = Answer(reply.status_code, reply.headers, reply.content, self.now())
            if answer.status not in RETRIED and not _cut_off(answer):
                log.debug(
                    "HTTP %s from %s, %d bytes", answer.status, message.url, len(answer.content)
                )
                return answer
            words = (
                "; ".join(texts(answer.content))
                if answer.status in RETRIED
                else "a body that is cut off or no JSON"
            )
            failure = Failure(message.redact(f"HTTP {answer.status}: {words}"), answer.status)
        log.warning("%s: %s", message.url, failure.why)
        return failure

    def _wait(self, seconds: float, why: str, say: Callable[[str], None]) -> None:
        if seconds <= 0:
            return
        log.info("waiting %.1f s %s", seconds, why)
        end = self._clock() + seconds
        while seconds > 0:
            say(f"waiting {math.ceil(seconds)} s {why}")
            nap = min(seconds, TICK)
            self._sleep(nap)
            # By the clock, so that naps do not add up to more; but it may be set back.
            seconds = min(seconds - nap, end - self._clock())


class _Errors(msgspec.Struct):
    errors: list[str | dict[str, object]]


def texts(content: bytes) -> tuple[str, ...]:
    """Return the words of an error body, in full.

    A list of texts, a list of objects with a ``message`` (as ``/oauth2/token`` has it),
    or the first words of a page.

    Examples
    --------
    >>> texts(b'{"errors": ["internal server error"]}')
    ('internal server error',)
    >>> texts(b"<html><body><h1>502 Bad Gateway</h1></body></html>")
    ('502 Bad Gateway',)
    """
    try:
        errors = msgspec.json.decode(content, type=_Errors).errors
    except UNREADABLE:
        text = re.sub(r"<[^>]*>", " ", content.decode("utf-8", "replace"))
        text = " ".join(text.split())[:_SNIPPET]
        return (text,) if text else ()
    return tuple(e if isinstance(e, str) else str(e.get("message", e)) for e in errors)


def checked_url(url: str) -> str:
    """Return a URL that credentials may be sent to, without a slash at its end.

    Raises
    ------
    RequestError
        Where it is neither https nor on this machine.
    """
    try:
        parts = urlsplit(url)
        allowed = bool(parts.hostname) and (parts.scheme == "https" or _is_here(url))
    except (ValueError, AttributeError, TypeError):
        allowed = False
    if not allowed:
        msg = f"{url!r} is not an https URL; plain http is for this machine only"
        raise RequestError(msg)
    return url.rstrip("/")


def _is_here(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and parts.hostname in _LOOPBACK


def _passing(error: Exception) -> bool:
    """Tell whether another attempt may do better; a wrong certificate stays wrong.

    A plain ValueError is what ``http.client`` makes of a broken chunk.
    """
    passing = isinstance(error, (*PASSING, ProtocolError)) or type(error) is ValueError
    return passing and "CERTIFICATE_VERIFY_FAILED" not in str(error)


def _cut_off(answer: Answer) -> bool:
    """Tell whether a body that matters cannot be read; a page of HTML is a refusal."""
    if answer.status not in READABLE:
        return False
    if answer.status != HTTPStatus.OK and "json" not in answer.headers.get("content-type", "json"):
        return False
    try:
        msgspec.json.decode(answer.content, type=dict[str, msgspec.Raw])
    except UNREADABLE:
        return True
    return False
