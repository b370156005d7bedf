"""False zeros and cells that a response leaves out are missing, not zero."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import pandas as pd
import pytest

import engagement_pandas as ep

RHYTHM = ["engagement.type", "engagement.hour"]


def totals(
    body: Any,
    posts: Iterable[str] = ("1",),
    types: Iterable[str] = ("favorites",),
    by: Any = ep.BY_POST,
    **more: Any,
) -> ep.EngagementResponse:
    """Return a response of /totals."""
    return ep.EngagementResponse(ep.totals(posts, engagement_types=types, by=by), body, **more)


def historical(
    body: Any,
    posts: Iterable[str] = ("1",),
    types: Iterable[str] = ("impressions",),
    by: Any = ep.BY_HOUR,
    window: tuple[str, str] = ("2026-03-01T22:00:00Z", "2026-03-02T01:00:00Z"),
    **more: Any,
) -> ep.EngagementResponse:
    """Return a response for three hours across a midnight."""
    request = ep.historical(
        posts, engagement_types=types, window=ep.Window.covering(*window), by=by
    )
    return ep.EngagementResponse(request, body, **more)


def last_28(body: Any, by: Any = ep.BY_HOUR, types: Iterable[str] = ("impressions",)) -> Any:
    """Return a response for the last 28 hours of post 1."""
    return ep.EngagementResponse(ep.last_28_hours(["1"], engagement_types=types, by=by), body)


def rows(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Return a frame as plain tuples: days as text, missing counts as None."""
    plain = frame.assign(count=frame["count"].astype(object).where(frame["count"].notna(), None))
    if "day" in plain:
        plain["day"] = plain["day"].dt.strftime("%Y-%m-%d")
    return [tuple(row) for row in plain.itertuples(index=False)]


def test_unsupported_zeros_become_missing() -> None:
    """The 0 of a post too old for video views is not a count."""
    body = {
        "by_post": {p: {"favorites": "1", "video_views": "0"} for p in ("1", "2")},
        "unsupported_for_video_views_tweet_ids": ["2"],
    }
    frame = ep.flatten(totals(body, ["1", "2"], ["favorites", "video_views"]))
    assert [row[-1] for row in rows(frame)] == [1, 0, 1, None]


def test_a_sum_is_missing_only_if_every_post_is_unsupported() -> None:
    """A sum with some counted posts is a count."""
    body = {"counts": {"video_views": "0"}, "unsupported_for_video_views_tweet_ids": ["2"]}
    by = ["engagement.type"]
    partly = totals(body, ["1", "2"], ["video_views"], by=by)
    completely = totals(body, ["2"], ["video_views"], by=by)
    assert rows(ep.flatten(partly)) == [("video_views", 0)]
    assert rows(ep.flatten(completely)) == [("video_views", None)]


def test_unavailable_posts_are_not_supported_posts() -> None:
    """A sum is for the available posts alone."""
    body = {
        "counts": {"video_views": "0"},
        "unsupported_for_video_views_tweet_ids": ["2"],
        "unavailable_tweet_ids": ["1"],
    }
    response = totals(body, ["1", "2"], ["video_views"], by=["engagement.type"])
    assert rows(ep.flatten(response)) == [("video_views", None)]


OLD = ("2015-09-14T23:00:00Z", "2015-09-15T01:00:00Z")


@pytest.mark.parametrize(
    ("by", "nested", "counts"),
    [
        (ep.BY_HOUR, {"2015-09-14": {"23": "0"}, "2015-09-15": {"00": "0"}}, [None, 0]),
        (ep.BY_DAY, {"2015-09-14": "0", "2015-09-15": "0"}, [None, 0]),
        (ep.BY_POST, "0", [0]),
    ],
    ids=["hour", "day", "whole window"],
)
def test_zeros_from_before_counting_are_missing(by: Any, nested: Any, counts: list[Any]) -> None:
    """Favorites count from 2015-09-15; only cells completely before are missing."""
    response = historical(
        {by.name: {"1": {"favorites": nested}}}, types=["favorites"], by=by, window=OLD
    )
    assert [row[-1] for row in rows(ep.flatten(response))] == counts


def test_hours_of_the_day_from_before_counting_are_missing() -> None:
    """Each hour of the day is compared with its own occurrences in the window."""
    body = {"counts": {"favorites": {"23": "0", "00": "0"}}}
    frame = ep.flatten(historical(body, types=["favorites"], by=RHYTHM, window=OLD))
    assert rows(frame) == [("favorites", 0, 0), ("favorites", 23, None)]


