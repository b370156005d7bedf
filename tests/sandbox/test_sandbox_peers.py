"""Two sets of rules, written apart: what the package sends, the sandbox accepts, and back."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.request import EngagementRequest

IDS = st.one_of(
    st.integers(0, 10**19 - 1).map(str),
    st.sampled_from(
        ["", "0", "007", "12a", "-5", " 1", "1\n", "\u0663", "1" * 19, "1" * 20, "1.0"]
    ),
)
TYPES = st.sampled_from(
    [
        "impressions",
        "favorites",
        "quote_tweets",
        "url_clicks",
        "video_views",
        "media_clicks",
        "likes",
    ]
)
DIMENSIONS = ["tweet.id", "engagement.type", "engagement.day", "engagement.hour"]
GROUPS = st.one_of(
    st.permutations(DIMENSIONS),
    st.lists(st.sampled_from([*DIMENSIONS, "engagement.week"]), max_size=5),
)
NAMES = st.sampled_from(["a", "b", "c d", "Grand Totals", "", "start", "errors", "tweet.id"])
MOMENTS = st.sampled_from(
    [
        "2014-08-31T23:00:00Z",
        "2014-09-01",
        "2014-09-02T01:30:00Z",
        "2026-01-01",
        "2026-01-01T00:00:01Z",
        "2026-01-01T05:00:00+05:00",
        "2026-01-28T23:00:00Z",
        "2026-02-30",
        "2999-01-01",
        "soon",
    ]
)
ORDINARY = {"g": DIMENSIONS[:2]}


def package_sends(endpoint: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """Return what the package makes of this request; None where it refuses."""
    try:
        window = None
        if endpoint == "historical":
            window = ep.Window.covering(body["start"], body["end"])
        by = {name: group["group_by"] for name, group in body["groupings"].items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # windows more than a year ago
            posts, types = body["tweet_ids"], body["engagement_types"]
            request = EngagementRequest(endpoint, posts, types, by, window)  # type: ignore[arg-type]
    except ep.RequestError:
        return None
    return request.to_json()


def sandbox_accepts(twin: Any, endpoint: str, body: dict[str, Any]) -> bool:
    """Say whether the sandbox gets as far as looking for the posts, which are made up."""
    reply = twin.post(endpoint, body)
    assert reply.status == 400
    return "unavailable_tweet_ids" in reply.document


def too_long(start: str, end: str) -> bool:
    """Say whether the package would cut this window in two."""
    try:
        first, last = (datetime.fromisoformat(text) for text in (start, end))
    except ValueError:
        return False
    return (last.replace(tzinfo=UTC) - first.replace(tzinfo=UTC)).days >= 28


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["totals", "28hr", "historical"]),
    st.lists(IDS, max_size=4),
    st.lists(TYPES, max_size=3),
    st.dictionaries(NAMES, GROUPS, max_size=4),
)
@example("28hr", ["1"], ["favorites"], {"a": DIMENSIONS, "b": DIMENSIONS})
@example("historical", ["1"], ["favorites"], {"": DIMENSIONS})
@example("totals", ["1"], ["favorites"], ORDINARY)
def test_both_agree_on_requests(
    make_twin: Any, endpoint: str, posts: list[str], types: list[str], by: dict[str, list[str]]
) -> None:
    """IDs, types and groupings of every kind, right and wrong."""
    body = {
        "tweet_ids": posts,
        "engagement_types": types,
        "groupings": {name: {"group_by": group} for name, group in by.items()},
    }
    if endpoint == "historical":
        body |= {"start": "2026-01-01", "end": "2026-01-02"}
    sent = package_sends(endpoint, body)
    assert sandbox_accepts(make_twin(), endpoint, sent or body) is (sent is not None)


@settings(max_examples=100, deadline=None)
@given(MOMENTS, MOMENTS)
def test_both_agree_on_windows(make_twin: Any, start: str, end: str) -> None:
    """Too early, empty, in the future, not a time; those too long for one request aside."""
    if too_long(start, end):
        return
    body = {
        "tweet_ids": ["1"],
        "engagement_types": ["favorites"],
        "groupings": {name: {"group_by": group} for name, group in ORDINARY.items()},
        "start": start,
        "end": end,
    }
    sent = package_sends("historical", body)
    assert sandbox_accepts(make_twin(now=None), "historical", sent or body) is (sent is not None)


@pytest.mark.parametrize("by", [ep.BY_POST, ep.BY_DAY, ep.BY_HOUR], ids=str)
def test_what_the_package_writes_is_read(twin: Any, by: Any) -> None:
    """The bodies of its usual groupings are answered."""
    posts = [post.post_id for post in twin.visible()[-3:]]
    window = ep.Window.covering("2026-03-01", "2026-03-02")
    request = ep.historical(posts, engagement_types=ep.SERIES_TYPES, window=window, by=by)
    reply = twin.post("historical", request.to_json())
    assert reply.status == 200
    assert set(reply.document) == {"start", "end", by.name}
