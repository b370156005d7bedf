"""The speed-up of a second process, and the cost of a billion counts.

Seventeen million counts in 60 of the largest responses are read, flattened and summed by day: by
one process with one thread, then by two, alternately, in the same run::

    python -m pytest tests/benchmarks/test_dask.py -o addopts= --benchmark-only

The bound is a ratio of at least 1.7 on two idle cores; it is printed with the load of the
machine, the counts per second and core, and the bytes per count on disk.
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
    archive_ = ep.Archive(tmp_path_factory.mktemp("archive") / "raw")
    put_many(archive_, ANSWERS)
    return archive_


@pytest.fixture(scope="module")
def clients() -> Iterator[dict[int, Client]]:
    """Run a cluster of one process and one of two; an idle cluster takes no time."""
    with cluster_client(1) as single, cluster_client(2) as double:
        yield {1: single, 2: double}


def cluster_client(workers: int) -> Client:
    """Return a client of a separate cluster."""
    return Client(
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=0,
            dashboard_address=":0",
        )
    )


def cpu_seconds(client: Client) -> float:
    """Return the CPU seconds that the processes of a cluster have used."""
    return float(sum(client.run(time.process_time).values()))


def test_two_processes_sum_faster_than_one(
    benchmark: Any,
    archive: ep.Archive,
    clients: dict[int, Client],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Responses are read, flattened and summed by day."""
    counts = epd.flatten(archive)
    number = ANSWERS * 25 * 17 * 28 * 24
    seconds: dict[int, list[float]] = {1: [], 2: []}

    def sums_by_day(workers: int) -> Any:
        with clients[workers].as_current():
            start = time.perf_counter()
            table = epd.over_time(counts)
            seconds[workers].append(time.perf_counter() - start)
        return table

    def with_one_process() -> None:
        sums_by_day(1)

    sums_by_day(2)  # workers import what they need
    load = os.getloadavg()[0]
    cpu = cpu_seconds(clients[1])
    sums_by_day(1)
    cpu = cpu_seconds(clients[1]) - cpu
    table_ = benchmark.pedantic(sums_by_day, args=(2,), setup=with_one_process, rounds=ROUNDS)
    assert table_.equals(sums_by_day(1))
    best = {workers: min(times) for workers, times in seconds.items()}

    first = ep.flatten(next(iter(archive)))
    dataset = ep.Dataset(tmp_path / "counts.ds")
    start = time.process_time()
    dataset.append(first)
    cpu_appending = time.process_time() - start
    size = os.path.getsize
    raw = sum(path.stat().st_size for path in archive.folder.rglob("*") if path.is_file())
    report = {
        "ratio": best[1] / best[2],
        "counts per second of CPU": number / cpu,
        "counts per second, one process": number / best[1],
        "counts per second, two processes": number / best[2],
        "bytes per count, raw": raw / number,
        "bytes per count, data set": sum(map(size, dataset.files())) / len(first),
        "counts per second of CPU, append": len(first) / cpu_appending,
        "bytes per count, in memory": first.memory_usage(deep=True).sum() / len(first),
        "load before": load,
    }
    benchmark.extra_info.update(report)
    with capsys.disabled():
        print()  # noqa: T201 - the result
        for name, value in report.items():
            print(f"{name:>34}: {value:,.2f}")  # noqa: T201
