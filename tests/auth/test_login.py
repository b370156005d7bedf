"""An owner authorises the app by PIN, against the sandbox and against a script."""

from __future__ import annotations

import io
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hostile.raw import RawServer, endless
from support.scripted import FakeClock, Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.auth import oauth
from engagement_pandas.cli import main
from engagement_pandas.sandbox import SandboxServer, Settings
from engagement_pandas.sandbox.auth import App

NOW = "2026-04-15T12:20:00Z"
ISSUED = b"oauth_token=rt&oauth_token_secret=rts&oauth_callback_confirmed=true"
GRANTED = b"oauth_token=9-at&oauth_token_secret=ats&user_id=9&screen_name=bakery"
APP = ep.Consumer("consumer-key", "consumer-secret")


@pytest.fixture
def sandbox(clock: FakeClock) -> Iterator[SandboxServer]:
    """Run a sandbox whose signatures go by the fake clock."""
    with SandboxServer(NOW, wall=clock.time) as running:
        yield running


@pytest.fixture
def app(sandbox: SandboxServer) -> ep.Consumer:
    """Return the sandbox's app."""
    return ep.Consumer(sandbox.app.consumer_key, sandbox.app.consumer_secret)


@pytest.fixture
def pending(sandbox: SandboxServer, app: ep.Consumer, clock: FakeClock) -> ep.PendingLogin:
    """Begin a login at the sandbox."""
    return ep.begin_login(app, login_url=sandbox.login_url, clock=clock.time)


def scripted(server: ScriptedServer, clock: FakeClock, **more: Any) -> ep.PendingLogin:
    """Begin a login at a scripted server."""
    return ep.begin_login(APP, login_url=f"{server.url}/oauth", clock=clock.time, **more)


