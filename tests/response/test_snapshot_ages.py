"""How far apart the responses of a snapshot may be, and when an unfinished one is resumed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from client.test_failures import Rule
from support.archive.asking import in_parts
from support.scripted import FakeClock, Scripted, ScriptedServer, Seen

import engagement_pandas as ep
from engagement_pandas.cli import main
from engagement_pandas.response.archives.answer_files import MANIFEST
from engagement_pandas.response.archives.collection import Collection
from engagement_pandas.response.archives.snapshot_age import MOST_APART
from engagement_pandas.response.archives.stored_file_format import encode_record

SNAPSHOTS = {
    "totals": (ep.totals, timedelta(hours=1)),
    "28hr": (ep.last_28_hours, timedelta(minutes=10)),
}
both_endpoints = pytest.mark.parametrize("endpoint", SNAPSHOTS)
WEEK = timedelta(days=7)


class Stop(Exception):
    """Stops a job from its watch."""


class Api:
    """Counts the requests; every count it returns is the number of the request."""

    def __init__(self, server: ScriptedServer) -> None:
        self._server = server
        server.script = Rule(server, self._answer)

    def _answer(self, seen: Seen) -> Scripted:
        posts = {p: {"replies": str(len(self._server.seen))} for p in seen.body["tweet_ids"]}
        return Scripted(200, {"by_post": posts})

    @property
    def sent(self) -> list[str]:
        return [post for seen in self._server.seen for post in seen.body["tweet_ids"]]


@pytest.fixture
def api(server: ScriptedServer) -> Api:
    """Return the scripted API."""
    return Api(server)


@pytest.fixture
def archive(tmp_path: Path) -> ep.Archive:
    """Return an archive."""
    return ep.Archive(tmp_path / "raw")


def question(endpoint: str) -> Any:
    """Return a plan with one request for each of three posts."""
    make_request, _ = SNAPSHOTS[endpoint]
    return in_parts(make_request(["1", "2", "3"], engagement_types=["replies"], by=ep.BY_POST), 1)


def begun(client: ep.EngagementClient, todo: Any, archive: ep.Archive, answers: int) -> Collection:
    """Begin a snapshot, and stop after some responses."""

    def watch(step: Any) -> None:
        if step.done >= answers:
            raise Stop

    with pytest.raises(Stop):
        client.collect(todo, into=archive, watch=watch)
    return archive.collections[-1]


def collect(client: ep.EngagementClient, todo: Any, archive: ep.Archive) -> Collection:
    """Collect without a progress bar."""
    return client.collect(todo, into=archive, watch=lambda _: None)


def test_the_limits_are_ten_minutes_and_an_hour() -> None:
    """A historical window has no limit."""
    assert {str(endpoint): most for endpoint, most in MOST_APART.items()} == {
        name: most for name, (_, most) in SNAPSHOTS.items()
    }


@pytest.mark.slow
@both_endpoints
def test_a_snapshot_is_resumed_within_the_limit(
    client: ep.EngagementClient, api: Api, archive: ep.Archive, clock: FakeClock, endpoint: str
) -> None:
    """Exactly at the limit it is still completed."""
    first = begun(client, question(endpoint), archive, 1)
    clock.now += SNAPSHOTS[endpoint][1].total_seconds()
    assert collect(client, question(endpoint), archive) == first
    assert first.complete
    assert api.sent == ["1", "2", "3"]
    assert archive.verify() == ()


@pytest.mark.slow
@both_endpoints
@pytest.mark.parametrize("answers", [1, *(pytest.param(n, marks=pytest.mark.long) for n in (0, 3))])
@pytest.mark.parametrize("later", [1, -1], ids=["later", "clock set back"])
def test_a_snapshot_beyond_the_limit_is_not_resumed(  # noqa: PLR0913, PLR0917
    client: ep.EngagementClient,
    api: Api,
    archive: ep.Archive,
    clock: FakeClock,
    endpoint: str,
    answers: int,
    later: int,
) -> None:
    """A new one is begun, even if only the mark is missing; the old one is reported once."""
    first = begun(client, question(endpoint), archive, answers)
    sent = len(api.sent)
    clock.now += later * (SNAPSHOTS[endpoint][1].total_seconds() + 2)
    message = f"{first.path.name} is not finished.*{3 - answers} requests? without an answer"
    with pytest.warns(UserWarning, match=message):
        second = collect(client, question(endpoint), archive)
    assert second != first
    assert api.sent[sent:] == ["1", "2", "3"]
    (earliest, latest) = second.read_over or ()
    assert latest - earliest == timedelta()
    assert (second.complete, first.complete, first.ended) == (True, False, True)
    with pytest.warns(UserWarning, match="is not finished") if answers < 3 else _quiet():
        assert len(list(first)) == answers
    clock.now += later * WEEK.total_seconds()
    collect(client, question(endpoint), archive)  # it is not reported again
    assert len(archive.collections) == 3


class _quiet:  # noqa: N801 - takes the place of pytest.warns
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


@pytest.mark.slow
@both_endpoints
@pytest.mark.parametrize(
    ("later", "outcome"),
    [(0, "resumes"), (1, "begins a new snapshot")],
    ids=["in time", "too old"],
)
def test_an_interrupted_job_reports_whether_it_can_be_resumed(  # noqa: PLR0913, PLR0917
    client: ep.EngagementClient,
    api: Api,
    archive: ep.Archive,
    clock: FakeClock,
    endpoint: str,
    later: int,
    outcome: str,
) -> None:
    """It cannot if its first response is too old by then."""
    bound = SNAPSHOTS[endpoint][1].total_seconds()

    def watch(step: Any) -> None:
        if step.done == 2:
            clock.now += bound + later
            raise Stop

    with pytest.raises(Stop) as caught:
        client.collect(question(endpoint), into=archive, watch=watch)
    (collection,) = archive.collections
    kept = f"the answers so far are in {collection.path}; the same call {outcome}"
    assert caught.value.__notes__ == [kept]
    assert len(api.sent) == 2


@pytest.mark.slow
@both_endpoints
def test_a_reopened_snapshot_of_last_week_is_not_repaired(
    client: ep.EngagementClient, api: Api, archive: ep.Archive, clock: FakeClock, endpoint: str
) -> None:
    """A response of last week cannot be replaced by one of today."""
    first = collect(client, question(endpoint), archive)
    missing = first.records.file(first.requests[1])
    missing.unlink()
    clock.now += WEEK.total_seconds()
    first.reopen()
    with pytest.warns(UserWarning, match=r"7 days ago.*1 request without an answer"):
        second = collect(client, question(endpoint), archive)
    assert second != first
    assert not missing.exists()
    assert api.sent == ["1", "2", "3"] * 2
    first.reopen()  # it is reported again
    with pytest.warns(UserWarning, match="7 days ago"):
        third = collect(client, question(endpoint), archive)
    assert third not in (first, second)


@pytest.mark.slow
@both_endpoints
def test_a_snapshot_without_manifest_keeps_its_age(
    client: ep.EngagementClient, api: Api, archive: ep.Archive, clock: FakeClock, endpoint: str
) -> None:
    """Its responses have their retrieval times."""
    first = begun(client, question(endpoint), archive, 1)
    (first.path / MANIFEST).write_bytes(b"")
    clock.now += WEEK.total_seconds()
    with pytest.warns(UserWarning, match="stored request is lost"):
        second = collect(client, question(endpoint), archive)
    assert second != first
    assert api.sent[1:] == ["1", "2", "3"]


def test_historical_collections_have_no_age_limit(
    client: ep.EngagementClient, api: Api, archive: ep.Archive, clock: FakeClock
) -> None:
    """One is completed a year later, without a warning."""
    window = ep.Window.covering("2026-04-01", "2026-04-02")
    past = ep.historical(["1", "2"], engagement_types=["replies"], window=window, by=ep.BY_POST)
    first = begun(client, in_parts(past, 1), archive, 1)
    clock.now += 52 * WEEK.total_seconds()
    assert collect(client, in_parts(past, 1), archive) == first
    assert api.sent == ["1", "2"]
    assert archive.verify() == ()


@pytest.fixture
def mixed(client: ep.EngagementClient, api: Api, archive: ep.Archive) -> Iterator[Collection]:
    """Return a snapshot with responses 3 h 20 min apart, as an earlier version made it."""
    collection = begun(client, question("totals"), archive, 1)
    head, _, content = _unpacked(collection.records.file(collection.requests[0]))
    collect(client, question("totals"), archive)
    retrieved_at = client.now() - timedelta(hours=3, minutes=20)
    head["retrieved_at"] = retrieved_at.isoformat()
    collection.records.file(collection.requests[0]).write_bytes(encode_record(head, content))
    yield collection
    assert len(api.sent) == 3


def _unpacked(path: Path) -> tuple[dict[str, Any], bytes, bytes]:
    line, end, content = gzip.decompress(path.read_bytes()).partition(b"\n")
    head = json.loads(line)
    del head["sha256"]
    return head, end, content


def test_verify_reports_responses_too_far_apart(mixed: Collection, archive: ep.Archive) -> None:
    """They are not a snapshot, and no request can repair it."""
    (damage,) = archive.verify()
    assert (damage.path, damage.request) == (mixed.path, None)
    assert "read over 3 h 20 min" in damage.why
    assert "1 h" in damage.why
    first, last = mixed.read_over or ()
    assert last - first == timedelta(hours=3, minutes=20)


@pytest.mark.slow
def test_the_command_line_reports_responses_too_far_apart(
    mixed: Collection, archive: ep.Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    """Age and spread go to standard error, the damage to standard output."""
    assert main(["verify", str(archive.folder)]) == 9
    out, err = capsys.readouterr()
    assert out.startswith(f"{mixed.path}\tits answers were read over 3 h 20 min")
    assert "read over 3 h 20 min" in err
    assert " ago" in err


@pytest.mark.slow
def test_the_command_line_reports_the_age_of_a_valid_snapshot(
    client: ep.EngagementClient,
    api: Api,
    archive: ep.Archive,
    clock: FakeClock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its responses are four minutes apart."""
    begun(client, question("28hr"), archive, 1)
    clock.now += 240
    collection = collect(client, question("28hr"), archive)
    assert main(["verify", str(archive.folder)]) == 0
    assert f"{collection.path}: 28hr read over 4 min" in capsys.readouterr().err
    assert len(api.sent) == 3


