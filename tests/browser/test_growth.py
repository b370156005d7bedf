"""Cells that are run again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from browser.cells import COUNTS, EVERY_KIND
from browser.lab import EXPLORER, Notebook

pytestmark = pytest.mark.browser


def test_cells_that_run_again_leave_nothing_behind(
    opened: Callable[[Sequence[str]], Notebook],
) -> None:
    """Ten more runs of each explorer's cell add no widget, in the page or in the kernel."""
    notebook = opened([COUNTS, *EVERY_KIND])
    notebook.run_all()
    for cell in range(1, len(EVERY_KIND) + 1):
        notebook.run(cell)
    first = notebook.models
    assert first["page"] == first["kernel"] > 0
    for cell in range(1, len(EVERY_KIND) + 1):
        notebook.run(cell, times=10)
        assert notebook.models == first, notebook.cells["cells"][cell]
    assert notebook.page.locator(EXPLORER).count() == len(EVERY_KIND)
