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
from engagement_pandas.locking import OWNER_ONLY, locked
from engagement_pandas.replacing import leftovers, make_folder, replacing

_OWNER_FOLDER: Final = 0o700
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_KNOWS_MODES: Final = os.name != "nt"  # on Windows a person's own folders are theirs


@dataclass(frozen=True, slots=True)
class Strongbox:
    """A file with mode 0600, in a folder that is made with 0700.

    Parameters
    ----------
    path : path

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     box = Strongbox(Path(folder, "accounts.json"))
    ...     with box.changing():
    ...         box.write(b"{}")
    ...     box.read(), oct(box.path.stat().st_mode & 0o777)
    (b'{}', '0o600')
    """

    path: Path

    def read(self) -> bytes | None:
        """Return what is in it; None where it is not there.

        Raises
        ------
        AccountsError
            Where it cannot be read, or somebody else could read it.
        """
        try:
            with self.path.open("rb") as file:
                # Of the open file: a name may lead elsewhere a moment later.
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                content = file.read()
        except FileNotFoundError:
            return None
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
    def changing(self) -> Iterator[None]:
        """Keep every other process from changing it.

        Raises
        ------
        AccountsError
            Where the folder takes no file.
        """
        try:
            if not self.path.parent.is_dir():
                make_folder(self.path.parent.parent)
                self.path.parent.mkdir(mode=_OWNER_FOLDER, exist_ok=True)
            with locked(self.path):
                yield
        except AccountsError:
            raise
        except OSError as error:
            msg = f"{self.path} cannot be written: {error}; what was in it is there still"
            raise AccountsError(msg) from error

    def write(self, content: bytes) -> None:
        """Replace what is in it, at once; call it within :meth:`changing`."""
        # Where the name is a link, what it leads to is replaced.
        target = Path(os.path.realpath(self.path))
        # A process that was killed while it wrote has left secrets beside it.
        for left in leftovers(target):
            left.unlink()
        with replacing(target) as beside:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
            with open(handle, "wb") as file:  # noqa: PTH123 - no moment with another mode
                file.write(content)
