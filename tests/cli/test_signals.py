"""Signals end a command as Ctrl-C does: stored responses, a command to resume, and an exit code."""

from __future__ import annotations

import gc
import itertools
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from support import processes
from support.scheduler.gate import Gate, Reply, counted

import engagement_pandas as ep
from engagement_pandas.cli import main
from engagement_pandas.request import window
from engagement_pandas.sandbox import SandboxServer
from engagement_pandas.sandbox.server import announcement

NOW: Final = "2026-04-15T12:20:00Z"
CODES: Final = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGTERM: 143}
POSTS: Final = [str(number) for number in range(1, 201)]
"""Eight requests, of which at most four are in flight concurrently."""


@pytest.fixture
def default() -> Iterator[None]:
    """Have signals end the process by default, as in a terminal."""
    before = {number: signal.getsignal(number) for number in CODES}
    for number in CODES:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def gate(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    default: None,  # noqa: ARG001
) -> Iterator[Gate]:
    """Run a server that responds immediately, with its keys, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    running = Gate()
    running.let_all()
    for name in ("CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET"):
        monkeypatch.setenv(f"X_{name}", "a-key")
    monkeypatch.setenv("X_BASE_URL", running.url)
    yield running
    running.close()


def interrupting(number: int, position: int) -> Callable[[list[str]], Reply]:
    """Return a function that responds, and signals this process before one of the responses.

    The responses have no quota headers, so that few requests are in flight.
    """
    turn = itertools.count(1)

    def answer(ids: list[str]) -> Reply:
        if next(turn) == position:
            os.kill(os.getpid(), number)
        return (*counted(ids)[:2], {})

    return answer


@pytest.mark.slow
@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("archive", [[], ["--archive", "my raw"]])
def test_the_printed_command_resumes(
    gate: Gate,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: int,
    archive: list[str],
) -> None:
    """Hours later, it requests only what is missing, for the same window."""
    now = [datetime(2026, 4, 15, 12, 20, tzinfo=UTC)]
    monkeypatch.setattr(window, "_now", lambda: now[0])
    gate.answer = interrupting(number, 2)
    command = ["historical", *POSTS, "--types", "favorites", "--by", "post", *archive]
    assert main([*command, "--out", "counts.csv"]) == CODES[signal.Signals(number)]
    messages = capsys.readouterr().err
    assert f"engagement-pandas: stopped by {signal.Signals(number).name}\n" in messages
    assert "the responses so far are kept in " in messages
    assert not Path("counts.csv").exists()
    program, *again = shlex.split(messages.splitlines()[-1])
    assert program == "engagement-pandas"
    assert again.count("--archive") == 1
    before, now[0] = len(gate.requested), datetime(2026, 4, 15, 18, 20, tzinfo=UTC)
    assert main(again) == 0
    assert before < len(gate.requested) == 8
    assert sorted(itertools.chain(*gate.requested)) == sorted(POSTS)
    assert len(ep.read_csv("counts.csv")) == 200


@pytest.mark.parametrize("number", CODES)
def test_a_signal_before_the_first_response_leaves_nothing(
    gate: Gate, capsys: pytest.CaptureFixture[str], number: int, tmp_path: Path
) -> None:
    """The exit code is that of the signal."""
    gate.answer = lambda _: (os.kill(os.getpid(), number), (400, {"errors": ["no"]}, {}))[1]
    assert main(["totals", "7", "--types", "favorites"]) == CODES[signal.Signals(number)]
    assert "stopped by " in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_ignored_signals_do_not_stop_a_job(gate: Gate, capsys: pytest.CaptureFixture[str]) -> None:
    """``nohup`` ignores SIGHUP, and a shell SIGINT for background jobs."""
    for number in CODES:
        signal.signal(number, signal.SIG_IGN)
    for number in CODES:
        gate.answer = interrupting(number, 1)
        assert main(["totals", "7", "--types", "favorites"]) == 0
        assert signal.getsignal(number) is signal.SIG_IGN
    assert capsys.readouterr().out.count("7,favorites,1") == 3


def test_handlers_of_the_calling_program_are_kept(gate: Gate) -> None:
    """main() uses only the signals without a handler, and restores them."""
    taken: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: taken.append(number))
    gate.answer = interrupting(signal.SIGTERM, 1)
    assert main(["totals", "7", "--types", "favorites"]) == 0
    assert taken == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_a_second_signal_ends_the_process_at_once(gate: Gate) -> None:
    """A request is in flight."""
    gate._all = False
    process = processes.start(processes.PROGRAM, "totals", "7", "--types", "favorites")
    gate.until_waiting(1)
    assert handles(process.pid, signal.SIGTERM)
    process.terminate()
    while handles(process.pid, signal.SIGTERM):
        time.sleep(0)
    process.terminate()
    assert process.wait() == -signal.SIGTERM


def handles(pid: int, number: int) -> bool:
    """Return whether a process has a handler of a signal."""
    (line,) = (
        line
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("SigCgt")
    )
    return bool(int(line.split()[1], 16) >> (number - 1) & 1)


# At any line

TRACED: Final = (
    "/cli/fetch",
    "/cli/archives",
    "/engagement_pandas/files",
    "/response/archives/collection.py",
    "/response/archives/archive.py",
)


def interrupted_at(line: int, command: list[str]) -> tuple[int, bool]:
    """Run a command with a signal before a line of our code; return whether it got there."""
    lines_left = line

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal lines_left
        if not any(folder in frame.f_code.co_filename for folder in TRACED):
            return None
        if event == "line":
            lines_left -= 1
            if lines_left == 0:
                signal.raise_signal(signal.SIGTERM)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return main(command), lines_left <= 0
    finally:
        sys.settrace(before)


def undated(text: str) -> str:
    """Return a table of totals without its last column, the retrieval time."""
    return "\n".join(line.rsplit(",", 1)[0] for line in text.splitlines())


@pytest.mark.slow
@pytest.mark.parametrize("step", [17, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.filterwarnings(
    # The garbage collector closes a file that was opened just before the signal. It does so here
    # at the end, since in another test the warning would be an error.
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore:unclosed file:ResourceWarning",
)
def test_a_signal_at_any_line_leaves_complete_files(
    gate: Gate, capsys: pytest.CaptureFixture[str], tmp_path: Path, step: int
) -> None:
    """Files are old or new, no temporary file stays, and a folder that stays is named."""
    first_command = [
        "totals",
        "7",
        "--types",
        "favorites",
        "--out",
        "counts.csv",
        "--omissions",
        "no.csv",
    ]
    assert main(first_command) == 0
    new = undated(Path("counts.csv").read_text())
    capsys.readouterr()
    for line in itertools.count(1, step):
        for name in ("counts.csv", "no.csv"):
            Path(name).write_text("old")
        code, interrupted = interrupted_at(line, first_command)
        messages = capsys.readouterr().err
        assert code == (143 if interrupted else 0), messages
        assert undated(Path("counts.csv").read_text()) in ({"old", new} if interrupted else {new})
        remaining = {path.name for path in tmp_path.iterdir()} - {"counts.csv", "no.csv"}
        assert all(f"--archive {name}" in messages for name in remaining), (
            line,
            remaining,
            messages,
        )
        assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]
        for name in remaining:
            command = next(
                text for text in messages.splitlines() if text.startswith("  engagement")
            )
            _, *again = shlex.split(command)
            assert main(again) == 0
            assert undated(Path("counts.csv").read_text()) == new
            for path in sorted(Path(name).rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            Path(name).rmdir()
            capsys.readouterr()
        if not interrupted:
            break
    assert line > 60
    assert gate.requested
    gc.collect()


# The sandbox


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_sandbox_runs_as_a_service(tmp_path: Path, number: int) -> None:
    """Its output is enough for a shell to send requests, and signals end it without an error."""
    printed = tmp_path / "sandbox.env"
    program = processes.PROGRAM
    with printed.open("w") as file:
        sandbox = processes.start(program, "sandbox", "--port", "0", "--now", NOW, stdout=file)
    while len(printed.read_text().splitlines()) < 10:
        assert sandbox.poll() is None
        time.sleep(0.01)
    if number == signal.SIGTERM:
        post = printed.read_text().splitlines()[1].split()[-1]
        command = f"'{program}' totals {post} --types favorites"
        script = f"set -a; . ./sandbox.env; {command} && {command} --app-only"
        environ = {name: value for name, value in os.environ.items() if name[:2] != "X_"}
        environ |= {name: os.environ[name] for name in ("X_ACCOUNTS", "X_LEDGER")}
        done = processes.run("sh", "-c", script, cwd=tmp_path, env=environ)
        assert (done.returncode, done.stderr) == (0, "")
        own, public = undated(done.stdout).splitlines()[1::2]
        assert own == public
        assert own.startswith(f"{post},favorites,")
    sandbox.send_signal(number)
    _, complaints = sandbox.communicate()
    assert (sandbox.returncode, complaints) == (0, "")


def test_the_sandbox_prints_its_urls() -> None:
    """They are assignments for a shell."""
    with SandboxServer(now=NOW) as server:
        lines = announcement(server).splitlines()
        assert f"X_BASE_URL={server.base_url}" in lines
        assert f"X_TOKEN_URL={server.token_url}" in lines
