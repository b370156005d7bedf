"""``sync``: bring a data set up to date, for example in an hourly job."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from engagement_pandas.cli.archives import resumed_by
from engagement_pandas.cli.exit_codes import PartlyAnswered
from engagement_pandas.cli.options import AGO_HELP, Subparsers, add_json, add_types, moment, silent
from engagement_pandas.cli.post_arguments import add_posts, posts_and_owners
from engagement_pandas.cli.streams import print_json, print_message
from engagement_pandas.cli.subcommands import SUBCOMMANDS
from engagement_pandas.cli.table_output import summarize_omissions
from engagement_pandas.client.url_overrides import url_overrides
from engagement_pandas.dataset.hours_until_final import HOURS_UNTIL_FINAL
from engagement_pandas.errors import AlreadySyncing
from engagement_pandas.request.window import Window
from engagement_pandas.text import pluralize
from engagement_pandas.vocabulary.engagement_types import SERIES_TYPES
from engagement_pandas.vocabulary.limits import MAX_WINDOW

if TYPE_CHECKING:
    from datetime import date

    from engagement_pandas.dataset.dataset import Dataset


def add_to(subcommands: Subparsers) -> Iterable[argparse.ArgumentParser]:
    """Add the subcommand."""
    parser = subcommands.add_parser(
        "sync",
        help=SUBCOMMANDS["sync"].help,
        description="Request the hours that a data set lacks, and those that may still change. It "
        "may be stopped at any point and run again; if another process is syncing the data set, "
        "it reports that and ends. Requires the extra: pip install 'engagement_pandas[dataset]'",
        epilog="credentials and the ledger are as for historical\n\n"
        "example, to run every hour:\n"
        "  engagement-pandas sync engagement.ds posts.csv --since 2026-01-01\n",
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("dataset", metavar="DATASET", help="a folder; created if it does not exist")
    add_posts(parser)
    add_types(parser)
    add(
        "--since",
        type=moment,
        metavar="TIME",
        help=f"UTC: 2026-03-01, {AGO_HELP} (default: 28 days ago, or the first stored day if that "
        "is earlier)",
    )
    add(
        "--settle",
        type=int,
        default=HOURS_UNTIL_FINAL,
        metavar="HOURS",
        help=f"request an hour again until it is this old (default: {HOURS_UNTIL_FINAL})",
    )
    add("--raw", metavar="FOLDER", help="folder for responses (default: raw in DATASET)")
    add("--base-url", metavar="URL", help="URL of the API, if not the usual one")
    add_json(parser)
    yield parser


def run(arguments: argparse.Namespace) -> None:
    """Sync, and report new counts, revisions and omissions."""
    import pandas as pd  # noqa: PLC0415 - not for --help, like the next imports

    from engagement_pandas.auth.ledger import Ledger  # noqa: PLC0415
    from engagement_pandas.auth.signer_choice import default_credentials  # noqa: PLC0415
    from engagement_pandas.client.client import EngagementClient  # noqa: PLC0415
    from engagement_pandas.dataset.dataset import Dataset  # noqa: PLC0415
    from engagement_pandas.dataset.sync import sync  # noqa: PLC0415

    dataset = Dataset(arguments.dataset)
    ids, owners = posts_and_owners(arguments.posts, arguments.missing)
    posts = pd.DataFrame({"post_id": ids, "handle": [owners.get(post) for post in ids]})
    credentials, named = default_credentials(owners), url_overrides(arguments.base_url)
    again = shlex.join(["engagement-pandas", *arguments.typed])
    with (
        EngagementClient(
            credentials, ledger=Ledger.from_env(base_url=named.get("base_url")), **named
        ) as client,
        resumed_by(again, arguments.raw or arguments.dataset),
    ):
        try:
            done = sync(
                client,
                dataset,
                posts,
                engagement_types=arguments.types or SERIES_TYPES,
                since=arguments.since or _since(dataset),
                settle=arguments.settle,
                raw=arguments.raw,
                watch=silent if arguments.quiet else None,
            )
        except AlreadySyncing as error:
            print_message(f"engagement-pandas: {error}")
            return
    for line in summarize_omissions(dataset.omissions()):
        print_message(line)
    print_message(f"{client.now():%Y-%m-%dT%H:%M:%SZ} {dataset.path}: {done}")
    if arguments.json:
        print_json({"dataset": dataset.path, **asdict(done)})
    if done.failed:
        msg = f"{pluralize(len(done.failed), 'post')} without a response; see above"
        raise PartlyAnswered(msg)


def _since(dataset: Dataset) -> date:
    """Return the day 28 days ago, or the first stored day if that is earlier."""
    back = (Window.last().end - MAX_WINDOW).date()
    return min(back, dataset.first_day or back)
