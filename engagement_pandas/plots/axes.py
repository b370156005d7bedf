"""Shared code of all plots: Axes, formats of axes, names of rows, and text from outside."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.plots.colours import ink
from engagement_pandas.plots.post_names import in_font

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.backend_bases import RendererBase
    from matplotlib.lines import Line2D
    from matplotlib.transforms import Bbox

NOTHING: Final = "no counts to show"
VERBATIM: Final[dict[str, Any]] = {"parse_math": False, "usetex": False}
"""Options for text from outside, so that a dollar sign does not start a formula."""

LETTER: Final = 0.56
"""Width of a letter, in multiples of the font size."""

_LONGEST: Final = 60
"""Maximum length of a name next to a plot, in characters, however wide the plot is."""

_UNITS: Final = {0: "", 3: "k", 6: "M", 9: "B", 12: "T"}
"""Units of counts by power of ten. matplotlib has "m" for thousandths, which reads as millions."""

_EDGE: Final = 3.0
"""Space between the names of rows and what is on their left, in points."""

_READABLE: Final = 7.0
"""Font size in points below which rows are too many to read."""

_NARROW: Final = 24.0
"""Height in points of a row in which two lines of text would touch those of the next row."""

LOG_FROM_ONE: Final = "symlog"
"""matplotlib's name of a scale that is linear up to 1 and logarithmic from there on."""

_FLAT: Final = 10
"""A line this many times lower than the highest one looks flat."""

_TICK: Final = 30.0
"""Least distance of ticks of a y axis in points, before labels take some of its height."""

_HOURS: Final = (1, 2, 3, 6, 12, 24, 48, 72, 168, 336, 672, 1344, 2688, 8736)


def axes_for(ax: Axes | None, *, width: float = 8, height: float = 4.5) -> Axes:
    """Return the given Axes, or the Axes of a new figure; its size is in inches.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> days = pd.date_range("2026-03-01", periods=3)
    >>> axes_for(pd.Series([1, 2, 3], index=days).plot(ax=Figure().subplots()))
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: pandas has drawn on these Axes in periods of 'D', ...
    """
    if ax is not None:
        # pandas counts the x axis in its own periods, such as days or hours since 1970, and
        # keeps their length here; dates from elsewhere would be far away from its line.
        freq = getattr(ax, "freq", None)
        if freq is not None:
            msg = (
                f"pandas has drawn on these Axes in periods of {getattr(freq, 'freqstr', freq)!r}, "
                "not dates; draw its line with series.plot(ax=ax, x_compat=True), or with "
                "ax.plot(series.index, series)"
            )
            raise FrameError(msg)
        return ax
    import matplotlib.pyplot as plt  # noqa: PLC0415 - heavy, and only plots need it

    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def annotate_empty(ax: Axes, words: str = NOTHING) -> Axes:
    """Write a message instead of a plot."""
    ax.set_axis_off()
    ax.text(
        0.5, 0.5, words, ha="center", va="center", wrap=True, transform=ax.transAxes,
        color=ink(ax), **VERBATIM,
    )  # fmt: skip
    return ax


def remove_clutter(ax: Axes, *, grid: Any) -> None:
    """Hide the top and right spines, and draw a faint grid along one axis."""
    ax.set_axisbelow(True)
    ax.grid(visible=True, axis=grid, alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)


def count_labels(axis: Axis) -> None:
    """Label the ticks of an axis of counts, such as 1.5k, 2M and 0.25."""
    from matplotlib.ticker import EngFormatter  # noqa: PLC0415 - heavy

    read_as(axis, count_words)
    formatter = EngFormatter(sep="")
    formatter.ENG_PREFIXES = dict(_UNITS)
    axis.set_major_formatter(formatter)


def count_axis(axis: Axis) -> None:
    """Format an axis of counts, with ticks at whole numbers."""
    from matplotlib.ticker import FixedLocator, MaxNLocator  # noqa: PLC0415 - heavy

    count_labels(axis)
    if axis.get_scale() == LOG_FROM_ONE:
        axis.set_major_locator(FixedLocator(_powers_of_ten(axis)))
        axis.set_minor_locator(FixedLocator([]))
    else:
        axis.set_major_locator(MaxNLocator(nbins=_ticks(axis), integer=True))


def _powers_of_ten(axis: Axis) -> list[float]:
    """Return 0 and powers of ten for a y axis whose limits are set, as many as can be read."""
    low, high = axis.get_view_interval()
    top = int(np.log10(high))
    step = max(1, int(np.ceil(_TICK * (top + 1) / points_of(axis.axes)[1])))
    powers = (10.0 ** np.arange(step - 1, top + 1, step)).tolist()
    return [*(-power for power in powers if -power >= low), 0.0, *powers]


