"""The largest body that an answer may have."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from engagement_pandas.vocabulary.endpoints import Endpoint
from engagement_pandas.vocabulary.engagement_types import SERIES_TYPES
from engagement_pandas.vocabulary.limits import MAX_GROUPINGS, MAX_WINDOW

BYTES_A_COUNT: Final = 64
"""Space for one hour in JSON, in any layout: ``"07": "551"`` takes 11."""

_HOURS: Final = MAX_WINDOW + timedelta(days=1)  # a window may begin and end in mid-day

MAX_BODY_BYTES: Final = (
    Endpoint.HISTORICAL.facts.posts_per_request
    * len(SERIES_TYPES)
    * (_HOURS // timedelta(hours=1))
    * BYTES_A_COUNT
    * MAX_GROUPINGS
)
"""Maximum bytes of a body, decompressed: about 57 million, ten times the largest answer."""
