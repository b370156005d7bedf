"""Shared code of the plots by age: choice of lines, grey lines, and the age axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.metrics.benchmark import AGES
from engagement_pandas.plots.axes import NOTHING, age_axis, annotate_empty, side_label
from engagement_pandas.plots.colours import OWN, shade
from engagement_pandas.plots.lines import draw_grey, draw_lines, split_lines
from engagement_pandas.plots.partial_and_missing import mark_partial

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

UNTIL: Final = AGES[-1]
"""Default maximum age: one week, in hours."""

UNITS: Final = {"h": "hour", "D": "day"}
"""Name of each age bucket."""


def check_until(until: float) -> None:
    """Raise if a value is not a valid age.

    Examples
    --------
    >>> check_until(0)
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: until is 0; give an age in hours, such as 168
    """
    if isinstance(until, bool) or not isinstance(until, int | float) or not 0 < until < np.inf:
        msg = f"until is {until!r}; give an age in hours, such as {UNTIL}"
        raise FrameError(msg)


def young(table: pd.DataFrame, until: float) -> pd.DataFrame:
    """Return the rows up to an age, without those of unknown age."""
    return table[table["age"].notna() & (table["age"] <= until)]


def label_age_axes(ax: Axes, label: str) -> None:
    """Label the axes before drawing."""
    side_label(ax, label)
    ax.set_xlabel("hours since the post was made")


def say_why(ax: Axes, table: pd.DataFrame) -> Axes:
    """Write why there is nothing to draw: no counts, or no known ages."""
    unknown_ages = len(table) > 0 and bool(table["age"].isna().all())
    return annotate_empty(
        ax, "these IDs do not tell when the posts were made" if unknown_ages else NOTHING
    )


def ranked(sizes: pd.Series) -> tuple[list[str], list[str]]:
    """Return the posts that have a line of their own, largest first, and the others.

    ``sizes`` has the size of each post, by ID.
    """
    falling = sizes.astype("Float64").sort_values(ascending=False, kind="stable")
    order = [str(name) for name in falling.index]
    return (order, []) if len(order) <= OWN else (order[: OWN - 1], order[OWN - 1 :])


def draw_by_age(  # noqa: PLR0913 - one plot
    ax: Axes,
    table: pd.DataFrame,
    column: str,
    sizes: pd.Series,
    colours: Mapping[str, str],
    *,
    every: str,
    line_kw: dict[str, Any],
) -> tuple[list[Artist], list[str], list[str]]:
    """Draw the largest posts in their colours, the others grey, and circles at partial buckets.

    ``table`` has ``post_id``, ``age``, ``complete`` and the column to draw. ``sizes`` has the size
    of each post, by ID. ``every`` is ``"h"`` or ``"D"``. ``line_kw`` styles the coloured lines.

    Returns the handles for the legend, the post IDs of the first handles, and the labels of the
    remaining ones.
    """
    own, others = ranked(sizes)
    parts = split_lines(table, "post_id", table["age"].to_numpy(dtype="float64"), column)
    curves = [np.column_stack([parts[name].x, parts[name].y]) for name in others]
    grey = [draw_grey(ax, curves)] if others else []
    series = {name: parts[name] for name in own}
    shades = {name: shade(ax, colours[name]) for name in own}
    lines = draw_lines(ax, series, shades, {"zorder": 3} | line_kw)
    circles, words = mark_partial(ax, [*series.values()], lines, UNITS[every])
    age_axis(ax, float(table.loc[table[column].notna(), "age"].max()))
    named = [f"{len(others)} others"] if others else []
    return [*lines, *grey, *circles], own, [*named, *words]
