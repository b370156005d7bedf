"""When counts of the time series are final."""

from __future__ import annotations

from typing import Final

HOURS_UNTIL_FINAL: Final = 48
"""Hours after which the counts of an hour are assumed final; the API does not document it."""
