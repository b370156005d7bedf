"""Scheduler of concurrent tasks, driven from one thread, within one rate limit.

A task is a coroutine that awaits :class:`Send`, :class:`Sleep`, :class:`Lock` or
:class:`Emit`. All tasks run in the thread that called the scheduler, one at a time; only sent
requests run in their own threads. So only the rate limiter needs a lock, and progress is
reported in the caller's thread.

It does not use asyncio: a notebook already runs an event loop, and this scheduler must report
every second what it waits for, and be cancellable.
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
"""Seconds between two progress reports during a wait; also the longest delay of a cancel."""

DRAIN_SECONDS: Final = 5.0
"""Seconds without an answer after which a cancelled run stops waiting."""

log = logging.getLogger("engagement_pandas")


@dataclass(frozen=True, slots=True, eq=False)
class Instruction:
    """What a task awaits."""

    def __await__(self) -> Generator[Instruction, Any, Any]:
        return (yield self)


@dataclass(frozen=True, slots=True, eq=False)
class Send(Instruction):
    """Wait for a permit, run the job in its own thread, and return its result."""

    job: Callable[[Permit], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Sleep(Instruction):
    """Wait for some seconds, after a failure."""

    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Emit(Instruction):
    """Yield something to the caller of the scheduler."""

    what: Any


@dataclass(frozen=True, slots=True, eq=False)
class Lock(Instruction):
    """Wait for exclusive use of something; call the returned function to release it."""

    at: Hashable


Task = Coroutine[Instruction, Any, None]


@dataclass(frozen=True, slots=True)
class Completion:
    """The outcome of a job, or its error."""

    task: Task
    outcome: Any = None
    error: BaseException | None = None


class Executor(Protocol):
    """Runs jobs."""

    pending: int

    def submit(self, task: Task, job: Callable[[], Any]) -> None:
        """Start a job."""

    def wait(self, seconds: float) -> Completion | None:
        """Return the next job completed within that many seconds, or None."""


class ThreadExecutor:
    """Runs each job in its own daemon thread, so that no job delays the end of the process."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self.pending = 0
        self._sleep = sleep
        self._landed: SimpleQueue[Completion] = SimpleQueue()

    def submit(self, task: Task, job: Callable[[], Any]) -> None:
        """Start a job in a thread."""
        threading.Thread(
            target=lambda: self._landed.put(_done(task, job)),
            name="engagement_pandas request",
            daemon=True,
        ).start()
        self.pending += 1

    def wait(self, seconds: float) -> Completion | None:
        """Return the next job completed within that many seconds, or None."""
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
    """Runs one job at a time, in this thread."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self.pending = 0
        self._sleep = sleep
        self._landed: Completion | None = None

    def submit(self, task: Task, job: Callable[[], Any]) -> None:
        """Run a job."""
        self._landed = _done(task, job)
        self.pending = 1

    def wait(self, seconds: float) -> Completion | None:
        """Return the completed job; sleep if there is none."""
        landing, self._landed = self._landed, None
        if landing is None:
            self._sleep(seconds)
        self.pending = 0
        return landing


def _done(task: Task, job: Callable[[], Any]) -> Completion:
    try:
        return Completion(task, job())
    except BaseException as error:  # noqa: BLE001 - raised again in the scheduler's thread
        return Completion(task, error=error)


class Scheduler:
    """Runs tasks, as many concurrently as the rate limit and ``most`` allow.

    After a failure, a sleeping task still counts towards ``most``; and until a request
    succeeds, only the first task that failed is retried. So a service that is down receives
    no more than the requests in flight and the retries of one request.

    ``say`` is called with ``""`` before each start, and each second of a wait with the reason and
    the time left. An exception from it ends the run. The clock is as ``time.time``.
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
        """Number of completed tasks."""
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
        self._process = os.getpid()  # answers arrive in this process

    def run(self, tasks: Iterator[Task]) -> Iterator[Any]:
        """Yield what the tasks emit, as it arrives.

        An error of a task or of ``say`` ends the run: nothing more is sent, and answers that
        arrive without a gap of more than :data:`DRAIN_SECONDS` seconds are still yielded
        before the error is raised.
        """
        try:
            while True:
                if self._start():
                    continue
                if landing := self._called():
                    yield from self._go_on(landing)
                elif task := self._next(tasks):
                    self._live.add(task)
                    yield from self._go_on(Completion(task))
                elif self._live:
                    yield from self._wait()
                else:
                    return
        except GeneratorExit:  # nobody would receive further answers
            raise
        except BaseException:
            yield from self._land()
            raise
        finally:
            for task in self._live:
                task.close()

    def _next(self, tasks: Iterator[Task]) -> Task | None:
        """Return the next new task if it may start."""
        if self._ready or len(self._live) >= self._quota.max_concurrency(self._most):
            return None
        return next(tasks, None)

    def _called(self) -> Completion | None:
        """Return a task that can take its lock."""
        for task, at in self._queue:
            if at not in self._taken:
                self._queue.remove((task, at))
                self._taken.add(at)
                return Completion(task, partial(self._taken.discard, at))
        return None

    def _start(self) -> bool:
        """Send the next request if the rate limit allows it."""
        if self._process != os.getpid():
            msg = "this began before a fork, and goes on in the other process alone"
            raise RequestError(msg)
        it = self._startable()
        if it is None or self._quota.pause() > 0:
            return False
        self._why = ""
        self._tell("", again=True)
        place = self._quota.take()
        if place is None:  # another scheduler took the permit
            return False
        self._ready.remove(it)
        task, job = it
        try:
            self._air.submit(task, partial(job, place))
        except BaseException:
            self._quota.release(place)
            raise
        return True

    def _startable(self) -> tuple[Task, Callable[[Permit], Any]] | None:
        return next((it for it in self._ready if self._failing in (None, it[0])), None)

    def _wait(self) -> Iterator[Any]:
        """Wait for an answer, the rate limit or the end of a sleep, at most one poll period."""
        self._pass_time()
        rest = max(0.0, min(self._resting.values(), default=POLL_SECONDS))
        why, seconds = "", rest
        if self._startable():
            # At least the resolution of a clock.
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
            if landing.task not in self._resting:
                self._failing = None  # a request succeeded
        elif not why:
            self._tell("", again=True)
        for task in [task for task, left in self._resting.items() if left <= 0]:
            del self._resting[task]
            yield from self._go_on(Completion(task))

    def _pass_time(self, nap: float = 0.0) -> None:
        """Shorten sleeps by the time passed, at least by the nap: the clock may be set back."""
        now = self._clock()
        passed, self._now = max(now - self._now, nap), now
        for task in self._resting:
            self._resting[task] -= passed

    def _go_on(self, landing: Completion) -> Iterator[Any]:
        """Run a task up to its next instruction."""
        task = landing.task
        try:
            if landing.error is not None:
                need = task.throw(landing.error)
            else:
                need = task.send(landing.outcome)
            while isinstance(need, Emit):
                yield need.what
                need = task.send(None)
        except StopIteration:
            self._live.discard(task)
            self.done += 1
            return
        if isinstance(need, Send):
            self._ready.append((task, need.job))
        elif isinstance(need, Sleep):
            self._pass_time()
            self._resting[task] = need.seconds
            self._failing = self._failing or task
        elif isinstance(need, Lock):
            self._queue.append((task, need.at))

    def _land(self) -> Iterator[Any]:
        """Collect what is still in flight."""
        left = DRAIN_SECONDS if self._process == os.getpid() else 0
        while self._air.pending and left > 0:
            landing = self._air.wait(POLL_SECONDS)
            if landing is None:
                left -= POLL_SECONDS
                continue
            left = DRAIN_SECONDS
            with suppress(Exception):  # only the first error is raised
                yield from self._go_on(landing)

    def _tell(self, words: str, *, again: bool = False) -> None:
        if again or words != self._said:
            self._said = words
            self._say(words)
