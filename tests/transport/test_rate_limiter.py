"""The rate limiter reads the quota from headers, and is careful where they are incomplete."""

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


def limiter_at(at: list[float] | None = None) -> tuple[RateLimiter, list[float]]:
    """Return a rate limiter and the time that it reads."""
    time = at or [NOW]
    return RateLimiter(clock=lambda: time[0]), time


def permits(limiter: RateLimiter, number: int) -> list[Permit]:
    """Take this number of permits."""
    taken = [permit for _ in range(number) if (permit := limiter.take())]
    assert len(taken) == number
    return taken


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
    """It lasts until the reset, or for the period if the reset is invalid."""
    limiter, _ = limiter_at()
    limiter.update_from_headers(headers, permits(limiter, 1)[0])
    assert limiter.pause() == pytest.approx(pause)


def test_a_period_ends() -> None:
    """After the reset there is no pause."""
    limiter, time = limiter_at()
    limiter.update_from_headers(
        {"x-per-minute-remaining": "0", "x-per-minute-reset": str(NOW + 30)}, permits(limiter, 1)[0]
    )
    time[0] = NOW + 30
    assert limiter.pause() == 0


def test_a_response_without_headers_changes_nothing() -> None:
    """A proxy's error page does not change what is known."""
    limiter, _ = limiter_at()
    first, second = permits(limiter, 2)
    limiter.update_from_headers({"x-per-minute-remaining": "0"}, first)
    limiter.update_from_headers({}, second)
    assert limiter.pause() == 60


def test_the_reset_is_in_the_servers_time() -> None:
    """A local clock that is an hour off changes nothing."""
    limiter, _ = limiter_at([NOW - 3600])
    limiter.update_from_headers(
        {
            "x-per-minute-remaining": "0",
            "x-per-minute-reset": str(NOW + 30),
            "date": "Wed, 15 Apr 2026 12:20:00 GMT",
        },
        permits(limiter, 1)[0],
    )
    assert limiter.pause() == pytest.approx(30 + GUARD)


@pytest.mark.parametrize("date", ["", "today", None])
def test_an_unreadable_date_is_ignored(date: Any) -> None:
    """The local clock is used."""
    limiter, _ = limiter_at()
    limiter.update_from_headers(
        {"x-per-minute-remaining": "0", "x-per-minute-reset": str(NOW + 30), "date": date},
        permits(limiter, 1)[0],
    )
    assert limiter.pause() == pytest.approx(30)


def test_limits_are_kept() -> None:
    """They are what the contract allows, once a response has them."""
    limiter, _ = limiter_at()
    limiter.update_from_headers(
        {"x-per-minute-limit": "600", "x-per-second-limit": "20"}, permits(limiter, 1)[0]
    )
    assert limiter.limits == {"minute": 600, "second": 20}


# Several requests in flight


def quota_headers(
    remaining: int, reset: float = NOW + 60, limit: int = 60, **more: str
) -> dict[str, str]:
    """Return the headers of a response."""
    return {
        "x-per-minute-limit": str(limit),
        "x-per-minute-remaining": str(remaining),
        "x-per-minute-reset": str(reset),
        **more,
    }


def remaining_permits(limiter: RateLimiter) -> int:
    """Take all remaining permits, and return their number."""
    return sum(1 for _ in range(2000) if limiter.take())


def test_requests_in_flight_count_as_spent() -> None:
    """After the first response 59 more may be sent, before any of them is answered."""
    limiter, _ = limiter_at()
    limiter.update_from_headers(quota_headers(59), permits(limiter, 1)[0])
    assert remaining_permits(limiter) == 59
    assert limiter.pause() == 60


def test_a_delayed_response_does_not_increase_the_quota() -> None:
    """Its 58 were counted earlier than the 57 that arrived before."""
    limiter, _ = limiter_at()
    limiter.update_from_headers(quota_headers(59), permits(limiter, 1)[0])
    second, third = permits(limiter, 2)
    limiter.update_from_headers(quota_headers(57), third)
    limiter.update_from_headers(quota_headers(58), second)
    assert remaining_permits(limiter) == 57


