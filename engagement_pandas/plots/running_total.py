"""Plot of running totals over time."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any

import pandas as pd

from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.metrics.over_time import sums_over_time
from engagement_pandas.metrics.running_total import accumulate
from engagement_pandas.plots.lines_over_time import counts_over_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_running_total(  # noqa: PLR0913 - the metric's own, by keyword
    counts: pd.DataFrame,
    *,
    by: str = "engagement_type",
    engagement_type: str | None = None,
    every: str | None = None,
    tz: str | tzinfo = "UTC",
    window: Any = None,
    posts: pd.DataFrame | None = None,
    ax: Axes | None = None,
    **line_kw: Any,
) -> Axes:
    """Draw running totals over time, with one line per engagement type or post.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``day`` and optionally ``hour``.
    by : str
        Column with one line per value: ``"engagement_type"``, ``"post_id"``, or a column of
        your own or of ``posts``. Counts are summed over the other columns. Beyond eight lines,
        the sum of the smallest is drawn as one grey line, except for types, which do not add up.
    engagement_type : str, optional
        Type to draw; required if there are several and ``by`` is another column.
    every : {"h", "D", "W", "MS"}, optional
        Hours, days, weeks or months. The default is hours if the counts are hourly and
        span at most 62 days, otherwise days.
    tz : str or tzinfo
        Time zone of the buckets; any other than UTC needs hourly counts.
    window : Window, or pair of datetime or str, optional
        The requested window; by default from the first hour in the counts to the last.
    posts : DataFrame, optional
        Frame with ``post_id`` and optionally ``text``; names the posts and fixes their colours.
        ``by`` may name another of its columns, such as ``kind``.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.
    **line_kw
        Passed to ``Axes.plot``.

    Returns
    -------
    matplotlib.axes.Axes
        The total from the first bucket to the end of each bucket, drawn at the start of the
        bucket in the time zone named on the x axis. A bucket without a count is a gap, and
        one that the counts cover only in part is marked as in :func:`plot_over_time`; after
        either, the true total is higher than drawn.

        If the highest count of one type is over ten times that of another, the y axis is
        logarithmic from 1 on, so that no line is flat. Single types have a linear axis.

    Raises
    ------
    FrameError
        For the same reasons as :func:`plot_over_time` and :func:`running_total`.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"impressions": {"2026-03-01": "5", "2026-03-02": "7"}}}
    >>> ax = plot_running_total(ep.flatten_json(body))
    >>> ax.get_ylabel(), ax.lines[0].get_ydata().tolist()
    ('cumulative impressions, day by day', [5.0, 12.0])
    """
    counts = as_counts(counts)
    return counts_over_time(
        counts, _table, "cumulative {type_name}, {unit} by {unit}", by=by,
        engagement_type=engagement_type, every=every, tz=tz, window=window, posts=posts, ax=ax,
        line_kw=line_kw,
    )  # fmt: skip


def _table(counts: pd.DataFrame, **words: Any) -> pd.DataFrame:
    """Return running totals, with the completeness of each single bucket."""
    table = sums_over_time(counts, **words)
    return accumulate(table).assign(complete=table["complete"])
