"""Rates in buckets of local time."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.simulated import tidy

from engagement_pandas import FrameError
from engagement_pandas.frame.contract import dtype_name
from engagement_pandas.metrics import engagement_rate, over_time, rate_over_time
from engagement_pandas.metrics.rate_over_time import rates_over_time

PAIR = ["engagements", "impressions"]


def by_hand(counts: pd.DataFrame, every: str, tz: str, keys: list[str]) -> dict[Any, Any]:
    """Sum both types by local bucket where both are known, in plain loops."""
    cells: dict[Any, dict[str, int]] = defaultdict(dict)
    for row in counts.to_dict("records"):
        if row["engagement_type"] in PAIR and not pd.isna(row["count"]):
            timestamp = row["day"].to_pydatetime().replace(tzinfo=UTC) + timedelta(
                hours=row["hour"]
            )
            local = timestamp.astimezone(ZoneInfo(tz))
            day = local.replace(tzinfo=None, hour=0, minute=0)
            bucket = {"h": timestamp, "D": day, "W": day - timedelta(days=day.weekday())}[every]
            key = tuple(row[name] for name in keys)
            cells[key, bucket, row["post_id"], timestamp][row["engagement_type"]] = row["count"]
    sums: dict[Any, list[int]] = {}
    for (key, bucket, _, _), cell in cells.items():
        if len(cell) == 2:
            entry = sums.setdefault((*key, bucket), [0, 0])
            entry[0] += cell["engagements"]
            entry[1] += cell["impressions"]
    return {key: tuple(pair) for key, pair in sums.items() if pair[1]}


@pytest.mark.slow
@pytest.mark.parametrize("keys", [[], ["post_id"]])
@pytest.mark.parametrize(
    ("every", "tz"), [("h", "UTC"), ("D", "Europe/Berlin"), ("D", "UTC"), ("W", "Asia/Kolkata")]
)
def test_rates_match_plain_loops(bakery: Any, every: str, tz: str, keys: list[str]) -> None:
    """The sandbox's six weeks have absent hours and unknown counts."""
    rng = np.random.default_rng(9)
    counts = bakery.few[rng.random(len(bakery.few)) < 0.97].reset_index(drop=True)
    counts.loc[rng.random(len(counts)) < 0.03, "count"] = pd.NA
    found = rate_over_time(counts, every=every, tz=tz, by=keys or None)
    known = found[found["rate"].notna()]
    actual = {}
    for row in known.to_dict("records"):
        start = row["start"]
        at = start.tz_convert("UTC").to_pydatetime()
        naive = start.tz_localize(None).to_pydatetime()
        key = (*(row[name] for name in keys), at if every == "h" else naive)
        actual[key] = (row["engagements"], row["impressions"])
        assert row["rate"] == row["engagements"] / row["impressions"]
    assert actual == by_hand(counts, every, tz, keys)
    assert len(actual) >= 3


def test_buckets_are_those_of_over_time(bakery: Any) -> None:
    """Keys, starts and completeness agree where both types are always counted."""
    counts = bakery.few
    found = rate_over_time(counts, tz="Europe/Berlin", by="post_id")
    own = over_time(
        counts[counts["engagement_type"] == "impressions"], tz="Europe/Berlin", by="post_id"
    )
    pd.testing.assert_frame_equal(
        found[["post_id", "start", "complete"]], own[["post_id", "start", "complete"]]
    )
    assert found["impressions"].to_list() == own["count"].to_list()


@pytest.mark.slow
@pytest.mark.parametrize("every", ["D", "W", "MS"])
def test_bucket_sums_equal_the_overall_sums(bakery: Any, every: str) -> None:
    """A wide window keeps the rates."""
    overall = engagement_rate(bakery.few, by=None)
    found = rate_over_time(bakery.few, every=every)
    for name in PAIR:
        assert found[name].sum() == overall[name].item()
    window = ("2026-01-01", "2026-12-31")
    single = rate_over_time(bakery.few, every=every, window=window)
    assert single["rate"].notna().sum() == found["rate"].notna().sum()
    days = engagement_rate(bakery.few, by="day")
    if every == "D":
        assert found["rate"].to_list() == days["rate"].to_list()
        assert found["low"].to_list() == days["low"].to_list()


def test_counts_without_a_partner_are_left_out() -> None:
    """Both sums exclude them; a bucket without any pair has the sums of its counts."""
    counts = tidy(
        [
            ("1", "impressions", "2026-03-01", 0, 100),
            ("1", "impressions", "2026-03-01", 1, 50),
            ("1", "impressions", "2026-03-01", 2, 10),
            ("1", "impressions", "2026-03-01", 3, 0),
            ("1", "engagements", "2026-03-01", 0, 7),
            ("1", "engagements", "2026-03-01", 2, pd.NA),
            ("1", "engagements", "2026-03-01", 3, 0),
            ("2", "engagements", "2026-03-01", 0, 9),
            ("2", "impressions", "2026-03-01", 1, 30),
            ("2", "engagements", "2026-03-01", 1, 3),
        ]
    )
    hours = rate_over_time(counts, every="h")
    assert hours["rate"].astype("object").fillna("none").to_list() == [0.07, 0.1, "none", "none"]
    assert hours["impressions"].to_list() == [100, 30, 10, 0]
    assert hours["engagements"].astype("object").fillna("none").to_list() == [7, 3, "none", 0]
    assert not hours["complete"].any()  # each hour lacks a count of one of the posts
    posts = rate_over_time(counts, every="h", by="post_id")
    assert posts["rate"].notna().to_list() == [True, *[False] * 4, True, False, False]
    assert posts["complete"].to_list() == [True, False, False, True, False, True, False, False]


