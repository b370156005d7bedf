"""Percentile bands of a cohort by age, and the percentile of a post."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.simulated import HOUR_MS, MARCH, hourly, id_at, tidy

import engagement_pandas as ep
from engagement_pandas import FrameError
from engagement_pandas.metrics import benchmark, standing

DAY = HOUR_MS * 24


def cohort(posts: int = 9, hours: int = 5, *, at: str = "2026-03-01T00:00:00Z") -> pd.DataFrame:
    """Return posts created on the hour; the n-th gets n counts an hour."""
    return tidy(
        [
            (id_at(at, post), "impressions", "2026-03-01", hour, post)
            for post in range(1, posts + 1)
            for hour in range(hours)
        ]
    )


def test_bands_match_a_calculation_by_hand() -> None:
    """Nine posts get n counts an hour: at 3 hours the median is 15 and the 25th percentile 7.5."""
    bands = benchmark(cohort(), ages=(1, 3, 6), percentiles=(25, 50, 100))
    assert bands["age"].to_list() == [1, 3, 6]
    assert bands["n"].to_list() == [9, 9, 0]
    assert bands[["p25", "p50", "p100"]].iloc[1].to_list() == [7.5, 15, 27]
    assert bands[["p25", "p50", "p100"]].iloc[2].isna().all()
    assert bands.dtypes.astype(str).to_list() == ["category", "float64", "int64"] + ["Float64"] * 4


def test_too_few_posts_have_no_bands() -> None:
    """The row has n, without a band; younger posts and posts with gaps are left out."""
    counts = cohort(6)
    counts = counts.drop(index=[1, 28, 29])
    bands = benchmark(counts, ages=(1, 3, 5), percentiles=(50,))
    assert bands["n"].to_list() == [6, 5, 4]
    assert bands["p50"].isna().to_list() == [False, False, True]
    assert benchmark(counts, ages=(5,), minimum=4)["p50"].notna().all()


def test_each_type_has_separate_bands() -> None:
    """Blocks have the vocabulary's order."""
    rng = np.random.default_rng(1)
    created = MARCH + rng.integers(0, DAY, 30)
    bands = benchmark(hourly(created, {"favorites": 50, "impressions": 900}, rng), ages=(1, 24))
    assert bands["engagement_type"].to_list() == ["impressions"] * 2 + ["favorites"] * 2
    assert bands["p50"].iloc[1] > 10 * bands["p50"].iloc[3]


def test_a_percentile_matches_a_calculation_by_hand() -> None:
    """Of six other posts, five have fewer counts and one has more."""
    table = standing(cohort(7), at=2).set_index("post_id")
    post = id_at("2026-03-01T00:00:00Z", 6)
    assert table.loc[post, "percentile"] == pytest.approx(100 * 5.5 / 7)
    assert table.loc[post, ["age", "count", "n"]].to_list() == [2, 12, 6]


def test_each_post_is_compared_at_its_latest_complete_hour() -> None:
    """By default a post of 3 hours is compared with others at 3 hours."""
    counts = cohort(7)
    young = counts["post_id"] == id_at("2026-03-01T00:00:00Z", 4)
    table = standing(counts[~young | (counts["hour"] < 3)]).set_index("post_id")
    assert table["age"].to_list() == [5, 5, 5, 3, 5, 5, 5]
    assert table["percentile"].iloc[3] == 50
    assert table["n"].to_list() == [5, 5, 5, 6, 5, 5, 5]


def test_posts_are_ranked_in_another_cohort() -> None:
    """Ties count half; a post is not compared with itself."""
    others, own = cohort(8), cohort(3)
    ranks = standing(own, cohort=others, at=1)
    assert ranks["n"].to_list() == [7, 7, 7]
    assert ranks["percentile"].to_list() == pytest.approx([100 * (n + 0.5) / 8 for n in range(3)])
    unrelated = tidy([(id_at("2026-03-01T00:00:00Z", 99), "impressions", "2026-03-01", 0, 4)])
    ranks = standing(unrelated, cohort=others, at=1)
    assert ranks[["percentile", "n"]].iloc[0].to_list() == [100 * 4 / 9, 8]


def test_posts_without_a_comparison_have_no_percentile() -> None:
    """They are too young, observed too late, or have too few others."""
    counts = cohort(5)
    assert standing(counts, at=2)["percentile"].isna().all()
    assert standing(counts, at=2, minimum=4)["percentile"].notna().all()
    assert standing(cohort(9), at=6)["percentile"].isna().all()
    late = cohort(9).query("hour > 0")
    assert standing(late, at=2)[["count", "percentile"]].isna().all(axis=None)


