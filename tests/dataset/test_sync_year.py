"""A year of hourly counts, built and kept current, with crashes on the way."""

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
    """Nothing is to catch this."""


class Dice:
    """Crashes at random, before or after a commit or an answer."""

    def __init__(self, patch: pytest.MonkeyPatch, share: float) -> None:
        self.crashes, self._share = 0, share
        self._random = random.Random(365)  # noqa: S311 - no secret
        for home, name in ((lake.Table, "write"), (ep.EngagementClient, "collect")):
            patch.setattr(home, name, self._around(getattr(home, name)))

    def _around(self, real: Any) -> Any:
        def call(*given: Any, **more: Any) -> Any:
            self._throw()
            result = real(*given, **more)
            self._throw()
            return result

        return call

    def _throw(self) -> None:
        if self._random.random() < self._share:
            self.crashes += 1
            raise Crash


def through(moving: World, dataset: ep.Dataset, posts: list[str], **asked: Any) -> Synced:
    """Run the same command until it ends by itself."""
    while True:
        try:
            return moving.sync(dataset, posts, engagement_types=TYPES, settle=SETTLE, **asked)
        except Crash:
            continue


@pytest.mark.long
def test_a_year_of_a_hundred_posts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Built and kept current through crashes: what one fetch gives, and in few requests."""
    with world("2026-04-01T00:05:00Z") as moving:
        moving.clock.tick = timedelta(milliseconds=1)
        tardy(monkeypatch, moving.clock, LATE)
        since = moving.clock.now - timedelta(days=365)
        step = timedelta(days=7)
        posts = [moving.posts(2, since + week * step) for week in range(50)]
        every = [post for pair in posts for post in pair]
        assert len(set(every)) == 100
        dataset = ep.Dataset(tmp_path / "set")
        with monkeypatch.context() as patch:
            dice = Dice(patch, 0.1)
            through(moving, dataset, every, since=since)
            built = len(moving.asked)
            runs = 36
            for _ in range(runs):
                moving.clock.now = moving.clock.now.replace(minute=5, second=0) + HOUR
                through(moving, dataset, every, since=since)
        assert dice.crashes >= 10
        # 4 requests a window for the newest, fewer for those before; a crash costs one at most.
        assert built <= 4 * 14 + dice.crashes * 4
        assert len(moving.asked) - built <= runs * 4 + dice.crashes * 4
        found = dataset.read()
        check_counts(found)
        wanted = moving.fetched(every, since, TYPES)
        same(found, wanted)
        log = dataset.revisions()
        assert not log.duplicated(
            ["post_id", "engagement_type", "day", "hour", "retrieved_at"]
        ).any()
        assert (log["count"] != log["count_before"]).all()
