"""Posts from the lookup endpoints; bodies follow the documentation of each shape."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas import FrameError, RefusedError, ResponseShapeError
from engagement_pandas.frame.contract import check_counts, check_omissions

PUBLIC = {
    "retweet_count": 50,
    "reply_count": 12,
    "like_count": 234,
    "quote_count": 5,
    "bookmark_count": 8,
    "impression_count": 5432,
}
TYPES = {
    "impressions": 5432,
    "favorites": 234,
    "retweets": 50,
    "quote_tweets": 5,
    "replies": 12,
    "bookmarks": 8,
}
ORGANIC = {"impression_count": 5000, "url_link_clicks": 3, "user_profile_clicks": 2}
PROBLEM = "https://api.twitter.com/2/problems/"


def counts_by_type(counts: pd.DataFrame) -> dict[str, Any]:
    """Return the counts by type."""
    check_counts(counts)
    return dict(zip(counts["engagement_type"].astype(str), counts["count"], strict=True))


def post(**fields: Any) -> dict[str, Any]:
    """Return a post of API v2."""
    return {"id": "7", "text": "Hi", "public_metrics": PUBLIC, **fields}


@pytest.mark.parametrize(
    "body",
    [
        {"data": [post()]},
        {"data": post()},
        {"data": {"data": [post()]}},
        [post()],
        json.dumps({"data": [post()]}),
        json.dumps({"data": [post()]}).encode(),
        json.dumps(post()) + "\n",
    ],
    ids=["list", "one", "nested", "bare", "text", "bytes", "line"],
)
def test_public_metrics_have_six_types(body: Any) -> None:
    """The post may be wrapped in several ways."""
    counts = ep.flatten_lookup(body)
    assert counts_by_type(counts) == TYPES
    assert set(counts["source"]) == {"x_lookup_public"}
    assert "retrieved_at" not in counts


def test_groups_of_metrics_have_separate_sources() -> None:
    """They are not added."""
    body = {"data": [post(organic_metrics=ORGANIC, non_public_metrics={"engagements": 9})]}
    organic = ep.flatten_lookup(body, "organic")
    assert counts_by_type(organic) == {
        "impressions": 5000,
        "url_clicks": 3,
        "user_profile_clicks": 2,
    }
    assert counts_by_type(ep.flatten_lookup(body, "non_public")) == {"engagements": 9}
    assert len(ep.flatten_lookup(body, "promoted")) == 0
    with pytest.raises(FrameError, match="several sources"):
        ep.summarise(pd.concat([organic, ep.flatten_lookup(body)]))
    with pytest.raises(FrameError, match="metrics is 'private'"):
        ep.flatten_lookup(body, "private")  # type: ignore[arg-type]


def test_renamed_metrics_are_recognised() -> None:
    """``repost_count`` is ``retweet_count``; unknown names stay."""
    body = {"data": [{"id": "7", "public_metrics": {"repost_count": 3, "zap_count": 1}}]}
    assert counts_by_type(ep.flatten_lookup(body)) == {"retweets": 3, "zap_count": 1}


def test_an_absent_metric_has_no_row_and_null_is_missing() -> None:
    """Null is not 0."""
    body = {"data": [{"id": "7", "public_metrics": {"like_count": None}}]}
    assert counts_by_type(ep.flatten_lookup(body)) == {"favorites": pd.NA}


@pytest.mark.parametrize("value", ["5", 5.5, True, {}])
def test_counts_must_be_integers(value: Any) -> None:
    """The error has the position."""
    body = {"data": [{"id": "7", "public_metrics": {"like_count": value}}]}
    with pytest.raises(ResponseShapeError, match=r"public_metrics.like_count is .*not an integer"):
        ep.flatten_lookup(body)


def test_views_of_a_single_video_are_counted() -> None:
    """Views of several videos are unknown."""
    media = [{"media_key": f"13_{n}", "public_metrics": {"view_count": n}} for n in (5, 6)]
    for keys, views in ((["13_5"], 5), (["13_5", "13_6"], pd.NA)):
        body = {"data": [post(attachments={"media_keys": keys})], "includes": {"media": media}}
        assert counts_by_type(ep.flatten_lookup(body))["video_views"] is views or views == 5
    flat = post(attachments={"media_keys": ["13_5"], "media": media[:1]})
    assert counts_by_type(ep.flatten_lookup(flat))["video_views"] == 5


def test_reposts_are_left_out() -> None:
    """They repeat the counts of the original."""
    repost = post(id="8", referenced_tweets=[{"type": "retweeted", "id": "7"}])
    quote = post(id="9", referenced_tweets=[{"type": "quoted", "id": "7"}])
    assert set(ep.flatten_lookup([post(), repost, quote])["post_id"]) == {"7", "9"}


def test_reposts_without_references_are_left_out() -> None:
    """Their text identifies them."""
    body = {"data": [{"id": "7", "text": "RT @you: Hi", "public_metrics": {"retweet_count": 9}}]}
    assert not len(ep.flatten_lookup(body))


def test_omissions_of_unknown_metrics_are_refused() -> None:
    """The error is that of flatten_lookup."""
    with pytest.raises(FrameError, match="choose one of"):
        ep.v2_omissions({"data": []}, "publick")  # type: ignore[arg-type]


def test_files_of_twarc_2_are_read() -> None:
    """Lines are pages or posts; retrieval times are twarc's."""
    twarc = {"retrieved_at": "2026-03-01T10:00:00+01:00", "url": "x"}
    later = {"retrieved_at": "2026-03-08T10:00:00+00:00"}
    pages = json.dumps({"data": [post()], "__twarc": twarc})
    counts = ep.flatten_lookup(pages + "\n" + json.dumps({**post(), "__twarc": later}))
    assert counts["retrieved_at"].unique().tolist() == [
        pd.Timestamp("2026-03-01T09:00Z"),
        pd.Timestamp("2026-03-08T10:00Z"),
    ]
    assert counts_by_type(ep.latest(counts)) == TYPES
    with pytest.raises(FrameError, match="others have none; give retrieved_at"):
        ep.flatten_lookup(pages + "\n" + json.dumps(post()))


