"""Omissions are the posts and types without a count, with the reason."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.frame.contract import check_omissions, dtype_name
from engagement_pandas.vocabulary.omission_reasons import OMISSION_REASONS, OmissionReason

WINDOW = ep.Window.covering("2026-03-01T22:00:00Z", "2026-03-02T01:00:00Z")


def totals(
    posts: list[str], types: list[str], body: Any, status: int = 200, by: Any = ep.BY_POST
) -> Any:
    """Return a response of /totals."""
    return ep.EngagementResponse(ep.totals(posts, engagement_types=types, by=by), body, status)


def hourly(posts: list[str], types: list[str], body: Any, by: Any = ep.BY_HOUR) -> Any:
    """Return a response for 22:00 to 01:00."""
    request = ep.historical(posts, engagement_types=types, window=WINDOW, by=by)
    return ep.EngagementResponse(request, body)


def omitted(responses: Any) -> list[tuple[Any, ...]]:
    """Return post, type (None: all), reason and message of each omission."""
    frame = ep.omissions(responses)
    check_omissions(frame)
    types = frame["engagement_type"].astype(object).where(frame["engagement_type"].notna(), None)
    columns = (frame["post_id"], types, frame["reason"].astype(str), frame["message"])
    return list(zip(*columns, strict=True))


def meaning(reason: str) -> str:
    """Return the vocabulary's message for a reason."""
    return OMISSION_REASONS[OmissionReason(reason)]


def test_a_complete_response_has_no_omissions() -> None:
    """The frame is empty, with all columns and dtypes."""
    frame = ep.omissions(totals(["1"], ["favorites"], {"by_post": {"1": {"favorites": "5"}}}))
    assert frame.dtypes.map(dtype_name).to_dict() == {
        "post_id": "str",
        "engagement_type": "str",
        "reason": "category",
        "message": "str",
        "start": "datetime64[us, UTC]",
        "end": "datetime64[us, UTC]",
    }
    assert list(frame["reason"].cat.categories) == [str(reason) for reason in OmissionReason]


def test_unavailable_posts_are_omitted() -> None:
    """Deleted, suspended and protected posts are listed; the others are counted."""
    body = {"by_post": {"1": {"favorites": "5"}}, "unavailable_tweet_ids": ["2"]}
    assert omitted(totals(["1", "2"], ["favorites"], body)) == [
        ("2", None, "unavailable", meaning("unavailable"))
    ]


def test_the_apis_own_words_are_kept() -> None:
    """If the response has a text about the omission, it is the message."""
    text = "1 Tweet ID(s) are unavailable"
    body = {"errors": [text, "something else"], "unavailable_tweet_ids": ["1"]}
    assert omitted(totals(["1"], ["favorites"], body, 400)) == [("1", None, "unavailable", text)]


@pytest.mark.parametrize(
    "text",
    ["Forbidden to access tweets: 1, 2", "Forbidden to access tweets for author id 9: 1, 2"],
)
def test_forbidden_posts_are_omitted_in_both_wordings(text: str) -> None:
    """Each post has the message of its refusal, without the other posts."""
    assert omitted(totals(["1", "2"], ["favorites"], {"errors": [text]}, 403)) == [
        ("1", None, "forbidden", text.replace("1, 2", "1")),
        ("2", None, "forbidden", text.replace("1, 2", "2")),
    ]


def test_owned_posts_of_a_refused_request_are_not_answered() -> None:
    """The complete request is refused; only the named posts are forbidden."""
    text = "Forbidden to access tweets: 2"
    assert omitted(totals(["1", "2"], ["favorites"], {"errors": [text]}, 403)) == [
        ("1", None, "not_answered", meaning("not_answered")),
        ("2", None, "forbidden", text),
    ]


def test_refused_types_are_omitted() -> None:
    """A refusal of types is for these types of all posts."""
    text = "Forbidden to access metrics: retweets"
    assert omitted(totals(["1", "2"], ["retweets"], {"errors": [text]}, 403)) == [
        ("1", "retweets", "refused", text),
        ("2", "retweets", "refused", text),
    ]


def test_a_refused_type_of_a_response_with_counts_is_omitted() -> None:
    """The counts are kept; the refused type is missing, with the API's message."""
    text = "Forbidden to access metrics: retweets"
    body = {"errors": [text], "by_post": {"1": {"favorites": "5"}}}
    response = totals(["1"], ["favorites", "retweets"], body)
    assert omitted(response) == [("1", "retweets", "refused", text)]
    assert ep.flatten(response)["count"].isna().to_list() == [False, True]


def test_forbidden_posts_of_a_response_with_counts_are_omitted() -> None:
    """An error in a 200 explains why the post has no counts."""
    text = "Forbidden to access tweets: 2"
    body = {"errors": [text], "by_post": {"1": {"favorites": "5"}}}
    assert omitted(totals(["1", "2"], ["favorites"], body)) == [("2", None, "forbidden", text)]


