"""What the service refuses, and in which words."""

from __future__ import annotations

import copy
from typing import Any

import pytest

TIMES = {"start": "2026-03-01", "end": "2026-03-02"}
FOUR = ["tweet.id", "engagement.type", "engagement.day", "engagement.hour"]


def test_the_limits_of_post_ids(twin: Any, body: Any) -> None:
    """250, 25 and 25 are accepted, one more is refused, and so is none."""
    ids = [str(n) for n in range(1, 252)]
    for endpoint, most in (("totals", 250), ("28hr", 25), ("historical", 25)):
        # Made-up posts: all are unavailable, which is found after the rules.
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


def test_integers_are_ids_too(twin: Any, body: Any) -> None:
    """Answered as the same post, once; one that never existed is told as text."""
    post = twin.visible()[-1]
    asked = body([post.number, post.post_id, 10**19 - 1])
    document = twin.post("totals", asked).document
    assert set(document["g"]) == {post.post_id}
    assert document["unavailable_tweet_ids"] == ["9999999999999999999"]


@pytest.mark.parametrize("field", ["tweet_ids", "engagement_types", "groupings"])
@pytest.mark.parametrize("null", [True, False])
def test_every_field_is_required(twin: Any, body: Any, field: str, null: bool) -> None:  # noqa: FBT001
    """Null is as good as missing."""
    asked = body(twin.visible()[:1])
    if null:
        asked[field] = None
    else:
        del asked[field]
    reply = twin.post("totals", asked)
    assert (reply.status, reply.errors) == (400, [f"{field}: field is required"])


@pytest.mark.parametrize(
    ("endpoint", "field"),
    [("totals", "start"), ("28hr", "end"), ("historical", "tweets"), ("totals", "foo")],
)
def test_no_other_field_is_known(twin: Any, body: Any, endpoint: str, field: str) -> None:
    """Windows belong to /historical alone."""
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
def test_malformed_fields_are_named(twin: Any, body: Any, change: Any, text: str) -> None:
    """The one thing that is wrong is the one thing complained about."""
    reply = twin.post("totals", body(twin.visible()[:1]) | change)
    assert (reply.status, reply.errors) == (400, [text])


@pytest.mark.parametrize(
    "content",
    [b"", b"  ", b"{", b"[]", b'"x"', b"null", b"\xff", b"NaN", b"[" * 100_000, b'{"a": Infinity}'],
)
def test_a_body_that_is_no_object_is_refused(twin: Any, content: bytes) -> None:
    """Empty, cut off, another type, not UTF-8, not JSON, nested without end."""
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
def test_types_are_counted_by_some_endpoints_only(
    twin: Any, body: Any, endpoint: str, names: list[str]
) -> None:
    """All that are not counted there are named."""
    reply = twin.post(endpoint, body(twin.visible()[:1], ["favorites", *names]))
    assert reply.status == 400
    assert f"({', '.join(names)})" in reply.errors[0]


@pytest.mark.parametrize("by", [["engagement.hour"], ["engagement.type", "engagement.hour"]])
def test_no_hours_on_totals_in_the_known_words(twin: Any, body: Any, sample: Any, by: Any) -> None:
    """The text was seen in a captured answer."""
    reply = twin.post("totals", body(twin.visible()[:1], by=by))
    assert reply.status == 400
    assert reply.document == sample("error_groupby_not_supported_totals")


@pytest.mark.parametrize("endpoint", ["28hr", "historical"])
def test_the_type_is_required(twin: Any, body: Any, endpoint: str) -> None:
    """A grouping without it has no meaning."""
    reply = twin.post(endpoint, body(twin.visible()[:1], by=["tweet.id", "engagement.day"]))
    assert reply.errors == ["groupings.g.group_by: engagement.type is required"]


def test_four_dimensions_have_two_orders(twin: Any, body: Any) -> None:
    """Post or type first; then day, then hour."""
    posts = twin.visible()[-1:]
    for order in (FOUR, [FOUR[1], FOUR[0], *FOUR[2:]]):
        assert twin.post("28hr", body(posts, by=order)).status == 200
    for order in (FOUR[::-1], [*FOUR[:2], FOUR[3], FOUR[2]], [*FOUR[2:], *FOUR[:2]]):
        reply = twin.post("28hr", body(posts, by=order))
        assert reply.status == 400
        assert "must be in the order" in reply.errors[0]


