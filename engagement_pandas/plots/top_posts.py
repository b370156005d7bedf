"""Plot of the top posts by count or rate, with confidence intervals of the rates."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.frame.coercion import as_counts, as_posts
from engagement_pandas.metrics import top_posts
from engagement_pandas.metrics.checks import known_type
from engagement_pandas.metrics.intervals import CONFIDENCE
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
from engagement_pandas.plots.bars import hatch_missing, label_bars
from engagement_pandas.plots.colours import REST, ink, picked_out, post_colours, shade, type_colours
from engagement_pandas.plots.legend_and_headline import legend_of
from engagement_pandas.plots.post_names import post_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW: Final = 0.34
"""Height of a row in a new figure, in inches."""


def plot_top_posts(  # noqa: PLR0913 - the metric's own, by keyword
    counts: pd.DataFrame,
    *,
    by: str = "engagements",
    n: int = 10,
    minimum: int = 0,
    numerator: str = "engagements",
    denominator: str = "impressions",
    shrinkage: float | None = None,
    order: str = "shrunk",
    confidence: float = CONFIDENCE,
    posts: pd.DataFrame | None = None,
    highlight: str | Iterable[str] | None = None,
    ax: Axes | None = None,
    **bar_kw: Any,
) -> Axes:
    """Draw the posts with the highest counts or the best rates, best on top.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id``.
    by : str
        An engagement type, or ``"rate"``.
    n : int
        Maximum number of posts.
    minimum : int
        Posts with fewer impressions (``denominator``) are left out.
    numerator, denominator : str
        Engagement types of the rate.
    order : {"shrunk", "low"}
        Order by rate, see :func:`top_posts`.
    shrinkage : float, optional
        Weight of the overall rate, in impressions; estimated by default.
    confidence : float
        Confidence level of the rate's interval.
    posts : DataFrame, optional
        Frame with ``post_id`` and optionally ``text``; names the posts and fixes their colours.
    highlight : str or iterable of str, optional
        IDs of posts to pick out: they have their own colours, and the others are grey. Those
        below the top are added, with their rank.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.
    **bar_kw
        Passed to ``Axes.barh``.

    Returns
    -------
    matplotlib.axes.Axes
        By a type: its counts. By rate: bars of the rate in percent, shrunk towards the
        overall rate, with its interval; a diamond marks the post's own rate. Posts are
        in the order of :func:`top_posts`. Labels begin with the rank; ties share it. All bars
        have the colour of the type, or of the numerator.

    Raises
    ------
    FrameError
        For the same reasons as :func:`top_posts`; if a highlighted post has no rank.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"1": {"engagements": "5"}, "2": {"engagements": "7"}}})
    >>> ax = plot_top_posts(counts)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['1.  2', '2.  1']
    """
    counts = as_counts(counts)
    posts = as_posts(posts)
    rank = partial(
        top_posts, counts, by=by, minimum=minimum, numerator=numerator, denominator=denominator,
        shrinkage=shrinkage, order=order, confidence=confidence,
    )  # fmt: skip
    best = rank(n=n)
    every = best if highlight is None or not len(counts) else rank(n=len(counts))
    own = picked_out(highlight, every["post_id"], post_colours(counts, posts=posts))
    best = every[every["post_id"].isin([*best["post_id"], *own])]
    rated = str(by) == RATE
    numerator, denominator = (known_type(counts, name) for name in (numerator, denominator))
    by = RATE if rated else known_type(counts, by)
    (common,) = type_colours([numerator if rated else by]).values()
    unit = f"{numerator} over {denominator}" if rated else by
    ax = axes_for(ax, height=max(2.5, 1.2 + ROW * len(best)))
    ax.set_xlabel(wrapped(ax, unit), parse_math=False)
    if not len(best):
        return annotate_empty(ax)
    ids = [str(post) for post in best["post_id"]]
    names = post_names(ids, posts=posts, room=room(ax))
    value = best["shrunk" if rated else by].to_numpy(dtype="float64")
    shades = [shade(ax, own.get(post, REST if own else common)) for post in ids]
    style: dict[str, Any] = {"color": shades, "height": 0.7}
    if rated:
        style["alpha"] = 0.6
    bars = ax.barh(range(len(ids)), value, **style | bar_kw)
    for bar, post in zip(bars, ids, strict=True):
        bar.set_gid(post)
    note = hatch_missing(bars, best["missing"])
    ax.set_xlabel(wrapped(ax, f"{unit}{note}"), parse_math=False)
    remove_clutter(ax, grid="x")
    ranks = best["rank"].tolist()
    name_rows(ax, [f"{rank}.  {names[post]}" for rank, post in zip(ranks, ids, strict=True)])
    if rated:
        rate_axis(ax.xaxis)
        _open(
            ax,
            best,
            value,
            f"{unit}, shrunk towards the overall rate{note}{_order(best, order)}",
            confidence,
        )
    else:
        count_axis(ax.xaxis)
        label_bars(ax, value.tolist(), [f"{int(number):,}" for number in value])
    return ax


def _order(best: pd.DataFrame, order: str) -> str:
    """Return a note on the order, and on promoted posts."""
    promoted = "; last: above 100 %, so promoted" if best["above_one"].any() else ""
    return ("; in order of the interval's lower end" if order == "low" else "") + promoted


def _open(
    ax: Axes, best: pd.DataFrame, value: NDArray[np.float64], unit: str, confidence: float
) -> None:
    """Draw the confidence intervals, and the rates before shrinkage."""
    low, high, own = (best[name].to_numpy(dtype="float64") for name in ("low", "high", "rate"))
    rows = np.arange(len(best))
    reach = np.array([np.maximum(value - low, 0), np.maximum(high - value, 0)])
    interval = ax.errorbar(
        value, rows, xerr=reach, fmt="none", ecolor=ink(ax), elinewidth=1.2, capsize=3
    )
    interval.lines[2][0].set_gid("interval")
    # A post with two impressions may have a rate of 50 %, which would dwarf all others.
    right = float(np.nanmax(high)) * 1.04
    beyond = own > right
    if beyond.any():
        right *= 1.12
    ax.set_xlim(0, right)
    dots = ax.scatter(
        own[~beyond], rows[~beyond], marker="D", s=18, facecolors="none", edgecolors=[ink(ax)],
        linewidths=1, zorder=3, clip_on=False, gid="own rate",
    )  # fmt: skip
    for row in rows[beyond]:
        words = f"{percent(own[row])} →"
        ax.annotate(words, (right, row), ha="right", va="center", fontsize=8, color=ink(ax))
    ax.set_xlabel(wrapped(ax, unit), parse_math=False)
    legend_of(ax, [interval, dots], [f"{percent(confidence)} interval", "the post's own rate"])
