"""All legal groupings, and the refused ones."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from engagement_pandas import BY_DAY, BY_HOUR, BY_POST, Grouping, UnsupportedGrouping
from engagement_pandas.request.grouping import named_groupings
from engagement_pandas.vocabulary.answer_keys import RESERVED_KEYS
from engagement_pandas.vocabulary.endpoints import Endpoint

POST, TYPE, DAY, HOUR = "tweet.id", "engagement.type", "engagement.day", "engagement.hour"

ORDERS = [order for n in range(1, 5) for order in permutations([POST, TYPE, DAY, HOUR], n)]
LEGAL = [
    order
    for order in ORDERS
    if TYPE in order
    and (len(order) < 4 or order in [(POST, TYPE, DAY, HOUR), (TYPE, POST, DAY, HOUR)])
]
ILLEGAL = [order for order in ORDERS if order not in LEGAL]


def test_27_orders_are_legal() -> None:
    """They are 1 of one, 6 of two, 18 of three and 2 of four dimensions."""
    assert [sum(len(order) == n for order in LEGAL) for n in (1, 2, 3, 4)] == [1, 6, 18, 2]


@pytest.mark.parametrize("order", LEGAL, ids=" > ".join)
def test_legal_orders_are_accepted(order: tuple[str, ...]) -> None:
    """The order of the dimensions is kept."""
    assert Grouping(order).dimensions == order


@pytest.mark.parametrize("order", ILLEGAL, ids=" > ".join)
def test_other_orders_are_refused(order: tuple[str, ...]) -> None:
    """Every other order is refused."""
    with pytest.raises(UnsupportedGrouping):
        Grouping(order)


@pytest.mark.parametrize(
    ("dimensions", "words"),
    [
        ([], "1 to 4 dimensions, not 0"),
        ([POST, DAY], "lacks 'engagement.type'"),
        ([POST, POST, TYPE], "repeats a dimension"),
        (
            [POST, TYPE, HOUR, DAY],
            "only in the order ['tweet.id', 'engagement.type', 'engagement.day'",
        ),
        (["post_id", TYPE], "no dimension ['post_id']; choose from ['tweet.id', 'engagement.type'"),
        (TYPE, "pass a list"),
        (None, "pass a list"),
        ([["x"], TYPE], "no dimension"),
    ],
)
def test_refused_dimensions(dimensions: Any, words: str) -> None:
    """The error names the mistake and the alternatives."""
    with pytest.raises(UnsupportedGrouping) as caught:
        Grouping(dimensions)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["", " ", "\t", None, 3])
def test_a_grouping_needs_a_name(name: Any) -> None:
    """The name is its key in the response."""
    with pytest.raises(UnsupportedGrouping, match="not the name of a grouping"):
        Grouping([TYPE], name)


def test_a_name_must_be_encodable() -> None:
    """Half of a surrogate pair is refused."""
    with pytest.raises(UnsupportedGrouping, match="cannot be sent as UTF-8"):
        Grouping([TYPE], "a\ud800")


@pytest.mark.parametrize("name", sorted(RESERVED_KEYS))
def test_reserved_names_are_refused(name: str) -> None:
    """A grouping cannot have the name of another top-level key of the response."""
    with pytest.raises(UnsupportedGrouping, match="reserves the name"):
        Grouping([TYPE], name)


def test_columns_have_one_order() -> None:
    """The order of the nesting does not matter."""
    assert Grouping([HOUR, TYPE, POST]).columns == ("post_id", "engagement_type", "hour")


def test_constants() -> None:
    """They group by post and type, by day, and by hour."""
    assert BY_POST.dimensions == (POST, TYPE)
    assert BY_DAY.dimensions == (POST, TYPE, DAY)
    assert BY_HOUR.dimensions == (POST, TYPE, DAY, HOUR)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (BY_POST, [("by_post", (POST, TYPE))]),
        ([TYPE, POST], [("counts", (TYPE, POST))]),
        (iter([TYPE]), [("counts", (TYPE,))]),
        ([BY_POST], [("by_post", (POST, TYPE))]),
        ({"a": [TYPE], "b": BY_POST}, [("a", (TYPE,)), ("b", (POST, TYPE))]),
        ("post", [("by_post", (POST, TYPE))]),
        ("type", [("by_type", (TYPE,))]),
        ({"a": "type", "b": "post"}, [("a", (TYPE,)), ("b", (POST, TYPE))]),
    ],
)
def test_forms_of_groupings(by: Any, expected: list[tuple[str, tuple[str, ...]]]) -> None:
    """A grouping, a sequence, a name, and a mapping from names to them are accepted."""
    named = named_groupings(by, Endpoint.TOTALS)
    assert [(g.name, g.dimensions) for g in named] == expected


@pytest.mark.parametrize(
    ("by", "endpoint", "words"),
    [
        ({}, "historical", "1 to 3 groupings, not 0"),
        ({name: [TYPE] for name in "abcd"}, "historical", "1 to 3 groupings, not 4"),
        ({"a": BY_HOUR, "b": BY_HOUR}, "historical", "not ['a', 'b']"),
        ((BY_POST, BY_POST), "historical", "same name"),
        (BY_DAY, "totals", "does not group by ['engagement.day']; use historical()"),
        ([TYPE, HOUR], "totals", "does not group by ['engagement.hour']"),
        ({"errors": [TYPE]}, "totals", "reserves the name 'errors'"),
        ({"": [TYPE]}, "totals", "not the name of a grouping"),
        (TYPE, "totals", "pass a list"),
        ({"a": TYPE}, "totals", "pass a list"),
        (7, "totals", "pass a list"),
        ("week", "historical", "choose from ['type', 'post', 'day', 'hour']"),
        ("day", "totals", "does not group by ['engagement.day']; use historical()"),
    ],
)
def test_invalid_groupings_are_refused(by: Any, endpoint: str, words: str) -> None:
    """There are too many, two of four dimensions, an invalid name, or days on /totals."""
    with pytest.raises(UnsupportedGrouping) as caught:
        named_groupings(by, Endpoint(endpoint))
    assert words in str(caught.value)


def test_one_grouping_may_have_four_dimensions() -> None:
    """The documented request has three groupings, one of them with four dimensions."""
    by = {
        "aggregations": [TYPE, DAY, HOUR],
        "totals": [POST, TYPE],
        "hourly": [TYPE, POST, DAY, HOUR],
    }
    assert len(named_groupings(by, Endpoint.HISTORICAL)) == 3
