"""Secrets in all encodings are searched for in all output, while a server echoes them."""

from __future__ import annotations

import base64
import gzip
import io
import json
import logging
import pickle
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hostile.raw import RawServer, respond_with
from ipywidgets.embed import dependency_state
from support.scripted import FakeClock, Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.cli import main

NAMES = ("consumer_key", "consumer_secret", "access_token", "access_token_secret", "bearer_token")
# Like real ones: a bearer token contains %2F, an access token begins with a number.
CANARIES = {name: f"9-{name.replace('_', '')}%2FCANARY{place}" for place, name in enumerate(NAMES)}
USER = ep.UserContext(*list(CANARIES.values())[:4])
APP = ep.AppOnly(CANARIES["bearer_token"])
KEYS = ep.AppOnly.from_consumer(CANARIES["consumer_key"], CANARIES["consumer_secret"])
REQUEST = ep.totals(["1"], engagement_types=["favorites"])
GOOD = Scripted(200, {"by_post": {"1": {"favorites": "1"}}})


def spellings(secret: str) -> Iterator[str]:
    """Yield the forms of a secret: as it is, encoded, or part of encoded text."""
    yield secret
    yield unquote(secret)
    yield quote(secret, safe="")
    yield quote(quote(secret, safe=""), safe="")
    yield secret[::-1]
    yield secret.encode().hex()
    yield json.dumps(secret)[1:-1].replace("/", "\\/")
    for before in ("", "x", "xx"):  # base64 of a longer text has three alignments
        encoded = base64.b64encode((before + secret).encode()).decode()
        yield encoded[4 : len(encoded) - 4]


def leaks(*outputs: Any) -> list[str]:
    """Return the canaries in some output."""
    texts = [item.decode("latin-1") if isinstance(item, bytes) else str(item) for item in outputs]
    combined = "\n".join(texts)
    return [
        f"{name}: {form}"
        for name, secret in CANARIES.items()
        for form in dict.fromkeys(spellings(secret))
        if form in combined
    ]


def client(credentials: Any, url: str) -> ep.EngagementClient:
    """Return a client of a server."""
    clock = FakeClock()
    return ep.EngagementClient(
        credentials,
        base_url=url,
        token_url=f"{url}/oauth2/token",
        attempts=2,
        clock=clock.time,
        sleep=clock.sleep,
    )


@pytest.mark.parametrize("secret", CANARIES.values(), ids=CANARIES)
def test_the_search_finds_canaries(secret: str) -> None:
    """They are found inside longer texts."""
    for text in (
        f"a {secret} b",
        f"oauth_token={quote(secret, safe='')}&",
        base64.b64encode(f"Basic {secret}:{secret}".encode()).decode(),
        secret[::-1],
        {"nested": [secret]},
        secret.encode(),
    ):
        assert leaks(text)


def contents(error: BaseException) -> list[Any]:
    """Return all output of an error, its causes and variables, except for those of this file."""
    parts: list[Any] = []
    current: BaseException | None = error
    while current is not None:
        parts += [str(current), repr(current), vars(current), getattr(current, "__notes__", ())]
        current = current.__cause__ or current.__context__
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    report.stack[:] = [frame for frame in report.stack if frame.filename != __file__]
    return [*parts, *report.format(), pickle.dumps(error)]


ECHO = " ".join(f"{v} {quote(v, safe='')} {unquote(v)}" for v in CANARIES.values())
HEADERS = {
    "a status": f"HTTP/1.1 {ECHO}",
    "no HTTP": ECHO,
    "a reason": f"HTTP/1.1 500 {ECHO}\nContent-Length: 0",
    "a header": f"HTTP/1.1 403 No\nX-Echo: {ECHO}\nContent-Length: 0",
    "a length": f"HTTP/1.1 200 OK\nContent-Length: {ECHO}",
    "a packing": f"HTTP/1.1 200 OK\nContent-Encoding: {ECHO}\nContent-Length: 0",
    "the quota": f"HTTP/1.1 429 No\nX-Per-Minute-Remaining: {ECHO}\nContent-Length: 0",
    "a redirect": f"HTTP/1.1 302 No\nLocation: http://{CANARIES['access_token']}/"
    f"{CANARIES['bearer_token']}?{ECHO}\nContent-Length: 0",
    "a chunk": f"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n{ECHO}",
}


def leaks_of(credentials: Any, leaked: list[str]) -> list[str]:
    """Return the leaks of the secrets of these credentials."""
    return [leak for leak in leaked if leak.split(":")[0] in credentials._secrets()]


