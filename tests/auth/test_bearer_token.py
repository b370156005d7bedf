"""The app's bearer token is fetched once for all requests, whatever comes between."""

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
from engagement_pandas.response.collection import Collection

TOKEN = "/oauth2/token"
TOTALS = "/insights/engagement/totals"
PLENTY = {"x-per-minute-limit": "100000", "x-per-minute-remaining": "99999"}
COUNTED = Scripted(200, {"counts": {"favorites": "1"}}, PLENTY)
ISSUED = Scripted(200, {"access_token": "issued"})
DOWN = Scripted(503, {"errors": ["internal server error"]})

Make = Callable[..., ep.EngagementClient]


@pytest.fixture
def make(server: ScriptedServer, clock: FakeClock, tmp_path: Path) -> Iterator[Make]:
    """Make a client of the app and one owner; it knows that the quota allows many at once."""
    made = []

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
        made.append(client)
        server.answer(Scripted(200, {"counts": {"impressions": "1"}}, PLENTY))
        own = ep.totals(["1"], engagement_types=["impressions"], by={"counts": ["engagement.type"]})
        client.fetch(own.replace(owners={"1": "bakery"}), watch=lambda _: None)
        server.seen.clear()
        return client

    yield start
    for client in made:
        client.close()


def public(number: int) -> Plan:
    """Return a plan of so many requests of the app, of one post each."""
    whole = ep.totals(
        range(1, number + 1), engagement_types=["favorites"], by={"counts": ["engagement.type"]}
    )
    parts = tuple(whole.replace(post_ids=[post]) for post in whole.post_ids)
    return replace(ep.plan(whole), requests=parts)


def fetched(client: ep.EngagementClient, number: int) -> int:
    """Fetch so many, and return the sum of their counts."""
    counts = ep.flatten(client.fetch(public(number), watch=lambda _: None))
    return int(counts["count"].sum())


@pytest.mark.slow
def test_once_for_all_that_fly(make: Make, server: ScriptedServer) -> None:
    """Eleven requests may go at once, and one token is asked for before them."""
    client = make()
    server.answer(ISSUED, *[COUNTED] * 11)
    assert fetched(client, 11) == 11
    assert [seen.path for seen in server.seen] == [TOKEN, *[TOTALS] * 11]
    assert {seen.headers["authorization"] for seen in server.seen[1:]} == {"Bearer issued"}


class Shared(ep.Archive):
    """An archive into which another process stores the answers to all but some requests."""

    unanswered = 0

    def collection(self, *of: Any) -> Collection:
        """Begin a collection, and store answers in it."""
        begun = super().collection(*of)
        for part in begun.requests[: len(begun.requests) - self.unanswered]:
            begun.keep(ep.EngagementResponse(part, {"counts": {"favorites": "1"}}))
        return begun


@pytest.mark.parametrize("unanswered", [0, 1])
def test_stored_answers_need_no_token(
    make: Make, server: ScriptedServer, tmp_path: Path, unanswered: int
) -> None:
    """Nothing is sent if all are stored; otherwise the token, and what remains."""
    client, archive = make(), Shared(tmp_path / "archive")
    archive.unanswered = unanswered
    server.answer(*[ISSUED, COUNTED][: 2 * unanswered])
    collection = client.collect(public(3), into=archive, watch=lambda _: None)
    assert ep.flatten(collection)["count"].sum() == 3
    assert [seen.path for seen in server.seen] == [TOKEN, TOTALS][: 2 * unanswered]


@pytest.mark.slow
def test_a_failing_token_is_asked_for_again_once(make: Make, server: ScriptedServer) -> None:
    """Three attempts, not three by each of those that wait; then all go."""
    client = make()
    server.answer(DOWN, DOWN, ISSUED, *[COUNTED] * 11)
    assert fetched(client, 11) == 11
    assert [seen.path for seen in server.seen] == [*[TOKEN] * 3, *[TOTALS] * 11]


@pytest.mark.slow
def test_a_token_that_is_not_to_be_had(make: Make, server: ScriptedServer) -> None:
    """As many attempts as for one request; the next fetch begins anew."""
    client = make(attempts=3)
    server.answer(*[DOWN] * 3)
    with pytest.raises(ep.TransportError, match=r"oauth2/token in 3 attempts"):
        fetched(client, 11)
    assert [seen.path for seen in server.seen] == [TOKEN] * 3
    server.answer(ISSUED, *[COUNTED] * 11)
    assert fetched(client, 11) == 11
    assert Counter(seen.path for seen in server.seen) == {TOKEN: 4, TOTALS: 11}


def test_a_token_that_is_refused(make: Make, server: ScriptedServer) -> None:
    """Once, and nobody else asks."""
    client = make()
    server.answer(Scripted(403, {"errors": [{"code": 99, "message": "Unable to verify"}]}))
    with pytest.raises(ep.RefusedError, match="Unable to verify"):
        fetched(client, 11)
    assert [seen.path for seen in server.seen] == [TOKEN]


@pytest.mark.slow
def test_a_token_that_is_dropped(make: Make, server: ScriptedServer) -> None:
    """It is fetched again, again by one for all."""
    client = make()
    server.answer(ISSUED, *[COUNTED] * 3, Scripted(200, {"access_token": "second"}), *[COUNTED] * 8)
    assert fetched(client, 3) == 3
    client._signers.signer("")._token = None
    assert fetched(client, 8) == 8
    assert [seen.path for seen in server.seen] == [TOKEN, *[TOTALS] * 3, TOKEN, *[TOTALS] * 8]
    signed = [seen.headers["authorization"] for seen in server.seen if seen.path == TOTALS]
    assert signed == ["Bearer issued"] * 3 + ["Bearer second"] * 8


def test_a_refused_token_fails_the_requests_of_the_app_alone(
    make: Make, server: ScriptedServer
) -> None:
    """Those of an owner are answered, and the token is requested once for both of the app's."""
    client = make(in_flight=1)
    whole = ep.totals(
        ["1"],
        engagement_types=["impressions", "favorites", "replies"],
        by={"counts": ["engagement.type"]},
    ).replace(owners={"1": "bakery"})
    parts = tuple(whole.replace(engagement_types=[kind]) for kind in whole.engagement_types)
    counted = Scripted(200, {"counts": {"impressions": "1"}}, PLENTY)
    server.answer(counted, Scripted(403, {"errors": ["no such app"]}))
    with pytest.warns(UserWarning, match="no such app"):
        responses = client.fetch(replace(ep.plan(whole), requests=parts), watch=lambda _: None)
    assert [seen.path for seen in server.seen] == [TOTALS, TOKEN]
    assert [(r.status, r.failed) for r in responses] == [(200, False), (0, True), (0, True)]


@pytest.mark.slow
def test_no_fetch_waits_for_another(make: Make, server: ScriptedServer) -> None:
    """One that begins while another waits to try again fetches a token of its own."""
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
