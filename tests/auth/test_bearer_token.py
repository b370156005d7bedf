"""The app's bearer token is fetched once for all requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.scripted import FakeClock, Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.request.plan import Plan
from engagement_pandas.response.archives.collection import Collection

TOKEN = "/oauth2/token"
TOTALS = "/insights/engagement/totals"
PLENTY = {"x-per-minute-limit": "100000", "x-per-minute-remaining": "99999"}
COUNTED = Scripted(200, {"counts": {"favorites": "1"}}, PLENTY)
ISSUED = Scripted(200, {"access_token": "issued"})
DOWN = Scripted(503, {"errors": ["internal server error"]})

Make = Callable[..., ep.EngagementClient]


@pytest.fixture
def make(server: ScriptedServer, clock: FakeClock, tmp_path: Path) -> Iterator[Make]:
    """Return a function that makes a client of the app and one owner, which knows a large quota."""
    clients = []

    def start(**keywords: Any) -> ep.EngagementClient:
        app = ep.Consumer("consumer-key", "consumer-secret")
        accounts = ep.Accounts(tmp_path / "accounts.json", consumer=app, environ={})
        added = datetime(2026, 4, 15, tzinfo=UTC)
        accounts.add(ep.Account("bakery", "9", app.app, added, "9-token", "s"))
        client = ep.EngagementClient(
            accounts,
            base_url=server.url,
            token_url=server.url + TOKEN,
            clock=clock.time,
            sleep=clock.sleep,
            **keywords,
        )
        clients.append(client)
        server.answer(Scripted(200, {"counts": {"impressions": "1"}}, PLENTY))
        warm_up = ep.totals(
            ["1"], engagement_types=["impressions"], by={"counts": ["engagement.type"]}
        )
        client.fetch(warm_up.replace(owners={"1": "bakery"}), watch=lambda _: None)
        server.seen.clear()
        return client

    yield start
    for client in clients:
        client.close()


def public(number: int) -> Plan:
    """Return a plan of `number` requests that the app signs, of one post each."""
    combined = ep.totals(
        range(1, number + 1), engagement_types=["favorites"], by={"counts": ["engagement.type"]}
    )
    parts = tuple(combined.replace(post_ids=[post]) for post in combined.post_ids)
    return replace(ep.plan(combined), requests=parts)


def fetched(client: ep.EngagementClient, number: int) -> int:
    """Fetch `number` requests, and return the sum of their counts."""
    counts = ep.flatten(client.fetch(public(number), watch=lambda _: None))
    return int(counts["count"].sum())


@pytest.mark.slow
def test_one_token_serves_all_concurrent_requests(make: Make, server: ScriptedServer) -> None:
    """Eleven requests are sent concurrently after one request for a token."""
    client = make()
    server.answer(ISSUED, *[COUNTED] * 11)
    assert fetched(client, 11) == 11
    assert [seen.path for seen in server.seen] == [TOKEN, *[TOTALS] * 11]
    assert {seen.headers["authorization"] for seen in server.seen[1:]} == {"Bearer issued"}


class PartlyStored(ep.Archive):
    """An archive in which another process stores the responses to all but some requests."""

    unanswered = 0

    def collection(self, *arguments: Any) -> Collection:
        """Begin a collection, and store responses in it."""
        collection = super().collection(*arguments)
        for part in collection.requests[: len(collection.requests) - self.unanswered]:
            collection.keep(ep.EngagementResponse(part, {"counts": {"favorites": "1"}}))
        return collection


@pytest.mark.parametrize("unanswered", [0, 1])
def test_stored_responses_need_no_token(
    make: Make, server: ScriptedServer, tmp_path: Path, unanswered: int
) -> None:
    """If all are stored, nothing is sent; otherwise the token and the rest are requested."""
    client, archive = make(), PartlyStored(tmp_path / "archive")
    archive.unanswered = unanswered
    server.answer(*[ISSUED, COUNTED][: 2 * unanswered])
    collection = client.collect(public(3), into=archive, watch=lambda _: None)
    assert ep.flatten(collection)["count"].sum() == 3
    assert [seen.path for seen in server.seen] == [TOKEN, TOTALS][: 2 * unanswered]


@pytest.mark.slow
def test_a_failed_token_request_is_retried_once_for_all(make: Make, server: ScriptedServer) -> None:
    """There are three attempts in total, not three for each waiting request."""
    client = make()
    server.answer(DOWN, DOWN, ISSUED, *[COUNTED] * 11)
    assert fetched(client, 11) == 11
    assert [seen.path for seen in server.seen] == [*[TOKEN] * 3, *[TOTALS] * 11]


@pytest.mark.slow
def test_an_unavailable_token_fails_after_the_usual_attempts(
    make: Make, server: ScriptedServer
) -> None:
    """It has as many attempts as other requests; the next fetch starts again."""
    client = make(attempts=3)
    server.answer(*[DOWN] * 3)
    with pytest.raises(ep.TransportError, match=r"oauth2/token in 3 attempts"):
        fetched(client, 11)
    assert [seen.path for seen in server.seen] == [TOKEN] * 3
    server.answer(ISSUED, *[COUNTED] * 11)
    assert fetched(client, 11) == 11
    assert Counter(seen.path for seen in server.seen) == {TOKEN: 4, TOTALS: 11}


def test_a_refused_token_is_requested_once(make: Make, server: ScriptedServer) -> None:
    """The refusal is not retried, and no other request fetches a token."""
    client = make()
    server.answer(Scripted(403, {"errors": [{"code": 99, "message": "Unable to verify"}]}))
    with pytest.raises(ep.RefusedError, match="Unable to verify"):
        fetched(client, 11)
    assert [seen.path for seen in server.seen] == [TOKEN]


@pytest.mark.slow
def test_a_dropped_token_is_fetched_again(make: Make, server: ScriptedServer) -> None:
    """It is fetched once for all requests."""
    client = make()
    server.answer(ISSUED, *[COUNTED] * 3, Scripted(200, {"access_token": "second"}), *[COUNTED] * 8)
    assert fetched(client, 3) == 3
    client._signers.signer("")._token = None
    assert fetched(client, 8) == 8
    assert [seen.path for seen in server.seen] == [TOKEN, *[TOTALS] * 3, TOKEN, *[TOTALS] * 8]
    signed = [seen.headers["authorization"] for seen in server.seen if seen.path == TOTALS]
    assert signed == ["Bearer issued"] * 3 + ["Bearer second"] * 8


def test_a_refused_token_fails_only_the_requests_of_the_app(
    make: Make, server: ScriptedServer
) -> None:
    """Owners' requests are answered; the token is requested once for the app's two requests."""
    client = make(in_flight=1)
    combined = ep.totals(
        ["1"],
        engagement_types=["impressions", "favorites", "replies"],
        by={"counts": ["engagement.type"]},
    ).replace(owners={"1": "bakery"})
    parts = tuple(
        combined.replace(engagement_types=[engagement_type])
        for engagement_type in combined.engagement_types
    )
    counted = Scripted(200, {"counts": {"impressions": "1"}}, PLENTY)
    server.answer(counted, Scripted(403, {"errors": ["no such app"]}))
    with pytest.warns(UserWarning, match="no such app"):
        responses = client.fetch(replace(ep.plan(combined), requests=parts), watch=lambda _: None)
    assert [seen.path for seen in server.seen] == [TOTALS, TOKEN]
    assert [(r.status, r.failed) for r in responses] == [(200, False), (0, True), (0, True)]


@pytest.mark.slow
def test_concurrent_fetches_do_not_wait_for_each_other(make: Make, server: ScriptedServer) -> None:
    """A fetch that begins while another waits for a retry fetches its own token."""
    client = make()
    server.answer(DOWN, Scripted(200, {"access_token": "mine"}), *[COUNTED] * 2)
    counts: list[int] = []

    def watch(progress: ep.Progress) -> None:
        if progress.waiting and not counts:
            counts.append(0)  # so that the inner fetch is not nested again
            counts.append(fetched(client, 2))
            server.answer(ISSUED, *[COUNTED] * 3)

    assert len(client.fetch(public(3), watch=watch)) == 3
    assert counts == [0, 2]
    assert [seen.path for seen in server.seen] == [
        TOKEN,
        TOKEN,
        *[TOTALS] * 2,
        TOKEN,
        *[TOTALS] * 3,
    ]
