"""Read CSV as rows of text: bounded in size, and strict, so that no number is truncated."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Final

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.files.decompress import FileTooLarge, NotDecompressed, decompressed
from engagement_pandas.files.delimited import (
    InvalidQuotes,
    delimited_rows,
    find_header,
    without_end,
)
from engagement_pandas.files.encoding import codec_of
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.text import truncated_repr

LIMIT: Final = 2**28
"""Maximum decompressed size in bytes: about five million counts."""


def read_table(path_or_buffer: str | os.PathLike[str] | IO[Any]) -> tuple[pd.DataFrame, str]:
    r"""Read CSV as text, with line numbers as the index, and return the name for error messages.

    Text is UTF-8 or UTF-16, with commas, semicolons, tabs or bars between the columns. The columns
    are ``str``; the index is the line on which the row ends.

    >>> import io
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


def _rows(text: str, name: str) -> pd.DataFrame:
    _check_end(text, name)
    first = find_header(text)
    filled = (
        (line, cells)
        for _, line, cells in delimited_rows(
            text, first.delimiters[0], first=first.line, strict=True
        )
        if any(cells)
    )
    try:
        header = without_end(next(filled, (0, []))[1])
        rows = {line: _fitted(cells, header, line, name) for line, cells in filled}
    except InvalidQuotes as error:
        msg = f"line {error.line} of {name}: {error}; check the quotes"
        raise FrameError(msg) from error
    if len(set(header)) < len(header):
        msg = f"{name} has a column twice in {header}; keep one of them"
        raise FrameError(msg)
    columns = zip(*rows.values(), strict=True) if rows else [()] * len(header)
    index = pd.Index(list(rows), dtype="int64")
    return pd.DataFrame(
        {
            key: pd.Series(list(column), index, dtype=TEXT)
            for key, column in zip(header, columns, strict=True)
        },
        index=index,
    )


def _check_end(text: str, name: str) -> None:
    """Refuse a text that is empty, or truncated in its last line."""
    if not text.strip():
        msg = f"{name} is not CSV with counts or omissions: it is empty"
        raise FrameError(msg)
    if not text.endswith(("\n", "\r")):
        last = text.count("\n") + 1
        msg = (
            f"line {last}, the last of {name}, has no line end: "
            f"{truncated_repr(text.splitlines()[-1])}; "
            "if it is truncated, write the file again, or else end the line"
        )
        raise FrameError(msg)


def _fitted(row: list[str], header: Sequence[str], line: int, name: str) -> list[str]:
    """Return a row without empty trailing fields; raise if its length is wrong."""
    if len(row) == len(header):
        return row
    if len(row) > len(header) and not any(row[len(header) :]):
        return row[: len(header)]
    msg = (
        f"{name} is not CSV with counts or omissions: line {line} has {len(row)} fields, but "
        f"there are {len(header)} columns: {truncated_repr(row)}; complete the line, and quote "
        "texts with commas"
    )
    raise FrameError(msg)
