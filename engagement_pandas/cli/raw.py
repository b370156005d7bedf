"""Answers as they came, in files: the body, and beside it the request that it answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from engagement_pandas.errors import FrameError

if TYPE_CHECKING:
    from engagement_pandas.response import EngagementResponse

BESIDE: Final = ".request.json"
"""The ending of the file with the request, the status and the time of an answer."""


def run_name(endpoint: str) -> str:
    """Return a name for the answers of one run that no other run has."""
    return f"{endpoint}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}"


def save(responses: Iterable[EngagementResponse], folder: Path, name: str, first: int = 1) -> None:
    """Write answers, two files each, numbered; the status of a refusal is in its name.

    The folder is made where it is missing. No file is written over.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, response in enumerate(responses, first):
        refused = "" if response.status == HTTPStatus.OK else f"-refused-{response.status}"
        stem = f"{name}-{number:05}{refused}"
        with (folder / f"{stem}.json").open("xb") as file:
            file.write(response.content)
        beside = {
            "endpoint": str(response.request.endpoint),
            "status": response.status,
            "retrieved_at": response.retrieved_at.isoformat(),
            "request": response.request.to_json(),
        }
        with (folder / f"{stem}{BESIDE}").open("x", encoding="utf-8") as file:
            json.dump(beside, file)


def load(body: Path) -> EngagementResponse | None:
    """Read an answer with its request; None where no request lies beside it.

    Raises
    ------
    FrameError
        Where what lies beside it is something else.
    """
    from engagement_pandas.request import EngagementRequest  # noqa: PLC0415 - not for --help
    from engagement_pandas.response import EngagementResponse  # noqa: PLC0415

    beside = body.with_name(f"{body.stem}{BESIDE}")
    if not beside.exists():
        return None
    try:
        told = json.loads(beside.read_text(encoding="utf-8"))
        request = EngagementRequest.from_json(told["endpoint"], told["request"])
        moment = datetime.fromisoformat(told["retrieved_at"])
        return EngagementResponse(request, body.read_bytes(), told["status"], moment)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        msg = f"{beside} does not tell the request of {body.name}: {error}"
        raise FrameError(msg) from error
