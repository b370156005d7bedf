"""Other engines read the same: IDs as texts, days and moments in UTC, counts as integers."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import dask
import dask.dataframe as dd
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from support.datasets.frames import changed, some
from support.datasets.worlds import same

import engagement_pandas as ep

LONG = ("1060976163948904448", "1060976163948904449")
"""As floating-point numbers the two would be one."""

FIRST, SECOND = "2026-04-01T00:05:00Z", "2026-04-01T01:05:00Z"
KEY = ["post_id", "engagement_type", "day", "hour"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> ep.Dataset:
    """Return a data set with a count that is missing, a negative one, and files of the past."""
    made = ep.Dataset(tmp_path_factory.mktemp("engines") / "set")
    counts = some(FIRST, posts=LONG)
    made.append(counts)
    made.append(changed(changed(counts, 5, -3, SECOND), 7, 2**53 + 1, SECOND))
    gone = some(FIRST, posts=["7"], days=1)
    made.append(changed(gone, 3, None, FIRST))
    return made


def tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what an engine read as the contract has it, without changing a value."""
    kinds = [kind for kind in ("impressions", "replies") if kind in set(frame["engagement_type"])]
    return (
        frame.astype({"day": "datetime64[us]", "count": "Int64", "hour": "int8", "post_id": "str"})
        .astype({"engagement_type": "str"})
        .astype({"engagement_type": pd.CategoricalDtype(pd.Index(kinds, dtype="str"))})
        .sort_values(KEY, ignore_index=True)[[*KEY, "count"]]
    )


def exactly(table: pa.Table) -> pd.DataFrame:
    """Return a frame whose counts did not pass through floating-point numbers."""
    return table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)


@pytest.mark.slow
def test_duckdb(dataset: ep.Dataset) -> None:
    """The files that count now, with the day from their paths."""
    read = duckdb.read_parquet(dataset.files(), hive_partitioning=True)
    assert dict(zip(read.columns, map(str, read.types), strict=True)) == {
        "post_id": "VARCHAR",
        "engagement_type": "VARCHAR",
        "retrieved_at": "TIMESTAMP WITH TIME ZONE",
        "hour": "TINYINT",
        "count": "BIGINT",
        "day": "DATE",
    }
    same(tidy(exactly(read.to_arrow_table())), dataset.read())
    latest = duckdb.sql("SELECT epoch(max(retrieved_at)) FROM read").fetchall()
    assert latest == [(pd.Timestamp(SECOND).timestamp(),)]


def test_polars(dataset: ep.Dataset) -> None:
    """The Delta table as it is."""
    read = pl.read_delta(f"{dataset.path}/counts")
    assert read.schema == {
        "post_id": pl.String,
        "engagement_type": pl.String,
        "retrieved_at": pl.Datetime("us", "UTC"),
        "day": pl.Date,
        "hour": pl.Int8,
        "count": pl.Int64,
    }
    same(tidy(exactly(read.to_arrow())), dataset.read())
    assert read["retrieved_at"].max() == dt.datetime(2026, 4, 1, 1, 5, tzinfo=dt.UTC)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The inplace keyword")  # dask's own
def test_dask(dataset: ep.Dataset) -> None:
    """A partition a file; counts that are missing stay integers."""
    read = dd.read_parquet(dataset.files(), dtype_backend="pyarrow")
    assert read.npartitions == len(dataset.files())
    with dask.config.set(scheduler="synchronous"):
        found = read.compute()
    kinds = found.dtypes.astype(str).to_dict()
    assert kinds["count"] == "int64[pyarrow]"
    assert kinds["hour"] == "int8[pyarrow]"
    assert kinds["retrieved_at"] == "timestamp[us, tz=UTC][pyarrow]"
    assert kinds["post_id"].endswith("string[pyarrow]") or kinds["post_id"] == "string"
    same(tidy(found), dataset.read())


@pytest.mark.long
@pytest.mark.skipif(
    not (shutil.which("java") and find_spec("pyspark")) and "REQUIRE_PROGRAMS" not in os.environ,
    reason="Spark runs on Java, and pyspark is too large for the tests' own extra",
)
def test_spark(dataset: ep.Dataset) -> None:
    """The types that Spark reads, and its counts."""
    sql = import_module("pyspark.sql")
    builder = sql.SparkSession.builder.master("local[1]").appName("engagement_pandas")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.session.timeZone": "UTC",
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    try:
        base = str(Path(dataset.path).absolute() / "counts")
        read = session.read.option("basePath", base).parquet(*dataset.files())
        assert dict(read.dtypes) == {
            "post_id": "string",
            "engagement_type": "string",
            "retrieved_at": "timestamp",
            "hour": "tinyint",
            "count": "bigint",
            "day": "date",
        }
        rows = read.selectExpr(
            "post_id", "engagement_type", "cast(day as string) as day", "hour", "count"
        ).collect()
        latest = read.selectExpr("cast(max(retrieved_at) as string)").collect()[0][0]
    finally:
        session.stop()
    assert latest == "2026-04-01 01:05:00"
    found = pd.DataFrame(
        [tuple(row) for row in rows], columns=["post_id", "engagement_type", "day", "hour", "count"]
    )
    found["count"] = pd.array([row["count"] for row in rows], dtype="Int64")
    same(tidy(found.assign(day=pd.to_datetime(found["day"]))), dataset.read())


def test_pandas(dataset: ep.Dataset) -> None:
    """A folder of Parquet with files of the past in it is no table: the error names the cure."""
    with pytest.raises(ep.FrameError, match=r"is a folder; .* ep\.Dataset"):
        ep.read_parquet(f"{dataset.path}/counts")
    same(tidy(pd.concat(map(_of_a_day, dataset.files()))), dataset.read())


def _of_a_day(file: str) -> pd.DataFrame:
    day = Path(file).parent.name.removeprefix("day=")
    frame = pd.read_parquet(file, dtype_backend="numpy_nullable", partitioning=None)
    return frame.assign(day=pd.Timestamp(day))
