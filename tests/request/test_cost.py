"""The price tag of a question: handles, rows, and what will not be answered."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.request.owners import PostOwners
from engagement_pandas.request.post_ids import first_snowflake_at

NOW = "2026-04-15T12:20:00Z"
DAY = ep.Window.covering("2026-04-14", "2026-04-15")
POST, TYPE, DATE, TIME = "tweet.id", "engagement.type", "engagement.day", "engagement.hour"


# Rows


def test_rows_of_posts_made_later() -> None:
    """40 days by day: an old post has 40 rows, one made in the last 28 days 28, one after none."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    late, never = (str(first_snowflake_at(start + timedelta(days=n))) for n in (35, 50))
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
    later, sooner = (str(first_snowflake_at(start + timedelta(days=n))) for n in (50, 20))
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
    late = str(first_snowflake_at(start + timedelta(days=35)))
    window = ep.Window(start, start + timedelta(days=40))
    asked = ep.historical(["7", late], engagement_types=["replies"], window=window)
    plan = ep.plan(asked, now=start + timedelta(days=60))
    assert plan.expected_omissions == ((late, None, "not_yet_posted"),)
    assert repr(plan).endswith(
        "\n\n  1 post created within the window: the hours before are not requested"
    )
    assert (
        "<li>1 post created within the window: the hours before are not requested</li>"
        in plan._repr_html_()
    )


def test_what_was_posted_after_counting_began() -> None:
    """Favorites are counted since 2015-09-15: a post of October has no hours before that."""
    window = ep.Window.covering("2015-09-01", "2015-10-13")
    october = str(first_snowflake_at(datetime(2015, 10, 1, tzinfo=UTC)))
    asked = ep.historical(["7", october], engagement_types=["favorites"], window=window)
    assert ep.plan(asked).unposted[0].window == ep.Window.covering("2015-09-01", "2015-09-15")
    assert set(ep.plan(asked).expected_omissions) == {
        (october, None, "not_yet_posted"),
        ("7", "favorites", "before_counting"),
    }
    assert "1 post will have no favorites" in repr(ep.plan(asked))
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
    assert "\n  posts of 2 handles and of unknown owners\n" in repr(plan)
    assert "\n  posts of 2 handles\n" in repr(ep.plan(asking(POSTS.head(3))))
    assert "handle" not in repr(ep.plan(asking(["7"])))


def test_handles_of_fewer_posts() -> None:
    """A question about some of them knows of the others, and does not touch them."""
    fewer = asking(POSTS).replace(post_ids=["8"])
    assert set(fewer.owners) == {"7", "8", "9"}
    assert ep.plan(fewer).handles == ("railway",)


def test_handles_of_posts_that_are_not_asked() -> None:
    """Made after the window: nobody is asked about them, and nobody is billed."""
    late = str(first_snowflake_at(datetime(2026, 3, 1, tzinfo=UTC)))
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
    assert request.replace(post_ids=POSTS).owners == dict(PostOwners.of(POSTS))


@pytest.mark.parametrize("write", [copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))])  # noqa: S301
def test_a_request_can_travel(write: Callable[[Any], Any]) -> None:
    """To another process, with its handles."""
    assert write(asking(POSTS)).owners == {"7": "bakery", "8": "railway", "9": "bakery"}


@pytest.mark.parametrize(
    ("handles", "words"),
    [
        (["a b", "c"], "post 7: 'a b' is not a handle"),
        ([5, "c"], "the handle of post 7 is 5; write it as text"),
    ],
)
def test_handles_that_are_none(handles: list[Any], words: str) -> None:
    """With the post and the value."""
    with pytest.raises(ep.RequestError, match=words):
        asking(pd.DataFrame({"post_id": ["7", "8"], "handle": handles}))


def test_a_post_of_two() -> None:
    """Nobody can be asked for it."""
    with pytest.raises(ep.RequestError, match=r"post 7 has two owners, @a and @b; keep one"):
        asking(pd.DataFrame({"post_id": ["7", "7"], "handle": ["a", "b"]}))


def test_prints_how_many() -> None:
    """And not a million lines."""
    assert repr(PostOwners.of(POSTS)) == "PostOwners(2 handles of 3 posts)"
