"""Exports of a selection: files that read back equal, and refusals that change nothing."""

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

pytestmark = pytest.mark.usefixtures("fake_drawing")
READERS = {".parquet": ep.read_parquet, ".csv": ep.read_csv}


def export(explorer: Any, path: Any, *, replace: bool = False) -> str:
    """Export to a path, and return the message without escapes."""
    explorer.export.file.value = str(path)
    explorer.export.replace.value = replace
    explorer.export.button.click()
    return html.unescape(explorer.status.html or explorer.alert.html)


@pytest.fixture
def explorer(explore: Any, set_controls: Any, counts: pd.DataFrame, ids: tuple[str, ...]) -> Any:
    """Make an explorer of two posts and two types; one of them has unknown counts."""
    return set_controls(explore.without_drawing(counts), posts=ids[3:], lines="engagement_type",
               types=("impressions", "favorites"))  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("suffix", READERS)
@pytest.mark.parametrize("explorer_class", [EngagementExplorer, BestTimesExplorer, CompareExplorer])
def test_an_export_reads_back_equal(
    explore: Any, counts: pd.DataFrame, tmp_path: Path, explorer_class: Any, suffix: str
) -> None:
    """Parquet keeps the attributes, and CSV the dtypes."""
    explorer = explore(counts, explorer_class=explorer_class)
    path = tmp_path / f"rows{suffix}"
    export(explorer, path)
    read_back = READERS[suffix](path)
    pd.testing.assert_frame_equal(read_back, explorer.selection)
    if suffix == ".parquet":
        assert read_back.attrs == counts.attrs


def test_unknown_counts_stay_missing(explorer: Any, tmp_path: Path) -> None:
    """<NA> does not become 0."""
    export(explorer, tmp_path / "rows.csv")
    read_back = ep.read_csv(tmp_path / "rows.csv")
    assert read_back["count"].isna().sum() == 40


def test_the_message_has_rows_and_path(explorer: Any, tmp_path: Path) -> None:
    """Two posts of 40 hours and two types; the path is complete and escaped."""
    path = tmp_path / "a <b> & c.csv"
    assert export(explorer, path) == f"Exported 160 rows to {path}"
    assert "<b>" not in explorer.status.html
    assert explorer.alert.html == ""
    assert path.exists()


def test_suffixes_may_be_in_capitals(explorer: Any, tmp_path: Path) -> None:
    """Some systems write them."""
    assert export(explorer, tmp_path / "ROWS.CSV").startswith("Exported 160 rows")


def test_spaces_around_the_name_are_ignored(explorer: Any, tmp_path: Path) -> None:
    """A pasted name may have them."""
    export(explorer, f"  {tmp_path / 'rows.csv'} ")
    assert (tmp_path / "rows.csv").exists()


