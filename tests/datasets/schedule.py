"""An API whose counts are a formula, faults on command, and a plain dict to hold a data set to."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.collection import Collection
from engagement_pandas.frame import timestamps
from engagement_pandas.lake.arrow import read
from engagement_pandas.lake.silent import Silence
from engagement_pandas.lake.storage import Storage
from engagement_pandas.lake.store import Store
from engagement_pandas.lake.tables import Table
from engagement_pandas.posts import first_id
from engagement_pandas.sync import Synced, sync

HOUR = timedelta(hours=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
SETTLE = 6
LATE = 5
OWNERS = ("anna", "bert")
POSTS = tuple(str(first_id(START - timedelta(days=9)) + number) for number in range(8))
TYPES = ("impressions", "replies")
Cell = tuple[str, str, datetime]


class Killed(BaseException):
    """The process ends here: nothing is to catch this."""


def true(post: str, kind: str, hour: datetime, at: datetime) -> int:
    """Return the count of an hour, as it is known at a time: it grows for some hours."""
    known = min(int((at - hour - HOUR) / HOUR), LATE)
    return (int(post) * 7 + len(kind) * 13 + int(hour.timestamp()) // 3600 * 3) % 40 + known


@dataclass
class Api:
    """Answers by the formula, and does what it is told to do wrong."""

    now: Callable[[], datetime]
    dice: random.Random
    revoked: set[str] = field(default_factory=set)
    cursed: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    partial: float = 0.0
    outage: int = 10**9
    asked: int = 0

    def answer(self, question: dict[str, Any], authorization: str) -> tuple[int, Any]:
        """Return a status and a body."""
        self.asked += 1
        if self.asked > self.outage:
            return 503, {"errors": ["outage"]}
        if any(f"{owner}-token" in authorization for owner in self.revoked):
            return 401, {"errors": ["Access token not found"]}
        (name,) = question["groupings"]
        begin, end = (datetime.fromisoformat(question[key]) for key in ("start", "end"))
        body: dict[str, Any] = {}
        for post in question["tweet_ids"]:
            if post in self.gone or self._lost(0.5):
                continue
            for kind in question["engagement_types"]:
                if self._lost(0.3):
                    continue
                days = body.setdefault(post, {}).setdefault(kind, {})
                hour = begin
                while hour < end:
                    if not self._lost(0.2):
                        count = None if post in self.cursed else true(post, kind, hour, self.now())
                        told = None if count is None else str(count)
                        days.setdefault(f"{hour:%Y-%m-%d}", {})[f"{hour:%H}"] = told
                    hour += HOUR
        missing = [post for post in question["tweet_ids"] if post in self.gone]
        return 200, {name: body, **({"unavailable_tweet_ids": missing} if missing else {})}

    def _lost(self, share: float) -> bool:
        return bool(self.partial) and self.dice.random() < share * self.partial


@contextmanager
def served(api: Api) -> Iterator[str]:
    """Serve it on this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status, answer = api.answer(question, self.headers["authorization"])
            content = json.dumps(answer).encode()
            self.send_response_only(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Schedule:
    """Runs of ``sync`` one after the other, each with a fault or none."""

    folder: Path
    url: str
    api: Api
    dice: random.Random
    clock: list[datetime]
    accounts: ep.Accounts
    posts: int = 2
    types: int = 1
    left: int = 10**9
    log: list[str] = field(default_factory=list)

    @property
    def dataset(self) -> ep.Dataset:
        """Open the data set, as a new process does."""
        return ep.Dataset(self.folder / "set")

    def step(self, *_: Any) -> None:
        """End the process at a step that was drawn."""
        self.left -= 1
        if self.left == 0:
            raise self.dice.choice([Killed, KeyboardInterrupt])

    def sync(self) -> Synced:
        """Sync once, as a process that begins now."""
        client = ep.EngagementClient(
            self.accounts, base_url=self.url, attempts=2, in_flight=1,
            clock=self._time, sleep=self._sleep,
        )  # fmt: skip
        posts = pd.DataFrame(
            {
                "post_id": POSTS[: self.posts],
                "handle": [OWNERS[place % 2] for place in range(self.posts)],
            }
        )
        with client:
            return sync(
                client, self.dataset, posts, engagement_types=TYPES[: self.types], since=START,
                settle=SETTLE, watch=lambda _: None,
            )  # fmt: skip

    def _time(self) -> float:
        return self.clock[0].timestamp()

    def _sleep(self, seconds: float) -> None:
        self.clock[0] += timedelta(seconds=seconds, microseconds=1)

    def damage(self) -> None:
        """Change, empty or lose a file of the tables; what is read is the same, or an error."""
        names = ("counts", "omissions", "revisions")
        files = [p for n in names for p in (self.folder / "set" / n).rglob("*") if p.is_file()]
        if not files:
            return
        before, file = self.dataset.read(), self.dice.choice(sorted(files))
        content = bytearray(file.read_bytes())
        how = self.dice.choice(["flip", "empty", "lose", "cut"])
        self.log.append(f"{how} {file.relative_to(self.folder)}")
        if how == "lose":
            file.unlink()
        elif how == "flip" and content:
            content[self.dice.randrange(len(content))] ^= 1 << self.dice.randrange(8)
            file.write_bytes(content)
        else:
            file.write_bytes(content[: len(content) // 2] if how == "cut" else b"")
        with suppress(ep.DatasetError):
            pd.testing.assert_frame_equal(self.dataset.read(), before)

    def run(self, fault: str) -> None:
        """Let time pass, sync once with a fault, and hold what is there to the formula."""
        resting = self._begin(fault)
        done = None
        try:
            done = self.sync()
        except (Killed, KeyboardInterrupt):
            assert self.left == 0
        except ep.EngagementError as error:
            if not (fault == "outage" or self.api.revoked or self.api.cursed):
                raise
            self.log.append(f"   {type(error).__name__}: {error}"[:200])
        self.left = 10**9
        self.check()
        if done is not None and fault != "partial":
            self.check_complete(resting)

    def _begin(self, fault: str) -> list[Silence]:
        """Let time pass, and have something go wrong; return what need not be asked then."""
        dice, api = self.dice, self.api
        self.clock[0] += dice.choice([HOUR] * 6 + [7 * HOUR, timedelta(days=dice.randint(1, 4))])
        self.clock[0] += timedelta(seconds=dice.randint(0, 90))
        self.log.append(f"{self.clock[0]:%m-%d %H:%M} {fault}")
        resting = self._resting()
        self.left, api.outage, api.partial, api.asked = 10**9, 10**9, 0.0, 0
        if fault == "kill":
            self.left = dice.randint(1, 14)
        elif fault == "outage":
            api.outage = dice.randint(0, 2)
        elif fault == "partial":
            api.partial = dice.choice([0.1, 0.5, 1.0])
        elif fault == "damage":
            self.damage()
        elif fault == "more":
            self.posts = min(self.posts + 1, len(POSTS))
            self.types = min(self.types + dice.randint(0, 1), len(TYPES))
        elif fault in ("revoked", "cursed", "gone"):
            among = OWNERS[:1] if fault == "revoked" else POSTS[:3]
            getattr(api, fault).symmetric_difference_update([dice.choice(among)])
        return resting

    def _resting(self) -> list[Silence]:
        """Return what need not be asked in the next minutes, for it had no answer for long."""
        return [one for one in self.dataset.silences() if one.rests(self.clock[0])]

    def cells(self) -> dict[Cell, tuple[int, datetime]]:
        """Return what is stored: the count of each hour, and when it was read."""
        store = self.dataset._store
        counts = store.open()
        rows = read(store.counts, () if counts is None else counts.files)
        hours = timestamps(rows).dt.to_pydatetime() if len(rows) else []
        found = list(zip(rows["post_id"], rows["engagement_type"], hours, strict=True))
        assert len(found) == len(set(found))
        moments = rows["retrieved_at"].dt.to_pydatetime()
        return dict(zip(found, zip(rows["count"], moments, strict=True), strict=True))

    def check(self) -> None:
        """Hold each count to the formula, revisions too; and omissions to the counts."""
        cells = self.cells()
        wrong = {
            cell: one
            for cell, one in cells.items()
            if not pd.isna(one[0]) and true(*cell, one[1]) != one[0]
        }
        assert not wrong
        log = self.dataset.revisions()
        hours = timestamps(log) if len(log) else log["day"]
        for row, hour in zip(log.itertuples(), hours, strict=True):
            cell = (row.post_id, row.engagement_type, hour.to_pydatetime())
            if not pd.isna(row.count_before):
                assert row.count_before == true(*cell, row.retrieved_before)
            assert log["count"][row.Index] == true(*cell, row.retrieved_at)
            assert row.retrieved_before < row.retrieved_at <= cells[cell][1]
        for one in self.dataset.silences():
            if one.whole:
                continue
            hour = one.start
            while hour < one.end:
                stored = cells.get((one.post_id, str(one.engagement_type), hour))
                assert stored is None or pd.isna(stored[0]) or stored[1] < one.retrieved_at
                hour += HOUR

    def check_complete(self, resting: list[Silence]) -> None:
        """After a run that was not disturbed, each hour is there and right."""
        cells, api = self.cells(), self.api
        last = self.clock[0].replace(minute=0, second=0, microsecond=0)
        posts = {one.post_id for one in resting if one.whole}
        for place, post in enumerate(POSTS[: self.posts]):
            if post in posts | api.cursed | api.gone or OWNERS[place % 2] in api.revoked:
                continue
            spans = [(one.engagement_type, one.start, one.end) for one in resting
                     if one.post_id == post and one.reason == "not_answered"]  # fmt: skip
            for kind in TYPES[: self.types]:
                hour = START
                while hour < last - HOUR:
                    if not any(k == kind and a <= hour < b for k, a, b in spans):
                        count, at = cells[post, kind, hour]
                        assert not pd.isna(count), (post, kind, hour, at)
                        assert count == true(post, kind, hour, at), (post, hour, at)
                        assert at >= min(hour + (1 + SETTLE) * HOUR, last - HOUR), (post, hour, at)
                    hour += HOUR


@contextmanager
def schedule(folder: Path, seed: int, patch: pytest.MonkeyPatch) -> Iterator[Schedule]:
    """Make an empty data set and an API; steps at which a process may end are patched in."""
    dice, clock = random.Random(seed), [START + timedelta(hours=30, minutes=5)]  # noqa: S311
    api = Api(lambda: clock[0], dice)
    app = ep.Consumer("key", "secret")
    accounts = ep.Accounts(folder / "accounts.json", consumer=app, environ={})
    for number, owner in enumerate(OWNERS, 1):
        token = f"{number}-{owner}-token"
        accounts.add(ep.Account(owner, str(number), app.app, START, token, "secret"))
    with served(api) as url:
        made = Schedule(folder, url, api, dice, clock, accounts)

        def around(home: type, name: str) -> None:
            real = getattr(home, name)

            def call(*given: Any, **more: Any) -> Any:
                made.step()
                result = real(*given, **more)
                made.step()
                return result

            patch.setattr(home, name, call)

        for home, name in (
            (Storage, "write"), (Storage, "move_folder"), (Table, "_flush"), (Store, "note"),
            (Collection, "keep"), (ep.Dataset, "append"),
        ):  # fmt: skip
            around(home, name)
        yield made
