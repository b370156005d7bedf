"""``flatten`` makes one table of API responses."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from support.commands import mine, urls
from support.scripted import Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.cli import main
from engagement_pandas.sandbox import SandboxServer


@pytest.mark.slow
def test_stored_responses_flatten_to_the_same_table(sandbox: SandboxServer, folder: Path) -> None:
    """Stored responses give the same counts again."""
    command = ["last-28-hours", *mine(sandbox), "--types", "impressions", "--by", "day"]
    assert main([*command, "--out", "a.parquet", "--archive", "raw", *urls(sandbox)]) == 0
    (collection,) = (folder / "raw").iterdir()
    for stored in ("raw", str(collection)):
        assert main(["flatten", stored, "--out", "b.parquet"]) == 0
        pd.testing.assert_frame_equal(ep.read_parquet("a.parquet"), ep.read_parquet("b.parquet"))


@pytest.mark.filterwarnings("default")
@pytest.mark.usefixtures("keys", "folder")
def test_an_archive_without_responses_is_reported(
    server: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 7, and the message has the cure."""
    server.answer(Scripted(400, {"errors": ["no"]}))
    assert main(["totals", "7", "--archive", "raw", *urls(server)]) == 4
    assert "what was answered is in" not in capsys.readouterr().err
    assert main(["flatten", "raw"]) == 7
    message = capsys.readouterr().err
    assert "there are no responses yet in raw; collect the same request again" in message


@pytest.mark.slow
def test_totals_and_windows_are_not_one_table(
    raw: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each of the two collections can be flattened."""
    assert main(["flatten", str(raw)]) == 2
    assert "flatten each on its own" in capsys.readouterr().err
    for collection in raw.iterdir():
        assert main(["flatten", str(collection), "--out", f"{collection.name}.csv"]) == 0


def test_several_responses_make_one_sorted_table(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The order is that of any frame."""
    (folder / "b.json").write_text('{"g": {"2": {"replies": "1", "favorites": "2"}}}')
    (folder / "a.json").write_text('{"g": {"1": {"impressions": 7}}}')
    assert main(["flatten", "b.json", "a.json"]) == 0
    assert capsys.readouterr().out == (
        "post_id,engagement_type,count\n1,impressions,7\n2,favorites,2\n2,replies,1\n"
    )


def test_the_same_response_twice_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its counts would be doubled."""
    (folder / "a.json").write_text('{"g": {"1": {"impressions": 7}}}')
    assert main(["flatten", "a.json", "a.json"]) == 7
    assert "twice" in capsys.readouterr().err


def test_responses_with_other_columns_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message has the columns."""
    (folder / "a.json").write_text('{"g": {"1": {"impressions": 7}}}')
    (folder / "b.json").write_text('{"g": {"impressions": 7}}')
    assert main(["flatten", "a.json", "b.json"]) == 7
    assert "columns" in capsys.readouterr().err


def test_the_message_names_the_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One file is a stored refusal, the other leaves its dimensions open."""
    (folder / "no.json").write_text('{"errors": ["rate limit"]}')
    assert main(["flatten", "no.json"]) == 4
    assert "in no.json" in capsys.readouterr().err
    (folder / "open.json").write_text('{"g": {"impressions": {"12": "1"}}}')
    assert main(["flatten", "open.json"]) == 2
    assert "group_by" in capsys.readouterr().err
    assert main(["flatten", "open.json", "--by", "engagement.type,engagement.hour"]) == 0
    assert capsys.readouterr().out == "engagement_type,hour,count\nimpressions,12,1\n"
