"""Several errands at once, driven from one thread, within one quota.

An errand is a coroutine: it awaits that something is sent (:class:`Send`), that time
passes (:class:`Sleep`), that others are done with something (:class:`Lock`), or that something
is taken off its hands (:class:`Emit`). All errands run in the thread that flies them, one at
a time; only what is sent is waited for in threads of its own. So nothing has to be locked but
the quota, and whoever watches is told in the thread that asked.

It is not asyncio: a notebook has a loop running already, and this one has to tell second by
second what it waits for, and be called off.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Hashable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Final, Protocol

from engagement_pandas.errors import RequestError
from engagement_pandas.transport.rate_limiter import Permit, RateLimiter

POLL_SECONDS: Final = 1.0
"""Seconds between two words about a wait; no later than that it can be called off."""

DRAIN_SECONDS: Final = 5.0
"""Seconds without an answer, after which a flight that was ended waits for no more."""

log = logging.getLogger("engagement_pandas")


@dataclass(frozen=True, slots=True, eq=False)
class Instruction:
    """What an errand cannot go on without."""

    def __await__(self) -> Generator[Instruction, Any, Any]:
        return (yield self)


@dataclass(frozen=True, slots=True, eq=False)
class Send(Instruction):
    """A place in the quota, and what the job returns; it runs in a thread of its own."""

    job: Callable[[Permit], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Sleep(Instruction):
    """So many seconds, after a failure."""

    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Emit(Instruction):
    """Something to hand over to whoever flies."""

    what: Any


@dataclass(frozen=True, slots=True, eq=False)
class Lock(Instruction):
    """To be the flight's only errand at something; then call what is returned."""

    at: Hashable


Task = Coroutine[Instruction, Any, None]


@dataclass(frozen=True, slots=True)
class Completion:
    """What came of a job: its outcome, or an error."""

    errand: Task
    outcome: Any = None
    error: BaseException | None = None


class Executor(Protocol):
    """Where jobs are on their way."""

    pending: int

    def submit(self, errand: Task, job: Callable[[], Any]) -> None:
        """Begin a job."""

    def wait(self, seconds: float) -> Completion | None:
        """Return what lands within so many seconds; None where nothing does."""


class ThreadExecutor:
    """A thread a job. They hold up no one: not even the end of the process."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self.pending = 0
        self._sleep = sleep
        self._landed: SimpleQueue[Completion] = SimpleQueue()

    def submit(self, errand: Task, job: Callable[[], Any]) -> None:
        """Begin a job in a thread."""
        threading.Thread(
            target=lambda: self._landed.put(_done(errand, job)),
            name="engagement_pandas request",
            daemon=True,
        ).start()
        self.pending += 1

    def wait(self, seconds: float) -> Completion | None:
        """Return what lands within so many seconds; None where nothing does."""
        if not self.pending:
            self._sleep(seconds)
            return None
        try:
            landing = self._landed.get(timeout=seconds)
        except Empty:
            return None
        self.pending -= 1
        return landing


class InlineExecutor:
    """One job at a time, in this thread."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self.pending = 0
        self._sleep = sleep
        self._landed: Completion | None = None

    def submit(self, errand: Task, job: Callable[[], Any]) -> None:
        """Do a job."""
        self._landed = _done(errand, job)
        self.pending = 1

    def wait(self, seconds: float) -> Completion | None:
        """Return what has landed; without anything, sleep."""
        landing, self._landed = self._landed, None
        if landing is None:
            self._sleep(seconds)
        self.pending = 0
        return landing


def _done(errand: Task, job: Callable[[], Any]) -> Completion:
    try:
        return Completion(errand, job())
    except BaseException as error:  # noqa: BLE001 - goes on in the thread that flies
        return Completion(errand, error=error)


