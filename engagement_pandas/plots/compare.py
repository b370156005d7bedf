"""Plot of sets of posts: each post, the typical or mean post, and the answer in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.metrics import compare
from engagement_pandas.metrics.compare import AT, DRAWS, Pair, measured, pairs_of, types_of
from engagement_pandas.metrics.intervals import CONFIDENCE
from engagement_pandas.metrics.resampling import Sample
from engagement_pandas.metrics.top_posts import RATE
from engagement_pandas.plots.axes import (
    annotate_empty,
    axes_for,
    count_axis,
    name_rows,
    percent,
    rate_axis,
    remove_clutter,
    room,
    wrapped,
)
from engagement_pandas.plots.header import set_headline
from engagement_pandas.plots.labels import drawable, shortened
from engagement_pandas.plots.style import COLOURS, ink
from engagement_pandas.text import pluralize

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_POST_ALPHA: Final = 0.35
_GOLDEN: Final = 0.6180339887498949


def plot_compare(  # noqa: PLR0913 - the metric's own, by keyword
    a: pd.DataFrame,
    b: pd.DataFrame | None = None,
    *,
    by: str = RATE,
    of: str = RATE,
    at: float | None = AT,
    statistic: str | None = None,
    numerator: str = "engagements",
    denominator: str = "impressions",
    confidence: float = CONFIDENCE,
    draws: int = DRAWS,
    seed: int = 0,
    names: tuple[str, str] = ("a", "b"),
    posts: pd.DataFrame | None = None,
    ax: Axes | None = None,
    **bar_kw: Any,
) -> Axes:
    """Draw sets of posts at the same age, and what their comparison found.

    Parameters
    ----------
    a, b : DataFrame
        Tidy counts with ``post_id`` and ``day``, preferably hourly; no post in both.
    by, of, at, statistic, numerator, denominator, confidence, draws, seed
        See :func:`compare`: a rate or a type, at an age in hours.
    names : pair of str
        Display names of two frames.
    posts : DataFrame, optional
        Frame with ``post_id`` and the column ``by`` that one frame lacks.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.
    **bar_kw
        Passed to ``Axes.barh``.

    Returns
    -------
    matplotlib.axes.Axes
        One row for each set: a dot for each post, and a bar for the typical post, on a
        logarithmic axis, or for the mean post or the rate, on a linear one. Two sets that
        are compared by a difference have a third row with its interval. The headline is the
        answer in words, or states that there were too few posts.

    Raises
    ------
    FrameError
        For the same reasons as :func:`compare`.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> def posts(first, rate):
    ...     bodies = {str(first + n): {"impressions": "1000", "engagements": str(rate + n)}
    ...               for n in range(6)}
    ...     return ep.flatten_json({"g": bodies})
    >>> ax = plot_compare(posts(100, 50), posts(200, 20), at=None, names=("new", "old"))
    >>> ep.headline(ax)
    'the rate of new is 3 percentage points higher than that of old, 2... to 3...'
    """
    a = as_counts(a)
    b = b if b is None else as_counts(b)
    given = _drawable(names)
    table = compare(
        a, b, by=by, of=of, at=at, statistic=statistic, numerator=numerator,
        denominator=denominator, names=given, posts=posts, confidence=confidence, draws=draws,
        seed=seed,
    )  # fmt: skip
    measure = str(by) if b is not None else str(of)
    types = types_of(a, measure, numerator, denominator)
    kind = str(table["statistic"].iloc[0])
    sets = _sets(table, pairs_of(a, b, by, given, posts), types, at)
    ax = axes_for(ax, height=max(3, 0.7 * len(sets)))
    ax.set_xlabel(wrapped(ax, _unit(table, types)), parse_math=False)
    if np.isnan([each.value for each in sets]).all():
        return annotate_empty(ax)
    _bars(ax, sets, kind, bar_kw)
    rows = [
        f"{shortened(drawable(each.name), room(ax)) or each.gid}"
        f"\n{pluralize(len(each.sample.count), 'post')}"
        for each in sets
    ]
    if len(table) == 1 and kind != "typical":
        rows += _difference(ax, table.iloc[0], confidence)
    ax.axvline(0, color=ink(ax), linewidth=1)
    remove_clutter(ax, grid="x")
    name_rows(ax, rows)
    _scale(ax, kind)
    set_headline(ax, margin=125, words=_title(table))
    return ax


def _drawable(names: Any) -> Any:
    """Return the names without what the font lacks; names that are no texts, as they are."""
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        return names
    return tuple(drawable(name) or side for name, side in zip(names, "ab", strict=False))


class _Set(NamedTuple):
    """A row of the picture."""

    gid: str
    name: str
    sample: Sample
    value: float


def _sets(table: pd.DataFrame, pairs: list[Pair], types: list[str], at: float | None) -> list[_Set]:
    """Return the rows: two sets, or of more than two each, without "the others"."""
    first = pairs[0]
    if len(table) == 1:
        two = zip("ab", first.names, first.frames, strict=True)
        found = [(side, name, frame, table[side].iloc[0]) for side, name, frame in two]
    else:
        values = zip(pairs, table["a"], strict=True)
        found = [(pair.names[0], pair.names[0], pair.frames[0], value) for pair, value in values]
    return [
        _Set(gid, name, measured(frame, types, at), np.nan if pd.isna(value) else float(value))
        for gid, name, frame, value in found
    ]


def _bars(ax: Axes, sets: list[_Set], kind: str, bar_kw: dict[str, Any]) -> None:
    """Draw a bar and its posts for each set.

    On a logarithmic axis the length of a bar has no meaning, so it is pale, and a line marks
    its end. A rate has no dots, since a post's rate weighs as much as its impressions.
    """
    values = np.nan_to_num([each.value for each in sets])
    colours = [COLOURS[place % (len(COLOURS) - 1)] for place in range(len(sets))]
    typical = kind == "typical"
    style: dict[str, Any] = {"color": colours, "height": 0.6, "alpha": 0.3 if typical else 0.8}
    bars = ax.barh(range(len(sets)), values, **style | bar_kw)
    for row, (bar, each) in enumerate(zip(bars, sets, strict=True)):
        bar.set_gid(each.gid)
        if typical:
            line = ax.vlines(values[row], row - 0.3, row + 0.3, color=colours[row], lw=3)
            line.set_gid(f"typical:{each.gid}")
        if kind != RATE and len(each.sample.count):
            _posts(ax, row, each.sample).set_gid(f"posts:{each.gid}")


def _posts(ax: Axes, row: int, sample: Sample) -> Artist:
    """Draw and return a dot for each post, spread over the height of its row."""
    height = ((np.arange(len(sample.count)) * _GOLDEN) % 1 - 0.5) * 0.5
    return ax.scatter(
        sample.count, row + height, s=9, color=ink(ax), alpha=_POST_ALPHA, linewidths=0, zorder=3
    )


def _difference(ax: Axes, row: pd.Series, confidence: float) -> list[str]:
    """Draw the difference with its interval, if they are known, and return the row's label."""
    if pd.isna(row["difference"]):
        return ["difference"]
    middle = float(row["difference"])
    known = pd.notna(row["low"])
    reach = [[middle - float(row["low"])], [float(row["high"]) - middle]] if known else None
    dot = ax.errorbar(
        [middle], [2], xerr=reach, fmt="o", color=ink(ax), capsize=4, elinewidth=1.8, markersize=6
    )
    dot.lines[0].set_gid("difference")
    return [f"difference\n{percent(confidence)} interval" if known else "difference"]


