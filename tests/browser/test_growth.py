"""Cells that are run repeatedly."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from browser.cells import COUNTS, EXPLORERS
from browser.lab import EXPLORER, Notebook

pytestmark = pytest.mark.browser


def test_repeated_runs_add_no_widgets(
    open_notebook: Callable[[Sequence[str]], Notebook],
) -> None:
    """Ten more runs of each explorer's cell add none, in the page and in the kernel."""
    notebook = open_notebook([COUNTS, *EXPLORERS])
    notebook.run_all()
    for cell in range(1, len(EXPLORERS) + 1):
        notebook.run(cell)
    first = notebook.models
    assert first["page"] == first["kernel"] > 0
    for cell in range(1, len(EXPLORERS) + 1):
        notebook.run(cell, times=10)
        assert notebook.models == first, notebook.cells["cells"][cell]
    assert notebook.page.locator(EXPLORER).count() == len(EXPLORERS)
