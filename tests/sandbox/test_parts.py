"""How counts relate: engagements and their parts, media views and video views, rates."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engagement_pandas.sandbox.synthetic_counts import promoted

NOW = datetime(2026, 3, 12, 19, 43, 21, tzinfo=UTC)
HOUR = timedelta(hours=1)
VIEWS = {"impressions", "video_views", "media_views"}
PUBLIC = ["favorites", "retweets", "replies", "video_views"]
TOTALS = ["impressions", "engagements", "quote_tweets", *PUBLIC]
CLICKS = ["media_engagements", "url_clicks", "hashtag_clicks", "detail_expands", "permalink_clicks"]
OTHERS = ["app_install_attempts", "app_opens", "email_tweet", "user_follows", "user_profile_clicks"]
SERIES = ["impressions", "engagements", "media_views", *PUBLIC, *CLICKS, *OTHERS]
HANDLES = st.sampled_from(["sandbox_bakery", "sandbox_railway", "sandbox_observatory"])
BY = {
    "hours": ["tweet.id", "engagement.type", "engagement.day", "engagement.hour"],
    "days": ["engagement.day", "tweet.id", "engagement.type"],
    "hours of the day": ["engagement.hour", "engagement.type"],
}


def rows(document: Any, dimensions: list[str]) -> list[dict[str, int]]:
    """Return the counts by type, for each combination of the other keys."""
    found: dict[tuple[str, ...], dict[str, int]] = {}

    def walk(
        node: Any, dimensions_left: list[str], keys: tuple[str, ...], engagement_type: str
    ) -> None:
        if not dimensions_left:
            found.setdefault(keys, {})[engagement_type] = int(node)
            return
        for key, below in node.items():
            if dimensions_left[0] == "engagement.type":
                walk(below, dimensions_left[1:], keys, key)
            else:
                walk(below, dimensions_left[1:], (*keys, key), engagement_type)

    walk(document, dimensions, (), "")
    return list(found.values())


def parts(counts: dict[str, int]) -> int:
    """Sum the interactions of all types."""
    return sum(
        n for engagement_type, n in counts.items() if engagement_type not in VIEWS | {"engagements"}
    )


def iso(time: datetime) -> str:
    """Format a time as requests and responses have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def young(twin: Any, handle: str, now: datetime, number: int = 8) -> list[Any]:
    """Return posts of the last days, and one of some weeks ago."""
    posts = twin.visible(handle, now - timedelta(days=20))
    return [*posts[:1], *posts[-number:]] if len(posts) > number else posts


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 40 * 24 * 60), HANDLES, st.integers(1, 80))
def test_engagements_are_never_less_than_their_parts(
    make_twin: Any, body: Any, minutes: int, handle: str, hours: int
) -> None:
    """The law holds for every hour, complete or partial, every day and every hour of the day."""
    now = NOW - timedelta(minutes=minutes)
    twin = make_twin(now=now)
    posts = young(twin, handle, now)
    end = now - (minutes % 60) * HOUR
    window = {"start": iso(end - hours * HOUR), "end": iso(end)}
    for endpoint, more in (("historical", window), ("28hr", {})):
        request_body = body(posts, SERIES, BY, **more)
        document = twin.post(endpoint, request_body, handle).document
        for name, dimensions in BY.items():
            for counts in rows(document[name], dimensions):
                assert counts["engagements"] >= max(parts(counts), 0)
                assert counts["media_views"] >= counts["video_views"]


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 40 * 24 * 60), HANDLES)
def test_total_engagements_are_never_less_than_their_parts(
    make_twin: Any, body: Any, minutes: int, handle: str
) -> None:
    """Quote tweets are included, which the time series do not count."""
    now = NOW - timedelta(minutes=minutes)
    twin = make_twin(now=now)
    posts = young(twin, handle, now, 40)
    by = ["tweet.id", "engagement.type"]
    found = rows(twin.post("totals", body(posts, TOTALS, by), handle).document["g"], by)
    assert len(found) == len(posts)
    assert all(counts["engagements"] >= parts(counts) for counts in found)


