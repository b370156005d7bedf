"""One owner or post fails: the others are answered; the failure is reported and retried."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.scripted import USER, FakeClock, Scripted, ScriptedServer, Seen

import engagement_pandas as ep
from engagement_pandas.client.failures import GIVE_UP
from engagement_pandas.client.request_task import PIECE_ATTEMPTS, PIECES
from engagement_pandas.frame.contract import TEXT

POSTS = [str(10**18 + number) for number in range(12)]
HANDLES = ("anna", "bert", "cleo")
OWNED = pd.DataFrame({"post_id": POSTS, "handle": [HANDLES[n % 3] for n in range(12)]})
ATTEMPTS = 3
LOST = object()
REFUSED = Scripted(401, {"errors": ["Access token not found"]})


class Rule(list[Scripted]):
    """A script that computes the response to each request."""

    def __init__(self, server: ScriptedServer, answer: Callable[[Seen], Scripted]) -> None:
        super().__init__()
        self._server, self._answer = server, answer

    def pop(self, *_: Any) -> Scripted:
        return self._answer(self._server.seen[-1])


def counts_body(request: Any, count: Callable[[str], Any] = lambda _: "5") -> dict[str, Any]:
    """Return a response body by post and type."""
    return {
        "by_post": {
            p: dict.fromkeys(request["engagement_types"], count(p)) for p in request["tweet_ids"]
        }
    }


class Api:
    """A scripted API with revoked tokens and malformed posts, which records requests."""

    def __init__(self, server: ScriptedServer) -> None:
        self.revoked: set[str] = set()
        self.suspended: set[str] = set()
        self.bad: set[str] = set()
        self.malformed: Any = LOST
        self._server = server
        server.script = Rule(server, self._answer)

    def _answer(self, seen: Seen) -> Scripted:
        if any(token in seen.headers["authorization"] for token in self.revoked):
            return REFUSED
        if any(token in seen.headers["authorization"] for token in self.suspended):
            return Scripted(403, {"errors": ["Your account is suspended"]})
        if self.malformed is LOST and self.bad.intersection(seen.body["tweet_ids"]):
            return Scripted(200, {"data": []})
        return Scripted(
            200, counts_body(seen.body, lambda p: self.malformed if p in self.bad else "5")
        )

    def sent(self, since: int = 0) -> list[list[str]]:
        """Return the posts of each request."""
        return [seen.body["tweet_ids"] for seen in self._server.seen[since:]]

    def count(self) -> int:
        return len(self._server.seen)


@pytest.fixture
def api(server: ScriptedServer) -> Api:
    """Return the scripted API."""
    server._server.RequestHandlerClass.disable_nagle_algorithm = True  # type: ignore[attr-defined]
    return Api(server)


@pytest.fixture
def accounts(tmp_path: Path) -> ep.Accounts:
    """Return accounts of three owners."""
    app = ep.Consumer("key", "secret")
    accounts = ep.Accounts(tmp_path / "accounts.json", consumer=app, environ={})
    since = datetime(2026, 4, 1, tzinfo=UTC)
    for number, handle in enumerate(HANDLES, 1):
        accounts.add(ep.Account(handle, str(number), app.app, since, f"{number}-token", "secret"))
    return accounts


Make = Callable[[Any], ep.EngagementClient]


@pytest.fixture
def make(server: ScriptedServer, clock: FakeClock) -> Make:
    """Return a function that makes clients with three attempts per request."""

    def client(credentials: Any = USER) -> ep.EngagementClient:
        return ep.EngagementClient(
            credentials,
            base_url=server.url,
            attempts=ATTEMPTS,
            in_flight=1,
            clock=clock.time,
            sleep=clock.sleep,
        )

    return client


def history(posts: Any = OWNED) -> ep.EngagementRequest:
    """Request one day of some posts."""
    window = ep.Window.covering("2026-03-01", "2026-03-02")
    return ep.historical(posts, engagement_types=["replies"], window=window, by=ep.BY_POST)


def fetch(client: ep.EngagementClient, request: Any, _: Path) -> list[ep.EngagementResponse]:
    """Fetch without a progress bar."""
    return client.fetch(request, watch=lambda _: None)


def collect(client: ep.EngagementClient, request: Any, folder: Path) -> list[ep.EngagementResponse]:
    """Collect into a folder, and read the collection."""
    return list(client.collect(request, into=folder / "raw", watch=lambda _: None))


both = pytest.mark.parametrize("get", [fetch, collect])
Get = Callable[[ep.EngagementClient, Any, Path], list[ep.EngagementResponse]]


def omission_reasons(responses: Any) -> dict[str, str]:
    """Return the reason of each post without counts, and check that the others have some."""
    omissions = ep.omissions(responses)
    counts = ep.flatten(responses)
    assert set(counts["post_id"]) | set(omissions["post_id"]) == set(POSTS)
    assert not set(counts["post_id"]) & set(omissions["post_id"])
    assert set(counts["count"]) <= {5}
    return dict(zip(omissions["post_id"], omissions["reason"].astype(TEXT), strict=True))


def posts_of(handle: str) -> set[str]:
    """Return the posts of an owner."""
    return set(OWNED.loc[OWNED["handle"] == handle, "post_id"])


# One owner fails


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return a set of handles, initially empty, whose tokens cannot be read."""
    original, handles = ep.Accounts.credentials, set[str]()

    def credentials(self: ep.Accounts, handle: str | None = None) -> ep.UserContext:
        if handle in handles:
            msg = "the keyring is locked"
            raise ep.AccountsError(msg)
        return original(self, handle)

    monkeypatch.setattr(ep.Accounts, "credentials", credentials)
    return handles


