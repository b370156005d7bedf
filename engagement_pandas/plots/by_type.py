"""Plot of the total of each engagement type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import in_order
from engagement_pandas.metrics.checks import require_columns
from engagement_pandas.metrics.group_sums import coded
from engagement_pandas.metrics.missing_counts import missing_counts
from engagement_pandas.plots.axes import (
    annotate_empty,
    axes_for,
    count_axis,
    name_rows,
    percent,
    remove_clutter,
    wrapped,
)
from engagement_pandas.plots.bars import hatch_missing, label_bars
from engagement_pandas.plots.colours import type_colours
from engagement_pandas.plots.post_names import TYPE_ROOM, in_font
from engagement_pandas.text import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

IMPRESSIONS: Final = "impressions"
VIEWS: Final = frozenset({IMPRESSIONS, "media_views", "video_views"})
"""Types that dwarf the others: what people saw, not what they did."""

_SEVERAL: Final = 2
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
        since types do not add up to ``engagements``. Views, such as impressions, are above
        the other types, which have a scale of their own if they are several; their labels
        give the percentage of impressions, unless counts are missing. A type without counts
        has a note instead of a bar; a type with missing counts is hatched.

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
    >>> [text.get_text() for text in ax.texts]
    ['90', '7 (7.78 %)']
    """
    from matplotlib.transforms import Affine2D  # noqa: PLC0415 - heavy

    counts = as_counts(counts)
    require_columns(counts)
    names = ["engagement_type"]
    sums = counts.groupby(names, observed=True)["count"].sum(min_count=1)
    code, table = coded(counts, names)
    lost = missing_counts(counts, names, table, code, counts["count"].notna().to_numpy())
    lacks = dict(zip(table["engagement_type"], lost, strict=True))
    known = {str(name): value for name, value in sums.items()}
    size = {name: -np.inf if pd.isna(known[name]) else float(known[name]) for name in known}
    order = sorted(in_order(known), key=lambda name: (name not in VIEWS, -size[name]))
    colours = type_colours(order)
    ax = axes_for(ax, height=max(2.5, 1 + ROW * len(order)))
    ax.set_xlabel(wrapped(ax, f"counts{_days(counts)}"))
    if not any(np.isfinite(list(size.values()))):
        return annotate_empty(ax)
    widths = np.array([size[name] if np.isfinite(size[name]) else 0.0 for name in order])
    scale, rows = _blocks(order, widths)
    style: dict[str, Any] = {"color": [colours[name] for name in order], "height": 0.7}
    bars = ax.barh(rows, widths, **style | bar_kw)
    for bar, name, factor in zip(bars, order, scale, strict=True):
        bar.set_gid(name)
        bar.set_transform(Affine2D().scale(factor, 1) + ax.transData)
    note = hatch_missing(bars, [lacks[name] for name in order])
    labels = _labels(size, lacks, order)
    if any("%" in label for label in labels):
        note = f"; in brackets: of impressions{note}"
    if len(set(scale)) > 1:  # one axis cannot show two scales; the bars have their numbers
        note = f"; views and others have different scales{note}"
    ax.set_xlabel(wrapped(ax, f"counts{_days(counts)}{note}"))
    count_axis(ax.xaxis)
    remove_clutter(ax, grid="x")
    if len(set(scale)) > 1:
        ax.set_xticks([])
    name_rows(ax, [shortened(in_font(name), TYPE_ROOM) for name in order], rows=rows)
    label_bars(ax, (widths * scale).tolist(), labels, rows=rows)
    return ax


def _blocks(
    order: list[str], widths: NDArray[np.float64]
) -> tuple[NDArray[np.float64], list[float]]:
    """Return the scale of each bar, and its row: other types than views are apart from them."""
    views = np.array([name in VIEWS for name in order])
    rows = [place + (0.5 if views[0] and not view else 0.0) for place, view in enumerate(views)]
    most = {view: np.abs(widths[views == view]).max(initial=0) for view in (True, False)}
    if not all(most.values()) or sum(~views) < _SEVERAL:
        return np.ones(len(order)), rows
    return np.where(views, 1.0, most[True] / most[False]), rows


def _labels(size: dict[str, float], lacks: dict[str, Any], order: list[str]) -> list[str]:
    """Return the number of each type, and its percentage of impressions if both are complete."""
    complete = {name for name in order if not pd.isna(lacks[name]) and not lacks[name]}
    shown = size.get(IMPRESSIONS, 0.0) if IMPRESSIONS in complete else 0.0
    return [
        "no counts"
        if not np.isfinite(size[name])
        else f"{int(size[name]):,}"
        + (f" ({percent(size[name] / shown)})" if shown > 0 and name in complete - VIEWS else "")
        for name in order
    ]


def _days(counts: pd.DataFrame) -> str:
    """Return the range of days of the counts, or an empty string if they have no days."""
    if "day" not in counts.columns or not len(counts):
        return ""
    first, last = counts["day"].min(), counts["day"].max()
    return f", {first:%F} (UTC)" if first == last else f", {first:%F} to {last:%F} (UTC)"
