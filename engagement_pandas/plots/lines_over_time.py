"""Shared code of the plots over time: buckets, choice of lines, and the time axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_posts
from engagement_pandas.frame.contract import TEXT, in_order
from engagement_pandas.metrics.age import made_hour
from engagement_pandas.metrics.checks import keys, one_type, require_columns
from engagement_pandas.metrics.group_sums import coded
from engagement_pandas.metrics.post_columns import look_up
from engagement_pandas.metrics.time_zones import zone_of
from engagement_pandas.plots.axes import (
    LOG_FROM_ONE,
    annotate_empty,
    axes_for,
    count_axis,
    from_zero,
    remove_clutter,
    room,
    show_small_lines,
    side_label,
    time_axis,
)
from engagement_pandas.plots.colours import (
    OWN,
    REST,
    group_colours,
    post_colours,
    shade,
    type_colours,
)
from engagement_pandas.plots.legend_and_headline import legend_of
from engagement_pandas.plots.lines import Series, draw_lines, split_lines
from engagement_pandas.plots.partial_and_missing import mark_missing, mark_partial
from engagement_pandas.plots.post_names import TYPE_ROOM, in_font, post_names
from engagement_pandas.text import shortened

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

HOURLY: Final = pd.Timedelta("62D")
"""Over longer spans an hourly line is unreadable; days are the default there."""

UNITS: Final = {
    "h": ("hour", pd.Timedelta("1h")),
    "D": ("day", pd.Timedelta("1D")),
    "W": ("week", pd.Timedelta("7D")),
    "MS": ("month", pd.Timedelta("31D")),
}
"""Name and length of each bucket."""

LINE: Final = "line of its own"
"""Temporary column with the name of the line of each count."""


def counts_over_time(  # noqa: PLR0913 - the metric's own, by keyword
    counts: pd.DataFrame,
    metric: Callable[..., pd.DataFrame],
    label: str,
    *,
    by: str,
    engagement_type: str | None,
    every: str | None,
    tz: str | tzinfo,
    window: Any,
    posts: pd.DataFrame | None,
    ax: Axes | None,
    line_kw: dict[str, Any],
) -> Axes:
    """Draw a metric of counts over time, with one line per value of a column.

    ``metric`` is :func:`~engagement_pandas.metrics.over_time.sums_over_time`, or a function with
    the same arguments and columns. ``label`` is a template of the y label, with the fields
    ``type_name`` and ``unit``. For the others, see :func:`~engagement_pandas.plot_over_time`.
    """
    posts = as_posts(posts)
    counts = look_up(require_columns(counts, "day"), by, posts)
    check_by(counts, by)
    typed = by == "engagement_type"
    rows = counts if typed and engagement_type is None else one_type(counts, engagement_type)
    types = in_order(rows["engagement_type"].unique())
    every = finest_bucket(rows, every)
    zone = zone_of(tz)
    if typed:
        order, column = types, by
    else:
        names, order = largest(rows, by, rows["count"])
        rows, column = rows.assign(**{LINE: names}), LINE
    table = metric(rows, every=every, tz=zone, by=column, window=window)
    ax = axes_for(ax)
    type_name = types[0] if len(types) == 1 else "counts"
    label = label.format(type_name=type_name, unit=UNITS[every][0])
    label_time_axes(ax, label, zone)
    if not table["count"].notna().any():
        return annotate_empty(ax)
    lines = lines_over_time(table, column, "count")
    step = UNITS[every][1] / pd.Timedelta("1D")
    begin = creations(rows, column)
    series = {name: lines[name].since(begin.get(name, -np.inf) - step) for name in order}
    colours = colours_of(counts, by, posts)
    handles, labels = draw_over_time(
        ax, series, colours, together="sum", every=every, zone=zone, line_kw=line_kw,
        names=post_names(order, posts=posts, room=room(ax)) if by == "post_id" else {},
    )  # fmt: skip
    bands, words = mark_missing(ax, [*series.values()], step)
    handles, labels = [*handles, *bands], [*labels, *words]
    if typed:
        show_small_lines(ax)
    if ax.get_yscale() == LOG_FROM_ONE:
        side_label(ax, f"{label}, log scale")
    from_zero(ax)
    count_axis(ax.yaxis)
    remove_clutter(ax, grid="y")
    if len(handles) > 1:
        legend_of(ax, handles, labels)
    return ax


def check_by(counts: pd.DataFrame, by: str) -> None:
    """Raise unless ``by`` names one column that can have lines over time."""
    if not isinstance(by, str) or by in ("day", "hour", "count"):
        msg = f"by is {by!r}; name the one column whose values have a line each, such as 'post_id'"
        raise FrameError(msg)
    keys(counts, by)


def finest_bucket(rows: pd.DataFrame, every: str | None) -> str:
    """Return the default bucket: hours if the line stays readable, otherwise days."""
    if every is not None:
        return every
    if "hour" not in rows.columns:
        return "D"
    long = len(rows) and rows["day"].max() - rows["day"].min() >= HOURLY
    return "D" if long else "h"


def colours_of(counts: pd.DataFrame, by: str, posts: pd.DataFrame | None) -> dict[str, str]:
    """Return the colours of all values in the counts, so that they do not depend on filters."""
    if by == "post_id":
        return post_colours(counts, posts=posts)
    if by == "engagement_type":
        return type_colours(str(value) for value in counts[by].unique())
    return {**group_colours(counts[by]), "<NA>": REST}


def largest(rows: pd.DataFrame, by: str, sizes: pd.Series) -> tuple[pd.Series, list[str]]:
    """Return the line of each row, and the names of the lines, largest first."""
    names = rows[by].astype(TEXT).fillna("<NA>")
    totals = sizes.groupby(names).sum(min_count=1).astype("Float64")
    order = [str(name) for name in totals.sort_values(ascending=False, kind="stable").index]
    if len(order) <= OWN:
        return names, order
    shown = order[: OWN - 1]
    rest = f"{len(order) - len(shown)} others"
    return names.where(names.isin(shown), rest), [*shown, rest]


def lines_over_time(table: pd.DataFrame, by: str, column: str) -> dict[str, Series]:
    """Return one line per key, with points at the start of the buckets."""
    return split_lines(table, by, days_since_1970(table["start"]), column)


def days_since_1970(moments: pd.Series) -> NDArray[np.float64]:
    """Return aware moments as x values of a time axis: days since 1970, UTC."""
    from matplotlib.dates import date2num  # noqa: PLC0415 - heavy

    naive = moments.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    return np.asarray(date2num(naive), dtype=np.float64)


def creations(rows: pd.DataFrame, by: str) -> dict[str, float]:
    """Return when the oldest post of each line was made, in days since 1970 (UTC).

    It is minus infinity for a line with a post whose ID holds no time.
    """
    if "post_id" not in rows.columns:
        return {}
    _, posts = coded(rows, ["post_id", by])
    post, ids = pd.factorize(posts["post_id"])
    line, names = pd.factorize(posts[by])
    oldest = np.full(len(names), np.inf)
    np.minimum.at(oldest, line, np.nan_to_num(made_hour(pd.Index(ids)), nan=-np.inf)[post] / 24)
    return dict(zip(map(str, names), oldest.tolist(), strict=True))


def label_time_axes(ax: Axes, label: str, zone: tzinfo) -> None:
    """Label the axes before drawing."""
    side_label(ax, label)
    ax.set_xlabel(f"time ({zone})", loc="left")


def draw_over_time(  # noqa: PLR0913 - one plot
    ax: Axes,
    series: Mapping[str, Series],
    colours: Mapping[str, str],
    *,
    together: str,
    every: str,
    zone: tzinfo,
    line_kw: dict[str, Any],
    names: Mapping[str, str],
) -> tuple[list[Artist], list[str]]:
    """Draw lines and circles along a time axis; return legend handles and labels.

    The combined line of the smallest has no entry in ``colours`` and is drawn in grey; ``together``
    is a word for the legend: how it was computed. ``every`` is ``"h"``, ``"D"``, ``"W"`` or
    ``"MS"``. ``names`` has display names of posts; other lines are labelled with their own name.
    """
    unit, step = UNITS[every]
    shades = {name: shade(ax, colours.get(name, REST)) for name in series}
    handles = draw_lines(ax, series, shades, line_kw)
    labels = [
        (names.get(name) or shortened(in_font(name), max(room(ax), TYPE_ROOM)))
        + (one.remark() if name in colours else f" ({together})")
        for name, one in series.items()
    ]
    circles, words = mark_partial(ax, [*series.values()], handles, unit)
    time_axis(ax, zone, step)
    return [*handles, *circles], [*labels, *words]
