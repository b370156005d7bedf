"""Counts summed since the start of the window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.simulated import tidy

from engagement_pandas import FrameError
from engagement_pandas.metrics import over_time, running_total


def hours(
    *counts: Any, post: str = "1", engagement_type: str = "favorites", first: int = 0
) -> pd.DataFrame:
    """Return one count an hour."""
    return tidy(
        [(post, engagement_type, "2026-03-01", first + n, count) for n, count in enumerate(counts)]
    )


def by_hand(table: pd.DataFrame, names: list[str]) -> list[tuple[Any, Any]]:
    """Add the buckets of over_time in plain Python: count and complete."""
    totals, so_far = [], {}
    for row in table.to_dict("records"):
        key = tuple(row[name] for name in names)
        total, complete = so_far.get(key, (0, True))
        unknown = pd.isna(row["count"])
        total += 0 if unknown else row["count"]
        state = None if pd.isna(row["complete"]) else bool(row["complete"])
        if complete is False or state is False:
            complete = False
        elif complete is None or state is None:
            complete = None
        so_far[key] = total, complete
        totals.append((None if unknown else total, complete))
    return totals


def as_tuples(table: pd.DataFrame) -> list[tuple[Any, Any]]:
    """Return counts and completeness with None for <NA>."""
    return [
        (None if pd.isna(count) else count, None if pd.isna(complete) else complete)
        for count, complete in zip(table["count"], table["complete"], strict=True)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("by", ["engagement_type", ["post_id", "engagement_type"]])
@pytest.mark.parametrize(("every", "tz"), [("h", "UTC"), ("D", "Europe/Berlin"), ("W", "UTC")])
def test_totals_match_plain_loops(bakery: Any, every: str, tz: str, by: Any) -> None:
    """The sandbox's six weeks have gaps, and the same rows as over_time."""
    counts = bakery.few.drop(index=bakery.few.index[50:90]).reset_index(drop=True)
    counts.loc[::97, "count"] = pd.NA
    own = over_time(counts, every=every, tz=tz, by=by)
    totals = running_total(counts, every=every, tz=tz, by=by)
    keys = [by] if isinstance(by, str) else by
    pd.testing.assert_frame_equal(totals[[*keys, "start"]], own[[*keys, "start"]])
    assert as_tuples(totals) == by_hand(own, keys)
    assert {str(dtype) for dtype in totals[["count", "complete"]].dtypes} == {"Int64", "boolean"}


def test_unknown_buckets_are_missing() -> None:
    """The sums continue without them, and are incomplete."""
    counts = hours(4, 5, pd.NA, 7, -9).drop(index=1)
    assert as_tuples(running_total(counts, every="h")) == [
        (4, True),
        (None, False),
        (None, False),
        (11, False),
        (2, False),
    ]


def test_each_key_has_a_separate_total() -> None:
    """Neither the sum nor the completeness continues in the next key."""
    counts = pd.concat([hours(4, pd.NA, post="1"), hours(1, 1, post="2")], ignore_index=True)
    totals = running_total(counts, every="h", by="post_id")
    assert as_tuples(totals) == [(4, True), (None, False), (1, True), (2, True)]


def test_a_partial_first_day_makes_completeness_unknown() -> None:
    """A window makes it known."""
    days = tidy(
        [("1", "favorites", f"2026-03-0{day}", day) for day in (1, 2, 4)],
        "post_id", "engagement_type", "day", "count",
    )  # fmt: skip
    assert as_tuples(running_total(days)) == [(1, None), (3, None), (None, False), (7, False)]
    known = running_total(days.iloc[:2], window=("2026-03-01", "2026-03-03"))
    assert as_tuples(known) == [(1, True), (3, True)]


@pytest.mark.long
@settings(deadline=None)
@given(
    counts=st.lists(st.none() | st.integers(-9, 99), min_size=1, max_size=60),
    every=st.sampled_from(["h", "D"]),
)
def test_the_last_total_is_the_sum_of_known_counts(counts: list[int | None], every: str) -> None:
    """Buckets may have any length."""
    rows = [pd.NA if count is None else count for count in counts]
    start = pd.date_range("2026-03-01T05:00", periods=len(rows), freq="h")
    frame = tidy(
        [("1", "favorites", at.normalize(), at.hour, n) for at, n in zip(start, rows, strict=True)]
    )
    totals = running_total(frame, every=every)
    known = totals["count"].dropna()
    expected = sum(count for count in counts if count is not None)
    if counts[-1] is not None:
        assert known.iloc[-1] == expected
    own = over_time(frame, every=every)["count"]
    assert np.array_equal(own.fillna(0).cumsum()[own.notna()], known)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"by": None}, "are not added"), ({"by": "day"}, "leave out day"), ({"every": "H"}, "'H'")],
)
def test_invalid_arguments_are_refused(arguments: dict[str, Any], words: str) -> None:
    """They are those of over_time."""
    rows = [
        ("1", engagement_type, "2026-03-01", 5, 1)
        for engagement_type in ("engagements", "favorites")
    ]
    counts = tidy(rows)
    with pytest.raises(FrameError, match=words):
        running_total(counts, **arguments)
