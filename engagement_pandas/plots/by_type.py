"""Plot of the total of each engagement type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import in_order
from engagement_pandas.metrics.checks import require_columns
from engagement_pandas.metrics.group_sums import coded
from engagement_pandas.metrics.sum_counts import missing_counts
from engagement_pandas.plots.axes import (
    annotate_empty,
    axes_for,
    count_axis,
    hatch_missing,
    label_bars,
    name_rows,
    remove_clutter,
    wrapped,
)
from engagement_pandas.plots.labels import TYPE_ROOM, in_font, shortened
from engagement_pandas.plots.style import shade, type_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW: Final = 0.34
"""Height of a row in a new figure, in inches."""


def plot_by_type(counts: pd.DataFrame, *, ax: Axes | None = None, **bar_kw: Any) -> Axes:
    """Draw the total of each engagement type, largest on top.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts of any grouping.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.
    **bar_kw
        Passed to ``Axes.barh``.

    Returns
    -------
    matplotlib.axes.Axes
        Totals over all posts and the UTC days named on the x axis. Bars are never stacked,
        since types do not add up to ``engagements``. A type without counts has a note
        instead of a bar; a type with missing counts is hatched.

    Raises
    ------
    FrameError
        If the counts are not tidy.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"favorites": "7", "impressions": "90"}})
    >>> ax = plot_by_type(counts)
    >>> [float(bar.get_width()) for bar in ax.patches]
    [90.0, 7.0]
    """
    counts = as_counts(counts)
    require_columns(counts)
    kind = ["engagement_type"]
    sums = counts.groupby(kind, observed=True)["count"].sum(min_count=1)
    code, table = coded(counts, kind)
    lost = missing_counts(counts, kind, table, code, counts["count"].notna().to_numpy())
    lacks = dict(zip(table["engagement_type"], lost, strict=True))
    known = {str(name): value for name, value in sums.items()}
    size = {name: -np.inf if pd.isna(known[name]) else float(known[name]) for name in known}
    order = sorted(in_order(known), key=lambda name: -size[name])
    colours = type_colours(order)
    ax = axes_for(ax, height=max(2.5, 1 + ROW * len(order)))
    ax.set_xlabel(wrapped(ax, f"counts{_days(counts)}"))
    if not any(np.isfinite(list(size.values()))):
        return annotate_empty(ax)
    widths = [size[name] if np.isfinite(size[name]) else 0.0 for name in order]
    style: dict[str, Any] = {"color": [shade(ax, colours[name]) for name in order], "height": 0.7}
    bars = ax.barh(range(len(order)), widths, **style | bar_kw)
    for bar, name in zip(bars, order, strict=True):
        bar.set_gid(name)
    note = hatch_missing(bars, [lacks[name] for name in order])
    ax.set_xlabel(wrapped(ax, f"counts{_days(counts)}{note}"))
    count_axis(ax.xaxis)
    remove_clutter(ax, grid="x")
    name_rows(ax, [shortened(in_font(name), TYPE_ROOM) for name in order])
    label_bars(
        ax,
        widths,
        [f"{int(size[name]):,}" if np.isfinite(size[name]) else "no counts" for name in order],
    )
    return ax


def _days(counts: pd.DataFrame) -> str:
    """Return the range of days of the counts, or an empty string if they have no days."""
    if "day" not in counts.columns or not len(counts):
        return ""
    first, last = counts["day"].min(), counts["day"].max()
    return f", {first:%F} (UTC)" if first == last else f", {first:%F} to {last:%F} (UTC)"
