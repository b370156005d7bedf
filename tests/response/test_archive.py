"""The archive: the contents of its files, resumed jobs, and reports of damage."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.archive.asking import (
    WINDOW,
    Tables,
    answers,
    at_once,
    client_of,
    counts_and_omissions,
    in_parts,
    key,
    question,
    same,
    sandbox,
    sent,
    some_posts,
    stored,
)
from support.scripted import USER, FakeClock, Scripted, ScriptedServer
from test_secrets import APP, CANARIES, KEYS
from test_secrets import USER as CANARY_USER

import engagement_pandas as ep
from engagement_pandas.request.plan import Plan
from engagement_pandas.response.archives import answer_files
from engagement_pandas.response.archives.collection import Collection
from engagement_pandas.response.archives.stored_file_format import decode_record, encode_record
from engagement_pandas.sandbox import SandboxServer

FAVORITES = ["favorites"]


@pytest.fixture(autouse=True)
def _quick(server: ScriptedServer) -> None:
    at_once(server)


@pytest.fixture
def twin(clock: FakeClock) -> Iterator[SandboxServer]:
    """Run a sandbox on the fake clock."""
    with sandbox(clock) as server:
        yield server


@pytest.fixture
def owner(twin: SandboxServer, clock: FakeClock) -> Iterator[ep.EngagementClient]:
    """Return a client of the sandbox."""
    with client_of(twin, clock) as client:
        yield client


@pytest.fixture
def archive(tmp_path: Path) -> ep.Archive:
    """Return an archive whose folder does not exist yet."""
    return ep.Archive(tmp_path / "raw")


def collect(client: ep.EngagementClient, todo: Any, archive: ep.Archive) -> Collection:
    """Collect without a progress bar."""
    return client.collect(todo, into=archive, watch=lambda _: None)


def totals(*posts: Any, types: Any = FAVORITES) -> ep.EngagementRequest:
    """Request totals of posts."""
    return ep.totals(posts, engagement_types=types)


def past(*posts: Any, **changes: Any) -> ep.EngagementRequest:
    """Request two days of posts."""
    request = ep.historical(posts, engagement_types=FAVORITES, window=WINDOW, by=ep.BY_POST)
    return request.replace(**changes)


def counted(*posts: int, number: int = 1, **headers: str) -> Scripted:
    """Script a response with that count for each post."""
    body = {"by_post": {str(post): {"favorites": str(number)} for post in posts}}
    return Scripted(200, body, headers)


def bodies(server: ScriptedServer) -> list[list[str]]:
    """Return the posts of each request that arrived."""
    return [seen.body["tweet_ids"] for seen in server.seen]


def numbers(responses: Any) -> list[str]:
    """Return the count in each scripted response, in order."""
    return [next(iter(r.json()["by_post"].values()))["favorites"] for r in responses]


# The contents of a file


BODY = b'{ "by_post": {"1": {"favorites":"7"}},\n\n "caf\\u00e9": "\xc3\xa9" }\n'


def test_the_body_is_what_the_server_sent(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """Every byte is kept, with spaces and unknown keys; ``zcat FILE | tail -n +2`` shows it."""
    server.answer(Scripted(200, BODY))
    collect(client, totals(1), archive)
    ((path, (_, body)),) = answers(archive.folder).items()
    assert body == BODY
    zcat = shutil.which("zcat")
    if zcat:
        unpacked = subprocess.run([zcat, path], capture_output=True, check=True).stdout  # noqa: S603
        assert unpacked.partition(b"\n")[2] == BODY
    (response,) = archive
    assert response.content == BODY


def test_a_compressed_body_is_stored_as_it_arrived(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """The server's own gzip stream ends the file; its level and time show that."""
    gzipped = gzip.compress(BODY, 9, mtime=1_000_000_000) + gzip.compress(b"\n", mtime=7)
    server.answer(Scripted(200, BODY, gzipped=gzipped))
    (response,) = collect(client, totals(1), archive)
    ((path, (_, body)),) = answers(archive.folder).items()
    assert path.read_bytes().endswith(gzipped)
    assert response.content == body == BODY + b"\n"
    assert archive.verify() == ()


