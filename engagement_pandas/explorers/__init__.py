"""Notebook widgets for exploring counts and metrics, and for using the API, without code.

An explorer of counts holds a frame and a selection. The numbers come from
:mod:`~engagement_pandas.metrics`, the chart from :mod:`~engagement_pandas.plots`; the
result is available as a frame (``explorer.selection``) and as code (``explorer.code``).

============================ =======================================================
:class:`EngagementExplorer`  counts by post, type, and date or age
:class:`BestTimesExplorer`   rates by weekday and hour, with a test
:class:`CompareExplorer`     two sets of posts, and whether they differ
:class:`FetchExplorer`       requests to the API, with plan, cost and progress
============================ =======================================================

Imports ``plots``, ``metrics``, ``flattening``, ``frame``, ``response``, ``request`` and the
ground; for annotations ``client``.
"""

from engagement_pandas.explorers.best_times_explorer import BestTimesExplorer
from engagement_pandas.explorers.compare_explorer import CompareExplorer
from engagement_pandas.explorers.engagement_explorer import EngagementExplorer
from engagement_pandas.explorers.fetch_explorer import FetchExplorer

__all__ = ["BestTimesExplorer", "CompareExplorer", "EngagementExplorer", "FetchExplorer"]
