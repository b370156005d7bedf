"""Leaves: the counts of one grouping, taken off the nested JSON into flat arrays.

:func:`read` is the general path. It takes any order of keys, says where something is
wrong, and decides what is legal; ``hours`` beside it is quicker for the biggest shape and
gives up whenever it is not sure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NoReturn

import numpy as np
import numpy.typing as npt

from engagement_pandas.errors import ResponseShapeError
from engagement_pandas.flattening.members import Level, path_to, read_members
from engagement_pandas.flattening.spans import Integers, Span, days_since_1970
from engagement_pandas.frame import in_order
from engagement_pandas.vocabulary import MAX_ID_DIGITS, Dimension
from engagement_pandas.wording import shown, spot

Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

LEAST: Final = -(2**63)

MOST_TYPES: Final = 1_000
"""Different engagement types; the API has fewer than twenty."""

DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
HOUR: Final = re.compile(r"[01][0-9]|2[0-3]")
ID: Final = re.compile(rf"[0-9]{{1,{MAX_ID_DIGITS}}}")


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
        raise ResponseShapeError(complaint, spot(self.name, *keys))


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
class _Named:
    """What a level is, and the names or numbers of its members; names in the frame's order."""

    dimension: Dimension
    names: tuple[str, ...]
    codes: Codes


def post_number(key: str, layout: Layout) -> int | str:
    """Return any number for the ID of a post that may be counted, or what is wrong with it."""
    if not ID.fullmatch(key):
        return f"{shown(key)} is not a post ID"
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
        return f"{shown(key)} is not a day (YYYY-MM-DD)"
    span = layout.span
    if span is not None and not span.start // 24 <= day <= (span.end - 1) // 24:
        return f"{key} is not in the window {span}"
    return day


def hour_number(key: str, _: Layout) -> int | str:
    """Return the number of an hour, or what is wrong with it."""
    return int(key) if HOUR.fullmatch(key) else f"{shown(key)} is not an hour (00 to 23)"


