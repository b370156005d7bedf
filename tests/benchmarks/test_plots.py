"""Time of plots and redraws, compared with the same chart written by hand.

The chart by hand uses a groupby or pivot of pandas, its own ``plot``, and ``savefig``. Both are
timed on the same 285,600 counts (25 posts, 17 types, 28 days by hour) in one run::

    python -m pytest tests/benchmarks/test_plots.py -o addopts= --benchmark-only

In brackets after each time, pytest-benchmark prints its ratio to the fastest of the group. A
plot is drawn and written as SVG; a redraw is an explorer's, from the change of a control to the
last part of its page.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.explorers.selection import DRAWINGS
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.vocabulary.engagement_types import SERIES_TYPES

POSTS: Final = 25
DAYS: Final = 28
HEIGHT: Final = 4.2

Draw = Callable[[pd.DataFrame, Any], Any]


@pytest.fixture(scope="module")
def counts() -> pd.DataFrame:
    """Make the counts once; those of each post decrease from its first hour on."""
    begin = 1_772_323_200_000  # 2026-03-01
    ids = [str(((begin + 60_000 * n - 1_288_834_974_657) << 22) + n) for n in range(POSTS)]
    types = [str(engagement_type) for engagement_type in SERIES_TYPES]
    days = pd.date_range("2026-03-01", periods=DAYS, unit="us")
    keys = [ids, types, days, range(24)]
    names = ["post_id", "engagement_type", "day", "hour"]
    frame = pd.MultiIndex.from_product(keys, names=names).to_frame(index=False)
    frame["post_id"] = frame["post_id"].astype(TEXT)
    frame["engagement_type"] = pd.Categorical(frame["engagement_type"], types)
    frame["hour"] = frame["hour"].astype("int8")
    expected = np.tile(1000 * 0.99 ** np.arange(DAYS * 24), POSTS * len(types))
    frame["count"] = pd.array(np.random.default_rng(20260301).poisson(expected), dtype="Int64")
    return frame


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def by_hour(counts: pd.DataFrame) -> pd.DataFrame:
    """Sum by hour, with a column per type."""
    start = counts["day"] + pd.to_timedelta(counts["hour"].astype("int64"), unit="h")
    sums = counts.groupby([start, "engagement_type"], observed=True)["count"].sum()
    return sums.unstack().astype("float64")  # noqa: PD010  as a user would write it


def hours_by_hand(counts: pd.DataFrame, ax: Any) -> None:
    """Draw a line per type."""
    by_hour(counts).plot(ax=ax)


def running_by_hand(counts: pd.DataFrame, ax: Any) -> None:
    """Draw cumulative sums, with a line per type."""
    by_hour(counts).cumsum().plot(ax=ax)


def top_by_hand(counts: pd.DataFrame, ax: Any) -> None:
    """Sum by post, and draw the ten best as bars."""
    impressions = counts[counts["engagement_type"] == "impressions"]
    sums = impressions.groupby("post_id")["count"].sum().nlargest(10)
    sums[::-1].astype("float64").plot.barh(ax=ax)


def types_by_hand(counts: pd.DataFrame, ax: Any) -> None:
    """Sum by type, and draw bars."""
    sums = counts.groupby("engagement_type", observed=True)["count"].sum()
    sums.sort_values().astype("float64").plot.barh(ax=ax)


def ages_by_hand(counts: pd.DataFrame, ax: Any) -> None:
    """Draw cumulative impressions by age, with a line per post."""
    impressions = counts[counts["engagement_type"] == "impressions"]
    ids = impressions["post_id"].astype("int64").to_numpy()
    created = pd.to_datetime((ids >> 22) + 1_288_834_974_657, unit="ms")
    start = impressions["day"] + pd.to_timedelta(impressions["hour"].astype("int64"), unit="h")
    age = (start - created).dt.total_seconds() / 3600
    for _, rows in impressions.assign(age=age).groupby("post_id"):
        ax.plot(rows["age"], rows["count"].astype("float64").cumsum())


PAIRS: Final[dict[str, tuple[Draw, Draw]]] = {
    "over time": (lambda counts, ax: ep.plot_over_time(counts, ax=ax), hours_by_hand),
    "running total": (lambda counts, ax: ep.plot_running_total(counts, ax=ax), running_by_hand),
    "top posts": (lambda counts, ax: ep.plot_top_posts(counts, ax=ax), top_by_hand),
    "by type": (lambda counts, ax: ep.plot_by_type(counts, ax=ax), types_by_hand),
    "cumulative by age": (
        lambda counts, ax: ep.plot_cumulative(
            counts[counts["engagement_type"] == "impressions"], ax=ax
        ),
        ages_by_hand,
    ),
}
"""The package's function, and the code by hand."""


