"""Growth by age, and the band of a cohort."""

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
from engagement_pandas.plots import headline, post_colours

plot_cumulative: Any = plots.plot_cumulative
"""Its artists can do more than matplotlib's annotations know."""

MADE = "2026-03-01T10:30:00"


def of_gid(artists: Any, gid: str) -> Any:
    """Return the one artist with this gid."""
    (found,) = [artist for artist in artists if artist.get_gid() == gid]
    return found


def cohort_of(life: Callable[..., pd.DataFrame], number: int) -> pd.DataFrame:
    """Make posts of the same minute: post n has n, and then n again, each hour."""
    return pd.concat([life(MADE, [n, n, n], serial=n) for n in range(1, number + 1)])


def test_ages_and_sums(life: Any) -> None:
    """Made at 10:30, so after the first hour 30 minutes old; 5, 5 + 7, 12 - 2."""
    line = plot_cumulative(life(MADE, [5, 7, -2])).lines[0]
    assert line.get_xdata().tolist() == [0, 0.5, 1.5, 2.5]
    assert line.get_ydata().tolist() == [0, 5, 12, 10]


def test_labels(life: Any) -> None:
    """An age has no time zone, but a unit."""
    ax = plot_cumulative(life(MADE, [5, 7], kind="favorites"))
    assert ax.get_xlabel() == "hours since the post was made"
    assert ax.get_ylabel() == "cumulative favorites"


@pytest.mark.slow
def test_the_band_of_the_cohort(life: Any) -> None:
    """At 2.5 hours posts 1 to 9 have 3 to 27: percentiles straight from numpy."""
    ax = plot_cumulative(cohort_of(life, 9))
    had = 3 * np.arange(1, 10)
    median = of_gid(ax.lines, "median")
    assert median.get_xdata()[0] == 0
    assert median.get_ydata()[0] == 0
    assert median.get_ydata()[-1] == np.percentile(had, 50)
    for low, high in ((10, 90), (25, 75)):
        band = of_gid(ax.collections, f"p{low}-p{high}")
        corners = band.get_paths()[0].vertices
        last = corners[np.isclose(corners[:, 0], 2.5), 1]
        assert last.min() == pytest.approx(np.percentile(had, low, method="weibull"))
        assert last.max() == pytest.approx(np.percentile(had, high, method="weibull"))


@pytest.mark.slow
def test_the_band_says_how_many_posts(life: Any, legend: Any) -> None:
    """Percentiles of few posts are worth less; where posts are younger there are fewer."""
    counts = cohort_of(life, 9)
    assert "middle 80 % of 9 posts" in legend(plot_cumulative(counts))
    old = counts[(counts["post_id"] > min(counts["post_id"])) | (counts["hour"] < 12)]
    assert "middle 80 % of 8 to 9 posts" in legend(plot_cumulative(old))


def test_four_posts_are_no_cohort(life: Any, legend: Any) -> None:
    """No band, and nothing about one in the legend."""
    ax = plot_cumulative(cohort_of(life, 4))
    assert [line.get_gid() for line in ax.lines if line.get_gid() == "median"] == []
    assert len(legend(ax)) == 4


def test_one_post_beside_another_cohort(life: Any) -> None:
    """Only that post is drawn, with the band of the others."""
    others = cohort_of(life, 6)
    one = life(MADE, [100, 100, 100], serial=50)
    ax = plot_cumulative(one, cohort=others)
    assert {line.get_gid() for line in ax.lines} == {one["post_id"].iloc[0], "median"}
    assert of_gid(ax.lines, "median").get_ydata()[-1] == 3 * 3.5


@pytest.mark.slow
def test_many_posts(life: Any, legend: Any) -> None:
    """Seven in colours, 18 thin and grey, each by itself and not summed."""
    ax = plot_cumulative(cohort_of(life, 25))
    own = [line for line in ax.lines if line.get_gid() != "median"]
    assert [line.get_ydata()[-1] for line in own] == [75, 72, 69, 66, 63, 60, 57]
    rest = of_gid(ax.collections, "others")
    assert sorted(path.vertices[-1, 1] for path in rest.get_paths()) == [
        3 * n for n in range(1, 19)
    ]
    assert "18 others" in legend(ax)
    assert ax.get_ylim()[1] > 75


@pytest.mark.parametrize("giant", [1000, 3000])
def test_one_giant_does_not_flatten_the_others(life: Any, giant: int) -> None:
    """Ten times the median post makes the axis logarithmic, and its label says so."""
    counts = pd.concat([life(MADE, [50, size], serial=n) for n, size in enumerate([50, 50, giant])])
    ax = plot_cumulative(counts)
    assert ax.get_yscale() == "log"
    assert ax.get_ylabel() == "cumulative impressions (log scale)"
    assert ax.fmt_ydata(1050) == "1,050"
    low, high = ax.get_ylim()
    assert low == pytest.approx(10)
    assert high > giant + 50


