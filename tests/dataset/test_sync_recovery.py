"""What a run leaves behind for the next: answers that were not stored, or are none; and limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.datasets.worlds import HOUR, TYPES, World, same, tardy, world

import engagement_pandas as ep
from engagement_pandas.dataset import gaps
from engagement_pandas.dataset.gaps import Hours, batches
from engagement_pandas.dataset.omission_log import OmissionSpan
from engagement_pandas.dataset.raw_answers import store_answers
from engagement_pandas.dataset.sync import Synced, sync
from engagement_pandas.files import try_file_lock
from engagement_pandas.request.post_ids import first_snowflake_at
from engagement_pandas.response.collection import Collection
from engagement_pandas.sandbox.world import Availability, Post
from engagement_pandas.vocabulary import OmissionReason

SINCE = datetime(2026, 3, 15, 6, tzinfo=UTC)
LONG_AGO = datetime(2026, 2, 15, 6, tzinfo=UTC)


@pytest.fixture
def moving() -> Iterator[World]:
    """Run a sandbox whose time moves when a test says so."""
    with world() as made:
        yield made


@pytest.fixture
def dataset(tmp_path: Path) -> ep.Dataset:
    """Return an empty data set."""
    return ep.Dataset(tmp_path / "set")


def dying(patch: pytest.MonkeyPatch, step: int) -> None:
    """Have a run die instead of storing what it comes to store at that step, counted from 0."""
    real, steps = ep.Dataset.append, iter(range(1_000))

    def append(self: ep.Dataset, *rows: Any, **named: Any) -> Any:
        if next(steps) == step:
            raise KeyboardInterrupt
        return real(self, *rows, **named)

    patch.setattr(ep.Dataset, "append", append)


# Answers that are none


def beside(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Have every answer hold an hour that was not asked for."""
    real = Collection.keep

    def keep(
        self: Collection, response: ep.EngagementResponse, account: str | None = None, *_: Any
    ) -> ep.EngagementResponse:
        body = json.loads(response.content)
        counts = body[response.request.grouping(None).name]
        next(iter(next(iter(counts.values())).values()))["2026-01-01"] = {"00": "5"}
        odd = ep.EngagementResponse(
            response.request, body, response.status, retrieved_at=response.retrieved_at
        )
        return real(self, odd, account)

    monkeypatch.setattr(Collection, "keep", keep)
    return monkeypatch


