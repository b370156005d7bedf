"""The chart on the page and the stored picture: their content, and their isolation."""

# ruff: noqa: S314  the XML is our own

from __future__ import annotations

import base64
import io
import re
import threading
from contextlib import closing
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import matplotlib.image
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.axis import Axis

from engagement_pandas.explorers import BestTimesExplorer, CompareExplorer, EngagementExplorer
from engagement_pandas.explorers.picture import Picture
from engagement_pandas.explorers.widgets import Region
from engagement_pandas.plots.page_theme import INK, PAGE_INK

EXPLORERS = (EngagementExplorer, BestTimesExplorer, CompareExplorer)
each_explorer = pytest.mark.parametrize("explorer_class", EXPLORERS)
SALTED = re.compile(r"[A-Za-z_0-9]*[0-9a-f]{10}")
"""The random IDs that matplotlib gives to markers and clips of each chart."""


@pytest.fixture(scope="module")
def svgs(counts: pd.DataFrame, posts: pd.DataFrame) -> dict[Any, str]:
    """Return the first chart of each explorer."""
    first_charts = {}
    for explorer_class in EXPLORERS:
        with closing(explorer_class(counts, posts)) as explorer:
            if explorer_class is CompareExplorer:
                explorer.controls["at"].value = None
            first_charts[explorer_class] = explorer.chart.html
    return first_charts


def ids_in(svg: str) -> set[str]:
    """Return the IDs that the chart would add to the page."""
    return {value for element in ET.fromstring(svg).iter() if (value := element.get("id"))}


@pytest.mark.slow
@each_explorer
def test_a_chart_is_one_valid_svg_element(svgs: dict[Any, str], explorer_class: Any) -> None:
    """It has no XML declaration, comments or date."""
    svg = svgs[explorer_class]
    root = ET.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert svg.lstrip().startswith("<svg")
    assert not re.search(r"<\?xml|<!DOCTYPE|<!--|metadata|dc:|[0-9]{4}-[0-9]{2}-[0-9]{2}T", svg)


@pytest.mark.slow
@each_explorer
def test_a_chart_adds_no_styles_to_the_page(svgs: dict[Any, str], explorer_class: Any) -> None:
    """A style element would apply to every other chart."""
    names = {
        element.tag.rpartition("}")[2] for element in ET.fromstring(svgs[explorer_class]).iter()
    }
    assert not names & {"style", "script", "foreignObject", "a", "link"}
    assert "class=" not in svgs[explorer_class]


@each_explorer
def test_a_chart_adds_no_fixed_ids_to_the_page(svgs: dict[Any, str], explorer_class: Any) -> None:
    """Groups have none; the IDs of markers and clips are random."""
    assert [
        element for element in ids_in(svgs[explorer_class]) if not SALTED.fullmatch(element)
    ] == []


@pytest.mark.slow
@each_explorer
def test_every_reference_has_a_target(svgs: dict[Any, str], explorer_class: Any) -> None:
    """Markers and clips are in the same chart."""
    svg = svgs[explorer_class]
    references = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    assert references
    assert references <= ids_in(svg)


@pytest.mark.slow
def test_two_charts_share_no_id(explore: Any, frames: dict[str, pd.DataFrame]) -> None:
    """On one page they would share markers otherwise."""
    first, second = (explore(frames["by day"]).chart.html for _ in range(2))
    assert not ids_in(first) & ids_in(second)


@pytest.mark.long
@each_explorer
def test_texts_have_the_colour_of_the_page(svgs: dict[Any, str], explorer_class: Any) -> None:
    """Only numbers in coloured cells have another colour."""
    assert INK not in svgs[explorer_class]
    for element in ET.fromstring(svgs[explorer_class]).iter("{http://www.w3.org/2000/svg}text"):
        style = element.get("style") or ""
        fill = re.search(r"fill: ([^;]+)", style)
        cell = explorer_class is BestTimesExplorer and (element.text or "").strip().isdecimal()
        assert cell or (fill is not None and fill.group(1) == PAGE_INK), element.text


@each_explorer
def test_a_chart_has_no_background(svgs: dict[Any, str], explorer_class: Any) -> None:
    """A white background would be visible on a dark page."""
    assert not re.search(r"fill: (#ffffff|white)\b", svgs[explorer_class])


@each_explorer
def test_a_chart_has_the_width_of_its_container(svgs: dict[Any, str], explorer_class: Any) -> None:
    """It has a view box, and no size."""
    root = ET.fromstring(svgs[explorer_class])
    assert root.get("width") is root.get("height") is None
    assert [float(number) for number in root.get("viewBox", "").split()][:3] == [0, 0, 576]


