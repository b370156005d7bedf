"""A chart, its table and its files under the pointer and the keys of a reader."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pytest
from browser.accessibility import violations
from browser.cells import COUNTS, EXPLORER
from browser.conftest import copied, watched
from browser.lab import Explorer, dark, expect, explorer, saying, written
from browser.servers import Server
from browser.test_voila import ICONS
from playwright.sync_api import BrowserContext, Locator

pytestmark = pytest.mark.browser

SOURCE: Final = [COUNTS, EXPLORER]

_PLACE: Final = """
(root, [across, down]) => {
  const box = root.querySelector("[role=img] > svg").getBoundingClientRect();
  return [box.left + across * box.width, box.top + down * box.height];
}"""
"""A place in the window, given as shares of the chart."""


@contextmanager
def _in_lab(window: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Explorer]:
    server: Server = request.getfixturevalue("lab_server")
    artefacts: Path = request.getfixturevalue("artefacts")
    with (
        watched(window, "chart", artefacts) as page,
        copied(page, server, "chart", SOURCE) as notebook,
    ):
        notebook.run_all()
        yield notebook.explorer()


@contextmanager
def _in_voila(window: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Explorer]:
    server: Server = request.getfixturevalue("voila_server")
    artefacts: Path = request.getfixturevalue("artefacts")
    written(server.root / "chart.ipynb", SOURCE)
    with watched(window, "chart in voila", artefacts) as page:
        page.route(ICONS, lambda route: route.fulfill(body="", content_type="text/css"))
        page.goto(f"{server.url}/voila/render/chart.ipynb", timeout=60_000)
        yield explorer(page, "EngagementExplorer")


@pytest.fixture(scope="module", params=[_in_lab, _in_voila], ids=["lab", "voila"])
def shown(window: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Explorer]:
    """Return an explorer in JupyterLab, and as a page; a module's tests share it."""
    opening: Callable[..., Any] = request.param
    with opening(window, request) as one:
        expect(one.chart.locator("svg")).to_be_visible()
        yield one


def tip(explorer: Explorer) -> Locator:
    """Return what is read next to the pointer."""
    return explorer.root.locator(".engagement-tip")


def place(explorer: Explorer, across: float, down: float) -> tuple[float, float]:
    """Return a place in the window, given as shares of the chart."""
    explorer.chart.scroll_into_view_if_needed()
    x, y = explorer.root.evaluate(_PLACE, [across, down])
    return x, y


def drag(explorer: Explorer, begin: float, end: float) -> None:
    """Drag across the chart, below its legend."""
    with explorer.redrawn():
        explorer.page.mouse.move(*place(explorer, begin, 0.6))
        explorer.page.mouse.down()
        explorer.page.mouse.move(*place(explorer, (begin + end) / 2, 0.6))
        explorer.page.mouse.move(*place(explorer, end, 0.6))
        explorer.page.mouse.up()


def ticks(explorer: Explorer) -> list[str]:
    """Return all texts of the chart."""
    return explorer.chart.locator("svg text").all_text_contents()


def test_the_pointer_reads_values(shown: Explorer, artefacts: Path) -> None:
    """Next to it stand count, hour with its zone, and post; outside of the axes nothing does."""
    shown.page.mouse.move(*place(shown, 0.5, 0.6))
    expect(tip(shown)).to_be_visible()
    value, at, post = tip(shown).locator("div").all_inner_texts()
    assert int(value.replace(",", "")) >= 0
    assert pd.Timestamp(at.removesuffix(" (UTC)")) > pd.Timestamp("2026-03-20")
    assert post in {name.strip() for name in shown.table.locator("td.name").all_inner_texts()} or (
        "others" in post
    )
    shown.picture(artefacts / f"hover-{'lab' if 'lab' in shown.page.url else 'voila'}.png")
    shown.page.mouse.move(*place(shown, 0.001, 0.5))
    expect(tip(shown)).to_be_hidden()


def test_arrow_keys_read_values(shown: Explorer) -> None:
    """Right goes along a line, Down to the next one, Escape ends it."""
    shown.chart.focus()
    shown.page.keyboard.press("ArrowRight")
    first = tip(shown).locator("div").all_inner_texts()
    shown.page.keyboard.press("ArrowRight")
    second = tip(shown).locator("div").all_inner_texts()
    hours = [pd.Timestamp(text[1].removesuffix(" (UTC)")) for text in (first, second)]
    assert hours[1] - hours[0] == pd.Timedelta("1h")
    assert first[2] == second[2]
    shown.page.keyboard.press("ArrowDown")
    assert tip(shown).locator("div").all_inner_texts()[2] != first[2]
    shown.page.keyboard.press("Escape")
    expect(tip(shown)).to_be_hidden()


