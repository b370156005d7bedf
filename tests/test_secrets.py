"""Canaries: credentials that are looked for wherever the package leaves something behind."""

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


def found(*texts: object) -> list[str]:
    """Return the canaries in some texts, plain or as base64 of basic auth."""
    keys = f"{CANARIES['consumer_key']}:{CANARIES['consumer_secret']}"
    hidden = [base64.b64encode(keys.encode()).decode()]
    whole = "\n".join(map(str, texts))
    return [canary for canary in [*CANARIES.values(), *hidden] if canary in whole]


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


def test_the_search_itself() -> None:
    """A canary that is there is found."""
    assert found("x 9-access-token-CANARY-2 y") == [CANARIES["access_token"]]


@pytest.mark.parametrize("credentials", ALL, ids=repr)
def test_repr(credentials: Any) -> None:
    """Of credentials, of a signer, of a client, and formatted."""
    with ep.EngagementClient(credentials) as made:
        assert found(credentials, repr(credentials), f"{credentials!s}", made, repr(made)) == []


def echo(status: int) -> Scripted:
    """Answer with everything that must not be told."""
    return Scripted(status, {"errors": [f"bad {' '.join(CANARIES.values())}"]})


def fetched() -> Scripted:
    """Answer with a bearer token, and a number beside it as others do."""
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
    """Whatever fails: message, data, causes, traceback with all local variables, pickle, log."""
    caplog.set_level(logging.DEBUG)
    server.answer(*FAILURES[failure])
    with client(credentials, server, clock) as asking, pytest.raises(ep.EngagementError) as caught:
        asking.fetch(REQUEST)
    error = caught.value
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    hidden = set(credentials._secrets().values())
    leaked = found(
        str(error), repr(error), error.__dict__, *told.format(), repr(error.__cause__), caplog.text
    )
    assert hidden.isdisjoint(leaked)
    assert hidden.isdisjoint(found(pickle.dumps(error)))


