"""Malicious replies to the real client, from a server on loopback."""

from __future__ import annotations

import gzip
import itertools
import threading
import tracemalloc
from collections.abc import Iterator

import pytest
from hostile.raw import RawServer, endless, respond_with
from support.scripted import USER, FakeClock, HurriedClock, Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.response.body_size import MAX_BODY_BYTES
from engagement_pandas.transport import exchange, transport
from engagement_pandas.vocabulary.engagement_types import SERIES_TYPES

REQUEST = ep.totals(["1"], engagement_types=["favorites"])
GOOD = b'{"by_post": {"1": {"favorites": "1"}}}'
OK = "HTTP/1.1 200 OK\nContent-Type: application/json\n"


def client(url: str, clock: FakeClock, attempts: int = 2) -> ep.EngagementClient:
    """Return a client of a server."""
    return ep.EngagementClient(
        USER, base_url=url, attempts=attempts, clock=clock.time, sleep=clock.sleep
    )


def failure(url: str, clock: FakeClock | None = None) -> ep.TransportError:
    """Return the error of a fetch."""
    with (
        client(url, clock or FakeClock()) as connected,
        pytest.raises(ep.TransportError) as caught,
    ):
        connected.fetch(REQUEST)
    return caught.value


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> int:
    """Reduce the maximum size of a body, so that little data exceeds it."""
    monkeypatch.setattr(transport, "MAX_BODY_BYTES", 1_000_000)
    return 1_000_000


def test_the_limit_exceeds_the_largest_response() -> None:
    """25 posts, 17 types and 29 days of 24 hours have counts of maximum length and spaces."""
    hours = 25 * 17 * 29 * 24
    assert len(SERIES_TYPES) == 17
    assert hours * len(b'"07" : "-9223372036854775808", ') < MAX_BODY_BYTES
    assert MAX_BODY_BYTES < 64_000_000


def bomb(size: int, layers: int = 1) -> bytes:
    """Return spaces and a response, compressed to a thousandth."""
    compressed = b" " * size + GOOD
    for _ in range(layers):
        compressed = gzip.compress(compressed)
    return compressed


@pytest.mark.slow
def test_a_gzip_bomb_is_not_decompressed(limit: int) -> None:
    """It exceeds the limit, and is not retried."""
    compressed = bomb(20 * limit)
    assert len(compressed) < limit / 10
    head = f"{OK}Content-Encoding: gzip\nContent-Length: {len(compressed)}"
    with RawServer(respond_with(head, compressed)) as server:
        error = failure(server.url)
    assert error.attempts == 1
    assert "the body has more than 1,000,000 bytes, the most that an answer can have" in str(error)


def test_a_nested_bomb_is_not_decompressed(limit: int) -> None:
    """Double compression was not requested, so it is refused."""
    compressed = bomb(2 * limit, 2)
    head = f"{OK}Content-Encoding: gzip, gzip\nContent-Length: {len(compressed)}"
    with RawServer(respond_with(head, compressed)) as server:
        assert "the body is compressed as 'gzip, gzip'" in str(failure(server.url))


@pytest.mark.parametrize("encoding", ["deflate", "br", "zstd", "gzip,gzip,gzip", "x" * 5000])
def test_other_compressions_are_refused(encoding: str) -> None:
    """Only gzip was requested; the error names the compression."""
    with RawServer(
        respond_with(f"{OK}Content-Encoding: {encoding}\nContent-Length: 2", b"{}")
    ) as server:
        assert f"compressed as '{encoding[:40]}'" in str(failure(server.url))


@pytest.mark.usefixtures("limit")
def test_gzip_in_many_parts() -> None:
    """Consecutive parts are one body with one limit."""
    parts = gzip.compress(b" " * 300_000) * 20
    head = f"{OK}Content-Encoding: gzip\nContent-Length: {len(parts)}"
    with RawServer(respond_with(head, parts)) as server:
        assert "more than 1,000,000 bytes" in str(failure(server.url))


@pytest.mark.usefixtures("limit")
@pytest.mark.parametrize("status", [200, 400, 403, 429, 500])
@pytest.mark.parametrize(
    ("head", "piece"),
    [
        ("", b" " * 65536),
        ("Transfer-Encoding: chunked\n", b"10000\r\n" + b" " * 65536 + b"\r\n"),
        ("Content-Length: 999999999999\n", b" " * 65536),
    ],
    ids=["to the end", "in chunks", "announced"],
)
def test_an_endless_body_is_cut_off(head: str, piece: bytes, status: int) -> None:
    """The kind of transfer and the status do not matter."""
    head = f"HTTP/1.1 {status} OK\n{head}\n"
    with RawServer(endless(head, itertools.repeat(piece))) as server:
        assert "more than 1,000,000 bytes" in str(failure(server.url))