@pytest.mark.slow
def test_unlikes_do_not_make_engagements_negative(twin: Any, body: Any) -> None:
    """A month has hours with negative likes, and engagements are not negative there."""
    posts = twin.visible("sandbox_railway")[:25]
    document = twin.post("historical", body(posts, SERIES, BY), "sandbox_railway").document
    hours = rows(document["hours"], BY["hours"])
    assert min(counts["favorites"] for counts in hours) == -1
    assert min(counts["engagements"] for counts in hours) == 0
    assert any(counts["engagements"] > parts(counts) > 0 for counts in hours)


@pytest.mark.slow
def test_engagements_exceed_impressions_for_promoted_posts_only(twin: Any, body: Any) -> None:
    """No hour of another post has more engagements than impressions."""
    until = NOW - timedelta(days=1)
    posts = twin.visible("sandbox_observatory", NOW - timedelta(days=120), until)
    posts += twin.visible("sandbox_bakery", NOW - timedelta(days=16), until)
    over = set()
    for post in posts:
        start = post.created_at.replace(minute=0, second=0, microsecond=0)
        end = min(start + timedelta(days=28), NOW.replace(minute=0, second=0))
        window = {"start": iso(start), "end": iso(end)}
        request_body = body([post], ["impressions", "engagements"], BY["hours"], **window)
        found = rows(twin.post("historical", request_body, post.handle).document["g"], BY["hours"])
        if any(counts["engagements"] > counts["impressions"] for counts in found):
            over.add(post)
    assert 0 < len(over) < 0.12 * len(posts)
    assert all(promoted(post) for post in over)


@pytest.mark.slow
@pytest.mark.parametrize("handle", ["sandbox_bakery", "sandbox_railway", "sandbox_observatory"])
def test_engagement_rates_are_realistic(twin: Any, body: Any, handle: str) -> None:
    """Half of the posts have 1.5 to 6 %, nine in ten 0.8 to 12 %; likes lead replies."""
    posts = twin.visible(handle, NOW - timedelta(days=85), NOW - timedelta(days=2))[:250]
    by = ["tweet.id", "engagement.type"]
    found = twin.post("totals", body(posts, TOTALS, by), handle).document["g"]
    counts = [{t: int(n) for t, n in found[p.post_id].items()} for p in posts if not promoted(p)]
    rates = sorted(
        post_counts["engagements"] / post_counts["impressions"] for post_counts in counts
    )
    low, quarter, middle, three, high = (
        rates[int(share * len(rates))] for share in (0.05, 0.25, 0.5, 0.75, 0.95)
    )
    assert 0.008 <= low < 0.015 <= quarter < middle < three <= 0.06 < high <= 0.12
    assert rates[-1] < 0.5
    sums = {t: sum(post_counts[t] for post_counts in counts) for t in TOTALS}
    assert sums["favorites"] > 1.5 * sums["retweets"]
    assert sums["favorites"] > 3 * sums["replies"] > 3 * sums["quote_tweets"]


def test_rates_by_day_and_hour_are_realistic(twin: Any, body: Any) -> None:
    """Over all posts of an account, most days and busy hours have 1 to 8 %."""
    posts = [p for p in twin.visible("sandbox_railway")[:25] if not promoted(p)]
    for by, most in (("days", 0.08), ("hours of the day", 0.08)):
        dimensions = [d for d in BY[by] if d != "tweet.id"]
        request_body = body(posts, ["impressions", "engagements"], dimensions)
        found = rows(
            twin.post("historical", request_body, "sandbox_railway").document["g"], dimensions
        )
        rates = [c["engagements"] / c["impressions"] for c in found if c["impressions"] > 500]
        assert len(rates) > 5
        assert 0.01 < statistics.median(rates) < 0.06
        assert max(rates) < 2 * most
