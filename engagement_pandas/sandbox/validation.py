"""Validation of requests against every documented limit, with the service's error messages.

It is independent of the package's own validation, in order to reveal its mistakes. Messages
that are publicly known are used word for word; the others follow the style of Finatra, which
the service appears to use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NoReturn

from engagement_pandas.sandbox import limits
from engagement_pandas.sandbox.http_answer import Refusal
from engagement_pandas.sandbox.window import CountedWindow, last_28_hours_window, requested_window

FIELDS: Final = ("tweet_ids", "engagement_types", "groupings")
UNSUPPORTED: Final = (
    "One or more of the {what} you have specified are not supported: ({names}). "
    "Please adjust your request and try again."
)
"""Known word for word for ``groupBys``; assumed for other fields."""

_POST_ID: Final = re.compile(rf"[0-9]{{1,{limits.MAX_ID_DIGITS}}}")


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A valid request.

    ``endpoint`` is the last part of the path. IDs and types are distinct, in the order of the
    request. ``groupings`` has names and dimensions. ``window`` is None for ``/totals``.
    """

    endpoint: str
    post_ids: tuple[str, ...]
    types: tuple[str, ...]
    groupings: tuple[tuple[str, tuple[str, ...]], ...]
    window: CountedWindow | None


def parse_request(
    endpoint: str, body: bytes, now: datetime, half_window: str = "filled"
) -> ParsedRequest:
    """Parse and validate a request body.

    ``body`` is UTF-8 JSON. ``now`` is the current time, UTC; no window ends after it. A window with
    only one end is ``"filled"`` or ``"refused"``, depending on ``half_window``.
    """
    fields = _fields(body)
    known = FIELDS + (("start", "end") if endpoint == limits.HISTORICAL else ())
    wrong = [f"{name}: field is required" for name in FIELDS if fields.get(name) is None]
    wrong += [
        f"{name}: field is not supported by /{endpoint}" for name in fields if name not in known
    ]
    checks: tuple[tuple[str, Callable[[str, Any], list[str]]], ...] = (
        ("tweet_ids", _wrong_posts),
        ("engagement_types", _wrong_types),
        ("groupings", _wrong_groupings),
    )
    for name, check in checks:
        if fields.get(name) is not None:
            wrong += check(endpoint, fields[name])
    window: CountedWindow | None = None
    if endpoint == limits.HISTORICAL:
        window, wrong_window = requested_window(fields, now, half_window)
        wrong += wrong_window
    elif endpoint == limits.LAST_28_HOURS:
        window = last_28_hours_window(now)
    if wrong:
        raise Refusal(400, *wrong)
    return ParsedRequest(
        endpoint,
        tuple(dict.fromkeys(map(str, fields["tweet_ids"]))),
        tuple(dict.fromkeys(fields["engagement_types"])),
        tuple(
            (name, tuple(grouping["group_by"])) for name, grouping in fields["groupings"].items()
        ),
        window,
    )


def _fields(body: bytes) -> dict[str, Any]:
    if not body.strip():
        raise Refusal(400, "request body is empty")
    try:
        fields = json.loads(body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "request body is not valid JSON") from error
    if not isinstance(fields, dict):
        raise Refusal(400, "request body is not a JSON object")
    return fields


def _no_constant(name: str) -> NoReturn:
    # NaN and Infinity are not JSON, but Python's parser accepts them.
    raise ValueError(name)


def _size(name: str, items: Any, most: int) -> list[str]:
    if 1 <= len(items) <= most:
        return []
    return [f"{name}: size [{len(items)}] is not between 1 and {most}"]


def _wrong_posts(endpoint: str, posts: Any) -> list[str]:
    if not isinstance(posts, list):
        return ["tweet_ids: must be an array of strings"]
    return _size("tweet_ids", posts, limits.MAX_POSTS[endpoint]) + [
        f"tweet_ids: [{json.dumps(post)}] is not a string of 1 to {limits.MAX_ID_DIGITS} digits"
        for post in posts
        # Integers are accepted too, as X has been seen to do; clients send strings.
        if type(post) not in (str, int) or not _POST_ID.fullmatch(str(post))
    ]


def _wrong_types(endpoint: str, types: Any) -> list[str]:
    if not isinstance(types, list) or not all(isinstance(name, str) for name in types):
        return ["engagement_types: must be an array of strings"]
    if not types:
        return _size("engagement_types", types, len(limits.TYPES[endpoint]))
    unsupported = dict.fromkeys(name for name in types if name not in limits.TYPES[endpoint])
    if not unsupported:
        return []
    return [UNSUPPORTED.format(what="engagement types", names=", ".join(unsupported))]


def _wrong_groupings(endpoint: str, groupings: Any) -> list[str]:
    if not isinstance(groupings, dict):
        return ["groupings: must be an object"]
    wrong = _size("groupings", groupings, limits.MAX_GROUPINGS)
    full = []
    for name, grouping in groupings.items():
        here = f"groupings.{name}"
        if not name.strip():
            wrong.append("groupings: a grouping must have a name")
        if name in limits.RESERVED_KEYS:
            wrong.append(f"groupings: [{name}] is a reserved name")
        if not isinstance(grouping, dict) or grouping.get("group_by") is None:
            wrong.append(f"{here}.group_by: field is required")
            continue
        wrong += [f"{here}.{key}: field is not supported" for key in grouping if key != "group_by"]
        dimensions = grouping["group_by"]
        wrong += _wrong_dimensions(endpoint, f"{here}.group_by", dimensions)
        if isinstance(dimensions, list) and len(dimensions) == limits.MAX_DIMENSIONS:
            full.append(name)
    if len(full) > limits.MAX_FULL_GROUPINGS:
        most = f"only {limits.MAX_FULL_GROUPINGS} may have {limits.MAX_DIMENSIONS} groupBys"
        wrong.append(f"groupings: {most}: ({', '.join(full)})")
    return wrong


def _wrong_dimensions(endpoint: str, here: str, dimensions: Any) -> list[str]:
    if not isinstance(dimensions, list) or not all(isinstance(name, str) for name in dimensions):
        return [f"{here}: must be an array of strings"]
    wrong = _size(here, dimensions, limits.MAX_DIMENSIONS)
    unsupported = [name for name in dimensions if name not in limits.DIMENSIONS[endpoint]]
    if unsupported:
        wrong.append(UNSUPPORTED.format(what="groupBys", names=", ".join(unsupported)))
    if wrong:
        return wrong
    if len(set(dimensions)) < len(dimensions):
        return [f"{here}: the same groupBy is given twice"]
    if limits.TYPE not in dimensions:
        return [f"{here}: {limits.TYPE} is required"]
    if len(dimensions) == limits.MAX_DIMENSIONS and tuple(dimensions) not in limits.FULL_ORDERS:
        orders = " or ".join(f"({', '.join(order)})" for order in limits.FULL_ORDERS)
        return [f"{here}: all {limits.MAX_DIMENSIONS} groupBys must be in the order {orders}"]
    return []