@pytest.mark.usefixtures("limit")
@pytest.mark.parametrize(
    ("head", "piece"),
    [
        ("HTTP/1.1 200 OK\n", b"X-Header: 1\r\n" * 5000),
        ("HTTP/1.1 200 OK\nX-Header: ", b"x" * 65536),
        ("", b"x" * 65536),
        (f"{OK}Transfer-Encoding: chunked\n\n", b"f" * 65536),
    ],
    ids=["headers", "a header", "a status", "the length of a chunk"],
)
def test_an_endless_head_is_cut_off(head: str, piece: bytes) -> None:
    """Headers and chunk lengths without end are limited too."""
    with RawServer(endless(head, itertools.repeat(piece))) as server:
        assert failure(server.url).attempts == 2


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (f"{OK}\n", b" "),
        (f"{OK}Content-Length: 5000\n\n", b" "),
        (f"{OK}Transfer-Encoding: chunked\n\n", b"1\r\n \r\n"),
        (f"{OK}Transfer-Encoding: chunked\n\nfffff\n", b" "),
        (f"{OK}Content-Encoding: gzip\n\n\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\x03\xff\xff", b"x"),
    ],
    ids=["to the end", "announced", "chunks", "a chunk", "gzip"],
)
def test_a_slow_body_is_cut_off(head: str, piece: bytes) -> None:
    """Each byte arrives in time, but the deadline passes, and the request is retried."""
    with RawServer(endless(head, itertools.repeat(piece))) as server:
        error = failure(server.url, HurriedClock())
    assert error.attempts == 2
    assert "the body took more than 900 s" in str(error)


def test_a_stalled_body_is_cut_off() -> None:
    """The timeout between two bytes ends the wait."""
    over = threading.Event()

    def stalling() -> Iterator[bytes]:
        yield b"{"
        over.wait(500)

    head = f"{OK}Content-Length: 5000\n\n"
    with RawServer(endless(head, stalling())) as server:
        clock = FakeClock()
        connected = ep.EngagementClient(
            USER,
            base_url=server.url,
            attempts=1,
            timeout=(5, 0.1),
            clock=clock.time,
            sleep=clock.sleep,
        )
        with connected, pytest.raises(ep.TransportError, match="timed out") as caught:
            connected.fetch(REQUEST)
        over.set()
    assert isinstance(caught.value.__cause__, exchange.RETRY_EXCEPTIONS)


def test_a_body_decompressed_by_a_proxy() -> None:
    """Some proxies keep the header of the compression: the body is read as it is."""
    head = f"{OK}Content-Encoding: gzip\nContent-Length: {len(GOOD)}"
    with (
        RawServer(respond_with(head, GOOD)) as server,
        client(server.url, FakeClock()) as connected,
    ):
        (response,) = connected.fetch(REQUEST)
    assert response.content == GOOD


@pytest.mark.parametrize("length", [b"-5", b"-1", b"zz", b""])
def test_invalid_chunk_lengths_are_retried(length: bytes) -> None:
    """The reply may be damaged in transit, so another attempt may succeed."""
    head = f"{OK}Transfer-Encoding: chunked"
    with RawServer(respond_with(head, length + b"\r\n{}\r\n")) as server:
        assert failure(server.url).attempts == 2


def test_a_damaged_gzip_stream_is_retried() -> None:
    """It is not a response, and raises no foreign exception."""
    compressed = bytearray(gzip.compress(GOOD * 100))
    compressed[30] ^= 0xFF
    head = f"{OK}Content-Encoding: gzip\nContent-Length: {len(compressed)}"
    with RawServer(respond_with(head, bytes(compressed))) as server:
        assert failure(server.url).attempts == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("where", ["elsewhere", "token"])
def test_redirects_carry_no_credentials(status: int, where: str) -> None:
    """The other host receives nothing, and the error shows its URL."""
    with RawServer(respond_with("HTTP/1.1 200 OK\nContent-Length: 2", b"{}")) as other:
        target = f"{other.url}/{where}?oauth_token=9-access-token&q=1"
        head = f"HTTP/1.1 {status} Moved\nLocation: {target}\nContent-Length: 0"
        with RawServer(respond_with(head)) as server:
            error = failure(server.url)
        assert other.received == []
    assert (error.status, error.attempts) == (status, 1)
    assert f"redirects are not followed, and this is one to '{other.url}/{where}'" in str(error)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/x", "//[::1", "http://127.0.0.1:9/x"])
