"""Requests: what each endpoint accepts, and the JSON that is sent."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.vocabulary.endpoints import Endpoint
from engagement_pandas.vocabulary.engagement_types import SERIES_TYPES, TOTALS_TYPES

MARCH = ep.Window.covering("2026-03-01", "2026-03-29")


@pytest.mark.parametrize("engagement_type", list(ep.EngagementType))
def test_types_by_endpoint(engagement_type: ep.EngagementType) -> None:
    """Each of the 18 types is requested where it is counted, and refused elsewhere."""
    requests: dict[bool, Callable[[], Any]] = {
        engagement_type in TOTALS_TYPES: lambda: ep.totals(
            ["1"], engagement_types=[engagement_type]
        ),
        engagement_type in SERIES_TYPES: lambda: ep.last_28_hours(
            ["1"], engagement_types=[str(engagement_type)]
        ),
    }
    for allowed, request in requests.items():
        if allowed:
            assert request().engagement_types == (engagement_type,)
        else:
            with pytest.raises(ep.UnsupportedEngagementType):
                request()


@pytest.mark.parametrize(
    ("types", "words"),
    [
        (["url_clicks", "favorites"], "/totals does not count ['url_clicks']; use historical()"),
        (["favourits"], "did you mean 'favorites'?"),
        (["bookmarks"], "the API has no engagement type 'bookmarks'"),
        (["zzz"], "choose from ['impressions'"),
        ([], "is empty"),
        ("favorites", "pass a list"),
        (None, "pass a list"),
        ({"favorites": 1}, "pass a list"),
        ([None], "no engagement type None"),
        ([["favorites"]], "no engagement type ['favorites']"),
    ],
)
def test_invalid_types_are_refused(types: Any, words: str) -> None:
    """The error names the type and the cure."""
    with pytest.raises(ep.UnsupportedEngagementType) as caught:
        ep.totals(["1"], engagement_types=types)
    assert words in str(caught.value)


def test_quote_tweets_are_not_in_the_time_series() -> None:
    """Only /totals counts this type."""
    with pytest.raises(ep.UnsupportedEngagementType, match=r"use totals\(\)"):
        ep.historical(["1"], engagement_types=["quote_tweets"], window=MARCH)


def test_types_are_unique() -> None:
    """A repeated type is requested once, as in the documented request with duplicates."""
    request = ep.totals(["1"], engagement_types=["replies", "favorites", "replies"])
    assert request.engagement_types == ("replies", "favorites")


def test_only_historical_has_a_window() -> None:
    """The other two endpoints have none; historical() needs one."""
    with pytest.raises(ep.InvalidWindow, match="needs a Window"):
        ep.historical(["1"], engagement_types=["favorites"], window=("2026-03-01", "2026-03-02"))  # type: ignore[arg-type]
    with pytest.raises(ep.InvalidWindow, match="has no window"):
        ep.totals(["1"], engagement_types=["favorites"]).replace(window=MARCH)
    with pytest.raises(TypeError):
        ep.last_28_hours(["1"], engagement_types=["favorites"], window=MARCH)  # type: ignore[call-arg]


def test_unknown_endpoints_are_refused() -> None:
    """The error lists the three endpoints."""
    with pytest.raises(ep.RequestError, match=r"\['totals', '28hr', 'historical'\]"):
        ep.EngagementRequest("hourly", ("1",), ("favorites",), ep.BY_POST)  # type: ignore[arg-type]


def test_old_windows_give_a_warning() -> None:
    """Newer documentation has a limit of 365 days; older windows are requested with a warning."""
    old = ep.Window.covering("2015-08-01", "2015-08-15")
    with pytest.warns(UserWarning, match="more than 365 days ago"):
        ep.historical(["1"], engagement_types=["impressions"], window=old)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ep.historical(["1"], engagement_types=["impressions"], window=ep.Window.last(364))


def test_the_documented_historical_request(sample: Callable[[str], Any]) -> None:
    """The JSON is the documented one, except that dates have times."""
    documented = sample("historical_request")
    request = ep.historical(
        documented["tweet_ids"],
        engagement_types=documented["engagement_types"],
        window=ep.Window.covering(documented["start"], documented["end"]),
        by={name: g["group_by"] for name, g in documented["groupings"].items()},
    )
    assert request.to_json() == {
        **documented,
        "start": "2015-08-01T00:00:00Z",
        "end": "2015-08-15T00:00:00Z",
    }


@pytest.mark.parametrize("name", ["totals_owned_request", "totals_public_request"])
def test_the_documented_totals_requests(sample: Callable[[str], Any], name: str) -> None:
    """The JSON is the documented one."""
    documented = sample(name)
    request = ep.totals(
        documented["tweet_ids"],
        engagement_types=documented["engagement_types"],
        by={name: g["group_by"] for name, g in documented["groupings"].items()},
    )
    assert request.to_json() == documented


@pytest.mark.parametrize("name", ["28hr_4level_request", "28hr_17_types_request"])
def test_the_documented_28hr_requests(sample: Callable[[str], Any], name: str) -> None:
    """The JSON is the documented one, with a true ID for its placeholder."""
    documented = {**sample(name), "tweet_ids": ["123456789"]}
    request = ep.last_28_hours(
        documented["tweet_ids"],
        engagement_types=documented["engagement_types"],
        by={name: g["group_by"] for name, g in documented["groupings"].items()},
    )
    assert request.to_json() == documented


def test_the_documented_request_of_three_groupings(sample: Callable[[str], Any]) -> None:
    """The former name of a type is accepted, and replaced by the new one."""
    documented = sample("historical_3_groupings_request")
    window = ep.Window.covering(documented["start"], documented["end"])
    by = {name: g["group_by"] for name, g in documented["groupings"].items()}
    types = documented["engagement_types"]
    with pytest.warns(UserWarning, match="365"):
        request = ep.historical(["1"], engagement_types=types, window=window, by=by)
    assert request.to_json()["groupings"] == documented["groupings"]
    assert "media_clicks" in types
    new = ["media_engagements" if name == "media_clicks" else name for name in types]
    assert list(request.engagement_types) == list(dict.fromkeys(new))
    assert len(request.engagement_types) == 16


def test_ids_are_sent_as_strings() -> None:
    """JavaScript and pandas would round numbers."""
    request = ep.totals([1060976163948904448], engagement_types=["favorites"])
    assert request.to_json()["tweet_ids"] == ["1060976163948904448"]


def test_choosing_a_grouping() -> None:
    """The only one or the named one is returned; otherwise the error lists them."""
    single = ep.totals(["1"], engagement_types=["favorites"])
    several = single.replace(groupings={"a": ["engagement.type"], "b": ep.BY_POST})
    assert single.grouping() == ep.BY_POST
    assert several.grouping("b").dimensions == ep.BY_POST.dimensions
    with pytest.raises(ep.AmbiguousGrouping, match=r"\['a', 'b'\]; choose one"):
        several.grouping()
    with pytest.raises(ep.AmbiguousGrouping, match="'c' is not one of them"):
        several.grouping("c")


@pytest.mark.parametrize(
    ("endpoint", "types", "why"),
    [
        (Endpoint.TOTALS, ["favorites", "video_views"], None),
        (
            Endpoint.TOTALS,
            ["favorites", "impressions"],
            "only the owner of the posts may read",
        ),
        (Endpoint.LAST_28_HOURS, ["favorites"], "28hr returns counts only to the owner"),
    ],
)
def test_types_of_the_owner_only(endpoint: Endpoint, types: list[str], why: str | None) -> None:
    """Impressions, engagements and both time series need the owner's tokens."""
    message = ep.EngagementRequest(endpoint, ("1",), types, ep.BY_POST).owner_only  # type: ignore[arg-type]
    assert message is None if why is None else why in str(message)


