"""Authorisation of the app by an owner, by PIN: OAuth 1.0a "out of band", in three steps.

The app gets a request token; the owner visits a page of X, agrees, and reads a PIN there;
request token and PIN are exchanged for the owner's access token, once.

https://docs.x.com/resources/fundamentals/authentication/oauth-1-0a/pin-based-oauth
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from engagement_pandas.auth.account import Account
from engagement_pandas.auth.accounts import Accounts
from engagement_pandas.auth.credentials import Consumer, is_header_safe
from engagement_pandas.auth.login_step import TIMEOUT, OAuthStep, post_step
from engagement_pandas.errors import (
    CredentialsError,
    LoginRefused,
    RequestError,
    ResponseShapeError,
)
from engagement_pandas.transport.urls import checked_url

LOGIN_URL: Final = "https://api.twitter.com/oauth"
LOGIN_URL_VARIABLE: Final = "X_LOGIN_URL"

_PIN: Final = re.compile(r"[0-9]{4,12}", re.ASCII)  # X has always used seven digits
_BETWEEN: Final = re.compile(r"[\s-]+")


@dataclass(frozen=True, slots=True, repr=False)
class PendingLogin:
    """A login that waits for the owner's PIN; created by :func:`begin_login`.

    Attributes
    ----------
    url : str
        The page of X for the owner to visit; valid for one person, once.
    """

    url: str
    _app: str
    _keys: OAuthStep
    _login_url: str
    _timeout: tuple[float, float]
    _clock: Callable[[], float]

    def finish(self, pin: str) -> Account:
        """Exchange the PIN for the owner's tokens.

        Parameters
        ----------
        pin : str
            The digits that the page shows; spaces and dashes do not matter.

        Returns
        -------
        Account
            For ``Accounts.add``; the account that authorised the app, even if another was meant.

        Raises
        ------
        LoginRefused
            If the PIN is malformed, wrong, used or expired, or access was denied.
        TransportError
            If there was no answer; the same PIN may be tried again.
        RefusedError
            If X answers with something else, such as a redirect.
        ResponseShapeError
            If the answer has no tokens.
        """
        keys = _with_pin(self._keys, pin)
        del pin  # so that no traceback shows it
        if keys is None:
            msg = "that is not a PIN; enter the digits that the page of X shows, as text"
            raise LoginRefused(msg)
        url = f"{self._login_url}/access_token"
        account = _account(
            post_step(url, keys, self._clock(), self._timeout),
            self._app,
            datetime.fromtimestamp(self._clock(), UTC),
        )
        if account is None:
            msg = f"the answer of {url} lacks the tokens, the number or the handle of an owner"
            raise ResponseShapeError(msg, "access_token")
        return account

    def __repr__(self) -> str:
        return f"PendingLogin(app {self._app} at {self._login_url}; see .url, then .finish(pin))"


def begin_login(
    consumer: Consumer | None = None,
    *,
    login_url: str | None = None,
    timeout: tuple[float, float] = TIMEOUT,
    clock: Callable[[], float] = time.time,
) -> PendingLogin:
    """Begin a login without interactive input; finish it with the PIN later.

    Parameters
    ----------
    consumer : Consumer, optional
        The app; by default that of the environment.
    login_url : str, optional
        By default ``X_LOGIN_URL``, or else ``https://api.twitter.com/oauth``. Plain http
        is accepted for this machine only.
    timeout : tuple of float
        Seconds to connect, and between two bytes of the answer.
    clock : callable
        ``time.time``, or a replacement for tests.

    Returns
    -------
    PendingLogin
        Its ``url`` is for the owner, and its ``finish`` takes the PIN shown there.

    Raises
    ------
    MissingCredentials
        If the environment has no app keys.
    Unauthorized
        If the app's key and secret were not accepted.
    LoginRefused
        If the app may not log in owners by PIN.
    TransportError
        If there was no answer; ``QuotaExceeded`` after too many logins.
    RefusedError
        If X answers with something else, such as a redirect.
    ResponseShapeError
        If the answer has no request token.
    RequestError
        If the URL is neither https nor on this machine.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> from engagement_pandas.sandbox import SandboxServer
    >>> with SandboxServer() as server:
    ...     app = ep.Consumer(server.app.consumer_key, server.app.consumer_secret)
    ...     pending = begin_login(app, login_url=server.login_url)
    ...     pin = server.authorise(pending.url, "sandbox_bakery")  # the owner, in a browser
    ...     pending.finish(pin)
    Account(@sandbox_bakery, user 9001, app ..., tokens hidden)
    """
    if consumer is None:
        consumer = Consumer.from_env()
    url = checked_url(login_url or os.environ.get(LOGIN_URL_VARIABLE) or LOGIN_URL)
    keys = _with_request_token(
        consumer,
        post_step(
            f"{url}/request_token",
            OAuthStep(consumer.consumer_key, consumer.consumer_secret),
            clock(),
            timeout,
        ),
    )
    if keys is None:
        msg = f"the answer of {url}/request_token has no usable request token"
        raise ResponseShapeError(msg, "request_token")
    page = keys.session(url, clock()).authorization_url(f"{url}/authorize")
    return PendingLogin(page, consumer.app, keys, url, timeout, clock)


def login(
    consumer: Consumer | None = None,
    *,
    into: Accounts | None = None,
    login_url: str | None = None,
    ask: Callable[[str], str] = input,
    tell: Callable[[str], object] = print,
) -> Account:
    """Have an owner authorise the app, and store the tokens; in a terminal or a notebook.

    Prints the URL of a page of X, and asks for the PIN that the owner finds there. If there is
    no input, as in Voilà, use :func:`begin_login`, which does the same in two steps.

    Parameters
    ----------
    consumer : Consumer, optional
        The app; by default that of the environment.
    into : Accounts, optional
        Where to store the tokens; by default ``Accounts()``. Checked before anything is
        requested.
    login_url : str, optional
        As in :func:`begin_login`.
    ask, tell : callable
        ``input`` and ``print``, or replacements.

    Returns
    -------
    Account
        Already stored.

    Raises
    ------
    AccountsError
        If the tokens cannot be stored.
    EngagementError
        As in :func:`begin_login` and ``PendingLogin.finish``.
    """
    accounts = Accounts() if into is None else into
    accounts.check()
    pending = begin_login(consumer, login_url=login_url)
    tell(f"As the owner of the posts, visit this page and authorise the app:\n{pending.url}")
    try:
        account = pending.finish(ask("The PIN it shows: "))
    except (EOFError, NotImplementedError):  # a kernel without input raises the latter
        account = None
    if account is None:
        msg = "no PIN was entered; where there is no input, use begin_login() and .finish(pin)"
        raise LoginRefused(msg)
    accounts.add(account)
    tell(f"@{account.handle} authorised the app; stored in {accounts.storage}")
    return account


def _with_request_token(consumer: Consumer, form: Mapping[str, str]) -> OAuthStep | None:
    """Return the keys of the last step, or None if the answer has none."""
    token, secret = form.get("oauth_token"), form.get("oauth_token_secret")
    if form.get("oauth_callback_confirmed") != "true" or not (
        is_header_safe(token) and is_header_safe(secret)
    ):
        return None
    return OAuthStep(consumer.consumer_key, consumer.consumer_secret, token, secret)


def _with_pin(keys: OAuthStep, pin: object) -> OAuthStep | None:
    digits = _BETWEEN.sub("", pin) if isinstance(pin, str) else ""
    return replace(keys, pin=digits) if _PIN.fullmatch(digits) else None


def _account(form: Mapping[str, str], app: str, now: datetime) -> Account | None:
    """Return the account that authorised the app, or None if the answer has none."""
    names = ("screen_name", "user_id", "oauth_token", "oauth_token_secret")
    handle, user_id, *tokens = (form.get(name, "") for name in names)
    try:
        return Account(handle, user_id, app, now, *tokens)
    except (CredentialsError, RequestError):
        return None
