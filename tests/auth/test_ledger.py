"""The ledger of requested handles: months, limits, crashes, and concurrent processes."""

from __future__ import annotations

import io
import os
import re
import sys
import textwrap
import warnings
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import processes
from support.scripted import USER, FakeClock, Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.auth import json_lines_file

APRIL = 1_776_255_600.0  # 2026-04-15T12:20:00Z
OPENING = b'{"ledger":"engagement_pandas","version":1}\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of the ledger; neither the file nor its folder exists yet."""
    return tmp_path / "settings" / "ledger.jsonl"


@pytest.fixture
def ledger(path: Path, clock: FakeClock) -> ep.Ledger:
    """Return a ledger without a limit."""
    return ep.Ledger(path, clock=clock.time)


# The content of the file


def test_a_handle_counts_once_a_month(ledger: ep.Ledger) -> None:
    """The spelling does not matter, and the first request comes first."""
    assert [ledger.record(h) for h in ("railway", "@Bakery", "RAILWAY", "bakery")] == [
        True,
        True,
        False,
        False,
    ]
    assert ledger.handles() == ("railway", "bakery")


def test_the_content_of_the_file(ledger: ep.Ledger, path: Path) -> None:
    """A line with the format's version is followed by a line for each handle, with a UTC time."""
    ledger.record("@Bakery", datetime(2026, 4, 1, 1, tzinfo=timezone(timedelta(hours=3))))
    assert path.read_bytes() == (
        OPENING + b'{"month":"2026-03","handle":"bakery","first_asked_at":"2026-03-31T22:00:00Z"}\n'
    )


def test_another_process_reads_the_ledger(ledger: ep.Ledger, path: Path, clock: FakeClock) -> None:
    """It does not record a known handle again."""
    ledger.record("bakery")
    other = ep.Ledger(path, clock=clock.time)
    assert other.handles() == ("bakery",)
    assert other.record("bakery") is False
    assert other.first_requests() == {"bakery": datetime(2026, 4, 15, 12, 20, tzinfo=UTC)}


def test_months_are_those_of_utc(ledger: ep.Ledger, clock: FakeClock) -> None:
    """A month ends at midnight UTC, and each month begins empty."""
    last = datetime(2026, 4, 30, 23, 59, 59, tzinfo=UTC)
    clock.now = last.timestamp()
    ledger.record("bakery")
    assert ledger.month == "2026-04"
    clock.now += 1
    assert ledger.month == "2026-05"
    assert ledger.handles() == ()
    assert ledger.record("bakery") is True
    assert ledger.handles("2026-04") == ledger.handles("2026-05") == ("bakery",)


