"""``demo``: use all three endpoints of the sandbox, without credentials."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engagement_pandas.cli.options import Subparsers
from engagement_pandas.cli.streams import check_output, print_message, print_result
from engagement_pandas.cli.subcommands import SUBCOMMANDS
from engagement_pandas.cli.table_output import summarize_omissions
from engagement_pandas.errors import RequestError
from engagement_pandas.request.request import historical, last_28_hours, totals
from engagement_pandas.request.window import Window
from engagement_pandas.text import pluralize
from engagement_pandas.vocabulary.engagement_types import SERIES_TYPES, TOTALS_TYPES


def add_to(subcommands: Subparsers) -> Iterable[argparse.ArgumentParser]:
    """Add the subcommand."""
    parser = subcommands.add_parser(
        "demo",
        help=SUBCOMMANDS["demo"].help,
        description="Request counts from all three endpoints of the sandbox, in this process and "
        "without credentials, and write the responses, Parquet files and a chart to a folder. "
        "All counts are synthetic.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("folder", nargs="?", default="engagement-pandas-demo", metavar="FOLDER")
    parser.add_argument("--now", metavar="TIME", help="the time in the sandbox (default: now)")
    yield parser


def run(arguments: argparse.Namespace) -> None:
    """Fetch, flatten, write and plot synthetic counts, and print what was written."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - heavy, like the next imports

    from engagement_pandas.client.demo import demo_client  # noqa: PLC0415
    from engagement_pandas.flattening import flatten, omissions  # noqa: PLC0415
    from engagement_pandas.frame import write_parquet  # noqa: PLC0415
    from engagement_pandas.plots import plot_over_time, plot_top_posts  # noqa: PLC0415
    from engagement_pandas.response.archives.archive import Archive  # noqa: PLC0415

    check_output()
    folder = Path(arguments.folder)
    folder.mkdir(parents=True, exist_ok=True)
    raw = Archive(folder / "raw")
    try:
        demo = demo_client(arguments.now)
    except (ValueError, OverflowError) as error:
        msg = f"--now {arguments.now} is not valid: {error}"
        raise RequestError(msg) from error
    with demo:
        print_message(repr(demo))
        week = Window.last(7, now=demo.server.world.now())
        requests = {
            "totals": totals(demo.posts, engagement_types=TOTALS_TYPES),
            "last_28_hours": last_28_hours(demo.posts, engagement_types=SERIES_TYPES),
            "historical": historical(demo.posts, engagement_types=SERIES_TYPES, window=week),
        }
        responses_by_name = {
            name: list(demo.client.collect(request, into=raw)) for name, request in requests.items()
        }
    lines = []
    for name, responses in responses_by_name.items():
        counts, omitted = flatten(responses), omissions(responses)
        write_parquet(counts, folder / f"{name}.parquet")
        write_parquet(omitted, folder / f"{name}_omissions.parquet")
        lines.append(f"  {name + '.parquet':<24}{pluralize(len(counts), 'count')}")
        lines += [f"  {'':<24}{line}" for line in summarize_omissions(omitted)]
    counts = flatten(responses_by_name["historical"])
    figure = Figure(figsize=(11, 6.5), layout="constrained")
    parts: Any = figure.subfigures(2)
    left, right = parts[0].subplots(1, 2)
    plot_over_time(counts[counts["engagement_type"] == "impressions"], ax=left)
    done = counts["engagement_type"].isin(["engagements", "favorites"])
    plot_over_time(counts[done], ax=right)
    plot_top_posts(counts, n=8, posts=demo.posts, ax=parts[1].subplots())
    figure.suptitle("A week of sandbox_bakery's posts (synthetic counts)")
    figure.savefig(folder / "week.png", dpi=120)
    print_result(
        f"Demo written to {folder}/\n"
        + "\n".join(lines)
        + f"\n  {'week.png':<24}the week, hour by hour, and its best posts; look at this first"
        + f"\n  {'raw/':<24}all responses, unchanged: zcat FILE | tail -n +2"
        + "\nNext, in Python:\n"
        "  import engagement_pandas as ep\n"
        f"  ep.read_parquet({str(folder / 'historical.parquet')!r})"
    )
