"""Groupings of counts: ordered dimensions, and the rules for several groupings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from engagement_pandas.errors import UnsupportedGrouping
from engagement_pandas.text import format_list
from engagement_pandas.vocabulary.answer_keys import RESERVED_KEYS
from engagement_pandas.vocabulary.dimensions import Dimension
from engagement_pandas.vocabulary.endpoints import ENDPOINTS, Endpoint
from engagement_pandas.vocabulary.limits import (
    FOUR_DIMENSION_ORDERS,
    MAX_DIMENSIONS,
    MAX_FOUR_DIMENSION_GROUPINGS,
    MAX_GROUPINGS,
)


@dataclass(frozen=True, slots=True, repr=False)
class Grouping:
    """Ordered dimensions; the response nests in the same order.

    Parameters
    ----------
    dimensions : sequence of str or Dimension
        1 to 4 of ``tweet.id``, ``engagement.type``, ``engagement.day`` and
        ``engagement.hour``. ``engagement.type`` is required. All four are allowed only in
        the order post, type, day, hour or type, post, day, hour.
    name : str
        The key of the counts in the response.

    Raises
    ------
    UnsupportedGrouping
        If the API has no such grouping, or reserves that name.

    Examples
    --------
    >>> Grouping(["engagement.type", "engagement.hour"], "rhythm")
    Grouping(rhythm: engagement.type > engagement.hour)
    """

    dimensions: tuple[Dimension, ...]
    name: str = "counts"

    def __post_init__(self) -> None:
        object.__setattr__(self, "dimensions", _dimensions(self.dimensions))
        name = self.name
        if not isinstance(name, str) or not name.strip():
            msg = f"{name!r} is not the name of a grouping; pass a text that is not empty"
            raise UnsupportedGrouping(msg)
        if name.encode("utf-8", "replace").decode() != name:
            msg = f"the grouping name {name!r} cannot be sent as UTF-8; choose another"
            raise UnsupportedGrouping(msg)
        if name in RESERVED_KEYS:
            msg = (
                f"the API reserves the name {name!r}; "
                f"choose one that is not in {format_list(sorted(RESERVED_KEYS))}"
            )
            raise UnsupportedGrouping(msg)

    @property
    def columns(self) -> tuple[str, ...]:
        """The key columns of the tidy frame for this grouping, in the frame's order."""
        return tuple(d.column for d in Dimension if d in self.dimensions)

    def __str__(self) -> str:
        return f"{self.name}: {' > '.join(self.dimensions)}"

    def __repr__(self) -> str:
        return f"Grouping({self})"


def _dimensions(names: object) -> tuple[Dimension, ...]:
    if isinstance(names, str | bytes) or not isinstance(names, Iterable):
        msg = f"group_by is {names!r}; pass a list of dimensions, such as ['engagement.type']"
        raise UnsupportedGrouping(msg)
    names = tuple(names)
    texts = all(isinstance(name, str) for name in names)
    return _legal(names) if texts else _legal.__wrapped__(names)


@lru_cache  # a plan has many thousands of requests with the same groupings
def _legal(names: tuple[Any, ...]) -> tuple[Dimension, ...]:
    unknown = [name for name in names if name not in list(Dimension)]
    if unknown:
        choices = format_list(list(Dimension))
        msg = f"there is no dimension {format_list(unknown)}; choose from {choices}"
        raise UnsupportedGrouping(msg)
    dimensions = tuple(Dimension(name) for name in names)
    if not 1 <= len(dimensions) <= MAX_DIMENSIONS:
        msg = f"a grouping has 1 to {MAX_DIMENSIONS} dimensions, not {len(dimensions)}"
        raise UnsupportedGrouping(msg)
    if len(set(dimensions)) < len(dimensions):
        msg = f"{format_list(dimensions)} repeats a dimension; name each once"
        raise UnsupportedGrouping(msg)
    if Dimension.ENGAGEMENT_TYPE not in dimensions:
        msg = (
            f"{format_list(dimensions)} lacks {str(Dimension.ENGAGEMENT_TYPE)!r}; "
            "counts of different types have no documented sum, so add it"
        )
        raise UnsupportedGrouping(msg)
    if len(dimensions) == MAX_DIMENSIONS and dimensions not in FOUR_DIMENSION_ORDERS:
        legal = " or ".join(format_list(order) for order in FOUR_DIMENSION_ORDERS)
        msg = (
            f"all four dimensions are allowed only in the order {legal}, not "
            f"{format_list(dimensions)}"
        )
        raise UnsupportedGrouping(msg)
    return dimensions


