"""One message against a server that misbehaves as it is told to."""

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
from engagement_pandas.transport.exchange import _retryable
from engagement_pandas.transport.transport import Answer, Message, Transport, error_messages
from engagement_pandas.transport.urls import checked_url

GOOD = Scripted(200, {"by_post": {}})
PAGE = Scripted(502, b"<html><h1>502 Bad Gateway</h1></html>", {"content-type": "text/html"})
LIMIT = Scripted(429, {"errors": ["rate limit exceeded"]})


@pytest.fixture
def transport(clock: FakeClock) -> Any:
    """Return a transport on the fake clock."""
    made = Transport(attempts=8, clock=clock.time, sleep=clock.sleep)
    yield made
    made.close()


def message(server: ScriptedServer, signer: Any = lambda: HTTPBasicAuth("a", "b")) -> Message:
    """Return a message to the server."""
    return Message(f"{server.url}/x", b"{}", "application/json", signer, lambda text: text)


def send(
    transport: Transport, what: Message, say: Callable[[str], None] = lambda _: None
) -> Answer:
    """Send a message, and return its answer."""
    answer: Answer
    task = OneCall(transport.call(what, lambda answer: answer))
    (answer,) = transport.scheduler(1, say).run(iter([task]))
    return answer


def post(transport: Transport, server: ScriptedServer) -> Answer:
    """Send one to the server."""
    return send(transport, message(server))


def test_asks_for_gzip(transport: Transport, server: ScriptedServer) -> None:
    """Without it the API answers 406."""
    server.answer(GOOD)
    post(transport, server)
    assert server.seen[0].headers["accept-encoding"] == "gzip"
    assert server.seen[0].headers["content-type"] == "application/json"


def test_the_body_arrives_decompressed(transport: Transport, server: ScriptedServer) -> None:
    """As bytes, untouched."""
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
def test_tries_again(
    transport: Transport, server: ScriptedServer, clock: FakeClock, fault: Scripted
) -> None:
    """429, 5xx, a broken connection, a body that is cut off or no JSON: sent once more."""
    server.answer(fault, GOOD)
    assert post(transport, server).content == b'{"by_post": {}}'
    assert len(server.seen) == 2
    assert 0 < sum(clock.slept) <= 2


def test_a_truncated_gzip_stream_of_the_announced_length(
    transport: Transport, server: ScriptedServer
) -> None:
    """The length is right, the stream is not whole: the JSON is cut off, so again."""
    whole = gzip.compress(b'{"by_post": {"1": {"favorites": "123456789"}}}')

    class Cut(Scripted):
        def wire(self) -> bytes:
            return whole[:-12]

    server.answer(Cut(), GOOD)
    assert post(transport, server).content == b'{"by_post": {}}'


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 413])
def test_an_answer_that_is_no(
    transport: Transport, server: ScriptedServer, clock: FakeClock, status: int
) -> None:
    """Comes back at once, with its words."""
    server.answer(Scripted(status, {"errors": ["no"]}))
    answer = post(transport, server)
    assert (answer.status, answer.content) == (status, b'{"errors": ["no"]}')
    assert clock.slept == []


def test_a_page_of_html_is_a_refusal(transport: Transport, server: ScriptedServer) -> None:
    """A proxy's 403 page is not a body that was cut off."""
    server.answer(Scripted(403, b"<h1>Forbidden</h1>", {"content-type": "text/html"}))
    assert post(transport, server).status == 403


def test_redirects_are_not_followed(transport: Transport, server: ScriptedServer) -> None:
    """Credentials never go where they were not sent; the error says where that would be."""
    server.answer(Scripted(307, b"", {"location": f"{server.url}/elsewhere"}))
    with pytest.raises(ep.TransportError, match=r"not followed, .* to 'http://.*/elsewhere'"):
        post(transport, server)
    assert [seen.path for seen in server.seen] == ["/x"]


