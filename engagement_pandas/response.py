"""What was answered, beside what was asked.

An answer is kept as the bytes that arrived. Its *envelope* (the window, the errors and
the posts left out) is read here; the nested counts are read by ``flattening`` alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from engagement_pandas.errors import ResponseShapeError
from engagement_pandas.request import EngagementRequest
from engagement_pandas.vocabulary import (
    RESERVED_KEYS,
    UNSUPPORTED_KEYS,
    EngagementType,
)

_SHALLOW: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_IDS: Final = msgspec.json.Decoder(list[str | int])
_TEXTS: Final = msgspec.json.Decoder(list[str])
_WORDS: Final = re.compile(r"\w+")

# Texts are read only where the API gives no status or key to go by, and only here. Tolerant
# of both wordings ("Forbidden to access tweets: 1, 2" and "... for author id 9: 1, 2").
_FORBIDDEN: Final = r"forbidden to access (?:{})\b[^:]*:(?P<names>.*)"
_FLAGS: Final = re.IGNORECASE | re.DOTALL
FORBIDDEN_POSTS_TEXT: Final = re.compile(_FORBIDDEN.format("tweets?|posts?"), _FLAGS)
FORBIDDEN_TYPES_TEXT: Final = re.compile(_FORBIDDEN.format("metrics?|engagement types?"), _FLAGS)


@dataclass(frozen=True, slots=True)
class Envelope:
    """All of an answer but its counts.

    Attributes
    ----------
    start, end : datetime or None
        The window that the answer names, aware UTC, unrounded; None where it names none.
    errors : tuple of str
        The API's own words.
    unavailable : frozenset of str
        IDs of deleted, suspended or protected posts.
    unsupported : mapping of EngagementType to frozenset of str
        IDs of the posts that are too old for a type.
    groupings : mapping of str to msgspec.Raw
        The nested counts of each grouping, not yet parsed.
    """

    start: datetime | None = None
    end: datetime | None = None
    errors: tuple[str, ...] = ()
    unavailable: frozenset[str] = frozenset()
    unsupported: Mapping[EngagementType, frozenset[str]] = field(default_factory=dict)
    groupings: Mapping[str, msgspec.Raw] = field(default_factory=dict)

    @classmethod
    def read(cls, content: bytes) -> Envelope:
        """Read the envelope of a body.

        Raises
        ------
        ResponseShapeError
            Where the body is not a JSON object, or a reserved key does not hold what
            the API documents.
        """
        try:
            top = _SHALLOW.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            msg = f"the body is not a JSON object: {error}"
            raise ResponseShapeError(msg) from error
        unsupported: dict[EngagementType, frozenset[str]] = {}
        for key, types in UNSUPPORTED_KEYS.items():
            if key in top:
                unsupported.update(dict.fromkeys(types, _ids(top[key], key)))
        return cls(
            start=_moment(top.get("start"), "start"),
            end=_moment(top.get("end"), "end"),
            errors=_decode(_TEXTS, top["errors"], "errors", "a list of texts")
            if "errors" in top
            else (),
            unavailable=_ids(top.get("unavailable_tweet_ids"), "unavailable_tweet_ids"),
            unsupported=unsupported,
            groupings={name: raw for name, raw in top.items() if name not in RESERVED_KEYS},
        )

    def forbidden_posts(self) -> frozenset[str]:
        """Return the post IDs that an error names as not owned; both known wordings.

        Examples
        --------
        >>> text = "Forbidden to access tweets for author id 9: 123, 456"
        >>> sorted(Envelope(errors=(text,)).forbidden_posts())
        ['123', '456']
        """
        return frozenset(
            name for name in _named(self.errors, FORBIDDEN_POSTS_TEXT) if name.isdigit()
        )

    def forbidden_types(self) -> frozenset[str]:
        """Return the engagement types that an error names as not visible to the caller.

        Examples
        --------
        >>> sorted(Envelope(errors=("Forbidden to access metrics: retweets",)).forbidden_types())
        ['retweets']
        """
        return _named(self.errors, FORBIDDEN_TYPES_TEXT)


@dataclass(frozen=True, slots=True, repr=False)
class EngagementResponse:
    """One answer of the API, with the request that it answers.

    Parameters
    ----------
    request : EngagementRequest
        Exactly what this answer settles. Posts that the API refused are settled by the
        refusal: a response whose request names just them.
    content : bytes, str or mapping
        The body as it arrived; kept as bytes.
    status : int
        The HTTP status.
    retrieved_at : datetime
        When it arrived, aware UTC.
    """

    request: EngagementRequest
    content: bytes
    status: int = 200
    retrieved_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        content: Any = self.content
        if isinstance(content, str):
            content = content.encode()
        elif isinstance(content, Mapping):
            content = msgspec.json.encode(content)
        object.__setattr__(self, "content", content)

    def json(self) -> dict[str, Any]:
        """Return the body as nested dicts, parsed anew at each call.

        Raises
        ------
        ResponseShapeError
            Where the body is not a JSON object.
        """
        try:
            return msgspec.json.decode(self.content, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            msg = f"the body is not a JSON object: {error}"
            raise ResponseShapeError(msg) from error

    def envelope(self) -> Envelope:
        """Return the window, errors and left-out posts of this answer."""
        return Envelope.read(self.content)

    def __repr__(self) -> str:
        return (
            f"EngagementResponse(HTTP {self.status}, {len(self.content):,} bytes at "
            f"{self.retrieved_at:%Y-%m-%d %H:%M:%S} UTC for {self.request!r})"
        )


def _decode(
    decoder: msgspec.json.Decoder[Any], raw: msgspec.Raw, key: str, expected: str
) -> tuple[Any, ...]:
    try:
        return tuple(decoder.decode(raw))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        msg = f"{key} is not {expected}: {error}"
        raise ResponseShapeError(msg, f"$[{key!r}]") from error


def _ids(raw: msgspec.Raw | None, key: str) -> frozenset[str]:
    if raw is None:
        return frozenset()
    return frozenset(str(name) for name in _decode(_IDS, raw, key, "a list of post IDs"))


def _moment(raw: msgspec.Raw | None, key: str) -> datetime | None:
    if raw is None:
        return None
    try:
        moment = datetime.fromisoformat(msgspec.json.decode(raw, type=str))
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        msg = f"{key} is not a time: {bytes(raw)!r}"
        raise ResponseShapeError(msg, f"$[{key!r}]") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _named(errors: tuple[str, ...], pattern: re.Pattern[str]) -> frozenset[str]:
    found = (pattern.search(text) for text in errors)
    return frozenset(name for match in found if match for name in _WORDS.findall(match["names"]))
