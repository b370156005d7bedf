"""A message to the API, and its outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import requests
from requests.auth import AuthBase


@dataclass(frozen=True, slots=True)
class Message:
    """What to send, and how to sign it.

    ``signer`` is called for each attempt, so that each has its own signature. ``redact`` removes
    secrets from a text that may echo them.
    """

    url: str
    content: bytes
    content_type: str
    signer: Callable[[], AuthBase]
    redact: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's reply, of any status; the body is decompressed.

    ``at`` is the time of arrival, aware UTC. ``gzipped`` is the body as it arrived; empty if it was
    not compressed.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)  # a server may echo the request
    at: datetime
    gzipped: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt without an answer; ``retryable`` if a retry may succeed."""

    why: str
    status: int | None = None
    cause: requests.RequestException | None = None
    retryable: bool = True