def test_zeros_of_other_types_and_totals_are_counts() -> None:
    """Impressions were always counted, and totals are not a time series."""
    body = {"by_post": {"1": {"impressions": "0"}}}
    assert rows(ep.flatten(historical(body, by=ep.BY_POST, window=OLD)))[0][-1] == 0
    body = {"start": OLD[0], "end": OLD[1], "by_post": {"1": {"favorites": "0"}}}
    assert rows(ep.flatten(totals(body)))[0][-1] == 0


def test_a_missing_part_of_a_sum_is_skipped() -> None:
    """NA plus a count is the count; NA plus NA is NA."""
    cuts = ["2015-09-14T22:00:00Z", "2015-09-14T23:00:00Z", "2015-09-15", "2015-09-16"]
    parts = [
        historical(
            {"by_post": {"1": {"favorites": n}}}, types=["favorites"], by=ep.BY_POST, window=window
        )
        for n, window in zip((0, 0, 9), itertools.pairwise(cuts), strict=True)
    ]
    assert rows(ep.flatten(parts)) == [("1", "favorites", 9)]
    assert rows(ep.flatten(parts[:2])) == [("1", "favorites", None)]


def test_hours_left_out_become_missing() -> None:
    """An hour that is left out is a row without a count."""
    body = {"by_hour": {"1": {"impressions": {"2026-03-01": {"23": "6"}}}}}
    assert rows(ep.flatten(historical(body))) == [
        ("1", "impressions", "2026-03-01", 22, None),
        ("1", "impressions", "2026-03-01", 23, 6),
        ("1", "impressions", "2026-03-02", 0, None),
    ]


def test_types_left_out_become_missing() -> None:
    """A counted post has a row for every requested type, in any order of nesting."""
    by = ["engagement.type", "tweet.id"]
    body = {"counts": {"favorites": {"1": "5", "2": "6"}, "replies": {"2": "7"}}}
    assert rows(ep.flatten(totals(body, ["1", "2"], ["favorites", "replies"], by=by))) == [
        ("1", "favorites", 5),
        ("1", "replies", None),
        ("2", "favorites", 6),
        ("2", "replies", 7),
    ]


def test_an_empty_sum_is_missing() -> None:
    """Sums that the response leaves out are rows without a count."""
    assert rows(ep.flatten(totals({"counts": {}}, by=["engagement.type"]))) == [("favorites", None)]


def test_a_post_left_out_has_no_rows() -> None:
    """A post that the response leaves out is an omission and has no rows."""
    assert rows(ep.flatten(totals({"by_post": {"2": {"favorites": "1"}}}, ["1", "2"]))) == [
        ("2", "favorites", 1)
    ]


def test_the_window_of_the_last_28_hours_is_filled() -> None:
    """The window of /28hr is in the response, and is widened to complete hours."""
    body = {
        "start": "2026-03-01T21:43:00Z",
        "end": "2026-03-01T23:43:00Z",
        "by_hour": {"1": {"impressions": {"2026-03-01": {"22": "5"}}}},
    }
    assert [row[3:] for row in rows(ep.flatten(last_28(body)))] == [(21, None), (22, 5), (23, None)]


def test_the_last_28_hours_without_a_window_are_not_filled() -> None:
    """The hours are unknown, so only those of the response have rows."""
    body = {"by_hour": {"1": {"impressions": {"2026-03-01": {"22": "5"}}}}}
    assert len(ep.flatten(last_28(body))) == 1


def test_a_count_of_an_unsupported_post_is_kept() -> None:
    """Only zeros are false, and splitting the request changes nothing."""
    by = ["engagement.type"]
    body = {"counts": {"video_views": "5"}, "unsupported_for_video_views_tweet_ids": ["1"]}
    parts = [
        totals(body, ["1"], ["video_views"], by=by),
        totals({"counts": {"video_views": "3"}}, ["2"], ["video_views"], by=by),
    ]
    complete = {**body, "counts": {"video_views": "8"}}
    expected = [("video_views", 8)]
    assert rows(ep.flatten(parts)) == expected
    assert rows(ep.flatten(totals(complete, ["1", "2"], ["video_views"], by=by))) == expected
