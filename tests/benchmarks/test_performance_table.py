"""The table of the guide's page on performance, with the machine's load and the peers' versions.

It is printed as Markdown::

    python -m pytest tests/benchmarks/test_performance_table.py -o addopts= -s
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, Final

import orjson
import pytest
from benchmarks.test_flattening import (
    SHAPES,
    Body,
    by_duckdb,
    by_pandas,
    by_polars,
    least,
    loop_over_rows,
    make,
    row_loop,
)

import engagement_pandas as ep

OURS: Final = "flatten"
LOOP: Final = "loop over rows"
LOADS: Final = "`orjson.loads` alone"
WAYS: Final[dict[str, tuple[Callable[..., Any], int]]] = {
    LOOP: (row_loop, 420_000),
    "DuckDB, maps unnested": (by_duckdb, 420_000),
    "polars, structs unnested": (by_polars, 300_000),
    "`json_normalize`": (by_pandas, 5_000),
}
"""Each way, and how many counts of it can be waited for."""

PEERS: Final = ("engagement_pandas", "pandas", "numpy", "duckdb", "polars", "orjson", "msgspec")


def loads(contents: Sequence[bytes]) -> None:
    """Parse to dicts, without a frame."""
    for content in contents:
        orjson.loads(content)


def of_hours(answers: Sequence[ep.EngagementResponse]) -> dict[str, Callable[[], object]]:
    """Return each way that can be waited for, with these answers by hour."""
    bodies = [(answer.request, answer.content) for answer in answers]
    contents = [content for _, content in bodies]
    counts = sum(content.count(b'": "') for content in contents)
    ways = {name: way for name, (way, most) in WAYS.items() if counts <= most}
    given = {name: lambda way=way: way(contents) for name, way in ways.items()}
    return {**of_shape(bodies), **given}


def of_shape(bodies: Sequence[Body]) -> dict[str, Callable[[], object]]:
    """Return the ways that read any shape."""
    return {
        OURS: lambda: ep.flatten([ep.EngagementResponse(*body) for body in bodies]),
        LOOP: lambda: loop_over_rows(bodies),
        LOADS: lambda: loads([content for _, content in bodies]),
    }


@pytest.mark.long
def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """No other way to a frame is quicker for answers by hour; where one is, the table says so."""
    small = [make(seed, kinds=1, days=7) for seed in range(100)]
    rows = {
        "one response of 285,600 counts": of_hours([make()]),
        "one response of 4,200 counts": of_hours(small[:1]),
        "100 such responses": of_hours(small),
    }
    by_hour = [*rows]
    rows |= {name: of_shape(bodies()) for name, bodies in SHAPES.items()}
    seconds: dict[str, dict[str, float]] = {}
    for name, ways in rows.items():
        ways[OURS]()  # what the first call loads does not count
        seconds[name] = dict(zip(ways, least(3, *ways.values()), strict=True))
    columns = [*WAYS, LOADS]
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    slower = []
    for name, of_way in seconds.items():
        times = {way: taken / of_way[OURS] for way, taken in of_way.items() if way != OURS}
        cells = [f"{times[way]:.2g}" if way in times else "" for way in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
        slower += [f"{name}: {way}" for way in WAYS if times.get(way, 1) < 1]
    peers = ", ".join(f"{name} {version(name)}" for name in PEERS)
    with capsys.disabled():
        print("", *lines, "", sep="\n")  # noqa: T201
        print(f"Slower than another way: {'; '.join(slower) or 'nowhere'}.")  # noqa: T201
        cores, load = os.cpu_count(), os.getloadavg()[0]
        print(f"{cores} cores, load {load:.1f}, Python {platform.python_version()}, {peers}.")  # noqa: T201
    assert not [found for found in slower if found.startswith(tuple(by_hour))]
