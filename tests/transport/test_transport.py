"""One message against a server with scripted faults."""

from __future__ import annotations

import gzip
import json
import logging
import socket
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import requests
from requests.auth import HTTPBasicAuth
from support.scheduler.model import OneCall
from support.scripted import FakeClock, Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.auth.signer import oauth1_signature
from engagement_pandas.transport.error_bodies import error_messages
from engagement_pandas.transport.exchange import _retryable
from engagement_pandas.transport.message import Answer, Message
from engagement_pandas.transport.transport import Transport
from engagement_pandas.transport.urls import checked_url

GOOD = Scripted(200, {"by_post": {}})
PAGE = Scripted(502, b"<html><h1>502 Bad Gateway</h1></html>", {"content-type": "text/html"})
LIMIT = Scripted(429, {"errors": ["rate limit exceeded"]})


@pytest.fixture
def transport(clock: FakeClock) -> Any:
    """Return a transport with the fake clock."""
    transport = Transport(attempts=8, clock=clock.time, sleep=clock.sleep)
    yield transport
    transport.close()


def message_to(server: ScriptedServer, signer: Any = lambda: HTTPBasicAuth("a", "b")) -> Message:
    """Return a message to the server."""
    return Message(f"{server.url}/x", b"{}", "application/json", signer, lambda text: text)


def send(
    transport: Transport, message: Message, report: Callable[[str], None] = lambda _: None
) -> Answer:
    """Send a message, and return the response."""
    response: Answer
    task = OneCall(transport.call(message, lambda response: response))
    (response,) = transport.scheduler(1, report).run(iter([task]))
    return response


def post(transport: Transport, server: ScriptedServer) -> Answer:
    """Send a message to the server."""
    return send(transport, message_to(server))


def test_gzip_is_requested(transport: Transport, server: ScriptedServer) -> None:
    """Without it the API responds with 406."""
    server.answer(GOOD)
    post(transport, server)
    assert server.seen[0].headers["accept-encoding"] == "gzip"
    assert server.seen[0].headers["content-type"] == "application/json"


def test_the_body_is_decompressed(transport: Transport, server: ScriptedServer) -> None:
    """Its bytes are unchanged."""
    server.answer(Scripted(200, b'{ "a":1 }'))
    assert post(transport, server).content == b'{ "a":1 }'


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        LIMIT,
        Scripted(500, {"errors": ["internal server error"]}),
        PAGE,
        Scripted(503, b""),
        Scripted(504, b""),
        Scripted(200, b'{"by_post": {"1"'),
        Scripted(200, b"<html>welcome to the proxy</html>", {"content-type": "text/html"}),
        Scripted(200, b""),
        Scripted(200, b"[]"),
        Scripted(200, b"\xff\xfe"),
        Scripted(200, {"by_post": {"1": {"favorites": "1"}}}, cut=10),
        Scripted(200, b"not gzip at all", {"content-encoding": "gzip, gzip"}),
        Scripted(400, b'{"errors": ["1 Tweet', {}),
        Scripted(403, b'{"errors": ["Forbidden to access tweets: 12'),
    ],
    ids=lambda fault: f"{fault.status} {bytes(str(fault.body), 'utf8')[:20]!r}",
)
def test_retried_faults(
    transport: Transport, server: ScriptedServer, clock: FakeClock, fault: Scripted
) -> None:
    """429, 5xx, broken connections, truncated bodies and bodies other than JSON are retried."""
    server.answer(fault, GOOD)
    assert post(transport, server).content == b'{"by_post": {}}'
    assert len(server.seen) == 2
    assert 0 < sum(clock.slept) <= 2


def test_a_truncated_gzip_stream_is_retried(transport: Transport, server: ScriptedServer) -> None:
    """Its length is the announced one, but its JSON is incomplete."""
    complete = gzip.compress(b'{"by_post": {"1": {"favorites": "123456789"}}}')

    class TruncatedGzip(Scripted):
        def wire(self) -> bytes:
            return complete[:-12]

    server.answer(TruncatedGzip(), GOOD)
    assert post(transport, server).content == b'{"by_post": {}}'


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 413])
def test_refusals_are_not_retried(
    transport: Transport, server: ScriptedServer, clock: FakeClock, status: int
) -> None:
    """They are returned immediately, with the body."""
    server.answer(Scripted(status, {"errors": ["no"]}))
    response = post(transport, server)
    assert (response.status, response.content) == (status, b'{"errors": ["no"]}')
    assert clock.slept == []


