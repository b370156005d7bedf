"""The table below the chart: sums, all posts, and the colours of the lines."""

# ruff: noqa: PLR0913, PLR0917  fixtures are arguments

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest
from matplotlib.colors import to_hex

from engagement_pandas.explorers import BestTimesExplorer, CompareExplorer
from engagement_pandas.plots.page_theme import INK, PAGE_INK

pytestmark = pytest.mark.usefixtures("without_svg")
DASH = "–"  # noqa: RUF001 - a dash, not a minus


def column_names(html: str) -> list[str]:
    """Return the names of a table's columns."""
    head = html.partition("<thead><tr>")[2].partition("</thead>")[0]
    return [name for _, name in re.findall(r"<(th|td)[^>]*>(.*?)</\1>", head)]


def caption(html: str) -> str:
    """Return the caption of a table."""
    return re.findall(r"<caption>(.*?)</caption>", html)[0]


def swatches(html: str) -> dict[str, tuple[str, str] | None]:
    """Return the colour and the dashes for each post, or None."""
    swatches_: dict[str, tuple[str, str] | None] = {}
    for row in re.findall(r"<tr>(.*?)</tr>", html.partition("<tbody>")[2]):
        style = re.search(r'style="stroke:([^;"]+)(?:;stroke-dasharray:([^"]+))?"', row)
        swatches_[re.findall(r">(\d+)</a>", row)[0]] = style and (style[1], style[2] or "")
    return swatches_


def dashes(line: Any) -> str:
    """Return the dashes of a line of the chart, for strokes of width 2."""
    pattern = line._unscaled_dash_pattern[1] or ()
    return " ".join(f"{2 * part:g}" for part in pattern)


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
@pytest.mark.parametrize("engagement_type", ["impressions", "engagements", "favorites"])
@pytest.mark.parametrize("lines", ["post_id", "engagement_type"])
def test_the_table_has_the_sum_of_each_post(
    explore: Any,
    set_controls: Any,
    counts: pd.DataFrame,
    cells: Any,
    engagement_type: str,
    lines: str,
) -> None:
    """The largest is first; a dash means unknown, and is never a 0."""
    explorer = set_controls(explore.without_drawing(counts), types=(engagement_type,), lines=lines)
    rows = counts[counts["engagement_type"] == engagement_type]
    sums = rows.groupby("post_id")["count"].sum(min_count=1)
    expected = {
        post: f"{sums[post]:,}" if post in sums and pd.notna(sums[post]) else DASH
        for post in counts["post_id"].unique()
    }
    table_values = {row[2]: row[3] for row in cells(explorer.table.html)}
    assert table_values == expected
    known = [int(value.replace(",", "")) for value in table_values.values() if value != DASH]
    assert known == sorted(known, reverse=True)
    assert list(table_values.values())[len(known) :] == [DASH] * (5 - len(known))
    assert column_names(explorer.table.html)[-1] == engagement_type


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_the_table_has_the_selected_counts(
    explore: Any,
    set_controls: Any,
    counts: pd.DataFrame,
    ids: tuple[str, ...],
    cells: Any,
    filtered: Any,
) -> None:
    """Two posts are selected on one day."""
    from datetime import date  # noqa: PLC0415 - only needed here

    only_day = date(2026, 3, 2)
    explorer = set_controls(
        explore.without_drawing(counts), posts=ids[:2], first=only_day, last=only_day
    )
    rows = filtered(counts, posts=ids[:2], types=["impressions"], days=(only_day, only_day))
    table_values = {row[2]: row[3] for row in cells(explorer.table.html)}
    assert table_values == {
        str(post): f"{part.sum():,}" for post, part in rows.groupby("post_id")["count"]
    }


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_rates_are_ratios_of_sums(
    explore: Any, set_controls: Any, counts: pd.DataFrame, cells: Any
) -> None:
    """They are over the hours that have both types, in percent."""
    explorer = set_controls(explore.without_drawing(counts), measure="rate", types=("engagements",))
    table_values = {row[2]: row[3] for row in cells(explorer.table.html)}
    for post, part in counts.groupby("post_id"):
        sums = part.groupby("engagement_type", observed=True)["count"].sum()
        low = sums["engagements"] / sums["impressions"]
        assert float(table_values[str(post)].removesuffix(" %")) == pytest.approx(
            100 * low, rel=0.3
        )
    assert column_names(explorer.table.html)[-1] == "engagements per impression"


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_rates_match_a_calculation_by_hand(
    explore: Any, set_controls: Any, tidy: Any, cells: Any
) -> None:
    """5 and 1 of 100 are 5 % and 1 %; without impressions there is a dash."""
    rows = [
        ("1", "impressions", 100), ("1", "engagements", 1),
        ("2", "impressions", 100), ("2", "engagements", 5),
        ("3", "engagements", 5),
    ]  # fmt: skip
    counts = tidy(rows, ("post_id", "engagement_type", "count"))
    explorer = set_controls(explore.without_drawing(counts), measure="rate", types=("engagements",))
    table_values = [row[2:] for row in cells(explorer.table.html)]
    assert table_values == [["2", "5.00 %"], ["1", "1.00 %"], ["3", DASH]]


