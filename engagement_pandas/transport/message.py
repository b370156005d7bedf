"""A message to the API, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import requests
from requests.auth import AuthBase


@dataclass(frozen=True, slots=True)
class Message:
    """What to send, and how to sign it.

    Attributes
    ----------
    url : str
    content : bytes
    content_type : str
    signer : callable
        Called at each attempt, so that each has a signature of its own.
    redact : callable
        Takes secrets out of a text that may echo them.
    """

    url: str
    content: bytes
    content_type: str
    signer: Callable[[], AuthBase]
    redact: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server sent back, whatever the status; its body decompressed."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)  # a server may echo what it was sent


@dataclass(frozen=True, slots=True)
class Answer:
    """What arrived: a status that is not worth another attempt, and its body.

    Attributes
    ----------
    status : int
    headers : mapping of str to str
    content : bytes
        Decompressed.
    at : datetime
        When, aware UTC.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)  # a server may echo what it was sent
    at: datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt without an answer; ``passing`` where another may have one."""

    why: str
    status: int | None = None
    cause: requests.RequestException | None = None
    passing: bool = True
