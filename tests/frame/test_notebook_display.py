"""Frames in notebooks, as a real IPython shell shows them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from metrics.test_all import METRICS, some
from support.simulated import tidy
from traitlets.config import Config

import engagement_pandas as ep

POST = "1060976163948904448"
LINKED = f'<a href="https://x.com/i/web/status/{POST}" target="_blank" rel="noopener noreferrer">'
DASH = "–"  # noqa: RUF001 - a dash, not a minus
NASTY = '<script>alert("1")</script>" onmouseover="f()'

Show = Callable[[Any], str | None]


class Table(HTMLParser):
    """The headings and cells of a table, and the tags and attributes of all of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.below = ""
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a row or a cell."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        """Add to a cell, or to what is below the table."""
        if "p" in self.tags:
            self.below += data
        else:
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def bare() -> Iterator[InteractiveShell]:
    """Start a shell that keeps no history and leaves the process as it was."""
    main, hook = sys.modules["__main__"], sys.excepthook
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    yield shell
    sys.modules["__main__"], sys.excepthook = main, hook


@pytest.fixture
def shell(bare: InteractiveShell) -> Iterator[InteractiveShell]:
    """Return a shell with the extension, without it after the test."""
    bare.run_line_magic("load_ext", "engagement_pandas")
    yield bare
    bare.run_line_magic("unload_ext", "engagement_pandas")


@pytest.fixture
def show(shell: InteractiveShell) -> Show:
    """Return what the shell shows of a value as HTML."""
    return lambda value: shown(shell, value)


def shown(shell: InteractiveShell, value: Any) -> str | None:
    """Return the HTML that a shell shows of a value."""
    html: str | None = shell.display_formatter.format(value)[0].get("text/html")
    return html


def table(html: str | None) -> Table:
    """Return the table in HTML."""
    assert html is not None
    return Table(html)


def counts() -> pd.DataFrame:
    """Return two counts of a post."""
    rows = [
        (POST, "impressions", "2026-03-01", 5, 12345),
        (POST, "impressions", "2026-03-01", 6, None),
    ]
    return tidy(rows)


def test_counts(show: Show) -> None:
    """A post is a link, a day a date, a count has separators, and what is unknown a dash."""
    html = str(show(counts()))
    assert Table(html).rows == [
        ["", "post_id", "engagement_type", "day", "hour", "count"],
        ["0", POST, "impressions", "2026-03-01", "5", "12,345"],
        ["1", POST, "impressions", "2026-03-01", "6", DASH],
    ]
    assert html.count(f"{LINKED}{POST}</a>") == 2
    right = re.findall(r'<td style="text-align:right[^>]*>([^<]*)<', html)
    assert right == ["5", "12,345", "6", DASH]


def test_a_metric(show: Show) -> None:
    """The zone of times is in the heading; numbers have the decimals that they need."""
    frame = ep.summarise(counts())[["post_id", "link", "created_at", "age", "impressions"]]
    html = show(frame.assign(age=[36.25]))
    assert table(html).rows == [
        ["", "post_id", "link", "created_at (UTC)", "age", "impressions"],
        ["0", POST, f"https://x.com/i/web/status/{POST}", "2018-11-09 19:23", "36.25", "12,345"],
    ]
    assert str(html).count(LINKED) == 2


def test_posts_in_the_index(show: Show) -> None:
    """They are links there too, and other levels are labels."""
    frame = counts().set_index(["post_id", "hour"])[["count"]]
    html = show(frame)
    assert table(html).rows[:2] == [["post_id", "hour", "count"], [POST, "5", "12,345"]]
    assert LINKED in str(html)


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        (["2026-03-01", None], ["2026-03-01", DASH]),
        (["2026-03-01T05:07:08.9", "2026-03-01"], ["2026-03-01 05:07", "2026-03-01 00:00"]),
        (["2026-03-28T23:00Z", "2026-03-29T22:00Z"], ["2026-03-29", "2026-03-30"]),
    ],
    ids=["dates", "times", "days in a zone"],
)
def test_times(show: Show, values: list[str | None], cells: list[str]) -> None:
    """Whole days are dates, also where the clocks change between them."""
    times = pd.Series(pd.to_datetime(pd.Series(values), format="ISO8601"))
    times = times if times.dt.tz is None else times.dt.tz_convert("Europe/Berlin")
    frame = pd.DataFrame({"post_id": [POST, POST], "start": times})
    heading, *found = (row[2] for row in table(show(frame)).rows)
    assert found == cells
    assert heading == ("start" if times.dt.tz is None else "start (Europe/Berlin)")


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        ([0.5, 0.125], ["0.500", "0.125"]),
        ([1000.0, None], ["1,000", DASH]),
        ([1 / 3, 1e-9], ["0.333333", "1e-09"]),
        ([float("inf"), 2.0], ["inf", "2"]),
        ([0.0, 0.0], ["0", "0"]),
    ],
    ids=str,
)
def test_numbers(show: Show, values: list[float | None], cells: list[str]) -> None:
    """As many decimals as are needed, at most six; what is not zero never looks like zero."""
    frame = pd.DataFrame({"post_id": POST, "rate": pd.array(values, dtype="Float64")})
    assert [row[2] for row in table(show(frame)).rows[1:]] == cells


def test_options_of_pandas(show: Show) -> None:
    """Limits of rows, columns, widths and decimals are those that pandas has."""
    frame = pd.DataFrame({"post_id": [str(n) for n in range(9)], "a": 1 / 3, "b": 2, "c": "x " * 9})
    with pd.option_context(
        "display.max_rows", 8, "display.min_rows", 3, "display.max_columns", 3,
        "display.precision", 2, "display.max_colwidth", 5,
    ):  # fmt: skip
        found = table(show(frame))
    assert found.rows == [
        ["", "post_id", "a", "…", "c"],
        ["0", "0", "0.33", "…", "x x x…"],
        ["1", "1", "0.33", "…", "x x x…"],
        ["…", "…", "…", "…", "…"],
        ["8", "8", "0.33", "…", "x x x…"],
    ]
    assert found.below == "9 rows, 4 columns"
    with pd.option_context("display.float_format", "<{:.1f}>".format):
        assert table(show(frame)).rows[1][2] == "<0.3>"
    with pd.option_context("display.notebook_repr_html", False):  # noqa: FBT003 - pandas' signature
        assert show(frame) is None


def test_an_empty_frame(show: Show) -> None:
    """The columns, and that there are no rows."""
    found = table(show(counts().iloc[:0]))
    assert found.rows == [["", "post_id", "engagement_type", "day", "hour", "count"]]
    assert found.below == "0 rows, 5 columns"


def test_hostile_texts(show: Show) -> None:
    """Texts, IDs, links and names are text, wherever they stand."""
    frame = pd.DataFrame(
        {"post_id": [POST, NASTY], "link": ["javascript:alert(1)", f"https://x.com/{NASTY}"]}
        | {NASTY: [NASTY, ["a", None]], "when": pd.Timestamp("2026-03-01", tz="UTC")},
        index=pd.Index([NASTY, "b"], name=NASTY),
    )
    found = table(show(frame))
    assert found.tags == {"div", "table", "thead", "tbody", "tr", "th", "td", "a"}
    assert found.attributes == {"style", "scope", "dir", "href", "target", "rel"}
    assert found.rows == [
        [NASTY, "post_id", "link", NASTY, "when (UTC)"],
        [NASTY, POST, "javascript:alert(1)", NASTY, "2026-03-01"],
        ["b", NASTY, f"https://x.com/{NASTY}", "['a', None]", "2026-03-01"],
    ]
    assert str(show(frame)).count("<a ") == 1
    unnamed = table(show(frame.rename_axis(None)))
    assert unnamed.tags == found.tags
    assert unnamed.rows[1][0] == NASTY


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"price": [1234], "rate": [0.5]}),
        pd.DataFrame({("count", "a"): [1]}, index=pd.Index([POST], name="post_id")),
        pd.DataFrame(),
    ],
    ids=["other columns", "two levels", "empty"],
)
def test_frames_of_others(show: Show, frame: pd.DataFrame) -> None:
    """Pandas shows them, and a Series as text."""
    assert show(frame) == frame._repr_html_()
    assert show(pd.Series([1], name="post_id")) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_recognised(show: Show, name: str) -> None:
    """Frames of metrics are shown by this package, whatever their columns."""
    frame = METRICS[name](some())
    if isinstance(frame, pd.DataFrame):
        assert "dataframe" not in str(show(frame))


def test_text_stays_that_of_pandas(shell: InteractiveShell) -> None:
    """Only HTML is different, and the frame is unchanged."""
    frame = counts()
    assert shell.display_formatter.format(frame)[0]["text/plain"] == repr(frame)
    pd.testing.assert_frame_equal(frame, counts())


def test_unloading(bare: InteractiveShell) -> None:
    """Without the extension, pandas shows frames: before it is loaded, and after."""
    bare.run_line_magic("load_ext", "engagement_pandas")
    assert shown(bare, counts()) != counts()._repr_html_()
    bare.run_line_magic("unload_ext", "engagement_pandas")
    assert shown(bare, counts()) == counts()._repr_html_()
    assert pd.DataFrame not in bare.display_formatter.formatters["text/html"].type_printers


def test_loading_twice(bare: InteractiveShell) -> None:
    """Loading again changes nothing: unloading once is enough."""
    ep.load_ipython_extension(bare)
    ep.load_ipython_extension(bare)
    ep.unload_ipython_extension(bare)
    assert shown(bare, counts()) == counts()._repr_html_()
    ep.unload_ipython_extension(bare)
    assert shown(bare, counts()) == counts()._repr_html_()


def test_another_formatter(bare: InteractiveShell) -> None:
    """A formatter that was there before shows the frames of others, and all after unloading."""
    formatter = bare.display_formatter.formatters["text/html"]
    formatter.for_type(pd.DataFrame, lambda frame: f"{len(frame)} rows")
    try:
        bare.run_line_magic("load_ext", "engagement_pandas")
        bare.run_line_magic("reload_ext", "engagement_pandas")
        assert shown(bare, pd.DataFrame({"a": [1]})) == "1 rows"
        assert LINKED in str(shown(bare, counts()))
        bare.run_line_magic("unload_ext", "engagement_pandas")
        assert shown(bare, counts()) == "2 rows"
    finally:
        formatter.pop(pd.DataFrame)
