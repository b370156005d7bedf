"""A server that holds responses until they are released, and counts waiting requests."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PLENTY = {"x-per-minute-limit": "100000", "x-per-minute-remaining": "99999"}
"""Headers of a practically unlimited quota."""

Reply = tuple[int, Any, dict[str, str]]


def counted(ids: list[str]) -> Reply:
    """Return a response with a count of 1 for each post."""
    return 200, {"by_post": {post: {"favorites": "1"} for post in ids}}, PLENTY


class Gate:
    """Server that holds each request until its post is released; ``1`` always is.

    Parameters
    ----------
    answer : callable
        Returns the response for the requested IDs.
    """

    def __init__(self, answer: Callable[[list[str]], Reply] = counted) -> None:
        self.answer = answer
        self.requested: list[list[str]] = []
        self.waiting = self.most = 0
        self._open = {"1"}
        self._all = False
        self._changed = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["content-length"]))
                ids = json.loads(content)["tweet_ids"]
                outer._hold(ids)
                status, body, headers = outer.answer(ids)
                wire = gzip.compress(json.dumps(body).encode())
                head = {
                    "content-type": "application/json",
                    "content-encoding": "gzip",
                    "content-length": str(len(wire)),
                    **headers,
                }
                self.send_response(status)
                for name, value in head.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(wire)

            def log_message(self, *_: object) -> None:
                pass

        class QuietServer(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                """Ignore closed connections."""

        self._server = QuietServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def _hold(self, ids: list[str]) -> None:
        with self._changed:
            self.requested.append(ids)
            self.waiting += 1
            self.most = max(self.most, self.waiting)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._all or not self._open.isdisjoint(ids), 500)
            self.waiting -= 1
            self._changed.notify_all()

    def let(self, *posts: int) -> None:
        """Release requests for these posts."""
        with self._changed:
            self._open.update(map(str, posts))
            self._changed.notify_all()

    def let_all(self) -> None:
        """Release all requests."""
        with self._changed:
            self._all = True
            self._changed.notify_all()

    def until_waiting(self, number: int) -> None:
        """Wait until at least this many requests are held."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.waiting >= number, 500)

    def close(self) -> None:
        """Release all requests, and stop."""
        self.let_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