def _scale(ax: Axes, kind: str) -> None:
    """Format the x axis: logarithmic from 1 on for typical posts."""
    from matplotlib.ticker import EngFormatter, NullLocator  # noqa: PLC0415 - heavy

    if kind == RATE:
        rate_axis(ax.xaxis)
        ax.margins(x=0.08)
    elif kind == "mean":
        count_axis(ax.xaxis)
        ax.margins(x=0.08)
    else:
        high = float(ax.dataLim.intervalx[1])
        ax.set_xscale("symlog", linthresh=1, linscale=0.5)
        ax.xaxis.set_major_formatter(EngFormatter(sep=""))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xlim(0, max(high, 1) * 1.5)


def _unit(table: pd.DataFrame, types: list[str]) -> str:
    """Return the label of the x axis: quantity, age, and number of posts left out."""
    what = {
        "rate": " over ".join(types),
        "mean": f"{types[0]} per post; bars: the mean",
        "typical": f"{types[0]} per post; lines: the typical post",
    }[str(table["statistic"].iloc[0])]
    row = table.iloc[0]
    at = "" if pd.isna(row["at"]) else f", {float(row['at']):g} hours after posting"
    left = [int(row[f"left_out_{side}"]) for side in "ab"]
    out = f"\nleft out: {left[0]} and {left[1]} posts, too young or with gaps"
    return what + at + (out if any(left) else "")


def _title(table: pd.DataFrame) -> str:
    """Return the answer of one comparison, or the answers that found a difference."""
    if len(table) == 1:
        return str(table["finding"].iloc[0])
    found = table.loc[table["differs"].fillna(value=False), "finding"].to_list()
    tested = f"of {len(table)} sets against the others (Holm's correction)"
    return "\n".join([*found, tested]) if found else f"no difference found, {tested}"
