"""``totals``, ``last-28-hours`` and ``historical``: fetch counts and write them."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engagement_pandas.cli.archives import open_or_temporary_archive
from engagement_pandas.cli.confirm import LONG, MANY, confirm
from engagement_pandas.cli.exit_codes import PartlyAnswered
from engagement_pandas.cli.options import (
    AGO_HELP,
    Subparsers,
    add_types,
    grouping,
    is_relative,
    moment,
    quota,
    silent,
)
from engagement_pandas.cli.post_arguments import Ids, add_posts, posts_and_owners
from engagement_pandas.cli.streams import print_message
from engagement_pandas.cli.subcommands import SUBCOMMANDS
from engagement_pandas.cli.table_output import (
    check_targets,
    check_writable,
    summarize_omissions,
    table_file,
    write,
)
from engagement_pandas.client.url_overrides import url_overrides
from engagement_pandas.request.grouping import GROUPINGS
from engagement_pandas.request.plan import plan
from engagement_pandas.request.request import EngagementRequest, historical, last_28_hours, totals
from engagement_pandas.request.window import Window
from engagement_pandas.text import pluralize
from engagement_pandas.vocabulary.endpoints import Endpoint
from engagement_pandas.vocabulary.engagement_types import (
    PUBLIC_TYPES,
    SERIES_TYPES,
    TOTALS_TYPES,
    EngagementType,
)
from engagement_pandas.vocabulary.limits import EARLIEST, MAX_WINDOW

if TYPE_CHECKING:
    from engagement_pandas.client.client import EngagementClient
    from engagement_pandas.response.response import EngagementResponse

_ENVIRONMENT: Final = """\
credentials come from the environment: X_CONSUMER_KEY, X_CONSUMER_SECRET, X_ACCESS_TOKEN and
X_ACCESS_TOKEN_SECRET of the owner of the posts (TWITTER_... where X_... is not set). Without the
last two, each post is requested with its owner's tokens from engagement-pandas login, if a file
names the handle. X_LEDGER records the requested handles, up to X_HANDLE_LIMIT; X_BASE_URL and
X_TOKEN_URL replace the documented URLs"""

_APP_ONLY: Final = """\
with --app-only: X_BEARER_TOKEN, or X_CONSUMER_KEY and X_CONSUMER_SECRET"""


_WINDOW: Final = ("--start", "--end")


@dataclass(frozen=True, slots=True)
class EndpointSubcommand:
    """The subcommand of one endpoint."""

    name: str
    endpoint: Endpoint
    types: tuple[EngagementType, ...]
    by: str
    question: Callable[[argparse.Namespace, Ids], EngagementRequest]


def add_to(subcommands: Subparsers) -> Iterable[argparse.ArgumentParser]:
    """Add the three subcommands."""
    for subcommand in ENDPOINT_SUBCOMMANDS:
        facts = subcommand.endpoint.facts
        parser = subcommands.add_parser(
            subcommand.name,
            help=SUBCOMMANDS[subcommand.name].help,
            description=f"Fetch counts, {facts.meaning}. A request has at most "
            f"{facts.posts_per_request} posts; more posts take several requests.",
            epilog=f"engagement types: {', '.join(subcommand.types)}\n\n{_ENVIRONMENT}"
            + (f";\n{_APP_ONLY}" if facts.app_only else "")
            + "\n\nexample:\n"
            + f"  engagement-pandas {subcommand.name} posts.csv --out counts.parquet\n",
        )
        parser.set_defaults(run=run, question=partial(_question, subcommand), app_only=False)
        _add_options(parser, subcommand)
        yield parser


def run(arguments: argparse.Namespace) -> None:
    """Fetch, and write counts and omissions; after an error, responses are kept."""
    check_targets(arguments.posts, arguments.out, arguments.omissions)
    request = arguments.question(arguments)
    check_writable(arguments.out)
    if arguments.omissions:
        check_writable(arguments.omissions)
    with (
        _client(arguments, request) as client,
        open_or_temporary_archive(
            arguments.archive, request.endpoint, partial(_again, arguments, request)
        ) as archive,
    ):
        todo = plan(request, per_minute=arguments.per_minute, now=client.now())
        confirm(todo, yes=arguments.yes)
        watch = silent if arguments.quiet else None
        responses = list(client.collect(todo, into=archive, watch=watch))
        _write(responses, arguments)
        if failed := {post for r in responses if r.failed for post in r.request.post_ids}:
            msg = f"{pluralize(len(failed), 'post')} without a response; see above"
            raise PartlyAnswered(msg)


def _write(responses: Sequence[EngagementResponse], arguments: argparse.Namespace) -> None:
    """Write omissions first, since the reader of the counts may close the pipe."""
    from engagement_pandas.flattening import flatten, omissions  # noqa: PLC0415 - pandas

    counts, omitted = flatten(responses), omissions(responses)
    for line in summarize_omissions(omitted):
        print_message(line)
    if arguments.omissions:
        write(omitted, arguments.omissions)
    write(counts, arguments.out)


def _again(arguments: argparse.Namespace, request: EngagementRequest, folder: Path) -> str:
    """Return the command that resumes in a folder, with an explicit window."""
    named = [] if arguments.archive else ["--archive", str(folder)]
    subcommand, *words = arguments.typed
    typed, others = _split_window(words)
    fixed = arguments.start and arguments.end and not is_relative(typed) if typed else False
    if request.window is not None and not fixed:
        words = others
        start, end = (
            f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (request.window.start, request.window.end)
        )
        named += ["--start", start, "--end", end]
    return shlex.join(["engagement-pandas", subcommand, *named, *words])


def _split_window(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the options of the window with their values, and all other words."""
    typed, others = list[str](), list[str]()
    rest = iter(words)
    for word in rest:
        if word in _WINDOW:
            typed += [word, next(rest, "")]
        else:
            (typed if word.partition("=")[0] in _WINDOW else others).append(word)
    return typed, others


