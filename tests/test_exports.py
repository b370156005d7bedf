"""Files: what is written is what is read, and an old file survives a failure."""

from __future__ import annotations

import io
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import engagement_pandas as ep
from engagement_pandas.errors import FrameError
from engagement_pandas.frame import SCHEMA_VERSION, empty_counts, empty_omissions

HOURLY = {
    "g": {
        "0012345678901234567": {"impressions": {"2026-03-01": {"07": "5"}}},
        "1060976163948904448": {
            "zaps": {"2026-03-01": {"23": "-3"}},
            "impressions": {"2026-03-02": {"00": str(2**63 - 1)}},
            "boosts": {"0999-12-31": {"00": str(-(2**63))}},
        },
    }
}


def hourly() -> pd.DataFrame:
    """Count with leading zeros, unknown types, an old day and the ends of 64 bits."""
    return ep.flatten_json(HOURLY, group_by=ep.BY_HOUR)


def missing() -> pd.DataFrame:
    """Count nothing but what is missing."""
    body = {"g": {"1": {"video_views": "0"}}, "unsupported_for_video_views_tweet_ids": ["1"]}
    return ep.flatten_json(body)


def omitted() -> pd.DataFrame:
    """Omit with and without type and window; commas, quotes and new lines in the message."""
    gone = ep.EngagementResponse(
        ep.totals(["1", "02"], engagement_types=["favorites"]),
        {"errors": ['1 Tweet ID(s), "2"\nare unavailable'], "unavailable_tweet_ids": ["1", "02"]},
    )
    window = ep.Window.covering("2026-03-01", "2026-03-02")
    request = ep.historical(["3"], engagement_types=["replies"], window=window, by=ep.BY_DAY)
    gap = ep.EngagementResponse(request, {"by_day": {"3": {}}})
    return pd.concat([ep.omissions(gone), ep.omissions(gap)], ignore_index=True)


FRAMES = {
    "hourly": hourly,
    "by type": lambda: ep.flatten_json({"g": {"replies": "5", "favorites": "6"}}),
    "by hour of the day": lambda: ep.flatten_json({"g": {"replies": {"07": "5"}}}),
    "missing": missing,
    "empty": empty_counts,
    "empty by type": lambda: empty_counts(("engagement_type",)),
    "omissions": omitted,
    "omissions and when they were told": lambda: omitted().assign(
        retrieved_at=pd.Timestamp("2026-03-01T09:30:00.000001Z")
    ),
    "no omissions": empty_omissions,
}

frames = pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)


@frames
def test_parquet_gives_the_frame_back(make: Any, tmp_path: Path) -> None:
    """Values, dtypes, categories and order are exactly those written."""
    ep.write_parquet(make(), tmp_path / "counts.parquet")
    pd.testing.assert_frame_equal(ep.read_parquet(tmp_path / "counts.parquet"), make())


@frames
def test_csv_gives_the_frame_back(make: Any, tmp_path: Path) -> None:
    """IDs are text with all their zeros; missing is missing."""
    ep.write_csv(make(), tmp_path / "counts.csv")
    pd.testing.assert_frame_equal(ep.read_csv(tmp_path / "counts.csv"), make())


@frames
def test_csv_through_a_buffer(make: Any) -> None:
    """A text buffer does as well as a path."""
    buffer = io.StringIO()
    ep.write_csv(make(), buffer)
    buffer.seek(0)
    pd.testing.assert_frame_equal(ep.read_csv(buffer), make())


def test_csv_as_it_stands() -> None:
    """The file is what a person would write."""
    buffer = io.StringIO()
    ep.write_csv(hourly(), buffer)
    assert buffer.getvalue().splitlines()[:2] == [
        "post_id,engagement_type,day,hour,count",
        "0012345678901234567,impressions,2026-03-01,7,5",
    ]


def test_a_missing_count_is_nothing_in_csv() -> None:
    """Not 0, not NaN."""
    buffer = io.StringIO()
    ep.write_csv(missing(), buffer)
    assert buffer.getvalue() == "post_id,engagement_type,count\n1,video_views,\n"


