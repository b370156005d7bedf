"""The header of a plot: legend and headline overlap neither the title, the data nor a plot."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from plots.test_pictures import PLOTS

import engagement_pandas as ep
from engagement_pandas.plots.legend_and_headline import legend_of


def boxes(ax: Any) -> dict[str, Bbox]:
    """Return the extent of each part of a drawn plot, in pixels."""
    renderer = ax.figure.canvas.get_renderer()
    parts = {"data": ax.patch, "title": ax.title, "legend": ax.get_legend()}
    for text in (text for box in ax.child_axes for text in box.texts):
        parts["headline"] = text
    return {
        name: part.get_window_extent(renderer)
        for name, part in parts.items()
        if part is not None and ax.axison
    }


def overlapping(ax: Any) -> list[tuple[str, str]]:
    """Return the pairs of parts that share more than half a pixel."""
    return [
        (first, second)
        for (first, left), (second, right) in combinations(boxes(ax).items(), 2)
        if (overlap := Bbox.intersection(left, right)) is not None
        and min(overlap.width, overlap.height) > 0.5
    ]


@pytest.mark.long
@pytest.mark.parametrize("layout", ["constrained", "tight", None])
@pytest.mark.parametrize("name", PLOTS)
def test_a_title_overlaps_nothing(
    demo: tuple[pd.DataFrame, pd.DataFrame], name: str, layout: Any
) -> None:
    """The plots are on the user's own grid, in each layout."""
    figure, axs = plt.subplots(1, 2, figsize=(11, 4.5), layout=layout)
    for ax in axs:
        PLOTS[name](demo[0], ax=ax)
        ax.set_title("Our week")
    figure.canvas.draw()
    for ax in axs:
        assert overlapping(ax) == []
        assert ax.bbox.height > 0.35 * figure.bbox.height  # the data has enough space
        top = figure.bbox.y1
        assert all(box.y1 <= top for part, box in boxes(ax).items() if part != "title")


def test_the_header_is_within_the_area_of_the_axes(hourly: Any) -> None:
    """Without a layout engine, the data and the header share the height of the data."""
    counts = hourly(*[(str(n), "impressions", "2026-03-01", 5, n) for n in range(1, 4)])
    figure, ax = plt.subplots()
    area = ax.get_window_extent().frozen()
    ep.plot_over_time(counts, by="post_id", ax=ax)
    figure.canvas.draw()
    parts = boxes(ax)
    assert parts["data"].y0 == pytest.approx(area.y0)
    assert parts["legend"].y1 == pytest.approx(area.y1, abs=1)


@pytest.mark.slow
def test_tight_layout_includes_the_header(hourly: Any) -> None:
    """It does not warn."""
    counts = hourly(*[(str(n), "impressions", "2026-03-01", 5, n) for n in range(1, 4)])
    figure, ax = plt.subplots()
    ep.plot_over_time(counts, by="post_id", ax=ax)
    ax.set_title("Our week")
    figure.tight_layout()
    figure.canvas.draw()
    assert overlapping(ax) == []
    assert boxes(ax)["title"].y1 <= figure.bbox.y1


def test_a_second_plot_shares_the_header(hourly: Any) -> None:
    """Both are on the same Axes."""
    counts = hourly(("7", "impressions", "2026-03-01", 5, 1), ("7", "replies", "2026-03-01", 5, 2))
    ax = ep.plot_over_time(counts)
    ep.plot_over_time(counts, ax=ax)
    assert len(ax.child_axes) == 1


def test_a_plot_without_a_finding_has_no_headline(hourly: Any) -> None:
    """The headline is empty."""
    counts = hourly(("7", "impressions", "2026-03-01", 5, 1), ("7", "replies", "2026-03-01", 5, 2))
    assert ep.headline(ep.plot_over_time(counts)) == ""
    assert ep.headline(plt.subplots()[1]) == ""


def test_the_headline_is_independent_of_the_title(demo: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """It stays when a title is set."""
    ax = ep.plot_best_times(demo[0], draws=100)
    text = ep.headline(ax)
    ax.set_title("Our week", loc="left")
    assert text.startswith("Best")
    assert ep.headline(ax) == text


@pytest.mark.slow
def test_a_long_entry_of_the_legend_is_wrapped() -> None:
    """The plot is about as wide as with a short one."""
    widths = []
    for entry in ("short", "an hour with many times the expected counts of all posts " * 3):
        figure = Figure(figsize=(4, 2.5), layout="constrained")
        ax = figure.subplots()
        legend_of(ax, ax.plot([1, 2]), [entry])
        figure.draw_without_rendering()
        widths.append(ax.bbox.width)
    assert widths[1] == pytest.approx(widths[0], rel=0.05)


def legend_sizes(names: list[str], width: float = 8) -> tuple[Any, set[float]]:
    """Return the legend of lines with these names, and its font sizes."""
    ax = Figure(figsize=(width, 4.5), layout="constrained").subplots()
    legend_of(ax, [ax.plot([0, n])[0] for n in range(len(names))], names)
    ax.figure.draw_without_rendering()
    legend = ax.get_legend()
    return legend, {text.get_fontsize() for text in legend.get_texts()}


def test_long_entries_are_wrapped_to_the_width_and_can_be_read() -> None:
    """Six sentences take the width of the plot, in letters of 6 points or more."""
    sentence = (
        "13 Mar, 13:00: 1.3 times the expected, 100 % of the excess by Thank you for… (13 Mar)"
    )
    legend, sizes = legend_sizes([sentence] * 6)
    assert min(sizes) >= 7
    assert all("\n" not in text.get_text() for text in legend.get_texts())


@pytest.mark.slow
def test_no_legend_is_smaller_than_6_points() -> None:
    """On a small plot it names fewer lines instead."""
    legend, sizes = legend_sizes([f"A quiet start to the day, number {n}" for n in range(30)], 3)
    assert min(sizes) >= 6
    assert legend.get_texts()[-1].get_text().startswith("and ")


@pytest.mark.slow
def test_five_short_names_are_in_one_row() -> None:
    """Without a single name below the others, where all fit."""
    names = ["impressions", "engagements", "favorites", "url_clicks", "user_follows"]
    assert legend_sizes(names, 14)[0]._ncols == 5
    assert legend_sizes(names, 8)[0]._ncols == 3  # four would fit, but not five