@pytest.mark.long
@pytest.mark.parametrize("name", ["by hour", "by day", "totals", "without posts"])
def test_each_series_has_its_name_as_an_attribute(views: Any, name: str) -> None:
    """Everything drawn with a gid is a group with data-gid, in all views."""
    for key, seen in views(name).items():
        drawn = set(re.findall(r'data-gid="([^"]+)"', seen.svg))
        assert seen.drawn <= drawn, key


def test_names_in_attributes_are_escaped(explore: Any, set_controls: Any, tidy: Any) -> None:
    """A type may have quotes and brackets."""
    unusual = '"><script>&'
    counts = tidy([(unusual, 5), ("impressions", 7)], ("engagement_type", "count"))
    explorer = set_controls(explore.without_drawing(counts), types=(unusual, "impressions"))
    names = {element.get("data-gid") for element in ET.fromstring(explorer.chart.html).iter()}
    assert unusual in names


@pytest.mark.slow
@pytest.mark.parametrize(
    ("explorer_class", "style"),
    [
        *((explorer_class, "dark_background") for explorer_class in EXPLORERS),
        (EXPLORERS[0], "ggplot"),
    ],
)
def test_a_style_has_no_effect(
    explore: Any, counts: pd.DataFrame, explorer_class: Any, style: str
) -> None:
    """The user's settings add no background, and are restored."""
    with plt.style.context(style):
        before = dict(mpl.rcParams)
        explorer = explore(counts, explorer_class=explorer_class)
        assert explorer.alert.html == ""
        assert dict(mpl.rcParams) == before
        assert PAGE_INK in explorer.chart.html


@pytest.mark.long
@pytest.mark.parametrize(
    "setting",
    [{"figure.constrained_layout.use": True}, {"figure.autolayout": True}, {"figure.dpi": 300}],
    ids=str,
)
@pytest.mark.parametrize("explorer_class", [EngagementExplorer, BestTimesExplorer])
def test_settings_of_layout_have_no_effect(
    explore: Any, frames: dict[str, pd.DataFrame], explorer_class: Any, setting: dict[str, Any]
) -> None:
    """They are set for all figures; the chart is drawn twice."""
    with mpl.rc_context(setting):
        explorer = explore(frames["by day"], explorer_class=explorer_class)
        explorer.redraw()
        assert explorer.alert.html == ""
        assert " 0 576 " in explorer.chart.html


def test_settings_are_restored_after_an_error() -> None:
    """Drawing may raise any exception."""
    before = dict(mpl.rcParams)
    with pytest.raises(ZeroDivisionError):
        Picture().svg(lambda _: 1 / 0)
    assert dict(mpl.rcParams) == before


@pytest.mark.slow
def test_threads_draw_one_after_another() -> None:
    """They share the settings, which are restored afterwards."""
    before, second, done = dict(mpl.rcParams), threading.Event(), threading.Event()

    def draw_too(_: Any) -> None:
        second.set()
        done.wait(5)

    thread = threading.Thread(target=Picture().svg, args=(draw_too,))

    def draw(_: Any) -> None:
        thread.start()
        second.wait(0.2)  # no effect: the thread waits for this one

    Picture().svg(draw)
    done.set()
    thread.join()
    assert dict(mpl.rcParams) == before


