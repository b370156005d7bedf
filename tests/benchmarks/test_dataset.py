"""Appending to a data set and reading from it, compared with bare deltalake and DuckDB.

In turns, in the same run, least of several rounds, in CPU time::

    python -m pytest tests/benchmarks/test_dataset.py -o addopts= --benchmark-only -s

What ours adds are the checks of the contract, the merge with stored readings, checksums, and
the flush to disk. The bounds leave room for a machine that is not quiet.
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

TYPES = [str(name) for name in ep.SERIES_TYPES[:5]]
AT = pd.Timestamp("2026-06-01T00:05:00Z").as_unit("us")


def hours(posts: int, number: int, since: str = "2026-03-01") -> pd.DataFrame:
    """Return counts of so many hours of some posts, by five types."""
    ids = [str(2_020_000_000_000_000_000 + 4096 * place) for place in range(posts)]
    begins = pd.date_range(since, periods=number, freq="h")
    index = pd.MultiIndex.from_product(
        [ids, TYPES, begins], names=["post_id", "engagement_type", "begin"]
    )
    rows = pd.DataFrame({"count": np.random.default_rng(7).poisson(5, len(index))}, index=index)
    rows = rows.reset_index()
    rows["day"], rows["hour"] = rows["begin"].dt.normalize(), rows["begin"].dt.hour
    counts = ep.counts_from(rows.drop(columns="begin"))
    counts.attrs |= {"retrieved_at": AT.isoformat(), "endpoint": "historical"}
    return counts


def test_a_million_counts(
    benchmark: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Appending takes at most three times as long as deltalake with the same rows, by day."""
    counts = hours(300, 28 * 24)
    rows = counts.assign(day=counts["day"].dt.date, retrieved_at=AT)
    rows = rows.astype({"engagement_type": "str"})
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


def test_a_hundred_appends(
    benchmark: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last appends of an hour take no longer than the first, but for the noise."""
    dataset = ep.Dataset(tmp_path / "set")
    parts = [part for _, part in hours(5, 100).groupby(["day", "hour"])]
    seconds = []

    def append_all() -> None:
        for part in parts:
            begun = time.process_time()
            dataset.append(part.reset_index(drop=True))
            seconds.append(time.process_time() - begun)

    benchmark.pedantic(append_all)
    first, last = min(seconds[1:20]), min(seconds[-19:])
    with capsys.disabled():
        print(f"\nan hour: {1e3 * first:.0f} ms first, {1e3 * last:.0f} ms last")  # noqa: T201
    assert last <= 2 * first


@pytest.mark.parametrize("wanted", ["post", "day"])
def test_a_part(
    benchmark: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], wanted: str
) -> None:
    """One post, or one day, of 1,000 posts and four weeks, compared with DuckDB."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(hours(200, 28 * 24))
    counts = dataset.read(until="2026-03-02")
    post = counts["post_id"].iloc[0]
    files = dataset.files()
    where = f"post_id = '{post}'" if wanted == "post" else "day = '2026-03-09'"
    query = f"select * from read_parquet(?, hive_partitioning = true) where {where}"  # noqa: S608
    with duckdb.connect() as connection:
        ours, theirs = benchmark.pedantic(
            lambda: least(
                5,
                lambda: (
                    dataset.read(post_ids=[post])
                    if wanted == "post"
                    else dataset.read("2026-03-09", "2026-03-10")
                ),
                lambda: connection.execute(query, [files]).df(),
            )
        )
    with capsys.disabled():
        print(f"\none {wanted}: {ours / theirs:.2f} x DuckDB")  # noqa: T201