def test_an_unknown_count_excludes_its_post() -> None:
    """The other posts give the rate, and the bucket is incomplete."""
    rows = [
        (post, engagement_type, "2026-03-01", hour, 10 if engagement_type == "impressions" else 1)
        for post in ("1", "2")
        for engagement_type in ("impressions", "engagements")
        for hour in (0, 1)
    ]
    counts = tidy(rows)
    for position in (1, 3):  # the first post and the second hour, of either type
        with_gap = counts.copy()
        with_gap.loc[position, "count"] = pd.NA
        found = rate_over_time(with_gap, every="h")
        assert found["rate"].to_list() == [0.1, 0.1]
        assert found["impressions"].to_list() == [20, 10]
        assert found["complete"].to_list() == [True, False]


def test_days_at_unknown_edges_may_be_partial() -> None:
    """A window makes their completeness known."""
    days = tidy(
        [("1", name, f"2026-03-0{day}", 10) for name in PAIR for day in (1, 2, 3)],
        "post_id", "engagement_type", "day", "count",
    )  # fmt: skip
    found = rate_over_time(days)
    assert found["complete"].isna().all()
    assert rate_over_time(days, window=("2026-03-01", "2026-03-04"))["complete"].all()
    assert rate_over_time(days, window=("2026-03-01", "2026-03-05"))["rate"].isna().sum() == 1


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["1", "2"]), st.sampled_from(PAIR), st.integers(0, 70),
            st.none() | st.integers(0, 30),
        ),
        min_size=1, max_size=60, unique_by=lambda row: row[:3],
    ),
    every=st.sampled_from(["h", "D"]),
)  # fmt: skip
def test_buckets_with_a_rate_sum_to_all_pairs(
    rows: list[tuple[str, str, int, int | None]], every: str
) -> None:
    """Any counts may be missing."""
    counts = tidy(
        [
            (
                post,
                engagement_type,
                f"2026-03-0{1 + hour // 24}",
                hour % 24,
                pd.NA if n is None else n,
            )
            for post, engagement_type, hour, n in rows
        ]
    )
    found = rate_over_time(counts, every=every)
    known = {
        (post, engagement_type, hour): n for post, engagement_type, hour, n in rows if n is not None
    }
    both = [
        key[::2]
        for key in known
        if {(key[0], engagement_type, key[2]) for engagement_type in PAIR} <= set(known)
    ]
    below = sum(known[post, "impressions", hour] for post, hour in set(both))
    rated = found[found["rate"].notna()]
    assert rated["impressions"].sum() == below


def test_several_types_give_the_same_rates(bakery: Any) -> None:
    """The function for plots agrees with rates of single types, also with gaps."""
    counts = bakery.few.drop(index=bakery.few.index[5:400:7]).reset_index(drop=True)
    counts.loc[::31, "count"] = pd.NA
    names = ["engagements", "favorites", "url_clicks"]
    options: dict[str, Any] = {"denominator": "impressions", "every": "D", "tz": "UTC"}
    table = rates_over_time(counts, names, window=None, **options)
    parts = dict(list(table.groupby("engagement_type", sort=False)))
    assert list(parts) == names
    for name in names:
        single = rate_over_time(counts, numerator=name, **options)
        expected = single.rename(columns={name: "count"})
        pd.testing.assert_frame_equal(
            parts[name].drop(columns="engagement_type").reset_index(drop=True), expected
        )


def test_columns_have_the_documented_dtypes(bakery: Any) -> None:
    """The docstring states them."""
    found = rate_over_time(bakery.few, by="post_id", tz="Europe/Berlin")
    assert found.dtypes.map(dtype_name).to_dict() == {
        "post_id": "str",
        "start": "datetime64[us, Europe/Berlin]",
        "engagements": "Int64",
        "impressions": "Int64",
        "rate": "Float64",
        "low": "Float64",
        "high": "Float64",
        "above_one": "boolean",
        "complete": "boolean",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"by": "engagement_type"}, "no single one"),
        ({"by": "hour"}, "leave out day and hour"),
        ({"numerator": "impressions"}, "name two"),
        ({"denominator": "impresions"}, "did you mean 'impressions'"),
        ({"every": "H"}, "every is 'H'"),
        ({"tz": "Mars"}, "no time zone"),
        ({"window": ("2026-03-09", "2026-03-10")}, "outside window"),
        ({"confidence": 1}, "confidence is 1"),
    ],
)
def test_invalid_arguments_are_refused(bakery: Any, arguments: dict[str, Any], words: str) -> None:
    """They are refused by over_time and engagement_rate as well."""
    with pytest.raises(FrameError, match=words):
        rate_over_time(bakery.few, **arguments)


@pytest.mark.parametrize("name", ["start", "rate", "impressions"])
def test_a_key_named_like_a_result_is_refused(bakery: Any, name: str) -> None:
    """The numbers would replace the keys."""
    with pytest.raises(FrameError, match=f"the result has its own column '{name}'"):
        rate_over_time(bakery.few.assign(**{name: "x"}), by=name)
