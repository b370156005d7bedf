"""Where what a person keeps between sessions lies: a folder of their own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

NAME: Final = "engagement_pandas"


def config_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Return the package's folder among the person's settings; it may not be there yet.

    ``$XDG_CONFIG_HOME``, where that is an absolute path, or else ``~/.config``; on Windows
    ``%APPDATA%``.

    Examples
    --------
    >>> config_folder({"XDG_CONFIG_HOME": "/home/baker/.settings"}).as_posix()
    '/home/baker/.settings/engagement_pandas'
    """
    environ = os.environ if environ is None else environ
    given = Path(environ.get("APPDATA" if os.name == "nt" else "XDG_CONFIG_HOME", ""))
    # A relative one is to be ignored, says the standard.
    return (given if given.is_absolute() else Path.home() / ".config") / NAME


def settings_file(
    name: str,
    variable: str,
    unknown: type[Exception],
    environ: Mapping[str, str] | None = None,
) -> Path:
    """Return the file of a name in that folder.

    Parameters
    ----------
    name : str
    variable : str
        Which names another file; for the message.
    unknown : type
        What is raised where there is no home, as in some containers.
    environ : mapping of str to str, optional

    Examples
    --------
    >>> environ = {"XDG_CONFIG_HOME": "/home/baker/.settings"}
    >>> settings_file("ledger.jsonl", "X_LEDGER", OSError, environ).as_posix()
    '/home/baker/.settings/engagement_pandas/ledger.jsonl'
    """
    try:
        return config_folder(environ) / name
    except RuntimeError as error:
        msg = f"there is no home folder to keep {name} in; name a file in {variable}"
        raise unknown(msg) from error
