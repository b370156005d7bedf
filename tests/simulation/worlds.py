"""Generators of simulated posts with known sizes, rates, hours and threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from support.simulated import HOUR_MS, MARCH, ids_at, totals

from engagement_pandas.frame.contract import TEXT
from engagement_pandas.metrics.permutation_test import WEEK

Floats = NDArray[np.float64]


def sizes(rng: np.random.Generator, shape: Any, sigma: float = 1.0, mean: float = 1000.0) -> Floats:
    """Return counts of posts: Poisson, with lognormal means of a given mean."""
    means = mean * np.exp(sigma * rng.normal(size=shape) - sigma**2 / 2)
    return rng.poisson(np.minimum(means, 1e12)).astype(np.float64)


def viral(
    rng: np.random.Generator, counts: Floats, share: float = 0.02, factor: int = 60
) -> Floats:
    """Return counts, a share of them multiplied by a factor."""
    return np.where(rng.random(counts.shape) < share, factor * counts, counts)


def rates(rng: np.random.Generator, shape: Any, sd: float, mean: float = 0.03) -> Floats:
    """Return lognormal rates with a given mean, and a standard deviation of the logarithms."""
    return mean * np.exp(sd * rng.normal(size=shape) - sd**2 / 2)


def engagements(rng: np.random.Generator, expected: Any, each: float = 1.0) -> Floats:
    """Return engagements of readers who engage ``each`` times on average, at least once.

    The number of readers is Poisson; the additional engagements of each are Poisson too.
    """
    readers = rng.poisson(np.asarray(expected) / each)
    further = rng.poisson(readers * (each - 1)) if each > 1 else 0
    return (readers + further).astype(np.float64)


def office_hours(rng: np.random.Generator, number: int) -> NDArray[np.int64]:
    """Return hours of the week from 9:00 to 18:00 on any day."""
    return rng.integers(7, size=number) * 24 + rng.integers(9, 18, size=number)


def growth(curve: str, hours: Floats, half_life: float) -> Floats:
    """Return the share of its counts that a post has at an age, for a growth curve."""
    scaled = np.maximum(hours, 0) / half_life
    if curve == "exponential":
        return 1 - 2.0**-scaled
    if curve == "lognormal":
        from scipy.special import ndtr  # noqa: PLC0415 - a slow import

        return np.asarray(ndtr(np.log(np.maximum(scaled, 1e-12)) / 1.2))
    tail = {"Lomax": 1.5}[curve]
    return 1 - (1 + scaled * (2 ** (1 / tail) - 1)) ** -tail


def _hourly_share(created: Floats, pace: Floats, hours: int) -> Floats:
    """Return each post's share of counts in each hour, of a Lomax curve and the readers' day."""
    at = np.arange(hours)
    edges = np.maximum(np.arange(hours + 1) - created[:, None], 0)
    season = 1 + 0.67 * np.sin((at % 24 - 8) / 24 * 2 * np.pi)
    season = season * np.where(at // 24 % 7 >= 5, 0.6, 1)
    return np.asarray(np.diff(growth("Lomax", edges, pace[:, None]), axis=1) * season)


def responses(  # noqa: PLR0913 - a world
    rng: np.random.Generator,
    *,
    days: int = 28,
    posts: int = 40,
    thread: int = 1,
    size: float = 20_000,
    news: float = 0.0,
    lasting: int = 1,
    fading: float = 1.0,
    fixed: bool = False,
    hit: Callable[[NDArray[np.int64]], NDArray[np.bool_]] | None = None,
    factor: float = 1.0,
) -> tuple[Floats, Floats, Floats]:
    """Return creation, impressions and engagements of posts in each hour, from Monday on.

    ``news`` is the standard deviation of the logarithm of the rate that all posts of an hour
    share, and lasts that many hours. Posts of a thread share 0.3 in addition. The rate is
    multiplied by the factor in the hours of the week that are hit, and falls to the share
    ``fading`` within a post's first day. All posts are created at 9:00 if that is fixed.
    """
    hours, threads = 24 * days, posts // thread
    created = rng.integers(days, size=threads) * 24
    created += rng.integers(9, 10 if fixed else 18, size=threads)
    created = np.repeat(created, thread) + rng.uniform(size=posts)
    total = size * np.exp(0.8 * rng.normal(size=(posts, 1)))
    share = _hourly_share(created, 8 * np.exp(0.5 * rng.normal(size=posts)), hours)
    logs = 0.5 * rng.normal(size=(posts, 1))
    shocks = rng.normal(size=hours + lasting - 1)
    logs = logs + news * np.convolve(shocks, np.ones(lasting), "valid") / np.sqrt(lasting)
    if thread > 1:
        logs += 0.3 * rng.normal(size=(threads, hours)).repeat(thread, axis=0)
    age = np.clip(np.arange(hours) - created[:, None], 0, 24)
    logs = logs + np.log(fading) * np.log1p(age) / np.log(25)
    if hit is not None:
        logs += np.log(factor) * hit(np.arange(hours) % WEEK)
    impressions = rng.poisson(total * share).astype(np.float64)
    return created, impressions, engagements(rng, impressions * 0.05 * np.exp(logs))


def account(  # noqa: PLR0913 - a world
    rng: np.random.Generator,
    *,
    days: int = 28,
    per_day: int = 3,
    sigma: float = 1.0,
    pareto: bool = False,
    each: float = 2.0,
    size: float = 20_000,
    chance: float = 0.1,
    burst: tuple[int, float] | None = None,
    runaway: float = 1.0,
    level: float = 1.0,
) -> pd.DataFrame:
    """Return hourly impressions of an account: posts of all sizes and paces, at office hours.

    Nights have a fifth of the readers, and weekends 60 %. A fifth of each post's hour is random
    beyond Poisson. ``burst`` multiplies all counts of an hour, ``runaway`` those of a post, and
    ``level`` those of the posts of the second half.
    """
    number, hours = days * per_day, 24 * days
    created = np.sort(rng.integers(days, size=number) * 24 + rng.uniform(7, 23, size=number))
    logs = rng.exponential(1 / 1.5, number) if pareto else sigma * rng.normal(size=number)
    total = size * np.exp(logs) * np.where(np.arange(number) >= number // 2, level, 1)
    total[number // 3] *= runaway
    pace = 80 / 60 * np.exp(0.5 * rng.normal(size=number))
    at = np.arange(hours)
    share = _hourly_share(created, pace, hours)
    noise = rng.gamma(1 / chance**2, chance**2, size=share.shape)
    expected = total[:, None] * share * noise
    if burst is not None:
        expected[:, burst[0]] *= burst[1]
    counts = engagements(rng, expected, each)
    post, hour = np.nonzero(at >= np.floor(created)[:, None])
    hours_since_1970 = MARCH // HOUR_MS + hour
    ids = np.array(ids_at(MARCH + (created * HOUR_MS).astype(np.int64)))
    frame = pd.DataFrame(
        {
            "post_id": pd.Series(ids[post], dtype=TEXT),
            "engagement_type": pd.Categorical(np.repeat("impressions", len(post))),
            "day": (hours_since_1970 // 24).astype("datetime64[D]").astype("datetime64[us]"),
            "hour": (hours_since_1970 % 24).astype("int8"),
            "count": pd.array(counts[post, hour].astype("int64"), dtype="Int64"),
        }
    )
    frame.attrs["endpoint"] = "historical"
    return frame


def accounts(  # noqa: PLR0913 - a world
    rng: np.random.Generator,
    *,
    number: int = 6,
    threads: int = 30,
    thread: int = 1,
    sigma: float = 1.0,
    exponent: float = 0.8,
    scatter: float = 0.0,
    viral_share: float = 0.0,
    factors: dict[str, float] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, float]]:
    """Return totals of accounts of all sizes, their posts, and the logarithm of each effect.

    Evenings have three times the readers, and weekends 60 %. Larger accounts post more often in
    the evening, and with the tag *launch*, which also correlates with evenings. The tag *sale* is
    random. Accounts deviate from their size, and posts of a thread are correlated. ``factors`` are
    true effects, by account or tag.
    """
    size = 20_000 * np.exp(1.5 * rng.normal(size=number))
    rank = size.argsort().argsort() / max(number - 1, 1)
    account = np.repeat(np.arange(number), threads)
    evening = rng.random(len(account)) < 0.2 + 0.6 * rank[account]
    hour = np.where(evening, rng.integers(17, 21, len(account)), rng.integers(9, 17, len(account)))
    day = rng.integers(0, 84, len(account))
    launch = rng.random(len(account)) < 0.1 + 0.4 * evening + 0.3 * rank[account]
    sale = rng.random(len(account)) < 0.3
    names = np.array([f"account_{n}" for n in range(number)])
    effects = {name: float(scatter * rng.normal()) for name in names}
    effects |= {name: float(np.log(factor)) for name, factor in (factors or {}).items()}
    common = rng.normal(size=len(account))
    logs = np.log(1000) + exponent * np.log(size / 20_000)[account]
    logs += np.log(3) * evening + np.log(0.6) * (day % 7 >= 5)
    logs += np.array([effects[name] for name in names])[account]
    logs += effects.get("launch", 0) * launch + effects.get("sale", 0) * sale
    post = np.repeat(np.arange(len(account)), thread)
    share = 0.8 if thread > 1 else 0.0
    noise = share * common[post] + np.sqrt(1 - share**2) * rng.normal(size=len(post))
    impressions = viral(
        rng, rng.poisson(np.exp(logs[post] + sigma * noise)).astype(float), viral_share
    )
    minute = rng.uniform(0, 1, len(post))
    created = MARCH + ((day * 24 + hour)[post] + minute) * HOUR_MS
    ids = ids_at(created)
    posts = pd.DataFrame(
        {
            "post_id": pd.Series(ids, dtype=TEXT),
            "handle": names[account][post],
            "followers": size[account][post],
            "tags": [
                [tag for tag, used in (("launch", a), ("sale", b)) if used]
                for a, b in zip(launch[post], sale[post], strict=True)
            ],
        }
    )
    return totals(created, {"impressions": impressions}), posts, effects