def show_small_lines(ax: Axes) -> None:
    """Make the y axis logarithmic from 1 on if a line would be flat next to the highest one.

    The data must be drawn already. There is a place for 0, unlike on other logarithmic axes.
    """
    tops = [_highest(line) for line in ax.lines if line.get_gid()]
    tops = [top for top in tops if top > 0]
    if tops and max(tops) > _FLAT * min(tops):
        ax.set_yscale(LOG_FROM_ONE, linthresh=1, linscale=0.5)


def log_axis(axis: Axis) -> None:
    """Format a logarithmic axis of counts; its limits must be set already."""
    from matplotlib.ticker import LogLocator, NullFormatter  # noqa: PLC0415 - heavy

    count_labels(axis)
    low, high = axis.get_view_interval()
    steps = (1.0, 2.0, 5.0)
    fits = np.log10(high / low) * len(steps) <= most_ticks(axis.axes)
    axis.set_major_locator(LogLocator(subs=steps if fits else (1.0,)))
    axis.set_minor_formatter(NullFormatter())


def read_as(axis: Axis, words: Callable[[float], str]) -> None:
    """Set how a value of an axis is read under the pointer, in matplotlib's own windows too."""
    if axis is axis.axes.xaxis:
        axis.axes.fmt_xdata = words
    else:
        axis.axes.fmt_ydata = words


def count_words(value: float) -> str:
    """Format a count in full.

    Examples
    --------
    >>> count_words(1234567.0), count_words(2.25)
    ('1,234,567', '2.25')
    """
    return f"{value:,.0f}" if value % 1 == 0 else f"{value:,.2f}"


def rate_axis(axis: Axis) -> None:
    """Format an axis of rates in percent."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415 - heavy

    read_as(axis, percent)
    axis.set_major_locator(MaxNLocator(nbins=_ticks(axis)))
    axis.set_major_formatter(FuncFormatter(lambda rate, _: percent(rate)))


def time_axis(ax: Axes, zone: tzinfo, step: pd.Timedelta) -> None:
    """Format the x axis with local days or hours, with a margin for a single point.

    The data must be drawn already. ``step`` is the width of a bucket.
    """
    day = pd.Timedelta("1D")
    if not ax.xaxis.have_units():  # matplotlib warns if it would replace pandas' units
        ax.xaxis_date(zone)
    left, right = ax.dataLim.intervalx
    span = pd.Timedelta(days=float(right - left))
    pad = max(span * 0.02, step) / day
    ax.set_xlim(left - pad, right + pad)
    _time_ticks(ax, zone, span / day)
    clock = "" if step >= day else ", %H:%M"

    def moment(x: float) -> str:
        local = datetime.fromtimestamp(round(x * 86_400), zone)
        return f"{local:%a {local.day} %b %Y{clock}} ({zone})"

    read_as(ax.xaxis, moment)
    # On the left, since matplotlib writes the year or month on the right.
    ax.set_xlabel(f"time ({zone})", loc="left")


def _time_ticks(ax: Axes, zone: tzinfo | None, days: float) -> None:
    """Set the ticks of a time axis of this number of days."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, DayLocator  # noqa: PLC0415

    week = 1.5 <= days <= 8  # noqa: PLR2004 - labels side by side
    locator = DayLocator(tz=zone) if week else AutoDateLocator(zone, minticks=3, maxticks=8)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))


def age_axis(ax: Axes, until: float) -> None:
    """Format the x axis as hours since the post was made, with ticks at whole days if possible."""
    _age_ticks(ax, until)
    read_as(ax.xaxis, lambda age: f"at the age of {age:.4g} h")
    ax.set_xlim(0, until * 1.02)
    ax.set_xlabel("hours since the post was made")


def _age_ticks(ax: Axes, hours: float) -> None:
    """Set the ticks of an axis of ages of this number of hours."""
    from matplotlib.ticker import MultipleLocator  # noqa: PLC0415 - heavy

    fits = [step for step in _HOURS if hours / step <= 8]  # noqa: PLR2004 - labels side by side
    ax.xaxis.set_major_locator(MultipleLocator(fits[0] if fits else hours))


