"""Twelve ordinary tasks, each solved as a pandas user tries first."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import matplotlib.pyplot as plt
import pandas as pd
import polars as pl
import pytest

import engagement_pandas as ep
from engagement_pandas.cli import main

pytestmark = pytest.mark.slow

NOW = "2026-04-15T12:20:00Z"
UNKNOWN = ["7", "8", "9"]
"""IDs of posts that do not exist."""


class Material(NamedTuple):
    """Six weeks of hourly counts, the posts, and the omissions."""

    counts: pd.DataFrame
    posts: pd.DataFrame
    omissions: pd.DataFrame
    response: ep.EngagementResponse


@pytest.fixture(scope="module")
def material() -> Material:
    """Fetch the material from the sandbox."""
    with ep.demo_client(now=NOW, posts=40) as demo:
        owned = demo.posts[demo.posts["handle"] == "sandbox_bakery"]
        recent = owned[owned["created_at"] >= "2026-03-15"]
        responses = demo.client.fetch(
            ep.historical(
                [*recent["post_id"], *UNKNOWN],
                engagement_types=["impressions", "engagements", "favorites"],
                window=ep.Window.covering("2026-03-01", "2026-04-15"),
            )
        )
    largest = max(responses, key=lambda response: len(response.content))
    return Material(ep.flatten(responses), recent, ep.omissions(responses), largest)


def total(counts: pd.DataFrame, engagement_type: str) -> int:
    """Return the sum of a type."""
    return int(counts.loc[counts["engagement_type"] == engagement_type, "count"].sum())


def test_a_week_by_day(material: Material) -> None:
    """A selection of rows is enough; its days have the sums of the rows."""
    week = material.counts[material.counts["day"] >= "2026-04-08"]
    days = ep.over_time(week, every="D")
    likes = days[days["engagement_type"] == "favorites"].set_index("start")["count"]
    rows = week[week["engagement_type"] == "favorites"]
    assert likes.to_list() == rows.groupby("day")["count"].sum().to_list()
    assert [f"{day:%a}" for day in likes.index] == ["Wed", "Thu", "Fri", "Sat", "Sun", "Mon", "Tue"]


def test_two_posts_on_the_users_grid(material: Material) -> None:
    """Each post is drawn in its own axes, below the user's own title."""
    figure, grid = plt.subplots(1, 2, sharey=True, layout="constrained")
    posts = material.posts["post_id"].head(2)
    for post, ax in zip(posts, grid, strict=True):
        counts = material.counts[material.counts["post_id"] == post]
        ep.plot_over_time(counts, by="engagement_type", every="D", ax=ax)
        ax.set_title("Our week")
        assert len(ax.lines) >= 3
    assert figure.axes == list(grid)
    plt.close(figure)


def test_pivot_and_correlate(material: Material) -> None:
    """The frame is an ordinary one, so pandas' own methods are enough."""
    sums = material.counts.pivot_table(
        index="post_id", columns="engagement_type", values="count", aggfunc="sum", observed=True
    )
    share = sums.astype(float).corr(method="spearman").loc["impressions", "favorites"]
    assert 0.5 < share <= 1
    wide = ep.wide(material.counts).groupby("post_id")["favorites"].sum()
    assert wide.to_dict() == sums["favorites"].to_dict()


def test_join_texts_and_dates(material: Material) -> None:
    """A merge by post_id loses no row and needs no cast."""
    joined = material.counts.merge(material.posts, on="post_id", how="left")
    assert len(joined) == len(material.counts)
    known = ~joined["post_id"].isin(UNKNOWN)
    assert joined.loc[known, ["text", "created_at"]].notna().all(axis=None)
    ranks = ep.top_posts(joined, by="favorites", n=5)
    pd.testing.assert_frame_equal(ranks, ep.top_posts(material.counts, by="favorites", n=5))


def test_parquet_for_duckdb_and_polars_and_a_workbook(material: Material, tmp_path: Path) -> None:
    """The sums and the IDs are the same in all formats."""
    path, book = tmp_path / "counts.parquet", tmp_path / "counts.xlsx"
    ep.write_parquet(material.counts, path)
    expected = total(material.counts, "impressions")
    sums = duckdb.sql(f"SELECT engagement_type, sum(count) FROM '{path}' GROUP BY 1").fetchall()  # noqa: S608
    assert dict(sums)["impressions"] == expected
    table = pl.read_parquet(path)
    chosen = table.filter(pl.col("engagement_type").cast(pl.String) == "impressions")
    assert chosen["count"].sum() == expected
    back = ep.counts_from(table)
    assert ep.over_time(back)["count"].sum() == ep.over_time(material.counts)["count"].sum()
    ep.write_excel(material.counts.head(50), book)
    assert set(pd.read_excel(book, dtype={"post_id": str})["post_id"]) <= set(back["post_id"])


