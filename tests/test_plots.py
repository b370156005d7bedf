"""Artists, not pixels: what the lines, labels and axes say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib import dates
from matplotlib.figure import Figure

import engagement_pandas as ep


@pytest.fixture(autouse=True)
def _closed_figures() -> Iterator[None]:
    """Close whatever a test has drawn."""
    yield
    plt.close("all")


def hourly(*rows: tuple[str, str, str, int, Any]) -> pd.DataFrame:
    """Make tidy counts by hand: post, type, day, hour, count."""
    frame = pd.DataFrame(rows, columns=["post_id", "engagement_type", "day", "hour", "count"])
    return frame.astype(
        {
            "post_id": "str",
            "engagement_type": "category",
            "day": "datetime64[us]",
            "hour": "int8",
            "count": "Int64",
        }
    )


ROWS = hourly(
    ("1", "impressions", "2026-03-01", 22, 10),
    ("1", "impressions", "2026-03-01", 23, 20),
    ("1", "impressions", "2026-03-02", 1, 5),
    ("2", "impressions", "2026-03-01", 22, 1),
    ("2", "impressions", "2026-03-01", 23, pd.NA),
    ("1", "favorites", "2026-03-01", 22, 3),
)


def ys(ax: Any) -> dict[str, list[float]]:
    """Return what each line draws."""
    return {line.get_gid(): list(line.get_ydata()) for line in ax.lines}


def test_a_line_each_type_summed_over_posts() -> None:
    """10 + 1, 20, a gap where there is no hour, 5; favorites has one hour."""
    drawn = ys(ep.plot_over_time(ROWS))
    assert drawn["impressions"][:2] == [11, 20]
    assert np.isnan(drawn["impressions"][2])
    assert drawn["impressions"][3] == 5
    assert drawn["favorites"][0] == 3
    assert np.isnan(drawn["favorites"][1:]).all()


def test_a_line_each_post_largest_first() -> None:
    """<NA> is a gap and no zero."""
    counts = ROWS[ROWS["engagement_type"] == "impressions"]
    drawn = ys(ep.plot_over_time(counts, by="post_id"))
    assert list(drawn) == ["1", "2"]
    assert drawn["2"][0] == 1
    assert np.isnan(drawn["2"][1])


def test_labels_with_units() -> None:
    """What, per what, in which time zone."""
    ax = ep.plot_over_time(ROWS)
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("counts per hour", "time (UTC)")
    daily = ROWS.drop(columns="hour").drop_duplicates(["post_id", "engagement_type", "day"])
    ax = ep.plot_over_time(daily[daily["engagement_type"] == "impressions"])
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("impressions per day", "time (UTC)")


def test_more_posts_than_colours() -> None:
    """Seven lines and one grey one, which sums up the 18 smallest."""
    counts = hourly(*[(str(n), "impressions", "2026-03-01", 5, n) for n in range(1, 26)])
    drawn = ys(ep.plot_over_time(counts, by="post_id"))
    assert list(drawn) == ["25", "24", "23", "22", "21", "20", "19", "18 others"]
    assert drawn["18 others"] == [sum(range(1, 19))]


def test_draws_where_it_is_told() -> None:
    """On given Axes, without pyplot: no figure of its own."""
    ax = Figure().subplots()
    assert ep.plot_over_time(ROWS, ax=ax) is ax
    assert plt.get_fignums() == []


def test_line_keywords() -> None:
    """The words that matplotlib has for lines are passed on."""
    ax = ep.plot_over_time(ROWS, linewidth=5, linestyle="--")
    assert {(line.get_linewidth(), line.get_linestyle()) for line in ax.lines} == {(5, "--")}


@pytest.mark.parametrize(
    "counts", [ROWS.iloc[:0], ROWS.assign(count=pd.array([pd.NA] * len(ROWS), dtype="Int64"))]
)
def test_nothing_to_show(counts: pd.DataFrame) -> None:
    """An empty frame, or one of <NA> alone, is a picture that says so."""
    ax = ep.plot_over_time(counts)
    assert [text.get_text() for text in ax.texts] == ["no counts to show"]
    assert not ax.axison


def test_one_point() -> None:
    """The axis spans hours, not years."""
    ax = ep.plot_over_time(ROWS.iloc[:1])
    left, right = (dates.num2date(x) for x in ax.get_xlim())
    assert (right - left).total_seconds() == 2 * 3600


def test_two_days_have_two_ticks() -> None:
    """One tick a day up to eight days."""
    counts = hourly(
        ("1", "impressions", "2026-03-01", 0, 1), ("1", "impressions", "2026-03-02", 21, 1)
    )
    ax = ep.plot_over_time(counts)
    ticks = [dates.num2date(t) for t in ax.get_xticks()]
    assert [(t.day, t.hour) for t in ticks] == [(1, 0), (2, 0)]


def test_negative_counts_are_shown() -> None:
    """Unlikes: the axis goes below 0; without them it starts there."""
    below = ep.plot_over_time(hourly(("1", "favorites", "2026-03-01", 5, -3)))
    assert below.get_ylim()[0] < -3
    assert ep.plot_over_time(ROWS).get_ylim()[0] == 0


def test_names_are_never_mathematics() -> None:
    """An unknown type with $ and _ stands in the legend as it is."""
    counts = hourly(("1", "_$x^2$", "2026-03-01", 5, 3), ("1", "impressions", "2026-03-01", 5, 3))
    legend = ep.plot_over_time(counts).get_legend()
    assert legend is not None
    texts = {text.get_text(): text.get_parse_math() for text in legend.get_texts()}
    assert texts["_$x^2$"] is False
    assert len(texts) == 2


@pytest.mark.parametrize(
    ("counts", "by", "words"),
    [
        (ROWS.drop(columns="day"), "engagement_type", "have no day"),
        (ROWS.iloc[:1].drop(columns=["day", "hour"]), "engagement_type", "no day"),
        (ROWS, "post_id", "on one engagement type"),
        (ROWS, "hour", "by is 'hour'"),
        (ROWS.iloc[:1].drop(columns="post_id"), "post_id", "by is 'post_id'"),
    ],
)
def test_refused(counts: pd.DataFrame, by: str, words: str) -> None:
    """Counts without time, posts on several types, a column that is none."""
    with pytest.raises(ep.FrameError, match=words):
        ep.plot_over_time(counts, by=by)


def test_nothing_is_changed() -> None:
    """Neither the frame nor matplotlib's settings."""
    before, settings = ROWS.copy(deep=True), dict(plt.rcParams)
    ep.plot_over_time(ROWS)
    pd.testing.assert_frame_equal(ROWS, before)
    assert dict(plt.rcParams) == settings
