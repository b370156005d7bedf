"""CPU of fetching and of storing, compared with bare requests that keep the bytes.

One answer of 285,600 counts, and a hundred of 500 counts, eight concurrently, from a server in a
separate process, are posted for with requests and OAuth 1.0a, fetched, and collected into an
empty archive, alternately, in the same run::

    python -m pytest tests/benchmarks/test_fetching.py -o addopts= --benchmark-only -s

Collecting takes at most 1.5 times as long as fetching. Compared with the bare way, fetching also
checks the answer: it has the shape of its request, and no post is lost.
"""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from benchmarks.test_flattening import make
from requests.adapters import HTTPAdapter
from requests_oauthlib import OAuth1

import engagement_pandas as ep

ROUNDS = 8
IN_FLIGHT = 8
TOTALS = ep.Endpoint.TOTALS.facts.path
KEYS = ("consumer-key", "consumer-secret", "9-access-token", "token-secret")


def serve(body: bytes, port: Any) -> None:
    """Respond to every request with totals or the gzipped body, until the process ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet, without a wait between head and body

        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["content-length"])))
            gzipped = gzip.compress(totals(query), 1) if self.path == TOTALS else body
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-encoding", "gzip")
            self.send_header("content-length", str(len(gzipped)))
            self.send_header("x-per-minute-limit", "1000000")
            self.send_header("x-per-minute-remaining", "900000")
            self.send_header("x-per-minute-reset", str(int(time.time()) + 50))
            self.end_headers()
            self.wfile.write(gzipped)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port.put(server.server_address[1])
    server.serve_forever()


def totals(query: dict[str, Any]) -> bytes:
    """Return the body of a response to a request of totals."""
    (name,) = query["groupings"]
    types = dict.fromkeys(query["engagement_types"], "51")
    return json.dumps({name: dict.fromkeys(query["tweet_ids"], types)}).encode()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Run the server in a separate process, whose time does not count."""
    spawn = multiprocessing.get_context("spawn")
    port = spawn.Queue()
    server = spawn.Process(target=serve, args=(gzip.compress(make().content), port), daemon=True)
    server.start()
    yield f"http://127.0.0.1:{port.get(timeout=60)}"
    server.terminate()
    server.join()


def measure(
    benchmark: Any, ways: dict[str, Callable[[], object]], answers: int, rounds: int
) -> dict[str, float]:
    """Return the minimum ms of CPU for an answer of each way, and print them."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}

    def run_each() -> None:
        for name, way in ways.items():
            started = time.process_time()
            way()
            seconds[name].append(time.process_time() - started)

    benchmark.pedantic(run_each, rounds=rounds, warmup_rounds=1)
    least = {name: 1e3 * min(milliseconds) / answers for name, milliseconds in seconds.items()}
    text = ", ".join(f"{name} {milliseconds:.2f}" for name, milliseconds in least.items())
    print(f"\nms of CPU an answer: {text}; load {os.getloadavg()[0]:.1f}")  # noqa: T201
    return least


@pytest.mark.parametrize("small", [False, True], ids=["one large", "a hundred small"])
def test_collecting_takes_at_most_half_again_as_long_as_fetching(
    benchmark: Any, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, small: bool
) -> None:
    """Two ways of the package are compared with bare requests, with and without parsing."""
    posts = range(1, 25_001)
    request = ep.totals(posts, engagement_types=["favorites", "retweets"]) if small else None
    request_plan = ep.plan(request or make().request)
    bodies = [(url + part.endpoint.facts.path, part.to_json()) for part in request_plan]
    names = (tmp_path / str(number) for number in count())
    keys = ep.UserContext(*KEYS)
    with (
        ep.EngagementClient(keys, base_url=url, in_flight=IN_FLIGHT) as client,
        bare() as session,
        ThreadPoolExecutor(IN_FLIGHT) as threads,
        capsys.disabled(),
    ):

        def post(body: tuple[str, Any]) -> bytes:
            return session.post(body[0], data=msgspec.json.encode(body[1]), timeout=60).content

        ways: dict[str, Callable[[], object]] = {
            "requests": lambda: [*threads.map(post, bodies)],
            "and json.loads": lambda: [*threads.map(lambda body: json.loads(post(body)), bodies)],
            "fetch": lambda: client.fetch(request_plan, watch=lambda _: None),
            "collect": lambda: client.collect(
                request_plan, into=ep.Archive(next(names)), watch=lambda _: None
            ),
        }
        least = measure(benchmark, ways, len(bodies), ROUNDS)
    if small:
        assert least["fetch"] <= 2.5 * least["requests"]
    else:
        assert least["fetch"] <= least["and json.loads"]
        assert least["collect"] <= 1.5 * least["fetch"]


def bare() -> requests.Session:
    """Return a session that signs as a user would write it."""
    session = requests.Session()
    session.auth = OAuth1(*KEYS)
    session.headers["Content-Type"] = "application/json"
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_maxsize=IN_FLIGHT))
    return session
