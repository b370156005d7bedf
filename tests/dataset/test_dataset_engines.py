"""Other engines read the same: IDs as text, days and times in UTC, counts as integers."""

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
from engagement_pandas.frame.contract import TEXT

LONG = ("1060976163948904448", "1060976163948904449")
"""As floating-point numbers the two would be equal."""

FIRST, SECOND = "2026-04-01T00:05:00Z", "2026-04-01T01:05:00Z"
KEY = ["post_id", "engagement_type", "day", "hour"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> ep.Dataset:
    """Return a data set with a missing count, a negative one, and files of earlier versions."""
    made = ep.Dataset(tmp_path_factory.mktemp("engines") / "set")
    counts = some(FIRST, posts=LONG)
    made.append(counts)
    made.append(changed(changed(counts, 5, -3, SECOND), 7, 2**53 + 1, SECOND))
    with_a_gap = some(FIRST, posts=["7"], days=1)
    made.append(changed(with_a_gap, 3, None, FIRST))
    return made


def to_contract(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of an engine with the package's dtypes, without changing a value."""
    types = [
        engagement_type
        for engagement_type in ("impressions", "replies")
        if engagement_type in set(frame["engagement_type"])
    ]
    return (
        frame.astype({"day": "datetime64[us]", "count": "Int64", "hour": "int8", "post_id": TEXT})
        .astype({"engagement_type": TEXT})
        .astype({"engagement_type": pd.CategoricalDtype(pd.Index(types, dtype=TEXT))})
        .sort_values(KEY, ignore_index=True)[[*KEY, "count"]]
    )


def without_floats(table: pa.Table) -> pd.DataFrame:
    """Return a frame whose counts were never floating-point numbers."""
    return table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)


@pytest.mark.slow
def test_duckdb_reads_the_current_files(dataset: ep.Dataset) -> None:
    """The day comes from the path."""
    read = duckdb.read_parquet(dataset.files(), hive_partitioning=True)
    assert dict(zip(read.columns, map(str, read.types), strict=True)) == {
        "post_id": "VARCHAR",
        "engagement_type": "VARCHAR",
        "retrieved_at": "TIMESTAMP WITH TIME ZONE",
        "hour": "TINYINT",
        "count": "BIGINT",
        "day": "DATE",
    }
    same(to_contract(without_floats(read.to_arrow_table())), dataset.read())
    latest = duckdb.sql("SELECT epoch(max(retrieved_at)) FROM read").fetchall()
    assert latest == [(pd.Timestamp(SECOND).timestamp(),)]


def test_polars_reads_the_delta_table(dataset: ep.Dataset) -> None:
    """The schema is that of the table."""
    read = pl.read_delta(f"{dataset.path}/counts")
    assert read.schema == {
        "post_id": pl.String,
        "engagement_type": pl.String,
        "retrieved_at": pl.Datetime("us", "UTC"),
        "day": pl.Date,
        "hour": pl.Int8,
        "count": pl.Int64,
    }
    same(to_contract(without_floats(read.to_arrow())), dataset.read())
    assert read["retrieved_at"].max() == dt.datetime(2026, 4, 1, 1, 5, tzinfo=dt.UTC)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The inplace keyword")  # a warning of dask itself
def test_dask_reads_one_partition_for_each_file(dataset: ep.Dataset) -> None:
    """Counts stay integers, also next to missing ones."""
    read = dd.read_parquet(dataset.files(), dtype_backend="pyarrow")
    assert read.npartitions == len(dataset.files())
    with dask.config.set(scheduler="synchronous"):
        found = read.compute()
    dtypes = found.dtypes.astype(str).to_dict()
    assert dtypes["count"] == "int64[pyarrow]"
    assert dtypes["hour"] == "int8[pyarrow]"
    assert dtypes["retrieved_at"] == "timestamp[us, tz=UTC][pyarrow]"
    assert dtypes["post_id"].endswith("string[pyarrow]") or dtypes["post_id"] == "string"
    same(to_contract(found), dataset.read())


@pytest.mark.long
@pytest.mark.skipif(
    not (shutil.which("java") and find_spec("pyspark")) and "REQUIRE_PROGRAMS" not in os.environ,
    reason="Spark runs on Java, and pyspark is too large for the tests' own extra",
)
def test_spark_reads_types_and_counts(dataset: ep.Dataset) -> None:
    """The types are those of the table."""
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
    same(to_contract(found.assign(day=pd.to_datetime(found["day"]))), dataset.read())


@pytest.mark.slow
def test_pandas_reads_the_files_but_not_the_folder(dataset: ep.Dataset) -> None:
    """The folder has files of earlier versions; the error names the cure."""
    with pytest.raises(ep.FrameError, match=r"is a folder; .* ep\.Dataset"):
        ep.read_parquet(f"{dataset.path}/counts")
    same(to_contract(pd.concat(map(_of_a_day, dataset.files()))), dataset.read())


def _of_a_day(file: str) -> pd.DataFrame:
    day = Path(file).parent.name.removeprefix("day=")
    frame = pd.read_parquet(file, dtype_backend="numpy_nullable", partitioning=None)
    return frame.assign(day=pd.Timestamp(day))
