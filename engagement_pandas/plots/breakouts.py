"""Plot of an account's hours, with those that stand out, and posts and shifts that do."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from engagement_pandas.frame.coercion import as_counts, as_posts
from engagement_pandas.metrics import breakouts, over_time
from engagement_pandas.metrics.breakouts import AT
from engagement_pandas.metrics.checks import one_type, require_columns
from engagement_pandas.metrics.comparison_text import times
from engagement_pandas.metrics.intervals import CONFIDENCE
from engagement_pandas.metrics.outliers import LEAST
from engagement_pandas.metrics.time_zones import zone_of
from engagement_pandas.plots.axes import (
    annotate_empty,
    axes_for,
    count_axis,
    from_zero,
    percent,
    remove_clutter,
    side_label,
    time_axis,
)
from engagement_pandas.plots.colours import REST, ink, post_colours, shade
from engagement_pandas.plots.legend_and_headline import legend_of, set_headline
from engagement_pandas.plots.post_names import post_names
from engagement_pandas.text import pluralize

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_MARKERS: Final = {"hour": "o", "post": "^"}


def plot_breakouts(  # noqa: PLR0913 - the metric's own, by keyword
    counts: pd.DataFrame,
    *,
    engagement_type: str | None = None,
    at: float = AT,
    tz: str | tzinfo = "UTC",
    confidence: float = CONFIDENCE,
    posts: pd.DataFrame | None = None,
    ax: Axes | None = None,
    **line_kw: Any,
) -> Axes:
    """Draw the counts of each hour, and what stands out of its baseline.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts by hour with ``post_id``, of one account.
    engagement_type : str, optional
        Type to draw; required if there are several.
    at, tz, confidence
        See :func:`breakouts`.
    posts : DataFrame, optional
        Frame with ``post_id`` and optionally ``text``; names the posts and fixes their colours.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.
    **line_kw
        Passed to ``Axes.plot``.

    Returns
    -------
    matplotlib.axes.Axes
        A grey line for the counts of all posts in each hour. A dot marks an hour that stands
        out, in the colour of the post with most of the excess; a triangle a post, in the hour
        of its creation; a dashed line a shift of the level. The legend has the numbers, and
        the headline how many there are.

    Raises
    ------
    FrameError
        For the same reasons as :func:`breakouts`; if there are several types, and none is
        named.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T02:00:00Z",
    ...         "g": {"2027900000000000000": {"impressions":
    ...               {"2026-03-01": {"00": "50", "01": "20"}}}}}
    >>> ep.headline(plot_breakouts(ep.flatten_json(body))).split("; ")[::2]
    ['nothing stands out', 'posts were not compared, there are fewer than 20']
    """
    posts = as_posts(posts)
    counts = as_counts(counts)
    require_columns(counts, "post_id", "day", "hour")
    rows = one_type(counts, engagement_type)
    zone = zone_of(tz)
    found = breakouts(rows, at=at, tz=zone, confidence=confidence)
    line = over_time(rows, every="h", tz=zone).set_index("start")["count"].astype("Float64")
    ax = axes_for(ax)
    if not line.notna().any():
        return annotate_empty(ax)
    kind = str(rows["engagement_type"].iloc[0])
    style: dict[str, Any] = {"color": REST, "linewidth": 1, "gid": kind}
    ax.plot(line.index, line.to_numpy(dtype="float64", na_value=float("nan")), **style | line_kw)
    names = post_names(found["post_id"], posts=posts, room=30)
    colours = post_colours(counts, posts=posts)
    handles = [
        _mark(ax, row, line, shade(ax, colours[row["post_id"]])) for _, row in found.iterrows()
    ]
    time_axis(ax, zone, pd.Timedelta("1h"))
    count_axis(ax.yaxis)
    from_zero(ax)
    side_label(ax, f"{kind} in each hour, all posts")
    remove_clutter(ax, grid="y")
    if handles:
        words = [_words(row, names[row["post_id"]], at) for _, row in found.iterrows()]
        legend_of(ax, handles, words)
    few = rows["post_id"].nunique() < LEAST
    unknown = f"; posts were not compared, there are fewer than {LEAST}" if few else ""
    set_headline(ax, _headline(found, confidence) + unknown)
    return ax


def _mark(ax: Axes, row: pd.Series, line: pd.Series, colour: str) -> Artist:
    """Draw a dot for an hour, a triangle for a post, or a dashed line for a shift."""
    what, moment = str(row["what"]), row["start"]
    if what == "shift":
        return ax.axvline(moment, color=ink(ax), linestyle="--", linewidth=1.2, gid="shift")
    # In zones of half hours, an hour of the clock is not one of the counts.
    place = max(int(line.index.searchsorted(moment, side="right")) - 1, 0)
    height = float(line.iloc[place]) if pd.notna(line.iloc[place]) else 0.0
    return ax.scatter(
        [moment], [height], marker=_MARKERS[what], s=45, color=colour, zorder=3,
        gid=str(row["post_id"]),
    )  # fmt: skip


def _words(row: pd.Series, name: str, at: float) -> str:
    """Return the entry of the legend."""
    moment = f"{row['start'].day} {row['start']:%b}"
    size = f"{times(float(row['ratio']))} times" if pd.notna(row["ratio"]) else "more"
    if row["what"] == "shift":
        return f"from {moment} on, a typical post gets {size} as much within {at:g} h"
    if row["what"] == "post":
        return f"{name}: {size} the typical post within {at:g} h"
    share = f", {percent(round(float(row['share']), 2))} of the excess by {name}"
    return f"{moment}, {row['start']:%H:%M}: {size} the expected{share}"


def _headline(found: pd.DataFrame, confidence: float) -> str:
    number = found["what"].astype("str").value_counts()
    parts = [pluralize(int(number[what]), what) for what in _MARKERS if what in number]
    parts += ["a shift of the level"] if "shift" in number else []
    verb = "stands out" if len(found) == 1 else "stand out"
    listed = " and ".join([", ".join(parts[:-1]), *parts[-1:]] if len(parts) > 1 else parts)
    chance = f"by chance alone, {percent(round(1 - confidence, 6))} of such analyses name one"
    if found["heavy_tail"].eq(True).fillna(value=False).any():  # noqa: FBT003
        chance += ", and more where posts are as uneven as these"
    return f"{listed} {verb}; {chance}" if parts else f"nothing stands out; {chance}"
