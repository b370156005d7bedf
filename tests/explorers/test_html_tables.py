"""The table below the chart: sums found again, nobody left out, and colours that are the lines'."""

# ruff: noqa: PLR0913, PLR0917  fixtures are arguments

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest
from matplotlib.colors import to_hex

from engagement_pandas.explorers import BestTimesExplorer, CompareExplorer
from engagement_pandas.plots.theme import INK, PAGE_INK

pytestmark = pytest.mark.usefixtures("sketched")
DASH = "–"  # noqa: RUF001 - a dash, not a minus


def heads(html: str) -> list[str]:
    """Return the names of a table's columns."""
    head = html.partition("<thead><tr>")[2].partition("</thead>")[0]
    return [name for _, name in re.findall(r"<(th|td)[^>]*>(.*?)</\1>", head)]


def caption(html: str) -> str:
    """Return what a table says it shows."""
    return re.findall(r"<caption>(.*?)</caption>", html)[0]


def swatches(html: str) -> dict[str, tuple[str, str] | None]:
    """Return the colour and the dashes beside each post, None where there are none."""
    found: dict[str, tuple[str, str] | None] = {}
    for row in re.findall(r"<tr>(.*?)</tr>", html.partition("<tbody>")[2]):
        look = re.search(r'style="stroke:([^;"]+)(?:;stroke-dasharray:([^"]+))?"', row)
        found[re.findall(r">(\d+)</a>", row)[0]] = look and (look[1], look[2] or "")
    return found


def dashes(line: Any) -> str:
    """Return the dashes of a line of the chart, for strokes that are three wide."""
    pattern = line._unscaled_dash_pattern[1] or ()
    return " ".join(f"{3 * part:g}" for part in pattern)


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("kind", ["impressions", "engagements", "favorites"])
@pytest.mark.parametrize("lines", ["post_id", "engagement_type"])
def test_totals(
    explore: Any, put: Any, counts: pd.DataFrame, cells: Any, kind: str, lines: str
) -> None:
    """Each post's sum, largest first; a dash where nothing is known, and never a 0."""
    explorer = put(explore.later(counts), types=(kind,), lines=lines)
    rows = counts[counts["engagement_type"] == kind]
    sums = rows.groupby("post_id")["count"].sum(min_count=1)
    expected = {
        post: f"{sums[post]:,}" if post in sums and pd.notna(sums[post]) else DASH
        for post in counts["post_id"].unique()
    }
    shown = {row[2]: row[3] for row in cells(explorer.table.html)}
    assert shown == expected
    known = [int(value.replace(",", "")) for value in shown.values() if value != DASH]
    assert known == sorted(known, reverse=True)
    assert list(shown.values())[len(known) :] == [DASH] * (5 - len(known))
    assert heads(explorer.table.html)[-1] == kind


@pytest.mark.usefixtures("undrawn")
def test_only_what_is_chosen(
    explore: Any, put: Any, counts: pd.DataFrame, ids: tuple[str, ...], cells: Any, picked: Any
) -> None:
    """Two posts on one day."""
    from datetime import date  # noqa: PLC0415 - only here

    day = date(2026, 3, 2)
    explorer = put(explore.later(counts), posts=ids[:2], first=day, last=day)
    rows = picked(counts, posts=ids[:2], types=["impressions"], days=(day, day))
    shown = {row[2]: row[3] for row in cells(explorer.table.html)}
    assert shown == {
        str(post): f"{part.sum():,}" for post, part in rows.groupby("post_id")["count"]
    }


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_rates(explore: Any, put: Any, counts: pd.DataFrame, cells: Any) -> None:
    """Ratios of sums over the hours that have both, in percent."""
    explorer = put(explore.later(counts), measure="rate", types=("engagements",))
    shown = {row[2]: row[3] for row in cells(explorer.table.html)}
    for post, part in counts.groupby("post_id"):
        sums = part.groupby("engagement_type", observed=True)["count"].sum()
        low = sums["engagements"] / sums["impressions"]
        assert float(shown[str(post)].removesuffix(" %")) == pytest.approx(100 * low, rel=0.3)
    assert heads(explorer.table.html)[-1] == "engagements per impression"


