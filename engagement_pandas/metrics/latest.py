"""Select the latest of counts that were retrieved several times."""

from __future__ import annotations

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import check_counts
from engagement_pandas.metrics.checks import check_one_source
from engagement_pandas.metrics.coverage import SPREAD

_KEY = "retrieved_at"


def latest(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of each post's latest retrieval, as ordinary counts.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id`` and ``retrieved_at``, as returned by ``flatten(…,
        retrieved_at=True)``.

    Returns
    -------
    DataFrame
        Tidy counts without ``retrieved_at``, with a new ``RangeIndex``, as input for the
        metrics, which never sum counts of several retrievals. For each post and engagement
        type, only the rows of its latest retrieval. ``attrs["retrieved_at"]`` is the
        earliest of these times, if they are at most a minute apart.

    Raises
    ------
    FrameError
        If counts lack these columns.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> request = ep.totals(["123"], engagement_types=["favorites"])
    >>> bodies = [{"by_post": {"123": {"favorites": n}}} for n in ("5", "8")]
    >>> moments = [pd.Timestamp(f"2026-03-0{day}T09:00Z") for day in (1, 2)]
    >>> responses = [
    ...     ep.EngagementResponse(request, body, 200, moment)
    ...     for body, moment in zip(bodies, moments)
    ... ]
    >>> growing = ep.flatten(responses, retrieved_at=True)
    >>> growing["count"].to_list(), latest(growing)["count"].to_list()
    ([5, 8], [8])
    """
    counts = as_counts(counts)
    check_one_source(counts)
    check_counts(counts)
    if not {_KEY, "post_id"} <= set(counts.columns):
        msg = (
            f"counts with the columns {list(counts.columns)} do not state when each post was "
            "retrieved; see flatten(..., retrieved_at=True)"
        )
        raise FrameError(msg)
    last = counts.groupby(["post_id", "engagement_type"], observed=True)[_KEY].transform("max")
    kept = (counts[_KEY] == last).to_numpy()
    rows = counts[kept].drop(columns=_KEY).reset_index(drop=True)
    rows["engagement_type"] = rows["engagement_type"].cat.remove_unused_categories()
    # Rows from times further apart have no common end, so attrs cannot state one.
    moments = counts[_KEY].to_numpy()[kept]
    if len(rows):
        rows.attrs["retrieved_at"] = counts[_KEY][kept].min().isoformat()
        if moments.max() - moments.min() > SPREAD:
            del rows.attrs["retrieved_at"]
    return rows
