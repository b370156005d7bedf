"""Options shared by several subcommands, and output to the two streams."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Final

from engagement_pandas.cli.streams import output
from engagement_pandas.errors import UnsupportedGrouping
from engagement_pandas.request.grouping import GROUPINGS, Grouping, to_grouping
from engagement_pandas.text import pluralize
from engagement_pandas.vocabulary import OMISSION_REASONS, OmissionReason

if TYPE_CHECKING:
    import pandas as pd

Verbs = Any
"""What ``ArgumentParser.add_subparsers`` returns; argparse has no public name for it."""

_WORDS: Final = 72

FORMATS: Final = (".parquet", ".csv")
"""Suffixes of table files."""


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


def table_file(text: str) -> str:
    """Check the suffix of a table file."""
    if Path(text).suffix not in FORMATS:
        msg = f"{text!r} ends neither in {' nor in '.join(FORMATS)}"
        raise argparse.ArgumentTypeError(msg)
    return text


def print_message(text: str, end: str = "\n") -> None:
    """Print a message to standard error, and continue if that fails."""
    with suppress(OSError, ValueError):
        sys.stderr.write(text + end)
        sys.stderr.flush()


def print_result(text: str) -> None:
    """Print a result to standard output."""
    with output() as stream:
        stream.write(text + "\n")


def write(frame: pd.DataFrame, target: str | None) -> None:
    """Write a table to a file, or as CSV to standard output."""
    from engagement_pandas.frame import write_csv, write_parquet  # noqa: PLC0415 - pandas

    writers: dict[str, Callable[[Any, Any], None]] = {".csv": write_csv, ".parquet": write_parquet}
    if target is None:
        with output() as stream:
            write_csv(frame, stream)
    else:
        writers[Path(target).suffix](frame, target)
        print_message(f"{pluralize(len(frame), 'row')} in {target}")


def summarize_omissions(omissions: pd.DataFrame) -> list[str]:
    """Return lines with the reasons why posts have no count."""
    from engagement_pandas.frame.contract import in_order  # noqa: PLC0415 - pandas

    types_missing = omissions["engagement_type"].fillna("")
    names = [name for name in in_order(types_missing.unique()) if name]
    lines = []
    for (reason,), rows in omissions.groupby(["reason"], observed=True):
        meaning = OMISSION_REASONS[OmissionReason(str(reason))]
        messages = rows["message"].unique()
        message = f" ({shorten(messages[0], _WORDS)})"
        if len(messages) > 1 or messages[0] == meaning:
            message = ""
        # The missing types of a post as a bit set, so that similar posts share a line.
        bits = types_missing[rows.index].map({name: 1 << place for place, name in enumerate(names)})
        sets = bits.fillna(0).astype("int64").groupby(rows["post_id"]).sum().value_counts()
        for bitset, posts in sets.items():
            types = [n for place, n in enumerate(names) if int(str(bitset)) >> place & 1]
            what = ", ".join(types) or "counts"
            lines.append(f"no {what} for {pluralize(posts, 'post')}: {meaning}{message}")
    return lines
