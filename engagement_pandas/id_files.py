"""Files of post IDs, and perhaps of whose they are: CSV, JSON, JSON lines and plain text."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

from engagement_pandas.errors import InvalidPostId
from engagement_pandas.wording import listed

Post = tuple[Any, Any]
"""An ID as it stands in a file, and the handle beside it; None where there is none."""


def read_ids(path: str | os.PathLike[str]) -> list[Any]:
    r"""Read post IDs from a file, for :func:`unique_ids` to judge.

    Parameters
    ----------
    path : str or path
        ``.csv`` and ``.tsv`` with a ``post_id`` column; ``.jsonl`` and ``.ndjson`` with an
        ID, or an object that has a ``post_id``, on each line; ``.json`` with such lines or
        one list of them, laid out anyhow; anything else one ID a line, blank lines and
        lines that begin with ``#`` left out. ``"-"`` is standard input, read as lines.

    Returns
    -------
    list
        Texts, or what JSON made of them: exact integers of any size, floats as floats.

    Raises
    ------
    InvalidPostId
        Where the file cannot be read as UTF-8 text or JSON, or has no post IDs in it.
    OSError
        Where it cannot be opened.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "posts.csv")
    ...     _ = file.write_text("post_id,text\n1060976163948904448,hello\n")
    ...     read_ids(file)
    ['1060976163948904448']
    """
    return [post for post, _ in read_posts(path)]


def read_posts(path: str | os.PathLike[str]) -> list[Post]:
    r"""Read post IDs as :func:`read_ids`, and the handles of their owners.

    They stand in a ``handle`` column, or beside the ``post_id`` of an object.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "posts.csv")
    ...     _ = file.write_text("post_id,handle\n1060976163948904448,@bakery\n")
    ...     read_posts(file)
    [('1060976163948904448', '@bakery')]
    """
    name = os.fspath(path)
    if name == "-":
        return _read(_lines, sys.stdin, name)
    with open(path, "rb") as file:  # noqa: PTH123
        return _posts_in(name, file.read())


def ids_in(name: str, content: bytes | memoryview) -> list[Any]:
    """Return the post IDs in a file that somebody else has read, such as an upload.

    Parameters
    ----------
    name : str
        What the file is called; its end says how it is read, as in :func:`read_ids`.
    content : bytes
        What is in it, in UTF-8.

    Returns
    -------
    list
        As from :func:`read_ids`, for :func:`unique_ids` to judge.

    Raises
    ------
    InvalidPostId
        Where it is no UTF-8 text or JSON, or has no post IDs in it.

    Examples
    --------
    >>> ids_in("posts.jsonl", b'{"post_id": "1060976163948904448"}')
    ['1060976163948904448']
    """
    return [post for post, _ in _posts_in(name, content)]


def _posts_in(name: str, content: bytes | memoryview) -> list[Post]:
    reader = _READERS.get(Path(name).suffix.lower(), _lines)
    return _read(reader, io.TextIOWrapper(io.BytesIO(content), "utf-8-sig", newline=""), name)


def _read(reader: Callable[[IO[str], str], list[Post]], file: IO[str], name: str) -> list[Post]:
    try:
        return reader(file, name)
    except UnicodeDecodeError as error:
        msg = f"{name} is not UTF-8 text; save it as such: {error}"
        raise InvalidPostId(msg) from error
    except (csv.Error, RecursionError) as error:
        msg = f"{name} holds no list of post IDs: {error}"
        raise InvalidPostId(msg) from error


def _lines(file: IO[str], _: str) -> list[Post]:
    texts = (line.strip("\ufeff \t\r\n\v\f") for line in file)
    return [(text, None) for text in texts if text and not text.startswith("#")]


def _table(file: IO[str], name: str) -> list[Post]:
    rows = csv.DictReader(file, delimiter="\t" if name.lower().endswith(".tsv") else ",")
    if "post_id" not in (rows.fieldnames or ()):
        msg = f"{name} has no post_id column, only {listed(rows.fieldnames or ())}; rename one"
        raise InvalidPostId(msg)
    return [((row["post_id"] or "").strip(), row.get("handle")) for row in rows]


def _json(file: IO[str], name: str) -> list[Post]:
    """Read one JSON value, however many lines it takes; or else one on each line."""
    text = file.read()
    try:
        return _posts_of(json.loads(text), name)
    except json.JSONDecodeError as error:
        if text.strip() and error.msg != "Extra data":  # as behind the first of many lines
            msg = f"{name} is no JSON: {error}"
            raise InvalidPostId(msg) from error
    return _json_lines(io.StringIO(text), name)


def _json_lines(file: IO[str], name: str) -> list[Post]:
    posts: list[Post] = []
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            msg = f"line {number} of {name} is no JSON: {error}"
            raise InvalidPostId(msg) from error
        posts += _posts_of(value, f"line {number} of {name}")
    return posts


def _posts_of(value: Any, where: str) -> list[Post]:
    """Return the posts in a value of JSON: an ID, an object that has one, a list of either."""
    posts: list[Post] = []
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict) and "post_id" not in one:
            msg = f"{where} has no post_id, only {listed(one)}"
            raise InvalidPostId(msg)
        named, handle = (
            (one["post_id"], one.get("handle")) if isinstance(one, dict) else (one, None)
        )
        posts += [(post, handle) for post in (named if isinstance(named, list) else [named])]
    return posts


_READERS: Final = {
    ".csv": _table,
    ".tsv": _table,
    ".json": _json,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
}
