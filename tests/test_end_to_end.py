"""The client against the sandbox, which implements the documented rules independently."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import pandas as pd
import pytest
from support.scripted import FakeClock

import engagement_pandas as ep
from engagement_pandas.sandbox import FAULTS, Faults, SandboxServer, Settings
from engagement_pandas.vocabulary.engagement_types import PUBLIC_TYPES, SERIES_TYPES, TOTALS_TYPES

NOW = "2026-04-15T12:20:00Z"
WINDOW = ep.Window.covering("2026-04-13T06:00:00Z", "2026-04-15T06:00:00Z")

Make = Callable[..., tuple[SandboxServer, ep.EngagementClient]]


@pytest.fixture
def make(clock: FakeClock) -> Iterator[Make]:
    """Return a function that makes a sandbox and a client with the same fake clock."""
    opened: list[SandboxServer | ep.EngagementClient] = []

    def start(
        settings: Settings | None = None,
        faults: Faults | None = None,
        handle: str = "sandbox_bakery",
    ) -> tuple[SandboxServer, ep.EngagementClient]:
        server = SandboxServer(NOW, settings=settings, faults=faults, wall=clock.time)
        keys = server.keys(handle)
        client = ep.EngagementClient(
            ep.UserContext(
                keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret
            ),
            base_url=server.base_url,
            token_url=server.token_url,
            clock=clock.time,
            sleep=clock.sleep,
        )
        opened.extend([client, server])
        return server, client

    yield start
    for resource in opened:
        resource.close()


def latest_posts(server: SandboxServer, number: int) -> list[str]:
    """Return IDs of the account's latest posts."""
    return [post.post_id for post in server.world.posts("sandbox_bakery")[-number:]]


