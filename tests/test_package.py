"""Tests of the complete package: public names, import cost, and static checks."""

from __future__ import annotations

import ast
import pydoc
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from importlib import metadata
from pathlib import Path

import pytest

import engagement_pandas as ep

ROOT = Path(__file__).parents[1]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's root folder."""
    return subprocess.run(  # noqa: S603 - commands of our own
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_every_public_name_exists() -> None:
    """``dir(ep)`` lists exactly the public names, and all of them exist."""
    stub = ast.parse((ROOT / "engagement_pandas" / "__init__.pyi").read_text())
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    names = [alias.asname for node in imports for alias in node.names]
    assert dir(ep) == sorted(map(str, names))
    for name in dir(ep):
        assert getattr(ep, name) is not None


def test_help_is_three_pages() -> None:
    """``help(ep)`` has every public name, and fits on three pages of 50 lines."""
    text = pydoc.render_doc(ep, renderer=pydoc.plaintext)
    assert len(text.splitlines()) <= 150
    assert max(map(len, text.splitlines())) <= 100
    words = set(re.findall(r"\w+", str(ep.__doc__)))
    assert [name for name in dir(ep) if name not in words] == []


def test_an_unknown_name() -> None:
    """An unknown name raises AttributeError, as in any module."""
    with pytest.raises(AttributeError, match="attribute tweets"):
        _ = ep.tweets


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import engagement_pandas", "pandas numpy requests matplotlib pyarrow ipywidgets"),
        ("import engagement_pandas.client.client", "pandas numpy matplotlib pyarrow"),
        ("import engagement_pandas.flattening", "requests matplotlib"),
        ("import engagement_pandas.dask", "requests matplotlib deltalake"),
        ("import engagement_pandas.plots", "requests matplotlib"),
        ("import engagement_pandas.frame", "requests matplotlib"),
        ("import engagement_pandas.cli", "pandas requests pyarrow logging json lazy_loader"),
        ("import engagement_pandas.sandbox", "pandas requests"),
    ],
)
def test_heavy_libraries_are_imported_late(statement: str, absent: str) -> None:
    """Each package imports heavy libraries only when they are used."""
    code = f"{statement}; import sys; print([m for m in {absent.split()} if m in sys.modules])"
    assert run(sys.executable, "-c", code).stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        pytest.param(["mypy"], marks=pytest.mark.long),
        ["lint-imports", "--no-logo"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_checks(command: list[str]) -> None:
    """Linting, formatting, strict types and import contracts pass."""
    tool = str(Path(sys.executable).with_name(command[0]))
    done = run(tool, *command[1:])
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_version_is_the_same_everywhere() -> None:
    """``ep.__version__``, the metadata and the command line have the same version."""
    assert ep.__version__ == metadata.version("engagement_pandas")
    shown = run(sys.executable, "-m", "engagement_pandas", "--version").stdout
    assert shown == f"engagement-pandas {ep.__version__}\n"


def imports_between_rooms() -> dict[str, set[str]]:
    """Return the imports of each room: at the top, in functions, and for type checkers."""
    package = ROOT / "engagement_pandas"
    rooms: dict[str, set[str]] = {}
    for path in package.rglob("*.py"):
        room = path.relative_to(package).parts[0].removesuffix(".py")
        if room in {"__init__", "__main__"}:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module == "engagement_pandas":
                names = [f"engagement_pandas.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [str(node.module)]
            found = {name.split(".")[1] for name in names if name.startswith("engagement_pandas.")}
            rooms.setdefault(room, set()).update(found - {room})
    return {room: imported & set(rooms) for room, imported in rooms.items()}  # not __version__


def floors(rooms: dict[str, set[str]]) -> dict[str, int]:
    """Return the floor of each room: one above the highest floor that it imports."""
    height: dict[str, int] = {}
    for room in TopologicalSorter(rooms).static_order():
        height[room] = 1 + max((height[below] for below in rooms.get(room, ())), default=0)
    return height


@pytest.mark.slow
def test_rooms_have_no_cycle() -> None:
    """There are no import cycles of any kind, and few rooms, floors and imports."""
    rooms = imports_between_rooms()
    height = floors(rooms)
    package = ROOT / "engagement_pandas"
    top = {path.parent.name for path in package.glob("*/__init__.py")}
    assert set(height) == top | {path.stem for path in package.glob("[!_]*.py")}
    assert len(height) <= 19
    assert max(height.values()) <= 8
    assert sum(map(len, rooms.values())) <= 98


@pytest.mark.slow
def test_contracts_name_every_room() -> None:
    """The layers contain each room once, and nothing else; all contracts fit on a page."""
    text = (ROOT / "pyproject.toml").read_text()
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    layers = next(contract for contract in contracts if contract["type"] == "layers")
    placed = [room.strip() for layer in layers["layers"] for room in layer.split("|")]
    assert sorted(placed) == sorted(floors(imports_between_rooms()))
    assert layers["exhaustive"]
    section = re.search(r"\[tool\.importlinter\].*?(?=\n\[tool\.|\Z)", text, re.DOTALL)
    assert section
    assert len(section[0].splitlines()) <= 70


@pytest.mark.slow
def test_rooms_state_what_they_import() -> None:
    """The docstring of each room ends with the rooms that it imports, and names no others."""
    ground = {"errors", "files", "text", "vocabulary"}
    for room, imported in imports_between_rooms().items():
        if room in ground:
            assert imported == set()
            continue
        text = (ROOT / "engagement_pandas" / room / "__init__.py").read_text()
        stated = (ast.get_docstring(ast.parse(text)) or "").rpartition("\nImports ")[2]
        stated = " ".join(stated.split())
        assert stated, room
        named = set(re.findall(r"``(\w+)``", stated))
        assert imported - ground == named, room
        assert "the ground" in stated or not imported & ground, room


@pytest.mark.long
def test_no_module_shadows_a_function() -> None:
    """Importing any module does not replace an exported name by a module."""
    code = """
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType
import engagement_pandas as ep
rooms = [ep]
for found in walk_packages(ep.__path__, "engagement_pandas."):
    if found.name.endswith("__main__"):
        continue
    module = import_module(found.name)
    rooms += [module] * found.ispkg
names = [(room.__name__, name) for room in rooms for name in getattr(room, "__all__", [])]
print([pair for pair in names if isinstance(getattr(import_module(pair[0]), pair[1]), ModuleType)])
"""
    done = run(sys.executable, "-c", code)
    assert done.stdout.strip() == "[]", done.stderr


def test_modules_are_small() -> None:
    """No module has more than 500 lines, which would mean several topics; most have 70 to 350."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "engagement_pandas").rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 500
    }
    assert long == {}


def test_the_top_level_is_the_design_card() -> None:
    """The top level has only these six entries, and names that begin with a dot."""
    tracked = run("git", "ls-tree", "--name-only", "HEAD").stdout.split()
    card = {"pyproject.toml", "engagement_pandas", "notebooks", "tests", "cassettes", "README.md"}
    assert {name for name in tracked if not name.startswith(".")} <= card
