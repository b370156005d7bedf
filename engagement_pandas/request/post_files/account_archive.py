"""The files with posts in the ZIP of an account's archive."""

from __future__ import annotations

import re
import zipfile
import zlib
from typing import IO, Any, Final

from engagement_pandas.errors import InvalidPostId
from engagement_pandas.files import FileTooLarge, read_bounded

_ZIP: Final = b"PK\x03\x04"
_MEMBER: Final = re.compile(r"(?:.*/)?data/(?:tweets|tweet)(?:-part[0-9]+)?\.js")


def archived_posts(name: str, file: IO[Any], limit: int) -> list[tuple[str, bytes]]:
    """Return name and content of each file with posts; nothing if the file is no such ZIP.

    The file is seekable; its other files, such as videos, are not read. ``limit`` is the maximum
    size in bytes of each file with posts.
    """
    start = file.read(len(_ZIP))
    file.seek(0)
    if start != _ZIP:
        return []
    try:
        with zipfile.ZipFile(file) as archive:
            names = sorted(filter(_MEMBER.fullmatch, archive.namelist()))
            found = []
            for member in names:
                with archive.open(member) as posts:
                    found.append((f"{member} in {name}", read_bounded(posts, limit)))
    except FileTooLarge as error:
        msg = f"{name} holds {error}; unpack it, and split its files"
        raise InvalidPostId(msg) from error
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError) as error:
        msg = f"{name} cannot be unpacked: {error}"
        raise InvalidPostId(msg) from error
    file.seek(0)
    return found
