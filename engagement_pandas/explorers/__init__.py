"""Explorers: counts, metrics and the API without code, as widgets in a notebook.

An explorer holds a frame and a selection. The numbers come from
:mod:`~engagement_pandas.metrics`, the picture from :mod:`~engagement_pandas.plots`; what it
shows can be had as a frame (``explorer.selection``) and as Python (``explorer.code``).

============================ =======================================================
:class:`EngagementExplorer`  counts: which posts, which types, along which clock
:class:`BestTimesExplorer`   the week hour by hour, and whether it matters
:class:`CompareExplorer`     two sets of posts, and whether they differ
:class:`FetchExplorer`       the API: a question, its plan and price, its progress
============================ =======================================================

Imports ``plots``, ``metrics``, ``flattening``, ``frame``, ``response``, ``request`` and the
ground; for annotations ``client``.
"""

from engagement_pandas.explorers.best_times import BestTimesExplorer
from engagement_pandas.explorers.compare import CompareExplorer
from engagement_pandas.explorers.engagement import EngagementExplorer
from engagement_pandas.explorers.fetch import FetchExplorer

__all__ = ["BestTimesExplorer", "CompareExplorer", "EngagementExplorer", "FetchExplorer"]
