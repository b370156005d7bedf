"""The number of requests is minimal, compared with an exhaustive search."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import chain, combinations, combinations_with_replacement

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.request.packing import pack
from engagement_pandas.request.post_ids import first_snowflake_at

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
MILLISECOND = timedelta(milliseconds=1)


def post_id_at(time: datetime, number: int = 0) -> str:
    """Return the ID of a post made at that time; the number distinguishes posts."""
    return str(first_snowflake_at(time) + number)


def history(ids: list[str], hours: int, start: datetime = START) -> ep.EngagementRequest:
    """Request some hours of some posts."""
    window = ep.Window(start, start + hours * HOUR)
    return ep.historical(ids, engagement_types=["replies"], window=window)


def hours_of(part: ep.EngagementRequest) -> list[int]:
    """Return the hours of a part, counted from the start."""
    assert part.window is not None
    first = (part.window.start - START) // HOUR
    return list(range(first, first + part.window.hours))


def minimum(needed: tuple[int, ...], hours: int, most: int, longest: int) -> int:
    """Return the minimal number of requests, found by exhaustive search.

    ``needed`` is the first required hour of each post; its later hours are required too. A
    request has some posts and consecutive hours, and repeats no hour of a post.
    """
    spans = [
        (first, sum(1 << hour for hour in range(first, first + length)))
        for length in range(1, longest + 1)
        for first in range(hours - length + 1)
    ]

    @cache
    def remaining(covered: tuple[tuple[int, int], ...]) -> int:
        missing = [
            (hour, post)
            for post, (first, mask) in enumerate(covered)
            for hour in range(first, hours)
            if not mask >> hour & 1
        ]
        if not missing:
            return 0
        hour, post = min(missing)
        best = hours * len(covered)
        for _, span in spans:
            if not span >> hour & 1 or covered[post][1] & span:
                continue
            free = [p for p, (_, mask) in enumerate(covered) if p != post and not mask & span]
            for size in range(min(most - 1, len(free)) + 1):
                for others in combinations(free, size):
                    after = [
                        (first, mask | span if p == post or p in others else mask)
                        for p, (first, mask) in enumerate(covered)
                    ]
                    best = min(best, 1 + remaining(tuple(sorted(after))))
        return best

    return remaining(tuple(sorted((first, 0) for first in needed)))


def number_planned(births: Sequence[int], hours: int, most: int, longest: int) -> int:
    """Return the number of planned requests for posts made in these hours."""
    ids = [post_id_at(START + birth * HOUR, n) for n, birth in enumerate(births)]
    requests, _ = pack(history(ids, hours), NOW, most=most, longest=longest * HOUR)
    return len(requests)


@pytest.mark.slow
@pytest.mark.parametrize("hours", [1, 2, 3, 4])
@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("longest", [1, 2, 3])
def test_no_packing_has_fewer_requests(hours: int, most: int, longest: int) -> None:
    """Up to three posts are made before, in or after the window, in all combinations."""
    cases = chain.from_iterable(
        combinations_with_replacement(range(hours + 1), posts) for posts in (1, 2, 3)
    )
    for births in cases:
        assert number_planned(births, hours, most, longest) == minimum(births, hours, most, longest)


@pytest.mark.slow
@settings(max_examples=20)
@given(births=st.lists(st.integers(0, 5), min_size=4, max_size=4), most=st.integers(2, 3))
def test_no_packing_of_four_posts_has_fewer_requests(births: list[int], most: int) -> None:
    """A window of five hours has at most two hours in a request."""
    assert number_planned(births, 5, most, 2) == minimum(tuple(births), 5, most, 2)


def test_the_exhaustive_search_by_hand() -> None:
    """Two posts, three hours and at most two in a request take two: one hour, then two for both.

    With one post in a request it takes three, and windows counted from the start take four.
    """
    assert minimum((0, 2), 3, most=2, longest=2) == 2
    assert minimum((0, 1), 3, most=1, longest=2) == 3
    assert minimum((0, 0, 0), 3, most=2, longest=3) == 2
    assert minimum((3,), 3, most=1, longest=1) == 0


minutes = st.integers(-60 * 24 * 20, 60 * 24 * 100)


@pytest.mark.slow
@given(
    births=st.lists(minutes, min_size=1, max_size=120),
    old=st.integers(0, 30),
    hours=st.integers(1, 24 * 70),
)
def test_every_hour_since_a_post_was_made_is_requested_once(
    births: list[int], old: int, hours: int
) -> None:
    """Each hour of each post is either requested or known to be before the post."""
    ids = [post_id_at(START + birth * timedelta(minutes=1), n) for n, birth in enumerate(births)]
    request = history([*ids, *map(str, range(1, old + 1))], hours)
    requests, unposted = pack(request, NOW)
    cells: Counter[tuple[str, int]] = Counter()
    for part in requests:
        assert len(part.post_ids) <= 25
        assert part.window is not None
        assert part.window.hours <= 672
        cells.update((post, hour) for post in part.post_ids for hour in hours_of(part))
    for part in unposted:
        for post in part.post_ids:
            created = ep.created_at(post)
            assert created is not None
            assert part.window is not None
            assert part.window.end <= created
            cells.update((post, hour) for hour in hours_of(part))
    assert set(cells.values()) == {1}
    assert len(cells) == len(request.post_ids) * hours


@given(births=st.lists(minutes, min_size=1, max_size=300), hours=st.integers(1, 24 * 120))
def test_the_minimum_is_that_of_the_last_hours(births: list[int], hours: int) -> None:
    """It is the number of posts in the last hour of each 28 days, divided by 25."""
    ids = [post_id_at(START + birth * timedelta(minutes=1), n) for n, birth in enumerate(births)]
    lasts = range(hours - 1, -1, -672)
    in_each = [sum(birth < (hour + 1) * 60 for birth in births) for hour in lasts]
    requests, _ = pack(history(ids, hours, START), NOW)
    assert len(requests) == sum(math.ceil(number / 25) for number in in_each)


def test_older_posts_come_first() -> None:
    """Posts of the first window come before those of the second, otherwise in the given order."""
    end = START + 1344 * HOUR
    a, c = (post_id_at(end - timedelta(days=n)) for n in (3, 5))
    request = history([a, "2", c, "1"], 1344)
    requests, (unposted,) = pack(request, NOW)
    first, second = request.window.split()  # type: ignore[union-attr]
    assert [(part.post_ids, part.window) for part in requests] == [
        (("2", "1"), first),
        (("2", "1", a, c), second),
    ]
    assert (unposted.post_ids, unposted.window) == ((a, c), first)


@pytest.mark.parametrize(("late", "number"), [(-MILLISECOND, 1), (0 * HOUR, 0), (HOUR, 0)])
def test_a_post_made_at_the_end_of_the_window(late: timedelta, number: int) -> None:
    """A post made a millisecond before the end is requested; the end itself is exclusive."""
    requests, unposted = pack(history([post_id_at(START + 5 * HOUR + late)], 5), NOW)
    assert (len(requests), len(unposted)) == (number, 1 - number)


def test_an_id_of_the_future_is_requested() -> None:
    """No post has it yet, so only the API can give the reason."""
    later = post_id_at(NOW + MILLISECOND)
    requests, unposted = pack(history([later, post_id_at(NOW, 1)], 5), NOW)
    assert [part.post_ids for part in requests] == [(later,)]
    assert [part.post_ids for part in unposted] == [(post_id_at(NOW, 1),)]


def test_an_id_without_a_time_is_requested() -> None:
    """Posts before 2010-11-04 are older than all windows."""
    requests, unposted = pack(history(["29700859246"], 1344), NOW)
    assert (len(requests), unposted) == (2, ())


def test_totals_include_all_posts() -> None:
    """They count since the creation of the post."""
    request = ep.totals([post_id_at(NOW - HOUR)], engagement_types=["replies"])
    assert pack(request, NOW) == ((request,), ())


@pytest.mark.long
def test_a_million_posts() -> None:
    """Posts made over 90 days and requested for a year have 13 windows, four of them with posts."""
    step = int(post_id_at(START + timedelta(days=90))) - int(post_id_at(START))
    ids = [str(int(post_id_at(START)) + step * n // 1_000_000) for n in range(1_000_000)]
    year = START + timedelta(days=90) - 364 * 24 * HOUR
    requests, unposted = pack(history(ids, 364 * 24, year), NOW)
    assert len(requests) == sum(math.ceil(1_000_000 * n / 90 / 25) for n in (90, 62, 34, 6))
    assert sum(len(part.post_ids) for part in unposted) == 1_000_000
