"""What holds for every metric."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
from support.simulated import HOUR_MS, MARCH, ONE_SNAPSHOT, hourly

from engagement_pandas import FrameError, metrics
from engagement_pandas.frame.contract import empty_counts

METRICS: Final[dict[str, Callable[[pd.DataFrame], Any]]] = {
    "age": metrics.age,
    "benchmark": metrics.benchmark,
    "best_times": metrics.best_times,
    "best_times by engagement": lambda counts: metrics.best_times(counts, clock="engagement"),
    "breakouts": metrics.breakouts,
    "by_age": metrics.by_age,
    "by_age by day": lambda counts: metrics.by_age(counts, every="D"),
    "compare": lambda counts: metrics.compare(
        counts[counts["post_id"] < "2028"], counts[counts["post_id"] >= "2028"]
    ),
    "cumulative": metrics.cumulative,
    "engagement_rate": metrics.engagement_rate,
    "engagement_rate of all": lambda counts: metrics.engagement_rate(counts, by=None),
    "funnel": lambda counts: metrics.funnel(counts, steps=["impressions", "engagements"]),
    "half_life": metrics.half_life,
    "over_time": metrics.over_time,
    "over_time by post": lambda counts: metrics.over_time(
        counts, every="W", by=["post_id", "engagement_type"], tz="Asia/Tokyo"
    ),
    "rate_by_age": metrics.rate_by_age,
    "rate_over_time": metrics.rate_over_time,
    "rate_over_time by post": lambda counts: metrics.rate_over_time(counts, by="post_id"),
    "running_total": metrics.running_total,
    "standing": metrics.standing,
    "summarise": metrics.summarise,
    "top_posts": metrics.top_posts,
    "top_posts by rate": lambda counts: metrics.top_posts(counts, by="rate"),
    "type_correlation": metrics.type_correlation,
    "wide and tall": lambda counts: metrics.tall(metrics.wide(counts)),
}


def some() -> pd.DataFrame:
    """Simulate 14 posts with attrs."""
    dice = np.random.default_rng(1)
    made = MARCH - 12 * HOUR_MS + dice.integers(0, 24 * HOUR_MS, 14)
    counts = hourly(made, {"impressions": 500, "engagements": 30}, dice, hours=40)
    counts.attrs = {"retrieved_at": "2026-04-01T00:00:00+00:00", "endpoint": "historical"}
    return counts


@pytest.mark.slow
@pytest.mark.parametrize("name", METRICS)
def test_nothing_is_changed(name: str) -> None:
    """Neither the counts nor their attrs; and no part of the answer is a view of them."""
    counts = some()
    answer = METRICS[name](counts)
    pd.testing.assert_frame_equal(counts, some())
    assert counts.attrs == some().attrs
    for column in answer if isinstance(answer, pd.DataFrame) else ():
        answer[column] = answer[column].iloc[::-1].to_numpy()
    pd.testing.assert_frame_equal(counts, some())


@pytest.mark.slow
@pytest.mark.parametrize("name", METRICS)
def test_an_empty_frame(name: str) -> None:
    """No counts, no failure: an answer with the same columns and dtypes as any other."""
    empty, full = METRICS[name](empty_counts(ONE_SNAPSHOT)), METRICS[name](some())
    if isinstance(full, pd.Series):
        assert empty.dtype == full.dtype
        return
    absent = {"half_life", "percentile", "percentile_age", "n", "why_not"}
    missing = {"impressions", "engagements", *absent}
    assert set(full.columns) - set(empty.columns) <= missing
    for column in empty.columns:
        assert str(empty[column].dtype) == str(full[column].dtype), column


@pytest.mark.slow
@pytest.mark.parametrize("name", METRICS)
def test_what_is_no_frame_of_counts(name: str) -> None:
    """Refused as a FrameError, with the column."""
    counts = some()
    for odd, words in (
        (counts.drop(columns="engagement_type"), "engagement_type"),
        (counts.assign(count="many"), "count"),
    ):
        with pytest.raises(FrameError, match=words):
            METRICS[name](odd)


@pytest.mark.slow
@pytest.mark.parametrize("name", METRICS)
def test_unknown_counts_alone(name: str) -> None:
    """A frame of nothing but <NA>: no number is made up."""
    counts = some()
    counts["count"] = pd.array([pd.NA] * len(counts), dtype="Int64")
    answer = METRICS[name](counts)
    if isinstance(answer, pd.DataFrame):
        made_up = {
            "missing",
            "age",
            "n",
            "n_a",
            "n_b",
            "at",
            "percentile_age",
            "hour",
            "left_out_a",
            "left_out_b",
        }
        for column in answer.select_dtypes("number").columns.difference(made_up):
            assert not answer[column].fillna(0).any(), column


@pytest.mark.slow
@pytest.mark.parametrize("name", METRICS)
def test_any_index(name: str) -> None:
    """The rows' labels mean nothing; a slice of counts is still counts."""
    counts = some()
    odd = counts.set_axis(np.arange(len(counts)) % 7)
    if name == "wide and tall":
        return
    expected, found = METRICS[name](counts), METRICS[name](odd)
    if isinstance(found, pd.Series):
        found, expected = found.reset_index(drop=True), expected.reset_index(drop=True)
        pd.testing.assert_series_equal(found, expected)
    else:
        pd.testing.assert_frame_equal(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize("column", ["post_id", "engagement_type", "day"])
@pytest.mark.parametrize("name", METRICS)
def test_keys_with_holes(name: str, column: str) -> None:
    """A count of nobody, of nothing or of no day is refused, and not given to another."""
    if name == "compare" and column == "post_id":
        return  # the two sides are taken by it
    counts = some()
    counts.loc[3, column] = pd.NaT if column == "day" else None
    with pytest.raises(FrameError, match="missing in row 3"):
        METRICS[name](counts)


def test_numbers_of_numpy() -> None:
    """Numbers that come out of a frame will do where numbers are asked for."""
    counts = some()
    top = metrics.top_posts(
        counts, n=np.int64(3), minimum=np.int32(5), by="rate", shrinkage=np.float64(9)
    )
    assert len(top) == 3
    assert "t50" in metrics.half_life(counts, shares=np.array([0.5]))
    assert len(metrics.standing(counts, at=np.int64(6))) == 28


def test_the_names() -> None:
    """Sorted, complete, and each with a docstring that has an example."""
    assert metrics.__all__ == sorted(metrics.__all__)
    for name in metrics.__all__:
        assert ">>> " in (getattr(metrics, name).__doc__ or ""), name
    assert set(metrics.__all__) == {
        name for name, value in vars(metrics).items() if callable(value)
    }
