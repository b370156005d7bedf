"""The three endpoints: what each counts, and how many posts one request may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from engagement_pandas.vocabulary.dimensions import Dimension
from engagement_pandas.vocabulary.limits import MAX_POSTS, MAX_POSTS_OF_TOTALS


class Endpoint(StrEnum):
    """The three endpoints; the value is the last part of the path."""

    TOTALS = "totals"
    LAST_28_HOURS = "28hr"
    HISTORICAL = "historical"

    @property
    def facts(self) -> EndpointFacts:
        """The row of :data:`ENDPOINTS` for this endpoint."""
        return ENDPOINTS[self]


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """What one endpoint allows.

    Attributes
    ----------
    path : str
        Appended to the base URL.
    function : str
        The function of this package for it.
    posts_per_request : int
        Maximum number of post IDs in one request.
    time_series : bool
        Whether it counts by day and hour within a window.
    dimensions : tuple of Dimension
        What it can group by.
    app_only : bool
        Whether a bearer token is sufficient for the public types.
    meaning : str
    """

    path: str
    function: str
    posts_per_request: int
    time_series: bool
    dimensions: tuple[Dimension, ...]
    app_only: bool
    meaning: str


_SERIES_DIMENSIONS: Final = tuple(Dimension)

ENDPOINTS: Final[Mapping[Endpoint, EndpointFacts]] = MappingProxyType(
    {
        Endpoint.TOTALS: EndpointFacts(
            path="/insights/engagement/totals",
            function="totals()",
            posts_per_request=MAX_POSTS_OF_TOTALS,
            time_series=False,
            dimensions=(Dimension.POST_ID, Dimension.ENGAGEMENT_TYPE),
            app_only=True,
            meaning="totals since the post was made",
        ),
        Endpoint.LAST_28_HOURS: EndpointFacts(
            path="/insights/engagement/28hr",
            function="last_28_hours()",
            posts_per_request=MAX_POSTS,
            time_series=True,
            dimensions=_SERIES_DIMENSIONS,
            app_only=False,
            meaning="the 28 hours before the request",
        ),
        Endpoint.HISTORICAL: EndpointFacts(
            path="/insights/engagement/historical",
            function="historical()",
            posts_per_request=MAX_POSTS,
            time_series=True,
            dimensions=_SERIES_DIMENSIONS,
            app_only=False,
            meaning="any window of at most 28 days since 2014-09-01",
        ),
    }
)
