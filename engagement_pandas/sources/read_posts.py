"""Reading of files of posts into frames."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import IO, Any, Final

import pandas as pd

from engagement_pandas.errors import FrameError, InvalidPostId
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.request.post_files import (
    Missing,
    PostEntry,
    handles_in,
    read_contents,
    records_in,
)
from engagement_pandas.sources.read_x_analytics import exported_posts
from engagement_pandas.sources.sheet import sheet_of
from engagement_pandas.sources.x_dates import MINUTE, SECOND, parse_date
from engagement_pandas.text import pluralize, truncated_repr, warn

_MOMENTS: Final = "datetime64[us, UTC]"
_UNITS: Final = (1, 1_000, 1_000_000, 1_000_000_000)
_EPOCH: Final = re.compile(r"[0-9]{10,19}")
_LATEST_SECOND: Final = 10**11
_YEARS: Final = range(2006, 2100)
"""Years in which posts can exist; a spreadsheet's day number may parse as another year."""
_FEW: Final = 3


def read_posts(
    path_or_buffer: str | os.PathLike[str] | IO[Any], *, missing: Missing = "refuse"
) -> pd.DataFrame:
    r"""Read the posts in a file, as the command line and :func:`connect` do.

    A table (separated by commas, semicolons, tabs or bars; with a heading such as ``post_id``,
    ``Tweet id``, ``id_str`` or ``Post Link``), JSON (lists, lines, pages of X API v2, twarc,
    ``tweets.js``, ``to_json()``), the ZIP of an account's archive, an export of X Analytics, or
    a list of IDs and links. UTF-8, UTF-16 or Windows-1252; optionally compressed with gzip, bz2,
    xz, zip or zstd.

    Parameters
    ----------
    path_or_buffer : str, path or open file
        ``"-"`` is standard input.
    missing : {"refuse", "skip"}
        Whether rows without a post ID are an error, or skipped with a warning.

    Returns
    -------
    DataFrame
        One row per post, from its first occurrence: ``post_id`` (``str``) and, if the file
        has them, ``handle`` (``str``), ``text`` (``str``) and ``created_at``
        (``datetime64[us, UTC]``; a time without a zone is UTC). A ``created_at`` that cannot
        be parsed, such as a spreadsheet's, is ``NaT``; :func:`created_at` reads the time in
        the ID. ``kind`` (``str``: *post*, *reply*, *quote* or *repost*; a reply that quotes is
        a reply) where the file states it, as a key for ``by="kind"``; see the notes.

    Raises
    ------
    InvalidPostId
        With file and line, value and remedy: no ID or one that has lost digits, an unclosed
        quotation mark, a row that differs in length from the heading.
    RequestError
        If a handle is not valid, or a post has two.
    OSError
        If the file cannot be opened.

    Warns
    -----
    UserWarning
        If a ``created_at`` cannot be parsed, with file, line and value.

    Notes
    -----
    The kind is that of ``referenced_tweets`` (API v2, twarc); if no post of a file has them, they
    may not have been requested: replies and reposts are then known by their texts, which begin
    with ``@`` and ``RT @``, and other kinds are missing. API v1.1 and archives state the kind of
    every post; in archives, a quote is a post whose last link is to a post. An export of X
    Analytics has replies, whose texts begin with ``@``, and calls quotes posts.

    ``engagement-pandas import --posts`` writes an apostrophe before texts that a spreadsheet would
    run as a formula. It is removed from tables with the columns of this frame.

    Examples
    --------
    >>> import io
    >>> read_posts(io.StringIO("Tweet id;text\n1060976163948904448;hello\n"))
                   post_id   text
    0  1060976163948904448  hello
    """
    records: list[PostEntry] = []
    for name, content in read_contents(path_or_buffer):
        posts = _exported(name, content)
        if posts is not None:
            return posts
        records += records_in(name, content, missing=missing)
    return frame_of(records)


def _exported(name: str, content: Any) -> pd.DataFrame | None:
    """Return the posts of an export of X Analytics; None for another file."""
    try:
        return exported_posts(sheet_of(name, content))
    except (FrameError, InvalidPostId):
        return None


def frame_of(records: Sequence[PostEntry]) -> pd.DataFrame:
    """Return the posts as a frame, without duplicates."""
    handles_in(records)
    first: dict[str, PostEntry] = {}
    for record in records:
        first.setdefault(record.post_id, record)
    columns = {"post_id": pd.Series(list(first), dtype=TEXT)}
    for name in ("handle", "text"):
        values = [getattr(record, name) for record in first.values()]
        if any(value is not None for value in values):
            columns[name] = pd.Series(values, dtype=TEXT)
    timed = {p: record for p, record in first.items() if record.created_at is not None}
    moments = {post: _moment(str(record.created_at).strip()) for post, record in timed.items()}
    if timed:
        columns["created_at"] = pd.Series([moments.get(post) for post in first], dtype=_MOMENTS)
    if any(record.kind is not None for record in first.values()):
        columns["kind"] = pd.Series([record.kind for record in first.values()], dtype=TEXT)
    if bad := [record for post, record in timed.items() if moments[post] is None]:
        some = "; ".join(
            f"{record.where}: {truncated_repr(record.created_at)}" for record in bad[:_FEW]
        )
        msg = (
            f"created_at of {pluralize(len(bad), 'post')} ignored, since it is not the time of a "
            f"post: {some}{'; …' if len(bad) > _FEW else ''}; write 2026-03-01T09:30:00Z, or use "
            "created_at(post_id), the time in the ID"
        )
        warn(msg)
    return pd.DataFrame(columns)


def _moment(text: str) -> datetime | None:
    """Return a time at which posts can exist; None if the text is not one."""
    for read in (_counted, datetime.fromisoformat, _named):
        try:
            moment = read(text)
        except ValueError:
            continue
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC) if moment.year in _YEARS else None
    return None


def _counted(text: str) -> datetime:
    """Parse a time of ``to_json()``: a number since 1970 in s, ms, µs or ns."""
    if not _EPOCH.fullmatch(text):
        raise ValueError
    unit = next((u for u in _UNITS if int(text) < _LATEST_SECOND * u), _UNITS[-1])
    return datetime.fromtimestamp(int(text) / unit, UTC)


def _named(text: str) -> datetime:
    moment = parse_date(text, (SECOND, MINUTE))
    if moment is None:
        raise ValueError
    return moment
