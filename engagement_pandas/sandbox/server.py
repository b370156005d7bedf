"""A running sandbox: its URLs, keys, faults, and received requests."""

from __future__ import annotations

import shlex
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

from engagement_pandas.sandbox.auth import App
from engagement_pandas.sandbox.faults import Faults
from engagement_pandas.sandbox.http_server import Listener, Received
from engagement_pandas.sandbox.service import TOKEN_PATH, Service, Settings, as_clock
from engagement_pandas.sandbox.world import ACCOUNTS, DEMO_HANDLE, SyntheticAccount, World

MAX_LOG: Final = 10_000
"""Number of requests to keep in the log."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Credentials of a client for an account; the secrets are left out of the ``repr``."""

    consumer_key: str
    consumer_secret: str = field(repr=False)
    access_token: str
    access_token_secret: str = field(repr=False)
    bearer_token: str = field(repr=False)


class SandboxServer:
    """An offline twin of the Engagement API at ``http://127.0.0.1``.

    It serves in a daemon thread from its creation until :meth:`close`. It is also a context
    manager.

    Parameters
    ----------
    now : datetime or str or callable, optional
        Current time in the sandbox: a fixed time or a clock; by default the real time.
    settings : Settings, optional
        Rate limits, and behaviour that the documentation leaves open.
    faults : Faults, optional
        Faults to inject; can be changed at any time through :attr:`faults`.
    wall : callable, optional
        Returns seconds since 1970, for signatures and rate limits; by default the real time.
    port : int
        0 for any free port.

    Examples
    --------
    >>> with SandboxServer(now="2026-03-12T19:43:00Z") as server:
    ...     server.base_url.startswith("http://127.0.0.1:"), len(server.world.posts())
    (True, 40)
    """

    def __init__(
        self,
        now: datetime | str | Callable[[], datetime] | None = None,
        *,
        settings: Settings | None = None,
        faults: Faults | None = None,
        wall: Callable[[], float] = time.time,
        port: int = 0,
    ) -> None:
        self.service = Service(as_clock(now), settings, wall)
        self.faults = Faults() if faults is None else faults
        self._log: deque[Received] = deque(maxlen=MAX_LOG)
        self._listener = Listener(port, self.service, self.faults, self._log)
        self._thread = threading.Thread(
            target=self._listener.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="engagement-pandas-sandbox",
            daemon=True,
        )
        self._thread.start()
        weakref.finalize(self, self._listener.stop, self._thread)

    @property
    def base_url(self) -> str:
        """Replacement of ``https://data-api.twitter.com``."""
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    @property
    def token_url(self) -> str:
        """Replacement of ``https://api.twitter.com/oauth2/token``."""
        return self.base_url + TOKEN_PATH

    @property
    def login_url(self) -> str:
        """Replacement of ``https://api.twitter.com/oauth``."""
        return f"{self.base_url}/oauth"

    @property
    def world(self) -> World:
        """The accounts' posts: ``world.posts(handle, since, until)``."""
        return self.service.world

    @property
    def accounts(self) -> tuple[SyntheticAccount, ...]:
        """The accounts that have authorised the app, including the suspended one."""
        return ACCOUNTS

    @property
    def app(self) -> App:
        """Consumer key and secret, with their bearer token."""
        return self.service.settings.app

    @property
    def requests(self) -> tuple[Received, ...]:
        """The requests received so far, oldest first."""
        return tuple(self._log)

    def keys(self, handle: str = DEMO_HANDLE) -> Keys:
        """Return the credentials of a client for an account."""
        account = self.world.account(handle)
        return Keys(
            self.app.consumer_key,
            self.app.consumer_secret,
            account.access_token,
            account.access_token_secret,
            self.app.bearer_token,
        )

    def authorise(self, url: str, handle: str = DEMO_HANDLE) -> str:
        """Authorise the app on the login page in an owner's name, and return the PIN."""
        return self.service.grants.allow(_request_token(url), handle)

    def deny(self, url: str) -> None:
        """Deny the authorisation on the login page."""
        self.service.grants.deny(_request_token(url))

    def close(self) -> None:
        """Stop serving and close all connections; repeated calls do nothing."""
        self._listener.stop(self._thread)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"SandboxServer(at {self.base_url}; {len(self._log)} requests received; "
            "all counts are synthetic)"
        )


def _request_token(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("oauth_token", [""])[-1]


def serve(
    port: int = 8765,
    *,
    now: datetime | str | Callable[[], datetime] | None = None,
    faults: Faults | None = None,
    settings: Settings | None = None,
    write: Callable[[str], Any] | None = None,
) -> None:
    """Run a sandbox until interrupted (Ctrl-C).

    If ``port`` is 0, any free port is used. ``write`` is called with the text of
    :func:`announcement`; it prints by default. For the others, see :class:`SandboxServer`.
    """
    with SandboxServer(now, settings=settings, faults=faults, port=port) as server:
        try:
            (write or sys.stdout.write)(announcement(server))
            sys.stdout.flush()  # a reader of the pipe is waiting
            threading.Event().wait()
        except KeyboardInterrupt:
            return


def announcement(server: SandboxServer, handle: str = DEMO_HANDLE) -> str:
    """Return instructions for using a server: comments, and variables for a shell.

    Examples
    --------
    >>> with SandboxServer() as server:
    ...     print(announcement(server))  # doctest: +ELLIPSIS
    # Engagement API sandbox at http://127.0.0.1:...; all counts are synthetic.
    # sandbox_bakery's recent posts: ...
    X_CONSUMER_KEY=SandboxConsumerKey
    ...
    """
    keys = server.keys(handle)
    posts = " ".join(post.post_id for post in server.world.posts(handle)[-3:])
    variables = {
        "X_CONSUMER_KEY": keys.consumer_key,
        "X_CONSUMER_SECRET": keys.consumer_secret,
        "X_ACCESS_TOKEN": keys.access_token,
        "X_ACCESS_TOKEN_SECRET": keys.access_token_secret,
        "X_BEARER_TOKEN": keys.bearer_token,
        "X_LOGIN_URL": server.login_url,
        "X_BASE_URL": server.base_url,
        "X_TOKEN_URL": server.token_url,
    }
    return (
        f"# Engagement API sandbox at {server.base_url}; all counts are synthetic.\n"
        f"# {handle}'s recent posts: {posts}\n"
        + "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
    )
