"""A year of hourly counts, built and kept current, with crashes in between."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.datasets.worlds import HOUR, World, same, tardy, world

import engagement_pandas as ep
from engagement_pandas.dataset import delta_table as lake
from engagement_pandas.dataset.sync import Synced
from engagement_pandas.frame.contract import check_counts

TYPES = ("impressions", "engagements", "favorites", "replies", "url_clicks")
SETTLE = 24
LATE = 12


class Crash(BaseException):
    """An error that no code catches."""


class RandomCrashes:
    """Crashes at random, before or after a commit or a collect."""

    def __init__(self, patch: pytest.MonkeyPatch, share: float) -> None:
        self.crashes, self._share = 0, share
        self._random = random.Random(365)  # noqa: S311 - no secret
        for home, name in ((lake.Table, "write"), (ep.EngagementClient, "collect")):
            patch.setattr(home, name, self._around(getattr(home, name)))

    def _around(self, real: Any) -> Any:
        def call(*arguments: Any, **more: Any) -> Any:
            self._throw()
            result = real(*arguments, **more)
            self._throw()
            return result

        return call

    def _throw(self) -> None:
        if self._random.random() < self._share:
            self.crashes += 1
            raise Crash


def sync_until_done(moving: World, dataset: ep.Dataset, posts: list[str], **options: Any) -> Synced:
    """Run the same command until it ends without a crash."""
    while True:
        try:
            return moving.sync(dataset, posts, engagement_types=TYPES, settle=SETTLE, **options)
        except Crash:
            continue


@pytest.mark.long
def test_a_year_with_crashes_equals_one_fetch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 posts are built and kept current through crashes, in few requests."""
    with world("2026-04-01T00:05:00Z") as moving:
        moving.clock.tick = timedelta(milliseconds=1)
        tardy(monkeypatch, moving.clock, LATE)
        since = moving.clock.now - timedelta(days=365)
        step = timedelta(days=7)
        posts = [moving.posts(2, since + week * step) for week in range(50)]
        all_posts = [post for pair in posts for post in pair]
        assert len(set(all_posts)) == 100
        dataset = ep.Dataset(tmp_path / "set")
        with monkeypatch.context() as patch:
            random_crashes = RandomCrashes(patch, 0.1)
            sync_until_done(moving, dataset, all_posts, since=since)
            built = len(moving.requests)
            runs = 36
            for _ in range(runs):
                moving.clock.now = moving.clock.now.replace(minute=5, second=0) + HOUR
                sync_until_done(moving, dataset, all_posts, since=since)
        assert random_crashes.crashes >= 10
        # 4 requests for each window of the newest, fewer for older ones; a crash costs at most 4.
        assert built <= 4 * 14 + random_crashes.crashes * 4
        assert len(moving.requests) - built <= runs * 4 + random_crashes.crashes * 4
        found = dataset.read()
        check_counts(found)
        expected = moving.fetched(all_posts, since, TYPES)
        same(found, expected)
        log = dataset.revisions()
        assert not log.duplicated(
            ["post_id", "engagement_type", "day", "hour", "retrieved_at"]
        ).any()
        assert (log["count"] != log["count_before"]).all()
