"""Plots of cumulative counts by age, with the bands of a cohort."""

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
"""Typed as Any, since matplotlib's annotations lack methods of artists."""

CREATED = "2026-03-01T10:30:00"


def of_gid(artists: Any, gid: str) -> Any:
    """Return the only artist with this gid."""
    (artist_,) = [artist for artist in artists if artist.get_gid() == gid]
    return artist_


def cohort_of(life: Callable[..., pd.DataFrame], number: int) -> pd.DataFrame:
    """Return posts of one minute: post n gets n counts each hour."""
    return pd.concat([life(CREATED, [n, n, n], serial=n) for n in range(1, number + 1)])


def test_points_are_at_the_ends_of_hours(life: Any) -> None:
    """Created at 10:30, the post is 30 minutes old after the first hour; 5, 5 + 7, 12 - 2."""
    line = plot_cumulative(life(CREATED, [5, 7, -2])).lines[0]
    assert line.get_xdata().tolist() == [0, 0.5, 1.5, 2.5]
    assert line.get_ydata().tolist() == [0, 5, 12, 10]


def test_labels_have_units(life: Any) -> None:
    """An age has no time zone."""
    ax = plot_cumulative(life(CREATED, [5, 7], engagement_type="favorites"))
    assert ax.get_xlabel() == "hours since the post was made"
    assert ax.get_ylabel() == "cumulative favorites"


@pytest.mark.slow
def test_bands_are_percentiles_of_the_cohort(life: Any) -> None:
    """At 2.5 hours posts 1 to 9 have 3 to 27; numpy gives the percentiles."""
    ax = plot_cumulative(cohort_of(life, 9))
    counts_at_end = 3 * np.arange(1, 10)
    median = of_gid(ax.lines, "median")
    assert median.get_xdata()[0] == 0
    assert median.get_ydata()[0] == 0
    assert median.get_ydata()[-1] == np.percentile(counts_at_end, 50)
    for low, high in ((10, 90), (25, 75)):
        band = of_gid(ax.collections, f"p{low}-p{high}")
        corners = band.get_paths()[0].vertices
        last = corners[np.isclose(corners[:, 0], 2.5), 1]
        assert last.min() == pytest.approx(np.percentile(counts_at_end, low, method="weibull"))
        assert last.max() == pytest.approx(np.percentile(counts_at_end, high, method="weibull"))


@pytest.mark.slow
def test_the_legend_has_the_size_of_the_cohort(life: Any, legend: Any) -> None:
    """Fewer posts have higher ages."""
    counts = cohort_of(life, 9)
    assert "middle 80 % of 9 posts" in legend(plot_cumulative(counts))
    old = counts[(counts["post_id"] > min(counts["post_id"])) | (counts["hour"] < 12)]
    assert "middle 80 % of 8 to 9 posts" in legend(plot_cumulative(old))


def test_four_posts_have_no_bands(life: Any, legend: Any) -> None:
    """The legend has none either."""
    ax = plot_cumulative(cohort_of(life, 4))
    assert [line.get_gid() for line in ax.lines if line.get_gid() == "median"] == []
    assert len(legend(ax)) == 4


def test_a_post_may_have_another_cohort(life: Any) -> None:
    """Only that post is drawn, with the bands of the others."""
    others = cohort_of(life, 6)
    single = life(CREATED, [100, 100, 100], serial=50)
    ax = plot_cumulative(single, cohort=others)
    assert {line.get_gid() for line in ax.lines} == {single["post_id"].iloc[0], "median"}
    assert of_gid(ax.lines, "median").get_ydata()[-1] == 3 * 3.5


@pytest.mark.slow
def test_the_largest_seven_posts_have_colours(life: Any, legend: Any) -> None:
    """The other 18 have one grey line each."""
    ax = plot_cumulative(cohort_of(life, 25))
    own = [line for line in ax.lines if line.get_gid() != "median"]
    assert [line.get_ydata()[-1] for line in own] == [75, 72, 69, 66, 63, 60, 57]
    rest = of_gid(ax.collections, "others")
    assert sorted(path.vertices[-1, 1] for path in rest.get_paths()) == [
        3 * n for n in range(1, 19)
    ]
    assert "18 others" in legend(ax)
    assert ax.get_ylim()[1] > 75


@pytest.mark.parametrize("viral", [1000, 3000])
def test_a_viral_post_makes_the_axis_logarithmic(life: Any, viral: int) -> None:
    """It has ten times the median, and the label names the scale."""
    counts = pd.concat(
        [life(CREATED, [50, size], serial=n) for n, size in enumerate([50, 50, viral])]
    )
    ax = plot_cumulative(counts)
    assert ax.get_yscale() == "log"
    assert ax.get_ylabel() == "cumulative impressions (log scale)"
    assert ax.fmt_ydata(1050) == "1,050"
    low, high = ax.get_ylim()
    assert low == pytest.approx(10)
    assert high > viral + 50


def test_a_large_post_keeps_the_axis_linear(life: Any) -> None:
    """It has nine times the median."""
    counts = pd.concat(
        [life(CREATED, [50, size], serial=n) for n, size in enumerate([50, 50, 850])]
    )
    ax = plot_cumulative(counts)
    assert ax.get_yscale() == "linear"
    assert ax.get_ylim()[0] == 0


