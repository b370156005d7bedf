"""Flattening: nested grouped JSON becomes tidy frames; the only reader of nested counts.

``count_arrays`` reads the counts in the JSON of one grouping (``fast_path`` does it faster for
the largest shape), ``reconcile`` compares them with the request, ``combine`` adds up many
answers and makes the frame, ``omission_rows`` finds what has no count and why, and
``inference`` reads an answer whose request is not known.

Imports ``response``, ``request``, ``frame`` and the ground.
"""

from __future__ import annotations

import engagement_pandas.frame.accessor  # noqa: F401 - so that its frames have counts.engagement
from engagement_pandas.flattening.json_body import flatten_json
from engagement_pandas.flattening.omission_rows import omissions
from engagement_pandas.flattening.responses import flatten

__all__ = ["flatten", "flatten_json", "omissions"]
