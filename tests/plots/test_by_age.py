"""Plots of counts and rates by age, tested by their artists."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

import engagement_pandas as ep
from engagement_pandas import plots
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.plots import post_colours

plot_by_age: Any = plots.plot_by_age
plot_rate_by_age: Any = plots.plot_rate_by_age
"""Typed as Any, since matplotlib's annotations lack methods of artists."""

CREATED = "2026-03-01T10:30:00"


def of_gid(artists: Any, gid: str) -> Any:
    """Return the only artist with this gid."""
    (artist_,) = [artist for artist in artists if artist.get_gid() == gid]
    return artist_


def both(life: Any, below: list[Any], above: list[Any], serial: int = 0) -> pd.DataFrame:
    """Return a post's impressions and engagements."""
    parts = [life(CREATED, below, serial), life(CREATED, above, serial, "engagements")]
    types = pd.CategoricalDtype(pd.Index(["impressions", "engagements"], dtype=TEXT))
    return pd.concat([part.astype({"engagement_type": types}) for part in parts])


def concatenated(*frames: pd.DataFrame) -> pd.DataFrame:
    """Concatenate counts of several posts."""
    return pd.concat(frames, ignore_index=True)


def test_points_are_at_the_ends_of_hours(life: Any) -> None:
    """Created at 10:30: the first hour ends at 30 minutes; an unlike is below 0."""
    ax = plot_by_age(life(CREATED, [5, 7, -2]))
    assert ax.lines[0].get_xdata().tolist() == [0.5, 1.5, 2.5]
    assert ax.lines[0].get_ydata().tolist() == [5, 7, -2]
    assert ax.get_ylim()[0] < -2


@pytest.mark.slow
def test_labels_have_units(life: Any) -> None:
    """Counts are per hour or per day; an age has no time zone."""
    counts = life(CREATED, [5, 7], engagement_type="favorites")
    ax = plot_by_age(counts)
    assert (ax.get_ylabel(), ax.get_xlabel()) == (
        "favorites per hour", "hours since the post was made",
    )  # fmt: skip
    assert plot_by_age(counts, every="D").get_ylabel() == "favorites per day"
    days = counts.drop(columns="hour").iloc[:1]
    assert plot_by_age(days).get_ylabel() == "favorites per day"
    ax = plot_rate_by_age(both(life, [50], [5]))
    assert (ax.get_ylabel(), ax.get_xlabel()) == (
        "hourly engagements over impressions", "hours since the post was made",
    )  # fmt: skip


@pytest.mark.slow
def test_lines_are_those_of_the_metrics(demo: Any, ys: Any) -> None:
    """Each line is that of its post."""
    counts, _ = demo
    drawn = ys(plot_by_age(counts, engagement_type="impressions", every="D"))
    table = ep.by_age(counts, every="D")
    table = table[(table["engagement_type"] == "impressions") & (table["age"] <= 168)]
    rates = ys(plot_rate_by_age(counts, every="D", minimum=0))
    rated = ep.rate_by_age(counts, every="D")
    rated = rated[rated["age"] <= 168]
    assert len(drawn) == len(rates) == 7
    for lines, metric, column in ((drawn, table, "count"), (rates, rated, "rate")):
        for post, line in lines.items():
            own = metric.loc[metric["post_id"] == post, column]
            expected = own.to_numpy(dtype="float64", na_value=np.nan)
            assert np.array_equal(line, expected, equal_nan=True)


def test_missing_hours_are_gaps(life: Any) -> None:
    """A single hour between gaps has a dot."""
    ax = plot_by_age(life(CREATED, [5, 7, 2, pd.NA, 1]).drop(index=1))
    assert np.isnan(ax.lines[0].get_ydata()).tolist() == [False, True, False, True, False]
    assert ax.lines[0].get_marker() == "o"


