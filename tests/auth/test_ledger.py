"""The ledger of handles asked with: months, limits, crashes, and several processes."""

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
from engagement_pandas.auth import ledger_file

APRIL = 1_776_255_600.0  # 2026-04-15T12:20:00Z
OPENING = b'{"ledger":"engagement_pandas","version":1}\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the ledger goes; neither it nor its folder is there yet."""
    return tmp_path / "settings" / "ledger.jsonl"


@pytest.fixture
def ledger(path: Path, clock: FakeClock) -> ep.Ledger:
    """Return a ledger without a limit."""
    return ep.Ledger(path, clock=clock.time)


# What is written down


def test_a_handle_counts_once_a_month(ledger: ep.Ledger) -> None:
    """However it is spelt; the first one first."""
    assert [ledger.record(h) for h in ("railway", "@Bakery", "RAILWAY", "bakery")] == [
        True,
        True,
        False,
        False,
    ]
    assert ledger.handles() == ("railway", "bakery")


def test_what_is_in_the_file(ledger: ep.Ledger, path: Path) -> None:
    """A line says of which format it is, then a line a handle, with the moment in UTC."""
    ledger.record("@Bakery", datetime(2026, 4, 1, 1, tzinfo=timezone(timedelta(hours=3))))
    assert path.read_bytes() == (
        OPENING + b'{"month":"2026-03","handle":"bakery","first_asked_at":"2026-03-31T22:00:00Z"}\n'
    )


def test_another_process_reads_it(ledger: ep.Ledger, path: Path, clock: FakeClock) -> None:
    """And is told that the handle is known."""
    ledger.record("bakery")
    other = ep.Ledger(path, clock=clock.time)
    assert other.handles() == ("bakery",)
    assert other.record("bakery") is False
    assert other.asked() == {"bakery": datetime(2026, 4, 15, 12, 20, tzinfo=UTC)}


def test_months_are_those_of_utc(ledger: ep.Ledger, clock: FakeClock) -> None:
    """A second before midnight UTC, and at midnight; each month begins at nothing."""
    last = datetime(2026, 4, 30, 23, 59, 59, tzinfo=UTC)
    clock.now = last.timestamp()
    ledger.record("bakery")
    assert ledger.month == "2026-04"
    clock.now += 1
    assert ledger.month == "2026-05"
    assert ledger.handles() == ()
    assert ledger.record("bakery") is True
    assert ledger.handles("2026-04") == ledger.handles("2026-05") == ("bakery",)


def test_what_is_known_costs_nothing(ledger: ep.Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is called before each request: no file is opened the second time."""
    ledger.record("bakery")
    monkeypatch.setattr(ledger_file.JsonLinesFile, "writing", None)
    monkeypatch.setattr(ledger_file.JsonLinesFile, "lines", None)
    assert ledger.record("@Bakery") is False


def test_it_is_on_disk_at_once(
    ledger: ep.Ledger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is flushed through to the disk when note returns."""
    ledger.record("bakery")
    flushed: list[bytes] = []
    fsync = os.fsync

    def watched(handle: int) -> None:
        flushed.append(path.read_bytes())
        fsync(handle)

    monkeypatch.setattr(ledger_file.os, "fsync", watched)
    ledger.record("railway")
    assert flushed[-1] == path.read_bytes()
    assert b"railway" in flushed[-1]


def test_nothing_is_written_by_looking(ledger: ep.Ledger, path: Path) -> None:
    """Neither by asking nor by showing."""
    assert ledger.check(["bakery"]) == ("bakery",)
    assert ledger.handles() == ()
    assert "0 handles requested in 2026-04" in str(ledger)
    assert not path.parent.exists()


def test_a_number_and_a_handle_are_one(path: Path, clock: FakeClock) -> None:
    """Once somebody tells that they are: what was noted by number is not noted again."""
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


def test_noted_by_number_and_by_handle(ledger: ep.Ledger) -> None:
    """Both stand there, from before: it is one of two owners, from the first time on."""
    for name in ("user_9", "railway", "bakery"):
        ledger.record(name)
    ledger.alias("user_9", "bakery")
    assert ledger.handles() == ("bakery", "railway")


NAMES = st.sampled_from(["bakery", "Bakery", "@railway", "alps", "closed", "OBSERVATORY"])
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 4, 30), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.slow
@settings(max_examples=25)
@given(st.lists(st.tuples(NAMES, MOMENTS), max_size=8), st.integers(1, 3) | st.none())
def test_every_answer_is_noted(notes: list[tuple[str, datetime]], limit: int | None) -> None:
    """Also beyond the limit, with a warning: it is billed. And after reading it again."""
    import tempfile  # noqa: PLC0415 - hypothesis and tmp_path do not go together

    expected: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        ledger = ep.Ledger(Path(folder, "ledger"), limit=limit)
        for name, moment in notes:
            month = expected.setdefault(moment.isoformat()[:7], [])
            handle = name.removeprefix("@").lower()
            if handle in month:
                assert ledger.record(name, moment) is False
                continue
            month.append(handle)
            beyond = limit is not None and len(month) > limit
            words = f"{handle} is handle {len(month)} of {limit} in"
            with pytest.warns(UserWarning, match=words) if beyond else nullcontext():
                assert ledger.record(name, moment) is True
        for read in (ledger, ep.Ledger(Path(folder, "ledger"))):
            assert {month: list(read.handles(month)) for month in expected} == expected


