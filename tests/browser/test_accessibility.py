"""Explorers for those who cannot see them, or not well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from browser.accessibility import violations
from browser.cells import exploring
from browser.lab import TELLS, Notebook, dark, expect

pytestmark = pytest.mark.browser


def test_axe_finds_nothing(opened: Callable[[Path], Notebook]) -> None:
    """In no explorer of the notebook, by light or in the dark, with a mistake or without."""
    notebook = opened(exploring())
    notebook.run_all()
    for kind in TELLS:
        notebook.explorer(kind)
    assert violations(notebook.page) == {}

    explorer = notebook.explorer()
    explorer.choose("Along", "dates")
    explorer.date("To", "2026-01-01")
    expect(explorer.alert).not_to_be_empty()
    explorer.root.get_by_text("The same in Python").click()
    assert violations(notebook.page) == {}

    with dark(notebook.page):
        assert violations(notebook.page) == {}
