"""A data set that is brought up to date hour by hour: what is asked, kept, revised and left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.datasets.worlds import HANDLE, HOUR, OTHER, TYPES, World, same, tardy, world

import engagement_pandas as ep
from engagement_pandas.cli import main
from engagement_pandas.dataset.sync import Synced, sync
from engagement_pandas.files import try_file_lock
from engagement_pandas.frame.contract import check_counts
from engagement_pandas.sandbox import SandboxServer
from engagement_pandas.sandbox.world import Availability, Post

SINCE = datetime(2026, 3, 15, 6, tzinfo=UTC)


@pytest.fixture
def moving() -> Iterator[World]:
    """Run a sandbox whose time moves when a test says so."""
    with world() as made:
        yield made


@pytest.fixture
def dataset(tmp_path: Path) -> ep.Dataset:
    """Return an empty data set."""
    return ep.Dataset(tmp_path / "set")


def windows(asked: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return what was asked for, from when to when."""
    return [(body["start"], body["end"]) for body in asked]


# What is asked


@pytest.mark.slow
def test_it_equals_one_fetch(moving: World, dataset: ep.Dataset) -> None:
    """Built and then kept current for some hours: the very frame, and tidy."""
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
def test_nothing_is_asked_twice_in_an_hour(moving: World, dataset: ep.Dataset) -> None:
    """Nothing new can have come to pass; nothing is sent."""
    posts = moving.posts(3, SINCE)
    moving.sync(dataset, posts, since=SINCE)
    before = len(moving.asked)
    moving.clock.now += timedelta(minutes=40)
    assert moving.sync(dataset, posts, since=SINCE) == Synced(0, 0, 0)
    assert len(moving.asked) == before


@pytest.mark.slow
def test_only_the_last_hours_are_asked_again(moving: World, dataset: ep.Dataset) -> None:
    """At 12:05 hours that ended by 09:00 were three hours old; at 13:05 those after are due."""
    posts = moving.posts(3, SINCE)
    moving.sync(dataset, posts, since=SINCE, settle=3)
    moving.clock.now += HOUR
    before = len(moving.asked)
    moving.sync(dataset, posts, since=SINCE, settle=3)
    assert windows(moving.asked[before:]) == [("2026-03-20T09:00:00Z", "2026-03-20T13:00:00Z")]


@pytest.mark.slow
def test_a_pause_is_made_up_for(moving: World, dataset: ep.Dataset) -> None:
    """After two days without a run, all that was not settled before, in one request."""
    posts = moving.posts(3, SINCE)
    moving.sync(dataset, posts, since=SINCE, settle=3)
    moving.clock.now += 48 * HOUR
    before = len(moving.asked)
    moving.sync(dataset, posts, since=SINCE, settle=3)
    assert windows(moving.asked[before:]) == [("2026-03-20T09:00:00Z", "2026-03-22T12:00:00Z")]
    same(dataset.read(), moving.fetched(posts, SINCE))


@pytest.mark.slow
def test_few_requests(moving: World, dataset: ep.Dataset) -> None:
    """Thirty posts made at thirty times go into two requests, and hourly into two again."""
    since = moving.clock.now - timedelta(days=16)
    posts = moving.posts(30, since)
    moving.sync(dataset, posts, since=since, engagement_types=TYPES[:1])
    assert len(moving.asked) == 2
    moving.clock.now += HOUR
    moving.sync(dataset, posts, since=since, engagement_types=TYPES[:1])
    assert len(moving.asked) == 4
    same(dataset.read(), moving.fetched(posts, since, TYPES[:1]))


@pytest.mark.slow
def test_no_hour_before_a_post_and_none_to_come(moving: World, dataset: ep.Dataset) -> None:
    """No window ends before its posts were made, and no count is stored of before that."""
    since = moving.clock.now - timedelta(days=70)
    posts = moving.posts(2, since)[:1] + moving.posts(3, moving.clock.now - 96 * HOUR)
    moving.sync(dataset, posts, since=since)
    for body in moving.asked:
        assert datetime.fromisoformat(body["end"]) <= moving.clock.now
        made = [ep.created_at(post) for post in body["tweet_ids"]]
        assert all(moment and moment < datetime.fromisoformat(body["end"]) for moment in made)
    found = dataset.read()
    first = found.assign(at=ep.timestamps(found)).groupby("post_id")["at"].min()
    assert first.to_dict() == {post: pd.Timestamp(ep.created_at(post)).floor("h") for post in posts}


