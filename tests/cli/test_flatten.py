"""``flatten``: answers of the API, from anywhere, as one table."""

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
def test_raw_answers_flatten_to_the_same_table(sandbox: SandboxServer, folder: Path) -> None:
    """What was kept as it came gives the same counts again."""
    ask = ["last-28-hours", *mine(sandbox), "--types", "impressions", "--by", "day"]
    assert main([*ask, "--out", "a.parquet", "--archive", "raw", *urls(sandbox)]) == 0
    (collection,) = (folder / "raw").iterdir()
    for stored in ("raw", str(collection)):
        assert main(["flatten", stored, "--out", "b.parquet"]) == 0
        pd.testing.assert_frame_equal(ep.read_parquet("a.parquet"), ep.read_parquet("b.parquet"))


@pytest.mark.filterwarnings("default")
@pytest.mark.usefixtures("keys", "folder")
def test_flatten_what_was_broken_off(
    server: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """An archive with a question and no answer: exit code 7, with the cure."""
    server.answer(Scripted(400, {"errors": ["no"]}))
    assert main(["totals", "7", "--archive", "raw", *urls(server)]) == 4
    assert "what was answered is in" not in capsys.readouterr().err
    assert main(["flatten", "raw"]) == 7
    told = capsys.readouterr().err
    assert "there are no responses yet in raw; collect the same request again" in told


@pytest.mark.slow
def test_flatten_what_does_not_belong_together(
    raw: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Totals and a window: two tables."""
    assert main(["flatten", str(raw)]) == 2
    assert "flatten each on its own" in capsys.readouterr().err
    for one in raw.iterdir():
        assert main(["flatten", str(one), "--out", f"{one.name}.csv"]) == 0


def test_flatten_many(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Several answers below each other, sorted as any frame is."""
    (folder / "b.json").write_text('{"g": {"2": {"replies": "1", "favorites": "2"}}}')
    (folder / "a.json").write_text('{"g": {"1": {"impressions": 7}}}')
    assert main(["flatten", "b.json", "a.json"]) == 0
    assert capsys.readouterr().out == (
        "post_id,engagement_type,count\n1,impressions,7\n2,favorites,2\n2,replies,1\n"
    )


def test_flatten_the_same_twice(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counted double? Refused."""
    (folder / "a.json").write_text('{"g": {"1": {"impressions": 7}}}')
    assert main(["flatten", "a.json", "a.json"]) == 7
    assert "twice" in capsys.readouterr().err


def test_flatten_different_shapes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Days below hours are no table."""
    (folder / "a.json").write_text('{"g": {"1": {"impressions": 7}}}')
    (folder / "b.json").write_text('{"g": {"impressions": 7}}')
    assert main(["flatten", "a.json", "b.json"]) == 7
    assert "columns" in capsys.readouterr().err


def test_flatten_says_which_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A refusal that was kept, and a body that leaves its dimensions open."""
    (folder / "no.json").write_text('{"errors": ["rate limit"]}')
    assert main(["flatten", "no.json"]) == 4
    assert "in no.json" in capsys.readouterr().err
    (folder / "open.json").write_text('{"g": {"impressions": {"12": "1"}}}')
    assert main(["flatten", "open.json"]) == 2
    assert "group_by" in capsys.readouterr().err
    assert main(["flatten", "open.json", "--by", "engagement.type,engagement.hour"]) == 0
    assert capsys.readouterr().out == "engagement_type,hour,count\nimpressions,12,1\n"
