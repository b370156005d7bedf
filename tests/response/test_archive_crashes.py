"""The archive in crashes, power cuts, kills, on full disks, and with concurrent writers."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.archive.asking import (
    WINDOW,
    answers,
    at_once,
    client_of,
    counts_and_omissions,
    in_parts,
    question,
    same,
    sandbox,
    sent,
    stored,
)
from support.archive.collecting import IN_FLIGHT, start
from support.archive.disks import Crash, Disk
from support.scripted import FakeClock, Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.files import atomic_write as files
from engagement_pandas.request.plan import Plan
from engagement_pandas.sandbox import SandboxServer


@pytest.fixture(autouse=True)
def _quick(server: ScriptedServer) -> None:
    at_once(server)


@pytest.fixture
def twin(clock: FakeClock) -> Iterator[SandboxServer]:
    """Run a sandbox on the fake clock."""
    with sandbox(clock) as server:
        yield server


def small(server: SandboxServer) -> Plan:
    """Return a plan that five responses settle, one of them for the rest of a refusal."""
    return question(server, posts=6, size=4)


def collect(client: ep.EngagementClient, todo: Plan, archive: ep.Archive) -> Any:
    """Collect without a progress bar."""
    return client.collect(todo, into=archive, watch=lambda _: None)


def hidden(folder: Path) -> list[Path]:
    """Return the temporary files and folders."""
    return [path for path in folder.rglob("*") if path.name.startswith(".")]


# Crashes


@pytest.mark.long
@pytest.mark.parametrize("crash", ["raise", "cut", "cut and forgotten"])
def test_a_job_resumes_after_a_crash_at_any_system_call(
    twin: SandboxServer, clock: FakeClock, tmp_path: Path, crash: str
) -> None:
    """After each crash the same call resumes, sends no stored request again, and ends the same.

    ``raise`` is an interrupt, after which cleaning up works. ``cut`` is a power cut: nothing
    works any more, and files that were not flushed are empty. ``forgotten`` also loses what was
    not flushed in folders.
    """
    todo = small(twin)
    with client_of(twin, clock) as client:
        expected = counts_and_omissions(client.fetch(todo))
        answered = sent(twin)  # some posts are settled without a request
        step, completed = 0, False
        while not completed:
            step += 1
            folder = tmp_path / f"{step}" / "deep" / "raw"
            disk = Disk(tmp_path / f"{step}", step, "raise" if crash == "raise" else "cut")
            before = len(twin.requests)
            with pytest.MonkeyPatch.context() as patch:
                disk.install(patch)
                try:
                    collect(client, todo, ep.Archive(folder))
                    completed = not disk.failed
                except Crash:
                    pass
            if crash != "raise":
                disk.reboot(forgetful=crash == "cut and forgotten")
            kept, crashed = stored(folder), len(twin.requests)
            archive = ep.Archive(folder)
            assert archive.verify() == ()
            if completed:  # a finished collection survives
                assert [found.complete for found in archive.collections] == [True]
                assert len(kept) == len(answered)
            collection = collect(client, todo, archive)
            resumed = sent(twin, crashed)
            assert kept.isdisjoint(resumed)
            assert len(set(resumed)) == len(resumed)
            assert len(kept) + len(resumed) == len(answered)
            assert len(twin.requests) - before <= len(answered) + 1
            same(collection, expected)
            assert archive.verify() == ()
            assert (len(archive.collections), collection.complete) == (1, True)
    assert step > 7 * len(
        answered
    )  # seven steps for each response, and those of the manifest and the mark
    assert {"open", "write", "fsync", "link", "mkdir", "rename", "unlink"} <= set(disk.taken)


@pytest.mark.long
@pytest.mark.parametrize("crash", ["raise", "cut", "cut and forgotten"])
def test_a_repair_is_complete_or_not_begun_after_a_crash(
    twin: SandboxServer, clock: FakeClock, tmp_path: Path, crash: str
) -> None:
    """A damaged response and a lost manifest are repaired or as before, never in between."""
    todo = small(twin)
    with client_of(twin, clock) as client:
        answered = client.fetch(todo)
        expected = counts_and_omissions(answered)
        step, completed = 0, False
        while not completed:
            step += 1
            archive = ep.Archive(tmp_path / f"{step}")
            collection = collect(client, todo, archive)
            for path in [next(iter(answers(archive.folder))), collection.path / "question.json.gz"]:
                path.write_bytes(path.read_bytes()[:-9])
            disk = Disk(archive.folder, step, "raise" if crash == "raise" else "cut")
            with pytest.MonkeyPatch.context() as patch:
                disk.install(patch)
                try:
                    collect(client, todo, archive)
                    completed = not disk.failed
                except Crash:
                    pass
            if crash != "raise":
                disk.reboot(forgetful=crash == "cut and forgotten")
            assert not completed or archive.verify() == ()
            same(collect(client, todo, archive), expected)
            assert archive.verify() == ()


# A full disk


@pytest.mark.long
def test_a_job_resumes_after_a_full_disk(
    twin: SandboxServer, clock: FakeClock, tmp_path: Path
) -> None:
    """Each step in turn raises an error with the cure; with free space the job resumes."""
    todo = small(twin)
    with client_of(twin, clock) as client:
        answered = client.fetch(todo)
        expected = counts_and_omissions(answered)
        step, completed = 0, False
        while not completed:
            step += 1
            archive = ep.Archive(tmp_path / f"{step}")
            disk = Disk(archive.folder, step, "full")
            with pytest.MonkeyPatch.context() as patch:
                disk.install(patch)
                try:
                    collect(client, todo, archive)
                    completed = True
                except ep.ArchiveError as error:
                    assert "No space left on device" in str(error)  # noqa: PT017
                    assert "free some room" in str(error) or "collect again" in str(error)  # noqa: PT017
                disk.free()
                kept, full = stored(archive.folder), len(twin.requests)
                collection = collect(client, todo, archive)
            assert kept.isdisjoint(sent(twin, full))
            same(collection, expected)
            assert hidden(archive.folder) == []


# Kills


class Trap(deque[Any]):
    """A log of requests that kills a process shortly after one of them."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self.rng, self.left, self.pid, self.killer = rng, 0, 0, None

    left: int
    killer: threading.Timer | None

    def arm(self, pid: int) -> None:
        self.pid, self.left = pid, self.rng.randint(1, 3)

    def append(self, received: Any) -> None:
        super().append(received)
        self.left -= 1
        if self.left == 0:
            self.killer = threading.Timer(self.rng.uniform(0, 0.002), self._kill)
            self.killer.start()

    def _kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


