"""One POST, from a signature to an answer: paced, signed anew and sent again.

Retrying happens here, above the signature: urllib3 would send the same OAuth nonce again.
No exception of ``requests`` gets past this module.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec
import requests
import tenacity
from urllib3.exceptions import HTTPError, ProtocolError

from engagement_pandas.addresses import is_here
from engagement_pandas.envelope import UNREADABLE, shallow
from engagement_pandas.errors import QuotaExceeded, RequestError, ResponseShapeError, TransportError
from engagement_pandas.quota import Place, Quota
from engagement_pandas.wire.flight import Air, Flight, Here, Rest, Sending, Threads
from engagement_pandas.wire.message import Answer, Failure, Message
from engagement_pandas.wire.reply import BoundedSession, checked_timeout, read_body

ATTEMPTS: Final = 8
"""How often a request is sent before :class:`TransportError`; some 90 s of waiting in all."""

TIMEOUT: Final = (10.0, 120.0)
"""Seconds to connect, and between two bytes of the answer."""

BACKOFF: Final = tenacity.wait_random_exponential(multiplier=2, max=60)
"""Seconds between attempts: at random up to 2, 4, 8, … 60."""

IN_FLIGHT: Final = 48
"""Requests on their way at once: at 2 s an answer, 20 a second, and some to spare."""

RETRIED: Final = frozenset({429, 500, 502, 503, 504})
"""Statuses after which the same request is sent again."""

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
"""Statuses that point elsewhere; signed requests and tokens go nowhere but where they are sent."""

PASSING: Final = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
"""Failures of the connection after which the same request is sent again."""

READABLE: Final = frozenset({200, 400, 403})
"""Statuses whose body decides what happens next: one that is cut off is asked for again."""

_DIRECT: Final[Any] = {"http": None, "https": None, "all": None}  # past any proxy
_SNIPPET: Final = 300
_LONGEST: Final = 2**18  # bytes of a body of errors that are looked at; unpacked they take more

_PLAIN: Final = re.compile(
    r"[A-Za-z]+://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?"
)

T = TypeVar("T")

log = logging.getLogger("engagement_pandas")


class Transport:
    """Sends messages, one after another or side by side, over one session.

    Parameters
    ----------
    attempts : int
        How often a message is sent, the first time included.
    in_flight : int
        Messages on their way at once.
    timeout : tuple of float
        Seconds to connect, and between two bytes of the answer.
    clock, sleep : callable
        ``time.time`` and ``time.sleep``, or a test's own.
    """

    def __init__(
        self,
        *,
        attempts: int = ATTEMPTS,
        in_flight: int = IN_FLIGHT,
        timeout: tuple[float, float] = TIMEOUT,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        for name, number in {"attempts": attempts, "in_flight": in_flight}.items():
            if not isinstance(number, int) or number < 1:
                msg = f"{name} is {number!r}; give a whole number, at least one"
                raise RequestError(msg)
        self._attempts = attempts
        self.in_flight = in_flight
        self._timeout = checked_timeout(timeout)
        self._clock = clock
        self._sleep = sleep
        self._session = BoundedSession(clock, in_flight)
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

    def flight(self, errands: int, say: Callable[[str], None]) -> Flight:
        """Return a flight for so many errands, no faster than the quota allows.

        Parameters
        ----------
        errands : int
        say : callable
            Told ``""`` before each attempt, and each second of a wait why and how long yet.
            What it raises comes out of the flight at once, and nothing more is sent.
        """
        most = min(self.in_flight, errands)
        return Flight(self.quota, self._clock, self._air(most), most, say)

    def _air(self, most: int) -> Air:
        return Threads(self._sleep) if most > 1 else Here(self._sleep)

    async def ask(
        self, message: Message, arrived: Callable[[Answer], T | Failure], most: int | None = None
    ) -> T:
        """Send until there is an answer worth reading, and return what ``arrived`` makes of it.

        Parameters
        ----------
        message : Message
        arrived : callable
            Called with the answer where it arrives, which may be a thread of its own: also
            when nobody waits for it any more. Where that is no answer to the question, it
            returns a Failure.
        most : int, optional
            Attempts, where that is less than the client's own.

        Raises
        ------
        TransportError
            Where no attempt found an answer; ``QuotaExceeded`` where the last met a 429.
        """

        async def attempt() -> T | Failure:
            outcome: T | Failure = await Sending(partial(self._send, message, arrived))
            return outcome

        async def rest(seconds: float) -> None:
            await Rest(seconds)

        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(min(self._attempts, most or self._attempts)),
            wait=BACKOFF,
            sleep=rest,
            retry=tenacity.retry_if_result(lambda it: isinstance(it, Failure) and it.passing),
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )
        outcome: T | Failure = await retrying(attempt)
        if not isinstance(outcome, Failure):
            return outcome
        made = retrying.statistics["attempt_number"]
        kind = QuotaExceeded if outcome.status == HTTPStatus.TOO_MANY_REQUESTS else TransportError
        msg = f"no answer from {message.url} in {made} attempts; at last: {outcome.why}"
        raise kind(msg, outcome.status, made) from outcome.cause

    def _send(
        self, message: Message, arrived: Callable[[Answer], T | Failure], place: Place
    ) -> T | Failure:
        try:
            answer = self._attempt(message, place)
        finally:
            self.quota.lose(place)  # unless its answer was learnt from
        outcome = answer if isinstance(answer, Failure) else arrived(answer)
        if isinstance(outcome, Failure):
            log.warning("%s: %s", message.url, outcome.why)
        return outcome

    def _attempt(self, message: Message, place: Place) -> Answer | Failure:
        signer = message.signer()
        try:
            with self._session.post(
                message.url,
                data=message.content,
                headers={"Content-Type": message.content_type},
                auth=signer,
                timeout=self._timeout,
                allow_redirects=False,
                proxies=_DIRECT if is_here(message.url) else None,
                stream=True,
                verify=True,  # or with a bundle that the environment names; never not
            ) as reply:
                content = read_body(reply)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            # A copy: the original holds the signed request, and its traceback the headers.
            kind = next((k for k in PASSING if isinstance(error, k)), requests.RequestException)
            cause = kind(message.redact(str(error)))
            failure = Failure(f"{type(error).__name__}: {cause}", None, cause, _passing(error))
        else:
            self.quota.learn(reply.headers, place)
            answer = Answer(reply.status_code, reply.headers, content, self.now())
            if answer.status not in RETRIED | REDIRECTS and not _cut_off(answer):
                log.debug(
                    "HTTP %s from %s, %d bytes", answer.status, message.url, len(answer.content)
                )
                return answer
            if answer.status in RETRIED:
                words = "; ".join(texts(answer.content))
            elif answer.status in REDIRECTS:
                words = f"redirects are not followed, and this is one to {_goal(answer)}"
            else:
                words = "a body that is cut off or no JSON"
            why = message.redact(f"HTTP {answer.status}: {words}")
            failure = Failure(why, answer.status, passing=answer.status not in REDIRECTS)
        return failure


class _Errors(msgspec.Struct):
    errors: list[str | dict[str, object]]


def texts(content: bytes) -> tuple[str, ...]:
    """Return the words of an error body: a list of texts, or of objects with a ``message``.

    In full where the body has at most 256 kB; one that names each post of a request has some
    5. Of a longer body, and of a page, the first 300 characters. ``/oauth2/token`` answers
    with objects.

    Examples
    --------
    >>> texts(b'{"errors": ["internal server error"]}')
    ('internal server error',)
    >>> texts(b"<html><body><h1>502 Bad Gateway</h1></body></html>")
    ('502 Bad Gateway',)
    """
    try:
        errors = msgspec.json.decode(content[:_LONGEST], type=_Errors).errors
    except UNREADABLE:
        text = re.sub(r"<[^<>]*>", " ", content[:_LONGEST].decode("utf-8", "replace"))
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
        # What urllib3 would read otherwise, and where a password may stand, is not looked into.
        plain = _PLAIN.fullmatch(url) is not None and parts.port != 0
        allowed = plain and bool(parts.hostname) and (parts.scheme == "https" or is_here(url))
    except (ValueError, AttributeError, TypeError):
        allowed = False
    if not allowed:
        told = (
            re.sub(r"(?s)//.*@", "//…@", re.split("[?#]", url)[0]) if isinstance(url, str) else url
        )
        msg = (
            f"{told!r} is not an https URL; plain http is for this machine only, "
            "and no user, query or blank stands in it"
        )
        raise RequestError(msg)
    return url.rstrip("/")


def _passing(error: Exception) -> bool:
    """Tell whether another attempt may do better; a wrong certificate stays wrong."""
    return isinstance(error, (*PASSING, ProtocolError)) and "CERTIFICATE_VERIFY_FAILED" not in str(
        error
    )


def _cut_off(answer: Answer) -> bool:
    """Tell whether a body that matters cannot be read; a page of HTML is a refusal."""
    if answer.status not in READABLE:
        return False
    if answer.status != HTTPStatus.OK and "json" not in answer.headers.get("content-type", "json"):
        return False
    try:
        shallow(answer.content)
    except ResponseShapeError as error:
        return isinstance(error.__cause__, UNREADABLE)
    return False


def _goal(answer: Answer) -> str:
    """Return where an answer points, without what may be secret in it."""
    try:
        parts = urlsplit(answer.headers.get("location", "nowhere"))
        return ascii(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:_SNIPPET])
    except ValueError:
        return "no URL"
