"""Syncs in a random schedule of faults never store a wrong count."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from support.datasets.schedule import schedule

FAULTS = (
    *["none"] * 6, *["kill"] * 3, *["partial"] * 3, *["outage"] * 2, *["two"] * 2, *["apart"] * 3,
    *["raw"] * 2, *["tables"] * 2, "tables kill", "raw tables", "raw kill", "kill partial", "more",
    "more", "more kill", "revoked", "cursed", "gone",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "runs"),
    [(1, 4), *(pytest.param(seed, 12, marks=pytest.mark.long) for seed in range(2, 44))],
)
def test_no_stored_count_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, runs: int
) -> None:
    """Under kills, outages, partial responses and damage, each count is one that was returned."""
    warnings.simplefilter("ignore", UserWarning)
    with schedule(tmp_path, seed, monkeypatch) as syncs:
        try:
            for _ in range(runs):
                syncs.run(syncs.dice.choice(FAULTS))
            syncs.run("none")
            syncs.check_read()
        except BaseException as error:
            error.add_note("\n".join([f"seed {seed}", *syncs.log[-12:]]))
            raise
