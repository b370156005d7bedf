"""Lists of post IDs and links, typed or pasted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from engagement_pandas.errors import InvalidPostId
from engagement_pandas.request.post_files.entry import RawEntry, where
from engagement_pandas.request.post_ids import in_groups

_COMMENT: Final = re.compile(r"[\s\u200b\ufeff]*#")
_MARKDOWN: Final = re.compile(r"\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?[^)\n]*\)")
_NUMBERING: Final = re.compile(
    r"\s*(?:[-*+\u2022\u2013\u2014]|\(?[0-9]{1,4}[.):]|\[[0-9]{1,4}\])\s+(?=\S*[0-9]{10})"
)
_TITLE: Final = re.compile(
    r"\b(?:(?:post|tweet|status)[ _-]?)?id\s*[:=]\s*(?=\W?[0-9])", re.IGNORECASE
)
_BETWEEN: Final = re.compile(
    r"[\s\u200b]+|[,;|]+(?=\s|$|[^\w]|[0-9]|https?:|[a-z0-9.]+/)", re.IGNORECASE
)
_AROUND: Final = "[](){}<>\"'`,;\u2018\u2019\u201c\u201d"


def pieces(text: str, name: str) -> Iterator[RawEntry]:
    r"""Yield possible IDs in a text, separated by blanks, commas, semicolons and bars.

    Lines that begin with ``#``, numbers of list items, and the words of a Markdown link are
    ignored.

    >>> [raw.post for raw in pieces("# mine\n1) x.com/i/status/1060976163948904448\n- 8", "a.txt")]
    ['x.com/i/status/1060976163948904448', '-', '8']
    """
    for number, line in enumerate(text.split("\n"), 1):
        if line.isdigit():
            yield RawEntry(number, line, name="")
            continue
        if _COMMENT.match(line):
            continue
        bare = _NUMBERING.sub("", _TITLE.sub(" ", _MARKDOWN.sub(r" \1 ", line)), count=1)
        if groups := in_groups(bare):
            msg = (
                f"{where(number, name)}: {groups!r} looks like one number with thousands "
                "separators; copy the IDs as text"
            )
            raise InvalidPostId(msg)
        found = [piece for piece in _BETWEEN.split(bare) if piece.strip(_AROUND)]
        for piece in found:
            yield RawEntry(number, piece, name=None if len(found) > 1 else "")
