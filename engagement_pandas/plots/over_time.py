"""Counts hour by hour, day by day: when it happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.frame import in_order
from engagement_pandas.metrics import over_time
from engagement_pandas.metrics.buckets import zone_of
from engagement_pandas.metrics.columns import keys, need, one_type
from engagement_pandas.plots.axes import (
    axes_for,
    count_axis,
    from_zero,
    legend_of,
    room,
    say,
    tidy,
    time_axis,
)
from engagement_pandas.plots.names import TYPE_ROOM, check_posts, post_names, shortened
from engagement_pandas.plots.style import (
    OWN,
    REST,
    group_colours,
    ink,
    line_styles,
    post_colours,
    shade,
    type_colours,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

MARKED: Final = 31
"""Up to so many points a line shows its points."""

HOURLY: Final = pd.Timedelta("62D")
"""Beyond it, hours are a smear, and days are drawn unless somebody asks for hours."""

_UNITS: Final = {
    "h": ("hour", pd.Timedelta("1h")),
    "D": ("day", pd.Timedelta("1D")),
    "W": ("week", pd.Timedelta("7D")),
    "MS": ("month", pd.Timedelta("31D")),
}
_LINE: Final = "line of its own"
_THIN: Final = 1000


def plot_over_time(  # noqa: PLR0913 - the metric's own, by keyword
    counts: pd.DataFrame,
    *,
    by: str = "engagement_type",
    engagement_type: str | None = None,
    every: str | None = None,
    tz: str | tzinfo = "UTC",
    window: Any = None,
    posts: pd.DataFrame | None = None,
    ax: Axes | None = None,
    **line_kw: Any,
) -> Axes:
    """Draw counts over time, a line for each engagement type or each post.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``day``, and perhaps ``hour``.
    by : str
        The column whose values have a line each, ``"engagement_type"``, ``"post_id"`` or
        one of your own; counts are summed over the rest. Beyond eight, the smallest are
        drawn as one grey line, their sum; types are not, since types do not add up.
    engagement_type : str, optional
        The one to draw. Needed where there are several and ``by`` is another column.
    every : {"h", "D", "W", "MS"}, optional
        Hours, days, weeks or months. By default hours, where the counts have them and
        span at most 62 days, or else days.
    tz : str or tzinfo
        Whose hours, days, weeks and months; other than UTC needs counts by hour.
    window : Window, or pair of datetime or str, optional
        What was asked for; by default from the first hour in the counts to the last.
    posts : DataFrame, optional
        ``post_id`` and perhaps ``text``: names the posts and fixes their colours.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    **line_kw
        For ``Axes.plot``.

    Returns
    -------
    matplotlib.axes.Axes
        *Counts per hour*, *per day*, …, at the beginning of each, in the time zone that
        the x axis names. Gaps are gaps, not zeros. Buckets that the counts cover in part
        only, as at the edges of a window, are circles; a line that is so for the most part
        is called *partial* in the legend.

    Raises
    ------
    FrameError
        Where counts have no ``day``, or no column ``by``; where types would be mixed in a
        line; as :func:`over_time` does.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"impressions": {"2026-03-01": "5", "2026-03-02": "7"}}}
    >>> ax = plot_over_time(ep.flatten_json(body))
    >>> ax.get_ylabel(), ax.lines[0].get_ydata().tolist()
    ('impressions per day', [5.0, 7.0])
    """
    need(counts, "day")
    check_posts(posts)
    if not isinstance(by, str) or by in ("day", "hour", "count"):
        msg = f"by is {by!r}; name the one column whose values have a line each, such as 'post_id'"
        raise FrameError(msg)
    keys(counts, by)
    typed = by == "engagement_type"
    rows = counts if typed and engagement_type is None else one_type(counts, engagement_type)
    types = in_order(str(name) for name in rows["engagement_type"].unique())
    every = _fitting(rows, every)
    zone = zone_of(tz)
    colours = _colours(counts, by, posts)
    if typed:
        table = over_time(rows, every=every, tz=zone, by=by, window=window)
        order = types
    else:
        lines, order = _lines(rows, by)
        own = rows.assign(**{_LINE: lines})
        table = over_time(own, every=every, tz=zone, by=_LINE, window=window)
    unit, step = _UNITS[every]
    ax = axes_for(ax)
    ax.set_ylabel(f"{types[0] if len(types) == 1 else 'counts'} per {unit}", parse_math=False)
    ax.set_xlabel(f"time ({zone})", loc="left")
    if not table["count"].notna().any():
        return say(ax)
    parts = {str(name): part for name, part in table.groupby(by if typed else _LINE, sort=False)}
    series = {name: _Series.of(parts[name]) for name in order}
    shades = {name: shade(ax, colours.get(name, REST)) for name in order}
    handles = _draw(ax, series, shades, line_kw)
    names = post_names(order, posts=posts, room=room(ax)) if by == "post_id" else {}
    labels = [
        (names.get(name) or shortened(name, max(room(ax), TYPE_ROOM)))
        + (one.remark() if name in colours else " (sum)")
        for name, one in series.items()
    ]
    circles, words = _mark(ax, series, shades, unit)
    time_axis(ax, zone, step)
    count_axis(ax.yaxis)
    from_zero(ax)
    tidy(ax, grid="y")
    if len(handles) + len(circles) > 1:
        legend_of(ax, [*handles, *circles], [*labels, *words])
    return ax


@dataclass(frozen=True, slots=True)
class _Series:
    """One line: moments in days since 1970 (UTC), counts, and which are not whole."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    partial: NDArray[np.bool_]
    unsure: NDArray[np.bool_]

    @classmethod
    def of(cls, part: pd.DataFrame) -> _Series:
        from matplotlib.dates import date2num  # noqa: PLC0415 - heavy

        moments = part["start"].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
        y = part["count"].to_numpy(dtype="float64", na_value=np.nan)
        whole = part["complete"].to_numpy(dtype="bool", na_value=False)
        return cls(
            x=np.asarray(date2num(moments), dtype=np.float64),
            y=y,
            partial=~whole & ~np.isnan(y),
            unsure=part["complete"].isna().to_numpy(),
        )

    @property
    def throughout(self) -> bool:
        """Whether so much is partial that a circle each would hide the line."""
        number = int(self.partial.sum())
        return number > MARKED or number > max(2, (~np.isnan(self.y)).sum() / 2)

    def circles(self) -> NDArray[np.bool_]:
        """Return where to mark what is partial: only at the edges where all of it is."""
        if not self.throughout:
            return self.partial
        edges = np.zeros(len(self.y), dtype=np.bool_)
        edges[np.flatnonzero(~np.isnan(self.y))[[0, -1]]] = True
        return edges & self.partial

    def dots(self) -> list[int]:
        """Return which points have a dot: all of a few, or those a line would not show."""
        there = ~np.isnan(self.y)
        if len(self.y) > MARKED:
            beside = np.concatenate([[False], there, [False]])
            there &= ~beside[:-2] & ~beside[2:]
        return [int(place) for place in np.flatnonzero(there & ~self.circles())]

    def remark(self) -> str:
        """Return what the legend has to say about the line."""
        if np.isnan(self.y).all():
            return " (no counts)"
        return " (partial)" if self.throughout else ""


