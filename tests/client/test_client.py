"""The client against a scripted server: what it sends, sets aside, keeps and raises."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.scripted import USER, FakeClock, Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.client import task
from engagement_pandas.client.progress import Progress
from engagement_pandas.request import plan
from engagement_pandas.request.packing import pack
from engagement_pandas.request.post_ids import first_snowflake_at
from engagement_pandas.response import refusal as refusals
from engagement_pandas.response.refusal import split_refused

MARCH = ep.Window.covering("2026-03-01", "2026-03-29")


def totals(*posts: int, types: Any = ("favorites",)) -> ep.EngagementRequest:
    """Ask for totals of posts."""
    return ep.totals(posts, engagement_types=types)


def counted(*posts: int, types: Any = ("favorites",)) -> Scripted:
    """Answer 1 for each post and type."""
    return Scripted(200, {"by_post": {str(p): dict.fromkeys(types, "1") for p in posts}})


def forbidden(*texts: str) -> Scripted:
    """Refuse with these texts."""
    return Scripted(403, {"errors": list(texts)})


def asked(server: ScriptedServer) -> list[list[str]]:
    """Return the IDs of each request that arrived."""
    return [seen.body["tweet_ids"] for seen in server.seen]


def settled(responses: list[ep.EngagementResponse]) -> list[tuple[int, tuple[str, ...]]]:
    """Return status and posts of each response."""
    return [(r.status, r.request.post_ids) for r in responses]


# What goes over the wire


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (totals(1), "/insights/engagement/totals"),
        (ep.last_28_hours(["1"], engagement_types=["favorites"]), "/insights/engagement/28hr"),
        (
            ep.historical(["1"], engagement_types=["favorites"], window=MARCH),
            "/insights/engagement/historical",
        ),
    ],
)
def test_each_endpoint_has_its_path(
    client: ep.EngagementClient, server: ScriptedServer, request_: ep.EngagementRequest, path: str
) -> None:
    """The body is the request's own, sent to its endpoint."""
    server.answer(Scripted(200, {request_.groupings[0].name: {}}))
    client.fetch(request_)
    (seen,) = server.seen
    assert seen.path == path
    assert seen.body == request_.to_json()
    assert seen.headers["authorization"].startswith("OAuth ")


