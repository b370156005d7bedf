"""No data yet, nothing chosen or counted, the wrong way round, busy, wrong, and right again."""

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

pytestmark = pytest.mark.usefixtures("sketched")
EXPLORERS = (EngagementExplorer, BestTimesExplorer, CompareExplorer)
every_explorer = pytest.mark.parametrize("kind", EXPLORERS)
FEBRUARY = date(2026, 2, 1)


def fails(*_: Any, **__: Any) -> None:
    """Break, as no plot does."""
    msg = "<b>no</b> & 'why'"
    raise ZeroDivisionError(msg)


def told(explorer: Any) -> dict[str, Any]:
    """Return what is on the page beside the picture itself."""
    return {
        "status": explorer.status.html,
        "alert": explorer.alert.html,
        "label": explorer.chart.label,
        "stale": explorer.chart.stale,
        "busy": explorer.chart.busy,
        "code": explorer.code,
    }


def silent(words: str, label: str | None = None) -> dict[str, Any]:
    """Return what is on the page where there is no picture, and that is nobody's fault."""
    return {
        "status": words,
        "alert": "",
        "label": label or words,
        "stale": False,
        "busy": False,
        "code": "",
    }


@pytest.mark.slow
@every_explorer
@pytest.mark.parametrize("name", ["empty", "no rows at all"])
def test_no_data_yet(explore: Any, counts: pd.DataFrame, kind: Any, name: str) -> None:
    """A sentence in the status line and in the chart; no code, no table."""
    frame = counts.iloc[:0]
    if name == "empty":
        frame = frame.reset_index(drop=True)
    explorer = explore(frame, kind=kind)
    assert told(explorer) == silent("There are no counts: the frame is empty")
    assert explorer.table.html == ""
    assert len(explorer.selection) == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", [EngagementExplorer, BestTimesExplorer])
def test_no_post_chosen(explore: Any, counts: pd.DataFrame, kind: Any) -> None:
    """Said, drawn as words, and the selection is empty; the old table goes."""
    explorer = explore(counts, kind=kind)
    explorer.controls["posts"].value = ()
    assert told(explorer) == silent("No post is selected")
    assert explorer.table.html == ""
    assert len(explorer.selection) == 0


@pytest.mark.slow
def test_no_type_chosen(explore: Any, counts: pd.DataFrame) -> None:
    """Said too."""
    explorer = explore(counts)
    explorer.controls["types"].value = ()
    assert told(explorer) == silent("No engagement type is selected")
    assert len(explorer.selection) == 0


def test_no_rows_for_the_days(explore: Any, put: Any, counts: pd.DataFrame) -> None:
    """The sentence names the days."""
    explorer = put(explore.later(counts), first=FEBRUARY, last=date(2026, 2, 2))
    words = "There are no such counts for these posts from 2026-02-01 to 2026-02-02"
    assert told(explorer) == silent(words)


@pytest.mark.slow
@pytest.mark.parametrize("clock", ["time", "age", "total"])
def test_no_rows_for_the_posts(
    explore: Any, put: Any, counts: pd.DataFrame, ids: tuple[str, ...], clock: str
) -> None:
    """A post without favorites; the days are named only where they matter, and never "None"."""
    explorer = put(explore.later(counts), posts=ids[1:2], types=("favorites",), clock=clock)
    assert told(explorer) | {"status": "", "label": ""} == silent("")
    assert ("2026-02-28" in explorer.status.html) == (clock != "age")
    put(explorer, first=None, last=None)
    assert "None" not in explorer.status.html
    assert len(explorer.selection) == 0


def test_no_rows_where_there_are_no_days(
    explore: Any, put: Any, frames: dict[str, pd.DataFrame], ids: tuple[str, ...]
) -> None:
    """Totals: no days, and none in the sentence."""
    explorer = put(explore.later(frames["totals"]), posts=ids[1:2], types=("favorites",))
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
def test_a_chosen_type_without_rows(
    explore: Any, put: Any, counts: pd.DataFrame, ids: tuple[str, ...], choice: dict[str, Any]
) -> None:
    """The other one is drawn, whichever comes first."""
    explorer = put(explore.later(counts), posts=ids[1:2], lines="engagement_type", **choice)
    assert explorer.alert.html == ""
    assert explorer.code
    assert "favorites" not in explorer.chart.label


def test_a_rate_without_its_numerator(
    explore: Any, put: Any, counts: pd.DataFrame, ids: tuple[str, ...]
) -> None:
    """Impressions alone make no rate; that is said, and is no error."""
    explorer = put(explore.later(counts), posts=ids[1:2], types=("favorites",), measure="rate")
    assert explorer.alert.html == ""
    assert explorer.status.html.startswith("There are no such counts")


