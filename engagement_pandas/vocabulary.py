"""Vocabulary of the API: endpoints, engagement types, dimensions, reasons and their meanings.

A new fact is a new row of a table. Limits of a request are in ``request/limits.py``.
Sources: X's documentation of the Engagement API ("key characteristics", "data formats",
"API reference") unless a line says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Dimension(StrEnum):
    """What counts can be grouped by; the value is the API's name."""

    POST_ID = "tweet.id"
    ENGAGEMENT_TYPE = "engagement.type"
    DAY = "engagement.day"
    HOUR = "engagement.hour"

    @property
    def column(self) -> str:
        """The column of the tidy frame for this dimension.

        >>> Dimension.POST_ID.column
        'post_id'
        """
        return _COLUMNS[self]


_COLUMNS: Final = {
    Dimension.POST_ID: "post_id",
    Dimension.ENGAGEMENT_TYPE: "engagement_type",
    Dimension.DAY: "day",
    Dimension.HOUR: "hour",
}


class Endpoint(StrEnum):
    """The three endpoints; the value is the last part of the path."""

    TOTALS = "totals"
    LAST_28_HOURS = "28hr"
    HISTORICAL = "historical"

    @property
    def facts(self) -> EndpointFacts:
        """The row of :data:`ENDPOINTS` for this endpoint."""
        return ENDPOINTS[self]


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """What one endpoint allows.

    Attributes
    ----------
    path : str
        Appended to the base URL.
    function : str
        The function of this package for it.
    posts_per_request : int
        Maximum number of post IDs in one request.
    time_series : bool
        Whether it counts by day and hour within a window.
    dimensions : tuple of Dimension
        What it can group by.
    app_only : bool
        Whether a bearer token is sufficient for the public types.
    meaning : str
    """

    path: str
    function: str
    posts_per_request: int
    time_series: bool
    dimensions: tuple[Dimension, ...]
    app_only: bool
    meaning: str


_SERIES_DIMENSIONS: Final = tuple(Dimension)

ENDPOINTS: Final[Mapping[Endpoint, EndpointFacts]] = MappingProxyType(
    {
        Endpoint.TOTALS: EndpointFacts(
            path="/insights/engagement/totals",
            function="totals()",
            posts_per_request=250,
            time_series=False,
            dimensions=(Dimension.POST_ID, Dimension.ENGAGEMENT_TYPE),
            app_only=True,
            meaning="totals since the post was made",
        ),
        Endpoint.LAST_28_HOURS: EndpointFacts(
            path="/insights/engagement/28hr",
            function="last_28_hours()",
            posts_per_request=25,
            time_series=True,
            dimensions=_SERIES_DIMENSIONS,
            app_only=False,
            meaning="the 28 hours before the request",
        ),
        Endpoint.HISTORICAL: EndpointFacts(
            path="/insights/engagement/historical",
            function="historical()",
            posts_per_request=25,
            time_series=True,
            dimensions=_SERIES_DIMENSIONS,
            app_only=False,
            meaning="any window of at most 28 days since 2014-09-01",
        ),
    }
)


class EngagementType(StrEnum):
    """The 18 engagement types of the API, by its names, and those that other sources count."""

    IMPRESSIONS = "impressions"
    ENGAGEMENTS = "engagements"
    FAVORITES = "favorites"
    RETWEETS = "retweets"
    QUOTE_TWEETS = "quote_tweets"
    REPLIES = "replies"
    VIDEO_VIEWS = "video_views"
    MEDIA_VIEWS = "media_views"
    MEDIA_ENGAGEMENTS = "media_engagements"
    URL_CLICKS = "url_clicks"
    HASHTAG_CLICKS = "hashtag_clicks"
    DETAIL_EXPANDS = "detail_expands"
    PERMALINK_CLICKS = "permalink_clicks"
    APP_INSTALL_ATTEMPTS = "app_install_attempts"
    APP_OPENS = "app_opens"
    EMAIL_TWEET = "email_tweet"
    USER_FOLLOWS = "user_follows"
    USER_PROFILE_CLICKS = "user_profile_clicks"
    # New types come last, so that every type keeps its colour.
    BOOKMARKS = "bookmarks"
    SHARES = "shares"
    PROFILE_VISITS = "profile_visits"
    UNFOLLOWS = "unfollows"
    UNLIKES = "unlikes"
    DIAL_PHONE = "dial_phone"
    POSTS_CREATED = "posts_created"

    @property
    def facts(self) -> TypeFacts:
        """The row of :data:`ENGAGEMENT_TYPES` for this type."""
        return ENGAGEMENT_TYPES[self]


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """Facts about one engagement type.

    Attributes
    ----------
    meaning : str
    totals : bool
        Counted by ``/totals``.
    time_series : bool
        Counted by ``/28hr`` and ``/historical``.
    public : bool
        A bearer token is sufficient on ``/totals``.
    oldest_post_totals : timedelta or None
        ``/totals`` does not count it for posts older than this.
    oldest_post_series : timedelta or None
        The time series do not count it for posts older than this.
    series_since : date or None
        Before this UTC day the time series show 0, which is not a count.
    alone : str
        Why it must not be added to other types; empty if it may.
    one_meaning : bool
        Whether ``/totals`` and the time series count the same thing.
    source : str
        Where the type comes from, if the API does not count it.
    """

    meaning: str
    totals: bool = False
    time_series: bool = True
    public: bool = False
    oldest_post_totals: timedelta | None = None
    oldest_post_series: timedelta | None = None
    series_since: date | None = None
    alone: str = ""
    one_meaning: bool = True
    source: str = ""


