"""Counts added up over time: how much there has been so far."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any

import pandas as pd

from engagement_pandas.metrics import over_time
from engagement_pandas.metrics.running_total import accumulate
from engagement_pandas.plots.time_axis import counts_over_time

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
    """Draw all counts so far over time, a line for each engagement type or each post.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``day``, and perhaps ``hour``.
    by : str
        The column whose values have a line each, ``"engagement_type"``, ``"post_id"`` or
        one of your own; counts are summed over the rest. Beyond eight, the smallest are
        drawn as one grey line, their sum; types are not, since types do not add up.
    engagement_type : str, optional
        The one to draw. Needed where there are several and ``by`` is another column.
    every : {"h", "D", "W", "MS"}, optional
        Hours, days, weeks or months. By default hours, where the counts have them and
        span at most 62 days, or else days.
    tz : str or tzinfo
        Whose hours, days, weeks and months; other than UTC needs counts by hour.
    window : Window, or pair of datetime or str, optional
        What was asked for; by default from the first hour in the counts to the last.
    posts : DataFrame, optional
        ``post_id`` and perhaps ``text``: names the posts and fixes their colours.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    **line_kw
        For ``Axes.plot``.

    Returns
    -------
    matplotlib.axes.Axes
        All counts from the first bucket to the end of each, drawn at its beginning, in the
        time zone that the x axis names. What is missing is seen where it is missing: a
        bucket without a count is a gap, and one that the counts cover in part only is
        marked as in :func:`plot_over_time`. From there on there was more than is drawn.

    Raises
    ------
    FrameError
        As :func:`plot_over_time` and :func:`running_total` do.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"impressions": {"2026-03-01": "5", "2026-03-02": "7"}}}
    >>> ax = plot_running_total(ep.flatten_json(body))
    >>> ax.get_ylabel(), ax.lines[0].get_ydata().tolist()
    ('cumulative impressions, day by day', [5.0, 12.0])
    """
    return counts_over_time(
        counts, _table, "cumulative {kind}, {unit} by {unit}", by=by,
        engagement_type=engagement_type, every=every, tz=tz, window=window, posts=posts, ax=ax,
        line_kw=line_kw,
    )  # fmt: skip


def _table(counts: pd.DataFrame, **words: Any) -> pd.DataFrame:
    """Return running totals, with each bucket's own completeness."""
    table = over_time(counts, **words)
    return accumulate(table).assign(complete=table["complete"])
