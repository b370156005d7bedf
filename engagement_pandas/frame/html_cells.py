"""Cells of HTML tables: links to posts, numbers, times and texts; everything is escaped."""

from __future__ import annotations

import html
import re
from typing import Any, Final

import numpy as np
import pandas as pd

LINK: Final = "https://x.com/i/web/status/{}"
"""Link to a post that works without its author's handle."""

MISSING: Final = "–"  # noqa: RUF001 - a dash, not a minus
"""Placeholder for an unknown value."""

DATE: Final = "%Y-%m-%d"
TIME: Final = f"{DATE} %H:%M"
"""Formats of days, and of times in a zone that the heading names."""

_ID: Final = re.compile(r"[0-9]{1,19}")
_URL: Final = re.compile(r"https?://\S+")


def is_missing(value: Any) -> bool:
    """Return whether a value is missing; a list of missing values is not.

    >>> is_missing(pd.NA), is_missing([None])
    (True, False)
    """
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def text(value: Any) -> str:
    """Format a text, or a dash if it is missing.

    >>> text("<b>"), text(None) == MISSING
    ('<span dir="auto">&lt;b&gt;</span>', True)
    """
    return MISSING if is_missing(value) else f'<span dir="auto">{html.escape(str(value))}</span>'


def number(value: Any) -> str:
    """Format a whole number, or a dash if it is missing.

    >>> number(1234), number(pd.NA) == MISSING
    ('1,234', True)
    """
    return MISSING if is_missing(value) else f"{value:,}"


def percentage(value: Any) -> str:
    """Format a share in percent, or a dash if it is missing.

    >>> percentage(0.0123)
    '1.23 %'
    """
    return MISSING if is_missing(value) else f"{value * 100:.2f} %"


def link(value: Any) -> str:
    """Return the complete ID of a post as a link to it, and a URL as a link; else the value.

    >>> link("20")
    '<a href="https://x.com/i/web/status/20" target="_blank" rel="noopener noreferrer">20</a>'
    >>> link("<b>")
    '&lt;b&gt;'
    """
    name = str(value)
    url = LINK.format(name) if _ID.fullmatch(name) else name
    if not _URL.fullmatch(url):
        return cell(value)
    name, url = html.escape(name), html.escape(url)
    return f'<a href="{url}" target="_blank" rel="noopener noreferrer">{name}</a>'


def cell(value: Any) -> str:
    """Format any value: whole numbers with separators, other values as text.

    >>> cell(1234), cell("<b>"), cell(True)
    ('1,234', '&lt;b&gt;', 'True')
    """
    if is_missing(value):
        return MISSING
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return number(value)
    return html.escape(str(value))
