"""Bars of sums by type."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

import engagement_pandas as ep
from engagement_pandas import plots
from engagement_pandas.plots import COLOURS
from engagement_pandas.plots.bars import hatch_missing

plot_by_type: Any = plots.plot_by_type
"""Typed as Any, since matplotlib's annotations lack methods of artists."""


def test_the_largest_bar_is_on_top(rows: pd.DataFrame) -> None:
    """10 + 20 + 5 + 1 impressions and 3 favorites."""
    ax = plot_by_type(rows)
    assert {bar.get_gid(): bar.get_width() for bar in ax.patches} == {
        "impressions": 36,
        "favorites": 3,
    }
    assert [label.get_text() for label in ax.get_yticklabels()] == ["impressions", "favorites"]
    assert ax.yaxis_inverted()
    assert [text.get_text() for text in ax.texts] == ["36", "3"]


@pytest.mark.slow
def test_the_label_has_the_days_and_the_zone(rows: pd.DataFrame) -> None:
    """Days are UTC; totals have none."""
    label = plot_by_type(rows).get_xlabel().replace("\n", " ")
    assert label == "counts, 2026-03-01 to 2026-03-02 (UTC); hatched: counts are missing"
    hatched = {bar.get_gid(): bar.get_hatch() for bar in plot_by_type(rows).patches}
    assert hatched == {"impressions": "///", "favorites": "///"}
    complete = rows[(rows["post_id"] == "1") & (rows["day"] == "2026-03-01")]
    complete = complete[complete["engagement_type"] == "impressions"]
    assert [bar.get_hatch() for bar in plot_by_type(complete).patches] == [None]
    assert plot_by_type(rows.iloc[:1]).get_xlabel() == "counts, 2026-03-01 (UTC)"
    totals = ep.flatten_json({"g": {"1": {"favorites": "7"}}})
    assert plot_by_type(totals).get_xlabel() == "counts"


def test_unknown_counts_are_not_zero(hourly: Any) -> None:
    """A type without counts has a message; a count of zero is 0."""
    ax = plot_by_type(
        hourly(
            ("1", "favorites", "2026-03-01", 5, 3),
            ("1", "replies", "2026-03-01", 5, 0),
            ("1", "url_clicks", "2026-03-01", 5, pd.NA),
        )
    )
    assert [text.get_text() for text in ax.texts] == ["3", "0", "no counts"]


COUNTS = {"impressions": 5000, "media_views": 1000, "engagements": 50, "favorites": 10}


def draw_types(hourly: Any, numbers: dict[str, Any]) -> Any:
    """Draw one hour of one post."""
    return plot_by_type(
        hourly(
            *(("1", engagement_type, "2026-03-01", 5, n) for engagement_type, n in numbers.items())
        )
    )


def test_views_have_a_separate_scale(hourly: Any) -> None:
    """5,000 impressions are as long as 50 engagements; widths are the counts."""
    ax = draw_types(hourly, COUNTS)
    ax.figure.draw_without_rendering()
    length = {bar.get_gid(): bar.get_window_extent().width for bar in ax.patches}
    assert length["engagements"] == pytest.approx(length["impressions"])
    assert length["favorites"] == pytest.approx(length["impressions"] / 5)
    assert length["media_views"] == pytest.approx(length["impressions"] / 5)
    assert {bar.get_gid(): bar.get_width() for bar in ax.patches} == COUNTS
    assert list(ax.get_xticks()) == []
    assert "views and others have different scales" in ax.get_xlabel().replace("\n", " ")
    rows = [bar.get_y() for bar in ax.patches]
    assert rows[2] - rows[1] > rows[1] - rows[0] == pytest.approx(rows[3] - rows[2])


def test_bars_have_shares_of_impressions(hourly: Any) -> None:
    """50 and 10 of 5,000; views have none, and without impressions there are none."""
    texts = [text.get_text() for text in draw_types(hourly, COUNTS).texts]
    assert texts == ["5,000", "1,000", "50 (1 %)", "10 (0.2 %)"]
    without_impressions = draw_types(hourly, COUNTS | {"impressions": pd.NA})
    assert [text.get_text() for text in without_impressions.texts] == [
        "1,000",
        "no counts",
        "50",
        "10",
    ]


def test_two_bars_have_one_scale(hourly: Any) -> None:
    """Two bars of the same length would show nothing."""
    ax = draw_types(hourly, {"impressions": 5000, "engagements": 50})
    ax.figure.draw_without_rendering()
    length = {bar.get_gid(): bar.get_window_extent().width for bar in ax.patches}
    assert length["engagements"] == pytest.approx(length["impressions"] / 100)
    assert len(ax.get_xticks()) > 1


def test_a_negative_sum_has_a_bar_to_the_left(hourly: Any) -> None:
    """There are more unlikes than likes."""
    ax = plot_by_type(
        hourly(("1", "favorites", "2026-03-01", 5, -40), ("1", "replies", "2026-03-01", 5, 10))
    )
    assert [bar.get_width() for bar in ax.patches] == [10, -40]
    left, right = ax.get_xlim()
    assert left < -40
    assert right > 10
    assert ax.texts[1].get_horizontalalignment() == "right"


def test_a_type_has_its_colour_of_other_charts(rows: pd.DataFrame) -> None:
    """It follows from its position in the vocabulary."""
    ax = plot_by_type(rows[rows["engagement_type"] == "favorites"])
    drawn = ep.plot_over_time(rows[rows["engagement_type"] == "favorites"]).lines[0].get_color()
    (red, green, blue, _) = ax.patches[0].get_facecolor()
    assert drawn == COLOURS[2]
    colour = "#" + "".join(f"{round(255 * part):02X}" for part in (red, green, blue))
    assert colour == drawn


def test_keywords_apply_to_bars(rows: pd.DataFrame) -> None:
    """They are matplotlib's."""
    assert {bar.get_height() for bar in plot_by_type(rows, height=0.2).patches} == {0.2}


def test_a_frame_without_counts_is_refused() -> None:
    """The error has the column."""
    with pytest.raises(ep.FrameError, match="lack the column"):
        plot_by_type(pd.DataFrame({"count": [1]}))


@pytest.mark.parametrize(("colour", "hatch"), [("white", "#8c8c8c"), ("#0072b2", "#ffffff")])
def test_hatches_can_be_seen_on_any_bar(colour: str, hatch: str) -> None:
    """Black bars are white on a dark page, where white hatches would be lost."""
    bar = Rectangle((0, 0), 1, 1, facecolor=colour)
    assert hatch_missing([bar], [3]) == "; hatched: counts are missing"
    assert to_hex(bar.get_edgecolor()) == hatch
