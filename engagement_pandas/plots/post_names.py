"""Display names of posts in plots: their first words and their date, or their ID."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import pandas as pd

from engagement_pandas.frame.coercion import as_posts
from engagement_pandas.metrics.age import made_at
from engagement_pandas.text import shortened

ROOM: Final = 36
"""Maximum length of a name, in characters."""

TYPE_ROOM: Final = 22
"""Maximum length of an engagement type, in characters: the longest one and a few more."""

_ENOUGH: Final = 3
_KEPT: Final = 0.6
_LTR, _RTL = "\N{LEFT-TO-RIGHT MARK}", "\N{RIGHT-TO-LEFT MARK}"
_LINK: Final = re.compile(r"https?://\S+")


def noted_names(names: Iterable[str], notes: Iterable[str], room: int) -> list[str]:
    r"""Return the labels of rows: each name, shortened to fit, and below it a note.

    >>> noted_names(["url_clicks"], ["8 posts"], 36)
    ['url_clicks\n8 posts']
    """
    pairs = zip(names, notes, strict=True)
    return [f"{shortened(in_font(name), room)}\n{note}" for name, note in pairs]


def post_names(
    ids: Iterable[str], *, posts: pd.DataFrame | None = None, room: int = ROOM
) -> dict[str, str]:
    """Return the display name of each post; all names differ.

    A name is the first words of the ``text`` in ``posts``, without links and without characters
    that the font lacks (mostly emoji), and the UTC date of the post, together at most ``room``
    characters. The year is left out if all posts in ``ids`` are of one year. Posts with the same
    words and date have the time too. If there is no text or too little of it is left, the name is
    *Post of* that time. A post that is not in ``posts`` has its ID.

    Examples
    --------
    >>> posts = pd.DataFrame({"post_id": ["1060976163948904448", "1060976163948904449", "9"],
    ...                       "text": ["Two for $5 🎉", "🎉", "Sold out."]})
    >>> list(post_names([*posts["post_id"], "10"], posts=posts).values())
    ['Two for $5 (9 Nov)', 'Post of 9 Nov, 19:23', 'Sold out.', '10']
    """
    posts = as_posts(posts)
    if posts is None:
        return {str(post): str(post) for post in ids}
    rows = posts.drop_duplicates("post_id")
    texts = rows["text"] if "text" in rows.columns else [None] * len(rows)
    made = [None if pd.isna(moment) else moment for moment in made_at(rows["post_id"])]
    ids = [str(post) for post in ids]
    of = dict(zip(rows["post_id"], made, strict=True))
    years = {moment.year for moment in map(of.get, ids) if moment}
    month = "%b" if len(years) == 1 else "%b %Y"
    names = {
        post: _names(post, drawable(text) if isinstance(text, str) else "", moment, month, room)
        for post, text, moment in zip(rows["post_id"], texts, made, strict=True)
    }
    while len(count := Counter(own[0] for own in names.values())) < len(names):
        names = {post: own[1:] or own if count[own[0]] > 1 else own for post, own in names.items()}
    return {post: names.get(post, (post,))[0] for post in ids}


def _names(
    post: str, words: str, made: pd.Timestamp | None, month: str, room: int
) -> tuple[str, ...]:
    """Return possible names of a post, each more likely to be unique than the one before."""
    if made is None:
        return (_isolated(shortened(words, room)), _with(words, post, room)) if words else (post,)
    date = f"{made.day} {made:{month}}"
    time = f"{date}, {made:%H:%M}"
    if not words:
        return f"Post of {time}", post
    return tuple(_with(words, part, room) for part in (date, time, post))


def _with(words: str, part: str, room: int) -> str:
    return f"{_isolated(shortened(words, max(room - len(part) - 3, _ENOUGH)))} ({part})"


def drawable(text: str) -> str:
    r"""Return a text on one line, in characters of the font; empty if little is left.

    Examples
    --------
    >>> drawable("Two for  $5\n🎉")
    'Two for $5'
    """
    line = _LINK.sub(" ", text)
    words = " ".join(in_font(line).split())
    letters, before = (sum(map(str.isalnum, part)) for part in (words, line))
    return words if letters >= max(_ENOUGH, _KEPT * before) else ""


def in_font(text: str) -> str:
    r"""Return a text without characters that the font lacks; ``?`` if nothing is left.

    Other control and format characters than direction marks are removed too.

    Examples
    --------
    >>> in_font("boosts 🎉"), in_font("🎉"), in_font("per\timpression")
    ('boosts ', '?', 'per impression')
    """
    text = re.sub(r"[^\S\n]", " ", text)
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    glyphs = _glyphs()
    kept = [c for c in text if c in {"\n", _LTR, _RTL} or (c.isprintable() and ord(c) in glyphs)]
    return "".join(kept) if "".join(kept).strip() else "?"


def _isolated(words: str) -> str:
    """Put direction marks around right-to-left text, so that adjacent numbers stay in place."""
    rtl = any(unicodedata.bidirectional(c) in {"R", "AL"} for c in words)
    return (
        f"\N{LEFT-TO-RIGHT MARK}{words}\N{RIGHT-TO-LEFT MARK}\N{LEFT-TO-RIGHT MARK}"
        if rtl
        else words
    )


def _glyphs() -> frozenset[int]:
    """Return the characters that the configured fonts can draw."""
    from matplotlib import rcParams  # noqa: PLC0415 - heavy
    from matplotlib.font_manager import FontProperties, findfont  # noqa: PLC0415 - heavy

    families = (FontProperties(family=[name]) for name in rcParams["font.family"])
    return _characters(tuple(map(findfont, families)))


@lru_cache(maxsize=4)
def _characters(files: tuple[str, ...]) -> frozenset[int]:
    from matplotlib.font_manager import get_font  # noqa: PLC0415 - heavy

    return frozenset(code for file in files for code in get_font(file).get_charmap())
