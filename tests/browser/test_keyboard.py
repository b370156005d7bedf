"""Keys of JupyterLab and of the explorers do not conflict."""

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
"""Keys of JupyterLab's commands: cells above and below, cut, paste, delete, restart."""

FOCUSABLE: Final = (
    "select:visible, input:visible, textarea:visible, button:visible, summary, [tabindex='0']"
)

CONTROLS: Final = {
    "EngagementExplorer": FOCUSABLE,
    "FetchExplorer": FOCUSABLE,
    "BestTimesExplorer": "input[type=number]:visible",
}
"""Selectors of the controls that differ from those of the explorers before."""

NAME: Final = (
    "control => control.labels?.[0]?.textContent || control.ariaLabel || control.textContent"
)

RECORD_COMMANDS: Final = """
() => {
  const { commands } = window.jupyterapp;
  window.executed = [];
  commands.commandExecuted.connect((_, { id }) => window.executed.push(id));
  // In command mode, Lab itself has nothing to do on Escape.
  commands.addCommand("test:escape", { execute: () => null });
  commands.addKeyBinding({ command: "test:escape", keys: ["Escape"], selector: ".jp-Notebook" });
}"""


Opener = Callable[[Sequence[str]], Notebook]


def test_keys_go_to_the_focused_control(open_notebook: Opener) -> None:
    """No key in a control adds, cuts, changes, runs or selects a cell."""
    notebook = record_commands(open_notebook([COUNTS, EXPLORER, FETCHER, TIMES, "pass"]))
    page, executed = notebook.page, {}
    for cell, (class_name, selector) in enumerate(CONTROLS.items(), start=1):
        before = notebook.cells | {"active": cell}
        for control in notebook.explorer(class_name).root.locator(selector).element_handles():
            for key in KEYS if control.is_visible() else ():
                control.focus()
                page.keyboard.press(key)
            commands = page.evaluate("() => window.executed.splice(0)")
            if commands:
                executed[control.evaluate(NAME)] = commands
        assert notebook.cells == before
    assert executed == {}


def test_shortcuts_of_jupyterlab_work_in_a_control(open_notebook: Opener) -> None:
    """Ctrl+S saves; Escape and Shift+Enter are JupyterLab's."""
    notebook = record_commands(open_notebook([COUNTS, EXPLORER, "pass"]))
    page, clock_control = notebook.page, notebook.explorer().control("Along")
    notebook.page.evaluate(
        "() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1; }"
    )

    def press(key: str) -> list[str]:
        clock_control.focus()
        page.keyboard.press(key)
        commands: list[str] = page.evaluate("() => window.executed.splice(0)")
        return commands

    assert "test:escape" in press("Escape")
    assert "docmanager:save" in press("Control+s")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    assert "notebook:run-cell-and-select-next" in press("Shift+Enter")
    assert notebook.cells["active"] == 2
    expect(clock_control).to_be_visible()


def record_commands(notebook: Notebook) -> Notebook:
    """Run a notebook, and record the commands from then on."""
    notebook.run_all()
    notebook.page.evaluate(RECORD_COMMANDS)
    return notebook
