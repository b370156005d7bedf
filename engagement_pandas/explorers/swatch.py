"""Small samples of the artists of a chart, for its legend and the table."""

from __future__ import annotations

from typing import Any, Final

from engagement_pandas.plots.colours import FAINT
from engagement_pandas.plots.page_theme import themed

_WIDTH: Final = 28
_HEIGHT: Final = 12
_STROKE: Final = 2


def swatch(artist: Any) -> str:
    """Return an SVG sample of a line, markers, a band or error bars of matplotlib.

    It is empty for an artist that draws nothing.

    >>> from matplotlib.lines import Line2D
    >>> swatch(Line2D([], [], color="#0072B2", linestyle=(0, (4, 1.5))))
    '<svg class="swatch" ...><path d="M0 6H28" ...stroke:#0072b2;stroke-dasharray:8 3"/></svg>'
    >>> swatch(Line2D([], [], linestyle="none"))
    ''
    """
    from matplotlib.collections import LineCollection, PathCollection  # noqa: PLC0415 - heavy
    from matplotlib.container import ErrorbarContainer  # noqa: PLC0415 - heavy
    from matplotlib.lines import Line2D  # noqa: PLC0415 - heavy

    if isinstance(artist, ErrorbarContainer):
        artist = artist.lines[2][0]
    if isinstance(artist, Line2D):
        shapes = _of_line(artist)
    elif isinstance(artist, LineCollection):
        # Those in the plot may be fainter, since they are many.
        shapes = _stroke(artist.get_color()[0], opacity=FAINT if artist.get_alpha() else 1)
    elif isinstance(artist, PathCollection):
        size = float(artist.get_sizes()[0]) ** 0.5
        shapes = _marker(
            artist.get_paths()[0], size, artist.get_facecolor(), artist.get_edgecolor()
        )
    else:
        paint = _paint("fill", artist.get_facecolor())
        shapes = f'<rect width="{_WIDTH}" height="{_HEIGHT}" style="{paint}"/>'
    if not shapes:
        return ""
    box = f'class="swatch" width="{_WIDTH}" height="{_HEIGHT}" aria-hidden="true"'
    return themed(f"<svg {box}>{shapes}</svg>")


def _of_line(line: Any) -> str:
    """Return the line and its marker."""
    from matplotlib.markers import MarkerStyle  # noqa: PLC0415 - heavy

    shapes = ""
    if line.get_linestyle() != "None":
        # matplotlib has no public attribute for the dashes.
        dashes = line._unscaled_dash_pattern[1] or ()  # noqa: SLF001
        shapes = _stroke(line.get_color(), dashes, line.get_alpha() or 1)
    if line.get_marker() != "None":
        marker = MarkerStyle(line.get_marker())
        path = marker.get_path().transformed(marker.get_transform())
        hollow = line.get_fillstyle() == "none"
        face = "none" if hollow else line.get_markerfacecolor()
        shapes += _marker(path, line.get_markersize(), face, line.get_markeredgecolor())
    return shapes


def _stroke(colour: Any, dashes: Any = (), opacity: float = 1) -> str:
    """Return a horizontal line."""
    pattern = " ".join(f"{_STROKE * part:g}" for part in dashes)
    style = _paint("stroke", colour, opacity) + (f";stroke-dasharray:{pattern}" if dashes else "")
    middle = _HEIGHT // 2
    return f'<path d="M0 {middle}H{_WIDTH}" stroke-width="{_STROKE}" style="{style}"/>'


def _marker(path: Any, size: float, face: Any, edge: Any) -> str:
    """Return a marker in the middle."""
    points = path.to_polygons()[0] * [size, -size] + [_WIDTH / 2, _HEIGHT / 2]
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    style = f"{_paint('fill', face)};{_paint('stroke', edge)}"
    return f'<polygon points="{corners}" stroke-width="1.4" style="{style}"/>'


def _paint(name: str, colour: Any, opacity: float = 1) -> str:
    """Return a colour, or the first of several, as CSS."""
    from matplotlib.colors import to_hex, to_rgba_array  # noqa: PLC0415 - heavy

    colours = to_rgba_array(colour)
    if not len(colours) or not colours[0, 3]:
        return f"{name}:none"
    opacity *= float(colours[0, 3])
    faint = f";{name}-opacity:{opacity:.2g}" if opacity < 1 else ""
    return f"{name}:{to_hex(colours[0])}{faint}"
