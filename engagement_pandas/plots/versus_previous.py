"""Plot of the last period compared with the one before."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.metrics import versus_previous
from engagement_pandas.plots.axes import (
    annotate_empty,
    axes_for,
    name_rows,
    percent,
    remove_clutter,
    room,
    wrapped,
)
from engagement_pandas.plots.bars import hatch_missing, ticks_within
from engagement_pandas.plots.colours import REST, draw_type_bars, ink
from engagement_pandas.plots.legend_and_headline import set_headline
from engagement_pandas.plots.post_names import in_font
from engagement_pandas.text import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW: Final = 0.45
_FAR: Final = 3.0
"""Bars end at a change of +300 %, or twice the median one; farther ones would flatten the rest."""


def plot_versus_previous(
    counts: pd.DataFrame,
    *,
    days: int = 7,
    tz: str | tzinfo = "UTC",
    posts: Any = None,
    ax: Axes | None = None,
    **bar_kw: Any,
) -> Axes:
    """Draw the change of each engagement type from the period before.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts by hour, or by day in UTC.
    days, tz, posts
        See :func:`versus_previous`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.
    **bar_kw
        Passed to ``Axes.barh``.

    Returns
    -------
    matplotlib.axes.Axes
        One bar per type: the change in percent, labelled with both counts. A hatched bar
        has hours that are not known. Bars end at +300 %, or at twice the median change, and
        an arrow marks those that go farther. The headline gives the periods.

    Raises
    ------
    FrameError
        For the same reasons as :func:`versus_previous`.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-05T00:00:00Z",
    ...         "g": {"impressions": {"2026-03-01": "50", "2026-03-02": "20",
    ...                               "2026-03-03": "60", "2026-03-04": "45"}}}
    >>> ax = plot_versus_previous(ep.flatten_json(body), days=2)
    >>> ax.texts[0].get_text(), ep.headline(ax)
    ('+50 %: 105 after 70', '2026-03-03 to 2026-03-04 against the 2 days before')
    """
    table = versus_previous(counts, days=days, tz=tz, posts=posts)
    known = table[table["change"].notna()]
    ax = axes_for(ax, height=max(2.0, 1.2 + _ROW * len(known)))
    if not len(known):
        return annotate_empty(ax)
    type_names = [str(name) for name in known["engagement_type"]]
    change = known["change"].to_numpy(dtype="float64")
    far = max(_FAR, 2 * float(np.median(change)))
    ends = np.minimum(change, far)
    bars = draw_type_bars(ax, type_names, ends.tolist(), bar_kw)
    partial = ~known["complete"].fillna(value=False).to_numpy(dtype=bool)
    hatch_missing(bars, partial)
    ax.axvline(0, color=REST, linewidth=1)
    remove_clutter(ax, grid="x")
    name_rows(ax, [shortened(in_font(name), room(ax)) for name in type_names])
    pairs = zip(change, known["count"], known["previous"], strict=True)
    labels = [
        f"{'→ ' if by > far else ''}{'+' if by > 0 else ''}{percent(by)}: {now:,} after {then:,}"
        for by, now, then in pairs
    ]
    _labels(ax, ends, [label.replace("-", "\N{MINUS SIGN}") for label in labels])
    _percents(ax)
    ticks_within(ax, min(float(ends.min()), -1), max(float(ends.max()), 0))
    note = "; arrow: beyond the axis" if (change > far).any() else ""
    note += "; hatched: hours are missing, or it is not known which" if partial.any() else ""
    ax.set_xlabel(wrapped(ax, f"change of all counts in the period{note}"), parse_math=False)
    row = known.iloc[0]
    last = row["end"] - pd.DateOffset(days=1)  # a day of the clock change is not 24 hours
    words = f"{row['start']:%F} to {last:%F} against the {days} days before"
    set_headline(ax, words if days > 1 else f"{row['start']:%F} against the day before", margin=125)
    return ax


def _labels(ax: Axes, change: NDArray[np.float64], labels: list[str]) -> None:
    """Write the numbers to the right of the bars, also of those that point to the left."""
    low, high = min(0.0, float(change.min())), max(0.0, float(change.max()))
    span = (high - low) or 1.0
    ax.set_xlim(low - 0.05 * span, high + 0.7 * span)
    for row, (by, label) in enumerate(zip(change, labels, strict=True)):
        ax.annotate(
            label, (max(float(by), 0), row), xytext=(4, 0), textcoords="offset points",
            ha="left", va="center", fontsize=9, color=ink(ax),
        )  # fmt: skip


def _percents(ax: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415 - heavy

    ax.xaxis.set_major_locator(MaxNLocator(nbins=5))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda change, _: percent(change)))
