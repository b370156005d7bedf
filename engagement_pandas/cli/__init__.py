"""The command line; each module has one subcommand or several similar ones.

Results go to standard output or into files; everything else goes to standard error.

Imports ``client``, ``auth``, ``dataset``, ``plots``, ``flattening``, ``sources``, ``frame``,
``response``, ``request``, ``sandbox`` and the ground.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from engagement_pandas import __version__
from engagement_pandas.cli.errors_in_words import in_words
from engagement_pandas.cli.exit_codes import EXIT_CODES, EXIT_CODES_HELP
from engagement_pandas.cli.signals import ended_by_signals
from engagement_pandas.cli.streams import hide_messages, output, print_notice, usable_streams
from engagement_pandas.cli.subcommands import SUBCOMMANDS

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
        arguments = parser(argv[0] if argv else "").parse_args(argv, argparse.Namespace(typed=argv))
    except SystemExit:
        with output():  # failing to print --help is an error
            raise
    import logging  # noqa: PLC0415 - slow, and not for --help

    logging.basicConfig(
        level=logging.INFO if arguments.verbose else logging.WARNING,
        format="%(levelname)s %(message)s",
    )
    hide_messages(hidden=arguments.quiet)
    arguments.run(arguments)


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    print_notice(f"engagement-pandas: {message}")


def parser(subcommand: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of a subcommand, or of all; of the others, it knows name and help only."""
    command = argparse.ArgumentParser(
        prog="engagement-pandas",
        description="X's Engagement API as tidy tables. Start with: engagement-pandas demo",
        epilog=EXIT_CODES_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    subcommands = command.add_subparsers(required=True, metavar="COMMAND")
    wanted = dict.fromkeys(
        row.module for name, row in SUBCOMMANDS.items() if subcommand in {None, name}
    )
    for module in wanted:
        from engagement_pandas.cli.options import add_verbosity  # noqa: PLC0415 - not for --help

        for added in import_module(f"{__name__}.{module}").add_to(subcommands):
            added.formatter_class = argparse.RawDescriptionHelpFormatter
            added.epilog = "\n".join(filter(None, (added.epilog, EXIT_CODES_HELP)))
            add_verbosity(added)
            _complete_files(added)
    for name, row in SUBCOMMANDS.items():
        if row.module not in wanted:
            subcommands.add_parser(name, help=row.help)
    return command


def _complete_files(parser: argparse.ArgumentParser) -> None:
    """Let shells complete file names: attributes that shtab reads, as ``shtab.FILE``."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public name for them
        if str(action.metavar) in _FILES:
            action.complete = _FILE_NAMES  # type: ignore[attr-defined]
