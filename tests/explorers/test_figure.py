"""The picture on the page and the one that is kept: what is in them, and what must not be."""

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
from engagement_pandas.explorers.figure import Picture
from engagement_pandas.explorers.widgets import Region
from engagement_pandas.plots.theme import INK, PAGE_INK

EXPLORERS = (EngagementExplorer, BestTimesExplorer, CompareExplorer)
every_explorer = pytest.mark.parametrize("kind", EXPLORERS)
SALTED = re.compile(r"[A-Za-z_0-9]*[0-9a-f]{10}")
"""The IDs of markers and clips, which matplotlib makes anew for each picture."""


@pytest.fixture(scope="module")
def svgs(counts: pd.DataFrame, posts: pd.DataFrame) -> dict[Any, str]:
    """Return the first picture of each explorer."""
    made = {}
    for kind in EXPLORERS:
        with closing(kind(counts, posts)) as explorer:
            if kind is CompareExplorer:
                explorer.controls["at"].value = None
            made[kind] = explorer.chart.html
    return made


def ids_in(svg: str) -> set[str]:
    """Return the IDs that would be the page's."""
    return {value for each in ET.fromstring(svg).iter() if (value := each.get("id"))}


@every_explorer
def test_valid_and_alone(svgs: dict[Any, str], kind: Any) -> None:
    """One svg element, of XML that can be read, without head, comments or a date."""
    svg = svgs[kind]
    root = ET.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert svg.lstrip().startswith("<svg")
    assert not re.search(r"<\?xml|<!DOCTYPE|<!--|metadata|dc:|[0-9]{4}-[0-9]{2}-[0-9]{2}T", svg)


@pytest.mark.slow
@every_explorer
def test_no_style_reaches_the_page(svgs: dict[Any, str], kind: Any) -> None:
    """A style element would hold for every other picture too, and a class for its styles."""
    names = {each.tag.rpartition("}")[2] for each in ET.fromstring(svgs[kind]).iter()}
    assert not names & {"style", "script", "foreignObject", "a", "link"}
    assert "class=" not in svgs[kind]


@every_explorer
def test_no_id_reaches_the_page(svgs: dict[Any, str], kind: Any) -> None:
    """Groups have none; what markers and clips need is made by chance."""
    assert [each for each in ids_in(svgs[kind]) if not SALTED.fullmatch(each)] == []


@pytest.mark.slow
@every_explorer
def test_what_is_referred_to_is_there(svgs: dict[Any, str], kind: Any) -> None:
    """Each use and each clip finds its own."""
    svg = svgs[kind]
    wanted = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    assert wanted
    assert wanted <= ids_in(svg)


@pytest.mark.slow
def test_two_pictures_share_no_id(explore: Any, frames: dict[str, pd.DataFrame]) -> None:
    """On one page they would take each other's markers."""
    one, two = (explore(frames["by day"]).chart.html for _ in range(2))
    assert not ids_in(one) & ids_in(two)


@every_explorer
def test_text_in_the_colour_of_the_page(svgs: dict[Any, str], kind: Any) -> None:
    """No text has a colour of its own but the numbers in coloured cells."""
    assert INK not in svgs[kind]
    for each in ET.fromstring(svgs[kind]).iter("{http://www.w3.org/2000/svg}text"):
        style = each.get("style") or ""
        fill = re.search(r"fill: ([^;]+)", style)
        cell = kind is BestTimesExplorer and (each.text or "").strip().isdecimal()
        assert cell or (fill is not None and fill.group(1) == PAGE_INK), each.text


@every_explorer
def test_no_ground_of_its_own(svgs: dict[Any, str], kind: Any) -> None:
    """A white patch would be seen on a dark page."""
    assert not re.search(r"fill: (#ffffff|white)\b", svgs[kind])


@every_explorer
def test_as_wide_as_there_is_room(svgs: dict[Any, str], kind: Any) -> None:
    """It has a view box, and no size."""
    root = ET.fromstring(svgs[kind])
    assert root.get("width") is root.get("height") is None
    assert [float(number) for number in root.get("viewBox", "").split()][:3] == [0, 0, 576]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["by hour", "by day", "totals", "without posts"])