_READERS: Final[Mapping[Dimension, Callable[[str, Layout], int | str]]] = {
    Dimension.POST_ID: post_number,
    Dimension.ENGAGEMENT_TYPE: type_number,
    Dimension.DAY: day_number,
    Dimension.HOUR: hour_number,
}
_KEYS: Final[Mapping[Dimension, Callable[[int], str]]] = {
    Dimension.DAY: lambda hour: (date(1970, 1, 1) + timedelta(days=hour // 24)).isoformat(),
    Dimension.HOUR: lambda hour: f"{hour % 24:02d}",
}
_ORDERS: Final[Mapping[Dimension, Callable[[Iterable[str]], list[str]]]] = {
    Dimension.POST_ID: sorted,
    Dimension.ENGAGEMENT_TYPE: in_order,
}


def read(raw: bytes, layout: Layout) -> Leaves:
    """Take the counts off nested JSON.

    Parameters
    ----------
    raw : bytes
        What stands below the grouping's name: JSON that was found to be well formed.
    layout : Layout

    Returns
    -------
    Leaves
        In the order of the JSON; hours of the day that come day by day stand once a day.

    Raises
    ------
    ResponseShapeError
        With the path to a spot that is not as the layout says.
    """
    return held_against(layout, read_members(raw, layout.name))


def held_against(layout: Layout, members: list[Level]) -> Leaves:
    """Take the counts off the members of nested objects, and use these up; as :func:`read`."""
    told = _told(members, layout)
    by = {named.dimension: named.names for named in told}
    order = [named.dimension for named in told]
    count, codes = _of_leaves(members, told)
    post, kind, day, hour = (codes.pop(dimension, np.zeros(0, np.int32)) for dimension in Dimension)
    nothing = np.zeros(len(count), np.int32)
    bucket = (day if len(day) else nothing).astype(np.int64)
    if Dimension.HOUR in by:
        bucket *= 24
        bucket += hour
    outside = _outside(bucket, by, layout)
    # An hour of the day that the window does not touch may be listed: its 0 counts nothing.
    stray = outside if Dimension.DAY in by else outside[count[outside] != 0]
    if len(stray):
        spots = {Dimension.POST_ID: post, Dimension.ENGAGEMENT_TYPE: kind}
        keys = [
            by[d][spots[d][stray[0]]] if d in spots else _KEYS[d](int(bucket[stray[0]]))
            for d in order
        ]
        layout.refuse(keys, f"not in the window {layout.span}")
    if Dimension.HOUR in by and Dimension.DAY not in layout.dimensions:
        bucket = hour.astype(np.int64)
    del day, hour
    post = post if len(post) else nothing
    if len(outside):
        post, kind, bucket, count = (
            np.delete(post, outside),
            np.delete(kind, outside),
            np.delete(bucket, outside),
            np.delete(count, outside),
        )
    return Leaves(
        posts=by.get(Dimension.POST_ID, ("",)),
        types=by[Dimension.ENGAGEMENT_TYPE],
        post=post,
        type=kind,
        bucket=bucket,
        count=count,
        missing=np.zeros(len(count), np.bool_),
    )


def _of_leaves(members: list[Level], told: list[_Named]) -> tuple[Integers, dict[Dimension, Codes]]:
    """Return the counts, and their codes on each level; many leave little room for more."""
    codes = {named.dimension: np.zeros(0, np.int32) for named in told}
    if len(members) < len(told):  # objects of nothing
        return np.zeros(0, np.int64), codes
    count = np.frombuffer(members[-1].counts, np.int64)
    place: Codes | slice = slice(None)
    while members:
        level, named = members.pop(), told.pop()
        codes[named.dimension] = named.codes[place]
        place = np.frombuffer(level.parents, np.int32)[place]
    return count, codes


def _told(members: list[Level], layout: Layout) -> list[_Named]:
    """Tell what each level means, those below the last that has a member included."""
    told: list[_Named] = []
    pending = list(layout.dimensions)
    while pending:
        depth = len(told)
        level = members[depth] if depth < len(members) else Level()
        dimension = pending[0]
        # One documented sample of hour without day nests a day level above the hours.
        if (
            dimension is Dimension.HOUR
            and Dimension.DAY not in layout.dimensions
            and all(named.dimension is not Dimension.DAY for named in told)
            and any(map(DATE.fullmatch, level.names))
        ):
            dimension = Dimension.DAY
        else:
            del pending[0]
        told.append(_named(dimension, members, depth, layout))
        if pending and level.leaf is not None:
            keys = path_to(members, depth, level.leaf)
            layout.refuse(keys, f"an object is meant here, not {level.counts[0]}")
        if not pending and level.branch is not None:
            keys = path_to(members, depth, level.branch)
            layout.refuse(keys, "a count is an integer of at most 64 bits, not an object")
    return told


def _named(dimension: Dimension, members: list[Level], depth: int, layout: Layout) -> _Named:
    """Read the keys of a level."""
    level = members[depth] if depth < len(members) else Level()
    numbers: list[int] = []
    for code, key in enumerate(level.names):
        number = _READERS[dimension](key, layout)
        if dimension is Dimension.ENGAGEMENT_TYPE and code >= MOST_TYPES:
            number = f"there are more than {MOST_TYPES:,} different engagement types"
        if isinstance(number, str):
            layout.refuse(path_to(members, depth, level.codes.index(code)), number)
        numbers.append(number)
    names: tuple[str, ...] = ()
    if dimension in _ORDERS:
        names = tuple(_ORDERS[dimension](level.names))
        places = {name: place for place, name in enumerate(names)}
        numbers = [places[name] for name in level.names]
    codes = np.array(numbers, np.int32)[np.frombuffer(level.codes, np.int32)]
    return _Named(dimension, names, codes)


def _outside(bucket: Integers, by: Mapping[Dimension, object], layout: Layout) -> Integers:
    """Return the places of the counts that are not in the window."""
    span = layout.span
    if span is None or Dimension.HOUR not in by:
        return np.zeros(0, np.int64)
    if Dimension.DAY in by:
        return np.flatnonzero((bucket < span.start) | (bucket >= span.end))
    return np.flatnonzero(~np.isin(bucket, np.arange(span.start, span.end) % 24))
