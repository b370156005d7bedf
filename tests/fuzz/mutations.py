"""Bodies of responses with random changes of keys, levels, counts and bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fuzz.oracle import DAY, HOUR, LEGAL, POST, TYPE
from hypothesis import strategies as st

Node = Any
"""A list of pairs of raw keys and nodes, or a raw leaf: JSON without an interpretation."""

KEYS: Final = {
    POST: ['"1"', '"20"', '"1060976163948904448"'],
    TYPE: ['"impressions"', '"favorites"', '"video_views"'],
    DAY: ['"2015-09-14"', '"2015-09-15"', '"2026-03-01"'],
    HOUR: ['"00"', '"07"', '"23"'],
}
UNUSUAL_KEYS: Final = [
    *('"\\u0031"', '"0\\u0037"', '"24"', '"7"', '"-1"', '"007"', '"2026-02-30"', '"0000-01-01"'),
    *('"9999-12-31"', '"2026-3-1"', '"20260301"', '"2026-03-01T00"', '"\u0661"', '"\u00b2"', '""'),
    *('" 1"', '"1 "', '"1\\n"', '"\\ud800"', '"\\ud83d\\ude00"', '"\\udc00\\ud800"', '"zaps"'),
    *('"1e3"', '"a.b"', '"E"', '"\\u0000"', '"\\/"', '"errors"', '"start"', '"g"', '"h"'),
    *(
        '"unavailable_tweet_ids"',
        '"unsupported_for_video_views_tweet_ids"',
        '"12345678901234567890"',
    ),
    *(
        '"impressions\\u0020"',
        '"FAVORITES"',
        f'"{"9" * 200}"',
        f'"{"x" * 5000}"',
        "1",
        "null",
        "'a'",
    ),
]
UNUSUAL_COUNTS: Final = [
    *("551", '"551"', "-3", '"-3"', "0", '"0"', "-0", '"-0"', "1.0", "-0.0", "1e3", "1E3", '"1e3"'),
    *('"1.0"', '" 5"', '"5 "', '"+5"', "+5", '"\u0663"', '""', '"NaN"', "NaN", "Infinity"),
    *("-Infinity", "null", '"null"', "true", "false", '"true"', "[]", "{}", "[1]", '{"a": 1}'),
    *("9223372036854775807", "-9223372036854775808", '"-9223372036854775808"', '"5\\u0000"'),
    *("9223372036854775808", '"9223372036854775808"', "18446744073709551616", "00", '"007"'),
    *(f'"{"9" * 40}"', "1" * 400, "1" * 5000, "1E400", "1e-400", '"5_0"', '"\\u0035"', "0x1"),
    *("'5'", '"\\ud800"', "-", '"-"', '"--5"', "1e", ".5", "5.", "\uff15", '"\uff15"', "undefined"),
]
UNUSUAL_FIELDS: Final = [
    *(
        '"start": "0001-01-01T00:00:00Z"',
        '"start": "9999-12-31T23:59:59Z"',
        '"start": "0000-01-01"',
    ),
    *('"end": "9999-12-31T23:59:59Z"', '"start": "292278994-08-17T07:12:55Z"', '"start": null'),
    *('"start": "2015-09-14T00:00:00Z"', '"end": "2015-09-15T00:00:00Z"', '"end": 1e400'),
    *('"end": "2015-09-15T01:00:00Z"', '"start": "2015-09-14T22:30:00+02:00"', '"end": "-1"'),
    *('"unavailable_tweet_ids": ["20"]', '"unavailable_tweet_ids": [20]', '"errors": ["no"]'),
    *('"unavailable_tweet_ids": null', '"unavailable_tweet_ids": {}', '"errors": "no"'),
    *('"unsupported_for_video_views_tweet_ids": ["1", "20"]', '"errors": [{"message": "no"}]'),
    *('"unavailable_tweet_ids": [2.0]', '"unavailable_tweet_ids": [true]', '"h": {}', '"h": 5'),
    *('"unsupported_for_impressions_engagements_tweet_ids": ["1"]', '"errors": ["\\ud800"]'),
]
NEARLY: Final = ['"1e3"', "1e3", '"1E3"', "1E3", '"1.0"', "1.0", '" 5"', "null", "{}", '"0"', "0"]
WINDOWS: Final = [
    ("2015-09-14T20:00:00Z", "2015-09-15T00:00:00Z"),
    ("2015-09-14T20:00:00Z", "2015-09-15T08:00:00Z"),
    ("2015-09-14T22:30:00Z", "2015-09-15T22:30:00Z"),
    ("2015-09-14T23:00:00Z", "2015-09-15T23:00:00Z"),
    ("2015-09-14T23:00:00Z", "2015-09-15T22:00:00Z"),
    ("2015-09-15", "2015-09-16"),
    ("2015-09-10T00:00:00Z", "2015-09-13T00:00:00Z"),
    ("2026-03-02", "2026-03-01"),
    ("0001-01-01T00:00:00Z", "9999-12-31T22:00:00Z"),
]
_BLANKS: Final = ["", " ", "\n", "\t ", "\r\n"]


def nested(order: tuple[str, ...], keys: dict[str, list[str]], leaf: Callable[[], str]) -> Node:
    """Return a complete response of an order."""
    if not order:
        return leaf()
    return [[key, nested(order[1:], keys, leaf)] for key in keys[order[0]]]


def objects(node: Node) -> list[Node]:
    """Return all objects in a node, itself first."""
    if not isinstance(node, list):
        return []
    return [node, *(inner for _, child in node for inner in objects(child))]


def _swap_levels(node: Node) -> None:
    """Put the keys of an object below those of its members."""
    swapped: dict[str, list[Any]] = {}
    for key, child in node:
        for inner, leaf in child if isinstance(child, list) else [['"x"', child]]:
            swapped.setdefault(inner, []).append([key, leaf])
    node[:] = [[key, value] for key, value in swapped.items()]


def _rename(draw: st.DrawFn, node: Node, position: int) -> None:
    node[position][0] = draw(st.sampled_from(UNUSUAL_KEYS))


def _exchange(draw: st.DrawFn, node: Node, position: int) -> None:
    node[position][0] = draw(st.sampled_from([key for names in KEYS.values() for key in names]))


def _again(draw: st.DrawFn, node: Node, position: int) -> None:
    node.append([draw(st.sampled_from([node[position][0], *UNUSUAL_KEYS])), node[position][1]])


def _leaf(draw: st.DrawFn, node: Node, position: int) -> None:
    node[position][1] = draw(st.sampled_from(UNUSUAL_COUNTS))


def _nearly(draw: st.DrawFn, node: Node, position: int) -> None:
    while isinstance(node[position][1], list) and node[position][1]:
        node, position = node[position][1], 0
    node[position][1] = draw(st.sampled_from(NEARLY))


def _lift(_: st.DrawFn, node: Node, position: int) -> None:
    child = node[position][1]
    node[position][1] = child[0][1] if isinstance(child, list) and child else "5"


def _deepen(draw: st.DrawFn, node: Node, position: int) -> None:
    depth = draw(st.sampled_from([1, 2, 7, 20_000]))
    inner = to_json(node[position][1], "")
    node[position][1] = '{"1":' * depth + inner + "}" * depth


CHANGES: Final[list[Callable[[st.DrawFn, Node, int], None]]] = [
    lambda _, node, position: node.pop(position),
    lambda _, node, position: node.append(list(node[position])),
    lambda _, node, position: node[position].__setitem__(1, []),
    lambda _, node, __: _swap_levels(node),
    _again,
    _deepen,
    _exchange,
    _leaf,
    _lift,
    _nearly,
    _nearly,
    _rename,
]
"""Changes of a member of an object, in place."""


def _hide(node: Node) -> None:
    """Escape an e in each key of types and add one to a count below: as many as before."""
    for pair in (pair for member in objects(node) for pair in member):
        filled = [below for below in objects(pair[1]) if below]
        if "e" in pair[0] and filled and not isinstance(filled[-1][0][1], list):
            pair[0] = pair[0].replace("e", "\\u0065", 1)
            filled[-1][0][1] = '"1e3"'


@st.composite
def trees(draw: st.DrawFn, order: tuple[str, ...], known: dict[str, list[str]]) -> Node:
    """Draw a response of an order with up to three changes."""
    keys = {
        dimension: draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
        for dimension, names in known.items()
    }
    number = st.just(0) | st.integers(-3, 10**6)
    leaf = number.flatmap(lambda n: st.sampled_from([str(n), f'"{n}"']))
    tree = nested(order, keys, lambda: draw(leaf))
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
        filled = [node for node in objects(tree) if node]
        if not filled:
            break
        node = draw(st.sampled_from(filled))
        draw(st.sampled_from(CHANGES))(draw, node, draw(st.integers(0, len(node) - 1)))
    if draw(st.sampled_from([True] + 9 * [False])):
        _hide(tree)
    return tree


def to_json(node: Node, blank: str) -> str:
    """Encode a node as JSON."""
    if not isinstance(node, list):
        return str(node)
    inner = f",{blank}".join(f"{key}{blank}:{blank}{to_json(child, blank)}" for key, child in node)
    return f"{{{blank}{inner}{blank}}}"


def _flip(draw: st.DrawFn, body: bytes, position: int) -> bytes:
    flipped = bytearray(body or b"x")
    flipped[position % len(flipped)] ^= 1 << draw(st.integers(0, 7))
    return bytes(flipped)


def _put(draw: st.DrawFn, body: bytes, position: int) -> bytes:
    inserted = [
        b"\xff",
        b"\xed\xa0\x80",
        b"\\",
        b'"',
        b"{",
        b"\0",
        b"\xc3\xa9",
        b" ",
        b"/**/",
        b",",
    ]
    return body[:position] + draw(st.sampled_from(inserted)) + body[position:]


SCRAMBLES: Final[list[Callable[[st.DrawFn, bytes, int], bytes]]] = [
    lambda _, body, position: body[:position],
    lambda _, body, position: body[:position] + body[position + 1 :],
    lambda _, body, __: b"\xef\xbb\xbf" + body,
    lambda _, body, __: body.decode("utf-8", "replace").encode("utf-16-le"),
    lambda draw, body, _: body + draw(st.sampled_from([b"x", b"}", b"\0", b"\n", b",", b"null"])),
    lambda draw, body, _: body + draw(st.sampled_from([b"", b"\n", b","])) + body,
    _flip,
    _put,
]
"""Changes of the bytes."""


@st.composite
def scrambled(draw: st.DrawFn, body: bytes) -> bytes:
    """Draw a body with changed bytes."""
    return draw(st.sampled_from(SCRAMBLES))(draw, body, draw(st.integers(0, len(body))))


@st.composite
def bodies(
    draw: st.DrawFn,
    orders: tuple[tuple[str, ...], ...] = LEGAL,
    known: dict[str, list[str]] = KEYS,
    windows: list[tuple[str, str]] = WINDOWS,
) -> tuple[Any, bytes]:
    """Draw an order, and the body of a response to it with changes."""
    order = draw(st.sampled_from(orders))
    blank = draw(st.sampled_from(_BLANKS))
    parts = [f'"g":{blank}{to_json(draw(trees(order, known)), blank)}']
    if draw(st.booleans()):
        start, end = draw(st.sampled_from(windows))
        parts += [f'"start": "{start}"', f'"end": "{end}"']
    if draw(st.sampled_from([True] + 4 * [False])):
        parts.append('"unavailable_tweet_ids": ["20"]')
    if draw(st.sampled_from([True, False, False])):
        parts += draw(st.lists(st.sampled_from(UNUSUAL_FIELDS), min_size=1, max_size=2))
    if draw(st.sampled_from([True] + 9 * [False])):
        parts.append(draw(st.sampled_from(parts)))
    text = "{" + ",".join(draw(st.permutations(parts))) + "}"
    body = text.encode("utf-8", "surrogatepass")
    return order, draw(scrambled(body)) if draw(st.sampled_from([True, False, False])) else body


def documented(folder: Any) -> list[bytes]:
    """Return the documented and captured responses."""
    return [file.read_bytes() for file in sorted(folder.glob("*.json"))]


__all__ = ["bodies", "documented", "scrambled"]
