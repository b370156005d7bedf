"""States of an explorer: without data or selection, invalid, drawing, failed, valid again."""

from __future__ import annotations

import gc
import html
from datetime import date
from typing import Any

import pandas as pd
import pytest

from engagement_pandas import plots
from engagement_pandas.explorers import BestTimesExplorer, CompareExplorer, EngagementExplorer
from engagement_pandas.explorers.widgets import MARK

pytestmark = pytest.mark.usefixtures("without_svg")
EXPLORERS = (EngagementExplorer, BestTimesExplorer, CompareExplorer)
each_explorer = pytest.mark.parametrize("explorer_class", EXPLORERS)
FEBRUARY = date(2026, 2, 1)


def fail(*_: Any, **__: Any) -> None:
    """Raise an error that no plot raises."""
    msg = "<b>no</b> & 'why'"
    raise ZeroDivisionError(msg)


def page_of(explorer: Any) -> dict[str, Any]:
    """Return the parts of the page except the chart itself."""
    return {
        "status": explorer.status.html,
        "alert": explorer.alert.html,
        "label": explorer.chart.label,
        "stale": explorer.chart.stale,
        "busy": explorer.chart.busy,
        "code": explorer.code,
    }


def message_only(message: str, label: str | None = None) -> dict[str, Any]:
    """Return the page of an explorer without a chart and without an error."""
    return {
        "status": message,
        "alert": "",
        "label": label or message,
        "stale": False,
        "busy": False,
        "code": "",
    }


@pytest.mark.slow
@each_explorer
@pytest.mark.parametrize("name", ["empty", "no rows at all"])
def test_an_empty_frame_has_a_message(
    explore: Any, counts: pd.DataFrame, explorer_class: Any, name: str
) -> None:
    """The status and the chart have it; there is no code and no table."""
    frame = counts.iloc[:0]
    if name == "empty":
        frame = frame.reset_index(drop=True)
    explorer = explore(frame, explorer_class=explorer_class)
    assert page_of(explorer) == message_only("There are no counts: the frame is empty")
    assert explorer.table.html == ""
    assert len(explorer.selection) == 0


@pytest.mark.slow
@pytest.mark.parametrize("explorer_class", [EngagementExplorer, BestTimesExplorer])
def test_no_selected_post_has_a_message(
    explore: Any, counts: pd.DataFrame, explorer_class: Any
) -> None:
    """The selection is empty, and the table is removed."""
    explorer = explore(counts, explorer_class=explorer_class)
    explorer.controls["posts"].value = ()
    assert page_of(explorer) == message_only("No post is selected")
    assert explorer.table.html == ""
    assert len(explorer.selection) == 0


@pytest.mark.slow
def test_no_selected_type_has_a_message(explore: Any, counts: pd.DataFrame) -> None:
    """The selection is empty."""
    explorer = explore(counts)
    explorer.controls["types"].value = ()
    assert page_of(explorer) == message_only("No engagement type is selected")
    assert len(explorer.selection) == 0


def test_days_without_rows_have_a_message(
    explore: Any, set_controls: Any, counts: pd.DataFrame
) -> None:
    """It has the days."""
    explorer = set_controls(explore.without_drawing(counts), first=FEBRUARY, last=date(2026, 2, 2))
    message = "There are no such counts for these posts from 2026-02-01 to 2026-02-02"
    assert page_of(explorer) == message_only(message)


@pytest.mark.slow
@pytest.mark.parametrize("clock", ["time", "age", "total"])
def test_posts_without_rows_have_a_message(
    explore: Any, set_controls: Any, counts: pd.DataFrame, ids: tuple[str, ...], clock: str
) -> None:
    """A post has no favorites; the days are in the message if they have an effect."""
    explorer = set_controls(
        explore.without_drawing(counts), posts=ids[1:2], types=("favorites",), clock=clock
    )
    assert page_of(explorer) | {"status": "", "label": ""} == message_only("")
    assert ("2026-02-28" in explorer.status.html) == (clock != "age")
    set_controls(explorer, first=None, last=None)
    assert "None" not in explorer.status.html
    assert len(explorer.selection) == 0


