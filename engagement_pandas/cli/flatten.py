"""``flatten``: convert stored responses of the API into one table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from engagement_pandas.cli.archives import opened
from engagement_pandas.cli.options import Subparsers, grouping
from engagement_pandas.cli.streams import print_message
from engagement_pandas.cli.subcommands import SUBCOMMANDS
from engagement_pandas.cli.table_output import (
    check_targets,
    summarize_omissions,
    table_file,
    write,
)
from engagement_pandas.errors import ArchiveError, EngagementError, RequestError


def add_to(subcommands: Subparsers) -> Iterable[argparse.ArgumentParser]:
    """Add the subcommand."""
    parser = subcommands.add_parser(
        "flatten",
        help=SUBCOMMANDS["flatten"].help,
        description="Convert stored responses of the API, from any source, to one table. In an "
        "archive the requests are known, so that parts of one request are summed and omissions "
        "reported. Single files that count the same thing twice are rejected.",
        epilog="examples:\n"
        "  engagement-pandas flatten raw/ --out counts.parquet\n"
        "  engagement-pandas flatten raw/ --retrieved-at --out growth.parquet\n"
        "  engagement-pandas flatten saved-body.json\n",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "answers",
        nargs="+",
        metavar="ANSWERS",
        help="an archive, one of its collections, or a file with a response as JSON; - for stdin",
    )
    parser.add_argument(
        "--by",
        type=grouping,
        metavar="GROUPING",
        help="type, post, day, hour, or dimensions separated by commas, if the keys are ambiguous",
    )
    parser.add_argument(
        "--grouping", metavar="NAME", help="name of the grouping, if there are several"
    )
    parser.add_argument(
        "--retrieved-at",
        action="store_true",
        help="of an archive: keep snapshots separate, one row per time",
    )
    parser.add_argument(
        "--out", type=table_file, metavar="FILE", help=".parquet or .csv (default: CSV to stdout)"
    )
    yield parser


def run(arguments: argparse.Namespace) -> None:
    """Flatten all responses, and write them as one table."""
    from engagement_pandas.flattening import flatten, flatten_json, omissions  # noqa: PLC0415
    from engagement_pandas.flattening.flatten_json import concat_counts  # noqa: PLC0415 - pandas

    check_targets(arguments.answers, arguments.out)
    frames, responses = [], []
    for name in arguments.answers:
        if name != "-" and Path(name).is_dir():
            responses += [response for collection in opened(name) for response in collection]
            continue
        body = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        if name == "-" and not body:
            msg = "standard input is empty; pipe a response into it, or name a file"
            raise RequestError(msg)
        try:
            frames.append(flatten_json(body, group_by=arguments.by, grouping=arguments.grouping))
        except EngagementError as error:
            error.add_note(f"in {name}")
            raise
    if not frames and not responses:
        folders = ", ".join(arguments.answers)
        msg = f"there are no responses yet in {folders}; collect the same request again"
        raise ArchiveError(msg)
    if responses:
        frames.append(flatten(responses, arguments.grouping, retrieved_at=arguments.retrieved_at))
        for line in summarize_omissions(omissions(responses)):
            print_message(line)
    write(concat_counts(frames), arguments.out)
