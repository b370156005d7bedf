"""Which responses are valid for their request."""

from __future__ import annotations

from typing import Any

import pytest

import engagement_pandas as ep
from engagement_pandas.response.validation import invalid


def reason_of(body: Any, *posts: str) -> str | None:
    """Return why a response to a request for some posts is invalid, or None."""
    return invalid(ep.EngagementResponse(ep.totals(posts, engagement_types=["favorites"]), body))


@pytest.mark.parametrize(
    "body",
    [
        {"errors": ["Forbidden to access tweets: 7"]},
        {"unavailable_tweet_ids": ["7"]},
        {"errors": ["Forbidden to access tweets: 7"], "unavailable_tweet_ids": ["8"]},
        {"by_post": {}},
    ],
)
def test_a_response_that_explains_what_is_missing_is_valid(body: Any) -> None:
    """A forbidden or unavailable post needs no count, and an empty grouping is complete."""
    posts = ["7", "8"] if "8" in str(body) else ["7"]
    assert reason_of(body, *posts) is None


def test_a_post_without_count_or_reason_is_reported() -> None:
    """7 is forbidden; 8 has neither a count nor a reason."""
    reason = reason_of({"errors": ["Forbidden to access tweets: 7"]}, "7", "8")
    assert reason is not None
    assert "and with it post 8" in reason


DAY = ep.Window.covering("2026-03-01T06:00:00Z", "2026-03-02T06:00:00Z")
HOURLY = ep.historical(["7", "8"], engagement_types=["favorites", "replies"], window=DAY)
GOOD = {p: {t: {"2026-03-01": {"06": "1"}} for t in ("favorites", "replies")} for p in ("7", "8")}


def hourly(**more: Any) -> dict[str, Any]:
    """Return a valid response with additional keys."""
    return {"by_hour": GOOD, **more}


def cell(post: str = "7", day: str = "2026-03-01", hours: Any = "absent") -> dict[str, Any]:
    """Return a response with one post and one day."""
    found = {"06": "1"} if hours == "absent" else hours
    return {"by_hour": {post: {t: {day: found} for t in ("favorites", "replies")}}}


REFUSED = {
    "a null": (cell(hours={"06": None}), "is an integer of at most 64 bits, not null"),
    "a float": (cell(hours={"06": 1.0}), "is an integer"),
    "a boolean": (cell(hours={"06": True}), "is an integer"),
    "a text": (cell(hours={"06": "1e3"}), "is an integer"),
    "beyond 64 bits": (cell(hours={"06": 2**63}), "is an integer"),
    "another post": (cell("9"), "post 9 was not requested"),
    "an hour too early": (cell(hours={"05": "0"}), "not in the window"),
    "an hour too late": (cell(day="2026-03-02", hours={"06": "0"}), "not in the window"),
    "another day": (cell(day="2026-03-03"), "not in the window"),
    "no hour": (cell(hours={"24": "1"}), "is not an hour"),
    "a level less": (cell(hours="1"), "an object is expected here"),
    "a level more": (cell(hours={"06": {"00": "1"}}), "not an object"),
    "another start": (hourly(start="2026-03-01T05:59:00Z"), "the answer states the start"),
    "another end": (hourly(end="2026-03-02T07:00:00Z"), "the answer states the end"),
    "another grouping": ({"by_day": GOOD}, "the grouping is missing"),
    "another type": (
        {"by_hour": {p: {"impressions": v["replies"]} for p, v in GOOD.items()}},
        r"\['favorites', 'replies'\] is missing, and other types",
    ),
    "one other type": (
        {"by_hour": {"7": {"favorites": GOOD["7"]["favorites"], "impressions": {}}}},
        r"\['replies'\] is missing, and other types",
    ),
    "a key twice": (
        b'{"by_hour": {"7": {"favorites": {"2026-03-01": {"06": 1, "06": 1}}}}}',
        "occurs twice",
    ),
    "a key spelt twice": (
        rb'{"by_hour": {"7": {"favorites": {"2026-03-01": {"06": 1, "0\u0036": 1}}}}}',
        "occurs twice",
    ),
    "a grouping twice": (b'{"by_hour": {}, "by_hour": {}}', "occurs twice"),
    "counted and unavailable": (hourly(unavailable_tweet_ids=["7"]), "listed as unavailable"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_invalid_response_is_refused(case: str) -> None:
    """It has the same message on arrival as in flatten."""
    body, reason = REFUSED[case]
    response = ep.EngagementResponse(HOURLY, body)
    message = invalid(response)
    with pytest.raises(ep.ResponseShapeError, match=reason) as caught:
        ep.flatten(response)
    assert str(caught.value) == message


VALID = {
    "as requested": hourly(),
    "floored and ceiled": hourly(start="2026-03-01T06:59:00Z", end="2026-03-02T05:01:00Z"),
    "a grouping that was not requested": hourly(by_moon={"full": None}),
    "a type in addition": {
        "by_hour": {p: {**v, "impressions": v["replies"]} for p, v in GOOD.items()}
    },
    "a type that may not be seen": {
        "by_hour": {"7": {"favorites": {}, "impressions": {}}},
        "errors": ["Forbidden to access metrics: replies"],
    },
    "one post of two": {"by_hour": {"7": GOOD["7"]}},
    "nothing": {"by_hour": {}},
}


@pytest.mark.parametrize("case", VALID)
def test_a_valid_response_is_accepted(case: str) -> None:
    """Start and end may be rounded, and more than the requested may be returned."""
    response = ep.EngagementResponse(HOURLY, VALID[case])
    assert invalid(response) is None
    ep.flatten(response)
    ep.omissions(response)


def test_every_grouping_is_validated() -> None:
    """The first of two is valid, the second is not."""
    by = {"a": ["tweet.id", "engagement.type"], "b": ["engagement.type"]}
    request = ep.totals(["7"], engagement_types=["favorites"], by=by)
    body = {"a": {"7": {"favorites": "1"}}, "b": {"favorites": None}}
    assert "$['b']['favorites']" in str(invalid(ep.EngagementResponse(request, body)))
