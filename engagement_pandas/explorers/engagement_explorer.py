"""Explorer of counts by post, type and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import ipywidgets
import pandas as pd

from engagement_pandas import plots
from engagement_pandas.errors import FrameError
from engagement_pandas.explorers.controls import (
    INDENT,
    button,
    control,
    line,
    offer,
    side_by_side,
    zones,
)
from engagement_pandas.explorers.counts_explorer_base import (
    CountsExplorer,
    View,
    names_of_posts,
    view_of_nothing,
)
from engagement_pandas.explorers.html_tables import (
    LISTED,
    Column,
    snippet,
    table,
)
from engagement_pandas.explorers.indexed_counts import IndexedCounts
from engagement_pandas.explorers.post_chooser import PostChooser
from engagement_pandas.explorers.selection import (
    AGES,
    DRAWINGS,
    EXPOSURE,
    FIRST,
    NEEDS,
    Selection,
)
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.html_cells import link, number, percentage, text
from engagement_pandas.metrics import top_posts
from engagement_pandas.metrics.checks import filter_types
from engagement_pandas.metrics.top_posts import RATE
from engagement_pandas.text import pluralize

CLOCKS: Final = {
    "time": "dates",
    "age": "the age of each post",
    "total": "totals only",
}
MEASURES: Final = {
    "counts": "counts",
    "cumulative": "cumulative counts",
    "rate": "rate, per impression",
}
LINES: Final = {"post_id": "post", "engagement_type": "engagement type"}
EVERY: Final = {"h": "hour", "D": "day"}
PERIODS: Final = {"24 hours": 24, "7 days": 168, "28 days": 672, "All days": None}
"""Hours up to the last count, by the button that selects their days."""


class EngagementExplorer(CountsExplorer):
    """Explore counts without code: select posts, types, time and measure.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts of any grouping, as returned by :func:`~engagement_pandas.flatten`.
    posts : DataFrame, optional
        Frame with ``post_id`` and optionally ``text`` and ``handle``; names the posts.

    Attributes
    ----------
    selection : DataFrame
        The selected counts: tidy, with a new ``RangeIndex``.
    code : str
        Python code that selects them from ``counts`` and makes the same chart.
    controls : mapping of str to Widget
        ``posts``, ``types``, ``clock``, ``measure``, ``lines``, ``every``, ``tz``, ``first``,
        ``last`` and ``until``; their ``value`` can be read and set.
    periods : Widget
        The buttons for the last 24 hours, 7 days, 28 days, and for all days.

    Raises
    ------
    FrameError
        If ``counts`` are not tidy counts, or ``posts`` is not a frame of posts.

    Notes
    -----
    At first, it answers which posts took off: their cumulative counts by age, with the
    percentiles of all posts.

    Combinations that cannot be drawn are not offered: by age, there is always one line per
    post, and days in another time zone than UTC need hourly counts. With one line per post,
    one engagement type can be selected. Rates are ratios of sums.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"123": {"impressions": {"2026-03-01": {"07": "5"}}}}}
    >>> explorer = EngagementExplorer(ep.flatten_json(body))
    >>> explorer
    EngagementExplorer(1 of 1 post, 1 of 1 engagement type, 1 count)
    >>> explorer.selection["count"].to_list()
    [5]
    >>> explorer.close()
    """

    def __init__(self, counts: pd.DataFrame, posts: pd.DataFrame | None = None) -> None:
        counts = as_counts(counts)
        source = IndexedCounts.of(counts, posts)
        columns = set(counts.columns)
        self._drawings = [
            key
            for key in DRAWINGS
            if all(NEEDS.get(part, frozenset()) <= columns for part in key)
            and (key[1] != "rate" or {EXPOSURE} < set(source.types))
        ]
        others = [name for name in source.types if name != EXPOSURE]
        self._rated = "engagements" if "engagements" in others else next(iter(others), "")
        days = source.days("UTC")
        hourly = "hour" in columns
        every = EVERY if hourly else {"D": "day (counts are by day)"}
        places = zones() if hourly else ("UTC",)
        chooser = PostChooser(source, names_of_posts(source, posts))
        controls: dict[str, ipywidgets.Widget] = {
            "posts": chooser,
            "types": control(
                ipywidgets.SelectMultiple,
                "Types",
                options=source.types,
                value=source.types[:1],
                rows=min(max(len(source.types), 3), 5),
            ),
            "clock": control(
                ipywidgets.Dropdown,
                "Along",
                options=self._offered(0, CLOCKS),
                value="age" if FIRST[0] in self._drawings else self._drawings[0][0],
            ),
            "measure": control(ipywidgets.Dropdown, "Show"),
            "lines": control(ipywidgets.Dropdown, "One line per"),
            "first": control(ipywidgets.DatePicker, "From", value=days and days[0]),
            "last": control(ipywidgets.DatePicker, "To", value=days and days[1]),
            "every": control(
                ipywidgets.Dropdown, "Per", options=[(word, key) for key, word in every.items()]
            ),
            "tz": control(ipywidgets.Dropdown, "Time zone", options=places, value="UTC"),
            "until": control(
                ipywidgets.Dropdown,
                "Up to age",
                options=[(words, hours) for hours, words in AGES.items()],
                value=168.0,
            ),
        }
        self._best = ""
        self.periods = line(*map(self._period, PERIODS), indent=INDENT)
        # In a row of their own, so that From and To are next to each other in two columns or three.
        self._days = side_by_side(controls["first"], controls["last"])
        self._days.layout.grid_area = "auto / 1 / auto / -1"
        self._fit(controls)
        if FIRST[0] in self._drawings:
            controls["measure"].value = "cumulative"
            self._fit(controls)
        if not len(source.posts):
            chooser.layout.display = "none"
        controls["types"].layout.grid_area = "span 3"
        before = [controls[name] for name in ("types", "clock", "measure", "lines", "every", "tz")]
        above = [chooser, side_by_side(*before, self._days, self.periods, controls["until"])]
        super().__init__(source, posts, controls, above, height=4.4)
        self.redraw()

    @property
    def headline(self) -> str:
        """The post with the highest value; empty if no posts are selected."""
        return self._best

    @property
    def choice(self) -> Selection:
        """The state of the controls."""
        values = {name: control.value for name, control in self.controls.items()}
        values["types"] = tuple(t for t in self.source.types if t in values["types"])
        if values["measure"] == "rate" and values["types"] == (EXPOSURE,):
            values["types"] = (EXPOSURE, self._rated)
        return Selection(**values)

    @property
    def selection(self) -> pd.DataFrame:
        """The selected counts; for a rate, with the impressions."""
        return self.choice.rows(self.source)

    def _period(self, words: str) -> ipywidgets.Button:
        """Return a button that selects the last days."""
        last = PERIODS[words]
        tooltip = "Select all days" if last is None else f"Select the days of the last {words}"
        pressed = button(words, tooltip)

        def select(_: Any) -> None:
            days = self.source.days(self.controls["tz"].value, last)
            if days:
                with self.paused():
                    self.controls["first"].value, self.controls["last"].value = days
                self.redraw()

        pressed.on_click(self.guarded(select))
        return pressed

    def _offered(self, place: int, words: Mapping[str, str], *before: str) -> list[tuple[str, str]]:
        """Return the options of one control, given the choices in the controls before it."""
        fit = dict.fromkeys(key[place] for key in self._drawings if key[:place] == before)
        return [(words[name], name) for name in fit]

    def _fit(self, controls: Mapping[str, Any]) -> None:
        """Update the options to suit the choices, and hide irrelevant controls."""
        clock = controls["clock"].value
        offer(controls["measure"], self._offered(1, MEASURES, clock))
        measure = controls["measure"].value
        lines = self._offered(2, LINES, clock, measure)
        offer(controls["lines"], lines)
        shown = {
            "every": clock != "total" and (clock, measure) != ("age", "cumulative"),
            "tz": clock != "age",
            "first": clock != "age",
            "last": clock != "age",
            "until": clock == "age",
        }
        dated = self._drawings[0][0] != "total"
        for name, relevant in shown.items():
            controls[name].layout.display = None if relevant and dated else "none"
        self.periods.layout.display = controls["first"].layout.display
        self._days.layout.display = controls["first"].layout.display or "grid"
        types = controls["types"]
        if controls["lines"].value == "post_id" and len(types.value) > 1:
            types.value = types.value[:1]

    def _culprit(self, error: Exception) -> ipywidgets.Widget | None:
        # The only mistake that can be made is a period that ends before it begins.
        return self.controls["last"] if isinstance(error, FrameError) else None

    def _changed(self, change: Any) -> None:
        with self.paused():
            types = self.controls["types"]
            if change.owner is types and self.controls["lines"].value == "post_id":
                # The type selected last replaces the one before.
                types.value = [name for name in change.new if name not in change.old] or change.new
            self._fit(self.controls)
            if change.owner is self.controls["tz"]:
                self._move(change.old, change.new)
        self.redraw()

    def _move(self, old: str, new: str) -> None:
        """If all days are selected, select all days of the new time zone."""
        before, after = self.source.days(old), self.source.days(new)
        first, last = self.controls["first"], self.controls["last"]
        if before and after and (first.value, last.value) == before:
            first.value, last.value = after

    def _view(self) -> View:
        choice, source = self.choice, self.source
        self._best = ""
        if not len(source.counts):
            return view_of_nothing("There are no counts: the frame is empty")
        if len(source.posts) and not choice.posts:
            return view_of_nothing("No post is selected")
        if not choice.types:
            return view_of_nothing("No engagement type is selected")
        rows = choice.rows(source)
        present = set(rows["engagement_type"].cat.categories)
        status = ", ".join(
            [
                *(
                    [f"{len(choice.posts):,} of {pluralize(len(source.posts), 'post')}"]
                    * bool(choice.posts)
                ),
                f"{len(choice.types)} of {pluralize(len(source.types), 'engagement type')}",
                pluralize(len(rows), "count"),
            ]
        )
        needed = {EXPOSURE} if choice.measure == "rate" else set()
        choice = replace(choice, types=tuple(name for name in choice.types if name in present))
        if not needed < present:
            return view_of_nothing(f"There are no such counts for these posts{choice.when}")
        plot = getattr(plots, choice.drawing.plot)
        keywords = choice.keywords()
        if choice.lines == "post_id":
            keywords["posts"] = self.posts
        if choice.cohort(source):
            keywords["cohort"] = source.counts
        return View(
            draw=lambda ax: plot(rows, ax=ax, **keywords),
            status=status,
            table=lambda swatches: self._table(rows, choice, swatches),
            code=choice.code(source, named=self.named),
        )

    def _table(self, rows: pd.DataFrame, choice: Selection, swatches: Mapping[str, str]) -> str:
        """Return the selected posts as an HTML table, best first, with their colours."""
        if not choice.posts:
            return ""
        rated = choice.measure == "rate"
        ranked = _rates(rows, choice) if rated else _sums(rows, choice)
        head = f"{choice.drawn_type} per impression" if rated else choice.drawn_type
        cell = percentage if rated else number
        if len(ranked) and pd.notna(ranked.iloc[0]):
            self._best = (
                f"{'Highest' if rated else 'Most'} {head}: "
                f"{self.names[ranked.index[0]]}, {cell(ranked.iloc[0])}"
            )
        order = [*ranked.index, *(post for post in choice.posts if post not in ranked.index)]
        shown = order[:LISTED]
        texts = self.source.posts.set_index("post_id")["text"]
        frame = pd.DataFrame(
            {
                "swatch": [swatches.get(post, "") for post in shown],
                "name": [self.names[post] for post in shown],
                "text": texts.reindex(shown).array,
                "post_id": shown,
                "value": ranked.reindex(shown).array,
            }
        )
        columns = {
            "swatch": Column("", str),
            "name": Column("post", text, "name"),
            "text": Column("text", snippet, "text"),
            "post_id": Column("ID", link, "line"),
            "value": Column(head, cell, "number"),
        }
        if texts.isna().all():
            del columns["text"]
        unlisted = len(order) - len(shown)
        caption = f"The top {len(shown)} posts" if unlisted else "Selected posts"
        return table(columns, frame, caption + (f" of {len(order):,}" if unlisted else ""))


def _sums(rows: pd.DataFrame, choice: Selection) -> pd.Series:
    """Return the known sums of the posts, by ID, largest first."""
    sums = filter_types(rows, [choice.drawn_type]).groupby("post_id")["count"].sum(min_count=1)
    return sums.dropna().sort_values(ascending=False, kind="stable")


def _rates(rows: pd.DataFrame, choice: Selection) -> pd.Series:
    """Return the rates of the posts, by ID, in the order of :func:`top_posts`."""
    pair = filter_types(rows, [choice.drawn_type, EXPOSURE])
    best = top_posts(pair, by=RATE, n=len(choice.posts), numerator=choice.drawn_type)
    return best.set_index("post_id")["rate"]
