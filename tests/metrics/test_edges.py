"""What counts cover travels with them, or is not known: never assumed."""

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
"""Made at 08:53:01 on 14 April 2026."""


@pytest.fixture(scope="module")
def answered() -> Any:
    """Return the last 28 hours before 12:58 of 15 April, and the posts."""
    with ep.demo_client(now="2026-04-15T12:58:00Z", posts=200) as demo:
        mine = demo.posts[demo.posts["handle"] == "sandbox_bakery"].tail(60)
        request = ep.last_28_hours(mine, engagement_types=["impressions"])
        return ep.flatten(demo.client.fetch(request)), mine


def stripped(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the same counts without attrs, as DuckDB or polars hand them back."""
    frame = counts.copy()
    frame.attrs = {}
    return frame


def through_csv(counts: pd.DataFrame) -> pd.DataFrame:
    """Write and read counts."""
    file = io.StringIO()
    ep.write_csv(counts, file)
    file.seek(0)
    return ep.read_csv(file)


def of_post(counts: pd.DataFrame) -> Any:
    """Return the half-life of the post by name."""
    return half_life(counts).set_index("post_id").loc[POST]


def test_an_answer_states_its_edges(answered: Any) -> None:
    """Of /28hr exactly as the answer has them; so the age is 28 h 4 min 59 s and no more."""
    counts, _ = answered
    end = datetime.fromisoformat(counts.attrs["end"])
    assert counts.attrs["end"] == counts.attrs["retrieved_at"]
    begun = datetime.fromisoformat(counts.attrs["start"])  # of the last of some answers
    assert timedelta() <= begun - (end - timedelta(hours=28)) < timedelta(minutes=1)
    life = of_post(counts)
    assert pd.isna(life["t50"])
    assert life["why_not"] == "begins_late"
    assert life["age"] == pytest.approx(28 + 5 / 60, abs=0.02)


@pytest.mark.slow
def test_csv_and_parquet_keep_the_edges(answered: Any, tmp_path: Any) -> None:
    """Both round-trip attrs, and so every number that rests on them."""
    counts, _ = answered
    ep.write_parquet(counts, tmp_path / "a.parquet")
    for found in (through_csv(counts), ep.read_parquet(tmp_path / "a.parquet")):
        assert found.attrs == counts.attrs
        pd.testing.assert_frame_equal(half_life(found), half_life(counts))


@pytest.mark.slow
@pytest.mark.parametrize("lose", [stripped, lambda c: pd.concat([c.iloc[:9], stripped(c[9:])])])
def test_lost_edges_are_unknown(answered: Any, lose: Any) -> None:
    """No half-life, no complete bucket, no last age; and the reason is stated."""
    counts, _ = answered
    kept = counts.groupby("post_id").filter(lambda rows: len(rows) == 29)
    lost = lose(counts)
    lost["engagement_type"] = lost["engagement_type"].astype("category")
    assert lost.attrs == {}
    assert len(kept) > 0
    life = half_life(lost)
    assert life["t50"].isna().all()
    assert set(life["why_not"]) >= {"edges_unknown"}
    assert life["age"].isna().all()
    for table in (over_time(lost, every="h"), running_total(lost, every="h"), cumulative(lost)):
        assert not table["complete"].fillna(value=False).any()
        assert table["complete"].isna().any()
    assert by_age(lost)["complete"].fillna(value=False).sum() == 0
    assert age(lost).isna().sum() == lost.groupby("post_id").ngroups
    report = summarise(lost)
    assert report[["half_life", "percentile", "age"]].isna().all(axis=None)
    for metric in (benchmark, standing):
        with pytest.raises(FrameError, match=r"merged.attrs = counts.attrs"):
            metric(lost)
    sides = lost[lost["post_id"] < POST], lost[lost["post_id"] >= POST]
    with pytest.raises(FrameError, match=r"merged.attrs = counts.attrs"):
        compare(*sides, by="impressions")


def test_the_cure(answered: Any) -> None:
    """One line gives all back; a merge needs no more."""
    counts, posts = answered
    merged = counts.merge(posts[["post_id", "handle"]], on="post_id")
    merged.attrs = counts.attrs
    pd.testing.assert_frame_equal(half_life(merged), half_life(counts))
    typed = stripped(counts)
    typed.attrs |= {"start": "2026-04-14T08:58Z", "end": "2026-04-15T12:58Z"}
    assert of_post(typed)["age"] == pytest.approx(28 + 299 / 3600, abs=0.001)


def test_a_window_does_not_widen_the_edges(answered: Any) -> None:
    """Whoever names a wider window does not make the first hour of /28hr complete."""
    counts, _ = answered
    wide = over_time(counts, every="h", window=("2026-04-14T08:00Z", "2026-04-15T13:00Z"))
    assert not wide["complete"].iloc[[0, -1]].any()


@pytest.mark.parametrize("attrs", [{"start": "2026-03-02T00:00Z", "end": "2026-03-02T00:00Z"}])
def test_edges_that_are_none(attrs: dict[str, str]) -> None:
    """An empty stretch is refused."""
    counts = tidy([("1", "impressions", "2026-03-01", 0, 1)])
    counts.attrs = attrs
    with pytest.raises(FrameError, match="which is empty"):
        over_time(counts)


def test_days_at_the_edges_of_a_window() -> None:
    """A window from noon to noon: both days are cut, and the ages end at noon."""
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


def answer(
    window: tuple[str, str], post: str, day: str, by: ep.Grouping = ep.BY_DAY
) -> ep.EngagementResponse:
    """Answer a question of one post and window, by day."""
    request = ep.historical(
        [post], engagement_types=["impressions"], window=ep.Window.covering(*window), by=by
    )
    cell: Any = "3" if by is ep.BY_DAY else HOURS
    body = {by.name: {post: {"impressions": {day: cell}}}}
    return ep.EngagementResponse(request, body, 200, pd.Timestamp("2026-03-09T00:00Z"))


def test_windows_that_differ_by_post() -> None:
    """By day, an edge that is not everybody's is not known; windows that meet are one."""
    one, other = id_at("2026-02-01T00:00:00"), id_at("2026-02-01T00:00:00", 1)
    morning, evening = ("2026-03-01", "2026-03-01T12:00Z"), ("2026-03-01T12:00Z", "2026-03-02")
    both = [answer(morning, one, "2026-03-01"), answer(evening, one, "2026-03-01")]
    counts = ep.flatten(both)
    assert counts["count"].to_list() == [6]
    assert counts.attrs["start"] == "2026-03-01T00:00:00+00:00"
    assert over_time(counts)["complete"].to_list() == [True]
    apart = ep.flatten([both[0], answer(evening, other, "2026-03-01")])
    assert "start" not in apart.attrs
    assert over_time(apart)["complete"].isna().all()


def test_a_body_names_its_edges() -> None:
    """``start`` and ``end`` of a body become attrs; without them nothing is known."""
    body: dict[str, Any] = {"g": {"1": {"impressions": {"2026-03-01": HOURS}}}}
    assert over_time(ep.flatten_json(body))["complete"].isna().all()
    named = ep.flatten_json(body | {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"})
    assert over_time(named)["complete"].to_list() == [True]
    # 29 hours may be the 28 of /28hr, rounded to whole ones.
    last = ep.flatten_json(body | {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T05:00:00Z"})
    assert "start" not in last.attrs


# Rows that are absent, and rows that stand twice.


def hourly(*posts: tuple[str, range], kinds: Any = ("impressions",), count: int = 10) -> Any:
    """Count posts in some hours of 1 March."""
    return tidy(
        [
            (post, kind, "2026-03-01", hour, count)
            for post, hours in posts
            for kind in kinds
            for hour in hours
        ]
    )


OLD, NEW = id_at("2026-02-01T00:00:00"), id_at("2026-03-01T14:20:00")
WHOLE = ("2026-03-01", "2026-03-02")


def test_a_post_begins_with_its_making() -> None:
    """Made at 14:20: its first day lacks nothing; an hour later it lacks one."""
    full = hourly((OLD, range(24)), (NEW, range(14, 24)))
    for by in (None, "post_id", "engagement_type", ["post_id", "engagement_type"]):
        assert over_time(full, by=by, window=WHOLE)["complete"].all(), by
    late = hourly((OLD, range(24)), (NEW, range(15, 24)))
    assert over_time(late, window=WHOLE)["complete"].to_list() == [False]
    by_post = over_time(late, by="post_id", window=WHOLE).set_index("post_id")["complete"]
    assert by_post.to_dict() == {OLD: True, NEW: False}
    zeros = hourly((OLD, range(24)), (NEW, range(24)), count=0)
    assert over_time(zeros, window=WHOLE)["complete"].all()


def test_a_post_without_rows() -> None:
    """In an hour, in a type, or at all: then ``posts`` name it."""
    full = hourly((OLD, range(24)), (NEW, range(14, 24)), kinds=("replies", "favorites"))
    hole = (full["post_id"] == OLD) & (full["hour"] == 7) & (full["engagement_type"] == "favorites")
    days = over_time(full[~hole], window=WHOLE).set_index("engagement_type")["complete"]
    assert days.to_dict() == {"replies": True, "favorites": False}
    assert over_time(full[~hole], by="post_id", window=WHOLE)["complete"].to_list() == [False, True]
    gone = full[(full["post_id"] != OLD) | (full["engagement_type"] != "favorites")]
    days = over_time(gone, window=WHOLE).set_index("engagement_type")["complete"]
    assert days.to_dict() == {"replies": True, "favorites": False}
    alone = full[full["post_id"] == NEW]
    assert over_time(alone, window=WHOLE)["complete"].all()
    for posts in ([OLD, NEW], pd.DataFrame({"post_id": [OLD, NEW]})):
        assert not over_time(alone, window=WHOLE, posts=posts)["complete"].any()
    kinds = {"numerator": "favorites", "denominator": "replies"}
    assert rate_over_time(full, window=WHOLE, **kinds)["complete"].to_list() == [True]
    assert rate_over_time(gone, window=WHOLE, **kinds)["complete"].to_list() == [False]
    with pytest.raises(FrameError, match="posts lack"):
        over_time(alone, posts="123")


@pytest.mark.parametrize("metric", [over_time, rate_over_time])
@pytest.mark.parametrize("posts", [list, lambda links: pd.DataFrame({"post_id": links})])
def test_posts_are_named_by_links(metric: Any, posts: Any) -> None:
    """They mean the posts that they lead to: one without rows is missed, none is another one."""
    kinds = {"numerator": "favorites", "denominator": "replies"} if metric is rate_over_time else {}
    full = hourly((OLD, range(24)), (NEW, range(14, 24)), kinds=("replies", "favorites"))
    links = posts([f"https://x.com/a/status/{post}?s=20" for post in (OLD, NEW)])
    known = metric(full, by="post_id", window=WHOLE, posts=links, **kinds)
    assert known["post_id"].to_list() == [OLD, NEW]
    assert known["complete"].all()
    alone = full[full["post_id"] == NEW]
    assert not metric(alone, by=None, window=WHOLE, posts=links, **kinds)["complete"].any()


def test_against_a_plain_count() -> None:
    """Complete where every post has each hour since its making, counted in plain loops."""
    dice = np.random.default_rng(5)
    made = {id_at(f"2026-03-01T{hour:02d}:30:00", hour): hour for hour in (2, 9, 14, 20)}
    rows = [
        (post, "impressions", "2026-03-01", hour, pd.NA if dice.random() < 0.04 else 1)
        for post, born in made.items()
        for hour in range(24)
        if dice.random() > 0.08
    ]
    counts = tidy(rows)
    known = {(row[0], row[3]) for row in rows if not pd.isna(row[4])}
    found = over_time(counts, every="h", window=WHOLE)["complete"].to_list()
    expected = [
        all((post, hour) in known for post, born in made.items() if born <= hour)
        for hour in range(24)
    ]
    assert found == expected
    assert 0 < sum(expected) < 24


@pytest.mark.slow
def test_sums_state_what_they_lack() -> None:
    """Unknown counts and absent rows, post by post."""
    counts = hourly((OLD, range(24)), (NEW, range(14, 24)), kinds=("impressions", "engagements"))
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
