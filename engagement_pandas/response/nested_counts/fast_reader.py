"""Read nested counts through msgspec's typed dictionaries; this is how nearly all are read.

An innermost object of four dimensions is decoded into a struct of 24 hours, one of engagement
types into a struct of those that were requested, any other into a dict of integers. That is
quick, but msgspec keeps the last of two members with the same key, and accepts ``1.0`` and
``"1e3"`` for integers. So the bytes are accounted for: every colon and every letter of a float
must belong to a key. What is not certain is left to ``checking_reader``.
"""

from __future__ import annotations

import re
import struct
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, compress, starmap
from typing import Any, Final

import msgspec

from engagement_pandas.response.json_decoding import DECODE_ERRORS
from engagement_pandas.response.nested_counts.members import (
    ABSENT,
    ABSENT_BYTES,
    HOURS,
    Level,
    Members,
)
from engagement_pandas.vocabulary.answer_keys import RESERVED_KEYS
from engagement_pandas.vocabulary.limits import MAX_DIMENSIONS

Tree = dict[str, Any]
Top = Mapping[str, msgspec.Raw]

# A colon follows each key. The letters are all that an integer in JSON never has, but a float may.
_COUNTED: Final = (b":", b".", b"e", b"E")
_OTHERS: Final = bytes({*range(256)} - {*b"{", *b"".join(_COUNTED)})

_RESERVED: Final = tuple(sorted(RESERVED_KEYS))
_NO_MEMBER: Final = msgspec.Raw()  # with a default of None, msgspec would accept null only
_NO_MEMBERS: Final = (_NO_MEMBER,) * len(_RESERVED)

_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_UNSAFE: Final = re.compile(r'[\x00-\x1f"\\]')  # needs an escape in a JSON key

# What a tree takes until it is a frame, in bytes of memory, as measured.
_FREE: Final = 2**25  # any tree may take this; the largest answer takes less
_MOST: Final = 16  # a larger tree: times its JSON
_DAY: Final = 720  # a struct of hours, its integers of 64 bits, and the arrays made from them
_HOUR: Final = 54  # an hour that is present: its integer, and its row of the frame
_OBJECT: Final = 200  # any other dict
_MEMBER: Final = 250  # its member: the place, the integer, its key, and the row


@dataclass(frozen=True, slots=True)
class Decoded:
    """Nested dicts as msgspec decodes them, and the marks of the bytes that they came from.

    ``row`` are the keys of the innermost objects, if these are structs. Of bodies, ``trees`` are
    the dicts of each, ``tops`` the other members of each, unparsed, and ``others`` the marks of
    their JSON.
    """

    marks: bytes
    trees: Sequence[Tree]
    depth: int
    row: tuple[str, ...]
    tops: Sequence[Top] = ()
    others: bytes = b""

    @property
    def hourly(self) -> bool:
        """Whether the innermost objects are the hours of a day."""
        return self.row is HOURS

    def members(self) -> Members | None:
        """Return the counts as flat arrays; None if they may not be all that the JSON holds.

        No body has fewer colons or letters than its tree, so those of all bodies are accounted for
        only if those of each are, and if no two trees share a key.
        """
        collector = _Collector(self.depth - self.hourly, hourly=self.hourly)
        tree = self.trees[0]
        if len(self.trees) > 1:
            tree = dict(chain.from_iterable(map(dict.items, self.trees)))
        collector.collect(tree, 0, ())
        try:
            collector.add_counts()
        except (OverflowError, struct.error):  # beyond 64 bits
            return None
        return collector.members if collector.accounts_for(self.marks, self.others) else None


def decode_bodies(
    bodies: Sequence[bytes], name: str, depth: int, types: tuple[str, ...] = ()
) -> Decoded | None:
    """Decode bodies that have this grouping and no other; None if one is not as expected.

    ``depth`` is the number of dimensions. ``types`` are the requested engagement types, if they
    are the innermost keys. In one pass, since to find the end of a grouping takes a third as long
    as to decode it.
    """
    content = b"".join(bodies)
    if _UNSAFE.search(name) or name in RESERVED_KEYS or b"\\" in content:
        return None
    marks = _marks(content)
    decoded, row = _decoded(bodies, marks, name, depth, types)
    if not decoded:
        return None
    tops = [_top(body) for body in decoded]
    members = [b'"%b":%b' % (key.encode(), raw) for top in tops for key, raw in top.items()]
    others = _marks(b'"%b":' % name.encode()) * len(tops) + _marks(b"".join(members))
    return Decoded(marks, [body.counts for body in decoded], depth, row, tops, others)


