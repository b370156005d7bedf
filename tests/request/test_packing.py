"""Posts and windows in as few requests as there can be; the least is found by trying them all."""

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


def made(moment: datetime, number: int = 0) -> str:
    """Return the ID of a post made at that moment; the number tells such posts apart."""
    return str(first_snowflake_at(moment) + number)


def asking(ids: list[str], hours: int, start: datetime = START) -> ep.EngagementRequest:
    """Ask for some hours of some posts."""
    window = ep.Window(start, start + hours * HOUR)
    return ep.historical(ids, engagement_types=["replies"], window=window)


def hours_of(part: ep.EngagementRequest) -> list[int]:
    """Return the hours of a part, counted from the start."""
    assert part.window is not None
    first = (part.window.start - START) // HOUR
    return list(range(first, first + part.window.hours))


def least(needed: tuple[int, ...], hours: int, most: int, longest: int) -> int:
    """Return the least number of requests, by trying every one that could be sent.

    ``needed`` is, for each post, the first hour that must be asked, up to the last. A request
    is some posts and neighbouring hours, none of which was asked of any of them before.
    """
    spans = [
        (first, sum(1 << hour for hour in range(first, first + length)))
        for length in range(1, longest + 1)
        for first in range(hours - length + 1)
    ]

    @cache
    def rest(asked: tuple[tuple[int, int], ...]) -> int:
        lacking = [
            (hour, post)
            for post, (first, mask) in enumerate(asked)
            for hour in range(first, hours)
            if not mask >> hour & 1
        ]
        if not lacking:
            return 0
        hour, post = min(lacking)
        best = hours * len(asked)
        for _, span in spans:
            if not span >> hour & 1 or asked[post][1] & span:
                continue
            free = [p for p, (_, mask) in enumerate(asked) if p != post and not mask & span]
            for size in range(min(most - 1, len(free)) + 1):
                for others in combinations(free, size):
                    after = [
                        (first, mask | span if p == post or p in others else mask)
                        for p, (first, mask) in enumerate(asked)
                    ]
                    best = min(best, 1 + rest(tuple(sorted(after))))
        return best

    return rest(tuple(sorted((first, 0) for first in needed)))


def planned(births: Sequence[int], hours: int, most: int, longest: int) -> int:
    """Return the number of requests that a plan has, for posts made in these hours."""
    ids = [made(START + birth * HOUR, n) for n, birth in enumerate(births)]
    requests, _ = pack(asking(ids, hours), NOW, most=most, longest=longest * HOUR)
    return len(requests)


@pytest.mark.slow
@pytest.mark.parametrize("hours", [1, 2, 3, 4])
@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("longest", [1, 2, 3])
def test_no_packing_has_fewer_requests(hours: int, most: int, longest: int) -> None:
    """Of all there are, for every birth of up to three posts, before, in or after the window."""
    cases = chain.from_iterable(
        combinations_with_replacement(range(hours + 1), posts) for posts in (1, 2, 3)
    )
    for births in cases:
        assert planned(births, hours, most, longest) == least(births, hours, most, longest)


@pytest.mark.slow
@settings(max_examples=20)
@given(births=st.lists(st.integers(0, 5), min_size=4, max_size=4), most=st.integers(2, 3))
def test_no_packing_of_four_posts_has_fewer_requests(births: list[int], most: int) -> None:
    """Of all there are, with two hours in a request, of five."""
    assert planned(births, 5, most, 2) == least(tuple(births), 5, most, 2)


def test_trying_them_all_by_hand() -> None:
    """Two posts, three hours, at most two in a request: one hour alone, and two for both.

    Of one post in a request, windows counted from the start would take four: two for each.
    """
    assert least((0, 2), 3, most=2, longest=2) == 2
    assert least((0, 1), 3, most=1, longest=2) == 3
    assert least((0, 0, 0), 3, most=2, longest=3) == 2
    assert least((3,), 3, most=1, longest=1) == 0


minutes = st.integers(-60 * 24 * 20, 60 * 24 * 100)


