"""Fast decoder for the largest shape: posts, types, days and hours.

One answer of 25 posts, 17 types and 28 days holds 285,600 counts, nearly all of them in
objects of 24 hours. Decoding these into a struct of 24 integers avoids creating keys and
strings. Whatever this accepts, ``scanner`` and ``expected_shape`` accept too; if it is not sure
it returns None or False, and they decide.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from itertools import chain
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from engagement_pandas.response.envelope import DECODE_ERRORS
from engagement_pandas.response.expected_shape import (
    MOST_TYPES,
    ExpectedShape,
    HourRange,
    day_number,
    post_number,
    type_number,
)
from engagement_pandas.vocabulary import FOUR_DIMENSION_ORDERS, RESERVED_KEYS, Dimension

Tree = dict[str, dict[str, dict[str, Any]]]
"""Post or type, then the other, then day; the innermost value is a struct of 24 hours."""

HOUR_NAMES: Final = tuple(f"{hour:02d}" for hour in range(24))

LEAST: Final = -(2**63)
"""Placeholder for the hours missing from a partial day; no accepted count is as small."""

# msgspec rejects anything beyond 64 bits, and LEAST itself; then the general path decides.
_Count = Annotated[int, msgspec.Meta(ge=LEAST + 1, le=2**63 - 1)]
_Hours: Any = msgspec.defstruct(
    "_Hours",
    [(f"h{name}", _Count, msgspec.field(default=LEAST, name=name)) for name in HOUR_NAMES],
    forbid_unknown_fields=True,
    gc=False,
    frozen=True,
)
_DECODER: Final = msgspec.json.Decoder(
    dict[str, dict[str, dict[str, _Hours]]],
    strict=False,
)

# A point or an E may be part of a float; a backslash may escape a letter of a key.
_ODD: Final = (b".", b"E", b"\\")

_ESCAPED: Final = re.compile(r'[\x00-\x1f"\\]')  # cannot occur unescaped in a JSON key

_SMALL: Final = 2**20
_FULL_DAY: Final = 150  # bytes: a day of one-digit integers has 181, with its key


class Body(NamedTuple):
    """Decoded JSON: the counts, and the other members, also as bytes with their keys."""

    raw: bytes
    tree: Tree
    top: dict[str, msgspec.Raw]
    others: bytes


def decode(raw: bytes) -> Body | None:
    """Decode the JSON of a grouping with all four dimensions; None for any other.

    msgspec's lax mode turns ``"551"`` into 551, and would also accept ``1.0`` and ``"1e3"``.
    So a point or a capital E is rejected, and a small e is accepted only in keys.
    """
    tree: Tree | None = _decoded(_DECODER, raw)
    return Body(raw, tree, {}, b"") if tree is not None and _is_plain(tree, raw, b"") else None


def decode_body(content: bytes, name: str) -> Body | None:
    """Decode a body with only this grouping, in all four dimensions; None for others.

    In one pass, since finding the end of the grouping takes a third as long as decoding it.
    """
    body = None if _ESCAPED.search(name) else _decoded(_of_body(name), content)
    if body is None:
        return None
    given = {key: getattr(body, key) for key in RESERVED_KEYS}
    top = {key: raw for key, raw in given.items() if memoryview(raw).nbytes}
    others = b",".join(b'"%b":%b' % (k.encode(), raw) for k, raw in (*top.items(), (name, b"")))
    plain = _is_plain(body.counts, content, others)
    return Body(content, body.counts, top, others) if plain else None


@lru_cache(maxsize=16)
def _of_body(name: str) -> msgspec.json.Decoder[Any]:
    others = [(key, msgspec.Raw, msgspec.Raw()) for key in sorted(RESERVED_KEYS)]
    counts = ("counts", dict[str, dict[str, dict[str, _Hours]]], msgspec.field(name=name))
    body = msgspec.defstruct("_Body", [counts, *others], forbid_unknown_fields=True)
    return msgspec.json.Decoder(body, strict=False)


def _decoded(decoder: msgspec.json.Decoder[Any], raw: bytes) -> Any:
    if any(odd in raw for odd in _ODD):
        return None
    # A struct takes the memory of 24 hours, however few it holds.
    if len(raw) > _SMALL and raw.count(b"{") * _FULL_DAY > len(raw):
        return None
    try:
        return decoder.decode(raw)
    except DECODE_ERRORS:
        return None


def _is_plain(tree: Tree, raw: bytes, others: bytes) -> bool:
    keys = chain(tree, chain.from_iterable(tree.values()))
    return raw.count(b"e") - others.count(b"e") == sum(key.count("e") for key in keys)


def keys_by_level(tree: Tree) -> list[Collection[str]]:
    """Return the keys of each level; for hours only whether there are any."""
    inner = [pairs for pairs in tree.values() if pairs]
    days = [days for pairs in inner for days in pairs.values()]
    some = any(_present(hours) for day in days for hours in day.values())
    return [
        tuple(tree),
        dict.fromkeys(chain.from_iterable(inner)),
        dict.fromkeys(chain.from_iterable(days)),
        HOUR_NAMES[:1] if some else (),
    ]


def fits(body: Body, layout: ExpectedShape) -> bool:
    """Return whether all counts fit the layout; False also if that is not certain.

    Every key has a colon, so an extra colon means a duplicate or an unusual key.
    """
    if layout.dimensions not in FOUR_DIMENSION_ORDERS:
        return False
    outer, inner = tuple(body.tree), dict.fromkeys(chain.from_iterable(body.tree.values()))
    posts, types = (outer, inner) if layout.dimensions[0] is Dimension.POST_ID else (inner, outer)
    by_day = [days for pairs in body.tree.values() for days in pairs.values()]
    complaints = (
        *(post_number(key, layout) for key in posts),
        *(type_number(key, layout) for key in types),
        *(day_number(key, layout) for key in dict.fromkeys(chain.from_iterable(by_day))),
    )
    if any(isinstance(complaint, str) for complaint in complaints):
        return False
    if len(types) > MOST_TYPES or layout.lacks(types):
        return False
    present = sum(_present(hours) for days in by_day for hours in days.values())
    members = len(body.tree) + len(by_day) + sum(map(len, by_day)) + present
    colons = body.raw.count(b":") - body.others.count(b":")
    return colons == members and all(_within(days, layout.span) for days in by_day)


def _present(hours: Any) -> int:
    return len(HOUR_NAMES) - msgspec.structs.astuple(hours).count(LEAST)


def _within(days: dict[str, Any], span: HourRange | None) -> bool:
    """Return whether no hour of the first and the last day is outside the window."""
    if span is None:
        return True
    begin, end = span.bounds
    first, last = (days.get(moment.date().isoformat()) for moment in (begin, end))
    before = msgspec.structs.astuple(first)[: begin.hour] if first and begin.hour else ()
    after = msgspec.structs.astuple(last)[end.hour :] if last and end.hour else ()
    return all(hour == LEAST for hour in (*before, *after))
