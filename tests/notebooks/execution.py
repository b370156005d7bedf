"""Execution of a notebook to its end, and its environment."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engagement_pandas.auth.credentials import VARIABLES
from engagement_pandas.sandbox import SandboxServer

if TYPE_CHECKING:
    from nbformat import NotebookNode

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))

FROM_FILES = ("06_from_an_export",)
"""Notebooks that read files of the repository and need no API, so they are never live."""

_EXPORTS = NOTEBOOKS[0].parent / "exports"
_TIMEOUT = 500
_DAYS = timedelta(days=100)
_NOT_INHERITED = {
    "MPLBACKEND",  # agg, as in conftest.py, would suppress all pictures
    *(
        f"{prefix}_{name}"
        for prefix in ("X", "TWITTER")
        for name in ("BASE_URL", "TOKEN_URL", "POSTS")
    ),
    *VARIABLES.values(),
    *(variable.replace("X_", "TWITTER_", 1) for variable in VARIABLES.values()),
}


@dataclass(frozen=True)
class Executed:
    """A notebook with the outputs of its cells."""

    path: Path
    live: bool
    book: NotebookNode

    @property
    def outputs(self) -> list[NotebookNode]:
        """All outputs, in order."""
        return [output for cell in code(self.book) for output in cell.outputs]

    @property
    def texts(self) -> str:
        """All text in the outputs."""
        bundles = [output.get("data", {}) for output in self.outputs]
        texts = [
            bundle[media_type]
            for bundle in bundles
            for media_type in bundle
            if media_type.startswith("text/")
        ]
        return "\n".join([*texts, *(output.get("text", "") for output in self.outputs)])


def cells(path: Path) -> list[dict[str, Any]]:
    """Return the cells of a notebook's file, each source as one text.

    nbformat would do this too, but its import builds a grammar, which takes seconds in each worker.
    """
    raw_cells: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell | {"source": "".join(cell["source"])} for cell in raw_cells]


def code(book: NotebookNode) -> list[NotebookNode]:
    """Return the code cells of a notebook."""
    return [cell for cell in book.cells if cell.cell_type == "code"]


def environment(folder: Path) -> dict[str, str]:
    """Return a kernel's variables: those of this process, without credentials and backend."""
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    return inherited | {"IPYTHONDIR": str(folder / ".ipython")}


def keys(server: SandboxServer) -> dict[str, str]:
    """Return the environment variables of a user with access to that server."""
    generated = server.keys()
    keys_by_variable = {variable: getattr(generated, name) for name, variable in VARIABLES.items()}
    return keys_by_variable | {"X_BASE_URL": server.base_url, "X_TOKEN_URL": server.token_url}


def write_posts(server: SandboxServer, path: Path) -> None:
    """Write a file of posts, as a user with access would."""
    posts = server.world.posts(since=server.world.now() - _DAYS)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["post_id", "text"])
        writer.writerows([post.post_id, post.text] for post in posts)


async def execute(path: Path, folder: Path, variables: Mapping[str, str]) -> NotebookNode:
    """Run a notebook in a folder, and return it with its outputs."""
    import nbformat  # noqa: PLC0415 - takes seconds
    from nbclient import NotebookClient  # noqa: PLC0415 - takes seconds

    shutil.copytree(_EXPORTS, folder / _EXPORTS.name, dirs_exist_ok=True)
    book = nbformat.read(path, as_version=4)
    client = NotebookClient(
        book, timeout=_TIMEOUT, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    await client.async_execute(env=environment(folder) | variables)
    return book
