"""Studentised bootstrap and permutation test of a ratio of sums over posts.

Posts are the clusters: they are resampled, and not impressions, since posts differ. Each
statistic is divided by its own standard error (studentised), by linearisation of the ratio.
A mean is a ratio whose exposures are 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_CELLS: Final = 2_000_000
"""Number of weights in memory at once."""

_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Sample:
    """The posts of one set: a count and an exposure each."""

    count: Floats
    exposure: Floats

    @property
    def ratio(self) -> float:
        """Sum of counts over sum of exposures; NaN without posts."""
        return float(self.count.sum() / self.exposure.sum()) if len(self.count) else np.nan

    @property
    def standard_error(self) -> float:
        """Standard error of the ratio, with posts as clusters, by linearisation."""
        _, error = _estimates(_moments(self).sum(axis=0), len(self.count))
        return float(error)


MINIMUM: Final = 5
"""With fewer posts in a sample, the spread between posts cannot be estimated."""


@dataclass(frozen=True, slots=True)
class StudentisedTest:
    """The difference of two ratios, its standard error, and its distribution without an effect.

    ``scores`` are absolute differences in standard errors, of each bootstrap draw and of each
    permutation. They are empty if a sample has fewer than 5 posts, or if too few posts differ.
    """

    difference: float
    error: float
    scores: tuple[Floats, ...]

    @classmethod
    def of(cls, samples: Sequence[Sample], draws: int, seed: int) -> StudentisedTest:
        """Compare two samples."""
        difference = samples[0].ratio - samples[1].ratio
        if min(len(sample.count) for sample in samples) < MINIMUM:
            return cls(difference, np.nan, ())
        error = float(np.hypot(samples[0].standard_error, samples[1].standard_error))
        rng = np.random.default_rng(seed)
        scores = tuple(method(samples, draws, rng) for method in (bootstrap_t, permutation_t))
        return cls(difference, error, scores if error > 0 else ())

    def p(self, confidence: float) -> float:
        """Return the larger of the two p-values; NaN if there is no interval."""
        if np.isnan(self.half_width(confidence)):
            return np.nan
        seen = abs(self.difference) / self.error
        beyond = [(1 + np.count_nonzero(each >= seen)) / (1 + len(each)) for each in self.scores]
        return float(max(beyond))

    def half_width(self, confidence: float) -> float:
        """Return half of the wider interval's width; NaN if there are too few posts."""
        quantiles = [float(np.quantile(s, confidence, method="higher")) for s in self.scores]
        # If many draws miss the few posts that differ, there are too few posts to decide.
        width = max(quantiles, default=np.nan) * self.error
        return width if np.isfinite(width) else np.nan


def bootstrap_t(samples: Sequence[Sample], draws: int, rng: np.random.Generator) -> Floats:
    """Return the absolute studentised difference of each bootstrap draw (Hall, 1988).

    Posts are drawn with replacement within each of the two samples; the difference is centred
    on the observed one.

    >>> sample = Sample(np.array([1.0, 5, 9, 4, 2]), np.ones(5))
    >>> bootstrap_t([sample, sample], 3, np.random.default_rng(0)).round(2).tolist()
    [0.33, 2.63, 0.11]
    """
    estimates = []
    for sample in samples:
        number = len(sample.count)

        def times_drawn(rows: int, number: int = number) -> Floats:
            picks = rng.integers(number, size=(rows, number))
            picks += np.arange(rows)[:, None] * number
            times = np.bincount(picks.ravel(), minlength=rows * number)
            return times.reshape(rows, number).astype("float64")

        estimates.append(_estimates(_weighted(times_drawn, _moments(sample), draws), number))
    return _studentised(*estimates)


def permutation_t(samples: Sequence[Sample], draws: int, rng: np.random.Generator) -> Floats:
    """Return the absolute studentised difference of each permutation (Janssen, 1997).

    All posts are reassigned at random to two samples of the observed sizes.

    >>> sample = Sample(np.array([1.0, 5, 9, 4, 2]), np.ones(5))
    >>> permutation_t([sample, sample], 3, np.random.default_rng(0)).round(2).tolist()
    [0.41, 1.35, 0.85]
    """
    both = Sample(
        np.concatenate([sample.count for sample in samples]),
        np.concatenate([sample.exposure for sample in samples]),
    )
    first = np.arange(len(both.count)) < len(samples[0].count)

    def assigned(rows: int) -> Floats:
        return rng.permuted(np.broadcast_to(first, (rows, len(first))), axis=1).astype("float64")

    moments = _moments(both)
    sums = _weighted(assigned, moments, draws)
    first_estimates = _estimates(sums, int(first.sum()))
    return _studentised(
        first_estimates, _estimates(moments.sum(axis=0) - sums, int((~first).sum()))
    )


def _studentised(
    first_estimates: tuple[Floats, Floats], second_estimates: tuple[Floats, Floats]
) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.abs(first_estimates[0] - second_estimates[0]) / np.hypot(
            first_estimates[1], second_estimates[1]
        )
    # 0 / 0: a draw without difference and without spread.
    return np.where(np.isnan(scores), 0.0, scores)


def _moments(sample: Sample) -> Floats:
    """Return the moments needed, centred on the overall ratio to keep precision."""
    exposure = sample.exposure
    surplus = sample.count - sample.ratio * exposure
    return np.column_stack([surplus, exposure, surplus**2, surplus * exposure, exposure**2])


def _weighted(weights: Callable[[int], Floats], moments: Floats, draws: int) -> Floats:
    """Return the weighted sums of each draw, with a bounded number of weights in memory."""
    at_once = max(_CELLS // len(moments), 1)
    parts = [weights(min(at_once, draws - first)) @ moments for first in range(0, draws, at_once)]
    return np.concatenate(parts)


def _estimates(sums: Floats, number: int) -> tuple[Floats, Floats]:
    """Return the ratio minus the overall ratio, and its standard error, from moment sums."""
    surplus, exposure, square, mixed, squared = np.moveaxis(sums, -1, 0)
    shift = surplus / exposure
    spread = np.maximum(square - 2 * shift * mixed + shift**2 * squared, 0)
    # Identical posts leave a spread of rounding errors only; treat it as 0.
    spread = np.where(spread <= _ROUNDING * (square + shift**2 * squared), 0, spread)
    return shift, np.sqrt(number / (number - 1) * spread) / exposure
