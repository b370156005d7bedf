"""X's part in a login by PIN: signatures, request tokens, the page, and PINs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import re
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

import pytest
import requests
from requests_oauthlib import OAuth1Session

from engagement_pandas.sandbox.auth import App
from engagement_pandas.sandbox.pin_login import GUESSES, LIFETIME
from engagement_pandas.sandbox.server import SandboxServer
from engagement_pandas.sandbox.service import Settings

HOST = "sandbox.invalid"
STEPS = {"begin": "/oauth/request_token", "end": "/oauth/access_token"}
PAGE = "/oauth/authorize"


class Visitor:
    """Signs with hmac only, and visits the page."""

    def __init__(self, twin: Any) -> None:
        self.twin = twin
        self.app = twin.settings.app
        self.signed = 0

    def headers(self, path: str, secret: str = "", **fields: str) -> dict[str, str]:
        """Sign as RFC 5849 specifies."""
        self.signed += 1
        oauth_fields = {
            "oauth_consumer_key": self.app.consumer_key,
            "oauth_nonce": f"nonce{self.signed}",
            "oauth_signature_method": "HMAC-SHA1",
            "oauth_timestamp": str(int(self.twin.wall())),
            "oauth_version": "1.0",
        } | fields
        pairs = "&".join(f"{quote(k, '')}={quote(v, '')}" for k, v in sorted(oauth_fields.items()))
        base = f"POST&{quote(f'http://{HOST}{path}', '')}&{quote(pairs, '')}"
        key = f"{quote(self.app.consumer_secret, '')}&{quote(secret, '')}"
        digest = hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()
        oauth_fields["oauth_signature"] = base64.b64encode(digest).decode()
        header = ", ".join(f'{quote(k, "")}="{quote(v, "")}"' for k, v in oauth_fields.items())
        return {"Host": HOST, "Authorization": f"OAuth {header}"}

    def send(
        self,
        path: str,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        method: str = "POST",
    ) -> Any:
        """Return the response as it would be sent."""
        return self.twin.service.answer(path, headers or {"Host": HOST}, body, method)

    def begin(self, **fields: str) -> tuple[str, str]:
        """Return a request token and its secret."""
        answer = self.send(
            STEPS["begin"], self.headers(STEPS["begin"], oauth_callback="oob", **fields)
        )
        form = {name: values[0] for name, values in parse_qs(answer.body.decode()).items()}
        assert answer.status == 200
        assert form.pop("oauth_callback_confirmed") == "true"
        return form.pop("oauth_token"), form.pop("oauth_token_secret")

    def visit(self, token: str, handle: str = "sandbox_bakery", verdict: str = "allow") -> Any:
        """Press a button on the page."""
        form = {"oauth_token": token, "handle": handle, "answer": verdict}
        return self.send(PAGE, body=urlencode(form).encode())

    def pin(self, token: str, handle: str = "sandbox_bakery") -> str:
        """Press the button that allows the login and read the PIN."""
        found = re.search(r"<kbd>([0-9]{7})</kbd>", self.visit(token, handle).body.decode())
        assert found
        return found[1]

    def end(self, token: str, secret: str, pin: str, **fields: str) -> Any:
        """Exchange a PIN for an access token."""
        path = STEPS["end"]
        signed = self.headers(path, secret, oauth_token=token, oauth_verifier=pin, **fields)
        return self.send(path, signed)


@pytest.fixture
def visitor(make_twin: Any) -> Visitor:
    """Return a visitor with a separate service."""
    return Visitor(make_twin())


def text(answer: Any) -> str:
    """Return the status and the text of a response."""
    return f"{answer.status} {answer.body.decode()}"


def test_a_login_returns_the_access_token_of_the_owner(visitor: Visitor) -> None:
    """The third step returns the token as a form."""
    token, secret = visitor.begin()
    response = visitor.end(token, secret, visitor.pin(token, "sandbox_railway"))
    assert response.status == 200
    account = visitor.twin.world.account("sandbox_railway")
    assert parse_qs(response.body.decode()) == {
        "oauth_token": [account.access_token],
        "oauth_token_secret": [account.access_token_secret],
        "user_id": ["9002"],
        "screen_name": ["sandbox_railway"],
    }


def test_requests_oauthlib_can_log_in() -> None:
    """Its own session completes the login over the network."""
    with SandboxServer() as server, requests.Session() as browser:
        app = server.app
        with OAuth1Session(app.consumer_key, app.consumer_secret, callback_uri="oob") as session:
            session.fetch_request_token(f"{server.login_url}/request_token")
            url = session.authorization_url(f"{server.login_url}/authorize")
            page = browser.get(url).text
            form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
            answered = browser.post(
                f"{server.login_url}/authorize",
                data={
                    "oauth_token": form["oauth_token"],
                    "handle": "sandbox_bakery",
                    "answer": "allow",
                },
            )
            pin = re.search(r"<kbd>(\d+)</kbd>", answered.text)
            assert pin
            granted = session.fetch_access_token(
                f"{server.login_url}/access_token", verifier=pin[1]
            )
        assert granted["oauth_token"] == server.keys().access_token
        assert granted["screen_name"] == "sandbox_bakery"


def test_the_page_has_handles_and_two_buttons(visitor: Visitor) -> None:
    """The page states that it is not X; the suspended account cannot log in."""
    token, _ = visitor.begin()
    page = visitor.send(f"{PAGE}?oauth_token={token}", method="GET")
    html_text = page.body.decode()
    assert page.headers["Content-Type"].startswith("text/html")
    assert re.findall(r"<option>(\w+)</option>", html_text) == [
        "sandbox_bakery",
        "sandbox_railway",
        "sandbox_observatory",
    ]
    assert "not X" in html_text
    assert re.findall(r'value="(allow|deny)"', html_text) == ["allow", "deny"]


@pytest.mark.parametrize("handle", ["sandbox_closed", "nobody", ""])
def test_an_account_that_cannot_log_in_is_reported(visitor: Visitor, handle: str) -> None:
    """The page stays open for an account that can log in."""
    token, secret = visitor.begin()
    assert "cannot log in" in text(visitor.visit(token, handle))
    assert visitor.end(token, secret, visitor.pin(token)).status == 200


def test_a_page_without_a_valid_token_is_refused(visitor: Visitor) -> None:
    """The page does not show the token from its URL."""
    for token in ("", "made-up", "<script>"):
        page = visitor.send(f"{PAGE}?{urlencode({'oauth_token': token})}", method="GET")
        assert page.status == 403
        assert "no longer valid" in page.body.decode()
        assert "<script>" not in html.unescape(page.body.decode())
        assert visitor.visit(token).status == 403


def test_a_token_is_allowed_once(visitor: Visitor) -> None:
    """A second visit does not change who allowed the login."""
    token, secret = visitor.begin()
    pin = visitor.pin(token, "sandbox_railway")
    assert visitor.visit(token, "sandbox_bakery").status == 403
    assert visitor.visit(token, verdict="deny").status == 403
    assert b"sandbox_railway" in visitor.end(token, secret, pin).body


def test_a_denied_login_ends(visitor: Visitor) -> None:
    """The token is then unknown."""
    token, secret = visitor.begin()
    assert "denied" in text(visitor.visit(token, verdict="deny"))
    assert text(visitor.end(token, secret, "1234567")) == "401 Invalid / expired Token"


def test_a_login_that_was_not_allowed_has_no_pin(visitor: Visitor) -> None:
    """An empty PIN and a missing one are refused too."""
    token, secret = visitor.begin()
    for pin in ("", "0000000", "None"):
        assert "Invalid oauth_verifier" in text(visitor.end(token, secret, pin))
    path = STEPS["end"]
    response = visitor.send(path, visitor.headers(path, secret, oauth_token=token))
    assert "Invalid oauth_verifier" in text(response)


def test_a_pin_is_accepted_once(visitor: Visitor) -> None:
    """Its request token is used up as well."""
    token, secret = visitor.begin()
    pin = visitor.pin(token)
    assert visitor.end(token, secret, pin).status == 200
    assert text(visitor.end(token, secret, pin)) == "401 Invalid / expired Token"


def test_pins_cannot_be_guessed(visitor: Visitor) -> None:
    """After a few wrong PINs, the right one is refused too."""
    token, secret = visitor.begin()
    pin = visitor.pin(token)
    wrong = f"{(int(pin) + 1) % 10**7:07}"
    for _ in range(GUESSES - 1):
        assert "Invalid oauth_verifier" in text(visitor.end(token, secret, wrong))
    other, other_secret = visitor.begin()
    assert visitor.end(other, other_secret, visitor.pin(other)).status == 200
    assert "Invalid oauth_verifier" in text(visitor.end(token, secret, wrong))
    assert text(visitor.end(token, secret, pin)) == "401 Invalid / expired Token"


@pytest.mark.parametrize(("seconds", "status"), [(LIFETIME, 200), (LIFETIME + 1, 401)])
def test_a_login_expires_after_15_minutes(visitor: Visitor, seconds: float, status: int) -> None:
    """The time counts from the request token to the exchange."""
    token, secret = visitor.begin()
    pin = visitor.pin(token)
    visitor.twin.wall.seconds += seconds
    assert visitor.end(token, secret, pin).status == status
    assert len(visitor.twin.service.grants._grants) == 0


def test_logins_are_independent(visitor: Visitor) -> None:
    """Tokens, secrets and PINs of two logins are not interchangeable."""
    first, second = visitor.begin(), visitor.begin()
    pins = visitor.pin(first[0]), visitor.pin(second[0], "sandbox_railway")
    assert len({*first, *second}) == 4
    assert visitor.end(first[0], second[1], pins[0]).status == 401
    assert b"railway" in visitor.end(*second, pins[1]).body
    assert b"bakery" in visitor.end(*first, pins[0]).body


@pytest.mark.parametrize("callback", ["", "http://127.0.0.1/", "OOB"])
def test_callbacks_other_than_oob_are_refused(visitor: Visitor, callback: str) -> None:
    """The app may redirect owners to no URL."""
    path = STEPS["begin"]
    response = visitor.send(path, visitor.headers(path, oauth_callback=callback))
    assert response.status == 403
    assert b'"code":415' in response.body
    missing = visitor.send(path, visitor.headers(path))
    assert missing.status == 403


def test_an_app_without_pin_login_is_refused(make_twin: Any) -> None:
    """X refuses an app whose settings do not allow it in the same way."""
    visitor = Visitor(make_twin(settings=Settings(app=App(takes_pins=False))))
    path = STEPS["begin"]
    response = visitor.send(path, visitor.headers(path, oauth_callback="oob"))
    assert response.status == 403
    assert b"Callback URL not approved" in response.body


def forged_headers(visitor: Visitor, path: str, secret: str, **fields: str) -> list[dict[str, str]]:
    """Return headers that are each signed wrongly in one way."""
    good = visitor.headers(path, secret, **fields)
    stranger = visitor.headers(path, secret, **fields, oauth_consumer_key="stranger")
    late = visitor.headers(
        path, secret, **fields, oauth_timestamp=str(int(visitor.twin.wall()) - 301)
    )
    bad = good["Authorization"].replace('oauth_signature="', 'oauth_signature="x')
    return [
        {"Host": HOST},
        {**good, "Authorization": bad},
        {**good, "Authorization": "OAuth nonsense"},
        {**good, "Authorization": "Bearer " + visitor.app.bearer_token},
        stranger,
        late,
        visitor.headers(path, f"{secret}x", **fields),
        visitor.headers("/oauth/elsewhere", secret, **fields),
    ]


def test_both_steps_need_a_valid_signature(visitor: Visitor) -> None:
    """No signature, a wrong, unknown, late one or that of another step is refused."""
    begin, end = STEPS["begin"], STEPS["end"]
    for headers in forged_headers(visitor, begin, "", oauth_callback="oob"):
        assert "Could not authenticate you" in text(visitor.send(begin, headers))
    token, secret = visitor.begin()
    pin = visitor.pin(token)
    for headers in forged_headers(visitor, end, secret, oauth_token=token, oauth_verifier=pin):
        assert text(visitor.send(end, headers)) == "401 Invalid / expired Token"
    assert visitor.end(token, secret, pin).status == 200


def test_a_nonce_is_accepted_once(visitor: Visitor) -> None:
    """The same signed headers begin one login only."""
    headers = visitor.headers(STEPS["begin"], oauth_callback="oob")
    assert visitor.send(STEPS["begin"], headers).status == 200
    assert visitor.send(STEPS["begin"], headers).status == 401


def test_access_tokens_cannot_begin_a_login(visitor: Visitor) -> None:
    """And a request token cannot request counts."""
    account = visitor.twin.world.account("sandbox_bakery")
    signed = visitor.headers(
        STEPS["begin"],
        account.access_token_secret,
        oauth_token=account.access_token,
        oauth_callback="oob",
    )
    assert visitor.send(STEPS["begin"], signed).status == 401
    token, secret = visitor.begin()
    again = visitor.headers(STEPS["begin"], secret, oauth_token=token, oauth_callback="oob")
    assert visitor.send(STEPS["begin"], again).status == 401
    path = "/insights/engagement/totals"
    headers = visitor.headers(path, secret, oauth_token=token) | {"Accept-Encoding": "gzip"}
    assert visitor.send(path, headers, b"{}").status == 401


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        (STEPS["begin"], "GET", "POST"),
        (STEPS["end"], "GET", "POST"),
        (PAGE, "DELETE", "GET, POST"),
    ],
)
def test_other_methods_are_refused(visitor: Visitor, path: str, method: str, allowed: str) -> None:
    """The response lists the allowed methods."""
    response = visitor.send(path, method=method)
    assert (response.status, response.headers["Allow"]) == (405, allowed)


def test_the_server_can_play_the_owner() -> None:
    """A test or notebook needs no browser; a URL without a login raises KeyError."""
    with SandboxServer() as server:
        for url in (server.base_url, f"{server.login_url}/authorize?oauth_token=x"):
            with pytest.raises(KeyError):
                server.authorise(url)
            with pytest.raises(KeyError):
                server.deny(url)


def test_the_repr_of_a_login_hides_secrets(visitor: Visitor) -> None:
    """It shows neither the secret nor the PIN."""
    token, secret = visitor.begin()
    pin = visitor.pin(token)
    shown = repr(visitor.twin.service.grants._grants[token])
    assert secret not in shown
    assert pin not in shown
