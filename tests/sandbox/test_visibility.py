"""Who may see what: owners, the app, unavailable posts and posts that are too old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engagement_pandas.sandbox.service import Settings
from engagement_pandas.sandbox.world import Availability

NOW = datetime(2026, 3, 12, 19, 43, 21, tzinfo=UTC)
PUBLIC = ["favorites", "retweets", "quote_tweets", "replies", "video_views"]
YEAR = (NOW - timedelta(days=365), NOW)


def posts_with(twin: Any, availability: Availability, handle: str = "sandbox_bakery") -> Any:
    """List a year of posts with one availability."""
    return [p for p in twin.world.posts(handle, *YEAR) if p.availability(NOW) is availability]


def test_the_app_sees_public_types_of_any_post(twin: Any, body: Any) -> None:
    """One request has posts of several owners."""
    posts = [twin.visible("sandbox_bakery")[-1], twin.visible("sandbox_railway")[-1]]
    reply = twin.post("totals", body(posts, PUBLIC), None)
    assert reply.status == 200
    assert set(reply.document["g"]) == {post.post_id for post in posts}


def test_owner_and_app_get_the_same_public_counts(twin: Any, body: Any) -> None:
    """Public counts do not depend on who requests them."""
    posts = twin.visible()[-5:]
    by = ["tweet.id", "engagement.type"]
    replies = [twin.post("totals", body(posts, PUBLIC, by), h) for h in ("sandbox_bakery", None)]
    ours, theirs = (
        {(p, t): int(n) for p, c in r.document["g"].items() for t, n in c.items()} for r in replies
    )
    assert ours == theirs


@pytest.mark.parametrize(
    ("endpoint", "types", "private"),
    [
        ("totals", ["impressions"], "impressions"),
        ("totals", ["retweets", "engagements", "impressions"], "engagements, impressions"),
        ("28hr", ["favorites"], "favorites"),
        ("historical", ["favorites", "url_clicks"], "favorites, url_clicks"),
    ],
)
def test_the_app_is_refused_private_types(
    twin: Any, body: Any, endpoint: str, types: list[str], private: str
) -> None:
    """The 403 lists the private types."""
    reply = twin.post(endpoint, body(twin.visible()[-1:], types), None)
    assert reply.status == 403
    assert reply.errors == [f"Forbidden to access metrics: {private}"]


@pytest.mark.parametrize("endpoint", ["totals", "28hr", "historical"])
def test_one_unowned_post_refuses_the_complete_request(twin: Any, body: Any, endpoint: str) -> None:
    """Posts of others are listed in the requested order, even for a public type."""
    owned = twin.visible()[-1]
    others = [twin.visible("sandbox_railway")[-1], twin.visible("sandbox_observatory")[-1]]
    reply = twin.post(endpoint, body([others[0], owned, others[1]]))
    assert reply.status == 403
    assert reply.document == {
        "errors": [f"Forbidden to access tweets: {others[0].post_id}, {others[1].post_id}"]
    }


def test_the_older_wording_names_the_authors(make_twin: Any, body: Any) -> None:
    """There is one error for each author."""
    twin = make_twin(settings=Settings(forbidden="by_author"))
    first, second = twin.visible("sandbox_railway")[-2:]
    third = twin.visible("sandbox_observatory")[-1]
    reply = twin.post("totals", body([first, third, second]))
    assert reply.status == 403
    assert reply.errors == [
        f"Forbidden to access tweets for author id 9002: {first.post_id}, {second.post_id}",
        f"Forbidden to access tweets for author id 9003: {third.post_id}",
    ]


def test_unavailable_posts_are_listed_and_the_others_counted(twin: Any, body: Any) -> None:
    """Deleted, suspended and invented posts are left out of the grouping without an error."""
    seen = twin.visible()[-1]
    unavailable = [
        posts_with(twin, Availability.DELETED)[0].post_id,
        twin.world.posts("sandbox_closed")[0].post_id,
        "123456789",
    ]
    for handle in ("sandbox_bakery", None):
        reply = twin.post("totals", body([unavailable[0], seen, *unavailable[1:]]), handle)
        assert reply.status == 200
        assert reply.document["unavailable_tweet_ids"] == unavailable
        assert set(reply.document["g"]) == {seen.post_id}
        assert "errors" not in reply.document


def test_the_list_of_unavailable_posts_is_absent_if_empty(twin: Any, body: Any) -> None:
    """The response has no empty list."""
    reply = twin.post("28hr", body(twin.visible()[-3:]))
    assert set(reply.document) == {"start", "end", "g"}


def test_a_request_for_unavailable_posts_alone_is_refused(
    twin: Any, body: Any, sample: Any
) -> None:
    """The 400 has the captured message and the list of unavailable posts."""
    unavailable = posts_with(twin, Availability.DELETED)[0]
    reply = twin.post("historical", body([unavailable]))
    assert reply.status == 400
    expected = sample("error_unavailable_one_tweet")
    assert reply.document == expected | {"unavailable_tweet_ids": [unavailable.post_id]}


def test_a_response_can_have_both_counts_and_errors(make_twin: Any, body: Any) -> None:
    """Status 200 comes with the counts that exist and errors for the others."""
    plain = make_twin()
    twin = make_twin(settings=Settings(errors_beside_data=True))
    old = twin.visible("sandbox_bakery", NOW - timedelta(days=3000))[0]
    seen = twin.visible()[-1]
    request_body = body([seen, old, "1"], ["impressions", "video_views"])
    reply = twin.post("totals", request_body)
    assert reply.status == 200
    oldest = "2025-12-12T19:43:21Z"
    assert reply.errors == [
        "1 Tweet ID(s) are unavailable",
        f"Impressions & engagements for tweets older than 90 days ({oldest}) are not supported",
        "Video views for tweets older than 1800 days are not supported",
    ]
    without = plain.post("totals", request_body).document
    assert {k: v for k, v in reply.document.items() if k != "errors"} == without
    assert set(twin.post("totals", body([seen])).document) == {"g"}


@pytest.mark.parametrize("endpoint", ["totals", "28hr", "historical"])
@pytest.mark.parametrize("handle", ["sandbox_bakery", "sandbox_railway", None])
def test_a_protected_post_is_unavailable_to_everyone(
    twin: Any, body: Any, endpoint: str, handle: str | None
) -> None:
    """It is a 400 alone, and otherwise listed and in no grouping, even for its owner."""
    if handle is None and endpoint != "totals":
        return  # an app may not request it, whatever the post
    post = posts_with(twin, Availability.PROTECTED)[0]
    alone = twin.post(endpoint, body([post]), handle)
    assert (alone.status, alone.document) == (
        400,
        {"errors": ["1 Tweet ID(s) are unavailable"], "unavailable_tweet_ids": [post.post_id]},
    )
    other = twin.visible(handle or "sandbox_bakery")[-1]
    partial = twin.post(endpoint, body([post, other]), handle)
    assert partial.status == 200
    assert partial.document["unavailable_tweet_ids"] == [post.post_id]
    assert set(partial.document["g"]) == {other.post_id}


def test_unavailable_posts_of_others_are_not_forbidden(twin: Any, body: Any) -> None:
    """The response does not say whose posts they were."""
    unavailable = posts_with(twin, Availability.DELETED, "sandbox_railway")[0]
    reply = twin.post("totals", body([unavailable, twin.visible()[-1]]))
    assert reply.status == 200
    assert reply.document["unavailable_tweet_ids"] == [unavailable.post_id]


def aged(make_twin: Any, days: int, **more: Any) -> tuple[Any, Any, Any]:
    """Return a service at whose time a post has exactly that age, the post, and a recent one."""
    post = make_twin().visible("sandbox_railway", NOW - timedelta(days=3000))[0]
    twin = make_twin(now=post.created_at + timedelta(days=days, **more))
    return twin, post, twin.visible("sandbox_railway")[-1]


@pytest.mark.slow
def test_old_posts_have_no_impressions_on_totals(make_twin: Any, body: Any) -> None:
    """Beyond 90 days, posts are listed with zeros that are not counts; other types are counted."""
    twin, old, fresh = aged(make_twin, 90, milliseconds=1)
    types = ["impressions", "engagements", "favorites"]
    reply = twin.post("totals", body([old, fresh], types), "sandbox_railway")
    assert reply.status == 200
    assert reply.document["unsupported_for_impressions_engagements_tweet_ids"] == [old.post_id]
    counts = {t: int(n) for t, n in reply.document["g"][old.post_id].items()}
    assert (counts["impressions"], counts["engagements"]) == (0, 0)
    assert counts["favorites"] > 0
    assert int(reply.document["g"][fresh.post_id]["impressions"]) > 0
    alone = twin.post("totals", body([old], types), "sandbox_railway")
    assert alone.status == 200
    assert set(alone.document["g"]) == {old.post_id}


@pytest.mark.slow
def test_posts_of_exactly_90_days_have_impressions(make_twin: Any, body: Any) -> None:
    """The limit is exact to the millisecond."""
    twin, post, _ = aged(make_twin, 90)
    reply = twin.post("totals", body([post], ["impressions"]), "sandbox_railway")
    assert set(reply.document) == {"g"}
    assert int(reply.document["g"][post.post_id]["impressions"]) > 0


@pytest.mark.slow
def test_old_posts_are_not_listed_if_impressions_are_not_requested(
    make_twin: Any, body: Any
) -> None:
    """Nor are they on the time series, which have no such limit."""
    twin, old, _ = aged(make_twin, 91)
    assert set(twin.post("totals", body([old]), "sandbox_railway").document) == {"g"}
    series = twin.post("28hr", body([old], ["impressions"]), "sandbox_railway")
    assert set(series.document) == {"start", "end", "g"}


@pytest.mark.slow
def test_impressions_of_old_posts_alone_are_refused(make_twin: Any, body: Any, sample: Any) -> None:
    """The 400 has the captured message with the oldest time in brackets."""
    twin, old, _ = aged(make_twin, 91)
    reply = twin.post("totals", body([old], ["impressions", "engagements"]), "sandbox_railway")
    assert reply.status == 400
    captured = sample("error_older_than_90_days")
    assert set(reply.document) == set(captured)
    oldest = (old.created_at + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert reply.errors == [captured["errors"][0].replace("*TIME_PERIOD*", oldest)]
    assert reply.document["unsupported_for_impressions_engagements_tweet_ids"] == [old.post_id]


@pytest.mark.slow
@pytest.mark.parametrize("endpoint", ["totals", "28hr", "historical"])
def test_very_old_posts_have_no_video_views(make_twin: Any, body: Any, endpoint: str) -> None:
    """Beyond 1800 days, no endpoint counts them."""
    twin, old, fresh = aged(make_twin, 1800, milliseconds=1)
    types = ["video_views", "favorites"]
    reply = twin.post(endpoint, body([old, fresh], types), "sandbox_railway")
    assert reply.document["unsupported_for_video_views_tweet_ids"] == [old.post_id]
    assert int(reply.document["g"][old.post_id]["video_views"]) == 0


def test_very_old_posts_lose_their_video_views(make_twin: Any, body: Any) -> None:
    """The day before the limit, the same post's views were returned."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    posts = make_twin().visible("sandbox_railway", start, start + timedelta(days=30))
    post = next(p for p in posts if p.video)
    views = []
    for days in (1799, 1801):
        twin = make_twin(now=post.created_at + timedelta(days=days))
        reply = twin.post("totals", body([post], ["video_views"]), None)
        views.append(int(reply.document["g"][post.post_id]["video_views"]))
    assert views[0] > 0
    assert views[1] == 0