def test_requests_of_others_count() -> None:
    """Two of 60 were sent from here, and 20 are left: others sent 38."""
    limiter, _ = limiter_at()
    limiter.update_from_headers(quota_headers(59), permits(limiter, 1)[0])
    limiter.update_from_headers(quota_headers(20), permits(limiter, 1)[0])
    assert remaining_permits(limiter) == 20


def test_requests_in_flight_may_not_be_counted_yet() -> None:
    """If others spend too, requests in flight are subtracted from what is left."""
    limiter, _ = limiter_at()
    limiter.update_from_headers(quota_headers(59), permits(limiter, 1)[0])
    first, *rest = permits(limiter, 10)
    # 29 of 60 are spent: 2 from here, at most 9 in flight, the rest by others
    limiter.update_from_headers(quota_headers(30), first)
    assert remaining_permits(limiter) == 30 - len(rest)


def test_earlier_requests_of_others_are_not_counted_again() -> None:
    """29 of 60 were spent before the first response; requests in flight are within the later 20."""
    limiter, _ = limiter_at()
    limiter.update_from_headers(quota_headers(30), permits(limiter, 1)[0])
    *_, last = permits(limiter, 10)
    # 29 + 1 + 10 = 40 of 60, so no new ones of others
    limiter.update_from_headers(quota_headers(20), last)
    assert remaining_permits(limiter) == 20


def test_a_delayed_response_is_ignored_when_others_spend() -> None:
    """It was counted before the response that arrived earlier."""
    limiter, _ = limiter_at()
    limiter.update_from_headers(quota_headers(59), permits(limiter, 1)[0])
    first, second = permits(limiter, 2)
    limiter.update_from_headers(quota_headers(20), second)
    limiter.update_from_headers(quota_headers(30), first)
    assert remaining_permits(limiter) == 20


def test_a_lost_request_may_have_been_counted() -> None:
    """After a broken connection, its permit is not available again in this minute."""
    limiter, _ = limiter_at()
    limiter.update_from_headers(quota_headers(59), permits(limiter, 1)[0])
    for permit in permits(limiter, 9):
        limiter.release(permit)
        limiter.release(permit)  # no effect
    assert remaining_permits(limiter) == 50


def test_a_response_of_the_previous_minute() -> None:
    """It arrives after the reset, and does not change the new minute."""
    limiter, time = limiter_at()
    limiter.update_from_headers(quota_headers(59), permits(limiter, 1)[0])
    (late,) = permits(limiter, 1)
    time[0] = NOW + 60.5
    limiter.update_from_headers(quota_headers(59, NOW + 120), permits(limiter, 1)[0])
    limiter.update_from_headers(quota_headers(0), late)
    assert remaining_permits(limiter) == 59


def test_requests_in_flight_at_the_reset() -> None:
    """They may count in the new minute, until their responses show that they do not."""
    limiter, time = limiter_at()
    limiter.update_from_headers(quota_headers(59), permits(limiter, 1)[0])
    late = permits(limiter, 10)
    time[0] = NOW + 60
    limiter.update_from_headers(quota_headers(59, NOW + 120), permits(limiter, 1)[0])
    first = permits(limiter, 60 - 1 - 10)
    assert limiter.take() is None
    for permit in late:
        limiter.update_from_headers(quota_headers(49), permit)
    for left, permit in enumerate(first, start=1):
        limiter.update_from_headers(quota_headers(59 - left, NOW + 120), permit)
    assert remaining_permits(limiter) == 10


def test_a_probe_after_the_reset() -> None:
    """A tenth of the new minute may be sent, although earlier requests are not answered."""
    limiter, time = limiter_at()
    limiter.update_from_headers(quota_headers(59), permits(limiter, 1)[0])
    permits(limiter, 10)
    time[0] = NOW + 60
    assert remaining_permits(limiter) == 6


