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
from engagement_pandas.cli.options import (
    GROUPINGS,
    Verbs,
    grouping,
    print_message,
    quota,
    split_names,
    summarize_omissions,
    table_file,
    write,
)
from engagement_pandas.cli.post_arguments import Ids, add_posts, told
from engagement_pandas.cli.streams import check_output
from engagement_pandas.client.url_overrides import url_overrides
from engagement_pandas.errors import EngagementError, FrameError
from engagement_pandas.request.plan import plan
from engagement_pandas.request.request import EngagementRequest, historical, last_28_hours, totals
from engagement_pandas.request.window import Window
from engagement_pandas.text import pluralize
from engagement_pandas.vocabulary import (
    EARLIEST,
    MAX_WINDOW,
    PUBLIC_TYPES,
    SERIES_TYPES,
    TOTALS_TYPES,
    Endpoint,
    EngagementType,
)

if TYPE_CHECKING:
    from engagement_pandas.client.client import EngagementClient
    from engagement_pandas.response.response import EngagementResponse

_ENVIRONMENT: Final = """\
credentials come from the environment: X_CONSUMER_KEY, X_CONSUMER_SECRET, X_ACCESS_TOKEN and
X_ACCESS_TOKEN_SECRET of the owner of the posts (TWITTER_... where X_... is unset). Without the
latter two, from who has logged in (engagement-pandas login): each post is asked with the tokens
of its owner, if a file tells the handle. X_LEDGER keeps who was asked for, up to X_HANDLE_LIMIT;
X_BASE_URL and X_TOKEN_URL name another place than the documentation"""

_APP_ONLY: Final = """\
with --app-only X_BEARER_TOKEN, or else X_CONSUMER_KEY and X_CONSUMER_SECRET"""


class PartlyAnswered(EngagementError):
    """An owner's tokens were not accepted, or the responses for a post are invalid."""


@dataclass(frozen=True, slots=True)
class Verb:
    """The subcommand of one endpoint."""

    name: str
    endpoint: Endpoint
    types: tuple[EngagementType, ...]
    by: str
    question: Callable[[argparse.Namespace, Ids], EngagementRequest]


def add_to(verbs: Verbs) -> Iterable[argparse.ArgumentParser]:
    """Add the three subcommands."""
    for verb in VERBS:
        facts = verb.endpoint.facts
        parser = verbs.add_parser(
            verb.name,
            help=f"fetch counts: {facts.meaning}",
            description=f"Fetch counts, {facts.meaning}. {facts.posts_per_request} posts go "
            "into one request; more are asked in several.",
            epilog=f"engagement types: {', '.join(verb.types)}\n\n{_ENVIRONMENT}"
            + (f";\n{_APP_ONLY}" if facts.app_only else "")
            + f"\n\nexample:\n  engagement-pandas {verb.name} posts.csv --out counts.parquet\n",
        )
        parser.set_defaults(run=run, question=partial(_question, verb), app_only=False)
        _add_options(parser, verb)
        yield parser


def run(arguments: argparse.Namespace) -> None:
    """Fetch, and write counts and omissions; after an error, responses are kept."""
    request = arguments.question(arguments)
    _check_place(arguments.out)
    if arguments.omissions:
        _check_place(arguments.omissions)
    with (
        _client(arguments, request) as client,
        open_or_temporary_archive(
            arguments.archive, request.endpoint, partial(_again, arguments, request)
        ) as archive,
    ):
        todo = plan(request, per_minute=arguments.per_minute, now=client.now())
        confirm(todo, yes=arguments.yes)
        responses = list(client.collect(todo, into=archive))
        _tell(responses, arguments)
        if failed := {post for one in responses if one.failed for post in one.request.post_ids}:
            msg = f"{pluralize(len(failed), 'post')} without an answer; see above"
            raise PartlyAnswered(msg)


def _tell(responses: Sequence[EngagementResponse], arguments: argparse.Namespace) -> None:
    """Write omissions first, since the reader of the counts may close the pipe."""
    from engagement_pandas.flattening import flatten, omissions  # noqa: PLC0415 - pandas

    counts, silent = flatten(responses), omissions(responses)
    for line in summarize_omissions(silent):
        print_message(line)
    if arguments.omissions:
        write(silent, arguments.omissions)
    write(counts, arguments.out)