def test_equal_duplicates_are_one_reading() -> None:
    """Different ones need retrieval times."""
    assert counts_by_type(ep.flatten_lookup([post(), post()])) == TYPES
    with pytest.raises(FrameError, match="twice"):
        ep.flatten_lookup([post(), post(public_metrics={"like_count": 1})])


def v1(number: str = "7", **fields: Any) -> dict[str, Any]:
    """Return a post of API v1.1 as archives write it, with all values as text."""
    return {"id_str": number, "id": 1, "favorite_count": "5", "retweet_count": "2", **fields}


def test_files_of_twarc_1_and_archives_are_read(tmp_path: Path) -> None:
    """``tweets.js`` is parsed, not evaluated, and may be in a ZIP."""
    expected = {"favorites": 5, "retweets": 2}
    assert counts_by_type(ep.flatten_lookup(v1(favorite_count=5, retweet_count=2))) == expected
    posts = [{"tweet": v1(full_text="Hi")}, {"tweet": v1("8", full_text="RT @you: Hi")}]
    script = "window.YTD.tweets.part0 = " + json.dumps(posts)
    assert counts_by_type(ep.flatten_lookup(script)) == expected
    older = "Grailbird.data.tweets_2015_01 = " + json.dumps([v1(text="Hi")])
    assert counts_by_type(ep.flatten_lookup(older)) == expected
    (tmp_path / "tweets.js").write_text(script)
    assert counts_by_type(ep.flatten_lookup(tmp_path / "tweets.js")) == expected
    assert (
        counts_by_type(ep.flatten_lookup("window.YTD.tweets.part0 = " + json.dumps([v1()])))
        == expected
    )
    with zipfile.ZipFile(tmp_path / "twitter.zip", "w") as archive:
        archive.writestr("data/account.js", "window.YTD.account.part0 = []")
        archive.writestr("data/tweets.js", script)
        part1 = "window.YTD.tweets.part1 = " + json.dumps([{"tweet": v1("9")}])
        archive.writestr("data/tweets-part1.js", part1)
    counts = ep.flatten_lookup(str(tmp_path / "twitter.zip"), retrieved_at="2026-03-01T00:00Z")
    assert sorted(set(counts["post_id"])) == ["7", "9"]
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "x")
        archive.writestr("b.txt", "x")
    with pytest.raises(ResponseShapeError, match="has 2 files"):
        ep.flatten_lookup(tmp_path / "other.zip")


