"""``demo``: all three endpoints, without credentials."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.commands import NOW

import engagement_pandas as ep
from engagement_pandas.cli import main


@pytest.mark.slow
def test_demo(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Raw answers, Parquet and a chart of three endpoints, in a folder that it names."""
    assert main(["demo", "here", "--now", NOW]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("Demo written to here/\n")
    assert "synthetic" in told.err
    assert "no counts for 1 post: deleted, suspended or protected\n" in told.out
    for name, columns in {
        "totals": ["post_id", "engagement_type", "count"],
        "last_28_hours": ["post_id", "engagement_type", "day", "hour", "count"],
        "historical": ["post_id", "engagement_type", "day", "hour", "count"],
    }.items():
        assert list(ep.read_parquet(folder / "here" / f"{name}.parquet").columns) == columns
        assert len(ep.read_parquet(folder / "here" / f"{name}_omissions.parquet"))
        assert f"{name}.parquet" in told.out
    raw = ep.Archive(folder / "here" / "raw")
    assert [collection.complete for collection in raw.collections] == [True] * 3
    assert (folder / "here" / "week.png").read_bytes().startswith(b"\x89PNG")


def test_demo_at_no_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    """A time that is none is the asker's mistake."""
    assert main(["demo", "--now", "teatime"]) == 2
    assert "teatime" in capsys.readouterr().err
