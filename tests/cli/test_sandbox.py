"""``sandbox`` runs the sandbox as a process."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from support import processes
from support.commands import NOW

import engagement_pandas as ep
from engagement_pandas.cli import main


@pytest.mark.slow
def test_the_sandbox_runs_as_a_process(folder: Path) -> None:
    """It prints its URL and keys, a client connects, and Ctrl-C ends it without an error."""
    process = processes.start(
        processes.PROGRAM, "sandbox", "--port", "0", "--now", NOW, cwd=folder, stderr=None
    )
    assert process.stdout is not None
    url = process.stdout.readline().split(" at ")[1].split(";")[0]
    post = process.stdout.readline().split()[-1]
    lines = [process.stdout.readline().strip() for _ in range(5)]
    environ = dict(line.split("=", 1) for line in lines)
    with ep.EngagementClient(ep.UserContext.from_env(environ), base_url=url) as client:
        (response,) = client.fetch(ep.totals([post], engagement_types=["favorites"]))
    assert response.status == 200
    process.send_signal(signal.SIGINT)
    assert process.wait() == 0


@pytest.mark.parametrize(
    "options",
    [["--fault", "earthquake"], ["--fault-rate", "2"], ["--now", "x"], ["--now", "0001-01-01"]],
)
def test_invalid_options_of_the_sandbox_are_refused(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 2, and the message has the value."""
    assert main(["sandbox", "--port", "0", *options]) == 2
    assert options[1] in capsys.readouterr().err
