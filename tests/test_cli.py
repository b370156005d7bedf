"""The command line as a scheduled job uses it: streams, files, exit codes."""

from __future__ import annotations

import io
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import processes
import pytest
from scripted import Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas import window
from engagement_pandas.cli import EXIT_CODES, main, parser
from engagement_pandas.id_files import read_records
from engagement_pandas.sandbox import SandboxServer
from engagement_pandas.wire import transport

NOW = "2026-04-15T12:20:00Z"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, without credentials; accounts and ledger are those of the tests."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("X_", "TWITTER_")) and name not in {"X_ACCOUNTS", "X_LEDGER"}:
            monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def sandbox(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:  # noqa: ARG001
    """Run a sandbox, with its credentials in the environment."""
    with SandboxServer(now=NOW) as server:
        keys = server.keys()
        monkeypatch.setenv("X_CONSUMER_KEY", keys.consumer_key)
        monkeypatch.setenv("X_CONSUMER_SECRET", keys.consumer_secret)
        monkeypatch.setenv("X_ACCESS_TOKEN", keys.access_token)
        monkeypatch.setenv("X_ACCESS_TOKEN_SECRET", keys.access_token_secret)
        yield server


@pytest.fixture
def keys(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """Put credentials into the environment that nobody checks."""
    for name in ("CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET"):
        monkeypatch.setenv(f"X_{name}", "a-key")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing wait."""
    monkeypatch.setattr(transport, "BACKOFF", lambda _: 0.0)


def urls(server: Any) -> list[str]:
    """Return the options that lead to a server on this machine."""
    base = server.base_url if isinstance(server, SandboxServer) else server.url
    return ["--base-url", base, "--token-url", f"{base}/oauth2/token"]


def mine(server: SandboxServer, number: int = 3) -> list[str]:
    """Return IDs of the account's latest posts."""
    return [post.post_id for post in server.world.posts("sandbox_bakery")[-number:]]


def likes(posts: list[str]) -> dict[str, Any]:
    """Return an answer that counts one like of each post."""
    return {"by_post": {post: {"favorites": "1"} for post in posts}}


# Asking


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
    assert "no counts for 1 post: not owned by the account that asked" in told.err
    assert len(ep.read_parquet("counts.parquet")) == 3 * 30
    assert ep.read_csv("silent.csv")["post_id"].tolist() == [other]
    assert sorted(response.status for response in ep.Archive("raw")) == [200, 403]
    assert [path.name.partition("-")[0] for path in folder.iterdir() if path.is_dir()] == ["raw"]


def test_raw_answers_flatten_to_the_same_table(sandbox: SandboxServer, folder: Path) -> None:
    """What was kept as it came gives the same counts again."""
    ask = ["last-28-hours", *mine(sandbox), "--types", "impressions", "--by", "day"]
    assert main([*ask, "--out", "a.parquet", "--archive", "raw", *urls(sandbox)]) == 0
    (collection,) = (folder / "raw").iterdir()
    for stored in ("raw", str(collection)):
        assert main(["flatten", stored, "--out", "b.parquet"]) == 0
        pd.testing.assert_frame_equal(ep.read_parquet("a.parquet"), ep.read_parquet("b.parquet"))


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


@pytest.mark.usefixtures("keys")
@pytest.mark.usefixtures("impatient")
def test_an_answer_of_the_wrong_shape_is_set_aside(server: ScriptedServer, folder: Path) -> None:
    """It was sent for again, in vain; the reason is kept with the last one."""
    server.answer(*[Scripted(200, {"by_post": [1]})] * transport.ATTEMPTS)
    assert main(["totals", "7", "--archive", "raw", *urls(server)]) == 5
    (damage,) = ep.Archive(folder / "raw").verify()
    assert damage.why.startswith("set aside as invalid_answer: no answer from ")


# Where posts come from


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("posts.txt", "# mine\n1060976163948904448\n\n  7 \n"),
        ("posts", "1060976163948904448\r\n7\r\n"),
        ("posts.csv", "\ufeffpost_id,text\n1060976163948904448,a\n7,b\n"),
        ("posts.tsv", "text\tpost_id\na\t1060976163948904448\nb\t7\n"),
        ("posts.jsonl", '{"post_id": "1060976163948904448"}\n{"post_id": 7}\n'),
        ("posts.ndjson", '"1060976163948904448"\n\n7\n'),
        ("posts.json", '["1060976163948904448", 7]'),
    ],
)
def test_files_of_ids(folder: Path, name: str, text: str) -> None:
    """Text, CSV, TSV and JSON lines; every digit kept."""
    (folder / name).write_text(text, encoding="utf-8")
    arguments = parser().parse_args(["totals", name])
    assert arguments.question(arguments).post_ids == ("1060976163948904448", "7")