@both
def test_a_revoked_owner_does_not_affect_the_others(
    api: Api, accounts: ep.Accounts, make: Make, tmp_path: Path, get: Get
) -> None:
    """Its posts are omitted with the API's message, and a warning names the owner and the cure."""
    api.revoked = {"2-token"}
    with pytest.warns(UserWarning, match=r"4 posts of bert.*not found.*engagement-pandas login"):
        responses = get(make(accounts), history(), tmp_path)
    assert omission_reasons(responses) == dict.fromkeys(posts_of("bert"), "unauthorized")
    (failed,) = (response for response in responses if response.failed)
    assert (failed.status, failed.reason) == (0, ep.OmissionReason.UNAUTHORIZED)
    messages = ep.omissions(responses)["message"].unique()
    assert len(messages) == 1
    assert "HTTP 401" in messages[0]
    assert "Access token not found" in messages[0]
    assert "requested as user 2" in messages[0]


def test_revoked_tokens_are_not_used_again(api: Api, accounts: ep.Accounts, make: Make) -> None:
    """One request of that owner's three windows is sent, and all of the others'."""
    api.revoked = {"2-token"}
    window = ep.Window.covering("2026-01-01", "2026-03-12")  # 70 days: three windows
    request = history().replace(window=window)
    with pytest.warns(UserWarning, match="bert"):
        responses = make(accounts).fetch(request, watch=lambda _: None)
    assert len(responses) == 9
    assert api.count() == 3 + 1 + 3


@both
def test_a_suspended_owner_is_handled_like_a_revoked_one(
    api: Api, accounts: ep.Accounts, make: Make, tmp_path: Path, get: Get
) -> None:
    """With several owners, a 403 that names no post is about its owner."""
    api.suspended = {"3-token"}
    with pytest.warns(UserWarning, match="4 posts of cleo.*suspended"):
        responses = get(make(accounts), history(), tmp_path)
    assert omission_reasons(responses) == dict.fromkeys(posts_of("cleo"), "unauthorized")


@both
def test_unreadable_tokens_do_not_affect_the_others(
    api: Api, locked: set[str], accounts: ep.Accounts, make: Make, get: Get
) -> None:
    """If a keyring is locked, nothing is sent for that owner."""
    locked.add("anna")
    with pytest.warns(UserWarning, match="4 posts of anna.*the keyring is locked"):
        responses = get(make(accounts), history(), accounts.path.parent)
    assert omission_reasons(responses) == dict.fromkeys(posts_of("anna"), "unauthorized")
    assert api.count() == 2


