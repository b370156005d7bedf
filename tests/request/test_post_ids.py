"""Valid post IDs, invalid ones, and IDs that have lost digits."""

from __future__ import annotations

import random
import warnings
from contextlib import nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas import InvalidPostId, created_at
from engagement_pandas.request.post_ids import parse_post_ids
from engagement_pandas.text import check_digits

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
def test_iterables_of_ids_are_accepted(posts: Any) -> None:
    """Strings and exact integers, in all containers, are returned as strings in order."""
    assert parse_post_ids(posts) == (ID, "7")


def test_duplicates_are_removed() -> None:
    """The same ID as text and as a number is returned once, in first place."""
    assert parse_post_ids(["9", ID, 9, int(ID), "9"]) == ("9", ID)


@given(st.integers(0, 10**19 - 1))
def test_integers_are_exact(number: int) -> None:
    """Every integer of up to 19 digits keeps every digit."""
    assert parse_post_ids([number]) == (str(number),)


@pytest.mark.parametrize(
    ("posts", "words"),
    [
        ([], "is empty"),
        (pd.DataFrame({"post_id": []}, dtype="str"), "is empty"),
        (ID, "pass a list"),
        (b"123", "pass a list"),
        (int(ID), "pass a list"),
        (None, "pass a list"),
        ({"post_id": [ID]}, "pass a list"),
        (pd.DataFrame({"tweet_id": [ID]}), "no post_id column, only ['tweet_id']"),
        ([1.060976163948904448e18], "is missing, or was a float"),
        (["1.060976163948904e+18"], "is missing, or was a float"),
        (["1060976163948904448.0"], "is missing, or was a float"),
        (["nan"], "is missing, or was a float"),
        ([float("nan")], "is missing, or was a float"),
        ([np.float64(7)], "is missing, or was a float"),
        (pd.Series([1.0, 2.0]), "dtype={'post_id': str}"),
        (pd.Series([1.0, None], dtype="Float64"), "dtype={'post_id': str}"),
        ([pd.NA], "<NA> is not a post ID"),
        ([None], "None is not a post ID"),
        ([True], "True is not a post ID"),
        (["12345678901234567890"], "'12345678901234567890' is not a post ID"),
        ([10**19], "10000000000000000000 is not a post ID"),
        ([-1], "-1 is not a post ID"),
        ([""], "'' is not a post ID"),
        (["\u0667"], "'\u0667' is not a post ID"),
        (["https://x.com/a"], "is not a post ID"),
        (["7", "x"], "'x' is not a post ID; pass 1 to 19 digits as text, or a link (row 1"),
        ([["7"]], "['7'] is not a post ID"),
        (np.array(7), "pass a list"),
        ([10**30], "is not a post ID"),
    ],
)
def test_invalid_ids_are_refused(posts: Any, words: str) -> None:
    """The error names the value and the cure."""
    with pytest.raises(InvalidPostId) as caught:
        parse_post_ids(posts)
    assert words in str(caught.value)


def test_one_invalid_id_among_many_is_refused() -> None:
    """It is not skipped."""
    with pytest.raises(InvalidPostId, match="'x'"):
        parse_post_ids([*map(str, range(1000)), "x"])


A, B, C = "2125450880059707756", "2125883449981014166", "2126138811200049196"


@pytest.mark.parametrize(
    "text",
    [
        f" {A} ",
        f"{A}\n",
        f"\ufeff{A}\u200b\u00a0",
        f"'{A}",
        f'="{A}"',
        f'"{A}"',
        f"ID:{A}",
        f"Post ID: {A}",
        f"tweet_id={A}",
        f"{A}.0",
        f"{A}.00",
        "2,125,450,880,059,707,756",
        "2.125.450.880.059.707.756",
        "2\u202f125\u202f450\u202f880\u202f059\u202f707\u202f756",
        "21,25,45,08,80,05,97,07,756",
        "2125 4508 8005 9707 756",
    ],
)
def test_guards_and_digit_groups_are_removed(text: str) -> None:
    """They protect an ID from a spreadsheet, or were added by one."""
    assert parse_post_ids([text]) == (A,)


@pytest.mark.slow
@pytest.mark.parametrize(
    "host",
    [
        *("x.com", "www.x.com", "mobile.x.com", "X.com", "x.com:443"),
        *("twitter.com", "mobile.twitter.com", "m.twitter.com", "www.twitter.com"),
        *("fxtwitter.com", "vxtwitter.com", "fixupx.com", "d.fxtwitter.com", "nitter.net"),
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        *("i/web/status/{}", "i/status/{}", "bakery/status/{}", "statuses/{}"),
        *("#!/bakery/status/{}", "bakery/statuses/{}", "bakery/status/{}?s=20&t=a,b;c=d"),
        *("bakery/status/{}/photo/1", "bakery/status/{}#m", "bakery/status/{}/", "a/status/{}."),
    ],
)
def test_links_are_accepted(host: str, path: str) -> None:
    """X's hosts and well-known mirrors are known, with all forms of the path."""
    for scheme in ("https://", "http://", "HTTPS://", "//", ""):
        assert parse_post_ids([f"{scheme}{host}/{path.format(A)}"]) == (A,)


@pytest.mark.parametrize(
    "link",
    [
        *(f"https://evilx.com/a/status/{A}", f"https://x.com.evil.org/a/status/{A}"),
        *(f"https://x.com/a/status/{A}x", "https://x.com/a/status/", f"https://x.com/i/lists/{A}"),
        *(f"https://x.com/a/status/{A}000", "https://x.com/a", f"https://x-com/a/status/{A}"),
    ],
)
def test_other_links_are_refused(link: str) -> None:
    """The error shows the link."""
    with pytest.raises(InvalidPostId, match="is not a post ID"):
        parse_post_ids([link])


