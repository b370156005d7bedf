"""Rules for every plot: it is drawn without a warning, changes nothing, leaves nothing open.

Warnings are errors here, so a missing glyph, a collapsed layout or a slow legend fails.
"""

from __future__ import annotations

import inspect
import io
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from engagement_pandas import metrics, plots
from engagement_pandas.errors import FrameError
from engagement_pandas.plots import (
    plot_best_times,
    plot_breakouts,
    plot_by_age,
    plot_by_type,
    plot_compare,
    plot_concentration,
    plot_cumulative,
    plot_forecast,
    plot_funnel,
    plot_growth,
    plot_half_life,
    plot_over_time,
    plot_rate_by_age,
    plot_rate_over_time,
    plot_running_total,
    plot_top_posts,
    plot_type_correlation,
    plot_versus_previous,
    post_colours,
)

Draw = Callable[..., Any]


def compare_halves(counts: pd.DataFrame, **arguments: Any) -> Any:
    """Compare the older half of the posts with the younger one."""
    ids = sorted(counts["post_id"].unique())
    older = counts["post_id"].isin(ids[: len(ids) // 2])
    return plot_compare(counts[older], counts[~older], draws=99, **arguments)


def growth_by_day(counts: pd.DataFrame, **arguments: Any) -> Any:
    """Draw the growth of the totals of posts from day to day."""
    days = counts.groupby(["post_id", "engagement_type", "day"], observed=True)["count"]
    rows = days.sum(min_count=1).reset_index()
    rows["count"] = rows.groupby(["post_id", "engagement_type"], observed=True)["count"].cumsum()
    rows["retrieved_at"] = rows.pop("day").dt.tz_localize("UTC")
    rows.attrs = {}  # they are those of a window
    return plot_growth(rows, **IMPRESSIONS, **arguments)


IMPRESSIONS: dict[str, Any] = {"engagement_type": "impressions"}
PLOTS: dict[str, Draw] = {
    "over_time": plot_over_time,
    "over_time_posts": lambda c, **w: plot_over_time(c, by="post_id", **IMPRESSIONS, **w),
    "over_time_days": lambda c, **w: plot_over_time(c, every="D", tz="Asia/Kathmandu", **w),
    "running_total": plot_running_total,
    "running_total_posts": lambda c, **w: plot_running_total(c, by="post_id", **IMPRESSIONS, **w),
    "rate_over_time": plot_rate_over_time,
    "rate_over_time_types": lambda c, **w: plot_rate_over_time(c, by="engagement_type", **w),
    "rate_over_time_posts": lambda c, **w: plot_rate_over_time(c, by="post_id", every="D", **w),
    "by_age": lambda c, **w: plot_by_age(c, **IMPRESSIONS, **w),
    "by_age_days": lambda c, **w: plot_by_age(c, every="D", **IMPRESSIONS, **w),
    "rate_by_age": plot_rate_by_age,
    "rate_by_age_days": lambda c, **w: plot_rate_by_age(c, every="D", **w),
    "cumulative": lambda c, **w: plot_cumulative(c, **IMPRESSIONS, **w),
    "by_type": plot_by_type,
    "top_posts": plot_top_posts,
    "top_posts_25": lambda c, **w: plot_top_posts(c, n=25, by="impressions", **w),
    "top_posts_rate": lambda c, **w: plot_top_posts(c, by="rate", **w),
    "best_times": lambda c, **w: plot_best_times(c, draws=100, **w),
    "best_times_engagement": lambda c, **w: plot_best_times(c, clock="engagement", draws=100, **w),
    "compare": compare_halves,
    "half_life": plot_half_life,
    "breakouts": lambda c, **w: plot_breakouts(c, **IMPRESSIONS, **w),
    "concentration": plot_concentration,
    "forecast": lambda c, **w: plot_forecast(c, **IMPRESSIONS, **w),
    "funnel": lambda c, **w: plot_funnel(c, steps=["impressions", "engagements"], **w),
    "growth": growth_by_day,
    "type_correlation": plot_type_correlation,
    "versus_previous": lambda c, **w: plot_versus_previous(c, days=3, **w),
}
NAMED = (
    "over_time_posts",
    "running_total_posts",
    "rate_over_time_posts",
    "by_age",
    "rate_by_age",
    "cumulative",
    "top_posts",
    "top_posts_25",
    "top_posts_rate",
)
NEED_MORE = {
    "best_times": "no 'engagements', only ['impressions']",
    "best_times_engagement": "no 'engagements', only ['impressions']",
    "funnel": "no ['engagements']",
    "top_posts": "no 'engagements', only ['impressions']",
    "top_posts_rate": "no 'engagements', only ['impressions']",
    "versus_previous": "a comparison needs 6",
}
"""The error for one point, of plots that need more."""

UNLABELLED = (
    "breakouts",
    "concentration",
    "forecast",
    "funnel",
    "growth",
    "type_correlation",
    "versus_previous",
)
"""Plots that have no axis labels if there is nothing to show."""

# A function's other entries are drawn in CI only.
MARKS = {name: () if hasattr(plots, f"plot_{name}") else pytest.mark.long for name in PLOTS}
each_plot = pytest.mark.parametrize(
    "draw", [pytest.param(draw, marks=MARKS[name], id=name) for name, draw in PLOTS.items()]
)
each_name = pytest.mark.parametrize("name", [pytest.param(n, marks=MARKS[n]) for n in PLOTS])


def texts_in(ax: Any) -> list[str]:
    """Return the texts inside the chart."""
    return [text.get_text() for text in ax.texts]


@pytest.mark.slow
@each_plot
@pytest.mark.parametrize(
    "size", [(4, 2.5), pytest.param((8, 4.5), marks=pytest.mark.long)], ids=str
)
def test_a_plot_is_drawn_without_a_warning(
    demo: tuple[pd.DataFrame, pd.DataFrame], draw: Draw, size: tuple[float, float]
) -> None:
    """It has 25 posts at one or both sizes, a dark style, and is stored as SVG too."""
    with plt.style.context("dark_background"):
        figure = Figure(figsize=size, layout="constrained")
        draw(demo[0], ax=figure.subplots())
        figure.savefig(io.BytesIO(), format="svg")
        figure.savefig(io.BytesIO(), format="png", dpi=50)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("layout", ["constrained", "tight", None])
def test_texts_of_posts_are_drawn(
    demo: tuple[pd.DataFrame, pd.DataFrame], name: str, layout: Any
) -> None:
    """They have dollar signs, tags, emoji and right-to-left script, in any layout."""
    counts, posts = demo
    figure = Figure(figsize=(8, 4.5), layout=layout)
    PLOTS[name](counts, posts=posts, ax=figure.subplots())
    figure.savefig(io.BytesIO(), format="svg")


@pytest.mark.slow
@each_name
@pytest.mark.parametrize(
    "change",
    [
        lambda counts: counts.iloc[:0],
        lambda counts: counts.assign(count=pd.array([pd.NA] * len(counts), dtype="Int64")),
    ],
    ids=["empty", "unknown"],
)
def test_no_counts_have_a_message(
    demo: tuple[pd.DataFrame, pd.DataFrame], name: str, change: Any
) -> None:
    """The frame is empty, or has <NA> only."""
    counts = change(demo[0])
    if name == "versus_previous" and not len(counts):
        with pytest.raises(FrameError, match=NEED_MORE[name]):
            PLOTS[name](counts)
        return
    ax = PLOTS[name](counts)
    assert len(texts_in(ax)) == 1
    assert texts_in(ax)[0].startswith("no ")
    assert not ax.axison
    assert name in UNLABELLED or ax.get_xlabel() != ""
    ax.figure.draw_without_rendering()


@pytest.mark.slow
@each_name
def test_one_point_is_drawn(demo: tuple[pd.DataFrame, pd.DataFrame], name: str) -> None:
    """Plots that need more have an error."""
    counts = demo[0]
    with_counts = counts[counts["count"] > 0].drop_duplicates("engagement_type")
    hour = with_counts[with_counts["post_id"] == with_counts["post_id"].iloc[0]].iloc[:1]
    if name in NEED_MORE:
        with pytest.raises(FrameError, match=re.escape(NEED_MORE[name])):
            PLOTS[name](hour)
        return
    ax = PLOTS[name](hour)
    ax.figure.draw_without_rendering()
    low, high = ax.get_ylim()
    assert low != high


@pytest.mark.long
@each_plot
def test_a_plot_changes_nothing(demo: tuple[pd.DataFrame, pd.DataFrame], draw: Draw) -> None:
    """The frame, its attrs and matplotlib's settings stay."""
    counts = demo[0]
    before, attrs, settings = counts.copy(deep=True), dict(counts.attrs), dict(plt.rcParams)
    draw(counts)
    pd.testing.assert_frame_equal(counts, before)
    assert counts.attrs == attrs
    assert dict(plt.rcParams) == settings


@pytest.mark.long
@each_plot
def test_a_plot_on_given_axes_opens_no_figure(
    demo: tuple[pd.DataFrame, pd.DataFrame], draw: Draw
) -> None:
    """The Axes may be in a part of a figure."""
    figure = Figure(figsize=(12, 5), layout="constrained")
    _, part = figure.subfigures(1, 2)
    ax = part.subplots()
    assert draw(demo[0], ax=ax) is ax
    figure.draw_without_rendering()
    assert plt.get_fignums() == []


@pytest.mark.slow
@each_plot
@pytest.mark.parametrize(
    "freq", ["D", *(pytest.param(freq, marks=pytest.mark.long) for freq in ("h", "W", "MS"))]
)
def test_axes_with_periods_of_pandas_are_refused(
    demo: tuple[pd.DataFrame, pd.DataFrame], draw: Draw, freq: str
) -> None:
    """Pandas counts hours, days or months from 1970: the error has the cure."""
    ax = Figure().subplots()
    visits = pd.Series(range(9), index=pd.date_range("2026-04-08", periods=9, freq=freq))
    visits.plot(ax=ax)
    with pytest.raises(FrameError, match=r"in periods of .*x_compat=True"):
        draw(demo[0].head(200), ax=ax)
    assert len(ax.lines) == 1


@pytest.mark.slow
@pytest.mark.parametrize("freq", ["h", "D"])
def test_axes_with_dates_of_pandas_are_accepted(
    demo: tuple[pd.DataFrame, pd.DataFrame], freq: str
) -> None:
    """With ``x_compat``, both lines have the same time axis."""
    ax = Figure().subplots()
    times = pd.date_range("2026-04-08", periods=8, freq=freq)
    pd.Series(range(8), index=times).plot(ax=ax, x_compat=True)
    plot_over_time(demo[0], every="D", ax=ax)
    pandas_line, *our_lines = ax.lines
    assert pandas_line.get_xydata()[0, 0] == our_lines[0].get_xydata()[0, 0] == date2num(times[0])
    ax.figure.draw_without_rendering()
    low, high = ax.get_xlim()
    assert low < date2num(times[0]) < date2num(times[-1]) < high


@pytest.mark.slow
@each_plot
def test_a_plot_without_axes_opens_one_figure(
    demo: tuple[pd.DataFrame, pd.DataFrame], draw: Draw
) -> None:
    """A notebook shows it."""
    ax = draw(demo[0])
    assert len(plt.get_fignums()) == 1
    assert ax.figure is plt.gcf()


@pytest.mark.slow
def test_a_post_has_one_colour_in_all_plots(demo: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Three plots are compared."""
    counts, posts = demo
    colours = post_colours(counts, posts=posts)
    grown = plot_cumulative(counts, posts=posts, **IMPRESSIONS)
    series = plot_over_time(counts, by="post_id", posts=posts, **IMPRESSIONS)
    best = [line.get_gid() for line in series.lines if line.get_gid() in colours]
    bars = plot_top_posts(counts, by="impressions", posts=posts, highlight=best)
    checked = 0
    pictures: Any = ((grown, grown.lines), (series, series.lines), (bars, bars.patches))
    for ax, artists in pictures:
        for artist in artists:
            if artist.get_gid() in best:
                colour = artist.get_color() if ax is not bars else artist.get_facecolor()
                assert to_hex(colour).upper() == colours[artist.get_gid()]
                checked += 1
    assert checked == 7 + 7 + 7


def test_black_lines_are_white_on_a_dark_background(hourly: Any) -> None:
    """Seven posts have black among their colours."""
    counts = hourly(*[(str(n), "impressions", "2026-03-01", 5, n) for n in range(1, 8)])
    with plt.style.context("dark_background"):
        colours = {to_hex(line.get_color()) for line in plot_over_time(counts, by="post_id").lines}
    assert "#ffffff" in colours
    assert "#000000" not in colours


@pytest.mark.slow
def test_texts_are_not_parsed_as_mathematics(
    demo: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    """A name may have two dollar signs; usetex is off, too."""
    counts, posts = demo
    with_dollars = posts.assign(text=[f"$x^{i} $_{i}" for i in range(len(posts))])
    for name in NAMED:
        ax = PLOTS[name](counts, posts=with_dollars)
        legend = ax.get_legend()
        texts = [*ax.get_yticklabels(), *(legend.get_texts() if legend else [])]
        with_dollar = [text for text in texts if "$" in text.get_text()]
        assert with_dollar
        assert not any(text.get_parse_math() or text.get_usetex() for text in with_dollar)


@pytest.mark.slow
def test_the_import_loads_no_heavy_modules() -> None:
    """Matplotlib and requests are imported when they are needed."""
    code = "import sys, engagement_pandas.plots; print({'matplotlib', 'requests'} & {*sys.modules})"
    command = [sys.executable, "-c", code]
    process = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own command
    assert process.stdout.strip() == "set()"


def test_defaults_are_those_of_the_metric() -> None:
    """A default of None leaves the choice to the plot."""
    compared = 0
    for name in plots.__all__:
        metric = getattr(metrics, name.removeprefix("plot_"), None)
        if not name.startswith("plot_") or metric is None:
            continue
        parameters = inspect.signature(metric).parameters
        for parameter, own in inspect.signature(getattr(plots, name)).parameters.items():
            if parameter in parameters and own.default is not None:
                assert own.default == parameters[parameter].default, (name, parameter)
                compared += 1
    assert compared > 40


def test_public_names_are_sorted_and_complete() -> None:
    """Every plot_… of every module is exported."""
    assert list(plots.__all__) == sorted(plots.__all__)
    assert {name for name in vars(plots) if name.startswith("plot_")} == {
        name for name in plots.__all__ if name.startswith("plot_")
    }