def test_very_old_posts_lose_their_video_views_on_historical(make_twin: Any, body: Any) -> None:
    """The first day is requested on both sides of the limit."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    posts = make_twin().visible("sandbox_railway", start, start + timedelta(days=30))
    post = next(p for p in posts if p.video)
    day = post.created_at.date()
    request_body = body([post], ["video_views"], start=f"{day}", end=f"{day + timedelta(days=2)}")
    views = []
    for days in (1799, 1801):
        twin = make_twin(now=post.created_at + timedelta(days=days))
        reply = twin.post("historical", request_body, "sandbox_railway")
        views.append(int(reply.document["g"][post.post_id]["video_views"]))
    assert views[0] > 0
    assert views[1] == 0


def test_the_order_of_a_response_is_not_that_of_the_request(twin: Any, body: Any) -> None:
    """Posts, types and keys come in another order than requested, the same each time."""
    posts = twin.visible()[-20:]
    by = {name: ["tweet.id", "engagement.type"] for name in "abc"}
    request_body = body(posts, PUBLIC, by)
    first, again = (twin.post("totals", request_body).document for _ in range(2))
    assert list(first["a"]) == list(again["a"])
    assert list(first["a"]) != [post.post_id for post in posts]
    assert list(next(iter(first["a"].values()))) != PUBLIC
    assert list(first["a"]) != list(first["b"])
    orders = {tuple(twin.post("totals", body(posts[-n:], by=by)).document) for n in range(1, 8)}
    assert len(orders) > 1


def test_some_counts_are_numbers(twin: Any, body: Any) -> None:
    """Nearly all counts are strings; zeros are among them."""
    reply = twin.post("totals", body(twin.visible("sandbox_railway"), PUBLIC), None)
    counts = [n for found in reply.document["g"].values() for n in found.values()]
    numbers = [n for n in counts if isinstance(n, int)]
    assert 0 < len(numbers) < 0.1 * len(counts)
    assert all(isinstance(n, str | int) for n in counts)
    assert "0" in counts
