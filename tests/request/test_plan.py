"""A plan divides a request into requests without loss or repetition."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scripted import FakeClock

import engagement_pandas as ep
from engagement_pandas.request.post_ids import SNOWFLAKE_EPOCH
from engagement_pandas.sandbox import SandboxServer, Settings

START = datetime(2025, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def first_id_at(time: datetime) -> str:
    """Return the first ID of a millisecond, by the documented formula."""
    return str(int((time - SNOWFLAKE_EPOCH) / timedelta(milliseconds=1)) << 22)


def totals(posts: int) -> ep.EngagementRequest:
    """Request totals of this number of posts."""
    return ep.totals(range(1, posts + 1), engagement_types=["favorites"])


def historical(posts: int, hours: int) -> ep.EngagementRequest:
    """Request this number of posts and hours."""
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
def test_totals_accept_250_posts(posts: int, sizes: list[int]) -> None:
    """A request has 250 posts; the last partial batch is sent too."""
    assert [len(part.post_ids) for part in ep.plan(totals(posts))] == sizes


@pytest.mark.parametrize(
    ("posts", "sizes"),
    [(1, [1]), (24, [24]), (25, [25]), (26, [25, 1]), (249, [25] * 9 + [24]), (600, [25] * 24)],
)
def test_time_series_accept_25_posts(posts: int, sizes: list[int]) -> None:
    """A request has 25 posts."""
    request = ep.last_28_hours(range(posts), engagement_types=["favorites"])
    assert [len(part.post_ids) for part in ep.plan(request)] == sizes


def test_no_posts_are_refused() -> None:
    """A request needs a post, so a plan is never empty by mistake."""
    with pytest.raises(ep.InvalidPostId, match="is empty"):
        totals(0)


@pytest.mark.parametrize(
    ("hours", "sizes"), [(1, [1]), (672, [672]), (673, [1, 672]), (9600, [192] + [672] * 14)]
)
def test_windows_are_divided_into_28_days(hours: int, sizes: list[int]) -> None:
    """The cases are 1 hour, 28 days, 28 days and 1 hour, and 400 days."""
    parts = ep.plan(historical(1, hours))
    assert [part.window.hours for part in parts if part.window] == sizes


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(posts=st.integers(1, 80), hours=st.integers(1, 3000))
def test_every_post_and_hour_is_requested_once(posts: int, hours: int) -> None:
    """The (post, hour) pairs of the parts are those of the request, each once."""
    request = historical(posts, hours)
    cells: Counter[tuple[str, datetime]] = Counter()
    for part in ep.plan(request):
        assert part.window is not None
        assert len(part.post_ids) <= 25
        assert part.window.hours <= 672
        cells.update(
            (post, part.window.start + n * HOUR)
            for post in part.post_ids
            for n in range(part.window.hours)
        )
    assert request.window is not None
    assert set(cells.values()) == {1}
    assert len(cells) == posts * hours
    assert min(hour for _, hour in cells) == request.window.start


def test_parts_keep_types_and_groupings() -> None:
    """Types, groupings and endpoint are the same in every part."""
    request = historical(26, 700)
    for part in ep.plan(request):
        assert part.replace(post_ids=request.post_ids, window=request.window) == request


def test_minutes_of_the_quota() -> None:
    """4 requests at 3 a minute take 2 minutes; without a quota the time is unknown."""
    plan = ep.plan(totals(1000), per_minute=3)
    assert plan.minutes == 2
    assert "2 minutes at 3 requests per minute" in repr(plan)
    assert ep.plan(totals(1000)).minutes is None


@pytest.mark.parametrize("per_minute", [0, -1, float("nan")])
def test_invalid_quotas_are_refused(per_minute: float) -> None:
    """Without a positive quota the plan would never end."""
    with pytest.raises(ep.RequestError, match="per_minute"):
        ep.plan(totals(1), per_minute=per_minute)


def test_a_naive_time_is_refused() -> None:
    """Its time zone is unknown."""
    with pytest.raises(ep.InvalidWindow, match=r"now .* has no time zone"):
        ep.plan(totals(1), now=datetime(2026, 4, 15))  # noqa: DTZ001


def test_posts_too_old_for_a_type() -> None:
    """/totals has impressions up to 90 days and video views up to 1800, to the millisecond."""
    now = datetime(2026, 4, 15, 12, 20, tzinfo=UTC)
    young, old, ancient = (first_id_at(now - timedelta(days=d)) for d in (90, 90.001, 1800.001))
    request = ep.totals(
        [young, old, ancient, "123456789"],
        engagement_types=["impressions", "favorites", "video_views"],
    )
    assert {tuple(o) for o in ep.plan(request, now=now).expected_omissions} == {
        (old, "impressions", "unsupported_age"),
        (ancient, "impressions", "unsupported_age"),
        (ancient, "video_views", "unsupported_age"),
    }


def test_time_series_have_no_age_limit() -> None:
    """Impressions of an old post are counted in the time series."""
    now = datetime(2026, 4, 15, tzinfo=UTC)
    old = first_id_at(now - timedelta(days=400))
    request = ep.last_28_hours([old], engagement_types=["impressions"])
    assert ep.plan(request, now=now).expected_omissions == ()


def test_hours_before_counting_began() -> None:
    """Favorites are counted since 2015-09-15; an earlier window has expected omissions."""
    window = ep.Window.covering("2015-09-14T23:00:00Z", "2015-09-16")
    request = ep.historical(["1"], engagement_types=["favorites", "impressions"], window=window)
    (omission,) = ep.plan(request).expected_omissions
    assert omission == ("1", "favorites", "before_counting")
    later = request.replace(window=ep.Window.covering("2015-09-15", "2015-09-16"))
    assert ep.plan(later).expected_omissions == ()


def test_the_repr_is_a_table() -> None:
    """It shows requests, posts, hours, windows, and expected omissions."""
    now = datetime(2026, 4, 15, 12, 20, tzinfo=UTC)
    old = first_id_at(now - timedelta(days=100))
    request = ep.totals([*range(1, 601), old], engagement_types=["impressions", "favorites"])
    assert repr(ep.plan(request, now=now)) == (
        "Plan: 3 requests to /insights/engagement/totals for 601 posts\n"
        "  impressions, favorites\n"
        "  by_post: tweet.id > engagement.type\n"
        "  up to 1,202 counts\n"
        "\n"
        "  requests  posts in each  hours  span\n"
        "         2            250         totals since the post was made\n"
        "         1            101         totals since the post was made\n"
        "\n"
        "  1 post will have no impressions: the post is too old for this engagement type"
    )


def test_the_html_has_the_same_numbers() -> None:
    """Names are escaped."""
    request = ep.totals(
        range(1, 252), engagement_types=["favorites"], by={"<b>": ["engagement.type"]}
    )
    page = ep.plan(request)._repr_html_()
    assert "<td>1</td><td>250</td>" in page
    assert "&lt;b&gt;: engagement.type" in page
    assert "<b>" not in page


def test_the_html_is_accessible() -> None:
    """The table has a caption and column headers, and there is no empty list."""
    page = ep.plan(totals(1))._repr_html_()
    assert page.count("<caption>") == 1
    assert re.findall(r"<th\b[^>]*>", page) == ['<th scope="col">'] * 4
    assert page.count("<td>") == 4
    assert "<ul>" not in page


def test_the_html_lists_expected_omissions() -> None:
    """The list is below the table."""
    old = first_id_at(datetime(2026, 1, 1, tzinfo=UTC))
    request = ep.totals([old], engagement_types=["impressions"])
    page = ep.plan(request, now=datetime(2026, 4, 15, tzinfo=UTC))._repr_html_()
    assert "</table><ul><li>1 post will have no impressions" in page


def test_the_plan_shows_its_cost() -> None:
    """25 posts, 17 types and 672 hours are the largest possible response."""
    window = ep.Window.covering("2026-03-01", "2026-03-29")
    request = ep.historical(range(25), engagement_types=ep.SERIES_TYPES, window=window)
    plan = ep.plan(request, per_minute=30)
    assert len(plan) == 1
    price = "up to 285,600 counts; 1 minute at 30 requests per minute"
    assert f"\n  {price}\n" in repr(plan)
    assert price in plan._repr_html_()
    assert "\n  up to 1 count\n" in repr(ep.plan(totals(1)))


# The maximum number of counts

NIGHT = ep.Window.covering("2026-03-01T22:00:00Z", "2026-03-02T02:00:00Z")
EDGES = ep.Window.covering("2026-03-01T23:00:00Z", "2026-03-04T01:00:00Z")
MONTHS = ep.Window.covering("2026-02-01", "2026-04-01")

MAXIMA: dict[str, tuple[list[str], dict[str, int]]] = {
    "totals": (["tweet.id", "engagement.type"], {"night": 3 * 2}),
    "sums": (["engagement.type"], {"night": 2, "edges": 2, "months": 2}),
    "days": (
        ["tweet.id", "engagement.type", "engagement.day"],
        {"night": 3 * 2 * 2, "edges": 3 * 2 * 4, "months": 3 * 2 * 59},
    ),
    "hours": (
        ["tweet.id", "engagement.type", "engagement.day", "engagement.hour"],
        {"night": 3 * 2 * 4, "edges": 3 * 2 * 50, "months": 3 * 2 * 59 * 24},
    ),
    "hours of the day": (
        ["tweet.id", "engagement.type", "engagement.hour"],
        {"night": 3 * 2 * 4, "edges": 3 * 2 * 24, "months": 3 * 2 * 24},
    ),
    "sums of days": (
        ["engagement.type", "engagement.day"],
        {"night": 2 * 2, "edges": 2 * 4, "months": 2 * 59},
    ),
    "sums of hours": (
        ["engagement.type", "engagement.hour", "engagement.day"],
        {"night": 2 * 4, "edges": 2 * 50, "months": 2 * 59 * 24},
    ),
}
WINDOWS = {"night": NIGHT, "edges": EDGES, "months": MONTHS}
EXPECTED = [(by, name, most) for by, row in MAXIMA.values() for name, most in row.items()]


@pytest.mark.parametrize(("by", "window", "most"), EXPECTED)
def test_most_counts_of_a_window(by: list[str], window: str, most: int) -> None:
    """3 posts of 2 types: 4 hours across midnight, 50 hours on four days, 59 days in 3 requests."""
    request = ep.historical(
        ["1", "2", "3"],
        engagement_types=["impressions", "url_clicks"],
        window=WINDOWS[window],
        by=by,
    )
    assert ep.plan(request).most_counts == most


@pytest.mark.parametrize(
    ("by", "most"),
    [
        (ep.BY_HOUR, 2 * 29),
        (ep.BY_DAY, 2 * 3),
        (ep.BY_POST, 2),
        (["engagement.type", "engagement.hour"], 24),
        (["engagement.type"], 1),
    ],
    ids=str,
)
def test_most_counts_of_28_hours(by: Any, most: int) -> None:
    """From 23:30 to 03:30 there are 29 clock hours on 3 days."""
    request = ep.last_28_hours(["1", "2"], engagement_types=["replies"], by=by)
    assert ep.plan(request).most_counts == most


def test_groupings_add_up() -> None:
    """600 posts and 2 types in three requests have 2 sums of all posts."""
    by = {"posts": ["tweet.id", "engagement.type"], "sums": ["engagement.type"]}
    request = ep.totals(range(600), engagement_types=["favorites", "replies"], by=by)
    assert ep.plan(request).most_counts == 600 * 2 + 2


NIGHTFALL = datetime(2026, 4, 15, 3, 30, tzinfo=UTC)
RECENT = ep.Window.covering("2026-03-10T06:00:00Z", "2026-04-15T03:00:00Z")
SERIES_ORDERS = [by for by, _ in MAXIMA.values()]
REQUESTS: dict[str, Callable[[list[str], Any], ep.EngagementRequest]] = {
    "28hr": lambda posts, by: ep.last_28_hours(posts, engagement_types=["replies"], by=by),
    "historical": lambda posts, by: ep.historical(
        posts, engagement_types=["replies", "url_clicks"], window=RECENT, by=by
    ),
}


@dataclass(frozen=True)
class Night:
    """The sandbox at half past three: a client, and posts with and without counts."""

    client: ep.EngagementClient
    answered: list[str]
    without_counts: list[str]


@pytest.fixture(scope="module")
def night() -> Iterator[Night]:
    """Run a sandbox without a quota, with a fake clock."""
    clock = FakeClock(NIGHTFALL.timestamp())
    free = Settings(per_minute=100_000, per_second=100_000)
    server = SandboxServer(NIGHTFALL, settings=free, wall=clock.time)
    keys = server.keys("sandbox_bakery")
    user = ep.UserContext(
        keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret
    )
    with (
        closing(server),
        ep.EngagementClient(
            user, base_url=server.base_url, clock=clock.time, sleep=clock.sleep
        ) as client,
    ):
        handles = ("sandbox_bakery", "sandbox_railway")
        posts = [post.post_id for name in handles for post in server.world.posts(name)]
        omitted = ep.omissions(client.fetch(REQUESTS["28hr"](posts, ep.BY_POST)))
        without_counts = omitted["post_id"].unique().tolist()
        yield Night(
            client, [post for post in posts if post not in without_counts][-30:], without_counts
        )


@pytest.mark.slow
@pytest.mark.parametrize("by", SERIES_ORDERS, ids=" > ".join)
@pytest.mark.parametrize("endpoint", REQUESTS)
def test_most_counts_is_exact_for_answered_posts(
    night: Night, endpoint: str, by: list[str]
) -> None:
    """The frame of two batches has exactly as many rows."""
    assert len(night.answered) == 30
    plan = ep.plan(REQUESTS[endpoint](night.answered, by))
    assert len(plan) == 2
    assert plan.most_counts == len(ep.flatten(night.client.fetch(plan)))


@pytest.mark.slow
@pytest.mark.parametrize("by", SERIES_ORDERS, ids=" > ".join)
@pytest.mark.parametrize("endpoint", REQUESTS)
def test_most_counts_is_an_upper_bound_for_other_posts(
    night: Night, endpoint: str, by: list[str]
) -> None:
    """Deleted posts and those of others have no rows; only sums do not need them."""
    plan = ep.plan(REQUESTS[endpoint]([*night.without_counts[-5:], *night.answered], by))
    rows = len(ep.flatten(night.client.fetch(plan)))
    assert rows == ep.plan(REQUESTS[endpoint](night.answered, by)).most_counts
    assert plan.most_counts > rows if "tweet.id" in by else plan.most_counts == rows