@pytest.mark.long
@each_explorer
def test_a_notebook_stores_a_view_a_sentence_and_a_picture(
    explore: Any, counts: pd.DataFrame, display_bundle: Any, explorer_class: Any
) -> None:
    """The picture is for readers without a kernel."""
    explorer = explore(counts, explorer_class=explorer_class)
    bundle = display_bundle(explorer)
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.model_id
    assert bundle["text/plain"].startswith(f"{explorer_class.__name__}(")
    picture = matplotlib.image.imread(io.BytesIO(base64.b64decode(bundle["image/png"])))
    height, width = picture.shape[:2]
    inches = {EngagementExplorer: 4.4, BestTimesExplorer: 5.4, CompareExplorer: 3.2}[explorer_class]
    assert (width, height) == (1152, round(inches * 144, 6) // 1)
    assert picture[0, 0].tolist() == [1, 1, 1, 1]
    assert picture[..., :3].min() < 0.2


def test_a_notebook_stores_the_content_of_a_region(display_bundle: Any) -> None:
    """The output has a view and, for readers without a kernel, the HTML."""
    region = Region(html="<p>5</p>")
    bundle = display_bundle(region)
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == region.model_id
    assert bundle["text/html"] == "<p>5</p>"
    region.close()


@pytest.mark.slow
def test_the_stored_picture_is_the_latest(
    explore: Any, frames: dict[str, pd.DataFrame], display_bundle: Any
) -> None:
    """Storing it does not change the chart on the page."""
    explorer = explore(frames["by day"])
    first_picture = display_bundle(explorer)["image/png"]
    chart = explorer.chart.html
    assert display_bundle(explorer)["image/png"] == first_picture
    explorer.controls["clock"].value = "total"
    assert display_bundle(explorer)["image/png"] != first_picture
    explorer.controls["clock"].value = "time"
    without_ids = [re.sub(r"[0-9a-f]{10}", "", svg) for svg in (chart, explorer.chart.html)]
    assert without_ids[0] == without_ids[1]


@pytest.mark.slow
@each_explorer
def test_the_repr_is_a_sentence(explore: Any, counts: pd.DataFrame, explorer_class: Any) -> None:
    """It is one short line."""
    explorer = explore(counts, explorer_class=explorer_class)
    assert len(repr(explorer)) < 100
    assert "\n" not in repr(explorer)


def test_the_repr_after_an_error_is_the_message(
    explore: Any, set_controls: Any, counts: pd.DataFrame
) -> None:
    """It is not escaped."""
    from datetime import date  # noqa: PLC0415 - only here

    explorer = set_controls(explore.without_drawing(counts), last=date(2026, 2, 1))
    words = "From (2026-02-28) is after To (2026-02-01); swap them"
    assert repr(explorer) == f"EngagementExplorer({words})"


@pytest.mark.slow
def test_the_repr_is_short_for_any_input(
    explore: Any, set_controls: Any, counts: pd.DataFrame, posts: pd.DataFrame
) -> None:
    """A thousand words are not repeated."""
    explorer = explore.without_drawing(counts, posts, explorer_class=CompareExplorer)
    set_controls(explorer, split="words", words="notes " * 1000)
    assert len(repr(explorer)) < 250


@pytest.mark.slow
def test_the_label_describes_the_chart(
    explore: Any, set_controls: Any, counts: pd.DataFrame
) -> None:
    """It has the axes with their units, and the names in the legend."""
    explorer = set_controls(
        explore.without_drawing(counts), lines="engagement_type", types=("impressions", "favorites")
    )
    label = explorer.chart.label
    for words in ("counts per hour", "time (UTC)", "impressions", "favorites"):
        assert words in label


@pytest.mark.slow
def test_the_regions_have_roles(explore: Any, counts: pd.DataFrame) -> None:
    """Screen readers know the status, the chart and the table."""
    explorer = explore(counts)
    assert (explorer.status.role, explorer.chart.role) == ("status", "img")
    assert (explorer.table.role, explorer.table.label, explorer.table.reachable) == (
        "group",
        "Table",
        True,
    )


@pytest.mark.slow
@each_explorer
def test_every_control_has_a_unique_label(
    explore: Any, counts: pd.DataFrame, explorer_class: Any
) -> None:
    """No two controls of an explorer share one."""
    controls = dict(explore(counts, explorer_class=explorer_class).controls)
    chooser = controls.pop("posts")
    all_controls = [*controls.values(), chooser.words, chooser.ranking, chooser.top, chooser.listed]
    labels = [control.description for control in all_controls]
    assert all(labels)
    assert len(set(labels)) == len(labels)


def test_tick_labels_are_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measuring them takes as long as drawing them."""
    calls = []
    measure = Axis.get_tightbbox
    monkeypatch.setattr(
        Axis,
        "get_tightbbox",
        lambda *args, **kwargs: calls.append(1) or measure(*args, **kwargs),
    )
    Picture().svg(lambda ax: ax.plot([1, 2]))
    assert len(calls) == 2


@pytest.mark.parametrize("title", ["", "Title"])
def test_a_chart_fills_its_area(title: str) -> None:
    """The margins are small on all sides."""
    picture = Picture(width=8, height=4)

    def draw(ax: Axes) -> None:
        ax.set(title=title, xlabel="below", ylabel="beside", xlim=(0, 1.02), ylim=(0, 1.04))
        ax.set_yticks([0, 0.5], ["none", "half of all that there are"])
        ax.text(1.02, 1.04, "outside", ha="left", va="bottom")

    picture.svg(draw)
    drawn = picture._figure.get_tightbbox()
    assert 0 < drawn.x0 < 0.15
    assert 0 < drawn.y0 < 0.15
    assert 7.85 < drawn.x1 < 8
    assert 3.85 < drawn.y1 < 4


def test_an_axis_label_is_4_points_from_the_tick_labels() -> None:
    """Tick labels may have any length."""
    picture = Picture()
    picture.svg(lambda ax: ax.set(xlabel="below", ylabel="beside", yticks=[0, 123_456]))
    ax = picture._figure.axes[0]
    ticks = min(label.get_window_extent().x0 for label in ax.get_yticklabels())
    assert ticks - ax.yaxis.label.get_window_extent().x1 == pytest.approx(4, abs=0.5)
    ticks = min(label.get_window_extent().y0 for label in ax.get_xticklabels())
    assert ticks - ax.xaxis.label.get_window_extent().y1 == pytest.approx(4, abs=0.5)
