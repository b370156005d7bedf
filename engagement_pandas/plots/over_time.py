"""Counts hour by hour, day by day: when it happened."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any

import pandas as pd

from engagement_pandas.metrics import over_time
from engagement_pandas.plots.time_axis import counts_over_time

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
    """Draw counts over time, a line for each engagement type or each post.

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
        *Counts per hour*, *per day*, …, at the beginning of each, in the time zone that
        the x axis names. Gaps are gaps, not zeros. Buckets that the counts cover in part
        only, as at the edges of a window, are circles; a line that is so for the most part
        is called *partial* in the legend.

    Raises
    ------
    FrameError
        Where counts have no ``day``, or no column ``by``; where types would be mixed in a
        line; as :func:`over_time` does.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"impressions": {"2026-03-01": "5", "2026-03-02": "7"}}}
    >>> ax = plot_over_time(ep.flatten_json(body))
    >>> ax.get_ylabel(), ax.lines[0].get_ydata().tolist()
    ('impressions per day', [5.0, 7.0])
    """
    return counts_over_time(
        counts, over_time, "{kind} per {unit}", by=by, engagement_type=engagement_type,
        every=every, tz=tz, window=window, posts=posts, ax=ax, line_kw=line_kw,
    )  # fmt: skip