def test_large_posts_are_no_giants(life: Any) -> None:
    """Nine times the median is seen as nine times."""
    counts = pd.concat([life(MADE, [50, size], serial=n) for n, size in enumerate([50, 50, 850])])
    ax = plot_cumulative(counts)
    assert ax.get_yscale() == "linear"
    assert ax.get_ylim()[0] == 0


def test_until(life: Any) -> None:
    """Beyond that age nothing is drawn."""
    ax = plot_cumulative(life(MADE, [1] * 10), until=4)
    assert max(ax.lines[0].get_xdata()) == 3.5
    assert ax.get_xlim()[1] < 4


def test_counts_that_begin_late_are_faint(life: Any, legend: Any) -> None:
    """Its first hour is not there: what is drawn is too little, and looks it."""
    late = life(MADE, [5, 7, 9]).iloc[1:]
    ax = plot_cumulative(pd.concat([late, life(MADE, [1, 1, 1], serial=1)]))
    faint = of_gid(ax.lines, f"incomplete:{late['post_id'].iloc[0]}")
    assert faint.get_ydata().tolist() == [7, 16]
    assert faint.get_alpha() < 0.5
    assert "counts are missing before" in legend(ax)
    assert len(of_gid(ax.lines, late["post_id"].iloc[0]).get_ydata()) == 0


def test_a_gap_makes_the_rest_faint(life: Any) -> None:
    """Whole up to the gap, faint after it, hanging together."""
    counts = life(MADE, [5, 7, 9, 1]).drop(index=2)
    ax = plot_cumulative(counts)
    post = counts["post_id"].iloc[0]
    assert of_gid(ax.lines, post).get_ydata().tolist() == [0, 5, 12]
    assert of_gid(ax.lines, f"incomplete:{post}").get_ydata().tolist() == [12, 13]


def test_ids_without_a_time(rows: pd.DataFrame) -> None:
    """Posts of before November 2010 have no age, and the picture says so."""
    ax = plot_cumulative(rows, engagement_type="impressions")
    assert [text.get_text() for text in ax.texts] == [
        "these IDs do not tell when the posts were made"
    ]


def test_a_post_has_its_colour(life: Any) -> None:
    """The one that it has among all the counts."""
    counts = cohort_of(life, 6)
    colours = post_colours(counts)
    ax = plot_cumulative(counts)
    drawn = {line.get_gid(): line.get_color() for line in ax.lines if line.get_gid() != "median"}
    assert {post: to_hex(colour).upper() for post, colour in drawn.items()} == colours


def test_line_keywords(life: Any) -> None:
    """For the posts, not for the band."""
    ax = plot_cumulative(cohort_of(life, 6), lw=5)
    widths = {line.get_linewidth() for line in ax.lines if line.get_gid() != "median"}
    assert widths == {5}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({}, "name one as engagement_type"),
        ({"engagement_type": "impresions"}, "did you mean 'impressions'"),
        ({"engagement_type": "impressions", "until": 0}, "until is 0"),
        ({"engagement_type": "impressions", "until": "week"}, "until is 'week'"),
    ],
)
def test_refused(rows: pd.DataFrame, words: dict[str, Any], complaint: str) -> None:
    """Several types, an unknown one, an age that is none; and no figure is left."""
    with pytest.raises(ep.FrameError, match=complaint):
        plot_cumulative(rows, **words)
    assert plt.get_fignums() == []


def test_a_cohort_of_another_meaning_is_refused() -> None:
    """Video views of /totals are not those of the time series."""
    series = ep.flatten_json({"g": {"2027900000000000000": {"video_views": {"2026-03-01": "5"}}}})
    other = series.copy()
    other.attrs["endpoint"] = "totals"
    with pytest.raises(ep.FrameError, match="same endpoint"):
        plot_cumulative(series, cohort=other)


@pytest.mark.slow
def test_a_trend_of_the_cohort_is_stated(life: Any) -> None:
    """Twenty posts, made after each other: as they grow or shrink, the headline says so."""
    made = pd.date_range("2026-03-01T00:30:00", periods=20, freq="2h")
    grown = [life(f"{at:%FT%T}", [2**n] * 3, serial=n) for n, at in enumerate(made)]
    words = headline(plot_cumulative(pd.concat(grown), engagement_type="impressions"))
    assert words.startswith("the later half of the cohort got ")
    assert words.endswith("so the bands are too low for new posts")
    shrunk = [life(f"{at:%FT%T}", [2 ** (20 - n)] * 3, serial=n) for n, at in enumerate(made)]
    assert headline(plot_cumulative(pd.concat(shrunk))).endswith("too high for new posts")
    assert headline(plot_cumulative(cohort_of(life, 9))) == ""
