"""Figures in the colours of the page's theme: light text on a dark page."""

from __future__ import annotations

import html
import io
import re
import sys
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engagement_pandas.plots.svg import description, inline_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

INK: Final = "#010203"
"""Placeholder that is replaced by the text colour of the page."""

PAGE_INK: Final = "var(--jp-ui-font-color1, currentColor)"
"""JupyterLab's text colour in light and dark themes; elsewhere that of the page."""

SETTINGS: Final[Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": None,
    "axes.facecolor": "none",
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK
    ),
}
"""matplotlib's settings for figures whose text has the placeholder's colour."""

_TAG: Final = re.compile(r"<[^>]+>")
_WIDTH: Final = re.compile(r'<svg[^>]* width="([\d.]+)pt"', re.DOTALL)


def follow_theme() -> None:
    """Draw the figures of this notebook in the colours of its theme, light or dark.

    Call it once, before the first figure and after ``%config InlineBackend``. It changes
    matplotlib's settings for this kernel: the text of figures, their axes and black lines have
    the text colour of the page, and the background is that of the page, also when the theme
    changes later. Figures that are saved as files are dark on white, as before. Outside
    IPython, only the settings change.

    Examples
    --------
    >>> import matplotlib as mpl
    >>> with mpl.rc_context():
    ...     follow_theme()
    ...     mpl.rcParams["axes.facecolor"]
    'none'
    """
    import matplotlib as mpl  # noqa: PLC0415 - heavy

    mpl.rcParams.update(SETTINGS)
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is not None:
        from matplotlib import pyplot as plt  # noqa: PLC0415 - heavy

        plt.switch_backend(plt.get_backend())  # its start removes formatters of figures
        formatter = shell.display_formatter.formatters["text/html"]
        formatter.for_type_by_name("matplotlib.figure", "Figure", figure_element)


def figure_element(figure: Figure) -> str:
    """Return a figure as an element of a page, at most as wide as it is.

    >>> from matplotlib.figure import Figure
    >>> figure_element(Figure(figsize=(2, 1)))[:59]
    '<div style="max-width: 144pt"><svg role="img" aria-label=""'
    """
    file = io.StringIO()
    figure.savefig(
        file, format="svg", facecolor="none", metadata={"Date": None}, bbox_inches=_box(figure)
    )
    document = file.getvalue()
    width = _WIDTH.search(document)
    label = html.escape("; ".join(text for text in map(description, figure.axes) if text))
    svg = themed(inline_svg(document)).replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
    return f'<div style="max-width: {float(width[1]) if width else 576:g}pt">{svg}</div>'


def _box(figure: Figure) -> Bbox:
    """Return the box of a figure in inches, with the labels that are outside of it."""
    from matplotlib.transforms import Bbox  # noqa: PLC0415 - heavy

    size = Bbox.from_bounds(0, 0, *figure.get_size_inches())
    drawn = figure.get_tightbbox()
    return Bbox.union([size, drawn]) if np.isfinite(drawn.extents).all() else size


def themed(svg: str) -> str:
    """Return SVG in which the placeholder has become the text colour of the page.

    >>> themed(f'<g style="fill: {INK}">{INK}</g>')
    '<g style="fill: var(--jp-ui-font-color1, currentColor)">#010203</g>'
    """
    return _TAG.sub(lambda tag: tag[0].replace(INK, PAGE_INK), svg)
