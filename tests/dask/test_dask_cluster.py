"""Stored answers on a cluster of two processes: the same frame, through deaths, in little room."""

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
"""Counts of a day in the biggest answer."""


def cluster(workers: int = 2, memory: str | int = 0) -> LocalCluster:
    """Return a cluster of processes with one thread each."""
    with dask.config.set({"distributed.comm.timeouts": {"connect": "500s", "tcp": "500s"}}):
        return LocalCluster(
            n_workers=workers, threads_per_worker=1, memory_limit=memory, dashboard_address=":0"
        )


@pytest.fixture(scope="module")
def two() -> Iterator[Client]:
    """Run two processes."""
    with cluster() as running, Client(running) as client:
        yield client


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> ep.Archive:
    """Return an archive of twelve answers of a day."""
    made = ep.Archive(tmp_path_factory.mktemp("archive") / "raw")
    assert put_many(made, 12, days=1) == 12 * ANSWER
    return made


@pytest.fixture(scope="module")
def expected(archive: ep.Archive) -> pd.DataFrame:
    """Return its counts, flattened in memory."""
    return ep.flatten(archive)


@pytest.mark.long
@pytest.mark.usefixtures("two")
def test_the_same_frame(archive: ep.Archive, expected: pd.DataFrame) -> None:
    """Of six partitions on two processes."""
    counts = epd.flatten(archive, rows=2 * ANSWER)
    assert counts.npartitions == 6
    pd.testing.assert_frame_equal(sorted_out(counts.compute()), expected)
    pd.testing.assert_frame_equal(epd.omissions(archive).compute(), ep.omissions(archive))


@pytest.mark.long
@pytest.mark.usefixtures("two")
def test_the_same_numbers(archive: ep.Archive, expected: pd.DataFrame) -> None:
    """A sum, a ratio of sums and a top n."""
    counts = epd.flatten(archive, rows=2 * ANSWER)
    pd.testing.assert_frame_equal(
        epd.over_time(counts, every="h"), ep.over_time(expected, every="h")
    )
    # Sums show no hours, and so no dispersion: the intervals and what is shrunk differ.
    hourly = ["low", "high", "dispersion", "shrunk", "rank"]
    for metric in ("engagement_rate", "top_posts"):
        keywords = {"by": "rate", "n": 10**6} if metric == "top_posts" else {}
        found, known = (
            getattr(module, metric)(frame, **keywords)
            .drop(columns=hourly, errors="ignore")
            .sort_values("post_id", ignore_index=True)
            for module, frame in ((epd, counts), (ep, expected))
        )
        pd.testing.assert_frame_equal(found, known)


@pytest.mark.long
@pytest.mark.usefixtures("two")
def test_errors_arrive(tmp_path: Path) -> None:
    """An error of a worker is the one in memory, words and all."""
    archive = ep.Archive(tmp_path / "raw")
    put_many(archive, 2, days=1)
    (collection,) = archive.collections
    damaged = sorted(path for path in collection.path.glob("*.gz") if "question" not in path.name)
    damaged[0].write_bytes(b"damaged")
    with pytest.raises(ep.ArchiveError) as here:
        ep.flatten(archive)
    with pytest.raises(ep.ArchiveError) as there:
        epd.flatten(archive, rows=1).compute()
    assert str(there.value) == str(here.value)


@pytest.mark.long
def test_a_worker_that_is_killed(
    two: Client, archive: ep.Archive, expected: pd.DataFrame, tmp_path: Path
) -> None:
    """In the middle, with counts in its hands: another does again what it had done."""
    last, mark = archive.collections[0].requests[-1].post_ids[-1], str(tmp_path / "killed")

    def struck(counts: pd.DataFrame) -> pd.DataFrame:
        if (counts["post_id"] == last).any():
            try:
                os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return counts  # the second time
            os.kill(os.getpid(), signal.SIGKILL)
        return counts

    before = set(two.run(os.getpid).values())
    counts = epd.flatten(archive, rows=ANSWER).map_partitions(struck)
    pd.testing.assert_frame_equal(sorted_out(counts.compute()), expected)
    assert Path(mark).exists()
    two.wait_for_workers(2)
    assert set(two.run(os.getpid).values()) != before
    Path(mark).unlink()
    found = epd.over_time(counts)
    assert Path(mark).exists()
    pd.testing.assert_frame_equal(found, ep.over_time(expected))


@pytest.mark.long
@pytest.mark.usefixtures("two")
def test_a_worker_that_is_killed_while_it_appends(tmp_path: Path) -> None:
    """Right after a commit, before it can tell of it: the data set is the same."""
    archive = ep.Archive(tmp_path / "raw")
    put_many(archive, 4, days=1)
    mark = str(tmp_path / "killed")

    class Struck(ep.Dataset):
        def append(self, counts: pd.DataFrame, omissions: pd.DataFrame | None = None) -> Appended:
            done = super().append(counts, omissions)
            try:
                os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return done  # the second time
            os.kill(os.getpid(), signal.SIGKILL)
            return done

    dataset = Struck(tmp_path / "counts.ds")
    epd.append(archive, dataset, rows=ANSWER)
    assert Path(mark).exists()
    assert len(dataset.files()) == 4
    pd.testing.assert_frame_equal(dataset.read(), ep.flatten(archive))
    assert dataset.revisions().empty


def _most_room() -> int:
    """Return the most bytes of memory that this process had; of ``ru_maxrss`` a parent's too."""
    status = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in status if line.startswith("VmHWM")))


@pytest.mark.long
def test_more_than_there_is_room_for(tmp_path: Path) -> None:
    """17 million counts, 800 MB as a frame, by processes that may take 500 and take less.

    A worker that takes more is killed by its nanny; three in a row end the computation.
    """
    archive = ep.Archive(tmp_path / "raw")
    counts = put_many(archive, 60)
    one = ep.flatten(next(iter(archive)))
    whole = int(one.memory_usage(deep=True).sum()) * 60
    limit = 480 * 2**20
    assert whole > limit
    with cluster(memory=limit) as running, Client(running) as client:
        frame = epd.flatten(archive)
        days = epd.over_time(frame)
        rates = epd.engagement_rate(frame)
        peak = client.run(_most_room)
    assert len(peak) == 2
    assert max(peak.values()) < limit
    total = int(one["count"].sum()) * 60
    assert int(days["count"].sum()) == total
    assert len(rates) == counts // (17 * 28 * 24)
