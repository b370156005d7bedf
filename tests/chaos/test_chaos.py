"""Failures of a third of thousands of requests, and hundreds of kills, do not change the frame.

``CHAOS_SEED=7 pytest tests/chaos -m long -s`` runs the long tests with another seed, and prints
the faults; a failure shows its seed.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from chaos.collecting import IN_FLIGHT, OUTAGE, ForkServer
from chaos.storm import (
    FAULT_KINDS,
    RATE,
    SEED,
    app,
    assert_same,
    by_hour,
    by_post,
    client_of,
    collect,
    frames_of,
    owner,
    running_sandbox,
)
from support.archive.asking import key
from support.scripted import FakeClock

import engagement_pandas as ep
from engagement_pandas.request.plan import Plan
from engagement_pandas.sandbox import SandboxServer

MANY = 1_000
"""Number of requests in which all kinds of faults must occur."""

MakePlan = Callable[[SandboxServer], Plan]
Credentials = Callable[[SandboxServer], Any]


def few_hours(server: SandboxServer) -> Plan:
    """Return 72 requests."""
    return by_hour(server, posts=15, hours=12)


def many_hours(server: SandboxServer) -> Plan:
    """Return 7,200 requests."""
    return by_hour(server, posts=500, hours=4)


def few_totals(server: SandboxServer) -> Plan:
    """Return 63 requests."""
    return by_post(server, posts=45)


def many_totals(server: SandboxServer) -> Plan:
    """Return 2,002 requests."""
    return by_post(server, posts=1_430)


def few_public(server: SandboxServer) -> Plan:
    """Return 60 requests."""
    return by_post(server, posts=60, types=ep.PUBLIC_TYPES)


def many_public(server: SandboxServer) -> Plan:
    """Return 800 requests."""
    return by_post(server, posts=800, types=ep.PUBLIC_TYPES)


def known_counts(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a count, with the types as text."""
    return counts.dropna(subset=["count"]).astype({"engagement_type": str}).reset_index(drop=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make_plan", "credentials", "parts", "attempts"),
    [
        (few_hours, owner, 72, 3),  # so few attempts that some requests fail in all of them
        pytest.param(few_totals, owner, 63, 3, marks=pytest.mark.long),
        pytest.param(few_public, app, 60, 3, marks=pytest.mark.long),
        pytest.param(many_hours, owner, 7_200, 8, marks=pytest.mark.long),
        pytest.param(many_totals, owner, 2_002, 8, marks=pytest.mark.long),
        pytest.param(many_public, app, 800, 8, marks=pytest.mark.long),
    ],
)
def test_failures_change_nothing(  # noqa: PLR0913, PLR0917
    clock: FakeClock,
    tmp_path: Path,
    make_plan: MakePlan,
    credentials: Credentials,
    parts: int,
    attempts: int,
) -> None:
    """30 % of the requests fail in all known ways: no post is lost, counted or answered twice."""
    with running_sandbox(0, clock) as (reliable, reliable_log):
        plan = make_plan(reliable)
        assert len(plan.requests) == parts
        with client_of(reliable, credentials(reliable), clock, 1) as client:
            expected = frames_of(client.fetch(plan, watch=lambda _: None), plan)
            answers = len(reliable_log.requests())
            complete = frames_of(client.fetch(plan.request, watch=lambda _: None), plan)
    with running_sandbox(RATE, clock) as (server, log):
        with client_of(server, credentials(server), clock, attempts) as client:
            collection, errors = collect(client, plan, tmp_path)
        actual = frames_of(collection, plan)
    faults = log.faults()
    print(f"\nseed {SEED}: {parts:,} requests, {answers:,} answers, {len(log):,} sent; "  # noqa: T201
          f"{errors} times given up; {faults.total():,} faults: {dict(faults)}")  # fmt: skip
    assert_same(actual, expected)
    for name, (counts, omissions) in actual.items():
        # Division does not matter, but posts that are all too old are refused without rows.
        pd.testing.assert_frame_equal(known_counts(counts), known_counts(complete[name][0]))
        if "post_id" in counts:
            covered = {*counts["post_id"], *omissions["post_id"]}
            assert covered == set(plan.request.post_ids)
    answered = Counter(request for request, correct in log.requests() if correct)
    assert set(answered.values()) == {1}
    # A batch that has only invalid responses in all attempts is divided in half.
    assert answers <= len(answered) <= answers + answers // 20 + 1
    assert ep.Archive(tmp_path).verify() == ()
    if len(log) > MANY:
        assert set(faults) == {getattr(fault, "kind", fault) for fault in FAULT_KINDS}
    assert faults.total() / len(log) == pytest.approx(RATE, abs=0.1)


