"""Scheduler: sends requests concurrently within one rate limit, driven from the caller's thread.

Each attempt to send a request runs in one of several threads. Everything else runs in the thread
that called: it starts attempts, waits for their futures, and retries failed ones after a
backoff. So only the rate limiter needs a lock, and progress is reported in the caller's thread.

An event loop would have to run in another thread, since a notebook already runs one in the
caller's. Workers that wait by themselves could neither report nor sleep by the caller's clock.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
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


class Call(Protocol):
    """One request until its outcome, in one or more attempts."""

    def attempt(self, permit: Permit) -> Any:
        """Send it once, in any thread, and return the outcome."""

    def retry_delay(self, outcome: Any) -> float | None:
        """Return the seconds until the next attempt; None if the outcome is final."""


class Task(Protocol):
    """Requests that are sent one after another, since each depends on the last outcome."""

    @property
    def call(self) -> Call | None:
        """The request to send next; None if the task is complete."""

    def advance(self, outcome: Future[Any] | None = None) -> Iterable[Any]:
        """Process the final outcome of the last request, yield results, and set the next one."""


class ThreadExecutor:
    """Runs functions in daemon threads, as many as are pending at once.

    The threads of a ThreadPoolExecutor would delay the end of the process.
    """

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self.pending = 0
        self._sleep = sleep
        self._threads = 0
        self._submitted: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._completed: SimpleQueue[Future[Any]] = SimpleQueue()

    def submit(self, function: Callable[[], Any]) -> Future[Any]:
        """Start a function, and return the future of its result."""
        future: Future[Any] = Future()
        future.add_done_callback(self._completed.put)
        self._start(partial(run_into, future, function))
        self.pending += 1
        return future

    def wait(self, seconds: float) -> Future[Any] | None:
        """Return the next future completed within that many seconds, or None."""
        if not self.pending:
            self._sleep(seconds)
            return None
        try:
            future = self._completed.get(timeout=seconds)
        except Empty:
            return None
        self.pending -= 1
        return future

    def close(self) -> None:
        """Let each thread end once its function has ended."""
        self._submitted.put(None)

    def _start(self, function: Callable[[], None]) -> None:
        if self._threads == self.pending:  # all are busy
            run = partial(run_submitted, self._submitted)
            threading.Thread(target=run, name="engagement_pandas request", daemon=True).start()
            self._threads += 1
        self._submitted.put(function)


class InlineExecutor(ThreadExecutor):
    """Runs each function immediately, in the caller's thread."""

    def _start(self, function: Callable[[], None]) -> None:
        function()


def run_submitted(functions: SimpleQueue[Callable[[], None] | None]) -> None:
    """Call functions as they are submitted, until None is, which ends every thread."""
    while function := functions.get():
        function()
        del function  # it holds an answer
    functions.put(None)


def run_into(future: Future[Any], function: Callable[[], Any]) -> None:
    """Complete a future with the result of a function, or its exception."""
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
        future.set_exception(error)
    else:
        future.set_result(result)


