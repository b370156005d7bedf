"""flatten returns the values of responses, in order, summed where requests were split."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.errors import AmbiguousGrouping, RequestError, ResponseShapeError
from engagement_pandas.frame.contract import dtype_name

DAY = ["engagement.type", "engagement.day"]
RHYTHM = ["engagement.type", "engagement.hour"]


def totals(
    body: Any,
    posts: Iterable[str] = ("1",),
    types: Iterable[str] = ("favorites",),
    by: Any = ep.BY_POST,
    **more: Any,
) -> ep.EngagementResponse:
    """Return a response of /totals."""
    return ep.EngagementResponse(ep.totals(posts, engagement_types=types, by=by), body, **more)


def historical(
    body: Any,
    posts: Iterable[str] = ("1",),
    types: Iterable[str] = ("impressions",),
    by: Any = ep.BY_HOUR,
    window: tuple[str, str] = ("2026-03-01T22:00:00Z", "2026-03-02T01:00:00Z"),
    **more: Any,
) -> ep.EngagementResponse:
    """Return a response for three hours across a midnight."""
    request = ep.historical(
        posts, engagement_types=types, window=ep.Window.covering(*window), by=by
    )
    return ep.EngagementResponse(request, body, **more)


def rows(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Return a frame as plain tuples: days as text, missing counts as None."""
    plain = frame.assign(count=frame["count"].astype(object).where(frame["count"].notna(), None))
    if "day" in plain:
        plain["day"] = plain["day"].dt.strftime("%Y-%m-%d")
    return [tuple(row) for row in plain.itertuples(index=False)]


THREE_HOURS = {"2026-03-01": {"22": "5", "23": "6"}, "2026-03-02": {"00": "7"}}


def test_four_dimensions_are_four_columns() -> None:
    """Days at the edges of the window have only the hours inside."""
    frame = ep.flatten(historical({"by_hour": {"1": {"impressions": THREE_HOURS}}}))
    assert rows(frame) == [
        ("1", "impressions", "2026-03-01", 22, 5),
        ("1", "impressions", "2026-03-01", 23, 6),
        ("1", "impressions", "2026-03-02", 0, 7),
    ]


def test_dtypes_of_all_columns() -> None:
    """The frame has the contract's dtypes and a new index."""
    frame = ep.flatten(historical({"by_hour": {"1": {"impressions": THREE_HOURS}}}))
    assert frame.dtypes.map(dtype_name).to_dict() == {
        "post_id": "str",
        "engagement_type": "category",
        "day": "datetime64[us]",
        "hour": "int8",
        "count": "Int64",
    }
    assert isinstance(frame.index, pd.RangeIndex)


@pytest.mark.parametrize("end", ["2026-03-02T01:00:00Z", "2026-03-02T00:43:00Z"])
def test_an_unrounded_end_is_the_same_window(end: str) -> None:
    """The API may return the end as it was requested, without rounding it up."""
    body = {"start": "2026-03-01T22:00:00Z", "end": end}
    body |= {"by_hour": {"1": {"impressions": THREE_HOURS}}}
    assert len(ep.flatten(historical(body))) == 3


@pytest.mark.parametrize(("raw", "count"), [('"551"', 551), ("551", 551), ('"-3"', -3), ("-3", -3)])
def test_counts_may_be_strings_integers_and_negative(raw: str, count: int) -> None:
    """Most are strings, some are integers, and unlikes are negative."""
    assert rows(ep.flatten(totals(f'{{"by_post": {{"1": {{"favorites": {raw}}}}}}}'))) == [
        ("1", "favorites", count)
    ]


def test_order_is_by_text_of_the_id_and_by_vocabulary() -> None:
    """IDs sort as text; types as in the vocabulary, then unknown types by alphabet."""
    body = {"by_post": {"9": {"zaps": 1, "favorites": 2, "boosts": 3}, "10": {"favorites": 4}}}
    assert rows(ep.flatten(totals(body, ["9", "10"]))) == [
        ("10", "favorites", 4),
        ("9", "favorites", 2),
        ("9", "boosts", 3),
        ("9", "zaps", 1),
    ]