def test_scripts_are_not_evaluated() -> None:
    """Content other than JSON is refused."""
    with pytest.raises(ResponseShapeError, match="not valid JSON"):
        ep.flatten_lookup("window.YTD.tweets.part0 = [alert(1)]")


def test_problems_of_the_api_are_omissions() -> None:
    """The reason follows from the type; posts without the metrics are omissions too."""
    errors = [
        {"type": f"{PROBLEM}resource-not-found", "resource_id": "8", "detail": "gone"},
        {"type": f"{PROBLEM}not-authorized-for-resource", "resource_id": "9", "title": "no"},
        {"type": f"{PROBLEM}brand-new", "value": "10", "detail": "hm"},
        {"type": f"{PROBLEM}not-authorized-for-field", "resource_id": "7", "detail": "old"},
    ]
    body = {"data": [post(), post(id="11")], "errors": errors}
    omitted = ep.v2_omissions(body, "organic")
    check_omissions(omitted)
    rows = omitted[["post_id", "reason", "message"]].astype(str).to_numpy().tolist()
    assert rows == [
        ["10", "not_answered", "hm"],
        ["11", "not_answered", "it has no organic_metrics"],
        ["7", "forbidden", "old"],
        ["8", "unavailable", "gone"],
        ["9", "forbidden", "no"],
    ]
    assert len(ep.v2_omissions({"data": [post()]})) == 0


def test_problems_of_the_request_are_an_error() -> None:
    """Problems of posts are omissions."""
    refused = {"errors": [{"type": f"{PROBLEM}client-forbidden", "detail": "Enroll first"}]}
    with pytest.raises(RefusedError, match=r"not open to the account.*Enroll first"):
        ep.flatten_lookup(refused)
    only_omissions = {"errors": [{"type": f"{PROBLEM}resource-not-found", "resource_id": "8"}]}
    assert len(ep.flatten_lookup(only_omissions)) == 0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"data": {"total_likes": 5}}', "there is no post, only"),
        ("[5]", "there is 5, and not a post"),
        ('[{"id": "x"}]', "no post ID"),
        ('{"id": "7", "id": "8"}', "twice"),
        ('{"data": [', "not valid JSON"),
        ({"data": [{"id": "7", "public_metrics": 5}]}, "not an object"),
    ],
)
def test_other_shapes_are_refused(body: Any, words: str) -> None:
    """The error has the position."""
    with pytest.raises(ResponseShapeError, match=words):
        ep.flatten_lookup(body)


def bucket(time: str | None, **metrics: Any) -> dict[str, Any]:
    """Return a bucket of /2/tweets/analytics."""
    return {"timestamp": time, "metrics": metrics}


def analytics(*buckets: Any, **top: Any) -> dict[str, Any]:
    """Return a response with one item."""
    return {"data": [{"id": "7", "timestamped_metrics": list(buckets)} | top]}


def test_an_answer_of_the_other_endpoint_is_refused() -> None:
    """The message names the function that reads it."""
    body = {"data": [{"id": "7", "public_metrics": {"like_count": 5}}]}
    with pytest.raises(ResponseShapeError, match=r"flatten_lookup\(body\)"):
        ep.flatten_analytics(body)


def test_hours_are_utc() -> None:
    """The offset of a time may differ; likes and follows have our names."""
    counts = ep.flatten_analytics(
        analytics(
            bucket("2026-03-01T08:00:00+01:00", likes=2, impressions=90, follows=-1),
            bucket("2026-03-01T08:00:00Z", likes=None, impressions=5),
        )
    )
    check_counts(counts)
    assert counts.drop(columns=["post_id", "source", "day"]).values.tolist() == [  # noqa: PD011
        ["impressions", 7, 90],
        ["impressions", 8, 5],
        ["favorites", 7, 2],
        ["favorites", 8, pd.NA],
        ["user_follows", 7, -1],
        ["user_follows", 8, pd.NA],
    ]
    assert set(counts["day"]) == {pd.Timestamp("2026-03-01")}
    assert set(counts["source"]) == {"x_post_analytics"}


def test_midnights_are_days() -> None:
    """An object may replace the list; null metrics are unknown."""
    days = [bucket("2026-03-01T00:00:00Z", shares=1), {"timestamp": "2026-03-02T00:00:00Z"}]
    body = analytics(*days)
    for shape in (body, {"data": body["data"][0]}, {"data": {"data": body["data"]}}):
        counts = ep.flatten_analytics(shape)
        assert list(counts) == ["post_id", "engagement_type", "source", "day", "count"]
        assert counts["count"].to_list() == [1, pd.NA]


