"""Many small responses are read as one, and give what each of them gives alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.flattening.compare_with_request import (
    compare_as_one,
    compare_with_request,
    summarize,
)
from engagement_pandas.flattening.flatten import _batches

AT = datetime(2026, 5, 1, tzinfo=UTC)
POSTS = ["7", "8", "9", "10"]
TYPES = ["impressions", "favorites", "video_views"]
OLD = "unsupported_for_video_views_tweet_ids"

cells = st.sampled_from(["0", "5", "-2", 7])
counts_of_a_post = st.dictionaries(st.sampled_from([*TYPES, "zaps"]), cells, max_size=4)
bodies = st.fixed_dictionaries(
    {"by_post": st.dictionaries(st.sampled_from(POSTS), counts_of_a_post, max_size=3)},
    optional={
        "unavailable_tweet_ids": st.lists(st.sampled_from(POSTS), max_size=1),
        OLD: st.lists(st.sampled_from(POSTS), max_size=2),
        "errors": st.just(["Forbidden to access tweets: 9"]),
    },
)
invalid = st.sampled_from(
    [
        b'{"by_post": {"7": {"favorites": 1.0}}}',
        b'{"by_post": {"7": {"favorites": 1}, "7": {"favorites": 2}}}',
        b'{"by_post": {"7": {"favorit\\u0065s": 1}}}',
        b'{"by_post": {"7": {"favorites": 1}}, "start": "never"}',
        b'{"data": []}',
    ]
)
contents = bodies.map(lambda body: json.dumps(body).encode()) | invalid
requested = st.lists(st.sampled_from(POSTS), min_size=1, max_size=3, unique=True)


def result_of(read: Callable[[], Any]) -> Any:
    """Return the result of a reading, or its error."""
    try:
        return read()
    except ep.EngagementError as error:
        return type(error).__name__, str(error)


def read_all(
    exchanges: Sequence[tuple[list[str], bytes]], most: int, *, retrieved_at: bool
) -> tuple[Any, Any, list[Any]]:
    """Return counts, omissions and summaries, with this number of bytes read as one."""
    listed = [
        ep.EngagementResponse(
            ep.totals(posts, engagement_types=TYPES), content, 200, AT + timedelta(days=number)
        )
        for number, (posts, content) in enumerate(exchanges)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[_batches.__module__], "_BATCH", most)
        counts = result_of(lambda: ep.flatten(listed, retrieved_at=retrieved_at))
    grouping = listed[0].request.grouping()
    summaries = [
        result_of(lambda response=response: summarize(response, grouping)) for response in listed
    ]
    return counts, result_of(lambda: ep.omissions(listed)), summaries


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    exchanges=st.lists(st.tuples(requested, contents), min_size=2, max_size=4),
    retrieved_at=st.booleans(),
)
def test_responses_read_as_one_equal_those_read_alone(
    *, exchanges: list[tuple[list[str], bytes]], retrieved_at: bool
) -> None:
    """Counts, omissions, summaries and errors do not depend on how many are read together."""
    one_by_one = read_all(exchanges, 0, retrieved_at=retrieved_at)
    as_one = read_all(exchanges, 2**20, retrieved_at=retrieved_at)
    for left, right in zip(one_by_one[:2], as_one[:2], strict=True):
        if isinstance(left, pd.DataFrame):
            pd.testing.assert_frame_equal(right, left)
            assert right.attrs == left.attrs
        else:
            assert right == left
    assert as_one[2] == one_by_one[2]


def by_day(posts: Sequence[str], day: str = "2026-03-01") -> ep.EngagementResponse:
    """Return a response of two types on two days."""
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    window = ep.Window.covering(start, start + timedelta(days=2))
    request = ep.historical(posts, engagement_types=TYPES[:2], window=window, by="day")
    days = {str((start + timedelta(days=n)).date()): "3" for n in range(2)}
    counts = {post: dict.fromkeys(TYPES[:2], days) for post in posts}
    return ep.EngagementResponse(request, json.dumps({"by_day": counts}).encode())


def test_responses_of_one_window_are_read_as_one() -> None:
    """Their counts are one part, in the order of the frame."""
    responses = [by_day(["9"]), by_day(["7", "8"])]
    read_at_once = compare_as_one(responses, responses[0].request.grouping())
    assert read_at_once is not None
    summaries, counts = read_at_once
    assert [summary.posts for summary in summaries] == [{"9"}, {"7", "8"}]
    assert counts.posts == ("7", "8", "9")
    assert len(counts) == 3 * 2 * 2


def test_responses_of_other_windows_are_not_read_as_one() -> None:
    """A batch ends where the window changes."""
    responses = [by_day(["7"]), by_day(["8"]), by_day(["7"], "2026-03-03")]
    groupings = [response.request.grouping() for response in responses]
    batches = [batch for batch, _ in _batches(responses, groupings)]
    assert batches == [responses[:2], responses[2:]]


def test_a_response_lists_only_its_own_posts_as_too_old() -> None:
    """The counts of another response are kept."""
    types = ["video_views"]
    responses = [
        ep.EngagementResponse(ep.totals([post], engagement_types=types), json.dumps(body).encode())
        for post, body in (
            ("7", {"by_post": {"7": {"video_views": "0"}}, OLD: ["7", "8"]}),
            ("8", {"by_post": {"8": {"video_views": "0"}}}),
        )
    ]
    assert compare_as_one(responses, responses[0].request.grouping()) is not None
    assert ep.flatten(responses)["count"].isna().to_list() == [True, False]
    alone = [
        compare_with_request(response, response.request.grouping())[1].missing.tolist()
        for response in responses
    ]
    assert alone == [[True], [False]]