@both
def test_revoked_tokens_of_all_owners_are_an_error(
    api: Api, accounts: ep.Accounts, make: Make, tmp_path: Path, get: Get
) -> None:
    """The same holds for a single owner, since an outage is not an empty response."""
    api.revoked = {"1-token", "2-token", "3-token"}
    with pytest.raises(ep.Unauthorized, match="Access token not found") as caught:
        get(make(accounts), history(), tmp_path)
    assert "requested as user 1" in caught.value.__notes__
    assert [response for response in caught.value.responses if response.failed] == []
    api.revoked = {"9-access-token"}
    with pytest.raises(ep.Unauthorized, match="Access token not found"):
        get(make(USER), history(POSTS), tmp_path)


@both
def test_unreadable_tokens_of_all_owners_are_an_error(
    api: Api, locked: set[str], accounts: ep.Accounts, make: Make, get: Get
) -> None:
    """Nothing is sent."""
    locked.update(HANDLES)
    with pytest.raises(ep.AccountsError, match="locked"):
        get(make(accounts), history(), accounts.path.parent)
    assert api.count() == 0


@pytest.mark.slow
def test_an_owner_can_log_in_again(
    api: Api, accounts: ep.Accounts, make: Make, tmp_path: Path
) -> None:
    """The same call requests only what is missing, until the collection is complete."""
    api.revoked = {"2-token"}
    archive = ep.Archive(tmp_path / "raw")
    for sent in (3, 1):  # the second time only the missing request
        before = api.count()
        with pytest.warns(UserWarning, match="bert"):
            collection = make(accounts).collect(history(), into=archive, watch=lambda _: None)
        assert api.count() - before == sent
        assert not collection.complete
        assert omission_reasons(list(collection)) == dict.fromkeys(posts_of("bert"), "unauthorized")
        (damage,) = archive.verify()
        assert "unauthorized" in damage.why
        assert "Access token not found" in damage.why
        assert damage.path.is_file()
        assert damage.request is not None
        assert set(damage.request.post_ids) == posts_of("bert")
    files = sorted(collection.path.iterdir())
    with pytest.warns(UserWarning, match="bert"):
        make(accounts).collect(history(), into=archive, watch=lambda _: None)
    assert sorted(collection.path.iterdir()) == files  # no file is added
    api.revoked = set()
    before = api.count()
    collection = make(accounts).collect(history(), into=archive, watch=lambda _: None)
    assert api.count() - before == 1
    assert collection.complete
    assert omission_reasons(list(collection)) == {}
    assert archive.verify() == ()
    assert len(archive.collections) == 1
    assert not [*collection.path.glob("*.set_aside*")]


# One post fails


MALFORMED = {
    "no grouping": LOST,
    "null": None,
    "float": 1.5,
    "boolean": True,
    "object": {"00": "1"},
    "text": "many",
    "list": ["1"],
}


@pytest.mark.slow
@both
@pytest.mark.parametrize("malformation", MALFORMED)
def test_a_malformed_post_does_not_affect_the_others(
    api: Api, make: Make, tmp_path: Path, get: Get, malformation: str
) -> None:
    """The batch is divided in half until the post is alone."""
    api.bad, api.malformed = {POSTS[4]}, MALFORMED[malformation]
    with pytest.warns(
        UserWarning, match=f"1 post, .*{POSTS[4]}.*the grouping is missing|a count is an integer"
    ):
        responses = get(make(USER), history(POSTS), tmp_path)
    assert omission_reasons(responses) == {POSTS[4]: "invalid_answer"}
    assert api.sent()[:ATTEMPTS] == [POSTS] * ATTEMPTS
    levels = math.ceil(math.log2(len(POSTS)))
    assert api.count() <= ATTEMPTS + PIECE_ATTEMPTS * 2 * levels


