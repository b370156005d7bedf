"""The HTTP/1.1 server on loopback, with keep-alive and simulated network faults."""

from __future__ import annotations

import gzip
import os
import socket
import sys
import threading
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from engagement_pandas.sandbox.faults import Fault, Faults
from engagement_pandas.sandbox.http_answer import HttpAnswer, Refusal, to_json
from engagement_pandas.sandbox.service import PATHS, Service

MAX_BODY: Final = 4_000_000
"""Maximum size of a request body, in bytes."""


@dataclass(frozen=True, slots=True)
class Received:
    """One request received by the server, without its secrets.

    ``scheme`` is that of the ``Authorization`` header: ``OAuth``, ``Bearer``, ``Basic`` or empty.
    ``status`` is None if the connection was closed without a response. ``fault`` is the kind of the
    injected fault.
    """

    method: str
    path: str
    scheme: str
    body: bytes
    status: int | None
    fault: str | None = None


class Listener(ThreadingHTTPServer):
    """Server that keeps track of its connections, so that it can close them all.

    If ``port`` is 0, any free port is used. ``log`` records the requests.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, service: Service, faults: Faults, log: deque[Received]) -> None:
        self.service = service
        self.faults = faults
        self.log = log
        self.stopping = threading.Event()
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection."""
        with self._lock:
            self._open[request] = threading.current_thread()
            if self.stopping.is_set():
                _hang_up(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._open[request]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report an error, unless the client has closed the connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def stop(self, thread: threading.Thread) -> None:
        """Stop the serving thread and close all connections; repeated calls do nothing."""
        if os.getpid() != self._process:
            return  # a fork has no threads, and must not close the parent's connections
        with self._lock:
            first = not self.stopping.is_set()
            self.stopping.set()
            own = {thread, *self._open.values()}
        if not first:
            return
        if threading.current_thread() in own:
            # A finaliser can run in any thread, and a thread cannot join itself.
            threading.Thread(target=self._stop, args=(thread,), daemon=True).start()
        else:
            self._stop(thread)

    def _stop(self, thread: threading.Thread) -> None:
        if thread.is_alive():
            self.shutdown()
            thread.join()
        self.server_close()
        with self._lock:
            connections = dict(self._open)
            for connection in connections:
                _hang_up(connection)
        for worker in connections.values():
            worker.join(timeout=5)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Listener

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Format the time of the clock that the rate limit and the signatures use."""
        return super().date_time_string(
            self.server.service.wall() if timestamp is None else timestamp
        )

    def _respond(self) -> None:
        try:
            body = self._body()
        except Refusal as refusal:
            self.close_connection = True
            self._send(_plain(refusal))
            return
        answer = self.server.service.answer(self.path, dict(self.headers), body, self.command)
        # Faults are injected only into the counting endpoints, not into token requests.
        bare = self.path.partition("?")[0]
        fault = self.server.faults.draw() if bare in PATHS else None
        if fault is not None:
            answer = _spoilt(answer, fault)
        scheme = self.headers.get("Authorization", "").partition(" ")[0]
        answered = fault is None or fault.answered
        self.server.log.append(
            Received(
                self.command,
                bare,
                scheme,
                body,
                answer.status if answered else None,
                fault.kind if fault else None,
            )
        )
        if fault is not None and fault.delay:
            self.server.stopping.wait(fault.delay)
        if not answered:
            self.close_connection = True
            _hang_up(self.connection)
        elif fault is not None and fault.sent < 1:
            self._send(answer, int(len(answer.body) * fault.sent), announced=fault.announced)
        else:
            self._send(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _respond  # noqa: N815

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers:
            raise Refusal(411, "Content-Length is required")
        if not length.isdecimal():
            raise Refusal(400, f"Content-Length [{length}] is not a number")
        if int(length) > MAX_BODY:
            raise Refusal(413, f"request body is larger than {MAX_BODY} bytes")
        return self.rfile.read(int(length))

    def _send(self, answer: HttpAnswer, sent: int | None = None, *, announced: bool = True) -> None:
        body = answer.body[:sent]
        if sent is not None and announced:
            self.close_connection = True
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body if announced else body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Send errors of the base class in the API's format."""
        self.close_connection = True
        self.request_version = self.protocol_version  # older versions have no status line
        self._send(_plain(Refusal(code, message or explain or "bad request")))

    def version_string(self) -> str:
        """Return the ``Server`` header."""
        return "engagement-pandas-sandbox"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Do nothing, since the server has its own log."""


def _plain(refusal: Refusal) -> HttpAnswer:
    headers = {"Content-Type": "application/json;charset=utf-8", "Content-Encoding": "gzip"}
    return HttpAnswer(refusal.status, gzip.compress(to_json(refusal.document), mtime=0), headers)


def _spoilt(answer: HttpAnswer, fault: Fault) -> HttpAnswer:
    if fault.status is None:
        return HttpAnswer(answer.status, answer.body, {**answer.headers, **dict(fault.headers)})
    headers = {**answer.headers, **dict(fault.headers), "Content-Type": fault.content_type}
    headers.pop("Content-Encoding", None)
    if fault.gzipped:
        headers["Content-Encoding"] = "gzip"
        return HttpAnswer(fault.status, gzip.compress(fault.body, mtime=0), headers)
    return HttpAnswer(fault.status, fault.body, headers)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # already closed
        return
