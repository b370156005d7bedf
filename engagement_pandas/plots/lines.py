"""Lines of counts or rates, with gaps, single points and partial buckets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.plots.colours import FAINT, REST, line_styles

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

MARKED: Final = 31
"""Maximum number of points of each line in a plot with markers."""

_FAINT_FROM: Final = 20
"""More grey lines than this are fainter."""

_THIN: Final = 1000


@dataclass(frozen=True, slots=True)
class Series:
    """The points of one line, and its partial buckets.

    ``x`` is in days since 1970 (UTC) or hours of age. ``y`` has counts or rates, NaN in a gap.
    ``partial`` marks the buckets that are not known to be complete, and ``unsure`` those whose
    completeness is unknown.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    partial: NDArray[np.bool_]
    unsure: NDArray[np.bool_]

    @property
    def throughout(self) -> bool:
        """Whether so many buckets are partial that their circles would hide the line."""
        number = int(self.partial.sum())
        return number > MARKED or number > max(2, (~np.isnan(self.y)).sum() / 2)

    def circles(self) -> NDArray[np.bool_]:
        """Return the partial buckets to mark: only the first and last if most are partial."""
        if not self.throughout:
            return self.partial
        edges = np.zeros(len(self.y), dtype=np.bool_)
        edges[np.flatnonzero(~np.isnan(self.y))[[0, -1]]] = True
        return edges & self.partial

    def dots(self, *, all_points: bool) -> list[int]:
        """Return the points to mark with a dot: all, or only isolated ones."""
        there = ~np.isnan(self.y)
        if not all_points:
            padded = np.concatenate([[False], there, [False]])
            there &= ~padded[:-2] & ~padded[2:]
        return [int(place) for place in np.flatnonzero(there & ~self.circles())]

    def since(self, x: float) -> Series:
        """Return the series from the first point beyond ``x``, or the first that is not zero.

        The zeros before it are those of a post that did not exist yet.
        """
        begin = np.flatnonzero((self.x > x) | (np.nan_to_num(self.y) != 0))[:1]
        kept = slice(int(begin[0]) if len(begin) else 0, None)
        return Series(self.x[kept], self.y[kept], self.partial[kept], self.unsure[kept])

    def remark(self) -> str:
        """Return the remark on the line for the legend."""
        if np.isnan(self.y).all():
            return " (no counts)"
        sure = bool((self.partial & ~self.unsure).any())
        return (" (partial)" if sure else " (perhaps partial)") if self.throughout else ""


def split_lines(
    table: pd.DataFrame, by: str, x: NDArray[np.float64], column: str
) -> dict[str, Series]:
    """Return one line per key, by name.

    ``table`` has the rows of a metric, grouped by the keys in the column ``by``, and a column
    ``complete``. ``x`` has the x value of each row; ``column`` holds the y values.
    """
    codes, names = pd.factorize(table[by])
    y = table[column].to_numpy(dtype="float64", na_value=np.nan)
    partial = ~table["complete"].to_numpy(dtype="bool", na_value=False) & ~np.isnan(y)
    unsure = table["complete"].isna().to_numpy()
    edges = np.flatnonzero(np.diff(codes)) + 1
    parts = zip(*(np.split(each, edges) for each in (x, y, partial, unsure)), strict=True)
    return {str(name): Series(*part) for name, part in zip(names, parts, strict=True)}


def draw_lines(
    ax: Axes,
    series: Mapping[str, Series],
    shades: Mapping[str, str],
    line_kw: dict[str, Any],
) -> list[Line2D]:
    """Draw a line per series, with its name as ``gid``, and return the lines."""
    from matplotlib.cbook import normalize_kwargs  # noqa: PLC0415 - heavy
    from matplotlib.lines import Line2D  # noqa: PLC0415 - heavy

    given = normalize_kwargs(line_kw, Line2D)
    handles: list[Line2D] = []
    lines = line_styles([shades[name] for name in series])
    short = all(len(one.y) <= MARKED for one in series.values())
    for (name, one), line in zip(series.items(), lines, strict=True):
        dots = one.dots(all_points=short)
        style: dict[str, Any] = {
            "color": shades[name],
            "linestyle": line,
            "marker": "o" if dots else "None",
            "markevery": dots or None,
            "markersize": 4,
            "linewidth": 1.6 if len(one.y) <= _THIN else 0.8,
            "gid": name,
        }
        handles += ax.plot(one.x, one.y, **style | given)
    return handles


def draw_grey(ax: Axes, curves: Sequence[NDArray[np.float64]]) -> Artist:
    """Draw the lines of the remaining posts, thin and grey, as one artist.

    The more lines, the fainter they are, so that what is below them remains visible. Each array
    has the columns x and y.
    """
    from matplotlib.collections import LineCollection  # noqa: PLC0415 - heavy

    alpha = float(np.clip(_FAINT_FROM / max(len(curves), 1), 0.3, 1)) * FAINT
    grey = LineCollection(curves, colors=[REST], linewidths=0.8, alpha=alpha, gid="others")
    return ax.add_collection(grey)
