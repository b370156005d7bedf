"""Tables in file systems that ``deltalake`` does not know, but ``fsspec`` or ``pyarrow`` does.

The log of such a table is copied to this machine, ``deltalake`` writes there, and what it wrote
is carried over: first the Parquet files, which nobody reads yet, then the one file of the log
that says that they count. It is put there under another name and moved, so that it is never
seen by half. That nobody else moves one of the same name is seen to with files of any name:

    A writer puts a claim into ``_writing`` and then lists that folder. Only where no other
    claim is in it does it look whether its version is taken, and if not, moves its file.

Of two writers that one lists later sees the other's claim, or else its version. This needs a
folder that lists what was put there before, and clocks that differ by less than five minutes:
the claim of a writer that died is void after ten.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlparse
from urllib.request import url2pathname
from uuid import uuid4

from engagement_pandas.errors import DatasetError

if TYPE_CHECKING:
    import pyarrow.fs
    from deltalake import DeltaTable

_LOG: Final = "_delta_log"
_WRITING: Final = "_writing"
_STAMP: Final = "%Y%m%dT%H%M%S"
_VOID: Final = timedelta(minutes=10)
_SOON: Final = 300.0
"""Seconds after which a writer no longer trusts its claim."""


@dataclass(frozen=True)
class Mirror:
    """A table in a file system.

    Parameters
    ----------
    files : fsspec AbstractFileSystem
        Whose paths begin in the folder of the table.
    """

    files: Any

    @property
    def arrow(self) -> pyarrow.fs.FileSystem:
        """The same for ``pyarrow``."""
        from pyarrow import fs  # noqa: PLC0415  heavy, and only files need it

        handler: Any = fs.FSSpecHandler
        return fs.PyFileSystem(handler(self.files))

    def pull(self, version: int | None = None) -> Path | None:
        """Copy the log into a new folder of this machine; None where there is none.

        Parameters
        ----------
        version : int, optional
            The earliest that the copy must tell of; by default the last.
        """
        names = self._names(_LOG)
        if not names:
            return None
        numbers = [_number(name) for name in names if name.endswith(".checkpoint.parquet")]
        base = max((n for n in numbers if version is None or n <= version), default=0)
        folder = self.new()
        try:
            for name in names:
                if _number(name) >= base:
                    self.files.get_file(f"{_LOG}/{name}", str(folder / _LOG / name))
        except BaseException:
            drop(folder)
            raise
        return folder

    @staticmethod
    def new() -> Path:
        """Make a folder of this machine for a table's log and for what is on its way."""
        folder = Path(tempfile.mkdtemp(prefix="engagement_pandas-"))
        (folder / _LOG).mkdir()
        return folder

    def publish(self, folder: Path, version: int) -> bool:
        """Carry a version over, all or nothing; False where that version is taken."""
        name = f"{version:020}.json"
        for path in added(folder, version):
            if (folder / path).exists():  # else it is there: an earlier version is gone back to
                self._make(os.path.dirname(path))  # noqa: PTH120
                self.files.put_file(str(folder / path), path)
        with self._claim() as claim:
            if claim is None or name in self._names(_LOG):
                return False
            if not self._move(folder / _LOG / name, claim):
                return False
        checkpoint = folder / _LOG / f"{version:020}.checkpoint.parquet"
        if checkpoint.exists():
            with suppress(Exception):  # the log can do without
                self._move(checkpoint)
        return True

    def bring(self, table: DeltaTable) -> None:
        """Fetch the files of days that have several, to put them together here.

        Raises
        ------
        FileNotFoundError
            Where they have been taken away meanwhile.
        """
        folder, days = here(table), dict[str, list[str]]()
        for path in sizes(table):
            days.setdefault(os.path.dirname(path), []).append(path)  # noqa: PTH120
        for path in (path for paths in days.values() if len(paths) > 1 for path in paths):
            (folder / path).parent.mkdir(exist_ok=True)
            self.files.get_file(path, str(folder / path))

    def show(self, table: DeltaTable) -> None:
        """Have an empty file stand here for each that the table does not name, of its age.

        Those of which the file system does not know the age are not shown, and so stay.
        """
        folder, named = here(table), set(sizes(table))
        self.files.invalidate_cache()
        for path in self.files.find(""):
            if path in named or path.startswith((_LOG, _WRITING)):
                continue
            with suppress(FileNotFoundError, NotImplementedError):  # another sweeps too
                changed = self.files.modified(path).timestamp()
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).touch()
                os.utime(folder / path, (changed, changed))

    def remove(self, paths: list[str]) -> None:
        """Take files away."""
        for path in paths:
            with suppress(FileNotFoundError):
                self.files.rm_file(path)

    def _make(self, folder: str) -> None:
        with suppress(Exception):  # a store of objects needs none; what is put there tells
            self.files.makedirs(folder, exist_ok=True)

    def _names(self, folder: str) -> list[str]:
        """Return versions or claims: what begins with a number."""
        self.files.invalidate_cache()
        try:
            paths = self.files.ls(folder, detail=False)
        except FileNotFoundError:
            return []
        names = (path.rsplit("/", 1)[-1] for path in paths)
        return sorted(name for name in names if name[:1].isdigit())

    def _move(self, file: Path, claim: float | None = None) -> bool:
        """Put a file into the log as a whole, unless it took longer than a claim holds."""
        unseen = f"{_WRITING}/{_stamped()}.part"
        self.files.put_file(str(file), unseen)
        if claim is not None and time.monotonic() - claim > _SOON:
            self.files.rm_file(unseen)
            return False
        self.files.mv(unseen, f"{_LOG}/{file.name}")
        return True

    @contextmanager
    def _claim(self) -> Iterator[float | None]:
        """Be the only writer; None where another is at it. It tells when that began."""
        self._make(_LOG)
        self._make(_WRITING)
        own = _stamped()
        begun = time.monotonic()
        try:
            self.files.pipe_file(f"{_WRITING}/{own}", own.encode())
            void = f"{datetime.now(UTC) - _VOID:{_STAMP}}"
            names = self._names(_WRITING)
            self.remove([f"{_WRITING}/{name}" for name in names if name < void])
            others = [n for n in names if n >= void and n != own and not n.endswith(".part")]
            yield None if others or own not in names else begun
        finally:
            with suppress(Exception):  # else it is void in ten minutes
                self.files.rm_file(f"{_WRITING}/{own}")


