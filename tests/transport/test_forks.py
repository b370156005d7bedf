"""A fork has connections, quota and locks of its own, and leaves alone those of its parent."""

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
from engagement_pandas.files import file_lock, try_file_lock

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]

USER = ep.UserContext("consumer-key", "consumer-secret", "9-access-token", "token-secret")


class Echo(ThreadingHTTPServer):
    """Answers with the post that was asked about, and counts connections."""

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
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        (name,) = asked["groupings"]
        body = json.dumps({name: {"favorites": asked["tweet_ids"][0]}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-per-minute-limit", "1000")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[Echo]:
    """Run a server that tells answers apart."""
    server = Echo()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def in_fork(function: Callable[[], Any]) -> Any:
    """Return what a function returns in a fork, which ends at once."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        told = "null"
        try:
            told = json.dumps(function())
        except BaseException as error:  # noqa: BLE001 - told below
            told = json.dumps(f"{type(error).__name__}: {error}")
        finally:
            os.write(write, told.encode())
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return json.loads(told)


def ask(client: ep.EngagementClient, post: int) -> int:
    """Return the count of a post, which is its number."""
    request = ep.totals([post], engagement_types=["favorites"], by=["engagement.type"])
    (response,) = client.fetch(request)
    return int(response.json()["counts"]["favorites"])


@pytest.mark.slow
def test_a_client_that_was_used_before(echo: Echo) -> None:
    """Parent and child ask in turns: each reads its own, over a connection of its own."""
    url = f"http://127.0.0.1:{echo.server_address[1]}"
    with ep.EngagementClient(USER, base_url=url) as client:
        assert ask(client, 1) == 1
        assert client.quota.limits == {"minute": 1000}
        before = client.quota

        def child() -> Any:
            fresh = [client.quota is not before, dict(client.quota.limits)]
            return [*fresh, ask(client, 2), ask(client, 3), in_fork(lambda: ask(client, 4))]

        assert in_fork(child) == [True, {}, 2, 3, 4]
        assert ask(client, 5) == 5  # over the first connection, which the child left open
        assert client.quota is before
    assert echo.connections == 3


@pytest.mark.slow
def test_a_client_that_is_busy_in_another_thread(echo: Echo) -> None:
    """Forks in the middle of the requests of another thread, with its locks held or not."""
    url = f"http://127.0.0.1:{echo.server_address[1]}"
    done = threading.Event()
    with ep.EngagementClient(USER, base_url=url) as client:

        def work() -> None:
            while not done.is_set():
                assert ask(client, 7) == 7

        worker = threading.Thread(target=work)
        worker.start()
        try:
            with client.quota._lock:  # as a thread holds it that the fork does not have
                assert in_fork(lambda: ask(client, 1)) == 1
            assert [in_fork(lambda n=n: ask(client, n)) for n in range(20)] == list(range(20))
        finally:
            done.set()
            worker.join()


@pytest.mark.slow
def test_a_stream_that_was_begun_before(echo: Echo) -> None:
    """What is on its way arrives in the parent: the child is told, at once, and does not wait."""
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
def test_a_data_set_that_was_read_before(tmp_path: Path) -> None:
    """What deltalake does not do in a fork is no damage: nothing is to be made again."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some("2026-04-01T00:05:00Z", days=1))
    assert len(dataset.read()) == 96
    told = in_fork(lambda: len(ep.Dataset(tmp_path / "set").read()))
    assert told.startswith("DatasetError: ")
    assert "Forked process" in told


@pytest.mark.slow
def test_locks_are_not_inherited(tmp_path: Path) -> None:
    """Held by the parent: not by the child, whose end or life changes nothing about it."""
    path = tmp_path / "ledger"

    def free() -> bool:
        with try_file_lock(path) as mine:
            return mine

    with file_lock(path):
        assert in_fork(free) is False
        assert free() is False
    read, write = os.pipe()
    begun, beginning = os.pipe()
    with file_lock(path):
        child = os.fork()
        if child == 0:
            os.close(write)
            os.write(beginning, b"!")
            os.read(read, 1)  # lives on, until the parent lets it
            os._exit(0)
        os.read(begun, 1)
    try:
        assert free() is True
    finally:
        os.close(write)
        os.waitpid(child, 0)
        for handle in (read, begun, beginning):
            os.close(handle)

    def leaves() -> bool:
        """End a block of the parent's: the number of its file is another file's by now."""
        with file_lock(path):
            return bool(in_fork(lambda: True))

    assert leaves() is True