def read_slowly(
    client: ep.EngagementClient, archive: ep.Archive, clock: FakeClock, apart: float, answers: int
) -> Collection:
    """Collect with this number of seconds between two responses; stop after some of them."""

    def watch(step: Any) -> None:
        if step.done > len(steps):
            steps.append(clock.now)
            clock.now += apart
        if step.done >= answers:
            raise Stop

    steps: list[float] = []
    with suppress(Stop):
        client.collect(question("totals"), into=archive, watch=watch)
    return archive.collections[0]


def test_a_long_job_is_a_snapshot(
    client: ep.EngagementClient,
    api: Api,
    archive: ep.Archive,
    clock: FakeClock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Two hours for three responses are reported, and nothing is damaged."""
    collection = read_slowly(client, archive, clock, 3600, 4)
    assert collection.complete
    assert archive.verify() == ()
    assert main(["verify", str(archive.folder)]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert (
        f"{collection.path}: totals read over 2 h (2026-04-15 12:20 to 2026-04-15 14:20 UTC)" in err
    )
    assert api.sent == ["1", "2", "3"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("apart", "answers", "reason"),
    [
        (3601, 4, "read over 2 h 2 s, with 1 h 1 s between two; "),
        (2400, 3, "read over 1 h 20 min, and it is not finished; "),
        (1800, 3, None),
    ],
)
def test_gaps_beyond_the_limit_are_reported(  # noqa: PLR0913, PLR0917
    client: ep.EngagementClient,
    api: Api,
    archive: ep.Archive,
    clock: FakeClock,
    apart: float,
    answers: int,
    reason: str | None,
) -> None:
    """Two responses are too far apart, or the rest can no longer be finished in time."""
    collection = read_slowly(client, archive, clock, apart, answers)
    assert collection.complete is (answers > 3)
    found = [damage.why for damage in archive.verify()]
    assert found == (
        [] if reason is None else [f"its answers were {reason}a snapshot can be resumed for 1 h"]
    )
    assert len(api.sent) == 3


# Complete collections


def test_a_collection_with_a_missing_response_is_not_complete(
    client: ep.EngagementClient, api: Api, archive: ep.Archive
) -> None:
    """A response that disappears before the end is noticed."""
    collection = collect(client, question("totals"), archive)
    collection.reopen()
    collection.records.file(collection.requests[2]).unlink()
    with pytest.raises(ep.ArchiveError, match="missing: replies of post 3"):
        collection.finish()
    assert not collection.complete
    assert len(api.sent) == 3


def test_a_collection_with_a_dropped_request_is_not_complete(
    client: ep.EngagementClient, api: Api, archive: ep.Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last request is dropped before it is stored."""
    real = Collection.requests.func  # type: ignore[attr-defined]
    monkeypatch.setattr(Collection, "requests", property(lambda self: real(self)[:-1]))
    with pytest.raises((ep.ArchiveError, ep.TransportError), match="missing: replies of post 3"):
        collect(client, question("totals"), archive)
    assert not archive.collections[0].complete
    assert api.sent == ["1", "2"]