def test_dragging_zooms_in(shown: Explorer, artefacts: Path) -> None:
    """The ticks are those of the part; a double click, the button and Escape show all again."""
    everything = ticks(shown)
    out = shown.root.get_by_role("button", name="Zoom out", exact=True)
    expect(out).to_be_hidden()
    drag(shown, 0.50, 0.55)
    expect(out).to_be_visible()
    assert any(":00" in text for text in ticks(shown))
    shown.picture(artefacts / f"zoom-{'lab' if 'lab' in shown.page.url else 'voila'}.png")
    with shown.redrawn():
        shown.page.mouse.dblclick(*place(shown, 0.5, 0.6))
    assert ticks(shown) == everything
    expect(out).to_be_hidden()

    drag(shown, 0.6, 0.3)
    with shown.redrawn():
        out.click()
    assert ticks(shown) == everything

    drag(shown, 0.3, 0.6)
    shown.chart.focus()
    with shown.redrawn():
        shown.page.keyboard.press("Escape")
    assert ticks(shown) == everything


def test_a_zoom_remains_where_it_can(shown: Explorer) -> None:
    """Another measure shows the same days; ages are another axis, and all of it is shown."""
    out = shown.root.get_by_role("button", name="Zoom out", exact=True)
    drag(shown, 0.4, 0.7)
    with shown.redrawn():
        shown.choose("Show", "cumulative counts")
    expect(out).to_be_visible()
    with shown.redrawn():
        shown.choose("Along", "the age of each post")
    expect(out).to_be_hidden()
    shown.choose("Along", "dates")
    with shown.redrawn():
        shown.choose("Show", "counts")


def test_a_name_in_the_legend_picks_out_its_line(shown: Explorer) -> None:
    """By a click and by the keyboard; all others are dimmed, until it is undone."""
    entry = shown.root.locator(".engagement-entry").first
    gid = entry.evaluate("one => one.value")
    lines = shown.chart.locator("svg [data-gid]")
    entry.click()
    expect(entry).to_have_attribute("aria-pressed", "true")
    for line in lines.all():
        own = line.get_attribute("data-gid") == gid
        expect(line).to_have_css("opacity", "1" if own else "0.15")
    assert violations(shown.page) == {}
    entry.focus()
    shown.page.keyboard.press("Enter")
    expect(entry).to_have_attribute("aria-pressed", "false")
    expect(shown.chart.locator("[data-gid][style*=opacity]")).to_have_count(0)


def test_headings_sort(shown: Explorer) -> None:
    """Numbers as numbers, IDs as numbers of any length, by keyboard too; dashes are last."""
    counts = shown.table.locator("td.number")

    def numbers() -> list[int | None]:
        texts = [text.replace(",", "") for text in counts.all_inner_texts()]
        return [int(text) if text.isdigit() else None for text in texts]

    best = numbers()
    heading = shown.table.get_by_role("columnheader", name="impressions")
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    assert numbers() == best
    shown.page.keyboard.press("Enter")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    known = sorted(number for number in best if number is not None)
    assert numbers() == known + [None] * (len(best) - len(known))

    shown.table.get_by_role("columnheader", name="ID").get_by_role("button").click()
    ids = shown.table.locator("td a").all_inner_texts()
    assert ids == sorted(ids, key=int, reverse=True)
    with shown.redrawn():
        shown.choose("Per", "day")
    expect(heading).to_have_attribute("aria-sort", "none")
    assert shown.table.locator("td a").all_inner_texts() == ids
    with shown.redrawn():
        shown.choose("Per", "hour")


@pytest.mark.parametrize("name", ["PNG", "SVG", "CSV", "Parquet", "XLSX"])
def test_files_come_through_the_browser(shown: Explorer, name: str) -> None:
    """The chart and the selection, in each format, with the name of the field and its IDs."""
    with shown.page.expect_download() as coming:
        shown.press(name)
    file = coming.value
    assert file.suggested_filename == f"selection.{name.lower()}"
    content = Path(file.path()).read_bytes()
    if name in {"PNG", "SVG"}:
        assert content.startswith(b"\x89PNG" if name == "PNG" else b"<?xml")
        return
    frame = {
        "CSV": lambda: pd.read_csv(io.BytesIO(content), dtype={"post_id": "str"}),
        "Parquet": lambda: pd.read_parquet(io.BytesIO(content)),
        "XLSX": lambda: pd.read_excel(io.BytesIO(content), dtype={"post_id": "str"}),
    }[name]()
    expect(shown.status).to_have_text(saying(f"Downloaded {len(frame):,} rows as selection"))
    assert set(frame["post_id"]) == set(shown.table.locator("td a").all_inner_texts())


@pytest.mark.parametrize("width", [1400, 800])
def test_pictures_of_both_themes(shown: Explorer, artefacts: Path, width: int) -> None:
    """Nothing of an explorer is cut off at the right, zoomed in and with a value read."""
    page = shown.page
    if "lab" not in page.url:
        return
    before = page.viewport_size
    page.set_viewport_size({"width": width, "height": 1000})
    try:
        with dark(page):
            page.mouse.move(*place(shown, 0.4, 0.6))
            shown.root.screenshot(path=artefacts / f"chart-dark-{width}.png")
        page.mouse.move(*place(shown, 0.6, 0.6))
        expect(tip(shown)).to_be_visible()
        shown.root.screenshot(path=artefacts / f"chart-light-{width}.png")
        assert shown.root.evaluate("root => root.scrollWidth - root.clientWidth") <= 0
    finally:
        page.set_viewport_size(before)
