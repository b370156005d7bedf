"""An append-only file of lines that survives crashes and concurrent processes."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Final

import msgspec

from engagement_pandas.errors import LedgerError
from engagement_pandas.files.atomic_write import mkdir_durable, write_once
from engagement_pandas.files.lock import file_lock
from engagement_pandas.files.settings import OWNER_FOLDER

VERSION: Final = 1
_OPENING: Final = msgspec.json.encode({"ledger": "engagement_pandas", "version": VERSION}) + b"\n"


class _Opening(msgspec.Struct):
    ledger: str
    version: int


@dataclass(frozen=True, slots=True)
class JsonLinesFile:
    r"""The lines of a ledger on disk, below a first line with the version.

    The file is created, with its folder, with the first line.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     journal = JsonLinesFile(Path(folder, "ledger.jsonl"))
    ...     with journal.writing():
    ...         journal.append(b"[1]\n")
    ...     list(journal.lines())
    [(2, b'[1]')]
    """

    path: Path

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the lines and their numbers in the file; an incomplete last line is ignored."""
        content = self._read()
        if not content:
            return
        opening, *lines = _complete_lines(content).split(b"\n")
        try:
            version = msgspec.json.decode(opening, type=_Opening).version
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise self.damaged(1) from None
        if version != VERSION:
            msg = (
                f"the ledger {self.path} has version {version}, and this package reads version "
                f"{VERSION}; update engagement_pandas"
            )
            raise LedgerError(msg)
        yield from enumerate(lines[:-1], 2)

    def damaged(self, number: int) -> LedgerError:
        """Return the error for a line that is not valid."""
        msg = (
            f"line {number} of {self.path} is not an entry of a ledger; correct or delete "
            "the line, or name another file"
        )
        return LedgerError(msg)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock that keeps other processes from writing."""
        try:
            mkdir_durable(self.path.parent, OWNER_FOLDER)  # it may hold the accounts file too
            with file_lock(self.path):
                yield
        except LedgerError:
            raise
        except OSError as error:
            msg = (
                f"the ledger {self.path} cannot be written: {error}; free some disk space, or name "
                "another file (X_LEDGER)"
            )
            raise LedgerError(msg) from error

    def append(self, line: bytes) -> None:
        """Append a line and fsync it; call it within :meth:`writing`."""
        write_once(self.path, _OPENING)
        with self.path.open("rb+", buffering=0) as file:
            # Drop a line that a crash left incomplete; nothing relied on it.
            end = len(_complete_lines(file.read()))
            file.seek(end)
            file.truncate()
            try:
                _put(file, line if end else _OPENING + line)
            except OSError:
                with suppress(OSError):
                    file.truncate(end)  # otherwise the next reader takes it for written
                raise

    def _read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            msg = f"the ledger {self.path} cannot be read: {error}; name another file (X_LEDGER)"
            raise LedgerError(msg) from error


def _put(file: FileIO, content: bytes) -> None:
    if file.write(content) != len(content):  # a full disk accepts only a part
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(file.fileno())


def _complete_lines(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]
