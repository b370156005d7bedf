"""How an explorer looks, and what the eye sees while it changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest
from cells import COUNTS, EXPLORER, SLOW
from lab import Notebook, expect, saying

pytestmark = pytest.mark.browser

Opener = Callable[[Sequence[str]], Notebook]

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

_LUMINANCE: Final = """
one => {
  const [r, g, b] = getComputedStyle(one).color.match(/[\\d.]+/g).map(Number);
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}"""


def test_nothing_flickers(opened: Opener, artefacts: Path) -> None:
    """While controls change twenty times no frame is blank, and nothing jumps."""
    notebook = opened([COUNTS, EXPLORER])
    notebook.run_all()
    explorer = notebook.explorer()
    explorer.control("Per").scroll_into_view_if_needed()
    explorer.root.evaluate(_SAMPLE)
    for number in range(20):
        with explorer.redrawn():
            if number % 2:
                explorer.control("Per").press("ArrowUp" if number % 4 == 3 else "ArrowDown")
            else:
                explorer.control("A line each").press("ArrowUp" if number % 4 else "ArrowDown")
    notebook.page.evaluate("() => { window.enough = true; }")
    frames = notebook.page.evaluate("() => window.frames_")
    explorer.picture(artefacts / "light.png")
    assert len(frames) > 40
    assert min(frame["drawn"] for frame in frames) > 0
    assert len({round(frame["height"], 1) for frame in frames}) == 1
    assert len({frame["scroll"] for frame in frames}) == 1


def test_the_dark_theme_is_followed(opened: Opener, artefacts: Path) -> None:
    """Text, axes and table are light on dark, at once, without another picture."""
    notebook = opened([COUNTS, EXPLORER])
    notebook.run_all()
    explorer = notebook.explorer()
    ink = explorer.chart.locator("svg text").first
    light = explorer.status.evaluate(_LUMINANCE)
    notebook.command("apputils:change-theme", theme="JupyterLab Dark")
    try:
        notebook.page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
        expect(ink).to_have_css("fill", saying("rgba(255, 255, 255"))
        assert light < 0.2
        assert explorer.status.evaluate(_LUMINANCE) > 0.8
        explorer.picture(artefacts / "dark.png")
    finally:
        notebook.command("apputils:change-theme", theme="JupyterLab Light")
        notebook.page.wait_for_function("() => document.body.dataset.jpThemeLight === 'true'")


def test_a_narrow_page_has_room_for_everything(opened: Opener, artefacts: Path) -> None:
    """On a page of 760 px nothing of an explorer is cut off at the right."""
    notebook = opened([COUNTS, EXPLORER])
    notebook.page.set_viewport_size({"width": 760, "height": 1000})
    notebook.command("application:toggle-left-area")
    notebook.run_all()
    explorer = notebook.explorer()
    expect(explorer.chart.locator("svg")).to_be_visible()
    assert explorer.root.evaluate(_OUTSIDE) == []
    assert explorer.root.evaluate("root => root.scrollWidth - root.clientWidth") <= 0
    explorer.picture(artefacts / "760-px.png")


def test_a_slow_picture_is_announced(opened: Opener, artefacts: Path) -> None:
    """While a picture is made the old one stays, dimmed, and busy for those who do not see."""
    notebook = opened([COUNTS, EXPLORER, SLOW])
    notebook.run_all()
    explorer = notebook.explorer()
    with explorer.redrawn():
        explorer.choose("Per", "day")
        expect(explorer.chart).to_have_attribute("aria-busy", "true")
        expect(explorer.chart).to_have_css("opacity", "0.45")
        expect(explorer.chart.locator("svg[data-seen]")).to_be_visible()
        explorer.picture(artefacts / "busy.png")
    expect(explorer.chart).not_to_have_attribute("aria-busy", "true")
    expect(explorer.chart).to_have_css("opacity", "1")
    expect(explorer.chart).to_have_attribute("aria-label", saying("per day"))


def test_a_mistake_is_told_and_can_be_mended(opened: Opener, artefacts: Path) -> None:
    """From after To: the reason stands above the old picture, dimmed, until it is mended."""
    notebook = opened([COUNTS, EXPLORER])
    notebook.run_all()
    explorer = notebook.explorer()
    last = explorer.control("To").input_value()
    explorer.date("To", "2026-03-01")
    expect(explorer.alert).to_have_text(saying("From", "is after To", "2026-03-01"))
    expect(explorer.chart).to_have_attribute("data-stale", "")
    expect(explorer.chart).to_have_css("opacity", "0.45")
    explorer.picture(artefacts / "mistake.png")
    explorer.date("To", last)
    expect(explorer.alert).to_be_empty()
    expect(explorer.chart).to_have_css("opacity", "1")