class Scheduler:
    """Flies errands: as many at once as the quota and ``most`` allow.

    A failure makes it careful. An errand that rests keeps its place among ``most``; and while
    nobody gets through, only the first that failed is sent again. So a service that is down
    gets no more than what was on its way, and the attempts of one request.

    Parameters
    ----------
    quota : RateLimiter
    clock : callable
        Seconds since 1970, as ``time.time``.
    air : Executor
    most : int
        Errands at once.
    say : callable
        Told ``""`` before each start, and each second of a wait why and how long yet. What
        it raises ends the flight.
    """

    def __init__(
        self,
        quota: RateLimiter,
        clock: Callable[[], float],
        air: Executor,
        most: int,
        say: Callable[[str], None],
    ) -> None:
        self.done = 0
        """Errands that are settled."""
        self._quota = quota
        self._clock = clock
        self._air = air
        self._most = most
        self._say = say
        self._said = self._why = ""
        self._live: set[Task] = set()
        self._ready: deque[tuple[Task, Callable[[Permit], Any]]] = deque()
        self._resting: dict[Task, float] = {}  # seconds left
        self._queue: list[tuple[Task, Hashable]] = []
        self._taken: set[Hashable] = set()
        self._now = clock()
        self._failing: Task | None = None
        self._process = os.getpid()  # what is on its way arrives there

    def run(self, errands: Iterator[Task]) -> Iterator[Any]:
        """Yield what the errands give, as it arrives.

        An error of one of them, or of ``say``, ends it: nothing more is sent, and what lands
        without a pause of more than :data:`DRAIN_SECONDS` seconds is still given before the error.
        """
        try:
            while True:
                if self._start():
                    continue
                if landing := self._called():
                    yield from self._go_on(landing)
                elif errand := self._next(errands):
                    self._live.add(errand)
                    yield from self._go_on(Completion(errand))
                elif self._live:
                    yield from self._wait()
                else:
                    return
        except GeneratorExit:  # nobody is there to take what lands
            raise
        except BaseException:
            yield from self._land()
            raise
        finally:
            for errand in self._live:
                errand.close()

    def _next(self, errands: Iterator[Task]) -> Task | None:
        """Return an errand that is to begin, where there is room for it."""
        if self._ready or len(self._live) >= self._quota.max_concurrency(self._most):
            return None
        return next(errands, None)

    def _called(self) -> Completion | None:
        """Return an errand whose turn has come."""
        for errand, at in self._queue:
            if at not in self._taken:
                self._queue.remove((errand, at))
                self._taken.add(at)
                return Completion(errand, partial(self._taken.discard, at))
        return None

    def _start(self) -> bool:
        """Send what is next, if the quota has room for it."""
        if self._process != os.getpid():
            msg = "this began before a fork, and goes on in the other process alone"
            raise RequestError(msg)
        it = self._startable()
        if it is None or self._quota.pause() > 0:
            return False
        self._why = ""
        self._tell("", again=True)
        place = self._quota.take()
        if place is None:  # another flight was quicker
            return False
        self._ready.remove(it)
        errand, job = it
        try:
            self._air.submit(errand, partial(job, place))
        except BaseException:
            self._quota.release(place)
            raise
        return True

    def _startable(self) -> tuple[Task, Callable[[Permit], Any]] | None:
        return next((it for it in self._ready if self._failing in (None, it[0])), None)

    def _wait(self) -> Iterator[Any]:
        """Wait for a landing, for the quota or for the end of a rest, a tick at most."""
        self._pass_time()
        rest = max(0.0, min(self._resting.values(), default=POLL_SECONDS))
        why, seconds = "", rest
        if self._startable():
            # No less than a clock can tell.
            why, seconds = "for the quota", max(self._quota.pause(), 0.001)
        elif not self._air.pending:
            why = "to try again"
        if why and why != self._why:
            log.info("waiting %.1f s %s", seconds, why)
        self._why = why
        if why and (seconds >= POLL_SECONDS or not self._air.pending):
            self._tell(f"waiting {math.ceil(seconds)} s {why}")
        nap = min(POLL_SECONDS, seconds)
        landing = self._air.wait(nap)
        self._pass_time(nap if landing is None else 0.0)
        if landing is not None:
            yield from self._go_on(landing)
            if landing.errand not in self._resting:
                self._failing = None  # somebody gets through
        elif not why:
            self._tell("", again=True)
        for errand in [errand for errand, left in self._resting.items() if left <= 0]:
            del self._resting[errand]
            yield from self._go_on(Completion(errand))

    def _pass_time(self, nap: float = 0.0) -> None:
        """Let rests grow shorter by the clock; by the nap at least, for it may be set back."""
        now = self._clock()
        passed, self._now = max(now - self._now, nap), now
        for errand in self._resting:
            self._resting[errand] -= passed

    def _go_on(self, landing: Completion) -> Iterator[Any]:
        """Let an errand go on to its next need."""
        errand = landing.errand
        try:
            if landing.error is not None:
                need = errand.throw(landing.error)
            else:
                need = errand.send(landing.outcome)
            while isinstance(need, Emit):
                yield need.what
                need = errand.send(None)
        except StopIteration:
            self._live.discard(errand)
            self.done += 1
            return
        if isinstance(need, Send):
            self._ready.append((errand, need.job))
        elif isinstance(need, Sleep):
            self._pass_time()
            self._resting[errand] = need.seconds
            self._failing = self._failing or errand
        elif isinstance(need, Lock):
            self._queue.append((errand, need.at))

    def _land(self) -> Iterator[Any]:
        """Take in what is still on its way."""
        left = DRAIN_SECONDS if self._process == os.getpid() else 0
        while self._air.pending and left > 0:
            landing = self._air.wait(POLL_SECONDS)
            if landing is None:
                left -= POLL_SECONDS
                continue
            left = DRAIN_SECONDS
            with suppress(Exception):  # the first error is told, not those that follow
                yield from self._go_on(landing)

    def _tell(self, words: str, *, again: bool = False) -> None:
        if again or words != self._said:
            self._said = words
            self._say(words)
