"""Excel workbooks of any frame: IDs as text, and local times with their zone in the heading."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.files.atomic_write import atomic_write

MOST_ROWS: Final = 1_048_575
"""Rows of a sheet below its heading."""

LONGEST: Final = 32_767
"""Characters of a cell."""

_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML cannot hold."""

_EXACT: Final = 10**15
"""Excel keeps 15 digits of a number."""

_FIRST_DAY: Final = pd.Timestamp(1900, 3, 1)
"""Excel's calendar has a 29 February 1900, which did not exist."""


def write_excel(frame: pd.DataFrame | pd.Series, path: str | os.PathLike[str]) -> None:
    """Write a frame as a sheet of an Excel workbook; needs the extra ``excel``.

    For every frame of the package: counts, omissions, posts, and the results of metrics.
    ``frame.to_excel`` refuses times with a zone, makes formulas of texts that begin with ``=``,
    and leaves IDs to Excel's rounding as soon as somebody edits them.

    Parameters
    ----------
    frame : DataFrame or Series
        The index is written if it is not a plain ``RangeIndex``. ``attrs`` are not written.
    path : str or path
        Replaced if it exists; its folder must exist. Ends in ``.xlsx``.

    Raises
    ------
    FrameError
        If openpyxl is not installed, ``frame`` is not a frame, ``path`` does not end in ``.xlsx``,
        the index is named like a column, the frame has more than 1,048,575 rows, or a text has
        more than 32,767 characters.
    FileNotFoundError
        If the folder does not exist.

    Notes
    -----
    Excel has no time zones. A column of times with a zone is written in local time, and the zone
    is added to the heading: ``start (Europe/Berlin)``, ``retrieved_at (UTC)``. So the days of
    :func:`over_time` begin at midnight, as computed. In the hour that occurs twice when the clocks
    go back, two rows have the same time.

    Excel keeps 15 digits of a number. So IDs, and integers of 16 digits or more, are texts, in
    cells that are formatted as text. Missing values are empty cells; so are infinite ones. Texts
    are never formulas; characters that a workbook cannot hold become U+FFFD. To read counts again
    later, write Parquet: a workbook loses ``attrs``, time zones and dtypes.

    Examples
    --------
    >>> import engagement_pandas as ep, tempfile, pathlib
    >>> counts = ep.flatten_json({"g": {"1060976163948904448": {"impressions": "5"}}})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_excel(counts, pathlib.Path(folder, "counts.xlsx"))
    ...     pd.read_excel(pathlib.Path(folder, "counts.xlsx"), dtype={"post_id": "str"})
                   post_id engagement_type  count
    0  1060976163948904448     impressions      5
    """
    if not isinstance(frame, pd.DataFrame | pd.Series):
        msg = f"a frame is needed, not a {type(frame).__name__}"
        raise FrameError(msg)
    if Path(path).suffix.lower() != ".xlsx":
        msg = f"{os.fspath(path)!r} does not end in .xlsx; rename it"
        raise FrameError(msg)
    table = frame.to_frame() if isinstance(frame, pd.Series) else frame
    if not isinstance(table.index, pd.RangeIndex) or table.index.name is not None:
        try:
            table = table.reset_index()
        except ValueError as error:
            msg = f"the index is named like a column: {error}; rename it, or drop it"
            raise FrameError(msg) from error
    if len(table) > MOST_ROWS:
        msg = (
            f"the frame has {len(table):,} rows, and a sheet of Excel holds {MOST_ROWS:,} below "
            "its heading; sum them up first, as with over_time(), or write Parquet"
        )
        raise FrameError(msg)
    try:
        openpyxl = import_module("openpyxl")
    except ImportError as error:
        msg = "openpyxl is not installed; pip install 'engagement_pandas[excel]'"
        raise FrameError(msg) from error
    names, columns = [], []
    for place, name in enumerate(table.columns):
        column = table.iloc[:, place]
        zone = getattr(column.dtype, "tz", None)
        names.append(f"{name} ({zone})" if zone is not None else str(name))
        columns.append(_values(column))
        _check_lengths(names[-1], columns[-1])
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    sheet.freeze_panes = "A2"
    for place, (heading, values) in enumerate(zip(names, columns, strict=True)):
        letter = openpyxl.utils.get_column_letter(place + 1)
        sheet.column_dimensions[letter].width = _width(heading, values)
    cell_class = import_module("openpyxl.cell").WriteOnlyCell
    for row in ([*names], *zip(*columns, strict=True)):
        sheet.append(_cells(partial(cell_class, sheet), row))
    with atomic_write(Path(path)) as temporary:
        book.save(temporary)


def _values(column: pd.Series) -> list[Any]:
    """Return the values of a column as Python's own; None if missing."""
    if getattr(column.dtype, "tz", None) is not None:
        column = column.dt.tz_localize(None)
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.dtype.categories.dtype)
    missing = column.isna().to_numpy()
    values = column.astype(object).to_list()
    return [None if lost else _value(value) for value, lost in zip(values, missing, strict=True)]


def _check_lengths(name: str, values: Iterable[Any]) -> None:
    for row, value in enumerate(values):
        if isinstance(value, str) and len(value) > LONGEST:
            msg = (
                f"{name!r} has {len(value):,} characters in row {row}, and a cell of Excel holds "
                f"{LONGEST:,}; shorten it, or write Parquet"
            )
            raise FrameError(msg)


def _value(value: Any) -> Any:
    """Return a value as Excel can hold it."""
    if isinstance(value, pd.Timestamp):
        dated = value.tzinfo is None and value >= _FIRST_DAY
        return value.to_pydatetime(warn=False) if dated else value.isoformat()
    if isinstance(value, float):
        return value if abs(value) != float("inf") else None
    if isinstance(value, int):
        return value if abs(value) < _EXACT else str(value)
    return value if isinstance(value, pd.Timedelta | bool) else str(value)


def _cells(cell_of: Callable[[str], Any], row: Iterable[Any]) -> Iterator[Any]:
    """Yield the cells of a row; texts are never formulas, and digits stay text."""
    for value in row:
        if isinstance(value, str):
            cell = cell_of(_ILLEGAL.sub("\ufffd", value))
            cell.data_type = "s"  # "=1+1" is a text
            if value.isdigit():
                cell.number_format = "@"
            yield cell
        else:
            yield value


def _width(name: str, values: list[Any]) -> float:
    """Return the width of a column in characters, by its first values."""
    longest = max((len(str(value)) for value in values[:100] if value is not None), default=0)
    return float(min(max(len(name), longest) + 2, 60))
