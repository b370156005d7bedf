"""Engagement types by any of their names, validated for an endpoint."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from engagement_pandas.errors import UnsupportedEngagementType
from engagement_pandas.text import format_list, truncated_repr
from engagement_pandas.vocabulary.endpoints import Endpoint
from engagement_pandas.vocabulary.engagement_type_names import (
    NOT_COUNTED,
    OTHER_NAMES,
    OTHER_SOURCES,
)
from engagement_pandas.vocabulary.engagement_types import API_TYPES, EngagementType

_SIMILAR: Final = 0.85

_CHANGED: Final = re.compile("[%\u2030\u0394\u2206\u00b1+]")
"""Signs of a share or a change: "Likes %" are no likes."""


def name_key(name: object) -> str:
    """Return a key that is the same for all spellings of a name.

    >>> name_key("Quote Tweets"), name_key("reply_count"), name_key("UrlClicks")
    ('quotetweet', 'reply', 'urlclick')
    """
    return "".join(_words(str(name)))


def _words(name: str) -> list[str]:
    if _CHANGED.search(name):
        return [name.casefold()]
    words = [re.sub(r"ies$", "y", word) for word in re.findall(r"[^\W_]+", name.casefold())]
    if len(words) > 1 and words[-1] in {"count", "counts"}:
        words.pop()
    return [word.removesuffix("s") for word in words]


_NAMES: Final[Mapping[str, EngagementType]] = {
    name: engagement_type
    for engagement_type, names in OTHER_NAMES.items()
    for name in (engagement_type.value, *filter(None, names.split(", ")))
}
_VALUES: Final = {str(engagement_type): engagement_type for engagement_type in EngagementType}
_OF_A_POST: Final = (["post"], ["tweet"])
_TYPES: Final = {name_key(name): engagement_type for name, engagement_type in _NAMES.items()}
_REASONS: Final = {name_key(name): why for name, why in NOT_COUNTED.items()}
_KNOWN_WORDS: Final = frozenset(word for name in (*_NAMES, *NOT_COUNTED) for word in _words(name))


def parse_engagement_types(types: Any, endpoint: Endpoint) -> tuple[EngagementType, ...]:
    """Return the engagement types with these names, in order, without duplicates."""
    if isinstance(types, str | bytes | Mapping) or not isinstance(types, Iterable):
        msg = f"engagement_types is a single {type(types).__name__}, {types!r}; pass a list"
        raise UnsupportedEngagementType(msg)
    if type(types) is tuple and all(type(name) is EngagementType for name in types):
        return _counted(types, endpoint)
    return _counted(tuple(type_of(name) for name in types), endpoint)


@lru_cache  # a request is split into many thousands with the same types
def _counted(types: tuple[EngagementType, ...], endpoint: Endpoint) -> tuple[EngagementType, ...]:
    known = tuple(dict.fromkeys(types))
    if not known:
        msg = "engagement_types is empty; name at least one"
        raise UnsupportedEngagementType(msg)
    series = endpoint.facts.time_series
    if other := next((t for t in known if t in OTHER_SOURCES), None):
        msg = f"the API has no engagement type {str(other)!r}: {OTHER_SOURCES[other]} "
        msg += f"(its source is {other.facts.source})"
        raise UnsupportedEngagementType(msg)
    wrong = [t for t in known if not (t.facts.time_series if series else t.facts.totals)]
    if wrong:
        cure = "use totals()" if series else "use historical() or last_28_hours()"
        msg = f"/{endpoint} does not count {format_list(wrong)}; {cure}"
        raise UnsupportedEngagementType(msg)
    return known


def type_of(name: object) -> EngagementType:
    """Return the engagement type that a name means; synonyms match, similar spellings do not.

    >>> type_of("Detail Click"), type_of("reposts")
    (<EngagementType.DETAIL_EXPANDS: 'detail_expands'>, <EngagementType.RETWEETS: 'retweets'>)
    >>> type_of("reach")
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.UnsupportedEngagementType: the API has no engagement type ...
    """
    found = _meaning(name)
    if isinstance(found, EngagementType):
        return found
    if found:
        msg = f"the API has no engagement type {name!r}: {found}"
        raise UnsupportedEngagementType(msg)
    near = {
        engagement_type
        for known, engagement_type in _NAMES.items()
        if _misspelt(_words(str(name)), _words(known))
    }
    cure = f"did you mean {near.pop().value!r}?" if len(near) == 1 else ""
    cure = cure or f"choose from {format_list(API_TYPES)}"
    msg = f"there is no engagement type {truncated_repr(name)}; {cure}"
    raise UnsupportedEngagementType(msg)


@lru_cache  # every metric asks it for the names in its frame
def meant_type(name: str) -> str:
    """Return the engagement type that a name means; the name itself if it means none.

    >>> meant_type("Likes"), meant_type("poll votes")
    ('favorites', 'poll votes')
    """
    found = _meaning(name)
    return str(found) if isinstance(found, EngagementType) else name


def _meaning(name: object) -> EngagementType | str | None:
    """Return the type that a name means, or why the API does not count it; None if unknown."""
    if isinstance(name, EngagementType):
        return name
    if isinstance(name, str) and name in _VALUES:
        return _VALUES[name]
    words = _words(name) if isinstance(name, str) else []
    for key in ("".join(words), "".join(words[words[:1] in _OF_A_POST :])):
        if key in _TYPES:
            return _TYPES[key]
        if key in _REASONS:
            return _REASONS[key]
    return None


def _misspelt(words: list[str], known: list[str]) -> bool:
    """Return whether each word is the known one, or an unknown word with a similar spelling."""
    return len(words) == len(known) and all(
        word == right
        or (
            word not in _KNOWN_WORDS
            and difflib.SequenceMatcher(None, word, right).ratio() >= _SIMILAR
        )
        for word, right in zip(words, known, strict=True)
    )
