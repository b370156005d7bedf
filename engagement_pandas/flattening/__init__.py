"""Flattening: convert nested grouped JSON to tidy frames; only this package reads nested counts.

``count_arrays`` converts the members of one grouping to arrays, ``compare_with_request`` compares
them with the request, ``combine`` sums many responses, ``tidy_frame`` builds the frame,
``omissions`` finds what has no count and why, and ``infer_dimensions`` reads a response whose
request is unknown.

Imports ``response``, ``request``, ``frame`` and the ground.
"""

from __future__ import annotations

import engagement_pandas.frame.accessor  # noqa: F401 - so that its frames have counts.engagement
from engagement_pandas.flattening.flatten import flatten
from engagement_pandas.flattening.flatten_json import flatten_json
from engagement_pandas.flattening.omissions import omissions

__all__ = ["flatten", "flatten_json", "omissions"]
