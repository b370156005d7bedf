"""Best times: where there are some, and where there are none."""

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
from engagement_pandas.metrics.week_test import Evidence, scores, week_test

WEEK_MS = 7 * 24 * HOUR_MS
WEEKS_MS = 16 * WEEK_MS
MONDAY_9 = 9


def posts(seed: int, number: int = 120, *, factor: float = 1.0, spread: float = 0.6) -> Any:
    """Simulate posts at any hour of 16 weeks; at 9 on Mondays the rate is another."""
    dice = np.random.default_rng(seed)
    made = MARCH + dice.integers(0, WEEKS_MS, number)
    mondays = np.arange(number // 10)
    made[mondays] = MARCH + HOUR_MS * (24 + 9) + mondays * WEEK_MS
    made[mondays] += dice.integers(0, HOUR_MS, len(mondays))
    impressions = dice.poisson(1000 * np.exp(0.8 * dice.normal(size=number))) + 1
    rate = 0.03 * np.exp(spread * dice.normal(size=number))
    cell = (made // HOUR_MS + 3 * 24) % 168
    rate = np.where(cell == MONDAY_9, rate * factor, rate)
    return totals(
        made, {"impressions": impressions, "engagements": dice.poisson(impressions * rate)}
    )


def named(times: pd.DataFrame) -> list[tuple[str, int]]:
    """Return the hours that are called the best."""
    best = times[times["verdict"] == "best"]
    return list(zip(best["weekday"], best["hour"], strict=True))


@pytest.mark.long
def test_no_effect_no_best_hour() -> None:
    """120 posts without any effect: in 200 runs at most 5 % name an hour."""
    runs = [bool(named(best_times(posts(seed), draws=199))) for seed in range(200)]
    assert np.mean(runs) <= 0.05


@pytest.mark.long
@pytest.mark.parametrize("minimum", [1, 3])
@pytest.mark.parametrize("spread", [0.0, 0.6, 1.5])
def test_the_promised_error_rate(spread: float, minimum: int) -> None:
    """At a confidence of 95 %, 5 % and not more, whatever the posts' spread (400 runs)."""
    runs = [
        bool(
            named(
                best_times(posts(seed, spread=spread), draws=199, confidence=0.95, minimum=minimum)
            )
        )
        for seed in range(400)
    ]
    # Three standard errors above: the test is exact.
    assert np.mean(runs) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


@pytest.mark.slow
def test_the_best_looks_good_by_chance() -> None:
    """Without effect the best raw rate is far above the overall one, the shrunk one is not."""
    times = [best_times(posts(seed), draws=199) for seed in range(20)]
    overall = [t["engagements"].sum() / t["impressions"].sum() for t in times]
    raw = np.mean([t["rate"].max() / rate for t, rate in zip(times, overall, strict=True)])
    shrunk = np.mean([t["shrunk"].max() / rate for t, rate in zip(times, overall, strict=True)])
    assert raw > 2.5
    assert shrunk < 1.5


@pytest.mark.slow
def test_an_effect_is_found() -> None:
    """Three times the rate on Mondays at 9: named, in 19 runs of 20; few say 9 of any day."""
    found = [named(best_times(posts(seed, 150, factor=3), draws=199)) for seed in range(20)]
    assert all(hours == [] or ("Monday", 9) in hours for hours in found)
    assert sum(map(bool, found)) >= 19
    assert sum(hours == [("Monday", 9)] for hours in found) >= 16


@pytest.mark.slow
def test_a_runaway_post_hides_nothing() -> None:
    """One post of 40 times the rate, in another hour, is no evidence for its own."""
    found = []
    for seed in range(10):
        counts = posts(seed, 150, factor=3)
        row = counts.index[counts["engagement_type"] == "engagements"][-1]
        counts.loc[row, "count"] *= 40
        found.append(named(best_times(counts, draws=199)))
    assert sum(hours == [("Monday", 9)] for hours in found) >= 8


def test_a_runaway_post_is_muffled() -> None:
    """A post a thousand times better says no more than one ten times better."""
    loud = []
    for factor in (10.0, 1000.0):
        values = np.log(100.0) + np.linspace(-0.2, 0.2, 51)
        values[0] = np.log(100.0 * factor)
        score, _, _ = scores(values, np.full(51, 0.01))
        loud.append(score)
    assert loud[0][0] == 2
    assert loud[0] == pytest.approx(loud[1])


def test_the_spread_is_that_of_most_posts() -> None:
    """Normal values have normal scores, and one of a thousand times the size changes none."""
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
    tested = week_test(
        Evidence(cells, score, weight),
        lambda rows: rng.permuted(np.broadcast_to(cells, (rows, len(cells))), axis=1),
        999,
        2,
    )
    return float(tested[level].p[cell]), float(np.delete(tested[level].p, cell).min())


@pytest.mark.parametrize(("cell", "level"), [(3, "weekday"), (17, "hour of day")])
def test_levels(cell: int, level: str) -> None:
    """An effect of a weekday, or of an hour of all days: that group, and no other."""
    hit, others = _level(cell, level)
    assert hit <= 0.002
    assert others > 0.05


def test_not_enough_evidence_is_an_answer() -> None:
    """Every hour has n and a verdict; few posts are never named, however well they did."""
    times = best_times(posts(0))
    assert len(times) == 168
    assert times["n"].sum() == 120
    assert set(times["verdict"]) == {"not enough evidence", "no posts"}
    assert (times["n"].eq(0) == times["verdict"].eq("no posts")).all()
    assert times.loc[times["n"] < 3, "p"].isna().all()
    lucky = tidy(
        [
            (id_at(f"2026-03-0{day}T09:10:00Z", day), kind, count)
            for day in range(1, 9)
            for kind, count in (("impressions", 1000), ("engagements", 900 if day == 2 else 10))
        ],
        "post_id",
        "engagement_type",
        "count",
    )
    assert not named(best_times(lucky))


def test_posting_by_hand() -> None:
    """Local weekday and hour of the making; sums and rate of its posts."""
    made = ["2026-03-01T23:30:00Z", "2026-03-01T23:50:00Z", "2026-03-02T08:00:00Z"]
    rows = [
        (id_at(moment), kind, count)
        for moment, pair in zip(made, ((10, 200), (20, 100), (1, 100)), strict=True)
        for kind, count in zip(("engagements", "impressions"), pair, strict=True)
    ]
    times = best_times(tidy(rows, "post_id", "engagement_type", "count"), tz="Europe/Berlin")
    there = times[times["n"] > 0]
    assert there[["weekday", "hour", "n"]].to_numpy().tolist() == [
        ["Monday", 0, 2],
        ["Monday", 9, 1],
    ]
    assert there["rate"].to_list() == [0.1, 0.01]
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


@pytest.mark.slow
@pytest.mark.parametrize("tz", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_engagement_against_loops(tz: str, bakery: Any) -> None:
    """By the clock of the counts: sums and posts of each local hour, in plain Python."""
    zone = ZoneInfo(tz)
    sums: dict[Any, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    seen: dict[Any, set[str]] = defaultdict(set)
    for row in bakery.few.to_dict("records"):
        moment = row["day"].to_pydatetime().replace(tzinfo=UTC, hour=row["hour"])
        local = moment.astimezone(zone)
        cell = (local.weekday(), local.hour)
        if row["engagement_type"] in ("impressions", "engagements"):
            sums[cell][row["engagement_type"]] += row["count"]
        if row["engagement_type"] == "impressions" and row["count"] > 0:
            seen[cell].add(row["post_id"])
    times = best_times(bakery.few, tz=tz, clock="engagement", draws=199)
    for place, row in enumerate(times.to_dict("records")):
        cell = divmod(place, 24)
        assert row["n"] == len(seen[cell])
        if row["n"] == len(bakery.few["post_id"].unique()):
            assert row["impressions"] == sums[cell]["impressions"]
            assert row["engagements"] == sums[cell]["engagements"]


def weeks(seed: int, factor: float = 1.0) -> pd.DataFrame:
    """Simulate 40 posts watched for two weeks; at 20 h, UTC, the rate may be another."""
    dice = np.random.default_rng(seed)
    made = MARCH + dice.integers(0, WEEK_MS * 2, 40)
    size = 20_000 * np.exp(0.6 * dice.normal(size=40))
    rate = 0.05 * np.exp(0.5 * dice.normal(size=40))
    counts = hourly(
        made,
        {"impressions": size, "engagements": size * rate},
        dice,
        hours=14 * 24,
        half_life=48.0,
    )
    late = (counts["hour"] == 20) & (counts["engagement_type"] == "engagements")
    more = (counts["count"] * factor).round().astype("Int64")
    return counts.assign(count=counts["count"].where(~late, more))


@pytest.mark.slow
def test_engagement_clock() -> None:
    """Evenings with twice the rate are found, all of them; without effect none is named."""
    evenings = best_times(weeks(1, 2.0), clock="engagement", draws=199)
    better = evenings[evenings["verdict"].isin(["best", "better"])]
    assert set(better["hour"]) == {20}
    assert len(better) >= 5
    runs = [bool(named(best_times(weeks(s), clock="engagement", draws=199))) for s in range(20)]
    assert sum(runs) <= 1


def test_posts_are_held_against_themselves() -> None:
    """Posts of a high rate that are seen at 20 h, and others at 8 h: no better hour."""
    dice = np.random.default_rng(9)
    rows = [
        (id_at(f"2026-03-02T0{n % 7}:30:00Z", n), kind, f"2026-03-{2 + day:02d}", hour, int(count))
        for n in range(40)
        for day in range(7)
        for hour in ((20, 21) if n % 2 else (8, 9))
        for kind, count in (
            ("impressions", 1000),
            ("engagements", dice.poisson(200 if n % 2 else 20)),
        )
    ]
    times = best_times(tidy(rows), clock="engagement", draws=199)
    assert not named(times)
    assert times.loc[20, "rate"] > 5 * times.loc[8, "rate"]
    assert times.loc[20, "shrunk"] == pytest.approx(times.loc[8, "shrunk"], rel=0.1)


@pytest.mark.long
def test_engagement_clock_keeps_its_promise() -> None:
    """At 95 %: in 300 worlds without an effect about 5 % name an hour, and not more."""
    runs = [
        bool(named(best_times(weeks(s), clock="engagement", draws=199, confidence=0.95)))
        for s in range(300)
    ]
    assert np.mean(runs) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


@pytest.mark.slow
def test_the_same_again() -> None:
    """Seeded: the same answer twice, whatever the order of the rows."""
    counts = posts(3)
    pd.testing.assert_frame_equal(best_times(counts), best_times(counts))
    other = best_times(counts.sample(frac=1, random_state=2))
    pd.testing.assert_frame_equal(best_times(counts), other)


def test_daylight_saving() -> None:
    """09:30 in Berlin is 08:30 UTC in winter and 07:30 in summer: the same hour."""
    made = [id_at("2026-03-23T08:30:00Z"), id_at("2026-03-30T07:30:00Z")]
    rows = [(post, kind, 9) for post in made for kind in ("engagements", "impressions")]
    times = best_times(tidy(rows, "post_id", "engagement_type", "count"), tz="Europe/Berlin")
    assert times.loc[times["n"] > 0, ["weekday", "hour", "n"]].to_numpy().tolist() == [
        ["Monday", 9, 2]
    ]


@pytest.mark.parametrize(
    ("asked", "words"),
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
def test_refused(asked: dict[str, Any], words: str) -> None:
    """Clocks, zones and numbers that there are not; hours where there are none."""
    with pytest.raises(FrameError, match=words):
        best_times(posts(0), **asked)


def test_ids_without_a_time() -> None:
    """Posts whose ID holds no time are left out of the posting clock, and break nothing."""
    counts = tidy(
        [("20", "impressions", 9), ("20", "engagements", 1)], "post_id", "engagement_type", "count"
    )
    assert ep.created_at("20") is None
    assert best_times(counts)["n"].sum() == 0


def threads(seed: int, number: int = 60) -> pd.DataFrame:
    """Make threads of four posts in one hour; the posts of a thread have much in common."""
    rng = np.random.default_rng(seed)
    made = MARCH + rng.integers(0, WEEKS_MS // HOUR_MS, number) * HOUR_MS
    made = (made[:, None] + rng.integers(0, HOUR_MS, (number, 4))).ravel()
    common = np.repeat(rng.normal(size=number), 4)
    rate = 0.03 * np.exp(0.8 * common + 0.6 * rng.normal(size=4 * number))
    impressions = rng.poisson(1000 * np.exp(0.8 * rng.normal(size=4 * number))) + 1
    return totals(
        made, {"impressions": impressions, "engagements": rng.poisson(impressions * rate)}
    )


@pytest.mark.long
def test_a_thread_is_one_observation() -> None:
    """60 threads of 4 posts without any effect: named in 2 of 60 analyses at most."""
    runs = [bool(named(best_times(threads(seed), draws=199))) for seed in range(60)]
    assert sum(runs) <= 2
    times = best_times(threads(1), draws=199)
    assert times["n"].sum() == 240
    assert times["threads"].sum() == 60


def test_accounts_have_their_own_threads() -> None:
    """Two posts in one hour are one thread, unless they are of two accounts."""
    made = ["2026-03-02T09:10:00Z", "2026-03-02T09:40:00Z"]
    rows = [(id_at(moment), kind, 9) for moment in made for kind in ("engagements", "impressions")]
    counts = tidy(rows, "post_id", "engagement_type", "count")
    assert best_times(counts)["threads"].sum() == 1
    handles = counts["post_id"].map(dict(zip(map(id_at, made), "ab", strict=True)))
    assert best_times(counts.assign(handle=handles))["threads"].sum() == 2


def shifted(seed: int, chosen: Any, *, number: int = 200) -> pd.DataFrame:
    """Make posts at office hours; those in some hours of the week have twice the impressions."""
    rng = np.random.default_rng(seed)
    day, hour = rng.integers(0, 112, number), rng.integers(9, 18, number)
    made = MARCH + (day * 24 + hour) * HOUR_MS + rng.integers(0, HOUR_MS, number)
    size = 1000 * np.exp(0.5 * rng.normal(size=number))
    return totals(made, {"impressions": np.round(size * np.where(chosen(day, hour), 2, 1))})


@pytest.mark.parametrize(
    ("chosen", "level", "words"),
    [
        (lambda _, hour: hour == 14, "hour of day", "14:00 to 15:00, on any day"),
        (lambda day, _: day % 7 == 3, "weekday", "Wednesday, at any hour"),
    ],
)
def test_counts_at_the_coarsest_level(chosen: Any, level: str, words: str) -> None:
    """Twice the impressions at 14:00 of all days, or on Wednesdays: found at that level."""
    times = best_times(shifted(1, chosen), by="impressions", at=None)
    best = times[times["verdict"] == "best"]
    assert set(best["level"]) == {level}
    assert best_named(times) == words
    assert times.loc[times["verdict"] != "best", "level"].isna().all()


def test_counts_by_hand() -> None:
    """The mean count per post, and the sum."""
    made = ["2026-03-02T09:10:00Z", "2026-03-09T09:40:00Z", "2026-03-16T09:40:00Z"]
    rows = [(id_at(moment), "favorites", 3 * n) for n, moment in enumerate(made)]
    counts = tidy(rows, "post_id", "engagement_type", "count")
    row = best_times(counts, by="favorites", at=None).loc[9]
    assert row[["n", "threads", "favorites", "rate"]].to_list() == [3, 3, 9, 3.0]


@pytest.mark.long
def test_noise_is_drawn_flat() -> None:
    """Pure noise with heavy tails: the best cell is at most 1.3 times the worst, by the median."""
    ratios = []
    for seed in range(40):
        times = best_times(posts(seed, 200, spread=1.0), draws=100)
        shown = times.loc[times["threads"] >= 3, "shrunk"]
        ratios.append(shown.max() / shown.min())
    assert np.median(ratios) <= 1.1
    assert np.quantile(ratios, 0.9) <= 1.6
