"""Parquet: what is written is what is read, and an old file survives a failure."""

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


@frames
def test_parquet_gives_the_frame_back(make: Any, tmp_path: Path) -> None:
    """Values, dtypes, categories and order are exactly those written."""
    ep.write_parquet(make(), tmp_path / "counts.parquet")
    pd.testing.assert_frame_equal(ep.read_parquet(tmp_path / "counts.parquet"), make())


def test_the_retrieval_is_kept_in_the_metadata(tmp_path: Path) -> None:
    """What flatten knows goes into the file and back into attrs."""
    request = ep.totals(["1"], engagement_types=["favorites"])
    moment = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    body = {"by_post": {"1": {"favorites": "5"}}}
    counts = ep.flatten(ep.EngagementResponse(request, body, retrieved_at=moment))
    ep.write_parquet(counts, tmp_path / "a.parquet")
    metadata = pq.read_schema(tmp_path / "a.parquet").metadata
    assert metadata[b"engagement_pandas.retrieved_at"] == b"2026-03-01T09:30:00+00:00"
    assert metadata[b"engagement_pandas.schema_version"] == str(SCHEMA_VERSION).encode()
    assert ep.read_parquet(tmp_path / "a.parquet").attrs == {
        "retrieved_at": "2026-03-01T09:30:00+00:00",
        "endpoint": "totals",
    }


@pytest.mark.parametrize(
    "moment", ["2026-03-01T10:30:00+01:00", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)]
)
def test_the_retrieval_can_be_given(moment: Any, tmp_path: Path) -> None:
    """An argument goes before attrs, and is told in UTC."""
    counts = hourly()
    counts.attrs["retrieved_at"] = "2020-01-01T00:00:00+00:00"
    ep.write_parquet(counts, tmp_path / "a.parquet", retrieved_at=moment)
    assert (
        ep.read_parquet(tmp_path / "a.parquet").attrs["retrieved_at"] == "2026-03-01T09:30:00+00:00"
    )


def test_no_retrieval_known(tmp_path: Path) -> None:
    """A time that nobody knows is not made up."""
    ep.write_parquet(hourly(), tmp_path / "a.parquet")
    assert ep.read_parquet(tmp_path / "a.parquet").attrs == {}


def test_files_are_compressed_with_zstd(tmp_path: Path) -> None:
    """Every column."""
    ep.write_parquet(hourly(), tmp_path / "a.parquet")
    group = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0)
    assert {group.column(n).compression for n in range(group.num_columns)} == {"ZSTD"}


def test_a_filtered_frame_is_written(tmp_path: Path) -> None:
    """A slice needs no preparation; only the types present come back."""
    part = hourly()[lambda frame: frame["hour"] == 23]
    ep.write_parquet(part, tmp_path / "a.parquet")
    back = ep.read_parquet(tmp_path / "a.parquet")
    assert list(back["engagement_type"].cat.categories) == ["zaps"]
    assert list(back.index) == [0]


def test_writing_changes_nothing(tmp_path: Path) -> None:
    """The frame stays the caller's."""
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
    """Whatever step fails, the old file is whole and nothing lies beside it."""
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


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """Writing again leaves one file, the new one; a text path will do."""
    path = tmp_path / "counts.parquet"
    for frame in (hourly(), missing()):
        ep.write_parquet(frame, str(path))
    pd.testing.assert_frame_equal(ep.read_parquet(str(path)), missing())
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_not_tidy_is_not_written(tmp_path: Path) -> None:
    """A frame with floats for IDs does not become a file."""
    wrong = missing().assign(post_id=[1.0])
    for write in (ep.write_parquet, ep.write_csv):
        with pytest.raises(FrameError, match="'post_id' in row 0 is"):
            write(wrong, tmp_path / "counts")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("columns", "complaint"),
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
def test_foreign_parquet_is_checked(columns: Any, complaint: str, tmp_path: Path) -> None:
    """A file of another program passes if it is tidy counts, and else is refused."""
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(FrameError, match=complaint):
        ep.read_parquet(tmp_path / "a.parquet")


def test_foreign_parquet_that_is_tidy_is_read(tmp_path: Path) -> None:
    """Plain texts and integers do."""
    columns = {
        "post_id": ["1", "1"],
        "engagement_type": ["replies", "favorites"],
        "count": [1, None],
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    back = ep.read_parquet(tmp_path / "a.parquet")
    assert list(back["engagement_type"].cat.categories) == ["favorites", "replies"]
    assert back["count"].isna().to_list() == [False, True]


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """A file of a later release is not misread."""
    table = pa.table({"engagement_type": ["a"], "count": [1]})
    metadata = {b"engagement_pandas.schema_version": b"99"}
    pq.write_table(table.replace_schema_metadata(metadata), tmp_path / "a.parquet")
    with pytest.raises(FrameError, match=r"schema version 99.*upgrade"):
        ep.read_parquet(tmp_path / "a.parquet")


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    """The message names the file; a file that is not there is another matter."""
    (tmp_path / "a.parquet").write_text("post_id")
    with pytest.raises(FrameError, match=r"a\.parquet' is not a Parquet file"):
        ep.read_parquet(tmp_path / "a.parquet")
    with pytest.raises(FileNotFoundError):
        ep.read_parquet(tmp_path / "b.parquet")


def test_the_move_is_flushed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First the file, then the folder that names it: a power cut leaves the one or the other."""
    flushed = []
    fsync = os.fsync

    def watch(handle: int) -> None:
        flushed.append(stat.S_ISDIR(os.fstat(handle).st_mode))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", watch)
    ep.write_parquet(hourly(), tmp_path / "a.parquet")
    assert flushed == [False, True]


@pytest.mark.parametrize("place", [10, 60, -30])
def test_damaged_parquet(tmp_path: Path, place: int) -> None:
    """Bytes changed on the way: an error of ours, or the same counts; never others."""
    path = tmp_path / "a.parquet"
    ep.write_parquet(hourly(), path)
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)
    try:
        again = ep.read_parquet(path)
    except FrameError:
        return
    pd.testing.assert_frame_equal(again, hourly())


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Is that, and not a damaged one."""
    with pytest.raises(FileNotFoundError):
        ep.read_parquet(tmp_path / "none.parquet")


def test_a_column_twice(tmp_path: Path) -> None:
    """Nobody can tell which of them is meant."""
    table = pa.table(
        [["1"], ["2"], ["favorites"], [5]], names=["post_id", "post_id", "engagement_type", "count"]
    )
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(FrameError, match="a column twice"):
        ep.read_parquet(tmp_path / "a.parquet")
