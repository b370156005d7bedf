"""Jobs in virtual time: their duration compared with the optimum, and failures.

The complete grid, and jobs of half an hour::

    python -m pytest tests/transport/test_scheduler.py -m long -s
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from math import ceil
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.scheduler.model import (
    EPOCH,
    Contract,
    Network,
    OneCall,
    SimulatedTransport,
    best,
    send_all,
    sending,
)
from support.scripted import FakeClock

from engagement_pandas.transport.message import Failure
from engagement_pandas.transport.rate_limiter import DEFAULT_CONCURRENCY, RateLimiter
from engagement_pandas.transport.scheduler import (
    DRAIN_SECONDS,
    InlineExecutor,
    Scheduler,
)
from engagement_pandas.transport.transport import MAX_IN_FLIGHT

TOLERANCE = 1.05
"""The maximum duration of a job, in multiples of the optimum."""


@st.composite
def contracts(draw: st.DrawFn, minutes: tuple[int, ...] = (60, 120)) -> Contract:
    """Draw quotas, latencies and clock offsets."""
    minute = draw(st.sampled_from(minutes))
    least, most = sorted(draw(st.tuples(st.floats(0.2, 2), st.floats(0.2, 2))))
    return Contract(
        minute,
        second=draw(st.sampled_from([minute // 60, minute // 30, 10, 20])),
        latency=(most if draw(st.booleans()) else least, most),
        way=draw(st.floats(0, 0.15)),
        jitter=draw(st.sampled_from([0, 0.02])),
        skew=draw(st.floats(-3, 3)) + draw(st.sampled_from([0, 3600, -86400])),
    )


def simulate(
    contract: Contract, phase: float, number: int, seed: int = 0
) -> tuple[Network, list[float]]:
    """Send this number of requests, starting at `phase` seconds of a minute."""
    network = Network(contract, EPOCH + phase, seed)
    return network, send_all(SimulatedTransport(network), number)


def by_minute(network: Network) -> Counter[int]:
    """Return the number of requests in each of the server's minutes, from the first one on."""
    return Counter(int(t // 60 - network.server.times[0] // 60) for t in network.server.times)


def shares(network: Network, answered: list[float], phase: float) -> tuple[float, float]:
    """Return the duration of a job in multiples of two optima.

    The first optimum knows the quota from the start. The second waits for the first response
    as the scheduler does, and sends as many requests in the first, partial minute.
    """
    begin, number = EPOCH + phase, len(answered)
    took = max(answered) - begin
    opening = by_minute(network)[0]
    return (
        took / best(network.contract, begin, number),
        took / best(network.contract, begin, number, min(answered), opening),
    )


def at_the_end(network: Network) -> float:
    """Return the unavoidable seconds beyond the optimum at the end of a job.

    A margin follows the requests of each second, since they may arrive closer together: 0.2 s
    if the minute has time left, otherwise 0.03 s. It costs time in the last minute only, since
    earlier ones end with a wait. The optimum also has the shortest latency for its last
    response. One more second is allowed because dates have no fractions.
    """
    contract, used = network.contract, by_minute(network)
    left = 60 * contract.second / contract.minute - 1  # a second, if the complete minute is spent
    margins = ceil(used[max(used)] / contract.second) - 1
    return margins * min(max(left, 0.03), 0.2) + contract.latency[1] - contract.latency[0] + 1


# Duration


@pytest.mark.long
@settings(max_examples=40)
@given(contracts(), st.floats(0, 59.99), st.floats(3, 4), st.integers(0, 99))
@example(Contract(60, 2, (0.21875, 2.0), way=0.0), 1.0, 3.0, 0)
@example(Contract(120, 4, (0.2, 2.0), way=0.081, jitter=0.02, skew=2.944), 16.963, 3.0, 46)
def test_the_duration_is_near_the_optimum(
    contract: Contract, phase: float, minutes: float, seed: int
) -> None:
    """From the first response on, it is within 5 % or the unavoidable end, without a 429.

    The two examples spend a complete minute in 30 s: 1.050 and 1.059 times the optimum.
    """
    network, answered = simulate(contract, phase, int(minutes * contract.minute), seed)
    assert network.refused == []
    took = max(answered) - EPOCH - phase
    optimum = took / shares(network, answered, phase)[1]
    assert took - optimum <= max((TOLERANCE - 1) * optimum, at_the_end(network))
    assert len(answered) == len(network.server.times)


@pytest.mark.slow
@settings(max_examples=20)
@given(contracts(), st.floats(0, 50), st.integers(0, 99))
@example(Contract(120, 4, (1.25, 1.5), way=0.0, jitter=0), 24.0, 0)
def test_the_first_minute_is_used(contract: Contract, phase: float, seed: int) -> None:
    """What is left of it after the first response is spent, except for 10 % and a second."""
    network, answered = simulate(contract, phase, 2 * contract.minute, seed)
    begin = network.server.times[0]
    left = 60 - begin % 60 - (min(answered) - EPOCH - phase) - 1
    expected = min(contract.minute, 1 + 0.9 * max(0, left) * contract.second)
    pending = contract.second * contract.latency[1]
    assert by_minute(network)[0] >= min(expected, expected - pending + MAX_IN_FLIGHT) - 1


@pytest.mark.long
@pytest.mark.parametrize("minute", [60, 120, 300, 600])
def test_the_complete_grid(minute: int) -> None:
    """All quotas, latencies, phases and clock offsets are tried; the worst job is printed."""
    rng = random.Random(minute)  # noqa: S311
    worst, with_foresight, runs = 0.0, [], 0
    latencies = [(0.2, 0.2), (0.5, 0.5), (1, 1), (2, 2), (0.2, 2)]
    for second, latency, phase in product(
        sorted({minute // 60, minute // 30, 20}), latencies, range(0, 60, 12)
    ):
        contract = Contract(
            minute, second, latency, rng.uniform(0, 0.15), 0.02, rng.uniform(-4000, 4000)
        )
        number = rng.randint(3 * minute, 5 * minute)
        network, answered = simulate(contract, phase, number, runs)
        assert network.refused == [], contract
        ratios = shares(network, answered, phase)
        assert ratios[1] <= TOLERANCE, contract
        with_foresight.append(ratios[0])
        worst, runs = max(worst, ratios[1]), runs + 1
    over = sum(ratio > TOLERANCE for ratio in with_foresight)
    print(  # noqa: T201 - printed for the README
        f"{minute} a minute: {runs} jobs of 3 to 5 minutes, at most {worst:.3f} of the best; "
        f"no 429; with foresight {over} over {TOLERANCE}, "
        f"at most {max(with_foresight):.3f}"
    )


@pytest.mark.long
def test_jobs_that_end_with_a_complete_minute() -> None:
    """They are sent in half a minute, where margins are longest; the worst of 400 is printed."""
    rng = random.Random(1)  # noqa: S311
    worst = 0.0
    for seed in range(400):
        minute = rng.choice([60, 120])
        contract = Contract(
            minute, minute // 30, (0.2, 2), rng.uniform(0, 0.15), 0.02, rng.uniform(-3, 3)
        )
        phase = rng.uniform(0, 25)
        network, answered = simulate(contract, phase, 3 * minute, seed)
        assert network.refused == [], contract
        took, ratio = max(answered) - EPOCH - phase, shares(network, answered, phase)[1]
        assert took - took / ratio <= at_the_end(network), contract
        worst = max(worst, ratio)
    print(f"400 jobs of 3 complete minutes, each sent in 30 s: at most {worst:.3f} of the best")  # noqa: T201


@pytest.mark.long
@pytest.mark.parametrize(
    ("minute", "second"), [(60, 1), (60, 2), (60, 20), (120, 2), (120, 20), (300, 10), (600, 20)]
)
def test_half_an_hour(minute: int, second: int) -> None:
    """A long job takes at most 1.05 times the optimum that knows the quota from the start."""
    for latency, phase in [((2.0, 2.0), 59), ((0.2, 2.0), 31), ((0.2, 0.2), 0.5)]:
        contract = Contract(minute, second, latency, 0.05, 0.02, -1.7)
        network, answered = simulate(contract, phase, 30 * minute + minute // 3)
        assert network.refused == []
        assert shares(network, answered, phase)[0] <= TOLERANCE


@pytest.mark.parametrize("latency", [0.2, 2])
def test_the_first_response_is_awaited(latency: float) -> None:
    """The second request waits for the first response; then the maximum is in flight."""
    network, _ = simulate(Contract(60, 20, (latency, latency)), 0, 40)
    begin, second, *_ = network.server.times
    assert second - begin == pytest.approx(latency, abs=0.01)
    assert network.most == pytest.approx(min(39, 20 * ceil(latency)), abs=2)


def test_in_flight_is_an_upper_bound() -> None:
    """It holds even if the quota allows more."""
    network = Network(Contract(6000, 1000, (2, 2)), EPOCH)
    send_all(SimulatedTransport(network, in_flight=7), 70)
    assert network.most == 7


def test_a_server_without_quota_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four requests are in flight, after two responses."""
    contract = Contract(6000, 1000, (1, 1))
    network = Network(contract, EPOCH)
    original = network.server.spend
    monkeypatch.setattr(network.server, "spend", lambda now: (original(now)[0], {}))
    answered = send_all(SimulatedTransport(network), 42)
    assert network.most == DEFAULT_CONCURRENCY == 4
    assert max(answered) - EPOCH == pytest.approx(12)  # 1 + 1 + 40 / 4


# Other users of the quota


@pytest.mark.long
@settings(max_examples=15)
@given(contracts(), st.floats(0, 59), st.floats(61, 119), st.integers(0, 99))
def test_recovery_from_a_429(contract: Contract, phase: float, when: float, seed: int) -> None:
    """Another user takes the rest of one minute; the next minute is used fully."""
    network = Network(contract, EPOCH + phase, seed)
    network.other_client(EPOCH + when - contract.skew % 60, contract.minute)
    number = 6 * contract.minute
    answered = send_all(SimulatedTransport(network), number)
    assert len(answered) == number
    assert len({int((t + contract.skew) // 60) for t in network.refused}) <= 1
    assert len(network.refused) <= MAX_IN_FLIGHT
    used = by_minute(network)
    alone = simulate(contract, phase, number, seed)[0]
    most = max(by_minute(alone).values())  # the requests in a minute without other users
    complete_minutes = sorted(used)[1:-1]
    assert sum(used[minute] < 0.95 * most for minute in complete_minutes) <= 1


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_another_user_all_the_time(share: float) -> None:
    """Another user takes its share evenly: the rest is used, with few 429s and no losses."""
    contract = Contract(120, 20, (1, 1), 0.05, 0.02, 0.4)
    network = Network(contract, EPOCH + 17)
    step = 60 / (contract.minute * share)
    for number_sent in range(int(600 / step)):
        network.other_client(EPOCH + number_sent * step)
    number = int(5 * contract.minute * (1 - share))
    answered = send_all(SimulatedTransport(network), number)
    took = max(answered) - EPOCH - 17
    optimum = best(replace(contract, minute=int(contract.minute * (1 - share))), EPOCH + 17, number)
    assert took <= 1.05 * optimum
    assert len(network.refused) <= 0.08 * number


@pytest.mark.slow
@pytest.mark.parametrize("minute", [60, 600])
def test_a_sliding_window(minute: int) -> None:
    """The API's kind of window is unknown: with another kind the job finishes too."""
    contract = Contract(minute, 20, (1, 1), 0.05, 0.02, 0.4, kind="sliding")
    network, answered = simulate(contract, 17, 4 * minute)
    assert len(answered) == 4 * minute
    assert max(answered) - EPOCH - 17 <= 4 * 60
    assert len(network.refused) <= 0.08 * len(answered)


# Retries


class FailsOnce:
    """A call whose first attempt fails, with a retry after this number of seconds."""

    def __init__(self, seconds: float) -> None:
        self._delays = iter([seconds, None])

    def attempt(self, permit: Any) -> None:
        """Send nothing."""

    def retry_delay(self, outcome: Any) -> float | None:  # noqa: ARG002 - each fails
        return next(self._delays)

    def result(self, outcome: Any) -> None:
        """Return nothing."""


def back_off(
    seconds: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    report: Callable[[str], None] = lambda _: None,
) -> None:
    """Run a task that fails once, and waits before its retry."""
    scheduler = Scheduler(RateLimiter(clock), clock, InlineExecutor(sleep), 1, report)
    assert list(scheduler.run(iter([OneCall(FailsOnce(seconds))]))) == [None]


@given(st.floats(0.001, 60))
def test_short_sleeps_add_up_to_the_wait(seconds: float) -> None:
    """Each sleep is a second or less, and their sum is the wait."""
    clock = FakeClock()
    messages: list[str] = []
    back_off(seconds, clock.time, clock.sleep, messages.append)
    assert max(clock.slept) <= 1
    assert sum(clock.slept) == pytest.approx(seconds, abs=1e-6)
    waits = [f"waiting {left} s to try again" for left in range(ceil(seconds), 0, -1)]
    assert messages == ["", *waits, ""]


def test_sleeps_that_last_too_long() -> None:
    """If a second takes two on a busy machine, the wait still ends by the clock."""
    clock = FakeClock()
    back_off(10, clock.time, lambda seconds: clock.sleep(2 * seconds))
    assert sum(clock.slept) == 10


def test_a_clock_that_is_set_back() -> None:
    """It does not make a wait longer."""
    slept: list[float] = []
    hours = iter(range(1000, 0, -1))
    back_off(5, lambda: 3600.0 * next(hours), slept.append)
    assert slept == [1.0] * 5


# A failing service


class Failing(SimulatedTransport):
    """A transport whose service fails during `down`."""

    down = (0.0, 0.0)

    def _attempt(self, message: Any, place: Any) -> Any:
        response = super()._attempt(message, place)
        if self.down[0] <= self.network.now < self.down[1]:
            return Failure("HTTP 503", 503)
        return response


def test_a_failing_service_gets_few_requests() -> None:
    """It gets the requests in flight, and the attempts of a single request."""
    network = Network(Contract(6000, 1000, (1, 1)), EPOCH)
    transport = Failing(network, attempts=8)
    transport.down = (EPOCH + 2.5, EPOCH + 1e6)
    with pytest.raises(Exception, match="8 attempts; at last: HTTP 503"):
        send_all(transport, 1000)
    earlier = [t for t in network.server.times if t <= EPOCH + 2.5]
    assert len(network.server.times) - len(earlier) <= MAX_IN_FLIGHT + 7


def test_threads_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """They use no permit of the quota."""
    network = Network(Contract(60, 20), EPOCH)
    transport = SimulatedTransport(network)
    send_all(transport, 3)

    def submit(*_: Any) -> None:
        msg = "can't start new thread"
        raise RuntimeError(msg)

    monkeypatch.setattr(network, "submit", submit)
    with pytest.raises(RuntimeError, match="new thread"):
        send_all(transport, 3)
    assert transport.quota._open == set()


class RecordingNetwork(Network):
    """A network that records which calls were sent and which failed, and when."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.sent: list[tuple[float, Any]] = []
        self.failed: list[tuple[float, Any]] = []
        self._calls: dict[Any, Any] = {}

    def submit(self, function: Callable[[], Any]) -> Any:
        call = function.func.__self__  # type: ignore[attr-defined] # of a partial
        future = super().submit(function)
        self.sent.append((self.now, call))
        self._calls[future] = call
        return future

    def wait(self, seconds: float) -> Any:
        future = super().wait(seconds)
        if future is not None and isinstance(future.result(), Failure):
            self.failed.append((self.now, self._calls[future]))
        return future


@pytest.mark.slow
def test_only_the_first_failed_request_is_retried() -> None:
    """All requests in flight fail; until one succeeds, no other is sent again."""
    random.seed(0)  # the delays are random: with this seed enough of them outlast the outage
    network = RecordingNetwork(Contract(6000, 1000, (0.5, 1.5)), EPOCH)
    transport = Failing(network, attempts=8)
    transport.down = (EPOCH + 2.5, EPOCH + 32.5)
    send_all(transport, 500)
    start, first = network.failed[0]
    assert len({call for _, call in network.failed}) == MAX_IN_FLIGHT
    retried = [call for when, call in network.sent if start < when < transport.down[1]]
    assert len(retried) > 1
    assert set(retried) == {first}


def test_a_service_that_recovers() -> None:
    """After half a minute of failures all requests are answered once."""
    random.seed(0)  # the delays are random: with this seed enough of them outlast the outage
    network = Network(Contract(6000, 1000, (1, 1)), EPOCH)
    transport = Failing(network, attempts=8)
    transport.down = (EPOCH + 2.5, EPOCH + 32.5)
    answered = send_all(transport, 500)
    assert len(answered) == 500
    assert len(network.server.times) <= 500 + MAX_IN_FLIGHT + 7


def test_a_minutes_wait_is_reported_each_second() -> None:
    """The reason and the remaining seconds are reported."""
    network = Network(Contract(60, 1000, (0.5, 0.5)), EPOCH)
    messages: list[str] = []
    send_all(SimulatedTransport(network), 61, messages.append)
    waits = [message for message in messages if message]
    assert waits == [f"waiting {left} s for the quota" for left in range(len(waits), 0, -1)]
    assert 58 <= len(waits) <= 60


# Watchers


class StopWatching(Exception):
    """Raised by a watcher to end a run."""


class Timed(Network):
    """A network with given latencies."""

    def __init__(self, *latencies: float) -> None:
        super().__init__(Contract(6000, 1000), EPOCH)
        self._next = iter(latencies)

    def _latency(self) -> float:
        return next(self._next)


def times_after_stop(network: Network, number: int, last_seen: int) -> list[float]:
    """End a run when `last_seen` requests are in flight; return the times of its results."""
    times: list[float] = []

    def watch(_: str) -> None:
        if network.pending == last_seen:
            raise StopWatching

    with pytest.raises(StopWatching):
        times.extend(when - EPOCH for when in sending(SimulatedTransport(network), number, watch))
    return times


def test_requests_in_flight_are_reported_each_second() -> None:
    """A watcher is called at the start, and after 1, 2, 3 and 4 of 4.5 seconds."""
    messages: list[str] = []
    send_all(SimulatedTransport(Timed(4.5)), 1, messages.append)
    assert messages == [""] * 5


def test_a_watcher_ends_a_run_before_the_response() -> None:
    """It is ended after 2 of 60 s, and the missing response is given up 5 s later."""
    network, calls = Timed(60), iter(range(9))

    def watch(_: str) -> None:
        if next(calls) == 2:
            raise StopWatching

    with pytest.raises(StopWatching):
        send_all(SimulatedTransport(network), 1, watch)
    assert network.now - EPOCH == 2 + DRAIN_SECONDS == 7
    assert network.pending == 1


def test_each_response_extends_the_wait() -> None:
    """Three responses, 4, 8 and 12 s after the end, are all returned."""
    times = times_after_stop(Timed(0.25, 5, 9, 13), 4, 3)
    assert times == pytest.approx([0.25, 5.25, 9.25, 13.25])


def test_an_ended_run_has_a_limit() -> None:
    """A response within 5 s is returned, and after 5 s without one the rest is given up."""
    network = Timed(0.25, 2, 99, 99)
    assert times_after_stop(network, 4, 3) == pytest.approx([0.25, 2.25])
    assert network.pending == 2
    assert network.now - EPOCH == pytest.approx(2.25 + DRAIN_SECONDS)
