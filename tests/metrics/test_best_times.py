"""Best times: an effect is found, and chance gives none."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from support.simulated import HOUR_MS, MARCH, hourly, id_at, tidy, totals

import engagement_pandas as ep
from engagement_pandas import FrameError
from engagement_pandas.metrics import best_times
from engagement_pandas.metrics.best_times import best_named, permuted_days, permuted_threads
from engagement_pandas.metrics.permutation_test import Evidence, permutation_test, scores

WEEK_MS = 7 * 24 * HOUR_MS
WEEKS_MS = 16 * WEEK_MS
MONDAY_9 = 9


def posts(seed: int, number: int = 120, *, factor: float = 1.0, spread: float = 0.6) -> Any:
    """Simulate posts at any hour of 16 weeks; a factor changes the rate of Mondays at 9."""
    rng = np.random.default_rng(seed)
    created = MARCH + rng.integers(0, WEEKS_MS, number)
    mondays = np.arange(number // 10)
    created[mondays] = MARCH + HOUR_MS * (24 + 9) + mondays * WEEK_MS
    created[mondays] += rng.integers(0, HOUR_MS, len(mondays))
    impressions = rng.poisson(1000 * np.exp(0.8 * rng.normal(size=number))) + 1
    rate = 0.03 * np.exp(spread * rng.normal(size=number))
    cell = (created // HOUR_MS + 3 * 24) % 168
    rate = np.where(cell == MONDAY_9, rate * factor, rate)
    return totals(
        created, {"impressions": impressions, "engagements": rng.poisson(impressions * rate)}
    )


def named(times: pd.DataFrame) -> list[tuple[str, int]]:
    """Return the hours with the verdict *best*."""
    best = times[times["verdict"] == "best"]
    return list(zip(best["weekday"], best["hour"], strict=True))


def test_the_score_of_a_viral_post_is_limited() -> None:
    """A post with 1,000 times the rate weighs as much as one with ten times the rate."""
    by_factor = []
    for factor in (10.0, 1000.0):
        values = np.log(100.0) + np.linspace(-0.2, 0.2, 51)
        values[0] = np.log(100.0 * factor)
        score, _, _ = scores(values, np.full(51, 0.01))
        by_factor.append(score)
    assert by_factor[0][0] == 2
    assert by_factor[0] == pytest.approx(by_factor[1])


def test_outliers_do_not_change_the_spread() -> None:
    """Normal values have normal scores, and one outlier changes none of them."""
    values = np.random.default_rng(3).normal(2.0, 0.5, size=2001)
    score, weight, centre = scores(values, np.zeros(2001))
    assert centre == pytest.approx(2, abs=0.05)
    assert weight[0] == pytest.approx(2, rel=0.05)
    assert np.std(np.clip(score, -2, 2)) == pytest.approx(0.96, abs=0.05)


def _level(cell: int, level: str) -> tuple[float, float]:
    """Return the p-value of the group with an effect, and the smallest of the others."""
    rng = np.random.default_rng(1)
    cells = np.repeat(np.arange(168), 2)
    hit = {"weekday": cells // 24 == cell, "hour of day": cells % 24 == cell}[level]
    values = np.where(hit, 1.0, 0.0) + 0.3 * rng.normal(size=len(cells))
    score, weight, _ = scores(values, np.zeros(len(cells)))
    tested = permutation_test(
        Evidence(cells, score, weight),
        lambda rows: rng.permuted(np.broadcast_to(cells, (rows, len(cells))), axis=1),
        999,
        2,
    )
    return float(tested[level].p[cell]), float(np.delete(tested[level].p, cell).min())


@pytest.mark.parametrize(("cell", "level"), [(3, "weekday"), (17, "hour of day")])
def test_an_effect_is_found_at_its_level(cell: int, level: str) -> None:
    """The effect of a weekday, or of an hour of all days, is found for that group only."""
    hit, others = _level(cell, level)
    assert hit <= 0.002
    assert others > 0.05


def test_one_level_alone_has_the_error_rate_for_itself() -> None:
    """Of the 6 orders of two good posts and two bad ones, 2 have the good ones on one day."""
    monday, tuesday = 9, 33
    good_posts = [(0, 1), (2, 3), (0, 2), (0, 3), (1, 2), (1, 3)]
    orders = np.full((6, 4), tuesday)
    for order, good in zip(orders, good_posts, strict=True):
        order[list(good)] = monday
    observed, *others = orders
    evidence = Evidence(observed, np.array([1.0, 1, -1, -1]), np.ones(4))
    tested = permutation_test(evidence, lambda rows: np.array(others[:rows]), 5, 1, ["weekday"])
    assert list(tested) == ["weekday"]
    assert tested["weekday"].p[0] == pytest.approx(2 / 6)


@pytest.mark.slow
def test_only_the_chosen_level_is_reported() -> None:
    """Twice the impressions at 14:00 are no evidence for a weekday."""
    counts = shifted(1, lambda _, hour: hour == 14)
    hours = best_times(counts, by="impressions", at=None, level="hour of day")
    assert best_named(hours) == "14:00 to 15:00, on any day"
    days = best_times(counts, by="impressions", at=None, level="weekday")
    assert best_named(days) == "not enough evidence"
    assert days.groupby("weekday", observed=True)["p"].nunique().eq(1).all()


def test_few_posts_are_never_the_best() -> None:
    """Every hour has n and a verdict; few posts are never named, despite their rate."""
    times = best_times(posts(0))
    assert len(times) == 168
    assert times["n"].sum() == 120
    assert set(times["verdict"]) == {"not enough evidence", "no posts"}
    assert (times["n"].eq(0) == times["verdict"].eq("no posts")).all()
    assert times.loc[times["n"] < 3, "p"].isna().all()
    few_posts = tidy(
        [
            (id_at(f"2026-03-0{day}T09:10:00Z", day), engagement_type, count)
            for day in range(1, 9)
            for engagement_type, count in (
                ("impressions", 1000),
                ("engagements", 900 if day == 2 else 10),
            )
        ],
        "post_id",
        "engagement_type",
        "count",
    )
    assert not named(best_times(few_posts))


def test_posting_times_match_a_calculation_by_hand() -> None:
    """Rows have the local weekday and hour of creation, with sums and rates of their posts."""
    created = ["2026-03-01T23:30:00Z", "2026-03-01T23:50:00Z", "2026-03-02T08:00:00Z"]
    rows = [
        (id_at(timestamp), engagement_type, count)
        for timestamp, pair in zip(created, ((10, 200), (20, 100), (1, 100)), strict=True)
        for engagement_type, count in zip(("engagements", "impressions"), pair, strict=True)
    ]
    times = best_times(tidy(rows, "post_id", "engagement_type", "count"), tz="Europe/Berlin")
    with_posts = times[times["n"] > 0]
    assert with_posts[["weekday", "hour", "n"]].to_numpy().tolist() == [
        ["Monday", 0, 2],
        ["Monday", 9, 1],
    ]
    assert with_posts["rate"].to_list() == [0.1, 0.01]
    assert times.dtypes.astype(str).to_list() == [
        "category",
        "int8",
        "int64",
        "int64",
        "Int64",
        "Int64",
        "Float64",
        "Float64",
        "Float64",
        "category",
        "category",
    ]


@pytest.mark.long
@pytest.mark.parametrize("tz", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_engagement_times_match_plain_loops(tz: str, bakery: Any) -> None:
    """Sums and posts of each local hour of the counts are computed in plain Python."""
    zone = ZoneInfo(tz)
    sums: dict[Any, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    seen: dict[Any, set[str]] = defaultdict(set)
    for row in bakery.few.to_dict("records"):
        timestamp = row["day"].to_pydatetime().replace(tzinfo=UTC, hour=row["hour"])
        local = timestamp.astimezone(zone)
        cell = (local.weekday(), local.hour)
        if row["engagement_type"] in ("impressions", "engagements"):
            sums[cell][row["engagement_type"]] += row["count"]
        if row["engagement_type"] == "impressions" and row["count"] > 0:
            seen[cell].add(row["post_id"])
    times = best_times(bakery.few, tz=tz, clock="engagement", draws=199)
    for i, row in enumerate(times.to_dict("records")):
        cell = divmod(i, 24)
        assert row["n"] == len(seen[cell])
        if row["n"] == len(bakery.few["post_id"].unique()):
            assert row["impressions"] == sums[cell]["impressions"]
            assert row["engagements"] == sums[cell]["engagements"]


def weeks(seed: int, factor: float = 1.0) -> pd.DataFrame:
    """Simulate 40 posts watched for two weeks; a factor changes the rate at 20:00 UTC."""
    rng = np.random.default_rng(seed)
    created = MARCH + rng.integers(0, WEEK_MS * 2, 40)
    size = 20_000 * np.exp(0.6 * rng.normal(size=40))
    rate = 0.05 * np.exp(0.5 * rng.normal(size=40))
    counts = hourly(
        created,
        {"impressions": size, "engagements": size * rate},
        rng,
        hours=14 * 24,
        half_life=48.0,
    )
    late = (counts["hour"] == 20) & (counts["engagement_type"] == "engagements")
    more = (counts["count"] * factor).round().astype("Int64")
    return counts.assign(count=counts["count"].where(~late, more))


@pytest.mark.slow
def test_the_engagement_clock_finds_an_effect() -> None:
    """Evenings with twice the rate are all found."""
    evenings = best_times(weeks(1, 2.0), clock="engagement", draws=199)
    better = evenings[evenings["verdict"].isin(["best", "better"])]
    assert set(better["hour"]) == {20}
    assert len(better) >= 5


def test_the_engagement_clock_compares_within_posts() -> None:
    """Posts with a high rate seen at 20 h, and others at 8 h, give no better hour."""
    rng = np.random.default_rng(9)
    rows = [
        (
            id_at(f"2026-03-02T0{n % 7}:30:00Z", n),
            engagement_type,
            f"2026-03-{2 + day:02d}",
            hour,
            int(count),
        )
        for n in range(40)
        for day in range(7)
        for hour in ((20, 21) if n % 2 else (8, 9))
        for engagement_type, count in (
            ("impressions", 1000),
            ("engagements", rng.poisson(200 if n % 2 else 20)),
        )
    ]
    times = best_times(tidy(rows), clock="engagement", draws=199)
    assert not named(times)
    assert times.loc[20, "rate"] > 5 * times.loc[8, "rate"]
    assert times.loc[20, "shrunk"] == pytest.approx(times.loc[8, "shrunk"], rel=0.1)


@pytest.mark.slow
def test_news_of_one_hour_is_not_an_effect_of_that_hour_of_the_week() -> None:
    """On one Monday of four, all ten posts have three times the rate at 20:00."""
    posts_ = [id_at(f"2026-03-01T{10 + n}:30:00Z") for n in range(10)]
    rows = [
        (post, engagement_type, f"2026-03-{day:02d}", hour, count)
        for post in posts_
        for day in range(2, 30)
        for hour in range(8, 22)
        for engagement_type, count in (
            ("impressions", 1000),
            ("engagements", 150 if (day, hour) == (9, 20) else 50),
        )
    ]
    times = best_times(tidy(rows), clock="engagement", draws=199)
    assert not named(times)
    assert times.loc[20, ["n", "threads"]].to_list() == [10, 4]


def test_a_rate_that_falls_with_age_is_not_an_effect_of_the_hour() -> None:
    """All posts are created between 9:00 and 10:00, and the rate of their first hour is best."""
    rows = [
        (
            id_at(f"2026-03-{day:02d}T09:30:00Z"),
            engagement_type,
            f"2026-03-{day:02d}",
            9 + age,
            count,
        )
        for day in range(2, 30)
        for age, engaged in enumerate((100, 80, 60, 50, 40, 30))
        for engagement_type, count in (("impressions", 1000), ("engagements", engaged))
    ]
    assert not named(best_times(tidy(rows), clock="engagement", draws=199))


def test_permutations_keep_the_hours_of_a_day_together() -> None:
    """Two Mondays and a Tuesday remain; 23:00 and 1:00 are still 2 hours apart."""
    cell = np.array([23, 1, 23, 1, 24 + 23, 24 + 1])
    date = np.array([0, 0, 7, 7, 8, 8])
    permuted = permuted_days(cell, date, 50, np.random.default_rng(1))
    weekday, hour = np.divmod(permuted, 24)
    assert (weekday[:, ::2] == weekday[:, 1::2]).all()
    assert (np.sort(weekday[:, ::2], axis=1) == [0, 0, 1]).all()
    assert ((hour[:, 1::2] - hour[:, ::2]) % 24 == 2).all()
    assert len(np.unique(permuted, axis=0)) > 40


@pytest.mark.slow
def test_results_are_reproducible() -> None:
    """The random numbers are seeded, and the order of the rows has no effect."""
    counts = posts(3)
    pd.testing.assert_frame_equal(best_times(counts), best_times(counts))
    other = best_times(counts.sample(frac=1, random_state=2))
    pd.testing.assert_frame_equal(best_times(counts), other)


def test_a_drift_of_rate_and_schedule_is_no_effect_of_the_hour() -> None:
    """For 8 weeks posts are made at 9:00, then at 18:00; the rate then falls to a third."""
    rng = np.random.default_rng(7)
    day = np.arange(112)
    late = day >= 56
    created = MARCH + (day * 24 + np.where(late, 18, 9)) * HOUR_MS
    rate = np.where(late, 0.02, 0.06) * np.exp(0.4 * rng.normal(size=112))
    counts = totals(created, {"impressions": [2000] * 112, "engagements": rng.poisson(2000 * rate)})
    assert best_named(best_times(counts)) == "not enough evidence"


def test_threads_are_permuted_within_their_period() -> None:
    """The first 45 of 90 have other hours than the last 45, in each permutation."""
    cell = np.arange(90)
    for row in permuted_threads(cell, 5, np.random.default_rng(1)):
        assert sorted(row[:45]) == [*range(45)]
        assert sorted(row) == [*range(90)]
        assert list(row) != list(cell)


def test_daylight_saving_keeps_the_local_hour() -> None:
    """09:30 in Berlin is 08:30 UTC in winter and 07:30 in summer: the same hour."""
    created = [id_at("2026-03-23T08:30:00Z"), id_at("2026-03-30T07:30:00Z")]
    rows = [
        (post, engagement_type, 9)
        for post in created
        for engagement_type in ("engagements", "impressions")
    ]
    times = best_times(tidy(rows, "post_id", "engagement_type", "count"), tz="Europe/Berlin")
    assert times.loc[times["n"] > 0, ["weekday", "hour", "n"]].to_numpy().tolist() == [
        ["Monday", 9, 2]
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"clock": "wall"}, "clock is 'wall'"),
        ({"level": "day"}, "level is 'day'; choose one of .'weekday', 'hour of day', 'hour of the"),
        ({"tz": "Mars"}, "no time zone 'Mars'"),
        ({"draws": 9}, "draws is 9"),
        ({"confidence": 1}, "confidence is 1"),
        ({"clock": "engagement"}, "'day'"),
        ({"clock": "engagement", "by": "impressions"}, "depend on when the posts were created"),
        ({"numerator": "claps"}, "no engagement type 'claps'"),
        ({"numerator": "replies"}, "counts have no 'replies', only"),
        ({"by": "replies"}, "counts have no 'replies', only"),
    ],
)
def test_invalid_arguments_are_refused(arguments: dict[str, Any], words: str) -> None:
    """Invalid clocks, zones and numbers, and hours of counts without days."""
    with pytest.raises(FrameError, match=words):
        best_times(posts(0), **arguments)


def test_ids_without_a_time_are_left_out() -> None:
    """Such posts have no posting time, and cause no error."""
    counts = tidy(
        [("20", "impressions", 9), ("20", "engagements", 1)], "post_id", "engagement_type", "count"
    )
    assert ep.created_at("20") is None
    assert best_times(counts)["n"].sum() == 0


def threads(seed: int, number: int = 60) -> pd.DataFrame:
    """Simulate threads of four posts in one hour; the posts of a thread share an effect."""
    rng = np.random.default_rng(seed)
    created = MARCH + rng.integers(0, WEEKS_MS // HOUR_MS, number) * HOUR_MS
    created = (created[:, None] + rng.integers(0, HOUR_MS, (number, 4))).ravel()
    common = np.repeat(rng.normal(size=number), 4)
    rate = 0.03 * np.exp(0.8 * common + 0.6 * rng.normal(size=4 * number))
    impressions = rng.poisson(1000 * np.exp(0.8 * rng.normal(size=4 * number))) + 1
    return totals(
        created, {"impressions": impressions, "engagements": rng.poisson(impressions * rate)}
    )


def test_a_thread_counts_as_one_observation() -> None:
    """240 posts are 60 threads of 4."""
    times = best_times(threads(1), draws=199)
    assert times["n"].sum() == 240
    assert times["threads"].sum() == 60


def test_accounts_have_separate_threads() -> None:
    """Two posts in one hour are one thread, unless they belong to two accounts."""
    created = ["2026-03-02T09:10:00Z", "2026-03-02T09:40:00Z"]
    rows = [
        (id_at(timestamp), engagement_type, 9)
        for timestamp in created
        for engagement_type in ("engagements", "impressions")
    ]
    counts = tidy(rows, "post_id", "engagement_type", "count")
    assert best_times(counts)["threads"].sum() == 1
    handles = counts["post_id"].map(dict(zip(map(id_at, created), "ab", strict=True)))
    assert best_times(counts.assign(handle=handles))["threads"].sum() == 2


def shifted(seed: int, chosen: Any, *, number: int = 200) -> pd.DataFrame:
    """Simulate posts at office hours; those in some hours have twice the impressions."""
    rng = np.random.default_rng(seed)
    day, hour = rng.integers(0, 112, number), rng.integers(9, 18, number)
    created = MARCH + (day * 24 + hour) * HOUR_MS + rng.integers(0, HOUR_MS, number)
    size = 1000 * np.exp(0.5 * rng.normal(size=number))
    return totals(created, {"impressions": np.round(size * np.where(chosen(day, hour), 2, 1))})


@pytest.mark.parametrize(
    ("chosen", "level", "words"),
    [
        (lambda _, hour: hour == 14, "hour of day", "14:00 to 15:00, on any day"),
        (lambda day, _: day % 7 == 3, "weekday", "Wednesday, at any hour"),
    ],
)
def test_an_effect_is_reported_at_the_coarsest_level(chosen: Any, level: str, words: str) -> None:
    """Twice the impressions at 14:00 of all days, or on Wednesdays, are found at that level."""
    times = best_times(shifted(1, chosen), by="impressions", at=None)
    best = times[times["verdict"] == "best"]
    assert set(best["level"]) == {level}
    assert best_named(times) == words
    assert times.loc[times["verdict"] != "best", "level"].isna().all()


def test_counts_have_a_mean_per_post_and_a_sum() -> None:
    """The values were worked out by hand."""
    created = ["2026-03-02T09:10:00Z", "2026-03-09T09:40:00Z", "2026-03-16T09:40:00Z"]
    rows = [(id_at(timestamp), "favorites", 3 * n) for n, timestamp in enumerate(created)]
    counts = tidy(rows, "post_id", "engagement_type", "count")
    row = best_times(counts, by="favorites", at=None).loc[9]
    assert row[["n", "threads", "favorites", "rate"]].to_list() == [3, 3, 9, 3.0]
