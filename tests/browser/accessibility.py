"""What axe-core finds on a page, offline."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from browser.lab import EXPLORER
from playwright.sync_api import Page


def violations(page: Page) -> dict[str, list[str]]:
    """Return what is wrong with the explorers on a page: by rule, where."""
    options = {"resultTypes": ["violations"]}  # the others take three times as long
    found = Axe().run(page, context={"include": [EXPLORER]}, options=options)
    return {
        one["id"]: [f"{node['target']}: {node['failureSummary']}" for node in one["nodes"]]
        for one in found.response["violations"]
    }
