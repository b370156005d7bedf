"""Bars: numbers at their ends, and the hatching of those with missing counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from engagement_pandas.plots.axes import LETTER, points_of, row_size
from engagement_pandas.plots.colours import REST, ink

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def label_bars(
    ax: Axes, widths: Sequence[float], labels: Sequence[str], *, rows: Sequence[float] = ()
) -> None:
    """Write numbers at the ends of horizontal bars, and extend the axis to fit them."""
    size = row_size(ax, len(labels), most=9)
    low, high = min(0.0, *widths), max(0.0, *widths)
    letters = max(len(label) for label in labels)
    share = min(0.45, (letters * LETTER * size + 8) / points_of(ax)[0])
    span = (high - low) / (1 - share) or 1.0
    ax.set_xlim(low - (share * span if low < 0 else 0), high + share * span)
    for row, width, label in zip(rows or range(len(labels)), widths, labels, strict=True):
        side = -1 if width < 0 else 1
        ax.annotate(
            label, (width, row), xytext=(3 * side, 0), textcoords="offset points",
            ha="right" if width < 0 else "left", va="center", fontsize=size, color=ink(ax),
        )  # fmt: skip


def hatch_missing(bars: Iterable[Any], missing: Iterable[Any]) -> str:
    """Hatch the bars of totals with missing counts; return a note for the axis label."""
    from matplotlib.colors import same_color  # noqa: PLC0415 - heavy

    hatched = [bar for bar, lost in zip(bars, missing, strict=True) if not pd.isna(lost) and lost]
    for bar in hatched:
        white = same_color(bar.get_facecolor(), "white")
        bar.set_hatch("///")
        bar.set_edgecolor(REST if white else "white")
    return "; hatched: counts are missing" if hatched else ""


def ticks_within(ax: Axes, low: float, high: float) -> None:
    """Keep the ticks of the x axis in a range; the rest of the axis is for labels of bars."""
    ax.set_xticks([tick for tick in ax.get_xticks() if low <= tick <= high])