def test_a_page_of_html_is_a_refusal(transport: Transport, server: ScriptedServer) -> None:
    """A proxy's 403 page is not a truncated body."""
    server.answer(Scripted(403, b"<h1>Forbidden</h1>", {"content-type": "text/html"}))
    assert post(transport, server).status == 403


def test_redirects_are_not_followed(transport: Transport, server: ScriptedServer) -> None:
    """Credentials are not sent to another URL; the error shows it."""
    server.answer(Scripted(307, b"", {"location": f"{server.url}/elsewhere"}))
    with pytest.raises(ep.TransportError, match=r"not followed, .* to 'http://.*/elsewhere'"):
        post(transport, server)
    assert [seen.path for seen in server.seen] == ["/x"]


@pytest.mark.slow
def test_retries_back_off_exponentially(
    transport: Transport, server: ScriptedServer, clock: FakeClock
) -> None:
    """The seven waits are random, at most 2, 4, 8, 16, 32, 60, 60 seconds, and all different."""
    sent: list[float] = []

    def signer() -> HTTPBasicAuth:
        sent.append(clock.now)
        return HTTPBasicAuth("a", "b")

    server.answer(*[PAGE] * 8)
    with pytest.raises(ep.TransportError):
        send(transport, message_to(server, signer))
    waits = [later - earlier for earlier, later in pairwise(sent)]
    assert len(waits) == 7
    for waited, most in zip(waits, [2, 4, 8, 16, 32, 60, 60], strict=True):
        assert 0 <= waited <= most
    assert len(set(waits)) == 7
    assert sum(clock.slept) == pytest.approx(sum(waits))


@pytest.mark.slow
def test_attempts_are_limited(transport: Transport, server: ScriptedServer) -> None:
    """After 8 attempts the error has the last status and the server's message."""
    server.answer(*[PAGE] * 8)
    with pytest.raises(ep.TransportError) as caught:
        post(transport, server)
    error = caught.value
    assert (error.status, error.attempts, len(server.seen)) == (502, 8, 8)
    assert str(error).endswith("/x in 8 attempts; at last: HTTP 502: 502 Bad Gateway")
    assert not isinstance(error, ep.QuotaExceeded)


@pytest.mark.slow
def test_a_spent_quota_has_its_own_error(transport: Transport, server: ScriptedServer) -> None:
    """It is raised after eight 429s."""
    server.answer(*[LIMIT] * 8)
    with pytest.raises(ep.QuotaExceeded, match="rate limit exceeded"):
        post(transport, server)


def test_each_attempt_has_a_new_signature(transport: Transport, server: ScriptedServer) -> None:
    """A repeated nonce would be refused."""
    user = ep.UserContext("ck", "cs", "at", "ats")
    server.answer(PAGE, LIMIT, GOOD)
    send(transport, message_to(server, lambda: oauth1_signature(user, 0)))
    signatures = [seen.headers["authorization"] for seen in server.seen]
    nonces = {dict(p.split("=", 1) for p in s[6:].split(", "))["oauth_nonce"] for s in signatures}
    assert len(nonces) == 3


def test_the_quota_is_awaited_before_sending(
    transport: Transport, server: ScriptedServer, clock: FakeClock
) -> None:
    """After remaining 0 the next message is sent after the reset, without a 429."""
    spent = {"x-per-minute-remaining": "0", "x-per-minute-reset": str(int(clock.now) + 42)}
    server.answer(Scripted(200, {}, spent), GOOD)
    post(transport, server)
    assert clock.slept == []
    post(transport, server)
    assert sum(clock.slept) == 42.0


