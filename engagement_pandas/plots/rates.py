"""What the pictures of rates share: the interval of a single line, and how high the axis is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.plots.axes import from_zero, percent

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


def draw_interval(
    ax: Axes, x: NDArray[np.float64], table: pd.DataFrame, colour: str, confidence: float
) -> tuple[Artist, str]:
    """Draw what chance leaves open about each bucket's rate; return it, and its name."""
    low, high = (table[name].to_numpy(dtype="float64", na_value=np.nan) for name in ("low", "high"))
    band = ax.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0, gid="interval")
    return band, f"{percent(confidence)} interval"


def rates_from_zero(ax: Axes, _: Iterable[pd.DataFrame]) -> None:
    """Begin the y axis at 0."""
    from_zero(ax)
