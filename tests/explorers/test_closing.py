"""What is closed is gone: widgets, frames, and the explorers of a cell that is run again."""

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

pytestmark = pytest.mark.usefixtures("sketched")
EXPLORERS = (EngagementExplorer, BestTimesExplorer, CompareExplorer)
every_explorer = pytest.mark.parametrize("kind", EXPLORERS)


@pytest.fixture
def run_cell(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pretend to be a kernel that runs a cell; each call is another run."""
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
    """Tell whether an explorer is closed, by what it says of its counts."""
    try:
        _ = explorer.selection
    except ep.FrameError:
        return True
    return False


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@every_explorer
def test_no_widget_is_left(counts: pd.DataFrame, widgets: Any, kind: Any) -> None:
    """Controls, layouts, styles and regions: all that were made are gone."""
    before, comms = widgets(), set(comm.get_comm_manager().comms)
    explorer = kind(counts)
    assert len(widgets() - before) > 40
    explorer.close()
    assert widgets() == before
    assert set(comm.get_comm_manager().comms) == comms


@pytest.mark.slow
def test_no_widget_is_left_after_many_changes(
    counts: pd.DataFrame,
    posts: pd.DataFrame,
    widgets: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Nor does a change make one."""
    monkeypatch.chdir(tmp_path)
    before = widgets()
    explorer = EngagementExplorer(counts, posts)
    made = widgets()
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
    assert widgets() == made
    explorer.close()
    assert widgets() == before


@pytest.mark.slow
def test_no_widget_is_left_of_a_broken_one(
    counts: pd.DataFrame, widgets: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that could not draw is closed like any other."""
    before = widgets()
    explorer = EngagementExplorer(counts)
    monkeypatch.setattr(explorer, "_view", lambda: 1 / 0)
    explorer.redraw()
    explorer.close()
    assert widgets() == before


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@every_explorer
def test_closed_twice(counts: pd.DataFrame, widgets: Any, kind: Any) -> None:
    """The second time nothing happens."""
    before = widgets()
    explorer = kind(counts)
    explorer.close()
    explorer.close()
    assert widgets() == before
    assert repr(explorer).startswith(kind.__name__)


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@every_explorer
def test_a_closed_explorer_says_so(counts: pd.DataFrame, kind: Any) -> None:
    """Its selection is a sentence with the cure."""
    explorer = kind(counts)
    explorer.close()
    for name in {"selection", "answer", "a"} & set(dir(kind)):
        with pytest.raises(ep.FrameError, match=r"is closed.*use the new one"):
            getattr(explorer, name)


@pytest.mark.slow
@every_explorer
def test_a_closed_explorer_lets_go_of_the_counts(
    counts: pd.DataFrame, posts: pd.DataFrame, kind: Any
) -> None:
    """Though somebody holds it by a name, the frame is free."""
    explorer = kind(counts, posts)
    frame = weakref.ref(explorer.source.counts)
    explorer.close()
    gc.collect()
    assert frame() is None


@pytest.mark.slow
@every_explorer
def test_a_closed_explorer_is_collected(counts: pd.DataFrame, kind: Any) -> None:
    """The registry of widgets keeps it no longer."""
    explorer = kind(counts)
    there = weakref.ref(explorer)
    explorer.close()
    del explorer
    gc.collect()
    assert there() is None


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@every_explorer
def test_a_cell_that_is_run_again(
    explore: Any, counts: pd.DataFrame, run_cell: Any, widgets: Any, kind: Any
) -> None:
    """The explorer of its earlier run is closed, and there are no more widgets than before."""
    run_cell("one", "first")
    before = explore(counts, kind=kind)
    number = len(widgets())
    run_cell("one", "second")
    after = explore(counts, kind=kind)
    assert (closed(before), closed(after)) == (True, False)
    assert len(widgets()) == number


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_two_in_one_run(explore: Any, counts: pd.DataFrame, run_cell: Any) -> None:
    """They stand side by side, and go together."""
    run_cell("one", "first")
    pair = [explore(counts), explore(counts, kind=BestTimesExplorer)]
    assert [closed(each) for each in pair] == [False, False]
    run_cell("one", "second")
    explore(counts)
    assert [closed(each) for each in pair] == [True, True]


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_another_cell(explore: Any, counts: pd.DataFrame, run_cell: Any) -> None:
    """What one cell shows is no business of the other."""
    run_cell("one", "first")
    one = explore(counts)
    run_cell("two", "second")
    two = explore(counts)
    assert [closed(one), closed(two)] == [False, False]


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("shell", ["no cell", "no parent", "no kernel"])
def test_where_nobody_tells_the_cell(
    explore: Any, counts: pd.DataFrame, run_cell: Any, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    """Nothing is closed: in a script, in a terminal, in other front ends."""
    if shell == "no cell":
        run_cell(None, "first")
    else:
        there = None if shell == "no kernel" else SimpleNamespace()
        monkeypatch.setattr("IPython.get_ipython", lambda: there)
    one = explore(counts)
    if shell == "no cell":
        run_cell(None, "second")
    two = explore(counts)
    assert [closed(one), closed(two)] == [False, False]


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_closed_by_hand_before(explore: Any, counts: pd.DataFrame, run_cell: Any) -> None:
    """A cell that tidied up behind itself can be run again."""
    run_cell("one", "first")
    explore(counts).close()
    run_cell("one", "second")
    assert not closed(explore(counts))


def test_controls_of_a_closed_explorer(explore: Any, counts: pd.DataFrame, undrawn: Any) -> None:
    """Set from Python they draw nothing more, and break nothing."""
    explorer = explore(counts)
    explorer.close()
    undrawn.clear()
    explorer.controls["clock"].value = "total"
    assert undrawn == []
