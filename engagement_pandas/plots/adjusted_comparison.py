"""Forest plot of accounts or tags compared at the same size, hour and weekday."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from engagement_pandas.metrics import adjusted_comparison
from engagement_pandas.metrics.adjusted_comparison import ACCOUNT, SIZE
from engagement_pandas.metrics.compare import AT
from engagement_pandas.metrics.comparison_text import OTHERS, called, times
from engagement_pandas.metrics.intervals import CONFIDENCE
from engagement_pandas.metrics.resampling import MINIMUM
from engagement_pandas.plots.axes import (
    annotate_empty,
    axes_for,
    name_rows,
    percent,
    read_as,
    remove_clutter,
    room,
    wrapped,
)
from engagement_pandas.plots.colours import REST, group_colours, ink, shade
from engagement_pandas.plots.legend_and_headline import legend_of, set_headline
from engagement_pandas.plots.post_names import in_font, noted_names
from engagement_pandas.text import pluralize

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_ROW: Final = 0.5
_NAMED: Final = 3
_STEPS: Final = (
    (0.5, (1.0, 1.2, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0)),
    (1.2, (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)),
    (2.5, (1.0, 2.0, 5.0)),
    (np.inf, (1.0,)),
)
"""Ticks of each decade, by the number of decades that the axis spans."""

_BEYOND: Final = 30.0
"""Intervals are cut off at this multiple of the outermost ratio."""


def plot_adjusted_comparison(  # noqa: PLR0913 - the metric's own, by keyword
    counts: pd.DataFrame,
    posts: pd.DataFrame | None = None,
    *,
    by: str = ACCOUNT,
    of: str = "impressions",
    size: str | None = SIZE,
    exponent: float | None = None,
    at: float | None = AT,
    tz: str = "UTC",
    minimum: int = MINIMUM,
    confidence: float = CONFIDENCE,
    ax: Axes | None = None,
    **errorbar_kw: Any,
) -> Axes:
    """Draw how accounts or tags compare at the same size, hour of the day and weekday.

    Parameters
    ----------
    counts, posts, by, of, size, exponent, at, tz, minimum, confidence
        See :func:`adjusted_comparison`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.
    **errorbar_kw
        Passed to ``Axes.errorbar``.

    Returns
    -------
    matplotlib.axes.Axes
        One row per group, the highest ratio first: a dot for the adjusted ratio, a line for
        its interval, and a circle for the ratio without adjustment, on a logarithmic axis. The
        headline states which groups differ. Groups that cannot be compared are named in the
        x label.

    Raises
    ------
    FrameError
        For the same reasons as :func:`adjusted_comparison`.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {str(2027900000000000000 + (n << 44)):
    ...     {"impressions": str((100 + n * n % 70) * (1 + n % 2))} for n in range(90)}})
    >>> counts["kind"] = ["reply" if n % 2 else "quote" for n in range(90)]
    >>> ep.headline(plot_adjusted_comparison(counts, by="kind", at=None))
    'a typical quote gets 0.54 times as much as a typical reply, 0.50 to 0.58'
    """
    table = adjusted_comparison(
        counts, posts, by=by, of=of, size=size, exponent=exponent, at=at, tz=tz,
        minimum=minimum, confidence=confidence,
    )  # fmt: skip
    known = table[table["p"].notna()].sort_values("ratio", ascending=False, kind="stable")
    ax = axes_for(ax, height=max(2.4, 1.7 + _ROW * len(known)))
    if not len(known):
        return annotate_empty(ax, f"no group can be compared: {table['finding'].iloc[0]}")
    colours = group_colours(pd.Series(table["group"]))
    for row, (_, each) in enumerate(known.iterrows()):
        ratio, low, high = (float(each[name]) for name in ("ratio", "low", "high"))
        colour = shade(ax, colours[str(each["group"])])
        style: dict[str, Any] = {"fmt": "o", "color": colour, "elinewidth": 1.8, "capsize": 3}
        ends = [[ratio - low], [high - ratio]]
        drawn = ax.errorbar([ratio], [row], xerr=ends, **style | errorbar_kw)
        drawn.lines[0].set_gid(f"adjusted:{each['group']}")
        (circle,) = ax.plot([float(each["unadjusted"])], [row], "o", mfc="none", mec=REST, ms=6)
        circle.set_gid(f"unadjusted:{each['group']}")
    ax.axvline(1, color=REST, linewidth=1, gid="equal")
    remove_clutter(ax, grid="x")
    numbers = [pluralize(number, "post") for number in known["n"]]
    name_rows(ax, noted_names(known["group"], numbers, room(ax)))
    _ratio_axis(ax, known)
    ax.set_xlabel(wrapped(ax, _label(ax, table, known)), parse_math=False)
    adjusted = str(known["adjusted_for"].iloc[0]).rsplit(", ", 1)
    words = f"adjusted for {' and '.join(adjusted)}, {percent(confidence)} interval"
    legend_of(ax, _keys(ax), [words, "not adjusted"])
    set_headline(ax, _title(known), margin=125)
    return ax


def _ratio_axis(ax: Axes, known: pd.DataFrame) -> None:
    """Format the x axis as ratios, on a logarithmic scale; far ends are cut off."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: PLC0415 - heavy

    dots = known[["ratio", "unadjusted"]].to_numpy("float64")
    low = max(float(known["low"].min()), dots.min() / _BEYOND)
    high = min(float(known["high"].max()), dots.max() * _BEYOND)
    low, high = min(low, dots.min(), 0.9) / 1.1, max(high, dots.max(), 1.1) * 1.1
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    span = np.log10(high / low)
    locator = LogLocator(subs=next(steps for most, steps in _STEPS if span < most))
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda ratio, _: f"\N{MULTIPLICATION SIGN}{ratio:g}")
    )
    ax.xaxis.set_minor_formatter(NullFormatter())
    read_as(ax.xaxis, times)


