"""Bodies that make much out of little: 16 times their room, and no time by the square."""

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
MOST = 16
"""The most memory, in times the body: what msgspec's objects take, and the frame made of them."""
SOME = [
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
    reason="Linux tells how much memory there was",
)


def measured(*jobs: tuple[str, int, str]) -> list[dict[str, Any]]:
    """Return what reading took, a dict a job."""
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-m", "hostile.room", json.dumps(jobs)],
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": str(TESTS.parent)},  # the package of these tests
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == len(jobs), done.stderr
    return told


@pytest.mark.long
@pytest.mark.parametrize("reader", ["flatten_json", "invalid"])
def test_sixteen_times_the_body_is_room_enough(reader: str) -> None:
    """Of some shapes of 8 MB; all of them are in the slow tests."""
    for told in measured(*((shape, 8_000_000, reader) for shape in SOME)):
        assert told["room"] <= MOST * told["body"], told
        assert len(told["said"]) < 2_000


@pytest.mark.long
@pytest.mark.parametrize("reader", ["flatten_json", "flatten", "invalid"])
def test_of_all_shapes(reader: str) -> None:
    """Room of 8 MB, and four times the body takes less than eight times as long.

    The processor's time, of a process of its own: what is as long as the body takes 4 times as
    long, at most 4.4 as measured, and what goes by the square 16. Below 0.1 s nothing is told.
    """
    sizes = (2_000_000, 8_000_000)
    told = measured(*((shape, size, reader) for shape in SHAPES for size in sizes))
    for small, big in zip(told[::2], told[1::2], strict=True):
        assert big["room"] <= MOST * big["body"], big
        assert big["seconds"] <= 8 * max(small["seconds"], 0.1), (small, big)