def decode_grouping(raw: bytes, depth: int) -> Decoded | None:
    """Decode the JSON of one grouping; None if it is not as expected."""
    if b"\\" in raw:
        raw = without_escapes(raw)
    marks = _marks(raw)
    trees, row = _decoded([raw], marks, None, depth)
    return Decoded(marks, trees, depth, row) if trees else None


def _marks(raw: bytes) -> bytes:
    """Return the characters of JSON that are counted; together, since each search takes as long.

    >>> _marks(b'{"replies": {"2026": "1.0"}}')
    b'{ee:{:.'
    """
    return raw.translate(None, _OTHERS)


def _decoded(
    raws: Sequence[bytes], marks: bytes, name: str | None, depth: int, types: tuple[str, ...] = ()
) -> tuple[list[Any], tuple[str, ...]]:
    """Return what msgspec decodes, if it does, and the keys of the innermost objects if structs."""
    rows = [HOURS] if depth == MAX_DIMENSIONS else []
    rows += [types] if types else []
    for row in (*rows, ()):
        if depth and _is_bounded(sum(map(len, raws)), marks, hourly=row is HOURS):
            try:
                return [*map(_decoder(name, depth, row).decode, raws)], row
            except DECODE_ERRORS:
                continue
    return [], ()


def _top(body: Any) -> Top:
    """Return the members of a decoded body that are not its grouping, unparsed."""
    raws = msgspec.structs.astuple(body)[1:]
    if raws == _NO_MEMBERS:
        return {}
    return {key: raw for key, raw in zip(_RESERVED, raws, strict=True) if raw is not _NO_MEMBER}