def test_one_grouping_may_have_four_dimensions(twin: Any, body: Any) -> None:
    """Beside two smaller ones; a second one is refused."""
    posts = twin.visible()[-1:]
    by = {"a": FOUR, "b": FOUR[:3], "c": FOUR[1:2]}
    assert twin.post("28hr", body(posts, by=by)).status == 200
    reply = twin.post("28hr", body(posts, by=by | {"b": FOUR}))
    assert (reply.status, reply.errors) == (400, ["groupings: only 1 may have 4 groupBys: (a, b)"])


def test_three_groupings_at_most(twin: Any, body: Any) -> None:
    """Three are accepted, four refused."""
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
def test_some_names_are_taken(twin: Any, body: Any, name: str) -> None:
    """A grouping cannot be named like another key of the answer, nor not at all."""
    reply = twin.post("28hr", body(twin.visible()[:1], by={name: ["engagement.type"]}))
    assert reply.status == 400


def test_a_dimension_is_given_once(twin: Any, body: Any) -> None:
    """Twice the same is refused."""
    reply = twin.post("28hr", body(twin.visible()[:1], by=["engagement.type"] * 2))
    assert reply.errors == ["groupings.g.group_by: the same groupBy is given twice"]


def test_everything_wrong_is_told_at_once(twin: Any) -> None:
    """One answer, every complaint."""
    reply = twin.post("totals", {"tweet_ids": [], "groupings": {}, "more": 1})
    assert sorted(reply.errors) == [
        "engagement_types: field is required",
        "groupings: size [0] is not between 1 and 3",
        "more: field is not supported by /totals",
        "tweet_ids: size [0] is not between 1 and 250",
    ]


def test_duplicates_count_once(twin: Any, body: Any) -> None:
    """A post and a type given twice are answered once, and not doubled."""
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
def test_documented_requests_are_in_order(twin: Any, sample: Any, name: str) -> None:
    """With posts that exist they are answered, with every grouping and type asked for."""
    asked = sample(name)
    posts = twin.visible()[-len(asked["tweet_ids"]) :]
    asked["tweet_ids"] = [post.post_id for post in posts]
    handle = None if "public" in name else "sandbox_bakery"
    reply = twin.post(DOCUMENTED[name], asked, handle)
    assert reply.status == 200
    (grouping,) = asked["groupings"]
    assert set(reply.document[grouping]) == set(asked["tweet_ids"])
    for counts in reply.document[grouping].values():
        assert set(counts) == set(asked["engagement_types"])


def test_a_documented_request_of_2019_uses_a_name_given_up(twin: Any, sample: Any) -> None:
    """With media_clicks it is refused; with its successor all three groupings come."""
    asked = sample("historical_3_groupings_request")
    asked["tweet_ids"] = [twin.visible()[-1].post_id]
    assert "(media_clicks)" in twin.post("historical", asked).errors[0]
    renamed = copy.deepcopy(asked)
    renamed["engagement_types"] = [
        "media_engagements" if name == "media_clicks" else name
        for name in asked["engagement_types"]
    ]
    reply = twin.post("historical", renamed)
    assert reply.status == 200
    assert set(reply.document) == {"start", "end", "aggregations", "totals", "hourly_totals"}


def test_rules_come_before_ownership(twin: Any, body: Any) -> None:
    """A malformed request about another's post is malformed first."""
    post = twin.visible("sandbox_railway")[-1]
    assert twin.post("totals", body([post], ["url_clicks"])).status == 400
    assert twin.post("totals", body([post])).status == 403


def test_a_sample_of_made_up_posts_is_unavailable(twin: Any, sample: Any) -> None:
    """The documented IDs are nobody's here."""
    reply = twin.post("28hr", sample("28hr_4level_request"))
    assert reply.status == 400
    assert reply.document == {
        "errors": ["1 Tweet ID(s) are unavailable"],
        "unavailable_tweet_ids": ["123456789"],
    }
