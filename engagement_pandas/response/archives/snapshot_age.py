"""The age of a snapshot: how far apart its answers may be, and how long it can be resumed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from engagement_pandas.text import lasting
from engagement_pandas.vocabulary.endpoints import Endpoint

MOST_APART: Final[Mapping[str, timedelta]] = {
    Endpoint.LAST_28_HOURS: timedelta(minutes=10),
    Endpoint.TOTALS: timedelta(hours=1),
}
"""How long an unfinished snapshot can be resumed, counted from its oldest answer.

A single job may take longer: what it read in one run is a snapshot; its age shows how long.
"""


def resume_limit(endpoint: str) -> timedelta | None:
    """Return how long a collection can be resumed; None if its answers do not change with time.

    >>> str(resume_limit("totals")), resume_limit("historical")
    ('1:00:00', None)
    """
    return MOST_APART.get(endpoint)


def why_apart(
    moments: Iterable[datetime], limit: timedelta | None, *, complete: bool
) -> str | None:
    """Return why answers read at these moments do not form one snapshot, or None."""
    ordered = [] if limit is None else sorted(moments)  # to read them takes long
    if limit is None or not ordered:
        return None
    spread = ordered[-1] - ordered[0]
    pause = max((later - earlier for earlier, later in pairwise(ordered)), default=timedelta())
    if pause <= limit and (complete or spread <= limit):
        return None
    how = f"with {lasting(pause)} between two" if pause > limit else "and it is not finished"
    return (
        f"its answers were read over {lasting(spread)}, {how}; a snapshot can be resumed for "
        f"{lasting(limit)}"
    )
