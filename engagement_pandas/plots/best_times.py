"""The week hour by hour: when to post, or when people respond, and whether it matters."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.metrics import best_times
from engagement_pandas.metrics.best_times import DRAWS, MINIMUM, SURE
from engagement_pandas.metrics.checks import known_type
from engagement_pandas.metrics.time_zones import zone_of
from engagement_pandas.plots.axes import (
    annotate_empty,
    axes_for,
    column_size,
    heading,
    row_size,
    wrapped,
)
from engagement_pandas.plots.style import REST, ink

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS: Final = "viridis"
"""Told apart by the colour-blind, and nowhere grey, which is for hours with few posts."""

FLAT: Final = 0.1
"""Rates within a tenth of the overall one look much the same, as they are."""

_MIDDLE: Final = 0.5


def plot_best_times(  # noqa: PLR0913 - the metric's own, by keyword
    counts: pd.DataFrame,
    *,
    tz: str | tzinfo = "UTC",
    clock: str = "posting",
    numerator: str = "engagements",
    denominator: str = "impressions",
    minimum: int = MINIMUM,
    confidence: float = SURE,
    draws: int = DRAWS,
    seed: int = 0,
    ax: Axes | None = None,
    **mesh_kw: Any,
) -> Axes:
    """Draw the engagement rate by weekday and hour, and say whether an hour is better.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id``; for the engagement clock by hour.
    tz : str or tzinfo
        Whose weekdays and hours.
    clock : {"posting", "engagement"}
        By the hour in which posts were made, or in which people responded.
    numerator, denominator : str
        Engagement types of the rate.
    minimum : int
        Hours with fewer posts are grey.
    confidence, draws, seed
        Of the test, see :func:`best_times`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default. The figure gets a colour bar too.
    **mesh_kw
        For ``Axes.pcolormesh``.

    Returns
    -------
    matplotlib.axes.Axes
        A column a weekday and a row an hour, local time. The colour is the rate drawn
        towards the overall one, the number in a cell that of its posts. Hours that are
        better beyond chance have a frame, the best a thick one; the title names it, or
        says that there is not enough evidence for any.

    Raises
    ------
    FrameError
        As :func:`best_times` does.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"2027900000000000000": {"impressions": "900", "engagements": "9"}}}
    >>> ax = plot_best_times(ep.flatten_json(body), tz="Europe/Berlin")
    >>> ax.get_title(loc="left")
    'Best hour of posting: not enough evidence, from 1 post'
    >>> ax.get_ylabel(), [text.get_text() for text in ax.texts]
    ('hour of posting (Europe/Berlin)', ['1'])
    """
    table = best_times(
        counts, tz=tz, clock=clock, numerator=numerator, denominator=denominator,
        minimum=minimum, confidence=confidence, draws=draws, seed=seed,
    )  # fmt: skip
    zone = zone_of(tz)
    ax = axes_for(ax, height=6)
    ax.set_ylabel(f"hour of {clock} ({zone})")
    ax.set_xlabel(wrapped(ax, f"weekday; in the cells, posts; grey: fewer than {minimum}"))
    if not table["n"].any():
        return annotate_empty(ax)
    numerator, denominator = (known_type(counts, name) for name in (numerator, denominator))
    unit = f"{numerator} over {denominator}, drawn towards the overall rate"
    _colour(ax, table, minimum, unit, mesh_kw)
    _frames(ax, table)
    days = [str(name)[:3] for name in table["weekday"].cat.categories]
    size = row_size(ax, 24, most=9)
    ax.set_xticks(np.arange(7) + _MIDDLE, days)
    ax.set_yticks(np.arange(0, 25, 3), [f"{hour:02d}:00" for hour in range(0, 25, 3)])
    ax.tick_params(length=0, labelsize=max(size, 7))
    ax.set_ylim(24, 0)
    ax.spines[:].set_visible(False)
    # By posting hour each post is in one cell; by engagement hour it is in many.
    posts = int(table["n"].sum() if clock == "posting" else counts["post_id"].nunique())
    words = f"Best hour of {clock}: {_finding(table)}, from {posts:,} post"
    heading(ax, words + "s" * (posts != 1))
    return ax


def _grid(column: pd.Series) -> NDArray[np.float64]:
    """Return a row an hour and a column a weekday."""
    return column.to_numpy(dtype="float64", na_value=np.nan).reshape(7, 24).T


def _colour(
    ax: Axes, table: pd.DataFrame, minimum: int, unit: str, mesh_kw: dict[str, Any]
) -> None:
    """Draw the cells: coloured, grey where there are few posts, open where there are none."""
    from matplotlib.colors import ListedColormap  # noqa: PLC0415 - heavy
    from matplotlib.ticker import MaxNLocator, PercentFormatter  # noqa: PLC0415 - heavy

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
        mesh = ax.pcolormesh(*edges, shown, **{"cmap": COLOURS, "gid": "rate", **ends, **mesh_kw})
        lit = np.asarray(mesh.to_rgba(shown))
        bar = ax.figure.colorbar(mesh, ax=ax, pad=0.02, aspect=30)
        bar.ax.yaxis.set_major_locator(MaxNLocator(nbins=5))
        bar.ax.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
        bar.ax.tick_params(labelsize=8)
        bar.set_label(unit, fontsize=8, parse_math=False)
    for hour, day in zip(*np.nonzero(number), strict=True):
        bright = float(lit[hour, day, :3] @ (0.299, 0.587, 0.114)) > _MIDDLE
        ax.text(
            day + _MIDDLE, hour + _MIDDLE, f"{int(number[hour, day])}",
            ha="center", va="center", fontsize=size,
            color=("black" if bright else "white") if enough[hour, day] else ink(ax),
        )  # fmt: skip


def _frames(ax: Axes, table: pd.DataFrame) -> None:
    """Draw a frame around the hours that are better beyond chance."""
    from matplotlib.patches import Rectangle  # noqa: PLC0415 - heavy

    for name, width in (("better", 1.2), ("best", 3.0)):
        for row in np.flatnonzero((table["verdict"] == name).to_numpy()):
            day, hour = divmod(int(row), 24)
            frame = Rectangle(
                (day, hour), 1, 1, fill=False, edgecolor="#D55E00", linewidth=width, gid=name,
                clip_on=False, zorder=3,
            )  # fmt: skip
            ax.add_patch(frame)


def _finding(table: pd.DataFrame) -> str:
    best = table[table["verdict"] == "best"]
    if not len(best):
        return "not enough evidence"
    hour = int(best["hour"].iloc[0])
    return f"{best['weekday'].iloc[0]} {hour:02d}:00 to {hour + 1:02d}:00"