def test_requests_are_values() -> None:
    """They are frozen, comparable, hashable and can be pickled."""
    request = ep.historical(["1"], engagement_types=["favorites"], window=MARCH)
    assert pickle.loads(pickle.dumps(request)) == request  # noqa: S301
    assert len({request, request.replace()}) == 1
    with pytest.raises(AttributeError):
        request.window = None  # type: ignore[misc]


def test_the_repr_is_a_sentence() -> None:
    """It has the endpoint, posts, types, groupings and window, and is short for 1,000 posts too."""
    request = ep.historical(
        range(1, 1001), engagement_types=ep.SERIES_TYPES, window=MARCH, by=ep.BY_DAY
    )
    assert repr(request) == (
        "EngagementRequest(historical of 1,000 posts | 17 engagement types "
        "| by_day: tweet.id > engagement.type > engagement.day "
        "| 2026-03-01 00:00 to 2026-03-29 00:00 UTC)"
    )


def test_replacing_the_endpoint_checks_the_types() -> None:
    """Types that the new endpoint does not count are refused."""
    request = ep.totals(["7"], engagement_types=["favorites", "quote_tweets"])
    with pytest.raises(ep.UnsupportedEngagementType, match=r"does not count \['quote_tweets'\]"):
        request.replace(endpoint="28hr")


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=3)
        | st.tuples(inner)
    ),
    max_leaves=6,
)
BODY = {
    "tweet_ids": ["7"],
    "engagement_types": ["replies"],
    "groupings": {"a": {"group_by": ["engagement.type"]}},
    "start": "2026-03-01T00:00:00Z",
    "end": "2026-03-02T00:00:00Z",
}


