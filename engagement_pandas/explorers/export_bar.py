"""Download of a selection and its chart, and export to the disk of the kernel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import ipywidgets
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.explorers.controls import LABEL, button, control, line
from engagement_pandas.explorers.widgets import Downloads
from engagement_pandas.frame import write_csv, write_excel, write_parquet

WRITERS: Final[Mapping[str, Callable[[pd.DataFrame, Path], None]]] = {
    ".parquet": write_parquet,
    ".csv": write_csv,
    ".xlsx": write_excel,
}
"""Writer functions by file suffix."""

PICTURES: Final = (".png", ".svg")
"""File suffixes of a chart."""


def export(frame: pd.DataFrame, name: str, *, replace: bool) -> str:
    """Write a frame, and return a sentence with the number of rows and the path.

    >>> export(pd.DataFrame(), "selection.txt", replace=False)
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: 'selection.txt' ends in none of .parquet, .csv, ...
    """
    path = Path(name.strip()).expanduser()
    if path.suffix.lower() not in WRITERS:
        msg = f"{name!r} ends in none of {', '.join(WRITERS)}; rename it"
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


def contents(frame: pd.DataFrame, suffix: str) -> bytes:
    """Return the content of a file with a frame.

    >>> import engagement_pandas as ep
    >>> contents(ep.flatten_json({"g": {"favorites": "7"}}), ".csv").split()
    [b'engagement_type,count', b'favorites,7']
    """
    with TemporaryDirectory() as folder:
        path = Path(folder, f"rows{suffix}")
        WRITERS[suffix](frame, path)
        return path.read_bytes()


class ExportBar(ipywidgets.VBox):
    """Buttons for downloads, a text box for a file name, and an export button.

    A download goes through the browser, to the reader of the page. An export is a file on the
    disk of the kernel. ``frame`` returns the frame to write, and ``picture`` the content of a
    file with the chart, given ``"png"`` or ``"svg"``; without it, there are no pictures. ``done``
    is called with a sentence, ``failed`` with an exception.
    """

    def __init__(
        self,
        frame: Callable[[], pd.DataFrame],
        done: Callable[[str], None],
        failed: Callable[[Exception], None],
        *,
        file: str = "selection.parquet",
        picture: Callable[[str], bytes] | None = None,
    ) -> None:
        # Sent when the box loses focus: letter by letter, a click on Export could overtake it.
        self.file = control(ipywidgets.Text, "File", value=file, continuous_update=False)
        self.file.layout.flex = "1 1 220px"
        self.replace = ipywidgets.Checkbox(
            description="Replace", indent=False, layout={"width": "auto", "margin": "2px 4px"}
        )
        self.button = button("Export", "Write the selection to the disk of the kernel")
        self.downloads = Downloads()
        self.buttons: dict[str, ipywidgets.Button] = {}

        def attempt(work: Callable[[], str], _: Any) -> None:
            try:
                done(work())
            except Exception as error:  # noqa: BLE001 - shown, or it would be lost
                failed(error)

        def write() -> str:
            return export(frame(), self.file.value, replace=self.replace.value)

        def send(suffix: str) -> str:
            name = f"{Path(self.file.value.strip()).stem or 'selection'}{suffix}"
            if picture is not None and suffix in PICTURES:
                self.downloads.save(name, picture(suffix.removeprefix(".")))
                return f"Downloaded the chart as {name}"
            rows = frame()
            self.downloads.save(name, contents(rows, suffix))
            return f"Downloaded {len(rows):,} rows as {name}"

        for suffix in (*(PICTURES if picture is not None else ()), *reversed([*WRITERS])):
            what = "the chart" if suffix in PICTURES else "the selection"
            name = suffix.removeprefix(".").upper() if suffix != ".parquet" else "Parquet"
            self.buttons[suffix] = button(name, f"Download {what} as {name}")
            self.buttons[suffix].on_click(partial(attempt, partial(send, suffix)))
        self.button.on_click(partial(attempt, write))
        row = ipywidgets.HBox(
            [self.file, self.replace, self.button],
            layout={"flex_flow": "row wrap", "align_items": "center"},
        )
        label = ipywidgets.Label(
            "Download",
            layout={"width": LABEL, "margin": "2px 4px", "justify_content": "flex-end"},
        )
        super().__init__([line(label, *self.buttons.values(), self.downloads), row])