def mirror(filesystem: Any, home: str) -> Mirror:
    """Return the mirror of a table in an fsspec or a pyarrow file system.

    Raises
    ------
    DatasetError
        Where it is neither, or ``fsspec`` is not installed.
    """
    try:
        from fsspec import AbstractFileSystem  # noqa: PLC0415  an extra
        from fsspec.implementations.arrow import ArrowFSWrapper  # noqa: PLC0415
        from fsspec.implementations.dirfs import DirFileSystem  # noqa: PLC0415
    except ImportError as error:
        msg = (
            "a data set in another file system needs the package fsspec; install it with: "
            "pip install 'engagement_pandas[dataset]'"
        )
        raise DatasetError(msg) from error
    from pyarrow import fs  # noqa: PLC0415  heavy, and only files need it

    given = filesystem
    if isinstance(given, fs.PyFileSystem) and isinstance(given.handler, fs.FSSpecHandler):
        given = given.handler.fs
    if isinstance(given, fs.FileSystem):
        given = ArrowFSWrapper(given)
    if not isinstance(given, AbstractFileSystem):
        msg = (
            f"filesystem is a {type(filesystem).__name__}; give one of fsspec, such as "
            "fsspec.filesystem('sftp', host=…), or of pyarrow.fs"
        )
        raise DatasetError(msg)
    return Mirror(DirFileSystem(home or "/", given))


def here(table: DeltaTable) -> Path:
    """Return the folder of this machine in which a table is."""
    return Path(url2pathname(urlparse(table.table_uri).path))


def drop(folder: Path) -> None:
    """Take away the copy of a table."""
    shutil.rmtree(folder, ignore_errors=True)


def added(folder: Path, version: int) -> list[str]:
    """Return the paths of the files that a version adds, in the folder of the table."""
    log = folder / _LOG / f"{version:020}.json"
    actions = map(json.loads, log.read_text().splitlines())
    return [unquote(action["add"]["path"]) for action in actions if "add" in action]


def sizes(table: DeltaTable) -> dict[str, int]:
    """Return how many rows are in each file that counts, by its path in the table's folder."""
    import pyarrow as pa  # noqa: PLC0415  heavy, and only files need it

    known: list[dict[str, Any]] = pa.table(table.get_add_actions()).to_pylist()
    return {unquote(file["path"]): file["num_records"] for file in known}


def _number(name: str) -> int:
    return int(name.split(".", 1)[0])


def _stamped() -> str:
    return f"{datetime.now(UTC):{_STAMP}}-{uuid4().hex}"
