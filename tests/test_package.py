"""The package as a whole: its names, its weight, its checks."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import engagement_pandas as ep

ROOT = Path(__file__).parents[1]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of this environment in the project."""
    return subprocess.run(  # noqa: S603 - commands of our own
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_all_is_sorted_and_complete() -> None:
    """What is offered is what can be had: constants, classes, functions, each sorted."""

    def kind(name: str) -> int:
        return 0 if name.isupper() else 1 if name[0].isupper() else 2

    assert ep.__all__ == sorted(ep.__all__, key=lambda name: (kind(name), name))
    assert set(ep.__all__) == set(ep._HOME)
    for name in ep.__all__:
        assert getattr(ep, name) is not None
    assert set(ep.__all__) <= set(dir(ep))


def test_type_checkers_see_the_same_names() -> None:
    """The imports for type checkers and the table for run time do not drift apart."""
    tree = ast.parse((ROOT / "engagement_pandas" / "__init__.py").read_text())
    imported = {
        (str(node.module).removeprefix("engagement_pandas."), alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("engagement_pandas.")
        for alias in node.names
    }
    assert imported == {(module, name) for name, module in ep._HOME.items()}


def test_a_name_that_is_not_there() -> None:
    """An AttributeError as from any module."""
    with pytest.raises(AttributeError, match="has no attribute 'tweets'"):
        _ = ep.tweets


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import engagement_pandas", "pandas numpy requests matplotlib pyarrow ipywidgets"),
        ("import engagement_pandas.client", "pandas numpy matplotlib pyarrow"),
        ("import engagement_pandas.flattening", "requests matplotlib"),
        ("import engagement_pandas.dask", "requests matplotlib deltalake"),
        ("import engagement_pandas.plots", "requests matplotlib"),
        ("import engagement_pandas.exports", "requests matplotlib"),
        ("import engagement_pandas.cli", "pandas requests matplotlib pyarrow"),
        ("import engagement_pandas.sandbox", "pandas requests"),
    ],
)
def test_heavy_libraries_wait(statement: str, absent: str) -> None:
    """Each shore loads its own libraries, and those only when used."""
    code = f"{statement}; import sys; print([m for m in {absent.split()} if m in sys.modules])"
    assert run(sys.executable, "-c", code).stdout.strip() == "[]"


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["lint-imports", "--no-logo"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_checks(command: list[str]) -> None:
    """Lint, format, strict types, and the import contracts."""
    tool = str(Path(sys.executable).with_name(command[0]))
    done = run(tool, *command[1:])
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_version_is_the_same_everywhere() -> None:
    """``ep.__version__``, the installed package, and ``python -m engagement_pandas``."""
    assert ep.__version__ == metadata.version("engagement_pandas")
    shown = run(sys.executable, "-m", "engagement_pandas", "--version").stdout
    assert shown == f"engagement-pandas {ep.__version__}\n"


def test_modules_are_small() -> None:
    """A module of more than 500 lines is no longer one noun; most have 70 to 350."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "engagement_pandas").rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 500
    }
    assert long == {}


def test_the_top_level_is_the_design_card() -> None:
    """Nothing beside the six, and what begins with a dot."""
    tracked = run("git", "ls-tree", "--name-only", "HEAD").stdout.split()
    card = {"pyproject.toml", "engagement_pandas", "notebooks", "tests", "cassettes", "README.md"}
    assert {name for name in tracked if not name.startswith(".")} <= card
