"""Reshaping to one column per type, and back."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.simulated import tidy

import engagement_pandas as ep
from engagement_pandas import FrameError
from engagement_pandas.frame.contract import TEXT, check_counts, dtype_name
from engagement_pandas.metrics import tall, wide

ROWS = tidy(
    [
        ("1", "impressions", "2026-03-01", 5, 90),
        ("1", "favorites", "2026-03-01", 5, pd.NA),
        ("2", "impressions", "2026-03-01", 6, -2),
    ]
)

KEYS = {
    "post_id": st.sampled_from(["1", "20", "300"]),
    "engagement_type": st.sampled_from(["impressions", "engagements", "favorites", "zaps"]),
    "day": st.sampled_from(pd.to_datetime(["2026-03-01", "2026-03-02"]).to_list()),
    "hour": st.integers(0, 23),
}
COUNT = st.none() | st.integers(-(2**62), 2**62)


@st.composite
def some_counts(draw: Any) -> pd.DataFrame:
    """Draw tidy counts of any grouping."""
    names = [name for name in KEYS if name == "engagement_type" or draw(st.booleans())]
    keys = draw(st.lists(st.tuples(*(KEYS[name] for name in names)), max_size=12, unique=True))
    rows = [(*key, draw(COUNT)) for key in keys]
    counts = tidy(rows, *names, "count")
    return counts.sort_values(names, ignore_index=True)


def test_a_wide_frame_has_a_row_per_bucket_and_a_column_per_type() -> None:
    """Types have the vocabulary's order; cells without a row are <NA>."""
    table = wide(ROWS)
    assert list(table.columns) == ["post_id", "day", "hour", "impressions", "favorites"]
    names = table.dtypes.map(dtype_name).to_list()
    assert names == ["str", "datetime64[us]", "int8", "Int64", "Int64"]
    assert table["impressions"].to_list() == [90, -2]
    assert table["favorites"].isna().all()


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(counts=some_counts())
def test_a_round_trip_keeps_all_counts(counts: pd.DataFrame) -> None:
    """Additional cells are <NA>."""
    back = tall(wide(counts))
    check_counts(back)
    assert list(back.dtypes.drop("engagement_type")) == list(counts.dtypes.drop("engagement_type"))
    keys = [name for name in counts if name != "count"]
    known = back[back["count"].notna()].astype({"engagement_type": TEXT})
    expected = counts[counts["count"].notna()].astype({"engagement_type": TEXT})
    found = dict(zip(known[keys].itertuples(index=False, name=None), known["count"], strict=True))
    wanted_keys = expected[keys].itertuples(index=False, name=None)
    assert found == dict(zip(wanted_keys, expected["count"], strict=True))


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(counts=some_counts())
def test_a_wide_frame_survives_a_round_trip(counts: pd.DataFrame) -> None:
    """Dtypes stay, too."""
    table = wide(counts)
    if len(table):
        pd.testing.assert_frame_equal(wide(tall(table)), table)


def test_a_full_frame_survives_a_round_trip() -> None:
    """A frame with every key and type is equal, including attrs."""
    counts = ROWS.iloc[:2].copy()
    counts.attrs["retrieved_at"] = "2026-03-02T00:00:00+00:00"
    back = tall(wide(counts))
    pd.testing.assert_frame_equal(back, counts, check_column_type=False)
    assert back.attrs == counts.attrs


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: wide(pd.concat([ROWS, ROWS], ignore_index=True)), "twice"),
        (
            lambda: wide(tidy([("hour", 1)], "engagement_type", "count")),
            "clashes with a column name",
        ),
        (lambda: tall(wide(ROWS).astype({"favorites": "Float64"})), "'favorites' is Float64"),
        (lambda: tall(wide(ROWS).astype({"post_id": "int64"})), "post_id"),
        (lambda: tall([1]), "not a list"),
    ],
)
def test_unsuitable_frames_are_refused(call: Any, words: str) -> None:
    """Duplicates, names that clash, and columns without counts."""
    with pytest.raises(FrameError, match=words):
        call()


@pytest.mark.slow
def test_a_wide_frame_matches_plain_loops(bakery: Any) -> None:
    """Each cell is the count of that post, hour and type."""
    table = wide(bakery.few)
    cells = {
        (row["post_id"], row["day"], row["hour"], engagement_type): row[engagement_type]
        for row in table.to_dict("records")
        for engagement_type in bakery.few["engagement_type"].unique()
    }
    expected = {
        (row["post_id"], row["day"], row["hour"], row["engagement_type"]): row["count"]
        for row in bakery.few.to_dict("records")
    }
    assert cells == expected
    pd.testing.assert_frame_equal(tall(table), bakery.few)


def test_numbers_of_another_dtype_are_refused_with_the_cure() -> None:
    """counts_from() takes them."""
    frame = pd.DataFrame({"post_id": pd.Series(["1"], dtype="str"), "impressions": [5]})
    with pytest.raises(FrameError, match=r"int64, not Int64; .*counts_from\(frame\)"):
        tall(frame)
    assert ep.counts_from(frame)["count"].to_list() == [5]
