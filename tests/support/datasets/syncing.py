"""A process that syncs once, and may be killed before it ends."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from subprocess import Popen
from typing import Any

import engagement_pandas as ep
from engagement_pandas.dataset.sync import sync


def start(folder: str, url: str, keys: Any, now: datetime, **arguments: Any) -> Popen[str]:
    """Start a process that syncs at a given time."""
    todo = {
        "folder": folder,
        "url": url,
        "keys": keys,
        "now": now.timestamp(),
        "arguments": arguments,
    }
    from support.processes import start as begin  # noqa: PLC0415 - not in the process itself

    return begin(sys.executable, __file__, json.dumps(todo))


def run(todo: dict[str, Any]) -> None:
    """Sync."""
    client = ep.EngagementClient(
        ep.UserContext(*todo["keys"]), base_url=todo["url"], clock=lambda: todo["now"]
    )
    print(sync(client, ep.Dataset(todo["folder"]), **todo["arguments"], watch=lambda _: None))  # noqa: T201


if __name__ == "__main__":
    run(json.loads(sys.argv[1]))