_ANALYTICS: Final = "X Analytics"
_POST_ANALYTICS: Final = "/2/tweets/analytics"
_BY_TWEET: Final = "tweet_activity_metrics files, 2014 to 2024"


_VIEWS: Final = "a view is counted by several types, and no view is an interaction"

IMPRESSIONS_OLDEST_POST: Final = timedelta(days=90)
"""``/totals`` counts impressions and engagements of posts up to this age."""

VIDEO_VIEWS_OLDEST_POST: Final = timedelta(days=1800)
"""Video views are counted for posts up to this age."""

INTERACTIONS_SINCE: Final = date(2015, 9, 15)
"""Before this day favorites, replies and retweets are always 0 in the time series."""

ENGAGEMENT_TYPES: Final[Mapping[EngagementType, TypeFacts]] = MappingProxyType(
    {
        EngagementType.IMPRESSIONS: TypeFacts(
            "times viewed, organic only",
            totals=True,
            oldest_post_totals=IMPRESSIONS_OLDEST_POST,
            alone=_VIEWS,
        ),
        EngagementType.ENGAGEMENTS: TypeFacts(
            "interactions, organic and promoted; not the sum of the other types",
            totals=True,
            oldest_post_totals=IMPRESSIONS_OLDEST_POST,
            alone="engagements already hold the interactions that the other types count",
        ),
        EngagementType.FAVORITES: TypeFacts(
            "likes", totals=True, public=True, series_since=INTERACTIONS_SINCE
        ),
        EngagementType.RETWEETS: TypeFacts(
            "reposts", totals=True, public=True, series_since=INTERACTIONS_SINCE
        ),
        EngagementType.QUOTE_TWEETS: TypeFacts(
            "reposts with a comment", totals=True, time_series=False, public=True
        ),
        EngagementType.REPLIES: TypeFacts(
            "replies", totals=True, public=True, series_since=INTERACTIONS_SINCE
        ),
        EngagementType.VIDEO_VIEWS: TypeFacts(
            "video half visible for 2 s; on /totals summed over every post carrying "
            "that video, in the time series this post's alone",
            totals=True,
            public=True,
            oldest_post_totals=VIDEO_VIEWS_OLDEST_POST,
            oldest_post_series=VIDEO_VIEWS_OLDEST_POST,
            alone=_VIEWS,
            one_meaning=False,
        ),
        EngagementType.MEDIA_VIEWS: TypeFacts("views of a video, GIF or image", alone=_VIEWS),
        EngagementType.MEDIA_ENGAGEMENTS: TypeFacts("clicks on media"),
        EngagementType.URL_CLICKS: TypeFacts("clicks on links"),
        EngagementType.HASHTAG_CLICKS: TypeFacts("clicks on hashtags"),
        EngagementType.DETAIL_EXPANDS: TypeFacts("clicks for details"),
        EngagementType.PERMALINK_CLICKS: TypeFacts("clicks on the permalink"),
        EngagementType.APP_INSTALL_ATTEMPTS: TypeFacts("app installs begun from the post"),
        EngagementType.APP_OPENS: TypeFacts("app opens from the post"),
        EngagementType.EMAIL_TWEET: TypeFacts("shares by e-mail"),
        EngagementType.USER_FOLLOWS: TypeFacts("follows of the author from the post"),
        EngagementType.USER_PROFILE_CLICKS: TypeFacts("clicks on the author's profile"),
        EngagementType.BOOKMARKS: TypeFacts(
            "bookmarks", time_series=False, source=f"{_ANALYTICS}, X API v2"
        ),
        EngagementType.SHARES: TypeFacts(
            "posts sent in a message or links copied; not reposts",
            time_series=False,
            source=f"{_ANALYTICS}, {_POST_ANALYTICS}",
        ),
        EngagementType.PROFILE_VISITS: TypeFacts(
            "visits of the author's profile",
            time_series=False,
            alone="whether user_profile_clicks count the same is not known",
            source=f"{_ANALYTICS}, {_POST_ANALYTICS} of 2025",
        ),
        EngagementType.UNFOLLOWS: TypeFacts(
            "accounts that stopped following the author",
            time_series=False,
            alone="it takes follows back",
            source=f"{_ANALYTICS} (overview), {_POST_ANALYTICS}",
        ),
        EngagementType.UNLIKES: TypeFacts(
            "likes taken back",
            time_series=False,
            alone="it takes likes back",
            source=_POST_ANALYTICS,
        ),
        EngagementType.DIAL_PHONE: TypeFacts(
            "calls of a phone number in the post", time_series=False, source=_BY_TWEET
        ),
        EngagementType.POSTS_CREATED: TypeFacts(
            "posts made",
            time_series=False,
            alone="it counts posts, and the others what readers did",
            source=f"{_ANALYTICS} (overview)",
        ),
    }
)

