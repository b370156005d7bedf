"""A selection as a file: rows and path told, read back equal, and nothing lost on a refusal."""

from __future__ import annotations

import html
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.explorers import BestTimesExplorer, CompareExplorer, EngagementExplorer
from engagement_pandas.explorers.export_bar import ExportBar

pytestmark = pytest.mark.usefixtures("undrawn")
READERS = {".parquet": ep.read_parquet, ".csv": ep.read_csv}


def press(explorer: Any, path: Any, *, replace: bool = False) -> str:
    """Export to a path, and return what is said, without its escapes."""
    explorer.export.file.value = str(path)
    explorer.export.replace.value = replace
    explorer.export.button.click()
    return html.unescape(explorer.status.html or explorer.alert.html)


@pytest.fixture
def explorer(explore: Any, put: Any, counts: pd.DataFrame, ids: tuple[str, ...]) -> Any:
    """Make an explorer of two posts and two types; one of them has unknown counts."""
    return put(explore.later(counts), posts=ids[3:], lines="engagement_type",
               types=("impressions", "favorites"))  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("suffix", READERS)
@pytest.mark.parametrize("kind", [EngagementExplorer, BestTimesExplorer, CompareExplorer])
def test_read_back_equal(
    explore: Any, counts: pd.DataFrame, tmp_path: Path, kind: Any, suffix: str
) -> None:
    """Through Parquet with its attributes, through CSV with its dtypes."""
    explorer = explore(counts, kind=kind)
    path = tmp_path / f"rows{suffix}"
    press(explorer, path)
    back = READERS[suffix](path)
    pd.testing.assert_frame_equal(back, explorer.selection)
    if suffix == ".parquet":
        assert back.attrs == counts.attrs


def test_unknown_counts_stay_unknown(explorer: Any, tmp_path: Path) -> None:
    """<NA> is no 0 on the way."""
    press(explorer, tmp_path / "rows.csv")
    back = ep.read_csv(tmp_path / "rows.csv")
    assert back["count"].isna().sum() == 40


def test_rows_and_path_are_told(explorer: Any, tmp_path: Path) -> None:
    """Two posts of 40 hours and two types; the whole path, escaped."""
    path = tmp_path / "a <b> & c.csv"
    assert press(explorer, path) == f"Exported 160 rows to {path}"
    assert "<b>" not in explorer.status.html
    assert explorer.alert.html == ""
    assert path.exists()


def test_capital_suffixes(explorer: Any, tmp_path: Path) -> None:
    """As some systems write them."""
    assert press(explorer, tmp_path / "ROWS.CSV").startswith("Exported 160 rows")


def test_spaces_around_the_name(explorer: Any, tmp_path: Path) -> None:
    """Pasted with them, it is the same file."""
    press(explorer, f"  {tmp_path / 'rows.csv'} ")
    assert (tmp_path / "rows.csv").exists()