@pytest.mark.slow
@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_a_fetched_token_that_is_echoed(
    server: ScriptedServer, clock: FakeClock, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """The bearer token that the client fetched itself is a secret like the given ones."""
    caplog.set_level(logging.DEBUG)
    server.answer(fetched(), echo(status), echo(status))
    with client(KEYS, server, clock) as asking, pytest.raises(ep.EngagementError) as caught:
        asking.fetch(REQUEST)
    error = caught.value
    told = traceback.TracebackException.from_exception(error, capture_locals=True).format()
    leaked = found(str(error), repr(error), error.__dict__, *told, caplog.text, pickle.dumps(error))
    own = {CANARIES[name] for name in ("consumer_key", "consumer_secret", "bearer_token")}
    assert own.isdisjoint(leaked)


def test_basic_credentials_that_are_echoed(server: ScriptedServer, clock: FakeClock) -> None:
    """Key and secret as the header of basic auth has them."""
    keys = f"{CANARIES['consumer_key']}:{CANARIES['consumer_secret']}".encode()
    basic = base64.b64encode(keys).decode()
    server.answer(Scripted(403, {"errors": [f"bad Authorization: Basic {basic}"]}))
    with client(KEYS, server, clock) as asking, pytest.raises(ep.RefusedError) as caught:
        asking.fetch(REQUEST)
    assert basic not in str(caught.value) + repr(caught.value)


def test_logs_that_somebody_turned_up(
    server: ScriptedServer, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Even where the very loggers that tell tokens are set to DEBUG; their levels are kept."""
    names = ("oauthlib.oauth1.rfc5849", "oauthlib", "requests_oauthlib.oauth1_auth")
    for name in names:
        caplog.set_level(logging.DEBUG, name)
    server.answer(Scripted(200, {"by_post": {"1": {"favorites": "1"}}}))
    with client(USER, server, clock) as asking:
        asking.fetch(REQUEST)
    assert found(caplog.text) == []
    assert {logging.getLogger(name).level for name in names} == {logging.DEBUG}


@pytest.mark.parametrize("credentials", ALL, ids=repr)
def test_a_connection_that_fails(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, credentials: Any
) -> None:
    """The exception of requests holds the signed request; what is raised does not."""
    caplog.set_level(logging.DEBUG)
    nowhere = "http://127.0.0.1:9"
    asking = ep.EngagementClient(
        credentials,
        base_url=nowhere,
        token_url=nowhere,
        attempts=2,
        clock=clock.time,
        sleep=clock.sleep,
    )
    with pytest.raises(ep.TransportError) as caught:
        asking.fetch(REQUEST)
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert found(*told.format(), caplog.text, pickle.dumps(caught.value)) == []
    assert caught.value.__cause__ is not None
    assert getattr(caught.value.__cause__, "request", None) is None


def test_logs_of_a_good_day(
    server: ScriptedServer, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """At level DEBUG of every library: nothing."""
    caplog.set_level(logging.DEBUG)
    token = {"access_token": CANARIES["bearer_token"]}
    good = Scripted(200, {"by_post": {"1": {"favorites": "1"}}})
    server.answer(good, Scripted(200, token), good)
    for credentials in (USER, KEYS):
        with client(credentials, server, clock) as asking:
            asking.fetch(REQUEST)
    assert found(caplog.text) == []


def test_responses_and_files(server: ScriptedServer, clock: FakeClock, tmp_path: Path) -> None:
    """What is kept of an answer: repr, pickle, frame, Parquet with its metadata, CSV."""
    server.answer(Scripted(200, {"by_post": {"1": {"favorites": "1"}}}))
    with client(USER, server, clock) as asking:
        responses = asking.fetch(REQUEST)
    counts = ep.flatten(responses)
    ep.write_parquet(counts, tmp_path / "counts.parquet")
    csv = io.StringIO()
    ep.write_csv(counts, csv)
    metadata = pq.read_metadata(tmp_path / "counts.parquet").metadata
    assert found(responses, pickle.dumps(responses), counts.attrs, metadata, csv.getvalue()) == []
    assert found((tmp_path / "counts.parquet").read_bytes()) == []


def decoded(cassette: Path) -> Iterator[str]:
    """Yield all that a cassette holds: binaries decoded, header by header."""

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


def test_a_recording_keeps_no_secret(tmp_path: Path) -> None:
    """Recorded with the settings of the tests: no signature, no key, no token."""
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
                ) as asking:
                    asking.fetch(ep.totals([post], engagement_types=["favorites"]))
    texts = "\n".join(decoded(tmp_path / "tape.yaml"))
    assert "/insights/engagement/totals" in texts
    assert "/oauth2/token" in texts
    assert [secret for secret in secrets if secret in texts] == []
    assert "oauth_signature" not in texts
    assert "uthorization" not in texts


@pytest.mark.parametrize("cassette", sorted(CASSETTES.glob("*.yaml")), ids=lambda path: path.stem)
def test_no_cassette_holds_a_signature_or_token(cassette: Path) -> None:
    """In any spelling and encoding."""
    texts = "\n".join(decoded(cassette)).lower()
    for word in ("authorization", "oauth_", "bearer ", "basic ", "consumersecret", "consumerkey"):
        assert word not in texts
    tokens = [
        json.loads(text).get("access_token", "recorded")
        for text in decoded(cassette)
        if text.startswith("{")
    ]
    assert set(tokens) <= {"recorded"}


# Logins: what passes through, what is kept, and the ledger beside it

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


def leaked(*texts: object) -> list[str]:
    """Return the canaries in some texts, those of a login among them."""
    whole = "\n".join(map(str, texts))
    passing = (REQUEST_TOKEN, REQUEST_TOKEN_SECRET, PIN)
    return found(whole) + [canary for canary in passing if canary in whole]


def left_behind(error: BaseException, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the canaries in all that an error leaves, our frames with their variables."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [frame for frame in told.stack if "engagement_pandas" in frame.filename]
    assert ours
    frames = [str(frame.locals) for frame in ours]
    causes = [repr(error.__cause__), repr(error.__context__)]
    return leaked(error, repr(error), error.__dict__, *frames, *causes, caplog.text) + leaked(
        pickle.dumps(error)
    )


ECHO = " ".join([*CANARIES.values(), REQUEST_TOKEN, REQUEST_TOKEN_SECRET, PIN])
STEP_FAILURES = {
    **{
        str(status): Scripted(status, {"errors": [f"bad {ECHO}"]})
        for status in (302, 404, 429, 500)
    },
    "401": Scripted(401, f"bad {ECHO} callback".encode()),
    "cut off": Scripted(401, b"bad", cut=5),
}
SPOILT = {
    "half of it": Scripted(200, GRANTED.replace("screen_name", "name").encode()),
    "no handle": Scripted(200, GRANTED.replace("bakery", "no%20one").encode()),
    "too much": Scripted(200, GRANTED.encode() + b"&" * 70_000),
}


@pytest.mark.slow
@pytest.mark.parametrize("failure", [*STEP_FAILURES, *SPOILT])
def test_a_login_that_fails(
    server: ScriptedServer, clock: FakeClock, caplog: pytest.LogCaptureFixture, failure: str
) -> None:
    """In either step: message, data, causes, our variables, pickle, log."""
    caplog.set_level(logging.DEBUG)
    url = f"{server.url}/oauth"
    spoilt = (STEP_FAILURES | SPOILT)[failure]
    server.answer(spoilt)
    with pytest.raises(ep.EngagementError) as first:
        ep.begin_login(CONSUMER, login_url=url, clock=clock.time)
    app = {CANARIES["consumer_key"], CANARIES["consumer_secret"]}
    granted = {CANARIES["access_token"], CANARIES["access_token_secret"]}
    shown = left_behind(first.value, caplog)
    assert app.isdisjoint(shown)
    assert failure not in SPOILT or granted.isdisjoint(shown)
    caplog.clear()
    server.answer(Scripted(200, ISSUED.encode()), spoilt)
    pending = ep.begin_login(CONSUMER, login_url=url, clock=clock.time)
    with pytest.raises(ep.EngagementError) as second:
        pending.finish(PIN)
    shown = left_behind(second.value, caplog)
    assert (app | {PIN, REQUEST_TOKEN, REQUEST_TOKEN_SECRET}).isdisjoint(shown)
    assert failure not in SPOILT or granted.isdisjoint(shown)


def test_a_login_without_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    """The exception of requests holds the signed request; what is raised does not."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ep.TransportError) as caught:
        ep.begin_login(CONSUMER, login_url="http://127.0.0.1:9")
    assert left_behind(caught.value, caplog) == []
    assert caught.value.__context__ is None


def test_a_pin_that_is_none(
    server: ScriptedServer, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody pastes a secret where the PIN belongs."""
    server.answer(Scripted(200, ISSUED.encode()))
    pending = ep.begin_login(CONSUMER, login_url=f"{server.url}/oauth", clock=clock.time)
    with pytest.raises(ep.LoginRefused) as caught:
        pending.finish(CANARIES["access_token_secret"])
    assert left_behind(caught.value, caplog) == []


def test_a_good_login(
    server: ScriptedServer,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Logs at level DEBUG, reprs and pickles of all that takes part; files but for the one."""
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
    shown = [pending, account, accounts, user, user.account, CONSUMER, CONSUMER.app, ledger]
    assert leaked(*map(repr, shown), ledger._repr_html_(), caplog.text) == []
    for kept in (account, user, CONSUMER, pending._keys):
        with pytest.raises(ep.CredentialsError, match="cannot be pickled"):
            pickle.dumps(kept)
    with pytest.raises(ep.CredentialsError, match="cannot be pickled"):
        pickle.dumps(pending)
    holding = {path.name for path in tmp_path.iterdir() if leaked(path.read_text())}
    assert holding == {"accounts.json"}
    kept_of = set(leaked((tmp_path / "accounts.json").read_text()))
    assert kept_of == {CANARIES["access_token"], CANARIES["access_token_secret"]}


DAMAGES = {
    "cut": lambda text: text[:-3],
    "a line end in a token": lambda text: text.replace("CANARY-2", "CANARY-2\\n"),
    "another version": lambda text: text.replace('"version": 1', '"version": 2'),
    "no handle": lambda text: text.replace("bakery", "bak ery"),
    "for all to read": lambda text: text,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_of_accounts_that_is_refused(
    caplog: pytest.LogCaptureFixture, tmp_path: Path, damage: str
) -> None:
    """None of what is in it gets out."""
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
        assert left_behind(caught.value, caplog) == []
    assert leaked(repr(accounts)) == []


def test_tokens_of_another_app(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """The mismatch is told by digests."""
    accounts = ep.Accounts(tmp_path / "accounts.json", consumer=ep.Consumer("other", "secret"))
    tokens = (CANARIES["access_token"], CANARIES["access_token_secret"])
    accounts.add(ep.Account("bakery", "9", CONSUMER.app, datetime.now(UTC), *tokens))
    with pytest.raises(ep.AccountsError) as caught:
        accounts.credentials("bakery")
    assert left_behind(caught.value, caplog) == []


@pytest.mark.slow
def test_no_help_text_holds_the_environment() -> None:
    """Signatures, defaults, fields, attributes, documentation: of every module and public name."""
    canaries = {f"X_{name.upper()}": value for name, value in CANARIES.items()}
    twins = {name.replace("X_", "TWITTER_"): value for name, value in canaries.items()}
    others = dict.fromkeys(("X_ACCOUNTS", "AWS_SECRET_ACCESS_KEY"), "9-CANARY-other")
    done = subprocess.run(  # noqa: S603 - a command of our own
        [sys.executable, Path(__file__).parents[0] / "support/help_texts.py", "CANARY"],
        env=os.environ | canaries | twins | others,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    *leaking, looked = done.stdout.split()
    assert leaking == []
    assert int(looked) > 1500
