"""The JSON of a body, decoded one object at a time, with limits of size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

import msgspec

from engagement_pandas.errors import ResponseShapeError
from engagement_pandas.text import json_path, truncated_repr

DECODE_ERRORS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not the expected JSON, including deep nesting."""

MOST_KEYS: Final = 100
"""Maximum top-level keys of an answer, which has three groupings and six others at most."""


def as_bytes(body: object) -> bytes:
    """Return the body of an answer, in bytes, a string or a mapping, as bytes."""
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    try:
        if isinstance(body, str):
            return body.encode()
        if isinstance(body, Mapping):
            return msgspec.json.encode(dict(body))
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"the body cannot be encoded as JSON: {error}"
        raise ResponseShapeError(msg) from error
    msg = f"the body is a {type(body).__name__}; give bytes, a str or a dict"
    raise ResponseShapeError(msg)


class _Key(str):
    """A key of an object; msgspec passes each to the hook as soon as it is read."""

    __slots__ = ()


def decode_object(raw: bytes | msgspec.Raw, most: int, *path: str) -> dict[str, msgspec.Raw]:
    """Return the members of a JSON object, with at most ``most`` keys, not yet parsed.

    ``path`` are the keys above it, for errors. A second member with the same key would be lost
    in a dict, so it is an error.
    """
    keys: set[str] = set()

    def once(_: type, key: str) -> _Key:
        if key in keys:
            msg = f"the key {truncated_repr(key)} occurs twice in one object"
            raise ResponseShapeError(msg, json_path(*path))
        if len(keys) == most:
            msg = f"this object has more than {most:,} keys; no answer has as many"
            raise ResponseShapeError(msg, json_path(*path))
        keys.add(key)
        return _Key(key)

    try:
        members = msgspec.json.decode(raw, type=dict[_Key, msgspec.Raw], dec_hook=once)
    except DECODE_ERRORS as error:
        msg = f"this is not a JSON object: {error}"
        raise ResponseShapeError(msg, json_path(*path)) from error
    return cast("dict[str, msgspec.Raw]", members)


def decode_top_level(content: bytes) -> dict[str, msgspec.Raw]:
    """Return the top-level members of a body, not yet parsed.

    >>> {key: bytes(raw) for key, raw in decode_top_level(b'{"g": {"1": {}}, "h": 5}').items()}
    {'g': b'{"1": {}}', 'h': b'5'}
    >>> decode_top_level(b'{"g": {"1": {}}, "g": {}}')
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.ResponseShapeError: the key 'g' occurs twice in one object (at $)
    """
    return {str(key): raw for key, raw in decode_object(content, MOST_KEYS).items()}
