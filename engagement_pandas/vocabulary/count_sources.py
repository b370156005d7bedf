"""Sources of counts other than the three endpoints, and which impressions they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What is known of counts that do not come from the three endpoints.

    Attributes
    ----------
    meaning : str
    impressions : str
        Which impressions they hold: organic ones, promoted ones, both, or not known.
    """

    meaning: str
    impressions: str


_BOTH: Final = "organic and promoted"
_NOT_KNOWN: Final = "whether promoted ones are in them is not known"

SOURCES: Final[Mapping[str, SourceFacts]] = MappingProxyType(
    {
        "x_analytics_content": SourceFacts("the content export of X Analytics", "organic"),
        "x_analytics_overview": SourceFacts("the overview export of X Analytics", _NOT_KNOWN),
        "x_analytics_by_tweet": SourceFacts("tweet_activity_metrics, 2014 to 2024", _NOT_KNOWN),
        "x_analytics_by_day": SourceFacts("daily_tweet_activity_metrics, to 2024", _NOT_KNOWN),
        "x_lookup_public": SourceFacts("public metrics of a post", _BOTH),
        "x_lookup_non_public": SourceFacts("non-public metrics of a post", _NOT_KNOWN),
        "x_lookup_organic": SourceFacts("organic metrics of a post", "organic"),
        "x_lookup_promoted": SourceFacts("promoted metrics of a post", "promoted"),
        "x_post_analytics": SourceFacts("/2/tweets/analytics", _NOT_KNOWN),
    }
)
"""Sources whose counts are read; counts of the three endpoints have no ``source``."""
