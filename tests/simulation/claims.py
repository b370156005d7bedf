"""The promises of the metrics, their simulations, and the measured values.

Each claim is measured on simulated posts with a separate seed. This file, run with python, prints
the table of the guide on metrics.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from simulation.worlds import (
    account,
    accounts,
    engagements,
    growth,
    office_hours,
    rates,
    responses,
    sizes,
    viral,
)
from support.simulated import HOUR_MS, MARCH, hourly, totals

import engagement_pandas as ep
from engagement_pandas.metrics import (
    adjusted_comparison,
    age,
    breakouts,
    concentration,
    forecast,
    funnel,
    half_life,
    median_half_life,
    standing,
    top_posts,
    type_correlation,
    versus_previous,
)
from engagement_pandas.metrics.benchmark import _ranked, trend_of
from engagement_pandas.metrics.best_times import DRAWS as TIME_DRAWS
from engagement_pandas.metrics.best_times import (
    MINIMUM,
    SURE,
    centred,
    hour_scores,
    level_of,
    permuted_days,
    permuted_threads,
    thread_scores,
)
from engagement_pandas.metrics.compare import holm, unequal_spread
from engagement_pandas.metrics.intervals import dispersion, group_interval
from engagement_pandas.metrics.permutation_test import LEVELS, WEEK, Evidence, permutation_test
from engagement_pandas.metrics.resampling import Sample, StudentisedTest

Floats = NDArray[np.float64]
Rng = np.random.Generator
DRAWS = 399


@dataclass(frozen=True)
class Claim:
    """A promise about a share or a mean of outcomes, within ``low`` and ``high``.

    ``measure`` returns the outcomes of a number of runs.
    """

    metric: str
    words: str
    nominal: str
    low: float
    high: float
    runs: int
    measure: Callable[[Rng, int], Floats]

    def measured(self) -> tuple[float, float]:
        """Return the mean of the outcomes, and its Monte Carlo error."""
        seed = zlib.crc32(f"{self.metric}: {self.words}".encode())
        outcomes = self.measure(np.random.default_rng(seed), self.runs)
        return float(np.mean(outcomes)), float(np.std(outcomes) / np.sqrt(len(outcomes)))

    def row(self, measured: float, error: float) -> str:
        """Return a row of the guide's table."""
        return (
            f"| `{self.metric}` | {self.words} | {self.nominal} "
            f"| {100 * measured:.1f} % | {100 * error:.1f} |"
        )


def _typical(counts: Floats) -> Sample:
    return Sample(np.log1p(counts), np.ones(len(counts)))


def _mean(counts: Floats) -> Sample:
    return Sample(counts, np.ones(len(counts)))


def _found(samples: Sequence[Sample], seed: int) -> bool:
    return bool(StudentisedTest.of(samples, DRAWS, seed).p(0.95) <= 0.05)


def counts_differ(  # noqa: PLR0913 - a world
    rng: Rng,
    runs: int,
    *,
    numbers: tuple[int, int] = (20, 20),
    sigma: tuple[float, float] = (1.0, 1.0),
    ratio: float = 1.0,
    viral_share: float = 0.0,
    statistic: Callable[[Floats], Sample] = _typical,
    unflagged: bool = False,
) -> Floats:
    """Compare two sets of counts with this ratio of means."""
    found = []
    for run in range(runs):
        sides = [
            viral(rng, sizes(rng, n, s, 1000 * factor), viral_share)
            for n, s, factor in zip(numbers, sigma, (ratio, 1), strict=True)
        ]
        differs = _found([statistic(side) for side in sides], run)
        flagged = unflagged and unequal_spread([_mean(side) for side in sides], "mean")
        found.append(differs and not flagged)
    return np.array(found, dtype=float)


def spread_is_flagged(rng: Rng, runs: int, *, sigma: tuple[float, float]) -> Floats:
    """Flag two sets of 20 posts with these standard deviations of logarithms."""
    sides = [[_mean(sizes(rng, 20, s)) for s in sigma] for _ in range(runs)]
    return np.array([bool(unequal_spread(pair, "mean")) for pair in sides], dtype=float)


def _two_rates(  # noqa: PLR0913 - a world
    rng: Rng,
    *,
    numbers: tuple[int, int] = (20, 20),
    each: float = 1.0,
    sd: float = 0.6,
    sigma: float = 1.0,
    factor: float = 1.0,
) -> list[Sample]:
    """Return two sets of posts; the first has a multiple of the rate of the second."""
    sides = []
    for number, multiple in zip(numbers, (factor, 1.0), strict=True):
        impressions = sizes(rng, number, sigma) + 1
        engaged = engagements(rng, impressions * multiple * rates(rng, number, sd), each)
        sides.append(Sample(engaged, impressions))
    return sides


def rates_differ(rng: Rng, runs: int, **world: Any) -> Floats:
    """Compare two sets of posts by rate."""
    return np.array([_found(_two_rates(rng, **world), run) for run in range(runs)], dtype=float)


def difference_is_covered(rng: Rng, runs: int, *, number: int) -> Floats:
    """Cover the difference of two rates, 6 % and 3 %."""
    covered = []
    for run in range(runs):
        samples = _two_rates(rng, numbers=(number, number), factor=2.0)
        test = StudentisedTest.of(samples, DRAWS, run)
        covered.append(abs(test.difference - 0.03) <= test.half_width(0.95))
    return np.array(covered, dtype=float)


