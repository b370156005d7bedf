"""The command line with closed, full, unread and missing streams, and with other encodings.

Every command of the parser is tested, so that a new one is as well.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from support import processes
from support.forked_commands import Forks

import engagement_pandas as ep
from engagement_pandas.cli import main, parser
from engagement_pandas.cli.exit_codes import EXIT_CODES
from engagement_pandas.sandbox import SandboxServer

NOW: Final = "2026-04-15T12:20:00Z"
CODES: Final = {0} | {code for _, code, _ in EXIT_CODES}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    """Run a sandbox."""
    with SandboxServer(now=NOW) as server:
        yield server


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """Run commands with such streams in forked processes."""
    with Forks() as running:
        yield running


@pytest.fixture
def post(sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Work in an empty folder with the sandbox in the environment, and return a post."""
    monkeypatch.chdir(tmp_path)
    keys = sandbox.keys()
    for name in ("consumer_key", "consumer_secret", "access_token", "access_token_secret"):
        monkeypatch.setenv(f"X_{name.upper()}", getattr(keys, name))
    monkeypatch.setenv("X_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("X_TOKEN_URL", sandbox.token_url)
    monkeypatch.setenv("X_LOGIN_URL", sandbox.login_url)
    Path("answer.json").write_text('{"g": {"7": {"impressions": "5"}}}')
    Path("counts.csv").write_text("post_id,engagement_type,count\n7,impressions,5\n")
    Path("lookup.json").write_text('{"data": [{"id": "7", "public_metrics": {"like_count": 5}}]}')
    return sandbox.world.posts("sandbox_bakery")[-9].post_id


def commands(post: str) -> dict[str, list[str]]:
    """Return arguments for each command with which it has a result."""
    window = ["--start", "2026-04-14", "--end", "2026-04-15"]
    known = {
        "demo": ["here", "--now", NOW],
        "totals": [post, "--types", "favorites"],
        "last-28-hours": [post, "--types", "favorites"],
        "historical": [post, "--types", "favorites", *window],
        "sync": ["set", post, "--types", "favorites", "--since", "2026-11-01"],
        "runs": ["set"],
        "report": ["counts.csv"],
        "flatten": ["answer.json"],
        "import": ["lookup.json"],
        "verify": ["raw"],
        "sandbox": ["--port", "0", "--now", "no time"],
        "login": [],
        "accounts": [],
    }
    (subcommands,) = (
        action.choices for action in parser()._actions if isinstance(action.choices, dict)
    )
    return {subcommand: [subcommand, *known.get(subcommand, [])] for subcommand in subcommands}


SUBCOMMANDS: Final = list(commands("7"))
TABLES: Final = ["totals", "last-28-hours", "historical", "flatten", "import"]


def assert_documented_exit(done: Any) -> None:
    """Assert a documented exit code, and no traceback."""
    assert done.returncode in CODES - {1}, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "closed",
    ["1", *(pytest.param(closed, marks=pytest.mark.long) for closed in ("012", "0", "2", "12"))],
)
@pytest.mark.parametrize(
    "subcommand",
    [
        subcommand if subcommand in TABLES else pytest.param(subcommand, marks=pytest.mark.long)
        for subcommand in SUBCOMMANDS
    ],
)
def test_a_closed_stream_gives_a_message_and_an_exit_code(
    post: str, forks: Forks, subcommand: str, closed: str, tmp_path: Path
) -> None:
    """A lost result is never reported as success."""
    command = commands(post)[subcommand]
    if subcommand == "demo" and "1" not in closed:
        command = ["demo", "here", "--now", "no time"]  # its result is tested elsewhere
    done = forks.run(*command, closed=closed)
    assert_documented_exit(done)
    if "1" in closed and subcommand in [*TABLES, "demo"]:
        assert done.returncode == 7
        if closed == "1":
            assert re.fullmatch("engagement-pandas: standard output .* closed; .*\n", done.stderr)
    elif subcommand in TABLES:
        assert done.returncode == 0
        assert done.stdout.startswith("post_id,")
    if done.returncode and "2" not in closed:
        assert "engagement-pandas: " in done.stderr
    assert not list(tmp_path.glob("engagement-pandas-*"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "closed",
    [">&-", *(pytest.param(c, marks=pytest.mark.long) for c in ("<&-", "2>&-", "<&- >&- 2>&-"))],
)
def test_a_process_started_with_closed_streams(post: str, closed: str) -> None:
    """The same holds if the shell has closed the streams; no file becomes standard output."""
    totals = ["totals", post, "--types", "favorites"]
    for command in (totals, [*totals, "--out", "counts.csv"]):
        script = f'"$@" {closed}'
        done = processes.run("sh", "-c", script, "sh", processes.PROGRAM, *command)
        lost = ">&-" in closed.split() and command is totals
        assert done.returncode == (7 if lost else 0)
        assert "Traceback" not in done.stderr
    assert len(Path("counts.csv").read_text().splitlines()) == 2
    assert len(ep.read_csv("counts.csv")) == 1


@pytest.mark.slow
@pytest.mark.parametrize("command", [["--help"], ["totals", "--help"]])
@pytest.mark.parametrize(
    "stream",
    [
        {"closed": "1"},
        *(
            pytest.param({"out": stream}, marks=pytest.mark.long)
            for stream in ("/dev/full", os.devnull)
        ),
    ],
)
def test_help_that_cannot_be_written_is_an_error(
    forks: Forks, command: list[str], stream: dict[str, str]
) -> None:
    """The stream is closed or full, or ``os.devnull`` is opened for reading."""
    done = forks.run(*command, **stream)
    assert done.returncode == 7
    assert done.stderr.startswith("engagement-pandas: standard output cannot be written: ")


@pytest.mark.slow
@pytest.mark.parametrize("subcommand", [*TABLES, "demo", "sandbox"])
@pytest.mark.parametrize("stream", ["/dev/full", pytest.param(os.devnull, marks=pytest.mark.long)])
def test_a_result_that_cannot_be_written_is_an_error(
    post: str, forks: Forks, subcommand: str, stream: str
) -> None:
    """The exit code is 7, with one line, before anything is requested."""
    command = ["sandbox", "--port", "0"] if subcommand == "sandbox" else commands(post)[subcommand]
    done = forks.run(*command, out=stream)
    assert done.returncode == 7
    assert re.fullmatch("engagement-pandas: standard output cannot be .*\n", done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize("subcommand", ["totals", "flatten"])
def test_a_pipe_without_a_reader_is_an_error(
    post: str, subcommand: str, sandbox: SandboxServer, tmp_path: Path
) -> None:
    """The exit code is 7, and nothing was requested from the API."""
    reader, writer = os.pipe()
    os.close(reader)
    before = len(sandbox.requests)
    done = processes.run(processes.PROGRAM, *commands(post)[subcommand], stdout=writer)
    os.close(writer)
    assert done.returncode == 7
    assert "no program reads it" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(sandbox.requests) == before
    assert not list(tmp_path.glob("engagement-pandas-*"))


@pytest.mark.long
@pytest.mark.parametrize(
    "stream",
    [
        {"closed": "2"},
        *(
            pytest.param({"err": stream}, marks=pytest.mark.long)
            for stream in ("/dev/full", os.devnull)
        ),
    ],
)
def test_lost_messages_do_not_change_the_result(
    post: str, forks: Forks, stream: dict[str, str]
) -> None:
    """The exit code is that of the job, also of one that fails."""
    done = forks.run("totals", post, "7", "--types", "favorites", **stream)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 2
    for command, code in ((["flatten", "no"], 7), (["totals"], 2), (["verify", "no"], 7)):
        done = forks.run(*command, **stream)
        assert (done.returncode, done.stdout) == (code, "")


@pytest.mark.long
@pytest.mark.parametrize("closed", ["0", pytest.param("", marks=pytest.mark.long)])
def test_a_closed_standard_input_counts_as_empty(post: str, forks: Forks, closed: str) -> None:
    """Large plans are not confirmed, and there is no list of posts."""
    Path("many.txt").write_text("\n".join(map(str, range(1, 16 * 250))))
    totals = ["totals", "many.txt", "--types", "favorites", "--per-minute", "1"]
    for command, code, message in (
        (totals, 8, "pass --yes"),
        (["totals", "-"], 2, "engagement-pandas: "),
        (["flatten", "-"], 2, "standard input is empty"),
        (["login"], 3, "no PIN was entered"),
    ):
        done = forks.run(*command, closed=closed)
        assert (done.returncode, done.stdout) == (code, ""), command
        assert message in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
    assert post


@pytest.mark.slow
@pytest.mark.parametrize("command", [["totals", "-"], ["flatten", "-"], ["login"]])
def test_standard_input_that_is_not_text_is_an_error(
    post: str, forks: Forks, command: list[str]
) -> None:
    """The exit code is 2, and 6 for invalid JSON."""
    Path("binary").write_bytes(bytes(range(128, 256)) * 9)
    done = forks.run(*command, **{"in": "binary"})
    assert done.returncode == (6 if "flatten" in command else 2)
    assert "engagement-pandas: " in done.stderr
    assert "Traceback" not in done.stderr
    assert post


ASCII: Final = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.long
def test_a_locale_other_than_utf8_works(post: str) -> None:
    """Paths and messages that are not ASCII are written in UTF-8."""
    folder = Path("ünï-東")
    folder.mkdir()
    (folder / "no.json").write_text("{")
    environ = os.environ | ASCII
    done = processes.run(processes.PROGRAM, "verify", folder, env=environ)
    assert done.returncode == 7
    assert "has no responses" in done.stderr
    totals = ["totals", post, "--types", "favorites", "--archive", f"{folder}/raw"]
    assert processes.run(processes.PROGRAM, *totals, env=environ).returncode == 0
    for response in folder.glob("raw/*/[!q]*.json.gz"):
        response.write_bytes(b"damaged")
    done = processes.run(
        processes.PROGRAM, "verify", f"{folder}/raw", env=environ, encoding="utf-8"
    )
    assert done.returncode == 9
    assert done.stdout.startswith("ünï-東/raw/totals-")
    done = processes.run(processes.PROGRAM, "flatten", "tüe", env=environ)
    assert done.returncode == 7


@pytest.mark.slow
@pytest.mark.parametrize(
    "missing",
    ["all", *(pytest.param(m, marks=pytest.mark.long) for m in ("stdin", "stdout", "stderr"))],
)
@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_missing_streams_give_an_exit_code(
    post: str,
    subcommand: str,
    missing: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A program without a console has none, and nothing is written to other descriptors."""
    command = commands(post)[subcommand]
    if subcommand == "demo" and missing in {"stdin", "stderr"}:
        command = ["demo", "here", "--now", "no time"]
    for name in ["stdin", "stdout", "stderr"] if missing == "all" else [missing]:
        monkeypatch.setattr(sys, name, None)
    code = main(command)
    assert code in CODES
    if missing in {"stdout", "all"}:
        assert capfd.readouterr().out == ""
        if subcommand in [*TABLES, "demo"]:
            assert code == 7
        assert sys.stdout is None
