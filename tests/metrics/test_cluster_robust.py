"""Contrasts of a regression whose errors are alike within clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ttest_ind

from engagement_pandas.metrics.cluster_robust import estimate_contrasts

Floats = NDArray[np.float64]


def textbook(
    design: Floats, outcome: Floats, cluster: Any, contrast: Floats
) -> tuple[float, float, float]:
    """Return estimate, variance and degrees of freedom, with the large matrices written out."""
    bread = np.linalg.inv(design.T @ design)
    rest = np.eye(len(outcome)) - design @ bread @ design.T
    variance, columns = 0.0, []
    for own in (cluster == name for name in np.unique(cluster)):
        values, vectors = np.linalg.eigh(rest[np.ix_(own, own)])
        root = vectors @ np.diag(values**-0.5) @ vectors.T
        along = root @ design[own] @ bread @ contrast
        variance += float(along @ (rest @ outcome)[own]) ** 2
        columns.append(rest[:, own] @ along)
    values = np.linalg.eigvalsh(np.column_stack(columns).T @ np.column_stack(columns))
    estimate = float(contrast @ bread @ design.T @ outcome)
    return estimate, variance, float(values.sum() ** 2 / (values**2).sum())


@pytest.mark.parametrize("seed", range(5))
def test_against_the_formulas(seed: int) -> None:
    """Clusters of one to eight, in any order."""
    rng = np.random.default_rng(seed)
    cluster = np.unique(rng.integers(0, 9, 40), return_inverse=True)[1]
    design = np.column_stack([np.ones(40), rng.normal(size=40), rng.integers(0, 2, 40)])
    outcome = rng.normal(size=40)
    found = estimate_contrasts(design, outcome, cluster, np.eye(3))
    for place, contrast in enumerate(np.eye(3)):
        expected = textbook(design, outcome, cluster, contrast)
        own = (found.estimate[place], found.covariance[place, place], found.freedom[place])
        assert own == pytest.approx(expected)


def test_two_groups_are_welch_s_test() -> None:
    """Without clusters and covariates, the error is that of two means of unequal spread."""
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=9), 3 * rng.normal(size=14)
    design = np.repeat(np.eye(2), [9, 14], axis=0)
    contrast = np.array([[1.0, -1.0]])
    found = estimate_contrasts(design, np.concatenate([a, b]), np.arange(23), contrast)
    score = found.estimate[0] / np.sqrt(found.covariance[0, 0])
    assert score == pytest.approx(ttest_ind(a, b, equal_var=False).statistic)


def test_what_the_design_does_not_determine() -> None:
    """A constant and both of its parts: each is NaN, their difference is known."""
    design = np.column_stack([np.ones(8), np.repeat(np.eye(2), 4, axis=0)])
    outcome = np.array([1.0, 2, 3, 2, 5, 6, 7, 6])
    contrasts = np.array([[0.0, 1, 0], [0, -1, 1]])
    found = estimate_contrasts(design, outcome, np.arange(8), contrasts)
    assert np.isnan([found.estimate[0], found.covariance[0, 0], found.freedom[0]]).all()
    assert found.estimate[1] == pytest.approx(4)
    assert found.freedom[1] == pytest.approx(6)


def test_as_many_coefficients_as_observations() -> None:
    """There is no error to estimate."""
    found = estimate_contrasts(np.eye(3), np.arange(3.0), np.arange(3), np.eye(3))
    assert np.isnan(found.estimate).all()


def test_a_cluster_that_is_fitted_exactly() -> None:
    """It adds nothing: the other clusters decide."""
    design = np.array([[1.0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 0], [1, 1, 1]])
    outcome = np.array([1.0, 3, 4, 6, 80])
    contrast = np.array([[0.0, 1, 0]])
    found = estimate_contrasts(design, outcome, np.arange(5), contrast)
    expected = estimate_contrasts(design[:4, :2], outcome[:4], np.arange(4), contrast[:, :2])
    assert found.estimate == pytest.approx(expected.estimate)
    assert found.covariance == pytest.approx(expected.covariance)
