"""The quick path for the biggest shape: posts, types, days and hours.

One answer of 25 posts, 17 types and 28 days holds 285,600 counts, nearly all of them in
objects of 24 hours. Decoding these into a struct of 24 integers skips the making of keys
and texts, and the structs line up as a matrix. What this path takes, ``leaves.read`` takes
to the same numbers; where it is not sure it returns None, and the general path decides.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Collection
from functools import lru_cache
from itertools import chain, starmap
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from engagement_pandas.envelope import UNREADABLE
from engagement_pandas.flattening import leaves
from engagement_pandas.flattening.leaves import LEAST, Layout, Leaves
from engagement_pandas.flattening.sums import add, cells
from engagement_pandas.frame import in_order
from engagement_pandas.vocabulary import FOUR_DIMENSION_ORDERS, RESERVED_KEYS, Dimension

Tree = dict[str, dict[str, dict[str, Any]]]
"""Post or type, then the other, then day; and a struct of the 24 hours."""

HOUR_NAMES: Final = tuple(f"{hour:02d}" for hour in range(24))

# The hours that a partial day lacks hold the least integer. A count that is just that has a
# colon more than there are counts, and so is left to the general path.
_Hours: Any = msgspec.defstruct(
    "_Hours",
    [(f"h{name}", int, msgspec.field(default=LEAST, name=name)) for name in HOUR_NAMES],
    forbid_unknown_fields=True,
    gc=False,
    frozen=True,
)
_DECODER: Final = msgspec.json.Decoder(
    dict[str, dict[str, dict[str, _Hours]]],
    strict=False,
)

_pack: Final = struct.Struct("24q").pack

# A point or an E may be a float; a backslash may hide a letter of a key.
_ODD: Final = (b".", b"E", b"\\")

_ESCAPED: Final = re.compile(r'[\x00-\x1f"\\]')  # what no key of JSON has as it is

_BLOCK: Final = 2**18  # bytes; what is made of them stays in the processor's cache
_SMALL: Final = 2**20
_FULL_DAY: Final = 150  # bytes: a day of one-digit integers has 181, with its key


class Body(NamedTuple):
    """Decoded JSON: the counts, and what stands beside them, also as bytes with its keys."""

    raw: bytes
    tree: Tree
    top: dict[str, msgspec.Raw]
    beside: bytes


def decode(raw: bytes) -> Body | None:
    """Decode the JSON of a grouping with all four dimensions; None where it is another.

    msgspec's lax mode turns ``"551"`` into 551, and would also take ``1.0`` and ``"1e3"``.
    Those need a point or an E; so only the small ones in the keys are allowed.
    """
    tree: Tree | None = _decoded(_DECODER, raw)
    return Body(raw, tree, {}, b"") if tree is not None and _is_plain(tree, raw, b"") else None


def decode_body(content: bytes, name: str) -> Body | None:
    """Decode a body with this grouping alone, in all four dimensions; None for others.

    In one pass: to find where the grouping ends takes a third as long as to decode it.
    """
    body = None if _ESCAPED.search(name) else _decoded(_of_body(name), content)
    if body is None:
        return None
    given = {key: getattr(body, key) for key in RESERVED_KEYS}
    top = {key: raw for key, raw in given.items() if raw is not None}
    beside = b",".join(b'"%b":%b' % (k.encode(), raw) for k, raw in (*top.items(), (name, b"")))
    plain = _is_plain(body.counts, content, beside)
    return Body(content, body.counts, top, beside) if plain else None


@lru_cache(maxsize=16)
def _of_body(name: str) -> msgspec.json.Decoder[Any]:
    beside = [(key, msgspec.Raw | None, None) for key in sorted(RESERVED_KEYS)]
    counts = ("counts", dict[str, dict[str, dict[str, _Hours]]], msgspec.field(name=name))
    body = msgspec.defstruct("_Body", [counts, *beside], forbid_unknown_fields=True)
    return msgspec.json.Decoder(body, strict=False)


def _decoded(decoder: msgspec.json.Decoder[Any], raw: bytes) -> Any:
    if any(odd in raw for odd in _ODD):
        return None
    # A struct takes the room of 24 hours, however few are in it.
    if len(raw) > _SMALL and _count(raw, b"{") * _FULL_DAY > len(raw):
        return None
    try:
        return decoder.decode(raw)
    except UNREADABLE:
        return None


def _is_plain(tree: Tree, raw: bytes, beside: bytes) -> bool:
    keys = chain(tree, chain.from_iterable(tree.values()))
    return _count(raw, b"e") - beside.count(b"e") == sum(key.count("e") for key in keys)


def _count(raw: bytes, byte: bytes) -> int:
    """Count a byte that comes often; ``bytes.count`` is made for what is rare."""
    every = np.frombuffer(raw, np.uint8)
    return sum(
        int(np.count_nonzero(every[place : place + _BLOCK] == byte[0]))
        for place in range(0, len(raw), _BLOCK)
    )


def levels_of(tree: Tree) -> list[Collection[str]]:
    """Return the keys of each level; of the hours only whether there are any."""
    inner = [pairs for pairs in tree.values() if pairs]
    days = [days for pairs in inner for days in pairs.values()]
    structs = chain.from_iterable(day.values() for day in days)
    numbers = chain.from_iterable(map(msgspec.structs.astuple, structs))
    some = any(number != LEAST for number in numbers)
    return [
        tuple(tree),
        dict.fromkeys(chain.from_iterable(inner)),
        dict.fromkeys(chain.from_iterable(days)),
        HOUR_NAMES[:1] if some else (),
    ]


def read(body: Body, layout: Layout) -> Leaves | None:
    """Take the counts off a decoded body, sorted; None where a key is not as it should be.

    Every key has a colon, so a colon too many is a key that stood twice, or an odd one.
    """
    if layout.dimensions not in FOUR_DIMENSION_ORDERS:
        return None
    tree = body.tree
    outer = tuple(tree)
    inner = tuple(dict.fromkeys(chain.from_iterable(tree.values())))
    post_first = layout.dimensions[0] is Dimension.POST_ID
    posts, types = (outer, inner) if post_first else (inner, outer)
    by_day = [days for pairs in tree.values() for days in pairs.values()]
    rows = [tuple(pair) for pair in by_day]  # mostly the same days for all
    day_codes = {
        keys: [leaves.day_number(key, layout) for key in keys] for keys in dict.fromkeys(rows)
    }
    complaints = (
        *(leaves.post_number(key, layout) for key in posts),
        *(leaves.type_number(key, layout) for key in types),
        *chain.from_iterable(day_codes.values()),
    )
    if any(isinstance(complaint, str) for complaint in complaints):
        return None
    posts, types = tuple(sorted(posts)), tuple(in_order(types))
    places = [{key: place for place, key in enumerate(names)} for names in (posts, types)]
    outer_places, inner_places = places if post_first else places[::-1]
    lengths = [len(pair) for pair in by_day]
    outer_code = np.repeat(
        [outer_places[key] for key, pairs in tree.items() for _ in pairs], lengths
    )
    inner_code = np.repeat([inner_places[key] for pairs in tree.values() for key in pairs], lengths)
    post, kind = (outer_code, inner_code) if post_first else (inner_code, outer_code)
    known = {keys: np.array(codes, np.int64) for keys, codes in day_codes.items()}
    day = np.concatenate([known[keys] for keys in rows] or [np.zeros(0, np.int64)])
    structs = chain.from_iterable(pair.values() for pair in by_day)
    packed = bytearray()
    try:
        for hours in starmap(_pack, map(msgspec.structs.astuple, structs)):
            packed += hours
    except struct.error:  # beyond 64 bits
        return None
    matrix = np.frombuffer(packed, np.int64).reshape(-1, 24)
    order = np.argsort(cells(post, kind, day, len(types)))
    post, kind, day = post[order], kind[order], day[order]
    count = matrix[order].ravel()
    del matrix, packed  # or there is no room for the frame
    bucket = np.add.outer(day * 24, np.arange(24)).ravel()
    post = np.repeat(post.astype(np.int32), 24)
    kind = np.repeat(kind.astype(np.int32), 24)
    present = count != LEAST
    if not present.all():
        post, kind, bucket, count = post[present], kind[present], bucket[present], count[present]
    span = layout.span
    if span is not None and ((bucket < span.start) | (bucket >= span.end)).any():
        return None
    colons = _count(body.raw, b":") - body.beside.count(b":")
    if colons != len(tree) + len(by_day) + len(day) + len(count):
        return None
    return Leaves(posts, types, post, kind, bucket, count, np.zeros(len(count), np.bool_))


def read_grouping(raw: bytes, layout: Layout) -> Leaves:
    """Take the counts off the JSON of a grouping, sorted; quickly where that will do.

    Raises
    ------
    ResponseShapeError
        With the path to the first spot that is not as the layout says.
    """
    if layout.dimensions in FOUR_DIMENSION_ORDERS:
        body = decode(raw)
        quick = body and read(body, layout)
        if quick is not None:
            return quick
    return add([leaves.read(raw, layout)], layout.name)
