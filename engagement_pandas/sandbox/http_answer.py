"""HTTP responses of the sandbox, and the exception for error responses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP response before faults are injected.

    ``body`` is as sent: compressed if the headers say so. ``headers`` are without
    ``Content-Length``.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """A request gets a response with ``errors``.

    ``messages`` are the entries of ``errors``. ``keys`` are additional top-level keys of the body,
    such as ``unavailable_tweet_ids``. ``headers`` are additional, too.
    """

    def __init__(
        self,
        status: int,
        *messages: str,
        keys: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, *messages)
        self.status = status
        self.messages = messages
        self.keys = dict(keys or {})
        self.headers = dict(headers or {})

    @property
    def document(self) -> dict[str, Any]:
        """The body: ``errors`` as an array of strings, and the additional keys."""
        return {"errors": list(self.messages), **self.keys}


def to_json(document: Mapping[str, Any]) -> bytes:
    """Serialise as compact UTF-8 JSON."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
