"""Every notebook is clean in git, plainly written, and runs without setup."""

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
from notebooks.execution import NOTEBOOKS, Executed, cells, code, environment, keys

from engagement_pandas.sandbox import SandboxServer

if TYPE_CHECKING:
    from nbformat import NotebookNode

ROOT = Path(__file__).parents[2]
RENDER = ROOT / "notebooks" / "render.json"

LINES = 12
"""The maximum number of lines of a cell, without blank lines."""

CELLS = range(10, 17)

AVOIDED_WORDS = re.compile(
    r"\b(data frame|helper|manager|params?|payload|utils?|tweets?"
    r"|easy|easily|just|leverage|powerful|robust|seamless(ly)?|simply)\b",
    re.IGNORECASE,
)
"""Words that notebooks avoid: synonyms of the package's words, and marketing."""

LOCAL_PATH = re.compile(r"(?<![\w.*:/])/(home|Users|root|tmp|work|mnt|opt|var)\b|\b[A-Z]:\\")

PICTURES = {"image/png", "image/svg+xml"}

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def rendered(book: NotebookNode) -> str:
    """Return a notebook as a page, with its outputs."""
    from nbconvert.exporters import HTMLExporter  # noqa: PLC0415 - takes seconds
    from traitlets.config import Config  # noqa: PLC0415 - a dependency of nbconvert

    config = Config(json.loads(RENDER.read_text()))
    config.ExecutePreprocessor.enabled = False
    page: str = HTMLExporter(config=config).from_notebook_node(book)[0]
    return page


def code_cells(path: Path) -> list[dict[str, Any]]:
    """Return the code cells of a notebook's file."""
    return [cell for cell in cells(path) if cell["cell_type"] == "code"]


def trees(path: Path) -> list[ast.Module]:
    """Return the syntax tree of each code cell, with its magics as Python."""
    to_python = TransformerManager().transform_cell
    return [ast.parse(to_python(cell["source"])) for cell in code_cells(path)]


def bundles(outputs: list[NotebookNode]) -> list[set[str]]:
    """Return the media types of each output."""
    return [set(output.get("data", {})) for output in outputs]


def test_all_notebooks_are_found() -> None:
    """A new notebook is tested too."""
    assert {"01_first_frame", "02_a_posts_life", "03_which_posts_and_when"} <= {
        path.stem for path in NOTEBOOKS
    }
    assert {"05_from_job_to_data_set", "06_from_an_export"} <= {path.stem for path in NOTEBOOKS}


@pytest.mark.slow
def test_outputs_are_stripped() -> None:
    """They are as nbstripout leaves them: without outputs, counters and local data."""
    tool = Path(sys.executable).with_name("nbstripout")
    done = subprocess.run(  # noqa: S603 - a command of our own
        [tool, "--verify", *NOTEBOOKS], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@each_notebook
def test_the_format_is_4_5_with_cell_ids(path: Path) -> None:
    """The kernel is that of every Jupyter."""
    import nbformat  # noqa: PLC0415 - takes seconds

    book = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(book)
    assert (book.nbformat, book.nbformat_minor) == (4, 5)
    assert book.metadata.kernelspec.name == "python3"
    assert len({cell.id for cell in book.cells}) == len(book.cells)
    assert all(cell.execution_count is None and not cell.outputs for cell in code(book))


@each_notebook
def test_a_text_precedes_each_code_cell(path: Path) -> None:
    """There are about a dozen cells."""
    types = [cell["cell_type"] for cell in cells(path)]
    assert len(types) in CELLS
    assert types[0] == "markdown"
    assert ("code", "code") not in list(pairwise(types))


@each_notebook
def test_a_notebook_begins_with_a_question(path: Path) -> None:
    """It also states that the demo's counts are synthetic."""
    opening = cells(path)[0]["source"]
    assert opening.startswith("# ")
    assert "**The question:**" in opening
    assert "?" in opening
    assert "synthetic" in opening


@each_notebook
def test_cells_have_no_logic(path: Path) -> None:
    """There are no definitions, loops or branches."""
    logic = (
        *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda),
        *(ast.For, ast.AsyncFor, ast.While, ast.If, ast.IfExp, ast.Try),
    )
    nodes = [node for tree in trees(path) for node in ast.walk(tree)]
    assert [type(node).__name__ for node in nodes if isinstance(node, logic)] == []
    assert sum(isinstance(node, ast.comprehension) for node in nodes) <= 1


@each_notebook
def test_cells_are_short(path: Path) -> None:
    """A cell can be read at a glance."""
    line_counts = [
        sum(bool(line.strip()) for line in cell["source"].splitlines()) for cell in code_cells(path)
    ]
    assert max(line_counts) <= LINES


