"""The price tag of a question: bytes, handles, rows, and what will not be answered."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.handles import Handles
from engagement_pandas.posts import first_id
from engagement_pandas.sandbox import SandboxServer, Settings

NOW = "2026-04-15T12:20:00Z"
MONTH = ep.Window.covering("2026-03-18T12:00:00Z", "2026-04-15T12:00:00Z")
DAY = ep.Window.covering("2026-04-14", "2026-04-15")
POST, TYPE, DATE, TIME = "tweet.id", "engagement.type", "engagement.day", "engagement.hour"


# Bytes

GROUPINGS: dict[str, Any] = {
    "hours": ep.BY_HOUR,
    "days": ep.BY_DAY,
    "days below types": (TYPE, POST, DATE),
    "posts": ep.BY_POST,
    "hours of the day": (POST, TYPE, TIME),
    "sums": (TYPE,),
    "sums of hours": (TYPE, DATE, TIME),
    "days of hours": (TYPE, TIME, DATE),
    "several": {"a_long_name": (POST, TYPE), "b": (TYPE, DATE)},
}


@pytest.fixture(scope="module")
def owner() -> Iterator[tuple[ep.EngagementClient, list[str]]]:
    """Run a sandbox: a client, and 40 posts that it answers in full."""
    server = SandboxServer(NOW, settings=Settings(per_minute=100_000, per_second=100_000))
    keys = server.keys("sandbox_bakery")
    credentials = ep.UserContext(
        keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret
    )
    posts = [post.post_id for post in server.world.posts("sandbox_bakery")]
    with closing(server), ep.EngagementClient(credentials, base_url=server.base_url) as client:
        asked = ep.totals(posts, engagement_types=["favorites"])
        silent = set(ep.omissions(client.fetch(asked))["post_id"])
        yield client, [post for post in posts if post not in silent][:40]


Ask = Callable[[list[str], Any, Any], ep.EngagementRequest]
QUESTIONS: dict[str, Ask] = {
    "a month": lambda posts, types, by: ep.historical(
        posts, engagement_types=types, window=MONTH, by=by
    ),
    "a day": lambda posts, types, by: ep.historical(
        posts, engagement_types=types, window=DAY, by=by
    ),
    "28 hours": lambda posts, types, by: ep.last_28_hours(posts, engagement_types=types, by=by),
}


@pytest.mark.parametrize("by", GROUPINGS)
@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("types", [["impressions"], ep.SERIES_TYPES], ids=["1 type", "17 types"])
def test_bytes_of_time_series(
    owner: tuple[ep.EngagementClient, list[str]], question: str, types: Any, by: str
) -> None:
    """Within a quarter of what the sandbox sends, in two batches."""
    client, posts = owner
    plan = ep.plan(QUESTIONS[question](posts, types, GROUPINGS[by]), now=client.now())
    sent = sum(len(r.content) for r in client.fetch(plan, watch=lambda _: None))
    assert len(plan) == 2
    assert sent / 1.25 < plan.answer_bytes < sent * 1.25


@pytest.mark.parametrize("types", [["favorites"], ep.TOTALS_TYPES], ids=["1 type", "7 types"])
def test_bytes_of_totals(owner: tuple[ep.EngagementClient, list[str]], types: Any) -> None:
    """The same for totals."""
    client, posts = owner
    plan = ep.plan(ep.totals(posts, engagement_types=types), now=client.now())
    sent = sum(len(r.content) for r in client.fetch(plan))
    assert sent / 1.25 < plan.answer_bytes < sent * 1.25


def test_bytes_of_a_documented_answer(sample: Callable[[str], Any]) -> None:
    """X's own example, without its white space."""
    body = sample("historical_response")
    request = ep.EngagementRequest.from_json("historical", sample("historical_request"))
    length = len(ep.EngagementResponse(request, body).content)
    assert length / 1.25 < ep.plan(request).answer_bytes < length * 1.25


def test_bytes_by_hand() -> None:
    """Two posts, one type, totals: every quote, colon and brace, and a comma behind each."""
    body = '{"by_post":{"7":{"replies":"55",},"8":{"replies":"55",},},}'
    asked = ep.totals(["7", "8"], engagement_types=["replies"])
    assert ep.plan(asked).answer_bytes == pytest.approx(len(body), abs=1)


# Rows


