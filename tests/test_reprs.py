"""What objects show of themselves: without the network, without the disk, and escaped."""

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
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return one object of each kind, whose folder is removed and whose server has stopped."""
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


KINDS = [
    "plan", "response", "no response", "archive", "collection", "data set", "quota", "ledger",
]  # fmt: skip


@contextmanager
def isolated(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make every look at a file or the network fail."""

    def fail(*arguments: Any, **_: Any) -> None:
        msg = f"looked at {arguments}"
        raise AssertionError(msg)

    with monkeypatch.context() as patch:
        for name in ("stat", "lstat", "open", "scandir", "listdir"):
            patch.setattr(os, name, fail)
        patch.setattr(builtins, "open", fail)
        patch.setattr(io, "open", fail)
        patch.setattr(socket, "socket", fail)
        yield


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_looked_at(
    kind: str, shown: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Showing an object needs no file and no network."""
    each = shown[kind]
    with isolated(monkeypatch):
        text, page = repr(each), each._repr_html_()
    assert text.startswith((f"{type(each).__name__}(", "Plan: "))
    assert page.startswith("<")


@pytest.mark.parametrize("kind", KINDS)
def test_markup_is_text(kind: str, shown: dict[str, Any]) -> None:
    """A path or message with markup does not break out of the table."""
    page = shown[kind]._repr_html_()
    assert "<table>" in page
    assert "<b>" not in page
    assert "<i>" not in page


@pytest.mark.parametrize(
    ("kind", "words"),
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
def test_it_explains(kind: str, words: str, shown: dict[str, Any]) -> None:
    """The table has what is known of the object, and how to get the rest."""
    assert words in shown[kind]._repr_html_()


@pytest.mark.slow
def test_a_quota_before_and_after_an_answer(shown: dict[str, Any]) -> None:
    """The limits are those that the API has reported."""
    with ep.demo_client("2026-04-15T12:20:00Z") as demo:
        assert repr(demo.client.quota) == "RateLimiter(no limit reported yet)"
    assert " per minute" in repr(shown["quota"])


def test_details_on_request(tmp_path: Path) -> None:
    """``print`` may look: it has the state of the files."""
    looks: dict[str, Callable[[], Any]] = {
        "0 collections": lambda: ep.Archive(tmp_path / "raw"),
        "0 handles requested": lambda: ep.Ledger(tmp_path / "ledger.jsonl"),
    }
    for words, make in looks.items():
        assert words in str(make())
