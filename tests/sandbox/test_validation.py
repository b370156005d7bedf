"""What the service refuses, and with which messages."""

from __future__ import annotations

import copy
from typing import Any

import pytest

TIMES = {"start": "2026-03-01", "end": "2026-03-02"}
FOUR = ["tweet.id", "engagement.type", "engagement.day", "engagement.hour"]


def test_the_limits_of_post_ids(twin: Any, body: Any) -> None:
    """250, 25 and 25 posts are accepted; one more and none at all are refused."""
    ids = [str(n) for n in range(1, 252)]
    for endpoint, most in (("totals", 250), ("28hr", 25), ("historical", 25)):
        # The posts do not exist, which is checked after the rules.
        assert twin.post(endpoint, body(ids[:most])).errors == [
            f"{most} Tweet ID(s) are unavailable"
        ]
        for wrong in (most + 1, 0):
            reply = twin.post(endpoint, body(ids[:wrong]))
            assert reply.status == 400
            assert reply.errors == [f"tweet_ids: size [{wrong}] is not between 1 and {most}"]


@pytest.mark.parametrize(
    "post_id",
    [-5, 1.5, None, "", "12a", "-1", " 1", "1\n", "1" * 20, 10**19, "\u0661\u0662", True, ["1"]],
)
def test_an_id_is_a_string_of_1_to_19_digits(twin: Any, body: Any, post_id: Any) -> None:
    """Fractions, signs, blanks, 20 digits and other scripts' digits are refused."""
    reply = twin.post("totals", body([post_id]))
    assert reply.status == 400
    assert "is not a string of 1 to 19 digits" in reply.errors[0]


def test_integers_are_accepted_as_ids(twin: Any, body: Any) -> None:
    """The same post is returned once; a post that never existed is listed as text."""
    post = twin.visible()[-1]
    request_body = body([post.number, post.post_id, 10**19 - 1])
    document = twin.post("totals", request_body).document
    assert set(document["g"]) == {post.post_id}
    assert document["unavailable_tweet_ids"] == ["9999999999999999999"]


@pytest.mark.parametrize("field", ["tweet_ids", "engagement_types", "groupings"])
@pytest.mark.parametrize("null", [True, False])
def test_every_field_is_required(twin: Any, body: Any, field: str, null: bool) -> None:  # noqa: FBT001
    """A field that is null counts as missing."""
    request_body = body(twin.visible()[:1])
    if null:
        request_body[field] = None
    else:
        del request_body[field]
    reply = twin.post("totals", request_body)
    assert (reply.status, reply.errors) == (400, [f"{field}: field is required"])


@pytest.mark.parametrize(
    ("endpoint", "field"),
    [("totals", "start"), ("28hr", "end"), ("historical", "tweets"), ("totals", "foo")],
)
def test_other_fields_are_refused(twin: Any, body: Any, endpoint: str, field: str) -> None:
    """Only /historical accepts a window."""
    reply = twin.post(endpoint, body(twin.visible()[:1], **{field: "2026-03-01"}))
    assert reply.status == 400
    assert f"{field}: field is not supported by /{endpoint}" in reply.errors


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"tweet_ids": "1"}, "tweet_ids: must be an array of strings"),
        ({"engagement_types": "favorites"}, "engagement_types: must be an array of strings"),
        ({"engagement_types": [1]}, "engagement_types: must be an array of strings"),
        ({"engagement_types": []}, "engagement_types: size [0] is not between 1 and 7"),
        ({"groupings": []}, "groupings: must be an object"),
        ({"groupings": {}}, "groupings: size [0] is not between 1 and 3"),
        ({"groupings": {"g": {}}}, "groupings.g.group_by: field is required"),
        ({"groupings": {"g": ["tweet.id"]}}, "groupings.g.group_by: field is required"),
        (
            {"groupings": {"g": {"group_by": "engagement.type"}}},
            "groupings.g.group_by: must be an array of strings",
        ),
        (
            {"groupings": {"g": {"group_by": []}}},
            "groupings.g.group_by: size [0] is not between 1 and 4",
        ),
        (
            {"groupings": {"g": {"group_by": ["engagement.type"], "order": 1}}},
            "groupings.g.order: field is not supported",
        ),
    ],
)
def test_a_malformed_field_is_reported_alone(twin: Any, body: Any, change: Any, text: str) -> None:
    """Only the malformed field is in the errors."""
    reply = twin.post("totals", body(twin.visible()[:1]) | change)
    assert (reply.status, reply.errors) == (400, [text])


