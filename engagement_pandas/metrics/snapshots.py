"""Counts that were retrieved several times: which of them are the latest."""

from __future__ import annotations

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame import check_counts

_KEY = "retrieved_at"


def latest(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of each post's latest retrieval, as ordinary counts.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id`` and ``retrieved_at``, as ``flatten(…,
        retrieved_at=True)`` makes them.

    Returns
    -------
    DataFrame
        Tidy counts without ``retrieved_at``, with a fresh ``RangeIndex``, for the metrics:
        counts of several moments are never added up. For each post and engagement type,
        only the rows of the last time that it was counted.

    Raises
    ------
    FrameError
        Where counts have no such columns.

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
    check_counts(counts)
    if not {_KEY, "post_id"} <= set(counts.columns):
        msg = (
            f"counts with the columns {list(counts.columns)} do not tell when each post was "
            "retrieved; see flatten(..., retrieved_at=True)"
        )
        raise FrameError(msg)
    last = counts.groupby(["post_id", "engagement_type"], observed=True)[_KEY].transform("max")
    rows = counts[counts[_KEY] == last].drop(columns=_KEY).reset_index(drop=True)
    rows["engagement_type"] = rows["engagement_type"].cat.remove_unused_categories()
    return rows


def check_one_snapshot(counts: pd.DataFrame) -> None:
    """Refuse counts of which some were retrieved several times: they do not add up.

    Raises
    ------
    FrameError
        Naming a post, and the cure.
    """
    if _KEY not in counts.columns or "post_id" not in counts.columns or not len(counts):
        return
    keys = [name for name in counts.columns if name not in (_KEY, "count")]
    twice = counts.duplicated(
        [name for name in keys if name in ("post_id", "engagement_type", "day", "hour")]
    )
    if twice.any():
        post = counts.loc[twice, "post_id"].iloc[0]
        msg = (
            f"post {post} was retrieved several times, and counts of several moments are not "
            "added up; take latest(counts), or filter by retrieved_at"
        )
        raise FrameError(msg)
