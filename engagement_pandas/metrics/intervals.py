"""Confidence intervals of rates, and shrinkage of rates with few counts.

An engagement rate is a count over an exposure, not a proportion: one reader can like, click
and reply, and impressions are organic only, so it may exceed 1. The intervals are therefore
those of a Poisson count, and the prior is a Gamma distribution, which has no upper bound.

Readers who engage several times make counts vary more than Poisson counts, by a factor that
:func:`dispersion` estimates. Of several posts, the posts are the clusters.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.number_checks import is_number

CONFIDENCE: Final = 0.95
"""Default of every interval."""

_FREEDOM: Final = 30
"""With fewer pairs of hours, the dispersion is too uncertain to correct for."""

_WIDEST: Final = 50.0
"""Maximum logarithm of an interval's factor, which has no limit for two posts that differ."""


def z_of(confidence: float) -> float:
    """Return the number of standard errors of a two-sided interval.

    >>> round(z_of(0.95), 3)
    1.96
    """
    if not is_number(confidence) or not 0 < confidence < 1:
        msg = f"confidence is {confidence!r}; give a share between 0 and 1, such as 0.95"
        raise FrameError(msg)
    return NormalDist().inv_cdf((1 + confidence) / 2)


def rate_interval(
    count: ArrayLike, exposure: ArrayLike, confidence: float = CONFIDENCE
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the score interval of a Poisson rate.

    Both ends solve ``(count - rate * exposure) ** 2 == z ** 2 * rate * exposure``. They are
    never below 0, and the upper one is positive even if nothing was counted. There is no
    interval for an exposure that is not positive, or for a negative count.

    This is for a rate what Wilson's interval is for a proportion (Rao's score; e.g. Barker,
    *The American Statistician* 56, 2002), and it also holds above 1.

    >>> low, high = rate_interval([500], [10_000])
    >>> low.round(4).item(), high.round(4).item()
    (0.0458, 0.0546)
    """
    z = z_of(confidence)
    number = np.asarray(count, dtype=np.float64)
    per = np.asarray(exposure, dtype=np.float64)
    per = np.where((per > 0) & (number >= 0), per, np.nan)
    middle = number + z * z / 2
    reach = z * np.sqrt(np.maximum(number, 0) + z * z / 4)
    return np.maximum(middle - reach, 0) / per, (middle + reach) / per


def dispersion(count: ArrayLike, exposure: ArrayLike, post: ArrayLike) -> float:
    """Return by how much counts vary more than Poisson counts do, pooled over posts; at least 1.

    Hours are in order of time within each post. Each hour is compared with the next one, so
    that a rate which changes slowly adds nothing: Pearson's chi-squared over its degrees of
    freedom (McCullagh and Nelder, *Generalized Linear Models*, 1989), one for each pair of
    hours with counts. NaN with fewer than 30 of these.

    >>> hours = np.tile([4, 0, 0, 4], 30)
    >>> dispersion(hours, np.full(120, 50), np.zeros(120))
    4.0
    """
    number, per, owner = (
        np.asarray(values, dtype=np.float64) for values in (count, exposure, post)
    )
    seen = (per > 0) & (number >= 0)
    number, per, owner = number[seen], per[seen], owner[seen]
    first = np.flatnonzero(np.diff(owner, prepend=np.nan) != 0)
    place = np.arange(len(owner)) - np.repeat(first, np.diff(np.append(first, len(owner))))
    left = np.flatnonzero((place[:-1] % 2 == 0) & (owner[:-1] == owner[1:]))
    both = number[left] + number[left + 1]
    left, both = left[both > 0], both[both > 0]
    if len(left) < _FREEDOM:
        return np.nan
    share = per[left] / (per[left] + per[left + 1])
    chi_squared = (number[left] - both * share) ** 2 / (both * share * (1 - share))
    return max(float(chi_squared.mean()), 1.0)


def group_interval(  # noqa: PLR0913, PLR0917 - arrays of one table
    count: ArrayLike,
    exposure: ArrayLike,
    group: NDArray[np.int64],
    size: int,
    spread: float = 1.0,
    confidence: float = CONFIDENCE,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the interval of the rate of each group of posts, with posts as clusters.

    One entry a post, with the index of its group, from 0 to ``size`` - 1. The interval is that
    of the ratio of sums on the logarithmic scale, with the jackknife's standard error (CR3:
    Bell and McCaffrey, *Survey Methodology* 28, 2002) and Student's *t*. Its degrees of freedom
    are those of Kish's effective number of posts: of the exposures less 1, or of the squared
    errors plus 1, with which the interval covers in simulation; the smaller counts. A group whose
    posts differ no more than chance makes them has the interval of chance, with ``spread`` as by
    :func:`dispersion`, as a single post has.

    >>> low, high = group_interval([10, 60, 20], [1000.0] * 3, np.zeros(3, dtype=int), 1)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.002], [0.439])
    """
    from scipy.special import stdtrit  # noqa: PLC0415 - takes as long to import as pandas

    number, per = (np.asarray(values, dtype=np.float64) for values in (count, exposure))

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(group, values, minlength=size).astype(np.float64)

    counted, shown = total(number), total(per)
    chance = rate_interval(counted / spread, shown / spread, confidence)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # those of no interval
        rate = counted / shown
        share = per / shown[group]
        # Leaving a post out moves the rate by its residual over the rest's exposure.
        influence = (number - rate[group] * per) / (1 - share)
        square = total(influence**2)
        error = np.sqrt(square) / shown
        effective = np.fmin(1 / total(share**2) - 1, square**2 / total(influence**4) + 1)
        reach = stdtrit(np.maximum(effective, 1), (1 + confidence) / 2) * error / rate
        wider = (rate > 0) & (error > np.sqrt(spread * counted) / shown) & np.isfinite(reach)
        wider &= total(np.ones(len(per))) > 1
        ends = rate * np.exp(-reach), rate * np.exp(np.minimum(reach, _WIDEST))
    return np.where(wider, ends[0], chance[0]), np.where(wider, ends[1], chance[1])


