"""Close the explorers of a notebook cell when the cell is run again."""

from __future__ import annotations

import weakref
from typing import Any, Final

import ipywidgets

_SHOWN: Final[dict[str, tuple[str, list[weakref.ref[ipywidgets.Widget]]]]] = {}
"""The last run of each cell, and the explorers created in it."""


def replace_earlier(explorer: ipywidgets.Widget) -> None:
    """Close the explorers that an earlier run of the same cell created.

    ipywidgets keeps every widget until it is closed, and each explorer holds a frame of
    counts, so a cell that is run ten times would hold ten frames. JupyterLab and Notebook 7
    send the cell's ID to the kernel; with other front ends, nothing is closed.
    """
    cell, run = _running()
    if cell is None:
        return
    before, explorers = _SHOWN.get(cell, (run, []))
    if before != run:
        for reference in explorers:
            earlier = reference()
            if earlier is not None:
                earlier.close()
        explorers = []
    _SHOWN[cell] = (run, [*explorers, weakref.ref(explorer)])


def _running() -> tuple[str | None, str]:
    """Return the IDs of the running cell and of this run of it."""
    from IPython import get_ipython  # noqa: PLC0415 - slow, and only a kernel has cells

    shell: Any = get_ipython()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    cell = (parent.get("metadata") or {}).get("cellId")
    return cell, str((parent.get("header") or {}).get("msg_id"))
