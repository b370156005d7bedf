"""What every picture keeps to: drawn without a warning, nothing changed, nothing left open.

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


def halves(counts: pd.DataFrame, **words: Any) -> Any:
    """Compare the older half of the posts with the younger one."""
    ids = sorted(counts["post_id"].unique())
    older = counts["post_id"].isin(ids[: len(ids) // 2])
    return plot_compare(counts[older], counts[~older], draws=99, **words)


def gained(counts: pd.DataFrame, **words: Any) -> Any:
    """Draw what the totals of posts gained from day to day."""
    days = counts.groupby(["post_id", "engagement_type", "day"], observed=True)["count"]
    rows = days.sum(min_count=1).reset_index()
    rows["count"] = rows.groupby(["post_id", "engagement_type"], observed=True)["count"].cumsum()
    rows["retrieved_at"] = rows.pop("day").dt.tz_localize("UTC")
    rows.attrs = {}  # those of a window
    return plot_growth(rows, **IMPRESSIONS, **words)


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
    "compare": halves,
    "half_life": plot_half_life,
    "breakouts": lambda c, **w: plot_breakouts(c, **IMPRESSIONS, **w),
    "concentration": plot_concentration,
    "forecast": lambda c, **w: plot_forecast(c, **IMPRESSIONS, **w),
    "funnel": lambda c, **w: plot_funnel(c, steps=["impressions", "engagements"], **w),
    "growth": gained,
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
NEED_MORE = {"funnel": "no ['engagements']", "versus_previous": "a comparison needs 6"}
"""What is said of one point, by plots that need more."""

UNLABELLED = (
    "breakouts",
    "concentration",
    "forecast",
    "funnel",
    "growth",
    "type_correlation",
    "versus_previous",
)
"""Without labels of the axes where there is nothing to show."""

every_plot = pytest.mark.parametrize("draw", PLOTS.values(), ids=PLOTS.keys())
every_name = pytest.mark.parametrize("name", PLOTS)


def words_of(ax: Any) -> list[str]:
    """Return the texts inside the picture."""
    return [text.get_text() for text in ax.texts]


@pytest.mark.slow
@every_plot
@pytest.mark.parametrize(
    "size", [(4, 2.5), pytest.param((8, 4.5), marks=pytest.mark.long)], ids=str
)
def test_drawn_without_a_warning(
    demo: tuple[pd.DataFrame, pd.DataFrame], draw: Draw, size: tuple[float, float]
) -> None:
    """25 posts, whole and at half the width, dark, as a vector picture too."""
    with plt.style.context("dark_background"):
        figure = Figure(figsize=size, layout="constrained")
        draw(demo[0], ax=figure.subplots())
        figure.savefig(io.BytesIO(), format="svg")
        figure.savefig(io.BytesIO(), format="png", dpi=50)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize(
    "layout",
    ["constrained", *(pytest.param(layout, marks=pytest.mark.long) for layout in ("tight", None))],
)
def test_posts_by_their_words(
    demo: tuple[pd.DataFrame, pd.DataFrame], name: str, layout: Any
) -> None:
    """Dollar signs, tags, emoji and right-to-left script, in any layout."""
    counts, posts = demo
    figure = Figure(figsize=(8, 4.5), layout=layout)
    PLOTS[name](counts, posts=posts, ax=figure.subplots())
    figure.savefig(io.BytesIO(), format="svg")


@pytest.mark.slow
@every_name
@pytest.mark.parametrize(
    "change",
    [
        lambda counts: counts.iloc[:0],
        lambda counts: counts.assign(count=pd.array([pd.NA] * len(counts), dtype="Int64")),
    ],
    ids=["empty", "unknown"],
)
def test_nothing_to_show(demo: tuple[pd.DataFrame, pd.DataFrame], name: str, change: Any) -> None:
    """An empty frame, or one of <NA> alone, is a picture that says so."""
    counts = change(demo[0])
    if name == "versus_previous" and not len(counts):
        with pytest.raises(FrameError, match=NEED_MORE[name]):
            PLOTS[name](counts)
        return
    ax = PLOTS[name](counts)
    assert len(words_of(ax)) == 1
    assert words_of(ax)[0].startswith("no ")
    assert not ax.axison
    assert name in UNLABELLED or ax.get_xlabel() != ""
    ax.figure.draw_without_rendering()


@pytest.mark.slow
@every_name
def test_one_point(demo: tuple[pd.DataFrame, pd.DataFrame], name: str) -> None:
    """One hour of one post is a picture too, or an error says what else is needed."""
    counts = demo[0]
    known = counts[counts["count"] > 0].drop_duplicates("engagement_type")
    hour = known[known["post_id"] == known["post_id"].iloc[0]].iloc[:1]
    if name in NEED_MORE:
        with pytest.raises(FrameError, match=re.escape(NEED_MORE[name])):
            PLOTS[name](hour)
        return
    ax = PLOTS[name](hour)
    ax.figure.draw_without_rendering()
    low, high = ax.get_ylim()
    assert low != high


@pytest.mark.slow
@every_plot
def test_nothing_is_changed(demo: tuple[pd.DataFrame, pd.DataFrame], draw: Draw) -> None:
    """Neither the frame nor its attrs nor matplotlib's settings."""
    counts = demo[0]
    before, attrs, settings = counts.copy(deep=True), dict(counts.attrs), dict(plt.rcParams)
    draw(counts)
    pd.testing.assert_frame_equal(counts, before)
    assert counts.attrs == attrs
    assert dict(plt.rcParams) == settings


