"""A forked process has its own connections, quota and locks, and does not affect its parent's."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from support.datasets.frames import some

import engagement_pandas as ep
from engagement_pandas.files.lock import file_lock, try_file_lock

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]

USER = ep.UserContext("consumer-key", "consumer-secret", "9-access-token", "token-secret")


class Echo(ThreadingHTTPServer):
    """A server that responds with the requested post, and counts connections."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.connections = 0

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        (name,) = request["groupings"]
        body = json.dumps({name: {"favorites": request["tweet_ids"][0]}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-per-minute-limit", "1000")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[Echo]:
    """Run a server with distinct responses."""
    server = Echo()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def in_fork(function: Callable[[], Any]) -> Any:
    """Return what a function returns in a forked process, which ends immediately."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        result = "null"
        try:
            result = json.dumps(function())
        except BaseException as error:  # noqa: BLE001 - reported below
            result = json.dumps(f"{type(error).__name__}: {error}")
        finally:
            os.write(write, result.encode())
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        result = pipe.read()
    os.waitpid(child, 0)
    return json.loads(result)


def fetch_count(client: ep.EngagementClient, post: int) -> int:
    """Fetch the count of a post, which is its ID."""
    request = ep.totals([post], engagement_types=["favorites"], by=["engagement.type"])
    (response,) = client.fetch(request)
    return int(response.json()["counts"]["favorites"])


@pytest.mark.slow
def test_a_client_used_before_a_fork(echo: Echo) -> None:
    """Parent and child send requests in turns, each over its own connection."""
    url = f"http://127.0.0.1:{echo.server_address[1]}"
    with ep.EngagementClient(USER, base_url=url) as client:
        assert fetch_count(client, 1) == 1
        assert client.quota.limits == {"minute": 1000}
        before = client.quota

        def child() -> Any:
            new_quota = [client.quota is not before, dict(client.quota.limits)]
            return [
                *new_quota,
                fetch_count(client, 2),
                fetch_count(client, 3),
                in_fork(lambda: fetch_count(client, 4)),
            ]

        assert in_fork(child) == [True, {}, 2, 3, 4]
        assert (
            fetch_count(client, 5) == 5
        )  # over the first connection, which the child did not close
        assert client.quota is before
    assert echo.connections == 3


@pytest.mark.slow
def test_a_fork_while_another_thread_uses_the_client(echo: Echo) -> None:
    """A fork works at any point of the other thread's requests, whether it holds locks or not."""
    url = f"http://127.0.0.1:{echo.server_address[1]}"
    done = threading.Event()
    with ep.EngagementClient(USER, base_url=url) as client:

        def work() -> None:
            while not done.is_set():
                assert fetch_count(client, 7) == 7

        worker = threading.Thread(target=work)
        worker.start()
        try:
            with client.quota._lock:  # a lock of a thread that does not exist in the fork
                assert in_fork(lambda: fetch_count(client, 1)) == 1
            assert [in_fork(lambda n=n: fetch_count(client, n)) for n in range(20)] == list(
                range(20)
            )
        finally:
            done.set()
            worker.join()


@pytest.mark.slow
def test_a_stream_begun_before_a_fork(echo: Echo) -> None:
    """The requests in flight belong to the parent: the child gets an error immediately."""
    url = f"http://127.0.0.1:{echo.server_address[1]}"
    request = ep.totals(range(1, 502), engagement_types=["favorites"], by=["engagement.type"])
    with ep.EngagementClient(USER, base_url=url) as client:
        stream = client.stream(request, watch=lambda _: None)
        next(stream)
        assert in_fork(lambda: len(list(stream))).startswith(
            "RequestError: this fetch began before a fork"
        )
        assert len(list(stream)) == 2


@pytest.mark.slow
def test_a_data_set_read_before_a_fork(tmp_path: Path) -> None:
    """The error of deltalake in a fork is not reported as damage."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some("2026-04-01T00:05:00Z", days=1))
    assert len(dataset.read()) == 96
    result = in_fork(lambda: len(ep.Dataset(tmp_path / "set").read()))
    assert result.startswith("DatasetError: ")
    assert "Forked process" in result


@pytest.mark.slow
def test_locks_are_not_inherited(tmp_path: Path) -> None:
    """Only the parent holds its lock; the child does not affect it."""
    path = tmp_path / "ledger"

    def free() -> bool:
        with try_file_lock(path) as acquired:
            return acquired

    with file_lock(path):
        assert in_fork(free) is False
        assert free() is False
    read, write = os.pipe()
    started_read, started_write = os.pipe()
    with file_lock(path):
        child = os.fork()
        if child == 0:
            os.close(write)
            os.write(started_write, b"!")
            os.read(read, 1)  # continues until the parent closes the pipe
            os._exit(0)
        os.read(started_read, 1)
    try:
        assert free() is True
    finally:
        os.close(write)
        os.waitpid(child, 0)
        for handle in (read, started_read, started_write):
            os.close(handle)

    def fork_inside() -> bool:
        """End a block of the parent in the child, where its file number may be reused."""
        with file_lock(path):
            return bool(in_fork(lambda: True))

    assert fork_inside() is True
