"""Duplicate rows are found by one number per row, as by pandas, for any size of blocks."""

from __future__ import annotations

from unittest import mock

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement_pandas.frame import row_checks
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.frame.row_checks import by_post, repeated

KEYS = ["post_id", "engagement_type", "day", "hour", "handle"]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "03", "3"]),
        st.sampled_from(["likes", "views"]),
        st.sampled_from([0, 1, 90]) | st.integers(0, 10**5),
        st.sampled_from([0, 7, 23]),
        st.sampled_from(["a", "b", None]),
    ),
    max_size=30,
)


def frame_of(rows: list[tuple[str, str, int, int, str | None]]) -> pd.DataFrame:
    """Return rows with the keys of counts, and an additional column."""
    frame = pd.DataFrame(rows, columns=KEYS)
    return frame.assign(
        post_id=frame["post_id"].astype(TEXT),
        engagement_type=frame["engagement_type"].astype(pd.CategoricalDtype(["views", "likes"])),
        day=pd.to_datetime(frame["day"].astype("int64"), unit="D").astype("datetime64[us]"),
        hour=frame["hour"].astype("int8"),
        handle=frame["handle"].astype("category"),
    )


@pytest.mark.slow
@given(rows=ROWS, keys=st.sampled_from([KEYS, KEYS[:4], KEYS[1:], KEYS[2:]]), ordered=st.booleans())
def test_duplicate_rows_are_found(
    rows: list[tuple[str, str, int, int, str | None]],
    keys: list[str],
    ordered: bool,  # noqa: FBT001
) -> None:
    """A table, sorting and rising rows give the same result; the first row is no duplicate."""
    frame = frame_of(rows)
    if ordered:
        frame = frame.sort_values(KEYS, ignore_index=True)
    with mock.patch.object(row_checks, "_BLOCK", 4):
        duplicates = repeated(by_post(frame), keys)
    expected = frame.duplicated(keys)
    assert (duplicates is None) == (not expected.any())
    if duplicates is not None:
        assert duplicates.tolist() == expected.tolist()


@pytest.mark.slow
@given(texts=st.lists(st.sampled_from(["1", "2", "03", "3"]), max_size=30), ordered=st.booleans())
def test_posts_become_a_category(texts: list[str], ordered: bool) -> None:  # noqa: FBT001
    """Its categories are the sorted texts, for any order of rows."""
    given_texts = sorted(texts) if ordered else texts
    frame = pd.DataFrame({"post_id": pd.Series(given_texts, dtype=TEXT)})
    with mock.patch.object(row_checks, "_BLOCK", 4):
        posts = by_post(frame)["post_id"]
    assert posts.astype(TEXT).to_list() == given_texts
    assert posts.cat.categories.to_list() == sorted(set(texts))


def test_many_keys_are_compared_by_pandas() -> None:
    """One number has not enough digits for them."""
    names = [f"column {i}" for i in range(7)]
    rows = pd.DataFrame({name: range(2000) for name in names})
    assert repeated(rows, names) is None
    duplicates_ = repeated(pd.concat([rows, rows[5:6]]), names)
    assert duplicates_ is not None
    assert duplicates_.nonzero()[0].tolist() == [2000]


@pytest.mark.parametrize("columns", [["hour"], []])
def test_an_empty_frame_has_no_duplicates(columns: list[str]) -> None:
    """It may have no columns either."""
    assert repeated(pd.DataFrame({"hour": pd.Series(dtype="int8")}), columns) is None


def test_duplicates_in_different_blocks_are_found() -> None:
    """Rows rise within each block."""
    frame = pd.DataFrame({"place": range(8)}).iloc[[*range(4), 3, 5, 6, 7]]
    days = pd.to_datetime(frame["place"] * 10_000, unit="D").astype("datetime64[us]")
    with mock.patch.object(row_checks, "_BLOCK", 4):
        duplicates = repeated(pd.DataFrame({"day": days}), ["day"])
    assert duplicates is not None
    assert duplicates.nonzero()[0].tolist() == [4]


def test_posts_may_be_out_of_order() -> None:
    """Nine rows of one post precede nine of an earlier one."""
    posts = by_post(pd.DataFrame({"post_id": pd.Series(["2"] * 9 + ["1"] * 9, dtype=TEXT)}))
    assert posts["post_id"].cat.categories.to_list() == ["1", "2"]
    assert posts["post_id"].cat.codes.to_list() == [1] * 9 + [0] * 9
