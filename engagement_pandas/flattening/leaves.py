"""Leaves: the counts of one grouping, taken off the nested JSON into flat arrays.

:func:`read` is the general path. It takes any order of keys, says where something is
wrong, and decides what is legal; ``hours`` beside it is quicker for the biggest shape and
gives up whenever it is not sure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import repeat
from typing import Any, Final, NoReturn

import numpy as np
import numpy.typing as npt

from engagement_pandas.errors import ResponseShapeError
from engagement_pandas.flattening.spans import Integers, Span, days_since_1970, timing
from engagement_pandas.frame import in_order
from engagement_pandas.vocabulary import MAX_ID_DIGITS, Dimension

Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

LEAST: Final = -(2**63)
MOST: Final = 2**63 - 1

DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
HOUR: Final = re.compile(r"[01][0-9]|2[0-3]")
ID: Final = re.compile(rf"[0-9]{{1,{MAX_ID_DIGITS}}}")
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_LONGEST_INTEGER: Final = 20
_LONGEST_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Layout:
    """What the JSON of one grouping is held against.

    Attributes
    ----------
    name : str
        The key of the grouping, for paths.
    dimensions : tuple of Dimension
        The order of nesting.
    posts : frozenset of str or None
        The IDs asked for; None where nobody knows.
    unavailable : frozenset of str
        The IDs that the answer itself says it does not count.
    span : Span or None
        The hours asked for.
    """

    name: str
    dimensions: tuple[Dimension, ...]
    posts: frozenset[str] | None = None
    unavailable: frozenset[str] = frozenset()
    span: Span | None = None

    def refuse(self, keys: Iterable[str], complaint: str) -> NoReturn:
        """Raise a ResponseShapeError at the spot below the grouping."""
        path = "$" + "".join(f"[{key!r}]" for key in (self.name, *keys))
        raise ResponseShapeError(complaint, path)


@dataclass(frozen=True, slots=True)
class Leaves:
    """Counts as parallel arrays, one element a count.

    Attributes
    ----------
    posts, types : tuple of str
        The names that stand in the answer, in the frame's order; ``("",)`` for posts where
        the grouping sums over them.
    post, type : array of int32
        Places in these.
    bucket : array of int64
        See ``spans``.
    count : array of int64
    missing : array of bool
        Where there is no count.
    """

    posts: tuple[str, ...]
    types: tuple[str, ...]
    post: Codes
    type: Codes
    bucket: Integers
    count: Integers
    missing: Mask

    def __len__(self) -> int:
        return len(self.count)


@dataclass(frozen=True, slots=True)
class _Level:
    """One level of the nesting: its keys, their parents' places in the level above, codes."""

    dimension: Dimension
    keys: list[str]
    parents: list[int]
    names: tuple[str, ...]
    codes: Integers


def post_number(key: str, layout: Layout) -> int | str:
    """Return any number for the ID of a post that may be counted, or what is wrong with it."""
    if not ID.fullmatch(key):
        return f"{key!r} is not a post ID"
    if key in layout.unavailable:
        return f"post {key} is listed as unavailable, and yet counted"
    if layout.posts is not None and key not in layout.posts:
        return f"post {key} was not asked for"
    return 0


def type_number(key: str, _: Layout) -> int | str:
    """Return any number for the name of an engagement type, or what is wrong with it."""
    return 0 if key else "an engagement type has no name"


def day_number(key: str, layout: Layout) -> int | str:
    """Return the days since 1970 of a day, or what is wrong with it."""
    try:
        day = days_since_1970(date.fromisoformat(key)) if DATE.fullmatch(key) else None
    except ValueError:
        day = None
    if day is None:
        return f"{key!r} is not a day (YYYY-MM-DD)"
    span = layout.span
    if span is not None and not span.start // 24 <= day <= (span.end - 1) // 24:
        return f"{key} is not in the window {span}"
    return day


def hour_number(key: str, _: Layout) -> int | str:
    """Return the number of an hour, or what is wrong with it."""
    return int(key) if HOUR.fullmatch(key) else f"{key!r} is not an hour (00 to 23)"


_READERS: Final[Mapping[Dimension, Callable[[str, Layout], int | str]]] = {
    Dimension.POST_ID: post_number,
    Dimension.ENGAGEMENT_TYPE: type_number,
    Dimension.DAY: day_number,
    Dimension.HOUR: hour_number,
}
_ORDERS: Final[Mapping[Dimension, Callable[[Iterable[str]], list[str]]]] = {
    Dimension.POST_ID: sorted,
    Dimension.ENGAGEMENT_TYPE: in_order,
}


