"""A data set in kills, on a full disk, and with errors between any two writes."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support import processes
from support.datasets.appending import READINGS
from support.datasets.appending import __file__ as appending
from support.datasets.appending import run as append_all
from support.datasets.frames import some
from support.datasets.syncing import start
from support.datasets.worlds import HANDLE, HOUR, TYPES, World, same, tardy, world

import engagement_pandas as ep
from engagement_pandas.dataset import delta_table as lake
from engagement_pandas.files.atomic_write import write_once

POSTS = ("7", "8", "9")


def files(folder: Path) -> int:
    """Return the number of files: each new file is a step of the process."""
    return sum(len(names) for _, _, names in os.walk(folder))  # which may change meanwhile


def assert_consistent(dataset: ep.Dataset) -> None:
    """Assert that all three tables are of one commit: each post as read once, or twice."""
    counts = dataset.read().groupby("post_id")["count"].agg(["min", "max"])
    assert (counts["min"] == counts["max"]).all()
    revised = dataset.revisions().groupby("post_id").size().to_dict()
    assert revised == {post: 144 for post, count in counts["max"].items() if count == 6}


def assert_finished(dataset: ep.Dataset) -> None:
    """Assert that the data set is what an undisturbed process makes."""
    same(dataset.read(), some(READINGS[1][0], count=6, posts=POSTS))
    log = dataset.revisions()
    assert len(log) == 3 * 144
    assert not log.duplicated(["post_id", "engagement_type", "day", "hour"]).any()


# Kills


@pytest.mark.long
@pytest.mark.parametrize("kills", [25])
def test_a_killed_append_leaves_one_commit(tmp_path: Path, kills: int) -> None:
    """The tables are of one commit, and the same append completes them."""
    folder, rng = tmp_path / "set", random.Random(kills)  # noqa: S311 - no secret
    dataset = ep.Dataset(folder)
    killed = 0
    for _ in range(kills):
        before, steps = files(folder), rng.randint(1, 25)
        process = processes.start(sys.executable, appending, str(folder), stderr=None)
        while process.poll() is None and files(folder) < before + steps:
            time.sleep(0)
        process.kill()
        process.wait()
        killed += process.returncode == -signal.SIGKILL
        assert_consistent(dataset)
    assert killed
    append_all(str(folder))
    assert_finished(dataset)


@pytest.mark.long
@pytest.mark.skipif(
    not shutil.which("strace") and "REQUIRE_PROGRAMS" not in os.environ,
    reason="strace stops a process at a system call",
)
@pytest.mark.parametrize(
    ("call", "share"),
    [
        (call, share)
        for call in ("write", "link,linkat,rename,renameat,renameat2", "mkdir,mkdirat")
        for share in (0.2, 0.5, 0.8, 0.95)
    ],
)
def test_a_kill_at_any_system_call_leaves_one_commit(
    tmp_path: Path, call: str, share: float
) -> None:
    """The kill is between any two changes of the disk, also those of ``deltalake`` itself."""
    undisturbed = tmp_path / "calm"
    counting = ["strace", "-f", "-qq", "-e", f"trace={call}", "-o", str(tmp_path / "log")]
    subprocess.run([*counting, sys.executable, appending, str(undisturbed)], check=True)  # noqa: S603
    inside = (tmp_path / "log").read_text().splitlines()
    number = max(1, int(share * len(inside)))
    folder = tmp_path / "set"
    killing = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e"]
    killing += [f"inject={call}:signal=SIGKILL:when={number}"]
    subprocess.run([*killing, sys.executable, appending, str(folder)], check=False)  # noqa: S603
    dataset = ep.Dataset(folder)
    assert_consistent(dataset)
    append_all(str(folder))
    assert_finished(dataset)


# Errors between any two writes


@pytest.mark.long
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_error_at_any_commit_leaves_one_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """An interrupt before or after each commit in turn leaves complete commits."""
    real = lake.Table.write
    failing_step, undisturbed = 0, False
    while not undisturbed:
        failing_step += 1
        steps = iter(range(1, 1_000))

        def failing(
            self: lake.Table,
            *rows: Any,
            failing_step: int = failing_step,
            steps: Iterator[int] = steps,
        ) -> Any:
            failed = next(steps) == failing_step
            if failed and when == "before":
                raise KeyboardInterrupt
            version = real(self, *rows)
            if failed:
                raise KeyboardInterrupt
            return version

        folder = tmp_path / f"{failing_step}"
        with monkeypatch.context() as patch:
            patch.setattr(lake.Table, "write", failing)
            try:
                append_all(str(folder))
                undisturbed = True
            except KeyboardInterrupt:
                assert_consistent(ep.Dataset(folder))
        append_all(str(folder))
        assert_finished(ep.Dataset(folder))
    assert (
        failing_step == 3 + 2 * 3 + 2 + 1
    )  # appends, appends with revisions, their compaction; the last run has no error


# A full disk


@contextmanager
def limited_file_size(size: int) -> Iterator[None]:
    """Let the system refuse any file beyond a size, for all writers."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.slow
