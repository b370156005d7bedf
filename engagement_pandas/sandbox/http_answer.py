"""What the sandbox answers: a status, headers and a body; and its way of saying no."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP answer, before the line and the faults get at it.

    Attributes
    ----------
    status : int
    body : bytes
        As it goes over the wire: compressed where the headers say so.
    headers : mapping of str to str
        Without ``Content-Length``.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """A request that is answered with ``errors``.

    Attributes
    ----------
    status : int
    messages : tuple of str
        The entries of ``errors``.
    keys : dict
        Further top-level keys of the body, such as ``unavailable_tweet_ids``.
    headers : dict
        Further headers.
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
        """The body: ``errors`` as an array of strings, and the further keys."""
        return {"errors": list(self.messages), **self.keys}


def to_json(document: Mapping[str, Any]) -> bytes:
    """Return compact UTF-8 JSON."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
