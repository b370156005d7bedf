"""The service over the network: connections, faults, the log, start and end."""

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


def test_requests_oauthlib_is_accepted(request_total: Any) -> None:
    """An ordinary client gets compressed JSON."""
    response = request_total()
    assert response.status_code == 200
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["x-per-minute-limit"] == "1000000"
    assert set(response.json()) == {"g"}


def test_a_connection_stays_open(raw: http.client.HTTPConnection) -> None:
    """Several requests, refused ones included, use one socket."""
    raw.connect()
    first = raw.sock
    for path in (TOTALS, "/nowhere", "/oauth2/token", TOTALS):
        raw.request("POST", path, b"{}", {"Accept-Encoding": "gzip"})
        response = raw.getresponse()
        response.read()
        assert response.status in {401, 403, 404}
        assert raw.sock is first


def test_a_response_to_head_has_no_body(raw: http.client.HTTPConnection) -> None:
    """It is a 405 as for other methods, and the connection stays usable."""
    for _ in range(2):
        raw.request("HEAD", TOTALS, headers={"Accept-Encoding": "gzip"})
        response = raw.getresponse()
        assert (response.status, response.read()) == (405, b"")


def test_responses_are_dated_by_the_wall_clock() -> None:
    """That clock also resets the quota, so clients can compute the time left."""
    with SandboxServer(wall=lambda: 1_776_255_600.0) as server:
        response = requests.get(f"{server.base_url}/nowhere", timeout=PATIENCE)
    assert response.headers["Date"] == "Wed, 15 Apr 2026 12:20:00 GMT"


def test_the_log_records_requests_without_headers(
    sandbox: SandboxServer, request_total: Any
) -> None:
    """It has method, path, body and status, and so no secret."""
    request_total()
    requests.get(f"{sandbox.base_url}/nowhere?oauth_token=canary", timeout=PATIENCE)
    first, second = sandbox.requests
    assert (first.method, first.path, first.scheme, first.status) == ("POST", TOTALS, "OAuth", 200)
    assert json.loads(first.body)["engagement_types"] == ["favorites"]
    assert (second.method, second.path, second.status) == ("GET", "/nowhere", 404)
    keys = sandbox.keys()
    for secret in (keys.access_token, keys.consumer_key, keys.bearer_token, "canary"):
        assert secret not in repr(sandbox.requests)


def test_no_repr_shows_a_secret(sandbox: SandboxServer) -> None:
    """The reprs of the keys and of the server hide all secrets."""
    keys = sandbox.keys()
    shown = repr(keys) + repr(sandbox)
    for secret in (keys.consumer_secret, keys.access_token_secret, keys.bearer_token):
        assert secret not in shown


def test_the_repr_states_that_counts_are_synthetic(sandbox: SandboxServer) -> None:
    """No one should mistake them for real counts."""
    assert "all counts are synthetic" in repr(sandbox)


# Malformed HTTP


@pytest.mark.slow
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
    """The response has the form of the API's, and the connection is closed."""
    host, port = urlsplit(sandbox.base_url).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as line:
        line.sendall(lines)
        with line.makefile("rb") as response:
            received = response.read()
    assert f" {status} ".encode() in received.partition(b"\r\n")[0]
    assert b"Content-Encoding: gzip" in received


# Start and end


def test_closing_twice_is_harmless(request_total: Any, sandbox: SandboxServer) -> None:
    """Afterwards there is no response, not even on an open connection."""
    request_total()
    sandbox.close()
    sandbox.close()
    with pytest.raises(requests.ConnectionError):
        request_total()


@pytest.mark.slow
def test_closing_leaves_no_thread_and_no_socket() -> None:
    """The same holds while a client is connected."""
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
def test_an_unreferenced_server_stops() -> None:
    """The server is closed when it is garbage-collected."""
    server = SandboxServer()
    url, reference = server.base_url, weakref.ref(server)
    del server
    gc.collect()
    assert reference() is None
    with pytest.raises(requests.ConnectionError):
        requests.post(url, timeout=PATIENCE)


