"""Errors as sentences, for the terminal."""

from __future__ import annotations

import os
from typing import Final

_WORDS: Final = (
    (FileNotFoundError, "does not exist"),
    (PermissionError, "may not be read or written by this user"),
    (IsADirectoryError, "is a folder, not a file"),
    (NotADirectoryError, "is not in a folder"),
    (FileExistsError, "exists already"),
)


def in_words(error: BaseException) -> str:
    """Return an error as a sentence; of the system's errors, the file and what is wrong with it.

    >>> in_words(FileNotFoundError(2, "No such file or directory", "posts.csv"))
    'posts.csv does not exist'
    """
    if isinstance(error, OSError) and error.filename is not None:
        name = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else error.filename
        what = next((words for kind, words in _WORDS if isinstance(error, kind)), None)
        return f"{name} {what}" if what else f"{name}: {error.strerror or error}"
    return str(error) or "stopped"
