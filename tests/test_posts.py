"""What is the ID of a post, what never was, and what no longer is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement_pandas import InvalidPostId, created_at
from engagement_pandas.posts import unique_ids

ID = "1060976163948904448"


@pytest.mark.parametrize(
    "posts",
    [
        [ID, "7"],
        (ID, 7),
        iter([ID, 7]),
        pd.Series([ID, "7"]),
        pd.Series([int(ID), 7]),
        pd.Series([int(ID), 7], dtype="Int64"),
        pd.Series([int(ID), 7], dtype="uint64[pyarrow]"),
        pd.Series([ID, "7"], dtype="category"),
        pd.Index([ID, "7"]),
        np.array([int(ID), 7]),
        pd.DataFrame({"text": ["a", "b"], "post_id": [ID, "7"]}),
        {ID: 0, "7": 1}.keys(),
    ],
    ids=lambda posts: type(posts).__name__,
)
def test_any_iterable_of_ids(posts: Any) -> None:
    """Strings and exact integers, in any container, come out as strings in order."""
    assert unique_ids(posts) == (ID, "7")


def test_duplicates_once() -> None:
    """An ID given as text and as a number is the same ID, asked once, in first place."""
    assert unique_ids(["9", ID, 9, int(ID), "9"]) == ("9", ID)


@given(st.integers(0, 10**19 - 1))
def test_integers_are_exact(number: int) -> None:
    """Every integer of up to 19 digits keeps every digit."""
    assert unique_ids([number]) == (str(number),)


@pytest.mark.parametrize(
    ("posts", "words"),
    [
        ([], "is empty"),
        (pd.DataFrame({"post_id": []}, dtype="str"), "is empty"),
        (ID, "give a list"),
        (b"123", "give a list"),
        (int(ID), "give a list"),
        (None, "give a list"),
        ({"post_id": [ID]}, "give a list"),
        (pd.DataFrame({"tweet_id": [ID]}), "no post_id column, only ['tweet_id']"),
        ([1.060976163948904448e18], "has been a float"),
        (["1.060976163948904e+18"], "has been a float"),
        (["1060976163948904448.0"], "has been a float"),
        (["nan"], "has been a float"),
        ([float("nan")], "has been a float"),
        ([np.float64(7)], "has been a float"),
        (pd.Series([1.0, 2.0]), "dtype={'post_id': str}"),
        (pd.Series([1.0, None], dtype="Float64"), "dtype={'post_id': str}"),
        ([pd.NA], "<NA> is not a post ID"),
        ([None], "None is not a post ID"),
        ([True], "True is not a post ID"),
        (["12345678901234567890"], "'12345678901234567890' is not a post ID"),
        ([10**19], "10000000000000000000 is not a post ID"),
        ([-1], "-1 is not a post ID"),
        ([""], "'' is not a post ID"),
        (["7 "], "'7 ' is not a post ID"),
        (["7\n"], "is not a post ID"),
        (["\u0667"], "'\u0667' is not a post ID"),
        (["https://x.com/a/status/7"], "is not a post ID"),
        ([["7"]], "['7'] is not a post ID"),
        (np.array(7), "give a list"),
        ([10**30], "is not a post ID"),
    ],
)
def test_refused_with_the_value_and_the_cure(posts: Any, words: str) -> None:
    """What is no ID, or no longer one, is refused in words that tell which and why."""
    with pytest.raises(InvalidPostId) as caught:
        unique_ids(posts)
    assert words in str(caught.value)


def test_one_bad_id_among_many() -> None:
    """A single damaged ID among good ones is found, not skipped."""
    with pytest.raises(InvalidPostId, match="'x'"):
        unique_ids([*map(str, range(1000)), "x"])


def test_age_is_in_the_id() -> None:
    """(id >> 22) + 1288834974657 ms: worked out by hand for 1060976163948904448."""
    assert 1060976163948904448 // 4194304 + 1288834974657 == 1541791404126
    assert created_at(ID) == datetime.fromtimestamp(1541791404.126, UTC)


@pytest.mark.parametrize("post", ["abc", "1" * 40, 1.5e18, None, pd.NA, ""])
def test_age_of_what_is_no_id(post: Any) -> None:
    """Refused as anywhere."""
    with pytest.raises(InvalidPostId):
        created_at(post)


def test_ids_before_snowflake_hold_no_time() -> None:
    """IDs up to November 2010 were numbered one by one."""
    assert created_at("29700859246") is None
    assert created_at("29700859247") is not None
