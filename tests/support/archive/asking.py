"""Servers, clients and requests, and the stored responses, read without the package."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from support.scripted import FakeClock, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.request.plan import Plan
from engagement_pandas.sandbox import SandboxServer, Settings

NOW = "2026-04-15T12:20:00Z"
WINDOW = ep.Window.covering("2026-04-13T06:00:00Z", "2026-04-15T06:00:00Z")


def sandbox(clock: FakeClock | None = None, **settings: Any) -> SandboxServer:
    """Return a sandbox with a fixed time, practically without rate limits."""
    generous = Settings(per_minute=1_000_000, per_second=1_000_000, **settings)
    return SandboxServer(NOW, settings=generous, **({"wall": clock.time} if clock else {}))


def at_once(server: ScriptedServer) -> None:
    """Disable Nagle's algorithm, which delays each response by 40 ms."""
    server._server.RequestHandlerClass.disable_nagle_algorithm = True  # type: ignore[attr-defined]


def client_of(
    server: SandboxServer, clock: FakeClock, handle: str = "sandbox_bakery"
) -> ep.EngagementClient:
    """Return a client for an account, with the fake clock."""
    keys = server.keys(handle)
    return ep.EngagementClient(
        ep.UserContext(
            keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret
        ),
        base_url=server.base_url,
        token_url=server.token_url,
        in_flight=1,  # responses and interruptions in a known order
        clock=clock.time,
        sleep=clock.sleep,
    )


def some_posts(server: SandboxServer, number: int) -> list[str]:
    """Return posts, some of which belong to another account or never existed.

    The last one belongs to another account, and the two before it do not exist, so that the
    remainder of a refused request can be refused again.
    """
    own = [post.post_id for post in server.world.posts("sandbox_bakery")[-number + 5 :]]
    other = [post.post_id for post in server.world.posts("sandbox_railway")[-3:]]
    return [other[0], *own[:2], other[1], *own[2:], "1", "9999999999999999999", other[2]]


def in_parts(request: ep.EngagementRequest, size: int) -> Plan:
    """Return a plan with many requests of few posts each."""
    ids = request.post_ids
    parts = tuple(
        request.replace(post_ids=ids[first : first + size]) for first in range(0, len(ids), size)
    )
    return replace(ep.plan(request), requests=parts, unposted=())


def question(server: SandboxServer, posts: int = 11, size: int = 3) -> Plan:
    """Return a plan of several requests, some of which are refused."""
    return in_parts(
        ep.historical(
            some_posts(server, posts),
            engagement_types=["impressions", "favorites"],
            window=WINDOW,
            by=ep.BY_DAY,
        ),
        size,
    )


Tables = tuple[pd.DataFrame, pd.DataFrame]


def counts_and_omissions(responses: Iterable[ep.EngagementResponse]) -> Tables:
    """Return the counts and omissions of responses."""
    listed = list(responses)
    return ep.flatten(listed), ep.omissions(listed)


def same(responses: Iterable[ep.EngagementResponse], expected: Tables) -> None:
    """Assert that responses have the expected counts and omissions."""
    for actual, frame in zip(counts_and_omissions(responses), expected, strict=True):
        pd.testing.assert_frame_equal(actual, frame)


def key(request: Any) -> str:
    """Return a canonical text of a request body."""
    return json.dumps(request, sort_keys=True)


def answers(folder: Path) -> dict[Path, tuple[dict[str, Any], bytes]]:
    """Return the header and the body of every complete response in an archive."""
    records = {}
    for path in sorted(folder.glob("[!.]*/[!.]*.json.gz")):
        if path.name == "question.json.gz":
            continue
        line, _, body = gzip.decompress(path.read_bytes()).partition(b"\n")
        head = json.loads(line)
        assert hashlib.sha256(body).hexdigest() == head["sha256"]
        records[path] = head, body
    return records


def sent(server: SandboxServer, since: int = 0) -> list[str]:
    """Return the :func:`key` of each request to a sandbox."""
    return [key(json.loads(received.body)) for received in server.requests[since:]]


def stored(folder: Path) -> set[str]:
    """Return the :func:`key` of each request with a response in an archive."""
    return {key(head["request"]) for head, _ in answers(folder).values()}