@pytest.mark.slow
def test_a_type_outside_the_vocabulary_without_rows(
    explore: Any, put: Any, tidy: Any, ids: tuple[str, ...]
) -> None:
    """A type that X may invent is no misspelling where a post lacks it."""
    rows = [(ids[0], "zaps", 5), (ids[1], "boosts", 7), (ids[1], "impressions", 90)]
    counts = tidy(rows, ("post_id", "engagement_type", "count"))
    explorer = put(explore.later(counts), posts=ids[:1], lines="engagement_type",
                   types=("boosts", "zaps"))  # fmt: skip
    assert explorer.alert.html == ""
    assert set(explorer.selection["engagement_type"]) == {"zaps"}
    assert "plot_by_type" in explorer.code
    for kind in (BestTimesExplorer, CompareExplorer):
        assert explore(counts, kind=kind).alert.html == ""


@pytest.mark.slow
@pytest.mark.parametrize("kind", [EngagementExplorer, BestTimesExplorer])
def test_all_counts_unknown(explore: Any, counts: pd.DataFrame, kind: Any) -> None:
    """Rows of <NA> are no counts to draw, and no zeros in the table."""
    unknown = counts.assign(count=pd.array([pd.NA] * len(counts), dtype="Int64"))
    explorer = explore(unknown, kind=kind)
    assert explorer.alert.html == ""
    assert explorer.chart.label != "no chart yet"


def test_from_after_to(explore: Any, put: Any, counts: pd.DataFrame) -> None:
    """An alert that names both days and the cure; the old chart is stale, the code gone."""
    explorer = put(explore.later(counts), last=FEBRUARY)
    words = "From (2026-02-28) is after To (2026-02-01); swap them"
    assert explorer.alert.html == words
    assert explorer.status.html == ""
    assert MARK in explorer.controls["last"]._dom_classes
    assert explorer.chart.stale
    assert explorer.table.stale
    assert explorer.code == explorer._python.html == ""
    with pytest.raises(ValueError, match="swap them"):
        _ = explorer.selection


@pytest.mark.usefixtures("undrawn")
def test_from_after_to_does_not_matter_to_ages(
    explore: Any, put: Any, counts: pd.DataFrame
) -> None:
    """Where there are no dates there is no wrong way round."""
    explorer = put(explore.later(counts), last=FEBRUARY, clock="age")
    assert explorer.alert.html == ""
    assert len(explorer.selection) == 200


@pytest.mark.slow
def test_right_again(explore: Any, put: Any, counts: pd.DataFrame) -> None:
    """After the cure all is as it was."""
    explorer = explore(counts)
    before, table = told(explorer), explorer.table.html
    put(explorer, last=FEBRUARY)
    put(explorer, last=date(2026, 3, 5))
    assert told(explorer) == before
    assert (explorer.table.html, explorer.table.stale) == (table, False)


