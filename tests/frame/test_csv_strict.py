"""CSV files changed by a spreadsheet, another program or a full disk: read correctly or refused."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas import FrameError
from engagement_pandas.frame import csv_rows
from engagement_pandas.frame.contract import TEXT

HEAD = "post_id,engagement_type,day,hour,count"
ROW = "2125450880059707756,impressions,2026-11-25,5,551"
OTHER = "2125883449981014166,favorites,2026-11-25,6,20"


def rows_of(text: str) -> list[list[Any]]:
    """Return post, type and count of each row."""
    frame = ep.read_csv(io.StringIO(text))
    return [
        list(row)
        for row in zip(frame["post_id"], frame["engagement_type"], frame["count"], strict=True)
    ]


EXPECTED = [["2125450880059707756", "impressions", 551], ["2125883449981014166", "favorites", 20]]


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}\n{ROW}\n{OTHER}\n",
        f"{HEAD}\r\n{ROW}\r\n{OTHER}\r\n",
        f"{HEAD}\n{ROW},\n{OTHER},\n",
        f"{HEAD},,\n{ROW},,\n{OTHER},,\n",
        f"{HEAD}\n{ROW}\n,,,,\n\n{OTHER}\n,,,,\n",
        f"\ufeff{HEAD}\n{ROW}\n{OTHER}\n",
        f"sep=;\n{HEAD}\n{ROW}\n{OTHER}\n".replace(",", ";"),
        f"{HEAD}\n{ROW}\n{OTHER}\n".replace(",", ";"),
        f"{HEAD}\n{ROW}\n{OTHER}\n".replace(",", "\t"),
        f"{HEAD}\n{ROW}\n{OTHER}\n".replace("11-25", "11-25 00:00:00"),
    ],
)
def test_equivalent_files_have_the_same_counts(text: str) -> None:
    """They have commas at row ends, blank rows, other delimiters or a byte order mark."""
    assert rows_of(text) == EXPECTED


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_are_detected(codec: str, tmp_path: Path) -> None:
    """Files have a byte order mark or not."""
    (tmp_path / "a.csv").write_bytes(f"{HEAD}\n{ROW}\n".encode(codec))
    assert ep.read_csv(tmp_path / "a.csv")["count"].to_list() == [551]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HEAD}\n{ROW}\n{OTHER[:-1]}", r"line 3.*has no line end: '.*,2'; if it is truncated"),
        (f"{HEAD}\n{ROW}", "line 2.*has no line end"),
        (f"{HEAD}\n{ROW}\n{OTHER[:-3]}\n", "line 3 has 4 fields, but there are 5"),
        (f'{HEAD}\n{ROW[:-3]}"551\n{OTHER}\n', "line 2 of the CSV: .*check the quotes"),
        (f'{HEAD}\n{ROW[:-3]}"55"1\n{OTHER}\n', "line 2 of the CSV: .*check the quotes"),
        (f'{HEAD}\n{ROW[:-3]}"1,551"\n', "line 2: 'count' has 1,551"),
        (f"{HEAD}\n{ROW[:-3]}1,551\n", "line 2 has 6 fields"),
        (f"{HEAD}\n{ROW[:-3]}5.51E+2\n", "line 2: 'count' has 5.51E"),
        (f"{HEAD}\n{ROW}\nTotal,,,,551\n", "line 3: 'Total' is not a post ID.*drop totals"),
        (f"{HEAD}\n{ROW}\n{HEAD}\n{OTHER}\n", "line 3: 'post_id' is not a post ID"),
        (f"{HEAD}\n2.12545E+18{ROW[19:]}\n", "line 2: .*2.12545E.*lost its last digits"),
        (f"{HEAD}\n{ROW.replace('2026-11-25', '11/25/2026')}\n", "line 2: 'day' has"),
        (f"{HEAD}\n{ROW.replace('2026-11-25', '2026')}\n", "line 2: 'day' has"),
        (f"{HEAD}\n{ROW.replace(',5,', ',30,')}\n", "line 2: the hour 30"),
        (f"{HEAD}\n{ROW.replace(',5,', ',-1,')}\n", "line 2: 'hour' has"),
        (f"{HEAD}\n{ROW}\n{ROW}\n", "twice"),
        (f"{HEAD},count\n{ROW},1\n", "a column twice"),
        (
            f"{HEAD}\n2125450880059700000{ROW[19:]}\n2125883449981010000{OTHER[19:]}\n",
            "2125450880059700000",
        ),
    ],
)
def test_a_changed_file_is_refused(text: str, words: str) -> None:
    """The error has the line, the value and the cure."""
    with pytest.raises(FrameError, match=words):
        rows_of(text)


@given(cut=st.integers(1, len(f"{HEAD}\n{ROW}\n{OTHER}\n") - 1))
def test_a_truncated_file_is_correct_or_refused(cut: int) -> None:
    """The remaining rows keep their counts."""
    try:
        rows = rows_of(f"{HEAD}\n{ROW}\n{OTHER}\n"[:cut])
    except FrameError:
        return
    assert rows == EXPECTED[: len(rows)]


COMPRESS = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda content: bytes(pa.compress(content, "zstd", asbytes=True)),
}


@pytest.mark.slow
@pytest.mark.parametrize("suffix", COMPRESS)
@settings(max_examples=15, deadline=None)
@given(i=st.integers(0, 10_000), damage=st.sampled_from(["cut", "turn"]))
def test_a_damaged_archive_is_correct_or_refused(
    suffix: str, tmp_path_factory: pytest.TempPathFactory, i: int, damage: str
) -> None:
    """A bit is flipped, or the end is cut off."""
    path = tmp_path_factory.getbasetemp() / f"damaged.csv{suffix}"
    content = bytearray(COMPRESS[suffix](f"{HEAD}\n{ROW}\n{OTHER}\n".encode()))
    at = i % len(content)
    if damage == "cut":
        content = content[:at]
    else:
        content[at] ^= 1 << i % 8
    path.write_bytes(content)
    try:
        counts = ep.read_csv(path)["count"].to_list()
    except FrameError:
        return
    assert counts == [551, 20]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [*COMPRESS, ".zip"])
def test_decompression_is_limited(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory stays below the limit."""
    monkeypatch.setattr(csv_rows, "LIMIT", 1000)
    path = tmp_path / f"bomb.csv{suffix}"
    content = f"{HEAD}\n".encode() + b"\n" * 40_000_000
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", content)
    else:
        path.write_bytes(COMPRESS[suffix](content))
    tracemalloc.start()
    with pytest.raises(FrameError, match="more than 1,000 bytes decompressed"):
        ep.read_csv(path)
    assert tracemalloc.get_traced_memory()[1] < 30_000_000
    tracemalloc.stop()


