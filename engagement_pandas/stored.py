"""A stored file: a line of JSON that tells of the content, and the content; gzipped."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from pathlib import Path
from typing import Any, Final

from engagement_pandas.errors import ArchiveError

FORMAT: Final = 1
"""Of the files; rises when an older reader would misread a newer file."""

BROKEN: Final = (
    gzip.BadGzipFile,
    EOFError,
    zlib.error,
    ValueError,
    KeyError,
    TypeError,
    RecursionError,
)
"""What a damaged file raises on its way to being a question or an answer."""


def digest(value: Any) -> str:
    """Return the fingerprint of something that can be told in JSON, in hexadecimal.

    Examples
    --------
    >>> digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def packed(head: dict[str, Any], content: bytes) -> bytes:
    """Return a file: a line of JSON that tells of the content, and its checksum; the content."""
    told = {**head, "sha256": hashlib.sha256(content).hexdigest()}
    line = json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode()
    return gzip.compress(line + b"\n" + content, compresslevel=6, mtime=0)


def load(file: Path) -> tuple[dict[str, Any], bytes]:
    """Return the head and the content of a file.

    Raises
    ------
    FileNotFoundError
        Where it is not there.
    ArchiveError
        Where it cannot be read here and now, but may well be whole.
    ValueError
        And others of what a damaged file raises.
    """
    try:
        stored = file.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        msg = f"{file} cannot be read: {error}; see to it, or remove it to ask again"
        raise ArchiveError(msg) from error
    line, _, content = gzip.decompress(stored).partition(b"\n")
    head: dict[str, Any] = json.loads(line)
    known = head["format"]
    if type(known) is int and known > FORMAT:
        msg = (
            f"{file} has format {known}, and this version reads {FORMAT}; "
            "install a newer engagement_pandas"
        )
        raise ArchiveError(msg)
    if known != FORMAT:
        msg = f"its format {known!r} never was"
        raise ValueError(msg)
    if hashlib.sha256(content).hexdigest() != head["sha256"]:
        msg = "its checksum does not fit"
        raise ValueError(msg)
    return head, content
