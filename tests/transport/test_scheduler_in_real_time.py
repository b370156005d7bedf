"""Jobs in real time, over HTTP, with the sandbox's quota: four concurrently, three minutes.

Prints the duration of each job and the optimum that its quota allows::

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
    """The measurements of a job."""

    contract: Contract
    number: int
    begin: float
    first: float
    took: float
    statuses: Counter[int | None]

    @property
    def shares(self) -> tuple[float, float]:
        """The duration in multiples of the optimum, also from the first response on."""
        known = (0.0, self.first)
        optima = [best(self.contract, self.begin, self.number, after) for after in known]
        return self.took / optima[0], self.took / optima[1]

    def __str__(self) -> str:
        contract, (plain, fair) = self.contract, self.shares
        return (
            f"{contract.minute} a minute, {contract.second} a second, "
            f"{' to '.join(map(str, contract.latency))} s: {self.number} requests from second "
            f"{self.begin % 60:.0f} in {self.took:.1f} s, {plain:.3f} times the best "
            f"({fair:.3f} from the first answer on); 429s: {self.statuses[429]}"
        )


def hour_by_hour(world: World, number: int) -> ep.Plan:
    """Return a plan of this number of requests, each for one hour of one post."""
    since = world.now() - timedelta(days=90)
    candidates = world.posts("sandbox_bakery", since, since + timedelta(days=30))
    posts = [post.post_id for post in candidates if post.availability(world.now()) == "public"][
        : number // HOURS
    ]
    start = world.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=50)
    hours = [start + timedelta(hours=step) for step in range(HOURS + 1)]
    combined = ep.historical(
        posts, engagement_types=["favorites"], window=ep.Window(hours[0], hours[-1])
    )
    parts = tuple(
        combined.replace(post_ids=[post], window=ep.Window(*ends))
        for post in posts
        for ends in pairwise(hours)
    )
    return replace(ep.plan(combined), requests=parts)


def work(contract: Contract, number: int) -> Job:
    """Send this number of requests to a separate sandbox."""
    least, most = contract.latency
    delays = [Fault("slow", delay=least + (most - least) * step / 9) for step in range(10)]
    settings = Settings(per_minute=contract.minute, per_second=contract.second, penalty=1)
    with SandboxServer(settings=settings, faults=Faults(rate=1, kinds=delays)) as server:
        keys = server.keys()
        user = ep.UserContext(
            keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret
        )
        plan = hour_by_hour(server.world, number)
        with ep.EngagementClient(user, base_url=server.base_url) as client:
            begin = time.time()
            first = 0.0
            for _ in client.stream(plan, watch=lambda _: None):
                first = first or time.time()
            took = time.time() - begin
        statuses = Counter(received.status for received in server.requests)
    return Job(contract, number, begin, first, took, statuses)


@pytest.mark.long
def test_jobs_over_http() -> None:
    """All requests are answered, in about the time that the quota allows; figures are printed.

    The duration in real time, and the number of 429s, also depend on the machine: they increase
    if threads are stopped for longer than ``JITTER``. In virtual time, in ``test_scheduler``,
    the limit is 1.05 times the optimum without a 429.
    """
    with ThreadPoolExecutor(len(CONTRACTS)) as pool:
        jobs = list(pool.map(work, *zip(*CONTRACTS, strict=True)))
    print(*("", *jobs), sep="\n")  # noqa: T201 - printed for the README
    for job in jobs:
        assert job.statuses[200] == job.number
        assert job.statuses.total() - job.number <= job.number / 50
        assert job.shares[1] <= 1.25
