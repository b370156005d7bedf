"""Dots by time, and their median."""

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
from engagement_pandas.plots.half_life import duration
from engagement_pandas.plots.style import REST, type_colours

plot_half_life: Any = plots.plot_half_life
"""Its artists can do more than matplotlib's annotations know."""

MADE = "2026-03-01T10:30:00"


def halving(
    life: Callable[..., pd.DataFrame], number: int, kind: str = "impressions"
) -> pd.DataFrame:
    """Make posts of which each hour brings half of the one before, the first time later."""
    return pd.concat(
        [
            life(MADE, [*(2 ** (12 - place) * (place >= n % 3) for place in range(12)), *[0] * 24],
                 serial=n, kind=kind)
            for n in range(number)
        ]
    )  # fmt: skip


def dots(ax: Any, gid: str) -> Any:
    """Return the dots of one row."""
    (found,) = [each for each in ax.collections if each.get_gid() == gid]
    return found


def test_a_dot_a_post_and_their_median(life: Any) -> None:
    """At the ages of the metric, in its order; the median in words and as a line."""
    counts = halving(life, 5)
    ages = half_life(counts)["t50"].to_numpy(dtype=float)
    ax = plot_half_life(counts)
    np.testing.assert_allclose(dots(ax, "impressions").get_offsets()[:, 0], ages)
    (line,) = [each for each in ax.collections if each.get_gid() == "median"]
    assert line.get_segments()[0][:, 0].tolist() == [np.median(ages)] * 2
    assert [text.get_text() for text in ax.texts] == [duration(np.median(ages))]


def test_a_row_a_type_in_the_vocabulary_s_order(life: Any) -> None:
    """With how many posts have an answer."""
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


def test_posts_without_an_answer(life: Any) -> None:
    """Two hours old with as much in the second as in the first: too young, and it says so."""
    young = life("2026-03-02T20:00:00", [50, 50, 50], serial=900)
    ax = plot_half_life(pd.concat([halving(life, 3), young]))
    assert ax.get_yticklabels()[0].get_text() == "impressions\n3 of 4 posts"
    assert ax.get_xlabel().endswith("\nno answer: 1 too young")


def test_none_has_an_answer(life: Any) -> None:
    """A picture that says why."""
    ax = plot_half_life(life(MADE, [50, 50, 50]))
    assert [text.get_text() for text in ax.texts] == ["no answer yet\nno answer: 1 too young"]


def test_the_axis(life: Any) -> None:
    """Logarithmic, in words of time, with at least two of them."""
    ax = plot_half_life(halving(life, 1))
    assert ax.get_xscale() == "log"
    low, high = ax.get_xlim()
    shown = [tick for tick in ax.get_xticks() if low <= tick <= high]
    assert len(shown) >= 2
    assert ax.get_xlabel() == "age at which a post had half of its counts (log scale)"


def test_another_share(life: Any) -> None:
    """t90, and it says 90 %."""
    counts = halving(life, 4)
    ax = plot_half_life(counts, share=0.9)
    ages = half_life(counts, shares=(0.9,))["t90"].to_numpy(dtype=float)
    np.testing.assert_allclose(dots(ax, "impressions").get_offsets()[:, 0], ages)
    assert "had 90 % of its counts" in ax.get_xlabel()


def test_one_colour(life: Any, legend: Any) -> None:
    """All dots of a row have the colour of its type, and no post is named."""
    ax = plot_half_life(halving(life, 6, "favorites"))
    drawn = {to_hex(colour).upper() for colour in dots(ax, "favorites").get_facecolors()}
    assert drawn == {type_colours(["favorites"])["favorites"]}
    assert legend(ax) == []


def test_highlighted_posts_are_picked_out(life: Any, legend: Any) -> None:
    """In their own colours, with different markers and names; the other four are grey."""
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


def test_highlight_refused(life: Any) -> None:
    """A post that is not in the counts, or has no answer; and no figure is left."""
    young = life("2026-03-02T20:00:00", [50, 50, 50], serial=900)
    counts = pd.concat([halving(life, 3), young])
    for post in ("7", young["post_id"].iloc[0]):
        with pytest.raises(ep.FrameError, match=f"highlight has '{post}'"):
            plot_half_life(counts, highlight=post)
    assert plt.get_fignums() == []


@pytest.mark.slow
def test_dots_of_a_row_stay_in_it(life: Any) -> None:
    """Apart from each other, within half a row, and alike in every run."""
    heights = dots(plot_half_life(halving(life, 25)), "impressions").get_offsets()[:, 1]
    again = dots(plot_half_life(halving(life, 25)), "impressions").get_offsets()[:, 1]
    assert np.abs(heights).max() < 0.5
    assert len(np.unique(heights.round(3))) == 25
    np.testing.assert_array_equal(heights, again)


@pytest.mark.parametrize("share", [0, 1, "half", (0.5,), True])
def test_share_refused(life: Any, share: Any) -> None:
    """One number between 0 and 1; and no figure is left."""
    with pytest.raises(ep.FrameError, match=r"0\.5"):
        plot_half_life(halving(life, 1), share=share)
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("words", "colour", "width"),
    [({"color": "red"}, "red", 0), ({"lw": 2}, None, 2), ({"fc": "red", "linewidth": 3}, "red", 3)],
)
def test_any_of_matplotlib_s_words(life: Any, words: Any, colour: str | None, width: float) -> None:
    """``color``, ``lw`` and the like, as its line plots take them."""
    counts = halving(life, 3)
    found = dots(plot_half_life(counts, **words), "impressions")
    assert set(found.get_linewidths()) == {width}
    if colour:
        assert to_hex(found.get_facecolors()[0]) == to_hex(colour)
