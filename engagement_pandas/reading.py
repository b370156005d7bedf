"""Files read within bounds: a few compressed bytes may unpack to gigabytes."""

from __future__ import annotations

import gzip
import lzma
import zipfile
import zlib
from typing import IO, AnyStr, Final

UNPACK_ERRORS: Final = (
    gzip.BadGzipFile,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
)
"""What gzip, lzma and zip raise on damaged files; bz2 raises OSError and ValueError."""


_PIECE: Final = 2**18


class FileTooLarge(ValueError):
    """A file holds more bytes, unpacked, than it may."""


def read_bounded(file: IO[AnyStr], limit: int) -> AnyStr:
    """Return what is left of a file, which may be one that unpacks as it is read.

    Parameters
    ----------
    file : file
        Of text, or binary: plain, or of gzip, bz2, lzma or a member of a zip archive. No more
        than ``limit`` bytes and a buffer are ever unpacked.
    limit : int
        Bytes, or characters.

    Examples
    --------
    >>> import io
    >>> read_bounded(io.BytesIO(b"12345"), 5)
    b'12345'
    >>> read_bounded(io.BytesIO(b"123456"), 5)
    Traceback (most recent call last):
        ...
    engagement_pandas.reading.FileTooLarge: more than 5 bytes
    """
    piece = file.read(_PIECE)
    pieces, length = [piece], len(piece)
    while piece:  # to read them all in one call takes room for the limit
        if length > limit:
            msg = f"more than {limit:,} bytes"
            raise FileTooLarge(msg)
        piece = file.read(_PIECE)
        pieces.append(piece)
        length += len(piece)
    return piece.join(pieces)  # the last piece is empty
