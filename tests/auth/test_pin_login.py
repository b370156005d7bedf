"""An owner authorises the app by PIN, against the sandbox and against scripted responses."""

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
from engagement_pandas.auth import login_step
from engagement_pandas.cli import main
from engagement_pandas.sandbox import SandboxServer, Settings
from engagement_pandas.sandbox.auth import App

NOW = "2026-04-15T12:20:00Z"
ISSUED = b"oauth_token=rt&oauth_token_secret=rts&oauth_callback_confirmed=true"
GRANTED = b"oauth_token=9-at&oauth_token_secret=ats&user_id=9&screen_name=bakery"
APP = ep.Consumer("consumer-key", "consumer-secret")


@pytest.fixture
def sandbox(clock: FakeClock) -> Iterator[SandboxServer]:
    """Run a sandbox that checks signatures by the fake clock."""
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


def oauth_fields(header: str) -> dict[str, str]:
    """Parse the fields of an OAuth header."""
    return {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', header)}


# The three steps


def test_a_pin_gives_access_to_the_owners_counts(
    sandbox: SandboxServer, app: ep.Consumer, clock: FakeClock, pending: ep.PendingLogin
) -> None:
    """The account that a PIN is exchanged for can fetch the owner's counts."""
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


def test_the_requests_of_a_login(server: ScriptedServer, clock: FakeClock) -> None:
    """Two signed POSTs without a body are sent, with each field once, in the header."""
    server.answer(Scripted(200, ISSUED), Scripted(200, GRANTED))
    scripted(server, clock).finish("1234567")
    paths = [seen.path for seen in server.seen]
    assert paths == ["/oauth/request_token", "/oauth/access_token"]
    first, second = (oauth_fields(seen.headers["authorization"]) for seen in server.seen)
    assert [seen.content for seen in server.seen] == [b"", b""]
    assert first["oauth_callback"] == "oob"
    assert "oauth_token" not in first
    assert (second["oauth_token"], second["oauth_verifier"]) == ("rt", "1234567")
    assert "oauth_callback" not in second
    assert {first["oauth_timestamp"], second["oauth_timestamp"]} == {"1776255600"}
    assert first["oauth_nonce"] != second["oauth_nonce"]


def test_the_page_has_the_request_token(server: ScriptedServer, clock: FakeClock) -> None:
    """Special characters in the token are escaped in the URL."""
    issued = b"oauth_token=a%26b%23c&oauth_token_secret=s&oauth_callback_confirmed=true"
    server.answer(Scripted(200, issued))
    url = scripted(server, clock).url
    assert url.startswith(f"{server.url}/oauth/authorize?")
    assert parse_qs(urlsplit(url).query) == {"oauth_token": ["a&b#c"]}


@pytest.mark.parametrize(
    "spelling", ["{}", " {}\n", "{0[0]}{0[1]}{0[2]} - {0[3]}{0[4]}{0[5]}{0[6]}"]
)
def test_spellings_of_a_pin_are_accepted(
    sandbox: SandboxServer, pending: ep.PendingLogin, spelling: str
) -> None:
    """Spaces, a line end and dashes do not matter."""
    assert pending.finish(spelling.format(sandbox.authorise(pending.url))).user_id == "9001"


@pytest.mark.slow
@pytest.mark.parametrize(
    "pin", ["", "  ", "pin", "123", "1234567a", "\u0661" * 7, 1234567, None, b"1234567"]
)
def test_an_invalid_pin_is_refused(
    sandbox: SandboxServer, pending: ep.PendingLogin, pin: Any
) -> None:
    """Nothing is sent, so the right PIN may follow; the error does not show what was typed."""
    sent = len(sandbox.requests)
    with pytest.raises(ep.LoginRefused, match="that is not a PIN") as caught:
        pending.finish(pin)
    assert caught.value.status is None
    assert "1234567" not in str(caught.value)
    assert len(sandbox.requests) == sent


# Failures


def test_a_wrong_pin_does_not_end_the_login(
    sandbox: SandboxServer, pending: ep.PendingLogin
) -> None:
    """The refusal names the possible mistakes, and the right PIN is accepted afterwards."""
    pin = sandbox.authorise(pending.url)
    wrong = f"{(int(pin) + 1) % 10**7:07}"
    with pytest.raises(
        ep.LoginRefused, match=r"Invalid oauth_verifier.*mistyped.*log in again"
    ) as caught:
        pending.finish(wrong)
    assert caught.value.status == 401
    assert pending.finish(pin).handle == "sandbox_bakery"


def test_a_pin_works_once(sandbox: SandboxServer, pending: ep.PendingLogin) -> None:
    """A second use is refused."""
    pin = sandbox.authorise(pending.url)
    pending.finish(pin)
    with pytest.raises(ep.LoginRefused, match="used before"):
        pending.finish(pin)


def test_an_expired_pin_is_refused(
    sandbox: SandboxServer, clock: FakeClock, pending: ep.PendingLogin
) -> None:
    """A PIN expires after a quarter of an hour."""
    pin = sandbox.authorise(pending.url)
    clock.now += 901
    with pytest.raises(ep.LoginRefused, match=r"expired.*some minutes old"):
        pending.finish(pin)


def test_a_denied_login_is_refused(sandbox: SandboxServer, pending: ep.PendingLogin) -> None:
    """After the owner denied access, no PIN is accepted."""
    sandbox.deny(pending.url)
    with pytest.raises(ep.LoginRefused, match="denied access"):
        pending.finish("1234567")


def test_wrong_keys_of_the_app_are_unauthorised(
    sandbox: SandboxServer, app: ep.Consumer, clock: FakeClock
) -> None:
    """The error names the variables to check."""
    wrong = ep.Consumer(app.consumer_key, "another-secret")
    with pytest.raises(
        ep.Unauthorized, match=r"Could not authenticate you.*X_CONSUMER_SECRET"
    ) as caught:
        ep.begin_login(wrong, login_url=sandbox.login_url, clock=clock.time)
    assert caught.value.status == 401


def test_a_wrong_clock_is_named(sandbox: SandboxServer, app: ep.Consumer) -> None:
    """X reports it like wrong keys; the message names both."""
    with pytest.raises(ep.Unauthorized, match="clock"):
        ep.begin_login(app, login_url=sandbox.login_url, clock=lambda: 1.0)


def test_an_app_without_pins_is_refused(clock: FakeClock) -> None:
    """The cure is in the app's settings, not in its keys."""
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


@pytest.mark.parametrize(("status", "body", "error", "words"), REFUSALS)
def test_each_refusal_has_its_error(  # noqa: PLR0913, PLR0917
    server: ScriptedServer,
    clock: FakeClock,
    status: int,
    body: bytes,
    error: type[ep.EngagementError],
    words: str,
) -> None:
    """It is sent once; the error has X's message and the cure."""
    server.answer(
        Scripted(status, body, {"location": "https://example.org/", "content-encoding": "gzip"})
    )
    with pytest.raises(ep.EngagementError, match=words) as caught:
        scripted(server, clock)
    assert type(caught.value) is error
    assert len(server.seen) == 1


def test_redirects_are_not_followed(server: ScriptedServer, clock: FakeClock) -> None:
    """Neither the request token nor the PIN goes to another address."""
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
def test_responses_without_a_request_token(
    server: ScriptedServer, clock: FakeClock, body: bytes
) -> None:
    """They are not reported as refusals, and the error does not show the body."""
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
def test_responses_without_an_account(
    server: ScriptedServer, clock: FakeClock, body: bytes
) -> None:
    """An incomplete account is not returned."""
    server.answer(Scripted(200, ISSUED), Scripted(200, body))
    with pytest.raises(ep.ResponseShapeError, match="lacks the tokens"):
        scripted(server, clock).finish("1234567")


@pytest.mark.slow
def test_an_endless_response_is_cut_off(server: ScriptedServer, clock: FakeClock) -> None:
    """Of sixteen megabytes, compressed to sixteen kilobytes, only the beginning is read."""
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
def test_a_slow_response_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, head: str, piece: bytes
) -> None:
    """Each byte arrives in time, but the response exceeds the deadline, here half a second."""
    assert login_step.DEADLINE == 60
    monkeypatch.setattr(login_step, "DEADLINE", 0.5)

    def drops() -> Iterator[bytes]:
        for _ in range(100):
            time.sleep(0.05)
            yield piece

    start = time.monotonic()
    with (
        RawServer(endless(head, drops())) as server,
        pytest.raises(ep.TransportError, match=r"no answer from .*try again"),
    ):
        ep.begin_login(APP, login_url=server.url, timeout=(1, 1))
    assert time.monotonic() - start < 3


