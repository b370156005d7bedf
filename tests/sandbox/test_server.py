"""The service on the wire: connections, faults, the log, beginning and end."""

from __future__ import annotations

import gc
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import weakref
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from support import processes
from support.processes import PATIENCE

from engagement_pandas import sandbox as package
from engagement_pandas.sandbox import SandboxServer, serve

TOTALS = "/insights/engagement/totals"


def test_requests_oauthlib_is_let_in(ask: Any) -> None:
    """A client of common make gets JSON, compressed."""
    answer = ask()
    assert answer.status_code == 200
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["x-per-minute-limit"] == "1000000"
    assert set(answer.json()) == {"g"}


def test_a_connection_is_kept(raw: http.client.HTTPConnection) -> None:
    """Several requests, refused ones included, go over one socket."""
    raw.connect()
    first = raw.sock
    for path in (TOTALS, "/nowhere", "/oauth2/token", TOTALS):
        raw.request("POST", path, b"{}", {"Accept-Encoding": "gzip"})
        answer = raw.getresponse()
        answer.read()
        assert answer.status in {401, 403, 404}
        assert raw.sock is first


def test_an_answer_to_head_has_no_body(raw: http.client.HTTPConnection) -> None:
    """405 like any other method, and the connection stays usable."""
    for _ in range(2):
        raw.request("HEAD", TOTALS, headers={"Accept-Encoding": "gzip"})
        answer = raw.getresponse()
        assert (answer.status, answer.read()) == (405, b"")


def test_dates_its_answers_by_the_wall_clock() -> None:
    """The same clock that resets the quota, so that a client can tell the distance."""
    with SandboxServer(wall=lambda: 1_776_255_600.0) as server:
        answer = requests.get(f"{server.base_url}/nowhere", timeout=PATIENCE)
    assert answer.headers["Date"] == "Wed, 15 Apr 2026 12:20:00 GMT"


def test_the_log_tells_what_was_sent(sandbox: SandboxServer, ask: Any) -> None:
    """Method, path, body, status; no header, so no secret."""
    ask()
    requests.get(f"{sandbox.base_url}/nowhere?oauth_token=canary", timeout=PATIENCE)
    first, second = sandbox.requests
    assert (first.method, first.path, first.scheme, first.status) == ("POST", TOTALS, "OAuth", 200)
    assert json.loads(first.body)["engagement_types"] == ["favorites"]
    assert (second.method, second.path, second.status) == ("GET", "/nowhere", 404)
    keys = sandbox.keys()
    for secret in (keys.access_token, keys.consumer_key, keys.bearer_token, "canary"):
        assert secret not in repr(sandbox.requests)


def test_no_secret_is_in_a_repr(sandbox: SandboxServer) -> None:
    """Neither the keys' nor the server's."""
    keys = sandbox.keys()
    shown = repr(keys) + repr(sandbox)
    for secret in (keys.consumer_secret, keys.access_token_secret, keys.bearer_token):
        assert secret not in shown


def test_the_repr_says_that_counts_are_synthetic(sandbox: SandboxServer) -> None:
    """Nobody shall take them for real."""
    assert "all counts are synthetic" in repr(sandbox)


# Malformed HTTP


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 4000001\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"BREW / HTTP/1.1\r\n\r\n", 501),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
    ],
)
def test_malformed_http_is_answered(sandbox: SandboxServer, lines: bytes, status: int) -> None:
    """In the API's form, and the connection is closed."""
    host, port = urlsplit(sandbox.base_url).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as line:
        line.sendall(lines)
        with line.makefile("rb") as answer:
            received = answer.read()
    assert f" {status} ".encode() in received.partition(b"\r\n")[0]
    assert b"Content-Encoding: gzip" in received


# Beginning and end


def test_closing_twice_is_harmless(ask: Any, sandbox: SandboxServer) -> None:
    """Afterwards nobody answers, not even on a connection that was open."""
    ask()
    sandbox.close()
    sandbox.close()
    with pytest.raises(requests.ConnectionError):
        ask()


@pytest.mark.slow
def test_closing_leaves_no_thread_and_no_socket() -> None:
    """Also with a client still connected."""
    before = set(threading.enumerate())
    with SandboxServer() as server:
        netloc = urlsplit(server.base_url).netloc
        connection = http.client.HTTPConnection(netloc, timeout=PATIENCE)
        connection.request("POST", "/")
        connection.getresponse().read()
        assert len(set(threading.enumerate()) - before) == 2
    assert set(threading.enumerate()) == before
    connection.close()
    gc.collect()  # a ResourceWarning would be an error here


