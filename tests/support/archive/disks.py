"""A simulated disk that fails at any system call, and loses what was not flushed."""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal, Self

import pytest

Failing = Literal["raise", "cut", "full"]


NEEDS_NO_ROOM: Final = ("unlink", "rmdir", "open folder")


class Crash(BaseException):
    """A simulated crash; nothing must catch this."""


class File:
    """A file whose writes are separate steps; a failing write stores half of the data."""

    def __init__(self, disk: Disk, file: Any) -> None:
        self._disk, self._file = disk, file

    def write(self, content: bytes) -> int:
        data = bytes(content)
        try:
            self._disk.step("write")
        except BaseException:
            self._file.write(data[: len(data) // 2])
            self._file.flush()
            raise
        return int(self._file.write(data))

    def flush(self) -> None:
        self._file.flush()

    def fileno(self) -> int:
        return int(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class Disk:
    """Disk that counts the changes to a folder, and fails at one of these steps.

    Parameters
    ----------
    root : Path
        Folder of the archive; other paths are not affected.
    at : int
        Number of the failing step, from 1.
    failing : {"raise", "cut", "full"}
        An exception, after which everything works again; a power cut, after which nothing
        works, not even clean-up; or a full disk.
    """

    def __init__(self, root: Path, at: int, failing: Failing) -> None:
        self.steps = 0
        self.taken: list[str] = []
        self._root, self._at, self._failing = str(root), at, failing
        self._off = False
        self._written: set[int] = set()  # inodes with unflushed content
        self._entries: list[tuple[Path, Callable[[], None]]] = []  # folders, and how to undo

    @property
    def failed(self) -> bool:
        """Whether the failing step was reached."""
        return self.steps >= self._at

    def step(self, name: str) -> None:
        """Count a step, or fail."""
        if self._off:
            self._fail(name)
            return
        self.steps += 1
        self.taken.append(name)
        if self.steps == self._at:
            self._off = self._failing != "raise"
            self._fail(name)

    def _fail(self, name: str) -> None:
        if self._failing != "full":
            raise Crash(name)
        if name not in NEEDS_NO_ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def free(self) -> None:
        """Free space on the disk."""
        self._off = False

    def reboot(self, *, forgetful: bool) -> None:
        """Restart after a power cut.

        Unflushed data are lost: the content of files always, and with ``forgetful`` also
        changes in folders.
        """
        for path in Path(self._root).parent.rglob("*"):
            if path.is_file() and path.stat().st_ino in self._written:
                path.write_bytes(b"")
        if forgetful:
            for _, forget in reversed(self._entries):
                forget()

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Patch the file functions to go through this disk."""
        for module, name in (
            (io, "open"),
            *((os, name) for name in ("open", "fsync", "link", "mkdir", "unlink", "rmdir")),
            *((os, name) for name in ("rename", "replace")),
        ):
            original = getattr(module, name)
            patch.setattr(module, name, self._between(f"{module.__name__}.{name}", original))

    def _between(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        short = name.partition(".")[2]

        def call(path: Any, *args: Any, **options: Any) -> Any:
            inside = short == "fsync" or options.get("dir_fd") is not None or self._has(path)
            reading = name == "io.open" and (args[:1] or ("r",))[0] in ("r", "rb")
            if not inside or reading:
                return original(path, *args, **options)
            self.step("open folder" if name == "os.open" else short)
            special = getattr(self, f"_{short}", None)
            if special is None or original is _OS_OPEN:
                return original(path, *args, **options)
            return special(path, *args, original=original, **options)

        return call

    def _has(self, path: Any) -> bool:
        return isinstance(path, str | os.PathLike) and str(path).startswith(self._root)

    def _open(self, path: Any, *args: Any, original: Callable[..., Any], **options: Any) -> Any:
        fresh = not Path(path).exists()
        file = original(path, *args, **options)
        if args[0] != "rb+":
            self._written.add(os.fstat(file.fileno()).st_ino)
        if fresh:
            self._made(Path(path))
        return File(self, file)

    def _fsync(self, handle: int, *, original: Callable[..., Any]) -> None:
        original(handle)
        about = os.fstat(handle)
        self._written.discard(about.st_ino)
        self._entries = [
            entry
            for entry in self._entries
            if entry[0].exists() and entry[0].stat().st_ino != about.st_ino
        ]

    def _mkdir(self, path: Any, *args: Any, original: Callable[..., Any], **options: Any) -> None:
        original(path, *args, **options)
        self._made(Path(path))

    def _link(self, source: Any, path: Any, *, original: Callable[..., Any], **_: Any) -> None:
        original(source, path)
        self._made(Path(path))

    def _rename(self, source: Any, path: Any, *, original: Callable[..., Any]) -> None:
        old = Path(path).read_bytes() if Path(path).is_file() else None
        original(source, path)

        def forget() -> None:
            if Path(path).exists():
                original(path, source)
            if old is not None:
                Path(path).write_bytes(old)

        self._entries.append((Path(path).parent, forget))

    _replace = _rename

    def _made(self, path: Path) -> None:
        def forget() -> None:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

        self._entries.append((path.parent, forget))


_OS_OPEN: Final = os.open