# Kills


MOST_ANSWERED = 3
"""Maximum number of requests that are answered before a process is killed."""


class Kill:
    """Kills a process shortly after its start, or after one of its first requests.

    From that request on none is answered until the process has ended, so it cannot finish.

    Parameters
    ----------
    rng : Random
        Draws the request and the delay.
    """

    def __init__(self, rng: random.Random) -> None:
        self._left, delay = rng.randint(0, MOST_ANSWERED + 1), rng.uniform(0, 0.005)
        self._at_once = self._left == 0
        self._timer = threading.Timer(10 * delay if self._at_once else delay, self._kill)
        self._lock, self._aimed, self._over = threading.Lock(), threading.Event(), threading.Event()
        self._process: int | None = None

    def hold(self) -> None:
        """Count a request, and return when it may be answered."""
        with self._lock:
            self._left -= 1
            if self._left == 0:
                self._timer.start()
            held = self._left <= 0
        if held:
            self._over.wait()

    def aim(self, process: int) -> None:
        """Set the process, which has started."""
        self._process = process
        self._aimed.set()
        if self._at_once:
            self._timer.start()

    def end(self) -> None:
        """Release all requests after the end of the process."""
        self._timer.cancel()
        self._process = None
        self._aimed.set()
        self._over.set()

    def _kill(self) -> None:
        self._aimed.wait()
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGKILL)


class StoredRequests:
    """The requests with stored responses; each file is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, str] = {}

    def now(self) -> set[str]:
        """Return the requests, each as its :func:`key`."""
        for path in self._folder.glob("[!.]*/[!.]*.json.gz"):
            if path.name != "question.json.gz" and path not in self._known:
                head = gzip.decompress(path.read_bytes()).partition(b"\n")[0]
                self._known[path] = key(json.loads(head)["request"])
        return set(self._known.values())


@pytest.mark.long
@pytest.mark.parametrize(("kills", "posts", "hours"), [(4, 20, 24), (100, 60, 4)])
def test_kills_change_nothing(
    clock: FakeClock, tmp_path: Path, kills: int, posts: int, hours: int
) -> None:
    """Processes are killed repeatedly, and stored responses are not requested again."""
    rng = random.Random(SEED)  # noqa: S311 - no secret
    with running_sandbox(0, clock) as (reliable, reliable_log):
        plan = by_hour(reliable, posts, hours)
        with client_of(reliable, owner(reliable), clock, 1) as client:
            expected = frames_of(client.fetch(plan, watch=lambda _: None), plan)
        answers = len(reliable_log)
    assert kills * MOST_ANSWERED < len(plan.requests)  # otherwise no process would be left to kill
    stored, killed, outages = StoredRequests(tmp_path), 0, 0
    with (
        running_sandbox(RATE) as (server, log),
        ForkServer(tmp_path, plan, server.base_url, owner(server)) as fork_server,
    ):
        exit_code = None
        while exit_code != 0:
            kept, before = stored.now(), len(log)
            kill = Kill(rng) if killed < kills else None
            log.on_request = kill.hold if kill else lambda: None
            process = fork_server.start()
            if kill:
                kill.aim(process)
            exit_code = fork_server.exit_code()
            log.on_request = lambda: None
            if kill:
                kill.end()
            killed += exit_code == -signal.SIGKILL
            outages += exit_code == OUTAGE
            assert exit_code in {-signal.SIGKILL, OUTAGE} or (exit_code, killed) == (0, kills)
            assert kept.isdisjoint(request for request, _ in log.requests(before))
    answered = Counter(request for request, correct in log.requests() if correct)
    twice = answered.total() - len(answered)
    print(f"\nseed {SEED}: {killed} kills, {answers:,} answers, {len(log):,} sent; "  # noqa: T201
          f"{twice} answered twice; {outages} times given up")  # fmt: skip
    archive = ep.Archive(tmp_path)
    (collection,) = archive.collections
    assert (collection.complete, archive.verify()) == (True, ())
    assert_same(frames_of(collection, plan), expected)
    # A batch that has only invalid responses in all attempts is divided in half.
    assert answers <= len(answered) <= answers + answers // 20 + 1
    assert twice <= kills * IN_FLIGHT
