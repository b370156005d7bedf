"""Notebooks, played without credentials, and live against a sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from notebooks.playing import BOOKS, FROM_FILES, Played, keys, play, write_posts

from engagement_pandas.sandbox import SandboxServer

if TYPE_CHECKING:
    from nbformat import NotebookNode

_AT_ONCE = 2


@pytest.fixture(scope="session")
def server() -> Iterator[SandboxServer]:
    """Run a server in the place of the API."""
    with SandboxServer() as running:
        yield running


@pytest.fixture(scope="session")
def plays(
    request: pytest.FixtureRequest,
    server: SandboxServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[tuple[Path, bool], NotebookNode | BaseException]:
    """Play all that the selected tests need, two at a time."""
    wanted = {
        item.callspec.params["played"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and "played" in item.fixturenames
    }
    ordered = sorted(wanted)

    async def all_of_them() -> list[NotebookNode | BaseException]:
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def one(path: Path, *, live: bool) -> NotebookNode:
            folder = tmp_path_factory.mktemp(path.stem)
            if live:
                write_posts(server, folder / "posts.csv")
            async with at_once:
                return await play(path, folder, keys(server) if live else {})

        every = (one(path, live=live) for path, live in ordered)
        return await asyncio.gather(*every, return_exceptions=True)

    return dict(zip(ordered, asyncio.run(all_of_them()), strict=True))


@pytest.fixture(
    params=[
        pytest.param(
            (path, live),
            marks=pytest.mark.long if live and path != BOOKS[0] else pytest.mark.slow,
        )
        for path in BOOKS
        for live in ((False,) if path.stem in FROM_FILES else (False, True))
    ],
    ids=lambda param: f"{param[0].stem}-{'live' if param[1] else 'demo'}",
    scope="session",
)
def played(
    request: pytest.FixtureRequest, plays: dict[tuple[Path, bool], NotebookNode | BaseException]
) -> Played:
    """Return a notebook after its last cell."""
    path, live = request.param
    book = plays[path, live]
    if isinstance(book, BaseException):
        raise book
    return Played(path, live, book)
