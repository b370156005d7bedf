"""Credentials are searched for in everything that the package writes or shows."""

from __future__ import annotations

import base64
import io
import json
import logging
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import vcr
import yaml
from support.recording import without_secrets, without_tokens
from support.scripted import FakeClock, Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.sandbox import SandboxServer

CASSETTES = Path(__file__).parents[1] / "cassettes"

CANARIES = {
    name: f"9-{name.replace('_', '-')}-CANARY-{number}"
    for number, name in enumerate(
        ("consumer_key", "consumer_secret", "access_token", "access_token_secret", "bearer_token")
    )
}
USER = ep.UserContext(*list(CANARIES.values())[:4])
APP = ep.AppOnly(CANARIES["bearer_token"])
KEYS = ep.AppOnly.from_consumer(CANARIES["consumer_key"], CANARIES["consumer_secret"])
ALL = [USER, APP, KEYS]

REQUEST = ep.totals(["1"], engagement_types=["favorites"])


def leaks(*texts: object) -> list[str]:
    """Return the canaries in some texts, plain or as base64 of basic auth."""
    keys = f"{CANARIES['consumer_key']}:{CANARIES['consumer_secret']}"
    encoded = [base64.b64encode(keys.encode()).decode()]
    combined = "\n".join(map(str, texts))
    return [canary for canary in [*CANARIES.values(), *encoded] if canary in combined]


def client(credentials: Any, server: ScriptedServer, clock: FakeClock) -> ep.EngagementClient:
    """Return a client of the scripted server."""
    return ep.EngagementClient(
        credentials,
        base_url=server.url,
        token_url=f"{server.url}/oauth2/token",
        attempts=2,
        clock=clock.time,
        sleep=clock.sleep,
    )


def test_the_search_finds_a_canary() -> None:
    """The canary in a text is returned."""
    assert leaks("x 9-access-token-CANARY-2 y") == [CANARIES["access_token"]]


@pytest.mark.parametrize("credentials", ALL, ids=repr)
def test_reprs_show_no_secret(credentials: Any) -> None:
    """Credentials and clients are shown and formatted."""
    with ep.EngagementClient(credentials) as client:
        assert leaks(credentials, repr(credentials), f"{credentials!s}", client, repr(client)) == []


def echo(status: int) -> Scripted:
    """Respond with all secrets."""
    return Scripted(status, {"errors": [f"bad {' '.join(CANARIES.values())}"]})


def token_response() -> Scripted:
    """Respond with a bearer token and its lifetime."""
    return Scripted(200, {"access_token": CANARIES["bearer_token"], "expires_in": 7200})


FAILURES = {
    "401": [echo(401)] * 2,
    "403": [echo(403)] * 2,
    "400": [echo(400)] * 2,
    "429": [echo(429)] * 2,
    "500": [echo(500)] * 2,
    "cut off": [Scripted(200, {"a": 1}, cut=5)] * 2,
    "no JSON": [Scripted(200, b"no")] * 2,
}


@pytest.mark.slow
@pytest.mark.parametrize("credentials", ALL, ids=repr)
@pytest.mark.parametrize("failure", FAILURES)
def test_errors_and_logs(
    server: ScriptedServer,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    failure: str,
    credentials: Any,
) -> None:
    """All failures are searched: message, data, causes, traceback with variables, pickle, log."""
    caplog.set_level(logging.DEBUG)
    server.answer(*FAILURES[failure])
    with client(credentials, server, clock) as session, pytest.raises(ep.EngagementError) as caught:
        session.fetch(REQUEST)
    error = caught.value
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    secrets = set(credentials._secrets().values())
    found = leaks(
        str(error),
        repr(error),
        error.__dict__,
        *report.format(),
        repr(error.__cause__),
        caplog.text,
    )
    assert secrets.isdisjoint(found)
    assert secrets.isdisjoint(leaks(pickle.dumps(error)))


