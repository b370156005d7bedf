"""One step of a login: a signed POST without a body, answered by a form.

It is sent once. A request token and a PIN are valid for one exchange; if no answer comes, only
the owner's next attempt shows whether it took place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from io import BytesIO
from textwrap import shorten
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

import requests
from requests_oauthlib import OAuth1Session

from engagement_pandas.auth.credentials import Credentials, silence_oauth_logs
from engagement_pandas.errors import (
    EngagementError,
    LoginRefused,
    QuotaExceeded,
    RefusedError,
    TransportError,
    Unauthorized,
)
from engagement_pandas.transport.bounded_session import USER_AGENT, BodyTooLarge, read_body
from engagement_pandas.transport.error_bodies import error_messages
from engagement_pandas.transport.exchange import exchange
from engagement_pandas.transport.message import Failure
from engagement_pandas.transport.timeouts import checked_timeout

TIMEOUT: Final[tuple[float, float]] = (10.0, 30.0)
"""Seconds to connect, and between two bytes of the answer."""

DEADLINE: Final = 60.0
"""Seconds for the body of an answer."""

_LARGEST: Final = 65_536  # bytes; an answer has about 200
_WORDS: Final = 300
_CALLBACK: Final = re.compile(r"callback|oob", re.IGNORECASE)
_REFUSALS: Final = frozenset({400, 401, 403})

_NO_PINS: Final = (
    "the app is not allowed to log in owners by PIN: enable OAuth 1.0a for it in X's developer "
    "portal, and save any callback URL there"
)
_NO_APP: Final = (
    "the app's key and secret were not accepted: check X_CONSUMER_KEY and X_CONSUMER_SECRET, "
    "and whether this machine's clock is right"
)
_NO_GRANT: Final = (
    "the PIN was not accepted: it was mistyped or used before, it is some minutes old, or the "
    "owner denied access; log in again for a new PIN"
)


@dataclass(frozen=True, slots=True, repr=False)
class OAuthStep(Credentials):
    """The keys that sign a step: the app, then also the request token, then also the PIN."""

    consumer_key: str
    consumer_secret: str
    request_token: str | None = None
    request_token_secret: str | None = None
    pin: str | None = None

    def session(self, url: str, at: float) -> OAuth1Session:
        """Return a session that signs for a time in seconds since 1970."""
        silence_oauth_logs()
        session = OAuth1Session(
            self.consumer_key,
            client_secret=self.consumer_secret,
            resource_owner_key=self.request_token,
            resource_owner_secret=self.request_token_secret,
            callback_uri=None if self.request_token else "oob",
            verifier=self.pin,
            timestamp=str(int(at)),
        )
        session.headers["User-Agent"] = USER_AGENT
        # Bypass any proxy to this machine, the only one that plain http is allowed for.
        session.trust_env = urlsplit(url).scheme == "https"
        return session

    def __repr__(self) -> str:
        return "OAuthStep(hidden)"


def post_step(url: str, keys: OAuthStep, at: float, timeout: tuple[float, float]) -> dict[str, str]:
    """Send one step of a login, signed with ``keys``, and return the form in its answer.

    It is sent once, and redirects are not followed. ``at`` is the time of signing, in seconds since
    1970. The timeouts are the seconds to connect, and between two bytes of the answer. A refusal
    raises LoginRefused or another RefusedError; without an answer, TransportError is raised.
    """
    timeout = checked_timeout(timeout)
    form = exchange(lambda: _post(url, keys, at, timeout), keys.redact)
    if isinstance(form, Failure):
        msg = f"no answer from {url}: {form.why}; try again"
        raise TransportError(msg, None, 1)
    return form


def _post(url: str, keys: OAuthStep, at: float, timeout: tuple[float, float]) -> dict[str, str]:
    with keys.session(url, at) as session:
        fetch = session.fetch_access_token if keys.pin else session.fetch_request_token
        try:
            form: dict[str, str] = fetch(
                url,
                timeout=timeout,
                headers={"Accept-Encoding": "identity"},
                allow_redirects=False,
                stream=True,
                hooks={"response": partial(_bound, keys)},
            )
        except requests.RequestException:
            raise
        except ValueError:  # not a form, or without a token
            return {}
        return form


def _bound(keys: OAuthStep, reply: requests.Response, **_: object) -> None:
    """Read the body with limits, before requests_oauthlib does; raise an error on a refusal."""
    try:
        with closing(reply.raw):
            content = read_body(reply, monotonic, _LARGEST, DEADLINE)[0]
    except BodyTooLarge:
        raise _refusal(reply.url, reply.status_code, ()) from None
    if reply.status_code != HTTPStatus.OK:
        messages = map(keys.redact, error_messages(content))
        raise _refusal(reply.url, reply.status_code, tuple(messages))
    reply.raw = BytesIO(content)


def _refusal(url: str, status: int, messages: Sequence[str]) -> EngagementError:
    path = urlsplit(url).path
    detail = shorten("; ".join(messages), _WORDS)
    refused = f"{path} (HTTP {status})" + (f": {detail}" if detail else "")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return QuotaExceeded(f"{refused}; wait a quarter of an hour", status, 1)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransportError(f"{refused}; try again", status, 1)
    if status not in _REFUSALS:
        return RefusedError(f"{refused}; check login_url", status, messages)
    if path.endswith("/access_token"):
        return LoginRefused(f"{refused}; {_NO_GRANT}", status, messages)
    if _CALLBACK.search(detail):
        return LoginRefused(f"{refused}; {_NO_PINS}", status, messages)
    return Unauthorized(f"{refused}; {_NO_APP}", status, messages)