@pytest.mark.slow
@pytest.mark.parametrize("clock", ["time", "age"])
def test_a_swatch_has_the_colour_of_its_line(
    explore: Any, set_controls: Any, counts: pd.DataFrame, axes: Any, clock: str
) -> None:
    """Black is the colour of the page's text."""
    explorer = set_controls(explore.without_drawing(counts), clock=clock)
    drawn = {line.get_gid(): to_hex(line.get_color()) for line in axes(explorer).lines}
    for post, style in swatches(explorer.table.html).items():
        shade = PAGE_INK if drawn[post] == INK else drawn[post]
        assert style == (shade, ""), post


@pytest.mark.slow
@pytest.mark.parametrize("choice", [{}, {"clock": "age"}], ids=str)
def test_a_swatch_has_the_dashes_of_its_line(
    explore: Any, set_controls: Any, sixty_posts: pd.DataFrame, axes: Any, choice: dict[str, str]
) -> None:
    """Eight posts have seven colours, so one line is dashed."""
    eight = sixty_posts[sixty_posts["post_id"].isin(sixty_posts["post_id"].unique()[:8])]
    explorer = set_controls(explore.without_drawing(eight), **choice)
    styles = swatches(explorer.table.html)
    assert len({style for style in styles.values() if style}) == 8
    for line in axes(explorer).lines:
        style = styles[line.get_gid()]
        assert style is not None
        assert style[1] == dashes(line)


@pytest.mark.slow
def test_bars_have_no_swatches(explore: Any, tidy: Any) -> None:
    """All bars have one colour."""
    rows = [(str(10**18 + n), "impressions", n) for n in range(1, 9)]
    counts = tidy(rows, ("post_id", "engagement_type", "count"))
    assert "stroke:" not in explore(counts).table.html


@pytest.mark.slow
def test_lines_of_types_have_no_swatches(
    explore: Any, set_controls: Any, counts: pd.DataFrame
) -> None:
    """The colour of a post would have no meaning."""
    explorer = set_controls(explore.without_drawing(counts), lines="engagement_type")
    assert set(swatches(explorer.table.html).values()) == {None}


@pytest.fixture(scope="module")
def sixty_posts(tidy: Any, post_id_at: Any) -> pd.DataFrame:
    """Return a day of sixty posts; older posts have more impressions."""
    ids = [post_id_at("2026-03-01T00:00:00", serial) for serial in range(60)]
    rows = [(post, "impressions", "2026-03-01", 3, 1000 - n) for n, post in enumerate(ids)]
    counts = tidy(rows)
    counts.attrs = {"endpoint": "historical"}
    return counts


@pytest.mark.slow
@pytest.mark.parametrize("clock", ["time", "age"])
def test_only_coloured_lines_have_swatches(
    explore: Any, set_controls: Any, sixty_posts: pd.DataFrame, clock: str
) -> None:
    """Seven of 25 posts have one; all others are grey."""
    explorer = set_controls(
        explore.without_drawing(sixty_posts),
        clock=clock,
        measure="cumulative" if clock == "age" else "counts",
    )
    swatches_ = swatches(explorer.table.html)
    assert len(swatches_) == 25
    assert [post for post, colour in swatches_.items() if colour] == list(swatches_)[:7]


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_the_table_has_at_most_50_rows(explore: Any, sixty_posts: pd.DataFrame, cells: Any) -> None:
    """They are the best, and the caption has the number of posts."""
    explorer = explore(sixty_posts)
    explorer.controls["posts"].top.value = 60
    rows = cells(explorer.table.html)
    assert [row[3] for row in rows][::49] == ["1,000", "951"]
    assert len(rows) == 50
    assert caption(explorer.table.html) == "The top 50 posts of 60"
    explorer.controls["posts"].top.value = 50
    assert len(cells(explorer.table.html)) == 50
    assert caption(explorer.table.html) == "Selected posts"


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_the_table_has_a_text_column_if_texts_are_known(
    explore: Any, counts: pd.DataFrame, posts: pd.DataFrame
) -> None:
    """Otherwise it has names and IDs."""
    assert column_names(explore(counts).table.html) == ["", "post", "ID", "impressions"]
    assert column_names(explore(counts, posts).table.html) == [
        "",
        "post",
        "text",
        "ID",
        "impressions",
    ]


