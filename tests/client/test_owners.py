"""Posts of many owners: owners' tokens for private counts, the app's for public ones."""

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
    """Run a sandbox at a fixed time."""
    quota = Settings(per_minute=10_000, per_second=1_000)  # for all these tests together
    with SandboxServer(now=NOW, settings=quota) as running:
        yield running


@pytest.fixture
def accounts(server: SandboxServer, tmp_path: Path) -> ep.Accounts:
    """Return accounts of three owners."""
    app = ep.Consumer(server.app.consumer_key, server.app.consumer_secret)
    accounts = ep.Accounts(tmp_path / "accounts.json", consumer=app, environ={})
    for handle in HANDLES:
        keys = server.keys(handle)
        number = server.world.account(handle).user_id
        tokens = keys.access_token, keys.access_token_secret
        accounts.add(ep.Account(handle, number, app.app, datetime(2026, 4, 1, tzinfo=UTC), *tokens))
    return accounts


@pytest.fixture(scope="module")
def posts(server: SandboxServer) -> pd.DataFrame:
    """Return 90 recent posts of the three owners in turns."""
    now = server.world.now()
    by_owner = [
        [
            post
            for post in server.world.posts(name, now - timedelta(days=150), now)[::-1]
            if post.availability(now) is Availability.PUBLIC
        ]
        for name in HANDLES
    ]
    rows = [
        post for group in zip(*(posts[:30] for posts in by_owner), strict=True) for post in group
    ]
    return pd.DataFrame(
        {"post_id": [p.post_id for p in rows], "handle": ["@" + p.handle.upper() for p in rows]}
    )


def client(server: SandboxServer, credentials: Any, **others: Any) -> ep.EngagementClient:
    """Return a client of the sandbox."""
    urls = {"base_url": server.base_url, "token_url": server.token_url}
    return ep.EngagementClient(credentials, **urls, **others)


def private_counts(posts: Any, **others: Any) -> ep.EngagementRequest:
    """Request counts that only the owner may read."""
    return ep.historical(posts, engagement_types=["impressions"], window=WINDOW, **others)


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record how each request is signed: its scheme, or the user ID in the owner's token."""
    recorded: list[str] = []
    send = requests.Session.send

    def recording_send(session: Any, request: Any, **others: Any) -> Any:
        header = request.headers["Authorization"]
        header = header.decode() if isinstance(header, bytes) else header
        token = header.partition('oauth_token="')[2]
        recorded.append(token.partition("-")[0] if token else header.split()[0])
        return send(session, request, **others)

    monkeypatch.setattr(requests.Session, "send", recording_send)
    return recorded


def test_each_post_is_requested_with_its_owners_tokens(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, signed: list[str]
) -> None:
    """Thirty posts of each of three owners take two requests each, and no request is refused."""
    with client(server, accounts) as multi_client:
        responses = multi_client.fetch(private_counts(posts))
    numbers = [server.world.account(handle).user_id for handle in HANDLES]
    assert sorted(signed) == sorted(numbers * 2)
    assert {response.status for response in responses} == {200}
    counts = ep.flatten(responses)
    assert set(counts["post_id"]) == set(posts["post_id"])


@pytest.mark.slow
def test_one_client_of_all_owners_returns_the_same_counts(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame
) -> None:
    """The frame equals that of one client for each owner."""
    with client(server, accounts) as multi_client:
        together = ep.flatten(multi_client.fetch(private_counts(posts)))
    separate = []
    for handle in HANDLES:
        own = posts[posts["handle"].str.lower() == f"@{handle}"]
        with client(server, accounts.credentials(handle)) as single_client:
            separate += single_client.fetch(private_counts(own["post_id"]))
    pd.testing.assert_frame_equal(together, ep.flatten(separate))


def test_public_counts_are_requested_with_the_apps_token(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, signed: list[str]
) -> None:
    """The 90 posts of all owners go into one request, signed with the bearer token."""
    with client(server, accounts) as multi_client:
        multi_client.fetch(ep.totals(posts, engagement_types=["favorites", "retweets"]))
    assert signed == ["Basic", "Bearer"]