def test_each_series_is_found_by_its_name(walks: Any, name: str) -> None:
    """What was drawn with a gid is a group with data-gid, for all that can be chosen."""
    for key, seen in walks(name).items():
        there = set(re.findall(r'data-gid="([^"]+)"', seen.svg))
        assert seen.drawn <= there, key


def test_names_in_attributes_are_escaped(explore: Any, put: Any, tidy: Any) -> None:
    """A type with quotes and brackets is found by its own name."""
    odd = '"><script>&'
    counts = tidy([(odd, 5), ("impressions", 7)], ("engagement_type", "count"))
    explorer = put(explore.later(counts), types=(odd, "impressions"))
    names = {each.get("data-gid") for each in ET.fromstring(explorer.chart.html).iter()}
    assert odd in names


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "style"),
    [*((kind, "dark_background") for kind in EXPLORERS), (EXPLORERS[0], "ggplot")],
)
def test_in_any_style(explore: Any, counts: pd.DataFrame, kind: Any, style: str) -> None:
    """The user's own settings make no ground, and are theirs again afterwards."""
    with plt.style.context(style):
        before = dict(mpl.rcParams)
        explorer = explore(counts, kind=kind)
        assert explorer.alert.html == ""
        assert dict(mpl.rcParams) == before
        assert PAGE_INK in explorer.chart.html


@pytest.mark.slow
@pytest.mark.parametrize(
    "setting",
    [{"figure.constrained_layout.use": True}, {"figure.autolayout": True}, {"figure.dpi": 300}],
    ids=str,
)
@pytest.mark.parametrize("kind", [EngagementExplorer, BestTimesExplorer])
def test_with_settings_that_get_in_the_way(
    explore: Any, frames: dict[str, pd.DataFrame], kind: Any, setting: dict[str, Any]
) -> None:
    """Layouts and sizes that somebody set for all figures; drawn twice."""
    with mpl.rc_context(setting):
        explorer = explore(frames["by day"], kind=kind)
        explorer.redraw()
        assert explorer.alert.html == ""
        assert " 0 576 " in explorer.chart.html


def test_settings_come_back_after_an_error() -> None:
    """However a picture ends."""
    before = dict(mpl.rcParams)
    with pytest.raises(ZeroDivisionError):
        Picture().svg(lambda _: 1 / 0)
    assert dict(mpl.rcParams) == before


def test_two_threads_draw_one_after_the_other() -> None:
    """The settings, which they share, are afterwards those from before."""
    before, second, done = dict(mpl.rcParams), threading.Event(), threading.Event()

    def draw_too(_: Any) -> None:
        second.set()
        done.wait(5)

    other = threading.Thread(target=Picture().svg, args=(draw_too,))

    def draw(_: Any) -> None:
        other.start()
        second.wait(0.2)  # in vain: the other waits for this one

    Picture().svg(draw)
    done.set()
    other.join()
    assert dict(mpl.rcParams) == before