def test_an_unsupported_type_is_omitted_once() -> None:
    """The age is the reason, and not that the response leaves it out."""
    body = {
        "by_post": {"1": {"favorites": "5"}},
        "unsupported_for_impressions_engagements_tweet_ids": ["1"],
    }
    response = totals(["1"], ["favorites", "impressions"], body)
    assert omitted(response) == [
        ("1", "impressions", "unsupported_age", meaning("unsupported_age"))
    ]
    assert ep.flatten(response)["count"].isna().to_list() == [True, False]


def test_hours_from_before_counting_need_not_be_in_the_response() -> None:
    """X did not count them yet."""
    window = ep.Window.covering("2015-09-14T23:00:00Z", "2015-09-15T02:00:00Z")
    request = ep.historical(["1"], engagement_types=["favorites"], window=window)
    body = {"by_hour": {"1": {"favorites": {"2015-09-15": {"00": "5"}}}}}
    assert omitted(ep.EngagementResponse(request, body)) == [
        ("1", "favorites", "before_counting", meaning("before_counting")),
        ("1", "favorites", "not_answered", "1 of 3 hours are not in the answer"),
    ]


def test_an_unsupported_type_without_a_window_is_omitted_once() -> None:
    """The age is the only reason there, too."""
    request = ep.last_28_hours(["1"], engagement_types=["impressions", "video_views"])
    body = {
        "by_hour": {"1": {"impressions": {"2026-03-01": {"22": "5"}}}},
        "unsupported_for_video_views_tweet_ids": ["1"],
    }
    assert omitted(ep.EngagementResponse(request, body)) == [
        ("1", "video_views", "unsupported_age", meaning("unsupported_age"))
    ]


def test_a_200_with_refused_types_needs_no_grouping() -> None:
    """The grouping may be missing if the response has the reason."""
    text = "Forbidden to access metrics: retweets"
    response = totals(["1"], ["retweets"], {"errors": [text]})
    assert omitted(response) == [("1", "retweets", "refused", text)]
    assert len(ep.flatten(response)) == 0


def test_a_403_with_an_unknown_message_is_a_refusal() -> None:
    """The status decides, and not the text alone."""
    assert omitted(totals(["1"], ["retweets"], {"errors": ["No."]}, 403)) == [
        ("1", None, "refused", "No.")
    ]


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (400, {"errors": ["bad"]}, "bad"),
        (502, "<html>bad gateway</html>", "HTTP 502"),
        (400, {}, meaning("not_answered")),
    ],
)
def test_other_refusals_are_not_answered(status: int, body: Any, message: str) -> None:
    """All requested posts are omitted, with the message of the response."""
    assert omitted(totals(["1"], ["favorites"], body, status)) == [
        ("1", None, "not_answered", message)
    ]


def test_posts_of_a_refused_type_are_unsupported() -> None:
    """A 400 with a list of posts over 90 days explains both of their types."""
    text = "Impressions & engagements for tweets older than 90 days (1) are not supported"
    body = {"errors": [text], "unsupported_for_impressions_engagements_tweet_ids": ["1"]}
    assert omitted(totals(["1"], ["impressions", "engagements"], body, 400)) == [
        ("1", "engagements", "unsupported_age", text),
        ("1", "impressions", "unsupported_age", text),
    ]


def test_false_zeros_have_their_reason() -> None:
    """The missing count of an old post is explained for each requested type."""
    body = {
        "by_post": {"1": {"favorites": "1", "video_views": "0"}},
        "unsupported_for_video_views_tweet_ids": ["1"],
    }
    assert omitted(totals(["1"], ["favorites", "video_views"], body)) == [
        ("1", "video_views", "unsupported_age", meaning("unsupported_age"))
    ]


def test_unsupported_posts_of_a_sum_are_omitted() -> None:
    """The sum is a count although some of its posts are too old."""
    body = {"counts": {"video_views": "7"}, "unsupported_for_video_views_tweet_ids": ["1"]}
    response = totals(["1", "2"], ["video_views"], body, by=["engagement.type"])
    assert omitted(response) == [
        ("1", "video_views", "unsupported_age", meaning("unsupported_age"))
    ]


def test_zeros_from_before_counting_are_omitted() -> None:
    """Favorites before 2015-09-15 are omitted, with the requested window."""
    window = ep.Window.covering("2015-09-14", "2015-09-16")
    request = ep.historical(
        ["1"], engagement_types=["favorites", "impressions"], window=window, by=ep.BY_POST
    )
    body = {"by_post": {"1": {"favorites": "0", "impressions": "1"}}}
    response = ep.EngagementResponse(request, body)
    assert omitted(response) == [("1", "favorites", "before_counting", meaning("before_counting"))]
    row = ep.omissions(response).iloc[0]
    assert (row["start"], row["end"]) == (pd.Timestamp(window.start), pd.Timestamp(window.end))


def test_the_message_counts_missing_hours() -> None:
    """It has the number of missing hours and of all hours."""
    body = {"by_hour": {"1": {"impressions": {"2026-03-01": {"22": "5"}}}}}
    assert omitted(hourly(["1"], ["impressions"], body)) == [
        ("1", "impressions", "not_answered", "2 of 3 hours are not in the answer")
    ]


