"""Every notebook is clean in git, plain to read, and runs for whoever has it."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.inputtransformer2 import TransformerManager
from notebooks.playing import BOOKS, Played, cells, code, environment, keys

from engagement_pandas.sandbox import SandboxServer

if TYPE_CHECKING:
    from nbformat import NotebookNode

ROOT = Path(__file__).parents[2]
RENDER = ROOT / "notebooks" / "render.json"

LINES = 12
"""Of a cell, blank ones not counted."""

CELLS = range(10, 17)

OUR_WORDS = re.compile(
    r"\b(data frame|helper|manager|params?|payload|utils?|tweets?"
    r"|easy|easily|just|leverage|powerful|robust|seamless(ly)?|simply)\b",
    re.IGNORECASE,
)
"""What notebooks do not say: words that the package has others for, and marketing."""

A_MACHINE = re.compile(r"(?<![\w.*:/])/(home|Users|root|tmp|work|mnt|opt|var)\b|\b[A-Z]:\\")

PICTURES = {"image/png", "image/svg+xml"}

every_book = pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)


def rendered(book: NotebookNode) -> str:
    """Return a notebook as a page, with the outputs that it has."""
    from nbconvert.exporters import HTMLExporter  # noqa: PLC0415 - takes seconds
    from traitlets.config import Config  # noqa: PLC0415 - comes with it

    config = Config(json.loads(RENDER.read_text()))
    config.ExecutePreprocessor.enabled = False
    page: str = HTMLExporter(config=config).from_notebook_node(book)[0]
    return page


def code_cells(path: Path) -> list[dict[str, Any]]:
    """Return the code cells of a notebook's file."""
    return [cell for cell in cells(path) if cell["cell_type"] == "code"]


def trees(path: Path) -> list[ast.Module]:
    """Return the syntax of each code cell, its magics made Python."""
    change = TransformerManager().transform_cell
    return [ast.parse(change(cell["source"])) for cell in code_cells(path)]


def bundles(outputs: list[NotebookNode]) -> list[set[str]]:
    """Return in which forms each output is there."""
    return [set(output.get("data", {})) for output in outputs]


def test_they_are_all_there() -> None:
    """None is lost, and whoever adds one has it tested."""
    assert {"01_first_frame", "02_a_posts_life", "03_which_posts_and_when"} <= {
        path.stem for path in BOOKS
    }
    assert {"05_from_job_to_data_set", "06_from_an_export"} <= {path.stem for path in BOOKS}


@pytest.mark.slow
def test_outputs_are_stripped() -> None:
    """As nbstripout leaves them: no outputs, no counters, nothing of a machine."""
    tool = Path(sys.executable).with_name("nbstripout")
    done = subprocess.run(  # noqa: S603 - a command of our own
        [tool, "--verify", *BOOKS], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@every_book
def test_the_format(path: Path) -> None:
    """4.5 with an ID for each cell, and the kernel that every Jupyter has."""
    import nbformat  # noqa: PLC0415 - takes seconds

    book = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(book)
    assert (book.nbformat, book.nbformat_minor) == (4, 5)
    assert book.metadata.kernelspec.name == "python3"
    assert len({cell.id for cell in book.cells}) == len(book.cells)
    assert all(cell.execution_count is None and not cell.outputs for cell in code(book))


@every_book
def test_prose_stands_between_calls(path: Path) -> None:
    """A dozen cells or so, each call after the sentence that says what it is for."""
    kinds = [cell["cell_type"] for cell in cells(path)]
    assert len(kinds) in CELLS
    assert kinds[0] == "markdown"
    assert ("code", "code") not in list(pairwise(kinds))


@every_book
def test_it_opens_with_a_question(path: Path) -> None:
    """And says of the demo's counts what they are, before any is seen."""
    opening = cells(path)[0]["source"]
    assert opening.startswith("# ")
    assert "**The question:**" in opening
    assert "?" in opening
    assert "synthetic" in opening


@every_book
def test_cells_are_calls(path: Path) -> None:
    """Nothing is defined, nothing loops, nothing branches; what needs that is the package's."""
    logic = (
        *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda),
        *(ast.For, ast.AsyncFor, ast.While, ast.If, ast.IfExp, ast.Try),
    )
    nodes = [node for tree in trees(path) for node in ast.walk(tree)]
    assert [type(node).__name__ for node in nodes if isinstance(node, logic)] == []
    assert sum(isinstance(node, ast.comprehension) for node in nodes) <= 1


@every_book
def test_cells_are_short(path: Path) -> None:
    """So that each is seen at a glance."""
    lengths = [
        sum(bool(line.strip()) for line in cell["source"].splitlines()) for cell in code_cells(path)
    ]
    assert max(lengths) <= LINES


