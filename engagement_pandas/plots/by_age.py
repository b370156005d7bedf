"""Plot of the counts of posts by age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from engagement_pandas.frame.coercion import as_counts, as_posts
from engagement_pandas.metrics import by_age
from engagement_pandas.metrics.checks import one_type, require_columns
from engagement_pandas.plots.axes import (
    axes_for,
    count_axis,
    from_zero,
    remove_clutter,
    room,
)
from engagement_pandas.plots.colours import post_colours
from engagement_pandas.plots.legend_and_headline import legend_of
from engagement_pandas.plots.lines_by_age import (
    UNITS,
    UNTIL,
    check_until,
    draw_by_age,
    label_age_axes,
    say_why,
    young,
)
from engagement_pandas.plots.post_names import post_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_by_age(  # noqa: PLR0913 - the metric's own, by keyword
    counts: pd.DataFrame,
    *,
    engagement_type: str | None = None,
    every: str | None = None,
    until: float = UNTIL,
    posts: pd.DataFrame | None = None,
    ax: Axes | None = None,
    **line_kw: Any,
) -> Axes:
    """Draw the counts of posts by age, per hour or day.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id`` and ``day``, preferably hourly.
    engagement_type : str, optional
        Type to draw; required if there are several.
    every : {"h", "D"}, optional
        Bucket of one hour or 24 hours of age; the default is hours if the counts are hourly.
    until : float
        Maximum age to draw, in hours; a week by default.
    posts : DataFrame, optional
        Frame with ``post_id`` and optionally ``text``; names the posts and fixes their colours.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.
    **line_kw
        Passed to ``Axes.plot``.

    Returns
    -------
    matplotlib.axes.Axes
        Counts per bucket, drawn at the end of the bucket, by hours since the post was made.
        The first hour starts with the post, so it is shorter than the others. Beyond eight
        posts, all but the seven largest, by their counts up to that age, are thin and grey.
        Missing counts are gaps, not zeros. Partial buckets are marked as in
        :func:`plot_over_time`.

    Raises
    ------
    FrameError
        For the same reasons as :func:`by_age`; if there are several types and none is named;
        if ``until`` is not a valid age.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> hours = {"00": "5", "01": "7"}
    >>> body = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T02:00:00Z",
    ...         "g": {"2027900000000000000": {"impressions": {"2026-03-01": hours}}}}
    >>> ax = plot_by_age(ep.flatten_json(body))
    >>> ax.get_ylabel(), ax.lines[0].get_ydata().tolist()
    ('impressions per hour', [5.0, 7.0])
    """
    counts = as_counts(counts)
    require_columns(counts, "post_id", "day")
    posts = as_posts(posts)
    check_until(until)
    rows = one_type(counts, engagement_type)
    type_name = str(rows["engagement_type"].iloc[0]) if len(rows) else "counts"
    every = every or ("h" if "hour" in rows.columns else "D")
    table = by_age(rows, every=every)
    aged = young(table, until)
    ax = axes_for(ax)
    label_age_axes(ax, f"{type_name} per {UNITS[every]}")
    if not aged["count"].notna().any():
        return say_why(ax, table)
    sizes = aged["count"].groupby(aged["post_id"]).sum(min_count=1)
    handles, own, words = draw_by_age(
        ax, aged, "count", sizes, post_colours(counts, posts=posts), every=every, line_kw=line_kw
    )
    called = post_names(own, posts=posts, room=room(ax))
    count_axis(ax.yaxis)
    from_zero(ax)
    remove_clutter(ax, grid="y")
    if len(handles) > 1:
        legend_of(ax, handles, [*(called[post] for post in own), *words])
    return ax
