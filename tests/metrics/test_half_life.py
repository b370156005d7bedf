"""Half-lives: estimated where enough is known, and censored where not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.simulated import HOUR_MS, MARCH, exponential, hourly, id_at, log_logistic, tidy

import engagement_pandas as ep
from engagement_pandas import FrameError
from engagement_pandas.metrics import half_life
from engagement_pandas.metrics.half_life import WHY_NOT

POST = id_at("2026-03-01T05:45:00Z")
DAY = HOUR_MS * 24


def world(growth: Any, *, posts: int = 300, hours: int = 168, seed: int = 1) -> pd.DataFrame:
    """Simulate posts with a half-life of 80 minutes, created at any minute."""
    rng = np.random.default_rng(seed)
    created = MARCH + rng.integers(0, 14 * DAY, posts)
    size = 1000 * np.exp(0.8 * rng.normal(size=posts))
    return hourly(created, {"impressions": size}, rng, hours=hours, growth=growth)


@pytest.mark.slow
@pytest.mark.parametrize("hours", [48, 168, 672])
@pytest.mark.parametrize("growth", [exponential, log_logistic])
def test_the_median_half_life_is_accurate(growth: Any, hours: int) -> None:
    """It is within 5 % of 80 minutes, for any observed period."""
    result = half_life(world(growth, hours=hours))
    assert result["t50"].median() * 60 == pytest.approx(80, rel=0.05)
    assert result["t50"].notna().mean() > 0.97


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("growth", [exponential, log_logistic])
def test_the_median_half_life_is_accurate_for_any_seed(growth: Any, seed: int) -> None:
    """20 simulations of 300 posts agree."""
    result = half_life(world(growth, seed=seed), shares=(0.5, 0.75, 0.9))
    truth = {exponential: (80, 160, 265.8), log_logistic: (80, 192.7, 464.0)}[growth]
    for name, minutes in zip(("t50", "t75", "t90"), truth, strict=True):
        assert result[name].median() * 60 == pytest.approx(minutes, rel=0.05)


def test_half_lives_of_single_posts_are_accurate() -> None:
    """They vary from 20 minutes to 5 hours."""
    rng = np.random.default_rng(2)
    true = 80 / 60 * np.exp(0.5 * rng.normal(size=200))
    created = MARCH + rng.integers(0, 14 * DAY, 200)
    created.sort()
    counts = hourly(created, {"impressions": 1e5}, rng, half_life=true)
    result = half_life(counts)["t50"].to_numpy(dtype="float64")
    assert np.abs(result / true - 1).max() < 0.1
    assert np.abs(result / true - 1).mean() < 0.01


def test_half_lives_match_a_calculation_by_hand() -> None:
    """The quarters have 30, 30 and 40 %: half is reached between 0.25 and 1.25 h."""
    counts = tidy(
        [
            (POST, "favorites", "2026-03-01", 5 + n, c)
            for n, c in enumerate([3000, 3000, 4000, 0, 0, 0, 0])
        ]
    )
    result = half_life(counts, shares=(0.3, 0.5, 0.6, 0.99))
    assert result["t30"].item() == pytest.approx(0.25)
    assert result["t60"].item() == pytest.approx(1.25)
    assert 0.25 + 0.5 < result["t50"].item() < 1.25
    assert 1.3 < result["t99"].item() < 2.25
    assert result[["total", "age", "recent"]].iloc[0].to_list() == [10_000, 6.25, 0]
    assert result["why_not"].isna().all()


def test_young_posts_are_censored() -> None:
    """Posts of 3 and 6 hours have no half-life; posts of 24 hours have t50 and no t90."""
    for hours, known in ((3, 0.0), (6, 0.0), (24, 0.85)):
        result = half_life(world(log_logistic, hours=hours), shares=(0.5, 0.9))
        assert result["t50"].notna().mean() >= known
        assert result["t90"].isna().mean() > 0.9
        assert (result.loc[result["t90"].isna(), "why_not"] == "too_young").all()
        if not known:
            assert result["t50"].isna().all()


@pytest.mark.slow
def test_early_estimates_change_little() -> None:
    """Results at any age stay within 20 % of the later ones."""
    late = half_life(world(exponential, hours=168))["t50"]
    for hours in (8, 12, 16, 24, 48):
        early = half_life(world(exponential, hours=168).pipe(first_hours, hours))["t50"]
        both = early.notna() & late.notna()
        assert ((late[both] / early[both] - 1).abs() < 0.2).all()


def first_hours(counts: pd.DataFrame, hours: int) -> pd.DataFrame:
    """Remove counts after the first hours of each post."""
    row_number = counts.groupby(["post_id", "engagement_type"], observed=True).cumcount()
    return counts[row_number < hours]


@pytest.mark.parametrize(
    ("counts", "post", "why"),
    [
        ([5, 5, 0, 0, 0, 0], "20", "no_time"),
        ([5, 5, 0, 0, 0, 0], id_at("2026-03-01T03:00:00Z"), "begins_late"),
        ([5, pd.NA, 0, 0, 0, 0], POST, "gap"),
        ([pd.NA, 5, 0, 0, 0, 0], POST, "gap"),
        ([5, None, 0, 0, 0, 0], POST, "gap"),
        ([0, 0, 0, 0, 0, 0], POST, "nothing"),
        ([3, -3, 0, 0, 0, 0], POST, "nothing"),
        ([5, 5, 4], POST, "too_young"),
    ],
)
def test_every_missing_half_life_has_a_reason(counts: list[Any], post: str, why: str) -> None:
    """None is an hour without a row."""
    rows = [
        (post, "favorites", "2026-03-01", 5 + n, count)
        for n, count in enumerate(counts)
        if count is not None
    ]
    result = half_life(tidy(rows))
    assert result["t50"].isna().all()
    assert result["why_not"].to_list() == [why]
    assert set(WHY_NOT) == set(result["why_not"].cat.categories)


def test_posts_below_the_minimum_have_no_half_life() -> None:
    """The reason is *nothing*."""
    counts = tidy([(POST, "favorites", "2026-03-01", 5 + n, c) for n, c in enumerate([900, 0, 0])])
    assert half_life(counts)["t50"].notna().all()
    assert half_life(counts, minimum=901)["why_not"].to_list() == ["nothing"]


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(counts=st.lists(st.integers(0, 40), min_size=1, max_size=20))
def test_larger_shares_are_reached_later(counts: list[int]) -> None:
    """Known times are within the age of the post."""
    rows = [(POST, "favorites", "2026-03-01", 4, 0)]
    rows += [
        (POST, "favorites", f"2026-03-0{1 + (5 + n) // 24}", (5 + n) % 24, c)
        for n, c in enumerate(counts)
    ]
    result = half_life(tidy(rows), shares=(0.25, 0.5, 0.9), tolerance=100).iloc[0]
    known = [result[name] for name in ("t25", "t50", "t90") if not pd.isna(result[name])]
    assert known == sorted(known)
    assert all(0 < at <= result["age"] + 1e-9 for at in known)


def test_the_order_of_rows_has_no_effect() -> None:
    """Shuffled counts of two types give the same result."""
    rng = np.random.default_rng(4)
    created = MARCH + rng.integers(0, DAY, 20)
    counts = hourly(created, {"impressions": 500, "favorites": 40}, rng)
    shuffled = counts.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(half_life(shuffled), half_life(counts))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"shares": (50,)}, "50 is not a share"),
        ({"shares": ("half",)}, "'half' is not a share"),
        ({"shares": ()}, "shares is empty"),
        ({"tolerance": 0}, "tolerance is 0"),
    ],
)
def test_invalid_arguments_are_refused(arguments: dict[str, Any], words: str) -> None:
    """For example percentages instead of shares."""
    counts = tidy([(POST, "favorites", "2026-03-01", 5, 1)])
    with pytest.raises(FrameError, match=words):
        half_life(counts, **arguments)
    with pytest.raises(FrameError, match="'hour'"):
        half_life(counts.drop(columns="hour"))


@pytest.mark.long
def test_half_lives_match_plain_loops(bakery: Any) -> None:
    """A half-life is in the hour in which the cumulative impressions reach half."""
    table = half_life(bakery.hourly).set_index(["post_id", "engagement_type"])["t50"].dropna()
    hours_by_post: dict[str, list[tuple[pd.Timestamp, int]]] = {}
    for row in bakery.hourly.to_dict("records"):
        if row["engagement_type"] == "impressions":
            start = pd.Timestamp(row["day"], tz="UTC") + pd.Timedelta(hours=row["hour"])
            hours_by_post.setdefault(row["post_id"], []).append((start, row["count"]))
    checked = 0
    for post, hours in hours_by_post.items():
        if (post, "impressions") not in table.index:
            continue
        created, total, running = ep.created_at(post), sum(n for _, n in hours), 0
        for start, number in sorted(hours):
            running += number
            if 2 * running >= total:
                young = (start - created) / pd.Timedelta(hours=1)
                assert max(young, 0) <= table[post, "impressions"] <= young + 1
                checked += 1
                break
    assert checked >= 20


def test_the_total_of_unknown_counts_is_unknown() -> None:
    """It is not 0."""
    day = pd.Timestamp("2026-03-01")
    counts = tidy([(POST, "impressions", day, 5, 7), (POST, "impressions", day, 6, 3)])
    assert half_life(counts)["total"].to_list() == [10]
    counts["count"] = pd.array([None, None], dtype="Int64")
    assert half_life(counts)["total"].isna().to_list() == [True]
