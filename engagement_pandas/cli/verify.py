"""``verify``: check the stored responses for damage."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import UTC, datetime

from engagement_pandas.cli.archives import opened
from engagement_pandas.cli.exit_codes import Damaged
from engagement_pandas.cli.options import Subparsers, add_json
from engagement_pandas.cli.streams import print_json, print_message, print_result
from engagement_pandas.cli.subcommands import SUBCOMMANDS
from engagement_pandas.response.archives.answer_files import MANIFEST
from engagement_pandas.text import pluralize


def add_to(subcommands: Subparsers) -> Iterable[argparse.ArgumentParser]:
    """Add the subcommand."""
    parser = subcommands.add_parser(
        "verify",
        help=SUBCOMMANDS["verify"].help,
        description="Read every file of an archive, and list those that are damaged or missing on "
        "standard output, one per line: path, reason and request, separated by tabs. Unfinished "
        "collections, and the times of a snapshot's first and last response, are listed on "
        "standard error; they are not damage.",
        epilog="example:\n  engagement-pandas verify raw/\n",
    )
    parser.set_defaults(run=run)
    parser.add_argument("folder", metavar="FOLDER", help="an archive, or one of its collections")
    add_json(parser)
    yield parser


def run(arguments: argparse.Namespace) -> None:
    """Report damaged and missing files."""
    collections = opened(arguments.folder)
    damages = [damage for collection in collections for damage in collection.verify()]
    rows = []
    for damage in damages:
        part = "the list of requests" if damage.path.name == MANIFEST else "the snapshot"
        lost = part if damage.request is None else repr(damage.request)
        rows.append({"path": str(damage.path), "why": damage.why, "request": lost})
    if arguments.json:
        print_json({"collections": len(collections), "damaged": rows})
    else:
        for row in rows:
            print_result("\t".join(row.values()))
    now = datetime.now(UTC)
    for collection in collections:
        if ages := collection.ages(now):
            print_message(f"{collection.path}: {ages}")
    if damages:
        msg = (
            f"{pluralize(len(damages), 'file')} damaged or missing in {arguments.folder}; fetch "
            "historical counts again, or a recent snapshot after Collection.reopen()"
        )
        raise Damaged(msg)
    for collection in collections:
        if not collection.complete:
            left = pluralize(len(collection.unanswered), "request")
            given_up = not collection.is_recent(now) or collection.ended
            print_message(
                f"{collection.path}: {left} " + ("without a response" if given_up else "to go")
            )
    number = pluralize(len(collections), "collection")
    print_message(f"{number} without damage in {arguments.folder}")
