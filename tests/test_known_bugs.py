"""Eight bugs of published clients that lose data; they are tested here."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.scripted import Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.frame.contract import TEXT

ID = "1060976163948904449"  # one more than the nearest float


def totals(posts: Any) -> ep.EngagementRequest:
    """Request favorites."""
    return ep.totals(posts, engagement_types=["favorites"])


def echo(*batches: list[str]) -> list[Scripted]:
    """Respond to each batch with the post's own ID as its count."""
    return [
        Scripted(200, {"by_post": {post: {"favorites": post} for post in batch}})
        for batch in batches
    ]


@pytest.mark.slow
@pytest.mark.parametrize("posts", [1, 100, 249, 250, 251, 499, 500, 600])
def test_1_batches(client: ep.EngagementClient, server: ScriptedServer, posts: int) -> None:
    """Every post is requested: 250 in a batch, the last partial batch too."""
    ids = [str(n) for n in range(1, posts + 1)]
    server.answer(*echo(*[ids[n : n + 250] for n in range(0, posts, 250)]))
    counts = ep.flatten(client.fetch(totals(ids)))
    assert len(server.seen) == -(-posts // 250)
    assert counts.set_index("post_id")["count"].to_dict() == {post: int(post) for post in ids}


@pytest.mark.parametrize(
    ("dimensions", "body"),
    [
        (["engagement.type"], {"favorites": "3"}),
        (["tweet.id", "engagement.type"], {"1": {"favorites": "3"}}),
        (
            ["tweet.id", "engagement.type", "engagement.day"],
            {"1": {"favorites": {"2026-03-01": "3"}}},
        ),
        (
            ["tweet.id", "engagement.type", "engagement.day", "engagement.hour"],
            {"1": {"favorites": {"2026-03-01": {"07": "3"}}}},
        ),
    ],
    ids=["one", "two", "three", "four"],
)
def test_2_merging_any_depth(dimensions: list[str], body: dict[str, Any]) -> None:
    """Groupings of one to four dimensions are kept."""
    window = ep.Window.covering("2026-03-01T07:00:00Z", "2026-03-01T08:00:00Z")
    request = ep.historical(["1"], engagement_types=["favorites"], window=window, by=dimensions)
    counts = ep.flatten(ep.EngagementResponse(request, {"counts": body}))
    assert counts["count"].tolist() == [3]


def test_2_an_error_body_is_not_an_empty_response(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """A refusal of the second batch is an error that carries the first response."""
    ids = [str(n) for n in range(1, 252)]
    server.answer(*echo(ids[:250]), Scripted(400, {"errors": ["no"]}))
    with pytest.raises(ep.RefusedError) as caught:
        client.fetch(totals(ids))
    assert len(ep.flatten(caught.value.responses)) == 250


def test_2_the_response_to_a_retry(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """The counts of the second attempt are returned."""
    server.answer(Scripted(503, {"errors": ["internal server error"]}), *echo(["7"]))
    assert ep.flatten(client.fetch(totals(["7"])))["count"].tolist() == [7]


def test_3_the_last_hours_of_a_window() -> None:
    """A window that ends at 18:00 is not shortened to its date."""
    window = ep.Window.covering("2026-03-01", "2026-03-02T18:00:00Z")
    assert window.hours == 42
    request = ep.historical(["1"], engagement_types=["favorites"], window=window)
    assert request.to_json()["end"] == "2026-03-02T18:00:00Z"


def test_3_no_hour_counted_twice() -> None:
    """29 days from 09:30 are two windows that share no hour."""
    window = ep.Window.covering("2026-03-01T09:30:00Z", "2026-03-30T09:30:00Z")
    request = ep.historical(["1"], engagement_types=["favorites"], window=window)
    first, second = (part.window for part in ep.plan(request))
    assert first is not None
    assert second is not None
    assert first.end == second.start
    assert first.hours + second.hours == 29 * 24 + 1


def test_3_hours_are_utc() -> None:
    """07 is seven o'clock UTC in all local time zones."""
    counts = ep.flatten_json({"g": {"favorites": {"2026-03-29": {"07": "1"}}}})
    assert str(ep.timestamps(counts).iloc[0]) == "2026-03-29 07:00:00+00:00"


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", ["Forbidden to access tweets: 8", "Forbidden to access tweets for author id 9: 8"]
)
@pytest.mark.parametrize("posts", [["7", "8"], [7, 8], np.array([7, 8]), pd.Series(["7", "8"])])
def test_4_forbidden_posts(
    client: ep.EngagementClient, server: ScriptedServer, words: str, posts: Any
) -> None:
    """Both messages are understood; IDs are text on both sides, so the refused post is removed."""
    server.answer(Scripted(403, {"errors": [words]}), *echo(["7"]))
    responses = client.fetch(totals(posts))
    assert ep.flatten(responses)["post_id"].tolist() == ["7"]
    omissions = ep.omissions(responses)
    assert omissions[["post_id", "reason"]].to_numpy().tolist() == [["8", "forbidden"]]


def test_5_ids_keep_every_digit(
    client: ep.EngagementClient, server: ScriptedServer, tmp_path: Any
) -> None:
    """The ID survives a table, the request, the frame, Parquet and CSV."""
    server.answer(Scripted(200, {"by_post": {ID: {"favorites": "1"}}}))
    counts = ep.flatten(client.fetch(totals(pd.DataFrame({"post_id": [int(ID)]}))))
    assert b'"%s"' % ID.encode() in server.seen[0].content
    ep.write_parquet(counts, tmp_path / "counts.parquet")
    csv = io.StringIO()
    ep.write_csv(counts, csv)
    csv.seek(0)
    for frame in (counts, ep.read_parquet(tmp_path / "counts.parquet"), ep.read_csv(csv)):
        assert frame["post_id"].tolist() == [ID]
        assert frame["post_id"].dtype == TEXT


def test_5_floats_are_refused() -> None:
    """A table whose IDs were floats would request other posts."""
    damaged = pd.DataFrame({"post_id": [int(ID), None]})
    with pytest.raises(ep.InvalidPostId, match="float"):
        totals(damaged)


def test_6_unavailable_posts_are_reported() -> None:
    """Without the key there are no omissions; with it, each listed post is an omission."""
    request = totals(["7", "8"])
    complete = {"by_post": {"7": {"favorites": "1"}, "8": {"favorites": "2"}}}
    assert len(ep.omissions(ep.EngagementResponse(request, complete))) == 0
    partial = {"by_post": {"7": {"favorites": "1"}}, "unavailable_tweet_ids": ["8"]}
    omissions = ep.omissions(ep.EngagementResponse(request, partial))
    assert omissions[["post_id", "reason"]].to_numpy().tolist() == [["8", "unavailable"]]


def test_7_missing_is_not_zero() -> None:
    """A true zero is 0; the zero of a post that is too old is <NA> with the reason."""
    request = ep.totals(["7", "8"], engagement_types=["video_views"])
    body = {
        "by_post": {"7": {"video_views": "0"}, "8": {"video_views": "0"}},
        "unsupported_for_video_views_tweet_ids": ["8"],
    }
    response = ep.EngagementResponse(request, body)
    counts = ep.flatten(response)
    assert counts["count"].tolist() == [0, pd.NA]
    assert ep.omissions(response)["reason"].tolist() == ["unsupported_age"]


def test_8_unknown_keys_lose_nothing() -> None:
    """An unknown type, and an unknown top-level key, do not affect other counts."""
    request = totals(["7", "8"])
    body = {
        "by_post": {"7": {"favorites": "1", "bookmarks": "5"}, "8": {"favorites": "2"}},
        "api_notice": {"text": "something new"},
    }
    counts = ep.flatten(ep.EngagementResponse(request, body))
    known = counts[counts["engagement_type"] == "favorites"]
    assert known["count"].tolist() == [1, 2]
    new = counts[(counts["engagement_type"] == "bookmarks") & (counts["post_id"] == "7")]
    assert new["count"].tolist() == [5]
