"""Posts of many owners: each asked with its owner's tokens, public counts with the app's."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests

import engagement_pandas as ep
from engagement_pandas.sandbox import SandboxServer, Settings
from engagement_pandas.sandbox.world import Availability

NOW = "2026-04-15T12:20:00Z"
HANDLES = ("sandbox_bakery", "sandbox_railway", "sandbox_observatory")
WINDOW = ep.Window.covering("2026-04-14", "2026-04-15T12:00:00Z")


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    """Run a sandbox whose present stands still."""
    quota = Settings(per_minute=10_000, per_second=1_000)  # of all these tests together
    with SandboxServer(now=NOW, settings=quota) as running:
        yield running


@pytest.fixture
def accounts(server: SandboxServer, tmp_path: Path) -> ep.Accounts:
    """Return three owners who have logged in."""
    app = ep.Consumer(server.app.consumer_key, server.app.consumer_secret)
    kept = ep.Accounts(tmp_path / "accounts.json", consumer=app, environ={})
    for handle in HANDLES:
        keys = server.keys(handle)
        number = server.world.account(handle).user_id
        tokens = keys.access_token, keys.access_token_secret
        kept.add(ep.Account(handle, number, app.app, datetime(2026, 4, 1, tzinfo=UTC), *tokens))
    return kept


@pytest.fixture(scope="module")
def posts(server: SandboxServer) -> pd.DataFrame:
    """Return 90 recent posts of the three, one owner's after another's, taking turns."""
    now = server.world.now()
    seen = [
        [
            post
            for post in server.world.posts(name, now - timedelta(days=150), now)[::-1]
            if post.availability(now) is Availability.PUBLIC
        ]
        for name in HANDLES
    ]
    rows = [post for turn in zip(*(found[:30] for found in seen), strict=True) for post in turn]
    return pd.DataFrame(
        {"post_id": [p.post_id for p in rows], "handle": ["@" + p.handle.upper() for p in rows]}
    )


def client(server: SandboxServer, credentials: Any, **others: Any) -> ep.EngagementClient:
    """Return a client of the sandbox."""
    urls = {"base_url": server.base_url, "token_url": server.token_url}
    return ep.EngagementClient(credentials, **urls, **others)


def asked(posts: Any, **others: Any) -> ep.EngagementRequest:
    """Ask for what only the owner is told."""
    return ep.historical(posts, engagement_types=["impressions"], window=WINDOW, **others)


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return how each request is signed: its scheme, or the number in the owner's token."""
    told: list[str] = []
    send = requests.Session.send

    def watched(session: Any, request: Any, **others: Any) -> Any:
        header = request.headers["Authorization"]
        header = header.decode() if isinstance(header, bytes) else header
        token = header.partition('oauth_token="')[2]
        told.append(token.partition("-")[0] if token else header.split()[0])
        return send(session, request, **others)

    monkeypatch.setattr(requests.Session, "send", watched)
    return told


def test_each_post_is_asked_with_its_owners_tokens(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, signed: list[str]
) -> None:
    """Thirty posts of each of three owners take two requests each, and none is refused."""
    with client(server, accounts) as many:
        responses = many.fetch(asked(posts))
    numbers = [server.world.account(handle).user_id for handle in HANDLES]
    assert sorted(signed) == sorted(numbers * 2)
    assert {response.status for response in responses} == {200}
    counts = ep.flatten(responses)
    assert set(counts["post_id"]) == set(posts["post_id"])


@pytest.mark.slow
def test_the_frame_is_that_of_each_owner_alone(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame
) -> None:
    """One client of all, or one of each: the same counts."""
    with client(server, accounts) as many:
        together = ep.flatten(many.fetch(asked(posts)))
    alone = []
    for handle in HANDLES:
        own = posts[posts["handle"].str.lower() == f"@{handle}"]
        with client(server, accounts.credentials(handle)) as one:
            alone += one.fetch(asked(own["post_id"]))
    pd.testing.assert_frame_equal(together, ep.flatten(alone))


