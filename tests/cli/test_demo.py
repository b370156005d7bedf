"""``demo``: all three endpoints without credentials."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.commands import NOW

import engagement_pandas as ep
from engagement_pandas.cli import main


@pytest.mark.slow
def test_demo_writes_the_results_of_three_endpoints(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Raw responses, Parquet and a chart are in a folder that the message names."""
    assert main(["demo", "here", "--now", NOW]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("Demo written to here/\n")
    assert "synthetic" in printed.err
    assert "no counts for 1 post: deleted, suspended or protected\n" in printed.out
    for name, columns in {
        "totals": ["post_id", "engagement_type", "count"],
        "last_28_hours": ["post_id", "engagement_type", "day", "hour", "count"],
        "historical": ["post_id", "engagement_type", "day", "hour", "count"],
    }.items():
        assert list(ep.read_parquet(folder / "here" / f"{name}.parquet").columns) == columns
        assert len(ep.read_parquet(folder / "here" / f"{name}_omissions.parquet"))
        assert f"{name}.parquet" in printed.out
    raw = ep.Archive(folder / "here" / "raw")
    assert [collection.complete for collection in raw.collections] == [True] * 3
    assert (folder / "here" / "week.png").read_bytes().startswith(b"\x89PNG")


def test_demo_refuses_an_invalid_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    """The exit code is 2, that of wrong arguments."""
    assert main(["demo", "--now", "teatime"]) == 2
    assert "teatime" in capsys.readouterr().err