def _rounded(post: str, program: str) -> str:
    """Return the digits that a program makes of an ID, by Python's own arithmetic."""
    results = {
        "excel": lambda: post[:15] + "0" * (len(post) - 15),
        "javascript": lambda: str(int(Decimal(repr(float(post))))),
        "jq": lambda: str(int(Decimal(f"{float(post):.16e}"))),
        "float": lambda: str(int(float(post))),
    }
    return results[program]()


PROGRAMS = ["excel", "javascript", "jq", "float"]


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
@given(posts=st.sets(st.integers(10**18, 2 * 10**18), min_size=12, max_size=12))
def test_lost_digits_are_refused(program: str, posts: set[int]) -> None:
    """A dozen IDs that went through a program are refused."""
    lost = {_rounded(str(post), program) for post in posts}
    if len(lost) == 12 and not any(int(post) % 4096 == 0 for post in lost):
        with pytest.raises(InvalidPostId, match=r"12 of 12 post IDs .* lost their last digits"):
            check_digits(lost, ep.InvalidPostId)


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 3, 30, 394])
@pytest.mark.parametrize("sequence", ["none", "small", "any"])
def test_true_ids_give_no_warning(size: int, sequence: str) -> None:
    """Snowflakes of 2012 to 2030 end in 12 bits that are zero, small, or arbitrary."""
    rng = random.Random(size)  # noqa: S311 - no secret
    last = {"none": lambda: 0, "small": lambda: rng.choice([0, 0, 0, 1, 2, 3])}
    with_warning = 0
    for _ in range(100):
        ids = [
            (rng.randrange(4 * 10**10, 6 * 10**11) << 22)
            + (rng.randrange(320, 384) << 12)
            + last.get(sequence, lambda: rng.randrange(4096))()
            for _ in range(size)
        ]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            check_digits(map(str, ids), ep.InvalidPostId)
        with_warning += bool(caught)
    assert with_warning <= 1


@pytest.mark.parametrize(
    "ids",
    [
        [A, "2125883449981010000", "2126138811200040000"],
        ["2125450880059707600", "2125883449981014300", "2126138811200049200"],
        ["2125450000000000000", "2125880000000000000"],
    ],
)
def test_some_lost_digits_are_enough(ids: list[str]) -> None:
    """Excel damaged some IDs, JavaScript all, or scientific notation was expanded."""
    with pytest.raises(ep.FrameError, match=r"lost their last digits"):
        check_digits(ids, ep.FrameError)


@pytest.mark.parametrize(
    ("first", "spacing", "lost"),
    [(5 * 10**16, 8, False), (10**17, 16, True)],
    ids=["of 56 bits", "of 57 bits"],
)
def test_endings_of_true_ids_are_not_evidence(
    first: int,
    spacing: int,
    lost: bool,  # noqa: FBT001
) -> None:
    """A float64 leaves multiples of 8 of IDs of early 2011, as every eighth true ID is."""
    ids = [str(first + spacing * (4 * n + 1)) for n in range(12)]
    assert all(int(post) == int(float(post)) for post in ids)
    with pytest.raises(InvalidPostId, match="12 of 12 post IDs") if lost else nullcontext():
        check_digits(ids, ep.InvalidPostId)


def test_few_lost_digits_give_a_warning() -> None:
    """Two IDs may end like floats by chance; one ID like Excel's gives no warning."""
    with pytest.warns(UserWarning, match="seem to have lost their last digits"):
        check_digits([A[:-3] + "648", B[:-3] + "272"], ep.InvalidPostId)
    check_digits(["2125883449981010000"], ep.InvalidPostId)
    check_digits(["2041000000000000000", "2041000000000000001"], ep.InvalidPostId)


@pytest.mark.parametrize("endpoint", [ep.totals, ep.last_28_hours])
@pytest.mark.parametrize("container", [list, tuple, pd.Series])
def test_lost_digits_are_not_requested(endpoint: Any, container: Any) -> None:
    """The container of the IDs does not matter."""
    posts = container([post[:15] + "0000" for post in (A, B, C)])
    with pytest.raises(InvalidPostId, match="3 of 3 post IDs"):
        endpoint(posts, engagement_types=["favorites"])


def test_a_missing_id_in_a_frame() -> None:
    """The error names the row."""
    posts = pd.DataFrame({"post_id": [A, None, B]})
    with pytest.raises(InvalidPostId, match=r"(nan|None) .*row 1 of the posts"):
        parse_post_ids(posts)


def test_the_creation_time_is_in_the_id() -> None:
    """(id >> 22) + 1288834974657 ms, worked out by hand for 1060976163948904448."""
    assert 1060976163948904448 // 4194304 + 1288834974657 == 1541791404126
    assert created_at(ID) == datetime.fromtimestamp(1541791404.126, UTC)


@pytest.mark.parametrize("post", ["abc", "1" * 40, 1.5e18, None, pd.NA, ""])
def test_invalid_ids_have_no_creation_time(post: Any) -> None:
    """They are refused, as everywhere."""
    with pytest.raises(InvalidPostId):
        created_at(post)


def test_ids_before_snowflake_have_no_time() -> None:
    """IDs up to November 2010 were consecutive numbers."""
    assert created_at("29700859246") is None
    assert created_at("29700859247") is not None
