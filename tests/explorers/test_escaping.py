"""Texts from outside stay texts: in the list, the chart, the table, the sentences and the code."""

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
TABLE = {"table", "caption", "thead", "tbody", "tr", "th", "td", "span", "a", "svg", "line"}
SVG = {"svg", "g", "path", "defs", "use", "text", "tspan", "clipPath", "rect", "image", "pattern"}
TYPES = (MARKUP, '"><script>alert(2)</script>', "$x^2$", "_private", "a\nb", "مساء", "a & b")


def local(tag: str) -> str:
    """Return the name of an element without its namespace."""
    return tag.rpartition("}")[2]


def safe(regions: dict[str, str], page: Any) -> None:
    """Assert that there is no element and no attribute but those of tables and pictures."""
    for name, text in regions.items():
        seen = page(text)
        allowed = {"table": TABLE, "chart": {each.lower() for each in SVG}}.get(name, set())
        assert seen.tags <= allowed, name
        assert seen.comments == [], name
        attributes = {key for _, attrs in seen.elements for key in attrs}
        assert not [key for key in attributes if key.startswith("on")], name


@pytest.mark.slow
@pytest.mark.parametrize("kind", EXPLORERS)
def test_texts_of_posts(
    explore: Any, counts: pd.DataFrame, posts: pd.DataFrame, page: Any, regions: Any, kind: Any
) -> None:
    """Markup, quotes, scripts: none becomes an element anywhere on the page."""
    safe(regions(explore(counts, posts, kind=kind)), page)


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
def test_names_of_types(
    explore: Any, put: Any, tidy: Any, ids: tuple[str, ...], page: Any, regions: Any,
    choice: dict[str, Any],
) -> None:  # fmt: skip
    """The API may have new ones, and nobody knows how they are called."""
    rows = [
        (post, name, day, 1, 5)
        for post in ids[:2]
        for day in ("2026-03-02", "2026-03-03")
        for name in ("impressions", *TYPES)
    ]
    explorer = put(explore.later(tidy(rows)), types=("impressions", *TYPES), **choice)
    assert explorer.alert.html == ""
    safe(regions(explorer), page)
    put(explorer, types=TYPES[:1])
    safe(regions(explorer), page)
    assert explorer.alert.html == ""


@pytest.mark.usefixtures("undrawn")
def test_the_table_says_what_was_written(
    explore: Any, counts: pd.DataFrame, posts: pd.DataFrame, cells: Any
) -> None:
    """The whole text on one line, as its author wrote it."""
    shown = {row[3]: row[2] for row in cells(explore(counts, posts).table.html)}
    for post, text in zip(posts["post_id"], posts["text"], strict=True):
        assert shown[post] == " ".join(text.split())


@pytest.mark.slow
def test_the_chart_says_what_was_written(
    explore: Any, put: Any, counts: pd.DataFrame, posts: pd.DataFrame
) -> None:
    """No mathematics from dollar signs, no hidden name for an underscore, no page's colour."""
    explorer = put(explore.later(counts, posts), clock="total")
    texts = [text for each in ET.fromstring(explorer.chart.html).iter() if (text := each.text)]
    seen = "\n".join(texts)
    assert r"$x^2$ costs \$5" in seen
    assert "_private notes of a" in seen
    assert "<img src=x onerror=al" in seen
    assert "مساء الخير يا أصدقاء" in seen


@pytest.mark.slow
def test_a_colour_in_a_text_stays_a_text(
    explore: Any, counts: pd.DataFrame, ids: tuple[str, ...]
) -> None:
    """What stands for the colour of the page's text may be written in a post."""
    posts = pd.DataFrame({"post_id": ids, "text": [f"painted #010203 {n}" for n in range(5)]})
    explorer = explore(counts, posts)
    texts = [each.text or "" for each in ET.fromstring(explorer.chart.html).iter()]
    assert [text for text in texts if text.startswith("painted #010203")]
    assert not [text for text in texts if "var(" in text]


