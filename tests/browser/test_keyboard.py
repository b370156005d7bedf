"""The keyboard, which JupyterLab and the explorers share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import pytest
from browser.cells import COUNTS, EXPLORER, FETCHER, TIMES
from browser.lab import Notebook, expect

pytestmark = pytest.mark.browser

KEYS: Final = (
    "ArrowDown", "ArrowUp", "ArrowRight", "ArrowLeft", "Home", "End",
    "a", "b", "c", "v", "x", "z", "d", "d", "m", "y", "r", "j", "k", "i", "i",
    "1", "0", "0", "Enter", "Shift+a", "Shift+m", "Shift+ArrowDown", "Delete", "Backspace",
    "Space", "Enter",
)  # fmt: skip
"""What Lab takes for commands of its own: cells above and below, cut, paste, delete, restart."""

FOCUSABLE: Final = (
    "select:visible, input:visible, textarea:visible, button:visible, summary, [tabindex='0']"
)

CONTROLS: Final = {
    "EngagementExplorer": FOCUSABLE,
    "FetchExplorer": FOCUSABLE,
    "BestTimesExplorer": "input[type=number]:visible",
}
"""In the order of the cells; whatever is of another kind than those before."""

NAME: Final = "one => one.labels?.[0]?.textContent || one.ariaLabel || one.textContent"

HEARD: Final = """
() => {
  const { commands } = window.jupyterapp;
  window.heard = [];
  commands.commandExecuted.connect((_, { id }) => window.heard.push(id));
  // In command mode, Lab itself has nothing to do on Escape.
  commands.addCommand("test:escape", { execute: () => null });
  commands.addKeyBinding({ command: "test:escape", keys: ["Escape"], selector: ".jp-Notebook" });
}"""


Opener = Callable[[Sequence[str]], Notebook]


def test_keys_belong_to_the_control_that_has_the_focus(opened: Opener) -> None:
    """No key that is pressed in a control adds, cuts, changes, runs or selects a cell."""
    notebook = listening(opened([COUNTS, EXPLORER, FETCHER, TIMES, "pass"]))
    page, stolen = notebook.page, {}
    for cell, (kind, selector) in enumerate(CONTROLS.items(), start=1):
        before = notebook.cells | {"active": cell}
        for control in notebook.explorer(kind).root.locator(selector).element_handles():
            for key in KEYS if control.is_visible() else ():
                control.focus()
                page.keyboard.press(key)
            heard = page.evaluate("() => window.heard.splice(0)")
            if heard:
                stolen[control.evaluate(NAME)] = heard
        assert notebook.cells == before
    assert stolen == {}


def test_shortcuts_stay_jupyterlabs(opened: Opener) -> None:
    """With the focus in a control, Ctrl+S saves, Escape and Shift+Enter are Lab's."""
    notebook = listening(opened([COUNTS, EXPLORER, "pass"]))
    page, along = notebook.page, notebook.explorer().control("Along")
    notebook.page.evaluate(
        "() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1; }"
    )

    def press(key: str) -> list[str]:
        along.focus()
        page.keyboard.press(key)
        heard: list[str] = page.evaluate("() => window.heard.splice(0)")
        return heard

    assert "test:escape" in press("Escape")
    assert "docmanager:save" in press("Control+s")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    assert "notebook:run-cell-and-select-next" in press("Shift+Enter")
    assert notebook.cells["active"] == 2
    expect(along).to_be_visible()


def listening(notebook: Notebook) -> Notebook:
    """Run a notebook, and from then on note the commands that it hears."""
    notebook.run_all()
    notebook.page.evaluate(HEARD)
    return notebook