@pytest.mark.slow
def test_backs_off_exponentially_at_random(
    transport: Transport, server: ScriptedServer, clock: FakeClock
) -> None:
    """Seven waits of at most 2, 4, 8, 16, 32, 60, 60 seconds, and never all the same."""
    sent: list[float] = []

    def signer() -> HTTPBasicAuth:
        sent.append(clock.now)
        return HTTPBasicAuth("a", "b")

    server.answer(*[PAGE] * 8)
    with pytest.raises(ep.TransportError):
        send(transport, message(server, signer))
    waits = [later - earlier for earlier, later in pairwise(sent)]
    assert len(waits) == 7
    for waited, most in zip(waits, [2, 4, 8, 16, 32, 60, 60], strict=True):
        assert 0 <= waited <= most
    assert len(set(waits)) == 7
    assert sum(clock.slept) == pytest.approx(sum(waits))


@pytest.mark.slow
def test_gives_up(transport: Transport, server: ScriptedServer) -> None:
    """After 8 attempts, with the last status and the server's words."""
    server.answer(*[PAGE] * 8)
    with pytest.raises(ep.TransportError) as caught:
        post(transport, server)
    error = caught.value
    assert (error.status, error.attempts, len(server.seen)) == (502, 8, 8)
    assert str(error).endswith("/x in 8 attempts; at last: HTTP 502: 502 Bad Gateway")
    assert not isinstance(error, ep.QuotaExceeded)


@pytest.mark.slow
def test_a_quota_that_stays_spent(transport: Transport, server: ScriptedServer) -> None:
    """Eight times 429 is an error of its own."""
    server.answer(*[LIMIT] * 8)
    with pytest.raises(ep.QuotaExceeded, match="rate limit exceeded"):
        post(transport, server)


def test_signs_each_attempt_anew(transport: Transport, server: ScriptedServer) -> None:
    """A signature is used once; the same nonce again would be refused."""
    user = ep.UserContext("ck", "cs", "at", "ats")
    server.answer(PAGE, LIMIT, GOOD)
    send(transport, message(server, lambda: user.signer(0)))
    signatures = [seen.headers["authorization"] for seen in server.seen]
    nonces = {dict(p.split("=", 1) for p in s[6:].split(", "))["oauth_nonce"] for s in signatures}
    assert len(nonces) == 3


def test_waits_for_the_quota_before_sending(
    transport: Transport, server: ScriptedServer, clock: FakeClock
) -> None:
    """Remaining 0: the next message goes out after the reset, not into a 429."""
    spent = {"x-per-minute-remaining": "0", "x-per-minute-reset": str(int(clock.now) + 42)}
    server.answer(Scripted(200, {}, spent), GOOD)
    post(transport, server)
    assert clock.slept == []
    post(transport, server)
    assert sum(clock.slept) == 42.0


def test_counts_a_wait_down(transport: Transport, server: ScriptedServer, clock: FakeClock) -> None:
    """Each second it tells how many are left; then that it waits no longer, and sends."""
    spent = {"x-per-minute-remaining": "0", "x-per-minute-reset": str(int(clock.now) + 3)}
    server.answer(Scripted(200, {}, spent), GOOD)
    said: list[tuple[str, int]] = []

    def say(words: str) -> None:
        said.append((words, len(server.seen)))

    send(transport, message(server), say)
    send(transport, message(server), say)
    assert said == [
        ("", 0),
        ("waiting 3 s for the quota", 1),
        ("waiting 2 s for the quota", 1),
        ("waiting 1 s for the quota", 1),
        ("", 1),
    ]
    assert clock.slept == [1.0, 1.0, 1.0]


def test_counts_down_to_the_next_attempt(transport: Transport, server: ScriptedServer) -> None:
    """The same between attempts, with the reason; a part of a second counts as one."""
    server.answer(PAGE, GOOD)
    said: list[str] = []
    send(transport, message(server), said.append)
    assert said in (
        ["", "waiting 1 s to try again", ""],
        ["", "waiting 2 s to try again", "waiting 1 s to try again", ""],
    )


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, OSError, requests.Timeout])
def test_called_off_while_it_waits(
    transport: Transport, server: ScriptedServer, clock: FakeClock, error: type[BaseException]
) -> None:
    """Within a second, whatever is raised, and nothing is sent any more."""
    spent = {"x-per-minute-remaining": "0", "x-per-minute-reset": str(int(clock.now) + 42)}
    server.answer(Scripted(503, {}, spent), GOOD)
    stop = error("enough")
    begun = clock.now

    def say(_: str) -> None:
        if clock.now > begun:
            raise stop

    with pytest.raises(error) as caught:
        send(transport, message(server), say)
    assert caught.value is stop
    assert len(server.seen) == 1
    assert sum(clock.slept) <= 1


