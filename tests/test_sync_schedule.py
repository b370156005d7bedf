"""Syncs in a random schedule of faults: whatever happens, no number is wrong."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from datasets.schedule import schedule

FAULTS = (
    *["none"] * 5, *["kill"] * 4, *["partial"] * 3, *["outage"] * 2, "damage", "damage", "more",
    "more", "revoked", "cursed", "gone",
)  # fmt: skip


@pytest.mark.parametrize(
    ("seed", "runs"),
    [(1, 25), *(pytest.param(seed, 65, marks=pytest.mark.slow) for seed in range(2, 10))],
)
def test_no_number_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, runs: int
) -> None:
    """Kills, outages, partial answers, damage: each count is what the API had when it was read."""
    warnings.simplefilter("ignore", UserWarning)
    with schedule(tmp_path, seed, monkeypatch) as made:
        for _ in range(runs):
            fault = made.dice.choice(FAULTS)
            try:
                made.run(fault)
            except BaseException as error:
                error.add_note("\n".join([f"seed {seed}", *made.log[-12:]]))
                raise
        made.run("none")
