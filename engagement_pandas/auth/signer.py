"""Signing of messages in the name of one account."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from requests.auth import AuthBase, HTTPBasicAuth
from requests_oauthlib import OAuth1

from engagement_pandas.auth.bearer_token_answer import read_token
from engagement_pandas.auth.credentials import AppOnly, Bearer, UserContext, silence_oauth_logs
from engagement_pandas.auth.ledger import Ledger
from engagement_pandas.response.refused_error import refused
from engagement_pandas.transport.error_bodies import error_messages
from engagement_pandas.transport.message import Answer, Message
from engagement_pandas.transport.retries import MessageCall
from engagement_pandas.transport.transport import Transport

BILLED: Final = frozenset({200, 400, 403})
"""Statuses of an answer that looked into posts, even to refuse some. Not among them: requests
not authenticated (401), to a wrong path (404), or above the rate limit (429)."""


class Signer:
    """Signs for an account, or for the app.

    The ledger is checked before each request in the name of an owner, which it may refuse, and
    records each billed answer. The app has to fetch its bearer token from ``token_url`` before
    it signs.

    >>> Signer(AppOnly("a-bearer-token"), "https://example.org", Transport())
    Signer(AppOnly(bearer token, hidden))
    """

    def __init__(
        self,
        credentials: UserContext | AppOnly,
        token_url: str,
        transport: Transport,
        ledger: Ledger | None = None,
    ) -> None:
        self.credentials = credentials
        self._token_url = token_url
        self._transport = transport
        self._ledger = None if isinstance(credentials, AppOnly) else ledger
        # Neither a local name nor a partial holds the token: a traceback would show it.
        self._token = credentials.bearer_token if isinstance(credentials, AppOnly) else None

    @property
    def billed_name(self) -> str:
        """The owner's handle, or a substitute such as "user_9"; "" for the app."""
        if isinstance(self.credentials, AppOnly):
            return ""
        return self.credentials.handle or number_name(self.credentials)

    @property
    def needs_token(self) -> bool:
        """Whether the app has to fetch its bearer token first."""
        return isinstance(self.credentials, AppOnly) and self._token is None

    def allow(self) -> None:
        """Raise an error if the ledger allows no request of this account."""
        if self._ledger is not None:
            self._ledger.allow(self.billed_name)

    def record(self, status: int) -> None:
        """Record in the ledger that the API answered a request with this status."""
        if self._ledger is not None and status in BILLED:
            self._ledger.record(self.billed_name)

    def auth(self) -> AuthBase:
        """Return the signature of one attempt."""
        if isinstance(self.credentials, UserContext):
            return oauth1_signature(self.credentials, self._transport.now().timestamp())
        return Bearer(self._token or "")

    def token_call(self) -> MessageCall[Answer]:
        """Return the call that fetches the bearer token."""
        app = self.credentials
        basic = HTTPBasicAuth(app.consumer_key or "", app.consumer_secret or "")
        message = Message(
            self._token_url,
            b"grant_type=client_credentials",
            "application/x-www-form-urlencoded;charset=UTF-8",
            lambda: basic,
            self.redact,
        )
        return self._transport.call(message, lambda answer: answer)

    def keep_token(self, answer: Answer) -> None:
        """Keep the token in an answer; raise an error if the answer is a refusal."""
        if answer.status != HTTPStatus.OK:
            messages = tuple(map(self.redact, error_messages(answer.content)))
            raise refused(urlsplit(self._token_url).path, answer.status, messages)
        self._token = read_token(answer.content, self._token_url)

    def redact(self, text: str) -> str:
        """Return a text without the secrets in it."""
        redacted = self.credentials.redact(text)
        return redacted.replace(self._token, "<bearer_token>") if self._token else redacted

    def __repr__(self) -> str:
        return f"Signer({self.credentials!r})"


def oauth1_signature(owner: UserContext, at: float) -> AuthBase:
    """Return the signature of one attempt, at a time in seconds since 1970, with its own nonce."""
    silence_oauth_logs()
    signature: AuthBase = OAuth1(
        owner.consumer_key,
        client_secret=owner.consumer_secret,
        resource_owner_key=owner.access_token,
        resource_owner_secret=owner.access_token_secret,
        timestamp=str(int(at)),
    )
    return signature


def number_name(owner: UserContext) -> str:
    """Return the ledger's name of an owner without a handle, such as "user_9"."""
    return owner.account.replace(" ", "_")