@pytest.mark.slow
@both
def test_two_malformed_posts(api: Api, make: Make, tmp_path: Path, get: Get) -> None:
    """The ten posts between the first and the last are answered."""
    api.bad = {POSTS[0], POSTS[-1]}
    with pytest.warns(UserWarning, match=POSTS[0]):
        responses = get(make(USER), history(POSTS), tmp_path)
    assert omission_reasons(responses) == dict.fromkeys(api.bad, "invalid_answer")


@both
def test_a_malformed_post_alone_in_its_request(
    api: Api, accounts: ep.Accounts, make: Make, tmp_path: Path, get: Get
) -> None:
    """The other two of three requests are sent."""
    posts = OWNED.iloc[:3]
    api.bad = {POSTS[0]}
    with pytest.warns(UserWarning, match="1 post of anna"):
        responses = get(make(accounts), history(posts), tmp_path)
    assert ep.flatten(responses)["post_id"].to_list() == POSTS[1:3]
    assert ep.omissions(responses)["reason"].to_list() == ["invalid_answer"]


@pytest.mark.slow
@both
def test_invalid_responses_for_all_posts_are_an_error(
    api: Api, make: Make, tmp_path: Path, get: Get
) -> None:
    """The number of requests is limited."""
    api.bad = set(POSTS)
    with pytest.raises(ep.TransportError, match="HTTP 200, but the answer is invalid") as caught:
        get(make(USER), history(POSTS), tmp_path)
    assert (caught.value.status, caught.value.attempts) == (200, ATTEMPTS)
    assert api.count() <= ATTEMPTS + PIECE_ATTEMPTS * PIECES


def test_a_failing_service_is_not_sent_all_requests(api: Api, make: Make) -> None:
    """Of 40 batches of one post, ten are sent."""
    posts = [str(10**18 + number) for number in range(40)]
    api.bad = set(posts)
    request = history(posts)
    parts = tuple(request.replace(post_ids=[post]) for post in posts)
    plan = ep.Plan(request, parts, datetime(2026, 4, 15, tzinfo=UTC))
    with pytest.raises(ep.TransportError, match="HTTP 200, but the answer is invalid"):
        make(USER).fetch(plan, watch=lambda _: None)
    assert api.count() == GIVE_UP * ATTEMPTS == 30


@pytest.mark.slow
@both
def test_the_number_of_smaller_requests_is_limited(
    api: Api, make: Make, tmp_path: Path, get: Get
) -> None:
    """If every other of 250 posts fails, 32 parts are sent; the rest waits for the next call."""
    posts = [str(10**18 + number) for number in range(250)]
    api.bad = set(posts[::2])
    request = ep.totals(posts, engagement_types=["favorites"])
    counts: list[int] = []
    for _ in range(2):
        before = api.count()
        with pytest.warns(UserWarning, match="no answer for"):
            responses = get(make(USER), request, tmp_path)
        assert api.count() - before <= ATTEMPTS + PIECE_ATTEMPTS * PIECES
        omissions = ep.omissions(responses)
        assert set(omissions["reason"]) == {"invalid_answer"}
        counts.append(len(ep.flatten(responses)))
        assert set(ep.flatten(responses)["post_id"]) | set(omissions["post_id"]) == set(posts)
        assert counts[-1] > 0


@pytest.mark.slow
def test_a_recovered_post_is_requested_again(api: Api, make: Make, tmp_path: Path) -> None:
    """Only that post is sent again; its last invalid body is kept in one file."""
    api.bad = {POSTS[4]}
    archive = ep.Archive(tmp_path / "raw")
    for sent in (None, PIECE_ATTEMPTS, PIECE_ATTEMPTS):
        before = api.count()
        with pytest.warns(UserWarning, match=POSTS[4]):
            collection = make(USER).collect(history(POSTS), into=archive, watch=lambda _: None)
        assert sent in (None, api.count() - before)
        assert not collection.complete
        (damage,) = archive.verify()
        assert (damage.request and damage.request.post_ids) == (POSTS[4],)
        assert "invalid_answer" in damage.why
        assert "the grouping is missing" in damage.why
        files = sorted(path.name for path in collection.path.iterdir())
    assert api.sent()[-1] == [POSTS[4]]
    assert sorted(path.name for path in collection.path.iterdir()) == files
    line, _, content = gzip.decompress(damage.path.read_bytes()).partition(b"\n")
    assert json.loads(line)["reason"] == "invalid_answer"
    assert json.loads(content) == {"data": []}
    api.bad = set()
    collection = make(USER).collect(history(POSTS), into=archive, watch=lambda _: None)
    assert api.sent()[-1] == [POSTS[4]]
    assert collection.complete
    assert omission_reasons(list(collection)) == {}
    assert archive.verify() == ()
    before = api.count()
    assert make(USER).collect(history(POSTS), into=archive, watch=lambda _: None) == collection
    assert api.count() == before


