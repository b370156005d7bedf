"""A process that collects, forked from one that has imported everything."""

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
"""Exit code of a process whose request failed in all its attempts."""


class ForkServer:
    """Starts processes that collect one plan, one after another.

    A fork takes milliseconds, importing the package a second; kills are tested after that only.
    """

    def __init__(self, folder: Path, plan: Plan, url: str, user: ep.UserContext) -> None:
        job = {
            "folder": str(folder),
            "endpoint": str(plan.request.endpoint),
            "request": plan.request.to_json(),
            "parts": [part.to_json() for part in plan],
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
        """Start a process, and return its process ID."""
        self._write("start")
        return self._read()

    def exit_code(self) -> int:
        """Wait for its end, and return its exit code, which is negative for a signal."""
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
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()


def serve(job: dict[str, Any]) -> None:
    """Fork a process for each input line; print its process ID and its exit code."""
    logging.disable()
    request, *parts = (
        ep.EngagementRequest.from_json(job["endpoint"], body)
        for body in [job["request"], *job["parts"]]
    )
    plan = Plan(request, tuple(parts), datetime.now(UTC))
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(collect(job, plan))
        print(child, flush=True)  # noqa: T201 - read by the parent process
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201


def collect(job: dict[str, Any], plan: Plan) -> int:
    """Collect; pauses after failures take no time."""
    client = ep.EngagementClient(
        ep.UserContext(*job["keys"]),
        base_url=job["url"],
        in_flight=IN_FLIGHT,
        sleep=lambda _: None,
    )
    try:
        client.collect(plan, into=job["folder"], watch=lambda _: None)
    except ep.TransportError:
        return OUTAGE
    except BaseException as error:  # noqa: BLE001 - this is a separate process
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    serve(json.loads(sys.stdin.readline()))