def test_private_totals_are_requested_with_the_owners_tokens(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, signed: list[str]
) -> None:
    """With impressions in the request, the owner's tokens are used for favorites too."""
    with client(server, accounts) as multi_client:
        responses = multi_client.fetch(
            ep.totals(posts, engagement_types=["favorites", "impressions"])
        )
    assert len(responses) == 3
    assert "Bearer" not in signed


@pytest.mark.parametrize(
    ("handle", "words"),
    [
        ("@sandbox_nobody", r"nobody has logged in as \['sandbox_nobody'\].*login"),
        (None, r"the owner of 1 of the posts is unknown; give a frame with a handle column"),
    ],
)
def test_owners_without_a_login_are_reported_before_sending(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, handle: Any, words: str
) -> None:
    """One such post among many is enough; the error names the cure."""
    mixed = pd.concat([posts, pd.DataFrame({"post_id": ["7"], "handle": [handle]})])
    before = len(server.requests)
    with (
        client(server, accounts) as multi_client,
        pytest.raises(ep.UserContextRequired, match=words),
    ):
        multi_client.fetch(private_counts(mixed))
    assert len(server.requests) == before


def test_a_plan_made_without_owners_is_refused(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame
) -> None:
    """Its requests have posts of several owners, so no token could sign them."""
    mixed = ep.plan(private_counts(list(posts["post_id"])))
    owned = private_counts(posts)
    with client(server, accounts) as multi_client:
        refusal = multi_client.refusal(ep.Plan(owned, mixed.requests, mixed.now))
    assert refusal is not None
    assert "call plan() again" in refusal


