"""Signing of messages in the name of one account."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from requests.auth import AuthBase, HTTPBasicAuth

from engagement_pandas.auth.bearer_token import read_token
from engagement_pandas.auth.credentials import AppOnly, Bearer, UserContext
from engagement_pandas.response.refusal import refused
from engagement_pandas.transport.message import Answer, Message
from engagement_pandas.transport.scheduler import Lock
from engagement_pandas.transport.transport import Transport, error_messages

BILLED: Final = frozenset({200, 400, 403})
"""Statuses of an answer that looked into posts, even to refuse some. Not among them: requests
not authenticated (401), to a wrong path (404), or above the rate limit (429)."""


class Signer:
    """Signs for an account, or for the app.

    The app gets its bearer token from ``token_url``, once for all tasks of a scheduler run.
    ``allow`` is called before each request, which it may refuse, and ``note`` after each billed
    answer.

    >>> Signer(AppOnly("a-bearer-token"), "https://example.org", Transport())
    Signer(AppOnly(bearer token, hidden))
    """

    def __init__(
        self,
        credentials: UserContext | AppOnly,
        token_url: str,
        transport: Transport,
        allow: Callable[[], object] | None = None,
        note: Callable[[], object] | None = None,
    ) -> None:
        self.credentials = credentials
        self._token_url = token_url
        self._transport = transport
        self._allow = allow
        self._note = note
        self._token: str | None = None

    async def signer(self) -> Callable[[], AuthBase]:
        """Return a factory of signers, one per attempt; for the app, fetch its token first."""
        if self._allow is not None:
            self._allow()
        credentials, now = self.credentials, self._transport.now
        if isinstance(credentials, UserContext):
            return lambda: credentials.signer(now().timestamp())
        # Neither a local name nor a partial holds the token: a traceback would show it.
        self._token = self._token or credentials.bearer_token or await self._turn(credentials)
        return lambda: Bearer(self._token or "")

    def answered(self, status: int) -> None:
        """Record in the ledger that the API answered a request with this status."""
        if self._note is not None and status in BILLED:
            self._note()

    async def _turn(self, credentials: AppOnly) -> str:
        """Return the token that another task has fetched in the meantime, or fetch it."""
        over = await Lock(self)
        try:
            return self._token or await self._fetch(credentials)
        finally:
            over()

    async def _fetch(self, credentials: AppOnly) -> str:
        basic = HTTPBasicAuth(credentials.consumer_key or "", credentials.consumer_secret or "")
        message = Message(
            self._token_url,
            b"grant_type=client_credentials",
            "application/x-www-form-urlencoded;charset=UTF-8",
            lambda: basic,
            self.redact,
        )
        answer: Answer = await self._transport.ask(message, lambda it: it)
        if answer.status != HTTPStatus.OK:
            words = tuple(map(self.redact, error_messages(answer.content)))
            raise refused(urlsplit(self._token_url).path, answer.status, words)
        return read_token(answer.content, self._token_url)

    def redact(self, text: str) -> str:
        """Return a text without the secrets in it."""
        redacted = self.credentials.redact(text)
        return redacted.replace(self._token, "<bearer_token>") if self._token else redacted

    def __repr__(self) -> str:
        return f"Signer({self.credentials!r})"