def test_a_late_response_does_not_confirm_a_new_minute() -> None:
    """It counted in the old one: a tenth may be sent, and the one in flight is available again."""
    limiter, time = limiter_at()
    limiter.update_from_headers(quota_headers(59), permits(limiter, 1)[0])
    (late,) = permits(limiter, 1)
    time[0] = NOW + 60.5
    assert limiter.pause() == 0
    limiter.update_from_headers(quota_headers(58), late)
    assert remaining_permits(limiter) == 6 + 1


def test_a_new_minute_is_not_trusted_at_first() -> None:
    """A tenth is sent until the server confirms it; half, once a reset was as expected."""
    limiter, time = limiter_at()
    limiter.update_from_headers(quota_headers(59), permits(limiter, 1)[0])
    for minute, share in enumerate([6, 30, 30], start=1):
        time[0] = NOW + 60 * minute
        taken = [permit for _ in range(99) if (permit := limiter.take())]
        assert len(taken) == share
        for left, permit in enumerate(taken, start=1):
            limiter.update_from_headers(quota_headers(60 - left, time[0] + 60), permit)
        assert limiter.pause() == 0


def test_a_minute_begun_by_others_does_not_confirm_the_reset() -> None:
    """After a minute with 19 of 60 already spent, a tenth of the next one may be sent."""
    limiter, time = limiter_at()
    limiter.update_from_headers(quota_headers(59), permits(limiter, 1)[0])
    time[0] = NOW + 60
    limiter.update_from_headers(quota_headers(40, NOW + 120), permits(limiter, 1)[0])
    time[0] = NOW + 120
    assert remaining_permits(limiter) == 6


def test_the_clock_offset_becomes_less_certain() -> None:
    """After 1000 minutes it may be 6 s more or less: 1e-4 of 60,000 s."""
    limiter, time = limiter_at()
    date = "Wed, 15 Apr 2026 12:20:00 GMT"  # equals NOW
    limiter.update_from_headers(quota_headers(59, date=date), permits(limiter, 1)[0])
    assert (limiter._clock_offset.least, limiter._clock_offset.most) == (0, 1)
    time[0] += 1000 * 60
    limiter.pause()
    assert limiter._clock_offset.least == pytest.approx(-6, abs=0.01)
    assert limiter._clock_offset.most == pytest.approx(7, abs=0.01)


def test_a_server_clock_that_is_ahead() -> None:
    """It is 7.4 s ahead, and dates have no fractions: the reset is 0 to 1 s late."""
    for phase in (0.0, 0.3, 0.9):
        limiter, time = limiter_at([NOW + phase])
        server = time[0] + 7.4
        date = formatdate(int(server), usegmt=True)
        reset = server // 60 * 60 + 60
        limiter.update_from_headers(quota_headers(0, reset, date=date), permits(limiter, 1)[0])
        assert 0 < limiter.pause() - (reset - server) <= 1 + GUARD


def test_several_dates_narrow_the_offset() -> None:
    """After responses at 0.1, 0.3, … 0.9 of a second the reset is known to a fifth of one."""
    limiter, time = limiter_at([NOW + 0.1])
    for step in range(5):
        time[0] = NOW + 0.1 + 0.2 * step
        date = formatdate(int(time[0]), usegmt=True)
        limiter.update_from_headers(
            quota_headers(4 - step, NOW + 60, date=date), permits(limiter, 1)[0]
        )
    assert 0 < limiter.pause() - (NOW + 60 - time[0]) <= 0.2 + GUARD


def test_the_offset_is_narrowed() -> None:
    """Each date limits it on both sides; the closest bounds are kept until a clock is set."""
    offset = ClockOffset()
    noon = "Wed, 15 Apr 2026 12:20:00 GMT"  # equals NOW
    offset.update(noon, NOW + 0.1, NOW + 0.3)
    offset.update(noon, NOW + 0.6, NOW + 0.8)
    assert (offset.least, offset.most) == (pytest.approx(-0.3), pytest.approx(0.4))
    offset.update(noon, NOW + 50, NOW + 50.5)
    assert (offset.least, offset.most) == (pytest.approx(-50.5), pytest.approx(-49))
    offset.age(1000)
    assert (offset.least, offset.most) == (pytest.approx(-50.6), pytest.approx(-48.9))


