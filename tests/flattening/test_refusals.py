"""flatten refuses invalid responses, and responses whose counts would be summed twice."""

from __future__ import annotations

from typing import Any

import pytest

import engagement_pandas as ep
from engagement_pandas.errors import RequestError, ResponseShapeError

ORDERS = {
    "post first": ["tweet.id", "engagement.type", "engagement.day", "engagement.hour"],
    "type first": ["engagement.type", "tweet.id", "engagement.day", "engagement.hour"],
}


def hourly(
    counts: str, *, by: Any = "post first", reserved: str = "", posts: tuple[str, ...] = ("1",)
) -> ep.EngagementResponse:
    """Return a response for 22:00 to 01:00, with this JSON as the grouping."""
    request = ep.historical(
        posts,
        engagement_types=["impressions"],
        window=ep.Window.covering("2026-03-01T22:00:00Z", "2026-03-02T01:00:00Z"),
        by={"g": ORDERS.get(by, by) if isinstance(by, str) else by},
    )
    return ep.EngagementResponse(request, f'{{{reserved}"g": {counts}}}')


def totals(posts: list[str], types: list[str], by: Any = ep.BY_POST, **body: Any) -> Any:
    """Return a response of /totals with 1 for all counts."""
    counts = {post: dict.fromkeys(types, "1") for post in posts}
    if by is not ep.BY_POST:
        counts = dict.fromkeys(types, "1")
    request = ep.totals(posts, engagement_types=types, by=by)
    return ep.EngagementResponse(request, {request.groupings[0].name: counts} | body)


HOUR = "$['g']['1']['impressions']['2026-03-01']['22']"

NOT_COUNTS = [
    "1.0",
    '"1.0"',
    "1e3",
    '"1e3"',
    "1E3",
    '"1E3"',
    "-0.0",
    "5.5",
    "true",
    "false",
    "null",
    '"null"',
    '""',
    '" 5"',
    '"5 "',
    '"5\\n"',
    '"5_0"',
    '"+5"',
    '"--5"',
    '"-"',
    '"0x1"',
    '"\\u0661"',
    '"007"',
    "[]",
    "{}",
    "9223372036854775808",
    '"9223372036854775808"',
    "-9223372036854775809",
    '"-9223372036854775809"',
    "18446744073709551616",
    '"99999999999999999999999999"',
]


@pytest.mark.parametrize("raw", NOT_COUNTS)
def test_a_count_is_an_integer_of_64_bits(raw: str) -> None:
    """Floats, even integral ones, blanks, signs and too many digits are refused."""
    body = f'{{"1": {{"impressions": {{"2026-03-01": {{"22": {raw}, "23": "1"}}}}}}}}'
    with pytest.raises(ResponseShapeError, match="a count is an integer") as caught:
        ep.flatten(hourly(body))
    assert caught.value.path == HOUR


@pytest.mark.parametrize("raw", ["9223372036854775807", '"-9223372036854775808"', '"-0"', "0"])
def test_the_ends_of_64_bits_are_counts(raw: str) -> None:
    """The smallest and the largest integer of 64 bits are kept."""
    body = f'{{"1": {{"impressions": {{"2026-03-01": {{"22": {raw}, "23": "1"}}}}}}}}'
    assert ep.flatten(hourly(body))["count"][0] == int(raw.strip('"'))


