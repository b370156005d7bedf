"""One step of a login: a signed POST without a body, answered by a form.

It is sent once. A request token and a PIN are valid for one exchange; if no answer comes, only
the owner's next attempt shows whether it took place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from textwrap import shorten
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from requests.auth import AuthBase
from requests_oauthlib import OAuth1

from engagement_pandas import __version__
from engagement_pandas.auth.credentials import Credentials, silence_oauth_logs
from engagement_pandas.errors import (
    EngagementError,
    LoginRefused,
    QuotaExceeded,
    RefusedError,
    TransportError,
    Unauthorized,
)
from engagement_pandas.transport.bounded_session import BoundedSession, checked_timeout
from engagement_pandas.transport.exchange import exchange
from engagement_pandas.transport.message import Failure, Message
from engagement_pandas.transport.transport import error_messages

TIMEOUT: Final = (10.0, 30.0)
"""Seconds to connect, and between two bytes of the answer."""

DEADLINE: Final = 60.0
"""Seconds from the last byte of a request to the last of its answer."""

_LARGEST: Final = 65_536  # bytes; an answer has about 200
_WORDS: Final = 300
_CALLBACK: Final = re.compile(r"callback|oob", re.IGNORECASE)
_REFUSALS: Final = frozenset({400, 401, 403})

_NO_PINS: Final = (
    "the app may not log owners in by PIN: switch OAuth 1.0a on for it in X's developer portal, "
    "and save a callback URL there, whichever"
)
_NO_APP: Final = (
    "the app's key and secret were not accepted: check X_CONSUMER_KEY and X_CONSUMER_SECRET, "
    "and whether this machine's clock is right"
)
_NO_GRANT: Final = (
    "the PIN was not accepted: it is mistyped, was used before or is some minutes old, or the "
    "owner denied access; log in again for a new one"
)


@dataclass(frozen=True, slots=True, repr=False)
class OAuthStep(Credentials):
    """The keys that sign a step: the app, then also the request token, then also the PIN."""

    consumer_key: str
    consumer_secret: str
    request_token: str | None = None
    request_token_secret: str | None = None
    pin: str | None = None

    def signer(self, at: float) -> AuthBase:
        """Return a signer with its own nonce, for a time in seconds since 1970."""
        silence_oauth_logs()
        signer: AuthBase = OAuth1(
            self.consumer_key,
            client_secret=self.consumer_secret,
            resource_owner_key=self.request_token,
            resource_owner_secret=self.request_token_secret,
            callback_uri=None if self.request_token else "oob",
            verifier=self.pin,
            timestamp=str(int(at)),
        )
        return signer

    def __repr__(self) -> str:
        return "OAuthStep(hidden)"


def post_step(url: str, keys: OAuthStep, at: float, timeout: tuple[float, float]) -> bytes:
    """Return the body of a successful answer; there are no retries or redirects.

    ``at`` is the time of signing, in seconds since 1970. The timeouts are the seconds to connect,
    and between two bytes of the answer.
    """
    timeout = checked_timeout(timeout)
    message = Message(url, b"", "", lambda: keys.signer(at), keys.redact)
    with BoundedSession(monotonic, deadline=DEADLINE) as session:
        # Bypass any proxy to this machine, the only one that plain http is allowed for.
        session.trust_env = urlsplit(url).scheme == "https"
        reply = exchange(
            session,
            message,
            lambda reply: reply.raw.read(_LARGEST + 1, decode_content=True),
            headers={
                "Accept-Encoding": "identity",
                "User-Agent": f"engagement_pandas/{__version__}",
            },
            timeout=timeout,
        )
    if isinstance(reply, Failure):
        msg = f"no answer from {url}: {reply.why}; try again"
        raise TransportError(msg, None, 1)
    if reply.status == HTTPStatus.OK and len(reply.content) <= _LARGEST:
        return reply.content
    words = () if reply.status == HTTPStatus.OK else map(keys.redact, error_messages(reply.content))
    raise _refusal(url, reply.status, tuple(words))


def _refusal(url: str, status: int, messages: Sequence[str]) -> EngagementError:
    path = urlsplit(url).path
    words = shorten("; ".join(messages), _WORDS)
    said = f"{path} (HTTP {status})" + (f": {words}" if words else "")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return QuotaExceeded(f"{said}; wait a quarter of an hour", status, 1)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransportError(f"{said}; try again", status, 1)
    if status not in _REFUSALS:
        return RefusedError(f"{said}; check login_url", status, messages)
    if path.endswith("/access_token"):
        return LoginRefused(f"{said}; {_NO_GRANT}", status, messages)
    if _CALLBACK.search(words):
        return LoginRefused(f"{said}; {_NO_PINS}", status, messages)
    return Unauthorized(f"{said}; {_NO_APP}", status, messages)
