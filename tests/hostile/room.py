"""How much room and time the reading of a body takes; run in a process of its own.

One line of JSON for each shape and size: the bytes of the body, the most memory beyond what
was there, the seconds of the processor, and what came of it.
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


def _answer(body: bytes) -> ep.EngagementResponse:
    """Return it as the answer to a request."""
    request = ep.historical(
        [str(number) for number in range(1, 26)],
        engagement_types=["impressions"],
        window=ep.Window.covering("2026-03-01", "2026-03-29"),
        by={"g": ["tweet.id", "engagement.type", "engagement.day", "engagement.hour"]},
    )
    return ep.EngagementResponse(request, body)


def _asked(body: bytes) -> None:
    """Read it for its counts and for its silences."""
    ep.flatten(_answer(body))
    ep.omissions(_answer(body))


READERS: dict[str, Callable[[bytes], object]] = {
    "flatten_json": ep.flatten_json,
    "flatten": _asked,
    "invalid": lambda body: invalid(_answer(body)),
}


def _told(name: str) -> int:
    """Return a figure of this process, in bytes."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def _read(reader: str, body: bytes) -> str:
    try:
        READERS[reader](body)
    except EngagementError as error:
        return f"{type(error).__name__}: {error}"
    return "read"


def _measure(shape: str, size: int, reader: str) -> dict[str, object]:
    _read(reader, SHAPES[shape](100_000).encode())  # what the first call loads is no room of it
    body = SHAPES[shape](size).encode()
    RESET.write_text("5")
    before, begun = _told("VmRSS"), time.process_time()
    said = _read(reader, body)
    seconds = time.process_time() - begun
    room = _told("VmHWM") - before
    return {"shape": shape, "body": len(body), "room": room, "seconds": seconds, "said": said}


def _apart(shape: str, size: int, reader: str) -> None:
    """Measure in a child: what one leaves in the allocator is no room for the next."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            print(json.dumps(_measure(shape, size, reader)), flush=True)  # noqa: T201
        finally:
            os._exit(0)
    os.waitpid(child, 0)


if __name__ == "__main__":
    ep.flatten_json('{"g": {"1": {"likes": {"2026-03-01": {"00": 1}}}}}')  # imports, once
    for job in json.loads(sys.argv[1]):
        _apart(*job)