@pytest.mark.slow
def test_an_answer_that_is_none(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that names the file; the next run asks again, and all is there."""
    posts = moving.posts(2, SINCE)
    with monkeypatch.context() as patch, pytest.raises(ep.ArchiveError, match="is damaged"):
        moving.sync(beside(patch) and dataset, posts, since=SINCE)
    for _ in range(2):
        moving.clock.now += HOUR
        moving.sync(dataset, posts, since=SINCE)
        same(dataset.read(), moving.fetched(posts, SINCE))


@pytest.mark.slow
def test_two_counts_of_one_moment(moving: World, dataset: ep.Dataset) -> None:
    """One of two answers is wrong: it is set aside with the reason, and the others are stored."""
    posts = moving.posts(2, SINCE)
    at = moving.clock.now - HOUR
    window = ep.Window(at.replace(minute=0) - HOUR, at.replace(minute=0))
    archive = ep.Archive(Path(dataset.path, "raw", "2026-03-20"))
    for count in ("5", "6"):
        asked = ep.historical(posts[:1], engagement_types=["replies"], window=window)
        asked = asked.replace(engagement_types=["replies", "impressions"][: int(count) - 4])
        hours = {f"{window.start:%Y-%m-%d}": {f"{window.start:%H}": count}}
        body = {"by_hour": {posts[0]: {str(kind): hours for kind in asked.engagement_types}}}
        collection = archive.collection(ep.plan(asked, now=at), "me", at)
        collection.keep(ep.EngagementResponse(asked, body, retrieved_at=at))
        collection.finish()
    moving.sync(dataset, posts, since=SINCE)
    same(dataset.read(), moving.fetched(posts, SINCE))
    aside = [damage.why[:28] for damage in archive.verify()]
    assert aside == ["set aside as invalid_answer:"]


@pytest.mark.slow
def test_a_collection_of_something_else(moving: World, dataset: ep.Dataset, tmp_path: Path) -> None:
    """In the same folder: it is passed over, and stays."""
    posts = moving.posts(2, SINCE)
    today = tmp_path / "raw" / "2026-03-20"
    asked = ep.totals(posts, engagement_types=["favorites"])
    other = moving.client.collect(asked, into=ep.Archive(today), watch=lambda _: None)
    moving.sync(dataset, posts, since=SINCE, raw=tmp_path / "raw")
    same(dataset.read(), moving.fetched(posts, SINCE))
    assert other.path.is_dir()


# Answers that were not stored


@pytest.mark.slow
def test_they_are_counted(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is taken up was not asked, and is new."""
    posts = moving.posts(2, SINCE)
    with monkeypatch.context() as patch:
        dying(patch, 0)
        with pytest.raises(KeyboardInterrupt):
            moving.sync(dataset, posts, since=SINCE)
    done = moving.sync(dataset, posts, since=SINCE)
    assert done == Synced(0, len(moving.fetched(posts, SINCE)), 0)
    assert str(done) == f"0 responses: {done.added} new counts, 0 revisions"
    assert str(moving.sync(dataset, posts, since=SINCE)) == "up to date: nothing to request"


def test_what_was_answered_before_the_run_is_none_of_its_answers(dataset: ep.Dataset) -> None:
    """Of two that are stored, one came a second before it began; what was not sent is none."""
    now = SINCE + 24 * HOUR
    window = ep.Window(SINCE, SINCE + HOUR)
    posts = [str(first_snowflake_at(SINCE - n * HOUR)) for n in range(3)]
    asked = [ep.historical([p], engagement_types=["replies"], window=window) for p in posts]
    bodies: list[Any] = [
        {"by_hour": {post: {"replies": {"2026-03-15": {"06": "5"}}}}} for post in posts
    ]
    old, new = (
        ep.EngagementResponse(one, body, retrieved_at=at)
        for one, body, at in zip(asked, bodies, (now - timedelta(seconds=1), now), strict=False)
    )
    reason = OmissionReason.UNAUTHORIZED
    unsent = ep.EngagementResponse.uncounted(asked[2], now, reason, "gone")
    done = store_answers(dataset, ep.Archive("raw"), now, [old, new, unsent])
    assert done == Synced(1, 2, 0, (posts[2],))


@pytest.mark.slow
def test_they_are_older_than_what_comes_now(
    moving: World, dataset: ep.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of counts that grow for three hours the log has each reading, also that of the dead run."""
    tardy(monkeypatch, moving.clock, 3)
    posts = moving.posts(2, SINCE)
    begun = moving.clock.now
    calm = ep.Dataset(tmp_path / "calm")
    for _ in range(3):
        moving.sync(calm, posts, since=SINCE, settle=4)
        moving.clock.now += HOUR
    moving.clock.now = begun
    moving.sync(dataset, posts, since=SINCE, settle=4)
    moving.clock.now += HOUR
    with monkeypatch.context() as patch:
        dying(patch, 1)  # what it takes up is there already
        with pytest.raises(KeyboardInterrupt):
            moving.sync(dataset, posts, since=SINCE, settle=4)
    moving.clock.now += HOUR
    moving.sync(dataset, posts, since=SINCE, settle=4)
    revisions = dataset.revisions()
    pd.testing.assert_frame_equal(revisions, calm.revisions())
    assert "13:05" in set(revisions["retrieved_at"].dt.strftime("%H:%M"))


@pytest.mark.slow
def test_they_came_in_one_moment(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of two answers was stored and the second not: nothing is asked, both are there."""
    monkeypatch.setattr(gaps, "MOST_COUNTS", 1)  # 25 posts at a time
    posts = moving.posts(40, LONG_AGO)
    with monkeypatch.context() as patch:
        dying(patch, 1)
        with pytest.raises(KeyboardInterrupt):
            moving.sync(dataset, posts, since=SINCE)
    asked = [post for body in moving.asked for post in body["tweet_ids"]]
    done = moving.sync(dataset, posts, since=SINCE)
    every = [post for body in moving.asked for post in body["tweet_ids"]]
    assert len(every) == len(set(every)) == 40
    assert done.added > 0
    assert len(asked) > 25
    same(dataset.read(), moving.fetched(posts, SINCE))


# Silences


def test_a_silence_that_was_heard_just_now() -> None:
    """Its first time is no reason to ask again in the same hour."""
    now = SINCE + 24 * HOUR
    hours = Hours(["7"], [ep.EngagementType.REPLIES], SINCE, now, 3)
    reason = OmissionReason.UNAVAILABLE
    hours.add_omissions([OmissionSpan("7", None, reason, "gone", SINCE, now, now, now)])
    assert hours.gaps() == []
    later = Hours(["7"], [ep.EngagementType.REPLIES], SINCE, now + HOUR, 3)
    later.add_omissions([OmissionSpan("7", None, reason, "gone", SINCE, now, now, now)])
    assert len(later.gaps()) == 1


@pytest.mark.slow
def test_no_answer_lacks_the_hours_before_a_post_was_made(dataset: ep.Dataset) -> None:
    """It was made at half past eight: of the hours from six to ten that lack, two remain."""
    post = str(first_snowflake_at(SINCE + timedelta(hours=2, minutes=30)))
    window = ep.Window(SINCE - 24 * HOUR, SINCE + 6 * HOUR)
    asked = ep.historical([post], engagement_types=["replies"], window=window)
    hours = {f"{hour:02}": "5" for hour in (10, 11)}
    body = {"by_hour": {post: {"replies": {"2026-03-15": hours}}}}
    now = SINCE + 30 * HOUR
    answer = ep.EngagementResponse(asked, body, retrieved_at=now)
    told = ep.omissions(answer)
    assert told["start"].to_list() == [window.start]
    store_answers(dataset, ep.Archive("raw"), now, [answer])
    lacking = dataset.omissions()
    assert lacking[["reason", "start", "end"]].astype("str").to_numpy().tolist() == [
        ["not_answered", "2026-03-15 08:00:00+00:00", "2026-03-15 10:00:00+00:00"]
    ]


@pytest.mark.slow
def test_a_post_that_is_silent_is_asked_once_in_a_run(moving: World, dataset: ep.Dataset) -> None:
    """Not in each of the two windows that forty days take."""
    moving.sync(dataset, ["1"], since=moving.clock.now - timedelta(days=40))
    assert [body["tweet_ids"] for body in moving.asked] == [["1"]]


@pytest.mark.slow
def test_many_that_were_silent_are_asked_in_one_run(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that come back are not kept waiting by those asked before them."""
    monkeypatch.setattr(gaps, "MOST_COUNTS", 1)  # 25 posts at a time
    posts = moving.posts(60, LONG_AGO)
    real = Post.availability
    with monkeypatch.context() as patch:
        patch.setattr(Post, "availability", lambda *_: Availability.DELETED)
        moving.sync(dataset, posts, since=SINCE)
    assert dataset.read().empty
    moving.clock.now += HOUR
    assert Post.availability is real
    moving.sync(dataset, posts, since=SINCE)
    assert dataset.read()["post_id"].nunique() == 60
    assert dataset.omissions().empty


@pytest.mark.slow
def test_an_id_of_the_future_that_is_answered(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its counts are kept: what is asked is stored, or told as an omission."""
    posts = moving.posts(1, SINCE)
    late = datetime(2027, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(gaps, "created_at", lambda _: late)
    moving.sync(dataset, posts, since=SINCE)
    assert len(dataset.read()) == len(TYPES) * 126  # from 6 o'clock on the 15th to noon on the 20th


# Limits


@pytest.mark.slow
def test_the_settled_are_two_days_old(moving: World, dataset: ep.Dataset) -> None:
    """Unless one says otherwise: at 12:05 hours that ended two days ago are settled."""
    posts = moving.posts(1, SINCE)
    ask = {"engagement_types": TYPES, "since": SINCE, "watch": lambda _: None}
    sync(moving.client, dataset, posts, **ask)
    moving.clock.now += HOUR
    sync(moving.client, dataset, posts, **ask)
    last = moving.asked[-1]
    assert (last["start"], last["end"]) == ("2026-03-18T12:00:00Z", "2026-03-20T13:00:00Z")


@pytest.mark.slow
def test_files_are_put_together(moving: World, dataset: ep.Dataset) -> None:
    """After each run there is one a day."""
    posts = moving.posts(2, SINCE)
    for _ in range(3):
        moving.sync(dataset, posts, since=SINCE, settle=0)
        moving.clock.now += HOUR
    assert len(dataset.files()) == 6  # the 15th to the 20th


@pytest.mark.slow
@pytest.mark.parametrize(
    "most",
    [25 * 2 * 126, *(pytest.param(most, marks=pytest.mark.long) for most in (1, 50 * 2 * 126))],
)
def test_posts_in_blocks(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """However many are looked at together, the outcome is the same."""
    monkeypatch.setattr(gaps, "MOST_HOURS", most)
    posts = moving.posts(60, LONG_AGO)
    sizes = {1: [25, 25, 10], 6300: [25, 25, 10], 12600: [50, 10]}[most]
    kinds = [ep.EngagementType(kind) for kind in TYPES]
    assert [len(part) for part in batches(posts, kinds, SINCE, moving.clock.now)] == sizes
    moving.sync(dataset, posts, since=SINCE)
    same(dataset.read(), moving.fetched(posts, SINCE))


def test_two_at_once_with_other_folders(moving: World, dataset: ep.Dataset, tmp_path: Path) -> None:
    """Raw answers elsewhere do not make it two data sets."""
    Path(dataset.path).mkdir()
    with try_file_lock(Path(dataset.path, "sync")), pytest.raises(ep.AlreadySyncing):
        moving.sync(dataset, moving.posts(1, SINCE), raw=tmp_path / "raw")
    assert moving.asked == []
