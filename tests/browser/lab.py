"""A notebook and its explorers in JupyterLab, as a user sees them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from browser.servers import Server
from playwright.sync_api import Locator, Page, expect

EXPLORER: Final = ".engagement-explorer"

UNIQUE_CONTROLS: Final = {
    "EngagementExplorer": "Along",
    "BestTimesExplorer": "Minimum posts",
    "CompareExplorer": "Split by",
    "FetchExplorer": "Request",
}
"""A control that no other explorer has, by explorer."""

_READY: Final = """
path => {
  const { commands, shell } = window.jupyterapp;
  const { context, sessionContext } = shell.currentWidget ?? {};
  const kernel = context?.path === path && context.isReady && sessionContext.session?.kernel;
  return kernel && kernel.connectionStatus === "connected" && kernel.status === "idle" &&
    commands.isEnabled("runmenu:run-all");
}"""

_RAN: Final = """
() => {
  const { content, sessionContext } = window.jupyterapp.shell.currentWidget;
  return sessionContext.session.kernel.status === "idle" &&
    content.widgets.every(cell => cell.model.type !== "code" || !cell.model.sharedModel.source ||
      (cell.model.executionCount !== null && cell.model.executionState !== "running"));
}"""

_RUN: Final = """
async ([cell, times]) => {
  const { commands, shell } = window.jupyterapp;
  const { content } = shell.currentWidget;
  content.activeCellIndex = cell;
  const { node } = content.widgets[cell];
  const parts = () => node.querySelectorAll(".jupyter-widgets, .engagement-region").length;
  const late = performance.now() + 60000;
  for (let run = 0; run < times; run++) {
    const [before, all] = [node.querySelector(".engagement-explorer"), parts()];
    await commands.execute("notebook:run-cell");
    while (before && (before.isConnected || parts() < all)) {
      if (performance.now() > late) throw Error("the cell does not show what it showed");
      await new Promise(requestAnimationFrame);
    }
  }
}"""
"""Run a cell a number of times, each time after its previous output is complete."""

_EXECUTE: Final = """
async code => {
  const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
  const execution = kernel.requestExecute({ code, store_history: false });
  let text = "";
  execution.onIOPub = ({ header, content }) => {
    if (header.msg_type === "stream") text += content.text;
    if (header.msg_type === "error") text += content.traceback.join("\\n");
  };
  const reply = await execution.done;
  return { text, status: reply.content.status };
}"""

_MODELS: Final = """
async () => {
  const { content } = window.jupyterapp.shell.currentWidget;
  const mimeType = "application/vnd.jupyter.widget-view+json";
  const renderer = content.rendermime.createRenderer(mimeType);
  const manager = await renderer._manager.promise;
  renderer.dispose();
  return manager._modelsSync.size;
}"""

_THEME: Final = """
async theme => {
  await window.jupyterapp.commands.execute("apputils:change-theme", { theme });
  const splash = () => document.getElementById("jupyterlab-splash");
  while (document.body.dataset.jpThemeName !== theme || splash()) {
    await new Promise(requestAnimationFrame);
  }
}"""

_MARGINS: Final = """
() => {
  const panel = window.jupyterapp?.shell.currentWidget?.node.getBoundingClientRect();
  return panel ? [innerWidth - panel.right, innerHeight - panel.bottom].map(Math.round) : [];
}"""
"""Distance of the notebook from the edges of the window; elsewhere than in JupyterLab none."""

_CELLS: Final = """
() => {
  const { content } = window.jupyterapp.shell.currentWidget;
  return { cells: content.widgets.map(({ model }) => [model.type, model.sharedModel.source]),
           active: content.activeCellIndex, mode: content.mode };
}"""


@contextmanager
def dark(page: Page) -> Iterator[None]:
    """Set JupyterLab's dark theme, and restore the light one."""
    try:
        page.evaluate(_THEME, "JupyterLab Dark")
        yield
    finally:
        page.evaluate(_THEME, "JupyterLab Light")


def resize(page: Page, width: int, height: int) -> None:
    """Resize the window, and wait until JupyterLab has laid out the notebook in it.

    It does so later than the browser, and until then what is on the page is elsewhere, perhaps
    outside the window, where a click does nothing.
    """
    margins = page.evaluate(_MARGINS)
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function(f"margins => `${{({_MARGINS})()}}` === `${{margins}}`", arg=margins)


