"""Texts of others that a spreadsheet would run as formulas: an apostrophe stops it."""

from __future__ import annotations

import re
from typing import Final

_FORMULA: Final = re.compile("[\\s'\"]*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""Texts that a spreadsheet may run; the last four signs are their full-width forms."""


def guarded(text: str) -> str:
    """Return a text that no spreadsheet runs: an apostrophe precedes possible formulas.

    >>> guarded("=1+1"), guarded("1+1")
    ("'=1+1", '1+1')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """Return a text without the apostrophe of :func:`guarded`.

    >>> unguarded(guarded("=1+1"))
    '=1+1'
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
