"""Rows of delimited text."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.files.delimited import (
    DELIMITERS,
    InvalidQuotes,
    delimited_rows,
    find_header,
    without_end,
)
from engagement_pandas.sources.sheet import read_sheet

ID = "2037215664590352384"
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"))


@pytest.mark.slow
@given(st.lists(st.lists(CELLS, min_size=2), min_size=1), st.sampled_from(DELIMITERS))
def test_written_rows_are_read(rows: list[list[str]], delimiter: str) -> None:
    """Rows that Python's own writer has written are read again, each below the one before."""
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)
    read = list(delimited_rows(file.getvalue(), delimiter, strict=True))
    assert [row.cells for row in read] == rows
    assert [row.first for row in read] == [1, *(row.last + 1 for row in read[:-1])]
    assert read[-1].last == file.getvalue().count("\n")


def test_reading_begins_at_a_line() -> None:
    """The lines before it are neither read nor parsed, but counted."""
    text = '"open\n\nday;count\n1;"a\nb"\n2;c\n'
    rows = list(delimited_rows(text, ";", first=3, strict=True))
    assert [tuple(row) for row in rows] == [
        (3, 3, ["day", "count"]),
        (4, 5, ["1", "a\nb"]),
        (6, 6, ["2", "c"]),
    ]


@pytest.mark.parametrize(
    ("text", "line"), [('a\n"b\nc\n', 2), ('a,"b"c\n', 1), ('"a\nb"\n"c"d\n', 3)]
)
def test_an_error_names_the_line_that_begins_the_row(text: str, line: int) -> None:
    """A quotation mark is not closed, or not doubled, in a row of one line or several."""
    with pytest.raises(InvalidQuotes) as caught:
        list(delimited_rows(text, ",", strict=True))
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (1, "", ",")),
        ("day\n", (1, "day", ",")),
        ("a,b;c;d\n", (1, "a,b;c;d", ";")),
        ("\n \n\ta|b\n1,2,3\n", (3, "\ta|b", "\t")),
        ("sep=,\r\n\r\na;b;c", (3, "a;b;c", ",")),
        ('"SEP=\t"\na;b\n', (2, "a;b", "\t")),
        ("sep=;;\na,b\n", (2, "a,b", ";")),
        ("separate,b\n", (1, "separate,b", ",")),
    ],
)
def test_the_header_has_a_line_and_a_delimiter(text: str, expected: tuple[int, str, str]) -> None:
    """It is the first line with text; a line for Excel states the delimiter."""
    header = find_header(text)
    assert (header.line, header.text, header.delimiters[0]) == expected


@pytest.mark.slow
@pytest.mark.parametrize("first", ["", "sep={}\n", "\n\n"])
@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_all_readers_take_all_delimiters(delimiter: str, first: str) -> None:
    """Counts, posts and exports are read alike."""
    text = first.format(delimiter) + f"post_id|engagement_type|count\n{ID}|impressions|7\n".replace(
        "|", delimiter
    )
    assert ep.read_csv(io.StringIO(text))["count"].to_list() == [7]
    assert ep.read_posts(io.StringIO(text))["post_id"].to_list() == [ID]
    assert [cells for _, cells in read_sheet(io.StringIO(text)).rows] == [(ID, "impressions", "7")]


def test_only_blank_cells_at_the_end_are_cut() -> None:
    """A cell of blanks counts as blank."""
    assert without_end(["", "a", "", " "]) == ["", "a"]
    assert without_end([" ", ""]) == []
