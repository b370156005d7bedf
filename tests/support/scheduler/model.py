"""A discrete-event simulation of server and network, and the optimal duration of a job.

Time jumps from event to event, so an hour is simulated in a moment. The transport and its
rate limiter are the real ones.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from itertools import count
from typing import Any

from requests.auth import HTTPBasicAuth

from engagement_pandas.transport.message import Answer, Failure, Message
from engagement_pandas.transport.rate_limiter import Permit
from engagement_pandas.transport.retries import MessageCall
from engagement_pandas.transport.scheduler import ThreadExecutor, run_into
from engagement_pandas.transport.transport import Transport

EPOCH = 1_776_255_600.0
"""Local time of phase 0: the start of a minute."""


@dataclass(frozen=True)
class Contract:
    """Rate limits of the server, and delays of the network.

    Attributes
    ----------
    minute, second : int
        Maximum number of requests.
    latency : (float, float)
        Minimum and maximum time from sending a request to its response, in seconds.
    way : float
        Time from sending a request until the server counts it, in seconds.
    jitter : float
        Maximum random addition to ``way``, in seconds.
    skew : float
        Seconds by which the server's clock is ahead.
    kind : str
        ``fixed`` windows, or a ``sliding`` one.
    """

    minute: int
    second: int
    latency: tuple[float, float] = (0.2, 0.2)
    way: float = 0.01
    jitter: float = 0.0
    skew: float = 0.0
    kind: str = "fixed"


@dataclass
class Server:
    """Server that counts requests according to its contract."""

    contract: Contract
    times: list[float] = field(default_factory=list)  # on its own clock
    refused: list[float] = field(default_factory=list)

    def spend(self, now: float) -> tuple[int, dict[str, str]]:
        """Count a request, and return the status and the headers."""
        limits = {"minute": (60, self.contract.minute), "second": (1, self.contract.second)}
        spent, resets = {}, {}
        for name, (length, _) in limits.items():
            fixed = self.contract.kind == "fixed"
            since = now // length * length if fixed else now - length
            inside = [t for t in self.times[-self.contract.minute :] if t >= since]
            spent[name] = len(inside)
            resets[name] = since + length if fixed else (inside[0] if inside else now) + length
        good = all(spent[name] < limit for name, (_, limit) in limits.items())
        (self.times if good else self.refused).append(now)
        headers = {"date": formatdate(now, usegmt=True)}
        for name, (_, limit) in limits.items():
            headers[f"x-per-{name}-limit"] = str(limit)
            headers[f"x-per-{name}-remaining"] = str(max(0, limit - spent[name] - good))
            headers[f"x-per-{name}-reset"] = str(-int(-resets[name] // 1))
        return (200 if good else 429), headers


class Network(ThreadExecutor):
    """A network in virtual time, connected to a server."""

    def __init__(self, contract: Contract, begin: float, seed: int = 0) -> None:
        super().__init__()
        self.now = begin
        self.contract = contract
        self.server = Server(contract)
        self.reply: tuple[int, dict[str, str]] = (0, {})
        self.refused: list[float] = []  # our own 429s, in local time
        self.others = 0
        self.most = 0
        self._dice = random.Random(seed)  # noqa: S311
        self._events: list[tuple[float, int, Callable[[], Future[Any] | None]]] = []
        self._order = count()

    def _latency(self) -> float:
        """Return the latency of the next response, in seconds."""
        return self._dice.uniform(*self.contract.latency)

    def time(self) -> float:
        """Return the local time."""
        return self.now

    def at(self, when: float, event: Callable[[], Future[Any] | None]) -> None:
        """Schedule an event."""
        heapq.heappush(self._events, (when, next(self._order), event))

    def other_client(self, when: float, number: int = 1) -> None:
        """Schedule simultaneous requests of another client with the same rate limit."""

        def spend() -> None:
            now = when + self.contract.skew
            spent = sum(1 for t in self.server.times if t // 60 == now // 60)
            taken = min(number, self.contract.minute - spent)
            self.server.times += [now] * taken
            self.others += taken

        self.at(when, spend)

    def submit(self, function: Callable[[], Any]) -> Future[Any]:
        """Send a request, which is first counted by the server and later answered."""
        future: Future[Any] = Future()
        self.pending += 1
        self.most = max(self.most, self.pending)
        contract = self.contract
        answered = self.now + self._latency()
        counted = self.now + contract.way + self._dice.uniform(0, contract.jitter)

        def arrive() -> None:
            reply = self.server.spend(self.now + contract.skew)
            if reply[0] == 429:
                self.refused.append(self.now)

            def answer() -> Future[Any]:
                self.pending -= 1
                # The server sets the date when it responds.
                date = formatdate(self.now + contract.skew, usegmt=True)
                self.reply = reply[0], {**reply[1], "date": date}
                run_into(future, function)
                return future

            self.at(max(answered, self.now), answer)

        self.at(counted, arrive)
        return future

    def wait(self, seconds: float) -> Future[Any] | None:
        """Advance the time until a response arrives, or until a timeout."""
        end = self.now + seconds
        while self._events and self._events[0][0] <= end:
            self.now, _, event = heapq.heappop(self._events)
            future = event()
            if future is not None:
                return future
        self.now = end
        return None


class SimulatedTransport(Transport):
    """The real transport on a simulated network."""

    def __init__(self, network: Network, **keywords: Any) -> None:
        super().__init__(clock=network.time, **keywords)
        self.network = network

    def _executor(self, most: int) -> ThreadExecutor:  # noqa: ARG002
        return self.network

    def _attempt(self, message: Message, permit: Permit) -> Answer | Failure:  # noqa: ARG002
        status, headers = self.network.reply
        self.quota.update_from_headers(headers, permit)
        if status != 200:
            return Failure(f"HTTP {status}", status)
        return Answer(status, headers, b"{}", datetime.fromtimestamp(self.network.now, UTC))


MESSAGE = Message("https://x", b"{}", "text/plain", lambda: HTTPBasicAuth("a", "b"), str)


@dataclass(eq=False)
class OneCall:
    """A task of one call, whose result it yields."""

    call: Any

    def advance(self, outcome: Future[Any] | None = None) -> Iterator[Any]:
        if outcome is not None:
            call, self.call = self.call, None
            yield call.result(outcome)


def sending(
    transport: SimulatedTransport, number: int, report: Callable[[str], None] = lambda _: None
) -> Iterator[float]:
    """Send messages, and yield the time of each response."""

    def call() -> MessageCall[float]:
        return transport.call(MESSAGE, lambda _: transport.network.now)

    return transport.scheduler(number, report).run(OneCall(call()) for _ in range(number))


def send_all(
    transport: SimulatedTransport, number: int, report: Callable[[str], None] = lambda _: None
) -> list[float]:
    """Send messages, and return the times of the responses."""
    return list(sending(transport, number, report))


def best(
    contract: Contract, begin: float, number: int, known: float = 0.0, opening: int = 10**9
) -> float:
    """Return the minimum duration of a job in seconds, with perfect foresight.

    Each request is counted at the first moment when both of its windows have room, and the
    last one has the minimum latency. This is independent of the package.

    ``known``: local time before which at most one request is sent; ``opening``: maximum
    number of requests in the first minute, part of which is over.
    """
    minutes: Counter[int] = Counter()
    seconds: Counter[int] = Counter()
    ahead = contract.skew + contract.way
    arrival = begin + ahead
    first = int(arrival // 60)
    for turn in range(number):
        if turn == 1:
            arrival = max(arrival, known + ahead)
        while True:
            minute, second = int(arrival // 60), int(arrival // 1)
            if minutes[minute] >= (
                min(opening, contract.minute) if minute == first else contract.minute
            ):
                arrival = (minute + 1) * 60.0
            elif seconds[second] >= contract.second:
                arrival = second + 1.0
            else:
                break
        minutes[minute] += 1
        seconds[second] += 1
    return arrival - ahead - begin + max(contract.latency[0], contract.way)
