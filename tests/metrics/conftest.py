"""The sandbox's counts, fetched once per session."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import engagement_pandas as ep

NOW = "2026-04-15T12:20:00Z"
TYPES = ["impressions", "engagements", "favorites", "url_clicks"]


@pytest.fixture(scope="session")
def bakery() -> Any:
    """Return the demo's posts, six weeks of hourly counts of its own posts, and their totals."""
    with ep.demo_client(now=NOW) as demo:
        own = demo.posts[demo.posts["handle"] == "sandbox_bakery"]
        window = ep.Window.covering("2026-03-01", "2026-04-15T12:00:00Z")
        request = ep.historical(own, engagement_types=TYPES, window=window)
        hourly = ep.flatten(demo.client.fetch(request))
        totals = ep.flatten(demo.client.fetch(ep.totals(own, engagement_types=TYPES[:3])))
        few = hourly[hourly["post_id"].isin(own["post_id"].iloc[-24::6])].reset_index(drop=True)
        return SimpleNamespace(posts=demo.posts, hourly=hourly, few=few, totals=totals)
