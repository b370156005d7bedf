"""A sandbox with random failures, its requests, and a record of them."""

from __future__ import annotations

import json
import os
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pandas as pd
from support.archive.asking import in_parts, key
from support.scripted import FakeClock

import engagement_pandas as ep
from engagement_pandas.request.plan import Plan
from engagement_pandas.sandbox import FAULTS, Fault, Faults, SandboxServer, Settings
from engagement_pandas.vocabulary.engagement_types import TOTALS_TYPES

SEED: Final = int(os.environ.get("CHAOS_SEED", "20260415"))
"""Seed of the failures and of the kills."""

RATE: Final = 0.3
NOW: Final = "2026-04-15T12:20:00Z"
WINDOW: Final = ep.Window.covering("2026-03-20T00:00:00Z", "2026-04-01T00:00:00Z")

FAULT_KINDS: Final = (*(kind for kind in FAULTS if kind != "slow"), Fault("slow", delay=0.02))
"""All failures of the sandbox; the slow one is faster than by default."""

HARMLESS: Final = frozenset({None, "slow"})
"""Faults that do not change the response."""

_GENEROUS: Final = Settings(per_minute=1_000_000, per_second=1_000_000)

Frames = dict[str, tuple[pd.DataFrame, pd.DataFrame]]


class Log(deque[Any]):
    """A log of all requests to a sandbox, which also calls a function for each."""

    def __init__(self) -> None:
        super().__init__()
        self.on_request: Callable[[], None] = lambda: None

    def append(self, received: Any) -> None:
        super().append(received)
        self.on_request()

    def requests(self, since: int = 0) -> list[tuple[str, bool]]:
        """Return each request for counts, and whether its response was correct.

        Incomplete requests, by a process that was killed while it wrote, are left out.
        """
        return [
            (key(request), received.fault in HARMLESS)
            for received in list(self)[since:]
            if received.scheme != "Basic" and (request := _read(received.body)) is not None
        ]

    def faults(self) -> Counter[str]:
        """Return how often each fault occurred."""
        return Counter(received.fault for received in self if received.fault)


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


@contextmanager
def running_sandbox(
    rate: float, wall: FakeClock | None = None
) -> Iterator[tuple[SandboxServer, Log]]:
    """Run a sandbox that fails at the given rate."""
    faults = Faults(rate, SEED, FAULT_KINDS)
    clock = {} if wall is None else {"wall": wall.time}
    with SandboxServer(NOW, settings=_GENEROUS, faults=faults, **clock) as server:
        log = Log()
        server._log = server._listener.log = log
        yield server, log


def owner(server: SandboxServer) -> ep.UserContext:
    """Return the credentials of the owner of most posts."""
    keys = server.keys()
    return ep.UserContext(
        keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret
    )


def app(server: SandboxServer) -> ep.AppOnly:
    """Return the credentials of the app, which has to fetch its token."""
    return ep.AppOnly.from_consumer(server.app.consumer_key, server.app.consumer_secret)


def client_of(
    server: SandboxServer, credentials: Any, clock: FakeClock, attempts: int
) -> ep.EngagementClient:
    """Return a client with several requests in flight, whose pauses take no time."""
    return ep.EngagementClient(
        credentials,
        base_url=server.base_url,
        token_url=server.token_url,
        attempts=attempts,
        in_flight=6,
        clock=clock.time,
        sleep=clock.sleep,
    )


def some_posts(server: SandboxServer, number: int) -> list[str]:
    """Return posts made before the window: a tenth of another owner, 5 % that do not exist.

    Some of the others are deleted, some are protected, and most are too old for impressions
    or for video views.
    """
    rng = random.Random(SEED)  # noqa: S311 - no secret
    since = WINDOW.start - timedelta(days=365 * 8)
    owned, others = (
        [post.post_id for post in server.world.posts(handle, since, WINDOW.start)]
        for handle in ("sandbox_bakery", "sandbox_railway")
    )
    missing = [str(int(post) + 1) for post in owned]
    chosen = [
        *rng.sample(others, number // 10),
        *rng.sample(missing, number // 20),
        *rng.sample(owned, number - number // 10 - number // 20),
    ]
    rng.shuffle(chosen)
    return chosen


def by_hour(server: SandboxServer, posts: int, hours: int) -> Plan:
    """Return a plan by hour, and for sums over posts: five posts and few hours in a request."""
    combined = ep.historical(
        some_posts(server, posts),
        engagement_types=["impressions", "favorites"],
        window=WINDOW,
        by={
            "hours": ["tweet.id", "engagement.type", "engagement.day", "engagement.hour"],
            "sums": ["engagement.type", "engagement.day"],
        },
    )
    windows = WINDOW.split(timedelta(hours=hours))
    plan = in_parts(combined, 5)
    parts = tuple(part.replace(window=window) for part in plan.requests for window in windows)
    return replace(plan, requests=parts, unposted=())


def by_post(server: SandboxServer, posts: int, types: Iterable[Any] = TOTALS_TYPES) -> Plan:
    """Return a plan for totals: five posts and one type in a request."""
    combined = ep.totals(
        some_posts(server, posts), engagement_types=types, by={"posts": ep.BY_POST}
    )
    plan = in_parts(combined, 5)
    parts = tuple(
        part.replace(engagement_types=[engagement_type])
        for part in plan.requests
        for engagement_type in combined.engagement_types
    )
    return replace(plan, requests=parts)


def collect(client: ep.EngagementClient, plan: Plan, folder: Path) -> tuple[ep.Collection, int]:
    """Collect again after each error, and return the number of errors."""
    errors = 0
    while True:
        try:
            return client.collect(plan, into=folder, watch=lambda _: None), errors
        except ep.TransportError:
            errors += 1


def frames_of(responses: Iterable[ep.EngagementResponse], plan: Plan) -> Frames:
    """Return counts and omissions of each grouping."""
    responses_read = list(responses)
    omissions = ep.omissions(responses_read)
    return {g.name: (ep.flatten(responses_read, g.name), omissions) for g in plan.request.groupings}


def assert_same(actual: Frames, expected: Frames) -> None:
    """Check that counts and omissions are equal.

    Messages about unavailable posts may differ: the API has words of its own for a request in
    which all posts are unavailable, as half of a batch may be.
    """
    assert actual.keys() == expected.keys()
    for name, frames in actual.items():
        for frame, expected_frame in zip(frames, expected[name], strict=True):
            pd.testing.assert_frame_equal(_comparable(frame), _comparable(expected_frame))


def _comparable(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame without the messages about unavailable posts."""
    if "message" not in frame.columns:
        return frame
    return frame.assign(message=frame["message"].mask(frame["reason"] == "unavailable"))
