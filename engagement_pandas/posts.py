"""What identifies a post: its ID, and the time inside it."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from engagement_pandas.errors import InvalidPostId
from engagement_pandas.vocabulary import FIRST_SNOWFLAKE, MAX_ID_DIGITS, SNOWFLAKE_EPOCH
from engagement_pandas.wording import listed

_ID: Final = re.compile(rf"[0-9]{{1,{MAX_ID_DIGITS}}}")
_FLOATLIKE: Final = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?|nan|<NA>|none|null", re.IGNORECASE)
_COMMENT: Final = re.compile(r"[\s\u200b\ufeff]*#")
_BETWEEN: Final = re.compile(r"[\s,;\u200b\ufeff]+")
_AROUND: Final = "[](){}<>\"'`\u2018\u2019\u201c\u201d"
_LINK: Final = re.compile(
    r"(?:https?://)?(?:[a-z0-9-]+\.)?(?:x|twitter)\.com/(?:i/web/|\w+/)?status(?:es)?/"
    r"([0-9]+)(?:[/?#].*)?",
    re.IGNORECASE | re.ASCII,
)
_THOUSANDS: Final = re.compile(
    r"(?<![\w,])[0-9]{1,3}([, \u00a0\u2009\u202f])[0-9]{3}(?:\1[0-9]{3}){3,}(?![\w,])"
)
_SHOWN: Final = 80


def unique_ids(posts: Any) -> tuple[str, ...]:
    """Return the IDs of some posts as strings, in their order, each once.

    Parameters
    ----------
    posts : iterable of str or int, Series, or frame with a ``post_id`` column
        Exact integers are accepted; floats are not, since they have lost digits. Integers
        that once were floats cannot be told apart: true IDs end in as many zero bits.

    Raises
    ------
    InvalidPostId
        Naming the value and the cure.

    Examples
    --------
    >>> unique_ids(["1060976163948904448", 1060976163948904448, 7])
    ('1060976163948904448', '7')
    """
    if (
        isinstance(posts, tuple)
        and posts
        and all(type(p) is str and _ID.fullmatch(p) for p in posts)
    ):
        return tuple(dict.fromkeys(posts))
    if hasattr(posts, "columns"):
        if "post_id" not in list(posts.columns):
            msg = (
                f"the frame has no post_id column, only {listed(posts.columns)}; "
                "rename the one with the IDs"
            )
            raise InvalidPostId(msg)
        posts = posts["post_id"]
    if isinstance(posts, str | bytes | Mapping) or not isinstance(posts, Iterable):
        msg = f"post_ids is the single {type(posts).__name__} {posts!r}; give a list of IDs"
        raise InvalidPostId(msg)
    try:
        every = iter(posts)
    except TypeError as error:
        msg = f"post_ids is the single {type(posts).__name__} {posts!r}; give a list of IDs"
        raise InvalidPostId(msg) from error
    ids = tuple(dict.fromkeys(as_id(post) for post in every))
    if not ids:
        msg = "post_ids is empty; name at least one post"
        raise InvalidPostId(msg)
    return ids


def as_id(post: Any) -> str:
    """Return the ID of a post as a string.

    Raises
    ------
    InvalidPostId
        Naming the value and the cure.

    Examples
    --------
    >>> as_id(1060976163948904448)
    '1060976163948904448'
    """
    if isinstance(post, str) and _ID.fullmatch(post):
        return str(post)
    if isinstance(post, bool):
        msg = f"{post!r} is not a post ID; give 1 to {MAX_ID_DIGITS} digits as text"
        raise InvalidPostId(msg)
    if isinstance(post, float) or (
        isinstance(post, str) and not post.isdigit() and _FLOATLIKE.fullmatch(post)
    ):
        msg = (
            f"post ID {post!r} has been a float or is missing, and its last digits are lost; "
            "read the IDs again as text (dtype={'post_id': str})"
        )
        raise InvalidPostId(msg)
    if not isinstance(post, str):
        try:
            number = operator.index(post)
        except TypeError:
            pass
        else:
            if 0 <= number < 10**MAX_ID_DIGITS:
                return str(number)
    msg = f"{post!r} is not a post ID; give 1 to {MAX_ID_DIGITS} digits as text"
    raise InvalidPostId(msg)


def created_at(post_id: str) -> datetime | None:
    """When a post was made, read from its ID.

    Parameters
    ----------
    post_id : str
        1 to 19 digits.

    Returns
    -------
    datetime or None
        UTC, to the millisecond; None for IDs from before 2010-11-04, which hold no time.

    Raises
    ------
    InvalidPostId
        Where it is not the ID of a post.

    Examples
    --------
    >>> created_at("1060976163948904448").isoformat()
    '2018-11-09T19:23:24.126000+00:00'
    >>> created_at("123456789") is None
    True
    """
    number = int(as_id(post_id))
    if number < FIRST_SNOWFLAKE:
        return None
    return SNOWFLAKE_EPOCH + timedelta(milliseconds=number >> 22)


def first_id(moment: datetime) -> int:
    """Return the least ID that a post can have which was made at that moment or later.

    Parameters
    ----------
    moment : datetime
        Aware, 2010-11-04 or later.

    Examples
    --------
    >>> from datetime import UTC
    >>> created_at(str(first_id(datetime(2026, 3, 1, tzinfo=UTC)))).isoformat()
    '2026-03-01T00:00:00+00:00'
    """
    return -((SNOWFLAKE_EPOCH - moment) // timedelta(milliseconds=1)) << 22


def pasted_ids(text: str) -> list[str]:
    """Return the post IDs in a text that was copied from somewhere.

    Parameters
    ----------
    text : str
        IDs, or links to posts, with white space, commas or semicolons between them and
        quotes or brackets around: a list of Python or JSON, a column of a spreadsheet with
        or without the heading ``post_id``. Lines that begin with ``#`` are left out.

    Returns
    -------
    list of str
        In the order of the text, for :func:`unique_ids` to judge: what is a float or
        missing is among them.

    Raises
    ------
    InvalidPostId
        Naming the first piece that is none of these; also where a number has its
        thousands set apart, and would be read as many short IDs.

    Examples
    --------
    >>> pasted_ids("['1060976163948904448', 7]; https://x.com/i/web/status/8?s=20")
    ['1060976163948904448', '7', '8']
    """
    lines = [line for line in text.splitlines() if not _COMMENT.match(line)]
    for line in lines:
        if number := _THOUSANDS.search(line):
            msg = (
                f"{number[0]!r} looks like one number with its thousands set apart; "
                "copy the IDs as text"
            )
            raise InvalidPostId(msg)
    pieces = [piece for line in lines for piece in _BETWEEN.split(line) if piece.strip(_AROUND)]
    if pieces and pieces[0].strip(_AROUND) == "post_id":
        del pieces[0]
    return [_pasted_id(piece) for piece in pieces]


def _pasted_id(piece: str) -> str:
    bare = piece.strip(_AROUND)
    if link := _LINK.fullmatch(bare):
        return link[1]
    if _FLOATLIKE.fullmatch(bare):
        return bare
    shown = piece if len(piece) <= _SHOWN else piece[:_SHOWN] + "\u2026"
    msg = (
        f"{shown!r} is neither a post ID nor a link to a post; paste 1 to {MAX_ID_DIGITS} digits "
        "each, or links such as https://x.com/i/web/status/1060976163948904448"
    )
    raise InvalidPostId(msg)
