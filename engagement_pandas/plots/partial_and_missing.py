"""Marks of partial buckets, and of buckets without counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from engagement_pandas.plots.colours import REST, ink
from engagement_pandas.plots.lines import Series

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D


def mark_partial(
    ax: Axes, series: Sequence[Series], lines: Sequence[Line2D], unit: str
) -> tuple[list[Artist], list[str]]:
    """Draw a circle at each partial bucket; return a legend handle and its label.

    ``lines`` are the lines drawn for the series; the circles have their colours.
    """
    from matplotlib.lines import Line2D  # noqa: PLC0415 - heavy

    circles = [points.circles() for points in series]
    x, y, unsure = (
        np.concatenate(
            [getattr(points, part)[places] for points, places in zip(series, circles, strict=True)]
        )
        for part in ("x", "y", "unsure")
    )
    if not len(x):
        return [], []
    drawn = zip(lines, circles, strict=True)
    edges = [line.get_color() for line, places in drawn for _ in range(int(places.sum()))]
    ax.scatter(
        x, y, s=30, facecolors="none", edgecolors=edges, linewidths=1.4, zorder=3, gid="partial"
    )
    one = Line2D([], [], color=ink(ax), marker="o", fillstyle="none", linestyle="none")
    return [one], [f"perhaps a partial {unit}" if unsure.all() else f"partial {unit}"]


def mark_missing(ax: Axes, series: Sequence[Series], step: float) -> tuple[list[Artist], list[str]]:
    """Draw a grey band over the buckets in which a line has no count; return handle and label.

    ``step`` is the width of a bucket in units of x. A line without any count has no bands, since
    the legend says so.
    """
    gaps = [one.x[np.isnan(one.y)] for one in series if not np.isnan(one.y).all()]
    x = np.unique(np.concatenate([*gaps, np.zeros(0)]))
    if not len(x):
        return [], []
    runs = np.split(x, np.flatnonzero(np.diff(x) > 1.5 * step) + 1)
    # Narrower than the buckets by a hair: edges halfway between pixels would be rounding's choice.
    half = 0.49 * step
    spans = [(run[0] - half, run[-1] - run[0] + 2 * half) for run in runs]
    heights = ax.dataLim.intervaly.copy()
    bands = ax.broken_barh(
        spans, (0, 1), transform=ax.get_xaxis_transform(), facecolors=REST, alpha=0.2,
        linewidth=0, zorder=0, gid="missing",
    )  # fmt: skip
    ax.dataLim.intervaly = heights  # matplotlib 3.10 takes the heights of the bands for counts
    return [bands], ["counts are missing"]
