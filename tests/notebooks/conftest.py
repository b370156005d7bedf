"""Notebooks executed without credentials, and live against a sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from notebooks.execution import FROM_FILES, NOTEBOOKS, Executed, execute, keys, write_posts

from engagement_pandas.sandbox import SandboxServer

if TYPE_CHECKING:
    from nbformat import NotebookNode

_CONCURRENCY = 2


@pytest.fixture(scope="session")
def api_server() -> Iterator[SandboxServer]:
    """Run a sandbox in place of the API."""
    with SandboxServer() as sandbox_server:
        yield sandbox_server


@pytest.fixture(scope="session")
def executions(
    request: pytest.FixtureRequest,
    api_server: SandboxServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[tuple[Path, bool], NotebookNode | BaseException]:
    """Execute the notebooks that the selected tests need, two concurrently."""
    parameters = {
        item.callspec.params["executed"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and "executed" in item.fixturenames
    }
    selected = sorted(parameters)

    async def execute_all() -> list[NotebookNode | BaseException]:
        semaphore = asyncio.Semaphore(_CONCURRENCY)

        async def execute_one(path: Path, *, live: bool) -> NotebookNode:
            folder = tmp_path_factory.mktemp(path.stem)
            if live:
                write_posts(api_server, folder / "posts.csv")
            async with semaphore:
                return await execute(path, folder, keys(api_server) if live else {})

        coroutines = (execute_one(path, live=live) for path, live in selected)
        return await asyncio.gather(*coroutines, return_exceptions=True)

    return dict(zip(selected, asyncio.run(execute_all()), strict=True))


@pytest.fixture(
    params=[
        pytest.param(
            (path, live),
            marks=pytest.mark.long if live and path != NOTEBOOKS[0] else pytest.mark.slow,
        )
        for path in NOTEBOOKS
        for live in ((False,) if path.stem in FROM_FILES else (False, True))
    ],
    ids=lambda param: f"{param[0].stem}-{'live' if param[1] else 'demo'}",
    scope="session",
)
def executed(
    request: pytest.FixtureRequest,
    executions: dict[tuple[Path, bool], NotebookNode | BaseException],
) -> Executed:
    """Return a notebook after its last cell."""
    path, live = request.param
    result = executions[path, live]
    if isinstance(result, BaseException):
        raise result
    return Executed(path, live, result)
