"""The command line as a scheduled job uses it: streams, files, exit codes."""

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
from engagement_pandas.transport import transport


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing wait."""
    monkeypatch.setattr(transport, "MAX_BACKOFF", 0.0)


def likes(posts: list[str]) -> dict[str, Any]:
    """Return an answer that counts one like of each post."""
    return {"by_post": {post: {"favorites": "1"} for post in posts}}


def test_totals_to_stdout(
    sandbox: SandboxServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Counts as CSV on stdout, and nothing else there or left behind."""
    ids = mine(sandbox)
    assert main(["totals", *ids, "--types", "favorites, replies", *urls(sandbox)]) == 0
    counts = ep.read_csv(io.StringIO(capsys.readouterr().out))
    assert set(counts["post_id"]) == set(ids)
    assert list(counts["engagement_type"].cat.categories) == ["favorites", "replies"]
    assert list(folder.iterdir()) == []


def test_totals_of_public_posts(sandbox: SandboxServer, capsys: pytest.CaptureFixture[str]) -> None:
    """--app-only: a bearer token, every public type, somebody else's post."""
    other = sandbox.world.posts("sandbox_railway")[-1].post_id
    assert main(["totals", other, "--app-only", *urls(sandbox)]) == 0
    counts = ep.read_csv(io.StringIO(capsys.readouterr().out))
    assert set(counts["engagement_type"]) == set(map(str, ep.PUBLIC_TYPES))


