"""Parquet files read back equal, and an old file survives a failure."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.tidy_frames import frames, hourly, missing

import engagement_pandas as ep
from engagement_pandas.errors import FrameError
from engagement_pandas.frame.contract import SCHEMA_VERSION


@pytest.mark.slow
@frames
def test_a_parquet_file_reads_back_equal(make: Any, tmp_path: Path) -> None:
    """Values, dtypes, categories and order are those written."""
    ep.write_parquet(make(), tmp_path / "counts.parquet")
    pd.testing.assert_frame_equal(ep.read_parquet(tmp_path / "counts.parquet"), make())


def test_the_retrieval_is_kept_in_the_metadata(tmp_path: Path) -> None:
    """The file restores the attrs of flatten."""
    request = ep.totals(["1"], engagement_types=["favorites"])
    timestamp = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    body = {"by_post": {"1": {"favorites": "5"}}}
    counts = ep.flatten(ep.EngagementResponse(request, body, retrieved_at=timestamp))
    ep.write_parquet(counts, tmp_path / "a.parquet")
    metadata = pq.read_schema(tmp_path / "a.parquet").metadata
    assert metadata[b"engagement_pandas.retrieved_at"] == b"2026-03-01T09:30:00+00:00"
    assert metadata[b"engagement_pandas.schema_version"] == str(SCHEMA_VERSION).encode()
    assert ep.read_parquet(tmp_path / "a.parquet").attrs == {
        "retrieved_at": "2026-03-01T09:30:00+00:00",
        "endpoint": "totals",
    }


@pytest.mark.parametrize(
    "timestamp", ["2026-03-01T10:30:00+01:00", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)]
)
def test_the_retrieval_may_be_an_argument(timestamp: Any, tmp_path: Path) -> None:
    """It has precedence over attrs, and is stored in UTC."""
    counts = hourly()
    counts.attrs["retrieved_at"] = "2020-01-01T00:00:00+00:00"
    ep.write_parquet(counts, tmp_path / "a.parquet", retrieved_at=timestamp)
    assert (
        ep.read_parquet(tmp_path / "a.parquet").attrs["retrieved_at"] == "2026-03-01T09:30:00+00:00"
    )


def test_an_unknown_retrieval_stays_unknown(tmp_path: Path) -> None:
    """The file has no time."""
    ep.write_parquet(hourly(), tmp_path / "a.parquet")
    assert ep.read_parquet(tmp_path / "a.parquet").attrs == {}


def test_files_are_compressed_with_zstd(tmp_path: Path) -> None:
    """Every column is compressed."""
    ep.write_parquet(hourly(), tmp_path / "a.parquet")
    group = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0)
    assert {group.column(n).compression for n in range(group.num_columns)} == {"ZSTD"}


def test_a_filtered_frame_is_written(tmp_path: Path) -> None:
    """A slice needs no preparation; only its types are read back."""
    part = hourly()[lambda frame: frame["hour"] == 23]
    ep.write_parquet(part, tmp_path / "a.parquet")
    read_back = ep.read_parquet(tmp_path / "a.parquet")
    assert list(read_back["engagement_type"].cat.categories) == ["zaps"]
    assert list(read_back.index) == [0]


def test_writing_does_not_change_the_frame(tmp_path: Path) -> None:
    """Both formats are written."""
    counts = hourly()
    ep.write_parquet(counts, tmp_path / "a.parquet")
    ep.write_csv(counts, tmp_path / "a.csv")
    pd.testing.assert_frame_equal(counts, hourly())


@pytest.mark.parametrize(
    ("write", "target"),
    [
        (ep.write_parquet, (pq, "write_table")),
        (ep.write_csv, (pd.DataFrame, "to_csv")),
        (ep.write_parquet, (os, "fsync")),
        (ep.write_csv, (Path, "replace")),
    ],
)
def test_a_failure_leaves_the_old_file(
    write: Any, target: tuple[Any, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever step fails, the old file is complete, and no temporary file is left."""
    path = tmp_path / "counts"
    write(hourly(), path)
    old = path.read_bytes()

    def fail(*_: Any, **__: Any) -> None:
        msg = "no space left on device"
        raise OSError(msg)

    monkeypatch.setattr(*target, fail)
    with pytest.raises(OSError, match="no space left"):
        write(missing(), path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_replaced(tmp_path: Path) -> None:
    """The folder has one file afterwards; a path may be text."""
    path = tmp_path / "counts.parquet"
    for frame in (hourly(), missing()):
        ep.write_parquet(frame, str(path))
    pd.testing.assert_frame_equal(ep.read_parquet(str(path)), missing())
    assert list(tmp_path.iterdir()) == [path]


def test_an_invalid_frame_is_not_written(tmp_path: Path) -> None:
    """IDs that are floats are refused."""
    invalid = missing().assign(post_id=[1.0])
    for write in (ep.write_parquet, ep.write_csv):
        with pytest.raises(FrameError, match="'post_id' in row 0 is"):
            write(invalid, tmp_path / "counts")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"post_id": [1], "engagement_type": ["a"], "count": [1]},
            "'post_id' in .* is int64.*lost",
        ),
        ({"post_id": ["1"], "engagement_type": ["a"], "count": [1.5]}, "'count' in .* is double"),
        ({"post_id": ["1"], "engagement_type": ["a"], "count": ["1"]}, "'count' in .* is string"),
        ({"post_id": ["1"], "count": [1]}, "lack the column 'engagement_type'"),
        ({"engagement_type": ["a"], "count": [1], "x": [1]}, "no column 'x'"),
        ({"engagement_type": ["a"], "hour": [300], "count": [1]}, "'hour' in .* is int64"),
        ({"engagement_type": ["a", "a"], "count": [1, 1]}, "twice"),
    ],
)
def test_an_invalid_file_of_another_program_is_refused(
    columns: Any, message: str, tmp_path: Path
) -> None:
    """The error has the column."""
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(FrameError, match=message):
        ep.read_parquet(tmp_path / "a.parquet")


