"""The header of a plot: a legend and a headline between the plot and its title.

Matplotlib moves a title above inset Axes but not above a legend or a text. So the header is an
inset as high as its content, and a title that is set afterwards stands above it.

A page that shows both itself keeps them out of the figure, which is then drawn in two thirds of the
time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from engagement_pandas.plots.axes import VERBATIM, cell_width, points_of, wrapped
from engagement_pandas.plots.colours import FAINT

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.container import ErrorbarContainer
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

_LETTER: Final = 0.56
"""Width of a letter, in multiples of the font size."""

_HANDLE: Final = 4.5
"""Width of a legend handle and its padding, in multiples of the font size."""

_SIZES: Final = (9, 8, 7, 6)
"""Font sizes of a legend, in points; smaller text cannot be read."""

_LEADING: Final = 1.5
_PAD: Final = 6.0
"""Space below the headline, in points."""

_HEADER: Final = "header"


@dataclass(slots=True)
class Header:
    """The headline of a plot, and the handles of its legend with their names."""

    headline: str = ""
    legend: Sequence[tuple[Artist | ErrorbarContainer, str]] = ()


_APART: Final[WeakKeyDictionary[Axes, Header]] = WeakKeyDictionary()


def header_apart(ax: Axes) -> Header:
    """Keep the headline and the legend of a plot out of its figure; return them, empty until drawn.

    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> header = header_apart(ax)
    >>> legend_of(ax, ax.plot([1, 2]), ["impressions"])
    >>> header.legend[0][1], ax.get_legend()
    ('impressions', None)
    """
    return _APART.setdefault(ax, Header())


def set_headline(ax: Axes, words: str, *, margin: float = 60) -> None:
    """Write the result above the plot; ``margin`` is the width of its left margin in points."""
    if ax in _APART:
        _APART[ax].headline = words
        return
    lines = wrapped(ax, words, width=cell_width(ax) - margin)
    text = _headline(ax)
    if text is None:
        box = _header(ax)
        text = box.text(0, 1, "", va="top", fontsize=10, transform=box.transAxes, **VERBATIM)
    text.set_text(lines)


def headline(ax: Axes) -> str:
    """Return the sentence that a plot of this package has written above itself, on one line.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The Axes returned by the plot.

    Returns
    -------
    str
        The sentence; empty if the plot has none. It is not the title of the Axes, which
        remains yours to set.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"1": {"engagements": "5"}}})
    >>> headline(ep.plot_by_type(counts))
    ''
    """
    text = _headline(ax)
    words = _APART[ax].headline if ax in _APART else "" if text is None else text.get_text()
    return " ".join(words.split())


def legend_names(ax: Axes) -> list[str]:
    """Return the names in the legend of a plot."""
    if ax in _APART:
        return [name for _, name in _APART[ax].legend]
    legend = ax.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def legend_of(
    ax: Axes, handles: Sequence[Artist | ErrorbarContainer], names: Sequence[str]
) -> None:
    """Place a legend where it hides nothing: above the plot, or on its right for many lines.

    A small plot gets a smaller font; if that is not enough, the legend names only the first
    lines and the number of the others.
    """
    from matplotlib.collections import LineCollection  # noqa: PLC0415 - heavy
    from matplotlib.lines import Line2D  # noqa: PLC0415 - heavy

    if ax in _APART:
        _APART[ax].legend = [*zip(handles, names, strict=True)]
        return
    width, height = points_of(ax)
    entries = _wrapped_names(names, width, _SIZES[0])
    shown = list(handles)
    keywords: dict[str, Any] = {"frameon": False, "columnspacing": 1.0, "handlelength": 2.2}
    at_right = len(names) > 8 and width > 3 * 8 * _entry_width(entries)  # noqa: PLR2004
    if at_right and ax.figure.get_layout_engine() is not None:  # it makes room
        keywords |= {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "fontsize": 8}
    else:
        for size in _SIZES:
            entries = _wrapped_names(names, width, size)
            fit = max(1, int(width // (size * _entry_width(entries))))
            columns = -(-len(names) // -(-len(names) // fit))  # as few as the rows need
            lines = sum(1 + name.count("\n") for name in entries)
            if -(-lines // columns) * size * _LEADING <= height * 0.3:
                break
        room_for = max(2, int(height * 0.5 / (size * _LEADING)) * columns)
        if len(names) > room_for:
            more = len(names) - room_for + 1
            shown = [*shown[: room_for - 1], Line2D([], [], linestyle="none")]
            entries = [*entries[: room_for - 1], f"and {more} more"]
        keywords |= {"ncols": columns, "loc": "lower left", "bbox_to_anchor": (0.0, 1.0)}
        keywords["fontsize"] = size
        _header(ax)
    # matplotlib before 3.10 omits labels that begin with "_", so they are set afterwards.
    legend = ax.legend(shown, [str(place) for place in range(len(shown))], **keywords)
    keys = zip(legend.get_texts(), legend.legend_handles, entries, shown, strict=True)
    for text, key, name, handle in keys:
        text.set(text=name, **VERBATIM)
        if isinstance(handle, LineCollection) and key is not None:
            key.set_alpha(FAINT)  # those in the plot may be fainter, since they are many


def _wrapped_names(names: Sequence[str], width: float, size: float) -> list[str]:
    """Wrap names to the width of the plot; a layout engine would narrow it for a wider entry."""
    most = max(int((width / size - _HANDLE) / _LETTER), 20)
    return [fill(name, most) if len(name) > most else name for name in names]


def _entry_width(names: Sequence[str]) -> float:
    """Return the width of the longest legend entry, in multiples of the font size."""
    return _LETTER * max(len(line) for name in names for line in name.split("\n")) + _HANDLE


def _header(ax: Axes) -> Axes:
    """Return the header of a plot, made when first needed."""
    box = _find(ax)
    if box is None:
        box = ax.inset_axes((0.0, 1.0, 1.0, 0.1), label=_HEADER)
        box.set_axis_off()
        box.set_axes_locator(_Above(ax))
        ax.set_axes_locator(_Below(ax))
    return box


def _find(ax: Axes) -> Axes | None:
    boxes: list[Any] = [box for box in ax.child_axes if box.get_label() == _HEADER]
    return boxes[0] if boxes else None


def _headline(ax: Axes) -> Text | None:
    box = _find(ax)
    return box.texts[0] if box is not None and box.texts else None


def _height(ax: Axes, renderer: RendererBase) -> float:
    """Return the height of the legend above the plot and the headline, in pixels."""
    top = ax.get_window_extent(renderer).y1
    legend = ax.get_legend()
    above = 0.0 if legend is None else legend.get_window_extent(renderer).y1 - top
    text = _headline(ax)
    lines = 0.0 if text is None else text.get_window_extent(renderer).height
    pad = _PAD * ax.figure.dpi / 72 if lines else 0.0
    return max(above, 0.0) + lines + pad


def _is_titled(ax: Axes) -> bool:
    """Return whether a headline or a title needs the header; measuring a legend is slow."""
    titled = any(ax.get_title(loc) for loc in ("left", "center", "right"))
    return titled or _headline(ax) is not None


class _Above:
    """Locates a header above its plot."""

    def __init__(self, ax: Axes) -> None:
        self._ax = ax

    def __call__(self, _: Any, renderer: RendererBase) -> Bbox:
        from matplotlib.transforms import Bbox  # noqa: PLC0415 - heavy

        plot = self._ax.get_window_extent(renderer)
        height = _height(self._ax, renderer) if _is_titled(self._ax) else 0.0
        box = Bbox.from_bounds(plot.x0, plot.y1, plot.width, height)
        return box.transformed(self._ax.figure.transSubfigure.inverted())


class _Below:
    """Locates a plot so that its header fits into the plot's place.

    A layout engine moves the plot itself.
    """

    def __init__(self, ax: Axes) -> None:
        self._former: Any = ax.get_axes_locator()
        self.get_subplotspec = ax.get_subplotspec  # where tight_layout looks for it

    def __call__(self, ax: Any, renderer: RendererBase) -> Bbox:
        from matplotlib.transforms import Bbox  # noqa: PLC0415 - heavy

        place: Bbox = self._former(ax, renderer) if self._former else ax.get_position(original=True)
        if ax.figure.get_layout_engine() is not None:
            return place
        height = _height(ax, renderer) / ax.figure.bbox.height
        return Bbox.from_extents(place.x0, place.y0, place.x1, max(place.y1 - height, place.y0))
