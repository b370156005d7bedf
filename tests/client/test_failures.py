"""One owner or one post that fails: the others are answered, and it is named and sent again."""

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
from engagement_pandas.client.task import PIECE_ATTEMPTS, PIECES

POSTS = [str(10**18 + number) for number in range(12)]
HANDLES = ("anna", "bert", "cleo")
OWNED = pd.DataFrame({"post_id": POSTS, "handle": [HANDLES[n % 3] for n in range(12)]})
ATTEMPTS = 3
LOST = object()
REFUSED = Scripted(401, {"errors": ["Access token not found"]})


class Rule(list[Scripted]):
    """A script that is made as it is played: an answer to each request."""

    def __init__(self, server: ScriptedServer, answer: Callable[[Seen], Scripted]) -> None:
        super().__init__()
        self._server, self._answer = server, answer

    def pop(self, *_: Any) -> Scripted:
        return self._answer(self._server.seen[-1])


def body(asked: Any, count: Callable[[str], Any] = lambda _: "5") -> dict[str, Any]:
    """Return an answer by post and type."""
    return {
        "by_post": {
            p: dict.fromkeys(asked["engagement_types"], count(p)) for p in asked["tweet_ids"]
        }
    }


class Api:
    """Knows which tokens are revoked, which posts are always malformed, what was sent."""

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
        return Scripted(200, body(seen.body, lambda p: self.malformed if p in self.bad else "5"))

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
    """Return three owners who have logged in."""
    app = ep.Consumer("key", "secret")
    kept = ep.Accounts(tmp_path / "accounts.json", consumer=app, environ={})
    since = datetime(2026, 4, 1, tzinfo=UTC)
    for number, handle in enumerate(HANDLES, 1):
        kept.add(ep.Account(handle, str(number), app.app, since, f"{number}-token", "secret"))
    return kept


Make = Callable[[Any], ep.EngagementClient]


@pytest.fixture
def make(server: ScriptedServer, clock: FakeClock) -> Make:
    """Return clients, each request sent three times at most."""

    def made(credentials: Any = USER) -> ep.EngagementClient:
        return ep.EngagementClient(
            credentials,
            base_url=server.url,
            attempts=ATTEMPTS,
            in_flight=1,
            clock=clock.time,
            sleep=clock.sleep,
        )

    return made


def question(posts: Any = OWNED) -> ep.EngagementRequest:
    """Ask for a day of some posts."""
    window = ep.Window.covering("2026-03-01", "2026-03-02")
    return ep.historical(posts, engagement_types=["replies"], window=window, by=ep.BY_POST)


def fetched(client: ep.EngagementClient, asked: Any, _: Path) -> list[ep.EngagementResponse]:
    """Fetch without a progress bar."""
    return client.fetch(asked, watch=lambda _: None)


def collected(client: ep.EngagementClient, asked: Any, folder: Path) -> list[ep.EngagementResponse]:
    """Collect into a folder, and read what is there."""
    return list(client.collect(asked, into=folder / "raw", watch=lambda _: None))


both = pytest.mark.parametrize("ask", [fetched, collected])
Ask = Callable[[ep.EngagementClient, Any, Path], list[ep.EngagementResponse]]


def omitted(responses: Any) -> dict[str, str]:
    """Return the reason of each post without counts; and check that the others have some."""
    silent = ep.omissions(responses)
    counts = ep.flatten(responses)
    assert set(counts["post_id"]) | set(silent["post_id"]) == set(POSTS)
    assert not set(counts["post_id"]) & set(silent["post_id"])
    assert set(counts["count"]) <= {5}
    return dict(zip(silent["post_id"], silent["reason"].astype("str"), strict=True))


def of(handle: str) -> set[str]:
    """Return the posts of an owner."""
    return set(OWNED.loc[OWNED["handle"] == handle, "post_id"])


