"""Tables that subcommands write, to a file or to standard output, and omissions in words."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Final

from engagement_pandas.cli.streams import check_output, output, print_message
from engagement_pandas.errors import FrameError
from engagement_pandas.text import pluralize
from engagement_pandas.vocabulary.omission_reasons import OMISSION_REASONS, OmissionReason

if TYPE_CHECKING:
    import pandas as pd

_WORDS: Final = 72
FORMATS: Final = (".parquet", ".csv")
"""Suffixes of table files."""


def table_file(text: str) -> str:
    """Check the suffix of a table file."""
    if Path(text).suffix not in FORMATS:
        msg = f"{text!r} ends neither in {' nor in '.join(FORMATS)}"
        raise argparse.ArgumentTypeError(msg)
    return text


def check_targets(sources: Iterable[str | None], *targets: str | None) -> None:
    """Raise if a file that is read would be overwritten, or two tables have one file.

    >>> check_targets(["posts.csv"], "counts.csv", None)
    """
    named = [name for name in sources if name]
    for target in targets:
        if target is None:
            continue
        if any(_is_same(target, name) for name in named):
            msg = f"{target} is named twice, and would be overwritten; name another file to write"
            raise FrameError(msg)
        named.append(target)


def _is_same(name: str, other: str) -> bool:
    """Return whether two names are of one file; it need not exist, nor the working folder."""
    if os.path.normpath(name) == os.path.normpath(other):
        return True
    return os.path.exists(name) and os.path.exists(other) and os.path.samefile(name, other)  # noqa: PTH110, PTH121


def check_writable(target: str | None) -> None:
    """Raise if a table cannot be written there."""
    if target is None:
        check_output()
    elif not Path(target).parent.is_dir() or Path(target).is_dir():
        msg = f"{target} cannot be written: it is a folder, or its folder does not exist"
        raise FrameError(msg)


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
