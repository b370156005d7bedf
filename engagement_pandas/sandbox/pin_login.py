"""The server side of a login by PIN: request tokens, the page for the owner, and PINs.

A request token is valid for one decision by one owner, and the PIN for one exchange, both
for 15 minutes of the wall clock. As on X, an owner who authorises the app again gets the
same access token.
"""

from __future__ import annotations

import hmac
import html
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from engagement_pandas.sandbox.auth import App, Signatures
from engagement_pandas.sandbox.http_answer import HttpAnswer, Refusal, to_json
from engagement_pandas.sandbox.world import ACCOUNTS, SyntheticAccount

REQUEST_TOKEN_PATH: Final = "/oauth/request_token"  # noqa: S105
AUTHORIZE_PATH: Final = "/oauth/authorize"
ACCESS_TOKEN_PATH: Final = "/oauth/access_token"  # noqa: S105
PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    REQUEST_TOKEN_PATH: ("POST",),
    AUTHORIZE_PATH: ("GET", "POST"),
    ACCESS_TOKEN_PATH: ("POST",),
}
"""Paths of a login, and their methods."""

LIFETIME: Final = 900.0
"""Maximum time from a request token to the exchange of its PIN, in seconds."""

GUESSES: Final = 5
"""Number of wrong PINs after which a request token is invalidated."""

NOT_AUTHENTICATED: Final = (32, "Could not authenticate you.")
CALLBACK: Final = (
    415,
    (
        "Callback URL not approved for this client application. Approved callback URLs can be "
        "adjusted in your application settings"
    ),
)
INVALID_TOKEN: Final = "Invalid / expired Token"  # noqa: S105
INVALID_PIN: Final = "Error processing your OAuth request: Invalid oauth_verifier parameter"

