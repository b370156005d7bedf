"""HTML tables; all text from outside is escaped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import pandas as pd

from engagement_pandas.frame.html_cells import text
from engagement_pandas.text import html_table, shortened

LISTED: Final = 50
"""Maximum number of posts in a table."""

SNIPPET: Final = 80
"""Maximum length of a post's text, in characters."""


class Column(NamedTuple):
    """A column of a table, with its heading.

    ``cell`` takes a value, and returns escaped HTML. ``css`` is the class of the cells:
    ``"number"`` aligns right, ``"line"`` does not wrap, ``"name"`` has a minimum width, and
    ``"text"`` too, in which long words are broken.
    """

    head: str
    cell: Callable[[Any], str]
    css: str = ""


def snippet(value: Any) -> str:
    """Return the beginning of a text, or all of a short text.

    >>> snippet("a < b")
    '<span dir="auto">a &lt; b</span>'
    """
    return text(value if pd.isna(value) else shortened(" ".join(str(value).split()), SNIPPET))


def table(columns: Mapping[str, Column], rows: pd.DataFrame, caption: str) -> str:
    """Return a frame as an HTML table.

    ``columns`` has the columns of the table in order, by column of the frame.

    >>> table({"n": Column("posts", str, "number")}, pd.DataFrame({"n": [3]}), "How many")
    '<table><caption>How many</caption><thead><tr><th scope="col" class="number">posts</th>...'
    """
    shown = list(columns.values())
    rows_of_cells = (
        [column.cell(value) for column, value in zip(shown, row, strict=True)]
        for row in zip(*(rows[name] for name in columns), strict=True)
    )
    classes = [f'class="{column.css}"' if column.css else "" for column in shown]
    return html_table([column.head for column in shown], rows_of_cells, caption, classes)