@pytest.mark.slow
@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_an_echoed_fetched_token(
    server: ScriptedServer, clock: FakeClock, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """The bearer token that the client fetched is a secret too."""
    caplog.set_level(logging.DEBUG)
    server.answer(token_response(), echo(status), echo(status))
    with client(KEYS, server, clock) as session, pytest.raises(ep.EngagementError) as caught:
        session.fetch(REQUEST)
    error = caught.value
    report = traceback.TracebackException.from_exception(error, capture_locals=True).format()
    found = leaks(
        str(error), repr(error), error.__dict__, *report, caplog.text, pickle.dumps(error)
    )
    secrets = {CANARIES[name] for name in ("consumer_key", "consumer_secret", "bearer_token")}
    assert secrets.isdisjoint(found)


def test_echoed_basic_credentials(server: ScriptedServer, clock: FakeClock) -> None:
    """Key and secret are hidden in their encoding for basic auth too."""
    keys = f"{CANARIES['consumer_key']}:{CANARIES['consumer_secret']}".encode()
    basic = base64.b64encode(keys).decode()
    server.answer(Scripted(403, {"errors": [f"bad Authorization: Basic {basic}"]}))
    with client(KEYS, server, clock) as session, pytest.raises(ep.RefusedError) as caught:
        session.fetch(REQUEST)
    assert basic not in str(caught.value) + repr(caught.value)


def test_debug_logs_of_oauth_libraries(
    server: ScriptedServer, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Loggers that print tokens stay silent at level DEBUG, and keep their levels."""
    names = ("oauthlib.oauth1.rfc5849", "oauthlib", "requests_oauthlib.oauth1_auth")
    for name in names:
        caplog.set_level(logging.DEBUG, name)
    server.answer(Scripted(200, {"by_post": {"1": {"favorites": "1"}}}))
    with client(USER, server, clock) as session:
        session.fetch(REQUEST)
    assert leaks(caplog.text) == []
    assert {logging.getLogger(name).level for name in names} == {logging.DEBUG}


@pytest.mark.parametrize("credentials", ALL, ids=repr)
def test_a_failed_connection(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, credentials: Any
) -> None:
    """The exception of requests has the signed request; the raised error does not."""
    caplog.set_level(logging.DEBUG)
    url = "http://127.0.0.1:9"
    session = ep.EngagementClient(
        credentials,
        base_url=url,
        token_url=url,
        attempts=2,
        clock=clock.time,
        sleep=clock.sleep,
    )
    with pytest.raises(ep.TransportError) as caught:
        session.fetch(REQUEST)
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert leaks(*report.format(), caplog.text, pickle.dumps(caught.value)) == []
    assert caught.value.__cause__ is not None
    assert getattr(caught.value.__cause__, "request", None) is None


def test_debug_logs_of_successful_requests(
    server: ScriptedServer, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The logs of all libraries contain no secret."""
    caplog.set_level(logging.DEBUG)
    token = {"access_token": CANARIES["bearer_token"]}
    success = Scripted(200, {"by_post": {"1": {"favorites": "1"}}})
    server.answer(success, Scripted(200, token), success)
    for credentials in (USER, KEYS):
        with client(credentials, server, clock) as session:
            session.fetch(REQUEST)
    assert leaks(caplog.text) == []


def test_responses_and_files(server: ScriptedServer, clock: FakeClock, tmp_path: Path) -> None:
    """Representations, pickles, frames, Parquet with its metadata, and CSV are searched."""
    server.answer(Scripted(200, {"by_post": {"1": {"favorites": "1"}}}))
    with client(USER, server, clock) as session:
        responses = session.fetch(REQUEST)
    counts = ep.flatten(responses)
    ep.write_parquet(counts, tmp_path / "counts.parquet")
    csv = io.StringIO()
    ep.write_csv(counts, csv)
    metadata = pq.read_metadata(tmp_path / "counts.parquet").metadata
    assert leaks(responses, pickle.dumps(responses), counts.attrs, metadata, csv.getvalue()) == []
    assert leaks((tmp_path / "counts.parquet").read_bytes()) == []


def decoded(cassette: Path) -> Iterator[str]:
    """Yield all texts of a cassette, with decoded binary data."""

    def walk(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, item in value.items():
                yield str(key)
                yield from walk(item)
        elif isinstance(value, list):
            for item in value:
                yield from walk(item)
        elif isinstance(value, bytes):
            yield value.decode("utf-8", "replace")
        else:
            yield str(value)

    yield from walk(yaml.safe_load(cassette.read_text()))


def test_recordings_have_no_secret(tmp_path: Path) -> None:
    """The settings of the tests record no signature, key or token."""
    with SandboxServer(now="2026-04-15T12:20:00Z") as sandbox:
        keys = sandbox.keys()
        secrets = [
            keys.consumer_key,
            keys.consumer_secret,
            keys.access_token,
            keys.access_token_secret,
            keys.bearer_token,
        ]
        app = ep.AppOnly.from_consumer(keys.consumer_key, keys.consumer_secret)
        owner = ep.UserContext(*secrets[:4])
        post = sandbox.world.posts()[-1].post_id
        recorder = vcr.VCR(
            before_record_request=without_secrets,
            before_record_response=without_tokens,
            decode_compressed_response=True,
            record_mode=vcr.mode.ALL,
        )
        with recorder.use_cassette(str(tmp_path / "tape.yaml")):
            for credentials in (app, owner):
                with ep.EngagementClient(
                    credentials, base_url=sandbox.base_url, token_url=sandbox.token_url
                ) as session:
                    session.fetch(ep.totals([post], engagement_types=["favorites"]))
    texts = "\n".join(decoded(tmp_path / "tape.yaml"))
    assert "/insights/engagement/totals" in texts
    assert "/oauth2/token" in texts
    assert [secret for secret in secrets if secret in texts] == []
    assert "oauth_signature" not in texts
    assert "uthorization" not in texts


@pytest.mark.parametrize("cassette", sorted(CASSETTES.glob("*.yaml")), ids=lambda path: path.stem)
def test_no_cassette_has_a_signature_or_token(cassette: Path) -> None:
    """All spellings and encodings are searched."""
    texts = "\n".join(decoded(cassette)).lower()
    for word in ("authorization", "oauth_", "bearer ", "basic ", "consumersecret", "consumerkey"):
        assert word not in texts
    tokens = [
        json.loads(text).get("access_token", "recorded")
        for text in decoded(cassette)
        if text.startswith("{")
    ]
    assert set(tokens) <= {"recorded"}


# Logins and the ledger

REQUEST_TOKEN, REQUEST_TOKEN_SECRET, PIN = "rt-CANARY-5", "rts-CANARY-6", "7654321"
CONSUMER = ep.Consumer(CANARIES["consumer_key"], CANARIES["consumer_secret"])
ISSUED = (
    f"oauth_token={REQUEST_TOKEN}&oauth_token_secret={REQUEST_TOKEN_SECRET}"
    "&oauth_callback_confirmed=true"
)
GRANTED = (
    f"oauth_token={CANARIES['access_token']}&user_id=9&screen_name=bakery"
    f"&oauth_token_secret={CANARIES['access_token_secret']}"
)


def login_leaks(*texts: object) -> list[str]:
    """Return the canaries in some texts, including those of a login."""
    combined = "\n".join(map(str, texts))
    temporary = (REQUEST_TOKEN, REQUEST_TOKEN_SECRET, PIN)
    return leaks(combined) + [canary for canary in temporary if canary in combined]


def error_leaks(error: BaseException, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the canaries in an error's output, including the variables of the package's frames."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    own_frames = [frame for frame in report.stack if "engagement_pandas" in frame.filename]
    assert own_frames
    frames = [str(frame.locals) for frame in own_frames]
    causes = [repr(error.__cause__), repr(error.__context__)]
    return login_leaks(
        error, repr(error), error.__dict__, *frames, *causes, caplog.text
    ) + login_leaks(pickle.dumps(error))


ECHO = " ".join([*CANARIES.values(), REQUEST_TOKEN, REQUEST_TOKEN_SECRET, PIN])
STEP_FAILURES = {
    **{
        str(status): Scripted(status, {"errors": [f"bad {ECHO}"]})
        for status in (302, 404, 429, 500)
    },
    "401": Scripted(401, f"bad {ECHO} callback".encode()),
    "cut off": Scripted(401, b"bad", cut=5),
}
INVALID_GRANTS = {
    "half of it": Scripted(200, GRANTED.replace("screen_name", "name").encode()),
    "no handle": Scripted(200, GRANTED.replace("bakery", "no%20one").encode()),
    "too much": Scripted(200, GRANTED.encode() + b"&" * 70_000),
}


@pytest.mark.slow
@pytest.mark.parametrize("failure", [*STEP_FAILURES, *INVALID_GRANTS])
def test_a_failed_login(
    server: ScriptedServer, clock: FakeClock, caplog: pytest.LogCaptureFixture, failure: str
) -> None:
    """Both steps are searched: message, data, causes, variables, pickle, log."""
    caplog.set_level(logging.DEBUG)
    url = f"{server.url}/oauth"
    response = (STEP_FAILURES | INVALID_GRANTS)[failure]
    server.answer(response)
    with pytest.raises(ep.EngagementError) as first:
        ep.begin_login(CONSUMER, login_url=url, clock=clock.time)
    app = {CANARIES["consumer_key"], CANARIES["consumer_secret"]}
    granted = {CANARIES["access_token"], CANARIES["access_token_secret"]}
    found = error_leaks(first.value, caplog)
    assert app.isdisjoint(found)
    assert failure not in INVALID_GRANTS or granted.isdisjoint(found)
    caplog.clear()
    server.answer(Scripted(200, ISSUED.encode()), response)
    pending = ep.begin_login(CONSUMER, login_url=url, clock=clock.time)
    with pytest.raises(ep.EngagementError) as second:
        pending.finish(PIN)
    found = error_leaks(second.value, caplog)
    assert (app | {PIN, REQUEST_TOKEN, REQUEST_TOKEN_SECRET}).isdisjoint(found)
    assert failure not in INVALID_GRANTS or granted.isdisjoint(found)


def test_a_login_without_a_response(caplog: pytest.LogCaptureFixture) -> None:
    """The exception of requests has the signed request; the raised error does not."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ep.TransportError) as caught:
        ep.begin_login(CONSUMER, login_url="http://127.0.0.1:9")
    assert error_leaks(caught.value, caplog) == []
    assert caught.value.__context__ is None


def test_a_secret_in_place_of_a_pin(
    server: ScriptedServer, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The error does not show what was typed."""
    server.answer(Scripted(200, ISSUED.encode()))
    pending = ep.begin_login(CONSUMER, login_url=f"{server.url}/oauth", clock=clock.time)
    with pytest.raises(ep.LoginRefused) as caught:
        pending.finish(CANARIES["access_token_secret"])
    assert error_leaks(caught.value, caplog) == []


def test_a_successful_login(
    server: ScriptedServer,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Logs, reprs and pickles are searched; only the file of accounts has the tokens."""
    caplog.set_level(logging.DEBUG)
    for name in ("oauthlib", "requests_oauthlib.oauth1_auth", "urllib3", "oauthlib.oauth1.rfc5849"):
        caplog.set_level(logging.DEBUG, name)
        monkeypatch.setattr(logging.getLogger(name), "filters", [])  # as in a new process
    server.answer(Scripted(200, ISSUED.encode()), Scripted(200, GRANTED.encode()))
    pending = ep.begin_login(CONSUMER, login_url=f"{server.url}/oauth", clock=clock.time)
    account = pending.finish(PIN)
    accounts = ep.Accounts(tmp_path / "accounts.json", consumer=CONSUMER)
    accounts.add(account)
    user = accounts.credentials("bakery")
    assert user.access_token == CANARIES["access_token"]
    ledger = ep.Ledger(tmp_path / "ledger.jsonl")
    ledger.record(account.handle)
    objects = [pending, account, accounts, user, user.account, CONSUMER, CONSUMER.app, ledger]
    assert login_leaks(*map(repr, objects), ledger._repr_html_(), caplog.text) == []
    for secret_object in (account, user, CONSUMER, pending._keys):
        with pytest.raises(ep.CredentialsError, match="cannot be pickled"):
            pickle.dumps(secret_object)
    with pytest.raises(ep.CredentialsError, match="cannot be pickled"):
        pickle.dumps(pending)
    files_with_secrets = {path.name for path in tmp_path.iterdir() if login_leaks(path.read_text())}
    assert files_with_secrets == {"accounts.json"}
    stored = set(login_leaks((tmp_path / "accounts.json").read_text()))
    assert stored == {CANARIES["access_token"], CANARIES["access_token_secret"]}


DAMAGES = {
    "cut": lambda text: text[:-3],
    "a line end in a token": lambda text: text.replace("CANARY-2", "CANARY-2\\n"),
    "another version": lambda text: text.replace('"version": 1', '"version": 2'),
    "no handle": lambda text: text.replace("bakery", "bak ery"),
    "for all to read": lambda text: text,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_refused_file_of_accounts(
    caplog: pytest.LogCaptureFixture, tmp_path: Path, damage: str
) -> None:
    """Its content is not shown."""
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "accounts.json"
    accounts = ep.Accounts(path, consumer=CONSUMER)
    tokens = (CANARIES["access_token"], CANARIES["access_token_secret"])
    accounts.add(ep.Account("bakery", "9", CONSUMER.app, datetime.now(UTC), *tokens))
    path.write_text(DAMAGES[damage](path.read_text()))
    path.chmod(0o644 if damage == "for all to read" else 0o600)
    for use in (lambda: accounts.handles, accounts.credentials, accounts.check):
        with pytest.raises(ep.AccountsError) as caught:
            use()
        assert error_leaks(caught.value, caplog) == []
    assert login_leaks(repr(accounts)) == []


def test_tokens_of_another_app(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """The error has digests of the keys."""
    accounts = ep.Accounts(tmp_path / "accounts.json", consumer=ep.Consumer("other", "secret"))
    tokens = (CANARIES["access_token"], CANARIES["access_token_secret"])
    accounts.add(ep.Account("bakery", "9", CONSUMER.app, datetime.now(UTC), *tokens))
    with pytest.raises(ep.AccountsError) as caught:
        accounts.credentials("bakery")
    assert error_leaks(caught.value, caplog) == []


@pytest.mark.slow
def test_help_texts_have_no_secret() -> None:
    """Signatures, defaults, fields, attributes and documentation of all modules are searched."""
    canaries = {f"X_{name.upper()}": value for name, value in CANARIES.items()}
    fallbacks = {name.replace("X_", "TWITTER_"): value for name, value in canaries.items()}
    others = dict.fromkeys(("X_ACCOUNTS", "AWS_SECRET_ACCESS_KEY"), "9-CANARY-other")
    done = subprocess.run(  # noqa: S603 - a command of our own
        [sys.executable, Path(__file__).parents[0] / "support/help_texts.py", "CANARY"],
        env=os.environ | canaries | fallbacks | others,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    *found, checked = done.stdout.split()
    assert found == []
    assert int(checked) > 1500
