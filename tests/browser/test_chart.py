"""A chart, its table and its files, used with a pointer and a keyboard."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pytest
from browser.accessibility import violations
from browser.cells import COUNTS, EXPLORER
from browser.conftest import monitored_page, open_copy
from browser.lab import Explorer, dark, expect, explorer, pattern_of, resize, write_notebook
from browser.servers import Server
from browser.test_voila import ICONS
from playwright.sync_api import BrowserContext, Locator, Page

from engagement_pandas.explorers.chart_marks import FORMATS
from engagement_pandas.explorers.widgets import Chart

pytestmark = pytest.mark.browser

SOURCE: Final = [COUNTS, EXPLORER]

_PLACE: Final = """
(root, [across, down]) => {
  const box = root.querySelector("[role=img] > svg").getBoundingClientRect();
  return [box.left + across * box.width, box.top + down * box.height];
}"""
"""A position in the window, from shares of the chart."""

_BEYOND: Final = """
root => {
  const [tip, chart] = [".engagement-tip", ".engagement-chart"].map(
    name => root.querySelector(name).getBoundingClientRect());
  return Math.max(tip.right - chart.right, chart.left - tip.left);
}"""
"""How far values reach beyond the part of the chart that is in sight, in pixels."""


@contextmanager
def _in_lab(window: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Explorer]:
    server: Server = request.getfixturevalue("lab_server")
    artefacts: Path = request.getfixturevalue("artefacts")
    with (
        monitored_page(window, "chart", artefacts) as page,
        open_copy(page, server, "chart", SOURCE) as notebook,
    ):
        notebook.run_all()
        yield notebook.explorer()


@contextmanager
def _in_voila(window: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Explorer]:
    server: Server = request.getfixturevalue("voila_server")
    artefacts: Path = request.getfixturevalue("artefacts")
    write_notebook(server.root / "chart.ipynb", SOURCE)
    with monitored_page(window, "chart in voila", artefacts) as page:
        page.route(ICONS, lambda route: route.fulfill(body="", content_type="text/css"))
        page.goto(f"{server.url}/voila/render/chart.ipynb", timeout=60_000)
        yield explorer(page, "EngagementExplorer")


@pytest.fixture(scope="module", params=[_in_lab, _in_voila], ids=["lab", "voila"])
def shared(window: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Explorer]:
    """Return an explorer in JupyterLab and in Voilà; the tests of a module share it."""
    open_explorer: Callable[..., Any] = request.param
    with open_explorer(window, request) as explorer_:
        expect(explorer_.chart.locator("svg")).to_be_visible()
        yield explorer_


def tip(explorer: Explorer) -> Locator:
    """Return the text next to the pointer."""
    return explorer.root.locator(".engagement-tip")


def position(explorer: Explorer, across: float, down: float) -> tuple[float, float]:
    """Return a position in the window, from shares of the chart."""
    explorer.chart.scroll_into_view_if_needed()
    x, y = explorer.root.evaluate(_PLACE, [across, down])
    return x, y


def drag(explorer: Explorer, begin: float, end: float) -> None:
    """Drag across the chart, below its legend."""
    with explorer.redrawn():
        explorer.page.mouse.move(*position(explorer, begin, 0.6))
        explorer.page.mouse.down()
        explorer.page.mouse.move(*position(explorer, (begin + end) / 2, 0.6))
        explorer.page.mouse.move(*position(explorer, end, 0.6))
        explorer.page.mouse.up()


def ticks(explorer: Explorer) -> list[str]:
    """Return all texts of the chart."""
    return explorer.chart.locator("svg text").all_text_contents()


def test_the_pointer_shows_values(shared: Explorer, artefacts: Path) -> None:
    """They have a count, an hour with its zone, and a post; outside the axes there are none."""
    shared.page.mouse.move(*position(shared, 0.5, 0.6))
    expect(tip(shared)).to_be_visible()
    value, at, post = tip(shared).locator("div").all_inner_texts()
    assert int(value.replace(",", "")) >= 0
    assert pd.Timestamp(at.removesuffix(" (UTC)")) > pd.Timestamp("2026-03-20")
    assert post in {name.strip() for name in shared.table.locator("td.name").all_inner_texts()} or (
        "others" in post
    )
    shared.picture(artefacts / f"hover-{'lab' if 'lab' in shared.page.url else 'voila'}.png")
    shared.page.mouse.move(*position(shared, 0.001, 0.5))
    expect(tip(shared)).to_be_hidden()


def test_values_fit_into_the_part_of_the_chart_in_sight(shared: Explorer, artefacts: Path) -> None:
    """On 800 px in JupyterLab, the chart is wider than its cell."""
    viewport = shared.page.viewport_size
    resize(shared.page, 800, 1000)
    try:
        shared.page.mouse.move(*position(shared, 0.4, 0.6))
        expect(tip(shared)).to_be_visible()
        shared.page.screenshot(path=artefacts / f"hover-800-{'lab' in shared.page.url}.png")
        assert shared.root.evaluate(_BEYOND) <= 0
    finally:
        resize(shared.page, **viewport)
        shared.page.mouse.move(0, 0)


@pytest.mark.parametrize(("words", "name"), FORMATS.items())
def test_the_page_formats_values_as_matplotlib_does(
    page: Page, words: Callable[[float], str], name: str
) -> None:
    """The explorer formats them in the browser, and figures in their windows in Python."""
    values = [0, 1, 999, 1000, 1234567, -5, 2.25, 0.125, 1234.5, 0.001225, 0.1225, 0.5, 1.5, -0.02]
    code = base64.b64encode(str(Chart._esm).encode()).decode()
    shown = page.evaluate(
        """async ([code, name, values]) => {
          const { FORMATS } = await import(`data:text/javascript;base64,${code}`);
          return values.map(FORMATS[name]);
        }""",
        [code, name, values],
    )
    assert shown == [words(value) for value in values]


def test_arrow_keys_show_values(shared: Explorer) -> None:
    """Right follows a line, Down selects the next one, Escape ends it."""
    shared.page.mouse.move(0, 0)
    shared.chart.focus()
    shared.page.keyboard.press("ArrowRight")
    first = tip(shared).locator("div").all_inner_texts()
    shared.page.keyboard.press("ArrowRight")
    second = tip(shared).locator("div").all_inner_texts()
    hours = [pd.Timestamp(text[1].removesuffix(" (UTC)")) for text in (first, second)]
    assert hours[1] - hours[0] == pd.Timedelta("1h")
    assert first[2] == second[2]
    shared.page.keyboard.press("ArrowDown")
    assert tip(shared).locator("div").all_inner_texts()[2] != first[2]
    shared.page.keyboard.press("Escape")
    expect(tip(shared)).to_be_hidden()


def test_a_pointer_at_rest_does_not_replace_what_the_keys_show(shared: Explorer) -> None:
    """A browser repeats its last event, as when the page is laid out again."""
    x, y = map(round, position(shared, 0.5, 0.6))
    shared.page.mouse.move(x, y)
    shared.chart.focus()
    shared.page.keyboard.press("ArrowLeft")
    shown = tip(shared).locator("div").all_inner_texts()
    event = {"clientX": x, "clientY": y, "bubbles": True}
    shared.chart.dispatch_event("pointermove", event)
    assert tip(shared).locator("div").all_inner_texts() == shown
    shared.page.mouse.move(x - 60, y)
    expect(tip(shared).locator("div").nth(1)).not_to_have_text(shown[1])
    shared.page.keyboard.press("Escape")


def test_dragging_zooms_in(shared: Explorer, artefacts: Path) -> None:
    """Ticks are those of the part; a double click, the button and Escape zoom out."""
    all_ticks = ticks(shared)
    zoom_out = shared.root.get_by_role("button", name="Zoom out", exact=True)
    expect(zoom_out).to_be_hidden()
    drag(shared, 0.50, 0.55)
    expect(zoom_out).to_be_visible()
    assert any(":00" in text for text in ticks(shared))
    shared.picture(artefacts / f"zoom-{'lab' if 'lab' in shared.page.url else 'voila'}.png")
    with shared.redrawn():
        shared.page.mouse.dblclick(*position(shared, 0.5, 0.6))
    assert ticks(shared) == all_ticks
    expect(zoom_out).to_be_hidden()

    drag(shared, 0.6, 0.3)
    with shared.redrawn():
        zoom_out.click()
    assert ticks(shared) == all_ticks

    drag(shared, 0.3, 0.6)
    shared.chart.focus()
    with shared.redrawn():
        shared.page.keyboard.press("Escape")
    assert ticks(shared) == all_ticks


def test_a_zoom_stays_on_the_same_axis(shared: Explorer) -> None:
    """Another measure keeps the days; ages are another axis."""
    zoom_out = shared.root.get_by_role("button", name="Zoom out", exact=True)
    drag(shared, 0.4, 0.7)
    with shared.redrawn():
        shared.choose("Show", "cumulative counts")
    expect(zoom_out).to_be_visible()
    with shared.redrawn():
        shared.choose("Along", "the age of each post")
    expect(zoom_out).to_be_hidden()
    shared.choose("Along", "dates")
    with shared.redrawn():
        shared.choose("Show", "counts")


def test_an_entry_of_the_legend_highlights_its_line(shared: Explorer) -> None:
    """A click or a key dims all others, until it is repeated."""
    entry = shared.root.locator(".engagement-entry").first
    gid = entry.evaluate("element => element.value")
    lines = shared.chart.locator("svg [data-gid]")
    entry.click()
    expect(entry).to_have_attribute("aria-pressed", "true")
    for line in lines.all():
        own = line.get_attribute("data-gid") == gid
        expect(line).to_have_css("opacity", "1" if own else "0.15")
    assert violations(shared.page) == {}
    entry.focus()
    shared.page.keyboard.press("Enter")
    expect(entry).to_have_attribute("aria-pressed", "false")
    expect(shared.chart.locator("[data-gid][style*=opacity]")).to_have_count(0)


def test_headings_sort_the_table(shared: Explorer) -> None:
    """Numbers and IDs are sorted as numbers, also by keyboard; dashes are last."""
    counts = shared.table.locator("td.number")

    def numbers() -> list[int | None]:
        texts = [text.replace(",", "") for text in counts.all_inner_texts()]
        return [int(text) if text.isdigit() else None for text in texts]

    best = numbers()
    heading = shared.table.get_by_role("columnheader", name="impressions")
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    assert numbers() == best
    shared.page.keyboard.press("Enter")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    known = sorted(number for number in best if number is not None)
    assert numbers() == known + [None] * (len(best) - len(known))

    shared.table.get_by_role("columnheader", name="ID").get_by_role("button").click()
    ids = shared.table.locator("td a").all_inner_texts()
    assert ids == sorted(ids, key=int, reverse=True)
    with shared.redrawn():
        shared.choose("Per", "day")
    expect(heading).to_have_attribute("aria-sort", "none")
    assert shared.table.locator("td a").all_inner_texts() == ids
    with shared.redrawn():
        shared.choose("Per", "hour")


@pytest.mark.parametrize("name", ["PNG", "SVG", "CSV", "Parquet", "XLSX"])
def test_files_are_downloaded(shared: Explorer, name: str) -> None:
    """They have the chart or the selection, in each format, with the name in the field."""
    with shared.page.expect_download() as download:
        shared.press(name)
    file = download.value
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
    expect(shared.status).to_have_text(pattern_of(f"Downloaded {len(frame):,} rows as selection"))
    assert set(frame["post_id"]) == set(shared.table.locator("td a").all_inner_texts())


@pytest.mark.parametrize("width", [1400, 800])
def test_explorers_fit_the_page_in_both_themes(
    shared: Explorer, artefacts: Path, width: int
) -> None:
    """Nothing is cut off at the right, with a zoom and a value."""
    page = shared.page
    if "lab" not in page.url:
        return
    viewport = page.viewport_size
    resize(page, width, 1000)
    try:
        with dark(page):
            page.mouse.move(*position(shared, 0.4, 0.6))
            shared.root.screenshot(path=artefacts / f"chart-dark-{width}.png")
        page.mouse.move(*position(shared, 0.6, 0.6))
        expect(tip(shared)).to_be_visible()
        shared.root.screenshot(path=artefacts / f"chart-light-{width}.png")
        assert shared.root.evaluate("root => root.scrollWidth - root.clientWidth") <= 0
    finally:
        resize(page, **viewport)
