"""The figure of an explorer, redrawn for each state: SVG for the page, PNG for saving."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from engagement_pandas.plots.header import headline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

INK: Final = "#010203"
"""Placeholder that is replaced by the text colour of the page."""

PAGE_INK: Final = "var(--jp-ui-font-color1, currentColor)"
"""JupyterLab's text colour in light and dark themes; elsewhere that of the page."""

_SETTINGS: Final[Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": None,
    "axes.facecolor": "none",
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK
    ),
}
_TAG: Final = re.compile(r"<[^>]+>")
_GROUP: Final = re.compile(r"""<g id=("[^"]*"|'[^']*')""")
_HEAD: Final = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_SIZE: Final = re.compile(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', re.DOTALL)
_PAGE_WIDE: Final = re.compile(
    r"\s*<metadata>.*?</metadata>|\s*<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL
)
"""Metadata, and a style that would affect all other figures on the page."""


class Picture:
    """A figure that is not registered with pyplot.

    ``width`` and ``height`` are in inches; on the page it fills the width, with this aspect ratio.

    >>> picture = Picture()
    >>> svg = picture.svg(lambda ax: ax.plot([1, 2], gid="a line"))
    >>> svg.startswith("<svg"), 'data-gid="a line"' in svg, INK in svg
    (True, True, False)
    """

    def __init__(self, width: float = 8, height: float = 4.2) -> None:
        self._size = width, height
        self._page = self._blank()

    @property
    def _figure(self) -> Figure:
        return self._page.figure

    def _blank(self) -> FigureCanvasSVG:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - heavy
        from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415 - heavy
        from matplotlib.figure import Figure  # noqa: PLC0415 - heavy

        figure = Figure(figsize=self._size, dpi=72, facecolor="none")
        # With a rect, even of the complete figure, the layout would be computed twice.
        figure.set_layout_engine("tight", pad=0.4, rect=None)
        page = FigureCanvasSVG(figure)
        FigureCanvasAgg(figure)  # for measuring text
        return page

    def svg(self, draw: Callable[[Axes], Any]) -> str:
        """Draw on a blank figure, and return SVG to embed in a page.

        The ``gid`` of an artist becomes the ``data-gid`` of its group, since an ``id`` would
        have to be unique on the page.
        """
        import matplotlib as mpl  # noqa: PLC0415 - heavy

        with mpl.rc_context(_SETTINGS):
            self._page = self._blank()
            draw(self._figure.subplots())
            # Unlike savefig, this draws everything only once.
            file = io.StringIO()
            self._page.print_svg(file)
        text = _PAGE_WIDE.sub("", _HEAD.sub("", file.getvalue(), count=1), count=2)
        text = _SIZE.sub(r'\1 preserveAspectRatio="xMidYMid meet"', text, count=1)
        gids = self.drawn
        text = _GROUP.sub(lambda group: _named(group[1], gids), text)
        return _TAG.sub(lambda tag: tag[0].replace(INK, PAGE_INK), text)

    @property
    def label(self) -> str:
        """Description of the last drawing, for screen readers.

        >>> picture = Picture()
        >>> _ = picture.svg(lambda ax: ax.set(title="A title", xlabel="time (UTC)"))
        >>> picture.label
        'A title; time (UTC)'
        """
        if not self._figure.axes:
            return ""
        ax = self._figure.axes[0]
        if not ax.axison:
            return "; ".join(text.get_text() for text in ax.texts)
        titles = [ax.get_title(loc=side) for side in ("left", "center")]
        parts = [*titles, headline(ax), ax.get_ylabel(), ax.get_xlabel()]
        legend = ax.get_legend()
        if legend is not None:
            parts.append(", ".join(text.get_text() for text in legend.get_texts()))
        return "; ".join(" ".join(part.split()) for part in parts if part)

    @property
    def drawn(self) -> tuple[str, ...]:
        """The ``gid`` of all artists of the last drawing, in order: mostly posts and types."""
        if not self._figure.axes:
            return ()
        gids = (artist.get_gid() for artist in self._figure.axes[0].get_children())
        return tuple(dict.fromkeys(str(gid) for gid in gids if gid))

    def png(self) -> bytes:
        """Return the last drawing as PNG on white."""
        file = io.BytesIO()
        self._figure.savefig(file, format="png", dpi=144, facecolor="white")
        return file.getvalue()


def _named(identity: str, gids: Sequence[str]) -> str:
    """Return the start tag of a group, with its ``gid``, but without matplotlib's own IDs."""
    return f"<g data-gid={identity}" if html.unescape(identity[1:-1]) in gids else "<g"
