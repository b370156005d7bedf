"""Every metric, plot and file refuses the same rows, at its door."""

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

MOST = 2**63 - 1


def _plot(name: str) -> Callable[[pd.DataFrame], Any]:
    plot = getattr(plots, name)
    if name == "plot_compare":
        return lambda counts: plot(
            counts[counts["post_id"] < "2028"], counts[counts["post_id"] >= "2028"]
        )
    typed = {"engagement_type": "impressions"}
    needs = name in ("plot_by_age", "plot_cumulative", "plot_half_life")
    return lambda counts: plot(counts, **(typed if needs else {}))


DOORS: Final[dict[str, Callable[[pd.DataFrame], Any]]] = METRICS | {
    name: _plot(name)
    for name in plots.__all__
    if name.startswith("plot_") and name != "plot_growth"  # takes readings, which have no hours
}
ODD: Final[dict[str, tuple[str, Callable[[pd.DataFrame], pd.DataFrame]]]] = {
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
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("odd", ODD)
def test_rows_that_cannot_be(door: str, odd: str) -> None:
    """Refused with the value, by each of them."""
    words, make = ODD[odd]
    counts = make(some()).astype({"hour": "int8", "day": "datetime64[us]"})
    with pytest.raises(FrameError, match=words):
        DOORS[door](counts)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["count", "campaign"])
@pytest.mark.parametrize("door", [door for door in DOORS if door != "wide and tall"])
def test_columns_of_one_name(door: str, name: str) -> None:
    """Refused by name, also where it is a further column, which ``wide`` has none of."""
    counts = some().assign(campaign="a")
    with pytest.raises(FrameError, match=f"'{name}'.* twice"):
        DOORS[door](pd.concat([counts, counts[[name]]], axis=1))


LISTS: Final = {"from the first row on": 0, "in a later row": 3}


@pytest.mark.parametrize("first", LISTS.values(), ids=LISTS)
def test_further_columns_of_lists(first: int) -> None:
    """They are let through, also where there is no post: nothing is told apart by them."""
    tags = [None if row < first else ["a"] for row in range(len(some()))]
    counts = some()
    wanted = ep.over_time(counts)
    pd.testing.assert_frame_equal(ep.over_time(counts.assign(tags=tags)), wanted)
    one = counts[counts["post_id"] == counts["post_id"].iloc[0]].drop(columns="post_id")
    wanted = ep.over_time(one)
    pd.testing.assert_frame_equal(ep.over_time(one.assign(tags=tags[: len(one)])), wanted)


@pytest.mark.parametrize("first", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("metric", [ep.over_time, ep.running_total, ep.engagement_rate])
def test_nothing_is_summed_by_lists(metric: Any, first: int) -> None:
    """Refused by name."""
    tags = [None if row < first else ["a"] for row in range(len(some()))]
    with pytest.raises(FrameError, match="'tags' holds lists"):
        metric(some().assign(tags=tags), by=["tags"])


SUMS = ["over_time", "running_total", "summarise", "top_posts", "cumulative", "by_age",
        "engagement_rate", "best_times", "best_times by engagement", "rate_over_time",
        "plot_by_type"]  # fmt: skip


@pytest.mark.parametrize("door", SUMS)
def test_sums_beyond_64_bits(door: str) -> None:
    """They do not begin again from the other end."""
    counts = some()
    counts.loc[:, "count"] = MOST // 3
    with pytest.raises(FrameError, match="64 bits"):
        DOORS[door](counts)


def test_sums_up_to_64_bits() -> None:
    """Just as much as fits is right, to the last digit."""
    hours = {"05": str(2**62), "06": str(2**62 - 1)}
    body = {"g": {"2027900000000000000": {"impressions": {"2026-03-01": hours}}}}
    counts = ep.flatten_json(body)
    assert ep.over_time(counts)["count"].to_list() == [MOST]
    assert ep.running_total(counts, every="h")["count"].to_list() == [2**62, MOST]
    assert ep.summarise(counts)["impressions"].to_list() == [MOST]
    assert ep.cumulative(counts)["count"].to_list() == [2**62, MOST]


def test_best_times_are_exact() -> None:
    """Beyond 2**53 a float64 has lost the last digit."""
    posts = {str(2027900000000000000 + n): 2**53 + 1 for n in range(3)}
    body = {"g": {p: {"impressions": str(n), "engagements": "7"} for p, n in posts.items()}}
    times = ep.best_times(ep.flatten_json(body))
    assert times["impressions"].sum() == 3 * (2**53 + 1)


def test_rows_in_any_order() -> None:
    """Shuffled rows are the same counts; one of them twice is found all the same."""
    counts = some()
    order = np.random.default_rng(3).permutation(len(counts))
    check_counts(counts.iloc[order])
    with pytest.raises(FrameError, match="twice"):
        check_counts(counts.iloc[[*order, order[17]]])
