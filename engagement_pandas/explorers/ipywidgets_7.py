"""Differences between ipywidgets 7.7 and 8: the display of a widget, and uploaded files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets


class DisplayedBox(ipywidgets.VBox):
    """A box that IPython displays by its MIME bundle, to which subclasses add."""

    if not hasattr(ipywidgets.VBox, "_repr_mimebundle_"):
        # ipywidgets 7.7 displays a widget by this method, which IPython would prefer.
        _ipython_display_ = None

        def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
            view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
            return {"text/plain": repr(self), "application/vnd.jupyter.widget-view+json": view}


def uploaded(upload: ipywidgets.FileUpload) -> tuple[str, bytes | memoryview] | None:
    """Return the name and content of the uploaded file; None if there is none.

    >>> uploaded(ipywidgets.FileUpload()) is None
    True
    """
    files = upload.value
    if isinstance(files, Mapping):  # ipywidgets 7.7 has the files by their names
        files = [{"name": name, **file} for name, file in files.items()]
    return (files[0]["name"], files[0]["content"]) if files else None