@pytest.mark.slow
@pytest.mark.parametrize("credentials", [USER, APP, KEYS], ids=repr)
@pytest.mark.parametrize("head", HEADERS.values(), ids=HEADERS)
def test_echoes_in_heads(head: str, credentials: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A part of a reply that echoes secrets does not reach errors or the libraries' logs."""
    caplog.set_level(logging.DEBUG)
    with (
        RawServer(respond_with(head)) as server,
        client(credentials, server.url) as echoed,
        pytest.raises(ep.EngagementError) as caught,
    ):
        echoed.fetch(REQUEST)
    own_logs = [r.getMessage() for r in caplog.records if not r.name.startswith("urllib3")]
    assert leaks_of(credentials, leaks(*contents(caught.value), *own_logs)) == []


@pytest.mark.slow
@pytest.mark.parametrize("credentials", [USER, APP, KEYS], ids=repr)
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 500])
@pytest.mark.parametrize(
    "body",
    [
        {"errors": [ECHO]},
        {"errors": [{"message": ECHO, "code": 9}]},
        f"<h1>{ECHO}</h1>".encode(),
        json.dumps({"errors": [ECHO]}).encode()[:-1],
    ],
    ids=["texts", "objects", "a page", "cut off"],
)
def test_echoes_in_bodies(
    server: ScriptedServer,
    status: int,
    credentials: Any,
    body: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The body does not reach errors or logs either."""
    caplog.set_level(logging.DEBUG)
    server.answer(*[Scripted(status, body)] * 4)
    with client(credentials, server.url) as echoed, pytest.raises(ep.EngagementError) as caught:
        ep.flatten(echoed.fetch(REQUEST))
    assert leaks_of(credentials, leaks(*contents(caught.value), caplog.text)) == []


def test_a_session_leaks_no_secret(
    server: ScriptedServer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Objects, frames, files, pickles, archives, logs, warnings and streams are searched."""
    caplog.set_level(logging.DEBUG)
    server.answer(*[GOOD] * 4)
    outputs: list[Any] = []
    with warnings.catch_warnings(record=True) as warned, client(USER, server.url) as session:
        warnings.simplefilter("always")
        plan = ep.plan(REQUEST)
        responses = session.fetch(plan)
        collected = session.collect(REQUEST, into=ep.Archive(tmp_path / "raw"))
        counts, omissions = ep.flatten(responses), ep.omissions(responses)
        ep.write_parquet(counts, tmp_path / "counts.parquet")
        ep.write_csv(counts, tmp_path / "counts.csv")
        for value in (USER, session, session.quota, plan, responses, collected, counts, omissions):
            outputs += [repr(value), str(value), getattr(value, "_repr_html_", str)()]
        outputs += [counts.attrs, pickle.dumps((responses, counts, plan))]
    outputs += [str(warning.message) for warning in warned]
    for file in tmp_path.rglob("*"):
        if file.is_file():
            stored = file.read_bytes()
            outputs += [file.name, stored]
            outputs += [gzip.decompress(stored)] if stored[:2] == b"\x1f\x8b" else []
    assert len(list(tmp_path.rglob("*.json.gz"))) == 2
    assert leaks(*outputs, caplog.text, *capfd.readouterr()) == []


def test_widgets_have_no_secret(server: ScriptedServer) -> None:
    """Their state is sent to the browser and saved with a notebook."""
    with client(USER, server.url) as session:
        explorer = ep.FetchExplorer(session, ["1"])
        state = dependency_state([explorer], drop_defaults=False)
        assert len(state) > 10
        assert leaks(json.dumps(state, default=repr), repr(explorer), explorer.code) == []
        explorer.close()


@pytest.mark.parametrize("response", [GOOD, Scripted(401, {"errors": [ECHO]})], ids=["good", "bad"])
def test_the_command_line_prints_no_secret(
    server: ScriptedServer,
    response: Scripted,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Neither stream shows one, also with --verbose."""
    for name in NAMES[:4]:
        monkeypatch.setenv(f"X_{name.upper()}", CANARIES[name])
    monkeypatch.setenv("X_BASE_URL", server.url)
    ids = tmp_path / "ids.txt"
    ids.write_text("1\n")
    server.answer(response)
    main(["totals", str(ids), "--types", "favorites", "--verbose"])
    streams = capfd.readouterr()
    assert len(server.seen) == 1
    assert leaks_of(USER, leaks(*streams)) == []


def test_objects_with_credentials_are_not_pickled() -> None:
    """A client holds credentials, so it cannot be pickled either."""
    with client(USER, "http://127.0.0.1:9") as session:
        for value in (USER, APP, KEYS, session):
            with pytest.raises((ep.CredentialsError, TypeError)) as caught:
                pickle.dump(value, io.BytesIO())
            assert leaks(*contents(caught.value)[:-1]) == []
