"""Plot of the half-life of posts, by engagement type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts, as_posts
from engagement_pandas.frame.contract import TEXT, in_order
from engagement_pandas.metrics import half_life
from engagement_pandas.metrics.checks import one_type
from engagement_pandas.metrics.half_life import median_bracket
from engagement_pandas.plots.axes import (
    annotate_empty,
    axes_for,
    most_ticks,
    name_rows,
    narrow_rows,
    remove_clutter,
    room,
    wrapped,
)
from engagement_pandas.plots.colours import REST, ink, picked_out, post_colours, shade, type_colours
from engagement_pandas.plots.legend_and_headline import legend_of
from engagement_pandas.plots.post_names import TYPE_ROOM, in_font, post_names
from engagement_pandas.text import pluralize, shortened

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

TIMES: Final = {
    "1 min": 1 / 60,
    "5 min": 5 / 60,
    "15 min": 0.25,
    "30 min": 0.5,
    "1 h": 1.0,
    "2 h": 2.0,
    "4 h": 4.0,
    "8 h": 8.0,
    "16 h": 16.0,
    "1 d": 24.0,
    "2 d": 48.0,
    "4 d": 96.0,
    "7 d": 168.0,
    "14 d": 336.0,
    "28 d": 672.0,
    "90 d": 2160.0,
}
"""Possible ticks of the age axis, in hours."""

_REASONS: Final = {
    "no_time": "without a time in the ID",
    "begins_late": "whose counts begin late",
    "gap": "with gaps",
    "edges_unknown": "in counts that do not state what they cover",
    "nothing": "with too few counts",
    "too_young": "too young",
}
_ROW: Final = 0.7
_SPREAD: Final = 0.56
_MARKERS: Final = ("o", "D", "s", "^", "v", "P", "X")
_GOLDEN: Final = 0.6180339887498949


_SCATTER: Final = {"color": "c", "facecolor": "c", "linewidth": "linewidths"}
"""Collection keywords, and the names that ``Axes.scatter`` takes; it rejects both together."""


def plot_half_life(  # noqa: PLR0913 - the metric's own, by keyword
    counts: pd.DataFrame,
    *,
    share: float = 0.5,
    engagement_type: str | None = None,
    minimum: int = 1,
    posts: pd.DataFrame | None = None,
    highlight: str | Iterable[str] | None = None,
    ax: Axes | None = None,
    **scatter_kw: Any,
) -> Axes:
    r"""Draw the age at which each post had half of its counts, by engagement type.

    Parameters
    ----------
    counts : DataFrame
        Tidy hourly counts with ``post_id`` that cover the complete lives of the posts.
    share : float
        Between 0 and 1; 0.5 is the half-life.
    engagement_type : str, optional
        Type to draw; by default one row per type.
    minimum : int
        Posts with a lower total get no answer.
    posts : DataFrame, optional
        Frame with ``post_id`` and optionally ``text``; names the posts and fixes their colours.
    highlight : str or iterable of str, optional
        IDs of posts to pick out: they have large dots in their own colours and are named, and
        the others are grey.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.
    **scatter_kw
        Passed to ``Axes.scatter``, for the posts that are not highlighted.

    Returns
    -------
    matplotlib.axes.Axes
        One dot per post, in the colour of its type, on a logarithmic age axis, with the median
        as a line and as text, which is next to the type if rows are narrow; a bracket of two
        lines if posts are too young for one number, see :func:`median_half_life`. Each row
        label gives the number of posts with an answer; the axis label gives the reasons why
        others have none.

    Raises
    ------
    FrameError
        For the same reasons as :func:`half_life`; if a highlighted post has no answer.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> hours = {f"{hour:02d}": str(1000 * 2 ** (23 - hour)) for hour in range(19, 24)}
    >>> later = {f"{hour:02d}": "0" for hour in range(24)}
    >>> days = {"2018-11-09": hours, "2018-11-10": later}
    >>> body = {"start": "2018-11-09T18:00:00Z", "end": "2018-11-11T00:00:00Z",
    ...         "g": {"1060976163948904448": {"impressions": days}}}
    >>> ax = plot_half_life(ep.flatten_json(body))
    >>> [text.get_text()[-3:] for text in ax.texts], ax.get_yticklabels()[0].get_text()
    (['min'], 'impressions\n1 of 1 post')
    """
    counts = as_counts(counts)
    posts = as_posts(posts)
    if isinstance(share, bool) or not isinstance(share, int | float):
        msg = f"share is {share!r}; give one number between 0 and 1, such as 0.5"
        raise FrameError(msg)
    table = half_life(counts, shares=(share,), minimum=minimum)
    if engagement_type is not None:
        table = one_type(table, engagement_type)
    answer = f"t{share * 100:g}"
    answered = table.loc[table[answer].notna(), "post_id"].unique()
    own = picked_out(highlight, answered, post_colours(counts, posts=posts))
    types = in_order(table["engagement_type"].unique())
    ax = axes_for(ax, height=max(2.5, 1.4 + _ROW * len(types)))
    what = "half" if share == 0.5 else f"{share * 100:g} %"  # noqa: PLR2004 - a half
    why = _why(table, answer)
    ax.set_xlabel(wrapped(ax, f"age at which a post had {what} of its counts (log scale){why}"))
    if not table[answer].notna().any():
        return annotate_empty(ax, f"no answer yet{why}" if len(table) else "no counts to show")
    handles = _draw(ax, table, answer, own, scatter_kw)
    _time_axis(ax, table[answer].dropna().astype("float64"))
    remove_clutter(ax, grid="x")
    brackets = median_bracket(table, answer).iterrows()
    medians = {str(bracket["engagement_type"]): bracket for _, bracket in brackets}
    names, narrow = [], narrow_rows(ax, len(types))
    for row, name in enumerate(types):
        part = table.loc[table["engagement_type"] == name, answer]
        many = f"{part.count()} of {pluralize(len(part), 'post')}"
        median = _median(ax, row, medians[name], named=not narrow) if part.count() else ""
        shown = f": {median}" if median and narrow else ""
        names.append(f"{shortened(in_font(name), TYPE_ROOM)}{shown}\n{many}")
    name_rows(ax, names)
    if own:
        called = post_names(own, posts=posts, room=room(ax))
        legend_of(ax, handles, [called[post] for post in own])
    return ax


def _draw(
    ax: Axes,
    table: pd.DataFrame,
    answer: str,
    own: Mapping[str, str],
    scatter_kw: dict[str, Any],
) -> list[Artist]:
    """Draw the dots and the medians; return a legend handle for each highlighted post.

    ``own`` has the colours of the highlighted posts.
    """
    from matplotlib.cbook import normalize_kwargs  # noqa: PLC0415 - heavy
    from matplotlib.collections import PathCollection  # noqa: PLC0415
    from matplotlib.lines import Line2D  # noqa: PLC0415

    scatter_kw = normalize_kwargs(scatter_kw, PathCollection)
    scatter_kw = {_SCATTER.get(name, name): value for name, value in scatter_kw.items()}
    types = in_order(table["engagement_type"].unique())
    colours = type_colours(types)
    looks: dict[str, dict[str, Any]] = {
        post: {"c": [shade(ax, colour)], "marker": _MARKERS[place % len(_MARKERS)]}
        for place, (post, colour) in enumerate(own.items())
    }
    for row, name in enumerate(types):
        part = table[(table["engagement_type"] == name) & table[answer].notna()]
        if not len(part):
            continue
        x = part[answer].to_numpy(dtype="float64")
        style: dict[str, Any] = {
            "c": [REST if own else shade(ax, colours[name])],
            "s": 34 if len(part) <= 100 else 12,  # noqa: PLR2004 - dots
            "alpha": 0.85,
            "linewidths": 0,
            "gid": name,
        }
        y = row + _spread(len(part))
        ids = part["post_id"].astype(TEXT).to_numpy()
        common = ~np.isin(ids, list(own))
        ax.scatter(x[common], y[common], **style | scatter_kw)
        for post, look in looks.items():
            large = look | {"s": 80, "edgecolors": [ink(ax)], "zorder": 3, "gid": f"{name}:{post}"}
            ax.scatter(x[ids == post], y[ids == post], **large)
    return [
        Line2D([], [], linestyle="none", marker=look["marker"], color=look["c"][0])
        for look in looks.values()
    ]


def _median(ax: Axes, row: int, bracket: pd.Series, *, named: bool) -> str:
    """Draw the bracket of the median, one line, or two if posts are too young; return its text."""
    low, high = float(bracket["low"]), bracket["high"]
    ends = [low] if pd.isna(high) else sorted({low, float(high)})
    for end in ends:
        ax.vlines(end, row - 0.38, row + 0.38, color=ink(ax), linewidth=2, zorder=1, gid="median")
    if len(ends) > 1:
        ax.fill_betweenx(
            [row - 0.38, row + 0.38],
            ends[0],
            ends[1],
            color=ink(ax),
            alpha=0.08,
            linewidth=0,
            zorder=0,
        )
    words = duration(low) if len(ends) == 1 else f"{duration(ends[0])} to {duration(ends[1])}"
    words = f"{words} or more" if pd.isna(high) else words
    if named:
        ax.annotate(
            words, (ends[0], row - 0.38), ha="center", va="bottom", fontsize=9,
            xytext=(0, 1), textcoords="offset points", color=ink(ax),
        )  # fmt: skip
    return words


def duration(hours: float) -> str:
    """Format a duration in a suitable unit.

    Examples
    --------
    >>> duration(0.59), duration(1.37), duration(9.25), duration(60)
    ('35 min', '82 min', '9.2 h', '2.5 d')
    """
    if hours < 2:  # noqa: PLR2004 - two hours
        return f"{hours * 60:.0f} min"
    return f"{hours:.2g} h" if hours < 48 else f"{hours / 24:.2g} d"  # noqa: PLR2004 - two days


def _time_axis(ax: Axes, ages: pd.Series) -> None:
    """Label the logarithmic axis with as many durations as fit."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator  # noqa: PLC0415

    low, high = float(ages.min()) / 1.4, float(ages.max()) * 1.4
    shown = {name: time for name, time in TIMES.items() if low <= time <= high}
    if len(shown) < 2:  # noqa: PLR2004 - a scale needs two ticks
        low = max([time for time in TIMES.values() if time < low], default=low)
        high = min([time for time in TIMES.values() if time > high], default=high)
        shown = {name: time for name, time in TIMES.items() if low <= time <= high}
    every = -(-len(shown) // most_ticks(ax))
    names = list(shown)[::every]
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.xaxis.set_major_locator(FixedLocator([shown[name] for name in names]))
    ax.xaxis.set_major_formatter(FixedFormatter(names))
    ax.xaxis.set_minor_locator(NullLocator())


def _spread(number: int) -> NDArray[np.float64]:
    """Return deterministic vertical offsets that separate the dots of a row."""
    if number == 1:
        return np.zeros(1)
    places = np.arange(1, number + 1, dtype=np.float64)
    return (places * _GOLDEN % 1 - 0.5) * _SPREAD


def _why(table: pd.DataFrame, answer: str) -> str:
    """Return the reasons for missing answers, with their counts, and the number of all."""
    reasons = table.loc[table[answer].isna(), "why_not"].value_counts()
    parts = [f"{n:,} {_REASONS.get(str(name), str(name))}" for name, n in reasons.items() if n]
    several = len(in_order(table["engagement_type"].unique())) > 1
    every = f"{len(table):,} pairs of post and type" if several else pluralize(len(table), "post")
    return f"\nno answer: {', '.join(parts)}, of {every}" if parts else ""
