"""Replies that mean harm, through the real client, from a server on loopback."""

from __future__ import annotations

import gzip
import itertools
import threading
import tracemalloc
from collections.abc import Iterator

import pytest
from hostile.raw import RawServer, endless, saying
from support.scripted import USER, FakeClock, HurriedClock, Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.response.envelope import MAX_BODY_BYTES
from engagement_pandas.transport import exchange, transport
from engagement_pandas.vocabulary import SERIES_TYPES

REQUEST = ep.totals(["1"], engagement_types=["favorites"])
GOOD = b'{"by_post": {"1": {"favorites": "1"}}}'
OK = "HTTP/1.1 200 OK\nContent-Type: application/json\n"


def client(url: str, clock: FakeClock, attempts: int = 2) -> ep.EngagementClient:
    """Return a client of some server."""
    return ep.EngagementClient(
        USER, base_url=url, attempts=attempts, clock=clock.time, sleep=clock.sleep
    )


def failure(url: str, clock: FakeClock | None = None) -> ep.TransportError:
    """Return what a fetch fails with."""
    with (
        client(url, clock or FakeClock()) as asking,
        pytest.raises(ep.TransportError) as caught,
    ):
        asking.fetch(REQUEST)
    return caught.value


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> int:
    """Make the largest body small, so that more is soon sent."""
    monkeypatch.setattr(transport, "MAX_BODY_BYTES", 1_000_000)
    return 1_000_000


def test_the_bound_is_far_above_the_biggest_answer() -> None:
    """25 posts, 17 types and 29 days of 24 hours, each with the longest count and a blank."""
    hours = 25 * 17 * 29 * 24
    assert len(SERIES_TYPES) == 17
    assert hours * len(b'"07" : "-9223372036854775808", ') < MAX_BODY_BYTES
    assert MAX_BODY_BYTES < 64_000_000


def bomb(size: int, layers: int = 1) -> bytes:
    """Return some blanks and an answer, packed to a thousandth."""
    packed = b" " * size + GOOD
    for _ in range(layers):
        packed = gzip.compress(packed)
    return packed


def test_a_gzip_bomb_is_not_unpacked(small: int) -> None:
    """It has more bytes than any answer; no second attempt is made at it."""
    packed = bomb(20 * small)
    assert len(packed) < small / 10
    head = f"{OK}Content-Encoding: gzip\nContent-Length: {len(packed)}"
    with RawServer(saying(head, packed)) as server:
        error = failure(server.url)
    assert error.attempts == 1
    assert "the body has more than 1,000,000 bytes, the most that an answer can have" in str(error)


def test_a_bomb_within_a_bomb(small: int) -> None:
    """Packed twice it was not asked for, and is not begun to unpack."""
    packed = bomb(2 * small, 2)
    head = f"{OK}Content-Encoding: gzip, gzip\nContent-Length: {len(packed)}"
    with RawServer(saying(head, packed)) as server:
        assert "the body is compressed as 'gzip, gzip'" in str(failure(server.url))


@pytest.mark.parametrize("encoding", ["deflate", "br", "zstd", "gzip,gzip,gzip", "x" * 5000])
def test_what_was_not_asked_for(encoding: str) -> None:
    """Another packing than gzip is refused by name."""
    with RawServer(saying(f"{OK}Content-Encoding: {encoding}\nContent-Length: 2", b"{}")) as server:
        assert f"compressed as '{encoding[:40]}'" in str(failure(server.url))


@pytest.mark.usefixtures("small")
def test_gzip_in_many_parts() -> None:
    """One after the other they are one body, and one bound holds for all."""
    parts = gzip.compress(b" " * 300_000) * 20
    head = f"{OK}Content-Encoding: gzip\nContent-Length: {len(parts)}"
    with RawServer(saying(head, parts)) as server:
        assert "more than 1,000,000 bytes" in str(failure(server.url))


@pytest.mark.usefixtures("small")
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
def test_an_endless_body(head: str, piece: bytes, status: int) -> None:
    """However it comes and whatever its status, it is left when it is too long."""
    head = f"HTTP/1.1 {status} OK\n{head}\n"
    with RawServer(endless(head, itertools.repeat(piece))) as server:
        assert "more than 1,000,000 bytes" in str(failure(server.url))


@pytest.mark.usefixtures("small")
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
def test_an_endless_head(head: str, piece: bytes) -> None:
    """What never ends before a body, or within one, is left as well."""
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
def test_a_body_that_drips(head: str, piece: bytes) -> None:
    """Each byte is in time, all of them are not: after the deadline it is tried again."""
    with RawServer(endless(head, itertools.repeat(piece))) as server:
        error = failure(server.url, HurriedClock())
    assert error.attempts == 2
    assert "the body took more than 900 s" in str(error)


def test_a_body_that_stalls() -> None:
    """The timeout between two bytes ends the wait; tried again."""
    over = threading.Event()

    def stalling() -> Iterator[bytes]:
        yield b"{"
        over.wait(500)

    head = f"{OK}Content-Length: 5000\n\n"
    with RawServer(endless(head, stalling())) as server:
        clock = FakeClock()
        asking = ep.EngagementClient(
            USER,
            base_url=server.url,
            attempts=1,
            timeout=(5, 0.1),
            clock=clock.time,
            sleep=clock.sleep,
        )
        with asking, pytest.raises(ep.TransportError, match="timed out") as caught:
            asking.fetch(REQUEST)
        over.set()
    assert isinstance(caught.value.__cause__, exchange.RETRY_EXCEPTIONS)


