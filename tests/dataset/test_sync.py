"""A data set that is synced hour by hour: what is requested, stored, revised and left."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.datasets.worlds import HANDLE, HOUR, OTHER, TYPES, World, same, tardy, world

import engagement_pandas as ep
from engagement_pandas.cli import main
from engagement_pandas.dataset.delta_table import Table
from engagement_pandas.dataset.sync import Synced, sync
from engagement_pandas.files.lock import try_file_lock
from engagement_pandas.frame.contract import check_counts
from engagement_pandas.sandbox import SandboxServer
from engagement_pandas.sandbox.world import Availability, Post

SINCE = datetime(2026, 3, 15, 6, tzinfo=UTC)


@pytest.fixture
def moving() -> Iterator[World]:
    """Run a sandbox whose time moves only when a test moves it."""
    with world() as running:
        yield running


@pytest.fixture
def dataset(tmp_path: Path) -> ep.Dataset:
    """Return an empty data set."""
    return ep.Dataset(tmp_path / "set")


def windows(bodies: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return start and end of each request."""
    return [(body["start"], body["end"]) for body in bodies]


# What is requested


@pytest.mark.slow
def test_hourly_syncs_equal_one_fetch(moving: World, dataset: ep.Dataset) -> None:
    """The data set is built, then synced for some hours; its frame is that of one fetch."""
    posts = moving.posts(8, SINCE)
    for _ in range(5):
        moving.sync(dataset, posts, since=SINCE, settle=3)
        moving.clock.now += HOUR
    moving.sync(dataset, posts, since=SINCE, settle=3)
    found = dataset.read()
    check_counts(found)
    same(found, moving.fetched(posts, SINCE))
    assert dataset.revisions().empty


@pytest.mark.slow
def test_a_second_sync_in_an_hour_sends_nothing(moving: World, dataset: ep.Dataset) -> None:
    """There are no new complete hours."""
    posts = moving.posts(3, SINCE)
    moving.sync(dataset, posts, since=SINCE)
    before = len(moving.requests)
    moving.clock.now += timedelta(minutes=40)
    assert moving.sync(dataset, posts, since=SINCE) == Synced(0, 0, 0)
    assert len(moving.requests) == before


