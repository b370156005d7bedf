"""The kind of a post in JSON: post, reply, quote or repost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engagement_pandas.errors import InvalidPostId
from engagement_pandas.request.post_ids import parse_post_id

_REFERENCES: Final = {"retweeted": "repost", "replied_to": "reply", "quoted": "quote"}
"""Kinds by the types in ``referenced_tweets``; a reply that quotes is a reply."""

REFERENCE_COLUMNS: Final = {
    f"referenced_tweets.{name}.id": kind for name, kind in _REFERENCES.items()
}
"""Kinds by the columns of twarc's CSV that have a value, in order of preference."""

_REPLIED: Final = ("in_reply_to_status_id_str", "in_reply_to_status_id", "in_reply_to_user_id")
_QUOTED: Final = ("quoted_status_id_str", "quoted_status_id", "quoted_status")


KINDS: Final = frozenset({"post", "reply", "quote", "repost"})


def known_kind(value: object) -> str | None:
    """Return a kind that a file states; None if it is another word.

    >>> known_kind("Reply"), known_kind("photo"), known_kind({"a": 1})
    ('reply', None, None)
    """
    word = value.strip().casefold() if isinstance(value, str) else ""
    return word if word in KINDS else None


def kind_of(post: Mapping[str, Any], otherwise: str | None = None) -> str | None:
    """Return the kind of a post; ``otherwise`` if nothing in it shows one.

    API v2 leaves out the references of a post that has none, also where they were not requested:
    ``otherwise`` is ``"post"`` if they were. API v1.1 and archives state the kind of every post.

    >>> kind_of({"id": "7", "referenced_tweets": [{"type": "quoted", "id": "6"}]})
    'quote'
    >>> kind_of({"id_str": "7", "full_text": "Hello"}), kind_of({"id": "7", "text": "Hello"})
    ('post', None)
    """
    links = post.get("referenced_tweets")
    if isinstance(links, list):
        types = [link.get("type") for link in links if isinstance(link, dict)]
        return next((kind for name, kind in _REFERENCES.items() if name in types), "post")
    text = str(post.get("full_text") or post.get("text") or "")
    unstated = "id_str" in post or otherwise is None  # a post of v2 may quote by hand: "RT @…"
    if post.get("retweeted_status") or (unstated and text.startswith("RT @")):
        return "repost"
    if "id_str" in post:
        if any(post.get(name) for name in _REPLIED):
            return "reply"
        return "quote" if _is_quote(post) else "post"
    if otherwise is not None:
        return otherwise
    return "reply" if post.get("in_reply_to_user_id") or text.startswith("@") else None


def _is_quote(post: Mapping[str, Any]) -> bool:
    """Return whether a post of API v1.1 quotes; in archives, its last link is to a post."""
    if "is_quote_status" in post:
        return post["is_quote_status"] in (True, "true")
    if any(post.get(name) for name in _QUOTED):
        return True
    entities = post.get("entities")
    links = entities.get("urls") if isinstance(entities, dict) else None
    last = links[-1] if isinstance(links, list) and links else None
    target = last.get("expanded_url") if isinstance(last, dict) else None
    try:
        return isinstance(target, str) and "/" in target and bool(parse_post_id(target))
    except InvalidPostId:
        return False