def test_invalid_timeouts_are_refused(server: ScriptedServer, clock: FakeClock) -> None:
    """They are refused before anything is sent."""
    wrong: Any = (10.0,)
    with pytest.raises(ep.RequestError, match=r"timeout is \(10\.0,\); give two numbers"):
        scripted(server, clock, timeout=wrong)
    assert server.seen == []


def test_an_unreachable_server_is_a_transport_error() -> None:
    """A closed port and a silent server give an error of the package with a cure."""
    with pytest.raises(ep.TransportError, match=r"no answer from .*try again"):
        ep.begin_login(APP, login_url="http://127.0.0.1:9")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ep.TransportError, match=r"read timeout=0\.1") as caught:
            ep.begin_login(APP, login_url=url, timeout=(0.1, 0.1))
    assert (caught.value.status, caught.value.attempts) == (None, 1)


def test_a_pin_is_kept_after_a_failure_of_the_service(
    server: ScriptedServer, clock: FakeClock
) -> None:
    """The owner does not have to visit the page again."""
    server.answer(Scripted(200, ISSUED), Scripted(503, b""), Scripted(200, GRANTED))
    pending = scripted(server, clock)
    with pytest.raises(ep.TransportError):
        pending.finish("1234567")
    assert pending.finish("1234567").handle == "bakery"


