"""Runs with real threads, a server that holds responses back, and interrupts."""

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
from engagement_pandas.response.archives.collection import Collection
from engagement_pandas.transport import scheduler

NAME = "engagement_pandas request"


class StopWatching(Exception):
    """Raised by a watcher to end a fetch."""


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Run a server that holds requests."""
    running = Gate()
    yield running
    running.close()


Make = Callable[..., ep.EngagementClient]


@pytest.fixture
def make(gate: Gate) -> Iterator[Make]:
    """Return a function that makes clients, and check that all their threads have ended."""
    clients = []

    def start(**keywords: Any) -> ep.EngagementClient:
        clients.append(ep.EngagementClient(USER, base_url=gate.url, **keywords))
        return clients[-1]

    yield start
    gate.let_all()
    for thread in request_threads():
        thread.join(500)
    assert request_threads() == []
    for client in clients:
        client.close()


def request_threads() -> list[threading.Thread]:
    """Return the threads that send requests."""
    return [thread for thread in threading.enumerate() if thread.name == NAME]


@pytest.fixture
def _release_at_the_end(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Release all held requests once a run waits for those in flight."""
    drain = scheduler.Scheduler._drain

    def draining(self: scheduler.Scheduler) -> Iterator[Any]:
        gate.let_all()
        return drain(self)

    monkeypatch.setattr(scheduler.Scheduler, "_drain", draining)