def test_a_full_disk_leaves_the_data_set_as_it_was(tmp_path: Path) -> None:
    """The error has the cure; with free space the same append succeeds."""
    dataset = ep.Dataset(tmp_path / "set")
    first = some(READINGS[0][0], posts=POSTS)
    dataset.append(first)
    refused = 0
    for size in (0, 300, 700, 1_000, 1_500, 2_000, 4_000):
        with limited_file_size(size):
            try:
                dataset.append(some(READINGS[1][0], count=6, posts=POSTS))
            except ep.DatasetError as error:
                assert "check its free space" in str(error)  # noqa: PT017
                refused += 1
        if dataset.revisions().empty:
            same(dataset.read(), first)
        assert_consistent(dataset)
    assert refused >= 3
    dataset.append(some(READINGS[1][0], count=6, posts=POSTS))
    assert_finished(dataset)


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/fd").exists() and "REQUIRE_PROGRAMS" not in os.environ,
    reason="Linux lists the file of each handle",
)
def test_all_files_of_an_append_are_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data files, the logs that list them and their folders survive a power cut."""
    flushed: list[Path] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{handle}").readlink())
        real(handle)

    removed: list[tuple[Path, int]] = []
    unlink = Path.unlink

    def remove(path: Path, *, missing_ok: bool = False) -> None:
        if not path.name.startswith("."):  # temporary files
            removed.append((path, len(flushed)))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "unlink", remove)
    folder = tmp_path / "set"
    dataset = ep.Dataset(folder)
    dataset.append(some(READINGS[0][0], posts=["7"]))
    dataset.append(some(READINGS[1][0], posts=["7"], count=6))
    dataset.append(some(READINGS[0][0], posts=["8"]))
    dataset.compact(kept_hours=0)
    files = [path for path in folder.rglob("*") if path.suffix in {".json", ".parquet"}]
    # Counts have the commits 0 to 4 and a file a day; revisions have 0 and 1 and one file.
    assert len(files) == 5 + 3 + 2 + 1
    folders = [path for path in folder.rglob("*") if path.is_dir() and any(path.iterdir())]
    assert set(flushed) >= {*files, *folders, folder, tmp_path}
    # Files are removed last.
    assert len(removed) >= 6
    assert set(flushed[: removed[0][1]]) >= {path for path in files if "counts" in path.parts}


@pytest.mark.slow
def test_unfinished_files_are_removed_by_compact(tmp_path: Path) -> None:
    """Files of a writer that died are removed after an hour, other files are not."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some(READINGS[0][0]))
    unfinished = [
        "counts/day=2026-03-01/part-00000-dead.zstd.parquet",
        "counts/day=2026-03-01/part-00000-dead.zstd.parquet#1",
        "counts/_delta_log/_commit_dead.json.tmp",
    ]
    for name in unfinished:
        (tmp_path / "set" / name).write_bytes(b"PAR1")
    (tmp_path / "set" / "raw").mkdir()
    write_once(tmp_path / "set" / "raw" / "mine.parquet", b"PAR1")
    dataset.compact(kept_hours=0)  # a writer may still write them
    assert all((tmp_path / "set" / name).exists() for name in unfinished)
    for name in unfinished:
        os.utime(tmp_path / "set" / name, (1, time.time() - 3601))
    dataset.compact()
    assert all((tmp_path / "set" / name).exists() for name in unfinished)
    dataset.compact(kept_hours=0)
    assert not any((tmp_path / "set" / name).exists() for name in unfinished)
    assert (tmp_path / "set" / "raw" / "mine.parquet").exists()
    same(dataset.read(), some(READINGS[0][0]))


# Sync


def sync_with_kills(
    moving: World, folder: Path, rng: random.Random, runs: int, kills: int, **arguments: Any
) -> int:
    """Sync each hour in a separate process, kill it repeatedly, and return how often."""
    keys = moving.server.keys(HANDLE)
    secrets = [
        keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret
    ]  # fmt: skip
    killed = 0
    for _ in range(runs):
        for turn in range(kills + 1):
            before, steps = files(folder), rng.randint(1, 16)
            process = start(
                str(folder), moving.server.base_url, secrets, moving.clock.now, **arguments
            )
            while turn < kills and process.poll() is None and files(folder) < before + steps:
                time.sleep(0)
            if turn < kills:
                process.kill()
            _, errors = process.communicate()
            if turn == kills:
                assert (process.returncode, errors) == (0, "")
            killed += process.returncode == -signal.SIGKILL
        moving.clock.now += HOUR
    moving.clock.now -= HOUR
    return killed


@pytest.mark.long
@pytest.mark.parametrize(("runs", "kills"), [(2, 1), (12, 4)])
def test_a_killed_sync_is_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: int, kills: int
) -> None:
    """The same command resumes, and the result is that without kills."""
    with world() as moving:
        tardy(monkeypatch, moving.clock, 2)
        since = moving.clock.now - timedelta(days=5)
        posts = moving.posts(5, since)
        arguments = {
            "post_ids": posts, "engagement_types": TYPES, "since": since.isoformat(), "settle": 2
        }  # fmt: skip
        begun = moving.clock.now
        rng = random.Random(runs)  # noqa: S311 - no secret
        assert sync_with_kills(moving, tmp_path / "set", rng, runs, kills, **arguments)
        dataset = ep.Dataset(tmp_path / "set")
        same(dataset.read(), moving.fetched(posts, since))
        moving.clock.now = begun
        undisturbed = ep.Dataset(tmp_path / "calm")
        for _ in range(runs):
            moving.sync(undisturbed, posts, since=since, settle=2)
            moving.clock.now += HOUR
        pd.testing.assert_frame_equal(dataset.revisions(), undisturbed.revisions())
        assert len(dataset.revisions())
