"""Shared code of all plots: labels of axes and rows, and texts over several lines."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.plots.axes import count_axis, name_rows, upright, wrapped


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0"), (0.05, "0.05"), (0.5, "0.5"), (1500, "1.5k"), (2e6, "2M"), (3e9, "3B")],
)
def test_counts_have_the_units_of_readers(count: float, words: str) -> None:
    """A gain of 0.05 a day is not 50m, which reads as 50 million."""
    ax = plt.subplots()[1]
    ax.set_ylim(0, max(count, 1))
    count_axis(ax.yaxis)
    assert ax.yaxis.get_major_formatter()(count) == words


@pytest.mark.parametrize(("rows", "words"), [(4, "type\n8 posts"), (20, "type, 8 posts")])
def test_narrow_rows_have_one_line(rows: int, words: str) -> None:
    """360 points are 90 for each of 4 rows, and 18 for each of 20: less than two lines."""
    figure = plt.figure(figsize=(8, 5))
    ax: Any = figure.add_axes((0, 0, 1, 1))
    name_rows(ax, ["type\n8 posts"] * rows)
    assert {label.get_text() for label in ax.get_yticklabels()} == {words}


def test_lines_of_a_text_have_about_the_same_length() -> None:
    """At 264 points, 47 letters fit into a line, but a single word is no line."""
    ax = plt.subplots()[1]
    words = "2026-04-08 to 2026-04-14 against the 7 days before"
    assert wrapped(ax, words, width=264) == "2026-04-08 to 2026-04-14\nagainst the 7 days before"


def test_a_text_upwards_fits_into_its_row() -> None:
    """Half a figure of 288 points, less a quarter, has room for 24 letters of 8 points."""
    axs = plt.subplots(2, figsize=(8, 4))[1]
    lines = upright(axs[0], "engagements over impressions, shrunk", size=8).split("\n")
    assert lines == ["engagements over", "impressions, shrunk"]


@pytest.mark.slow
@pytest.mark.parametrize("tight", [False, True])
def test_names_of_rows_are_in_their_cell_of_a_plain_grid(tight: bool) -> None:  # noqa: FBT001
    """Without a layout engine, names and labels of several lines are not cut off."""
    ids = [str(2027900000000000000 + n * 10**15) for n in range(10)]
    numbers = {
        post: {"impressions": str(900 - n), "engagements": str(90 - n)}
        for n, post in enumerate(ids)
    }
    counts = ep.flatten_json({"g": numbers})
    posts = pd.DataFrame(
        {"post_id": ids, "text": [f"Coffee for two, number {n}" for n in range(10)]}
    )
    figure, axs = plt.subplots(2, 2, figsize=(8, 6))
    for ax in axs.flat:
        ep.plot_top_posts(counts, by="rate", posts=posts, ax=ax)
    if tight:
        figure.tight_layout()
    figure.draw_without_rendering()
    for row, pair in enumerate(axs):
        for column, ax in enumerate(pair):
            left = min(label.get_window_extent().x0 for label in ax.get_yticklabels())
            assert left > (pair[0].get_window_extent().x1 if column else 0)
            bottom = ax.xaxis.label.get_window_extent().y0
            assert bottom > (0 if row else axs[1][column].get_window_extent().y1)
            assert ax.get_window_extent().width > 80