def _client(arguments: argparse.Namespace, request: EngagementRequest) -> EngagementClient:
    from engagement_pandas.auth.credentials import AppOnly  # noqa: PLC0415 - not for --help
    from engagement_pandas.auth.ledger import Ledger  # noqa: PLC0415
    from engagement_pandas.auth.signer_choice import default_credentials  # noqa: PLC0415
    from engagement_pandas.client.client import EngagementClient  # noqa: PLC0415

    app = arguments.app_only
    credentials = AppOnly.from_env() if app else default_credentials(request.owners)
    named = url_overrides(arguments.base_url, arguments.token_url)
    return EngagementClient(
        credentials, ledger=Ledger.from_env(base_url=named.get("base_url")), **named
    )


def _question(subcommand: EndpointSubcommand, arguments: argparse.Namespace) -> EngagementRequest:
    posts, owners = posts_and_owners(arguments.posts, arguments.missing)
    return subcommand.question(arguments, posts).replace(owners=owners)


def _totals(arguments: argparse.Namespace, posts: Ids) -> EngagementRequest:
    types = arguments.types or (PUBLIC_TYPES if arguments.app_only else TOTALS_TYPES)
    return totals(posts, engagement_types=types, by=arguments.by)


def _last_28_hours(arguments: argparse.Namespace, posts: Ids) -> EngagementRequest:
    types = arguments.types or SERIES_TYPES
    return last_28_hours(posts, engagement_types=types, by=arguments.by)


def _historical(arguments: argparse.Namespace, posts: Ids) -> EngagementRequest:
    end = (
        Window.last().end if arguments.end is None else Window.covering(EARLIEST, arguments.end).end
    )
    start = end - MAX_WINDOW if arguments.start is None else arguments.start
    window = Window.covering(start, end)
    types = arguments.types or SERIES_TYPES
    return historical(posts, engagement_types=types, window=window, by=arguments.by)


ENDPOINT_SUBCOMMANDS: Final = (
    EndpointSubcommand("totals", Endpoint.TOTALS, TOTALS_TYPES, "post", _totals),
    EndpointSubcommand(
        "last-28-hours", Endpoint.LAST_28_HOURS, SERIES_TYPES, "hour", _last_28_hours
    ),
    EndpointSubcommand("historical", Endpoint.HISTORICAL, SERIES_TYPES, "hour", _historical),
)


def _add_options(parser: argparse.ArgumentParser, subcommand: EndpointSubcommand) -> None:
    add = parser.add_argument
    add_posts(parser)
    add_types(parser)
    add(
        "--by",
        type=grouping,
        default=GROUPINGS[subcommand.by],
        metavar="GROUPING",
        help=f"type, post, day, hour, or dimensions separated by commas (default: {subcommand.by})",
    )
    if subcommand.endpoint is Endpoint.HISTORICAL:
        add(
            "--start",
            type=moment,
            metavar="TIME",
            help=f"UTC: 2026-03-01 or 2026-03-01T09:30:00Z, {AGO_HELP}",
        )
        add(
            "--end",
            type=moment,
            metavar="TIME",
            help="exclusive (default: the last complete hour, 28 days after the start; set it, so "
            "that the same command sends the same request an hour later)",
        )
    if subcommand.endpoint.facts.app_only:
        add("--app-only", action="store_true", help="use a bearer token: public types of any post")
    add("--out", type=table_file, metavar="FILE", help=".parquet or .csv (default: CSV to stdout)")
    add("--omissions", type=table_file, metavar="FILE", help="file for what has no count, and why")
    add(
        "--archive",
        metavar="FOLDER",
        help="keep each response; after an interruption, the same command resumes",
    )
    add(
        "--per-minute",
        type=quota,
        metavar="N",
        help="rate limit of your contract, in requests per minute; shows how long it takes",
    )
    add(
        "--yes",
        action="store_true",
        help=f"send a large plan (over {LONG} minutes, or {MANY} requests without --per-minute) "
        "without confirmation at the terminal",
    )
    add("--base-url", metavar="URL", help="URL of the API, if not the usual one")
    add("--token-url", metavar="URL", help="URL of bearer tokens, if not the usual one")
