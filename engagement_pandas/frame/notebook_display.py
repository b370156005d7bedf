"""Display of frames in notebooks: ``%load_ext engagement_pandas``.

IPython then shows a frame with posts or engagement types as a table that links each post, names
the time zone of times once and separates thousands. pandas shows every other frame, as before.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from engagement_pandas.frame.html_cells import DATE, MISSING, TIME, cell, link
from engagement_pandas.text import html_table, pluralize, shortened

_OURS: Final = (
    {"post_id"},
    {"engagement_type"},
    {"rate", "low", "high"},  # rates of all posts together
    {"rate", "shrunk"},  # best_times
    {"group", "against"},  # comparisons
    {"statistic", "effect"},  # power
    {"added", "revised"},  # runs of a data set
)
"""Columns by which frames of this package are recognised."""

_LINKED: Final = frozenset({"post_id", "link"})
_CUT: Final = "…"
_RIGHT: Final = 'style="text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums"'
_LEFT: Final = 'style="text-align:left;white-space:nowrap"'
_WORDS: Final = 'dir="auto" style="text-align:left"'

_Formatter = Callable[[Any], str | None]


class Column(NamedTuple):
    """A column of a table: its heading, the attributes of its cells, and these as HTML."""

    heading: str
    attributes: str
    cells: Iterable[str]


class FrameFormatter:
    """Formatter of frames as HTML, for IPython's ``for_type``.

    ``former`` is the formatter that IPython had for frames; it formats the frames of others.
    """

    def __init__(self, former: _Formatter | None) -> None:
        self.former = former

    def __call__(self, frame: pd.DataFrame) -> str | None:
        """Return a frame as HTML; None if pandas' options say that HTML is not wanted."""
        if is_ours(frame) and pd.get_option("display.notebook_repr_html"):
            return frame_html(frame)
        if self.former is not None:
            return self.former(frame)
        return frame._repr_html_()  # type: ignore[operator, no-any-return]


def load(shell: Any) -> None:
    """Show frames in this IPython shell with :class:`FrameFormatter`."""
    formatter = _html_formatter(shell)
    former = formatter.for_type(pd.DataFrame)
    if not isinstance(former, FrameFormatter):
        formatter.for_type(pd.DataFrame, FrameFormatter(former))


def unload(shell: Any) -> None:
    """Show frames in this IPython shell as before :func:`load`.

    A formatter that was registered later stays.
    """
    formatter = _html_formatter(shell)
    current = formatter.for_type(pd.DataFrame)
    if not isinstance(current, FrameFormatter):
        return
    formatter.pop(pd.DataFrame)
    if current.former is not None:
        formatter.for_type(pd.DataFrame, current.former)


def _html_formatter(shell: Any) -> Any:
    return shell.display_formatter.formatters["text/html"]


def is_ours(frame: pd.DataFrame) -> bool:
    """Return whether a frame has the columns of a frame of this package.

    >>> is_ours(pd.DataFrame({"post_id": ["20"]})), is_ours(pd.DataFrame({"price": [1]}))
    (True, False)
    """
    if type(frame) is not pd.DataFrame or frame.columns.nlevels > 1:
        return False
    names = {*frame.columns, *frame.index.names}
    return any(names >= marks for marks in _OURS)


def frame_html(frame: pd.DataFrame) -> str:
    """Return a frame as an HTML table, with its size below if it is cut or empty.

    As in pandas, ``display.max_rows``, ``min_rows``, ``max_columns``, ``max_colwidth``,
    ``precision`` and ``float_format`` apply.

    >>> print(frame_html(pd.DataFrame({"post_id": ["20"], "count": [1234]})))
    <div style="overflow-x:auto"><table><thead>...>1,234</td></tr></tbody></table></div>
    """
    option = pd.get_option
    most = option("display.max_columns")
    rows = _positions(len(frame), option("display.max_rows"), option("display.min_rows"))
    places = _positions(frame.shape[1], most, most)
    shown = frame.iloc[[row for row in rows if row is not None]]
    columns = [_index_column(shown.index.get_level_values(n)) for n in range(frame.index.nlevels)]
    columns += [
        Column(_CUT, _LEFT, [_CUT] * len(shown))
        if place is None
        else _column(frame.columns[place], shown.iloc[:, place])
        for place in places
    ]
    headings, attributes, cells = zip(*columns, strict=True)
    lines: list[Sequence[str]] = list(zip(*cells, strict=True))
    if None in rows:
        lines.insert(rows.index(None), [_CUT] * len(columns))
    table = html_table(headings, lines, attributes=attributes)
    size = ""
    if frame.empty or None in rows or None in places:
        size = f"{pluralize(len(frame), 'row')}, {pluralize(frame.shape[1], 'column')}"
    return f'<div style="overflow-x:auto">{table}</div>{size and f"<p>{size}</p>"}'


def _positions(length: int, most: int | None, fewest: int | None) -> list[int | None]:
    """Return the positions to show; None stands for those between the first and the last.

    >>> _positions(9, 5, 3), _positions(3, 5, 3)
    ([0, 1, None, 8], [0, 1, 2])
    """
    if not most or length <= most:
        return [*range(length)]
    kept = min(most, fewest or most)
    return [*range(-(-kept // 2)), None, *range(length - kept // 2, length)]


def _index_column(level: pd.Index) -> Column:
    """Return the column of a level of the index, whose numbers are labels."""
    if level.name is None or pd.api.types.is_integer_dtype(level.dtype):
        return Column(_name(level.name), _LEFT, [html.escape(str(label)) for label in level])
    return _column(level.name, level.to_series())


def _name(name: Hashable) -> str:
    return "" if name is None else str(name)


def _column(name: Hashable, values: pd.Series) -> Column:
    """Return a column by its name and dtype."""
    if name in _LINKED:
        return Column(_name(name), _LEFT, map(link, values))
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        known = values.dropna()
        form = DATE if (known == known.dt.normalize()).all() else TIME
        zone = getattr(values.dtype, "tz", None)
        heading = _name(name) if zone is None else f"{name} ({zone})"
        times = (MISSING if pd.isna(time) else f"{time:{form}}" for time in values)
        return Column(heading, _LEFT, times)
    if pd.api.types.is_float_dtype(values.dtype):
        return Column(_name(name), _RIGHT, _floats(values))
    if pd.api.types.is_integer_dtype(values.dtype):
        return Column(_name(name), _RIGHT, map(cell, values))
    width = pd.get_option("display.max_colwidth")
    short = (shortened(v, width) if isinstance(v, str) and width else v for v in values)
    return Column(_name(name), _WORDS, map(cell, short))


def _floats(values: pd.Series) -> list[str]:
    """Return numbers with the same decimals, no more than they need or ``display.precision``."""
    precision = pd.get_option("display.precision")
    numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    rounded = numbers.round(precision)
    needed = (
        d for d in range(precision) if np.array_equal(numbers.round(d), rounded, equal_nan=True)
    )
    decimals = next(needed, precision)

    def form(value: float) -> str:
        small = value and abs(value) < 0.5 * 10**-decimals  # 0.000000 would be wrong
        return f"{value:.2g}" if small else f"{value:,.{decimals}f}"

    form = pd.get_option("display.float_format") or form
    return [MISSING if np.isnan(value) else html.escape(form(value)) for value in numbers]
