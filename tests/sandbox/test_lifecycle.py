"""Counts over the lifetime of some hundred posts are realistic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engagement_pandas.sandbox.synthetic_counts import promoted, runs_away
from engagement_pandas.vocabulary.engagement_types import TOTALS_TYPES

NOW = datetime(2026, 3, 12, 19, 43, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def crowd(twin: Any, body: Any) -> dict[str, Any]:
    """Return lifetime totals of some hundred posts, and the posts by ID."""
    since = NOW - timedelta(days=80)
    posts = twin.visible("sandbox_railway", since, since + timedelta(days=70))[:250]
    reply = twin.post("totals", body(posts, TOTALS_TYPES), "sandbox_railway")
    return {
        p.post_id: (p, {k: int(n) for k, n in reply.document["g"][p.post_id].items()})
        for p in posts
    }


@pytest.mark.slow
def test_totals_are_never_negative(crowd: dict[str, Any]) -> None:
    """Unlikes cannot outnumber likes."""
    assert len(crowd) > 200
    assert min(n for _, counts in crowd.values() for n in counts.values()) >= 0


def test_promoted_posts_have_more_engagements_than_impressions(crowd: dict[str, Any]) -> None:
    """Impressions are organic only; for all other posts the rate stays below one."""
    rates = {post: counts["engagements"] / counts["impressions"] for post, counts in crowd.values()}
    assert {promoted(post) for post, rate in rates.items() if rate > 1} == {True}
    assert 0.01 < sum(rate > 1 for rate in rates.values()) / len(rates) < 0.15
    assert all(rate < 0.6 for post, rate in rates.items() if not promoted(post))


def test_engagements_are_not_the_sum_of_the_others(crowd: dict[str, Any]) -> None:
    """Summing the other types gives another number."""
    others = ("favorites", "retweets", "quote_tweets", "replies")
    equal = [c for _, c in crowd.values() if c["engagements"] == sum(c[o] for o in others)]
    assert len(equal) < 3


def test_a_few_posts_go_viral(crowd: dict[str, Any]) -> None:
    """They have by far the most impressions."""
    ranked = sorted(crowd.values(), key=lambda pair: pair[1]["impressions"])
    middle = ranked[len(ranked) // 2][1]["impressions"]
    away = [counts["impressions"] for post, counts in ranked if runs_away(post)]
    assert 0 < len(away) < 0.06 * len(ranked)
    assert ranked[-1][1]["impressions"] > 20 * middle


def test_only_videos_have_video_views(crowd: dict[str, Any]) -> None:
    """Every widely seen video has some."""
    for post, counts in crowd.values():
        assert (counts["video_views"] > 0) <= post.video
        if post.video and counts["impressions"] > 1000:
            assert counts["video_views"] > 0