@pytest.mark.slow
def test_a_log_is_read_once(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sync opens the counts to verify them; what it commits to them is known."""
    posts = moving.posts(3, SINCE)
    moving.sync(dataset, posts, since=SINCE)
    moving.clock.now += HOUR
    opened: list[str] = []
    open_table = Table.open

    def record(table: Table, version: int | None = None) -> Any:
        opened.append(table.name)
        return open_table(table, version)

    monkeypatch.setattr(Table, "open", record)
    moving.sync(dataset, posts, since=SINCE)
    assert opened.count("counts") == 1


@pytest.mark.slow
def test_unused_files_are_deleted_once_a_day(moving: World, dataset: ep.Dataset) -> None:
    """A sync keeps an unfinished file of last month until the last deletion is a day ago."""
    posts = moving.posts(3, SINCE)
    moving.sync(dataset, posts, since=SINCE)
    unfinished = Path(dataset.path, "counts", "_delta_log", "_commit_dead.json.tmp")
    unfinished.write_bytes(b"{")
    os.utime(unfinished, (1, time.time() - 30 * 86_400))
    moving.sync(dataset, posts, since=SINCE)
    assert unfinished.exists()
    for last in (time.time() - 86_401, time.time() + 3600):  # then the clock was set back
        unfinished.write_bytes(b"{")
        os.utime(unfinished, (1, time.time() - 30 * 86_400))
        dataset._tables.save("last_vacuum", str(int(last)))
        moving.sync(dataset, posts, since=SINCE)
        assert not unfinished.exists()


@pytest.mark.slow
def test_only_unsettled_hours_are_requested_again(moving: World, dataset: ep.Dataset) -> None:
    """At 12:05 hours before 09:00 were settled; at 13:05 those after are due."""
    posts = moving.posts(3, SINCE)
    moving.sync(dataset, posts, since=SINCE, settle=3)
    moving.clock.now += HOUR
    before = len(moving.requests)
    moving.sync(dataset, posts, since=SINCE, settle=3)
    assert windows(moving.requests[before:]) == [("2026-03-20T09:00:00Z", "2026-03-20T13:00:00Z")]


@pytest.mark.slow
def test_a_pause_is_filled_in_one_request(moving: World, dataset: ep.Dataset) -> None:
    """After two days without a run, one request has all hours that were not settled."""
    posts = moving.posts(3, SINCE)
    moving.sync(dataset, posts, since=SINCE, settle=3)
    moving.clock.now += 48 * HOUR
    before = len(moving.requests)
    moving.sync(dataset, posts, since=SINCE, settle=3)
    assert windows(moving.requests[before:]) == [("2026-03-20T09:00:00Z", "2026-03-22T12:00:00Z")]
    same(dataset.read(), moving.fetched(posts, SINCE))


@pytest.mark.long
def test_many_posts_take_few_requests(moving: World, dataset: ep.Dataset) -> None:
    """Thirty posts of thirty times take two requests, and two again an hour later."""
    since = moving.clock.now - timedelta(days=16)
    posts = moving.posts(30, since)
    moving.sync(dataset, posts, since=since, engagement_types=TYPES[:1])
    assert len(moving.requests) == 2
    moving.clock.now += HOUR
    moving.sync(dataset, posts, since=since, engagement_types=TYPES[:1])
    assert len(moving.requests) == 4
    same(dataset.read(), moving.fetched(posts, since, TYPES[:1]))


@pytest.mark.slow
def test_requests_are_within_the_life_of_a_post(moving: World, dataset: ep.Dataset) -> None:
    """No window ends before its posts were created, and no earlier count is stored."""
    since = moving.clock.now - timedelta(days=70)
    posts = moving.posts(2, since)[:1] + moving.posts(3, moving.clock.now - 96 * HOUR)
    moving.sync(dataset, posts, since=since)
    for body in moving.requests:
        assert datetime.fromisoformat(body["end"]) <= moving.clock.now
        creation_times = [ep.created_at(post) for post in body["tweet_ids"]]
        assert all(
            created and created < datetime.fromisoformat(body["end"]) for created in creation_times
        )
    found = dataset.read()
    first = found.assign(at=ep.timestamps(found)).groupby("post_id")["at"].min()
    assert first.to_dict() == {post: pd.Timestamp(ep.created_at(post)).floor("h") for post in posts}


@pytest.mark.slow
def test_a_new_post_is_requested_from_its_creation(moving: World, dataset: ep.Dataset) -> None:
    """The other posts are requested only as far as they are due."""
    old, new = moving.posts(2, SINCE)
    moving.sync(dataset, [old], since=SINCE)
    before = len(moving.requests)
    moving.sync(dataset, [old, new], since=SINCE)
    assert [body["tweet_ids"] for body in moving.requests[before:]] == [[new]]
    same(dataset.read(), moving.fetched([old, new], SINCE))


@pytest.mark.slow
def test_a_post_removed_from_the_list_is_no_longer_requested(
    moving: World, dataset: ep.Dataset
) -> None:
    """Its counts stay."""
    posts = moving.posts(2, SINCE)
    moving.sync(dataset, posts, since=SINCE)
    moving.clock.now += HOUR
    before = len(moving.requests)
    moving.sync(dataset, posts[:1], since=SINCE)
    assert [body["tweet_ids"] for body in moving.requests[before:]] == [posts[:1]]
    assert set(dataset.read()["post_id"]) == set(posts)


@pytest.mark.slow
def test_an_added_type_is_requested_alone(moving: World, dataset: ep.Dataset) -> None:
    """It is requested from the start; settled hours of the others are not."""
    posts = moving.posts(2, SINCE)
    moving.sync(dataset, posts, since=SINCE)
    before = len(moving.requests)
    moving.sync(dataset, posts, since=SINCE, engagement_types=[*TYPES, "url_clicks"])
    assert [body["engagement_types"] for body in moving.requests[before:]] == [["url_clicks"]]
    same(dataset.read(), moving.fetched(posts, SINCE, [*TYPES, "url_clicks"]))


@pytest.mark.slow
def test_an_earlier_start_requests_the_hours_before(moving: World, dataset: ep.Dataset) -> None:
    """Nothing else is requested."""
    posts = moving.posts(2, SINCE - timedelta(days=3))
    moving.sync(dataset, posts, since=SINCE)
    before = len(moving.requests)
    moving.sync(dataset, posts, since=SINCE - timedelta(days=2))
    assert {end for _, end in windows(moving.requests[before:])} == {"2026-03-15T06:00:00Z"}
    same(dataset.read(), moving.fetched(posts, SINCE - timedelta(days=2)))


# Revisions


@pytest.mark.long
def test_late_counts_are_revised(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each count grows until it is final; the log has every step, and the last one holds."""
    tardy(monkeypatch, moving.clock, 4)
    posts = moving.posts(4, SINCE)
    start = moving.clock.now
    for _ in range(8):
        moving.sync(dataset, posts, since=SINCE, settle=4)
        moving.clock.now += HOUR
    log = dataset.revisions()
    key = ["post_id", "engagement_type", "day", "hour"]
    steps = log.groupby(key, observed=True)
    assert len(log) > 20
    assert (log["count_before"] != log["count"]).all()
    for _, step in steps:  # each step begins where the one before ended
        assert step["count"].to_list()[:-1] == step["count_before"].to_list()[1:]
        assert (step["retrieved_before"] < step["retrieved_at"]).all()
    found = dataset.read().set_index(key)["count"]
    last = steps["count"].last()
    assert last.eq(found.reindex(last.index)).all()
    # All hours that were final by the last run equal those of one fetch.
    settled = moving.clock.now - 5 * HOUR
    expected = moving.fetched(posts, SINCE)
    then = ep.timestamps(expected) < settled.replace(minute=0)
    stored = dataset.read(until=settled.replace(minute=0))
    same(stored, expected[then].reset_index(drop=True))
    assert start < settled


@pytest.mark.slow
def test_settled_hours_are_not_requested_again(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts that arrive after an hour has settled are not seen."""
    posts = moving.posts(3, SINCE)
    moving.sync(dataset, posts, since=SINCE, settle=2)
    before = dataset.read(until=moving.clock.now - 3 * HOUR)
    tardy(monkeypatch, moving.clock, 1_000)
    moving.clock.now += HOUR
    moving.sync(dataset, posts, since=SINCE, settle=2)
    same(dataset.read(until=moving.clock.now - 4 * HOUR), before)


# Omissions


@pytest.mark.long
def test_unavailable_posts_are_requested_less_and_less_often(
    moving: World, dataset: ep.Dataset
) -> None:
    """They are omissions, never zeros, and the other posts are synced."""
    posts = moving.posts(3, SINCE)
    other = moving.server.world.posts(OTHER, SINCE)[0].post_id
    all_posts = [*posts, other, "1"]
    tries = []
    for _ in range(10):
        before = len(moving.requests)
        moving.sync(dataset, all_posts, since=SINCE, settle=2)
        named = [set(body["tweet_ids"]) for body in moving.requests[before:]]
        tries.append((any(other in ids for ids in named), any("1" in ids for ids in named)))
        moving.clock.now += HOUR
    omitted = dataset.omissions()
    assert dict(zip(omitted["post_id"], omitted["reason"], strict=True)) == {
        other: "forbidden",
        "1": "unavailable",
    }
    assert set(dataset.read()["post_id"]) == set(posts)
    # Each time the omission is twice as old.
    hours = [hour for hour, (requested, _) in enumerate(tries) if requested]
    assert hours == [0, 1, 2, 4, 8]
    assert [hour for hour, (_, requested) in enumerate(tries) if requested] == hours
    moving.clock.now -= HOUR
    same(dataset.read(), moving.fetched(posts, SINCE))


@pytest.mark.long
def test_a_post_that_is_available_again_is_filled_in(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its hours are fetched, also those of its omission, which ends."""
    posts = moving.posts(2, SINCE)
    real = Post.availability
    is_hidden = [True]

    def availability(self: Post, at: datetime) -> Availability:
        hidden = is_hidden[0] and self.post_id == posts[0]
        return Availability.DELETED if hidden else real(self, at)

    monkeypatch.setattr(Post, "availability", availability)
    for _ in range(5):
        moving.sync(dataset, posts, since=SINCE, settle=2)
        moving.clock.now += HOUR
    assert dataset.omissions()["post_id"].tolist() == posts[:1]
    is_hidden[0] = False
    for _ in range(5):
        moving.sync(dataset, posts, since=SINCE, settle=2)
        moving.clock.now += HOUR
    assert dataset.omissions().empty
    moving.clock.now -= HOUR
    same(dataset.read(), moving.fetched(posts, SINCE))


@pytest.mark.slow
def test_a_post_that_becomes_unavailable_keeps_its_counts(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its omission starts with the first hour without a count."""
    posts = moving.posts(2, SINCE)
    moving.sync(dataset, posts, since=SINCE, settle=2)
    counted = dataset.read(post_ids=posts[:1])
    real = Post.availability
    monkeypatch.setattr(
        Post,
        "availability",
        lambda self, at: Availability.DELETED if self.post_id == posts[0] else real(self, at),
    )
    moving.clock.now += HOUR
    moving.sync(dataset, posts, since=SINCE, settle=2)
    same(dataset.read(post_ids=posts[:1]), counted)
    (span,) = dataset.omission_spans()
    assert (span.post_id, span.reason) == (posts[0], "unavailable")
    assert span.end == datetime(2026, 3, 20, 13, tzinfo=UTC)


@pytest.mark.slow
def test_posts_that_are_all_unavailable_are_omissions(moving: World, dataset: ep.Dataset) -> None:
    """There are no counts, and the frame is empty."""
    done = moving.sync(dataset, ["1", "2"], since=SINCE)
    assert (done.added, done.revised) == (0, 0)
    assert dataset.read().empty
    assert dataset.omissions()["post_id"].tolist() == ["1", "2"]
    before = len(moving.requests)
    moving.sync(dataset, ["1", "2"], since=SINCE)
    assert len(moving.requests) == before


# Interruptions


@pytest.mark.slow
def test_responses_that_were_not_stored_are_stored_by_the_next_run(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run dies between the responses and the data set; nothing is requested again."""
    posts = moving.posts(4, SINCE)

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ep.Dataset, "append", die)
        with pytest.raises(KeyboardInterrupt):
            moving.sync(dataset, posts, since=SINCE)
    assert dataset.read().empty
    before = len(moving.requests)
    done = moving.sync(dataset, posts, since=SINCE)
    assert done == Synced(0, len(dataset.read()), 0)
    assert len(moving.requests) == before
    same(dataset.read(), moving.fetched(posts, SINCE))


@pytest.mark.long
def test_a_lost_data_set_is_rebuilt(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The raw responses give counts, revisions and omissions; nothing is sent."""
    tardy(monkeypatch, moving.clock, 3)
    posts = [*moving.posts(3, SINCE), "1"]
    for _ in range(4):
        moving.sync(dataset, posts, since=SINCE, settle=3)
        moving.clock.now += HOUR
    moving.clock.now -= HOUR
    before = dataset.read(), dataset.revisions(), dataset.omissions()
    sent = len(moving.requests)
    for name in ("counts", "omissions", "revisions"):
        shutil.rmtree(Path(dataset.path, name))
    with pytest.raises(ep.DamagedDataset):
        dataset.read()
    with pytest.warns(UserWarning, match="is damaged"):
        moving.sync(dataset, posts, since=SINCE, settle=3)
    assert len(moving.requests) == sent
    for found, expected in zip(
        (dataset.read(), dataset.revisions(), dataset.omissions()), before, strict=True
    ):
        pd.testing.assert_frame_equal(found, expected)


@pytest.mark.long
def test_a_failed_run_is_continued_by_the_next(moving: World, dataset: ep.Dataset) -> None:
    """The error is raised, and the next run requests only what is missing."""
    since = moving.clock.now - timedelta(days=16)
    posts = moving.posts(40, since)
    moving.server.faults.push(None, *["503"] * 40)
    with pytest.raises(ep.TransportError):
        moving.sync(dataset, posts, since=since)
    moving.server.faults.clear()
    before = len(moving.requests)
    moving.sync(dataset, posts, since=since)
    requested = [post for body in moving.requests[before:] for post in body["tweet_ids"]]
    assert len(requested) == len(set(requested)) < 40
    same(dataset.read(), moving.fetched(posts, since))


@pytest.mark.slow
def test_a_second_sync_at_the_same_time_is_refused(moving: World, dataset: ep.Dataset) -> None:
    """It sends nothing; the lock of a dead process is free."""
    posts = moving.posts(2, SINCE)
    moving.sync(dataset, posts, since=SINCE)
    moving.clock.now += HOUR
    before = len(moving.requests)
    with (
        try_file_lock(Path(dataset.path, "raw")),
        pytest.raises(ep.AlreadySyncing, match=r"another process is syncing"),
    ):
        moving.sync(dataset, posts, since=SINCE)
    assert len(moving.requests) == before
    assert moving.sync(dataset, posts, since=SINCE).answers == 1


# What is refused


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"since": "2013-01-01"}, ep.RequestError, "no counts before 2014-09-01"),
        ({"since": "soon"}, ep.InvalidWindow, "since 'soon' is not a time"),
        ({"settle": -1}, ep.RequestError, "settle is -1; pass whole hours"),
        ({"settle": 1.5}, ep.RequestError, "settle is 1.5"),
        ({"engagement_types": ["quote_tweets"]}, ep.UnsupportedEngagementType, "quote_tweets"),
    ],
)
def test_invalid_arguments_are_refused(
    moving: World, dataset: ep.Dataset, options: Any, error: type[Exception], message: str
) -> None:
    """The error is raised before anything is sent or written."""
    with pytest.raises(error, match=message):
        moving.sync(dataset, ["7"], **options)
    assert (moving.requests, Path(dataset.path).exists()) == ([], False)


def test_a_bearer_token_is_refused(dataset: ep.Dataset) -> None:
    """Only the owner may request time series."""
    public = ep.EngagementClient(ep.AppOnly("a-token"))
    with pytest.raises(ep.UserContextRequired):
        sync(public, dataset, ["7"], engagement_types=["replies"], since=SINCE)


def test_a_remote_store_needs_a_local_folder(moving: World) -> None:
    """Raw responses are stored on this machine, in a folder to be named."""
    with pytest.raises(ep.DatasetError, match="pass a folder for the raw responses"):
        moving.sync(ep.Dataset("memory://set"), ["7"])


# On the command line


@pytest.mark.slow
def test_the_command_line_reports_new_counts_and_omissions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second run at the same time ends without an error."""
    with ep.demo_client() as demo:
        now = demo.client.now()
        monkeypatch.setattr(ep.EngagementClient, "now", lambda _: now)  # the hour may turn
        keys = demo.server.keys()
        for name, value in {
            "X_CONSUMER_KEY": keys.consumer_key,
            "X_CONSUMER_SECRET": keys.consumer_secret,
            "X_ACCESS_TOKEN": keys.access_token,
            "X_ACCESS_TOKEN_SECRET": keys.access_token_secret,
            "X_BASE_URL": demo.server.base_url,
        }.items():
            monkeypatch.setenv(name, value)
        (tmp_path / "posts.csv").write_text(demo.posts[["post_id"]].to_csv(index=False))
        command = ["sync", str(tmp_path / "set"), str(tmp_path / "posts.csv"), "--types", "replies"]
        assert main(command) == 0
        messages = capsys.readouterr().err
        assert f"{now:%Y-%m-%dT%H:%M:%SZ} {tmp_path / 'set'}: " in messages
        assert "new counts, 0 revisions" in messages
        assert "deleted, suspended or protected" in messages
        with try_file_lock(tmp_path / "set" / "raw"):
            assert main(command) == 0
        assert "another process is syncing" in capsys.readouterr().err
        assert main(command) == 0
        assert "up to date: nothing to request" in capsys.readouterr().err
        assert main([*command, "--json", "--quiet", "--since", "7d"]) == 0
        shown = capsys.readouterr()
        path = str(tmp_path / "set")
        expected = {"dataset": path, "answers": 0, "added": 0, "revised": 0, "failed": []}
        assert (json.loads(shown.out), shown.err) == (expected, "")
    assert len(ep.Dataset(tmp_path / "set").read()) > 10_000


@pytest.fixture
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    """Run a sandbox at the present with two owners who have logged in, and a new ledger."""
    for name in ("X_ACCESS_TOKEN", "X_ACCESS_TOKEN_SECRET", "X_HANDLE", "X_HANDLE_LIMIT"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.replace("X_", "TWITTER_", 1), raising=False)
    monkeypatch.setenv("X_ACCOUNTS", str(tmp_path / "accounts.json"))
    monkeypatch.setenv("X_LEDGER", str(tmp_path / "ledger.jsonl"))
    with SandboxServer() as server:
        monkeypatch.setenv("X_CONSUMER_KEY", server.app.consumer_key)
        monkeypatch.setenv("X_CONSUMER_SECRET", server.app.consumer_secret)
        monkeypatch.setenv("X_BASE_URL", server.base_url)
        app = ep.Consumer(server.app.consumer_key, server.app.consumer_secret).app
        for handle in (HANDLE, OTHER):
            keys, number = server.keys(handle), server.world.account(handle).user_id
            tokens = keys.access_token, keys.access_token_secret
            created = datetime(2026, 4, 1, tzinfo=UTC)
            ep.Accounts().add(ep.Account(handle, number, app, created, *tokens))
        yield server


def posts_of_both(server: SandboxServer) -> pd.DataFrame:
    """Return a public post of each of the two owners."""
    now, late = server.world.now(), datetime(2100, 1, 1, tzinfo=UTC)
    rows = [
        next(
            post
            for post in server.world.posts(handle, None, now - timedelta(days=9))[::-1]
            if post.availability(late) is Availability.PUBLIC
        )
        for handle in (HANDLE, OTHER)
    ]
    return pd.DataFrame({"post_id": [p.post_id for p in rows], "handle": [p.handle for p in rows]})


@pytest.mark.slow
def test_posts_are_requested_with_their_owners_tokens(
    logged_in: SandboxServer, dataset: ep.Dataset
) -> None:
    """The frame has the handles, and no request is refused."""
    posts = posts_of_both(logged_in)
    yesterday = logged_in.world.now() - timedelta(days=1)
    with ep.EngagementClient(ep.Accounts(), base_url=logged_in.base_url) as client:
        done = sync(client, dataset, posts, engagement_types=TYPES, since=yesterday)
    assert done.answers == 2
    assert [received.status for received in logged_in.requests] == [200, 200]
    assert set(dataset.read()["post_id"]) == set(posts["post_id"])


def test_an_owner_without_login_is_reported(logged_in: SandboxServer, dataset: ep.Dataset) -> None:
    """The error is raised before anything is sent."""
    posts = posts_of_both(logged_in)
    posts.loc[len(posts)] = ["2020000000000000007", "somebody_else"]
    with (
        ep.EngagementClient(ep.Accounts(), base_url=logged_in.base_url) as client,
        pytest.raises(ep.UserContextRequired, match="somebody_else"),
    ):
        sync(client, dataset, posts, engagement_types=TYPES, since="2026-01-01")
    assert logged_in.requests == ()


@pytest.mark.slow
def test_the_command_line_uses_logins_and_ledger(
    logged_in: SandboxServer, dataset: ep.Dataset, tmp_path: Path
) -> None:
    """A file has the handles, and the ledger records each requested one."""
    posts = posts_of_both(logged_in)
    posts.to_csv(tmp_path / "posts.csv", index=False)
    since = f"{logged_in.world.now() - timedelta(days=1):%Y-%m-%d}"
    command = ["sync", str(dataset.path), str(tmp_path / "posts.csv"), "--types", "replies"]
    assert main([*command, "--since", since]) == 0
    assert set(dataset.read()["post_id"]) == set(posts["post_id"])
    assert sorted(ep.Ledger.from_env().handles()) == sorted([HANDLE, OTHER])


def test_the_command_line_refuses_handles_beyond_the_limit(
    logged_in: SandboxServer,
    dataset: ep.Dataset,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The exit code is 2, and nothing is sent."""
    monkeypatch.setenv("X_HANDLE", HANDLE)
    monkeypatch.setenv("X_HANDLE_LIMIT", "1")
    ep.Ledger.from_env().record("somebody_else")
    post = posts_of_both(logged_in)["post_id"][0]
    assert main(["sync", str(dataset.path), post, "--types", "replies"]) == 2
    assert "1 of 1 handle were requested" in capsys.readouterr().err
    assert logged_in.requests == ()
