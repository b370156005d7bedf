"""The subcommands: their modules, and what they do in one line.

Only the module of the given subcommand is imported, so that ``--help`` needs none.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class Subcommand(NamedTuple):
    """The module of a subcommand, in this room, and its line of help."""

    module: str
    help: str


SUBCOMMANDS: Final[Mapping[str, Subcommand]] = MappingProxyType(
    {
        "demo": Subcommand("demo", "try all three endpoints offline, on synthetic counts"),
        "totals": Subcommand("fetch", "fetch counts: totals since the post was made"),
        "last-28-hours": Subcommand("fetch", "fetch counts: the 28 hours before the request"),
        "historical": Subcommand(
            "fetch", "fetch counts: any window of at most 28 days since 2014-09-01"
        ),
        "sync": Subcommand("sync", "update a data set of hourly counts"),
        "runs": Subcommand("runs", "list what the last runs of sync did"),
        "report": Subcommand(
            "report", "write a page with the figures, charts and top posts of a period"
        ),
        "flatten": Subcommand("flatten", "convert stored responses of the API to a table"),
        "import": Subcommand("import_files", "read counts from exports and archives into a table"),
        "verify": Subcommand("verify", "find damaged or missing responses"),
        "sandbox": Subcommand("sandbox", "run an offline twin of the API on this machine"),
        "login": Subcommand("login", "authorise the app for an owner of posts"),
        "accounts": Subcommand(
            "accounts",
            "list the accounts that have authorised the app, and the handles of this month",
        ),
    }
)
"""The subcommands by name, in the order of the help."""
