"""Explorer of the best times to post."""

from __future__ import annotations

from typing import Any, Final

import ipywidgets
import pandas as pd

from engagement_pandas.explorers.controls import control, side_by_side, zones
from engagement_pandas.explorers.counts_explorer_base import (
    CountsExplorer,
    View,
    names_of_posts,
    view_of_nothing,
)
from engagement_pandas.explorers.generated_code import IMPORT, call
from engagement_pandas.explorers.html_tables import Column, table
from engagement_pandas.explorers.indexed_counts import IndexedCounts
from engagement_pandas.explorers.post_chooser import PostChooser
from engagement_pandas.explorers.selection import EXPOSURE, picking
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.html_cells import number, percentage, text
from engagement_pandas.metrics import best_times
from engagement_pandas.metrics.best_times import MINIMUM, best_named
from engagement_pandas.metrics.checks import require_columns
from engagement_pandas.plots import plot_best_times
from engagement_pandas.text import pluralize

CLOCKS: Final = {
    "posting": "the hour of posting",
    "engagement": "the hour of response",
}

SHOWN: Final = 10
"""Number of hours of the week in the table."""

_CAUTIOUS: Final = "the fewer posts, the closer to the average of all hours"
"""What a cautious rate is."""


class BestTimesExplorer(CountsExplorer):
    """Explore whether some hours of the week have better engagement rates.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id``, of impressions and another type; hourly for the hour
        of response.
    posts : DataFrame, optional
        Frame with ``post_id`` and optionally ``text`` and ``handle``; names the posts.

    Attributes
    ----------
    selection : DataFrame
        The selected counts: tidy, with a new ``RangeIndex``.
    answer : DataFrame
        The result of :func:`~engagement_pandas.best_times` for them.
    headline : str
        The sentence above the chart: the best hour, or that there is not enough evidence.
    code : str
        Python code that makes the same chart from ``counts``.
    controls : mapping of str to Widget
        ``posts``, ``clock``, ``tz``, ``numerator`` and ``minimum``.

    Raises
    ------
    FrameError
        If they are not tidy counts of posts.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"2027900000000000000": {"impressions": "900", "engagements": "9"}}}
    >>> explorer = BestTimesExplorer(ep.flatten_json(body))
    >>> explorer
    BestTimesExplorer(1 of 1 post; no hour stands out)
    >>> explorer.answer["n"].sum()
    np.int64(1)
    >>> explorer.close()
    """

    def __init__(self, counts: pd.DataFrame, posts: pd.DataFrame | None = None) -> None:
        counts = as_counts(counts)
        require_columns(counts, "post_id")
        source = IndexedCounts.of(counts, posts)
        chooser = PostChooser(source, names_of_posts(source, posts))
        clocks = [(word, key) for key, word in CLOCKS.items()]
        rated = [name for name in source.types if name != EXPOSURE]
        controls: dict[str, ipywidgets.Widget] = {
            "posts": chooser,
            "clock": control(
                ipywidgets.Dropdown,
                "By",
                options=clocks if {"day", "hour"} <= set(counts.columns) else clocks[:1],
            ),
            "tz": control(ipywidgets.Dropdown, "Time zone", options=zones(), value="UTC"),
            "numerator": control(
                ipywidgets.Dropdown,
                "Rate of",
                options=rated,
                value="engagements" if "engagements" in rated else next(iter(rated), None),
            ),
            "minimum": control(
                ipywidgets.BoundedIntText, "Minimum posts", value=MINIMUM, min=1, max=1000
            ),
        }
        others = [controls[name] for name in list(controls)[1:]]
        above = [chooser, side_by_side(*others)]
        super().__init__(source, posts, controls, above, height=5.4)
        self.redraw()

    @property
    def selection(self) -> pd.DataFrame:
        """The counts of the selected posts, of both types of the rate."""
        return self.source.picked(self.controls["posts"].value, self._types())

    @property
    def answer(self) -> pd.DataFrame:
        """The 168 hours of the week, as :func:`~engagement_pandas.best_times` returns them."""
        return best_times(self.selection, **self._keywords())

    def _types(self) -> tuple[str, ...]:
        return (EXPOSURE, self.controls["numerator"].value)

    def _keywords(self) -> dict[str, Any]:
        return {name: self.controls[name].value for name in ("clock", "tz", "numerator", "minimum")}

    def _view(self) -> View:
        source, chosen = self.source, self.controls["posts"].value
        if not len(source.counts):
            return view_of_nothing("There are no counts: the frame is empty")
        if not set(self._types()) <= set(source.types):
            return view_of_nothing(
                "A rate needs counts of impressions and of another engagement type"
            )
        if not chosen:
            return view_of_nothing("No post is selected")
        rows, keywords = self.selection, self._keywords()
        if not set(self._types()) <= set(rows["engagement_type"].cat.categories):
            return view_of_nothing("These posts have no counts of one of the rate's types")
        times = best_times(rows, **keywords)
        stands_out = (times["verdict"] == "best").any()
        found = f"best: {best_named(times)}" if stands_out else "no hour stands out"
        return View(
            draw=lambda ax: plot_best_times(rows, ax=ax, **keywords),
            status=(f"{len(chosen):,} of {pluralize(len(source.posts), 'post')}; {found}"),
            table=lambda _: _table(times),
            code="\n".join(
                [
                    IMPORT,
                    "",
                    *picking(source, chosen, self._types()),
                    f"ax = {call('plot_best_times', keywords, {})}",
                    "",
                ]
            ),
        )


def _table(times: pd.DataFrame) -> str:
    """Return the hours with the best rates as an HTML table, with their verdicts."""
    known = times[times["shrunk"].notna()]
    # Equal to the reader's eye is equal; the rates decide then.
    order = known.assign(seen=known["shrunk"].round(4)).sort_values(
        ["seen", "rate"], ascending=False, kind="stable"
    )
    best = order.head(SHOWN)
    stands_out = times["verdict"].isin(["best", "better"]).any()
    columns = {
        "weekday": Column("weekday", text),
        "hour": Column("hour", lambda hour: f"{hour:02d}:00", "line"),
        "n": Column("posts", number, "number"),
        "rate": Column("rate", percentage, "number"),
        "shrunk": Column("cautious rate", percentage, "number"),
        "verdict": Column("verdict", text),
    }
    caption = f"The {len(best)} hours with the best cautious rates: {_CAUTIOUS}"
    return table(columns, best, caption if stands_out else f"No hour stands out. {caption}")