def signed(header: str) -> dict[str, str]:
    """Return the fields of an OAuth header."""
    return {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', header)}


# The three steps


def test_from_the_page_to_counts(
    sandbox: SandboxServer, app: ep.Consumer, clock: FakeClock, pending: ep.PendingLogin
) -> None:
    """What a PIN is exchanged for opens the owner's counts."""
    account = pending.finish(sandbox.authorise(pending.url, "sandbox_railway"))
    assert (account.handle, account.user_id, account.app) == ("sandbox_railway", "9002", app.app)
    assert account.added_at.timestamp() == clock.now
    posts = [post.post_id for post in sandbox.world.posts("sandbox_railway")[-3:]]
    with ep.EngagementClient(
        account.credentials(app), base_url=sandbox.base_url, clock=clock.time, sleep=clock.sleep
    ) as client:
        counts = ep.flatten(client.fetch(ep.totals(posts, engagement_types=["engagements"])))
    assert set(counts["post_id"]) <= set(posts)
    assert len(counts) > 0


def test_what_is_sent(server: ScriptedServer, clock: FakeClock) -> None:
    """Two signed posts without a body: for a PIN, then with it; each field once, in the header."""
    server.answer(Scripted(200, ISSUED), Scripted(200, GRANTED))
    scripted(server, clock).finish("1234567")
    paths = [seen.path for seen in server.seen]
    assert paths == ["/oauth/request_token", "/oauth/access_token"]
    first, second = (signed(seen.headers["authorization"]) for seen in server.seen)
    assert [seen.content for seen in server.seen] == [b"", b""]
    assert first["oauth_callback"] == "oob"
    assert "oauth_token" not in first
    assert (second["oauth_token"], second["oauth_verifier"]) == ("rt", "1234567")
    assert "oauth_callback" not in second
    assert {first["oauth_timestamp"], second["oauth_timestamp"]} == {"1776255600"}
    assert first["oauth_nonce"] != second["oauth_nonce"]


def test_the_page_is_where_the_request_token_leads(
    server: ScriptedServer, clock: FakeClock
) -> None:
    """And a token that is no plain word does not break out of the address."""
    odd = b"oauth_token=a%26b%23c&oauth_token_secret=s&oauth_callback_confirmed=true"
    server.answer(Scripted(200, odd))
    url = scripted(server, clock).url
    assert url.startswith(f"{server.url}/oauth/authorize?")
    assert parse_qs(urlsplit(url).query) == {"oauth_token": ["a&b#c"]}


@pytest.mark.parametrize(
    "spelling", ["{}", " {}\n", "{0[0]}{0[1]}{0[2]} - {0[3]}{0[4]}{0[5]}{0[6]}"]
)
def test_a_pin_as_people_type_it(
    sandbox: SandboxServer, pending: ep.PendingLogin, spelling: str
) -> None:
    """Spaces, a line end and dashes do not matter."""
    assert pending.finish(spelling.format(sandbox.authorise(pending.url))).user_id == "9001"


@pytest.mark.slow
@pytest.mark.parametrize(
    "pin", ["", "  ", "pin", "123", "1234567a", "\u0661" * 7, 1234567, None, b"1234567"]
)
def test_what_is_no_pin(sandbox: SandboxServer, pending: ep.PendingLogin, pin: Any) -> None:
    """Nothing is sent, so that the right one may still be typed; what was typed is not told."""
    sent = len(sandbox.requests)
    with pytest.raises(ep.LoginRefused, match="that is not a PIN") as caught:
        pending.finish(pin)
    assert caught.value.status is None
    assert "1234567" not in str(caught.value)
    assert len(sandbox.requests) == sent


# What goes wrong


def test_a_wrong_pin_and_then_the_right_one(
    sandbox: SandboxServer, pending: ep.PendingLogin
) -> None:
    """The refusal says what may be wrong; a mistyped digit does not end the login."""
    pin = sandbox.authorise(pending.url)
    wrong = f"{(int(pin) + 1) % 10**7:07}"
    with pytest.raises(
        ep.LoginRefused, match=r"Invalid oauth_verifier.*mistyped.*log in again"
    ) as caught:
        pending.finish(wrong)
    assert caught.value.status == 401
    assert pending.finish(pin).handle == "sandbox_bakery"


def test_a_pin_is_good_once(sandbox: SandboxServer, pending: ep.PendingLogin) -> None:
    """Whoever finds it afterwards has nothing."""
    pin = sandbox.authorise(pending.url)
    pending.finish(pin)
    with pytest.raises(ep.LoginRefused, match="used before"):
        pending.finish(pin)


def test_a_pin_that_is_too_old(
    sandbox: SandboxServer, clock: FakeClock, pending: ep.PendingLogin
) -> None:
    """A quarter of an hour and a second later."""
    pin = sandbox.authorise(pending.url)
    clock.now += 901
    with pytest.raises(ep.LoginRefused, match=r"expired.*some minutes old"):
        pending.finish(pin)


def test_an_owner_who_says_no(sandbox: SandboxServer, pending: ep.PendingLogin) -> None:
    """No PIN does."""
    sandbox.deny(pending.url)
    with pytest.raises(ep.LoginRefused, match="denied access"):
        pending.finish("1234567")


def test_wrong_keys_of_the_app(sandbox: SandboxServer, app: ep.Consumer, clock: FakeClock) -> None:
    """As a refusal of credentials, with the variables to look at."""
    wrong = ep.Consumer(app.consumer_key, "another-secret")
    with pytest.raises(
        ep.Unauthorized, match=r"Could not authenticate you.*X_CONSUMER_SECRET"
    ) as caught:
        ep.begin_login(wrong, login_url=sandbox.login_url, clock=clock.time)
    assert caught.value.status == 401


def test_a_clock_that_is_wrong(sandbox: SandboxServer, app: ep.Consumer) -> None:
    """Looks to X like wrong keys; the message names both."""
    with pytest.raises(ep.Unauthorized, match="clock"):
        ep.begin_login(app, login_url=sandbox.login_url, clock=lambda: 1.0)


def test_an_app_without_pins(clock: FakeClock) -> None:
    """The cure is in the app's settings, not in the keys."""
    settings = Settings(app=App(takes_pins=False))
    with SandboxServer(NOW, settings=settings, wall=clock.time) as server:
        keys = ep.Consumer(server.app.consumer_key, server.app.consumer_secret)
        with pytest.raises(ep.LoginRefused, match=r"Callback URL.*OAuth 1\.0a.*portal") as caught:
            ep.begin_login(keys, login_url=server.login_url, clock=clock.time)
    assert caught.value.status == 403


XML = b"<?xml version='1.0'?><hash><error>Desktop applications only support 'oob'</error></hash>"

REFUSALS: list[tuple[int, bytes, type[ep.EngagementError], str]] = [
    (302, b"", ep.RefusedError, r"/oauth/request_token \(HTTP 302\); check login_url"),
    (404, b"", ep.RefusedError, "check login_url"),
    (204, b"", ep.RefusedError, "HTTP 204"),
    (401, XML, ep.LoginRefused, "Desktop applications only.*OAuth 1.0a"),
    (401, b"Failed to validate oauth signature and token", ep.Unauthorized, "Failed to validate"),
    (400, b"", ep.Unauthorized, "HTTP 400"),
    (429, b"", ep.QuotaExceeded, "quarter of an hour"),
    (500, b"<h1>Over capacity</h1>", ep.TransportError, "Over capacity; try again"),
    (503, b"", ep.TransportError, "try again"),
]


@pytest.mark.parametrize(("status", "body", "kind", "words"), REFUSALS)
def test_each_refusal_is_of_its_kind(  # noqa: PLR0913, PLR0917
    server: ScriptedServer,
    clock: FakeClock,
    status: int,
    body: bytes,
    kind: type[ep.EngagementError],
    words: str,
) -> None:
    """Sent once, whatever the answer; with X's words and the cure."""
    server.answer(
        Scripted(status, body, {"location": "https://example.org/", "content-encoding": "gzip"})
    )
    with pytest.raises(ep.EngagementError, match=words) as caught:
        scripted(server, clock)
    assert type(caught.value) is kind
    assert len(server.seen) == 1


def test_a_redirect_leads_nowhere(server: ScriptedServer, clock: FakeClock) -> None:
    """Neither the request token nor the PIN follows to another address."""
    other = ScriptedServer()
    try:
        for status in (301, 302, 303, 307, 308):
            server.answer(Scripted(200, ISSUED), Scripted(status, b"", {"location": other.url}))
            with pytest.raises(ep.RefusedError, match=f"HTTP {status}"):
                scripted(server, clock).finish("1234567")
        assert other.seen == []
    finally:
        other.close()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"\xff\xfe",
        b"oauth_token=rt",
        b"oauth_token=rt&oauth_token_secret=rts",
        b"oauth_token=rt&oauth_token_secret=rts&oauth_callback_confirmed=false",
        b"oauth_token=&oauth_token_secret=rts&oauth_callback_confirmed=true",
        b"oauth_token=r%0D%0At&oauth_token_secret=rts&oauth_callback_confirmed=true",
    ],
)
def test_answers_without_a_request_token(
    server: ScriptedServer, clock: FakeClock, body: bytes
) -> None:
    """Told apart from a refusal; the body is not shown."""
    server.answer(Scripted(200, body))
    with pytest.raises(ep.ResponseShapeError, match="has no usable request token") as caught:
        scripted(server, clock)
    assert "rts" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"oauth_token=9-at&oauth_token_secret=ats&user_id=9",
        b"oauth_token=9-at&oauth_token_secret=ats&screen_name=bakery",
        b"oauth_token=9-at&user_id=9&screen_name=bakery",
        GRANTED.replace(b"user_id=9", b"user_id=nine"),
        GRANTED.replace(b"bakery", b"no%20handle"),
        GRANTED.replace(b"9-at", b"9%0D%0AX-Evil:1"),
    ],
)
def test_answers_without_an_account(server: ScriptedServer, clock: FakeClock, body: bytes) -> None:
    """Half of an account is none."""
    server.answer(Scripted(200, ISSUED), Scripted(200, body))
    with pytest.raises(ep.ResponseShapeError, match="lacks the tokens"):
        scripted(server, clock).finish("1234567")


