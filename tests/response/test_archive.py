"""The archive: what is in its files, how a job goes on, what is told of damage."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.archive.asking import (
    WINDOW,
    Told,
    answers,
    at_once,
    client_of,
    in_parts,
    key,
    question,
    same,
    sandbox,
    sent,
    some_posts,
    stored,
    told,
)
from support.scripted import USER, FakeClock, Scripted, ScriptedServer
from test_secrets import APP, CANARIES, KEYS
from test_secrets import USER as CANARY_USER

import engagement_pandas as ep
from engagement_pandas.request.plan import Plan
from engagement_pandas.response.collection import Collection
from engagement_pandas.response.record import encode_record
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
    with client_of(twin, clock) as made:
        yield made


@pytest.fixture
def archive(tmp_path: Path) -> ep.Archive:
    """Return an archive whose folder is not there yet."""
    return ep.Archive(tmp_path / "raw")


def collect(client: ep.EngagementClient, todo: Any, archive: ep.Archive) -> Collection:
    """Collect without a progress bar."""
    return client.collect(todo, into=archive, watch=lambda _: None)


def totals(*posts: Any, types: Any = FAVORITES) -> ep.EngagementRequest:
    """Ask for totals of posts."""
    return ep.totals(posts, engagement_types=types)


def past(*posts: Any, **changes: Any) -> ep.EngagementRequest:
    """Ask for two days of posts."""
    asked = ep.historical(posts, engagement_types=FAVORITES, window=WINDOW, by=ep.BY_POST)
    return asked.replace(**changes)


def counted(*posts: int, number: int = 1, **headers: str) -> Scripted:
    """Answer that number for each post."""
    body = {"by_post": {str(post): {"favorites": str(number)} for post in posts}}
    return Scripted(200, body, headers)


def bodies(server: ScriptedServer) -> list[list[str]]:
    """Return the posts of each request that arrived."""
    return [seen.body["tweet_ids"] for seen in server.seen]


def numbers(responses: Any) -> list[str]:
    """Return the count in each scripted answer, in order."""
    return [next(iter(r.json()["by_post"].values()))["favorites"] for r in responses]


# What is in a file


BODY = b'{ "by_post": {"1": {"favorites":"7"}},\n\n "caf\\u00e9": "\xc3\xa9" }\n'


def test_the_body_is_what_the_server_sent(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """Byte for byte: spaces, line breaks and unknown keys; ``zcat FILE | tail -n +2``."""
    server.answer(Scripted(200, BODY))
    collect(client, totals(1), archive)
    ((path, (_, body)),) = answers(archive.folder).items()
    assert body == BODY
    zcat = shutil.which("zcat")
    if zcat:
        whole = subprocess.run([zcat, path], capture_output=True, check=True).stdout  # noqa: S603
        assert whole.partition(b"\n")[2] == BODY
    (response,) = archive
    assert response.content == BODY


def test_a_body_is_stored_in_the_form_in_which_it_arrived(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """The server's gzip stream ends the file, as an effort and a time that are its own show."""
    gzipped = gzip.compress(BODY, 9, mtime=1_000_000_000) + gzip.compress(b"\n", mtime=7)
    server.answer(Scripted(200, BODY, gzipped=gzipped))
    (response,) = collect(client, totals(1), archive)
    ((path, (_, body)),) = answers(archive.folder).items()
    assert path.read_bytes().endswith(gzipped)
    assert response.content == body == BODY + b"\n"
    assert archive.verify() == ()


