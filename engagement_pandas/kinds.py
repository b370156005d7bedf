"""Engagement types as they are asked for: by name, and of an endpoint that counts them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from engagement_pandas.errors import UnsupportedEngagementType
from engagement_pandas.vocabulary import FORMER_NAMES, Endpoint, EngagementType
from engagement_pandas.wording import listed


def known_types(types: Any, endpoint: Endpoint) -> tuple[EngagementType, ...]:
    """Return the engagement types of those names, in their order, each once.

    Raises
    ------
    UnsupportedEngagementType
        Where one is none, or the endpoint does not count it.

    Examples
    --------
    >>> known_types(["replies"], Endpoint.TOTALS)
    (<EngagementType.REPLIES: 'replies'>,)
    """
    if isinstance(types, str | bytes | Mapping) or not isinstance(types, Iterable):
        msg = f"engagement_types is the single {type(types).__name__} {types!r}; give a list"
        raise UnsupportedEngagementType(msg)
    if type(types) is tuple and all(type(name) is EngagementType for name in types):
        return _counted(types, endpoint)
    return _counted(tuple(_type(name) for name in types), endpoint)


@lru_cache  # a question is cut into many thousand with the same
def _counted(types: tuple[EngagementType, ...], endpoint: Endpoint) -> tuple[EngagementType, ...]:
    known = tuple(dict.fromkeys(types))
    if not known:
        msg = "engagement_types is empty; name at least one"
        raise UnsupportedEngagementType(msg)
    series = endpoint.facts.time_series
    wrong = [t for t in known if not (t.facts.time_series if series else t.facts.totals)]
    if wrong:
        cure = "ask totals()" if series else "ask historical() or last_28_hours()"
        msg = f"/{endpoint} does not count {listed(wrong)}; {cure}"
        raise UnsupportedEngagementType(msg)
    return known


def _type(name: Any) -> EngagementType:
    if isinstance(name, str) and name in FORMER_NAMES:
        msg = f"{name!r} is the former name of {str(FORMER_NAMES[name])!r}; ask for that"
        raise UnsupportedEngagementType(msg)
    try:
        return EngagementType(name)
    except ValueError as error:
        close = difflib.get_close_matches(str(name), list(EngagementType), n=1)
        cure = (
            f"did you mean {str(close[0])!r}?" if close else f"there are {listed(EngagementType)}"
        )
        msg = f"there is no engagement type {name!r}; {cure}"
        raise UnsupportedEngagementType(msg) from error