def test_relative_names(explorer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name that is there at first is one in the working folder; the whole path is told."""
    monkeypatch.chdir(tmp_path)
    assert press(explorer, explorer.export.file.value).endswith(f"{tmp_path}/selection.parquet")


def test_an_existing_file_is_left_alone(explorer: Any, tmp_path: Path) -> None:
    """Unless Replace is ticked; the message names both ways out."""
    path = tmp_path / "rows.csv"
    path.write_text("mine")
    said = press(explorer, path)
    assert said == f"the file {str(path)!r} exists already; choose another name, or tick Replace"
    assert path.read_text() == "mine"
    assert explorer.status.html == ""
    assert press(explorer, path, replace=True) == f"Exported 160 rows to {path}"
    assert path.read_text() != "mine"
    assert explorer.alert.html == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rows.txt", "ends in none of .parquet, .csv, .xlsx; rename it"),
        ("rows", "ends in none of .parquet, .csv, .xlsx; rename it"),
        ("", "ends in none of .parquet, .csv, .xlsx; rename it"),
        (".csv", "ends in none of .parquet, .csv, .xlsx; rename it"),
        ("rows.csv.gz", "ends in none of .parquet, .csv, .xlsx; rename it"),
        ("missing/rows.csv", "create it, or choose another"),
    ],
)
def test_refusals_write_nothing(
    explorer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    """With Replace ticked too."""
    monkeypatch.chdir(tmp_path)
    assert press(explorer, name, replace=True).endswith(words)
    assert explorer.status.html == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("replace", [True, False])
def test_a_folder_is_no_file(explorer: Any, tmp_path: Path, *, replace: bool) -> None:
    """It is left alone, and something is said."""
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    press(explorer, folder, replace=replace)
    assert explorer.alert.html != ""
    assert folder.is_dir()
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("name", ["a\0b.csv", "x" * 300 + ".csv", "~nobody-of-this-name/rows.csv"])
def test_names_that_no_system_takes(explorer: Any, name: str) -> None:
    """Said, not raised."""
    press(explorer, name)
    assert explorer.alert.html != ""


def test_a_refused_export_leaves_the_chart(explorer: Any) -> None:
    """It is as fresh as before, and so is the code."""
    code = explorer.code
    press(explorer, "rows.txt")
    assert (explorer.chart.stale, explorer.table.stale, explorer.code) == (False, False, code)


@pytest.mark.slow
def test_the_next_change_takes_the_message_away(explorer: Any, tmp_path: Path) -> None:
    """The status line speaks of the chart again."""
    press(explorer, "rows.txt")
    explorer.controls["every"].value = "D"
    assert explorer.alert.html == ""
    press(explorer, tmp_path / "rows.csv")
    explorer.controls["every"].value = "h"
    assert "Exported" not in explorer.status.html


def test_what_cannot_be_selected_is_not_exported(explorer: Any, put: Any, tmp_path: Path) -> None:
    """From after To: the same sentence, and no file."""
    put(explorer, last=date(2026, 2, 1))
    assert press(explorer, tmp_path / "rows.csv").endswith("swap them")
    assert list(tmp_path.iterdir()) == []
    assert explorer.chart.stale


def test_a_closed_explorer_exports_nothing(explorer: Any, tmp_path: Path) -> None:
    """The button may still be on a page."""
    explorer.close()
    press(explorer, tmp_path / "rows.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def sent(explorer: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes]]:
    """Return a list of the files that are sent to the browser, and their content."""
    files: list[tuple[str, bytes]] = []
    monkeypatch.setattr(
        type(explorer.export.downloads),
        "send",
        lambda _, content, buffers: files.append((content["name"], *buffers)),
    )
    return files


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx"])
def test_a_download_is_what_an_export_writes(
    explorer: Any, sent: list[tuple[str, bytes]], tmp_path: Path, suffix: str
) -> None:
    """The same rows by the same writer, under the name in the field; nothing on the disk."""
    explorer.export.file.value = str(tmp_path / "my rows.parquet")
    explorer.export.buttons[suffix].click()
    assert list(tmp_path.iterdir()) == []
    ((name, content),) = sent
    assert name == f"my rows{suffix}"
    assert explorer.status.html == f"Downloaded 160 rows as my rows{suffix}"
    path = tmp_path / name
    path.write_bytes(content)
    if suffix == ".xlsx":
        back = pd.read_excel(path, dtype={"post_id": "str"})  # a number would have lost digits
        assert back["post_id"].to_list() == explorer.selection["post_id"].to_list()
    else:
        pd.testing.assert_frame_equal(READERS[suffix](path), explorer.selection)


def test_a_download_without_openpyxl(
    explorer: Any, sent: list[tuple[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message has the command that installs it."""
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    explorer.export.buttons[".xlsx"].click()
    assert "pip install" in html.unescape(explorer.alert.html)
    assert sent == []


def test_pictures_are_what_was_drawn(explorer: Any, sent: list[tuple[str, bytes]]) -> None:
    """As PNG and as an SVG that is complete without a page, on white."""
    explorer.export.buttons[".png"].click()
    explorer.export.buttons[".svg"].click()
    (_, png), (_, svg) = sent
    assert png.startswith(b"\x89PNG")
    assert svg.startswith(b"<?xml")
    assert b"var(--" not in svg
    assert b"#ffffff" in svg


def test_a_frame_alone_has_no_pictures() -> None:
    """Without a chart there are three buttons."""
    bar = ExportBar(pd.DataFrame, print, print)
    assert list(bar.buttons) == [".xlsx", ".csv", ".parquet"]
