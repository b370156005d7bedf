"""A slow and simple reader of responses, written independently of the package's own.

It reads row by row with the standard library, keeps repeated keys, and returns the rows or
refuses the body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any, Final, NoReturn

POST, TYPE, DAY, HOUR = "tweet.id", "engagement.type", "engagement.day", "engagement.hour"
FRAME: Final = (POST, TYPE, DAY, HOUR)
FOUR: Final = {(POST, TYPE, DAY, HOUR), (TYPE, POST, DAY, HOUR)}
LEGAL: Final = tuple(
    order
    for length in range(1, 5)
    for order in permutations(FRAME, length)
    if TYPE in order and (length < 4 or order in FOUR)
)

OLD_LISTS: Final = {
    "unsupported_for_impressions_engagements_tweet_ids": ("impressions", "engagements"),
    "unsupported_for_video_views_tweet_ids": ("video_views",),
}
RESERVED: Final = {"start", "end", "errors", "unavailable_tweet_ids", *OLD_LISTS}
LATE_TYPES: Final = ("favorites", "replies", "retweets")
COUNTED_SINCE: Final = datetime(2015, 9, 15, tzinfo=UTC)

INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]*)")
DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Rows = dict[tuple[Any, ...], int | None]


class Refused(Exception):
    """The body is not a valid response."""


class Number(str):
    """A number as it is written in the JSON."""

    __slots__ = ()


class Pairs(list[tuple[str, Any]]):
    """An object with its keys as they are written in the JSON."""


def refuse(reason: str) -> NoReturn:
    """Raise Refused with a reason."""
    raise Refused(reason)


def parse(body: bytes) -> Pairs:
    """Parse a body, and keep what a dict would lose."""
    try:
        top = json.loads(
            body.decode("utf-8", "surrogateescape"),
            object_pairs_hook=Pairs,
            parse_int=Number,
            parse_float=Number,
            parse_constant=refuse,
        )
    except (ValueError, RecursionError) as error:
        raise Refused(str(error)) from error
    if not isinstance(top, Pairs):
        refuse("no object")
    unique(top)
    return top


def unique(pairs: Pairs) -> dict[str, Any]:
    """Return an object whose keys are valid text and unique."""
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        refuse("a key stands twice")
    for key in keys:
        text(key)
    return dict(pairs)


def text(value: str) -> str:
    """Return a valid text: it has no half of a surrogate pair and no stray byte."""
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        refuse("no text")
    return value


def has_other_parts(body: bytes, name: str) -> bool:
    """Return whether a part that need not be read may be invalid."""
    top = dict(parse(body))
    other = {key: value for key, value in top.items() if key not in RESERVED and key != name}
    return bool(other) or "\\u" in body.decode("utf-8", "replace")


def ids(top: dict[str, Any], key: str) -> set[str]:
    """Return a list of post IDs."""
    listed = top.get(key, [])
    if not isinstance(listed, list) or isinstance(listed, Pairs):
        refuse("no list")
    for item in listed:
        if isinstance(item, Number):
            if not INTEGER.fullmatch(item):
                refuse("no ID")
        elif not isinstance(item, str):
            refuse("no ID")
    return {str(int(item)) if isinstance(item, Number) else text(item) for item in listed}


def window_time(top: dict[str, Any], key: str) -> datetime | None:
    """Return the start or the end of the window."""
    if key not in top:
        return None
    value = top[key]
    if not isinstance(value, str) or isinstance(value, Number):
        refuse("no time")
    try:
        at = datetime.fromisoformat(text(value))  # it accepts any letter before the hour
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        _ = at + timedelta(hours=1)
    except (ValueError, OverflowError) as error:
        raise Refused(str(error)) from error
    return at


def window(top: dict[str, Any]) -> list[datetime] | None:
    """Return the first and the last hour of the window in the body."""
    start, end = window_time(top, "start"), window_time(top, "end")
    if start is None or end is None:
        return None
    first = start.replace(minute=0, second=0, microsecond=0)
    last = end.replace(minute=0, second=0, microsecond=0)
    if last == end:
        if end == datetime.min.replace(tzinfo=UTC):
            refuse("before time")
        last -= timedelta(hours=1)
    if last < first:
        refuse("ends before it begins")
    return [first, last]


def count(leaf: Any) -> int:
    """Return the integer of a leaf."""
    if isinstance(leaf, str) and INTEGER.fullmatch(leaf) and len(leaf) < 30:
        number = int(leaf)
        if -(2**63) <= number < 2**63:
            return number
    return refuse("no count")


def keyed(dimension: str, key: str, unavailable: set[str]) -> Any:
    """Return the value of a key."""
    match dimension:
        case "tweet.id":
            if not re.fullmatch(r"[0-9]{1,19}", key) or key in unavailable:
                refuse("no post")
            return key
        case "engagement.type":
            return key or refuse("no type")
        case "engagement.day":
            try:
                return date.fromisoformat(key) if DATE.fullmatch(key) else refuse("no day")
            except ValueError as error:
                raise Refused(str(error)) from error
        case _:
            return int(key) if re.fullmatch(r"[01][0-9]|2[0-3]", key) else refuse("no hour")


def leaves(
    node: Any, order: Sequence[str], unavailable: set[str], so_far: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the keys and the count of each leaf."""
    if not order:
        yield so_far, count(node)
        return
    if not isinstance(node, Pairs):
        refuse("no object")
    for key, child in unique(node).items():
        read = {**so_far, order[0]: keyed(order[0], key, unavailable)}
        yield from leaves(child, order[1:], unavailable, read)


