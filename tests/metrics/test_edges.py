"""The period that counts cover is kept in attrs; without them it is unknown, never assumed."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.simulated import id_at, tidy

import engagement_pandas as ep
from engagement_pandas import FrameError
from engagement_pandas.metrics import (
    age,
    benchmark,
    by_age,
    compare,
    cumulative,
    half_life,
    over_time,
    rate_over_time,
    running_total,
    standing,
    summarise,
)

POST = "2043975803238093234"
"""Created at 08:53:01 on 14 April 2026."""


@pytest.fixture(scope="module")
def counts_and_posts() -> Any:
    """Return the 28 hours before 12:58 of 15 April, and the posts."""
    with ep.demo_client(now="2026-04-15T12:58:00Z", posts=200) as demo:
        mine = demo.posts[demo.posts["handle"] == "sandbox_bakery"].tail(60)
        request = ep.last_28_hours(mine, engagement_types=["impressions"])
        return ep.flatten(demo.client.fetch(request)), mine


def without_attrs(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the counts without attrs, as after DuckDB or polars."""
    frame = counts.copy()
    frame.attrs = {}
    return frame


def csv_round_trip(counts: pd.DataFrame) -> pd.DataFrame:
    """Write and read counts."""
    file = io.StringIO()
    ep.write_csv(counts, file)
    file.seek(0)
    return ep.read_csv(file)


def half_life_of_post(counts: pd.DataFrame) -> Any:
    """Return the half-life of one post."""
    return half_life(counts).set_index("post_id").loc[POST]


def test_counts_have_the_edges_of_the_response(counts_and_posts: Any) -> None:
    """The edges of /28hr are exact, so the age of the oldest post is 28 h 4 min 59 s."""
    counts, _ = counts_and_posts
    end = datetime.fromisoformat(counts.attrs["end"])
    assert counts.attrs["end"] == counts.attrs["retrieved_at"]
    start = datetime.fromisoformat(counts.attrs["start"])  # of the last response
    assert timedelta() <= start - (end - timedelta(hours=28)) < timedelta(minutes=1)
    result = half_life_of_post(counts)
    assert pd.isna(result["t50"])
    assert result["why_not"] == "begins_late"
    assert result["age"] == pytest.approx(28 + 5 / 60, abs=0.02)


@pytest.mark.slow
def test_csv_and_parquet_keep_the_edges(counts_and_posts: Any, tmp_path: Any) -> None:
    """Both round-trip attrs, and every number that depends on them."""
    counts, _ = counts_and_posts
    ep.write_parquet(counts, tmp_path / "a.parquet")
    for found in (csv_round_trip(counts), ep.read_parquet(tmp_path / "a.parquet")):
        assert found.attrs == counts.attrs
        pd.testing.assert_frame_equal(half_life(found), half_life(counts))


@pytest.mark.slow
@pytest.mark.parametrize(
    "remove_attrs", [without_attrs, lambda c: pd.concat([c.iloc[:9], without_attrs(c[9:])])]
)
def test_counts_without_edges_have_unknown_ages(counts_and_posts: Any, remove_attrs: Any) -> None:
    """There is no half-life, complete bucket or last age, and the error has the reason."""
    counts, _ = counts_and_posts
    kept = counts.groupby("post_id").filter(lambda rows: len(rows) == 29)
    without_edges = remove_attrs(counts)
    without_edges["engagement_type"] = without_edges["engagement_type"].astype("category")
    assert without_edges.attrs == {}
    assert len(kept) > 0
    result = half_life(without_edges)
    assert result["t50"].isna().all()
    assert set(result["why_not"]) >= {"edges_unknown"}
    assert result["age"].isna().all()
    for table in (
        over_time(without_edges, every="h"),
        running_total(without_edges, every="h"),
        cumulative(without_edges),
    ):
        assert not table["complete"].fillna(value=False).any()
        assert table["complete"].isna().any()
    assert by_age(without_edges)["complete"].fillna(value=False).sum() == 0
    assert age(without_edges).isna().sum() == without_edges.groupby("post_id").ngroups
    report = summarise(without_edges)
    assert report[["half_life", "percentile", "age"]].isna().all(axis=None)
    for metric in (benchmark, standing):
        with pytest.raises(FrameError, match=r"merged.attrs = counts.attrs"):
            metric(without_edges)
    sides = (
        without_edges[without_edges["post_id"] < POST],
        without_edges[without_edges["post_id"] >= POST],
    )
    with pytest.raises(FrameError, match=r"merged.attrs = counts.attrs"):
        compare(*sides, by="impressions")


def test_restored_attrs_restore_the_results(counts_and_posts: Any) -> None:
    """One assignment after a merge is sufficient."""
    counts, posts = counts_and_posts
    merged = counts.merge(posts[["post_id", "handle"]], on="post_id")
    merged.attrs = counts.attrs
    pd.testing.assert_frame_equal(half_life(merged), half_life(counts))
    typed = without_attrs(counts)
    typed.attrs |= {"start": "2026-04-14T08:58Z", "end": "2026-04-15T12:58Z"}
    assert half_life_of_post(typed)["age"] == pytest.approx(28 + 299 / 3600, abs=0.001)


