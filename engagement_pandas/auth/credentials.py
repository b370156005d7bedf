"""Credentials: OAuth 1.0a for the owner of the posts, a bearer token for public counts.

``repr`` never shows credentials and ``pickle`` never writes them; a process that needs them
reads its own environment.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, NoReturn, Self
from urllib.parse import quote, unquote

from requests import PreparedRequest
from requests.auth import AuthBase

from engagement_pandas.errors import CredentialsError, MissingCredentials

VARIABLES: Final[Mapping[str, str]] = {
    "consumer_key": "X_CONSUMER_KEY",
    "consumer_secret": "X_CONSUMER_SECRET",
    "access_token": "X_ACCESS_TOKEN",
    "access_token_secret": "X_ACCESS_TOKEN_SECRET",
    "bearer_token": "X_BEARER_TOKEN",
}
"""The environment variables; if one is unset, its ``TWITTER_…`` twin is read."""

_DIGITS: Final = 12

_NOISY_LOGGERS: Final = (
    "oauthlib.oauth1.rfc5849",
    "oauthlib.oauth1.rfc5849.signature",
    "requests_oauthlib.oauth1_auth",
    "requests_oauthlib.oauth1_session",
)

_PRINTED: Final = re.compile(r"[!-~]+")


def is_header_safe(value: object) -> bool:
    """Return whether a value can be used in a header unchanged."""
    return isinstance(value, str) and _PRINTED.fullmatch(value) is not None


class Credentials:
    """Base class of :class:`UserContext` and :class:`AppOnly`; it protects their secrets."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]
            name, value = field.name, getattr(self, field.name)
            if value is None and field.default is None:
                continue
            if not is_header_safe(value):
                msg = (
                    f"{name} is empty, or has other characters than printable ASCII; copy it again"
                )
                raise CredentialsError(msg)

    def _secrets(self) -> dict[str, str]:
        named = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        return {name: value for name, value in named.items() if value is not None}

    def redact(self, text: str) -> str:
        """Return a text without any of these secrets, in case a server echoes one."""
        # Longest first, since one may be a prefix of another.
        named = sorted(self._secrets().items(), key=lambda it: -len(it[1]))
        for name, secret in named:
            for form in (secret, quote(secret, safe=""), unquote(secret)):
                text = text.replace(form, f"<{name}>")
        return text

    def __reduce__(self) -> NoReturn:
        name = type(self).__name__
        made = f"{name}.from_env()" if hasattr(self, "from_env") else "Accounts() or login()"
        msg = (
            f"{name} cannot be pickled or copied, so that no secret is written; "
            f"call {made} where it is needed"
        )
        raise CredentialsError(msg)


@dataclass(frozen=True, slots=True, repr=False)
class Consumer(Credentials):
    """The app that owners authorise to request the counts of their posts.

    Parameters
    ----------
    consumer_key, consumer_secret : str

    Raises
    ------
    CredentialsError
        If one is empty or contains white space.

    Examples
    --------
    >>> Consumer("key", "secret")
    Consumer(app 2c70e12b7a06, secrets hidden)
    """

    consumer_key: str
    consumer_secret: str

    @property
    def app(self) -> str:
        """Identifier of the app, not secret: a digest of the consumer key."""
        return _digest(self.consumer_key)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read ``X_CONSUMER_KEY`` and ``X_CONSUMER_SECRET``, or their ``TWITTER_…`` twins.

        Raises
        ------
        MissingCredentials
            With the names of the unset variables.
        """
        return cls(**_read(environ, [f.name for f in fields(cls)]))

    def __repr__(self) -> str:
        return f"Consumer(app {self.app}, secrets hidden)"


@dataclass(frozen=True, slots=True, repr=False)
class UserContext(Credentials):
    """OAuth 1.0a: the app acting for the owner of the posts.

    Parameters
    ----------
    consumer_key, consumer_secret : str
        The app's.
    access_token, access_token_secret : str
        Those of the owner, who authorised the app.
    user_id : str, optional
        The owner's number, if the access token does not begin with it.
    handle : str, optional
        The owner's handle, if known; the ledger uses it as the name.

    Raises
    ------
    CredentialsError
        If one is empty or contains white space.

    Examples
    --------
    >>> UserContext("key", "secret", "9-token", "token secret".replace(" ", "-"))
    UserContext(OAuth 1.0a, secrets hidden)
    """

    consumer_key: str
    consumer_secret: str
    access_token: str
    access_token_secret: str
    user_id: str | None = None
    handle: str | None = None

    @property
    def account(self) -> str:
        """Identifier of the owner, not secret; always the same for the same tokens.

        The owner's number, which X's access tokens begin with; for a token that does not, a
        digest.

        Examples
        --------
        >>> UserContext("key", "secret", "9-token", "token-secret").account
        'user 9'
        >>> UserContext("key", "secret", "a-token", "token-secret").account
        'token 1f6076e3a47b'
        """
        number = self.user_id or user_id_of(self.access_token)
        return f"user {number}" if number else f"token {_digest(self.access_token)}"

    def _secrets(self) -> dict[str, str]:
        secrets = super(UserContext, self)._secrets()
        return {name: secret for name, secret in secrets.items() if name in VARIABLES}

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the credentials from the environment.

        ``X_CONSUMER_KEY``, ``X_CONSUMER_SECRET``, ``X_ACCESS_TOKEN`` and
        ``X_ACCESS_TOKEN_SECRET``; if one is unset, its ``TWITTER_…`` twin.

        Raises
        ------
        MissingCredentials
            With the names of the unset variables.
        """
        return cls(**_read(environ, list(VARIABLES)[:4]))

    def __repr__(self) -> str:
        return "UserContext(OAuth 1.0a, secrets hidden)"


