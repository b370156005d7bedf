"""What a run leaves for the next: responses that were not stored or are invalid; and limits."""

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
from engagement_pandas.dataset import hours_to_request
from engagement_pandas.dataset.hours_to_request import Hours, batches
from engagement_pandas.dataset.omission_log import OmissionSpan
from engagement_pandas.dataset.raw_answers import store_answers
from engagement_pandas.dataset.sync import Synced, sync
from engagement_pandas.files.lock import try_file_lock
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.request.post_ids import first_snowflake_at
from engagement_pandas.response.archives.collection import Collection
from engagement_pandas.sandbox.world import Availability, Post
from engagement_pandas.vocabulary.omission_reasons import OmissionReason

SINCE = datetime(2026, 3, 15, 6, tzinfo=UTC)
LONG_AGO = datetime(2026, 2, 15, 6, tzinfo=UTC)


@pytest.fixture
def moving() -> Iterator[World]:
    """Run a sandbox whose time moves only when a test moves it."""
    with world() as running:
        yield running


@pytest.fixture
def dataset(tmp_path: Path) -> ep.Dataset:
    """Return an empty data set."""
    return ep.Dataset(tmp_path / "set")


def die_at(patch: pytest.MonkeyPatch, step: int) -> None:
    """Have a run die at one append, counted from 0, instead of storing."""
    real, steps = ep.Dataset.append, iter(range(1_000))

    def append(self: ep.Dataset, *rows: Any, **named: Any) -> Any:
        if next(steps) == step:
            raise KeyboardInterrupt
        return real(self, *rows, **named)

    patch.setattr(ep.Dataset, "append", append)


# Invalid responses


