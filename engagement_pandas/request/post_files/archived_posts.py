"""The files with posts in the ZIP of an account's archive."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any, Final

from engagement_pandas.errors import InvalidPostId
from engagement_pandas.files.decompress import FileTooLarge, read_bounded

_ZIP: Final = b"PK\x03\x04"
_MEMBER: Final = re.compile(r"(?:.*/)?data/(?:tweets|tweet)(?:-part[0-9]+)?\.js")
_PARTS: Final = 4


def archived_posts(name: str, file: IO[Any], limit: int) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file with posts; nothing if the file is not such a ZIP.

    The file is seekable; its other files, such as videos, are not read. ``limit`` is the maximum
    size in bytes of each file with posts; together they may have four times as much.
    """
    start = file.read(len(_ZIP))
    file.seek(0)
    if start != _ZIP:
        return
    left = _PARTS * limit
    try:
        with zipfile.ZipFile(file) as archive:
            for member in sorted(filter(_MEMBER.fullmatch, archive.namelist())):
                with archive.open(member) as posts:
                    content = read_bounded(posts, min(limit, left))
                left -= len(content)
                yield f"{member} in {name}", content
    except FileTooLarge as error:
        msg = f"{name} holds {error}; unpack it, and split its files"
        raise InvalidPostId(msg) from error
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError) as error:
        msg = f"{name} cannot be unpacked: {error}"
        raise InvalidPostId(msg) from error