@every_book
def test_the_words(path: Path) -> None:
    """Those of the package, and no path of anybody's machine."""
    text = "\n".join(cell["source"] for cell in cells(path))
    assert OUR_WORDS.search(text) is None
    assert A_MACHINE.search(text) is None


def test_the_words_are_found() -> None:
    """The two patterns find what they look for, and let the rest be."""
    assert OUR_WORDS.search("Simply call it.")
    assert A_MACHINE.search("open('/home/me/posts.csv')")
    assert A_MACHINE.search(r"open('C:\posts.csv')")
    assert A_MACHINE.search("read counts/*/*.parquet from https://example.org/tmp") is None


def test_it_plays_without_a_warning(played: Played) -> None:
    """To the last cell, with nothing on standard error."""
    assert [output.text for output in played.outputs if output.get("name") == "stderr"] == []
    assert all(cell.execution_count for cell in code(played.book))


def test_it_says_whose_counts_these_are(played: Played) -> None:
    """The demo's are synthetic; live they are the server's, and the demo is nowhere."""
    if played.live:
        assert "live at http://127.0.0.1:" in played.texts
        assert "synthetic" not in played.texts
    else:
        assert "all counts are synthetic" in played.texts


def test_its_pictures_are_there(played: Played) -> None:
    """One for each cell that plots, with its source below, and as HTML in the page's colours."""
    plots = [cell for cell in code(played.book) if ".plot_" in cell.source]
    for cell in plots:
        assert any({*kinds} >= {"image/png", "text/html"} for kinds in bundles(cell.outputs))
        assert ".cite(" in cell.source or "supxlabel(source" in cell.source
    assert any(kinds & PICTURES for kinds in bundles(played.outputs))


def test_it_ends_with_an_answer(played: Played) -> None:
    """A sentence or a picture, fit to be sent."""
    last = played.book.cells[-1]
    if last.cell_type == "code":
        assert any(kinds & {*PICTURES, "text/markdown"} for kinds in bundles(last.outputs))


def test_no_answer_is_missing(played: Played) -> None:
    """No sentence has a hole where a number should be."""
    texts = [
        bundle["text/markdown"]
        for o in played.outputs
        if "text/markdown" in (bundle := o.get("data", {}))
    ]
    assert not re.search(r"<NA>|\bnan\b|\bNone\b", "\n".join(texts))


def test_no_key_is_shown(played: Played, server: SandboxServer) -> None:
    """Neither in outputs nor in metadata."""
    whole = json.dumps(played.book)
    secret = {name: key for name, key in keys(server).items() if not name.endswith("_URL")}
    assert [name for name, key in secret.items() if key in whole] == []


@pytest.mark.slow
def test_rendered_it_needs_no_network(played: Played) -> None:
    """All pictures are in the page, and it loads no script from elsewhere."""
    page = rendered(played.book)
    pictures = sum(bool(kinds & PICTURES) for kinds in bundles(played.outputs))
    shown = re.findall(r'src="data:image/png;base64,|<svg[^>]* role="img"', page)
    assert len(shown) == pictures
    assert re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="(?:https?:)?//[^"]*"', page) == []


@pytest.mark.slow
def test_rendered_a_widget_is_its_picture() -> None:
    """A page has no kernel: what else an explorer shows itself as is what is seen."""
    from nbformat import v4  # noqa: PLC0415 - takes seconds

    forms = {
        "application/vnd.jupyter.widget-view+json": {"model_id": "7", "version_major": 2},
        "image/png": "aGVsbG8=",
        "text/plain": "EngagementExplorer()",
    }
    output = v4.new_output("display_data", forms)
    cell = v4.new_code_cell("explorer", outputs=[output])
    book = v4.new_notebook(cells=[cell])
    book.metadata["widgets"] = {
        "application/vnd.jupyter.widget-state+json": {"state": {"7": {}}, "version_major": 2}
    }
    assert 'src="data:image/png;base64,aGVsbG8="' in rendered(book)


@pytest.mark.long
def test_the_command_that_renders(tmp_path: Path) -> None:
    """One line makes a page of each notebook."""
    command = [sys.executable, "-m", "nbconvert", "--config", str(RENDER)]
    done = subprocess.run(  # noqa: S603 - a command of our own
        [*command, "--output-dir", str(tmp_path), str(BOOKS[0])],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / f"{BOOKS[0].stem}.html").read_text(encoding="utf-8")
    assert re.search(r'<svg[^>]* role="img"', page)
    assert "all counts are synthetic" in page