@pytest.mark.parametrize(
    "content",
    [b"", b"  ", b"{", b"[]", b'"x"', b"null", b"\xff", b"NaN", b"[" * 100_000, b'{"a": Infinity}'],
)
def test_a_body_that_is_not_a_json_object_is_refused(twin: Any, content: bytes) -> None:
    """The body is empty, cut off, another type, not UTF-8, not JSON, or nested too deeply."""
    reply = twin.post("totals", content)
    assert reply.status == 400
    assert reply.errors[0].startswith("request body is")


@pytest.mark.parametrize(
    ("endpoint", "names"),
    [
        ("totals", ["url_clicks"]),
        ("totals", ["media_views", "user_follows"]),
        ("28hr", ["quote_tweets"]),
        ("historical", ["quote_tweets"]),
        ("historical", ["media_clicks"]),
        ("totals", ["Favorites"]),
    ],
)
def test_types_that_an_endpoint_does_not_count_are_refused(
    twin: Any, body: Any, endpoint: str, names: list[str]
) -> None:
    """The error lists all types that this endpoint does not count."""
    reply = twin.post(endpoint, body(twin.visible()[:1], ["favorites", *names]))
    assert reply.status == 400
    assert f"({', '.join(names)})" in reply.errors[0]


@pytest.mark.parametrize("by", [["engagement.hour"], ["engagement.type", "engagement.hour"]])
def test_hours_on_totals_get_the_captured_message(
    twin: Any, body: Any, sample: Any, by: Any
) -> None:
    """The text was seen in a captured response."""
    reply = twin.post("totals", body(twin.visible()[:1], by=by))
    assert reply.status == 400
    assert reply.document == sample("error_groupby_not_supported_totals")


@pytest.mark.parametrize("endpoint", ["28hr", "historical"])
def test_a_grouping_needs_the_engagement_type(twin: Any, body: Any, endpoint: str) -> None:
    """A grouping without engagement.type is refused."""
    reply = twin.post(endpoint, body(twin.visible()[:1], by=["tweet.id", "engagement.day"]))
    assert reply.errors == ["groupings.g.group_by: engagement.type is required"]


def test_four_dimensions_have_two_orders(twin: Any, body: Any) -> None:
    """The post or the type comes first, then the day, then the hour."""
    posts = twin.visible()[-1:]
    for order in (FOUR, [FOUR[1], FOUR[0], *FOUR[2:]]):
        assert twin.post("28hr", body(posts, by=order)).status == 200
    for order in (FOUR[::-1], [*FOUR[:2], FOUR[3], FOUR[2]], [*FOUR[2:], *FOUR[:2]]):
        reply = twin.post("28hr", body(posts, by=order))
        assert reply.status == 400
        assert "must be in the order" in reply.errors[0]


def test_one_grouping_may_have_four_dimensions(twin: Any, body: Any) -> None:
    """Two smaller groupings may stand next to it; a second one of four dimensions is refused."""
    posts = twin.visible()[-1:]
    by = {"a": FOUR, "b": FOUR[:3], "c": FOUR[1:2]}
    assert twin.post("28hr", body(posts, by=by)).status == 200
    reply = twin.post("28hr", body(posts, by=by | {"b": FOUR}))
    assert (reply.status, reply.errors) == (400, ["groupings: only 1 may have 4 groupBys: (a, b)"])


