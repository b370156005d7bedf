"""``verify`` checks whether the stored responses are complete."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.commands import mine, urls

from engagement_pandas.cli import main
from engagement_pandas.sandbox import SandboxServer


def answer_of(collection: Path) -> Path:
    """Return the only response of a collection."""
    (response,) = (path for path in collection.glob("*.json.gz") if "question" not in path.name)
    return response


@pytest.mark.slow
def test_verify_accepts_a_complete_archive(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 0, and standard output is empty."""
    assert main(["verify", str(raw)]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.endswith(f"2 collections without damage in {raw}\n")


@pytest.mark.slow
def test_verify_reports_damage(
    raw: Path, sandbox: SandboxServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 9; file, reason and request are printed, and the request repairs it."""
    capsys.readouterr()
    (historical,) = raw.glob("historical-*")
    answer_of(historical).write_bytes(b"not what it was")
    for folder in (raw, historical):
        assert main(["verify", str(folder)]) == 9
        printed = capsys.readouterr()
        path, reason, request = printed.out.rstrip("\n").split("\t")
        assert path == str(answer_of(historical))
        assert "BadGzipFile" in reason
        assert request.startswith("EngagementRequest(historical of 1 post")
        assert f"1 file damaged or missing in {folder}" in printed.err
    assert main(["flatten", str(historical)]) == 7
    options = ["--archive", str(raw), "--out", "counts.csv", *urls(sandbox)]
    window = ["--start", "2026-04-14", "--end", "2026-04-15"]
    assert main(["historical", mine(sandbox, 9)[0], "--types", "favorites", *window, *options]) == 0
    assert main(["verify", str(raw)]) == 0


@pytest.mark.slow
def test_verify_prints_json(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object has the number of collections and each damaged file."""
    capsys.readouterr()
    assert main(["verify", str(raw), "--json", "--quiet"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"collections": 2, "damaged": []}
    assert shown.err == ""
    (historical,) = raw.glob("historical-*")
    answer_of(historical).write_bytes(b"not what it was")
    assert main(["verify", str(raw), "--json"]) == 9
    (row,) = json.loads(capsys.readouterr().out)["damaged"]
    assert row["path"] == str(answer_of(historical))
    assert row["request"].startswith("EngagementRequest(historical of 1 post")


@pytest.mark.slow
def test_verify_reports_a_lost_manifest(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The request to repeat is unknown."""
    (snapshot,) = raw.glob("totals-*")
    (snapshot / "question.json.gz").unlink()
    capsys.readouterr()
    assert main(["verify", str(raw)]) == 9
    assert capsys.readouterr().out.rstrip("\n").endswith("\tthe list of requests")


def test_verify_reports_unfinished_collections(
    raw: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are not damaged: the exit code is 0, and the missing requests are counted."""
    (snapshot,) = raw.glob("totals-*")
    (snapshot / "complete").unlink()
    answer_of(snapshot).unlink()
    assert main(["verify", str(raw)]) == 0
    assert f"{snapshot}: 1 request to go" in capsys.readouterr().err


@pytest.mark.parametrize("subcommand", ["verify", "flatten"])
@pytest.mark.usefixtures("folder")
def test_a_folder_without_responses_is_an_error(
    subcommand: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 7, and the message has the cure."""
    Path("empty").mkdir()
    assert main([subcommand, "empty"]) == 7
    assert "empty has no responses; name a folder that was filled with --archive" in (
        capsys.readouterr().err
    )
    assert main([subcommand, "nowhere"]) == 7
