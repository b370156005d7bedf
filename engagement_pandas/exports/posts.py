"""Files of posts as frames."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import IO, Any, Final

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame import TEXT
from engagement_pandas.id_files import Missing, Record, handles_in, read_records

_MOMENTS: Final = "datetime64[us, UTC]"
_FORMATS: Final = ("%a %b %d %H:%M:%S %z %Y", "%Y-%m-%d %H:%M %z")
_UNITS: Final = (1, 1_000, 1_000_000, 1_000_000_000)
_EPOCH: Final = re.compile(r"[0-9]{10,19}")
_LATEST_SECOND: Final = 10**11


def read_posts(
    path_or_buffer: str | os.PathLike[str] | IO[Any], *, missing: Missing = "refuse"
) -> pd.DataFrame:
    r"""Read the posts in a file, as the command line and :func:`connect` do.

    A table (commas, semicolons, tabs or bars between; a heading such as ``post_id``,
    ``Tweet id``, ``id_str`` or ``Post Link``), JSON (lists, lines, ``tweets.js``, twarc,
    ``to_json()``), or a list of IDs and links. UTF-8, UTF-16 or Windows-1252; it may be packed
    with gzip, bz2, xz, zip or zstd.

    Parameters
    ----------
    path_or_buffer : str, path or open file
        ``"-"`` is standard input.
    missing : {"refuse", "skip"}
        Rows that have no post ID are an error, or left out with a warning.

    Returns
    -------
    DataFrame
        A row for each post, as it stands first: ``post_id`` (``str``) and, where the file
        has any, ``handle`` (``str``), ``text`` (``str``) and ``created_at``
        (``datetime64[us, UTC]``; a time without a zone is UTC).

    Raises
    ------
    InvalidPostId
        Naming file and line, value and cure: no ID or one that has lost digits, a quotation
        mark that is not closed, a row of another length than the heading.
    RequestError
        Where a handle is none, or a post has two.
    FrameError
        Where ``created_at`` is not a time.
    OSError
        Where the file cannot be opened.

    Examples
    --------
    >>> import io
    >>> read_posts(io.StringIO("Tweet id;text\n1060976163948904448;hello\n"))
                   post_id   text
    0  1060976163948904448  hello
    """
    return frame_of(read_records(path_or_buffer, missing=missing))


def frame_of(records: Sequence[Record]) -> pd.DataFrame:
    """Return posts that were read as a frame, each once."""
    handles_in(records)
    first: dict[str, Record] = {}
    for record in records:
        first.setdefault(record.post_id, record)
    columns = {"post_id": pd.Series(list(first), dtype=TEXT)}
    for name in ("handle", "text"):
        values = [getattr(record, name) for record in first.values()]
        if any(value is not None for value in values):
            columns[name] = pd.Series(values, dtype=TEXT)
    moments = [_moment(record) for record in first.values()]
    if any(moment is not None for moment in moments):
        columns["created_at"] = pd.Series(moments, dtype=_MOMENTS)
    return pd.DataFrame(columns)


def _moment(record: Record) -> datetime | None:
    if record.created_at is None:
        return None
    text = record.created_at.strip()
    if _EPOCH.fullmatch(text):  # of to_json(): seconds, or a thousandth of them, and so on
        unit = next((u for u in _UNITS if int(text) < _LATEST_SECOND * u), _UNITS[-1])
        return datetime.fromtimestamp(int(text) / unit, UTC)
    for read in (datetime.fromisoformat, *(_reader(form) for form in _FORMATS)):
        try:
            moment = read(text)
        except ValueError:
            continue
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    msg = f"{record.where}: created_at is {text!r}, not a time; write 2026-03-01T09:30:00Z"
    raise FrameError(msg)


def _reader(form: str) -> Callable[[str], datetime]:
    return lambda text: datetime.strptime(text, form)  # noqa: DTZ007 - the form has the zone
