"""What the headers say of the quota, and what they leave open."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement_pandas.transport.rate_limiter import (
    DEFAULT_CONCURRENCY,
    GUARD,
    JITTER,
    PERIODS,
    ClockOffset,
    Permit,
    RateLimiter,
)

NOW = 1_776_255_600.0


def quota(at: list[float] | None = None) -> tuple[RateLimiter, list[float]]:
    """Return a quota and the time that it reads."""
    time = at or [NOW]
    return RateLimiter(clock=lambda: time[0]), time


def taken(it: RateLimiter, number: int) -> list[Permit]:
    """Take so many places."""
    places = [place for _ in range(number) if (place := it.take())]
    assert len(places) == number
    return places


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({}, 0),
        ({"x-per-minute-remaining": "3", "x-per-minute-reset": str(NOW + 30)}, 0),
        ({"x-per-minute-remaining": "0", "x-per-minute-reset": str(NOW + 30)}, 30),
        ({"x-per-second-remaining": "0", "x-per-second-reset": str(NOW + 0.5)}, 0.5),
        ({"x-per-minute-remaining": "0"}, 60),
        ({"x-per-second-remaining": "0"}, 1),
        ({"x-per-minute-remaining": "0", "x-per-minute-reset": str(NOW - 5)}, 60),
        ({"x-per-minute-remaining": "0", "x-per-minute-reset": str(NOW + 9e9)}, 60),
        ({"x-per-minute-remaining": "0", "x-per-minute-reset": "soon"}, 60),
        ({"x-per-minute-remaining": "none"}, 0),
        ({"x-per-minute-remaining": "nan"}, 0),
        ({"x-per-minute-remaining": "-1", "x-per-minute-reset": "inf"}, 60),
        ({"x-rate-limit-remaining": "0"}, 0),
        ({"retry-after": "7"}, 0),
        (
            {
                "x-per-minute-remaining": "0",
                "x-per-minute-reset": str(NOW + 20),
                "x-per-second-remaining": "0",
            },
            20,
        ),
    ],
)
def test_pause(headers: dict[str, str], pause: float) -> None:
    """Seconds to wait: until the reset, the period where that makes no sense; else none."""
    it, _ = quota()
    it.update_from_headers(headers, taken(it, 1)[0])
    assert it.pause() == pytest.approx(pause)


def test_a_period_ends() -> None:
    """After the reset there is nothing left to wait for."""
    it, time = quota()
    it.update_from_headers(
        {"x-per-minute-remaining": "0", "x-per-minute-reset": str(NOW + 30)}, taken(it, 1)[0]
    )
    time[0] = NOW + 30
    assert it.pause() == 0


def test_an_answer_without_headers_says_nothing() -> None:
    """A proxy's page in between leaves what is known as it is."""
    it, _ = quota()
    first, second = taken(it, 2)
    it.update_from_headers({"x-per-minute-remaining": "0"}, first)
    it.update_from_headers({}, second)
    assert it.pause() == 60


def test_a_clock_that_is_wrong() -> None:
    """The reset is told by the server's clock: a local one an hour off changes nothing."""
    it, _ = quota([NOW - 3600])
    it.update_from_headers(
        {
            "x-per-minute-remaining": "0",
            "x-per-minute-reset": str(NOW + 30),
            "date": "Wed, 15 Apr 2026 12:20:00 GMT",
        },
        taken(it, 1)[0],
    )
    assert it.pause() == pytest.approx(30 + GUARD)


@pytest.mark.parametrize("date", ["", "today", None])
def test_an_unreadable_date(date: Any) -> None:
    """Then the local clock will do."""
    it, _ = quota()
    it.update_from_headers(
        {"x-per-minute-remaining": "0", "x-per-minute-reset": str(NOW + 30), "date": date},
        taken(it, 1)[0],
    )
    assert it.pause() == pytest.approx(30)


def test_limits_are_kept() -> None:
    """What the contract allows, once an answer has said it."""
    it, _ = quota()
    it.update_from_headers(
        {"x-per-minute-limit": "600", "x-per-second-limit": "20"}, taken(it, 1)[0]
    )
    assert it.limits == {"minute": 600, "second": 20}


# Several on their way


