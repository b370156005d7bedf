"""The API's URLs, which environment variables may override, and checks of URLs."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from engagement_pandas.errors import RequestError

BASE_URL: Final = "https://data-api.twitter.com"
TOKEN_URL: Final = "https://api.twitter.com/oauth2/token"  # noqa: S105 - not a secret
_PLAIN: Final = re.compile(
    r"[A-Za-z]+://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?"
)
BASE_URL_VARIABLE: Final = "X_BASE_URL"
TOKEN_URL_VARIABLE: Final = "X_TOKEN_URL"  # noqa: S105 - a variable's name
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def is_loopback(url: str) -> bool:
    """Return whether a URL points to this machine; only then is plain http allowed.

    >>> is_loopback("http://127.0.0.1:8080/x"), is_loopback("https://data-api.x.com")
    (True, False)
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # not a URL; reported where it is used
        return False
    return parts.scheme in {"http", "https"} and parts.hostname in _LOOPBACK


def checked_url(url: str) -> str:
    """Return a URL that may receive credentials, without a trailing slash."""
    try:
        parts = urlsplit(url)
        # Reject what urllib3 would parse differently, and what may hold a password.
        plain = _PLAIN.fullmatch(url) is not None and parts.port != 0
        allowed = plain and bool(parts.hostname) and (parts.scheme == "https" or is_loopback(url))
    except (ValueError, AttributeError, TypeError):
        allowed = False
    if not allowed:
        shown = (
            re.sub(r"(?s)//.*@", "//…@", re.split("[?#]", url)[0]) if isinstance(url, str) else url
        )
        msg = (
            f"{shown!r} is not an https URL; plain http is accepted for this machine only, "
            "and a URL must have no user, query or blank"
        )
        raise RequestError(msg)
    return url.rstrip("/")
