"""Top-level keys of an answer that are not groupings."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from engagement_pandas.vocabulary.engagement_types import EngagementType

RESERVED_KEYS: Final = frozenset(
    {
        "start",
        "end",
        "errors",
        "unavailable_tweet_ids",
        "unsupported_for_impressions_engagements_tweet_ids",
        "unsupported_for_video_views_tweet_ids",
    }
)
"""Top-level keys of an answer that are not groupings."""

UNSUPPORTED_KEYS: Final[Mapping[str, tuple[EngagementType, ...]]] = MappingProxyType(
    {
        "unsupported_for_impressions_engagements_tweet_ids": (
            EngagementType.IMPRESSIONS,
            EngagementType.ENGAGEMENTS,
        ),
        "unsupported_for_video_views_tweet_ids": (EngagementType.VIDEO_VIEWS,),
    }
)
"""Keys that list posts that are too old, and the types whose zeros are not counts then."""
