"""Names of the columns of a file of posts, by what they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from engagement_pandas.errors import InvalidPostId
from engagement_pandas.text import format_list

ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "post_id": (
        *("postid", "tweetid", "statusid", "idstr", "postids", "tweetids", "ポストid"),
        *("ツイートid", "идентификаторпоста", "iddotweet", "identifiantdutweet"),
        *("postlink", "posturl", "tweetlink", "tweeturl", "tweetpermalink", "permalink"),
        *("id", "ids", "link", "links", "url"),
    ),
    "handle": ("handle", "username", "screenname", "authorusername", "userscreenname"),
    "text": ("text", "fulltext", "posttext", "tweettext"),
    "created_at": ("createdat", "postedat"),
    "kind": ("kind",),
}
"""Column names of each role, without blanks, hyphens and underscores; in order of preference."""

ANY_ID: Final = frozenset({"id", "ids"})
"""Column names, as by :func:`key`, under which there may be IDs of anything."""


def key(name: object) -> str:
    """Return a key that is the same for all spellings of a column name.

    >>> key("Post ID"), key("tweet-id")
    ('postid', 'tweetid')
    """
    return re.sub(r"[\W_]+", "", str(name).casefold())


@lru_cache
def roles_of(names: Sequence[str]) -> Mapping[str, int]:
    """Return the column index of each role.

    >>> roles_of(("text", "Post ID", "id"))
    {'post_id': 1, 'text': 0}
    """
    keys = [key(name) for name in names]
    roles = {}
    for role, spellings in ROLES.items():
        spelling = next((spelling for spelling in spellings if spelling in keys), "")
        if spelling and keys.count(spelling) > 1:
            twice = format_list(name for name in names if key(name) == spelling)
            msg = f"two columns have the same name, {twice}; rename or drop one"
            raise InvalidPostId(msg)
        if spelling:
            roles[role] = keys.index(spelling)
    return roles
