"""Client that sends requests and separates refused posts and types; nothing else.

The client is thin: it returns the nested JSON unchanged, together with the request that it
answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from itertools import chain
from operator import itemgetter
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn, Self

from engagement_pandas.auth.accounts import Accounts
from engagement_pandas.auth.credentials import AppOnly, UserContext
from engagement_pandas.auth.ledger import Ledger
from engagement_pandas.auth.signer_choice import Signers
from engagement_pandas.client.failures import Failures
from engagement_pandas.client.progress import Progress, Watch, bar
from engagement_pandas.client.request_task import RequestTask
from engagement_pandas.errors import CredentialsError, RequestError, TransportError
from engagement_pandas.request.coverage_check import uncovered
from engagement_pandas.request.packing import by_owner
from engagement_pandas.request.plan import Plan, plan
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.response.archives.archive import Archive, pending_requests
from engagement_pandas.response.archives.collection import Collection
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.response.resume import Answered, Left, resume
from engagement_pandas.text import pluralize
from engagement_pandas.transport.rate_limiter import RateLimiter
from engagement_pandas.transport.retries import MAX_ATTEMPTS
from engagement_pandas.transport.scheduler import Task
from engagement_pandas.transport.timeouts import TIMEOUT
from engagement_pandas.transport.transport import MAX_IN_FLIGHT, Transport
from engagement_pandas.transport.urls import BASE_URL, TOKEN_URL, checked_url, is_loopback


class EngagementClient:
    """A client of the Engagement API.

    Parameters
    ----------
    credentials : UserContext, AppOnly or Accounts
        Of the owner of the posts, or of the app alone (public counts of any post). With
        accounts, each post is requested with the tokens of its owner, taken from the
        ``handle`` column of the frame, and public counts with the app's.
    base_url : str
        Some copies of the documentation say ``https://data-api.x.com``. Plain http is
        accepted for this machine only. Proxies and a CA bundle are read from the environment
        at the first request.
    token_url : str
        Where ``AppOnly.from_consumer`` gets its bearer token.
    attempts : int
        Maximum number of attempts per request, the first included. Retried are 429, 500, 502
        to 504, 520 to 525, 527, 530, a broken connection, and a body that does not answer
        the request, with exponential backoff (up to 2, 4, 8, … 60 s) and a new signature.
    in_flight : int
        Maximum number of concurrent requests, within the rate limit: one until an answer
        reports the limit, and four if answers report none. With 1 they are sent one by one,
        in your thread and in the plan's order.
    timeout : tuple of float
        Seconds to connect, and between two bytes of the answer.
    ledger : Ledger, optional
        Records the distinct handles of each month, and enforces their limit; an owner of
        unknown handle is recorded as ``user_9``, for example. For a server on this machine
        (a sandbox), the contract's ledger is not used: give a ``Ledger(path)`` if you want
        one.
    clock, sleep : callable
        ``time.time`` and ``time.sleep``, or replacements for tests.

    Attributes
    ----------
    quota : RateLimiter
        The rate limit, as last reported by the API.

    Raises
    ------
    RequestError
        If a URL is not https, or ``attempts`` or ``in_flight`` is not positive.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> with ep.demo_client("2026-04-15") as demo:
    ...     responses = demo.client.fetch(ep.totals(demo.posts, engagement_types=["favorites"]))
    >>> sum(len(r.request.post_ids) for r in responses) == len(demo.posts)
    True
    """

    def __init__(  # noqa: PLR0913 - the options are independent, and only one is required
        self,
        credentials: UserContext | AppOnly | Accounts,
        *,
        base_url: str = BASE_URL,
        token_url: str = TOKEN_URL,
        attempts: int = MAX_ATTEMPTS,
        in_flight: int = MAX_IN_FLIGHT,
        timeout: tuple[float, float] = TIMEOUT,
        ledger: Ledger | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base_url = checked_url(base_url)
        self._transport = Transport(
            attempts=attempts, in_flight=in_flight, timeout=timeout, clock=clock, sleep=sleep
        )
        if ledger is not None and ledger.of_contract and is_loopback(self._base_url):
            ledger = None  # no contract bills the answers of a sandbox
        self._signers = Signers(credentials, checked_url(token_url), self._transport, ledger)

    @property
    def quota(self) -> RateLimiter:
        """The rate limit, as last reported by the API."""
        return self._transport.quota

    def now(self) -> datetime:
        """Return the client's current time, aware UTC; a demo may run at another date."""
        return self._transport.now()

    def fetch(
        self,
        request: EngagementRequest | Plan,
        *,
        responses: Sequence[EngagementResponse] = (),
        watch: Watch | None = None,
    ) -> list[EngagementResponse]:
        """Send as many requests as needed, and return every answer.

        Parameters
        ----------
        request : EngagementRequest or Plan
            Of any size.
        responses : sequence of EngagementResponse
            From an earlier fetch of the same request, as its ``error.responses``: what they
            settle is not sent again, however old (``retrieved_at``) it is.
        watch : callable, optional
            Called for each step with a ``Progress(done, total, waiting)``, in this thread:
            before anything is sent, once a second during every wait (``waiting 37 s for the
            quota``), and at the end. An exception from it ends the fetch: nothing more is
            sent, and the client can be used again. By default a progress bar, if there is
            more than one request; lines with the time, if standard error is not a terminal.

        Returns
        -------
        list of EngagementResponse
            In the order of the plan. Together they settle every requested post and type.
            Posts and types that the API refused are settled by the refusal (status 403 or
            400): ``flatten`` finds no counts in it, ``omissions`` the reason. Also settled
            are posts not requested because they did not exist yet (status 0), and, while
            others are answered, the posts of an owner whose tokens do not work and posts
            whose answers are never valid (status 0, ``failed``, and a UserWarning).

        Raises
        ------
        RequestError
            Before anything is sent, if one of ``responses`` does not belong to the request.
        UserContextRequired
            Before anything is sent, if a bearer token is not sufficient, or the tokens of an
            owner are missing; see :meth:`refusal`.
        AccountsError, MissingCredentials
            If tokens cannot be read, or belong to another app.
        LedgerFull
            If the request exceeds the ledger's limit of handles this month: before anything
            is sent, or midway if other processes have reached it in the meantime.
        LedgerError
            If the ledger cannot be read or written.
        TransportError
            If a request got no answer in all its attempts (``QuotaExceeded`` if the last was
            a 429), or the answers do not cover the request.
        RefusedError
            Immediately on 400, 401 (``Unauthorized``), 404 and 406, and on a 403 that names
            no post or type, with the API's own words.

        Notes
        -----
        Answers that arrived before an error are in its ``.responses``, even for a
        KeyboardInterrupt or an exception from ``watch``.
        """
        todo = self._planned(request)
        arrived, left = resume(todo, responses)
        self._signers.check([part for _, part in left], todo.request.owners)
        try:
            arrived.extend(self._stream(todo, left, watch))
        except BaseException as error:
            error.responses = _in_order(todo, arrived)  # type: ignore[attr-defined]
            answers = sum(response.status > 0 for _, response in arrived)
            if answers:
                report = f"{pluralize(answers, 'answer')} had arrived; see .responses"
                error.add_note(f"{report}. fetch(..., responses=error.responses) resumes")
            raise
        return [*_in_order(todo, arrived)]

    def stream(
        self, request: EngagementRequest | Plan, *, watch: Watch | None = None
    ) -> Iterator[EngagementResponse]:
        """Send requests as :meth:`fetch`, and yield each answer as it arrives, in any order.

        At most ``in_flight`` requests are concurrent, and none is sent while you process an
        answer. After an error, answers still in flight are yielded before the error is raised.
        """
        todo = self._planned(request)
        self._signers.check(todo.requests, todo.request.owners)
        yield from (EngagementResponse.unposted(part, todo.now) for part in todo.unposted)
        for _, response in self._stream(todo, list(enumerate(todo)), watch):
            yield response

    def collect(
        self,
        request: EngagementRequest | Plan,
        *,
        into: Archive | str | PathLike[str],
        watch: Watch | None = None,
    ) -> Collection:
        """Send requests as :meth:`fetch`, and store each answer on disk before parsing it.

        After any interruption, the same call resumes where it stopped: answered requests are
        not sent again.

        Parameters
        ----------
        request : EngagementRequest or Plan
            Of any size.
        into : Archive, str or path
            The archive, or its folder. A ``historical()`` request is answered once for all;
            for ``totals()`` and ``last_28_hours()``, each call creates a snapshot, or
            completes one that was begun up to an hour, or ten minutes, before.
        watch : callable, optional
            As in :meth:`fetch`.

        Returns
        -------
        Collection
            Iterates over the responses, from disk, for ``flatten`` and ``omissions``.

        Raises
        ------
        ArchiveError
            If answers cannot be stored, as on a full disk: before sending, or at the first.
        EngagementError
            As in :meth:`fetch`; AccountsError, LedgerError and similar only for requests
            that have no answer yet.
        """
        archive = _archive(into)
        todo, account, now = self._planned(request), self._signers.account, self.now()
        begun = archive.begun(todo, account, now)
        left = todo.requests if begun is None else pending_requests(begun)
        self._signers.check(left, todo.request.owners)
        collection = archive.collection(todo, account, now)
        if collection != begun:  # a new one: another process may have finished the old one
            left = collection.requests
        collection.records.check_room(left, self._transport.in_flight)
        kept, failed = 0, False
        try:
            for _, response in self._stream(todo, list(enumerate(left)), watch, collection):
                kept += response.status > 0
                failed |= response.failed
        except BaseException as error:
            if kept:
                then = "resumes" if collection.is_recent(self.now()) else "begins a new snapshot"
                error.add_note(f"the answers so far are in {collection.path}; the same call {then}")
            raise
        if not failed:
            collection.finish()
        return collection

    def _planned(self, request: EngagementRequest | Plan) -> Plan:
        return request if isinstance(request, Plan) else plan(request, now=self.now())

    def _stream(
        self, todo: Plan, left: Left, watch: Watch | None, into: Collection | None = None
    ) -> Iterator[tuple[int, EngagementResponse]]:
        """Yield the answers to the rest of a plan, with part numbers; check that they cover it."""
        requests, owners = [request for _, request in left], todo.request.owners
        parts = into.requests if into else todo.requests
        settled = len(parts) - len({number for number, _ in left})
        total = settled + len(left)
        failures = Failures(self._signers.several(parts, owners), settled, settled)
        answered: list[tuple[int, EngagementRequest]] = []

        with bar(total, self.now) if watch is None else nullcontext(watch) as report:
            scheduler = self._transport.scheduler(
                len(left), lambda waiting: report(Progress(failures.done, total, waiting))
            )
            tasks = self._tasks(left, owners, failures, into)
            for number, response in chain(scheduler.run(tasks), failures.settled()):
                answered.append((number, response.request))
                yield number, response
            report(Progress(total, total))
        answered.sort(key=itemgetter(0))
        if why := uncovered(requests, [request for _, request in answered]):
            msg = f"the answers do not cover the request; {why}"
            raise TransportError(msg)

    def _tasks(
        self, left: Left, owners: Mapping[str, str], failures: Failures, into: Collection | None
    ) -> Iterator[Task | None]:
        """Yield a task for each part; None while the bearer token that it needs is fetched."""
        tasks: dict[str, RequestTask] = {}  # the last of each owner
        for number, request in left:
            owner = self._signers.handle(request, owners)
            while owner in tasks and tasks[owner].fetches_token:
                yield None
            tasks[owner] = RequestTask(
                number,
                request,
                self._base_url,
                owner,
                self._signers.signer,
                self._transport,
                failures,
                into,
            )
            yield tasks[owner]

    def refusal(self, request: EngagementRequest | Plan) -> str | None:
        """Return why this client cannot send a request, and the remedy; None if it can.

        Examples
        --------
        >>> import engagement_pandas as ep
        >>> public = EngagementClient(ep.AppOnly("a-bearer-token"))
        >>> public.refusal(ep.totals(["7"], engagement_types=["favorites", "impressions"]))
        "only the owner of the posts may read ['impressions']; use UserContext with ..."
        >>> public.refusal(ep.totals(["7"], engagement_types=["favorites"])) is None
        True
        """
        if isinstance(request, Plan):
            return self._signers.refusal(request.requests, request.request.owners)
        return self._signers.refusal(by_owner(request), request.owners)

    def close(self) -> None:
        """Close the connections; the client can be used again."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        msg = (
            "an EngagementClient cannot be pickled or copied, so that no secret is written; create "
            "another where it is needed, with credentials from_env()"
        )
        raise CredentialsError(msg)

    def __repr__(self) -> str:
        return f"EngagementClient({self._base_url} with {self._signers.credentials!r})"


def _archive(into: Any) -> Archive:
    if isinstance(into, Archive):
        return into
    if isinstance(into, str | PathLike) and str(into):
        return Archive(Path(into))
    msg = f"into is {into!r}; give an Archive, or the name of its folder"
    raise RequestError(msg)


def _in_order(todo: Plan, arrived: Answered) -> tuple[EngagementResponse, ...]:
    """Return answers in the order of the plan; several for one part in order of arrival."""
    answers = (response for _, response in sorted(arrived, key=itemgetter(0)))
    return (*(EngagementResponse.unposted(part, todo.now) for part in todo.unposted), *answers)
