"""Limits of a request, as the API documents them.

Which of them apply to an endpoint is in ``vocabulary/endpoints.py``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from engagement_pandas.vocabulary.dimensions import Dimension

MAX_POSTS_OF_TOTALS: Final = 250
"""Maximum posts in one request of ``/totals``."""

MAX_POSTS: Final = 25
"""Maximum posts in one request of ``/28hr`` or ``/historical``."""

MAX_GROUPINGS: Final = 3
"""Maximum groupings in one request."""

MAX_DIMENSIONS: Final = 4
"""Maximum dimensions in one grouping."""

MAX_FOUR_DIMENSION_GROUPINGS: Final = 1
"""Maximum groupings of four dimensions in one request."""

FOUR_DIMENSION_ORDERS: Final = (
    (Dimension.POST_ID, Dimension.ENGAGEMENT_TYPE, Dimension.DAY, Dimension.HOUR),
    (Dimension.ENGAGEMENT_TYPE, Dimension.POST_ID, Dimension.DAY, Dimension.HOUR),
)
"""The only orders in which all four dimensions are allowed."""

MAX_WINDOW: Final = timedelta(days=28)
"""The longest window of one ``/historical`` request."""

EARLIEST: Final = datetime(2014, 9, 1, tzinfo=UTC)
"""There are no counts before this."""

RELIABLE_PAST: Final = timedelta(days=365)
"""Newer documentation says that ``/historical`` reaches back no further; causes a warning."""

MAX_ID_DIGITS: Final = 19
"""Maximum digits of a post ID."""
