"""The command line as scheduled jobs use it: streams, files, exit codes."""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support import processes
from support.commands import mine, urls
from support.scripted import Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.cli import main, parser
from engagement_pandas.cli.fetch import _again
from engagement_pandas.request import window
from engagement_pandas.sandbox import SandboxServer
from engagement_pandas.transport import retries


@pytest.fixture
def without_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the pauses between attempts to zero."""
    monkeypatch.setattr(retries, "MAX_BACKOFF", 0.0)


def likes(posts: list[str]) -> dict[str, Any]:
    """Return a body with one like for each post."""
    return {"by_post": {post: {"favorites": "1"} for post in posts}}


def test_totals_are_printed_as_csv(
    sandbox: SandboxServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Standard output holds nothing else, and no file is left."""
    ids = mine(sandbox)
    assert main(["totals", *ids, "--types", "favorites, replies", *urls(sandbox)]) == 0
    counts = ep.read_csv(io.StringIO(capsys.readouterr().out))
    assert set(counts["post_id"]) == set(ids)
    assert list(counts["engagement_type"].cat.categories) == ["favorites", "replies"]
    assert list(folder.iterdir()) == []


def test_totals_of_public_posts(sandbox: SandboxServer, capsys: pytest.CaptureFixture[str]) -> None:
    """With --app-only, a bearer token gets every public type of another account's post."""
    other = sandbox.world.posts("sandbox_railway")[-1].post_id
    assert main(["totals", other, "--app-only", *urls(sandbox)]) == 0
    counts = ep.read_csv(io.StringIO(capsys.readouterr().out))
    assert set(counts["engagement_type"]) == set(map(str, ep.PUBLIC_TYPES))