@pytest.fixture
def _no_draining(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for requests in flight when a run is ended."""
    monkeypatch.setattr(scheduler, "DRAIN_SECONDS", 0)
    monkeypatch.setattr(scheduler, "POLL_SECONDS", 0.05)


def posts(number: int) -> Plan:
    """Return a plan of this number of requests of one post each, 1, 2, 3, …."""
    combined = ep.totals(range(1, number + 1), engagement_types=["favorites"])
    return replace(
        ep.plan(combined), requests=tuple(combined.replace(post_ids=[i]) for i in combined.post_ids)
    )


def ids(responses: Any) -> list[int]:
    """Return the first post of each response."""
    return [int(response.request.post_ids[0]) for response in responses]


def test_threads_are_used_again() -> None:
    """A function that is submitted after another has ended starts no thread."""
    executor, threads = scheduler.ThreadExecutor(), set[threading.Thread]()
    both = threading.Barrier(2)

    def meet() -> threading.Thread:
        both.wait(500)
        return threading.current_thread()

    for _ in range(3):
        for _ in range(2):
            executor.submit(meet)
        for _ in range(2):
            done = executor.wait(500)
            assert done is not None
            threads.add(done.result())
    assert len(threads) == 2
    executor.close()
    for thread in threads:
        thread.join(500)
        assert not thread.is_alive()


@pytest.mark.slow
def test_in_flight_is_an_upper_bound(make: Make, gate: Gate) -> None:
    """After the first response exactly ``in_flight`` requests are sent concurrently."""

    def watch(progress: Progress) -> None:
        if progress.done == 1 and gate.waiting == 5:
            gate.let_all()

    assert ids(make(in_flight=5).fetch(posts(20), watch=watch)) == list(range(1, 21))
    assert gate.most == 5


def test_fetch_returns_the_order_of_the_plan(make: Make, gate: Gate) -> None:
    """The order of arrival does not matter; here the second arrives last."""
    arrived: list[int] = []

    def answer(post_ids: list[str]) -> Reply:
        arrived.append(int(post_ids[0]))
        if len(arrived) == 9:
            gate.let(2)
        return counted(post_ids)

    gate.answer = answer
    gate.let(*range(3, 11))
    assert ids(make().fetch(posts(10), watch=lambda _: None)) == list(range(1, 11))
    assert arrived[-1] == 2


def test_the_parts_of_a_refused_request_stay_together(make: Make, gate: Gate) -> None:
    """Their responses are in the order of the requests."""

    def answer(post_ids: list[str]) -> Reply:
        if post_ids == ["1", "2"]:
            return 403, {"errors": ["Forbidden to access tweets: 2"]}, PLENTY
        return counted(post_ids)

    gate.answer = answer
    gate.let_all()
    combined = ep.totals([1, 2, 3, 4], engagement_types=["favorites"])
    plan = replace(
        ep.plan(combined),
        requests=tuple(combined.replace(post_ids=p) for p in (["1", "2"], ["3", "4"])),
    )
    responses = make().fetch(plan, watch=lambda _: None)
    assert [(r.status, r.request.post_ids) for r in responses] == [
        (403, ("2",)),
        (200, ("1",)),
        (200, ("3", "4")),
    ]


def test_a_stream_yields_the_order_of_arrival(make: Make, gate: Gate) -> None:
    """Response 3 is released before 2, and comes before it."""
    stream = make().stream(posts(3), watch=lambda _: None)
    assert ids([next(stream)]) == [1]
    gate.let(3)
    assert ids([next(stream)]) == [3]
    gate.let(2)
    assert ids(stream) == [2]


def test_a_slow_consumer_limits_the_requests(make: Make, gate: Gate) -> None:
    """While it handles a response, only the requests in flight are continued."""
    gate.let_all()
    stream = make(in_flight=3).stream(posts(50), watch=lambda _: None)
    for _ in range(5):
        next(stream)
    stream.close()
    for thread in request_threads():
        thread.join(500)
    assert len(gate.requested) <= 5 + 3


@pytest.mark.slow
def test_watchers_are_called_in_the_callers_thread(make: Make, gate: Gate) -> None:
    """A widget or a bar is not touched by another thread."""
    gate.let_all()
    threads: list[threading.Thread] = []
    make().fetch(posts(20), watch=lambda _: threads.append(threading.current_thread()))
    assert set(threads) == {threading.current_thread()}
    assert len(threads) >= 21


@pytest.mark.usefixtures("_release_at_the_end")
def test_an_error_carries_the_responses_in_flight(make: Make, gate: Gate) -> None:
    """No new request begins; those in flight are awaited, and their responses kept."""

    def answer(post_ids: list[str]) -> Reply:
        if post_ids == ["3"]:
            gate.until_waiting(3)  # 2, 4 and 5 are held
            return 400, {"errors": ["no"]}, PLENTY
        return counted(post_ids)

    gate.answer = answer
    gate.let(3)
    with pytest.raises(ep.RefusedError) as caught:
        make(in_flight=4).fetch(posts(30), watch=lambda _: None)
    assert ids(caught.value.responses) == [1, 2, 4, 5]
    assert len(gate.requested) == 5


@pytest.mark.usefixtures("_no_draining")
def test_unanswered_requests_are_given_up(make: Make, gate: Gate) -> None:
    """The threads of an ended run delay nothing; ``test_scheduler`` tests the time limit."""

    def watch(_: Progress) -> None:
        if gate.waiting == 2:
            raise StopWatching

    with pytest.raises(StopWatching) as caught:
        make(in_flight=2).fetch(posts(9), watch=watch)
    assert ids(caught.value.responses) == [1]  # type: ignore[attr-defined]
    assert len(request_threads()) == 2


@pytest.mark.usefixtures("_release_at_the_end")
def test_the_first_of_two_errors_is_raised(make: Make, gate: Gate) -> None:
    """A later failure among the requests in flight changes nothing."""

    def answer(post_ids: list[str]) -> Reply:
        if post_ids == ["3"]:
            gate.until_waiting(3)
            return 400, {"errors": ["first"]}, PLENTY
        return (400, {"errors": ["second"]}, PLENTY) if post_ids == ["4"] else counted(post_ids)

    gate.answer = answer
    gate.let(3)
    with pytest.raises(ep.RefusedError, match="first") as caught:
        make(in_flight=4).fetch(posts(30), watch=lambda _: None)
    assert ids(caught.value.responses) == [1, 2, 5]


@pytest.mark.slow
@pytest.mark.parametrize("error", [StopWatching, KeyboardInterrupt, SystemExit])
def test_an_error_of_a_watcher_ends_a_run(
    make: Make, gate: Gate, error: type[BaseException]
) -> None:
    """No more requests are sent, responses in flight are kept, and the client can be used again."""
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
    assert sorted(gate.requested) == [["1"], ["2"], ["3"], ["4"], ["5"]]
    assert ids(client.fetch(posts(3), watch=lambda _: None)) == [1, 2, 3]


def test_a_closed_stream(make: Make, gate: Gate) -> None:
    """Its threads end with their responses, and no more requests are sent."""
    client = make(in_flight=4)
    stream = client.stream(posts(30), watch=lambda _: None)
    next(stream)
    gate.let(2)
    next(stream)
    stream.close()
    gate.let_all()
    for thread in request_threads():
        thread.join(500)
    assert len(gate.requested) <= 6
    assert ids(client.fetch(posts(3), watch=lambda _: None)) == [1, 2, 3]


@pytest.mark.slow
@pytest.mark.usefixtures("_no_draining")
def test_late_responses_are_stored(make: Make, gate: Gate, tmp_path: Path) -> None:
    """After an interrupt they are stored, so the same call does not repeat them."""
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
    assert sorted(int(post) for post_ids in gate.requested for post in post_ids) == list(
        range(1, 10)
    )


def test_a_response_that_cannot_be_stored(
    make: Make, gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error of the storing thread ends the run, in the caller's thread."""
    gate.let_all()
    original = Collection.keep

    def keep(self: Any, response: Any, *account: Any) -> Any:
        if response.request.post_ids == ("4",):
            msg = "the disk is full"
            raise ep.ArchiveError(msg)
        return original(self, response, *account)

    monkeypatch.setattr(Collection, "keep", keep)
    with pytest.raises(ep.ArchiveError, match="the disk is full"):
        make(in_flight=3).collect(posts(30), into=tmp_path, watch=lambda _: None)
    assert len(gate.requested) <= 4 + 3


def test_collect_accepts_a_folder(make: Make, gate: Gate, tmp_path: Path) -> None:
    """Text, a path and an archive are the same folder."""
    gate.let_all()
    for into in (tmp_path / "a", str(tmp_path / "a"), ep.Archive(tmp_path / "a")):
        assert ids(make().collect(posts(2), into=into, watch=lambda _: None)) == [1, 2]
    assert (
        len(ep.Archive(tmp_path / "a").collections) == 3
    )  # each collection of totals is a snapshot


@pytest.mark.parametrize("into", [None, 5, b"raw", "", ["raw"]])
def test_invalid_folders_are_refused(make: Make, gate: Gate, into: Any) -> None:
    """They are refused before anything is sent."""
    with pytest.raises(ep.RequestError, match="give an Archive, or the name of its folder"):
        make().collect(posts(2), into=into)
    assert gate.requested == []


@pytest.mark.slow
def test_two_fetches_of_one_client(make: Make, gate: Gate) -> None:
    """Two threads fetch with one client, and each gets its own responses."""
    gate.let_all()
    client = make(in_flight=4)
    results: list[list[int]] = []
    threads = [
        threading.Thread(
            target=lambda: results.append(ids(client.fetch(posts(40), watch=lambda _: None)))
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == [list(range(1, 41))] * 2
    assert len(gate.requested) == 80


@pytest.mark.slow
def test_a_process_ends_at_once(gate: Gate) -> None:
    """Requests in flight that are never answered do not delay its end."""
    code = f"""
import threading
from dataclasses import replace

import engagement_pandas as ep
from engagement_pandas.transport import scheduler

combined = ep.totals(range(1, 9), engagement_types=["favorites"])
parts = tuple(combined.replace(post_ids=[post]) for post in combined.post_ids)
plan = replace(ep.plan(combined), requests=parts)
client = ep.EngagementClient(ep.UserContext("a", "b", "c", "d"), base_url="{gate.url}")
stream = client.stream(plan, watch=lambda _: None)
next(stream)
scheduler.POLL_SECONDS, scheduler.DRAIN_SECONDS = 0.05, 0

def watch(progress):
    if progress.done and threading.active_count() > 4:
        raise SystemExit(7)

client.fetch(plan, watch=watch)
"""
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], check=False, capture_output=True
    )
    assert done.returncode == 7, done.stderr
