"""The table of the guide on performance, with the machine's load and the peers' versions.

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
"""Each way, and the maximum number of counts for which it is measured."""

PEERS: Final = ("engagement_pandas", "pandas", "numpy", "duckdb", "polars", "orjson", "msgspec")


def loads(contents: Sequence[bytes]) -> None:
    """Parse to dicts, without a frame."""
    for content in contents:
        orjson.loads(content)


def of_hours(answers: Sequence[ep.EngagementResponse]) -> dict[str, Callable[[], object]]:
    """Return each way that is measured for these responses by hour."""
    bodies = [(answer.request, answer.content) for answer in answers]
    contents = [content for _, content in bodies]
    counts = sum(content.count(b'": "') for content in contents)
    ways = {name: way for name, (way, maximum) in WAYS.items() if counts <= maximum}
    measured_ways = {name: lambda way=way: way(contents) for name, way in ways.items()}
    return {**of_shape(bodies), **measured_ways}


def of_shape(bodies: Sequence[Body]) -> dict[str, Callable[[], object]]:
    """Return the ways that read any shape."""
    return {
        OURS: lambda: ep.flatten([ep.EngagementResponse(*body) for body in bodies]),
        LOOP: lambda: loop_over_rows(bodies),
        LOADS: lambda: loads([content for _, content in bodies]),
    }


@pytest.mark.long
def test_no_other_way_is_faster_for_hours(capsys: pytest.CaptureFixture[str]) -> None:
    """The table reports other shapes for which another way is faster."""
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
        ways[OURS]()  # the imports of the first call do not count
        seconds[name] = dict(zip(ways, least(3, *ways.values()), strict=True))
    columns = [*WAYS, LOADS]
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    slower = []
    for name, of_way in seconds.items():
        times = {
            way: seconds_of_way / of_way[OURS]
            for way, seconds_of_way in of_way.items()
            if way != OURS
        }
        cells = [f"{times[way]:.2g}" if way in times else "" for way in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
        slower += [f"{name}: {way}" for way in WAYS if times.get(way, 1) < 1]
    peers = ", ".join(f"{name} {version(name)}" for name in PEERS)
    with capsys.disabled():
        print("", *lines, "", sep="\n")  # noqa: T201
        print(f"Slower than another way: {'; '.join(slower) or 'nowhere'}.")  # noqa: T201
        cores, load = os.cpu_count(), os.getloadavg()[0]
        print(f"{cores} cores, load {load:.1f}, Python {platform.python_version()}, {peers}.")  # noqa: T201
    assert not [row for row in slower if row.startswith(tuple(by_hour))]
