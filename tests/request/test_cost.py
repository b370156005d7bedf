"""The cost of a request: handles, rows, and expected omissions."""

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
    """Of 40 days, a post made in the last 28 has 28 rows; one made later has none."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    late, never = (str(first_snowflake_at(start + timedelta(days=n))) for n in (35, 50))
    window = ep.Window(start, start + timedelta(days=40))
    now = start + timedelta(days=60)
    request = ep.historical(
        ["7", late, never], engagement_types=["replies"], window=window, by=ep.BY_DAY
    )
    assert ep.plan(request, now=now).most_counts == 40 + 28
    sums = request.replace(groupings=["engagement.type", "engagement.day"])
    assert ep.plan(sums, now=now).most_counts == 40


def test_rows_of_sums_are_those_of_the_longest_window() -> None:
    """A sum has 56 days if the posts are requested for 28 and 56 days."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    later, sooner = (str(first_snowflake_at(start + timedelta(days=n))) for n in (50, 20))
    request = ep.historical(
        pd.DataFrame({"post_id": [later, sooner], "handle": ["a", "b"]}),
        engagement_types=["replies"],
        window=ep.Window(start, start + timedelta(days=68)),  # cut into 12, 28 and 28
        by=[TYPE, DATE],
    )
    plan = ep.plan(request, now=start + timedelta(days=90))
    assert [part.window.hours // 24 for part in plan if part.window] == [28, 28, 28]
    assert plan.most_counts == 56


# Expected omissions


def test_hours_before_a_post_are_not_requested() -> None:
    """A post made on the 35th of 40 days is not requested for the first 12."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    late = str(first_snowflake_at(start + timedelta(days=35)))
    window = ep.Window(start, start + timedelta(days=40))
    request = ep.historical(["7", late], engagement_types=["replies"], window=window)
    plan = ep.plan(request, now=start + timedelta(days=60))
    assert plan.expected_omissions == ((late, None, "not_yet_posted"),)
    assert repr(plan).endswith(
        "\n\n  1 post created within the window: the hours before are not requested"
    )
    assert (
        "<li>1 post created within the window: the hours before are not requested</li>"
        in plan._repr_html_()
    )


def test_hours_before_a_post_are_not_before_counting() -> None:
    """Favorites are counted since 2015-09-15; a post made in October has no hours before that."""
    window = ep.Window.covering("2015-09-01", "2015-10-13")
    october = str(first_snowflake_at(datetime(2015, 10, 1, tzinfo=UTC)))
    request = ep.historical(["7", october], engagement_types=["favorites"], window=window)
    assert ep.plan(request).unposted[0].window == ep.Window.covering("2015-09-01", "2015-09-15")
    assert set(ep.plan(request).expected_omissions) == {
        (october, None, "not_yet_posted"),
        ("7", "favorites", "before_counting"),
    }
    assert "1 post will have no favorites" in repr(ep.plan(request))
    assert "favorites to expect" not in repr(ep.plan(request.replace(post_ids=[october])))


# Handles

POSTS = pd.DataFrame(
    {"post_id": ["7", "8", "9", "10"], "handle": ["Bakery", "@railway", " bakery ", None]}
)


def replies(posts: Any) -> ep.EngagementRequest:
    """Request the replies to some posts."""
    return ep.totals(posts, engagement_types=["replies"])


def test_handles_of_a_frame() -> None:
    """Each handle is returned once in its normal spelling; unknown owners are reported."""
    plan = ep.plan(replies(POSTS))
    assert plan.handles == ("bakery", "railway")
    assert "\n  posts of 2 handles and of unknown owners\n" in repr(plan)
    assert "\n  posts of 2 handles\n" in repr(ep.plan(replies(POSTS.head(3))))
    assert "handle" not in repr(ep.plan(replies(["7"])))


def test_handles_of_some_of_the_posts() -> None:
    """A request for some of the posts keeps all handles, and its plan has only those requested."""
    request = replies(POSTS).replace(post_ids=["8"])
    assert set(request.owners) == {"7", "8", "9"}
    assert ep.plan(request).handles == ("railway",)


def test_handles_of_posts_that_are_not_requested() -> None:
    """A post made after the window is not requested, so its owner is not billed."""
    late = str(first_snowflake_at(datetime(2026, 3, 1, tzinfo=UTC)))
    posts = pd.DataFrame({"post_id": ["7", late], "handle": ["a", "b"]})
    window = ep.Window.covering("2026-02-01", "2026-02-02")
    request = ep.historical(posts, engagement_types=["replies"], window=window)
    assert ep.plan(request).handles == ("a",)


def test_handles_do_not_change_the_request() -> None:
    """They affect neither its JSON nor its equality."""
    with_handles, without = replies(POSTS), replies(POSTS["post_id"])
    assert with_handles == without
    assert hash(with_handles) == hash(without)
    assert with_handles.to_json() == without.to_json()
    assert repr(with_handles) == repr(without)


def test_parts_share_the_handles() -> None:
    """All parts have the same read-only mapping."""
    frame = pd.DataFrame({"post_id": range(600), "handle": ["a"] * 600})
    request = replies(frame)
    assert all(part.owners is request.owners for part in ep.plan(request))
    with pytest.raises(TypeError):
        request.owners["1"] = "b"  # type: ignore[index]


def test_handles_can_be_a_mapping() -> None:
    """The handles of a frame replace those of a mapping."""
    request = replies(["7"]).replace(owners={"7": "Bakery"})
    assert request.owners == {"7": "bakery"}
    assert request.replace(post_ids=POSTS).owners == dict(PostOwners.of(POSTS))


@pytest.mark.parametrize("write", [copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))])  # noqa: S301
def test_a_request_can_be_copied_and_pickled(write: Callable[[Any], Any]) -> None:
    """Its handles are kept."""
    assert write(replies(POSTS)).owners == {"7": "bakery", "8": "railway", "9": "bakery"}


@pytest.mark.parametrize(
    ("handles", "words"),
    [
        (["a b", "c"], "post 7: 'a b' is not a handle"),
        ([5, "c"], "the handle of post 7 is 5; write it as text"),
    ],
)
def test_invalid_handles_are_refused(handles: list[Any], words: str) -> None:
    """The error names the post and the value."""
    with pytest.raises(ep.RequestError, match=words):
        replies(pd.DataFrame({"post_id": ["7", "8"], "handle": handles}))


def test_a_post_with_two_owners_is_refused() -> None:
    """Neither owner is chosen."""
    with pytest.raises(ep.RequestError, match=r"post 7 has two owners, @a and @b; keep one"):
        replies(pd.DataFrame({"post_id": ["7", "7"], "handle": ["a", "b"]}))


def test_the_repr_of_owners_is_short() -> None:
    """It has the number of handles and posts."""
    assert repr(PostOwners.of(POSTS)) == "PostOwners(2 handles of 3 posts)"
