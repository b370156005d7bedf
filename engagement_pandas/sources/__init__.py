"""Counts from other sources than the three endpoints: files, exports, and any table.

``counts_from`` makes tidy counts of any frame; ``read_x_analytics`` and ``read_x_overview`` read
the exports of X Analytics, ``flatten_lookup`` and ``flatten_analytics`` the JSON of X API v2, twarc
and archives, and ``v2_problems`` has what such JSON has no counts of. Each frame has a column
``source``, so that counts of different meanings are never added.
``read_posts`` reads the posts of any of these files, or a list of IDs.

Imports ``frame``, ``request`` and the ground.
"""

from __future__ import annotations

import engagement_pandas.frame.accessor  # noqa: F401 - so that its frames have counts.engagement
from engagement_pandas.sources.counts_from import counts_from
from engagement_pandas.sources.flatten_analytics import flatten_analytics
from engagement_pandas.sources.flatten_lookup import flatten_lookup
from engagement_pandas.sources.read_x_analytics import read_x_analytics
from engagement_pandas.sources.read_x_overview import read_x_overview
from engagement_pandas.sources.v2_problems import v2_omissions

__all__ = [
    "counts_from",
    "flatten_analytics",
    "flatten_lookup",
    "read_x_analytics",
    "read_x_overview",
    "v2_omissions",
]
