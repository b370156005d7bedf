"""Appending to a data set and reading from it, compared with bare deltalake and DuckDB.

Both run alternately in one run; the minimum CPU time of several rounds counts::

    python -m pytest tests/benchmarks/test_dataset.py -o addopts= --benchmark-only -s

The data set also checks the contract, merges stored readings, computes checksums, and flushes to
disk. The bounds allow for a machine with other load.
"""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from benchmarks.test_flattening import least
from deltalake import write_deltalake

import engagement_pandas as ep
from engagement_pandas.frame.contract import TEXT

TYPES = [str(name) for name in ep.SERIES_TYPES[:5]]
AT = pd.Timestamp("2026-06-01T00:05:00Z").as_unit("us")


def hours(posts: int, number: int, since: str = "2026-03-01") -> pd.DataFrame:
    """Return counts of this number of hours of some posts, by five types."""
    ids = [str(2_020_000_000_000_000_000 + 4096 * i) for i in range(posts)]
    starts = pd.date_range(since, periods=number, freq="h")
    index = pd.MultiIndex.from_product(
        [ids, TYPES, starts], names=["post_id", "engagement_type", "begin"]
    )
    rows = pd.DataFrame({"count": np.random.default_rng(7).poisson(5, len(index))}, index=index)
    rows = rows.reset_index()
    rows["day"], rows["hour"] = rows["begin"].dt.normalize(), rows["begin"].dt.hour
    counts = ep.counts_from(rows.drop(columns="begin"))
    counts.attrs |= {"retrieved_at": AT.isoformat(), "endpoint": "historical"}
    return counts


def test_appending_a_million_counts(
    benchmark: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It takes at most three times as long as deltalake with the same rows, by day."""
    counts = hours(300, 28 * 24)
    rows = counts.assign(day=counts["day"].dt.date, retrieved_at=AT)
    rows = rows.astype({"engagement_type": TEXT})
    names = (tmp_path / str(number) for number in count())
    ours, theirs = benchmark.pedantic(
        lambda: least(
            3,
            lambda: ep.Dataset(next(names)).append(counts),
            lambda: write_deltalake(next(names), rows, partition_by=["day"]),
        )
    )
    with capsys.disabled():
        print(f"\na million counts: {ours / theirs:.2f} x write_deltalake")  # noqa: T201
    assert ours <= 3 * theirs


def test_the_last_of_a_hundred_appends_takes_no_longer(
    benchmark: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last appends take at most twice as long as the first."""
    dataset = ep.Dataset(tmp_path / "set")
    parts = [part for _, part in hours(5, 100).groupby(["day", "hour"])]
    seconds = []

    def append_all() -> None:
        for part in parts:
            start = time.process_time()
            dataset.append(part.reset_index(drop=True))
            seconds.append(time.process_time() - start)

    benchmark.pedantic(append_all)
    first, last = min(seconds[1:20]), min(seconds[-19:])
    with capsys.disabled():
        print(f"\nan hour: {1e3 * first:.0f} ms first, {1e3 * last:.0f} ms last")  # noqa: T201
    assert last <= 2 * first


@pytest.mark.parametrize(("part", "most"), [("post", 2), ("day", 1)])
def test_reading_a_part(
    benchmark: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], part: str, most: float
) -> None:
    """One post of four weeks takes at most twice as long as DuckDB; one day takes no longer.

    Each day has as many rows as 1,000 posts of one type.
    """
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(hours(200, 28 * 24))
    post = sorted(dataset.read(until="2026-03-02")["post_id"].unique())[100]
    files = dataset.files()
    where = f"post_id = '{post}'" if part == "post" else "day = '2026-03-09'"
    query = f"select * from read_parquet(?, hive_partitioning = true) where {where}"  # noqa: S608
    with duckdb.connect() as connection:
        ours, theirs = benchmark.pedantic(
            lambda: least(
                5,
                lambda: (
                    dataset.read(post_ids=[post])
                    if part == "post"
                    else dataset.read("2026-03-09", "2026-03-10")
                ),
                lambda: connection.execute(query, [files]).df(),
            )
        )
    with capsys.disabled():
        print(f"\none {part}: {ours / theirs:.2f} x DuckDB")  # noqa: T201
    assert ours <= most * theirs