def test_ids_from_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    """``-`` reads a list that another program writes."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("7\n8\n"))
    assert [record.post_id for record in read_records("-")] == ["7", "8"]


@pytest.mark.parametrize("text", ["", "\n\n", "post_id,text\n"])
@pytest.mark.parametrize("verb", ["totals", "last-28-hours", "historical"])
def test_no_ids_from_stdin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: str, text: str
) -> None:
    """As of a program before the pipe that found nothing: what was expected, and exit code 2."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    assert main([verb, "-"]) == 2
    said = capsys.readouterr().err
    assert "no post IDs in ['standard input']; give a list of them or of links, one a line" in said
    assert "post_id column" in said


def test_the_same_post_twice(folder: Path) -> None:
    """Named on the line and in a file: asked once."""
    (folder / "posts.txt").write_text("7\n8\n")
    arguments = parser().parse_args(["totals", "8", "posts.txt"])
    assert arguments.question(arguments).post_ids == ("8", "7")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("posts.csv", "id\n7\n", "line 2 of posts.csv has no post_id, only ['id'], and '7'"),
        ("posts.csv", "post_id\n1.06098E+18\n", "'1.06098E+18' has been a float"),
        ("posts.jsonl", '{"id": 7}\n', "line 1 of posts.jsonl has no post_id, only ['id']"),
        ("posts.jsonl", '{"post_id": 1.0e18}\n', "has been a float"),
        ("posts.jsonl", "{\n", "line 1 of posts.jsonl is no JSON"),
        ("posts.txt", "# none\n", "no post IDs in ['posts.txt']"),
        ("posts.txt", "hello\n", "'hello' is not a post ID"),
        ("posts.txt", b"\xff\xfe7", "not UTF-8"),
        ("posts.txt", "1060976163948904448 7\n", "line 1 of posts.txt: '7' is too short"),
    ],
)
@pytest.mark.usefixtures("keys")
def test_files_that_are_wrong(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, text: Any, words: str
) -> None:
    """Exit code 2, with the value and the cure."""
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    assert main(["totals", name]) == 2
    assert words in capsys.readouterr().err


# Exit codes


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    """Every verb tells its options, an example and the exit codes."""
    for verb in ("demo", "totals", "last-28-hours", "historical", "flatten", "verify", "sandbox"):
        with pytest.raises(SystemExit) as caught:
            main([verb, "--help"])
        assert caught.value.code == 0
        told = capsys.readouterr().out
        assert "exit codes:" in told
        assert all(meaning in told for _, _, meaning in EXIT_CODES)


def errors_below(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    """Yield an error class, and those that are derived from it."""
    yield kind
    for derived in kind.__subclasses__():
        yield from errors_below(derived)


def test_every_error_has_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    """Each of our tree has a documented one, and none but the root that of a program's fault."""
    documented = dict.fromkeys(code for _, code, _ in EXIT_CODES)
    for kind in (*errors_below(ep.EngagementError), *errors_below(KeyboardInterrupt)):
        code = next(code for each, code, _ in EXIT_CODES if issubclass(kind, each))
        assert (code == 1) == (kind is ep.EngagementError), kind
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = capsys.readouterr().out.partition("exit codes:")[2]
    assert {int(code) for code in re.findall(r"\b\d+\b", listed)} == {0, *documented}


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["tweets"],
        ["totals"],
        ["totals", "7", "--by", "tweet.id"],
        ["totals", "7", "--out", "counts.xlsx"],
        ["last-28-hours", "7", "--app-only"],
        ["totals", "7", "--start", "2026-03-01"],
        ["totals", "7", "--types", ""],
        ["totals", "7", "--types", " , "],
        ["totals", "7", "--by", ""],
        ["totals", "7", "--per-minute", "0"],
        ["totals", "7", "--per-minute", "nan"],
        ["totals", "7", "--per-minute", "many"],
    ],
)
def test_what_cannot_be_typed(words: list[str]) -> None:
    """Exit code 2 from the parser."""
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2


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
    5: lambda: [Scripted(503, b"")] * transport.ATTEMPTS,
}


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


