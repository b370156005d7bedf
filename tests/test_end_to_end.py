"""The client against the sandbox: two peers that know the rules from the same book."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import pandas as pd
import pytest
from support.scripted import FakeClock

import engagement_pandas as ep
from engagement_pandas.sandbox import FAULTS, Faults, SandboxServer, Settings
from engagement_pandas.vocabulary import PUBLIC_TYPES, SERIES_TYPES, TOTALS_TYPES

NOW = "2026-04-15T12:20:00Z"
WINDOW = ep.Window.covering("2026-04-13T06:00:00Z", "2026-04-15T06:00:00Z")

Make = Callable[..., tuple[SandboxServer, ep.EngagementClient]]


@pytest.fixture
def make(clock: FakeClock) -> Iterator[Make]:
    """Make a sandbox and a client that live by the same fake clock."""
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
    for it in opened:
        it.close()


def mine(server: SandboxServer, number: int) -> list[str]:
    """Return IDs of the account's latest posts."""
    return [post.post_id for post in server.world.posts("sandbox_bakery")[-number:]]


QUESTIONS: dict[str, Callable[[list[str]], ep.EngagementRequest]] = {
    "totals": lambda posts: ep.totals(posts, engagement_types=TOTALS_TYPES),
    "28hr": lambda posts: ep.last_28_hours(posts, engagement_types=SERIES_TYPES),
    "historical": lambda posts: ep.historical(posts, engagement_types=SERIES_TYPES, window=WINDOW),
    "by day": lambda posts: ep.historical(
        posts, engagement_types=SERIES_TYPES, window=WINDOW, by=ep.BY_DAY
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("question", QUESTIONS)
def test_every_post_is_counted_or_omitted(question: str) -> None:
    """Recent, old, deleted, somebody else's, never existed: none falls through.

    And per type too: a number, or an omission of that type, or of the whole post.
    """
    with ep.demo_client(now=NOW) as demo:
        posts = [*demo.posts["post_id"], "1", "9999999999999999999"]
        request = QUESTIONS[question](posts)
        responses = demo.client.fetch(request)
    counts, omissions = ep.flatten(responses), ep.omissions(responses)
    numbers = counts.dropna(subset="count")
    counted = set(zip(numbers["post_id"], numbers["engagement_type"], strict=True))
    whole = set(omissions.loc[omissions["engagement_type"].isna(), "post_id"])
    single = set(zip(omissions["post_id"], omissions["engagement_type"], strict=True))
    asked = set(product(posts, map(str, request.engagement_types)))
    silent = {(post, kind) for post, kind in asked if post in whole or (post, kind) in single}
    assert counted | silent == asked
    assert counted & silent == set()
    assert set(omissions["reason"]) >= {"unavailable", "forbidden"}


def test_the_reasons_are_the_right_ones() -> None:
    """Each kind of post in the demo, told apart by what the world knows of it."""
    with ep.demo_client(now=NOW) as demo:
        posts = demo.posts
        responses = demo.client.fetch(ep.totals(posts, engagement_types=TOTALS_TYPES))
    omissions = ep.omissions(responses)
    other = set(posts.loc[posts["handle"] != "sandbox_bakery", "post_id"])
    age = pd.Timestamp(NOW) - posts.set_index("post_id")["created_at"]
    by_reason = {str(r): rows for r, rows in omissions.groupby("reason", observed=True)}
    assert set(by_reason["forbidden"]["post_id"]) == other
    old = by_reason["unsupported_age"]
    for kind, days in {"impressions": 90, "engagements": 90, "video_views": 1800}.items():
        expected = {post for post, d in age.items() if d > pd.Timedelta(days=days)} - other
        assert set(old.loc[old["engagement_type"] == kind, "post_id"]) == expected
    assert len(by_reason["unavailable"]) == 1


@pytest.mark.slow
def test_cutting_changes_nothing(make: Make) -> None:
    """One request of 25 posts and two days, or 50 requests of one post and one day."""
    server, client = make(Settings(per_minute=100_000, per_second=100_000))
    posts = mine(server, 25)
    by = {"sums": ["engagement.type", "engagement.day"], "posts": ["tweet.id", "engagement.type"]}
    whole = ep.historical(posts, engagement_types=SERIES_TYPES, window=WINDOW, by=by)
    parts = [
        whole.replace(post_ids=[post], window=window)
        for post in posts
        for window in WINDOW.split(pd.Timedelta("24h").to_pytimedelta())
    ]
    one = client.fetch(whole)
    many = [response for part in parts for response in client.fetch(part)]
    assert len(many) == 50
    for name in by:
        pd.testing.assert_frame_equal(ep.flatten(one, name), ep.flatten(many, name))


def test_the_three_endpoints_agree(make: Make) -> None:
    """A young post: its hours add up to its totals, and 28 hours are a slice of them."""
    server, client = make()
    (post,) = [p for p in mine(server, 12) if age_in_hours(p) < 20][:1]
    types = ["impressions", "favorites", "replies"]
    hours = ep.flatten(client.fetch(ep.last_28_hours([post], engagement_types=types)))
    totals = ep.flatten(client.fetch(ep.totals([post], engagement_types=types)))
    sums = hours.groupby("engagement_type", observed=True)["count"].sum()
    assert sums.to_dict() == totals.set_index("engagement_type")["count"].to_dict()
    window = ep.Window.covering("2026-04-14T09:00:00Z", "2026-04-15T12:00:00Z")
    past = ep.flatten(client.fetch(ep.historical([post], engagement_types=types, window=window)))
    first, last = pd.Timestamp(window.start), pd.Timestamp(window.end)
    inner = hours[ep.timestamps(hours).between(first, last, inclusive="left")]
    keys = ["engagement_type", "day", "hour"]
    pd.testing.assert_series_equal(
        past.set_index(keys)["count"], inner.set_index(keys)["count"], check_index_type=False
    )


def age_in_hours(post: str) -> float:
    """Return the age of a post at the sandbox's present."""
    made = ep.created_at(post)
    assert made is not None
    return (pd.Timestamp(NOW) - made) / pd.Timedelta("1h")


@pytest.mark.slow
@pytest.mark.parametrize("kind", [name for name in FAULTS if name != "slow"])
def test_every_fault_is_survived(make: Make, kind: str) -> None:
    """Three times in a row, and then the frame is the one without faults."""
    server, client = make()
    request = ep.historical(mine(server, 3), engagement_types=["impressions"], window=WINDOW)
    expected = ep.flatten(client.fetch(request))
    server.faults.push(kind, kind, kind)
    pd.testing.assert_frame_equal(ep.flatten(client.fetch(request)), expected)
    assert len(server.faults) == 0


def test_a_wrong_shape_is_never_a_shorter_frame(make: Make) -> None:
    """Well-formed JSON of something else, whenever it is asked: an error with the path."""
    server, client = make()
    server.faults.push(*["wrong_shape"] * 8)
    with pytest.raises(ep.TransportError) as caught:
        client.fetch(ep.totals(mine(server, 1), engagement_types=["favorites"]))
    assert (caught.value.status, caught.value.attempts) == (200, 8)
    assert "the grouping is missing" in str(caught.value)
    assert "the groupings are ['data'] (at $['by_post'])" in str(caught.value)


@pytest.mark.slow
def test_many_faults_change_nothing(make: Make) -> None:
    """30 % of the requests fail, in every way; no post is lost or counted twice."""
    faults = Faults(rate=0.3, seed=7)
    server, client = make(faults=faults)
    calm, calm_client = make()
    posts = mine(server, 40)
    request = ep.totals(posts, engagement_types=["favorites"], by=ep.BY_POST)
    parts = [request.replace(post_ids=posts[n : n + 2]) for n in range(0, 40, 2)]
    stormy = [response for part in parts for response in client.fetch(part)]
    assert len(server.requests) > len(parts)
    pd.testing.assert_frame_equal(ep.flatten(stormy), ep.flatten(calm_client.fetch(request)))
    assert len(calm.requests) == 1


def test_the_quota_is_respected(make: Make, clock: FakeClock) -> None:
    """5 requests a minute: 12 take just over two minutes, and none meets a 429.

    Each would cost the next minute.
    """
    server, client = make(Settings(per_minute=5, per_second=100, penalty=5))
    post = mine(server, 9)[0]
    request = ep.historical([post], engagement_types=["impressions"], window=WINDOW)
    begun = clock.now
    for hour in WINDOW.split(pd.Timedelta("4h").to_pytimedelta()):
        client.fetch(request.replace(window=hour))
    assert [r.status for r in server.requests] == [200] * 12
    assert 60 < clock.now - begun <= 121


def test_a_429_is_waited_out(make: Make, clock: FakeClock) -> None:
    """Another client spends the minute: one 429, and not a second one for asking too soon."""
    server, client = make(Settings(per_minute=5, per_second=100, penalty=4))
    asked = ep.totals(mine(server, 1), engagement_types=["favorites"])
    client.fetch(asked)
    keys = server.keys()
    app = ep.AppOnly.from_consumer(keys.consumer_key, keys.consumer_secret)
    with ep.EngagementClient(
        app, base_url=server.base_url, token_url=server.token_url, clock=clock.time
    ) as other:
        for _ in range(4):
            other.fetch(asked)
    begun = clock.now
    assert [response.status for response in client.fetch(asked)] == [200]
    assert [r.status for r in server.requests if r.scheme != "Basic"] == [200] * 5 + [429, 200]
    assert clock.now - begun <= 62


def test_the_older_wording(make: Make) -> None:
    """Unowned posts named author by author are set aside as well."""
    server, client = make(Settings(forbidden="by_author"))
    other = [server.world.posts(h)[-1].post_id for h in ("sandbox_railway", "sandbox_bakery")]
    responses = client.fetch(ep.totals(other, engagement_types=["favorites"]))
    assert [r.status for r in responses] == [403, 200]
    assert b"author id" in responses[0].content


def test_hours_nested_in_days(make: Make) -> None:
    """Hour without day, in both documented shapes: the same frame."""
    frames = []
    for shape in ("flat", "by_day"):
        server, client = make(Settings(hour_without_day=shape))  # type: ignore[arg-type]
        request = ep.historical(
            mine(server, 9)[:2],
            engagement_types=["impressions", "favorites"],
            window=WINDOW,
            by=["tweet.id", "engagement.type", "engagement.hour"],
        )
        frames.append(ep.flatten(client.fetch(request)))
    assert len(frames[0]) == 2 * 2 * 24
    pd.testing.assert_frame_equal(*frames)


def test_public_counts_are_the_owner_s(make: Make) -> None:
    """A bearer token and the owner see the same likes."""
    server, client = make()
    keys = server.keys()
    app = ep.AppOnly.from_consumer(keys.consumer_key, keys.consumer_secret)
    request = ep.totals(mine(server, 5), engagement_types=PUBLIC_TYPES)
    with ep.EngagementClient(app, base_url=server.base_url, token_url=server.token_url) as public:
        pd.testing.assert_frame_equal(
            ep.flatten(public.fetch(request)), ep.flatten(client.fetch(request))
        )