@pytest.mark.slow
def test_an_answer_that_does_not_end(server: ScriptedServer, clock: FakeClock) -> None:
    """Sixteen megabytes, sixteen kilobytes on the wire: no more is read than may matter."""
    server.answer(Scripted(200, bytes(16_000_000)), Scripted(401, bytes(16_000_000)))
    with pytest.raises(ep.RefusedError, match=r"HTTP 200\); check login_url"):
        scripted(server, clock)
    with pytest.raises(ep.Unauthorized, match="HTTP 401") as caught:
        scripted(server, clock)
    assert len(str(caught.value)) < 1000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "piece"),
    [
        ("HTTP/1.1 200 OK\nContent-Length: 60000\n\n", b"a"),
        ("HTTP/1.1 401 No\nTransfer-Encoding: chunked\n\n", b"1\r\na\r\n"),
    ],
    ids=["a body", "chunks"],
)
def test_an_answer_that_drips(monkeypatch: pytest.MonkeyPatch, head: str, piece: bytes) -> None:
    """Each byte is in time, all of them are not: half a second here, else a minute."""
    assert oauth.DEADLINE == 60
    monkeypatch.setattr(oauth, "DEADLINE", 0.5)

    def drops() -> Iterator[bytes]:
        for _ in range(100):
            time.sleep(0.05)
            yield piece

    begun = time.monotonic()
    with (
        RawServer(endless(head, drops())) as server,
        pytest.raises(ep.TransportError, match=r"no answer from .*try again"),
    ):
        ep.begin_login(APP, login_url=server.url, timeout=(1, 1))
    assert time.monotonic() - begun < 3