@pytest.mark.slow
@every_explorer
def test_what_a_notebook_keeps(explore: Any, counts: pd.DataFrame, kept: Any, kind: Any) -> None:
    """The view of the widget, a sentence, and a picture for those without a kernel."""
    explorer = explore(counts, kind=kind)
    bundle = kept(explorer)
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.model_id
    assert bundle["text/plain"].startswith(f"{kind.__name__}(")
    picture = matplotlib.image.imread(io.BytesIO(base64.b64decode(bundle["image/png"])))
    height, width = picture.shape[:2]
    inches = {EngagementExplorer: 4.9, BestTimesExplorer: 5.4, CompareExplorer: 3.2}[kind]
    assert (width, height) == (1152, round(inches * 144, 6) // 1)
    assert picture[0, 0].tolist() == [1, 1, 1, 1]
    assert picture[..., :3].min() < 0.2


def test_a_region_keeps_its_content(kept: Any) -> None:
    """Its view, and its HTML for those without a kernel."""
    region = Region(html="<p>5</p>")
    bundle = kept(region)
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == region.model_id
    assert bundle["text/html"] == "<p>5</p>"
    region.close()


@pytest.mark.slow
def test_the_kept_picture_is_the_last(
    explore: Any, frames: dict[str, pd.DataFrame], kept: Any
) -> None:
    """And making it leaves the one on the page as it is."""
    explorer = explore(frames["by day"])
    first = kept(explorer)["image/png"]
    chart = explorer.chart.html
    assert kept(explorer)["image/png"] == first
    explorer.controls["clock"].value = "total"
    assert kept(explorer)["image/png"] != first
    explorer.controls["clock"].value = "time"
    plain = [re.sub(r"[0-9a-f]{10}", "", svg) for svg in (chart, explorer.chart.html)]
    assert plain[0] == plain[1]


@pytest.mark.slow
@every_explorer
def test_repr_is_a_sentence(explore: Any, counts: pd.DataFrame, kind: Any) -> None:
    """And no wall of text."""
    explorer = explore(counts, kind=kind)
    assert len(repr(explorer)) < 100
    assert "\n" not in repr(explorer)


def test_repr_after_an_error(explore: Any, put: Any, counts: pd.DataFrame) -> None:
    """It says what is wrong, as it was written."""
    from datetime import date  # noqa: PLC0415 - only here

    explorer = put(explore.later(counts), last=date(2026, 2, 1))
    words = "From (2026-02-28) is after To (2026-02-01); swap them"
    assert repr(explorer) == f"EngagementExplorer({words})"


@pytest.mark.slow
def test_repr_is_short_whatever_was_typed(
    explore: Any, put: Any, counts: pd.DataFrame, posts: pd.DataFrame
) -> None:
    """A thousand words are not repeated."""
    explorer = explore.later(counts, posts, kind=CompareExplorer)
    put(explorer, split="words", words="notes " * 1000)
    assert len(repr(explorer)) < 250


@pytest.mark.slow
def test_the_label_says_what_is_seen(explore: Any, put: Any, counts: pd.DataFrame) -> None:
    """Axes with their units, and the names in the legend."""
    explorer = put(
        explore.later(counts), lines="engagement_type", types=("impressions", "favorites")
    )
    label = explorer.chart.label
    for words in ("counts per hour", "time (UTC)", "impressions", "favorites"):
        assert words in label


@pytest.mark.slow
def test_the_regions_are_named(explore: Any, counts: pd.DataFrame) -> None:
    """For screen readers: what speaks up, what is a picture, what can be scrolled."""
    explorer = explore(counts)
    assert (explorer.status.role, explorer.chart.role) == ("status", "img")
    assert (explorer.table.role, explorer.table.label, explorer.table.reachable) == (
        "group",
        "Table",
        True,
    )


@pytest.mark.slow
@every_explorer
def test_every_control_has_a_name(explore: Any, counts: pd.DataFrame, kind: Any) -> None:
    """No two of an explorer's are called the same."""
    controls = dict(explore(counts, kind=kind).controls)
    chooser = controls.pop("posts")
    every = [*controls.values(), chooser.words, chooser.ranking, chooser.top, chooser.listed]
    called = [control.description for control in every]
    assert all(called)
    assert len(set(called)) == len(called)


def test_a_picture_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measuring the tick labels takes as long as drawing them, and is not done twice."""
    measured = []
    measure = Axis.get_tightbbox
    monkeypatch.setattr(
        Axis,
        "get_tightbbox",
        lambda *given, **named: measured.append(1) or measure(*given, **named),
    )
    Picture().svg(lambda ax: ax.plot([1, 2]))
    assert len(measured) == 2


@pytest.mark.parametrize("title", ["", "Title"])
def test_a_picture_fills_its_room(title: str) -> None:
    """What is drawn keeps a little from the edges, and no more, on all sides."""
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


def test_the_label_of_an_axis_is_beside_its_tick_labels() -> None:
    """With four points between them, however long the tick labels are."""
    picture = Picture()
    picture.svg(lambda ax: ax.set(xlabel="below", ylabel="beside", yticks=[0, 123_456]))
    ax = picture._figure.axes[0]
    ticks = min(label.get_window_extent().x0 for label in ax.get_yticklabels())
    assert ticks - ax.yaxis.label.get_window_extent().x1 == pytest.approx(4, abs=0.5)
    ticks = min(label.get_window_extent().y0 for label in ax.get_xticklabels())
    assert ticks - ax.xaxis.label.get_window_extent().y1 == pytest.approx(4, abs=0.5)