def test_public_counts_are_the_apps_to_ask(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, signed: list[str]
) -> None:
    """Whoever owns them, 90 posts go into one request, signed by the bearer token."""
    with client(server, accounts) as many:
        many.fetch(ep.totals(posts, engagement_types=["favorites", "retweets"]))
    assert signed == ["Basic", "Bearer"]


def test_private_totals_are_the_owners_to_ask(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, signed: list[str]
) -> None:
    """Impressions beside favorites: each owner's tokens for both."""
    with client(server, accounts) as many:
        responses = many.fetch(ep.totals(posts, engagement_types=["favorites", "impressions"]))
    assert len(responses) == 3
    assert "Bearer" not in signed


@pytest.mark.parametrize(
    ("handle", "words"),
    [
        ("@sandbox_nobody", r"nobody has logged in as \['sandbox_nobody'\].*login"),
        (None, r"the owner of 1 of the posts is unknown; give a frame with a handle column"),
    ],
)
def test_who_has_not_logged_in_is_named_before_anything_is_sent(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, handle: Any, words: str
) -> None:
    """One such post among many: the request is refused here, with the cure."""
    mixed = pd.concat([posts, pd.DataFrame({"post_id": ["7"], "handle": [handle]})])
    before = len(server.requests)
    with client(server, accounts) as many, pytest.raises(ep.UserContextRequired, match=words):
        many.fetch(asked(mixed))
    assert len(server.requests) == before


def test_a_plan_made_without_owners_is_refused(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame
) -> None:
    """Its requests have posts of several owners, and nobody could sign them."""
    mixed = ep.plan(asked(list(posts["post_id"])))
    owned = asked(posts)
    with client(server, accounts) as many:
        told = many.refusal(ep.Plan(owned, mixed.requests, mixed.now))
    assert told is not None
    assert "call plan() again" in told


