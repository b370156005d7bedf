"""Notebooks of a few cells, for tests of one explorer."""

from __future__ import annotations

from pathlib import Path
from typing import Final

NOTEBOOKS: Final = Path(__file__).parents[2] / "notebooks"

COUNTS: Final = """\
import engagement_pandas as ep

demo = ep.demo_client(now="2026-04-15T12:20:00Z")
posts = demo.posts.tail(24)
request = ep.historical(
    posts,
    engagement_types=["impressions", "engagements", "url_clicks"],
    window=ep.Window.covering("2026-03-20", "2026-04-12"),
    by=ep.BY_HOUR,
)
counts = ep.flatten(demo.client.fetch(request))"""
"""A few posts of the sandbox, by hour."""

MANY: Final = """\
import numpy as np
import pandas as pd

import engagement_pandas as ep
from engagement_pandas.frame.contract import TEXT

ids = [str(2_030_000_000_000_000_000 + 41 * number * 10**12) for number in range({posts})]
types = [str(name) for name in ep.EngagementType][:{types}]
days = pd.date_range("2026-03-01", periods=28, unit="us")
counts = pd.MultiIndex.from_product(
    [ids, types, days, range(24)], names=["post_id", "engagement_type", "day", "hour"]
).to_frame(index=False)
counts["post_id"] = counts["post_id"].astype(TEXT)
counts["engagement_type"] = pd.Categorical(counts["engagement_type"], types)
counts["hour"] = counts["hour"].astype("int8")
numbers = np.random.default_rng(1).poisson(40, len(counts))
counts["count"] = pd.array(numbers, dtype="Int64")
print(f"{{len(counts):,}} rows")"""
"""``posts`` posts and ``types`` types, 28 days by hour."""

EXPLORER: Final = """\
explorer = ep.EngagementExplorer(counts, demo.posts)
explorer.controls["clock"].value = "time"
explorer.controls["measure"].value = "counts"
explorer"""

BARE: Final = """\
explorer = ep.EngagementExplorer(counts)
explorer.controls["clock"].value = "time"
explorer.controls["measure"].value = "counts"
explorer"""

SLOW: Final = """\
import time

import engagement_pandas.plots as plots

quick = plots.plot_over_time


def slowly(*arguments, **keywords):
    time.sleep(1.5)
    return quick(*arguments, **keywords)


plots.plot_over_time = slowly"""
"""A slow plot."""

FETCHER: Final = """\
asking = ep.FetchExplorer(demo.client, posts.head(3))
asking"""

TIMES: Final = """\
times = ep.BestTimesExplorer(counts, demo.posts)
times"""

EXPLORERS: Final = (
    "ep.EngagementExplorer(counts, demo.posts)",
    "ep.BestTimesExplorer(counts, demo.posts)",
    "ep.CompareExplorer(counts, demo.posts)",
    "ep.FetchExplorer(demo.client, posts)",
)


def explorers_notebook() -> Path:
    """Return the notebook of explorers."""
    return next(NOTEBOOKS.glob("04_*.ipynb"))
