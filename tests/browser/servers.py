"""JupyterLab and Voilà as separate processes on loopback, without the user's settings."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Final

SETTINGS: Final = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "docmanager-extension/plugin": {"autosave": False},
    # Otherwise outputs outside the window leave the page, and their widgets with them.
    "notebook-extension/tracker": {"windowingMode": "none"},
}
"""Settings of JupyterLab."""

PATIENCE: Final = 300.0
"""Seconds within which a server responds."""

_EXCLUDED: Final = ("MPLBACKEND", "PYTEST_", "JUPYTER", "X_", "TWITTER_", "VOILA")


class Server:
    """A server in a process of its own.

    Parameters
    ----------
    home : Path
        For its settings, its log and all else that it keeps.
    root : Path
        The notebooks.
    module : str
        What ``python -m`` runs.
    *arguments : str
        Its own; ``{port}`` is replaced.
    alive : str
        A path that answers once it runs.
    """

    def __init__(
        self, home: Path, root: Path, module: str, *arguments: str, alive: str = "/api"
    ) -> None:
        self.root = root
        self._log = home / "log.txt"
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        _write_settings(home)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter
                [sys.executable, "-m", module, *(a.format(port=port) for a in arguments)],
                cwd=root,
                env=_environment(home),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait(alive)
        except BaseException:
            self.close()
            raise

    def call_api(self, method: str, path: str, body: Any = None) -> Any:
        """Return the response of the server's API."""
        request = urllib.request.Request(  # noqa: S310 - http on loopback
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310 - the same
            text = response.read()
        return json.loads(text) if text else None

    def close(self) -> None:
        """Terminate the process, and wait for its end."""
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait(self, alive: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                urllib.request.urlopen(self.url + alive, timeout=5).close()  # noqa: S310 - loopback
            except OSError:
                time.sleep(0.05)  # another program has no event to wait for
            else:
                return
        msg = f"no answer from {self.url}: {self._log.read_text()[-4000:]}"
        raise RuntimeError(msg)


def lab(home: Path, root: Path) -> Server:
    """Start JupyterLab."""
    return Server(
        home,
        root,
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--expose-app-in-browser",
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--ServerApp.disable_check_xsrf=True",
        "--IdentityProvider.token=",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--ServerApp.root_dir={root}",
    )


def voila(home: Path, root: Path) -> Server:
    """Start Voilà."""
    return Server(
        home,
        root,
        "voila",
        "--no-browser",
        "--port={port}",
        "--Voila.ip=127.0.0.1",
        "--show_tracebacks=True",
        # An extension of Notebook 7, which logs an error in other pages.
        "--VoilaConfiguration.extension_denylist=@jupyter-notebook/lab-extension",
        str(root),
        alive="/voila/static/voila.js",
    )


def _environment(home: Path) -> dict[str, str]:
    """Return this process's environment without variables that would change a notebook."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(_EXCLUDED)
    }
    folders = {
        "IPYTHONDIR": "ipython",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "MPLCONFIGDIR": "matplotlib",
    }
    return inherited | {name: str(home / at) for name, at in folders.items()}


def _write_settings(home: Path) -> None:
    for plugin, settings in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