def test_a_429_with_its_reset(
    transport: Transport, server: ScriptedServer, clock: FakeClock
) -> None:
    """Asked again once the minute is over."""
    spent = {"x-per-minute-remaining": "0", "x-per-minute-reset": str(int(clock.now) + 42)}
    begun = clock.now
    server.answer(Scripted(429, {"errors": ["rate limit"]}, spent), GOOD)
    post(transport, server)
    assert clock.now - begun == pytest.approx(42.0)


def test_nobody_there(clock: FakeClock) -> None:
    """A refused connection is tried 3 times, and is no exception of requests."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    transport = Transport(attempts=3, clock=clock.time, sleep=clock.sleep)
    nowhere = Message(
        f"http://127.0.0.1:{port}/x",
        b"{}",
        "application/json",
        lambda: HTTPBasicAuth("a", "b"),
        str,
    )
    with pytest.raises(ep.TransportError) as caught:
        send(transport, nowhere)
    assert (caught.value.status, caught.value.attempts) == (None, 3)
    assert isinstance(caught.value.__cause__, requests.ConnectionError)


def test_a_server_that_says_nothing(clock: FakeClock) -> None:
    """The time-out ends the wait; tried again."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        transport = Transport(attempts=2, timeout=(1, 0.05), clock=clock.time, sleep=clock.sleep)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(ep.TransportError, match="ReadTimeout"):
            send(transport, Message(url, b"{}", "text/plain", lambda: HTTPBasicAuth("a", "b"), str))
        transport.close()


