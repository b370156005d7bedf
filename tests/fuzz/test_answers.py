"""Answers to requests of ours with something changed, parsed and through the client."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from fuzz.mutations import KEYS, bodies
from fuzz.oracle import DAY, FOUR, HOUR, POST, TYPE, Refused, is_told_elsewhere, parse, read, window
from fuzz.test_flatten_json import quickly, rows, thoroughly
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.scripted import USER, FakeClock, Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.errors import EngagementError

POSTS = [json.loads(key) for key in KEYS[POST]]
TYPES = [json.loads(key) for key in KEYS[TYPE]]
WINDOW = ep.Window.covering("2015-09-14", "2015-09-16")
DAYS = {**KEYS, DAY: KEYS[DAY][:2]}
ECHOES = [("2015-09-14T00:00:00Z", "2015-09-16T00:00:00Z"), ("2015-09-14", "2015-09-17")]
CELLS = {DAY: 2, HOUR: 24}

asked = bodies(known=DAYS, windows=ECHOES)
asked_four = bodies(tuple(sorted(FOUR)), known=DAYS, windows=ECHOES)


def question(order: Sequence[str]) -> ep.EngagementRequest:
    """Ask for two days of everything."""
    return ep.historical(POSTS, engagement_types=TYPES, window=WINDOW, by={"g": order})


def settled(responses: Sequence[ep.EngagementResponse]) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Return counts and omissions, or that both were refused."""
    told = []
    for reader in (ep.flatten, ep.omissions):
        try:
            told.append(reader(responses))
        except EngagementError:
            told.append(None)
    assert (told[0] is None) == (told[1] is None)
    return None if told[0] is None else (told[0], told[1])


def accounts_for_all(order: Sequence[str], counts: pd.DataFrame, silent: pd.DataFrame) -> None:
    """Check that every post has counts or a reason, and every missing count a reason."""
    whole = set(silent.loc[silent["engagement_type"].isna(), "post_id"])
    pairs = set(zip(silent["post_id"], silent["engagement_type"].fillna(""), strict=True))
    if POST not in order:
        assert set(silent["post_id"]) <= set(POSTS)
        missing = counts.loc[counts["count"].isna(), "engagement_type"]
        assert set(missing) <= {kind for _, kind in pairs}
        return
    counted = set(counts["post_id"])
    assert counted | set(silent["post_id"]) == set(POSTS)
    assert not counted & whole
    missing = counts[counts["count"].isna()]
    assert set(zip(missing["post_id"], missing["engagement_type"].astype("str"), strict=True)) <= (
        pairs
    )
    each = counts.groupby(["post_id", "engagement_type"], observed=True).size()
    cells = 1
    for dimension, number in CELLS.items():
        cells *= number if dimension in order else 1
    for post in counted:
        assert [each.get((post, kind)) for kind in TYPES] == [cells] * len(TYPES)


def holds(order: Sequence[str], body: bytes) -> None:
    """Check that nothing is lost, made up or left without a reason."""
    told = settled([ep.EngagementResponse(question(order), body)])
    if told is None:
        return
    counts, silent = told
    accounts_for_all(order, counts, silent)
    assert window(dict(parse(body))) in (None, [WINDOW.start, WINDOW.end - timedelta(hours=1)])
    assert set(counts.get("post_id", ())) <= set(POSTS)
    try:
        right = read(body, order)
    except Refused:
        # A window that is none, or no grouping at all, leaves nothing to count.
        assert not counts["count"].notna().any() or is_told_elsewhere(body, "g")
        return
    found = rows(counts)
    for cell, number in right.items():
        assert found[cell] == number or (number == 0 and found[cell] is None)
    assert all(found[cell] is None for cell in found if cell not in right)


@pytest.mark.slow
@quickly
@given(asked)
def test_nothing_is_lost_or_made_up(case: tuple[Any, bytes]) -> None:
    """What is in the answer is in the frame; what is not is missing and has its reason."""
    holds(*case)


@pytest.mark.slow
@quickly
@given(asked_four)
def test_nothing_is_lost_or_made_up_in_four_dimensions(case: tuple[Any, bytes]) -> None:
    """The same by the quick path."""
    holds(*case)


@pytest.mark.long
@thoroughly
@given(asked | asked_four)
def test_many_more(case: tuple[Any, bytes]) -> None:
    """The same, eight thousand times."""
    holds(*case)


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
def always() -> Iterator[ScriptedServer]:
    """Run one server for all examples."""
    running = ScriptedServer()
    yield running
    running.close()


def fetched(server: ScriptedServer, status: int, order: Sequence[str], body: bytes) -> None:
    """Check that a fetch settles all that was asked, or raises an error of ours."""
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
        (post, kind)
        for response in responses
        for post in response.request.post_ids
        for kind in response.request.engagement_types
    ]
    assert sorted(pairs) == sorted((post, kind) for post in POSTS for kind in TYPES)
    told = settled(responses)
    if told is not None and status == 200:
        holds(order, body)
        accounts_for_all(order, *told)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:no answer for")
@settings(quickly, max_examples=20, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from([200, 200, 400, 403, 403, 401, 429, 500, 302, 204]),
    st.sampled_from([0, 1]).flatmap(
        lambda kind: asked if kind else st.tuples(st.just((POST, TYPE)), refusals)
    ),
)
def test_a_fetch_settles_everything_or_fails(
    always: ScriptedServer, status: int, case: tuple[Any, bytes]
) -> None:
    """Whatever the server answers, with whatever status: no post is left out of both."""
    fetched(always, status, *case)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:no answer for")
@settings(thoroughly, max_examples=800, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from([200, 400, 403, 500]),
    st.one_of(asked, asked_four, st.tuples(st.just((POST, TYPE)), refusals)),
)
def test_many_more_fetches(always: ScriptedServer, status: int, case: tuple[Any, bytes]) -> None:
    """The same, two thousand times."""
    fetched(always, status, *case)
