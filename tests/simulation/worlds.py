"""Generators of simulated posts: sizes, rates, hours and threads, with a known truth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def sizes(rng: np.random.Generator, shape: Any, sigma: float = 1.0, mean: float = 1000.0) -> Floats:
    """Return counts of posts: Poisson, with lognormal means of a given mean."""
    means = mean * np.exp(sigma * rng.normal(size=shape) - sigma**2 / 2)
    return rng.poisson(np.minimum(means, 1e12)).astype(np.float64)


def viral(
    rng: np.random.Generator, counts: Floats, share: float = 0.02, factor: int = 60
) -> Floats:
    """Return counts of which a share has grown by a factor."""
    return np.where(rng.random(counts.shape) < share, factor * counts, counts)


def rates(rng: np.random.Generator, shape: Any, sd: float, mean: float = 0.03) -> Floats:
    """Return lognormal rates with a given mean, and a standard deviation of the logarithms."""
    return mean * np.exp(sd * rng.normal(size=shape) - sd**2 / 2)


def engagements(rng: np.random.Generator, expected: Any, each: float = 1.0) -> Floats:
    """Return engagements of readers who engage so often on average, once at least.

    The number of readers is Poisson; the further engagements of each are Poisson too.
    """
    readers = rng.poisson(np.asarray(expected) / each)
    further = rng.poisson(readers * (each - 1)) if each > 1 else 0
    return (readers + further).astype(np.float64)


def office_hours(rng: np.random.Generator, number: int) -> NDArray[np.int64]:
    """Return hours of the week from 9:00 to 18:00 on any day."""
    return rng.integers(7, size=number) * 24 + rng.integers(9, 18, size=number)


def growth(kind: str, hours: Floats, half_life: float) -> Floats:
    """Return the share of its counts that a post has at an age, for growth of a kind."""
    scaled = np.maximum(hours, 0) / half_life
    if kind == "exponential":
        return 1 - 2.0**-scaled
    if kind == "lognormal":
        from scipy.special import ndtr  # noqa: PLC0415 - heavy

        return np.asarray(ndtr(np.log(np.maximum(scaled, 1e-12)) / 1.2))
    tail = {"Lomax": 1.5}[kind]
    return 1 - (1 + scaled * (2 ** (1 / tail) - 1)) ** -tail
