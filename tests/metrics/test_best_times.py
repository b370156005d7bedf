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
from engagement_pandas.metrics.best_times import _evidence, _Parts

WEEKS_MS = 4 * 7 * 24 * HOUR_MS
MONDAY_9 = 9


def posts(seed: int, number: int = 120, *, factor: float = 1.0, spread: float = 0.6) -> Any:
    """Simulate posts at any hour of four weeks; at 9 on Mondays the rate is another."""
    dice = np.random.default_rng(seed)
    made = MARCH + dice.integers(0, WEEKS_MS, number)
    made[: number // 10] = MARCH + HOUR_MS * (24 + 9) + dice.integers(0, HOUR_MS, number // 10)
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


@pytest.mark.slow
def test_no_effect_no_best_hour() -> None:
    """120 posts without any effect: in 200 runs at most 5 % name an hour."""
    runs = [bool(named(best_times(posts(seed), draws=199))) for seed in range(200)]
    assert np.mean(runs) <= 0.05


@pytest.mark.long
@pytest.mark.parametrize("minimum", [1, 3])
@pytest.mark.parametrize("spread", [0.0, 0.6, 1.5])
def test_the_promised_error_rate(spread: float, minimum: int) -> None:
    """At a confidence of 95 %, 5 % and not more, whatever the posts' spread (1000 runs)."""
    runs = [
        bool(
            named(
                best_times(posts(seed, spread=spread), draws=199, confidence=0.95, minimum=minimum)
            )
        )
        for seed in range(1000)
    ]
    # Three standard errors above: the test is exact.
    assert np.mean(runs) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)


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
    """Three times the rate on Mondays at 9: named, in 19 runs of 20, and no other."""
    found = [named(best_times(posts(seed, 150, factor=3), draws=199)) for seed in range(20)]
    assert all(hours in ([], [("Monday", 9)]) for hours in found)
    assert sum(map(bool, found)) >= 19


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
    """A post a thousand times better than expected says no more than one ten times better."""
    loud = []
    for count in (1000.0, 100_000.0):
        number = np.full(50, 100.0)
        number[0] = count
        flat = np.full(50, 100.0)
        parts = _Parts(np.arange(50), np.arange(50), number, flat, flat, 1.0)
        told, square = _evidence(parts, np.full(50, 400.0))
        loud.append(told[0] / np.sqrt(square[0]))
    assert loud == pytest.approx([1.96, 1.96])


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
        "Int64",
        "Int64",
        "Float64",
        "Float64",
        "Float64",
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
    made = MARCH + dice.integers(0, WEEKS_MS // 2, 40)
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