@pytest.mark.slow
def test_historical_into_files(
    sandbox: SandboxServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Parquet, omissions, raw answers; stdout is empty and stderr says what was done."""
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
    told = capsys.readouterr()
    assert told.out == ""
    assert "90 rows in counts.parquet" in told.err
    assert "no counts for 1 post: not owned by the requesting account" in told.err
    assert len(ep.read_parquet("counts.parquet")) == 3 * 30
    assert ep.read_csv("silent.csv")["post_id"].tolist() == [other]
    assert sorted(response.status for response in ep.Archive("raw")) == [200, 403]
    assert [path.name.partition("-")[0] for path in folder.iterdir() if path.is_dir()] == ["raw"]


def test_historical_without_dates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last 28 days up to the last whole hour."""
    monkeypatch.setattr(window, "_now", lambda: datetime(2026, 4, 15, 12, 20, tzinfo=UTC))
    arguments = parser().parse_args(["historical", "7"])
    asked = arguments.question(arguments).window
    assert asked == ep.Window.covering("2026-03-18T12:00:00Z", "2026-04-15T12:00:00Z")


@pytest.mark.parametrize(
    ("end", "window"),
    [
        ("2026-03-29", ("2026-03-01", "2026-03-29")),
        ("2026-03-29T09:30:00Z", ("2026-03-01T10:00:00Z", "2026-03-29T10:00:00Z")),
    ],
)
def test_historical_with_an_end(end: str, window: tuple[str, str]) -> None:
    """Without a start, the 28 days before that end: one request."""
    arguments = parser().parse_args(["historical", "7", "--end", end])
    assert arguments.question(arguments).window == ep.Window.covering(*window)


def test_historical_up_to_the_last_whole_hour() -> None:
    """What an hourly job asks."""
    end = ep.Window.last().end
    start = end - timedelta(days=3)
    words = ["--start", start.isoformat(), "--end", end.isoformat()]
    arguments = parser().parse_args(["historical", "7", *words])
    assert arguments.question(arguments).window == ep.Window(start, end)


@pytest.mark.usefixtures("keys")
def test_historical_in_the_future(capsys: pytest.CaptureFixture[str]) -> None:
    """Called by its name."""
    assert main(["historical", "7", "--end", "9998-01-01"]) == 2
    assert "in the future" in capsys.readouterr().err


def test_dimensions_by_name(sandbox: SandboxServer, capsys: pytest.CaptureFixture[str]) -> None:
    """--by takes what the API takes."""
    by = ["--by", "engagement.type"]
    assert main(["totals", *mine(sandbox), "--types", "favorites", *by, *urls(sandbox)]) == 0
    assert capsys.readouterr().out.startswith(
        "engagement_type,count,endpoint,first_retrieved_at\nfavorites,"
    )


@pytest.mark.slow
def test_the_readme_s_sequence(
    sandbox: SandboxServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Parts of one question and a refusal, kept raw, are one table again, omissions told."""
    other = sandbox.world.posts("sandbox_railway")[-30].post_id
    (folder / "posts.txt").write_text("\n".join([*mine(sandbox, 20)[:3], other, "7"]))
    window = ["--start", "2026-03-01", "--end", "2026-04-12", "--by", "post"]
    kinds = ["--types", "impressions,url_clicks"]
    ask = ["historical", "posts.txt", *kinds, *window, "--out", "a.parquet", "--archive", "raw"]
    assert main([*ask, *urls(sandbox)]) == 0
    told = capsys.readouterr().err
    assert main(["flatten", "raw/", "--out", "b.parquet"]) == 0
    pd.testing.assert_frame_equal(ep.read_parquet("a.parquet"), ep.read_parquet("b.parquet"))
    for words in (told, capsys.readouterr().err):
        assert "no counts for 1 post: not owned" in words
        assert "no counts for 4 posts: not yet posted" in words
        assert "no counts for 1 post: deleted" in words
    assert main(["verify", "raw/"]) == 0


@pytest.mark.slow
def test_runs_keep_their_answers_apart(sandbox: SandboxServer, folder: Path) -> None:
    """Three snapshots of one post within a second, side by side in one table."""
    (post,) = mine(sandbox, 1)
    for _ in range(3):
        asked = ["totals", post, "--types", "favorites", "--archive", "raw"]
        assert main([*asked, "--out", "counts.csv", *urls(sandbox)]) == 0
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
def test_places_that_cannot_be_written(
    server: ScriptedServer, folder: Path, options: list[str]
) -> None:
    """Found out before anything is asked."""
    (folder / "folder.csv").mkdir()
    (folder / "file").touch()
    assert main(["totals", "7", *options, *urls(server)]) == 7
    assert server.seen == []


@pytest.mark.slow
@pytest.mark.usefixtures("keys")
@pytest.mark.usefixtures("impatient")
def test_an_answer_of_the_wrong_shape_is_set_aside(server: ScriptedServer, folder: Path) -> None:
    """It was sent for again, in vain; the reason is kept with the last one."""
    server.answer(*[Scripted(200, {"by_post": [1]})] * transport.MAX_ATTEMPTS)
    assert main(["totals", "7", "--archive", "raw", *urls(server)]) == 5
    (damage,) = ep.Archive(folder / "raw").verify()
    assert damage.why.startswith("set aside as invalid_answer: no answer from ")


@pytest.mark.parametrize("text", ["", "\n\n", "post_id,text\n"])
@pytest.mark.parametrize("verb", ["totals", "last-28-hours", "historical"])
def test_no_ids_from_stdin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: str, text: str
) -> None:
    """As of a program before the pipe that found nothing: what was expected, and exit code 2."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    assert main([verb, "-"]) == 2
    said = capsys.readouterr().err
    assert "no post IDs in ['standard input']; pass IDs or links, a file with one per line" in said
    assert "post_id column" in said


@pytest.mark.parametrize(
    ("words", "code"),
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
def test_asked_wrongly(words: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A question that the API does not take, or a file that is not there."""
    assert main(words) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("engagement-pandas: ")


@pytest.mark.usefixtures("folder")
def test_without_credentials(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 3, naming the variables."""
    assert main(["totals", "7"]) == 3
    assert "X_ACCESS_TOKEN_SECRET" in capsys.readouterr().err


def test_with_wrong_credentials(
    sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3, in the API's words."""
    monkeypatch.setenv("X_ACCESS_TOKEN", "9-unknown")
    assert main(["totals", "7", *urls(sandbox)]) == 3
    assert "Access token not found" in capsys.readouterr().err


SCRIPTS: dict[int, Callable[[], list[Scripted]]] = {
    4: lambda: [Scripted(400, {"errors": ["no"]})],
    5: lambda: [Scripted(503, b"")] * transport.MAX_ATTEMPTS,
}


@pytest.mark.slow
@pytest.mark.parametrize("code", SCRIPTS)
@pytest.mark.usefixtures("keys", "impatient")
def test_what_went_wrong(server: ScriptedServer, code: int) -> None:
    """4: refused. 5: no answer, try later."""
    server.answer(*SCRIPTS[code]())
    assert main(["totals", "7", *urls(server)]) == code


@pytest.mark.usefixtures("keys")
def test_nothing_is_written_over_on_failure(server: ScriptedServer, folder: Path) -> None:
    """The table of the last run stays as it was."""
    (folder / "counts.csv").write_text("last run\n")
    server.answer(Scripted(400, {"errors": ["no"]}))
    assert main(["totals", "7", "--out", "counts.csv", *urls(server)]) == 4
    assert (folder / "counts.csv").read_text() == "last run\n"


@pytest.mark.slow
@pytest.mark.usefixtures("keys")
def test_answers_before_a_failure_are_kept(
    server: ScriptedServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Even where nobody asked for raw answers: they were paid for."""
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
def test_nothing_is_kept_where_nothing_arrived(server: ScriptedServer, folder: Path) -> None:
    """No folder for each time that a job is refused."""
    server.answer(Scripted(400, {"errors": ["no"]}))
    assert main(["totals", "7", *urls(server)]) == 4
    assert list(folder.iterdir()) == []


@pytest.fixture
def elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder that takes nothing, and return where temporary folders go."""
    (folder / "gone").mkdir()
    (folder / "temporary").mkdir()
    monkeypatch.chdir(folder / "gone")
    (folder / "gone").rmdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "temporary"))
    return folder / "temporary"


@pytest.mark.usefixtures("keys")
def test_a_working_folder_that_takes_nothing(
    server: ScriptedServer, folder: Path, elsewhere: Path
) -> None:
    """Answers wait among the temporary folders for the table, and stay no longer."""
    server.answer(Scripted(200, likes(["7"])))
    ask = ["totals", "7", "--types", "favorites", "--out", str(folder / "counts.csv")]
    assert main([*ask, *urls(server)]) == 0
    assert len(ep.read_csv(folder / "counts.csv")) == 1
    assert list(elsewhere.iterdir()) == []


@pytest.mark.usefixtures("keys")
def test_answers_before_a_failure_are_kept_elsewhere(
    server: ScriptedServer, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And it is told where."""
    posts = [str(n) for n in range(1, 252)]
    server.answer(Scripted(200, likes(posts[:250])), Scripted(400, {"errors": ["no"]}))
    assert main(["totals", *posts, "--types", "favorites", *urls(server)]) == 4
    (kept,) = elsewhere.iterdir()
    assert f"--archive {kept}" in capsys.readouterr().err
    (answer,) = kept.glob("totals-*/[!q]*.json.gz")
    assert answer.stat().st_size > 0


@pytest.mark.filterwarnings("default")
@pytest.mark.usefixtures("keys")
def test_a_home_that_takes_nothing(
    server: ScriptedServer,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nobody asked for a ledger: that there is none is told; with a limit it is an error."""
    monkeypatch.delenv("X_LEDGER")
    (folder / "home").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "home"))
    server.answer(Scripted(200, likes(["7"])))
    ask = ["totals", "7", "--types", "favorites", "--out", "counts.csv", *urls(server)]
    assert main(ask) == 0
    assert "cannot be" in capsys.readouterr().err
    assert len(ep.read_csv("counts.csv")) == 1
    monkeypatch.setenv("X_HANDLE_LIMIT", "5")
    assert main(ask) == 7
    assert len(server.seen) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("keys")
def test_the_same_command_goes_on(server: ScriptedServer, folder: Path) -> None:
    """What is answered is not asked again; and of a window, never."""
    window = ["--start", "2026-03-01", "--end", "2026-03-02", "--by", "post"]
    posts = [str(n) for n in range(1, 27)]
    ask = ["historical", *posts, *window, "--types", "favorites", "--archive", "raw"]
    ask += ["--out", "counts.csv", *urls(server)]
    server.answer(Scripted(200, likes(posts[:25])), Scripted(400, {"errors": ["no"]}))
    assert main(ask) == 4
    server.answer(Scripted(200, likes(posts[25:])))
    assert main(ask) == 0
    assert main(ask) == 0
    assert [len(seen.body["tweet_ids"]) for seen in server.seen] == [25, 1, 1]
    assert len(ep.read_csv(folder / "counts.csv")) == 26


@pytest.mark.usefixtures("keys", "folder")
def test_addresses_in_the_environment(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X_BASE_URL and X_TOKEN_URL are where it asks, unless an option says otherwise."""
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
def test_a_reader_that_has_had_enough(sandbox: SandboxServer, folder: Path) -> None:
    """``| head`` closes the pipe early: no traceback."""
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
def test_a_window_in_days_is_resumed_as_it_was(typed: list[str]) -> None:
    """The command that resumes has the window that was requested, in place of ``7d``."""
    words = ["historical", "2043975803238093234", *typed, "--types", "replies"]
    arguments = parser().parse_args(words, argparse.Namespace(typed=words))
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
