"""Notebooks when a user opens and runs them."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest
from browser.cells import COUNTS, NOTEBOOKS
from browser.lab import Notebook, dark, expect, pattern_of

pytestmark = pytest.mark.browser

_DIRTY: Final = "() => window.jupyterapp.shell.currentWidget.context.model.dirty"
_CHART: Final = "ep.follow_theme()\nep.plot_by_type(counts)"


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_opening_a_notebook_changes_nothing(
    open_notebook: Callable[[Path], Notebook], path: Path, tmp_path: Path
) -> None:
    """The tab is not marked as unsaved.

    JupyterLab records the kernel's version of Python, which is that of the machine.
    """
    book = json.loads(path.read_text(encoding="utf-8"))
    book["metadata"]["language_info"]["version"] = platform.python_version()
    copy = tmp_path / path.name
    copy.write_text(json.dumps(book), encoding="utf-8")
    assert open_notebook(copy).page.evaluate(_DIRTY) is False


def test_a_chart_follows_the_theme(
    open_notebook: Callable[[Sequence[str]], Notebook], artefacts: Path
) -> None:
    """Its text is dark on light and light on dark, without another run."""
    notebook = open_notebook([COUNTS, _CHART])
    notebook.run_all()
    svg = notebook.page.locator(".jp-OutputArea-output svg[role=img]")
    text = svg.locator("text").first
    expect(text).to_have_css("fill", pattern_of("rgba(0, 0, 0"))
    with dark(notebook.page):
        expect(text).to_have_css("fill", pattern_of("rgba(255, 255, 255"))
        svg.screenshot(path=artefacts / "dark-chart.png")
