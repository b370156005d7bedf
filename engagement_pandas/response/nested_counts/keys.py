"""The keys of the nested counts: post IDs, engagement types, days and hours, parsed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from engagement_pandas.response.nested_counts.expected_shape import ExpectedShape, days_since_1970
from engagement_pandas.text import truncated_repr
from engagement_pandas.vocabulary.dimensions import Dimension
from engagement_pandas.vocabulary.limits import MAX_ID_DIGITS

DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
HOUR: Final = re.compile(r"[01][0-9]|2[0-3]")
ID: Final = re.compile(rf"[0-9]{{1,{MAX_ID_DIGITS}}}")

_DAY: Final = 24  # hours


def post_number(key: str, shape: ExpectedShape) -> int | str:
    """Return 0 for the ID of a post that may be counted, or what is wrong with it."""
    if shape.posts is not None and key in shape.posts and key not in shape.unavailable:
        return 0
    if not ID.fullmatch(key):
        return f"{truncated_repr(key)} is not a post ID"
    if key in shape.unavailable:
        return f"post {key} is listed as unavailable, but it has counts"
    if shape.posts is not None and key not in shape.posts:
        return f"post {key} was not requested"
    return 0


def type_number(key: str, _: ExpectedShape) -> int | str:
    """Return 0 for the name of an engagement type, or what is wrong with it."""
    return 0 if key else "an engagement type has no name"


def day_number(key: str, shape: ExpectedShape) -> int | str:
    """Return the number of days since 1970, or what is wrong with the day."""
    try:
        day = days_since_1970(date.fromisoformat(key)) if DATE.fullmatch(key) else None
    except ValueError:
        day = None
    if day is None:
        return f"{truncated_repr(key)} is not a day (YYYY-MM-DD)"
    span = shape.span
    if span is not None and not span.start // _DAY <= day <= (span.end - 1) // _DAY:
        return f"{key} is not in the window {span}"
    return day


def hour_number(key: str, _: ExpectedShape) -> int | str:
    """Return the hour as an integer, or what is wrong with it."""
    return int(key) if HOUR.fullmatch(key) else f"{truncated_repr(key)} is not an hour (00 to 23)"


KEY_NUMBERS: Final[Mapping[Dimension, Callable[[str, ExpectedShape], int | str]]] = {
    Dimension.POST_ID: post_number,
    Dimension.ENGAGEMENT_TYPE: type_number,
    Dimension.DAY: day_number,
    Dimension.HOUR: hour_number,
}
"""How the keys of each dimension are parsed."""
