"""Plot of the engagement rate of posts by age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from engagement_pandas.frame.coercion import as_counts, as_posts
from engagement_pandas.frame.number_checks import whole_number
from engagement_pandas.metrics import rate_by_age
from engagement_pandas.metrics.checks import known_type, require_columns
from engagement_pandas.metrics.intervals import CONFIDENCE
from engagement_pandas.plots.axes import axes_for, rate_axis, remove_clutter, room
from engagement_pandas.plots.colours import post_colours
from engagement_pandas.plots.legend_and_headline import legend_of
from engagement_pandas.plots.lines_by_age import (
    UNTIL,
    check_until,
    draw_by_age,
    label_age_axes,
    say_why,
    young,
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


def plot_rate_by_age(  # noqa: PLR0913 - the metric's own, by keyword
    counts: pd.DataFrame,
    *,
    numerator: str = "engagements",
    denominator: str = "impressions",
    every: str | None = None,
    until: float = UNTIL,
    minimum: int = ENOUGH,
    confidence: float = CONFIDENCE,
    posts: pd.DataFrame | None = None,
    ax: Axes | None = None,
    **line_kw: Any,
) -> Axes:
    """Draw an engagement rate by the age of the posts, per hour or day.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id`` and ``day``, preferably hourly.
    numerator, denominator : str
        Engagement types.
    every : {"h", "D"}, optional
        Bucket of one hour or 24 hours of age; the default is hours if the counts are hourly.
    until : float
        Maximum age to draw, in hours; a week by default.
    minimum : int
        Buckets with fewer impressions (``denominator``) become gaps, as the legend states,
        since their rates would jump between 0 and 100 %. If all have fewer, all are drawn.
    confidence : float
        Confidence level of the interval, which is drawn only for a single post.
    posts : DataFrame, optional
        Frame with ``post_id`` and optionally ``text``; names the posts and fixes their colours.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.
    **line_kw
        Passed to ``Axes.plot``.

    Returns
    -------
    matplotlib.axes.Axes
        The rate of each bucket in percent, drawn at the end of the bucket, by hours since
        the post was made. Beyond eight posts, all but the seven with the most impressions
        (``denominator``) up to that age are thin and grey. A gap means that there were no
        impressions, or that one of the two counts is missing. Partial buckets are marked as
        in :func:`plot_over_time`.

    Raises
    ------
    FrameError
        For the same reasons as :func:`rate_by_age`; if ``until`` is not a valid age.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T02:00:00Z",
    ...     "g": {"2027900000000000000": {
    ...     "impressions": {"2026-03-01": {"00": "50", "01": "20"}},
    ...     "engagements": {"2026-03-01": {"00": "5", "01": "3"}}}}}
    >>> ax = plot_rate_by_age(ep.flatten_json(body))
    >>> ax.get_ylabel(), ax.lines[0].get_ydata().tolist()
    ('hourly engagements over impressions', [0.1, 0.15])
    """
    counts = as_counts(counts)
    require_columns(counts, "post_id", "day")
    posts = as_posts(posts)
    whole_number(minimum, "minimum", 0)
    check_until(until)
    numerator, denominator = (known_type(counts, name) for name in (numerator, denominator))
    every = every or ("h" if "hour" in counts.columns else "D")
    table = rate_by_age(
        counts, every=every, numerator=numerator, denominator=denominator, confidence=confidence
    )
    aged = young(table, until)
    ax = axes_for(ax)
    label_age_axes(ax, f"{OFTEN[every]} {numerator} over {denominator}")
    if not aged["rate"].notna().any():
        return say_why(ax, table)
    aged, remarks = well_exposed(aged, denominator, minimum)
    colours = post_colours(counts, posts=posts)
    sizes = aged[denominator].groupby(aged["post_id"]).sum(min_count=1)
    handles, own, words = draw_by_age(
        ax, aged, "rate", sizes, colours, every=every, line_kw=line_kw
    )
    called = [*post_names(own, posts=posts, room=room(ax)).values()]
    if len(sizes) == 1:
        band, word = draw_interval(
            ax, aged["age"].to_numpy(dtype="float64"), aged, ax.lines[-1].get_color(), confidence
        )
        handles, words = [*handles, band], [*words, word]
    rate_axis(ax.yaxis)
    most = "high" if len(sizes) == 1 else "rate"
    beyond, why = rates_from_zero(ax, aged[aged["post_id"].isin(own)], handles, most=most)
    handles = [*handles, *beyond, *(blank_handle() for _ in remarks)]
    words = [*words, *why, *remarks]
    remove_clutter(ax, grid="y")
    if len(handles) > 1:
        legend_of(ax, handles, [*called, *words])
    return ax
