"""Explorer that compares two sets of posts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import ipywidgets
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.explorers import splits
from engagement_pandas.explorers.controls import control, side_by_side, zones
from engagement_pandas.explorers.counts_explorer_base import (
    CountsExplorer,
    View,
    names_of_posts,
    view_of_nothing,
)
from engagement_pandas.explorers.generated_code import IMPORT, call
from engagement_pandas.explorers.html_tables import LISTED, Column, snippet, table
from engagement_pandas.explorers.indexed_counts import IndexedCounts
from engagement_pandas.explorers.post_chooser import PostChooser
from engagement_pandas.explorers.selection import AGES, EXPOSURE, picking
from engagement_pandas.explorers.splits import TwoGroups
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.html_cells import link, text
from engagement_pandas.metrics import compare
from engagement_pandas.metrics.checks import require_columns
from engagement_pandas.metrics.top_posts import RATE
from engagement_pandas.plots import plot_compare
from engagement_pandas.text import pluralize


class Split(NamedTuple):
    """A way of splitting posts into two groups.

    ``words`` is the display name. ``cut`` takes the posts and the controls' values by name.
    ``controls`` names the controls that it uses; the others are hidden.
    """

    words: str
    cut: Callable[[pd.DataFrame, Mapping[str, Any]], TwoGroups]
    controls: tuple[str, ...]


SPLITS: Final[Mapping[str, Split]] = {
    "day": Split(
        "day of posting: before, and from then on",
        lambda posts, at: splits.by_day(posts, at["tz"], at["day"]),
        ("day", "tz"),
    ),
    "hour": Split(
        "hour of posting: inside, and outside",
        lambda posts, at: splits.by_hour(posts, at["tz"], at["begin"], at["end"]),
        ("begin", "end", "tz"),
    ),
    "weekday": Split(
        "weekend, and Monday to Friday",
        lambda posts, at: splits.by_weekday(posts, at["tz"]),
        ("tz",),
    ),
    "words": Split(
        "words in the text: with, and without",
        lambda posts, at: splits.by_words(posts, at["words"]),
        ("words",),
    ),
    "handle": Split(
        "account: one, and all others",
        lambda posts, at: splits.by_handle(posts, at["handle"]),
        ("handle",),
    ),
    "hand": Split(
        "by hand: selected, and all others",
        lambda posts, at: splits.by_hand(posts, at["posts"]),
        ("posts",),
    ),
}
"""All ways of splitting; which of them are offered depends on what is known of the posts."""


class CompareExplorer(CountsExplorer):
    """Split posts into two sets, and compare them at the same age.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id``; an age needs ``day``, preferably hourly counts.
    posts : DataFrame, optional
        Frame with ``post_id`` and optionally ``text`` and ``handle``, to split posts by.

    Attributes
    ----------
    a, b : DataFrame
        The counts of the two sets: tidy, with a new ``RangeIndex``.
    selection : DataFrame
        The counts of both sets.
    answer : DataFrame
        The result of :func:`~engagement_pandas.compare`.
    headline : str
        The sentence above the chart: what was found.
    code : str
        Python code that makes the same chart from ``counts``.
    controls : mapping of str to Widget
        ``split``; ``day``, ``begin``, ``end``, ``tz``, ``words``, ``handle`` and ``posts`` for
        the ways of splitting; ``by``, ``numerator`` and ``at``.

    Raises
    ------
    FrameError
        If they are not tidy counts of posts.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> bodies = {str((1 << 60) + n): {"impressions": "900", "engagements": "9"} for n in range(4)}
    >>> explorer = CompareExplorer(ep.flatten_json({"g": bodies}))
    >>> explorer.controls["split"].value = "hand"
    >>> explorer.controls["posts"].value = (str(1 << 60),)
    >>> explorer
    CompareExplorer(the selected posts: 1 post; the others: 3 posts)
    >>> explorer.close()
    """

    def __init__(self, counts: pd.DataFrame, posts: pd.DataFrame | None = None) -> None:
        counts = as_counts(counts)
        require_columns(counts, "post_id")
        source = IndexedCounts.of(counts, posts)
        named = source.posts
        rated = [name for name in source.types if name != EXPOSURE]
        handles = sorted(named["handle"].dropna().unique())
        created = named["created_at"].dropna()
        available = {
            "day": len(created) > 0,
            "hour": len(created) > 0,
            "weekday": len(created) > 0,
            "words": bool(named["text"].notna().any()),
            "handle": len(handles) > 1,
            "hand": True,
        }
        hours = [(f"{hour:02d}:00", hour) for hour in range(24)]
        ages = [(words, at) for at, words in AGES.items()] if "day" in counts.columns else []
        by = [("engagement rate", RATE)] if rated and EXPOSURE in source.types else []
        dropdown = ipywidgets.Dropdown
        controls: dict[str, ipywidgets.Widget] = {
            "split": control(
                dropdown,
                "Split by",
                options=[(SPLITS[key].words, key) for key in available if available[key]],
            ),
            "day": control(
                ipywidgets.DatePicker,
                "Day",
                value=splits.middle_day(_comparable(created, counts)),
            ),
            "begin": control(dropdown, "From hour", options=hours, value=9),
            "end": control(dropdown, "To hour", options=hours, value=17),
            "tz": control(dropdown, "Time zone", options=zones(), value="UTC"),
            "words": control(ipywidgets.Text, "Words", placeholder="in the text of a post"),
            "handle": control(dropdown, "Account", options=handles),
            "posts": PostChooser(source, names_of_posts(source, posts)),
            "by": control(dropdown, "Compare", options=[*by, *((t, t) for t in source.types)]),
            "numerator": control(
                dropdown,
                "Rate of",
                options=rated,
                value="engagements" if "engagements" in rated else next(iter(rated), None),
            ),
            "at": control(
                dropdown,
                "At the age of",
                options=[*ages, ("all counts", None)],
                value=24.0 if ages else None,
            ),
        }
        controls["posts"].value = controls["posts"].value[: len(named) // 2]
        self._fit(controls)
        split, *others = controls.values()
        above = [split, side_by_side(*others)]
        super().__init__(source, posts, controls, above, height=3.2)
        self.redraw()

    @property
    def a(self) -> pd.DataFrame:
        """The counts of the first set."""
        return self._picked(self._cut()[0])

    @property
    def b(self) -> pd.DataFrame:
        """The counts of the second set."""
        return self._picked(self._cut()[1])

    @property
    def selection(self) -> pd.DataFrame:
        """The counts of both sets."""
        return self._picked([*self._cut()[0], *self._cut()[1]])

    @property
    def answer(self) -> pd.DataFrame:
        """One row, as :func:`~engagement_pandas.compare` returns it."""
        return compare(self.a, self.b, **self._keywords())

    def _values(self) -> dict[str, Any]:
        return {name: control.value for name, control in self.controls.items()}

    def _cut(self) -> tuple[list[str], list[str], tuple[str, str]]:
        """Return the posts of both sets, and the names of the sets."""
        posts, values = self.source.posts, self._values()
        groups = SPLITS[values["split"]].cut(posts, values)
        sides = groups.first & groups.known, ~groups.first & groups.known
        first, second = (posts["post_id"][side].tolist() for side in sides)
        return first, second, groups.names

    def _types(self) -> tuple[str, ...]:
        by = self.controls["by"].value
        return (EXPOSURE, self.controls["numerator"].value) if by == RATE else (by,)

    def _picked(self, posts: list[str]) -> pd.DataFrame:
        return self.source.picked(posts, self._types())

    def _keywords(self) -> dict[str, Any]:
        values = self._values()
        rated = {"numerator": values["numerator"]} if values["by"] == RATE else {}
        return {"by": values["by"], "at": values["at"], **rated}

    def _fit(self, controls: Mapping[str, ipywidgets.Widget]) -> None:
        """Show the controls that the chosen split uses, and hide the others."""
        used = SPLITS[controls["split"].value].controls
        for name in {name for split in SPLITS.values() for name in split.controls}:
            controls[name].layout.display = None if name in used else "none"
        controls["numerator"].layout.display = None if controls["by"].value == RATE else "none"

    def _changed(self, change: Any) -> None:
        self._fit(self.controls)
        super()._changed(change)

    def _view(self) -> View:
        source = self.source
        if not len(source.counts):
            return view_of_nothing("There are no counts: the frame is empty")
        try:
            first, second, called = self._cut()
        except FrameError as incomplete:
            used = SPLITS[self.controls["split"].value].controls
            return view_of_nothing(str(incomplete), self.controls[used[0]])
        for side, name in zip((first, second), called, strict=True):
            if not side:
                return view_of_nothing(f"There are no posts in the set: {name}")
        a, b, keywords = self._picked(first), self._picked(second), self._keywords()
        for rows, name in zip((a, b), called, strict=True):
            if not set(self._types()) <= set(rows["engagement_type"].cat.categories):
                return view_of_nothing(f"There are no such counts in the set: {name}")
        left = len(source.posts) - len(first) - len(second)
        status = "; ".join(
            f"{name}: {pluralize(len(side), 'post')}"
            for side, name in zip((first, second), called, strict=True)
        )
        return View(
            draw=lambda ax: plot_compare(a, b, names=called, ax=ax, **keywords),
            status=status + (f"; {pluralize(left, 'post')} in neither set" if left else ""),
            table=lambda _: self._table(first, second, called),
            code="\n".join(
                [
                    IMPORT,
                    "",
                    *picking(source, first, self._types(), name="a"),
                    *picking(source, second, self._types(), name="b"),
                    f"ax = {call('plot_compare', {**keywords, 'names': called}, {}, 'a', 'b')}",
                    "",
                ]
            ),
        )

    def _table(self, first: list[str], second: list[str], called: tuple[str, str]) -> str:
        ids = [*first, *second]
        frame = pd.DataFrame(
            {"post_id": ids, "set": [called[0]] * len(first) + [called[1]] * len(second)}
        )
        shown = frame.merge(self.source.posts[["post_id", "text"]], how="left", on="post_id")
        shown["name"] = [self.names[post] for post in ids]
        columns = {
            "set": Column("set", text, "set"),
            "name": Column("post", text, "name"),
            "text": Column("text", snippet, "text"),
            "post_id": Column("ID", link, "line"),
        }
        if shown["text"].isna().all():
            del columns["text"]
        caption = f"The first {LISTED} of {len(ids):,} posts" if len(ids) > LISTED else "Both sets"
        return table(columns, shown.head(LISTED), caption)


def _comparable(created: pd.Series, counts: pd.DataFrame) -> pd.Series:
    """Return the creation times of posts whose counts begin with them, or of all if none do."""
    if "day" not in counts.columns:
        return created
    begun = created[created >= counts["day"].min().tz_localize("UTC")]
    return begun if len(begun) else created
