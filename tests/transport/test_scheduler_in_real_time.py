"""Jobs in real time, over HTTP, against the sandbox's quota: four at once, some three minutes.

Prints how long each job took beside the best that its quota allows::

    python -m pytest tests/transport/test_scheduler_in_real_time.py -m long -s
"""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

import pytest
from support.scheduler.model import Contract, best

import engagement_pandas as ep
from engagement_pandas.sandbox import Fault, Faults, SandboxServer, Settings, World

HOURS = 210
CONTRACTS = [
    (Contract(60, 5, (2.0, 2.0)), HOURS),
    (Contract(120, 20, (0.2, 0.2)), 2 * HOURS),
    (Contract(300, 10, (0.2, 2.0)), 5 * HOURS),
    (Contract(600, 20, (0.2, 2.0)), 10 * HOURS),
]


@dataclass(frozen=True)
class Job:
    """What came of a job."""

    contract: Contract
    number: int
    begin: float
    first: float
    took: float
    statuses: Counter[int | None]

    @property
    def shares(self) -> tuple[float, float]:
        """How many times as long as at best; and as at best from the first answer on."""
        known = (0.0, self.first)
        fair = [best(self.contract, self.begin, self.number, after) for after in known]
        return self.took / fair[0], self.took / fair[1]

    def __str__(self) -> str:
        contract, (plain, fair) = self.contract, self.shares
        return (
            f"{contract.minute} a minute, {contract.second} a second, "
            f"{' to '.join(map(str, contract.latency))} s: {self.number} requests from second "
            f"{self.begin % 60:.0f} in {self.took:.1f} s, {plain:.3f} times the best "
            f"({fair:.3f} from the first answer on); 429s: {self.statuses[429]}"
        )


def hour_by_hour(world: World, number: int) -> ep.Plan:
    """Return a plan of so many requests, each for one hour of one post."""
    since = world.now() - timedelta(days=90)
    seen = world.posts("sandbox_bakery", since, since + timedelta(days=30))
    posts = [post.post_id for post in seen if post.availability(world.now()) == "public"][
        : number // HOURS
    ]
    start = world.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=50)
    hours = [start + timedelta(hours=step) for step in range(HOURS + 1)]
    asked = ep.historical(
        posts, engagement_types=["favorites"], window=ep.Window(hours[0], hours[-1])
    )
    parts = tuple(
        asked.replace(post_ids=[post], window=ep.Window(*ends))
        for post in posts
        for ends in pairwise(hours)
    )
    return replace(ep.plan(asked), requests=parts)


def work(contract: Contract, number: int) -> Job:
    """Send so many requests to a sandbox of its own."""
    least, most = contract.latency
    delays = [Fault("slow", delay=least + (most - least) * step / 9) for step in range(10)]
    settings = Settings(per_minute=contract.minute, per_second=contract.second, penalty=1)
    with SandboxServer(settings=settings, faults=Faults(rate=1, kinds=delays)) as server:
        keys = server.keys()
        user = ep.UserContext(
            keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret
        )
        todo = hour_by_hour(server.world, number)
        with ep.EngagementClient(user, base_url=server.base_url) as client:
            begin = time.time()
            first = 0.0
            for _ in client.stream(todo, watch=lambda _: None):
                first = first or time.time()
            took = time.time() - begin
        statuses = Counter(received.status for received in server.requests)
    return Job(contract, number, begin, first, took, statuses)


@pytest.mark.long
def test_for_real() -> None:
    """Every request is answered, in about the time that the quota allows; the figures are printed.

    How close it comes in real time, and whether seconds are overrun, also lies with the machine:
    where threads stand still for longer than ``JITTER``, they are. In virtual time, in
    ``test_scheduler``, it may take 1.05 times as long as at best, and no 429 is let pass.
    """
    with ThreadPoolExecutor(len(CONTRACTS)) as pool:
        jobs = list(pool.map(work, *zip(*CONTRACTS, strict=True)))
    print(*("", *jobs), sep="\n")  # noqa: T201 - the README has these
    for job in jobs:
        assert job.statuses[200] == job.number
        assert job.statuses.total() - job.number <= job.number / 50
        assert job.shares[1] <= 1.25
