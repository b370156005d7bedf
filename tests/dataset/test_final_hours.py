"""Which hours are final is kept in a file; a sync reads only the days that changed since."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.datasets.frames import some
from support.datasets.worlds import HOUR, World, same, world

import engagement_pandas as ep
from engagement_pandas.dataset import delta_table as lake
from engagement_pandas.dataset.final_hours import FinalHours, refresh, verify_changed
from engagement_pandas.dataset.hours_to_request import Hours, Scope

SINCE = datetime(2026, 3, 13, 12, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
SETTLE = 3
POSTS = ("1", "20")
TYPES = (ep.EngagementType.REPLIES, ep.EngagementType.FAVORITES)


@pytest.fixture
def moving() -> Iterator[World]:
    """Run a sandbox whose time moves when a test sets it."""
    with world() as made:
        yield made


class Reads:
    """Counts the files of counts that are read, and whether they may be read at all."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.days: list[Any] = []
        real = lake.Table.content

        def content(table: lake.Table, file: Any) -> bytes:
            if file.day is not None:
                self.days.append(file.day)
            return real(table, file)

        patch.setattr(lake.Table, "content", content)

    def during(self, call: Any) -> set[Any]:
        """Return the days read during a call."""
        self.days.clear()
        call()
        return set(self.days)


