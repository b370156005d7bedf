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

    _esm = _HERE / "guard.js"
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

    _esm = _HERE / "region.js"
    html = traitlets.Unicode("").tag(sync=True)
    shell = traitlets.Unicode("").tag(sync=True)
    role = traitlets.Unicode("").tag(sync=True)
    label = traitlets.Unicode("").tag(sync=True)
    busy = traitlets.Bool(default_value=False).tag(sync=True)
    stale = traitlets.Bool(default_value=False).tag(sync=True)
    reachable = traitlets.Bool(default_value=False).tag(sync=True)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        # The content is shown where there is no kernel.
        bundle: Any = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle
        return data | {"text/html": self.html}, metadata
