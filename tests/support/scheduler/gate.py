"""A server that answers when it is told to, and knows how many are waiting."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PLENTY = {"x-per-minute-limit": "100000", "x-per-minute-remaining": "99999"}
"""Headers of a quota that is no limit."""

Reply = tuple[int, Any, dict[str, str]]


def counted(ids: list[str]) -> Reply:
    """Return an answer that counts 1 for each post."""
    return 200, {"by_post": {post: {"favorites": "1"} for post in ids}}, PLENTY


class Gate:
    """Holds each request until its post is let through; ``1`` is let through from the start.

    Parameters
    ----------
    answer : callable
        Makes a reply of the IDs that were asked.
    """

    def __init__(self, answer: Callable[[list[str]], Reply] = counted) -> None:
        self.answer = answer
        self.asked: list[list[str]] = []
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

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                """Say nothing: a client that is gone is no news."""

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def _hold(self, ids: list[str]) -> None:
        with self._changed:
            self.asked.append(ids)
            self.waiting += 1
            self.most = max(self.most, self.waiting)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._all or not self._open.isdisjoint(ids), 500)
            self.waiting -= 1
            self._changed.notify_all()

    def let(self, *posts: int) -> None:
        """Let requests for these posts through."""
        with self._changed:
            self._open.update(map(str, posts))
            self._changed.notify_all()

    def let_all(self) -> None:
        """Let everything through."""
        with self._changed:
            self._all = True
            self._changed.notify_all()

    def until_waiting(self, number: int) -> None:
        """Return once so many requests are held."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.waiting >= number, 500)

    def close(self) -> None:
        """Let everything through, and stop."""
        self.let_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
