"""Closed explorers release their widgets and frames, also when a cell is run again."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import comm
import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.explorers import (
    BestTimesExplorer,
    CompareExplorer,
    EngagementExplorer,
    cell_rerun,
)

pytestmark = pytest.mark.usefixtures("without_svg")
EXPLORERS = (EngagementExplorer, BestTimesExplorer, CompareExplorer)
each_explorer = pytest.mark.parametrize("explorer_class", EXPLORERS)


@pytest.fixture
def run_cell(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that imitates a kernel running a cell; each call is another run."""
    monkeypatch.setattr(cell_rerun, "_SHOWN", {})
    parent: dict[str, Any] = {}
    shell = SimpleNamespace(get_parent=lambda: parent)
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)

    def run(cell: str | None, message: str) -> None:
        parent.clear()
        metadata = {} if cell is None else {"cellId": cell}
        parent.update(metadata=metadata, header={"msg_id": message})

    return run


def closed(explorer: Any) -> bool:
    """Return whether an explorer is closed, which its selection reports."""
    try:
        _ = explorer.selection
    except ep.FrameError:
        return True
    return False


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
@each_explorer
def test_closing_removes_all_widgets(
    counts: pd.DataFrame, widgets: Any, explorer_class: Any
) -> None:
    """Controls, layouts, styles and regions are removed."""
    before, comms = widgets(), set(comm.get_comm_manager().comms)
    explorer = explorer_class(counts)
    assert len(widgets() - before) > 40
    explorer.close()
    assert widgets() == before
    assert set(comm.get_comm_manager().comms) == comms


@pytest.mark.slow
def test_changes_create_no_widgets(
    counts: pd.DataFrame,
    posts: pd.DataFrame,
    widgets: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Closing removes all widgets after many changes too."""
    monkeypatch.chdir(tmp_path)
    before = widgets()
    explorer = EngagementExplorer(counts, posts)
    existing = widgets()
    for name, value in {
        "clock": "age",
        "measure": "cumulative",
        "until": 24.0,
        "tz": "Asia/Tokyo",
        "types": ("favorites",),
        "every": "D",
    }.items():
        explorer.controls[name].value = value
    explorer.controls["clock"].value = "total"
    explorer.controls["posts"].words.value = "private"
    explorer.export.file.value = "rows.xlsx"
    explorer.export.button.click()
    assert widgets() == existing
    explorer.close()
    assert widgets() == before


@pytest.mark.slow
def test_closing_after_an_error_removes_all_widgets(
    counts: pd.DataFrame, widgets: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The explorer could not draw."""
    before = widgets()
    explorer = EngagementExplorer(counts)
    monkeypatch.setattr(explorer, "_view", lambda: 1 / 0)
    explorer.redraw()
    explorer.close()
    assert widgets() == before


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
@each_explorer
def test_closing_twice_has_no_effect(
    counts: pd.DataFrame, widgets: Any, explorer_class: Any
) -> None:
    """An explorer stays closed, and its repr works."""
    before = widgets()
    explorer = explorer_class(counts)
    explorer.close()
    explorer.close()
    assert widgets() == before
    assert repr(explorer).startswith(explorer_class.__name__)


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
@each_explorer
def test_a_closed_explorer_raises_an_error_with_the_cure(
    counts: pd.DataFrame, explorer_class: Any
) -> None:
    """All its results are unavailable."""
    explorer = explorer_class(counts)
    explorer.close()
    for name in {"selection", "answer", "a"} & set(dir(explorer_class)):
        with pytest.raises(ep.FrameError, match=r"is closed.*use the new one"):
            getattr(explorer, name)


@pytest.mark.long
@each_explorer
def test_a_closed_explorer_releases_the_counts(
    counts: pd.DataFrame, posts: pd.DataFrame, explorer_class: Any
) -> None:
    """The frame is released although a variable holds the explorer."""
    explorer = explorer_class(counts, posts)
    frame = weakref.ref(explorer.source.counts)
    explorer.close()
    gc.collect()
    assert frame() is None


@pytest.mark.slow
@each_explorer
def test_a_closed_explorer_is_garbage_collected(counts: pd.DataFrame, explorer_class: Any) -> None:
    """The registry of widgets does not keep it."""
    explorer = explorer_class(counts)
    reference = weakref.ref(explorer)
    explorer.close()
    del explorer
    gc.collect()
    assert reference() is None


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
@each_explorer
def test_running_a_cell_again_closes_its_explorer(
    explore: Any, counts: pd.DataFrame, run_cell: Any, widgets: Any, explorer_class: Any
) -> None:
    """The number of widgets stays."""
    run_cell("one", "first")
    before = explore(counts, explorer_class=explorer_class)
    widgets_before = len(widgets())
    run_cell("one", "second")
    after = explore(counts, explorer_class=explorer_class)
    assert (closed(before), closed(after)) == (True, False)
    assert len(widgets()) == widgets_before


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_explorers_of_one_run_are_closed_together(
    explore: Any, counts: pd.DataFrame, run_cell: Any
) -> None:
    """Two explorers of one run are both open until the next run."""
    run_cell("one", "first")
    pair = [explore(counts), explore(counts, explorer_class=BestTimesExplorer)]
    assert [closed(explorer) for explorer in pair] == [False, False]
    run_cell("one", "second")
    explore(counts)
    assert [closed(explorer) for explorer in pair] == [True, True]


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_another_cell_keeps_the_explorer(explore: Any, counts: pd.DataFrame, run_cell: Any) -> None:
    """A cell closes its own explorers only."""
    run_cell("one", "first")
    first = explore(counts)
    run_cell("two", "second")
    second = explore(counts)
    assert [closed(first), closed(second)] == [False, False]


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
@pytest.mark.parametrize("shell", ["no cell", "no parent", "no kernel"])
def test_an_unknown_cell_closes_nothing(
    explore: Any, counts: pd.DataFrame, run_cell: Any, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    """Scripts, terminals and other front ends have no cell ID."""
    if shell == "no cell":
        run_cell(None, "first")
    else:
        fake_shell = None if shell == "no kernel" else SimpleNamespace()
        monkeypatch.setattr("IPython.get_ipython", lambda: fake_shell)
    first = explore(counts)
    if shell == "no cell":
        run_cell(None, "second")
    second = explore(counts)
    assert [closed(first), closed(second)] == [False, False]


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_a_cell_may_close_its_explorer(explore: Any, counts: pd.DataFrame, run_cell: Any) -> None:
    """It can be run again."""
    run_cell("one", "first")
    explore(counts).close()
    run_cell("one", "second")
    assert not closed(explore(counts))


def test_controls_of_a_closed_explorer_draw_nothing(
    explore: Any, counts: pd.DataFrame, fake_drawing: Any
) -> None:
    """They can still be set from Python."""
    explorer = explore(counts)
    explorer.close()
    fake_drawing.clear()
    explorer.controls["clock"].value = "total"
    assert fake_drawing == []