REQUESTS: dict[str, Callable[[list[str]], ep.EngagementRequest]] = {
    "totals": lambda posts: ep.totals(posts, engagement_types=TOTALS_TYPES),
    "28hr": lambda posts: ep.last_28_hours(posts, engagement_types=SERIES_TYPES),
    "historical": lambda posts: ep.historical(posts, engagement_types=SERIES_TYPES, window=WINDOW),
    "by day": lambda posts: ep.historical(
        posts, engagement_types=SERIES_TYPES, window=WINDOW, by=ep.BY_DAY
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("example", REQUESTS)
def test_every_post_is_counted_or_omitted(example: str) -> None:
    """Recent, old, deleted, unowned and unknown posts have counts or an omission.

    The same holds for each type: it has a count, or an omission of the type or of the post.
    """
    with ep.demo_client(now=NOW) as demo:
        posts = [*demo.posts["post_id"], "1", "9999999999999999999"]
        request = REQUESTS[example](posts)
        responses = demo.client.fetch(request)
    counts, omissions = ep.flatten(responses), ep.omissions(responses)
    numbers = counts.dropna(subset="count")
    counted = set(zip(numbers["post_id"], numbers["engagement_type"], strict=True))
    omitted_posts = set(omissions.loc[omissions["engagement_type"].isna(), "post_id"])
    omitted_pairs = set(zip(omissions["post_id"], omissions["engagement_type"], strict=True))
    requested = set(product(posts, map(str, request.engagement_types)))
    omitted = {
        (post, engagement_type)
        for post, engagement_type in requested
        if post in omitted_posts or (post, engagement_type) in omitted_pairs
    }
    assert counted | omitted == requested
    assert counted & omitted == set()
    assert set(omissions["reason"]) >= {"unavailable", "forbidden"}


def test_each_omission_has_the_right_reason() -> None:
    """The sandbox's own data give the reason for each post of the demo."""
    with ep.demo_client(now=NOW) as demo:
        posts = demo.posts
        responses = demo.client.fetch(ep.totals(posts, engagement_types=TOTALS_TYPES))
    omissions = ep.omissions(responses)
    of_others = set(posts.loc[posts["handle"] != "sandbox_bakery", "post_id"])
    age = pd.Timestamp(NOW) - posts.set_index("post_id")["created_at"]
    by_reason = {str(r): rows for r, rows in omissions.groupby("reason", observed=True)}
    assert set(by_reason["forbidden"]["post_id"]) == of_others
    old = by_reason["unsupported_age"]
    for engagement_type, days in {
        "impressions": 90,
        "engagements": 90,
        "video_views": 1800,
    }.items():
        expected = {
            post for post, value in age.items() if value > pd.Timedelta(days=days)
        } - of_others
        assert set(old.loc[old["engagement_type"] == engagement_type, "post_id"]) == expected
    assert len(by_reason["unavailable"]) == 1


@pytest.mark.slow
def test_dividing_a_request_changes_nothing(make: Make) -> None:
    """One request of 25 posts and two days equals 50 requests of one post and one day."""
    server, client = make(Settings(per_minute=100_000, per_second=100_000))
    posts = latest_posts(server, 25)
    by = {"sums": ["engagement.type", "engagement.day"], "posts": ["tweet.id", "engagement.type"]}
    complete = ep.historical(posts, engagement_types=SERIES_TYPES, window=WINDOW, by=by)
    parts = [
        complete.replace(post_ids=[post], window=window)
        for post in posts
        for window in WINDOW.split(pd.Timedelta("24h").to_pytimedelta())
    ]
    single = client.fetch(complete)
    divided = [response for part in parts for response in client.fetch(part)]
    assert len(divided) == 50
    for name in by:
        pd.testing.assert_frame_equal(ep.flatten(single, name), ep.flatten(divided, name))


def test_the_three_endpoints_agree(make: Make) -> None:
    """The hours of a new post add up to its totals, and the 28 hours equal historical counts."""
    server, client = make()
    (post,) = [p for p in latest_posts(server, 12) if age_in_hours(p) < 20][:1]
    types = ["impressions", "favorites", "replies"]
    hours = ep.flatten(client.fetch(ep.last_28_hours([post], engagement_types=types)))
    totals = ep.flatten(client.fetch(ep.totals([post], engagement_types=types)))
    sums = hours.groupby("engagement_type", observed=True)["count"].sum()
    assert sums.to_dict() == totals.set_index("engagement_type")["count"].to_dict()
    window = ep.Window.covering("2026-04-14T09:00:00Z", "2026-04-15T12:00:00Z")
    historical = ep.flatten(
        client.fetch(ep.historical([post], engagement_types=types, window=window))
    )
    first, last = pd.Timestamp(window.start), pd.Timestamp(window.end)
    inner = hours[ep.timestamps(hours).between(first, last, inclusive="left")]
    keys = ["engagement_type", "day", "hour"]
    pd.testing.assert_series_equal(
        historical.set_index(keys)["count"], inner.set_index(keys)["count"], check_index_type=False
    )


def age_in_hours(post: str) -> float:
    """Return the age of a post at the sandbox's time."""
    created = ep.created_at(post)
    assert created is not None
    return (pd.Timestamp(NOW) - created) / pd.Timedelta("1h")


@pytest.mark.slow
@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "slow"])
def test_every_fault_is_retried(make: Make, fault: str) -> None:
    """After three faults in a row the frame equals the one without faults."""
    server, client = make()
    request = ep.historical(
        latest_posts(server, 3), engagement_types=["impressions"], window=WINDOW
    )
    expected = ep.flatten(client.fetch(request))
    server.faults.push(fault, fault, fault)
    pd.testing.assert_frame_equal(ep.flatten(client.fetch(request)), expected)
    assert len(server.faults) == 0


def test_a_wrong_shape_is_an_error(make: Make) -> None:
    """Valid JSON of another shape is not an empty response: the error has the path."""
    server, client = make()
    server.faults.push(*["wrong_shape"] * 8)
    with pytest.raises(ep.TransportError) as caught:
        client.fetch(ep.totals(latest_posts(server, 1), engagement_types=["favorites"]))
    assert (caught.value.status, caught.value.attempts) == (200, 8)
    assert "the grouping is missing" in str(caught.value)
    assert "the groupings are ['data'] (at $['by_post'])" in str(caught.value)


