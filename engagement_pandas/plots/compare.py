"""Plot of sets of posts: each post, the typical or mean post, the interval and the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.metrics import compare
from engagement_pandas.metrics.compare import AT, DRAWS, Pair, measured, pairs_of, types_of
from engagement_pandas.metrics.comparison_text import called
from engagement_pandas.metrics.intervals import CONFIDENCE
from engagement_pandas.metrics.post_columns import look_up
from engagement_pandas.metrics.resampling import Sample
from engagement_pandas.metrics.top_posts import RATE
from engagement_pandas.plots.axes import (
    annotate_empty,
    axes_for,
    count_labels,
    log_axis,
    name_rows,
    percent,
    rate_axis,
    remove_clutter,
    room,
    wrapped,
)
from engagement_pandas.plots.colours import group_colours, ink, shade
from engagement_pandas.plots.legend_and_headline import set_headline
from engagement_pandas.plots.post_names import drawable, in_font
from engagement_pandas.text import pluralize, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POST_ALPHA: Final = 0.6
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
    **scatter_kw: Any,
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
    **scatter_kw
        Passed to ``Axes.scatter``; a colour reaches the lines too.

    Returns
    -------
    matplotlib.axes.Axes
        One row for each set: a dot for each post, and a line for the typical post, the mean
        post or the rate; counts on a logarithmic axis. The interval is drawn around the first
        set's value, so that it shows no difference if it reaches the dashed line, the value
        of the other set. The headline is the answer in words, or states that there were too
        few posts.

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
    statistic = str(table["statistic"].iloc[0])
    sets = _sets(table, pairs_of(a, b, by, given, posts), types, at)
    ax = axes_for(ax, height=max(3.8, 0.7 * len(sets)))
    unit = _unit(table, types, confidence)
    ax.set_xlabel(wrapped(ax, unit), parse_math=False)
    if np.isnan([each.value for each in sets]).all():
        return annotate_empty(ax)
    groups = look_up(a, by, posts)[by] if b is None else pd.Series([each.name for each in sets])
    colours = group_colours(groups)
    _draw(ax, sets, statistic, [shade(ax, colours[each.name]) for each in sets], scatter_kw)
    rows = [
        f"{shortened(drawable(each.name), room(ax)) or in_font(each.gid)}"
        f"\n{pluralize(len(each.sample.count), 'post')}"
        for each in sets
    ]
    if len(table) == 1:
        known = table["low"].notna().any()
        rows.append("difference" + (f"\n{percent(confidence)} interval" if known else ""))
        _interval(ax, table.iloc[0], 2, 0.6)
    else:
        for place, (_, row) in enumerate(table.iterrows()):
            _interval(ax, row, place + 0.45, place - 0.3)
    remove_clutter(ax, grid="x")
    name_rows(ax, rows)
    beyond = _scale(ax, sets, table, statistic)
    ax.set_xlabel(wrapped(ax, unit + beyond), parse_math=False)
    set_headline(ax, margin=125, words=_title(table))
    return ax


def _drawable(names: Any) -> Any:
    """Return the names without what the font lacks; names that are not texts, as they are."""
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


def _draw(
    ax: Axes, sets: list[_Set], statistic: str, colours: list[str], given: dict[str, Any]
) -> None:
    """Draw the posts and the value of each set.

    The dots of a rate are the larger the more impressions a post has, since it weighs as much.
    """
    from matplotlib.cbook import normalize_kwargs  # noqa: PLC0415 - heavy
    from matplotlib.collections import PathCollection  # noqa: PLC0415

    scatter_kw = normalize_kwargs(given, PathCollection)
    fixed = scatter_kw.pop("color", scatter_kw.pop("facecolor", scatter_kw.pop("c", None)))
    for row, (each, colour) in enumerate(zip(sets, colours, strict=True)):
        shown = colour if fixed is None else fixed
        if each.sample.count.size:
            weight = each.sample.exposure / each.sample.exposure.max()
            style: dict[str, Any] = {
                "s": 6 + 60 * weight if statistic == RATE else 22,
                "alpha": _POST_ALPHA,
                "linewidths": 0,
                "gid": f"posts:{each.gid}",
            }
            height = ((np.arange(len(weight)) * _GOLDEN) % 1 - 0.5) * 0.5
            ax.scatter(_values(each.sample), row + height, color=shown, **style | scatter_kw)
        line = ax.vlines(each.value, row - 0.33, row + 0.33, color=shown, lw=3.5, zorder=3)
        line.set_gid(f"{statistic}:{each.gid}")


def _values(sample: Sample) -> NDArray[np.float64]:
    """Return the count or rate of each post; a count below zero is drawn at zero."""
    return np.maximum(sample.count, 0) / sample.exposure


def _interval(ax: Axes, row: pd.Series, y: float, top: float) -> None:
    """Draw what the first set would have at both ends of the interval, given the second set.

    A dashed line from ``top`` down to the interval is where the two would be equal.
    """
    if row[["a", "b"]].isna().any():
        return
    value, other = float(row["a"]), float(row["b"])
    ax.vlines(other, top, y + 0.3, color=ink(ax), lw=1, ls="--", zorder=2, gid="equal")
    known = pd.notna(row["low"])
    low, high = ends_of(row) if known else (value, value)
    floor = min(max(low, 0.0), value)  # a mean may be below zero: unlikes
    reach = [[value - floor], [high - value]] if known else None
    dot = ax.errorbar(
        [value], [y], xerr=reach, fmt="o", color=ink(ax), capsize=4, elinewidth=1.8, markersize=6
    )
    dot.lines[0].set_gid("difference")


def ends_of(row: pd.Series) -> tuple[float, float]:
    """Return the value of the first set at both ends of the interval, given the second set's.

    >>> ends_of(pd.Series({"statistic": "mean", "b": 20.0, "low": -5.0, "high": 3.0}))
    (15.0, 23.0)
    >>> ends_of(pd.Series({"statistic": "typical", "b": 9.0, "low": 0.5, "high": 2.0}))
    (4.0, 19.0)
    """
    other, low, high = (float(row[name]) for name in ("b", "low", "high"))
    if row["statistic"] == "typical":  # a ratio of counts with 1 added
        return (1 + other) * low - 1, (1 + other) * high - 1
    return other + low, other + high


def _scale(ax: Axes, sets: list[_Set], table: pd.DataFrame, statistic: str) -> str:
    """Format the x axis: logarithmic for counts, from 0 on for rates; never below zero.

    Returns a note on the posts beyond the axis.
    """
    from matplotlib.ticker import NullLocator  # noqa: PLC0415 - heavy

    posts = np.concatenate([_values(each.sample) for each in sets])
    known = table[table["low"].notna()]
    ends = np.array([ends_of(row) for _, row in known.iterrows()]).reshape(-1)
    values = np.array([each.value for each in sets if not np.isnan(each.value)])
    if statistic == RATE:
        # A single engagement with a single impression is a rate of 100 %.
        weight = np.concatenate([each.sample.exposure for each in sets])
        order = np.argsort(posts)
        usual = posts[order][np.searchsorted(np.cumsum(weight[order]), 0.95 * weight.sum())]
        right = 1.1 * float(np.max([usual, *values, *ends])) or 1.0
        rate_axis(ax.xaxis)
        ax.set_xlim(0, right)
        beyond = int((posts > right).sum())
        return f"\nbeyond the axis: {pluralize(beyond, 'post')}" if beyond else ""
    drawn = np.concatenate([posts, values, ends[ends > 0]])
    high = max(float(drawn.max()), 1.0) * 1.4
    if (np.concatenate([posts, values]) < 1).any():
        ax.set_xscale("symlog", linthresh=1, linscale=0.5)
        ax.set_xlim(-0.15, high)
        count_labels(ax.xaxis)
        ax.xaxis.set_minor_locator(NullLocator())
    else:
        ax.set_xscale("log")
        ax.set_xlim(float(drawn.min()) / 1.4, high)
        log_axis(ax.xaxis)
    return ""


def _unit(table: pd.DataFrame, types: list[str], confidence: float) -> str:
    """Return the label of the x axis: quantity, age, marks, and number of posts left out."""
    what = {
        "rate": " over ".join(types),
        "mean": f"{types[0]} per post, log scale; lines: mean",
        "typical": f"{types[0]} per post, log scale; lines: typical post",
    }[str(table["statistic"].iloc[0])]
    row = table.iloc[0]
    first, second = str(row["group"]), str(row["against"])
    at = "" if pd.isna(row["at"]) else f", {float(row['at']):g} hours after posting"
    sizes = f"; larger dots: more {types[-1]}" if row["statistic"] == RATE else ""
    bars = len(table) > 1 and table["low"].notna().any()  # otherwise they have a row with a name
    marks = f"; bars: {percent(confidence)} interval" if bars else ""
    marks += "; dashed: no difference" if table["difference"].notna().any() else ""
    left = {first: int(row["left_out_a"]), second: int(row["left_out_b"])}
    parts = [f"{pluralize(n, 'post')} of {called(in_font(name))}" for name, n in left.items() if n]
    out = f"\nleft out: {' and '.join(parts)}, too young or with gaps"
    return what + at + sizes + marks + (out if parts else "")


def _title(table: pd.DataFrame) -> str:
    """Return the answer of one comparison, or the answers that found a difference."""
    if len(table) == 1:
        return str(table["finding"].iloc[0])
    if table["low"].isna().all():
        return f"not enough posts to compare any of {len(table)} sets with the others"
    found = table.loc[table["differs"].fillna(value=False), "finding"].to_list()
    tested = f"of {len(table)} sets against the others (Holm's correction)"
    return "\n".join([*found, tested]) if found else f"no difference found, {tested}"
