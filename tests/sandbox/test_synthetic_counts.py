"""The laws of the counts, tested through responses only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engagement_pandas.vocabulary.engagement_types import SERIES_TYPES, TOTALS_TYPES

NOW = datetime(2026, 3, 12, 19, 43, 21, tzinfo=UTC)
FINEST = ("tweet.id", "engagement.type", "engagement.day", "engagement.hour")
TYPES = ("impressions", "engagements", "favorites", "retweets", "replies", "url_clicks")

Leaves = dict[frozenset[tuple[str, str]], int]


def leaves(document: Any, dimensions: Any) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield the keys of each count, in the order of the dimensions, and the count."""
    if not dimensions:
        yield (), int(document)
        return
    for key, below in document.items():
        for keys, count in leaves(below, dimensions[1:]):
            yield (key, *keys), count


def summed(document: Any, dimensions: Any, by: Any) -> Leaves:
    """Sum a nested response over all dimensions but some."""
    sums: Leaves = {}
    for keys, count in leaves(document, dimensions):
        named = dict(zip(dimensions, keys, strict=True))
        group = frozenset((name, named[name]) for name in by)
        sums[group] = sums.get(group, 0) + count
    return sums


def iso(time: datetime) -> str:
    """Format a time as requests and responses have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


LEGAL = [
    order
    for size in (1, 2, 3)
    for order in permutations(FINEST, size)
    if "engagement.type" in order
] + [("engagement.type", "tweet.id", "engagement.day", "engagement.hour")]


@pytest.mark.slow
@pytest.mark.parametrize(
    "by",
    [by if len(by) == 2 else pytest.param(by, marks=pytest.mark.long) for by in LEGAL],
    ids=" ".join,
)
@pytest.mark.parametrize("endpoint", ["historical", pytest.param("28hr", marks=pytest.mark.long)])
def test_every_grouping_is_a_sum_of_the_finest(
    twin: Any, body: Any, endpoint: str, by: Any
) -> None:
    """Every legal grouping equals the sums of the hours of every post and type."""
    posts = twin.visible()[-6:]
    fine, coarse = (
        twin.post(endpoint, body(posts, TYPES, group)).document["g"] for group in (FINEST, by)
    )
    assert summed(coarse, by, by) == summed(fine, FINEST, by)


@pytest.mark.parametrize("back", [2, 20, 60])
def test_historical_counts_since_creation_sum_to_the_total(twin: Any, body: Any, back: int) -> None:
    """The windows run from the hour of posting to now; video views are left out."""
    until = NOW - timedelta(days=back)
    post = twin.visible("sandbox_railway", until - timedelta(days=7), until)[0]
    types = [t for t in TOTALS_TYPES if t in SERIES_TYPES and t != "video_views"]
    history = dict.fromkeys(types, 0)
    start = post.created_at.replace(minute=0, second=0, microsecond=0)
    while start < NOW:
        end = min(start + timedelta(days=28), NOW)
        window = {"start": iso(start), "end": iso(end)}
        request_body = body([post], types, ["engagement.type"], **window)
        reply = twin.post("historical", request_body, "sandbox_railway")
        for name, count in reply.document["g"].items():
            history[name] += int(count)
        start = end
    totals = twin.post("totals", body([post], types), "sandbox_railway").document["g"]
    assert {name: int(n) for name, n in totals[post.post_id].items()} == history
    assert history["impressions"] > 0


def test_video_totals_include_views_in_other_posts(twin: Any, body: Any) -> None:
    """The total is never below the post's own views, and above them for some posts."""
    posts = [p for p in twin.visible("sandbox_railway") if p.video][:25]
    request_body = body(posts, ["video_views"], ["tweet.id", "engagement.type"])
    own = twin.post("historical", request_body, "sandbox_railway").document["g"]
    shared = twin.post("totals", request_body, "sandbox_railway").document["g"]
    more = [
        int(shared[p.post_id]["video_views"]) - int(own[p.post_id]["video_views"]) for p in posts
    ]
    assert min(more) == 0
    assert max(more) > 0


def test_28_hours_equal_the_historical_hours(twin: Any, body: Any) -> None:
    """All hours are equal but the first, which is counted in part."""
    posts = twin.visible("sandbox_railway")[-25:]
    moving = twin.post("28hr", body(posts, TYPES, FINEST), "sandbox_railway").document
    window = {"start": moving["start"], "end": iso(NOW)}
    fixed = twin.post("historical", body(posts, TYPES, FINEST, **window), "sandbox_railway")
    first = ("2026-03-11", "15")
    ours, theirs = (dict(leaves(d["g"], FINEST)) for d in (moving, fixed.document))
    assert ours.keys() == theirs.keys()
    assert {k[2:]: 0 for k in ours if ours[k] != theirs[k]}.keys() <= {first}
    first_hours = [(ours[k], theirs[k]) for k in ours if k[2:] == first and theirs[k] > 3]
    assert first_hours
    assert all(partial < complete for partial, complete in first_hours)