@pytest.mark.slow
def test_a_collection_goes_on_with_the_owners_tokens(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """Broken off after its first answer, it asks the rest, each with its owner's tokens."""

    def once(progress: ep.Progress) -> None:
        if progress.done:
            raise KeyboardInterrupt

    question = asked(posts)
    with client(server, accounts, in_flight=1) as many:
        with pytest.raises(KeyboardInterrupt):
            many.collect(question, into=tmp_path / "raw", watch=once)
        before = len(server.requests)
        collection = many.collect(question, into=tmp_path / "raw")
        counts = ep.flatten(many.fetch(question))
    assert 0 < len(server.requests[before:]) - 6 < 6
    pd.testing.assert_frame_equal(ep.flatten(collection), counts)


def test_the_archive_tells_who_asked(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """Beside each answer stands the account whose tokens it was asked with."""
    with client(server, accounts) as many:
        collection = many.collect(asked(posts), into=tmp_path / "raw")
    told = []
    for file in collection.path.glob("*.json.gz"):
        if file.name != "question.json.gz":
            head = gzip.decompress(file.read_bytes()).partition(b"\n")[0]
            told.append(json.loads(head)["account"])
    numbers = [server.world.account(handle).user_id for handle in HANDLES]
    assert sorted(told) == sorted(f"user {number}" for number in numbers * 2)


def test_tokens_that_were_revoked_are_named(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame
) -> None:
    """401 for one of many: its posts are omitted, with the account that was refused."""
    stale = ep.Account(
        "sandbox_railway",
        "9002",
        next(iter(accounts)).app,
        datetime(2026, 4, 1, tzinfo=UTC),
        "9002-stale",
        "stale-secret",
    )
    accounts.add(stale)
    with (
        client(server, accounts) as many,
        pytest.warns(UserWarning, match="requested as user 9002"),
    ):
        responses = many.fetch(asked(posts))
    own = posts.loc[posts["handle"] == "@SANDBOX_RAILWAY", "post_id"]
    silent = ep.omissions(responses)
    assert set(silent["post_id"]) == set(own)
    assert silent["message"].str.contains("requested as user 9002").all()
    assert set(ep.flatten(responses)["post_id"]) == set(posts["post_id"]) - set(own)


@pytest.mark.slow
def test_the_ledger_has_whoever_was_asked_for(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """The three owners, once each; the app's questions count for nobody."""
    ledger = ep.Ledger(tmp_path / "ledger.jsonl")
    with client(server, accounts, ledger=ledger) as many:
        many.fetch(ep.totals(posts, engagement_types=["favorites"]))
        assert ledger.handles() == ()
        many.fetch(asked(posts))
        many.fetch(asked(posts))
    assert sorted(ledger.handles()) == sorted(HANDLES)


def test_a_full_ledger_stops_before_anything_is_sent(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """Three owners where the contract pays for two: nothing is sent, and nobody noted."""
    ledger = ep.Ledger(tmp_path / "ledger.jsonl", limit=2)
    before = len(server.requests)
    with client(server, accounts, ledger=ledger) as many, pytest.raises(ep.LedgerFull):
        many.fetch(asked(posts))
    assert len(server.requests) == before
    assert ledger.handles() == ()


def test_a_single_owner_is_in_the_ledger_by_handle(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """Asked with their handle beside the posts or without: one owner, under one name."""
    ledger = ep.Ledger(tmp_path / "ledger.jsonl")
    own = posts[posts["handle"] == "@SANDBOX_BAKERY"][:1]
    with client(server, accounts, ledger=ledger) as many:
        many.fetch(asked(own))
    with client(server, accounts.credentials("sandbox_bakery"), ledger=ledger) as one:
        one.fetch(asked(own["post_id"]))
    assert ledger.handles() == ("sandbox_bakery",)


def test_without_a_handle_it_is_the_number(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """Tokens of one owner tell no handle, but their number; once it is known, both are one."""
    path = tmp_path / "ledger.jsonl"
    known = accounts.credentials("sandbox_bakery")
    bare = ep.UserContext(
        known.consumer_key, known.consumer_secret, known.access_token, known.access_token_secret
    )
    own = posts[posts["handle"] == "@SANDBOX_BAKERY"][:1]
    with client(server, bare, ledger=ep.Ledger(path)) as one:
        one.fetch(asked(own["post_id"]))
    number = server.world.account("sandbox_bakery").user_id
    assert ep.Ledger(path).handles() == (f"user_{number}",)
    before = path.read_bytes()
    for credentials in (known, accounts):
        ledger = ep.Ledger(path)
        with client(server, credentials, ledger=ledger) as other:
            other.fetch(asked(own))
        assert ledger.handles() == ("sandbox_bakery",)
    assert path.read_bytes() == before


@pytest.mark.slow
def test_tokens_of_another_app_are_not_used(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """The railway's posts are omitted, and it is not noted; the others are answered."""
    accounts.add(
        ep.Account(
            "sandbox_railway",
            "9002",
            "0123456789ab",
            datetime(2026, 4, 1, tzinfo=UTC),
            "9002-token",
            "token-secret",
        )
    )
    ledger = ep.Ledger(tmp_path / "ledger.jsonl")
    before = len(server.requests)
    with (
        client(server, accounts, ledger=ledger) as many,
        pytest.warns(UserWarning, match="@sandbox_railway authorised app 0123456789ab"),
    ):
        collection = many.collect(asked(posts), into=tmp_path / "raw")
    assert len(server.requests) - before == 4
    assert sorted(ledger.handles()) == ["sandbox_bakery", "sandbox_observatory"]
    assert not collection.complete
    silent = ep.omissions(collection)
    assert set(silent["reason"]) == {"unauthorized"}
    assert len(silent) == 30


def test_what_is_answered_needs_neither_room_nor_tokens(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """A collection that is whole is read, with a ledger that is full and an owner who has left."""
    question, raw = asked(two_of_each(posts)), tmp_path / "raw"
    with client(server, accounts) as many:
        collection = many.collect(question, into=raw)
    full = ep.Ledger(tmp_path / "ledger.jsonl", limit=1)
    full.record("somebody_else")
    accounts.remove("sandbox_railway")
    before = len(server.requests)
    with client(server, accounts, ledger=full) as many:
        assert many.collect(question, into=raw) == collection
        with pytest.raises(ep.UserContextRequired, match="sandbox_railway"):
            many.fetch(question)
    assert len(server.requests) == before


def test_only_who_is_still_to_be_asked_needs_room(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """The bakery is answered; whether there is room is a question of the railway alone."""

    def once(progress: ep.Progress) -> None:
        if progress.done:
            raise KeyboardInterrupt

    question, raw = asked(two_of_each(posts)), tmp_path / "raw"
    with client(server, accounts, in_flight=1) as many, pytest.raises(KeyboardInterrupt):
        many.collect(question, into=raw, watch=once)
    before = len(server.requests)
    full = ep.Ledger(tmp_path / "full.jsonl", limit=1)
    full.record("sandbox_bakery")
    words = r"\['sandbox_railway'\] would be new"
    with (
        client(server, accounts, ledger=full) as many,
        pytest.raises(ep.LedgerFull, match=words),
    ):
        many.collect(question, into=raw)
    assert len(server.requests) == before
    other = ep.Ledger(tmp_path / "other.jsonl", limit=1)
    other.record("sandbox_railway")
    with client(server, accounts, ledger=other) as many:
        assert many.collect(question, into=raw).complete
    assert len(server.requests) == before + 1


def test_posts_that_nobody_owns_are_counted_once(accounts: ep.Accounts) -> None:
    """Two posts in two windows are four requests' posts, and two posts."""
    question = ep.historical(
        ["7", "8"],
        engagement_types=["replies"],
        window=ep.Window.covering("2026-03-01", "2026-04-12"),
    )
    words = "the owner of 2 of the posts is unknown; give a frame with a handle column"
    with ep.EngagementClient(accounts) as many:
        for todo in (question, ep.plan(question)):
            assert words in str(many.refusal(todo))


def two_of_each(posts: pd.DataFrame) -> pd.DataFrame:
    """Return two posts of the bakery, and two of the railway."""
    own = [posts[posts["handle"] == f"@SANDBOX_{name}"][:2] for name in ("BAKERY", "RAILWAY")]
    return pd.concat(own, ignore_index=True)


@pytest.mark.slow
def test_a_handle_that_is_corrected_is_asked_again(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """Two of four posts were taken for the bakery's, and refused; as the railway's they count."""
    right = two_of_each(posts)
    with client(server, accounts) as many:
        wrong = many.collect(asked(right.assign(handle="@sandbox_bakery")), into=tmp_path / "raw")
        assert ep.omissions(wrong)["post_id"].to_list() == sorted(right["post_id"][2:])
        before = len(server.requests)
        collection = many.collect(asked(right), into=tmp_path / "raw")
        assert len(server.requests) - before == 2
        assert ep.omissions(collection).empty
        assert set(ep.flatten(collection)["post_id"]) == set(right["post_id"])
        assert many.collect(asked(right), into=tmp_path / "raw") == collection
    assert len(server.requests) - before == 2


def test_no_request_is_cut_by_owners_of_before(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """Broken off before anything was sent, and the handles corrected: none has posts of two."""

    def stop(_: ep.Progress) -> None:
        raise KeyboardInterrupt

    right = two_of_each(posts)
    with client(server, accounts) as many:
        wrong = asked(right.assign(handle="@sandbox_bakery"))
        with pytest.raises(KeyboardInterrupt):
            many.collect(wrong, into=tmp_path / "raw", watch=stop)
        before = len(server.requests)
        many.collect(asked(right), into=tmp_path / "raw")
    sent = [json.loads(received.body)["tweet_ids"] for received in server.requests[before:]]
    own = right["post_id"].to_list()
    assert sorted(map(sorted, sent)) == sorted([sorted(own[:2]), sorted(own[2:])])


def test_public_counts_are_one_question_whoever_owns_the_posts(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """The app asks them: without handles, with wrong and with right ones it goes on."""

    def stop(_: ep.Progress) -> None:
        raise KeyboardInterrupt

    right = two_of_each(posts)
    with client(server, accounts) as many:
        for frame in (right[["post_id"]], right.assign(handle="@sandbox_bakery"), right):
            public = ep.totals(frame, engagement_types=["favorites"])
            with pytest.raises(KeyboardInterrupt):
                many.collect(public, into=tmp_path / "raw", watch=stop)
    assert len(ep.Archive(tmp_path / "raw").collections) == 1
