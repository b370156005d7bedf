"""What an explorer puts on the page beside ipywidgets' own controls."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import anywidget
import traitlets

ROOT: Final = "engagement-explorer"
"""The CSS class of every explorer."""

CODE: Final = (
    '<details><summary>The same in Python</summary><pre tabindex="0" role="group" '
    'aria-label="Python code"><code data-slot></code></pre></details>'
)
"""The shell of a region with Python in it, folded away."""

_HERE: Final = Path(__file__).parent


class KeyGuard(anywidget.AnyWidget):
    """Keeps keys that belong to a control from the notebook's own commands; it shows nothing.

    Attributes
    ----------
    root : str
        CSS selector of what is guarded: the closest ancestor that it fits.
    """

    _esm = _HERE / "guard.js"
    _css = _HERE / "page.css"
    root = traitlets.Unicode(f".{ROOT}").tag(sync=True)


class Region(anywidget.AnyWidget):
    """A part of the page that stays while what is in it is replaced.

    Attributes
    ----------
    html : str
        What is in it. Whoever sets it has escaped every text that came from outside.
    shell : str
        What stands around, once and for all; ``data-slot`` marks where ``html`` goes.
    role, label : str
        For screen readers: the ARIA role and the name.
    busy, stale : bool
        Whether something newer is being made, or could not be made.
    reachable : bool
        Whether the Tab key stops here, so that the keyboard can scroll it.
    """

    _esm = _HERE / "region.js"
    html = traitlets.Unicode("").tag(sync=True)
    shell = traitlets.Unicode("").tag(sync=True)
    role = traitlets.Unicode("").tag(sync=True)
    label = traitlets.Unicode("").tag(sync=True)
    busy = traitlets.Bool(default_value=False).tag(sync=True)
    stale = traitlets.Bool(default_value=False).tag(sync=True)
    reachable = traitlets.Bool(default_value=False).tag(sync=True)
