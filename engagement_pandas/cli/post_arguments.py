"""The argument POSTS: post IDs, links, and files of them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from errno import ENOENT
from pathlib import Path
from typing import Final

from engagement_pandas.errors import InvalidPostId
from engagement_pandas.request.owners import PostOwners
from engagement_pandas.request.post_files import (
    MISSING,
    Missing,
    PostEntry,
    handles_in,
    read_records,
    records_in,
)
from engagement_pandas.request.post_ids import parse_post_ids
from engagement_pandas.text import format_list, truncated_repr

Ids = tuple[str, ...]

_HELP: Final = (
    "IDs or links, or files of them: a table with a post_id column and optionally a handle, JSON, "
    "or one ID per line; - for stdin"
)


def add_posts(parser: argparse.ArgumentParser) -> None:
    """Add the argument, and the option for rows without an ID."""
    parser.add_argument("posts", nargs="+", metavar="POSTS", help=_HELP)
    parser.add_argument(
        "--missing",
        choices=MISSING,
        default=MISSING[0],
        help=f"what to do with rows of a file that have no post ID (default: {MISSING[0]})",
    )


def posts_and_owners(sources: Sequence[str], missing: Missing) -> tuple[Ids, PostOwners]:
    """Return the distinct IDs, and the owners of posts as far as files name them."""
    records: list[PostEntry] = []
    for source in sources:
        if source == "-" or os.path.exists(source):  # noqa: PTH110 - accepts text of any length
            records += read_records(source, missing=missing)
        else:
            records += _typed(source)
    if not records:
        named = format_list("standard input" if source == "-" else source for source in sources)
        msg = (
            f"no post IDs in {named}; pass IDs or links, a file with one per line, or a table with "
            "a post_id column"
        )
        raise InvalidPostId(msg)
    return parse_post_ids(record.post_id for record in records), handles_in(records)


def _typed(source: str) -> list[PostEntry]:
    try:
        return records_in("the command line", source)
    except InvalidPostId as error:
        if Path(source).suffix and "://" not in source:
            raise FileNotFoundError(ENOENT, os.strerror(ENOENT), source) from error
        msg = (
            f"{truncated_repr(source)} is neither a post ID nor a file; links can be "
            f"https://x.com/i/web/status/1060976163948904448 ({error})"
        )
        raise InvalidPostId(msg) from error
