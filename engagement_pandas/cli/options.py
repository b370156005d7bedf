"""Options shared by several subcommands."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from engagement_pandas.errors import UnsupportedGrouping
from engagement_pandas.request.grouping import GROUPINGS, Grouping, to_grouping

Subparsers = Any
"""What ``ArgumentParser.add_subparsers`` returns; argparse has no public name for it."""

_DAYS: Final = {"today": 0, "yesterday": 1}
_AGO: Final = re.compile(r"(?P<name>today|yesterday)|(?P<number>[0-9]{1,5})(?P<unit>[hdw])")

AGO_HELP: Final = "or yesterday, 7d, 12h"


def split_names(text: str) -> list[str]:
    """Parse comma-separated names.

    >>> split_names("favorites, replies")
    ['favorites', 'replies']
    """
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found:
        msg = f"{text!r} has no names; omit the option, or name something"
        raise argparse.ArgumentTypeError(msg)
    return found


def add_types(parser: argparse.ArgumentParser) -> None:
    """Add ``--types``; without it, all types of the endpoint are requested."""
    parser.add_argument(
        "--types",
        type=split_names,
        metavar="A,B",
        help="engagement types (default: all of the endpoint)",
    )


def grouping(text: str) -> Grouping:
    """Parse ``type``, ``post``, ``day``, ``hour``, or comma-separated dimensions."""
    try:
        return to_grouping(text if text in GROUPINGS else split_names(text))
    except UnsupportedGrouping as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def quota(text: str) -> float:
    """Parse a number of requests per minute.

    >>> quota("60")
    60.0
    """
    try:
        per_minute = float(text)
    except ValueError:
        per_minute = 0.0
    if not 0 < per_minute < float("inf"):
        msg = f"{text!r} is not a number of requests per minute"
        raise argparse.ArgumentTypeError(msg)
    return per_minute


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the option of a command whose result can be JSON."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON to stdout")


def add_verbosity(parser: argparse.ArgumentParser) -> None:
    """Add ``--verbose`` and ``--quiet``, which exclude each other."""
    verbosity = parser.add_mutually_exclusive_group()
    verbosity.add_argument("-v", "--verbose", action="store_true", help="report each wait")
    verbosity.add_argument(
        "-q", "--quiet", action="store_true", help="report only errors and warnings"
    )


def moment(text: str, now: datetime | None = None) -> str:
    """Return a time as text: ``today``, ``yesterday`` and ``7d`` become dates, UTC.

    ``7d`` or ``2w`` are the midnight 7 days or 2 weeks ago, and ``12h`` the full hour 12
    hours ago. Other texts are returned unchanged.

    >>> now = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
    >>> [moment(text, now) for text in ("yesterday", "7d", "12h", "2026-03-01")]
    ['2026-03-09', '2026-03-03', '2026-03-09T21:00:00Z', '2026-03-01']
    """
    found = _AGO.fullmatch(text.strip().lower())
    if found is None:
        return text
    now = datetime.now(UTC) if now is None else now
    if found["unit"] == "h":
        return f"{now - timedelta(hours=int(found['number'])):%Y-%m-%dT%H}:00:00Z"
    days = _DAYS[found["name"]] if found["name"] else int(found["number"])
    return f"{now - timedelta(days=days * (7 if found['unit'] == 'w' else 1)):%Y-%m-%d}"


def silent(_: object) -> None:
    """Show no progress of a fetch."""


def is_relative(words: Sequence[str]) -> bool:
    """Return whether any of these words is a time such as ``7d``.

    >>> is_relative(["--start", "yesterday"]), is_relative(["--end=7d"]), is_relative(["2026"])
    (True, True, False)
    """
    return any(_AGO.fullmatch(word.rpartition("=")[2].strip().lower()) for word in words)