@pytest.mark.parametrize(
    "url", ["http://api.twitter.com/oauth", "ftp://127.0.0.1", "api.twitter.com"]
)
def test_login_urls_are_https_or_loopback(url: str) -> None:
    """Any other URL is refused before anything is sent."""
    with pytest.raises(ep.RequestError, match="not an https URL"):
        ep.begin_login(APP, login_url=url)


def test_plain_http_does_not_use_a_proxy(
    server: ScriptedServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment's proxies are ignored for loopback."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server.answer(Scripted(200, ISSUED))
    assert scripted(server, clock).url


def test_reprs_show_no_secrets(pending: ep.PendingLogin, app: ep.Consumer) -> None:
    """They show the app and the address."""
    token = parse_qs(urlsplit(pending.url).query)["oauth_token"][0]
    assert repr(pending).startswith(f"PendingLogin(app {app.app} at http://127.0.0.1:")
    assert token not in repr(pending) + repr(pending._keys)
    assert pending._keys.request_token_secret not in repr(pending) + repr(pending._keys)
    assert repr(app) == f"Consumer(app {app.app}, secrets hidden)"


# The function `login` and the command


@pytest.fixture
def real_time_sandbox() -> Iterator[SandboxServer]:
    """Run a sandbox with the real clock, which the command line uses."""
    with SandboxServer(NOW) as running:
        yield running


@pytest.fixture
def environment(
    real_time_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Path:
    """Set the environment to that sandbox's app, and return the path of the accounts."""
    monkeypatch.setenv("X_CONSUMER_KEY", real_time_sandbox.app.consumer_key)
    monkeypatch.setenv("X_CONSUMER_SECRET", real_time_sandbox.app.consumer_secret)
    monkeypatch.setenv("X_LOGIN_URL", real_time_sandbox.login_url)
    monkeypatch.setenv("X_ACCOUNTS", str(tmp_path / "accounts.json"))
    monkeypatch.setenv("X_LEDGER", str(tmp_path / "ledger.jsonl"))
    for name in ("X_ACCESS_TOKEN", "X_ACCESS_TOKEN_SECRET", "X_HANDLE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "accounts.json"


class Owner:
    """An owner who reads the address, visits the page, and types the PIN."""

    def __init__(self, sandbox: SandboxServer, handle: str = "sandbox_bakery") -> None:
        self.messages: list[str] = []
        self._sandbox = sandbox
        self._handle = handle

    def read(self, text: str) -> None:
        self.messages.append(text)

    def type(self, _: str) -> str:
        return self._sandbox.authorise(self.messages[-1].split()[-1], self._handle)


def test_login_in_one_call(real_time_sandbox: SandboxServer, environment: Path) -> None:
    """The environment has the app and the address; the account is stored, no secret is shown."""
    owner = Owner(real_time_sandbox)
    account = ep.login(ask=owner.type, tell=owner.read)
    assert ep.Accounts().handles == ("sandbox_bakery",)
    assert owner.messages[-1] == f"@sandbox_bakery authorised the app; stored in {environment}"
    assert account.access_token
    assert account.access_token not in "".join(owner.messages)


def test_login_into_other_accounts(real_time_sandbox: SandboxServer, environment: Path) -> None:
    """The default file is unchanged, and each owner who logs in is added."""
    into = ep.Accounts(environment.parent / "mine" / "accounts.json")
    for handle in ("sandbox_railway", "sandbox_bakery", "sandbox_railway"):
        owner = Owner(real_time_sandbox, handle)
        ep.login(into=into, ask=owner.type, tell=owner.read)
    assert into.handles == ("sandbox_bakery", "sandbox_railway")
    assert not environment.exists()


def test_login_checks_the_accounts_first(
    real_time_sandbox: SandboxServer, environment: Path
) -> None:
    """If tokens cannot be stored, no owner is sent to the page."""
    environment.write_text("{")
    environment.chmod(0o600)
    with pytest.raises(ep.AccountsError, match="damaged"):
        ep.login(ask=lambda _: "1234567", tell=lambda _: None)
    assert real_time_sandbox.requests == ()
    assert environment.read_text() == "{"


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("error", [EOFError, NotImplementedError])
def test_login_without_input_names_the_two_steps(error: type[Exception]) -> None:
    """Where no input is possible, the error names `begin_login` and `finish`."""

    def ask(_: str) -> str:
        raise error

    with pytest.raises(ep.LoginRefused, match=r"begin_login\(\) and \.finish"):
        ep.login(ask=ask, tell=lambda _: None)


def test_login_without_an_app_lists_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error lists the missing variables."""
    for name in ("CONSUMER_KEY", "CONSUMER_SECRET"):
        for prefix in ("X_", "TWITTER_"):
            monkeypatch.delenv(prefix + name, raising=False)
    with pytest.raises(ep.MissingCredentials, match="set X_CONSUMER_KEY and X_CONSUMER_SECRET"):
        ep.begin_login()


class Typing(io.StringIO):
    """Standard input of a user who reads standard error and visits the page for the PIN."""

    def __init__(self, sandbox: SandboxServer, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__()
        self._sandbox = sandbox
        self._capsys = capsys
        self.out = ""
        self.err = ""

    def readline(self, *_: Any) -> str:
        output = self._capsys.readouterr()
        self.out, self.err = output.out, output.err
        url = re.search(r"http://\S+", output.err)
        assert url
        return self._sandbox.authorise(url[0]) + "\n"


def test_the_command_logs_in(
    real_time_sandbox: SandboxServer,
    environment: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Everything is printed to standard error, without a secret."""
    typing = Typing(real_time_sandbox, capsys)
    monkeypatch.setattr("sys.stdin", typing)
    assert main(["login"]) == 0
    output = capsys.readouterr()
    assert typing.out + output.out == ""
    assert typing.err.endswith("The PIN it shows: ")
    assert output.err == f"@sandbox_bakery authorised the app; stored in {environment}\n"
    keys = real_time_sandbox.keys()
    for secret in (keys.consumer_secret, keys.access_token, keys.access_token_secret):
        assert secret not in typing.err + output.err


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("typed", "words"),
    [("", "begin_login"), ("\n", "not a PIN"), ("7654321\n", "PIN was not accepted")],
)
def test_a_failed_login_command_exits_with_3(
    typed: str, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All errors of credentials have exit code 3."""
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert main(["login"]) == 3
    assert words in capsys.readouterr().err
    assert ep.Accounts().handles == ()
