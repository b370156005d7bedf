"""Engagement types by any name that means one."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from itertools import product
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.cli import parser
from engagement_pandas.request.engagement_types import parse_engagement_types, type_of

SPECIFICATION = {
    "Impressions": "impressions",
    "Engagements": "engagements",
    "Favorites": "favorites",
    "Replies": "replies",
    "Retweets": "retweets",
    "Quote Tweets": "quote_tweets",
    "URL Clicks": "url_clicks",
    "Hashtag Clicks": "hashtag_clicks",
    "Detail Click": "detail_expands",
    "Permalink Clicks": "permalink_clicks",
    "Media Clicks": "media_engagements",
    "App Install Attempts": "app_install_attempts",
    "App Opens": "app_opens",
    "Post Emails": "email_tweet",
    "Video Views": "video_views",
    "Media Views": "media_views",
}
PAGES = {
    "Likes": "favorites",
    "Reposts": "retweets",
    "Quotes": "quote_tweets",
    "Comments": "replies",
    "Views": "impressions",
    "New follows": "user_follows",
    "follows": "user_follows",
    "Profile visits": "profile_visits",
    "user profile clicks": "user_profile_clicks",
    "Link clicks": "url_clicks",
    "Url clicks": "url_clicks",
    "Detail Expands": "detail_expands",
    "Media engagements": "media_engagements",
    "embedded media clicks": "media_engagements",
    "app installs": "app_install_attempts",
    "email tweet": "email_tweet",
    "like_count": "favorites",
    "repost_count": "retweets",
    "quote_count": "quote_tweets",
    "url_link_clicks": "url_clicks",
}
SPELLINGS: list[Callable[[str], str]] = [
    str,
    str.upper,
    lambda name: name.replace(" ", "_").lower(),
    lambda name: name.replace(" ", "-"),
    lambda name: name.replace(" ", ""),
    lambda name: f"  {name}  ",
    lambda name: re.sub("ie$", "y", name.removesuffix("s")),
]


@pytest.mark.parametrize(("name", "meant"), [*SPECIFICATION.items(), *PAGES.items()])
def test_names_by_meaning(name: str, meant: str) -> None:
    """Of the specification and of X's pages, in any spelling."""
    for spelt in SPELLINGS:
        assert type_of(spelt(name)) == meant


@pytest.mark.parametrize("kind", ep.EngagementType)
def test_own_names(kind: ep.EngagementType) -> None:
    """In any spelling, the singular too."""
    for spelt in SPELLINGS:
        assert type_of(spelt(str(kind).replace("_", " "))) is kind


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("reach", "not people"),
        ("engagement rate", "engagement_rate(counts)"),
        ("clicks", "'url_clicks', 'hashtag_clicks'"),
        ("poll votes", "it counts nothing similar"),
    ],
)
def test_what_the_api_does_not_count(name: str, words: str) -> None:
    """Is said, with what is near it."""
    with pytest.raises(ep.UnsupportedEngagementType) as caught:
        type_of(name)
    assert str(caught.value).startswith(f"the API has no engagement type {name!r}: ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bookmarks", "it does not count bookmarks (its source is X Analytics, X API v2)"),
        ("Shares", "reposts are 'retweets'"),
        ("profile visits", "'user_profile_clicks'"),
        ("Unfollows", "not count unfollows"),
        ("dial phone", "it counts nothing similar"),
    ],
)
@pytest.mark.parametrize("ask", [ep.totals, ep.last_28_hours])
def test_types_of_other_sources_are_not_requested(ask: Any, name: str, words: str) -> None:
    """They are engagement types, and no endpoint counts them."""
    with pytest.raises(ep.UnsupportedEngagementType) as caught:
        ask(["1"], engagement_types=[name])
    assert str(caught.value).startswith(f"the API has no engagement type '{type_of(name)}': ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("impresions", "impressions"),
        ("Engagments", "engagements"),
        ("hastag clicks", "hashtag_clicks"),
        ("favourits", "favorites"),
        ("url_cliks", "url_clicks"),
    ],
)
def test_misspelt_names(name: str, meant: str) -> None:
    """Are suggested, not taken."""
    with pytest.raises(ep.UnsupportedEngagementType, match=f"did you mean '{meant}'"):
        type_of(name)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Post Impressions", "impressions"),
        ("tweet_likes", "favorites"),
        ("Tweets URL Clicks", "url_clicks"),
        ("post-retweets", "retweets"),
        ("Tweet email tweet", "email_tweet"),
    ],
)
def test_a_post_goes_without_saying(name: str, meant: str) -> None:
    """As the first word; it is not dropped from names that have it elsewhere."""
    assert type_of(name) == meant


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Post Reach", "not people"),
        ("post", "there is no engagement type 'post'"),
        ("impressions post", "there is no engagement type"),
    ],
)
def test_a_post_alone_means_nothing(name: str, words: str) -> None:
    """What is not counted of it is said, as without the word."""
    with pytest.raises(ep.UnsupportedEngagementType, match=words):
        type_of(name)