BY_POST: Final = Grouping((Dimension.POST_ID, Dimension.ENGAGEMENT_TYPE), "by_post")
"""Post, type."""

BY_DAY: Final = Grouping((Dimension.POST_ID, Dimension.ENGAGEMENT_TYPE, Dimension.DAY), "by_day")
"""Post, type, UTC day."""

BY_HOUR: Final = Grouping(FOUR_DIMENSION_ORDERS[0], "by_hour")
"""Post, type, UTC day, UTC hour."""

BY_TYPE: Final = Grouping((Dimension.ENGAGEMENT_TYPE,), "by_type")
"""Type: counts are sums over the posts and the window."""

GROUPINGS: Final[Mapping[str, Grouping]] = MappingProxyType(
    {"type": BY_TYPE, "post": BY_POST, "day": BY_DAY, "hour": BY_HOUR}
)
"""Groupings by their short names."""

By = Grouping | str | Sequence[str] | Mapping[str, Grouping | str | Sequence[str]]
"""A grouping, its short name or dimensions, or one to three names with either."""


def to_grouping(by: Any, name: str = "counts") -> Grouping:
    """Return a grouping, given its short name or its dimensions.

    >>> to_grouping("day"), to_grouping(["engagement.type"], "mine")
    (Grouping(by_day: tweet.id > engagement.type > engagement.day), Grouping(mine: engagement.type))
    """
    if isinstance(by, Grouping):
        return by
    if isinstance(by, str) and by in GROUPINGS:
        return GROUPINGS[by]
    if isinstance(by, str):
        msg = f"by is {by!r}; choose from {format_list(GROUPINGS)}, or pass a list of dimensions"
        raise UnsupportedGrouping(msg)
    return Grouping(by, name)


def named_groupings(by: Any, endpoint: Endpoint) -> tuple[Grouping, ...]:
    """Return the groupings of a request, each with its name.

    ``by`` is a grouping, its short name, a sequence of dimensions, or a mapping of name to any.
    """
    groupings = _named(by)
    _check_number(groupings)
    for grouping in groupings:
        wrong = [d for d in grouping.dimensions if d not in ENDPOINTS[endpoint].dimensions]
        if wrong:
            msg = (
                f"/{endpoint} does not group by {format_list(wrong)}; "
                "use historical() or last_28_hours()"
            )
            raise UnsupportedGrouping(msg)
    return groupings


def _named(by: Any) -> tuple[Grouping, ...]:
    if isinstance(by, Grouping):
        return (by,)
    if isinstance(by, Mapping):
        # The key is the name, also of a grouping that was created with another.
        return tuple(Grouping(to_grouping(g, name).dimensions, name) for name, g in by.items())
    if isinstance(by, tuple | list) and by and all(isinstance(g, Grouping) for g in by):
        return tuple(by)
    return (to_grouping(by),)


def _check_number(groupings: Sequence[Grouping]) -> None:
    """Raise if one request cannot have all of these groupings."""
    if not 1 <= len(groupings) <= MAX_GROUPINGS:
        cure = "make two requests" if groupings else "name one"
        msg = f"a request has 1 to {MAX_GROUPINGS} groupings, not {len(groupings)}; {cure}"
        raise UnsupportedGrouping(msg)
    names = [g.name for g in groupings]
    if len(set(names)) < len(names):  # names are the keys of the response
        msg = f"two groupings have the same name in {format_list(names)}; give each its own name"
        raise UnsupportedGrouping(msg)
    full = [g.name for g in groupings if len(g.dimensions) == MAX_DIMENSIONS]
    if len(full) > MAX_FOUR_DIMENSION_GROUPINGS:
        msg = (
            f"only {MAX_FOUR_DIMENSION_GROUPINGS} grouping may have four dimensions, "
            f"not {format_list(full)}; make two requests"
        )
        raise UnsupportedGrouping(msg)