def test_an_uncompressed_body_is_stored_compressed(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """A proxy may have unpacked it."""
    body = BODY + b" " * 100_000
    server.answer(Scripted(200, headers={"content-encoding": "identity"}, gzipped=body))
    (response,) = collect(client, totals(1), archive)
    (path,) = answers(archive.folder)
    assert response.content == body
    assert path.stat().st_size < 2_000


def test_the_header_describes_the_response(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """One line of JSON has the request, the status, the time and the account."""
    server.answer(Scripted(200, BODY))
    collect(client, totals(1), archive)
    ((_, (head, _)),) = answers(archive.folder).items()
    assert head == {
        "format": 1,
        "endpoint": "totals",
        "request": totals(1).to_json(),
        "status": 200,
        "retrieved_at": "2026-04-15T12:20:00+00:00",
        "account": "user 9",
        "sha256": hashlib.sha256(BODY).hexdigest(),
    }


def test_the_request_is_stored_with_its_parts(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """It is stored before the first response, and the collection reads it."""
    server.answer(counted(*range(1, 251)), counted(251))
    collection = collect(client, totals(*range(1, 252)), archive)
    line = gzip.decompress((collection.path / "question.json.gz").read_bytes())
    manifest = json.loads(line)
    assert manifest["request"] == totals(*range(1, 252)).to_json()
    assert [len(part["tweet_ids"]) for part in manifest["parts"]] == [250, 1]
    assert (manifest["account"], manifest["started"]) == ("user 9", "2026-04-15T12:20:00+00:00")
    assert [len(part.post_ids) for part in collection.requests] == [250, 1]
    assert collection.account == "user 9"
    assert collection.started.isoformat() == "2026-04-15T12:20:00+00:00"
    assert collection.unanswered == ()


def test_a_stored_response_equals_the_fetched_one(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """Request, status, body and time are read from disk as ``fetch`` returns them."""
    script = [Scripted(403, {"errors": ["Forbidden to access tweets: 2"]}), counted(1)]
    server.answer(*script, *script)
    fetched = client.fetch(totals(1, 2))
    assert list(collect(client, totals(1, 2), archive)) == fetched
    assert list(archive) == fetched


def test_an_invalid_response_is_kept_for_inspection(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """After the last attempt, the last body is kept with the reason."""
    server.answer(*([Scripted(200, {"by_post": ["of the wrong shape"]})] * 8))
    with pytest.raises(ep.TransportError, match="an object is expected here"):
        collect(client, totals(1), archive)
    ((path, reason, request),) = archive.verify()
    assert request == totals(1)
    assert "an object is expected here" in reason
    assert gzip.decompress(path.read_bytes()).endswith(b'["of the wrong shape"]}')


INVALID_BODIES = {
    "another body": {"data": [{"id": "1", "public_metrics": {"like_count": 1}}]},
    "nothing": {},
    "only words": {"errors": ["something went wrong"]},
    "one post of two": {"unavailable_tweet_ids": ["1"]},
    "no list of posts": {"by_post": {}, "unavailable_tweet_ids": {}},
}


@pytest.mark.parametrize("body", INVALID_BODIES.values(), ids=INVALID_BODIES)
def test_a_response_without_a_requested_post_is_requested_again(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive, body: Any
) -> None:
    """Its status is 200 and it is valid JSON; the counts of a requested post are missing."""
    server.answer(Scripted(200, body), counted(1, 2))
    assert numbers(collect(client, past(1, 2), archive)) == ["1"]
    assert bodies(server) == [["1", "2"], ["1", "2"]]


def test_invalid_responses_are_not_stored(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """The error names what is missing, in the API's own words; the same call resumes."""
    server.answer(*[Scripted(200, INVALID_BODIES["only words"])] * 8)
    with pytest.raises(ep.TransportError, match=r"grouping is missing.*'something went wrong'"):
        collect(client, past(1), archive)
    assert stored(archive.folder) == set()
    server.answer(counted(1))
    assert numbers(collect(client, past(1), archive)) == ["1"]


def test_a_stored_invalid_response_is_reported_and_requested_again(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """An invalid response does not stay, whichever way it was stored."""
    server.answer(counted(1), counted(1, number=2))
    collection = collect(client, past(1), archive)
    (path,) = answers(archive.folder)
    path.unlink()
    collection.keep(ep.EngagementResponse(past(1), INVALID_BODIES["another body"]))
    (damage,) = archive.verify()
    assert "does not answer its request: the grouping is missing" in damage.why
    assert damage.request == past(1)
    with pytest.raises(ep.ArchiveError, match="reopen"):
        ep.flatten(archive)
    collection.reopen()
    assert numbers(collect(client, past(1), archive)) == ["2"]
    assert archive.verify() == ()


def test_a_response_is_stored_before_the_next_is_requested(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """At each step all responses so far are on disk, refusals too."""
    todo = in_parts(past(1, 2, 3), 1)
    server.answer(
        counted(1), Scripted(403, {"errors": ["Forbidden to access tweets: 2"]}), counted(3)
    )
    found = []
    client.collect(todo, into=archive, watch=lambda _: found.append(len(stored(archive.folder))))
    assert found == [0, 1, 2, 3]


def all_bytes(folder: Path) -> bytes:
    """Return all bytes of a folder: names, contents, and decompressed contents."""
    collected_bytes = b""
    for path in sorted(folder.rglob("*")):
        collected_bytes += str(path.relative_to(folder)).encode() + b"\n"
        if path.is_file():
            content = path.read_bytes()
            collected_bytes += content
            if content[:2] == b"\x1f\x8b":
                collected_bytes += gzip.decompress(content)
    return collected_bytes


def leaks(content: bytes) -> list[str]:
    """Return the canaries in some bytes, plain or as base64."""
    pair = f"{CANARIES['consumer_key']}:{CANARIES['consumer_secret']}"
    hidden = [*CANARIES.values(), pair]
    return [
        name
        for name in hidden
        if name.encode() in content or base64.b64encode(name.encode()).rstrip(b"=")[:-1] in content
    ]


@pytest.mark.parametrize("credentials", [CANARY_USER, APP, KEYS], ids=repr)
def test_no_secret_is_in_any_file(
    server: ScriptedServer, clock: FakeClock, archive: ep.Archive, credentials: Any
) -> None:
    """Names, headers, manifests and leftovers are free of secrets, for any response."""
    if credentials is KEYS:
        token = {"access_token": CANARIES["bearer_token"], "token_type": "bearer"}
        server.answer(Scripted(200, token))
    refusal = Scripted(403, {"errors": ["Forbidden to access tweets: 2"]})
    echo = Scripted(401, {"errors": [" ".join(CANARIES.values())]})
    server.answer(refusal, counted(1), echo)
    client = ep.EngagementClient(
        credentials,
        base_url=server.url,
        token_url=f"{server.url}/oauth2/token",
        in_flight=1,  # each response is for one request
        clock=clock.time,
        sleep=clock.sleep,
    )
    with client, pytest.raises(ep.Unauthorized) as caught:
        collect(client, in_parts(totals(1, 2, 3), 2), archive)
    assert len(answers(archive.folder)) == 2
    assert leaks(all_bytes(archive.folder)) == []
    assert leaks(repr((archive, archive.collections, caught.value.__notes__)).encode()) == []
    assert leaks("\n".join(CANARIES.values()).encode()) == list(CANARIES.values())


def test_a_header_never_has_a_secret_that_the_body_echoes(
    server: ScriptedServer, clock: FakeClock, archive: ep.Archive
) -> None:
    """The body stays what the server sent; the header, which we write, has no secret."""
    body = {"by_post": {"1": {"favorites": "1"}}, "echo": CANARIES["access_token"]}
    server.answer(Scripted(200, body))
    with ep.EngagementClient(CANARY_USER, base_url=server.url, clock=clock.time) as client:
        collect(client, totals(1), archive)
    ((_, (head, content)),) = answers(archive.folder).items()
    assert json.loads(content) == body
    assert leaks(json.dumps(head).encode()) == []


# Resumed jobs


class Stop(Exception):
    """Stops a job from its watch."""


def interrupted(
    client: ep.EngagementClient,
    todo: Plan,
    archive: ep.Archive,
    error: BaseException,
    settled_parts: int,
) -> None:
    """Collect until this number of parts are settled, then raise from the watch."""

    def watch(progress: Any) -> None:
        if progress.done == settled_parts:
            raise error

    with pytest.raises(type(error)) as caught:
        client.collect(todo, into=archive, watch=watch)
    assert caught.value is error
    assert ("the same call resumes" in str(getattr(error, "__notes__", ""))) == (settled_parts > 0)


@pytest.mark.long
@pytest.mark.parametrize("wording", ["posts", "by_author"])
@pytest.mark.parametrize("error", [Stop(), KeyboardInterrupt(), SystemExit(1)], ids=repr)
def test_a_new_client_resumes_an_interrupted_job(
    clock: FakeClock, tmp_path: Path, wording: str, error: BaseException
) -> None:
    """After each part, nothing stored is sent again, and the frames are complete.

    Some posts belong to others, some never existed: refusals divide requests, and what remains
    is refused again.
    """
    with sandbox(clock, forbidden=wording) as server, client_of(server, clock) as client:
        todo = question(server)
        fetched = client.fetch(todo)
        answered = [response for response in fetched if response.status]
        assert {response.status for response in answered} == {200, 400, 403}
        for settled_parts in range(len(todo)):
            archive = ep.Archive(tmp_path / f"{settled_parts}")
            interrupted(client, todo, archive, type(error)(*error.args), settled_parts)
            kept, before = stored(archive.folder), len(server.requests)
            assert (settled_parts == 0) == (kept == set())
            with client_of(server, clock) as another:
                collection = collect(another, todo, ep.Archive(archive.folder))
            resumed = sent(server, before)
            assert kept.isdisjoint(resumed)
            assert len(kept) + len(resumed) == len(answered)
            same(collection, counts_and_omissions(fetched))
            same(archive, counts_and_omissions(fetched))


def script() -> list[Scripted]:
    """Return responses that refuse three times, by post, age and type, before they count."""
    return [
        Scripted(403, {"errors": ["Forbidden to access tweets: 1"]}),
        Scripted(
            400, {"errors": ["old"], "unsupported_for_impressions_engagements_tweet_ids": ["2"]}
        ),
        Scripted(403, {"errors": ["Forbidden to access metrics: retweets"]}),
        Scripted(400, {"errors": ["gone"], "unavailable_tweet_ids": ["2"]}),
        counted(3),
    ]


def settled(responses: Any) -> list[Any]:
    """Return requests and responses in a fixed order, without their times."""
    return sorted((repr(r.request), r.request.post_ids, r.status, r.content) for r in responses)


@pytest.mark.slow
@pytest.mark.parametrize("answered", range(5))
@pytest.mark.parametrize("end", [404, 503])
def test_a_divided_request_is_resumed(
    client: ep.EngagementClient,
    server: ScriptedServer,
    archive: ep.Archive,
    answered: int,
    end: int,
) -> None:
    """Refusals of refusals are cut off after each of five responses by an error or an outage."""
    request = totals(1, 2, 3, types=["impressions", "favorites", "retweets"])
    server.answer(*script())
    fetched = client.fetch(request)
    assert len(fetched) == 5
    bodies_sent = [seen.body for seen in server.seen]
    server.seen.clear()
    server.answer(*script()[:answered], *([Scripted(end, {"errors": ["down"]})] * 8))
    error_type = ep.RefusedError if end == 404 else ep.TransportError
    with pytest.raises(error_type) as caught:
        collect(client, request, archive)
    notes = str(getattr(caught.value, "__notes__", ""))
    assert (str(archive.folder) in notes) == (answered > 0)
    assert len(stored(archive.folder)) == answered
    server.seen.clear()
    server.script[:] = script()[answered:]
    collection = collect(client, request, archive)
    assert [seen.body for seen in server.seen] == bodies_sent[answered:]
    assert settled(collection) == settled(fetched)


def test_progress_includes_parts_settled_before(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """One part of three is stored and half of the second: the steps are one, two, three."""
    todo = in_parts(past(1, 2, 3, 4, 5), 2)
    refusal = Scripted(403, {"errors": ["Forbidden to access tweets: 4"]})
    server.answer(counted(1, 2), refusal, Scripted(404, {"errors": ["down"]}))
    with pytest.raises(ep.RefusedError):
        collect(client, todo, archive)
    server.seen.clear()
    server.answer(counted(3), counted(5))
    steps: list[tuple[int, int]] = []
    client.collect(todo, into=archive, watch=lambda step: steps.append((step.done, step.total)))
    assert bodies(server) == [["3"], ["5"]]
    assert list(dict.fromkeys(steps)) == [(1, 3), (2, 3), (3, 3)]


def test_an_error_is_not_stored(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """A refusal of the complete request is requested again."""
    server.answer(Scripted(400, {"errors": ["no"]}), Scripted(401, {"errors": ["no"]}), counted(1))
    for error_type in (ep.RefusedError, ep.Unauthorized):
        with pytest.raises(error_type):
            collect(client, past(1), archive)
        assert stored(archive.folder) == set()
    assert numbers(collect(client, past(1), archive)) == ["1"]


def test_an_unfinished_collection_is_read_with_a_warning(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """A part is not mistaken for the complete collection."""
    server.answer(counted(1), Scripted(404, {"errors": ["no"]}))
    todo = in_parts(past(1, 2, 3), 1)
    with pytest.raises(ep.RefusedError):
        collect(client, todo, archive)
    (collection,) = archive.collections
    assert [request.post_ids for request in collection.unanswered] == [("2",), ("3",)]
    assert not collection.complete
    assert archive.verify() == ()
    with pytest.warns(UserWarning, match="is not finished: 2 requests .* collect the same"):
        assert ep.flatten(archive)["post_id"].tolist() == ["1"]
    server.answer(counted(2), counted(3))
    collect(client, todo, archive)
    assert ep.flatten(archive)["post_id"].tolist() == ["1", "2", "3"]


def test_a_job_is_resumed_in_its_stored_parts(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """Another version may split a request in another way."""
    server.answer(counted(1), counted(2, number=2))
    unsplit = ep.plan(past(1, 2))
    path = archive._path(unsplit, "user 9", unsplit.now)
    begun = Collection.begin(path, in_parts(past(1, 2), 1), "user 9", unsplit.now)
    begun.keep(client.fetch(begun.requests[0])[0])
    assert numbers(collect(client, past(1, 2), archive)) == ["1", "2"]
    assert bodies(server) == [["1"], ["2"]]


@pytest.mark.parametrize("owners", [{}, {"1": "bakery"}])
def test_folder_names_are_those_of_earlier_versions(
    archive: ep.Archive, owners: dict[str, str]
) -> None:
    """An owner's folder keeps its name, with or without handles in the request."""
    todo = ep.plan(past(1, 2, owners=owners))
    assert archive._path(todo, "user 9", todo.now).name == "historical-277eb5ad852f"


# Snapshots


def test_totals_are_collected_again_each_time(
    client: ep.EngagementClient, server: ScriptedServer, clock: FakeClock, archive: ep.Archive
) -> None:
    """The same request an hour later makes another collection; the first is unchanged."""
    server.answer(counted(1, number=5), counted(1, number=6))
    first = collect(client, totals(1), archive)
    clock.now += 3600
    second = collect(client, totals(1), archive)
    assert numbers(first) == ["5"]
    assert numbers(second) == ["6"]
    assert [c.path for c in archive.collections] == [first.path, second.path]
    assert [c.started.hour for c in archive.collections] == [12, 13]


def test_the_last_28_hours_are_collected_again_each_time(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """Two calls in the same second make two collections."""
    request = ep.last_28_hours(["1"], engagement_types=FAVORITES, by=ep.BY_POST)
    server.answer(counted(1), counted(1))
    assert collect(client, request, archive) != collect(client, request, archive)
    assert len(archive.collections) == len(server.seen) == 2


def test_historical_counts_are_requested_once(
    client: ep.EngagementClient, server: ScriptedServer, clock: FakeClock, archive: ep.Archive
) -> None:
    """The second call sends nothing, even a year later."""
    server.answer(counted(1))
    first = collect(client, past(1), archive)
    clock.now += 365 * 86_400
    assert collect(client, past(1), archive) == first
    assert len(server.seen) == 1


def test_an_interrupted_snapshot_is_completed_first(
    client: ep.EngagementClient, server: ScriptedServer, clock: FakeClock, archive: ep.Archive
) -> None:
    """Only the call after that begins a new one."""
    todo = in_parts(totals(1, 2), 1)
    server.answer(counted(1), Scripted(404, {"errors": ["no"]}))
    with pytest.raises(ep.RefusedError):
        collect(client, todo, archive)
    clock.now += 60
    server.answer(counted(2), counted(1), counted(2))
    completed = collect(client, todo, archive)
    assert bodies(server) == [["1"], ["2"], ["2"]]
    assert [r.retrieved_at.minute for r in completed] == [20, 21]
    assert collect(client, todo, archive) != completed
    assert bodies(server)[3:] == [["1"], ["2"]]


def test_collecting_a_complete_collection_writes_nothing(
    client: ep.EngagementClient,
    server: ScriptedServer,
    archive: ep.Archive,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same call works on a full or read-only disk."""
    server.answer(counted(1))
    first = collect(client, past(1), archive)
    names = ("mkdir", "link", "rename", "replace", "unlink", "rmdir")
    for name in names:
        monkeypatch.setattr(os, name, lambda *_, **__: pytest.fail("something was written"))
    assert collect(client, past(1), archive) == first


@pytest.mark.parametrize("make_request", [totals, past], ids=["totals", "historical"])
def test_another_account_does_not_resume(
    server: ScriptedServer, clock: FakeClock, archive: ep.Archive, make_request: Callable[..., Any]
) -> None:
    """Two accounts may see different posts."""
    other = ep.UserContext("consumer-key", "consumer-secret", "8-access-token", "token-secret")
    todo = in_parts(make_request(1, 2), 1)
    server.answer(counted(1), Scripted(404, {"errors": ["no"]}), counted(1), counted(2))
    first = ep.EngagementClient(USER, base_url=server.url, clock=clock.time)
    with first as client, pytest.raises(ep.RefusedError):
        collect(client, todo, archive)
    with ep.EngagementClient(other, base_url=server.url, clock=clock.time) as client:
        collection = collect(client, todo, archive)
    assert bodies(server) == [["1"], ["2"], ["1"], ["2"]]
    assert collection.account == "user 8"
    assert sorted(c.account for c in archive.collections) == ["user 8", "user 9"]


REQUESTS = {
    "posts": past(1, 2),
    "order of posts": past(2, 1),
    "types": past(1, 2, engagement_types=["replies"]),
    "window": past(1, 2, window=ep.Window.covering("2026-04-13", "2026-04-15")),
    "grouping": past(1, 2, groupings=ep.BY_DAY),
    "name of the grouping": past(1, 2, groupings={"mine": ["tweet.id", "engagement.type"]}),
    "order of the grouping": past(1, 2, groupings={"by_post": ["engagement.type", "tweet.id"]}),
    "endpoint": ep.last_28_hours(["1", "2"], engagement_types=FAVORITES, by=ep.BY_POST),
}


@pytest.mark.slow
def test_another_request_makes_another_collection(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """Requests that differ in anything are each sent and stored apart."""
    server.answer(
        *(Scripted(200, {request.groupings[0].name: {}}) for request in REQUESTS.values())
    )
    collections = [collect(client, request, archive) for request in REQUESTS.values()]
    assert len({collection.path for collection in collections}) == len(REQUESTS)
    assert [seen.body for seen in server.seen] == [
        request.to_json() for request in REQUESTS.values()
    ]
    assert [c.requests for c in collections] == [(request,) for request in REQUESTS.values()]


# Damage


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, ...]]:
    """Return a sandbox, its client, a plan, a folder with the responses, and their frames."""
    clock = FakeClock()
    folder = tmp_path_factory.mktemp("collected") / "raw"
    with sandbox(clock) as server, client_of(server, clock) as client:
        todo = question(server)
        fetched = counts_and_omissions(client.fetch(todo))
        collect(client, todo, ep.Archive(folder))
        yield server, client, todo, folder, fetched


def broken(content: bytes, change: str, share: float) -> bytes:
    """Return a file with a byte flipped, removed or inserted, its end cut off, or all zeros."""
    position = min(int(share * len(content)), len(content) - 1)
    return {
        "flip": content[:position] + bytes([content[position] ^ 0x41]) + content[position + 1 :],
        "cut": content[:position],
        "take": content[:position] + content[position + 1 :],
        "put": content[:position] + b"\x00" + content[position:],
        "blank": bytes(len(content)),
    }[change]


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    nth=st.integers(0, 100),
    change=st.sampled_from(["flip", "cut", "take", "put", "blank"]),
    share=st.floats(0, 1),
)
def test_damage_is_reported_or_harmless(
    collected: tuple[Any, ...], nth: int, change: str, share: float
) -> None:
    """A damaged file is reported with its request, or its contents did not change.

    Some bits of a gzip file have no meaning; all others are checked.
    """
    _, _, _, folder, expected = collected
    archive = ep.Archive(folder)
    found = answers(folder)
    path = sorted(found)[nth % len(found)]
    content = path.read_bytes()
    try:
        path.write_bytes(broken(content, change, share))
        damage = archive.verify()
        if not damage:
            head, body = answers(folder)[path]
            assert (head, body) == found[path]
            same(archive, expected)
            return
        ((named, reason, request),) = damage
        assert (named, key(request.to_json())) == (path, key(found[path][0]["request"]))
        assert reason
        with pytest.raises(ep.ArchiveError, match=path.name):
            list(archive)
    finally:
        path.write_bytes(content)


@pytest.mark.long
def test_most_damage_is_reported(collected: tuple[Any, ...]) -> None:
    """Each byte is flipped in turn; only in gzip's two headers is that harmless."""
    _, _, _, folder, _ = collected
    archive = ep.Archive(folder)
    path = min(answers(folder), key=lambda found: found.stat().st_size)
    content = path.read_bytes()
    unnoticed = []
    try:
        for position in range(len(content)):
            path.write_bytes(
                content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :]
            )
            if not archive.verify():
                unnoticed.append(position)
    finally:
        path.write_bytes(content)
    body = content.index(content[:4], 4)
    time_effort_system = {start + position for start in (0, body) for position in range(4, 10)}
    assert set(unnoticed) <= time_effort_system


@pytest.mark.slow
def test_a_missing_file_is_reported_and_requested_again(collected: tuple[Any, ...]) -> None:
    """Each file in turn is missing, and only its request is sent again."""
    server, client, todo, folder, expected = collected
    archive = ep.Archive(folder)
    for path, (head, _) in answers(folder).items():
        path.unlink()
        ((named, reason, request),) = archive.verify()
        assert (named, reason, key(request.to_json())) == (path, "missing", key(head["request"]))
        with pytest.raises(ep.ArchiveError, match=path.name):
            ep.flatten(archive)
        before = len(server.requests)
        same(collect(client, todo, archive), expected)
        assert sent(server, before) == [key(head["request"])]
        assert archive.verify() == ()


@pytest.mark.slow
def test_damaged_responses_are_requested_again(collected: tuple[Any, ...]) -> None:
    """One collect of the same request repairs them all."""
    server, client, todo, folder, expected = collected
    archive = ep.Archive(folder)
    found = answers(folder)
    for path in found:
        path.write_bytes(path.read_bytes()[:-1])
    assert {damage.path for damage in archive.verify()} <= set(found)
    assert len(archive.verify()) == len(todo)  # the rest of a refused request is found with it
    before = len(server.requests)
    same(collect(client, todo, archive), expected)
    assert sorted(sent(server, before)) == sorted(
        key(head["request"]) for head, _ in found.values()
    )
    assert archive.verify() == ()


def test_a_damaged_snapshot_is_reopened(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """As the error advises: then the same call repairs this one, and makes no new one."""
    todo = in_parts(totals(1, 2), 1)
    server.answer(counted(1), counted(2), counted(2, number=3))
    collection = collect(client, todo, archive)
    path = next(
        p for p, (h, _) in answers(archive.folder).items() if h["request"]["tweet_ids"] == ["2"]
    )
    path.write_bytes(b"")
    with pytest.raises(ep.ArchiveError, match=r"reopen\(\)"):
        list(collection)
    collection.reopen()
    assert [request.post_ids for request in collection.unanswered] == [("2",)]
    assert collect(client, todo, archive) == collection
    assert numbers(collection) == ["1", "3"]
    assert len(archive.collections) == 1


@pytest.mark.parametrize("make_request", [totals, past], ids=["totals", "historical"])
def test_damage_in_an_unfinished_collection_is_repaired(
    client: ep.EngagementClient,
    server: ScriptedServer,
    archive: ep.Archive,
    make_request: Callable[..., Any],
) -> None:
    """The same call requests the damaged response again, and the rest."""
    todo = in_parts(make_request(1, 2, 3), 1)
    server.answer(counted(1), counted(2), Scripted(404, {"errors": ["no"]}))
    with pytest.raises(ep.RefusedError):
        collect(client, todo, archive)
    path = next(
        p for p, (h, _) in answers(archive.folder).items() if h["request"]["tweet_ids"] == ["2"]
    )
    path.write_bytes(path.read_bytes()[::-1])
    assert [(d.path, d.request) for d in archive.verify()] == [(path, todo.requests[1])]
    server.answer(counted(2, number=4), counted(3))
    assert numbers(collect(client, todo, archive)) == ["1", "4", "1"]
    assert bodies(server)[3:] == [["2"], ["3"]]
    assert len(archive.collections) == 1


def swap(path: Path, **changes: Any) -> None:
    """Rewrite a file with another header, well-formed and with the right checksum."""
    line, _, body = gzip.decompress(path.read_bytes()).partition(b"\n")
    head = {**json.loads(line), **changes}
    path.write_bytes(gzip.compress(json.dumps(head).encode() + b"\n" + body))


FORGED: dict[str, dict[str, Any]] = {
    "another request": {"request": {}},
    "no status": {"status": "200"},
    "no time": {"retrieved_at": "yesterday"},
    "a time without a zone": {"retrieved_at": "2026-04-15T12:20:00"},
    "a wrong checksum": {"sha256": "0"},
    "a format that never was": {"format": "1"},
    "an error": {"status": 404},
}


@pytest.mark.slow
@pytest.mark.parametrize("forgery", FORGED)
def test_a_forged_file_is_reported_and_requested_again(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive, forgery: str
) -> None:
    """The file is well-formed and does not fit its request."""
    server.answer(counted(1), counted(1, number=2))
    collect(client, past(1), archive)
    (path,) = answers(archive.folder)
    swap(path, **FORGED[forgery])
    assert [damage.path for damage in archive.verify()] == [path]
    assert numbers(collect(client, past(1), archive)) == ["2"]
    assert archive.verify() == ()


def test_a_response_of_a_newer_version_is_left_alone(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """It is not damaged, so it is neither requested again nor overwritten."""
    server.answer(counted(1))
    collect(client, past(1), archive)
    (path,) = answers(archive.folder)
    swap(path, format=2)
    content = path.read_bytes()
    for reading in (lambda: list(archive), lambda: collect(client, past(1), archive)):
        with pytest.raises(ep.ArchiveError, match=r"format 2.* install a newer"):
            reading()
    assert [damage.path for damage in archive.verify()] == [path]
    assert (path.read_bytes(), len(server.seen)) == (content, 1)


@pytest.mark.parametrize("make_request", [totals, past], ids=["totals", "historical"])
def test_a_manifest_of_a_newer_version_is_left_alone(
    client: ep.EngagementClient,
    server: ScriptedServer,
    archive: ep.Archive,
    make_request: Callable[..., Any],
) -> None:
    """It is neither overwritten nor mistaken for a new request."""
    server.answer(counted(1))
    collection = collect(client, make_request(1), archive)
    collection.reopen()
    path = collection.path / "question.json.gz"
    swap(path, format=2)
    content = path.read_bytes()
    for reading in (lambda: list(archive), lambda: collect(client, make_request(1), archive)):
        with pytest.raises(ep.ArchiveError, match=r"^\S+json.gz has format 2.* install a newer"):
            reading()
    assert [(d.path, d.request) for d in archive.verify()] == [(path, None)]
    assert (path.read_bytes(), len(server.seen)) == (content, 1)


POISON = [
    {"by_post": {"1": {"favorites": None}}},
    {"by_post": {"9": {"favorites": "1"}}},
    {"by_post": {"1": {"replies": "1"}}},
    {"by_post": {"1": {"favorites": {"07": "1"}}}},
    b'{"by_post": {"1": {"favorites": 1, "favorites": 2}}}',
]


@pytest.mark.slow
@pytest.mark.parametrize("poison", POISON)
def test_a_response_that_cannot_be_flattened_is_requested_again(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive, poison: Any
) -> None:
    """Nothing of the invalid response is stored."""
    server.answer(Scripted(200, poison), counted(1, number=4))
    collection = collect(client, past(1), archive)
    assert numbers(collection) == ["4"]
    assert (archive.verify(), len(server.seen)) == ((), 2)


@pytest.mark.slow
@pytest.mark.parametrize("poison", POISON)
def test_a_stored_response_that_cannot_be_flattened_is_reported(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive, poison: Any
) -> None:
    """An earlier version may have stored it; it is requested again."""
    server.answer(counted(1), counted(1, number=4))
    collection = collect(client, past(1), archive)
    (path,) = answers(archive.folder)
    content = poison if isinstance(poison, bytes) else json.dumps(poison).encode()
    path.write_bytes(encode_record({**answers(archive.folder)[path][0]}, content))
    ((damaged, reason, request),) = archive.verify()
    assert (damaged, request) == (path, past(1))
    assert "it does not answer its request" in reason
    with pytest.raises(ep.ArchiveError, match=path.name):
        ep.flatten(collection)
    assert numbers(collect(client, past(1), archive)) == ["4"]
    assert (archive.verify(), len(server.seen)) == ((), 2)


@pytest.mark.slow
@pytest.mark.parametrize("change", ["flip", "cut", "blank", "gone"])
@pytest.mark.parametrize("make_request", [totals, past], ids=["totals", "historical"])
def test_a_lost_manifest_is_reported_and_written_again(
    client: ep.EngagementClient,
    server: ScriptedServer,
    archive: ep.Archive,
    make_request: Callable[..., Any],
    change: str,
) -> None:
    """The same call restores it; all stored responses are still good."""
    server.answer(counted(1))
    collection = collect(client, make_request(1), archive)
    path = collection.path / "question.json.gz"
    if change == "gone":
        path.unlink()
    else:
        path.write_bytes(broken(path.read_bytes(), change, 0.5))
    assert [(d.path, d.request) for d in archive.verify()] == [(path, None)]
    with pytest.raises(ep.ArchiveError, match=r"reopen\(\) .* and collect the same request"):
        list(archive)
    (found,) = archive.collections
    found.reopen()
    assert collect(client, make_request(1), archive) == collection
    assert numbers(archive) == ["1"]
    assert (archive.verify(), len(server.seen)) == ((), 1)


def test_an_unreadable_file_is_reported(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """It is neither taken for missing nor requested again; a folder stands in for the file."""
    server.answer(counted(1))
    collect(client, past(1), archive)
    (path,) = answers(archive.folder)
    path.unlink()
    path.mkdir()
    assert [damage.path for damage in archive.verify()] == [path]
    for reading in (lambda: list(archive), lambda: collect(client, past(1), archive)):
        with pytest.raises(ep.ArchiveError, match=path.name):
            reading()
    assert len(server.seen) == 1
    path.rmdir()
    server.answer(counted(1))
    assert numbers(collect(client, past(1), archive)) == ["1"]


# Other files in the folder


def test_files_of_others_are_left_alone(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """Files and folders of others, and leftovers of a crash, are not collections."""
    server.answer(counted(1))
    collection = collect(client, past(1), archive)
    for name in ("lost+found", ".git", "notes", ".0123-totals-20260415T122000Z-0-0"):
        (archive.folder / name).mkdir()
        (archive.folder / name / "file").write_text("mine")
    for folder in (archive.folder, collection.path):
        (folder / "README").write_text("mine")
        (folder / ".half.json.gz").write_bytes(b"\x1f\x8b")
        (folder / "mine.json.gz").write_bytes(b"")
    assert archive.collections == (collection,)
    assert archive.verify() == ()
    assert numbers(archive) == ["1"]
    assert collect(client, past(1), archive) == collection


def test_a_renamed_collection_can_be_read(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """The name of the folder does not matter."""
    server.answer(counted(1))
    collect(client, past(1), archive).path.rename(archive.folder / "march")
    assert numbers(archive) == ["1"]
    assert archive.verify() == ()


def test_an_archive_without_a_folder_is_empty(archive: ep.Archive) -> None:
    """Reading makes no folder, and flatten reports that there are no responses."""
    assert archive.collections == archive.verify() == ()
    assert list(archive) == []
    for read in (ep.flatten, ep.omissions):
        with pytest.raises(ep.EngagementError, match="there are no responses"):
            read(archive)
    assert not archive.folder.exists()


def test_an_archive_needs_a_folder() -> None:
    """An empty name is not the working folder."""
    with pytest.raises(ep.ArchiveError, match="the folder of an archive is empty"):
        ep.Archive("")
    assert ep.Archive(".").folder == Path()


def test_an_archive_whose_folder_is_a_file_is_refused(
    client: ep.EngagementClient, server: ScriptedServer, tmp_path: Path
) -> None:
    """The error is raised immediately, or when the folder becomes a file later."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ep.ArchiveError, match="file is a file; name a folder"):
        ep.Archive(tmp_path / "file")
    archive = ep.Archive(tmp_path / "raw")
    archive.folder.write_text("")
    for late in (archive, ep.Archive(tmp_path / "file" / "raw")):
        with pytest.raises(ep.ArchiveError, match="name another folder"):
            collect(client, past(1), late)
    assert server.seen == []


def test_a_collection_whose_folder_is_a_file_is_refused(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """Nothing is sent."""
    server.answer(counted(1))
    path = collect(client, past(1), archive).path
    shutil.rmtree(path)
    path.write_text("")
    with pytest.raises(ep.ArchiveError, match=path.name):
        collect(client, past(1), archive)
    assert (len(server.seen), archive.collections) == (1, ())


def test_a_refused_request_makes_no_folder(archive: ep.Archive) -> None:
    """A bearer token is not enough for this request."""
    public = ep.EngagementClient(ep.AppOnly("a-token"))
    with public as client, pytest.raises(ep.UserContextRequired):
        client.collect(past(1), into=archive)
    assert not archive.folder.exists()


# Reading


@pytest.mark.slow
def test_responses_are_held_in_memory_one_at_a_time(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """20 responses of 500 kB are collected and read in the memory of a few."""
    size = 500_000
    body = b'{"by_post": {}, "padding": "' + b"x" * size + b'"}'
    server.answer(*([Scripted(200, body)] * 20))
    todo = in_parts(past(*range(1, 21)), 1)
    tracemalloc.start()
    try:
        collect(client, todo, archive)
        assert sum(len(response.content) for response in archive) > 20 * size
        collect(client, todo, archive)
        assert archive.verify() == ()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(server.seen) == 20
    assert peak < 8 * size


def test_responses_are_read_one_after_the_other(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """A damaged one raises only when the reader gets to it."""
    server.answer(counted(1), counted(2))
    collection = collect(client, in_parts(past(1, 2), 1), archive)
    collection.records.file(collection.requests[1]).unlink()
    reading = iter(archive)
    assert next(reading).request.post_ids == ("1",)
    with pytest.raises(ep.ArchiveError, match="missing"):
        next(reading)
    assert collection.complete


def test_no_stored_response_is_read_twice(
    owner: ep.EngagementClient,
    twin: SandboxServer,
    archive: ep.Archive,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor is one that was read in advance before the rest of a refused request."""
    collection = collect(owner, question(twin), archive)
    times: Counter[Path] = Counter()

    def counting(file: Path) -> Any:
        times[file] += 1
        return decode_record(file)

    monkeypatch.setattr(answer_files, "decode_record", counting)
    assert sum(response.status == 403 for response in collection) >= 2
    assert set(times) == set(answers(archive.folder))
    assert set(times.values()) == {1}


def test_the_repr_shows_path_and_state(
    client: ep.EngagementClient, server: ScriptedServer, tmp_path: Path
) -> None:
    """The repr counts the collections and those that are not finished."""
    archive = ep.Archive(tmp_path / "raw")
    assert str(archive) == f"Archive({tmp_path / 'raw'}: 0 collections)"
    server.answer(counted(1), Scripted(404, {"errors": ["no"]}))
    done = collect(client, past(1), archive)
    with pytest.raises(ep.RefusedError):
        collect(client, past(2), archive)
    assert str(archive) == f"Archive({tmp_path / 'raw'}: 2 collections, 1 of them not finished)"
    assert str(done) == f"Collection({done.path}: complete)"
    (other,) = set(archive.collections) - {done}
    assert str(other) == f"Collection({other.path}: not finished)"


def test_flatten_takes_an_archive(
    owner: ep.EngagementClient, twin: SandboxServer, archive: ep.Archive
) -> None:
    """Several collections of one endpoint with distinct counts make one frame."""
    posts = some_posts(twin, 11)
    expected: Tables = counts_and_omissions(
        [r for half in (posts[:5], posts[5:]) for r in owner.fetch(past(*half))]
    )
    for half in (posts[:5], posts[5:]):
        collect(owner, past(*half), archive)
    same(archive, expected)


def test_a_collection_is_settled_until_its_last_answer_or_failure(tmp_path: Path) -> None:
    """Of three requests one is answered at 09:05, one failed at 09:07, and one is open."""
    types = ["replies"]
    window = ep.Window.covering("2026-03-01", "2026-03-02")
    todo = ep.plan(ep.historical(["11", "12", "13"], engagement_types=types, window=window))
    parts = tuple(todo.request.replace(post_ids=[post]) for post in ("11", "12", "13"))
    at = datetime(2026, 3, 5, 9, tzinfo=UTC)
    collection = ep.Archive(tmp_path).collection(replace(todo, requests=parts), "me", at)
    assert collection.settled_until is None
    answer, failure = at + timedelta(minutes=5), at + timedelta(minutes=7)
    collection.keep(ep.EngagementResponse(parts[0], {"by_hour": {}}, 200, answer))
    assert collection.settled_until == answer
    reason = ep.OmissionReason.UNAUTHORIZED
    failed = ep.EngagementResponse.uncounted(parts[1], failure, reason, "no tokens")
    collection.records.set_aside(failed)
    assert collection.settled_until == failure