def test_no_second_has_too_many() -> None:
    """With three a second, the fourth waits for a little more than a second after the first."""
    limiter, time = limiter_at()
    limiter.update_from_headers({"x-per-second-limit": "3"}, permits(limiter, 1)[0])
    time[0] += 2
    permits(limiter, 2)
    time[0] += 0.5
    permits(limiter, 1)
    assert limiter.take() is None
    assert 0.5 < limiter.pause() <= 0.5 + JITTER[1] + 1e-6
    time[0] += 0.5 + JITTER[1] + 0.01
    permits(limiter, 2)
    assert limiter.take() is None


def test_a_second_spent_by_others() -> None:
    """If no requests are left, the wait lasts until its end."""
    limiter, time = limiter_at()
    permit = permits(limiter, 1)[0]
    time[0] += 0.2
    second = {"x-per-second-limit": "9", "x-per-second-remaining": "0"}
    limiter.update_from_headers(
        quota_headers(59, **second, **{"x-per-second-reset": str(NOW + 1)}), permit
    )
    assert limiter.pause() == pytest.approx(0.8)


def test_a_second_that_has_ended() -> None:
    """A response that took two seconds refers to an earlier second, so there is no wait."""
    limiter, time = limiter_at()
    permit = permits(limiter, 1)[0]
    time[0] += 2
    second = {"x-per-second-remaining": "0", "x-per-second-reset": str(NOW + 1)}
    limiter.update_from_headers(quota_headers(59, **second), permit)
    assert limiter.pause() == 0


def test_a_clock_that_is_set_back() -> None:
    """The known quota is forgotten, and there is no wait of an hour."""
    limiter, time = limiter_at()
    limiter.update_from_headers(
        quota_headers(0, limit=1, **{"x-per-second-limit": "1"}), permits(limiter, 1)[0]
    )
    time[0] -= 3600
    assert limiter.pause() == 0


def test_one_request_until_the_quota_is_known() -> None:
    """Then as many as allowed are sent, or a few, if two responses have no headers."""
    limiter, _ = limiter_at()
    assert limiter.max_concurrency(48) == 1
    limiter.update_from_headers({}, permits(limiter, 1)[0])
    assert limiter.max_concurrency(48) == 1
    limiter.update_from_headers({}, permits(limiter, 1)[0])
    assert limiter.max_concurrency(48) == DEFAULT_CONCURRENCY
    assert limiter.max_concurrency(2) == 2
    limiter.update_from_headers(quota_headers(59), permits(limiter, 1)[0])
    assert limiter.max_concurrency(48) == 48


@pytest.mark.slow
def test_two_threads_and_one_permit() -> None:
    """Only one thread gets it, since the other waits for the limiter's lock."""
    meeting, started = threading.Barrier(2), threading.Event()
    met: list[bool] = []

    def clock() -> float:
        if started.is_set():
            try:
                meeting.wait(0.2)  # fails, since only one thread is let in
            except threading.BrokenBarrierError:
                met.append(False)
            else:
                met.append(True)
        return NOW

    limiter = RateLimiter(clock=clock)
    limiter.update_from_headers(quota_headers(1), permits(limiter, 1)[0])
    started.set()
    with ThreadPoolExecutor(2) as pool:
        taken = list(pool.map(lambda _: limiter.take(), range(2)))
    assert met == [False, False]
    assert sum(permit is not None for permit in taken) == 1


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
def test_arbitrary_headers(responses: list[dict[str, str]], steps: list[float]) -> None:
    """They cause no error and no wait of more than a minute, and a permit becomes available."""
    limiter, time = limiter_at()
    for headers, step in zip(responses, steps, strict=False):
        permit = limiter.take() or Permit(time[0])
        time[0] += step
        limiter.update_from_headers(headers, permit)
        assert 0 <= limiter.pause() <= 60
    for _ in range(4):
        if limiter.take():
            return
        time[0] += 60
    pytest.fail("no place in four minutes")