API_TYPES: Final = tuple(t for t, facts in ENGAGEMENT_TYPES.items() if not facts.source)
"""The 18 types that the API counts."""

TOTALS_TYPES: Final = tuple(t for t, facts in ENGAGEMENT_TYPES.items() if facts.totals)
"""The 7 types that ``/totals`` counts."""

SERIES_TYPES: Final = tuple(t for t, facts in ENGAGEMENT_TYPES.items() if facts.time_series)
"""The 17 types that ``/28hr`` and ``/historical`` count."""

PUBLIC_TYPES: Final = tuple(t for t, facts in ENGAGEMENT_TYPES.items() if facts.public)
"""The 5 types that ``/totals`` returns for any public post, with a bearer token."""

# Other sources of counts


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What is known of counts that do not come from the three endpoints.

    Attributes
    ----------
    meaning : str
    impressions : str
        Which impressions they hold: organic ones, promoted ones, both, or not known.
    """

    meaning: str
    impressions: str


_BOTH: Final = "organic and promoted"
_NOT_KNOWN: Final = "whether promoted ones are in them is not known"

SOURCES: Final[Mapping[str, SourceFacts]] = MappingProxyType(
    {
        "x_analytics_content": SourceFacts("the content export of X Analytics", "organic"),
        "x_analytics_overview": SourceFacts("the overview export of X Analytics", _NOT_KNOWN),
        "x_analytics_by_tweet": SourceFacts("tweet_activity_metrics, 2014 to 2024", _NOT_KNOWN),
        "x_analytics_by_day": SourceFacts("daily_tweet_activity_metrics, to 2024", _NOT_KNOWN),
        "x_lookup_public": SourceFacts("public metrics of a post", _BOTH),
        "x_lookup_non_public": SourceFacts("non-public metrics of a post", _NOT_KNOWN),
        "x_lookup_organic": SourceFacts("organic metrics of a post", "organic"),
        "x_lookup_promoted": SourceFacts("promoted metrics of a post", "promoted"),
        "x_post_analytics": SourceFacts("/2/tweets/analytics", _NOT_KNOWN),
    }
)
"""Sources whose counts are read; counts of the three endpoints have no ``source``."""

# Keys of an answer

RESERVED_KEYS: Final = frozenset(
    {
        "start",
        "end",
        "errors",
        "unavailable_tweet_ids",
        "unsupported_for_impressions_engagements_tweet_ids",
        "unsupported_for_video_views_tweet_ids",
    }
)
"""Top-level keys of an answer that are not groupings."""

UNSUPPORTED_KEYS: Final[Mapping[str, tuple[EngagementType, ...]]] = MappingProxyType(
    {
        "unsupported_for_impressions_engagements_tweet_ids": (
            EngagementType.IMPRESSIONS,
            EngagementType.ENGAGEMENTS,
        ),
        "unsupported_for_video_views_tweet_ids": (EngagementType.VIDEO_VIEWS,),
    }
)
"""Keys that list posts that are too old, and the types whose zeros are not counts then."""


class OmissionReason(StrEnum):
    """Why a count is missing; :data:`OMISSION_REASONS` has the meanings."""

    UNAVAILABLE = "unavailable"
    FORBIDDEN = "forbidden"
    UNSUPPORTED_AGE = "unsupported_age"
    BEFORE_COUNTING = "before_counting"
    NOT_YET_POSTED = "not_yet_posted"
    REFUSED = "refused"
    NOT_ANSWERED = "not_answered"
    UNAUTHORIZED = "unauthorized"
    INVALID_ANSWER = "invalid_answer"


OMISSION_REASONS: Final[Mapping[OmissionReason, str]] = MappingProxyType(
    {
        OmissionReason.UNAVAILABLE: "deleted, suspended or protected",
        OmissionReason.FORBIDDEN: "not owned by the requesting account",
        OmissionReason.UNSUPPORTED_AGE: "the post is too old for this engagement type",
        OmissionReason.BEFORE_COUNTING: "the time series did not count this type yet",
        OmissionReason.NOT_YET_POSTED: "not yet posted in this window, so not requested",
        OmissionReason.REFUSED: "these credentials may not see this engagement type",
        OmissionReason.NOT_ANSWERED: "requested, but not in the answer",
        OmissionReason.UNAUTHORIZED: "the owner's tokens are not accepted or cannot be read",
        OmissionReason.INVALID_ANSWER: "every answer of the API was invalid",
    }
)
