"""Exit codes of the command line, and their meanings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engagement_pandas.cli.signals import HungUp, Terminated
from engagement_pandas.errors import (
    ArchiveError,
    CredentialsError,
    EngagementError,
    FrameError,
    RefusedError,
    RequestError,
    ResponseShapeError,
    TransportError,
    Unauthorized,
)


class NotAgreed(RequestError):
    """A large plan was not confirmed; nothing was sent."""


class PartlyAnswered(EngagementError):
    """An owner's tokens were not accepted, or the responses for a post are invalid."""


class Damaged(ArchiveError):
    """Stored responses are damaged or missing."""


EXIT_CODES: Final[Sequence[tuple[type[BaseException], int, str]]] = (
    (NotAgreed, 8, "a large plan was not confirmed; nothing was sent"),
    (RequestError, 2, "the request is invalid; nothing was sent"),
    (CredentialsError, 3, "credentials are missing or were not accepted"),
    (Unauthorized, 3, "credentials are missing or were not accepted"),
    (RefusedError, 4, "the API rejected the request"),
    (TransportError, 5, "no response was received; try again later"),
    (ResponseShapeError, 6, "a response does not match its request"),
    (Damaged, 9, "stored responses are damaged or missing"),
    (PartlyAnswered, 10, "some posts have no response yet; the others are written"),
    (FrameError, 7, "a file could not be read or written"),
    (OSError, 7, "a file could not be read or written"),
    (EngagementError, 1, "any other error"),
    (HungUp, 129, "stopped by SIGHUP"),
    (Terminated, 143, "stopped by SIGTERM"),
    (KeyboardInterrupt, 130, "stopped by SIGINT (Ctrl-C)"),
)
"""Exit codes by exception; the first matching row applies. 0 means success."""

EXIT_CODES_HELP: Final = "exit codes:\n" + "\n".join(
    f"  {code:<4} {meaning}"
    for code, meaning in {
        0: "success, also if the reader of standard output stops early; omissions are listed on "
        "standard error",
        **{code: meaning for _, code, meaning in sorted(EXIT_CODES, key=lambda row: row[1])},
    }.items()
)