def test_time_outs_are_seconds(server: ScriptedServer, clock: FakeClock) -> None:
    """Refused before anything is signed."""
    wrong: Any = (10.0,)
    with pytest.raises(ep.RequestError, match=r"timeout is \(10\.0,\); give two numbers"):
        scripted(server, clock, timeout=wrong)
    assert server.seen == []


def test_nobody_answers() -> None:
    """A closed port, and a server that says nothing: an error of our own, with a cure."""
    with pytest.raises(ep.TransportError, match=r"no answer from .*try again"):
        ep.begin_login(APP, login_url="http://127.0.0.1:9")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ep.TransportError, match=r"read timeout=0\.1") as caught:
            ep.begin_login(APP, login_url=url, timeout=(0.1, 0.1))
    assert (caught.value.status, caught.value.attempts) == (None, 1)


def test_after_no_answer_the_same_pin_may_do(server: ScriptedServer, clock: FakeClock) -> None:
    """A service that is down for a moment does not cost the owner another visit."""
    server.answer(Scripted(200, ISSUED), Scripted(503, b""), Scripted(200, GRANTED))
    pending = scripted(server, clock)
    with pytest.raises(ep.TransportError):
        pending.finish("1234567")
    assert pending.finish("1234567").handle == "bakery"


@pytest.mark.parametrize(
    "url", ["http://api.twitter.com/oauth", "ftp://127.0.0.1", "api.twitter.com"]
)
def test_keys_go_to_https_or_this_machine(url: str) -> None:
    """Anything else is refused before it is called."""
    with pytest.raises(ep.RequestError, match="not an https URL"):
        ep.begin_login(APP, login_url=url)


