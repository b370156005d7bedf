"""Memory and time that reading a body takes; run in a separate process.

Prints a line of JSON for each shape and size: the bytes of the body, the additional memory at
its peak, the CPU seconds, and the outcome.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hostile.bodies import SHAPES

import engagement_pandas as ep
from engagement_pandas.errors import EngagementError
from engagement_pandas.response.validation import invalid

STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")


def _response(body: bytes) -> ep.EngagementResponse:
    """Return a response with this body."""
    request = ep.historical(
        [str(number) for number in range(1, 26)],
        engagement_types=["impressions"],
        window=ep.Window.covering("2026-03-01", "2026-03-29"),
        by={"g": ["tweet.id", "engagement.type", "engagement.day", "engagement.hour"]},
    )
    return ep.EngagementResponse(request, body)


def _flatten(body: bytes) -> None:
    """Read its counts and its omissions."""
    ep.flatten(_response(body))
    ep.omissions(_response(body))


READERS: dict[str, Callable[[bytes], object]] = {
    "flatten_json": ep.flatten_json,
    "flatten": _flatten,
    "invalid": lambda body: invalid(_response(body)),
}


def _memory(name: str) -> int:
    """Return a number of this process's status, in bytes."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def _read(reader: str, body: bytes) -> str:
    try:
        READERS[reader](body)
    except EngagementError as error:
        return f"{type(error).__name__}: {error}"
    return "read"


def _measure(shape: str, size: int, reader: str) -> dict[str, object]:
    _read(
        reader, SHAPES[shape](100_000).encode()
    )  # memory that the first call loads does not count
    body = SHAPES[shape](size).encode()
    RESET.write_text("5")
    before, start = _memory("VmRSS"), time.process_time()
    outcome = _read(reader, body)
    seconds = time.process_time() - start
    room = _memory("VmHWM") - before
    return {"shape": shape, "body": len(body), "room": room, "seconds": seconds, "outcome": outcome}


def _measure_in_child(shape: str, size: int, reader: str) -> None:
    """Measure in a child process, since memory of earlier reads may be reused."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            print(json.dumps(_measure(shape, size, reader)), flush=True)  # noqa: T201
        finally:
            os._exit(0)
    os.waitpid(child, 0)


if __name__ == "__main__":
    ep.flatten_json('{"g": {"1": {"likes": {"2026-03-01": {"00": 1}}}}}')  # imports everything
    for job in json.loads(sys.argv[1]):
        _measure_in_child(*job)
