"""The state of an explorer of counts: selected rows, their plot, and the code for both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.explorers.generated_code import IMPORT, call, list_of, literal
from engagement_pandas.explorers.indexed_counts import IndexedCounts

EXPOSURE: Final = "impressions"
"""The denominator of rates."""

AGES: Final[Mapping[float, str]] = {
    6.0: "6 hours",
    24.0: "24 hours",
    72.0: "3 days",
    168.0: "7 days",
    336.0: "14 days",
    672.0: "28 days",
}
"""Maximum ages to draw, in hours, and their labels."""


class Drawing(NamedTuple):
    """The plot for a combination of choices.

    ``plot`` is a function in :mod:`~engagement_pandas.plots`, and ``keywords`` are its keyword
    arguments that come from the selection.
    """

    plot: str
    keywords: tuple[str, ...]


_TIME: Final = ("by", "every", "tz")
_AGE: Final = ("every", "until")
DRAWINGS: Final[Mapping[tuple[str, str, str], Drawing]] = {
    ("time", "counts", "post_id"): Drawing("plot_over_time", ("engagement_type", *_TIME)),
    ("time", "counts", "engagement_type"): Drawing("plot_over_time", _TIME),
    ("time", "cumulative", "post_id"): Drawing("plot_running_total", ("engagement_type", *_TIME)),
    ("time", "cumulative", "engagement_type"): Drawing("plot_running_total", _TIME),
    ("time", "rate", "post_id"): Drawing("plot_rate_over_time", ("numerator", *_TIME)),
    ("time", "rate", "engagement_type"): Drawing("plot_rate_over_time", _TIME),
    ("age", "counts", "post_id"): Drawing("plot_by_age", ("engagement_type", *_AGE)),
    ("age", "cumulative", "post_id"): Drawing("plot_cumulative", ("engagement_type", "until")),
    ("age", "rate", "post_id"): Drawing("plot_rate_by_age", ("numerator", *_AGE)),
    ("total", "counts", "post_id"): Drawing("plot_top_posts", ("ranked",)),
    ("total", "counts", "engagement_type"): Drawing("plot_by_type", ()),
    ("total", "rate", "post_id"): Drawing("plot_top_posts", ("ranked", "numerator")),
}
"""Plots by clock, measure and lines; other combinations cannot be selected."""

NEEDS: Final[Mapping[str, frozenset[str]]] = {
    "time": frozenset({"day"}),
    "age": frozenset({"day", "post_id"}),
    "total": frozenset(),
    "post_id": frozenset({"post_id"}),
}
"""Columns of the counts that a choice requires."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Selected rows, and the way to plot them.

    ``posts`` are in the order of the counts, and ``types`` in the order of the vocabulary.

    ``clock`` is the x axis: ``"time"`` (dates), ``"age"`` (hours since each post was made) or
    ``"total"`` (none). ``measure`` is ``"counts"``, ``"cumulative"`` or ``"rate"``. ``lines``,
    ``"post_id"`` or ``"engagement_type"``, is the column with one line per value.

    ``every`` is ``"h"`` or ``"D"``, and ``tz`` the time zone of the days and hours. ``first`` and
    ``last`` are local days, both inclusive; they are ignored for ages, which have no common dates.
    ``until`` is the maximum age, in hours.
    """

    posts: tuple[str, ...]
    types: tuple[str, ...]
    clock: str = "time"
    measure: str = "counts"
    lines: str = "post_id"
    every: str = "h"
    tz: str = "UTC"
    first: date | None = None
    last: date | None = None
    until: float = 168.0

    @property
    def drawing(self) -> Drawing:
        """The plot of this selection, from :data:`DRAWINGS`."""
        return DRAWINGS[self.clock, self.measure, self.lines]

    @property
    def drawn_type(self) -> str:
        """The type to draw with one line per post: the first suitable one."""
        if self.measure != "rate":
            return self.types[0]
        return next(name for name in self.types if name != EXPOSURE)

    @property
    def counted(self) -> tuple[str, ...]:
        """The types whose counts are needed; a rate also needs impressions."""
        if self.measure != "rate" or not self.types:
            return self.types
        return (EXPOSURE, *(name for name in self.types if name != EXPOSURE))

    @property
    def when(self) -> str:
        """The selected days in words, or an empty string if they are not limited."""
        if self.clock == "age" or self.first is None or self.last is None:
            return ""
        return f" from {self.first} to {self.last}"

    def cohort(self, source: IndexedCounts) -> bool:
        """Return whether the plot compares the selected posts with all posts."""
        some = len(self.posts) < len(source.posts)
        return some and self.drawing.plot == "plot_cumulative"

    def rows(self, source: IndexedCounts) -> pd.DataFrame:
        """Return the selected counts."""
        dated = self.clock != "age"
        if dated and self.first and self.last and self.first > self.last:
            msg = f"From ({self.first}) is after To ({self.last}); swap them"
            raise FrameError(msg)
        return source.picked(
            self.posts,
            self.counted,
            first=self.first if dated else None,
            last=self.last if dated else None,
            tz=self.tz,
        )

    def keywords(self) -> dict[str, Any]:
        """Return the keyword arguments of the plot."""
        values = {
            "by": self.lines,
            "engagement_type": self.drawn_type,
            "numerator": self.drawn_type,
            "ranked": "rate" if self.measure == "rate" else self.drawn_type,
            "every": self.every,
            "tz": self.tz,
            "until": self.until,
        }
        keywords = {name: values[name] for name in self.drawing.keywords}
        if "ranked" in keywords:
            keywords["by"] = keywords.pop("ranked")
        return keywords

    def code(self, source: IndexedCounts, *, named: bool) -> str:
        """Return Python code that selects the same rows and makes the same plot.

        Without ``named``, there is no frame ``posts``, and the code makes one.
        """
        lines = [IMPORT, ""]
        if not named and self.lines == "post_id":
            lines += ['posts = counts[["post_id"]].drop_duplicates()']
        lines += picking(source, self.posts, self.counted, *self._dated(source))
        known = {"posts": "posts"} if self.lines == "post_id" else {}
        known |= {"cohort": "counts"} if self.cohort(source) else {}
        return "\n".join([*lines, f"ax = {call(self.drawing.plot, self.keywords(), known)}", ""])

    def _dated(self, source: IndexedCounts) -> list[str]:
        """Return the condition on days, unless all days are selected."""
        days = source.days(self.tz)
        if self.clock == "age" or days is None:
            return []
        chosen = self.first or days[0], self.last or days[1]
        return [] if chosen == days else [self._days(*chosen)]

    def _days(self, first: date, last: date) -> str:
        if self.tz == "UTC":
            return f'counts["day"].between("{first}", "{last}")'
        local = f'ep.timestamps(counts).dt.tz_convert("{self.tz}").dt.strftime("%Y-%m-%d")'
        return f'{local}.between("{first}", "{last}")'


FIRST: Final = (
    ("age", "cumulative", "post_id"),
    ("time", "counts", "engagement_type"),
    ("total", "counts", "post_id"),
    ("total", "counts", "engagement_type"),
)
"""Drawings to begin with, best first."""


def first_choice(source: IndexedCounts) -> Selection:
    """Return all posts and types, in the drawing to begin with.

    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"123": {"impressions": "5", "favorites": "2"}}})
    >>> first_choice(IndexedCounts.of(counts)).drawing.plot
    'plot_top_posts'
    """
    columns = set(source.counts.columns)
    clock, measure, lines = next(
        key for key in FIRST if all(NEEDS.get(part, frozenset()) <= columns for part in key)
    )
    every = "h" if "hour" in columns else "D"
    return Selection(tuple(source.posts["post_id"]), source.types, clock, measure, lines, every)


def picking(
    source: IndexedCounts,
    posts: Sequence[str],
    types: Sequence[str],
    *conditions: str,
    name: str = "selection",
) -> list[str]:
    """Return lines of Python code that select posts and types from ``counts``.

    >>> import engagement_pandas as ep
    >>> body = {"g": {"123": {"impressions": "5", "favorites": "2"}}}
    >>> picking(IndexedCounts.of(ep.flatten_json(body)), ["123"], ["favorites"])
    ['selection = counts[counts["engagement_type"] == "favorites"]']
    """
    selected = [
        ("post_id", posts, set(source.posts["post_id"])),
        ("engagement_type", types, set(source.types)),
    ]
    parts = [
        _among(column, chosen) for column, chosen, available in selected if set(chosen) != available
    ]
    parts += conditions
    if not parts:
        return [f"{name} = counts"]
    if len(parts) == 1:
        return [f"{name} = counts[{parts[0]}]"]
    first, *rest = (f"({part})" for part in parts)
    return [f"{name} = counts[", f"    {first}", *(f"    & {part}" for part in rest), "]"]


def _among(column: str, values: Sequence[str]) -> str:
    if len(values) == 1:
        return f'counts["{column}"] == {literal(values[0])}'
    return f'counts["{column}"].isin({list_of(values)})'
