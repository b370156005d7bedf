"""Stored responses on a cluster of two processes: the same frame, despite kills."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import dask
import pandas as pd
import pytest
from dask.distributed import Client, LocalCluster
from support.stored_answers import put_many, sorted_out

import engagement_pandas as ep
from engagement_pandas import dask as epd
from engagement_pandas.dataset.runs import Appended

ANSWER = 25 * 17 * 24
"""Counts of a day in the largest response."""


def cluster(workers: int = 2, memory: str | int = 0) -> LocalCluster:
    """Return a cluster of processes with one thread each."""
    with dask.config.set({"distributed.comm.timeouts": {"connect": "500s", "tcp": "500s"}}):
        return LocalCluster(
            n_workers=workers, threads_per_worker=1, memory_limit=memory, dashboard_address=":0"
        )


@pytest.fixture(scope="module")
def client_of_two() -> Iterator[Client]:
    """Run two processes."""
    with cluster() as running, Client(running) as client:
        yield client


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> ep.Archive:
    """Return an archive of twelve responses of a day."""
    stored = ep.Archive(tmp_path_factory.mktemp("archive") / "raw")
    assert put_many(stored, 12, days=1) == 12 * ANSWER
    return stored


@pytest.fixture(scope="module")
def expected(archive: ep.Archive) -> pd.DataFrame:
    """Return the counts of the archive, flattened in memory."""
    return ep.flatten(archive)


@pytest.mark.long
@pytest.mark.usefixtures("client_of_two")
def test_a_cluster_gives_the_frame_in_memory(archive: ep.Archive, expected: pd.DataFrame) -> None:
    """Two processes have six partitions."""
    counts = epd.flatten(archive, rows=2 * ANSWER)
    assert counts.npartitions == 6
    pd.testing.assert_frame_equal(sorted_out(counts.compute()), expected)
    pd.testing.assert_frame_equal(epd.omissions(archive).compute(), ep.omissions(archive))


@pytest.mark.long
@pytest.mark.usefixtures("client_of_two")
def test_metrics_of_a_cluster_equal_those_in_memory(
    archive: ep.Archive, expected: pd.DataFrame
) -> None:
    """A sum, a ratio of sums and a top n are compared."""
    counts = epd.flatten(archive, rows=2 * ANSWER)
    pd.testing.assert_frame_equal(
        epd.over_time(counts, every="h"), ep.over_time(expected, every="h")
    )
    # Sums have no hours and so no dispersion: intervals and shrunk rates differ.
    hourly = ["low", "high", "dispersion", "shrunk", "rank"]
    for metric in ("engagement_rate", "top_posts"):
        keywords = {"by": "rate", "n": 10**6} if metric == "top_posts" else {}
        found, expected_frame = (
            getattr(module, metric)(frame, **keywords)
            .drop(columns=hourly, errors="ignore")
            .sort_values("post_id", ignore_index=True)
            for module, frame in ((epd, counts), (ep, expected))
        )
        pd.testing.assert_frame_equal(found, expected_frame)


@pytest.mark.long
@pytest.mark.usefixtures("client_of_two")
def test_errors_of_workers_are_those_in_memory(tmp_path: Path) -> None:
    """The messages are equal."""
    archive = ep.Archive(tmp_path / "raw")
    put_many(archive, 2, days=1)
    (collection,) = archive.collections
    damaged = sorted(path for path in collection.path.glob("*.gz") if "question" not in path.name)
    damaged[0].write_bytes(b"damaged")
    with pytest.raises(ep.ArchiveError) as in_memory:
        ep.flatten(archive)
    with pytest.raises(ep.ArchiveError) as on_worker:
        epd.flatten(archive, rows=1).compute()
    assert str(on_worker.value) == str(in_memory.value)


@pytest.mark.long
def test_the_work_of_a_killed_worker_is_repeated(
    client_of_two: Client, archive: ep.Archive, expected: pd.DataFrame, tmp_path: Path
) -> None:
    """It is killed with counts in memory, and another worker computes them again."""
    last, mark = archive.collections[0].requests[-1].post_ids[-1], str(tmp_path / "killed")

    def kill_once(counts: pd.DataFrame) -> pd.DataFrame:
        if (counts["post_id"] == last).any():
            try:
                os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return counts  # the second time
            os.kill(os.getpid(), signal.SIGKILL)
        return counts

    before = set(client_of_two.run(os.getpid).values())
    counts = epd.flatten(archive, rows=ANSWER).map_partitions(kill_once)
    pd.testing.assert_frame_equal(sorted_out(counts.compute()), expected)
    assert Path(mark).exists()
    client_of_two.wait_for_workers(2)
    assert set(client_of_two.run(os.getpid).values()) != before
    Path(mark).unlink()
    found = epd.over_time(counts)
    assert Path(mark).exists()
    pd.testing.assert_frame_equal(found, ep.over_time(expected))


@pytest.mark.long
@pytest.mark.usefixtures("client_of_two")
def test_a_worker_killed_after_a_commit_changes_nothing(tmp_path: Path) -> None:
    """It is killed before it can report the commit; the data set is the same."""
    archive = ep.Archive(tmp_path / "raw")
    put_many(archive, 4, days=1)
    mark = str(tmp_path / "killed")

    class KilledOnce(ep.Dataset):
        def append(self, counts: pd.DataFrame, omissions: pd.DataFrame | None = None) -> Appended:
            done = super().append(counts, omissions)
            try:
                os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return done  # the second time
            os.kill(os.getpid(), signal.SIGKILL)
            return done

    dataset = KilledOnce(tmp_path / "counts.ds")
    epd.append(archive, dataset, rows=ANSWER)
    assert Path(mark).exists()
    assert len(dataset.files()) == 4
    pd.testing.assert_frame_equal(dataset.read(), ep.flatten(archive))
    assert dataset.revisions().empty


def _peak_memory() -> int:
    """Return the peak memory of this process; ``ru_maxrss`` would include that of a parent."""
    status = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in status if line.startswith("VmHWM")))


@pytest.mark.long
def test_archives_larger_than_memory_are_computed(tmp_path: Path) -> None:
    """17 million counts are 800 MB as a frame; each process may use 480 MiB and uses less.

    A worker that uses more is killed by its nanny; three kills in a row end the computation.
    """
    archive = ep.Archive(tmp_path / "raw")
    counts = put_many(archive, 60)
    single = ep.flatten(next(iter(archive)))
    total_bytes = int(single.memory_usage(deep=True).sum()) * 60
    limit = 480 * 2**20
    assert total_bytes > limit
    with cluster(memory=limit) as running, Client(running) as client:
        frame = epd.flatten(archive)
        days = epd.over_time(frame)
        rates = epd.engagement_rate(frame)
        peak = client.run(_peak_memory)
    assert len(peak) == 2
    assert max(peak.values()) < limit
    total = int(single["count"].sum()) * 60
    assert int(days["count"].sum()) == total
    assert len(rates) == counts // (17 * 28 * 24)
