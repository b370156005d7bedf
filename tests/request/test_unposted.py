"""Hours before a post was made are not requested, count as zero, and are reported."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scripted import FakeClock, Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.cli.table_output import summarize_omissions
from engagement_pandas.explorers.fetch_thread import FetchThread
from engagement_pandas.frame.contract import check_omissions
from engagement_pandas.request.post_ids import first_snowflake_at

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POST, TYPE, DATE, TIME = "tweet.id", "engagement.type", "engagement.day", "engagement.hour"
TYPES = ["impressions", "url_clicks"]


def unsent_responses(plan: ep.Plan) -> tuple[ep.EngagementResponse, ...]:
    """Return the responses for the requests that a plan does not send."""
    return tuple(ep.EngagementResponse.unposted(part, plan.now) for part in plan.unposted)


def post_id_at(time: datetime) -> str:
    """Return the ID of a post made at that time."""
    return str(first_snowflake_at(time))


def true_count(post: str, engagement_type: str, hour: datetime) -> int:
    """Return the true count of an hour, which is 0 before the post was made."""
    created = ep.created_at(post)
    if created is not None and hour + HOUR <= created:
        return 0
    return zlib.crc32(f"{post} {engagement_type} {hour}".encode()) % 5 - 1


def response_to(request: ep.EngagementRequest) -> ep.EngagementResponse:
    """Respond as the API does: every hour of the window is listed, zeros too."""
    (grouping,) = request.groupings
    assert request.window is not None
    cells: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for n in range(request.window.hours):
        at = request.window.start + n * HOUR
        for post in request.post_ids:
            for engagement_type in request.engagement_types:
                keys = {
                    POST: post,
                    TYPE: str(engagement_type),
                    DATE: f"{at:%Y-%m-%d}",
                    TIME: f"{at:%H}",
                }
                cells[tuple(keys[d] for d in grouping.dimensions)] += true_count(
                    post, engagement_type, at
                )
    body: dict[str, Any] = {}
    for keys, count in cells.items():
        level = body
        for key in keys[:-1]:
            level = level.setdefault(key, {})
        level[keys[-1]] = str(count)
    return ep.EngagementResponse(request, {grouping.name: body})


def days(posts: list[str], length: int, by: Any = (POST, TYPE, DATE)) -> ep.EngagementRequest:
    """Request some days of some posts."""
    window = ep.Window(START, START + length * DAY)
    return ep.historical(posts, engagement_types=TYPES, window=window, by={"g": by})


LONG_VARIANTS = [
    (TYPE, POST, DATE),
    (POST, TYPE, TIME),
    (POST, TYPE),
    (DATE, TYPE, TIME),
    (TYPE, DATE),
    (TYPE,),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    "by",
    [
        (POST, TYPE, DATE, TIME),
        *(pytest.param(by, marks=pytest.mark.long) for by in LONG_VARIANTS),
    ],
    ids=" > ".join,
)
@settings(max_examples=12)
@given(
    births=st.lists(st.integers(-3 * 24, 40 * 24), min_size=1, max_size=3, unique=True),
    length=st.integers(27, 33),
)
def test_posts_that_were_not_requested_are_reported(
    by: tuple[str, ...], births: list[int], length: int
) -> None:
    """Compared with a complete response, only zeros are missing, and all of them are reported."""
    complete = days([post_id_at(START + birth * HOUR) for birth in births], length, by)
    plan = ep.plan(complete, now=NOW)
    responses = [*unsent_responses(plan), *map(response_to, plan)]
    frame, omitted = ep.flatten(response_to(complete)), ep.omissions(responses)
    from_parts = ep.flatten(responses)

    keys = [name for name in frame.columns if name != "count"]
    merged = frame.merge(from_parts, on=keys, how="left", suffixes=("", "_of_parts"))
    missing = merged["count_of_parts"].isna()
    assert len(from_parts) == (~missing).sum()
    assert merged["count"][~missing].equals(merged["count_of_parts"][~missing])
    assert (merged["count"][missing] == 0).all()

    early = omitted[omitted["reason"] == "not_yet_posted"]
    assert len(early) == len(omitted)
    ends = early.set_index("post_id")["end"]
    for row in merged[missing].to_dict("records"):
        last = ends[row["post_id"]] if "post_id" in row else ends.max()
        if "day" in row:
            assert pd.Timestamp(row["day"], tz="UTC") < last
    if POST in by:
        assert set(complete.post_ids) == set(from_parts["post_id"]) | set(early["post_id"])


def test_the_window_that_is_reported() -> None:
    """It ends at the first window in which the post is requested."""
    post, never = post_id_at(START + 35 * DAY), post_id_at(START + 60 * DAY)
    plan = ep.plan(days([post, never, "7"], 40), now=NOW)
    frame = ep.omissions(unsent_responses(plan))
    check_omissions(frame)
    columns = frame[["post_id", "reason", "message", "start", "end"]]
    assert columns.astype(str).to_numpy().tolist() == [
        [name, "not_yet_posted", "not yet posted in this window, so not requested",
         "2026-01-01 00:00:00+00:00", end]
        for name, end in [(post, "2026-01-13 00:00:00+00:00"), (never, "2026-02-10 00:00:00+00:00")]
    ]  # fmt: skip
    assert frame["engagement_type"].isna().all()
    assert summarize_omissions(frame) == [
        "no counts for 2 posts: not yet posted in this window, so not requested"
    ]


def test_the_repr_says_that_nothing_was_sent() -> None:
    """It gives the reason."""
    (response,) = unsent_responses(ep.plan(days([post_id_at(NOW)], 2), now=NOW))
    assert response.status == 0
    assert repr(response).startswith("EngagementResponse(not yet posted, nothing sent, for ")


@pytest.fixture
def june(server: ScriptedServer) -> ep.EngagementClient:
    """Return a client whose clock shows 1 June."""
    clock = FakeClock(NOW.timestamp())
    credentials = ep.UserContext("key", "secret", "9-token", "token-secret")
    return ep.EngagementClient(
        credentials, base_url=server.url, clock=clock.time, sleep=clock.sleep
    )


def test_a_plan_without_requests(
    june: ep.EngagementClient, server: ScriptedServer, tmp_path: Path
) -> None:
    """Fetching, streaming, collecting and the fetch thread send nothing and report the post."""
    request = days([post_id_at(START + 50 * DAY)], 40)
    assert len(ep.plan(request, now=NOW)) == 0
    collection = june.collect(request, into=ep.Archive(tmp_path / "raw"))
    thread = FetchThread(june, ep.plan(request, now=NOW), lambda _: None, lambda _: None)
    thread.start()
    thread.join(10)
    results = [june.fetch(request), list(june.stream(request)), collection, thread.responses]
    for responses in results:
        assert ep.omissions(responses)["post_id"].tolist() == list(request.post_ids)
        assert len(ep.flatten(responses)) == 0
    assert server.seen == []
    assert collection.complete
    assert ep.Archive(tmp_path / "raw").verify() == ()


@pytest.mark.slow
def test_an_archive_reports_posts_not_requested(
    june: ep.EngagementClient, server: ScriptedServer, tmp_path: Path
) -> None:
    """A new reader of the archive gets the same omissions."""
    late = post_id_at(START + 35 * DAY)
    request = days(["7", late], 40)
    plan = ep.plan(request, now=NOW)
    server.answer(*(Scripted(body=response_to(part).json()) for part in plan))
    june.collect(request, into=ep.Archive(tmp_path / "raw"), watch=lambda _: None)
    sent = [(seen.body["tweet_ids"], seen.body["start"]) for seen in server.seen]
    assert sorted(sent) == [(["7"], "2026-01-01T00:00:00Z"), (["7", late], "2026-01-13T00:00:00Z")]
    reopened = ep.Archive(tmp_path / "raw")
    pd.testing.assert_frame_equal(
        ep.flatten(reopened), ep.flatten([*unsent_responses(plan), *map(response_to, plan)])
    )
    assert ep.omissions(reopened)["post_id"].tolist() == [late]


def test_an_archive_of_an_older_version(
    june: ep.EngagementClient, server: ScriptedServer, tmp_path: Path
) -> None:
    """Without a record of posts not requested, all are missing."""
    collection = june.collect(days([post_id_at(NOW - DAY)], 2), into=ep.Archive(tmp_path))
    file = collection.path / "question.json.gz"
    record = json.loads(gzip.decompress(file.read_bytes()))
    del record["unposted"]
    assert record["sha256"] == hashlib.sha256(b"").hexdigest()
    file.write_bytes(gzip.compress(json.dumps(record).encode() + b"\n"))
    assert list(ep.Archive(tmp_path)) == []
    assert server.seen == []
