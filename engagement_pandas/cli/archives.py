"""Archives on the command line: where answers go, and where they are read from."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from engagement_pandas.cli.terminal import say
from engagement_pandas.errors import ArchiveError

if TYPE_CHECKING:
    from engagement_pandas.archive import Archive
    from engagement_pandas.collection import Collection


@contextmanager
def lent(folder: str | None, endpoint: str) -> Iterator[Archive]:
    """Lend the archive in a folder; without one, one that stays only where something fails.

    That is here, or among the temporary folders where nothing can be made here.

    Raises
    ------
    ArchiveError
        Where the folder is a file.
    """
    from engagement_pandas.archive import Archive  # noqa: PLC0415 - not for --help

    if folder is not None:
        yield Archive(folder)
        return
    archive = Archive(_made(f"engagement-pandas-{endpoint}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-"))
    try:
        yield archive
    except BrokenPipeError:  # whoever reads the counts has had enough; nothing is lost
        shutil.rmtree(archive.folder, ignore_errors=True)
        raise
    except BaseException:
        if _any_answer(archive):
            say(
                f"what was answered is kept in {archive.folder}; the same command goes on with "
                f"--archive {archive.folder}"
            )
        else:
            shutil.rmtree(archive.folder, ignore_errors=True)
        raise
    shutil.rmtree(archive.folder, ignore_errors=True)


def opened(folder: str) -> tuple[Collection, ...]:
    """Return the collections in a folder that is an archive, or is one of its collections.

    Raises
    ------
    ArchiveError
        Where it is neither.
    """
    from engagement_pandas.archive import Archive  # noqa: PLC0415 - not for --help
    from engagement_pandas.collection import Collection  # noqa: PLC0415
    from engagement_pandas.records import QUESTION  # noqa: PLC0415

    path = Path(folder)
    found = (Collection(path),) if (path / QUESTION).exists() else Archive(path).collections
    if not found:
        msg = f"{folder} holds no answers; name a folder that --archive has filled"
        raise ArchiveError(msg)
    return found


def _made(name: str) -> Path:
    """Make a folder, whose name begins like that."""
    here = Path(f"{name}{uuid4().hex[:8]}")
    try:
        here.mkdir()
    except OSError:
        return Path(tempfile.mkdtemp(prefix=name))
    return here


def _any_answer(archive: Archive) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is not finished: that is why we look
        try:
            return any(response.status for response in archive)
        except ArchiveError:
            return True
