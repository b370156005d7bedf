"""Bars of the best posts."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

import engagement_pandas as ep
from engagement_pandas import plots
from engagement_pandas.metrics import top_posts
from engagement_pandas.plots import post_colours
from engagement_pandas.plots.style import REST, type_colours

plot_top_posts: Any = plots.plot_top_posts
"""Its artists can do more than matplotlib's annotations know."""


def totals(**posts: tuple[int, int]) -> pd.DataFrame:
    """Make totals: impressions and engagements of posts p1, p2, …."""
    return ep.flatten_json(
        {
            "g": {
                name[1:]: {"impressions": str(seen), "engagements": str(done)}
                for name, (seen, done) in posts.items()
            }
        }
    )


COUNTS = totals(p1=(10_000, 500), p2=(2, 1), p3=(8_000, 90), p4=(9_000, 500))


def names_of(ax: Any) -> list[str]:
    """Return the names beside the rows, from the top."""
    return [label.get_text() for label in ax.get_yticklabels()]


def test_best_on_top_and_ties_share_a_rank() -> None:
    """500, 500, 90, 1, in the order of the IDs where equal."""
    ax = plot_top_posts(COUNTS)
    assert names_of(ax) == ["1.  1", "1.  4", "3.  3", "4.  2"]
    assert [bar.get_width() for bar in ax.patches] == [500, 500, 90, 1]
    assert [text.get_text() for text in ax.texts] == ["500", "500", "90", "1"]
    assert ax.get_xlabel() == "engagements"
    assert ax.yaxis_inverted()


def test_how_many_and_from_how_much() -> None:
    """Two at most, of those with 9,000 impressions or more."""
    ax = plot_top_posts(COUNTS, by="impressions", n=2, minimum=9_000)
    assert [bar.get_gid() for bar in ax.patches] == ["1", "4"]


def test_rates_with_their_intervals() -> None:
    """Bars end at the shrunk rate, whiskers at low and high, and the order is that of low."""
    ax = plot_top_posts(COUNTS, by="rate")
    best = top_posts(COUNTS, by="rate")
    assert [bar.get_gid() for bar in ax.patches] == best["post_id"].to_list()
    widths = [bar.get_width() for bar in ax.patches]
    np.testing.assert_allclose(widths, best["shrunk"].to_numpy(dtype=float))
    (whiskers,) = [each for each in ax.collections if each.get_gid() == "interval"]
    ends = [segment[:, 0].tolist() for segment in whiskers.get_segments()]
    np.testing.assert_allclose(ends, best[["low", "high"]].to_numpy(dtype=float))


def test_the_rate_before_it_was_shrunk(legend: Any) -> None:
    """1 of 2 is 50 %; so far out that it is said in words at the edge."""
    ax = plot_top_posts(COUNTS, by="rate")
    (own,) = [each for each in ax.collections if each.get_gid() == "own rate"]
    best = top_posts(COUNTS, by="rate").set_index("post_id")["rate"]
    np.testing.assert_allclose(own.get_offsets()[:, 0], best[best < 0.5].to_numpy(dtype=float))
    assert ax.get_xlim()[1] < 0.5
    assert [text.get_text() for text in ax.texts] == ["50 % →"]
    assert legend(ax) == ["95 % interval", "the post's own rate"]
    assert ax.get_xlabel() == "engagements over impressions, shrunk towards the overall rate"


def test_posts_by_their_words() -> None:
    """The names of posts, which are no formulas."""
    posts = pd.DataFrame({"post_id": ["4", "1"], "text": ["Two for $5", "_hello_"]})
    ax = plot_top_posts(COUNTS, n=2, posts=posts)
    assert names_of(ax) == ["1.  _hello_", "1.  Two for $5"]
    assert not any(label.get_parse_math() for label in ax.get_yticklabels())


def colours_of(ax: Any) -> dict[str, str]:
    """Return the colour of each bar, by post ID."""
    return {bar.get_gid(): to_hex(bar.get_facecolor()).upper() for bar in ax.patches}


def test_one_colour() -> None:
    """That of the type, or of the rate's numerator."""
    types = type_colours(["impressions", "engagements"])
    by_type = plot_top_posts(COUNTS, by="impressions")
    assert set(colours_of(by_type).values()) == {types["impressions"]}
    assert set(colours_of(plot_top_posts(COUNTS, by="rate")).values()) == {types["engagements"]}


def test_a_highlighted_post_has_its_own_colour() -> None:
    """The one that it has elsewhere; the others are grey."""
    drawn = colours_of(plot_top_posts(COUNTS, highlight="3"))
    assert drawn == {"1": REST, "4": REST, "2": REST, "3": post_colours(COUNTS)["3"]}


def test_a_highlighted_post_below_the_top_keeps_its_rank() -> None:
    """One best post is requested; the last of four is added."""
    ax = plot_top_posts(COUNTS, n=1, highlight=["2"])
    assert names_of(ax) == ["1.  1", "4.  2"]
    assert [bar.get_width() for bar in ax.patches] == [500, 1]


def test_highlight_refused() -> None:
    """A post that is not in the counts, or has too few impressions for a rank."""
    with pytest.raises(ep.FrameError, match="highlight has '7', which is not among the posts"):
        plot_top_posts(COUNTS, highlight="7")
    with pytest.raises(ep.FrameError, match="highlight has '2'"):
        plot_top_posts(COUNTS, minimum=100, highlight=["1", "2"])
    assert plt.get_fignums() == []


@pytest.mark.slow
def test_25_rows_do_not_overlap() -> None:
    """On a small picture the letters are smaller than the rows are high."""
    counts = totals(**{f"p{n}": (100, n) for n in range(1, 26)})
    figure, ax = plt.subplots(figsize=(4, 3), layout="constrained")
    plot_top_posts(counts, n=25, ax=ax)
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert len(boxes) == 25
    assert all(a.y0 >= b.y1 - 1 for a, b in pairwise(boxes))


def test_a_new_figure_grows_with_its_rows() -> None:
    """25 rows are higher than 3."""
    few = plot_top_posts(COUNTS).figure
    many = plot_top_posts(totals(**{f"p{n}": (100, n) for n in range(25)}), n=25).figure
    assert many.get_figheight() > 2 * few.get_figheight()


def test_refused() -> None:
    """As the metric does, before there is a figure."""
    with pytest.raises(ep.FrameError, match="n is 0"):
        plot_top_posts(COUNTS, n=0)
    with pytest.raises(ep.FrameError, match="did you mean"):
        plot_top_posts(COUNTS, by="impresions")
    assert plt.get_fignums() == []


@pytest.mark.parametrize("given", [pd.Series(["7"]), 7, ("7",)])
def test_highlights_of_any_kind(given: Any) -> None:
    """A column, a number or a tuple of IDs."""
    counts = ep.flatten_json({"g": {"7": {"engagements": "5"}, "8": {"engagements": "9"}}})
    bars = ep.plot_top_posts(counts, highlight=given).patches
    assert [bar.get_facecolor() == bars[0].get_facecolor() for bar in bars] == [True, False]
