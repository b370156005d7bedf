"""Files read within bounds: a few compressed bytes may unpack to gigabytes."""

from __future__ import annotations

import gzip
import lzma
import zipfile
import zlib
from typing import IO, Final

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


def read_bounded(file: IO[bytes], limit: int) -> bytes:
    """Return what is left of a file, which may be one that unpacks as it is read.

    Parameters
    ----------
    file : binary file
        Plain, or of gzip, bz2, lzma or a member of a zip archive: no more than ``limit``
        bytes and a buffer are ever unpacked.
    limit : int
        Bytes.

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
    pieces, length = [], 0
    while piece := file.read(_PIECE):  # to read them all in one call takes room for the limit
        length += len(piece)
        if length > limit:
            msg = f"more than {limit:,} bytes"
            raise FileTooLarge(msg)
        pieces.append(piece)
    return b"".join(pieces)
