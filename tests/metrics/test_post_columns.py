"""Columns of a frame of posts as keys, in every metric and plot that takes ``by``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import polars as pl
import pytest

import engagement_pandas as ep
from engagement_pandas import FrameError
from engagement_pandas.frame.contract import TEXT

POSTS = pd.DataFrame({
    "post_id": ["1", "2", "3"],
    "kind": ["reply", "post", "reply"],
    "handle": ["bakery", "bakery", "florist"],
    "year": [2025, 2026, 2026],
}).astype(dict.fromkeys(["post_id", "kind", "handle"], TEXT))  # fmt: skip


@pytest.fixture
def counts() -> pd.DataFrame:
    """Return three posts by day: impressions 10, 20, 30 and engagements 1, 2, 3."""
    return ep.flatten_json({"g": {
        str(n): {"impressions": {"2026-03-01": str(10 * n)}, "engagements": {"2026-03-01": str(n)}}
        for n in (1, 2, 3)
    }})  # fmt: skip


def impressions(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the impressions only, which may be summed."""
    return counts[counts["engagement_type"] == "impressions"]


METRICS: dict[str, Callable[..., pd.DataFrame]] = {
    "over_time": lambda counts, **arguments: ep.over_time(impressions(counts), **arguments),
    "running_total": lambda counts, **arguments: ep.running_total(impressions(counts), **arguments),
    "rate_over_time": ep.rate_over_time,
    "engagement_rate": ep.engagement_rate,
}


@pytest.mark.slow
@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_a_column_of_posts_is_a_key(
    metric: Callable[..., pd.DataFrame], counts: pd.DataFrame
) -> None:
    """The table is the same for a merged column."""
    merged = counts.merge(POSTS)
    merged.attrs = counts.attrs
    for by in ("kind", ["handle", "kind"], "year"):
        pd.testing.assert_frame_equal(metric(counts, by=by, posts=POSTS), metric(merged, by=by))


def test_sums_match_a_calculation_by_hand(counts: pd.DataFrame) -> None:
    """Replies are posts 1 and 3."""
    table = ep.over_time(impressions(counts), by="kind", posts=POSTS)
    assert dict(zip(table["kind"], table["count"], strict=True)) == {"post": 20, "reply": 40}


def test_columns_of_the_counts_have_precedence(counts: pd.DataFrame) -> None:
    """A column of both frames is taken from the counts."""
    counts = counts.assign(kind="mine")
    assert ep.engagement_rate(counts, by="kind", posts=POSTS)["kind"].to_list() == ["mine"]


def test_posts_without_a_row_have_no_value(counts: pd.DataFrame) -> None:
    """They are not dropped, and integers stay integers."""
    table = ep.engagement_rate(counts, by="year", posts=POSTS.iloc[1:])
    assert table["year"].to_list() == [2026, pd.NA]
    assert table["impressions"].to_list() == [50, 10]


def test_links_and_numbers_are_ids(counts: pd.DataFrame) -> None:
    """Post IDs may have any notation, as in all frames of posts."""
    links = POSTS.assign(post_id=[f"https://x.com/a/status/{n}" for n in "123"])
    for posts in (links, POSTS.astype({"post_id": "int64"})):
        assert ep.engagement_rate(counts, by="kind", posts=posts)["impressions"].sum() == 60


@pytest.mark.parametrize(
    ("posts", "arguments"),
    [
        (POSTS.drop(columns="post_id"), "posts have no post_id"),
        (pd.concat([POSTS, POSTS.assign(kind="quote")]), "post 1 has two values of 'kind'"),
        (POSTS.assign(post_id=["1", "2", None]), "'post_id' of posts is missing in a row"),
        (POSTS.assign(kind=[["a"]] * 3), "'kind' of posts holds lists"),
        (POSTS.drop(columns="kind"), "by is 'kind'; name columns of the counts"),
        (None, "or of posts=…"),
    ],
)
def test_unsuitable_posts_are_refused(posts: Any, arguments: str, counts: pd.DataFrame) -> None:
    """The message names the frame and the post."""
    with pytest.raises(FrameError, match=arguments):
        ep.engagement_rate(counts, by="kind", posts=posts)