@pytest.mark.slow
def test_a_resumed_collection_uses_the_owners_tokens(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """Interrupted after its first response, it requests the rest with each owner's tokens."""

    def interrupt(progress: ep.Progress) -> None:
        if progress.done:
            raise KeyboardInterrupt

    request = private_counts(posts)
    with client(server, accounts, in_flight=1) as multi_client:
        with pytest.raises(KeyboardInterrupt):
            multi_client.collect(request, into=tmp_path / "raw", watch=interrupt)
        before = len(server.requests)
        collection = multi_client.collect(request, into=tmp_path / "raw")
        counts = ep.flatten(multi_client.fetch(request))
    assert 0 < len(server.requests[before:]) - 6 < 6
    pd.testing.assert_frame_equal(ep.flatten(collection), counts)


def test_the_archive_records_the_account(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """Each stored response names the account whose tokens signed its request."""
    with client(server, accounts) as multi_client:
        collection = multi_client.collect(private_counts(posts), into=tmp_path / "raw")
    recorded = []
    for file in collection.path.glob("*.json.gz"):
        if file.name != "question.json.gz":
            head = gzip.decompress(file.read_bytes()).partition(b"\n")[0]
            recorded.append(json.loads(head)["account"])
    numbers = [server.world.account(handle).user_id for handle in HANDLES]
    assert sorted(recorded) == sorted(f"user {number}" for number in numbers * 2)


def test_revoked_tokens_are_reported(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame
) -> None:
    """A 401 for one of many owners omits its posts, with the name of the refused account."""
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
        client(server, accounts) as multi_client,
        pytest.warns(UserWarning, match="requested as user 9002"),
    ):
        responses = multi_client.fetch(private_counts(posts))
    own = posts.loc[posts["handle"] == "@SANDBOX_RAILWAY", "post_id"]
    omissions = ep.omissions(responses)
    assert set(omissions["post_id"]) == set(own)
    assert omissions["message"].str.contains("requested as user 9002").all()
    assert set(ep.flatten(responses)["post_id"]) == set(posts["post_id"]) - set(own)


@pytest.mark.slow
def test_the_ledger_has_the_owners_of_private_counts(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """Each of the three owners is recorded once; requests of the app record no owner."""
    ledger = ep.Ledger(tmp_path / "ledger.jsonl")
    with client(server, accounts, ledger=ledger) as multi_client:
        multi_client.fetch(ep.totals(posts, engagement_types=["favorites"]))
        assert ledger.handles() == ()
        multi_client.fetch(private_counts(posts))
        multi_client.fetch(private_counts(posts))
    assert sorted(ledger.handles()) == sorted(HANDLES)


def test_a_full_ledger_prevents_all_requests(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """With three owners and a limit of two, nothing is sent, and no owner is recorded."""
    ledger = ep.Ledger(tmp_path / "ledger.jsonl", limit=2)
    before = len(server.requests)
    with client(server, accounts, ledger=ledger) as multi_client, pytest.raises(ep.LedgerFull):
        multi_client.fetch(private_counts(posts))
    assert len(server.requests) == before
    assert ledger.handles() == ()


def test_one_owner_is_recorded_by_handle(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """Requests with and without handles are recorded under one name."""
    ledger = ep.Ledger(tmp_path / "ledger.jsonl")
    own = posts[posts["handle"] == "@SANDBOX_BAKERY"][:1]
    with client(server, accounts, ledger=ledger) as multi_client:
        multi_client.fetch(private_counts(own))
    with client(server, accounts.credentials("sandbox_bakery"), ledger=ledger) as single_client:
        single_client.fetch(private_counts(own["post_id"]))
    assert ledger.handles() == ("sandbox_bakery",)


def test_an_owner_without_a_handle_is_recorded_by_user_id(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """Once the handle is known, the two names count as one owner."""
    path = tmp_path / "ledger.jsonl"
    known = accounts.credentials("sandbox_bakery")
    without_handle = ep.UserContext(
        known.consumer_key, known.consumer_secret, known.access_token, known.access_token_secret
    )
    own = posts[posts["handle"] == "@SANDBOX_BAKERY"][:1]
    with client(server, without_handle, ledger=ep.Ledger(path)) as single_client:
        single_client.fetch(private_counts(own["post_id"]))
    number = server.world.account("sandbox_bakery").user_id
    assert ep.Ledger(path).handles() == (f"user_{number}",)
    before = path.read_bytes()
    for credentials in (known, accounts):
        ledger = ep.Ledger(path)
        with client(server, credentials, ledger=ledger) as other:
            other.fetch(private_counts(own))
        assert ledger.handles() == ("sandbox_bakery",)
    assert path.read_bytes() == before


@pytest.mark.slow
def test_tokens_of_another_app_are_not_used(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """That owner's posts are omitted and it is not recorded; the others are answered."""
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
        client(server, accounts, ledger=ledger) as multi_client,
        pytest.warns(UserWarning, match="@sandbox_railway authorised app 0123456789ab"),
    ):
        collection = multi_client.collect(private_counts(posts), into=tmp_path / "raw")
    assert len(server.requests) - before == 4
    assert sorted(ledger.handles()) == ["sandbox_bakery", "sandbox_observatory"]
    assert not collection.complete
    omissions = ep.omissions(collection)
    assert set(omissions["reason"]) == {"unauthorized"}
    assert len(omissions) == 30


def test_a_complete_collection_needs_neither_ledger_nor_tokens(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """It is read although the ledger is full and an owner was removed."""
    request, raw = private_counts(two_of_each(posts)), tmp_path / "raw"
    with client(server, accounts) as multi_client:
        collection = multi_client.collect(request, into=raw)
    full_ledger = ep.Ledger(tmp_path / "ledger.jsonl", limit=1)
    full_ledger.record("somebody_else")
    accounts.remove("sandbox_railway")
    before = len(server.requests)
    with client(server, accounts, ledger=full_ledger) as multi_client:
        assert multi_client.collect(request, into=raw) == collection
        with pytest.raises(ep.UserContextRequired, match="sandbox_railway"):
            multi_client.fetch(request)
    assert len(server.requests) == before


def test_only_owners_still_to_be_requested_count_for_the_limit(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """The bakery is answered already, so the limit concerns only the railway."""

    def interrupt(progress: ep.Progress) -> None:
        if progress.done:
            raise KeyboardInterrupt

    request, raw = private_counts(two_of_each(posts)), tmp_path / "raw"
    with client(server, accounts, in_flight=1) as multi_client, pytest.raises(KeyboardInterrupt):
        multi_client.collect(request, into=raw, watch=interrupt)
    before = len(server.requests)
    full_ledger = ep.Ledger(tmp_path / "full.jsonl", limit=1)
    full_ledger.record("sandbox_bakery")
    words = r"\['sandbox_railway'\] would be new"
    with (
        client(server, accounts, ledger=full_ledger) as multi_client,
        pytest.raises(ep.LedgerFull, match=words),
    ):
        multi_client.collect(request, into=raw)
    assert len(server.requests) == before
    other = ep.Ledger(tmp_path / "other.jsonl", limit=1)
    other.record("sandbox_railway")
    with client(server, accounts, ledger=other) as multi_client:
        assert multi_client.collect(request, into=raw).complete
    assert len(server.requests) == before + 1


def test_posts_of_unknown_owners_are_counted_once(accounts: ep.Accounts) -> None:
    """Two posts in two windows are reported as two posts."""
    request = ep.historical(
        ["7", "8"],
        engagement_types=["replies"],
        window=ep.Window.covering("2026-03-01", "2026-04-12"),
    )
    words = "the owner of 2 of the posts is unknown; give a frame with a handle column"
    with ep.EngagementClient(accounts) as multi_client:
        for requested in (request, ep.plan(request)):
            assert words in str(multi_client.refusal(requested))


def two_of_each(posts: pd.DataFrame) -> pd.DataFrame:
    """Return two posts of the bakery, and two of the railway."""
    own = [posts[posts["handle"] == f"@SANDBOX_{name}"][:2] for name in ("BAKERY", "RAILWAY")]
    return pd.concat(own, ignore_index=True)


@pytest.mark.slow
def test_a_corrected_handle_is_requested_again(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """Two posts were refused under the wrong owner, and counted under the right one."""
    right = two_of_each(posts)
    with client(server, accounts) as multi_client:
        wrong = multi_client.collect(
            private_counts(right.assign(handle="@sandbox_bakery")), into=tmp_path / "raw"
        )
        assert ep.omissions(wrong)["post_id"].to_list() == sorted(right["post_id"][2:])
        before = len(server.requests)
        collection = multi_client.collect(private_counts(right), into=tmp_path / "raw")
        assert len(server.requests) - before == 2
        assert ep.omissions(collection).empty
        assert set(ep.flatten(collection)["post_id"]) == set(right["post_id"])
        assert multi_client.collect(private_counts(right), into=tmp_path / "raw") == collection
    assert len(server.requests) - before == 2


def test_former_owners_do_not_affect_the_requests(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """After an interrupt and a correction of handles, no request has posts of two owners."""

    def stop(_: ep.Progress) -> None:
        raise KeyboardInterrupt

    right = two_of_each(posts)
    with client(server, accounts) as multi_client:
        wrong = private_counts(right.assign(handle="@sandbox_bakery"))
        with pytest.raises(KeyboardInterrupt):
            multi_client.collect(wrong, into=tmp_path / "raw", watch=stop)
        before = len(server.requests)
        multi_client.collect(private_counts(right), into=tmp_path / "raw")
    sent = [json.loads(received.body)["tweet_ids"] for received in server.requests[before:]]
    own = right["post_id"].to_list()
    assert sorted(map(sorted, sent)) == sorted([sorted(own[:2]), sorted(own[2:])])


def test_public_counts_are_one_collection_for_all_handles(
    server: SandboxServer, accounts: ep.Accounts, posts: pd.DataFrame, tmp_path: Path
) -> None:
    """The app requests them: without handles, with wrong and with right ones it is resumed."""

    def stop(_: ep.Progress) -> None:
        raise KeyboardInterrupt

    right = two_of_each(posts)
    with client(server, accounts) as multi_client:
        for frame in (right[["post_id"]], right.assign(handle="@sandbox_bakery"), right):
            public = ep.totals(frame, engagement_types=["favorites"])
            with pytest.raises(KeyboardInterrupt):
                multi_client.collect(public, into=tmp_path / "raw", watch=stop)
    assert len(ep.Archive(tmp_path / "raw").collections) == 1