def keys_at(node: Any, depth: int) -> Iterator[str]:
    """Yield the keys at a depth, as far as there are objects."""
    if isinstance(node, Pairs):
        for key, child in node:
            if depth == 0:
                yield key
            else:
                yield from keys_at(child, depth - 1)


def read(body: bytes, order: Sequence[str], *, day_above_hour: bool = True) -> Rows:
    """Return the rows of a body by its only grouping.

    With ``day_above_hour``, hours of the day may be listed by day.
    """
    top = unique(parse(body))
    named = {k: v for k, v in top.items() if k not in RESERVED and isinstance(v, Pairs)}
    unavailable = ids(top, "unavailable_tweet_ids")
    old = {
        engagement_type: ids(top, key)
        for key, types in OLD_LISTS.items()
        for engagement_type in types
    }
    span = window(top)
    errors = top.get("errors", [])
    if not isinstance(errors, list) or isinstance(errors, Pairs):
        refuse("no errors")
    for message in errors:
        if not isinstance(message, str) or isinstance(message, Number):
            refuse("no errors")
        text(message)
    if len(named) != 1 or len(top) > 100:
        refuse("not one grouping")
    (tree,) = named.values()
    nesting = list(order)
    if HOUR in order and DAY not in order and day_above_hour:
        position = nesting.index(HOUR)
        if any(DATE.fullmatch(key) for key in keys_at(tree, position)):
            nesting.insert(position, DAY)
    sums: dict[tuple[Any, ...], int] = {}
    columns = [dimension for dimension in FRAME if dimension in order]
    for keys, number in leaves(tree, nesting, unavailable, {}):
        cell = tuple(keys[column] for column in columns)
        sums[cell] = sums.get(cell, 0) + number
    rows: Rows = {}
    for cell, number in sums.items():
        if not -(2**63) <= number < 2**63:
            refuse("too much")
        keys = dict(zip(columns, cell, strict=True))
        false = number == 0 and (
            keys.get(POST, "") in old.get(keys[TYPE], ())
            or (keys[TYPE] in LATE_TYPES and uncounted(keys, span))
        )
        rows[cell] = None if false else number
    return rows


def uncounted(keys: dict[str, Any], span: list[datetime] | None) -> bool:
    """Return whether all hours of a cell are before the type was counted."""
    if DAY in keys:
        return bool(keys[DAY] < COUNTED_SINCE.date())
    if span is None:
        return False
    at = span[1]
    while HOUR in keys and at.hour != keys[HOUR]:  # the last such hour, if there is one
        if at < COUNTED_SINCE:
            break
        at -= timedelta(hours=1)
    return span[0] < COUNTED_SINCE and (at < COUNTED_SINCE or at < span[0])


def plausible(body: bytes, order: Sequence[str]) -> bool:
    """Return whether a reader without the order could read the body in this one."""
    named = [v for k, v in parse(body) if k not in RESERVED and isinstance(v, Pairs)]
    for depth, dimension in enumerate(order):
        keys = set(keys_at(named[0], depth))
        matches = [
            bool(keys) and all(re.fullmatch(pattern, key) for key in keys)
            for pattern in (DATE.pattern, r"[01][0-9]|2[0-3]", r"[0-9]{1,19}")
        ]
        leading = any(len(key) > 1 and key.startswith("0") for key in keys)
        if not keys or (dimension == TYPE and any(matches[:2])):
            return False
        if dimension == TYPE and matches[2] and not leading:
            return False
        if dimension == POST and leading:
            return False
    return True


def readings(body: bytes) -> dict[tuple[str, ...], Rows]:
    """Return all readings of a body whose order is unknown."""
    found: dict[tuple[str, ...], Rows] = {}
    for order in LEGAL:
        try:
            rows = read(body, order, day_above_hour=False)
        except Refused:
            continue
        if plausible(body, order):
            found[order] = rows
    return found