@pytest.mark.slow
@given(
    births=st.lists(minutes, min_size=1, max_size=120),
    old=st.integers(0, 30),
    hours=st.integers(1, 24 * 70),
)
def test_every_hour_since_a_post_was_made(births: list[int], old: int, hours: int) -> None:
    """Each post and hour is asked once or known to be before the post, and never both."""
    ids = [made(START + birth * timedelta(minutes=1), n) for n, birth in enumerate(births)]
    request = asking([*ids, *map(str, range(1, old + 1))], hours)
    requests, unposted = pack(request, NOW)
    asked: Counter[tuple[str, int]] = Counter()
    for part in requests:
        assert len(part.post_ids) <= 25
        assert part.window is not None
        assert part.window.hours <= 672
        asked.update((post, hour) for post in part.post_ids for hour in hours_of(part))
    for part in unposted:
        for post in part.post_ids:
            born = ep.created_at(post)
            assert born is not None
            assert part.window is not None
            assert part.window.end <= born
            asked.update((post, hour) for hour in hours_of(part))
    assert set(asked.values()) == {1}
    assert len(asked) == len(request.post_ids) * hours


@given(births=st.lists(minutes, min_size=1, max_size=300), hours=st.integers(1, 24 * 120))
def test_as_many_as_the_last_hours_need(births: list[int], hours: int) -> None:
    """The posts there are in the last hour of each 28 days, by 25."""
    ids = [made(START + birth * timedelta(minutes=1), n) for n, birth in enumerate(births)]
    lasts = range(hours - 1, -1, -672)
    in_each = [sum(birth < (hour + 1) * 60 for birth in births) for hour in lasts]
    requests, _ = pack(asking(ids, hours, START), NOW)
    assert len(requests) == sum(math.ceil(number / 25) for number in in_each)


def test_older_posts_come_first_and_else_in_their_order() -> None:
    """Asked from the first window on: b and d; from the second on: a and c."""
    end = START + 1344 * HOUR
    a, c = (made(end - timedelta(days=n)) for n in (3, 5))
    request = asking([a, "2", c, "1"], 1344)
    requests, (unposted,) = pack(request, NOW)
    first, second = request.window.split()  # type: ignore[union-attr]
    assert [(part.post_ids, part.window) for part in requests] == [
        (("2", "1"), first),
        (("2", "1", a, c), second),
    ]
    assert (unposted.post_ids, unposted.window) == ((a, c), first)


@pytest.mark.parametrize(("late", "number"), [(-MILLISECOND, 1), (0 * HOUR, 0), (HOUR, 0)])
def test_a_post_made_as_the_window_ends(late: timedelta, number: int) -> None:
    """A millisecond before is in it; at the end, which is exclusive, is not."""
    requests, unposted = pack(asking([made(START + 5 * HOUR + late)], 5), NOW)
    assert (len(requests), len(unposted)) == (number, 1 - number)


def test_an_id_of_the_future_is_asked() -> None:
    """No post has it yet, so it was never "not yet posted": the API will say what it is."""
    later = made(NOW + MILLISECOND)
    requests, unposted = pack(asking([later, made(NOW, 1)], 5), NOW)
    assert [part.post_ids for part in requests] == [(later,)]
    assert [part.post_ids for part in unposted] == [(made(NOW, 1),)]


def test_an_id_without_a_time_is_asked() -> None:
    """Posts from before 2010-11-04 are older than any window."""
    requests, unposted = pack(asking(["29700859246"], 1344), NOW)
    assert (len(requests), unposted) == (2, ())


def test_totals_have_no_time_before() -> None:
    """They count since the post was made, whenever that was."""
    request = ep.totals([made(NOW - HOUR)], engagement_types=["replies"])
    assert pack(request, NOW) == ((request,), ())


@pytest.mark.long
def test_a_million_posts() -> None:
    """Made one after the other in 90 days, asked for a year: 13 windows, four of them for some."""
    step = int(made(START + timedelta(days=90))) - int(made(START))
    ids = [str(int(made(START)) + step * n // 1_000_000) for n in range(1_000_000)]
    year = START + timedelta(days=90) - 364 * 24 * HOUR
    requests, unposted = pack(asking(ids, 364 * 24, year), NOW)
    assert len(requests) == sum(math.ceil(1_000_000 * n / 90 / 25) for n in (90, 62, 34, 6))
    assert sum(len(part.post_ids) for part in unposted) == 1_000_000
