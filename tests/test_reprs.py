"""Representations of objects read neither network nor disk, and are escaped."""

from __future__ import annotations

import builtins
import io
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import engagement_pandas as ep

MARKUP = "<b>raw</b>"


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return one object of each type, whose folder is removed and whose server has stopped."""
    folder = tmp_path_factory.mktemp("shown") / MARKUP
    with ep.demo_client("2026-04-15T12:20:00Z") as demo:
        request = ep.totals(demo.posts, engagement_types=["favorites"])
        archive = ep.Archive(folder / "raw")
        collection = demo.public.collect(request, into=archive)
        (response,) = demo.public.fetch(request)
        quota = demo.public.quota
    unsent = ep.EngagementResponse.uncounted(
        request, response.retrieved_at, ep.OmissionReason.UNAUTHORIZED, "<i>no</i>"
    )
    objects = {
        "plan": ep.plan(request),
        "response": response,
        "no response": unsent,
        "archive": archive,
        "collection": collection,
        "data set": ep.Dataset(folder / "set"),
        "quota": quota,
        "ledger": ep.Ledger(folder / "ledger.jsonl", limit=7),
    }
    shutil.rmtree(folder)
    return objects


NAMES = [
    "plan", "response", "no response", "archive", "collection", "data set", "quota", "ledger",
]  # fmt: skip


@contextmanager
def isolated(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make every access to a file or the network fail."""

    def fail(*arguments: Any, **_: Any) -> None:
        msg = f"accessed {arguments}"
        raise AssertionError(msg)

    with monkeypatch.context() as patch:
        for name in ("stat", "lstat", "open", "scandir", "listdir"):
            patch.setattr(os, name, fail)
        patch.setattr(builtins, "open", fail)
        patch.setattr(io, "open", fail)
        patch.setattr(socket, "socket", fail)
        yield


@pytest.mark.parametrize("name", NAMES)
def test_representations_need_no_access(
    name: str, objects: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An object is shown without a file and without the network."""
    value = objects[name]
    with isolated(monkeypatch):
        text, page = repr(value), value._repr_html_()
    assert text.startswith((f"{type(value).__name__}(", "Plan: "))
    assert page.startswith("<")


@pytest.mark.parametrize("name", NAMES)
def test_markup_is_escaped(name: str, objects: dict[str, Any]) -> None:
    """A path or message with markup does not break out of the table."""
    page = objects[name]._repr_html_()
    assert "<table>" in page
    assert "<b>" not in page
    assert "<i>" not in page


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("plan", "1 request to /insights/engagement/totals"),
        ("response", "HTTP 200"),
        ("no response", "unauthorized"),
        ("archive", "archive.collections"),
        ("collection", "flatten(collection)"),
        ("data set", "dataset.read(since, until)"),
        ("quota", "client.quota.pause()"),
        ("ledger", "7 handles a month"),
    ],
)
def test_tables_explain_the_object(name: str, words: str, objects: dict[str, Any]) -> None:
    """The table has what is known of the object, and the calls for the rest."""
    assert words in objects[name]._repr_html_()


@pytest.mark.slow
def test_the_repr_of_a_quota(objects: dict[str, Any]) -> None:
    """The limits are those that the API has reported."""
    with ep.demo_client("2026-04-15T12:20:00Z") as demo:
        assert repr(demo.client.quota) == "RateLimiter(no limit reported yet)"
    assert " per minute" in repr(objects["quota"])


def test_print_shows_details(tmp_path: Path) -> None:
    """``print`` may read files: it shows their state."""
    cases: dict[str, Callable[[], Any]] = {
        "0 collections": lambda: ep.Archive(tmp_path / "raw"),
        "0 handles requested": lambda: ep.Ledger(tmp_path / "ledger.jsonl"),
    }
    for words, make in cases.items():
        assert words in str(make())