@pytest.mark.slow
def test_percentiles_match_plain_loops(bakery: Any) -> None:
    """The sandbox's posts at 24 hours, including their minutes of creation."""
    ranks = standing(bakery.hourly, at=24)
    bands = benchmark(bakery.hourly, ages=(24,), percentiles=(50,))
    for engagement_type in ("impressions", "engagements"):
        rows = ranks[(ranks["engagement_type"] == engagement_type) & ranks["count"].notna()]
        known_counts = rows["count"].to_list()
        for own, percentile, n in rows[["count", "percentile", "n"]].itertuples(index=False):
            others = list(known_counts)
            others.remove(own)
            less = sum(other < own for other in others)
            same = sum(other == own for other in others)
            assert n == len(others)
            assert percentile == pytest.approx(100 * (less + same / 2 + 0.5) / (n + 1))
        assert bands.set_index("engagement_type").loc[engagement_type, "n"] == len(known_counts)
        assert bands.set_index("engagement_type").loc[engagement_type, "p50"] == pytest.approx(
            float(np.median(known_counts))
        )
    for post, count in rows[["post_id", "count"]].itertuples(index=False):
        created = ep.created_at(post)
        assert created is not None
        lower = upper = 0
        hours = bakery.hourly[
            (bakery.hourly["post_id"] == post)
            & (bakery.hourly["engagement_type"] == engagement_type)
        ]
        for start, number in zip(ep.timestamps(hours), hours["count"], strict=True):
            hours_old = (start - created).total_seconds() / 3600 + 1
            lower += number if hours_old <= 24 else 0
            upper += number if hours_old < 25 else 0
        assert lower - 1e-6 <= count <= upper + 1e-6


def test_percentiles_of_similar_posts_are_uniform() -> None:
    """A tenth of similar posts lies in each tenth."""
    rng = np.random.default_rng(2)
    created = MARCH + rng.integers(0, DAY, 400)
    counts = hourly(created, {"impressions": np.exp(7 + 0.8 * rng.normal(size=400))}, rng, hours=30)
    percentile = standing(counts, at=24)["percentile"].to_numpy(dtype="float64")
    assert np.histogram(percentile, bins=10, range=(0, 100))[0] == pytest.approx(40, abs=2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"ages": (0,)}, "hours above 0"),
        ({"ages": ()}, "ages is"),
        ({"ages": ("day",)}, "ages is"),
        ({"percentiles": (101,)}, "from 0 to 100"),
    ],
)
def test_invalid_ages_and_percentiles_are_refused(arguments: dict[str, Any], words: str) -> None:
    """The error has the value."""
    with pytest.raises(FrameError, match=words):
        benchmark(cohort(), **arguments)
    with pytest.raises(FrameError, match="at is"):
        standing(cohort(), at=-1)


def test_a_post_is_excluded_from_its_cohort_despite_other_counts() -> None:
    """The cohort may have another count for the same post."""
    body = {
        str(2027900000000000000 + n): {
            "impressions": {"2026-03-01": {"00": "0", "01": str(10 * n + 10), "02": "0"}}
        }
        for n in range(6)
    }
    edges = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T03:00:00Z"}
    counts = ep.flatten_json({"g": body, **edges})
    tripled = counts.assign(count=counts["count"] * 3)
    ranks = standing(counts, cohort=tripled, at=2)
    # Counts 10 ... 60 among five others of 30 ... 180: the second has 20 and none is below; the
    # fourth has 40 and 30 is below; the sixth has 60, 30 is below and another 60 is equal.
    expected = [100 * (n + 0.5) / 6 for n in (0, 0, 0.5, 1, 1, 1.5)]
    assert ranks["percentile"].to_list() == pytest.approx(expected)
    assert ranks["n"].to_list() == [5] * 6


def test_bands_never_decrease_with_age() -> None:
    """Younger posts are larger here, but a cumulative count never decreases."""
    rng = np.random.default_rng(2)
    parts = [
        hourly(
            MARCH + np.array([week * 7 * 24 * HOUR_MS + n * 60_000 for n in range(8)]),
            {"impressions": 100 * 4**week * np.exp(rng.normal(size=8))},
            rng,
            hours=hours,
            half_life=5,
        )
        for week, hours in enumerate((48, 24, 12, 6))
    ]
    counts = pd.concat(parts, ignore_index=True)
    counts["engagement_type"] = counts["engagement_type"].astype("category")
    counts.attrs = parts[0].attrs
    bands = benchmark(counts, ages=[1, 3, 5, 9, 11, 20, 23, 40, 47])
    assert bands["n"].to_list() == [32, 32, 32, 24, 24, 16, 16, 8, 8]
    for name in ("p10", "p50", "p90"):
        assert bands[name].is_monotonic_increasing
    assert bands["trend"].iloc[0] > 4


def test_a_cohort_may_be_limited_to_recent_posts() -> None:
    """The trend is that of the selected posts."""
    rng = np.random.default_rng(3)
    created = MARCH + np.arange(40) * 24 * HOUR_MS
    size = np.where(np.arange(40) < 20, 100, 10_000)
    counts = hourly(created, {"impressions": size}, rng, hours=30)
    every, late = (standing(counts, at=24, recent=number) for number in (None, 20))
    assert every["trend"].iloc[0] == pytest.approx(100, rel=0.1)
    assert late["trend"].isna().all()
    assert late["n"].to_list() == [20] * 20 + [19] * 20
    assert late["percentile"].iloc[:20].max() < 5
    assert benchmark(counts, ages=[24], recent=7)["n"].item() == 7
