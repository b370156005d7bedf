"""Read CSV as rows of text: bounded in size, and strict, so that no number is truncated."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import IO, Any, Final

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.files.decompress import FileTooLarge, NotDecompressed, decompressed
from engagement_pandas.files.encoding import codec_of
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.text import truncated_repr

LIMIT: Final = 2**28
"""Maximum decompressed size in bytes: about five million counts."""

_DELIMITERS: Final = ",;\t"


def read_table(path_or_buffer: str | os.PathLike[str] | IO[Any]) -> tuple[pd.DataFrame, str]:
    r"""Read CSV as text, with line numbers as the index, and return the name for error messages.

    Text is UTF-8 or UTF-16, with commas, semicolons or tabs between the columns. The columns
    are ``str``; the index is the line on which the row ends.

    >>> read_table(io.StringIO("hour;count\n7;551\n"))[0]
      hour count
    2    7   551
    """
    if isinstance(path_or_buffer, str | os.PathLike):
        path = Path(path_or_buffer)
        name, content = repr(str(path)), _decompressed(path)
    else:
        name, content = "the CSV", path_or_buffer.read()
    text = content if isinstance(content, str) else _decoded(content, name)
    return _rows(text.removeprefix("\ufeff"), name), name


def _decompressed(path: Path) -> bytes:
    try:
        return decompressed(path.read_bytes(), LIMIT)
    except FileTooLarge as error:
        msg = f"{str(path)!r} has {error} decompressed; decompress it first, or use Parquet"
        raise FrameError(msg) from error
    except NotDecompressed as error:
        msg = f"{str(path)!r} {error}"
        raise FrameError(msg) from error


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode(codec_of(content))
    except UnicodeDecodeError as error:
        msg = f"{name} is not UTF-8 text ({error}); save it as UTF-8"
        raise FrameError(msg) from error


def _delimiter(text: str, name: str) -> tuple[str, int]:
    """Return the delimiter, and the number of lines before the header."""
    head, _, rest = text.partition("\n")
    given = head.strip().lower()
    skipped = int(given.startswith("sep=") and len(given) <= len("sep=;"))
    if skipped:
        head = rest.partition("\n")[0]
    delimiter = (given[4:] or "\t") if skipped else max(_DELIMITERS, key=head.count)
    if not head.strip():
        msg = f"{name} is not CSV with counts or omissions: line 1 is empty"
        raise FrameError(msg)
    if not text.endswith(("\n", "\r")):
        last = text.count("\n") + 1
        msg = (
            f"line {last}, the last of {name}, has no line end: "
            f"{truncated_repr(text.splitlines()[-1])}; "
            "if it is truncated, write the file again, or else end the line"
        )
        raise FrameError(msg)
    return delimiter, skipped


def _rows(text: str, name: str) -> pd.DataFrame:
    delimiter, skipped = _delimiter(text, name)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    header: list[str] = []
    try:
        for row in reader:
            if reader.line_num <= skipped or not any(row):
                continue
            if not header:
                while row and not row[-1]:
                    row.pop()
                header = row
                continue
            if len(row) != len(header):
                row = _fitted(row, header, reader.line_num, name)  # noqa: PLW2901
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error as error:
        begin = lines[-1] + 1 if lines else skipped + 2
        msg = f"{name} is not CSV with counts or omissions: line {begin}: {error}; check the quotes"
        raise FrameError(msg) from error
    if len(set(header)) < len(header):
        msg = f"{name} has a column twice in {header}; keep one of them"
        raise FrameError(msg)
    columns = zip(*rows, strict=True) if rows else [()] * len(header)
    index = pd.Index(lines, dtype="int64")
    return pd.DataFrame(
        {
            key: pd.Series(list(column), index, dtype=TEXT)
            for key, column in zip(header, columns, strict=True)
        },
        index=index,
    )


def _fitted(row: list[str], header: list[str], line: int, name: str) -> list[str]:
    """Return a row without empty trailing fields; raise if its length is wrong."""
    if len(row) > len(header) and not any(row[len(header) :]):
        return row[: len(header)]
    msg = (
        f"{name} is not CSV with counts or omissions: line {line} has {len(row)} fields, but "
        f"there are {len(header)} columns: {truncated_repr(row)}; complete the line, and quote "
        "texts with commas"
    )
    raise FrameError(msg)
