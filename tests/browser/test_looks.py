"""How an explorer looks, and what the eye sees while it changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest
from browser.cells import COUNTS, EXPLORER, SLOW
from browser.lab import Explorer, Notebook, dark, expect, saying

pytestmark = pytest.mark.browser

_SAMPLE: Final = """
root => {
  const chart = root.querySelector(".engagement-region[role=img]");
  const scroller = root.closest(".jp-WindowedPanel-outer");
  window.frames_ = [];
  const look = () => {
    const svg = chart.querySelector("svg");
    window.frames_.push({
      drawn: svg ? svg.querySelectorAll("path").length : 0,
      height: chart.getBoundingClientRect().height,
      scroll: scroller.scrollTop,
      opacity: getComputedStyle(chart).opacity,
    });
    if (!window.enough) requestAnimationFrame(look);
  };
  look();
}"""
"""Look at the chart in each frame."""

_OUTSIDE: Final = """
root => {
  const edge = root.getBoundingClientRect().right + 1;
  return [...root.querySelectorAll("*")]
    .filter(one => !one.closest(".engagement-region") && one.getBoundingClientRect().right > edge)
    .map(one => one.outerHTML.slice(0, 80));
}"""
"""What sticks out at the right."""

_FILES: Final = """
() => window.jupyterapp.commands.execute("application:toggle-left-area").then(() => null)"""
"""Close the file browser, or open it again."""

_BUSY: Final = """
() => {
  const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
  kernel.requestExecute({ code: "import time; time.sleep(1)", store_history: false });
}"""

_LUMINANCE: Final = """
one => {
  const [r, g, b] = getComputedStyle(one).color.match(/[\\d.]+/g).map(Number);
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}"""


def test_nothing_flickers(one_explorer: Explorer, artefacts: Path) -> None:
    """While controls change twenty times no frame is blank, and nothing jumps."""
    explorer, page = one_explorer, one_explorer.page
    explorer.control("Per").scroll_into_view_if_needed()
    explorer.root.evaluate(_SAMPLE)
    for label in ("Per", "One line per") * 5:
        for key in ("ArrowDown", "ArrowUp"):
            with explorer.redrawn():
                explorer.control(label).press(key)
    page.evaluate("() => { window.enough = true; }")
    frames = page.evaluate("() => window.frames_")
    explorer.picture(artefacts / "light.png")
    assert len(frames) > 40
    assert min(frame["drawn"] for frame in frames) > 0
    assert len({round(frame["height"], 1) for frame in frames}) == 1
    assert len({frame["scroll"] for frame in frames}) == 1


def test_the_dark_theme_is_followed(one_explorer: Explorer, artefacts: Path) -> None:
    """Text, axes and table are light on dark, at once, without another picture."""
    ink = one_explorer.chart.locator("svg text").first
    assert one_explorer.status.evaluate(_LUMINANCE) < 0.2
    with dark(one_explorer.page):
        expect(ink).to_have_css("fill", saying("rgba(255, 255, 255"))
        assert one_explorer.status.evaluate(_LUMINANCE) > 0.8
        one_explorer.picture(artefacts / "dark.png")


def test_a_narrow_page_has_room_for_everything(one_explorer: Explorer, artefacts: Path) -> None:
    """On a page of 760 px nothing of an explorer is cut off, beside the file browser or not."""
    page, root = one_explorer.page, one_explorer.root
    wide = page.viewport_size
    page.set_viewport_size({"width": 760, "height": 1000})
    try:
        for name in ("760-px-beside-files", "760-px"):
            expect(one_explorer.chart.locator("svg")).to_be_visible()
            one_explorer.picture(artefacts / f"{name}.png")
            assert root.evaluate(_OUTSIDE) == []
            assert root.evaluate("root => root.scrollWidth - root.clientWidth") <= 0
            page.evaluate(_FILES)
    finally:
        page.set_viewport_size(wide)


@pytest.mark.parametrize(("width", "next_to"), [(1400, True), (800, False)])
def test_the_chart_is_in_sight_of_its_controls(
    one_explorer: Explorer, width: int, *, next_to: bool
) -> None:
    """On a wide page the chart stands next to the controls; else both fit into a window."""
    page, root = one_explorer.page, one_explorer.root
    before = page.viewport_size
    page.set_viewport_size({"width": width, "height": 1000})
    page.evaluate(_FILES)
    try:
        chart, first = one_explorer.chart, one_explorer.control("Along")
        expect(chart.locator("svg")).to_be_visible()
        here, there = chart.bounding_box(), first.bounding_box()
        frame = root.bounding_box()
        assert here is not None
        assert there is not None
        assert frame is not None
        assert (here["x"] > there["x"] + there["width"]) is next_to
        assert here["y"] + here["height"] - there["y"] < 700
        if next_to:
            assert frame["width"] > 0.8 * width
    finally:
        page.evaluate(_FILES)
        page.set_viewport_size(before)


def test_a_mistake_is_told_and_can_be_mended(one_explorer: Explorer, artefacts: Path) -> None:
    """From after To: the reason stands above the old picture, dimmed, until it is mended."""
    explorer = one_explorer
    last = explorer.control("To").input_value()
    explorer.date("To", "2026-03-01")
    expect(explorer.alert).to_have_text(saying("From", "is after To", "2026-03-01"))
    expect(explorer.control("To")).to_have_attribute("aria-invalid", "true")
    below = explorer.alert.bounding_box()
    field = explorer.control("To").bounding_box()
    assert below is not None
    assert field is not None
    assert 0 <= below["y"] - (field["y"] + field["height"]) < 20
    expect(explorer.chart).to_have_attribute("data-stale", "")
    expect(explorer.chart).to_have_css("opacity", "0.45")
    explorer.picture(artefacts / "mistake.png")
    explorer.date("To", last)
    expect(explorer.alert).to_be_empty()
    expect(explorer.control("To")).not_to_have_attribute("aria-invalid", "true")
    expect(explorer.chart).to_have_css("opacity", "1")


def test_a_slow_picture_is_announced(
    opened: Callable[[Sequence[str]], Notebook], artefacts: Path
) -> None:
    """While a picture is made the old one stays, dimmed, and busy for those who do not see."""
    notebook = opened([COUNTS, EXPLORER, SLOW])
    notebook.run_all()
    explorer = notebook.explorer()
    with explorer.redrawn():
        explorer.choose("Per", "day")
        expect(explorer.chart).to_have_attribute("aria-busy", "true")
        expect(explorer.chart).to_have_css("opacity", "0.45")
        expect(explorer.chart.locator("svg[data-seen]")).to_be_visible()
        explorer.root.screenshot(path=artefacts / "busy.png")
    expect(explorer.chart).not_to_have_attribute("aria-busy", "true")
    expect(explorer.chart).to_have_css("opacity", "1")
    expect(explorer.chart).to_have_attribute("aria-label", saying("per day"))


def test_a_click_does_not_overtake_what_was_typed(one_explorer: Explorer) -> None:
    """While the kernel is busy a name is typed and Export pressed: the file has all of it."""
    one_explorer.page.evaluate(_BUSY)
    one_explorer.write("File", "typed-while-busy.parquet")
    one_explorer.press("Export")
    expect(one_explorer.status).to_have_text(saying("Exported", "typed-while-busy.parquet"))
    expect(one_explorer.alert).to_be_empty()
