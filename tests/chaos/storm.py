"""A storm: what is asked in it, what is written down of it, and what it may not change."""

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
from engagement_pandas.vocabulary import TOTALS_TYPES

SEED: Final = int(os.environ.get("CHAOS_SEED", "20260415"))
"""Decides which requests go wrong, and when a process is killed."""

RATE: Final = 0.3
NOW: Final = "2026-04-15T12:20:00Z"
WINDOW: Final = ep.Window.covering("2026-03-20T00:00:00Z", "2026-04-01T00:00:00Z")

KINDS: Final = (*(kind for kind in FAULTS if kind != "slow"), Fault("slow", delay=0.02))
"""Every way to fail that the sandbox knows; the slow one is quicker than its own."""

HARMLESS: Final = frozenset({None, "slow"})
"""What may befall an answer that arrives as it was given."""

_GENEROUS: Final = Settings(per_minute=1_000_000, per_second=1_000_000)

Told = dict[str, tuple[pd.DataFrame, pd.DataFrame]]


class Log(deque[Any]):
    """Everything that a sandbox receives, however much; tells of each as it comes."""

    def __init__(self) -> None:
        super().__init__()
        self.tell: Callable[[], None] = lambda: None

    def append(self, received: Any) -> None:
        super().append(received)
        self.tell()

    def asked(self, since: int = 0) -> list[tuple[str, bool]]:
        """Return each request for counts, and whether it was answered as it should be.

        Half of one, by a process that was killed while it wrote, asks nothing.
        """
        return [
            (key(asked), received.fault in HARMLESS)
            for received in list(self)[since:]
            if received.scheme != "Basic" and (asked := _read(received.body)) is not None
        ]

    def faults(self) -> Counter[str]:
        """Return how often each fault befell an answer."""
        return Counter(received.fault for received in self if received.fault)


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


@contextmanager
def weather(rate: float, wall: FakeClock | None = None) -> Iterator[tuple[SandboxServer, Log]]:
    """Run a sandbox that fails so often."""
    faults = Faults(rate, SEED, KINDS)
    clock = {} if wall is None else {"wall": wall.time}
    with SandboxServer(NOW, settings=_GENEROUS, faults=faults, **clock) as server:
        log = Log()
        server._log = server._listener.log = log
        yield server, log


def owner(server: SandboxServer) -> ep.UserContext:
    """Return what speaks for the owner of most of the posts."""
    keys = server.keys()
    return ep.UserContext(
        keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret
    )


def app(server: SandboxServer) -> ep.AppOnly:
    """Return what speaks for the app, and has to fetch its token."""
    return ep.AppOnly.from_consumer(server.app.consumer_key, server.app.consumer_secret)


def client_of(
    server: SandboxServer, credentials: Any, clock: FakeClock, attempts: int
) -> ep.EngagementClient:
    """Return a client whose pauses cost nothing, with several requests on their way."""
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
    """Return posts of the years before the window: one in ten another's, one in 20 nobody's.

    Of the others some have been deleted, some are protected, and most are too old for
    impressions, or for video views.
    """
    dice = random.Random(SEED)  # noqa: S311 - no secret
    since = WINDOW.start - timedelta(days=365 * 8)
    own, others = (
        [post.post_id for post in server.world.posts(handle, since, WINDOW.start)]
        for handle in ("sandbox_bakery", "sandbox_railway")
    )
    nobody = [str(int(post) + 1) for post in own]
    chosen = [
        *dice.sample(others, number // 10),
        *dice.sample(nobody, number // 20),
        *dice.sample(own, number - number // 10 - number // 20),
    ]
    dice.shuffle(chosen)
    return chosen


def by_hour(server: SandboxServer, posts: int, hours: int) -> Plan:
    """Return a question by hour, and in sums over posts: five posts and few hours a request."""
    whole = ep.historical(
        some_posts(server, posts),
        engagement_types=["impressions", "favorites"],
        window=WINDOW,
        by={
            "hours": ["tweet.id", "engagement.type", "engagement.day", "engagement.hour"],
            "sums": ["engagement.type", "engagement.day"],
        },
    )
    windows = WINDOW.split(timedelta(hours=hours))
    fives = in_parts(whole, 5)
    parts = tuple(five.replace(window=window) for five in fives.requests for window in windows)
    return replace(fives, requests=parts, unposted=())


def by_post(server: SandboxServer, posts: int, types: Iterable[Any] = TOTALS_TYPES) -> Plan:
    """Return a question for totals: five posts and a type a request."""
    whole = ep.totals(some_posts(server, posts), engagement_types=types, by={"posts": ep.BY_POST})
    fives = in_parts(whole, 5)
    parts = tuple(
        five.replace(engagement_types=[kind])
        for five in fives.requests
        for kind in whole.engagement_types
    )
    return replace(fives, requests=parts)


def collect(client: ep.EngagementClient, todo: Plan, folder: Path) -> tuple[ep.Collection, int]:
    """Collect as a job does, again after each error; return how many there were."""
    errors = 0
    while True:
        try:
            return client.collect(todo, into=folder, watch=lambda _: None), errors
        except ep.TransportError:
            errors += 1


def tellings(responses: Iterable[ep.EngagementResponse], todo: Plan) -> Told:
    """Return counts and omissions of each grouping."""
    given = list(responses)
    silent = ep.omissions(given)
    return {g.name: (ep.flatten(given, g.name), silent) for g in todo.request.groupings}


def assert_same(found: Told, wanted: Told) -> None:
    """Assert that the same is told, to the last row."""
    assert found.keys() == wanted.keys()
    for name, frames in found.items():
        for one, other in zip(frames, wanted[name], strict=True):
            pd.testing.assert_frame_equal(one, other)