# The limit


def test_what_would_be_new(ledger: ep.Ledger) -> None:
    """Sorted, each once; what is known is not."""
    ledger.record("bakery")
    assert ledger.check(["@Railway", "Bakery", "alps", "railway"]) == ("alps", "railway")
    assert ledger.check([]) == ()
    assert ledger.check(["bakery"], datetime(2026, 5, 1, tzinfo=UTC)) == ("bakery",)


def test_warned_from_80_per_cent(path: Path, clock: FakeClock) -> None:
    """Of 5 handles the fourth; only where one would be new."""
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


def test_stopped_beyond_the_limit(path: Path, clock: FakeClock) -> None:
    """The limit itself may be reached; one more is refused, with the numbers and the cures."""
    ledger = ep.Ledger(path, limit=2, clock=clock.time)
    ledger.record("a")
    ledger.record("b")
    ledger.allow("b")
    for ask in (lambda: ledger.check(["a", "c"]), lambda: ledger.allow("c")):
        with pytest.raises(ep.LedgerFull, match=r"2 of 2 handles.*2026-04.*\['c'\].*next month"):
            ask()
    assert ledger.record("a") is False
    assert ledger.handles() == ("a", "b")
    clock.now += 31 * 86_400
    assert ledger.record("c") is True


def test_it_is_a_request_that_was_not_sent() -> None:
    """Whoever catches wrong questions catches it: nothing was sent."""
    assert issubclass(ep.LedgerFull, ep.RequestError)


@pytest.mark.parametrize("limit", [0, -1, 1.5, "5", True])
def test_what_is_no_limit(path: Path, limit: Any) -> None:
    """By value."""
    with pytest.raises(ep.RequestError, match=re.escape(f"limit is {limit!r}")):
        ep.Ledger(path, limit=limit)


def test_limit_and_path_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """X_LEDGER and X_HANDLE_LIMIT; among the settings without them."""
    made = ep.Ledger.from_env({"X_LEDGER": "/mine.jsonl", "X_HANDLE_LIMIT": " 25 "})
    assert (made.path, made.limit) == (Path("/mine.jsonl"), 25)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    made = ep.Ledger.from_env({"X_HANDLE_LIMIT": ""})
    expected = tmp_path / ".config" / "engagement_pandas" / "ledger.jsonl"
    assert (made.path, made.limit) == (expected, None)
    for text in ("0", "many", "-1", "2.5", "\u0665"):
        with pytest.raises(ep.RequestError, match="X_HANDLE_LIMIT"):
            ep.Ledger.from_env({"X_HANDLE_LIMIT": text})


@pytest.mark.parametrize(
    "month", ["2026", "2026-4", "2026-13", "2026-00", "2026-04-01", "April", 4]
)
def test_what_is_no_month(ledger: ep.Ledger, month: Any) -> None:
    """Would otherwise look like one without handles."""
    with pytest.raises(ep.RequestError, match="is not a month"):
        ledger.handles(month)


def test_what_cannot_be_noted(ledger: ep.Ledger, path: Path) -> None:
    """No handle, a moment without a zone, a text where several are meant."""
    with pytest.raises(ep.RequestError, match="is not a handle"):
        ledger.record("a b")
    with pytest.raises(ep.RequestError, match="has no time zone"):
        ledger.record("bakery", datetime(2026, 4, 1))  # noqa: DTZ001
    with pytest.raises(ep.RequestError, match="handles is the string 'bakery'"):
        ledger.check("bakery")
    assert not path.exists()


# Crashes, damage, company


