"""The subcommands: their modules, and what they do in one line.

Only the module of the given subcommand is imported, so that ``--help`` needs none.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class Verb(NamedTuple):
    """The module of a subcommand, in this room, and its line of help."""

    module: str
    help: str


VERBS: Final[Mapping[str, Verb]] = MappingProxyType(
    {
        "demo": Verb("demo", "try all three endpoints offline, on synthetic counts"),
        "totals": Verb("fetch", "fetch counts: totals since the post was made"),
        "last-28-hours": Verb("fetch", "fetch counts: the 28 hours before the request"),
        "historical": Verb("fetch", "fetch counts: any window of at most 28 days since 2014-09-01"),
        "sync": Verb("sync", "update a data set of hourly counts"),
        "runs": Verb("runs", "list what the last runs of sync did"),
        "report": Verb("report", "write a page with the figures, charts and top posts of a period"),
        "flatten": Verb("flatten", "convert stored responses of the API to a table"),
        "import": Verb("import_files", "read counts from exports and archives into a table"),
        "verify": Verb("verify", "find damaged or missing responses"),
        "sandbox": Verb("sandbox", "run an offline twin of the API on this machine"),
        "login": Verb("login", "authorise the app for an owner of posts"),
        "accounts": Verb(
            "accounts",
            "list the accounts that have authorised the app, and the handles of this month",
        ),
    }
)
"""The subcommands by name, in the order of the help."""
