"""What chance leaves open about a rate, and how far a rate is to be believed.

A rate of engagement is a count over an exposure, not a share: one reader can like, click
and reply, and impressions are organic only, so that it may exceed 1. So the intervals
here are those of a Poisson count, and the prior is a Gamma, which knows no upper end.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.arguments import is_number

CONFIDENCE: Final = 0.95
"""Of every interval, unless somebody asks for another."""


def z_of(confidence: float) -> float:
    """Return how many standard errors make a two-sided interval.

    Examples
    --------
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

    Parameters
    ----------
    count, exposure : array_like
        Numbers; an exposure that is not positive, and a negative count, have no interval.
    confidence : float

    Returns
    -------
    low, high : ndarray of float64
        Both ends solve ``(count - rate * exposure) ** 2 == z ** 2 * rate * exposure``.
        Never below 0; ``high`` is positive even where nothing was counted.

    Notes
    -----
    What Wilson's interval is to a share, this is to a rate (Rao's score; e.g. Barker,
    *The American Statistician* 56, 2002), and it holds above 1.

    Examples
    --------
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


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of a post's rate before its own counts: a Gamma distribution.

    Attributes
    ----------
    rate : float
        The overall rate: the sum of counts over the sum of exposures.
    exposure : float
        How much exposure the belief is worth: a post with as much of its own ends half
        way between its own rate and the overall one.
    """

    rate: float
    exposure: float

    def shrunk(
        self, count: ArrayLike, exposure: ArrayLike, confidence: float = CONFIDENCE
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the shrunk rate and its interval.

        Returns
        -------
        rate, low, high : ndarray of float64
            Mean and quantiles of the Gamma that remains, the latter by Wilson and
            Hilferty's cube root (1931), which is good to a percent or so.

        Examples
        --------
        >>> rate, low, high = Prior(0.03, 100).shrunk([1, 500], [2, 10_000])
        >>> rate.round(4).tolist(), low.round(4).tolist()
        ([0.0392, 0.0498], [0.0106, 0.0455])
        """
        z = z_of(confidence)
        shape = self.rate * self.exposure + np.maximum(np.asarray(count, dtype=np.float64), 0)
        per = self.exposure + np.asarray(exposure, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            tilt, spread = 1 - 1 / (9 * shape), 1 / (3 * np.sqrt(shape))
            ends = [np.maximum(tilt + z * side * spread, 0) ** 3 for side in (-1, 1)]
            mean = np.where(per > 0, shape / per, np.nan)
        low, high = (np.where(shape > 0, mean * end, mean) for end in ends)
        return mean, low, high


def fit_prior(count: ArrayLike, exposure: ArrayLike) -> Prior:
    """Estimate the prior from the posts themselves (empirical Bayes, by moments).

    Parameters
    ----------
    count, exposure : array_like
        A number each post; where one is missing or the exposure is not positive, the
        post says nothing.

    Returns
    -------
    Prior
        The less the rates differ beyond chance, the more exposure it is worth; at most
        that of all posts together, which is what it gets where they do not differ at all.

    Examples
    --------
    >>> prior = fit_prior([10, 60, 20, 90], [1000, 1000, 1000, 1000])
    >>> round(prior.rate, 3), round(prior.exposure)
    (0.045, 34)
    """
    number = np.asarray(count, dtype=np.float64)
    per = np.asarray(exposure, dtype=np.float64)
    tells = (per > 0) & ~np.isnan(number)
    number, per = np.maximum(number[tells], 0), per[tells]
    whole = float(per.sum())
    if not whole or not number.sum():
        return Prior(0.0, whole)
    overall = float(number.sum()) / whole
    excess = float((per * (number / per - overall) ** 2).sum()) - (len(per) - 1) * overall
    lever = whole - float((per**2).sum()) / whole
    variance = excess / lever if lever > 0 else 0.0
    return Prior(overall, min(overall / variance, whole) if variance > 0 else whole)
