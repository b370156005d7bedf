"""The command line; each module has one subcommand or several similar ones.

Results go to standard output or into files; everything else goes to standard error.

Imports ``client``, ``auth``, ``dataset``, ``plots``, ``flattening``, ``sources``, ``frame``,
``response``, ``request``, ``sandbox`` and the ground.
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from collections.abc import Sequence
from typing import Final

from engagement_pandas import __version__, errors
from engagement_pandas.cli import (
    accounts,
    demo,
    fetch,
    flatten,
    import_files,
    login,
    sandbox,
    sync,
    verify,
)
from engagement_pandas.cli.confirm import NotAgreed
from engagement_pandas.cli.options import print_message
from engagement_pandas.cli.signals import HungUp, Terminated, ended_by_signals
from engagement_pandas.cli.streams import output, usable_streams

EXIT_CODES: Final[Sequence[tuple[type[BaseException], int, str]]] = (
    (NotAgreed, 8, "a large plan was not confirmed; nothing was sent"),
    (errors.RequestError, 2, "the request is invalid; nothing was sent"),
    (errors.CredentialsError, 3, "credentials are missing or were not accepted"),
    (errors.Unauthorized, 3, "credentials are missing or were not accepted"),
    (errors.RefusedError, 4, "the API rejected the request"),
    (errors.TransportError, 5, "no response was received; try again later"),
    (errors.ResponseShapeError, 6, "a response does not match its request"),
    (verify.Damaged, 9, "stored responses are damaged or missing"),
    (
        fetch.PartlyAnswered,
        10,
        "some posts have no response yet; the others are written",
    ),
    (errors.FrameError, 7, "a file could not be read or written"),
    (OSError, 7, "a file could not be read or written"),
    (errors.EngagementError, 1, "any other error"),
    (HungUp, 129, "stopped by SIGHUP"),
    (Terminated, 143, "stopped by SIGTERM"),
    (KeyboardInterrupt, 130, "stopped by SIGINT (Ctrl-C)"),
)
"""Exit codes by exception; the first matching row applies. 0 means success."""

_CODES: Final = "\n".join(
    f"  {code:<4} {meaning}"
    for code, meaning in {
        0: "success, also if the reader of standard output stops early; omissions are listed on "
        "standard error",
        **{code: meaning for _, code, meaning in sorted(EXIT_CODES, key=lambda row: row[1])},
    }.items()
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code, one of :data:`EXIT_CODES`.

    ``argv`` has the arguments without the program name; by default, those of the process.
    """
    with usable_streams():
        try:
            with ended_by_signals(), warnings.catch_warnings():
                warnings.showwarning = _warn
                _run(sys.argv[1:] if argv is None else argv)
        except BrokenPipeError:
            pass  # the reader of standard output has closed the pipe
        except tuple(error for error, _, _ in EXIT_CODES) as error:
            notes = "".join(f"\n  {note}" for note in getattr(error, "__notes__", ()))
            print_message(f"engagement-pandas: {str(error) or 'stopped'}{notes}")
            return next(code for cls, code, _ in EXIT_CODES if isinstance(error, cls))
    return 0


def _run(argv: Sequence[str]) -> None:
    try:
        arguments = parser().parse_args(argv, argparse.Namespace(typed=argv))
    except SystemExit:
        with output():  # failing to print --help is an error
            raise
    logging.basicConfig(
        level=logging.INFO if arguments.verbose else logging.WARNING,
        format="%(levelname)s %(message)s",
    )
    arguments.run(arguments)


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    print_message(f"engagement-pandas: {message}")


def parser() -> argparse.ArgumentParser:
    """Return the parser of all subcommands."""
    epilog = f"exit codes:\n{_CODES}"
    command = argparse.ArgumentParser(
        prog="engagement-pandas",
        description="X's Engagement API as tidy tables. Start with: engagement-pandas demo",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    verbs = command.add_subparsers(required=True, metavar="COMMAND")
    for module in (demo, fetch, sync, flatten, import_files, verify, sandbox, login, accounts):
        for verb in module.add_to(verbs):
            verb.formatter_class = argparse.RawDescriptionHelpFormatter
            verb.epilog = f"{verb.epilog}\n{epilog}" if verb.epilog else epilog
            verb.add_argument("-v", "--verbose", action="store_true", help="report each wait")
    return command
