"""The sandbox's counts, fetched once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import engagement_pandas as ep

NOW = "2026-04-15T12:20:00Z"
KINDS = ["impressions", "engagements", "favorites", "url_clicks"]


@pytest.fixture(scope="session")
def bakery() -> Any:
    """Fetch the demo's own posts: hours of six weeks, and totals."""
    with ep.demo_client(now=NOW) as demo:
        own = demo.posts[demo.posts["handle"] == "sandbox_bakery"]
        window = ep.Window.covering("2026-03-01", "2026-04-15T12:00:00Z")
        asked = ep.historical(own, engagement_types=KINDS, window=window)
        hourly = ep.flatten(demo.client.fetch(asked))
        totals = ep.flatten(demo.client.fetch(ep.totals(own, engagement_types=KINDS[:3])))
        few = hourly[hourly["post_id"].isin(own["post_id"].iloc[-24::6])].reset_index(drop=True)
        return SimpleNamespace(posts=demo.posts, hourly=hourly, few=few, totals=totals)