def zoom_in(ax: Axes, left: float, right: float) -> None:
    """Show a part of a time axis or an axis of ages, of at least two hours.

    The y axis ends above what is shown, if it begins at 0. The limits are in the units of the
    axis: days since 1970 or hours of age.
    """
    from matplotlib.dates import DateLocator  # noqa: PLC0415 - heavy

    locator: Any = ax.xaxis.get_major_locator()
    dated = isinstance(locator, DateLocator)
    hour = 1 / 24 if dated else 1.0
    middle, half = (left + right) / 2, max((right - left) / 2, hour)
    left, right = middle - half, middle + half
    ax.set_xlim(left, right)
    if dated:
        _time_ticks(ax, locator.tz, right - left)
    else:
        _age_ticks(ax, right - left)
    beyond = [some for some in ax.collections if some.get_gid() == "beyond"]
    for triangles in beyond:
        triangles.set_clip_on(True)
    tops = [_highest(line, left, right) for line in ax.lines if line.get_gid()]
    high = max(tops, default=0.0)
    if high > 0 and ax.get_ylim()[0] == 0 and not beyond:
        _end_above(ax, high)
        if ax.get_yscale() == LOG_FROM_ONE:
            count_axis(ax.yaxis)


def _highest(line: Line2D, left: float = -np.inf, right: float = np.inf) -> float:
    """Return the highest value of a line between two points of the x axis; 0 if it has none."""
    x, y = (np.asarray(data, dtype="float64") for data in line.get_data(orig=False))
    shown = y[(left <= x) & (x <= right)]
    return float(np.max(shown[np.isfinite(shown)], initial=0))


def from_zero(ax: Axes) -> None:
    """Start the y axis at 0, unless there are negative values."""
    low, high = ax.dataLim.intervaly
    if low >= 0:
        _end_above(ax, high if high > 0 else 1 / 1.05)
    elif ax.get_yscale() == LOG_FROM_ONE:  # its margins are for as many powers of ten below 0
        ax.set_ylim(low * 1.5, high * 1.5)


def _end_above(ax: Axes, high: float) -> None:
    """Start the y axis at 0, and end it a little above the highest value."""
    ax.set_ylim(0, high * (1.5 if ax.get_yscale() == LOG_FROM_ONE else 1.05))


def room(ax: Axes) -> int:
    """Return how many characters of a name fit next to the plot."""
    letters = points_of(ax)[0] * 0.45 / (LETTER * 10)
    return int(np.clip(letters, 12, _LONGEST))


def row_size(ax: Axes, rows: int, *, most: float = 10, least: float = 4) -> float:
    """Return the font size, in points, at which the given rows of text fit."""
    return float(np.clip(points_of(ax)[1] * 0.8 / max(rows, 1), least, most))


def rows_that_fit(ax: Axes) -> int:
    """Return how many rows of readable text fit."""
    return max(int(points_of(ax)[1] * 0.8 / _READABLE), 1)


def column_size(ax: Axes, columns: int, letters: int, *, most: float = 10) -> float:
    """Return the font size, in points, at which the given columns of text fit."""
    return float(np.clip(points_of(ax)[0] * 0.85 / (columns * letters * 0.7), 4, most))


def wrapped(ax: Axes, text: str, *, width: float | None = None) -> str:
    """Wrap a text to a width in points, by default 60 % of the width of its place.

    Lines break at commas and semicolons if that suffices, otherwise between words.
    """
    points = 0.6 * cell_width(ax) if width is None else width
    letters = max(int(points / (LETTER * 10)), 10)
    lines: list[str] = []
    for part in in_font(text).split("\n"):
        clauses = re.split(r"(?<=[,;]) ", part)
        if max(len(clause) for clause in clauses) > letters:
            lines += _evenly(part, letters)
            continue
        line = clauses[0]
        for clause in clauses[1:]:
            if len(line) + 1 + len(clause) > letters:
                lines.append(line)
                line = clause
            else:
                line = f"{line} {clause}"
        lines.append(line)
    return "\n".join(lines)


