"""The values in a chart as a pointer or the arrow keys read them, with their places in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engagement_pandas.plots.axes import count_words, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS: Final[Mapping[Callable[..., Any] | None, str]] = {count_words: "count", percent: "percent"}
"""Formats of values in ``chart.js``, by the function of matplotlib's axis that formats the same.

The page formats only the one value that is read; a chart of 17 lines by hour has 11,424.
"""


class Marks(NamedTuple):
    """The points of a line, or one bar, dot or cell.

    ``name`` is the ``gid`` of the post or type, or empty. ``boxes`` has left, bottom, right and
    top in pixels; a point has no width and no height. ``at`` and ``values`` have the texts of each,
    or ``values`` has numbers, for which ``style`` is one of :data:`FORMATS`.
    """

    gid: str
    name: str
    boxes: NDArray[np.float64]
    at: list[str]
    values: list[str] | NDArray[np.float64]
    style: str = ""


def readings(ax: Axes, names: Mapping[str, str]) -> dict[str, Any]:
    """Return all values of a drawn chart with their places, for ``chart.js``.

    ``names`` has display names by ``gid``. Places are in points from the top left corner:
    float32, left, top, right, bottom. ``limits`` has the two ends of the x axis in its own
    units, if the chart can be zoomed.

    >>> from matplotlib.figure import Figure
    >>> ax = Figure(dpi=72).subplots()
    >>> _ = ax.plot([0, 1], [5, float("nan")], gid="7")
    >>> found = readings(ax, {"7": "Lunch"})
    >>> found["series"][0]["name"], len(found["series"][0]["boxes"])
    ('Lunch', 16)
    """
    if not ax.axison:
        return {}
    height = ax.figure.bbox.height
    marks = list(_rows(ax) if ax.yaxis_inverted() else _columns(ax))
    shared = {id(each.at): each.at for each in marks}  # lines over the same buckets share the texts
    at = {t: place for place, t in enumerate(dict.fromkeys(chain.from_iterable(shared.values())))}
    places = {
        key: np.array([at[text] for text in texts], dtype="<u4").tobytes()
        for key, texts in shared.items()
    }
    return {
        "size": [ax.figure.bbox.width, height],
        "frame": _from_top(np.array([ax.bbox.extents]), height)[0].tolist(),
        "limits": list(ax.get_xlim()) if zoomable(ax) else [],
        "at": list(at),
        "series": [
            {
                "gid": each.gid,
                "name": names.get(each.name, each.name),
                "boxes": _from_top(each.boxes, height).astype("<f4").tobytes(),
                "at": places[id(each.at)],
                "values": _sent(each.values),
                "format": each.style,
            }
            for each in marks
        ],
    }


def zoomable(ax: Axes) -> bool:
    """Return whether the x axis can be zoomed: one with lines, of time or of ages."""
    return ax.axison and not ax.yaxis_inverted() and any(line.get_gid() for line in ax.lines)


def can_show(ax: Axes, limits: Sequence[float]) -> bool:
    """Return whether the x axis can be zoomed to these limits."""
    first, last = ax.get_xlim()
    return zoomable(ax) and bool(limits) and first <= limits[0] < limits[-1] <= last


def _columns(ax: Axes) -> Iterator[Marks]:
    """Yield the lines and the vertical bars; a value is on the y axis."""
    left, right = ax.get_xlim()
    bottom = ax.get_ylim()[0]
    read, texts = cache(ax.format_xdata), dict[bytes, list[str]]()
    style = FORMATS.get(ax.fmt_ydata, "")
    for line in ax.lines:
        gid = str(line.get_gid() or "")
        x, y = (np.asarray(data, dtype="float64") for data in line.get_data(orig=False))
        # A logarithmic axis has no place for 0.
        shown = np.isfinite(y) & (left <= x) & (x <= right) & (bottom <= y)
        if gid and shown.any():
            buckets = x[shown].tobytes()
            if buckets not in texts:
                texts[buckets] = [read(value) for value in x[shown].tolist()]
            pixels = line.get_transform().transform(np.column_stack([x[shown], y[shown]]))
            yield Marks(
                gid,
                gid.rpartition(":")[2],
                np.hstack([pixels, pixels]),
                texts[buckets],
                y[shown] if style else [ax.format_ydata(value) for value in y[shown].tolist()],
                style,
            )
    for bar in ax.patches:
        if bar.get_gid():
            place = bar.get_x() + bar.get_width() / 2  # type: ignore[attr-defined]
            value = ax.format_ydata(bar.get_height())  # type: ignore[attr-defined]
            box = np.array([bar.get_window_extent().extents])
            yield Marks(str(bar.get_gid()), "", box, [ax.format_xdata(place)], [value])


def _sent(values: list[str] | NDArray[np.float64]) -> str | bytes:
    """Return values as one text, or numbers as float64."""
    return "\n".join(values) if isinstance(values, list) else values.astype("<f8").tobytes()


def _rows(ax: Axes) -> Iterator[Marks]:
    """Yield the horizontal bars, the dots and the cells of a map."""
    from matplotlib.collections import PathCollection, QuadMesh  # noqa: PLC0415 - heavy

    ticks = ax.get_yticks()
    labels = [" · ".join(label.get_text().split("\n")) for label in ax.get_yticklabels()]

    def row(y: float) -> str:
        return labels[int(np.abs(ticks - y).argmin())]

    for bar in ax.patches:
        if bar.get_gid() and bar.get_fill():
            value = ax.format_xdata(bar.get_width())  # type: ignore[attr-defined]
            box = np.array([bar.get_window_extent().extents])
            middle = bar.get_y() + bar.get_height() / 2  # type: ignore[attr-defined]
            yield Marks(str(bar.get_gid()), "", box, [row(middle)], [value])
    for some in ax.collections:
        gid = str(some.get_gid() or "")
        if isinstance(some, PathCollection) and gid:
            offsets = np.asarray(some.get_offsets(), dtype="float64")
            pixels = some.get_offset_transform().transform(offsets)
            values = [ax.format_xdata(value) for value in offsets[:, 0].tolist()]
            at = [row(y) for y in offsets[:, 1].tolist()]
            yield Marks(gid, "", np.hstack([pixels, pixels]), at, values)
        elif isinstance(some, QuadMesh) and gid == "rate":
            yield _cells(ax, some)


def _cells(ax: Axes, mesh: Any) -> Marks:
    """Return the cells of a map that have a value."""
    shown: np.ma.MaskedArray[Any, Any] = np.ma.asarray(mesh.get_array(), dtype="float64")
    values: NDArray[np.float64] = shown.filled(np.nan)
    corners = mesh.get_coordinates()
    row, column = np.nonzero(np.isfinite(values))
    low, high = corners[row, column], corners[row + 1, column + 1]
    ends = np.sort([ax.transData.transform(low), ax.transData.transform(high)], axis=0)
    read = mesh.colorbar.ax.format_ydata
    return Marks(
        "rate",
        "",
        np.hstack([ends[0], ends[1]]),
        [f"{ax.format_xdata(x)} {ax.format_ydata(y)}" for x, y in low.tolist()],
        [read(value) for value in values[row, column].tolist()],
    )


def _from_top(boxes: NDArray[np.float64], height: float) -> NDArray[np.float64]:
    """Turn left, bottom, right and top in matplotlib's pixels into the page's, from the top."""
    return np.asarray(boxes[:, [0, 3, 2, 1]] * [1, -1, 1, -1] + [0, height, 0, height])