@lru_cache(maxsize=64)
def _decoder(name: str | None, depth: int, row: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    """Return a decoder of nested objects, whose innermost have only keys of ``row``, if given."""
    fields = [
        (f"f{place}", int, msgspec.field(default=ABSENT, name=key)) for place, key in enumerate(row)
    ]
    tree: Any = (
        msgspec.defstruct("_Row", fields, forbid_unknown_fields=True, gc=False, frozen=True)
        if row
        else dict[str, int]
    )
    for _ in range(depth - 1):
        tree = dict[str, tree]
    if name is None:
        return msgspec.json.Decoder(tree, strict=False)
    others = [(key, msgspec.Raw, _NO_MEMBER) for key in _RESERVED]
    counts = ("counts", tree, msgspec.field(name=name))
    body = msgspec.defstruct("_Body", [counts, *others], forbid_unknown_fields=True)
    return msgspec.json.Decoder(body, strict=False)


def _is_bounded(size: int, marks: bytes, *, hourly: bool) -> bool:
    """Return whether decoded JSON takes little memory, or a bounded multiple of its own."""
    each, member = (_DAY, _HOUR) if hourly else (_OBJECT, _MEMBER)
    return marks.count(b"{") * each + marks.count(b":") * member <= max(_FREE, _MOST * size)


def without_escapes(raw: bytes) -> bytes:
    r"""Return JSON with each string written as msgspec writes it.

    It is valid JSON. Only control characters, quotes and backslashes are still escaped.

    >>> without_escapes(rb'{"repli\u0065s": "\u0035", "a\/b": 1}')
    b'{"replies": "5", "a/b": 1}'
    """
    parts, done = [], 0
    while (at := raw.find(b"\\", done)) >= 0:
        string = _STRING.match(raw, raw.rfind(b'"', done, at))
        if string is None:
            break
        try:
            text = msgspec.json.encode(msgspec.json.decode(string[0], type=str))
        except DECODE_ERRORS:
            text = string[0]  # half of a surrogate pair, for example
        parts += [raw[done : string.start()], text]
        done = string.end()
    return b"".join((*parts, raw[done:])) if parts else raw


class _Codes(dict[tuple[str, ...], bytes]):
    """The codes of the keys of an object; most objects have the same keys as others."""

    def __init__(self, level: Level) -> None:
        super().__init__()
        self._code = level.__getitem__

    def __missing__(self, keys: tuple[str, ...]) -> bytes:
        """Code the keys of an object, and give new ones a code."""
        self[keys] = codes = array("i", map(self._code, keys)).tobytes()
        return codes


class _Collector:
    """Collects the members of nested dicts, level by level."""

    def __init__(self, depth: int, *, hourly: bool) -> None:
        self.members = Members(hourly=hourly)
        self.members.reach(depth)
        self._innermost: list[Any] = []
        self._seen: list[Counter[tuple[str, ...]]] = [Counter() for _ in range(depth)]

    def collect(self, tree: Tree, depth: int, path: tuple[int, ...]) -> None:
        """Add the keys of a dict, and of all below it but the innermost."""
        above = self.members.above
        if depth == len(above):  # the only one
            self._innermost.append(tree)
            return
        self._seen[depth][tuple(tree)] += 1
        level = self.members.levels[depth]
        if level:
            codes = array("i", map(level.__getitem__, tree))
        else:  # all keys are new: this is quicker than one by one
            codes = array("i", range(len(tree)))
            level.update(zip(tree, codes, strict=True))
        if depth < len(above) - 1:
            for code, inner in zip(codes, tree.values(), strict=True):
                self.collect(inner, depth + 1, (*path, code))
            return
        for column, code in zip(above, path, strict=False):
            column.extend(array("i", [code]) * len(codes))
        above[-1].extend(codes)
        self._innermost.extend(tree.values())

    def add_counts(self) -> None:
        """Add the members of the innermost dicts; all at once, since there may be thousands."""
        members, innermost = self.members, self._innermost
        values: Iterable[Any]
        if innermost and isinstance(innermost[0], msgspec.Struct):
            rows = [*map(msgspec.structs.astuple, innermost)]
            values, names = [*chain.from_iterable(rows)], innermost[0].__struct_encode_fields__
            counts = array("q", values)
            if ABSENT_BYTES not in counts.tobytes():  # quicker than to compare integers
                self._seen[-1][names] += len(rows)
                members.lengths.extend(array("i", [len(names)]) * len(rows))
                members.codes.frombytes(_Codes(members.levels[-1])[names] * len(rows))
                members.counts += counts
                return
            present = [[value != ABSENT for value in row] for row in rows]
            keys = [tuple(compress(names, row)) for row in present]
            values = compress(values, chain.from_iterable(present))
        else:
            keys = [*map(tuple, innermost)]
            values = chain.from_iterable(map(dict.values, innermost))
        self._seen[-1].update(keys)
        members.lengths.extend(map(len, keys))
        members.codes.frombytes(b"".join(map(_Codes(members.levels[-1]).__getitem__, keys)))
        if members.hourly:
            for row in starmap(_day, map(msgspec.structs.astuple, values)):
                members.counts += row
        else:
            members.counts += array("q", values)

    def accounts_for(self, marks: bytes, others: bytes) -> bool:
        """Return whether every colon, point and E of the JSON is one of a key, or follows a key.

        A colon more is a key that occurs twice. A point or an E more is part of a float.
        """
        members = self.members
        letters = dict.fromkeys(_COUNTED, 0)
        for level, seen in zip(members.levels, self._seen, strict=True):
            letters[b":"] += sum(times * len(keys) for keys, times in seen.items())
            names = msgspec.json.encode("".join(level))
            for letter in letters:
                if letter in names:
                    letters[letter] += sum(
                        times * msgspec.json.encode("".join(keys)).count(letter)
                        for keys, times in seen.items()
                    )
        if members.hourly:
            letters[b":"] += len(members.counts) // 8 - members.counts.count(ABSENT_BYTES)
        return all(
            marks.count(letter) - others.count(letter) == times for letter, times in letters.items()
        )


_day: Final = struct.Struct("24q").pack
