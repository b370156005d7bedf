"""Pictures of tidy counts: a frame in, matplotlib Axes out.

Nothing is shown or saved here, and no setting of matplotlib is changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame import check_counts, timestamps

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS: Final = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#E69F00",
    "#000000",
)
"""Okabe and Ito's palette (2008), told apart by the colour-blind, without its yellow."""

REST: Final = "#8C8C8C"
"""The colour of everything that has no line of its own."""

MARKED: Final = 31
"""Up to so many points a line shows its points."""

_UNITS: Final = {True: ("hour", pd.Timedelta("1h")), False: ("day", pd.Timedelta("1D"))}


def plot_over_time(
    counts: pd.DataFrame,
    *,
    by: str = "engagement_type",
    ax: Axes | None = None,
    **line_kw: Any,
) -> Axes:
    """Draw counts over time, a line for each engagement type or each post.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``day``, and perhaps ``hour``.
    by : {"engagement_type", "post_id"}
        What has a line of its own; counts are summed over the rest. Posts need counts of
        a single type. Beyond seven, the smallest are drawn as one grey line.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    **line_kw
        For ``Axes.plot``.

    Returns
    -------
    matplotlib.axes.Axes
        *Counts per hour* or *per day, UTC*. Hours without a count are gaps, not zeros.

    Raises
    ------
    FrameError
        Where counts have no ``day``, or no column ``by``, or posts are compared on
        several types.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"impressions": {"2026-03-01": "5", "2026-03-02": "7"}}}
    >>> ax = plot_over_time(ep.flatten_json(body))
    >>> ax.get_ylabel(), ax.lines[0].get_ydata().tolist()
    ('impressions per day', [5.0, 7.0])
    """
    check_counts(counts)
    if by not in ("engagement_type", "post_id") or by not in counts:
        msg = f"by is {by!r}; counts with the columns {list(counts.columns)} have no such lines"
        raise FrameError(msg)
    types = [str(name) for name in counts["engagement_type"].unique()]
    if by == "post_id" and len(types) > 1:
        msg = f"posts are compared on one engagement type, not {types}; choose one"
        raise FrameError(msg)
    unit, step = _UNITS["hour" in counts]
    lines = _lines(counts, timestamps(counts), by, step)
    if ax is None:
        import matplotlib.pyplot as plt  # noqa: PLC0415 - heavy, and only pictures need it

        _, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
    what = types[0] if len(types) == 1 else "counts"
    ax.set_ylabel(f"{what} per {unit}", parse_math=False)
    ax.set_xlabel("time (UTC)")
    if lines.notna().any(axis=None):
        _draw(lines, ax, step, line_kw)
    else:
        ax.set_axis_off()
        ax.text(0.5, 0.5, "no counts to show", ha="center", va="center", transform=ax.transAxes)
    return ax


def _lines(counts: pd.DataFrame, moments: pd.Series, by: str, step: pd.Timedelta) -> pd.DataFrame:
    """Return one column a line and one row a bucket, regular, with gaps as NaN."""
    keys = [moments, counts[by].astype("str")]
    sums = counts["count"].groupby(keys).sum(min_count=1).astype("Float64").unstack()  # noqa: PD010
    wide = sums.astype("float64")
    if len(wide):
        wide = wide.reindex(pd.date_range(wide.index[0], wide.index[-1], freq=step))
    size = wide.sum().sort_values(ascending=False, kind="stable").index
    if len(size) > len(COLOURS):
        shown, rest = size[: len(COLOURS)], size[len(COLOURS) :]
        wide = wide[shown].assign(**{f"{len(rest)} others": wide[rest].sum(axis=1, min_count=1)})
    elif by == "post_id":
        wide = wide[size]
    else:
        wide = wide[[str(t) for t in counts["engagement_type"].cat.categories if str(t) in wide]]
    return wide


def _draw(lines: pd.DataFrame, ax: Axes, step: pd.Timedelta, line_kw: dict[str, Any]) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, DayLocator  # noqa: PLC0415
    from matplotlib.ticker import EngFormatter, MaxNLocator  # noqa: PLC0415

    # matplotlib leaves a label that begins with "_" out of the legend.
    handles = []
    for place, name in enumerate(lines):
        own = place < len(COLOURS)
        style: dict[str, Any] = {
            "color": COLOURS[place] if own else REST,
            "marker": "o" if len(lines) <= MARKED else None,
            "markersize": 4,
            "linewidth": 1.6,
            "gid": str(name),
        }
        handles += ax.plot(lines.index, lines[name].to_numpy(), **style | line_kw)
    span = lines.index[-1] - lines.index[0]
    pad = max(span * 0.02, step)
    ax.set_xlim(lines.index[0] - pad, lines.index[-1] + pad)
    locator = (
        DayLocator()
        if pd.Timedelta("1D") <= span <= pd.Timedelta("8D")
        else AutoDateLocator(minticks=3, maxticks=8)
    )
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    if np.nanmin(lines.to_numpy()) >= 0:
        ax.set_ylim(bottom=0)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(EngFormatter(sep=""))
    ax.grid(visible=True, axis="y", alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    if len(handles) > 1:
        legend = ax.legend(handles, [str(name) for name in lines], frameon=False, loc="best")
        for text in legend.get_texts():
            text.set_parse_math(False)
