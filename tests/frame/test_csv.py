"""CSV files read back equal, and invalid ones are refused."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.tidy_frames import frames, hourly, missing

import engagement_pandas as ep
from engagement_pandas.errors import FrameError


@pytest.mark.slow
@frames
def test_a_csv_file_reads_back_equal(make: Any, tmp_path: Path) -> None:
    """IDs are text with all their zeros; missing counts stay missing."""
    ep.write_csv(make(), tmp_path / "counts.csv")
    pd.testing.assert_frame_equal(ep.read_csv(tmp_path / "counts.csv"), make())


@pytest.mark.slow
@frames
def test_a_buffer_reads_back_equal(make: Any) -> None:
    """A text buffer is accepted like a path."""
    buffer = io.StringIO()
    ep.write_csv(make(), buffer)
    buffer.seek(0)
    pd.testing.assert_frame_equal(ep.read_csv(buffer), make())


def test_the_file_is_readable() -> None:
    """It looks like a file written by hand."""
    buffer = io.StringIO()
    ep.write_csv(hourly(), buffer)
    assert buffer.getvalue().splitlines()[:2] == [
        "post_id,engagement_type,day,hour,count",
        "0012345678901234567,impressions,2026-03-01,7,5",
    ]


def test_a_missing_count_is_an_empty_field() -> None:
    """It is neither 0 nor NaN."""
    buffer = io.StringIO()
    ep.write_csv(missing(), buffer)
    assert buffer.getvalue() == "post_id,engagement_type,count\n1,video_views,\n"


def test_the_suffix_selects_the_compression(tmp_path: Path) -> None:
    """The temporary file is compressed too."""
    ep.write_csv(hourly(), tmp_path / "counts.csv.gz")
    assert (tmp_path / "counts.csv.gz").read_bytes()[:2] == b"\x1f\x8b"
    pd.testing.assert_frame_equal(ep.read_csv(tmp_path / "counts.csv.gz"), hourly())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("post_id,engagement_type,count\n1.06098E+18,a,1\n", "'1.06098E\\+18'.*was a float"),
        ("post_id,engagement_type,count\n1060976163948904448.0,a,1\n", "was a float"),
        ("post_id,engagement_type,count\n,a,1\n", "'post_id' is missing in row 0"),
        ("post_id,engagement_type,count\n1,,1\n", "'engagement_type' is missing in row 0"),
        ("post_id,engagement_type,count\n1,a,1.0\n", "'count' has 1.0"),
        ("engagement_type,count\na,9223372036854775808\n", "'count' has"),
        ("engagement_type,hour,count\na,,1\n", "'hour' has"),
        ("engagement_type,hour,count\na,24,1\n", "the hour 24"),
        (
            "engagement_type,day,count\na,yesterday,1\n",
            "'day' has 'yesterday', which",
        ),
        ("engagement_type,day,count\na,2026-03-01T07:00,1\n", "is not at midnight"),
        ("engagement_type,count,extra\na,1,1\n", "no column 'extra'"),
        ("", "not CSV"),
        ("a,b\n1,2,3\n4\n1,2,3,4\n", "not CSV"),
        ("post_id,engagement_type,reason,message,start,end\n1,,gone,x,,\n", "no reason 'gone'"),
    ],
)
def test_an_invalid_file_is_refused(text: str, message: str) -> None:
    """The message has the value and the cure."""
    with pytest.raises(FrameError, match=message):
        ep.read_csv(io.StringIO(text))


def test_a_type_may_be_called_na() -> None:
    """It is not read as missing."""
    counts = ep.flatten_json({"g": {"NA": "5", "null": "6"}})
    buffer = io.StringIO()
    ep.write_csv(counts, buffer)
    buffer.seek(0)
    pd.testing.assert_frame_equal(ep.read_csv(buffer), counts)


def test_a_name_may_have_a_carriage_return(tmp_path: Path) -> None:
    """It has every character that CSV quotes."""
    counts = ep.flatten_json({"g": {"1": {'a\rb,"c"\nd': "5", "impressions": "7"}}})
    ep.write_csv(counts, tmp_path / "a.csv")
    pd.testing.assert_frame_equal(ep.read_csv(tmp_path / "a.csv"), counts)


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.zip"])
def test_a_damaged_archive_is_refused(tmp_path: Path, name: str) -> None:
    """The content decides on the format, not the name."""
    (tmp_path / name).write_bytes(b"no archive")
    with pytest.raises(FrameError, match="no line end: 'no archive'"):
        ep.read_csv(tmp_path / name)
    mark = b"\x1f\x8b" if name.endswith("gz") else b"PK\x03\x04"
    (tmp_path / name).write_bytes(mark + b" and so on")
    with pytest.raises(FrameError, match="damaged and cannot be decompressed"):
        ep.read_csv(tmp_path / name)