@pytest.mark.usefixtures("fake_drawing")
def test_counts_without_posts_have_no_table(explore: Any, frames: dict[str, pd.DataFrame]) -> None:
    """Counts by type have no posts to list."""
    assert explore(frames["without posts"]).table.html == ""


@pytest.mark.slow
def test_posts_have_the_same_name_everywhere(
    explore: Any,
    set_controls: Any,
    counts: pd.DataFrame,
    posts: pd.DataFrame,
    cells: Any,
    axes: Any,
) -> None:
    """The list, the table and (shortened) the chart agree."""
    explorer = set_controls(explore.without_drawing(counts, posts), clock="total")
    labels = {post: label for label, post in explorer.controls["posts"].listed.options}
    rows = [label.get_text() for label in axes(explorer).get_yticklabels()]
    for (_, name, _, post, _), row in zip(cells(explorer.table.html), rows, strict=True):
        assert labels[post] == f"{name} · {post}"
        assert name[:12] in row


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_posts_without_a_text_have_their_time_as_name(
    explore: Any, counts: pd.DataFrame, ids: tuple[str, ...], cells: Any
) -> None:
    """The frame of posts makes no difference."""
    times = ("28 Feb, 10:15", "1 Mar, 20:30", "2 Mar, 03:05", "2 Mar, 18:00", "3 Mar, 23:59")
    names = {post: f"Post of {time}" for post, time in zip(ids, times, strict=True)}
    assert {row[2]: row[1] for row in cells(explore(counts).table.html)} == names
    reversed_posts = pd.DataFrame({"post_id": ids[::-1]})
    assert {row[2]: row[1] for row in cells(explore(counts, reversed_posts).table.html)} == names


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_the_table_of_best_times_is_ordered_by_rate(
    explore: Any, set_controls: Any, counts: pd.DataFrame, cells: Any
) -> None:
    """It has the posting hours that have posts."""
    explorer = set_controls(
        explore.without_drawing(counts, explorer_class=BestTimesExplorer), minimum=1
    )
    answer = explorer.answer
    with_rate = answer[answer["shrunk"].notna()]
    rows = cells(explorer.table.html)
    assert len(rows) == min(10, len(with_rate))
    hours = {(row[0], row[1]) for row in rows}
    assert ("Saturday", "10:00") in hours
    assert ("Tuesday", "23:00") in hours
    drawn = [float(row[4].removesuffix(" %")) for row in rows]
    assert drawn == sorted(drawn, reverse=True)


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_each_post_has_its_set(
    explore: Any, set_controls: Any, counts: pd.DataFrame, ids: tuple[str, ...], cells: Any
) -> None:
    """The first column has its name."""
    explorer = explore.without_drawing(counts, explorer_class=CompareExplorer)
    set_controls(explorer, split="hand", posts=(ids[1], ids[4]))
    sets = {row[2]: row[0] for row in cells(explorer.table.html)}
    assert sets == {
        post: "the selected posts" if post in (ids[1], ids[4]) else "the others" for post in ids
    }
    assert caption(explorer.table.html) == "Both sets"


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_the_table_of_sets_has_at_most_50_rows(
    explore: Any, sixty_posts: pd.DataFrame, cells: Any
) -> None:
    """The caption has the number of posts."""
    explorer = explore(sixty_posts, explorer_class=CompareExplorer)
    explorer.controls["split"].value = "hand"
    assert len(cells(explorer.table.html)) == 50
    assert caption(explorer.table.html) == "The first 50 of 60 posts"


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_the_finding_has_the_best_selected_post(
    explore: Any, set_controls: Any, counts: pd.DataFrame, display_bundle: Any
) -> None:
    """It is that of the first row of the table."""
    explorer = explore(counts)
    assert explorer.finding.html.startswith("Most impressions: ")
    assert display_bundle(explorer.finding)["text/html"] == explorer.finding.html
    set_controls(explorer, measure="rate")
    assert explorer.finding.html.startswith("Highest engagements per impression: ")
    set_controls(explorer, posts=())
    assert explorer.finding.html == "No post is selected"
