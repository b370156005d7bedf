"""Permutation test of the hours of the week, at three levels, and shrunken effects.

The best of 168 hours always looks good. So the largest surplus at each level, in standard
errors, is compared with the largest one after random permutations (Westfall and Young,
*Resampling-Based Multiple Testing*, 1993: max-T within a level, min-P across levels). What
belongs together is permuted as a block (Winkler et al., *NeuroImage* 123, 2015).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

DAYS_OF_WEEK: Final = 7
HOURS_OF_DAY: Final = 24
WEEK: Final = DAYS_OF_WEEK * HOURS_OF_DAY

LEVELS: Final = {
    "weekday": np.arange(WEEK) // HOURS_OF_DAY,
    "hour of day": np.arange(WEEK) % HOURS_OF_DAY,
    "hour of the week": np.arange(WEEK),
}
"""The group to which each hour of the week belongs, by level, the coarsest first."""

LOUDEST: Final = 2.0
"""Scores are clipped at this many standard deviations (Huber, 1964): one runaway post neither
makes an hour nor hides one."""

_AXES: Final[dict[str, int | None]] = {"weekday": -1, "hour of day": -2, "hour of the week": None}
_CELLS: Final = 4_000_000
_MAD: Final = 0.6744897501960817
"""Median of the absolute value of a standard normal variable."""

_STEPS: Final = 60
_SURE: Final = 1.645


@dataclass(frozen=True, slots=True)
class Evidence:
    """Observations: the hour of the week, a score in standard deviations, and its weight.

    The effect of an hour is the sum of weight times score over the sum of squared weights.
    """

    cell: Places
    score: Floats
    weight: Floats


@dataclass(frozen=True, slots=True)
class LevelResult:
    """The groups of one level: surplus in standard errors, corrected p-value, and effect.

    ``p`` is NaN for a group with too few observations. ``effect`` is shrunk towards 0 as far as
    the differences between groups are due to chance, and ``cautious`` as far as they may be, at
    95 %: without evidence for a better time, it is 0 in most analyses.
    """

    surplus: Floats
    p: Floats
    effect: Floats
    cautious: Floats


def scores(values: Floats, noise: Floats) -> tuple[Floats, Floats, float]:
    """Return score and weight of each observation, and the centre.

    ``noise`` is the variance of each value by chance. The variance between observations is
    added to it: that for which the median absolute score is that of a normal distribution, so
    that a few runaway values do not change it. The centre is Huber's.

    >>> score, weight, centre = scores(np.array([1.0, 2, 3, 4, 500]), np.zeros(5))
    >>> score.round(1).tolist(), centre < 4
    ([-1.1, -0.7, -0.3, 0.2, 2.0], True)
    """
    centre = float(np.median(values)) if len(values) else 0.0
    spread = np.ones(len(values))
    for _ in range(5):
        spread = np.sqrt(noise + _between(np.abs(values - centre), noise))
        spread = np.where(spread > 0, spread, 1.0)
        weight = 1 / spread
        clipped = np.clip((values - centre) / spread, -LOUDEST, LOUDEST)
        if len(values):
            centre += float((weight * clipped).sum() / (weight**2).sum())
    return np.clip((values - centre) / spread, -LOUDEST, LOUDEST), 1 / spread, centre


def _between(away: Floats, noise: Floats) -> float:
    """Return the variance between observations for which the median score is a normal one's."""
    if not len(away) or np.median(away / np.sqrt(np.maximum(noise, 1e-300))) <= _MAD:
        return 0.0
    low, high = 0.0, float((away.max() / _MAD) ** 2) + 1e-300
    for _ in range(_STEPS):
        middle = (low + high) / 2
        above = np.median(away / np.sqrt(noise + middle)) > _MAD
        low, high = (middle, high) if above else (low, middle)
    return high


