"""Credentials go to nobody but the API: certificates, addresses, and what an environment says."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hostile.raw import RawServer, saying
from support.scripted import USER, FakeClock, Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.transport.transport import Transport
from engagement_pandas.transport.urls import checked_url

REQUEST = ep.totals(["1"], engagement_types=["favorites"])
GOOD = b'{"by_post": {"1": {"favorites": "1"}}}'
ANSWER = saying(f"HTTP/1.1 200 OK\nContent-Length: {len(GOOD)}", GOOD)


def write_certificate(folder: Path, *, host: str = "127.0.0.1") -> Path:
    """Write a certificate that nobody but itself has signed, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ip_address(host))]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{host}.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a certificate for this machine."""
    return write_certificate(tmp_path_factory.mktemp("tls"))


def speaking_tls(certificate: Path) -> RawServer:
    """Return a server with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return RawServer(ANSWER, context)


def client(url: str, credentials: Any = USER) -> ep.EngagementClient:
    """Return a client of some server."""
    clock = FakeClock()
    return ep.EngagementClient(
        credentials, base_url=url, token_url=url, attempts=3, clock=clock.time, sleep=clock.sleep
    )


TURNED_OFF = {
    "nothing": {},
    "an empty bundle": {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "", "SSL_CERT_FILE": ""},
    "Python's own": {"PYTHONHTTPSVERIFY": "0"},
    "names of others": {
        "NODE_TLS_REJECT_UNAUTHORIZED": "0",
        "GIT_SSL_NO_VERIFY": "1",
        "CURL_INSECURE": "1",
    },
}


@pytest.mark.parametrize("environment", TURNED_OFF.values(), ids=TURNED_OFF)
def test_a_certificate_of_nobody(
    certificate: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused at the first attempt, before anything is sent, whatever is set."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with (
        speaking_tls(certificate) as server,
        client(server.url) as asking,
        pytest.raises(ep.TransportError, match="CERTIFICATE_VERIFY_FAILED") as caught,
    ):
        asking.fetch(REQUEST)
    assert caught.value.attempts == 1
    assert server.received == []