def test_no_suggestion_is_another_metric() -> None:
    """Words that mean something of their own are no misspelling of others."""
    first = ["video", "media", "url", "link", "hashtag", "detail", "app", "user", "profile"]
    second = ["views", "clicks", "engagements", "expands", "opens", "follows", "likes", "tweets"]
    others = ["links", "reports", "replays", "saves", "mentions", "posts", "users", "details", ""]
    told = []
    for name in [*map("_".join, product(first, second)), *others]:
        try:
            type_of(name)
        except ep.UnsupportedEngagementType as error:
            told.append(str(error))
    assert len(told) > 60
    assert not [words for words in told if "did you mean" in words]


def test_two_names_of_one_type() -> None:
    """Are asked for once, as the same name twice."""
    assert parse_engagement_types(["likes", "Favorites"], ep.Endpoint.TOTALS) == ("favorites",)


def test_names_on_the_command_line() -> None:
    """``--types`` takes the specification's."""
    names = "Detail Click,Media Clicks,post emails"
    arguments = parser().parse_args(["last-28-hours", "7", "--types", names])
    asked = arguments.question(arguments).engagement_types
    assert asked == ("detail_expands", "media_engagements", "email_tweet")


def counts() -> pd.DataFrame:
    """Return 12 posts with three types in each of 30 hours."""
    days = {
        "2026-03-01": {f"{hour:02d}": str(hour % 5 + 1) for hour in range(24)},
        "2026-03-02": {f"{hour:02d}": str(hour % 3 + 1) for hour in range(6)},
    }
    kinds = ("impressions", "favorites", "url_clicks")
    first = 2027800000000000000
    bodies = {str(first + (n << 40)): dict.fromkeys(kinds, days) for n in range(12)}
    window = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T06:00:00Z"}
    return ep.flatten_json({"g": bodies, **window})


ALIASES = {"url_clicks": "Link clicks", "favorites": "Likes", "impressions": "Views"}
FUNCTIONS = [
    *(ep.engagement_rate, ep.rate_over_time, ep.rate_by_age, ep.best_times, ep.top_posts),
    *(ep.plot_best_times, ep.plot_rate_by_age, ep.plot_rate_over_time, ep.plot_top_posts),
    *(ep.plot_running_total, ep.plot_cumulative, ep.plot_by_age),
    *(ep.plot_over_time, ep.plot_half_life, ep.summarise, ep.compare, ep.plot_compare),
]


def shown(result: Any) -> Any:
    """Return what can be compared of a frame or of axes."""
    if isinstance(result, pd.DataFrame | pd.Series):
        return result.to_csv()
    texts = [text.get_text() for text in result.figure.findobj(plt.Text)]
    plt.close(result.figure)
    return texts


@pytest.mark.slow
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_names_in_metrics_and_plots(function: Callable[..., Any]) -> None:
    """An alias gives what the API's own name gives, to the last label."""
    frame = counts()
    named: list[dict[str, str]] = []
    parameters = inspect.signature(function).parameters
    if "numerator" in parameters:
        named.append({"numerator": "favorites", "denominator": "impressions"})
    if "engagement_type" in parameters:
        named.append({"engagement_type": "favorites"})
    if function.__name__.endswith(("top_posts", "compare")):
        named.append({"by": "favorites"})
    assert named
    halves = [frame[frame["post_id"].isin(ids)] for ids in _halves(frame)]
    sides = halves if "compare" in function.__name__ else [frame]
    for own in named:
        alias = {name: ALIASES[kind] for name, kind in own.items()}
        extra = {"by": "rate"} if "top_posts" in function.__name__ and "numerator" in own else {}
        assert shown(function(*sides, **alias, **extra)) == shown(function(*sides, **own, **extra))


def _halves(frame: pd.DataFrame) -> list[list[str]]:
    ids = frame["post_id"].unique().tolist()
    return [ids[:6], ids[6:]]


def test_a_type_that_counts_have_beside_the_api_s() -> None:
    """Is found by its own name first, in any spelling."""
    frame = ep.flatten_json({"g": {"impressions": "5", "favorites": "1"}})
    frame["engagement_type"] = frame["engagement_type"].cat.rename_categories(
        {"favorites": "bookmarks"}
    )
    rate = ep.engagement_rate(frame, by=None, numerator="Bookmarks")
    assert rate["bookmarks"].to_list() == [1]