def hours_of(twin: Any, post: Any, start: datetime, end: datetime) -> dict[Any, int]:
    """Return the counts of a post by hour."""
    body = {
        "tweet_ids": [post.post_id],
        "engagement_types": list(TYPES),
        "groupings": {"g": {"group_by": list(FINEST)}},
        "start": iso(start),
        "end": iso(end),
    }
    return dict(leaves(twin.post("historical", body, post.handle).document["g"], FINEST))


HOUR = timedelta(hours=1)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 20), st.integers(1, 200), st.integers(1, 200))
def test_the_parts_of_a_window_add_up(make_twin: Any, skip: int, first: int, second: int) -> None:
    """A window requested in two parts has the hours of the window requested in one part."""
    twin = make_twin()
    post = twin.visible("sandbox_bakery", NOW - timedelta(days=60), NOW - timedelta(days=30))[0]
    start = post.created_at.replace(minute=0, second=0, microsecond=0) + (skip - 3) * HOUR
    cut, end = start + first * HOUR, start + (first + second) * HOUR
    parts = hours_of(twin, post, start, cut), hours_of(twin, post, cut, end)
    assert parts[0].keys().isdisjoint(parts[1].keys())
    assert parts[0] | parts[1] == hours_of(twin, post, start, end)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 59), st.integers(0, 59))
def test_an_hour_in_progress_only_grows_to_its_count(
    make_twin: Any, body: Any, minutes: int, more: int
) -> None:
    """At three times within one hour, a count without unlikes never falls."""
    post = make_twin().visible("sandbox_railway", NOW - timedelta(days=3))[0]
    base = post.created_at.replace(minute=0, second=0, microsecond=0) + HOUR
    seen = []
    for minute in sorted({minutes, min(minutes + more, 59), 60}):
        twin = make_twin(now=base + timedelta(minutes=minute))
        request_body = body([post], ["impressions"], ["engagement.type"])
        seen.append(
            int(twin.post("totals", request_body, post.handle).document["g"]["impressions"])
        )
    assert seen == sorted(seen)


def test_the_counts_of_a_partial_hour_are_rounded_down(make_twin: Any, body: Any) -> None:
    """15 minutes into an hour, it has a quarter of its counts."""
    post = make_twin().visible("sandbox_railway", NOW - timedelta(days=3))[0]
    hour = post.created_at.replace(minute=0, second=0, microsecond=0) + HOUR
    request_body = body(
        [post], ["impressions"], ["engagement.type"], start=iso(hour), end=iso(hour + HOUR)
    )
    complete = make_twin(now=hour + HOUR).post("historical", request_body, post.handle)
    request_body["end"] = iso(hour + HOUR / 4)
    partial = make_twin(now=hour + HOUR / 4).post("historical", request_body, post.handle)
    count = int(complete.document["g"]["impressions"])
    assert count > 100
    assert int(partial.document["g"]["impressions"]) == count * 15 // 60


def test_the_hour_of_posting_fills_from_the_time_of_posting(make_twin: Any, body: Any) -> None:
    """Half-way from posting to the full hour, it has half of its counts."""
    posts = make_twin().visible("sandbox_railway", NOW - timedelta(days=20))
    post = next(p for p in posts if 20 <= p.created_at.minute < 40)
    closes = post.created_at.replace(minute=0, second=0, microsecond=0) + HOUR
    impressions = []
    for now in (post.created_at, post.created_at + (closes - post.created_at) / 2, closes):
        request_body = body([post], ["impressions"], ["engagement.type"])
        reply = make_twin(now=now).post("totals", request_body, post.handle)
        impressions.append(int(reply.document["g"]["impressions"]))
    assert impressions[0] == 0
    assert impressions[2] > 100
    assert abs(impressions[1] - impressions[2] / 2) <= 1


def test_a_post_is_counted_for_120_days(make_twin: Any, body: Any) -> None:
    """The second and third week have impressions; from day 121 on there are none."""
    since = NOW - timedelta(days=200)
    posts = make_twin().visible("sandbox_railway", since, since + timedelta(days=4))
    impressions = []
    for first, last in ((14, 21), (125, 150)):
        window = {"start": iso(since + first * 24 * HOUR), "end": iso(since + last * 24 * HOUR)}
        request_body = body(posts, ["impressions"], ["engagement.type"], **window)
        reply = make_twin().post("historical", request_body, "sandbox_railway")
        impressions.append(int(reply.document["g"]["impressions"]))
    assert impressions[0] > 0
    assert impressions[1] == 0


def test_the_count_of_an_hour_never_changes(make_twin: Any, body: Any) -> None:
    """It depends neither on the clock nor on the other posts of the request."""
    post, *others = make_twin().visible("sandbox_bakery", NOW - timedelta(days=25))[:10]
    start = post.created_at.replace(minute=0, second=0, microsecond=0)
    window = {"start": iso(start), "end": iso(start + timedelta(hours=30))}
    alone = make_twin().post("historical", body([post], TYPES, FINEST, **window))
    among = make_twin(now=NOW + timedelta(days=400)).post(
        "historical",
        body([*others[::-1], post], [*TYPES[::-1], "detail_expands"], FINEST, **window),
    )
    later = among.document["g"][post.post_id]
    for name in TYPES:
        ours = dict(leaves(alone.document["g"][post.post_id][name], FINEST[2:]))
        assert dict(leaves(later[name], FINEST[2:])) == ours


