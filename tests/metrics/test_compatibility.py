"""What may be added and compared: the vocabulary decides."""

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
from engagement_pandas.vocabulary import ENGAGEMENT_TYPES

VIEWS = {"impressions", "video_views", "media_views"}
ALONE = VIEWS | {"engagements", "profile_visits", "unfollows", "unlikes", "posts_created"}


@pytest.mark.parametrize(("one", "other"), list(combinations([str(t) for t in EngagementType], 2)))
def test_every_pair(one: str, other: str) -> None:
    """Views and engagements are added to nothing; interactions to each other."""
    if {one, other} & ALONE:
        with pytest.raises(FrameError, match="are not added"):
            check_addable([one, other])
    else:
        check_addable([one, other])


def test_one_type_is_always_addable() -> None:
    """Over posts and hours, each type adds up; unknown ones too, but not to others."""
    for name in [*EngagementType, "zaps"]:
        check_addable([name, name])
    check_addable([])
    with pytest.raises(FrameError, match="not known"):
        check_addable(["favorites", "zaps"])


def test_the_table_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new fact is a row: no type is named in the code."""
    rows = {str(name): facts for name, facts in ENGAGEMENT_TYPES.items()}
    rows["favorites"] = replace(rows["favorites"], alone="because")
    rows["engagements"] = replace(rows["engagements"], alone="")
    monkeypatch.setattr(compatibility, "_FACTS", rows)
    check_addable(["engagements", "retweets"])
    with pytest.raises(FrameError, match="because"):
        check_addable(["favorites", "retweets"])


def test_sums_over_types_are_refused_where_they_would_be_made() -> None:
    """over_time adds favorites and retweets, and not engagements and favorites."""
    day = "2026-03-01"
    added = tidy([("1", "favorites", day, 1, 2), ("1", "retweets", day, 1, 3)])
    assert over_time(added, by=None)["count"].to_list() == [5]
    refused = tidy([("1", "favorites", day, 1, 2), ("1", "engagements", day, 1, 3)])
    with pytest.raises(FrameError, match="engagements already hold"):
        over_time(refused, by="post_id")


def sides(kind: str) -> tuple[Any, Any]:
    """Return counts of a time series and of /totals."""
    series = tidy([(id_at("2026-03-01"), kind, "2026-03-01", hour, 5) for hour in range(24)])
    totals = tidy([(id_at("2026-03-02"), kind, 7)], "post_id", "engagement_type", "count")
    totals.attrs["endpoint"] = "totals"
    return series, totals


@pytest.mark.slow
def test_video_views_of_two_endpoints() -> None:
    """Refused either way round, with the reason, by check, compare and standing."""
    series, totals = sides("video_views")
    for pair in ((series, totals), (totals, series)):
        with pytest.raises(FrameError, match="every post carrying that video"):
            check_comparable(*pair)
    with pytest.raises(FrameError, match="time series"):
        compare(series, totals, by="video_views", at=None)
    fromdaily = totals.assign(day=series["day"].iloc[0])[
        ["post_id", "engagement_type", "day", "count"]
    ]
    fromdaily.attrs["endpoint"] = "totals"
    with pytest.raises(FrameError, match="time series"):
        standing(series, cohort=fromdaily)


def test_other_types_of_two_endpoints() -> None:
    """Favorites mean the same on both; video views of one endpoint too."""
    check_comparable(*sides("favorites"))
    series, totals = sides("video_views")
    check_comparable(series, series)
    check_comparable(totals, totals)
    check_comparable(series, totals, types=["favorites"])


def test_nothing_told_nothing_refused() -> None:
    """Counts by post alone, without attrs, may be of any endpoint."""
    series, totals = sides("video_views")
    totals.attrs.clear()
    check_comparable(series, totals)
    totals.attrs["endpoint"] = "historical"
    check_comparable(series, totals)
