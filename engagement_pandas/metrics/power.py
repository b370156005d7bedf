"""How large a difference a number of posts can show, and how many posts it takes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.frame.number_checks import is_number, whole_number
from engagement_pandas.metrics.checks import require_columns
from engagement_pandas.metrics.compare import (
    AT,
    POWER,
    measured,
    on_scale,
    statistic_of,
    types_of,
)
from engagement_pandas.metrics.intervals import CONFIDENCE, z_of
from engagement_pandas.metrics.resampling import MINIMUM, Sample
from engagement_pandas.metrics.top_posts import RATE

_MOST = 2**62
"""Largest number of posts that a frame can hold."""


def power(  # noqa: PLR0913  each has a default
    counts: pd.DataFrame,
    *,
    by: str = RATE,
    n: int | None = None,
    effect: float | None = None,
    at: float | None = AT,
    statistic: str | None = None,
    numerator: str = "engagements",
    denominator: str = "impressions",
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Return what a comparison of posts like these can find, and how many posts it takes.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts of posts like those to be compared, as for :func:`compare`.
    by, at, statistic, numerator, denominator
        What is compared, as in :func:`compare` of two frames.
    n : int, optional
        Posts in each of the two sets; by default half of the posts in the counts.
    effect : float, optional
        The true ratio of two typical posts, or the true difference of means or rates. If
        given without ``n``, the result is the number of posts that it takes.
    confidence : float
        Of the comparison.

    Returns
    -------
    DataFrame
        One row: ``by``, ``statistic`` (``str``) and ``at`` (``Float64``) as in
        :func:`compare`; ``posts`` (``int64``, posts whose spread was used); ``spread``
        (``Float64``, their standard deviation, of the logarithms for typical posts); ``n``
        (``Int64``, posts in each set); ``effect`` (``Float64``, ratio or difference);
        ``power`` (``Float64``, the share of comparisons that find it: 0.8 unless both ``n``
        and ``effect`` are given). ``<NA>`` with fewer than 5 posts, or if all are
        alike.

    Raises
    ------
    FrameError
        As :func:`compare`; for an effect that is not a difference, or an invalid number.

    Notes
    -----
    The formula is that of the *t* test of two equal sets, with the normal distribution and
    Guenther's correction (*The American Statistician* 35, 1981). Rates are linearised. Means
    of skewed counts are found less often than it predicts; see ``statistic`` in :func:`compare`.
    Do not use it on the result of a comparison already made (post hoc): an effect that was
    not found is always below the detectable one.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> bodies = {str(n): {"impressions": str(100 * 2 ** (n % 5))} for n in range(40)}
    >>> counts = ep.flatten_json({"g": bodies})
    >>> power(counts, by="impressions", at=None)[["n", "effect"]].round(1).values.tolist()
    [[20, 2.5]]
    >>> power(counts, by="impressions", at=None, effect=2)["n"].to_list()
    [33]
    """
    counts = as_counts(counts)
    require_columns(counts, "post_id")
    types = types_of(counts, str(by), numerator, denominator)
    statistic = statistic_of(str(by), statistic)
    size = np.nan if effect is None else _effect(effect, statistic)
    sample = on_scale(measured(counts, types, at), statistic)
    posts = len(sample.count)
    number = max(posts // 2, MINIMUM) if n is None and effect is None else n
    if n is not None:
        whole_number(n, "n", MINIMUM)
    spread = _spread(sample)
    z, z_power = z_of(confidence), z_of(2 * POWER - 1)
    found: float = POWER
    if number is None:
        number = _posts_needed(spread, size, z, z_power)
    elif effect is None:
        size = (z + z_power) * spread * np.sqrt(2 / _corrected(number, z))
    else:
        found = _power(spread, size, number, z)
    shown = np.exp(size) if statistic == "typical" else size
    return pd.DataFrame(
        {
            "by": pd.Series([RATE if str(by) == RATE else types[0]], dtype=TEXT),
            "statistic": pd.Series([statistic], dtype=TEXT),
            "at": pd.array([np.nan if at is None else at], dtype="Float64"),
            "posts": np.int64(posts),
            "spread": pd.array([spread], dtype="Float64"),
            "n": pd.array([pd.NA if np.isnan(spread) else number], dtype="Int64"),
            "effect": pd.array([np.nan if np.isnan(spread) else shown], dtype="Float64"),
            "power": pd.array([np.nan if np.isnan(spread) else found], dtype="Float64"),
        }
    )


def _effect(effect: float, statistic: str) -> float:
    """Return the absolute effect on the scale of the comparison."""
    typical = statistic == "typical"
    if not is_number(effect) or not np.isfinite(effect) or (typical and effect <= 0):
        msg = f"effect is {effect!r}; give a ratio such as 2, or a difference"
        raise FrameError(msg)
    size = abs(float(np.log(effect))) if typical else abs(float(effect))
    if not size:
        msg = f"effect is {effect!r}, which is not a difference; give a ratio such as 2"
        raise FrameError(msg)
    return size


def _spread(sample: Sample) -> float:
    """Return the standard deviation of a post's contribution to the mean or ratio."""
    number = len(sample.count)
    spread = sample.standard_error * float(np.sqrt(number)) if number >= MINIMUM else np.nan
    # Posts that are all alike, such as without any clicks, do not show how others differ.
    return spread if spread > 0 else np.nan


def _corrected(number: float, z: float) -> float:
    """Return the number of posts less those that estimating the spread costs (Guenther)."""
    return max(number - z * z / 4, 1.0)


def _posts_needed(spread: float, size: float, z: float, z_power: float) -> int:
    if np.isnan(spread):
        return MINIMUM
    needed = 2 * ((z + z_power) * spread / size) ** 2 + z * z / 4
    if not needed < _MOST:
        msg = "no number of posts shows so small an effect; give a larger one"
        raise FrameError(msg)
    return max(int(np.ceil(needed)), MINIMUM)


def _power(spread: float, size: float, number: int, z: float) -> float:
    from scipy.special import ndtr  # noqa: PLC0415 - takes as long to import as pandas

    if not spread > 0:
        return np.nan
    shift = size / (spread * np.sqrt(2 / _corrected(number, z)))
    return float(ndtr(shift - z) + ndtr(-shift - z))
