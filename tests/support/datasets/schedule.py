"""Randomised runs of ``sync`` against an API with computed counts and injected faults."""

from __future__ import annotations

import json
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pandas as pd
import pyarrow.parquet as pq
import pytest

import engagement_pandas as ep
from engagement_pandas.dataset import snapshot, tables
from engagement_pandas.dataset.delta_table import Table
from engagement_pandas.dataset.omission_log import OmissionSpan
from engagement_pandas.dataset.storage import Storage
from engagement_pandas.dataset.sync import Synced, sync
from engagement_pandas.dataset.tables import Tables
from engagement_pandas.files import atomic_write as replacing
from engagement_pandas.request.post_ids import first_snowflake_at
from engagement_pandas.response.archives import archive, collection
from engagement_pandas.response.archives.collection import Collection

HOUR = timedelta(hours=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
SETTLE = 6
LATE = 5
OWNERS = ("anna", "bert")
POSTS = tuple(str(first_snowflake_at(START - timedelta(days=9)) + number) for number in range(8))
TYPES = ("impressions", "replies")
NEVER = 10**9
Cell = tuple[str, str, datetime]


class Killed(BaseException):
    """The process is killed; nothing must catch this."""


def true(post: str, engagement_type: str, hour: datetime, at: datetime) -> int:
    """Return the count of an hour as known at a given time; it grows for some hours."""
    known = min(int((at - hour - HOUR) / HOUR), LATE)
    return (
        int(post) * 7 + len(engagement_type) * 13 + int(hour.timestamp()) // 3600 * 3
    ) % 40 + known


@dataclass
class Api:
    """API with computed counts and injected faults.

    ``returned`` records each returned count and its time, as the reference for a data set.
    """

    now: Callable[[], datetime]
    dice: random.Random
    revoked: set[str] = field(default_factory=set)
    cursed: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    partial: float = 0.0
    outage: int = NEVER
    requests: int = 0
    returned: dict[Cell, dict[datetime, int]] = field(default_factory=lambda: defaultdict(dict))

    def answer(self, question: dict[str, Any], authorization: str) -> tuple[int, Any]:
        """Return the status and the body of a response."""
        self.requests += 1
        if self.requests > self.outage:
            return 503, {"errors": ["outage"]}
        if any(f"{owner}-token" in authorization for owner in self.revoked):
            return 401, {"errors": ["Access token not found"]}
        (name,) = question["groupings"]
        begin, end = (datetime.fromisoformat(question[key]) for key in ("start", "end"))
        body: dict[str, Any] = {}
        hours = [begin + number * HOUR for number in range((end - begin) // HOUR)]
        most = self.dice.randint(1, 5)
        gap = {first + n * HOUR for first in self.dice.choices(hours, k=2) for n in range(most)}
        for post in question["tweet_ids"]:
            if post in self.gone or self._lost(0.5):
                continue
            for kind in question["engagement_types"]:
                if self._lost(0.3):
                    continue
                days = body.setdefault(post, {}).setdefault(kind, {})
                has_gap = self._lost(0.5)
                for hour in hours:
                    if not (has_gap and hour in gap):
                        count = None if post in self.cursed else self._count(post, kind, hour)
                        days.setdefault(f"{hour:%Y-%m-%d}", {})[f"{hour:%H}"] = count
        missing = [post for post in question["tweet_ids"] if post in self.gone]
        return 200, {name: body, **({"unavailable_tweet_ids": missing} if missing else {})}

    def _count(self, post: str, kind: str, hour: datetime) -> str:
        count = true(post, kind, hour, self.now())
        self.returned[post, kind, hour][self.now()] = count
        return str(count)

    def returned_at(self, cell: Cell, at: datetime) -> int | None:
        """Return the last count returned for an hour in the second before a given time."""
        for time, count in reversed(self.returned.get(cell, {}).items()):
            if time <= at:
                return count if at - time < timedelta(seconds=1) else None
        return None

    def _lost(self, share: float) -> bool:
        return bool(self.partial) and self.dice.random() < share * self.partial


@contextmanager
def served(api: Api) -> Iterator[str]:
    """Serve the API on a local port."""

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
    """Successive runs of ``sync``, with or without faults."""

    folder: Path
    url: str
    api: Api
    dice: random.Random
    patch: pytest.MonkeyPatch
    clock: list[datetime]
    tick: timedelta
    accounts: ep.Accounts
    posts: int = 2
    types: int = 1
    left: int = NEVER
    meanwhile: Callable[[], None] | None = None
    damaged: bool = False
    thinned: bool = False
    log: list[str] = field(default_factory=list)

    @property
    def dataset(self) -> ep.Dataset:
        """Open the data set like a new process."""
        return ep.Dataset(self.folder / "set")

    def step(self) -> None:
        """At a random step, run another process, or kill this one."""
        self.left -= 1
        if self.left:
            return
        if self.meanwhile is None:
            raise self.dice.choice([Killed, KeyboardInterrupt])
        other, self.meanwhile, self.left = self.meanwhile, None, NEVER
        other()
        self.left = self.dice.choice([NEVER, self.dice.randint(1, 6)])

    def sync(self, raw: Path | None = None) -> Synced:
        """Sync once, like a new process."""
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
                settle=SETTLE, raw=raw, watch=lambda _: None,
            )  # fmt: skip

    def _time(self) -> float:
        self.clock[0] += self.tick
        return self.clock[0].timestamp()

    def _sleep(self, seconds: float) -> None:
        self.clock[0] += timedelta(seconds=seconds, microseconds=1)

    def refused(self) -> None:
        """Sync during another sync: it is refused, sends nothing, and the data stay correct."""
        requests = self.api.requests
        with pytest.raises(ep.AlreadySyncing):
            self.sync()
        assert self.api.requests == requests
        self.check()

    def apart(self) -> None:
        """Sync as on another machine, without the lock and with its own raw responses."""
        with self.patch.context() as patch:
            patch.setattr(
                "engagement_pandas.dataset.sync.try_file_lock",
                lambda _: nullcontext(enter_result=True),
            )
            try:
                self.sync(self.folder / "elsewhere")
            except ep.EngagementError as error:
                self._expect(error, "apart")
        self.check()

    def damage(self, *folders: str) -> None:
        """Change, truncate, empty or delete a file."""
        home = self.folder / "set"
        found = (p for name in folders for p in (home / name).rglob("*") if p.is_file())
        files = sorted(found, key=lambda file: (file.stat().st_mtime_ns, file))
        if not files:
            return
        # Prefer the latest files, since they are in use.
        file = self.dice.choice(files[-self.dice.choice([6, NEVER]) :])
        damage_kind = self.dice.choice(["flip", "empty", "lose", "cut"])
        self.log.append(f"   {damage_kind} {file.relative_to(home)}")
        content = bytearray(file.read_bytes())
        if damage_kind == "lose":
            file.unlink()
        elif damage_kind == "flip" and content:
            content[self.dice.randrange(len(content))] ^= 1 << self.dice.randrange(8)
            file.write_bytes(content)
        else:
            file.write_bytes(content[: len(content) // 2] if damage_kind == "cut" else b"")

    def damage_tables(self) -> None:
        """Damage a file of the tables; reading then returns the same data or raises."""
        before = None if self.damaged else self.dataset.read()
        self.damage("counts", "omissions", "revisions")
        self.damaged = True
        with suppress(ep.DatasetError):
            found = self.dataset.read()
            assert before is None or found.equals(before)

    def damage_raw(self) -> None:
        """Damage one or three raw responses."""
        self.thinned = True
        for _ in range(self.dice.choice([1, 3])):
            self.damage("raw")

    def run(self, faults: str) -> None:
        """Advance the time, sync once with faults, and check the data set."""
        self._begin(faults)
        begun, done = self.clock[0], None
        try:
            done = self.sync()
        except (Killed, KeyboardInterrupt):
            assert self.left == 0
        except ep.EngagementError as error:
            self._expect(error, faults)
        self.left, self.meanwhile = NEVER, None
        self.damaged &= done is None
        found = self.check()
        if done is not None and "partial" not in faults:
            assert found is not None
            self.check_complete(*found, begun)

    def _expect(self, error: ep.EngagementError, faults: str) -> None:
        """Raise an unexpected error again; if no raw responses are left, start a new data set."""
        self.log.append(f"   {type(error).__name__}: {error}"[:300])
        if isinstance(error, ep.DamagedDataset):
            if not (self.damaged and self.thinned):
                raise error
            (self.folder / "set").rename(self.folder / f"set-{len(self.log)}")
            self.damaged = self.thinned = False
        elif not ({"outage", "raw"} & set(faults.split()) or self.api.revoked or self.api.cursed):
            raise error

    def _begin(self, faults: str) -> None:
        """Advance the time, and set up faults."""
        dice, api = self.dice, self.api
        self.clock[0] += dice.choice([HOUR] * 6 + [7 * HOUR, dice.randint(20, 50) * HOUR])
        self.clock[0] += timedelta(seconds=dice.randint(0, 90))
        self.log.append(f"{self.clock[0]:%m-%d %H:%M} {faults}")
        api.outage, api.partial, api.requests = NEVER, 0.0, 0
        for fault in faults.split():
            if fault in ("kill", "two", "apart"):
                self.left = dice.randint(1, 14)
            if fault in ("two", "apart"):
                alone = fault == "two" or self.damaged
                self.meanwhile = self.refused if alone else self.apart
            elif fault in ("tables", "raw"):
                self.damage_tables() if fault == "tables" else self.damage_raw()
            else:
                self._turn(fault)

    def _turn(self, fault: str) -> None:
        """Make the API fail, or change it or the list of posts permanently."""
        dice, api = self.dice, self.api
        if fault == "outage":
            api.outage = dice.randint(0, 2)
        elif fault == "partial":
            api.partial = dice.choice([0.1, 0.5, 1.0])
        elif fault == "more":
            self.posts = min(self.posts + 1, len(POSTS))
            self.types = min(self.types + dice.randint(0, 1), len(TYPES))
        elif fault in ("revoked", "cursed", "gone"):
            among = OWNERS[:1] if fault == "revoked" else POSTS[:3]
            getattr(api, fault).symmetric_difference_update([dice.choice(among)])

    def cells(self) -> dict[Cell, tuple[int | None, datetime]]:
        """Return each stored count and its retrieval time, read directly from the files."""
        found: dict[Cell, tuple[int | None, datetime]] = {}
        number = 0
        for file in self.dataset.files():
            rows = pq.ParquetFile(file).read()
            day = datetime.fromisoformat(f"{Path(file).parent.name[4:]}T00:00Z")
            hours = [day + hour * HOUR for hour in rows["hour"].to_pylist()]
            of = (rows[name].to_pylist() for name in ("post_id", "engagement_type"))
            readings = (rows[name].to_pylist() for name in ("count", "retrieved_at"))
            found |= zip(zip(*of, hours, strict=True), zip(*readings, strict=True), strict=True)
            number += rows.num_rows
        assert len(found) == number
        return found

    def check(self) -> tuple[dict[Cell, tuple[int | None, datetime]], list[OmissionSpan]] | None:
        """Check counts and revisions against the API's record, and omissions against counts.

        Damaged tables are checked only if they can be read.
        """
        try:
            dataset = self.dataset
            cells, log, spans = self.cells(), dataset.revisions(), dataset.omission_spans()
        except (ep.DatasetError, OSError, ValueError, KeyError):  # a column has another name
            if not self.damaged:
                raise
            return None
        returned_at = self.api.returned_at
        wrong = {
            cell: (count, at, returned_at(cell, at))
            for cell, (count, at) in cells.items()
            if count is not None and count != returned_at(cell, at)
        }
        assert not wrong
        hours = log["day"].dt.tz_localize(UTC) + pd.to_timedelta(log["hour"], unit="h")
        names = ("count_before", "count", "retrieved_before", "retrieved_at")
        columns = (log["post_id"], log["engagement_type"], hours, *(log[name] for name in names))
        for *cell, before, count, first, then in zip(*columns, strict=True):
            key = tuple(cell)
            assert pd.isna(before) or before == returned_at(key, first)
            assert count == returned_at(key, then)
            assert first < then <= cells[key][1]
        for span in spans:
            for (post, kind, hour), (count, at) in cells.items():
                if post == span.post_id and at >= span.retrieved_at and count is not None:
                    ended = (
                        at > span.retrieved_at if span.all_hours else span.start <= hour < span.end
                    )
                    assert not (ended and span.engagement_type in (None, kind))
        return cells, spans

    def check_complete(
        self,
        cells: dict[Cell, tuple[int | None, datetime]],
        spans: list[OmissionSpan],
        begun: datetime,
    ) -> None:
        """Check after an undisturbed run that each hour is stored and was read late enough.

        Excepted are counts that were missing for long, and need not be requested again yet.
        """
        api, last = self.api, begun.replace(minute=0, second=0, microsecond=0)
        resting = [span for span in spans if span.too_early(begun) and span.retrieved_at < begun]
        still = api.cursed | api.gone | {span.post_id for span in resting if span.all_hours}
        due = {
            (post, kind, START + number * HOUR)
            for place, post in enumerate(POSTS[: self.posts])
            if post not in still and OWNERS[place % 2] not in api.revoked
            for kind in TYPES[: self.types]
            for number in range((last - START) // HOUR)
        }
        for span in resting:
            if span.reason == "not_answered":
                hours = range((span.end - span.start) // HOUR)
                due -= {
                    (span.post_id, str(span.engagement_type), span.start + n * HOUR) for n in hours
                }
        for cell in sorted(due):
            count, at = cells.get(cell, (None, START))
            assert count is not None, cell
            assert at >= min(cell[2] + (1 + SETTLE) * HOUR, last), (cell, count, at)

    def check_read(self) -> None:
        """Check the counts read through the data set against its files."""
        found = self.dataset.read()
        hours = found["day"].dt.tz_localize(UTC) + pd.to_timedelta(found["hour"], unit="h")
        keys = zip(found["post_id"], found["engagement_type"], hours, strict=True)
        counts = [None if pd.isna(count) else count for count in found["count"]]
        stored = {cell: count for cell, (count, _) in self.cells().items()}
        assert dict(zip(keys, counts, strict=True)) == stored


@contextmanager
def schedule(folder: Path, seed: int, patch: pytest.MonkeyPatch) -> Iterator[Schedule]:
    """Create an empty data set and an API, and patch in the steps where a process may end."""
    dice, clock = random.Random(seed), [START + timedelta(hours=7, minutes=5)]  # noqa: S311
    api = Api(lambda: clock[0], dice)
    app = ep.Consumer("key", "secret")
    accounts = ep.Accounts(folder / "accounts.json", consumer=app, environ={})
    for number, owner in enumerate(OWNERS, 1):
        token = f"{number}-{owner}-token"
        accounts.add(ep.Account(owner, str(number), app.app, START, token, "secret"))
    for module in (archive, collection, replacing, snapshot, tables):  # reproducible file names
        patch.setattr(module, "uuid4", lambda: UUID(int=dice.getrandbits(128)))
    with served(api) as url:
        tick = timedelta(milliseconds=seed % 3)
        made = Schedule(folder, url, api, dice, patch, clock, tick, accounts)

        def around(home: type, name: str) -> None:
            real = getattr(home, name)

            def call(*given: Any, **more: Any) -> Any:
                made.step()
                result = real(*given, **more)
                made.step()
                return result

            patch.setattr(home, name, call)

        for home, name in (
            (Storage, "write"), (Storage, "move_folder"), (Table, "_flush"),
            (Tables, "record_version"), (Collection, "keep"), (ep.Dataset, "append"),
        ):  # fmt: skip
            around(home, name)
        yield made
