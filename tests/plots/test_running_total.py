"""Artists, not pixels: what the lines, labels and circles of running totals say."""

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
"""Its artists can do more than matplotlib's annotations know."""


def test_sums_so_far(rows: pd.DataFrame, ys: Any) -> None:
    """11, then 20 more, a gap where there is no hour, then 5 more."""
    drawn = ys(plot_running_total(rows))
    assert list(drawn) == ["impressions", "favorites"]
    assert drawn["impressions"][:2] == [11, 31]
    assert np.isnan(drawn["impressions"][2])
    assert drawn["impressions"][3] == 36
    assert drawn["favorites"][0] == 3
    assert np.isnan(drawn["favorites"][1:]).all()


def test_as_the_metric_says(demo: Any, ys: Any) -> None:
    """Each type's line is that of the metric, in any zone."""
    words: dict[str, Any] = {"every": "D", "tz": "America/New_York"}
    drawn = ys(plot_running_total(demo[0], **words))
    table = ep.running_total(demo[0], **words)
    assert list(drawn) == ["impressions", "engagements", "favorites"]
    for kind, part in table.groupby("engagement_type", observed=True):
        assert drawn[kind] == part["count"].to_list()


@pytest.mark.slow
def test_labels(rows: pd.DataFrame) -> None:
    """What is added up, by which buckets, in which time zone."""
    ax = plot_running_total(rows)
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("cumulative counts, hour by hour", "time (UTC)")
    ax = plot_running_total(
        rows, by="post_id", engagement_type="impressions", every="D", tz="Europe/Berlin"
    )
    assert ax.get_ylabel() == "cumulative impressions, day by day"
    assert ax.get_xlabel() == "time (Europe/Berlin)"


def test_partial_days_are_marked_where_they_are(hourly: Any, legend: Any) -> None:
    """Half a day at the beginning and one at the end; the days between are not in doubt."""
    start = pd.Timestamp("2026-03-01T12:00")
    hours = [start + pd.Timedelta(hours=n) for n in range(72)]
    counts = hourly(*(("1", "impressions", f"{at:%F}", at.hour, 1) for at in hours))
    ax = plot_running_total(counts, every="D")
    assert ax.lines[0].get_ydata().tolist() == [12, 36, 60, 72]
    (marks,) = [each for each in ax.collections if each.get_gid() == "partial"]
    at = [(dates.num2date(x).day, y) for x, y in marks.get_offsets()]
    assert at == [(1, 12), (4, 72)]
    assert legend(ax) == ["impressions", "partial day"]


def test_more_posts_than_colours(hourly: Any, ys: Any, legend: Any) -> None:
    """Seven lines and a grey one, the running sum of the 18 smallest."""
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


def test_line_keywords(rows: pd.DataFrame) -> None:
    """Passed on."""
    assert {line.get_linewidth() for line in plot_running_total(rows, lw=5).lines} == {5}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({"by": "post_id"}, "name one as engagement_type"),
        ({"by": "hour"}, "by is 'hour'"),
        ({"every": "H"}, "every is 'H'"),
        ({"posts": ["1"]}, "posts must be a DataFrame"),
    ],
)
def test_refused(rows: pd.DataFrame, words: dict[str, Any], complaint: str) -> None:
    """As plot_over_time; and no figure is left."""
    with pytest.raises(ep.FrameError, match=complaint):
        plot_running_total(rows, **words)
    assert plt.get_fignums() == []
