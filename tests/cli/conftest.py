"""Folders, servers and credentials of the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.commands import NOW, mine, urls

from engagement_pandas.cli import main
from engagement_pandas.sandbox import SandboxServer


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder without credentials, with the tests' own accounts and ledger."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("X_", "TWITTER_")) and name not in {"X_ACCOUNTS", "X_LEDGER"}:
            monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def sandbox(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:  # noqa: ARG001
    """Run a sandbox, with its credentials in the environment."""
    with SandboxServer(now=NOW) as server:
        keys = server.keys()
        monkeypatch.setenv("X_CONSUMER_KEY", keys.consumer_key)
        monkeypatch.setenv("X_CONSUMER_SECRET", keys.consumer_secret)
        monkeypatch.setenv("X_ACCESS_TOKEN", keys.access_token)
        monkeypatch.setenv("X_ACCESS_TOKEN_SECRET", keys.access_token_secret)
        yield server


@pytest.fixture
def keys(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """Put credentials into the environment that no server checks."""
    for name in ("CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET"):
        monkeypatch.setenv(f"X_{name}", "a-key")


@pytest.fixture
def raw(sandbox: SandboxServer, folder: Path) -> Path:
    """Collect a snapshot and a window into one archive."""
    post = mine(sandbox, 9)[0]
    for command in (
        ["totals", post, "--types", "favorites"],
        [
            "historical",
            post,
            "--types",
            "favorites",
            "--start",
            "2026-04-14",
            "--end",
            "2026-04-15",
        ],
    ):
        options = ["--archive", "raw", "--out", "counts.csv", *urls(sandbox)]
        assert main([*command, *options]) == 0
    return folder / "raw"
