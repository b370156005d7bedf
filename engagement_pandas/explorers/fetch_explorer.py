"""Explorer that sends requests to the API: plan, cost, progress and omissions."""

from __future__ import annotations

import html
import warnings
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import ipywidgets
import pandas as pd

from engagement_pandas import plots
from engagement_pandas.errors import FrameError, InvalidWindow, RequestError
from engagement_pandas.explorers.controls import INDENT, button, control, line, offer, side_by_side
from engagement_pandas.explorers.counts_explorer_base import naming
from engagement_pandas.explorers.explorer_base import Explorer
from engagement_pandas.explorers.export_bar import ExportBar
from engagement_pandas.explorers.fetch_thread import Cancelled, FetchThread
from engagement_pandas.explorers.generated_code import call, variable
from engagement_pandas.explorers.html_tables import LISTED, Column, table
from engagement_pandas.explorers.indexed_counts import IndexedCounts
from engagement_pandas.explorers.ipywidgets_7 import uploaded
from engagement_pandas.explorers.picture import Picture
from engagement_pandas.explorers.request_form import (
    ENDPOINTS,
    OWNED,
    code_of,
    groupings_of,
    lines_of,
    request_of,
    types_of,
)
from engagement_pandas.explorers.selection import first_choice
from engagement_pandas.explorers.widgets import CODE, Region
from engagement_pandas.frame.html_cells import link, number, text
from engagement_pandas.request.plan import Plan, plan
from engagement_pandas.request.post_files import handles_in, records_in
from engagement_pandas.request.post_ids import parse_post_ids
from engagement_pandas.request.request import EngagementRequest, totals
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.text import pluralize
from engagement_pandas.vocabulary.endpoints import Endpoint
from engagement_pandas.vocabulary.engagement_types import PUBLIC_TYPES

if TYPE_CHECKING:
    from engagement_pandas.client.client import EngagementClient
    from engagement_pandas.client.progress import Progress

DAYS: Final = 28
"""Number of days in the initial window, up to the present."""

SHOWN: Final = 10
"""Number of counts in the table."""

FILES: Final = ".csv,.tsv,.txt,.json,.jsonl,.ndjson,.js,.gz,.bz2,.xz,.zip,.zst"
"""Suffixes of files of post IDs that can be loaded."""