@pytest.mark.long
@pytest.mark.parametrize(("kills", "hours"), [(8, 12), (60, 2)])
def test_a_killed_process_wastes_only_requests_in_flight(
    clock: FakeClock, tmp_path: Path, kills: int, hours: int
) -> None:
    """A process is killed again and again; stored responses are not requested again."""
    with sandbox() as server:
        trap = Trap(random.Random(kills))  # noqa: S311 - no secret
        server._log = server._listener.log = trap
        posts = question(server, posts=12, size=1)
        windows = WINDOW.split(timedelta(hours=hours))
        parts = tuple(part.replace(window=window) for part in posts for window in windows)
        assert len(parts) > 4 * kills
        todo = replace(posts, requests=parts, unposted=())
        keys = server.keys()
        secrets = [
            keys.consumer_key,
            keys.consumer_secret,
            keys.access_token,
            keys.access_token_secret,
        ]
        kills_so_far = 0
        while kills_so_far < kills:
            process = start(tmp_path, todo, server.base_url, secrets)
            trap.arm(process.pid)
            _, errors = process.communicate()
            assert process.returncode == -signal.SIGKILL, errors
            kills_so_far += 1
            assert trap.killer is not None
            trap.killer.join()
        process = start(tmp_path, todo, server.base_url, secrets)
        _, errors = process.communicate()
        assert (process.returncode, errors) == (0, "")
        number = len(trap)
        archive = ep.Archive(tmp_path)
        (collection,) = archive.collections
        assert archive.verify() == ()
        assert collection.complete
    with sandbox(clock) as undisturbed, client_of(undisturbed, clock) as client:
        answered = client.fetch(todo)
        expected = counts_and_omissions(answered)
    assert number <= len(answered) + kills * IN_FLIGHT
    same(collection, expected)


# Concurrent processes


def script_counts(server: ScriptedServer, number: int) -> None:
    """Have a server return another count for the requested posts each time."""
    numbers = itertools.count()

    def answer(body: Any) -> Any:
        return {"by_post": {post: {"favorites": str(next(numbers))} for post in body["tweet_ids"]}}

    server.answer(*[Scripted(200, answer)] * number)


def plan_of(count: int, first: int = 1) -> Plan:
    """Return a plan of that many requests."""
    posts = range(first, first + count)
    window = ep.Window.covering("2026-03-01", "2026-03-02")
    return in_parts(
        ep.historical(posts, engagement_types=["favorites"], window=window, by=ep.BY_POST), 1
    )


@pytest.mark.slow
def test_processes_with_one_request_share_a_collection(
    server: ScriptedServer, tmp_path: Path
) -> None:
    """Each gets other responses, and all read those that were stored first."""
    script_counts(server, 200)
    processes = [start(tmp_path, plan_of(30), server.url) for _ in range(3)]
    outputs = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert [errors for _, errors in outputs] == ["", "", ""]
    read = [json.loads(fingerprints) for fingerprints, _ in outputs]
    assert read[0] == read[1] == read[2]
    assert len(read[0]) == 30
    archive = ep.Archive(tmp_path)
    assert [collection.complete for collection in archive.collections] == [True]
    assert (archive.verify(), hidden(tmp_path)) == ((), [])