def _again(arguments: argparse.Namespace, request: EngagementRequest, folder: Path) -> str:
    """Return the command that resumes in a folder, with an explicit window."""
    named = [] if arguments.archive else ["--archive", str(folder)]
    if request.window is not None and not (arguments.start and arguments.end):
        start, end = (
            f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (request.window.start, request.window.end)
        )
        named += ["--start", start, "--end", end]
    verb, *words = arguments.typed
    return shlex.join(["engagement-pandas", verb, *named, *words])


def _check_place(target: str | None) -> None:
    """Raise before any request if the output cannot be written."""
    if target is None:
        check_output()
    elif not Path(target).parent.is_dir() or Path(target).is_dir():
        msg = f"{target} cannot be written: it is a folder, or there is none to put it into"
        raise FrameError(msg)


def _client(arguments: argparse.Namespace, request: EngagementRequest) -> EngagementClient:
    from engagement_pandas.auth.credentials import AppOnly  # noqa: PLC0415 - not for --help
    from engagement_pandas.auth.ledger import Ledger  # noqa: PLC0415
    from engagement_pandas.auth.signers import default_credentials  # noqa: PLC0415
    from engagement_pandas.client.client import EngagementClient  # noqa: PLC0415

    app = arguments.app_only
    credentials = AppOnly.from_env() if app else default_credentials(request.owners)
    named = url_overrides(arguments.base_url, arguments.token_url)
    return EngagementClient(
        credentials, ledger=Ledger.from_env(base_url=named.get("base_url")), **named
    )


def _question(verb: Verb, arguments: argparse.Namespace) -> EngagementRequest:
    posts, owners = told(arguments.posts, arguments.missing)
    return verb.question(arguments, posts).replace(owners=owners)


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


VERBS: Final = (
    Verb("totals", Endpoint.TOTALS, TOTALS_TYPES, "post", _totals),
    Verb("last-28-hours", Endpoint.LAST_28_HOURS, SERIES_TYPES, "hour", _last_28_hours),
    Verb("historical", Endpoint.HISTORICAL, SERIES_TYPES, "hour", _historical),
)


def _add_options(parser: argparse.ArgumentParser, verb: Verb) -> None:
    add = parser.add_argument
    add_posts(parser)
    add(
        "--types",
        type=split_names,
        metavar="A,B",
        help="engagement types (default: all, see below)",
    )
    add(
        "--by",
        type=grouping,
        default=GROUPINGS[verb.by],
        metavar="GROUPING",
        help=f"post, day, hour, or dimensions with commas (default: {verb.by})",
    )
    if verb.endpoint is Endpoint.HISTORICAL:
        add("--start", metavar="TIME", help="UTC, as 2026-03-01 or 2026-03-01T09:30:00Z")
        add(
            "--end",
            metavar="TIME",
            help="exclusive (default: 28 days up to the last whole hour; name it, so that the "
            "same command an hour later is the same question)",
        )
    if verb.endpoint.facts.app_only:
        add("--app-only", action="store_true", help="bearer token: public types of any post")
    add("--out", type=table_file, metavar="FILE", help=".parquet or .csv (default: CSV to stdout)")
    add("--omissions", type=table_file, metavar="FILE", help="what has no count, and why")
    add(
        "--archive",
        metavar="FOLDER",
        help="keep each answer as it came; the same command goes on where it was interrupted",
    )
    add(
        "--per-minute",
        type=quota,
        metavar="N",
        help="the quota of your contract, in requests a minute: tells how long it takes",
    )
    add(
        "--yes",
        action="store_true",
        help=f"send a large plan too (over {LONG} minutes, or {MANY} requests without "
        "--per-minute); else a person is asked, and without one nothing is sent",
    )
    add("--base-url", metavar="URL", help="where the API is, if elsewhere")
    add("--token-url", metavar="URL", help="where bearer tokens are, if elsewhere")
