"""Plots of rates over time, tested by their artists."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

import engagement_pandas as ep
from engagement_pandas import plots
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.plots import post_colours

plot_rate_over_time: Any = plots.plot_rate_over_time
"""Typed as Any, since matplotlib's annotations lack methods of artists."""


@pytest.fixture
def counts(hourly: Any) -> pd.DataFrame:
    """Return two posts, three hours, three types; the second post has no impressions at first."""
    numbers = {
        ("1", "impressions"): [100, 200, 100],
        ("1", "engagements"): [10, 30, 5],
        ("1", "favorites"): [5, 4, 1],
        ("2", "impressions"): [0, 100, 300],
        ("2", "engagements"): [0, 1, 6],
        ("2", "favorites"): [0, 0, 3],
    }
    return hourly(
        *(
            (post, engagement_type, "2026-03-01", 5 + i, count)
            for (post, engagement_type), counts in numbers.items()
            for i, count in enumerate(counts)
        )
    )


def gids(ax: Any) -> list[str]:
    """Return the names of the lines."""
    return [line.get_gid() for line in ax.lines]


def test_all_posts_have_one_line(counts: pd.DataFrame, ys: Any, legend: Any) -> None:
    """It is a ratio of sums, with the metric's interval."""
    ax = plot_rate_over_time(counts)
    assert ys(ax) == {"engagements": [10 / 100, 31 / 300, 11 / 400]}
    assert ax.get_ylabel() == "hourly engagements over impressions"
    assert ax.get_xlabel() == "time (UTC)"
    assert legend(ax) == ["engagements", "95 % interval, where it is known"]
    (band,) = [collection for collection in ax.collections if collection.get_gid() == "interval"]
    table = ep.rate_over_time(counts, every="h")
    corners = np.concatenate([path.vertices[:, 1] for path in band.get_paths()])
    known = table[table["high"] < 1000 * table["low"]]
    assert set(known["low"]) | set(known["high"]) == set(corners)


def test_the_confidence_changes_the_interval(counts: pd.DataFrame, legend: Any) -> None:
    """The legend has it."""
    ax = plot_rate_over_time(counts, confidence=0.5)
    assert legend(ax)[-1] == "50 % interval"
    (band,) = [collection for collection in ax.collections if collection.get_gid() == "interval"]
    table = ep.rate_over_time(counts, every="h", confidence=0.5)
    assert band.get_paths()[0].vertices[:, 1].max() == table["high"].max()


def test_each_type_has_a_line(counts: pd.DataFrame, ys: Any) -> None:
    """It is over impressions, in the vocabulary's order, without the denominator."""
    ax = plot_rate_over_time(counts, by="engagement_type")
    drawn = ys(ax)
    assert list(drawn) == ["engagements", "favorites"]
    assert drawn["favorites"] == [5 / 100, 4 / 300, 4 / 400]
    assert ax.get_ylabel() == "hourly counts over impressions"
    assert [collection.get_gid() for collection in ax.collections] == []
    per_engagement = plot_rate_over_time(counts, by="engagement_type", denominator="engagements")
    assert gids(per_engagement) == ["impressions", "favorites"]
    assert per_engagement.get_ylabel() == "hourly counts over engagements"


@pytest.mark.slow
def test_lines_of_types_are_those_of_the_metric(demo: Any, ys: Any) -> None:
    """Rates are by day, in another zone."""
    arguments: dict[str, Any] = {"every": "D", "tz": "Asia/Tokyo"}
    drawn = ys(plot_rate_over_time(demo[0], by="engagement_type", minimum=0, **arguments))
    for engagement_type in ("engagements", "favorites"):
        table = ep.rate_over_time(demo[0], numerator=engagement_type, **arguments)
        expected = table["rate"].to_numpy(dtype="float64", na_value=np.nan)
        assert np.array_equal(drawn[engagement_type], expected, equal_nan=True)


def test_each_post_has_a_line(counts: pd.DataFrame, ys: Any, legend: Any) -> None:
    """The most impressions are first; no impressions are a gap, not a zero."""
    ax = plot_rate_over_time(counts, by="post_id")
    drawn = ys(ax)
    assert list(drawn) == ["1", "2"]
    assert drawn["1"] == [0.1, 0.15, 0.05]
    assert np.isnan(drawn["2"][0])
    assert drawn["2"][1:] == [0.01, 0.02]
    colours = {line.get_gid(): to_hex(line.get_color()).upper() for line in ax.lines}
    assert colours == post_colours(counts)
    assert legend(ax) == ["1", "2"]


