"""Messages in the bodies of errors, of whatever shape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from engagement_pandas.response.json_decoding import DECODE_ERRORS

_SNIPPET: Final = 300
_LONGEST: Final = 2**18  # bytes of an error body that are parsed; decoded they take more memory

_NAMES: Final = ("errors", "error", "error_description", "message", "title", "detail")
"""Keys that hold texts in the objects of an error body."""


def error_messages(content: bytes) -> tuple[str, ...]:
    """Return the messages in an error body: texts, or objects with a ``message`` or similar.

    All of them if the body has at most 256 kB; one that names each post of a request takes
    about 5 kB. Of a longer body, of HTML, and of JSON without messages, the first 300
    characters.

    >>> error_messages(b'{"errors": ["internal server error"]}')
    ('internal server error',)
    >>> error_messages(b'[{"title": "Forbidden", "detail": "not your post"}]')
    ('Forbidden', 'not your post')
    >>> error_messages(b"<html><body><h1>502 Bad Gateway</h1></body></html>")
    ('502 Bad Gateway',)
    """
    try:
        messages = tuple(dict.fromkeys(_texts(msgspec.json.decode(content[:_LONGEST]))))
    except DECODE_ERRORS:
        messages = ()
    if messages:
        return messages
    text = re.sub(r"<[^<>]*>", " ", content[:_LONGEST].decode("utf-8", "replace"))
    text = " ".join(text.split())[:_SNIPPET]
    return (text,) if text else ()


def _texts(body: object) -> Iterator[str]:
    if isinstance(body, str):
        yield from filter(None, [body.strip()])
    elif isinstance(body, list):
        for entry in body:
            yield from tuple(_texts(entry)) or ([str(entry)] if entry else [])
    elif isinstance(body, dict):
        for name in _NAMES:
            yield from _texts(body.get(name))