class FetchExplorer(Explorer):
    """Use the API without code: see the plan and its cost, fetch, cancel, see omissions.

    Parameters
    ----------
    client : EngagementClient
        Client with the credentials to use; nothing is sent before *Fetch* is pressed.
    posts : iterable of str or int, Series, or frame with a ``post_id`` column, optional
        Initial posts. If the frame has a ``handle`` column and the client has accounts, each
        post is requested with its owner's tokens.

    Attributes
    ----------
    request : EngagementRequest or None
        The request of the controls, or None if it is not complete yet.
    plan : Plan or None
        The plan of the request.
    responses : list of EngagementResponse
        Responses since *Fetch* was pressed.
    counts : DataFrame
        The tidy counts of the responses.
    omissions : DataFrame
        The posts and types without a count, with reasons.
    unasked : tuple of str
        The posts with unsettled requests, such as after a cancellation.
    code : str
        Python code that sends the same request.
    controls : mapping of str to Widget
        ``ids``, ``endpoint``, ``types``, ``grouping``, ``first`` and ``last``.

    Notes
    -----
    Requests are sent in a thread, so that *Cancel* works: after it, only requests already in
    progress are completed, and all responses are kept.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> demo = ep.demo_client(now="2026-04-15T12:20:00Z")
    >>> explorer = FetchExplorer(demo.public, demo.posts)
    >>> explorer.controls["types"].value = ("favorites", "retweets")
    >>> explorer
    FetchExplorer(1 request for 40 posts, up to 80 counts; nothing is sent before you press Fetch)
    >>> explorer.fetch()
    >>> explorer.wait()
    >>> explorer.counts.columns.to_list()
    ['post_id', 'engagement_type', 'count']
    >>> explorer.close(); demo.close()
    """

    def __init__(self, client: EngagementClient, posts: Any = None) -> None:
        self._client = client
        self._run: FetchThread | None = None
        self._posts = posts if isinstance(posts, pd.DataFrame) else None
        self.request: EngagementRequest | None = None
        self.plan: Plan | None = None
        self.code = ""
        first = totals(["1"] if posts is None else posts, engagement_types=OWNED)
        self._first = tuple(map(str, PUBLIC_TYPES)) if client.refusal(first) else OWNED
        # With one owner's tokens the handles do not matter, and fewer requests are needed.
        self._owners = first.owners if client.refusal(first.replace(owners={})) else None
        now = client.now()
        controls: dict[str, ipywidgets.Widget] = {
            "ids": control(
                ipywidgets.Textarea,
                "Posts",
                value="" if posts is None else lines_of(first.post_ids),
                placeholder="IDs or links of posts, with any separators",
                rows=5,
                continuous_update=False,  # otherwise Fetch could overtake the typing
            ),
            "endpoint": control(
                ipywidgets.Dropdown,
                "Request",
                options=[(words, endpoint) for endpoint, words in ENDPOINTS.items()],
            ),
            "types": control(ipywidgets.SelectMultiple, "Types", rows=7),
            "grouping": control(ipywidgets.Dropdown, "Counts by"),
            "first": control(
                ipywidgets.DatePicker, "From (UTC)", value=(now - timedelta(days=DAYS - 1)).date()
            ),
            "last": control(ipywidgets.DatePicker, "To (UTC)", value=now.date()),
        }
        self.upload = ipywidgets.FileUpload(
            accept=FILES, multiple=False, description="Load IDs", layout={"width": "auto"}
        )
        self.start = button("Fetch", "Send the requests of the plan", button_style="primary")
        self.cancel = button("Cancel", "Send no more requests", disabled=True)
        self.bar = ipywidgets.IntProgress(
            value=0, max=1, layout={"flex": "1 1 200px", "width": "auto", "visibility": "hidden"}
        )
        self.price = Region(role="group", label="The plan", reachable=True)
        self.chart = Region(role="img", label="no chart yet", reachable=True)
        self.first = Region(role="group", label="Counts", reachable=True)
        self.table = Region(role="group", label="Omissions", reachable=True)
        self._python = Region(shell=CODE)
        report = self.show_status, self.show_error
        self.export = ExportBar(lambda: self.counts, *report, file="counts.parquet")
        self._picture = Picture()
        self._fit(controls)
        inputs = [controls[name] for name in ("grouping", "first", "last")]
        question = side_by_side(ipywidgets.VBox(inputs), controls["types"])
        loaded = [controls["ids"], line(self.upload, indent=INDENT)]
        above = [*loaded, controls["endpoint"], question]
        running = line(self.start, self.cancel, self.bar)
        shown = [self.chart, self.first, self.table, self._python, self.export]
        super().__init__(controls, above, [self.price, running, *shown])
        self.upload.observe(self.guarded(self._load), "value")
        self.start.on_click(self.guarded(lambda _: self.fetch()))
        self.cancel.on_click(self.guarded(lambda _: self._cancel()))
        self._update_plan()

    @property
    def run(self) -> FetchThread:
        """The fetch that is running or has ended.

        Raises
        ------
        FrameError
            If nothing has been fetched yet.
        """
        if self._run is None:
            msg = "nothing has been fetched yet; press Fetch"
            raise FrameError(msg)
        return self._run

    @property
    def responses(self) -> list[EngagementResponse]:
        """Responses since *Fetch* was pressed."""
        return list(self.run.responses)

    @property
    def counts(self) -> pd.DataFrame:
        """The tidy counts of the responses.

        Raises
        ------
        FrameError
            If there are no responses; if some are missing, and each count is a sum over all
            of them.
        """
        return self.run.counts

    @property
    def omissions(self) -> pd.DataFrame:
        """The posts and types without a count, with reasons."""
        return self.run.omissions

    @property
    def unasked(self) -> tuple[str, ...]:
        """The posts with unsettled requests."""
        return self.run.unasked

    def fetch(self) -> None:
        """Send the requests of the plan in a thread, like the button *Fetch*.

        Raises
        ------
        RequestError
            If there is no plan, or a fetch is running.
        """
        if self._run is not None and self._run.is_alive():
            msg = "a fetch is running; cancel it first"
            raise RequestError(msg)
        if self.plan is None:
            msg = "there is no plan yet; choose what to request"
            raise RequestError(msg)
        report = self._show_progress, self.guarded(self._ended)
        self._run = FetchThread(self._client, self.plan, *report)
        for region in (self.chart, self.first, self.table):
            region.html = ""
        self._lock(running=True)
        self._run.start()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until the fetch has ended, or until a timeout in seconds."""
        self.run.join(seconds)

    def close(self) -> None:
        """Cancel a running fetch and remove the explorer; repeated calls do nothing."""
        if self._run is not None:
            self._run.cancel()
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        # The plan is shown when the notebook is reopened without a kernel.
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        return bundle | ({"text/html": self.price.html} if self.price.html else {})

    def _cancel(self) -> None:
        self.run.cancel()
        self.cancel.disabled = True
        self.show_status("Cancelling: responses may still arrive")

    def _lock(self, *, running: bool) -> None:
        """Disable the form while a fetch is running."""
        for widget in (*self.controls.values(), self.upload, self.start):
            widget.disabled = running
        self.cancel.disabled = not running
        self.bar.layout.visibility = "visible" if running else "hidden"

    def _show_progress(self, progress: Progress) -> None:
        with self.bar.hold_sync():
            self.bar.max, self.bar.value = progress.total, progress.done
        waiting = f"; {progress.waiting}" if progress.waiting else ""
        requests = pluralize(progress.total, "request")
        self.show_status(f"{progress.done} of {requests} settled{waiting}")

    def _ended(self, error: Exception | None) -> None:
        run = self.run
        self._lock(running=False)
        summary = f"{run.done} of {pluralize(len(run.plan), 'request')} settled"
        if run.responses:
            missing = run.omissions
            self.table.html = _omitted(missing)
            summary += f"; {pluralize(len(missing), 'omission')}; {self._show_counts()}"
        if run.unasked:
            summary += f"; {pluralize(len(run.unasked), 'post')} with unsettled requests"
        if error is None or isinstance(error, Cancelled):
            self.show_status(f"{'Done' if error is None else 'Cancelled'}: {summary}")
        else:
            self.show_error(error)
            self.status.html = html.escape(summary)

    def _show_counts(self) -> str:
        """Show the counts, and return their number, or the reason why there are none."""
        try:
            counts = self.counts
        except FrameError as partial:
            return str(partial)
        if len(counts):
            source = IndexedCounts.of(counts, self._posts)
            choice = first_choice(source)
            plot, keywords = choice.drawing.plot, choice.keywords()
            named = {"posts": naming(source, self._posts)} if choice.lines == "post_id" else {}
            self.chart.html = self._picture.svg(
                lambda ax: getattr(plots, plot)(counts, ax=ax, **keywords, **named)
            )
            self.chart.label = self._picture.label
            self.first.html = _first_rows(counts)
            fetching = code_of(self.run.plan.request, variable(self._client, "client"))
            self.code = f"{fetching}ax = {call(plot, keywords, {}, 'counts')}\n"
            self._python.html = html.escape(self.code)
        return f"{pluralize(len(counts), 'count')} in {variable(self, 'explorer')}.counts"

    def _changed(self, change: Any) -> None:
        if change.owner is self.controls["endpoint"]:
            with self.paused():
                self._fit(self.controls)
        self._update_plan()

    def _fit(self, controls: Mapping[str, Any]) -> None:
        """Update the options to suit the endpoint."""
        endpoint = controls["endpoint"].value
        offer(controls["grouping"], [(words, words) for words in groupings_of(endpoint)])
        types, offered = controls["types"], types_of(endpoint)
        if tuple(types.options) != tuple(offered):
            kept = tuple(name for name in types.value if name in offered)
            types.value = ()
            types.options = offered
            types.value = kept or tuple(name for name in self._first if name in offered)
        for name in ("first", "last"):
            controls[name].layout.display = None if endpoint is Endpoint.HISTORICAL else "none"

    def _load(self, _: Any) -> None:
        """Load the posts of an uploaded file."""
        file = uploaded(self.upload)
        if file is None:
            return
        records = records_in(*file)
        if self._owners is not None:
            self._owners = {**self._owners, **handles_in(records)}
        self.controls["ids"].value = lines_of(parse_post_ids(record.post_id for record in records))

    def _update_plan(self) -> None:
        """Show the plan of the current request, or why there is none."""
        if self._paused:
            return
        self.request = self.plan = None
        self.code = self.price.html = self._python.html = ""
        self.start.disabled = True
        values = {name: control.value for name, control in self.controls.items()}
        needed = {"ids": "paste IDs or links, or load a file", "types": "choose some"}
        for name, words in needed.items():
            if not values[name] or not str(values[name]).strip():
                lacking = "posts" if name == "ids" else "engagement types"
                self.show_status(f"No {lacking} yet: {words}")
                return
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                request = request_of(values, self._client.now(), self._owners)
                refusal = self._client.refusal(request)
            except RequestError as error:
                cause = "last" if isinstance(error, InvalidWindow) else "ids"
                self.show_error(error, self.controls[cause])
                return
        if refusal:
            self.show_error(RequestError(refusal), self.controls["types"])
            return
        per_minute = self._client.quota.limits.get("minute")
        self.request = request
        self.plan = plan(request, per_minute=per_minute, now=self._client.now())
        self.code = code_of(request, variable(self._client, "client"))
        notes = "".join(f"<p>{html.escape(str(warning.message))}</p>" for warning in caught)
        self.price.html = self.plan._repr_html_() + notes
        self._python.html = html.escape(self.code)
        self.start.disabled = False
        self.show_status(
            f"{pluralize(len(self.plan), 'request')} for "
            f"{pluralize(len(request.post_ids), 'post')}, "
            f"up to {pluralize(self.plan.most_counts, 'count')}; "
            "nothing is sent before you press Fetch"
        )


def _first_rows(counts: pd.DataFrame) -> str:
    """Return the first known counts as an HTML table."""
    columns = {
        "post_id": Column("post", link, "line"),
        "engagement_type": Column("type", text),
        "day": Column("day (UTC)", lambda day: f"{day:%Y-%m-%d}", "line"),
        "hour": Column("hour", lambda hour: f"{hour:02d}:00", "line"),
        "count": Column("count", number, "number"),
    }
    known = counts.dropna(subset="count")
    caption = f"The first {SHOWN} of {pluralize(len(known), 'known count')}"
    there = {name: column for name, column in columns.items() if name in counts.columns}
    return table(there, known.head(SHOWN), caption if len(known) > SHOWN else "All known counts")


def _omitted(missing: pd.DataFrame) -> str:
    """Return the omissions as an HTML table."""
    columns = {
        "post_id": Column("post", link, "line"),
        "engagement_type": Column("type", lambda name: text("all" if pd.isna(name) else name)),
        "reason": Column("reason", text),
        "message": Column("message", text),
    }
    first_rows = f"The first {LISTED} of {len(missing):,} omissions"
    caption = first_rows if len(missing) > LISTED else "Omissions: requested, but without a count"
    return table(columns, missing.head(LISTED), caption) if len(missing) else ""