# One owner


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return a set of handles whose tokens cannot be read."""
    real, handles = ep.Accounts.credentials, set[str]()

    def credentials(self: ep.Accounts, handle: str | None = None) -> ep.UserContext:
        if handle in handles:
            msg = "the keyring is locked"
            raise ep.AccountsError(msg)
        return real(self, handle)

    monkeypatch.setattr(ep.Accounts, "credentials", credentials)
    return handles


@both
def test_a_revoked_owner_stops_nobody_else(
    api: Api, accounts: ep.Accounts, make: Make, tmp_path: Path, ask: Ask
) -> None:
    """Its posts are omitted with the API's words, and a warning names owner and cure."""
    api.revoked = {"2-token"}
    with pytest.warns(UserWarning, match=r"4 posts of bert.*not found.*engagement-pandas login"):
        responses = ask(make(accounts), question(), tmp_path)
    assert omitted(responses) == dict.fromkeys(of("bert"), "unauthorized")
    (failed,) = (one for one in responses if one.failed)
    assert (failed.status, failed.reason) == (0, ep.OmissionReason.UNAUTHORIZED)
    said = ep.omissions(responses)["message"].unique()
    assert len(said) == 1
    assert "HTTP 401" in said[0]
    assert "Access token not found" in said[0]
    assert "requested as user 2" in said[0]


def test_nothing_more_is_signed_with_revoked_tokens(
    api: Api, accounts: ep.Accounts, make: Make
) -> None:
    """Of three windows of an owner one request is sent, those of the others all."""
    api.revoked = {"2-token"}
    long = ep.Window.covering("2026-01-01", "2026-03-12")  # 70 days: three windows
    asked = question().replace(window=long)
    with pytest.warns(UserWarning, match="bert"):
        responses = make(accounts).fetch(asked, watch=lambda _: None)
    assert len(responses) == 9
    assert api.count() == 3 + 1 + 3


@both
def test_a_suspended_owner_is_like_a_revoked_one(
    api: Api, accounts: ep.Accounts, make: Make, tmp_path: Path, ask: Ask
) -> None:
    """A 403 that names no post is about the owner, where there are others."""
    api.suspended = {"3-token"}
    with pytest.warns(UserWarning, match="4 posts of cleo.*suspended"):
        responses = ask(make(accounts), question(), tmp_path)
    assert omitted(responses) == dict.fromkeys(of("cleo"), "unauthorized")


@both
def test_tokens_that_cannot_be_read_stop_nobody_else(
    api: Api, locked: set[str], accounts: ep.Accounts, make: Make, ask: Ask
) -> None:
    """As those in a keyring that is locked: nothing is sent for that owner."""
    locked.add("anna")
    with pytest.warns(UserWarning, match="4 posts of anna.*the keyring is locked"):
        responses = ask(make(accounts), question(), accounts.path.parent)
    assert omitted(responses) == dict.fromkeys(of("anna"), "unauthorized")
    assert api.count() == 2


@both
def test_where_every_owner_is_revoked_it_is_an_error(
    api: Api, accounts: ep.Accounts, make: Make, tmp_path: Path, ask: Ask
) -> None:
    """As with one owner alone: an outage is no empty answer."""
    api.revoked = {"1-token", "2-token", "3-token"}
    with pytest.raises(ep.Unauthorized, match="Access token not found") as caught:
        ask(make(accounts), question(), tmp_path)
    assert "requested as user 1" in caught.value.__notes__
    assert [one for one in caught.value.responses if one.failed] == []
    api.revoked = {"9-access-token"}
    with pytest.raises(ep.Unauthorized, match="Access token not found"):
        ask(make(USER), question(POSTS), tmp_path)


@both
def test_where_no_tokens_can_be_read_nothing_is_sent(
    api: Api, locked: set[str], accounts: ep.Accounts, make: Make, ask: Ask
) -> None:
    """That is an error at once."""
    locked.update(HANDLES)
    with pytest.raises(ep.AccountsError, match="locked"):
        ask(make(accounts), question(), accounts.path.parent)
    assert api.count() == 0