@pytest.mark.slow
@every_plot
def test_a_figure_of_one_s_own(demo: tuple[pd.DataFrame, pd.DataFrame], draw: Draw) -> None:
    """On given Axes, those of a part of a figure too, pyplot hears of nothing."""
    figure = Figure(figsize=(12, 5), layout="constrained")
    parts: Any = figure.subfigures(1, 2)
    for part in parts:
        ax = part.subplots()
        assert draw(demo[0], ax=ax) is ax
    figure.draw_without_rendering()
    assert plt.get_fignums() == []


@pytest.mark.slow
@every_plot
@pytest.mark.parametrize("freq", ["h", "D", "W", "MS"])
def test_on_axes_in_periods_of_pandas(
    demo: tuple[pd.DataFrame, pd.DataFrame], draw: Draw, freq: str
) -> None:
    """Pandas counts hours, days or months from 1970: an error says how to get dates."""
    ax = Figure().subplots()
    visits = pd.Series(range(9), index=pd.date_range("2026-04-08", periods=9, freq=freq))
    visits.plot(ax=ax)
    with pytest.raises(FrameError, match=r"in periods of .*x_compat=True"):
        draw(demo[0].head(200), ax=ax)
    assert len(ax.lines) == 1


@pytest.mark.parametrize("freq", ["h", "D"])
def test_on_axes_in_dates_of_pandas(demo: tuple[pd.DataFrame, pd.DataFrame], freq: str) -> None:
    """With ``x_compat``, its line and ours are where the same moments are."""
    ax = Figure().subplots()
    moments = pd.date_range("2026-04-08", periods=8, freq=freq)
    pd.Series(range(8), index=moments).plot(ax=ax, x_compat=True)
    plot_over_time(demo[0], every="D", ax=ax)
    theirs, *ours = ax.lines
    assert theirs.get_xydata()[0, 0] == ours[0].get_xydata()[0, 0] == date2num(moments[0])
    ax.figure.draw_without_rendering()
    low, high = ax.get_xlim()
    assert low < date2num(moments[0]) < date2num(moments[-1]) < high


@pytest.mark.slow
@every_plot
def test_one_figure_without_axes(demo: tuple[pd.DataFrame, pd.DataFrame], draw: Draw) -> None:
    """A new one, open, for the notebook to show."""
    ax = draw(demo[0])
    assert len(plt.get_fignums()) == 1
    assert ax.figure is plt.gcf()


@pytest.mark.slow
def test_a_post_keeps_its_colour(demo: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """From plot to plot."""
    counts, posts = demo
    colours = post_colours(counts, posts=posts)
    grown = plot_cumulative(counts, posts=posts, **IMPRESSIONS)
    series = plot_over_time(counts, by="post_id", posts=posts, **IMPRESSIONS)
    best = [line.get_gid() for line in series.lines if line.get_gid() in colours]
    bars = plot_top_posts(counts, by="impressions", posts=posts, highlight=best)
    seen = 0
    pictures: Any = ((grown, grown.lines), (series, series.lines), (bars, bars.patches))
    for ax, artists in pictures:
        for artist in artists:
            if artist.get_gid() in best:
                own = artist.get_color() if ax is not bars else artist.get_facecolor()
                assert to_hex(own).upper() == colours[artist.get_gid()]
                seen += 1
    assert seen == 7 + 7 + 7


def test_black_is_white_on_a_dark_page(hourly: Any) -> None:
    """Seven posts have black among them, which nobody would see there."""
    counts = hourly(*[(str(n), "impressions", "2026-03-01", 5, n) for n in range(1, 8)])
    with plt.style.context("dark_background"):
        colours = {to_hex(line.get_color()) for line in plot_over_time(counts, by="post_id").lines}
    assert "#ffffff" in colours
    assert "#000000" not in colours


@pytest.mark.slow
def test_texts_from_outside_are_never_mathematics(
    demo: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    """Two dollar signs in a name do not make a formula, nor does usetex."""
    counts, posts = demo
    awkward = posts.assign(text=[f"$x^{place} $_{place}" for place in range(len(posts))])
    for name in NAMED:
        ax = PLOTS[name](counts, posts=awkward)
        legend = ax.get_legend()
        texts = [*ax.get_yticklabels(), *(legend.get_texts() if legend else [])]
        named = [text for text in texts if "$" in text.get_text()]
        assert named
        assert not any(text.get_parse_math() or text.get_usetex() for text in named)


@pytest.mark.slow
def test_importing_is_quick() -> None:
    """Neither matplotlib nor requests, until there is something to draw or to ask."""
    code = "import sys, engagement_pandas.plots; print({'matplotlib', 'requests'} & {*sys.modules})"
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert run.stdout.strip() == "set()"


def test_defaults_are_those_of_the_metric() -> None:
    """A picture shows what its metric says; only None leaves the choice to the picture."""
    compared = 0
    for name in plots.__all__:
        metric = getattr(metrics, name.removeprefix("plot_"), None)
        if not name.startswith("plot_") or metric is None:
            continue
        asked = inspect.signature(metric).parameters
        for word, own in inspect.signature(getattr(plots, name)).parameters.items():
            if word in asked and own.default is not None:
                assert own.default == asked[word].default, (name, word)
                compared += 1
    assert compared > 40


def test_what_is_exported() -> None:
    """Sorted and complete: every plot_… of every module."""
    assert list(plots.__all__) == sorted(plots.__all__)
    assert {name for name in vars(plots) if name.startswith("plot_")} == {
        name for name in plots.__all__ if name.startswith("plot_")
    }