def test_categories_are_the_types_present() -> None:
    """The category has the types of this frame, unordered, in vocabulary order."""
    body = {"by_post": {"1": {"replies": "1", "favorites": "2", "zaps": "3"}}}
    dtype = ep.flatten(totals(body, types=["replies", "favorites"]))["engagement_type"].dtype
    assert list(dtype.categories) == ["favorites", "replies", "zaps"]
    assert not dtype.ordered


def test_a_type_that_was_not_requested_is_kept() -> None:
    """The documented response for owned posts has quote_tweets without a request."""
    frame = ep.flatten(totals({"by_post": {"1": {"favorites": "1", "quote_tweets": "2"}}}))
    assert frame["count"].to_list() == [1, 2]


@pytest.mark.parametrize(
    "nested",
    [
        {"impressions": {"22": "5", "23": "6", "00": "7"}},
        {"impressions": THREE_HOURS},
    ],
    ids=["flat", "day by day"],
)
def test_hour_without_day_in_both_documented_shapes(nested: Any) -> None:
    """An hour of the day is a sum over the window, in both shapes."""
    assert rows(ep.flatten(historical({"counts": nested}, by=RHYTHM))) == [
        ("impressions", 0, 7),
        ("impressions", 22, 5),
        ("impressions", 23, 6),
    ]


def test_hours_of_several_days_are_summed() -> None:
    """22:00 of two days is one row if the grouping has no day."""
    nested = {"impressions": {"2026-03-01": {"22": 1, "23": 2}, "2026-03-02": {"22": 40}}}
    days = {
        day: {f"{h:02d}": 0 for h in range(24)} | hours
        for day, hours in nested["impressions"].items()
    }
    window = ("2026-03-01", "2026-03-03")
    frame = ep.flatten(historical({"counts": {"impressions": days}}, by=RHYTHM, window=window))
    assert frame.set_index("hour")["count"].loc[[22, 23]].to_list() == [41, 2]
    assert len(frame) == 24


def test_a_zero_for_an_hour_outside_the_window_is_not_a_row() -> None:
    """All 24 hours may be listed for a window of three; the other zeros have no meaning."""
    hours = {f"{hour:02d}": "0" for hour in range(24)}
    frame = ep.flatten(historical({"counts": {"impressions": hours}}, by=RHYTHM))
    assert frame["hour"].to_list() == [0, 22, 23]


def test_responses_for_other_posts_are_combined() -> None:
    """Batches of posts make one sorted frame."""
    parts = [totals({"by_post": {p: {"favorites": p}}}, [p]) for p in ("3", "1", "2")]
    assert rows(ep.flatten(part for part in parts)) == [
        ("1", "favorites", 1),
        ("2", "favorites", 2),
        ("3", "favorites", 3),
    ]


def test_sums_over_posts_are_added() -> None:
    """Without tweet.id, the sums of the batches are added."""
    by = ["engagement.type"]
    parts = [totals({"counts": {"favorites": n}}, [n], by=by) for n in ("3", "4")]
    assert rows(ep.flatten(parts)) == [("favorites", 7)]


def test_the_parts_of_a_day_are_one_row() -> None:
    """The counts of windows that share a day are added."""
    cuts = ["2026-03-01", "2026-03-01T05:00:00Z", "2026-03-02"]
    parts = [
        historical({"counts": {"impressions": {"2026-03-01": n}}}, by=DAY, window=window)
        for n, window in zip((3, 4), itertools.pairwise(cuts), strict=True)
    ]
    assert rows(ep.flatten(parts)) == [("impressions", "2026-03-01", 7)]


def test_sums_beyond_64_bits_are_refused() -> None:
    """A sum never wraps into a negative count."""
    by = ["engagement.type"]
    parts = [totals({"counts": {"favorites": 2**63 - 1}}, [p], by=by) for p in ("1", "2")]
    with pytest.raises(ResponseShapeError, match="favorites add up to more") as caught:
        ep.flatten(parts)
    assert caught.value.path == "$['counts']"


@pytest.mark.parametrize("count", [2**62, -(2**62) - 1])
def test_the_first_integer_beyond_64_bits_is_refused(count: int) -> None:
    """The bound is exact at both ends."""
    by = ["engagement.type"]
    parts = [totals({"counts": {"favorites": count}}, [p], by=by) for p in ("1", "2")]
    with pytest.raises(ResponseShapeError, match="more than 64 bits"):
        ep.flatten(parts)


