"""A process that collects a plan given as JSON, and prints hashes of the responses."""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from subprocess import Popen
from typing import Any

import engagement_pandas as ep
from engagement_pandas.request.plan import Plan

KEYS = ("consumer-key", "consumer-secret", "9-access-token", "token-secret")
IN_FLIGHT = 3


def start(folder: Path, plan: Plan, url: str, keys: Any = KEYS) -> Popen[str]:
    """Start a process that collects a plan and prints the hashes of the responses."""
    job = {
        "folder": str(folder),
        "endpoint": str(plan.request.endpoint),
        "request": plan.request.to_json(),
        "parts": [part.to_json() for part in plan],
        "url": url,
        "keys": keys,
    }
    from support.processes import start as begin  # noqa: PLC0415 - not in the process itself

    return begin(sys.executable, __file__, json.dumps(job))


def run(job: dict[str, Any]) -> list[str]:
    """Collect, and return the hashes of the bodies."""
    request, *parts = (
        ep.EngagementRequest.from_json(job["endpoint"], body)
        for body in [job["request"], *job["parts"]]
    )
    user = ep.UserContext(*job["keys"])
    client = ep.EngagementClient(user, base_url=job["url"], in_flight=IN_FLIGHT)
    plan = Plan(request, tuple(parts), datetime.now(UTC))
    collection = client.collect(plan, into=ep.Archive(job["folder"]), watch=lambda _: None)
    return [hashlib.sha256(response.content).hexdigest() for response in collection]


if __name__ == "__main__":
    print(json.dumps(run(json.loads(sys.argv[1]))))  # noqa: T201 - read by the parent process