def test_every_cut_of_the_file_can_be_gone_on_with(path: Path, clock: FakeClock) -> None:
    """A power cut leaves any beginning of the last line: what stood before stands."""
    ledger = ep.Ledger(path, clock=clock.time)
    ledger.record("bakery")
    ledger.record("railway")
    whole = path.read_bytes()
    first = whole[: whole[:-1].rfind(b"\n") + 1]
    for length in range(len(first), len(whole), 4):
        for rest in (b"", b"\0" * 7):
            path.write_bytes(whole[:length] + rest)
            again = ep.Ledger(path, clock=clock.time)
            assert again.handles() == ("bakery",)
            assert again.record("railway") is True
            assert path.read_bytes() == whole


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
def test_damage_is_told_by_line(ledger: ep.Ledger, path: Path, number: int, line: bytes) -> None:
    """A handle less would be a bill that nobody expects; nothing is written over."""
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
def test_somebody_elses_file(ledger: ep.Ledger, path: Path, content: bytes) -> None:
    """Is left as it is, also where it has no line at all."""
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ep.LedgerError, match="line 1 of"):
        ledger.record("bakery")
    assert path.read_bytes() == content


def test_an_empty_file_is_a_new_one(ledger: ep.Ledger, path: Path) -> None:
    """As somebody makes who sets its permissions first."""
    path.parent.mkdir()
    path.touch()
    assert ledger.record("bakery") is True
    assert path.read_bytes().startswith(OPENING)
    assert ledger.handles() == ("bakery",)


def test_a_ledger_of_the_future(ledger: ep.Ledger, path: Path) -> None:
    """Is not guessed at."""
    path.parent.mkdir()
    path.write_bytes(OPENING.replace(b"1", b"2") + b"whatever\n")
    with pytest.raises(ep.LedgerError, match="version 2, and this package reads version 1; update"):
        ledger.record("bakery")


def test_a_place_that_cannot_be(tmp_path: Path) -> None:
    """A folder in its place, or a file in the place of its folder."""
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file" / "ledger"):
        with pytest.raises(ep.LedgerError, match="cannot be"):
            ep.Ledger(place).record("bakery")


def test_a_disk_that_is_full(
    ledger: ep.Ledger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What did not get to the disk is taken back: the next call tries again."""
    ledger.record("bakery")
    before = path.read_bytes()
    fsync = os.fsync

    def full(handle: int) -> None:
        if os.fstat(handle).st_ino == path.stat().st_ino:
            assert b"railway" in path.read_bytes()
            raise OSError(28, "No space left on device")
        fsync(handle)

    with monkeypatch.context() as patched:
        patched.setattr(ledger_file.os, "fsync", full)
        with pytest.raises(ep.LedgerError, match=r"No space left.*free some disk space"):
            ledger.record("railway")
    assert path.read_bytes() == before
    assert ledger.record("railway") is True
    assert ep.Ledger(path).handles("2026-04") == ("bakery", "railway")


def test_a_disk_that_takes_half_a_line() -> None:
    """The system says how much it took, and raises nothing."""

    class Half(io.RawIOBase):
        def write(self, content: Any) -> int:
            return len(content) // 2

        def fileno(self) -> int:
            return 1

    with pytest.raises(OSError, match="No space left"):
        ledger_file._put(Half(), b"a line\n")  # type: ignore[arg-type]


def test_the_first_line_is_whole_before_the_second(
    ledger: ep.Ledger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut during the first handle leaves a ledger, and no file that is none."""
    seen: list[bytes] = []
    monkeypatch.setattr(ledger_file, "_put", lambda _, line: seen.extend([path.read_bytes(), line]))
    ledger.record("bakery")
    assert seen[0] == OPENING
    assert seen[1].startswith(b'{"month"')


def test_a_handle_that_stands_there_twice(ledger: ep.Ledger, path: Path) -> None:
    """As where somebody put two ledgers together: it counts once, from the first time."""
    ledger.record("bakery")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, lines[1].replace(b"12:20", b"15:45")]))
    assert ledger.asked() == {"bakery": datetime(2026, 4, 15, 12, 20, tzinfo=UTC)}


CROWD = textwrap.dedent(
    """
    import sys
    import engagement_pandas as ep
    ledger = ep.Ledger(sys.argv[1], limit=int(sys.argv[2]), clock=lambda: 1776255600.0)
    print("ready", flush=True)
    sys.stdin.readline()
    noted = 0
    for number in range(10):
        noted += ledger.record(f"h{(number * 7 + int(sys.argv[3])) % 20}")
    print(noted, flush=True)
    """
)


