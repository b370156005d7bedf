"""Explorers are accessible."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from browser.accessibility import violations
from browser.cells import explorers_notebook
from browser.lab import UNIQUE_CONTROLS, Notebook, dark, expect

pytestmark = pytest.mark.browser


def test_axe_finds_no_violation(open_notebook: Callable[[Path], Notebook]) -> None:
    """All explorers are tested in both themes, with an error and without."""
    notebook = open_notebook(explorers_notebook())
    notebook.run_all()
    for class_name in UNIQUE_CONTROLS:
        notebook.explorer(class_name)
    assert violations(notebook.page) == {}

    explorer = notebook.explorer()
    explorer.choose("Along", "dates")
    explorer.date("To", "2026-01-01")
    expect(explorer.alert).not_to_be_empty()
    explorer.root.get_by_text("The same in Python").click()
    assert violations(notebook.page) == {}

    with dark(notebook.page):
        assert violations(notebook.page) == {}