@pytest.mark.parametrize("buckets", ["absent", None, []])
def test_metrics_of_the_item_are_totals(buckets: Any) -> None:
    """There are no buckets."""
    item = {"id": "7", "timestamp": None, "impressions": 90, "unlikes": None}
    item |= {} if buckets == "absent" else {"timestamped_metrics": buckets}
    counts = ep.flatten_analytics({"data": [item]}, retrieved_at="2026-03-05T00:00Z")
    assert counts_by_type(counts) == {"impressions": 90, "unlikes": pd.NA}
    assert "day" not in counts
    single_bucket = analytics(bucket("2026-03-01T00:00:00Z", impressions=90))
    assert counts_by_type(ep.flatten_analytics(single_bucket, granularity="total")) == {
        "impressions": 90
    }


def test_buckets_have_precedence_over_totals() -> None:
    """They are not added."""
    body = analytics(bucket("2026-03-01T05:00:00Z", likes=1), likes=1, impressions=9)
    assert ep.flatten_analytics(body)["count"].to_list() == [1]


@pytest.mark.parametrize(
    ("times", "options", "words"),
    [
        (["2026-03-01T00:00:00Z"], {}, "is one bucket.*give granularity"),
        (["2026-03-01T00:00:00Z", "2026-03-08T00:00:00Z"], {}, "may be weeks"),
        (["2026-03-01T00:00:00Z"], {"granularity": "weekly"}, "request granularity=daily"),
        (["2026-03-01T00:00:00Z"], {"granularity": "yearly"}, "choose one of"),
    ],
)
def test_an_ambiguous_granularity_must_be_given(times: list[str], options: Any, words: str) -> None:
    """Weeks are refused."""
    with pytest.raises(FrameError, match=words):
        ep.flatten_analytics(analytics(*(bucket(time, likes=1) for time in times)), **options)


@pytest.mark.parametrize(
    ("buckets", "words"),
    [
        ([bucket("2026-03-01T05:30:00Z", likes=1)], "whole hour of UTC"),
        ([bucket("2026-03-01T05:00:00", likes=1)], "no time zone"),
        ([bucket("2026-03-01T05:00:00Z", likes="1")], "likes is '1', and not an integer"),
        ([bucket("2026-03-01T05:00:00Z", likes=1)] * 2, "post 7 is there twice for 2026-03-01"),
        ([5], "not a bucket"),
    ],
)
def test_invalid_buckets_are_refused(buckets: list[Any], words: str) -> None:
    """The error has the position."""
    with pytest.raises(ResponseShapeError, match=words):
        ep.flatten_analytics(analytics(*buckets))


def test_a_response_of_the_emulator_is_refused() -> None:
    """X's playground returns totals without a post."""
    with pytest.raises(ResponseShapeError, match="there is no post"):
        ep.flatten_analytics({"data": {"total_likes": 5}})


def test_a_post_that_looks_like_a_repost_is_counted() -> None:
    """References were requested, as the other post shows, so the text is original."""
    quoting = {"id": "8", "text": "h", "referenced_tweets": [{"type": "quoted", "id": "6"}]}
    posts = [{"id": "7", "text": "RT @x agree"}, quoting]
    body = {"data": [post | {"public_metrics": {"like_count": 5}} for post in posts]}
    assert ep.flatten_lookup(body)["post_id"].to_list() == ["7", "8"]


