"""Texts from posts and the API are escaped in the list, chart, table, messages and code."""

# ruff: noqa: PLR0913, PLR0917, S314  fixtures are arguments; the XML is our own

from __future__ import annotations

import html
import re
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

from engagement_pandas.explorers import BestTimesExplorer, CompareExplorer, EngagementExplorer

EXPLORERS = (EngagementExplorer, BestTimesExplorer, CompareExplorer)
MARKUP = "<img src=x onerror=alert(1)>"
SWATCH = {"svg", "path", "polygon"}
TABLE = {"table", "caption", "thead", "tbody", "tr", "th", "td", "span", "a"} | SWATCH
SVG = {"svg", "g", "path", "defs", "use", "text", "tspan", "clipPath", "rect", "image", "pattern"}
TYPES = (MARKUP, '"><script>alert(2)</script>', "$x^2$", "_private", "a\nb", "مساء", "a & b")


def local(tag: str) -> str:
    """Return the name of an element without its namespace."""
    return tag.rpartition("}")[2]


def assert_safe(regions: dict[str, str], page: Any) -> None:
    """Assert that a page has only the elements and attributes of tables and charts."""
    for name, text in regions.items():
        parsed = page(text)
        allowed = {"table": TABLE, "chart": {element.lower() for element in SVG}}.get(name, set())
        assert parsed.tags <= allowed, name
        assert parsed.comments == [], name
        attributes = {key for _, attrs in parsed.elements for key in attrs}
        assert not [key for key in attributes if key.startswith("on")], name


@pytest.mark.slow
@pytest.mark.parametrize("explorer_class", EXPLORERS)
def test_texts_of_posts_are_escaped(
    explore: Any,
    counts: pd.DataFrame,
    posts: pd.DataFrame,
    page: Any,
    regions: Any,
    explorer_class: Any,
) -> None:
    """Markup, quotes and scripts become no element on the page."""
    assert_safe(regions(explore(counts, posts, explorer_class=explorer_class)), page)


@pytest.mark.slow
@pytest.mark.parametrize(
    "choice",
    [
        {"lines": "post_id"},
        {"lines": "engagement_type"},
        {"clock": "total", "lines": "post_id"},
        {"clock": "total", "lines": "engagement_type"},
        {"measure": "rate"},
        {"measure": "cumulative", "lines": "engagement_type"},
        {"clock": "age", "measure": "cumulative"},
    ],
    ids=str,
)
def test_names_of_types_are_escaped(
    explore: Any, set_controls: Any, tidy: Any, ids: tuple[str, ...], page: Any, regions: Any,
    choice: dict[str, Any],
) -> None:  # fmt: skip
    """The API may add types with any name."""
    rows = [
        (post, name, day, 1, 5)
        for post in ids[:2]
        for day in ("2026-03-02", "2026-03-03")
        for name in ("impressions", *TYPES)
    ]
    explorer = set_controls(
        explore.without_drawing(tidy(rows)), types=("impressions", *TYPES), **choice
    )
    assert explorer.alert.html == ""
    assert_safe(regions(explorer), page)
    set_controls(explorer, types=TYPES[:1])
    assert_safe(regions(explorer), page)
    assert explorer.alert.html == ""


@pytest.mark.usefixtures("fake_drawing")
def test_the_table_has_the_complete_texts(
    explore: Any, counts: pd.DataFrame, posts: pd.DataFrame, cells: Any
) -> None:
    """Each text is on one line, as its author wrote it."""
    shown = {row[3]: row[2] for row in cells(explore(counts, posts).table.html)}
    for post, text in zip(posts["post_id"], posts["text"], strict=True):
        assert shown[post] == " ".join(text.split())


@pytest.mark.slow
def test_the_chart_has_the_texts_unchanged(
    explore: Any, set_controls: Any, counts: pd.DataFrame, posts: pd.DataFrame
) -> None:
    """Dollar signs and underscores have no special meaning."""
    explorer = set_controls(explore.without_drawing(counts, posts), clock="total")
    texts = [
        text for element in ET.fromstring(explorer.chart.html).iter() if (text := element.text)
    ]
    drawn = "\n".join(texts)
    assert r"$x^2$ costs \$5" in drawn
    assert "_private notes of a" in drawn
    assert "<img src=x onerror=al" in drawn
    assert "مساء الخير يا أصدقاء" in drawn


@pytest.mark.slow
def test_a_colour_in_a_text_stays_text(
    explore: Any, counts: pd.DataFrame, ids: tuple[str, ...]
) -> None:
    """A post may contain the placeholder for the colour of the page's text."""
    posts = pd.DataFrame({"post_id": ids, "text": [f"painted #010203 {n}" for n in range(5)]})
    legend = explore(counts, posts).chart.header["legend"]
    names = [entry["name"] for entry in legend]
    assert [name for name in names if name.startswith("painted #010203")]
    assert not [name for name in names if "var(" in name]


