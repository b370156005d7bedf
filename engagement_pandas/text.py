"""Formatting of names, numbers, times and tables, warnings, and the check for lost digits."""

from __future__ import annotations

import html
import math
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

FLOAT_BITS: Final = 53

_PACKAGE: Final = os.path.join(os.path.dirname(__file__), "")  # noqa: PTH118, PTH120 - as in frames

_SEQUENCE: Final = 4096

_BILLION: Final = 10**9

_SEEN: Final = 16  # the smallest spacing tested; many old IDs are multiples of smaller ones

_REFUSED: Final = math.log(1e-5)

_DOUBTED: Final = math.log(1e-4)

_LOSSES: Final[Mapping[str, Callable[[int, int], int]]] = {
    "Excel or another program that keeps 15 digits": lambda digits, _: 10 ** max(digits - 15, 0),
    "JavaScript, jq or another that keeps 17 digits": lambda digits, _: 10 ** max(digits - 17, 0),
    "a column of float64": lambda _, bits: 1 << (bits - FLOAT_BITS),
}
"""Programs that lose digits, with the spacing of the numbers that remain, by digits and bits."""

_KILO: Final = 1000
_TEN: Final = 9.95  # larger values round to 10
_LONGEST: Final = 60
_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB")


def warn(message: str) -> None:
    """Issue a ``UserWarning`` at the line that called the package."""
    frame, level = sys._getframe(), 1  # noqa: SLF001 - as warnings counts them
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)


def format_list(names: Iterable[object]) -> str:
    """Return names as a list of strings, truncating long ones.

    >>> format_list(["a", 1])
    "['a', '1']"
    """
    return f"[{', '.join(truncated_repr(str(name)) for name in names)}]"


def pluralize(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> pluralize(1, "post"), pluralize(2500, "post")
    ('1 post', '2,500 posts')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def format_bytes(number: int) -> str:
    """Return a number of bytes with about two digits, for people.

    >>> format_bytes(900), format_bytes(2_749_602), format_bytes(15_400_000_000)
    ('900 bytes', '2.7 MB', '15 GB')
    """
    size, unit = float(number), 0
    while size >= _KILO and unit < len(_UNITS) - 1:
        size, unit = size / _KILO, unit + 1
    short = f"{size:.1f}" if unit and size < _TEN else f"{size:,.0f}"
    return f"{short} {_UNITS[unit]}"


def lasting(time: timedelta) -> str:
    """Return a duration in its two largest units, for people.

    >>> lasting(timedelta(hours=3, minutes=20)), lasting(timedelta(days=7)), lasting(timedelta())
    ('3 h 20 min', '7 days', '0 s')
    """
    seconds = abs(int(time.total_seconds()))
    days, rest = divmod(seconds, 86_400)
    sizes = (
        pluralize(days, "day") if days else "",
        f"{rest // 3600} h" if rest >= 3600 else "",  # noqa: PLR2004
        f"{rest % 3600 // 60} min" if rest % 3600 >= 60 else "",  # noqa: PLR2004
        f"{rest % 60} s" if rest % 60 else "",
    )
    return " ".join([size for size in sizes if size][:2]) or "0 s"


def truncated_repr(value: object) -> str:
    """Return the repr of a value for a message, truncated if it is long.

    >>> truncated_repr("impressions"), truncated_repr("x" * 1_000_000)
    ("'impressions'", "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'")
    """
    if isinstance(value, str | bytes):  # truncated first, since its repr may be much longer
        return repr(value) if len(value) <= _LONGEST else f"{repr(value[:_LONGEST])[:-1]}…'"
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def shortened(text: str, room: int) -> str:
    """Shorten a text to the available room.

    >>> shortened("Doors are open, come in from the rain.", 20)
    'Doors are open, come…'
    """
    if len(text) <= room + 1:
        return text
    cut = text[:room]
    # Cut between words, unless that wastes half of the room.
    space = cut.rfind(" ") if text[room] != " " else -1
    return (cut[:space] if space > room // 2 else cut).rstrip(" ,.;:-") + "…"


def json_path(*keys: object) -> str:
    """Return a JSONPath, truncating long keys.

    >>> json_path("by_post", "123")
    "$['by_post']['123']"
    """
    return "$" + "".join(f"[{truncated_repr(key)}]" for key in keys)


def html_table(
    headings: Sequence[str],
    rows: Iterable[Iterable[str]],
    caption: str = "",
    attributes: Sequence[str] = (),
) -> str:
    """Return an HTML table; headings and caption are escaped, and cells are HTML already.

    ``attributes`` are those of the cells of each column, such as ``class="number"``.

    >>> html_table(["a & b", ""], [["1", "2"]], attributes=['class="number"', ""])
    '<table><thead><tr><th scope="col" class="number">a &amp; b</th><td></td></tr></thead>...'
    """
    marks = [
        f" {attribute}" if attribute else "" for attribute in attributes or [""] * len(headings)
    ]
    head = "".join(
        f'<th scope="col"{mark}>{html.escape(heading)}</th>' if heading else "<td></td>"
        for heading, mark in zip(headings, marks, strict=True)
    )
    lines = (
        "".join(f"<td{mark}>{cell}</td>" for cell, mark in zip(row, marks, strict=True))
        for row in rows
    )
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    title = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def html_facts(title: str, facts: Mapping[str, str]) -> str:
    """Return an HTML table with a row for each fact; everything is escaped.

    >>> html_facts("Archive", {"folder": "a & b"})
    '<table><caption>Archive</caption><tbody><tr><th scope="row">folder</th><td>a &amp; b</td>...'
    """
    rows = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(fact)}</td></tr>'
        for name, fact in facts.items()
    )
    return f"<table><caption>{html.escape(title)}</caption><tbody>{rows}</tbody></table>"


