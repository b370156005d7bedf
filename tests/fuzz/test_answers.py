"""Responses to our requests with random changes, flattened and through the client."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from fuzz.mutations import KEYS, bodies
from fuzz.oracle import DAY, FOUR, HOUR, POST, TYPE, Refused, has_other_parts, parse, read, window
from fuzz.test_flatten_json import quickly, rows, thoroughly
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.scripted import USER, FakeClock, Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.errors import EngagementError
from engagement_pandas.frame.contract import TEXT

POSTS = [json.loads(key) for key in KEYS[POST]]
TYPES = [json.loads(key) for key in KEYS[TYPE]]
WINDOW = ep.Window.covering("2015-09-14", "2015-09-16")
DAYS = {**KEYS, DAY: KEYS[DAY][:2]}
ECHOES = [("2015-09-14T00:00:00Z", "2015-09-16T00:00:00Z"), ("2015-09-14", "2015-09-17")]
CELLS = {DAY: 2, HOUR: 24}

responses_of_any_grouping = bodies(known=DAYS, windows=ECHOES)
responses_of_four_dimensions = bodies(tuple(sorted(FOUR)), known=DAYS, windows=ECHOES)


def question(order: Sequence[str]) -> ep.EngagementRequest:
    """Request two days of all types."""
    return ep.historical(POSTS, engagement_types=TYPES, window=WINDOW, by={"g": order})


def settled(responses: Sequence[ep.EngagementResponse]) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Return counts and omissions, or None if both were refused."""
    results = []
    for reader in (ep.flatten, ep.omissions):
        try:
            results.append(reader(responses))
        except EngagementError:
            results.append(None)
    assert (results[0] is None) == (results[1] is None)
    return None if results[0] is None else (results[0], results[1])


def assert_complete(order: Sequence[str], counts: pd.DataFrame, omitted: pd.DataFrame) -> None:
    """Assert that every post has counts or a reason, and every missing count a reason."""
    omitted_posts = set(omitted.loc[omitted["engagement_type"].isna(), "post_id"])
    pairs = set(zip(omitted["post_id"], omitted["engagement_type"].fillna(""), strict=True))
    if POST not in order:
        assert set(omitted["post_id"]) <= set(POSTS)
        missing = counts.loc[counts["count"].isna(), "engagement_type"]
        assert set(missing) <= {engagement_type for _, engagement_type in pairs}
        return
    counted = set(counts["post_id"])
    assert counted | set(omitted["post_id"]) == set(POSTS)
    assert not counted & omitted_posts
    missing = counts[counts["count"].isna()]
    assert set(zip(missing["post_id"], missing["engagement_type"].astype(TEXT), strict=True)) <= (
        pairs
    )
    sizes = counts.groupby(["post_id", "engagement_type"], observed=True).size()
    cells = 1
    for dimension, number in CELLS.items():
        cells *= number if dimension in order else 1
    for post in counted:
        assert [sizes.get((post, engagement_type)) for engagement_type in TYPES] == [cells] * len(
            TYPES
        )


def assert_nothing_lost(order: Sequence[str], body: bytes) -> None:
    """Assert that no count is lost, invented or missing without a reason."""
    frames = settled([ep.EngagementResponse(question(order), body)])
    if frames is None:
        return
    counts, omitted = frames
    assert_complete(order, counts, omitted)
    assert window(dict(parse(body))) in (None, [WINDOW.start, WINDOW.end - timedelta(hours=1)])
    assert set(counts.get("post_id", ())) <= set(POSTS)
    try:
        expected = read(body, order)
    except Refused:
        # An invalid window, or no grouping at all, leaves nothing to count.
        assert not counts["count"].notna().any() or has_other_parts(body, "g")
        return
    found = rows(counts)
    for cell, number in expected.items():
        assert found[cell] == number or (number == 0 and found[cell] is None)
    assert all(found[cell] is None for cell in found if cell not in expected)


