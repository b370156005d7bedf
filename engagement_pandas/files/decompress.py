"""Reads that are bounded, and compressed files."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import IO, Any, AnyStr, Final

_PIECE: Final = 2**18
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_OF_WORKBOOKS: Final = "[Content_Types].xml"


class FileTooLarge(ValueError):
    """A file, decompressed, exceeds its size limit."""


def read_bounded(file: IO[AnyStr], limit: int) -> AnyStr:
    """Return the rest of a file, which may be decompressed as it is read.

    The file is text or binary: plain, or of gzip, bz2, lzma or a member of a zip archive. The limit
    is in bytes, or in characters. At most that many bytes and a buffer are decompressed.

    >>> import io
    >>> read_bounded(io.BytesIO(b"12345"), 5)
    b'12345'
    >>> read_bounded(io.BytesIO(b"123456"), 5)
    Traceback (most recent call last):
        ...
    engagement_pandas.files.decompress.FileTooLarge: more than 5 bytes
    """
    piece = file.read(_PIECE)
    pieces, length = [piece], len(piece)
    while piece:  # a single call would allocate memory for the limit
        if length > limit:
            msg = f"more than {limit:,} bytes"
            raise FileTooLarge(msg)
        piece = file.read(_PIECE)
        pieces.append(piece)
        length += len(piece)
    return piece.join(pieces)  # the last piece is empty


def gunzip(content: bytes, limit: int) -> bytes:
    """Return the content of a gzip file of one or more members, at most ``limit`` bytes.

    Like ``gzip.decompress``, it raises ``gzip.BadGzipFile``, ``EOFError`` or ``zlib.error`` if
    the file is damaged.

    >>> gunzip(gzip.compress(b"12") + gzip.compress(b"345"), 5)
    b'12345'
    >>> gunzip(gzip.compress(b"12") + gzip.compress(b"345"), 4)
    Traceback (most recent call last):
        ...
    engagement_pandas.files.decompress.FileTooLarge: more than 4 bytes
    """
    if not content.startswith(_GZIP):
        msg = f"not a gzip file: it begins with {content[:2]!r}"
        raise gzip.BadGzipFile(msg)
    return _all_streams(_gzip_stream, content, limit)


def _gzip_stream() -> Any:
    return zlib.decompressobj(zlib.MAX_WBITS + 16)  # with a header and a checksum


def _all_streams(start: Callable[[], Any], content: bytes, limit: int) -> bytes:
    """Decompress every stream of a file.

    The files of ``bz2`` and ``lzma`` ignore what follows the first stream if it is damaged.
    """
    pieces: list[bytes] = []
    left = limit
    while content:
        stream = start()
        pieces.append(stream.decompress(content, left + 1))
        left -= len(pieces[-1])
        if left < 0:
            msg = f"more than {limit:,} bytes"
            raise FileTooLarge(msg)
        if not stream.eof:
            msg = "the compressed file ends before its end marker"
            raise EOFError(msg)
        content = stream.unused_data.lstrip(b"\0")  # zeros may follow a stream
    return b"".join(pieces)


class NotDecompressed(ValueError):
    """A compressed file is damaged, or is a zip archive that does not have exactly one file."""


def decompressed(content: bytes, limit: int) -> bytes:
    """Return the content of a compressed file, at most ``limit`` bytes.

    The first bytes decide, since a browser or a shell may have renamed the file. Other content is
    returned unchanged.

    >>> decompressed(gzip.compress(b"post_id"), 7), decompressed(b"post_id", 7)
    (b'post_id', b'post_id')
    """
    for mark, decompress in _DECOMPRESSORS.items():
        if content.startswith(mark):
            try:
                return decompress(content, limit)
            except (FileTooLarge, NotDecompressed):
                raise
            except _DECOMPRESSION_ERRORS as error:
                msg = f"is damaged and cannot be decompressed: {error}"
                raise NotDecompressed(msg) from error
    return content


def workbook_size(content: bytes) -> int | None:
    """Return the unpacked size of a workbook in bytes; None if the content is not one.

    >>> workbook_size(b"post_id") is None
    True
    """
    if not content.startswith(_ZIP):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            is_workbook = _OF_WORKBOOKS in archive.namelist()
            return sum(info.file_size for info in archive.infolist()) if is_workbook else None
    except zipfile.BadZipFile:
        return None


def _unzip(content: bytes, limit: int) -> bytes:
    """Return the only file in a zip archive, ignoring those that macOS adds."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    names = [name for name in archive.namelist() if not name.startswith("__MACOSX")]
    if _OF_WORKBOOKS in names:
        msg = "is a workbook; save it as CSV (UTF-8), with the IDs as text"
        raise NotDecompressed(msg)
    members = [name for name in names if not name.endswith("/")]
    if len(members) != 1:
        msg = f"has {len(members)} files; unpack it, and name one"
        raise NotDecompressed(msg)
    with archive.open(members[0]) as file:
        return read_bounded(file, limit)


def _unzstd(content: bytes, limit: int) -> bytes:
    pyarrow = importlib.import_module("pyarrow")  # slow to import, and few files need it
    with pyarrow.CompressedInputStream(pyarrow.BufferReader(content), "zstd") as file:
        return bytes(read_bounded(file, limit))


_DECOMPRESSORS: Final[Mapping[bytes, Callable[[bytes, int], bytes]]] = {
    _GZIP: gunzip,
    b"BZh": partial(_all_streams, bz2.BZ2Decompressor),
    b"\xfd7zXZ\x00": partial(_all_streams, lzma.LZMADecompressor),
    _ZIP: _unzip,
    b"\x28\xb5\x2f\xfd": _unzstd,
}
"""Functions that decompress a file, by first bytes."""

_DECOMPRESSION_ERRORS: Final = (
    *(lzma.LZMAError, zipfile.BadZipFile, zlib.error, EOFError),
    *(OSError, ValueError, RuntimeError, MemoryError),  # of bz2, encrypted zips and zstd
)