def test_a_proxy_does_not_see_plain_http(
    server: ScriptedServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the environment says of proxies."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server.answer(Scripted(200, ISSUED))
    assert scripted(server, clock).url


def test_reprs_are_sentences_without_secrets(pending: ep.PendingLogin, app: ep.Consumer) -> None:
    """Which app, where, and what to do next."""
    token = parse_qs(urlsplit(pending.url).query)["oauth_token"][0]
    assert repr(pending).startswith(f"PendingLogin(app {app.app} at http://127.0.0.1:")
    assert token not in repr(pending) + repr(pending._keys)
    assert pending._keys.request_token_secret not in repr(pending) + repr(pending._keys)
    assert repr(app) == f"Consumer(app {app.app}, secrets hidden)"


# In one call, and on the command line


@pytest.fixture
def real() -> Iterator[SandboxServer]:
    """Run a sandbox that goes by the real clock, as the command line does."""
    with SandboxServer(NOW) as running:
        yield running


@pytest.fixture
def environment(real: SandboxServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Put that sandbox's app into the environment, and return where accounts go."""
    monkeypatch.setenv("X_CONSUMER_KEY", real.app.consumer_key)
    monkeypatch.setenv("X_CONSUMER_SECRET", real.app.consumer_secret)
    monkeypatch.setenv("X_LOGIN_URL", real.login_url)
    monkeypatch.setenv("X_ACCOUNTS", str(tmp_path / "accounts.json"))
    monkeypatch.setenv("X_LEDGER", str(tmp_path / "ledger.jsonl"))
    for name in ("X_ACCESS_TOKEN", "X_ACCESS_TOKEN_SECRET", "X_HANDLE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "accounts.json"


class Owner:
    """Reads the address, visits the page, and types the PIN."""

    def __init__(self, sandbox: SandboxServer, handle: str = "sandbox_bakery") -> None:
        self.told: list[str] = []
        self._sandbox = sandbox
        self._handle = handle

    def hear(self, text: str) -> None:
        self.told.append(text)

    def type(self, _: str) -> str:
        return self._sandbox.authorise(self.told[-1].split()[-1], self._handle)


def test_login_in_one_call(real: SandboxServer, environment: Path) -> None:
    """App and address from the environment; the account is kept, and told without secrets."""
    owner = Owner(real)
    account = ep.login(ask=owner.type, tell=owner.hear)
    assert ep.Accounts().handles == ("sandbox_bakery",)
    assert owner.told[-1] == f"@sandbox_bakery authorised the app; stored in {environment}"
    assert account.access_token
    assert account.access_token not in "".join(owner.told)


def test_login_into_accounts_of_ones_own(real: SandboxServer, environment: Path) -> None:
    """The default file stays as it is; each owner who logs in is added."""
    into = ep.Accounts(environment.parent / "mine" / "accounts.json")
    for handle in ("sandbox_railway", "sandbox_bakery", "sandbox_railway"):
        owner = Owner(real, handle)
        ep.login(into=into, ask=owner.type, tell=owner.hear)
    assert into.handles == ("sandbox_bakery", "sandbox_railway")
    assert not environment.exists()


def test_login_looks_before_it_asks(real: SandboxServer, environment: Path) -> None:
    """Where tokens could not be kept, nobody is sent to the page."""
    environment.write_text("{")
    environment.chmod(0o600)
    with pytest.raises(ep.AccountsError, match="damaged"):
        ep.login(ask=lambda _: "1234567", tell=lambda _: None)
    assert real.requests == ()
    assert environment.read_text() == "{"


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("error", [EOFError, NotImplementedError])
def test_where_nobody_can_type(error: type[Exception]) -> None:
    """The two steps are named."""

    def ask(_: str) -> str:
        raise error

    with pytest.raises(ep.LoginRefused, match=r"begin_login\(\) and \.finish"):
        ep.login(ask=ask, tell=lambda _: None)


def test_without_an_app(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables are named."""
    for name in ("CONSUMER_KEY", "CONSUMER_SECRET"):
        for prefix in ("X_", "TWITTER_"):
            monkeypatch.delenv(prefix + name, raising=False)
    with pytest.raises(ep.MissingCredentials, match="set X_CONSUMER_KEY and X_CONSUMER_SECRET"):
        ep.begin_login()


class Typing(io.StringIO):
    """Standard input of somebody who reads standard error, and visits the page when asked."""

    def __init__(self, sandbox: SandboxServer, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__()
        self._sandbox = sandbox
        self._capsys = capsys
        self.out = ""
        self.err = ""

    def readline(self, *_: Any) -> str:
        told = self._capsys.readouterr()
        self.out, self.err = told.out, told.err
        url = re.search(r"http://\S+", told.err)
        assert url
        return self._sandbox.authorise(url[0]) + "\n"


def test_the_command_logs_in(
    real: SandboxServer,
    environment: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Everything is told on standard error; no secret anywhere."""
    typing = Typing(real, capsys)
    monkeypatch.setattr("sys.stdin", typing)
    assert main(["login"]) == 0
    told = capsys.readouterr()
    assert typing.out + told.out == ""
    assert typing.err.endswith("The PIN it shows: ")
    assert told.err == f"@sandbox_bakery authorised the app; stored in {environment}\n"
    keys = real.keys()
    for secret in (keys.consumer_secret, keys.access_token, keys.access_token_secret):
        assert secret not in typing.err + told.err


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("typed", "words"),
    [("", "begin_login"), ("\n", "not a PIN"), ("7654321\n", "PIN was not accepted")],
)
def test_the_command_is_refused(
    typed: str, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3, as for all credentials."""
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert main(["login"]) == 3
    assert words in capsys.readouterr().err
    assert ep.Accounts().handles == ()
