"""The look of an explorer, and its frames while it changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest
from browser.cells import COUNTS, EXPLORER, SLOW
from browser.lab import Explorer, Notebook, dark, expect, pattern_of, resize

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
"""Record the chart in each frame."""

_OUTSIDE: Final = """
root => {
  const edge = root.getBoundingClientRect().right + 1;
  return [...root.querySelectorAll("*")]
    .filter(part => !part.closest(".engagement-region"))
    .filter(part => part.getBoundingClientRect().right > edge)
    .map(part => part.outerHTML.slice(0, 80));
}"""
"""Elements that exceed the right edge."""

_CUT: Final = """
select => {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = getComputedStyle(select).font;
  return [...select.options]
    .map(({ text }) => text.split("\u00b7")[0].trim())
    .filter(name => pen.measureText(name).width > select.clientWidth);
}"""
"""Names of options that are wider than their list."""

_FILES: Final = """
() => window.jupyterapp.commands.execute("application:toggle-left-area").then(() => null)"""
"""Close the file browser, or open it again."""

_BUSY: Final = """
() => {
  const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
  kernel.requestExecute({ code: "import time; time.sleep(1)", store_history: false });
}"""

_LUMINANCE: Final = """
element => {
  const [r, g, b] = getComputedStyle(element).color.match(/[\\d.]+/g).map(Number);
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}"""


def test_no_frame_is_blank_while_redrawing(shared_explorer: Explorer, artefacts: Path) -> None:
    """Controls change twenty times; the height and the scroll position stay."""
    explorer, page = shared_explorer, shared_explorer.page
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


def test_an_explorer_follows_the_dark_theme(shared_explorer: Explorer, artefacts: Path) -> None:
    """Text, axes and table become light immediately, without a new chart."""
    text = shared_explorer.chart.locator("svg text").first
    assert shared_explorer.status.evaluate(_LUMINANCE) < 0.2
    with dark(shared_explorer.page):
        expect(text).to_have_css("fill", pattern_of("rgba(255, 255, 255"))
        assert shared_explorer.status.evaluate(_LUMINANCE) > 0.8
        shared_explorer.picture(artefacts / "dark.png")


def test_an_explorer_fits_a_narrow_page(shared_explorer: Explorer, artefacts: Path) -> None:
    """On 760 px nothing is cut off, with the file browser or without."""
    page, root = shared_explorer.page, shared_explorer.root
    viewport = page.viewport_size
    resize(page, 760, 1000)
    try:
        for name in ("760-px-beside-files", "760-px"):
            expect(shared_explorer.chart.locator("svg")).to_be_visible()
            shared_explorer.picture(artefacts / f"{name}.png")
            assert root.evaluate(_OUTSIDE) == []
            assert root.evaluate("root => root.scrollWidth - root.clientWidth") <= 0
            page.evaluate(_FILES)
    finally:
        resize(page, **viewport)


@pytest.mark.parametrize(("width", "next_to"), [(1400, True), (800, False)])
def test_the_chart_is_near_its_controls(
    shared_explorer: Explorer, width: int, *, next_to: bool
) -> None:
    """It is next to them on a wide page; otherwise both fit into the window."""
    page, root = shared_explorer.page, shared_explorer.root
    viewport = page.viewport_size
    resize(page, width, 1000)
    page.evaluate(_FILES)
    try:
        chart, first = shared_explorer.chart, shared_explorer.control("Along")
        expect(chart.locator("svg")).to_be_visible()
        chart_box, control_box = chart.bounding_box(), first.bounding_box()
        frame = root.bounding_box()
        assert chart_box is not None
        assert control_box is not None
        assert frame is not None
        assert (chart_box["x"] > control_box["x"] + control_box["width"]) is next_to
        assert chart_box["y"] + chart_box["height"] - control_box["y"] < 700
        if next_to:
            assert frame["width"] > 0.8 * width
    finally:
        page.evaluate(_FILES)
        resize(page, **viewport)


@pytest.mark.parametrize("width", [1280, 1000])
def test_the_days_are_next_to_each_other(shared_explorer: Explorer, width: int) -> None:
    """From and To are in one row of controls, in two columns and in three."""
    page, viewport = shared_explorer.page, shared_explorer.page.viewport_size
    resize(page, width, 1000)
    try:
        days = [shared_explorer.control(label).bounding_box() for label in ("From", "To")]
        assert len({day and day["y"] for day in days}) == 1
    finally:
        resize(page, **viewport)


def test_the_names_in_a_list_of_posts_are_complete(shared_explorer: Explorer) -> None:
    """Next to the chart, the list has room for the words and the date; the ID may be cut."""
    page, viewport = shared_explorer.page, shared_explorer.page.viewport_size
    resize(page, 1400, 1000)
    page.evaluate(_FILES)
    try:
        posts = shared_explorer.control("Posts")
        assert posts.locator("option").count() > 10
        assert posts.evaluate(_CUT) == []
    finally:
        page.evaluate(_FILES)
        resize(page, **viewport)


def test_an_invalid_date_has_a_message_at_its_field(
    shared_explorer: Explorer, artefacts: Path
) -> None:
    """The old chart is dimmed until the date is valid."""
    explorer = shared_explorer
    last = explorer.control("To").input_value()
    explorer.date("To", "2026-03-01")
    expect(explorer.alert).to_have_text(pattern_of("From", "is after To", "2026-03-01"))
    expect(explorer.control("To")).to_have_attribute("aria-invalid", "true")
    alert_box = explorer.alert.bounding_box()
    field_box = explorer.control("To").bounding_box()
    assert alert_box is not None
    assert field_box is not None
    assert 0 <= alert_box["y"] - (field_box["y"] + field_box["height"]) < 20
    expect(explorer.chart).to_have_attribute("data-stale", "")
    expect(explorer.chart).to_have_css("opacity", "0.45")
    explorer.picture(artefacts / "mistake.png")
    explorer.date("To", last)
    expect(explorer.alert).to_be_empty()
    expect(explorer.control("To")).not_to_have_attribute("aria-invalid", "true")
    expect(explorer.chart).to_have_css("opacity", "1")


def test_a_slow_chart_is_announced_as_busy(
    open_notebook: Callable[[Sequence[str]], Notebook], artefacts: Path
) -> None:
    """The old chart stays, dimmed, and is busy for screen readers."""
    notebook = open_notebook([COUNTS, EXPLORER, SLOW])
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
    expect(explorer.chart).to_have_attribute("aria-label", pattern_of("per day"))


def test_a_click_follows_the_typed_text(shared_explorer: Explorer) -> None:
    """A name is typed and Export pressed while the kernel is busy: the file has the full name."""
    shared_explorer.page.evaluate(_BUSY)
    shared_explorer.write("File", "typed-while-busy.parquet")
    shared_explorer.press("Export")
    expect(shared_explorer.status).to_have_text(pattern_of("Exported", "typed-while-busy.parquet"))
    expect(shared_explorer.alert).to_be_empty()
