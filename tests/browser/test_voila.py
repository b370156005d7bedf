"""The notebook of explorers as a page of its own, served by Voilà."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import pytest
from browser.accessibility import violations
from browser.cells import exploring
from browser.conftest import watched
from browser.lab import TELLS, expect, explorer, saying
from browser.servers import Server
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

ICONS: Final = "https://cdn.jsdelivr.net/npm/@fortawesome/**"
"""Voilà's own template asks for these, whatever the notebook; here they are nothing."""

_DARKEST: Final = """
chart => {
  const linear = part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const luminance = paint => {
    const [r, g, b] = paint.match(/[\\d.]+/g).map(part => linear(part / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const drawn = [...chart.querySelectorAll("svg :is(path, use, text, rect)")]
    .filter(one => !one.closest("defs, clipPath"));
  const paints = drawn.flatMap(one => [getComputedStyle(one).fill, getComputedStyle(one).stroke])
    .filter(paint => /^rgb\\(/.test(paint));
  return Math.min(...paints.map(luminance));
}"""
"""The luminance of the darkest ink in a chart, from 0 to 1."""


def test_explorers_are_a_page_without_code(
    page: Page, voila_server: Server, artefacts: Path
) -> None:
    """Each explorer works there as it does in JupyterLab, and axe finds nothing."""
    shutil.copy(exploring(), voila_server.root / "exploring.ipynb")
    page.route(ICONS, lambda route: route.fulfill(body="", content_type="text/css"))
    page.goto(f"{voila_server.url}/voila/render/exploring.ipynb", timeout=60_000)
    counts, times, sides, asking = (explorer(page, kind) for kind in TELLS)
    expect(page.locator(".jp-CodeMirrorEditor")).to_have_count(0)
    page.screenshot(path=artefacts / "voila.png", full_page=True)

    counts.choose("Along", "dates")
    with counts.redrawn():
        counts.choose("One line per", "engagement type")
    counts.pick("Types", "engagements", "favorites")
    expect(counts.status).to_have_text(saying("2 of 17 engagement types"))
    counts.draws("engagements", "favorites")

    times.choose("Time zone", "Europe/Berlin")
    expect(times.chart).to_have_attribute("aria-label", saying("Europe/Berlin"))

    sides.choose("Compare", "favorites")
    expect(sides.code).to_contain_text('by="favorites"')

    asking.press("Fetch")
    expect(asking.status).to_have_text(saying("Done: 1 of 1 request settled"))
    expect(asking.chart.locator("svg")).to_be_visible()

    # The answer at the end of the page follows the controls.
    answer = page.get_by_text("Most engagements:")
    expect(answer).to_be_visible()
    counts.choose("Show", "rate, per impression")
    expect(page.get_by_text("Highest engagements per impression:")).to_be_visible()
    expect(page.get_by_text("Run all cells")).to_have_count(0)

    counts.write("File", "from-a-page.parquet")
    counts.press("Export")
    expect(counts.status).to_have_text(saying("Exported", "rows to"))
    assert (voila_server.root / "from-a-page.parquet").exists()
    assert violations(page) == {}


def test_a_dark_page_can_be_read(browser: Browser, voila_server: Server, artefacts: Path) -> None:
    """With Voilà's dark theme, the ink of all that is drawn or written differs from the page."""
    shutil.copy(exploring(), voila_server.root / "dark.ipynb")
    window = browser.new_context(viewport={"width": 1400, "height": 1000}, locale="en-GB")
    with watched(window, "a dark page", artefacts) as page:
        page.route(ICONS, lambda route: route.fulfill(body="", content_type="text/css"))
        page.goto(f"{voila_server.url}/voila/render/dark.ipynb?theme=dark", timeout=60_000)
        explorers = [explorer(page, kind) for kind in TELLS]
        explorers[-1].press("Fetch")
        expect(explorers[-1].chart.locator("svg")).to_be_visible(timeout=30_000)
        for width in (1400, 800):
            page.set_viewport_size({"width": width, "height": 1000})
            for name, one in zip(TELLS, explorers, strict=True):
                one.picture(artefacts / f"voila-dark-{name}-{width}.png")
        for one in explorers:
            assert one.chart.evaluate(_DARKEST) > 0.05
        # The icon of a calendar is the browser's own, and cannot be looked into.
        expect(explorers[2].control("Day")).to_have_css("color-scheme", "dark")
        assert violations(page) == {}
    window.close()