def picture(counts: pd.DataFrame, draw: Draw, layout: str = "constrained") -> bytes:
    """Draw on a figure of pyplot, and write it as SVG."""
    figure, ax = plt.subplots(figsize=(8, HEIGHT), layout=layout)
    draw(counts, ax)
    file = io.BytesIO()
    figure.savefig(file, format="svg")
    plt.close(figure)
    return file.getvalue()


@pytest.mark.parametrize("way", ["ours", "by hand"])
@pytest.mark.parametrize("name", PAIRS)
def test_the_time_of_a_plot(benchmark: Any, counts: pd.DataFrame, name: str, way: str) -> None:
    """It is measured from counts to SVG."""
    benchmark.group = f"plot: {name}"
    draw = PAIRS[name][0 if way == "ours" else 1]
    svg = benchmark.pedantic(picture, args=(counts, draw), rounds=7, warmup_rounds=1)
    assert b"</svg>" in svg


def explorer_of(counts: pd.DataFrame, view: Sequence[str]) -> Any:
    """Return an explorer in one of its views, with all counts if it has a line per type."""
    explorer = ep.EngagementExplorer(counts)
    for name, value in zip(("clock", "measure", "lines"), view, strict=True):
        explorer.controls[name].value = value
    if view[-1] == "engagement_type":
        explorer.controls["types"].value = explorer.controls["types"].options
        assert len(explorer.selection) == len(counts)
    return explorer


def least(work: Callable[[], Any], rounds: int) -> float:
    """Return the least CPU time of several calls, in seconds."""
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return min(times)


@pytest.fixture(scope="module")
def seconds_by_hand(counts: pd.DataFrame) -> float:
    """Measure the chart by hand: 17 lines by hour."""
    return least(lambda: picture(counts, hours_by_hand, "tight"), rounds=4)


@pytest.mark.parametrize("view", DRAWINGS, ids=" ".join)
def test_a_redraw_is_faster_than_the_chart_by_hand(
    counts: pd.DataFrame, seconds_by_hand: float, view: Sequence[str]
) -> None:
    """The bound is in CPU time, and wide; rates have an interval in each bucket."""
    explorer = explorer_of(counts, view)
    ratio = least(explorer.redraw, rounds=6) / seconds_by_hand
    explorer.close()
    assert ratio < {"post_id": 0.3, "engagement_type": 0.38}[view[-1]] + 0.25 * ("rate" in view)


@pytest.mark.parametrize("view", DRAWINGS, ids=" ".join)
def test_the_time_of_a_redraw(benchmark: Any, counts: pd.DataFrame, view: Sequence[str]) -> None:
    """An explorer updates its chart, table, status and code, in each of its views.

    Lines by type are of all 17 types, and so of all counts. The first view of all is that by age
    with cumulative counts.
    """
    benchmark.group = "redraw"
    explorer = explorer_of(counts, view)
    benchmark.pedantic(explorer.redraw, rounds=15, warmup_rounds=2)
    assert explorer.alert.html == ""
    explorer.close()


def test_the_time_of_a_redraw_by_hand(benchmark: Any, counts: pd.DataFrame) -> None:
    """The reference is the chart only, as in a callback of ``interact``."""
    benchmark.group = "redraw"
    benchmark.pedantic(picture, args=(counts, hours_by_hand, "tight"), rounds=15, warmup_rounds=2)