@pytest.mark.slow
def test_the_largest_seven_posts_have_colours(life: Any, legend: Any) -> None:
    """The other 18 have one grey line each."""
    counts = concatenated(*(life(CREATED, [n, n], serial=n) for n in range(1, 26)))
    ax = plot_by_age(counts)
    assert [line.get_ydata().tolist() for line in ax.lines] == [[n, n] for n in range(25, 18, -1)]
    rest = of_gid(ax.collections, "others")
    assert sorted(path.vertices[-1, 1] for path in rest.get_paths()) == list(range(1, 19))
    assert "18 others" in legend(ax)
    colours = {line.get_gid(): to_hex(line.get_color()).upper() for line in ax.lines}
    all_colours = post_colours(counts)
    assert colours == {post: all_colours[post] for post in colours}


@pytest.mark.slow
def test_the_chart_ends_at_until(life: Any) -> None:
    """The counts until then decide which posts are the largest."""
    late = life(CREATED, [1, 1, 900], serial=1)
    counts = concatenated(late, *(life(CREATED, [2, 2, 2], serial=n) for n in range(2, 10)))
    ax = plot_by_age(counts, until=2)
    assert max(ax.lines[0].get_xdata()) == 1.5
    assert ax.get_xlim()[1] < 2
    assert late["post_id"].iloc[0] not in {line.get_gid() for line in ax.lines}
    assert plot_by_age(counts).lines[0].get_gid() == late["post_id"].iloc[0]
    steady, decreasing = life(CREATED, [3, 3], serial=1), life(CREATED, [5, 0], serial=2)
    first = plot_by_age(concatenated(steady, decreasing)).lines[0]
    assert first.get_gid() == steady["post_id"].iloc[0]


def test_a_partial_day_is_marked(life: Any, legend: Any) -> None:
    """The third day has not ended; the first two are complete."""
    ax = plot_by_age(life(CREATED, [1] * 60), every="D")
    assert ax.lines[0].get_ydata().tolist() == [25, 24, 11]
    marks = of_gid(ax.collections, "partial")
    assert marks.get_offsets().tolist() == [[59.5, 11]]
    assert legend(ax)[-1] == "partial day"


def test_the_legend_has_names_of_posts(life: Any, legend: Any) -> None:
    """The gid is the ID."""
    counts = concatenated(both(life, [50], [5], 1), both(life, [80], [4], 2))
    ids = sorted(counts["post_id"].unique())
    posts = pd.DataFrame({"post_id": ids, "text": ["Doors are open", "Two for $5"]})
    (date,) = {f"{made.day} {made:%b}" for made in map(ep.created_at, ids) if made}
    by_size = [f"Two for $5 ({date})", f"Doors are open ({date})"]
    ax = plot_by_age(counts, engagement_type="impressions", posts=posts)
    assert legend(ax) == by_size
    ax = plot_rate_by_age(counts, posts=posts)
    assert legend(ax) == by_size
    assert [line.get_gid() for line in ax.lines] == ids[::-1]
    assert [line.get_ydata().tolist() for line in ax.lines] == [[0.05], [0.1]]


def test_a_single_post_has_an_interval(life: Any, legend: Any) -> None:
    """It is the metric's; several posts have none."""
    counts = both(life, [50, 200], [5, 10])
    ax = plot_rate_by_age(counts, confidence=0.9)
    band = of_gid(ax.collections, "interval")
    table = ep.rate_by_age(counts, confidence=0.9)
    assert set(band.get_paths()[0].vertices[:, 1]) == set(table["low"]) | set(table["high"])
    assert legend(ax)[-1] == "90 % interval"
    two = plot_rate_by_age(concatenated(counts, both(life, [80], [4], 2)))
    assert list(two.collections) == []


