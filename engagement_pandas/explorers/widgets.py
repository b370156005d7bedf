"""Custom widgets that explorers use in addition to ipywidgets' controls."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import anywidget
import traitlets

ROOT: Final = "engagement-explorer"
"""CSS class of every explorer."""

CODE: Final = (
    '<details><summary>The same in Python</summary><pre tabindex="0" role="group" '
    'aria-label="Python code"><code data-slot></code></pre></details>'
)
"""Shell of a region with collapsed Python code."""

MARK: Final = "engagement-mistake"
"""CSS class of the control that caused an error."""

_HERE: Final = Path(__file__).parent


class KeyGuard(anywidget.AnyWidget):
    """Invisible widget that keeps a control's keys from triggering notebook commands.

    ``root`` is a CSS selector; the closest matching ancestor is guarded. ``zone`` is the time
    zone of the reader's browser, known once the page is shown.
    """

    _esm = _HERE / "keyboard_guard.js"
    _css = _HERE / "page.css"
    root = traitlets.Unicode(f".{ROOT}").tag(sync=True)
    zone = traitlets.Unicode("").tag(sync=True)


class Alert(anywidget.AnyWidget):
    """An error message, ``html``, below the control with the class ``mark`` if there is one."""

    _esm = _HERE / "alert.js"
    html = traitlets.Unicode("").tag(sync=True)
    mark = traitlets.Unicode(MARK).tag(sync=True)


class Region(anywidget.AnyWidget):
    """A part of the page with replaceable content.

    The content is ``html``; the caller must escape all text from outside. ``shell`` is constant
    HTML around it; ``data-slot`` marks where ``html`` goes. ``role`` and ``label`` are the ARIA
    role and name, for screen readers. A region is ``busy`` while newer content is being computed,
    and ``stale`` if it could not be computed. If it is ``reachable``, the Tab key stops here, so
    that it can be scrolled by keyboard.
    """

    _esm = _HERE / "sortable_tables.js"
    html = traitlets.Unicode("").tag(sync=True)
    shell = traitlets.Unicode("").tag(sync=True)
    role = traitlets.Unicode("").tag(sync=True)
    label = traitlets.Unicode("").tag(sync=True)
    busy = traitlets.Bool(default_value=False).tag(sync=True)
    stale = traitlets.Bool(default_value=False).tag(sync=True)
    reachable = traitlets.Bool(default_value=False).tag(sync=True)
    _ipython_display_ = None  # that of ipywidgets 7.7 shows no content, and IPython prefers it

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        # The content is shown where there is no kernel.
        bundle: Any = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle
        return data | {"text/html": self.html}, metadata


class Chart(Region):
    """A chart whose values can be read, whose x axis zoomed, and whose lines picked out.

    The chart remains matplotlib's SVG, as the ``plot_*`` functions draw it; a module of some
    200 lines reads the places of its values from ``marks``, see
    :func:`~engagement_pandas.explorers.chart_marks.readings`. A library that draws in the browser,
    such as plotly, Vega or uPlot, would need a second set of charts, with its own bars, bands
    and maps to write, and more JavaScript to load.

    ``header`` has the headline above the chart and the legend below it, see
    :meth:`~engagement_pandas.explorers.picture.Picture.header`. In HTML they keep their size and
    wrap on a narrow page, and matplotlib's own legend took a third of a redraw.

    ``zoom`` is set in the browser: the ends of the part of the x axis to show, in its own units,
    or empty. The kernel redraws, so that ticks and labels are right.
    """

    _esm = _HERE / "chart.js"
    header = traitlets.Dict().tag(sync=True)
    marks = traitlets.Dict().tag(sync=True)
    zoom = traitlets.List(traitlets.Float(), maxlen=2).tag(sync=True)


class Downloads(anywidget.AnyWidget):
    """Invisible widget that makes the browser save files."""

    _esm = _HERE / "download.js"

    def save(self, name: str, content: bytes) -> None:
        """Let the browser save a file; an explorer on several pages saves it on each."""
        self.send({"name": name, "type": "application/octet-stream"}, [content])