def _evenly(text: str, letters: int) -> list[str]:
    """Wrap a text; if its last line would be short, to as many lines of about the same length.

    >>> _evenly("the share of the counts that the top posts have", 43)
    ['the share of the counts', 'that the top posts have']
    """
    lines = wrap(text, letters)
    if not lines or 2 * len(lines[-1]) >= len(lines[0]):
        return lines
    widths = range(len(text) // len(lines), letters)
    return next((even for n in widths if len(even := wrap(text, max(n, 1))) == len(lines)), lines)


def side_label(ax: Axes, words: str) -> None:
    """Set the label of the y axis, wrapped if its place is not high enough for one line."""
    ax.set_ylabel(upright(ax, words), parse_math=False)


def upright(ax: Axes, words: str, *, size: float = 10) -> str:
    """Wrap a text that is read upwards to the height of the place of the Axes."""
    spec = ax.get_subplotspec()
    rows = 1.0 if spec is None else len(spec.rowspan) / spec.get_gridspec().nrows
    height = 0.75 * rows * ax.figure.bbox.height / ax.figure.dpi * 72
    return wrapped(ax, words, width=height * 10 / size)


def name_rows(
    ax: Axes, names: Sequence[str], *, most: float = 10, rows: Sequence[float] = ()
) -> None:
    """Label the rows, by default 0, 1, 2, …, from the top.

    Narrow rows have one line each: the first, and also the second if there is room for all.
    """
    rows = rows or range(len(names))
    if narrow_rows(ax, len(names)):
        joined = [name.replace("\n", ", ") for name in names]
        fit = max(map(len, joined)) <= room(ax)
        names = joined if fit else [name.partition("\n")[0] for name in names]
    lines = sum(1 + name.count("\n") for name in names)
    size = row_size(ax, lines, most=most)
    ax.set_yticks(rows, list(names), fontsize=size, **VERBATIM)
    ax.set_ylim(rows[-1] + 0.6, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_axes_locator(_Inside(ax))


class _Inside:
    """Locates a plot so that the names of its rows, and what is below it, are in its cell.

    That is the cell of a grid without a layout engine, which does not make room for them.
    """

    def __init__(self, ax: Axes) -> None:
        self._former: Any = ax.get_axes_locator()
        self.get_subplotspec = ax.get_subplotspec  # where tight_layout looks for it

    def __call__(self, ax: Any, renderer: RendererBase) -> Bbox:
        from matplotlib.transforms import Bbox  # noqa: PLC0415 - heavy

        place: Bbox = self._former(ax, renderer) if self._former else ax.get_position(original=True)
        spec, figure = ax.get_subplotspec(), ax.figure
        if figure.get_layout_engine() is not None or spec is None:
            return place
        _, tops, _, rights = spec.get_gridspec().get_grid_positions(figure)
        row, column = spec.rowspan.stop, spec.colspan.start
        plot, pad = ax.bbox, _EDGE * figure.dpi / 72
        names, below = ax.yaxis.get_tightbbox(renderer), ax.xaxis.get_tightbbox(renderer)
        left = (plot.x0 - names.x0 + pad) / figure.bbox.width if names else 0.0
        bottom = (plot.y0 - below.y0 + pad) / figure.bbox.height if below else 0.0
        x0 = max(place.x0, left + (float(rights[column - 1]) if column else 0.0))
        y0 = max(place.y0, bottom + (float(tops[row]) if row < len(tops) else 0.0))
        return Bbox.from_extents(
            min(x0, (place.x0 + place.x1) / 2), min(y0, (place.y0 + place.y1) / 2), *place.max
        )


def narrow_rows(ax: Axes, rows: int) -> bool:
    """Return whether rows have no room for two lines of text."""
    return points_of(ax)[1] / max(rows, 1) < _NARROW


def most_ticks(ax: Axes) -> int:
    """Return how many tick labels fit below the plot."""
    # Row labels take part of the width, which is not known yet.
    return int(np.clip(points_of(ax)[0] * 0.6 / 40, 2, 8))


def _ticks(axis: Axis) -> int:
    height = points_of(axis.axes)[1]
    return min(most_ticks(axis.axes) if axis is axis.axes.xaxis else max(2, int(height / _TICK)), 6)


def cell_width(ax: Axes) -> float:
    """Return the width of the place of the Axes in its grid, or of the figure, in points."""
    figure = ax.figure
    spec = ax.get_subplotspec()
    columns = 1.0
    if spec is not None:
        columns = len(spec.colspan) / spec.get_gridspec().ncols
    return columns * figure.bbox.width / figure.dpi * 72


def points_of(ax: Axes) -> tuple[float, float]:
    """Return the width and height of the Axes, in points."""
    width, height = ax.get_window_extent().bounds[2:]
    return width / ax.figure.dpi * 72, height / ax.figure.dpi * 72


def percent(rate: float) -> str:
    """Format a rate as a percentage.

    Examples
    --------
    >>> percent(0.0123), percent(0.95), percent(1.5)
    ('1.23 %', '95 %', '150 %')
    """
    return f"{float(f'{100 * rate:.3g}'):,.10g} %".replace("-", "\N{MINUS SIGN}")
