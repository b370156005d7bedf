"""CSV that a spreadsheet, another program or a full disk has changed: right, or an error."""

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

HEAD = "post_id,engagement_type,day,hour,count"
ROW = "2125450880059707756,impressions,2026-11-25,5,551"
OTHER = "2125883449981014166,favorites,2026-11-25,6,20"


def read(text: str) -> list[list[Any]]:
    """Return post, type and count of each row."""
    frame = ep.read_csv(io.StringIO(text))
    return [
        list(row)
        for row in zip(frame["post_id"], frame["engagement_type"], frame["count"], strict=True)
    ]


RIGHT = [["2125450880059707756", "impressions", 551], ["2125883449981014166", "favorites", 20]]


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
def test_read_right(text: str) -> None:
    """Commas at row ends, blank rows, other delimiters, a mark: the same counts."""
    assert read(text) == RIGHT


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(codec: str, tmp_path: Path) -> None:
    """With a mark and without."""
    (tmp_path / "a.csv").write_bytes(f"{HEAD}\n{ROW}\n".encode(codec))
    assert ep.read_csv(tmp_path / "a.csv")["count"].to_list() == [551]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HEAD}\n{ROW}\n{OTHER[:-1]}", r"line 3.*has no line end: '.*,2'; if it is truncated"),
        (f"{HEAD}\n{ROW}", "line 2.*has no line end"),
        (f"{HEAD}\n{ROW}\n{OTHER[:-3]}\n", "line 3 has 4 fields, but there are 5"),
        (f'{HEAD}\n{ROW[:-3]}"551\n{OTHER}\n', "line 2: .*check the quotes"),
        (f'{HEAD}\n{ROW[:-3]}"55"1\n{OTHER}\n', "line 2: .*check the quotes"),
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
def test_never_a_wrong_number(text: str, words: str) -> None:
    """With the line, the value and the cure."""
    with pytest.raises(FrameError, match=words):
        read(text)


@given(cut=st.integers(1, len(f"{HEAD}\n{ROW}\n{OTHER}\n") - 1))
def test_cut_anywhere(cut: int) -> None:
    """What is left of a file has the counts it had, or is refused."""
    try:
        found = read(f"{HEAD}\n{ROW}\n{OTHER}\n"[:cut])
    except FrameError:
        return
    assert found == RIGHT[: len(found)]


PACKED = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda content: bytes(pa.compress(content, "zstd", asbytes=True)),
}


@pytest.mark.parametrize("suffix", PACKED)
@settings(max_examples=15, deadline=None)
@given(place=st.integers(0, 10_000), damage=st.sampled_from(["cut", "turn"]))
def test_damaged_archives(
    suffix: str, tmp_path_factory: pytest.TempPathFactory, place: int, damage: str
) -> None:
    """A bit turned or an end cut off is a FrameError, or the counts are right."""
    path = tmp_path_factory.getbasetemp() / f"damaged.csv{suffix}"
    content = bytearray(PACKED[suffix](f"{HEAD}\n{ROW}\n{OTHER}\n".encode()))
    at = place % len(content)
    if damage == "cut":
        content = content[:at]
    else:
        content[at] ^= 1 << place % 8
    path.write_bytes(content)
    try:
        found = ep.read_csv(path)["count"].to_list()
    except FrameError:
        return
    assert found == [551, 20]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [*PACKED, ".zip"])
def test_bombs(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than the bound is unpacked."""
    monkeypatch.setattr(csv_rows, "LIMIT", 1000)
    path = tmp_path / f"bomb.csv{suffix}"
    content = f"{HEAD}\n".encode() + b"\n" * 40_000_000
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", content)
    else:
        path.write_bytes(PACKED[suffix](content))
    tracemalloc.start()
    with pytest.raises(FrameError, match="more than 1,000 bytes decompressed"):
        ep.read_csv(path)
    assert tracemalloc.get_traced_memory()[1] < 30_000_000
    tracemalloc.stop()


def test_a_zip_of_macos(tmp_path: Path) -> None:
    """What it puts beside the file is none."""
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("a.csv", f"{HEAD}\n{ROW}\n")
        archive.writestr("__MACOSX/._a.csv", b"\0\5\x16\7")
    assert ep.read_csv(tmp_path / "one.zip")["count"].to_list() == [551]


def test_a_zip_of_two(tmp_path: Path) -> None:
    """Which of them is not guessed."""
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        for name in ("a.csv", "b.csv"):
            archive.writestr(name, f"{HEAD}\n{ROW}\n")
    with pytest.raises(FrameError, match="has 2 files"):
        ep.read_csv(tmp_path / "two.zip")


HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '"=1"', "'=1", "''=1", " =1",
           "\uff1d1", "'", "plain", "a=b", "''plain"]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_no_spreadsheet_runs_a_text(name: str) -> None:
    """Names and messages begin with an apostrophe in the file, and come back as they were."""
    counts = ep.flatten_json({"g": {"1": {name: "-3"}}}, group_by=["tweet.id", "engagement.type"])
    file = io.StringIO()
    ep.write_csv(counts, file)
    cell = pd.read_csv(io.StringIO(file.getvalue()), dtype=str)["engagement_type"].iloc[0]
    assert cell.lstrip("\"' \t\r\n")[:1] not in "=+-@\uff1d" or cell.startswith("'")
    assert ",-3" in file.getvalue().replace('"-3"', "-3")
    file.seek(0)
    found = ep.read_csv(file)
    assert found["engagement_type"].to_list() == [name]
    assert found["count"].to_list() == [-3]


@pytest.mark.slow
@given(st.text(min_size=1, max_size=12))
@settings(max_examples=60)
def test_texts_come_back(text: str) -> None:
    """Whatever an omission's message is."""
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        return
    omissions = ep.omissions(
        ep.EngagementResponse(ep.totals(["1"], engagement_types=["favorites"]), {"by_post": {}})
    ).assign(message=pd.Series([text], dtype="str"))
    file = io.StringIO()
    ep.write_csv(omissions, file)
    file.seek(0)
    pd.testing.assert_frame_equal(ep.read_csv(file), omissions)


def test_edges_of_two_files_in_one() -> None:
    """Where the rows' edges differ, none are the frame's."""
    file = io.StringIO()
    counts = ep.flatten_json({"g": {"1": {"impressions": {"2026-03-01": {"05": "5"}}}}})
    counts.attrs = {"start": "2026-03-01T05:00:00Z", "end": "2026-03-01T06:00:00Z"}
    ep.write_csv(counts, file)
    text = file.getvalue()
    assert text.splitlines()[0].endswith("count,covered_from,covered_until")
    more = text.splitlines()[1].replace(",5,5,", ",6,5,").replace("05:00:00", "05:30:00")
    assert ep.read_csv(io.StringIO(text)).attrs["start"] == "2026-03-01T05:00:00+00:00"
    assert "start" not in ep.read_csv(io.StringIO(f"{text}{more}\n")).attrs