def test_counts_without_posts_are_refused(counts: pd.DataFrame) -> None:
    """They have no ID to look up."""
    summed = counts.groupby(["engagement_type", "day"], observed=True)["count"].sum().reset_index()
    with pytest.raises(FrameError, match="the counts have no post_id"):
        ep.engagement_rate(summed, by="kind", posts=POSTS)


@pytest.mark.slow
def test_comparisons_use_columns_of_posts(counts: pd.DataFrame) -> None:
    """Replies have 10 and 30 impressions, the post 20."""
    result = ep.compare(counts, by="kind", of="impressions", at=None, statistic="mean", posts=POSTS)
    assert result[["group", "against", "a", "b"]].to_numpy().tolist() == [["post", "reply", 20, 20]]
    ax = ep.plot_compare(counts, by="kind", of="impressions", at=None, posts=POSTS)
    rows = [label.get_text().split("\n")[0] for label in ax.get_yticklabels()]
    assert rows == ["post", "reply", "difference"]


@pytest.mark.parametrize(
    "plot", [ep.plot_over_time, ep.plot_running_total], ids=lambda p: p.__name__
)
def test_plots_have_a_line_for_each_value(plot: Callable[..., Any], counts: pd.DataFrame) -> None:
    """Each handle has a line, rather than each post."""
    ax = plot(counts, by="handle", engagement_type="impressions", posts=POSTS)
    assert {line.get_gid(): line.get_ydata().tolist() for line in ax.lines} == {
        "bakery": [30.0],
        "florist": [30.0],
    }


def test_rates_have_a_line_for_each_value(counts: pd.DataFrame) -> None:
    """Both values have rates of 10 %."""
    ax = ep.plot_rate_over_time(counts, by="kind", posts=POSTS)
    assert {line.get_gid(): line.get_ydata().tolist() for line in ax.lines} == {
        "post": [0.1],
        "reply": [0.1],
    }


@pytest.mark.slow
@pytest.mark.parametrize("metric", [ep.engagement_rate, ep.over_time, ep.rate_over_time])
def test_keys_may_be_an_iterator(metric: Any) -> None:
    """It is read once, and looked up like a list."""
    hours = {"2026-03-01": {"07": "5"}}
    types = {"impressions": hours, "engagements": hours}
    edges = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}
    counts = ep.flatten_json({**edges, "g": {"7": types, "8": types}})
    posts = pd.DataFrame({"post_id": ["7", "8"], "kind": ["post", "reply"]})
    names = ["kind", "engagement_type"] if metric is ep.over_time else ["kind"]
    expected = metric(counts, by=names, posts=posts)
    pd.testing.assert_frame_equal(metric(counts, by=iter(names), posts=posts), expected)


@pytest.mark.parametrize("by", [["kind"], iter(["kind"])])
def test_a_comparison_has_one_column(by: Any) -> None:
    """Lists are refused, also those with one column."""
    counts = ep.flatten_json({"g": {"7": {"impressions": "5"}}})
    with pytest.raises(ep.FrameError, match="name a column with a value for each post"):
        ep.compare(counts.assign(kind="reply"), by=by)


@pytest.mark.slow
@pytest.mark.parametrize("name", METRICS)
def test_posts_may_be_a_table_of_another_library(name: str, counts: pd.DataFrame) -> None:
    """The same rows come out."""
    expected = METRICS[name](counts, by="kind", posts=POSTS)
    result = METRICS[name](counts, by="kind", posts=pl.from_pandas(POSTS))
    pd.testing.assert_frame_equal(result, expected)
    labelled = ep.summarise(counts, posts=pl.from_pandas(POSTS[["post_id", "handle"]]))
    assert labelled["handle"].to_list() == ["bakery", "bakery", "florist"]


def test_a_repeated_column_of_posts_is_refused(counts: pd.DataFrame) -> None:
    """It is one of posts, not of the counts."""
    with pytest.raises(FrameError, match="each once"):
        ep.engagement_rate(counts, by=["kind", "kind"], posts=POSTS)


def test_a_column_that_posts_have_twice_is_refused(counts: pd.DataFrame) -> None:
    """As after a concatenation by columns; by each function in the same words."""
    posts = pd.concat([POSTS, POSTS[["handle"]]], axis="columns")
    for metric in (*METRICS.values(), ep.plot_top_posts, ep.compare):
        with pytest.raises(FrameError, match=r"posts have the columns \['handle'\] twice; drop"):
            metric(counts, by="handle", posts=posts)