@pytest.mark.slow
def test_a_forgotten_server_stops() -> None:
    """It is closed when nobody holds it any more."""
    server = SandboxServer()
    url, gone = server.base_url, weakref.ref(server)
    del server
    gc.collect()
    assert gone() is None
    with pytest.raises(requests.ConnectionError):
        requests.post(url, timeout=PATIENCE)


@pytest.mark.slow
def test_many_at_once(sandbox: SandboxServer, oauth: Any, body: Any) -> None:
    """Ten clients in ten threads get what one gets."""
    asked = body([post.post_id for post in sandbox.world.posts()[-9:]])
    told: list[bytes] = []

    def run() -> None:
        for _ in range(3):
            answer = requests.post(
                sandbox.base_url + TOTALS, json=asked, auth=oauth(sandbox.keys()), timeout=PATIENCE
            )
            told.append(answer.content)

    threads = [threading.Thread(target=run) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 30
    assert len(set(told)) == 1
    assert len(sandbox.requests) == 30


def test_the_clock_can_move(session: requests.Session, oauth: Any, body: Any) -> None:
    """A clock that is a function is read at each request."""
    moment = [datetime(2026, 3, 12, 19, 43, tzinfo=UTC)]
    with SandboxServer(lambda: moment[0]) as server:
        ends = []
        for _ in range(2):
            answer = session.post(
                server.base_url + "/insights/engagement/28hr",
                json=body([server.world.posts()[-1].post_id]),
                auth=oauth(server.keys()),
            )
            ends.append(answer.json()["end"])
            moment[0] += timedelta(days=1)
    assert ends == ["2026-03-12T20:00:00Z", "2026-03-13T20:00:00Z"]


@pytest.mark.parametrize(
    "now", ["2026-03-12T19:43:00", "2026-03-12T19:43:00Z", "2026-03-12T20:43:00+01:00"]
)
def test_the_clock_can_stand_still(now: str) -> None:
    """At a moment given as text, which without a zone is UTC."""
    with SandboxServer(now) as server:
        assert server.world.now().isoformat() == "2026-03-12T19:43:00+00:00"


def test_a_naive_clock_is_refused() -> None:
    """A datetime without a zone could be any hour."""
    with pytest.raises(ValueError, match="no time zone"):
        SandboxServer(datetime(2026, 3, 12))  # noqa: DTZ001


@pytest.mark.slow
def test_it_serves_until_interrupted() -> None:
    """It tells keys as lines for a shell, answers, and goes quietly at Ctrl-C."""
    script = "from engagement_pandas.sandbox import serve; serve(0, now='2026-03-12T19:43:00Z')"
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    process = processes.start(sys.executable, "-W", "error", "-c", script, env=environ)
    assert process.stdout is not None
    lines = [process.stdout.readline().rstrip() for _ in range(10)]
    told = dict(line.split("=", 1) for line in lines[2:])
    answer = requests.post(
        told["X_TOKEN_URL"],
        data={"grant_type": "client_credentials"},
        auth=(told["X_CONSUMER_KEY"], told["X_CONSUMER_SECRET"]),
        timeout=PATIENCE,
    )
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate()
    assert answer.json()["access_token"] == told["X_BEARER_TOKEN"]
    assert set(told) >= {"X_ACCESS_TOKEN", "X_ACCESS_TOKEN_SECRET"}
    assert (process.returncode, complaints) == (0, "")


def test_what_it_says_can_go_elsewhere() -> None:
    """The caller may pass a function of its own; an interruption ends it even there."""
    said: list[str] = []

    def hear(text: str) -> None:
        said.append(text)
        raise KeyboardInterrupt

    serve(0, write=hear)
    assert said[0].startswith("# Engagement API sandbox at http://127.0.0.1:")


@pytest.mark.slow
def test_importing_it_is_cheap() -> None:
    """Neither pandas nor numpy nor requests is loaded before it is needed."""
    script = (
        "import sys, engagement_pandas.sandbox as s\n"
        "assert 'SandboxServer' in dir(s)\n"
        "before = set(sys.modules)\n"
        "s.Faults\n"
        "assert 'engagement_pandas.sandbox.server' not in sys.modules\n"
        "s.SandboxServer\n"
        "assert not {'pandas', 'requests', 'matplotlib'} & (set(sys.modules) - before)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)  # noqa: S603


def test_unknown_names_are_attribute_errors() -> None:
    """As of any module."""
    with pytest.raises(AttributeError, match="attribute Sandbox"):
        package.Sandbox  # noqa: B018
