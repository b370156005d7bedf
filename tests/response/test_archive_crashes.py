"""The archive and what can happen to it: crashes, power cuts, kills, full disks, two at once."""

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
    in_parts,
    question,
    same,
    sandbox,
    sent,
    stored,
    told,
)
from support.archive.collecting import IN_FLIGHT, start
from support.archive.disks import Crash, Disk
from support.scripted import FakeClock, Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas import files
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
    """Return a question that five answers settle, one of them left over by a refusal."""
    return question(server, posts=6, size=4)


def collect(client: ep.EngagementClient, todo: Plan, archive: ep.Archive) -> Any:
    """Collect without a progress bar."""
    return client.collect(todo, into=archive, watch=lambda _: None)


def hidden(folder: Path) -> list[Path]:
    """Return the files and folders that are on their way to being something."""
    return [path for path in folder.rglob("*") if path.name.startswith(".")]


# Crashes


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        "raise",
        *(pytest.param(kind, marks=pytest.mark.long) for kind in ("cut", "cut and forgotten")),
    ],
)
def test_a_crash_between_any_two_system_calls(
    twin: SandboxServer, clock: FakeClock, tmp_path: Path, kind: str
) -> None:
    """At each in turn: the same call goes on, sends nothing twice that is stored, ends the same.

    ``raise`` is an interrupt, after which cleaning up works. ``cut`` is a power cut: nothing
    works any more, and files that were not flushed are empty; ``forgotten``: and what was not
    flushed in folders never happened.
    """
    todo = small(twin)
    with client_of(twin, clock) as client:
        expected = told(client.fetch(todo))
        answered = sent(twin)  # some posts are settled without asking
        at, whole = 0, False
        while not whole:
            at += 1
            folder = tmp_path / f"{at}" / "deep" / "raw"
            disk = Disk(tmp_path / f"{at}", at, "raise" if kind == "raise" else "cut")
            before = len(twin.requests)
            with pytest.MonkeyPatch.context() as patch:
                disk.install(patch)
                try:
                    collect(client, todo, ep.Archive(folder))
                    whole = not disk.failed
                except Crash:
                    pass
            if kind != "raise":
                disk.reboot(forgetful=kind == "cut and forgotten")
            kept, crashed = stored(folder), len(twin.requests)
            archive = ep.Archive(folder)
            assert archive.verify() == ()
            if whole:  # what was finished outlasts it
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
    assert at > 7 * len(answered)  # seven steps an answer, and the question, and the mark
    assert {"open", "write", "fsync", "link", "mkdir", "rename", "unlink"} <= set(disk.taken)


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        "raise",
        *(pytest.param(kind, marks=pytest.mark.long) for kind in ("cut", "cut and forgotten")),
    ],
)
def test_a_crash_while_damage_is_mended(
    twin: SandboxServer, clock: FakeClock, tmp_path: Path, kind: str
) -> None:
    """A damaged answer and a lost question are whole again or as they were, never in between."""
    todo = small(twin)
    with client_of(twin, clock) as client:
        answered = client.fetch(todo)
        expected = told(answered)
        at, whole = 0, False
        while not whole:
            at += 1
            archive = ep.Archive(tmp_path / f"{at}")
            collection = collect(client, todo, archive)
            for path in [next(iter(answers(archive.folder))), collection.path / "question.json.gz"]:
                path.write_bytes(path.read_bytes()[:-9])
            disk = Disk(archive.folder, at, "raise" if kind == "raise" else "cut")
            with pytest.MonkeyPatch.context() as patch:
                disk.install(patch)
                try:
                    collect(client, todo, archive)
                    whole = not disk.failed
                except Crash:
                    pass
            if kind != "raise":
                disk.reboot(forgetful=kind == "cut and forgotten")
            assert not whole or archive.verify() == ()
            same(collect(client, todo, archive), expected)
            assert archive.verify() == ()


# A full disk


