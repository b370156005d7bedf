"""Plots of half-lives: a dot per post, and their median."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

import engagement_pandas as ep
from engagement_pandas import plots
from engagement_pandas.metrics import half_life
from engagement_pandas.plots import post_colours
from engagement_pandas.plots.colours import REST, type_colours
from engagement_pandas.plots.half_life import duration

plot_half_life: Any = plots.plot_half_life
"""Typed as Any, since matplotlib's annotations lack methods of artists."""

CREATED = "2026-03-01T10:30:00"


def halving(
    life: Callable[..., pd.DataFrame], number: int, engagement_type: str = "impressions"
) -> pd.DataFrame:
    """Return posts whose hours have half of the count before, with a delay of up to two hours."""
    return pd.concat(
        [
            life(CREATED, [*(2 ** (12 - i) * (i >= n % 3) for i in range(12)), *[0] * 24],
                 serial=n, engagement_type=engagement_type)
            for n in range(number)
        ]
    )  # fmt: skip


def dots(ax: Any, gid: str) -> Any:
    """Return the dots of one row."""
    (row_of_dots,) = [collection for collection in ax.collections if collection.get_gid() == gid]
    return row_of_dots


def test_dots_are_at_the_half_lives(life: Any) -> None:
    """Their order is that of the metric; the median is a line with a text."""
    counts = halving(life, 5)
    ages = half_life(counts)["t50"].to_numpy(dtype=float)
    ax = plot_half_life(counts)
    np.testing.assert_allclose(dots(ax, "impressions").get_offsets()[:, 0], ages)
    (line,) = [collection for collection in ax.collections if collection.get_gid() == "median"]
    assert line.get_segments()[0][:, 0].tolist() == [np.median(ages)] * 2
    assert [text.get_text() for text in ax.texts] == [duration(np.median(ages))]


def test_each_type_has_a_row(life: Any) -> None:
    """Rows have the vocabulary's order, and the number of posts with a half-life."""
    counts = pd.concat([halving(life, 3, "favorites"), halving(life, 2, "impressions")])
    counts["engagement_type"] = counts["engagement_type"].astype("category")
    ax = plot_half_life(counts)
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "impressions\n2 of 2 posts",
        "favorites\n3 of 3 posts",
    ]
    assert plot_half_life(counts, engagement_type="favorites").get_yticklabels()[0].get_text() == (
        "favorites\n3 of 3 posts"
    )


def test_posts_without_a_half_life_are_counted(life: Any) -> None:
    """The post is two hours old and too young."""
    young = life("2026-03-02T20:00:00", [50, 50, 50], serial=900)
    ax = plot_half_life(pd.concat([halving(life, 3), young]))
    assert ax.get_yticklabels()[0].get_text() == "impressions\n3 of 4 posts"
    assert ax.get_xlabel().endswith("\nno answer: 1 too young, of 4 posts")


def test_a_chart_without_half_lives_has_the_reason(life: Any) -> None:
    """There are no dots."""
    ax = plot_half_life(life(CREATED, [50, 50, 50]))
    words = "no answer yet\nno answer: 1 too young, of 1 post"
    assert [text.get_text() for text in ax.texts] == [words]


def test_the_axis_is_logarithmic_with_units_of_time(life: Any) -> None:
    """It has two ticks or more."""
    ax = plot_half_life(halving(life, 1))
    assert ax.get_xscale() == "log"
    low, high = ax.get_xlim()
    visible = [tick for tick in ax.get_xticks() if low <= tick <= high]
    assert len(visible) >= 2
    assert ax.get_xlabel() == "age at which a post had half of its counts (log scale)"


def test_another_share_may_be_drawn(life: Any) -> None:
    """The label has 90 % for t90."""
    counts = halving(life, 4)
    ax = plot_half_life(counts, share=0.9)
    ages = half_life(counts, shares=(0.9,))["t90"].to_numpy(dtype=float)
    np.testing.assert_allclose(dots(ax, "impressions").get_offsets()[:, 0], ages)
    assert "had 90 % of its counts" in ax.get_xlabel()