def test_a_wait_for_the_quota_is_counted_down(
    transport: Transport, server: ScriptedServer, clock: FakeClock
) -> None:
    """The remaining seconds are reported each second, and an empty message at the end."""
    spent = {"x-per-minute-remaining": "0", "x-per-minute-reset": str(int(clock.now) + 3)}
    server.answer(Scripted(200, {}, spent), GOOD)
    reported: list[tuple[str, int]] = []

    def report(message: str) -> None:
        reported.append((message, len(server.seen)))

    send(transport, message_to(server), report)
    send(transport, message_to(server), report)
    assert reported == [
        ("", 0),
        ("waiting 3 s for the quota", 1),
        ("waiting 2 s for the quota", 1),
        ("waiting 1 s for the quota", 1),
        ("", 1),
    ]
    assert clock.slept == [1.0, 1.0, 1.0]


def test_a_wait_for_a_retry_is_counted_down(transport: Transport, server: ScriptedServer) -> None:
    """The reason is reported too; a fraction of a second counts as one."""
    server.answer(PAGE, GOOD)
    reported: list[str] = []
    send(transport, message_to(server), reported.append)
    assert reported in (
        ["", "waiting 1 s to try again", ""],
        ["", "waiting 2 s to try again", "waiting 1 s to try again", ""],
    )


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, OSError, requests.Timeout])
def test_a_wait_can_be_ended(
    transport: Transport, server: ScriptedServer, clock: FakeClock, error: type[BaseException]
) -> None:
    """An error of a watcher ends it within a second, and nothing more is sent."""
    spent = {"x-per-minute-remaining": "0", "x-per-minute-reset": str(int(clock.now) + 42)}
    server.answer(Scripted(503, {}, spent), GOOD)
    stop = error("enough")
    start = clock.now

    def report(_: str) -> None:
        if clock.now > start:
            raise stop

    with pytest.raises(error) as caught:
        send(transport, message_to(server), report)
    assert caught.value is stop
    assert len(server.seen) == 1
    assert sum(clock.slept) <= 1


def test_a_429_is_retried_after_its_reset(
    transport: Transport, server: ScriptedServer, clock: FakeClock
) -> None:
    """The request is sent again at the end of the minute."""
    spent = {"x-per-minute-remaining": "0", "x-per-minute-reset": str(int(clock.now) + 42)}
    start = clock.now
    server.answer(Scripted(429, {"errors": ["rate limit"]}, spent), GOOD)
    post(transport, server)
    assert clock.now - start == pytest.approx(42.0)


def test_a_refused_connection(clock: FakeClock) -> None:
    """It is retried, and the error is the package's own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    transport = Transport(attempts=3, clock=clock.time, sleep=clock.sleep)
    message = Message(
        f"http://127.0.0.1:{port}/x",
        b"{}",
        "application/json",
        lambda: HTTPBasicAuth("a", "b"),
        str,
    )
    with pytest.raises(ep.TransportError) as caught:
        send(transport, message)
    assert (caught.value.status, caught.value.attempts) == (None, 3)
    assert isinstance(caught.value.__cause__, requests.ConnectionError)


def test_a_silent_server(clock: FakeClock) -> None:
    """The timeout ends the wait, and the request is retried."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        transport = Transport(attempts=2, timeout=(1, 0.05), clock=clock.time, sleep=clock.sleep)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        with pytest.raises(ep.TransportError, match="ReadTimeout"):
            send(transport, Message(url, b"{}", "text/plain", lambda: HTTPBasicAuth("a", "b"), str))
        transport.close()