@pytest.mark.slow
@given(
    st.sampled_from(list(ep.Endpoint)) | JUNK,
    st.fixed_dictionaries({}, optional={k: st.just(v) | JUNK for k, v in BODY.items()})
    | st.builds(lambda junk: BODY | {"groupings": {"a": {"group_by": junk}}}, JUNK)
    | JUNK,
)
def test_arbitrary_bodies(endpoint: Any, body: Any) -> None:
    """A body that cannot have been sent is a RequestError; others can be read again."""
    try:
        request = ep.EngagementRequest.from_json(endpoint, body)
    except ep.RequestError:
        pass
    else:
        assert ep.EngagementRequest.from_json(endpoint, request.to_json()) == request


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"end": ...}, "the body has no 'end'"),
        ({"start": ...}, "the body has no 'start'"),
        ({"tweet_ids": ...}, "the body has no 'tweet_ids'"),
        ({"engagement_types": ...}, "the body has no 'engagement_types'"),
        ({"groupings": ...}, "the body has no 'groupings'"),
        ({"groupings": None}, "groupings is None"),
        ({"groupings": ["a"]}, r"groupings is \['a'\]"),
        ({"groupings": {"a": {"by": []}}}, r"grouping 'a' has no 'group_by'.*'by': \[\]"),
        ({"groupings": {"a": 5}}, "grouping 'a' has no 'group_by'.*: 5"),
        ({"start": None}, "start None"),
        ({"end": 5}, "end 5"),
    ],
)
def test_invalid_bodies_are_refused(wrong: dict[str, Any], words: str) -> None:
    """The error names the key and the value."""
    body = {key: value for key, value in (BODY | wrong).items() if value is not ...}
    with pytest.raises(ep.RequestError, match=words):
        ep.EngagementRequest.from_json("historical", body)


LINKS = ["https://x.com/bakery/status/1060976163948904448?s=20", "x.com/i/web/status/8"]


@pytest.mark.parametrize("endpoint", ["totals", "last_28_hours", "historical"])
def test_links_to_posts(endpoint: str) -> None:
    """Links are accepted in place of IDs, also in a frame."""
    arguments = {"window": MARCH} if endpoint == "historical" else {}
    for posts in (LINKS, pd.DataFrame({"post_id": LINKS})):
        request = getattr(ep, endpoint)(posts, engagement_types=["favorites"], **arguments)
        assert request.post_ids == ("1060976163948904448", "8")


@pytest.mark.parametrize(("word", "grouping"), [("day", ep.BY_DAY), ("hour", ep.BY_HOUR)])
def test_short_names_of_groupings(word: str, grouping: ep.Grouping) -> None:
    """They make the same request as the grouping itself."""
    requests = [
        ep.historical(["1"], engagement_types=["favorites"], window=MARCH, by=by)
        for by in (word, grouping)
    ]
    assert requests[0] == requests[1]


def test_a_number_of_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window has the last complete UTC days."""
    now = datetime(2026, 4, 15, 12, 20, tzinfo=UTC)
    monkeypatch.setattr("engagement_pandas.request.window._now", lambda: now)
    request = ep.historical(["1"], engagement_types=["favorites"], window="7d")
    assert request.window == ep.Window.covering("2026-04-08", "2026-04-15")
