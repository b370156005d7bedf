"""``report``: one HTML page of a counts file or a data set, for example in a weekly job."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engagement_pandas.cli.options import AGO_HELP, Subparsers, moment
from engagement_pandas.cli.streams import check_output, print_message, print_result
from engagement_pandas.cli.subcommands import SUBCOMMANDS
from engagement_pandas.cli.table_output import check_targets
from engagement_pandas.errors import EngagementError, FrameError
from engagement_pandas.text import pluralize

if TYPE_CHECKING:
    import pandas as pd


def add_to(subcommands: Subparsers) -> Iterable[argparse.ArgumentParser]:
    """Add the subcommand."""
    parser = subcommands.add_parser(
        "report",
        help=SUBCOMMANDS["report"].help,
        description="Write one HTML page that can be sent: the totals of a period against the one "
        "before, charts, top posts with links, the best time to post, and what is not known. It "
        "needs no network, and prints on A4.",
        epilog="examples:\n"
        "  engagement-pandas report engagement.ds --posts posts.csv --out week.html\n"
        "  engagement-pandas report counts.parquet --title Bakery --period 28d --out month.html\n",
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("counts", metavar="COUNTS", help="a file of counts, .parquet or .csv, or a data set")
    add("--posts", metavar="FILE", help="posts with their texts and handles")
    add("--out", metavar="FILE", help=".html (default: stdout)")
    add("--title", default="Engagement report", metavar="TEXT", help="heading of the page")
    add("--period", default="7d", metavar="DAYS", help="length of the period (default: 7d)")
    add("--tz", default="UTC", metavar="ZONE", help="time zone, such as Europe/Berlin")
    add("--omissions", metavar="FILE", help="omissions of a file of counts, .parquet or .csv")
    add(
        "--since",
        type=moment,
        metavar="TIME",
        help=f"first day that is read of a data set: 2026-03-01, {AGO_HELP} (default: all)",
    )
    yield parser


def run(arguments: argparse.Namespace) -> None:
    """Write the page, and report which posts and days it has."""
    from engagement_pandas.plots import report  # noqa: PLC0415 - not for --help, like the next
    from engagement_pandas.sources.read_posts import read_posts  # noqa: PLC0415

    check_targets([arguments.counts, arguments.posts, arguments.omissions], arguments.out)
    if arguments.out is None:
        check_output()
    counts, omissions = _read(arguments)
    posts = None if arguments.posts is None else read_posts(arguments.posts)
    page = report(
        counts, posts, arguments.out, title=arguments.title, period=arguments.period,
        tz=arguments.tz, omissions=omissions,
    )  # fmt: skip
    if arguments.out is None:
        print_result(str(page))
    else:
        print_message(f"{pluralize(len(counts), 'count')} reported in {arguments.out}")


def _read(arguments: argparse.Namespace) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return counts and omissions."""
    if Path(arguments.counts).is_dir() or "://" in arguments.counts:
        return _read_dataset(arguments.counts, arguments.since)
    if arguments.since is not None:
        msg = f"--since is for data sets, and {arguments.counts} is a file; omit it"
        raise FrameError(msg)
    omissions = None if arguments.omissions is None else _read_file(arguments.omissions)
    if omissions is not None and "reason" not in omissions.columns:
        msg = f"{arguments.omissions} has counts, not omissions; name the file of --omissions"
        raise FrameError(msg)
    counts = _read_file(arguments.counts)
    if "reason" in counts.columns:
        msg = f"{arguments.counts} has omissions, not counts; name the file of --out"
        raise FrameError(msg)
    return counts, omissions


def _read_dataset(path: str, since: str | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    from engagement_pandas.dataset.dataset import Dataset  # noqa: PLC0415 - an extra

    dataset = Dataset(path)
    counts = dataset.read(since)
    if not len(counts):
        msg = f"{path} has no counts{f' since {since}' if since else ''}; is it a data set of sync?"
        raise FrameError(msg)
    return counts, dataset.omissions()


def _read_file(name: str) -> pd.DataFrame:
    """Read counts or omissions of this package, or counts of an export of X Analytics."""
    from engagement_pandas.frame import read_csv, read_parquet  # noqa: PLC0415 - pandas
    from engagement_pandas.sources import read_x_analytics  # noqa: PLC0415

    with Path(name).open("rb"):  # whose error names the file
        pass
    if Path(name).suffix == ".parquet":
        return read_parquet(name)
    try:
        return read_csv(name)
    except EngagementError as error:
        with suppress(EngagementError):
            return read_x_analytics(name)
        error.add_note("engagement-pandas import makes counts of other files")
        raise