def told(remaining: int, reset: float = NOW + 60, limit: int = 60, **more: str) -> dict[str, str]:
    """Return the headers of an answer."""
    return {
        "x-per-minute-limit": str(limit),
        "x-per-minute-remaining": str(remaining),
        "x-per-minute-reset": str(reset),
        **more,
    }


def places_left(it: RateLimiter) -> int:
    """Take all that is left, and count."""
    return sum(1 for _ in range(2000) if it.take())


def test_what_is_on_its_way_is_spent() -> None:
    """59 left after the first: 59 more may be sent, whatever has been answered by then."""
    it, _ = quota()
    it.update_from_headers(told(59), taken(it, 1)[0])
    assert places_left(it) == 59
    assert it.pause() == 60


def test_an_older_answer_raises_nothing() -> None:
    """Counted first, answered last: its 58 are not what is left."""
    it, _ = quota()
    it.update_from_headers(told(59), taken(it, 1)[0])
    second, third = taken(it, 2)
    it.update_from_headers(told(57), third)
    it.update_from_headers(told(58), second)
    assert places_left(it) == 57


def test_others_spend_too() -> None:
    """Of 60 two were sent from here, and 20 are left: others had 38."""
    it, _ = quota()
    it.update_from_headers(told(59), taken(it, 1)[0])
    it.update_from_headers(told(20), taken(it, 1)[0])
    assert places_left(it) == 20


def test_with_company_nothing_is_taken_for_granted() -> None:
    """What is on its way may be counted on top of what the server said last."""
    it, _ = quota()
    it.update_from_headers(told(59), taken(it, 1)[0])
    first, *rest = taken(it, 10)
    it.update_from_headers(
        told(30), first
    )  # 29 of 60 are spent: 2 from here, at most 9 on their way, others
    assert places_left(it) == 30 - len(rest)


def test_what_others_had_spent_before_is_no_company() -> None:
    """29 of 60 were gone at the first word. What is on its way is in the second one's 20."""
    it, _ = quota()
    it.update_from_headers(told(30), taken(it, 1)[0])
    *_, last = taken(it, 10)
    it.update_from_headers(told(20), last)  # 29 + 1 + 10 = 40 of 60, none of them new to us
    assert places_left(it) == 20


def test_with_company_an_older_answer_raises_nothing() -> None:
    """It was counted before what is known, and brings nothing back."""
    it, _ = quota()
    it.update_from_headers(told(59), taken(it, 1)[0])
    first, second = taken(it, 2)
    it.update_from_headers(told(20), second)
    it.update_from_headers(told(30), first)
    assert places_left(it) == 20


def test_what_was_lost_may_have_been_counted() -> None:
    """A connection that broke: its place is not given out again in this minute."""
    it, _ = quota()
    it.update_from_headers(told(59), taken(it, 1)[0])
    for place in taken(it, 9):
        it.release(place)
        it.release(place)  # again does nothing
    assert places_left(it) == 50


def test_an_answer_of_the_minute_before() -> None:
    """It arrives after the turn, and says nothing of the new minute."""
    it, time = quota()
    it.update_from_headers(told(59), taken(it, 1)[0])
    (late,) = taken(it, 1)
    time[0] = NOW + 60.5
    it.update_from_headers(told(59, NOW + 120), taken(it, 1)[0])
    it.update_from_headers(told(0), late)
    assert places_left(it) == 59


def test_what_is_on_its_way_at_the_turn() -> None:
    """It may be counted in the new minute, until its answer tells that it was in the old."""
    it, time = quota()
    it.update_from_headers(told(59), taken(it, 1)[0])
    late = taken(it, 10)
    time[0] = NOW + 60
    it.update_from_headers(told(59, NOW + 120), taken(it, 1)[0])
    first = taken(it, 60 - 1 - 10)
    assert it.take() is None
    for place in late:
        it.update_from_headers(told(49), place)
    for left, place in enumerate(first, start=1):
        it.update_from_headers(told(59 - left, NOW + 120), place)
    assert places_left(it) == 10


def test_a_probe_at_the_turn() -> None:
    """However many still hang, a tenth of the new minute may be sent to ask how it stands."""
    it, time = quota()
    it.update_from_headers(told(59), taken(it, 1)[0])
    taken(it, 10)
    time[0] = NOW + 60
    assert places_left(it) == 6


