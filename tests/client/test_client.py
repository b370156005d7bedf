"""The client against a scripted server: requests, refusals, responses and errors."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.scripted import USER, FakeClock, Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.client import request_task
from engagement_pandas.client.progress import Progress
from engagement_pandas.request import plan
from engagement_pandas.request.packing import pack
from engagement_pandas.request.post_ids import first_snowflake_at
from engagement_pandas.response import split_refused as refusals
from engagement_pandas.response.split_refused import split_refused

MARCH = ep.Window.covering("2026-03-01", "2026-03-29")


def totals(*posts: int, types: Any = ("favorites",)) -> ep.EngagementRequest:
    """Request totals of posts."""
    return ep.totals(posts, engagement_types=types)


def counted(*posts: int, types: Any = ("favorites",)) -> Scripted:
    """Respond with a count of 1 for each post and type."""
    return Scripted(200, {"by_post": {str(p): dict.fromkeys(types, "1") for p in posts}})


def forbidden(*texts: str) -> Scripted:
    """Refuse with these messages."""
    return Scripted(403, {"errors": list(texts)})


def sent_posts(server: ScriptedServer) -> list[list[str]]:
    """Return the post IDs of each request that arrived."""
    return [seen.body["tweet_ids"] for seen in server.seen]


def summary(responses: list[ep.EngagementResponse]) -> list[tuple[int, tuple[str, ...]]]:
    """Return the status and the post IDs of each response."""
    return [(r.status, r.request.post_ids) for r in responses]


# Requests


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
    """The body is the request's JSON, sent to its endpoint."""
    server.answer(Scripted(200, {request_.groupings[0].name: {}}))
    client.fetch(request_)
    (seen,) = server.seen
    assert seen.path == path
    assert seen.body == request_.to_json()
    assert seen.headers["authorization"].startswith("OAuth ")


