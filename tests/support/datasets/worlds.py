"""A sandbox with a controllable clock, and the expected counts of a single fetch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.archive.asking import at_once

import engagement_pandas as ep
from engagement_pandas.dataset.sync import Synced, sync
from engagement_pandas.frame.contract import TEXT, dtype_name
from engagement_pandas.sandbox import SandboxServer, Settings, response_body

HANDLE = "sandbox_railway"  # up to six posts a day
OTHER = "sandbox_observatory"
TYPES = ("impressions", "replies")
HOUR = timedelta(hours=1)


@dataclass
class Clock:
    """A clock that advances when it is set, or during sleep."""

    now: datetime
    tick: timedelta = timedelta(0)
    """Time that passes between two readings."""

    def moment(self) -> datetime:
        return self.now

    def time(self) -> float:
        self.now += self.tick
        return self.now.timestamp()

    def sleep(self, seconds: float) -> None:
        # A microsecond more, since a rounding error would be waited for again and again.
        self.now += timedelta(seconds=seconds, microseconds=1)


@dataclass
class World:
    """A sandbox, its clock and a client."""

    clock: Clock
    server: SandboxServer
    client: ep.EngagementClient

    def posts(self, number: int, since: datetime | None = None) -> list[str]:
        """Return the account's first posts since a given time that are never deleted."""
        posts = self.server.world.posts(HANDLE, since)
        late = datetime(2100, 1, 1, tzinfo=UTC)
        lasting = [post.post_id for post in posts if post.availability(late) == "public"]
        assert len(lasting) >= number
        return lasting[:number]

    def sync(self, dataset: ep.Dataset, posts: Sequence[str], **more: Any) -> Synced:
        """Sync without a progress bar."""
        options = {"engagement_types": TYPES, "since": self.clock.now - timedelta(days=7), **more}
        return sync(self.client, dataset, posts, **options, watch=lambda _: None)

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The bodies of all requests so far."""
        return [json.loads(received.body) for received in self.server.requests]

    def fetched(
        self, posts: Iterable[str], since: datetime, types: Iterable[str] = TYPES
    ) -> pd.DataFrame:
        """Return the counts of a single fetch now, without hours before a post was made."""
        floor = since.replace(minute=0, second=0, microsecond=0)
        window = ep.Window(floor, self.clock.now.replace(minute=0, second=0, microsecond=0))
        request = ep.historical(posts, engagement_types=types, window=window)
        counts = ep.flatten(self.client.fetch(request, watch=lambda _: None))
        made = counts["post_id"].map(lambda post: pd.Timestamp(ep.created_at(post)).floor("h"))
        return counts[ep.timestamps(counts) >= made].reset_index(drop=True)


@contextmanager
def world(now: str = "2026-03-20T12:05:00Z") -> Iterator[World]:
    """Run a sandbox at a given time, practically without rate limits."""
    clock = Clock(datetime.fromisoformat(now))
    settings = Settings(per_minute=1_000_000, per_second=1_000_000)
    with SandboxServer(clock.moment, settings=settings, wall=clock.time) as server:
        keys = server.keys(HANDLE)
        owner = ep.UserContext(
            keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret
        )
        with ep.EngagementClient(
            owner, base_url=server.base_url, clock=clock.time, sleep=clock.sleep
        ) as client:
            yield World(clock, server, client)


def tardy(patch: pytest.MonkeyPatch, clock: Clock, hours: int) -> None:
    """Delay counts: each hour reaches its final count only ``hours`` after its end."""
    original = response_body.bucketed

    def late(posts: Any, types: Any, start_ms: int, end_ms: int) -> Any:
        counts = original(posts, types, start_ms, end_ms)
        hour_ms = 3_600_000
        ends = (start_ms // hour_ms + 1 + np.arange(counts.shape[2])) * hour_ms
        age = (clock.time() * 1000 - ends) // hour_ms
        elapsed = np.clip(age, 0, hours)
        return counts * elapsed // hours if hours else counts

    patch.setattr(response_body, "bucketed", late)


def same(actual: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Assert that two frames of counts are equal; faster than pandas' own function."""
    assert actual.dtypes.map(dtype_name).to_dict() == expected.dtypes.map(dtype_name).to_dict()
    for name in expected:
        left, right = (
            frame[name].astype(TEXT if name == "engagement_type" else frame[name].dtype)
            for frame in (actual, expected)
        )
        assert left.equals(right), name


__all__ = ["HOUR", "OTHER", "TYPES", "World", "at_once", "same", "tardy", "world"]
