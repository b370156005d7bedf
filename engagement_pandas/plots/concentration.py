"""Plot of the share of the counts that the top posts have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from engagement_pandas.metrics import concentration
from engagement_pandas.metrics.concentration import TOP
from engagement_pandas.plots.axes import (
    annotate_empty,
    axes_for,
    name_rows,
    percent,
    rate_axis,
    remove_clutter,
    room,
    wrapped,
)
from engagement_pandas.plots.bars import hatch_missing, label_bars, ticks_within
from engagement_pandas.plots.colours import draw_type_bars
from engagement_pandas.plots.post_names import noted_names
from engagement_pandas.text import pluralize

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW: Final = 0.6


def plot_concentration(
    counts: pd.DataFrame, *, top: float = TOP, ax: Axes | None = None, **bar_kw: Any
) -> Axes:
    """Draw the share of each engagement type's counts that the top posts have.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id``.
    top : float
        Share of the posts that is called the top, between 0 and 1.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.
    **bar_kw
        Passed to ``Axes.barh``.

    Returns
    -------
    matplotlib.axes.Axes
        One bar per type, labelled with the median and the mean count per post; hatched if
        counts are missing.

    Raises
    ------
    FrameError
        For the same reasons as :func:`concentration`.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {str(n): {"favorites": "1"} for n in range(9)}
    ...                                | {"9": {"favorites": "91"}}})
    >>> plot_concentration(counts).texts[0].get_text()
    '91 %; median 1, mean 10'
    """
    table = concentration(counts, top=top)
    known = table[table["top_share"].notna()]
    ax = axes_for(ax, height=max(2.0, 1.2 + _ROW * len(known)))
    if not len(known):
        return annotate_empty(ax)
    type_names = [str(name) for name in known["engagement_type"]]
    share = known["top_share"].to_numpy(dtype="float64")
    bars = draw_type_bars(ax, type_names, share.tolist(), bar_kw)
    note = hatch_missing(bars, known["missing"])
    remove_clutter(ax, grid="x")
    numbers = [pluralize(int(number), "post") for number in known["posts"]]
    name_rows(ax, noted_names(type_names, numbers, room(ax)))
    rate_axis(ax.xaxis)
    values = zip(share, known["median"], known["mean"], strict=True)
    labels = [f"{percent(of)}; median {_per_post(m)}, mean {_per_post(n)}" for of, m, n in values]
    label_bars(ax, share.tolist(), labels)
    ticks_within(ax, 0, 1)
    least = ", at least one," if (top * known["posts"] < 1).any() else ""
    words = f"share of the counts that the top {percent(top)} of the posts{least} have{note}"
    ax.set_xlabel(wrapped(ax, words), parse_math=False)
    return ax


def _per_post(number: float) -> str:
    """Format a count per post; 1 count of 3 posts is not 0 per post.

    >>> _per_post(1 / 3), _per_post(1.0), _per_post(1234.5)
    ('0.33', '1', '1,234')
    """
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"  # noqa: PLR2004 - two digits