def test_csv_is_compressed_by_its_suffix(tmp_path: Path) -> None:
    """The name decides, also while the file is written beside its place."""
    ep.write_csv(hourly(), tmp_path / "counts.csv.gz")
    assert (tmp_path / "counts.csv.gz").read_bytes()[:2] == b"\x1f\x8b"
    pd.testing.assert_frame_equal(ep.read_csv(tmp_path / "counts.csv.gz"), hourly())


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
    """A frame with numbers for IDs does not become a file."""
    wrong = missing().assign(post_id=[1])
    for write in (ep.write_parquet, ep.write_csv):
        with pytest.raises(FrameError, match="'post_id' is int64"):
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
    with pytest.raises(FrameError, match=r"version 99 of the schema.*upgrade"):
        ep.read_parquet(tmp_path / "a.parquet")


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    """The message names the file; a file that is not there is another matter."""
    (tmp_path / "a.parquet").write_text("post_id")
    with pytest.raises(FrameError, match=r"a\.parquet' is not a Parquet file"):
        ep.read_parquet(tmp_path / "a.parquet")
    with pytest.raises(FileNotFoundError):
        ep.read_parquet(tmp_path / "b.parquet")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("post_id,engagement_type,count\n1.06098E+18,a,1\n", "'1.06098E\\+18'.*has been a float"),
        ("post_id,engagement_type,count\n1060976163948904448.0,a,1\n", "has been a float"),
        ("post_id,engagement_type,count\n,a,1\n", "'post_id' is missing in row 0"),
        ("post_id,engagement_type,count\n1,,1\n", "'engagement_type' is missing in row 0"),
        ("post_id,engagement_type,count\n1,a,1.0\n", "'count' holds 1.0"),
        ("engagement_type,count\na,9223372036854775808\n", "'count' holds"),
        ("engagement_type,hour,count\na,,1\n", "'hour' holds"),
        ("engagement_type,hour,count\na,24,1\n", "the hour 24"),
        ("engagement_type,day,count\na,yesterday,1\n", "'day' holds what is not a time"),
        ("engagement_type,day,count\na,2026-03-01T07:00,1\n", "is not a midnight"),
        ("engagement_type,count,extra\na,1,1\n", "no column 'extra'"),
        ("", "not CSV"),
        ("a,b\n1,2,3\n4\n1,2,3,4\n", "not CSV"),
        ("post_id,engagement_type,reason,message,start,end\n1,,gone,x,,\n", "no reason 'gone'"),
    ],
)
def test_csv_that_is_not_tidy_is_refused(text: str, complaint: str) -> None:
    """The message has the value and the cure."""
    with pytest.raises(FrameError, match=complaint):
        ep.read_csv(io.StringIO(text))


def test_types_named_like_missing_survive_csv() -> None:
    """A type called NA is a type."""
    counts = ep.flatten_json({"g": {"NA": "5", "null": "6"}})
    buffer = io.StringIO()
    ep.write_csv(counts, buffer)
    buffer.seek(0)
    pd.testing.assert_frame_equal(ep.read_csv(buffer), counts)


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


def test_a_carriage_return_in_a_name(tmp_path: Path) -> None:
    """A name of a type, from outside, with every character that CSV trips over."""
    counts = ep.flatten_json({"g": {"1": {'a\rb,"c"\nd': "5", "impressions": "7"}}})
    ep.write_csv(counts, tmp_path / "a.csv")
    pd.testing.assert_frame_equal(ep.read_csv(tmp_path / "a.csv"), counts)


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.zip"])
def test_compressed_rubbish(tmp_path: Path, name: str) -> None:
    """What only has the name of a compressed file."""
    (tmp_path / name).write_bytes(b"no archive")
    with pytest.raises(FrameError, match="not CSV"):
        ep.read_csv(tmp_path / name)


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
