"""Plot of the growth of posts by age, compared with a cohort."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.frame.coercion import as_counts, as_posts
from engagement_pandas.metrics import benchmark, check_comparable, cumulative
from engagement_pandas.metrics.benchmark import AGES
from engagement_pandas.metrics.checks import one_type, require_columns
from engagement_pandas.metrics.comparison_text import times
from engagement_pandas.metrics.coverage import covered
from engagement_pandas.plots.axes import (
    age_axis,
    axes_for,
    count_axis,
    from_zero,
    log_axis,
    remove_clutter,
    room,
)
from engagement_pandas.plots.colours import REST, line_styles, post_colours, shade
from engagement_pandas.plots.legend_and_headline import legend_of, set_headline
from engagement_pandas.plots.lines import MARKED, draw_grey
from engagement_pandas.plots.lines_by_age import (
    UNTIL,
    check_until,
    label_age_axes,
    ranked,
    say_why,
    young,
)
from engagement_pandas.plots.post_names import post_names

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

BANDS: Final = {(10, 90): 0.25, (25, 75): 0.35}
"""Percentile ranges of the cohort, and the opacity of their bands."""

GIANT: Final = 10
"""Ratio of the largest post to the median post from which the axis is logarithmic."""

_MIDDLE: Final = 50
_STEPS: Final = 28


def plot_cumulative(  # noqa: PLR0913 - the metric's own, by keyword
    counts: pd.DataFrame,
    *,
    engagement_type: str | None = None,
    cohort: pd.DataFrame | None = None,
    until: float = UNTIL,
    posts: pd.DataFrame | None = None,
    ax: Axes | None = None,
    **line_kw: Any,
) -> Axes:
    """Draw the cumulative counts of posts by age, with percentile bands of a cohort.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id`` and ``day``, preferably hourly.
    engagement_type : str, optional
        Type to draw; required if there are several.
    cohort : DataFrame, optional
        Counts of the posts to compare with; by default the same posts.
    until : float
        Maximum age to draw, in hours; a week by default.
    posts : DataFrame, optional
        Frame with ``post_id`` and optionally ``text``; names the posts and fixes their colours.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.
    **line_kw
        Passed to ``Axes.plot``.

    Returns
    -------
    matplotlib.axes.Axes
        Cumulative counts by hours since the post was made; an age has no time zone. Beyond
        eight posts, all but the seven largest are thin and grey. Grey bands show the
        percentiles of :func:`benchmark` and their number of posts; fewer than five posts have
        no bands. If the largest post has more than ten times the median, the y axis is
        logarithmic and its label says so; ``ax.set_yscale("linear")`` undoes that. If the cohort
        has a trend, the headline states it. A line is faint from the
        first missing count on: the post had more than is drawn.

    Raises
    ------
    FrameError
        For the same reasons as :func:`cumulative` and :func:`benchmark`; if there are several
        types and none is named; if ``until`` is not a valid age.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> hours = {"00": "5", "01": "7"}
    >>> body = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T02:00:00Z",
    ...         "g": {"2027900000000000000": {"impressions": {"2026-03-01": hours}}}}
    >>> ax = plot_cumulative(ep.flatten_json(body))
    >>> ax.get_xlabel(), ax.lines[0].get_ydata().tolist()
    ('hours since the post was made', [0.0, 5.0, 12.0])
    """
    counts = as_counts(counts)
    require_columns(counts, "post_id", "day")
    posts = as_posts(posts)
    check_until(until)
    rows = one_type(counts, engagement_type)
    type_name = str(rows["engagement_type"].iloc[0]) if len(rows) else "counts"
    colours = post_colours(counts, posts=posts)
    if cohort is not None:
        check_comparable(rows, cohort, [type_name])
    grown = cumulative(rows)
    aged = young(grown, until)
    old = float(aged["age"].max()) if len(aged) else 0.0
    known = cohort is not None or covered(rows) is not None
    bands = _bands(rows, cohort, engagement_type, old) if old and known else None
    ax = axes_for(ax)
    label_age_axes(ax, f"cumulative {type_name}")
    if not aged["count"].notna().any():
        return say_why(ax, grown)
    handles, labels = _draw_bands(ax, bands) if bands is not None else ([], [])
    more, names = _draw_posts(ax, aged, colours, line_kw)
    called = post_names(names, posts=posts, room=room(ax))
    lines = [called.get(name, name) for name in names]
    age_axis(ax, old)
    _scale(ax, aged.groupby("post_id")["count"].last(), bands)
    remove_clutter(ax, grid="y")
    if len(more) + len(handles) > 1:
        legend_of(ax, [*more, *handles], [*lines, *labels])
    if bands is not None and bands["trend"].notna().any():
        set_headline(ax, _trend(bands.loc[bands["trend"].notna()].iloc[-1]))
    return ax


def _scale(ax: Axes, sizes: pd.Series, bands: pd.DataFrame | None) -> None:
    """Format the y axis: from 0 on, or logarithmic if one post would flatten all others.

    ``sizes`` has the last count of each post.
    """
    last = sizes.dropna().to_numpy(dtype="float64")
    typical, largest = np.median(last), np.max(last)
    if typical <= 0 or largest < GIANT * typical:
        count_axis(ax.yaxis)
        from_zero(ax)
        return
    lowest: Any = [] if bands is None else bands[f"p{min(min(BANDS))}"].dropna().tail(1)
    ends = np.concatenate([last, np.asarray(lowest, dtype="float64")])
    ax.set_yscale("log")
    # A tenth of the smallest is early enough to see how fast each of them grew.
    ax.set_ylim(max(1.0, np.min(ends[ends > 0]) / 10, typical / 100), 1.4 * largest)
    log_axis(ax.yaxis)
    ax.set_ylabel(f"{ax.get_ylabel()} (log scale)", parse_math=False)


def _trend(row: pd.Series) -> str:
    """Return the trend of the cohort in words."""
    size = f"{times(float(row['trend']))} times as much as the earlier half"
    part = f"the later half of the cohort got {size} within {row['age']:g} h"
    cure = "low" if row["trend"] > 1 else "high"
    return f"{part}, so the bands are too {cure} for new posts"


def _bands(
    rows: pd.DataFrame, cohort: pd.DataFrame | None, engagement_type: str | None, old: float
) -> pd.DataFrame:
    """Return the percentiles of the cohort at closely spaced ages up to ``old``."""
    others = rows
    if cohort is not None:
        name = engagement_type or (str(rows["engagement_type"].iloc[0]) if len(rows) else None)
        others = one_type(cohort, name)
    ages = np.unique([*np.linspace(0, old, _STEPS)[1:], *(age for age in AGES if age < old)])
    percentiles = sorted({_MIDDLE, *(share for band in BANDS for share in band)})
    return benchmark(others, ages=ages.tolist(), percentiles=percentiles)


def _draw_bands(ax: Axes, bands: pd.DataFrame) -> tuple[list[Artist], list[str]]:
    """Draw the bands of the cohort, which start with 0 at the age of 0."""
    known = bands[bands[f"p{_MIDDLE}"].notna()]
    if not len(known):
        return [], []
    age = np.concatenate([[0.0], known["age"].to_numpy()])

    def at(share: int) -> Any:
        return np.concatenate([[0.0], known[f"p{share}"].to_numpy(dtype="float64")])

    few, many = int(known["n"].min()), int(known["n"].max())
    posts = f"{many} posts" if few == many else f"{few} to {many} posts"
    handles: list[Artist] = []
    labels = []
    for (low, high), alpha in BANDS.items():
        band = ax.fill_between(
            age, at(low), at(high), color=REST, alpha=alpha, linewidth=0, gid=f"p{low}-p{high}"
        )
        handles.append(band)
        labels.append(f"middle {high - low} % of {posts}")
    middle = ax.plot(age, at(_MIDDLE), color=REST, linewidth=1.2, linestyle="--", gid="median")
    return [*handles, *middle], [*labels, "their median"]


def _draw_posts(
    ax: Axes, aged: pd.DataFrame, colours: Mapping[str, str], line_kw: dict[str, Any]
) -> tuple[list[Artist], list[str]]:
    """Draw the largest posts in their colours, and the others thin and grey."""
    from matplotlib.cbook import normalize_kwargs  # noqa: PLC0415 - heavy
    from matplotlib.lines import Line2D  # noqa: PLC0415 - heavy

    given = normalize_kwargs(line_kw, Line2D)
    shown, others = ranked(aged.groupby("post_id")["count"].last())
    curves = _curves(aged)
    handles: list[Artist] = []
    faint: list[Artist] = []
    lines = line_styles([colours[name] for name in shown])
    few = all(len(curves[name].x) - bool(curves[name].complete) <= MARKED for name in shown)
    for name, look in zip(shown, lines, strict=True):
        x, y, n_complete = curves[name]
        style: dict[str, Any] = {
            "color": shade(ax, colours[name]),
            "linestyle": look,
            "linewidth": 1.6,
            "marker": "o" if few or len(x) == 1 else None,
            "markersize": 4,
            "zorder": 3,
        }
        line = style | {"gid": name} | given
        handles += ax.plot(x[:n_complete], y[:n_complete], **line)
        if n_complete < len(x):
            # Start one point earlier, so that the faint part joins the solid one.
            back = max(n_complete - 1, 0)
            weak = style | given | {"alpha": 0.4, "gid": f"incomplete:{name}"}
            faint += ax.plot(x[back:], y[back:], **weak)
    labels = list(shown)
    if others:
        rest = [np.column_stack(curves[name][:2]) for name in others]
        handles.append(draw_grey(ax, rest))
        labels.append(f"{len(others)} others")
    if faint:
        handles.append(faint[0])
        unsure = aged["complete"].isna().any()
        labels.append("perhaps counts are missing" if unsure else "counts are missing before")
    return handles, labels


class _Curve(NamedTuple):
    """Ages, counts, and the number of leading points without missing counts."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    complete: int


def _curves(aged: pd.DataFrame) -> dict[str, _Curve]:
    """Return the curve of each post, which starts with 0 at the age of 0 if its first is known."""
    codes, names = pd.factorize(aged["post_id"])
    edges = np.flatnonzero(np.diff(codes)) + 1
    columns = (
        aged["age"].to_numpy(dtype="float64"),
        aged["count"].to_numpy(dtype="float64", na_value=np.nan),
        aged["complete"].to_numpy(dtype="bool", na_value=False),
    )
    parts = zip(*(np.split(column, edges) for column in columns), strict=True)
    return {str(name): _curve(*part) for name, part in zip(names, parts, strict=True)}


def _curve(x: NDArray[np.float64], y: NDArray[np.float64], complete: NDArray[np.bool_]) -> _Curve:
    number = int(complete.sum())
    if not number:
        return _Curve(x, y, 0)
    return _Curve(np.append(0.0, x), np.append(0.0, y), number + 1)