@pytest.mark.usefixtures("undrawn")
def test_rates_by_hand(explore: Any, put: Any, tidy: Any, cells: Any) -> None:
    """5 and 1 of 100: 5 % and 1 %; without impressions a dash."""
    rows = [
        ("1", "impressions", 100), ("1", "engagements", 1),
        ("2", "impressions", 100), ("2", "engagements", 5),
        ("3", "engagements", 5),
    ]  # fmt: skip
    counts = tidy(rows, ("post_id", "engagement_type", "count"))
    explorer = put(explore.later(counts), measure="rate", types=("engagements",))
    shown = [row[2:] for row in cells(explorer.table.html)]
    assert shown == [["2", "5.00 %"], ["1", "1.00 %"], ["3", DASH]]


@pytest.mark.slow
@pytest.mark.parametrize("clock", ["time", "age"])
def test_a_swatch_has_the_colour_of_its_line(
    explore: Any, put: Any, counts: pd.DataFrame, axes: Any, clock: str
) -> None:
    """Black is the page's text."""
    explorer = put(explore.later(counts), clock=clock)
    drawn = {line.get_gid(): to_hex(line.get_color()) for line in axes(explorer).lines}
    for post, look in swatches(explorer.table.html).items():
        shade = PAGE_INK if drawn[post] == INK else drawn[post].upper()
        assert look == (shade, ""), post


@pytest.mark.slow
@pytest.mark.parametrize("choice", [{}, {"clock": "age"}], ids=str)
def test_a_swatch_has_the_dashes_of_its_line(
    explore: Any, put: Any, crowd: pd.DataFrame, axes: Any, choice: dict[str, str]
) -> None:
    """Eight posts have seven colours: one line is dashed, and so is its swatch."""
    eight = crowd[crowd["post_id"].isin(crowd["post_id"].unique()[:8])]
    explorer = put(explore.later(eight), **choice)
    looks = swatches(explorer.table.html)
    assert len({look for look in looks.values() if look}) == 8
    for line in axes(explorer).lines:
        look = looks[line.get_gid()]
        assert look is not None
        assert look[1] == dashes(line)


def test_bars_have_no_swatches(explore: Any, tidy: Any) -> None:
    """All bars of a rank have the same colour, which would mean nothing in the table."""
    rows = [(str(10**18 + n), "impressions", n) for n in range(1, 9)]
    counts = tidy(rows, ("post_id", "engagement_type", "count"))
    assert "stroke:" not in explore(counts).table.html


def test_no_swatches_where_types_have_lines(explore: Any, put: Any, counts: pd.DataFrame) -> None:
    """A post's colour would mean nothing there."""
    explorer = put(explore.later(counts), lines="engagement_type")
    assert set(swatches(explorer.table.html).values()) == {None}


@pytest.fixture(scope="module")
def crowd(tidy: Any, post_made: Any) -> pd.DataFrame:
    """Make a day of sixty posts, the older the more impressions."""
    ids = [post_made("2026-03-01T00:00:00", serial) for serial in range(60)]
    rows = [(post, "impressions", "2026-03-01", 3, 1000 - n) for n, post in enumerate(ids)]
    counts = tidy(rows)
    counts.attrs = {"endpoint": "historical"}
    return counts


@pytest.mark.slow
@pytest.mark.parametrize("clock", ["time", "age"])
def test_swatches_for_lines_of_their_own(
    explore: Any, put: Any, crowd: pd.DataFrame, clock: str
) -> None:
    """Of 25 posts seven have one; all others are one grey line, or many."""
    explorer = put(
        explore.later(crowd), clock=clock, measure="cumulative" if clock == "age" else "counts"
    )
    found = swatches(explorer.table.html)
    assert len(found) == 25
    assert [post for post, colour in found.items() if colour] == list(found)[:7]


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_fifty_rows_of_sixty(explore: Any, crowd: pd.DataFrame, cells: Any) -> None:
    """The best, and the caption says of how many."""
    explorer = explore(crowd)
    explorer.controls["posts"].top.value = 60
    rows = cells(explorer.table.html)
    assert [row[3] for row in rows][::49] == ["1,000", "951"]
    assert len(rows) == 50
    assert caption(explorer.table.html) == "The top 50 posts of 60"
    explorer.controls["posts"].top.value = 50
    assert len(cells(explorer.table.html)) == 50
    assert caption(explorer.table.html) == "Selected posts"


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_texts_only_where_there_are_some(
    explore: Any, counts: pd.DataFrame, posts: pd.DataFrame
) -> None:
    """Names and IDs otherwise."""
    assert heads(explore(counts).table.html) == ["", "post", "ID", "impressions"]
    assert heads(explore(counts, posts).table.html) == ["", "post", "text", "ID", "impressions"]


