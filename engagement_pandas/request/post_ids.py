"""Post IDs, and the creation time inside them."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from engagement_pandas.errors import InvalidPostId
from engagement_pandas.text import FLOAT_BITS, format_list, truncated_repr
from engagement_pandas.vocabulary.limits import MAX_ID_DIGITS

SNOWFLAKE_EPOCH: Final = datetime(2010, 11, 4, 1, 42, 54, 657_000, tzinfo=UTC)
"""``1288834974657`` ms since 1970: the zero point of the time in a post ID."""

FIRST_SNOWFLAKE: Final = 29_700_859_247
"""Lower IDs were assigned sequentially and hold no time ("TweetedAt", ws-dl.blogspot.com)."""

_ID: Final = re.compile(rf"[0-9]{{1,{MAX_ID_DIGITS}}}")
_IDS: Final = re.compile(rf"{_ID.pattern}(?:,{_ID.pattern})*")
_FLOATLIKE: Final = re.compile(
    r"[+-]?\d+([.,]\d*)?([eE][+-]?\d+)?|nan|<NA>|none|null", re.IGNORECASE
)
_UNSEEN: Final = str.maketrans(dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))
_AROUND: Final = " \t\r\n\v\f\u00a0\u2009\u202f,;[](){}<>\"'`\u2018\u2019\u201c\u201d"
_TITLE: Final = re.compile(
    r"(?:(?:post|tweet|status)[ _-]?)?id\s*[:=]\s*['\"]?|=['\"]?", re.IGNORECASE
)
_DECIMAL: Final = re.compile(rf"([0-9]{{1,{MAX_ID_DIGITS}}})[.,]0+")
_GROUPED: Final = re.compile(
    r"(?<![\w,/])[0-9]{1,4}([ ,.'_\u00a0\u2009\u202f\u2019])[0-9]{2,4}(?:\1[0-9]{2,4}){2,}(?![\w,])"
)
_LINK: Final = re.compile(
    r"(?:(?:https?:)?//)?([a-z0-9.-]+)(?::[0-9]+)?/(?:#!/)?(?:i/web/|i/|(\w+)/)?status(?:es)?/"
    rf"([0-9]{{1,{MAX_ID_DIGITS}}})(?:[/?#&].*)?",
    re.IGNORECASE | re.ASCII,
)
_HOSTS: Final = frozenset(
    {
        *("x.com", "twitter.com", "xcancel.com", "nitter.net", "nitter.poast.org"),
        *("fxtwitter.com", "vxtwitter.com", "fixupx.com", "fixvx.com", "twittpr.com"),
    }
)
"""Hosts of X and of well-known mirrors whose links hold X's IDs; subdomains match too."""

_GROUPED_DIGITS: Final = 15


def parse_post_ids(posts: Any) -> tuple[str, ...]:
    """Return the IDs of posts as strings, in order, without duplicates.

    Accepted are an iterable of str or int, a Series, and a frame with a ``post_id`` column; links
    to posts and exact integers too. Floats are not, since they have lost digits. Integers that
    once were floats are detected by :func:`check_digits`.
    """
    if isinstance(posts, tuple | list) and _are_ids(posts):
        return tuple(dict.fromkeys(posts))
    if hasattr(posts, "columns"):
        if "post_id" not in list(posts.columns):
            msg = (
                f"the frame has no post_id column, only {format_list(posts.columns)}; "
                "rename the column with the IDs"
            )
            raise InvalidPostId(msg)
        posts = posts["post_id"]
    if isinstance(posts, str | bytes | Mapping) or not isinstance(posts, Iterable):
        msg = f"post_ids is a single {type(posts).__name__}, {posts!r}; pass a list of IDs"
        raise InvalidPostId(msg)
    try:
        every = iter(posts)
    except TypeError as error:
        msg = f"post_ids is a single {type(posts).__name__}, {posts!r}; pass a list of IDs"
        raise InvalidPostId(msg) from error
    ids = tuple(dict.fromkeys(_each(every)))
    if not ids:
        msg = "post_ids is empty; name at least one post"
        raise InvalidPostId(msg)
    return ids


def _are_ids(posts: Sequence[Any]) -> bool:
    """Return whether all posts are plain IDs as text; one search for all is quicker.

    >>> _are_ids(["8", "20"]), _are_ids(["8,20"]), _are_ids([8])
    (True, False, False)
    """
    if {*map(type, posts)} != {str}:
        return False
    joined = ",".join(posts)
    return joined.count(",") == len(posts) - 1 and _IDS.fullmatch(joined) is not None


def _each(posts: Iterable[Any]) -> Iterable[str]:
    for place, post in enumerate(posts):
        try:
            yield parse_post_id(post)
        except InvalidPostId as error:
            msg = f"{error} (row {place} of the posts)"
            raise InvalidPostId(msg) from error