def test_why_three_posts_are_missing(material: Material) -> None:
    """Each has a row with the reason in a column."""
    assert set(material.omissions["post_id"]) >= set(UNKNOWN)
    reasons = material.omissions[material.omissions["post_id"].isin(UNKNOWN)]["reason"]
    assert set(reasons.astype(str)) == {"unavailable"}
    assert not set(UNKNOWN) & set(material.counts.dropna(subset="count")["post_id"])


def test_by_weekday_in_another_time_zone(material: Material) -> None:
    """Counts by local weekday have pandas' names of the days; the sum is kept."""
    hours = ep.over_time(material.counts, every="h", tz="America/New_York", by="engagement_type")
    favorites = hours[hours["engagement_type"] == "favorites"]
    days = favorites.groupby(favorites["start"].dt.day_name())["count"].sum()
    assert len(days) == 7
    assert days.sum() == total(material.counts, "favorites")
    # Midnight UTC of Sunday, 2026-04-05 is still Saturday in New York.
    local = favorites.loc[favorites["start"] == pd.Timestamp("2026-04-05T00:00Z"), "start"]
    assert local.dt.day_name().to_list() == ["Saturday"]


def test_rate_by_account(material: Material) -> None:
    """The posts' column is enough; the rate is that of the sums."""
    rates = ep.engagement_rate(material.counts, by="handle", posts=material.posts)
    row = rates.set_index("handle").loc["sandbox_bakery"]
    sums = [
        total(material.counts, engagement_type)
        for engagement_type in ("engagements", "impressions")
    ]
    assert row["rate"] == pytest.approx(sums[0] / sums[1], rel=0.01)
    assert row["low"] < row["rate"] < row["high"]


def test_a_weekly_report(material: Material, tmp_path: Path) -> None:
    """The page has the total of the week, and links to the posts."""
    page = tmp_path / "week.html"
    ep.report(material.counts, material.posts, page, title="Our week", period="7d")
    text = page.read_text(encoding="utf-8")
    week = material.counts[material.counts["day"] >= "2026-04-08"]
    assert ">Our week</h1>" in text
    assert f"{total(week, 'favorites'):,}" in text
    assert "https://x.com/i/" in text


def test_a_saved_response_from_a_file(material: Material, tmp_path: Path) -> None:
    """The response is saved unchanged, and read by its path."""
    (tmp_path / "answer.json").write_bytes(material.response.content)
    saved = ep.flatten_json(tmp_path / "answer.json")
    assert total(saved, "favorites") == total(ep.flatten(material.response), "favorites") > 0


def test_two_campaigns(material: Material) -> None:
    """A column with two values selects the posts to compare."""
    posts = material.posts
    campaign_of = {True: "easter", False: "spring"}
    campaigns = posts.assign(campaign=[campaign_of[row % 2 == 0] for row in range(len(posts))])
    arguments: dict[str, Any] = {"by": "campaign", "of": "favorites", "posts": campaigns, "at": 24}
    result = ep.compare(material.counts, draws=199, **arguments).iloc[0]
    assert {result["group"], result["against"]} == {"spring", "easter"}
    counted = material.counts.dropna(subset="count")["post_id"].nunique()
    assert result[["n_a", "n_b", "left_out_a", "left_out_b"]].sum() == counted
    ax = ep.plot_compare(material.counts, draws=199, **arguments)
    texts = " ".join(label.get_text() for label in ax.get_yticklabels())
    assert "spring" in texts
    assert "easter" in texts
    plt.close(ax.figure)


def test_a_nightly_job_with_its_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The log of the runs can be read afterwards."""
    with ep.demo_client(now=NOW) as demo:
        dataset = ep.Dataset(tmp_path / "engagement.ds")
        arguments: dict[str, Any] = {"engagement_types": ["replies"], "since": "2026-04-14"}
        ep.sync(demo.client, dataset, demo.posts[:3], **arguments)
    main(["runs", str(tmp_path / "engagement.ds")])
    printed = capsys.readouterr().out
    assert len(dataset.read())
    assert f"{len(dataset.read()):,}" in printed