def test_sends_every_batch(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """251 posts: 250 and the one that published clients lose."""
    server.answer(counted(*range(1, 251)), counted(251))
    responses = client.fetch(totals(*range(1, 252)))
    assert [len(ids) for ids in asked(server)] == [250, 1]
    assert [r.request.post_ids for r in responses] == [tuple(ids) for ids in asked(server)]


def test_takes_a_plan(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """A plan that was looked at is sent as it is."""
    server.answer(counted(1))
    assert len(client.fetch(ep.plan(totals(1)))) == 1


def test_returns_the_nested_json_beside_its_request(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """Untouched: the strings are strings, the order is the answer's."""
    server.answer(counted(2, 1))
    (response,) = client.fetch(totals(1, 2))
    assert response.json() == {"by_post": {"2": {"favorites": "1"}, "1": {"favorites": "1"}}}
    assert response.request == totals(1, 2)


def test_keeps_data_beside_errors(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """A 200 can carry both; nothing is asked again."""
    body = {"by_post": {"1": {"favorites": "1"}}, "errors": ["1 Tweet ID(s) are unavailable"]}
    server.answer(Scripted(200, body))
    (response,) = client.fetch(totals(1, 2))
    assert response.json() == body


def test_keeps_the_answer_to_a_repeated_request(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """The answer after a failure is the answer; published clients throw it away."""
    server.answer(Scripted(503, {"errors": ["internal server error"]}), counted(1))
    assert settled(client.fetch(totals(1))) == [(200, ("1",))]


def test_each_attempt_is_signed_at_its_time(
    client: ep.EngagementClient, server: ScriptedServer, clock: FakeClock
) -> None:
    """After a long wait an old time would be refused."""
    begun = int(clock.now)
    spent = {"x-per-minute-remaining": "0", "x-per-minute-reset": str(begun + 42)}
    server.answer(Scripted(429, {"errors": ["rate limit"]}, spent), counted(1))
    client.fetch(totals(1))
    first, second = (seen.headers["authorization"] for seen in server.seen)
    assert f'oauth_timestamp="{begun}"' in first
    assert f'oauth_timestamp="{begun + 42}"' in second


def test_knows_when_it_was_answered(
    client: ep.EngagementClient, server: ScriptedServer, clock: FakeClock
) -> None:
    """By the client's clock, in UTC."""
    server.answer(counted(1))
    (response,) = client.fetch(totals(1))
    assert response.retrieved_at.isoformat() == "2026-04-15T12:20:00+00:00"
    assert response.retrieved_at.timestamp() == clock.now


# What is refused


@pytest.mark.parametrize(
    "words",
    [
        ("Forbidden to access tweets: 2, 4",),
        ("Forbidden to access tweets for author id 9: 2, 4",),
        (
            "Forbidden to access tweets for author id 9: 2",
            "Forbidden to access tweets for author id 8: 4",
        ),
    ],
)
def test_sets_unowned_posts_aside(
    client: ep.EngagementClient, server: ScriptedServer, words: tuple[str, ...]
) -> None:
    """Either wording: the named posts are settled by the refusal, the rest asked again."""
    server.answer(forbidden(*words), counted(1, 3))
    responses = client.fetch(totals(1, 2, 3, 4))
    assert asked(server) == [["1", "2", "3", "4"], ["1", "3"]]
    assert settled(responses) == [(403, ("2", "4")), (200, ("1", "3"))]


def test_asks_until_the_answer_is_clean(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """The API may name unowned posts one by one."""
    server.answer(
        forbidden("Forbidden to access tweets: 1"),
        forbidden("Forbidden to access tweets: 3"),
        counted(2),
    )
    assert settled(client.fetch(totals(1, 2, 3))) == [(403, ("1",)), (403, ("3",)), (200, ("2",))]


def test_nothing_left_to_ask(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """All posts unowned: the refusal settles them, and no empty request is sent."""
    server.answer(forbidden("Forbidden to access tweets: 1, 2"))
    assert settled(client.fetch(totals(1, 2))) == [(403, ("1", "2"))]
    assert len(server.seen) == 1


def test_posts_are_told_apart_as_text(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """12 is not 123, though it stands in it."""
    server.answer(forbidden("Forbidden to access tweets: 123"), counted(12))
    assert settled(client.fetch(totals(12, 123))) == [(403, ("123",)), (200, ("12",))]


def test_sets_refused_types_aside(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """Types that these credentials may not see are settled; the others are asked again."""
    server.answer(forbidden("Forbidden to access metrics: retweets"), counted(1))
    responses = client.fetch(totals(1, types=["favorites", "retweets"]))
    assert [(r.status, r.request.engagement_types) for r in responses] == [
        (403, ("retweets",)),
        (200, ("favorites",)),
    ]


def test_a_403_about_something_else(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """It names no post of ours: an error, not a loop."""
    server.answer(forbidden("Forbidden to access tweets: 99"))
    with pytest.raises(ep.RefusedError) as caught:
        client.fetch(totals(1))
    assert caught.value.status == 403
    assert caught.value.messages == ("Forbidden to access tweets: 99",)
    assert len(server.seen) == 1


def test_all_posts_unavailable_is_an_answer(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """A 400 that lists the posts settles them; the other batches still count."""
    gone = {"errors": ["1 Tweet ID(s) are unavailable"], "unavailable_tweet_ids": ["251"]}
    server.answer(counted(*range(1, 251)), Scripted(400, gone))
    responses = client.fetch(totals(*range(1, 252)))
    assert settled(responses)[1] == (400, ("251",))


def test_too_old_for_impressions(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """A 400 that lists posts by age settles those types of those posts, and no more."""
    old = {
        "errors": ["Impressions & engagements for tweets older than 90 days (…) are not supported"],
        "unsupported_for_impressions_engagements_tweet_ids": ["2"],
    }
    server.answer(Scripted(400, old), counted(1), counted(2))
    types = ["impressions", "favorites", "engagements"]
    responses = client.fetch(totals(1, 2, types=types))
    assert [(r.status, r.request.post_ids, r.request.engagement_types) for r in responses] == [
        (400, ("2",), ("impressions", "engagements")),
        (200, ("1",), ("impressions", "favorites", "engagements")),
        (200, ("2",), ("favorites",)),
    ]


def test_two_ages_in_one_refusal(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """Posts too old for different types are settled apart; every pair is settled once."""
    old = {
        "errors": ["not supported"],
        "unsupported_for_impressions_engagements_tweet_ids": ["1", "2"],
        "unsupported_for_video_views_tweet_ids": ["2"],
    }
    second = {"errors": ["not supported"], "unsupported_for_video_views_tweet_ids": ["2"]}
    server.answer(Scripted(400, old), Scripted(400, second), counted(1, types=["video_views"]))
    responses = client.fetch(totals(1, 2, types=["impressions", "video_views"]))
    pairs = {
        (post, str(kind)): r.status
        for r in responses
        for post in r.request.post_ids
        for kind in r.request.engagement_types
    }
    assert pairs == {
        ("1", "impressions"): 400,
        ("2", "impressions"): 400,
        ("2", "video_views"): 400,
        ("1", "video_views"): 200,
    }


@pytest.mark.slow
def test_refused_again_and_again(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """What is left of one refusal waits while another is settled; nothing is forgotten."""
    old = {
        "errors": ["not supported"],
        "unsupported_for_impressions_engagements_tweet_ids": ["2"],
    }
    server.answer(
        Scripted(400, old), forbidden("Forbidden to access tweets: 3"), counted(2), counted(1)
    )
    responses = client.fetch(totals(1, 2, 3, types=["impressions", "favorites"]))
    assert sorted((r.status, r.request.post_ids) for r in responses) == [
        (200, ("1",)),
        (200, ("2",)),
        (400, ("2",)),
        (403, ("3",)),
    ]


@pytest.mark.parametrize("status", [400, 401, 404, 406])
def test_fails_at_once_with_the_api_s_words(
    client: ep.EngagementClient, server: ScriptedServer, clock: FakeClock, status: int
) -> None:
    """No second attempt; status and messages as data."""
    server.answer(Scripted(status, {"errors": ["Reason: first", "second"]}))
    with pytest.raises(ep.RefusedError, match="Reason: first; second") as caught:
        client.fetch(totals(1))
    assert (caught.value.status, caught.value.messages) == (status, ("Reason: first", "second"))
    assert (len(server.seen), clock.slept) == (1, [])


def test_a_401_is_an_error_of_its_own(
    client: ep.EngagementClient, server: ScriptedServer, sample: Any
) -> None:
    """With the documented words and the cure."""
    server.answer(Scripted(401, sample("error_auth_access_token_not_found")))
    with pytest.raises(ep.Unauthorized, match="Access token not found; check the credentials"):
        client.fetch(totals(1))


def test_a_refusal_without_json(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """A proxy's page is told in its words."""
    server.answer(Scripted(404, b"<h1>No such page</h1>", {"content-type": "text/html"}))
    with pytest.raises(ep.RefusedError, match=r"\(HTTP 404\): No such page; check base_url"):
        client.fetch(totals(1))


def test_a_refusal_without_words(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """Then the name of the status has to do."""
    server.answer(Scripted(403, b"", {"content-type": "text/plain"}))
    with pytest.raises(ep.RefusedError, match=r"\(HTTP 403\): Forbidden"):
        client.fetch(totals(1))


def test_what_was_answered_before_an_error_is_kept(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """The first batch is in the error; nothing that was paid for is lost."""
    server.answer(counted(*range(1, 251)), Scripted(400, {"errors": ["no"]}))
    with pytest.raises(ep.RefusedError) as caught:
        client.fetch(totals(*range(1, 252)))
    (kept,) = caught.value.responses
    assert len(kept.request.post_ids) == 250
    assert "1 answer had arrived; see .responses" in str(caught.value.__notes__)


def test_what_is_not_asked_has_not_arrived(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """A post that is made after the first of two windows: its silence is there, no answer is."""
    server.answer(Scripted(400, {"errors": ["no"]}))
    window = ep.Window.covering("2026-01-20", "2026-03-17")
    late = str(first_snowflake_at(datetime(2026, 3, 1, tzinfo=UTC)))
    request = ep.historical([late], engagement_types=["favorites"], window=window)
    with pytest.raises(ep.RefusedError) as caught:
        client.fetch(request)
    assert [response.status for response in caught.value.responses] == [0]
    assert "arrived" not in str(caught.value.__notes__)


def test_what_was_answered_before_an_interrupt_is_kept(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """Ctrl-C in a notebook loses nothing either."""

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    busy = {"x-per-minute-remaining": "0"}
    first = counted(*range(1, 251))
    server.answer(Scripted(200, first.body, busy))
    client._transport._sleep = interrupt  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt) as caught:
        client.fetch(totals(*range(1, 252)))
    (kept,) = caught.value.responses  # type: ignore[attr-defined]
    assert kept.status == 200


@pytest.mark.parametrize("what", [None, "1", ["1"], [totals(1)]])
def test_what_is_no_question(client: ep.EngagementClient, what: Any) -> None:
    """A list of IDs is not asked for anything."""
    with pytest.raises(ep.RequestError, match="is not a request"):
        client.fetch(what)


def test_streams(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """Each answer is handed over before the next request is sent."""
    server.answer(counted(*range(1, 251)), counted(251))
    stream = client.stream(totals(*range(1, 252)))
    next(stream)
    assert len(server.seen) == 1
    assert len(list(stream)) == 1


# Who watches


class Enough(Exception):
    """Raised by a watcher that has seen enough."""


def spent(clock: FakeClock, seconds: int) -> dict[str, str]:
    """Return the headers of an answer after which the quota is spent for so long."""
    reset = str(int(clock.now) + seconds)
    return {"x-per-minute-remaining": "0", "x-per-minute-reset": reset}


def test_tells_each_step(
    client: ep.EngagementClient, server: ScriptedServer, clock: FakeClock
) -> None:
    """Before each request, each second of a wait, and at the end."""
    first = Scripted(200, counted(*range(1, 251)).body, spent(clock, 2))
    server.answer(first, counted(251))
    steps: list[Progress] = []
    client.fetch(totals(*range(1, 252)), watch=steps.append)
    assert steps == [
        Progress(0, 2, ""),
        Progress(1, 2, "waiting 2 s for the quota"),
        Progress(1, 2, "waiting 1 s for the quota"),
        Progress(1, 2, ""),
        Progress(2, 2, ""),
    ]


def test_tells_of_the_plan(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """A request that a refusal divides is settled once, however often it is asked."""
    server.answer(forbidden("Forbidden to access tweets: 1"), counted(2))
    steps: list[Progress] = []
    client.fetch(ep.plan(totals(1, 2)), watch=steps.append)
    assert [(step.done, step.total) for step in steps] == [(0, 1), (0, 1), (1, 1)]


def test_a_watcher_takes_the_place_of_the_bar(
    client: ep.EngagementClient, server: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is printed beside it."""
    server.answer(counted(*range(1, 251)), counted(251))
    client.fetch(totals(*range(1, 252)), watch=lambda _: None)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_the_bar_tells_of_waits(
    client: ep.EngagementClient,
    server: ScriptedServer,
    clock: FakeClock,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a terminal, second by second, and no word of it is left at the end."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    first = Scripted(200, counted(*range(1, 251)).body, spent(clock, 2))
    server.answer(first, counted(251))
    client.fetch(totals(*range(1, 252)))
    told = capsys.readouterr().err
    assert "waiting 2 s for the quota" in told
    assert "waiting 1 s for the quota" in told
    assert "waiting" not in told.split("\r")[-1]


@pytest.mark.parametrize("error", [Enough, KeyboardInterrupt, ValueError, OSError])
def test_a_watcher_ends_a_fetch(
    client: ep.EngagementClient, server: ScriptedServer, error: type[BaseException]
) -> None:
    """What it raises comes out as it is, with what had been answered; nothing more is sent."""
    server.answer(counted(*range(1, 251)), counted(251))
    stop = error("enough")

    def watch(progress: Progress) -> None:
        if progress.done == 1:
            raise stop

    with pytest.raises(error) as caught:
        client.fetch(totals(*range(1, 252)), watch=watch)
    assert caught.value is stop
    assert settled(caught.value.responses) == [(200, tuple(map(str, range(1, 251))))]
    assert caught.value.__notes__ == [
        "1 answer had arrived; see .responses. fetch(..., responses=error.responses) resumes"
    ]
    assert len(server.seen) == 1


def test_a_watcher_ends_a_wait(
    client: ep.EngagementClient, server: ScriptedServer, clock: FakeClock
) -> None:
    """Of a minute for the quota, after the first second."""
    first = Scripted(200, counted(*range(1, 251)).body, spent(clock, 60))
    server.answer(first, counted(251))

    def watch(progress: Progress) -> None:
        if progress.waiting == "waiting 59 s for the quota":
            raise Enough

    with pytest.raises(Enough):
        client.fetch(totals(*range(1, 252)), watch=watch)
    assert (clock.slept, len(server.seen)) == ([1.0], 1)


def test_a_watcher_that_wants_nothing_sent(server: ScriptedServer, clock: FakeClock) -> None:
    """It is asked before the first request, and before a token is fetched."""

    def watch(_: Progress) -> None:
        raise Enough

    with (
        app(server, clock, ep.AppOnly.from_consumer("ck", "cs")) as client,
        pytest.raises(Enough) as caught,
    ):
        client.fetch(totals(1), watch=watch)
    assert server.seen == []
    assert caught.value.responses == ()  # type: ignore[attr-defined]
    assert not hasattr(caught.value, "__notes__")


def test_a_watcher_ends_a_refused_request(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """In the middle: the refusal is kept, what is left of the request is not asked."""
    server.answer(forbidden("Forbidden to access tweets: 1"), counted(2))
    steps: list[Progress] = []

    def watch(progress: Progress) -> None:
        steps.append(progress)
        if len(steps) == 2:
            raise Enough

    with pytest.raises(Enough) as caught:
        client.fetch(totals(1, 2), watch=watch)
    assert settled(caught.value.responses) == [(403, ("1",))]  # type: ignore[attr-defined]
    assert len(server.seen) == 1


def test_a_client_after_a_fetch_that_was_ended(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """Asks again as if nothing had been."""
    server.answer(counted(*range(1, 251)), counted(1))

    def watch(progress: Progress) -> None:
        if progress.done:
            raise Enough

    with pytest.raises(Enough):
        client.fetch(totals(*range(1, 252)), watch=watch)
    assert settled(client.fetch(totals(1))) == [(200, ("1",))]


def test_a_stream_is_watched(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """Told as the answers are taken, and ended in the same way."""
    server.answer(counted(*range(1, 251)), counted(251))
    steps: list[int] = []

    def watch(progress: Progress) -> None:
        steps.append(progress.done)
        if progress.done:
            raise Enough

    stream = client.stream(totals(*range(1, 252)), watch=watch)
    assert next(stream).status == 200
    assert steps == [0]
    with pytest.raises(Enough):
        next(stream)
    assert len(server.seen) == 1


# Credentials


def app(server: ScriptedServer, clock: FakeClock, credentials: ep.AppOnly) -> ep.EngagementClient:
    """Return a client with the app alone."""
    return ep.EngagementClient(
        credentials,
        base_url=server.url,
        token_url=f"{server.url}/oauth2/token",
        clock=clock.time,
        sleep=clock.sleep,
    )


def test_a_given_bearer_token(server: ScriptedServer, clock: FakeClock) -> None:
    """Goes along as it is."""
    server.answer(counted(1))
    with app(server, clock, ep.AppOnly("given")) as client:
        client.fetch(totals(1))
    assert server.seen[0].headers["authorization"] == "Bearer given"


def test_a_fetched_bearer_token(server: ScriptedServer, clock: FakeClock) -> None:
    """Fetched once, with key and secret as basic auth, and used for every request."""
    server.answer(
        Scripted(200, {"token_type": "bearer", "access_token": "fetched"}),
        counted(*range(1, 251)),
        counted(251),
    )
    with app(server, clock, ep.AppOnly.from_consumer("ck", "cs")) as client:
        client.fetch(totals(*range(1, 252)))
    token, *rest = server.seen
    assert (token.path, token.content) == ("/oauth2/token", b"grant_type=client_credentials")
    assert token.headers["authorization"] == "Basic Y2s6Y3M="  # base64 of ck:cs
    assert [seen.headers["authorization"] for seen in rest] == ["Bearer fetched"] * 2


def test_keys_that_are_not_accepted(server: ScriptedServer, clock: FakeClock) -> None:
    """The token endpoint tells its errors as objects."""
    server.answer(Scripted(401, {"errors": [{"code": 99, "message": "Unable to verify"}]}))
    with (
        app(server, clock, ep.AppOnly.from_consumer("ck", "cs")) as client,
        pytest.raises(ep.Unauthorized, match="Unable to verify"),
    ):
        client.fetch(totals(1))


@pytest.mark.parametrize(
    "body",
    [
        {"token_type": "bearer"},
        {"access_token": 7},
        {"access_token": ""},
        {"access_token": "T\nX-Evil: yes"},
        {"access_token": "\u200b"},
        b'{"access_token": "\xff"}',
    ],
)
def test_a_token_answer_without_a_token(
    server: ScriptedServer, clock: FakeClock, body: Any
) -> None:
    """An error with the path, and no token in it."""
    server.answer(Scripted(200, body))
    with (
        app(server, clock, ep.AppOnly.from_consumer("ck", "cs")) as client,
        pytest.raises(ep.ResponseShapeError, match="access_token") as caught,
    ):
        client.fetch(totals(1))
    assert "Evil" not in str(caught.value)


@pytest.mark.parametrize(
    "request_",
    [
        totals(1, types=["impressions"]),
        totals(1, types=["favorites", "engagements"]),
        ep.last_28_hours(["1"], engagement_types=["favorites"]),
        ep.historical(["1"], engagement_types=["favorites"], window=MARCH),
    ],
)
def test_owner_only_with_a_bearer(
    server: ScriptedServer, clock: FakeClock, request_: ep.EngagementRequest
) -> None:
    """Fails before the wire: not even a token is fetched."""
    with (
        app(server, clock, ep.AppOnly.from_consumer("ck", "cs")) as client,
        pytest.raises(ep.UserContextRequired, match="use UserContext"),
    ):
        client.fetch(request_)
    assert server.seen == []


@pytest.mark.parametrize("ask", [lambda it: it, ep.plan], ids=["request", "plan"])
def test_tells_what_it_cannot_ask(server: ScriptedServer, clock: FakeClock, ask: Any) -> None:
    """Reason and cure, as fetch would raise them, for a request and for its plan."""
    private = ask(totals(1, types=["favorites", "impressions"]))
    with app(server, clock, ep.AppOnly("given")) as client:
        refusal = client.refusal(private)
        assert refusal == (
            "only the owner of the posts may read ['impressions']; "
            "use UserContext with the owner's access token"
        )
        with pytest.raises(ep.UserContextRequired) as caught:
            client.fetch(private)
    assert str(caught.value) == refusal


def test_a_bearer_may_ask_what_is_public(server: ScriptedServer, clock: FakeClock) -> None:
    """Nothing stands against totals of public types."""
    with app(server, clock, ep.AppOnly("given")) as client:
        assert client.refusal(totals(1, types=ep.PUBLIC_TYPES)) is None


def test_the_owner_may_ask_anything(client: ep.EngagementClient) -> None:
    """Whose posts they are, the API alone can tell."""
    assert client.refusal(ep.last_28_hours(["1"], engagement_types=ep.SERIES_TYPES)) is None
    assert client.refusal(totals(1, types=ep.TOTALS_TYPES)) is None


def test_what_are_no_credentials() -> None:
    """A tuple of strings is not."""
    with pytest.raises(ep.CredentialsError, match="give UserContext, AppOnly or"):
        ep.EngagementClient(("a", "b"))  # type: ignore[arg-type]


def test_plain_http_to_elsewhere() -> None:
    """Refused when the client is made."""
    with pytest.raises(ep.RequestError, match="not an https URL"):
        ep.EngagementClient(USER, base_url="http://data-api.twitter.com")
    with pytest.raises(ep.RequestError, match="not an https URL"):
        ep.EngagementClient(USER, token_url="http://api.twitter.com/oauth2/token")


# What a person sees


def test_a_progress_bar_for_more_than_one_request(
    client: ep.EngagementClient,
    server: ScriptedServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """None for one request; for two, on a terminal, it ends at 2/2."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    server.answer(counted(1), counted(*range(1, 251)), counted(251))
    client.fetch(totals(1))
    assert capsys.readouterr().err == ""
    client.fetch(totals(*range(1, 252)))
    assert "2/2" in capsys.readouterr().err


def test_repr(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """Where it asks, and as whom in general."""
    assert (
        repr(client)
        == f"EngagementClient({server.url} with UserContext(OAuth 1.0a, secrets hidden))"
    )


def test_the_present_is_the_clock_s(client: ep.EngagementClient, clock: FakeClock) -> None:
    """Whoever plans with a client can ask what time it has."""
    assert client.now().timestamp() == clock.time()
    assert client.now().utcoffset() == timedelta(0)


# That everything is answered


def answer(seen: Any) -> Scripted:
    """Answer a request with a 1 for each post and type."""
    kinds = seen["engagement_types"]
    return Scripted(200, {"by_post": {p: dict.fromkeys(kinds, "1") for p in seen["tweet_ids"]}})


def lose_the_last(asked: ep.EngagementRequest, *_: Any) -> Any:
    """Pack wrongly: without the last batch."""
    requests, unposted = pack(asked, datetime(2026, 4, 15, tzinfo=UTC))
    return requests[:-1], unposted


def lose_an_hour(asked: ep.EngagementRequest, *_: Any) -> Any:
    """Pack wrongly: an hour between two windows is in neither."""
    (first, *rest), unposted = pack(asked, datetime(2026, 4, 15, tzinfo=UTC))
    assert first.window is not None
    window = ep.Window(first.window.start, first.window.end - timedelta(hours=1))
    return (first.replace(window=window), *rest), unposted


def lose_a_type(asked: ep.EngagementRequest, *_: Any) -> Any:
    """Pack wrongly: one request has one type less."""
    (first, *rest), unposted = pack(asked, datetime(2026, 4, 15, tzinfo=UTC))
    return (first.replace(engagement_types=first.engagement_types[1:]), *rest), unposted


def send_twice(asked: ep.EngagementRequest, *_: Any) -> Any:
    """Pack wrongly: a request is there twice."""
    requests, unposted = pack(asked, datetime(2026, 4, 15, tzinfo=UTC))
    return (*requests, requests[0]), unposted


@pytest.mark.parametrize("wrong", [lose_the_last, lose_an_hour, lose_a_type, send_twice])
def test_a_plan_that_does_not_cover_its_question(
    client: ep.EngagementClient, monkeypatch: pytest.MonkeyPatch, wrong: Any
) -> None:
    """Whatever the packing loses or doubles is an error before anything is sent."""
    monkeypatch.setattr(plan, "pack", wrong)
    long = ep.Window.covering("2026-02-01", "2026-03-29")
    question = ep.historical(range(1, 27), engagement_types=["favorites", "replies"], window=long)
    with pytest.raises(ep.RequestError, match=r"complete request: (missing|duplicate)"):
        client.fetch(question)


@pytest.mark.parametrize("how", ["fetch", "stream"])
def test_the_rest_of_a_refusal_is_not_forgotten(
    client: ep.EngagementClient,
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    """A refusal of one post, after which the others of its batch are not asked: an error."""
    monkeypatch.setattr(refusals, "split_refused", lambda refusal: (split_refused(refusal)[0], []))
    server.answer(forbidden("Forbidden to access tweets: 2"))
    with pytest.raises(
        ep.TransportError, match=r"missing: favorites of post 1 \(and 1 more\)"
    ) as it:
        list(getattr(client, how)(totals(1, 2, 3)))
    if how == "fetch":
        assert settled(it.value.responses) == [(403, ("2",))]


def test_a_part_without_an_answer_is_not_forgotten(
    client: ep.EngagementClient, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that is taken for one to fewer posts than were sent."""
    real = refusals.apply_refusal

    def fewer(response: ep.EngagementResponse) -> Any:
        one = response.request.replace(post_ids=response.request.post_ids[1:])
        return real(ep.EngagementResponse(one, response.content, response.status))

    monkeypatch.setattr(task, "apply_refusal", fewer)
    server.answer(counted(1, 2))
    with pytest.raises(ep.TransportError, match=r"missing: favorites of post 1 \(totals by_post\)"):
        client.fetch(totals(1, 2))


# Going on after a failure


@pytest.mark.slow
@pytest.mark.parametrize("answers", range(5))
def test_goes_on_from_what_had_been_answered(
    client: ep.EngagementClient, server: ScriptedServer, answers: int
) -> None:
    """Refusals by post, type and age before the counts: each is sent once, all in all."""
    question = totals(*range(1, 253), types=("favorites", "retweets"))
    script = [
        forbidden("Forbidden to access tweets: 1"),
        forbidden("Forbidden to access metrics: retweets"),
        Scripted(400, {"errors": ["gone"], "unavailable_tweet_ids": ["2"]}),
        counted(*range(3, 251)),
        counted(251, 252, types=("favorites", "retweets")),
    ]
    server.answer(*script)
    everything = client.fetch(question)
    sent = [seen.content for seen in server.seen]
    server.seen.clear()
    server.answer(*script[:answers], Scripted(404, {"errors": ["down"]}))
    with pytest.raises(ep.RefusedError) as caught:
        client.fetch(question)
    assert [seen.content for seen in server.seen] == sent[: answers + 1]
    server.seen.clear()
    server.answer(*script[answers:])
    again = client.fetch(ep.plan(question), responses=caught.value.responses)
    assert [seen.content for seen in server.seen] == sent[answers:]
    assert [(r.request, r.status) for r in again] == [(r.request, r.status) for r in everything]
    assert client.fetch(question, responses=everything) == everything
    assert server.script == []


def test_goes_on_in_the_order_of_the_plan(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """The last batch had been answered, the first had not; and what is not asked is there once."""
    late = str(first_snowflake_at(datetime(2026, 3, 10, tzinfo=UTC)))
    two = ep.Window.covering("2026-02-01", "2026-03-29")
    question = ep.historical([late, "7"], engagement_types=["favorites"], window=two, by=ep.BY_POST)
    body = {"by_post": {}}
    server.answer(Scripted(200, body), Scripted(200, body))
    everything = client.fetch(question)
    assert [r.status for r in everything] == [0, 200, 200]
    server.seen.clear()
    server.answer(Scripted(200, body))
    again = client.fetch(question, responses=[everything[2], everything[0]])
    assert [r.request for r in again] == [r.request for r in everything]
    assert [seen.body for seen in server.seen] == [everything[1].request.to_json()]


def test_goes_on_with_the_types_that_were_not_answered(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """What is known of one type of a post answers for no other type of it."""
    question = totals(1, 2, types=("favorites", "retweets"))
    known = response_to(totals(1, 2))
    server.answer(counted(1, 2, types=("retweets",)))
    again = client.fetch(question, responses=[known])
    assert [seen.body for seen in server.seen] == [totals(1, 2, types=("retweets",)).to_json()]
    assert again[0] is known
    assert len(again) == 2


def test_goes_on_from_parts_that_differ_in_their_types(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """A plan may ask for one type of a post after the other: each answer finds its own part."""
    question = totals(1, types=("favorites", "retweets"))
    parts = totals(1), totals(1, types=("retweets",))
    cut = ep.Plan(question, parts, datetime(2026, 4, 15, tzinfo=UTC))
    known = response_to(parts[0])
    server.answer(counted(1, types=("retweets",)))
    again = client.fetch(cut, responses=[known])
    assert [seen.body for seen in server.seen] == [parts[1].to_json()]
    assert [response.request for response in again] == [*parts]


def response_to(request: ep.EngagementRequest, status: int = 200) -> ep.EngagementResponse:
    """Return a response with a 1 for each post and type."""
    return ep.EngagementResponse(request, answer(request.to_json()).body, status)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([response_to(totals(3))], r"1 post.*answers nothing in this plan; give the responses"),
        ([response_to(totals(1, types=("replies",)))], "answers nothing in this plan"),
        ([response_to(totals(1, 3))], "answers nothing in this plan"),
        ([response_to(totals(1))] * 2, "has counts of post 1 that another response has too"),
        ([response_to(totals(1, 2)), response_to(totals(2))], "of post 2 that another"),
        ([response_to(totals(1), 503)], "cannot be resumed from: HTTP 503 does not settle"),
        ([response_to(totals(1), 403)], "cannot be resumed from: HTTP 403 does not settle"),
        ([ep.EngagementResponse(totals(1), {})], "cannot be resumed from: the grouping is missing"),
        ([response_to(totals(1), 0)], "answers nothing in this plan"),
        ([totals(1)], "responses holds a EngagementRequest; give what is in error.responses"),
        (None, "responses holds a NoneType"),
        (response_to(totals(1)), None),
    ],
)
def test_responses_to_something_else(
    client: ep.EngagementClient, server: ScriptedServer, given: Any, words: str | None
) -> None:
    """What answers another question, or nothing, or the same twice, is an error; none is sent."""
    if words is None:  # a single response is one
        server.answer(counted(2))
        assert len(client.fetch(totals(1, 2), responses=given)) == 2
        return
    with pytest.raises(ep.RequestError, match=words):
        client.fetch(totals(1, 2), responses=given)
    assert server.seen == []
