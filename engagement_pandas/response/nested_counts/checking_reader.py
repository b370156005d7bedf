"""Read nested counts object by object: slowly, in bounded memory, and with an error for a path.

``fast_reader`` leaves unclear bodies to this module. A body that is not an answer, of any
size, costs no more memory than some multiples of its size, since only the keys of the open
objects are held.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Container
from itertools import compress
from typing import Final, NoReturn

import msgspec

from engagement_pandas.errors import ResponseShapeError
from engagement_pandas.response.json_decoding import decode_object
from engagement_pandas.response.nested_counts.expected_shape import MOST_TYPES, ExpectedShape
from engagement_pandas.response.nested_counts.fast_reader import without_escapes
from engagement_pandas.response.nested_counts.keys import DATE, KEY_NUMBERS
from engagement_pandas.response.nested_counts.levels import SCALES, complaint, meanings, order_of
from engagement_pandas.response.nested_counts.members import Members
from engagement_pandas.text import json_path
from engagement_pandas.vocabulary.dimensions import Dimension

MOST_NAMES: Final = 100_000
"""Maximum different keys on a level; an answer has at most 250 posts, a file of many more."""

MOST_LEVELS: Final = 5
"""Maximum depth of any grouping: four dimensions, and days above the hours of the day."""

_COUNT: Final = re.compile(rb'("?)(-?(?:0|[1-9][0-9]{0,18}))\1')
_LONGEST_COUNT: Final = 22  # bytes, with quotes
_CUT: Final = 61  # one more than messages show
_KINDS: Final = {b"{": "an object", b"[": "a list"}


def read_objects(
    raw: bytes, name: str, shape: ExpectedShape | None
) -> tuple[Members, tuple[Dimension, ...]]:
    """Read the members of nested objects, and the dimensions of their levels.

    They are validated if their shape is known. ``name`` is that of the grouping. Zeros in hours
    of the day that the window does not touch are left out.

    >>> members, _ = read_objects(b'{"likes": {"07": "551", "08": 412}}', "g", None)
    >>> [list(level) for level in members.levels], array("q", bytes(members.counts)).tolist()
    ([['likes'], ['07', '08']], [551, 412])
    """
    reader = _Reader(name, shape)
    reader.read(without_escapes(raw) if b"\\" in raw else raw, 0, 0)
    if shape is not None:
        reader.members.reach(len(reader.order))
        keys = meanings(reader.members, reader.order, shape)
        if message := complaint(reader.members, keys or (), shape):
            raise ResponseShapeError(message, json_path(name))
    return reader.members, reader.order


class _Reader:
    """What was read so far, and the keys of the open objects."""

    def __init__(self, name: str, shape: ExpectedShape | None) -> None:
        self.members = Members()
        self.shape = shape
        self.order: tuple[Dimension, ...] = () if shape is None else shape.dimensions
        self.depth = len(self.order)  # 0 while it is unknown
        self._path = [name]
        self._codes: list[int] = []
        self._hours: list[dict[str, int]] = []  # per level: what each name adds to the hour

    def read(self, raw: bytes | msgspec.Raw, depth: int, hour: int) -> None:
        """Read an object. ``hour`` is the hour that the keys above it have come to."""
        members = self._members(raw, depth)
        self._learn(members, depth)
        self.members.reach(depth + 1)
        codes = array("i", (self._code(str(key), depth) for key in members))
        if depth == self.depth - 1:
            self._add(members, codes, hour)
            return
        for code, (key, inner) in zip(codes, members.items(), strict=True):
            self._path.append(key)
            self._codes.append(code)
            self.read(inner, depth + 1, hour + self._hours[depth].get(key, 0))
            del self._path[-1], self._codes[-1]

    def _members(self, raw: bytes | msgspec.Raw, depth: int) -> dict[str, msgspec.Raw]:
        if depth == MOST_LEVELS:
            self._refuse("objects are nested deeper here than in any grouping")
        if (value := _value(raw)) != "an object":
            self._refuse(f"an object is expected here, not {value}")
        return decode_object(raw, MOST_NAMES, *self._path)

    def _learn(self, members: dict[str, msgspec.Raw], depth: int) -> None:
        """Learn from the first members at a depth how deep the objects are nested."""
        if not members or (depth < len(self.members.levels) and self.members.levels[depth]):
            return
        if self.shape is None and not self.depth:
            key, first = next(iter(members.items()))
            if (value := _value(first)) != "an object":
                self.depth = depth + 1
                if len(self.members.levels) > self.depth:  # others are nested deeper
                    self._refuse(f"an object is expected here, not {value}", key)
        elif self.order[depth : depth + 1] == (Dimension.HOUR,):
            with_days = order_of(len(self.order) + 1, self.order)
            if with_days and any(map(DATE.fullmatch, members)):
                self.order, self.depth = with_days, len(with_days)

    def _code(self, key: str, depth: int) -> int:
        """Return the code of a key, after a check if it is new."""
        level = self.members.levels[depth]
        if key in level:
            return level[key]
        if len(level) == MOST_NAMES:
            self._refuse(f"there are more than {MOST_NAMES:,} different keys on one level")
        while len(self._hours) <= depth:
            self._hours.append({})
        if self.shape is not None:
            number = KEY_NUMBERS[self.order[depth]](key, self.shape)
            if self.order[depth] is Dimension.ENGAGEMENT_TYPE and len(level) == MOST_TYPES:
                number = f"there are more than {MOST_TYPES:,} different engagement types"
            if isinstance(number, str):
                self._refuse(number, key)
            self._hours[depth][key] = number * SCALES.get(self.order[depth], 0)
        return level[key]

    def _add(self, members: dict[str, msgspec.Raw], codes: array[int], hour: int) -> None:
        """Add the members of an innermost object."""
        counts = [self._count(key, raw) for key, raw in members.items()]
        touched = None if self.shape is None else self.shape.touched(self.order)
        if touched is not None:
            kept = [
                self._is_inside(key, count, hour + self._hours[self.depth - 1][key], touched)
                for key, count in zip(members, counts, strict=True)
            ]
            codes, counts = array("i", compress(codes, kept)), [*compress(counts, kept)]
        self.members.add(self._codes, codes, array("q", counts).tobytes())

    def _count(self, key: str, raw: msgspec.Raw) -> int:
        view = memoryview(raw)
        match = _COUNT.fullmatch(view) if view.nbytes <= _LONGEST_COUNT else None
        if match and -(2**63) <= (count := int(match[2])) < 2**63:
            return count
        return self._refuse(f"a count is an integer of at most 64 bits, not {_value(raw)}", key)

    def _is_inside(self, key: str, count: int, hour: int, touched: Container[int]) -> bool:
        """Return whether the window touches an hour; raise if it does not, but was counted."""
        if hour in touched:
            return True
        # A zero is allowed in an hour of the day that the window does not touch.
        if count or Dimension.DAY in self.order:
            self._refuse(f"not in the window {self.shape and self.shape.span}", key)
        return False

    def _refuse(self, message: str, *keys: str) -> NoReturn:
        raise ResponseShapeError(message, json_path(*self._path, *keys))


def _value(raw: bytes | msgspec.Raw) -> str:
    """Return a value for a message; of an object or a list only that it is one."""
    start = bytes(memoryview(raw)[:_CUT]).lstrip()
    return _KINDS.get(start[:1]) or start.decode("utf-8", "replace")
