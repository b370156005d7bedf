"""Tables of posts: CSV and similar formats, as written by any program."""

from __future__ import annotations

import csv
import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from engagement_pandas.errors import InvalidPostId
from engagement_pandas.files.delimited import (
    InvalidQuotes,
    Row,
    delimited_rows,
    find_header,
    without_end,
)
from engagement_pandas.files.spreadsheet_formulas import unguarded
from engagement_pandas.request.post_files.column_names import ROLES, roles_of
from engagement_pandas.request.post_files.entry import LONG, RawEntry, is_id
from engagement_pandas.request.post_files.post_kind import REFERENCE_COLUMNS
from engagement_pandas.text import format_list, pluralize

_DIALECTS: Final[Sequence[Mapping[str, Any]]] = (
    {"strict": True},
    {"strict": True, "escapechar": "\\"},
    {"quoting": csv.QUOTE_NONE},
)
"""Ways to quote text: as in RFC 4180; as in MySQL; not at all, as in tab-separated files."""


class Heading(NamedTuple):
    """The first row of a table, without unnamed columns at the end.

    ``roles`` has the column index of each role; ``line`` is the line number of the row.
    """

    names: tuple[str, ...]
    roles: Mapping[str, int]
    delimiter: str
    line: int


def heading_of(text: str, name: str, *, needed: bool) -> Heading | None:
    r"""Return the heading of a table, or None if the text is not a table.

    ``needed`` states whether the suffix of the file requires a table, unless each line is one post.

    >>> heading_of("text;Post ID\nhello;123\n", "posts.csv", needed=True).names
    ('text', 'Post ID')
    """
    header = find_header(text)
    splits = {delimiter: _names(header.text, delimiter) for delimiter in header.delimiters}
    for delimiter, names in splits.items():
        try:
            roles = roles_of(names)
        except InvalidPostId as error:
            msg = f"line {header.line} of {name}: {error}"
            raise InvalidPostId(msg) from error
        if "post_id" in roles:
            return Heading(names, roles, delimiter, header.line)
    names = max(splits.values(), key=len)
    if needed and header.text.strip() and not (len(names) == 1 and is_id(names[0])):
        msg = (
            f"{name} has no post_id column, only {format_list(names)}; rename the one with the IDs"
        )
        raise InvalidPostId(msg)
    return None


def _names(line: str, delimiter: str) -> tuple[str, ...]:
    cells = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    return tuple(without_end(cells))


def rows(text: str, name: str, heading: Heading) -> list[RawEntry]:
    """Return the rows below a heading."""
    first: InvalidPostId | None = None
    for dialect in _DIALECTS[: 3 if heading.delimiter == "\t" else 2]:
        try:
            return list(_rows(text, name, heading, dialect))
        except InvalidPostId as error:
            first = first or error
    raise first or AssertionError


def _rows(text: str, name: str, heading: Heading, dialect: Mapping[str, Any]) -> Iterator[RawEntry]:
    lines = text.split("\n")
    columns = len(heading.names)
    spaced = f"{heading.delimiter} " in lines[heading.line - 1]
    references = {
        kind: heading.names.index(name)
        for name, kind in REFERENCE_COLUMNS.items()
        if name in heading.names
    }
    # Columns that the package has written, with an apostrophe before possible formulas.
    is_ours = heading.names == tuple(role for role in ROLES if role in heading.roles)
    for start, end, every in _raw_rows(text, name, heading, skipinitialspace=spaced, **dialect):
        if end > start:
            _check_swallowed(lines[start - 1 : end], heading, f"line {start} of {name}")
        cells = every[:columns] + list(without_end(every[columns:]))
        if not any(cell.strip() for cell in cells) or _is_heading(cells, heading):
            continue
        if len(cells) != columns:
            msg = (
                f"line {start} of {name} has {pluralize(len(cells), 'column')}, but the heading "
                f"has {columns}; put texts with {heading.delimiter!r} in quotation marks"
            )
            raise InvalidPostId(msg)
        roles = {role: cells[place] for role, place in heading.roles.items()}
        if is_ours:
            roles = {role: unguarded(cell) for role, cell in roles.items()}
        if references and "kind" not in roles:
            kinds = (kind for kind, place in references.items() if cells[place].strip())
            roles["kind"] = next(kinds, "post")
        if references and "text" in roles:  # a table of twarc, which writes texts as the API does
            roles["text"] = html.unescape(roles["text"])
        yield RawEntry.of(start, roles, heading.names[heading.roles["post_id"]])


def _raw_rows(text: str, name: str, heading: Heading, **dialect: Any) -> Iterator[Row]:
    try:
        yield from delimited_rows(text, heading.delimiter, first=heading.line + 1, **dialect)
    except InvalidQuotes as error:
        msg = (
            f"line {error.line} of {name}: a quotation mark is not closed, or not doubled inside "
            f"a text ({error})"
        )
        raise InvalidPostId(msg) from error


def _is_heading(cells: Sequence[str], heading: Heading) -> bool:
    """Return whether a row repeats the heading, as in two concatenated exports."""
    return tuple(cell.strip() for cell in cells) == heading.names


def _check_swallowed(lines: Sequence[str], heading: Heading, where: str) -> None:
    """Reject a multi-line row of which two lines look like rows of their own."""
    place, columns = heading.roles["post_id"], len(heading.names)
    found = 0
    for line in lines:
        cells = line.split(heading.delimiter)
        if len(cells) >= columns:
            ends = cells[place], cells[place - columns]
            found += any(is_id(cell, LONG) for cell in ends)
    if found > 1:
        msg = (
            f"{where}: a quoted text spans lines that look like rows; close the quotation mark, "
            "or put the text on one line"
        )
        raise InvalidPostId(msg)
