"""``import``: counts from exports of X Analytics, archives and JSON that people have."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile, is_zipfile

from engagement_pandas.cli.options import Subparsers
from engagement_pandas.cli.streams import print_message
from engagement_pandas.cli.subcommands import SUBCOMMANDS
from engagement_pandas.cli.table_output import check_targets, table_file, write
from engagement_pandas.errors import EngagementError
from engagement_pandas.text import pluralize

if TYPE_CHECKING:
    import pandas as pd

_JSON = (".json", ".jsonl", ".ndjson", ".js", ".zip")
_METRICS = ("public", "organic", "non_public", "promoted")
_GRANULARITIES = ("hourly", "daily", "total")


def add_to(subcommands: Subparsers) -> Iterable[argparse.ArgumentParser]:
    """Add the subcommand."""
    parser = subcommands.add_parser(
        "import",
        help=SUBCOMMANDS["import"].help,
        description="Read counts from files that people have without a contract: the content "
        "export of X Analytics, by-tweet files until 2024, JSON of X API v2 (lookups and "
        "/2/tweets/analytics), twarc's JSONL, and tweets.js of an account's archive, also in its "
        "ZIP. Several exports are snapshots: the "
        "table has the time of each.",
        epilog="examples:\n"
        "  engagement-pandas import account_analytics_content_*.csv --out counts.parquet\n"
        "  engagement-pandas import tweets.js --out counts.csv --posts posts.csv\n",
    )
    parser.set_defaults(run=run)
    parser.add_argument("files", nargs="+", metavar="FILE", help="CSV, XLSX, JSON, JSONL or ZIP")
    parser.add_argument(
        "--out", type=table_file, metavar="FILE", help=".parquet or .csv (default: CSV to stdout)"
    )
    parser.add_argument("--posts", metavar="FILE", help="write the posts too, as .csv")
    parser.add_argument(
        "--retrieved-at",
        metavar="TIME",
        help="when the files were exported, such as 2026-03-01T09:00Z (default: as their names or "
        "twarc state)",
    )
    parser.add_argument(
        "--metrics",
        choices=_METRICS,
        default="public",
        help="which metrics of JSON to read (default: public)",
    )
    parser.add_argument(
        "--granularity",
        choices=_GRANULARITIES,
        help="what was requested of /2/tweets/analytics (default: as the times show)",
    )
    yield parser


def run(arguments: argparse.Namespace) -> None:
    """Read all files, and write their counts, and posts if requested."""
    from engagement_pandas.sources import read_x_analytics  # noqa: PLC0415 - pandas
    from engagement_pandas.sources.read_x_analytics import concatenated  # noqa: PLC0415

    check_targets(arguments.files, arguments.out, arguments.posts)
    tables = [name for name in arguments.files if not _is_json(name)]
    parts = [_json(name, arguments) for name in arguments.files if _is_json(name)]
    if tables:
        parts.append(read_x_analytics(tables, retrieved_at=arguments.retrieved_at))
    counts = parts[0] if len(parts) == 1 else concatenated(parts)
    # Both are read before anything is written.
    posts = _read_posts(arguments.files) if arguments.posts else None
    write(counts, arguments.out)
    if posts is not None:
        _write_posts(posts, arguments.posts)


def _is_json(name: str) -> bool:
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    if suffixes[-1:] == [".zip"] and is_zipfile(name):  # an archive, or a file that was zipped
        with ZipFile(name) as archive:
            suffixes = [Path(member).suffix.lower() for member in archive.namelist()]
        return any(suffix in _JSON for suffix in suffixes)
    return any(suffix in _JSON for suffix in suffixes[-2:])


def _json(name: str, arguments: argparse.Namespace) -> pd.DataFrame:
    from engagement_pandas.sources import (  # noqa: PLC0415 - pandas
        flatten_analytics,
        flatten_lookup,
        v2_omissions,
    )
    from engagement_pandas.sources.v2_json import (  # noqa: PLC0415 - pandas
        document_of,
        is_analytics,
    )

    moment = arguments.retrieved_at
    try:
        document = document_of(Path(name))
        if is_analytics(document):
            grain = arguments.granularity
            counts = flatten_analytics(document, granularity=grain, retrieved_at=moment)
        else:
            counts = flatten_lookup(document, metrics=arguments.metrics, retrieved_at=moment)
        omitted = v2_omissions(document, arguments.metrics)
    except EngagementError as error:
        error.add_note(f"in {name}")
        raise
    if len(omitted):
        reasons = omitted.groupby("reason", observed=True)["post_id"].nunique()
        words = ", ".join(f"{number:,} {reason}" for reason, number in reasons.items())
        posts = pluralize(omitted["post_id"].nunique(), "post")
        print_message(f"{name}: {posts} without counts, or some of them ({words})")
    return counts


def _read_posts(files: Iterable[str]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - slow to import

    from engagement_pandas.sources.read_posts import read_posts  # noqa: PLC0415 - pandas

    posts = pd.concat([read_posts(name) for name in files], ignore_index=True)
    return posts.drop_duplicates("post_id", keep="last", ignore_index=True)


def _write_posts(posts: pd.DataFrame, target: str) -> None:
    from engagement_pandas.frame.csv import write_posts  # noqa: PLC0415 - pandas

    write_posts(posts, target)
    print_message(f"{pluralize(len(posts), 'post')} in {target}")
