"""Ask, and set aside what is refused; nothing else.

The client is thin: it gives back the nested JSON as it came, beside the request that it
answers.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from functools import partial
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import msgspec
from requests.auth import AuthBase, HTTPBasicAuth

from engagement_pandas.archive import Archive
from engagement_pandas.auth import AppOnly, Bearer, UserContext
from engagement_pandas.collection import Collection
from engagement_pandas.errors import (
    CredentialsError,
    RefusedError,
    UserContextRequired,
)
from engagement_pandas.planning import Plan, plan
from engagement_pandas.progress import Progress, Watch, bar
from engagement_pandas.quota import Quota
from engagement_pandas.refusals import refused, settle
from engagement_pandas.request import EngagementRequest
from engagement_pandas.response import EngagementResponse
from engagement_pandas.tokens import read_token
from engagement_pandas.transport import (
    ATTEMPTS,
    TIMEOUT,
    Answer,
    Message,
    Transport,
    checked_url,
    texts,
)

BASE_URL: Final = "https://data-api.twitter.com"
TOKEN_URL: Final = "https://api.twitter.com/oauth2/token"  # noqa: S105 - no secret


log = logging.getLogger("engagement_pandas")


class EngagementClient:
    """A client of the Engagement API.

    Parameters
    ----------
    credentials : UserContext or AppOnly
        Of the owner of the posts, or of the app alone (public counts of any post).
    base_url : str
        Some copies of the documentation say ``https://data-api.x.com``. Plain http is
        accepted for this machine only.
    token_url : str
        Where ``AppOnly.from_consumer`` gets its bearer token.
    attempts : int
        How often a request is sent, the first time included: again after 429, 500, 502,
        503, 504, a broken connection, and a body that is cut off or no JSON, with
        exponential backoff (up to 2, 4, 8, … 60 s) and a new signature.
    timeout : tuple of float
        Seconds to connect, and between two bytes of the answer.
    clock, sleep : callable
        ``time.time`` and ``time.sleep``; tests put their own in.

    Attributes
    ----------
    quota : Quota
        What the API last said of the quota.

    Raises
    ------
    RequestError
        Where a URL is not https, or ``attempts`` is not positive.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> with ep.demo_client(now="2026-04-15T12:20:00Z") as demo:
    ...     request = ep.totals(demo.posts, engagement_types=["favorites"])
    ...     responses = demo.client.fetch(request)
    >>> sum(len(r.request.post_ids) for r in responses) == len(demo.posts)
    True
    """

    def __init__(  # noqa: PLR0913 - each is a fact of its own, and only one is needed
        self,
        credentials: UserContext | AppOnly,
        *,
        base_url: str = BASE_URL,
        token_url: str = TOKEN_URL,
        attempts: int = ATTEMPTS,
        timeout: tuple[float, float] = TIMEOUT,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not isinstance(credentials, UserContext | AppOnly):
            msg = f"credentials are a {type(credentials).__name__}; give UserContext or AppOnly"
            raise CredentialsError(msg)
        self._credentials = credentials
        self._base_url = checked_url(base_url)
        self._token_url = checked_url(token_url)
        self._token: str | None = None
        self._transport = Transport(attempts=attempts, timeout=timeout, clock=clock, sleep=sleep)

    @property
    def quota(self) -> Quota:
        """What the API last said of the quota."""
        return self._transport.quota

    def now(self) -> datetime:
        """Return the present by the client's clock, aware UTC; a demo may play another day."""
        return self._transport.now()

    def fetch(
        self, request: EngagementRequest | Plan, *, watch: Watch | None = None
    ) -> list[EngagementResponse]:
        """Ask, in as many requests as it takes, and return every answer.

        Parameters
        ----------
        request : EngagementRequest or Plan
            Of any size.
        watch : callable, optional
            Told of each step as a ``Progress(done, total, waiting)``, in this thread:
            before anything is sent, once a second of every wait (``waiting 37 s for the
            quota``), and at the end. What it raises ends the fetch: nothing more is sent,
            and the client may be used again. By default a progress bar, where there is
            more than one request.

        Returns
        -------
        list of EngagementResponse
            Together they settle every post and type asked for. Posts and types that the
            API refused are settled by the refusal (status 403 or 400): ``flatten`` finds
            no counts in it, ``omissions`` the reason.

        Raises
        ------
        UserContextRequired
            Before anything is sent, where a bearer token will not do; see :meth:`refusal`.
        TransportError
            Where a request found no answer in all its attempts; ``QuotaExceeded`` where
            the last word was 429.
        RefusedError
            At once on 400, 401 (``Unauthorized``), 404 and 406, and on a 403 that names
            no post or type, with the API's own words.

        Notes
        -----
        What had been answered before an error is in its ``.responses``, also where that is
        a KeyboardInterrupt or comes from ``watch``.
        """
        responses: list[EngagementResponse] = []
        try:
            for response in self.stream(request, watch=watch):
                responses.append(response)  # noqa: PERF402 - kept when the next one fails
        except BaseException as error:
            error.responses = tuple(responses)  # type: ignore[attr-defined]
            if responses:
                error.add_note(f"{len(responses)} answers had arrived; they are in .responses")
            raise
        return responses

    def stream(
        self, request: EngagementRequest | Plan, *, watch: Watch | None = None
    ) -> Iterator[EngagementResponse]:
        """Ask as :meth:`fetch`, and yield each answer as it arrives."""
        yield from self._stream(self._planned(request), watch)

    def collect(
        self, request: EngagementRequest | Plan, *, into: Archive, watch: Watch | None = None
    ) -> Collection:
        """Ask as :meth:`fetch`, and store each answer on disk before anything is read of it.

        Whatever interrupts it, the same call goes on where it stopped: what was answered is
        not asked again.

        Parameters
        ----------
        request : EngagementRequest or Plan
            Of any size.
        into : Archive
            Where to. Of ``historical()``, a question is answered once for all; of
            ``totals()`` and ``last_28_hours()``, each call makes a snapshot, or completes
            the one that was not finished.
        watch : callable, optional
            As :meth:`fetch` has it.

        Returns
        -------
        Collection
            Iterates over the responses, from disk, for ``flatten`` and ``omissions``.

        Raises
        ------
        ArchiveError
            Where an answer cannot be stored, as on a full disk.
        EngagementError
            As :meth:`fetch`.
        """
        todo = self._planned(request)
        collection = into.collection(todo, self._credentials.account, self.now())
        try:
            for _ in self._stream(replace(todo, requests=collection.requests), watch, collection):
                pass
        except BaseException as error:
            error.add_note(f"what was answered is in {collection.path}; the same call goes on")
            raise
        collection.finish()
        return collection

    def _planned(self, request: EngagementRequest | Plan) -> Plan:
        todo = request if isinstance(request, Plan) else plan(request, now=self.now())
        if refusal := self.refusal(todo):
            raise UserContextRequired(refusal)
        return todo

    def _stream(
        self, todo: Plan, watch: Watch | None, into: Collection | None = None
    ) -> Iterator[EngagementResponse]:
        total = len(todo)
        with bar(total) if watch is None else nullcontext(watch) as told:
            for done, part in enumerate(todo):
                yield from self._settle(part, partial(_tell, told, done, total), into)
            told(Progress(total, total))

    def refusal(self, request: EngagementRequest | Plan) -> str | None:
        """Tell why this client cannot ask it, and the cure; None where it can.

        Examples
        --------
        >>> import engagement_pandas as ep
        >>> public = EngagementClient(ep.AppOnly("a-bearer-token"))
        >>> public.refusal(ep.totals(["7"], engagement_types=["favorites", "impressions"]))
        "['impressions'] are told only to the owner of the posts; use UserContext with ..."
        >>> public.refusal(ep.totals(["7"], engagement_types=["favorites"])) is None
        True
        """
        asked = request.request if isinstance(request, Plan) else request
        if not isinstance(self._credentials, AppOnly) or asked.owner_only is None:
            return None
        return f"{asked.owner_only}; use UserContext with the owner's access token"

    def close(self) -> None:
        """Close the connections; the client may be used again."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"EngagementClient({self._base_url} with {self._credentials!r})"

    def _settle(
        self,
        request: EngagementRequest,
        say: Callable[[str], None],
        into: Collection | None = None,
    ) -> Iterator[EngagementResponse]:
        """Yield answers that together settle the request; each refusal makes it smaller."""
        pending = [request]
        while pending:
            asked = pending.pop(0)
            answer = None if into is None else into.find(asked)
            if answer is None:
                answer = self._ask(asked, say)
                # Stored as it came, before its counts are read.
                if into is not None and settle(answer)[0] is not None:
                    answer = into.keep(answer)
            response, left = settle(answer)
            if response is None:
                raise self._refused(asked.endpoint.facts.path, answer.status, answer.content)
            if response is not answer:
                log.info("HTTP %s settles %r", answer.status, response.request)
            pending += left
            yield response

    def _ask(self, asked: EngagementRequest, say: Callable[[str], None]) -> EngagementResponse:
        answer = self._post(
            self._base_url + asked.endpoint.facts.path,
            msgspec.json.encode(asked.to_json()),
            "application/json",
            partial(self._signer, say),
            say,
        )
        return EngagementResponse(asked, answer.content, answer.status, answer.at)

    def _signer(self, say: Callable[[str], None]) -> AuthBase:
        if isinstance(self._credentials, UserContext):
            return self._credentials.signer(self._transport.now().timestamp())
        if self._token is None:
            self._token = self._credentials.bearer_token or self._fetch_token(
                self._credentials, say
            )
        return Bearer(self._token)

    def _fetch_token(self, credentials: AppOnly, say: Callable[[str], None]) -> str:
        basic = HTTPBasicAuth(credentials.consumer_key or "", credentials.consumer_secret or "")
        answer = self._post(
            self._token_url,
            b"grant_type=client_credentials",
            "application/x-www-form-urlencoded;charset=UTF-8",
            lambda: basic,
            say,
        )
        if answer.status != HTTPStatus.OK:
            raise self._refused(urlsplit(self._token_url).path, answer.status, answer.content)
        return read_token(answer.content, self._token_url)

    def _post(
        self,
        url: str,
        content: bytes,
        content_type: str,
        signer: Callable[[], AuthBase],
        say: Callable[[str], None],
    ) -> Answer:
        message = Message(url, content, content_type, signer, self._redact)
        return self._transport.post(message, say)

    def _refused(self, path: str, status: int, content: bytes) -> RefusedError:
        return refused(path, status, tuple(map(self._redact, texts(content))))

    def _redact(self, text: str) -> str:
        told = self._credentials.redact(text)
        return told.replace(self._token, "<bearer_token>") if self._token else told


def _tell(watch: Watch, done: int, total: int, waiting: str) -> None:
    watch(Progress(done, total, waiting))