@pytest.mark.slow
def test_a_full_disk(twin: SandboxServer, clock: FakeClock, tmp_path: Path) -> None:
    """At each step in turn: an error with the cure; and with room again it goes on."""
    todo = small(twin)
    with client_of(twin, clock) as client:
        answered = client.fetch(todo)
        expected = told(answered)
        at, whole = 0, False
        while not whole:
            at += 1
            archive = ep.Archive(tmp_path / f"{at}")
            disk = Disk(archive.folder, at, "full")
            with pytest.MonkeyPatch.context() as patch:
                disk.install(patch)
                try:
                    collect(client, todo, archive)
                    whole = True
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
    """A log of requests that kills a process a moment after one of them."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self.dice, self.left, self.pid, self.killer = dice, 0, 0, None

    left: int
    killer: threading.Timer | None

    def arm(self, pid: int) -> None:
        self.pid, self.left = pid, self.dice.randint(1, 3)

    def append(self, received: Any) -> None:
        super().append(received)
        self.left -= 1
        if self.left == 0:
            self.killer = threading.Timer(self.dice.uniform(0, 0.002), self._kill)
            self.killer.start()

    def _kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize(("kills", "hours"), [(8, 12), pytest.param(60, 2, marks=pytest.mark.long)])
def test_kills(clock: FakeClock, tmp_path: Path, kills: int, hours: int) -> None:
    """A process that is killed again and again: no more is wasted than was on its way."""
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
        killed = 0
        while killed < kills:
            process = start(tmp_path, todo, server.base_url, secrets)
            trap.arm(process.pid)
            _, words = process.communicate()
            assert process.returncode == -signal.SIGKILL, words
            killed += 1
            assert trap.killer is not None
            trap.killer.join()
        process = start(tmp_path, todo, server.base_url, secrets)
        _, words = process.communicate()
        assert (process.returncode, words) == (0, "")
        number = len(trap)
        archive = ep.Archive(tmp_path)
        (collection,) = archive.collections
        assert archive.verify() == ()
        assert collection.complete
    with sandbox(clock) as calm, client_of(calm, clock) as client:
        answered = client.fetch(todo)
        expected = told(answered)
    assert number <= len(answered) + kills * IN_FLIGHT
    same(collection, expected)


# Two at once


def answering(server: ScriptedServer, number: int) -> None:
    """Have a server answer something else of the posts that are asked for, each time."""
    numbers = itertools.count()

    def answer(asked: Any) -> Any:
        return {"by_post": {post: {"favorites": str(next(numbers))} for post in asked["tweet_ids"]}}

    server.answer(*[Scripted(200, answer)] * number)


def numbered(count: int, first: int = 1) -> Plan:
    """Return a question in that many parts."""
    posts = range(first, first + count)
    window = ep.Window.covering("2026-03-01", "2026-03-02")
    return in_parts(
        ep.historical(posts, engagement_types=["favorites"], window=window, by=ep.BY_POST), 1
    )


@pytest.mark.slow
def test_two_processes_with_one_question(server: ScriptedServer, tmp_path: Path) -> None:
    """Each gets other answers, and both read the same: those that were stored first."""
    answering(server, 200)
    processes = [start(tmp_path, numbered(30), server.url) for _ in range(3)]
    said = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert [words for _, words in said] == ["", "", ""]
    read = [json.loads(fingerprints) for fingerprints, _ in said]
    assert read[0] == read[1] == read[2]
    assert len(read[0]) == 30
    archive = ep.Archive(tmp_path)
    assert [collection.complete for collection in archive.collections] == [True]
    assert (archive.verify(), hidden(tmp_path)) == ((), [])


@pytest.mark.slow
def test_two_processes_with_two_questions(server: ScriptedServer, tmp_path: Path) -> None:
    """A collection each, in a folder that both make."""
    answering(server, 200)
    processes = [start(tmp_path / "raw", numbered(10, 10 * nth), server.url) for nth in range(1, 4)]
    said = [process.communicate() for process in processes]
    assert [words for _, words in said] == ["", "", ""]
    archive = ep.Archive(tmp_path / "raw")
    assert [collection.complete for collection in archive.collections] == [True] * 3
    assert (archive.verify(), hidden(tmp_path)) == ((), [])
    posts = {post for response in archive for post in response.request.post_ids}
    assert posts == {str(number) for number in range(10, 40)}


def test_another_was_quicker(
    client: ep.EngagementClient, server: ScriptedServer, tmp_path: Path
) -> None:
    """An answer that arrives when another process has stored one is dropped for that one."""
    todo = numbered(2)
    answering(server, 10)
    archive = ep.Archive(tmp_path)
    others: list[ep.EngagementResponse] = []

    def meanwhile(progress: Any) -> None:
        if progress.done == 1 and not others:
            (collection,) = archive.collections
            other = ep.EngagementResponse(todo.requests[1], b'{"by_post": {}}')
            others.append(collection.keep(other))

    collection = client.collect(todo, into=archive, watch=meanwhile)
    assert [response.content for response in collection][1] == b'{"by_post": {}}'
    late = ep.EngagementResponse(todo.requests[1], b'{"by_post": {"2": {}}}')
    assert collection.keep(late).content == b'{"by_post": {}}'


def test_another_was_quicker_and_refused(
    client: ep.EngagementClient, server: ScriptedServer, tmp_path: Path
) -> None:
    """What is stored decides what is left to ask, whatever arrived here."""
    todo = in_parts(numbered(2).request, 2)
    answering(server, 2)
    archive = ep.Archive(tmp_path)
    refusal = b'{"errors": ["Forbidden to access tweets: 2"]}'

    def meanwhile(_: Any) -> None:
        (collection,) = archive.collections
        collection.keep(ep.EngagementResponse(todo.requests[0], refusal, 403))

    collection = client.collect(todo, into=archive, watch=meanwhile)
    assert [seen.body["tweet_ids"] for seen in server.seen] == [["1", "2"], ["1"]]
    assert [(r.status, r.request.post_ids) for r in collection] == [(403, ("2",)), (200, ("1",))]
    assert collection.unanswered == ()


def test_another_began_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    """Just before the folder gets its name: that of the other is taken, and nothing is left."""
    todo, real = numbered(2), os.rename
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
def test_the_first_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:  # noqa: FBT001
    """A file that is there is left as it is; also where a file system has no links."""
    if not links:
        monkeypatch.setattr(os, "link", lambda *_, **__: (_ for _ in ()).throw(OSError(95, "no")))
    path = tmp_path / "answer"
    assert files.write_once(path, b"first")
    assert not files.write_once(path, b"second")
    assert path.read_bytes() == b"first"
    assert [found.name for found in tmp_path.iterdir()] == ["answer"]


def test_one_of_many_wins(tmp_path: Path) -> None:
    """16 threads place the same file: one is told that it did, and the file is that one's."""
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


def test_a_drive_that_flushes_no_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network drives refuse it; the file is stored all the same."""
    real = os.fsync

    def refuse(handle: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{handle}"):  # noqa: PTH112
            raise OSError(22, "Invalid argument")
        real(handle)

    monkeypatch.setattr(os, "fsync", refuse)
    assert files.write_once(tmp_path / "answer", b"all of it")
