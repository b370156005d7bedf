"""One owner who withdrew the app, or one post whose answers are invalid: the others go on."""

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
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Schedule]:
    """Return an API, two owners of three posts each, and a data set that is empty yet."""
    with schedule(tmp_path, 0, monkeypatch) as found:
        found.posts = 6
        yield found


def run(made: Schedule, after: timedelta = HOUR) -> Synced:
    """Sync some time later."""
    made.clock[0] += after
    made.api.asked = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return made.sync()


def stored(made: Schedule) -> set[str]:
    """Return the posts that have the last whole hour, and its count is right."""
    last = made.clock[0].replace(minute=0, second=0, microsecond=0) - HOUR
    counts = made.dataset.read(since=last)
    for post, count in zip(counts["post_id"], counts["count"], strict=True):
        assert count == true(post, "impressions", last, made.clock[0])
    return set(counts["post_id"])


@pytest.mark.slow
def test_an_owner_who_withdrew_the_app(made: Schedule) -> None:
    """Reported each time, with the reason in the omissions; soon taken up when they are back."""
    assert run(made).failed == ()
    made.api.revoked = {"anna"}
    before = set(made.folder.rglob("set_aside*"))
    for hour in range(8):
        done = run(made)
        assert stored(made) == set(BERTS), hour
        assert set(done.failed) <= set(ANNAS)
        if hour == 0:
            assert set(done.failed) == set(ANNAS)
            assert str(done).endswith("; no response for 3 posts")
        assert done.answers >= 1
    omitted = made.dataset.omissions()
    assert sorted(set(omitted["post_id"])) == sorted(ANNAS)
    assert set(omitted["reason"]) == {"unauthorized"}
    assert set(made.folder.rglob("set_aside*")) == before
    made.api.revoked = set()
    run(made, timedelta(hours=25))
    assert stored(made) == {*ANNAS, *BERTS}
    assert made.dataset.omissions().empty
    assert len(made.dataset.read(post_ids=[ANNAS[0]])) == len(
        made.dataset.read(post_ids=[BERTS[0]])
    )


@pytest.mark.slow
@pytest.mark.parametrize("cursed", [POSTS[:1], pytest.param(POSTS[:2], marks=pytest.mark.long)])
def test_posts_whose_answers_are_invalid(made: Schedule, cursed: tuple[str, ...]) -> None:
    """The other posts have each hour; these are back with the first run that asks them again."""
    made.api.cursed = set(cursed)
    for hour in range(4):
        done = run(made)
        assert stored(made) == {*ANNAS, *BERTS} - set(cursed), hour
        assert set(done.failed) <= set(cursed)
    assert set(made.dataset.omissions()["reason"]) == {"invalid_answer"}
    made.api.cursed = set()
    run(made, timedelta(days=1, hours=1))
    assert stored(made) == {*ANNAS, *BERTS}
    assert made.dataset.omissions().empty


@pytest.mark.slow
def test_an_hour_that_answers_lacked(made: Schedule, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is sent again, and what was answered an hour ago is not taken for the new answer."""
    made.posts = 1
    real = made.api.answer

    def lacking(question: dict[str, Any], authorization: str) -> tuple[int, Any]:
        status, body = real(question, authorization)
        for post in body["by_hour"].values():
            post["impressions"].get("2026-03-01", {}).pop("03", None)
        return status, body

    with monkeypatch.context() as patch:
        patch.setattr(made.api, "answer", lacking)
        for _ in range(3):  # once with all, then alone, twice
            run(made)
    assert len(made.dataset.omissions()) == 1
    for _ in range(3):
        run(made)
    assert made.dataset.omissions().empty
    assert made.dataset.read()["hour"].to_list() == list(range(13))


@pytest.mark.slow
def test_a_service_that_is_down(made: Schedule) -> None:
    """Nothing was answered: an error, and no post rests for it."""
    made.api.cursed = set(POSTS)
    with pytest.raises(ep.EngagementError, match="no answer"):
        run(made)
    made.api.cursed = set()
    run(made)
    assert stored(made) == {*ANNAS, *BERTS}


@pytest.mark.slow
def test_an_outage_stops_the_run(made: Schedule) -> None:
    """After an owner who failed, too: neither the rest nor the second window is asked."""
    made.api.revoked, made.api.outage = {"anna"}, 1
    with pytest.raises(ep.TransportError) as caught:
        run(made, timedelta(days=40))
    assert caught.value.status == 503
    assert made.api.asked == 1 + 2  # anna's, and bert's twice
    made.api.revoked, made.api.outage = set(), 10**9
    run(made)
    assert stored(made) == {*ANNAS, *BERTS}


def test_the_only_owner(made: Schedule) -> None:
    """Whose tokens are of no use: an error, as for any request."""
    made.posts = 1
    made.api.revoked = {"anna"}
    with pytest.raises(ep.EngagementError, match="Access token not found"):
        run(made)


def test_in_a_shell(
    made: Schedule, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 10, with how many posts; what was answered is stored."""
    posts = pd.DataFrame({"post_id": POSTS[:2], "handle": OWNERS})
    posts.to_csv(made.folder / "posts.csv", index=False)
    seen = Synced(1, 24, 0, (POSTS[1],))
    monkeypatch.setattr("engagement_pandas.dataset.sync.sync", lambda *_, **__: seen)
    words = ["sync", str(made.dataset.path), str(made.folder / "posts.csv"), "--types", "replies"]
    monkeypatch.setenv("X_CONSUMER_KEY", "key")
    monkeypatch.setenv("X_CONSUMER_SECRET", "secret")
    monkeypatch.setenv("X_ACCESS_TOKEN", "1-token")
    monkeypatch.setenv("X_ACCESS_TOKEN_SECRET", "secret")
    assert main([*words, "--since", f"{START:%Y-%m-%d}", "--base-url", made.url]) == 10
    assert "1 post without a response; see above" in capsys.readouterr().err
