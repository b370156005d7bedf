"""Rows of delimited text, such as CSV, with the lines that they stand on."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

DELIMITERS: Final = ",;\t|"

_SEP: Final = re.compile(r'"?sep=(.)"?[,;\t]*(?:\r\n?|\n)', re.IGNORECASE)
"""The first line of a file for Excel, which states the delimiter."""
_FILLED: Final = re.compile(r"\S")


class Row(NamedTuple):
    """The cells of a row, and its first and last line."""

    first: int
    last: int
    cells: list[str]


class InvalidQuotes(ValueError):
    """A quotation mark is not closed, or not doubled inside a text; ``line`` begins the row."""

    def __init__(self, line: int, reason: object) -> None:
        super().__init__(str(reason))
        self.line = line


class Header(NamedTuple):
    """The first line with text, and the delimiters that it may have, the likeliest first."""

    line: int
    text: str
    delimiters: Sequence[str]


def find_header(text: str) -> Header:
    r"""Find the header: the first line with text, below a line such as ``sep=;``.

    >>> find_header("\nday;count\n2026-03-01;1,5\n")
    Header(line=2, text='day;count', delimiters=[';', ',', '\t', '|'])
    >>> find_header("sep=|\nday|count\n").delimiters
    ['|']
    """
    sep = _SEP.match(text)
    found = _FILLED.search(text, sep.end() if sep else 0)
    place = found.start() if found else 0
    end = text.find("\n", place)
    line = text[text.rfind("\n", 0, place) + 1 : len(text) if end < 0 else end]
    options = [sep[1]] if sep else sorted(DELIMITERS, key=line.count, reverse=True)
    return Header(text.count("\n", 0, place) + 1, line, options)


def delimited_rows(text: str, delimiter: str, *, first: int = 1, **dialect: Any) -> Iterator[Row]:
    r"""Yield the rows from line ``first`` on; ``dialect`` is for :func:`csv.reader`.

    >>> list(delimited_rows('a;b\n1;"2\n3"\n', ";", strict=True))
    [Row(first=1, last=1, cells=['a', 'b']), Row(first=2, last=3, cells=['1', '2\n3'])]
    """
    lines = io.StringIO(text, newline="")
    for _ in range(first - 1):
        lines.readline()
    reader = csv.reader(lines, delimiter=delimiter, **dialect)
    last = first - 1
    try:
        for cells in reader:
            begin, last = last + 1, first - 1 + reader.line_num
            yield Row(begin, last, cells)
    except csv.Error as error:
        raise InvalidQuotes(last + 1, error) from error


def without_end(cells: Sequence[str]) -> Sequence[str]:
    """Return cells without the blank ones at the end.

    >>> without_end(["1", "", "2", " ", ""])
    ['1', '', '2']
    """
    filled = [place for place, cell in enumerate(cells, 1) if cell.strip()]
    return cells[: filled[-1] if filled else 0]
