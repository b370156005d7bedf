"""What is chosen in an explorer of counts: rows, a picture of them, and the code for both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.explorers.code import call, list_of, literal
from engagement_pandas.explorers.indexed_counts import IndexedCounts

EXPOSURE: Final = "impressions"
"""What rates are of."""

AGES: Final[Mapping[float, str]] = {
    6.0: "6 hours",
    24.0: "24 hours",
    72.0: "3 days",
    168.0: "7 days",
    336.0: "14 days",
    672.0: "28 days",
}
"""Hours of age up to which a picture can be drawn, and their words."""


class Drawing(NamedTuple):
    """How a choice is drawn.

    Attributes
    ----------
    plot : str
        The function of :mod:`~engagement_pandas.plots`.
    keywords : tuple of str
        Those of its keywords that come from the selection.
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
"""What can be drawn: clock, measure, and what has a line each. Nothing else can be chosen."""

NEEDS: Final[Mapping[str, frozenset[str]]] = {
    "time": frozenset({"day"}),
    "age": frozenset({"day", "post_id"}),
    "total": frozenset(),
    "post_id": frozenset({"post_id"}),
}
"""The columns that a choice needs of the counts."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A choice of rows, and of how to look at them.

    Attributes
    ----------
    posts, types : tuple of str
        In the order of the counts' posts, and of the vocabulary.
    clock : {"time", "age", "total"}
        Along dates, along hours since each post was made, or neither.
    measure : {"counts", "cumulative", "rate"}
    lines : {"post_id", "engagement_type"}
        What has a line each.
    every : {"h", "D"}
    tz : str
        Whose days and hours.
    first, last : date, optional
        Local days, both in; not for ages, whose dates are each post's own.
    until : float
        Hours of age.
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
        """The row of :data:`DRAWINGS` that this is."""
        return DRAWINGS[self.clock, self.measure, self.lines]

    @property
    def single(self) -> bool:
        """Whether one engagement type is drawn, however many are chosen."""
        return self.lines == "post_id"

    @property
    def kind(self) -> str:
        """The one type that is drawn where posts have a line each: the first that fits."""
        if self.measure != "rate":
            return self.types[0]
        return next(name for name in self.types if name != EXPOSURE)

    @property
    def counted(self) -> tuple[str, ...]:
        """The types whose counts are needed: of a rate, both."""
        if self.measure != "rate" or not self.types:
            return self.types
        return (EXPOSURE, *(name for name in self.types if name != EXPOSURE))

    @property
    def when(self) -> str:
        """The days that are chosen, in words; nothing where there is no end to them."""
        if self.clock == "age" or self.first is None or self.last is None:
            return ""
        return f" from {self.first} to {self.last}"

    def rows(self, source: IndexedCounts) -> pd.DataFrame:
        """Return the counts that are chosen."""
        dated = self.clock != "age"
        if dated and self.first and self.last and self.first > self.last:
            msg = f"From, {self.first}, is after To, {self.last}; turn them round"
            raise FrameError(msg)
        return source.picked(
            self.posts,
            self.counted,
            first=self.first if dated else None,
            last=self.last if dated else None,
            tz=self.tz,
        )

    def keywords(self) -> dict[str, Any]:
        """Return what the plot is called with."""
        values = {
            "by": self.lines,
            "engagement_type": self.kind,
            "numerator": self.kind,
            "ranked": "rate" if self.measure == "rate" else self.kind,
            "every": self.every,
            "tz": self.tz,
            "until": self.until,
        }
        given = {name: values[name] for name in self.drawing.keywords}
        if "ranked" in given:
            given["by"] = given.pop("ranked")
        return given

    def code(self, source: IndexedCounts, *, named: bool) -> str:
        """Return the Python that picks the same rows and makes the same picture.

        Parameters
        ----------
        source : IndexedCounts
        named : bool
            Whether there is a frame ``posts``; otherwise the code makes one.
        """
        lines = ["import engagement_pandas as ep", ""]
        if not named and self.lines == "post_id":
            lines += ['posts = counts[["post_id"]].drop_duplicates()']
        lines += picking(source, self.posts, self.counted, *self._dated(source))
        known = {"posts": "posts"} if self.lines == "post_id" else {}
        return "\n".join([*lines, f"ax = {call(self.drawing.plot, self.keywords(), known)}", ""])

    def _dated(self, source: IndexedCounts) -> list[str]:
        """Return the condition on days, where they are not all chosen."""
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


def picking(
    source: IndexedCounts,
    posts: Sequence[str],
    types: Sequence[str],
    *conditions: str,
    name: str = "selection",
) -> list[str]:
    """Return the lines of Python that pick some posts and types from ``counts``.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"123": {"impressions": "5", "favorites": "2"}}}
    >>> picking(IndexedCounts.of(ep.flatten_json(body)), ["123"], ["favorites"])
    ['selection = counts[counts["engagement_type"] == "favorites"]']
    """
    among = [
        ("post_id", posts, set(source.posts["post_id"])),
        ("engagement_type", types, set(source.types)),
    ]
    parts = [_among(column, chosen) for column, chosen, every in among if set(chosen) != every]
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
