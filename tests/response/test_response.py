"""The envelope of a response: everything but its counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

import engagement_pandas as ep
from engagement_pandas.response.envelope import Envelope

REQUEST = ep.totals(["1", "2"], engagement_types=["favorites"])


def envelope(body: Any) -> Envelope:
    """Read the envelope of a body."""
    return ep.EngagementResponse(REQUEST, body).envelope()


def test_the_documented_unavailable_posts_are_read(sample: Callable[[str], Any]) -> None:
    """The window is read as well."""
    read = envelope(sample("totals_unavailable_response"))
    assert read.unavailable == {"323456789"}
    assert (read.start, read.end) == (
        datetime(2015, 11, 17, 22, tzinfo=UTC),
        datetime(2015, 11, 19, 2, tzinfo=UTC),
    )
    assert read.errors == ()


def test_the_documented_errors_are_read(sample: Callable[[str], Any]) -> None:
    """Errors are texts, and may accompany lists of posts."""
    read = envelope(sample("error_older_than_90_days"))
    assert read.errors[0].startswith("Impressions & engagements for tweets older than 90 days")
    assert read.unsupported == {
        "impressions": {"*TWEET_IDS*"},
        "engagements": {"*TWEET_IDS*"},
    }
    assert envelope(sample("error_forbidden_tweets")).forbidden_posts() == {"1054424731825229824"}


def test_an_absent_list_means_no_posts() -> None:
    """unavailable_tweet_ids is absent if there are none."""
    read = envelope({})
    assert (read.unavailable, read.unsupported, read.start) == (frozenset(), {}, None)


@pytest.mark.parametrize(
    ("texts", "posts"),
    [
        (["Forbidden to access tweets: 123, 456"], {"123", "456"}),
        (["Forbidden to access tweets for author id 9: 123, 456"], {"123", "456"}),
        (
            [
                "Forbidden to access tweets for author id 9: 123",
                "Forbidden to access tweets for author id 8: 456,789",
            ],
            {"123", "456", "789"},
        ),
        (["forbidden to access Tweet: [123]"], {"123"}),
        (["Forbidden to access metrics: retweets"], set()),
        (["something else 123"], set()),
    ],
)
def test_forbidden_posts_are_read_from_both_wordings(texts: list[str], posts: set[str]) -> None:
    """One has an entry for each author, whose own ID is not a post."""
    assert Envelope(errors=tuple(texts)).forbidden_posts() == posts


def test_forbidden_types_are_read_from_the_error() -> None:
    """The error lists the types that these credentials may not see."""
    read = Envelope(errors=("Forbidden to access metrics: retweets, video_views",))
    assert read.forbidden_types() == {"retweets", "video_views"}


def test_ids_as_numbers_are_read_exactly() -> None:
    """If a list holds numbers, they keep every digit."""
    read = envelope(b'{"unavailable_tweet_ids": [1060976163948904449, "7"]}')
    assert read.unavailable == {"1060976163948904449", "7"}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"[1]", "$"),
        (b'{"a": ', "$"),
        (b"<html>", "$"),
        (b"", "$"),
        (b"\xff\xfe", "$"),
        (b'{"start": 3}', "$['start']"),
        (b'{"end": "soon"}', "$['end']"),
        (b'{"errors": "text"}', "$['errors']"),
        (b'{"errors": [{"code": 1}]}', "$['errors']"),
        (b'{"unavailable_tweet_ids": "7"}', "$['unavailable_tweet_ids']"),
        (b'{"unavailable_tweet_ids": [1.5]}', "$['unavailable_tweet_ids']"),
        (b'{"start": "0001-01-01T00:00:00+10:00"}', "$['start']"),
        (b'{"g": {"favorites": "1"}, "g": {"favorites": "2"}}', "$"),
        (b'{"g": {}, "\\u0067": {}}', "$"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "$"),
    ],
)
def test_an_invalid_envelope_is_refused(body: bytes, path: str) -> None:
    """The error has the path of the invalid value."""
    with pytest.raises(ep.ResponseShapeError) as caught:
        envelope(body)
    assert caught.value.path == path


def test_a_naive_time_is_utc() -> None:
    """All times of the API are UTC; an unrounded end is kept as it is."""
    assert envelope({"end": "2026-04-15T19:43:00"}).end == datetime(2026, 4, 15, 19, 43, tzinfo=UTC)


def test_the_body_is_kept_unchanged() -> None:
    """Bytes are kept as they are; text and dicts are accepted too."""
    raw = b'{ "g" : {"favorites": "1"} }'
    assert ep.EngagementResponse(REQUEST, raw).content == raw
    assert ep.EngagementResponse(REQUEST, raw.decode()).content == raw  # type: ignore[arg-type]
    same = ep.EngagementResponse(REQUEST, msgspec.json.decode(raw))
    assert same.json() == {"g": {"favorites": "1"}}


@pytest.mark.parametrize("body", [None, 7, ["g"], "\ud800", {"g": object()}, {1j: 2}])
def test_an_invalid_body_is_refused(body: Any) -> None:
    """A body is bytes, a str or a dict that JSON can encode."""
    with pytest.raises(ep.ResponseShapeError):
        ep.EngagementResponse(REQUEST, body)


@pytest.mark.parametrize("change", [{"status": "200"}, {"status": None}, {"request": "totals"}])
def test_an_invalid_status_or_request_is_refused(change: dict[str, Any]) -> None:
    """A status of the wrong type would make counts look like a refusal."""
    with pytest.raises(ep.RequestError):
        ep.EngagementResponse(**{"request": REQUEST, "content": b"{}", **change})


def test_a_naive_retrieval_time_is_refused() -> None:
    """Its time zone is unknown."""
    with pytest.raises(ep.InvalidWindow, match=r"retrieved_at .* has no time zone"):
        ep.EngagementResponse(REQUEST, b"{}", 200, datetime(2026, 4, 15))  # noqa: DTZ001


def test_the_repr_describes_the_response() -> None:
    """It has status, size, time and request."""
    response = ep.EngagementResponse(REQUEST, b"{}", 200, datetime(2026, 4, 15, 12, 20, tzinfo=UTC))
    assert repr(response) == (
        "EngagementResponse(HTTP 200, 2 bytes at 2026-04-15 12:20:00 UTC for EngagementRequest("
        "totals of 2 posts | favorites | by_post: tweet.id > engagement.type))"
    )
