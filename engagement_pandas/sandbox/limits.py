"""The documented limits of the API: the sandbox's own copy.

The client has its own table of these limits. The duplication is deliberate: if one of the
two is wrong, the other reveals it.
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
"""Engagement types of ``/totals`` that need only a bearer token."""

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
"""Engagement types of each endpoint."""

_ALL: Final = (POST, TYPE, DAY, HOUR)
DIMENSIONS: Final = {TOTALS: (POST, TYPE), LAST_28_HOURS: _ALL, HISTORICAL: _ALL}
MAX_DIMENSIONS: Final = 4
FULL_ORDERS: Final = (_ALL, (TYPE, POST, DAY, HOUR))
"""Allowed orders of all four dimensions."""

MAX_POSTS: Final = {TOTALS: 250, LAST_28_HOURS: 25, HISTORICAL: 25}
"""Maximum number of post IDs in one request."""

MAX_ID_DIGITS: Final = 19
MAX_GROUPINGS: Final = 3
MAX_FULL_GROUPINGS: Final = 1
"""Maximum number of groupings with all dimensions in one request."""

RESERVED_KEYS: Final = (
    "start",
    "end",
    "errors",
    "unavailable_tweet_ids",
    "unsupported_for_impressions_engagements_tweet_ids",
    "unsupported_for_video_views_tweet_ids",
)
"""Names that a grouping must not have."""

MAX_WINDOW: Final = timedelta(days=28)
MOVING_WINDOW: Final = timedelta(hours=28)
"""Length of the window of ``/28hr``."""

EARLIEST: Final = datetime(2014, 9, 1, tzinfo=UTC)
"""Earliest start of a window of ``/historical``."""

YOUNG_TYPES: Final = ("impressions", "engagements")
YOUNG: Final = timedelta(days=90)
"""Maximum age of posts for which ``/totals`` counts these types."""

VIDEO_VIEWS: Final = "video_views"
VIDEO_AGE: Final = timedelta(days=1800)
"""Maximum age of posts for which video views are counted."""

LATE_TYPES: Final = ("favorites", "retweets", "replies")
LATE_TYPES_SINCE: Final = date(2015, 9, 15)
"""Before this day, the time series contain placeholder zeros for these types."""

SNOWFLAKE_EPOCH_MS: Final = 1_288_834_974_657
"""Epoch of the timestamp in a post ID, in milliseconds since 1970."""
