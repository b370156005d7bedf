"""Violations of accessibility rules on a page, found by axe-core offline."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from browser.lab import EXPLORER
from playwright.sync_api import Page


def violations(page: Page) -> dict[str, list[str]]:
    """Return the violations in the explorers of a page, by rule."""
    options = {"resultTypes": ["violations"]}  # other types take three times as long
    results = Axe().run(page, context={"include": [EXPLORER]}, options=options)
    return {
        rule["id"]: [f"{node['target']}: {node['failureSummary']}" for node in rule["nodes"]]
        for rule in results.response["violations"]
    }