def check_digits(ids: Iterable[str], error: type[Exception], *, source: str = "") -> None:
    """Raise if so many IDs end alike that their last digits must have been lost.

    Every integer from Excel ends in ``0000`` (it keeps 15 digits), from JavaScript or jq in
    ``00`` (17), and from a float64 in 7 or 8 zero bits. One in *m* true IDs is a multiple of
    *m* by chance. Multiples of 4096 are ignored unless they end in nine zeros: many true IDs
    are such, since the last 12 bits number the posts of a millisecond. The chance that k of n
    IDs are multiples of *m* is less than ``(n/m)**k / k!``.

    ``error`` is raised if the chance is less than 1 in 100,000; a UserWarning is issued if it is
    less than 1 in 10,000. IDs are digits only; short ones cannot have lost any. ``source`` is the
    name of the file, for the message.

    >>> ids = ["2125450880059707756", "2125883449981010000", "2126138811200040000"]
    >>> check_digits(ids, ValueError)
    Traceback (most recent call last):
        ...
    ValueError: 2 of 3 post IDs (2125883449981010000, ...
    """
    sizes: dict[tuple[int, int], list[int]] = {}
    total = 0
    for text in ids:
        number = int(text)
        total += number >> FLOAT_BITS > 0
        if number >> FLOAT_BITS and (number % _SEQUENCE or number % _BILLION == 0):
            sizes.setdefault((len(text), number.bit_length()), []).append(number)
    found: list[tuple[float, str, list[int]]] = []
    for program, spacing_of in _LOSSES.items():
        lost, expected = list[int](), 0.0
        for size, numbers in sizes.items():
            spacing = spacing_of(*size)
            if spacing < _SEEN:
                continue  # so many true IDs are multiples that they would hide the lost ones
            expected += len(numbers) / spacing
            lost += [number for number in numbers if number % spacing == 0]
        if len(lost) > 1:  # a single one may be a coincidence
            chance = len(lost) * math.log(expected) - math.lgamma(len(lost) + 1)
            found.append((chance, program, lost))
    chance, program, lost = min(found, default=(0.0, "", []))
    if chance < _DOUBTED:
        some = ", ".join(map(str, lost[:2]))
        msg = (
            f"{source and f'{source}: '}{len(lost):,} of {total:,} post IDs ({some}) "
            f"seem to have lost their last digits in {program}; "
            "take the IDs from their source again, as text"
        )
        if chance < _REFUSED:
            raise error(msg)
        warn(msg)