@pytest.mark.slow
@every_explorer
def test_busy_while_drawing(
    explore: Any, counts: pd.DataFrame, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """True while the picture is made, and False after; seen from within."""
    explorer = explore(counts, kind=kind)
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
@every_explorer
def test_an_error_is_shown(
    explore: Any, counts: pd.DataFrame, kind: Any, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """Escaped, with its kind, and logged; the chart that was there is stale and not busy."""
    explorer = explore(counts, kind=kind)
    chart = explorer.chart.html
    monkeypatch.setattr(explorer._picture, "svg", fails)
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
@every_explorer
def test_usable_after_an_error(
    explore: Any, counts: pd.DataFrame, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next change that works makes the chart fresh, and the alert goes."""
    explorer = explore(counts, kind=kind)
    with monkeypatch.context() as broken:
        broken.setattr(explorer._picture, "svg", fails)
        explorer.controls["tz"].value = "Asia/Tokyo"
        assert explorer.alert.html != ""
    assert not any(getattr(each, "disabled", False) for each in explorer.controls.values())
    explorer.controls["tz"].value = "UTC"
    assert explorer.alert.html == ""
    assert explorer.status.html != ""
    assert (explorer.chart.stale, explorer.chart.busy) == (False, False)
    assert explorer.code


@pytest.mark.slow
def test_an_error_in_the_table_too(
    explore: Any, counts: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever fails, nothing stays busy."""
    explorer = explore(counts)
    monkeypatch.setattr(explorer, "_table", fails)
    explorer.redraw()
    assert (explorer.chart.stale, explorer.chart.busy) == (True, False)


@pytest.mark.usefixtures("undrawn")
def test_our_own_errors_are_sentences(
    explore: Any, put: Any, counts: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    """They say what to do, so they need neither a name nor a log."""
    explorer = put(explore.later(counts), last=FEBRUARY)
    assert explorer.alert.html.startswith("From (")
    assert caplog.records == []


@pytest.mark.slow
def test_a_plot_that_warns(
    explore: Any, counts: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In these tests a warning is an error, so that none goes unseen."""
    import warnings  # noqa: PLC0415 - only here

    explorer = explore(counts)

    def warns(*_: Any, **__: Any) -> None:
        warnings.warn("a glyph is missing", stacklevel=1)

    monkeypatch.setattr(plots, "plot_over_time", warns)
    explorer.redraw()
    assert "a glyph is missing" in explorer.alert.html


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (EngagementExplorer, "5 of 5 posts, 1 of 3 engagement types, 200 counts"),
        (BestTimesExplorer, "5 of 5 posts; no hour stands out"),
    ],
)
def test_the_status(explore: Any, counts: pd.DataFrame, kind: Any, words: str) -> None:
    """How much is chosen, by hand."""
    assert explore(counts, kind=kind).status.html == words


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_which_type_is_drawn(explore: Any, put: Any, counts: pd.DataFrame) -> None:
    """With one line per post one type can be selected, and another takes its place."""
    types = (explorer := explore.later(counts)).controls["types"]
    types.value = ("impressions", "favorites")
    assert types.value == ("favorites",)
    put(explorer, lines="engagement_type", types=("impressions", "favorites"))
    assert types.value == ("impressions", "favorites")
    put(explorer, lines="post_id")
    assert types.value == ("impressions",)
    assert explorer.status.html == "5 of 5 posts, 1 of 3 engagement types, 200 counts"


@pytest.mark.usefixtures("undrawn")
def test_counts_of_nobody_speak_of_no_posts(explore: Any, frames: dict[str, pd.DataFrame]) -> None:
    """Without posts there is no "0 of 0 posts"."""
    explorer = explore(frames["types alone"])
    assert explorer.status.html == "1 of 3 engagement types, 1 count"


@pytest.mark.slow
@pytest.mark.parametrize("kind", [BestTimesExplorer, CompareExplorer])
def test_a_rate_needs_two_types(explore: Any, frames: dict[str, pd.DataFrame], kind: Any) -> None:
    """With impressions alone, or without them, there is a sentence or another measure."""
    for name in ("impressions alone", "no impressions"):
        explorer = explore(frames[name], kind=kind)
        assert explorer.alert.html == ""
        if kind is BestTimesExplorer:
            words = "A rate needs counts of impressions and of another engagement type"
            assert told(explorer) == silent(words)


@pytest.mark.parametrize("kind", [BestTimesExplorer, CompareExplorer])
def test_posts_are_needed(frames: dict[str, pd.DataFrame], widgets: Any, kind: Any) -> None:
    """Counts of nobody cannot be compared, and leave no widget behind."""
    before = widgets()
    with pytest.raises(ValueError, match="lack the column 'post_id'"):
        kind(frames["without posts"])
    assert widgets() == before


@pytest.mark.slow
@every_explorer
@pytest.mark.parametrize("name", ["by hour", "by day", "totals", "hours of the day"])
def test_every_grouping_of_posts(
    explore: Any, frames: dict[str, pd.DataFrame], kind: Any, name: str
) -> None:
    """All explorers take all of them at once."""
    explorer = explore(frames[name], kind=kind)
    assert explorer.alert.html == ""
    assert explorer.code


@pytest.mark.slow
def test_posts_from_before_ids_held_a_time(explore: Any, put: Any, tidy: Any) -> None:
    """IDs of up to 2010 tell no age; that is said where ages are asked for."""
    counts = tidy([("20", "impressions", "2026-03-01", 5, 9)])
    explorer = put(explore.later(counts), clock="age", measure="cumulative")
    assert explorer.alert.html == ""
    assert "do not tell when the posts were made" in explorer.chart.label
    for kind in (BestTimesExplorer, CompareExplorer):
        assert explore(counts, kind=kind).alert.html == ""


@pytest.mark.slow
def test_the_chart_leaves_before_the_table_is_made(
    explore: Any, counts: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks at the chart does not wait for the table."""
    explorer = explore(counts)
    seen = []
    table = explorer._table

    def watched(*given: Any) -> str:
        seen.append((explorer.chart.html, explorer.chart.busy))
        return str(table(*given))

    monkeypatch.setattr(explorer, "_table", watched)
    explorer.controls["every"].value = "D"
    assert seen == [(explorer.chart.html, False)]


@pytest.mark.slow
@pytest.mark.parametrize("left", [gc.enable, gc.disable])
def test_no_garbage_is_collected_before_a_picture_is_shown(
    explore: Any, counts: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, left: Any
) -> None:
    """It would take as long as a picture; afterwards it is on or off as before, errors or not."""
    explorer = explore(counts)
    seen = []
    tell = explorer._view

    def watched() -> Any:
        seen.append(gc.isenabled())
        return tell()

    monkeypatch.setattr(explorer, "_view", watched)
    try:
        left()
        explorer.redraw()
        assert gc.isenabled() == (left is gc.enable)
        monkeypatch.setattr(explorer, "_view", fails)
        explorer.redraw()
        assert gc.isenabled() == (left is gc.enable)
    finally:
        gc.enable()
    assert seen == [False]