@pytest.mark.slow
def test_processes_with_other_requests_make_their_own_collections(
    server: ScriptedServer, tmp_path: Path
) -> None:
    """They make the archive's folder at the same time."""
    script_counts(server, 200)
    processes = [start(tmp_path / "raw", plan_of(10, 10 * nth), server.url) for nth in range(1, 4)]
    outputs = [process.communicate() for process in processes]
    assert [errors for _, errors in outputs] == ["", "", ""]
    archive = ep.Archive(tmp_path / "raw")
    assert [collection.complete for collection in archive.collections] == [True] * 3
    assert (archive.verify(), hidden(tmp_path)) == ((), [])
    posts = {post for response in archive for post in response.request.post_ids}
    assert posts == {str(number) for number in range(10, 40)}


def test_a_response_stored_by_another_process_is_used(
    client: ep.EngagementClient, server: ScriptedServer, tmp_path: Path
) -> None:
    """A response that arrives after another process stored one is dropped."""
    todo = plan_of(2)
    script_counts(server, 10)
    archive = ep.Archive(tmp_path)
    stored_by_other: list[ep.EngagementResponse] = []

    def meanwhile(progress: Any) -> None:
        if progress.done == 1 and not stored_by_other:
            (collection,) = archive.collections
            other = ep.EngagementResponse(todo.requests[1], b'{"by_post": {}}')
            stored_by_other.append(collection.keep(other))

    collection = client.collect(todo, into=archive, watch=meanwhile)
    assert [response.content for response in collection][1] == b'{"by_post": {}}'
    late = ep.EngagementResponse(todo.requests[1], b'{"by_post": {"2": {}}}')
    assert collection.keep(late).content == b'{"by_post": {}}'


def test_a_refusal_stored_by_another_process_is_used(
    client: ep.EngagementClient, server: ScriptedServer, tmp_path: Path
) -> None:
    """The stored response decides what is left to request."""
    todo = in_parts(plan_of(2).request, 2)
    script_counts(server, 2)
    archive = ep.Archive(tmp_path)
    refusal = b'{"errors": ["Forbidden to access tweets: 2"]}'

    def meanwhile(_: Any) -> None:
        (collection,) = archive.collections
        collection.keep(ep.EngagementResponse(todo.requests[0], refusal, 403))

    collection = client.collect(todo, into=archive, watch=meanwhile)
    assert [seen.body["tweet_ids"] for seen in server.seen] == [["1", "2"], ["1"]]
    assert [(r.status, r.request.post_ids) for r in collection] == [(403, ("2",)), (200, ("1",))]
    assert collection.unanswered == ()


def test_a_collection_begun_by_another_process_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    """The other process makes the folder just before; no temporary folder is left."""
    todo, real = plan_of(2), os.rename
    archive = ep.Archive(tmp_path)
    now = datetime.fromtimestamp(clock.now, UTC)

    def late(source: Any, path: Any) -> None:
        monkeypatch.setattr(os, "rename", real)
        archive.collection(todo, "user 9", now - timedelta(hours=1))
        real(source, path)

    monkeypatch.setattr(os, "rename", late)
    collection = archive.collection(todo, "user 9", now)
    assert collection.started == now - timedelta(hours=1)
    assert (archive.collections, hidden(tmp_path)) == ((collection,), [])


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_write_once_keeps_an_existing_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    links: bool,  # noqa: FBT001
) -> None:
    """The same holds on a file system without links."""
    if not links:
        monkeypatch.setattr(os, "link", lambda *_, **__: (_ for _ in ()).throw(OSError(95, "no")))
    path = tmp_path / "answer"
    assert files.write_once(path, b"first")
    assert not files.write_once(path, b"second")
    assert path.read_bytes() == b"first"
    assert [found.name for found in tmp_path.iterdir()] == ["answer"]


def test_write_once_has_one_winner(tmp_path: Path) -> None:
    """16 threads write the same file: one of them succeeds, and the file is its own."""
    start_line, won = threading.Barrier(16), []

    def race(mine: bytes) -> None:
        start_line.wait()
        if files.write_once(tmp_path / "answer", mine):
            won.append(mine)

    racers = [threading.Thread(target=race, args=(bytes([n]) * 10_000,)) for n in range(16)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert won == [(tmp_path / "answer").read_bytes()]


def test_write_once_works_where_folders_cannot_be_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network drives refuse it; the file is stored nevertheless."""
    real = os.fsync

    def refuse(handle: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{handle}"):  # noqa: PTH112
            raise OSError(22, "Invalid argument")
        real(handle)

    monkeypatch.setattr(os, "fsync", refuse)
    assert files.write_once(tmp_path / "answer", b"all of it")