@pytest.mark.slow
def test_a_post_that_is_new_in_the_list(moving: World, dataset: ep.Dataset) -> None:
    """Its hours are asked from its beginning; those of the others only as far as they are due."""
    old, new = moving.posts(2, SINCE)
    moving.sync(dataset, [old], since=SINCE)
    before = len(moving.asked)
    moving.sync(dataset, [old, new], since=SINCE)
    assert [body["tweet_ids"] for body in moving.asked[before:]] == [[new]]
    same(dataset.read(), moving.fetched([old, new], SINCE))


@pytest.mark.slow
def test_a_post_that_is_no_longer_in_the_list(moving: World, dataset: ep.Dataset) -> None:
    """It is asked no more, and what is there stays."""
    posts = moving.posts(2, SINCE)
    moving.sync(dataset, posts, since=SINCE)
    moving.clock.now += HOUR
    before = len(moving.asked)
    moving.sync(dataset, posts[:1], since=SINCE)
    assert [body["tweet_ids"] for body in moving.asked[before:]] == [posts[:1]]
    assert set(dataset.read()["post_id"]) == set(posts)


@pytest.mark.slow
def test_a_type_that_is_added(moving: World, dataset: ep.Dataset) -> None:
    """It alone is asked, from the beginning; frozen hours of the others are left alone."""
    posts = moving.posts(2, SINCE)
    moving.sync(dataset, posts, since=SINCE)
    before = len(moving.asked)
    moving.sync(dataset, posts, since=SINCE, engagement_types=[*TYPES, "url_clicks"])
    assert [body["engagement_types"] for body in moving.asked[before:]] == [["url_clicks"]]
    same(dataset.read(), moving.fetched(posts, SINCE, [*TYPES, "url_clicks"]))


@pytest.mark.slow
def test_an_earlier_beginning(moving: World, dataset: ep.Dataset) -> None:
    """What is before is asked, and nothing else."""
    posts = moving.posts(2, SINCE - timedelta(days=3))
    moving.sync(dataset, posts, since=SINCE)
    before = len(moving.asked)
    moving.sync(dataset, posts, since=SINCE - timedelta(days=2))
    assert {end for _, end in windows(moving.asked[before:])} == {"2026-03-15T06:00:00Z"}
    same(dataset.read(), moving.fetched(posts, SINCE - timedelta(days=2)))


# Revisions


