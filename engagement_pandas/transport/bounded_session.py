"""A requests.Session with limits on the size and total time of a reply.

The timeout of requests limits the wait between two bytes: a server that sends one byte a minute
never exceeds it, nor does a reply that never ends. So a deadline applies to every byte, headers
included, and the decompressed size is limited to that of the largest possible answer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from socket import socket
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool

from engagement_pandas.errors import RequestError
from engagement_pandas.response.envelope import MAX_BODY_BYTES

DEADLINE: Final = 900.0
"""Seconds from the end of a request to the end of its reply; 64 kB a second is fast enough."""

ENCODINGS: Final = frozenset({"", "identity", "gzip", "x-gzip"})
"""Allowed encodings of a body; with nested compression, a few bytes could expand to gigabytes."""

_DAY: Final = 86_400.0  # seconds; a socket timeout cannot exceed 24 days
_PIECE: Final = 2**16
_HEADERS: Final = 2**20


def checked_timeout(timeout: tuple[float, float]) -> tuple[float, float]:
    """Return the validated timeouts: seconds to connect, and between two bytes of a reply.

    >>> checked_timeout((10, 120.0))
    (10, 120.0)
    """
    match timeout:
        case (int() | float() as connect, int() | float() as read):
            if 0 < connect <= _DAY and 0 < read <= _DAY:
                return connect, read
    msg = f"timeout is {timeout!r}; give two numbers of seconds above 0, at most a day"
    raise RequestError(msg)


class BodyTooLarge(requests.RequestException):
    """The body is larger than any valid answer; a retry would not help."""


class _Bounded(RawIOBase):
    """A raw stream that fails after too many bytes or too much time."""

    def __init__(self, stream: BufferedReader, clock: Callable[[], float], deadline: float) -> None:
        self._stream = stream
        self._clock = clock
        self._deadline = deadline
        self._end = clock() + deadline
        self._left = MAX_BODY_BYTES + _HEADERS

    def readable(self) -> bool:
        """Return True: the stream is readable."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the available bytes, at least one; zero at the end."""
        if self._clock() > self._end:
            msg = f"the reply took more than {self._deadline:.0f} s"
            raise TimeoutError(msg)
        piece = self._stream.read1(len(buffer))
        self._left -= len(piece)
        if self._left < 0:
            msg = f"the reply has more than {MAX_BODY_BYTES + _HEADERS:,} bytes"
            raise OSError(msg)
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Close this stream and the wrapped one."""
        self._stream.close()
        super().close()


class _Reply(HTTPResponse):
    """A reply of ``http.client`` with limits from its first byte on."""

    def __init__(
        self,
        sock: socket,
        *given: Any,
        clock: Callable[[], float],
        deadline: float,
        **named: Any,
    ) -> None:
        super().__init__(sock, *given, **named)
        self.fp = BufferedReader(_Bounded(self.fp, clock, deadline))


class _Pool(HTTPConnectionPool):
    """Mixin for connection pools that limits the replies of their connections."""

    reply: Callable[..., HTTPResponse]

    def _new_conn(self) -> Any:
        connection: Any = super()._new_conn()
        connection.response_class = self.reply
        return connection


class BoundedAdapter(HTTPAdapter):
    """An adapter whose connections limit their replies; it keeps ``in_flight`` of them open.

    The deadline is in seconds, from the last byte of a request to the last of its reply.
    """

    def __init__(self, clock: Callable[[], float], in_flight: int, deadline: float) -> None:
        self._reply = partial(_Reply, clock=clock, deadline=deadline)
        super().__init__(pool_maxsize=in_flight)

    def init_poolmanager(self, *given: Any, **named: Any) -> None:
        """Create the connection pools."""
        super().init_poolmanager(*given, **named)
        self._bound(self.poolmanager)

    def proxy_manager_for(self, *given: Any, **named: Any) -> Any:
        """Return the connection pools of a proxy."""
        manager = super().proxy_manager_for(*given, **named)
        self._bound(manager)
        return manager

    def _bound(self, manager: Any) -> None:
        """Make its pools, including those of SOCKS proxies, limit their replies."""
        own = {"reply": staticmethod(self._reply)}
        manager.pool_classes_by_scheme = {
            scheme: pool if issubclass(pool, _Pool) else type(pool.__name__, (_Pool, pool), own)
            for scheme, pool in manager.pool_classes_by_scheme.items()
        }


class BoundedSession(requests.Session):
    """A session with limited replies (see :class:`BoundedAdapter`) that follows no redirects."""

    def __init__(
        self, clock: Callable[[], float], in_flight: int = 1, deadline: float = DEADLINE
    ) -> None:
        super().__init__()
        for scheme in ("https://", "http://"):
            self.mount(scheme, BoundedAdapter(clock, in_flight, deadline))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None, because requests would read the full body of a redirect."""


def read_body(reply: requests.Response) -> bytes:
    """Return the decompressed body of a reply requested with ``stream=True``."""
    packed = reply.headers.get("content-encoding", "").strip().lower()
    if packed not in ENCODINGS:
        msg = f"the body is packed as {packed[:40]!r}, and was asked for as gzip"
        raise requests.exceptions.ContentDecodingError(msg)
    pieces, length = [], 0
    try:
        for piece in reply.iter_content(_PIECE):
            length += len(piece)
            if length > MAX_BODY_BYTES:
                msg = f"the body has more than {MAX_BODY_BYTES:,} bytes, which no answer has"
                raise BodyTooLarge(msg)
            pieces.append(piece)
    except ValueError as error:  # http.client raises it for a negative chunk size
        raise requests.exceptions.ChunkedEncodingError(str(error)) from error
    return b"".join(pieces)
