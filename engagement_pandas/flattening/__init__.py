"""Flattening: nested grouped JSON becomes tidy frames; the only reader of nested counts.

``leaves`` takes the counts off the JSON of one grouping (``hours`` quicker, for the biggest
shape), ``answers`` holds them against the request, ``sums`` adds up many answers and makes
the frame, ``silences`` tells what has no count and why, and ``inference`` reads an answer
whose request nobody knows.
"""

from __future__ import annotations

import engagement_pandas.accessor  # noqa: F401 - so that its frames have counts.engagement
from engagement_pandas.flattening.bodies import flatten_json
from engagement_pandas.flattening.responses import flatten
from engagement_pandas.flattening.silences import omissions

__all__ = ["flatten", "flatten_json", "omissions"]