@pytest.mark.slow
def test_an_owner_who_comes_back_is_taken_up(
    api: Api, accounts: ep.Accounts, make: Make, tmp_path: Path
) -> None:
    """The same call sends what is missing, again and again, and then the collection is complete."""
    api.revoked = {"2-token"}
    archive = ep.Archive(tmp_path / "raw")
    for sent in (3, 1):  # the second time only what is missing
        before = api.count()
        with pytest.warns(UserWarning, match="bert"):
            collection = make(accounts).collect(question(), into=archive, watch=lambda _: None)
        assert api.count() - before == sent
        assert not collection.complete
        assert omitted(list(collection)) == dict.fromkeys(of("bert"), "unauthorized")
        (damage,) = archive.verify()
        assert "unauthorized" in damage.why
        assert "Access token not found" in damage.why
        assert damage.path.is_file()
        assert damage.request is not None
        assert set(damage.request.post_ids) == of("bert")
    files = sorted(collection.path.iterdir())
    with pytest.warns(UserWarning, match="bert"):
        make(accounts).collect(question(), into=archive, watch=lambda _: None)
    assert sorted(collection.path.iterdir()) == files  # nothing grows
    api.revoked = set()
    before = api.count()
    collection = make(accounts).collect(question(), into=archive, watch=lambda _: None)
    assert api.count() - before == 1
    assert collection.complete
    assert omitted(list(collection)) == {}
    assert archive.verify() == ()
    assert len(archive.collections) == 1
    assert not [*collection.path.glob("*.set_aside*")]


# One post


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
@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_post_stops_no_other(
    api: Api, make: Make, tmp_path: Path, ask: Ask, kind: str
) -> None:
    """The batch is cut in halves until it is alone."""
    api.bad, api.malformed = {POSTS[4]}, MALFORMED[kind]
    with pytest.warns(
        UserWarning, match=f"1 post, .*{POSTS[4]}.*the grouping is missing|a count is an integer"
    ):
        responses = ask(make(USER), question(POSTS), tmp_path)
    assert omitted(responses) == {POSTS[4]: "invalid_answer"}
    assert api.sent()[:ATTEMPTS] == [POSTS] * ATTEMPTS
    levels = math.ceil(math.log2(len(POSTS)))
    assert api.count() <= ATTEMPTS + PIECE_ATTEMPTS * 2 * levels


@both
def test_two_malformed_posts(api: Api, make: Make, tmp_path: Path, ask: Ask) -> None:
    """The first and the last: the ten between them are answered."""
    api.bad = {POSTS[0], POSTS[-1]}
    with pytest.warns(UserWarning, match=POSTS[0]):
        responses = ask(make(USER), question(POSTS), tmp_path)
    assert omitted(responses) == dict.fromkeys(api.bad, "invalid_answer")


@both
def test_a_malformed_post_alone_in_its_request(
    api: Api, accounts: ep.Accounts, make: Make, tmp_path: Path, ask: Ask
) -> None:
    """The first of three requests: the other two are sent."""
    posts = OWNED.iloc[:3]
    api.bad = {POSTS[0]}
    with pytest.warns(UserWarning, match="1 post of anna"):
        responses = ask(make(accounts), question(posts), tmp_path)
    assert ep.flatten(responses)["post_id"].to_list() == POSTS[1:3]
    assert ep.omissions(responses)["reason"].to_list() == ["invalid_answer"]


@pytest.mark.slow
@both
def test_where_every_answer_is_invalid_it_is_an_error(
    api: Api, make: Make, tmp_path: Path, ask: Ask
) -> None:
    """And what is sent is bounded."""
    api.bad = set(POSTS)
    with pytest.raises(ep.TransportError, match="HTTP 200, but the answer is invalid") as caught:
        ask(make(USER), question(POSTS), tmp_path)
    assert (caught.value.status, caught.value.attempts) == (200, ATTEMPTS)
    assert api.count() <= ATTEMPTS + PIECE_ATTEMPTS * PIECES


def test_a_service_that_is_ill_is_left_alone(api: Api, make: Make) -> None:
    """Of 40 batches of one post ten are sent."""
    many = [str(10**18 + number) for number in range(40)]
    api.bad = set(many)
    asked = question(many)
    parts = tuple(asked.replace(post_ids=[post]) for post in many)
    todo = ep.Plan(asked, parts, datetime(2026, 4, 15, tzinfo=UTC))
    with pytest.raises(ep.TransportError, match="HTTP 200, but the answer is invalid"):
        make(USER).fetch(todo, watch=lambda _: None)
    assert api.count() == GIVE_UP * ATTEMPTS == 30