@dataclass(frozen=True, slots=True, repr=False)
class AppOnly(Credentials):
    """OAuth 2.0 bearer: the app alone; public types of any public post, on ``/totals``.

    Parameters
    ----------
    bearer_token : str, optional
        With :meth:`from_consumer`, the client fetches one instead.

    Raises
    ------
    CredentialsError
        If there is neither a token nor a key with its secret.

    Examples
    --------
    >>> AppOnly("a-token")
    AppOnly(bearer token, hidden)
    >>> AppOnly.from_consumer("key", "secret")
    AppOnly(bearer token to be fetched, secrets hidden)
    """

    bearer_token: str | None = None
    consumer_key: str | None = None
    consumer_secret: str | None = None

    def __post_init__(self) -> None:
        Credentials.__post_init__(self)
        if self.bearer_token is None and (
            self.consumer_key is None or self.consumer_secret is None
        ):
            msg = "AppOnly needs a bearer token, or a consumer key with its secret"
            raise CredentialsError(msg)

    def _secrets(self) -> dict[str, str]:
        secrets = super(AppOnly, self)._secrets()
        if self.consumer_key is not None and self.consumer_secret is not None:
            pair = f"{self.consumer_key}:{self.consumer_secret}".encode()
            secrets["consumer_key:consumer_secret"] = b64encode(pair).decode()
        return secrets

    @property
    def account(self) -> str:
        """Identifier of the app, not secret."""
        return "app"

    @classmethod
    def from_consumer(cls, consumer_key: str, consumer_secret: str) -> Self:
        """Return credentials whose bearer token the client fetches with its first request."""
        return cls(None, consumer_key, consumer_secret)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read ``X_BEARER_TOKEN``, or else ``X_CONSUMER_KEY`` and ``X_CONSUMER_SECRET``.

        Raises
        ------
        MissingCredentials
            With the names of the unset variables.
        """
        token = lookup(environ, "bearer_token")
        if token:
            return cls(token)
        try:
            return cls(None, **_read(environ, ["consumer_key", "consumer_secret"]))
        except MissingCredentials as error:
            wanted = (VARIABLES["bearer_token"], *error.variables)
            msg = f"set {wanted[0]}, or else {' and '.join(wanted[1:])}"
            raise MissingCredentials(msg, wanted) from None

    def __repr__(self) -> str:
        if self.bearer_token is None:
            return "AppOnly(bearer token to be fetched, secrets hidden)"
        return "AppOnly(bearer token, hidden)"


class Bearer(AuthBase):
    """Adds a bearer token to a request."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Add the header."""
        r.headers["Authorization"] = f"Bearer {self._token}"
        return r


def user_id_of(access_token: str) -> str | None:
    """Return the owner's number at the start of an access token, or None.

    >>> user_id_of("9-token"), user_id_of("a-token")
    ('9', None)
    """
    number, dash, _ = access_token.partition("-")
    return number if dash and number.isascii() and number.isdecimal() else None


def lookup(environ: Mapping[str, str] | None, name: str) -> str | None:
    """Return one credential from the environment, by its name in :data:`VARIABLES`."""
    # The environment is not a default argument: every help text would show it.
    environ = os.environ if environ is None else environ
    variable = VARIABLES[name]
    return environ.get(variable) or environ.get(variable.replace("X_", "TWITTER_", 1)) or None


def _read(environ: Mapping[str, str] | None, names: list[str]) -> dict[str, Any]:
    missing = [VARIABLES[name] for name in names if lookup(environ, name) is None]
    if missing:
        msg = f"set {' and '.join(missing)} in the environment (or with TWITTER_ instead of X_)"
        raise MissingCredentials(msg, missing)
    return {name: lookup(environ, name) for name in names}


def _above_debug(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:_DIGITS]


def silence_oauth_logs() -> None:
    """Keep tokens out of logs: these loggers write them at level DEBUG, if it is enabled."""
    for name in _NOISY_LOGGERS:
        logger = logging.getLogger(name)
        if _above_debug not in logger.filters:
            logger.addFilter(_above_debug)
