"""What JSON of X API v2 has no counts of; problems are as documented or captured."""

from __future__ import annotations

from typing import Any

import pytest

import engagement_pandas as ep
from engagement_pandas.frame.contract import check_omissions

PROBLEM = "https://api.twitter.com/2/problems/"
DENIED = {
    "type": f"{PROBLEM}not-authorized-for-field",
    "resource_id": "7",
    "resource_type": "tweet",
    "parameter": "tweet.fields",
    "section": "data",
    "title": "Field Authorization Error",
    "detail": "Sorry",
}


def omitted(body: Any, metrics: Any = "public") -> list[list[str]]:
    """Return post, type, reason and message of each omission."""
    frame = ep.v2_omissions(body, metrics)
    check_omissions(frame)
    columns = ["post_id", "engagement_type", "reason", "message"]
    rows: list[list[str]] = frame[columns].astype(object).fillna("").astype(str).to_numpy().tolist()
    return rows


@pytest.mark.parametrize(
    "problem",
    [
        {"parameter": "referenced_tweets.id", "resource_type": "tweet", "resource_id": "6"},
        {"parameter": "author_id", "resource_type": "user", "resource_id": "12"},
        {"parameter": "attachments.media_keys", "resource_type": "media", "value": "13"},
        {**DENIED, "resource_id": "6", "section": "includes", "field": "public_metrics"},
    ],
    ids=["referred", "user", "media", "included"],
)
def test_problems_with_what_posts_refer_to_are_no_omissions(problem: dict[str, Any]) -> None:
    """A reply to a deleted post is answered, and the deleted post was not requested."""
    body = {
        "data": [{"id": "7", "public_metrics": {"like_count": 5}}],
        "errors": [{"type": f"{PROBLEM}resource-not-found", **problem}],
    }
    assert omitted(body) == []


def test_problems_with_other_metrics_are_no_omissions() -> None:
    """Organic likes of an old post are refused; its public ones are there."""
    errors = [{**DENIED, "field": "organic_metrics.like_count"}, {**DENIED, "field": "geo"}]
    body = {"data": [{"id": "7", "public_metrics": {"like_count": 5}}], "errors": errors}
    assert omitted(body) == []
    assert omitted(body, "organic") == [["7", "favorites", "forbidden", "Sorry"]]


def test_a_problem_with_all_metrics_is_of_all_types() -> None:
    """The field is the object of the metrics."""
    body = {"data": [{"id": "7"}], "errors": [{**DENIED, "field": "non_public_metrics"}]}
    assert omitted(body, "non_public") == [["7", "", "forbidden", "Sorry"]]


def test_a_null_metric_is_an_omission() -> None:
    """It is ``<NA>`` among the counts, and has its reason here."""
    body = {"data": [{"id": "7", "public_metrics": {"like_count": 5, "impression_count": None}}]}
    assert omitted(body) == [
        ["7", "impressions", "not_answered", "the count is null, or not there"]
    ]


def test_posts_without_buckets_are_omissions() -> None:
    """Each post of an answer is among its counts or its omissions."""
    hour = {"timestamp": "2026-03-01T07:00:00Z", "metrics": {"impressions": 9, "likes": None}}
    later = {"timestamp": "2026-03-01T08:00:00Z", "metrics": {"impressions": 4, "likes": 1}}
    posts = [
        {"id": "7", "timestamped_metrics": [hour, later]},
        {"id": "8", "timestamped_metrics": []},
        {"id": "9", "timestamped_metrics": None},
    ]
    denied = {**DENIED, "resource_id": "9", "type": f"{PROBLEM}not-authorized-for-resource"}
    assert omitted({"data": posts, "errors": [denied]}) == [
        ["7", "favorites", "not_answered", "the count is null, or not there"],
        ["8", "", "not_answered", "it has no metrics"],
        ["9", "", "forbidden", "Sorry"],
    ]