@pytest.mark.parametrize(
    "times",
    [
        ["2026-03-02T08:00:00Z", "2026-03-03T08:00:00Z", "2026-03-04T08:00:00Z"],
        ["2026-03-28T00:00:00+01:00", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"],
        ["2026-03-02T08:00:00Z", "2026-03-09T08:00:00Z"],
    ],
)
def test_days_of_another_time_zone_are_not_hours(times: list[str]) -> None:
    """A clock change makes one of them 23 hours long."""
    with pytest.raises(FrameError, match=r"may be days of another time zone.*give granularity"):
        ep.flatten_analytics(analytics(*(bucket(time, likes=1) for time in times)))


def test_hours_may_be_absent() -> None:
    """Buckets 26 hours apart are hours."""
    buckets = (bucket(f"2026-03-0{day}", likes=1) for day in ("2T08:00:00Z", "3T10:00:00Z"))
    assert ep.flatten_analytics(analytics(*buckets))["hour"].to_list() == [8, 10]


@pytest.mark.parametrize("days", [(8, 13, 20), (12, 13, 20), (10, 13)])
def test_weeks_that_a_window_cuts_are_not_days(days: tuple[int, ...]) -> None:
    """A window from a Wednesday on has a first week of five days."""
    body = analytics(*[bucket(f"2026-04-{day:02}T00:00:00Z", impressions=5) for day in days])
    with pytest.raises(FrameError, match="may be weeks, from 2026-04"):
        ep.flatten_analytics(body)
    assert len(ep.flatten_analytics(body, granularity="daily")) == len(days)


def test_the_time_of_an_item_is_that_of_its_metrics() -> None:
    """Since August 2026, an item has a time and metrics of its own."""
    items = [
        {"id": "7", "timestamp": f"2026-03-0{day}T00:00:00Z", "impressions": day} for day in (1, 2)
    ]
    counts = ep.flatten_analytics({"data": items})
    assert counts["day"].dt.day.to_list() == counts["count"].to_list() == [1, 2]
    with pytest.raises(FrameError, match="one bucket of each post, from 2026-03-01 on"):
        ep.flatten_analytics({"data": items[:1]})


def test_weeks_of_several_posts_are_not_days() -> None:
    """Weeks that begin on different days in two answers are three days apart."""
    weeks = {"7": ("02", "09"), "8": ("05", "12")}
    body = [
        analytics(*(bucket(f"2026-03-{day}T00:00:00Z", likes=1) for day in days), id=post)
        for post, days in weeks.items()
    ]
    with pytest.raises(FrameError, match="may be weeks"):
        ep.flatten_analytics(body)


@pytest.mark.parametrize(
    "post",
    [analytics(bucket("2026-03-01T08:00:00Z", likes=1))["data"][0], {"id": "7", "impressions": 90}],
)
def test_analytics_are_not_a_lookup(post: dict[str, Any]) -> None:
    """They have no public metrics, and no omission."""
    with pytest.raises(ResponseShapeError, match=r"see flatten_analytics\(body\)"):
        ep.flatten_lookup({"data": [post]})
    assert ep.v2_omissions({"data": [post]}).empty


@pytest.mark.parametrize(
    "page",
    [
        {"errors": [{"code": 88, "message": "Rate limit exceeded"}]},
        {"title": "Too Many Requests", "detail": "Rate limit exceeded", "status": 429},
        {"code": 88, "message": "Rate limit exceeded"},
    ],
)
@pytest.mark.parametrize("read", [ep.flatten_lookup, ep.v2_omissions, ep.flatten_analytics])
def test_a_lost_page_is_refused(read: Any, page: dict[str, Any]) -> None:
    """The words of the API and the position are in the message."""
    with pytest.raises(RefusedError, match=r"item 2 of .*Rate limit exceeded") as caught:
        read([{"data": [post()]}, page])
    assert caught.value.messages == ("Rate limit exceeded",)


@pytest.mark.parametrize(
    "user",
    [
        {"id": "12", "username": "bakery", "public_metrics": {"followers_count": 5}},
        {"id_str": "12", "screen_name": "bakery", "followers_count": 5},
    ],
)
def test_users_are_not_posts(user: dict[str, Any]) -> None:
    """They have IDs and public metrics too."""
    with pytest.raises(ResponseShapeError, match="there is a user, and not a post"):
        ep.flatten_lookup({"data": [user]})


def test_a_null_is_no_repost() -> None:
    """Tables that were written as JSON have every name in every post."""
    body = {"id_str": "7", "full_text": "Hi", "favorite_count": 5, "retweeted_status": None}
    assert counts_by_type(ep.flatten_lookup([body])) == {"favorites": 5}


def test_a_text_with_a_byte_order_mark_is_a_body() -> None:
    """A file that Windows has saved, and that was opened as UTF-8."""
    counts = ep.flatten_lookup('\ufeff{"data": [{"id": "7", "public_metrics": {"like_count": 5}}]}')
    assert counts["count"].to_list() == [5]
