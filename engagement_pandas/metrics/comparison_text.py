"""The answer of a comparison in words, for tables and pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pandas as pd

from engagement_pandas.request.post_files.post_kind import KINDS

OTHERS: Final = "the others"

_LARGE: Final = 1000


def finding(row: pd.Series) -> str:
    """Return the answer of a row of :func:`compare`: the size, its interval, and a verdict.

    >>> row = {"statistic": "typical", "group": "new", "against": "old", "difference": 9.0,
    ...        "ratio": 3.14, "low": 2.02, "high": 4.8, "differs": True, "unequal_spread": False}
    >>> finding(pd.Series(row))
    'a typical post of new gets 3.1 times as much as one of old, 2.0 to 4.8'
    """
    if pd.isna(row["difference"]):
        return "nothing to compare"
    return _SENTENCES[str(row["statistic"])](row) + _verdict(row)


def times(ratio: float) -> str:
    """Format a ratio with two digits.

    >>> times(3.14), times(0.316), times(21.2)
    ('3.1', '0.32', '21')
    """
    digits = 2 if ratio < 1 else 1 if ratio < 10 else 0  # noqa: PLR2004 - two digits
    return f"{ratio:,.{digits}f}"


def short(number: float) -> str:
    """Format a number with two digits below 1,000, and a minus sign.

    >>> short(12.34), short(16347.2)
    ('12', '16,347')
    """
    rounded = float(f"{number:.2g}") if abs(number) < _LARGE else round(number)
    shown = f"{rounded:,g}" if abs(number) < _LARGE else f"{rounded:,}"
    return shown.replace("-", "\N{MINUS SIGN}")


def _ends(row: pd.Series, shown: Callable[[float], str]) -> str:
    if pd.isna(row["low"]):
        return ""
    return f", {shown(float(row['low']))} to {shown(float(row['high']))}"


def _named(row: pd.Series, column: str, of_kind: str, of_others: str) -> str:
    """Return a group in words; a kind of posts, such as *reply*, is a noun of its own.

    ``of_kind`` has a place for that noun (0) and its plural (1), and ``of_others`` for any name.

    >>> row = pd.Series({"group": "reply", "against": "the others"})
    >>> _named(row, "group", "all {1}", "all of {}"), _named(row, "against", "a {}", "one of {}")
    ('all replies', 'one of the others')
    """
    name = str(row[column])
    if name in KINDS and {str(row["group"]), str(row["against"])} - {OTHERS} <= KINDS:
        return of_kind.format(name, "replies" if name == "reply" else f"{name}s")
    return of_others.format(called(name))


def _typical(row: pd.Series) -> str:
    group = _named(row, "group", "a typical {}", "a typical post of {}")
    against = _named(row, "against", "a typical {}", "one of {}")
    return (
        f"{group} gets {times(float(row['ratio']))} times as much as {against}{_ends(row, times)}"
    )


def _mean(row: pd.Series) -> str:
    group = _named(row, "group", "the mean {}", "the mean post of {}")
    against = _named(row, "against", "the mean {}", "that of {}")
    more = "more" if row["difference"] >= 0 else "fewer"
    size = f"{short(abs(float(row['difference'])))} {more}"
    return f"{group} has {size} than {against}{_ends(row, short)}"


def _rate(row: pd.Series) -> str:
    more = "higher" if row["difference"] >= 0 else "lower"
    size = f"{_points(abs(float(row['difference'])))} percentage points {more}"
    group = _named(row, "group", "the rate of {1}", "the rate of {}")
    against = _named(row, "against", "that of {1}", "that of {}")
    return f"{group} is {size} than {against}{_ends(row, _points)}"


_SENTENCES: Final = {"typical": _typical, "mean": _mean, "rate": _rate}
_DETECTABLE: Final[dict[str, Callable[[float], str]]] = {
    "typical": lambda size: f"{times(size)} times as much",
    "mean": lambda size: f"a difference of {short(size)}",
    "rate": lambda size: f"a difference of {_points(size)} points",
}


def called(name: str) -> str:
    """Quote a name of several words, so that it reads as a name.

    >>> called("before noon"), called("spring")
    ('“before noon”', 'spring')
    """
    return f"\u201c{name}\u201d" if " " in name and name != OTHERS else name


def _points(share: float) -> str:
    return short(100 * share)


def _verdict(row: pd.Series) -> str:
    """Return whether a difference was found, what could have been, and the warning."""
    if pd.isna(row["low"]):
        return "; not enough posts for an interval, or all are alike"
    mean = row["statistic"] != "typical"
    warned = mean and pd.notna(row["unequal_spread"]) and bool(row["unequal_spread"])
    unsure = "; the two sets spread too differently to trust this" if warned else ""
    if row["differs"]:
        return unsure
    size = _DETECTABLE[str(row["statistic"])](float(row["detectable"]))
    return f"; no difference found; {size} would be found in 8 of 10 cases{unsure}"
