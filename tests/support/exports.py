"""Small exports that follow the specification of their formats; no real posts."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

CONTENT = (
    "Post id,Date,Post text,Post Link,Impressions,Likes,Engagements,Bookmarks,Shares,New follows,"
    "Replies,Reposts,Profile visits,Detail Expands,URL Clicks,Hashtag Clicks,Permalink Clicks"
)
EARLIER = (
    "Post id,Date,Post text,Link,Impressions,Likes,Engagements,Bookmarks,Share,New follows,"
    "Replies,Reposts,Profile visits,Detail expands,Url clicks,Hashtag clicks,Permalink clicks"
)
NUMBERS = (551, 7, 30, 1, 2, 3, 4, 5, 6, 8, 9, 0, 0)
"""The numbers of the 13 columns in their order."""

TYPES = {
    "impressions": 551,
    "engagements": 30,
    "favorites": 7,
    "retweets": 5,
    "replies": 4,
    "url_clicks": 9,
    "hashtag_clicks": 0,
    "detail_expands": 8,
    "permalink_clicks": 0,
    "user_follows": 3,
    "bookmarks": 1,
    "shares": 2,
    "profile_visits": 6,
}
"""The counts of those columns by type."""

ONE = "2091095333082140951"  # created on 2026-08-22 at 09:29 UTC
TWO = "2091457720958877696"  # a day later
DATES = {ONE: "Sat, Aug 22, 2026", TWO: "Sun, Aug 23, 2026"}


def link(post: str, host: str = "x.com") -> str:
    """Return a link to a post."""
    return f"https://{host}/bakery/status/{post}"


def row(post: str = ONE, text: str = "Hello", numbers: Sequence[object] = NUMBERS) -> list[object]:
    """Return a row of the content export."""
    return [post, DATES.get(post, ""), text, link(post), *numbers]


def content(
    *rows: Sequence[object], header: str = CONTENT, end: str = "\n", delimiter: str = ","
) -> str:
    """Return a content export; no line break after the last row."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end)
    writer.writerow(header.split(","))
    writer.writerows(rows or [row()])
    return file.getvalue().removesuffix(end)


PLAIN = (
    "impressions,engagements,engagement rate,retweets,replies,likes,user profile clicks,url clicks,"
    "hashtag clicks,detail expands,permalink clicks,app opens,app installs,follows,email tweet,"
    "dial phone,media views,media engagements"
)
BY_TWEET = ",".join(
    ["Tweet id,Tweet permalink,Tweet text,time", PLAIN]
    + [f"promoted {name}" for name in PLAIN.split(",")]
)
OLD = "649293177409679360"  # created on 2015-09-30 at 18:42 UTC


def old_row(post: str = OLD, text: str = "Hello", first: str = "424.0") -> list[str]:
    """Return a row of a by-tweet file: floats as text, and dashes for promoted counts."""
    numbers = [first, "3.0", "0.007075471698113208", *(f"{n}.0" for n in range(15))]
    return [post, link(post, "twitter.com"), text, "2015-09-30 18:42 +0000", *numbers, *["-"] * 18]


def by_tweet(*rows: Sequence[object], header: str = BY_TWEET) -> str:
    """Return a by-tweet file, all quoted."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(header.split(","))
    writer.writerows(rows)
    return file.getvalue()


OVERVIEW = (
    "Date,Impressions,Likes,Engagements,Bookmarks,Shares,New follows,Unfollows,Replies,Reposts,"
    "Profile visits,Create Post,Video views,Media views"
)


def overview(days: dict[str, int], header: str = OVERVIEW) -> str:
    """Return an overview with these impressions; newest first."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header.split(","))
    writer.writerows([day, n, 7, 30, 1, 2, 3, 1, 4, 5, 6, 2, 0, 0] for day, n in days.items())
    return file.getvalue().removesuffix("\n")
