"""Files: atomic writes, locks between processes, bounded reads, the settings folder."""

from __future__ import annotations

import bz2
import codecs
import errno
import gzip
import importlib
import io
import lzma
import os
import re
import shutil
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from glob import escape
from io import FileIO
from pathlib import Path
from threading import get_ident
from typing import IO, Any, AnyStr, Final
from uuid import uuid4
from weakref import WeakSet

OWNER_FOLDER: Final = 0o700
"""Mode of a settings folder: accessible only to its owner."""
OLD: Final = 3600.0
"""Age in seconds from which a temporary file is assumed to be left by a killed process."""


def stale_temp_files(path: Path) -> Iterator[Path]:
    """Yield the temporary files of a path, including those of killed processes.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, atomic_write(Path(folder, "a")) as path:
    ...     path.write_bytes(b"new")
    ...     list(stale_temp_files(Path(folder, "a"))) == [path]
    3
    True
    """
    return path.parent.glob(f".{'[0-9a-f]' * 32}-{escape(path.name)}")


def _temp_path(path: Path) -> Path:
    return path.with_name(f".{uuid4().hex}-{path.name}")


def _write_durable(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sweep(folder: Path, name: str = "*") -> None:
    """Remove the temporary files and folders that killed processes have left.

    ``name`` is a pattern of the final file names. Anything younger than :data:`OLD` is kept, since
    its process may still run.
    """
    before = time.time() - OLD
    for left in folder.glob(f".{'[0-9a-f]' * 32}-{name}"):
        with suppress(OSError):  # another process removed it, or it belongs to another user
            if left.lstat().st_mtime < before:
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()


def probe(folder: Path, size: int) -> None:
    """Write and remove a file of that size in a folder; OSError if this fails."""
    temporary = _temp_path(folder / "probe")
    try:
        _write_durable(temporary, bytes(size))
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Write a file atomically: yield a temporary path, then fsync and rename it.

    Old temporary files of the same path, left by killed processes, are removed.
    """
    sweep(path.parent, escape(path.name))
    temporary = _temp_path(path)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        fsync_dir(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_once(path: Path, content: bytes) -> bool:
    """Write a file unless it exists; return whether it was written.

    If several processes write the same path, the first wins.
    """
    temporary = _temp_path(path)
    try:
        _write_durable(temporary, content)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without hard links
            if path.exists():
                return False
            temporary.replace(path)
        fsync_dir(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def mkdir_durable(folder: Path, mode: int = 0o777) -> None:
    """Create a folder and its parents so that they survive a power failure."""
    if not folder.is_dir():
        mkdir_durable(folder.parent, mode)
        folder.mkdir(mode, exist_ok=True)
    fsync_dir(folder.parent)  # needed for a folder created just before a crash, too


def fsync_dir(folder: Path) -> None:
    """Fsync a folder, so that renames into it survive a power failure, if the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows cannot open folders
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network drives cannot fsync
            raise
    finally:
        os.close(handle)


OWNER_ONLY: Final = 0o600
_PAUSE: Final = 0.02


class _LockFile(FileIO):
    """A lock that is held, or waited for, by a thread of this process."""

    def __init__(self, name: Path) -> None:
        super().__init__(name, "r+", opener=_created)
        self.thread = get_ident()
        _OPEN.add(self)


_OPEN: Final[WeakSet[_LockFile]] = WeakSet()


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which need not exist; its folder must.

    The lock is on a separate empty file in the same folder, since the file itself is replaced.
    The system releases it when its process ends, however that ends.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, file_lock(Path(folder, "ledger")):
    ...     os.listdir(folder)
    ['.ledger.lock']
    """
    with _opened(path) as file:
        _close_leftovers(file)
        _take(file)
        yield


@contextmanager
def try_file_lock(path: Path) -> Iterator[bool]:
    """Hold the lock of a file if it is free; yield whether it is held."""
    with _opened(path) as file:
        yield _try(file)


def _opened(path: Path) -> _LockFile:
    # A file object, which an interrupt at any line closes, and so releases the lock.
    return _LockFile(path.with_name(f".{path.name}.lock"))


def _close_leftovers(file: FileIO) -> None:
    """Close locks of this file that this thread has left behind.

    After an interrupt at the start of a with statement, its suspended generator lives as long as
    the traceback. A thread cannot hold a lock that it waits for, so nothing else is closed.
    """
    for other in list(_OPEN):
        if other is not file and (other.name, other.thread) == (file.name, get_ident()):
            other.close()


def _created(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_CREAT, OWNER_ONLY)


def _let_go() -> None:
    """Close inherited locks in a fork; otherwise its copies would keep them held."""
    for file in list(_OPEN):
        file.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


if sys.platform == "win32":
    import msvcrt

    def _try(file: FileIO) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:  # another process holds it
            return False
        return True

    def _take(file: FileIO) -> None:
        while not _try(file):
            time.sleep(_PAUSE)
else:
    import fcntl

    def _try(file: FileIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # another process holds it
            return False
        return True

    def _take(file: FileIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)


NAME: Final = "engagement_pandas"


def config_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Return the package's settings folder, which may not exist yet.

    ``$XDG_CONFIG_HOME``, if that is an absolute path, or else ``~/.config``; on Windows
    ``%APPDATA%``.

    >>> config_dir({"XDG_CONFIG_HOME": "/home/baker/.settings"}).as_posix()
    '/home/baker/.settings/engagement_pandas'
    """
    environ = os.environ if environ is None else environ
    given = Path(environ.get("APPDATA" if os.name == "nt" else "XDG_CONFIG_HOME", ""))
    # The XDG standard says to ignore relative paths.
    return (given if given.is_absolute() else Path.home() / ".config") / NAME


def config_file(
    name: str,
    variable: str,
    unknown: type[Exception],
    environ: Mapping[str, str] | None = None,
) -> Path:
    """Return the path of a file in the settings folder.

    ``unknown`` is raised if there is no home folder, as in some containers; its message names
    ``variable``, the environment variable that can name another file.

    >>> environ = {"XDG_CONFIG_HOME": "/home/baker/.settings"}
    >>> config_file("ledger.jsonl", "X_LEDGER", OSError, environ).as_posix()
    '/home/baker/.settings/engagement_pandas/ledger.jsonl'
    """
    try:
        return config_dir(environ) / name
    except RuntimeError as error:
        msg = f"there is no home folder to keep {name} in; name a file in {variable}"
        raise unknown(msg) from error


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
    """A file, decompressed, exceeds its size limit."""


def read_bounded(file: IO[AnyStr], limit: int) -> AnyStr:
    """Return the rest of a file, which may be decompressed as it is read.

    The file is text or binary: plain, or of gzip, bz2, lzma or a member of a zip archive. The limit
    is in bytes, or in characters. At most that many bytes and a buffer are decompressed.

    >>> import io
    >>> read_bounded(io.BytesIO(b"12345"), 5)
    b'12345'
    >>> read_bounded(io.BytesIO(b"123456"), 5)
    Traceback (most recent call last):
        ...
    engagement_pandas.files.FileTooLarge: more than 5 bytes
    """
    piece = file.read(_PIECE)
    pieces, length = [piece], len(piece)
    while piece:  # a single call would allocate memory for the limit
        if length > limit:
            msg = f"more than {limit:,} bytes"
            raise FileTooLarge(msg)
        piece = file.read(_PIECE)
        pieces.append(piece)
        length += len(piece)
    return piece.join(pieces)  # the last piece is empty


class NotDecompressed(ValueError):
    """A compressed file is damaged, or is a zip archive that does not have exactly one file."""


def decompressed(content: bytes, limit: int) -> bytes:
    """Return the content of a compressed file, at most ``limit`` bytes.

    The first bytes decide, since a browser or a shell may have renamed the file. Other content is
    returned unchanged.

    >>> decompressed(gzip.compress(b"post_id"), 7), decompressed(b"post_id", 7)
    (b'post_id', b'post_id')
    """
    for mark, opened in _DECOMPRESSORS.items():
        if content.startswith(mark):
            try:
                with opened(io.BytesIO(content)) as file:
                    return bytes(read_bounded(file, limit))
            except (FileTooLarge, NotDecompressed):
                raise
            except _DECOMPRESSION_ERRORS as error:
                msg = f"is damaged and cannot be decompressed: {error}"
                raise NotDecompressed(msg) from error
    return content


def _in_zip(file: IO[bytes]) -> IO[bytes]:
    """Return the only file in a zip archive, ignoring those that macOS adds."""
    archive = zipfile.ZipFile(file)
    names = [name for name in archive.namelist() if not name.startswith("__MACOSX")]
    if "[Content_Types].xml" in names:
        msg = "is a workbook; save it as CSV (UTF-8), with the IDs as text"
        raise NotDecompressed(msg)
    members = [name for name in names if not name.endswith("/")]
    if len(members) != 1:
        msg = f"has {len(members)} files; unpack it, and name one"
        raise NotDecompressed(msg)
    return archive.open(members[0])


def _zstd(file: IO[bytes]) -> Any:
    pyarrow = importlib.import_module("pyarrow")  # slow to import, and few files need it
    return pyarrow.CompressedInputStream(pyarrow.PythonFile(file, mode="r"), "zstd")


_DECOMPRESSORS: Final[Mapping[bytes, Callable[[IO[bytes]], Any]]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
    b"PK\x03\x04": _in_zip,
    b"\x28\xb5\x2f\xfd": _zstd,
}
"""Functions that open compressed files, by first bytes."""

_DECOMPRESSION_ERRORS: Final = (
    *(lzma.LZMAError, zipfile.BadZipFile, zlib.error, EOFError),
    *(OSError, ValueError, RuntimeError, MemoryError),  # of bz2, encrypted zips and zstd
)


def codec_of(content: bytes) -> str:
    """Return the encoding of a text: by its byte order mark, or UTF-16 without one, or UTF-8.

    UTF-16 is recognised by ASCII words or numbers, such as headings and IDs, whatever else the
    text has: in UTF-8 there are no zero bytes between their letters. With the wrong byte order,
    few different characters are ASCII, though these may be frequent, such as that of U+4E00.

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
