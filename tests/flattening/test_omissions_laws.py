"""Nothing is dropped: what a response leaves out is a missing count and an omission."""

from __future__ import annotations

from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.errors import UnsupportedGrouping
from engagement_pandas.frame.contract import TEXT

POSTS, TYPES = ["1", "2"], ["impressions", "replies"]
HOURS = [("2026-03-01", "22"), ("2026-03-01", "23"), ("2026-03-02", "00")]
WINDOW = ep.Window.covering("2026-03-01T22:00:00Z", "2026-03-02T01:00:00Z")
DIMENSIONS = ("tweet.id", "engagement.type", "engagement.day", "engagement.hour")


def legal(order: tuple[str, ...]) -> bool:
    """Return whether the API has this grouping."""
    try:
        ep.Grouping(order)
    except UnsupportedGrouping:
        return False
    return True


ORDERS = [
    order if len(order) == 4 else pytest.param(order, marks=pytest.mark.long)
    for n in range(1, 5)
    for order in permutations(DIMENSIONS, n)
    if legal(order)
]


@pytest.mark.slow
@pytest.mark.parametrize("order", ORDERS, ids=" > ".join)
@settings(max_examples=15, deadline=None)
@given(st.data())
def test_every_cell_is_counted_or_omitted(order: tuple[str, ...], data: st.DataObject) -> None:
    """Some cells are left out; those of posts with counts are rows without a count."""
    cells = {
        tuple(
            dict(zip(DIMENSIONS, (post, engagement_type, *hour), strict=True))[name]
            for name in order
        )
        for post, engagement_type, hour in product(POSTS, TYPES, HOURS)
    }
    kept = data.draw(st.sets(st.sampled_from(sorted(cells))))
    body: dict[str, Any] = {}
    for keys in kept:
        level = body
        for key in keys[:-1]:
            level = level.setdefault(key, {})
        level[keys[-1]] = "1"
    request = ep.historical(POSTS, engagement_types=TYPES, window=WINDOW, by={"g": order})
    response = ep.EngagementResponse(request, {"g": body})
    counts, omitted = ep.flatten(response), ep.omissions(response)

    by_post = "tweet.id" in order
    position = order.index("tweet.id") if by_post else 0
    counted = {keys[position] for keys in kept} if by_post else set(POSTS)
    expected = [keys for keys in cells if not by_post or keys[position] in counted]
    assert len(counts) == len(expected)
    assert counts["count"].sum() == len(kept)
    assert counts["count"].isna().sum() == len(expected) - len(kept)

    missing = counts[counts["count"].isna()]
    posts = missing["post_id"] if by_post else None
    omissions = set(zip(omitted["post_id"], omitted["engagement_type"].fillna("all"), strict=True))
    types = missing["engagement_type"].astype(TEXT)
    gaps = set(zip(posts, types, strict=True)) if by_post else set(product(POSTS, types))
    assert omissions == gaps | {(post, "all") for post in set(POSTS) - counted}
    assert (omitted["reason"] == "not_answered").all()