def test_a_body_that_a_proxy_has_unpacked() -> None:
    """Some leave the header of the compression: the body is read as it is."""
    head = f"{OK}Content-Encoding: gzip\nContent-Length: {len(GOOD)}"
    with RawServer(saying(head, GOOD)) as server, client(server.url, FakeClock()) as asking:
        (response,) = asking.fetch(REQUEST)
    assert response.content == GOOD


@pytest.mark.parametrize("length", [b"-5", b"-1", b"zz", b""])
def test_a_chunk_of_no_length(length: bytes) -> None:
    """Broken on its way, as far as anybody can tell: another attempt may have it whole."""
    head = f"{OK}Transfer-Encoding: chunked"
    with RawServer(saying(head, length + b"\r\n{}\r\n")) as server:
        assert failure(server.url).attempts == 2


def test_a_broken_stream_of_gzip() -> None:
    """Bytes that are not what they are called are no answer, and no foreign exception."""
    packed = bytearray(gzip.compress(GOOD * 100))
    packed[30] ^= 0xFF
    head = f"{OK}Content-Encoding: gzip\nContent-Length: {len(packed)}"
    with RawServer(saying(head, bytes(packed))) as server:
        assert failure(server.url).attempts == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("where", ["elsewhere", "token"])
def test_redirects_carry_no_credentials(status: int, where: str) -> None:
    """Another host gets nothing at all; the error tells which it would have been."""
    with RawServer(saying("HTTP/1.1 200 OK\nContent-Length: 2", b"{}")) as other:
        goal = f"{other.url}/{where}?oauth_token=9-access-token&q=1"
        head = f"HTTP/1.1 {status} Moved\nLocation: {goal}\nContent-Length: 0"
        with RawServer(saying(head)) as server:
            error = failure(server.url)
        assert other.received == []
    assert (error.status, error.attempts) == (status, 1)
    assert f"redirects are not followed, and this is one to '{other.url}/{where}'" in str(error)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/x", "//[::1", "http://127.0.0.1:9/x"])
def test_a_redirect_with_a_body_that_is_a_bomb(small: int, path: str) -> None:
    """It is bounded as that of any other reply, whether or not it leads anywhere."""
    packed = bomb(100 * small)
    head = f"HTTP/1.1 307 Moved\nLocation: {path}\nContent-Encoding: gzip\n"
    with RawServer(saying(f"{head}Content-Length: {len(packed)}", packed)) as server:
        tracemalloc.start()
        error = failure(server.url)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert "the body has more than 1,000,000 bytes" in str(error)
    assert most < 10 * small


def test_a_redirect_of_the_token(server: ScriptedServer, clock: FakeClock) -> None:
    """Nor is the way to the bearer token one that can be turned aside."""
    keys = ep.AppOnly.from_consumer("consumer-key", "consumer-secret")
    with RawServer(saying("HTTP/1.1 200 OK\nContent-Length: 2", b"{}")) as other:
        server.answer(Scripted(302, b"", {"location": f"{other.url}/oauth2/token"}))
        asking = ep.EngagementClient(
            keys,
            base_url=server.url,
            token_url=f"{server.url}/oauth2/token",
            clock=clock.time,
            sleep=clock.sleep,
        )
        with asking, pytest.raises(ep.TransportError, match="redirects are not followed"):
            asking.fetch(REQUEST)
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
def test_a_location_that_means_harm(location: str) -> None:
    """It is told in short, in printed ASCII, and without a secret."""
    head = f"HTTP/1.1 302 Moved\nLocation: {location}\nContent-Length: 0"
    with RawServer(saying(head)) as server:
        told = str(failure(server.url))
    assert len(told) < 700
    assert told.isascii()
    assert "9-access-token" not in told
    assert "s3cret" not in told


ABSURD = ["inf", "nan", "1e400", "-1", "-1e308", "9" * 400, "1e308", "0x10", "", "\u00b2", "1;drop"]


@pytest.mark.slow
@pytest.mark.parametrize("value", ABSURD)
@pytest.mark.parametrize("name", ["limit", "remaining", "reset", "date"])
def test_absurd_headers_of_the_quota(value: str, name: str, clock: FakeClock) -> None:
    """Nobody waits for ever and nothing breaks: at most the minute, and then it goes on."""
    named = name if name == "date" else f"X-Per-Minute-{name}"
    others = {"limit": "60", "remaining": "0", "reset": str(int(clock.now) + 30)} | {name: value}
    lines = "".join(
        f"X-Per-{period}-{key}: {told}\n"
        for period in ("Minute", "Second")
        for key, told in others.items()
        if key != "date"
    )
    head = f"{OK}Connection: close\n{lines}{named}: {value}\nContent-Length: {len(GOOD)}"
    with RawServer(saying(head, GOOD)) as server, client(server.url, clock) as asking:
        begun = clock.now
        for _ in range(2):
            asking.fetch(REQUEST)
        assert clock.now - begun <= 61


def test_headers_beyond_number(clock: FakeClock) -> None:
    """A thousand headers are no answer."""
    head = OK + "X-A: 1\n" * 1000 + f"Content-Length: {len(GOOD)}"
    with RawServer(saying(head, GOOD)) as server:
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
def test_what_is_hardly_http(head: str, clock: FakeClock) -> None:
    """No foreign exception comes out, whatever the server speaks."""
    with (
        RawServer(saying(head, b"{}")) as server,
        client(server.url, clock) as asking,
        pytest.raises(ep.EngagementError),
    ):
        ep.flatten(asking.fetch(REQUEST))
