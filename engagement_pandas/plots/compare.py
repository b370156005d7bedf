"""Plot of two sets of posts, with the confidence interval of their difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.metrics import compare
from engagement_pandas.metrics.checks import known_type
from engagement_pandas.metrics.compare import AT, DRAWS
from engagement_pandas.metrics.intervals import CONFIDENCE
from engagement_pandas.metrics.top_posts import RATE
from engagement_pandas.plots.axes import (
    annotate_empty,
    axes_for,
    count_axis,
    heading,
    name_rows,
    percent,
    rate_axis,
    remove_clutter,
    room,
    wrapped,
)
from engagement_pandas.plots.labels import drawable, shortened
from engagement_pandas.plots.style import COLOURS, ink
from engagement_pandas.text import pluralize

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIDES: Final = 2


def plot_compare(  # noqa: PLR0913 - the metric's own, by keyword
    a: pd.DataFrame,
    b: pd.DataFrame,
    *,
    by: str = RATE,
    at: float | None = AT,
    numerator: str = "engagements",
    denominator: str = "impressions",
    confidence: float = CONFIDENCE,
    draws: int = DRAWS,
    seed: int = 0,
    names: tuple[str, str] = ("a", "b"),
    ax: Axes | None = None,
    **bar_kw: Any,
) -> Axes:
    """Draw two sets of posts at the same age, and their difference with its interval.

    Parameters
    ----------
    a, b : DataFrame
        Tidy counts with ``post_id`` and ``day``, preferably hourly; no post in both.
    by, at, numerator, denominator, confidence, draws, seed
        See :func:`compare`: a rate or a type, at an age in hours.
    names : pair of str
        Display names of the two sets.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.
    **bar_kw
        Passed to ``Axes.barh``.

    Returns
    -------
    matplotlib.axes.Axes
        Bars of both sets and, below them, the difference, on one scale. The title states
        whether the difference is significant, or that there were too few posts to test it.

    Raises
    ------
    FrameError
        For the same reasons as :func:`compare`; if ``names`` are not two strings.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> def posts(first, rate):
    ...     bodies = {str(first + n): {"impressions": "1000", "engagements": str(rate + n)}
    ...               for n in range(6)}
    ...     return ep.flatten_json({"g": bodies})
    >>> ax = plot_compare(posts(100, 50), posts(200, 20), at=None, names=("new", "old"))
    >>> ax.get_title(loc="left")
    'new minus old: +3 percentage points (2... to 3...), beyond chance'
    """
    if isinstance(names, str) or len(names) != _SIDES or not all(isinstance(n, str) for n in names):
        msg = f"names is {names!r}; give two texts, one for each set of posts"
        raise FrameError(msg)
    result = compare(
        a, b, by=by, at=at, numerator=numerator, denominator=denominator,
        confidence=confidence, draws=draws, seed=seed,
    ).iloc[0]  # fmt: skip
    rated = str(by) == RATE
    numerator, denominator = (known_type(a, name) for name in (numerator, denominator))
    ax = axes_for(ax, height=3)
    ax.set_xlabel(wrapped(ax, _unit(result, numerator, denominator)), parse_math=False)
    values = [float(result[side]) if pd.notna(result[side]) else np.nan for side in "ab"]
    if np.isnan(values).all():
        return annotate_empty(ax)
    called = [
        shortened(drawable(name), room(ax)) or side for name, side in zip(names, "ab", strict=True)
    ]
    ink_ = ink(ax)
    style: dict[str, Any] = {"color": [COLOURS[0], COLOURS[1]], "height": 0.6}
    bars = ax.barh([0, 1], np.nan_to_num(values), **style | bar_kw)
    for bar, side in zip(bars, "ab", strict=True):
        bar.set_gid(side)
    reach = [[0.0], [0.0]]
    sure = pd.notna(result["low"])
    if sure:
        middle = float(result["difference"])
        reach = [[middle - float(result["low"])], [float(result["high"]) - middle]]
    if pd.notna(result["difference"]):
        dot = ax.errorbar(
            [float(result["difference"])], [2], xerr=reach if sure else None, fmt="o",
            color=ink_, capsize=4, elinewidth=1.8, markersize=6,
        )  # fmt: skip
        dot.lines[0].set_gid("difference")
    ax.axvline(0, color=ink_, linewidth=1)
    remove_clutter(ax, grid="x")
    rows = [
        f"{name}\n{pluralize(int(result[f'n_{side}']), 'post')}"
        for name, side in zip(called, "ab", strict=True)
    ]
    name_rows(ax, [*rows, f"difference\n{percent(confidence)} interval"])
    if rated:
        rate_axis(ax.xaxis)
    else:
        count_axis(ax.xaxis)
    ax.margins(x=0.08)
    heading(ax, margin=125, words=f"{called[0]} minus {called[1]}: {_finding(result, rated=rated)}")
    return ax


def _unit(result: pd.Series, numerator: str, denominator: str) -> str:
    """Return the label of the x axis: quantity, age, and number of posts left out."""
    what = f"{numerator} over {denominator}" if result["by"] == RATE else f"{result['by']} per post"
    at = "" if pd.isna(result["at"]) else f", {float(result['at']):g} hours after posting"
    left = [int(result[f"left_out_{side}"]) for side in "ab"]
    out = f"\nleft out: {left[0]} and {left[1]} posts, too young or with gaps"
    return what + at + (out if any(left) else "")


def _finding(result: pd.Series, *, rated: bool) -> str:
    """Return the difference in words; percentages differ by percentage points."""

    def shown(name: str) -> str:
        number = float(f"{float(result[name]) * (100 if rated else 1):.2g}")
        return f"{number:,g}".replace("-", "\N{MINUS SIGN}")

    if pd.isna(result["difference"]):
        return "nothing to compare"
    sign = "+" if result["difference"] > 0 else ""
    size = f"{sign}{shown('difference')}{' percentage points' if rated else ''}"
    if pd.isna(result["low"]):
        return f"{size}, not enough posts for an interval"
    verdict = "beyond chance" if result["differs"] else "not beyond chance"
    return f"{size} ({shown('low')} to {shown('high')}), {verdict}"