def test_verification_that_somebody_turned_off_in_the_session(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session's ``verify`` is not asked."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with speaking_tls(certificate) as server, client(server.url) as asking:
        asking._transport._own.session.verify = False
        with pytest.raises(ep.TransportError, match="CERTIFICATE_VERIFY_FAILED"):
            asking.fetch(REQUEST)
    assert server.received == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_bundle_of_a_company(
    certificate: Path, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What signs its certificates is trusted, where the environment names it."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(certificate))
    with speaking_tls(certificate) as server, client(server.url) as asking:
        assert asking.fetch(REQUEST)[0].content == GOOD
    assert len(server.received) == 1


def test_a_certificate_of_another_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trusted, and yet not for this address."""
    elsewhere = write_certificate(tmp_path, host="127.0.0.2")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(elsewhere))
    with (
        speaking_tls(elsewhere) as server,
        client(server.url) as asking,
        pytest.raises(ep.TransportError, match="CERTIFICATE_VERIFY_FAILED") as caught,
    ):
        asking.fetch(REQUEST)
    assert (caught.value.attempts, server.received) == (1, [])


@pytest.mark.parametrize("credentials", [USER, ep.AppOnly("bearer-token")], ids=repr)
def test_a_netrc_puts_nothing_in_place_of_a_signature(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, credentials: Any
) -> None:
    """What is kept there for a host is not sent, and ours is."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password canary\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.answer(Scripted(200, GOOD))
    with client(server.url, credentials) as asking:
        asking.fetch(REQUEST)
    scheme = server.seen[0].headers["authorization"].split()[0]
    assert scheme == ("OAuth" if credentials is USER else "Bearer")


def test_a_proxy_of_a_company_hears_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """An https URL goes through it as a tunnel: it is told the host and nothing else."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with RawServer(saying("HTTP/1.1 403 No\nContent-Length: 0")) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        with client("https://data-api.invalid") as asking, pytest.raises(ep.TransportError):
            asking.fetch(REQUEST)
        heard = b"".join(proxy.received)
    assert heard.startswith(b"CONNECT data-api.invalid:443 ")
    for secret in (b"uthorization", b"oauth", b"9-access-token", b"consumer-key"):
        assert secret not in heard


ODD = [
    "http://127.1",
    "http://0.0.0.0",
    "http://0",
    "http://2130706433",
    "http://0x7f.0.0.1",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "http://localhost.",
    "http://localhost.localdomain",
    "http://127.0.0.1@evil.example",
    "http://evil.example@127.0.0.1",
    "http://user:canary@127.0.0.1",
    "https://user:canary@data-api.twitter.com",
    "https://canary@data-api.twitter.com",
    "http://evil.example\\@127.0.0.1",
    "http://127.0.0.1\\.evil.example",
    "http://evil.example#@127.0.0.1",
    "http://evil.example?@127.0.0.1",
    "http://127.0.0.1:80@evil.example",
    "http://[::ffff:127.0.0.1]",
    "http://[::1%25eth0]",
    "http://[::1]evil.example",
    "http://[::]",
    "http://\uff11\uff12\uff17.0.0.1",
    "http://127\u30020\u30020\u30021",
    "http://loc\u00adalhost",
    "https://data-api.twitter.com\u2044.evil.example",
    "https://d\u0430ta-api.twitter.com",
    "http://local\thost",
    "http://local\nhost",
    " http://localhost",
    "http://localhost ",
    "https://data-api.twitter.com/\r\nX-Injected: 1",
    "https://data-api.twitter.com/?key=canary",
    "https://data-api.twitter.com/#there",
    "https://data-api.twitter.com:0",
    "https://data-api.twitter.com:99999",
    "https://data-api.twitter.com:http",
    "https:data-api.twitter.com",
    "https:///data-api.twitter.com",
    "file:///etc/hosts",
    "http+unix://localhost",
    b"https://data-api.twitter.com",
]


@pytest.mark.parametrize("url", ODD, ids=ascii)
def test_addresses_that_are_not_what_they_look_like(url: Any) -> None:
    """Refused where a client is made; a password in it is not shown."""
    with pytest.raises(ep.RequestError, match="is not an https URL") as caught:
        ep.EngagementClient(USER, base_url=url)
    assert "canary" not in str(caught.value)
    with pytest.raises(ep.RequestError):
        ep.EngagementClient(USER, token_url=url)


@pytest.mark.parametrize(
    "url", ["http://LOCALHOST:8080", "HTTP://127.0.0.1", "https://data-api.x.com:8443/v2/"]
)
def test_addresses_that_are_fine(url: str) -> None:
    """Any case, a port, a path."""
    assert checked_url(url) == url.rstrip("/")


@pytest.mark.parametrize("odd", ["\r\nX-Injected: 1", "\n", "\0", "\u2028", "\ud800", " ", "\x7f"])
@pytest.mark.parametrize(
    "build",
    [
        lambda odd: ep.UserContext(f"key{odd}", "secret", "9-token", "token-secret"),
        lambda odd: ep.UserContext("key", "secret", f"9-token{odd}", "token-secret"),
        lambda odd: ep.AppOnly(f"bearer{odd}"),
        lambda odd: ep.AppOnly.from_consumer("key", f"secret{odd}"),
        lambda odd: ep.totals([f"1{odd}2"], engagement_types=["favorites"]),
        lambda odd: ep.totals(["1"], engagement_types=[f"favorites{odd}x"]),
        lambda odd: ep.totals(
            ["1"], engagement_types=["favorites"], by=["tweet.id", f"engagement.type{odd}x"]
        ),
        lambda odd: ep.EngagementClient(USER, base_url=f"https://data-api.x.com{odd}"),
    ],
    ids=["key", "token", "bearer", "secret", "post", "type", "dimension", "url"],
)
def test_lines_that_somebody_would_add(build: Any, odd: str) -> None:
    """Nothing that is sent can begin a header of its own: refused before anything is sent."""
    with pytest.raises(ep.EngagementError):
        build(odd)


@pytest.mark.parametrize("odd", ["\r\nX-Injected: 1", "\0", '"', "\u2028", "\\", "a" * 1000])
def test_the_name_of_a_grouping_adds_no_line(server: ScriptedServer, odd: str) -> None:
    """It is refused, or travels as JSON within the body."""
    try:
        request = ep.totals(["1"], engagement_types=["favorites"], by={f"g{odd}": ep.BY_POST})
    except ep.EngagementError:
        return
    server.answer(Scripted(200, {f"g{odd}": {"1": {"favorites": "1"}}}))
    with client(server.url) as asking:
        responses = asking.fetch(request)
    assert list(server.seen[0].body["groupings"]) == [f"g{odd}"]
    assert not any("injected" in name for name in server.seen[0].headers)
    assert ep.flatten(responses)["count"].to_list() == [1]


def test_a_token_that_is_fetched_adds_no_line(server: ScriptedServer) -> None:
    """What the server calls a bearer token goes into a header: it has to be fit for that."""
    server.answer(Scripted(200, {"access_token": "a\r\nX-Injected: 1"}))
    with (
        client(server.url, ep.AppOnly.from_consumer("key", "secret")) as asking,
        pytest.raises(ep.EngagementError, match="access_token"),
    ):
        asking.fetch(REQUEST)
    assert len(server.seen) == 1


def test_the_session_asks_nobody_else() -> None:
    """No adapter but ours is mounted, and none for another scheme."""
    transport = Transport()
    assert set(transport._own.session.adapters) == {"https://", "http://"}
    with pytest.raises(requests.exceptions.InvalidSchema):
        transport._own.session.get("ftp://localhost")
    transport.close()