def test_a_late_answer_does_not_confirm_a_new_minute() -> None:
    """It was counted in the old one: a tenth may be sent, and the one that was in flight."""
    it, time = quota()
    it.update_from_headers(told(59), taken(it, 1)[0])
    (late,) = taken(it, 1)
    time[0] = NOW + 60.5
    assert it.pause() == 0
    it.update_from_headers(told(58), late)
    assert places_left(it) == 6 + 1


def test_a_new_minute_is_not_trusted_at_first() -> None:
    """A tenth of it until the server confirms it; half, once one has begun as reckoned."""
    it, time = quota()
    it.update_from_headers(told(59), taken(it, 1)[0])
    for turn, share in enumerate([6, 30, 30], start=1):
        time[0] = NOW + 60 * turn
        places = [place for _ in range(99) if (place := it.take())]
        assert len(places) == share
        for left, place in enumerate(places, start=1):
            it.update_from_headers(told(60 - left, time[0] + 60), place)
        assert it.pause() == 0


def test_a_minute_that_others_had_begun_is_no_turn_as_reckoned() -> None:
    """19 of 60 were gone at its first word: of the next one no more than a tenth is sent."""
    it, time = quota()
    it.update_from_headers(told(59), taken(it, 1)[0])
    time[0] = NOW + 60
    it.update_from_headers(told(40, NOW + 120), taken(it, 1)[0])
    time[0] = NOW + 120
    assert places_left(it) == 6


def test_what_is_known_of_the_clocks_ages_with_each_turn() -> None:
    """1000 minutes later they may be 6 s further apart, either way: 1e-4 of 60,000 s."""
    it, time = quota()
    date = "Wed, 15 Apr 2026 12:20:00 GMT"  # which is NOW
    it.update_from_headers(told(59, date=date), taken(it, 1)[0])
    assert (it._clock_offset.least, it._clock_offset.most) == (0, 1)
    time[0] += 1000 * 60
    it.pause()
    assert it._clock_offset.least == pytest.approx(-6, abs=0.01)
    assert it._clock_offset.most == pytest.approx(7, abs=0.01)


def test_a_server_s_clock_that_is_ahead() -> None:
    """By 7.4 s; dates have whole seconds. The turn is never expected early, at most 1 s late."""
    for phase in (0.0, 0.3, 0.9):
        it, time = quota([NOW + phase])
        server = time[0] + 7.4
        date = formatdate(int(server), usegmt=True)
        reset = server // 60 * 60 + 60
        it.update_from_headers(told(0, reset, date=date), taken(it, 1)[0])
        assert 0 < it.pause() - (reset - server) <= 1 + GUARD


def test_dates_together_tell_more() -> None:
    """Answers at 0.1, 0.3, … 0.9 of a second: the turn is known to a fifth of one."""
    it, time = quota([NOW + 0.1])
    for step in range(5):
        time[0] = NOW + 0.1 + 0.2 * step
        date = formatdate(int(time[0]), usegmt=True)
        it.update_from_headers(told(4 - step, NOW + 60, date=date), taken(it, 1)[0])
    assert 0 < it.pause() - (NOW + 60 - time[0]) <= 0.2 + GUARD


def test_a_skew_is_narrowed() -> None:
    """Each date bounds it from both sides, and the closest bounds stay; until a clock is set."""
    skew = ClockOffset()
    noon = "Wed, 15 Apr 2026 12:20:00 GMT"  # which is NOW
    skew.update(noon, NOW + 0.1, NOW + 0.3)
    skew.update(noon, NOW + 0.6, NOW + 0.8)
    assert (skew.least, skew.most) == (pytest.approx(-0.3), pytest.approx(0.4))
    skew.update(noon, NOW + 50, NOW + 50.5)
    assert (skew.least, skew.most) == (pytest.approx(-50.5), pytest.approx(-49))
    skew.age(1000)
    assert (skew.least, skew.most) == (pytest.approx(-50.6), pytest.approx(-48.9))


