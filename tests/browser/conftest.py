"""Fixtures for tests in a browser: one Chromium, one JupyterLab, and a new notebook per test."""

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
from browser.lab import Explorer, Notebook, write_notebook
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

VOILA_ICONS: Final = "https://cdn.jsdelivr.net/npm/@fortawesome/"
"""Icons requested by Voilà's template for any notebook; the tests replace them."""


class Monitor:
    """The requests and errors of a page while a test runs."""

    def __init__(self, page: Page) -> None:
        self.external: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self._record(request.url))
        page.on("websocket", lambda socket: self._record(socket.url))
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        page.on(
            "console",
            lambda message: message.type == "error" and self.errors.append(message.text),
        )

    def _record(self, url: str) -> None:
        parts = urlsplit(url)
        is_local = parts.scheme in LOCAL or parts.hostname in LOOPBACK
        if not is_local and not url.startswith(VOILA_ICONS):
            self.external.append(url)


def _unavailable(reason: str) -> NoReturn:
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder for pictures and timings of this run."""
    folder_name = os.environ.get("BROWSER_ARTEFACTS")
    folder = Path(folder_name).absolute() if folder_name else tmp_path_factory.mktemp("artefacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Run Debian's Chromium, or any browser of that name."""
    chromium = shutil.which("chromium")
    if chromium is None:
        _unavailable("there is no Chromium: apt-get install --no-install-recommends chromium")
    with sync_playwright() as playwright:
        chromium_ = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS])
        yield chromium_
        chromium_.close()


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run JupyterLab."""
    root = tmp_path_factory.mktemp("notebooks")
    process = servers.lab(tmp_path_factory.mktemp("lab"), root)
    yield process
    process.close()


@pytest.fixture(scope="session")
def window(browser: Browser) -> Iterator[BrowserContext]:
    """Return a browser context whose cache all pages share."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, locale="en-GB")
    context.set_default_timeout(10_000)
    yield context
    context.close()


@contextmanager
def monitored_page(window: BrowserContext, name: str, artefacts: Path) -> Iterator[Page]:
    """Return an empty page; at the end, check that it had no errors or external requests."""
    new_page = window.new_page()
    monitor = Monitor(new_page)
    try:
        yield new_page
        assert monitor.external == []
        assert monitor.errors == []
    finally:
        new_page.screenshot(path=artefacts / f"{_plain(name)}-at-the-end.png")
        new_page.close()


@contextmanager
def open_copy(
    page: Page, server: Server, name: str, source: Path | Sequence[str]
) -> Iterator[Notebook]:
    """Open a copy of a notebook, or a new notebook of these cells, in JupyterLab."""
    folder = server.root / _plain(name)
    folder.mkdir()
    path = folder / "notebook.ipynb"
    if isinstance(source, Path):
        shutil.copy(source, path)
    else:
        write_notebook(path, source)
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
        monitored_page(window, name, artefacts) as page,
        open_copy(page, server, name, source) as notebook,
    ):
        notebook.run_all()
        yield notebook


@pytest.fixture
def page(window: BrowserContext, artefacts: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Return an empty, monitored page."""
    with monitored_page(window, request.node.name, artefacts) as new_page:
        yield new_page


@pytest.fixture
def open_notebook(
    page: Page, lab_server: Server, request: pytest.FixtureRequest
) -> Iterator[Callable[[Path | Sequence[str]], Notebook]]:
    """Return a function that opens a copy of a notebook, or one of given cells, in JupyterLab."""
    with ExitStack() as stack:
        yield lambda source: stack.enter_context(
            open_copy(page, lab_server, request.node.name, source)
        )


@pytest.fixture(scope="module")
def explorers_notebook(
    window: BrowserContext, lab_server: Server, artefacts: Path, request: pytest.FixtureRequest
) -> Iterator[Notebook]:
    """Return the notebook of explorers after all cells; the tests of a module share it."""
    with _shared(window, lab_server, artefacts, request, cells.explorers_notebook()) as notebook:
        yield notebook


@pytest.fixture(scope="module")
def shared_explorer(
    window: BrowserContext, lab_server: Server, artefacts: Path, request: pytest.FixtureRequest
) -> Iterator[Explorer]:
    """Return an explorer of counts that the tests of a module share and leave unchanged."""
    source = [cells.COUNTS, cells.EXPLORER]
    with _shared(window, lab_server, artefacts, request, source) as notebook:
        yield notebook.explorer()


@pytest.fixture(scope="session")
def voila_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run Voilà."""
    root = tmp_path_factory.mktemp("pages")
    process = servers.voila(tmp_path_factory.mktemp("voila"), root)
    yield process
    process.close()


def _plain(name: str) -> str:
    return re.sub(r"\W+", "-", name.removeprefix("test_")).strip("-")