class Scheduler:
    """Runs tasks, as many concurrently as the rate limit and ``most`` allow.

    A task that waits for a retry still counts towards ``most``; and until a request succeeds,
    only the first task that failed is retried. So a service that is down receives no more than
    the requests in flight and the retries of one request.

    ``report`` is called with ``""`` before each start, and each second of a wait with the reason
    and the time left. An exception from it ends the run. The clock is as ``time.time``.
    """

    def __init__(
        self,
        quota: RateLimiter,
        clock: Callable[[], float],
        executor: ThreadExecutor,
        most: int,
        report: Callable[[str], None],
    ) -> None:
        self._quota = quota
        self._clock = clock
        self._executor = executor
        self._most = most
        self._report = report
        self._reported = self._reason = ""
        self._live = 0
        # Each task is in one of three states: ready to send, in flight, or waiting for a retry.
        self._ready: deque[Task] = deque()
        self._in_flight: dict[Future[Any], Task] = {}
        self._backing_off: dict[Task, float] = {}  # seconds left
        self._failing: Task | None = None
        self._now = clock()
        self._process = os.getpid()  # answers arrive in this process

    def run(self, tasks: Iterator[Task | None]) -> Iterator[Any]:
        """Yield the results of tasks as they arrive.

        ``tasks`` may yield None while the next task has to wait for one that has started.

        An error of a task or of ``report`` ends the run: nothing more is sent, and answers that
        arrive without a gap of more than :data:`DRAIN_SECONDS` seconds are still yielded
        before the error is raised.
        """
        try:
            while True:
                if self._start_request():
                    continue
                if task := self._next(tasks):
                    self._live += 1
                    yield from self._advance(task)
                elif self._live:
                    yield from self._wait()
                else:
                    return
        except GeneratorExit:  # further answers would have no receiver
            raise
        except BaseException:
            yield from self._drain()
            raise
        finally:
            self._executor.close()

    def _next(self, tasks: Iterator[Task | None]) -> Task | None:
        """Return the next new task if it may start."""
        if self._ready or self._live >= self._quota.max_concurrency(self._most):
            return None
        return next(tasks, None)

    def _advance(self, task: Task, outcome: Future[Any] | None = None) -> Iterator[Any]:
        """Run a task up to its next request, or to its end."""
        yield from task.advance(outcome)
        if task.call is None:
            self._live -= 1
        else:
            self._ready.append(task)

    def _start_request(self) -> bool:
        """Send the next request if the rate limit allows it."""
        if self._process != os.getpid():
            msg = "this fetch began before a fork; it continues only in the parent process"
            raise RequestError(msg)
        task = self._startable()
        if task is None or task.call is None or self._quota.pause() > 0:
            return False
        self._reason = ""
        self._tell("", again=True)
        permit = self._quota.take()
        if permit is None:  # another scheduler took it
            return False
        self._ready.remove(task)
        try:
            future = self._executor.submit(partial(task.call.attempt, permit))
        except BaseException:
            self._quota.release(permit)
            raise
        self._in_flight[future] = task
        return True

    def _startable(self) -> Task | None:
        return next((task for task in self._ready if self._failing in (None, task)), None)

    def _wait(self) -> Iterator[Any]:
        """Wait for an answer, the rate limit or a retry, at most one poll period."""
        self._pass_time()
        seconds, reason = self._until_next()
        self._report_wait(seconds, reason)
        nap = min(POLL_SECONDS, seconds)
        future = self._executor.wait(nap)
        self._pass_time(nap if future is None else 0.0)
        if future is not None:
            yield from self._complete(future)
        elif not reason:
            self._tell("", again=True)
        for task in [task for task, left in self._backing_off.items() if left <= 0]:
            del self._backing_off[task]
            self._ready.append(task)

    def _until_next(self) -> tuple[float, str]:
        """Return the longest time to wait, and the reason if not for an answer only."""
        if self._startable():
            # At least the resolution of a clock.
            return max(self._quota.pause(), 0.001), "for the quota"
        seconds = max(0.0, min(self._backing_off.values(), default=POLL_SECONDS))
        return seconds, "" if self._in_flight else "to try again"

    def _report_wait(self, seconds: float, reason: str) -> None:
        if reason and reason != self._reason:
            log.info("waiting %.1f s %s", seconds, reason)
        self._reason = reason
        if reason and (seconds >= POLL_SECONDS or not self._in_flight):
            self._tell(f"waiting {math.ceil(seconds)} s {reason}")

    def _complete(self, future: Future[Any]) -> Iterator[Any]:
        """Retry a failed request later, or advance its task."""
        task = self._in_flight.pop(future)
        delay = None
        if task.call is not None and future.exception() is None:
            delay = task.call.retry_delay(future.result())
        if delay is None:
            self._failing = None  # the service answers, or this request is given up
            yield from self._advance(task, future)
        else:
            self._backing_off[task] = delay
            self._failing = self._failing or task

    def _pass_time(self, nap: float = 0.0) -> None:
        """Shorten backoffs by the time passed, at least by the nap: the clock may be set back."""
        now = self._clock()
        passed, self._now = max(now - self._now, nap), now
        for task in self._backing_off:
            self._backing_off[task] -= passed

    def _drain(self) -> Iterator[Any]:
        """Yield what is still in flight when a run ends early."""
        left = DRAIN_SECONDS if self._process == os.getpid() else 0
        while self._in_flight and left > 0:
            # An interrupt may have come after the executor returned a future.
            done = next((future for future in self._in_flight if future.done()), None)
            future = done or self._executor.wait(POLL_SECONDS)
            if future is None:
                left -= POLL_SECONDS
                continue
            if future not in self._in_flight:  # completed above
                continue
            left = DRAIN_SECONDS
            with suppress(Exception):  # only the first error is raised
                yield from self._complete(future)

    def _tell(self, text: str, *, again: bool = False) -> None:
        if again or text != self._reported:
            self._reported = text
            self._report(text)
