"""What each post gained between two readings of its totals."""

from __future__ import annotations

from typing import Any

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import check_counts
from engagement_pandas.metrics.checks import check_one_source, need_columns
from engagement_pandas.vocabulary.endpoints import Endpoint


def growth(counts: Any) -> pd.DataFrame:
    """Return what each post gained between two readings, such as of weekly exports.

    Parameters
    ----------
    counts : DataFrame
        Tidy totals by post with ``retrieved_at``: of :func:`read_x_analytics`,
        :func:`flatten_lookup`, or ``flatten(responses, retrieved_at=True)`` of ``totals()``.

    Returns
    -------
    DataFrame
        A row for each two successive readings of a post and type, sorted: ``post_id``,
        ``engagement_type``, ``start`` and ``end`` (``datetime64[us, UTC]``, the two readings),
        ``hours`` (``Float64``, between them), ``before`` and ``after`` (``Int64``, the
        totals), ``gained`` (``Int64``, their difference; ``<NA>`` if one is unknown), ``per_day``
        (``Float64``, gained per 24 hours) and ``fell`` (``boolean``: the later total is lower).
        A post that was read once has no row.

    Raises
    ------
    FrameError
        If counts have no time of reading, have days or hours, are of a window instead of totals, or
        are of several sources.

    Notes
    -----
    A total can fall: when likes are taken back, or X corrects its counts. Such rows are kept.
    The time in a file name is known to the day, so an interval may be off by as much.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> posts = [{"id": "7", "public_metrics": {"like_count": n}} for n in (5, 8)]
    >>> moments = ["2026-03-01T00:00Z", "2026-03-03T00:00Z"]
    >>> readings = [ep.flatten_lookup(p, retrieved_at=m) for p, m in zip(posts, moments)]
    >>> growth(pd.concat(readings))[["post_id", "hours", "gained", "per_day"]]
      post_id  hours  gained  per_day
    0       7   48.0       3      1.5
    """
    counts = as_counts(counts)
    need_columns(counts, "post_id")
    check_one_source(counts)
    if "retrieved_at" not in counts or {"day", "hour"} & set(counts.columns):
        msg = (
            f"growth() needs totals with the time of each reading, and counts have the columns "
            f"{list(counts.columns)}; see read_x_analytics([…]) or flatten(…, retrieved_at=True)"
        )
        raise FrameError(msg)
    endpoint = counts.attrs.get("endpoint")
    if endpoint in {str(Endpoint.LAST_28_HOURS), str(Endpoint.HISTORICAL)}:
        msg = f"growth() needs totals, and these are counts of a window ({endpoint}); see totals()"
        raise FrameError(msg)
    known = counts[["post_id", "engagement_type", "retrieved_at", "count"]]
    check_counts(known)
    keys = ["post_id", "engagement_type"]
    rows = known.sort_values([*keys, "retrieved_at"], ignore_index=True)
    earlier = rows.groupby(keys, observed=True)[["retrieved_at", "count"]].shift()
    later = earlier["retrieved_at"].notna()
    rows, earlier = rows[later], earlier[later]
    hours = (rows["retrieved_at"] - earlier["retrieved_at"]).dt.total_seconds() / 3600
    gained = rows["count"] - earlier["count"].astype("Int64")
    return pd.DataFrame(
        {
            "post_id": rows["post_id"],
            "engagement_type": rows["engagement_type"],
            "start": earlier["retrieved_at"],
            "end": rows["retrieved_at"],
            "hours": hours.astype("Float64"),
            "before": earlier["count"].astype("Int64"),
            "after": rows["count"],
            "gained": gained,
            "per_day": gained.astype("Float64") / hours.astype("Float64") * 24,
            "fell": gained < 0,
        }
    ).reset_index(drop=True)