_HTML: Final = {"Content-Type": "text/html;charset=utf-8"}
_JSON: Final = {"Content-Type": "application/json;charset=utf-8"}
_PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Sandbox: authorise an app</title></head>
<body><h1>Authorise an app</h1><p>This is the sandbox on your own machine, not X.</p>
{}</body></html>
"""


@dataclass(frozen=True, slots=True)
class Grant:
    """The state of a request token.

    ``born`` is the time of creation, in seconds since 1970. ``account`` is the account that has
    authorised the app, if any. ``guesses`` is the number of wrong PINs so far.
    """

    secret: str = field(repr=False)
    born: float
    account: SyntheticAccount | None = None
    pin: str = field(default="", repr=False)
    guesses: int = 0


class Grants:
    """Server side of logins.

    ``wall`` returns seconds since 1970.
    """

    def __init__(self, app: App, wall: Callable[[], float]) -> None:
        self._app = app
        self._wall = wall
        self._lock = threading.Lock()
        self._grants: dict[str, Grant] = {}
        self._signatures = Signatures(app, wall, self._secret)

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Return the response to one request of a login.

        ``path`` is from the request line. Header names are in lower case.
        """
        bare = path.partition("?")[0]
        if method not in PATHS[bare]:
            return HttpAnswer(405, b"", {"Allow": ", ".join(PATHS[bare])})
        if bare == AUTHORIZE_PATH:
            return self._page(method, path, body)
        url = f"http://{headers.get('host', '127.0.0.1')}{path}"
        try:
            signed = self._signatures.verify(method, url, headers, body.decode(errors="replace"))
        except Refusal:
            signed = None
        if bare == REQUEST_TOKEN_PATH:
            return self._issue(signed)
        return self._exchange(signed)

    def allow(self, token: str, handle: str) -> str:
        """Authorise the app in an owner's name, and return the PIN."""
        owner = next((a for a in ACCOUNTS if a.handle == handle and not a.suspended), None)
        if owner is None:
            msg = f"{handle!r} is not an account that can log in"
            raise ValueError(msg)
        with self._lock:
            grant = self._open(token)
            pin = f"{secrets.randbelow(10**7):07}"
            self._grants[token] = replace(grant, account=owner, pin=pin)
        return pin

    def deny(self, token: str) -> None:
        """Deny the authorisation, which invalidates the request token."""
        with self._lock:
            self._open(token)
            del self._grants[token]

    def _open(self, token: str) -> Grant:
        grant = self._alive().get(token)
        if grant is None or grant.account is not None:
            raise KeyError(token)
        return grant

    def _alive(self) -> dict[str, Grant]:
        oldest = self._wall() - LIFETIME
        self._grants = {name: g for name, g in self._grants.items() if g.born >= oldest}
        return self._grants

    def _secret(self, token: str) -> str | None:
        if not token:
            return ""  # the first step has no token yet
        with self._lock:
            grant = self._alive().get(token)
        return grant.secret if grant else None

    def _issue(self, signed: Any | None) -> HttpAnswer:
        if signed is None or signed.resource_owner_key:
            return _refused(401, *NOT_AUTHENTICATED)
        if signed.redirect_uri != "oob" or not self._app.takes_pins:
            return _refused(403, *CALLBACK)
        token, secret = secrets.token_hex(14), secrets.token_hex(16)
        with self._lock:
            self._alive()[token] = Grant(secret, self._wall())
        return _form(oauth_token=token, oauth_token_secret=secret, oauth_callback_confirmed="true")

    def _exchange(self, signed: Any | None) -> HttpAnswer:
        if signed is None:
            return _plain(401, INVALID_TOKEN)
        token = str(signed.resource_owner_key)
        with self._lock:
            grant = self._alive().get(token)
            if grant is None:
                return _plain(401, INVALID_TOKEN)
            if grant.account is None or not hmac.compare_digest(
                str(signed.verifier).encode(), grant.pin.encode()
            ):
                tried = replace(grant, guesses=grant.guesses + 1)
                self._grants[token] = tried
                if tried.guesses >= GUESSES:
                    del self._grants[token]
                return _plain(401, INVALID_PIN)
            del self._grants[token]
        return _form(
            oauth_token=grant.account.access_token,
            oauth_token_secret=grant.account.access_token_secret,
            user_id=grant.account.user_id,
            screen_name=grant.account.handle,
        )

    def _page(self, method: str, path: str, body: bytes) -> HttpAnswer:
        query = urlsplit(path).query if method == "GET" else body.decode(errors="replace")
        form = {name: values[-1] for name, values in parse_qs(query).items()}
        token = form.get("oauth_token", "")
        try:
            if method == "GET":
                with self._lock:
                    self._open(token)
                return _shown(200, _form_of(token))
            if form.get("answer") == "deny":
                self.deny(token)
                return _shown(200, "<p>You have denied the app access to this account.</p>")
            pin = self.allow(token, form.get("handle", ""))
        except KeyError:
            return _shown(403, "<p>This page is no longer valid: start again in the app.</p>")
        except ValueError:
            return _shown(403, "<p>This account cannot log in.</p>")
        return _shown(200, f"<p>Type this PIN into the app:</p><p><kbd>{pin}</kbd></p>")


def _form_of(token: str) -> str:
    options = "".join(f"<option>{a.handle}</option>" for a in ACCOUNTS if not a.suspended)
    return (
        f'<form method="post" action="{AUTHORIZE_PATH}">'
        f'<input type="hidden" name="oauth_token" value="{html.escape(token)}">'
        f'<p><label>As <select name="handle">{options}</select></label></p>'
        '<p><button name="answer" value="allow">Authorise app</button> '
        '<button name="answer" value="deny">Cancel</button></p></form>'
    )


def _shown(status: int, text: str) -> HttpAnswer:
    return HttpAnswer(status, _PAGE.format(text).encode(), _HTML)


def _form(**fields: str) -> HttpAnswer:
    return HttpAnswer(HTTPStatus.OK, urlencode(fields).encode(), _HTML)


def _plain(status: int, text: str) -> HttpAnswer:
    return HttpAnswer(status, text.encode(), _HTML)


def _refused(status: int, code: int, text: str) -> HttpAnswer:
    return HttpAnswer(status, to_json({"errors": [{"code": code, "message": text}]}), _JSON)