@dataclass(frozen=True, slots=True)
class Prior:
    """Prior of a post's rate before its own counts: a Gamma distribution.

    ``rate`` is the overall rate: the sum of counts over the sum of exposures. ``exposure`` is
    the weight of the prior: a post with the same exposure ends up half way between its own rate
    and the overall one.
    """

    rate: float
    exposure: float

    def shrunk(
        self, count: ArrayLike, exposure: ArrayLike, confidence: float = CONFIDENCE
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the shrunk rate, and the lower and upper end of its interval.

        They are the mean and quantiles of the posterior Gamma distribution.

        >>> rate, low, high = Prior(0.03, 100).shrunk([1, 500], [2, 10_000])
        >>> rate.round(4).tolist(), low.round(4).tolist()
        ([0.0392, 0.0498], [0.0107, 0.0455])
        """
        from scipy.special import gammaincinv  # noqa: PLC0415 - takes as long as pandas

        z_of(confidence)
        shape = self.rate * self.exposure + np.maximum(np.asarray(count, dtype=np.float64), 0)
        per = self.exposure + np.asarray(exposure, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.where(per > 0, shape / per, np.nan)
            ends = [
                np.where(shape > 0, gammaincinv(np.where(shape > 0, shape, 1), share) / per, mean)
                for share in ((1 - confidence) / 2, (1 + confidence) / 2)
            ]
        return (
            mean,
            np.where(np.isnan(mean), mean, ends[0]),
            np.where(np.isnan(mean), mean, ends[1]),
        )


def fit_prior(count: ArrayLike, exposure: ArrayLike) -> Prior:
    """Estimate the prior from the posts themselves (empirical Bayes, by moments).

    Posts with a missing count or an exposure that is not positive are ignored. The less the
    rates differ beyond chance, the larger the exposure of the prior. It is at most that of all
    posts together, which it gets if they do not differ at all.

    >>> prior = fit_prior([10, 60, 20, 90], [1000, 1000, 1000, 1000])
    >>> round(prior.rate, 3), round(prior.exposure)
    (0.045, 34)
    """
    number = np.asarray(count, dtype=np.float64)
    per = np.asarray(exposure, dtype=np.float64)
    usable = (per > 0) & ~np.isnan(number)
    number, per = np.maximum(number[usable], 0), per[usable]
    total = float(per.sum())
    if not total or not number.sum():
        return Prior(0.0, total)
    overall = float(number.sum()) / total
    excess = float((per * (number / per - overall) ** 2).sum()) - (len(per) - 1) * overall
    lever = total - float((per**2).sum()) / total
    variance = excess / lever if lever > 0 else 0.0
    return Prior(overall, min(overall / variance, total) if variance > 0 else total)
