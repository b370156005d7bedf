"""Shared code of the rate plots: the interval of a single line, and the axis limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.plots.axes import from_zero, percent
from engagement_pandas.plots.colours import REST, ink

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

OFTEN: Final = {"h": "hourly", "D": "daily", "W": "weekly", "MS": "monthly"}
"""Adjective for the rates of each bucket length."""

SURE: Final = 2.0
"""A rate is well known if it is at most this many times the lower end of its interval."""

CROWDED: Final = 4.0
"""Rates above this many times the highest well-known rate would flatten the others."""

ENOUGH: Final = 10
"""With fewer impressions, one engagement changes the rate by over 10 percentage points."""

VAGUE: Final = 1000
"""An interval whose ends differ by more than this factor says nothing, and is not drawn."""

_MARGIN: Final = 1.05

_WITHIN: Final = 0.75
"""About this share of the rates, or more, is within the axis."""


def well_exposed(
    table: pd.DataFrame, denominator: str, minimum: int
) -> tuple[pd.DataFrame, list[str]]:
    """Mask the rates of buckets with too few impressions, unless all have too few.

    ``table`` is the result of :func:`~engagement_pandas.rate_over_time`. The remarks for the
    legend, returned with it, are empty if all rates are kept.
    """
    there = table["rate"].notna().to_numpy()
    few = there & (table[denominator] < minimum).to_numpy(dtype="bool", na_value=False)
    if not few.any() or few[there].all():
        return table, []
    kept = {column: table[column].mask(few) for column in ("rate", "low", "high")}
    return table.assign(**kept), [f"gaps: < {minimum} {denominator}"]


def draw_interval(
    ax: Axes, x: NDArray[np.float64], table: pd.DataFrame, colour: Any, confidence: float
) -> tuple[Artist, str]:
    """Draw the confidence interval of each bucket's rate; return a handle and its label.

    Too few posts have an interval that says nothing; the label has a remark on those buckets.
    """
    rate, low, high = (
        table[name].to_numpy(dtype="float64", na_value=np.nan) for name in ("rate", "low", "high")
    )
    vague = (rate > 0) & (high > VAGUE * low)
    remark = ", where it is known" if vague.any() else ""
    low, high = (np.where(vague, np.nan, ends) for ends in (low, high))
    band = ax.fill_between(x, low, high, color=colour, alpha=0.3, linewidth=0, gid="interval")
    return band, f"{percent(confidence)} interval{remark}"


def blank_handle() -> Artist:
    """Return an empty legend handle for a remark."""
    from matplotlib.lines import Line2D  # noqa: PLC0415 - heavy

    return Line2D([], [], linestyle="none")


def rates_from_zero(
    ax: Axes, table: pd.DataFrame, lines: Sequence[Artist], *, most: str = "rate"
) -> tuple[list[Artist], list[str]]:
    """Start the y axis at 0, and end it so that all well-known rates fit.

    One engagement with one impression is a rate of 100 %, which would flatten all others. Points
    above the axis are marked with a triangle; the legend's handle and label for it are returned.

    ``table`` has the columns ``rate`` and ``low``. ``most``, ``"rate"`` or ``"high"``, is the
    column of the well-known rates that has to fit.
    """
    from matplotlib.collections import LineCollection  # noqa: PLC0415 - heavy
    from matplotlib.lines import Line2D  # noqa: PLC0415 - heavy

    before = 0.0 if ax.get_autoscaley_on() else ax.get_ylim()[1]
    from_zero(ax)
    rate, low, fits = (
        table[name].to_numpy(dtype="float64", na_value=np.nan) for name in ("rate", "low", most)
    )
    sure = (rate <= SURE * low) & (low > 0)
    if ax.get_ylim()[0] < 0:
        return [], []
    high = float(np.nanmax(rate))
    most_of_all = float(np.max(fits[~np.isnan(fits)], initial=0))
    top = float(np.max(fits[sure], initial=0)) or min(most_of_all, CROWDED * high)
    if not top:
        return [], []
    most_rates = float(np.nanquantile(rate, _WITHIN, method="lower"))
    within = max(top, most_rates) if high > CROWDED * top else max(top, high)
    edge = max(_MARGIN * within, before)
    ax.set_ylim(0, edge)
    drawn: list[tuple[Any, NDArray[np.float64]]] = []
    for line in lines:
        if isinstance(line, Line2D):
            drawn.append((line.get_color(), np.asarray(line.get_xydata())))
        elif isinstance(line, LineCollection):
            drawn += [(REST, np.asarray(path.vertices)) for path in line.get_paths()]
    over = [points[points[:, 1] > edge, 0] for _, points in drawn]
    x = np.concatenate(over)
    if not len(x):
        return [], []
    shades = [colour for (colour, _), some in zip(drawn, over, strict=True) for _ in some]
    ax.scatter(
        x, np.full(len(x), edge), s=14, c=shades, marker="^", linewidths=0, zorder=3,
        clip_on=False, gid="beyond",
    )  # fmt: skip
    one = Line2D([], [], color=ink(ax), marker="^", markersize=4, linestyle="none")
    return [one], ["beyond the axis"]