def permutation_test(
    evidence: Evidence,
    permuted: Callable[[int], Places],
    draws: int,
    minimum: int,
    levels: Iterable[str] = tuple(LEVELS),
) -> dict[str, LevelResult]:
    """Return surplus, p-value and effect of each group at each of the levels.

    ``permuted`` returns the hours of the week of all observations in a number of permutations,
    one a row. A group with fewer than ``minimum`` observations is not tested. ``p`` is the
    probability of such a surplus anywhere, at any of the levels, if the hour made no difference.
    """
    axes = {level: _AXES[level] for level in levels}
    observed = _surpluses(evidence, evidence.cell[None, :], minimum, axes)
    at_once = max(_CELLS // max(len(evidence.cell), WEEK), 1)
    largest: dict[str, list[Floats]] = {level: [] for level in axes}
    for first in range(0, draws, at_once):
        parts = _surpluses(evidence, permuted(min(at_once, draws - first)), minimum, axes)
        for level, part in parts.items():
            largest[level].append(part.max(axis=1))
    # The observed order is one of the permutations, so the test is exact.
    pools = {
        level: np.sort(np.concatenate([*parts, observed[level].max(axis=1)]))
        for level, parts in largest.items()
    }
    chance = {
        level: _share_above(pool, np.concatenate([*largest[level], observed[level].max(axis=1)]))
        for level, pool in pools.items()
    }
    smallest = np.sort(np.min(list(chance.values()), axis=0))
    results = {}
    for level, pool in pools.items():
        surplus = observed[level][0]
        alone = _share_above(pool, surplus)
        p = np.searchsorted(smallest, alone, side="right") / len(smallest)
        tested = np.isfinite(surplus)
        effects = [_shrunken_effects(evidence, LEVELS[level], margin) for margin in (0.0, _SURE)]
        results[level] = LevelResult(surplus, np.where(tested, p, np.nan), *effects)
    return results


def _share_above(pool: Floats, values: Floats) -> Floats:
    """Return the share of a sorted pool that is at least as large as each value."""
    return (len(pool) - np.searchsorted(pool, values, side="left")) / len(pool)


def _surpluses(
    evidence: Evidence, cells: Places, minimum: int, axes: dict[str, int | None]
) -> dict[str, Floats]:
    """Return each group's surplus in standard errors, by level: a row for each row of cells.

    Minus infinity if it has too few observations.
    """
    rows = len(cells)
    flat = (cells + np.arange(rows)[:, None] * WEEK).ravel()
    products = evidence.weight * evidence.score, evidence.weight**2, np.ones(len(evidence.cell))
    sums = [
        np.bincount(flat, np.tile(values, rows), minlength=rows * WEEK).reshape(
            rows, DAYS_OF_WEEK, HOURS_OF_DAY
        )
        for values in products
    ]
    found = {}
    for level, axis in axes.items():
        surplus, square, number = (
            part.reshape(rows, WEEK) if axis is None else part.sum(axis=axis) for part in sums
        )
        enough = (number >= max(minimum, 1)) & (square > 0)
        found[level] = np.where(enough, surplus / np.sqrt(np.where(enough, square, 1)), -np.inf)
    return found


def _shrunken_effects(evidence: Evidence, group: Places, margin: float) -> Floats:
    """Return each group's effect, shrunk towards 0 (DerSimonian and Laird, 1986).

    The variance between groups is estimated from their scatter beyond that of chance plus
    ``margin`` standard deviations, and is at least 0. A group without observations has no effect.
    """
    groups = int(group.max()) + 1
    place = group[evidence.cell]
    surplus = np.bincount(place, evidence.weight * evidence.score, minlength=groups)
    weight = np.bincount(place, evidence.weight**2, minlength=groups)
    there = weight > 0
    effect: Floats = np.where(there, surplus / np.where(there, weight, 1), 0.0)
    if not there.any():
        return effect
    centre = float((weight * effect).sum() / weight.sum())
    freedom = int(there.sum()) - 1
    expected = freedom + margin * np.sqrt(2 * freedom)
    excess = float((weight * (effect - centre) ** 2).sum()) - expected
    lever = weight.sum() - (weight**2).sum() / weight.sum()
    between = max(excess / lever, 0.0) if lever > 0 else 0.0
    # The variance of an effect is 1 / weight; an effect without observations is 0 already.
    shrunken: Floats = effect * between / (between + 1 / np.where(there, weight, 1.0))
    return shrunken