def test_every_batch_is_sent(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """251 posts are sent as 250 and the one that published clients lose."""
    server.answer(counted(*range(1, 251)), counted(251))
    responses = client.fetch(totals(*range(1, 252)))
    assert [len(ids) for ids in sent_posts(server)] == [250, 1]
    assert [r.request.post_ids for r in responses] == [tuple(ids) for ids in sent_posts(server)]


def test_a_plan_can_be_fetched(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """A plan is sent unchanged."""
    server.answer(counted(1))
    assert len(client.fetch(ep.plan(totals(1)))) == 1


def test_a_response_has_its_json_and_its_request(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """Counts stay strings, and the order of the response is kept."""
    server.answer(counted(2, 1))
    (response,) = client.fetch(totals(1, 2))
    assert response.json() == {"by_post": {"2": {"favorites": "1"}, "1": {"favorites": "1"}}}
    assert response.request == totals(1, 2)


def test_data_with_errors_is_kept(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """A 200 can carry both; the request is not repeated."""
    body = {"by_post": {"1": {"favorites": "1"}}, "errors": ["1 Tweet ID(s) are unavailable"]}
    server.answer(Scripted(200, body))
    (response,) = client.fetch(totals(1, 2))
    assert response.json() == body


def test_the_response_to_a_retry_is_returned(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """Published clients discard the response after a failure."""
    server.answer(Scripted(503, {"errors": ["internal server error"]}), counted(1))
    assert summary(client.fetch(totals(1))) == [(200, ("1",))]


def test_each_attempt_is_signed_at_its_time(
    client: ep.EngagementClient, server: ScriptedServer, clock: FakeClock
) -> None:
    """After a long wait the time of the first attempt would be refused."""
    start = int(clock.now)
    quota_spent = {"x-per-minute-remaining": "0", "x-per-minute-reset": str(start + 42)}
    server.answer(Scripted(429, {"errors": ["rate limit"]}, quota_spent), counted(1))
    client.fetch(totals(1))
    first, second = (seen.headers["authorization"] for seen in server.seen)
    assert f'oauth_timestamp="{start}"' in first
    assert f'oauth_timestamp="{start + 42}"' in second


def test_a_response_has_its_retrieval_time(
    client: ep.EngagementClient, server: ScriptedServer, clock: FakeClock
) -> None:
    """It is the time of the client's clock, in UTC."""
    server.answer(counted(1))
    (response,) = client.fetch(totals(1))
    assert response.retrieved_at.isoformat() == "2026-04-15T12:20:00+00:00"
    assert response.retrieved_at.timestamp() == clock.now


# Refusals


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
def test_unowned_posts_are_set_aside(
    client: ep.EngagementClient, server: ScriptedServer, words: tuple[str, ...]
) -> None:
    """With either message, the named posts are refused, and the others are requested again."""
    server.answer(forbidden(*words), counted(1, 3))
    responses = client.fetch(totals(1, 2, 3, 4))
    assert sent_posts(server) == [["1", "2", "3", "4"], ["1", "3"]]
    assert summary(responses) == [(403, ("2", "4")), (200, ("1", "3"))]


def test_requests_are_repeated_until_one_is_accepted(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """The API may name unowned posts one by one."""
    server.answer(
        forbidden("Forbidden to access tweets: 1"),
        forbidden("Forbidden to access tweets: 3"),
        counted(2),
    )
    assert summary(client.fetch(totals(1, 2, 3))) == [(403, ("1",)), (403, ("3",)), (200, ("2",))]


def test_no_request_without_posts_is_sent(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """If all posts are unowned, the refusal answers for all of them."""
    server.answer(forbidden("Forbidden to access tweets: 1, 2"))
    assert summary(client.fetch(totals(1, 2))) == [(403, ("1", "2"))]
    assert len(server.seen) == 1


def test_refused_post_ids_are_compared_as_text(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """Post 12 is not refused because of 123."""
    server.answer(forbidden("Forbidden to access tweets: 123"), counted(12))
    assert summary(client.fetch(totals(12, 123))) == [(403, ("123",)), (200, ("12",))]


def test_refused_types_are_set_aside(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """Types that these credentials may not read are refused; the others are requested again."""
    server.answer(forbidden("Forbidden to access metrics: retweets"), counted(1))
    responses = client.fetch(totals(1, types=["favorites", "retweets"]))
    assert [(r.status, r.request.engagement_types) for r in responses] == [
        (403, ("retweets",)),
        (200, ("favorites",)),
    ]


def test_a_403_without_posts_of_the_request_is_an_error(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """The request is not repeated."""
    server.answer(forbidden("Forbidden to access tweets: 99"))
    with pytest.raises(ep.RefusedError) as caught:
        client.fetch(totals(1))
    assert caught.value.status == 403
    assert caught.value.messages == ("Forbidden to access tweets: 99",)
    assert len(server.seen) == 1


def test_unavailable_posts_are_an_answer(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """A 400 that lists the posts answers for them; the other batches still count."""
    gone = {"errors": ["1 Tweet ID(s) are unavailable"], "unavailable_tweet_ids": ["251"]}
    server.answer(counted(*range(1, 251)), Scripted(400, gone))
    responses = client.fetch(totals(*range(1, 252)))
    assert summary(responses)[1] == (400, ("251",))


def test_posts_too_old_for_impressions(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """A 400 that lists posts by age answers for those types of those posts only."""
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


def test_two_age_limits_in_one_refusal(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """Posts too old for different types are separated, and each pair is answered once."""
    old = {
        "errors": ["not supported"],
        "unsupported_for_impressions_engagements_tweet_ids": ["1", "2"],
        "unsupported_for_video_views_tweet_ids": ["2"],
    }
    second = {"errors": ["not supported"], "unsupported_for_video_views_tweet_ids": ["2"]}
    server.answer(Scripted(400, old), Scripted(400, second), counted(1, types=["video_views"]))
    responses = client.fetch(totals(1, 2, types=["impressions", "video_views"]))
    pairs = {
        (post, str(engagement_type)): r.status
        for r in responses
        for post in r.request.post_ids
        for engagement_type in r.request.engagement_types
    }
    assert pairs == {
        ("1", "impressions"): 400,
        ("2", "impressions"): 400,
        ("2", "video_views"): 400,
        ("1", "video_views"): 200,
    }


@pytest.mark.slow
def test_repeated_refusals(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """The rest of one refusal waits during the next refusal; no post is lost."""
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
def test_refusals_are_not_retried(
    client: ep.EngagementClient, server: ScriptedServer, clock: FakeClock, status: int
) -> None:
    """The error has the status and the API's messages as attributes."""
    server.answer(Scripted(status, {"errors": ["Reason: first", "second"]}))
    with pytest.raises(ep.RefusedError, match="Reason: first; second") as caught:
        client.fetch(totals(1))
    assert (caught.value.status, caught.value.messages) == (status, ("Reason: first", "second"))
    assert (len(server.seen), clock.slept) == (1, [])


def test_a_401_has_its_own_error(
    client: ep.EngagementClient, server: ScriptedServer, sample: Any
) -> None:
    """It has the documented message and the cure."""
    server.answer(Scripted(401, sample("error_auth_access_token_not_found")))
    with pytest.raises(ep.Unauthorized, match="Access token not found; check the credentials"):
        client.fetch(totals(1))


def test_a_refusal_without_json(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """The text of a proxy's HTML page is the message."""
    server.answer(Scripted(404, b"<h1>No such page</h1>", {"content-type": "text/html"}))
    with pytest.raises(ep.RefusedError, match=r"\(HTTP 404\): No such page; check base_url"):
        client.fetch(totals(1))


def test_a_refusal_without_a_body(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """The name of the status is the message."""
    server.answer(Scripted(403, b"", {"content-type": "text/plain"}))
    with pytest.raises(ep.RefusedError, match=r"\(HTTP 403\): Forbidden"):
        client.fetch(totals(1))


def test_responses_before_an_error_are_kept(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """The error carries the first batch, which was paid for."""
    server.answer(counted(*range(1, 251)), Scripted(400, {"errors": ["no"]}))
    with pytest.raises(ep.RefusedError) as caught:
        client.fetch(totals(*range(1, 252)))
    (kept,) = caught.value.responses
    assert len(kept.request.post_ids) == 250
    assert "1 answer had arrived; see .responses" in str(caught.value.__notes__)


def test_an_unsent_request_is_not_counted_as_arrived(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """A post made after the first of two windows has an unsent request, but no response arrived."""
    server.answer(Scripted(400, {"errors": ["no"]}))
    window = ep.Window.covering("2026-01-20", "2026-03-17")
    late = str(first_snowflake_at(datetime(2026, 3, 1, tzinfo=UTC)))
    request = ep.historical([late], engagement_types=["favorites"], window=window)
    with pytest.raises(ep.RefusedError) as caught:
        client.fetch(request)
    assert [response.status for response in caught.value.responses] == [0]
    assert "arrived" not in str(caught.value.__notes__)


def test_responses_before_an_interrupt_are_kept(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """Ctrl-C in a notebook loses no response."""

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


@pytest.mark.parametrize("invalid", [None, "1", ["1"], [totals(1)]])
def test_invalid_requests_are_refused(client: ep.EngagementClient, invalid: Any) -> None:
    """A list of post IDs names no engagement types."""
    with pytest.raises(ep.RequestError, match="is not a request"):
        client.fetch(invalid)


def test_a_stream_yields_each_response_at_once(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """It yields each response before the next request is sent."""
    server.answer(counted(*range(1, 251)), counted(251))
    stream = client.stream(totals(*range(1, 252)))
    next(stream)
    assert len(server.seen) == 1
    assert len(list(stream)) == 1


# Watchers


class StopWatching(Exception):
    """Raised by a watcher to end a fetch."""


def quota_spent(clock: FakeClock, seconds: int) -> dict[str, str]:
    """Return headers of a response that leaves the quota exhausted for these seconds."""
    reset = str(int(clock.now) + seconds)
    return {"x-per-minute-remaining": "0", "x-per-minute-reset": reset}


def test_each_step_is_reported(
    client: ep.EngagementClient, server: ScriptedServer, clock: FakeClock
) -> None:
    """A watcher is called before each request, in each second of a wait, and at the end."""
    first = Scripted(200, counted(*range(1, 251)).body, quota_spent(clock, 2))
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


def test_progress_counts_the_requests_of_the_plan(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """A request that a refusal divides counts once, regardless of retries."""
    server.answer(forbidden("Forbidden to access tweets: 1"), counted(2))
    steps: list[Progress] = []
    client.fetch(ep.plan(totals(1, 2)), watch=steps.append)
    assert [(step.done, step.total) for step in steps] == [(0, 1), (0, 1), (1, 1)]


def test_a_watcher_replaces_the_progress_bar(
    client: ep.EngagementClient, server: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing else is printed."""
    server.answer(counted(*range(1, 251)), counted(251))
    client.fetch(totals(*range(1, 252)), watch=lambda _: None)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_the_progress_bar_shows_waits(
    client: ep.EngagementClient,
    server: ScriptedServer,
    clock: FakeClock,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each second is shown on a terminal, and the text is gone at the end."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    first = Scripted(200, counted(*range(1, 251)).body, quota_spent(clock, 2))
    server.answer(first, counted(251))
    client.fetch(totals(*range(1, 252)))
    output = capsys.readouterr().err
    assert "waiting 2 s for the quota" in output
    assert "waiting 1 s for the quota" in output
    assert "waiting" not in output.split("\r")[-1]


@pytest.mark.parametrize("error", [StopWatching, KeyboardInterrupt, ValueError, OSError])
def test_an_error_of_a_watcher_ends_a_fetch(
    client: ep.EngagementClient, server: ScriptedServer, error: type[BaseException]
) -> None:
    """The error comes out unchanged, with the responses; no more requests are sent."""
    server.answer(counted(*range(1, 251)), counted(251))
    stop = error("enough")

    def watch(progress: Progress) -> None:
        if progress.done == 1:
            raise stop

    with pytest.raises(error) as caught:
        client.fetch(totals(*range(1, 252)), watch=watch)
    assert caught.value is stop
    assert summary(caught.value.responses) == [(200, tuple(map(str, range(1, 251))))]
    assert caught.value.__notes__ == [
        "1 answer had arrived; see .responses. fetch(..., responses=error.responses) resumes"
    ]
    assert len(server.seen) == 1


def test_an_error_of_a_watcher_ends_a_wait(
    client: ep.EngagementClient, server: ScriptedServer, clock: FakeClock
) -> None:
    """A wait of a minute for the quota ends after its first second."""
    first = Scripted(200, counted(*range(1, 251)).body, quota_spent(clock, 60))
    server.answer(first, counted(251))

    def watch(progress: Progress) -> None:
        if progress.waiting == "waiting 59 s for the quota":
            raise StopWatching

    with pytest.raises(StopWatching):
        client.fetch(totals(*range(1, 252)), watch=watch)
    assert (clock.slept, len(server.seen)) == ([1.0], 1)


def test_an_error_of_a_watcher_prevents_all_requests(
    server: ScriptedServer, clock: FakeClock
) -> None:
    """It is called before the first request, and before a token is fetched."""

    def watch(_: Progress) -> None:
        raise StopWatching

    with (
        app_client(server, clock, ep.AppOnly.from_consumer("ck", "cs")) as client,
        pytest.raises(StopWatching) as caught,
    ):
        client.fetch(totals(1), watch=watch)
    assert server.seen == []
    assert caught.value.responses == ()  # type: ignore[attr-defined]
    assert not hasattr(caught.value, "__notes__")


def test_an_error_of_a_watcher_ends_a_refused_request(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """The refusal is kept, and the rest of the request is not sent."""
    server.answer(forbidden("Forbidden to access tweets: 1"), counted(2))
    steps: list[Progress] = []

    def watch(progress: Progress) -> None:
        steps.append(progress)
        if len(steps) == 2:
            raise StopWatching

    with pytest.raises(StopWatching) as caught:
        client.fetch(totals(1, 2), watch=watch)
    assert summary(caught.value.responses) == [(403, ("1",))]  # type: ignore[attr-defined]
    assert len(server.seen) == 1


def test_a_client_works_after_an_ended_fetch(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """The next fetch is not affected."""
    server.answer(counted(*range(1, 251)), counted(1))

    def watch(progress: Progress) -> None:
        if progress.done:
            raise StopWatching

    with pytest.raises(StopWatching):
        client.fetch(totals(*range(1, 252)), watch=watch)
    assert summary(client.fetch(totals(1))) == [(200, ("1",))]


def test_a_stream_has_a_watcher(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """It is called as the responses are taken, and can end the stream."""
    server.answer(counted(*range(1, 251)), counted(251))
    steps: list[int] = []

    def watch(progress: Progress) -> None:
        steps.append(progress.done)
        if progress.done:
            raise StopWatching

    stream = client.stream(totals(*range(1, 252)), watch=watch)
    assert next(stream).status == 200
    assert steps == [0]
    with pytest.raises(StopWatching):
        next(stream)
    assert len(server.seen) == 1


# Credentials


def app_client(
    server: ScriptedServer, clock: FakeClock, credentials: ep.AppOnly
) -> ep.EngagementClient:
    """Return a client with the app's credentials only."""
    return ep.EngagementClient(
        credentials,
        base_url=server.url,
        token_url=f"{server.url}/oauth2/token",
        clock=clock.time,
        sleep=clock.sleep,
    )


def test_a_given_bearer_token_is_used(server: ScriptedServer, clock: FakeClock) -> None:
    """It is sent unchanged."""
    server.answer(counted(1))
    with app_client(server, clock, ep.AppOnly("given")) as client:
        client.fetch(totals(1))
    assert server.seen[0].headers["authorization"] == "Bearer given"


def test_a_bearer_token_is_fetched_once(server: ScriptedServer, clock: FakeClock) -> None:
    """Key and secret are sent as basic auth, and the token is used for every request."""
    server.answer(
        Scripted(200, {"token_type": "bearer", "access_token": "fetched"}),
        counted(*range(1, 251)),
        counted(251),
    )
    with app_client(server, clock, ep.AppOnly.from_consumer("ck", "cs")) as client:
        client.fetch(totals(*range(1, 252)))
    token, *rest = server.seen
    assert (token.path, token.content) == ("/oauth2/token", b"grant_type=client_credentials")
    assert token.headers["authorization"] == "Basic Y2s6Y3M="  # base64 of ck:cs
    assert [seen.headers["authorization"] for seen in rest] == ["Bearer fetched"] * 2


def test_refused_app_keys_are_unauthorised(server: ScriptedServer, clock: FakeClock) -> None:
    """The token endpoint returns its errors as objects."""
    server.answer(Scripted(401, {"errors": [{"code": 99, "message": "Unable to verify"}]}))
    with (
        app_client(server, clock, ep.AppOnly.from_consumer("ck", "cs")) as client,
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
def test_a_token_response_without_a_token(
    server: ScriptedServer, clock: FakeClock, body: Any
) -> None:
    """The error has the JSON path, and shows no token."""
    server.answer(Scripted(200, body))
    with (
        app_client(server, clock, ep.AppOnly.from_consumer("ck", "cs")) as client,
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
def test_owner_only_counts_need_user_context(
    server: ScriptedServer, clock: FakeClock, request_: ep.EngagementRequest
) -> None:
    """With a bearer token the request fails before anything is sent, even a token request."""
    with (
        app_client(server, clock, ep.AppOnly.from_consumer("ck", "cs")) as client,
        pytest.raises(ep.UserContextRequired, match="use UserContext"),
    ):
        client.fetch(request_)
    assert server.seen == []


@pytest.mark.parametrize("prepare", [lambda it: it, ep.plan], ids=["request", "plan"])
def test_refusal_reports_the_reason(server: ScriptedServer, clock: FakeClock, prepare: Any) -> None:
    """Reason and cure equal the error of `fetch`, for a request and for its plan."""
    private = prepare(totals(1, types=["favorites", "impressions"]))
    with app_client(server, clock, ep.AppOnly("given")) as client:
        refusal = client.refusal(private)
        assert refusal == (
            "only the owner of the posts may read ['impressions']; "
            "use UserContext with the owner's access token"
        )
        with pytest.raises(ep.UserContextRequired) as caught:
            client.fetch(private)
    assert str(caught.value) == refusal


def test_a_bearer_token_may_request_public_counts(server: ScriptedServer, clock: FakeClock) -> None:
    """Totals of public types are not refused."""
    with app_client(server, clock, ep.AppOnly("given")) as client:
        assert client.refusal(totals(1, types=ep.PUBLIC_TYPES)) is None


def test_user_context_is_not_refused(client: ep.EngagementClient) -> None:
    """Only the API knows the owners of the posts."""
    assert client.refusal(ep.last_28_hours(["1"], engagement_types=ep.SERIES_TYPES)) is None
    assert client.refusal(totals(1, types=ep.TOTALS_TYPES)) is None


def test_invalid_credentials_are_refused() -> None:
    """A tuple of strings is not accepted."""
    with pytest.raises(ep.CredentialsError, match="give UserContext, AppOnly or"):
        ep.EngagementClient(("a", "b"))  # type: ignore[arg-type]


def test_plain_http_to_other_hosts_is_refused() -> None:
    """The client is not made."""
    with pytest.raises(ep.RequestError, match="not an https URL"):
        ep.EngagementClient(USER, base_url="http://data-api.twitter.com")
    with pytest.raises(ep.RequestError, match="not an https URL"):
        ep.EngagementClient(USER, token_url="http://api.twitter.com/oauth2/token")


# Output


def test_a_progress_bar_for_several_requests(
    client: ep.EngagementClient,
    server: ScriptedServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One request has no bar; for two, on a terminal, it ends at 2/2."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    server.answer(counted(1), counted(*range(1, 251)), counted(251))
    client.fetch(totals(1))
    assert capsys.readouterr().err == ""
    client.fetch(totals(*range(1, 252)))
    assert "2/2" in capsys.readouterr().err


def test_repr(client: ep.EngagementClient, server: ScriptedServer) -> None:
    """It shows the URL and the type of the credentials."""
    assert (
        repr(client)
        == f"EngagementClient({server.url} with UserContext(OAuth 1.0a, secrets hidden))"
    )


def test_now_is_the_time_of_the_clock(client: ep.EngagementClient, clock: FakeClock) -> None:
    """Plans can use the time of the client."""
    assert client.now().timestamp() == clock.time()
    assert client.now().utcoffset() == timedelta(0)


# Complete coverage


def counts_for(seen: Any) -> Scripted:
    """Respond with a count of 1 for each post and type."""
    engagement_types = seen["engagement_types"]
    return Scripted(
        200, {"by_post": {p: dict.fromkeys(engagement_types, "1") for p in seen["tweet_ids"]}}
    )


def pack_without_the_last(request: ep.EngagementRequest, *_: Any) -> Any:
    """Pack wrongly, without the last batch."""
    requests, unposted = pack(request, datetime(2026, 4, 15, tzinfo=UTC))
    return requests[:-1], unposted


def pack_without_an_hour(request: ep.EngagementRequest, *_: Any) -> Any:
    """Pack wrongly: no window has the hour between two windows."""
    (first, *rest), unposted = pack(request, datetime(2026, 4, 15, tzinfo=UTC))
    assert first.window is not None
    window = ep.Window(first.window.start, first.window.end - timedelta(hours=1))
    return (first.replace(window=window), *rest), unposted


def pack_without_a_type(request: ep.EngagementRequest, *_: Any) -> Any:
    """Pack wrongly: one request has one type less."""
    (first, *rest), unposted = pack(request, datetime(2026, 4, 15, tzinfo=UTC))
    return (first.replace(engagement_types=first.engagement_types[1:]), *rest), unposted


def pack_twice(request: ep.EngagementRequest, *_: Any) -> Any:
    """Pack wrongly: one request is repeated."""
    requests, unposted = pack(request, datetime(2026, 4, 15, tzinfo=UTC))
    return (*requests, requests[0]), unposted


@pytest.mark.parametrize(
    "wrong", [pack_without_the_last, pack_without_an_hour, pack_without_a_type, pack_twice]
)
def test_a_plan_must_cover_its_request(
    client: ep.EngagementClient, monkeypatch: pytest.MonkeyPatch, wrong: Any
) -> None:
    """Requests that packing loses or repeats are an error before anything is sent."""
    monkeypatch.setattr(plan, "pack", wrong)
    window = ep.Window.covering("2026-02-01", "2026-03-29")
    request = ep.historical(range(1, 27), engagement_types=["favorites", "replies"], window=window)
    with pytest.raises(ep.RequestError, match=r"complete request: (missing|duplicate)"):
        client.fetch(request)


@pytest.mark.parametrize("method", ["fetch", "stream"])
def test_the_rest_of_a_refused_batch_must_be_answered(
    client: ep.EngagementClient,
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    """If one post is refused and the others are not requested again, that is an error."""
    monkeypatch.setattr(refusals, "split_refused", lambda refusal: (split_refused(refusal)[0], []))
    server.answer(forbidden("Forbidden to access tweets: 2"))
    with pytest.raises(
        ep.TransportError, match=r"missing: favorites of post 1 \(and 1 more\)"
    ) as caught:
        list(getattr(client, method)(totals(1, 2, 3)))
    if method == "fetch":
        assert summary(caught.value.responses) == [(403, ("2",))]


def test_each_part_of_a_request_must_be_answered(
    client: ep.EngagementClient, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A response for fewer posts than were sent is an error."""
    apply_refusal = refusals.apply_refusal

    def fewer(response: ep.EngagementResponse) -> Any:
        smaller = response.request.replace(post_ids=response.request.post_ids[1:])
        return apply_refusal(ep.EngagementResponse(smaller, response.content, response.status))

    monkeypatch.setattr(request_task, "apply_refusal", fewer)
    server.answer(counted(1, 2))
    with pytest.raises(ep.TransportError, match=r"missing: favorites of post 1 \(totals by_post\)"):
        client.fetch(totals(1, 2))


# Resuming after a failure


@pytest.mark.slow
@pytest.mark.parametrize("answered", range(5))
def test_resuming_sends_each_request_once(
    client: ep.EngagementClient, server: ScriptedServer, answered: int
) -> None:
    """The same holds with refusals by post, type and age before the counts."""
    request = totals(*range(1, 253), types=("favorites", "retweets"))
    script = [
        forbidden("Forbidden to access tweets: 1"),
        forbidden("Forbidden to access metrics: retweets"),
        Scripted(400, {"errors": ["gone"], "unavailable_tweet_ids": ["2"]}),
        counted(*range(3, 251)),
        counted(251, 252, types=("favorites", "retweets")),
    ]
    server.answer(*script)
    everything = client.fetch(request)
    sent = [seen.content for seen in server.seen]
    server.seen.clear()
    server.answer(*script[:answered], Scripted(404, {"errors": ["down"]}))
    with pytest.raises(ep.RefusedError) as caught:
        client.fetch(request)
    assert [seen.content for seen in server.seen] == sent[: answered + 1]
    server.seen.clear()
    server.answer(*script[answered:])
    resumed = client.fetch(ep.plan(request), responses=caught.value.responses)
    assert [seen.content for seen in server.seen] == sent[answered:]
    assert [(r.request, r.status) for r in resumed] == [(r.request, r.status) for r in everything]
    assert client.fetch(request, responses=everything) == everything
    assert server.script == []


def test_resuming_keeps_the_order_of_the_plan(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """Only the last batch was answered before; the unsent request is returned once."""
    late = str(first_snowflake_at(datetime(2026, 3, 10, tzinfo=UTC)))
    window = ep.Window.covering("2026-02-01", "2026-03-29")
    request = ep.historical(
        [late, "7"], engagement_types=["favorites"], window=window, by=ep.BY_POST
    )
    body = {"by_post": {}}
    server.answer(Scripted(200, body), Scripted(200, body))
    everything = client.fetch(request)
    assert [r.status for r in everything] == [0, 200, 200]
    server.seen.clear()
    server.answer(Scripted(200, body))
    resumed = client.fetch(request, responses=[everything[2], everything[0]])
    assert [r.request for r in resumed] == [r.request for r in everything]
    assert [seen.body for seen in server.seen] == [everything[1].request.to_json()]


def test_resuming_requests_the_missing_types(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """A response for one type of a post does not answer for its other types."""
    request = totals(1, 2, types=("favorites", "retweets"))
    known = response_to(totals(1, 2))
    server.answer(counted(1, 2, types=("retweets",)))
    resumed = client.fetch(request, responses=[known])
    assert [seen.body for seen in server.seen] == [totals(1, 2, types=("retweets",)).to_json()]
    assert resumed[0] is known
    assert len(resumed) == 2


def test_resuming_a_plan_that_divides_types(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """If a plan requests the types of a post one by one, each response belongs to its own part."""
    request = totals(1, types=("favorites", "retweets"))
    parts = totals(1), totals(1, types=("retweets",))
    cut = ep.Plan(request, parts, datetime(2026, 4, 15, tzinfo=UTC))
    known = response_to(parts[0])
    server.answer(counted(1, types=("retweets",)))
    resumed = client.fetch(cut, responses=[known])
    assert [seen.body for seen in server.seen] == [parts[1].to_json()]
    assert [response.request for response in resumed] == [*parts]


def response_to(request: ep.EngagementRequest, status: int = 200) -> ep.EngagementResponse:
    """Return a response with a count of 1 for each post and type."""
    return ep.EngagementResponse(request, counts_for(request.to_json()).body, status)


@pytest.mark.parametrize(
    ("responses", "words"),
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
def test_resuming_refuses_other_responses(
    client: ep.EngagementClient, server: ScriptedServer, responses: Any, words: str | None
) -> None:
    """Responses to other requests, failed ones and repeated ones are errors; nothing is sent."""
    if words is None:  # a single response is accepted
        server.answer(counted(2))
        assert len(client.fetch(totals(1, 2), responses=responses)) == 2
        return
    with pytest.raises(ep.RequestError, match=words):
        client.fetch(totals(1, 2), responses=responses)
    assert server.seen == []
