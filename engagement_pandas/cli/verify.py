"""``verify``: check the stored responses for damage."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import UTC, datetime

from engagement_pandas.cli.archives import opened
from engagement_pandas.cli.options import Verbs, print_message, print_result
from engagement_pandas.errors import ArchiveError
from engagement_pandas.response.answer_files import MANIFEST
from engagement_pandas.text import pluralize


class Damaged(ArchiveError):
    """Stored answers are damaged or missing."""


def add_to(verbs: Verbs) -> Iterable[argparse.ArgumentParser]:
    """Add the subcommand."""
    parser = verbs.add_parser(
        "verify",
        help="tell which stored answers are damaged or missing",
        description="Read every file of an archive, and tell which are damaged or missing, why, "
        "and what to ask again: a line each on standard output, its parts with a tab between "
        "them. What is not finished, and when a snapshot was read, from its first answer to its "
        "last, is told on standard error, and is no damage.",
        epilog="example:\n  engagement-pandas verify raw/\n",
    )
    parser.set_defaults(run=run)
    parser.add_argument("folder", metavar="FOLDER", help="an archive, or one of its collections")
    yield parser


def run(arguments: argparse.Namespace) -> None:
    """Report damaged and missing files."""
    collections = opened(arguments.folder)
    damages = [damage for collection in collections for damage in collection.verify()]
    for damage in damages:
        whole = "the question itself" if damage.path.name == MANIFEST else "the snapshot"
        asked = whole if damage.request is None else repr(damage.request)
        print_result(f"{damage.path}\t{damage.why}\t{asked}")
    now = datetime.now(UTC)
    for collection in collections:
        if ages := collection.ages(now):
            print_message(f"{collection.path}: {ages}")
    if damages:
        msg = (
            f"{pluralize(len(damages), 'file')} damaged or missing in {arguments.folder}; asking "
            "historical again mends it, and a snapshot, after Collection.reopen(), if it is recent"
        )
        raise Damaged(msg)
    for collection in collections:
        if not collection.complete:
            left = pluralize(len(collection.unanswered), "request")
            given_up = not collection.is_recent(now) or collection.ended
            print_message(
                f"{collection.path}: {left} " + ("without an answer" if given_up else "to go")
            )
    print_message(f"{pluralize(len(collections), 'collection')} whole in {arguments.folder}")
