"""Export of a selection to Parquet or CSV; files are replaced only on request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import ipywidgets
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.explorers.controls import button, control
from engagement_pandas.frame import write_csv, write_parquet

WRITERS: Final[Mapping[str, Callable[[pd.DataFrame, Path], None]]] = {
    ".parquet": write_parquet,
    ".csv": write_csv,
}
"""Writer functions by file suffix."""


def export(frame: pd.DataFrame, name: str, *, replace: bool) -> str:
    """Write a frame, and return a sentence with the number of rows and the path.

    >>> export(pd.DataFrame(), "selection.xlsx", replace=False)
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: 'selection.xlsx' ends in neither .parquet nor .csv; ...
    """
    path = Path(name.strip()).expanduser()
    if path.suffix.lower() not in WRITERS:
        msg = f"{name!r} ends in neither {' nor '.join(WRITERS)}; rename it"
        raise FrameError(msg)
    if path.exists() and not replace:
        msg = f"the file {str(path)!r} exists already; choose another name, or tick Replace"
        raise FrameError(msg)
    if not path.absolute().parent.is_dir():
        folder = str(path.absolute().parent)
        msg = f"the folder {folder!r} does not exist; create it, or choose another"
        raise FrameError(msg)
    WRITERS[path.suffix.lower()](frame, path)
    return f"Exported {len(frame):,} rows to {path.absolute()}"


class ExportBar(ipywidgets.HBox):
    """A text box for a file name, and an export button.

    ``frame`` returns the frame to write. ``done`` is called with the sentence of :func:`export`,
    ``failed`` with the exception.
    """

    def __init__(
        self,
        frame: Callable[[], pd.DataFrame],
        done: Callable[[str], None],
        failed: Callable[[Exception], None],
        *,
        file: str = "selection.parquet",
    ) -> None:
        # Sent when the box loses focus: letter by letter, a click on Export could overtake it.
        self.file = control(ipywidgets.Text, "File", value=file, continuous_update=False)
        self.file.layout.flex = "1 1 220px"
        self.replace = ipywidgets.Checkbox(
            description="Replace", indent=False, layout={"width": "auto", "margin": "2px 4px"}
        )
        self.button = button("Export", "Write the selection as Parquet or CSV")

        def write(_: Any) -> None:
            try:
                done(export(frame(), self.file.value, replace=self.replace.value))
            except Exception as error:  # noqa: BLE001 - shown, or it would be lost
                failed(error)

        self.button.on_click(write)
        super().__init__(
            [self.file, self.replace, self.button],
            layout={"flex_flow": "row wrap", "align_items": "center"},
        )
