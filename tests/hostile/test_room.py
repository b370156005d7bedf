"""Memory and time for reading hostile bodies: at most 16 times their size, and linear time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hostile.bodies import SHAPES

TESTS = Path(__file__).parents[1]
MAX_RATIO = 16
"""Maximum memory in multiples of the body: msgspec's objects and the frame made from them."""
SHAPES_TESTED = [
    "groupings",
    "posts of one type",
    "days of ten hours",
    "full days",
    "full days, odd",
    "lists",
    "a long wrong key",
]

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists() and "REQUIRE_PROGRAMS" not in os.environ,
    reason="the maximum memory is read from Linux's /proc",
)


def measured(*jobs: tuple[str, int, str]) -> list[dict[str, Any]]:
    """Return a measurement for each job."""
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-m", "hostile.room", json.dumps(jobs)],
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": str(TESTS.parent)},  # the package of these tests
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == len(jobs), done.stderr
    return results


@pytest.mark.long
@pytest.mark.parametrize("reader", ["flatten_json", "invalid"])
def test_the_memory_is_at_most_16_times_the_body(reader: str) -> None:
    """Some shapes of 8 MB are read; all of them are in the next test."""
    for result in measured(*((shape, 8_000_000, reader) for shape in SHAPES_TESTED)):
        assert result["room"] <= MAX_RATIO * result["body"], result
        assert len(result["outcome"]) < 2_000


@pytest.mark.long
@pytest.mark.parametrize("reader", ["flatten_json", "flatten", "invalid"])
def test_memory_and_time_of_all_shapes(reader: str) -> None:
    """Bodies of 8 MB take limited memory, and less than eight times the time of 2 MB.

    CPU time of a separate process is compared: linear time is 4 times as long, at most 4.4 as
    measured, and quadratic time 16 times. Times below 0.1 s are not compared.
    """
    sizes = (2_000_000, 8_000_000)
    results = measured(*((shape, size, reader) for shape in SHAPES for size in sizes))
    for small, big in zip(results[::2], results[1::2], strict=True):
        assert big["room"] <= MAX_RATIO * big["body"], big
        assert big["seconds"] <= 8 * max(small["seconds"], 0.1), (small, big)
