"""A process that appends two readings of the same hours, and may be killed at any point."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from support.datasets.frames import some

import engagement_pandas as ep

READINGS = (("2026-04-01T00:05:00Z", 5), ("2026-04-01T01:05:00Z", 6))


def run(folder: str) -> None:
    """Append two readings of the same hours, in three parts each."""
    dataset = ep.Dataset(folder)
    for at, count in READINGS:
        for post in ("7", "8", "9"):
            dataset.append(some(at, count=count, posts=[post]))
    dataset.compact(kept_hours=0)


if __name__ == "__main__":
    run(sys.argv[1])