@pytest.mark.slow
def test_historical_writes_files(
    sandbox: SandboxServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Standard output is empty, and standard error lists the files."""
    other = sandbox.world.posts("sandbox_railway")[-9].post_id
    posts = folder / "posts.csv"
    ids = [*mine(sandbox, 6)[:3], other]
    posts.write_text("text,post_id\n" + "".join(f"hello,{i}\n" for i in ids))
    window = ["--start", "2026-04-14", "--end", "2026-04-15T06:00:00Z"]
    out = ["--out", "counts.parquet", "--omissions", "silent.csv", "--archive", "raw"]
    assert (
        main(["historical", "posts.csv", "--types", "impressions", *window, *out, *urls(sandbox)])
        == 0
    )
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "90 rows in counts.parquet" in printed.err
    assert "no counts for 1 post: not owned by the requesting account" in printed.err
    assert len(ep.read_parquet("counts.parquet")) == 3 * 30
    assert ep.read_csv("silent.csv")["post_id"].tolist() == [other]
    assert sorted(response.status for response in ep.Archive("raw")) == [200, 403]
    assert [path.name.partition("-")[0] for path in folder.iterdir() if path.is_dir()] == ["raw"]


def test_historical_is_for_the_last_28_days_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window ends with the last complete hour."""
    monkeypatch.setattr(window, "_now", lambda: datetime(2026, 4, 15, 12, 20, tzinfo=UTC))
    arguments = parser().parse_args(["historical", "7"])
    requested = arguments.question(arguments).window
    assert requested == ep.Window.covering("2026-03-18T12:00:00Z", "2026-04-15T12:00:00Z")


@pytest.mark.parametrize(
    ("end", "window"),
    [
        ("2026-03-29", ("2026-03-01", "2026-03-29")),
        ("2026-03-29T09:30:00Z", ("2026-03-01T10:00:00Z", "2026-03-29T10:00:00Z")),
    ],
)
def test_an_end_without_start_is_for_28_days(end: str, window: tuple[str, str]) -> None:
    """They take one request."""
    arguments = parser().parse_args(["historical", "7", "--end", end])
    assert arguments.question(arguments).window == ep.Window.covering(*window)


def test_a_window_may_end_with_the_last_complete_hour() -> None:
    """Hourly jobs request such a window."""
    end = ep.Window.last().end
    start = end - timedelta(days=3)
    options = ["--start", start.isoformat(), "--end", end.isoformat()]
    arguments = parser().parse_args(["historical", "7", *options])
    assert arguments.question(arguments).window == ep.Window(start, end)


@pytest.mark.usefixtures("keys")
def test_an_end_in_the_future_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 2."""
    assert main(["historical", "7", "--end", "9998-01-01"]) == 2
    assert "in the future" in capsys.readouterr().err


def test_by_takes_names_of_dimensions(
    sandbox: SandboxServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The names are those of the API."""
    by = ["--by", "engagement.type"]
    assert main(["totals", *mine(sandbox), "--types", "favorites", *by, *urls(sandbox)]) == 0
    assert capsys.readouterr().out.startswith(
        "engagement_type,count,endpoint,first_retrieved_at\nfavorites,"
    )


@pytest.mark.slow
def test_the_commands_of_the_readme_work_together(
    sandbox: SandboxServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Raw responses of several requests and a refusal flatten to the same table."""
    other = sandbox.world.posts("sandbox_railway")[-30].post_id
    (folder / "posts.txt").write_text("\n".join([*mine(sandbox, 20)[:3], other, "7"]))
    window = ["--start", "2026-03-01", "--end", "2026-04-12", "--by", "post"]
    types = ["--types", "impressions,url_clicks"]
    command = ["historical", "posts.txt", *types, *window, "--out", "a.parquet", "--archive", "raw"]
    assert main([*command, *urls(sandbox)]) == 0
    printed = capsys.readouterr().err
    assert main(["flatten", "raw/", "--out", "b.parquet"]) == 0
    pd.testing.assert_frame_equal(ep.read_parquet("a.parquet"), ep.read_parquet("b.parquet"))
    for messages in (printed, capsys.readouterr().err):
        assert "no counts for 1 post: not owned" in messages
        assert "no counts for 4 posts: not yet posted" in messages
        assert "no counts for 1 post: deleted" in messages
    assert main(["verify", "raw/"]) == 0


@pytest.mark.slow
def test_snapshots_of_one_second_are_stored_apart(sandbox: SandboxServer, folder: Path) -> None:
    """Three snapshots of a post are three rows of one table."""
    (post,) = mine(sandbox, 1)
    for _ in range(3):
        command = ["totals", post, "--types", "favorites", "--archive", "raw"]
        assert main([*command, "--out", "counts.csv", *urls(sandbox)]) == 0
        assert len(ep.read_csv(folder / "counts.csv")) == 1
    assert len(ep.Archive("raw").collections) == 3
    assert main(["flatten", "raw", "--retrieved-at", "--out", "growth.csv"]) == 0
    assert len(ep.read_csv(folder / "growth.csv")) == 3


@pytest.mark.parametrize(
    "options",
    [
        ["--out", "nowhere/counts.csv"],
        ["--omissions", "nowhere/silent.csv"],
        ["--out", "folder.csv"],
        ["--archive", "file"],
    ],
)
@pytest.mark.usefixtures("keys")
def test_a_path_that_cannot_be_written_is_refused(
    server: ScriptedServer, folder: Path, options: list[str]
) -> None:
    """The error is reported before anything is requested."""
    (folder / "folder.csv").mkdir()
    (folder / "file").touch()
    assert main(["totals", "7", *options, *urls(server)]) == 7
    assert server.seen == []


@pytest.mark.slow
@pytest.mark.usefixtures("keys")
@pytest.mark.usefixtures("without_backoff")
def test_an_invalid_response_is_kept(server: ScriptedServer, folder: Path) -> None:
    """After the last attempt, it is stored with the reason."""
    server.answer(*[Scripted(200, {"by_post": [1]})] * retries.MAX_ATTEMPTS)
    assert main(["totals", "7", "--archive", "raw", *urls(server)]) == 5
    (damage,) = ep.Archive(folder / "raw").verify()
    assert damage.why.startswith("set aside as invalid_answer: no answer from ")


@pytest.mark.parametrize("text", ["", "\n\n", "post_id,text\n"])
@pytest.mark.parametrize("subcommand", ["totals", "last-28-hours", "historical"])
def test_an_empty_standard_input_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], subcommand: str, text: str
) -> None:
    """The exit code is 2, and the message has the accepted input."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    assert main([subcommand, "-"]) == 2
    message = capsys.readouterr().err
    assert (
        "no post IDs in ['standard input']; pass IDs or links, a file with one per line" in message
    )
    assert "post_id column" in message


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["totals", "7", "--types", "url_clicks"], 2),
        (["historical", "7", "--start", "2026-03-02", "--end", "2026-03-01"], 2),
        (["totals", "7", "--by", "hour"], 2),
        (["totals", "7", "--base-url", "http://example.com"], 2),
        (["totals", "7", "--base-url", ""], 2),
        (["totals", "7", "--base-url", "https://[::1"], 2),
        (["totals", "nowhere.csv"], 7),
        (["flatten", "nowhere.json"], 7),
    ],
)
@pytest.mark.usefixtures("keys")
def test_invalid_requests_and_missing_files_are_reported(
    command: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is on standard output."""
    assert main(command) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("engagement-pandas: ")


@pytest.mark.usefixtures("folder")
def test_missing_credentials_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 3, and the message names the variables."""
    assert main(["totals", "7"]) == 3
    assert "X_ACCESS_TOKEN_SECRET" in capsys.readouterr().err


def test_wrong_credentials_are_reported(
    sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 3, and the message is that of the API."""
    monkeypatch.setenv("X_ACCESS_TOKEN", "9-unknown")
    assert main(["totals", "7", *urls(sandbox)]) == 3
    assert "Access token not found" in capsys.readouterr().err


SCRIPTS: dict[int, Callable[[], list[Scripted]]] = {
    4: lambda: [Scripted(400, {"errors": ["no"]})],
    5: lambda: [Scripted(503, b"")] * retries.MAX_ATTEMPTS,
}


@pytest.mark.slow
@pytest.mark.parametrize("code", SCRIPTS)
@pytest.mark.usefixtures("keys", "without_backoff")
def test_the_exit_code_states_the_kind_of_failure(server: ScriptedServer, code: int) -> None:
    """4 is a refusal, 5 a service without a response."""
    server.answer(*SCRIPTS[code]())
    assert main(["totals", "7", *urls(server)]) == code


@pytest.mark.usefixtures("keys")
def test_a_failed_command_keeps_the_existing_file(server: ScriptedServer, folder: Path) -> None:
    """The table of the last run is unchanged."""
    (folder / "counts.csv").write_text("last run\n")
    server.answer(Scripted(400, {"errors": ["no"]}))
    assert main(["totals", "7", "--out", "counts.csv", *urls(server)]) == 4
    assert (folder / "counts.csv").read_text() == "last run\n"


@pytest.mark.slow
@pytest.mark.usefixtures("keys")
def test_responses_before_a_failure_are_kept(
    server: ScriptedServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are stored even without --archive, since they cost quota."""
    posts = [str(n) for n in range(1, 252)]
    server.answer(Scripted(200, likes(posts[:250])), Scripted(400, {"errors": ["no"]}))
    assert main(["totals", *posts, "--types", "favorites", *urls(server)]) == 4
    (kept,) = folder.glob("engagement-pandas-totals-*")
    hint = "resume with:\n"
    assert f"the responses so far are kept in {kept.name}; {hint}" in capsys.readouterr().err

    server.answer(Scripted(200, likes(posts[250:])))
    options = ["--types", "favorites", "--archive", kept.name, "--out", "counts.csv"]
    assert main(["totals", *posts, *options, *urls(server)]) == 0
    assert [len(seen.body["tweet_ids"]) for seen in server.seen] == [250, 1, 1]
    assert len(ep.read_csv(folder / "counts.csv")) == 251


@pytest.mark.usefixtures("keys")
def test_a_refused_command_leaves_no_folder(server: ScriptedServer, folder: Path) -> None:
    """There is no response to keep."""
    server.answer(Scripted(400, {"errors": ["no"]}))
    assert main(["totals", "7", *urls(server)]) == 4
    assert list(folder.iterdir()) == []


@pytest.fixture
def temporary(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder that cannot be written, and return the folder of temporary files."""
    (folder / "gone").mkdir()
    (folder / "temporary").mkdir()
    monkeypatch.chdir(folder / "gone")
    (folder / "gone").rmdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "temporary"))
    return folder / "temporary"


@pytest.mark.usefixtures("keys")
def test_a_working_folder_may_be_unwritable(
    server: ScriptedServer, folder: Path, temporary: Path
) -> None:
    """Responses are stored in a temporary folder until the table is written."""
    server.answer(Scripted(200, likes(["7"])))
    command = ["totals", "7", "--types", "favorites", "--out", str(folder / "counts.csv")]
    assert main([*command, *urls(server)]) == 0
    assert len(ep.read_csv(folder / "counts.csv")) == 1
    assert list(temporary.iterdir()) == []


@pytest.mark.usefixtures("keys")
def test_responses_of_an_unwritable_folder_are_kept(
    server: ScriptedServer, temporary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the temporary folder."""
    posts = [str(n) for n in range(1, 252)]
    server.answer(Scripted(200, likes(posts[:250])), Scripted(400, {"errors": ["no"]}))
    assert main(["totals", *posts, "--types", "favorites", *urls(server)]) == 4
    (kept,) = temporary.iterdir()
    assert f"--archive {kept}" in capsys.readouterr().err
    (response,) = kept.glob("totals-*/[!q]*.json.gz")
    assert response.stat().st_size > 0


@pytest.mark.filterwarnings("default")
@pytest.mark.usefixtures("keys")
def test_a_ledger_that_cannot_be_written_is_a_warning(
    server: ScriptedServer,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With a limit of handles, it is an error."""
    monkeypatch.delenv("X_LEDGER")
    (folder / "home").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "home"))
    server.answer(Scripted(200, likes(["7"])))
    command = ["totals", "7", "--types", "favorites", "--out", "counts.csv", *urls(server)]
    assert main(command) == 0
    assert "cannot be" in capsys.readouterr().err
    assert len(ep.read_csv("counts.csv")) == 1
    monkeypatch.setenv("X_HANDLE_LIMIT", "5")
    assert main(command) == 7
    assert len(server.seen) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("keys")
def test_the_same_command_resumes(server: ScriptedServer, folder: Path) -> None:
    """Stored responses are not requested again."""
    window = ["--start", "2026-03-01", "--end", "2026-03-02", "--by", "post"]
    posts = [str(n) for n in range(1, 27)]
    command = ["historical", *posts, *window, "--types", "favorites", "--archive", "raw"]
    command += ["--out", "counts.csv", *urls(server)]
    server.answer(Scripted(200, likes(posts[:25])), Scripted(400, {"errors": ["no"]}))
    assert main(command) == 4
    server.answer(Scripted(200, likes(posts[25:])))
    assert main(command) == 0
    assert main(command) == 0
    assert [len(seen.body["tweet_ids"]) for seen in server.seen] == [25, 1, 1]
    assert len(ep.read_csv(folder / "counts.csv")) == 26


@pytest.mark.usefixtures("keys", "folder")
def test_urls_are_read_from_the_environment(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X_BASE_URL and X_TOKEN_URL are used unless an option overrides them."""
    monkeypatch.setenv("X_BASE_URL", server.url)
    monkeypatch.setenv("X_TOKEN_URL", f"{server.url}/token")
    token = Scripted(200, {"token_type": "bearer", "access_token": "a-token"})
    server.answer(token, Scripted(200, likes(["7"])))
    assert main(["totals", "7", "--types", "favorites", "--app-only", "--out", "a.csv"]) == 0
    assert [seen.path for seen in server.seen] == ["/token", "/insights/engagement/totals"]
    assert main(["totals", "7", "--base-url", "http://example.com"]) == 2
    monkeypatch.setenv("X_BASE_URL", "http://example.com")
    assert main(["totals", "7"]) == 2


@pytest.mark.slow
def test_a_pipe_closed_early_gives_no_traceback(sandbox: SandboxServer, folder: Path) -> None:
    """``| head`` closes it after the first line."""
    command = (
        f"{processes.PROGRAM} historical {mine(sandbox, 9)[0]} --start 2026-03-18 --end 2026-04-15"
    )
    command = f"{command} --omissions silent.csv {' '.join(urls(sandbox))}"
    command = f"set -o pipefail; {command} | head -1"
    done = processes.run("bash", "-c", command, cwd=folder)
    assert done.stdout.startswith("post_id,engagement_type,day,hour,count,endpoint,")
    assert done.stdout.count("\n") == 1
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert len(ep.read_csv(folder / "silent.csv")) == 0
    assert list(folder.glob("engagement-pandas-*")) == []


@pytest.mark.parametrize(
    "typed",
    [["--start", "7d", "--end", "yesterday"], ["--start=7d", "--end=yesterday"]],
    ids=["words", "equals"],
)
def test_a_window_in_days_is_resumed_with_fixed_times(typed: list[str]) -> None:
    """The printed command has the requested window in place of ``7d``."""
    command_typed = ["historical", "2043975803238093234", *typed, "--types", "replies"]
    arguments = parser().parse_args(command_typed, argparse.Namespace(typed=command_typed))
    request = arguments.question(arguments)
    start, end = (
        f"{pd.Timestamp.now(tz='UTC').floor('D') - pd.Timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
        for days in (7, 1)
    )
    assert request.window == ep.Window.covering(start, end)
    command = _again(arguments, request, Path("raw"))
    assert command == (
        f"engagement-pandas historical --archive raw --start {start} --end {end} "
        "2043975803238093234 --types replies"
    )
