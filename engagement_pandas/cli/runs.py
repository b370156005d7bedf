"""``runs``: what the last runs of ``sync`` did to a data set."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from errno import ENOENT
from pathlib import Path
from typing import Any

from engagement_pandas.cli.options import Subparsers, add_json
from engagement_pandas.cli.streams import print_json, print_message, print_result
from engagement_pandas.cli.subcommands import SUBCOMMANDS
from engagement_pandas.text import pluralize


def add_to(subcommands: Subparsers) -> Iterable[argparse.ArgumentParser]:
    """Add the subcommand."""
    parser = subcommands.add_parser(
        "runs",
        help=SUBCOMMANDS["runs"].help,
        description="List the last runs of sync that stored something, latest first, one per "
        "line: its time (UTC), when it was stored, new counts and revisions, separated by tabs. "
        "They are read from the log of the data set.",
        epilog="example:\n  engagement-pandas runs engagement.ds\n",
    )
    parser.set_defaults(run=run)
    parser.add_argument("dataset", metavar="DATASET", help="a folder, or a URL")
    parser.add_argument(
        "--last", type=int, default=20, metavar="N", help="number of runs (default: 20)"
    )
    add_json(parser)
    yield parser


def run(arguments: argparse.Namespace) -> None:
    """List the runs."""
    from engagement_pandas.dataset.dataset import Dataset  # noqa: PLC0415 - an extra

    dataset = Dataset(arguments.dataset)
    if dataset.local and not Path(dataset.path).is_dir():
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT), arguments.dataset)
    runs = dataset.runs(arguments.last)
    times = {name: runs[name].dt.strftime("%Y-%m-%dT%H:%M:%SZ") for name in ("started", "stored")}
    rows: list[dict[Any, Any]] = runs.assign(**times).to_dict("records")
    if arguments.json:
        print_json(rows)
        return
    for row in rows:
        added, revised = pluralize(row["added"], "new count"), pluralize(row["revised"], "revision")
        print_result("\t".join([row["started"], row["stored"], added, revised]))
    if not len(runs):
        print_message(
            f"{arguments.dataset} records no run; sync records one when it stores something"
        )