@pytest.mark.slow
def test_concurrent_clients_get_the_same_response(
    sandbox: SandboxServer, oauth: Any, body: Any
) -> None:
    """Ten clients in ten threads get what a single client gets."""
    request_body = body([post.post_id for post in sandbox.world.posts()[-9:]])
    bodies: list[bytes] = []

    def run() -> None:
        for _ in range(3):
            response = requests.post(
                sandbox.base_url + TOTALS,
                json=request_body,
                auth=oauth(sandbox.keys()),
                timeout=PATIENCE,
            )
            bodies.append(response.content)

    threads = [threading.Thread(target=run) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bodies) == 30
    assert len(set(bodies)) == 1
    assert len(sandbox.requests) == 30


def test_a_clock_may_be_a_function(session: requests.Session, oauth: Any, body: Any) -> None:
    """The function is called for each request."""
    now = [datetime(2026, 3, 12, 19, 43, tzinfo=UTC)]
    with SandboxServer(lambda: now[0]) as server:
        ends = []
        for _ in range(2):
            response = session.post(
                server.base_url + "/insights/engagement/28hr",
                json=body([server.world.posts()[-1].post_id]),
                auth=oauth(server.keys()),
            )
            ends.append(response.json()["end"])
            now[0] += timedelta(days=1)
    assert ends == ["2026-03-12T20:00:00Z", "2026-03-13T20:00:00Z"]


@pytest.mark.parametrize(
    "now", ["2026-03-12T19:43:00", "2026-03-12T19:43:00Z", "2026-03-12T20:43:00+01:00"]
)
def test_a_clock_may_be_a_fixed_time_as_text(now: str) -> None:
    """A time without a zone is UTC."""
    with SandboxServer(now) as server:
        assert server.world.now().isoformat() == "2026-03-12T19:43:00+00:00"


def test_a_naive_clock_is_refused() -> None:
    """A datetime without a zone is ambiguous."""
    with pytest.raises(ValueError, match="no time zone"):
        SandboxServer(datetime(2026, 3, 12))  # noqa: DTZ001


@pytest.mark.slow
def test_serve_runs_until_interrupted() -> None:
    """It prints the keys as lines for a shell, responds, and ends quietly at Ctrl-C."""
    script = "from engagement_pandas.sandbox import serve; serve(0, now='2026-03-12T19:43:00Z')"
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    process = processes.start(sys.executable, "-W", "error", "-c", script, env=environ)
    assert process.stdout is not None
    lines = [process.stdout.readline().rstrip() for _ in range(10)]
    variables = dict(line.split("=", 1) for line in lines[2:])
    response = requests.post(
        variables["X_TOKEN_URL"],
        data={"grant_type": "client_credentials"},
        auth=(variables["X_CONSUMER_KEY"], variables["X_CONSUMER_SECRET"]),
        timeout=PATIENCE,
    )
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate()
    assert response.json()["access_token"] == variables["X_BEARER_TOKEN"]
    assert set(variables) >= {"X_ACCESS_TOKEN", "X_ACCESS_TOKEN_SECRET"}
    assert (process.returncode, complaints) == (0, "")


def test_serve_writes_through_a_given_function() -> None:
    """An interruption inside that function ends the server too."""
    texts: list[str] = []

    def write(text: str) -> None:
        texts.append(text)
        raise KeyboardInterrupt

    serve(0, write=write)
    assert texts[0].startswith("# Engagement API sandbox at http://127.0.0.1:")


@pytest.mark.slow
def test_importing_the_sandbox_is_cheap() -> None:
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


def test_unknown_names_raise_attribute_errors() -> None:
    """The package behaves as any module does."""
    with pytest.raises(AttributeError, match="attribute Sandbox"):
        package.Sandbox  # noqa: B018
