"""What a second process brings, and what a billion counts would cost.

Seventeen million counts in 60 of the biggest answers are read, flattened and summed by day: by
one process with one thread, then by two, in turns, in the same run::

    python -m pytest tests/benchmarks/test_dask.py -o addopts= --benchmark-only

The bound is a ratio of at least 1.7 on two cores with nothing else to do; it is printed, with
the load that there was. So are counts per second and core, and bytes per count on disk.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dask.distributed import Client, LocalCluster
from support.stored_answers import put_many

import engagement_pandas as ep
from engagement_pandas import dask as epd

ANSWERS = 60
ROUNDS = 5


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> ep.Archive:
    """Make the archive once."""
    made = ep.Archive(tmp_path_factory.mktemp("archive") / "raw")
    put_many(made, ANSWERS)
    return made


@pytest.fixture(scope="module")
def clients() -> Iterator[dict[int, Client]]:
    """Run a cluster of one process and one of two; the one that waits takes no time."""
    with running(1) as one, running(2) as two:
        yield {1: one, 2: two}


def running(workers: int) -> Client:
    """Return a client of a cluster of its own."""
    return Client(
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=0,
            dashboard_address=":0",
        )
    )


def spent(client: Client) -> float:
    """Return the seconds of CPU that the processes of a cluster have taken."""
    return float(sum(client.run(time.process_time).values()))


def test_two_processes(
    benchmark: Any,
    archive: ep.Archive,
    clients: dict[int, Client],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Answers to sums by day."""
    counts = epd.flatten(archive)
    number = ANSWERS * 25 * 17 * 28 * 24
    seconds: dict[int, list[float]] = {1: [], 2: []}

    def days(workers: int) -> Any:
        with clients[workers].as_current():
            before = time.perf_counter()
            table = epd.over_time(counts)
            seconds[workers].append(time.perf_counter() - before)
        return table

    def in_turn() -> None:
        days(1)

    days(2)  # workers import what they need
    load = os.getloadavg()[0]
    cpu = spent(clients[1])
    days(1)
    cpu = spent(clients[1]) - cpu
    found = benchmark.pedantic(days, args=(2,), setup=in_turn, rounds=ROUNDS)
    assert found.equals(days(1))
    best = {workers: min(took) for workers, took in seconds.items()}

    one = ep.flatten(next(iter(archive)))
    dataset = ep.Dataset(tmp_path / "counts.ds")
    before = time.process_time()
    dataset.append(one)
    cpu_appending = time.process_time() - before
    size = os.path.getsize
    raw = sum(path.stat().st_size for path in archive.folder.rglob("*") if path.is_file())
    told = {
        "ratio": best[1] / best[2],
        "counts per second of CPU": number / cpu,
        "counts per second, one process": number / best[1],
        "counts per second, two processes": number / best[2],
        "bytes per count, raw": raw / number,
        "bytes per count, data set": sum(map(size, dataset.files())) / len(one),
        "counts per second of CPU, append": len(one) / cpu_appending,
        "bytes per count, in memory": one.memory_usage(deep=True).sum() / len(one),
        "load before": load,
    }
    benchmark.extra_info.update(told)
    with capsys.disabled():
        print()  # noqa: T201 - what a benchmark is for
        for name, value in told.items():
            print(f"{name:>34}: {value:,.2f}")  # noqa: T201
