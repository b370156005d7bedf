"""The time before a post was made: not asked, counted as nothing, and told."""

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
from engagement_pandas.cli.options import summarize_omissions
from engagement_pandas.explorers.fetch_thread import FetchThread
from engagement_pandas.frame.contract import check_omissions
from engagement_pandas.request.post_ids import first_snowflake_at

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POST, TYPE, DATE, TIME = "tweet.id", "engagement.type", "engagement.day", "engagement.hour"
TYPES = ["impressions", "url_clicks"]


def unsent(plan: ep.Plan) -> tuple[ep.EngagementResponse, ...]:
    """Return the responses to what a plan does not send."""
    return tuple(ep.EngagementResponse.unposted(part, plan.now) for part in plan.unposted)


def made(moment: datetime) -> str:
    """Return the ID of a post made at that moment."""
    return str(first_snowflake_at(moment))


def true_count(post: str, kind: str, hour: datetime) -> int:
    """Count an hour of the world: nothing before the post was made."""
    born = ep.created_at(post)
    if born is not None and hour + HOUR <= born:
        return 0
    return zlib.crc32(f"{post} {kind} {hour}".encode()) % 5 - 1


def answer(request: ep.EngagementRequest) -> ep.EngagementResponse:
    """Answer as the API does: every hour of the window is listed, zeros too."""
    (grouping,) = request.groupings
    assert request.window is not None
    cells: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for n in range(request.window.hours):
        at = request.window.start + n * HOUR
        for post in request.post_ids:
            for kind in request.engagement_types:
                keys = {POST: post, TYPE: str(kind), DATE: f"{at:%Y-%m-%d}", TIME: f"{at:%H}"}
                cells[tuple(keys[d] for d in grouping.dimensions)] += true_count(post, kind, at)
    body: dict[str, Any] = {}
    for keys, count in cells.items():
        level = body
        for key in keys[:-1]:
            level = level.setdefault(key, {})
        level[keys[-1]] = str(count)
    return ep.EngagementResponse(request, {grouping.name: body})


def days(posts: list[str], length: int, by: Any = (POST, TYPE, DATE)) -> ep.EngagementRequest:
    """Ask for some days of some posts."""
    window = ep.Window(START, START + length * DAY)
    return ep.historical(posts, engagement_types=TYPES, window=window, by={"g": by})


LESS = [(POST, TYPE), (DATE, TYPE, TIME), (TYPE, DATE), (TYPE,)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "by",
    [
        (POST, TYPE, DATE, TIME),
        (TYPE, POST, DATE),
        (POST, TYPE, TIME),
        *(pytest.param(by, marks=pytest.mark.long) for by in LESS),
    ],
    ids=" > ".join,
)
@settings(max_examples=12)
@given(
    births=st.lists(st.integers(-3 * 24, 40 * 24), min_size=1, max_size=3, unique=True),
    length=st.integers(27, 33),
)
def test_what_is_not_asked_is_nothing_and_told(
    by: tuple[str, ...], births: list[int], length: int
) -> None:
    """Against the question asked whole: no row differs, and what lacks is zeros, all told."""
    whole = days([made(START + birth * HOUR) for birth in births], length, by)
    plan = ep.plan(whole, now=NOW)
    responses = [*unsent(plan), *map(answer, plan)]
    frame, omitted = ep.flatten(answer(whole)), ep.omissions(responses)
    of_parts = ep.flatten(responses)

    keys = [name for name in frame.columns if name != "count"]
    beside = frame.merge(of_parts, on=keys, how="left", suffixes=("", "_of_parts"))
    lacking = beside["count_of_parts"].isna()
    assert len(of_parts) == (~lacking).sum()
    assert beside["count"][~lacking].equals(beside["count_of_parts"][~lacking])
    assert (beside["count"][lacking] == 0).all()

    early = omitted[omitted["reason"] == "not_yet_posted"]
    assert len(early) == len(omitted)
    ends = early.set_index("post_id")["end"]
    for row in beside[lacking].to_dict("records"):
        last = ends[row["post_id"]] if "post_id" in row else ends.max()
        if "day" in row:
            assert pd.Timestamp(row["day"], tz="UTC") < last
    if POST in by:
        assert set(whole.post_ids) == set(of_parts["post_id"]) | set(early["post_id"])


