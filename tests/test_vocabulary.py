"""The API's tables compared with the documentation, counted by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from engagement_pandas.vocabulary import limits
from engagement_pandas.vocabulary.dimensions import Dimension
from engagement_pandas.vocabulary.endpoints import ENDPOINTS, Endpoint
from engagement_pandas.vocabulary.engagement_types import (
    API_TYPES,
    ENGAGEMENT_TYPES,
    IMPRESSIONS_OLDEST_POST,
    INTERACTIONS_SINCE,
    PUBLIC_TYPES,
    SERIES_TYPES,
    TOTALS_TYPES,
    VIDEO_VIEWS_OLDEST_POST,
    EngagementType,
)
from engagement_pandas.vocabulary.omission_reasons import OMISSION_REASONS, OmissionReason


def test_18_types() -> None:
    """The API has 18 types; those and the types of other sources have a row and a meaning."""
    assert len(API_TYPES) == 18
    assert set(ENGAGEMENT_TYPES) == set(EngagementType)
    assert all(facts.meaning for facts in ENGAGEMENT_TYPES.values())


def test_types_by_endpoint() -> None:
    """/totals has 7 types, the time series have 17, and 5 are public, as documented."""
    assert [str(t) for t in TOTALS_TYPES] == [
        "impressions",
        "engagements",
        "favorites",
        "retweets",
        "quote_tweets",
        "replies",
        "video_views",
    ]
    assert set(API_TYPES) - set(SERIES_TYPES) == {EngagementType.QUOTE_TWEETS}
    assert set(PUBLIC_TYPES) == {
        "favorites",
        "retweets",
        "quote_tweets",
        "replies",
        "video_views",
    }


def test_limits() -> None:
    """The limits of the key characteristics."""
    posts = {str(e): facts.posts_per_request for e, facts in ENDPOINTS.items()}
    assert posts == {"totals": 250, "28hr": 25, "historical": 25}
    assert limits.MAX_GROUPINGS == 3
    assert timedelta(days=28) == limits.MAX_WINDOW
    assert datetime(2014, 9, 1, tzinfo=UTC) == limits.EARLIEST
    assert timedelta(days=90) == IMPRESSIONS_OLDEST_POST
    assert timedelta(days=1800) == VIDEO_VIEWS_OLDEST_POST
    assert date(2015, 9, 15) == INTERACTIONS_SINCE


def test_endpoints_group_by_what_they_count() -> None:
    """/totals groups by post and type; the time series by day and hour too."""
    assert Endpoint.TOTALS.facts.dimensions == ("tweet.id", "engagement.type")
    for endpoint in (Endpoint.LAST_28_HOURS, Endpoint.HISTORICAL):
        assert set(endpoint.facts.dimensions) == set(Dimension)


def test_every_omission_has_a_meaning() -> None:
    """Each reason has a sentence that explains it."""
    assert set(OMISSION_REASONS) == set(OmissionReason)


def test_types_of_other_sources() -> None:
    """Each type names its source, and no endpoint counts it."""
    others = set(EngagementType) - set(API_TYPES)
    assert {"bookmarks", "shares", "profile_visits", "unfollows", "unlikes"} < others
    for engagement_type in others:
        assert engagement_type.facts.source
        facts = engagement_type.facts
        assert {facts.totals, facts.time_series, facts.public} == {False}
