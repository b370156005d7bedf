"""What each run of ``sync`` stored: metadata of the commits of the counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import pandas as pd

_RUN: Final = "engagement_pandas.run"
_ADDED: Final = "engagement_pandas.added"
_REVISED: Final = "engagement_pandas.revised"

_DTYPES: Final = {
    "started": "datetime64[us, UTC]",
    "stored": "datetime64[us, UTC]",
    "added": "int64",
    "revised": "int64",
}


class Appended(NamedTuple):
    """Result of an append.

    Attributes
    ----------
    added : int
        Counts of hours that were not stored before.
    revised : int
        Counts that changed.
    """

    added: int
    revised: int


def note_of(run: datetime, done: Appended) -> dict[str, str]:
    """Return the metadata of a commit: the start of its run, and what it changed."""
    return {_RUN: run.isoformat(), _ADDED: str(done.added), _REVISED: str(done.revised)}


def runs_of(commits: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the runs of commits, which are latest first; see ``Dataset.runs``.

    >>> done = note_of(datetime.fromisoformat("2026-03-01T09:00:00+00:00"), Appended(7, 0))
    >>> runs_of([{"timestamp": 1_772_356_000_000} | done] * 2)[["started", "added", "revised"]]
                        started  added  revised
    0 2026-03-01 09:00:00+00:00     14        0
    """
    rows = [
        (
            pd.Timestamp(commit[_RUN]),
            pd.Timestamp(commit["timestamp"], unit="ms", tz="UTC"),
            int(commit[_ADDED]),
            int(commit[_REVISED]),
        )
        for commit in commits
        if _RUN in commit
    ]
    table = pd.DataFrame(rows, columns=list(_DTYPES)).astype(_DTYPES)
    runs = table.groupby("started", sort=False, as_index=False)
    return runs.agg({"stored": "max", "added": "sum", "revised": "sum"})