def _keys(ax: Axes) -> list[Artist]:
    """Return what the legend shows: a dot on its interval, and a circle."""
    from matplotlib.lines import Line2D  # noqa: PLC0415 - heavy

    return [
        Line2D([], [], color=ink(ax), marker="o", linewidth=1.8),
        Line2D([], [], color=REST, marker="o", fillstyle="none", linestyle="none"),
    ]


def _label(ax: Axes, table: pd.DataFrame, known: pd.DataFrame) -> str:
    """Return what is drawn, whether intervals are cut off, and which groups are not drawn."""
    first = known.iloc[0]
    against = "the others" if first["against"] == OTHERS else in_font(str(first["against"]))
    age = "" if pd.isna(first["at"]) else f" {float(first['at']):g} hours after posting"
    parts = [f"typical {first['of']}{age}, relative to {against}"]
    low, high = ax.get_xlim()
    cut = (known["low"] < low).any() or (known["high"] > high).any()
    parts += ["intervals without an end mark go beyond the axis"] if cut else []
    left = table[table["p"].isna()]
    parts += [f"{pluralize(len(left), 'group')} not compared: {_names(left)}"] if len(left) else []
    return "; ".join(parts)


def _names(rows: pd.DataFrame) -> str:
    names = [in_font(str(name)) for name in rows["group"]]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _title(known: pd.DataFrame) -> str:
    """Return the answer of one comparison, or the largest differences that were found."""
    if len(known) == 1:
        return str(known["finding"].iloc[0])
    away = known["ratio"].map(np.log).abs().sort_values(ascending=False, kind="stable")
    found = known.loc[away.index]
    found = found[found["differs"].fillna(value=False)]
    tested = f"of {len(known)} groups against the others (Holm's correction)"
    if not len(found):
        return f"no difference found, {tested}"
    more = len(found) - _NAMED
    parts = [str(found["finding"].iloc[0])]
    for _, row in found[1:_NAMED].iterrows():
        low, high = times(row["low"]), times(row["high"])
        parts.append(f"{called(str(row['group']))} {times(row['ratio'])} times, {low} to {high}")
    parts += [f"and {more} more"] if more > 0 else []
    return "; ".join(parts) + f"\n{tested}"
