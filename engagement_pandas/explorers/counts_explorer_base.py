"""Base of the explorers of counts: a chart, a table, the code, and the selected rows."""

from __future__ import annotations

import base64
import gc
import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ipywidgets
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.explorers.chart_marks import can_show
from engagement_pandas.explorers.explorer_base import Explorer
from engagement_pandas.explorers.export_bar import ExportBar
from engagement_pandas.explorers.indexed_counts import IndexedCounts
from engagement_pandas.explorers.picture import Picture
from engagement_pandas.explorers.widgets import CODE, Chart, Region
from engagement_pandas.plots import post_names
from engagement_pandas.plots.axes import annotate_empty, zoom_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True)
class View:
    """The output for one state of the controls.

    If there is a ``cause``, ``status`` explains below that control what it lacks.
    ``draw`` draws the chart on given Axes, ``status`` is the sentence for the status line, and
    ``code`` is Python code for the same chart. ``table`` takes the swatches of the lines by
    ``gid``, and returns escaped HTML.
    """

    draw: Callable[[Axes], Any]
    status: str
    cause: ipywidgets.Widget | None = None
    table: Callable[[Mapping[str, str]], str] = lambda _: ""
    code: str = ""


class CountsExplorer(Explorer):
    """Base class of explorers that redraw a chart when a control changes, and export rows.

    Subclasses define the output (:meth:`_view`) and the selected rows (:attr:`selection`).
    ``posts`` is the frame passed by the user. The chart is ``height`` inches high and 8 wide.

    ``chart`` and ``table`` are regions of the page with their ``html``; ``chart.label`` describes
    the chart. ``finding`` is a region with the headline, to display elsewhere on the page; it
    follows the explorer.
    """

    def __init__(
        self,
        source: IndexedCounts,
        posts: pd.DataFrame | None,
        controls: Mapping[str, ipywidgets.Widget],
        above: Sequence[ipywidgets.Widget],
        *,
        height: float = 4.2,
    ) -> None:
        self._source: IndexedCounts | None = source
        self.named = posts is not None
        self.posts = naming(source, posts)
        self.names = names_of_posts(source, posts)
        self.code = ""
        self.finding = Region()
        self.chart = Chart(role="img", label="no chart yet")
        self.table = Region(role="group", label="Table", reachable=True)
        self._python = Region(shell=CODE)
        self._picture = Picture(height=height)
        self.export = ExportBar(
            lambda: self.selection,
            self.show_status,
            self._not_exported,
            picture=self._picture.file,
        )
        super().__init__(controls, above, [self.chart, self.table, self._python, self.export])
        self._elsewhere = (self.finding,)
        self.chart.observe(self.guarded(self._zoom), "zoom")

    def _not_exported(self, error: Exception) -> None:
        self.show_error(error, self.export.file)

    @property
    def source(self) -> IndexedCounts:
        """The counts."""
        if self._source is None:
            msg = "this explorer is closed, perhaps because its cell was run again; use the new one"
            raise FrameError(msg)
        return self._source

    @property
    def headline(self) -> str:
        """The sentence above the chart, as :func:`~engagement_pandas.headline` returns it."""
        return self._picture.headline

    @property
    def selection(self) -> pd.DataFrame:
        """The selected counts."""
        raise NotImplementedError

    def _view(self) -> View:
        """Return the output for the current state of the controls."""
        raise NotImplementedError

    def _culprit(self, error: Exception) -> ipywidgets.Widget | None:
        """Return the control to blame for an error; by default none is."""
        del error
        return None

    def _changed(self, change: Any) -> None:
        """Redraw after a change; subclasses first update the other controls."""
        del change
        self.redraw()

    def redraw(self) -> None:
        """Redraw the output; if that fails, report the error and dim the old chart."""
        if self._paused:
            return
        self.chart.busy = True
        try:
            with _uncollected():
                self._show(self._view())
        except Exception as error:  # noqa: BLE001 - shown, or it would be lost
            self.show_error(error, self._culprit(error))
            with self.chart.hold_sync():
                self.chart.stale, self.chart.busy = True, False
            self.table.stale = True
            self.code = self._python.html = ""

    def _show(self, view: View) -> None:
        # Send the chart before the table is computed.
        self._show_chart(self._picture.svg(lambda ax: self._draw(ax, view)))
        table = view.table(self._picture.swatches)
        self.code = view.code
        if view.cause is None:
            self.show_status(view.status)
        else:
            self.show_error(FrameError(view.status), view.cause)
        with self.table.hold_sync():
            self.table.html, self.table.stale = table, False
        self.finding.html = html.escape(self.headline or view.status)
        self._python.html = html.escape(view.code)

    def _draw(self, ax: Axes, view: View) -> None:
        """Draw a view; the zoom remains if the new axis has that part too."""
        view.draw(ax)
        if can_show(ax, self.chart.zoom):
            zoom_in(ax, *self.chart.zoom)
        else:
            with self.paused():
                self.chart.zoom = []

    def _show_chart(self, svg: str) -> None:
        with self.chart.hold_sync():
            self.chart.html, self.chart.label = svg, self._picture.label
            self.chart.header = self._picture.header()
            self.chart.busy = self.chart.stale = False
        # After the chart: the pointer can wait for its values.
        self.chart.marks = self._picture.marks(self.names)

    def _zoom(self, change: Any) -> None:
        """Show the part of the x axis that was chosen in the chart, or all of it."""
        svg = self._picture.zoomed(change.new)
        if svg:
            self._show_chart(svg)
        else:
            self.redraw()

    def close(self) -> None:
        """Remove the explorer from the page and release the counts; repeated calls do nothing."""
        super().close()
        self._source = None

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        if self.chart.html:
            # Shown when the notebook is reopened without a kernel.
            bundle["image/png"] = base64.b64encode(self._picture.png()).decode()
        return bundle


@contextmanager
def _uncollected() -> Iterator[None]:
    """Delay garbage collection, which is as slow as drawing, until the figure is shown."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def naming(source: IndexedCounts, posts: pd.DataFrame | None) -> pd.DataFrame:
    """Return the frame that names posts: the user's, or one with the IDs of the counts."""
    if posts is not None or "post_id" not in source.counts.columns:
        return source.posts if posts is None else posts.copy()  # pandas 2 shares a shallow one
    return source.counts[["post_id"]].drop_duplicates()


def names_of_posts(source: IndexedCounts, posts: pd.DataFrame | None) -> dict[str, str]:
    """Return the display names of posts for the chart, the list and the table."""
    return post_names(source.posts["post_id"], posts=naming(source, posts))


def view_of_nothing(words: str, cause: ipywidgets.Widget | None = None) -> View:
    """Return a view that explains why there is no chart."""
    return View(draw=lambda ax: annotate_empty(ax, words), status=words, cause=cause)
