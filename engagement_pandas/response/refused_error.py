"""The error that reports a refusal, with the cure."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from http.client import responses as phrases
from typing import Final

from engagement_pandas.errors import RefusedError, Unauthorized

CURES: Final[Mapping[int, str]] = {
    401: "check the credentials",
    404: "check base_url",
}
"""What to do about a refusal, in addition to the API's own words."""


def refused(path: str, status: int, messages: tuple[str, ...]) -> RefusedError:
    """Return the error that reports a refusal.

    >>> print(refused("/totals", 404, ()))
    /totals refused (HTTP 404): Not Found; check base_url
    """
    words = "; ".join(messages) or phrases.get(status, "without a message")
    cure = CURES.get(status)
    msg = f"{path} refused (HTTP {status}): {words}" + (f"; {cure}" if cure else "")
    error = Unauthorized if status == HTTPStatus.UNAUTHORIZED else RefusedError
    return error(msg, status, messages)
