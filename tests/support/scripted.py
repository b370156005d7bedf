"""A server with scripted responses, and a fake clock that advances during sleep."""

from __future__ import annotations

import gzip
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import engagement_pandas as ep

USER = ep.UserContext("consumer-key", "consumer-secret", "9-access-token", "token-secret")


@dataclass
class FakeClock:
    """A clock that advances only during sleep."""

    now: float = 1_776_255_600.0
    slept: list[float] = field(default_factory=list)

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class HurriedClock(FakeClock):
    """A clock that advances by ``step`` seconds each time it is read."""

    step: float = 1000.0

    def time(self) -> float:
        self.now += self.step
        return self.now


@dataclass(frozen=True)
class Scripted:
    """One canned response: status, body and headers.

    The body is bytes, a function of the request, or any other value to encode as JSON. It is sent
    gzipped, or as ``gzipped`` if that is given.
    """

    status: int = 200
    body: Any = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    gzipped: bytes = b""

    def wire(self, content: bytes) -> bytes:
        if self.gzipped:
            return self.gzipped
        body = self.body(json.loads(content)) if callable(self.body) else self.body
        return gzip.compress(body if isinstance(body, bytes) else json.dumps(body).encode())


@dataclass(frozen=True)
class Seen:
    """One received request."""

    path: str
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content)


class ScriptedServer:
    """Server that sends scripted responses in order, and records the requests."""

    def __init__(self) -> None:
        self.script: list[Scripted] = []
        self.seen: list[Seen] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.seen.append(Seen(self.path, headers, content))
                scripted = outer.script.pop(0)
                wire = scripted.wire(content)
                self.send_response_only(scripted.status)
                head = {
                    "content-type": "application/json",
                    "content-encoding": "gzip",
                    "content-length": str(len(wire)),
                    **scripted.headers,
                }
                for name, value in head.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(wire[: len(wire) - scripted.cut])
                if scripted.cut:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, *answers: Scripted) -> None:
        self.script.extend(answers)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