def test_the_chart_ends_at_until(life: Any) -> None:
    """Later counts are not drawn."""
    ax = plot_cumulative(life(CREATED, [1] * 10), until=4)
    assert max(ax.lines[0].get_xdata()) == 3.5
    assert ax.get_xlim()[1] < 4


def test_counts_with_a_late_start_are_faint(life: Any, legend: Any) -> None:
    """The first hour is missing, so the line is too low."""
    late = life(CREATED, [5, 7, 9]).iloc[1:]
    ax = plot_cumulative(pd.concat([late, life(CREATED, [1, 1, 1], serial=1)]))
    incomplete = of_gid(ax.lines, f"incomplete:{late['post_id'].iloc[0]}")
    assert incomplete.get_ydata().tolist() == [7, 16]
    assert incomplete.get_alpha() < 0.5
    assert "counts are missing before" in legend(ax)
    assert len(of_gid(ax.lines, late["post_id"].iloc[0]).get_ydata()) == 0


def test_counts_after_a_gap_are_faint(life: Any) -> None:
    """The line is continuous."""
    counts = life(CREATED, [5, 7, 9, 1]).drop(index=2)
    ax = plot_cumulative(counts)
    post = counts["post_id"].iloc[0]
    assert of_gid(ax.lines, post).get_ydata().tolist() == [0, 5, 12]
    assert of_gid(ax.lines, f"incomplete:{post}").get_ydata().tolist() == [12, 13]


def test_ids_without_a_time_have_a_message(rows: pd.DataFrame) -> None:
    """Posts before November 2010 have no age."""
    ax = plot_cumulative(rows, engagement_type="impressions")
    assert [text.get_text() for text in ax.texts] == [
        "these IDs do not tell when the posts were made"
    ]


def test_a_post_has_its_colour_of_other_charts(life: Any) -> None:
    """It follows from all counts."""
    counts = cohort_of(life, 6)
    colours = post_colours(counts)
    ax = plot_cumulative(counts)
    drawn = {line.get_gid(): line.get_color() for line in ax.lines if line.get_gid() != "median"}
    assert {post: to_hex(colour).upper() for post, colour in drawn.items()} == colours


def test_keywords_apply_to_posts(life: Any) -> None:
    """They do not apply to the bands."""
    ax = plot_cumulative(cohort_of(life, 6), lw=5)
    widths = {line.get_linewidth() for line in ax.lines if line.get_gid() != "median"}
    assert widths == {5}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "name one as engagement_type"),
        ({"engagement_type": "impresions"}, "did you mean 'impressions'"),
        ({"engagement_type": "impressions", "until": 0}, "until is 0"),
        ({"engagement_type": "impressions", "until": "week"}, "until is 'week'"),
    ],
)
def test_invalid_arguments_are_refused_without_a_figure(
    rows: pd.DataFrame, arguments: dict[str, Any], message: str
) -> None:
    """Several types, an unknown type, and invalid ages."""
    with pytest.raises(ep.FrameError, match=message):
        plot_cumulative(rows, **arguments)
    assert plt.get_fignums() == []


def test_a_cohort_of_an_incompatible_endpoint_is_refused() -> None:
    """Video views of /totals differ from those of the time series."""
    series = ep.flatten_json({"g": {"2027900000000000000": {"video_views": {"2026-03-01": "5"}}}})
    other = series.copy()
    other.attrs["endpoint"] = "totals"
    with pytest.raises(ep.FrameError, match="same endpoint"):
        plot_cumulative(series, cohort=other)


@pytest.mark.slow
def test_the_headline_has_the_trend_of_the_cohort(life: Any) -> None:
    """Twenty consecutive posts grow or shrink."""
    created = pd.date_range("2026-03-01T00:30:00", periods=20, freq="2h")
    grown = [life(f"{at:%FT%T}", [2**n] * 3, serial=n) for n, at in enumerate(created)]
    text = headline(plot_cumulative(pd.concat(grown), engagement_type="impressions"))
    assert text.startswith("the later half of the cohort got ")
    assert text.endswith("so the bands are too low for new posts")
    shrunk = [life(f"{at:%FT%T}", [2 ** (20 - n)] * 3, serial=n) for n, at in enumerate(created)]
    assert headline(plot_cumulative(pd.concat(shrunk))).endswith("too high for new posts")
    assert headline(plot_cumulative(cohort_of(life, 9))) == ""


@pytest.mark.long
def test_grey_lines_of_300_posts_do_not_hide_the_bands(life: Any) -> None:
    """Each is fainter than one of few, but the legend shows the grey as it is."""
    few, many = (plot_cumulative(cohort_of(life, number)) for number in (25, 300))
    greys = [of_gid(ax.collections, "others").get_alpha() for ax in (few, many)]
    assert greys[0] == 0.7
    assert greys[1] < 0.25
    names = [text.get_text() for text in many.get_legend().get_texts()]
    key = many.get_legend().legend_handles[names.index("293 others")]
    assert key.get_alpha() == 0.7
