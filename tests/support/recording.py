"""What a recording keeps, and what it must not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

TAPE_PORT = 8765
"""Of the sandbox whose answers were recorded."""

CASSETTES = Path(__file__).parents[2] / "cassettes"


def without_secrets(request: Any) -> Any:
    """Drop what a recording must not hold: the header that signs, in any spelling."""
    for name in [name for name in request.headers if name.lower() == "authorization"]:
        del request.headers[name]
    return request


def of_the_tape(request: Any) -> Any:
    """Leave other servers on this machine alone: a test may run a sandbox beside its tape."""
    if request.host == "127.0.0.1" and request.port != TAPE_PORT:
        return None
    return without_secrets(request)


def without_tokens(response: Any) -> Any:
    """Replace a bearer token in an answer."""
    body = response["body"]["string"]
    response["body"]["string"] = re.sub(rb'("access_token"\s*:\s*")[^"]*', rb"\1recorded", body)
    return response
