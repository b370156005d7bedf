"""Runs with real threads: threads, a server that holds answers back, and interruptions."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.scheduler.gate import PLENTY, Gate, Reply, counted
from support.scripted import USER

import engagement_pandas as ep
from engagement_pandas.client.progress import Progress
from engagement_pandas.request.plan import Plan
from engagement_pandas.response.collection import Collection
from engagement_pandas.transport import scheduler

NAME = "engagement_pandas request"


class Enough(Exception):
    """Raised by a watcher that has seen enough."""


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Run a server that holds requests."""
    running = Gate()
    yield running
    running.close()


Make = Callable[..., ep.EngagementClient]


@pytest.fixture
def make(gate: Gate) -> Iterator[Make]:
    """Make clients of it; in the end no thread is left."""
    made = []

    def start(**keywords: Any) -> ep.EngagementClient:
        made.append(ep.EngagementClient(USER, base_url=gate.url, **keywords))
        return made[-1]

    yield start
    gate.let_all()
    for thread in request_threads():
        thread.join(500)
    assert request_threads() == []
    for client in made:
        client.close()


def request_threads() -> list[threading.Thread]:
    """Return the threads that hold requests."""
    return [thread for thread in threading.enumerate() if thread.name == NAME]


@pytest.fixture
def _let_all_at_the_end(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all that is held through, once a run waits for what is still in flight."""
    drain = scheduler.Scheduler._drain

    def draining(self: scheduler.Scheduler) -> Iterator[Any]:
        gate.let_all()
        return drain(self)

    monkeypatch.setattr(scheduler.Scheduler, "_drain", draining)


@pytest.fixture
def _no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave behind what is in flight when a run is ended; how long it has else is no matter."""
    monkeypatch.setattr(scheduler, "DRAIN_SECONDS", 0)
    monkeypatch.setattr(scheduler, "POLL_SECONDS", 0.05)


def posts(number: int) -> Plan:
    """Return a plan of so many requests of one post each, 1, 2, 3, …."""
    whole = ep.totals(range(1, number + 1), engagement_types=["favorites"])
    return replace(
        ep.plan(whole), requests=tuple(whole.replace(post_ids=[i]) for i in whole.post_ids)
    )


def ids(responses: Any) -> list[int]:
    """Return the first post of each response."""
    return [int(response.request.post_ids[0]) for response in responses]


@pytest.mark.slow
def test_several_fly_and_no_more_than_allowed(make: Make, gate: Gate) -> None:
    """After the first answer as many as ``in_flight``, never one more."""

    def watch(progress: Progress) -> None:
        if progress.done == 1 and gate.waiting == 5:
            gate.let_all()

    assert ids(make(in_flight=5).fetch(posts(20), watch=watch)) == list(range(1, 21))
    assert gate.most == 5


def test_answers_come_back_in_the_plan_s_order(make: Make, gate: Gate) -> None:
    """Whatever order they arrived in: here the second comes last of all."""
    arrived: list[int] = []

    def answer(asked: list[str]) -> Reply:
        arrived.append(int(asked[0]))
        if len(arrived) == 9:
            gate.let(2)
        return counted(asked)

    gate.answer = answer
    gate.let(*range(3, 11))
    assert ids(make().fetch(posts(10), watch=lambda _: None)) == list(range(1, 11))
    assert arrived[-1] == 2


def test_a_refused_part_keeps_its_place(make: Make, gate: Gate) -> None:
    """Its answers stand together, in the order in which they were asked."""

    def answer(asked: list[str]) -> Reply:
        if asked == ["1", "2"]:
            return 403, {"errors": ["Forbidden to access tweets: 2"]}, PLENTY
        return counted(asked)

    gate.answer = answer
    gate.let_all()
    whole = ep.totals([1, 2, 3, 4], engagement_types=["favorites"])
    todo = replace(
        ep.plan(whole), requests=tuple(whole.replace(post_ids=p) for p in (["1", "2"], ["3", "4"]))
    )
    got = make().fetch(todo, watch=lambda _: None)
    assert [(r.status, r.request.post_ids) for r in got] == [
        (403, ("2",)),
        (200, ("1",)),
        (200, ("3", "4")),
    ]


def test_a_stream_yields_what_arrives(make: Make, gate: Gate) -> None:
    """3 is let through before 2, and comes before it."""
    stream = make().stream(posts(3), watch=lambda _: None)
    assert ids([next(stream)]) == [1]
    gate.let(3)
    assert ids([next(stream)]) == [3]
    gate.let(2)
    assert ids(stream) == [2]


def test_nothing_is_read_ahead_of_a_slow_consumer(make: Make, gate: Gate) -> None:
    """While it is busy with one answer, no more are asked than were on their way."""
    gate.let_all()
    stream = make(in_flight=3).stream(posts(50), watch=lambda _: None)
    for _ in range(5):
        next(stream)
    for thread in request_threads():
        thread.join(500)
    assert len(gate.asked) <= 5 + 3
    stream.close()


@pytest.mark.slow
def test_only_the_caller_s_thread_is_told(make: Make, gate: Gate) -> None:
    """A widget or a bar is not touched from anywhere else."""
    gate.let_all()
    told: list[threading.Thread] = []
    make().fetch(posts(20), watch=lambda _: told.append(threading.current_thread()))
    assert set(told) == {threading.current_thread()}
    assert len(told) >= 21


@pytest.mark.usefixtures("_let_all_at_the_end")
def test_an_error_is_told_with_what_was_on_its_way(make: Make, gate: Gate) -> None:
    """No new request begins; those in flight are waited for, and their answers kept."""

    def answer(asked: list[str]) -> Reply:
        if asked == ["3"]:
            gate.until_waiting(3)  # 2, 4 and 5 are held
            return 400, {"errors": ["no"]}, PLENTY
        return counted(asked)

    gate.answer = answer
    gate.let(3)
    with pytest.raises(ep.RefusedError) as caught:
        make(in_flight=4).fetch(posts(30), watch=lambda _: None)
    assert ids(caught.value.responses) == [1, 2, 4, 5]
    assert len(gate.asked) == 5


@pytest.mark.usefixtures("_no_grace")
def test_what_does_not_come_is_left_behind(make: Make, gate: Gate) -> None:
    """The threads of an ended run delay nothing; ``test_scheduler`` shows how long it waits."""

    def watch(_: Progress) -> None:
        if gate.waiting == 2:
            raise Enough

    with pytest.raises(Enough) as caught:
        make(in_flight=2).fetch(posts(9), watch=watch)
    assert ids(caught.value.responses) == [1]  # type: ignore[attr-defined]
    assert len(request_threads()) == 2


@pytest.mark.usefixtures("_let_all_at_the_end")
def test_the_first_of_two_errors_is_told(make: Make, gate: Gate) -> None:
    """What fails while the others are answered changes nothing."""

    def answer(asked: list[str]) -> Reply:
        if asked == ["3"]:
            gate.until_waiting(3)
            return 400, {"errors": ["first"]}, PLENTY
        return (400, {"errors": ["second"]}, PLENTY) if asked == ["4"] else counted(asked)

    gate.answer = answer
    gate.let(3)
    with pytest.raises(ep.RefusedError, match="first") as caught:
        make(in_flight=4).fetch(posts(30), watch=lambda _: None)
    assert ids(caught.value.responses) == [1, 2, 5]


@pytest.mark.slow
@pytest.mark.parametrize("error", [Enough, KeyboardInterrupt, SystemExit])
def test_a_watcher_ends_a_run(make: Make, gate: Gate, error: type[BaseException]) -> None:
    """Nothing more is sent; what was on its way is not lost; the client can be used again."""
    client = make(in_flight=4)
    stop = error("enough")

    def watch(progress: Progress) -> None:
        if progress.done == 1 and gate.waiting == 4:
            gate.let_all()
            raise stop

    with pytest.raises(error) as caught:
        client.fetch(posts(30), watch=watch)
    assert caught.value is stop
    assert ids(caught.value.responses) == [1, 2, 3, 4, 5]  # type: ignore[attr-defined]
    assert sorted(gate.asked) == [["1"], ["2"], ["3"], ["4"], ["5"]]
    assert ids(client.fetch(posts(3), watch=lambda _: None)) == [1, 2, 3]


def test_a_stream_that_is_left(make: Make, gate: Gate) -> None:
    """Its threads end with their answers, and nothing more is sent."""
    client = make(in_flight=4)
    stream = client.stream(posts(30), watch=lambda _: None)
    next(stream)
    gate.let(2)
    next(stream)
    stream.close()
    gate.let_all()
    for thread in request_threads():
        thread.join(500)
    assert len(gate.asked) <= 6
    assert ids(client.fetch(posts(3), watch=lambda _: None)) == [1, 2, 3]


@pytest.mark.slow
@pytest.mark.usefixtures("_no_grace")
def test_what_was_on_its_way_is_stored_when_it_comes(
    make: Make, gate: Gate, tmp_path: Path
) -> None:
    """Also after nobody waits for it: the same call does not ask it again."""
    client = make(in_flight=4)

    def watch(progress: Progress) -> None:
        if progress.done == 1 and gate.waiting == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.collect(posts(9), into=tmp_path, watch=watch)
    assert len(request_threads()) == 4
    gate.let_all()
    for thread in request_threads():
        thread.join(500)
    collection = client.collect(posts(9), into=tmp_path, watch=lambda _: None)
    assert ids(collection) == list(range(1, 10))
    assert sorted(int(post) for asked in gate.asked for post in asked) == list(range(1, 10))


def test_an_answer_that_cannot_be_stored(
    make: Make, gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the thread that stores it ends the run, in the caller's thread."""
    gate.let_all()
    real = Collection.keep

    def keep(self: Any, response: Any, *account: Any) -> Any:
        if response.request.post_ids == ("4",):
            msg = "the disk is full"
            raise ep.ArchiveError(msg)
        return real(self, response, *account)

    monkeypatch.setattr(Collection, "keep", keep)
    with pytest.raises(ep.ArchiveError, match="the disk is full"):
        make(in_flight=3).collect(posts(30), into=tmp_path, watch=lambda _: None)
    assert len(gate.asked) <= 4 + 3


def test_a_folder_will_do(make: Make, gate: Gate, tmp_path: Path) -> None:
    """As text, as a path, or as an archive: the same folder."""
    gate.let_all()
    for into in (tmp_path / "a", str(tmp_path / "a"), ep.Archive(tmp_path / "a")):
        assert ids(make().collect(posts(2), into=into, watch=lambda _: None)) == [1, 2]
    assert len(ep.Archive(tmp_path / "a").collections) == 3  # totals: a snapshot each


@pytest.mark.parametrize("into", [None, 5, b"raw", "", ["raw"]])
def test_what_is_no_folder(make: Make, gate: Gate, into: Any) -> None:
    """Said before anything is sent."""
    with pytest.raises(ep.RequestError, match="give an Archive, or the name of its folder"):
        make().collect(posts(2), into=into)
    assert gate.asked == []


@pytest.mark.slow
def test_two_fetches_of_one_client(make: Make, gate: Gate) -> None:
    """Two threads fetch with one client: each gets its own answers."""
    gate.let_all()
    client = make(in_flight=4)
    got: list[list[int]] = []
    threads = [
        threading.Thread(
            target=lambda: got.append(ids(client.fetch(posts(40), watch=lambda _: None)))
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert got == [list(range(1, 41))] * 2
    assert len(gate.asked) == 80


@pytest.mark.slow
def test_a_process_ends_at_once(gate: Gate) -> None:
    """With requests on their way that are never answered, nothing holds up the end."""
    code = f"""
import threading
from dataclasses import replace

import engagement_pandas as ep
from engagement_pandas.transport import scheduler

whole = ep.totals(range(1, 9), engagement_types=["favorites"])
parts = tuple(whole.replace(post_ids=[post]) for post in whole.post_ids)
todo = replace(ep.plan(whole), requests=parts)
client = ep.EngagementClient(ep.UserContext("a", "b", "c", "d"), base_url="{gate.url}")
left = client.stream(todo, watch=lambda _: None)
next(left)
scheduler.POLL_SECONDS, scheduler.DRAIN_SECONDS = 0.05, 0

def watch(progress):
    if progress.done and threading.active_count() > 4:
        raise SystemExit(7)

client.fetch(todo, watch=watch)
"""
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], check=False, capture_output=True
    )
    assert done.returncode == 7, done.stderr
