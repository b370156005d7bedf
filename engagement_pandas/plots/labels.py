"""Display names of posts in plots: their ID, their number, or their first words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Final

import pandas as pd

from engagement_pandas.errors import FrameError

ROOM: Final = 36
"""Maximum length of a name, in characters."""

_GENERIC: Final = tuple(
    f"font.{name}" for name in ("serif", "sans-serif", "cursive", "fantasy", "monospace")
)
TYPE_ROOM: Final = 22
"""Maximum length of an engagement type, in characters: the longest one and a few more."""

_ENOUGH: Final = 3
_KEPT: Final = 0.6
_LINK: Final = re.compile(r"https?://\S+")
_MARKS: Final = ("\N{LEFT-TO-RIGHT MARK}", "\N{RIGHT-TO-LEFT MARK}")
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})


def check_posts(posts: pd.DataFrame | None) -> None:
    """Raise if a frame of posts has no valid post IDs.

    Examples
    --------
    >>> check_posts(pd.DataFrame({"post_id": [7]}))
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: 'post_id' of posts is int64, not str; ...
    """
    if posts is None:
        return
    if not isinstance(posts, pd.DataFrame):
        msg = f"posts are a DataFrame with post_id and text, not a {type(posts).__name__}"
        raise FrameError(msg)
    if "post_id" not in posts.columns:
        columns = [str(name) for name in posts.columns]
        msg = f"posts have no column 'post_id', only {columns}; rename the one with the IDs"
        raise FrameError(msg)
    if not isinstance(posts["post_id"].dtype, pd.StringDtype):
        msg = (
            f"'post_id' of posts is {posts['post_id'].dtype}, not str; numbers may have lost "
            "digits, so read the IDs again as text"
        )
        raise FrameError(msg)
    if posts["post_id"].isna().any():
        msg = "'post_id' of posts is missing in a row; drop that row"
        raise FrameError(msg)


def post_names(
    ids: Iterable[str], *, posts: pd.DataFrame | None = None, room: int = ROOM
) -> dict[str, str]:
    """Return the display name of each post; all names differ.

    A name is the first words of the ``text`` in ``posts``, at most ``room`` characters, without
    links and without characters that the font lacks (mostly emoji). If there is no text or too
    little of it is left, it is *Post 1*, *Post 2* …, by the row in ``posts``. If the post is not in
    ``posts``, it is the ID.

    Right-to-left text is drawn correctly from matplotlib 3.11 on; with older versions, such posts
    are named by their number.

    Examples
    --------
    >>> posts = pd.DataFrame({"post_id": ["7", "8", "9"], "text": ["Two for $5 🎉", "🎉", None]})
    >>> post_names(["7", "8", "9", "10"], posts=posts)
    {'7': 'Two for $5', '8': 'Post 2', '9': 'Post 3', '10': '10'}
    """
    check_posts(posts)
    wanted = [str(post) for post in ids]
    if posts is None:
        return {post: post for post in wanted}
    rows = posts.drop_duplicates("post_id")
    texts = rows["text"] if "text" in rows.columns else [None] * len(rows)
    plain: dict[str, str] = {}
    number: dict[str, int] = {}
    can_draw, shapes = _glyphs(), _shapes_scripts()
    for place, (post, text) in enumerate(zip(rows["post_id"], texts, strict=True), 1):
        number[post] = place
        words = _words(text, can_draw, shapes) if isinstance(text, str) else ""
        plain[post] = _kept_apart(shortened(words, room), can_draw) or f"Post {place}"
    twice = Counter(plain.values())
    return {
        post: post
        if post not in plain
        else f"{plain[post]} ({number[post]})"
        if twice[plain[post]] > 1
        else plain[post]
        for post in wanted
    }


def drawable(text: str) -> str:
    r"""Return a text on one line, in characters of the font; empty if little is left.

    Examples
    --------
    >>> drawable("Two for  $5\n🎉")
    'Two for $5'
    """
    return _words(text, _glyphs(), _shapes_scripts())


def in_font(text: str) -> str:
    r"""Return a text without characters that the font lacks; ``?`` if nothing is left.

    Examples
    --------
    >>> in_font("boosts 🎉"), in_font("🎉"), in_font("per\timpression")
    ('boosts ', '?', 'per impression')
    """
    lines = text.split("\n")
    if all(line.isascii() and line.isprintable() for line in lines):
        return text
    can_draw = _glyphs()
    plain = (line.replace("\t", " ") for line in lines)
    kept = ["".join(sign for sign in line if ord(sign) in can_draw) for line in plain]
    return "\n".join(kept) if any(line.strip() for line in kept) else "?"


def shortened(text: str, room: int) -> str:
    """Shorten a text to the available room.

    Examples
    --------
    >>> shortened("Doors are open, come in from the rain.", 20)
    'Doors are open, come…'
    """
    if len(text) <= room + 1:
        return text
    cut = text[:room]
    # Cut between words, unless that wastes half of the room.
    space = cut.rfind(" ") if text[room] != " " else -1
    return (cut[:space] if space > room // 2 else cut).rstrip(" ,.;:-") + "…"


def _words(text: str, can_draw: frozenset[int], shapes: bool) -> str:  # noqa: FBT001
    line = " ".join(_LINK.sub(" ", text).split())
    if not shapes and any(unicodedata.bidirectional(sign) in _RIGHT_TO_LEFT for sign in line):
        return ""
    # Control and format characters (Cc, Cf) change the text direction or join emoji.
    kept = [
        sign
        for sign in line
        if ord(sign) in can_draw and not unicodedata.category(sign).startswith("C")
    ]
    words = " ".join("".join(kept).split())
    letters = sum(sign.isalnum() for sign in words)
    before = sum(sign.isalnum() for sign in line)
    return words if letters >= max(_ENOUGH, _KEPT * before) else ""


def _kept_apart(words: str, can_draw: frozenset[int]) -> str:
    """Put direction marks around right-to-left text, so that adjacent numbers stay in place."""
    turns = any(unicodedata.bidirectional(sign) in _RIGHT_TO_LEFT for sign in words)
    left, right = (mark if ord(mark) in can_draw else "" for mark in _MARKS)
    return f"{left}{words}{right}{left}" if turns else words


def _glyphs() -> frozenset[int]:
    """Return the characters that the configured fonts can draw."""
    from matplotlib import font_manager, rcParams  # noqa: PLC0415 - heavy

    families: list[str] = []
    for family in rcParams["font.family"]:
        generic = f"font.{family}"
        families += rcParams[generic] if generic in _GENERIC else [family]  # type: ignore[index]
    glyphs: set[int] = set()
    for family in families:
        try:
            file = font_manager.findfont(family, fallback_to_default=False)
        except ValueError:
            continue
        glyphs.update(font_manager.get_font(file).get_charmap())
    if not glyphs:
        glyphs.update(font_manager.get_font(font_manager.findfont("DejaVu Sans")).get_charmap())
    return frozenset(glyphs)


def _shapes_scripts() -> bool:
    """Return whether matplotlib supports right-to-left scripts, as it does from 3.11 on."""
    from matplotlib import ft2font  # noqa: PLC0415 - heavy

    return hasattr(ft2font, "__libraqm_version__")