def test_a_wider_window_does_not_make_edges_complete(counts_and_posts: Any) -> None:
    """The first hour of /28hr stays incomplete."""
    counts, _ = counts_and_posts
    wide = over_time(counts, every="h", window=("2026-04-14T08:00Z", "2026-04-15T13:00Z"))
    assert not wide["complete"].iloc[[0, -1]].any()


@pytest.mark.parametrize("attrs", [{"start": "2026-03-02T00:00Z", "end": "2026-03-02T00:00Z"}])
def test_an_empty_period_is_refused(attrs: dict[str, str]) -> None:
    """Its start is its end."""
    counts = tidy([("1", "impressions", "2026-03-01", 0, 1)])
    counts.attrs = attrs
    with pytest.raises(FrameError, match="which is empty"):
        over_time(counts)


def test_days_cut_by_the_window_are_incomplete() -> None:
    """A window from noon to noon cuts both days, and the ages end at noon."""
    post = id_at("2026-03-01T06:00:00")
    days = [f"2026-03-0{day}" for day in (1, 2, 3)]
    counts = tidy(
        [(post, "impressions", day, 5) for day in days],
        "post_id", "engagement_type", "day", "count",
    )  # fmt: skip
    counts.attrs = {"start": "2026-03-01T12:00:00Z", "end": "2026-03-03T12:00:00Z"}
    assert over_time(counts)["complete"].to_list() == [False, True, False]
    assert age(counts).to_list() == [18.0, 42.0, 54.0]
    counts.attrs = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-04T00:00:00Z"}
    assert over_time(counts)["complete"].to_list() == [True, True, True]
    assert over_time(counts, every="D", tz="UTC")["count"].sum() == 15


HOURS = {f"{hour:02d}": "1" for hour in range(24)}


def response_by_day(
    window: tuple[str, str], post: str, day: str, by: ep.Grouping = ep.BY_DAY
) -> ep.EngagementResponse:
    """Return a response for one post and window, by day."""
    request = ep.historical(
        [post], engagement_types=["impressions"], window=ep.Window.covering(*window), by=by
    )
    cell: Any = "3" if by is ep.BY_DAY else HOURS
    body = {by.name: {post: {"impressions": {day: cell}}}}
    return ep.EngagementResponse(request, body, 200, pd.Timestamp("2026-03-09T00:00Z"))


def test_windows_that_differ_by_post_have_no_common_edges() -> None:
    """Adjacent windows of one post are joined."""
    first, second = id_at("2026-02-01T00:00:00"), id_at("2026-02-01T00:00:00", 1)
    morning, evening = ("2026-03-01", "2026-03-01T12:00Z"), ("2026-03-01T12:00Z", "2026-03-02")
    both = [
        response_by_day(morning, first, "2026-03-01"),
        response_by_day(evening, first, "2026-03-01"),
    ]
    counts = ep.flatten(both)
    assert counts["count"].to_list() == [6]
    assert counts.attrs["start"] == "2026-03-01T00:00:00+00:00"
    assert over_time(counts)["complete"].to_list() == [True]
    of_two_posts = ep.flatten([both[0], response_by_day(evening, second, "2026-03-01")])
    assert "start" not in of_two_posts.attrs
    assert over_time(of_two_posts)["complete"].isna().all()


