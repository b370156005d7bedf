"""Thousands of requests of which a third fail, and hundreds of kills: the frame is the same.

``CHAOS_SEED=7 pytest tests/chaos -m long -s`` runs the long ones with a seed of your own, and
shows what befell them; a failure shows its seed.
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
from chaos.collecting import IN_FLIGHT, OUTAGE, Nursery
from chaos.storm import (
    KINDS,
    RATE,
    SEED,
    app,
    assert_same,
    by_hour,
    by_post,
    client_of,
    collect,
    owner,
    tellings,
    weather,
)
from support.archive.asking import key
from support.scripted import FakeClock

import engagement_pandas as ep
from engagement_pandas.request.plan import Plan
from engagement_pandas.sandbox import SandboxServer

MANY = 1_000
"""Requests among which every kind of fault is to be found."""

Ask = Callable[[SandboxServer], Plan]
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


def counted(counts: pd.DataFrame) -> pd.DataFrame:
    """Return what has a count, whatever other types there are."""
    return counts.dropna(subset=["count"]).astype({"engagement_type": str}).reset_index(drop=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "credentials", "parts", "attempts"),
    [
        (few_hours, owner, 72, 3),  # so few that a request is given up now and then
        pytest.param(few_totals, owner, 63, 3, marks=pytest.mark.long),
        pytest.param(few_public, app, 60, 3, marks=pytest.mark.long),
        pytest.param(many_hours, owner, 7_200, 8, marks=pytest.mark.long),
        pytest.param(many_totals, owner, 2_002, 8, marks=pytest.mark.long),
        pytest.param(many_public, app, 800, 8, marks=pytest.mark.long),
    ],
)
def test_a_storm_changes_nothing(  # noqa: PLR0913, PLR0917
    clock: FakeClock,
    tmp_path: Path,
    question: Ask,
    credentials: Credentials,
    parts: int,
    attempts: int,
) -> None:
    """30 % fail in every way there is: no post lost, none counted or asked twice."""
    with weather(0, clock) as (calm, calm_log):
        todo = question(calm)
        assert len(todo.requests) == parts
        with client_of(calm, credentials(calm), clock, 1) as client:
            wanted = tellings(client.fetch(todo, watch=lambda _: None), todo)
            answers = len(calm_log.asked())
            whole = tellings(client.fetch(todo.request, watch=lambda _: None), todo)
    with weather(RATE, clock) as (server, log):
        with client_of(server, credentials(server), clock, attempts) as client:
            collection, errors = collect(client, todo, tmp_path)
        found = tellings(collection, todo)
    faults = log.faults()
    print(f"\nseed {SEED}: {parts:,} requests, {answers:,} answers, {len(log):,} sent; "  # noqa: T201
          f"{errors} times given up; {faults.total():,} faults: {dict(faults)}")  # fmt: skip
    assert_same(found, wanted)
    for name, (counts, silent) in found.items():
        # However it is cut; but posts that are all too old are refused, and have no rows then.
        pd.testing.assert_frame_equal(counted(counts), counted(whole[name][0]))
        if "post_id" in counts:
            told = {*counts["post_id"], *silent["post_id"]}
            assert told == set(todo.request.post_ids)
    good = Counter(asked for asked, well in log.asked() if well)
    assert set(good.values()) == {1}
    # A batch with nothing but invalid answers, attempt for attempt, is sent in halves.
    assert answers <= len(good) <= answers + answers // 20 + 1
    assert ep.Archive(tmp_path).verify() == ()
    if len(log) > MANY:
        assert set(faults) == {getattr(kind, "kind", kind) for kind in KINDS}
    assert faults.total() / len(log) == pytest.approx(RATE, abs=0.1)


# Kills


MOST_ANSWERED = 3
"""Requests that a process is answered before it is killed, at most."""


class Kill:
    """Kills a process a moment after it has begun, or after one of its first requests.

    From that request on none is answered until the process has ended: so however quick it is,
    it does not end by itself.

    Parameters
    ----------
    dice : Random
        Draws the request and the moment.
    """

    def __init__(self, dice: random.Random) -> None:
        self._left, delay = dice.randint(0, MOST_ANSWERED + 1), dice.uniform(0, 0.005)
        self._at_once = self._left == 0
        self._timer = threading.Timer(10 * delay if self._at_once else delay, self._kill)
        self._turn, self._aimed, self._over = threading.Lock(), threading.Event(), threading.Event()
        self._process: int | None = None

    def tell(self) -> None:
        """Take in that a request has come; return when it may be answered."""
        with self._turn:
            self._left -= 1
            if self._left == 0:
                self._timer.start()
            held = self._left <= 0
        if held:
            self._over.wait()

    def aim(self, process: int) -> None:
        """Say which process it is that has begun."""
        self._process = process
        self._aimed.set()
        if self._at_once:
            self._timer.start()

    def end(self) -> None:
        """Let everything go on: the process has ended."""
        self._timer.cancel()
        self._process = None
        self._aimed.set()
        self._over.set()

    def _kill(self) -> None:
        self._aimed.wait()
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGKILL)


class Stored:
    """What is answered on disk; a file that was read is not read again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, str] = {}

    def now(self) -> set[str]:
        """Return the requests, each as :func:`key` has it."""
        for path in self._folder.glob("[!.]*/[!.]*.json.gz"):
            if path.name != "question.json.gz" and path not in self._known:
                head = gzip.decompress(path.read_bytes()).partition(b"\n")[0]
                self._known[path] = key(json.loads(head)["request"])
        return set(self._known.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kills", "posts", "hours"), [(4, 20, 24), pytest.param(100, 60, 4, marks=pytest.mark.long)]
)
def test_kills_change_nothing(
    clock: FakeClock, tmp_path: Path, kills: int, posts: int, hours: int
) -> None:
    """Killed again and again in the same storm: what is stored is asked no more."""
    dice = random.Random(SEED)  # noqa: S311 - no secret
    with weather(0, clock) as (calm, calm_log):
        todo = by_hour(calm, posts, hours)
        with client_of(calm, owner(calm), clock, 1) as client:
            wanted = tellings(client.fetch(todo, watch=lambda _: None), todo)
        answers = len(calm_log)
    assert kills * MOST_ANSWERED < len(todo.requests)  # or there would be none left to kill
    stored, killed, outages = Stored(tmp_path), 0, 0
    with (
        weather(RATE) as (server, log),
        Nursery(tmp_path, todo, server.base_url, owner(server)) as nursery,
    ):
        ended = None
        while ended != 0:
            kept, before = stored.now(), len(log)
            kill = Kill(dice) if killed < kills else None
            log.tell = kill.tell if kill else lambda: None
            process = nursery.start()
            if kill:
                kill.aim(process)
            ended = nursery.ended()
            log.tell = lambda: None
            if kill:
                kill.end()
            killed += ended == -signal.SIGKILL
            outages += ended == OUTAGE
            assert ended in {-signal.SIGKILL, OUTAGE} or (ended, killed) == (0, kills)
            assert kept.isdisjoint(asked for asked, _ in log.asked(before))
    good = Counter(asked for asked, well in log.asked() if well)
    twice = good.total() - len(good)
    print(f"\nseed {SEED}: {killed} kills, {answers:,} answers, {len(log):,} sent; "  # noqa: T201
          f"{twice} answered twice; {outages} times given up")  # fmt: skip
    archive = ep.Archive(tmp_path)
    (collection,) = archive.collections
    assert (collection.complete, archive.verify()) == (True, ())
    assert_same(tellings(collection, todo), wanted)
    # A batch with nothing but invalid answers, attempt for attempt, is sent in halves.
    assert answers <= len(good) <= answers + answers // 20 + 1
    assert twice <= kills * IN_FLIGHT