def test_a_known_handle_needs_no_file_access(
    ledger: ep.Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`record` is called before each request, so it opens no file for a known handle."""
    ledger.record("bakery")
    monkeypatch.setattr(json_lines_file.JsonLinesFile, "writing", None)
    monkeypatch.setattr(json_lines_file.JsonLinesFile, "lines", None)
    assert ledger.record("@Bakery") is False


def test_a_record_is_flushed_to_disk(
    ledger: ep.Ledger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is on disk when `record` returns."""
    ledger.record("bakery")
    flushed: list[bytes] = []
    fsync = os.fsync

    def recording_fsync(handle: int) -> None:
        flushed.append(path.read_bytes())
        fsync(handle)

    monkeypatch.setattr(json_lines_file.os, "fsync", recording_fsync)
    ledger.record("railway")
    assert flushed[-1] == path.read_bytes()
    assert b"railway" in flushed[-1]


def test_reading_writes_nothing(ledger: ep.Ledger, path: Path) -> None:
    """Neither checking handles nor showing the ledger makes a file."""
    assert ledger.check(["bakery"]) == ("bakery",)
    assert ledger.handles() == ()
    assert "0 handles requested in 2026-04" in str(ledger)
    assert not path.parent.exists()


def test_an_alias_counts_once(path: Path, clock: FakeClock) -> None:
    """After `alias`, a handle is not recorded again if its user ID is recorded."""
    ledger = ep.Ledger(path, limit=1, clock=clock.time)
    ledger.record("user_9")
    before = path.read_bytes()
    with pytest.raises(ep.LedgerFull):
        ledger.check(["bakery"])
    ledger.alias("user_9", "@Bakery")
    assert ledger.check(["BAKERY", "user_9"]) == ()
    assert ledger.record("bakery") is False
    assert ledger.record("user_9") is False
    assert ledger.handles() == ("bakery",)
    assert path.read_bytes() == before


def test_an_alias_merges_two_records(ledger: ep.Ledger) -> None:
    """A user ID and a handle recorded before count as one owner, from the earlier time on."""
    for name in ("user_9", "railway", "bakery"):
        ledger.record(name)
    ledger.alias("user_9", "bakery")
    assert ledger.handles() == ("bakery", "railway")


NAMES = st.sampled_from(["bakery", "Bakery", "@railway", "alps", "closed", "OBSERVATORY"])
TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2026, 4, 30), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.slow
@settings(max_examples=25)
@given(st.lists(st.tuples(NAMES, TIMES), max_size=8), st.integers(1, 3) | st.none())
def test_every_record_is_kept(records: list[tuple[str, datetime]], limit: int | None) -> None:
    """Records beyond the limit are billed too: they are kept with a warning, and read again."""
    import tempfile  # noqa: PLC0415 - hypothesis and tmp_path do not go together

    expected: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        ledger = ep.Ledger(Path(folder, "ledger"), limit=limit)
        for name, time in records:
            month = expected.setdefault(time.isoformat()[:7], [])
            handle = name.removeprefix("@").lower()
            if handle in month:
                assert ledger.record(name, time) is False
                continue
            month.append(handle)
            beyond = limit is not None and len(month) > limit
            words = f"{handle} is handle {len(month)} of {limit} in"
            with pytest.warns(UserWarning, match=words) if beyond else nullcontext():
                assert ledger.record(name, time) is True
        for reader in (ledger, ep.Ledger(Path(folder, "ledger"))):
            assert {month: list(reader.handles(month)) for month in expected} == expected


# The limit


def test_check_returns_the_new_handles(ledger: ep.Ledger) -> None:
    """They are sorted and unique, without the known ones."""
    ledger.record("bakery")
    assert ledger.check(["@Railway", "Bakery", "alps", "railway"]) == ("alps", "railway")
    assert ledger.check([]) == ()
    assert ledger.check(["bakery"], datetime(2026, 5, 1, tzinfo=UTC)) == ("bakery",)


def test_check_warns_from_80_per_cent(path: Path, clock: FakeClock) -> None:
    """Of 5 handles the fourth warns, but only if it is new."""
    ledger = ep.Ledger(path, limit=5, clock=clock.time)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ledger.check(["a", "b", "c"]) == ("a", "b", "c")
    with pytest.warns(
        UserWarning, match=r"4 of 5 handles of 2026-04 are used with \['a', .*'d'\]"
    ) as caught:
        ledger.check(["a", "b", "c", "d"])
    assert caught[0].filename == __file__
    for handle in "abcd":
        ledger.record(handle)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ledger.check(["a", "b", "c", "d"]) == ()


def test_check_refuses_handles_beyond_the_limit(path: Path, clock: FakeClock) -> None:
    """The limit itself may be reached; one more is refused with the numbers and the cures."""
    ledger = ep.Ledger(path, limit=2, clock=clock.time)
    ledger.record("a")
    ledger.record("b")
    ledger.allow("b")
    for use in (lambda: ledger.check(["a", "c"]), lambda: ledger.allow("c")):
        with pytest.raises(ep.LedgerFull, match=r"2 of 2 handles.*2026-04.*\['c'\].*next month"):
            use()
    assert ledger.record("a") is False
    assert ledger.handles() == ("a", "b")
    clock.now += 31 * 86_400
    assert ledger.record("c") is True


def test_a_full_ledger_is_a_request_error() -> None:
    """Nothing was sent, as with other invalid requests."""
    assert issubclass(ep.LedgerFull, ep.RequestError)


@pytest.mark.parametrize("limit", [0, -1, 1.5, "5", True])
def test_invalid_limits_are_refused(path: Path, limit: Any) -> None:
    """The error shows the value."""
    with pytest.raises(ep.RequestError, match=re.escape(f"limit is {limit!r}")):
        ep.Ledger(path, limit=limit)


