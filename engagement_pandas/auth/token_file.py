"""A file that nobody but its owner can read, and that several processes may change."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Final

from engagement_pandas.errors import AccountsError
from engagement_pandas.files import (
    OWNER_FOLDER,
    OWNER_ONLY,
    atomic_write,
    file_lock,
    mkdir_durable,
    stale_temp_files,
)

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_KNOWS_MODES: Final = os.name != "nt"  # on Windows a person's own folders are theirs


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A file with mode 0600, in a folder that is made with 0700.

    Parameters
    ----------
    path : path

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     box = TokenFile(Path(folder, "accounts.json"))
    ...     with box.exclusive():
    ...         box.write(b"{}")
    ...     box.read(), oct(box.path.stat().st_mode & 0o777)
    (b'{}', '0o600')
    """

    path: Path

    def read(self) -> bytes | None:
        """Return what is in it; None where it is not there."""
        try:
            with self.path.open("rb") as file:
                # Of the open file: a name may lead elsewhere a moment later.
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                self._check_folders()
                content = file.read()
        except FileNotFoundError:
            return None
        except AccountsError:
            raise
        except OSError as error:
            msg = f"{self.path} cannot be read: {error}"
            raise AccountsError(msg) from error
        if _KNOWS_MODES and mode & _OTHERS:
            del content
            msg = (
                f"others than you may read {self.path} or write into it (mode {mode:03o}): "
                f"chmod 600 {quote(str(self.path))}, and log in anew if somebody may have read it"
            )
            raise AccountsError(msg)
        return content

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep every other process from changing it."""
        try:
            mkdir_durable(self.path.parent, OWNER_FOLDER)
            self._check_folders()
            with file_lock(self.path):
                yield
        except AccountsError:
            raise
        except OSError as error:
            msg = f"{self.path} cannot be written: {error}; what was in it is there still"
            raise AccountsError(msg) from error

    def _check_folders(self) -> None:
        """Refuse a folder in which others may put another file in the place of this one.

        The folder itself is its owner's or root's, and neither its group nor others write into
        it; into those above it, no others (many a system lets a group). The sticky bit of
        ``/tmp`` makes up for that: there, everybody replaces what is their own.
        """
        if not _KNOWS_MODES:
            return
        # Where the name is a link, of the link too.
        named = Path(os.path.realpath(self.path.parent), self.path.name)
        places = dict.fromkeys((named, Path(os.path.realpath(named))))
        own = [place.parent for place in places]
        above = dict.fromkeys(folder for one in own for folder in one.parents)
        for folder in dict.fromkeys((*own, *above)):
            others = stat.S_IWGRP | stat.S_IWOTH if folder in own else stat.S_IWOTH
            told = folder.stat()
            mode = stat.S_IMODE(told.st_mode)
            if mode & others and not mode & stat.S_ISVTX:
                why, cure = "", f"chmod go-w {quote(str(folder))}"
            elif folder in own and told.st_uid not in (0, os.geteuid()):
                why, cure = f", owner {told.st_uid}", "move it into a folder of your own"
            else:
                continue
            msg = (
                f"others than you may replace {self.path}, by what they may do in {folder} (mode "
                f"{mode:03o}{why}): {cure}, and log in anew if somebody may have done so"
            )
            raise AccountsError(msg)

    def write(self, content: bytes) -> None:
        """Replace what is in it, at once; call it within :meth:`exclusive`."""
        # Where the name is a link, what it leads to is replaced.
        target = Path(os.path.realpath(self.path))
        # A process that was killed while it wrote has left secrets beside it.
        for left in stale_temp_files(target):
            left.unlink()
        with atomic_write(target) as beside:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
            with open(handle, "wb") as file:  # noqa: PTH123 - no moment with another mode
                file.write(content)
