"""Archives on the command line, for storing and reading responses."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from engagement_pandas.cli.streams import print_message
from engagement_pandas.errors import ArchiveError

if TYPE_CHECKING:
    from engagement_pandas.response.archives.archive import Archive
    from engagement_pandas.response.archives.collection import Collection


@contextmanager
def open_or_temporary_archive(
    folder: str | None, endpoint: str, again: Callable[[Path], str]
) -> Iterator[Archive]:
    """Yield the archive in a folder, or a temporary one that is kept only after a failure.

    The temporary archive is in the working directory or, if that is not writable, in the
    system's temporary folder. ``again`` returns the command that resumes with a folder.
    """
    from engagement_pandas.response.archives.archive import Archive  # noqa: PLC0415 - not for --help

    if folder is not None:
        with resumed_by(again(Path(folder)), folder):
            yield Archive(folder)
        return
    now = datetime.now(UTC)
    here = Path(f"engagement-pandas-{endpoint}-{now:%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}")
    elsewhere = Path(tempfile.gettempdir(), here.name)
    kept, archive = False, None
    try:
        try:
            archive = Archive(_made(here, elsewhere))
            yield archive
        except BrokenPipeError:  # the reader of the counts has closed the pipe; nothing is lost
            raise
        except BaseException as error:
            kept = archive is not None  # set first, in case a signal arrives during the next line
            if archive is None or not (kept := _any_answer(archive)):
                raise
            # A signal at the end arrives as GeneratorExit.
            report = print_message if isinstance(error, GeneratorExit) else error.add_note
            report(_resumption(archive.folder, again(archive.folder)))
            raise
        finally:
            if not kept:
                _removed(here, elsewhere)
    except KeyboardInterrupt:  # at most one, perhaps while the folder was being removed
        if not kept:
            _removed(here, elsewhere)
        raise


@contextmanager
def resumed_by(command: str, folder: str) -> Iterator[None]:
    """Add the command for resuming to an interruption by a signal."""
    try:
        yield
    except KeyboardInterrupt as error:
        error.add_note(_resumption(folder, command))
        raise


def _resumption(folder: str | Path, command: str) -> str:
    return f"the responses so far are kept in {folder}; resume with:\n  {command}"


def opened(folder: str) -> tuple[Collection, ...]:
    """Return the collections in a folder, which is an archive or a single collection."""
    from engagement_pandas.response.archives.answer_files import MANIFEST  # noqa: PLC0415
    from engagement_pandas.response.archives.archive import Archive  # noqa: PLC0415 - not for --help
    from engagement_pandas.response.archives.collection import Collection  # noqa: PLC0415

    path = Path(folder)
    found = (Collection(path),) if (path / MANIFEST).exists() else Archive(path).collections
    if not found:
        msg = f"{folder} has no responses; name a folder that was filled with --archive"
        raise ArchiveError(msg)
    return found


def _made(here: Path, elsewhere: Path) -> Path:
    """Create a folder at the first path, or else at the second."""
    try:
        here.mkdir()
    except OSError:
        elsewhere.mkdir(0o700)
        return elsewhere
    return here


def _removed(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _any_answer(archive: Archive) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about unfinished collections
        try:
            return any(response.status for response in archive)
        except ArchiveError:
            return True