def test_limit_and_path_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """X_LEDGER and X_HANDLE_LIMIT are read; the default is a file in the settings folder."""
    ledger = ep.Ledger.from_env({"X_LEDGER": "/mine.jsonl", "X_HANDLE_LIMIT": " 25 "})
    assert (ledger.path, ledger.limit) == (Path("/mine.jsonl"), 25)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    ledger = ep.Ledger.from_env({"X_HANDLE_LIMIT": ""})
    expected = tmp_path / ".config" / "engagement_pandas" / "ledger.jsonl"
    assert (ledger.path, ledger.limit) == (expected, None)
    for text in ("0", "many", "-1", "2.5", "\u0665"):
        with pytest.raises(ep.RequestError, match="X_HANDLE_LIMIT"):
            ep.Ledger.from_env({"X_HANDLE_LIMIT": text})


@pytest.mark.parametrize(
    "month", ["2026", "2026-4", "2026-13", "2026-00", "2026-04-01", "April", 4]
)
def test_invalid_months_are_refused(ledger: ep.Ledger, month: Any) -> None:
    """An invalid month would otherwise look like one without handles."""
    with pytest.raises(ep.RequestError, match="is not a month"):
        ledger.handles(month)


def test_invalid_records_are_refused(ledger: ep.Ledger, path: Path) -> None:
    """The handle is invalid, the time has no zone, or a string stands for several handles."""
    with pytest.raises(ep.RequestError, match="is not a handle"):
        ledger.record("a b")
    with pytest.raises(ep.RequestError, match="has no time zone"):
        ledger.record("bakery", datetime(2026, 4, 1))  # noqa: DTZ001
    with pytest.raises(ep.RequestError, match="handles is the string 'bakery'"):
        ledger.check("bakery")
    assert not path.exists()


# Crashes, damage and concurrent processes


def test_a_file_cut_off_anywhere_is_continued(path: Path, clock: FakeClock) -> None:
    """After a power cut in the last line, the earlier lines are kept."""
    ledger = ep.Ledger(path, clock=clock.time)
    ledger.record("bakery")
    ledger.record("railway")
    complete = path.read_bytes()
    first = complete[: complete[:-1].rfind(b"\n") + 1]
    for length in range(len(first), len(complete), 4):
        for filler in (b"", b"\0" * 7):
            path.write_bytes(complete[:length] + filler)
            again = ep.Ledger(path, clock=clock.time)
            assert again.handles() == ("bakery",)
            assert again.record("railway") is True
            assert path.read_bytes() == complete


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, 4))
@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"\xff",
        b"no JSON",
        b'{"month":"2026-4","handle":"a","first_asked_at":"2026-04-15T12:20:00Z"}',
        b'{"month":"2026-04","handle":"A b","first_asked_at":"2026-04-15T12:20:00Z"}',
        b'{"month":"2026-04","handle":"A","first_asked_at":"2026-04-15T12:20:00Z"}',
        b'{"month":"2026-04","handle":"a","first_asked_at":"2026"}',
    ],
)
def test_damage_is_reported_by_line(
    ledger: ep.Ledger, path: Path, number: int, line: bytes
) -> None:
    """A lost handle would be an unexpected bill; nothing is overwritten."""
    ledger.record("bakery")
    ledger.record("railway")
    lines = path.read_bytes().splitlines()
    lines[number - 1] = line
    path.write_bytes(b"\n".join(lines) + b"\n")
    before = path.read_bytes()
    for use in (ledger.handles, lambda: ledger.record("alps"), lambda: ledger.check(["alps"])):
        with pytest.raises(ep.LedgerError, match=f"line {number} of .*ledger.jsonl"):
            use()
    assert path.read_bytes() == before
    assert f"line {number} of" in str(ledger)


@pytest.mark.parametrize("content", [b"a diary", b"a diary\n", b'{"version": 1}\n', b"\0\0\0"])
def test_a_file_of_another_program_is_refused(
    ledger: ep.Ledger, path: Path, content: bytes
) -> None:
    """It stays unchanged, also if it has no complete line."""
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ep.LedgerError, match="line 1 of"):
        ledger.record("bakery")
    assert path.read_bytes() == content


def test_an_empty_file_is_a_new_ledger(ledger: ep.Ledger, path: Path) -> None:
    """Users can make an empty file to set its permissions first."""
    path.parent.mkdir()
    path.touch()
    assert ledger.record("bakery") is True
    assert path.read_bytes().startswith(OPENING)
    assert ledger.handles() == ("bakery",)


