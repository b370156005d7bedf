"""A process that collects, forked from one that has everything imported."""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import engagement_pandas as ep
from engagement_pandas.request.plan import Plan

IN_FLIGHT: Final = 4
OUTAGE: Final = 3
"""What a process ends with where a request found no answer in all its attempts."""


class Nursery:
    """Starts processes that collect one plan, one after another.

    A fork takes milliseconds, importing the package a second; and only what happens after
    that is worth a kill.
    """

    def __init__(self, folder: Path, todo: Plan, url: str, user: ep.UserContext) -> None:
        job = {
            "folder": str(folder),
            "endpoint": str(todo.request.endpoint),
            "request": todo.request.to_json(),
            "parts": [part.to_json() for part in todo],
            "url": url,
            "keys": [
                user.consumer_key,
                user.consumer_secret,
                user.access_token,
                user.access_token_secret,
            ],
        }
        from support.processes import start  # noqa: PLC0415 - not in the process itself

        self._process = start(sys.executable, __file__, stderr=None)
        self._write(json.dumps(job))

    def start(self) -> int:
        """Start a process, and return its number."""
        self._write("start")
        return self._read()

    def ended(self) -> int:
        """Wait for its end, and return what it ended with: that of a signal is negative."""
        return self._read()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _read(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()


def nurse(job: dict[str, Any]) -> None:
    """Fork a process for each line that comes in; tell its number and how it ended."""
    logging.disable()
    request, *parts = (
        ep.EngagementRequest.from_json(job["endpoint"], body)
        for body in [job["request"], *job["parts"]]
    )
    todo = Plan(request, tuple(parts), datetime.now(UTC))
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(collect(job, todo))
        print(child, flush=True)  # noqa: T201 - whoever started it reads it
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201


def collect(job: dict[str, Any], todo: Plan) -> int:
    """Collect, without pauses after failures: a flight lets them pass by themselves."""
    client = ep.EngagementClient(
        ep.UserContext(*job["keys"]),
        base_url=job["url"],
        in_flight=IN_FLIGHT,
        sleep=lambda _: None,
    )
    try:
        client.collect(todo, into=job["folder"], watch=lambda _: None)
    except ep.TransportError:
        return OUTAGE
    except BaseException as error:  # noqa: BLE001 - it is a process of its own
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    nurse(json.loads(sys.stdin.readline()))
