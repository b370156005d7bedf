"""Bars of the top posts."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import engagement_pandas as ep
from engagement_pandas import plots
from engagement_pandas.metrics import top_posts
from engagement_pandas.plots import post_colours
from engagement_pandas.plots.colours import REST, type_colours

plot_top_posts: Any = plots.plot_top_posts
"""Typed as Any, since matplotlib's annotations lack methods of artists."""


def totals(**posts: tuple[int, int]) -> pd.DataFrame:
    """Return totals: impressions and engagements of posts p1, p2, …."""
    return ep.flatten_json(
        {
            "g": {
                name[1:]: {"impressions": str(impressions), "engagements": str(engagements)}
                for name, (impressions, engagements) in posts.items()
            }
        }
    )


COUNTS = totals(p1=(10_000, 500), p2=(2, 1), p3=(8_000, 90), p4=(9_000, 500))


def names_of(ax: Any) -> list[str]:
    """Return the names of the rows, from the top."""
    return [label.get_text() for label in ax.get_yticklabels()]


def test_the_best_post_is_on_top_and_ties_share_a_rank() -> None:
    """500, 500, 90, 1; equal posts are in the order of their IDs."""
    ax = plot_top_posts(COUNTS)
    assert names_of(ax) == ["1.  1", "1.  4", "3.  3", "4.  2"]
    assert [bar.get_width() for bar in ax.patches] == [500, 500, 90, 1]
    assert [text.get_text() for text in ax.texts] == ["500", "500", "90", "1"]
    assert ax.get_xlabel() == "engagements"
    assert ax.yaxis_inverted()


def test_the_number_and_the_minimum_limit_the_posts() -> None:
    """Two posts at most have 9,000 impressions or more."""
    ax = plot_top_posts(COUNTS, by="impressions", n=2, minimum=9_000)
    assert [bar.get_gid() for bar in ax.patches] == ["1", "4"]


def test_rates_have_intervals() -> None:
    """Bars end at the shrunk rate, whiskers at low and high."""
    ax = plot_top_posts(COUNTS, by="rate")
    best = top_posts(COUNTS, by="rate")
    assert [bar.get_gid() for bar in ax.patches] == best["post_id"].to_list()
    widths = [bar.get_width() for bar in ax.patches]
    np.testing.assert_allclose(widths, best["shrunk"].to_numpy(dtype=float))
    (whiskers,) = [
        collection for collection in ax.collections if collection.get_gid() == "interval"
    ]
    ends = [segment[:, 0].tolist() for segment in whiskers.get_segments()]
    np.testing.assert_allclose(ends, best[["low", "high"]].to_numpy(dtype=float))


def test_the_raw_rate_is_marked(legend: Any) -> None:
    """1 of 2 is 50 %, so far outside the axis that a text has it."""
    ax = plot_top_posts(COUNTS, by="rate")
    (raw_rates,) = [
        collection for collection in ax.collections if collection.get_gid() == "own rate"
    ]
    best = top_posts(COUNTS, by="rate").set_index("post_id")["rate"]
    np.testing.assert_allclose(
        raw_rates.get_offsets()[:, 0], best[best < 0.5].to_numpy(dtype=float)
    )
    assert ax.get_xlim()[1] < 0.5
    assert [text.get_text() for text in ax.texts] == ["50 % →"]
    assert legend(ax) == ["95 % interval", "the post's own rate"]
    assert ax.get_xlabel() == "engagements over impressions, shrunk towards the overall rate"


def test_rows_have_names_of_posts() -> None:
    """They are not parsed as mathematics."""
    posts = pd.DataFrame({"post_id": ["4", "1"], "text": ["Two for $5", "_hello_"]})
    ax = plot_top_posts(COUNTS, n=2, posts=posts)
    assert names_of(ax) == ["1.  _hello_", "1.  Two for $5"]
    assert not any(label.get_parse_math() for label in ax.get_yticklabels())


def colours_of(ax: Any) -> dict[str, str]:
    """Return the colour of each bar, by post ID."""
    return {bar.get_gid(): to_hex(bar.get_facecolor()).upper() for bar in ax.patches}


def test_bars_have_the_colour_of_the_type() -> None:
    """Rates have that of the numerator."""
    types = type_colours(["impressions", "engagements"])
    by_type = plot_top_posts(COUNTS, by="impressions")
    assert set(colours_of(by_type).values()) == {types["impressions"]}
    assert set(colours_of(plot_top_posts(COUNTS, by="rate")).values()) == {types["engagements"]}


def test_a_highlighted_post_has_its_colour_of_other_charts() -> None:
    """The other posts are grey."""
    drawn = colours_of(plot_top_posts(COUNTS, highlight="3"))
    assert drawn == {"1": REST, "4": REST, "2": REST, "3": post_colours(COUNTS)["3"]}


def test_a_highlighted_post_below_the_top_is_added() -> None:
    """One post is requested; the last of four keeps its rank."""
    ax = plot_top_posts(COUNTS, n=1, highlight=["2"])
    assert names_of(ax) == ["1.  1", "4.  2"]
    assert [bar.get_width() for bar in ax.patches] == [500, 1]


def test_a_highlighted_post_without_a_rank_is_refused() -> None:
    """It is not in the counts, or has too few impressions."""
    with pytest.raises(ep.FrameError, match="highlight has '7', which is not among the posts"):
        plot_top_posts(COUNTS, highlight="7")
    with pytest.raises(ep.FrameError, match="highlight has '2'"):
        plot_top_posts(COUNTS, minimum=100, highlight=["1", "2"])
    assert plt.get_fignums() == []


@pytest.mark.slow
def test_25_rows_do_not_overlap() -> None:
    """The letters of a small chart are smaller than its rows."""
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


def test_invalid_arguments_are_refused_without_a_figure() -> None:
    """The errors are those of the metric."""
    with pytest.raises(ep.FrameError, match="n is 0"):
        plot_top_posts(COUNTS, n=0)
    with pytest.raises(ep.FrameError, match="did you mean"):
        plot_top_posts(COUNTS, by="impresions")
    assert plt.get_fignums() == []


@pytest.mark.parametrize("highlight", [pd.Series(["7"]), 7, ("7",)])
def test_a_highlight_may_be_a_column_a_number_or_a_tuple(highlight: Any) -> None:
    """It contains IDs."""
    counts = ep.flatten_json({"g": {"7": {"engagements": "5"}, "8": {"engagements": "9"}}})
    bars = ep.plot_top_posts(counts, highlight=highlight).patches
    assert [bar.get_facecolor() == bars[0].get_facecolor() for bar in bars] == [True, False]


@pytest.mark.slow
@pytest.mark.parametrize(("width", "least"), [(4, 12), (8, 34), (14, 55)])
def test_names_use_the_room_there_is(life: Any, width: float, least: int) -> None:
    """A text of 100 letters is cut to what fits, longer on a wider plot."""
    counts = life("2026-03-01T10:00:00", [5], engagement_type="engagements")
    posts = pd.DataFrame({"post_id": counts["post_id"].unique(), "text": "doors are open " * 7})
    ax = Figure(figsize=(width, 3), layout="constrained").subplots()
    plot_top_posts(counts, posts=posts, ax=ax)
    ax.figure.draw_without_rendering()
    name = ax.get_yticklabels()[0].get_text()
    assert least < len(name) < 66
    assert ax.bbox.width > 0.45 * ax.figure.bbox.width
