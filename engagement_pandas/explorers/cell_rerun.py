"""A cell that is run again replaces its explorers: what it showed before is gone from the page."""

from __future__ import annotations

import weakref
from typing import Any, Final

import ipywidgets

_SHOWN: Final[dict[str, tuple[str, list[weakref.ref[ipywidgets.Widget]]]]] = {}
"""By cell: its last run, and the explorers that were made in it."""


def replace_earlier(explorer: ipywidgets.Widget) -> None:
    """Close the explorers that an earlier run of the same cell made.

    ipywidgets keeps every widget until it is closed, and with it, here, a frame of counts;
    a cell that is run ten times would hold ten. Front ends tell the kernel which cell runs
    (JupyterLab, Notebook 7); where none does, nothing is closed.
    """
    cell, run = _running()
    if cell is None:
        return
    before, made = _SHOWN.get(cell, (run, []))
    if before != run:
        for reference in made:
            earlier = reference()
            if earlier is not None:
                earlier.close()
        made = []
    _SHOWN[cell] = (run, [*made, weakref.ref(explorer)])


def _running() -> tuple[str | None, str]:
    """Return the cell that is running, and which run of it this is."""
    from IPython import get_ipython  # noqa: PLC0415 - slow, and only a kernel has cells

    shell: Any = get_ipython()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    cell = (parent.get("metadata") or {}).get("cellId")
    return cell, str((parent.get("header") or {}).get("msg_id"))
