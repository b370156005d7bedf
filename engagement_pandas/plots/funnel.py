"""Plots of a funnel's rates, and of the correlation of engagement types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from engagement_pandas.metrics import funnel, type_correlation
from engagement_pandas.metrics.comparison_text import short
from engagement_pandas.metrics.funnel import MINIMUM
from engagement_pandas.metrics.intervals import CONFIDENCE
from engagement_pandas.plots.axes import (
    annotate_empty,
    axes_for,
    name_rows,
    percent,
    rate_axis,
    remove_clutter,
    room,
    rows_that_fit,
    wrapped,
)
from engagement_pandas.plots.bars import label_bars
from engagement_pandas.plots.colours import REST, draw_type_bars, ink
from engagement_pandas.plots.legend_and_headline import set_headline
from engagement_pandas.plots.post_names import in_font, noted_names
from engagement_pandas.plots.rate_lines import VAGUE
from engagement_pandas.text import pluralize, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW: Final = 0.7
_PAIR: Final = 0.35
_PER: Final = 1000

_WIDE: Final = 20
"""Room for names, in characters, from which on the ends of an interval are written too."""


def plot_funnel(
    counts: pd.DataFrame,
    *,
    steps: Sequence[str] | None = None,
    confidence: float = CONFIDENCE,
    ax: Axes | None = None,
    **bar_kw: Any,
) -> Axes:
    """Draw the rate of each step of a funnel, per count of the step before.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts, with ``post_id`` for intervals.
    steps, confidence
        See :func:`funnel`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.
    **bar_kw
        Passed to ``Axes.barh``.

    Returns
    -------
    matplotlib.axes.Axes
        One bar per step, from the second on, with its interval as a line, labelled with rate
        and count. The headline has what came of 1,000 counts of the first step. Steps that
        the counts lack are named in the x label.

    Raises
    ------
    FrameError
        For the same reasons as :func:`funnel`.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {str(n): {"impressions": "1000", "url_clicks": "20",
    ...                                          "user_follows": "2"} for n in range(9)}})
    >>> ep.headline(plot_funnel(counts))
    'of 1,000 impressions came 20 url_clicks and 2 user_follows'
    """
    table = funnel(counts, steps=steps, confidence=confidence)
    known = table[table["rate"].notna()]
    ax = axes_for(ax, height=max(2.2, 1.4 + _ROW * len(known)))
    if not len(known):
        return annotate_empty(ax, "no funnel: fewer than two steps have counts")
    types = [str(name) for name in known["engagement_type"]]
    rate, low, high = (known[name].to_numpy("float64") for name in ("rate", "low", "high"))
    rows = np.arange(len(known))
    draw_type_bars(ax, types, rate.tolist(), bar_kw)
    sure = ~np.isnan(low) & ~(high > VAGUE * low) | (rate == 0)
    known = known.assign(low=np.where(sure, low, np.nan))
    high = np.where(sure, high, np.nan)
    ends = [rate[sure] - low[sure], high[sure] - rate[sure]]
    if sure.any():
        ax.errorbar(
            rate[sure], rows[sure], xerr=ends, fmt="none", ecolor=ink(ax), elinewidth=1.2,
            capsize=3,
        )  # fmt: skip
    remove_clutter(ax, grid="x")
    before = [f"per {in_font(name)}" for name in known["previous"]]
    name_rows(ax, noted_names(types, before, room(ax)))
    rate_axis(ax.xaxis)
    labels = [_label(row, wide=room(ax) >= _WIDE) for _, row in known.iterrows()]
    label_bars(ax, np.fmax(rate, high).tolist(), labels)
    _note(ax, table, confidence, sure=bool(sure.any()))
    set_headline(ax, _outcome(table, known), margin=125)
    return ax


def plot_type_correlation(
    counts: pd.DataFrame,
    *,
    minimum: int = MINIMUM,
    confidence: float = CONFIDENCE,
    ax: Axes | None = None,
    **errorbar_kw: Any,
) -> Axes:
    """Draw the rank correlation of each pair of engagement types, with its interval.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id``.
    minimum, confidence
        See :func:`type_correlation`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.
    **errorbar_kw
        Passed to ``Axes.errorbar``.

    Returns
    -------
    matplotlib.axes.Axes
        One row per pair, the highest correlation first: a dot, and a line for the interval.
        On Axes that are too small for all pairs, the strongest.
        The headline names the pair with the highest.

    Raises
    ------
    FrameError
        For the same reasons as :func:`type_correlation`.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {str(n): {"favorites": str(n), "replies": str(n + n % 7)}
    ...                                 for n in range(20)}})
    >>> ep.headline(plot_type_correlation(counts))
    'favorites and replies go together most: 0.96, 0.87 to 0.99'
    """
    table = type_correlation(counts, minimum=minimum, confidence=confidence)
    known = table[table["correlation"].notna()].sort_values("correlation", ascending=False)
    ax = axes_for(ax, height=max(2.2, 1.4 + _PAIR * len(known)))
    weak = known["correlation"].abs().sort_values().index[: -rows_that_fit(ax)]
    known = known.drop(weak)
    if not len(known):
        return annotate_empty(ax, "no correlation: too few types or posts")
    middle, low, high = (known[name].to_numpy("float64") for name in ("correlation", "low", "high"))
    style: dict[str, Any] = {"fmt": "o", "color": ink(ax), "elinewidth": 1.2, "capsize": 3}
    ends = [np.maximum(middle - low, 0), np.maximum(high - middle, 0)]
    ax.errorbar(middle, range(len(known)), xerr=ends, **style | errorbar_kw)
    ax.axvline(0, color=REST, linewidth=1)
    remove_clutter(ax, grid="x")
    pairs = zip(known["engagement_type"], known["other"], strict=True)
    names = [(in_font(one), in_font(other)) for one, other in pairs]
    half = room(ax) // 2 if max(len(", ".join(two)) for two in names) > room(ax) else room(ax)
    name_rows(ax, [", ".join(shortened(name, half) for name in two) for two in names])
    ax.set_xlim(min(-0.05, float(low.min()) - 0.05), 1.05)
    fewest, most = int(known["n"].min()), int(known["n"].max())
    number = pluralize(most, "post") if fewest == most else f"{fewest} to {most} posts"
    words = f"rank correlation of {number}, with {percent(confidence)} intervals"
    words += f"; {len(weak)} weaker ones are left out" if len(weak) else ""
    words += "; some counts are missing" if known["missing"].gt(0).any() else ""
    ax.set_xlabel(wrapped(ax, words), parse_math=False)
    first = known.iloc[0]
    pair = f"{first['engagement_type']} and {first['other']}"
    numbers = f"{first['correlation']:.2f}, {first['low']:.2f} to {first['high']:.2f}"
    numbers = numbers.replace("-", "\N{MINUS SIGN}")
    set_headline(ax, f"{pair} go together most: {numbers}", margin=125)
    return ax


def _label(row: pd.Series, *, wide: bool) -> str:
    """Return the rate with its interval, if there is room, and the count."""
    known = wide and pd.notna(row["low"])
    ends = f" ({percent(row['low'])} to {percent(row['high'])})" if known else ""
    few = "" if pd.notna(row["low"]) else ", too few posts for an interval"
    return f"{percent(row['rate'])}{ends}: {row['count']:,}{few if wide else ''}"


def _note(ax: Axes, table: pd.DataFrame, confidence: float, *, sure: bool) -> None:
    """Write what the bars are, and which steps are absent or have missing counts."""
    absent = [str(kind) for kind in table.loc[table["count"].isna(), "engagement_type"]]
    notes = ["count per count of the step before"]
    notes += [f"line: {percent(confidence)} interval"] if sure else []
    notes += [f"not in the counts: {', '.join(absent)}"] if absent else []
    notes += ["some counts are missing"] if table["missing"].fillna(0).gt(0).any() else []
    ax.set_xlabel(wrapped(ax, "; ".join(notes)), parse_math=False)


def _outcome(table: pd.DataFrame, known: pd.DataFrame) -> str:
    """Return what came of 1,000 counts of the first step."""
    first = str(table.loc[table["count"].notna(), "engagement_type"].iloc[0])
    steps = known[known["of_first"].notna()]
    pairs = zip(steps["of_first"], steps["engagement_type"], strict=True)
    parts = [f"{short(float(share) * _PER)} {kind}" for share, kind in pairs]
    listed = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
    return f"of {_PER:,} {first} came {listed}"
