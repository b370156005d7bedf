"""Filters that keep secrets out of recordings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

TAPE_PORT = 8765
"""Port of the recorded sandbox."""

CASSETTES = Path(__file__).parents[2] / "cassettes"


def without_secrets(request: Any) -> Any:
    """Drop the ``Authorization`` header, in any spelling."""
    for name in [name for name in request.headers if name.lower() == "authorization"]:
        del request.headers[name]
    return request


def of_the_tape(request: Any) -> Any:
    """Do not record other local servers, since a test may also run a sandbox."""
    if request.host == "127.0.0.1" and request.port != TAPE_PORT:
        return None
    return without_secrets(request)


def without_tokens(response: Any) -> Any:
    """Replace a bearer token in a response."""
    body = response["body"]["string"]
    response["body"]["string"] = re.sub(rb'("access_token"\s*:\s*")[^"]*', rb"\1recorded", body)
    return response