def test_the_body_of_a_redirect_is_limited(limit: int, path: str) -> None:
    """The limit holds for all redirects, valid or not."""
    compressed = bomb(100 * limit)
    head = f"HTTP/1.1 307 Moved\nLocation: {path}\nContent-Encoding: gzip\n"
    with RawServer(respond_with(f"{head}Content-Length: {len(compressed)}", compressed)) as server:
        tracemalloc.start()
        error = failure(server.url)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert "the body has more than 1,000,000 bytes" in str(error)
    assert most < 10 * limit


def test_a_redirect_of_the_token_request_is_not_followed(
    server: ScriptedServer, clock: FakeClock
) -> None:
    """The other host receives nothing."""
    keys = ep.AppOnly.from_consumer("consumer-key", "consumer-secret")
    with RawServer(respond_with("HTTP/1.1 200 OK\nContent-Length: 2", b"{}")) as other:
        server.answer(Scripted(302, b"", {"location": f"{other.url}/oauth2/token"}))
        connected = ep.EngagementClient(
            keys,
            base_url=server.url,
            token_url=f"{server.url}/oauth2/token",
            clock=clock.time,
            sleep=clock.sleep,
        )
        with connected, pytest.raises(ep.TransportError, match="redirects are not followed"):
            connected.fetch(REQUEST)
        assert other.received == []


@pytest.mark.parametrize(
    "location",
    [
        "http://9-access-token@h/x",
        "http://somebody:s3cret@h/x",
        "//[::1",
        "x" * 10**5,
        "",
        "https://h/\x7f9-access-token",
        "\xff",
    ],
)
def test_a_malicious_location_is_shortened(location: str) -> None:
    """The error shows printable ASCII without secrets."""
    head = f"HTTP/1.1 302 Moved\nLocation: {location}\nContent-Length: 0"
    with RawServer(respond_with(head)) as server:
        message = str(failure(server.url))
    assert len(message) < 700
    assert message.isascii()
    assert "9-access-token" not in message
    assert "s3cret" not in message


INVALID_NUMBERS = [
    "inf",
    "nan",
    "1e400",
    "-1",
    "-1e308",
    "9" * 400,
    "1e308",
    "0x10",
    "",
    "\u00b2",
    "1;drop",
]


@pytest.mark.slow
@pytest.mark.parametrize("value", INVALID_NUMBERS)
@pytest.mark.parametrize("name", ["limit", "remaining", "reset", "date"])
def test_invalid_quota_headers(value: str, name: str, clock: FakeClock) -> None:
    """They cause no error, and no wait of more than a minute."""
    named = name if name == "date" else f"X-Per-Minute-{name}"
    others = {"limit": "60", "remaining": "0", "reset": str(int(clock.now) + 30)} | {name: value}
    lines = "".join(
        f"X-Per-{period}-{key}: {number}\n"
        for period in ("Minute", "Second")
        for key, number in others.items()
        if key != "date"
    )
    head = f"{OK}Connection: close\n{lines}{named}: {value}\nContent-Length: {len(GOOD)}"
    with RawServer(respond_with(head, GOOD)) as server, client(server.url, clock) as connected:
        start = clock.now
        for _ in range(2):
            connected.fetch(REQUEST)
        assert clock.now - start <= 61


def test_too_many_headers_are_refused(clock: FakeClock) -> None:
    """A thousand headers are an error."""
    head = OK + "X-A: 1\n" * 1000 + f"Content-Length: {len(GOOD)}"
    with RawServer(respond_with(head, GOOD)) as server:
        assert "headers" in str(failure(server.url, clock))


@pytest.mark.parametrize(
    "head",
    [
        "HTTP/1.1 999 No\nContent-Length: 2",
        "HTTP/1.1 200 OK\nContent-Length: -5",
        "HTTP/1.1 200 OK\nContent-Length: 9" + "9" * 50,
        "HTTP/1.1 200 OK\nTransfer-Encoding: chunked",
        "HTTP/9.9 200 OK\nContent-Length: 2",
        "ICY 200 OK",
        "HTTP/1.1 -1 OK\nContent-Length: 2",
        "HTTP/1.1 200\nContent-Length: 2\nContent-Type: \x00",
        "\x00\x00",
    ],
)
def test_invalid_http_is_refused(head: str, clock: FakeClock) -> None:
    """No foreign exception is raised."""
    with (
        RawServer(respond_with(head, b"{}")) as server,
        client(server.url, clock) as connected,
        pytest.raises(ep.EngagementError),
    ):
        ep.flatten(connected.fetch(REQUEST))