@pytest.mark.parametrize(
    ("counts", "path", "message"),
    [
        ("[]", "$['g']", "an object is expected here"),
        ('"5"', "$['g']", "an object is expected here"),
        ('{"2": {}}', "$['g']['2']", "post 2 was not requested"),
        ('{"1x": {}}', "$['g']['1x']", "not a post ID"),
        ('{"impressions": {}}', "$['g']['impressions']", "not a post ID"),
        ('{"12345678901234567890": {}}', "$['g']['12345678901234567890']", "not a post ID"),
        ('{"\\u0661": {}}', "$['g']['\u0661']", "not a post ID"),
        ('{"1": {"": {}}}', "$['g']['1']['']", "no name"),
        ('{"1": {"impressions": "5"}}', "$['g']['1']['impressions']", "an object is expected"),
        ('{"1": {"impressions": {"x": {}}}}', "$['g']['1']['impressions']['x']", "not a day"),
        (
            '{"1": {"impressions": {"2026-02-30": {}}}}',
            "$['g']['1']['impressions']['2026-02-30']",
            "not a day",
        ),
        (
            '{"1": {"impressions": {"20260301": {}}}}',
            "$['g']['1']['impressions']['20260301']",
            "not a day",
        ),
        (
            '{"1": {"impressions": {"2026-02-28": {}}}}',
            "$['g']['1']['impressions']['2026-02-28']",
            "not in the window 2026-03-01 22:00 to 2026-03-02 01:00 UTC",
        ),
        (
            '{"1": {"impressions": {"2026-03-01": {"21": "0", "22": "1"}}}}',
            "$['g']['1']['impressions']['2026-03-01']['21']",
            "not in the window",
        ),
        (
            '{"1": {"impressions": {"2026-03-02": {"00": "0", "01": "1"}}}}',
            "$['g']['1']['impressions']['2026-03-02']['01']",
            "not in the window",
        ),
        (
            '{"1": {"impressions": {"2026-03-01": {"24": "0"}}}}',
            "$['g']['1']['impressions']['2026-03-01']['24']",
            "not an hour",
        ),
        (
            '{"1": {"impressions": {"2026-03-01": {"7": "0"}}}}',
            "$['g']['1']['impressions']['2026-03-01']['7']",
            "not an hour",
        ),
    ],
)
def test_the_error_has_the_path_of_the_invalid_value(counts: str, path: str, message: str) -> None:
    """It also states what is wrong there."""
    with pytest.raises(ResponseShapeError, match=message) as caught:
        ep.flatten(hourly(counts))
    assert caught.value.path == path


def test_the_path_follows_the_order_of_nesting() -> None:
    """With the type first, the path begins with the type."""
    with pytest.raises(ResponseShapeError) as caught:
        ep.flatten(hourly('{"impressions": {"1": {"2026-03-01": {"22": 1.5}}}}', by="type first"))
    assert caught.value.path == "$['g']['impressions']['1']['2026-03-01']['22']"


def test_a_count_for_an_hour_outside_the_window_is_refused() -> None:
    """A zero there has no meaning; a number contradicts the request."""
    with pytest.raises(ResponseShapeError, match="not in the window") as caught:
        ep.flatten(
            hourly('{"impressions": {"07": "3"}}', by=["engagement.type", "engagement.hour"])
        )
    assert caught.value.path == "$['g']['impressions']['07']"


def test_hours_and_days_do_not_mix_on_one_level() -> None:
    """An hour without day is listed flat or by day, not both."""
    counts = '{"impressions": {"2026-03-01": {"22": "1"}, "23": "2"}}'
    with pytest.raises(ResponseShapeError, match="'23' is not a day"):
        ep.flatten(hourly(counts, by=["engagement.type", "engagement.hour"]))


def test_a_post_both_unavailable_and_counted_is_refused() -> None:
    """A response that contradicts itself is refused."""
    reserved = '"unavailable_tweet_ids": ["1"], '
    with pytest.raises(ResponseShapeError, match="unavailable, but it has counts") as caught:
        ep.flatten(hourly('{"1": {}}', reserved=reserved))
    assert caught.value.path == "$['g']['1']"


def test_sums_over_no_available_post_are_refused_unless_zero() -> None:
    """A sum of no posts is a contradiction; a zero has no row."""
    by = ["engagement.type"]
    body = {"counts": {"favorites": "0"}, "unavailable_tweet_ids": ["1"]}
    request = ep.totals(["1"], engagement_types=["favorites"], by=by)
    assert len(ep.flatten(ep.EngagementResponse(request, body))) == 0
    body["counts"] = {"favorites": "3"}
    with pytest.raises(ResponseShapeError, match="every requested post is unavailable"):
        ep.flatten(ep.EngagementResponse(request, body))