def test_the_extra_file_of_a_macos_zip_is_ignored(tmp_path: Path) -> None:
    """The archive has one CSV file."""
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("a.csv", f"{HEAD}\n{ROW}\n")
        archive.writestr("__MACOSX/._a.csv", b"\0\5\x16\7")
    assert ep.read_csv(tmp_path / "one.zip")["count"].to_list() == [551]


def test_a_zip_of_two_files_is_refused(tmp_path: Path) -> None:
    """The choice is not guessed."""
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        for name in ("a.csv", "b.csv"):
            archive.writestr(name, f"{HEAD}\n{ROW}\n")
    with pytest.raises(FrameError, match="has 2 files"):
        ep.read_csv(tmp_path / "two.zip")


HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '"=1"', "'=1", "''=1", " =1",
           "\uff1d1", "'", "plain", "a=b", "''plain"]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_texts_are_not_formulas_in_a_spreadsheet(name: str) -> None:
    """They begin with an apostrophe in the file, and read back equal."""
    counts = ep.flatten_json({"g": {"1": {name: "-3"}}}, group_by=["tweet.id", "engagement.type"])
    file = io.StringIO()
    ep.write_csv(counts, file)
    cell = pd.read_csv(io.StringIO(file.getvalue()), dtype=str)["engagement_type"].iloc[0]
    assert cell.lstrip("\"' \t\r\n")[:1] not in "=+-@\uff1d" or cell.startswith("'")
    assert ",-3" in file.getvalue().replace('"-3"', "-3")
    file.seek(0)
    read_back = ep.read_csv(file)
    assert read_back["engagement_type"].to_list() == [name]
    assert read_back["count"].to_list() == [-3]


@pytest.mark.slow
@given(st.text(min_size=1, max_size=12))
@settings(max_examples=60)
def test_any_text_reads_back_equal(text: str) -> None:
    """Messages of omissions may have any characters."""
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        return
    omissions = ep.omissions(
        ep.EngagementResponse(ep.totals(["1"], engagement_types=["favorites"]), {"by_post": {}})
    ).assign(message=pd.Series([text], dtype=TEXT))
    file = io.StringIO()
    ep.write_csv(omissions, file)
    file.seek(0)
    pd.testing.assert_frame_equal(ep.read_csv(file), omissions)


def test_different_edges_of_rows_are_no_edges_of_the_frame() -> None:
    """Two files were concatenated."""
    file = io.StringIO()
    counts = ep.flatten_json({"g": {"1": {"impressions": {"2026-03-01": {"05": "5"}}}}})
    counts.attrs = {"start": "2026-03-01T05:00:00Z", "end": "2026-03-01T06:00:00Z"}
    ep.write_csv(counts, file)
    text = file.getvalue()
    assert text.splitlines()[0].endswith("count,covered_from,covered_until")
    second_row = text.splitlines()[1].replace(",5,5,", ",6,5,").replace("05:00:00", "05:30:00")
    assert ep.read_csv(io.StringIO(text)).attrs["start"] == "2026-03-01T05:00:00+00:00"
    assert "start" not in ep.read_csv(io.StringIO(f"{text}{second_row}\n")).attrs
