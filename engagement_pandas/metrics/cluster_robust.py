"""Least squares with errors that hold if observations of a cluster are alike.

The variance is that of Bell and McCaffrey (*Survey Methodology* 28, 2002; "CR2"), with Student's
*t* and Satterthwaite's degrees of freedom (Imbens and Kolesár, *Review of Economics and
Statistics* 98, 2016), so that it holds with few clusters and unequal spread. The design may be
collinear (Pustejovsky and Tipton, *Journal of Business & Economic Statistics* 36, 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_ROUNDING: Final = 1e-8


@dataclass(frozen=True, slots=True)
class Contrasts:
    """Linear combinations of coefficients: estimates, their covariance, degrees of freedom.

    They are NaN if the design does not determine the combination.
    """

    estimate: Floats
    covariance: Floats
    freedom: Floats


@dataclass(frozen=True, slots=True)
class Regression:
    """Least squares on a design, a row each observation; each is in one ``cluster``.

    The design is decomposed once, for any number of outcomes and contrasts.

    >>> design = np.array([[1.0, 0], [1, 0], [1, 1], [1, 1], [1, 1]])
    >>> regression = Regression.on(design, cluster=np.arange(5))
    >>> found = regression.estimate(np.array([1.0, 3, 4, 6, 8]), np.array([[0.0, 1]]))
    >>> found.estimate.round(2).tolist(), found.covariance.round(3).tolist()
    ([4.0], [[2.333]])
    """

    cluster: Places
    basis: Floats
    sizes: Floats
    right: Floats

    @classmethod
    def on(cls, design: Floats, cluster: Places) -> Regression:
        """Decompose a design."""
        left, sizes, right = np.linalg.svd(design, full_matrices=False)
        rank = int((sizes > _ROUNDING * sizes.max(initial=0)).sum())
        return cls(cluster, left[:, :rank], sizes[:rank], right[:rank])

    def estimate(self, outcome: Floats, contrasts: Floats) -> Contrasts:
        """Regress an outcome, and estimate a contrast a row."""
        basis, cluster = self.basis, self.cluster
        turned = contrasts @ self.right.T
        determined = np.abs(contrasts - turned @ self.right).max(axis=1) < _ROUNDING
        weight = basis @ (turned / self.sizes).T
        residual = outcome - basis @ (basis.T @ outcome)
        adjusted = _adjusted(basis, cluster, np.column_stack([residual, weight]))
        clusters = int(cluster.max(initial=-1)) + 1
        scores = _added(cluster, weight * adjusted[:, :1], clusters)
        freedom = np.array([_freedom(basis, cluster, each, clusters) for each in adjusted.T[1:]])
        nothing = np.where(determined & (len(outcome) > len(self.sizes)), 0.0, np.nan)
        return Contrasts(
            estimate=weight.T @ outcome + nothing,
            covariance=scores.T @ scores + nothing[:, None] + nothing,
            freedom=freedom + nothing,
        )


def _adjusted(basis: Floats, cluster: Places, columns: Floats) -> Floats:
    """Multiply each cluster's rows by the inverse root of its residuals' covariance.

    The covariance is that of independent errors of equal spread.
    """
    adjusted = np.zeros_like(columns)
    order = np.argsort(cluster, kind="stable")
    number = np.bincount(cluster)
    first = np.cumsum(number) - number
    for size in np.unique(number[number > 0]):
        rows = order[first[number == size][:, None] + np.arange(size)]
        part = basis[rows]
        values, vectors = np.linalg.eigh(np.eye(size) - part @ part.transpose(0, 2, 1))
        scale = np.where(values > _ROUNDING, np.maximum(values, _ROUNDING) ** -0.5, 0)
        turned = vectors.transpose(0, 2, 1) @ columns[rows]
        adjusted[rows] = vectors @ (scale[:, :, None] * turned)
    return adjusted


def _freedom(basis: Floats, cluster: Places, weight: Floats, clusters: int) -> float:
    """Return Satterthwaite's degrees of freedom of the variance of one contrast."""
    square = np.bincount(cluster, weight**2, minlength=clusters)
    lost = _added(cluster, weight[:, None] * basis, clusters)
    own = (lost**2).sum(axis=1)
    # The squared sum of eigenvalues over the sum of their squares, without the large matrix.
    spread = float((square**2 - 2 * square * own).sum() + ((lost.T @ lost) ** 2).sum())
    trace = float((square - own).sum())
    return trace**2 / spread if spread > 0 else np.nan


def _added(cluster: Places, rows: Floats, clusters: int) -> Floats:
    sums = np.zeros((clusters, rows.shape[1]))
    np.add.at(sums, cluster, rows)
    return sums
