"""Engagement types: what each counts, and which endpoints count it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final


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
