"""Who speaks to the API, and how its messages are signed."""

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
"""Statuses of an answer that looked into posts, be it to refuse some; not those to a request
that was not let in (401), led nowhere (404), or came too soon (429)."""


class Signer:
    """Signs in the name of an account, or of the app.

    Parameters
    ----------
    credentials : UserContext or AppOnly
    token_url : str
        Where the app gets its bearer token, once for all the errands of a flight.
    transport : Transport
    allow, note : callable, optional
        Called before each request, which the first may refuse, and after each answer that
        is billed.

    Examples
    --------
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
        """Return what signs an attempt, each anew; for the app, fetch its token first."""
        if self._allow is not None:
            self._allow()
        credentials, now = self.credentials, self._transport.now
        if isinstance(credentials, UserContext):
            return lambda: credentials.signer(now().timestamp())
        # No local name holds the token, and no partial: a traceback would show it.
        self._token = self._token or credentials.bearer_token or await self._turn(credentials)
        return lambda: Bearer(self._token or "")

    def answered(self, status: int) -> None:
        """Note, in the ledger, that the API has answered a request with this status."""
        if self._note is not None and status in BILLED:
            self._note()

    async def _turn(self, credentials: AppOnly) -> str:
        """Return the token that another errand has fetched meanwhile; fetch it, if none has."""
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
        """Return a text without the secrets that it echoes."""
        told = self.credentials.redact(text)
        return told.replace(self._token, "<bearer_token>") if self._token else told

    def __repr__(self) -> str:
        return f"Signer({self.credentials!r})"