def test_edges_are_read_from_the_body() -> None:
    """``start`` and ``end`` of a body become attrs; without them the edges are unknown."""
    body: dict[str, Any] = {"g": {"1": {"impressions": {"2026-03-01": HOURS}}}}
    assert over_time(ep.flatten_json(body))["complete"].isna().all()
    named = ep.flatten_json(body | {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"})
    assert over_time(named)["complete"].to_list() == [True]
    # A window of 29 hours may be that of /28hr, rounded to hours.
    last = ep.flatten_json(body | {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T05:00:00Z"})
    assert "start" not in last.attrs


# Absent rows


def hourly(*posts: tuple[str, range], types: Any = ("impressions",), count: int = 10) -> Any:
    """Return counts of posts in some hours of 1 March."""
    return tidy(
        [
            (post, engagement_type, "2026-03-01", hour, count)
            for post, hours in posts
            for engagement_type in types
            for hour in hours
        ]
    )


OLD, NEW = id_at("2026-02-01T00:00:00"), id_at("2026-03-01T14:20:00")
DAY = ("2026-03-01", "2026-03-02")


def test_hours_before_the_creation_are_not_missing() -> None:
    """The first day of a post created at 14:20 is complete; from an hour later it is not."""
    full = hourly((OLD, range(24)), (NEW, range(14, 24)))
    for by in (None, "post_id", "engagement_type", ["post_id", "engagement_type"]):
        assert over_time(full, by=by, window=DAY)["complete"].all(), by
    late = hourly((OLD, range(24)), (NEW, range(15, 24)))
    assert over_time(late, window=DAY)["complete"].to_list() == [False]
    by_post = over_time(late, by="post_id", window=DAY).set_index("post_id")["complete"]
    assert by_post.to_dict() == {OLD: True, NEW: False}
    zeros = hourly((OLD, range(24)), (NEW, range(24)), count=0)
    assert over_time(zeros, window=DAY)["complete"].all()


def test_a_post_without_rows_makes_the_day_incomplete() -> None:
    """Rows are absent in an hour, in a type, or for a complete post, which ``posts`` must name."""
    full = hourly((OLD, range(24)), (NEW, range(14, 24)), types=("replies", "favorites"))
    missing_hour = (
        (full["post_id"] == OLD) & (full["hour"] == 7) & (full["engagement_type"] == "favorites")
    )
    days = over_time(full[~missing_hour], window=DAY).set_index("engagement_type")["complete"]
    assert days.to_dict() == {"replies": True, "favorites": False}
    assert over_time(full[~missing_hour], by="post_id", window=DAY)["complete"].to_list() == [
        False,
        True,
    ]
    without_favorites = full[(full["post_id"] != OLD) | (full["engagement_type"] != "favorites")]
    days = over_time(without_favorites, window=DAY).set_index("engagement_type")["complete"]
    assert days.to_dict() == {"replies": True, "favorites": False}
    new_only = full[full["post_id"] == NEW]
    assert over_time(new_only, window=DAY)["complete"].all()
    for posts in ([OLD, NEW], pd.DataFrame({"post_id": [OLD, NEW]})):
        assert not over_time(new_only, window=DAY, posts=posts)["complete"].any()
    types = {"numerator": "favorites", "denominator": "replies"}
    assert rate_over_time(full, window=DAY, **types)["complete"].to_list() == [True]
    assert rate_over_time(without_favorites, window=DAY, **types)["complete"].to_list() == [False]
    with pytest.raises(FrameError, match="posts lack"):
        over_time(new_only, posts="123")


@pytest.mark.parametrize("metric", [over_time, rate_over_time])
@pytest.mark.parametrize("posts", [list, lambda links: pd.DataFrame({"post_id": links})])
def test_posts_may_be_links(metric: Any, posts: Any) -> None:
    """A link means its post: a post without rows is missing, and no post is added."""
    types = {"numerator": "favorites", "denominator": "replies"} if metric is rate_over_time else {}
    full = hourly((OLD, range(24)), (NEW, range(14, 24)), types=("replies", "favorites"))
    links = posts([f"https://x.com/a/status/{post}?s=20" for post in (OLD, NEW)])
    known = metric(full, by="post_id", window=DAY, posts=links, **types)
    assert known["post_id"].to_list() == [OLD, NEW]
    assert known["complete"].all()
    new_only = full[full["post_id"] == NEW]
    assert not metric(new_only, by=None, window=DAY, posts=links, **types)["complete"].any()


def test_completeness_matches_plain_loops() -> None:
    """An hour is complete where every post has a count since its creation."""
    rng = np.random.default_rng(5)
    created = {id_at(f"2026-03-01T{hour:02d}:30:00", hour): hour for hour in (2, 9, 14, 20)}
    rows = [
        (post, "impressions", "2026-03-01", hour, pd.NA if rng.random() < 0.04 else 1)
        for post, created_hour in created.items()
        for hour in range(24)
        if rng.random() > 0.08
    ]
    counts = tidy(rows)
    known = {(row[0], row[3]) for row in rows if not pd.isna(row[4])}
    found = over_time(counts, every="h", window=DAY)["complete"].to_list()
    expected = [
        all((post, hour) in known for post, created_hour in created.items() if created_hour <= hour)
        for hour in range(24)
    ]
    assert found == expected
    assert 0 < sum(expected) < 24


@pytest.mark.slow
def test_sums_report_missing_hours() -> None:
    """Unknown counts and absent rows are counted by post."""
    counts = hourly((OLD, range(24)), (NEW, range(14, 24)), types=("impressions", "engagements"))
    counts.loc[3, "count"] = pd.NA  # of the old post, hour 3, impressions
    counts = counts[~((counts["post_id"] == NEW) & (counts["hour"] == 20))]
    report = summarise(counts).set_index("post_id")
    assert report["missing"].to_dict() == {OLD: 1, NEW: 2}
    best = ep.top_posts(counts, by="impressions").set_index("post_id")["missing"]
    assert best.to_dict() == {OLD: 1, NEW: 1}
    rates = ep.engagement_rate(counts).set_index("post_id")["missing"]
    assert rates.to_dict() == {OLD: 1, NEW: 1}
    assert ep.engagement_rate(counts, by=None)["missing"].to_list() == [2]
    ranked = ep.top_posts(counts, by="rate").set_index("post_id")["missing"]
    assert ranked.to_dict() == {OLD: 1, NEW: 1}