def test_posts_have_names_in_the_legend(counts: pd.DataFrame, legend: Any) -> None:
    """The gid is the ID."""
    posts = pd.DataFrame({"post_id": ["1", "2"], "text": ["Doors are open", "Two for $5"]})
    ax = plot_rate_over_time(counts, by="post_id", posts=posts, numerator="favorites")
    assert legend(ax) == ["Doors are open", "Two for $5"]
    assert gids(ax) == ["1", "2"]
    assert ax.get_ylabel() == "hourly favorites over impressions"


def test_the_smallest_posts_share_a_grey_line(hourly: Any, ys: Any, legend: Any) -> None:
    """Seven posts have lines; the other 18 have a ratio of sums."""
    counts = hourly(
        *[
            (str(n), engagement_type, "2026-03-01", 5, count)
            for n in range(1, 26)
            for engagement_type, count in (
                ("impressions", 100 * n),
                ("engagements", 200 * (26 - n)),
            )
        ]
    )
    ax = plot_rate_over_time(counts, by="post_id")
    drawn = ys(ax)
    assert list(drawn) == ["25", "24", "23", "22", "21", "20", "19", "18 others"]
    assert drawn["25"] == [200 / 2500]
    others = range(1, 19)
    assert drawn["18 others"] == [
        sum(200 * (26 - n) for n in others) / sum(100 * n for n in others)
    ]
    assert ax.lines[-1].get_color() == "#8C8C8C"
    assert legend(ax)[-1] == "18 others (together)"


def test_lines_may_be_of_any_column(counts: pd.DataFrame, ys: Any) -> None:
    """Campaigns were merged to the counts."""
    counts = counts.assign(campaign=counts["post_id"].map({"1": "spring", "2": "autumn"}))
    assert ys(plot_rate_over_time(counts, by="campaign"))["spring"] == [0.1, 0.15, 0.05]
    without_campaign = counts.assign(campaign=pd.Series(pd.NA, counts.index, dtype=TEXT))
    assert gids(plot_rate_over_time(without_campaign, by="campaign")) == ["<NA>"]


@pytest.mark.slow
def test_few_impressions_are_a_gap(hourly: Any, ys: Any, legend: Any) -> None:
    """One engagement with one impression is not 100 %; the legend explains the gap."""
    numbers = {"impressions": [500, 1, 9, 500], "engagements": [10, 1, 0, 5]}
    counts = hourly(
        *(
            ("1", engagement_type, "2026-03-01", 5 + n, count)
            for engagement_type, counts_of_type in numbers.items()
            for n, count in enumerate(counts_of_type)
        )
    )
    ax = plot_rate_over_time(counts)
    assert np.isnan(ys(ax)["engagements"]).tolist() == [False, True, True, False]
    assert legend(ax) == ["engagements", "95 % interval", "gaps: < 10 impressions"]
    all_shown = plot_rate_over_time(counts, minimum=0)
    assert ys(all_shown)["engagements"] == [0.02, 1, 0, 0.01]
    few = plot_rate_over_time(counts, minimum=1000)
    assert ys(few)["engagements"] == [0.02, 1, 0, 0.01]
    assert legend(few) == ["engagements", "95 % interval", "beyond the axis"]


def test_the_axis_fits_rates_of_many_impressions(hourly: Any, legend: Any) -> None:
    """A triangle marks where a line of few impressions leaves the axis."""
    numbers = {
        ("1", "impressions"): [10_000, 10_000],
        ("1", "engagements"): [300, 200],
        ("2", "impressions"): [10, 10],
        ("2", "engagements"): [2, 0],
    }
    counts = hourly(
        *(
            (post, engagement_type, "2026-03-01", 5 + n, count)
            for (post, engagement_type), counts_of_type in numbers.items()
            for n, count in enumerate(counts_of_type)
        )
    )
    ax = plot_rate_over_time(counts, by="post_id")
    low, high = ax.get_ylim()
    assert low == 0
    assert 0.03 < high < 0.04
    (beyond,) = [
        counts_of_type for counts_of_type in ax.collections if counts_of_type.get_gid() == "beyond"
    ]
    assert beyond.get_offsets()[:, 1].tolist() == [high]
    assert legend(ax)[-1] == "beyond the axis"
    first_post = plot_rate_over_time(counts[counts["post_id"] == "1"], by="post_id")
    assert [counts_of_type.get_gid() for counts_of_type in first_post.collections] == ["interval"]


@pytest.mark.slow
def test_the_axis_has_percent(counts: pd.DataFrame) -> None:
    """It has no needless digits."""
    ax = plot_rate_over_time(counts)
    ax.figure.draw_without_rendering()
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[0] == "0 %"
    assert labels[1] == "4 %"


