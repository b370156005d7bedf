"""Every promise of the metrics compared with simulated posts, and the guide's table of them."""

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
    """The measured value is within the bounds, plus or minus three Monte Carlo errors."""
    measured, error = claim.measured()
    slack = 3 * max(error, 0.5 / claim.runs)
    assert claim.low - slack <= measured <= claim.high + slack


def test_the_guide_has_every_claim() -> None:
    """Rows are in order, and their measured values keep the promise."""
    rows = re.findall(
        r"^\| `(\w+)` \| (.+?) \| (.+?) \| (-?[\d.]+) % \| ([\d.]+) \|$",
        GUIDE.read_text(),
        re.MULTILINE,
    )
    assert [row[:3] for row in rows] == [(c.metric, c.words, c.nominal) for c in CLAIMS]
    for (*_, measured, error), claim in zip(rows, CLAIMS, strict=True):
        slack = 3 * max(float(error), 50 / claim.runs) + 0.05
        assert 100 * claim.low - slack <= float(measured) <= 100 * claim.high + slack


def test_names_of_claims_are_unique() -> None:
    """The seed of a claim follows from its name."""
    assert len({_name(claim) for claim in CLAIMS}) == len(CLAIMS)
