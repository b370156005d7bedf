"""Plot of engagement rates over time."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any

import pandas as pd

from engagement_pandas.frame.coercion import as_counts, as_posts
from engagement_pandas.frame.contract import in_order
from engagement_pandas.frame.number_checks import whole_number
from engagement_pandas.metrics import rate_over_time
from engagement_pandas.metrics.checks import filter_types, known_type, require_columns
from engagement_pandas.metrics.intervals import CONFIDENCE
from engagement_pandas.metrics.post_columns import look_up
from engagement_pandas.metrics.rate_over_time import rates_over_time
from engagement_pandas.metrics.time_zones import zone_of
from engagement_pandas.plots.axes import (
    annotate_empty,
    axes_for,
    rate_axis,
    remove_clutter,
    room,
)
from engagement_pandas.plots.colours import type_colours
from engagement_pandas.plots.legend_and_headline import legend_of
from engagement_pandas.plots.lines_over_time import (
    LINE,
    check_by,
    colours_of,
    draw_over_time,
    finest_bucket,
    label_time_axes,
    largest,
    lines_over_time,
)
from engagement_pandas.plots.post_names import post_names
from engagement_pandas.plots.rate_lines import (
    ENOUGH,
    OFTEN,
    blank_handle,
    draw_interval,
    rates_from_zero,
    well_exposed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_rate_over_time(  # noqa: PLR0913 - the metric's own, by keyword
    counts: pd.DataFrame,
    *,
    by: str | None = None,
    numerator: str = "engagements",
    denominator: str = "impressions",
    every: str | None = None,
    tz: str | tzinfo = "UTC",
    window: Any = None,
    minimum: int = ENOUGH,
    confidence: float = CONFIDENCE,
    posts: pd.DataFrame | None = None,
    ax: Axes | None = None,
    **line_kw: Any,
) -> Axes:
    """Draw a rate over time: a single line, or one per post or engagement type.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``day`` and optionally ``hour``.
    by : str, optional
        Column with one line per value: ``"post_id"``, a column of your own or of ``posts``, or
        ``"engagement_type"``, which draws every type over the denominator. By default a
        single line of all counts. Beyond eight posts, the combined rate of those with the
        fewest impressions (``denominator``) is drawn as one grey line.
    numerator, denominator : str
        Engagement types; the numerator is ignored if ``by`` is ``"engagement_type"``.
    every : {"h", "D", "W", "MS"}, optional
        Hours, days, weeks or months. The default is hours if the counts are hourly and
        span at most 62 days, otherwise days.
    tz : str or tzinfo
        Time zone of the buckets; any other than UTC needs hourly counts.
    window : Window, or pair of datetime or str, optional
        The requested window; by default from the first hour in the counts to the last.
    minimum : int
        Buckets with fewer impressions (``denominator``) become gaps, as the legend states,
        since their rates would jump between 0 and 100 %. If all have fewer, all are drawn.
    confidence : float
        Confidence level of the interval, which is drawn only for a single line.
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
        The rate of each bucket, a ratio of sums in percent, drawn at the start of the bucket
        in the time zone named on the x axis. A gap means that there were no impressions, or
        that one of the two counts is missing. Partial buckets are marked as in
        :func:`plot_over_time`.

    Raises
    ------
    FrameError
        For the same reasons as :func:`rate_over_time`; if there is no column ``by``.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"impressions": {"2026-03-01": "50", "2026-03-02": "20"},
    ...               "engagements": {"2026-03-01": "5", "2026-03-02": "3"}}}
    >>> ax = plot_rate_over_time(ep.flatten_json(body))
    >>> ax.get_ylabel(), ax.lines[0].get_ydata().tolist()
    ('daily engagements over impressions', [0.1, 0.15])
    """
    counts = as_counts(counts)
    require_columns(counts, "day")
    posts = as_posts(posts)
    whole_number(minimum, "minimum", 0)
    counts = look_up(counts, by, posts)
    if by is not None:
        check_by(counts, by)
    every = finest_bucket(counts, every)
    zone = zone_of(tz)
    above, over = known_type(counts, numerator), known_type(counts, denominator)
    words = {"every": every, "tz": zone, "window": window, "confidence": confidence}
    if by == "engagement_type":
        types = in_order(counts["engagement_type"].unique())
        order = [name for name in types if name != over] or [above]
        table = rates_over_time(counts, order, denominator=over, **words)
        above = order[0] if len(order) == 1 else "counts"
    else:
        rows, order = _lines(counts, by, above, over)
        table = rate_over_time(rows, by=LINE, numerator=above, denominator=over, **words)
    column = by if by == "engagement_type" else LINE
    ax = axes_for(ax)
    label_time_axes(ax, f"{OFTEN[every]} {above} over {over}", zone)
    if not table["rate"].notna().any():
        return annotate_empty(ax)
    table, remarks = well_exposed(table, over, minimum)
    lines = lines_over_time(table, column, "rate")
    series = {name: lines[name] for name in order}
    colours = type_colours(order) if by is None else colours_of(counts, by, posts)
    handles, labels = draw_over_time(
        ax, series, colours, together="together", every=every, zone=zone, line_kw=line_kw,
        names=post_names(order, posts=posts, room=room(ax)) if by == "post_id" else {},
    )  # fmt: skip
    most = "rate"
    if len(order) == 1:
        (name,) = order
        band, word = draw_interval(ax, series[name].x, table, ax.lines[-1].get_color(), confidence)
        handles, labels, most = [*handles, band], [*labels, word], "high"
    rate_axis(ax.yaxis)
    beyond, why = rates_from_zero(ax, table, handles, most=most)
    handles = [*handles, *beyond, *(blank_handle() for _ in remarks)]
    labels = [*labels, *why, *remarks]
    remove_clutter(ax, grid="y")
    if len(handles) > 1:
        legend_of(ax, handles, labels)
    return ax


def _lines(
    counts: pd.DataFrame, by: str | None, numerator: str, denominator: str
) -> tuple[pd.DataFrame, list[str]]:
    """Return the counts with a column of line names, and the lines, most impressions first."""
    if by is None:
        return counts.assign(**{LINE: numerator}), [numerator]
    rows = filter_types(counts, [numerator, denominator])
    exposed = (rows["engagement_type"] == denominator).to_numpy()
    names, order = largest(rows, by, rows["count"].where(exposed))
    return rows.assign(**{LINE: names}), order
