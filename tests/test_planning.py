"""One question, many requests: nothing lost, nothing asked twice."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.vocabulary import SNOWFLAKE_EPOCH

START = datetime(2025, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def snowflake(made: datetime) -> str:
    """Return the first ID of a moment, by the documented formula."""
    return str(int((made - SNOWFLAKE_EPOCH) / timedelta(milliseconds=1)) << 22)


def totals(posts: int) -> ep.EngagementRequest:
    """Ask for totals of so many posts."""
    return ep.totals(range(1, posts + 1), engagement_types=["favorites"])


def historical(posts: int, hours: int) -> ep.EngagementRequest:
    """Ask for so many posts and hours."""
    start = START - max(0, hours - 24 * 340) * HOUR
    window = ep.Window(start, start + hours * HOUR)
    return ep.EngagementRequest(
        "historical", range(1, posts + 1), ["favorites"], ep.BY_HOUR, window
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("posts", "sizes"),
    [
        (1, [1]),
        (24, [24]),
        (25, [25]),
        (26, [26]),
        (249, [249]),
        (250, [250]),
        (251, [250, 1]),
        (600, [250, 250, 100]),
    ],
)
def test_totals_takes_250(posts: int, sizes: list[int]) -> None:
    """250 posts a request; the last partial batch is sent too."""
    assert [len(part.post_ids) for part in ep.plan(totals(posts))] == sizes


@pytest.mark.parametrize(
    ("posts", "sizes"),
    [(1, [1]), (24, [24]), (25, [25]), (26, [25, 1]), (249, [25] * 9 + [24]), (600, [25] * 24)],
)
def test_time_series_take_25(posts: int, sizes: list[int]) -> None:
    """25 posts a request."""
    request = ep.last_28_hours(range(posts), engagement_types=["favorites"])
    assert [len(part.post_ids) for part in ep.plan(request)] == sizes


def test_no_posts_are_no_question() -> None:
    """0 posts are refused where they are asked for, so that a plan is never empty."""
    with pytest.raises(ep.InvalidPostId, match="is empty"):
        totals(0)


@pytest.mark.parametrize(
    ("hours", "sizes"), [(1, [1]), (672, [672]), (673, [672, 1]), (9600, [672] * 14 + [192])]
)
def test_windows_of_28_days(hours: int, sizes: list[int]) -> None:
    """1 hour, 28 days, 28 days and 1 hour, 400 days."""
    parts = ep.plan(historical(1, hours))
    assert [part.window.hours for part in parts if part.window] == sizes


@settings(max_examples=40, deadline=None)
@given(posts=st.integers(1, 80), hours=st.integers(1, 3000))
def test_every_post_and_hour_exactly_once(posts: int, hours: int) -> None:
    """The (post, hour) pairs of the parts are those of the question, each once."""
    request = historical(posts, hours)
    asked: Counter[tuple[str, datetime]] = Counter()
    for part in ep.plan(request):
        assert part.window is not None
        assert len(part.post_ids) <= 25
        assert part.window.hours <= 672
        asked.update(
            (post, part.window.start + n * HOUR)
            for post in part.post_ids
            for n in range(part.window.hours)
        )
    assert request.window is not None
    assert set(asked.values()) == {1}
    assert len(asked) == posts * hours
    assert min(hour for _, hour in asked) == request.window.start


def test_parts_keep_the_rest_of_the_question() -> None:
    """Types, groupings and endpoint are the same in every part."""
    request = historical(26, 700)
    for part in ep.plan(request):
        assert part.replace(post_ids=request.post_ids, window=request.window) == request


def test_minutes() -> None:
    """4 requests at 3 a minute take 2 minutes of quota; told where the quota is known."""
    plan = ep.plan(totals(1000), per_minute=3)
    assert plan.minutes == 2
    assert "2 minutes at 3 requests a minute" in repr(plan)
    assert ep.plan(totals(1000)).minutes is None


@pytest.mark.parametrize("per_minute", [0, -1, float("nan")])
def test_no_quota_at_all(per_minute: float) -> None:
    """Would take for ever."""
    with pytest.raises(ep.RequestError, match="per_minute"):
        ep.plan(totals(1), per_minute=per_minute)


def test_a_naive_present() -> None:
    """Whose time it is cannot be told."""
    with pytest.raises(ep.InvalidWindow, match=r"now .* has no time zone"):
        ep.plan(totals(1), now=datetime(2026, 4, 15))  # noqa: DTZ001


def test_too_old_for_a_type() -> None:
    """/totals: impressions up to 90 days, video views up to 1800, to the millisecond."""
    now = datetime(2026, 4, 15, 12, 20, tzinfo=UTC)
    young, old, ancient = (snowflake(now - timedelta(days=d)) for d in (90, 90.001, 1800.001))
    request = ep.totals(
        [young, old, ancient, "123456789"],
        engagement_types=["impressions", "favorites", "video_views"],
    )
    assert {tuple(o) for o in ep.plan(request, now=now).expected_omissions} == {
        (old, "impressions", "unsupported_age"),
        (ancient, "impressions", "unsupported_age"),
        (ancient, "video_views", "unsupported_age"),
    }


def test_time_series_have_no_90_days() -> None:
    """Impressions of an old post are counted in the time series."""
    now = datetime(2026, 4, 15, tzinfo=UTC)
    old = snowflake(now - timedelta(days=400))
    request = ep.last_28_hours([old], engagement_types=["impressions"])
    assert ep.plan(request, now=now).expected_omissions == ()


def test_before_counting_began() -> None:
    """Favorites are counted since 2015-09-15; a window that reaches back further says so."""
    window = ep.Window.covering("2015-09-14T23:00:00Z", "2015-09-16")
    request = ep.historical(["1"], engagement_types=["favorites", "impressions"], window=window)
    (omission,) = ep.plan(request).expected_omissions
    assert omission == ("1", "favorites", "before_counting")
    later = request.replace(window=ep.Window.covering("2015-09-15", "2015-09-16"))
    assert ep.plan(later).expected_omissions == ()


def test_prints_as_a_table() -> None:
    """Requests, posts in each, hours, span; and what not to expect."""
    now = datetime(2026, 4, 15, 12, 20, tzinfo=UTC)
    old = snowflake(now - timedelta(days=100))
    request = ep.totals([*range(1, 601), old], engagement_types=["impressions", "favorites"])
    assert repr(ep.plan(request, now=now)) == (
        "Plan: 3 requests to /insights/engagement/totals for 601 posts\n"
        "  impressions, favorites\n"
        "  by_post: tweet.id > engagement.type\n"
        "\n"
        "  requests  posts in each  hours  span\n"
        "         2            250         totals since the post was made\n"
        "         1            101         totals since the post was made\n"
        "\n"
        "  no impressions to expect for 1 post: the post is too old for this engagement type"
    )


def test_prints_as_html_too() -> None:
    """The same numbers in a notebook, with names escaped."""
    request = ep.totals(
        range(1, 252), engagement_types=["favorites"], by={"<b>": ["engagement.type"]}
    )
    page = ep.plan(request)._repr_html_()
    assert "<td>1</td><td>250</td>" in page
    assert "&lt;b&gt;: engagement.type" in page
    assert "<b>" not in page