def five_sets(rng: Rng, runs: int) -> Floats:
    """Compare each of five sets with the others; any difference is an error."""
    found = []
    for run in range(runs):
        logs = [np.log1p(sizes(rng, 15, 1.5)) for _ in range(5)]
        p = []
        for i, own in enumerate(logs):
            rest = np.concatenate(logs[:i] + logs[i + 1 :])
            pair = [Sample(values, np.ones(len(values))) for values in (own, rest)]
            p.append(StudentisedTest.of(pair, DRAWS, run).p(0.95))
        found.append(holm(np.array(p)).min() <= 0.05)
    return np.array(found, dtype=float)


def group_is_named(
    rng: Rng, runs: int, *, by: str = "handle", which: str | None = None, **world: Any
) -> Floats:
    """Name an account or tag in a simulation without effects, or the one with an effect."""
    factors = {} if which is None else {which: 2.0}
    found = []
    for _ in range(runs):
        counts, posts, _ = accounts(rng, factors=factors, **world)
        table = adjusted_comparison(counts, posts, by=by, at=None)
        named = set(table.loc[table["differs"].fillna(value=False), "group"])
        found.append(bool(named) if which is None else which in named)
    return np.array(found, dtype=float)


def account_is_covered(rng: Rng, runs: int, **world: Any) -> Floats:
    """Return the share of accounts whose interval covers their difference from their size."""
    covered = []
    for _ in range(runs):
        counts, posts, effects = accounts(rng, **world)
        table = adjusted_comparison(counts, posts, at=None).dropna(subset=["low"])
        true = np.exp(table["group"].map(effects))
        covered.append(((table["low"] <= true) & (true <= table["high"])).mean())
    return np.array(covered)


def pair_is_covered(rng: Rng, runs: int, *, tag: str | None = None, **world: Any) -> Floats:
    """Cover the ratio of two accounts per follower, or of posts with a tag and without."""
    covered = []
    for _ in range(runs):
        counts, posts, effects = accounts(rng, exponent=1.0, **world)
        if tag is None:
            true = np.exp(effects["account_0"] - effects["account_1"])
            table = adjusted_comparison(counts, posts, exponent=1, at=None)
        else:
            # Groups are in the order of names: posts without the tag (False) are first.
            true = np.exp(-effects.get(tag, 0.0))
            used = posts.assign(used=[tag in own for own in posts["tags"]])
            table = adjusted_comparison(counts, used, by="used", at=None)
        covered.append(table["low"].item() <= true <= table["high"].item())
    return np.array(covered, dtype=float)


def time_is_named(  # noqa: PLR0913 - a world
    rng: Rng,
    runs: int,
    *,
    number: int = 200,
    sd: float = 0.6,
    sigma: float = 1.3,
    thread: int = 1,
    viral_share: float = 0.0,
    drifting: bool = False,
    hit: Callable[[NDArray[np.int64]], NDArray[np.bool_]] | None = None,
    planted: int = 0,
    factor: float = 1.0,
    level: str | None = None,
    tested: Sequence[str] = tuple(LEVELS),
    runaway: int = 1,
    flat: bool = False,
    confidence: float = SURE,
    minimum: int = MINIMUM,
) -> Floats:
    """Analyse posts at office hours: a time is named, at the level, or noise is drawn.

    If drifting, the rate falls to 1/e, and the schedule moves from 9:00 to 18:00.
    """
    found = []
    for _ in range(runs):
        threads = number // thread
        cell = office_hours(rng, threads)
        if planted:  # in any of the weeks
            cell[rng.permutation(threads)[:planted]] = 2 * 24 + 12
        post = np.repeat(np.arange(threads), thread)
        impressions = viral(rng, sizes(rng, number, sigma) + 1, viral_share)
        common = 0.8 if thread > 1 else 0.0
        logs = common * rng.normal(size=threads)[post]
        logs += np.sqrt(1 - common**2) * rng.normal(size=number)
        rate = 0.03 * np.exp(sd * logs)
        if drifting:
            time = np.arange(threads) / threads
            usual = 9 + 9 * time + 1.5 * rng.normal(size=threads)
            cell = cell // 24 * 24 + np.clip(np.round(usual), 0, 23).astype(np.int64)
            rate *= np.exp(-time)[post]
        if hit is not None:
            rate = np.where(hit(cell)[post], factor * rate, rate)
        engaged = engagements(rng, impressions * rate)
        engaged[-1] *= runaway
        score, weight, _ = thread_scores(post, engaged, impressions)
        levels = permutation_test(
            Evidence(cell, centred(score, weight), weight),
            lambda rows, cell=cell: permuted_threads(cell, rows, rng),
            TIME_DRAWS,
            minimum,
            tested,
        )
        if flat:
            enough = np.bincount(cell, minlength=WEEK) >= 3
            effect = levels["hour of the week"].cautious[enough]
            found.append(np.exp(np.ptp(effect)) > 1.3 if enough.any() else False)
        else:
            name = level_of(levels, 1 - confidence)
            found.append(name is not None if level is None else name == level)
    return np.array(found, dtype=float)


