"""Fixtures for tests in a browser: one Chromium and one JupyterLab, a fresh notebook for each."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import urlsplit

import pytest
from browser import cells, servers
from browser.lab import Explorer, Notebook, written
from browser.servers import Server
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)

LOOPBACK: Final = {"127.0.0.1", "localhost"}

LOCAL: Final = {"data", "blob", "about"}
"""Schemes that stay inside the browser."""

VOILAS: Final = "https://cdn.jsdelivr.net/npm/@fortawesome/"
"""Icons that Voilà's own template asks for, whatever the notebook; its test answers."""


class Watch:
    """What a page asks for and complains of while a test runs."""

    def __init__(self, page: Page) -> None:
        self.abroad: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self._went(request.url))
        page.on("websocket", lambda socket: self._went(socket.url))
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        page.on(
            "console",
            lambda message: message.type == "error" and self.errors.append(message.text),
        )

    def _went(self, url: str) -> None:
        parts = urlsplit(url)
        here = parts.scheme in LOCAL or parts.hostname in LOOPBACK
        if not here and not url.startswith(VOILAS):
            self.abroad.append(url)


def _without(reason: str) -> NoReturn:
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder for pictures and timings of this run."""
    named = os.environ.get("BROWSER_ARTEFACTS")
    folder = Path(named).absolute() if named else tmp_path_factory.mktemp("artefacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Run Debian's Chromium, or whatever goes by that name."""
    chromium = shutil.which("chromium")
    if chromium is None:
        _without("there is no Chromium: apt-get install --no-install-recommends chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS])
        yield running
        running.close()


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run JupyterLab."""
    root = tmp_path_factory.mktemp("notebooks")
    running = servers.lab(tmp_path_factory.mktemp("lab"), root)
    yield running
    running.close()


@pytest.fixture(scope="session")
def window(browser: Browser) -> Iterator[BrowserContext]:
    """Return a window whose cache all pages share."""
    made = browser.new_context(viewport={"width": 1280, "height": 1000}, locale="en-GB")
    made.set_default_timeout(10_000)
    yield made
    made.close()


@contextmanager
def watched(window: BrowserContext, name: str, artefacts: Path) -> Iterator[Page]:
    """Return an empty page; afterwards, nothing of ours complained or left loopback."""
    made = window.new_page()
    watch = Watch(made)
    try:
        yield made
        assert watch.abroad == []
        assert watch.errors == []
    finally:
        made.screenshot(path=artefacts / f"{_plain(name)}-at-the-end.png")
        made.close()


@contextmanager
def copied(
    page: Page, server: Server, name: str, source: Path | Sequence[str]
) -> Iterator[Notebook]:
    """Return a copy of a notebook, or one of given cells, open in JupyterLab."""
    folder = server.root / _plain(name)
    folder.mkdir()
    path = folder / "notebook.ipynb"
    if isinstance(source, Path):
        shutil.copy(source, path)
    else:
        written(path, source)
    notebook = Notebook(page, server, path)
    yield notebook
    notebook.close()


@contextmanager
def _shared(
    window: BrowserContext,
    server: Server,
    artefacts: Path,
    request: pytest.FixtureRequest,
    source: Path | Sequence[str],
) -> Iterator[Notebook]:
    name = f"{request.fixturename} {request.module.__name__}"
    with (
        watched(window, name, artefacts) as page,
        copied(page, server, name, source) as notebook,
    ):
        notebook.run_all()
        yield notebook


@pytest.fixture
def page(window: BrowserContext, artefacts: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Return an empty page, that is watched."""
    with watched(window, request.node.name, artefacts) as made:
        yield made


@pytest.fixture
def opened(
    page: Page, lab_server: Server, request: pytest.FixtureRequest
) -> Iterator[Callable[[Path | Sequence[str]], Notebook]]:
    """Return what opens a copy of a notebook, or one of given cells, in JupyterLab."""
    with ExitStack() as open_ones:
        yield lambda source: open_ones.enter_context(
            copied(page, lab_server, request.node.name, source)
        )


@pytest.fixture(scope="module")
def exploring(
    window: BrowserContext, lab_server: Server, artefacts: Path, request: pytest.FixtureRequest
) -> Iterator[Notebook]:
    """Return the notebook of explorers, all of it run; a module's tests share it."""
    with _shared(window, lab_server, artefacts, request, cells.exploring()) as notebook:
        yield notebook


@pytest.fixture(scope="module")
def one_explorer(
    window: BrowserContext, lab_server: Server, artefacts: Path, request: pytest.FixtureRequest
) -> Iterator[Explorer]:
    """Return an explorer of counts; a module's tests share it, and leave it as it was."""
    source = [cells.COUNTS, cells.EXPLORER]
    with _shared(window, lab_server, artefacts, request, source) as notebook:
        yield notebook.explorer()


@pytest.fixture(scope="session")
def voila_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run Voilà."""
    root = tmp_path_factory.mktemp("pages")
    running = servers.voila(tmp_path_factory.mktemp("voila"), root)
    yield running
    running.close()


def _plain(name: str) -> str:
    return re.sub(r"\W+", "-", name.removeprefix("test_")).strip("-")