def parse_post_id(post: Any) -> str:
    """Return the ID of a post as a string, from any of the usual notations.

    These are a link, ``"123"``, ``'123``, ``="123"``, ``ID: 123``, ``123.0``, or digits in
    groups.

    >>> parse_post_id(1060976163948904448)
    '1060976163948904448'
    >>> parse_post_id("https://x.com/i/web/status/8?s=20")
    '8'
    """
    if isinstance(post, str) and (post_id := _read(post)):
        return post_id
    if isinstance(post, bool):
        msg = f"{post!r} is not a post ID; pass 1 to {MAX_ID_DIGITS} digits as text"
        raise InvalidPostId(msg)
    if isinstance(post, float) or (
        isinstance(post, str) and not post.isdigit() and _FLOATLIKE.fullmatch(post)
    ):
        msg = (
            f"post ID {truncated_repr(post)} is missing, or was a float and lost its last digits; "
            "read the IDs from their source as text (in pandas: dtype={'post_id': str})"
        )
        raise InvalidPostId(msg)
    if not isinstance(post, str):
        try:
            is_whole = isinstance(post, Decimal) and post == post // 1
            number = operator.index(int(post) if is_whole else post)
        except (TypeError, ArithmeticError):
            pass
        else:
            if 0 <= number < 10**MAX_ID_DIGITS:
                return str(number)
    cure = f"pass 1 to {MAX_ID_DIGITS} digits as text, or a link"
    msg = f"{truncated_repr(post)} is not a post ID; {cure}"
    raise InvalidPostId(msg)


def _read(text: str) -> str | None:
    """Return the exact ID in a text, or None."""
    if _ID.fullmatch(text):
        return str(text)
    bare = text.translate(_UNSEEN).strip(_AROUND).rstrip(".:!?\u2026").rstrip(_AROUND)
    if title := _TITLE.match(bare):
        bare = bare[title.end() :].strip(_AROUND)
    if link := parse_post_link(bare):
        return link.post_id
    if (decimal := _DECIMAL.fullmatch(bare)) and not _rounded(int(decimal[1])):
        return decimal[1]
    if (groups := in_groups(bare)) == bare:
        return re.sub("[^0-9]", "", groups)
    return bare if _ID.fullmatch(bare) else None


class PostLink(NamedTuple):
    """The parts of a link to a post."""

    handle: str | None
    post_id: str


def parse_post_link(text: str) -> PostLink | None:
    """Return the handle and the ID in a link to a post on X, or None.

    >>> parse_post_link("https://twitter.com/bakery/status/8?s=20")
    PostLink(handle='bakery', post_id='8')
    """
    link = _LINK.fullmatch(text)
    if link is None:
        return None
    host = link[1].lower()
    return PostLink(link[2], link[3]) if {host, host.partition(".")[2]} & _HOSTS else None


def _rounded(number: int) -> bool:
    return number > 1 << FLOAT_BITS and int(float(number)) == number


def in_groups(text: str) -> str | None:
    """Return what looks like one number with grouped digits, or None.

    >>> in_groups("2,125,450,880,059,707,756 or 1,234,567")
    '2,125,450,880,059,707,756'
    """
    found = (groups[0] for groups in _GROUPED.finditer(text))
    digits = range(_GROUPED_DIGITS, MAX_ID_DIGITS + 1)
    return next((text for text in found if sum(map(str.isdigit, text)) in digits), None)


def created_at(post_id: Any) -> Any:
    """Return the creation time of a post, read from its ID.

    Parameters
    ----------
    post_id : str, or Series of str
        1 to 19 digits.

    Returns
    -------
    datetime or None, or Series
        UTC, to the millisecond; None for IDs from before 2010-11-04, which hold no time. Of a
        Series, ``datetime64[us, UTC]`` with its index, ``NaT`` where there is no time.

    Raises
    ------
    InvalidPostId
        If it is not a post ID.

    Examples
    --------
    >>> created_at("1060976163948904448").isoformat()
    '2018-11-09T19:23:24.126000+00:00'
    >>> created_at("123456789") is None
    True
    """
    if hasattr(post_id, "columns"):
        msg = f"a frame has the columns {format_list(post_id.columns)}; give one: frame['post_id']"
        raise InvalidPostId(msg)
    if hasattr(post_id, "map") and hasattr(post_id, "astype"):
        times = post_id.map(created_at, na_action="ignore")
        return times.astype("datetime64[us, UTC]").rename("created_at")
    number = int(parse_post_id(post_id))
    if number < FIRST_SNOWFLAKE:
        return None
    return SNOWFLAKE_EPOCH + timedelta(milliseconds=number >> 22)


def first_snowflake_at(moment: datetime) -> int:
    """Return the lowest possible ID of a post created at that moment or later.

    The moment is aware, 2010-11-04 or later.
    """
    return -((SNOWFLAKE_EPOCH - moment) // timedelta(milliseconds=1)) << 22
