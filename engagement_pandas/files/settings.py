"""The settings folder of the package, and the modes that keep it private."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

OWNER_FOLDER: Final = 0o700
"""Mode of a settings folder: accessible only to its owner."""
OWNER_ONLY: Final = 0o600
"""Mode of a file in it."""

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
