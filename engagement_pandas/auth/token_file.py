"""A file that only its owner can read, and that several processes may change."""

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
from engagement_pandas.files.atomic_write import atomic_write, mkdir_durable, stale_temp_files
from engagement_pandas.files.lock import file_lock
from engagement_pandas.files.settings import OWNER_FOLDER, OWNER_ONLY

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_KNOWS_MODES: Final = os.name != "nt"  # on Windows a user's folders are private


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A file with mode 0600, in a folder created with mode 0700.

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
        """Return its content, or None if it does not exist."""
        try:
            with self.path.open("rb") as file:
                # Check the open file, since the path may lead elsewhere a moment later.
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
                f"{self.path} can be read or changed by other users (mode {mode:03o}); run "
                f"chmod 600 {quote(str(self.path))}, and log in again if the tokens may have leaked"
            )
            raise AccountsError(msg)
        return content

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the lock that keeps other processes from changing the file."""
        try:
            mkdir_durable(self.path.parent, OWNER_FOLDER)
            self._check_folders()
            with file_lock(self.path):
                yield
        except AccountsError:
            raise
        except OSError as error:
            msg = f"{self.path} cannot be written: {error}; its content is unchanged"
            raise AccountsError(msg) from error

    def _check_folders(self) -> None:
        """Raise for a folder in which others may replace this file.

        The folder itself must belong to the current user or root, and neither its group nor
        others may write to it. The folders above must not be writable by others (many systems allow
        a group). A sticky bit, as on ``/tmp``, is sufficient: there, users can replace only
        their own files.
        """
        if not _KNOWS_MODES:
            return
        # If the name is a symbolic link, check the link's folders too.
        named = Path(os.path.realpath(self.path.parent), self.path.name)
        places = dict.fromkeys((named, Path(os.path.realpath(named))))
        own = [place.parent for place in places]
        above = dict.fromkeys(folder for parent in own for folder in parent.parents)
        for folder in dict.fromkeys((*own, *above)):
            others = stat.S_IWGRP | stat.S_IWOTH if folder in own else stat.S_IWOTH
            status = folder.stat()
            mode = stat.S_IMODE(status.st_mode)
            if mode & others and not mode & stat.S_ISVTX:
                why, cure = "", f"chmod go-w {quote(str(folder))}"
            elif folder in own and status.st_uid not in (0, os.geteuid()):
                why, cure = f", owner {status.st_uid}", "move it into a folder of your own"
            else:
                continue
            msg = (
                f"{self.path} can be replaced by other users, who may write into {folder} (mode "
                f"{mode:03o}{why}): {cure}, and log in again if that may have happened"
            )
            raise AccountsError(msg)

    def write(self, content: bytes) -> None:
        """Replace the content atomically; call it within :meth:`exclusive`."""
        # If the name is a symbolic link, its target is replaced.
        target = Path(os.path.realpath(self.path))
        # A process killed while writing may have left secrets in a temporary file.
        for left in stale_temp_files(target):
            left.unlink()
        with atomic_write(target) as temporary:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
            with open(handle, "wb") as file:  # noqa: PTH123 - never exists with another mode
                file.write(content)
