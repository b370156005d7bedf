"""Large plans need a confirmation, at a terminal or by ``--yes``."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from support.commands import urls
from support.scripted import Scripted, ScriptedServer

from engagement_pandas.cli import main

MANY = [str(n) for n in range(1, 501 * 250)]


class Person(io.StringIO):
    """Standard input of a person at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.slow
@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("name", ["X_BASE_URL", "--base-url"])
def test_a_large_plan_is_refused_without_a_terminal(
    server: ScriptedServer,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    """501 requests: the exit code is 8, with the plan and the cure, and nothing is sent."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    monkeypatch.setenv("X_BASE_URL", server.url)
    options = ["--base-url", server.url] if name == "--base-url" else []
    (folder / "posts.txt").write_text("\n".join(MANY))
    assert main(["totals", "posts.txt", "--types", "favorites", *options]) == 8
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Plan: 501 requests to /insights/engagement/totals" in printed.err
    assert "pass --yes" in printed.err
    assert server.seen == []
    assert [path.name for path in folder.iterdir()] == ["posts.txt"]


@pytest.mark.slow
@pytest.mark.usefixtures("keys", "folder")
@pytest.mark.parametrize(
    ("typed", "code"),
    [("n\n", 8), ("\n", 8), ("", 8), ("yesterday\n", 8), ("y\n", 4), (" Yes\n", 4)],
)
def test_a_large_plan_is_sent_after_a_yes(
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
    code: int,
) -> None:
    """16 minutes of quota: any input but yes means no."""
    monkeypatch.setattr(sys, "stdin", Person(typed))
    server.answer(Scripted(400, {"errors": ["no"]}))
    posts = [str(n) for n in range(1, 16 * 250)]
    command = ["totals", *posts, "--types", "favorites", "--per-minute", "1"]
    assert main([*command, *urls(server)]) == code
    assert len(server.seen) == (0 if code == 8 else 1)
    assert "Send 16 requests? [y/N]" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.usefixtures("keys", "folder")
def test_a_large_plan_is_sent_with_yes(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no prompt."""
    monkeypatch.setattr(sys, "stdin", Person("n\n"))
    server.answer(Scripted(400, {"errors": ["no"]}))
    posts = [str(n) for n in range(1, 16 * 250)]
    command = ["totals", *posts, "--types", "favorites", "--per-minute", "1", "--yes"]
    assert main([*command, *urls(server)]) == 4
    assert len(server.seen) == 1
    assert "[y/N]" not in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.usefixtures("keys", "folder")
def test_a_small_plan_is_sent_without_a_prompt(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes 15 minutes."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    server.answer(Scripted(400, {"errors": ["no"]}))
    posts = [str(n) for n in range(1, 15 * 250)]
    command = ["totals", *posts, "--types", "favorites", "--per-minute", "1"]
    assert main([*command, *urls(server)]) == 4
    assert len(server.seen) == 1