@pytest.mark.slow
@pytest.mark.parametrize("limit", [1000, 13])
def test_a_crowd_keeps_one_ledger(path: Path, limit: int) -> None:
    """Five processes at once: each handle once; beyond the limit each new one is warned of."""
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
    assert sum(int(noted) for noted, _ in ended) == 20
    warned = "".join(words for _, words in ended).count(" has reached the limit in the meantime")
    assert (warned > 0) == (limit < 20)
    with pytest.raises(ep.LedgerFull) if limit < 20 else nullcontext():
        ep.Ledger(path, limit=limit, clock=lambda: 1776255600.0).allow("another")
    handles = ep.Ledger(path).handles("2026-04")
    assert len(handles) == len(set(handles)) == 20


# A ledger that nobody asked for


@pytest.fixture(params=["a file in its place", "no home"])
def nowhere(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Return an environment in which there is no place for a ledger."""

    def homeless() -> Path:
        msg = "Could not determine home directory."
        raise RuntimeError(msg)

    monkeypatch.setattr(Path, "home", homeless)
    (tmp_path / "file").touch()
    place = {"a file in its place": str(tmp_path / "file"), "no home": ""}[request.param]
    return {"XDG_CONFIG_HOME": place}


def test_a_ledger_that_nobody_asked_for_stops_nobody(nowhere: dict[str, str]) -> None:
    """It is told that nobody is noted, once a handle, and why."""
    ledger = ep.Ledger.from_env(nowhere)
    with pytest.warns(UserWarning, match=r"ledger.*handles are not recorded until then"):
        assert ledger.record("bakery") is False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ledger.record("bakery") is False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert ledger.check(["railway"]) == ("railway",)
    assert "ledger" in repr(ledger)


def test_a_ledger_that_is_asked_for_is_kept_or_else(nowhere: dict[str, str]) -> None:
    """Whoever set a limit relies on it; without a home the message says what to set."""
    ledger = ep.Ledger.from_env({**nowhere, "X_HANDLE_LIMIT": "5"})
    words = "cannot be" if nowhere["XDG_CONFIG_HOME"] else r"no home folder.*X_LEDGER"
    for use in (lambda: ledger.record("bakery"), lambda: ledger.check(["bakery"])):
        with pytest.raises(ep.LedgerError, match=words):
            use()


def test_a_named_file_is_kept_or_else(tmp_path: Path) -> None:
    """X_LEDGER alone is word enough."""
    (tmp_path / "file").touch()
    ledger = ep.Ledger.from_env({"X_LEDGER": str(tmp_path / "file" / "ledger")})
    with pytest.raises(ep.LedgerError, match="cannot be"):
        ledger.record("bakery")


def test_damage_is_told_also_where_nobody_asked(tmp_path: Path) -> None:
    """What was noted may be in it."""
    ledger = ep.Ledger.from_env({"XDG_CONFIG_HOME": str(tmp_path)})
    ledger.path.parent.mkdir()
    ledger.path.write_text("a diary\n")
    with pytest.raises(ep.LedgerError, match="line 1 of"):
        ledger.record("bakery")


# Shown


def test_it_is_shown(path: Path, clock: FakeClock) -> None:
    """As a sentence with the month's use, and as a table that needs no file."""
    ledger = ep.Ledger(path, limit=7, clock=clock.time)
    ledger.record("bakery")
    ledger.record("railway", datetime(2026, 4, 20, 8, 30, tzinfo=UTC))
    assert str(ledger) == f"Ledger({path}: 2 of 7 handles requested in 2026-04)"
    path.unlink()
    assert repr(ledger) == f"Ledger({path}, limit=7)"
    cells = re.findall(r"<td>([^<]*)</td>", ledger._repr_html_())
    assert cells == [str(path), "7 handles a month", "print(ledger)", "ledger.asked()"]


def test_a_path_does_not_break_out_of_the_table(tmp_path: Path) -> None:
    """A path with markup is escaped."""
    assert "<b>" not in ep.Ledger(tmp_path / "<b>.jsonl")._repr_html_()


def test_a_sandbox_has_a_ledger_of_its_own(tmp_path: Path) -> None:
    """By X_BASE_URL or by name: beside the contract's, which is left alone."""
    environ = {"X_LEDGER": str(tmp_path / "mine"), "X_HANDLE_LIMIT": "3"}
    here = "http://127.0.0.1:8080"
    for ledger in (
        ep.Ledger.from_env(environ | {"X_BASE_URL": here}),
        ep.Ledger.from_env(environ, base_url=here),
    ):
        assert (ledger.path, ledger.limit) == (tmp_path / "sandbox-mine", 3)
    for url in (None, "https://data-api.x.com"):
        assert ep.Ledger.from_env(environ, base_url=url).path == tmp_path / "mine"
    remote = ep.Ledger.from_env(environ | {"X_BASE_URL": here}, base_url="https://data-api.x.com")
    assert remote.path == tmp_path / "mine"


@pytest.mark.parametrize(
    ("status", "noted"), [(200, True), (400, True), (403, True), (401, False), (404, False)]
)
def test_only_answers_count(
    server: ScriptedServer,
    clock: FakeClock,
    path: Path,
    status: int,
    noted: bool,  # noqa: FBT001
) -> None:
    """What was not let in, or led nowhere, is not billed; nothing is noted before the answer."""
    ledger = ep.Ledger(path, clock=clock.time)
    body = {"by_post": {"1": {"favorites": "1"}}} if status == 200 else {"errors": ["no"]}
    seen: list[bool] = []
    server.answer(Scripted(status, body))
    with asking(server, clock, ledger) as client, suppress(ep.RefusedError):
        client.fetch(ASK, watch=lambda _: seen.append(path.exists()))
    assert seen[0] is False
    assert ledger.handles() == (("user_9",) if noted else ())


def test_what_never_left_does_not_count(clock: FakeClock, path: Path) -> None:
    """Nobody listens, as with a machine that is off the network."""
    ledger = ep.Ledger(path, clock=clock.time)
    with asking("http://127.0.0.1:9", clock, ledger) as client, pytest.raises(ep.TransportError):
        client.fetch(ASK)
    assert not path.exists()


@pytest.mark.slow
def test_outages_do_not_count(server: ScriptedServer, clock: FakeClock, path: Path) -> None:
    """Eight times 503 or 429, then an answer: only that one."""
    ledger = ep.Ledger(path, clock=clock.time)
    down = [Scripted(status, {"errors": ["later"]}) for status in (503, 429) * 4]
    server.answer(*down, Scripted(200, {"by_post": {"1": {"favorites": "1"}}}))
    with asking(server, clock, ledger) as client:
        with pytest.raises(ep.QuotaExceeded):
            client.fetch(ASK)
        assert not path.exists()
        client.fetch(ASK)
    assert ledger.handles() == ("user_9",)


@pytest.mark.parametrize("stored", [False, True], ids=["fetch", "collect"])
def test_an_answer_that_cannot_be_noted_is_handed_over(
    server: ScriptedServer,
    clock: FakeClock,
    path: Path,
    tmp_path: Path,
    stored: bool,  # noqa: FBT001
) -> None:
    """The ledger is damaged while the answer is on its way: an error, and the answer is there."""
    path.parent.mkdir()

    def answer(_: Any) -> Any:
        path.write_bytes(b"a diary\n")
        return {"by_post": {"1": {"favorites": "7"}}}

    server.answer(Scripted(200, answer))
    archive = ep.Archive(tmp_path / "raw")
    client = asking(server, clock, ep.Ledger(path, clock=clock.time))
    ask = partial(client.collect, into=archive) if stored else client.fetch
    with client, pytest.raises(ep.LedgerError, match="line 1 of") as caught:
        ask(ASK)
    responses: Any = list(archive.collections[0]) if stored else caught.value.responses
    assert ep.flatten(responses)["count"].to_list() == [7]
    assert len(server.seen) == 1


def test_the_contracts_ledger_is_not_kept_for_this_machine(
    server: ScriptedServer, clock: FakeClock, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless its file is named, nothing is noted for a server on loopback, nor is there a limit."""
    monkeypatch.setenv("X_LEDGER", str(path))
    ep.Ledger(clock=clock.time).record("bakery")
    before = path.read_bytes()
    for ledger in (ep.Ledger(limit=1, clock=clock.time), ep.Ledger.from_env()):
        server.answer(Scripted(200, {"by_post": {"1": {"favorites": "1"}}}))
        with asking(server, clock, ledger) as client:
            client.fetch(ASK)
    assert path.read_bytes() == before


ASK = ep.totals(["1"], engagement_types=["favorites"])


def asking(
    server: ScriptedServer | str, clock: FakeClock, ledger: ep.Ledger
) -> ep.EngagementClient:
    """Return a client of a server that keeps a ledger."""
    url = server if isinstance(server, str) else server.url
    return ep.EngagementClient(
        USER, base_url=url, ledger=ledger, clock=clock.time, sleep=clock.sleep
    )
