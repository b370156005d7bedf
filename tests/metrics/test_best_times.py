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
from engagement_pandas.metrics.best_times import best_named
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


@pytest.mark.long
def test_no_effect_gives_no_best_hour() -> None:
    """At most 5 % of 200 runs of 120 posts without an effect find an hour."""
    runs = [bool(named(best_times(posts(seed), draws=199))) for seed in range(200)]
    assert np.mean(runs) <= 0.05


@pytest.mark.long
@pytest.mark.parametrize(("spread", "minimum"), [(0.0, 1), (1.5, 3)])
def test_the_error_rate_is_at_most_one_minus_the_confidence(spread: float, minimum: int) -> None:
    """It is 5 % at a confidence of 95 %, for any spread of posts (400 runs)."""
    runs = [
        bool(
            named(
                best_times(posts(seed, spread=spread), draws=199, confidence=0.95, minimum=minimum)
            )
        )
        for seed in range(400)
    ]
    # Three standard errors above the level, since the test is exact.
    assert np.mean(runs) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


@pytest.mark.slow
def test_the_shrunk_rate_is_not_inflated_by_chance() -> None:
    """Without an effect the best raw rate is far above the overall rate; the shrunk one is not."""
    times = [best_times(posts(seed), draws=199) for seed in range(20)]
    overall = [t["engagements"].sum() / t["impressions"].sum() for t in times]
    raw = np.mean([t["rate"].max() / rate for t, rate in zip(times, overall, strict=True)])
    shrunk = np.mean([t["shrunk"].max() / rate for t, rate in zip(times, overall, strict=True)])
    assert raw > 2.5
    assert shrunk < 1.5


@pytest.mark.slow
def test_an_effect_is_found_in_most_runs() -> None:
    """Mondays at 9 have three times the rate: 19 of 20 runs find it; few name 9 of any day."""
    best_hours = [named(best_times(posts(seed, 150, factor=3), draws=199)) for seed in range(20)]
    assert all(hours == [] or ("Monday", 9) in hours for hours in best_hours)
    assert sum(map(bool, best_hours)) >= 19
    assert sum(hours == [("Monday", 9)] for hours in best_hours) >= 16


@pytest.mark.slow
def test_a_viral_post_does_not_hide_an_effect() -> None:
    """One post with 40 times the rate, in another hour, is no evidence for that hour."""
    best_hours = []
    for seed in range(10):
        counts = posts(seed, 150, factor=3)
        row = counts.index[counts["engagement_type"] == "engagements"][-1]
        counts.loc[row, "count"] *= 40
        best_hours.append(named(best_times(counts, draws=199)))
    assert sum(hours == [("Monday", 9)] for hours in best_hours) >= 8


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


@pytest.mark.long
def test_the_engagement_clock_finds_an_effect() -> None:
    """Evenings with twice the rate are all found; without an effect no hour is named."""
    evenings = best_times(weeks(1, 2.0), clock="engagement", draws=199)
    better = evenings[evenings["verdict"].isin(["best", "better"])]
    assert set(better["hour"]) == {20}
    assert len(better) >= 5
    runs = [bool(named(best_times(weeks(s), clock="engagement", draws=199))) for s in range(20)]
    assert sum(runs) <= 1


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


@pytest.mark.long
def test_the_engagement_clock_keeps_its_error_rate() -> None:
    """At 95 %, about 5 % of 300 simulations without an effect name an hour, and not more."""
    runs = [
        bool(named(best_times(weeks(s), clock="engagement", draws=199, confidence=0.95)))
        for s in range(300)
    ]
    assert np.mean(runs) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


@pytest.mark.slow
def test_results_are_reproducible() -> None:
    """The random numbers are seeded, and the order of the rows has no effect."""
    counts = posts(3)
    pd.testing.assert_frame_equal(best_times(counts), best_times(counts))
    other = best_times(counts.sample(frac=1, random_state=2))
    pd.testing.assert_frame_equal(best_times(counts), other)


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
        ({"tz": "Mars"}, "no time zone 'Mars'"),
        ({"draws": 9}, "draws is 9"),
        ({"confidence": 1}, "confidence is 1"),
        ({"clock": "engagement"}, "'day'"),
        ({"clock": "engagement", "by": "impressions"}, "depend on when the posts were created"),
        ({"numerator": "claps"}, "no engagement type 'claps'"),
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


@pytest.mark.long
def test_a_thread_counts_as_one_observation() -> None:
    """60 threads of 4 posts without an effect: at most 2 of 60 analyses name an hour."""
    runs = [bool(named(best_times(threads(seed), draws=199))) for seed in range(60)]
    assert sum(runs) <= 2
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


@pytest.mark.long
def test_shrunk_rates_of_noise_are_nearly_equal() -> None:
    """With heavy tails the median ratio of the best hour to the worst is at most 1.1."""
    ratios = []
    for seed in range(40):
        times = best_times(posts(seed, 200, spread=1.0), draws=100)
        shown = times.loc[times["threads"] >= 3, "shrunk"]
        ratios.append(shown.max() / shown.min())
    assert np.median(ratios) <= 1.1
    assert np.quantile(ratios, 0.9) <= 1.6
