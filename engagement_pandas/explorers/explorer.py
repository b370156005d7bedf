"""What all explorers have in common: controls, a status line, a chart, a table, the code."""

from __future__ import annotations

import base64
import html
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import ipywidgets
import pandas as pd

from engagement_pandas.errors import EngagementError, FrameError
from engagement_pandas.explorers.cells import replace_earlier
from engagement_pandas.explorers.export import ExportBar
from engagement_pandas.explorers.page import ROOT, Guard, Region
from engagement_pandas.explorers.pictures import Picture
from engagement_pandas.explorers.rows import Rows
from engagement_pandas.plots import post_names
from engagement_pandas.plots.axes import say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

log = logging.getLogger("engagement_pandas")

_CODE: Final = (
    '<details><summary>The same in Python</summary><pre tabindex="0" role="region" '
    'aria-label="Python code"><code data-slot></code></pre></details>'
)


@dataclass(frozen=True, slots=True)
class Telling:
    """What an explorer shows for a state of its controls.

    Attributes
    ----------
    draw : callable
        Draws on Axes.
    status : str
        A sentence on what is shown.
    table : callable
        From the ``gid`` of all that was drawn to HTML, escaped.
    code : str
        Python that makes the same picture.
    """

    draw: Callable[[Axes], Any]
    status: str
    table: Callable[[frozenset[str]], str] = lambda _: ""
    code: str = ""


class Explorer(ipywidgets.VBox):
    """Controls, and what they tell.

    Subclasses make the controls and say what to show (:meth:`_tell`); this class redraws
    when one changes, shows what goes wrong, and cleans up.

    Parameters
    ----------
    controls : mapping of str to Widget
        By their names in Python. Each one's ``value`` is watched.
    above, below : sequence of Widget
        The controls as they are laid out above the chart and below it.
    height : float
        Inches of the chart, which is 8 wide.

    Attributes
    ----------
    controls : mapping of str to Widget
        To be read or set: ``explorer.controls["every"].value = "D"``.
    status, alert, chart, table : Region
        What is on the page; each has its ``html``.
    code : str
        The Python that makes the same picture.
    """

    def __init__(
        self,
        controls: Mapping[str, ipywidgets.Widget],
        above: Sequence[ipywidgets.Widget],
        below: Sequence[ipywidgets.Widget] = (),
        *,
        height: float = 4.2,
    ) -> None:
        self.controls = MappingProxyType(dict(controls))
        self.code = ""
        self.status = Region(role="status")
        self.alert = Region(role="alert")
        self.chart = Region(role="img", label="no chart yet")
        self.table = Region(role="region", label="Table", reachable=True)
        self._python = Region(shell=_CODE)
        self._picture = Picture(height=height)
        self._held = 0
        shown = [self.status, self.alert, self.chart, self.table, self._python]
        super().__init__([Guard(), *above, *shown, *below])
        self.add_class(ROOT)
        for control in self.controls.values():
            control.observe(self.guarded(self._changed), "value")
        replace_earlier(self)

    def _tell(self) -> Telling:
        """Return what to show for the controls as they are now."""
        raise NotImplementedError

    def _changed(self, change: Any) -> None:
        """React to a control; subclasses keep the others in step first."""
        del change
        self.redraw()

    def redraw(self) -> None:
        """Show what the controls say; where that cannot be, say why and dim the old chart."""
        if self._held:
            return
        self.chart.busy = True
        try:
            telling = self._tell()
            svg = self._picture.svg(telling.draw)
            table = telling.table(self._picture.drawn)
        except Exception as error:  # noqa: BLE001 - shown, or nobody would see it
            self.complain(error)
            return
        with self.chart.hold_sync():
            self.chart.html, self.chart.label = svg, self._picture.label
            self.chart.busy = self.chart.stale = False
        self.code = telling.code
        self.alert.html = ""
        self.status.html = html.escape(telling.status)
        self.table.html = table
        self._python.html = html.escape(telling.code)

    def complain(self, error: Exception) -> None:
        """Say what went wrong; the controls stay as they are, and usable."""
        ours = isinstance(error, EngagementError)
        if not ours:
            log.error("%s", error, exc_info=error)
        self.alert.html = html.escape(str(error) if ours else f"{type(error).__name__}: {error}")
        self.status.html = ""
        with self.chart.hold_sync():
            self.chart.stale, self.chart.busy = True, False

    def guarded(self, callback: Callable[..., Any]) -> Callable[..., None]:
        """Return a callback whose exceptions are shown: in a widget nobody else sees them."""

        def call(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception as error:  # noqa: BLE001 - shown, or nobody would see it
                self.complain(error)

        return call

    @contextmanager
    def held(self) -> Iterator[None]:
        """Change several controls, and redraw once."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1

    def close(self) -> None:
        """Take the explorer off the page, with every widget in it; again does nothing."""
        for widget in [*_within(self), self]:
            for part in (getattr(widget, "layout", None), getattr(widget, "style", None)):
                if isinstance(part, ipywidgets.Widget):
                    part.close()
            if widget is not self:
                widget.unobserve_all()
                widget.close()
        super().close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({html.unescape(self.status.html or self.alert.html)})"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        if self.chart.html:
            # A notebook that is opened again without a kernel shows this.
            bundle["image/png"] = base64.b64encode(self._picture.png()).decode()
        return bundle


class CountsExplorer(Explorer):
    """An explorer of a frame of counts: it names posts, and exports what is chosen.

    Parameters
    ----------
    source : Rows
    posts : DataFrame or None
        As the user gave them.
    controls, above, height
        As :class:`Explorer` has them.
    """

    def __init__(
        self,
        source: Rows,
        posts: pd.DataFrame | None,
        controls: Mapping[str, ipywidgets.Widget],
        above: Sequence[ipywidgets.Widget],
        *,
        height: float = 4.2,
    ) -> None:
        self._source: Rows | None = source
        self.named = posts is not None
        self.posts = naming(source, posts)
        self.names = names(source, posts)
        self.export = ExportBar(lambda: self.selection, self._exported, self.complain)
        super().__init__(controls, above, [self.export], height=height)

    @property
    def source(self) -> Rows:
        """The counts.

        Raises
        ------
        FrameError
            Where the explorer is closed, and has let go of them.
        """
        if self._source is None:
            msg = "this explorer is closed, perhaps since its cell was run again; take the new one"
            raise FrameError(msg)
        return self._source

    @property
    def selection(self) -> pd.DataFrame:
        """The counts that are chosen."""
        raise NotImplementedError

    def close(self) -> None:
        """Take the explorer off the page, and let go of the counts; again does nothing."""
        super().close()
        self._source = None

    def _exported(self, sentence: str) -> None:
        self.alert.html = ""
        self.status.html = html.escape(sentence)


def naming(source: Rows, posts: pd.DataFrame | None) -> pd.DataFrame:
    """Return the frame that names posts: the user's, or else one of the counts' own IDs."""
    if posts is not None or "post_id" not in source.counts.columns:
        return source.posts if posts is None else posts
    return source.counts[["post_id"]].drop_duplicates()


def names(source: Rows, posts: pd.DataFrame | None) -> dict[str, str]:
    """Return what each post is called, in the chart, the list and the table."""
    return post_names(source.posts["post_id"], posts=naming(source, posts))


def silent(words: str) -> Telling:
    """Tell why there is no picture."""
    return Telling(draw=lambda ax: say(ax, words), status=words)


def _within(widget: ipywidgets.Widget) -> Iterator[ipywidgets.Widget]:
    """Yield all that is inside a widget, the innermost first."""
    for child in getattr(widget, "children", ()):
        yield from _within(child)
        yield child
