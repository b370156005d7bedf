"""``login``: authorise the app for an owner of posts, by PIN."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from engagement_pandas.cli.options import Subparsers
from engagement_pandas.cli.streams import print_notice
from engagement_pandas.cli.subcommands import SUBCOMMANDS
from engagement_pandas.errors import RequestError


def add_to(subcommands: Subparsers) -> Iterable[argparse.ArgumentParser]:
    """Add the subcommand."""
    parser = subcommands.add_parser(
        "login",
        help=SUBCOMMANDS["login"].help,
        description="Authorise the app for an owner of posts: visit a page of X, and type the PIN "
        "that it shows. The owner's tokens are stored in a file that only you can read "
        "(X_ACCOUNTS names another), or in the system's keyring; they are never printed.",
        epilog="the app's keys come from the environment: X_CONSUMER_KEY and X_CONSUMER_SECRET\n\n"
        "example:\n  engagement-pandas login --keyring\n",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "--keyring",
        dest="tokens_in",
        action="store_const",
        const="keyring",
        default="file",
        help="store the tokens in the system's keyring (an extra)",
    )
    parser.add_argument(
        "--login-url", metavar="URL", help="URL of the login, if not the documented one"
    )
    yield parser


def run(arguments: argparse.Namespace) -> None:
    """Print the URL of the page, read the PIN, and store the tokens."""
    from engagement_pandas.auth.accounts import Accounts  # noqa: PLC0415 - not for --help
    from engagement_pandas.auth.pin_login import login  # noqa: PLC0415

    accounts = Accounts(tokens_in=arguments.tokens_in)
    login(into=accounts, login_url=arguments.login_url, ask=_ask, tell=print_notice)


def _ask(prompt: str) -> str:
    """Prompt on standard error, since standard output is for results only."""
    print_notice(prompt, end="")
    try:
        line = sys.stdin.readline()
    except UnicodeDecodeError as error:
        msg = f"the PIN is not text: {error}"
        raise RequestError(msg) from error
    if not line:
        print_notice("")  # end the line of the prompt
        raise EOFError
    return line
