"""``sandbox``: run an offline twin of the API until interrupted."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from engagement_pandas.cli.options import Subparsers
from engagement_pandas.cli.streams import print_result
from engagement_pandas.cli.subcommands import SUBCOMMANDS
from engagement_pandas.errors import RequestError


def add_to(subcommands: Subparsers) -> Iterable[argparse.ArgumentParser]:
    """Add the subcommand."""
    parser = subcommands.add_parser(
        "sandbox",
        help=SUBCOMMANDS["sandbox"].help,
        description="Run an offline twin of the API on 127.0.0.1 until Ctrl-C, SIGTERM or SIGHUP, "
        "which end it with exit code 0. All its counts are synthetic. It first prints its URLs and "
        "credentials, as variables for a shell.",
        epilog="example:\n"
        "  engagement-pandas sandbox --now 2026-04-15T12:20:00Z > sandbox.env &\n"
        "  set -a; . ./sandbox.env\n"
        "  engagement-pandas totals 2043975803238093234\n",
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("--port", type=int, default=8765, help="default: 8765; 0 for any free port")
    add("--now", metavar="TIME", help="a fixed time (default: the real time)")
    add("--fault", action="append", metavar="KIND", help="fault to inject; may be repeated")
    add(
        "--fault-rate",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of faulty requests, 0 to 1",
    )
    add(
        "--fault-seed",
        type=int,
        default=0,
        metavar="N",
        help="determines which requests are faulty",
    )
    yield parser


def run(arguments: argparse.Namespace) -> None:
    """Serve until interrupted."""
    from engagement_pandas.sandbox import Faults, serve  # noqa: PLC0415 - not for --help

    try:
        faults = Faults(arguments.fault_rate, arguments.fault_seed, arguments.fault)
        serve(arguments.port, now=arguments.now, faults=faults, write=print_result)
    except (ValueError, OverflowError) as error:
        msg = f"cannot start at port {arguments.port} and time {arguments.now}: {error}"
        raise RequestError(msg) from error
