"""Counts added up since the window began."""

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


def hours(*counts: Any, post: str = "1", kind: str = "favorites", first: int = 0) -> pd.DataFrame:
    """Make one count an hour."""
    return tidy([(post, kind, "2026-03-01", first + n, count) for n, count in enumerate(counts)])


def by_hand(table: pd.DataFrame, names: list[str]) -> list[tuple[Any, Any]]:
    """Add the buckets of over_time up in plain Python: count and complete."""
    found, so_far = [], {}
    for row in table.to_dict("records"):
        key = tuple(row[name] for name in names)
        total, whole = so_far.get(key, (0, True))
        unknown = pd.isna(row["count"])
        total += 0 if unknown else row["count"]
        state = None if pd.isna(row["complete"]) else bool(row["complete"])
        if whole is False or state is False:
            whole = False
        elif whole is None or state is None:
            whole = None
        so_far[key] = total, whole
        found.append((None if unknown else total, whole))
    return found


def as_tuples(table: pd.DataFrame) -> list[tuple[Any, Any]]:
    """Return counts and completeness with None for <NA>."""
    return [
        (None if pd.isna(count) else count, None if pd.isna(whole) else whole)
        for count, whole in zip(table["count"], table["complete"], strict=True)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("by", ["engagement_type", ["post_id", "engagement_type"]])
@pytest.mark.parametrize(("every", "tz"), [("h", "UTC"), ("D", "Europe/Berlin"), ("W", "UTC")])
def test_against_loops(bakery: Any, every: str, tz: str, by: Any) -> None:
    """The sandbox's six weeks with holes: the same rows, added up one by one."""
    counts = bakery.few.drop(index=bakery.few.index[50:90]).reset_index(drop=True)
    counts.loc[::97, "count"] = pd.NA
    own = over_time(counts, every=every, tz=tz, by=by)
    found = running_total(counts, every=every, tz=tz, by=by)
    keys = [by] if isinstance(by, str) else by
    pd.testing.assert_frame_equal(found[[*keys, "start"]], own[[*keys, "start"]])
    assert as_tuples(found) == by_hand(own, keys)
    assert {str(dtype) for dtype in found[["count", "complete"]].dtypes} == {"Int64", "boolean"}


def test_unknown_buckets() -> None:
    """A gap and an unknown hour are <NA>; the sums go on without them, and are not complete."""
    counts = hours(4, 5, pd.NA, 7, -9).drop(index=1)
    assert as_tuples(running_total(counts, every="h")) == [
        (4, True),
        (None, False),
        (None, False),
        (11, False),
        (2, False),
    ]


def test_each_key_begins_at_nothing() -> None:
    """Neither the sum nor the completeness of one series goes on in the next."""
    counts = pd.concat([hours(4, pd.NA, post="1"), hours(1, 1, post="2")], ignore_index=True)
    found = running_total(counts, every="h", by="post_id")
    assert as_tuples(found) == [(4, True), (None, False), (1, True), (2, True)]


def test_what_cannot_be_known() -> None:
    """The first day may be partial, so no total from it on is known to be whole."""
    days = tidy(
        [("1", "favorites", f"2026-03-0{day}", day) for day in (1, 2, 4)],
        "post_id", "engagement_type", "day", "count",
    )  # fmt: skip
    assert as_tuples(running_total(days)) == [(1, None), (3, None), (None, False), (7, False)]
    known = running_total(days.iloc[:2], window=("2026-03-01", "2026-03-03"))
    assert as_tuples(known) == [(1, True), (3, True)]


@pytest.mark.slow
@settings(deadline=None)
@given(
    counts=st.lists(st.none() | st.integers(-9, 99), min_size=1, max_size=60),
    every=st.sampled_from(["h", "D"]),
)
def test_the_last_is_the_sum(counts: list[int | None], every: str) -> None:
    """Of all that is known, whatever the buckets."""
    rows = [pd.NA if count is None else count for count in counts]
    start = pd.date_range("2026-03-01T05:00", periods=len(rows), freq="h")
    frame = tidy(
        [("1", "favorites", at.normalize(), at.hour, n) for at, n in zip(start, rows, strict=True)]
    )
    found = running_total(frame, every=every)
    known = found["count"].dropna()
    expected = sum(count for count in counts if count is not None)
    if counts[-1] is not None:
        assert known.iloc[-1] == expected
    own = over_time(frame, every=every)["count"]
    assert np.array_equal(own.fillna(0).cumsum()[own.notna()], known)


@pytest.mark.parametrize(
    ("asked", "words"),
    [({"by": None}, "are not added"), ({"by": "day"}, "leave out day"), ({"every": "H"}, "'H'")],
)
def test_refused(asked: dict[str, Any], words: str) -> None:
    """As over_time refuses."""
    rows = [("1", kind, "2026-03-01", 5, 1) for kind in ("engagements", "favorites")]
    counts = tidy(rows)
    with pytest.raises(FrameError, match=words):
        running_total(counts, **asked)
