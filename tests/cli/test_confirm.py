"""Large plans: a person is asked, and a scheduled job says ``--yes``."""

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
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.slow
@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("name", ["X_BASE_URL", "--base-url"])
def test_a_large_plan_without_anybody_to_ask(
    server: ScriptedServer,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    """501 requests: exit code 8, the plan and the cure, and nothing is sent or made."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    monkeypatch.setenv("X_BASE_URL", server.url)
    options = ["--base-url", server.url] if name == "--base-url" else []
    (folder / "posts.txt").write_text("\n".join(MANY))
    assert main(["totals", "posts.txt", "--types", "favorites", *options]) == 8
    told = capsys.readouterr()
    assert told.out == ""
    assert "Plan: 501 requests to /insights/engagement/totals" in told.err
    assert "pass --yes" in told.err
    assert server.seen == []
    assert [path.name for path in folder.iterdir()] == ["posts.txt"]


@pytest.mark.slow
@pytest.mark.usefixtures("keys", "folder")
@pytest.mark.parametrize(
    ("said", "code"),
    [("n\n", 8), ("\n", 8), ("", 8), ("yesterday\n", 8), ("y\n", 4), (" Yes\n", 4)],
)
def test_a_large_plan_and_a_person(
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    said: str,
    code: int,
) -> None:
    """16 minutes of quota: somebody is asked, and only yes means yes."""
    monkeypatch.setattr(sys, "stdin", Person(said))
    server.answer(Scripted(400, {"errors": ["no"]}))
    posts = [str(n) for n in range(1, 16 * 250)]
    asked = ["totals", *posts, "--types", "favorites", "--per-minute", "1"]
    assert main([*asked, *urls(server)]) == code
    assert len(server.seen) == (0 if code == 8 else 1)
    assert "Send 16 requests? [y/N]" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.usefixtures("keys", "folder")
def test_a_large_plan_that_is_agreed_to(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--yes: sent without a question."""
    monkeypatch.setattr(sys, "stdin", Person("n\n"))
    server.answer(Scripted(400, {"errors": ["no"]}))
    posts = [str(n) for n in range(1, 16 * 250)]
    asked = ["totals", *posts, "--types", "favorites", "--per-minute", "1", "--yes"]
    assert main([*asked, *urls(server)]) == 4
    assert len(server.seen) == 1
    assert "[y/N]" not in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.usefixtures("keys", "folder")
def test_a_plan_that_is_not_large(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """15 minutes: sent without a question."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    server.answer(Scripted(400, {"errors": ["no"]}))
    posts = [str(n) for n in range(1, 15 * 250)]
    asked = ["totals", *posts, "--types", "favorites", "--per-minute", "1"]
    assert main([*asked, *urls(server)]) == 4
    assert len(server.seen) == 1
