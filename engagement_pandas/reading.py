"""Files read within bounds, for a few compressed bytes may unpack to gigabytes; and as text."""

from __future__ import annotations

import codecs
import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Mapping
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
_HEAD: Final = 2**16
_MARKS: Final[Mapping[bytes, str]] = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_ASCII: Final = re.compile(r"[\t\n\r -~]{4,}|\A[\t\n\r -~]+\Z")


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


class NotOneFile(ValueError):
    """A zip archive does not hold the one file that is meant."""


def in_zip(file: IO[bytes]) -> IO[bytes]:
    """Return the only file in a zip archive, but for what macOS puts beside it."""
    archive = zipfile.ZipFile(file)
    names = [name for name in archive.namelist() if not name.startswith("__MACOSX")]
    if "[Content_Types].xml" in names:
        msg = "is a workbook; save it as CSV (UTF-8), with the IDs as text"
        raise NotOneFile(msg)
    members = [name for name in names if not name.endswith("/")]
    if len(members) != 1:
        msg = f"holds {len(members)} files; unpack it, and name one"
        raise NotOneFile(msg)
    return archive.open(members[0])


def codec_of(content: bytes) -> str:
    """Return how a text is encoded: as its byte order mark says, or UTF-16 without one, or UTF-8.

    UTF-16 is known by words or numbers in ASCII, such as headings and IDs, whatever else there
    is: in UTF-8 no zero bytes stand between their letters. Read the wrong way round, few
    characters are ASCII, though these may be many, as those of U+4E00.

    Examples
    --------
    >>> codec_of("post_id".encode("utf-16-be")), codec_of(b"post_id")
    ('utf-16-be', 'utf-8')
    """
    for mark, codec in _MARKS.items():
        if content.startswith(mark):
            return codec
    head = content[:_HEAD]
    letters = {"utf-8": 0}
    for codec in ("utf-16-le", "utf-16-be") if b"\0" in head else ():
        letters[codec] = len(set("".join(_ASCII.findall(head.decode(codec, "ignore")))))
    return max(letters, key=lambda codec: letters[codec])
