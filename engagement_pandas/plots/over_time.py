"""Plot of counts over time."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any

import pandas as pd

from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.metrics.over_time import sums_over_time
from engagement_pandas.plots.lines_over_time import counts_over_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_over_time(  # noqa: PLR0913 - the metric's own, by keyword
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
    """Draw counts over time, with one line per engagement type or post.

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
        *Counts per hour*, *per day*, …, drawn at the start of each bucket in the time zone
        named on the x axis. Missing counts are gaps with a grey band, not zeros. Buckets that
        the counts cover only in part, as at the edges of a window, are circles; a line with
        mostly such buckets is labelled *partial* in the legend.

        If the highest count of one type is over ten times that of another, the y axis is
        logarithmic from 1 on, so that no line is flat. Single types have a linear axis.

    Raises
    ------
    FrameError
        If the counts have no ``day`` or no column ``by``; if a line would mix types; for the
        same reasons as :func:`over_time`.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"impressions": {"2026-03-01": "5", "2026-03-02": "7"}}}
    >>> ax = plot_over_time(ep.flatten_json(body))
    >>> ax.get_ylabel(), ax.lines[0].get_ydata().tolist()
    ('impressions per day', [5.0, 7.0])
    """
    counts = as_counts(counts)
    return counts_over_time(
        counts, sums_over_time, "{type_name} per {unit}", by=by, engagement_type=engagement_type,
        every=every, tz=tz, window=window, posts=posts, ax=ax, line_kw=line_kw,
    )  # fmt: skip
