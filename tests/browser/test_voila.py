"""The notebook of explorers as a page, served by Voilà."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import pytest
from browser.accessibility import violations
from browser.cells import explorers_notebook
from browser.conftest import monitored_page
from browser.lab import UNIQUE_CONTROLS, expect, explorer, pattern_of, resize
from browser.servers import Server
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

ICONS: Final = "https://cdn.jsdelivr.net/npm/@fortawesome/**"
"""Icons requested by Voilà's template for any notebook; they are empty here."""

_DARKEST: Final = """
chart => {
  const linear = part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const luminance = paint => {
    const [r, g, b] = paint.match(/[\\d.]+/g).map(part => linear(part / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const drawn = [...chart.querySelectorAll("svg :is(path, use, text, rect)")]
    .filter(part => !part.closest("defs, clipPath"));
  const paints = drawn.flatMap(part => [getComputedStyle(part).fill, getComputedStyle(part).stroke])
    .filter(paint => /^rgb\\(/.test(paint));
  return Math.min(...paints.map(luminance));
}"""
"""The luminance of the darkest colour in a chart, from 0 to 1."""


def test_explorers_work_in_voila_without_code(
    page: Page, voila_server: Server, artefacts: Path
) -> None:
    """They work as in JupyterLab, and axe finds no violation."""
    shutil.copy(explorers_notebook(), voila_server.root / "exploring.ipynb")
    page.route(ICONS, lambda route: route.fulfill(body="", content_type="text/css"))
    page.goto(f"{voila_server.url}/voila/render/exploring.ipynb", timeout=60_000)
    counts, times, sides, fetch = (explorer(page, class_name) for class_name in UNIQUE_CONTROLS)
    expect(page.locator(".jp-CodeMirrorEditor")).to_have_count(0)
    page.screenshot(path=artefacts / "voila.png", full_page=True)

    counts.choose("Along", "dates")
    with counts.redrawn():
        counts.choose("One line per", "engagement type")
    counts.pick("Types", "engagements", "favorites")
    expect(counts.status).to_have_text(pattern_of("2 of 17 engagement types"))
    counts.draws("engagements", "favorites")

    times.choose("Time zone", "Europe/Berlin")
    expect(times.chart).to_have_attribute("aria-label", pattern_of("Europe/Berlin"))

    sides.choose("Compare", "favorites")
    expect(sides.code).to_contain_text('by="favorites"')

    fetch.press("Fetch")
    expect(fetch.status).to_have_text(pattern_of("Done: 1 of 1 request settled"))
    expect(fetch.chart.locator("svg")).to_be_visible()

    # The finding at the end of the page follows the controls.
    finding = page.get_by_text("Most engagements:")
    expect(finding).to_be_visible()
    counts.choose("Show", "rate, per impression")
    expect(page.get_by_text("Highest engagements per impression:")).to_be_visible()
    expect(page.get_by_text("Run all cells")).to_have_count(0)

    counts.write("File", "from-a-page.parquet")
    counts.press("Export")
    expect(counts.status).to_have_text(pattern_of("Exported", "rows to"))
    assert (voila_server.root / "from-a-page.parquet").exists()
    assert violations(page) == {}


def test_a_dark_page_is_readable(browser: Browser, voila_server: Server, artefacts: Path) -> None:
    """With Voilà's dark theme, all colours of charts and texts differ from the page."""
    shutil.copy(explorers_notebook(), voila_server.root / "dark.ipynb")
    window = browser.new_context(viewport={"width": 1400, "height": 1000}, locale="en-GB")
    with monitored_page(window, "a dark page", artefacts) as page:
        page.route(ICONS, lambda route: route.fulfill(body="", content_type="text/css"))
        page.goto(f"{voila_server.url}/voila/render/dark.ipynb?theme=dark", timeout=60_000)
        explorers = [explorer(page, class_name) for class_name in UNIQUE_CONTROLS]
        explorers[-1].press("Fetch")
        expect(explorers[-1].chart.locator("svg")).to_be_visible(timeout=30_000)
        for width in (1400, 800):
            resize(page, width, 1000)
            for name, explorer_ in zip(UNIQUE_CONTROLS, explorers, strict=True):
                explorer_.picture(artefacts / f"voila-dark-{name}-{width}.png")
        for explorer_ in explorers:
            assert explorer_.chart.evaluate(_DARKEST) > 0.05
        # The icon of a calendar is the browser's, and cannot be inspected.
        expect(explorers[2].control("Day")).to_have_css("color-scheme", "dark")
        assert violations(page) == {}
    window.close()
