"""A reply off the wire, within bounds: so many bytes, and so many seconds in all.

A time-out is for the wait between two bytes: a server that drips one a minute never meets
it, and one that never ends needs none. So every byte, those of the headers too, is read
against a clock, and no more than the biggest answer is kept, however small it came packed.
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
"""Seconds from the end of a request to the end of its reply; a line of 64 kB a second does."""

ENCODINGS: Final = frozenset({"", "identity", "gzip", "x-gzip"})
"""What a body may be packed in; packed twice, a few bytes hold gigabytes."""

_DAY: Final = 86_400.0  # seconds; a socket takes no more than 24 days
_PIECE: Final = 2**16
_HEADERS: Final = 2**20


def checked_timeout(timeout: tuple[float, float]) -> tuple[float, float]:
    """Return the seconds to connect, and between two bytes of a reply.

    Examples
    --------
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
    """More bytes than any answer has; another attempt would have as many."""


class _Bounded(RawIOBase):
    """Reads from another stream, until there were too many bytes or it took too long."""

    def __init__(self, stream: BufferedReader, clock: Callable[[], float], deadline: float) -> None:
        self._stream = stream
        self._clock = clock
        self._deadline = deadline
        self._end = clock() + deadline
        self._left = MAX_BODY_BYTES + _HEADERS

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has arrived, at least a byte; none at the end."""
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
        """Close both."""
        self._stream.close()
        super().close()


class _Reply(HTTPResponse):
    """A reply of ``http.client`` that is read within bounds from its first byte on."""

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
    """Goes before a kind of pool, and puts bounds to the replies of its connections."""

    reply: Callable[..., HTTPResponse]

    def _new_conn(self) -> Any:
        connection: Any = super()._new_conn()
        connection.response_class = self.reply
        return connection


class BoundedAdapter(HTTPAdapter):
    """Makes connections whose replies end.

    Parameters
    ----------
    clock : callable
        Seconds, as ``time.time``.
    in_flight : int
        Connections that are kept.
    deadline : float
        Seconds from the last byte of a request to the last of its reply.
    """

    def __init__(self, clock: Callable[[], float], in_flight: int, deadline: float) -> None:
        self._reply = partial(_Reply, clock=clock, deadline=deadline)
        super().__init__(pool_maxsize=in_flight)

    def init_poolmanager(self, *given: Any, **named: Any) -> None:
        """Make the pools of connections."""
        super().init_poolmanager(*given, **named)
        self._bound(self.poolmanager)

    def proxy_manager_for(self, *given: Any, **named: Any) -> Any:
        """Return the pools of connections through a proxy."""
        manager = super().proxy_manager_for(*given, **named)
        self._bound(manager)
        return manager

    def _bound(self, manager: Any) -> None:
        """Have its pools, those of a proxy of SOCKS too, make connections whose replies end."""
        own = {"reply": staticmethod(self._reply)}
        manager.pool_classes_by_scheme = {
            scheme: pool if issubclass(pool, _Pool) else type(pool.__name__, (_Pool, pool), own)
            for scheme, pool in manager.pool_classes_by_scheme.items()
        }


class BoundedSession(requests.Session):
    """A session whose replies end, and which follows no redirect.

    Parameters
    ----------
    clock, in_flight, deadline
        As :class:`BoundedAdapter` has them.
    """

    def __init__(
        self, clock: Callable[[], float], in_flight: int = 1, deadline: float = DEADLINE
    ) -> None:
        super().__init__()
        for scheme in ("https://", "http://"):
            self.mount(scheme, BoundedAdapter(clock, in_flight, deadline))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """See none: of one that is not to be followed, the whole body would be read."""


def read_body(reply: requests.Response) -> bytes:
    """Return the body of a reply that was asked for with ``stream=True``, decompressed."""
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
    except ValueError as error:  # what http.client makes of a chunk of fewer bytes than none
        raise requests.exceptions.ChunkedEncodingError(str(error)) from error
    return b"".join(pieces)
