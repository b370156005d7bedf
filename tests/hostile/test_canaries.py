"""Canaries in every spelling, looked for in all that is left behind while a server echoes them."""

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
from hostile.raw import RawServer, saying
from ipywidgets.embed import dependency_state
from support.scripted import FakeClock, Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.cli import main

NAMES = ("consumer_key", "consumer_secret", "access_token", "access_token_secret", "bearer_token")
# As real ones are: a bearer token has %2F in it, an access token begins with a number.
CANARIES = {name: f"9-{name.replace('_', '')}%2FCANARY{place}" for place, name in enumerate(NAMES)}
USER = ep.UserContext(*list(CANARIES.values())[:4])
APP = ep.AppOnly(CANARIES["bearer_token"])
KEYS = ep.AppOnly.from_consumer(CANARIES["consumer_key"], CANARIES["consumer_secret"])
REQUEST = ep.totals(["1"], engagement_types=["favorites"])
GOOD = Scripted(200, {"by_post": {"1": {"favorites": "1"}}})


def spellings(secret: str) -> Iterator[str]:
    """Yield how a secret may stand somewhere: as it is, encoded, or within what is encoded."""
    yield secret
    yield unquote(secret)
    yield quote(secret, safe="")
    yield quote(quote(secret, safe=""), safe="")
    yield secret[::-1]
    yield secret.encode().hex()
    yield json.dumps(secret)[1:-1].replace("/", "\\/")
    for before in ("", "x", "xx"):  # base64 of a longer text has it in one of three ways
        whole = base64.b64encode((before + secret).encode()).decode()
        yield whole[4 : len(whole) - 4]


def found(*left: Any) -> list[str]:
    """Return the canaries in what is left."""
    texts = [item.decode("latin-1") if isinstance(item, bytes) else str(item) for item in left]
    whole = "\n".join(texts)
    return [
        f"{name}: {form}"
        for name, secret in CANARIES.items()
        for form in dict.fromkeys(spellings(secret))
        if form in whole
    ]


def client(credentials: Any, url: str) -> ep.EngagementClient:
    """Return a client of some server."""
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
def test_the_search_itself(secret: str) -> None:
    """What is hidden in longer texts is found."""
    for text in (
        f"a {secret} b",
        f"oauth_token={quote(secret, safe='')}&",
        base64.b64encode(f"Basic {secret}:{secret}".encode()).decode(),
        secret[::-1],
        {"nested": [secret]},
        secret.encode(),
    ):
        assert found(text)


def everything(error: BaseException) -> list[Any]:
    """Return all that an error tells, its causes and all variables but this file's included."""
    told: list[Any] = []
    seen: BaseException | None = error
    while seen is not None:
        told += [str(seen), repr(seen), vars(seen), getattr(seen, "__notes__", ())]
        seen = seen.__cause__ or seen.__context__
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    shown.stack[:] = [frame for frame in shown.stack if frame.filename != __file__]
    return [*told, *shown.format(), pickle.dumps(error)]


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


def own(credentials: Any, leaked: list[str]) -> list[str]:
    """Return what was leaked of the secrets that these credentials have."""
    return [leak for leak in leaked if leak.split(":")[0] in credentials._secrets()]


@pytest.mark.slow
@pytest.mark.parametrize("credentials", [USER, APP, KEYS], ids=repr)
@pytest.mark.parametrize("head", HEADERS.values(), ids=HEADERS)
def test_echoes_around_a_body(
    head: str, credentials: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """In whatever part of a reply they come back: not in errors, nor in any library's log."""
    caplog.set_level(logging.DEBUG)
    with (
        RawServer(saying(head)) as server,
        client(credentials, server.url) as asking,
        pytest.raises(ep.EngagementError) as caught,
    ):
        asking.fetch(REQUEST)
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("urllib3")]
    assert own(credentials, found(*everything(caught.value), *ours)) == []


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
def test_echoes_in_a_body(
    server: ScriptedServer,
    status: int,
    credentials: Any,
    body: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nor where the body has them."""
    caplog.set_level(logging.DEBUG)
    server.answer(*[Scripted(status, body)] * 4)
    with client(credentials, server.url) as asking, pytest.raises(ep.EngagementError) as caught:
        ep.flatten(asking.fetch(REQUEST))
    assert own(credentials, found(*everything(caught.value), caplog.text)) == []


def test_what_a_session_of_work_leaves_behind(
    server: ScriptedServer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Objects, frames, files, pickles, the archive unpacked, logs, warnings, what is printed."""
    caplog.set_level(logging.DEBUG)
    server.answer(*[GOOD] * 4)
    left: list[Any] = []
    with warnings.catch_warnings(record=True) as warned, client(USER, server.url) as asking:
        warnings.simplefilter("always")
        plan = ep.plan(REQUEST)
        responses = asking.fetch(plan)
        collected = asking.collect(REQUEST, into=ep.Archive(tmp_path / "raw"))
        counts, silent = ep.flatten(responses), ep.omissions(responses)
        ep.write_parquet(counts, tmp_path / "counts.parquet")
        ep.write_csv(counts, tmp_path / "counts.csv")
        for thing in (USER, asking, asking.quota, plan, responses, collected, counts, silent):
            left += [repr(thing), str(thing), getattr(thing, "_repr_html_", str)()]
        left += [counts.attrs, pickle.dumps((responses, counts, plan))]
    left += [str(warning.message) for warning in warned]
    for file in tmp_path.rglob("*"):
        if file.is_file():
            stored = file.read_bytes()
            left += [file.name, stored]
            left += [gzip.decompress(stored)] if stored[:2] == b"\x1f\x8b" else []
    assert len(list(tmp_path.rglob("*.json.gz"))) == 2
    assert found(*left, caplog.text, *capfd.readouterr()) == []


def test_the_state_of_an_explorer(server: ScriptedServer) -> None:
    """What is sent to the browser, and saved with a notebook, for each of its widgets."""
    with client(USER, server.url) as asking:
        explorer = ep.FetchExplorer(asking, ["1"])
        state = dependency_state([explorer], drop_defaults=False)
        assert len(state) > 10
        assert found(json.dumps(state, default=repr), repr(explorer), explorer.code) == []
        explorer.close()


@pytest.mark.parametrize("answer", [GOOD, Scripted(401, {"errors": [ECHO]})], ids=["good", "bad"])
def test_the_command_line(
    server: ScriptedServer,
    answer: Scripted,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Nothing on either stream, however much it is asked to tell."""
    for name in NAMES[:4]:
        monkeypatch.setenv(f"X_{name.upper()}", CANARIES[name])
    monkeypatch.setenv("X_BASE_URL", server.url)
    ids = tmp_path / "ids.txt"
    ids.write_text("1\n")
    server.answer(answer)
    main(["totals", str(ids), "--types", "favorites", "--verbose"])
    streams = capfd.readouterr()
    assert len(server.seen) == 1
    assert own(USER, found(*streams)) == []


def test_secrets_are_not_pickled_by_way_of_something_else() -> None:
    """A client holds them, and so it is not written either."""
    with client(USER, "http://127.0.0.1:9") as asking:
        for thing in (USER, APP, KEYS, asking):
            with pytest.raises((ep.CredentialsError, TypeError)) as caught:
                pickle.dump(thing, io.BytesIO())
            assert found(*everything(caught.value)[:-1]) == []
