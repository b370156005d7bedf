"""URLs of the API from arguments or environment variables."""

from __future__ import annotations

import os
from typing import TypedDict

from engagement_pandas.transport.urls import BASE_URL_VARIABLE, TOKEN_URL_VARIABLE


class UrlOverrides(TypedDict, total=False):
    """Keyword arguments of ``EngagementClient``; those not set use its defaults."""

    base_url: str
    token_url: str


def url_overrides(base_url: str | None = None, token_url: str | None = None) -> UrlOverrides:
    """Return the URLs for creating a client; by default ``X_BASE_URL`` and ``X_TOKEN_URL``, if set.

    >>> url_overrides("https://data-api.x.com")["base_url"]
    'https://data-api.x.com'
    """
    base_url = base_url if base_url is not None else os.environ.get(BASE_URL_VARIABLE) or None
    token_url = token_url if token_url is not None else os.environ.get(TOKEN_URL_VARIABLE) or None
    named: UrlOverrides = {}
    if base_url is not None:
        named["base_url"] = base_url
    if token_url is not None:
        named["token_url"] = token_url
    return named
