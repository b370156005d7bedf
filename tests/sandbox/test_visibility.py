"""Who may see what: owners, the app, posts gone and posts too old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engagement_pandas.sandbox.service import Settings
from engagement_pandas.sandbox.world import Availability

NOW = datetime(2026, 3, 12, 19, 43, 21, tzinfo=UTC)
PUBLIC = ["favorites", "retweets", "quote_tweets", "replies", "video_views"]
YEAR = (NOW - timedelta(days=365), NOW)


def of(twin: Any, kind: Availability, handle: str = "sandbox_bakery") -> Any:
    """List a year of posts of one fate."""
    return [p for p in twin.world.posts(handle, *YEAR) if p.availability(NOW) is kind]


def test_the_app_sees_public_types_of_any_post(twin: Any, body: Any) -> None:
    """Posts of several owners in one request."""
    posts = [twin.visible("sandbox_bakery")[-1], twin.visible("sandbox_railway")[-1]]
    reply = twin.post("totals", body(posts, PUBLIC), None)
    assert reply.status == 200
    assert set(reply.document["g"]) == {post.post_id for post in posts}


def test_owner_and_app_are_told_the_same(twin: Any, body: Any) -> None:
    """Public counts do not depend on who asks."""
    posts = twin.visible()[-5:]
    by = ["tweet.id", "engagement.type"]
    told = [twin.post("totals", body(posts, PUBLIC, by), h) for h in ("sandbox_bakery", None)]
    ours, theirs = (
        {(p, t): int(n) for p, c in r.document["g"].items() for t, n in c.items()} for r in told
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
def test_the_app_is_refused_what_owners_see(
    twin: Any, body: Any, endpoint: str, types: list[str], private: str
) -> None:
    """403, and the types are named."""
    reply = twin.post(endpoint, body(twin.visible()[-1:], types), None)
    assert reply.status == 403
    assert reply.errors == [f"Forbidden to access metrics: {private}"]


@pytest.mark.parametrize("endpoint", ["totals", "28hr", "historical"])
def test_one_unowned_post_refuses_the_whole_request(twin: Any, body: Any, endpoint: str) -> None:
    """Even for a public type; the unowned ones are named in the order asked."""
    owned = twin.visible()[-1]
    others = [twin.visible("sandbox_railway")[-1], twin.visible("sandbox_observatory")[-1]]
    reply = twin.post(endpoint, body([others[0], owned, others[1]]))
    assert reply.status == 403
    assert reply.document == {
        "errors": [f"Forbidden to access tweets: {others[0].post_id}, {others[1].post_id}"]
    }


def test_the_older_wording_names_the_authors(make_twin: Any, body: Any) -> None:
    """One entry for each author."""
    twin = make_twin(settings=Settings(forbidden="by_author"))
    first, second = twin.visible("sandbox_railway")[-2:]
    third = twin.visible("sandbox_observatory")[-1]
    reply = twin.post("totals", body([first, third, second]))
    assert reply.status == 403
    assert reply.errors == [
        f"Forbidden to access tweets for author id 9002: {first.post_id}, {second.post_id}",
        f"Forbidden to access tweets for author id 9003: {third.post_id}",
    ]


def test_unavailable_posts_are_listed_and_the_others_answered(twin: Any, body: Any) -> None:
    """Deleted, suspended and made-up ones; none is in the grouping, nothing is an error."""
    seen = twin.visible()[-1]
    gone = [
        of(twin, Availability.DELETED)[0].post_id,
        twin.world.posts("sandbox_closed")[0].post_id,
        "123456789",
    ]
    for handle in ("sandbox_bakery", None):
        reply = twin.post("totals", body([gone[0], seen, *gone[1:]]), handle)
        assert reply.status == 200
        assert reply.document["unavailable_tweet_ids"] == gone
        assert set(reply.document["g"]) == {seen.post_id}
        assert "errors" not in reply.document


def test_the_key_is_absent_when_all_are_available(twin: Any, body: Any) -> None:
    """It is not there with an empty list."""
    reply = twin.post("28hr", body(twin.visible()[-3:]))
    assert set(reply.document) == {"start", "end", "g"}


def test_nothing_left_to_answer(twin: Any, body: Any, sample: Any) -> None:
    """400, in the captured words and with the key."""
    gone = of(twin, Availability.DELETED)[0]
    reply = twin.post("historical", body([gone]))
    assert reply.status == 400
    expected = sample("error_unavailable_one_tweet")
    assert reply.document == expected | {"unavailable_tweet_ids": [gone.post_id]}


def test_errors_can_stand_beside_data(make_twin: Any, body: Any) -> None:
    """Status 200, the counts that there are, and words about those that there are not."""
    plain = make_twin()
    twin = make_twin(settings=Settings(errors_beside_data=True))
    old = twin.visible("sandbox_bakery", NOW - timedelta(days=3000))[0]
    seen = twin.visible()[-1]
    asked = body([seen, old, "1"], ["impressions", "video_views"])
    reply = twin.post("totals", asked)
    assert reply.status == 200
    oldest = "2025-12-12T19:43:21Z"
    assert reply.errors == [
        "1 Tweet ID(s) are unavailable",
        f"Impressions & engagements for tweets older than 90 days ({oldest}) are not supported",
        "Video views for tweets older than 1800 days are not supported",
    ]
    without = plain.post("totals", asked).document
    assert {k: v for k, v in reply.document.items() if k != "errors"} == without
    assert set(twin.post("totals", body([seen])).document) == {"g"}


@pytest.mark.parametrize("endpoint", ["totals", "28hr", "historical"])
@pytest.mark.parametrize("handle", ["sandbox_bakery", "sandbox_railway", None])
def test_a_protected_post_is_unavailable_to_everyone(
    twin: Any, body: Any, endpoint: str, handle: str | None
) -> None:
    """Its owner included: 400 where nothing is left, else listed and in no grouping."""
    if handle is None and endpoint != "totals":
        return  # not for an app to ask, whatever the post
    post = of(twin, Availability.PROTECTED)[0]
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
    """Whose they were is not told."""
    gone = of(twin, Availability.DELETED, "sandbox_railway")[0]
    reply = twin.post("totals", body([gone, twin.visible()[-1]]))
    assert reply.status == 200
    assert reply.document["unavailable_tweet_ids"] == [gone.post_id]


def aged(make_twin: Any, days: int, **more: Any) -> tuple[Any, Any, Any]:
    """Return a moment at which a post has exactly that age, the post, and a fresh one."""
    post = make_twin().visible("sandbox_railway", NOW - timedelta(days=3000))[0]
    twin = make_twin(now=post.created_at + timedelta(days=days, **more))
    return twin, post, twin.visible("sandbox_railway")[-1]


@pytest.mark.slow
def test_old_posts_have_no_impressions_on_totals(make_twin: Any, body: Any) -> None:
    """Beyond 90 days they are listed, with zeros that are not counts; other types count."""
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


def test_90_days_are_young_enough(make_twin: Any, body: Any) -> None:
    """To the millisecond."""
    twin, post, _ = aged(make_twin, 90)
    reply = twin.post("totals", body([post], ["impressions"]), "sandbox_railway")
    assert set(reply.document) == {"g"}
    assert int(reply.document["g"][post.post_id]["impressions"]) > 0


@pytest.mark.slow
def test_old_posts_do_not_matter_where_nobody_asks_for_impressions(
    make_twin: Any, body: Any
) -> None:
    """No key then, nor on the time series, which know no such limit."""
    twin, old, _ = aged(make_twin, 91)
    assert set(twin.post("totals", body([old]), "sandbox_railway").document) == {"g"}
    series = twin.post("28hr", body([old], ["impressions"]), "sandbox_railway")
    assert set(series.document) == {"start", "end", "g"}


@pytest.mark.slow
def test_only_old_posts_and_only_impressions_are_refused(
    make_twin: Any, body: Any, sample: Any
) -> None:
    """400, in the captured words with the oldest moment in the brackets."""
    twin, old, _ = aged(make_twin, 91)
    reply = twin.post("totals", body([old], ["impressions", "engagements"]), "sandbox_railway")
    assert reply.status == 400
    known = sample("error_older_than_90_days")
    assert set(reply.document) == set(known)
    moment = (old.created_at + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert reply.errors == [known["errors"][0].replace("*TIME_PERIOD*", moment)]
    assert reply.document["unsupported_for_impressions_engagements_tweet_ids"] == [old.post_id]


@pytest.mark.slow
@pytest.mark.parametrize("endpoint", ["totals", "28hr", "historical"])
def test_very_old_posts_have_no_video_views(make_twin: Any, body: Any, endpoint: str) -> None:
    """Beyond 1800 days, everywhere."""
    twin, old, fresh = aged(make_twin, 1800, milliseconds=1)
    types = ["video_views", "favorites"]
    reply = twin.post(endpoint, body([old, fresh], types), "sandbox_railway")
    assert reply.document["unsupported_for_video_views_tweet_ids"] == [old.post_id]
    assert int(reply.document["g"][old.post_id]["video_views"]) == 0


def test_the_false_zero_hides_real_views(make_twin: Any, body: Any) -> None:
    """The day before the limit the same post's views were told."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    posts = make_twin().visible("sandbox_railway", start, start + timedelta(days=30))
    post = next(p for p in posts if p.video)
    told = []
    for days in (1799, 1801):
        twin = make_twin(now=post.created_at + timedelta(days=days))
        reply = twin.post("totals", body([post], ["video_views"]), None)
        told.append(int(reply.document["g"][post.post_id]["video_views"]))
    assert told[0] > 0
    assert told[1] == 0