@pytest.mark.parametrize("key", ["start", "end"])
def test_another_window_than_the_requested_is_refused(key: str) -> None:
    """Counts of other hours are not a response to the request."""
    with pytest.raises(ResponseShapeError, match=f"states the {key} 2026-02-01") as caught:
        ep.flatten(hourly("{}", reserved=f'"{key}": "2026-02-01T00:00:00Z", '))
    assert caught.value.path == f"$['{key}']"


def test_a_window_of_years_is_not_the_last_28_hours() -> None:
    """An impossible window is not filled with a million rows."""
    request = ep.last_28_hours(["1"], engagement_types=["impressions"])
    body = {"start": "1970-01-01T00:00:00Z", "end": "2026-03-01T00:00:00Z", "by_hour": {"1": {}}}
    with pytest.raises(ResponseShapeError, match="not a window of about 28 hours"):
        ep.flatten(ep.EngagementResponse(request, body))


@pytest.mark.parametrize(
    "body",
    [
        '{"by_day": {"1": {"favorites": "5"}}}',
        '{"unavailable_tweet_ids": ["2"]}',
        '{"errors": ["internal server error"]}',
        "{}",
    ],
)
def test_a_missing_grouping_is_refused(body: str) -> None:
    """A response without the grouping is not an empty response."""
    request = ep.totals(["1", "2"], engagement_types=["favorites"])
    with pytest.raises(ResponseShapeError, match=r"the grouping is missing.* post 1") as caught:
        ep.flatten(ep.EngagementResponse(request, body))
    assert caught.value.path == "$['by_post']"


@pytest.mark.parametrize("body", ["[]", "5", "<html>502</html>", "", '{"by_post": {"1": {'])
def test_a_body_that_is_not_a_json_object_is_refused(body: str) -> None:
    """A proxy's page or a truncated body is not a response."""
    request = ep.totals(["1"], engagement_types=["favorites"])
    with pytest.raises(ResponseShapeError, match="not a JSON object"):
        ep.flatten(ep.EngagementResponse(request, body))


def test_the_same_response_twice_is_refused() -> None:
    """Its counts would be doubled."""
    response = totals(["1"], ["favorites"])
    with pytest.raises(RequestError, match=r"responses 0 and 1 both count favorites of post 1,"):
        ep.flatten([response, response])


def test_overlapping_windows_are_refused_with_both() -> None:
    """A shared hour would count twice."""
    parts = []
    for start, end in (("2026-03-02", "2026-03-03"), ("2026-03-01", "2026-03-02T01:00:00Z")):
        window = ep.Window.covering(start, end)
        by = {"g": ["tweet.id", "engagement.type"]}
        request = ep.historical(["1"], engagement_types=["impressions"], window=window, by=by)
        parts.append(ep.EngagementResponse(request, {"g": {"1": {"impressions": "1"}}}))
    with pytest.raises(
        RequestError, match=r"2026-03-02 00:00 to .* 2026-03-01 00:00 to .*keep one"
    ):
        ep.flatten(parts)


def test_an_overlap_behind_another_response_is_found() -> None:
    """A short window inside a long one is found, regardless of other text between."""
    parts = []
    for start, end in (
        ("2026-03-01", "2026-03-09"),
        ("2026-03-02", "2026-03-03"),
    ):
        window = ep.Window.covering(start, end)
        by = {"g": ["engagement.type"]}
        for engagement_type in ("impressions", "replies"):
            request = ep.historical(["1"], engagement_types=[engagement_type], window=window, by=by)
            parts.append(ep.EngagementResponse(request, {"g": {engagement_type: "1"}}))
    ep.flatten([parts[0], parts[1]])
    ep.flatten([parts[0], parts[3]])
    with pytest.raises(RequestError, match="responses 0 and 2 both count impressions"):
        ep.flatten([parts[0], parts[1], parts[2]])