def add_unrequested_hour(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Have every response hold an hour that was not requested."""
    real = Collection.keep

    def keep(
        self: Collection, response: ep.EngagementResponse, account: str | None = None, *_: Any
    ) -> ep.EngagementResponse:
        body = json.loads(response.content)
        counts = body[response.request.grouping(None).name]
        next(iter(next(iter(counts.values())).values()))["2026-01-01"] = {"00": "5"}
        invalid = ep.EngagementResponse(
            response.request, body, response.status, retrieved_at=response.retrieved_at
        )
        return real(self, invalid, account)

    monkeypatch.setattr(Collection, "keep", keep)
    return monkeypatch


@pytest.mark.slow
def test_an_invalid_response_is_requested_again(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the file, and the next run stores all counts."""
    posts = moving.posts(2, SINCE)
    with monkeypatch.context() as patch, pytest.raises(ep.ArchiveError, match="is damaged"):
        moving.sync(add_unrequested_hour(patch) and dataset, posts, since=SINCE)
    for _ in range(2):
        moving.clock.now += HOUR
        moving.sync(dataset, posts, since=SINCE)
        same(dataset.read(), moving.fetched(posts, SINCE))


@pytest.mark.slow
def test_contradicting_responses_are_set_aside(moving: World, dataset: ep.Dataset) -> None:
    """One of two responses is wrong; it is kept with the reason, and the others are stored."""
    posts = moving.posts(2, SINCE)
    retrieved_at = moving.clock.now - HOUR
    window = ep.Window(retrieved_at.replace(minute=0) - HOUR, retrieved_at.replace(minute=0))
    archive = ep.Archive(Path(dataset.path, "raw", "2026-03-20"))
    for count in ("5", "6"):
        request = ep.historical(posts[:1], engagement_types=["replies"], window=window)
        request = request.replace(engagement_types=["replies", "impressions"][: int(count) - 4])
        hours = {f"{window.start:%Y-%m-%d}": {f"{window.start:%H}": count}}
        body = {
            "by_hour": {
                posts[0]: {
                    str(engagement_type): hours for engagement_type in request.engagement_types
                }
            }
        }
        collection = archive.collection(ep.plan(request, now=retrieved_at), "me", retrieved_at)
        collection.keep(ep.EngagementResponse(request, body, retrieved_at=retrieved_at))
        collection.finish()
    moving.sync(dataset, posts, since=SINCE)
    same(dataset.read(), moving.fetched(posts, SINCE))
    reasons = [damage.why[:28] for damage in archive.verify()]
    assert reasons == ["set aside as invalid_answer:"]


@pytest.mark.slow
def test_other_collections_in_the_raw_folder_are_ignored(
    moving: World, dataset: ep.Dataset, tmp_path: Path
) -> None:
    """They stay where they are."""
    posts = moving.posts(2, SINCE)
    today = tmp_path / "raw" / "2026-03-20"
    request = ep.totals(posts, engagement_types=["favorites"])
    other = moving.client.collect(request, into=ep.Archive(today), watch=lambda _: None)
    moving.sync(dataset, posts, since=SINCE, raw=tmp_path / "raw")
    same(dataset.read(), moving.fetched(posts, SINCE))
    assert other.path.is_dir()


# Responses that were not stored


@pytest.mark.slow
def test_counts_of_an_interrupted_run_are_new_counts(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are stored without a request."""
    posts = moving.posts(2, SINCE)
    with monkeypatch.context() as patch:
        die_at(patch, 0)
        with pytest.raises(KeyboardInterrupt):
            moving.sync(dataset, posts, since=SINCE)
    done = moving.sync(dataset, posts, since=SINCE)
    assert done == Synced(0, len(moving.fetched(posts, SINCE)), 0)
    assert str(done) == f"0 responses: {done.added} new counts, 0 revisions"
    assert str(moving.sync(dataset, posts, since=SINCE)) == "up to date: nothing to request"


def test_responses_from_before_the_run_are_not_counted_for_it(dataset: ep.Dataset) -> None:
    """One of two responses is a second older than the run; one request was not sent."""
    now = SINCE + 24 * HOUR
    window = ep.Window(SINCE, SINCE + HOUR)
    posts = [str(first_snowflake_at(SINCE - n * HOUR)) for n in range(3)]
    requests = [ep.historical([p], engagement_types=["replies"], window=window) for p in posts]
    bodies: list[Any] = [
        {"by_hour": {post: {"replies": {"2026-03-15": {"06": "5"}}}}} for post in posts
    ]
    old, new = (
        ep.EngagementResponse(request, body, retrieved_at=time)
        for request, body, time in zip(
            requests, bodies, (now - timedelta(seconds=1), now), strict=False
        )
    )
    reason = OmissionReason.UNAUTHORIZED
    unsent = ep.EngagementResponse.uncounted(requests[2], now, reason, "gone")
    done = store_answers(dataset, ep.Archive("raw"), now, [old, new, unsent])
    assert done == Synced(1, 2, 0, (posts[2],))


@pytest.mark.long
def test_revisions_include_the_counts_of_an_interrupted_run(
    moving: World, dataset: ep.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts grow for three hours, and the log has each reading."""
    tardy(monkeypatch, moving.clock, 3)
    posts = moving.posts(2, SINCE)
    begun = moving.clock.now
    undisturbed = ep.Dataset(tmp_path / "calm")
    for _ in range(3):
        moving.sync(undisturbed, posts, since=SINCE, settle=4)
        moving.clock.now += HOUR
    moving.clock.now = begun
    moving.sync(dataset, posts, since=SINCE, settle=4)
    moving.clock.now += HOUR
    with monkeypatch.context() as patch:
        die_at(patch, 1)  # the counts of the last run are stored already
        with pytest.raises(KeyboardInterrupt):
            moving.sync(dataset, posts, since=SINCE, settle=4)
    moving.clock.now += HOUR
    moving.sync(dataset, posts, since=SINCE, settle=4)
    revisions = dataset.revisions()
    pd.testing.assert_frame_equal(revisions, undisturbed.revisions())
    assert "13:05" in set(revisions["retrieved_at"].dt.strftime("%H:%M"))


@pytest.mark.long
def test_responses_of_an_interrupted_run_are_stored_by_the_next(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of two responses was stored and the second was not; nothing is requested again."""
    monkeypatch.setattr(hours_to_request, "MOST_COUNTS", 1)  # 25 posts at a time
    posts = moving.posts(40, LONG_AGO)
    with monkeypatch.context() as patch:
        die_at(patch, 1)
        with pytest.raises(KeyboardInterrupt):
            moving.sync(dataset, posts, since=SINCE)
    first_run = [post for body in moving.requests for post in body["tweet_ids"]]
    done = moving.sync(dataset, posts, since=SINCE)
    both_runs = [post for body in moving.requests for post in body["tweet_ids"]]
    assert len(both_runs) == len(set(both_runs)) == 40
    assert done.added > 0
    assert len(first_run) > 25
    same(dataset.read(), moving.fetched(posts, SINCE))


# Omissions


def test_a_new_omission_is_not_requested_in_the_same_hour() -> None:
    """It is requested again an hour later."""
    now = SINCE + 24 * HOUR
    hours = Hours(["7"], [ep.EngagementType.REPLIES], SINCE, now, 3)
    reason = OmissionReason.UNAVAILABLE
    hours.add_omissions([OmissionSpan("7", None, reason, "gone", SINCE, now, now, now)])
    assert hours.gaps() == []
    later = Hours(["7"], [ep.EngagementType.REPLIES], SINCE, now + HOUR, 3)
    later.add_omissions([OmissionSpan("7", None, reason, "gone", SINCE, now, now, now)])
    assert len(later.gaps()) == 1


@pytest.mark.slow
def test_hours_before_a_post_was_created_are_not_missing(dataset: ep.Dataset) -> None:
    """The post was created at 8:30, so two of the hours from six to ten are missing."""
    post = str(first_snowflake_at(SINCE + timedelta(hours=2, minutes=30)))
    window = ep.Window(SINCE - 24 * HOUR, SINCE + 6 * HOUR)
    request = ep.historical([post], engagement_types=["replies"], window=window)
    hours = {f"{hour:02}": "5" for hour in (10, 11)}
    body = {"by_hour": {post: {"replies": {"2026-03-15": hours}}}}
    now = SINCE + 30 * HOUR
    response = ep.EngagementResponse(request, body, retrieved_at=now)
    omitted = ep.omissions(response)
    assert omitted["start"].to_list() == [window.start]
    store_answers(dataset, ep.Archive("raw"), now, [response])
    missing = dataset.omissions()
    assert missing[["reason", "start", "end"]].astype(TEXT).to_numpy().tolist() == [
        ["not_answered", "2026-03-15 08:00:00+00:00", "2026-03-15 10:00:00+00:00"]
    ]


@pytest.mark.slow
def test_an_unavailable_post_is_requested_once_in_a_run(moving: World, dataset: ep.Dataset) -> None:
    """It is not requested for each of the two windows of forty days."""
    moving.sync(dataset, ["1"], since=moving.clock.now - timedelta(days=40))
    assert [body["tweet_ids"] for body in moving.requests] == [["1"]]


@pytest.mark.long
def test_all_unavailable_posts_are_requested_in_one_run(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Posts that are back do not wait for the posts requested before them."""
    monkeypatch.setattr(hours_to_request, "MOST_COUNTS", 1)  # 25 posts at a time
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
def test_counts_of_an_id_of_the_future_are_stored(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is requested is stored, as counts or as an omission."""
    posts = moving.posts(1, SINCE)
    late = datetime(2027, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(hours_to_request, "created_at", lambda _: late)
    moving.sync(dataset, posts, since=SINCE)
    assert len(dataset.read()) == len(TYPES) * 126  # from 6 o'clock on the 15th to noon on the 20th


# Limits


@pytest.mark.slow
def test_hours_settle_after_two_days_by_default(moving: World, dataset: ep.Dataset) -> None:
    """At 12:05, hours that ended two days ago are settled."""
    posts = moving.posts(1, SINCE)
    options = {"engagement_types": TYPES, "since": SINCE, "watch": lambda _: None}
    sync(moving.client, dataset, posts, **options)
    moving.clock.now += HOUR
    sync(moving.client, dataset, posts, **options)
    last = moving.requests[-1]
    assert (last["start"], last["end"]) == ("2026-03-18T12:00:00Z", "2026-03-20T13:00:00Z")


@pytest.mark.slow
def test_files_are_compacted_after_each_run(moving: World, dataset: ep.Dataset) -> None:
    """There is then one file for each day."""
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
def test_batches_of_any_size_give_the_same_counts(
    moving: World, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """The size of a batch follows from the number of hours."""
    monkeypatch.setattr(hours_to_request, "MOST_HOURS", most)
    posts = moving.posts(60, LONG_AGO)
    sizes = {1: [25, 25, 10], 6300: [25, 25, 10], 12600: [50, 10]}[most]
    types = [ep.EngagementType(name) for name in TYPES]
    assert [len(part) for part in batches(posts, types, SINCE, moving.clock.now)] == sizes
    moving.sync(dataset, posts, since=SINCE)
    same(dataset.read(), moving.fetched(posts, SINCE))


def test_syncs_with_different_raw_folders_exclude_each_other(
    moving: World, dataset: ep.Dataset, tmp_path: Path
) -> None:
    """They write the same data set."""
    Path(dataset.path).mkdir()
    with try_file_lock(Path(dataset.path, "sync")), pytest.raises(ep.AlreadySyncing):
        moving.sync(dataset, moving.posts(1, SINCE), raw=tmp_path / "raw")
    assert moving.requests == []
