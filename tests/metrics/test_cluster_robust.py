"""Contrasts of a regression with errors that are correlated within clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ttest_ind

from engagement_pandas.metrics.cluster_robust import Regression

Floats = NDArray[np.float64]


def textbook(
    design: Floats, outcome: Floats, cluster: Any, contrast: Floats
) -> tuple[float, float, float]:
    """Return estimate, variance and degrees of freedom by the textbook's matrix formulas."""
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
def test_estimates_match_the_textbook_formulas(seed: int) -> None:
    """Clusters have one to eight observations, in any order."""
    rng = np.random.default_rng(seed)
    cluster = np.unique(rng.integers(0, 9, 40), return_inverse=True)[1]
    design = np.column_stack([np.ones(40), rng.normal(size=40), rng.integers(0, 2, 40)])
    outcome = rng.normal(size=40)
    result = Regression.on(design, cluster).estimate(outcome, np.eye(3))
    for i, contrast in enumerate(np.eye(3)):
        expected = textbook(design, outcome, cluster, contrast)
        own = (result.estimate[i], result.covariance[i, i], result.freedom[i])
        assert own == pytest.approx(expected)


def test_two_groups_give_welchs_test() -> None:
    """Without clusters and covariates, the error is that of two means with unequal variances."""
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=9), 3 * rng.normal(size=14)
    design = np.repeat(np.eye(2), [9, 14], axis=0)
    contrast = np.array([[1.0, -1.0]])
    result = Regression.on(design, np.arange(23)).estimate(np.concatenate([a, b]), contrast)
    score = result.estimate[0] / np.sqrt(result.covariance[0, 0])
    assert score == pytest.approx(ttest_ind(a, b, equal_var=False).statistic)


def test_undetermined_contrasts_are_missing() -> None:
    """The design has a constant and both of its parts; only their difference is known."""
    design = np.column_stack([np.ones(8), np.repeat(np.eye(2), 4, axis=0)])
    outcome = np.array([1.0, 2, 3, 2, 5, 6, 7, 6])
    contrasts = np.array([[0.0, 1, 0], [0, -1, 1]])
    result = Regression.on(design, np.arange(8)).estimate(outcome, contrasts)
    assert np.isnan([result.estimate[0], result.covariance[0, 0], result.freedom[0]]).all()
    assert result.estimate[1] == pytest.approx(4)
    assert result.freedom[1] == pytest.approx(6)


def test_a_saturated_design_has_no_error() -> None:
    """No degrees of freedom are left to estimate an error."""
    result = Regression.on(np.eye(3), np.arange(3)).estimate(np.arange(3.0), np.eye(3))
    assert np.isnan(result.estimate).all()


def test_a_cluster_that_is_fitted_exactly_has_no_effect() -> None:
    """The other clusters determine the result."""
    design = np.array([[1.0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 0], [1, 1, 1]])
    outcome = np.array([1.0, 3, 4, 6, 80])
    contrast = np.array([[0.0, 1, 0]])
    result = Regression.on(design, np.arange(5)).estimate(outcome, contrast)
    expected = Regression.on(design[:4, :2], np.arange(4)).estimate(outcome[:4], contrast[:, :2])
    assert result.estimate == pytest.approx(expected.estimate)
    assert result.covariance == pytest.approx(expected.covariance)
