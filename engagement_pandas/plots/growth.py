"""Plot of what posts gained between readings of their totals."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engagement_pandas.frame.coercion import as_counts, as_posts
from engagement_pandas.metrics import growth
from engagement_pandas.metrics.checks import one_type
from engagement_pandas.metrics.time_zones import zone_of
from engagement_pandas.plots.axes import (
    annotate_empty,
    axes_for,
    count_axis,
    from_zero,
    remove_clutter,
    room,
    time_axis,
)
from engagement_pandas.plots.colours import line_styles, post_colours, shade
from engagement_pandas.plots.legend_and_headline import legend_of
from engagement_pandas.plots.lines import draw_grey
from engagement_pandas.plots.lines_by_age import ranked
from engagement_pandas.plots.lines_over_time import days_since_1970, label_time_axes
from engagement_pandas.plots.post_names import post_names

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


def plot_growth(
    counts: Any,
    *,
    engagement_type: str | None = None,
    tz: str | tzinfo = "UTC",
    posts: pd.DataFrame | None = None,
    ax: Axes | None = None,
    **line_kw: Any,
) -> Axes:
    """Draw what each post gained per day between two readings, such as of weekly exports.

    Parameters
    ----------
    counts : DataFrame
        Tidy totals by post with ``retrieved_at``, as for :func:`growth`.
    engagement_type : str, optional
        Type to draw; required if there are several.
    tz : str or tzinfo
        Time zone of the x axis.
    posts : DataFrame, optional
        Frame with ``post_id`` and optionally ``text``; names the posts and fixes their colours.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.
    **line_kw
        Passed to ``Axes.plot``.

    Returns
    -------
    matplotlib.axes.Axes
        Counts per 24 hours, as a level from one reading to the next. Beyond eight posts, all
        but the seven that gained most are thin and grey. A total that fell has a triangle that
        points down.

    Raises
    ------
    FrameError
        For the same reasons as :func:`growth`; if there are several types and none is named.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> posts = [{"id": "7", "public_metrics": {"like_count": n}} for n in (5, 8)]
    >>> moments = ["2026-03-01T00:00Z", "2026-03-03T00:00Z"]
    >>> readings = [ep.flatten_lookup(p, retrieved_at=m) for p, m in zip(posts, moments)]
    >>> plot_growth(pd.concat(readings)).lines[0].get_ydata().tolist()
    [1.5, 1.5]
    """
    posts = as_posts(posts)
    rows = one_type(as_counts(counts), engagement_type)
    table = growth(rows)
    type_name = str(rows["engagement_type"].iloc[0]) if len(rows) else "counts"
    zone = zone_of(tz)
    ax = axes_for(ax)
    label_time_axes(ax, f"{type_name} gained per day", zone)
    if not table["gained"].notna().any():
        return annotate_empty(ax, "no post has two readings to compare")
    handles, shown, words = _draw(ax, table, post_colours(rows, posts=posts), line_kw)
    names = post_names(shown, posts=posts, room=room(ax))
    time_axis(ax, zone, pd.Timedelta("1h"))
    count_axis(ax.yaxis)
    from_zero(ax)
    remove_clutter(ax, grid="y")
    if len(handles) > 1:
        legend_of(ax, handles, [*(names[post] for post in shown), *words])
    return ax


def _draw(
    ax: Axes, table: pd.DataFrame, colours: dict[str, str], line_kw: dict[str, Any]
) -> tuple[list[Artist], list[str], list[str]]:
    """Draw the levels of each post; return legend handles, posts and the other labels."""
    from matplotlib.cbook import normalize_kwargs  # noqa: PLC0415 - heavy
    from matplotlib.lines import Line2D  # noqa: PLC0415 - heavy

    shown, others = ranked(table.groupby("post_id")["gained"].sum(min_count=1))
    parts = {str(post): _levels(part) for post, part in table.groupby("post_id")}
    given = normalize_kwargs(line_kw, Line2D)
    lines: list[Line2D] = []
    for post, dashes in zip(shown, line_styles([colours[post] for post in shown]), strict=True):
        style = {"color": shade(ax, colours[post]), "linestyle": dashes, "linewidth": 1.6}
        lines += ax.plot(*parts[post], **style | {"gid": post} | given)
    handles: list[Artist] = [*lines]
    words = []
    if others:
        handles.append(draw_grey(ax, [np.column_stack(parts[post]) for post in others]))
        words.append(f"{len(others)} others")
    fell = table[table["fell"].fillna(value=False) & table["post_id"].isin(shown)]
    if len(fell):
        drawn = {post: line.get_color() for post, line in zip(shown, lines, strict=True)}
        handles.append(_mark_falls(ax, fell, drawn))
        words.append("the total fell")
    return handles, shown, words


def _levels(part: pd.DataFrame) -> tuple[Any, Any]:
    """Return x in days since 1970 (UTC) and y: the two ends of each interval."""
    x = np.column_stack([days_since_1970(part["start"]), days_since_1970(part["end"])]).ravel()
    return x, part["per_day"].to_numpy(dtype="float64", na_value=np.nan).repeat(2)


def _mark_falls(ax: Axes, fell: pd.DataFrame, drawn: dict[str, Any]) -> Artist:
    """Draw and return a triangle in the middle of each interval in which a total fell."""
    middle = (days_since_1970(fell["start"]) + days_since_1970(fell["end"])) / 2
    edges = [drawn[str(post)] for post in fell["post_id"]]
    return ax.scatter(middle, fell["per_day"].to_numpy(float), marker="v", c=edges, gid="fell")
