"""A list of posts to select from, with filters if there are many posts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import ipywidgets
import traitlets

from engagement_pandas.explorers.controls import INDENT, button, control, line, side_by_side
from engagement_pandas.explorers.indexed_counts import IndexedCounts
from engagement_pandas.metrics import top_posts

MANY: Final = 10
"""From so many posts on, a text filter and "top n by" are shown."""

ALL: Final = 50
"""With more posts than this, only the best are selected initially."""

TOP: Final = 25
"""Number of posts that are then selected."""

NEWEST: Final = "newest"
"""A ranking that needs no counts."""


class PostChooser(ipywidgets.VBox):
    """A widget that selects posts.

    All listed posts are selected until the user selects among them. The filters narrow the list,
    and with it the selection.

    ``value`` has the selected IDs, in the order of the list. Only posts with ``words`` in their
    text, handle or ID are listed, sorted by ``ranking``, an engagement type or ``"newest"``;
    ``top`` is the maximum number of listed posts. ``names`` has the display name of each post.
    """

    value = traitlets.Tuple()

    def __init__(self, rows: IndexedCounts, names: Mapping[str, str]) -> None:
        ids = rows.posts["post_id"].tolist()
        most = len(ids) > ALL
        self._names = names
        self._rows: IndexedCounts | None = rows
        self._rankings: dict[str, list[str]] = {}
        self._searched = {
            post: " ".join(part for part in parts if isinstance(part, str)).casefold()
            for post, *parts in rows.posts[["post_id", "post_id", "handle", "text"]].itertuples(
                index=False
            )
        }
        self.words = control(ipywidgets.Text, "Posts with", placeholder="words, handle or ID")
        self.ranking = control(
            ipywidgets.Dropdown,
            "Top by",
            options=[*rows.types, NEWEST],
            value=rows.types[0] if most and rows.types else NEWEST,
        )
        self.top = control(
            ipywidgets.BoundedIntText,
            "Top",
            value=min(TOP, len(ids)) if most else max(len(ids), 1),
            min=1,
            max=max(len(ids), 1),
        )
        self.listed = control(ipywidgets.SelectMultiple, "Posts", rows=min(max(len(ids), 3), 6))
        all_ = button("All", "Select all posts in the list")
        none = button("None", "Select no posts")
        all_.on_click(lambda _: self._choose(self._listed_ids()))
        none.on_click(lambda _: self._choose(()))
        narrowing = side_by_side(self.words, self.ranking, self.top)
        narrowing.layout.display = "grid" if len(ids) >= MANY else "none"
        super().__init__([narrowing, self.listed, line(all_, none, indent=INDENT)])
        self.observe(self._show, "value")
        for narrows in (self.words, self.ranking, self.top):
            narrows.observe(self._narrow, "value")
        self.listed.observe(self._take, "value")
        self._narrow()

    def matching(self) -> list[str]:
        """Return all posts that match the words, best first."""
        words = self.words.value.casefold().split()
        return [
            post
            for post in self._ranked(self.ranking.value)
            if all(word in self._searched[post] for word in words)
        ]

    def close(self) -> None:
        """Close the widget and release the counts; repeated calls do nothing."""
        self._rows = None
        super().close()

    def _ranked(self, by: str) -> list[str]:
        if by not in self._rankings and self._rows is not None:
            self._rankings[by] = _ranked(self._rows, by)
        return self._rankings.get(by, [])

    @traitlets.validate("value")
    def _listed_only(self, proposal: Any) -> tuple[str, ...]:
        chosen, listed = set(proposal["value"]), self._listed_ids()
        for post in chosen.difference(listed):
            msg = f"post {post!r} is not in the list; select a listed post, or list more"
            raise traitlets.TraitError(msg)
        return tuple(post for post in listed if post in chosen)

    def _show(self, _: Any) -> None:
        if tuple(self.listed.value) != self.value:
            self.listed.value = self.value

    def _narrow(self, _: Any = None) -> None:
        listed = self.matching()[: self.top.value]
        if listed != self._listed_ids():
            self.listed.unobserve(self._take, "value")
            self.listed.value = ()
            self.listed.options = [(f"{self._names[post]} · {post}", post) for post in listed]
            self.listed.observe(self._take, "value")
        self._choose(listed)

    def _listed_ids(self) -> list[str]:
        return [post for _, post in self.listed.options]

    def _choose(self, posts: Any) -> None:
        self.listed.value = tuple(posts)
        self._take()

    def _take(self, _: Any = None) -> None:
        self.value = tuple(self.listed.value)


def _ranked(rows: IndexedCounts, by: str) -> list[str]:
    """Return all posts, best first; posts without such a count come last."""
    newest = rows.posts["post_id"].tolist()[::-1]
    if by == NEWEST or not newest:
        return newest
    best = top_posts(rows.counts, by=by, n=len(newest))["post_id"].tolist()
    known = set(best)
    return [*best, *(post for post in newest if post not in known)]