def test_no_second_has_too_many() -> None:
    """Three a second: the fourth waits for a second and a bit, from the first."""
    it, time = quota()
    it.update_from_headers({"x-per-second-limit": "3"}, taken(it, 1)[0])
    time[0] += 2
    taken(it, 2)
    time[0] += 0.5
    taken(it, 1)
    assert it.take() is None
    assert 0.5 < it.pause() <= 0.5 + JITTER[1] + 1e-6
    time[0] += 0.5 + JITTER[1] + 0.01
    taken(it, 2)
    assert it.take() is None


def test_a_second_spent_by_others() -> None:
    """Nothing left though little was sent from here: wait for its end."""
    it, time = quota()
    place = taken(it, 1)[0]
    time[0] += 0.2
    second = {"x-per-second-limit": "9", "x-per-second-remaining": "0"}
    it.update_from_headers(told(59, **second, **{"x-per-second-reset": str(NOW + 1)}), place)
    assert it.pause() == pytest.approx(0.8)


def test_a_second_that_is_long_over() -> None:
    """An answer that took two seconds tells of a second that is past: no wait."""
    it, time = quota()
    place = taken(it, 1)[0]
    time[0] += 2
    second = {"x-per-second-remaining": "0", "x-per-second-reset": str(NOW + 1)}
    it.update_from_headers(told(59, **second), place)
    assert it.pause() == 0


def test_a_clock_that_is_set_back() -> None:
    """By an hour: what was known is forgotten, and nothing waits for an hour."""
    it, time = quota()
    it.update_from_headers(told(0, limit=1, **{"x-per-second-limit": "1"}), taken(it, 1)[0])
    time[0] -= 3600
    assert it.pause() == 0


def test_one_until_it_is_known() -> None:
    """Then as many as there may be; a few, where two answers tell nothing."""
    it, _ = quota()
    assert it.max_concurrency(48) == 1
    it.update_from_headers({}, taken(it, 1)[0])
    assert it.max_concurrency(48) == 1
    it.update_from_headers({}, taken(it, 1)[0])
    assert it.max_concurrency(48) == DEFAULT_CONCURRENCY
    assert it.max_concurrency(2) == 2
    it.update_from_headers(told(59), taken(it, 1)[0])
    assert it.max_concurrency(48) == 48


@pytest.mark.slow
def test_two_threads_and_one_place() -> None:
    """One of them gets it: the other looks only when the first has taken what it saw."""
    meeting, begun = threading.Barrier(2), threading.Event()
    met: list[bool] = []

    def clock() -> float:
        if begun.is_set():
            try:
                meeting.wait(0.2)  # in vain, where one at a time is let in
            except threading.BrokenBarrierError:
                met.append(False)
            else:
                met.append(True)
        return NOW

    it = RateLimiter(clock=clock)
    it.update_from_headers(told(1), taken(it, 1)[0])
    begun.set()
    with ThreadPoolExecutor(2) as pool:
        places = list(pool.map(lambda _: it.take(), range(2)))
    assert met == [False, False]
    assert sum(place is not None for place in places) == 1


NUMBERS = st.sampled_from(
    ["0", "-1", "1", "59", "1e400", "-1e400", "nan", "inf", "1e300", "", "x", "0x10", "٣", "1e3"]
) | st.integers().map(str)


@pytest.mark.slow
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(
                [f"x-per-{p}-{w}" for p in PERIODS for w in ("limit", "remaining", "reset")]
            ),
            NUMBERS | st.floats(NOW - 100, NOW + 100).map(str),
        )
        | st.fixed_dictionaries(
            {"date": st.sampled_from(["", "x", "Wed, 15 Apr 2026 12:20:00 GMT"])}
        ),
        max_size=8,
    ),
    st.lists(st.floats(-4000, 4000), min_size=8, max_size=8),
)
def test_whatever_the_headers_say(answers: list[dict[str, str]], steps: list[float]) -> None:
    """Never an error, never a wait of more than a minute, and in the end a place."""
    it, time = quota()
    for headers, step in zip(answers, steps, strict=False):
        place = it.take() or Permit(time[0])
        time[0] += step
        it.update_from_headers(headers, place)
        assert 0 <= it.pause() <= 60
    for _ in range(4):
        if it.take():
            return
        time[0] += 60
    pytest.fail("no place in four minutes")
