"""A canvas that writes SVG, and measures each text once for the layout and the drawing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import TightLayoutEngine
from matplotlib.spines import Spine
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Bbox, ScaledTranslation

_PAD: Final = 4.0
"""Space between the drawing and the edge of the figure, in points."""


class SvgPage(FigureCanvasSVG):
    """A canvas that draws a figure once and returns SVG.

    matplotlib's own canvas measures all text again in each drawing, and with another renderer
    for the layout.
    """

    def __init__(self, figure: Figure) -> None:
        super().__init__(figure)
        figure.set_layout_engine(Margins(pad=_PAD / 10))
        self._renew()

    def get_renderer(self) -> Any:
        """Return the renderer of the current or last drawing."""
        return self._renderer

    def draw_svg(self) -> str:
        """Draw the figure, and return it as an SVG document."""
        self._renew()
        self.figure.draw(self._renderer)
        self._renderer.finalize()
        return self._file.getvalue()

    def _renew(self) -> None:
        self._file = io.StringIO()
        new: Any = _Renderer
        self._renderer = new(*self.figure.bbox.size, self._file)


class _Renderer(RendererSVG):
    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath: Any) -> Any:
        return _size(s, prop, ismath)


@lru_cache(maxsize=4096)
def _size(text: str, font: FontProperties, ismath: Any) -> Any:
    return text_to_path.get_text_width_height_descent(text, font, ismath)


class Margins(TightLayoutEngine):
    """The tight layout of a figure with one plot, which measures each tick label once.

    The labels of the axes keep their distance to the plot. The tight layout measures all tick
    labels twice, and matplotlib measures them again to place these labels.
    """

    def execute(self, fig: Figure) -> None:
        """Fit the plot and all around it into the figure."""
        if len(fig.axes) != 1 or not _plain(fig.axes[0]):
            super().execute(fig)
            return
        ax, renderer = fig.axes[0], fig.canvas.get_renderer()  # type: ignore[attr-defined]
        ax.apply_aspect(ax.get_position(original=True))
        plot, drawn = ax.bbox, Bbox.union([ax.bbox, *_around(ax, renderer)])
        pad, (width, height) = _PAD / 72 * fig.dpi, fig.bbox.size
        fig.subplots_adjust(
            left=(plot.x0 - drawn.x0 + pad) / width,
            right=1 - (drawn.x1 - plot.x1 + pad) / width,
            bottom=(plot.y0 - drawn.y0 + pad) / height,
            top=1 - (drawn.y1 - plot.y1 + pad) / height,
        )


def _plain(ax: Axes) -> bool:
    """Return whether a plot has axes and no title."""
    return ax.axison and not any(ax.get_title(loc) for loc in ("left", "center", "right"))


def _around(ax: Axes, renderer: Any) -> Iterator[Bbox]:
    """Yield the boxes of all that is around a plot, in pixels."""
    for axis in (ax.xaxis, ax.yaxis):
        yield from _labels(axis, renderer)
    for artist in ax.get_default_bbox_extra_artists():
        if artist is not ax.patch and not isinstance(artist, Spine):
            box = artist.get_tightbbox(renderer)
            if box is not None and np.isfinite(box.extents).all():
                yield box


def _labels(axis: Axis, renderer: Any) -> Iterator[Bbox]:
    """Yield the boxes of the tick labels and the label of an axis, after placing the label."""
    ax: Any = axis.axes
    across = axis is ax.xaxis
    ticks = _tick_labels(axis, renderer) or Bbox.from_bounds(ax.bbox.x0, ax.bbox.y0, 0, 0)
    yield ticks
    if not axis.label.get_text():
        return
    x, y = axis.label.get_position()
    far = ticks.y0 - ax.bbox.y0 if across else ticks.x0 - ax.bbox.x0
    shift = min(far, 0) / ax.figure.dpi - axis.labelpad / 72
    right, up = (0.0, shift) if across else (shift, 0.0)
    move = ScaledTranslation(right, up, ax.figure.dpi_scale_trans)
    x, y = (x, 0.0) if across else (0.0, y)
    axis.set_label_coords(x, y, transform=ax.transAxes + move)
    box = axis.label.get_window_extent(renderer)
    if across:
        yield Bbox.from_extents(ax.bbox.x0, box.y0, ax.bbox.x0, box.y1)
    else:
        yield Bbox.from_extents(box.x0, ax.bbox.y0, box.x1, ax.bbox.y0)


def _tick_labels(axis: Axis, renderer: Any) -> Bbox | None:
    """Return the box of the tick labels of an axis."""
    others = (axis.label, axis.offsetText)
    # matplotlib places a label without coordinates, for which it measures the tick labels again.
    x, y = axis.label.get_position()
    axis.set_label_coords(x, y, transform=axis.label.get_transform())
    for text in others:
        text.set_visible(False)
    box = axis.get_tightbbox(renderer)
    for text in others:
        text.set_visible(True)
    return box