@pytest.mark.usefixtures("undrawn")
def test_the_list_is_plain_text(explore: Any, counts: pd.DataFrame, posts: pd.DataFrame) -> None:
    """Options are set as text, so they are not escaped; each has the whole ID."""
    options = explore(counts, posts).controls["posts"].listed.options
    assert {post for _, post in options} == set(posts["post_id"])
    names = {post: label for label, post in options}
    for post, text in zip(posts["post_id"], posts["text"], strict=True):
        assert names[post].endswith(f" · {post}")
        assert text.split()[0].strip('"🎉') in names[post]
    assert "&lt;" not in "".join(names.values())


@pytest.mark.slow
def test_the_label_is_plain_text(
    explore: Any, put: Any, counts: pd.DataFrame, posts: pd.DataFrame
) -> None:
    """It becomes an attribute by name, so it is not escaped, and it is one line."""
    explorer = put(explore.later(counts, posts), clock="time")
    assert "<img src=x onerror=al" in explorer.chart.label
    assert "\n" not in explorer.chart.label


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_the_status_is_escaped(explore: Any, tidy: Any, ids: tuple[str, ...]) -> None:
    """Whatever it names."""
    counts = tidy([(ids[0], name, "2026-03-01", 1, 5) for name in TYPES])
    explorer = explore(counts)
    explorer.show_status(MARKUP)
    assert "<" not in explorer.status.html
    assert html.unescape(explorer.status.html) == MARKUP


@pytest.mark.usefixtures("undrawn")
def test_the_alert_is_escaped(explore: Any, counts: pd.DataFrame) -> None:
    """It repeats what was typed."""
    explorer = explore(counts)
    explorer.export.file.value = MARKUP
    explorer.export.button.click()
    assert "<" not in explorer.alert.html
    assert MARKUP in html.unescape(explorer.alert.html)


@pytest.mark.slow
@pytest.mark.parametrize("words", [MARKUP, '"><script>', "'", "&amp;"])
def test_words_that_are_typed(
    explore: Any, put: Any, counts: pd.DataFrame, posts: pd.DataFrame, page: Any, regions: Any,
    words: str,
) -> None:  # fmt: skip
    """Names of the two sets repeat them, in the status, the table, the chart and the code."""
    explorer = put(
        explore.later(counts, posts, kind=CompareExplorer), split="words", words=words, at=None
    )
    safe(regions(explorer), page)
    assert words in html.unescape(explorer.status.html)
    assert explorer.alert.html == ""


@pytest.mark.slow
def test_handles(
    explore: Any, put: Any, counts: pd.DataFrame, posts: pd.DataFrame, page: Any, regions: Any
) -> None:
    """An account's name is from outside too."""
    explorer = put(explore.later(counts, posts, kind=CompareExplorer), split="handle", at=None)
    for handle in explorer.controls["handle"].options:
        explorer.controls["handle"].value = handle
        safe(regions(explorer), page)
        assert explorer.alert.html == ""
        assert handle in html.unescape(explorer.status.html)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("kind", [EngagementExplorer, CompareExplorer])
def test_links(
    explore: Any,
    counts: pd.DataFrame,
    posts: pd.DataFrame,
    page: Any,
    ids: tuple[str, ...],
    kind: Any,
) -> None:
    """A post a link, to it, in a tab of its own that learns nothing; the whole ID as its text."""
    table = explore(counts, posts, kind=kind).table.html
    links = page(table).of("a")
    assert [link["href"] for link in links] == [
        f"https://x.com/i/web/status/{post}" for post in re.findall(r">(\d{19})</a>", table)
    ]
    assert {link["href"].rpartition("/")[2] for link in links} == set(ids)  # type: ignore[union-attr]
    assert {(link["target"], link["rel"]) for link in links} == {("_blank", "noopener noreferrer")}


@pytest.mark.usefixtures("undrawn")
def test_right_to_left_texts_have_a_direction_of_their_own(
    explore: Any, counts: pd.DataFrame, posts: pd.DataFrame, page: Any
) -> None:
    """Each text in the table finds its own."""
    spans = page(explore(counts, posts).table.html).of("span")
    assert [span.get("dir") for span in spans] == ["auto"] * 10
