"""Artists, not pixels: what the lines and axes of rates over time say."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

import engagement_pandas as ep
from engagement_pandas import plots
from engagement_pandas.plots import post_colours

plot_rate_over_time: Any = plots.plot_rate_over_time
"""Its artists can do more than matplotlib's annotations know."""


@pytest.fixture
def rated(hourly: Any) -> pd.DataFrame:
    """Two posts, three hours, three types; the second post has no impressions at first."""
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
            (post, kind, "2026-03-01", 5 + place, count)
            for (post, kind), counts in numbers.items()
            for place, count in enumerate(counts)
        )
    )


def gids(ax: Any) -> list[str]:
    """Return the names of the lines."""
    return [line.get_gid() for line in ax.lines]


def test_one_line_of_everything(rated: pd.DataFrame, ys: Any, legend: Any) -> None:
    """A ratio of sums over the posts; with the interval of the metric."""
    ax = plot_rate_over_time(rated)
    assert ys(ax) == {"engagements": [10 / 100, 31 / 300, 11 / 400]}
    assert ax.get_ylabel() == "hourly engagements over impressions"
    assert ax.get_xlabel() == "time (UTC)"
    assert legend(ax) == ["engagements", "95 % interval"]
    (band,) = [each for each in ax.collections if each.get_gid() == "interval"]
    table = ep.rate_over_time(rated, every="h")
    corners = band.get_paths()[0].vertices[:, 1]
    assert set(table["low"]) | set(table["high"]) == set(corners)


def test_another_confidence(rated: pd.DataFrame, legend: Any) -> None:
    """Its interval is another one, and is called so."""
    ax = plot_rate_over_time(rated, confidence=0.5)
    assert legend(ax)[-1] == "50 % interval"
    (band,) = [each for each in ax.collections if each.get_gid() == "interval"]
    table = ep.rate_over_time(rated, every="h", confidence=0.5)
    assert band.get_paths()[0].vertices[:, 1].max() == table["high"].max()


def test_a_line_each_type(rated: pd.DataFrame, ys: Any) -> None:
    """Every type but the denominator, in vocabulary order, over impressions."""
    ax = plot_rate_over_time(rated, by="engagement_type")
    drawn = ys(ax)
    assert list(drawn) == ["engagements", "favorites"]
    assert drawn["favorites"] == [5 / 100, 4 / 300, 4 / 400]
    assert ax.get_ylabel() == "hourly counts over impressions"
    assert [each.get_gid() for each in ax.collections] == []
    other = plot_rate_over_time(rated, by="engagement_type", denominator="engagements")
    assert gids(other) == ["impressions", "favorites"]
    assert other.get_ylabel() == "hourly counts over engagements"


def test_types_are_those_of_the_metric(demo: Any, ys: Any) -> None:
    """By day, in another zone."""
    words: dict[str, Any] = {"every": "D", "tz": "Asia/Tokyo"}
    drawn = ys(plot_rate_over_time(demo[0], by="engagement_type", minimum=0, **words))
    for kind in ("engagements", "favorites"):
        table = ep.rate_over_time(demo[0], numerator=kind, **words)
        expected = table["rate"].to_numpy(dtype="float64", na_value=np.nan)
        assert np.array_equal(drawn[kind], expected, equal_nan=True)


def test_a_line_each_post(rated: pd.DataFrame, ys: Any, legend: Any) -> None:
    """Most impressions first, each in its colour; no impressions is a gap and no zero."""
    ax = plot_rate_over_time(rated, by="post_id")
    drawn = ys(ax)
    assert list(drawn) == ["1", "2"]
    assert drawn["1"] == [0.1, 0.15, 0.05]
    assert np.isnan(drawn["2"][0])
    assert drawn["2"][1:] == [0.01, 0.02]
    colours = {line.get_gid(): to_hex(line.get_color()).upper() for line in ax.lines}
    assert colours == post_colours(rated)
    assert legend(ax) == ["1", "2"]


def test_posts_by_their_words(rated: pd.DataFrame, legend: Any) -> None:
    """In the legend; in the gid is the ID."""
    posts = pd.DataFrame({"post_id": ["1", "2"], "text": ["Doors are open", "Two for $5"]})
    ax = plot_rate_over_time(rated, by="post_id", posts=posts, numerator="favorites")
    assert legend(ax) == ["Doors are open", "Two for $5"]
    assert gids(ax) == ["1", "2"]
    assert ax.get_ylabel() == "hourly favorites over impressions"


def test_more_posts_than_colours(hourly: Any, ys: Any, legend: Any) -> None:
    """Seven with the most impressions, and the rate of the other 18 together, a ratio of sums."""
    counts = hourly(
        *[
            (str(n), kind, "2026-03-01", 5, count)
            for n in range(1, 26)
            for kind, count in (("impressions", 100 * n), ("engagements", 200 * (26 - n)))
        ]
    )
    ax = plot_rate_over_time(counts, by="post_id")
    drawn = ys(ax)
    assert list(drawn) == ["25", "24", "23", "22", "21", "20", "19", "18 others"]
    assert drawn["25"] == [200 / 2500]
    rest = range(1, 19)
    assert drawn["18 others"] == [sum(200 * (26 - n) for n in rest) / sum(100 * n for n in rest)]
    assert ax.lines[-1].get_color() == "#8C8C8C"
    assert legend(ax)[-1] == "18 others (together)"


