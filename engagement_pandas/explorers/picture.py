"""The figure of an explorer, redrawn for each state: SVG for the page, PNG for saving."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from engagement_pandas.explorers.chart_marks import can_show, readings
from engagement_pandas.explorers.swatch import swatch
from engagement_pandas.plots.axes import zoom_in
from engagement_pandas.plots.legend_and_headline import Header, header_apart, headline
from engagement_pandas.plots.page_theme import SETTINGS, themed
from engagement_pandas.plots.svg import description, drawn_gids, inline_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from engagement_pandas.explorers.svg_page import SvgPage

_DRAWING: Final = Lock()


@contextmanager
def _settings(values: Any) -> Iterator[None]:
    """Change matplotlib's settings, which all threads share, for one thread at a time."""
    import matplotlib as mpl  # noqa: PLC0415 - heavy

    with _DRAWING, mpl.rc_context(values):
        yield


class Picture:
    """A figure that is not registered with pyplot.

    ``width`` and ``height`` are in inches; on the page it fills the width, with this aspect ratio.

    >>> picture = Picture()
    >>> svg = picture.svg(lambda ax: ax.plot([1, 2], gid="a line"))
    >>> svg.startswith("<svg"), 'data-gid="a line"' in svg
    (True, True)
    """

    def __init__(self, width: float = 8, height: float = 4.2) -> None:
        self._size = width, height
        self._page = self._blank()
        self._draw: Callable[[Axes], Any] = lambda ax: ax.set_axis_off()
        self._header = Header()

    @property
    def _figure(self) -> Figure:
        return self._page.figure

    def _blank(self) -> SvgPage:
        from matplotlib.figure import Figure  # noqa: PLC0415 - heavy

        from engagement_pandas.explorers.svg_page import SvgPage  # noqa: PLC0415 - heavy

        figure = Figure(figsize=self._size, dpi=72, facecolor="none")
        return SvgPage(figure)

    def svg(self, draw: Callable[[Axes], Any]) -> str:
        """Draw on a blank figure, and return SVG to embed in a page.

        The ``gid`` of an artist becomes the ``data-gid`` of its group, since an ``id`` would
        have to be unique on the page.
        """
        with _settings(SETTINGS):
            self._page = self._blank()
            ax = self._figure.subplots()
            self._header = header_apart(ax)
            draw(ax)
            self._draw = draw
            return self._print()

    def zoomed(self, limits: Sequence[float]) -> str:
        """Return SVG of a part of the last drawing's x axis; empty if it has no such part."""
        axes = self._figure.axes
        if not axes or not can_show(axes[0], limits):
            return ""
        with _settings(SETTINGS):
            zoom_in(axes[0], *limits)
            return self._print()

    def _print(self) -> str:
        return themed(inline_svg(self._page.draw_svg(), self.drawn))

    def header(self) -> dict[str, Any]:
        """Return the headline and the legend of the last drawing, for ``chart.js``.

        An entry of the legend has a ``gid`` if it can be picked out: if it is of one line.

        >>> from engagement_pandas.plots.legend_and_headline import legend_of
        >>> picture = Picture()
        >>> _ = picture.svg(lambda ax: legend_of(ax, ax.plot([1, 2], gid="7"), ["Lunch"]))
        >>> [(entry["gid"], entry["name"]) for entry in picture.header()["legend"]]
        [('7', 'Lunch')]
        """
        from matplotlib.lines import Line2D  # noqa: PLC0415 - heavy

        gids = [
            str(handle.get_gid() or "") if isinstance(handle, Line2D) else ""
            for handle, _ in self._header.legend
        ]
        return {
            "headline": self.headline,
            "legend": [
                {"gid": "" if ":" in gid else gid, "name": name, "swatch": swatch(handle)}
                for gid, (handle, name) in zip(gids, self._header.legend, strict=True)
            ],
        }

    def marks(self, names: Mapping[str, str]) -> dict[str, Any]:
        """Return the values of the last drawing and their places, see :func:`readings`."""
        return readings(self._figure.axes[0], names) if self._figure.axes else {}

    @property
    def label(self) -> str:
        """Description of the last drawing, for screen readers.

        >>> picture = Picture()
        >>> _ = picture.svg(lambda ax: ax.set(title="A title", xlabel="time (UTC)"))
        >>> picture.label
        'A title; time (UTC)'
        """
        return description(self._figure.axes[0]) if self._figure.axes else ""

    @property
    def headline(self) -> str:
        """The sentence above the last drawing; empty if it has none."""
        return headline(self._figure.axes[0]) if self._figure.axes else ""

    @property
    def drawn(self) -> tuple[str, ...]:
        """The ``gid`` of all artists of the last drawing, in order: mostly posts and types."""
        return drawn_gids(self._figure.axes[0]) if self._figure.axes else ()

    @property
    def swatches(self) -> dict[str, str]:
        """Samples of the lines of the last drawing, by ``gid``."""
        lines = self._figure.axes[0].lines if self._figure.axes else ()
        return {str(line.get_gid()): swatch(line) for line in lines if line.get_gid()}

    def png(self) -> bytes:
        """Return the last drawing as PNG on white."""
        return self.file("png")

    def file(self, suffix: str) -> bytes:
        """Return the last drawing on white, as a file: ``"png"``, or ``"svg"`` with glyphs.

        It is drawn again, with the headline and the legend.
        """
        from matplotlib.figure import Figure  # noqa: PLC0415 - heavy

        file = io.BytesIO()
        with _settings(SETTINGS | {"svg.fonttype": "path"}):
            figure = Figure(figsize=self._size, dpi=72, layout="constrained")
            self._draw(figure.subplots())
            figure.savefig(file, format=suffix, dpi=144, facecolor="white")
        return file.getvalue()