@pytest.mark.slow
def test_many_faults_change_nothing(make: Make) -> None:
    """With failures of 30 % of the requests, no post is lost or counted twice."""
    faults = Faults(rate=0.3, seed=7)
    server, client = make(faults=faults)
    reliable, reliable_client = make()
    posts = latest_posts(server, 40)
    request = ep.totals(posts, engagement_types=["favorites"], by=ep.BY_POST)
    parts = [request.replace(post_ids=posts[n : n + 2]) for n in range(0, 40, 2)]
    responses = [response for part in parts for response in client.fetch(part)]
    assert len(server.requests) > len(parts)
    pd.testing.assert_frame_equal(ep.flatten(responses), ep.flatten(reliable_client.fetch(request)))
    assert len(reliable.requests) == 1


def test_the_quota_is_respected(make: Make, clock: FakeClock) -> None:
    """With 5 requests a minute, 12 take just over two minutes without a 429.

    Each 429 would cost the next minute.
    """
    server, client = make(Settings(per_minute=5, per_second=100, penalty=5))
    post = latest_posts(server, 9)[0]
    request = ep.historical([post], engagement_types=["impressions"], window=WINDOW)
    start = clock.now
    for hour in WINDOW.split(pd.Timedelta("4h").to_pytimedelta()):
        client.fetch(request.replace(window=hour))
    assert [r.status for r in server.requests] == [200] * 12
    assert 60 < clock.now - start <= 121


def test_a_429_is_waited_for(make: Make, clock: FakeClock) -> None:
    """After another client has spent the minute there is one 429, and no second one."""
    server, client = make(Settings(per_minute=5, per_second=100, penalty=4))
    request = ep.totals(latest_posts(server, 1), engagement_types=["favorites"])
    client.fetch(request)
    keys = server.keys()
    app = ep.AppOnly.from_consumer(keys.consumer_key, keys.consumer_secret)
    with ep.EngagementClient(
        app, base_url=server.base_url, token_url=server.token_url, clock=clock.time
    ) as other_client:
        for _ in range(4):
            other_client.fetch(request)
    start = clock.now
    assert [response.status for response in client.fetch(request)] == [200]
    assert [r.status for r in server.requests if r.scheme != "Basic"] == [200] * 5 + [429, 200]
    assert clock.now - start <= 62


def test_the_older_message_of_a_refusal(make: Make) -> None:
    """Unowned posts that are listed author by author are set aside too."""
    server, client = make(Settings(forbidden="by_author"))
    posts = [server.world.posts(h)[-1].post_id for h in ("sandbox_railway", "sandbox_bakery")]
    responses = client.fetch(ep.totals(posts, engagement_types=["favorites"]))
    assert [r.status for r in responses] == [403, 200]
    assert b"author id" in responses[0].content


def test_hours_nested_in_days(make: Make) -> None:
    """Both documented shapes of hours without days give the same frame."""
    frames = []
    for shape in ("flat", "by_day"):
        server, client = make(Settings(hour_without_day=shape))  # type: ignore[arg-type]
        request = ep.historical(
            latest_posts(server, 9)[:2],
            engagement_types=["impressions", "favorites"],
            window=WINDOW,
            by=["tweet.id", "engagement.type", "engagement.hour"],
        )
        frames.append(ep.flatten(client.fetch(request)))
    assert len(frames[0]) == 2 * 2 * 24
    pd.testing.assert_frame_equal(*frames)


def test_public_counts_equal_the_owners(make: Make) -> None:
    """A bearer token and the owner read the same likes."""
    server, client = make()
    keys = server.keys()
    app = ep.AppOnly.from_consumer(keys.consumer_key, keys.consumer_secret)
    request = ep.totals(latest_posts(server, 5), engagement_types=PUBLIC_TYPES)
    with ep.EngagementClient(app, base_url=server.base_url, token_url=server.token_url) as public:
        pd.testing.assert_frame_equal(
            ep.flatten(public.fetch(request)), ep.flatten(client.fetch(request))
        )
