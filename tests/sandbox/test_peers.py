"""The package and the sandbox have separate rules, and these agree."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.request.request import EngagementRequest

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
    """Return the body that the package would send, or None where it refuses the request."""
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
    """Return whether the request passes the sandbox's rules; its posts do not exist."""
    reply = twin.post(endpoint, body)
    assert reply.status == 400
    return "unavailable_tweet_ids" in reply.document


def too_long(start: str, end: str) -> bool:
    """Return whether the package would split this window in two."""
    try:
        first, last = (datetime.fromisoformat(text) for text in (start, end))
    except ValueError:
        return False
    return (last.replace(tzinfo=UTC) - first.replace(tzinfo=UTC)).days >= 28


@pytest.mark.slow
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
def test_package_and_sandbox_accept_the_same_requests(
    make_twin: Any, endpoint: str, posts: list[str], types: list[str], by: dict[str, list[str]]
) -> None:
    """IDs, types and groupings are drawn, valid and invalid."""
    body = {
        "tweet_ids": posts,
        "engagement_types": types,
        "groupings": {name: {"group_by": group} for name, group in by.items()},
    }
    if endpoint == "historical":
        body |= {"start": "2026-01-01", "end": "2026-01-02"}
    sent = package_sends(endpoint, body)
    assert sandbox_accepts(make_twin(), endpoint, sent or body) is (sent is not None)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(MOMENTS, MOMENTS)
def test_package_and_sandbox_accept_the_same_windows(make_twin: Any, start: str, end: str) -> None:
    """Windows too long for one request are left out."""
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
def test_the_sandbox_reads_the_requests_of_the_package(twin: Any, by: Any) -> None:
    """It returns counts for the usual groupings."""
    posts = [post.post_id for post in twin.visible()[-3:]]
    window = ep.Window.covering("2026-03-01", "2026-03-02")
    request = ep.historical(posts, engagement_types=ep.SERIES_TYPES, window=window, by=by)
    reply = twin.post("historical", request.to_json())
    assert reply.status == 200
    assert set(reply.document) == {"start", "end", by.name}


MISTAKES = """
import dataclasses, json, warnings
from datetime import datetime, timedelta, UTC
from engagement_pandas.vocabulary import limits
from engagement_pandas.vocabulary import answer_keys
from engagement_pandas.vocabulary import engagement_types as types
from engagement_pandas.vocabulary.dimensions import Dimension
from engagement_pandas.vocabulary.endpoints import ENDPOINTS, Endpoint
from engagement_pandas.vocabulary.engagement_types import EngagementType

def change(row, **facts):
    for name, value in facts.items():
        object.__setattr__(row, name, value)

four = (Dimension.POST_ID, Dimension.ENGAGEMENT_TYPE, Dimension.HOUR, Dimension.DAY)
change(ENDPOINTS[Endpoint.TOTALS], posts_per_request=251)
change(ENDPOINTS[Endpoint.LAST_28_HOURS], posts_per_request=26)
change(ENDPOINTS[Endpoint.HISTORICAL], posts_per_request=26)
change(types.ENGAGEMENT_TYPES[EngagementType.URL_CLICKS], totals=True)
change(types.ENGAGEMENT_TYPES[EngagementType.QUOTE_TWEETS], time_series=True)
change(types.ENGAGEMENT_TYPES[EngagementType.IMPRESSIONS], public=True)
change(ENDPOINTS[Endpoint.TOTALS], dimensions=four)
limits.MAX_GROUPINGS = 4
limits.MAX_FOUR_DIMENSION_GROUPINGS = 2
limits.FOUR_DIMENSION_ORDERS += (four,)
limits.MAX_WINDOW = timedelta(days=29)
limits.EARLIEST = datetime(2014, 8, 1, tzinfo=UTC)
limits.MAX_ID_DIGITS = 20
answer_keys.RESERVED_KEYS -= {"errors"}
types.TOTALS_TYPES += (EngagementType.URL_CLICKS,)
types.SERIES_TYPES += (EngagementType.QUOTE_TWEETS,)
types.PUBLIC_TYPES += (EngagementType.IMPRESSIONS,)

import engagement_pandas as ep
from engagement_pandas.sandbox import SandboxServer

warnings.simplefilter("ignore")
SOME, ONE = ["favorites"], ["1"]
by = ["tweet.id", "engagement.type", "engagement.day", "engagement.hour"]
window = ep.Window.covering("2026-03-01", "2026-03-02")
def past(posts=ONE, engagement_types=SOME, window=window, **more):
    return ep.historical(posts, engagement_types=engagement_types, window=window, **more)
ids = [str(n) for n in range(1, 252)]
wrong = {
    "posts": ep.totals(ids, engagement_types=SOME),
    "posts of 28 hours": ep.last_28_hours(ids[:26], engagement_types=SOME),
    "posts of a window": past(ids[:26]),
    "type": ep.totals(ONE, engagement_types=["url_clicks"]),
    "type of a window": past(engagement_types=["quote_tweets"]),
    "dimension": ep.totals(ONE, engagement_types=SOME, by=["engagement.type", "engagement.day"]),
    "groupings": ep.totals(ONE, engagement_types=SOME, by={n: ep.BY_POST for n in "abcd"}),
    "full groupings": past(by={"a": by, "b": by}),
    "order": past(by=four),
    "window": past(window=ep.Window.covering("2026-02-01", "2026-03-02")),
    "earliest": past(window=ep.Window.covering("2014-08-30", "2014-09-02")),
    "digits": ep.totals(["1" * 20], engagement_types=SOME),
    "name": ep.totals(ONE, engagement_types=SOME, by={"errors": ep.BY_POST}),
}
messages = {}
with SandboxServer("2026-03-12T19:43:21Z") as server:
    keys = server.keys()
    owner = ep.UserContext(keys.consumer_key, keys.consumer_secret, keys.access_token,
                           keys.access_token_secret)
    with ep.EngagementClient(owner, base_url=server.base_url) as client:
        for name, request in wrong.items():
            try:
                messages[name] = [str(answer.status) for answer in client.fetch(request)]
            except ep.RefusedError as error:
                messages[name] = list(error.messages)
    public = ep.totals([server.world.posts()[-1].post_id], engagement_types=["impressions"])
    with ep.EngagementClient(ep.AppOnly(keys.bearer_token), base_url=server.base_url) as client:
        messages["public"] = [str(answer.content) for answer in client.fetch(public)]
print(json.dumps(messages))
"""


@pytest.mark.slow
def test_a_wrong_limit_of_the_client_is_refused() -> None:
    """Each limit of the client is raised, and the sandbox refuses what it then sends."""
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", MISTAKES], capture_output=True, check=True, text=True
    )
    messages = {name: " ".join(words) for name, words in json.loads(run.stdout).items()}
    expected = {
        "posts": "tweet_ids: size [251] is not between 1 and 250",
        "posts of 28 hours": "tweet_ids: size [26] is not between 1 and 25",
        "posts of a window": "tweet_ids: size [26] is not between 1 and 25",
        "type": "(url_clicks)",
        "type of a window": "(quote_tweets)",
        "dimension": "(engagement.day)",
        "groupings": "groupings: size [4] is not between 1 and 3",
        "full groupings": "groupings: only 1 may have 4 groupBys",
        "order": "must be in the order",
        "window": "more than 28 days",
        "earliest": "is before 2014-09-01",
        "digits": "1 to 19 digits",
        "name": "[errors] is a reserved name",
        "public": "Forbidden to access metrics: impressions",
    }
    assert messages.keys() == expected.keys()
    assert {name: words for name, words in expected.items() if words not in messages[name]} == {}
