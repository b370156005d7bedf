"""If one owner withdraws the app or a post has invalid responses, the others are synced."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.datasets.schedule import HOUR, OWNERS, POSTS, START, Schedule, schedule, true

import engagement_pandas as ep
from engagement_pandas.cli import main
from engagement_pandas.dataset.sync import Synced

ANNAS, BERTS = POSTS[:6:2], POSTS[1:6:2]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Schedule]:
    """Return an API, two owners of three posts each, and an empty data set."""
    with schedule(tmp_path, 0, monkeypatch) as found:
        found.posts = 6
        yield found


def run(world: Schedule, after: timedelta = HOUR) -> Synced:
    """Sync some time later."""
    world.clock[0] += after
    world.api.requests = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return world.sync()


def stored(world: Schedule) -> set[str]:
    """Return the posts whose last complete hour is stored with the right count."""
    last = world.clock[0].replace(minute=0, second=0, microsecond=0) - HOUR
    counts = world.dataset.read(since=last)
    for post, count in zip(counts["post_id"], counts["count"], strict=True):
        assert count == true(post, "impressions", last, world.clock[0])
    return set(counts["post_id"])


@pytest.mark.long
def test_the_posts_of_an_owner_who_withdrew_the_app_are_omitted(world: Schedule) -> None:
    """Each run reports them; they are synced again when the owner is back."""
    assert run(world).failed == ()
    world.api.revoked = {"anna"}
    before = set(world.folder.rglob("set_aside*"))
    for hour in range(8):
        done = run(world)
        assert stored(world) == set(BERTS), hour
        assert set(done.failed) <= set(ANNAS)
        if hour == 0:
            assert set(done.failed) == set(ANNAS)
            assert str(done).endswith("; no response for 3 posts")
        assert done.answers >= 1
    omitted = world.dataset.omissions()
    assert sorted(set(omitted["post_id"])) == sorted(ANNAS)
    assert set(omitted["reason"]) == {"unauthorized"}
    assert set(world.folder.rglob("set_aside*")) == before
    world.api.revoked = set()
    run(world, timedelta(hours=25))
    assert stored(world) == {*ANNAS, *BERTS}
    assert world.dataset.omissions().empty
    assert len(world.dataset.read(post_ids=[ANNAS[0]])) == len(
        world.dataset.read(post_ids=[BERTS[0]])
    )


@pytest.mark.long
@pytest.mark.parametrize("cursed", [POSTS[:1], POSTS[:2]])
def test_posts_with_invalid_responses_do_not_stop_the_others(
    world: Schedule, cursed: tuple[str, ...]
) -> None:
    """They are back with the first run that requests them again."""
    world.api.cursed = set(cursed)
    for hour in range(4):
        done = run(world)
        assert stored(world) == {*ANNAS, *BERTS} - set(cursed), hour
        assert set(done.failed) <= set(cursed)
    assert set(world.dataset.omissions()["reason"]) == {"invalid_answer"}
    world.api.cursed = set()
    run(world, timedelta(days=1, hours=1))
    assert stored(world) == {*ANNAS, *BERTS}
    assert world.dataset.omissions().empty


@pytest.mark.long
def test_an_hour_missing_in_the_responses_is_requested_again(
    world: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stored response of an hour ago is not taken for the new one."""
    world.posts = 1
    real = world.api.answer

    def lacking(body_sent: dict[str, Any], authorization: str) -> tuple[int, Any]:
        status, body = real(body_sent, authorization)
        for post in body["by_hour"].values():
            post["impressions"].get("2026-03-01", {}).pop("03", None)
        return status, body

    with monkeypatch.context() as patch:
        patch.setattr(world.api, "answer", lacking)
        for _ in range(3):  # one request with all posts, then two of the post alone
            run(world)
    assert len(world.dataset.omissions()) == 1
    for _ in range(3):
        run(world)
    assert world.dataset.omissions().empty
    assert world.dataset.read()["hour"].to_list() == list(range(13))


@pytest.mark.long
def test_a_service_without_any_valid_response_raises(world: Schedule) -> None:
    """No post is omitted for it."""
    world.api.cursed = set(POSTS)
    with pytest.raises(ep.EngagementError, match="no answer"):
        run(world)
    world.api.cursed = set()
    run(world)
    assert stored(world) == {*ANNAS, *BERTS}


@pytest.mark.slow
def test_an_outage_after_a_failed_owner_stops_the_run(world: Schedule) -> None:
    """Neither the other posts nor the second window are requested."""
    world.api.revoked, world.api.outage = {"anna"}, 1
    with pytest.raises(ep.TransportError) as caught:
        run(world, timedelta(days=40))
    assert caught.value.status == 503
    assert world.api.requests == 1 + 2  # one request of anna's, two of bert's
    world.api.revoked, world.api.outage = set(), 10**9
    run(world)
    assert stored(world) == {*ANNAS, *BERTS}


def test_a_single_owner_without_access_raises(world: Schedule) -> None:
    """The error is that of any request."""
    world.posts = 1
    world.api.revoked = {"anna"}
    with pytest.raises(ep.EngagementError, match="Access token not found"):
        run(world)


def test_the_command_line_counts_posts_without_response(
    world: Schedule, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 10, and the other responses are stored."""
    posts = pd.DataFrame({"post_id": POSTS[:2], "handle": OWNERS})
    posts.to_csv(world.folder / "posts.csv", index=False)
    result = Synced(1, 24, 0, (POSTS[1],))
    monkeypatch.setattr("engagement_pandas.dataset.sync.sync", lambda *_, **__: result)
    command = [
        "sync",
        str(world.dataset.path),
        str(world.folder / "posts.csv"),
        "--types",
        "replies",
    ]
    monkeypatch.setenv("X_CONSUMER_KEY", "key")
    monkeypatch.setenv("X_CONSUMER_SECRET", "secret")
    monkeypatch.setenv("X_ACCESS_TOKEN", "1-token")
    monkeypatch.setenv("X_ACCESS_TOKEN_SECRET", "secret")
    assert main([*command, "--since", f"{START:%Y-%m-%d}", "--base-url", world.url]) == 10
    assert "1 post without a response; see above" in capsys.readouterr().err
