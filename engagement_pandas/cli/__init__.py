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

from engagement_pandas import __version__
from engagement_pandas.cli import (
    accounts,
    demo,
    fetch,
    flatten,
    import_files,
    login,
    report,
    runs,
    sandbox,
    sync,
    verify,
)
from engagement_pandas.cli.exit_codes import EXIT_CODES, EXIT_CODES_HELP, in_words
from engagement_pandas.cli.options import hide_messages, print_notice
from engagement_pandas.cli.signals import ended_by_signals
from engagement_pandas.cli.streams import output, usable_streams

_MODULES: Final = (
    demo, fetch, sync, runs, report, flatten, import_files, verify, sandbox, login, accounts,
)  # fmt: skip

_FILES: Final = frozenset({"FILE", "FOLDER", "POSTS", "ANSWERS", "DATASET", "COUNTS"})
"""Metavariables of files and folders."""

_FILE_NAMES: Final = {"bash": "_shtab_compgen_files", "zsh": "_files", "tcsh": "f"}


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
            print_notice(f"engagement-pandas: {in_words(error)}{notes}")
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
    hide_messages(hidden=arguments.quiet)
    arguments.run(arguments)


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    print_notice(f"engagement-pandas: {message}")


def parser() -> argparse.ArgumentParser:
    """Return the parser of all subcommands."""
    command = argparse.ArgumentParser(
        prog="engagement-pandas",
        description="X's Engagement API as tidy tables. Start with: engagement-pandas demo",
        epilog=EXIT_CODES_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    verbs = command.add_subparsers(required=True, metavar="COMMAND")
    for module in _MODULES:
        for verb in module.add_to(verbs):
            verb.formatter_class = argparse.RawDescriptionHelpFormatter
            verb.epilog = "\n".join(filter(None, (verb.epilog, EXIT_CODES_HELP)))
            loud = verb.add_mutually_exclusive_group()
            loud.add_argument("-v", "--verbose", action="store_true", help="report each wait")
            loud.add_argument(
                "-q", "--quiet", action="store_true", help="report only errors and warnings"
            )
            _complete_files(verb)
    return command


def _complete_files(parser: argparse.ArgumentParser) -> None:
    """Let shells complete file names: attributes that shtab reads, as ``shtab.FILE``."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public name for them
        if str(action.metavar) in _FILES:
            action.complete = _FILE_NAMES  # type: ignore[attr-defined]