def test_types_that_were_not_requested_may_overlap() -> None:
    """Quote tweets that were returned and quote tweets that were requested would count twice."""
    request = ep.totals(["1"], engagement_types=["favorites"])
    body = {"by_post": {"1": {"favorites": "1", "quote_tweets": "2"}}}
    with pytest.raises(RequestError, match="both count quote_tweets"):
        ep.flatten([ep.EngagementResponse(request, body), totals(["1"], ["quote_tweets"])])


def test_other_types_of_the_same_post_are_accepted() -> None:
    """A request split by type has no overlap."""
    assert len(ep.flatten([totals(["1"], ["favorites"]), totals(["1"], ["replies"])])) == 2


def test_a_missing_post_may_be_requested_again() -> None:
    """Only counts overlap, and not requests."""
    request = ep.totals(["1", "2"], engagement_types=["favorites"])
    first = ep.EngagementResponse(request, {"by_post": {"1": {"favorites": "1"}}})
    assert len(ep.flatten([first, totals(["2"], ["favorites"])])) == 2


def test_endpoints_and_dimensions_do_not_mix() -> None:
    """Video views of /totals and of a time series have different meanings."""
    by = {"by_post": ["tweet.id", "engagement.type"]}
    request = ep.last_28_hours(["2"], engagement_types=["favorites"], by=by)
    other = ep.EngagementResponse(request, {"by_post": {"2": {"favorites": "1"}}})
    with pytest.raises(RequestError, match=r"/totals.*/28hr.*flatten each on its own"):
        ep.flatten([totals(["1"], ["favorites"]), other])
    with pytest.raises(RequestError, match=r"grouped by .*flatten each on its own"):
        ep.flatten(
            [totals(["1"], ["favorites"]), totals(["2"], ["favorites"], by=["engagement.type"])]
        )


TWICE = {
    "a top-level key": '{"g": {"1": {"favorites": "5"}}, "g": {"1": {"favorites": "7"}}}',
    "a post": '{"g": {"1": {"favorites": "5"}, "1": {"replies": "7"}}}',
    "a type": '{"g": {"1": {"favorites": "5", "favorites": "7"}}}',
    "a day": '{"g": {"1": {"favorites": {"2026-03-01": {"07": 1}, "2026-03-01": {"08": 1}}}}}',
    "an hour": '{"g": {"1": {"favorites": {"2026-03-01": {"07": 1, "07": 2}}}}}',
    "a list of posts": (
        '{"unavailable_tweet_ids": ["1"], "unavailable_tweet_ids": [], "g": {"2": {"replies": 1}}}'
    ),
}


@pytest.mark.parametrize("body", TWICE.values(), ids=TWICE)
def test_a_repeated_key_is_refused(body: str) -> None:
    """Most JSON readers keep the last value and lose the first; no count may be lost."""
    with pytest.raises(ResponseShapeError, match="occurs twice in one object"):
        ep.flatten_json(body)


DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000


@pytest.mark.parametrize(
    "body", [DEEP, b'{"g": ' + DEEP + b"}", "\ud800", b"\xff\xfe{}", b"\xef\xbb\xbf{}", 7, None]
)
def test_an_undecodable_body_is_refused(body: Any) -> None:
    """It is nested too deeply, has half a surrogate pair, another encoding, or is not a body."""
    with pytest.raises(ResponseShapeError):
        ep.flatten_json(body)


@pytest.mark.parametrize("grouping", [["g"], 7, "h"])
def test_an_unknown_grouping_is_refused(grouping: Any) -> None:
    """The error lists the groupings of the body."""
    with pytest.raises(ep.AmbiguousGrouping, match=r"\['g'\]"):
        ep.flatten_json({"g": {"1": {"favorites": "5"}}}, grouping=grouping)