class Notebook:
    """A notebook that is open in JupyterLab.

    Parameters
    ----------
    page : Page
    server : Server
    path : Path
        Below the server's root. Its folder is the kernel's.
    """

    def __init__(self, page: Page, server: Server, path: Path) -> None:
        self.page = page
        self.folder = path.parent
        name = path.relative_to(server.root).as_posix()
        # Its kernel starts while JupyterLab loads.
        kernel = {"name": "python3"}
        body = {"path": name, "name": "", "type": "notebook", "kernel": kernel}
        self._session = server.call_api("POST", "/api/sessions", body)["id"]
        self._server = server
        page.goto(f"{server.url}/lab/workspaces/{self._session}/tree/{name}")
        page.wait_for_function("() => window.jupyterapp")
        page.evaluate("() => window.jupyterapp.restored.then(() => null)")
        page.wait_for_function(_READY, arg=name)

    def close(self) -> None:
        """Shut down its kernel."""
        self._server.call_api("DELETE", f"/api/sessions/{self._session}")

    def command(self, name: str, **arguments: Any) -> None:
        """Execute a command of JupyterLab, and wait for its end."""
        self.page.evaluate(
            "([name, args]) => window.jupyterapp.commands.execute(name, args).then(() => null)",
            [name, arguments],
        )

    def run_all(self) -> None:
        """Run all cells from the menu, without an error."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.locator(".lm-Menu-itemLabel").get_by_text("Run All Cells", exact=True).click()
        self.page.wait_for_function(_RAN, timeout=60_000)
        self.succeeded()

    def succeeded(self) -> None:
        """Check that no cell has failed."""
        errors = self.page.locator(".jp-OutputArea-output[data-mime-type*='error']")
        assert errors.all_inner_texts() == []

    def run(self, cell: int, times: int = 1) -> None:
        """Run one cell, each time after its previous output is complete."""
        self.page.evaluate(_RUN, [cell, times])
        self.succeeded()

    def explorer(self, name: str = "EngagementExplorer") -> Explorer:
        """Return an explorer by its class name, once it has a chart."""
        return explorer(self.page, name)

    def python(self, code: str) -> str:
        """Run code in the kernel, outside the notebook, and return its output."""
        result = self.page.evaluate(_EXECUTE, code)
        assert result["status"] == "ok", result["text"]
        return str(result["text"]).strip()

    @property
    def models(self) -> dict[str, int]:
        """The number of widgets in the page and in the kernel."""
        count = "import ipywidgets; print(len(ipywidgets.widgets.widget._instances))"
        kernel = int(self.python(count))
        return {"page": self.page.evaluate(_MODELS), "kernel": kernel}

    @property
    def cells(self) -> dict[str, Any]:
        """The type and source of each cell, the active cell, and the mode."""
        return dict(self.page.evaluate(_CELLS))


class Explorer:
    """An explorer on a page.

    Parameters
    ----------
    root : Locator
    """

    def __init__(self, root: Locator) -> None:
        self.root = root
        self.page = root.page
        self.chart = root.locator(".engagement-region[role=img]")
        self.status = root.get_by_role("status")
        self.alert = root.get_by_role("alert")
        self.table = root.locator(".engagement-region table")
        self.rows = self.table.locator("tbody tr")
        self.code = root.locator("details code")

    def control(self, label: str) -> Locator:
        """Return a control by its label."""
        return self.root.get_by_label(label, exact=True)

    def choose(self, label: str, words: str) -> None:
        """Select from a drop-down list by the keyboard: type the option, then Enter."""
        control = self.control(label)
        control.click()
        self.page.keyboard.type(words)
        self.page.keyboard.press("Enter")
        expect(control.locator("option:checked")).to_have_text(words)

    def pick(self, label: str, *words: str) -> None:
        """Select from an open list: a click, and further clicks with Ctrl."""
        for number, text in enumerate(words):
            option = self.control(label).locator("option").filter(has_text=text).first
            option.click(modifiers=["ControlOrMeta"] if number else [])

    def write(self, label: str, text: str) -> None:
        """Type into a field, and replace its content."""
        self.control(label).click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.type(text)
        self.page.keyboard.press("Tab")

    def date(self, label: str, day: str) -> None:
        """Enter a date."""
        self.control(label).fill(day)

    def tick(self, label: str) -> None:
        """Tick a box."""
        self.control(label).check()

    def press(self, name: str) -> None:
        """Press a button."""
        self.root.get_by_role("button", name=name, exact=True).click()

    def draws(self, *series: str) -> None:
        """Wait until the chart has exactly these series, IDs of posts or engagement types."""
        groups = self.chart.locator("svg [data-gid]")
        expect(groups).to_have_count(len(series))
        for name in series:
            expect(self.chart.locator(f"svg [data-gid='{name}']")).to_have_count(1)

    def picture(self, path: Path) -> None:
        """Save a picture of the explorer, including parts outside the window."""
        size = self.page.viewport_size
        assert size is not None
        resize(self.page, size["width"], 2400)
        self.root.screenshot(path=path)
        resize(self.page, **size)

    @contextmanager
    def redrawn(self) -> Iterator[None]:
        """Wait for a new chart."""
        self.chart.locator("svg").evaluate("svg => svg.setAttribute('data-seen', '')")
        yield
        expect(self.chart.locator("svg:not([data-seen])")).to_have_count(1)
        expect(self.chart).not_to_have_attribute("aria-busy", "true")


def explorer(page: Page, name: str) -> Explorer:
    """Return an explorer by its class name, once it is on the page."""
    control = page.get_by_label(UNIQUE_CONTROLS[name], exact=True)
    root = page.locator(EXPLORER).filter(has=control)
    expect(root).to_have_count(1, timeout=30_000)
    return Explorer(root)


def pattern_of(*words: str) -> re.Pattern[str]:
    """Return a pattern for texts with these words in this order."""
    return re.compile(".*".join(map(re.escape, words)), re.DOTALL)


def write_notebook(path: Path, cells: Sequence[str]) -> Path:
    """Write a notebook of code cells."""
    code_cells = [
        {"cell_type": "code", "id": f"cell-{n}", "metadata": {}, "source": source}
        | {"outputs": [], "execution_count": None}
        for n, source in enumerate(cells)
    ]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    body = {
        "cells": code_cells,
        "metadata": {"kernelspec": spec},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(body))
    return path
