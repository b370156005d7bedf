"""Plot of the engagement rate by weekday and hour, with a test for the best hour."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.metrics import best_times
from engagement_pandas.metrics.best_times import DRAWS, MINIMUM, SURE, best_named
from engagement_pandas.metrics.checks import known_type
from engagement_pandas.metrics.compare import AT
from engagement_pandas.metrics.time_zones import zone_of
from engagement_pandas.metrics.top_posts import RATE
from engagement_pandas.plots.axes import (
    annotate_empty,
    axes_for,
    column_size,
    count_axis,
    count_labels,
    percent,
    rate_axis,
    read_as,
    remove_clutter,
    row_size,
    side_label,
    upright,
    wrapped,
)
from engagement_pandas.plots.colours import REST, ink, shade, type_colours
from engagement_pandas.plots.legend_and_headline import set_headline
from engagement_pandas.plots.page_theme import INK as PLACEHOLDER
from engagement_pandas.text import pluralize

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS: Final = "viridis"
"""Safe for colour-blind readers, and without grey, which marks hours with few posts."""

PALE: Final = {
    "white": ("#E4EAF0", "#C3D0DC"),
    "black": ("#26313B", "#3D4C59"),
    "that of the page": ("#B4C2CE", "#9DB0C0"),
}
"""Colours by background, if there is not enough evidence that any time is better."""

FLAT: Final = 0.1
"""The colour scale spans at least this share around the mean; small differences look small."""

_COARSE: Final = ("weekday", "hour of day")
"""Levels with bars; hours of the week have a map."""

_MIDDLE: Final = 0.5
_HALF_GREY: Final = 1.5


def plot_best_times(  # noqa: PLR0913 - the metric's own, by keyword
    counts: pd.DataFrame,
    *,
    by: str = RATE,
    tz: str | tzinfo = "UTC",
    clock: str = "posting",
    level: str | None = None,
    at: float | None = AT,
    numerator: str = "engagements",
    denominator: str = "impressions",
    minimum: int = MINIMUM,
    confidence: float = SURE,
    draws: int = DRAWS,
    seed: int = 0,
    ax: Axes | None = None,
    **mesh_kw: Any,
) -> Axes:
    """Draw the engagement rate by weekday and hour, and mark hours that are significantly better.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id``; hourly if ``clock`` is ``"engagement"``.
    by, at
        ``"rate"``, or an engagement type, at an age in hours; see :func:`best_times`.
    tz : str or tzinfo
        Time zone of the weekdays and hours.
    clock : {"posting", "engagement"}
        Group by the hour in which posts were made, or in which people responded.
    level : {None, "weekday", "hour of day", "hour of the week"}
        The level at which times are tested; None tests all three together.
    numerator, denominator : str
        Engagement types of the rate.
    minimum : int
        Hours with fewer posts are grey.
    confidence, draws, seed
        Parameters of the test, see :func:`best_times`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default. A colour bar is added to the figure.
    **mesh_kw
        Passed to ``Axes.pcolormesh``, if a map is drawn.

    Returns
    -------
    matplotlib.axes.Axes
        At the level at which an effect was found: a bar per weekday, a bar per hour of the
        day, or a map of the hours of the week with one column per weekday, in local time.
        Bars and colours show the rate or count, shrunk towards the overall one, and the
        numbers are those of posts. Significantly better bars are not pale; better hours of
        the map have a frame, the best a thick one. The headline names the best time. If there
        is not enough evidence for one, it says so, and the map is pale.

    Raises
    ------
    FrameError
        For the same reasons as :func:`best_times`.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"2027900000000000000": {"impressions": "900", "engagements": "9"}}}
    >>> ax = plot_best_times(ep.flatten_json(body), tz="Europe/Berlin")
    >>> ep.headline(ax)
    'Best hour of posting: not enough evidence, from 1 post'
    >>> ax.get_ylabel(), [text.get_text() for text in ax.texts]
    ('hour of posting (Europe/Berlin)', ['1'])
    """
    counts = as_counts(counts)
    table = best_times(
        counts, by=by, tz=tz, clock=clock, level=level, at=at, numerator=numerator,
        denominator=denominator, minimum=minimum, confidence=confidence, draws=draws, seed=seed,
    )  # fmt: skip
    zone = zone_of(tz)
    coarse = table["level"].isin(_COARSE).any()
    ax = axes_for(ax, height=4.5 if coarse else 6)
    side_label(ax, f"hour of {clock} ({zone})")
    ax.set_xlabel(wrapped(ax, f"weekday; in the cells, posts; grey: fewer than {minimum}"))
    if not table["n"].any():
        return annotate_empty(ax)
    unit = _unit(counts, by, numerator, denominator)
    rated = str(by) == RATE
    if coarse:
        (colour,) = type_colours([known_type(counts, numerator if rated else by)]).values()
        _bars(ax, table, minimum, unit, shade(ax, colour), rated=rated)
        bar = "weekday" if (table["level"] == "weekday").any() else "hour"
        words = f"{bar} of {clock} ({zone})"
        if clock == "posting":  # by hour of engagement, a post is in many cells of a bar
            _number_bars(ax, table)
            words += "; above the bars, posts"
        ax.set_xlabel(wrapped(ax, f"{words}; pale: not better beyond chance"))
    else:
        _cells(ax, table, minimum, unit, mesh_kw, rated=rated)
        _frames(ax, table)
        _name_hours(ax, table)
    # A post is in one cell by posting hour, but in many by engagement hour.
    posts = int(table["n"].sum() if clock == "posting" else counts["post_id"].nunique())
    time = "weekday" if level == "weekday" else "hour"
    words = f"Best {time} of {clock}: {best_named(table)}, from {pluralize(posts, 'post')}"
    threads = int(table["threads"].sum())
    if clock == "posting" and threads < posts:
        words += f" in {pluralize(threads, 'thread')}"
    set_headline(ax, words)
    return ax


def _name_hours(ax: Axes, table: pd.DataFrame) -> None:
    """Label the columns with weekdays, and every third row with its hour."""
    days = [str(name)[:3] for name in table["weekday"].cat.categories]
    size = row_size(ax, 24, most=9)
    read_as(ax.xaxis, lambda day: days[int(day)])
    read_as(ax.yaxis, "{:02.0f}:00".format)
    ax.set_xticks(np.arange(7) + _MIDDLE, days)
    ax.set_yticks(np.arange(0, 25, 3), [f"{hour:02d}:00" for hour in range(0, 25, 3)])
    ax.tick_params(length=0, labelsize=max(size, 7))
    ax.set_ylim(24, 0)
    ax.spines[:].set_visible(False)


def _bars(  # noqa: PLR0913 - one plot
    ax: Axes, table: pd.DataFrame, minimum: int, unit: str, colour: str, *, rated: bool
) -> None:
    """Draw the weekdays or the hours of the day, the level at which an effect was found."""
    daily = (table["level"] == "weekday").any()
    groups = _bar_groups(table)
    number = groups["n"].sum().to_numpy()
    height = _heights(table)
    verdicts = _bar_groups(table.assign(verdict=table["verdict"].where(table["n"] > 0)))["verdict"]
    verdicts = verdicts.first().astype(TEXT).to_numpy()
    named = np.isin(verdicts, ["best", "better"])
    places = np.arange(len(number))
    few = groups["threads"].sum().to_numpy() < max(minimum, 1)
    shades = np.where(few, REST, colour)
    for place in places[number > 0]:
        bar = ax.bar(
            place, height[place], width=0.8, color=shades[place], alpha=1 if named[place] else 0.35
        )
        bar[0].set_gid(verdicts[place])
    if daily:
        days = [str(name)[:3] for name in table["weekday"].cat.categories]
        read_as(ax.xaxis, lambda place: days[round(place)])
        ax.set_xticks(places, days)
    else:
        read_as(ax.xaxis, lambda place: f"{round(place):02d}:00")
        ax.set_xticks(np.arange(0, 24, 3), [f"{hour:02d}:00" for hour in range(0, 24, 3)])
        ax.set_xlim(-0.6, 23.6)
    (rate_axis if rated else count_axis)(ax.yaxis)
    side_label(ax, unit)
    ax.margins(y=0.1)
    remove_clutter(ax, grid="y")


def _bar_groups(table: pd.DataFrame) -> Any:
    daily = (table["level"] == "weekday").any()
    return table.groupby("weekday" if daily else "hour", observed=False)


def _heights(table: pd.DataFrame) -> NDArray[np.float64]:
    heights = _bar_groups(table)["shrunk"].max().to_numpy(dtype="float64", na_value=np.nan)
    return np.asarray(heights, dtype=np.float64)


def _number_bars(ax: Axes, table: pd.DataFrame) -> None:
    """Write the number of posts above each bar."""
    number, height = _bar_groups(table)["n"].sum().to_numpy(), _heights(table)
    size = column_size(ax, len(number), len(str(number.max())), most=9)
    for place in np.flatnonzero(number):
        ax.annotate(
            f"{number[place]}", (place, height[place]), xytext=(0, 2), va="bottom", ha="center",
            textcoords="offset points", fontsize=size, color=ink(ax),
        )  # fmt: skip


def _unit(counts: pd.DataFrame, by: str, numerator: str, denominator: str) -> str:
    """Return the label of the colour bar."""
    if str(by) != RATE:
        return f"{known_type(counts, by)} of a typical post, shrunk"
    numerator, denominator = (known_type(counts, name) for name in (numerator, denominator))
    return f"{numerator} over {denominator}, shrunk towards the overall rate"


def _grid(column: pd.Series) -> NDArray[np.float64]:
    """Return an array with one row per hour and one column per weekday."""
    return column.to_numpy(dtype="float64", na_value=np.nan).reshape(7, 24).T


def _cells(  # noqa: PLR0913 - one plot
    ax: Axes,
    table: pd.DataFrame,
    minimum: int,
    unit: str,
    mesh_kw: dict[str, Any],
    *,
    rated: bool,
) -> None:
    """Draw the cells: coloured, grey if there are few posts, empty if there are none.

    Without evidence for a better time, the colours are pale, so that no cell stands out.
    """
    from matplotlib.colors import (  # noqa: PLC0415 - heavy
        LinearSegmentedColormap,
        ListedColormap,
    )
    from matplotlib.ticker import MaxNLocator, PercentFormatter  # noqa: PLC0415

    number, rate = _grid(table["n"]), _grid(table["shrunk"])
    enough = (number >= max(minimum, 1)) & ~np.isnan(rate)
    edges = np.arange(8), np.arange(25)
    ax.hlines(range(0, 25, 3), 0, 7, color=REST, alpha=0.4, linewidth=0.6, zorder=0)
    ax.vlines(range(8), 0, 24, color=REST, alpha=0.4, linewidth=0.6, zorder=0)
    few = np.ma.masked_where((number == 0) | enough, np.ones_like(rate))
    grey = ListedColormap([REST])
    ax.pcolormesh(*edges, few, cmap=grey, alpha=0.35, edgecolor="face", linewidth=0, gid="few")
    letters = max(2, len(str(int(number.max()))))
    size = min(row_size(ax, 24, most=9), column_size(ax, 7, letters, most=9))
    lit = np.zeros((*rate.shape, 4))
    if enough.any():
        shown = np.ma.masked_where(~enough, rate)
        middle = float(np.nanmean(rate[enough]))
        ends = {
            "vmin": min(float(shown.min()), middle * (1 - FLAT)),
            "vmax": max(float(shown.max()), middle * (1 + FLAT)),
        }
        found = table["level"].notna().any()
        pale = PALE[_background(ax)]
        cmap = COLOURS if found else LinearSegmentedColormap.from_list("pale", pale)
        mesh = ax.pcolormesh(*edges, shown, **{"cmap": cmap, "gid": "rate", **ends, **mesh_kw})
        lit = np.asarray(mesh.to_rgba(shown))
        bar = ax.figure.colorbar(mesh, ax=ax, pad=0.02, aspect=30)
        solids: Any = bar.solids
        solids.set_edgecolor("face")  # SVG would have seams in which the page is seen
        bar.ax.yaxis.set_major_locator(MaxNLocator(nbins=5))
        if rated:
            bar.ax.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
            read_as(bar.ax.yaxis, percent)
        else:
            count_labels(bar.ax.yaxis)
        bar.ax.tick_params(labelsize=8)
        bar.set_label(upright(ax, unit, size=8), fontsize=8, parse_math=False)
    for hour, day in zip(*np.nonzero(number), strict=True):
        bright = float(lit[hour, day, :3] @ (0.299, 0.587, 0.114)) > _MIDDLE
        ax.text(
            day + _MIDDLE, hour + _MIDDLE, f"{int(number[hour, day])}",
            ha="center", va="center", fontsize=size,
            color=("black" if bright else "white") if enough[hour, day] else ink(ax),
        )  # fmt: skip


def _background(ax: Axes) -> str:
    """Return the background of a plot, as far as the colour of its text shows it."""
    from matplotlib.colors import to_rgb  # noqa: PLC0415 - heavy

    if ink(ax) == PLACEHOLDER:
        return "that of the page"
    return "white" if sum(to_rgb(ink(ax))) < _HALF_GREY else "black"


def _frames(ax: Axes, table: pd.DataFrame) -> None:
    """Draw a frame around the hours that are significantly better."""
    from matplotlib.patches import Rectangle  # noqa: PLC0415 - heavy

    for name, width in (("better", 1.2), ("best", 3.0)):
        for row in np.flatnonzero((table["verdict"] == name).to_numpy()):
            day, hour = divmod(int(row), 24)
            frame = Rectangle(
                (day, hour), 1, 1, fill=False, edgecolor="#D55E00", linewidth=width, gid=name,
                clip_on=False, zorder=3,
            )  # fmt: skip
            ax.add_patch(frame)
