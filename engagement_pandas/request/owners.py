"""Owners of posts: the handles of their accounts, as far as they are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from engagement_pandas.errors import RequestError
from engagement_pandas.request.handle import normalize_handle
from engagement_pandas.request.post_ids import parse_post_id
from engagement_pandas.text import pluralize

OWNERS: Final = "owners"
"""Account name of requests that are each signed by the owner of the posts."""

_MISSING: Final = frozenset({"nan", "<NA>", "NaT", "None"})


class PostOwners(Mapping[str, str]):
    """The handle of each post whose account is known, by post ID; immutable.

    Handles are in lower case and without ``@``, since X ignores both.
    """

    __slots__ = ("_known",)

    def __init__(self, pairs: Iterable[tuple[Any, Any]] = ()) -> None:
        self._known: dict[str, str] = {}
        read: dict[str, str | None] = {}  # cache: a million posts have a few handles
        for post, given in pairs:
            if type(given) is not str or given not in read:
                read[str(given)] = _handle(post, given)
            handle = read[str(given)]
            if handle is None:
                continue
            other = self._known.setdefault(parse_post_id(post), handle)
            if other != handle:
                msg = f"post {post} has two owners, @{other} and @{handle}; keep one"
                raise RequestError(msg)

    @classmethod
    def of(cls, posts: Any) -> PostOwners:
        """Read owners from a mapping, or from a frame with ``post_id`` and ``handle``.

        Anything else gives no handles.
        """
        if isinstance(posts, cls):
            return posts
        if isinstance(posts, Mapping):
            return cls(posts.items())
        if {"post_id", "handle"} <= set(getattr(posts, "columns", ())):
            return cls(zip(posts["post_id"], posts["handle"], strict=True))
        return cls()

    def __getitem__(self, post_id: str) -> str:
        return self._known[post_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def __repr__(self) -> str:
        known = len(set(self._known.values()))
        return f"PostOwners({pluralize(known, 'handle')} of {pluralize(len(self), 'post')})"


def _handle(post: Any, given: Any) -> str | None:
    if not isinstance(given, str):
        if str(given) in _MISSING:
            return None
        msg = f"the handle of post {post} is {given!r}; write it as text, such as sandbox_bakery"
        raise RequestError(msg)
    if not given.strip():
        return None
    try:
        return normalize_handle(given)
    except RequestError as error:
        msg = f"post {post}: {error}"
        raise RequestError(msg) from error
