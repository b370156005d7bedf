"""A requests.Session that follows no redirects, and a reader of bodies with limits.

The timeout of requests limits the wait between two bytes: a server that sends one byte a minute
never exceeds it, nor does a body that never ends. So the body is read piece by piece, with a
deadline, and its size is limited to that of the largest possible answer.

The head of a reply is read by ``http.client``, which limits a line to 64 kB and the headers to a
hundred, and by the timeout between two bytes. No public interface limits their total time, nor
the number of interim replies (``100 Continue``) and of trailers after a chunked body.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import IO, Any, Final, cast

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from engagement_pandas import __version__
from engagement_pandas.files.decompress import FileTooLarge, read_bounded
from engagement_pandas.transport.urls import is_loopback

USER_AGENT: Final = f"engagement_pandas/{__version__}"

ENCODINGS: Final = frozenset({"", "identity", "gzip", "x-gzip"})
"""Allowed encodings of a body; with nested compression, a few bytes could expand to gigabytes."""

_PIECE: Final = 2**16
_GZIP: Final = b"\x1f\x8b"


class BodyTooLarge(requests.RequestException):
    """The body is larger than any valid answer; a retry would not help."""


class BoundedSession(requests.Session):
    """A session that follows no redirects, and keeps ``in_flight`` connections open.

    It reads the proxies and the CA bundle of the environment at the first request to a URL:
    to read them for each request takes as long as to sign it.
    """

    def __init__(self, in_flight: int = 1) -> None:
        super().__init__()
        self._settings: dict[str, Any] = {}
        self.headers["User-Agent"] = USER_AGENT
        for scheme in ("https://", "http://"):
            self.mount(scheme, HTTPAdapter(pool_maxsize=in_flight))

    def post_once(
        self,
        url: str,
        content: bytes,
        headers: Mapping[str, str],
        auth: AuthBase,
        timeout: tuple[float, float],
    ) -> requests.Response:
        """Send one POST, and return its reply with the body unread."""
        if url not in self._settings:
            direct: Any = {"http": None, "https": None, "all": None}
            self._settings[url] = self.merge_environment_settings(
                url,
                proxies=direct if is_loopback(url) else {},
                stream=True,
                verify=True,  # always verify; REQUESTS_CA_BUNDLE may name the CA bundle
                cert=None,
            )
        request = requests.Request("POST", url, headers, data=content, auth=auth)
        return self.send(
            self.prepare_request(request),
            timeout=timeout,
            allow_redirects=False,
            **self._settings[url],
        )

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None, because requests would read the full body of a redirect."""


def read_body(
    reply: requests.Response, clock: Callable[[], float], limit: int, deadline: float
) -> tuple[bytes, bytes]:
    """Read the body of a reply requested with ``stream=True``; return it decompressed, and as gzip.

    The gzip stream is as it arrived, and empty if the body was not compressed. ``limit`` is the
    maximum of bytes, both compressed and decompressed; ``deadline`` the seconds from now, by
    ``clock``. A larger body raises BodyTooLarge, a slower one requests.Timeout.
    """
    encoding = reply.headers.get("content-encoding", "").strip().lower()
    if encoding not in ENCODINGS:
        msg = f"the body is compressed as {encoding[:40]!r}, and gzip was requested"
        raise requests.exceptions.ContentDecodingError(msg)
    content = _read(reply, clock, limit, deadline)
    if encoding in {"", "identity"} or not content.startswith(_GZIP):
        return content, b""  # some proxies decompress a body, and leave the header
    try:
        file = cast("IO[bytes]", gzip.GzipFile(fileobj=BytesIO(content)))
        return read_bounded(file, limit), content
    except FileTooLarge as error:
        raise _too_large(limit) from error
    except (EOFError, OSError, zlib.error) as error:
        msg = f"the body is not valid gzip: {error}"
        raise requests.exceptions.ContentDecodingError(msg) from error


def _read(
    reply: requests.Response, clock: Callable[[], float], limit: int, deadline: float
) -> bytes:
    content, end = bytearray(), clock() + deadline
    try:
        # read1 returns what has arrived; read would wait until a piece is complete.
        while piece := reply.raw.read1(_PIECE):
            content += piece
            if len(content) > limit:
                raise _too_large(limit)
            if clock() > end:
                msg = f"the body took more than {deadline:.0f} s"
                raise requests.Timeout(msg)
    except (HTTPError, ValueError) as error:  # http.client raises the latter for a chunk size
        raise requests.exceptions.ChunkedEncodingError(str(error)) from error
    return bytes(content)


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body has more than {limit:,} bytes, the most that an answer can have")
