"""Tests that the README and the guides are correct."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest
from support.pictures import IMAGES, calls, draw

import engagement_pandas as ep
from engagement_pandas.auth.credentials import VARIABLES
from engagement_pandas.cli import parser
from engagement_pandas.cli.exit_codes import EXIT_CODES
from engagement_pandas.vocabulary.endpoints import ENDPOINTS, Endpoint
from engagement_pandas.vocabulary.engagement_types import SERIES_TYPES, TOTALS_TYPES

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "notebooks" / "guide").glob("*.md")))
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def guide(name: str) -> str:
    """Return the text of a guide."""
    return (ROOT / "notebooks" / "guide" / f"{name}.md").read_text()


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced code blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


@pytest.fixture
def _closed_figures() -> Iterator[None]:
    """Close the figures of a page."""
    yield
    plt.close("all")


def run_python(page: Path) -> dict[str, Any]:
    """Run the Python blocks of a page in order, and return their namespace."""
    names: dict[str, Any] = {}
    for block in blocks(page, "python"):
        exec(block, names)  # noqa: S102 - our own page
    return names


@pytest.mark.slow
@every_page
@pytest.mark.usefixtures("_closed_figures")
def test_the_python_of_each_page_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code of each page runs on its own, in an empty folder, with keys in the environment."""
    monkeypatch.chdir(tmp_path)
    for variable in VARIABLES.values():
        monkeypatch.setenv(variable, "a-key")
    run_python(page)


@pytest.mark.slow
@pytest.mark.usefixtures("_closed_figures")
def test_the_output_in_the_readme_is_correct(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The printed table, the Parquet file and the chart match the description."""
    monkeypatch.chdir(tmp_path)
    names = run_python(README)
    assert capsys.readouterr().out == blocks(README, "text")[1]
    assert len(names["counts"]) > 50_000
    assert ep.read_parquet(tmp_path / "march.parquet").equals(names["counts"])
    assert names["ax"].get_ylabel() == "counts per hour, log scale"


def test_the_readme_is_short() -> None:
    """The README can be read in three minutes."""
    assert len(README.read_text().split()) <= 900


def test_every_guide_is_in_the_readme() -> None:
    """The README links to every guide, in order."""
    links = re.findall(r"\]\((notebooks/guide/[^)]+)\)", README.read_text())
    assert sorted(links) == [str(page.relative_to(ROOT)) for page in PAGES[1:]]


@every_page
def test_links_are_valid(page: Path) -> None:
    """Every linked file and image is in the project."""
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    lost = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert lost == []


def pytest_commands() -> list[str]:
    """Return what the pages and CONTRIBUTING pass to pytest, such as ``tests/fuzz -m long``."""
    pages = (*PAGES, ROOT / ".github" / "CONTRIBUTING.md")
    found = re.findall(
        r"(?:pytest |`(?=tests/))([^`\n]*tests/[^`<\n]*)[`\n]",
        "\n".join(page.read_text() for page in pages),
    )
    return sorted(set(found) - {"tests/support/pictures.py", "tests/simulation/claims.py"})


@pytest.mark.long
@pytest.mark.parametrize("arguments", pytest_commands())
def test_a_test_command_finds_tests(arguments: str) -> None:
    """The paths and expressions that a page passes to pytest select at least one test."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(  # noqa: S603 - commands of our own pages
        [sys.executable, "-m", "pytest", "-q", "--collect-only", *shlex.split(arguments)],
        cwd=ROOT,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_files_named_in_contributing_exist() -> None:
    """All modules and rooms named in CONTRIBUTING exist."""
    text = (ROOT / ".github" / "CONTRIBUTING.md").read_text()
    named = re.findall(r"`(\w+(?:/\w+)*(?:\.pyi?|/))`", text)
    assert len(named) > 20
    lost = [path for path in named if not (ROOT / "engagement_pandas" / path).exists()]
    assert lost == []


@pytest.mark.parametrize("words", ["pytest", "engagement-pandas demo"])
def test_commands_of_the_readme_are_run_by_ci(words: str) -> None:
    """CI runs the commands of the README word for word."""
    command = next(block for block in blocks(README, "sh") if words in block)
    assert command.strip() in (ROOT / ".ci" / "run").read_text()


def test_exit_codes_are_all_in_the_guide() -> None:
    """Each exit code has its own row, except for the three signals."""
    rows = re.findall(r"^\| ([\d, ]+) \|", guide("jobs"), re.MULTILINE)
    codes = [int(code) for row in rows for code in row.split(",")]
    assert codes == sorted({0, *(code for _, code, _ in EXIT_CODES)})


def test_types_are_all_in_the_guide() -> None:
    """The guide on metrics lists all types with the endpoints that count them."""
    rows = re.findall(
        r"^\| `(\w+)` \| .* \| (yes|) ?\| (yes|) ?\| (yes|) ?\|$", guide("metrics"), re.MULTILINE
    )
    assert {name: tuple(map(bool, marks)) for name, *marks in rows} == {
        str(engagement_type): (
            engagement_type.facts.totals,
            engagement_type.facts.time_series,
            engagement_type.facts.public,
        )
        for engagement_type in ep.EngagementType
    }


@pytest.mark.parametrize(
    "words",
    [
        *VARIABLES.values(),
        *(facts.function for facts in ENDPOINTS.values()),
        f"| {len(TOTALS_TYPES)} | {len(SERIES_TYPES)} | {len(SERIES_TYPES)} |",
        "| " + " | ".join(str(e.facts.posts_per_request) for e in Endpoint) + " |",
    ],
)
def test_the_guide_matches_the_tables(words: str) -> None:
    """Variables, functions and limits in the guide match the code."""
    assert words in guide("fetching")


def test_each_picture_has_its_code() -> None:
    """A chart of the guide is drawn by a line of it; the others show the demo and the page."""
    names = {path.stem for path in IMAGES.glob("*.png")}
    assert names == {*calls(), "week", "explorer"}


@pytest.mark.long
@pytest.mark.usefixtures("_closed_figures")
def test_the_command_that_draws_the_pictures(tmp_path: Path) -> None:
    """It draws all charts again."""
    drawn = draw(tmp_path)
    assert {path.stem for path in drawn} == {*calls(), "week"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)


def commands() -> Iterator[list[str]]:
    """Yield the arguments of each engagement-pandas command."""
    for block in (block for page in PAGES for block in blocks(page, "sh")):
        for line in block.splitlines():
            if line.startswith("engagement-pandas "):
                yield line.partition(">")[0].partition("#")[0].split()[1:]


@pytest.mark.parametrize("words", sorted({tuple(words) for words in commands()}), ids=" ".join)
def test_commands_are_valid(words: tuple[str, ...]) -> None:
    """All options in the documented commands exist."""
    run: Callable[..., Any] = parser().parse_args(words).run
    assert callable(run)