def test_a_request_has_at_most_three_groupings(twin: Any, body: Any) -> None:
    """Three groupings are accepted, four are refused."""
    posts = twin.visible()[-1:]
    by = {name: ["engagement.type"] for name in "abcd"}
    assert twin.post("totals", body(posts, by=by)).errors == [
        "groupings: size [4] is not between 1 and 3"
    ]
    del by["d"]
    assert set(twin.post("totals", body(posts, by=by)).document) == {"a", "b", "c"}


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "start",
        "end",
        "errors",
        "unavailable_tweet_ids",
        "unsupported_for_impressions_engagements_tweet_ids",
        "unsupported_for_video_views_tweet_ids",
    ],
)
def test_reserved_and_empty_grouping_names_are_refused(twin: Any, body: Any, name: str) -> None:
    """A grouping has a name, and it differs from the other keys of the response."""
    reply = twin.post("28hr", body(twin.visible()[:1], by={name: ["engagement.type"]}))
    assert reply.status == 400


def test_a_repeated_dimension_is_refused(twin: Any, body: Any) -> None:
    """The error names the grouping with the repeated dimension."""
    reply = twin.post("28hr", body(twin.visible()[:1], by=["engagement.type"] * 2))
    assert reply.errors == ["groupings.g.group_by: the same groupBy is given twice"]


def test_all_errors_are_reported_at_once(twin: Any) -> None:
    """One response lists every error."""
    reply = twin.post("totals", {"tweet_ids": [], "groupings": {}, "more": 1})
    assert sorted(reply.errors) == [
        "engagement_types: field is required",
        "groupings: size [0] is not between 1 and 3",
        "more: field is not supported by /totals",
        "tweet_ids: size [0] is not between 1 and 250",
    ]


def test_repeated_posts_and_types_are_counted_once(twin: Any, body: Any) -> None:
    """The counts of a repeated post or type are not doubled."""
    posts = twin.visible()[-2:]
    by = ["engagement.type"]
    once = twin.post("totals", body(posts, by=by)).document["g"]
    twice = twin.post("totals", body([*posts, *posts], ["favorites"] * 2, by)).document["g"]
    assert int(once["favorites"]) == int(twice["favorites"])


DOCUMENTED = {
    "28hr_17_types_request": "28hr",
    "28hr_4level_request": "28hr",
    "totals_owned_request": "totals",
    "totals_public_request": "totals",
    "historical_request": "historical",
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documented_requests_are_accepted(twin: Any, sample: Any, name: str) -> None:
    """For existing posts the response has every requested grouping and type."""
    request_body = sample(name)
    posts = twin.visible()[-len(request_body["tweet_ids"]) :]
    request_body["tweet_ids"] = [post.post_id for post in posts]
    handle = None if "public" in name else "sandbox_bakery"
    reply = twin.post(DOCUMENTED[name], request_body, handle)
    assert reply.status == 200
    (grouping,) = request_body["groupings"]
    assert set(reply.document[grouping]) == set(request_body["tweet_ids"])
    for counts in reply.document[grouping].values():
        assert set(counts) == set(request_body["engagement_types"])


def test_a_documented_request_of_2019_uses_a_former_type_name(twin: Any, sample: Any) -> None:
    """media_clicks is refused; with its successor, all three groupings are returned."""
    request_body = sample("historical_3_groupings_request")
    request_body["tweet_ids"] = [twin.visible()[-1].post_id]
    assert "(media_clicks)" in twin.post("historical", request_body).errors[0]
    renamed = copy.deepcopy(request_body)
    renamed["engagement_types"] = [
        "media_engagements" if name == "media_clicks" else name
        for name in request_body["engagement_types"]
    ]
    reply = twin.post("historical", renamed)
    assert reply.status == 200
    assert set(reply.document) == {"start", "end", "aggregations", "totals", "hourly_totals"}


def test_validation_comes_before_ownership(twin: Any, body: Any) -> None:
    """A malformed request about another account's post gets a 400, not a 403."""
    post = twin.visible("sandbox_railway")[-1]
    assert twin.post("totals", body([post], ["url_clicks"])).status == 400
    assert twin.post("totals", body([post])).status == 403


def test_the_documented_sample_posts_are_unavailable(twin: Any, sample: Any) -> None:
    """The documented IDs belong to no sandbox account."""
    reply = twin.post("28hr", sample("28hr_4level_request"))
    assert reply.status == 400
    assert reply.document == {
        "errors": ["1 Tweet ID(s) are unavailable"],
        "unavailable_tweet_ids": ["123456789"],
    }