def test_a_ledger_of_a_newer_version_is_refused(ledger: ep.Ledger, path: Path) -> None:
    """Its content is not interpreted."""
    path.parent.mkdir()
    path.write_bytes(OPENING.replace(b"1", b"2") + b"whatever\n")
    with pytest.raises(ep.LedgerError, match="version 2, and this package reads version 1; update"):
        ledger.record("bakery")


def test_an_impossible_path_is_refused(tmp_path: Path) -> None:
    """The path is a folder, or its parent is a file."""
    (tmp_path / "file").touch()
    for impossible in (tmp_path, tmp_path / "file" / "ledger"):
        with pytest.raises(ep.LedgerError, match="cannot be"):
            ep.Ledger(impossible).record("bakery")


def test_a_full_disk_leaves_the_ledger_unchanged(
    ledger: ep.Ledger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The incomplete line is removed, and the next call tries again."""
    ledger.record("bakery")
    before = path.read_bytes()
    fsync = os.fsync

    def full(handle: int) -> None:
        if os.fstat(handle).st_ino == path.stat().st_ino:
            assert b"railway" in path.read_bytes()
            raise OSError(28, "No space left on device")
        fsync(handle)

    with monkeypatch.context() as patched:
        patched.setattr(json_lines_file.os, "fsync", full)
        with pytest.raises(ep.LedgerError, match=r"No space left.*free some disk space"):
            ledger.record("railway")
    assert path.read_bytes() == before
    assert ledger.record("railway") is True
    assert ep.Ledger(path).handles("2026-04") == ("bakery", "railway")


def test_a_partial_write_is_an_error() -> None:
    """The system reports how much it wrote, and raises no error."""

    class Half(io.RawIOBase):
        def write(self, content: Any) -> int:
            return len(content) // 2

        def fileno(self) -> int:
            return 1

    with pytest.raises(OSError, match="No space left"):
        json_lines_file._put(Half(), b"a line\n")  # type: ignore[arg-type]


def test_the_first_line_is_complete_before_the_second(
    ledger: ep.Ledger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut during the first record leaves a valid ledger."""
    written: list[bytes] = []
    monkeypatch.setattr(
        json_lines_file, "_put", lambda _, line: written.extend([path.read_bytes(), line])
    )
    ledger.record("bakery")
    assert written[0] == OPENING
    assert written[1].startswith(b'{"month"')


def test_a_handle_recorded_twice_counts_once(ledger: ep.Ledger, path: Path) -> None:
    """The earlier time counts, for example after two ledgers were merged by hand."""
    ledger.record("bakery")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, lines[1].replace(b"12:20", b"15:45")]))
    assert ledger.first_requests() == {"bakery": datetime(2026, 4, 15, 12, 20, tzinfo=UTC)}


CROWD = textwrap.dedent(
    """
    import sys
    import engagement_pandas as ep
    ledger = ep.Ledger(sys.argv[1], limit=int(sys.argv[2]), clock=lambda: 1776255600.0)
    print("ready", flush=True)
    sys.stdin.readline()
    recorded = 0
    for number in range(10):
        recorded += ledger.record(f"h{(number * 7 + int(sys.argv[3])) % 20}")
    print(recorded, flush=True)
    """
)


@pytest.mark.slow
@pytest.mark.parametrize("limit", [1000, 13])
def test_concurrent_processes_share_one_ledger(path: Path, limit: int) -> None:
    """Each handle is recorded once; each new one beyond the limit is reported with a warning."""
    running = [
        processes.start(sys.executable, "-c", CROWD, str(path), str(limit), str(number * 4))
        for number in range(5)
    ]
    for process in running:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    ended = [process.communicate() for process in running]
    assert sum(int(recorded) for recorded, _ in ended) == 20
    warned = "".join(text for _, text in ended).count(" has reached the limit in the meantime")
    assert (warned > 0) == (limit < 20)
    with pytest.raises(ep.LedgerFull) if limit < 20 else nullcontext():
        ep.Ledger(path, limit=limit, clock=lambda: 1776255600.0).allow("another")
    handles = ep.Ledger(path).handles("2026-04")
    assert len(handles) == len(set(handles)) == 20