@pytest.mark.slow
@quickly
@given(responses_of_any_grouping)
def test_no_count_is_lost_or_invented(case: tuple[Any, bytes]) -> None:
    """Counts of the response are in the frame; others are missing with a reason."""
    assert_nothing_lost(*case)


@pytest.mark.slow
@quickly
@given(responses_of_four_dimensions)
def test_no_count_of_four_dimensions_is_lost_or_invented(case: tuple[Any, bytes]) -> None:
    """The fast path keeps the same law."""
    assert_nothing_lost(*case)


@pytest.mark.long
@thoroughly
@given(responses_of_any_grouping | responses_of_four_dimensions)
def test_no_count_of_thousands_of_responses_is_lost(case: tuple[Any, bytes]) -> None:
    """The law is that above."""
    assert_nothing_lost(*case)


names = st.lists(
    st.sampled_from([*POSTS, *TYPES, "999", "\u0662", "x", "1, 20", "\r\nx: y", ""]), max_size=4
)
refusals = st.builds(
    lambda text, named, more: json.dumps(
        {"errors": [text.format(", ".join(named))], **more}
    ).encode(),
    st.sampled_from(
        [
            "Forbidden to access tweets: {}",
            "Forbidden to access tweets for author id 9: {}",
            "Forbidden to access metrics: {}",
            "{} Tweet ID(s) are unavailable",
            "{}",
        ]
    ),
    names,
    st.sampled_from(
        [
            {},
            {"unavailable_tweet_ids": POSTS},
            {"unavailable_tweet_ids": ["20", 1]},
            {"unsupported_for_video_views_tweet_ids": ["1"]},
            {"unavailable_tweet_ids": "20"},
        ]
    ),
)


@pytest.fixture(scope="module")
def shared_server() -> Iterator[ScriptedServer]:
    """Run one server for all examples."""
    running = ScriptedServer()
    yield running
    running.close()


def fetched(server: ScriptedServer, status: int, order: Sequence[str], body: bytes) -> None:
    """Assert that a fetch settles all requested posts and types, or raises an error of ours."""
    server.script[:] = [Scripted(status, body)] * 40
    clock, request = FakeClock(), question(order)
    with ep.EngagementClient(
        USER, base_url=server.url, attempts=2, clock=clock.time, sleep=clock.sleep
    ) as client:
        try:
            responses = client.fetch(request)
        except EngagementError:
            return
    pairs = [
        (post, engagement_type)
        for response in responses
        for post in response.request.post_ids
        for engagement_type in response.request.engagement_types
    ]
    assert sorted(pairs) == sorted(
        (post, engagement_type) for post in POSTS for engagement_type in TYPES
    )
    frames = settled(responses)
    if frames is not None and status == 200:
        assert_nothing_lost(order, body)
        assert_complete(order, *frames)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:no answer for")
@settings(quickly, max_examples=20, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from([200, 200, 400, 403, 403, 401, 429, 500, 302, 204]),
    st.sampled_from([0, 1]).flatmap(
        lambda any_response: (
            responses_of_any_grouping
            if any_response
            else st.tuples(st.just((POST, TYPE)), refusals)
        )
    ),
)
def test_a_fetch_settles_every_post_or_raises(
    shared_server: ScriptedServer, status: int, case: tuple[Any, bytes]
) -> None:
    """The server returns any body with any status."""
    fetched(shared_server, status, *case)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:no answer for")
@settings(thoroughly, max_examples=800, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from([200, 400, 403, 500]),
    st.one_of(
        responses_of_any_grouping,
        responses_of_four_dimensions,
        st.tuples(st.just((POST, TYPE)), refusals),
    ),
)
def test_eight_hundred_fetches_settle_every_post_or_raise(
    shared_server: ScriptedServer, status: int, case: tuple[Any, bytes]
) -> None:
    """The law is that above."""
    fetched(shared_server, status, *case)
