"""An explorer of 1,000 posts, two types and four weeks by hour: 1.3 million counts."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engagement_pandas.explorers import BestTimesExplorer, CompareExplorer, EngagementExplorer
from engagement_pandas.frame.contract import TEXT

POSTS, HOURS = 1000, 28 * 24


@pytest.fixture(scope="module")
def large(post_id_at: Any) -> pd.DataFrame:
    """Return counts of posts that were all created in the days before."""
    rng = np.random.default_rng(1)
    ids = np.array(
        sorted(post_id_at(f"2026-02-{24 + n % 5:02d}T09:00:00", n) for n in range(POSTS))
    )
    hours = pd.date_range("2026-03-01", periods=HOURS, freq="h", unit="us")
    rows = POSTS * 2 * HOURS
    types = pd.Categorical.from_codes(
        np.tile(np.repeat([0, 1], HOURS), POSTS), ["impressions", "engagements"]
    ).rename_categories(pd.Index(["impressions", "engagements"], dtype=TEXT))
    frame = pd.DataFrame(
        {
            "post_id": pd.Series(np.repeat(ids, 2 * HOURS), dtype=TEXT),
            "engagement_type": types,
            "day": np.tile(hours.normalize().to_numpy(), 2 * POSTS),
            "hour": np.tile(hours.hour.to_numpy().astype("int8"), 2 * POSTS),
            "count": pd.array(rng.poisson(3, rows), dtype="Int64"),
        }
    )
    frame.attrs["endpoint"] = "historical"  # whose hours are complete
    return frame


@pytest.mark.long
@pytest.mark.parametrize("explorer_class", [EngagementExplorer, BestTimesExplorer, CompareExplorer])
def test_a_thousand_posts_are_drawn_in_seconds(large: pd.DataFrame, explorer_class: Any) -> None:
    """All of them are selected and drawn, for every clock."""
    start = time.monotonic()
    with closing(explorer_class(large)) as explorer:
        explorer.controls["posts"].top.value = POSTS
        assert explorer.alert.html == ""
        if explorer_class is EngagementExplorer:
            assert len(explorer.controls["posts"].value) == POSTS
            assert len(explorer.selection) == POSTS * HOURS
            for name, value in {
                "types": ("impressions", "engagements"),
                "tz": "Asia/Kathmandu",
                "measure": "rate",
                "clock": "age",
                "every": "D",
            }.items():
                explorer.controls[name].value = value
                assert explorer.alert.html == "", (name, value)
            explorer.controls["clock"].value = "total"
            assert explorer.alert.html == ""
            assert explorer.table.html.count("<tr>") == 51
    assert time.monotonic() - start < 120