def test_large_sums_are_exact() -> None:
    """A sum within 64 bits is exact, even if partial sums do not fit."""
    by = ["engagement.type"]
    counts = [2**63 - 1, 2**62, -(2**62), -5]
    parts = [totals({"counts": {"favorites": n}}, [str(n % 97)], by=by) for n in counts]
    assert rows(ep.flatten(parts)) == [("favorites", 2**63 - 6)]


def test_refusals_have_no_counts() -> None:
    """A refused request gives an empty frame with all columns and dtypes."""
    refusal = historical({"errors": ["Forbidden to access tweets: 1"]}, status=403)
    frame = ep.flatten(refusal)
    assert len(frame) == 0
    names = frame.dtypes.map(dtype_name).to_list()
    assert names == ["str", "category", "datetime64[us]", "int8", "Int64"]


def test_a_refusal_among_responses_changes_nothing() -> None:
    """The responses with counts give the same frame."""
    response = totals({"by_post": {"1": {"favorites": "1"}}})
    refusal = totals({"errors": ["Forbidden to access tweets: 2"]}, ["2"], status=403)
    assert rows(ep.flatten([refusal, response])) == rows(ep.flatten(response))


def test_a_response_whose_posts_are_all_explained_needs_no_grouping() -> None:
    """The frame is empty, with its dtypes."""
    frame = ep.flatten(totals({"unavailable_tweet_ids": ["1"]}))
    assert frame.dtypes.map(dtype_name).to_list() == ["str", "category", "Int64"]
    assert len(frame) == 0


def test_a_grouping_is_chosen_by_name() -> None:
    """Without a name, the error lists the groupings."""
    by = {"sum": ["engagement.type"], "each": ["tweet.id", "engagement.type"]}
    response = totals({"sum": {"favorites": "5"}, "each": {"1": {"favorites": "5"}}}, by=by)
    assert rows(ep.flatten(response, "sum")) == [("favorites", 5)]
    assert rows(ep.flatten(response, "each")) == [("1", "favorites", 5)]
    with pytest.raises(AmbiguousGrouping, match=r"\['sum', 'each'\]"):
        ep.flatten(response)


def test_an_unknown_top_level_key_is_ignored() -> None:
    """The counts of the response are still read."""
    body = {"by_post": {"1": {"favorites": "5"}}, "trace": "abc", "cost": {"1": 2}}
    assert rows(ep.flatten(totals(body))) == [("1", "favorites", 5)]


def test_the_earliest_retrieval_is_kept() -> None:
    """The frame has the retrieval time of its oldest part."""
    times = [datetime(2026, 3, day, 9, 30, tzinfo=UTC) for day in (3, 1, 2)]
    parts = [
        totals({"by_post": {str(n): {"favorites": "1"}}}, [str(n)], retrieved_at=retrieved_at)
        for n, retrieved_at in enumerate(times)
    ]
    assert ep.flatten(parts).attrs["retrieved_at"] == "2026-03-01T09:30:00+00:00"


@pytest.mark.parametrize("nothing", [[], iter(()), ()])
def test_no_responses_are_refused(nothing: Any) -> None:
    """Without responses the columns are unknown, so there is no empty frame."""
    with pytest.raises(RequestError, match=r"there are no responses.*give at least one"):
        ep.flatten(nothing)


@pytest.mark.parametrize("wrong", [b"{}", "{}", {"by_post": {}}, 5, [{"by_post": {}}]])
def test_bodies_are_not_responses(wrong: Any) -> None:
    """The message names flatten_json, which reads bodies without their request."""
    with pytest.raises(RequestError, match="flatten_json"):
        ep.flatten(wrong)


@pytest.mark.parametrize("name", ["a\nb", 'a"b', "a\\b", "\x7f"])
def test_a_grouping_may_have_special_characters(name: str) -> None:
    """Names that JSON escapes are read as any other."""
    window = ep.Window.covering("2026-03-01T00:00:00Z", "2026-03-01T01:00:00Z")
    by = {name: ["tweet.id", "engagement.type", "engagement.day", "engagement.hour"]}
    request = ep.historical(["1"], engagement_types=["replies"], window=window, by=by)
    body = {name: {"1": {"replies": {"2026-03-01": {"00": "7"}}}}}
    assert ep.flatten(ep.EngagementResponse(request, body))["count"].tolist() == [7]
