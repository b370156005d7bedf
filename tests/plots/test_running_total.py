"""Plots of running totals, tested by their artists."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib import dates

import engagement_pandas as ep
from engagement_pandas import plots

plot_running_total: Any = plots.plot_running_total
"""Typed as Any, since matplotlib's annotations lack methods of artists."""


def test_points_are_running_sums(rows: pd.DataFrame, ys: Any) -> None:
    """11, then 20 more, a gap, then 5 more."""
    drawn = ys(plot_running_total(rows))
    assert list(drawn) == ["impressions", "favorites"]
    assert drawn["impressions"][:2] == [11, 31]
    assert np.isnan(drawn["impressions"][2])
    assert drawn["impressions"][3] == 36
    assert drawn["favorites"][0] == 3
    assert np.isnan(drawn["favorites"][1:]).all()


def test_lines_are_those_of_the_metric(demo: Any, ys: Any) -> None:
    """Each type has its line, in any zone."""
    arguments: dict[str, Any] = {"every": "D", "tz": "America/New_York"}
    drawn = ys(plot_running_total(demo[0], **arguments))
    table = ep.running_total(demo[0], **arguments)
    assert list(drawn) == ["impressions", "engagements", "favorites"]
    for engagement_type, part in table.groupby("engagement_type", observed=True):
        assert drawn[engagement_type] == part["count"].to_list()


@pytest.mark.slow
def test_labels_have_units(rows: pd.DataFrame) -> None:
    """They have the bucket and the time zone."""
    ax = plot_running_total(rows)
    assert (ax.get_ylabel(), ax.get_xlabel()) == (
        "cumulative counts, hour by hour, log scale",
        "time (UTC)",
    )
    ax = plot_running_total(
        rows, by="post_id", engagement_type="impressions", every="D", tz="Europe/Berlin"
    )
    assert ax.get_ylabel() == "cumulative impressions, day by day"
    assert ax.get_xlabel() == "time (Europe/Berlin)"


def test_partial_days_are_marked(hourly: Any, legend: Any) -> None:
    """The first and last day are half; the days between have no mark."""
    start = pd.Timestamp("2026-03-01T12:00")
    hours = [start + pd.Timedelta(hours=n) for n in range(72)]
    counts = hourly(*(("1", "impressions", f"{at:%F}", at.hour, 1) for at in hours))
    ax = plot_running_total(counts, every="D")
    assert ax.lines[0].get_ydata().tolist() == [12, 36, 60, 72]
    (marks,) = [collection for collection in ax.collections if collection.get_gid() == "partial"]
    at = [(dates.num2date(x).day, y) for x, y in marks.get_offsets()]
    assert at == [(1, 12), (4, 72)]
    assert legend(ax) == ["impressions", "partial day"]


def test_the_smallest_posts_are_summed_in_a_grey_line(hourly: Any, ys: Any, legend: Any) -> None:
    """Seven posts have lines, and the other 18 one."""
    counts = hourly(
        *[(str(n), "impressions", "2026-03-01", hour, n) for n in range(1, 26) for hour in (5, 6)]
    )
    ax = plot_running_total(counts, by="post_id")
    drawn = ys(ax)
    assert list(drawn) == ["25", "24", "23", "22", "21", "20", "19", "18 others"]
    assert drawn["25"] == [25, 50]
    assert drawn["18 others"] == [171, 342]
    assert ax.lines[-1].get_color() == "#8C8C8C"
    assert legend(ax)[-1] == "18 others (sum)"


def test_keywords_apply_to_lines(rows: pd.DataFrame) -> None:
    """They are matplotlib's."""
    assert {line.get_linewidth() for line in plot_running_total(rows, lw=5).lines} == {5}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"by": "post_id"}, "name one as engagement_type"),
        ({"by": "hour"}, "by is 'hour'"),
        ({"every": "H"}, "every is 'H'"),
        ({"posts": ["1"]}, "posts must be a DataFrame"),
    ],
)
def test_invalid_arguments_are_refused_without_a_figure(
    rows: pd.DataFrame, arguments: dict[str, Any], message: str
) -> None:
    """The errors are those of plot_over_time."""
    with pytest.raises(ep.FrameError, match=message):
        plot_running_total(rows, **arguments)
    assert plt.get_fignums() == []