def test_a_body_that_arrives_plain_is_stored_compressed(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """A proxy may have unpacked it."""
    body = BODY + b" " * 100_000
    server.answer(Scripted(200, headers={"content-encoding": "identity"}, gzipped=body))
    (response,) = collect(client, totals(1), archive)
    (path,) = answers(archive.folder)
    assert response.content == body
    assert path.stat().st_size < 2_000


def test_the_head_tells_of_the_answer(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """One line of JSON: what was asked, what came of it, when, and who asked."""
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


def test_the_question_is_stored_with_its_parts(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """Beside the answers, before the first of them; and the collection tells of it."""
    server.answer(counted(*range(1, 251)), counted(251))
    collection = collect(client, totals(*range(1, 252)), archive)
    line = gzip.decompress((collection.path / "question.json.gz").read_bytes())
    asked = json.loads(line)
    assert asked["request"] == totals(*range(1, 252)).to_json()
    assert [len(part["tweet_ids"]) for part in asked["parts"]] == [250, 1]
    assert (asked["account"], asked["started"]) == ("user 9", "2026-04-15T12:20:00+00:00")
    assert [len(part.post_ids) for part in collection.requests] == [250, 1]
    assert collection.account == "user 9"
    assert collection.started.isoformat() == "2026-04-15T12:20:00+00:00"
    assert collection.unanswered == ()


def test_an_answer_comes_back_as_it_was(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """Request, status, body, time: what ``fetch`` returns is what is read from disk."""
    script = [Scripted(403, {"errors": ["Forbidden to access tweets: 2"]}), counted(1)]
    server.answer(*script, *script)
    fetched = client.fetch(totals(1, 2))
    assert list(collect(client, totals(1, 2), archive)) == fetched
    assert list(archive) == fetched


def test_an_answer_that_makes_no_sense_is_set_aside(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """When the attempts are spent: the last body is kept, and tells what went wrong."""
    server.answer(*([Scripted(200, {"by_post": ["of the wrong shape"]})] * 8))
    with pytest.raises(ep.TransportError, match="an object is expected here"):
        collect(client, totals(1), archive)
    ((path, why, asked),) = archive.verify()
    assert asked == totals(1)
    assert "an object is expected here" in why
    assert gzip.decompress(path.read_bytes()).endswith(b'["of the wrong shape"]}')


NO_ANSWERS = {
    "another body": {"data": [{"id": "1", "public_metrics": {"like_count": 1}}]},
    "nothing": {},
    "only words": {"errors": ["something went wrong"]},
    "one post of two": {"unavailable_tweet_ids": ["1"]},
    "no list of posts": {"by_post": {}, "unavailable_tweet_ids": {}},
}


@pytest.mark.parametrize("body", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_loses_a_post_is_asked_again(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive, body: Any
) -> None:
    """Status 200 and JSON, but no answer to the request: no post is lost with it."""
    server.answer(Scripted(200, body), counted(1, 2))
    assert numbers(collect(client, past(1, 2), archive)) == ["1"]
    assert bodies(server) == [["1", "2"], ["1", "2"]]


def test_what_never_answers_is_never_stored(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """The error names what is missing, in the API's own words; the same call goes on."""
    server.answer(*[Scripted(200, NO_ANSWERS["only words"])] * 8)
    with pytest.raises(ep.TransportError, match=r"grouping is missing.*'something went wrong'"):
        collect(client, past(1), archive)
    assert stored(archive.folder) == set()
    server.answer(counted(1))
    assert numbers(collect(client, past(1), archive)) == ["1"]


def test_one_that_was_stored_is_told_and_asked_again(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """An answer that settles nothing does not stay for good, however it got there."""
    server.answer(counted(1), counted(1, number=2))
    collection = collect(client, past(1), archive)
    (path,) = answers(archive.folder)
    path.unlink()
    collection.keep(ep.EngagementResponse(past(1), NO_ANSWERS["another body"]))
    (damage,) = archive.verify()
    assert "does not answer its request: the grouping is missing" in damage.why
    assert damage.request == past(1)
    with pytest.raises(ep.ArchiveError, match="reopen"):
        ep.flatten(archive)
    collection.reopen()
    assert numbers(collect(client, past(1), archive)) == ["2"]
    assert archive.verify() == ()


def test_an_answer_is_on_disk_when_the_next_is_asked_for(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """At each step as many as were answered, refusals too."""
    todo = in_parts(past(1, 2, 3), 1)
    server.answer(
        counted(1), Scripted(403, {"errors": ["Forbidden to access tweets: 2"]}), counted(3)
    )
    found = []
    client.collect(todo, into=archive, watch=lambda _: found.append(len(stored(archive.folder))))
    assert found == [0, 1, 2, 3]


def everything(folder: Path) -> bytes:
    """Return all that is in a folder: names, contents, and contents decompressed."""
    whole = b""
    for path in sorted(folder.rglob("*")):
        whole += str(path.relative_to(folder)).encode() + b"\n"
        if path.is_file():
            content = path.read_bytes()
            whole += content
            if content[:2] == b"\x1f\x8b":
                whole += gzip.decompress(content)
    return whole


def leaks(whole: bytes) -> list[str]:
    """Return the canaries in some bytes, plain or as base64."""
    pair = f"{CANARIES['consumer_key']}:{CANARIES['consumer_secret']}"
    hidden = [*CANARIES.values(), pair]
    return [
        name
        for name in hidden
        if name.encode() in whole or base64.b64encode(name.encode()).rstrip(b"=")[:-1] in whole
    ]


@pytest.mark.parametrize("credentials", [CANARY_USER, APP, KEYS], ids=repr)
def test_no_secret_is_in_any_file(
    server: ScriptedServer, clock: FakeClock, archive: ep.Archive, credentials: Any
) -> None:
    """Whoever asks, whatever is answered: not in names, heads, questions or leftovers."""
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
        in_flight=1,  # each answer is meant for one request
        clock=clock.time,
        sleep=clock.sleep,
    )
    with client, pytest.raises(ep.Unauthorized) as caught:
        collect(client, in_parts(totals(1, 2, 3), 2), archive)
    assert len(answers(archive.folder)) == 2
    assert leaks(everything(archive.folder)) == []
    assert leaks(repr((archive, archive.collections, caught.value.__notes__)).encode()) == []
    assert leaks("\n".join(CANARIES.values()).encode()) == list(CANARIES.values())


def test_a_secret_that_a_server_echoes_in_an_answer(
    server: ScriptedServer, clock: FakeClock, archive: ep.Archive
) -> None:
    """The body stays what the server sent; what is ours to write, the head, has no secret."""
    body = {"by_post": {"1": {"favorites": "1"}}, "echo": CANARIES["access_token"]}
    server.answer(Scripted(200, body))
    with ep.EngagementClient(CANARY_USER, base_url=server.url, clock=clock.time) as client:
        collect(client, totals(1), archive)
    ((_, (head, content)),) = answers(archive.folder).items()
    assert json.loads(content) == body
    assert leaks(json.dumps(head).encode()) == []


# Going on


class Stop(Exception):
    """Somebody has seen enough."""


def interrupted(
    client: ep.EngagementClient, todo: Plan, archive: ep.Archive, error: BaseException, at: int
) -> None:
    """Collect until so many parts are settled, and then have the watch raise."""

    def watch(progress: Any) -> None:
        if progress.done == at:
            raise error

    with pytest.raises(type(error)) as caught:
        client.collect(todo, into=archive, watch=watch)
    assert caught.value is error
    assert ("the same call resumes" in str(getattr(error, "__notes__", ""))) == (at > 0)


@pytest.mark.slow
@pytest.mark.parametrize("wording", ["posts", "by_author"])
@pytest.mark.parametrize("error", [Stop(), KeyboardInterrupt(), SystemExit(1)], ids=repr)
def test_goes_on_where_it_was_interrupted(
    clock: FakeClock, tmp_path: Path, wording: str, error: BaseException
) -> None:
    """After each part in turn, by a new client: nothing stored is sent, the frames are whole.

    Some posts are another's, some were never made: refusals divide requests, and what they
    leave over is refused again.
    """
    with sandbox(clock, forbidden=wording) as server, client_of(server, clock) as client:
        todo = question(server)
        fetched = client.fetch(todo)
        answered = [response for response in fetched if response.status]
        assert {response.status for response in answered} == {200, 400, 403}
        for at in range(len(todo)):
            archive = ep.Archive(tmp_path / f"{at}")
            interrupted(client, todo, archive, type(error)(*error.args), at)
            kept, before = stored(archive.folder), len(server.requests)
            assert (at == 0) == (kept == set())
            with client_of(server, clock) as another:
                collection = collect(another, todo, ep.Archive(archive.folder))
            resumed = sent(server, before)
            assert kept.isdisjoint(resumed)
            assert len(kept) + len(resumed) == len(answered)
            same(collection, told(fetched))
            same(archive, told(fetched))


def script() -> list[Scripted]:
    """Answers that refuse three times before they count, by post, by age and by type."""
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
    """Return what was answered to what, in any order, at any time."""
    return sorted((repr(r.request), r.request.post_ids, r.status, r.content) for r in responses)


@pytest.mark.slow
@pytest.mark.parametrize("answered", range(5))
@pytest.mark.parametrize("end", [404, 503])
def test_goes_on_within_a_divided_request(
    client: ep.EngagementClient,
    server: ScriptedServer,
    archive: ep.Archive,
    answered: int,
    end: int,
) -> None:
    """Refusals of refusals: cut off after each of five answers by an error or an outage."""
    asked = totals(1, 2, 3, types=["impressions", "favorites", "retweets"])
    server.answer(*script())
    fetched = client.fetch(asked)
    assert len(fetched) == 5
    wanted = [seen.body for seen in server.seen]
    server.seen.clear()
    server.answer(*script()[:answered], *([Scripted(end, {"errors": ["down"]})] * 8))
    kind = ep.RefusedError if end == 404 else ep.TransportError
    with pytest.raises(kind) as caught:
        collect(client, asked, archive)
    notes = str(getattr(caught.value, "__notes__", ""))
    assert (str(archive.folder) in notes) == (answered > 0)
    assert len(stored(archive.folder)) == answered
    server.seen.clear()
    server.script[:] = script()[answered:]
    collection = collect(client, asked, archive)
    assert [seen.body for seen in server.seen] == wanted[answered:]
    assert settled(collection) == settled(fetched)


def test_what_is_settled_already_is_told(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """Of three parts one is answered, and of the second a half: one is settled, then two, three."""
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


def test_an_error_is_not_an_answer(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """A refusal of the whole request is not stored, and asked again."""
    server.answer(Scripted(400, {"errors": ["no"]}), Scripted(401, {"errors": ["no"]}), counted(1))
    for kind in (ep.RefusedError, ep.Unauthorized):
        with pytest.raises(kind):
            collect(client, past(1), archive)
        assert stored(archive.folder) == set()
    assert numbers(collect(client, past(1), archive)) == ["1"]


def test_what_is_not_finished_says_so(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """Its answers can be read, with a warning: a part is not taken for the whole."""
    server.answer(counted(1), Scripted(404, {"errors": ["no"]}))
    todo = in_parts(past(1, 2, 3), 1)
    with pytest.raises(ep.RefusedError):
        collect(client, todo, archive)
    (collection,) = archive.collections
    assert [asked.post_ids for asked in collection.unanswered] == [("2",), ("3",)]
    assert not collection.complete
    assert archive.verify() == ()
    with pytest.warns(UserWarning, match="is not finished: 2 requests .* collect the same"):
        assert ep.flatten(archive)["post_id"].tolist() == ["1"]
    server.answer(counted(2), counted(3))
    collect(client, todo, archive)
    assert ep.flatten(archive)["post_id"].tolist() == ["1", "2", "3"]


def test_goes_on_as_it_was_cut(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """Another version may cut a question otherwise: the parts are those that are stored."""
    server.answer(counted(1), counted(2, number=2))
    whole = ep.plan(past(1, 2))
    path = archive._path(whole, "user 9", whole.now)
    begun = Collection.begin(path, in_parts(past(1, 2), 1), "user 9", whole.now)
    begun.keep(client.fetch(begun.requests[0])[0])
    assert numbers(collect(client, past(1, 2), archive)) == ["1", "2"]
    assert bodies(server) == [["1"], ["2"]]


@pytest.mark.parametrize("owners", [{}, {"1": "bakery"}])
def test_archives_of_before_are_gone_on_with(archive: ep.Archive, owners: dict[str, str]) -> None:
    """The owner's folder has the name that it has always had, whatever is told of handles."""
    whole = ep.plan(past(1, 2, owners=owners))
    assert archive._path(whole, "user 9", whole.now).name == "historical-277eb5ad852f"


# Snapshots


def test_totals_are_snapshots(
    client: ep.EngagementClient, server: ScriptedServer, clock: FakeClock, archive: ep.Archive
) -> None:
    """The same question an hour later is another collection; the first stays as it was."""
    server.answer(counted(1, number=5), counted(1, number=6))
    first = collect(client, totals(1), archive)
    clock.now += 3600
    second = collect(client, totals(1), archive)
    assert numbers(first) == ["5"]
    assert numbers(second) == ["6"]
    assert [c.path for c in archive.collections] == [first.path, second.path]
    assert [c.started.hour for c in archive.collections] == [12, 13]


def test_the_last_28_hours_are_snapshots(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """Also twice in the same second."""
    asked = ep.last_28_hours(["1"], engagement_types=FAVORITES, by=ep.BY_POST)
    server.answer(counted(1), counted(1))
    assert collect(client, asked, archive) != collect(client, asked, archive)
    assert len(archive.collections) == len(server.seen) == 2


def test_history_is_asked_once(
    client: ep.EngagementClient, server: ScriptedServer, clock: FakeClock, archive: ep.Archive
) -> None:
    """The second call sends nothing, a year later either."""
    server.answer(counted(1))
    first = collect(client, past(1), archive)
    clock.now += 365 * 86_400
    assert collect(client, past(1), archive) == first
    assert len(server.seen) == 1


def test_a_snapshot_is_completed_before_a_new_one_is_made(
    client: ep.EngagementClient, server: ScriptedServer, clock: FakeClock, archive: ep.Archive
) -> None:
    """What was interrupted is gone on with; the call after that begins anew."""
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


def test_what_is_complete_takes_no_room(
    client: ep.EngagementClient,
    server: ScriptedServer,
    archive: ep.Archive,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Asked again on a full disk, or one that is only to be read, it writes nothing."""
    server.answer(counted(1))
    first = collect(client, past(1), archive)
    names = ("mkdir", "link", "rename", "replace", "unlink", "rmdir")
    for name in names:
        monkeypatch.setattr(os, name, lambda *_, **__: pytest.fail("something was written"))
    assert collect(client, past(1), archive) == first


@pytest.mark.parametrize("ask", [totals, past], ids=["totals", "historical"])
def test_another_account_does_not_go_on(
    server: ScriptedServer, clock: FakeClock, archive: ep.Archive, ask: Callable[..., Any]
) -> None:
    """What one may see is not what another may."""
    other = ep.UserContext("consumer-key", "consumer-secret", "8-access-token", "token-secret")
    todo = in_parts(ask(1, 2), 1)
    server.answer(counted(1), Scripted(404, {"errors": ["no"]}), counted(1), counted(2))
    one = ep.EngagementClient(USER, base_url=server.url, clock=clock.time)
    with one as client, pytest.raises(ep.RefusedError):
        collect(client, todo, archive)
    with ep.EngagementClient(other, base_url=server.url, clock=clock.time) as client:
        collection = collect(client, todo, archive)
    assert bodies(server) == [["1"], ["2"], ["1"], ["2"]]
    assert collection.account == "user 8"
    assert sorted(c.account for c in archive.collections) == ["user 8", "user 9"]


QUESTIONS = {
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
def test_another_question_is_another_collection(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """Whatever differs: each is sent, and each is kept apart."""
    server.answer(*(Scripted(200, {q.groupings[0].name: {}}) for q in QUESTIONS.values()))
    made = [collect(client, asked, archive) for asked in QUESTIONS.values()]
    assert len({collection.path for collection in made}) == len(QUESTIONS)
    assert [seen.body for seen in server.seen] == [q.to_json() for q in QUESTIONS.values()]
    assert [c.requests for c in made] == [(asked,) for asked in QUESTIONS.values()]


# Damage


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, ...]]:
    """Return a sandbox, a client of it, a plan, a folder with its answers, what they tell."""
    clock = FakeClock()
    folder = tmp_path_factory.mktemp("collected") / "raw"
    with sandbox(clock) as server, client_of(server, clock) as client:
        todo = question(server)
        fetched = told(client.fetch(todo))
        collect(client, todo, ep.Archive(folder))
        yield server, client, todo, folder, fetched


def broken(content: bytes, how: str, where: float) -> bytes:
    """Return a file with a byte flipped, its end cut off, or bytes taken out or put in."""
    at = min(int(where * len(content)), len(content) - 1)
    return {
        "flip": content[:at] + bytes([content[at] ^ 0x41]) + content[at + 1 :],
        "cut": content[:at],
        "take": content[:at] + content[at + 1 :],
        "put": content[:at] + b"\x00" + content[at:],
        "blank": bytes(len(content)),
    }[how]


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    nth=st.integers(0, 100),
    how=st.sampled_from(["flip", "cut", "take", "put", "blank"]),
    where=st.floats(0, 1),
)
def test_damage_is_told_or_harmless(
    collected: tuple[Any, ...], nth: int, how: str, where: float
) -> None:
    """Whatever befalls a file: it is named with what to ask again, or nothing in it changed.

    Not every bit of a gzip file means something; those that do are all checked.
    """
    _, _, _, folder, expected = collected
    archive = ep.Archive(folder)
    found = answers(folder)
    path = sorted(found)[nth % len(found)]
    whole = path.read_bytes()
    try:
        path.write_bytes(broken(whole, how, where))
        damage = archive.verify()
        if not damage:
            head, body = answers(folder)[path]
            assert (head, body) == found[path]
            same(archive, expected)
            return
        ((named, why, asked),) = damage
        assert (named, key(asked.to_json())) == (path, key(found[path][0]["request"]))
        assert why
        with pytest.raises(ep.ArchiveError, match=path.name):
            list(archive)
    finally:
        path.write_bytes(whole)


@pytest.mark.slow
def test_most_damage_is_told(collected: tuple[Any, ...]) -> None:
    """A flip of any byte of an answer, one by one: only in gzip's two headers is it harmless."""
    _, _, _, folder, _ = collected
    archive = ep.Archive(folder)
    path = min(answers(folder), key=lambda found: found.stat().st_size)
    whole = path.read_bytes()
    unnoticed = []
    try:
        for at in range(len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
            if not archive.verify():
                unnoticed.append(at)
    finally:
        path.write_bytes(whole)
    body = whole.index(whole[:4], 4)
    time_effort_system = {start + at for start in (0, body) for at in range(4, 10)}
    assert set(unnoticed) <= time_effort_system


@pytest.mark.slow
def test_each_file_that_is_gone_is_asked_again(collected: tuple[Any, ...]) -> None:
    """One after another: named, not silently left out, and just that is sent again."""
    server, client, todo, folder, expected = collected
    archive = ep.Archive(folder)
    for path, (head, _) in answers(folder).items():
        path.unlink()
        ((named, why, asked),) = archive.verify()
        assert (named, why, key(asked.to_json())) == (path, "missing", key(head["request"]))
        with pytest.raises(ep.ArchiveError, match=path.name):
            ep.flatten(archive)
        before = len(server.requests)
        same(collect(client, todo, archive), expected)
        assert sent(server, before) == [key(head["request"])]
        assert archive.verify() == ()


@pytest.mark.slow
def test_damaged_answers_are_asked_again(collected: tuple[Any, ...]) -> None:
    """All of them at once: one collect of the same question mends them all."""
    server, client, todo, folder, expected = collected
    archive = ep.Archive(folder)
    found = answers(folder)
    for path in found:
        path.write_bytes(path.read_bytes()[:-1])
    assert {damage.path for damage in archive.verify()} <= set(found)
    assert len(archive.verify()) == len(todo)  # what refusals left over is found with them
    before = len(server.requests)
    same(collect(client, todo, archive), expected)
    assert sorted(sent(server, before)) == sorted(
        key(head["request"]) for head, _ in found.values()
    )
    assert archive.verify() == ()


def test_a_damaged_snapshot_is_reopened(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """As verify and the error say: then the same call mends this one, and makes no new one."""
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
    assert [asked.post_ids for asked in collection.unanswered] == [("2",)]
    assert collect(client, todo, archive) == collection
    assert numbers(collection) == ["1", "3"]
    assert len(archive.collections) == 1


@pytest.mark.parametrize("ask", [totals, past], ids=["totals", "historical"])
def test_damage_in_what_is_not_finished(
    client: ep.EngagementClient,
    server: ScriptedServer,
    archive: ep.Archive,
    ask: Callable[..., Any],
) -> None:
    """Named, and mended on the way: the same call asks that again, and what was left."""
    todo = in_parts(ask(1, 2, 3), 1)
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
    """Rewrite a file with another head, well-formed and with the right checksum."""
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


@pytest.mark.parametrize("forgery", FORGED)
def test_a_file_that_says_something_else(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive, forgery: str
) -> None:
    """Well-formed, and not the answer: told as damage, and asked again."""
    server.answer(counted(1), counted(1, number=2))
    collect(client, past(1), archive)
    (path,) = answers(archive.folder)
    swap(path, **FORGED[forgery])
    assert [damage.path for damage in archive.verify()] == [path]
    assert numbers(collect(client, past(1), archive)) == ["2"]
    assert archive.verify() == ()


def test_an_answer_of_a_newer_version(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """It is not damaged: it is neither asked again nor written over."""
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


@pytest.mark.parametrize("ask", [totals, past], ids=["totals", "historical"])
def test_a_question_of_a_newer_version(
    client: ep.EngagementClient,
    server: ScriptedServer,
    archive: ep.Archive,
    ask: Callable[..., Any],
) -> None:
    """Nor is that written over, or taken for one that was never asked."""
    server.answer(counted(1))
    collection = collect(client, ask(1), archive)
    collection.reopen()
    path = collection.path / "question.json.gz"
    swap(path, format=2)
    content = path.read_bytes()
    for reading in (lambda: list(archive), lambda: collect(client, ask(1), archive)):
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


@pytest.mark.parametrize("poison", POISON)
def test_an_answer_that_cannot_be_flattened(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive, poison: Any
) -> None:
    """It is sent for again, and nothing of it is stored."""
    server.answer(Scripted(200, poison), counted(1, number=4))
    collection = collect(client, past(1), archive)
    assert numbers(collection) == ["4"]
    assert (archive.verify(), len(server.seen)) == ((), 2)


@pytest.mark.parametrize("poison", POISON)
def test_a_stored_answer_that_cannot_be_flattened(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive, poison: Any
) -> None:
    """As an earlier version stored it: named with file and reason, and sent for again."""
    server.answer(counted(1), counted(1, number=4))
    collection = collect(client, past(1), archive)
    (path,) = answers(archive.folder)
    content = poison if isinstance(poison, bytes) else json.dumps(poison).encode()
    path.write_bytes(encode_record({**answers(archive.folder)[path][0]}, content))
    ((damaged, why, asked),) = archive.verify()
    assert (damaged, asked) == (path, past(1))
    assert "it does not answer its request" in why
    with pytest.raises(ep.ArchiveError, match=path.name):
        ep.flatten(collection)
    assert numbers(collect(client, past(1), archive)) == ["4"]
    assert (archive.verify(), len(server.seen)) == ((), 2)


@pytest.mark.parametrize("how", ["flip", "cut", "blank", "gone"])
@pytest.mark.parametrize("ask", [totals, past], ids=["totals", "historical"])
def test_a_lost_question(
    client: ep.EngagementClient,
    server: ScriptedServer,
    archive: ep.Archive,
    ask: Callable[..., Any],
    how: str,
) -> None:
    """Told with its cure, which is to ask the same again: the answers are all still good."""
    server.answer(counted(1))
    collection = collect(client, ask(1), archive)
    path = collection.path / "question.json.gz"
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(broken(path.read_bytes(), how, 0.5))
    assert [(d.path, d.request) for d in archive.verify()] == [(path, None)]
    with pytest.raises(ep.ArchiveError, match=r"reopen\(\) .* and collect the same request"):
        list(archive)
    (found,) = archive.collections
    found.reopen()
    assert collect(client, ask(1), archive) == collection
    assert numbers(archive) == ["1"]
    assert (archive.verify(), len(server.seen)) == ((), 1)


def test_a_file_that_cannot_be_read_here(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """A folder in its place, as no permission: told, not taken for missing, not asked again."""
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


# What else is in a folder


def test_what_is_not_ours_is_left_alone(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """Files and folders of others, and what a crash left behind, are no collections."""
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


def test_a_collection_by_another_name(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """A folder that was renamed is still read."""
    server.answer(counted(1))
    collect(client, past(1), archive).path.rename(archive.folder / "march")
    assert numbers(archive) == ["1"]
    assert archive.verify() == ()


def test_an_archive_that_is_not_there(archive: ep.Archive) -> None:
    """Empty, and flatten says so; looking makes no folder."""
    assert archive.collections == archive.verify() == ()
    assert list(archive) == []
    for tell in (ep.flatten, ep.omissions):
        with pytest.raises(ep.EngagementError, match="there are no responses"):
            tell(archive)
    assert not archive.folder.exists()


def test_a_folder_that_is_a_file(
    client: ep.EngagementClient, server: ScriptedServer, tmp_path: Path
) -> None:
    """Told at once, and also where it, or what it is to be in, becomes one later."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ep.ArchiveError, match="file is a file; name a folder"):
        ep.Archive(tmp_path / "file")
    archive = ep.Archive(tmp_path / "raw")
    archive.folder.write_text("")
    for late in (archive, ep.Archive(tmp_path / "file" / "raw")):
        with pytest.raises(ep.ArchiveError, match="name another folder"):
            collect(client, past(1), late)
    assert server.seen == []


def test_a_collection_that_is_a_file(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """In the place where one is to be: nothing is sent."""
    server.answer(counted(1))
    path = collect(client, past(1), archive).path
    shutil.rmtree(path)
    path.write_text("")
    with pytest.raises(ep.ArchiveError, match=path.name):
        collect(client, past(1), archive)
    assert (len(server.seen), archive.collections) == (1, ())


def test_refused_before_anything_is_made(archive: ep.Archive) -> None:
    """A bearer token that will not do leaves no folder behind."""
    public = ep.EngagementClient(ep.AppOnly("a-token"))
    with public as client, pytest.raises(ep.UserContextRequired):
        client.collect(past(1), into=archive)
    assert not archive.folder.exists()


# Reading


@pytest.mark.slow
def test_one_answer_at_a_time(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """20 answers of 500 kB are collected, and read, in the memory of a few."""
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


def test_reading_begins_with_the_first(
    client: ep.EngagementClient, server: ScriptedServer, archive: ep.Archive
) -> None:
    """Answers that are not taken are not read: one behind a damaged one is an error then."""
    server.answer(counted(1), counted(2))
    collection = collect(client, in_parts(past(1, 2), 1), archive)
    reading = iter(archive)
    assert next(reading).request.post_ids == ("1",)
    for path in answers(archive.folder):
        path.unlink()
    with pytest.raises(ep.ArchiveError, match="missing"):
        next(reading)
    assert collection.complete


def test_shown(client: ep.EngagementClient, server: ScriptedServer, tmp_path: Path) -> None:
    """What there is, where, and whether it is finished."""
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
    """Several collections of one endpoint, with no count in two of them, are one frame."""
    posts = some_posts(twin, 11)
    wanted: Told = told([r for half in (posts[:5], posts[5:]) for r in owner.fetch(past(*half))])
    for half in (posts[:5], posts[5:]):
        collect(owner, past(*half), archive)
    same(archive, wanted)
