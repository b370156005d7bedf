"""Explorers: counts, metrics and the API without code, as widgets in a notebook.

An explorer holds a frame and a selection. The numbers come from
:mod:`~engagement_pandas.metrics`, the picture from :mod:`~engagement_pandas.plots`; what it
shows can be had as a frame (``explorer.selection``) and as Python (``explorer.code``).

============================ =======================================================
:class:`EngagementExplorer`  counts: which posts, which types, along which clock
============================ =======================================================
"""

from engagement_pandas.explorers.engagement import EngagementExplorer

__all__ = ["EngagementExplorer"]
