"""Dates with English names, as X writes them, in any locale."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_WEEKDAY: Final = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? ", re.IGNORECASE)
_MONTH: Final = re.compile(rf"\b({'|'.join(_MONTHS)})\b", re.IGNORECASE)

DAY: Final = ("month %m %d, %Y", "month %m %d %Y")
"""``Wed, Apr 8, 2026`` and ``Wed Apr 08 2026``."""
ISO: Final = ("%Y-%m-%d", "%Y-%m-%d 00:00:00", "%Y-%m-%dT00:00:00")
"""``2026-04-08``, as workbooks have it."""
MINUTE: Final = "%Y-%m-%d %H:%M %z"
"""``2026-04-08 09:30 +0000``, of exports until 2024."""
SECOND: Final = "month %m %d %H:%M:%S %z %Y"
"""``Wed Apr 08 09:30:00 +0000 2026``, of API v1.1."""


def parse_date(text: str, forms: Iterable[str]) -> datetime | None:
    """Return a time, UTC; None if the text has none of the forms.

    ``strptime`` reads the names of weekdays and months in the language of the process. So weekdays
    are removed before, and ``Apr`` becomes ``month 4``, which no other form of a date has.

    >>> parse_date("Wed, Apr 8, 2026", DAY)
    datetime.datetime(2026, 4, 8, 0, 0, tzinfo=datetime.timezone.utc)
    """
    without = _WEEKDAY.sub("", text, count=1)
    numbers = _MONTH.sub(lambda name: f"month {_MONTHS.index(name[0].title()) + 1}", without)
    for form in forms:
        try:
            moment = datetime.strptime(numbers, form)  # noqa: DTZ007 - the zone is added
        except ValueError:
            continue
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    return None