def test_the_message_of_totals_has_no_days(
    explore: Any, set_controls: Any, frames: dict[str, pd.DataFrame], ids: tuple[str, ...]
) -> None:
    """Totals have no days."""
    explorer = set_controls(
        explore.without_drawing(frames["totals"]), posts=ids[1:2], types=("favorites",)
    )
    assert explorer.status.html == "There are no such counts for these posts"


@pytest.mark.slow
@pytest.mark.parametrize(
    "choice",
    [
        {"types": ("favorites", "engagements")},
        {"types": ("favorites", "impressions")},
        {"types": ("favorites", "engagements"), "measure": "rate"},
        {"types": ("favorites", "engagements"), "clock": "total"},
    ],
    ids=str,
)
def test_a_selected_type_without_rows_is_left_out(
    explore: Any,
    set_controls: Any,
    counts: pd.DataFrame,
    ids: tuple[str, ...],
    choice: dict[str, Any],
) -> None:
    """The other one is drawn, in either order."""
    explorer = set_controls(
        explore.without_drawing(counts), posts=ids[1:2], lines="engagement_type", **choice
    )
    assert explorer.alert.html == ""
    assert explorer.code
    assert "favorites" not in explorer.chart.label


def test_a_rate_without_a_numerator_has_a_message(
    explore: Any, set_controls: Any, counts: pd.DataFrame, ids: tuple[str, ...]
) -> None:
    """Impressions alone have no rate, which is not an error."""
    explorer = set_controls(
        explore.without_drawing(counts), posts=ids[1:2], types=("favorites",), measure="rate"
    )
    assert explorer.alert.html == ""
    assert explorer.status.html.startswith("There are no such counts")


@pytest.mark.slow
def test_an_unknown_type_without_rows_is_left_out(
    explore: Any, set_controls: Any, tidy: Any, ids: tuple[str, ...]
) -> None:
    """A new type of X is not a misspelling."""
    rows = [(ids[0], "zaps", 5), (ids[1], "boosts", 7), (ids[1], "impressions", 90)]
    counts = tidy(rows, ("post_id", "engagement_type", "count"))
    explorer = set_controls(explore.without_drawing(counts), posts=ids[:1], lines="engagement_type",
                   types=("boosts", "zaps"))  # fmt: skip
    assert explorer.alert.html == ""
    assert set(explorer.selection["engagement_type"]) == {"zaps"}
    assert "plot_by_type" in explorer.code
    for explorer_class in (BestTimesExplorer, CompareExplorer):
        assert explore(counts, explorer_class=explorer_class).alert.html == ""


@pytest.mark.slow
@pytest.mark.parametrize("explorer_class", [EngagementExplorer, BestTimesExplorer])
def test_unknown_counts_are_not_drawn(
    explore: Any, counts: pd.DataFrame, explorer_class: Any
) -> None:
    """They are not zeros in the table either."""
    unknown = counts.assign(count=pd.array([pd.NA] * len(counts), dtype="Int64"))
    explorer = explore(unknown, explorer_class=explorer_class)
    assert explorer.alert.html == ""
    assert explorer.chart.label != "no chart yet"


def test_from_after_to_has_an_alert(explore: Any, set_controls: Any, counts: pd.DataFrame) -> None:
    """It has both days and the cure; the old chart is stale, and the code is removed."""
    explorer = set_controls(explore.without_drawing(counts), last=FEBRUARY)
    message = "From (2026-02-28) is after To (2026-02-01); swap them"
    assert explorer.alert.html == message
    assert explorer.status.html == ""
    assert MARK in explorer.controls["last"]._dom_classes
    assert explorer.chart.stale
    assert explorer.table.stale
    assert explorer.code == explorer._python.html == ""
    with pytest.raises(ValueError, match="swap them"):
        _ = explorer.selection


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_from_after_to_has_no_effect_on_ages(
    explore: Any, set_controls: Any, counts: pd.DataFrame
) -> None:
    """Ages have no dates."""
    explorer = set_controls(explore.without_drawing(counts), last=FEBRUARY, clock="age")
    assert explorer.alert.html == ""
    assert len(explorer.selection) == 200


@pytest.mark.slow
def test_valid_days_restore_the_page(explore: Any, set_controls: Any, counts: pd.DataFrame) -> None:
    """The page is the one before the error."""
    explorer = explore(counts)
    before, table = page_of(explorer), explorer.table.html
    set_controls(explorer, last=FEBRUARY)
    set_controls(explorer, last=date(2026, 3, 5))
    assert page_of(explorer) == before
    assert (explorer.table.html, explorer.table.stale) == (table, False)