@pytest.mark.slow
def test_a_swatch_has_no_texts_from_outside(
    explore: Any, set_controls: Any, tidy: Any, ids: tuple[str, ...], page: Any
) -> None:
    """It is inserted as markup; the name next to it is inserted as text."""
    rows = [(ids[0], name, "2026-03-02", 1, 5) for name in TYPES]
    explorer = set_controls(
        explore.without_drawing(tidy(rows)), lines="engagement_type", types=TYPES
    )
    legend = explorer.chart.header["legend"]
    assert {entry["gid"] for entry in legend if entry["gid"]} == set(TYPES)
    for entry in legend:
        assert page(entry["swatch"]).tags <= SWATCH


@pytest.mark.usefixtures("fake_drawing")
def test_the_list_has_plain_text(explore: Any, counts: pd.DataFrame, posts: pd.DataFrame) -> None:
    """Options are set as text, so they are not escaped; each has the complete ID."""
    options = explore(counts, posts).controls["posts"].listed.options
    assert {post for _, post in options} == set(posts["post_id"])
    names = {post: label for label, post in options}
    for post, text in zip(posts["post_id"], posts["text"], strict=True):
        assert names[post].endswith(f" · {post}")
        assert text.split()[0].strip('"🎉') in names[post]
    assert "&lt;" not in "".join(names.values())


@pytest.mark.slow
def test_the_label_is_plain_text(
    explore: Any, set_controls: Any, counts: pd.DataFrame, posts: pd.DataFrame
) -> None:
    """It is set as an attribute, so it is not escaped, and it is one line."""
    explorer = set_controls(explore.without_drawing(counts, posts), clock="time")
    assert "<img src=x onerror=al" in explorer.chart.label
    assert "\n" not in explorer.chart.label


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_the_status_is_escaped(explore: Any, tidy: Any, ids: tuple[str, ...]) -> None:
    """It may contain any text."""
    counts = tidy([(ids[0], name, "2026-03-01", 1, 5) for name in TYPES])
    explorer = explore(counts)
    explorer.show_status(MARKUP)
    assert "<" not in explorer.status.html
    assert html.unescape(explorer.status.html) == MARKUP


@pytest.mark.usefixtures("fake_drawing")
def test_the_alert_is_escaped(explore: Any, counts: pd.DataFrame) -> None:
    """It repeats the user's input."""
    explorer = explore(counts)
    explorer.export.file.value = MARKUP
    explorer.export.button.click()
    assert "<" not in explorer.alert.html
    assert MARKUP in html.unescape(explorer.alert.html)


@pytest.mark.slow
@pytest.mark.parametrize("words", [MARKUP, '"><script>', "'", "&amp;"])
def test_search_words_are_escaped(
    explore: Any, set_controls: Any, counts: pd.DataFrame, posts: pd.DataFrame, page: Any,
    regions: Any,
    words: str,
) -> None:  # fmt: skip
    """They are in the names of both sets: in the status, table, chart and code."""
    explorer = set_controls(
        explore.without_drawing(counts, posts, explorer_class=CompareExplorer),
        split="words",
        words=words,
        at=None,
    )
    assert_safe(regions(explorer), page)
    assert words in html.unescape(explorer.status.html)
    assert explorer.alert.html == ""


@pytest.mark.slow
def test_handles_are_escaped(
    explore: Any,
    set_controls: Any,
    counts: pd.DataFrame,
    posts: pd.DataFrame,
    page: Any,
    regions: Any,
) -> None:
    """The name of an account may contain any text."""
    explorer = set_controls(
        explore.without_drawing(counts, posts, explorer_class=CompareExplorer),
        split="handle",
        at=None,
    )
    for handle in explorer.controls["handle"].options:
        explorer.controls["handle"].value = handle
        assert_safe(regions(explorer), page)
        assert explorer.alert.html == ""
        assert handle in html.unescape(explorer.status.html)


@pytest.mark.usefixtures("fake_drawing")
@pytest.mark.parametrize("explorer_class", [EngagementExplorer, CompareExplorer])
def test_posts_have_safe_links(
    explore: Any,
    counts: pd.DataFrame,
    posts: pd.DataFrame,
    page: Any,
    ids: tuple[str, ...],
    explorer_class: Any,
) -> None:
    """A link has the complete ID and opens a new tab without a referrer."""
    table = explore(counts, posts, explorer_class=explorer_class).table.html
    links = page(table).of("a")
    assert [link["href"] for link in links] == [
        f"https://x.com/i/web/status/{post}" for post in re.findall(r">(\d{19})</a>", table)
    ]
    assert {link["href"].rpartition("/")[2] for link in links} == set(ids)  # type: ignore[union-attr]
    assert {(link["target"], link["rel"]) for link in links} == {("_blank", "noopener noreferrer")}


@pytest.mark.usefixtures("fake_drawing")
def test_each_text_has_its_own_direction(
    explore: Any, counts: pd.DataFrame, posts: pd.DataFrame, page: Any
) -> None:
    """The browser detects it for every text of the table."""
    spans = page(explore(counts, posts).table.html).of("span")
    assert [span.get("dir") for span in spans] == ["auto"] * 10
