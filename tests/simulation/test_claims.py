"""Every promise of the metrics, held against simulated posts; and the guide's table of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from simulation.claims import CLAIMS, Claim

GUIDE = Path(__file__).parents[2] / "notebooks" / "guide" / "metrics.md"


def _name(claim: Claim) -> str:
    return f"{claim.metric}: {claim.words}"


@pytest.mark.long
@pytest.mark.parametrize("claim", CLAIMS, ids=_name)
def test_a_claim_holds(claim: Claim) -> None:
    """Within the bounds, give or take three Monte Carlo errors."""
    measured, error = claim.measured()
    slack = 3 * max(error, 0.5 / claim.runs)
    assert claim.low - slack <= measured <= claim.high + slack


def test_the_guide_has_the_table() -> None:
    """A row for each claim, in order, with a measured value that keeps it."""
    rows = re.findall(
        r"^\| `(\w+)` \| (.+?) \| (.+?) \| (-?[\d.]+) % \| ([\d.]+) \|$",
        GUIDE.read_text(),
        re.MULTILINE,
    )
    assert [row[:3] for row in rows] == [(c.metric, c.words, c.nominal) for c in CLAIMS]
    for (*_, measured, error), claim in zip(rows, CLAIMS, strict=True):
        slack = 3 * max(float(error), 50 / claim.runs) + 0.05
        assert 100 * claim.low - slack <= float(measured) <= 100 * claim.high + slack


def test_claims_have_names_of_their_own() -> None:
    """A claim's seed is derived from its name."""
    assert len({_name(claim) for claim in CLAIMS}) == len(CLAIMS)