@pytest.mark.slow
@each_explorer
def test_the_chart_is_busy_while_drawing(
    explore: Any, counts: pd.DataFrame, explorer_class: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not busy afterwards."""
    explorer = explore(counts, explorer_class=explorer_class)
    seen = []
    svg = explorer._picture.svg

    def watched(draw: Any) -> str:
        seen.append(explorer.chart.busy)
        return str(svg(draw))

    monkeypatch.setattr(explorer._picture, "svg", watched)
    changes: list[bool] = []
    explorer.chart.observe(lambda change: changes.append(change.new), "busy")
    explorer.redraw()
    assert seen == [True]
    assert changes == [True, False]


@pytest.mark.slow
@each_explorer
def test_an_error_has_an_alert_and_is_logged(
    explore: Any, counts: pd.DataFrame, explorer_class: Any, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """The alert is escaped; the old chart is stale and not busy."""
    explorer = explore(counts, explorer_class=explorer_class)
    chart = explorer.chart.html
    monkeypatch.setattr(explorer._picture, "svg", fail)
    explorer.redraw()
    assert html.unescape(explorer.alert.html) == "ZeroDivisionError: <b>no</b> & 'why'"
    assert "<b>" not in explorer.alert.html
    assert (explorer.chart.stale, explorer.chart.busy) == (True, False)
    assert explorer.chart.html == chart
    assert explorer.status.html == ""
    (record,) = caplog.records
    assert record.name == "engagement_pandas"
    assert record.exc_info is not None


@pytest.mark.slow
@each_explorer
def test_an_explorer_works_after_an_error(
    explore: Any, counts: pd.DataFrame, explorer_class: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next valid change updates the chart and removes the alert."""
    explorer = explore(counts, explorer_class=explorer_class)
    with monkeypatch.context() as broken:
        broken.setattr(explorer._picture, "svg", fail)
        explorer.controls["tz"].value = "Asia/Tokyo"
        assert explorer.alert.html != ""
    assert not any(getattr(control, "disabled", False) for control in explorer.controls.values())
    explorer.controls["tz"].value = "UTC"
    assert explorer.alert.html == ""
    assert explorer.status.html != ""
    assert (explorer.chart.stale, explorer.chart.busy) == (False, False)
    assert explorer.code


@pytest.mark.slow
def test_an_error_in_the_table_ends_the_busy_state(
    explore: Any, counts: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chart is stale."""
    explorer = explore(counts)
    monkeypatch.setattr(explorer, "_table", fail)
    explorer.redraw()
    assert (explorer.chart.stale, explorer.chart.busy) == (True, False)


@pytest.mark.usefixtures("fake_drawing")
def test_our_own_errors_have_no_class_name_or_log(
    explore: Any, set_controls: Any, counts: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    """Their message has the cure."""
    explorer = set_controls(explore.without_drawing(counts), last=FEBRUARY)
    assert explorer.alert.html.startswith("From (")
    assert caplog.records == []


@pytest.mark.slow
def test_a_warning_of_a_plot_has_an_alert(
    explore: Any, counts: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Warnings are errors in these tests."""
    import warnings  # noqa: PLC0415 - only here

    explorer = explore(counts)

    def warns(*_: Any, **__: Any) -> None:
        warnings.warn("a glyph is missing", stacklevel=1)

    monkeypatch.setattr(plots, "plot_over_time", warns)
    explorer.redraw()
    assert "a glyph is missing" in explorer.alert.html


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
@pytest.mark.parametrize(
    ("explorer_class", "message"),
    [
        (EngagementExplorer, "5 of 5 posts, 1 of 3 engagement types, 200 counts"),
        (BestTimesExplorer, "5 of 5 posts; no hour stands out"),
    ],
)
def test_the_status_counts_the_selection(
    explore: Any, counts: pd.DataFrame, explorer_class: Any, message: str
) -> None:
    """The numbers were worked out by hand."""
    assert explore(counts, explorer_class=explorer_class).status.html == message


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_lines_of_posts_have_one_type(
    explore: Any, set_controls: Any, counts: pd.DataFrame
) -> None:
    """Another type replaces it; lines of types may have several."""
    types = (explorer := explore.without_drawing(counts)).controls["types"]
    types.value = ("impressions", "favorites")
    assert types.value == ("favorites",)
    set_controls(explorer, lines="engagement_type", types=("impressions", "favorites"))
    assert types.value == ("impressions", "favorites")
    set_controls(explorer, lines="post_id")
    assert types.value == ("impressions",)
    assert explorer.status.html == "5 of 5 posts, 1 of 3 engagement types, 200 counts"


@pytest.mark.usefixtures("fake_drawing")
def test_counts_without_posts_have_no_number_of_posts(
    explore: Any, frames: dict[str, pd.DataFrame]
) -> None:
    """The status has no "0 of 0 posts"."""
    explorer = explore(frames["types alone"])
    assert explorer.status.html == "1 of 3 engagement types, 1 count"


@pytest.mark.slow
@pytest.mark.parametrize("explorer_class", [BestTimesExplorer, CompareExplorer])
def test_a_rate_without_two_types_has_a_message(
    explore: Any, frames: dict[str, pd.DataFrame], explorer_class: Any
) -> None:
    """The explorer of comparisons uses another measure."""
    for name in ("impressions alone", "no impressions"):
        explorer = explore(frames[name], explorer_class=explorer_class)
        assert explorer.alert.html == ""
        if explorer_class is BestTimesExplorer:
            message = "A rate needs counts of impressions and of another engagement type"
            assert page_of(explorer) == message_only(message)


@pytest.mark.parametrize("explorer_class", [BestTimesExplorer, CompareExplorer])
def test_counts_without_posts_are_refused(
    frames: dict[str, pd.DataFrame], widgets: Any, explorer_class: Any
) -> None:
    """No widget is left."""
    before = widgets()
    with pytest.raises(ValueError, match="lack the column 'post_id'"):
        explorer_class(frames["without posts"])
    assert widgets() == before


@pytest.mark.long
@each_explorer
@pytest.mark.parametrize("name", ["by hour", "by day", "totals", "hours of the day"])
def test_every_explorer_accepts_every_grouping(
    explore: Any, frames: dict[str, pd.DataFrame], explorer_class: Any, name: str
) -> None:
    """Counts have posts."""
    explorer = explore(frames[name], explorer_class=explorer_class)
    assert explorer.alert.html == ""
    assert explorer.code


@pytest.mark.slow
def test_ids_without_a_time_have_a_message_for_ages(
    explore: Any, set_controls: Any, tidy: Any
) -> None:
    """IDs before November 2010 contain no time."""
    counts = tidy([("20", "impressions", "2026-03-01", 5, 9)])
    explorer = set_controls(explore.without_drawing(counts), clock="age", measure="cumulative")
    assert explorer.alert.html == ""
    assert "do not tell when the posts were made" in explorer.chart.label
    for explorer_class in (BestTimesExplorer, CompareExplorer):
        assert explore(counts, explorer_class=explorer_class).alert.html == ""


@pytest.mark.slow
def test_the_chart_is_sent_before_the_table_is_made(
    explore: Any, counts: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user sees it first."""
    explorer = explore(counts)
    seen = []
    table = explorer._table

    def watched(*args: Any) -> str:
        seen.append((explorer.chart.html, explorer.chart.busy))
        return str(table(*args))

    monkeypatch.setattr(explorer, "_table", watched)
    explorer.controls["every"].value = "D"
    assert seen == [(explorer.chart.html, False)]


@pytest.mark.slow
@pytest.mark.parametrize("set_collection", [gc.enable, gc.disable])
def test_garbage_collection_is_delayed_while_drawing(
    explore: Any, counts: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, set_collection: Any
) -> None:
    """Its earlier state is restored, also after an error."""
    explorer = explore(counts)
    seen = []
    view = explorer._view

    def watched() -> Any:
        seen.append(gc.isenabled())
        return view()

    monkeypatch.setattr(explorer, "_view", watched)
    try:
        set_collection()
        explorer.redraw()
        assert gc.isenabled() == (set_collection is gc.enable)
        monkeypatch.setattr(explorer, "_view", fail)
        explorer.redraw()
        assert gc.isenabled() == (set_collection is gc.enable)
    finally:
        gc.enable()
    assert seen == [False]
