"""Dimensions: what counts can be grouped by."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Dimension(StrEnum):
    """What counts can be grouped by; the value is the API's name."""

    POST_ID = "tweet.id"
    ENGAGEMENT_TYPE = "engagement.type"
    DAY = "engagement.day"
    HOUR = "engagement.hour"

    @property
    def column(self) -> str:
        """The column of the tidy frame for this dimension.

        >>> Dimension.POST_ID.column
        'post_id'
        """
        return _COLUMNS[self]


_COLUMNS: Final = {
    Dimension.POST_ID: "post_id",
    Dimension.ENGAGEMENT_TYPE: "engagement_type",
    Dimension.DAY: "day",
    Dimension.HOUR: "hour",
}
