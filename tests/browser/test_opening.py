"""A notebook as it is when somebody opens and plays it."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest
from browser.cells import COUNTS, NOTEBOOKS
from browser.lab import Notebook, dark, expect, saying

pytestmark = pytest.mark.browser

_DIRTY: Final = "() => window.jupyterapp.shell.currentWidget.context.model.dirty"
_CHART: Final = "ep.follow_theme()\nep.plot_by_type(counts)"


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_opening_changes_nothing(
    opened: Callable[[Path], Notebook], path: Path, tmp_path: Path
) -> None:
    """The tab does not say that something is unsaved.

    JupyterLab records the kernel's version of Python, which is that of the machine.
    """
    book = json.loads(path.read_text(encoding="utf-8"))
    book["metadata"]["language_info"]["version"] = platform.python_version()
    copy = tmp_path / path.name
    copy.write_text(json.dumps(book), encoding="utf-8")
    assert opened(copy).page.evaluate(_DIRTY) is False


def test_a_chart_follows_the_theme(
    opened: Callable[[Sequence[str]], Notebook], artefacts: Path
) -> None:
    """Its text is dark on light and light on dark, without another run."""
    notebook = opened([COUNTS, _CHART])
    notebook.run_all()
    svg = notebook.page.locator(".jp-OutputArea-output svg[role=img]")
    ink = svg.locator("text").first
    expect(ink).to_have_css("fill", saying("rgba(0, 0, 0"))
    with dark(notebook.page):
        expect(ink).to_have_css("fill", saying("rgba(255, 255, 255"))
        svg.screenshot(path=artefacts / "dark-chart.png")
