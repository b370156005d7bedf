"""Files, streams and uploads as text: decompressed up to a limit, decoded and parsed."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import IO, Any, Final
from zipfile import ZipFile

from engagement_pandas.errors import InvalidPostId
from engagement_pandas.files.decompress import (
    FileTooLarge,
    NotDecompressed,
    decompressed,
    read_bounded,
)
from engagement_pandas.files.encoding import codec_of
from engagement_pandas.request.post_files.archived_posts import archived_posts
from engagement_pandas.request.post_files.csv_posts import heading_of, rows
from engagement_pandas.request.post_files.entry import Missing, PostEntry, RawEntry, judged
from engagement_pandas.request.post_files.json_posts import NotJson, is_script, items
from engagement_pandas.request.post_files.listed_ids import pieces
from engagement_pandas.text import truncated_repr

MOST_BYTES: Final = 1 << 28
"""Maximum size of a file, decompressed: more than ten million IDs."""

_JSON: Final = frozenset({".json", ".jsonl", ".ndjson", ".js"})
_TABLES: Final = frozenset({".csv", ".tsv"})
_CONTROL: Final = frozenset(map(chr, range(32))) - frozenset("\t\n\v\f\r\x1a")


def read_records(
    path_or_buffer: str | os.PathLike[str] | IO[Any], *, missing: Missing = "refuse"
) -> list[PostEntry]:
    """Read the posts in a file as :func:`records_in`; ``"-"`` is standard input.

    Of the ZIP of an account's archive, the posts in ``data/tweets.js`` and its parts.
    """
    return [
        post
        for part in read_contents(path_or_buffer)
        for post in records_in(*part, missing=missing)
    ]


def read_contents(path_or_buffer: str | os.PathLike[str] | IO[Any]) -> Iterator[tuple[str, Any]]:
    """Yield name and content of a file, or of each file with posts in an account's archive."""
    if isinstance(path_or_buffer, str | os.PathLike) and os.fspath(path_or_buffer) != "-":
        name = os.fsdecode(path_or_buffer)
        with open(name, "rb") as file:  # noqa: PTH123 - an archive is larger than the limit
            if file.seekable():
                yield from _parts(name, file)
            else:  # a pipe
                yield from contents_of(name, _bounded(file, name))
    else:
        yield from contents_of(*read_content(path_or_buffer))


def contents_of(name: str, content: Any) -> Iterator[tuple[str, Any]]:
    """Yield a content with its name, or those of the files with posts in an archive's ZIP."""
    if isinstance(content, str):
        yield name, content
    else:
        yield from _parts(name, io.BytesIO(content))


def _parts(name: str, file: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    posts = archived_posts(name, file, MOST_BYTES)
    first = next(posts, None)
    if first is None:
        file.seek(0)
        yield name, _bounded(file, name)
    else:
        yield first
        yield from posts


def read_content(path_or_buffer: str | os.PathLike[str] | IO[Any]) -> tuple[str, Any]:
    """Return a file's name and content, as text or bytes; ``"-"`` is standard input."""
    if isinstance(path_or_buffer, str | os.PathLike) and os.fspath(path_or_buffer) != "-":
        name = os.fsdecode(path_or_buffer)
        with open(name, "rb") as file:  # noqa: PTH123
            return name, _bounded(file, name)
    if isinstance(path_or_buffer, str | os.PathLike):
        stream, name = getattr(sys.stdin, "buffer", sys.stdin), "standard input"
    elif not hasattr(path_or_buffer, "read") or isinstance(path_or_buffer, ZipFile):
        cure = "; give the archive by its path" if isinstance(path_or_buffer, ZipFile) else ""
        msg = f"{truncated_repr(path_or_buffer)} is neither a path nor an open file{cure}"
        raise InvalidPostId(msg)
    else:
        stream, name = path_or_buffer, str(getattr(path_or_buffer, "name", "the file"))
    # A closed stream, as under cron, is read as empty.
    return name, b"" if stream is None else _bounded(stream, name)


def ids_in(name: str, content: str | bytes | memoryview) -> list[str]:
    """Return only the post IDs, as :func:`records_in` reads them."""
    return [record.post_id for record in records_in(name, content)]


def records_in(
    name: str, content: str | bytes | memoryview, *, missing: Missing = "refuse"
) -> list[PostEntry]:
    r"""Read the posts in the content of a file, or in a pasted text.

    The content decides how it is parsed: a table whose heading has a ``post_id`` (or ``Tweet id``,
    ``id_str``, ``Post Link``, …), JSON of the usual tools, or a list of IDs and links. ``name`` is
    for messages; with the suffix ``.csv`` or ``.json`` the content must be of that format. Bytes
    may be compressed with gzip, bz2, xz, zip or zstd; UTF-8, UTF-16, else Windows-1252.

    >>> records_in("posts.csv", b"text;Post ID\nhello;123\n;\n")[0].where
    'line 2 of posts.csv'
    """
    text = text_of(name, content)
    try:
        return judged(_raws(text, name), name, missing)
    except RecursionError as error:
        msg = f"{name} is not a list of post IDs: it is nested too deeply"
        raise InvalidPostId(msg) from error


def text_of(name: str, content: str | bytes | memoryview) -> str:
    r"""Return the text of a file, decompressed and decoded, with ``\n`` at the end of lines.

    >>> text_of("posts.csv", "\ufeffid\r\n1".encode())
    'id\n1'
    """
    text = (
        content if isinstance(content, str) else _decoded(_decompressed(bytes(content), name), name)
    )
    return text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff").rstrip("\x1a")


def _raws(text: str, name: str) -> Iterable[RawEntry]:
    stems = [suffix.lower() for suffix in PurePath(name).suffixes if suffix.lower() not in _ENDS]
    suffix = stems[-1] if stems else ""
    is_json = suffix in _JSON or is_script(text)
    if is_json or text.lstrip()[:1] in {"[", "{"}:
        try:
            return items(text, name)
        except NotJson as error:  # may be a Python list or a Markdown link
            if is_json:
                raise InvalidPostId(*error.args) from error
    heading = heading_of(text, name, needed=suffix in _TABLES)
    return pieces(text, name) if heading is None else rows(text, name, heading)


_ENDS: Final = frozenset({".gz", ".bz2", ".xz", ".zip", ".zst"})


def _bounded(file: IO[Any], name: str) -> Any:
    try:
        return read_bounded(file, MOST_BYTES)
    except FileTooLarge as error:
        msg = f"{name} has {error}; split it"
        raise InvalidPostId(msg) from error


def _decompressed(content: bytes, name: str) -> bytes:
    try:
        return decompressed(content, MOST_BYTES)
    except FileTooLarge as error:
        msg = f"{name} has {error}; split it"
        raise InvalidPostId(msg) from error
    except NotDecompressed as error:
        msg = f"{name} {error}"
        raise InvalidPostId(msg) from error


def _decoded(content: bytes, name: str) -> str:
    codec = codec_of(content)
    for encoding in (codec, "cp1252") if codec == "utf-8" else (codec,):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if bad := _CONTROL.intersection(text):
            line = text.count("\n", 0, min(map(text.index, bad))) + 1
            msg = f"line {line} of {name} has {min(bad)!r}: the file is damaged, or not UTF-8 text"
            raise InvalidPostId(msg)
        return text
    msg = f"{name} is not text in UTF-8, UTF-16 or Windows-1252; save it as UTF-8"
    raise InvalidPostId(msg)