def test_partial_days_are_marked(hourly: Any, legend: Any) -> None:
    """The first day is half, and another has an unknown count."""
    start = pd.Timestamp("2026-03-01T12:00")
    hours = [start + pd.Timedelta(hours=n) for n in range(84)]
    counts = hourly(
        *(
            ("1", engagement_type, f"{at:%F}", at.hour, count)
            for engagement_type, count in (("impressions", 100), ("engagements", 3))
            for at in hours
        )
    )
    counts.loc[40, "count"] = pd.NA
    ax = plot_rate_over_time(counts, every="D")
    (marks,) = [collection for collection in ax.collections if collection.get_gid() == "partial"]
    assert len(marks.get_offsets()) == 2
    assert legend(ax) == ["engagements", "partial day", "95 % interval"]


@pytest.mark.slow
def test_rates_without_two_types_have_a_message(counts: pd.DataFrame) -> None:
    """The denominator, or all other types, are missing."""
    without_impressions = counts[counts["engagement_type"] != "impressions"]
    impressions_only = counts[counts["engagement_type"] == "impressions"]
    for part in (without_impressions, impressions_only):
        for by in (None, "post_id", "engagement_type"):
            ax = plot_rate_over_time(part, by=by)
            assert [text.get_text() for text in ax.texts] == ["no counts to show"]


def test_a_negative_rate_is_drawn(hourly: Any) -> None:
    """There are more unlikes than likes, and the axis includes them."""
    counts = hourly(
        ("1", "impressions", "2026-03-01", 5, 100), ("1", "favorites", "2026-03-01", 5, -3)
    )
    ax = plot_rate_over_time(counts, numerator="favorites")
    assert ax.lines[0].get_ydata().tolist() == [-0.03]
    assert ax.get_ylim()[0] < -0.03


def test_the_limits_include_two_plots_on_the_same_axes(counts: pd.DataFrame) -> None:
    """Both draw on one axis."""
    ax = plot_rate_over_time(counts)
    plot_rate_over_time(counts, numerator="favorites", ax=ax)
    assert ax.get_ylim()[1] > 0.15
    assert gids(ax) == ["engagements", "favorites"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"by": "hour"}, "by is 'hour'"),
        ({"by": ["post_id"]}, r"by is \['post_id'\]"),
        ({"numerator": "impressions"}, "name two"),
        ({"denominator": "impresions"}, "did you mean"),
        ({"every": "H"}, "every is 'H'"),
        ({"minimum": -1}, "minimum is -1"),
        ({"posts": ["1"]}, "posts must be a DataFrame"),
    ],
)
def test_invalid_arguments_are_refused_without_a_figure(
    counts: pd.DataFrame, arguments: dict[str, Any], message: str
) -> None:
    """Unknown columns, and invalid rates and buckets."""
    with pytest.raises(ep.FrameError, match=message):
        plot_rate_over_time(counts, **arguments)
    assert plt.get_fignums() == []


def test_an_interval_that_says_nothing_is_not_drawn(hourly: Any, legend: Any) -> None:
    """Two posts with opposite rates: their interval spans a factor of more than 1,000."""
    numbers = {
        ("1", "impressions"): [1000, 1000],
        ("1", "engagements"): [900, 50],
        ("2", "impressions"): [1000, 1000],
        ("2", "engagements"): [1, 50],
    }
    counts = hourly(
        *(
            (post, kind, "2026-03-01", 5 + place, count)
            for (post, kind), each in numbers.items()
            for place, count in enumerate(each)
        )
    )
    ends = ep.rate_over_time(counts, every="h")[["low", "high"]].to_numpy("float64")
    assert ends[0, 1] > 1000 * ends[0, 0]
    assert ends[1, 1] < 1000 * ends[1, 0]
    ax = plot_rate_over_time(counts)
    (band,) = [each for each in ax.collections if each.get_gid() == "interval"]
    corners = np.concatenate([path.vertices[:, 1] for path in band.get_paths()])
    assert set(corners) == set(ends[1])
    assert "95 % interval, where it is known" in legend(ax)


def test_most_rates_are_within_the_axis(hourly: Any) -> None:
    """Where nearly all rates are high and not well known, they are not beyond the axis."""
    sizes = {"impressions": [9_000, 20, 20, 20, 20], "engagements": [90, 20, 19, 18, 21]}
    counts = hourly(
        *(
            ("1", kind, "2026-03-01", place, count)
            for kind, each in sizes.items()
            for place, count in enumerate(each)
        )
    )
    assert plot_rate_over_time(counts, minimum=0).get_ylim()[1] > 0.95