@pytest.mark.parametrize("revoked", [True, False], ids=["revoked", "malformed"])
def test_a_response_of_another_process_is_not_a_failure(  # noqa: PLR0913, PLR0917
    api: Api,
    accounts: ep.Accounts,
    make: Make,
    server: ScriptedServer,
    tmp_path: Path,
    revoked: bool,  # noqa: FBT001
) -> None:
    """A refused request counts as answered if another process stores its response meanwhile.

    No warning is given, which would be an error in these tests.
    """
    archive, original = ep.Archive(tmp_path / "raw"), api._answer
    posts_of_bert = [post for post in POSTS if post in posts_of("bert")]

    def answer(seen: Seen) -> Scripted:
        if seen.body["tweet_ids"] == posts_of_bert:
            part = history().replace(post_ids=posts_of_bert, owners={})
            archive.collections[0].keep(
                ep.EngagementResponse(part, counts_body(seen.body)), "another"
            )
        return original(seen)

    server.script = Rule(server, answer)
    api.revoked, api.bad = ({"2-token"}, set()) if revoked else (set(), {posts_of_bert[0]})
    collection = make(accounts).collect(history(), into=archive, watch=lambda _: None)
    assert collection.complete
    assert omission_reasons(list(collection)) == {}
    assert archive.verify() == ()
    assert api.count() == 2 + (1 if revoked else ATTEMPTS)


@pytest.mark.slow
@both
def test_an_outage_ends_the_fetch(
    server: ScriptedServer, accounts: ep.Accounts, make: Make, tmp_path: Path, get: Get
) -> None:
    """A 503 for one owner is not an omission."""

    def answer(seen: Seen) -> Scripted:
        unavailable = "2-token" in seen.headers["authorization"]
        return Scripted(503) if unavailable else Scripted(200, counts_body(seen.body))

    server.script = Rule(server, answer)
    with pytest.raises(ep.TransportError) as caught:
        get(make(accounts), history(), tmp_path)
    assert caught.value.status == 503


@pytest.fixture
def run_command(
    accounts: ep.Accounts, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., int]:
    """Return a function that runs the command line as a user of the three accounts."""
    from engagement_pandas.cli import main  # noqa: PLC0415

    OWNED.to_csv(tmp_path / "posts.csv", index=False)
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "X_ACCOUNTS": str(accounts.path),
        "X_CONSUMER_KEY": "key",
        "X_CONSUMER_SECRET": "secret",
        "X_BASE_URL": server.url,
    }.items():
        monkeypatch.setenv(name, value)
    window = ["--start", "2026-03-01", "--end", "2026-03-02", "--types", "replies", "--by", "post"]
    return lambda: main(
        ["historical", "posts.csv", *window, "--archive", "raw", "--out", "out.csv"]
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_the_command_line_reports_failed_owners(
    api: Api, run_command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 10 with the others' counts written, and 0 when the owner is back."""
    api.revoked = {"2-token"}
    assert run_command() == 10
    output = capsys.readouterr().err
    assert "4 posts of bert" in output
    assert "4 posts without a response" in output
    assert len(ep.read_csv("out.csv")) == 8
    api.revoked = set()
    assert run_command() == 0
    assert len(ep.read_csv("out.csv")) == 12
