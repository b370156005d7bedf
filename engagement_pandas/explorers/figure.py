"""A figure, drawn anew for each state of an explorer: as SVG for the page, as PNG to keep."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

INK: Final = "#010203"
"""What is drawn in this colour gets the colour of the page's own text."""

PAGE_INK: Final = "var(--jp-ui-font-color1, currentColor)"
"""JupyterLab's colour of text, in its light and its dark theme; elsewhere the page's."""

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
"""The metadata, and a style that would hold for every other picture of the page too."""


class Picture:
    """A figure of its own, of which pyplot never hears.

    Parameters
    ----------
    width, height : float
        Inches; on the page it is as wide as there is room, in these proportions.

    Examples
    --------
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
        # Given a rect, be it the whole figure, it would measure everything twice.
        figure.set_layout_engine("tight", pad=0.4, rect=None)
        page = FigureCanvasSVG(figure)
        FigureCanvasAgg(figure)  # measures texts
        return page

    def svg(self, draw: Callable[[Axes], Any]) -> str:
        """Draw on a blank figure, and return the picture to stand inside a page.

        The artists' ``gid`` are its groups' ``data-gid``; IDs would have to differ over the
        whole page.
        """
        import matplotlib as mpl  # noqa: PLC0415 - heavy

        with mpl.rc_context(_SETTINGS):
            self._page = self._blank()
            draw(self._figure.subplots())
            # Laid out and drawn once; savefig would draw all of it twice.
            file = io.StringIO()
            self._page.print_svg(file)
        text = _PAGE_WIDE.sub("", _HEAD.sub("", file.getvalue(), count=1), count=2)
        text = _SIZE.sub(r'\1 preserveAspectRatio="xMidYMid meet"', text, count=1)
        gids = self.drawn
        text = _GROUP.sub(lambda group: _named(group[1], gids), text)
        return _TAG.sub(lambda tag: tag[0].replace(INK, PAGE_INK), text)

    @property
    def label(self) -> str:
        """What was drawn last, in words: for those who do not see it.

        Examples
        --------
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
        parts = [*titles, ax.get_ylabel(), ax.get_xlabel()]
        legend = ax.get_legend()
        if legend is not None:
            parts.append(", ".join(text.get_text() for text in legend.get_texts()))
        return "; ".join(" ".join(part.split()) for part in parts if part)

    @property
    def drawn(self) -> tuple[str, ...]:
        """The ``gid`` of everything that was drawn last, in order: posts and types, mostly."""
        if not self._figure.axes:
            return ()
        gids = (artist.get_gid() for artist in self._figure.axes[0].get_children())
        return tuple(dict.fromkeys(str(gid) for gid in gids if gid))

    def png(self) -> bytes:
        """Return what was drawn last, on white."""
        file = io.BytesIO()
        self._figure.savefig(file, format="png", dpi=144, facecolor="white")
        return file.getvalue()


def _named(identity: str, gids: Sequence[str]) -> str:
    """Return the beginning of a group: with its ``gid``, or without matplotlib's own name."""
    return f"<g data-gid={identity}" if html.unescape(identity[1:-1]) in gids else "<g"
