"""An owner authorises the app, by PIN: OAuth 1.0a "out of band", in three steps.

The app asks for a request token; the owner visits a page of X, agrees, and reads a PIN
there; request token and PIN are exchanged for the owner's access token, once.

https://docs.x.com/resources/fundamentals/authentication/oauth-1-0a/pin-based-oauth
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl, quote

from engagement_pandas.auth.account import Account
from engagement_pandas.auth.accounts import Accounts
from engagement_pandas.auth.credentials import Consumer, is_header_safe
from engagement_pandas.auth.oauth import TIMEOUT, OAuthStep, post_step
from engagement_pandas.errors import (
    CredentialsError,
    LoginRefused,
    RequestError,
    ResponseShapeError,
)
from engagement_pandas.transport.urls import checked_url

LOGIN_URL: Final = "https://api.twitter.com/oauth"
LOGIN_URL_VARIABLE: Final = "X_LOGIN_URL"

_PIN: Final = re.compile(r"[0-9]{4,12}", re.ASCII)  # seven digits, as long as anybody remembers
_BETWEEN: Final = re.compile(r"[\s-]+")


@dataclass(frozen=True, slots=True, repr=False)
class PendingLogin:
    """A login that waits for the owner and the PIN; made by :func:`begin_login`.

    Attributes
    ----------
    url : str
        The page of X that the owner visits; it is for one person, once.
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
            For ``Accounts.add``; who authorised the app, whoever was meant to.

        Raises
        ------
        LoginRefused
            Where the PIN is none, wrong, used or too old, or access was denied.
        TransportError
            Where there was no answer; the same PIN may be tried again.
        RefusedError
            Where X answers something else, such as a redirect.
        ResponseShapeError
            Where the answer holds no tokens.
        """
        keys = _with_pin(self._keys, pin)
        del pin  # so that no traceback shows it
        if keys is None:
            msg = "that is not a PIN; type the digits that the page of X shows, as text"
            raise LoginRefused(msg)
        url = f"{self._login_url}/access_token"
        account = _account(
            post_step(url, keys, self._clock(), self._timeout),
            self._app,
            datetime.fromtimestamp(self._clock(), UTC),
        )
        if account is None:
            msg = f"{url} answered without the tokens, number and handle of an owner"
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
    """Begin to have an owner authorise the app, where nobody can be asked in between.

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
        ``time.time``, or a test's own.

    Returns
    -------
    PendingLogin
        Its ``url`` is for the owner, and its ``finish`` takes the PIN that is shown there.

    Raises
    ------
    MissingCredentials
        Where the environment has no app.
    Unauthorized
        Where the app's key and secret were not accepted.
    LoginRefused
        Where the app may not log owners in by PIN.
    TransportError
        Where there was no answer; ``QuotaExceeded`` after too many logins.
    RefusedError
        Where X answers something else, such as a redirect.
    ResponseShapeError
        Where the answer holds no request token.
    RequestError
        Where the URL is neither https nor on this machine.

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
        msg = f"{url}/request_token answered without a request token that can be used"
        raise ResponseShapeError(msg, "request_token")
    page = f"{url}/authorize?oauth_token={quote(keys.request_token or '', safe='')}"
    return PendingLogin(page, consumer.app, keys, url, timeout, clock)


def login(
    consumer: Consumer | None = None,
    *,
    into: Accounts | None = None,
    login_url: str | None = None,
    ask: Callable[[str], str] = input,
    tell: Callable[[str], object] = print,
) -> Account:
    """Have an owner authorise the app, and keep the tokens: in a terminal or a notebook.

    Tells the address of a page of X, and asks for the PIN that the owner finds there.
    Where nobody can type, as in Voilà, :func:`begin_login` does the same in two steps.

    Parameters
    ----------
    consumer : Consumer, optional
        The app; by default that of the environment.
    into : Accounts, optional
        Where the tokens go; by default ``Accounts()``. Whether they can is seen before
        anything is asked.
    login_url : str, optional
        As :func:`begin_login` has it.
    ask, tell : callable
        ``input`` and ``print``, or your own.

    Returns
    -------
    Account
        Which is kept already.

    Raises
    ------
    AccountsError
        Where the tokens cannot be kept.
    EngagementError
        As :func:`begin_login` and ``PendingLogin.finish``.
    """
    accounts = Accounts() if into is None else into
    accounts.check()
    pending = begin_login(consumer, login_url=login_url)
    tell(f"As the owner of the posts, visit this page and authorise the app:\n{pending.url}")
    try:
        account = pending.finish(ask("The PIN it shows: "))
    except (EOFError, NotImplementedError):  # a kernel without a person raises the latter
        account = None
    if account is None:
        msg = "nobody typed a PIN; where nobody can, use begin_login() and .finish(pin)"
        raise LoginRefused(msg)
    accounts.add(account)
    tell(f"@{account.handle} authorised the app; kept in {accounts.told}")
    return account


def _form(content: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(content.decode("ascii"), strict_parsing=True, max_num_fields=20))
    except ValueError:
        return {}


def _with_request_token(consumer: Consumer, content: bytes) -> OAuthStep | None:
    """Return the keys of the last step; None where there are none."""
    form = _form(content)
    token, secret = form.get("oauth_token"), form.get("oauth_token_secret")
    if form.get("oauth_callback_confirmed") != "true" or not (
        is_header_safe(token) and is_header_safe(secret)
    ):
        return None
    return OAuthStep(consumer.consumer_key, consumer.consumer_secret, token, secret)


def _with_pin(keys: OAuthStep, pin: object) -> OAuthStep | None:
    digits = _BETWEEN.sub("", pin) if isinstance(pin, str) else ""
    return replace(keys, pin=digits) if _PIN.fullmatch(digits) else None


def _account(content: bytes, app: str, now: datetime) -> Account | None:
    """Return who authorised the app; None where it is not told."""
    form = _form(content)
    names = ("screen_name", "user_id", "oauth_token", "oauth_token_secret")
    handle, user_id, *tokens = (form.get(name, "") for name in names)
    try:
        return Account(handle, user_id, app, now, *tokens)
    except (CredentialsError, RequestError):
        return None
