"""What the API allows, as its documentation says: the sandbox's own copy.

The client has these limits in a table of its own. They are written twice on purpose: a limit
that one of the two has wrong is refused, or missed, by the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

TOTALS: Final = "totals"
LAST_28_HOURS: Final = "28hr"
HISTORICAL: Final = "historical"

POST: Final = "tweet.id"
TYPE: Final = "engagement.type"
DAY: Final = "engagement.day"
HOUR: Final = "engagement.hour"

PUBLIC_TYPES: Final = ("favorites", "retweets", "quote_tweets", "replies", "video_views")
"""What a bearer token is enough for, on ``/totals``."""

_SERIES: Final = (
    *("impressions", "engagements", "favorites", "retweets", "replies", "video_views"),
    *("media_views", "media_engagements", "url_clicks", "hashtag_clicks", "detail_expands"),
    *("permalink_clicks", "app_install_attempts", "app_opens", "email_tweet", "user_follows"),
    "user_profile_clicks",
)
TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    TOTALS: ("impressions", "engagements", *PUBLIC_TYPES),
    LAST_28_HOURS: _SERIES,
    HISTORICAL: _SERIES,
}
"""The engagement types that each endpoint counts."""

_ALL: Final = (POST, TYPE, DAY, HOUR)
DIMENSIONS: Final = {TOTALS: (POST, TYPE), LAST_28_HOURS: _ALL, HISTORICAL: _ALL}
MAX_DIMENSIONS: Final = 4
FULL_ORDERS: Final = (_ALL, (TYPE, POST, DAY, HOUR))
"""The orders in which all dimensions are allowed."""

MAX_POSTS: Final = {TOTALS: 250, LAST_28_HOURS: 25, HISTORICAL: 25}
"""Post IDs in one request."""

MAX_ID_DIGITS: Final = 19
MAX_GROUPINGS: Final = 3
MAX_FULL_GROUPINGS: Final = 1
"""Groupings of all dimensions in one request."""

RESERVED_KEYS: Final = (
    "start",
    "end",
    "errors",
    "unavailable_tweet_ids",
    "unsupported_for_impressions_engagements_tweet_ids",
    "unsupported_for_video_views_tweet_ids",
)
"""What no grouping can be named."""

MAX_WINDOW: Final = timedelta(days=28)
MOVING_WINDOW: Final = timedelta(hours=28)
"""How far ``/28hr`` looks back."""

EARLIEST: Final = datetime(2014, 9, 1, tzinfo=UTC)
"""No window of ``/historical`` begins before this."""

YOUNG_TYPES: Final = ("impressions", "engagements")
YOUNG: Final = timedelta(days=90)
"""The age up to which ``/totals`` counts these types."""

VIDEO_VIEWS: Final = "video_views"
VIDEO_AGE: Final = timedelta(days=1800)
"""The age up to which video views are counted."""

LATE_TYPES: Final = ("favorites", "retweets", "replies")
LATE_TYPES_SINCE: Final = date(2015, 9, 15)
"""Before this day the time series have zeros for these types, which are not counts."""

SNOWFLAKE_EPOCH_MS: Final = 1_288_834_974_657
"""The zero of the clock in a post ID, in milliseconds since 1970."""
