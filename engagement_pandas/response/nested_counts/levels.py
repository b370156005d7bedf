"""The meaning of the levels of nested objects, and whether their counts fit the request.

Counts that do not fit are rejected here, for every reader of an answer: on arrival, in the
archive, and for flattening.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, cast

from engagement_pandas.response.nested_counts.expected_shape import (
    MOST_TYPES,
    ExpectedShape,
    HourRange,
)
from engagement_pandas.response.nested_counts.keys import KEY_NUMBERS
from engagement_pandas.response.nested_counts.members import ABSENT, ABSENT_BYTES, Members
from engagement_pandas.text import format_list
from engagement_pandas.vocabulary.dimensions import Dimension

SCALES: Final = {Dimension.DAY: 24, Dimension.HOUR: 1}
"""The hours that a number of a dimension stands for."""

_BEYOND: Final = 2**63
_COUNT: Final = 8  # bytes
_ROW: Final = 24 * _COUNT


class Meaning(NamedTuple):
    """The meaning of one level of nested objects.

    ``numbers`` has, for each name on the level, days since 1970, the hour of the day, or 0.
    """

    dimension: Dimension
    numbers: list[int]


def order_of(depth: int, dimensions: Sequence[Dimension]) -> tuple[Dimension, ...] | None:
    """Return the dimension of each level of objects nested that deep; None if there is none.

    One documented answer by hour without day has days above the hours, which are summed.
    """
    if depth == len(dimensions):
        return tuple(dimensions)
    if depth != len(dimensions) + 1 or {Dimension.DAY, Dimension.HOUR} - {*dimensions} != {
        Dimension.DAY
    }:
        return None
    place = dimensions.index(Dimension.HOUR)
    return (*dimensions[:place], Dimension.DAY, *dimensions[place:])


def meanings(
    members: Members, order: Sequence[Dimension] | None, shape: ExpectedShape
) -> list[Meaning] | None:
    """Return the meaning of each level; None if a level or a key has none."""
    if order is None or (members.hourly and order[-1] is not Dimension.HOUR):
        return None
    found = []
    for level, dimension in zip(members.levels, order, strict=False):
        if dimension is Dimension.POST_ID and shape.counts_all(level):
            found.append(Meaning(dimension, [0] * len(level)))
            continue
        parse = KEY_NUMBERS[dimension]
        numbers = [parse(name, shape) for name in level]
        if str in map(type, numbers):
            return None
        found.append(Meaning(dimension, cast("list[int]", numbers)))
    if members.hourly:
        found.append(Meaning(Dimension.HOUR, list(range(24))))
    return found


def complaint(members: Members, keys: Sequence[Meaning], shape: ExpectedShape) -> str | None:
    """Return what is wrong with a grouping of valid keys and counts; None if nothing is."""
    order = [meaning.dimension for meaning in keys]
    types = members.levels[order.index(Dimension.ENGAGEMENT_TYPE)]
    if len(types) > MOST_TYPES:
        return f"there are more than {MOST_TYPES:,} different engagement types"
    if lacking := shape.lacks(types):
        return f"{format_list(lacking)} is missing, and other types are there instead"
    if shape.none_available and Dimension.POST_ID not in order and any(members.counts):
        return "there are counts, although every requested post is unavailable"
    if len(order) > len(shape.dimensions) and _overflows(members, order):
        return "the hours of several days add up to more than 64 bits hold"
    return None


def is_inside(members: Members, keys: Sequence[Meaning], shape: ExpectedShape) -> bool:
    """Return whether the window touches the hour of every count."""
    if members.hourly:
        return shape.span is None or _days_inside(members, keys[-2].numbers, shape.span)
    touched = shape.touched([meaning.dimension for meaning in keys])
    if touched is None:
        return True
    hours = [
        [SCALES.get(meaning.dimension, 0) * number for number in meaning.numbers]
        for meaning in keys
    ]
    return all(
        sum(numbers[code] for numbers, code in zip(hours, cell, strict=True)) in touched
        for cell in _cells(members)
    )


def _days_inside(members: Members, days: Sequence[int], span: HourRange) -> bool:
    """Return whether the first and the last day have no hour outside the window."""
    edges = [(span.start // 24, 0, span.start % 24)]
    if span.end % 24:
        edges.append((span.end // 24, span.end % 24, 24))
    for day, begin, end in edges:
        if begin == end or day not in days:
            continue
        edge, nothing = days.index(day), ABSENT_BYTES * (end - begin)
        for row, code in enumerate(members.codes):
            at = row * _ROW
            if code == edge and (
                members.counts[at + begin * _COUNT : at + end * _COUNT] != nothing
            ):
                return False
    return True


def _cells(members: Members) -> Iterator[tuple[int, ...]]:
    """Yield the codes of the keys of each count, from the outermost."""
    codes = iter(members.codes)
    for *above, length in zip(*members.above, members.lengths, strict=True):
        for _ in range(length):
            yield (*above, next(codes))


def _overflows(members: Members, order: Sequence[Dimension]) -> bool:
    """Return whether the sums over days exceed 64 bits, or may."""
    counts = array("q", bytes(members.counts))
    if sum(abs(count) for count in counts if count != ABSENT or not members.hourly) < _BEYOND:
        return False
    if members.hourly:
        return True  # perhaps
    day = order.index(Dimension.DAY)
    sums: Counter[tuple[int, ...]] = Counter()
    for cell, count in zip(_cells(members), counts, strict=True):
        sums[(*cell[:day], *cell[day + 1 :])] += count
    return not all(-_BEYOND <= number < _BEYOND for number in sums.values())