@pytest.mark.slow
def test_the_median_half_life_is_near_80_minutes(twin: Any, body: Any) -> None:
    """Half-lives start at the minute of posting and are interpolated within hours."""
    lives = []
    for post in twin.visible("sandbox_railway", NOW - timedelta(days=60), NOW - timedelta(days=30)):
        start = post.created_at.replace(minute=0, second=0, microsecond=0)
        request_body = body(
            [post], ["impressions"], FINEST[1:], start=iso(start), end=iso(start + 27 * 24 * HOUR)
        )
        if len(lives) == 80:
            break
        document = twin.post("historical", request_body, "sandbox_railway").document["g"]
        counts = [n for _, n in sorted(leaves(document, FINEST[1:]))]
        counted, half = 0, sum(counts) / 2
        for hour, count in enumerate(counts):
            opens = max(start + hour * HOUR, post.created_at)
            if counted + count >= half:
                closes = start + (hour + 1) * HOUR
                reached = opens + (closes - opens) * ((half - counted) / count)
                lives.append((reached - post.created_at) / timedelta(minutes=1))
                break
            counted += count
    assert 55 < sorted(lives)[len(lives) // 2] < 110


def test_nothing_is_counted_before_posting(twin: Any, body: Any) -> None:
    """The hours before posting are listed with zeros."""
    post = twin.visible()[-20]
    start = post.created_at.replace(minute=0, second=0, microsecond=0)
    window = {"start": iso(start - 48 * HOUR), "end": iso(start)}
    reply = twin.post("historical", body([post], SERIES_TYPES, FINEST, **window))
    assert {n for _, n in leaves(reply.document["g"], FINEST)} == {0}


@pytest.mark.slow
def test_unlikes_are_negative_hours(twin: Any, body: Any) -> None:
    """A month of 25 posts has some, and only for types that can be taken back."""
    posts = twin.visible("sandbox_railway")[:25]
    reply = twin.post("historical", body(posts, SERIES_TYPES, FINEST), "sandbox_railway")
    negative = {keys[1] for keys, n in leaves(reply.document["g"], FINEST) if n < 0}
    assert "favorites" in negative
    assert negative <= {"favorites", "retweets", "replies", "user_follows"}


def test_days_are_busier_than_nights(twin: Any, body: Any) -> None:
    """Old posts get more in their account's busiest hours than in its quietest."""
    posts = twin.visible("sandbox_railway", NOW - timedelta(days=31), NOW - timedelta(days=29))
    reply = twin.post(
        "historical",
        body(posts, ["impressions"], ["engagement.type", "engagement.hour"]),
        "sandbox_railway",
    )
    hours = reply.document["g"]["impressions"]
    assert sum(int(hours[h]) for h in ("15", "16", "17")) > 2 * sum(
        int(hours[h]) for h in ("03", "04", "05")
    )


def test_interactions_were_not_counted_before_2015_09_15(make_twin: Any, body: Any) -> None:
    """The time series has zeros on the day before, and impressions that are not."""
    posts = make_twin().visible(
        "sandbox_railway",
        datetime(2015, 9, 13, 12, tzinfo=UTC),
        datetime(2015, 9, 14, 20, tzinfo=UTC),
    )
    types = ["impressions", "favorites", "retweets", "replies"]
    by = ["engagement.day", "engagement.type"]
    window = {"start": "2015-09-13", "end": "2015-09-16"}
    days = make_twin().post("historical", body(posts, types, by, **window), "sandbox_railway")
    before, after = days.document["g"]["2015-09-14"], days.document["g"]["2015-09-15"]
    assert int(before["impressions"]) > 0
    assert [int(before[t]) for t in types[1:]] == [0, 0, 0]
    assert int(after["favorites"]) > 0


@pytest.mark.slow
def test_the_largest_response_is_complete(twin: Any, body: Any) -> None:
    """25 posts, 17 types and 28 days by the hour make 285,600 counts."""
    posts = twin.visible("sandbox_railway")[:25]
    window = {"start": "2026-02-12T12:00:00Z", "end": "2026-03-12T12:00:00Z"}
    request_body = body(posts, SERIES_TYPES, FINEST, **window)
    reply = twin.post("historical", request_body, "sandbox_railway")
    assert sum(1 for _ in leaves(reply.document["g"], FINEST)) == 285_600


def test_old_totals_do_not_change(make_twin: Any, body: Any) -> None:
    """The counts of a post do not change after its 120 days."""
    post = make_twin().visible(
        "sandbox_bakery", NOW - timedelta(days=200), NOW - timedelta(days=150)
    )[0]
    types = ("favorites", "retweets", "quote_tweets", "replies")
    young, old = (
        make_twin(now=NOW + timedelta(days=later)).post("totals", body([post], types)).document["g"]
        for later in (0, 100)
    )
    assert dict(leaves(young, FINEST[:2])) == dict(leaves(old, FINEST[:2]))
