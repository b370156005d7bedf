"""How a notebook is played to its end, and with which environment."""

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

BOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))

FROM_FILES = ("06_from_an_export",)
"""Notebooks that read files of the repository and need no API, so they are never live."""

_EXPORTS = BOOKS[0].parent / "exports"
_TIMEOUT = 500
_DAYS = timedelta(days=100)
_NOT_INHERITED = {
    "MPLBACKEND",  # agg, as in conftest.py, would silently take every picture away
    *(f"{who}_{name}" for who in ("X", "TWITTER") for name in ("BASE_URL", "TOKEN_URL", "POSTS")),
    *VARIABLES.values(),
    *(variable.replace("X_", "TWITTER_", 1) for variable in VARIABLES.values()),
}


@dataclass(frozen=True)
class Played:
    """A notebook with what its cells gave."""

    path: Path
    live: bool
    book: NotebookNode

    @property
    def outputs(self) -> list[NotebookNode]:
        """All outputs, in order."""
        return [output for cell in code(self.book) for output in cell.outputs]

    @property
    def texts(self) -> str:
        """Everything that can be read in the outputs."""
        bundles = [output.get("data", {}) for output in self.outputs]
        texts = [bundle[kind] for bundle in bundles for kind in bundle if kind.startswith("text/")]
        return "\n".join([*texts, *(output.get("text", "") for output in self.outputs)])


def cells(path: Path) -> list[dict[str, Any]]:
    """Return the cells of a notebook's file, each source as one text.

    nbformat would do it too, but importing it builds a grammar, which takes seconds in each worker.
    """
    read: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell | {"source": "".join(cell["source"])} for cell in read]


def code(book: NotebookNode) -> list[NotebookNode]:
    """Return the code cells of a notebook."""
    return [cell for cell in book.cells if cell.cell_type == "code"]


def environment(folder: Path) -> dict[str, str]:
    """Return this process's variables for a kernel: nobody's keys, and a backend of its own."""
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    return kept | {"IPYTHONDIR": str(folder / ".ipython")}


def keys(server: SandboxServer) -> dict[str, str]:
    """Return what is in the environment of somebody who has a contract with that server."""
    made = server.keys()
    named = {variable: getattr(made, name) for name, variable in VARIABLES.items()}
    return named | {"X_BASE_URL": server.base_url, "X_TOKEN_URL": server.token_url}


def write_posts(server: SandboxServer, path: Path) -> None:
    """Write a file of posts, as somebody who has a contract would."""
    posts = server.world.posts(since=server.world.now() - _DAYS)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["post_id", "text"])
        writer.writerows([post.post_id, post.text] for post in posts)


async def play(path: Path, folder: Path, variables: Mapping[str, str]) -> NotebookNode:
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