def test_a_valid_file_of_another_program_is_read(tmp_path: Path) -> None:
    """Plain texts and integers are accepted."""
    columns = {
        "post_id": ["1", "1"],
        "engagement_type": ["replies", "favorites"],
        "count": [1, None],
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    read_back = ep.read_parquet(tmp_path / "a.parquet")
    assert list(read_back["engagement_type"].cat.categories) == ["favorites", "replies"]
    assert read_back["count"].isna().to_list() == [False, True]


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """The file of a later release could be misread."""
    table = pa.table({"engagement_type": ["a"], "count": [1]})
    metadata = {b"engagement_pandas.schema_version": b"99"}
    pq.write_table(table.replace_schema_metadata(metadata), tmp_path / "a.parquet")
    with pytest.raises(FrameError, match=r"schema version 99.*upgrade"):
        ep.read_parquet(tmp_path / "a.parquet")


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    """The message has its name; an absent file is another error."""
    (tmp_path / "a.parquet").write_text("post_id")
    with pytest.raises(FrameError, match=r"a\.parquet' is not a Parquet file"):
        ep.read_parquet(tmp_path / "a.parquet")
    with pytest.raises(FileNotFoundError):
        ep.read_parquet(tmp_path / "b.parquet")


def test_the_file_and_the_folder_are_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut there is either the old file or the new one."""
    flushed = []
    fsync = os.fsync

    def record(handle: int) -> None:
        flushed.append(stat.S_ISDIR(os.fstat(handle).st_mode))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", record)
    ep.write_parquet(hourly(), tmp_path / "a.parquet")
    assert flushed == [False, True]


@pytest.mark.parametrize("i", [10, 60, -30])
def test_a_damaged_file_is_correct_or_refused(tmp_path: Path, i: int) -> None:
    """Changed bytes never give other counts."""
    path = tmp_path / "a.parquet"
    ep.write_parquet(hourly(), path)
    content = bytearray(path.read_bytes())
    content[i] ^= 0xFF
    path.write_bytes(content)
    try:
        read_back = ep.read_parquet(path)
    except FrameError:
        return
    pd.testing.assert_frame_equal(read_back, hourly())


def test_an_absent_file_is_a_file_not_found_error(tmp_path: Path) -> None:
    """It is not reported as damaged."""
    with pytest.raises(FileNotFoundError):
        ep.read_parquet(tmp_path / "none.parquet")


def test_a_duplicate_column_is_refused(tmp_path: Path) -> None:
    """The choice is not guessed."""
    table = pa.table(
        [["1"], ["2"], ["favorites"], [5]], names=["post_id", "post_id", "engagement_type", "count"]
    )
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(FrameError, match="a column twice"):
        ep.read_parquet(tmp_path / "a.parquet")


def test_counts_from_a_file_can_be_changed(tmp_path: Path) -> None:
    """No column is a view of what pyarrow has read."""
    counts = ep.flatten_json({"g": {"9": {"replies": {"2026-03-01": {"07": "5"}}}}})
    ep.write_parquet(counts, tmp_path / "counts.parquet")
    read = ep.read_parquet(tmp_path / "counts.parquet")
    changed = ["8", "replies", pd.Timestamp("2026-03-02"), 3, 7]
    for name, value in zip(read.columns, changed, strict=True):
        read.loc[0, name] = value
    assert read.iloc[0].to_list() == changed


def test_an_ordered_category_is_written(tmp_path: Path) -> None:
    """An order of types is for charts; the file has the contract's."""
    counts = hourly()
    ordered = counts.assign(engagement_type=counts["engagement_type"].cat.as_ordered())
    ep.write_parquet(ordered, tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(ep.read_parquet(tmp_path / "a.parquet"), counts)