@pytest.mark.slow
def test_counts_that_come_late(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each hour goes up until it is whole; the log has every step, and the last one holds."""
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
    for _, step in steps:  # each begins where the last one ended
        assert step["count"].to_list()[:-1] == step["count_before"].to_list()[1:]
        assert (step["retrieved_before"] < step["retrieved_at"]).all()
    found = dataset.read().set_index(key)["count"]
    last = steps["count"].last()
    assert last.eq(found.reindex(last.index)).all()
    # Whatever was whole by the last run is what one fetch gives, to the hour.
    settled = moving.clock.now - 5 * HOUR
    wanted = moving.fetched(posts, SINCE)
    then = ep.timestamps(wanted) < settled.replace(minute=0)
    stored = dataset.read(until=settled.replace(minute=0))
    same(stored, wanted[then].reset_index(drop=True))
    assert start < settled


@pytest.mark.slow
def test_what_is_frozen_stays(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts that come later than an hour is taken to settle are not seen: no row is asked."""
    posts = moving.posts(3, SINCE)
    moving.sync(dataset, posts, since=SINCE, settle=2)
    before = dataset.read(until=moving.clock.now - 3 * HOUR)
    tardy(monkeypatch, moving.clock, 1_000)
    moving.clock.now += HOUR
    moving.sync(dataset, posts, since=SINCE, settle=2)
    same(dataset.read(until=moving.clock.now - 4 * HOUR), before)


# Silences


@pytest.mark.slow
def test_posts_that_are_silent(moving: World, dataset: ep.Dataset) -> None:
    """Told as omissions, never as zeros; asked ever more seldom, and the others go on."""
    posts = moving.posts(3, SINCE)
    other = moving.server.world.posts(OTHER, SINCE)[0].post_id
    every = [*posts, other, "1"]
    tries = []
    for _ in range(10):
        before = len(moving.asked)
        moving.sync(dataset, every, since=SINCE, settle=2)
        named = [set(body["tweet_ids"]) for body in moving.asked[before:]]
        tries.append((any(other in ids for ids in named), any("1" in ids for ids in named)))
        moving.clock.now += HOUR
    silent = dataset.omissions()
    assert dict(zip(silent["post_id"], silent["reason"], strict=True)) == {
        other: "forbidden",
        "1": "unavailable",
    }
    assert set(dataset.read()["post_id"]) == set(posts)
    # Each time the silence is twice as old.
    hours = [hour for hour, (asked, _) in enumerate(tries) if asked]
    assert hours == [0, 1, 2, 4, 8]
    assert [hour for hour, (_, asked) in enumerate(tries) if asked] == hours
    moving.clock.now -= HOUR
    same(dataset.read(), moving.fetched(posts, SINCE))


@pytest.mark.slow
def test_a_post_that_comes_back(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its hours are fetched, also those of its silence; then it is silent no more."""
    posts = moving.posts(2, SINCE)
    real = Post.availability
    gone = [True]

    def availability(self: Post, at: datetime) -> Availability:
        hidden = gone[0] and self.post_id == posts[0]
        return Availability.DELETED if hidden else real(self, at)

    monkeypatch.setattr(Post, "availability", availability)
    for _ in range(5):
        moving.sync(dataset, posts, since=SINCE, settle=2)
        moving.clock.now += HOUR
    assert dataset.omissions()["post_id"].tolist() == posts[:1]
    gone[0] = False
    for _ in range(5):
        moving.sync(dataset, posts, since=SINCE, settle=2)
        moving.clock.now += HOUR
    assert dataset.omissions().empty
    moving.clock.now -= HOUR
    same(dataset.read(), moving.fetched(posts, SINCE))


@pytest.mark.slow
def test_a_post_that_goes(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was counted stays; the rest is an omission, from the first hour without a count."""
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
    (silence,) = dataset.omission_spans()
    assert (silence.post_id, silence.reason) == (posts[0], "unavailable")
    assert silence.end == datetime(2026, 3, 20, 13, tzinfo=UTC)


@pytest.mark.slow
def test_all_posts_are_silent(moving: World, dataset: ep.Dataset) -> None:
    """No counts at all: omissions, and an empty frame."""
    done = moving.sync(dataset, ["1", "2"], since=SINCE)
    assert (done.added, done.revised) == (0, 0)
    assert dataset.read().empty
    assert dataset.omissions()["post_id"].tolist() == ["1", "2"]
    before = len(moving.asked)
    moving.sync(dataset, ["1", "2"], since=SINCE)
    assert len(moving.asked) == before


# Interruptions


@pytest.mark.slow
def test_answers_that_were_not_stored_are_taken_up(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that dies between the answers and the data set: the next one asks nothing again."""
    posts = moving.posts(4, SINCE)

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ep.Dataset, "append", die)
        with pytest.raises(KeyboardInterrupt):
            moving.sync(dataset, posts, since=SINCE)
    assert dataset.read().empty
    before = len(moving.asked)
    done = moving.sync(dataset, posts, since=SINCE)
    assert done == Synced(0, len(dataset.read()), 0)
    assert len(moving.asked) == before
    same(dataset.read(), moving.fetched(posts, SINCE))


@pytest.mark.slow
def test_a_data_set_that_is_lost(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made again from the raw answers, revisions and omissions too; nothing is sent."""
    tardy(monkeypatch, moving.clock, 3)
    posts = [*moving.posts(3, SINCE), "1"]
    for _ in range(4):
        moving.sync(dataset, posts, since=SINCE, settle=3)
        moving.clock.now += HOUR
    moving.clock.now -= HOUR
    before = dataset.read(), dataset.revisions(), dataset.omissions()
    sent = len(moving.asked)
    for name in ("counts", "omissions", "revisions"):
        shutil.rmtree(Path(dataset.path, name))
    with pytest.raises(ep.DamagedDataset):
        dataset.read()
    with pytest.warns(UserWarning, match="is damaged"):
        moving.sync(dataset, posts, since=SINCE, settle=3)
    assert len(moving.asked) == sent
    for found, wanted in zip(
        (dataset.read(), dataset.revisions(), dataset.omissions()), before, strict=True
    ):
        pd.testing.assert_frame_equal(found, wanted)


@pytest.mark.slow
def test_a_server_that_fails_midway(moving: World, dataset: ep.Dataset) -> None:
    """The error is told; the next run asks only what was not answered."""
    since = moving.clock.now - timedelta(days=16)
    posts = moving.posts(40, since)
    moving.server.faults.push(None, *["503"] * 40)
    with pytest.raises(ep.TransportError):
        moving.sync(dataset, posts, since=since)
    moving.server.faults.clear()
    before = len(moving.asked)
    moving.sync(dataset, posts, since=since)
    asked = [post for body in moving.asked[before:] for post in body["tweet_ids"]]
    assert len(asked) == len(set(asked)) < 40
    same(dataset.read(), moving.fetched(posts, since))


@pytest.mark.slow
def test_two_at_once(moving: World, dataset: ep.Dataset) -> None:
    """The second says so, and sends nothing; a lock that a dead process held is free."""
    posts = moving.posts(2, SINCE)
    moving.sync(dataset, posts, since=SINCE)
    moving.clock.now += HOUR
    before = len(moving.asked)
    with (
        try_file_lock(Path(dataset.path, "raw")),
        pytest.raises(ep.AlreadySyncing, match=r"another process is syncing"),
    ):
        moving.sync(dataset, posts, since=SINCE)
    assert len(moving.asked) == before
    assert moving.sync(dataset, posts, since=SINCE).answers == 1


# What is refused


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({"since": "2013-01-01"}, ep.RequestError, "no counts before 2014-09-01"),
        ({"since": "soon"}, ep.InvalidWindow, "since 'soon' is not a time"),
        ({"settle": -1}, ep.RequestError, "settle is -1; pass whole hours"),
        ({"settle": 1.5}, ep.RequestError, "settle is 1.5"),
        ({"engagement_types": ["quote_tweets"]}, ep.UnsupportedEngagementType, "quote_tweets"),
    ],
)
def test_what_cannot_be_asked(
    moving: World, dataset: ep.Dataset, asked: Any, error: type[Exception], words: str
) -> None:
    """Before anything is sent or made."""
    with pytest.raises(error, match=words):
        moving.sync(dataset, ["7"], **asked)
    assert (moving.asked, Path(dataset.path).exists()) == ([], False)


def test_a_bearer_token_will_not_do(dataset: ep.Dataset) -> None:
    """Time series are told to the owner alone."""
    public = ep.EngagementClient(ep.AppOnly("a-token"))
    with pytest.raises(ep.UserContextRequired):
        sync(public, dataset, ["7"], engagement_types=["replies"], since=SINCE)


def test_a_store_elsewhere_needs_a_folder_here(moving: World) -> None:
    """Raw answers are kept on this machine; where, has to be said."""
    with pytest.raises(ep.DatasetError, match="pass a folder for the raw responses"):
        moving.sync(ep.Dataset("memory://set"), ["7"])


# In a shell


@pytest.mark.slow
def test_in_a_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what was new and what is silent; a second one at once ends without an error."""
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
        words = ["sync", str(tmp_path / "set"), str(tmp_path / "posts.csv"), "--types", "replies"]
        assert main(words) == 0
        said = capsys.readouterr().err
        assert f"{now:%Y-%m-%dT%H:%M:%SZ} {tmp_path / 'set'}: " in said
        assert "new counts, 0 revisions" in said
        assert "deleted, suspended or protected" in said
        with try_file_lock(tmp_path / "set" / "raw"):
            assert main(words) == 0
        assert "another process is syncing" in capsys.readouterr().err
        assert main(words) == 0
        assert "up to date: nothing to request" in capsys.readouterr().err
        assert main([*words, "--json", "--quiet", "--since", "7d"]) == 0
        shown = capsys.readouterr()
        path = str(tmp_path / "set")
        nothing = {"dataset": path, "answers": 0, "added": 0, "revised": 0, "failed": []}
        assert (json.loads(shown.out), shown.err) == (nothing, "")
    assert len(ep.Dataset(tmp_path / "set").read()) > 10_000


@pytest.fixture
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    """Run a sandbox at the present, of which two owners have logged in; in a ledger of its own."""
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
            moment = datetime(2026, 4, 1, tzinfo=UTC)
            ep.Accounts().add(ep.Account(handle, number, app, moment, *tokens))
        yield server


def of_each(server: SandboxServer) -> pd.DataFrame:
    """Return a post that is there to stay of each of the two."""
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
def test_posts_of_several_owners(logged_in: SandboxServer, dataset: ep.Dataset) -> None:
    """A frame tells whose they are: each is asked with its owner's tokens, none refused."""
    posts = of_each(logged_in)
    yesterday = logged_in.world.now() - timedelta(days=1)
    with ep.EngagementClient(ep.Accounts(), base_url=logged_in.base_url) as client:
        done = sync(client, dataset, posts, engagement_types=TYPES, since=yesterday)
    assert done.answers == 2
    assert [received.status for received in logged_in.requests] == [200, 200]
    assert set(dataset.read()["post_id"]) == set(posts["post_id"])


def test_an_owner_who_has_not_logged_in(logged_in: SandboxServer, dataset: ep.Dataset) -> None:
    """Told before anything is sent, whatever else is to be asked."""
    posts = of_each(logged_in)
    posts.loc[len(posts)] = ["2020000000000000007", "somebody_else"]
    with (
        ep.EngagementClient(ep.Accounts(), base_url=logged_in.base_url) as client,
        pytest.raises(ep.UserContextRequired, match="somebody_else"),
    ):
        sync(client, dataset, posts, engagement_types=TYPES, since="2026-01-01")
    assert logged_in.requests == ()


@pytest.mark.slow
def test_in_a_shell_with_who_has_logged_in(
    logged_in: SandboxServer, dataset: ep.Dataset, tmp_path: Path
) -> None:
    """As the other verbs: a file tells the handles, and the ledger has whoever was asked for."""
    posts = of_each(logged_in)
    posts.to_csv(tmp_path / "posts.csv", index=False)
    since = f"{logged_in.world.now() - timedelta(days=1):%Y-%m-%d}"
    words = ["sync", str(dataset.path), str(tmp_path / "posts.csv"), "--types", "replies"]
    assert main([*words, "--since", since]) == 0
    assert set(dataset.read()["post_id"]) == set(posts["post_id"])
    assert sorted(ep.Ledger.from_env().handles()) == sorted([HANDLE, OTHER])


def test_in_a_shell_with_a_ledger_that_is_full(
    logged_in: SandboxServer,
    dataset: ep.Dataset,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The limit holds for sync too: exit code 2, and nothing is sent."""
    monkeypatch.setenv("X_HANDLE", HANDLE)
    monkeypatch.setenv("X_HANDLE_LIMIT", "1")
    ep.Ledger.from_env().record("somebody_else")
    post = of_each(logged_in)["post_id"][0]
    assert main(["sync", str(dataset.path), post, "--types", "replies"]) == 2
    assert "1 of 1 handle were requested" in capsys.readouterr().err
    assert logged_in.requests == ()
