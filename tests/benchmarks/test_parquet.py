"""Writing and reading Parquet, compared with pyarrow's writer and pandas' reader.

A million counts by hour are written and read alternately, in one run::

    python -m pytest tests/benchmarks/test_parquet.py -o addopts= --benchmark-only -s

The package also checks the contract: on an idle machine writing takes about 1.4 times as
long as pyarrow for a prepared table, and reading about twice as long as pandas. The bounds
allow for a machine with other load.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import engagement_pandas as ep

POSTS, DAYS, ROUNDS = 300, 28, 8
TYPES = [str(name) for name in ep.SERIES_TYPES[:5]]


@pytest.fixture(scope="module")
def counts() -> pd.DataFrame:
    """Return 1,008,000 counts in the order of flatten."""
    posts = [str(2_020_000_000_000_000_000 + 4096 * number) for number in range(POSTS)]
    days = np.arange(DAYS).astype("datetime64[D]") + np.timedelta64(20_513, "D")
    index = pd.MultiIndex.from_product(
        [posts, TYPES, days.astype("datetime64[us]"), np.arange(24, dtype="int8")],
        names=["post_id", "engagement_type", "day", "hour"],
    )
    count = np.random.default_rng(7).poisson(5, len(index))
    return ep.counts_from(pd.DataFrame({"count": count}, index=index).reset_index())


@pytest.mark.parametrize("way", ["write", "read"])
def test_parquet_takes_at_most_three_or_five_times_as_long(
    benchmark: Any,
    counts: pd.DataFrame,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    way: str,
) -> None:
    """Both files have the same rows."""
    ours, theirs = tmp_path / "ours.parquet", tmp_path / "theirs.parquet"
    ep.write_parquet(counts, ours)
    table = pq.read_table(ours)
    ways: dict[str, dict[str, Callable[[], object]]] = {
        "write": {
            "ours": lambda: ep.write_parquet(counts, ours),
            "theirs": lambda: pq.write_table(table, theirs, compression="zstd"),
        },
        "read": {
            "ours": lambda: ep.read_parquet(ours),
            "theirs": lambda: pd.read_parquet(theirs),
        },
    }
    ways["write"]["theirs"]()
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}

    def run_each() -> None:
        for name, call in ways[way].items():
            start = time.process_time()
            call()
            seconds[name].append(time.process_time() - start)

    benchmark.pedantic(run_each, rounds=ROUNDS, warmup_rounds=1)
    ratio = min(seconds["ours"]) / min(seconds["theirs"])
    with capsys.disabled():
        least = 1e3 * min(seconds["ours"])
        print(f"\n{way}: {least:.0f} ms, ratio {ratio:.2f}; load {os.getloadavg()[0]:.1f}")  # noqa: T201
    assert ratio <= {"write": 3, "read": 5}[way]
