"""The members of nested objects, read off the bytes one by one into flat arrays.

As dicts they would take up to fifty times the room of their bytes, and of a key that stands
twice one would be lost. So there are none: each member leaves a code for its key, the place
of its parent and, where it is a leaf, its integer. What a level means is not known here;
``count_arrays`` holds it against the layout.
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
"""Different keys on a level: an answer has 250 posts at most, a file of many answers more."""

MOST_LEVELS: Final = 6
"""One more than any grouping has."""

_BLANK: Final = rb"[ \t\n\r]*+"
_COUNT: Final = rb"-?(?:0|[1-9][0-9]{0,18})"
_KEY: Final = re.compile(
    rb'"([^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+)"' + _BLANK + rb":" + _BLANK
)
_MEMBER: Final = re.compile(
    # A key; what opens an object, or else a count; what closes objects; a comma.
    _KEY.pattern
    + rb'(?:(\{)|"(%b)"|(%b)(?![0-9.eE+-]))' % (_COUNT, _COUNT)
    + _BLANK
    + rb"((?:\}%b)*+)(?:,%b)?" % (_BLANK, _BLANK)
)
_TOP: Final = re.compile(_BLANK + rb"\{" + _BLANK + rb"(\}?)")
_VALUE: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[^\]},\s]++')
_CUT: Final = 61  # more than is shown


@dataclass(slots=True)
class Level:
    """The members at one depth, in the order of the JSON.

    Attributes
    ----------
    names : list of str
        The different keys, in the order in which they come.
    codes, parents : array of int
        Of each member its name's place in these, and its parent's in the level above.
    counts : array of int
        Of the members that are leaves.
    leaf, branch : int or None
        The place of the first member that is a leaf, and of the first that is an object.
    """

    names: list[str] = field(default_factory=list)
    codes: array[int] = field(default_factory=lambda: array("i"))
    parents: array[int] = field(default_factory=lambda: array("i"))
    counts: array[int] = field(default_factory=lambda: array("q"))
    leaf: int | None = None
    branch: int | None = None
    _known: dict[bytes, int] = field(default_factory=dict)  # keys as they stand there
    _owners: array[int] = field(default_factory=lambda: array("i"))  # who had a name last

    def add(self, key: bytes, parent: int) -> str | None:
        """Add a member; return what is wrong with its key, if something is."""
        code = self._known.get(key)
        if code is None:
            try:
                name = (
                    msgspec.json.decode(b'"%b"' % key, type=str) if b"\\" in key else key.decode()
                )
            except DECODE_ERRORS:
                return f"the key {truncated_repr(key)} is not text"
            # Two spellings of a key are the same key.
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
        """Say that the last member is a leaf."""
        self.counts.append(count)
        if self.leaf is None:
            self.leaf = len(self.codes) - 1


def _text(key: bytes) -> str:
    return msgspec.json.decode(b'"%b"' % key, type=str) if b"\\" in key else key.decode()


def path_to(levels: Sequence[Level], depth: int, place: int) -> list[str]:
    """Return the keys that lead to a member.

    Parameters
    ----------
    levels : sequence of Level
    depth : int
        Its level; -1 is above them all.
    place : int
        Its place there.
    """
    keys = []
    for level in reversed(levels[: depth + 1]):
        keys.append(level.names[level.codes[place]])
        place = level.parents[place]
    return keys[::-1]


def read_members(raw: bytes, name: str) -> list[Level]:
    """Read the members of nested objects, level by level.

    Parameters
    ----------
    raw : bytes
        JSON that was found to be well formed.
    name : str
        Of the grouping, for the path of an error.

    Returns
    -------
    list of Level
        Without the levels that have no member.

    Examples
    --------
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
    """Where the reading is: the level, and the places of the objects that are open."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.levels = [Level()]
        self.level = self.levels[0]
        self.parent = 0
        self.done = False
        self._above: list[int] = []

    def descend(self) -> None:
        """Go into the object that the last member is."""
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
        """Leave so many objects."""
        for _ in range(times):
            if not self._above:
                self.done = True
                return
            self.parent = self._above.pop()
            self.level = self.levels[len(self._above)]

    def path(self) -> str:
        """Return the path to the object that is being read."""
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
