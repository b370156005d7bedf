"""Engagement types by their names in the API, the specification and X's pages."""

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


@pytest.mark.parametrize(("name", "expected"), [*SPECIFICATION.items(), *PAGES.items()])
def test_names_of_the_specification_and_of_xs_pages(name: str, expected: str) -> None:
    """They are recognised in all spellings."""
    for spelling in SPELLINGS:
        assert type_of(spelling(name)) == expected


@pytest.mark.parametrize("engagement_type", ep.EngagementType)
def test_names_of_the_api(engagement_type: ep.EngagementType) -> None:
    """They are recognised in all spellings, also in the singular."""
    for spelling in SPELLINGS:
        assert type_of(spelling(str(engagement_type).replace("_", " "))) is engagement_type


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("reach", "not people"),
        ("engagement rate", "engagement_rate(counts)"),
        ("clicks", "'url_clicks', 'hashtag_clicks'"),
        ("poll votes", "it counts nothing similar"),
    ],
)
def test_unknown_metrics_are_explained(name: str, words: str) -> None:
    """The error names similar types."""
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
@pytest.mark.parametrize("endpoint", [ep.totals, ep.last_28_hours])
def test_types_of_other_sources_are_not_requested(endpoint: Any, name: str, words: str) -> None:
    """They are engagement types that no endpoint counts."""
    with pytest.raises(ep.UnsupportedEngagementType) as caught:
        endpoint(["1"], engagement_types=[name])
    assert str(caught.value).startswith(f"the API has no engagement type '{type_of(name)}': ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("impresions", "impressions"),
        ("Engagments", "engagements"),
        ("hastag clicks", "hashtag_clicks"),
        ("favourits", "favorites"),
        ("url_cliks", "url_clicks"),
    ],
)
def test_misspelt_names_are_suggested(name: str, expected: str) -> None:
    """The correct name is suggested, not used."""
    with pytest.raises(ep.UnsupportedEngagementType, match=f"did you mean '{expected}'"):
        type_of(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Post Impressions", "impressions"),
        ("tweet_likes", "favorites"),
        ("Tweets URL Clicks", "url_clicks"),
        ("post-retweets", "retweets"),
        ("Tweet email tweet", "email_tweet"),
    ],
)
def test_a_leading_post_is_ignored(name: str, expected: str) -> None:
    """The word is dropped at the beginning of a name only."""
    assert type_of(name) == expected


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Post Reach", "not people"),
        ("post", "there is no engagement type 'post'"),
        ("impressions post", "there is no engagement type"),
    ],
)
def test_post_is_not_a_type(name: str, words: str) -> None:
    """The error is the same as without the word."""
    with pytest.raises(ep.UnsupportedEngagementType, match=words):
        type_of(name)


def test_no_suggestion_has_another_meaning() -> None:
    """Names with their own meaning are not treated as misspellings."""
    first = ["video", "media", "url", "link", "hashtag", "detail", "app", "user", "profile"]
    second = ["views", "clicks", "engagements", "expands", "opens", "follows", "likes", "tweets"]
    others = ["links", "reports", "replays", "saves", "mentions", "posts", "users", "details", ""]
    messages = []
    for name in [*map("_".join, product(first, second)), *others]:
        try:
            type_of(name)
        except ep.UnsupportedEngagementType as error:
            messages.append(str(error))
    assert len(messages) > 60
    assert not [message for message in messages if "did you mean" in message]


def test_two_names_of_one_type_are_one() -> None:
    """The type is requested once, as for a repeated name."""
    assert parse_engagement_types(["likes", "Favorites"], ep.Endpoint.TOTALS) == ("favorites",)


def test_names_on_the_command_line() -> None:
    """``--types`` accepts the names of the specification."""
    names = "Detail Click,Media Clicks,post emails"
    arguments = parser().parse_args(["last-28-hours", "7", "--types", names])
    engagement_types = arguments.question(arguments).engagement_types
    assert engagement_types == ("detail_expands", "media_engagements", "email_tweet")


def counts() -> pd.DataFrame:
    """Return counts of 12 posts with three types in each of 30 hours."""
    days = {
        "2026-03-01": {f"{hour:02d}": str(hour % 5 + 1) for hour in range(24)},
        "2026-03-02": {f"{hour:02d}": str(hour % 3 + 1) for hour in range(6)},
    }
    engagement_types = ("impressions", "favorites", "url_clicks")
    first = 2027800000000000000
    bodies = {str(first + (n << 40)): dict.fromkeys(engagement_types, days) for n in range(12)}
    window = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T06:00:00Z"}
    return ep.flatten_json({"g": bodies, **window})


ALIASES = {"url_clicks": "Link clicks", "favorites": "Likes", "impressions": "Views"}
FUNCTIONS = [
    *(ep.engagement_rate, ep.rate_over_time, ep.rate_by_age, ep.best_times, ep.top_posts),
    *(ep.plot_best_times, ep.plot_rate_by_age, ep.plot_rate_over_time, ep.plot_top_posts),
    *(ep.plot_running_total, ep.plot_cumulative, ep.plot_by_age),
    *(ep.plot_over_time, ep.plot_half_life, ep.summarise, ep.compare, ep.plot_compare),
]


def comparable(result: Any) -> Any:
    """Return the CSV text of a frame, or the texts of a figure."""
    if isinstance(result, pd.DataFrame | pd.Series):
        return result.to_csv()
    labels = [text.get_text() for text in result.figure.findobj(plt.Text)]
    plt.close(result.figure)
    return labels


@pytest.mark.long
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_names_in_metrics_and_plots(function: Callable[..., Any]) -> None:
    """An alias returns the same result and the same labels as the API's name."""
    frame = counts()
    cases: list[dict[str, str]] = []
    parameters = inspect.signature(function).parameters
    if "numerator" in parameters:
        cases.append({"numerator": "favorites", "denominator": "impressions"})
    if "engagement_type" in parameters:
        cases.append({"engagement_type": "favorites"})
    if function.__name__.endswith(("top_posts", "compare")):
        cases.append({"by": "favorites"})
    assert cases
    halves = [frame[frame["post_id"].isin(ids)] for ids in _halves(frame)]
    sides = halves if "compare" in function.__name__ else [frame]
    for arguments in cases:
        alias = {name: ALIASES[engagement_type] for name, engagement_type in arguments.items()}
        extra = (
            {"by": "rate"} if "top_posts" in function.__name__ and "numerator" in arguments else {}
        )
        assert comparable(function(*sides, **alias, **extra)) == comparable(
            function(*sides, **arguments, **extra)
        )


def _halves(frame: pd.DataFrame) -> list[list[str]]:
    ids = frame["post_id"].unique().tolist()
    return [ids[:6], ids[6:]]


def test_other_types_in_the_counts_go_first() -> None:
    """A type of the frame is found by its name, in all spellings."""
    frame = ep.flatten_json({"g": {"impressions": "5", "favorites": "1"}})
    frame["engagement_type"] = frame["engagement_type"].cat.rename_categories(
        {"favorites": "bookmarks"}
    )
    rate = ep.engagement_rate(frame, by=None, numerator="Bookmarks")
    assert rate["bookmarks"].to_list() == [1]


@pytest.mark.parametrize("name", ["Likes %", "Likes +/-", "Likes \u00b1"])
def test_shares_and_changes_are_not_counts(name: str) -> None:
    """A wide table may have such columns."""
    with pytest.raises(ep.UnsupportedEngagementType):
        type_of(name)
