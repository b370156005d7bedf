"""Scanner that reads the members of nested objects from bytes into flat arrays.

As dicts they would take up to fifty times the memory of the bytes, and duplicate keys would be
lost. So each member is stored as a code for its key, the index of its parent and, if it is a
leaf, its integer. The meaning of the levels is not known here; ``expected_shape`` checks them
against the layout.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from engagement_pandas.errors import ResponseShapeError
from engagement_pandas.response.envelope import DECODE_ERRORS
from engagement_pandas.text import json_path, truncated_repr

MOST_NAMES: Final = 100_000
"""Maximum different keys on a level; an answer has at most 250 posts, a file of many more."""

MOST_LEVELS: Final = 6
"""One more than any grouping has."""

_BLANK: Final = rb"[ \t\n\r]*+"
_COUNT: Final = rb"-?(?:0|[1-9][0-9]{0,18})"
_KEY: Final = re.compile(
    rb'"([^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+)"' + _BLANK + rb":" + _BLANK
)
_MEMBER: Final = re.compile(
    # A key; the start of an object, or else a count; the ends of objects; a comma.
    _KEY.pattern
    + rb'(?:(\{)|"(%b)"|(%b)(?![0-9.eE+-]))' % (_COUNT, _COUNT)
    + _BLANK
    + rb"((?:\}%b)*+)(?:,%b)?" % (_BLANK, _BLANK)
)
_TOP: Final = re.compile(_BLANK + rb"\{" + _BLANK + rb"(\}?)")
_VALUE: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[^\]},\s]++')
_CUT: Final = 61  # one more than messages show


@dataclass(slots=True)
class Level:
    """The members at one depth, in the order of the JSON.

    ``names`` are the different keys, in order of first occurrence. For each member, ``codes``
    has the index of its name in ``names``, and ``parents`` that of its parent one level above.
    ``counts`` are the values of the leaves. ``leaf`` and ``branch`` are the index of the first
    member that is a leaf, and of the first that is an object, or None.
    """

    names: list[str] = field(default_factory=list)
    codes: array[int] = field(default_factory=lambda: array("i"))
    parents: array[int] = field(default_factory=lambda: array("i"))
    counts: array[int] = field(default_factory=lambda: array("q"))
    leaf: int | None = None
    branch: int | None = None
    _known: dict[bytes, int] = field(default_factory=dict)  # codes by raw key
    _owners: array[int] = field(default_factory=lambda: array("i"))  # last parent of each name

    def add(self, key: bytes, parent: int) -> str | None:
        """Add a member; return what is wrong with its key, or None."""
        code = self._known.get(key)
        if code is None:
            try:
                name = (
                    msgspec.json.decode(b'"%b"' % key, type=str) if b"\\" in key else key.decode()
                )
            except DECODE_ERRORS:
                return f"the key {truncated_repr(key)} is not text"
            # A key may be spelt with or without escapes.
            code = self._known.setdefault(name.encode(), len(self.names))
            self._known[key] = code
            if code == len(self.names):
                if code == MOST_NAMES:
                    return f"there are more than {MOST_NAMES:,} different keys on one level"
                self.names.append(name)
                self._owners.append(-1)
        if self._owners[code] == parent:
            return f"the key {truncated_repr(self.names[code])} stands twice in one object"
        self._owners[code] = parent
        self.codes.append(code)
        self.parents.append(parent)
        return None

    def add_count(self, count: int) -> None:
        """Record that the last member is a leaf with this count."""
        self.counts.append(count)
        if self.leaf is None:
            self.leaf = len(self.codes) - 1


def _text(key: bytes) -> str:
    return msgspec.json.decode(b'"%b"' % key, type=str) if b"\\" in key else key.decode()


def path_to(levels: Sequence[Level], depth: int, place: int) -> list[str]:
    """Return the keys on the path to the member at index ``place`` of level ``depth``.

    Level -1 is above all of them.
    """
    keys = []
    for level in reversed(levels[: depth + 1]):
        keys.append(level.names[level.codes[place]])
        place = level.parents[place]
    return keys[::-1]


def read_members(raw: bytes, name: str) -> list[Level]:
    """Read the members of nested objects, level by level; levels without members are left out.

    ``raw`` is well-formed JSON, already checked. ``name`` is the grouping's, for error paths.

    >>> likes, hours = read_members(b'{"likes": {"07": "551", "08": 412}}', "g")
    >>> likes.names, hours.names, hours.parents.tolist(), hours.counts.tolist()
    (['likes'], ['07', '08'], [0, 0], [551, 412])
    """
    top = _TOP.match(raw)
    if top is None:
        msg = f"an object is meant here, not {raw[:_CUT].decode('utf-8', 'replace')}"
        raise ResponseShapeError(msg, json_path(name))
    if top[1]:
        return []
    walk, end = _Walk(name), top.end()
    members = _MEMBER.scanner(raw, end)  # type: ignore[attr-defined]
    for member in iter(members.match, None):
        key, opened, text, number, closed = member.groups()
        if complaint := walk.level.add(key, walk.parent):
            raise ResponseShapeError(complaint, walk.path())
        if opened:
            walk.descend()
        else:
            try:
                walk.level.add_count(int(text or number))
            except OverflowError:
                break
        end = member.end()
        if closed:
            walk.ascend(closed.count(b"}"))
    if not walk.done:
        raise _no_count(raw, end, walk.path())
    return [level for level in walk.levels if level.codes]


class _Walk:
    """The position of the scanner: the level, and the indices of the open objects."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.levels = [Level()]
        self.level = self.levels[0]
        self.parent = 0
        self.done = False
        self._above: list[int] = []

    def descend(self) -> None:
        """Enter the object that is the last member."""
        place = len(self.level.codes) - 1
        if self.level.branch is None:
            self.level.branch = place
        self._above.append(self.parent)
        self.parent = place
        depth = len(self._above)
        if depth == MOST_LEVELS:
            msg = "objects are nested deeper here than in any grouping"
            raise ResponseShapeError(msg, self.path())
        if depth == len(self.levels):
            self.levels.append(Level())
        self.level = self.levels[depth]

    def ascend(self, times: int) -> None:
        """Leave that many objects."""
        for _ in range(times):
            if not self._above:
                self.done = True
                return
            self.parent = self._above.pop()
            self.level = self.levels[len(self._above)]

    def path(self) -> str:
        """Return the path to the current object."""
        return json_path(self.name, *path_to(self.levels, len(self._above) - 1, self.parent))


def _no_count(raw: bytes, at: int, path: str) -> ResponseShapeError:
    """Return the error for a member that is neither an object nor a count."""
    key = _KEY.match(raw, at)
    value = key and _VALUE.match(raw, key.end())
    if not key or not value:
        return ResponseShapeError("the grouping is not JSON that can be read", path)
    text = value[0][:_CUT].decode("utf-8", "replace")
    try:
        name = _text(key[1])
    except DECODE_ERRORS:
        return ResponseShapeError(f"the key {truncated_repr(key[1])} is not text", path)
    msg = f"a count is an integer of at most 64 bits, not {text}"
    return ResponseShapeError(msg, path + json_path(name).removeprefix("$"))
