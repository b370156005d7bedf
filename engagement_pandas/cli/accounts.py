"""``accounts``: list the accounts that have authorised the app, and this month's use."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from engagement_pandas.cli.options import Subparsers, add_json
from engagement_pandas.cli.streams import print_json, print_message, print_result
from engagement_pandas.cli.subcommands import SUBCOMMANDS

if TYPE_CHECKING:
    from engagement_pandas.auth.account import Account


_COLUMNS: Final = ("handle", "user_id", "authorised", "tokens")


def add_to(subcommands: Subparsers) -> Iterable[argparse.ArgumentParser]:
    """Add the subcommand."""
    parser = subcommands.add_parser(
        "accounts",
        help=SUBCOMMANDS["accounts"].help,
        description="List the owners who have authorised the app, one per line: handle, user ID, "
        "date of authorisation, and place of their tokens. The number of handles requested this "
        "month, which a contract bills, follows from the ledger.",
        epilog="X_ACCOUNTS and X_LEDGER name other files; X_HANDLE_LIMIT is the number of handles "
        "per month in the contract\n\n"
        "example:\n  engagement-pandas accounts --remove @sandbox_bakery\n",
    )
    parser.set_defaults(run=run)
    parser.add_argument("--remove", metavar="HANDLE", help="remove an account and its tokens")
    add_json(parser)
    yield parser


def run(arguments: argparse.Namespace) -> None:
    """List the accounts, or remove one."""
    from engagement_pandas.auth.accounts import Accounts  # noqa: PLC0415 - not for --help
    from engagement_pandas.auth.ledger import Ledger  # noqa: PLC0415
    from engagement_pandas.errors import MissingCredentials  # noqa: PLC0415

    accounts = Accounts()
    if arguments.remove is not None:
        if not accounts.remove(arguments.remove):
            msg = f"{arguments.remove} is not in {accounts.path}; nothing was changed"
            raise MissingCredentials(msg)
        print_message(
            f"removed the tokens of {arguments.remove}; the owner can also revoke the app's access "
            "in X's settings"
        )
        return
    kept = {account.handle: account for account in accounts}
    rows = [_row(handle, kept.get(handle), accounts.source(handle)) for handle in accounts.handles]
    if arguments.json:
        print_json([dict(zip(_COLUMNS, row, strict=True)) for row in rows])
    else:
        for row in rows:
            print_result("\t".join(row))
    if not accounts.handles:
        print_message(
            f"no account has authorised the app yet ({accounts.path}); run engagement-pandas login"
        )
    print_message(str(Ledger.from_env()))


def _row(handle: str, account: Account | None, source: str) -> tuple[str, ...]:
    if account is None:
        return f"@{handle}", "", "", source
    return f"@{handle}", account.user_id, f"{account.added_at:%Y-%m-%d}", source