@pytest.mark.usefixtures("undrawn")
def test_no_table_without_posts(explore: Any, frames: dict[str, pd.DataFrame]) -> None:
    """Types alone have nothing to list."""
    assert explore(frames["without posts"]).table.html == ""


def test_names_are_the_same_everywhere(
    explore: Any, put: Any, counts: pd.DataFrame, posts: pd.DataFrame, cells: Any, axes: Any
) -> None:
    """In the list, in the table and, as far as there is room, in the chart."""
    explorer = put(explore.later(counts, posts), clock="total")
    listed = {post: label for label, post in explorer.controls["posts"].listed.options}
    rows = [label.get_text() for label in axes(explorer).get_yticklabels()]
    for (_, name, _, post, _), row in zip(cells(explorer.table.html), rows, strict=True):
        assert listed[post] == f"{name} · {post}"
        assert name[:12] in row


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_posts_without_words_are_named_by_their_time(
    explore: Any, counts: pd.DataFrame, ids: tuple[str, ...], cells: Any
) -> None:
    """Whether posts= lists them or only the counts do."""
    moments = ("28 Feb, 10:15", "1 Mar, 20:30", "2 Mar, 03:05", "2 Mar, 18:00", "3 Mar, 23:59")
    names = {post: f"Post of {moment}" for post, moment in zip(ids, moments, strict=True)}
    assert {row[2]: row[1] for row in cells(explore(counts).table.html)} == names
    back = pd.DataFrame({"post_id": ids[::-1]})
    assert {row[2]: row[1] for row in cells(explore(counts, back).table.html)} == names


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_best_hours(explore: Any, put: Any, counts: pd.DataFrame, cells: Any) -> None:
    """The hours of posting that have a post, as the metric has them, best first."""
    explorer = put(explore.later(counts, kind=BestTimesExplorer), minimum=1)
    answer = explorer.answer
    told = answer[answer["shrunk"].notna()]
    rows = cells(explorer.table.html)
    assert len(rows) == min(10, len(told))
    hours = {(row[0], row[1]) for row in rows}
    assert ("Saturday", "10:00") in hours
    assert ("Tuesday", "23:00") in hours
    drawn = [float(row[4].removesuffix(" %")) for row in rows]
    assert drawn == sorted(drawn, reverse=True)


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_both_sets(
    explore: Any, put: Any, counts: pd.DataFrame, ids: tuple[str, ...], cells: Any
) -> None:
    """Every post beside the set that it is in."""
    explorer = explore.later(counts, kind=CompareExplorer)
    put(explorer, split="hand", posts=(ids[1], ids[4]))
    sets = {row[2]: row[0] for row in cells(explorer.table.html)}
    assert sets == {
        post: "the selected posts" if post in (ids[1], ids[4]) else "the others" for post in ids
    }
    assert caption(explorer.table.html) == "Both sets"


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_both_sets_of_a_crowd(explore: Any, crowd: pd.DataFrame, cells: Any) -> None:
    """At most fifty rows, and that is said."""
    explorer = explore(crowd, kind=CompareExplorer)
    explorer.controls["split"].value = "hand"
    assert len(cells(explorer.table.html)) == 50
    assert caption(explorer.table.html) == "The first 50 of 60 posts"


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_the_finding_follows(explore: Any, put: Any, counts: pd.DataFrame, kept: Any) -> None:
    """The best of the selected posts, of whatever is shown, as at the head of the table."""
    explorer = explore(counts)
    assert explorer.finding.html.startswith("Most impressions: ")
    assert kept(explorer.finding)["text/html"] == explorer.finding.html
    put(explorer, measure="rate")
    assert explorer.finding.html.startswith("Highest engagements per impression: ")
    put(explorer, posts=())
    assert explorer.finding.html == "No post is selected"
