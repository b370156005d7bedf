"""The members of a grouping's nested objects as flat arrays.

As dicts they would take up to fifty times the memory of the JSON. ``fast_reader`` and
``checking_reader`` fill the arrays; ``expected_shape`` gives the levels their meaning.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

HOURS: Final = tuple(f"{hour:02d}" for hour in range(24))
"""The keys of a day."""

ABSENT: Final = -1_000_000_007
"""Stands for an absent hour. No net loss of a billion in an hour is expected; a count that has
this value makes the fast path give up. Python converts integers below 2**30 faster than others."""

ABSENT_BYTES: Final = struct.pack("q", ABSENT)
"""An absent hour in ``Members.counts``."""


class Level(dict[str, int]):
    """The different keys at one depth, each with its code: 0, 1, 2 in order of occurrence."""

    __slots__ = ()

    def __missing__(self, name: str) -> int:
        """Give a new key the next code."""
        self[name] = code = len(self)
        return code


@dataclass(slots=True)
class Members:
    """The counts of a grouping, each with the keys above it.

    ``levels`` are the keys of each depth. Counts are grouped by the innermost object that holds
    them: ``above`` has, for each depth above, the code of the key that leads to each object, and
    ``lengths`` the number of its members. ``codes`` has the code of each member's key.
    ``counts`` has the members' values: one integer of 64 bits each, or, if ``hourly``, one for
    each hour of a day, ``ABSENT`` where the answer has none.
    """

    levels: list[Level] = field(default_factory=list)
    hourly: bool = False
    above: list[array[int]] = field(default_factory=list)
    lengths: array[int] = field(default_factory=lambda: array("i"))
    codes: array[int] = field(default_factory=lambda: array("i"))
    counts: bytearray = field(default_factory=bytearray)

    def reach(self, depth: int) -> None:
        """Have levels for objects nested that deep."""
        while len(self.levels) < depth:
            self.levels.append(Level())
            if len(self.levels) > 1:
                self.above.append(array("i"))

    def add(self, path: Sequence[int], codes: array[int], counts: bytes) -> None:
        """Add an innermost object: the codes on the way to it, and those of its members."""
        for above, code in zip(self.above, path, strict=True):
            above.append(code)
        self.lengths.append(len(codes))
        self.codes.extend(codes)
        self.counts += counts

    @property
    def depth(self) -> int:
        """How many dimensions the counts have."""
        return len(self.levels) + self.hourly

    def names(self) -> list[Sequence[str]]:
        """Return the keys of each depth, including the hours of an hourly grouping."""
        names: list[Sequence[str]] = [tuple(level) for level in self.levels]
        if self.hourly:
            hours = array("q", bytes(self.counts))
            names.append(HOURS[:1] if hours.count(ABSENT) < len(hours) else ())
        return names