def test_the_default_name_is_in_the_working_folder(
    explorer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message has the complete path."""
    monkeypatch.chdir(tmp_path)
    assert export(explorer, explorer.export.file.value).endswith(f"{tmp_path}/selection.parquet")


def test_an_existing_file_is_not_overwritten(explorer: Any, tmp_path: Path) -> None:
    """Replace overwrites it; the message has both cures."""
    path = tmp_path / "rows.csv"
    path.write_text("mine")
    message = export(explorer, path)
    assert message == f"the file {str(path)!r} exists already; choose another name, or tick Replace"
    assert path.read_text() == "mine"
    assert explorer.status.html == ""
    assert export(explorer, path, replace=True) == f"Exported 160 rows to {path}"
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
def test_refused_names_write_nothing(
    explorer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    """Replace makes no difference."""
    monkeypatch.chdir(tmp_path)
    assert export(explorer, name, replace=True).endswith(words)
    assert explorer.status.html == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("replace", [True, False])
def test_a_folder_is_not_overwritten(explorer: Any, tmp_path: Path, *, replace: bool) -> None:
    """There is an alert."""
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    export(explorer, folder, replace=replace)
    assert explorer.alert.html != ""
    assert folder.is_dir()
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a\0b.csv", "x" * 300 + ".csv", "~nobody-of-this-name/rows.csv"])
def test_invalid_names_have_an_alert(explorer: Any, name: str) -> None:
    """No exception is raised."""
    export(explorer, name)
    assert explorer.alert.html != ""


def test_a_refused_export_keeps_the_chart(explorer: Any) -> None:
    """The chart and the code stay valid."""
    code = explorer.code
    export(explorer, "rows.txt")
    assert (explorer.chart.stale, explorer.table.stale, explorer.code) == (False, False, code)


@pytest.mark.slow
def test_the_next_change_removes_the_message(explorer: Any, tmp_path: Path) -> None:
    """The status is that of the chart again."""
    export(explorer, "rows.txt")
    explorer.controls["every"].value = "D"
    assert explorer.alert.html == ""
    export(explorer, tmp_path / "rows.csv")
    explorer.controls["every"].value = "h"
    assert "Exported" not in explorer.status.html


def test_an_invalid_selection_is_not_exported(
    explorer: Any, set_controls: Any, tmp_path: Path
) -> None:
    """From is after To: the message is the same, and there is no file."""
    set_controls(explorer, last=date(2026, 2, 1))
    assert export(explorer, tmp_path / "rows.csv").endswith("swap them")
    assert list(tmp_path.iterdir()) == []
    assert explorer.chart.stale


def test_a_closed_explorer_exports_nothing(explorer: Any, tmp_path: Path) -> None:
    """The button may still be on a page."""
    explorer.close()
    export(explorer, tmp_path / "rows.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def sent(explorer: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes]]:
    """Return a list of the files sent to the browser, with their content."""
    files: list[tuple[str, bytes]] = []
    monkeypatch.setattr(
        type(explorer.export.downloads),
        "send",
        lambda _, content, buffers: files.append((content["name"], *buffers)),
    )
    return files


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx"])
def test_a_download_has_the_content_of_an_export(
    explorer: Any, sent: list[tuple[str, bytes]], tmp_path: Path, suffix: str
) -> None:
    """It has the name in the field, and no file is written."""
    explorer.export.file.value = str(tmp_path / "my rows.parquet")
    explorer.export.buttons[suffix].click()
    assert list(tmp_path.iterdir()) == []
    ((name, content),) = sent
    assert name == f"my rows{suffix}"
    assert explorer.status.html == f"Downloaded 160 rows as my rows{suffix}"
    path = tmp_path / name
    path.write_bytes(content)
    if suffix == ".xlsx":
        read_back = pd.read_excel(path, dtype={"post_id": "str"})  # a number would lose digits
        assert read_back["post_id"].to_list() == explorer.selection["post_id"].to_list()
    else:
        pd.testing.assert_frame_equal(READERS[suffix](path), explorer.selection)


def test_a_download_without_openpyxl_names_the_package(
    explorer: Any, sent: list[tuple[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message has the command that installs it."""
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    explorer.export.buttons[".xlsx"].click()
    assert "pip install" in html.unescape(explorer.alert.html)
    assert sent == []


def test_pictures_are_png_and_complete_svg(explorer: Any, sent: list[tuple[str, bytes]]) -> None:
    """The SVG works without a page, on white."""
    explorer.export.buttons[".png"].click()
    explorer.export.buttons[".svg"].click()
    (_, png), (_, svg) = sent
    assert png.startswith(b"\x89PNG")
    assert svg.startswith(b"<?xml")
    assert b"var(--" not in svg
    assert b"#ffffff" in svg


def test_a_frame_without_a_chart_has_three_downloads() -> None:
    """There are no pictures."""
    bar = ExportBar(pd.DataFrame, print, print)
    assert list(bar.buttons) == [".xlsx", ".csv", ".parquet"]
