"""Values beyond the tail of the others, and a change of level: tests for heavy-tailed posts."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from engagement_pandas.metrics.interpolation import Floats

LEAST: Final = 20
"""With fewer values, there is no tail to compare with."""

_MOST: Final = 3
"""Maximum number of values beyond the tail."""

_TAIL: Final = 10
"""Minimum size of the tail, which is the largest tenth of the values."""


_SKEWED: Final = 0.15


def beyond_tail(values: Floats) -> Floats:
    """Return a p-value for each value: 1 unless it is beyond the tail of the others.

    The gaps between the largest values, each times its rank, are alike in an exponential tail
    (Rényi, 1953), and the largest are smaller in a lighter one. The test compares the first gaps
    with the others by Fisher's F (Pisarenko and Sornette, *European Physical Journal Special
    Topics* 205, 2012). On logarithms it therefore holds for tails up to Pareto's. With fewer than
    20 values, every p-value is 1.

    >>> rng = np.random.default_rng(1)
    >>> beyond_tail(np.append(rng.normal(size=60), 9)).round(3)[-2:].tolist()
    [1.0, 0.002]
    """
    from scipy.special import fdtrc  # noqa: PLC0415 - takes as long to import as pandas

    found = np.ones(len(values))
    if len(values) < LEAST:
        return found
    size = max(len(values) // _TAIL, _TAIL)
    order = np.argsort(values)[::-1][: size + 1]
    gaps = np.arange(1, size + 1) * -np.diff(values[order])
    tests = []
    for number in range(1, _MOST + 1):
        rest = gaps[number:].mean()
        ratio = gaps[:number].mean() / rest if rest > 0 else 0.0
        tests.append(float(fdtrc(2 * number, 2 * (size - number), ratio)))
    # The number of values beyond is that of the clearest gap.
    found[order[: int(np.argmin(tests)) + 1]] = min(_MOST * min(tests), 1.0)
    return found


def is_heavy_tailed(values: Floats) -> bool:
    """Return whether the upper tail is longer than the lower one, as an exponential tail is.

    The skewness of all values but the three largest, which may be outliers: it is 0 or less if
    both tails are alike, and 1.1 for 84 exponential values.

    >>> rng = np.random.default_rng(1)
    >>> is_heavy_tailed(rng.normal(size=84)), is_heavy_tailed(rng.exponential(size=84))
    (False, True)
    """
    rest = np.sort(values)[:-_MOST]
    away = rest - rest.mean()
    return bool((away**3).mean() > _SKEWED * (away**2).mean() ** 1.5)


def level_shift(values: Floats) -> tuple[int, float]:
    """Return the index of the first value after the likeliest change of level, and its p-value.

    Pettitt's rank test (*Applied Statistics* 28, 1979) for values in order of time, with his
    approximate p-value, which is slightly too large.

    >>> level_shift(np.append(np.arange(20.0) % 7, 9 + np.arange(20.0) % 7))[0]
    20
    """
    number = len(values)
    if number < LEAST:
        return 0, 1.0
    surplus = 2 * np.cumsum(pd.Series(values).rank().to_numpy()) - np.arange(1, number + 1) * (
        number + 1
    )
    place = int(np.argmax(np.abs(surplus)))
    p = 2 * np.exp(-6 * float(surplus[place]) ** 2 / (number**3 + number**2))
    return place + 1, min(float(p), 1.0)