def test_dots_have_the_colour_of_the_type(life: Any, legend: Any) -> None:
    """No post is in the legend."""
    ax = plot_half_life(halving(life, 6, "favorites"))
    drawn = {to_hex(colour).upper() for colour in dots(ax, "favorites").get_facecolors()}
    assert drawn == {type_colours(["favorites"])["favorites"]}
    assert legend(ax) == []


def test_highlighted_posts_have_colours_and_names(life: Any, legend: Any) -> None:
    """They have different markers too; the other four posts are grey."""
    counts = halving(life, 6)
    ids = counts["post_id"].unique().tolist()
    ax = plot_half_life(counts, highlight=[ids[4], ids[1]])
    assert legend(ax) == [ids[4], ids[1]]
    others = dots(ax, "impressions")
    assert len(others.get_offsets()) == 4
    assert {to_hex(colour).upper() for colour in others.get_facecolors()} == {REST}
    ages = half_life(counts).set_index("post_id")["t50"]
    for post in (ids[4], ids[1]):
        own = dots(ax, f"impressions:{post}")
        assert to_hex(own.get_facecolors()[0]).upper() == post_colours(counts)[post]
        assert own.get_offsets()[0][0] == ages[post]


def test_a_highlighted_post_without_a_half_life_is_refused(life: Any) -> None:
    """No figure is left."""
    young = life("2026-03-02T20:00:00", [50, 50, 50], serial=900)
    counts = pd.concat([halving(life, 3), young])
    for post in ("7", young["post_id"].iloc[0]):
        with pytest.raises(ep.FrameError, match=f"highlight has '{post}'"):
            plot_half_life(counts, highlight=post)
    assert plt.get_fignums() == []


@pytest.mark.slow
def test_dots_are_spread_within_their_row(life: Any) -> None:
    """Their heights differ, and are reproducible."""
    heights = dots(plot_half_life(halving(life, 25)), "impressions").get_offsets()[:, 1]
    again = dots(plot_half_life(halving(life, 25)), "impressions").get_offsets()[:, 1]
    assert np.abs(heights).max() < 0.5
    assert len(np.unique(heights.round(3))) == 25
    np.testing.assert_array_equal(heights, again)


@pytest.mark.parametrize("share", [0, 1, "half", (0.5,), True])
def test_an_invalid_share_is_refused(life: Any, share: Any) -> None:
    """A share is a number between 0 and 1; no figure is left."""
    with pytest.raises(ep.FrameError, match=r"0\.5"):
        plot_half_life(halving(life, 1), share=share)
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("arguments", "colour", "width"),
    [({"color": "red"}, "red", 0), ({"lw": 2}, None, 2), ({"fc": "red", "linewidth": 3}, "red", 3)],
)
def test_keywords_apply_to_dots(
    life: Any, arguments: Any, colour: str | None, width: float
) -> None:
    """Both ``color`` and ``c``, ``linewidth`` and ``lw`` are accepted."""
    counts = halving(life, 3)
    row_of_dots = dots(plot_half_life(counts, **arguments), "impressions")
    assert set(row_of_dots.get_linewidths()) == {width}
    if colour:
        assert to_hex(row_of_dots.get_facecolors()[0]) == to_hex(colour)


@pytest.mark.slow
def test_medians_of_narrow_rows_are_next_to_their_types(life: Any) -> None:
    """Posts of 10:30 with delays of 0, 1 and 2 hours have half at 30, 90 and 150 minutes.

    In 17 rows of a figure of 6 inches, a text above a line would be over the row above.
    """
    types = list(ep.SERIES_TYPES)
    counts = pd.concat([halving(life, 3, str(name)) for name in types], ignore_index=True)
    counts["engagement_type"] = counts["engagement_type"].astype("category")
    ax = plot_half_life(counts, ax=plt.subplots(figsize=(14, 6))[1])
    assert len(ax.texts) == 0
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == [f"{name}: 90 min, 3 of 3 posts" for name in types]


def test_a_type_that_the_counts_lack_is_refused(life: Any) -> None:
    """An empty chart would read as if no post had an answer."""
    with pytest.raises(ep.FrameError, match="counts have no 'replies', only"):
        plot_half_life(halving(life, 3), engagement_type="replies")
