"""Read CSV as rows of text: bounded in size, and strict, so that no number is truncated."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, Final

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.files import UNPACK_ERRORS, FileTooLarge, codec_of, in_zip, read_bounded
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
        name, content = repr(str(path)), _unpacked(path)
    else:
        name, content = "the CSV", path_or_buffer.read()
    text = content if isinstance(content, str) else _decoded(content, name)
    return _rows(text.removeprefix("\ufeff"), name), name


def _of_zstd(file: Any) -> Any:
    import pyarrow as pa  # noqa: PLC0415  slow to import, and few files need it

    return pa.CompressedInputStream(pa.PythonFile(file), "zstd")


_UNPACKERS: Final[Mapping[str, Callable[[IO[bytes]], Any]]] = MappingProxyType(
    {
        ".gz": lambda file: gzip.GzipFile(fileobj=file),
        ".bz2": bz2.BZ2File,
        ".xz": lzma.LZMAFile,
        ".zip": in_zip,
        ".zst": _of_zstd,
    }
)
"""Decompressors by file suffix."""


def _unpacked(path: Path) -> bytes:
    """Return the content of a file, decompressed according to its suffix."""
    with path.open("rb") as file:
        unpack = _UNPACKERS.get(path.suffix.lower())
        if unpack is None:
            return file.read()
        try:
            with unpack(file) as unpacked:
                content: bytes = read_bounded(unpacked, LIMIT)
                return content
        except FileTooLarge as error:
            msg = f"{str(path)!r} unpacks to {error}; unpack it and read that, or use Parquet"
            raise FrameError(msg) from error
        except (*UNPACK_ERRORS, OSError, ValueError, RuntimeError, MemoryError) as error:
            msg = f"{str(path)!r} is not CSV with counts, for it cannot be unpacked: {error}"
            raise FrameError(msg) from error


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode(codec_of(content))
    except UnicodeDecodeError as error:
        msg = f"{name} is not UTF-8 text ({error}); save it as such"
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
            f"the last line of {name}, line {last}, has no end: "
            f"{truncated_repr(text.splitlines()[-1])}; "
            "it may be cut off in a number, so write the file again, or end the line if it is not"
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
        msg = f"{name} is not CSV with counts or omissions: line {begin}: {error}; is a quote open?"
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
        f"{name} is not CSV with counts or omissions: line {line} has {len(row)} fields, and "
        f"there are {len(header)} columns: {truncated_repr(row)}; fill each line in, and put texts "
        "with "
        "commas into quotes"
    )
    raise FrameError(msg)
