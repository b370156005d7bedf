"""Parsing and normalising of handles."""

from __future__ import annotations

import re
from typing import Final

from engagement_pandas.errors import RequestError

_HANDLE: Final = re.compile(r"@?(\w{1,50})", re.ASCII)  # X allows 15 today; that may change


def parse_handle(text: object) -> str:
    """Return a handle without its ``@``, otherwise as given.

    >>> parse_handle(" @Sandbox_Bakery")
    'Sandbox_Bakery'
    """
    match = _HANDLE.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        msg = f"{text!r} is not a handle; use letters, digits and _, as in @sandbox_bakery"
        raise RequestError(msg)
    return match[1]


def normalize_handle(text: object) -> str:
    """Return a key that is the same for all spellings of a handle.

    >>> normalize_handle("@Sandbox_Bakery") == normalize_handle("sandbox_bakery")
    True
    """
    return parse_handle(text).lower()
