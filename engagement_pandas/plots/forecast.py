"""Plot of young posts: their counts so far, and the forecast with its interval."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from engagement_pandas.frame.coercion import as_counts, as_posts
from engagement_pandas.metrics import forecast
from engagement_pandas.metrics.checks import filter_types, one_type, require_columns
from engagement_pandas.metrics.forecast import AT, CONFIDENCE, LEAST, MINIMUM
from engagement_pandas.plots.axes import (
    annotate_empty,
    axes_for,
    log_axis,
    name_rows,
    percent,
    remove_clutter,
    room,
    wrapped,
)
from engagement_pandas.plots.colours import REST, ink, picked_out, post_colours, shade, type_colours
from engagement_pandas.plots.legend_and_headline import legend_of
from engagement_pandas.plots.post_names import post_names
from engagement_pandas.text import pluralize

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST: Final = 25
"""Maximum number of rows, besides those of highlighted posts; more could not be read."""

_ROW: Final = 0.35


def plot_forecast(  # noqa: PLR0913 - the metric's own, by keyword
    counts: pd.DataFrame,
    *,
    cohort: pd.DataFrame | None = None,
    engagement_type: str | None = None,
    at: float = AT,
    minimum: int = MINIMUM,
    least: int = LEAST,
    confidence: float = CONFIDENCE,
    posts: pd.DataFrame | None = None,
    highlight: str | Iterable[str] | None = None,
    ax: Axes | None = None,
    **errorbar_kw: Any,
) -> Axes:
    """Draw each young post's count so far, and the forecast with its interval.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts by hour with ``post_id``, from each post's creation on.
    cohort, at, minimum, least, confidence
        See :func:`forecast`.
    engagement_type : str, optional
        Type to draw; required if there are several.
    posts : DataFrame, optional
        Frame with ``post_id`` and optionally ``text``; names the posts and fixes their colours.
    highlight : str or iterable of str, optional
        IDs of posts to pick out: they have their own colours, and the others are grey.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.
    **errorbar_kw
        Passed to ``Axes.errorbar``.

    Returns
    -------
    matplotlib.axes.Axes
        One row per post with a forecast, on a logarithmic axis: a hollow dot for the count so
        far, a dot for the forecast, and a line for the interval, in the colour of the type.
        Of more than 25 forecasts, the highest and the highlighted ones are drawn. The x label
        gives the number of the others, and of posts without a forecast.

    Raises
    ------
    FrameError
        For the same reasons as :func:`forecast`; if there are several types, and none is
        named; if a highlighted post has no forecast.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T02:00:00Z",
    ...         "g": {"2027900000000000000": {"impressions":
    ...               {"2026-03-01": {"00": "50", "01": "20"}}}}}
    >>> ax = plot_forecast(ep.flatten_json(body))
    >>> ax.texts[0].get_text()
    'no forecast: of 1 post, none can be compared with a cohort'
    """
    posts = as_posts(posts)
    counts = require_columns(as_counts(counts), "post_id", "day")
    rows = one_type(counts, engagement_type)
    if cohort is not None and engagement_type is not None:
        cohort = filter_types(as_counts(cohort), [engagement_type])
    table = forecast(
        rows, cohort=cohort, at=at, minimum=minimum, least=least, confidence=confidence
    )
    found = table[table["forecast"].notna()].sort_values("forecast", ascending=False)
    own = picked_out(highlight, found["post_id"], post_colours(counts, posts=posts))
    shown = (np.arange(len(found)) < MOST) | found["post_id"].isin(own).to_numpy()
    beyond = len(found) - int(shown.sum())
    found = found[shown]
    ax = axes_for(ax, height=max(2.5, 1.2 + _ROW * len(found)))
    if not len(found):
        every = pluralize(len(table), "post")
        return annotate_empty(ax, f"no forecast: of {every}, none can be compared with a cohort")
    ids = [str(post) for post in found["post_id"]]
    type_name = str(found["engagement_type"].iloc[0])
    common = REST if own else type_colours([type_name])[type_name]
    shades = [shade(ax, own.get(post, common)) for post in ids]
    _draw(ax, found, confidence, shades, errorbar_kw)
    names = post_names(ids, posts=posts, room=room(ax))
    name_rows(ax, [names[post] for post in ids])
    remove_clutter(ax, grid="x")
    left = len(table) - len(found) - beyond
    some = f"\nnot shown: {pluralize(beyond, 'lower forecast')}" if beyond else ""
    out = f"\nno forecast: {pluralize(left, 'post')}, too old, too young or with too few counts"
    words = f"{type_name}, {at:g} hours after posting (log scale){some}{out if left else ''}"
    ax.set_xlabel(wrapped(ax, words), parse_math=False)
    return ax


def _draw(
    ax: Axes,
    found: pd.DataFrame,
    confidence: float,
    shades: list[str],
    errorbar_kw: dict[str, Any],
) -> None:
    """Draw the dots and the intervals, and the legend."""
    from matplotlib.cbook import normalize_kwargs  # noqa: PLC0415 - heavy
    from matplotlib.lines import Line2D  # noqa: PLC0415 - heavy

    given = normalize_kwargs(errorbar_kw, Line2D)
    colour = given.pop("color", None)
    common = ink(ax) if colour is None else colour
    shades = shades if colour is None else [colour] * len(found)
    middle, low, high, count = (
        found[name].to_numpy(dtype="float64") for name in ("forecast", "low", "high", "count")
    )
    rows = range(len(found))
    style: dict[str, Any] = {"fmt": "none", "ecolor": common, "elinewidth": 1.4, "capsize": 3}
    ends = [middle - low, high - middle]
    interval = ax.errorbar(middle, rows, xerr=ends, **style | given)
    dots = ax.scatter(middle, rows, c=shades, s=34, zorder=3, gid="forecast")
    hollow = ax.scatter(
        count, rows, s=28, facecolors="none", edgecolors=shades, zorder=3, gid="so far"
    )
    ax.set_xscale("log")
    log_axis(ax.xaxis)
    legend_of(
        ax, [hollow, dots, interval], ["so far", "forecast", f"{percent(confidence)} interval"]
    )
