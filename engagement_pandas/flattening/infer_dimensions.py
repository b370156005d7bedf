"""Infer the dimensions of a response whose request is unknown from its keys."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import permutations
from typing import Final

from engagement_pandas.errors import (
    AmbiguousGrouping,
    ResponseShapeError,
    UnsupportedGrouping,
)
from engagement_pandas.request.grouping import Grouping
from engagement_pandas.response.nested_counts.keys import DATE, HOUR, ID
from engagement_pandas.text import format_list, json_path, truncated_repr
from engagement_pandas.vocabulary.dimensions import Dimension
from engagement_pandas.vocabulary.limits import MAX_DIMENSIONS

_LEADING_ZERO: Final = re.compile(r"0[0-9]+")


def _legal() -> Iterable[tuple[Dimension, ...]]:
    for length in range(1, MAX_DIMENSIONS + 1):
        for order in permutations(Dimension, length):
            try:
                yield Grouping(order).dimensions
            except UnsupportedGrouping:
                continue


LEGAL: Final = tuple(_legal())
"""The 27 groupings that a time series can have."""


def groupings_that_fit(levels: Sequence[Collection[str]]) -> tuple[tuple[Dimension, ...], ...]:
    """Return the legal groupings that match the keys of each level.

    The outermost level is first; duplicate keys are allowed.

    >>> [format_list(fit) for fit in groupings_that_fit([["123"], ["impressions"], ["2026-03-01"]])]
    ["['tweet.id', 'engagement.type', 'engagement.day']"]
    >>> len(groupings_that_fit([["impressions"], ["17", "18"]]))
    2
    """
    allowed = [_allowed(keys) for keys in levels]
    return tuple(
        order
        for order in LEGAL
        if len(order) == len(levels)
        and all(dimension in fits for dimension, fits in zip(order, allowed, strict=True))
    )


def _allowed(keys: Collection[str]) -> set[Dimension]:
    """Return the possible dimensions of a level: engagement types match no other pattern."""
    if all(map(DATE.fullmatch, keys)):
        return {Dimension.DAY}
    looks = set()
    if all(map(HOUR.fullmatch, keys)):
        looks.add(Dimension.HOUR)
    # No ID starts with a zero, but hours below ten do.
    if all(ID.fullmatch(key) and not _LEADING_ZERO.fullmatch(key) for key in keys):
        looks.add(Dimension.POST_ID)
    return looks or {Dimension.ENGAGEMENT_TYPE}


def infer(levels: Sequence[Collection[str]], name: str) -> tuple[Dimension, ...]:
    """Return the only legal grouping that matches the keys of each level."""
    if not levels or not all(levels):
        msg = f"the grouping {name!r} has no counts to infer its dimensions from; give group_by"
        raise AmbiguousGrouping(msg)
    fits = groupings_that_fit(levels)
    if len(fits) == 1:
        return fits[0]
    if fits:
        candidates = " or ".join(format_list(fit) for fit in fits)
        msg = f"the keys of {name!r} fit {candidates}; give one of them as group_by"
        raise AmbiguousGrouping(msg)
    samples = ", ".join(truncated_repr(next(iter(keys))) for keys in levels)
    msg = f"keys such as {samples} fit no grouping that the API has; give group_by if they do"
    raise ResponseShapeError(msg, json_path(name))