def test_missing_days_of_a_sum_are_omitted_for_each_post() -> None:
    """All posts of the sum have the same message."""
    body = {"counts": {"impressions": {"2026-03-01": "5"}}}
    response = hourly(["1", "2"], ["impressions"], body, by=["engagement.type", "engagement.day"])
    message = "1 of 2 days are not in the answer"
    assert omitted(response) == [
        ("1", "impressions", "not_answered", message),
        ("2", "impressions", "not_answered", message),
    ]


def test_a_missing_type_is_omitted() -> None:
    """The omission is for the post and the type."""
    body = {"by_post": {"1": {"favorites": "5"}}}
    assert omitted(totals(["1"], ["favorites", "replies"], body)) == [
        ("1", "replies", "not_answered", meaning("not_answered"))
    ]


def test_a_missing_type_without_a_window_is_omitted() -> None:
    """The response of /28hr has no window, so no row can be made."""
    request = ep.last_28_hours(["1"], engagement_types=["impressions", "replies"])
    body = {"by_hour": {"1": {"impressions": {"2026-03-01": {"22": "5"}}}}}
    response = ep.EngagementResponse(request, body)
    assert omitted(response) == [("1", "replies", "not_answered", meaning("not_answered"))]


def test_a_missing_post_is_omitted() -> None:
    """A post with neither count nor explanation is not answered."""
    body = {"by_post": {"1": {"favorites": "5"}}}
    assert omitted(totals(["1", "2"], ["favorites"], body)) == [
        ("2", None, "not_answered", meaning("not_answered"))
    ]


def test_omissions_of_series_have_the_window() -> None:
    """Those of totals have NaT; the window is the requested one."""
    of_totals = ep.omissions(totals(["1"], ["favorites"], {"by_post": {}}))
    assert of_totals[["start", "end"]].isna().all(axis=None)
    of_series = ep.omissions(hourly(["1"], ["impressions"], {"by_hour": {}}))
    assert of_series["start"].to_list() == [pd.Timestamp(WINDOW.start)]
    assert of_series["end"].to_list() == [pd.Timestamp(WINDOW.end)]


def test_omissions_are_sorted_and_unique() -> None:
    """Two groupings or two responses with the same omission give one row."""
    by = {"sum": ["engagement.type"], "each": ["tweet.id", "engagement.type"]}
    body = {"sum": {"favorites": "5"}, "each": {"3": {"favorites": "5"}}}
    body |= {"unavailable_tweet_ids": ["2", "10"]}
    response = totals(["2", "10", "3"], ["favorites"], body, by=by)
    frame = ep.omissions([response, response])
    assert frame["post_id"].to_list() == ["10", "2"]
    assert list(frame.index) == [0, 1]


def test_every_requested_post_is_counted_or_omitted() -> None:
    """Each post of a mixed fetch is in one of the two frames."""
    mixed = {
        "by_post": {"1": {"favorites": "5"}, "2": {}},
        "unavailable_tweet_ids": ["3"],
        "errors": ["something"],
    }
    responses = [
        totals(["1", "2", "3", "4"], ["favorites"], mixed),
        totals(["5"], ["favorites"], {"errors": ["Forbidden to access tweets: 5"]}, 403),
        totals(["6"], ["favorites"], {"unavailable_tweet_ids": ["6"]}),
        totals(["7"], ["favorites"], "<html>", 503),
    ]
    counts, omissions = ep.flatten(responses), ep.omissions(responses)
    counted = set(counts.loc[counts["count"].notna(), "post_id"])
    assert counted == {"1"}
    assert set(counts["post_id"]) == {"1", "2"}
    assert set(omissions["post_id"]) == {"2", "3", "4", "5", "6", "7"}


def test_omissions_may_have_their_retrieval_time() -> None:
    """With it there is a row for each time, and without it a row for all."""
    body = {"by_post": {}, "unavailable_tweet_ids": ["2"]}
    times = [pd.Timestamp(f"2026-03-0{day}T00:05:00Z").to_pydatetime() for day in (1, 2)]
    request = ep.totals(["2"], engagement_types=["favorites"])
    responses = [ep.EngagementResponse(request, body, retrieved_at=time) for time in times]
    found = ep.omissions(responses, retrieved_at=True)
    check_omissions(found)
    assert found["retrieved_at"].tolist() == times
    pd.testing.assert_frame_equal(
        found.drop(columns="retrieved_at").head(1), ep.omissions(responses)
    )


def test_an_empty_frame_of_omissions_has_the_retrieval_time() -> None:
    """The column has its dtype."""
    complete = totals(["1"], ["favorites"], {"by_post": {"1": {"favorites": "5"}}})
    found = ep.omissions(complete, retrieved_at=True)
    check_omissions(found)
    assert len(found) == 0
    assert str(found["retrieved_at"].dtype) == "datetime64[us, UTC]"
