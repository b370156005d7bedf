"""Tables of text: CSV of any program, or a workbook."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final

import pandas as pd

from engagement_pandas.errors import FrameError, InvalidPostId
from engagement_pandas.files.decompress import workbook_size
from engagement_pandas.files.delimited import (
    InvalidQuotes,
    delimited_rows,
    find_header,
    without_end,
)
from engagement_pandas.frame.parse_numbers import to_numbers
from engagement_pandas.request.post_files import MOST_BYTES, read_content, text_of
from engagement_pandas.request.post_files.column_names import key
from engagement_pandas.text import FLOAT_BITS, format_list, truncated_repr, warn

_WORKBOOK_ERRORS: Final = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, SyntaxError),  # of the XML, too
    *(KeyError, ValueError, TypeError, AttributeError, IndexError),  # of openpyxl
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of text: its file, its header, and its rows, each with the line that it begins on."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def column(self, place: int) -> list[str]:
        """Return the cells of a column, without blanks around them."""
        return [cells[place].strip() for _, cells in self.rows]

    def numbers(self, place: int, rows: Sequence[int] | None = None) -> pd.Series:
        """Return the numbers in a column by line, of all rows or of some places."""
        cells = self.column(place)
        chosen = range(len(cells)) if rows is None else rows
        lines = pd.Index([self.rows[row][0] for row in chosen], dtype="int64")
        name = self.header[place]
        texts = pd.Series([cells[row] for row in chosen], lines, name=name, dtype=object)
        try:
            return to_numbers(texts)
        except FrameError as error:
            msg = f"{self.name}: {str(error).replace(' in row ', ' in line ', 1)}"
            raise FrameError(msg) from error


def read_sheet(path_or_buffer: str | os.PathLike[str] | IO[Any]) -> Sheet:
    r"""Read a table; UTF-8, UTF-16 or Windows-1252, with commas, semicolons or tabs.

    >>> read_sheet(io.StringIO("Date;Likes\n2026-03-01;7")).rows
    ((2, ('2026-03-01', '7')),)
    """
    try:
        return sheet_of(*read_content(path_or_buffer))
    except InvalidPostId as error:
        raise FrameError(*error.args) from error


def sheet_of(name: str, content: Any) -> Sheet:
    """Return the table in the content of a file."""
    is_bytes = not isinstance(content, str)
    size = workbook_size(bytes(content)) if is_bytes else None
    if size is not None:
        if size > MOST_BYTES:
            msg = f"{name} has more than {MOST_BYTES:,} bytes unpacked; split it"
            raise FrameError(msg)
        rows = _workbook_rows(name, bytes(content))
    else:
        rows = _text_rows(name, text_of(name, content))
    filled = [(line, cells) for line, cells in rows if any(cell.strip() for cell in cells)]
    if not filled:
        msg = f"{name} is empty; export it again"
        raise FrameError(msg)
    header = tuple(without_end([cell.strip().strip("\ufeff") for cell in filled[0][1]]))
    return Sheet(name, header, tuple(_fitted(name, header, filled[1:])))


def _fitted(
    name: str, header: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]]
) -> Iterable[tuple[int, tuple[str, ...]]]:
    """Yield rows of the length of the header, without repeated headers."""
    width = len(header)
    for line, cells in rows:
        if tuple(cell.strip() for cell in cells[:width]) == tuple(header):
            continue
        if len(cells) < width or any(cell.strip() for cell in cells[width:]):
            msg = (
                f"line {line} of {name} has {len(cells)} columns, and the header {width}: "
                f"{truncated_repr(list(cells))}; is the file cut off, or a text not in quotes?"
            )
            raise FrameError(msg)
        yield line, tuple(cells[:width])


def _text_rows(name: str, text: str) -> list[tuple[int, list[str]]]:
    header = find_header(text)
    rows = delimited_rows(text, header.delimiters[0], first=header.line, strict=True)
    try:
        return [(row.first, row.cells) for row in rows]
    except InvalidQuotes as error:
        msg = f"line {error.line} of {name}: {error}; is a quotation mark open?"
        raise FrameError(msg) from error


def _workbook_rows(name: str, content: bytes) -> list[tuple[int, list[str]]]:
    try:
        sheets = pd.read_excel(
            io.BytesIO(content),
            sheet_name=None,
            header=None,
            dtype=object,
            keep_default_na=False,
        )
    except ImportError as error:
        msg = (
            f"{name} is an Excel workbook, and openpyxl is not installed; take the CSV that was "
            "exported, or pip install 'engagement_pandas[excel]'"
        )
        raise FrameError(msg) from error
    except _WORKBOOK_ERRORS as error:
        msg = f"{name} is a damaged Excel workbook: {error}; take the CSV that was exported"
        raise FrameError(msg) from error
    filled = {title: frame for title, frame in sheets.items() if len(frame)}
    if len(filled) > 1:
        msg = f"{name} has the sheets {format_list(filled)}; save each as a file of its own"
        raise FrameError(msg)
    rows = [row for frame in filled.values() for row in frame.to_numpy(dtype=object).tolist()]
    return [(line, list(map(_text, row))) for line, row in enumerate(rows, 1)]


def _text(cell: Any) -> str:
    """Return the text of a cell. A workbook's numbers are floats: long ones have lost digits.

    >>> _text(1234), _text(2091095333082140951)
    ('1234', '2.091095333082141e+18')
    """
    if isinstance(cell, int) and cell.bit_length() > FLOAT_BITS:
        return str(float(cell))
    return "" if pd.isna(cell) else str(cell)


def warn_of_headings(sheet: Sheet, places: Mapping[str, int], unknown: Sequence[str]) -> None:
    """Warn of headings that are read by position, or left out."""
    if not unknown:
        return
    by_position = len(places) == len(sheet.header)
    what = "not known and read by position" if by_position else "not known and left out"
    msg = f"{sheet.name}: the headings {format_list(unknown)} are {what}; compare a few numbers"
    warn(msg)


def places_of(
    sheet: Sheet, order: Sequence[str], names: Mapping[str, str]
) -> tuple[dict[str, int], list[str]]:
    """Return the column of each role, and the headings that are not known.

    ``order`` has the roles in the order of the export, and ``names`` the role of each known
    heading, keyed as by :func:`~engagement_pandas.request.post_files.column_names.key`. Columns are
    found by position unless a known heading is in another place.
    """
    known = {
        place: names[key(heading)]
        for place, heading in enumerate(sheet.header)
        if key(heading) in names
    }
    roles = list(known.values())
    twice = next((role for role in roles if roles.count(role) > 1), None)
    if twice is not None:
        both = [sheet.header[place] for place, role in known.items() if role == twice]
        msg = f"{sheet.name} has two columns for {twice}, {format_list(both)}; drop one"
        raise FrameError(msg)
    unknown = [name for place, name in enumerate(sheet.header) if place not in known]
    if len(sheet.header) == len(order) and all(order[p] == role for p, role in known.items()):
        return {role: place for place, role in enumerate(order)}, unknown
    return {role: place for place, role in known.items()}, unknown