@pytest.mark.slow
def test_the_axis_limits_a_wide_interval(life: Any) -> None:
    """It shows up to four times the highest rate."""
    counts = both(life, [50, 50], [2, 1])
    high = ep.rate_by_age(counts)["high"].max()
    assert high < 4 * 0.04
    assert plot_rate_by_age(counts).get_ylim() == pytest.approx((0, 1.05 * high))
    few = both(life, [10, 40], [0, 1])
    assert ep.rate_by_age(few)["high"].max() > 4 * 0.025
    assert plot_rate_by_age(few).get_ylim() == pytest.approx((0, 1.05 * 4 * 0.025))


@pytest.mark.slow
def test_posts_with_most_impressions_have_colours(life: Any, legend: Any) -> None:
    """Their rates have no effect on it; the others are grey."""
    counts = concatenated(
        *(both(life, [10_000 * n] * 2, [100 * (26 - n), 50], n) for n in range(1, 26))
    )
    ax = plot_rate_by_age(counts)
    assert [line.get_ydata()[0] for line in ax.lines] == [
        (26 - n) / (100 * n) for n in range(25, 18, -1)
    ]
    rest = of_gid(ax.collections, "others")
    assert len(rest.get_paths()) == 18
    assert ax.get_ylim()[1] < 0.05
    beyond = of_gid(ax.collections, "beyond")
    exceeding = [n for n in range(1, 19) if (26 - n) / (100 * n) > ax.get_ylim()[1]]
    assert (beyond.get_offsets()[:, 0] == 0.5).sum() == len(exceeding)
    assert legend(ax)[-2:] == ["18 others", "beyond the axis"]


@pytest.mark.slow
def test_few_impressions_are_a_gap(life: Any, legend: Any) -> None:
    """The axis ends with the last point."""
    ax = plot_rate_by_age(both(life, [500, 40, 3, 2], [10, 2, 3, 0]))
    assert np.isnan(ax.lines[0].get_ydata()).tolist() == [False, False, True, True]
    assert ax.get_xlim()[1] < 2
    assert legend(ax)[-1] == "gaps: < 10 impressions"


@pytest.mark.parametrize("plot", [plot_by_age, plot_rate_by_age])
def test_ids_without_a_time_have_a_message(rows: pd.DataFrame, plot: Any) -> None:
    """Posts before November 2010 have no age."""
    arguments = (
        {"engagement_type": "impressions"} if plot is plot_by_age else {"numerator": "favorites"}
    )
    ax = plot(rows, **arguments)
    assert [text.get_text() for text in ax.texts] == [
        "these IDs do not tell when the posts were made"
    ]


def test_keywords_apply_to_coloured_lines(life: Any) -> None:
    """They are matplotlib's."""
    counts = both(life, [50, 60], [5, 6])
    for ax in (
        plot_by_age(counts, engagement_type="engagements", lw=5),
        plot_rate_by_age(counts, lw=5),
    ):
        assert {line.get_linewidth() for line in ax.lines} == {5}


@pytest.mark.parametrize(
    ("plot", "arguments", "message"),
    [
        (plot_by_age, {}, "name one as engagement_type"),
        (plot_by_age, {"engagement_type": "impressions", "until": 0}, "until is 0"),
        (plot_by_age, {"engagement_type": "impressions", "every": "W"}, "every is 'W'"),
        (plot_rate_by_age, {"until": "week"}, "until is 'week'"),
        (plot_rate_by_age, {"every": "W"}, "every is 'W'"),
        (plot_rate_by_age, {"numerator": "impressions"}, "name two"),
        (plot_rate_by_age, {"minimum": 1.5}, "minimum is 1.5"),
        (plot_rate_by_age, {"posts": ["1"]}, "posts must be a DataFrame"),
    ],
)
def test_invalid_arguments_are_refused_without_a_figure(
    life: Any, plot: Any, arguments: dict[str, Any], message: str
) -> None:
    """For example several types, and invalid ages and buckets."""
    with pytest.raises(ep.FrameError, match=message):
        plot(both(life, [50, 60], [5, 6]), **arguments)
    assert plt.get_fignums() == []
