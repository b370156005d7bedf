"""Other names of engagement types, and names of what the API does not count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engagement_pandas.vocabulary.engagement_types import EngagementType

OTHER_NAMES: Final[Mapping[EngagementType, str]] = {
    EngagementType.IMPRESSIONS: "views, post views, tweet views, view count, times viewed",
    EngagementType.ENGAGEMENTS: "interactions, total engagements, post engagements",
    EngagementType.FAVORITES: "likes, favourites, favs, hearts",
    EngagementType.RETWEETS: "reposts",
    EngagementType.QUOTE_TWEETS: "quotes, quote posts, quote reposts, quote retweets, "
    "quoted posts, quoted tweets, reposts with comments, retweets with comments",
    EngagementType.REPLIES: "comments, post replies",
    EngagementType.VIDEO_VIEWS: "",
    EngagementType.MEDIA_VIEWS: "",
    EngagementType.MEDIA_ENGAGEMENTS: "media clicks, embedded media clicks",
    EngagementType.URL_CLICKS: "link clicks, url link clicks",
    EngagementType.HASHTAG_CLICKS: "",
    EngagementType.DETAIL_EXPANDS: "detail clicks, detail expansions, expands",
    EngagementType.PERMALINK_CLICKS: "permanent link clicks",
    EngagementType.APP_INSTALL_ATTEMPTS: "app installs, install attempts",
    EngagementType.APP_OPENS: "",
    EngagementType.EMAIL_TWEET: "emails, post emails, tweet emails, email posts, shares by email, "
    "emailed posts",
    EngagementType.USER_FOLLOWS: "follows, new follows, new followers",
    EngagementType.USER_PROFILE_CLICKS: "profile clicks",
    EngagementType.BOOKMARKS: "saves",
    EngagementType.SHARES: "",
    EngagementType.PROFILE_VISITS: "user profile visits",
    EngagementType.UNFOLLOWS: "",
    EngagementType.UNLIKES: "",
    EngagementType.DIAL_PHONE: "",
    EngagementType.POSTS_CREATED: "create post, postscreated",
}
"""Names from X's specification, pages and other APIs, in addition to the API's own names.

``media_clicks`` was the API's own name until 2017. Names match in singular or plural, in any
case, with blanks, hyphens or underscores, and with ``count`` appended.
"""

NOT_COUNTED: Final[Mapping[str, str]] = {
    "clicks": "it counts each kind of click: 'url_clicks', 'hashtag_clicks', 'detail_expands', "
    "'permalink_clicks', 'media_engagements' and 'user_profile_clicks'",
    "engagement rate": "compute a rate with engagement_rate(counts)",
    "followers": "it does not count followers, but follows from a post: 'user_follows'",
    **dict.fromkeys(("unfavorites", "unretweets"), "it subtracts them from the counts"),
    "reach": "it counts views, not people: 'impressions'",
    **dict.fromkeys(
        ("replays", "card engagements", "poll votes", "watch time", "completion rate"),
        "it counts nothing similar",
    ),
}

OTHER_SOURCES: Final[Mapping[EngagementType, str]] = {
    EngagementType.BOOKMARKS: "it does not count bookmarks",
    EngagementType.SHARES: "it does not count shares by message or copied link; reposts are "
    "'retweets', and shares by e-mail are 'email_tweet'",
    EngagementType.PROFILE_VISITS: "it counts clicks on the profile: 'user_profile_clicks'",
    EngagementType.UNFOLLOWS: "it does not count unfollows",
    EngagementType.UNLIKES: "it subtracts them from the counts",
    EngagementType.DIAL_PHONE: "it counts nothing similar",
    EngagementType.POSTS_CREATED: "it counts what readers do",
}
"""Why the API does not count the types of other sources."""
