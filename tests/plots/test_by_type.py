"""Bars of the types' sums."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas import plots
from engagement_pandas.plots import COLOURS

plot_by_type: Any = plots.plot_by_type
"""Its artists can do more than matplotlib's annotations know."""


def test_largest_on_top(rows: pd.DataFrame) -> None:
    """10 + 20 + 5 + 1 impressions and 3 favorites, from row 0 down."""
    ax = plot_by_type(rows)
    assert {bar.get_gid(): bar.get_width() for bar in ax.patches} == {
        "impressions": 36,
        "favorites": 3,
    }
    assert [label.get_text() for label in ax.get_yticklabels()] == ["impressions", "favorites"]
    assert ax.yaxis_inverted()
    assert [text.get_text() for text in ax.texts] == ["36", "3"]


@pytest.mark.slow
def test_days_and_zone(rows: pd.DataFrame) -> None:
    """The first and the last UTC day; nothing of the kind for totals."""
    label = plot_by_type(rows).get_xlabel().replace("\n", " ")
    assert label == "counts, 2026-03-01 to 2026-03-02 (UTC); hatched: counts are missing"
    hatched = {bar.get_gid(): bar.get_hatch() for bar in plot_by_type(rows).patches}
    assert hatched == {"impressions": "///", "favorites": "///"}
    whole = rows[(rows["post_id"] == "1") & (rows["day"] == "2026-03-01")]
    whole = whole[whole["engagement_type"] == "impressions"]
    assert [bar.get_hatch() for bar in plot_by_type(whole).patches] == [None]
    assert plot_by_type(rows.iloc[:1]).get_xlabel() == "counts, 2026-03-01 (UTC)"
    totals = ep.flatten_json({"g": {"1": {"favorites": "7"}}})
    assert plot_by_type(totals).get_xlabel() == "counts"


def test_unknown_is_no_zero(hourly: Any) -> None:
    """A type without counts says so; one that was counted and never happened is 0."""
    ax = plot_by_type(
        hourly(
            ("1", "favorites", "2026-03-01", 5, 3),
            ("1", "replies", "2026-03-01", 5, 0),
            ("1", "url_clicks", "2026-03-01", 5, pd.NA),
        )
    )
    assert [text.get_text() for text in ax.texts] == ["3", "0", "no counts"]


KINDS = {"impressions": 5000, "media_views": 1000, "engagements": 50, "favorites": 10}


def by_kind(hourly: Any, numbers: dict[str, Any]) -> Any:
    """Draw one hour of one post."""
    return plot_by_type(hourly(*(("1", kind, "2026-03-01", 5, n) for kind, n in numbers.items())))


def test_views_have_a_scale_of_their_own(hourly: Any) -> None:
    """5,000 impressions are drawn as long as 50 engagements; widths remain the counts."""
    ax = by_kind(hourly, KINDS)
    ax.figure.draw_without_rendering()
    long = {bar.get_gid(): bar.get_window_extent().width for bar in ax.patches}
    assert long["engagements"] == pytest.approx(long["impressions"])
    assert long["favorites"] == pytest.approx(long["impressions"] / 5)
    assert long["media_views"] == pytest.approx(long["impressions"] / 5)
    assert {bar.get_gid(): bar.get_width() for bar in ax.patches} == KINDS
    assert list(ax.get_xticks()) == []
    assert "views and others have different scales" in ax.get_xlabel().replace("\n", " ")
    rows = [bar.get_y() for bar in ax.patches]
    assert rows[2] - rows[1] > rows[1] - rows[0] == pytest.approx(rows[3] - rows[2])


def test_shares_of_impressions(hourly: Any) -> None:
    """50 and 10 of 5,000; views have none, and nothing has one if impressions are missing."""
    texts = [text.get_text() for text in by_kind(hourly, KINDS).texts]
    assert texts == ["5,000", "1,000", "50 (1 %)", "10 (0.2 %)"]
    partly = by_kind(hourly, KINDS | {"impressions": pd.NA})
    assert [text.get_text() for text in partly.texts] == ["1,000", "no counts", "50", "10"]


def test_one_scale_for_a_single_other_type(hourly: Any) -> None:
    """Two bars of the same length would show nothing."""
    ax = by_kind(hourly, {"impressions": 5000, "engagements": 50})
    ax.figure.draw_without_rendering()
    long = {bar.get_gid(): bar.get_window_extent().width for bar in ax.patches}
    assert long["engagements"] == pytest.approx(long["impressions"] / 100)
    assert len(ax.get_xticks()) > 1


def test_below_zero(hourly: Any) -> None:
    """More unlikes than likes: a bar to the left, its number beside it."""
    ax = plot_by_type(
        hourly(("1", "favorites", "2026-03-01", 5, -40), ("1", "replies", "2026-03-01", 5, 10))
    )
    assert [bar.get_width() for bar in ax.patches] == [10, -40]
    left, right = ax.get_xlim()
    assert left < -40
    assert right > 10
    assert ax.texts[1].get_horizontalalignment() == "right"


def test_a_type_has_its_colour(rows: pd.DataFrame) -> None:
    """That of its place in the vocabulary, as in a picture over time."""
    ax = plot_by_type(rows[rows["engagement_type"] == "favorites"])
    drawn = ep.plot_over_time(rows[rows["engagement_type"] == "favorites"]).lines[0].get_color()
    (red, green, blue, _) = ax.patches[0].get_facecolor()
    assert drawn == COLOURS[2]
    found = "#" + "".join(f"{round(255 * part):02X}" for part in (red, green, blue))
    assert found == drawn


def test_bar_keywords(rows: pd.DataFrame) -> None:
    """The words that matplotlib has for bars are passed on."""
    assert {bar.get_height() for bar in plot_by_type(rows, height=0.2).patches} == {0.2}


def test_refused() -> None:
    """What is no frame of counts."""
    with pytest.raises(ep.FrameError, match="lack the column"):
        plot_by_type(pd.DataFrame({"count": [1]}))
