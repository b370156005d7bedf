"""Rules that every metric follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
from support.simulated import HOUR_MS, MARCH, ONE_SNAPSHOT, hourly

from engagement_pandas import FrameError, metrics
from engagement_pandas.frame.contract import dtype_name, empty_counts

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
    rng = np.random.default_rng(1)
    created = MARCH - 12 * HOUR_MS + rng.integers(0, 24 * HOUR_MS, 14)
    counts = hourly(created, {"impressions": 500, "engagements": 30}, rng, hours=40)
    counts.attrs = {"retrieved_at": "2026-04-01T00:00:00+00:00", "endpoint": "historical"}
    return counts


@pytest.mark.slow
@pytest.mark.parametrize("name", METRICS)
def test_the_input_is_never_changed(name: str) -> None:
    """The counts and their attrs stay, and no column of the result is a view of them."""
    counts = some()
    result = METRICS[name](counts)
    pd.testing.assert_frame_equal(counts, some())
    assert counts.attrs == some().attrs
    for column in result if isinstance(result, pd.DataFrame) else ():
        result[column] = result[column].iloc[::-1].to_numpy()
    pd.testing.assert_frame_equal(counts, some())


@pytest.mark.slow
@pytest.mark.parametrize("name", METRICS)
def test_an_empty_frame_gives_an_empty_result(name: str) -> None:
    """It has the same columns and dtypes as any other result."""
    empty, full = METRICS[name](empty_counts(ONE_SNAPSHOT)), METRICS[name](some())
    if isinstance(full, pd.Series):
        assert empty.dtype == full.dtype
        return
    absent = {"half_life", "percentile", "percentile_age", "n", "why_not"}
    missing = {"impressions", "engagements", *absent}
    assert set(full.columns) - set(empty.columns) <= missing
    for column in empty.columns:
        assert dtype_name(empty[column].dtype) == dtype_name(full[column].dtype), column


@pytest.mark.slow
@pytest.mark.parametrize("name", METRICS)
def test_a_frame_without_counts_is_refused(name: str) -> None:
    """The FrameError names the column."""
    counts = some()
    for invalid, words in (
        (counts.drop(columns="engagement_type"), "engagement_type"),
        (counts.assign(count="many"), "count"),
    ):
        with pytest.raises(FrameError, match=words):
            METRICS[name](invalid)


@pytest.mark.slow
@pytest.mark.parametrize("name", METRICS)
def test_missing_counts_give_missing_results(name: str) -> None:
    """A frame with <NA> counts only gives no number."""
    counts = some()
    counts["count"] = pd.array([pd.NA] * len(counts), dtype="Int64")
    result = METRICS[name](counts)
    if isinstance(result, pd.DataFrame):
        exempt = {
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
        for column in result.select_dtypes("number").columns.difference(exempt):
            assert not result[column].fillna(0).any(), column


@pytest.mark.slow
@pytest.mark.parametrize("name", METRICS)
def test_the_index_has_no_effect(name: str) -> None:
    """Labels of rows have no meaning; a slice of counts is valid."""
    counts = some()
    relabelled = counts.set_axis(np.arange(len(counts)) % 7)
    if name == "wide and tall":
        return
    expected, found = METRICS[name](counts), METRICS[name](relabelled)
    if isinstance(found, pd.Series):
        found, expected = found.reset_index(drop=True), expected.reset_index(drop=True)
        pd.testing.assert_series_equal(found, expected)
    else:
        pd.testing.assert_frame_equal(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize("column", ["post_id", "engagement_type", "day"])
@pytest.mark.parametrize("name", METRICS)
def test_missing_keys_are_refused(name: str, column: str) -> None:
    """A count without a post, type or day is not assigned to another."""
    if name == "compare" and column == "post_id":
        return  # this metric divides posts by their ID
    counts = some()
    counts.loc[3, column] = pd.NaT if column == "day" else None
    with pytest.raises(FrameError, match="missing in row 3"):
        METRICS[name](counts)


def test_numpy_numbers_are_accepted() -> None:
    """Numbers taken from a frame are valid arguments."""
    counts = some()
    top = metrics.top_posts(
        counts, n=np.int64(3), minimum=np.int32(5), by="rate", shrinkage=np.float64(9)
    )
    assert len(top) == 3
    assert "t50" in metrics.half_life(counts, shares=np.array([0.5]))
    assert len(metrics.standing(counts, at=np.int64(6))) == 28


def test_public_names_are_sorted_and_documented() -> None:
    """Each docstring has an example, and the list is complete."""
    assert metrics.__all__ == sorted(metrics.__all__)
    for name in metrics.__all__:
        assert ">>> " in (getattr(metrics, name).__doc__ or ""), name
    assert set(metrics.__all__) == {
        name for name, value in vars(metrics).items() if callable(value)
    }