@pytest.mark.usefixtures("keys")
def test_answers_before_a_failure_are_kept(
    server: ScriptedServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Even where nobody asked for raw answers: they were paid for."""
    posts = [str(n) for n in range(1, 252)]
    server.answer(Scripted(200, likes(posts[:250])), Scripted(400, {"errors": ["no"]}))
    assert main(["totals", *posts, "--types", "favorites", *urls(server)]) == 4
    (kept,) = folder.glob("engagement-pandas-totals-*")
    hint = f"the same command goes on with --archive {kept.name}"
    assert f"what was answered is kept in {kept.name}; {hint}" in capsys.readouterr().err

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
    assert f"the same command goes on with --archive {kept}" in capsys.readouterr().err
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


# A large plan

MANY = [str(n) for n in range(1, 501 * 250)]


class Person(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("name", ["X_BASE_URL", "--base-url"])
def test_a_large_plan_without_anybody_to_ask(
    server: ScriptedServer,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    """501 requests: exit code 8, the plan and the cure, and nothing is sent or made."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    monkeypatch.setenv("X_BASE_URL", server.url)
    options = ["--base-url", server.url] if name == "--base-url" else []
    (folder / "posts.txt").write_text("\n".join(MANY))
    assert main(["totals", "posts.txt", "--types", "favorites", *options]) == 8
    told = capsys.readouterr()
    assert told.out == ""
    assert "Plan: 501 requests to /insights/engagement/totals" in told.err
    assert "give --yes" in told.err
    assert server.seen == []
    assert [path.name for path in folder.iterdir()] == ["posts.txt"]


@pytest.mark.usefixtures("keys", "folder")
@pytest.mark.parametrize(
    ("said", "code"),
    [("n\n", 8), ("\n", 8), ("", 8), ("yesterday\n", 8), ("y\n", 4), (" Yes\n", 4)],
)
def test_a_large_plan_and_a_person(
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    said: str,
    code: int,
) -> None:
    """16 minutes of quota: somebody is asked, and only yes means yes."""
    monkeypatch.setattr(sys, "stdin", Person(said))
    server.answer(Scripted(400, {"errors": ["no"]}))
    posts = [str(n) for n in range(1, 16 * 250)]
    asked = ["totals", *posts, "--types", "favorites", "--per-minute", "1"]
    assert main([*asked, *urls(server)]) == code
    assert len(server.seen) == (0 if code == 8 else 1)
    assert "Send 16 requests? [y/N]" in capsys.readouterr().err


@pytest.mark.usefixtures("keys", "folder")
def test_a_large_plan_that_is_agreed_to(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--yes: sent without a question."""
    monkeypatch.setattr(sys, "stdin", Person("n\n"))
    server.answer(Scripted(400, {"errors": ["no"]}))
    posts = [str(n) for n in range(1, 16 * 250)]
    asked = ["totals", *posts, "--types", "favorites", "--per-minute", "1", "--yes"]
    assert main([*asked, *urls(server)]) == 4
    assert len(server.seen) == 1
    assert "[y/N]" not in capsys.readouterr().err


@pytest.mark.usefixtures("keys", "folder")
def test_a_plan_that_is_not_large(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """15 minutes: sent without a question."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    server.answer(Scripted(400, {"errors": ["no"]}))
    posts = [str(n) for n in range(1, 15 * 250)]
    asked = ["totals", *posts, "--types", "favorites", "--per-minute", "1"]
    assert main([*asked, *urls(server)]) == 4
    assert len(server.seen) == 1


# Where the API is


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


# Stored answers


@pytest.fixture
def raw(sandbox: SandboxServer, folder: Path) -> Path:
    """Collect a snapshot and a window into one archive."""
    post = mine(sandbox, 9)[0]
    for asked in (
        ["totals", post, "--types", "favorites"],
        [
            "historical",
            post,
            "--types",
            "favorites",
            "--start",
            "2026-04-14",
            "--end",
            "2026-04-15",
        ],
    ):
        options = ["--archive", "raw", "--out", "counts.csv", *urls(sandbox)]
        assert main([*asked, *options]) == 0
    return folder / "raw"


def answer_of(collection: Path) -> Path:
    """Return the only answer of a collection."""
    (answer,) = (path for path in collection.glob("*.json.gz") if "question" not in path.name)
    return answer


def test_verify_what_is_whole(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0, and nothing on standard output."""
    assert main(["verify", str(raw)]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.endswith(f"2 collections whole in {raw}\n")


def test_verify_what_is_damaged(
    raw: Path, sandbox: SandboxServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 9: the file, why, and what to ask; asking the window again mends it."""
    capsys.readouterr()
    (historical,) = raw.glob("historical-*")
    answer_of(historical).write_bytes(b"not what it was")
    for folder in (raw, historical):
        assert main(["verify", str(folder)]) == 9
        told = capsys.readouterr()
        path, why, asked = told.out.rstrip("\n").split("\t")
        assert path == str(answer_of(historical))
        assert "BadGzipFile" in why
        assert asked.startswith("EngagementRequest(historical of 1 post")
        assert f"1 file damaged or missing in {folder}" in told.err
    assert main(["flatten", str(historical)]) == 7
    options = ["--archive", str(raw), "--out", "counts.csv", *urls(sandbox)]
    window = ["--start", "2026-04-14", "--end", "2026-04-15"]
    assert main(["historical", mine(sandbox, 9)[0], "--types", "favorites", *window, *options]) == 0
    assert main(["verify", str(raw)]) == 0


def test_verify_a_question_that_is_lost(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so, since what to ask again is not known."""
    (snapshot,) = raw.glob("totals-*")
    (snapshot / "question.json.gz").unlink()
    capsys.readouterr()
    assert main(["verify", str(raw)]) == 9
    assert capsys.readouterr().out.rstrip("\n").endswith("\tthe question itself")


def test_verify_what_is_not_finished(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No damage: exit code 0, and how many requests are to go."""
    (snapshot,) = raw.glob("totals-*")
    (snapshot / "complete").unlink()
    answer_of(snapshot).unlink()
    assert main(["verify", str(raw)]) == 0
    assert f"{snapshot}: 1 request to go" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["verify", "flatten"])
@pytest.mark.usefixtures("folder")
def test_a_folder_without_answers(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 7, with the cure."""
    Path("empty").mkdir()
    assert main([verb, "empty"]) == 7
    assert "empty holds no answers; name a folder that --archive has filled" in (
        capsys.readouterr().err
    )
    assert main([verb, "nowhere"]) == 7


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
    assert "there are no answers yet in raw; collect the same question again" in told


def test_flatten_what_does_not_belong_together(
    raw: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Totals and a window: two tables."""
    assert main(["flatten", str(raw)]) == 2
    assert "flatten each on its own" in capsys.readouterr().err
    for one in raw.iterdir():
        assert main(["flatten", str(one), "--out", f"{one.name}.csv"]) == 0


# Flattening


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


# Demo and sandbox


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


def test_sandbox_as_a_process(folder: Path) -> None:
    """It says where it is and with which keys; a client finds it; Ctrl-C ends it well."""
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
    "words",
    [["--fault", "earthquake"], ["--fault-rate", "2"], ["--now", "x"], ["--now", "0001-01-01"]],
)
def test_sandbox_asked_wrongly(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, with the value."""
    assert main(["sandbox", "--port", "0", *words]) == 2
    assert words[1] in capsys.readouterr().err


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