@pytest.mark.slow
@both
def test_pieces_are_bounded(api: Api, make: Make, tmp_path: Path, ask: Ask) -> None:
    """Of 250 posts every other one is bad: at most 32 pieces; the rest is sent another time."""
    many = [str(10**18 + number) for number in range(250)]
    api.bad = set(many[::2])
    asked = ep.totals(many, engagement_types=["favorites"])
    counts: list[int] = []
    for _ in range(2):
        before = api.count()
        with pytest.warns(UserWarning, match="no answer for"):
            responses = ask(make(USER), asked, tmp_path)
        assert api.count() - before <= ATTEMPTS + PIECE_ATTEMPTS * PIECES
        silent = ep.omissions(responses)
        assert set(silent["reason"]) == {"invalid_answer"}
        counts.append(len(ep.flatten(responses)))
        assert set(ep.flatten(responses)["post_id"]) | set(silent["post_id"]) == set(many)
        assert counts[-1] > 0


@pytest.mark.slow
def test_a_malformed_post_that_mends(api: Api, make: Make, tmp_path: Path) -> None:
    """Only that post is sent again; what is set aside is a file, replaced, with the last body."""
    api.bad = {POSTS[4]}
    archive = ep.Archive(tmp_path / "raw")
    for sent in (None, PIECE_ATTEMPTS, PIECE_ATTEMPTS):
        before = api.count()
        with pytest.warns(UserWarning, match=POSTS[4]):
            collection = make(USER).collect(question(POSTS), into=archive, watch=lambda _: None)
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
    collection = make(USER).collect(question(POSTS), into=archive, watch=lambda _: None)
    assert api.sent()[-1] == [POSTS[4]]
    assert collection.complete
    assert omitted(list(collection)) == {}
    assert archive.verify() == ()
    before = api.count()
    assert make(USER).collect(question(POSTS), into=archive, watch=lambda _: None) == collection
    assert api.count() == before


@pytest.mark.parametrize("revoked", [True, False], ids=["revoked", "malformed"])
def test_what_another_process_has_answered_is_no_failure(  # noqa: PLR0913, PLR0917
    api: Api,
    accounts: ep.Accounts,
    make: Make,
    server: ScriptedServer,
    tmp_path: Path,
    revoked: bool,  # noqa: FBT001
) -> None:
    """While this one is refused, another stores bert's answer: it counts, and nothing is warned of.

    pytest is told to take warnings as errors.
    """
    archive, real = ep.Archive(tmp_path / "raw"), api._answer
    berts = [post for post in POSTS if post in of("bert")]

    def answer(seen: Seen) -> Scripted:
        if seen.body["tweet_ids"] == berts:
            part = question().replace(post_ids=berts, owners={})
            archive.collections[0].keep(ep.EngagementResponse(part, body(seen.body)), "another")
        return real(seen)

    server.script = Rule(server, answer)
    api.revoked, api.bad = ({"2-token"}, set()) if revoked else (set(), {berts[0]})
    collection = make(accounts).collect(question(), into=archive, watch=lambda _: None)
    assert collection.complete
    assert omitted(list(collection)) == {}
    assert archive.verify() == ()
    assert api.count() == 2 + (1 if revoked else ATTEMPTS)


@pytest.mark.slow
@both
def test_an_outage_still_stops_all(
    server: ScriptedServer, accounts: ep.Accounts, make: Make, tmp_path: Path, ask: Ask
) -> None:
    """A 503 for one owner is no omission."""

    def answer(seen: Seen) -> Scripted:
        ill = "2-token" in seen.headers["authorization"]
        return Scripted(503) if ill else Scripted(200, body(seen.body))

    server.script = Rule(server, answer)
    with pytest.raises(ep.TransportError) as caught:
        ask(make(accounts), question(), tmp_path)
    assert caught.value.status == 503


@pytest.fixture
def shell(
    accounts: ep.Accounts, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., int]:
    """Run the command line as a user of the three accounts would."""
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
def test_the_command_line_reports_who_failed(
    api: Api, shell: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 10, with the counts of the others written; 0 when the owner is back."""
    api.revoked = {"2-token"}
    assert shell() == 10
    said = capsys.readouterr().err
    assert "4 posts of bert" in said
    assert "4 posts without a response" in said
    assert len(ep.read_csv("out.csv")) == 8
    api.revoked = set()
    assert shell() == 0
    assert len(ep.read_csv("out.csv")) == 12
