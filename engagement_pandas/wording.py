"""How names and numbers stand in messages."""

from __future__ import annotations

from collections.abc import Iterable


def listed(names: Iterable[object]) -> str:
    """Return names as a list of texts.

    >>> listed(["a", 1])
    "['a', '1']"
    """
    return str([str(name) for name in names])


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "post"), counted(2500, "post")
    ('1 post', '2,500 posts')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
