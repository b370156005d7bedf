"""Which engagement types may be added or compared; the vocabulary decides."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from support.simulated import id_at, tidy

from engagement_pandas import EngagementType, FrameError
from engagement_pandas.metrics import (
    check_addable,
    check_comparable,
    compare,
    compatibility,
    over_time,
    standing,
)
from engagement_pandas.vocabulary.engagement_types import ENGAGEMENT_TYPES

VIEWS = {"impressions", "video_views", "media_views"}
ALONE = VIEWS | {"engagements", "profile_visits", "unfollows", "unlikes", "posts_created"}


@pytest.mark.parametrize(
    ("first", "second"), list(combinations([str(t) for t in EngagementType], 2))
)
def test_views_and_engagements_are_not_added_to_other_types(first: str, second: str) -> None:
    """Interactions are added to each other."""
    if {first, second} & ALONE:
        with pytest.raises(FrameError, match="are not added"):
            check_addable([first, second])
    else:
        check_addable([first, second])


def test_counts_of_one_type_are_always_addable() -> None:
    """Each type adds up over posts and hours; unknown types do not add to others."""
    for name in [*EngagementType, "zaps"]:
        check_addable([name, name])
    check_addable([])
    with pytest.raises(FrameError, match="not known"):
        check_addable(["favorites", "zaps"])


def test_the_table_of_facts_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new fact is a row of the table; the code names no type."""
    rows = {str(name): facts for name, facts in ENGAGEMENT_TYPES.items()}
    rows["favorites"] = replace(rows["favorites"], alone="because")
    rows["engagements"] = replace(rows["engagements"], alone="")
    monkeypatch.setattr(compatibility, "_FACTS", rows)
    check_addable(["engagements", "retweets"])
    with pytest.raises(FrameError, match="because"):
        check_addable(["favorites", "retweets"])


def test_over_time_refuses_sums_of_incompatible_types() -> None:
    """It adds favorites and retweets, but not engagements and favorites."""
    day = "2026-03-01"
    addable = tidy([("1", "favorites", day, 1, 2), ("1", "retweets", day, 1, 3)])
    assert over_time(addable, by=None)["count"].to_list() == [5]
    incompatible = tidy([("1", "favorites", day, 1, 2), ("1", "engagements", day, 1, 3)])
    with pytest.raises(FrameError, match="engagements already hold"):
        over_time(incompatible, by="post_id")


def sides(engagement_type: str) -> tuple[Any, Any]:
    """Return counts of a time series and of /totals."""
    series = tidy(
        [(id_at("2026-03-01"), engagement_type, "2026-03-01", hour, 5) for hour in range(24)]
    )
    totals = tidy(
        [(id_at("2026-03-02"), engagement_type, 7)], "post_id", "engagement_type", "count"
    )
    totals.attrs["endpoint"] = "totals"
    return series, totals


@pytest.mark.slow
def test_video_views_of_two_endpoints_are_not_compared() -> None:
    """All three functions refuse them with the reason, in either order."""
    series, totals = sides("video_views")
    for pair in ((series, totals), (totals, series)):
        with pytest.raises(FrameError, match="every post carrying that video"):
            check_comparable(*pair)
    with pytest.raises(FrameError, match="time series"):
        compare(series, totals, by="video_views", at=None)
    daily = totals.assign(day=series["day"].iloc[0])[["post_id", "engagement_type", "day", "count"]]
    daily.attrs["endpoint"] = "totals"
    with pytest.raises(FrameError, match="time series"):
        standing(series, cohort=daily)


def test_other_types_of_two_endpoints_are_compared() -> None:
    """Favorites have one meaning on both; so do video views of a single endpoint."""
    check_comparable(*sides("favorites"))
    series, totals = sides("video_views")
    check_comparable(series, series)
    check_comparable(totals, totals)
    check_comparable(series, totals, types=["favorites"])


def test_counts_of_an_unknown_endpoint_are_compared() -> None:
    """Counts by post without attrs may come from any endpoint."""
    series, totals = sides("video_views")
    totals.attrs.clear()
    check_comparable(series, totals)
    totals.attrs["endpoint"] = "historical"
    check_comparable(series, totals)


def test_a_part_of_a_life_is_not_compared_with_totals() -> None:
    """The last 28 hours of a post of last week are not all that it has."""
    series, totals = sides("favorites")
    part = series[series["hour"] >= 6]
    part.attrs = {"start": "2026-03-01T06:00Z", "end": "2026-03-02T00:00Z", "endpoint": "28hr"}
    words = "from 2026-03-01 06:00 UTC on are not compared with totals, since post .* before"
    for pair in ((part, totals), (totals, part)):
        with pytest.raises(FrameError, match=words):
            compare(*pair, by="favorites", at=None)
    part.attrs["start"] = "2026-03-01T00:00Z"  # as the post
    check_comparable(part, totals)
