"""A server that sends arbitrary bytes, HTTP or not, and records what it received."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Self

Handler = Callable[[socket.socket], None]


class RawServer:
    """Calls a function for the socket of each connection.

    Parameters
    ----------
    handle : callable
        Called for each request, after its head and body were read.
    context : SSLContext, optional
        Enables TLS.
    """

    def __init__(self, handle: Handler, context: ssl.SSLContext | None = None) -> None:
        self.received: list[bytes] = []
        self._handle = handle
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with contextlib.suppress(OSError, ssl.SSLError), connection:
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(500)
        if self._context:
            connection = self._context.wrap_socket(connection, server_side=True)
        request = b""
        while b"\r\n\r\n" not in request:
            piece = connection.recv(65536)
            if not piece:
                return
            request += piece
        head, _, body = request.partition(b"\r\n\r\n")
        length = next(
            (
                int(line[15:])
                for line in head.lower().split(b"\r\n")
                if line[:15] == b"content-length:"
            ),
            0,
        )
        while len(body) < length:
            body += connection.recv(65536)
        self.received.append(head + b"\r\n\r\n" + body)
        self._handle(connection)
        connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)


def respond_with(head: str, *body: bytes) -> Handler:
    """Return a handler that sends a head and a body."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n")
        for piece in body:
            connection.sendall(piece)

    return answer


def endless(head: str, pieces: Iterator[bytes]) -> Handler:
    """Return a handler that sends a head and then pieces, until the connection is closed."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(head.replace("\n", "\r\n").encode("latin-1"))
        for piece in pieces:
            connection.sendall(piece)

    return answer
