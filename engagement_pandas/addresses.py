"""Where the API is, if the environment names another place than the documentation."""

from __future__ import annotations

import os
from typing import Final, TypedDict
from urllib.parse import urlsplit

BASE_URL_VARIABLE: Final = "X_BASE_URL"
TOKEN_URL_VARIABLE: Final = "X_TOKEN_URL"  # noqa: S105 - a variable's name


_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class Addresses(TypedDict, total=False):
    """Keywords of ``EngagementClient``; what nobody names is left to it."""

    base_url: str
    token_url: str


def addresses(base_url: str | None = None, token_url: str | None = None) -> Addresses:
    """Return the addresses that a client is made with.

    Parameters
    ----------
    base_url, token_url : str, optional
        By default what ``X_BASE_URL`` and ``X_TOKEN_URL`` name, where they are set.

    Examples
    --------
    >>> addresses("https://data-api.x.com")["base_url"]
    'https://data-api.x.com'
    """
    base_url = base_url if base_url is not None else os.environ.get(BASE_URL_VARIABLE) or None
    token_url = token_url if token_url is not None else os.environ.get(TOKEN_URL_VARIABLE) or None
    named: Addresses = {}
    if base_url is not None:
        named["base_url"] = base_url
    if token_url is not None:
        named["token_url"] = token_url
    return named


def is_here(url: str) -> bool:
    """Tell whether a URL leads to this machine: plain http is for that only.

    Examples
    --------
    >>> is_here("http://127.0.0.1:8080/x"), is_here("https://data-api.x.com")
    (True, False)
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # no URL, as is said where it is used
        return False
    return parts.scheme in {"http", "https"} and parts.hostname in _LOOPBACK
