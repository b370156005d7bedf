"""The envelope of an answer: its window, its errors, and the posts that it omits.

Bodies are parsed here only down to the names of their groupings, with size limits; the nested
counts are parsed elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from engagement_pandas.errors import ResponseShapeError
from engagement_pandas.response.json_decoding import DECODE_ERRORS
from engagement_pandas.response.reasons_in_errors import FORBIDDEN_POSTS, FORBIDDEN_TYPES, names_in
from engagement_pandas.text import json_path, truncated_repr
from engagement_pandas.vocabulary.answer_keys import UNSUPPORTED_KEYS

LONGEST_LIST: Final = 2**18
"""Maximum bytes of a list other than the groupings; 250 post IDs take about 6,000."""

MOST_TEXTS: Final = 1_000
"""Maximum errors in an answer; no answer is about more than 250 posts."""

LONGEST_TIME: Final = 64
"""Maximum bytes of a time."""

_IDS: Final = msgspec.json.Decoder(list[str | int])
_TEXTS: Final = msgspec.json.Decoder(list[str])


@dataclass(frozen=True, slots=True)
class Envelope:
    """All of an answer except its counts.

    Attributes
    ----------
    start, end : datetime or None
        The window in the answer, aware UTC, unrounded; None if it has none.
    errors : tuple of str
        The API's own words.
    unavailable : frozenset of str
        IDs of deleted, suspended or protected posts.
    unsupported : mapping of str to frozenset of str
        IDs of posts that are too old for a type.
    """

    start: datetime | None = None
    end: datetime | None = None
    errors: tuple[str, ...] = ()
    unavailable: frozenset[str] = frozenset()
    unsupported: Mapping[str, frozenset[str]] = field(default_factory=dict)
    _posts: Mapping[str, str] = field(init=False, repr=False, compare=False)
    _types: frozenset[str] = field(init=False, repr=False, compare=False)

    @classmethod
    def of(cls, top: Mapping[str, msgspec.Raw]) -> Envelope:
        """Parse the envelope from the top-level members of a body."""
        if not top:
            return _EMPTY
        unsupported: dict[str, frozenset[str]] = {}
        for key, types in UNSUPPORTED_KEYS.items():
            if key in top:
                unsupported.update(dict.fromkeys(types, _ids(top[key], key)))
        return cls(
            start=_moment(top.get("start"), "start"),
            end=_moment(top.get("end"), "end"),
            errors=_texts(top.get("errors")),
            unavailable=_ids(top.get("unavailable_tweet_ids"), "unavailable_tweet_ids"),
            unsupported=unsupported,
        )

    def __post_init__(self) -> None:
        posts = names_in(self.errors, FORBIDDEN_POSTS)
        object.__setattr__(self, "_posts", {name: text for name, text in posts if name.isdigit()})
        types = names_in(self.errors, FORBIDDEN_TYPES)
        object.__setattr__(self, "_types", frozenset(name for name, _ in types))

    def forbidden_posts(self) -> frozenset[str]:
        """Return the post IDs that an error names as not owned, in either known wording.

        >>> text = "Forbidden to access tweets for author id 9: 123, 456"
        >>> sorted(Envelope(errors=(text,)).forbidden_posts())
        ['123', '456']
        """
        return frozenset(self._posts)

    def forbidden_message(self, post: str) -> str | None:
        """Return the error that names a post as not owned, without other posts in it.

        >>> Envelope(errors=("Forbidden to access tweets: 123, 456",)).forbidden_message("456")
        'Forbidden to access tweets: 456'
        """
        before = self._posts.get(post)
        return None if before is None else f"{before} {post}"

    def forbidden_types(self) -> frozenset[str]:
        """Return the engagement types that an error names as not visible to the caller.

        >>> sorted(Envelope(errors=("Forbidden to access metrics: retweets",)).forbidden_types())
        ['retweets']
        """
        return self._types


_EMPTY: Final = Envelope()  # as most; shared, since there may be thousands


def _decode(
    decoder: msgspec.json.Decoder[Any], raw: msgspec.Raw, key: str, expected: str
) -> tuple[Any, ...]:
    if (length := memoryview(raw).nbytes) > LONGEST_LIST:
        msg = f"{key} has {length:,} bytes; {expected} has {LONGEST_LIST:,} at most"
        raise ResponseShapeError(msg, json_path(key))
    try:
        return tuple(decoder.decode(raw))
    except DECODE_ERRORS as error:
        msg = f"{key} is not {expected}: {error}"
        raise ResponseShapeError(msg, json_path(key)) from error


def _ids(raw: msgspec.Raw | None, key: str) -> frozenset[str]:
    if raw is None:
        return frozenset()
    return frozenset(str(name) for name in _decode(_IDS, raw, key, "a list of post IDs"))


def _texts(raw: msgspec.Raw | None) -> tuple[str, ...]:
    found = () if raw is None else _decode(_TEXTS, raw, "errors", "a list of texts")
    if len(found) > MOST_TEXTS:
        msg = f"there are {len(found):,} errors; an answer has {MOST_TEXTS:,} at most"
        raise ResponseShapeError(msg, json_path("errors"))
    return found


def _moment(raw: msgspec.Raw | None, key: str) -> datetime | None:
    if raw is None:
        return None
    encoded = bytes(memoryview(raw)[:LONGEST_TIME])
    try:
        moment = datetime.fromisoformat(msgspec.json.decode(encoded, type=str))
    except (*DECODE_ERRORS, ValueError) as error:
        msg = f"{key} is not a time: {truncated_repr(encoded)}"
        raise ResponseShapeError(msg, json_path(key)) from error
    try:
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        _ = aware + timedelta(hours=1)  # rounding up must not overflow
    except OverflowError as error:
        msg = f"{key} is not a time in UTC: {moment}"
        raise ResponseShapeError(msg, json_path(key)) from error
    return aware