@each_notebook
def test_texts_have_no_avoided_words_or_local_paths(path: Path) -> None:
    """The words are those of the package."""
    text = "\n".join(cell["source"] for cell in cells(path))
    assert AVOIDED_WORDS.search(text) is None
    assert LOCAL_PATH.search(text) is None


def test_the_patterns_find_avoided_words_and_local_paths() -> None:
    """They match nothing else."""
    assert AVOIDED_WORDS.search("Simply call it.")
    assert LOCAL_PATH.search("open('/home/me/posts.csv')")
    assert LOCAL_PATH.search(r"open('C:\posts.csv')")
    assert LOCAL_PATH.search("read counts/*/*.parquet from https://example.org/tmp") is None


def test_a_notebook_runs_without_a_warning(executed: Executed) -> None:
    """Standard error is empty after the last cell."""
    assert [output.text for output in executed.outputs if output.get("name") == "stderr"] == []
    assert all(cell.execution_count for cell in code(executed.book))


def test_the_output_states_the_origin_of_the_counts(executed: Executed) -> None:
    """Counts of the demo are synthetic; live ones are the server's."""
    if executed.live:
        assert "live at http://127.0.0.1:" in executed.texts
        assert "synthetic" not in executed.texts
    else:
        assert "all counts are synthetic" in executed.texts


def test_each_plot_is_in_the_output(executed: Executed) -> None:
    """It has its source below, and is in HTML in the page's colours too."""
    plots = [cell for cell in code(executed.book) if ".plot_" in cell.source]
    for cell in plots:
        assert any({*types} >= {"image/png", "text/html"} for types in bundles(cell.outputs))
        assert ".cite(" in cell.source or "supxlabel(source" in cell.source
    assert any(types & PICTURES for types in bundles(executed.outputs))


def test_a_notebook_ends_with_an_answer(executed: Executed) -> None:
    """It is a sentence or a picture."""
    last = executed.book.cells[-1]
    if last.cell_type == "code":
        assert any(types & {*PICTURES, "text/markdown"} for types in bundles(last.outputs))


def test_no_sentence_lacks_a_number(executed: Executed) -> None:
    """Missing values would be in the text."""
    texts = [
        bundle["text/markdown"]
        for o in executed.outputs
        if "text/markdown" in (bundle := o.get("data", {}))
    ]
    assert not re.search(r"<NA>|\bnan\b|\bNone\b", "\n".join(texts))


def test_outputs_contain_no_key(executed: Executed, api_server: SandboxServer) -> None:
    """Metadata contain none either."""
    raw_text = json.dumps(executed.book)
    secret = {name: key for name, key in keys(api_server).items() if not name.endswith("_URL")}
    assert [name for name, key in secret.items() if key in raw_text] == []


@pytest.mark.slow
def test_a_rendered_page_needs_no_network(executed: Executed) -> None:
    """It includes all pictures, and loads no script."""
    page = rendered(executed.book)
    pictures = sum(bool(types & PICTURES) for types in bundles(executed.outputs))
    images = re.findall(r'src="data:image/png;base64,|<svg[^>]* role="img"', page)
    assert len(images) == pictures
    assert re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="(?:https?:)?//[^"]*"', page) == []


@pytest.mark.slow
def test_a_rendered_widget_is_a_picture() -> None:
    """A page has no kernel, so the stored picture of an explorer is shown."""
    from nbformat import v4  # noqa: PLC0415 - takes seconds

    bundle = {
        "application/vnd.jupyter.widget-view+json": {"model_id": "7", "version_major": 2},
        "image/png": "aGVsbG8=",
        "text/plain": "EngagementExplorer()",
    }
    output = v4.new_output("display_data", bundle)
    cell = v4.new_code_cell("explorer", outputs=[output])
    book = v4.new_notebook(cells=[cell])
    book.metadata["widgets"] = {
        "application/vnd.jupyter.widget-state+json": {"state": {"7": {}}, "version_major": 2}
    }
    assert 'src="data:image/png;base64,aGVsbG8="' in rendered(book)


@pytest.mark.long
def test_the_command_renders_a_page(tmp_path: Path) -> None:
    """It is one line per notebook."""
    command = [sys.executable, "-m", "nbconvert", "--config", str(RENDER)]
    done = subprocess.run(  # noqa: S603 - a command of our own
        [*command, "--output-dir", str(tmp_path), str(NOTEBOOKS[0])],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / f"{NOTEBOOKS[0].stem}.html").read_text(encoding="utf-8")
    assert re.search(r'<svg[^>]* role="img"', page)
    assert "all counts are synthetic" in page
