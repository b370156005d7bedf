"""What would be lost with an answer."""

from __future__ import annotations

from typing import Any

import pytest

import engagement_pandas as ep
from engagement_pandas.losses import losses


def told(body: Any, *posts: str) -> str | None:
    """Tell what would be lost with an answer to a question about some posts."""
    return losses(ep.EngagementResponse(ep.totals(posts, engagement_types=["favorites"]), body))


@pytest.mark.parametrize(
    "body",
    [
        {"errors": ["Forbidden to access tweets: 7"]},
        {"unavailable_tweet_ids": ["7"]},
        {"errors": ["Forbidden to access tweets: 7"], "unavailable_tweet_ids": ["8"]},
        {"by_post": {}},
    ],
)
def test_an_answer_that_accounts_for_what_it_lacks(body: Any) -> None:
    """A post that is forbidden or not there needs no grouping; and an empty one has all."""
    asked = ["7", "8"] if "8" in str(body) else ["7"]
    assert told(body, *asked) is None


def test_the_post_that_nothing_is_said_of_is_lost() -> None:
    """7 is forbidden; of 8 there is neither a count nor a word."""
    lost = told({"errors": ["Forbidden to access tweets: 7"]}, "7", "8")
    assert lost is not None
    assert "and with it post 8" in lost
