"""The bearer token in the answer of ``/oauth2/token``."""

from __future__ import annotations

import msgspec

from engagement_pandas.auth.credentials import is_header_safe
from engagement_pandas.errors import ResponseShapeError
from engagement_pandas.response.json_decoding import DECODE_ERRORS


class _Token(msgspec.Struct):
    access_token: str


def read_token(content: bytes, url: str) -> str:
    """Return the token in a response body from some URL.

    >>> read_token(b'{"token_type": "bearer", "access_token": "abc"}', "https://example.org")
    'abc'
    """
    try:
        token = msgspec.json.decode(content, type=_Token).access_token
    except DECODE_ERRORS:
        token = ""
    if is_header_safe(token):
        return token
    del content, token  # a traceback may show their values
    msg = f"the answer of {url} has no access_token that can be sent in a header"
    raise ResponseShapeError(msg, "$['access_token']")