# A ledger that was not requested


@pytest.fixture(params=["a file in its place", "no home"])
def without_ledger(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Return an environment without a possible path for a ledger."""

    def no_home() -> Path:
        msg = "Could not determine home directory."
        raise RuntimeError(msg)

    monkeypatch.setattr(Path, "home", no_home)
    (tmp_path / "file").touch()
    folder = {"a file in its place": str(tmp_path / "file"), "no home": ""}[request.param]
    return {"XDG_CONFIG_HOME": folder}


def test_a_default_ledger_that_cannot_be_kept_is_not_an_error(
    without_ledger: dict[str, str],
) -> None:
    """One warning for each handle reports that it is not recorded, and why."""
    ledger = ep.Ledger.from_env(without_ledger)
    with pytest.warns(UserWarning, match=r"ledger.*handles are not recorded until then"):
        assert ledger.record("bakery") is False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ledger.record("bakery") is False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert ledger.check(["railway"]) == ("railway",)
    assert "ledger" in repr(ledger)


def test_a_ledger_with_a_limit_must_be_kept(without_ledger: dict[str, str]) -> None:
    """The user relies on the limit; without a home folder the message names the variable to set."""
    ledger = ep.Ledger.from_env({**without_ledger, "X_HANDLE_LIMIT": "5"})
    words = "cannot be" if without_ledger["XDG_CONFIG_HOME"] else r"no home folder.*X_LEDGER"
    for use in (lambda: ledger.record("bakery"), lambda: ledger.check(["bakery"])):
        with pytest.raises(ep.LedgerError, match=words):
            use()


def test_a_named_ledger_must_be_kept(tmp_path: Path) -> None:
    """X_LEDGER alone makes the ledger mandatory."""
    (tmp_path / "file").touch()
    ledger = ep.Ledger.from_env({"X_LEDGER": str(tmp_path / "file" / "ledger")})
    with pytest.raises(ep.LedgerError, match="cannot be"):
        ledger.record("bakery")


def test_damage_of_a_default_ledger_is_an_error(tmp_path: Path) -> None:
    """Earlier records may be in the damaged file."""
    ledger = ep.Ledger.from_env({"XDG_CONFIG_HOME": str(tmp_path)})
    ledger.path.parent.mkdir()
    ledger.path.write_text("a diary\n")
    with pytest.raises(ep.LedgerError, match="line 1 of"):
        ledger.record("bakery")


# Representations


def test_representations(path: Path, clock: FakeClock) -> None:
    """`str` shows the month's use, and the table needs no file."""
    ledger = ep.Ledger(path, limit=7, clock=clock.time)
    ledger.record("bakery")
    ledger.record("railway", datetime(2026, 4, 20, 8, 30, tzinfo=UTC))
    assert str(ledger) == f"Ledger({path}: 2 of 7 handles requested in 2026-04)"
    path.unlink()
    assert repr(ledger) == f"Ledger({path}, limit=7)"
    cells = re.findall(r"<td>([^<]*)</td>", ledger._repr_html_())
    assert cells == [str(path), "7 handles a month", "print(ledger)", "ledger.first_requests()"]


def test_paths_are_escaped_in_the_table(tmp_path: Path) -> None:
    """Markup in a path has no effect."""
    assert "<b>" not in ep.Ledger(tmp_path / "<b>.jsonl")._repr_html_()


def test_a_sandbox_has_a_separate_ledger(tmp_path: Path) -> None:
    """X_BASE_URL or the argument selects it; the contract's ledger is unchanged."""
    environ = {"X_LEDGER": str(tmp_path / "mine"), "X_HANDLE_LIMIT": "3"}
    loopback = "http://127.0.0.1:8080"
    for ledger in (
        ep.Ledger.from_env(environ | {"X_BASE_URL": loopback}),
        ep.Ledger.from_env(environ, base_url=loopback),
    ):
        assert (ledger.path, ledger.limit) == (tmp_path / "sandbox-mine", 3)
    for url in (None, "https://data-api.x.com"):
        assert ep.Ledger.from_env(environ, base_url=url).path == tmp_path / "mine"
    remote = ep.Ledger.from_env(
        environ | {"X_BASE_URL": loopback}, base_url="https://data-api.x.com"
    )
    assert remote.path == tmp_path / "mine"


@pytest.mark.parametrize(
    ("status", "recorded"), [(200, True), (400, True), (403, True), (401, False), (404, False)]
)
def test_only_answered_requests_are_recorded(
    server: ScriptedServer,
    clock: FakeClock,
    path: Path,
    status: int,
    recorded: bool,  # noqa: FBT001
) -> None:
    """Refused or misdirected requests are not billed; nothing is recorded before the response."""
    ledger = ep.Ledger(path, clock=clock.time)
    body = {"by_post": {"1": {"favorites": "1"}}} if status == 200 else {"errors": ["no"]}
    recorded_before: list[bool] = []
    server.answer(Scripted(status, body))
    with ledger_client(server, clock, ledger) as client, suppress(ep.RefusedError):
        client.fetch(REQUEST, watch=lambda _: recorded_before.append(path.exists()))
    assert recorded_before[0] is False
    assert ledger.handles() == (("user_9",) if recorded else ())


def test_unsent_requests_are_not_recorded(clock: FakeClock, path: Path) -> None:
    """No server listens, as on a machine without a network."""
    ledger = ep.Ledger(path, clock=clock.time)
    with (
        ledger_client("http://127.0.0.1:9", clock, ledger) as client,
        pytest.raises(ep.TransportError),
    ):
        client.fetch(REQUEST)
    assert not path.exists()


@pytest.mark.slow
def test_outages_are_not_recorded(server: ScriptedServer, clock: FakeClock, path: Path) -> None:
    """Only the response after eight failures is recorded."""
    ledger = ep.Ledger(path, clock=clock.time)
    down = [Scripted(status, {"errors": ["later"]}) for status in (503, 429) * 4]
    server.answer(*down, Scripted(200, {"by_post": {"1": {"favorites": "1"}}}))
    with ledger_client(server, clock, ledger) as client:
        with pytest.raises(ep.QuotaExceeded):
            client.fetch(REQUEST)
        assert not path.exists()
        client.fetch(REQUEST)
    assert ledger.handles() == ("user_9",)


@pytest.mark.parametrize("stored", [False, True], ids=["fetch", "collect"])
def test_a_response_that_cannot_be_recorded_is_returned(
    server: ScriptedServer,
    clock: FakeClock,
    path: Path,
    tmp_path: Path,
    stored: bool,  # noqa: FBT001
) -> None:
    """The ledger is damaged before the response arrives: the error carries the response."""
    path.parent.mkdir()

    def answer(_: Any) -> Any:
        path.write_bytes(b"a diary\n")
        return {"by_post": {"1": {"favorites": "7"}}}

    server.answer(Scripted(200, answer))
    archive = ep.Archive(tmp_path / "raw")
    client = ledger_client(server, clock, ep.Ledger(path, clock=clock.time))
    fetch = partial(client.collect, into=archive) if stored else client.fetch
    with client, pytest.raises(ep.LedgerError, match="line 1 of") as caught:
        fetch(REQUEST)
    responses: Any = list(archive.collections[0]) if stored else caught.value.responses
    assert ep.flatten(responses)["count"].to_list() == [7]
    assert len(server.seen) == 1


def test_loopback_requests_are_not_recorded_in_the_contracts_ledger(
    server: ScriptedServer, clock: FakeClock, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loopback requests are neither recorded nor limited, unless the ledger's file is named."""
    monkeypatch.setenv("X_LEDGER", str(path))
    ep.Ledger(clock=clock.time).record("bakery")
    before = path.read_bytes()
    for ledger in (ep.Ledger(limit=1, clock=clock.time), ep.Ledger.from_env()):
        server.answer(Scripted(200, {"by_post": {"1": {"favorites": "1"}}}))
        with ledger_client(server, clock, ledger) as client:
            client.fetch(REQUEST)
    assert path.read_bytes() == before


REQUEST = ep.totals(["1"], engagement_types=["favorites"])


def ledger_client(
    server: ScriptedServer | str, clock: FakeClock, ledger: ep.Ledger
) -> ep.EngagementClient:
    """Return a client that keeps a ledger."""
    url = server if isinstance(server, str) else server.url
    return ep.EngagementClient(
        USER, base_url=url, ledger=ledger, clock=clock.time, sleep=clock.sleep
    )