def test_rows_of_posts_made_later() -> None:
    """40 days by day: an old post has 40 rows, one made in the last 28 days 28, one after none."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    late, never = (str(first_id(start + timedelta(days=n))) for n in (35, 50))
    window = ep.Window(start, start + timedelta(days=40))
    now = start + timedelta(days=60)
    asked = ep.historical(
        ["7", late, never], engagement_types=["replies"], window=window, by=ep.BY_DAY
    )
    assert ep.plan(asked, now=now).most_counts == 40 + 28
    sums = asked.replace(groupings=["engagement.type", "engagement.day"])
    assert ep.plan(sums, now=now).most_counts == 40


def test_rows_of_sums_are_those_of_the_longest_window() -> None:
    """@a's post is asked of for 28 days, then @b's for 56: the days of a sum are 56."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    later, sooner = (str(first_id(start + timedelta(days=n))) for n in (50, 20))
    asked = ep.historical(
        pd.DataFrame({"post_id": [later, sooner], "handle": ["a", "b"]}),
        engagement_types=["replies"],
        window=ep.Window(start, start + timedelta(days=68)),  # cut into 12, 28 and 28
        by=[TYPE, DATE],
    )
    plan = ep.plan(asked, now=start + timedelta(days=90))
    assert [part.window.hours // 24 for part in plan if part.window] == [28, 28, 28]
    assert plan.most_counts == 56


# What will not be answered


def test_what_was_not_posted_yet() -> None:
    """A post made on the 35th day of 40 is not asked for the first 12; and it says so."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    late = str(first_id(start + timedelta(days=35)))
    window = ep.Window(start, start + timedelta(days=40))
    asked = ep.historical(["7", late], engagement_types=["replies"], window=window)
    plan = ep.plan(asked, now=start + timedelta(days=60))
    assert plan.expected_omissions == ((late, None, "not_yet_posted"),)
    assert repr(plan).endswith("\n\n  1 post not asked for the time before: not yet posted")
    assert "<li>1 post not asked for the time before: not yet posted</li>" in plan._repr_html_()


def test_what_was_posted_after_counting_began() -> None:
    """Favorites are counted since 2015-09-15: a post of October has no hours before that."""
    window = ep.Window.covering("2015-09-01", "2015-10-13")
    october = str(first_id(datetime(2015, 10, 1, tzinfo=UTC)))
    asked = ep.historical(["7", october], engagement_types=["favorites"], window=window)
    assert ep.plan(asked).unposted[0].window == ep.Window.covering("2015-09-01", "2015-09-15")
    assert set(ep.plan(asked).expected_omissions) == {
        (october, None, "not_yet_posted"),
        ("7", "favorites", "before_counting"),
    }
    assert "no favorites to expect for 1 post" in repr(ep.plan(asked))
    assert "favorites to expect" not in repr(ep.plan(asked.replace(post_ids=[october])))


# Handles

POSTS = pd.DataFrame(
    {"post_id": ["7", "8", "9", "10"], "handle": ["Bakery", "@railway", " bakery ", None]}
)


def asking(posts: Any) -> ep.EngagementRequest:
    """Ask for the replies to some posts."""
    return ep.totals(posts, engagement_types=["replies"])


def test_handles_of_a_frame() -> None:
    """Each once, however it is written; and that one is not known."""
    plan = ep.plan(asking(POSTS))
    assert plan.handles == ("bakery", "railway")
    assert "\n  posts of 2 handles and others that are not known\n" in repr(plan)
    assert "\n  posts of 2 handles\n" in repr(ep.plan(asking(POSTS.head(3))))
    assert "handle" not in repr(ep.plan(asking(["7"])))


def test_handles_of_fewer_posts() -> None:
    """A question about some of them knows of the others, and does not touch them."""
    fewer = asking(POSTS).replace(post_ids=["8"])
    assert set(fewer.owners) == {"7", "8", "9"}
    assert ep.plan(fewer).handles == ("railway",)


def test_handles_of_posts_that_are_not_asked() -> None:
    """Made after the window: nobody is asked about them, and nobody is billed."""
    late = str(first_id(datetime(2026, 3, 1, tzinfo=UTC)))
    posts = pd.DataFrame({"post_id": ["7", late], "handle": ["a", "b"]})
    window = ep.Window.covering("2026-02-01", "2026-02-02")
    asked = ep.historical(posts, engagement_types=["replies"], window=window)
    assert ep.plan(asked).handles == ("a",)


def test_handles_are_not_the_question() -> None:
    """Whose posts they are changes neither what is asked nor what is equal."""
    with_handles, without = asking(POSTS), asking(POSTS["post_id"])
    assert with_handles == without
    assert hash(with_handles) == hash(without)
    assert with_handles.to_json() == without.to_json()
    assert repr(with_handles) == repr(without)


def test_parts_share_the_handles() -> None:
    """However many parts there are, there is one mapping, and it is frozen."""
    frame = pd.DataFrame({"post_id": range(600), "handle": ["a"] * 600})
    request = asking(frame)
    assert all(part.owners is request.owners for part in ep.plan(request))
    with pytest.raises(TypeError):
        request.owners["1"] = "b"  # type: ignore[index]


def test_handles_in_a_mapping() -> None:
    """As a program has them; and the frame's own are nearer."""
    request = asking(["7"]).replace(owners={"7": "Bakery"})
    assert request.owners == {"7": "bakery"}
    assert request.replace(post_ids=POSTS).owners == dict(Handles.of(POSTS))


@pytest.mark.parametrize("write", [copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))])  # noqa: S301
def test_a_request_can_travel(write: Callable[[Any], Any]) -> None:
    """To another process, with its handles."""
    assert write(asking(POSTS)).owners == {"7": "bakery", "8": "railway", "9": "bakery"}


@pytest.mark.parametrize(
    ("handles", "words"),
    [
        (["a b", "c"], "post 7: 'a b' is not a handle"),
        ([5, "c"], "the handle of post 7 is 5; give text"),
    ],
)
def test_handles_that_are_none(handles: list[Any], words: str) -> None:
    """With the post and the value."""
    with pytest.raises(ep.RequestError, match=words):
        asking(pd.DataFrame({"post_id": ["7", "8"], "handle": handles}))


def test_a_post_of_two() -> None:
    """Nobody can be asked for it."""
    with pytest.raises(ep.RequestError, match=r"post 7 is @a's and @b's; keep one"):
        asking(pd.DataFrame({"post_id": ["7", "7"], "handle": ["a", "b"]}))


def test_prints_how_many() -> None:
    """And not a million lines."""
    assert repr(Handles.of(POSTS)) == "Handles(2 handles of 3 posts)"