def test_logs_what_it_waits_for(
    transport: Transport, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A scheduled job finds the reason and the wait in its log."""
    server.answer(PAGE, GOOD)
    with caplog.at_level(logging.INFO, "engagement_pandas"):
        post(transport, server)
    assert "502 Bad Gateway" in caplog.text
    assert "to try again" in caplog.text


def forbidden(posts: int) -> tuple[str, bytes]:
    """Return the words that name so many posts of 19 digits, and the body that holds them."""
    words = "Forbidden to access tweets: " + ", ".join(str(10**18 + i) for i in range(posts))
    return words, json.dumps({"errors": [words]}).encode()


def test_words_are_in_full() -> None:
    """All 250 posts of a request, and any body of up to 256 kB."""
    for posts in (250, 12_000):
        words, body = forbidden(posts)
        assert len(body) == 42 + 21 * posts <= 2**18
        assert error_messages(body) == (words,)


def test_a_body_that_is_no_error_of_the_api_is_told_in_short() -> None:
    """Over 256 kB: as it stands, and its first 300 characters; it is not taken apart."""
    _, body = forbidden(13_000)
    assert len(body) == 273_042 > 2**18
    assert error_messages(body) == (body.decode()[:300],)
    page = b"<p>" + b"no " * 200_000
    assert error_messages(page) == (("no " * 100),)


@pytest.mark.parametrize("name", ["attempts", "in_flight"])
@pytest.mark.parametrize("number", [0, -1, "8", 1.5])
def test_at_least_one(name: str, number: Any) -> None:
    """None at all would be no answer and no error."""
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
def test_only_https_or_this_machine(url: Any) -> None:
    """Credentials do not cross a network in the clear."""
    with pytest.raises(ep.RequestError, match="not an https URL"):
        checked_url(url)


@pytest.mark.parametrize(
    "url",
    ["https://data-api.x.com/", "http://127.0.0.1:8080", "http://localhost", "http://[::1]:1"],
)
def test_allowed_urls(url: str) -> None:
    """Https anywhere, http on loopback; a slash at the end is dropped."""
    assert checked_url(url) == url.rstrip("/")


def test_no_proxy_between_here_and_here(
    transport: Transport, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy in the environment gets nothing that is for this machine."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server.answer(GOOD)
    assert post(transport, server).status == 200


def test_a_bundle_of_certificates_that_is_not_there(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another attempt cannot mend is not tried again; an error of our own."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/at/all.pem")
    transport = Transport(clock=clock.time, sleep=clock.sleep)
    far = Message(
        "https://127.0.0.1:9/x", b"{}", "text/plain", lambda: HTTPBasicAuth("a", "b"), str
    )
    with pytest.raises(ep.TransportError, match=r"all\.pem") as caught:
        send(transport, far)
    assert caught.value.attempts == 1


def test_a_certificate_that_is_wrong() -> None:
    """Stays wrong; a broken connection may not."""
    wrong = requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed")
    assert not _retryable(wrong)
    assert _retryable(requests.exceptions.SSLError("EOF occurred in violation of protocol"))


def test_a_body_nested_beyond_reason(transport: Transport, server: ScriptedServer) -> None:
    """Unreadable like any other; the next attempt has the answer."""
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    server.answer(Scripted(200, deep), GOOD)
    assert post(transport, server).content == b'{"by_post": {}}'


def test_an_absurd_date(transport: Transport, server: ScriptedServer) -> None:
    """A header that is no time means nothing."""
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
def test_time_outs_are_seconds(timeout: Any) -> None:
    """Two numbers above 0, and no more than a day; said before anything is sent."""
    with pytest.raises(ep.RequestError, match="two numbers of seconds above 0") as caught:
        Transport(timeout=timeout)
    assert f"timeout is {timeout!r};" in str(caught.value)


@pytest.mark.parametrize("timeout", [(1, 0.5), [1, 0.5], (86_400, 86_400.0)])
def test_time_outs_that_will_do(server: ScriptedServer, clock: FakeClock, timeout: Any) -> None:
    """Whole numbers or not, in a tuple or a list."""
    server.answer(GOOD)
    transport = Transport(timeout=timeout, clock=clock.time, sleep=clock.sleep)
    assert post(transport, server).status == 200
    transport.close()


def test_what_is_wrong_here_stays_wrong(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of a value on the way to the wire is none of the connection: it is told at once."""
    transport = Transport(clock=clock.time, sleep=clock.sleep)

    def wrong(*_: Any, **__: Any) -> None:
        msg = "Unable to determine SOCKS version"
        raise ValueError(msg)

    monkeypatch.setattr(transport._own.session, "post", wrong)
    far = Message(
        "https://127.0.0.1:9/x", b"{}", "text/plain", lambda: HTTPBasicAuth("a", "b"), str
    )
    with pytest.raises(ep.TransportError, match="Unable to determine") as caught:
        send(transport, far)
    assert (caught.value.attempts, clock.slept) == (1, [])


@pytest.mark.slow
@pytest.mark.parametrize("status", [520, 521, 522, 523, 524, 525, 527, 530])
def test_what_a_proxy_did_not_reach_is_sent_again(
    client: ep.EngagementClient, server: ScriptedServer, status: int
) -> None:
    """As after a 502."""
    page = Scripted(status, b"<html>origin</html>", {"content-type": "text/html"})
    server.answer(page, page, Scripted(200, {"by_post": {"1": {"favorites": "1"}}}))
    (response,) = client.fetch(ep.totals(["1"], engagement_types=["favorites"]))
    assert (response.status, len(server.seen)) == (200, 3)


def test_a_wrong_certificate_behind_a_proxy_stays_wrong(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """A 526 is a refusal at once."""
    server.answer(Scripted(526, b"bad certificate", {"content-type": "text/plain"}))
    with pytest.raises(ep.RefusedError, match=r"HTTP 526.*bad certificate"):
        client.fetch(ep.totals(["1"], engagement_types=["favorites"]))
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("body", "words"),
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
def test_the_words_of_an_error_body(body: Any, words: tuple[str, ...]) -> None:
    """Whatever JSON it is; of JSON without words, its beginning."""
    assert error_messages(json.dumps(body).encode()) == words


def test_an_array_as_the_body_of_a_refusal(
    client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """Its words are in the message and in .messages."""
    server.answer(Scripted(403, ["not for you", {"detail": "ask for access"}]))
    with pytest.raises(ep.RefusedError, match="not for you; ask for access") as caught:
        client.fetch(ep.totals(["1"], engagement_types=["favorites"]))
    assert caught.value.messages == ("not for you", "ask for access")


def test_an_error_body_that_nests_without_end() -> None:
    """Its beginning."""
    assert error_messages(b"[" * 100_000) == ("[" * 300,)
    assert len(error_messages(b"[" * 900 + b"]" * 900)) == 1