def test_the_false_zero_hides_history_too(make_twin: Any, body: Any) -> None:
    """The hours of the first day, asked for when the post is young enough, and later."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    posts = make_twin().visible("sandbox_railway", start, start + timedelta(days=30))
    post = next(p for p in posts if p.video)
    day = post.created_at.date()
    asked = body([post], ["video_views"], start=f"{day}", end=f"{day + timedelta(days=2)}")
    told = []
    for days in (1799, 1801):
        twin = make_twin(now=post.created_at + timedelta(days=days))
        reply = twin.post("historical", asked, "sandbox_railway")
        told.append(int(reply.document["g"][post.post_id]["video_views"]))
    assert told[0] > 0
    assert told[1] == 0


def test_order_is_no_promise(twin: Any, body: Any) -> None:
    """Posts, types and top-level keys come in another order than asked, the same each time."""
    posts = twin.visible()[-20:]
    by = {name: ["tweet.id", "engagement.type"] for name in "abc"}
    asked = body(posts, PUBLIC, by)
    first, again = (twin.post("totals", asked).document for _ in range(2))
    assert list(first["a"]) == list(again["a"])
    assert list(first["a"]) != [post.post_id for post in posts]
    assert list(next(iter(first["a"].values()))) != PUBLIC
    assert list(first["a"]) != list(first["b"])
    orders = {tuple(twin.post("totals", body(posts[-n:], by=by)).document) for n in range(1, 8)}
    assert len(orders) > 1


def test_now_and_then_a_count_is_a_number(twin: Any, body: Any) -> None:
    """Nearly all are strings; zeros are among them."""
    reply = twin.post("totals", body(twin.visible("sandbox_railway"), PUBLIC), None)
    counts = [n for found in reply.document["g"].values() for n in found.values()]
    numbers = [n for n in counts if isinstance(n, int)]
    assert 0 < len(numbers) < 0.1 * len(counts)
    assert all(isinstance(n, str | int) for n in counts)
    assert "0" in counts
