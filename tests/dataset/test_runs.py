"""The runs of ``sync``, read from the log of the data set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from support.datasets.frames import some
from support.datasets.worlds import HOUR, World, world

import engagement_pandas as ep
from engagement_pandas.cli import main
from engagement_pandas.errors import FrameError, InvalidWindow

SINCE = datetime(2026, 3, 15, 6, tzinfo=UTC)


@pytest.fixture
def moving() -> Iterator[World]:
    """Run a sandbox whose time moves only when a test moves it."""
    with world() as running:
        yield running


@pytest.mark.slow
def test_each_run_that_stored_something_has_a_row(
    moving: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The row has its time and what it stored; the latest is first."""
    dataset, posts = ep.Dataset(tmp_path / "set"), moving.posts(3, SINCE)
    started, done = [], []
    for _ in range(3):
        started.append(pd.Timestamp(moving.clock.now))
        done.append(moving.sync(dataset, posts, since=SINCE))
        moving.sync(dataset, posts, since=SINCE)  # stores nothing, and has no row
        moving.clock.now += HOUR
    runs = dataset.runs()
    assert runs["started"].to_list() == started[::-1]
    assert runs["added"].to_list() == [run.added for run in done[::-1]]
    assert runs["revised"].to_list() == [run.revised for run in done[::-1]]
    assert runs["stored"].is_monotonic_decreasing
    assert dataset.runs(2).equals(runs.head(2))
    reopened = ep.Dataset(tmp_path / "set")
    reopened.compact()
    assert reopened.runs().equals(runs)
    assert main(["runs", str(tmp_path / "set"), "--last", "1"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.split("\t")[0] == f"{started[-1]:%Y-%m-%dT%H:%M:%SZ}"
    assert line.split("\t")[2:] == [f"{done[-1].added:,} new counts", "0 revisions"]
    assert main(["runs", str(tmp_path / "set"), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["added"] for row in rows] == [run.added for run in done[::-1]]
    assert rows[0]["started"] == f"{started[-1]:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.slow
def test_other_commits_are_not_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A user's append has no row, and a data set that does not exist has none."""
    dataset = ep.Dataset(tmp_path / "set")
    assert len(dataset.runs()) == 0
    march = ep.Window.covering("2026-03-01", "2026-03-02")
    with ep.demo_client("2026-04-15") as demo:
        request = ep.historical(
            demo.posts["post_id"][:2], engagement_types=["replies"], window=march
        )
        dataset.append(ep.flatten(demo.client.fetch(request)))
    assert len(dataset.runs()) == 0
    assert main(["runs", str(tmp_path / "set")]) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "records no run" in shown.err


def test_an_invalid_number_of_runs_is_refused(tmp_path: Path) -> None:
    """The number of runs is a positive integer."""
    with pytest.raises(FrameError, match="last is 0"):
        ep.Dataset(tmp_path / "set").runs(0)


def test_a_run_without_a_time_zone_is_refused(tmp_path: Path) -> None:
    """The error is raised before anything is written."""
    dataset = ep.Dataset(tmp_path / "set")
    with pytest.raises(InvalidWindow, match="run"):
        dataset.append(some("2026-04-01T00:05:00Z", days=1), run=datetime(2026, 4, 1))  # noqa: DTZ001
    assert dataset.latest is None


def test_a_folder_that_does_not_exist_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt name is not a data set without runs."""
    assert main(["runs", str(tmp_path / "st")]) == 7
    assert "st does not exist" in capsys.readouterr().err
