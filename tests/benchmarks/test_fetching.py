"""CPU of fetching and of storing, compared with bare requests that keep the bytes.

An answer of 285,600 counts, from a server in a process of its own, is posted for with requests
and OAuth 1.0a, fetched, and collected into an empty archive, in turns, in the same run::

    python -m pytest tests/benchmarks/test_fetching.py -o addopts= --benchmark-only -s

Collecting takes at most 1.5 times as long as fetching. Compared with the bare way, fetching also
checks the answer: it has the shape of its request, and no post is lost.
"""

from __future__ import annotations

import gzip
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from benchmarks.test_flattening import make
from requests_oauthlib import OAuth1

import engagement_pandas as ep

ROUNDS = 8
KEYS = ("consumer-key", "consumer-secret", "9-access-token", "token-secret")


def serve(body: bytes, port: Any) -> None:
    """Answer every request with a gzipped body, for as long as the process lives."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-encoding", "gzip")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port.put(server.server_address[1])
    server.serve_forever()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Run the server in a process of its own, whose time does not count."""
    spawn = multiprocessing.get_context("spawn")
    port = spawn.Queue()
    server = spawn.Process(target=serve, args=(gzip.compress(make().content), port), daemon=True)
    server.start()
    yield f"http://127.0.0.1:{port.get(timeout=60)}"
    server.terminate()
    server.join()


def test_collecting(
    benchmark: Any, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three ways to get one answer."""
    request = make().request
    names = (tmp_path / str(number) for number in count())
    with ep.EngagementClient(ep.UserContext(*KEYS), base_url=url) as client, bare() as session:
        ways: dict[str, Callable[[], object]] = {
            "requests": lambda: (
                session.post(url, data=msgspec.json.encode(request.to_json()), timeout=60).content
            ),
            "fetch": lambda: client.fetch(request),
            "collect": lambda: client.collect(
                request, into=ep.Archive(next(names)), watch=lambda _: None
            ),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}

        def in_turns() -> None:
            for name, way in ways.items():
                before = time.process_time()
                way()
                seconds[name].append(time.process_time() - before)

        benchmark.pedantic(in_turns, rounds=ROUNDS, warmup_rounds=1)
    least = {name: 1e3 * min(taken) for name, taken in seconds.items()}
    with capsys.disabled():
        shown = ", ".join(f"{name} {taken:.1f}" for name, taken in least.items())
        print(f"\nms of CPU an answer: {shown}; load {os.getloadavg()[0]:.1f}")  # noqa: T201
    assert least["collect"] <= 1.5 * least["fetch"]


def bare() -> requests.Session:
    """Return a session that signs as a user would write it."""
    session = requests.Session()
    session.auth = OAuth1(*KEYS)
    session.headers["Content-Type"] = "application/json"
    session.trust_env = False
    return session