def response_is_named(rng: Rng, runs: int, *, level: str | None = None, **world: Any) -> Floats:
    """Analyse posts by the clock of engagement: a time is named, at the level."""
    found = []
    for _ in range(runs):
        created, impressions, engaged = responses(rng, **world)
        post, hour = np.nonzero(impressions)
        seen, order = np.unique(hour, return_inverse=True)
        age_hours = hour - np.floor(created)[post]
        weights = hour_scores(post, age_hours, order, engaged[post, hour], impressions[post, hour])
        levels = permutation_test(
            Evidence(seen % WEEK, *weights),
            partial(permuted_days, seen % WEEK, seen // 24, rng=rng),
            TIME_DRAWS,
            MINIMUM,
        )
        name = level_of(levels, 1 - SURE)
        found.append(name is not None if level is None else name == level)
    return np.array(found, dtype=float)


def post_is_covered(rng: Rng, runs: int, *, each: float, mean: float = 100.0) -> Floats:
    """Cover each post's own rate: 20 posts of 48 hours, with repeated engagements of readers."""
    covered: list[Floats] = []
    while len(covered) * 20 < runs:
        true = rates(rng, (20, 1), 0.6)
        impressions = rng.poisson(np.exp(rng.normal(size=(20, 1))) * mean / 0.03 / 48, (20, 48))
        engaged = engagements(rng, impressions * true, each)
        post = np.repeat(np.arange(20), 48)
        spread = dispersion(engaged.ravel(), impressions.ravel(), post)
        low, high = group_interval(
            engaged.sum(axis=1),
            impressions.sum(axis=1),
            np.arange(20),
            20,
            np.nan_to_num(spread, nan=1),
        )
        covered.append((low <= true[:, 0]) & (true[:, 0] <= high))
    return np.concatenate(covered).astype(float)


def group_is_covered(rng: Rng, runs: int, *, number: int, sd: float, sigma: float) -> Floats:
    """Cover the account's rate by the interval of a group of posts."""
    impressions = sizes(rng, (runs, number), sigma) + 1
    engaged = engagements(rng, impressions * rates(rng, (runs, number), sd))
    group = np.repeat(np.arange(runs), number)
    low, high = group_interval(engaged.ravel(), impressions.ravel(), group, runs)
    return ((low <= 0.03) & (high >= 0.03)).astype(float)


def _hourly_posts(  # noqa: PLR0913, PLR0917 - a world
    rng: Rng, runs: int, kind: str, half: float, total: float, hours: int
) -> pd.DataFrame:
    created = MARCH + np.sort(rng.integers(0, 14 * 24 * HOUR_MS, runs))
    return hourly(
        created,
        {"impressions": total},
        rng,
        hours=hours,
        growth=lambda at, life: growth(kind, at, life),
        half_life=half,
    )


def few_counts_mislead(rng: Rng, runs: int, *, total: float, hours: int) -> Floats:
    """Return a half-life of a post of 24 hours with an error of more than 25 %."""
    wrong = []
    for kind in ("exponential", "lognormal", "Lomax"):
        found = half_life(_hourly_posts(rng, runs // 3, kind, 24.0, total, hours))["t50"]
        error = np.abs(found.to_numpy(dtype=float, na_value=np.nan) / 24 - 1)
        wrong.append(error > 0.25)
    return np.concatenate(wrong).astype(float)


def half_life_error(rng: Rng, runs: int, *, half: float, kind: str) -> Floats:
    """Return the relative error of the half-life of posts with 5,000 counts."""
    found = half_life(_hourly_posts(rng, runs, kind, half, 5000.0, 24))["t50"]
    return found.dropna().to_numpy(dtype=float) / half - 1


def bracket_holds(rng: Rng, runs: int) -> Floats:
    """Cover the median of posts of all ages up to a day, with half-lives around 80 minutes."""
    within = []
    for _ in range(runs):
        own = 80 / 60 * np.exp(0.8 * rng.normal(size=150))
        # A post of the last three hours may have no counts, and so no rows.
        created = MARCH + np.sort(rng.integers(0, (24 - 3) * HOUR_MS, 150))
        counts = hourly(created, {"impressions": 2000}, rng, hours=24, half_life=own)
        end = pd.Timestamp(MARCH + 24 * HOUR_MS, unit="ms")
        begins = counts["day"] + pd.to_timedelta(counts["hour"].astype(int), unit="h")
        row = median_half_life(counts[begins < end]).iloc[0]
        high = np.inf if pd.isna(row["high"]) else row["high"]
        # The median of the sample, not that of the distribution.
        within.append(0.98 * row["low"] <= np.median(own) <= 1.02 * high)
    return np.array(within, dtype=float)


def forecast_covers(rng: Rng, runs: int, *, hours: int) -> Floats:
    """Cover the count of a post at 168 hours, with 50 other posts of all sizes and paces."""
    covered: list[Floats] = []
    while len(covered) * 50 < runs:
        own = 80 / 60 * np.exp(0.8 * rng.normal(size=100))
        created = MARCH + np.sort(rng.integers(0, 7 * 24 * HOUR_MS, 100))
        counts = hourly(
            created, {"impressions": sizes(rng, 100, 1.0, 3000) + 50}, rng, hours=170,
            half_life=own, growth=lambda at, life: growth("Lomax", at, life),
        )  # fmt: skip
        row_number = counts.groupby("post_id").cumcount()
        # Every second post is young: its counts end after ``hours`` hours.
        ids = np.sort(counts["post_id"].unique())
        young = counts["post_id"].isin(ids[::2])
        table = forecast(counts[young & (row_number < hours)], cohort=counts[~young])
        final = counts[young].groupby("post_id")["count"].apply(lambda c: c.iloc[:169].sum())
        known = table["forecast"].notna().to_numpy()
        true = final.reindex(table["post_id"]).to_numpy(dtype=float)
        within = (table["low"].to_numpy(dtype=float, na_value=np.nan) <= true) & (
            true <= table["high"].to_numpy(dtype=float, na_value=np.nan)
        )
        covered.append(within[known])
    return np.concatenate(covered).astype(float)


def sandbox_posts(now: pd.Timestamp) -> pd.DataFrame:
    """Return hourly impressions of the sandbox's posts of eight weeks, with 168 hours or more.

    The sandbox has different growth curves.
    """
    end = now.normalize() - pd.Timedelta(days=1)
    start = end - pd.Timedelta(days=56)
    with ep.demo_client(now=now.isoformat(), posts=400) as demo:
        created = demo.posts["created_at"]
        old = (created >= start) & (created < end - pd.Timedelta(hours=169))
        request = ep.historical(
            demo.posts[old & (demo.posts["handle"] == "sandbox_bakery")],
            engagement_types=["impressions"],
            window=ep.Window.covering(f"{start:%Y-%m-%d}", f"{end:%Y-%m-%d}"),
        )
        return ep.flatten(demo.client.fetch(request))


def sandbox_forecast_covers(rng: Rng, runs: int, *, hours: int) -> Floats:
    """Cover the count at 168 hours of every second post of the sandbox; the rest is the cohort."""
    covered: list[Floats] = []
    while len(covered) * 60 < runs:
        day = pd.Timestamp("2026-01-15T12:20:00Z") + pd.Timedelta(days=int(rng.integers(200)))
        counts = sandbox_posts(day)
        ids = np.sort(counts["post_id"].unique())
        early = (age(counts) <= hours).fillna(value=False)
        for half in (ids[::2], ids[1::2]):
            young = counts["post_id"].isin(half)
            known = forecast(counts[young & early], cohort=counts[~young]).dropna(subset="low")
            final = standing(counts[young], at=168).set_index("post_id")["count"]
            true = final.reindex(known["post_id"]).to_numpy(dtype=float)
            within = (known["low"].to_numpy(dtype=float) <= true) & (true <= known["high"])
            covered.append(within.to_numpy(dtype=float))
        covered[-2:] = [np.concatenate(covered[-2:])]
    return np.concatenate(covered)


def stands_high(rng: Rng, runs: int, *, others: int) -> Floats:
    """Rank at the 90th percentile or above among similar posts."""
    cohort = np.sort(rng.normal(size=(runs, others)), axis=1)
    own = rng.normal(size=runs)
    not_in_cohort = np.array([np.nan])
    ranks = [_ranked(own[[run]], cohort[run], not_in_cohort)[0].item() for run in range(runs)]
    return (np.array(ranks) >= 90).astype(float)


def within_band(rng: Rng, runs: int, *, others: int) -> Floats:
    """Lie between p10 and p90 of similar posts."""
    cohort = rng.normal(size=(runs, others))
    own = rng.normal(size=runs)
    low, high = np.percentile(cohort, [10, 90], axis=1, method="weibull")
    return ((low <= own) & (own <= high)).astype(float)


def breakout_is_named(rng: Rng, runs: int, **world: float | bool) -> Floats:
    """Name any breakout in 28 days without one."""
    return np.array([len(breakouts(account(rng, **world))) > 0 for _ in range(runs)], dtype=float)


def is_flagged(rng: Rng, runs: int, **world: float | bool) -> Floats:
    """Flag the tail as heavy, where a post is named."""
    found: list[bool] = []
    while len(found) < runs:
        found.extend(breakouts(account(rng, **world))["heavy_tail"].dropna()[:1])
    return np.array(found, dtype=float)


def burst_is_found(rng: Rng, runs: int, *, factor: float) -> Floats:
    """Find the hour, by day, in which all posts of an account had a multiple of their counts."""
    found = []
    for _ in range(runs):
        hour = int(rng.integers(8, 26)) * 24 + int(rng.integers(9, 22))
        table = breakouts(account(rng, burst=(hour, factor)))
        start = pd.Timestamp(MARCH + hour * HOUR_MS, unit="ms", tz="UTC")
        found.append(((table["what"] == "hour") & (table["start"] == start)).any())
    return np.array(found, dtype=float)


def is_found(rng: Rng, runs: int, *, what: str, **world: float) -> Floats:
    """Find a post of a multiple of its size, or a shift of the level."""
    tables = (breakouts(account(rng, **world)) for _ in range(runs))
    return np.array([(table["what"] == what).any() for table in tables], dtype=float)


def step_is_covered(rng: Rng, runs: int, *, number: int, sigma: float) -> Floats:
    """Cover the rate from detail expands to clicks, of posts that differ in both."""
    covered = []
    for _ in range(runs):
        impressions = sizes(rng, number, sigma, 5000) + 1
        expands = engagements(rng, impressions * rates(rng, number, 0.4, 0.06))
        clicks = engagements(rng, expands * rates(rng, number, 0.6, 0.2))
        created = MARCH + HOUR_MS * np.arange(number)
        table = funnel(
            totals(
                created,
                {"impressions": impressions, "detail_expands": expands, "url_clicks": clicks},
            )
        )
        row = table[table["engagement_type"] == "url_clicks"].iloc[0]
        covered.append(row["low"] <= 0.2 <= row["high"])
    return np.array(covered, dtype=float)


def correlation_is_covered(rng: Rng, runs: int, *, number: int, normal: float) -> Floats:
    """Cover the rank correlation of two lognormal counts, given that of their logarithms."""
    true = 6 / np.pi * np.arcsin(normal / 2)
    covered = []
    for _ in range(runs):
        pair = rng.multivariate_normal([0, 0], [[1, normal], [normal, 1]], number)
        counts = rng.poisson(5000 * np.exp(pair))
        created = MARCH + HOUR_MS * np.arange(number)
        row = type_correlation(
            totals(created, {"favorites": counts[:, 0], "replies": counts[:, 1]})
        ).iloc[0]
        covered.append(row["low"] <= true <= row["high"])
    return np.array(covered, dtype=float)


def equal_weeks(rng: Rng, runs: int) -> Floats:
    """Return the logarithm of the change between two equal weeks; counts end at any hour."""
    found = []
    for _ in range(runs):
        counts = account(rng, days=17, per_day=8, sigma=0.5)
        begins = counts["day"] + pd.to_timedelta(counts["hour"].astype(int), unit="h")
        end = pd.Timestamp(MARCH + (16 * 24 + int(rng.integers(1, 24))) * HOUR_MS, unit="ms")
        found.append(np.log1p(float(versus_previous(counts[begins < end])["change"].iloc[0])))
    return np.array(found)


def concentration_error(rng: Rng, runs: int, *, column: str, sigma: float, true: float) -> Floats:
    """Return the relative error of a measure of 100 posts with lognormal counts."""
    created = MARCH + HOUR_MS * np.arange(100)
    tables = (
        concentration(totals(created, {"favorites": sizes(rng, 100, sigma, 5000)}))
        for _ in range(runs)
    )
    return np.array([float(table[column].iloc[0]) / true - 1 for table in tables])


def _ranked_posts(rng: Rng, sigma: float) -> tuple[pd.DataFrame, Floats]:
    """Return 200 posts by rate, and their true rates in that order."""
    impressions, true = sizes(rng, 200, sigma) + 1, rates(rng, 200, 0.5)
    created = MARCH + HOUR_MS * np.arange(200)
    counts = totals(
        created, {"impressions": impressions, "engagements": engagements(rng, impressions * true)}
    )
    of_post = pd.Series(true, np.sort(counts["post_id"].unique()))
    table = top_posts(counts, by="rate", n=200, minimum=0)
    return table, of_post.reindex(table["post_id"]).to_numpy(dtype=float)


def shrunk_rate_is_covered(rng: Rng, runs: int, *, sigma: float) -> Floats:
    """Cover each post's rate by its shrunk interval."""
    covered: list[Floats] = []
    while len(covered) * 200 < runs:
        table, true = _ranked_posts(rng, sigma)
        covered.append((table["low"].to_numpy() <= true) & (true <= table["high"].to_numpy()))
    return np.concatenate(covered).astype(float)


def top_ten_are_good(rng: Rng, runs: int, *, sigma: float) -> Floats:
    """Return the mean true rate of the ten named, over that of the ten best."""
    found = [_ranked_posts(rng, sigma)[1] for _ in range(runs)]
    return np.array([true[:10].mean() / np.sort(true)[-10:].mean() for true in found])


def trend_is_found(rng: Rng, runs: int, *, factor: float) -> Floats:
    """Find that 60 posts grew by so many times from the first to the last."""
    created_days = np.arange(60.0)
    growing = factor ** (created_days / 59)
    trends = [trend_of(sizes(rng, 60) * growing, created_days) for _ in range(runs)]
    return (~np.isnan(trends)).astype(float)


CLAIMS = (
    Claim("compare", "equal, 20 and 20 posts", "5 %", 0.035, 0.065, 1000, counts_differ),
    Claim(
        "compare", "equal, 2 % of posts viral", "5 %", 0.02, 0.065, 600,
        partial(counts_differ, viral_share=0.02),
    ),
    Claim(
        "compare", "equal, sigma 2, 5 and 50 posts", "5 %", 0.02, 0.075, 600,
        partial(counts_differ, numbers=(5, 50), sigma=(2.0, 2.0)),
    ),
    Claim(
        "compare", "4 times apart, 20 and 20 posts: found", "at least 90 %", 0.9, 1, 300,
        partial(counts_differ, ratio=4),
    ),
    Claim(
        "compare", "10 times apart, sigma 1.5, 2 % viral: found", "at least 90 %", 0.9, 1, 300,
        partial(counts_differ, ratio=10, sigma=(1.5, 1.5), viral_share=0.02),
    ),
    Claim("compare", "each of five equal sets with the others", "5 %", 0, 0.065, 300, five_sets),
    Claim(
        "compare", "equal means by name, 20 and 20 posts", "at most 5 %", 0, 0.065, 600,
        partial(counts_differ, statistic=_mean),
    ),
    Claim(
        "compare", "equal means, sigma 1.2 and 0.4: an error that is not flagged", "at most 5 %",
        0, 0.05, 600,
        partial(counts_differ, statistic=_mean, sigma=(1.2, 0.4), unflagged=True),
    ),
    Claim(
        "compare", "equal spread: flagged as unequal", "at most 5 %", 0, 0.065, 1000,
        partial(spread_is_flagged, sigma=(1.0, 1.0)),
    ),
    Claim("compare", "equal rates", "at most 5 %", 0, 0.065, 600, rates_differ),
    Claim(
        "compare", "equal rates, 2.5 engagements a reader", "at most 5 %", 0, 0.065, 600,
        partial(rates_differ, each=2.5),
    ),
    *(
        Claim(
            "compare", f"equal {words}, {few} and {many} posts, sigma {sigma}", "5 %",
            0, 0.065, 400, partial(measure, numbers=(few, many), sigma=spread),
        )
        for few, many, sigma in ((5, 5, 1.0), (5, 30, 1.0), (10, 40, 0.3), (60, 60, 1.0))
        for words, measure, spread in (
            ("counts", counts_differ, (sigma, sigma)), ("rates", rates_differ, sigma),
        )
    ),
    *(
        claim
        for number, least in ((30, 0.6), (200, 0.99))
        for claim in (
            Claim(
                "compare", f"twice the rate, {number} and {number} posts: found",
                f"at least {100 * least:.0f} %", least, 1, 400,
                partial(rates_differ, numbers=(number, number), factor=2.0),
            ),
            Claim(
                "compare", f"twice the rate, {number} and {number} posts: interval",
                "95 %", 0.925, 0.985, 400, partial(difference_is_covered, number=number),
            ),
        )
    ),
    Claim(
        "adjusted_comparison", "accounts alike but for size and hours: any is named",
        "at most 5 %", 0, 0.05, 300, group_is_named,
    ),
    Claim(
        "adjusted_comparison", "the same, sigma 1.5, threads of 4 posts, 2 % viral: any is named",
        "at most 5 %", 0, 0.05, 300,
        partial(group_is_named, sigma=1.5, thread=4, threads=15, viral_share=0.02),
    ),
    Claim(
        "adjusted_comparison", "tags of larger accounts at better hours: any is named",
        "5 %", 0, 0.065, 300, partial(group_is_named, by="tags", scatter=0.4),
    ),
    Claim(
        "adjusted_comparison", "an account of twice as much, 8 accounts of 60 posts: found",
        "at least 80 %", 0.8, 1, 150,
        partial(group_is_named, number=8, threads=60, which="account_0"),
    ),
    Claim(
        "adjusted_comparison", "a tag of twice as much, 3 accounts of 60 posts: found",
        "at least 80 %", 0.8, 1, 150,
        partial(group_is_named, by="tags", number=3, threads=60, which="launch"),
    ),
    Claim(
        "adjusted_comparison", "interval of one of two accounts, counts per follower", "95 %",
        0.93, 0.97, 400, partial(pair_is_covered, number=2),
    ),
    Claim(
        "adjusted_comparison", "interval of a tag, threads of 4 posts", "95 %", 0.93, 0.97, 400,
        partial(pair_is_covered, tag="launch", number=3, thread=4, factors={"launch": 2.0}),
    ),
    Claim(
        "adjusted_comparison", "interval of one of six accounts that scatter by 0.4",
        "at least 95 %", 0.95, 1, 100, partial(account_is_covered, scatter=0.4),
    ),
    Claim("best_times", "no effect: a time is named", "1 %", 0, 0.015, 500, time_is_named),
    Claim(
        "best_times", "no effect, heavy tails", "1 %", 0, 0.015, 500,
        partial(time_is_named, sd=1.0, sigma=2.0),
    ),
    *(
        Claim(
            "best_times", f"no effect, rates of sd {sd}, {least} or more posts, confidence of 95 %",
            "5 %", 0.02, 0.07, 400,
            partial(time_is_named, number=120, sd=sd, minimum=least, confidence=0.95),
        )
        for sd, least in ((0.0, 1), (1.5, 3))
    ),
    Claim(
        "best_times", "no effect, threads of 4 posts", "1 %", 0, 0.015, 500,
        partial(time_is_named, number=240, thread=4, sd=1.0),
    ),
    *(
        Claim(
            "best_times", f"no effect, {number} posts, rate and schedule drift", "1 %", 0, 0.015,
            500, partial(time_is_named, number=number, drifting=True),
        )
        for number in (200, 600)
    ),
    Claim(
        "best_times", "twice the rate at one hour of all days: found at that level",
        "at least 75 %", 0.75, 1, 400,
        partial(time_is_named, hit=lambda cell: cell % 24 == 14, factor=2, level="hour of day"),
    ),
    Claim(
        "best_times", "twice the rate on one weekday: found at that level", "at least 90 %",
        0.90, 1, 1200,
        partial(time_is_named, hit=lambda cell: cell // 24 == 3, factor=2, level="weekday"),
    ),
    Claim(
        "best_times", "twice the rate on one weekday, rates of sd 0.5: found at that level",
        "at least 96 %", 0.96, 1, 500,
        partial(
            time_is_named, sd=0.5, hit=lambda cell: cell // 24 == 3, factor=2, level="weekday"
        ),
    ),
    *(
        claim
        for level, case, hit, least in (
            ("weekday", "on one weekday", lambda cell: cell // 24 == 3, 0.95),
            ("hour of day", "at one hour of all days", lambda cell: cell % 24 == 14, 0.85),
        )
        for claim in (
            Claim(
                "best_times", f"no effect, only level {level!r} is tested", "1 %", 0, 0.015, 500,
                partial(time_is_named, tested=[level]),
            ),
            Claim(
                "best_times", f"twice the rate {case}, only level {level!r} is tested: found",
                f"at least {100 * least:.0f} %", least, 1, 500,
                partial(time_is_named, tested=[level], hit=hit, factor=2, level=level),
            ),
        )
    ),
    Claim(
        "best_times",
        "twice the rate on one weekday, rates of sd 0.5, only level 'weekday' is tested: found",
        "at least 98 %", 0.98, 1, 500,
        partial(
            time_is_named, sd=0.5, tested=["weekday"], hit=lambda cell: cell // 24 == 3, factor=2,
            level="weekday",
        ),
    ),
    Claim(
        "best_times", "3 times at one hour of the week, 8 posts, and a post of 60 times: found",
        "at least 80 %", 0.8, 1, 150,
        partial(
            time_is_named, hit=lambda cell: cell == 2 * 24 + 12, planted=8, factor=3, runaway=60
        ),
    ),
    Claim(
        "best_times", "3 times at one hour of the week, 20 posts: found at that level",
        "at least 80 %", 0.8, 1, 150,
        partial(
            time_is_named, hit=lambda cell: cell == 2 * 24 + 12, planted=20, factor=3,
            level="hour of the week",
        ),
    ),
    Claim(
        "best_times", "no effect, heavy tails: the map spans more than 1.3 times",
        "at most 15 %", 0, 0.15, 200,
        partial(time_is_named, sd=1.0, sigma=2.0, flat=True),
    ),
    *(
        Claim(
            "best_times", f"clock of engagement, no effect, {case}: a time is named", "1 %",
            0, 0.015, 300, partial(response_is_named, **world),
        )
        for case, world in (
            ("40 posts", {}),
            ("threads of 4 posts", {"thread": 4}),
            ("40 posts share an hour's news of 30 %", {"news": 0.3}),
            ("200 posts share an hour's news of 30 %", {"news": 0.3, "posts": 200}),
            ("news of 30 % that lasts 6 hours", {"news": 0.3, "lasting": 6}),
            ("a rate that halves with age, posts at 9:00", {"fading": 0.5, "fixed": True}),
        )
    ),
    *(
        Claim(
            "best_times", f"clock of engagement, {words}: found at that level",
            f"at least {100 * least:.0f} %", least, 1, 100,
            partial(response_is_named, level=level, size=1500, news=0.3, hit=hit, factor=2),
        )
        for words, level, hit, least in (
            (
                "twice the rate at one hour of all days, 4 weeks, news of 30 %", "hour of day",
                lambda cell: cell % 24 == 20, 0.95,
            ),
            (
                "twice the rate on one weekday, 4 weeks, news of 30 %", "weekday",
                lambda cell: cell // 24 == 2, 0.7,
            ),
        )
    ),
    Claim(
        "engagement_rate", "interval of a post, Poisson readers", "95 %", 0.93, 0.97, 2000,
        partial(post_is_covered, each=1.0),
    ),
    Claim(
        "engagement_rate", "interval of a post, 2 engagements a reader", "95 %", 0.93, 0.97,
        2000, partial(post_is_covered, each=2.0),
    ),
    Claim(
        "engagement_rate", "interval of a post, 3 engagements a reader", "95 %", 0.93, 0.97,
        2000, partial(post_is_covered, each=3.0),
    ),
    *(
        Claim(
            "engagement_rate", f"interval of {number} posts, rates of sd {sd}, sigma {sigma}",
            "95 %", 0.93, 0.97, 2000,
            partial(group_is_covered, number=number, sd=sd, sigma=sigma),
        )
        for number, sd, sigma in (
            (10, 0.3, 1.0), (10, 0.6, 1.0), (50, 0.6, 1.0), (200, 0.6, 1.0), (50, 1.0, 1.0),
            (50, 0.6, 2.0),
        )
    ),
    *(
        Claim(
            "half_life", f"24 hours, {total} counts, watched {hours} h: a wrong answer",
            "at most 2 %", 0, 0.02, 600,
            partial(few_counts_mislead, total=float(total), hours=hours),
        )
        for total, hours in ((30, 6), (10, 6), (30, 24), (10, 24))
    ),
    *(
        Claim(
            "half_life", f"20 minutes, {kind}: mean error", "within 6 %", -0.06, 0.06, 600,
            partial(half_life_error, half=1 / 3, kind=kind),
        )
        for kind in ("exponential", "lognormal", "Lomax")
    ),
    Claim(
        "half_life", "80 minutes, exponential: mean error", "within 2 %", -0.02, 0.02, 600,
        partial(half_life_error, half=4 / 3, kind="exponential"),
    ),
    Claim(
        "forecast", "90 % interval at 168 hours, from 6 hours on", "90 %", 0.86, 0.94, 1500,
        partial(forecast_covers, hours=6),
    ),
    Claim(
        "forecast", "90 % interval at 168 hours, from 24 hours on", "90 %", 0.86, 0.94, 1500,
        partial(forecast_covers, hours=24),
    ),
    *(
        Claim(
            "forecast", f"the same for posts of the sandbox, from {hours} hours on", "90 %",
            0.86, 0.94, 240, partial(sandbox_forecast_covers, hours=hours),
        )
        for hours in (6, 24)
    ),
    Claim(
        "median_half_life", "the bracket holds the median of posts of all ages", "at least 90 %",
        0.9, 1, 20, bracket_holds,
    ),
    *(
        Claim(
            "standing", f"at the 90th percentile or above, {others} others", "10 %",
            0.08, 0.12, 4000, partial(stands_high, others=others),
        )
        for others in (10, 20, 50)
    ),
    *(
        Claim(
            "benchmark", f"between p10 and p90, {others} others", "80 %", 0.77, 0.83, 4000,
            partial(within_band, others=others),
        )
        for others in (10, 20, 50)
    ),
    Claim(
        "breakouts", "28 ordinary days, 84 posts: anything is named", "at most 5 %", 0, 0.05, 200,
        breakout_is_named,
    ),
    Claim(
        "breakouts", "28 ordinary days, sigma 1.5, 3 engagements a reader", "at most 5 %",
        0, 0.05, 200, partial(breakout_is_named, sigma=1.5, each=3.0),
    ),
    Claim(
        "breakouts", "28 ordinary days, sizes with Pareto's tail", "at most 10 %", 0, 0.1, 200,
        partial(breakout_is_named, pareto=True, chance=0.2),
    ),
    Claim(
        "breakouts", "the same, with a post of 1,000 times: it has the flag", "at least 70 %",
        0.7, 1, 200, partial(is_flagged, pareto=True, chance=0.2, runaway=1000.0),
    ),
    Claim(
        "breakouts", "28 ordinary days, with a post of 1,000 times: it has the flag", "at most 5 %",
        0, 0.05, 200, partial(is_flagged, runaway=1000.0),
    ),
    Claim(
        "breakouts", "an hour of 3 times the counts: found", "at least 50 %", 0.5, 1, 200,
        partial(burst_is_found, factor=3.0),
    ),
    Claim(
        "breakouts", "an hour of 5 times the counts: found", "at least 90 %", 0.9, 1, 200,
        partial(burst_is_found, factor=5.0),
    ),
    Claim(
        "breakouts", "a post of 200 times its size: found", "at least 50 %", 0.5, 1, 200,
        partial(is_found, what="post", runaway=200.0),
    ),
    Claim(
        "breakouts", "posts of 3 times the size from the middle on: found", "at least 80 %",
        0.8, 1, 200, partial(is_found, what="shift", level=3.0),
    ),
    *(
        Claim(
            "funnel", f"interval of a step, {number} posts, sigma {sigma}", "95 %", 0.93, 0.98,
            600, partial(step_is_covered, number=number, sigma=sigma),
        )
        for number, sigma in ((20, 1.0), (100, 1.0), (100, 1.5))
    ),
    *(
        Claim(
            "type_correlation", f"interval, {number} posts, correlation {normal} of logarithms",
            "95 %", 0.93, 0.97, 600,
            partial(correlation_is_covered, number=number, normal=normal),
        )
        for number, normal in ((20, 0.0), (20, 0.6), (100, 0.9))
    ),
    Claim(
        "versus_previous", "weeks alike, counts that end at any hour: mean log change",
        "within 3 %", -0.03, 0.03, 150, equal_weeks,
    ),
    Claim(
        "concentration", "Gini coefficient, 100 posts, sigma 1: mean error", "within 3 %",
        -0.03, 0.03, 600, partial(concentration_error, column="gini", sigma=1.0, true=0.5205),
    ),
    Claim(
        "concentration", "share of the top tenth, 100 posts, sigma 1: mean error", "within 3 %",
        -0.03, 0.03, 600, partial(concentration_error, column="top_share", sigma=1.0, true=0.3891),
    ),
    Claim(
        "concentration", "Gini coefficient, 100 posts, sigma 2: mean error", "within 6 %",
        -0.06, 0.06, 600, partial(concentration_error, column="gini", sigma=2.0, true=0.8427),
    ),
    *(
        Claim(
            "top_posts", f"interval of the shrunk rate, 200 posts, sigma {sigma}", "95 %",
            0.93, 0.97, 8000, partial(shrunk_rate_is_covered, sigma=sigma),
        )
        for sigma in (1.0, 2.0)
    ),
    *(
        Claim(
            "top_posts", f"true rate of the ten named over the ten best, sigma {sigma}",
            "at least 85 %", 0.85, 1, 100, partial(top_ten_are_good, sigma=sigma),
        )
        for sigma in (1.0, 2.0)
    ),
    Claim(
        "benchmark", "no trend, 60 posts: a trend is stated", "1 %", 0, 0.015, 2000,
        partial(trend_is_found, factor=1.0),
    ),
    Claim(
        "benchmark", "posts grow to 8 times, 60 posts: the trend is stated", "at least 80 %",
        0.8, 1, 500, partial(trend_is_found, factor=8.0),
    ),
)  # fmt: skip


def main() -> None:
    """Print the table of the guide, or the rows of the metrics named as arguments."""
    sys.stdout.write("| metric | case | promised | measured | ± |\n|---|---|---|---|---|\n")
    for claim in CLAIMS:
        if sys.argv[1:] and claim.metric not in sys.argv[1:]:
            continue
        sys.stdout.write(claim.row(*claim.measured()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
