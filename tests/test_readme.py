"""The README does what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

import engagement_pandas as ep
from engagement_pandas.auth import VARIABLES
from engagement_pandas.cli import parser
from engagement_pandas.vocabulary import ENDPOINTS, SERIES_TYPES, TOTALS_TYPES, Endpoint

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """Return the fenced blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def _closed_figures() -> Iterator[None]:
    """Close whatever the README has drawn."""
    yield
    plt.close("all")


@pytest.mark.usefixtures("_closed_figures")
def test_its_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Block after block, as a reader would, with keys in the environment."""
    monkeypatch.chdir(tmp_path)
    for variable in VARIABLES.values():
        monkeypatch.setenv(variable, "a-key")
    names: dict[str, Any] = {}
    for block in blocks("python"):
        exec(block, names)  # noqa: S102 - our own README
    assert len(names["counts"]) > 50_000
    assert (tmp_path / "march.parquet").exists()
    assert ep.read_parquet(tmp_path / "march.parquet").equals(names["counts"])
    assert names["ax"].get_ylabel() == "counts per hour"


def test_its_picture_is_there() -> None:
    """Every picture it shows is in the project."""
    pictures = re.findall(r"!\[[^]]*\]\(([^)]*)\)", README)
    assert pictures
    assert all((ROOT / picture).exists() for picture in pictures)


def test_its_links_lead_somewhere() -> None:
    """Every file it names is in the project."""
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert all((ROOT / link).exists() for link in links if "://" not in link)


def test_its_test_command_is_what_ci_runs() -> None:
    """Word for word, so that the two do not drift apart."""
    command = next(block for block in blocks("sh") if "pytest" in block)
    assert command.strip() in (ROOT / ".ci" / "run").read_text().splitlines()


def test_its_demo_command_is_what_ci_runs() -> None:
    """Word for word, in a fresh clone."""
    command = next(block for block in blocks("sh") if "engagement-pandas demo" in block)
    assert command.strip() in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize(
    "words",
    [
        *VARIABLES.values(),
        *(facts.function for facts in ENDPOINTS.values()),
        f"| {len(TOTALS_TYPES)} | {len(SERIES_TYPES)} | {len(SERIES_TYPES)} |",
        "| " + " | ".join(str(e.facts.posts_per_request) for e in Endpoint) + " |",
    ],
)
def test_it_tells_what_the_tables_tell(words: str) -> None:
    """Variables, functions and limits stand in it as they stand in the code."""
    assert words in README


def commands() -> Iterator[list[str]]:
    """Yield the words of each engagement-pandas command in the README."""
    for block in blocks("sh"):
        for line in block.splitlines():
            if line.startswith("engagement-pandas "):
                yield line.partition(">")[0].partition("#")[0].split()[1:]


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_its_commands_parse(words: list[str]) -> None:
    """Every option that it shows exists."""
    run: Callable[..., Any] = parser().parse_args(words).run
    assert callable(run)