def _fitting(rows: pd.DataFrame, every: str | None) -> str:
    """Return hours where they can be told apart, or else days."""
    if every is not None:
        return every
    if "hour" not in rows.columns:
        return "D"
    long = len(rows) and rows["day"].max() - rows["day"].min() >= HOURLY
    return "D" if long else "h"


def _colours(counts: pd.DataFrame, by: str, posts: pd.DataFrame | None) -> dict[str, str]:
    """Return the colours of everything in the counts, so that a smaller picture has the same."""
    if by == "post_id":
        return post_colours(counts, posts=posts)
    values = (str(value) for value in counts[by].unique())
    return type_colours(values) if by == "engagement_type" else group_colours(values)


def _lines(rows: pd.DataFrame, by: str) -> tuple[pd.Series, list[str]]:
    """Return which line each row belongs to, and the lines, largest first."""
    names = rows[by].astype("str").fillna("<NA>")
    sizes = rows["count"].groupby(names).sum(min_count=1).astype("Float64")
    order = [str(name) for name in sizes.sort_values(ascending=False, kind="stable").index]
    if len(order) <= OWN:
        return names, order
    shown = order[: OWN - 1]
    rest = f"{len(order) - len(shown)} others"
    return names.where(names.isin(shown), rest), [*shown, rest]


def _draw(
    ax: Axes,
    series: Mapping[str, _Series],
    shades: Mapping[str, str],
    line_kw: dict[str, Any],
) -> list[Artist]:
    from matplotlib.cbook import normalize_kwargs  # noqa: PLC0415 - heavy
    from matplotlib.lines import Line2D  # noqa: PLC0415 - heavy

    given = normalize_kwargs(line_kw, Line2D)
    handles: list[Artist] = []
    lines = line_styles([shades[name] for name in series])
    for (name, one), line in zip(series.items(), lines, strict=True):
        dots = one.dots()
        style: dict[str, Any] = {
            "color": shades[name],
            "linestyle": line,
            "marker": "o" if dots else "None",
            "markevery": dots or None,
            "markersize": 4,
            "linewidth": 1.6 if len(one.y) <= _THIN else 0.8,
            "gid": name,
        }
        handles += ax.plot(one.x, one.y, **style | given)
    return handles


def _mark(
    ax: Axes, series: Mapping[str, _Series], shades: Mapping[str, str], unit: str
) -> tuple[list[Artist], list[str]]:
    """Draw circles where a bucket is not known to be whole; return one, and its name."""
    from matplotlib.lines import Line2D  # noqa: PLC0415 - heavy

    found = {name: one.circles() for name, one in series.items()}
    x, y, unsure = (
        np.concatenate([getattr(one, part)[found[name]] for name, one in series.items()])
        for part in ("x", "y", "unsure")
    )
    if not len(x):
        return [], []
    edges = [shades[name] for name, places in found.items() for _ in range(int(places.sum()))]
    ax.scatter(
        x, y, s=30, facecolors="none", edgecolors=edges, linewidths=1.4, zorder=3, gid="partial"
    )
    one = Line2D([], [], color=ink(ax), marker="o", fillstyle="none", linestyle="none")
    return [one], [f"perhaps a partial {unit}" if unsure.all() else f"partial {unit}"]