def read(nested: object, layout: Layout) -> Leaves:
    """Take the counts off nested JSON.

    Parameters
    ----------
    nested : object
        What stands below the grouping's name, parsed.
    layout : Layout

    Returns
    -------
    Leaves
        In the order of the JSON; hours of the day that come day by day stand once a day.

    Raises
    ------
    ResponseShapeError
        With the path to the first spot that is not as the layout says.
    """
    levels, nodes = _walk(nested, layout)
    count = _counts(nodes, levels, layout)
    zeros = np.zeros(len(count), np.int64)
    codes = dict.fromkeys(Dimension, zeros)
    place = np.arange(len(count))
    for level in reversed(levels):
        codes[level.dimension] = level.codes[place]
        place = np.asarray(level.parents, np.int64)[place]
    by = {level.dimension: level.names for level in levels}
    dated = Dimension.DAY in by
    inside = _inside(codes[Dimension.DAY] * 24 + codes[Dimension.HOUR], by, layout)
    # An hour of the day that the window does not touch may be listed: its 0 counts nothing.
    stray = np.flatnonzero(~inside & (dated | (count != 0)))
    if len(stray):
        layout.refuse(_path(levels, int(stray[0])), f"not in the window {layout.span}")
    match timing(layout.dimensions):
        case True, True:
            bucket = codes[Dimension.DAY] * 24 + codes[Dimension.HOUR]
        case True, False:
            bucket = codes[Dimension.DAY]
        case _:
            bucket = codes[Dimension.HOUR]
    return Leaves(
        posts=by.get(Dimension.POST_ID, ("",)),
        types=by[Dimension.ENGAGEMENT_TYPE],
        post=codes[Dimension.POST_ID][inside].astype(np.int32),
        type=codes[Dimension.ENGAGEMENT_TYPE][inside].astype(np.int32),
        bucket=bucket[inside],
        count=count[inside],
        missing=np.zeros(int(inside.sum()), np.bool_),
    )


def _walk(nested: object, layout: Layout) -> tuple[list[_Level], list[Any]]:
    levels: list[_Level] = []
    nodes: list[Any] = [nested]
    pending = list(layout.dimensions)
    while pending:
        keys, parents, children = _descend(nodes, levels, layout)
        dimension = pending[0]
        # One documented sample of hour without day nests a day level above the hours.
        if (
            dimension is Dimension.HOUR
            and all(level.dimension is not Dimension.DAY for level in levels)
            and any(map(DATE.fullmatch, dict.fromkeys(keys)))
            and Dimension.DAY not in layout.dimensions
        ):
            dimension = Dimension.DAY
        else:
            del pending[0]
        level = _Level(dimension, keys, parents, *_encode(dimension, keys, layout))
        levels.append(level)
        if len(level.codes) < len(keys):
            place = len(level.codes)
            complaint = _READERS[dimension](keys[place], layout)
            layout.refuse(_path(levels, place), str(complaint))
        nodes = children
    return levels, nodes


def _descend(
    nodes: list[Any], levels: list[_Level], layout: Layout
) -> tuple[list[str], list[int], list[Any]]:
    keys: list[str] = []
    parents: list[int] = []
    children: list[Any] = []
    for place, node in enumerate(nodes):
        if not isinstance(node, Mapping):
            layout.refuse(_path(levels, place), f"an object is meant here, not {_shown(node)}")
        keys.extend(node)
        parents.extend(repeat(place, len(node)))
        children.extend(node.values())
    return keys, parents, children


def _encode(
    dimension: Dimension, keys: list[str], layout: Layout
) -> tuple[tuple[str, ...], Integers]:
    """Names and codes of a level; fewer codes than keys where a key is wrong: up to that."""
    read_key = _READERS[dimension]
    lookup: dict[str, int] = {}
    for key in dict.fromkeys(keys):
        number = read_key(key, layout)
        if isinstance(number, str):
            place = keys.index(key)
            return (), np.zeros(place, np.int64)
        lookup[key] = number
    names: tuple[str, ...] = ()
    if dimension in _ORDERS:
        names = tuple(_ORDERS[dimension](lookup))
        lookup = {name: place for place, name in enumerate(names)}
    return names, np.fromiter(map(lookup.__getitem__, keys), np.int64, len(keys))


def _counts(nodes: list[Any], levels: list[_Level], layout: Layout) -> Integers:
    numbers = [integer(node) for node in nodes]
    if None in numbers:
        place = numbers.index(None)
        complaint = f"a count is an integer of at most 64 bits, not {_shown(nodes[place])}"
        layout.refuse(_path(levels, place), complaint)
    return np.array(numbers, np.int64)


def integer(node: object) -> int | None:
    """Return a count, or None where it is not one: ``551``, ``"551"`` and ``"-3"`` are.

    >>> [integer(node) for node in (551, "551", "-3", 1.0, "1e3", " 5", True, None)]
    [551, 551, -3, None, None, None, None, None]
    """
    if type(node) is str and len(node) <= _LONGEST_INTEGER and _INTEGER.fullmatch(node):
        node = int(node)
    return node if type(node) is int and LEAST <= node <= MOST else None


def _inside(moment: Integers, by: Mapping[Dimension, object], layout: Layout) -> Mask:
    span = layout.span
    if span is None or Dimension.HOUR not in by:
        return np.ones(len(moment), np.bool_)
    if Dimension.DAY in by:
        return (moment >= span.start) & (moment < span.end)
    return np.isin(moment, np.arange(span.start, span.end) % 24)


def _path(levels: list[_Level], place: int) -> list[str]:
    keys = []
    for level in reversed(levels):
        keys.append(level.keys[place])
        place = level.parents[place]
    return keys[::-1]


def _shown(node: object) -> str:
    text = repr(node)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
