"""A changed response is valid exactly if it can be flattened."""

from __future__ import annotations

from typing import Any

import pytest
from fuzz.mutations import KEYS, WINDOWS, bodies, nested, to_json
from fuzz.oracle import DAY, FOUR, HOUR, LEGAL, POST, TYPE
from fuzz.test_answers import DAYS, ECHOES, POSTS, TYPES, WINDOW
from fuzz.test_flatten_json import quickly, thoroughly
from hypothesis import example, given, settings
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.errors import EngagementError
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.response.validation import all_invalid, invalid
from engagement_pandas.vocabulary.endpoints import Endpoint

PARTLY = ep.Window.covering("2015-09-14T20:00:00Z", "2015-09-15T08:00:00Z")
TOTALS = [order for order in LEGAL if not {DAY, HOUR} & set(order)]


def requests(order: tuple[str, ...], posts: list[str], types: list[str]) -> Any:
    """Draw a request of any endpoint that allows this grouping, perhaps with a second one."""
    by = {"g": order}
    series = [
        EngagementRequest(Endpoint.HISTORICAL, posts, types, groups, window)  # type: ignore[arg-type]
        for window in (WINDOW, PARTLY)
        for groups in (by, {**by, "h": [TYPE]})
    ]
    without_window = [EngagementRequest(Endpoint.LAST_28_HOURS, posts, types, by)]  # type: ignore[arg-type]
    if order in TOTALS:
        without_window.append(EngagementRequest(Endpoint.TOTALS, posts, types, by))  # type: ignore[arg-type]
    return st.sampled_from(series + without_window)


def some(names: list[str]) -> Any:
    """Draw some of the names, so that responses have posts and types that were not requested."""
    return st.just(names) | st.lists(st.sampled_from(names), min_size=1, unique=True)


def cases(*strategies: Any) -> Any:
    """Draw a request, and a body that is or nearly is a response to it."""
    return st.one_of(*strategies).flatmap(
        lambda case: st.tuples(
            st.tuples(some(POSTS), some(TYPES)).flatmap(lambda of: requests(case[0], *of)),
            st.just(case[1]),
        )
    )


CASES = cases(
    bodies(known=DAYS, windows=[*ECHOES, *WINDOWS]),
    bodies(tuple(sorted(FOUR)), known=DAYS, windows=ECHOES),
    bodies(tuple(TOTALS), known=KEYS),
)


def assert_agreement(case: tuple[EngagementRequest, bytes]) -> None:
    """Assert that a valid response can be flattened by each grouping, and no other can."""
    request, body = case
    response = ep.EngagementResponse(request, body)
    refused = []
    for grouping in request.groupings:
        try:
            ep.flatten(response, grouping.name)
        except EngagementError as error:
            refused.append(str(error))
    assert (invalid(response) is None) == (refused == []), (invalid(response), refused)


HUGE = str(2**63 - 1)
SUMS = ep.historical(["1"], engagement_types=["replies"], window=WINDOW, by={"g": [TYPE, HOUR]})


@pytest.mark.long
@quickly
@given(CASES)
@example(
    (
        SUMS,
        b'{"g": {"replies": {"2015-09-14": {"07": %b}, "2015-09-15": {"07": 0}}}}' % HUGE.encode(),
    )
)
@example(
    (
        SUMS,
        b'{"g": {"replies": {"2015-09-14": {"07": %b}, "2015-09-15": {"07": 1}}}}' % HUGE.encode(),
    )
)
def test_exactly_valid_responses_can_be_flattened(case: tuple[EngagementRequest, bytes]) -> None:
    """The law holds for each endpoint and grouping."""
    assert_agreement(case)


@pytest.mark.long
@thoroughly
@given(CASES)
def test_exactly_valid_responses_of_thousands_can_be_flattened(
    case: tuple[EngagementRequest, bytes],
) -> None:
    """The law is that above."""
    assert_agreement(case)


@st.composite
def alike(draw: st.DrawFn) -> list[ep.EngagementResponse]:
    """Draw responses to requests that differ only in their posts; most are nearly valid."""
    order = draw(st.sampled_from([order for order in LEGAL if order[0] == POST]))
    request = draw(requests(order, POSTS, draw(some(TYPES))))
    responses = []
    for key, post in zip(KEYS[POST], POSTS, strict=True):
        changed = draw(st.booleans())
        known = {**(KEYS if order in TOTALS else DAYS), POST: [key]}
        complete = nested(order, known, lambda: '"5"')
        body = draw(bodies((order,), known=known, windows=ECHOES)) if changed else None
        content = body[1] if body else b'{"g": %b}' % to_json(complete, "").encode()
        responses.append(ep.EngagementResponse(request.replace(post_ids=[post]), content))
    return responses


@pytest.mark.long
@settings(quickly, max_examples=1_000)
@given(alike())
def test_responses_that_are_validated_together_have_the_same_reasons(
    responses: list[ep.EngagementResponse],
) -> None:
    """Those are the reasons of each on its own."""
    reasons = {response.request: invalid(response) for response in responses}
    assert all_invalid(responses) == {
        request: why for request, why in reasons.items() if why is not None
    }


def test_valid_and_invalid_responses_are_known() -> None:
    """The invalid one has its levels swapped."""
    request = ep.totals(["1", "20"], engagement_types=["favorites"], by={"g": [POST, TYPE]})
    valid = ep.EngagementResponse(request, {"g": {"1": {"favorites": 5}, "20": {"favorites": "7"}}})
    invalid_response = ep.EngagementResponse(request, {"g": {"favorites": {"1": 5, "20": "7"}}})
    assert invalid(valid) is None
    assert "'favorites' is not a post ID" in str(invalid(invalid_response))