def test_the_window_that_is_told() -> None:
    """From the start of the question to the first window that the post is asked in."""
    post, never = made(START + 35 * DAY), made(START + 60 * DAY)
    plan = ep.plan(days([post, never, "7"], 40), now=NOW)
    frame = ep.omissions(unsent(plan))
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


def test_a_response_says_that_nothing_was_sent() -> None:
    """Where it is printed."""
    (response,) = unsent(ep.plan(days([made(NOW)], 2), now=NOW))
    assert response.status == 0
    assert repr(response).startswith("EngagementResponse(not yet posted, nothing sent, for ")


@pytest.fixture
def june(server: ScriptedServer) -> ep.EngagementClient:
    """Return a client whose clock stands at the first of June."""
    clock = FakeClock(NOW.timestamp())
    credentials = ep.UserContext("key", "secret", "9-token", "token-secret")
    return ep.EngagementClient(
        credentials, base_url=server.url, clock=clock.time, sleep=clock.sleep
    )


def test_nothing_at_all_to_ask(
    june: ep.EngagementClient, server: ScriptedServer, tmp_path: Path
) -> None:
    """Fetched, streamed, collected or by a click: nothing is sent, and the post is told."""
    asked = days([made(START + 50 * DAY)], 40)
    assert len(ep.plan(asked, now=NOW)) == 0
    collection = june.collect(asked, into=ep.Archive(tmp_path / "raw"))
    run = FetchThread(june, ep.plan(asked, now=NOW), lambda _: None, lambda _: None)
    run.start()
    run.join(10)
    ways = [june.fetch(asked), list(june.stream(asked)), collection, run.responses]
    for responses in ways:
        assert ep.omissions(responses)["post_id"].tolist() == list(asked.post_ids)
        assert len(ep.flatten(responses)) == 0
    assert server.seen == []
    assert collection.complete
    assert ep.Archive(tmp_path / "raw").verify() == ()


@pytest.mark.slow
def test_collected_and_read_again(
    june: ep.EngagementClient, server: ScriptedServer, tmp_path: Path
) -> None:
    """An archive tells of what was not asked, whoever opens it."""
    late = made(START + 35 * DAY)
    asked = days(["7", late], 40)
    plan = ep.plan(asked, now=NOW)
    server.answer(*(Scripted(body=answer(part).json()) for part in plan))
    june.collect(asked, into=ep.Archive(tmp_path / "raw"), watch=lambda _: None)
    sent = [(seen.body["tweet_ids"], seen.body["start"]) for seen in server.seen]
    assert sorted(sent) == [(["7"], "2026-01-01T00:00:00Z"), (["7", late], "2026-01-13T00:00:00Z")]
    again = ep.Archive(tmp_path / "raw")
    pd.testing.assert_frame_equal(
        ep.flatten(again), ep.flatten([*unsent(plan), *map(answer, plan)])
    )
    assert ep.omissions(again)["post_id"].tolist() == [late]


def test_an_archive_from_before(
    june: ep.EngagementClient, server: ScriptedServer, tmp_path: Path
) -> None:
    """A question that does not say what it leaves out asked everything."""
    collection = june.collect(days([made(NOW - DAY)], 2), into=ep.Archive(tmp_path))
    file = collection.path / "question.json.gz"
    told = json.loads(gzip.decompress(file.read_bytes()))
    del told["unposted"]
    assert told["sha256"] == hashlib.sha256(b"").hexdigest()
    file.write_bytes(gzip.compress(json.dumps(told).encode() + b"\n"))
    assert list(ep.Archive(tmp_path)) == []
    assert server.seen == []
