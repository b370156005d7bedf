"""A stored record: one line of JSON metadata, then the content; gzipped.

A body that arrived gzipped is stored as it came: a gzip file may have several members, and the
line is the first.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, cast

from engagement_pandas.errors import ArchiveError
from engagement_pandas.files.decompress import FileTooLarge, gunzip, read_bounded
from engagement_pandas.response.body_size import MAX_BODY_BYTES

LONGEST_LINE: Final = 2**20
"""Maximum bytes of the line above an answer; with 250 post IDs it takes about 6,000."""

LONGEST_MANIFEST: Final = 2**28
"""Maximum bytes of a stored request; each part of 25 posts in a window takes about 700."""

FORMAT: Final = 1
"""Version of the file format; increased when an older reader would misread a newer file."""

_SMALL: Final = 2**16
"""Compressed bytes that are unpacked at once, which takes a fraction of the time of a stream."""

CORRUPTION_ERRORS: Final = (
    gzip.BadGzipFile,
    EOFError,
    zlib.error,
    ValueError,
    KeyError,
    TypeError,
    RecursionError,
)
"""What decoding a damaged file may raise."""


_canonical: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def digest(value: Any) -> str:
    """Return the SHA-256 checksum of a JSON-serialisable value, in hexadecimal.

    >>> digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    True
    """
    return hashlib.sha256(_canonical(value).encode()).hexdigest()


_LEVEL: Final = 1
"""Compression of what did not arrive compressed: level 6 takes five times as long, for 0.6 of
the size."""


def encode_record(head: dict[str, Any], content: bytes, gzipped: bytes = b"") -> bytes:
    """Serialise a record: a line of JSON metadata with the checksum, then the content.

    ``gzipped`` is the content as a valid gzip stream, if there is one.
    """
    described = {**head, "sha256": hashlib.sha256(content).hexdigest()}
    line = json.dumps(described, ensure_ascii=True, separators=(",", ":")).encode()
    if len(line) >= LONGEST_MANIFEST:
        msg = f"a request of {len(line):,} bytes is too large to store; collect it in several parts"
        raise ArchiveError(msg)
    first = gzip.compress(line + b"\n", _LEVEL, mtime=0)
    return first + (gzipped or gzip.compress(content, _LEVEL, mtime=0))


def decode_record(file: Path, longest: int = LONGEST_LINE) -> tuple[dict[str, Any], bytes]:
    """Return the head, of at most ``longest`` bytes, and the content of a record.

    The content is limited like an answer from the network.
    """
    with _opened(file) as packed:
        stored = _unpacked(packed, longest + MAX_BODY_BYTES)
        head = _head(file, stored, longest)
        content = read_bounded(stored, MAX_BODY_BYTES)
    if hashlib.sha256(content).hexdigest() != head["sha256"]:
        msg = "checksum mismatch"
        raise ValueError(msg)
    return head, content


def load_head(file: Path) -> dict[str, Any]:
    """Return only the head of a record; errors as :func:`decode_record`."""
    with _opened(file) as packed:
        return _head(file, gzip.open(packed), LONGEST_LINE)


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    try:
        with file.open("rb") as packed:
            yield packed
    except (FileNotFoundError, gzip.BadGzipFile, ArchiveError):
        raise
    except OSError as error:
        msg = f"{file} cannot be read: {error}; fix that, or remove the file to request it again"
        raise ArchiveError(msg) from error


def _unpacked(packed: IO[bytes], limit: int) -> IO[bytes]:
    """Return a gzip file as its content; as a stream if that has more than ``limit`` bytes."""
    content = packed.read(_SMALL)
    if len(content) < _SMALL:
        with suppress(FileTooLarge):
            return io.BytesIO(gunzip(content, limit))
    packed.seek(0)
    return cast("IO[bytes]", gzip.open(packed))


def _head(file: Path, stored: Any, longest: int) -> dict[str, Any]:
    line = stored.readline(longest + 1)
    if len(line) > longest:
        msg = f"its first line has more than {longest:,} bytes"
        raise FileTooLarge(msg)
    head: dict[str, Any] = json.loads(line)
    known = head["format"]
    if type(known) is int and known > FORMAT:
        msg = (
            f"{file} has format {known}, and this version reads {FORMAT}; "
            "install a newer engagement_pandas"
        )
        raise ArchiveError(msg)
    if known != FORMAT:
        msg = f"unknown format {known!r}"
        raise ValueError(msg)
    return head