@pytest.mark.slow
def test_later_syncs_read_only_recent_days(
    moving: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day is read until its hours are final, and once more; afterwards it is not."""
    dataset, posts = ep.Dataset(tmp_path / "set"), moving.posts(2, SINCE)
    reads = Reads(monkeypatch)

    def run() -> None:
        moving.clock.now += HOUR
        moving.sync(dataset, posts, settle=SETTLE, since=SINCE)

    run()
    run()
    today = moving.clock.now.date()
    assert reads.during(run) == {today}
    assert len(dataset.files()) == 8


@pytest.mark.long
@pytest.mark.parametrize("change", ["append", "touch", "lose", "garble", "empty"])
def test_what_changed_is_read_again(moving: World, tmp_path: Path, change: str) -> None:
    """Regardless of events between two syncs, the second requests what a first sync would."""
    dataset, posts = ep.Dataset(tmp_path / "set"), moving.posts(2, SINCE)

    def run(**more: Any) -> int:
        before = len(moving.requests)
        moving.sync(dataset, posts, settle=SETTLE, since=SINCE, **more)
        return len(moving.requests) - before

    run()
    run()
    kept = tmp_path / "set" / "final_hours"
    text = kept.read_text()
    if change == "append":
        dataset.append(some("2026-03-15T00:05:00Z", posts=["7"], days=1))
    elif change == "touch":
        os.utime(dataset.files()[0], (1, 1))
    elif change == "lose":
        kept.unlink()
    elif change == "garble":
        kept.write_text(text.replace("true", "false").replace("1", "2"))
    else:
        kept.write_text("")
    right = dataset.read(post_ids=posts)
    assert run() == 0
    same(dataset.read(post_ids=posts), right)


@pytest.mark.long
def test_other_posts_types_and_starts(moving: World, tmp_path: Path) -> None:
    """Each has the counts of one fetch, in any order of syncs."""
    dataset, posts = ep.Dataset(tmp_path / "set"), moving.posts(4, SINCE - 9 * timedelta(days=1))
    early = SINCE - timedelta(days=9)
    for chosen, types, since, settle in (
        (posts[:1], ["replies"], SINCE, SETTLE),
        (posts[:2], ["replies", "favorites"], SINCE, SETTLE),
        (posts, ["favorites"], early, SETTLE),
        (posts[2:], ["replies"], SINCE, 30),
        (posts, ["replies", "favorites"], early, SETTLE),
    ):
        for _ in range(2):
            moving.sync(dataset, chosen, engagement_types=types, since=since, settle=settle)
    found = dataset.read()
    same(found, moving.fetched(posts, early, ["replies", "favorites"]))
    before = len(moving.requests)
    moving.sync(
        dataset, posts, engagement_types=["replies", "favorites"], since=early, settle=SETTLE
    )
    assert len(moving.requests) == before


@pytest.mark.long
def test_a_changed_file_is_verified(moving: World, tmp_path: Path) -> None:
    """A day that is covered is rebuilt, too, if its file was changed."""
    dataset, posts = ep.Dataset(tmp_path / "set"), moving.posts(2, SINCE)
    for _ in range(2):
        moving.sync(dataset, posts, settle=SETTLE, since=SINCE)
    right = dataset.read()
    file = Path(dataset.files()[0])
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.warns(UserWarning, match="checksum does not match; .* it was rebuilt"):
        moving.sync(dataset, posts, settle=SETTLE, since=SINCE)
    same(dataset.read(), right)


def test_files_are_verified_again_after_four_weeks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those that seem unchanged: disks decay."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some("2026-04-01T00:05:00Z", days=2))
    tables = dataset._tables
    scope = Scope(["7"], [ep.EngagementType.REPLIES], MARCH, datetime(2026, 4, 9, tzinfo=UTC), 3)
    known = refresh(tables, FinalHours(), verify_changed(tables, FinalHours()), scope)
    reads = Reads(monkeypatch)
    assert not reads.during(lambda: verify_changed(tables, known))
    later = {
        name: state._replace(verified=state.verified - 29 * 86_400 * 10**9)
        for name, state in known.files.items()
    }
    old = FinalHours(known.start, known.until, known.settle, known.hours, later)
    assert len(reads.during(lambda: verify_changed(tables, old))) == 2


def test_it_is_the_same_when_it_is_read(tmp_path: Path) -> None:
    """What is stored is what was computed."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some("2026-04-01T00:05:00Z", days=2))
    tables = dataset._tables
    assert FinalHours.of(tables) == FinalHours()
    scope = Scope(["7"], [ep.EngagementType.REPLIES], MARCH, datetime(2026, 4, 9, tzinfo=UTC), 3)
    made = refresh(tables, FinalHours(), verify_changed(tables, FinalHours()), scope)
    assert FinalHours.of(tables) == made


hours_done = st.lists(st.integers(0, 99), max_size=60)


@given(hours_done, hours_done, st.integers(1, 120), st.integers(-30, 30))
def test_covered_hours_come_back(
    first: list[int], second: list[int], until: int, shift: int
) -> None:
    """For any hours: those before the end of the final hours, from a later start on too."""
    start = datetime(2026, 3, 1, 5, tzinfo=UTC)

    def hours(begin: datetime) -> Hours:
        return Hours(POSTS, TYPES, begin, start + 100 * HOUR, SETTLE)

    made = hours(start)
    made._done[0, 0, first] = True
    made._done[1, 1, second] = True
    again = hours(start + shift * HOUR)
    again.add_covered(made.covered(made.start + until))
    end = min(until, 100)
    wanted = made._done[:, :, max(shift, 0) : end]
    found = again._done[:, :, max(-shift, 0) :]
    assert np.array_equal(found[:, :, : wanted.shape[2]], wanted)
    assert not found[:, :, wanted.shape[2] :].any()
    assert not again._done[:, :, : max(-shift, 0)].any()


SCOPES = (
    (("7", "8"), ("impressions", "replies"), "2026-03-01", 3),
    (("7",), ("replies",), "2026-03-02", 3),
    (("8", "9"), ("impressions", "replies"), "2026-03-01", 3),
    (("7", "8", "9"), ("impressions",), "2026-03-01", 60),
    (("9", "7"), ("replies", "impressions"), "2026-03-02T07:00", 3),
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 8))]
)
def test_the_same_hours_are_done_as_without_it(tmp_path: Path, seed: int) -> None:
    """Any counts may be appended between syncs."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    dataset = ep.Dataset(tmp_path / "set")
    tables, now = dataset._tables, datetime(2026, 3, 2, 1, 5, tzinfo=UTC)
    for _ in range(12):
        now += rng.choice([0, 1, 1, 5, 30]) * HOUR
        if rng.random() < 0.6:
            posts = rng.sample("789", rng.randint(1, 2))
            dataset.append(
                some(now.isoformat(), posts=posts, days=rng.randint(1, min(3, (now - MARCH).days)))
            )
        if rng.random() < 0.3:
            dataset.compact()
        posts, types, since, settle = rng.choice(SCOPES)
        begin = datetime.fromisoformat(since).replace(tzinfo=UTC)
        scope = Scope(posts, [ep.EngagementType(name) for name in types], begin, now, settle)
        known = FinalHours.of(tables)
        covered = refresh(tables, known, verify_changed(tables, known), scope)
        (part,), (right,) = scope.parts(), scope.parts()
        part.add_covered(covered.hours)
        part.read(dataset.readings(covered.end, posts))
        right.read(dataset.readings(begin, posts))
        assert np.array_equal(part._done, right._done)


@pytest.mark.slow
def test_a_day_that_becomes_final_is_read_once_more(tmp_path: Path) -> None:
    """Its files are those of an earlier sync, which had not covered it."""
    dataset = ep.Dataset(tmp_path / "set")
    tables = dataset._tables
    covered = FinalHours()
    dataset.append(some("2026-03-03T06:05:00Z", posts=["7"], days=2))
    for now in (datetime(2026, 3, 2, 12, tzinfo=UTC), datetime(2026, 3, 3, 12, tzinfo=UTC)):
        scope = Scope(["7"], [ep.EngagementType.REPLIES], MARCH, now, SETTLE)
        covered = refresh(tables, covered, verify_changed(tables, covered), scope)
        dataset.append(some("2026-03-03T11:05:00Z", posts=["8"], days=1))
    first = covered.start
    assert covered.hours == {"7": {"replies": [first, first + 48]}}


def test_a_changed_day_is_not_taken_over() -> None:
    """The hours before it and after it are."""
    hours = Hours(["1"], [ep.EngagementType.REPLIES], MARCH, MARCH + 72 * HOUR, SETTLE)
    hours.add_covered({"1": {"replies": [hours.start, hours.start + 72]}}, [date(2026, 3, 2)])
    first = hours.start
    assert hours.covered(first + 72) == {
        "1": {"replies": [first, first + 24, first + 48, first + 72]}
    }