def test_waits_are_logged(
    transport: Transport, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The log of a scheduled job has the reason and the duration."""
    server.answer(PAGE, GOOD)
    with caplog.at_level(logging.INFO, "engagement_pandas"):
        post(transport, server)
    assert "502 Bad Gateway" in caplog.text
    assert "to try again" in caplog.text


def forbidden(posts: int) -> tuple[str, bytes]:
    """Return a message that names this number of posts of 19 digits, and a body with it."""
    text = "Forbidden to access tweets: " + ", ".join(str(10**18 + i) for i in range(posts))
    return text, json.dumps({"errors": [text]}).encode()


def test_error_messages_are_complete() -> None:
    """All 250 posts of a request are kept, and all bodies of up to 256 kB."""
    for posts in (250, 12_000):
        text, body = forbidden(posts)
        assert len(body) == 42 + 21 * posts <= 2**18
        assert error_messages(body) == (text,)


def test_other_long_bodies_are_shortened() -> None:
    """Of more than 256 kB the first 300 characters are shown, without parsing."""
    _, body = forbidden(13_000)
    assert len(body) == 273_042 > 2**18
    assert error_messages(body) == (body.decode()[:300],)
    page = b"<p>" + b"no " * 200_000
    assert error_messages(page) == (("no " * 100),)


@pytest.mark.parametrize("name", ["attempts", "in_flight"])
@pytest.mark.parametrize("number", [0, -1, "8", 1.5])
def test_attempts_and_in_flight_are_positive(name: str, number: Any) -> None:
    """Without attempts there would be neither a response nor an error."""
    with pytest.raises(ep.RequestError, match=f"{name} is {number!r}; .* at least 1"):
        Transport(**{name: number})


@pytest.mark.parametrize(
    "url",
    [
        "http://data-api.twitter.com",
        "http://127.0.0.1.example.com",
        "ftp://localhost",
        "data-api.twitter.com",
        "",
        "https://",
        "https://[::1",
        5,
        None,
    ],
)
def test_urls_are_https_or_loopback(url: Any) -> None:
    """Credentials are not sent over a network without encryption."""
    with pytest.raises(ep.RequestError, match="not an https URL"):
        checked_url(url)


@pytest.mark.parametrize(
    "url",
    ["https://data-api.x.com/", "http://127.0.0.1:8080", "http://localhost", "http://[::1]:1"],
)
def test_allowed_urls(url: str) -> None:
    """They are https, or http on loopback; a trailing slash is dropped."""
    assert checked_url(url) == url.rstrip("/")


def test_loopback_uses_no_proxy(
    transport: Transport, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment's proxies are ignored for loopback."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server.answer(GOOD)
    assert post(transport, server).status == 200


def test_a_missing_file_of_certificates(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is not retried, and is the package's own."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/at/all.pem")
    transport = Transport(clock=clock.time, sleep=clock.sleep)
    message = Message(
        "https://127.0.0.1:9/x", b"{}", "text/plain", lambda: HTTPBasicAuth("a", "b"), str
    )
    with pytest.raises(ep.TransportError, match=r"all\.pem") as caught:
        send(transport, message)
    assert caught.value.attempts == 1


def test_invalid_certificates_are_not_retried() -> None:
    """Broken connections are."""
    wrong = requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed")
    assert not _retryable(wrong)
    assert _retryable(requests.exceptions.SSLError("EOF occurred in violation of protocol"))


def test_a_deeply_nested_body_is_retried(transport: Transport, server: ScriptedServer) -> None:
    """It is unreadable like other invalid bodies."""
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    server.answer(Scripted(200, deep), GOOD)
    assert post(transport, server).content == b'{"by_post": {}}'


def test_an_invalid_date_is_ignored(transport: Transport, server: ScriptedServer) -> None:
    """The response is accepted."""
    headers = {
        "date": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "x-per-minute-remaining": "0",
    }
    server.answer(Scripted(200, {}, headers))
    assert post(transport, server).status == 200


@pytest.mark.parametrize(
    "timeout",
    [
        (0, 0),
        (1, -1),
        ("a", 1),
        (10.0,),
        (1, 2, 3),
        (),
        30,
        None,
        "12",
        (None, 5),
        (1, float("inf")),
        (float("nan"), 1),
        (1, 1e300),
    ],
)
def test_timeouts_are_two_numbers_of_seconds(timeout: Any) -> None:
    """Both are above 0 and at most a day; other values are refused before anything is sent."""
    with pytest.raises(ep.RequestError, match="two numbers of seconds above 0") as caught:
        Transport(timeout=timeout)
    assert f"timeout is {timeout!r};" in str(caught.value)


@pytest.mark.parametrize("timeout", [(1, 0.5), [1, 0.5], (86_400, 86_400.0)])
def test_valid_timeouts(server: ScriptedServer, clock: FakeClock, timeout: Any) -> None:
    """They are integers or floats, in a tuple or a list."""
    server.answer(GOOD)
    transport = Transport(timeout=timeout, clock=clock.time, sleep=clock.sleep)
    assert post(transport, server).status == 200
    transport.close()


def test_other_errors_are_not_retried(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ValueError before sending is not an error of the connection, and is raised immediately."""
    transport = Transport(clock=clock.time, sleep=clock.sleep)

    def failing_post(*_: Any, **__: Any) -> None:
        msg = "Unable to determine SOCKS version"
        raise ValueError(msg)

    monkeypatch.setattr(transport._own.session, "post_once", failing_post)
    message = Message(
        "https://127.0.0.1:9/x", b"{}", "text/plain", lambda: HTTPBasicAuth("a", "b"), str
    )
    with pytest.raises(ep.TransportError, match="Unable to determine") as caught:
        send(transport, message)
    assert (caught.value.attempts, clock.slept) == (1, [])


@pytest.mark.slow
@pytest.mark.parametrize("status", [520, 521, 522, 523, 524, 525, 527, 530])
def test_errors_of_a_proxy_are_retried(
    client: ep.EngagementClient, server: ScriptedServer, status: int
) -> None:
    """They are handled like a 502."""
    page = Scripted(status, b"<html>origin</html>", {"content-type": "text/html"})
    server.answer(page, page, Scripted(200, {"by_post": {"1": {"favorites": "1"}}}))
    (response,) = client.fetch(ep.totals(["1"], engagement_types=["favorites"]))
    assert (response.status, len(server.seen)) == (200, 3)


def test_an_invalid_certificate_behind_a_proxy_is_not_retried(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """A 526 is a refusal."""
    server.answer(Scripted(526, b"bad certificate", {"content-type": "text/plain"}))
    with pytest.raises(ep.RefusedError, match=r"HTTP 526.*bad certificate"):
        client.fetch(ep.totals(["1"], engagement_types=["favorites"]))
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (["one", "two"], ("one", "two")),
        ([{"message": "a", "code": 32}, "b"], ("a", "b")),
        ("plain", ("plain",)),
        ({"error": "no"}, ("no",)),
        ({"error": {"message": "deep", "code": 5}}, ("deep",)),
        ({"error": "invalid_client", "error_description": "bad"}, ("invalid_client", "bad")),
        ({"title": "Forbidden", "detail": "not yours", "status": 403}, ("Forbidden", "not yours")),
        ({"title": "Same", "detail": "Same"}, ("Same",)),
        ({"message": "m"}, ("m",)),
        ({"errors": [{"title": "t", "detail": "d"}]}, ("t", "d")),
        ({"errors": ["a"], "detail": "b"}, ("a", "b")),
        ({"errors": [{"code": 5}]}, ("{'code': 5}",)),
        ({"errors": []}, ('{"errors": []}',)),
        ({"status": 5}, ('{"status": 5}',)),
        ([], ("[]",)),
        (5, ("5",)),
        (None, ("null",)),
    ],
)
def test_messages_in_error_bodies(body: Any, messages: tuple[str, ...]) -> None:
    """They are found in all forms of JSON; without one, the beginning of the body is shown."""
    assert error_messages(json.dumps(body).encode()) == messages


def test_an_array_as_the_body_of_a_refusal(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """Its messages are in the error's text and in `.messages`."""
    server.answer(Scripted(403, ["not for you", {"detail": "ask for access"}]))
    with pytest.raises(ep.RefusedError, match="not for you; ask for access") as caught:
        client.fetch(ep.totals(["1"], engagement_types=["favorites"]))
    assert caught.value.messages == ("not for you", "ask for access")


def test_an_endlessly_nested_error_body() -> None:
    """Its beginning is shown."""
    assert error_messages(b"[" * 100_000) == ("[" * 300,)
    assert len(error_messages(b"[" * 900 + b"]" * 900)) == 1
