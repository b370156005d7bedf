"""Every metric, plot and writer of files refuses the same invalid rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
from metrics.test_all import METRICS, some

import engagement_pandas as ep
from engagement_pandas import FrameError, plots
from engagement_pandas.frame.contract import check_counts

MAX_INT64 = 2**63 - 1


def _plot(name: str) -> Callable[[pd.DataFrame], Any]:
    plot = getattr(plots, name)
    if name == "plot_compare":
        return lambda counts: plot(
            counts[counts["post_id"] < "2028"], counts[counts["post_id"] >= "2028"]
        )
    with_type = {"engagement_type": "impressions"}
    needs_type = name in ("plot_by_age", "plot_cumulative", "plot_half_life")
    return lambda counts: plot(counts, **(with_type if needs_type else {}))


FUNCTIONS: Final[dict[str, Callable[[pd.DataFrame], Any]]] = METRICS | {
    name: _plot(name)
    for name in plots.__all__
    if name.startswith("plot_") and name != "plot_growth"  # takes readings, which have no hours
}
INVALID: Final[dict[str, tuple[str, Callable[[pd.DataFrame], pd.DataFrame]]]] = {
    "twice": ("twice|several times", lambda c: pd.concat([c, c.iloc[[40]]])),
    "twice, neighbours": ("twice", lambda c: c.iloc[[0, 0, *range(1, len(c))]]),
    "hour 30": ("the hour 30", lambda c: c.assign(hour=c["hour"].where(c.index != 7, 30))),
    "hour -1": ("the hour -1", lambda c: c.assign(hour=c["hour"].where(c.index != 7, -1))),
    "a day at 05:00": (
        "not at midnight",
        lambda c: c.assign(day=c["day"] + pd.to_timedelta((c.index == 7) * 5, unit="h")),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("case", INVALID)
def test_impossible_rows_are_refused(function: str, case: str) -> None:
    """Each function raises an error with the value."""
    words, make = INVALID[case]
    counts = make(some()).astype({"hour": "int8", "day": "datetime64[us]"})
    with pytest.raises(FrameError, match=words):
        FUNCTIONS[function](counts)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["count", "campaign"])
@pytest.mark.parametrize(
    "function", [function for function in FUNCTIONS if function != "wide and tall"]
)
def test_duplicate_columns_are_refused_by_name(function: str, name: str) -> None:
    """Additional columns are refused too, except by ``wide``, which drops them."""
    counts = some().assign(campaign="a")
    with pytest.raises(FrameError, match=f"'{name}'.* twice"):
        FUNCTIONS[function](pd.concat([counts, counts[[name]]], axis=1))


FIRST_LISTS: Final = {"from the first row on": 0, "in a later row": 3}


@pytest.mark.parametrize("first", FIRST_LISTS.values(), ids=FIRST_LISTS)
def test_additional_columns_may_hold_lists(first: int) -> None:
    """They do not identify rows, also in a frame without posts."""
    tags = [None if row < first else ["a"] for row in range(len(some()))]
    counts = some()
    expected = ep.over_time(counts)
    pd.testing.assert_frame_equal(ep.over_time(counts.assign(tags=tags)), expected)
    of_one_post = counts[counts["post_id"] == counts["post_id"].iloc[0]].drop(columns="post_id")
    expected = ep.over_time(of_one_post)
    pd.testing.assert_frame_equal(
        ep.over_time(of_one_post.assign(tags=tags[: len(of_one_post)])), expected
    )


@pytest.mark.parametrize("first", FIRST_LISTS.values(), ids=FIRST_LISTS)
@pytest.mark.parametrize("metric", [ep.over_time, ep.running_total, ep.engagement_rate])
def test_columns_of_lists_are_no_keys(metric: Any, first: int) -> None:
    """The error names the column."""
    tags = [None if row < first else ["a"] for row in range(len(some()))]
    with pytest.raises(FrameError, match="'tags' holds lists"):
        metric(some().assign(tags=tags), by=["tags"])


SUMMING = ["over_time", "running_total", "summarise", "top_posts", "cumulative", "by_age",
        "engagement_rate", "best_times", "best_times by engagement", "rate_over_time",
        "plot_by_type"]  # fmt: skip


@pytest.mark.parametrize("function", SUMMING)
def test_sums_beyond_64_bits_are_refused(function: str) -> None:
    """They do not overflow."""
    counts = some()
    counts.loc[:, "count"] = MAX_INT64 // 3
    with pytest.raises(FrameError, match="64 bits"):
        FUNCTIONS[function](counts)


def test_sums_up_to_64_bits_are_exact() -> None:
    """The largest sum is correct to the last digit."""
    hours = {"05": str(2**62), "06": str(2**62 - 1)}
    body = {"g": {"2027900000000000000": {"impressions": {"2026-03-01": hours}}}}
    counts = ep.flatten_json(body)
    assert ep.over_time(counts)["count"].to_list() == [MAX_INT64]
    assert ep.running_total(counts, every="h")["count"].to_list() == [2**62, MAX_INT64]
    assert ep.summarise(counts)["impressions"].to_list() == [MAX_INT64]
    assert ep.cumulative(counts)["count"].to_list() == [2**62, MAX_INT64]


def test_sums_of_best_times_are_exact() -> None:
    """Beyond 2**53 a float64 would lose the last digit."""
    posts = {str(2027900000000000000 + n): 2**53 + 1 for n in range(3)}
    body = {"g": {p: {"impressions": str(n), "engagements": "7"} for p, n in posts.items()}}
    times = ep.best_times(ep.flatten_json(body))
    assert times["impressions"].sum() == 3 * (2**53 + 1)


def test_duplicates_are_found_in_any_order() -> None:
    """Shuffled rows are valid."""
    counts = some()
    order = np.random.default_rng(3).permutation(len(counts))
    check_counts(counts.iloc[order])
    with pytest.raises(FrameError, match="twice"):
        check_counts(counts.iloc[[*order, order[17]]])