def test_a_column_of_ones_own(rated: pd.DataFrame, ys: Any) -> None:
    """What was merged to the counts may be what is compared."""
    counts = rated.assign(campaign=rated["post_id"].map({"1": "spring", "2": "autumn"}))
    assert ys(plot_rate_over_time(counts, by="campaign"))["spring"] == [0.1, 0.15, 0.05]
    none = rated.assign(campaign=pd.Series(pd.NA, rated.index, dtype="str"))
    assert gids(plot_rate_over_time(none, by="campaign")) == ["<NA>"]


def test_few_impressions_are_a_gap(hourly: Any, ys: Any, legend: Any) -> None:
    """One engagement with one impression is no 100 %; the legend says what is left out."""
    numbers = {"impressions": [500, 1, 9, 500], "engagements": [10, 1, 0, 5]}
    counts = hourly(
        *(
            ("1", kind, "2026-03-01", 5 + place, count)
            for kind, each in numbers.items()
            for place, count in enumerate(each)
        )
    )
    ax = plot_rate_over_time(counts)
    assert np.isnan(ys(ax)["engagements"]).tolist() == [False, True, True, False]
    assert legend(ax) == ["engagements", "95 % interval", "gaps: < 10 impressions"]
    every = plot_rate_over_time(counts, minimum=0)
    assert ys(every)["engagements"] == [0.02, 1, 0, 0.01]
    few = plot_rate_over_time(counts, minimum=1000)
    assert ys(few)["engagements"] == [0.02, 1, 0, 0.01]
    assert legend(few) == ["engagements", "95 % interval", "beyond the axis"]


def test_the_axis_fits_what_is_known_well(hourly: Any, legend: Any) -> None:
    """Ten impressions do not press ten thousand flat: a triangle where the line leaves."""
    numbers = {
        ("1", "impressions"): [10_000, 10_000],
        ("1", "engagements"): [300, 200],
        ("2", "impressions"): [10, 10],
        ("2", "engagements"): [2, 0],
    }
    counts = hourly(
        *(
            (post, kind, "2026-03-01", 5 + place, count)
            for (post, kind), each in numbers.items()
            for place, count in enumerate(each)
        )
    )
    ax = plot_rate_over_time(counts, by="post_id")
    low, high = ax.get_ylim()
    assert low == 0
    assert 0.03 < high < 0.04
    (beyond,) = [each for each in ax.collections if each.get_gid() == "beyond"]
    assert beyond.get_offsets()[:, 1].tolist() == [high]
    assert legend(ax)[-1] == "beyond the axis"
    calm = plot_rate_over_time(counts[counts["post_id"] == "1"], by="post_id")
    assert [each.get_gid() for each in calm.collections] == ["interval"]


def test_percent(rated: pd.DataFrame) -> None:
    """The axis has percent without needless digits."""
    ax = plot_rate_over_time(rated)
    ax.figure.draw_without_rendering()
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[0] == "0 %"
    assert labels[1] == "4 %"


def test_partial_days(hourly: Any, legend: Any) -> None:
    """Half a day at the beginning is a circle; so is a day in which a count is unknown."""
    start = pd.Timestamp("2026-03-01T12:00")
    hours = [start + pd.Timedelta(hours=n) for n in range(84)]
    counts = hourly(
        *(
            ("1", kind, f"{at:%F}", at.hour, count)
            for kind, count in (("impressions", 100), ("engagements", 3))
            for at in hours
        )
    )
    counts.loc[40, "count"] = pd.NA
    ax = plot_rate_over_time(counts, every="D")
    (marks,) = [each for each in ax.collections if each.get_gid() == "partial"]
    assert len(marks.get_offsets()) == 2
    assert legend(ax) == ["engagements", "partial day", "95 % interval"]


@pytest.mark.slow
def test_nothing_to_divide_by(rated: pd.DataFrame) -> None:
    """Without the denominator, or with nothing beside it, the picture says so."""
    without = rated[rated["engagement_type"] != "impressions"]
    alone = rated[rated["engagement_type"] == "impressions"]
    for counts in (without, alone):
        for by in (None, "post_id", "engagement_type"):
            ax = plot_rate_over_time(counts, by=by)
            assert [text.get_text() for text in ax.texts] == ["no counts to show"]


def test_more_unlikes_than_likes(hourly: Any) -> None:
    """A rate below 0 is drawn, on an axis that goes there."""
    counts = hourly(
        ("1", "impressions", "2026-03-01", 5, 100), ("1", "favorites", "2026-03-01", 5, -3)
    )
    ax = plot_rate_over_time(counts, numerator="favorites")
    assert ax.lines[0].get_ydata().tolist() == [-0.03]
    assert ax.get_ylim()[0] < -0.03


def test_two_pictures_on_the_same_axes(rated: pd.DataFrame) -> None:
    """The limits hold both."""
    ax = plot_rate_over_time(rated)
    plot_rate_over_time(rated, numerator="favorites", ax=ax)
    assert ax.get_ylim()[1] > 0.15
    assert gids(ax) == ["engagements", "favorites"]


@pytest.mark.parametrize(
    ("words", "complaint"),
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
def test_refused(rated: pd.DataFrame, words: dict[str, Any], complaint: str) -> None:
    """What is no column, no rate, no bucket; and no figure is left."""
    with pytest.raises(ep.FrameError, match=complaint):
        plot_rate_over_time(rated, **words)
    assert plt.get_fignums() == []
